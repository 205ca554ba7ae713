"""Tests of how a comparison is merged, classed, told, kept and drawn: bench/{families,figures,
report,results,rounds,plot}.py. Drawing is skipped where matplotlib is missing."""

import importlib.util
import json
import os
import sys
import tempfile
import unittest
from unittest import mock

BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "bench")
sys.path.insert(0, BENCH)
import figures  # noqa: E402
from families import COLOURS, family_of  # noqa: E402
from plot import (caption, chosen, curves_by_method, draw_chart, read,  # noqa: E402
                  recalls_shown, spread, styles_of)
from report import (choices_table, class_table, curves_of, markdown, peers_table,  # noqa: E402
                    ratio, report, speed_table)
from results import read_results, write_results  # noqa: E402
from rounds import merge_rounds  # noqa: E402

RUN = {"data": "set.hdf5", "data_crc32": "0", "n": 1000, "dim": 384, "metric": "l2", "nlist": 8,
       "k": 10, "cpu": "a CPU", "cpu_flags": ["avx2"], "cpus": 2, "repeats": 5, "date": "today",
       "versions": {"faiss-cpu": "1"}, "commit": "abc", "left_out": {}}


def line(method, recall, qps, size=100.0, mode="single", **more):
    return {"method": method, "recall": recall, "qps": qps, "bytes_per_vector": size,
            "mode": mode, "threads": 1, "params": {"nprobe": 1}, **more}


def curves(*lines):
    return curves_of(lines, "single", 1)


def cells(table, first):
    """Stripped cells of the row whose first cell contains `first`."""
    row = next(row for row in table.splitlines()[2:] if first in row.split("|")[1])
    return [cell.strip() for cell in row.split("|")[1:-1]]


class Families(unittest.TestCase):
    FAMILIES = {
        "obliq lm2": "obliq lm", "obliq sq8, raw fp16": "obliq sq", "obliq tcq2": "obliq",
        "faiss RR,IVF1536,RaBitQfs4": "faiss RaBitQfs", "faiss IVF64,PQ192x4fs": "faiss PQ4fs",
        "faiss IVF1536,PQ192x4fs,RFlat": "faiss PQ4fs + refine", "faiss IVF8,SQ4": "faiss SQ",
        "faiss HNSW32,SQ8": "faiss HNSW", "faiss IVF8,Flat": "faiss Flat",
        "faiss RR,HNSW32,RaBitQ8": "faiss HNSW",
        "faiss PCA384,IVF8,FlatPanorama8_32": "faiss Panorama", "lorann g256 r64": "lorann",
        "rabitqlib IVF8 9 bits": "rabitqlib IVF", "rabitqlib SymphonyQG raw":
        "rabitqlib SymphonyQG", "rabitqlib IVF8 9 bits flat_rabitq router":
        "rabitqlib IVF + router", "hnswlib M16": "hnswlib", "usearch i8": "usearch",
    }

    def test_follow_from_names_and_have_a_colour(self):
        for method, family in self.FAMILIES.items():
            self.assertEqual(family_of(method), family)
            self.assertIn(family, COLOURS)

    def test_strangers_go_by_their_first_word(self):
        self.assertEqual(family_of("mystery index"), "mystery")


class Rounds(unittest.TestCase):
    def test_give_median_and_extremes_of_each_point(self):
        lines = [line("a", 0.9, qps, p99_us=1000 / qps) for qps in (10, 30, 20)]
        lines += [line("a", 0.95, 5, params={"nprobe": 2}), line("a", 0.9, 7, mode="batch")]
        merged = merge_rounds(lines)
        self.assertEqual(len(merged), 3)
        first = merged[0]
        self.assertEqual((first["qps"], first["qps_min"], first["qps_max"]), (20, 10, 30))
        self.assertEqual(first["p99_us"], 50)
        self.assertEqual([point["repeats"] for point in merged], [3, 1, 1])

    def test_tell_one_k_from_another(self):
        merged = merge_rounds([line("a", 0.9, 1, k=10), line("a", 0.9, 3, k=100),
                               line("a", 0.9, 5, k=100)])
        self.assertEqual([(point["k"], point["qps"]) for point in merged], [(10, 1), (100, 4)])

    def test_tell_one_thread_from_many(self):
        self.assertEqual(len(merge_rounds([line("a", 0.9, 1), {**line("a", 0.9, 1),
                                                               "threads": 2}])), 2)

    def test_keep_points_that_were_not_timed(self):
        merged = merge_rounds([line("a", 0.9, None)])
        self.assertIsNone(merged[0]["qps"])


