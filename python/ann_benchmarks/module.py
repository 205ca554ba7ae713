"""obliq for ann-benchmarks: copy this folder to ann_benchmarks/algorithms/obliq there.

One index for each quantizer and number of lists; nprobe, confidence and a target recall are query
arguments. An nprobe of None (null in config.yml) without a target is obliq's own choice: as many
lists as a recall of .95 takes. There are neither filters nor searches by radius in ann-benchmarks.
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
        tuning = self._index.stats().tuning
        self._ladders = [] if tuning is None else [(ladder.k, ladder.max_recall)
                                                   for ladder in tuning.ladders]

    def set_query_arguments(self, nprobe: Optional[int], confidence: float,
                            target_recall: float = 0) -> None:
        self._nprobe, self._confidence, self._target = nprobe, confidence, target_recall
        self._reached: dict[int, float] = {}
        self.name = "obliq(%s, raw=%s, nlist=%d, nprobe=%s, confidence=%g, target=%g)" % (
            *self._build.values(), nprobe, confidence, target_recall)

    def query(self, q: NDArray[Any], n: int) -> NDArray[np.int64]:
        return self._answers(self._search(q, n, threads=1).ids)

    def batch_query(self, X: NDArray[Any], n: int) -> None:
        self._found = self._search(X, n, threads=0).ids

    def get_batch_results(self) -> list[NDArray[np.int64]]:
        return [self._answers(ids) for ids in self._found]

    def get_additional(self) -> dict[str, float]:
        return {"bytes_per_vector": self._index.stats().bytes_per_vector}

    def _search(self, queries: NDArray[Any], n: int, threads: int) -> obliq.SearchResult:
        if n not in self._reached:
            self._reached[n] = min(float(self._target), self._most(n))
        return self._index.search(queries, n, nprobe=self._nprobe, confidence=self._confidence,
                                  target_recall=self._reached[n], threads=threads)

    def _most(self, n: int) -> float:
        """Just below what all lists give, above which no target may be; 0: not tuned."""
        around = [recall for k, recall in self._ladders if k <= n][-1:]
        around += [recall for k, recall in self._ladders if k >= n][:1]
        return 0.999 * min(around, default=0.0)

    @staticmethod
    def _answers(ids: NDArray[np.int64]) -> NDArray[np.int64]:
        return ids[ids >= 0]  # -1: the base holds fewer than n
