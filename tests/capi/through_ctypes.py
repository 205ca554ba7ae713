"""obliq.h from Python by ctypes, without the package: what any language with calls to C can do.

Usage: through_ctypes.py LIBRARY
"""

import array
import ctypes
import pathlib
import random
import sys
import tempfile
import unittest

LIBRARY = ctypes.CDLL(sys.argv.pop())
LIBRARY.obliq_last_error.restype = ctypes.c_char_p
LIBRARY.obliq_version.restype = ctypes.c_char_p
DIM, N, K = 8, 500, 5


class SearchOptions(ctypes.Structure):
    _fields_ = [("size", ctypes.c_size_t), ("nprobe", ctypes.c_size_t),
                ("target_recall", ctypes.c_double), ("confidence", ctypes.c_float),
                ("threads", ctypes.c_int32), ("filter", ctypes.c_void_p),
                ("columns", ctypes.c_void_p), ("n_columns", ctypes.c_size_t),
                ("lists", ctypes.c_void_p), ("list_columns", ctypes.c_size_t),
                ("batch_order", ctypes.c_int32), ("explain", ctypes.c_int32)]


PROGRESS = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_uint64,
                            ctypes.c_uint64)


def call(name, *arguments):
    """Calls a function that returns a status. Raises RuntimeError with the library's message."""
    status = getattr(LIBRARY, name)(*arguments)
    if status != 0:
        raise RuntimeError(status, LIBRARY.obliq_last_error().decode())


def floats(values):
    return (ctypes.c_float * len(values))(*values)


def vectors():
    source = random.Random(1)
    return floats([source.gauss(0, 1) for _ in range(N * DIM)])


def build(base):
    index = ctypes.c_void_p()
    call("obliq_index_build", base, ctypes.c_size_t(N), ctypes.c_size_t(DIM), None,
         ctypes.byref(index))
    return index


def search(index, query, options=None):
    distances, ids = (ctypes.c_float * K)(), (ctypes.c_int64 * K)()
    call("obliq_index_search", index, query, ctypes.c_size_t(1), ctypes.c_size_t(DIM),
         ctypes.c_size_t(K), ctypes.byref(options) if options else None, distances, ids)
    return list(distances), list(ids)


class ThroughCtypes(unittest.TestCase):
    def setUp(self):
        self.base = vectors()
        self.index = build(self.base)
        self.addCleanup(LIBRARY.obliq_index_free, self.index)

    def test_finds_a_vector_of_the_base_first(self):
        for row in (0, 17, N - 1):
            query = floats(self.base[row * DIM:(row + 1) * DIM])
            distances, ids = search(self.index, query)
            self.assertEqual(ids[0], row)
            self.assertEqual(distances, sorted(distances))

    def test_saves_and_opens(self):
        query = floats(self.base[:DIM])
        with tempfile.TemporaryDirectory() as folder:
            path = str(pathlib.Path(folder, "a.obliq")).encode()
            call("obliq_index_save", self.index, path)
            opened = ctypes.c_void_p()
            call("obliq_index_open", path, None, ctypes.byref(opened))
            self.assertEqual(search(opened, query), search(self.index, query))
            LIBRARY.obliq_index_free(opened)

    def test_filters_through_options(self):
        options = SearchOptions()
        LIBRARY.obliq_search_options_init(ctypes.byref(options),
                                          ctypes.c_size_t(ctypes.sizeof(options)))
        self.assertAlmostEqual(options.confidence, .964, places=6)
        allowed = array.array("q", [3, 30, 300])
        ids = (ctypes.c_int64 * 3).from_buffer(allowed)
        filter = ctypes.c_void_p()
        call("obliq_filter_allow", ids, ctypes.c_size_t(3), ctypes.byref(filter))
        options.filter = filter
        _, found = search(self.index, floats(self.base[:DIM]), options)
        self.assertEqual(sorted(found), [-1, -1, 3, 30, 300])
        LIBRARY.obliq_filter_free(filter)

    def test_collection_grows_and_shrinks(self):
        class CollectionOptions(ctypes.Structure):
            _fields_ = [("size", ctypes.c_size_t), ("dim", ctypes.c_size_t),
                        ("bytes", ctypes.c_uint8 * 240)]  # more than this version has: zeros
        options = CollectionOptions()
        LIBRARY.obliq_collection_options_init(ctypes.byref(options),
                                              ctypes.c_size_t(ctypes.sizeof(options)))
        options.dim = DIM
        collection, first, count = ctypes.c_void_p(), ctypes.c_int64(), ctypes.c_size_t()
        call("obliq_collection_in_memory", ctypes.byref(options), None, ctypes.byref(collection))
        call("obliq_collection_add_new", collection, self.base, ctypes.c_size_t(N),
             ctypes.c_size_t(DIM), None, ctypes.byref(first))
        call("obliq_collection_remove", collection, ctypes.byref(first), ctypes.c_size_t(1), None)
        call("obliq_collection_count", collection, None, ctypes.byref(count))
        self.assertEqual(count.value, N - 1)
        LIBRARY.obliq_collection_free(collection)

    def test_progress_calls_python_and_stops(self):
        stages = []

        @PROGRESS
        def stop(_user, stage, _done, _total):
            stages.append(stage.decode())
            return 1
        with self.assertRaisesRegex(RuntimeError, "cancelled"):
            call("obliq_index_tune", build_large(), None, ctypes.c_size_t(0), ctypes.c_size_t(0),
                 0, stop, None)
        self.assertEqual(len(stages), 1)

    def test_errors_have_a_message(self):
        with self.assertRaisesRegex(RuntimeError, "dim"):
            call("obliq_index_search", self.index, self.base, ctypes.c_size_t(1),
                 ctypes.c_size_t(DIM - 1), ctypes.c_size_t(K), None, (ctypes.c_float * K)(),
                 (ctypes.c_int64 * K)())
        self.assertRegex(LIBRARY.obliq_version().decode(), r"^\d+\.\d+\.\d+$")


def build_large():
    """An index with vectors enough to be tuned, which lives until the process ends."""
    source = random.Random(2)
    base = floats([source.gauss(0, 1) for _ in range(1200 * DIM)])
    index = ctypes.c_void_p()
    call("obliq_index_build", base, ctypes.c_size_t(1200), ctypes.c_size_t(DIM), None,
         ctypes.byref(index))
    return index


if __name__ == "__main__":
    unittest.main()
