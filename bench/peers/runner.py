"""What every peer's runner shares: options, one pinned thread, timing, JSON lines.

A peer is a list of `Method`s. Each is built once (or read from the cache), surveyed once over its
whole sweep (recall of all queries, in one batch call), and then timed in rounds:
    single   one query a call, every call timed; QPS = calls / their total time
    batch    all queries in one call
A round visits each point of the sweep once. Alone (`main`), rounds go over all methods in turn;
under `--serve` a driver asks for each round of each method on stdin, to interleave libraries.
"""

import argparse
import gc
import json
import os
import platform
import sys
import time

import numpy as np

from benchmark_set import BenchmarkSet
from centroids import shared_centroids
from rounds import merge_rounds

K = 10
WARM_UP = 0.25      # share of the budget of a timed pass that untimed queries get before it
LEAST_TIMED = 100   # queries a timed pass has, whatever its budget
KEEP_FACTOR = 2.0   # a point stays in the sweep if no more accurate one is this much faster
NPROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768]


class Method:
    """One index of a peer. Subclasses build, search and say what their sweep is."""

    name = ""  # as shown, e.g. "faiss IVF1536,SQ8"; bench/families.py reads it
    build_seconds = 0.0
    file_bytes = 0

    def prepare(self):
        """Builds the index or reads it from the cache; sets build_seconds and file_bytes."""
        raise NotImplementedError

    def sweep(self, nprobes):
        """List of dicts of search parameters; each has `nprobe`."""
        return [{"nprobe": nprobe} for nprobe in nprobes]

    def set(self, params):
        raise NotImplementedError

    def one(self, query):
        """Searches query number `query` alone. What it returns is ignored."""
        raise NotImplementedError

    def all(self):
        """Ids [queries][k] of one call with all queries."""
        raise NotImplementedError

    def empty_call(self):
        """The cheapest search call there is: what Python and the binding cost."""
        raise NotImplementedError


