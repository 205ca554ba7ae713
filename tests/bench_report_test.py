"""Tests of how a comparison is merged, classed, told and drawn: bench/{families,report,plot}.py
and bench/peers/rounds.py. Drawing is skipped where matplotlib is missing."""

import importlib.util
import os
import sys
import tempfile
import unittest

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "bench")
sys.path[:0] = [BENCH, os.path.join(BENCH, "peers")]
from families import COLOURS, bits_class, family_of  # noqa: E402
from plot import curves_by_method, draw_chart  # noqa: E402
from report import ratio, report  # noqa: E402
from rounds import merge_rounds  # noqa: E402


def line(method, recall, qps, size=100.0, mode="single", **more):
    return {"method": method, "recall": recall, "qps": qps, "bytes_per_vector": size,
            "mode": mode, **more}


class Families(unittest.TestCase):
    CLASSES = {
        "obliq lm2": 2, "obliq lm4": 4, "obliq sq8": 8, "obliq tqp4:gaussian": 4,
        "obliq sq8+fp32": 32, "faiss RR,IVF1536,RaBitQfs": 1, "faiss RR,IVF1536,RaBitQfs4": 4,
        "faiss IVF1536,PQ192x4fs by ip": 2, "faiss IVF1536,PQ384x4fsr by ip": 4,
        "faiss IVF1536,PQ96": 2, "faiss IVF1536,PQ192": 4, "faiss IVF1536,SQ4": 4,
        "faiss IVF1536,PQ192x4fs,Refine(SQ8)": 8, "faiss IVF1536,PQ192x4fs,RFlat": 32,
        "faiss IVF1536,Flat": 32, "rabitqlib IVF1536 9 bits flat_rabitq router": 8,
    }

    def test_bits_follow_from_names(self):
        for method, bits in self.CLASSES.items():
            self.assertEqual(bits_class(method, 384), bits, method)

    def test_every_peer_has_a_colour(self):
        for method in self.CLASSES:
            self.assertIn(family_of(method), COLOURS)

    def test_unknown_names_have_no_class(self):
        self.assertIsNone(bits_class("mystery", 384))
        self.assertEqual(family_of("mystery index"), "mystery")


class Rounds(unittest.TestCase):
    def test_give_median_and_extremes_of_each_point(self):
        lines = [line("a", 0.9, qps, nprobe=1) for qps in (10, 30, 20)]
        lines += [line("a", 0.95, 5, nprobe=2), line("a", 0.9, 7, nprobe=1, mode="batch")]
        merged = merge_rounds(lines)
        self.assertEqual(len(merged), 3)
        first = merged[0]
        self.assertEqual((first["qps"], first["qps_min"], first["qps_max"]), (20, 10, 30))
        self.assertEqual([point["repeats"] for point in merged], [3, 1, 1])

    def test_keep_points_that_were_not_timed(self):
        merged = merge_rounds([line("a", 0.9, None, nprobe=1)])
        self.assertIsNone(merged[0]["qps"])


class Report(unittest.TestCase):
    def test_says_where_obliq_loses(self):
        lines = [line("obliq lm4", 0.92, 1000, 210), line("obliq lm4", 0.96, 300, 210),
                 line("faiss RR,IVF64,RaBitQfs4", 0.92, 500, 280),
                 line("faiss RR,IVF64,RaBitQfs4", 0.985, 450, 280)]
        text = report(lines, "single", 384)
        row = [row for row in text.splitlines() if row.startswith("  faiss RR")][0]
        self.assertIn("-25%", row)
        self.assertTrue(row.endswith("max recall, QPS at 0.95, QPS at 0.98"), row)

    def test_compares_only_within_a_class_of_bits(self):
        lines = [line("obliq lm2", 0.9, 10), line("faiss IVF64,SQ8", 0.99, 10)]
        self.assertNotIn("against", report(lines, "single", 384))

    def test_a_recall_only_the_peer_reaches_is_a_loss(self):
        self.assertEqual(ratio(None, 5), ("peer only", True))
        self.assertEqual(ratio(5, None), ("obliq only", False))
        self.assertEqual(ratio(None, None), ("-", False))
        self.assertEqual(ratio(3, 2), ("1.50 x", False))
        self.assertEqual(ratio(1, 2), ("0.50 x", True))

    def test_columns_line_up(self):
        lines = [line("obliq lm4", 0.92, 123456), line("faiss IVF64,SQ4", 0.95, 7)]
        table = report(lines, "single", 384).split("\n\n", maxsplit=1)[0].splitlines()
        self.assertEqual(len({len(row) for row in table}), 1)

    def test_counts_a_point_without_speed_for_the_highest_recall(self):
        lines = [line("obliq lm4", 0.92, 100), line("obliq lm4", 0.97, None)]
        self.assertIn("0.9700", report(lines, "single", 384))


class Plot(unittest.TestCase):
    LINES = [line("obliq lm4", 0.9, 1000), line("obliq lm4", 1.0, 10),
             line("faiss IVF64,SQ4", 0.8, 500), line("mystery", 0.3, 50)]

    def test_obliq_comes_first_and_strangers_last(self):
        names = [curve[0] for curve in curves_by_method(self.LINES[::-1])]
        self.assertEqual(names, ["obliq lm4", "faiss IVF64,SQ4", "mystery"])

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
    def test_draws_a_png(self):
        with tempfile.TemporaryDirectory() as folder:
            png = os.path.join(folder, "chart.png")
            draw_chart(self.LINES, png)
            with open(png, "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")


if __name__ == "__main__":
    unittest.main()
