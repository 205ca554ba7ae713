"""How a collection is made and opened, from what callers give."""

from __future__ import annotations

from typing import Any, Callable, Dict, Literal, Optional, Tuple, get_args

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import (as_flag, as_name, as_real, as_seed, as_spec, as_threads, as_whole,
                             shown)
from obliq.arrays import as_ids, plain_array, team
from obliq.columns import as_schema
from obliq.options import Raw, as_metric

Durability = Literal["every", "interval", "none"]
IdType = Literal["int64", "string"]


def given(dim: Any, metric: Any, quantizer: Any, raw: Any, spill: Any, seed: Any,
           train_at: Any, ids: Any, columns: Any) -> Dict[str, Any]:
    """What is not None of what a collection is made with, checked."""
    checks: Dict[str, Tuple[Any, Callable[[Any], Any]]] = {
        "dim": (dim, lambda value: as_whole(value, "dim", 1)),
        "metric": (metric, as_metric),
        "quantizer": (quantizer, as_spec),
        "raw": (raw, lambda value: as_name(value, "raw", get_args(Raw))),
        "spill": (spill, lambda value: as_real(value, "spill")),
        "seed": (seed, as_seed),
        "train_at": (train_at, lambda value: as_whole(value, "train_at", 1000)),
        "ids": (ids, lambda value: as_name(value, "ids", get_args(IdType))),
        "columns": (columns, as_schema),
    }
    return {name: check(value) for name, (value, check) in checks.items() if value is not None}


def access(read_only: Any, follow: Any, durability: Any, sync_interval: Any, threads: Any,
            wait_limit: Any, background_rate: Any) -> _core.CollectionAccess:
    return _core.CollectionAccess.of(
        as_flag(read_only, "read_only"), as_real(follow, "follow"),
        as_name(durability, "durability", get_args(Durability)),
        as_real(sync_interval, "sync_interval"), team(as_threads(threads)),
        as_real(wait_limit, "wait_limit"), as_real(background_rate, "background_rate"))


def open_or_make(path: Optional[bytes], given: Dict[str, Any], read_only: bool,
                  access: _core.CollectionAccess) -> _core.Collection:
    if path is not None and (read_only or _core.Collection.is_at(path)):
        opened = _core.Collection.open(path, access)
        try:
            _require_same(given, opened.options())
        except BaseException:
            opened.close()
            raise
        return opened
    if read_only:
        raise ValueError("a collection in memory cannot be read_only: leave that out, or give the "
                         "path of one")
    if "dim" not in given:
        where = "" if path is None else f"there is no collection at {shown(path)}: "
        raise ValueError(f"{where}to make one, give dim, how long vectors are")
    return _core.Collection.create(
        path or b"", given["dim"], given.get("metric", "l2"), given.get("quantizer", ""),
        given.get("raw", "none"), given.get("spill"), given.get("seed", 1),
        given.get("train_at", 20000), given.get("ids", "int64"), given.get("columns", []),
        access)


def _require_same(given: Dict[str, Any], options: Dict[str, Any]) -> None:
    """Raises ValueError naming an option that is other than the collection's."""
    for name, type in given.get("columns", []):
        has = options["columns"].get(name, "none of the name")
        if has != type:
            raise ValueError(f"column '{name}' is to be {type}, and the collection has {has}: "
                             "leave it out, or make it with add_column")
    for name, value in given.items():
        if name == "columns":
            continue
        has = options[name]
        if name == "quantizer":  # "tqp4" is a spec with defaults
            same = _core.Quantizer(value, options["dim"], options["seed"], b"").spec == has
        else:
            same = value == has or name == "spill" and np.float32(value) == has
        if not same:
            raise ValueError(f"{name} is {shown(value)}, and the collection has {shown(has)}: "
                             "leave it out")


def ids_of(ids: Any, n: int) -> NDArray[np.int64]:
    """Ids [n]; a number is that of one vector."""
    if n == 1 and plain_array(ids, "ids").ndim == 0:
        ids = [ids]
    return as_ids(ids, n)
