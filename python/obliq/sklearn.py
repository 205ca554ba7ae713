"""The index in scikit-learn: a transformer, to put before estimators that take a neighbour graph,
and the searches of sklearn.neighbors.NearestNeighbors.

    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from obliq.sklearn import ObliqNeighbors, ObliqTransformer

    model = make_pipeline(ObliqTransformer(n_neighbors=5),
                          KNeighborsClassifier(n_neighbors=5, metric="precomputed"))
    distances, indices = ObliqNeighbors(n_neighbors=5).fit(X).kneighbors(queries)

They keep the rules of sklearn.neighbors.KNeighborsTransformer and NearestNeighbors: a sparse graph,
rows sorted by distance, each sample its own neighbour in fit_transform and none in kneighbors().
pip install obliq[sklearn].
"""

from __future__ import annotations

from typing import Any, Literal, Optional, Union

import numpy as np
from joblib import effective_n_jobs
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

from obliq.arrays import refuse_masked
from obliq.index import Index, Metric, Preset

_METRICS: dict[str, Metric] = {"euclidean": "l2", "sqeuclidean": "l2", "cosine": "cosine"}
_DOT: dict[str, Metric] = {"inner_product": "ip"}  # no distance: a graph must not hold it
_TYPES = [np.float64, np.float32]


