"""What the runners of filtered searches share. A runner does one thing a process, and ends:

    filtered_X.py describe                       as runner.py
    filtered_X.py build --spec S --data F ...    as runner.py
    filtered_X.py tune  --spec S --data F ...    a JSON line per case: the cheapest parameters that
                                                 reach the target recall, and the recall reached
    filtered_X.py time  --spec S --data F ...    times the cases that it reads as JSON lines

A case is a kind of filter and a share of rows that pass (filter_cases.py); share null: the same
queries without a filter. A filter is made once for all queries that share it, which is timed apart
(`filter_us`); where a library takes a condition with each query and keeps nothing, making one is
free and evaluating it is part of the query. Searches are single: one query a call, one thread.

Every answer is held against the filter: one that does not pass ends the run.
"""

import argparse
import gc
import itertools
import json
import os
import sys
import time

import numpy as np

import runner as shared
from filter_cases import KINDS, SHARES, Cases, recall_of

LEAST_TIMED = 20  # queries of a group that a timed pass has, whatever its budget
WARM_UP = 10      # untimed queries of a group before
CLOSE_ENOUGH = 0.04  # of a parameter: it is not searched for more exactly


class FilteredMethod(shared.Method):
    """A method of runner.py that searches under filters."""

    takes_columns = False  # whether build stores the attributes

    def make_filter(self, column, bound):
        """What passes where the attribute self.cases.attribute(column) is less than the bound."""
        raise NotImplementedError

    def ready(self, chosen, value):
        """The next queries are under the filter `chosen` (None: none) with the parameter `value`
        of those of `ladder`."""
        raise NotImplementedError

    def ladder(self):
        """Values of the one parameter that is tuned, from low to high recall."""
        raise NotImplementedError

    def one(self, query):
        """Searches query number `query`. Timed."""
        raise NotImplementedError

    def ids_of(self, query, result):
        """The answers of `query`, where `one` returned `result`."""
        del query
        return result

    def between(self, low, high):
        """A value between two, None when they are close enough."""
        if isinstance(high, float):
            return (low + high) / 2 if high - low > 0.004 else None
        return (low + high) // 2 if high - low > max(1, CLOSE_ENOUGH * high) else None


# --- tune --------------------------------------------------------------------------------------


class Tuner:
    """Finds the parameter of every case; that of the case before, of the same kind, is where it
    looks first. Time limits the climb to higher parameters alone: the way down is cheap, and one
    that ended early would leave a method slower than it is."""

    def __init__(self, method, options):
        self.method, self.target, self.longest = method, options.target_recall, options.longest
        self.cases, self.ladder, self.place, self.kind = method.cases, method.ladder(), 0, None

    def tune(self, kind, share):
        """{"kind", "share", "value", "recall", "found", "reached"}. The least value that reaches
        the target, on the ladder and then between two of its steps; the highest that time allows
        where none does."""
        groups = [(group, filter_of(self.method, group))
                  for group in self.cases.groups(kind, share)]
        if kind != self.kind:
            self.kind, self.place = kind, 0
        self.end = time.perf_counter() + self.longest
        best, low = self.step(groups)
        while self.reached(best) and low is not None:
            middle = self.method.between(low, best["value"])
            if middle is None:
                break
            tried = self.measured(groups, middle)
            if self.reached(tried):
                best = tried
            else:
                low = middle
        return {"kind": kind, "share": share, **best, "reached": self.reached(best)}

    def reached(self, point):
        return point["recall"] >= self.target

    def step(self, groups):
        """(the point at the least step of the ladder that reaches the target, the value of the step
        below, which does not; None at the first); where none reaches it, the highest one tried."""
        best = self.measured(groups, self.ladder[self.place])
        low = None
        while not self.reached(best) and self.place + 1 < len(self.ladder) \
                and time.perf_counter() < self.end:
            low = self.ladder[self.place]
            self.place += 1
            best = self.measured(groups, self.ladder[self.place])
        while low is None and self.place > 0:
            tried = self.measured(groups, self.ladder[self.place - 1])
            if not self.reached(tried):
                return best, self.ladder[self.place - 1]
            self.place -= 1
            best = tried
        return best, low

    def measured(self, groups, value):
        """Recall over all groups; of a slow method over its first queries of each."""
        answers, truths = [], []
        for group, chosen in groups:
            self.method.ready(chosen, value)
            end = time.perf_counter() + self.longest / len(groups) / 4
            for number, query in enumerate(group.queries):
                if number >= LEAST_TIMED and time.perf_counter() > end:
                    break
                ids = np.array(self.method.ids_of(query, self.method.one(query)), dtype=np.int64)
                check(self.method, group, ids.ravel())
                answers.append(ids.ravel())
                truths.append(group.nearest[number])
        recall, found = recall_of(answers, truths)
        return {"value": value, "recall": recall, "found": found}


