"""The table of data sets, with a stand-in for the obliq program."""

import contextlib
import os
import stat
import sys
import tempfile
import unittest

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "bench"))
import sets  # noqa: E402
from contestants import Failed  # noqa: E402

# Writes its arguments into the output, or fails without a file.
STAND_IN = """#!{python}
import os, sys
path = sys.argv[sys.argv.index("-o") + 1]
if "full" in path:
    sys.exit(1)
open(path, "a").write(" ".join(sys.argv[1:]) + chr(10))
"""


class Sets(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = os.path.join(folder.name, "sets")
        self.obliq = os.path.join(folder.name, "obliq")
        with open(self.obliq, "w", encoding="ascii") as file:
            file.write(STAND_IN.format(python=sys.executable))
        os.chmod(self.obliq, stat.S_IRWXU)

    def path_of(self, name, folder=None):
        with open(os.devnull, "w", encoding="ascii") as quiet, contextlib.redirect_stderr(quiet):
            return sets.path_of(name, folder or self.folder, self.obliq)

    def test_makes_a_generated_set_once(self):
        path = self.path_of("generated-128-l2")
        self.assertEqual(self.path_of("generated-128-l2"), path)
        with open(path, encoding="ascii") as file:
            calls = file.readlines()
        self.assertEqual(len(calls), 1)
        self.assertTrue(calls[0].startswith("generate clustered --n 1000000 "), calls[0])
        for words in ("--dim 128", "--metric l2", "--seed 7", "--query-shift 0.5"):
            self.assertIn(words, calls[0])

    def test_tells_when_a_set_could_not_be_made(self):
        with self.assertRaisesRegex(Failed, "exit 1"):
            self.path_of("generated-1536-ip", self.folder + "-full")
        with self.assertRaisesRegex(Failed, "cannot run"):
            self.obliq += "-missing"
            self.path_of("generated-1536-ip")

    def test_finds_the_sample_in_the_repository_and_takes_any_file(self):
        self.assertTrue(os.path.samefile(
            self.path_of("sample"),
            os.path.join(ROOT, "datasets", "sample", "sample-384-angular.hdf5")))
        self.assertEqual(self.path_of(self.obliq), self.obliq)

    def test_says_how_to_get_what_it_cannot_make(self):
        with self.assertRaisesRegex(Failed, r"make_sentences\.py --out .*sentences-384"):
            self.path_of("sentences")
        with self.assertRaisesRegex(Failed, "neither a file nor a set: sample, sentences"):
            self.path_of("sift")

    def test_knows_how_many_lists_a_set_is_searched_by(self):
        self.assertEqual([sets.nlist_of(name) for name in sets.SETS], [128, 1536, 4096, 4096, 4096])
        self.assertIsNone(sets.nlist_of(self.obliq))


if __name__ == "__main__":
    unittest.main()
