"""obliq for VIBE: copy this folder to vibe/algorithms/obliq there.

One index for each quantizer and number of lists, built on one thread as VIBE asks for. Where a set
has learn queries with their neighbours, the index is tuned with them. nprobe, confidence and a
target recall are query arguments; an nprobe of None (null in config.yml) without a target is
obliq's own choice. Metric "hamming" is refused.
"""

from __future__ import annotations

from typing import Any, Optional

import numpy as np
from numpy.typing import NDArray

import obliq

from ..base.module import BaseANN


class Obliq(BaseANN):
    def __init__(self, metric: Any, quantizer: str, raw: str, nlist: int) -> None:
        self._metric = metric
        self._build = {"quantizer": quantizer, "raw": raw, "nlist": nlist}
        self.set_query_arguments(None, 0.964, 0)

    def fit(self, X: NDArray[Any]) -> None:
        options: dict[str, Any] = dict(self._build)
        options["nlist"] = min(options["nlist"], len(X))
        self._index = obliq.Index.build(X, self._metric, threads=1, **options)
        self._note_ladders()

    def fit_ood(self, X_train: NDArray[Any], X_learn: NDArray[Any],
                X_learn_neighbors: NDArray[Any]) -> None:
        """`:query` after a quantizer's name makes it learn from the queries, too."""
        options: dict[str, Any] = dict(self._build)
        options["nlist"] = min(options["nlist"], len(X_train))
        if options["quantizer"].endswith(":query"):
            options["train_queries"] = X_learn
        self._index = obliq.Index.build(X_train, self._metric, tune=False, threads=1, **options)
        self._index.tune(X_learn, learn_neighbors=X_learn_neighbors, threads=1)
        self._note_ladders()

    def set_query_arguments(self, nprobe: Optional[int], confidence: float,
                            target_recall: float = 0) -> None:
        self._nprobe, self._confidence, self._target = nprobe, confidence, target_recall
        self._reached: dict[int, float] = {}

    def query(self, v: NDArray[Any], n: int) -> NDArray[np.int64]:
        if n not in self._reached:
            self._reached[n] = min(float(self._target), self._most(n))
        target = self._reached[n]
        ids = self._index.search(v, n, nprobe=self._nprobe, confidence=self._confidence,
                                 target_recall=target, threads=1).ids
        return ids if ids[-1] >= 0 else ids[ids >= 0]  # -1: the base holds fewer than n

    def get_additional(self) -> dict[str, float]:
        return {"bytes_per_vector": self._index.stats().bytes_per_vector}

    def __str__(self) -> str:
        return "obliq(%s, raw=%s, nlist=%d, nprobe=%s, confidence=%g, target=%g)" % (
            *self._build.values(), self._nprobe, self._confidence, self._target)

    def _note_ladders(self) -> None:
        tuning = self._index.stats().tuning
        self._ladders = [] if tuning is None else [(ladder.k, ladder.max_recall)
                                                   for ladder in tuning.ladders]

    def _most(self, n: int) -> float:
        """Just below what all lists give, above which no target may be; 0: not tuned."""
        around = [recall for k, recall in self._ladders if k <= n][-1:]
        around += [recall for k, recall in self._ladders if k >= n][:1]
        return 0.999 * min(around, default=0.0)