class _Indexed(BaseEstimator):
    """What is fitted by building an index."""

    def _build(self, X: Any, metrics: dict[str, Metric]) -> Any:
        """Builds the index over X [n_samples][n_features], which it returns checked. Raises
        ValueError for an unknown metric."""
        if self.metric not in metrics:
            raise ValueError(f"unknown metric {self.metric!r}; valid: {', '.join(metrics)}")
        refuse_masked(X, "X")
        X = validate_data(self, X, dtype=_TYPES)
        seed = int(check_random_state(self.random_state).randint(1 << 31))
        self.index_ = Index.build(X, metrics[self.metric], self.quantizer, preset=self.preset,
                                  nlist=self.nlist, seed=seed, threads=self._threads())
        self.n_samples_fit_ = len(self.index_)
        return X

    def _queries(self, X: Any) -> Any:
        check_is_fitted(self)
        refuse_masked(X, "X")
        return validate_data(self, X, dtype=_TYPES, reset=False)

    def _search(self, X: Any, k: int) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """(distances of X's type, indices), [n_queries][k]. Raises ValueError where fewer samples
        were fitted."""
        if not 0 < k <= self.n_samples_fit_:
            raise ValueError(f"Expected 0 < n_neighbors <= n_samples_fit, but n_neighbors = {k}, "
                             f"n_samples_fit = {self.n_samples_fit_}, n_samples = {X.shape[0]}")
        distances, ids = self.index_.search(X, k, nprobe=self.nprobe, confidence=self.confidence,
                                            threads=self._threads())
        return self._values(distances).astype(X.dtype), ids

    def _graph(self, X: Any, values: Any, ids: Any, starts: Any) -> csr_matrix:
        return csr_matrix((values, ids, starts), shape=(X.shape[0], self.n_samples_fit_))

    def _values(self, distances: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances as the metric has them."""
        return np.sqrt(distances) if self.metric == "euclidean" else distances

    def _threads(self) -> int:
        return int(effective_n_jobs(self.n_jobs))


class ObliqTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Indexed):
    """Turns vectors into the sparse graph of their approximate nearest neighbours.

    n_neighbors   neighbours per row; "distance" keeps one more, since a fitted sample finds itself
    mode          "distance": distances; "connectivity": ones
    metric        "euclidean", "sqeuclidean" or "cosine"
    preset, quantizer, nlist   as in Index.build; "exact" gives exact distances
    nprobe        lists that a query scans; None: as many as Index.search scans by default
    confidence    as in Index.search; with all lists scanned, 1 gives the exact graph
    n_jobs        threads, as everywhere in scikit-learn: None is 1, -1 all cores
    random_state  draws the seed of the index

    Fitted: index_ (obliq.Index), n_samples_fit_, n_features_in_.
    """

    def __init__(self, n_neighbors: int = 5, *,
                 mode: Literal["distance", "connectivity"] = "distance", metric: str = "euclidean",
                 preset: Preset = "exact", quantizer: Optional[str] = None,
                 nlist: Union[int, Literal["auto"]] = "auto",
                 nprobe: Optional[int] = None, confidence: float = 0.964,
                 n_jobs: Optional[int] = None, random_state: Any = 1) -> None:
        self.n_neighbors = n_neighbors
        self.mode = mode
        self.metric = metric
        self.preset = preset
        self.quantizer = quantizer
        self.nlist = nlist
        self.nprobe = nprobe
        self.confidence = confidence
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> ObliqTransformer:
        """Builds the index over X [n_samples][n_features]; y is ignored. Raises ValueError for an
        unknown mode or metric."""
        if self.mode not in ("distance", "connectivity"):
            raise ValueError(f"mode must be 'distance' or 'connectivity', not {self.mode!r}")
        self._build(X, _METRICS)
        self._n_features_out = self.n_samples_fit_
        return self

    def transform(self, X: Any) -> csr_matrix:
        """The graph [n_queries][n_samples_fit] of X's neighbours among the fitted samples, with
        n_neighbors (+ 1 in mode "distance") entries per row, nearest first. Raises ValueError when
        fewer samples than that were fitted."""
        X = self._queries(X)
        k = self.n_neighbors + (self.mode == "distance")
        distances, ids = self._search(X, k)
        values = distances if self.mode == "distance" else np.ones(ids.shape, X.dtype)
        return self._graph(X, values.ravel(), ids.ravel(), np.arange(0, ids.size + 1, k))

    def fit_transform(self, X: Any, y: Any = None) -> csr_matrix:
        """fit(X), then transform(X)."""
        return self.fit(X).transform(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


class ObliqNeighbors(_Indexed):
    """Searches for neighbours as sklearn.neighbors.NearestNeighbors has them.

    n_neighbors   neighbours that kneighbors finds, radius: distance within which
                  radius_neighbors does, unless the calls say otherwise
    metric        "euclidean", "sqeuclidean", "cosine" or "inner_product": the negated product,
                  which is no distance
    preset, quantizer, nlist, nprobe, confidence, n_jobs, random_state   as in ObliqTransformer;
                  with the preset "exact" radius_neighbors finds all

    Without X the fitted samples are the queries, each without itself. Distances are computed in
    float32, and have the type of X.

    Fitted: index_ (obliq.Index), n_samples_fit_, n_features_in_. Keeps the samples besides.
    """

    def __init__(self, n_neighbors: int = 5, radius: float = 1.0, *, metric: str = "euclidean",
                 preset: Preset = "exact", quantizer: Optional[str] = None,
                 nlist: Union[int, Literal["auto"]] = "auto",
                 nprobe: Optional[int] = None, confidence: float = 0.964,
                 n_jobs: Optional[int] = None, random_state: Any = 1) -> None:
        self.n_neighbors = n_neighbors
        self.radius = radius
        self.metric = metric
        self.preset = preset
        self.quantizer = quantizer
        self.nlist = nlist
        self.nprobe = nprobe
        self.confidence = confidence
        self.n_jobs = n_jobs
        self.random_state = random_state

    def fit(self, X: Any, y: Any = None) -> ObliqNeighbors:
        """Builds the index over X [n_samples][n_features]; y is ignored. Raises ValueError for an
        unknown metric."""
        self._fit_X = self._build(X, {**_METRICS, **_DOT})
        return self

    def kneighbors(self, X: Any = None, n_neighbors: Optional[int] = None,
                   return_distance: bool = True) -> Any:
        """(distances, indices), [n_queries][n_neighbors], nearest first; without return_distance
        the indices. Raises ValueError when too few samples were fitted."""
        check_is_fitted(self)
        k = self._count(n_neighbors)
        if X is None:
            distances, ids = self._search(self._fit_X, k + 1)
            others = ids != np.arange(len(ids))[:, None]
            others[others.all(1), -1] = False  # more copies of the sample than neighbours
            distances, ids = (part[others].reshape(-1, k) for part in (distances, ids))
        else:
            distances, ids = self._search(self._queries(X), k)
        return (distances, ids) if return_distance else ids

    def radius_neighbors(self, X: Any = None, radius: Optional[float] = None,
                         return_distance: bool = True, sort_results: bool = False) -> Any:
        """(distances, indices) of all samples within the radius, at it too: arrays [n_queries] of
        arrays, nearest first whatever sort_results says; without return_distance the indices."""
        distances, ids, starts, _ = self._within(X, radius)
        cuts = starts[1:-1]
        found = [_of_arrays(np.split(part, cuts)) for part in (distances, ids)]
        return tuple(found) if return_distance else found[1]

    def kneighbors_graph(self, X: Any = None, n_neighbors: Optional[int] = None,
                         mode: Literal["connectivity", "distance"] = "connectivity") -> csr_matrix:
        """The sparse graph [n_queries][n_samples_fit] of kneighbors: ones, or distances."""
        _check_mode(mode)
        distances, ids = self.kneighbors(X, n_neighbors)
        queries = self._fit_X if X is None else ids
        values = distances if mode == "distance" else np.ones(ids.shape)
        return self._graph(queries, values.ravel(), ids.ravel(),
                           np.arange(0, ids.size + 1, ids.shape[1]))

    def radius_neighbors_graph(self, X: Any = None, radius: Optional[float] = None,
                               mode: Literal["connectivity", "distance"] = "connectivity",
                               sort_results: bool = False) -> csr_matrix:
        """The sparse graph [n_queries][n_samples_fit] of radius_neighbors: ones, or distances."""
        _check_mode(mode)
        distances, ids, starts, queries = self._within(X, radius)
        return self._graph(queries, distances if mode == "distance" else np.ones(ids.shape), ids,
                           starts)

    def _count(self, n_neighbors: Optional[int]) -> int:
        k = self.n_neighbors if n_neighbors is None else n_neighbors
        if not isinstance(k, (int, np.integer)):
            raise TypeError(f"n_neighbors does not take {type(k)} value, enter integer value")
        if k <= 0:
            raise ValueError(f"Expected n_neighbors > 0. Got {k}")
        return int(k)

    def _within(self, X: Any, radius: Optional[float]) -> tuple[Any, Any, Any, Any]:
        """(distances, indices, starts of rows, queries). range_search leaves out what lies at the
        radius, so it is asked for a little more; what is at the radius in float32 stays."""
        check_is_fitted(self)
        queries = self._fit_X if X is None else self._queries(X)
        limit = np.float32(self.radius if radius is None else radius)
        bound = limit * limit if self.metric == "euclidean" else limit
        beyond = np.nextafter(np.nextafter(bound, np.float32(np.inf)), np.float32(np.inf))
        found = self.index_.range_search(queries, float(beyond), threads=self._threads(),
                                         exact=self.index_.stats().raw != "none")
        distances = self._values(found.distances)
        kept = distances <= limit
        rows = np.repeat(np.arange(len(queries)), np.diff(found.lims))
        if X is None:
            kept &= found.ids != rows
        counts = np.bincount(rows[kept], minlength=len(queries))
        starts = np.concatenate([[0], np.cumsum(counts)])
        return distances[kept].astype(queries.dtype), found.ids[kept], starts, queries


def _check_mode(mode: str) -> None:
    if mode not in ("connectivity", "distance"):
        raise ValueError(f"mode must be 'connectivity' or 'distance', not {mode!r}")


def _of_arrays(parts: list[NDArray[Any]]) -> NDArray[Any]:
    """An array of arrays, also where all have one length."""
    array = np.empty(len(parts), dtype=object)
    for place, part in enumerate(parts):
        array[place] = part
    return array
