"""The comparison of two builds: its statistics, and a whole run with stand-ins for obliq."""

import contextlib
import io
import json
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest
from unittest import mock

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import builds  # noqa: E402
from contestants import Failed  # noqa: E402

# build notes that it ran; eval answers at SPEED / nprobe queries a second and appends to a log.
STAND_IN = """#!{python}
import json, sys
words = sys.argv[1:]
after = lambda flag: words[words.index(flag) + 1]
if words[0] == "build":
    open(after("-o"), "w").write("index")
else:
    open({log!r}, "a").write({name!r})
    for nprobe in map(int, after("--nprobe").split(",")):
        print(json.dumps(dict(nprobe=nprobe, recall={recall}, qps={speed} / nprobe)))
"""

# What CMake needs to make the target that a revision is built for, without a compiler.
CMAKE_LISTS = """cmake_minimum_required(VERSION 3.20)
project(stand_in LANGUAGES NONE)
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/tools)
add_custom_command(OUTPUT tools/obliq
  COMMAND ${CMAKE_COMMAND} -E copy ${CMAKE_SOURCE_DIR}/program tools/obliq)
add_custom_target(program DEPENDS tools/obliq)
"""


def rounds_of(ratios):
    """Rounds of one point at these ratios B/A, while the machine's own speed wanders."""
    return [({"p": {"qps": 100.0 * (number + 1)}}, {"p": {"qps": 100.0 * (number + 1) * ratio}})
            for number, ratio in enumerate(ratios)]


class Statistics(unittest.TestCase):
    def test_takes_the_narrowest_ranks_that_hold_the_median_as_often_as_wanted(self):
        # Conover, Practical Nonparametric Statistics, table A3 (binomial, p = 1/2).
        for count, first, last, level in ((6, 1, 6, .96875), (9, 2, 8, .9609375),
                                          (15, 4, 12, .96484375), (20, 6, 15, .95861053)):
            ranks = builds.interval_ranks(count)
            self.assertEqual(ranks[:2], (first, last))
            self.assertAlmostEqual(ranks[2], level)

    def test_takes_the_extremes_of_too_few_values_and_draws_no_conclusion(self):
        self.assertEqual(builds.interval_ranks(5), (1, 5, 1 - 2 / 32))
        self.assertEqual(builds.interval_ranks(1)[:2], (1, 1))
        self.assertIn("too few rounds: 93.8%", builds.Spread([1.5] * 5).verdict())

    def test_says_what_the_interval_allows(self):
        self.assertEqual(builds.Spread([1.1] * 9).verdict(), "faster")
        self.assertEqual(builds.Spread([.9] * 9).verdict(), "slower")
        mixed = builds.Spread([.5, .97, .99, 1, 1, 1, 1.01, 1.02, 3])
        self.assertEqual((mixed.low, mixed.median, mixed.high), (.97, 1, 1.02))
        self.assertEqual(mixed.verdict(), "no difference seen (less than 3.0 %)")

    def test_pairs_the_two_sides_of_a_round(self):
        points, overall = builds.compare(rounds_of([1.25] * 9))
        for spread in (points["p"], overall):
            for value in (spread.low, spread.median, spread.high):
                self.assertAlmostEqual(value, 1.25)

    def test_means_over_points_within_a_round(self):
        rounds = [({"p": {"qps": 1}, "q": {"qps": 1}}, {"p": {"qps": 2}, "q": {"qps": .5}})] * 9
        points, overall = builds.compare(rounds)
        self.assertEqual((points["p"].verdict(), points["q"].verdict()), ("faster", "slower"))
        self.assertAlmostEqual(overall.median, 1)


