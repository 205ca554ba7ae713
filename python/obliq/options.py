"""The options of Index.build and Index.search as the library takes them, checked one by one."""

from __future__ import annotations

import os
from typing import Any, Literal, Union, get_args

from obliq import _core
from obliq.arguments import (as_flag, as_name, as_path, as_real, as_seed, as_spec, as_threads,
                             as_whole, shown, unknown_argument)
from obliq.arrays import team

BatchOrder = Literal["auto", "query", "list"]
Metric = Literal["l2", "ip", "cosine"]
Path = Union[str, bytes, "os.PathLike[str]", "os.PathLike[bytes]"]
Preset = Literal["fast", "small", "tiny", "exact"]
Raw = Literal["none", "fp16", "fp32"]

_ANY = 1 << 4096
_MOST_ANSWERS = 1 << 32  # per query; an index holds fewer vectors


def build_options(metric: Any, preset: Any, quantizer: Any, raw: Any, spill: Any, nlist: Any,
                  list_groups: Any, seed: Any, threads: Any, kmeans_iterations: Any, tune: Any,
                  path: Any, max_memory: Any) -> _core.BuildOptions:
    """Those of Index.build. Raises TypeError or ValueError naming the option."""
    return _core.BuildOptions(
        as_name(metric, "metric", get_args(Metric)),
        "" if preset is None else as_name(preset, "preset", get_args(Preset)),
        "" if quantizer is None else as_spec(quantizer),
        "" if raw is None else as_name(raw, "raw", get_args(Raw)),
        None if spill is None else as_real(spill, "spill"), _list_count(nlist),
        as_whole(list_groups, "list_groups", 0), as_seed(seed), team(as_threads(threads)),
        as_whole(kmeans_iterations, "kmeans_iterations", 0, (1 << 31) - 1), as_flag(tune, "tune"),
        b"" if path is None else as_path(path), as_whole(max_memory, "max_memory", 0))


def search_options(k: Any, nprobe: Any, confidence: Any, threads: Any, target_recall: Any,
                   batch_order: Any, unknown: Any) -> Any:
    """Those of Index.search, in this order; `unknown`: keywords that it does not have. Raises
    TypeError or ValueError naming the option, MemoryError for a k beyond any index."""
    if unknown:
        raise unknown_argument("search", unknown, "queries, k, nprobe, confidence, threads, "
                               "target_recall and batch_order")
    if nprobe is not None:
        nprobe = as_whole(nprobe, "nprobe", 1, remedy=": for all lists give index.nlist")
    if as_whole(k, "k", 1, _ANY) > _MOST_ANSWERS:
        raise MemoryError(f"k is {k}: no memory holds the answers")
    return (as_whole(k, "k", 1), nprobe, as_real(confidence, "confidence"), as_threads(threads),
            as_real(target_recall, "target_recall"),
            as_name(batch_order, "batch_order", get_args(BatchOrder)))


def _list_count(nlist: Any) -> int:
    if isinstance(nlist, str):
        if nlist == "auto":
            return 0
        raise ValueError(f"nlist must be 'auto' or a number of 1 or more, not {shown(nlist)}")
    return as_whole(nlist, "nlist", 1, remedy=" (or 'auto')")