class Results(unittest.TestCase):
    def test_come_back_as_written_but_for_rounding(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "results.jsonl")
            write_results(path, RUN, [line("a", 0.9, 12.345), line("b", 0.5, None)])
            run, points = read_results(path)
        self.assertEqual(run, RUN)
        self.assertEqual([point["qps"] for point in points], [12.3, None])

    def test_of_a_run_with_one_k_have_it_in_every_point(self):
        points = self.read_back({**RUN, "k": 10}, [line("a", 0.9, 1)])
        self.assertEqual([point["k"] for point in points], [10])
        points = self.read_back({**RUN, "k": [10, 100]}, [line("a", 0.9, 1, k=100)])
        self.assertEqual([point["k"] for point in points], [100])

    def read_back(self, run, points):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "results.jsonl")
            write_results(path, run, points)
            return read_results(path)[1]

    def test_of_another_program_are_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "results.jsonl")
            with open(path, "w", encoding="utf-8") as file:
                file.write('{"method": "obliq"}\n')
            with self.assertRaisesRegex(ValueError, "no 'run'"):
                read_results(path)


class Report(unittest.TestCase):
    def test_says_where_obliq_loses_to_a_larger_peer(self):
        table = peers_table(curves(
            line("obliq lm4", 0.92, 1000, 210), line("obliq lm4", 0.96, 300, 210),
            line("faiss RR,IVF64,RaBitQfs4", 0.92, 500, 280),
            line("faiss RR,IVF64,RaBitQfs4", 0.985, 450, 280)))
        row = cells(table, "RaBitQfs4")
        self.assertEqual(row[2:4], ["2.00 x", "0.85 x"])
        self.assertEqual(row[-1], "QPS at 0.95, QPS at 0.98, max recall")

    def test_sets_no_larger_index_against_a_peer(self):
        table = peers_table(curves(line("obliq sq8", 0.99, 9999, 470),
                                   line("faiss IVF64,SQ4", 0.95, 10, 220)))
        self.assertEqual(cells(table, "SQ4")[2:], ["peer only", "peer only", "-", "-",
                                                               "-", "bytes: has none so small"])

    def test_a_class_holds_what_is_smaller_and_takes_the_fastest(self):
        table = class_table(curves(
            line("obliq lm2", 0.95, 50, 110), line("obliq lm4", 0.96, 100, 200),
            line("faiss IVF64,SQ4", 0.96, 80, 100), line("usearch i8", 0.96, 10, 210)), 384)
        rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines()[2:]]
        at_95 = [row for row in rows if row[1] == "0.95"]
        self.assertEqual([row[-1] for row in at_95], ["0.62 x", "1.25 x", "1.25 x", "1.25 x"])
        self.assertEqual(at_95[1][2:6], ["obliq lm4", "100", "faiss IVF64,SQ4", "80.0"])

    def test_choices_are_the_methods_of_obliq(self):
        table = choices_table(curves(line("obliq lm4", 0.95, 1000, 210),
                                     line("faiss IVF64,SQ4", 0.95, 10, 220)))
        self.assertEqual(cells(table, "lm4"),
                         ["lm4", "210", "-", "0.9500", "1,000", "1,000", "-", "-"])
        self.assertNotIn("faiss", table)

    def test_a_recall_only_the_peer_reaches_is_a_loss(self):
        self.assertEqual(ratio(None, 5), ("peer only", True))
        self.assertEqual(ratio(5, None), ("obliq only", False))
        self.assertEqual(ratio(None, None), ("-", False))
        self.assertEqual(ratio(3, 2), ("1.50 x", False))
        self.assertEqual(ratio(1, 2), ("0.50 x", True))

    def test_columns_line_up(self):
        table = markdown([["a", "b"], ["long name", 1], ["c", 123456]])
        self.assertEqual(len({len(row) for row in table.splitlines()}), 1)

    def test_counts_a_point_without_speed_for_the_highest_recall(self):
        table = speed_table(curves(line("obliq lm4", 0.92, 100), line("obliq lm4", 0.97, None)))
        self.assertIn("0.9700", table)

    def test_reads_p99_off_the_frontier(self):
        table = speed_table(curves(line("obliq lm4", 0.9, 100, p99_us=10.0),
                                   line("obliq lm4", 1.0, 10, p99_us=1000.0)))
        self.assertAlmostEqual(float(cells(table, "lm4")[-1]), 100)  # half way in log

    def test_names_every_mode_and_who_was_left_out(self):
        text = report({**RUN, "left_out": {"scann_tree": "no wheel"}},
                      [line("obliq lm4", 0.9, 1), line("obliq lm4", 0.9, 2, mode="batch")])
        self.assertIn("### One query per call, 1 thread", text)
        self.assertIn("### All queries in one call, 1 thread", text)
        self.assertIn("Left out: scann_tree: no wheel.", text)


    def test_has_tables_for_every_k(self):
        points = [line("obliq lm4", 0.9, 1234, k=10), line("obliq lm4", 0.95, 567, k=100)]
        text = report({**RUN, "k": [10, 100]}, points)
        self.assertIn("recall@10 and recall@100", text)
        first, second = text.split("### ")[1:]
        self.assertTrue(first.startswith("One query per call, 1 thread, recall@10\n"))
        self.assertTrue(second.startswith("One query per call, 1 thread, recall@100\n"))
        self.assertIn("1,234", first)
        self.assertNotIn("567", first)
        self.assertIn("567", second)
        self.assertNotIn("1,234", second)

    def test_curves_are_of_one_k(self):
        points = [line("obliq lm4", 0.9, 1234, k=10), line("obliq lm4", 0.95, 567, k=100)]
        self.assertEqual([c.points for c in curves_of(points, "single", 1)], [[(0.9, 1234)]])
        self.assertEqual([c.points for c in curves_of(points, "single", 1, 100)], [[(0.95, 567)]])