class Run(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.log = os.path.join(self.folder, "log")

    def program(self, name, speed, recall=.9):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="ascii") as file:
            file.write(STAND_IN.format(python=sys.executable, log=self.log, name=name,
                                       speed=speed, recall=recall))
        os.chmod(path, stat.S_IRWXU)
        return path

    def compare(self, *words):
        """Exit code, standard output, standard error."""
        kept = os.path.join(self.folder, "kept")
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(builds, "KEPT", kept), \
             mock.patch.object(builds, "centroids_of", lambda data, nlist: "centroids"), \
             contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = builds.main(list(words))
        self.assertEqual(os.listdir(kept), [])  # the indexes are gone
        return code, out.getvalue(), err.getvalue()

    def test_tells_the_faster_and_the_change_of_recall(self):
        code, out, err = self.compare(self.program("a", 1000), self.program("b", 1500, .88),
                                      "--quantizers", "lm4,sq8", "--nprobe", "2,8", "--rounds", "6")
        self.assertEqual(code, 0, err)
        lines = out.splitlines()
        self.assertEqual(len(lines), 1 + 4 + 1)
        self.assertIn("lm4 nprobe 8", lines[2])
        self.assertIn(" 1.500  1.500 to 1.500  faster, recall -0.0200", lines[2])
        self.assertIn("1.500 to 1.500  faster", lines[-1])
        with open(self.log, encoding="ascii") as file:  # two quantizers a side, sides in turn
            self.assertEqual(file.read(), "aabbbbaa" * 3)

    def test_writes_json_lines(self):
        a = self.program("a", 1000)
        _, out, _ = self.compare(a, a, "--rounds", "6", "--json", "--nprobe", "1")
        lines = [json.loads(text) for text in out.splitlines()]
        self.assertEqual([line.get("quantizer") for line in lines], ["sq8", "lm4", None])
        self.assertEqual({line["ratio"] for line in lines}, {1.0})
        self.assertEqual(lines[0]["verdict"], "no difference seen (less than 0.0 %)")
        self.assertEqual(lines[-1]["rounds"], 6)

    def test_refuses_what_is_neither_a_program_nor_a_revision(self):
        code, _, err = self.compare(self.program("a", 1), "no-such-thing")
        self.assertEqual(code, 1)
        self.assertIn("'no-such-thing' is neither a program nor a git revision", err)


@unittest.skipUnless(shutil.which("git") and shutil.which("ninja"), "needs git and ninja")
class Revision(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = os.path.join(folder.name, "tree")
        self.kept = os.path.join(folder.name, "kept")
        os.mkdir(self.tree)
        patched = mock.patch.object(builds, "ROOT", self.tree)
        patched.start()
        self.addCleanup(patched.stop)
        self.git("init", "--quiet")

    def git(self, *words):
        done = subprocess.run(["git", "-C", self.tree, "-c", "user.name=n", "-c", "user.email=e",
                               *words], capture_output=True, text=True, check=True)
        return done.stdout

    def commit(self, lists, program):
        for name, text in (("CMakeLists.txt", lists), ("program", program)):
            with open(os.path.join(self.tree, name), "w", encoding="ascii") as file:
                file.write(text)
        self.git("add", ".")
        self.git("commit", "--quiet", "-m", "commit")

    def program_of(self, revision):
        with contextlib.redirect_stderr(io.StringIO()):
            return builds.program_of(revision, self.kept)

    def test_is_built_once_and_leaves_nothing_in_the_tree(self):
        self.commit(CMAKE_LISTS, "first")
        self.commit(CMAKE_LISTS, "second")
        for revision, text in (("HEAD~1", "first"), ("HEAD", "second"), ("HEAD~1", "first")):
            with open(self.program_of(revision), encoding="ascii") as file:
                self.assertEqual(file.read(), text)
        self.assertEqual(len(os.listdir(self.kept)), 2)
        self.assertEqual(self.git("status", "--porcelain"), "")
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)

    def test_that_does_not_build_is_told_with_its_log(self):
        self.commit("message(FATAL_ERROR broken)", "none")
        with self.assertRaisesRegex(Failed, "see .*build.log"):
            self.program_of("HEAD")
        self.assertEqual(len(self.git("worktree", "list").splitlines()), 1)


if __name__ == "__main__":
    unittest.main()
