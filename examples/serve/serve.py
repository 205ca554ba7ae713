"""Builds an index of 20,000 vectors, serves it on this machine, and asks it over HTTP and through a
handle; then publishes another version while it is asked.

    pip install 'obliq[ray]'
    python examples/serve/serve.py [FOLDER]

On a cluster: serve deploy examples/serve/serve.yaml, with the url of an index that
obliq.ray.build has committed.
"""

from __future__ import annotations

import json
import pathlib
import sys
import tempfile
import time
import urllib.request

import numpy as np

import obliq
import obliq.ray
import ray
from obliq.client import Client
from obliq.ray.commit import commit
from obliq.ray.layout import Shard, Version
from obliq.ray.store import Store
from ray import serve

DIM, SHARDS = 32, 2


def draw(seed: int, n: int) -> np.ndarray:
    """Vectors in a hundred groups."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(size=(100, DIM))
    return (centres[rng.integers(100, size=n)] + 0.5 * rng.normal(size=(n, DIM))).astype(np.float32)


def publish(folder: str, seed: int) -> int:
    """Commits an index of one file; obliq.ray.build does the same of a ray.data.Dataset."""
    base = draw(seed, 20_000)
    path = pathlib.Path(folder) / "shards" / f"{seed}.obliq"
    path.parent.mkdir(parents=True, exist_ok=True)
    index = obliq.Index.build(base, path=path, columns={"year": 2000 + np.arange(len(base)) % 25})
    shard = Shard(f"shards/{seed}.obliq", len(index), 0, index.nlist, path.stat().st_size)
    return commit(Store(folder), Version(
        number=0, layout="one", n=len(index), dim=DIM, metric="l2",
        quantizer=index.stats().quantizer, nlist=index.nlist, model=shard.path, shards=[shard],
        columns=dict(index.columns))).number


def main(folder: str) -> None:
    publish(folder, 1)
    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
    handle = serve.run(obliq.ray.app(folder, shards=SHARDS, replicas=1, routers=1, poll_s=0.5,
                                     cpus_per_shard=0.25, cpus_per_router=0.25))
    queries = draw(9, 3)

    body = json.dumps({"queries": queries.tolist(), "k": 3, "filter": "year >= ?",
                       "params": [2015], "columns": ["year"]}).encode()
    request = urllib.request.Request("http://127.0.0.1:8000/search", body,
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as reply:
        print("JSON:  ", reply.read().decode())

    with Client("http://127.0.0.1:8000") as client:
        found = client.search(queries, k=3, filter="year >= ?", params=[2015])
        print("client:", found.ids.tolist(), "of version", found.version)

        answers = handle.search.remote(queries, k=3, target_recall=0.9).result()
        print("handle:", answers.ids.tolist())

        publish(folder, 2)
        while client.search(queries, k=3).version == 1:
            time.sleep(0.1)
        print("client:", client.search(queries, k=3).ids.tolist(), "of version 2")
    serve.shutdown()
    ray.shutdown()


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(sys.argv[1])
    else:
        with tempfile.TemporaryDirectory() as made:
            main(made)
