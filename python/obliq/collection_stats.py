"""What a collection tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, NamedTuple, Optional

from obliq.columns import ColumnType
from obliq.options import Metric


@dataclass(frozen=True)
class Latency:
    """How long calls took.

    seconds     of all of them together
    p50, p99    seconds below which that share of them stayed: at most twice what they took
    buckets     how many took at most 1, 2, 4, ... 2^30 us and longer than that, each less those
                before
    """

    count: int
    seconds: float
    p50: float
    p99: float
    buckets: List[int]


class CollectionCounters(NamedTuple):
    """What was done: calls, vectors, and bytes given to the system to write."""

    searches: int
    queries: int
    added: int
    upserted: int
    removed: int
    updated: int
    logged_bytes: int
    sealed_bytes: int
    merged_bytes: int
    trained_bytes: int
    manifest_bytes: int


@dataclass(frozen=True)
class CollectionStats:
    """What a collection is made of.

    nlist               lists of the model; 1 while vectors are compared exactly, 0 before the first
    is_exact            no model is trained yet: searches compare all vectors
    is_tuned            searches may have a target_recall
    tuned_for           vectors that were there when it was tuned, tuned_seconds_ago
    is_tuning_outdated  a fifth of them has been added or removed since: until the background tunes
                        it anew, a search with a target visits the more of what both ways to it take
    trained_for         vectors that the model was trained for
    drift               how much the mean |r|^2 (of a vector less its list's centroid) of what was
                        added since then lies above that of the training sample: .1 for a tenth;
                        from about .5 on train() pays. None: nothing was added, or no model
    segments_in_memory  of `segments`, with rows_in_memory: in no file yet but that of the log
    deleted_rows        whose space a compaction gives back, deleted_share of all rows
    file_bytes          of the segments' files
    columns             their types by name
    column_bytes        of their values in all segments, deleted ones counted
    log_bytes           of the log that is written now
    changes             calls that changed something, since the collection was made
    since_open, of_life what this object did; and all writers and this object
    write_amplification bytes written in its life over file_bytes; None without files
    latencies           since it was opened, by what was timed: search, add (upsert and update,
                        too), remove, sync (of the log), and the steps seal, merge, tune, train
    background_error    of the background step that failed last; empty: none
    """

    n: int
    dim: int
    nlist: int
    metric: Metric
    quantizer: str
    is_exact: bool
    is_tuned: bool
    tuned_for: int
    is_tuning_outdated: bool
    tuned_seconds_ago: Optional[float]
    trained_for: int
    drift: Optional[float]
    segments: int
    segments_in_memory: int
    rows_in_memory: int
    deleted_rows: int
    deleted_share: float
    file_bytes: int
    columns: Dict[str, ColumnType]
    column_bytes: int
    log_bytes: int
    changes: int
    since_open: CollectionCounters
    of_life: CollectionCounters
    write_amplification: Optional[float]
    latencies: Dict[str, Latency]
    background_error: str


def stats_of(told: Dict[str, Any]) -> CollectionStats:
    """Those of the extension module with names."""
    told["since_open"] = CollectionCounters(**told["since_open"])
    told["of_life"] = CollectionCounters(**told["of_life"])
    told["latencies"] = {name: Latency(*latency) for name, latency in told["latencies"].items()}
    return CollectionStats(**told)
