"""The neighbours of one query, batch after batch."""

from __future__ import annotations

import threading
from typing import Any, Callable, Dict, NoReturn, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_real, as_threads, as_whole
from obliq.arrays import team
from obliq.filter import wanted_of
from obliq.keys import key_array
from obliq.options import as_answer_count
from obliq.search_result import SearchResult, result_of


class SearchIterator:
    """Neighbours of a query, in batches without repeats, each nearest first, until all have been
    handed out. One that a search would have missed may come in a later batch. Made by
    search_iterator of an Index or a Collection; threads take turns.

        for distances, ids in index.search_iterator(query, batch=100, filter="year >= 2020"):
            ...
    """

    __slots__ = ("_iterator", "_batch", "_lock", "_keys")
    _iterator: _core.SearchIterator
    _batch: int
    _lock: threading.Lock
    _keys: Optional[Dict[int, str]]  # by number, where ids are strings

    def __init__(self, *_: NoReturn, **__: NoReturn) -> None:
        raise TypeError("make one with Index.search_iterator(query)")

    def next(self, k: Optional[int] = None) -> SearchResult:
        """The next k neighbours, None: as many as a batch, or as many as are left: both arrays
        [that many], 0 at the end. Raises ValueError for a k below 1. Cost: a search for as many
        answers as were handed out and k more."""
        count = self._batch if k is None else as_answer_count(k)
        with self._lock:
            distances, ids, raw = self._iterator.next(count)
        if self._keys is not None:
            ids = key_array([self._keys.get(number) for number in ids.tolist()], ids.shape)
        return result_of(distances, ids, False, None, raw)

    def __iter__(self) -> SearchIterator:
        return self

    def __next__(self) -> SearchResult:
        result = self.next()
        if len(result.ids) == 0:
            raise StopIteration
        return result


def make_iterator(owner: Any, query: NDArray[np.float32], batch: Any, nprobe: Any,
                  confidence: Any, threads: Any, target_recall: Any, filter: Any, params: Any,
                  columns: Optional[Sequence[str]],
                  keys: Optional[Callable[[], Dict[int, str]]] = None) -> SearchIterator:
    """`owner`: the library's index or collection; `keys` tells the strings that its ids stand for.
    Raises TypeError or ValueError naming what is wrong."""
    if len(query) != 1:
        raise ValueError(f"query must be one vector [dim], not {len(query)}: make an iterator for "
                         "each")
    made = SearchIterator.__new__(SearchIterator)
    made._batch = as_answer_count(as_whole(batch, "batch", 1))
    made._lock = threading.Lock()
    made._iterator = owner.search_iterator(
        query, None if nprobe is None else as_whole(nprobe, "nprobe", 1),
        as_real(confidence, "confidence"), team(as_threads(threads)),
        as_real(target_recall, "target_recall"),
        wanted_of(filter, params, columns))
    made._keys = None if keys is None else keys()
    return made
