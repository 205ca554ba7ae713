"""Indexes made in parts: obliq.Model, obliq.merge, and searches over segments."""

import copy
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import time
from typing import Any, Callable, Iterable, List, Tuple

import numpy as np
import pytest
from numpy.typing import NDArray

import obliq

RNG = np.random.default_rng(1)
CENTRES = 2 * RNG.normal(size=(40, 16))
BASE = (CENTRES[RNG.integers(40, size=1500)] + RNG.normal(size=(1500, 16))).astype(np.float32)
QUERIES = BASE[::50] + np.float32(.2)
IDS = np.arange(1500) * 7919 % 1500 * 1_000_003 - 500_000_000
CUTS = [(0, 700), (700, 701), (701, 1500)]


def encode(model: obliq.Model, folder: pathlib.Path, ids: Any = None,
           cuts: Iterable[Tuple[int, int]] = CUTS) -> List[pathlib.Path]:
    """The base in parts, as files."""
    files = []
    for begin, end in cuts:
        files.append(folder / f"part{begin}")
        where: Any = dict(first=begin) if ids is None else dict(ids=ids[begin:end])
        model.encode(BASE[begin:end], files[-1], **where)
    return files


class Parts:
    """A model with three segments, and the index that one build writes."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.model = obliq.Model.train(BASE, nlist=30)
        self.segments = encode(self.model, folder)
        self.whole = obliq.Index.build(BASE, nlist=30, path=folder / "whole")
        self.bytes = (folder / "whole").read_bytes()


@pytest.fixture(scope="module")
def parts(tmp_path_factory: pytest.TempPathFactory) -> Parts:
    return Parts(tmp_path_factory.mktemp("parts"))


@pytest.mark.parametrize("given", [False, True], ids=["positions", "ids"])
@pytest.mark.parametrize("options", [
    dict(metric="l2"), dict(metric="ip", preset="small", spill=1),
    dict(metric="cosine", raw="fp16"), dict(metric="cosine", quantizer="tqp4", tune=False),
    dict(metric="ip", quantizer="lm4:query", train_queries=QUERIES, kmeans_points=10),
], ids=str)
def test_parts_merge_to_the_file_of_one_build(options: Any, given: bool,
                                              tmp_path: pathlib.Path) -> None:
    ids = IDS if given else None
    tune = options.get("tune", True)
    obliq.Index.build(BASE, nlist=30, ids=ids, path=tmp_path / "whole", **options)
    learnt = {name: value for name, value in options.items() if name != "tune"}
    model = obliq.Model.train(BASE, nlist=30, ids=ids, **learnt)
    files = encode(model, tmp_path, ids)
    obliq.merge(model, files[::-1], tmp_path / "merged", tune=tune)
    assert (tmp_path / "merged").read_bytes() == (tmp_path / "whole").read_bytes()
    merged = obliq.Index.open(tmp_path / "merged", verify=True)
    assert merged.stats().model_id == model.id and merged.stats().segments == 1
    assert (merged.stats().tuning is not None) == tune


def test_a_saved_model_encodes_as_the_trained_one(parts: Parts, tmp_path: pathlib.Path) -> None:
    parts.model.save(tmp_path / "model")
    models = [obliq.Model.open(tmp_path / "model"),
              obliq.Model.open(str(tmp_path / "model"), in_memory=True, verify=True),
              pickle.loads(pickle.dumps(parts.model)), copy.deepcopy(parts.model)]
    for model in models:
        assert model.stats() == parts.model.stats()
        model.encode(BASE[:700], tmp_path / "part")
        assert (tmp_path / "part").read_bytes() == parts.segments[0].read_bytes()
    for data in (b"", parts.model.to_bytes()[:-1]):
        with pytest.raises(RuntimeError, match="the bytes"):
            obliq.Model.from_bytes(data)


def test_segments_merge_in_steps_and_by_ranges_of_lists(parts: Parts,
                                                        tmp_path: pathlib.Path) -> None:
    model, files = parts.model, parts.segments
    obliq.merge(model, files[:2], tmp_path / "two", segment=True)
    obliq.merge(model, [files[2], tmp_path / "two"], tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == parts.bytes
    ranges = []
    for lists in ((11, 30), (0, 11)):
        ranges.append(tmp_path / f"lists{lists[0]}")
        obliq.merge(model, files, ranges[-1], lists=lists)
    obliq.merge(model, ranges, tmp_path / "merged")
    assert (tmp_path / "merged").read_bytes() == parts.bytes


@pytest.mark.parametrize("source", [
    lambda part, folder: part.astype(np.float64), lambda part, folder: np.asfortranarray(part),
    lambda part, folder: part.tolist(), lambda part, folder: part[::-1].copy()[::-1],
    lambda part, folder: mapped(part, folder), lambda part, folder: dataset(part, folder),
], ids=["float64", "columns", "lists", "backwards", "mapped", "h5py"])
def test_vectors_are_taken_as_build_takes_them(parts: Parts, tmp_path: pathlib.Path,
                                               source: Callable[..., Any]) -> None:
    parts.model.encode(source(BASE[:700], tmp_path), tmp_path / "part")
    assert (tmp_path / "part").read_bytes() == parts.segments[0].read_bytes()
    model = obliq.Model.train(source(BASE, tmp_path), nlist=30)
    assert model.id == parts.model.id


def mapped(part: NDArray[np.float32], folder: pathlib.Path) -> Any:
    np.save(folder / "part.npy", part)
    return np.load(folder / "part.npy", mmap_mode="r")


def dataset(part: NDArray[np.float32], folder: pathlib.Path) -> Any:
    h5py = pytest.importorskip("h5py")
    file = h5py.File(folder / "part.hdf5", "w")
    file["train"] = part
    return file["train"]


def least_memory(model: obliq.Model, folder: pathlib.Path) -> int:
    """With which the base is encoded in two runs, or more."""
    with pytest.raises(ValueError, match="too little") as raised:
        model.encode(BASE, folder / "refused", max_memory=1)
    return int(str(raised.value).split("allow ")[1].split()[0])


def test_bounded_memory_and_one_thread_change_no_byte(parts: Parts, tmp_path: pathlib.Path) -> None:
    parts.model.encode(BASE, tmp_path / "a")
    parts.model.encode(BASE, tmp_path / "b", threads=1,
                       max_memory=least_memory(parts.model, tmp_path))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert sorted(os.listdir(tmp_path)) == ["a", "b"]


def test_segments_answer_as_their_merge(parts: Parts) -> None:
    together = obliq.Index.open(parts.model, parts.segments)
    in_memory = obliq.Index.open(parts.model, (str(file) for file in parts.segments),
                                 in_memory=True, verify=True)
    for index in (together, in_memory):
        assert len(index) == 1500 and index.stats().segments == 3
        assert index.stats().model_id == parts.model.id and index.stats().tuning is None
        found = index.search(QUERIES, nprobe=30, confidence=1)
        expected = parts.whole.search(QUERIES, nprobe=30, confidence=1)
        np.testing.assert_array_equal(found.ids, expected.ids)
        np.testing.assert_array_equal(found.distances, expected.distances)
        np.testing.assert_array_equal(index[[3, 700, 1400]], parts.whole[[3, 700, 1400]])
    with pytest.raises(ValueError, match="3 segments is not saved to one file: merge them"):
        together.save("never")
    assert len(obliq.Index.open(parts.model, [])) == 0


def test_a_search_of_given_lists_is_that_of_routing(parts: Parts) -> None:
    lists = parts.model.route(QUERIES, 5)
    assert lists.dtype == np.uint32 and lists.shape == (30, 5)
    np.testing.assert_array_equal(parts.model.route(QUERIES[3], 5, threads=1), lists[3])
    assert parts.model.route(QUERIES[0], 99).shape == (30,)
    expected = parts.whole.search(QUERIES, nprobe=5)
    wide = np.concatenate([np.full((30, 1), -1), lists, np.full((30, 2), -1)], axis=1)
    for given in (lists, wide, lists.astype(np.uint64), lists.tolist()):
        np.testing.assert_array_equal(parts.whole.search(QUERIES, lists=given).ids, expected.ids)
    for given in (lists[3], lists[3:4], [-1, *lists[3]]):
        np.testing.assert_array_equal(parts.whole.search(QUERIES[3], lists=given).ids,
                                      expected.ids[3])
    none = parts.whole.search(QUERIES[:2], lists=[[-1], [4294967295]])
    assert (none.ids == -1).all() and np.isinf(none.distances).all()


def test_a_long_batch_of_given_lists_names_its_rows(parts: Parts) -> None:
    queries = np.tile(QUERIES, (600, 1))
    lists = parts.model.route(queries, 2)
    np.testing.assert_array_equal(lists, np.tile(parts.model.route(QUERIES, 2), (600, 1)))
    found = parts.whole.search(queries, lists=lists)
    np.testing.assert_array_equal(found.ids, parts.whole.search(queries, nprobe=2).ids)
    lists[17_000] = 30
    with pytest.raises(ValueError, match="list 30 of query 17000"):
        parts.whole.search(queries, lists=lists)
    queries[17_003, 2] = np.nan
    with pytest.raises(ValueError, match="query 17003 "):
        parts.model.route(queries, 2)


def test_a_sample_with_its_ids_makes_the_same_model(parts: Parts) -> None:
    size = obliq.sample_size(1500, nlist=30, kmeans_points=20)
    assert size == 600 and obliq.sample_size(10, centroids=BASE[:4]) == 10
    keys = obliq.sample_key(3, np.arange(1500))
    assert keys.dtype == np.uint64 and int(keys[7]) == obliq.sample_key(3, 7)
    assert obliq.sample_key(3, [[1, 2], [3, 4]]).shape == (2, 2)
    chosen = np.argsort(keys)[:size + 50][::-1]  # more, in any order
    sample = obliq.Model.train(BASE[chosen], ids=chosen, n=1500, nlist=30, kmeans_points=20, seed=3)
    base = obliq.Model.train(BASE, nlist=30, kmeans_points=20, seed=3)
    assert sample.stats() == base.stats() and base.id != parts.model.id
    assert base.stats().n == 1500 and base.stats().seed == 3 and base.stats().learn_queries == 30


def test_deleted_ids_and_duplicates(parts: Parts, tmp_path: pathlib.Path) -> None:
    model, files = parts.model, parts.segments
    obliq.merge(model, files, tmp_path / "merged", deleted=[[3, 700], [10 ** 9, 3]])
    merged = obliq.Index.open(tmp_path / "merged")
    assert len(merged) == 1498 and 3 not in merged and 700 not in merged and 4 in merged
    model.encode(BASE[:1] + 1, tmp_path / "other", first=4)
    both = [*files, tmp_path / "other"]
    with pytest.raises(ValueError, match="the id 4 is in .*part0 and in .*other: .* duplicates"):
        obliq.merge(model, both, tmp_path / "refused")
    obliq.merge(model, both, tmp_path / "merged", duplicates="last")
    last = obliq.Index.open(tmp_path / "merged")
    assert np.linalg.norm(last[4] - BASE[0] - 1) < .1 < np.linalg.norm(parts.whole[4] - BASE[0] - 1)
    assert not (tmp_path / "refused").exists()


def test_a_merge_without_truth_is_not_tuned(parts: Parts, tmp_path: pathlib.Path) -> None:
    parts.model.encode(BASE, tmp_path / "part", truth=False)
    obliq.merge(parts.model, [tmp_path / "part"], tmp_path / "merged")
    assert obliq.Index.open(tmp_path / "merged").stats().tuning is None
    # The model of an index has no learn queries to keep truth for.
    model = obliq.Model.open(tmp_path / "merged")
    assert model.id == parts.model.id and model.stats().learn_queries == 0
    model.encode(BASE, tmp_path / "same")
    assert (tmp_path / "same").read_bytes() == (tmp_path / "part").read_bytes()


def test_segments_of_another_model_are_refused_naming_both(parts: Parts,
                                                           tmp_path: pathlib.Path) -> None:
    other = obliq.Model.train(BASE, nlist=30, seed=2)
    for call in (lambda: obliq.merge(other, parts.segments, tmp_path / "refused"),
                 lambda: obliq.Index.open(other, parts.segments)):
        with pytest.raises(ValueError, match=f"(?s)(?=.*{parts.model.id:016x}).*{other.id:016x}"):
            call()
    assert not list(tmp_path.iterdir())


OUT = "refused"
merge: Any = obliq.merge  # what types would refuse too
MODEL: Any = obliq.Model
Call = Callable[[Parts], Any]


@pytest.mark.parametrize("call, error, words", [
    (lambda p: p.model.encode(BASE, OUT, IDS, first=0), ValueError, "first is 0, .* leave first"),
    (lambda p: p.model.encode(BASE, OUT, first=-1), ValueError, "first must be 0 or more, not -1"),
    (lambda p: p.model.encode(BASE, OUT, first=1 << 33), ValueError, "too many for one index"),
    (lambda p: p.model.encode(BASE[:, :5], OUT), ValueError, "dim 5, the model has 16"),
    (lambda p: p.model.encode(BASE, OUT, IDS[:5]), ValueError, "one for each of 1500 vectors"),
    (lambda p: p.model.encode(BASE[:2], OUT, [5, 5]), ValueError, "both have the id 5"),
    (lambda p: p.model.encode(BASE[:1], OUT, [-1]), ValueError, "row 0 has the id -1"),
    (lambda p: p.model.encode(BASE * np.nan, OUT), ValueError, "vector 0 holds NaN"),
    (lambda p: p.model.encode(BASE, OUT, truth=1), TypeError, "truth must be True or False, not 1"),
    (lambda p: p.model.encode(BASE, OUT, max_memory=9), ValueError, "max_memory of 9 bytes is too"),
    (lambda p: p.model.encode(BASE, OUT, progress=5), TypeError, "progress must be a function"),
    (lambda p: p.model.encode(BASE, ""), ValueError, "path is ''"),
    (lambda p: p.model.encode(BASE.astype(int), OUT), TypeError, "not int64"),
    (lambda p: p.model.route(QUERIES, 0), ValueError, "nprobe must be 1 or more"),
    (lambda p: p.model.route(QUERIES[:, :3], 1), ValueError, "dim 3, the model has 16"),
    (lambda p: obliq.Model.train(BASE, n=5), ValueError, "n is 5, fewer than the 1500"),
    (lambda p: obliq.Model.train(BASE, n=0), ValueError, "n must be 1 or more, not 0"),
    (lambda p: obliq.Model.train(BASE, kmeans_points=0), ValueError, "kmeans_points must be 1"),
    (lambda p: obliq.Model.train(BASE, quantizer="pq8"), ValueError, "pq8"),
    (lambda p: obliq.Model.open("missing"), FileNotFoundError, "missing"),
    (lambda p: obliq.Model.open(p.segments[0]), ValueError, "name one that train wrote"),
    (lambda p: MODEL.from_bytes("my.model"), TypeError, r"Model.open\(path\)"),
    (lambda p: obliq.Model(), TypeError, r"Model.train\(vectors\)"),
    (lambda p: obliq.Index.open(p.model), TypeError, r"Index.open\(model, \[path\]\)"),
    (lambda p: obliq.Index.open("a", p.segments), TypeError, "model must be an obliq.Model"),
    (lambda p: obliq.Index.open(p.model, "a"), TypeError, r"segments must be a list of paths"),
    (lambda p: obliq.Index.open(p.model, ["missing"]), FileNotFoundError, "missing"),
    (lambda p: obliq.Index.open(p.segments[0]), ValueError, "."),
    (lambda p: merge("model", p.segments, OUT), TypeError, "obliq.Model.* not 'model'"),
    (lambda p: merge(p.model, p.segments[0], OUT), TypeError, "must be a list of paths"),
    (lambda p: merge(p.model, [5], OUT), TypeError, "path must be str"),
    (lambda p: merge(p.model, p.segments, OUT, lists=(0, 0)), ValueError, "lists 0 to 0 are"),
    (lambda p: merge(p.model, p.segments, OUT, lists=(5, 2)), ValueError, "lists 5 to 2 are"),
    (lambda p: merge(p.model, p.segments, OUT, lists=(0, 31)), ValueError, "are 0:30"),
    (lambda p: merge(p.model, p.segments, OUT, lists=(-1, 3)), ValueError, "not -1"),
    (lambda p: merge(p.model, p.segments, OUT, lists=(0, 1 << 32)), ValueError, "or less"),
    (lambda p: merge(p.model, p.segments, OUT, lists="0:5"), TypeError, "not '0:5'"),
    (lambda p: merge(p.model, p.segments, OUT, duplicates="first"), ValueError,
     "unknown duplicates 'first'; valid: error, last"),
    (lambda p: merge(p.model, p.segments, OUT, deleted=[.5]), ValueError, "deleted must be"),
    (lambda p: merge(p.model, p.segments, OUT, max_memory=9), ValueError, "too little to m"),
    (lambda p: merge(p.model, p.segments, OUT, tune=None), TypeError, "tune must be True or"),
    (lambda p: p.whole.search(QUERIES[:2], lists=[[30], [0]]), ValueError, "list 30 of query 0"),
    (lambda p: p.whole.search(QUERIES[:2], lists=[[1, 2], [7, 7]]), ValueError, "names list 7 tw"),
    (lambda p: p.whole.search(QUERIES[:2], lists=[[-2], [0]]), ValueError, "lists hold -2"),
    (lambda p: p.whole.search(QUERIES[:2], lists=[[1 << 32], [0]]), ValueError, "hold 4294967296"),
    (lambda p: p.whole.search(QUERIES[:2], lists=[1, 2]), ValueError, r"\[2\]\[any number\], a ro"),
    (lambda p: p.whole.search(QUERIES[:2], lists=[[1]]), ValueError, r"not of shape \[1, 1\]"),
    (lambda p: p.whole.search(QUERIES[:2], lists=np.empty((2, 0), int)), ValueError, "lists name"),
    (lambda p: p.whole.search(QUERIES[0], lists=[1.5]), ValueError, "lists must be whole numbers"),
    (lambda p: p.whole.search(QUERIES[0], lists=[1], nprobe=2), ValueError, "leave nprobe and tar"),
    (lambda p: obliq.sample_size(-1), ValueError, "n must be 0 or more"),
    (lambda p: obliq.sample_key(-1, 3), ValueError, "seed must be 0 or more"),
    (lambda p: obliq.sample_key(1, [.5]), ValueError, "ids must be whole numbers"),
])
def test_what_is_refused_is_named_and_leaves_no_file(parts: Parts, call: Call,
                                                     error: type[Exception], words: str,
                                                     tmp_path: pathlib.Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(error, match=words) as raised:
        call(parts)
    text = str(raised.value)
    assert "\n" not in text and "incompatible function arguments" not in text, text
    assert not list(tmp_path.iterdir())


def result(distances: Any, ids: Any) -> obliq.SearchResult:
    return obliq.SearchResult(np.asarray(distances, np.float32), np.asarray(ids))


def test_answers_of_parts_are_joined(parts: Parts, tmp_path: pathlib.Path) -> None:
    found = [obliq.Index.open(parts.model, [file]).search(QUERIES, 10, nprobe=30, confidence=1)
             for file in parts.segments]
    expected = parts.whole.search(QUERIES, 10, nprobe=30, confidence=1)
    joined = obliq.merge_topk(found, 10)
    np.testing.assert_array_equal(joined.ids, expected.ids)
    np.testing.assert_array_equal(joined.distances, expected.distances)
    one = obliq.merge_topk([result([1, 2, np.inf], [9, 4, -1]), result([1, 2], [7, 4])], 4)
    assert one.ids.tolist() == [7, 9, 4, -1] and one.distances.tolist() == [1, 1, 2, np.inf]


@pytest.mark.parametrize("given, k, error, words", [
    ([], 5, ValueError, "parts must be answers"), ([result([1], [2])], 0, ValueError, "k must be"),
    (result([[1], [2]], [[2], [3]]), 1, TypeError, "parts must be a list of what searches gave"),
    ([np.zeros((2, 3))], 1, TypeError, "must be pairs"), (5, 1, TypeError, "not 5"),
    ([result([1], [2]), result([[1]], [[2]])], 1, ValueError, r"not 2 of \[1, 2\] axes"),
    ([result([1, 2], [2])], 1, ValueError, r"of one shape, .* not \[2\] and \[1\]"),
    ([result([[1]], [[2]]), result([[1], [2]], [[2], [3]])], 1, ValueError, "to 1 and to 2 q"),
    ([result([1, np.nan], [2, 3])], 1, ValueError, "NaN to query 0"),
    ([result([1], [2])], 1 << 40, MemoryError, "no memory holds"),
])
def test_what_are_no_parts_is_refused(given: Any, k: int, error: type[Exception],
                                      words: str) -> None:
    with pytest.raises(error, match=words):
        obliq.merge_topk(given, k)


#: Encodes forty million vectors, which take no memory: minutes.
ENDLESS = """
import os, signal, sys, threading
import numpy as np, obliq
base = np.random.default_rng(1).normal(size=(1000, 64)).astype(np.float32)
model = obliq.Model.train(base, nlist=100)
many = np.broadcast_to(base[:1], (40_000_000, 64))
{signal}
try:
    model.encode(many, sys.argv[1], threads=1, max_memory=200_000_000)
except KeyboardInterrupt:
    print('stopped')
"""


def test_ctrl_c_stops_encoding_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    code = ENDLESS.format(
        signal="threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "part")], capture_output=True,
                          text=True, timeout=300, check=True)
    assert done.stdout.strip() == "stopped" and not list(tmp_path.iterdir())


def test_encoding_that_is_killed_leaves_no_segment(parts: Parts, tmp_path: pathlib.Path) -> None:
    """At most a temporary folder, which the next that needs one there removes."""
    code = ENDLESS.format(signal="print('begins', flush=True)")
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "part")],
                          stdout=subprocess.PIPE) as process:
        assert process.stdout is not None and process.stdout.readline() == b"begins\n"
        time.sleep(.5)
        process.send_signal(signal.SIGKILL)
    assert process.returncode == -signal.SIGKILL
    assert all(name.startswith("obliq-folder-") for name in os.listdir(tmp_path))
    parts.model.encode(BASE, tmp_path / "other", max_memory=least_memory(parts.model, tmp_path))
    assert os.listdir(tmp_path) == ["other"]
