"""The index as a scikit-learn transformer, to put before estimators that take a neighbour graph.

    from sklearn.neighbors import KNeighborsClassifier
    from sklearn.pipeline import make_pipeline
    from obliq.sklearn import ObliqTransformer

    model = make_pipeline(ObliqTransformer(n_neighbors=5),
                          KNeighborsClassifier(n_neighbors=5, metric="precomputed"))

It keeps the rules of sklearn.neighbors.KNeighborsTransformer: a sparse graph, rows sorted by
distance, each sample its own neighbour in fit_transform. pip install obliq[sklearn].
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


class ObliqTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, BaseEstimator):
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
        if self.metric not in _METRICS:
            raise ValueError(f"unknown metric {self.metric!r}; valid: {', '.join(_METRICS)}")
        refuse_masked(X, "X")
        X = validate_data(self, X, dtype=[np.float64, np.float32])
        seed = int(check_random_state(self.random_state).randint(1 << 31))
        self.index_ = Index.build(X, _METRICS[self.metric], self.quantizer, preset=self.preset,
                                  nlist=self.nlist, seed=seed, threads=self._threads())
        self.n_samples_fit_ = len(self.index_)
        self._n_features_out = self.n_samples_fit_
        return self

    def transform(self, X: Any) -> csr_matrix:
        """The graph [n_queries][n_samples_fit] of X's neighbours among the fitted samples, with
        n_neighbors (+ 1 in mode "distance") entries per row, nearest first. Raises ValueError when
        fewer samples than that were fitted."""
        check_is_fitted(self)
        refuse_masked(X, "X")
        X = validate_data(self, X, dtype=[np.float64, np.float32], reset=False)
        k = self.n_neighbors + (self.mode == "distance")
        if not 0 < k <= self.n_samples_fit_:
            raise ValueError(f"Expected 0 < n_neighbors <= n_samples_fit, but n_neighbors = {k}, "
                             f"n_samples_fit = {self.n_samples_fit_}")
        distances, ids = self.index_.search(X, k, nprobe=self.nprobe, confidence=self.confidence,
                                            threads=self._threads())
        values = self._values(distances) if self.mode == "distance" else np.ones(ids.shape)
        starts = np.arange(0, ids.size + 1, k)
        return csr_matrix((values.astype(X.dtype).ravel(), ids.ravel(), starts),
                          shape=(X.shape[0], self.n_samples_fit_))

    def fit_transform(self, X: Any, y: Any = None) -> csr_matrix:
        """fit(X), then transform(X)."""
        return self.fit(X).transform(X)

    def _values(self, distances: NDArray[np.float32]) -> NDArray[np.float32]:
        """Distances as the metric has them."""
        return np.sqrt(distances) if self.metric == "euclidean" else distances

    def _threads(self) -> int:
        return int(effective_n_jobs(self.n_jobs))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags
