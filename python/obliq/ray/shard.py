"""Shards, opened: what an actor of a search or of a server holds."""

from __future__ import annotations

from typing import Any, Dict, List, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

import obliq
from obliq.ray.cache import machine_folder
from obliq.ray.layout import Shard, Version
from obliq.ray.rounds import Answers
from obliq.ray.store import Store


def open_shards(store: Store, version: Version, paths: Sequence[str], cache: str) -> obliq.Index:
    """The shards of these paths as one index; files of a store that is not local are copied to the
    folder `cache`. Raises FileNotFoundError where the version was swept."""
    files = [store.local(path, cache) for path in paths]
    if version.layout == "one":
        return obliq.Index.open(files[0])
    return obliq.Index.open(open_model(store, version, cache), files)


def open_model(store: Store, version: Version, cache: str) -> obliq.Model:
    """The model of a version."""
    return obliq.Model.open(store.local(version.model, cache))


def default_cache() -> str:
    """A folder for copies of shards, shared by the processes of a machine."""
    return machine_folder("shards")


def answers_of(found: Any) -> Answers:
    """The result of Index.search of many queries."""
    held = getattr(found, "columns", {})  # raises where none were asked for
    columns = {name: _objects(values) for name, values in held.items()}
    return Answers(found.distances, found.ids, columns)


def _objects(values: NDArray[Any]) -> NDArray[Any]:
    """With None in the place of NULL."""
    held = np.empty(values.shape, object)
    if np.ma.isMaskedArray(values):
        held[...] = np.asarray(values.data).astype(object)
        held[np.ma.getmaskarray(values)] = None
    else:
        held[...] = values.astype(object)
        if values.dtype.kind == "M":
            held[np.isnat(values)] = None
    return held


class ShardSearcher:
    """Searches shards that follow each other, for actors of Ray; made of paths, so that it can
    start again anywhere."""

    def __init__(self, url: str, options: Dict[str, Any], version: Version,
                 shards: Sequence[Shard], cache: Optional[str] = None, threads: int = 1) -> None:
        self._threads = threads
        self._index = open_shards(Store(url, options), version, [shard.path for shard in shards],
                                  cache or default_cache())
        self._nlist = version.nlist

    def search(self, queries: NDArray[Any], k: int, lists: Optional[NDArray[Any]],
               within: Optional[NDArray[Any]], filter: Any = None, params: Any = None,
               columns: Optional[List[str]] = None, confidence: float = 0.964) -> Answers:
        """The answers in `lists` nearer than `within`; without lists in all."""
        nprobe = self._nlist if lists is None else None
        return answers_of(self._index.search(
            queries, k, lists=lists, within=None if lists is None else within, nprobe=nprobe,
            filter=filter, params=params, columns=columns, confidence=confidence,
            threads=self._threads))

    def count(self, filter: Any, params: Any = None) -> int:
        """Vectors of these shards that pass a filter."""
        return self._index.count(filter, params)