def kept_tuning(method, options):
    """The tuned cases, from beside the index where the same ones were made before."""
    asked = f"{options.k}-{options.target_recall}-{options.longest}-{options.nprobe}"
    path = f"{options.index}-tuning-{os.path.basename(options.cases)}-{asked}.json"
    if not os.path.exists(path):
        method.load(options.index)
        tuner = Tuner(method, options)
        shared.write_json(path, [tuner.tune(kind, share) for kind, share in
                                 itertools.product(KINDS, (None, *reversed(SHARES)))])
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def filter_of(method, group):
    return None if group.bound is None else method.make_filter(group.column, group.bound)


def check(method, group, ids):
    """Ends the program where an answer does not pass."""
    ids = ids[ids >= 0]
    if group.bound is not None and (method.cases.attribute(group.column)[ids] >= group.bound).any():
        raise SystemExit(f"{method.name} answers with vectors that the filter refuses: "
                         f"{group.column} < {group.bound}, answers {ids.tolist()}")


# --- time --------------------------------------------------------------------------------------


def time_case(method, case, seconds):
    """{"qps", "qps_cpu", "p50_us", "p99_us", "queries_timed", "filter_us"} of a case. `filter_us`
    is the median over the groups of the time to make their filter; none without a filter."""
    taken, making, cpu = [], [], 0
    for group in method.cases.groups(case["kind"], case["share"]):
        start = time.perf_counter_ns()
        chosen = filter_of(method, group)
        making.append((time.perf_counter_ns() - start) / 1e3)
        method.ready(chosen, case["value"])
        of_group, cpu_of_group = time_group(method, group.queries.tolist(), seconds)
        taken, cpu = taken + of_group, cpu + cpu_of_group
    line = {"qps": len(taken) / sum(taken) * 1e9, "qps_cpu": len(taken) / cpu * 1e9,
            "p50_us": np.percentile(taken, 50) / 1e3, "p99_us": np.percentile(taken, 99) / 1e3,
            "queries_timed": len(taken)}
    return line if case["share"] is None else line | {"filter_us": float(np.median(making))}


def time_group(method, queries, seconds):
    """(nanoseconds of each query, CPU time of all): over and over until `seconds` are spent, once
    at least unless that is four times as long."""
    clock, one, spent, taken = time.perf_counter_ns, method.one, 0, []
    warm_until = clock() + seconds * 1e9
    for query in itertools.islice(itertools.cycle(queries), WARM_UP):
        one(query)
        if clock() > warm_until:
            break
    gc.disable()
    cpu = time.process_time_ns()
    for query in itertools.cycle(queries):
        start = clock()
        one(query)
        taken.append(clock() - start)
        spent += taken[-1]
        # Whole passes, so that easy and hard queries count alike; a slow method stops within one.
        enough = len(taken) % len(queries) == 0 or spent > 4e9 * seconds
        if spent > seconds * 1e9 and enough and len(taken) >= LEAST_TIMED:
            break
    cpu = time.process_time_ns() - cpu
    gc.enable()
    return taken, cpu


# -----------------------------------------------------------------------------------------------


def arguments(description):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("action", choices=["describe", "build", "tune", "time"])
    parser.add_argument("--spec", help="the method; `describe` lists the default ones")
    parser.add_argument("--data", help="ann-benchmarks HDF5 file")
    parser.add_argument("--cases", help="what filter_cases.py made of it")
    parser.add_argument("--checksum", default="", help="of the data; names what is cached")
    parser.add_argument("--index", help="what build wrote")
    parser.add_argument("--cache", default="results/cache", help="where build writes")
    parser.add_argument("--centroids", help=".npy float32 [nlist][dim], in the set's space")
    parser.add_argument("--nlist", type=int, default=1024)
    parser.add_argument("--nprobe", default="")
    parser.add_argument("--k", type=int, default=10)
    parser.add_argument("--target-recall", type=float, default=0.95)
    parser.add_argument("--build-threads", type=int, default=os.cpu_count())
    parser.add_argument("--seconds", type=float, default=0.05, help="of a timed group")
    parser.add_argument("--longest", type=float, default=30, help="seconds to tune a case")
    parser.add_argument("--quick", action="store_true")
    return parser.parse_args()


def main(make, default, versions, description):
    """`make(run, spec)` is a FilteredMethod; `default` a list of specs."""
    options = arguments(description)
    if options.action == "describe":
        print(json.dumps({"specs": default, "versions": versions}))
        return
    method = make(shared.Run(options), options.spec)
    method.cases, method.target_recall = Cases(options.cases), options.target_recall
    if options.action == "build":
        print(json.dumps(shared.build(method, options, versions)))
        return
    if options.action == "tune":
        for case in kept_tuning(method, options):
            print(json.dumps(case))
        return
    method.load(options.index)
    for case in map(json.loads, sys.stdin):
        print(json.dumps({"kind": case["kind"], "share": case["share"],
                          **time_case(method, case, options.seconds)}), flush=True)
