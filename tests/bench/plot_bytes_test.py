"""Tests of bench/plot_bytes.py: what is drawn, the frontier, who is told not to reach the recall.
Drawing is skipped where matplotlib is missing."""

import importlib.util
import os
import sys
import tempfile
import unittest

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
sys.path.insert(0, BENCH)
import figures  # noqa: E402
from plot_bytes import by_family, draw_chart, points_of, upper_left  # noqa: E402
from report import curves_of  # noqa: E402

RUN = {"data": "set.hdf5", "n": 1000, "dim": 384, "nlist": 8, "k": [10, 100], "cpu": "a CPU",
       "date": "today", "commit": "abc"}


def line(method, recall, qps, size, k=10):
    return {"method": method, "recall": recall, "qps": qps, "bytes_per_vector": size,
            "mode": "single", "threads": 1, "k": k, "params": {"nprobe": 1}}


LINES = [line("obliq lm4", 0.95, 1000, 210), line("obliq lm4", 0.99, 100, 210),
         line("obliq lm2", 0.94, 3000, 110), line("usearch i8", 0.96, 900, 550),
         line("mystery", 0.97, 2000, 3000), line("obliq lm4", 0.97, 7, 210, k=100)]


class Points(unittest.TestCase):
    def test_are_methods_that_reach_the_recall_and_others_are_told(self):
        points, others = points_of(curves_of(LINES, "single", 1))
        self.assertEqual(points, [("obliq lm4", 210, 1000), ("usearch i8", 550, 900),
                                  ("mystery", 3000, 2000)])
        self.assertEqual(others, ["obliq lm2"])

    def test_of_another_k_are_its_own(self):
        points, _ = points_of(curves_of(LINES, "single", 1, 100))
        self.assertEqual(points, [("obliq lm4", 210, 7)])

    def test_a_point_that_was_not_timed_has_no_speed(self):
        points, others = points_of(curves_of([line("a", 0.99, None, 10)], "single", 1))
        self.assertEqual((points, others), ([], ["a"]))

    def test_come_by_family_with_obliq_first_and_strangers_last(self):
        points, _ = points_of(curves_of(LINES[::-1], "single", 1, 10))
        self.assertEqual(list(by_family(points)), ["obliq lm", "usearch", "mystery"])


class Frontier(unittest.TestCase):
    def test_keeps_who_is_faster_than_all_that_are_no_larger(self):
        points = [("a", 100, 10), ("b", 200, 5), ("c", 200, 30), ("d", 300, 30), ("e", 90, 2)]
        self.assertEqual([point[0] for point in upper_left(points)], ["e", "a", "c"])

    def test_of_nothing_is_nothing(self):
        self.assertEqual(upper_left([]), [])


class Figures(unittest.TestCase):
    def test_every_chart_has_its_results_and_is_shown(self):
        with open(os.path.join(figures.ROOT, "README.md"), encoding="utf-8") as file:
            page = file.read()
        for picture, (name, mode, threads) in figures.BYTES_CHARTS.items():
            points, _ = points_of(curves_of(figures.results_of(name)[1], mode, threads))
            self.assertTrue(any(method.startswith("obliq") for method, _, _ in points), picture)
            self.assertIn(f"docs/img/{picture}.png", page)


@unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
class Chart(unittest.TestCase):
    def draw(self, lines, **options):
        with tempfile.TemporaryDirectory() as folder:
            png = os.path.join(folder, "chart.png")
            draw_chart(RUN, lines, png, **options)
            with open(png, "rb") as file:
                return file.read(8)

    def test_is_a_png_of_one_point_and_of_many(self):
        for lines in (LINES, LINES[:1]):
            self.assertEqual(self.draw(lines), b"\x89PNG\r\n\x1a\n")

    def test_needs_a_method_that_reaches_the_recall(self):
        with self.assertRaisesRegex(ValueError, "no method reaches recall@10 0.999"):
            self.draw(LINES, recall=0.999)


if __name__ == "__main__":
    unittest.main()
