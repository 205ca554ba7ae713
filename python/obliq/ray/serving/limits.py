"""Bounds of requests and queues. Whatever a caller sends, memory and waiting stay bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, List, Optional

import numpy as np
from numpy.typing import NDArray

from obliq.arguments import as_whole
from obliq.wire import SearchOptions


class Overloaded(RuntimeError):
    """No room, or no shard that answers in time: ask again after `retry_after` seconds. 503 over
    HTTP, with that as Retry-After."""

    def __init__(self, message: str, retry_after: float = 1.0) -> None:
        super().__init__(message)
        self.retry_after = retry_after

    def __reduce__(self) -> Any:
        return Overloaded, (str(self), self.retry_after)


class TooLarge(ValueError):
    """A request beyond a limit: 413 over HTTP."""


@dataclass(frozen=True)
class Limits:
    """What a router takes.

    body_bytes      of a request over HTTP
    queries, k      of a request
    answers         queries times k, of a request
    filter_values   ids of a filter, or values bound to one; an expression has its own limits
    pending         queries that a router holds, answered or waiting; beyond: 503
    deadline_s      from when a router takes a request to its answer; beyond: 503
    attempt_s       for one call of a shard, before another replica is asked
    """

    body_bytes: int = 32 << 20
    queries: int = 1024
    k: int = 1000
    answers: int = 200_000
    filter_values: int = 10_000
    pending: int = 2048
    deadline_s: float = 10.0
    attempt_s: float = 3.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, bool) or not isinstance(value, (int, float)) or value <= 0:
                raise ValueError(f"limit {name} must be a number above 0, not {value!r}")
        if self.pending < self.queries:
            raise ValueError(f"a request may have {self.queries} queries, and a router holds "
                             f"{self.pending} at most: raise pending or lower queries")

    def check(self, queries: int, options: SearchOptions) -> None:
        """Raises TooLarge naming the limit."""
        _refuse_beyond("queries", queries, self.queries)
        _refuse_beyond("k", options.k, self.k)
        _refuse_beyond("answers (queries times k)", queries * options.k, self.answers)
        values = sum(len(value) if isinstance(value, list) else 1
                     for value in options.params or [])
        if isinstance(options.filter, list):
            values += len(options.filter)
        _refuse_beyond("values of a filter", values, self.filter_values)


def _refuse_beyond(what: str, value: int, most: int) -> None:
    if value > most:
        raise TooLarge(f"{value} {what}, and a request may have {most}: send several")


def as_search(queries: Any, options: SearchOptions, dim: int) -> NDArray[np.float32]:
    """The queries of a search, whose options have the types that they must have. Raises ValueError
    or TypeError naming what has not."""
    array = np.asarray(queries)
    if array.dtype.kind not in "fiu" or array.ndim != 2 or array.shape[1] != dim:
        raise ValueError(f"queries must be numbers [m][{dim}], not {array.dtype} "
                         f"{list(array.shape)}")
    as_whole(options.k, "k", 1)
    if options.nprobe is not None:
        as_whole(options.nprobe, "nprobe", 1)
    for name, value, most in (("target_recall", options.target_recall, 0.999999),
                              ("confidence", options.confidence, 1.0)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= most:
            raise ValueError(f"{name} must be a number from 0 to 1, not {value!r}")
    _check_list("params", options.params, object)
    _check_list("columns", options.columns, str)
    if not isinstance(options.filter, (str, type(None))):
        _check_list("filter", options.filter, int)
    with np.errstate(over="ignore"):  # what float32 cannot hold is refused as infinite
        return np.ascontiguousarray(array, np.float32)


def _check_list(name: str, value: Optional[List[Any]], kind: type) -> None:
    if value is not None and not (isinstance(value, list) and all(
            isinstance(item, kind) and not (kind is int and isinstance(item, bool))
            for item in value)):
        raise TypeError(f"{name} must be a list of {kind.__name__}, not {value!r:.100}")
