"""Metrics, through Ray's: Prometheus finds them where Ray exports its own."""

from __future__ import annotations

from typing import Optional

import numpy as np
from numpy.typing import NDArray

from ray.util.metrics import Counter, Gauge, Histogram

_SECONDS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
_SHARDS = [1.0, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128]


class RouterMeasures:
    """Of a router."""

    def __init__(self) -> None:
        self._requests = Counter("obliq_serve_requests", "Searches by outcome.", ("outcome",))
        self._queries = Counter("obliq_serve_queries", "Queries that were answered.")
        self._seconds = Histogram("obliq_serve_seconds", "From a search to its answers.", _SECONDS)
        self._asked = Histogram("obliq_serve_shards_asked", "Shards asked for a query, mean of a "
                                "search.", _SHARDS)
        self._retries = Counter("obliq_serve_shard_retries", "Calls of a shard that failed and "
                                "were made again.", ("shard",))
        self._pending = Gauge("obliq_serve_pending_queries", "Queries that are held.")
        self._version = Gauge("obliq_serve_version", "The newest version that is served.")

    def answered(self, outcome: str, queries: int, seconds: float,
                 asked: Optional[NDArray[np.int64]]) -> None:
        """A search ended: "ok", "refused", "overloaded" or "failed"."""
        self._requests.inc(1, {"outcome": outcome})
        self._seconds.observe(seconds)
        if outcome == "ok" and queries:
            self._queries.inc(queries)
        if asked is not None and len(asked):
            self._asked.observe(float(asked.mean()))

    def retried(self, shard: int) -> None:
        """A call of a shard is made again."""
        self._retries.inc(1, {"shard": str(shard)})

    def state(self, pending: int, version: int) -> None:
        """As it is now."""
        self._pending.set(pending)
        self._version.set(version)


class ShardMeasures:
    """Of a shard's replica."""

    def __init__(self, shard: int) -> None:
        tags = {"shard": str(shard)}
        self._searches = Counter("obliq_serve_shard_queries", "Queries searched.", ("shard",))
        self._seconds = Histogram("obliq_serve_shard_seconds", "A search in a shard.", _SECONDS,
                                  ("shard",))
        self._searches.set_default_tags(tags)
        self._seconds.set_default_tags(tags)

    def searched(self, queries: int, seconds: float) -> None:
        """A batch was searched."""
        self._searches.inc(max(1, queries))
        self._seconds.observe(seconds)
