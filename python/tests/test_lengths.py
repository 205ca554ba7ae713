"""Lengths whose squares float32 does not hold: under cosine they mean nothing."""

import importlib.util
import pathlib
from typing import Any

import numpy as np
import pytest

import obliq

SIZES = [[1e-25], [1e-38], [1e25], [1, 1e-25, 1e25, 1e-38, 1e37]]
HELPERS = pathlib.Path(__file__).parents[2] / "bench" / "peers" / "benchmark_set.py"


def directions(n: int, seed: int) -> Any:
    return np.random.default_rng(seed).normal(size=(n, 12)).astype(np.float32)


def scaled(x: Any, sizes: list[float]) -> Any:
    return (x * np.resize(np.array(sizes), len(x))[:, None].astype(np.float64)).astype(np.float32)


@pytest.mark.parametrize("sizes", SIZES)
def test_cosine_looks_at_directions_alone(sizes: list[float]) -> None:
    base, queries = directions(500, 1), directions(20, 2)
    unit = base / np.linalg.norm(base, axis=1, keepdims=True)
    right = np.argsort(-queries @ unit.T, axis=1)[:, :5]
    index = obliq.Index.build(scaled(base, sizes), "cosine", preset="exact", nlist=8)
    distances, ids = index.search(scaled(queries, sizes), k=5, nprobe=8, confidence=1)
    np.testing.assert_array_equal(ids, right)
    own, _ = index.search(scaled(base, sizes)[:10], k=1, nprobe=8, confidence=1)
    np.testing.assert_allclose(own, 0, atol=1e-6)
    assert (distances > 0).all() and (distances < 1).all()


@pytest.mark.skipif(not HELPERS.exists(), reason="the benchmarks are not here")
@pytest.mark.parametrize("sizes", SIZES)
def test_benchmarks_make_unit_vectors_of_any_length(sizes: list[float]) -> None:
    pytest.importorskip("h5py")
    spec = importlib.util.spec_from_file_location("benchmark_set", HELPERS)
    assert spec is not None and spec.loader is not None
    helpers = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(helpers)
    rows = scaled(directions(50, 3), sizes)
    rows[7] = 0
    right = rows.astype(np.float64)
    right /= np.maximum(np.linalg.norm(right, axis=1, keepdims=True), 1e-60)
    helpers.normalise(rows)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, right, rtol=1e-5, atol=1e-7)
