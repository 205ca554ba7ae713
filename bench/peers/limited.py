"""One method while its memory is short, for bench/larger_than_memory.py, which limits it.

    limited.py choose --script S --spec M --data F --index I --target R    cheapest parameters
    limited.py search --script S --spec M --data F --index I --params P --threads N

`search` reads the set, prints {"ready": true} and waits for a line. Then it opens the index, and
prints a JSON line: {"open_seconds", "cold": {...}, "warm": {...}}. Cold are the first quarter of
the queries; the second quarter is not timed; warm is the other half. One query a call; several
threads each take the next query. A pass ends after --seconds.
"""

import argparse
import concurrent.futures
import ctypes
import gc
import importlib
import json
import os
import sys
import time
from types import SimpleNamespace

import numpy as np

import runner as shared

LEAST = 8  # queries of a pass, however long they take
MADV_RANDOM = 1


def arguments():
    parser = argparse.ArgumentParser(description="Searches one index.")
    parser.add_argument("action", choices=["choose", "search"])
    parser.add_argument("--script", required=True, help="runner of this folder, without .py")
    parser.add_argument("--spec", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--index", required=True)
    parser.add_argument("--nlist", type=int, default=4096)
    parser.add_argument("--flags", default="", help="of faiss.read_index, as IO_FLAG_MMAP")
    parser.add_argument("--random", action="store_true", help="MADV_RANDOM for the mapped index")
    parser.add_argument("--params", default="{}", help="of the search, JSON")
    parser.add_argument("--target", type=float, default=.95)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=60)
    return parser.parse_args()


def method_of(options):
    module = importlib.import_module(options.script)
    [make] = [one for one in vars(module).values() if isinstance(one, type) and
              issubclass(one, shared.Method) and one.__module__ == options.script]
    run = shared.Run(SimpleNamespace(data=options.data, k=10, build_threads=1, quick=True,
                                     nlist=options.nlist, nprobe="", centroids=""))
    method = make(run, options.spec)
    if options.flags:
        faiss = importlib.import_module("faiss")
        method.flags = getattr(faiss, options.flags)
    return method


def choose(method, options):
    """The first parameters of the sweep whose recall reaches the target, else the last."""
    method.load(options.index)
    for params in method.sweep():
        method.set(params)
        recall = method.run.set.recall(method.all(os.cpu_count()))[0]
        if recall >= options.target:
            break
    return {"params": params, "recall": recall}


def drop_pages(path):
    """Of a file that will not be read again."""
    with open(path, "rb") as file:
        os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def advise_random(path):
    """For every mapping of the file in this process."""
    madvise = ctypes.CDLL(None, use_errno=True).madvise
    madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
    advised = 0
    with open("/proc/self/maps", encoding="utf-8") as file:
        for line in file:
            if not line.rstrip("\n").endswith(os.path.realpath(path)):
                continue
            begin, end = (int(word, 16) for word in line.split()[0].split("-"))
            advised += madvise(begin, end - begin, MADV_RANDOM) == 0
    if not advised:
        raise SystemExit(f"limited: {path} is not mapped")


def bytes_read():
    """From the disk, for this process."""
    with open("/proc/self/io", encoding="ascii") as file:
        return int(dict(line.split(": ") for line in file)["read_bytes"])


class Pass:
    """Searches for some of the queries."""

    def __init__(self, method, threads, seconds):
        self.method, self.threads, self.seconds = method, threads, seconds
        self.pool = concurrent.futures.ThreadPoolExecutor(threads)

    def work(self, left, end):
        """Takes queries off `left`. [(query, nanoseconds, ids)]."""
        clock, answer, done = time.perf_counter_ns, self.method.answer, []
        while left and (clock() < end or len(done) * self.threads < LEAST):
            try:
                query = left.pop()
            except IndexError:  # another thread was faster
                break
            start = clock()
            ids = answer(query)
            done.append((query, clock() - start, np.array(ids)))
        return done

    def run(self, queries):
        """What one pass tells."""
        left = list(reversed(queries))
        before, start = bytes_read(), time.perf_counter_ns()
        end = start + int(1e9 * self.seconds)
        futures = [self.pool.submit(self.work, left, end) for _ in range(self.threads)]
        done = [one for future in futures for one in future.result()]
        spent = time.perf_counter_ns() - start
        taken = np.array([each[1] for each in done])
        nearest = self.method.run.set.nearest
        hits = [len(np.intersect1d(ids, nearest[query])) for query, _, ids in done]
        return {"queries": len(done), "qps": len(done) / spent * 1e9,
                "p50_ms": np.percentile(taken, 50) / 1e6, "p99_ms": np.percentile(taken, 99) / 1e6,
                "recall": float(np.mean(hits)) / self.method.run.set.k,
                "kb_read": (bytes_read() - before) / len(done) / 1e3}


def search(method, options):
    count = len(method.run.set.queries)
    drop_pages(options.data)
    gc.collect()
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()
    start = time.perf_counter()
    method.load(options.index)
    if options.random:
        advise_random(options.index)
    method.set(json.loads(options.params))
    opened = time.perf_counter() - start
    one = Pass(method, options.threads, options.seconds)
    cold = one.run(range(count // 4))
    one.run(range(count // 4, count // 2))
    return {"open_seconds": opened, "cold": cold, "warm": one.run(range(count // 2, count))}


def main():
    options = arguments()
    method = method_of(options)
    print(json.dumps((choose if options.action == "choose" else search)(method, options)),
          flush=True)


if __name__ == "__main__":
    main()
