"""A stand-in for vibe.runner: the calls that it makes, and what it does with their answers."""

from typing import Any, Tuple

import numpy as np


def build_index(algo: Any, constructor_name: str, X_train: Any, X_learn: Any,
                X_learn_neighbors: Any) -> Tuple[float, float]:
    before = algo.get_memory_usage()
    if X_learn is None or X_learn_neighbors is None:
        algo.fit(X_train)
    else:
        algo.fit_ood(X_train, X_learn, X_learn_neighbors)
    return 0.0, algo.get_memory_usage() - before


def run_individual_query(algo: Any, X_train: Any, X_test: Any, distance: str, count: int,
                         run_count: int, gpu: bool) -> Tuple[Any, Any]:
    assert not gpu
    results = []
    for _ in range(run_count):
        results = []
        for query in X_test:
            candidates = algo.query(query, count)
            distances = -(X_train[candidates].astype(np.float32) @ query.astype(np.float32))
            results.append((1.0, [(int(i), float(d)) for i, d in zip(candidates, distances)]))
    found = sum(len(answers) for _, answers in results) / len(X_test)
    return {"name": str(algo), "candidates": found, "distance": distance, "count": int(count),
            **algo.get_additional()}, results
