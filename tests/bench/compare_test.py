"""Runs bench/compare.py with a stand-in for the runners: no library, no data."""

import argparse
import contextlib
import importlib.util
import io
import os
import sys
import tempfile
import unittest
from unittest import mock

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
sys.path.insert(0, BENCH)
import compare  # noqa: E402
from registry import LIBRARIES, Library  # noqa: E402
from results import read_results  # noqa: E402

# Builds 1,000 bytes; surveys two points; times with QPS 10000 / k / nprobe. Spec "broken" fails to
# build, "crash" dies of a signal when timed.
STAND_IN = """
import json, os, signal, sys
words = sys.argv[1:]
after = lambda flag: words[words.index(flag) + 1]
if words[0] == "describe":
    print(json.dumps({"specs": ["lm4", "broken"], "versions": {"stand-in": "1"}}))
    sys.exit()
spec = after("--spec")
if words[0] == "build":
    if spec == "broken":
        sys.exit("no such spec 'broken'")
    print(json.dumps({"method": "obliq " + spec, "path": "x", "bytes": 1000, "build_seconds": 1.5,
                      "build_threads": 2}))
elif words[0] == "survey":
    for nprobe in (1, 8):
        print(json.dumps({"params": {"nprobe": nprobe}, "recall": 1 - 0.2 / nprobe,
                          "recall_ties": 1.0, "seconds": 3.0 * nprobe, "rss_bytes": 2000,
                          "call_overhead_us": 1.0}))
else:
    if spec == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    for text in sys.stdin:
        params = json.loads(text)["params"]
        qps = 10000 / int(after("--k")) / params["nprobe"]
        print(json.dumps({"params": params, "qps": qps}))
"""


def describe_set(options):
    options.n, options.dim, options.metric, options.checksum = 100, 16, "l2", "0"
    options.data, options.nlist, options.commit = "set.hdf5", 8, "abc"


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = os.path.join(folder.name, "out")
        script = os.path.join(folder.name, "stand_in")
        with open(script + ".py", "w", encoding="ascii") as file:
            file.write(STAND_IN)
        libraries = {"obliq": Library((script,), (), {})}
        self.script = script
        for patch in (mock.patch.object(compare, "describe_set", describe_set),
                      mock.patch.object(compare, "train_centroids", lambda options: "none"),
                      mock.patch.dict(LIBRARIES, libraries, clear=True)):
            patch.start()
            self.addCleanup(patch.stop)

    def compare(self, *words):
        """(exit status, stdout, stderr)."""
        out, err = io.StringIO(), io.StringIO()
        with mock.patch.object(sys, "argv", ["compare.py", "--out", self.out, *words]), \
                contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = compare.main()
        return status, out.getvalue(), err.getvalue()

    def results(self):
        return read_results(os.path.join(self.out, "results.jsonl"))

    def test_merges_rounds_and_counts_the_bytes_of_the_file(self):
        status, _, err = self.compare("--repeats", "3", "--modes", "single:1")
        self.assertEqual(status, 0, err)
        run, points = self.results()
        self.assertEqual([point["params"]["nprobe"] for point in points], [1, 8])
        self.assertEqual({point["bytes_per_vector"] for point in points}, {10.0})
        self.assertEqual({point["rss_per_vector"] for point in points}, {20.0})
        self.assertEqual([point["qps"] for point in points], [1000, 125])
        self.assertEqual({point["repeats"] for point in points}, {3})
        self.assertEqual(run["versions"], {"stand-in": "1"})

    def test_measures_every_k_of_one_build(self):
        _, out, err = self.compare("--k", "10,100", "--modes", "single:1", "--repeats", "2")
        run, points = self.results()
        self.assertEqual(run["k"], [10, 100])
        self.assertEqual([(point["k"], point["params"]["nprobe"], point["qps"], point["repeats"])
                          for point in points],
                         [(10, 1, 1000, 2), (10, 8, 125, 2), (100, 1, 100, 2), (100, 8, 12.5, 2)])
        self.assertIn("### One query per call, 1 thread, recall@100", out)
        self.assertIn("@10, 0.9750 @100", err)
        if importlib.util.find_spec("matplotlib"):
            for name in ("chart-single-1-k10", "bytes-single-1-k100"):
                self.assertTrue(os.path.exists(os.path.join(self.out, name + ".png")), name)

    def test_refuses_what_is_no_list_of_ks(self):
        for text in ("ten", "10,", "0", "-1"):
            with self.subTest(text), self.assertRaises(SystemExit):
                self.compare("--k", text)

    def test_leaves_out_who_fails_and_says_why(self):
        status, _, err = self.compare("--methods", *(f"{self.script}:{spec}"
                                                     for spec in ("broken", "crash", "sq8")),
                                      "--modes", "single:1")
        self.assertEqual(status, 0)
        self.assertIn("no such spec 'broken'", err)
        run, points = self.results()
        self.assertEqual({point["method"] for point in points}, {"obliq sq8"})
        self.assertEqual(len(run["left_out"]), 2)
        self.assertIn("signal 11", " ".join(run["left_out"].values()))

    def test_does_not_time_a_batch_that_would_take_too_long(self):
        self.compare("--modes", "batch:1", "--longest-batch", "10", "--build-threads", "2")
        points = self.results()[1]
        self.assertEqual([point["qps"] for point in points], [1000, None])

    def test_prints_and_writes_the_same_table(self):
        _, out, _ = self.compare("--modes", "single:1,batch:1")
        with open(os.path.join(self.out, "table.md"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn(text, out)
        self.assertIn("### All queries in one call, 1 thread", text)

    def test_fails_when_nobody_takes_part(self):
        status, _, err = self.compare("--methods", self.script + ":broken")
        self.assertEqual(status, 1)
        self.assertIn("nobody takes part", err)

    def test_refuses_an_unknown_runner(self):
        with self.assertRaises(SystemExit):
            self.compare("--methods", "faiss:SQ8")

    def test_fails_when_a_library_changes_under_way(self):
        versions = iter([{"stand-in": "1"}, {"stand-in": "2"}])
        describe = mock.Mock(side_effect=lambda: {"specs": ["lm4"], "versions": next(versions)})
        with mock.patch.object(compare.Runner, "describe", describe):
            status, _, err = self.compare("--modes", "single:1")
        self.assertEqual(status, 1)
        self.assertIn("stand-in changed from 1 to 2", err)

    def test_says_of_a_peer_that_cannot_be_made_why(self):
        with mock.patch.dict(compare.NOT_MADE, {"ghost": "nobody sells it"}, clear=True):
            self.compare("--modes", "single:1")
            run, _ = self.results()
            self.assertEqual(run["left_out"]["ghost"], "nobody sells it")
            status, _, err = self.compare("--peers", "ghost")
        self.assertEqual(status, 1)
        self.assertIn("ghost cannot take part: nobody sells it", err)

    def test_refuses_an_unknown_peer(self):
        status, _, err = self.compare("--peers", "nobody")
        self.assertEqual(status, 1)
        self.assertIn("unknown peer 'nobody'", err)


class Modes(unittest.TestCase):
    def test_are_pairs_without_repetition(self):
        every = os.cpu_count()
        self.assertEqual(compare.parse_modes("single,batch:1,batch:all,batch:1"),
                         list(dict.fromkeys([("single", 1), ("batch", 1), ("batch", every)])))

    def test_refuse_what_they_do_not_know(self):
        for text in ("double:1", "", "batch:many"):
            with self.subTest(text), self.assertRaises(argparse.ArgumentTypeError) as caught:
                compare.parse_modes(text)
            self.assertIn("single:N", str(caught.exception))


class Order(unittest.TestCase):
    def test_puts_a_method_of_one_library_after_one_of_another(self):
        def contestant(script, spec):
            runner = compare.Runner("python", script, None)
            return compare.Contestant(runner, spec)

        entered = [contestant(*words) for words in ("a1", "a2", "a3", "b1", "b2", "c1")]
        order = ["".join((c.runner.script, c.spec)) for c in compare.interleaved(entered)]
        self.assertEqual(order, ["a1", "b1", "c1", "a2", "b2", "a3"])


if __name__ == "__main__":
    unittest.main()
