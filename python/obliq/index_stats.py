"""What an index tells of itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, NamedTuple, Optional

from obliq.columns import ColumnType
from obliq.options import Metric


class TunedTarget(NamedTuple):
    """How a search reaches a target recall at one k.

    threshold   of the stop rule; -inf: only all lists are enough
    nprobe      the fixed number of lists that does as well
    stops       the stop rule is used; else nprobe
    confidence  with which nprobe does so; the threshold has the default one
    """

    recall: float
    threshold: float
    nprobe: int
    stops: bool
    confidence: float


class TunedLadder(NamedTuple):
    """The targets of one k, rising. max_recall: the recall of all lists."""

    k: int
    max_recall: float
    targets: list[TunedTarget]


class Tuning(NamedTuple):
    """What tuning found.

    queries       the number of learn queries
    from_base     base vectors stood in for them
    exact_truth   False: truth was the index's own exhaustive search, see Index.tune
    """

    queries: int
    from_base: bool
    exact_truth: bool
    ladders: list[TunedLadder]


@dataclass(frozen=True)
class IndexStats:
    """What an index is made of. bytes_per_vector: blocks, rows and raw tier, without external ids
    and centroids; file_bytes: 0 before the index is saved; segments: those that are searched
    together, 1 for an index of one file; model_id: Model.id; tuning: None when it is not tuned;
    columns: the types of its columns by name; column_bytes: of their values."""

    n: int
    dim: int
    nlist: int
    list_groups: int
    metric: Metric
    quantizer: str
    raw: str
    spill: float
    bytes_per_vector: float
    columns: Dict[str, ColumnType]
    column_bytes: int
    id_bytes: int
    centroid_bytes: int
    file_bytes: int
    format_version: int
    segments: int
    model_id: int
    tuning: Optional[Tuning]


def index_stats(stats: Dict[str, Any]) -> IndexStats:
    """Of what the library tells."""
    tuning = stats.pop("tuning")
    if tuning is not None:
        queries, from_base, exact_truth, ladders = tuning
        tuning = Tuning(queries, from_base, exact_truth, [
            TunedLadder(k, max_recall, [TunedTarget(*target) for target in targets])
            for k, max_recall, targets in ladders])
    return IndexStats(**stats, tuning=tuning)
