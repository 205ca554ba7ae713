"""bench/rate_distortion.py: how lines of results become curves. Drawing is skipped where matplotlib
is missing."""

import importlib.util
import json
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "..", "bench"))
from rate_distortion import draw_chart, family_of, gap, groups_of, read_lines  # noqa: E402


def line(spec, size, mse, **more):
    return {"spec": spec, "bytes_per_vector": size, "dim": 128, "shrunk_mse": mse, **more}


class RateDistortion(unittest.TestCase):
    def test_groups_specs_by_family_and_options(self):
        for spec, name, label in [("lm4", "lm", "lm"), ("tqp4:gaussian", "tqp", "tqp:gaussian"),
                                  ("e8q14", "e8q", "e8q"), ("d4q8:first", "d4q", "d4q:first"),
                                  ("tq2.5", "tq", "tqn.5"), ("z4", "z", "z")]:
            self.assertEqual(family_of(spec), (name, label))

    def test_draws_curves_by_rising_real_rate(self):
        results = [line("lm4", 66, .008), line("tq1", 18, .36), line("lm1", 18, .36)]
        self.assertEqual(groups_of(results), [("lm", "lm", [(18 / 16, .36), (66 / 16, .008)]),
                                              ("tq", "tq", [(18 / 16, .36)])])

    def test_prefers_the_error_that_queries_weigh(self):
        results = [line("lm2", 34, .12, query_mse=.05)]
        self.assertEqual(groups_of(results)[0][2], [(34 / 16, .05)])

    def test_a_gap_is_the_bits_lost_to_shannon(self):
        self.assertAlmostEqual(gap(.25, 1), 0)
        self.assertAlmostEqual(gap(.25, 1.5), .5)

    def test_tells_limits_from_results(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "lines.jsonl")
            with open(path, "w", encoding="utf-8") as file:
                file.write(json.dumps({"limits": {"bits": [1]}}) + "\n\n")
                file.write(json.dumps(line("lm1", 18, .36)) + "\n")
            limits, results = read_lines(path)
        self.assertEqual(limits, {"bits": [1]})
        self.assertEqual([result["spec"] for result in results], ["lm1"])

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
    def test_draws_a_png(self):
        curve = [.5, .25, .1]
        limits = {"bits": [.5, 1, 2], "shannon": curve, "universal": curve, "product": curve}
        with tempfile.TemporaryDirectory() as folder:
            png = os.path.join(folder, "chart.png")
            draw_chart(limits, [line("lm1", 18, .36, data="sphere")], png)
            with open(png, "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")


if __name__ == "__main__":
    unittest.main()
