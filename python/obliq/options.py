"""The options of Index.build, Model.train and Index.search as the library takes them, checked one
by one."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Literal, Union, get_args

import numpy as np

from obliq import _core
from obliq.arguments import (as_name, as_real, as_seed, as_spec, as_threads, as_whole, shown,
                             unknown_argument)
from obliq.arrays import team

BatchOrder = Literal["auto", "query", "list"]
ListCount = Union[int, Literal["auto"]]
Metric = Literal["l2", "ip", "cosine"]
#: As ann-benchmarks and VIBE have them besides.
OtherMetric = Literal["euclidean", "dot", "inner_product", "angular", "normalized"]
AnyMetric = Union[Metric, OtherMetric]
Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Preset = Literal["fast", "small", "tiny", "exact"]
Progress = Callable[[str, float], Union[bool, np.bool_, None]]
Raw = Literal["none", "fp16", "fp32"]

_INDEX_SEARCH = ("queries, k, nprobe, confidence, threads, target_recall, batch_order, lists, "
                 "filter, params, columns and explain")
_OTHER_METRICS: Dict[str, Metric] = {
    "euclidean": "l2", "dot": "ip", "inner_product": "ip", "angular": "cosine",
    "normalized": "cosine"}
_ANY = 1 << 4096
_MOST_ANSWERS = 1 << 32  # per query; an index holds fewer vectors


def learn_options(metric: Any, preset: Any, quantizer: Any, raw: Any, spill: Any, nlist: Any,
                  list_groups: Any, seed: Any, threads: Any, kmeans_iterations: Any,
                  kmeans_points: Any) -> _core.LearnOptions:
    """Those that Index.build and Model.train share. Raises TypeError or ValueError naming the
    option."""
    return _core.LearnOptions(
        as_metric(metric),
        "" if preset is None else as_name(preset, "preset", get_args(Preset)),
        "" if quantizer is None else as_spec(quantizer),
        "" if raw is None else as_name(raw, "raw", get_args(Raw)),
        None if spill is None else as_real(spill, "spill"), as_list_count(nlist),
        as_whole(list_groups, "list_groups", 0), as_seed(seed), team(as_threads(threads)),
        as_whole(kmeans_iterations, "kmeans_iterations", 0, (1 << 31) - 1),
        as_whole(kmeans_points, "kmeans_points", 1))


def as_metric(metric: Any) -> Metric:
    """The metric of any of its names. Raises TypeError for other things than text, ValueError for
    other names."""
    if isinstance(metric, str) and metric in _OTHER_METRICS:
        return _OTHER_METRICS[metric]
    name: Metric = as_name(metric, "metric", get_args(Metric))  # type: ignore[assignment]
    return name


def search_options(k: Any, nprobe: Any, confidence: Any, threads: Any, target_recall: Any,
                   batch_order: Any, unknown: Any, known: str = _INDEX_SEARCH) -> Any:
    """Those of Index.search, in this order; `unknown`: keywords that it does not have, `known`:
    those that it has. Raises TypeError or ValueError naming the option, MemoryError for a k beyond
    any index."""
    if unknown:
        raise unknown_argument("search", unknown, known)
    if nprobe is not None:
        nprobe = as_whole(nprobe, "nprobe", 1, remedy=": for all lists give index.nlist")
    return (as_answer_count(k), nprobe, as_real(confidence, "confidence"), as_threads(threads),
            as_real(target_recall, "target_recall"),
            as_name(batch_order, "batch_order", get_args(BatchOrder)))


def as_answer_count(k: Any) -> int:
    """The number of answers per query. Raises MemoryError beyond any index."""
    if as_whole(k, "k", 1, _ANY) > _MOST_ANSWERS:
        raise MemoryError(f"k is {k}: no memory holds the answers")
    return as_whole(k, "k", 1)


def as_list_count(nlist: Any) -> int:
    """The number of lists to make; 0: "auto"."""
    if isinstance(nlist, str):
        if nlist == "auto":
            return 0
        raise ValueError(f"nlist must be 'auto' or a number of 1 or more, not {shown(nlist)}")
    return as_whole(nlist, "nlist", 1, remedy=" (or 'auto')")
