"""Tests of bench/frontier.py: what the table and the chart of a comparison are read from. The cases
of frontier_golden.json hold tools/measure/tradeoff.cc to the same numbers."""

import json
import math
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
from frontier import pareto, qps_at  # noqa: E402


class Pareto(unittest.TestCase):
    def test_drops_points_beaten_in_both(self):
        points = [(0.5, 100), (0.9, 50), (0.8, 40), (0.95, 10), (0.4, 90)]
        self.assertEqual(pareto(points), [(0.5, 100), (0.9, 50), (0.95, 10)])

    def test_keeps_the_fastest_of_equal_recalls(self):
        self.assertEqual(pareto([(0.9, 10), (0.9, 30), (0.9, 20)]), [(0.9, 30)])

    def test_keeps_the_most_accurate_of_equal_speeds(self):
        self.assertEqual(pareto([(0.8, 10), (0.9, 10)]), [(0.9, 10)])

    def test_does_not_depend_on_order_and_is_idempotent(self):
        points = [(0.1 * i, (i * 7) % 10 + 1) for i in range(1, 10)]
        frontier = pareto(points)
        self.assertEqual(pareto(points[::-1]), frontier)
        self.assertEqual(pareto(frontier), frontier)
        for (low, fast), (high, slow) in zip(frontier, frontier[1:]):
            self.assertLess(low, high)
            self.assertGreater(fast, slow)

    def test_of_nothing_is_empty(self):
        self.assertEqual(pareto([]), [])


class QpsAt(unittest.TestCase):
    def test_meets_measured_points(self):
        points = [(0.8, 1000), (0.9, 100), (1.0, 10)]
        for recall, qps in points:
            self.assertEqual(qps_at(points, recall), qps)

    def test_is_geometric_half_way_between(self):
        self.assertAlmostEqual(qps_at([(0.8, 400), (0.9, 100)], 0.85), 200)

    def test_ignores_dominated_points(self):
        points = [(0.8, 400), (0.9, 100)]
        self.assertAlmostEqual(qps_at(points + [(0.85, 50)], 0.85), 200)

    def test_never_extrapolates(self):
        points = [(0.8, 400), (0.9, 100)]
        self.assertIsNone(qps_at(points, 0.9001))
        self.assertEqual(qps_at(points, 0.5), 400)
        self.assertIsNone(qps_at([], 0.5))

    def test_gives_the_numbers_that_the_command_line_gives(self):
        folder = os.path.dirname(os.path.abspath(__file__))
        with open(os.path.join(folder, "frontier_golden.json"), encoding="ascii") as file:
            curves = json.load(file)
        for curve in curves:
            for recall, expected in curve["qps_at"]:
                with self.subTest(curve["what"], recall=recall):
                    found = qps_at([tuple(point) for point in curve["points"]], recall)
                    if expected is None:
                        self.assertIsNone(found)
                    else:
                        self.assertAlmostEqual(found, expected, delta=1e-9 * expected)

    def test_falls_with_recall(self):
        points = [(math.sin(i), 1000 / i) for i in range(1, 30) if math.sin(i) > 0]
        speeds = [qps_at(points, 0.01 * i) for i in range(1, 100)]
        speeds = [speed for speed in speeds if speed is not None]
        self.assertEqual(speeds, sorted(speeds, reverse=True))


if __name__ == "__main__":
    unittest.main()
