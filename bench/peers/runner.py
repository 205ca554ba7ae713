"""What the runners of all libraries share. A runner does one thing a process, and ends:

    X.py describe                       {"specs": what it runs by default, "versions": ...}
    X.py build  --spec S --data F ...   builds and saves; {"method", "path", "bytes", ...}
    X.py survey --spec S --data F ...   recall over the whole sweep: a JSON line per point kept
    X.py time   --spec S --data F ...   times points that it reads as JSON lines on stdin

A process for each keeps one library's threads, memory and crashes away from the others: those who
search never hold the base vectors, RSS is that of one index, and each round of a comparison starts
from a fresh address space. What is timed:
    single   one query per call, every call timed; QPS = queries / their total time. With several
             threads each sends its own share of the queries, one per call, and QPS = queries / time
    batch    all queries in one call
"""

import argparse
import concurrent.futures
import functools
import gc
import json
import os
import re
import sys
import time

import numpy as np

from benchmark_set import BenchmarkSet

WARM_UP = 0.25      # share of the budget of a timed pass that untimed queries get before it
LEAST_TIMED = 100   # queries a timed pass has, whatever its budget
KEEP_FACTOR = 2.0   # a point stays in the sweep if no more accurate one is this much faster
BIN_WIDTH, BIN_KEEPS = 0.25, 5
NPROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768,
           1024, 1536, 2048, 3072]


class Method:
    """One index of a library, as its users hold it. Subclasses build, save, load and search."""

    name = ""  # as shown, e.g. "faiss IVF1536,SQ8"; bench/families.py reads it

    def build(self):
        """Builds from run.set.base on run.build_threads. This call is timed."""
        raise NotImplementedError

    def save(self, path):
        """Writes the file or folder `path`: its bytes are the bytes of the method."""
        raise NotImplementedError

    def load(self, path):
        """Reads what save wrote, in a fresh process, and makes ready to search."""
        raise NotImplementedError

    def sweep(self):
        """List of dicts of search parameters, from low to high recall."""
        return [{"nprobe": nprobe} for nprobe in self.run.nprobes]

    def set(self, params):
        raise NotImplementedError

    def one(self, query):
        """Searches query number `query` alone on one thread. What it returns is ignored."""
        raise NotImplementedError

    def answer(self, query):
        """Ids [k] of query number `query`, searched alone on one thread."""
        raise NotImplementedError

    def all(self, threads):
        """Ids [queries][k] of one call with all queries."""
        raise NotImplementedError

    def empty_call(self):
        """The cheapest search call there is: what Python and the binding cost."""
        raise NotImplementedError


class Run:
    """What a method is told: the set, the lists, how to build."""

    def __init__(self, options):
        self.set = BenchmarkSet(options.data, options.k)
        self.build_threads = options.build_threads
        self.quick = options.quick
        self.nlist = options.nlist
        wanted = [int(word) for word in options.nprobe.split(",") if word] or NPROBES
        self.nprobes = sorted({min(nprobe, self.nlist) for nprobe in wanted} | {self.nlist})
        self.centroids_path = options.centroids

    @functools.cached_property
    def centroids(self):
        """float32 [nlist][dim], the same for all."""
        return np.load(self.centroids_path, allow_pickle=False)


# --- build -------------------------------------------------------------------------------------


def build(method, options, versions):
    """Builds and saves, unless the cache has it: then the build's record is read."""
    version = "-".join(versions.values())
    label = re.sub(r"[^A-Za-z0-9.]+", "_", f"{method.name} {version}").strip("_")
    path = os.path.join(options.cache, f"{label}-{options.checksum}-{options.nlist}")
    record = path + ".json"
    if not os.path.exists(record):
        assert len(method.run.set.base) == method.run.set.n  # reads it before the clock starts
        start = time.perf_counter()
        method.build()
        seconds = time.perf_counter() - start
        method.save(path)
        write_json(record, {"method": method.name, "path": path, "bytes": size_of(path),
                            "build_seconds": seconds, "build_threads": options.build_threads})
    with open(record, encoding="utf-8") as file:
        return json.load(file)


def write_json(path, value):
    """Whole or not at all."""
    with open(path + ".tmp", "w", encoding="utf-8") as file:
        json.dump(value, file)
    os.replace(path + ".tmp", path)


def size_of(path):
    """Bytes of a file, or of all files of a folder."""
    if os.path.isfile(path):
        return os.path.getsize(path)
    return sum(os.path.getsize(os.path.join(folder, name))
               for folder, _, names in os.walk(path) for name in names)


# --- survey ------------------------------------------------------------------------------------


