"""Tests of bench/filters.py and its report: arguments, how rounds are merged, the tables."""

import contextlib
import io
import os
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench"))
import filter_report  # noqa: E402
import filters  # noqa: E402

RUN = {"data": "a set", "data_crc32": "0", "n": 1000, "dim": 8, "metric": "l2", "k": 10,
       "nlist": 4, "cpu": "a CPU", "cpu_flags": [], "cpus": 2, "repeats": 3, "date": "today",
       "versions": {"lib": "1"}, "commit": "abc", "target_recall": 0.95, "left_out": {}}


def point(method, share, qps, recall=0.96, kind="random", found=1.0):
    return {"method": method, "kind": kind, "share": share, "value": 1, "recall": recall,
            "found": found, "reached": recall >= 0.95, "qps": qps,
            **({} if share is None else {"filter_us": qps / 10})}


class Arguments(unittest.TestCase):
    def refused(self, *words):
        told = io.StringIO()
        with self.assertRaises(SystemExit), contextlib.redirect_stderr(told):
            filters.arguments(words)
        return told.getvalue()

    def test_names_a_folder_by_the_set(self):
        options = filters.arguments(["--dataset", "some/set.hdf5"])
        self.assertEqual(options.out, os.path.join("results", "filters-set"))
        self.assertEqual(options.cache, os.path.join(options.out, "cache"))

    def test_refuses_what_is_out_of_range(self):
        self.assertIn("--target-recall 1.5", self.refused("--target-recall", "1.5"))
        self.assertIn("--repeats 0", self.refused("--repeats", "0"))

    def test_refuses_a_runner_and_a_peer_that_do_not_filter(self):
        self.assertIn("filtered_faiss", self.refused("--methods", "faiss_ivf:SQ8"))
        self.assertIn("no predicate", self.refused("--peers", "faiss,usearch"))
        self.assertIn("hnswlib", self.refused("--peers", "nobody"))


class MergeCases(unittest.TestCase):
    def test_takes_medians_over_the_rounds_of_a_case(self):
        lines = [point("a", 0.1, qps) for qps in (100, 300, 200)] + [point("a", None, 50)]
        merged = filters.merge_cases(lines)
        self.assertEqual([line["share"] for line in merged], [0.1, None])
        self.assertEqual((merged[0]["qps"], merged[0]["qps_min"], merged[0]["repeats"]),
                         (200, 100, 3))
        self.assertEqual(merged[0]["filter_us"], 20)
        self.assertNotIn("filter_us", merged[1])

    def test_keeps_kinds_and_methods_apart(self):
        lines = [point("a", 0.1, 1), point("b", 0.1, 2), point("a", 0.1, 3, kind="anti")]
        self.assertEqual([line["qps"] for line in filters.merge_cases(lines)], [1, 2, 3])


class Tables(unittest.TestCase):
    POINTS = [point("obliq x", None, 1000), point("obliq x", 0.5, 800, recall=0.948),
              point("obliq x", 0.01, 2000), point("peer", None, 400),
              point("peer", 0.01, 100, recall=0.9, found=0.93)]

    def test_put_shares_in_order_and_ratios_beside_the_speeds(self):
        head, _, ours, theirs = filter_report.kind_table(RUN, self.POINTS, "random").splitlines()
        self.assertEqual([cell.strip() for cell in head.split("|")[2:-1]],
                         ["1 %", "50 %", "no filter"])
        self.assertEqual([cell.strip() for cell in ours.split("|")[1:-1]],
                         ["**obliq x**", "2,000 (2.00)", "800 (0.80)", "1,000"])
        self.assertEqual([cell.strip() for cell in theirs.split("|")[1:-1]],
                         ["peer", "100 (0.25) [0.900]", "-", "400"])

    def test_compare_only_those_that_reach_the_target(self):
        points = [*self.POINTS, point("other", None, 2000), point("obliq y", None, 9000, 0.8)]
        rows = [[cell.strip() for cell in line.split("|")[1:-1]]
                for line in filter_report.ahead_table(RUN, points).splitlines()[2:5]]
        self.assertEqual(rows[0][1:], ["1 %", "obliq x", "2,000", "-", "-", "obliq only"])
        self.assertEqual(rows[2][1:], ["no filter", "obliq x", "1,000", "other", "2,000", "0.50 x"])
        self.assertEqual(filter_report.ahead_table(RUN, self.POINTS[:3]), "")

    def test_tell_answers_that_lack(self):
        table = filter_report.recall_table(RUN, self.POINTS)
        self.assertIn("0.900 (0.93) / - / -", table)
        self.assertIn("0.948 / - / -", table)

    def test_tell_the_time_of_a_filter_and_who_is_left_out(self):
        ours = filter_report.filter_table(RUN, self.POINTS).splitlines()[2]
        self.assertEqual([cell.strip() for cell in ours.split("|")[2:4]], ["200", "80.0"])
        text = filter_report.report(dict(RUN, left_out={"one": "no wheel"}), self.POINTS)
        self.assertIn("Left out: one: no wheel.", text)


if __name__ == "__main__":
    unittest.main()