class Figures(unittest.TestCase):
    def test_a_block_may_name_another_k_of_a_run(self):
        points = [line("obliq lm4", 0.95, 1234, k=10), line("obliq lm4", 0.95, 567, k=100)]
        both = mock.patch.object(figures, "results_of",
                                 lambda name: ({**RUN, "k": [10, 100]}, points))
        with both:
            first, other = (figures.BLOCK.sub(figures.block, f"<!-- {head} -->\n<!-- end -->")
                            for head in ("choices a", "choices a k=100"))
        self.assertIn("1,234", first)
        self.assertIn("567", other)
        self.assertTrue(other.startswith("<!-- choices a k=100 -->\n"))

    def test_tables_of_the_documents_are_those_of_the_stored_results(self):
        self.assertEqual(figures.redo_tables(check=True), [])

    def test_every_chart_has_its_results_and_is_shown(self):
        path = os.path.join(figures.ROOT, "docs", "notes", "benchmarks.md")
        with open(path, encoding="utf-8") as file:
            page = file.read()
        for picture, (name, mode, threads, sizes, ours) in figures.CHARTS.items():
            points = figures.results_of(name)[1]
            shown = figures.thinned(chosen(points, mode, threads, sizes), ours)
            self.assertLessEqual({f"obliq {method}" for method in ours},
                                 {line["method"] for line in shown}, picture)
            self.assertLessEqual(len(ours), 4)
            self.assertIn(f"../img/{picture}.png", page)

    def test_a_chart_shows_of_each_family_of_peers_the_fastest_at_95(self):
        lines = [line("obliq lm2", 0.9, 9), line("obliq lm4", 0.96, 9),
                 line("hnswlib M16", 0.96, 5), line("hnswlib M32", 0.97, 6),
                 line("hnswlib M8", 0.94, 99),
                 line("usearch i8", 0.8, 7), line("usearch f16", 0.85, 2)]
        self.assertEqual([one["method"] for one in figures.thinned(lines, ("lm4",))],
                         ["obliq lm4", "hnswlib M32", "usearch f16"])


