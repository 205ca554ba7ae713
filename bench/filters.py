"""Searches under filters, obliq beside its peers: QPS over the share of vectors that pass.

    filters.py [--dataset NAME|FILE] [--nlist N] [--peers all|faiss,...] [--methods RUNNER:SPEC ...]
               [--target-recall .95] [--repeats 5] [--out FOLDER]

Filters of six selectivities, random, correlated and anti-correlated with the queries, and their
exact answers are made first (peers/filter_cases.py says how). Every index is built or taken from
the cache; the parameter of a peer is tuned for each case on the very queries that are timed, to
the least that reaches the target recall. Then the methods take turns, `repeats` times, each turn a
process of its own on one CPU that times all cases: one query per call, one thread. The same queries
without a filter are cases too. The time to make a filter is told apart (peers/filtered.py).

Writes OUT/results.jsonl after every round, a line per method and case, then OUT/table.md and
OUT/chart.png, and prints the tables. How fair that is: docs/benchmarks.md.
"""

import argparse
import json
import os
import statistics
import sys
import time

from compare import conditions, core_count, describe_set, interleaved, results_path, train_centroids
from contestants import FOLDER, Contestant, Failed, Runner
from filter_report import draw_chart, report
from results import write_results
from rounds import merge_point
from sets import RESULTS, SETS

sys.path.insert(0, os.path.join(FOLDER, "peers"))
from registry import FILTERED, NOT_FILTERED, python_of  # noqa: E402


def arguments(words=None):
    parser = argparse.ArgumentParser(description="Searches under filters beside the peers.")
    parser.add_argument("--dataset", default="sample",
                        help=f"{', '.join(SETS)}; or an ann-benchmarks HDF5 file")
    parser.add_argument("--sets", default=RESULTS, help="folder of the data sets")
    parser.add_argument("--nlist", type=int, help="default: the set's own, or 4 sqrt(n)")
    parser.add_argument("--k", type=int, default=10, help="neighbours per query")
    parser.add_argument("--target-recall", type=float, default=0.95)
    parser.add_argument("--peers", default="all",
                        help=f"comma list of {', '.join(FILTERED)}; all; none for obliq alone")
    parser.add_argument("--methods", nargs="+", default=[], metavar="RUNNER:SPEC",
                        help="instead of the default ones, e.g. filtered_faiss:IVF:SQ8")
    parser.add_argument("--repeats", type=int, default=5, help="rounds")
    parser.add_argument("--seconds", type=float, default=0.05,
                        help="budget of the queries of one filter in a round")
    parser.add_argument("--longest", type=float, default=30, help="seconds to tune one case")
    parser.add_argument("--build-threads", type=int, default=core_count())
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)),
                        help="where the thread runs")
    parser.add_argument("--cache", help="filters, centroids, indexes; default OUT/cache")
    parser.add_argument("--out", help="default: results/filters- and the name of the set")
    options = parser.parse_args(words)
    check(parser, options)
    name = os.path.splitext(os.path.basename(options.dataset))[0]
    options.out = options.out or os.path.join("results", f"filters-{name}")
    options.cache = options.cache or os.path.join(options.out, "cache")
    options.quick, options.nprobe, options.left_out = False, "", {}
    options.ks = [options.k]
    return options


def check(parser, options):
    """Ends the program at what argparse lets through."""
    if options.cpu not in os.sched_getaffinity(0):
        parser.error(f"--cpu {options.cpu}: this process may use {os.sched_getaffinity(0)}")
    if not 0 < options.target_recall <= 1:
        parser.error(f"--target-recall {options.target_recall}: it must be in (0, 1]")
    if options.repeats < 1:
        parser.error(f"--repeats {options.repeats}: it must be 1 or more")
    for word in options.methods:
        if word.partition(":")[0] not in FILTERED.values():
            parser.error(f"--methods {word}: the runner must be one of "
                         f"{', '.join(FILTERED.values())}")
    named = {"all": [], "none": []}.get(options.peers, options.peers.split(","))
    for name in named:
        if name not in FILTERED:
            why = NOT_FILTERED.get(name, f"choose from {', '.join(FILTERED)}")
            parser.error(f"--peers {name}: {why}")


def log(text):
    print(f"filters: {text}", file=sys.stderr, flush=True)