def arguments(description, method_help):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", required=True, help="ann-benchmarks HDF5 file")
    parser.add_argument("--nlist", type=int, required=True)
    parser.add_argument("--methods", default="", help=method_help)
    parser.add_argument("--cache", default="results/cache", help="centroids and built indexes")
    parser.add_argument("--nprobe", default="", help="comma list; nlist itself is always added")
    parser.add_argument("--modes", default="single", help="of single, batch; none for recalls only")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="budget of one timed pass")
    parser.add_argument("--build-threads", type=int, default=os.cpu_count())
    parser.add_argument("--cpu", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--out", default="-", help="JSON lines, appended; - is stdout")
    parser.add_argument("--quick", action="store_true", help="fewer points beside nprobe")
    parser.add_argument("--serve", action="store_true", help="rounds are asked for on stdin")
    options = parser.parse_args()
    lists = [int(word) for word in options.nprobe.split(",") if word] or NPROBES
    options.nprobes = sorted({min(nprobe, options.nlist) for nprobe in lists} | {options.nlist})
    return options


def cpu_name():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor()


def log(text):
    print(text, file=sys.stderr, flush=True)


class Runner:
    """Methods of one peer on one set."""

    def __init__(self, options, versions):
        self.options = options
        self.set = BenchmarkSet(options.data, K)
        self.centroids = shared_centroids(options.cache, self.set, options.nlist)
        self.common = {
            "threads": 1, "k": K, "nlist": options.nlist, "n": self.set.n, "dim": self.set.dim,
            "metric": self.set.metric, "data": os.path.basename(options.data),
            "data_crc32": self.set.crc32, "cpu": cpu_name(), "versions": versions,
        }
        self.points = {}

    def prepare(self, methods):
        self.methods = methods
        for method in methods:
            method.prepare()
            log(f"{method.name}: built in {method.build_seconds:.1f} s, "
                f"{method.file_bytes / self.set.n:.1f} bytes a vector")
        os.sched_setaffinity(0, {self.options.cpu})
        for method in methods:
            self.points[method.name] = self.survey(method)

    def survey(self, method):
        """Recall of every point of the sweep, without those far off the frontier."""
        points = []
        for params in method.sweep(self.options.nprobes):
            method.set(params)
            start = time.perf_counter()
            ids = method.all()
            seconds = time.perf_counter() - start
            recall, ties = self.set.recall(ids)
            points.append((params, recall, ties, seconds))
        best = max(points, key=lambda point: point[1])
        kept, fastest = [], float("inf")
        for point in sorted(points, key=lambda point: -point[1]):
            if point is best or point[3] < KEEP_FACTOR * fastest:
                kept.append(point)
            fastest = min(fastest, point[3])
        log(f"{method.name}: max recall {best[1]:.4f} ({best[2]:.4f} with ties) at {best[0]}, "
            f"{len(kept)} of {len(points)} points kept")
        return kept[::-1]

    def round(self, method, mode):
        """Times every point once; yields a JSON line for each. Mode "none" does not time."""
        if not hasattr(method, "overhead_us"):
            method.overhead_us = call_overhead(method)
        time_point = {"single": self.time_single, "batch": self.time_batch, "none": untimed}[mode]
        for params, recall, ties, _ in self.points[method.name]:
            method.set(params)
            yield {
                "method": method.name, "mode": mode, **params,
                "recall": recall, "recall_ties": ties, **time_point(method),
                "bytes_per_vector": method.file_bytes / self.set.n,
                "build_seconds": method.build_seconds, "call_overhead_us": method.overhead_us,
                **self.common,
            }

    def time_single(self, method):
        count, budget = len(self.set.queries), self.options.seconds * 1e9
        self.warm_up(method)
        clock, one, spent, taken = time.perf_counter_ns, method.one, 0, []
        gc.disable()
        cpu = time.process_time_ns()
        for query in range(count):
            start = clock()
            one(query)
            taken.append(clock() - start)
            spent += taken[-1]
            if spent > budget and query + 1 >= LEAST_TIMED:
                break
        cpu = time.process_time_ns() - cpu
        gc.enable()
        return {"qps": len(taken) / spent * 1e9, "qps_cpu": len(taken) / cpu * 1e9,
                "p50_us": np.percentile(taken, 50) / 1e3, "p99_us": np.percentile(taken, 99) / 1e3,
                "queries_timed": len(taken)}

    def warm_up(self, method):
        """Searches the first queries, all of them where there is time."""
        end = time.perf_counter() + WARM_UP * self.options.seconds
        for query in range(len(self.set.queries)):
            method.one(query)
            if time.perf_counter() > end:
                break

    def time_batch(self, method):
        cpu, start = time.process_time_ns(), time.perf_counter_ns()
        method.all()
        spent, cpu = time.perf_counter_ns() - start, time.process_time_ns() - cpu
        count = len(self.set.queries)
        return {"qps": count / spent * 1e9, "qps_cpu": count / cpu * 1e9,
                "queries_timed": count}


def untimed(_):
    return {"qps": None}


def call_overhead(method, calls=2000):
    """Median microseconds of a search call that finds nothing to do."""
    taken = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        method.empty_call()
        taken.append(time.perf_counter_ns() - start)
    return float(np.median(taken)) / 1e3


def serve(runner):
    """Line protocol: prints the methods' names; then for each line "NUMBER MODE" on stdin one
    round of that method: its JSON lines and an empty line."""
    print(json.dumps([method.name for method in runner.methods]), flush=True)
    for line in sys.stdin:
        number, mode = line.split()
        for point in runner.round(runner.methods[int(number)], mode):
            print(json.dumps(point))
        print(flush=True)


def main(runner):
    """Runs what the options ask for, once `runner.prepare` is done."""
    modes = runner.options.modes.split(",")
    if runner.options.serve:
        return serve(runner)
    lines = []
    for number in range(runner.options.repeats):
        for method in runner.methods:
            for mode in modes:
                lines += runner.round(method, mode)
        log(f"round {number + 1} of {runner.options.repeats} done")
    text = "".join(json.dumps(line) + "\n" for line in merge_rounds(lines))
    if runner.options.out == "-":
        sys.stdout.write(text)
    else:
        with open(runner.options.out, "a", encoding="utf-8") as file:
            file.write(text)
