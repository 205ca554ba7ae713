"""Answers of a search, and what it tells of its work."""

from __future__ import annotations

from typing import Any, Dict, NamedTuple, Optional

import numpy as np
from numpy.typing import NDArray

from obliq.arguments import as_flag
from obliq.columns import Columns, columns_of

_COUNTS = ("lists", "entries", "refined", "exact", "allowed")
_ENDS = np.array(["all lists", "nprobe", "stop rule", "k found", "given", "all allowed"])
_METHODS = np.array(["lists", "masked lists", "direct"])  # as SearchEnd and SearchMethod


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
        allowed     vectors that may be answers: what passes the filter
        end         why no further list was scanned: "all lists"; "nprobe", as many as were asked
                    for or tuning found that a target takes; "stop rule", the others promised too
                    little for the target; "k found", the lists asked for held fewer than k vectors;
                    "given", they were those of `lists`; "all allowed", all that pass the filter
                    were compared
        method      what was compared: what "lists" hold, what passes the filter there ("masked
                    lists"), or all that passes, one by one ("direct")
        """
        raise AttributeError("the search was not explained: give it explain=True")

    @property
    def columns(self) -> Columns:
        """Of a search with columns=[...] their values, arrays of the shape of ids by name, see
        obliq.Columns; NULL where there is no answer."""
        raise AttributeError("the search returned no columns: give it columns=['name', ...]")

    def to_arrow(self) -> Any:
        """A pyarrow.Table with a row for each answer: `query`, `rank` (from 0), `id`, `distance`
        and the columns that were asked for. Raises ModuleNotFoundError where pyarrow is not there
        (pip install obliq[dataframe]), ValueError where a column has the name of one of these."""
        shape = self.ids.shape if self.ids.ndim == 2 else (1, *self.ids.shape)
        query, rank = np.indices(shape).reshape(2, -1)
        return table_of(query, rank, self.ids.ravel(), self.distances.ravel(),
                        getattr(self, "_columns", None))


class _Told(SearchResult):
    """Has what the properties tell in attributes."""

    _work: Optional[Dict[str, NDArray[Any]]]
    _columns: Optional[Columns]

    @property
    def explain(self) -> Dict[str, NDArray[Any]]:
        return super().explain if self._work is None else self._work

    @property
    def columns(self) -> Columns:
        return super().columns if self._columns is None else self._columns


def work_of(explain: Any, queries: int) -> Optional[NDArray[np.int64]]:
    """The array that a search with explain=True fills; None: it is to tell nothing."""
    return np.empty((queries, len(_COUNTS) + 2), np.int64) if as_flag(explain, "explain") else None


def result_of(distances: NDArray[np.float32], ids: NDArray[np.int64], alone: bool,
              work: Optional[NDArray[np.int64]], raw: Any = None) -> SearchResult:
    """The result for one query alone or many, which tells of this work, with columns as the library
    returns them."""
    shape = ids.shape[1:] if alone else ids.shape
    if alone:
        distances, ids = distances[0], ids[0]
    if work is None and raw is None:
        return SearchResult(distances, ids)
    result = _Told(distances, ids)
    result._columns = None if raw is None else columns_of(raw, shape)
    result._work = None if work is None else _work_columns(work, alone)
    return result


def _work_columns(work: NDArray[np.int64], alone: bool) -> Dict[str, NDArray[Any]]:
    columns: Dict[str, NDArray[Any]] = {name: work[:, i] for i, name in enumerate(_COUNTS)}
    columns["end"] = _ENDS[work[:, -2]]
    columns["method"] = _METHODS[work[:, -1]]
    return {name: column[0] if alone else column for name, column in columns.items()}


def table_of(query: NDArray[Any], rank: NDArray[Any], ids: NDArray[Any], distances: NDArray[Any],
             columns: Optional[Columns]) -> Any:
    """Of answers, one for each row; without places that have none."""
    import pyarrow

    table = pyarrow.table({
        "query": query, "rank": rank, "id": pyarrow.array(ids.tolist() if ids.dtype == object
                                                          else ids),
        "distance": distances})
    given: Any = pyarrow.table({}) if columns is None else columns.to_arrow()
    for name in given.column_names:
        if name in table.column_names:
            raise ValueError(f"column '{name}' has the name of one of query, rank, id and distance:"
                             " take .columns.to_arrow()")
        table = table.append_column(name, given[name])
    return table.filter(pyarrow.array(ids != (None if ids.dtype == object else -1)))
