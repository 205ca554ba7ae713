"""A query's time through Ray Serve beside the direct call, and how many shards it asks.

    serving.py [--dataset FILE] [--n N] [--shards 1 4 16] [--queries 300] [--out FILE]

Builds an index of 16 ranges of lists with obliq.ray.build, of an ann-benchmarks HDF5 file (default:
the sample) or, with --n, of so many generated vectors of 96 dimensions. Serves it with one replica
of each shard and one router, and asks one query after the other: of the index of one file in this
process on one thread, through a handle of Serve, and over HTTP with obliq.client. Then eight
clients ask over HTTP at once. Everything shares the CPUs of this machine, so that the CPU time of
a query, of all processes together, tells more than its time. Needs obliq[ray], h5py and psutil.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import psutil
import pyarrow as pa
import ray
import ray.data
from ray import serve

import obliq
import obliq.ray
from drawn import draw
from obliq.client import Client

PORT = 8123
K = 10
SAMPLE = "datasets/sample/sample-384-angular.hdf5"
FILES = 16


def read_set(args):
    """Base, queries and metric."""
    if args.n:
        return draw(1, args.n, 96), draw(2, args.queries, 96), "l2"
    import h5py
    with h5py.File(args.dataset) as file:
        metric = {"angular": "cosine", "euclidean": "l2"}[file.attrs.get("distance", "angular")]
        return np.array(file["train"]), np.array(file["test"])[:args.queries], metric


def publish(folder, base, metric):
    """Commits ranges of lists, and returns the index of one file."""
    flat = pa.array(np.ascontiguousarray(base).reshape(-1))
    table = pa.table({"id": np.arange(len(base)),
                      "embedding": pa.FixedSizeListArray.from_arrays(flat, base.shape[1])})
    obliq.ray.build(ray.data.from_arrow(table), folder, metric=metric, preset="fast",
                    merge=f"ranges:{FILES}", concurrency=1)
    return obliq.Index.build(base, metric)


def timed(ask, queries):
    """Milliseconds of each query, after some that are not counted, and the answers."""
    for query in queries[:20]:
        ask(query)
    times, found, cpu = [], [], cpu_seconds()
    for query in queries:
        start = time.perf_counter()
        found.append(ask(query))
        times.append(1000 * (time.perf_counter() - start))
    cpu = 1000 * (cpu_seconds() - cpu) / len(queries)
    return {"median_ms": round(statistics.median(times), 3),
            "p95_ms": round(sorted(times)[int(0.95 * len(times))], 3),
            "cpu_ms": round(cpu, 2)}, found


def cpu_seconds():
    """Of this process and all that Ray has started for it."""
    total, process = 0.0, psutil.Process()
    for one in (process, *process.children(recursive=True)):
        try:
            total += sum(one.cpu_times()[:2])
        except psutil.Error:  # it has ended
            continue
    return total


def recall_of(truth, found):
    """Of what all lists give."""
    return float(np.mean([np.isin(true, answers.ids).mean()
                          for true, answers in zip(truth, found)]))


def measure(folder, shards, queries, truth):
    handle = serve.run(obliq.ray.app(folder, shards=shards, replicas=1, routers=1,
                                     cpus_per_shard=0.05, cpus_per_router=0.05))
    rows = []
    times, found = timed(lambda query: handle.search.remote(query, K).result(), queries)
    asked = float(np.mean([answers.asked.mean() for answers in found]))
    rows.append({"how": "handle", **times, "recall": round(recall_of(truth, found), 4)})
    with Client(f"http://127.0.0.1:{PORT}") as client:
        rows.append({"how": "http", **timed(lambda query: client.search(query, K), queries)[0]})
        many = [queries[:64, 0]] * 20
        rows.append({"how": "http, 64 queries in one",
                     **timed(lambda some: client.search(some, K), many)[0]})
        start = time.perf_counter()
        with ThreadPoolExecutor(8) as threads:
            list(threads.map(lambda query: client.search(query, K), queries))
        rate = len(queries) / (time.perf_counter() - start)
    rows.append({"how": "http, 8 at once", "qps": round(rate)})
    serve.delete("default")
    return [{"shards": shards, "asked": round(asked, 2),
             "share_asked": round(asked / shards, 3), **one} for one in rows]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dataset", default=SAMPLE)
    parser.add_argument("--n", type=int, default=0)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--out", default="results/serving.jsonl")
    args = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    base, queries, metric = read_set(args)
    with tempfile.TemporaryDirectory() as folder:
        ray.init(num_cpus=3, object_store_memory=200 << 20, include_dashboard=False,
                 log_to_driver=False)
        index = publish(folder, base, metric)
        truth = index.search(queries, K, nprobe=index.nlist, confidence=1).ids
        queries = queries[:, np.newaxis]
        times, found = timed(lambda query: index.search(query, K, threads=1), queries)
        rows = [{"how": "direct", **times, "recall": round(recall_of(truth, found), 4)}]
        serve.start(http_options={"port": PORT})
        for shards in args.shards:
            rows += measure(folder, shards, queries, truth)
        serve.shutdown()
        ray.shutdown()
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    with open(args.out, "w") as file:
        for one in rows:
            file.write(json.dumps({"n": len(base), "dim": base.shape[1], **one}) + "\n")
            print(one)


if __name__ == "__main__":
    sys.exit(main())
