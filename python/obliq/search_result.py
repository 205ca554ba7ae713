"""Answers of a search, and what it tells of its work."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

import numpy as np
from numpy.typing import NDArray

from obliq.arguments import as_flag

_COUNTS = ("lists", "entries", "refined", "exact")
_ENDS = np.array(["all lists", "nprobe", "stop rule", "k found", "given"])  # as SearchEnd


class SearchResult(NamedTuple):
    """Answers, nearest first. Too few: id -1 and distance +inf. One query given as [dim]: both [k].

    distances   float32 [queries][k]; l2: squared distance, ip: negated inner product, cosine:
                1 - cosine
    ids         int64 [queries][k]
    """

    distances: NDArray[np.float32]
    ids: NDArray[np.int64]

    @property
    def explain(self) -> Dict[str, NDArray[Any]]:
        """Of a search with explain=True the work of each query, arrays [queries] (one query given
        as [dim]: numbers):

        lists       scanned
        entries     scanned
        refined     rows whose full code was read
        exact       raw vectors compared
        end         why no further list was scanned: "all lists"; "nprobe", as many as were asked
                    for or tuning found that a target takes; "stop rule", the others promised too
                    little for the target; "k found", the lists asked for held fewer than k vectors;
                    "given", they were those of `lists`
        """
        raise AttributeError("the search was not explained: give it explain=True")


class _Explained(SearchResult):
    """Has what the property tells in an attribute."""

    _work: Dict[str, NDArray[Any]]

    @property
    def explain(self) -> Dict[str, NDArray[Any]]:
        return self._work


def work_of(explain: Any, queries: int) -> Optional[NDArray[np.int64]]:
    """The array that a search with explain=True fills; None: it is to tell nothing."""
    return np.empty((queries, len(_COUNTS) + 1), np.int64) if as_flag(explain, "explain") else None


def result_of(distances: NDArray[np.float32], ids: NDArray[np.int64], alone: bool,
              work: Optional[NDArray[np.int64]]) -> SearchResult:
    """The result for one query alone or many, which tells of this work."""
    if alone:
        distances, ids = distances[0], ids[0]
    if work is None:
        return SearchResult(distances, ids)
    result = _Explained(distances, ids)
    columns: Dict[str, NDArray[Any]] = {name: work[:, i] for i, name in enumerate(_COUNTS)}
    columns["end"] = _ENDS[work[:, -1]]
    result._work = {name: column[0] if alone else column for name, column in columns.items()}
    return result
