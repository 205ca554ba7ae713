"""All vectors within a distance: the result of range searches."""

from __future__ import annotations

from typing import Any, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_flag, as_real, as_threads, as_whole
from obliq.arrays import as_array, as_matrix, team
from obliq.columns import Columns, columns_of
from obliq.filter import wanted_of


class RangeSearchResult(NamedTuple):
    """The answers of query i are those of [lims[i], lims[i + 1]), nearest first, at equal distances
    by rising id. FAISS's order: lims, distances, ids; its radius is the same for l2, for ip it is
    -radius.

    lims        int64 [queries + 1]
    distances   float32 [answers], as those of search
    ids         int64 [answers]; of a collection whose ids are strings: str
    cut         bool [queries]: there were more than max_results
    """

    lims: NDArray[np.int64]
    distances: NDArray[np.float32]
    ids: NDArray[Any]
    cut: NDArray[np.bool_]

    @property
    def columns(self) -> Columns:
        """Of a search with columns=[...] their values, arrays [answers] by name."""
        raise AttributeError("the search returned no columns: give it columns=['name', ...]")

    def to_arrow(self) -> Any:
        """A pyarrow.Table with a row for each answer: `query`, `rank` (from 0), `id`, `distance`
        and the columns that were asked for. Raises as SearchResult.to_arrow."""
        from obliq.search_result import table_of

        counts = np.diff(self.lims)
        query = np.repeat(np.arange(len(counts)), counts)
        return table_of(query, np.arange(len(query)) - self.lims[query], self.ids, self.distances,
                        getattr(self, "_columns", None))


class _WithColumns(RangeSearchResult):
    _columns: Columns

    @property
    def columns(self) -> Columns:
        return self._columns


_Arguments = Tuple[NDArray[np.float32], float, float, bool, int, int, Optional[_core.Wanted]]


def range_arguments(queries: Any, radius: Any, filter: Any, params: Any, confidence: Any,
                    exact: Any, max_results: Any, threads: Any,
                    columns: Optional[Sequence[str]]) -> _Arguments:
    """As the library takes them. Raises TypeError or ValueError naming what is wrong."""
    array = as_array(queries, "queries")
    return (as_matrix(array, "queries"), as_real(radius, "radius"),
            as_real(confidence, "confidence"), as_flag(exact, "exact"),
            as_whole(max_results, "max_results", 0), team(as_threads(threads)),
            wanted_of(filter, params, columns))


def range_result(lims: NDArray[np.int64], distances: NDArray[np.float32], ids: NDArray[Any],
                 cut: NDArray[np.uint8], raw: Any) -> RangeSearchResult:
    """Of what the library returned."""
    result = (RangeSearchResult if raw is None else _WithColumns)(
        lims, distances, ids, cut.view(np.bool_))
    if isinstance(result, _WithColumns):
        result._columns = columns_of(raw, ids.shape)
    return result