class Plot(unittest.TestCase):
    LINES = [line("obliq lm4", 0.9, 1000), line("obliq lm4", 1.0, 10),
             line("faiss IVF64,SQ4", 0.8, 500), line("mystery", 0.3, 50)]

    def test_chooses_by_mode_threads_and_bytes(self):
        lines = self.LINES + [line("obliq sq8", 0.9, 1, 470, "batch"), line("obliq sq8", 1, None)]
        self.assertEqual(chosen(lines, "batch", 1), [lines[4]])
        self.assertEqual(chosen(lines, "batch", 1, (0, 469)), [])
        self.assertEqual(len(chosen(lines, "single", 1)), 4)
        self.assertEqual(chosen(lines, "single", 2), [])

    def test_chooses_by_k(self):
        lines = [line("a", 0.9, 1, k=10), line("a", 0.8, 2, k=100)]
        self.assertEqual(chosen(lines, "single", 1), lines[:1])
        self.assertEqual(chosen(lines, "single", 1, k=100), lines[1:])

    def test_obliq_comes_first_and_strangers_last(self):
        names = [curve[0] for curve in curves_by_method(self.LINES[::-1])]
        self.assertEqual(names, ["obliq lm4", "faiss IVF64,SQ4", "mystery"])

    COMMANDS = {**line("obliq lm4", 0.9, 1000), "dataset": "set", "n": 1000, "dim": 384,
                "nlist": 8, "k": 10}

    def read_lines(self, *lines):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "results.jsonl")
            with open(path, "w", encoding="utf-8") as file:
                file.writelines(json.dumps(entry) + "\n" for entry in lines)
            return read(path)

    def test_reads_the_lines_of_the_command_as_those_of_a_comparison(self):
        run, lines = self.read_lines(self.COMMANDS, self.COMMANDS)
        self.assertEqual(run, {"data": "set", "n": 1000, "dim": 384, "nlist": 8, "k": 10})
        self.assertEqual(lines, [self.COMMANDS] * 2)
        self.assertEqual(self.read_lines({"run": RUN}, self.LINES[0]),
                         (RUN, [{**self.LINES[0], "k": 10}]))

    def test_says_what_is_wrong_with_a_file(self):
        for lines in [], [{"spec": "lm4"}], [self.COMMANDS, {"method": "a"}], [5]:
            with self.assertRaises(ValueError):
                self.read_lines(*lines)

    def test_shows_a_range_of_recalls_whatever_they_are(self):
        self.assertEqual(recalls_shown([0.6, 0.93]), (0.6, 0.95))
        self.assertEqual(recalls_shown([0.3, 0.93]), (0.5, 0.95))
        for recalls in [1.0], [0.5], [0.0], [0.01, 0.2], [0.9, 0.9], [0.9996], [0.3, 1.0]:
            left, right = recalls_shown(recalls)
            self.assertTrue(0 < left < right < 1, (recalls, left, right))

    def test_no_two_lines_look_alike(self):
        for name in ("sentences-384-speed", "sentences-384-batch"):
            methods = [curve[0] for curve in curves_by_method(figures.results_of(name)[1])]
            looks = [str(style) for style in styles_of(methods)]
            self.assertEqual(len(set(looks)), len(methods), name)
        many = styles_of([f"obliq sq8, spill {i}" for i in range(30)] + ["a", "b"])
        self.assertEqual(len(set(map(str, many))), 32)

    def test_labels_keep_their_distance_and_their_order(self):
        for places in [0.5] * 9, [0.99, 1.0, 0.98], [0.0, 0.01, 0.5, 0.02], [1.2, -0.1], [0.3]:
            given = sorted(zip(places, spread(places, 0.1)))
            labels = [label for _, label in given]
            self.assertTrue(all(b - a > 0.0999 for a, b in zip(labels, labels[1:])), labels)
            self.assertTrue(-1e-9 <= labels[0] and labels[-1] <= 1, labels)
        self.assertEqual(spread([0.8, 0.2], 0.1), [0.8, 0.2])

    def test_the_caption_tells_cpu_date_and_commit(self):
        self.assertEqual(caption(RUN), "a CPU, today, commit abc")
        told = {"cpu": "a CPU", "date": "today", "version": "obliq 1.2.3"}
        run, _ = self.read_lines({**self.COMMANDS, **told})
        self.assertEqual(caption(run), "a CPU, today, obliq 1.2.3")
        self.assertEqual(caption({"commit": None}), "")

    @unittest.skipUnless(importlib.util.find_spec("matplotlib"), "matplotlib is not installed")
    def test_draws_a_png(self):
        with tempfile.TemporaryDirectory() as folder:
            png = os.path.join(folder, "chart.png")
            draw_chart(RUN, self.LINES, png)
            with open(png, "rb") as file:
                self.assertEqual(file.read(8), b"\x89PNG\r\n\x1a\n")


if __name__ == "__main__":
    unittest.main()
