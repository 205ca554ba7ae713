"""obliq.sklearn.ObliqNeighbors beside scikit-learn's exact NearestNeighbors."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.cluster import DBSCAN
from sklearn.datasets import make_blobs
from sklearn.neighbors import NearestNeighbors

from obliq.sklearn import ObliqNeighbors

X, LABELS = make_blobs(500, n_features=10, centers=4, cluster_std=2.0, random_state=1)
QUERIES = X[::7] + 0.1
METRICS = {"euclidean": 7.0, "sqeuclidean": 49.0, "cosine": 0.05}  # and a radius that some are in


def ours(metric: str, dtype: Any = np.float64, **options: Any) -> ObliqNeighbors:
    return ObliqNeighbors(7, METRICS[metric], metric=metric, nprobe=10_000, confidence=1.0,
                          **options).fit(X.astype(dtype))


def theirs(metric: str) -> NearestNeighbors:
    return NearestNeighbors(n_neighbors=7, radius=METRICS[metric], metric=metric,
                            algorithm="brute").fit(X)


@pytest.mark.parametrize("queries", [None, QUERIES])
@pytest.mark.parametrize("metric", METRICS)
def test_kneighbors_are_those_of_scikit_learn(metric: str, queries: Any) -> None:
    distances, ids = ours(metric).kneighbors(queries)
    exact, exact_ids = theirs(metric).kneighbors(queries)
    np.testing.assert_array_equal(ids, exact_ids)
    # float32 sums of squares up to 1e3; theirs are float64
    np.testing.assert_allclose(distances, exact, rtol=1e-4, atol=1e-5)
    assert distances.dtype == np.float64
    np.testing.assert_array_equal(ours(metric).kneighbors(queries, 3, return_distance=False),
                                  exact_ids[:, :3])


@pytest.mark.parametrize("queries", [None, QUERIES])
@pytest.mark.parametrize("metric", METRICS)
def test_radius_neighbors_are_those_of_scikit_learn(metric: str, queries: Any) -> None:
    distances, ids = ours(metric).radius_neighbors(queries)
    exact, exact_ids = theirs(metric).radius_neighbors(queries, sort_results=True)
    assert len(ids) == len(exact_ids) and 1 < np.mean([len(row) for row in ids]) < 400
    for row in range(len(ids)):
        assert set(ids[row]) == set(exact_ids[row])
        np.testing.assert_allclose(distances[row], exact[row], rtol=1e-4, atol=1e-5)
    few = ours(metric).radius_neighbors(queries, METRICS[metric] / 100, return_distance=False)
    assert few.dtype == object and sum(map(len, few)) < sum(map(len, ids))


@pytest.mark.parametrize("mode", ["connectivity", "distance"])
@pytest.mark.parametrize("queries", [None, QUERIES])
def test_graphs_are_those_of_scikit_learn(queries: Any, mode: Any) -> None:
    for method in ("kneighbors_graph", "radius_neighbors_graph"):
        graph = getattr(ours("euclidean"), method)(queries, mode=mode)
        exact = getattr(theirs("euclidean"), method)(queries, mode=mode)
        assert graph.shape == exact.shape and graph.nnz == exact.nnz
        np.testing.assert_allclose(graph.toarray(), exact.toarray(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("radius", [0.1, 0.3, 1 / 3, 5.0, 1e-4, 12345.678])
def test_what_lies_at_the_radius_is_within(radius: float) -> None:
    line = np.array([[0.0, 0.0], [radius, 0.0], [0.0, -radius], [1.001 * radius, 0.0]])
    squared = float(np.float32(radius) ** 2)  # as the distances, in float32
    for metric, limit in (("euclidean", radius), ("sqeuclidean", squared)):
        ids = ObliqNeighbors(radius=limit, metric=metric).fit(line).radius_neighbors(
            line[:1], return_distance=False)
        assert sorted(ids[0]) == [0, 1, 2], metric


def test_equal_rows_make_arrays_of_arrays() -> None:
    found = ObliqNeighbors(radius=0.5).fit(np.eye(3)).radius_neighbors(np.eye(3))
    assert [part.shape for part in found] == [(3,), (3,)] and found[0].dtype == object
    assert [list(row) for row in found[1]] == [[0], [1], [2]]


def test_copies_of_a_sample_are_its_neighbours_and_it_is_not() -> None:
    copies = np.repeat(np.eye(2), 6, axis=0)
    distances, ids = ObliqNeighbors(3).fit(copies).kneighbors()
    assert (distances == 0).all() and not (ids == np.arange(12)[:, None]).any()
    assert ((ids < 6) == (np.arange(12) < 6)[:, None]).all()


def test_inner_products_are_negated_and_the_largest_first() -> None:
    fitted = ObliqNeighbors(5, metric="inner_product", nprobe=10_000, confidence=1.0).fit(X)
    products = QUERIES @ X.T
    distances, ids = fitted.kneighbors(QUERIES)
    np.testing.assert_allclose(-distances, -np.sort(-products)[:, :5], rtol=1e-5)
    least = float(np.median(products.max(1)))
    within = fitted.radius_neighbors(QUERIES, -least, return_distance=False)
    assert [len(row) for row in within] == list((products >= least).sum(1))
    assert fitted.kneighbors()[1].shape == (500, 5)


def test_types_of_distances_are_those_of_the_queries() -> None:
    fitted = ours("euclidean", np.float32)
    assert fitted.kneighbors()[0].dtype == np.float32
    assert fitted.radius_neighbors(QUERIES)[0][0].dtype == np.float64


def test_dbscan_takes_its_graph() -> None:
    graph = ours("euclidean").radius_neighbors_graph(mode="distance")
    labels = DBSCAN(eps=5.0, metric="precomputed").fit_predict(graph)
    assert (labels == DBSCAN(eps=5.0).fit_predict(X)).all()


@pytest.mark.parametrize("call", [dict(n_neighbors=0), dict(n_neighbors=500), dict(n_neighbors=-2)])
def test_wrong_numbers_of_neighbours_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="n_neighbors"):
        ours("euclidean").kneighbors(**call)
    with pytest.raises(TypeError, match="integer"):
        ours("euclidean").kneighbors(n_neighbors=2.5)  # type: ignore[arg-type]


def test_wrong_modes_and_metrics_are_refused() -> None:
    with pytest.raises(ValueError, match="mode must be"):
        ours("euclidean").kneighbors_graph(mode="graph")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="unknown metric 'l1'; valid: euclidean, .*inner_product"):
        ObliqNeighbors(metric="l1").fit(X)
    assert clone(ours("cosine", n_jobs=2)).get_params()["n_jobs"] == 2
