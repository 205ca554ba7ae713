"""Tests of bench/targets.py: how often a target recall is kept, by how much, and the tables."""

import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import targets  # noqa: E402


def line(seed, k, excesses):
    """A trial whose recalls exceed the targets by so much; None: refused."""
    recalls = [None if excess is None else target + excess
               for target, excess in zip(targets.TARGETS, excesses)]
    return {"set": "a set", "seed": seed, "queries": targets.OWN, "tuned": "base vectors", "k": k,
            "recalls": recalls, "lists": [1] * len(recalls)}


class TenthTest(unittest.TestCase):
    def test_has_a_tenth_of_the_values_below(self):
        self.assertAlmostEqual(targets.tenth(range(10, -1, -1)), 1)
        self.assertAlmostEqual(targets.tenth([5, 4, 3, 2, 1, 0]), 0.5)
        self.assertEqual(targets.tenth([7]), 7)


class SummaryTest(unittest.TestCase):
    def test_counts_recalls_that_fall_short_by_at_most_what_is_allowed(self):
        kept, _, mean, _ = targets.summary(
            [line(1, 10, [-0.003, -0.004, 0.002, 0.003, 0.002])], targets.TARGETS)
        self.assertAlmostEqual(kept, 0.8)
        self.assertAlmostEqual(mean, 0)

    def test_leaves_out_what_was_refused(self):
        points = [line(1, 10, [0.01, 0.01, 0.01, 0.01, None])]
        self.assertEqual(targets.summary(points, targets.TARGETS)[0], 1)
        self.assertIsNone(targets.summary(points, targets.TARGETS[-1:]))

    def test_takes_a_trial_as_one_observation_for_the_standard_error(self):
        points = [line(1, 10, [0.01] * 5), line(2, 10, [0.03] * 5)]
        self.assertAlmostEqual(targets.summary(points, targets.TARGETS)[3], 0.01)


class TableTest(unittest.TestCase):
    def test_shows_sets_with_all_targets_then_targets_with_all_sets(self):
        points = [line(seed, k, [0.01, 0, -0.01, 0, None]) for seed in (1, 2) for k in targets.KS]
        lines = targets.table({"quantizer": "sq8", "spill": 0.5, "test_queries": 1000,
                               "date": "today", "commit": "abc"}, points).splitlines()
        start = f"| {targets.OWN} | base vectors |"
        rows = [text for text in lines if text.startswith(start)]
        self.assertEqual(len(rows), 1 + len(targets.TARGETS))
        self.assertEqual(rows[0], f"{start} a set" + " | 75% | -0.0100 | +0.0000 +- 0.0000" * 3
                         + " |")
        self.assertEqual(rows[3], f"{start} 0.95" + " | 0% | -0.0100 | -0.0100 +- 0.0000" * 3
                         + " |")
        self.assertEqual(rows[5], f"{start} 0.99" + " | -" * 9 + " |")


if __name__ == "__main__":
    unittest.main()
