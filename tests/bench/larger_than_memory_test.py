"""Tests of bench/larger_than_memory.py: time limits, and how missed targets are told."""

import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import contestants  # noqa: E402
import larger_than_memory  # noqa: E402

SLEEPER = [sys.executable, "-c", "input()"]


def told(recall, chosen):
    """What one search tells."""
    measured = {"queries": 8, "qps": 5.0, "p50_ms": 1.0, "p99_ms": 2.0, "recall": recall,
                "kb_read": 9.0}
    return {"method": "a method", "threads": 1, "file_mb": 10.0, "params": {}, "limit_mb": 3.0,
            "chosen_recall": chosen, "open_seconds": 1.0, "cold": measured, "warm": measured}


class TimeLimitTest(unittest.TestCase):
    def test_stops_a_program_that_takes_too_long(self):
        with self.assertRaisesRegex(contestants.Failed, "stopped after 0.1 s"):
            contestants.run_program([sys.executable, "-c", "import time; time.sleep(60)"],
                                    longest=0.1)

    def test_kills_a_search_that_takes_too_long(self):
        with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) as process, \
                larger_than_memory.time_limit(process, 0.1) as late:
            process.wait()
        self.assertTrue(late.is_set())
        self.assertLess(process.returncode, 0)

    def test_leaves_one_in_time_alone(self):
        with subprocess.Popen(SLEEPER, stdin=subprocess.PIPE) as process, \
                larger_than_memory.time_limit(process, 60) as late:
            process.communicate(b"\n")
        self.assertFalse(late.is_set())
        self.assertEqual(process.returncode, 0)


class MissedTest(unittest.TestCase):
    def missed(self, recall, chosen):
        return larger_than_memory.merged([told(recall, chosen)], 0.95)["missed"]

    def test_goes_by_the_recall_that_parameters_were_chosen_by(self):
        self.assertTrue(self.missed(0.96, 0.93))
        self.assertFalse(self.missed(0.94, 0.951))

    def test_goes_by_the_recall_measured_where_nothing_was_chosen(self):
        self.assertTrue(self.missed(0.946, None))
        self.assertFalse(self.missed(0.948, None))

    def test_is_shown(self):
        about = {"data": "a set", "share": 0.25, "target": 0.95, "machine": {"cpu": "a machine"},
                 "disk": {"random_us": 1, "random_p99_us": 2, "random_8": 3, "mb_per_second": 4}}
        lines = [larger_than_memory.merged([told(recall, None)], 0.95) for recall in (0.9, 0.96)]
        rows = larger_than_memory.table(lines, about).splitlines()[-2:]
        self.assertIn("| 0.900 (missed) |", rows[0])
        self.assertIn("| 0.960 |", rows[1])


if __name__ == "__main__":
    unittest.main()
