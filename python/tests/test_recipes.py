"""The recipes of docs/python.md for umap-learn and hdbscan, on the sample.

umap-learn takes a minute to install and to compile itself: ./dev test --long has it."""

import pathlib
from typing import Any

import numpy as np
import pytest

h5py = pytest.importorskip("h5py")
pytest.importorskip("sklearn")

from sklearn.manifold import trustworthiness
from sklearn.metrics import adjusted_rand_score, pairwise_distances

from obliq.sklearn import ObliqNeighbors

SAMPLE = pathlib.Path(__file__).parents[2] / "datasets/sample/sample-384-angular.hdf5"


def sample(count: int) -> Any:
    with h5py.File(SAMPLE, "r") as file:
        return file["train"][:count]


def test_hdbscan_finds_the_clusters_of_all_distances_in_the_graph() -> None:
    hdbscan = pytest.importorskip("hdbscan")
    vectors = sample(1500)
    graph = ObliqNeighbors(15, metric="cosine").fit(vectors).kneighbors_graph(mode="distance")
    found = hdbscan.HDBSCAN(min_cluster_size=10, metric="precomputed").fit_predict(
        graph.maximum(graph.T))
    exact = hdbscan.HDBSCAN(min_cluster_size=10, metric="precomputed").fit_predict(
        pairwise_distances(vectors.astype(np.float64), metric="cosine"))
    assert len(set(exact)) > 2 and adjusted_rand_score(found, exact) > 0.95


def test_umap_takes_the_neighbours() -> None:
    umap = pytest.importorskip("umap", reason="umap-learn is not here: ./dev test --long has it")
    vectors = sample(1000)
    distances, ids = ObliqNeighbors(14, metric="cosine").fit(vectors).kneighbors()
    itself = np.arange(len(vectors))[:, None]
    knn = (np.hstack([itself, ids]), np.hstack([0 * itself, distances]))
    placed = umap.UMAP(n_neighbors=15, precomputed_knn=knn, random_state=1).fit_transform(vectors)
    assert placed.shape == (1000, 2)
    # A random placing has .5; umap-learn's own neighbours give about .9.
    assert trustworthiness(vectors, placed, metric="cosine") > 0.8
