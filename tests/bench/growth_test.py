"""Tests of bench/growth.py: costs read off a sweep, exponents and the table."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import growth  # noqa: E402


def row(n, recall, entries):
    return {"n": n, "nlist": 4, "at_recall": recall, "entries": entries, "us": None}


class CostTest(unittest.TestCase):
    POINTS = [{"recall": 0.8, "entries": 100}, {"recall": 0.9, "entries": 400},
              {"recall": 0.98, "entries": 900}]

    def test_is_that_of_a_point_and_between_two_points_their_geometric_mean(self):
        self.assertAlmostEqual(growth.cost_at(self.POINTS, 0.9, "entries"), 400)
        self.assertAlmostEqual(growth.cost_at(self.POINTS, 0.85, "entries"), 200)

    def test_is_none_beyond_what_the_sweep_reaches(self):
        self.assertIsNone(growth.cost_at(self.POINTS, 0.99, "entries"))
        self.assertIsNone(growth.cost_at(self.POINTS, 0.5, "entries"))


class ExponentTest(unittest.TestCase):
    def test_of_a_power_is_its_exponent(self):
        rows = [row(n, 0.9, 7 * n ** 0.4) for n in (10, 1000, 50000)]
        self.assertAlmostEqual(growth.exponent(rows, "entries"), 0.4)

    def test_needs_two_sizes_with_a_cost(self):
        self.assertIsNone(growth.exponent([row(10, 0.9, 5), row(99, 0.9, None)], "entries"))


class TableTest(unittest.TestCase):
    def test_has_a_row_a_size_by_rising_size_and_the_exponents_last(self):
        run = {"dim": 96, "quantizer": "sq8", "cpu": "a CPU", "date": "today", "commit": "abc"}
        points = [row(n, recall, n / 10) for n in (1000, 100) for recall in growth.RECALLS]
        lines = growth.table(run, points).splitlines()
        self.assertEqual(lines[-3], "| 100 | 4 | 10 | - | 10 | - |")
        self.assertEqual(lines[-2], "| 1,000 | 4 | 100 | - | 100 | - |")
        self.assertEqual(lines[-1], "| exponent | | **1.00** | - | **1.00** | - |")


if __name__ == "__main__":
    unittest.main()
