"""obliq for ann-benchmarks: copy this folder to ann_benchmarks/algorithms/obliq there.

One index for each quantizer and number of lists; nprobe and confidence are query arguments. An
nprobe of None (null in config.yml) is obliq's own choice: as many lists as a recall of .95 takes.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

import obliq

from ..base.module import BaseANN

_METRICS: dict[str, obliq.index.Metric] = {"euclidean": "l2", "angular": "cosine"}


class Obliq(BaseANN):
    """One thread for single queries, all for batches, as the rules there ask for."""

    def __init__(self, metric: str, quantizer: str, raw: str, nlist: int) -> None:
        if metric not in _METRICS:
            raise NotImplementedError(f"obliq has no metric {metric}")
        self._metric = _METRICS[metric]
        self._build = {"quantizer": quantizer, "raw": raw, "nlist": nlist}
        self.set_query_arguments(None, 0.964)

    def fit(self, X: NDArray[Any]) -> None:
        options: dict[str, Any] = dict(self._build)
        options["nlist"] = min(options["nlist"], len(X))
        self._index = obliq.Index.build(X, self._metric, **options)

    def set_query_arguments(self, nprobe: Optional[int], confidence: float) -> None:
        self._nprobe, self._confidence = nprobe, confidence
        self.name = "obliq(%s, raw=%s, nlist=%d, nprobe=%s, confidence=%g)" % (
            *self._build.values(), nprobe, confidence)

    def query(self, q: NDArray[Any], n: int) -> NDArray[np.int64]:
        return self._answers(self._search(q, n, threads=1).ids)

    def batch_query(self, X: NDArray[Any], n: int) -> None:
        self._found = self._search(X, n, threads=0).ids

    def get_batch_results(self) -> list[NDArray[np.int64]]:
        return [self._answers(ids) for ids in self._found]

    def get_additional(self) -> dict[str, float]:
        return {"bytes_per_vector": self._index.stats().bytes_per_vector}

    def _search(self, queries: NDArray[Any], n: int, threads: int) -> obliq.SearchResult:
        return self._index.search(queries, n, nprobe=self._nprobe, confidence=self._confidence,
                                  threads=threads)

    @staticmethod
    def _answers(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return ids[ids >= 0]  # -1: the base holds fewer than n
