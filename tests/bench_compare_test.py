"""Runs bench/compare.py with a stand-in for the obliq program and no peers."""

import json
import os
import stat
import subprocess
import sys
import tempfile
import unittest

COMPARE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench", "compare.py")

# build writes 1,000 bytes for 100 vectors; eval gives a point for each nprobe, QPS 1000 / nprobe.
STAND_IN = """#!{python}
import json, sys
words = sys.argv[1:]
after = lambda flag: words[words.index(flag) + 1]
if words[0] == "build":
    if after("--quantizer") == "broken":
        sys.exit("obliq: unknown quantizer 'broken'")
    open(after("-o"), "wb").write(bytes(1000))
    print(json.dumps(dict(build_seconds=1.5, n=100, dim=16, nlist=int(after("--nlist")),
                          bytes_per_vector=7.5)))
else:
    for nprobe in map(int, after("--nprobe").split(",")):
        print(json.dumps(dict(method="obliq", mode="batch" if "--batch" in words else "single",
                              nprobe=nprobe, k=10, recall=1 - 0.2 / nprobe, recall_ties=1.0,
                              qps=1000 / nprobe, qps_min=1000 / nprobe, qps_max=1000 / nprobe,
                              p50_us=nprobe, p99_us=nprobe, bytes_per_vector=7.5, threads=1,
                              simd="scalar", repeat=int(after("--repeat")))))
"""


class Compare(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.out = os.path.join(folder.name, "out")
        self.program = os.path.join(folder.name, "obliq")
        with open(self.program, "w", encoding="ascii") as file:
            file.write(STAND_IN.format(python=sys.executable))
        os.chmod(self.program, stat.S_IRWXU)

    def compare(self, *words):
        return subprocess.run(
            [sys.executable, COMPARE, "--obliq", self.program, "--out", self.out, "--peers", "",
             "--data", "set.hdf5", "--nlist", "8", *words],
            capture_output=True, text=True, check=False)

    def test_merges_rounds_and_counts_the_bytes_of_the_file(self):
        done = self.compare("--quantizers", "lm4,sq8", "--nprobe", "1,2,4,99", "--repeats", "3")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(os.path.join(self.out, "results.jsonl"), encoding="utf-8") as file:
            lines = [json.loads(text) for text in file]
        self.assertEqual([line["nprobe"] for line in lines], [1, 2, 4, 8] * 2)
        self.assertEqual({line["method"] for line in lines}, {"obliq lm4", "obliq sq8"})
        self.assertEqual({line["bytes_per_vector"] for line in lines}, {10.0})
        self.assertEqual({line["repeats"] for line in lines}, {3})

    def test_prints_and_writes_the_same_table(self):
        done = self.compare("--quantizers", "lm4", "--nprobe", "1,2", "--modes", "single,batch",
                            "--cache", self.out + "-cache")
        with open(os.path.join(self.out, "table.txt"), encoding="utf-8") as file:
            text = file.read()
        self.assertIn(text, done.stdout)
        self.assertEqual(text.count("obliq lm4"), 2)
        self.assertIn("0.9750", text)  # nprobe = nlist is always there

    def test_fails_with_the_message_of_the_program(self):
        done = self.compare("--quantizers", "broken")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unknown quantizer 'broken'", done.stderr)

    def test_refuses_an_unknown_peer(self):
        done = self.compare("--peers", "nobody")
        self.assertEqual(done.returncode, 1)
        self.assertIn("unknown peer 'nobody'", done.stderr)


if __name__ == "__main__":
    unittest.main()