def kept_survey(method, options):
    """The survey, from beside the index where the same one was made before."""
    effort = "quick" if options.quick else "full"
    asked = f"{options.k}-{options.nprobe or len(NPROBES)}-{effort}-{options.threads}"
    path = f"{options.index}-survey-{asked}.json"
    if not os.path.exists(path):
        write_json(path, survey(method, options))
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def survey(method, options):
    """Points of the sweep with their recalls, without those far off the frontier. Each carries
    `rss_bytes`, what loading and a hundred single queries added to the process, and
    `call_overhead_us`."""
    before = resident_bytes()
    method.load(options.index)
    points = [{"params": params} for params in method.sweep()]
    method.set(points[len(points) // 2]["params"])
    for query in range(min(LEAST_TIMED, len(method.run.set.queries))):
        method.one(query)
    constants = {"rss_bytes": resident_bytes() - before,
                 "call_overhead_us": call_overhead(method)}
    method.all(options.threads)  # starts its threads
    for point in points:
        method.set(point["params"])
        start = time.perf_counter()
        ids = method.all(options.threads)
        point["seconds"] = time.perf_counter() - start
        point["recall"], point["recall_ties"] = method.run.set.recall(ids)
        point.update(constants)
    return near_frontier(points)


def near_frontier(points):
    """The most accurate point, and the fastest ones of those that no more accurate one beats by
    KEEP_FACTOR in speed; in their order."""
    best = max(points, key=lambda point: point["recall"])
    kept, fastest = [], float("inf")
    for point in sorted(points, key=lambda point: -point["recall"]):
        if point["seconds"] < KEEP_FACTOR * fastest:
            kept.append(point)
        fastest = min(fastest, point["seconds"])
    chosen = [best] + thinned(kept)
    return [point for point in points if point in chosen]


def thinned(points):
    """The fastest BIN_KEEPS of all points whose recalls lie in one bin of BIN_WIDTH in logit."""
    bins = {}
    for point in sorted(points, key=lambda point: point["seconds"]):
        recall = min(max(point["recall"], 1e-4), 1 - 1e-4)
        bins.setdefault(int(np.log(recall / (1 - recall)) // BIN_WIDTH), []).append(point)
    return [point for group in bins.values() for point in group[:BIN_KEEPS]]


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def call_overhead(method, calls=2000):
    """Median microseconds of a search call that finds nothing to do."""
    taken = []
    for _ in range(calls):
        start = time.perf_counter_ns()
        method.empty_call()
        taken.append(time.perf_counter_ns() - start)
    return float(np.median(taken)) / 1e3


# --- time --------------------------------------------------------------------------------------


def time_points(method, options, points):
    """Yields a line for each point: its params and speed."""
    method.load(options.index)
    passes = {"single": time_single if options.threads == 1 else time_callers, "batch": time_batch}
    for point in points:
        method.set(point["params"])
        yield {"params": point["params"], **passes[options.mode](method, options)}


def time_single(method, options):
    count, budget = len(method.run.set.queries), options.seconds * 1e9
    warm_up(method, options)
    clock, one, spent, taken = time.perf_counter_ns, method.one, 0, []
    order = np.random.default_rng(0).permutation(count).tolist()  # a slow point sees a fair sample
    gc.disable()
    cpu = time.process_time_ns()
    for query in order:
        start = clock()
        one(query)
        taken.append(clock() - start)
        spent += taken[-1]
        if spent > budget and len(taken) >= LEAST_TIMED:
            break
    cpu = time.process_time_ns() - cpu
    gc.enable()
    return {"qps": len(taken) / spent * 1e9, "qps_cpu": len(taken) / cpu * 1e9,
            "p50_us": np.percentile(taken, 50) / 1e3, "p99_us": np.percentile(taken, 99) / 1e3,
            "queries_timed": len(taken)}


def warm_up(method, options):
    """Searches the first queries, all of them where there is time."""
    end = time.perf_counter() + WARM_UP * options.seconds
    for query in range(len(method.run.set.queries)):
        method.one(query)
        if time.perf_counter() > end:
            break


def time_callers(method, options):
    """Several threads, each with its share of the queries, one per call."""
    count, callers = len(method.run.set.queries), options.threads

    def call(first):
        for query in range(first, count, callers):
            method.one(query)

    warm_up(method, options)
    with concurrent.futures.ThreadPoolExecutor(callers) as pool:
        list(pool.map(call, [count - 1] * callers))  # starts the threads
        start = time.perf_counter_ns()
        list(pool.map(call, range(callers)))
        spent = time.perf_counter_ns() - start
    return {"qps": count / spent * 1e9, "queries_timed": count}


def time_batch(method, options):
    """At least one call, and as many as the budget holds after a first one that is not timed."""
    budget, calls, spent = options.seconds * 1e9, 0, 0
    start = time.perf_counter_ns()
    method.all(options.threads)
    first = time.perf_counter_ns() - start
    while not calls or spent + first < budget:
        start = time.perf_counter_ns()
        method.all(options.threads)
        spent += time.perf_counter_ns() - start
        calls += 1
    count = calls * len(method.run.set.queries)
    return {"qps": count / spent * 1e9, "queries_timed": count}


# -----------------------------------------------------------------------------------------------


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("action", choices=["describe", "build", "survey", "time"])
    parser.add_argument("--spec", help="the method; `describe` lists the default ones")
    parser.add_argument("--data", help="ann-benchmarks HDF5 file")
    parser.add_argument("--checksum", default="", help="of the data; names what is cached")
    parser.add_argument("--index", help="what build wrote")
    parser.add_argument("--cache", default="results/cache", help="where build writes")
    parser.add_argument("--centroids", help=".npy float32 [nlist][dim], in the set's space")
    parser.add_argument("--nlist", type=int, default=1024)
    parser.add_argument("--nprobe", default="", help="comma list; nlist itself is always added")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--mode", choices=["single", "batch"], default="single")
    parser.add_argument("--threads", type=int, default=1, help="of searches")
    parser.add_argument("--build-threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=1.0, help="budget of one timed pass")
    parser.add_argument("--quick", action="store_true", help="fewer points beside nprobe")
    return parser.parse_args()


def main(make, default, versions, description):
    """`make(run, spec)` is a Method; `default` a semicolon list of specs."""
    options = arguments(description)
    if options.action == "describe":
        print(json.dumps({"specs": default.split(";"), "versions": versions}))
        return
    method = make(Run(options), options.spec)
    if options.action == "build":
        print(json.dumps(build(method, options, versions)))
    elif options.action == "survey":
        for point in kept_survey(method, options):
            print(json.dumps(point))
    else:
        for line in time_points(method, options, [json.loads(text) for text in sys.stdin]):
            print(json.dumps(line), flush=True)
