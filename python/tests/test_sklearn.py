"""obliq.sklearn against scikit-learn's own checks and its exact transformer."""

from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn")

from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.neighbors import KNeighborsClassifier, KNeighborsTransformer
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from obliq.sklearn import ObliqNeighbors, ObliqTransformer

X, LABELS = make_blobs(600, n_features=12, centers=4, cluster_std=3.0, random_state=1)


@parametrize_with_checks([ObliqTransformer(), ObliqTransformer(mode="connectivity"),
                          ObliqTransformer(metric="cosine", preset="fast", n_neighbors=3),
                          ObliqNeighbors(), ObliqNeighbors(metric="inner_product", radius=0.5)])
def test_scikit_learn_accepts_it(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.mark.parametrize("metric", ["euclidean", "sqeuclidean", "cosine"])
@pytest.mark.parametrize("mode", ["distance", "connectivity"])
def test_with_every_list_it_is_the_exact_transformer(metric: str, mode: Any) -> None:
    ours = ObliqTransformer(7, mode=mode, metric=metric, nprobe=10_000, confidence=1)
    theirs = KNeighborsTransformer(n_neighbors=7, mode=mode, metric=metric)
    graph, exact = ours.fit_transform(X), theirs.fit_transform(X)
    assert graph.shape == exact.shape and graph.nnz == exact.nnz
    # float32 sums of squares up to 1e4; theirs are float64
    np.testing.assert_allclose(graph.toarray(), exact.toarray(), rtol=1e-4, atol=1e-5)
    assert (np.diff(graph.data.reshape(len(X), -1), axis=1) >= 0).all()


def test_every_row_is_full_even_when_its_lists_are_not() -> None:
    graph = ObliqTransformer(20, nlist=100, nprobe=1).fit_transform(X)
    assert (np.diff(graph.indptr) == 21).all() and graph.indices.min() >= 0


def test_by_default_it_finds_most_neighbours_of_many_samples() -> None:
    many = np.random.default_rng(1).normal(size=(3000, 16))
    ours = ObliqTransformer(10, mode="connectivity").fit_transform(many)
    exact = KNeighborsTransformer(n_neighbors=10, mode="connectivity").fit_transform(many)
    assert ours.nnz == exact.nnz and ours.multiply(exact).nnz > 0.93 * exact.nnz


def test_masked_arrays_are_refused() -> None:
    masked = np.ma.masked_greater(X, 5)
    with pytest.raises(ValueError, match="masked array with"):
        ObliqTransformer().fit(masked)
    with pytest.raises(ValueError, match="masked array with"):
        ObliqTransformer().fit(X).transform(masked)


def test_it_stands_before_a_classifier() -> None:
    model = make_pipeline(ObliqTransformer(5), KNeighborsClassifier(5, metric="precomputed"))
    assert model.fit(X[:500], LABELS[:500]).score(X[500:], LABELS[500:]) > 0.95
    assert list(clone(model[0]).fit(X).get_feature_names_out()[:1]) == ["obliqtransformer0"]


@pytest.mark.parametrize("wrong", [dict(mode="graph"), dict(metric="ip"), dict(n_neighbors=600),
                                   dict(n_neighbors=-1), dict(preset="best")])
def test_wrong_parameters_are_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):
        ObliqTransformer(**wrong).fit_transform(X)
