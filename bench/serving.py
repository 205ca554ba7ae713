"""A query's time through Ray Serve beside the direct call, and how many shards it asks.

    serving.py [--n 100000] [--dim 96] [--shards 1 4 16] [--queries 300] [--out FILE]

Builds an index of generated vectors, serves it with one replica of each shard and one router, and
asks one query after the other: of the index in this process on one thread, through a handle of
Serve, and over HTTP with obliq.client. Then eight clients ask over HTTP at once. Medians, and the
95th percentile. Everything shares the CPUs of this machine. Needs obliq[ray].
"""

import argparse
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import obliq
import obliq.ray
import ray
from obliq.client import Client
from obliq.ray.commit import commit
from obliq.ray.layout import Shard, Version
from obliq.ray.store import Store
from ray import serve

PORT = 8123
K = 10


def draw(seed, n, dim):
    """Vectors of a few hundred directions each around many centres, as embeddings of texts lie."""
    rng, shape = np.random.default_rng(seed), np.random.default_rng(0)
    centres = shape.normal(size=(2000, dim))
    spread = shape.normal(size=(dim // 4, dim)) / np.sqrt(dim / 4)
    points = centres[rng.integers(len(centres), size=n)] * 0.6
    return (points + rng.normal(size=(n, dim // 4)) @ spread).astype(np.float32)


def publish(folder, n, dim):
    """The index as one file, committed."""
    path = pathlib.Path(folder) / "shards" / "one.obliq"
    path.parent.mkdir(parents=True)
    index = obliq.Index.build(draw(1, n, dim), path=path)
    shard = Shard("shards/one.obliq", n, 0, index.nlist, path.stat().st_size)
    commit(Store(folder), Version(number=0, layout="one", n=n, dim=dim, metric="l2",
                                  quantizer=index.stats().quantizer, nlist=index.nlist,
                                  model=shard.path, shards=[shard]))
    return index


def timed(ask, queries):
    """Milliseconds of each query, after some that are not counted, and the answers."""
    for query in queries[:20]:
        ask(query)
    times, found = [], []
    for query in queries:
        start = time.perf_counter()
        found.append(ask(query))
        times.append(1000 * (time.perf_counter() - start))
    return times, found


def row(name, times):
    return {"how": name, "median_ms": round(statistics.median(times), 2),
            "p95_ms": round(sorted(times)[int(0.95 * len(times))], 2)}


def measure(folder, shards, queries, truth):
    handle = serve.run(obliq.ray.app(folder, shards=shards, replicas=1, routers=1,
                                     cpus_per_shard=0.05, cpus_per_router=0.05))
    rows = []
    times, found = timed(lambda query: handle.search.remote(query, K).result(), queries)
    asked = float(np.mean([answers.asked.mean() for answers in found]))
    recall = np.mean([np.isin(true, answers.ids).mean() for true, answers in zip(truth, found)])
    rows.append({**row("handle", times), "recall": round(float(recall), 4)})
    with Client(f"http://127.0.0.1:{PORT}") as client:
        rows.append(row("http", timed(lambda query: client.search(query, K), queries)[0]))
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
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--dim", type=int, default=96)
    parser.add_argument("--shards", type=int, nargs="+", default=[1, 4, 16])
    parser.add_argument("--queries", type=int, default=300)
    parser.add_argument("--out", default="results/serving.jsonl")
    args = parser.parse_args()
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    with tempfile.TemporaryDirectory() as folder:
        index = publish(folder, args.n, args.dim)
        queries = draw(2, args.queries, args.dim)[:, np.newaxis]
        truth = index.search(queries[:, 0], K, nprobe=index.nlist, confidence=1).ids
        times, found = timed(lambda query: index.search(query, K, threads=1), queries)
        recall = np.mean([np.isin(true, answers.ids).mean()
                          for true, answers in zip(truth, found)])
        rows = [{**row("direct", times), "recall": round(float(recall), 4)}]
        ray.init(num_cpus=2, object_store_memory=200 << 20, include_dashboard=False,
                 log_to_driver=False)
        serve.start(http_options={"port": PORT})
        for shards in args.shards:
            rows += measure(folder, shards, queries, truth)
        serve.shutdown()
        ray.shutdown()
    os.makedirs(os.path.dirname(args.out) or ".", exist_ok=True)
    with open(args.out, "w") as file:
        for one in rows:
            file.write(json.dumps({"n": args.n, "dim": args.dim, **one}) + "\n")
            print(one)


if __name__ == "__main__":
    sys.exit(main())
