"""Chooses quantizer and nprobe for a target recall: the fewest bytes first, then the fewest lists.

    python examples/choose.py [--target 0.95]

The way for data of your own: hold some queries back, find their true neighbours once by brute
force, then measure. Recall at a setting is a property of the data, not of the library.
"""

import argparse
import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

import obliq

Array = NDArray[np.float32]


def make_data(n: int, dim: int) -> tuple[Array, Array]:
    """Clustered vectors [n][dim] with a decaying spectrum, and 200 queries like them."""
    rng = np.random.default_rng(3)
    spread = np.arange(1, dim + 1) ** -0.4
    centres = rng.normal(size=(n // 100, dim)) * spread
    points = centres[rng.integers(len(centres), size=n + 200)]
    points = points + 0.6 * rng.normal(size=points.shape) * spread
    return points[:n].astype(np.float32), points[n:].astype(np.float32)


def true_neighbours(base: Array, queries: Array, k: int) -> NDArray[Any]:
    distances = (base**2).sum(1) - 2 * queries @ base.T
    return np.argpartition(distances, k, axis=1)[:, :k]


def recall_of(ids: NDArray[Any], truth: NDArray[Any]) -> float:
    return float(np.mean([np.isin(found, true).mean() for found, true in zip(ids, truth)]))


def smallest_nprobe(index: obliq.Index, queries: Array, truth: NDArray[Any],
                    target: float) -> tuple[int, float]:
    """The first nprobe of 1, 2, 4, ... that reaches the target, or all lists; and its recall."""
    nprobe = 1
    while True:
        recall = recall_of(index.search(queries, truth.shape[1], nprobe=nprobe).ids, truth)
        if recall >= target or nprobe >= index.stats().nlist:
            return nprobe, recall
        nprobe *= 2


def main() -> None:
    parser = argparse.ArgumentParser(description="Choose quantizer and nprobe.")
    parser.add_argument("--target", type=float, default=0.95, help="recall@10 to reach")
    target = parser.parse_args().target
    base, queries = make_data(n=20_000, dim=96)
    truth = true_neighbours(base, queries, k=10)

    chosen = None
    print(f"{'quantizer':10} {'bytes':>6} {'nprobe':>6} {'recall':>7} {'queries/s':>10}")
    for quantizer in ("lm2", "lm3", "lm4", "lm6", "sq8"):
        index = obliq.Index.build(base, quantizer=quantizer)
        nprobe, recall = smallest_nprobe(index, queries, truth, target)
        start = time.perf_counter()
        index.search(queries, nprobe=nprobe, threads=1)
        rate = len(queries) / (time.perf_counter() - start)
        print(f"{quantizer:10} {index.stats().bytes_per_vector:6.0f} {nprobe:6} {recall:7.3f} "
              f"{rate:10.0f}")
        if chosen is None and recall >= target:
            chosen = quantizer, nprobe
    assert chosen is not None, "no quantizer reaches it: keep raw='fp16' beside the codes"
    print(f"chosen for recall {target}: {chosen[0]} with nprobe={chosen[1]}")


if __name__ == "__main__":
    main()