class FilterContestant(Contestant):
    """One method: its index, the parameter of every case, and its turns on the clock."""

    def call(self, action, threads, *words, given=None, team=None):
        return super().call(action, threads, "--cases", self.runner.options.cases, *words,
                            given=given, team=team)

    def tune(self):
        """Finds its cases: what it is timed with, and the recall that gives."""
        options = self.runner.options
        self.points = self.call("tune", 1, "--index", self.index, "--target-recall",
                                str(options.target_recall), "--longest", str(options.longest))

    def turn(self):
        """Times every case once; a line each."""
        given = "".join(json.dumps(point) + "\n" for point in self.points)
        speeds = self.call("time", 1, "--index", self.index, "--seconds",
                           str(self.runner.options.seconds), given=given)
        for point, speed in zip(self.points, speeds, strict=True):
            yield {**self.fields, **point, **speed}


class Field:
    """Everybody who takes part; who fails is left out, with the reason."""

    def __init__(self, options):
        self.options, self.left_out = options, options.left_out
        self.versions, self.contestants = {}, []

    def gather(self):
        """Asks every library for its methods."""
        for library, script in FILTERED.items():
            asked = [word.partition(":")[2] for word in self.options.methods
                     if word.startswith(script + ":")]
            if self.options.methods and not asked or not self.wanted(library):
                continue
            try:
                runner = Runner(python_of(library), script, self.options)
                told = runner.describe()
            except (Failed, OSError) as failure:
                self.leave_out(script, failure)
                continue
            self.versions.update(told["versions"])
            self.contestants += [FilterContestant(runner, spec)
                                 for spec in asked or told["specs"]]
        if self.options.peers == "all" and not self.options.methods:
            self.left_out.update(NOT_FILTERED)

    def wanted(self, library):
        return library == "obliq" or self.options.peers == "all" or \
            library in self.options.peers.split(",")

    def prepare(self, centroids):
        """Builds and tunes, one method at a time."""
        for number, contestant in enumerate(self.contestants[:]):
            log(f"method {number + 1}: {contestant.label}")
            start = time.monotonic()
            try:
                contestant.build(centroids)
                built = time.monotonic() - start
                contestant.tune()
            except Failed as failure:
                self.leave_out(contestant.label, failure)
                self.contestants.remove(contestant)
                continue
            reached = sum(point["reached"] for point in contestant.points)
            log(f"{contestant.name}: built in {built:.0f} s, tuned in "
                f"{time.monotonic() - start - built:.0f} s, the target reached in {reached} of "
                f"{len(contestant.points)} cases")

    def leave_out(self, label, failure):
        self.left_out[label] = (str(failure).strip() or repr(failure)).splitlines()[-1][:300]
        log(f"{label} left out: {failure}")

    def measure(self, keep):
        """Merged points, given to `keep` after every round."""
        lines, points = [], []
        for repeat in range(self.options.repeats):
            start = time.monotonic()
            for contestant in interleaved(self.contestants):
                try:
                    lines += contestant.turn()
                except Failed as failure:
                    self.leave_out(contestant.label, failure)
            log(f"round {repeat + 1} of {self.options.repeats}: {time.monotonic() - start:.0f} s")
            points = merge_cases(lines)
            keep(points)
        return points


def merge_cases(lines):
    """One line per method and case: medians over the rounds."""
    groups = {}
    for line in lines:
        groups.setdefault((line["method"], line["kind"], line["share"]), []).append(line)
    merged = []
    for group in groups.values():
        merged.append(merge_point(group))
        if "filter_us" in group[0]:
            merged[-1]["filter_us"] = statistics.median(line["filter_us"] for line in group)
    return merged


def told(options, field):
    """The first line of the results."""
    return {**conditions(options, field), "target_recall": options.target_recall}


def run(options):
    """(run, points). Raises Failed."""
    from benchmark_set import BenchmarkSet  # these need NumPy and h5py
    from filter_cases import make_cases

    describe_set(options)
    options.cases = make_cases(BenchmarkSet(options.data, options.k), options.checksum,
                               options.cache)
    field = Field(options)
    field.gather()
    field.prepare(train_centroids(options))
    if not field.contestants:
        raise Failed("nobody takes part")
    points = field.measure(lambda points: write_results(
        results_path(options), told(options, field), points))
    return told(options, field), points


def main():
    options = arguments()
    for folder in (options.out, options.cache):
        os.makedirs(folder, exist_ok=True)
    try:
        described, points = run(options)
        text = report(described, points)
        with open(os.path.join(options.out, "table.md"), "w", encoding="utf-8") as file:
            file.write(text)
        print(f"{text}\nresults: {results_path(options)}")
        png = os.path.join(options.out, "chart.png")
        draw_chart(described, points, png)
        print(f"chart: {png}")
    except (Failed, OSError, ImportError) as failure:
        log(failure)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
