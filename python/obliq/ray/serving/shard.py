"""Searches one range of lists of a version: a replica of a deployment `shard-N`.

It opens files that hold some of its lists, mapped, and reads its lists alone. A request names its
version. What it is told it cannot do it says in its reply; what it raises is a failure, after which
the router asks another replica.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Optional, Union

import numpy as np
from numpy.typing import NDArray

import obliq
from obliq.filter import Filter
from obliq.ray.cache import machine_folder
from obliq.ray.layout import Version
from obliq.ray.serving.cut import cut_version, files_of
from obliq.ray.serving.list_plan import ladders_of
from obliq.ray.serving.measures import ShardMeasures
from obliq.ray.serving.versions import Versions
from obliq.ray.store import Store
from obliq.wire import SearchOptions, as_json

_MOST_FILTERS = 32  # that keep what they found, a bit for each vector of the files


@dataclass(frozen=True)
class ShardReply:
    """What a shard says. state: "ok"; "opening": it is about to open this version; "refused": the
    request is at fault, as `message` says. Else as of a search: [m][k]."""

    state: str
    message: str = ""
    distances: Optional[NDArray[np.float32]] = None
    ids: Optional[NDArray[np.int64]] = None
    columns: Dict[str, List[List[Any]]] = field(default_factory=dict)
    told: Dict[str, Any] = field(default_factory=dict)


class _Opened:
    """Its files of one version; index: None where the range is empty."""

    def __init__(self, version: Version, store: Store, place: int, shards: int, cache: str) -> None:
        lists = cut_version(version, shards)[place]
        paths = files_of(version, lists) if lists[0] < lists[1] else []
        files = [store.local(path, cache) for path in paths]
        self.index: Optional[obliq.Index] = None
        if files and version.layout == "one":
            self.index = obliq.Index.open(files[0])
        elif files:
            model = obliq.Model.open(store.local(version.model, cache))
            self.index = obliq.Index.open(model, files)
        self._filters: OrderedDict[str, Filter] = OrderedDict()
        self._lock = threading.Lock()

    def filter_of(self, options: SearchOptions) -> Optional[Filter]:
        """One object for all searches with the same filter: it keeps what it found."""
        if options.filter is None:
            if options.params:
                raise ValueError("params are values for the ? of a filter, and there is none")
            return None
        key = repr((options.filter, options.params))
        with self._lock:
            found = self._filters.get(key)
            if found is None:
                found = _filter(options.filter, options.params)
                self._filters[key] = found
                if len(self._filters) > _MOST_FILTERS:
                    self._filters.popitem(last=False)
            self._filters.move_to_end(key)
        return found


def _filter(given: Union[str, List[int]], params: Optional[List[Any]]) -> Filter:
    if isinstance(given, str):
        return Filter(given, params)
    if params is not None:
        raise ValueError("params are values for the ? of an expression, and the filter is of ids")
    return Filter.allow(np.array(given, np.int64))


class Shard:
    """Shard number `place` of `shards`."""

    def __init__(self, url: str, place: int, shards: int, settings: Dict[str, Any]) -> None:
        """Opens the current version; Serve counts the replica as there once it has. settings:
        storage_options, cache, poll_s, drain_s, threads, searches."""
        store = Store(url, settings["storage_options"])
        cache = settings["cache"] or machine_folder("serving")
        self._threads = int(settings["threads"])
        self._measures = ShardMeasures(place)
        self._versions: Versions[_Opened] = Versions(
            store, lambda version: _Opened(version, store, place, shards, cache),
            settings["poll_s"], settings["drain_s"])
        self._workers = ThreadPoolExecutor(int(settings["searches"]), "obliq search")
        self._openers = ThreadPoolExecutor(1, "obliq open")

    def check_health(self) -> None:
        """Called by Serve, which replaces the replica when it raises."""
        if not self._versions.follows():
            raise RuntimeError("the thread that looks for new versions has ended")

    async def search(self, manifest: str, wait: bool, queries: NDArray[np.float32],
                     lists: NDArray[np.int64], within: NDArray[np.float32],
                     options: SearchOptions) -> ShardReply:
        """The k nearest to each query among these lists, [m][any number], -1: none, all its own; no
        answer is farther than `within` [m]. wait: where it has not opened the version yet, do so
        first."""
        return await self._with(manifest, wait, lambda opened: self._search(
            opened, queries, lists, within, options))

    async def tell(self, manifest: str, wait: bool, options: SearchOptions) -> ShardReply:
        """What its files hold: vectors, how many pass the filter, and the tuning of an index."""
        return await self._with(manifest, wait, lambda opened: _told(opened, options))

    async def _with(self, manifest: str, wait: bool,
                    work: Callable[[_Opened], ShardReply]) -> ShardReply:
        loop = asyncio.get_running_loop()
        opened = self._versions.held(manifest)
        if opened is None:
            opening = loop.run_in_executor(self._openers, self._versions.get, manifest)
            if not wait:
                opening.add_done_callback(lambda done: done.exception())  # the next look tells
                return ShardReply("opening")
            opened = await opening
        try:
            return await loop.run_in_executor(self._workers, work, opened)
        except (ValueError, TypeError) as error:
            return ShardReply("refused", str(error))

    def _search(self, opened: _Opened, queries: NDArray[np.float32], lists: NDArray[np.int64],
                within: NDArray[np.float32], options: SearchOptions) -> ShardReply:
        start = time.monotonic()
        if opened.index is None:
            return ShardReply("ok", distances=np.empty((len(queries), 0), np.float32),
                              ids=np.empty((len(queries), 0), np.int64))
        # Nearer than `within`; equal distances count, since the smaller id wins.
        bound = np.nextafter(within, np.float32(np.inf))
        found = opened.index.search(
            queries, options.k, lists=lists, within=bound, confidence=options.confidence,
            threads=self._threads, filter=opened.filter_of(options), columns=options.columns)
        width = int((found.ids >= 0).sum(axis=1).max(initial=0))  # others have fewer answers
        columns = {} if not options.columns else {
            name: as_json_rows(values[:, :width]) for name, values in found.columns.items()}
        self._measures.searched(len(queries), time.monotonic() - start)
        return ShardReply("ok", "", found.distances[:, :width], found.ids[:, :width], columns)


def as_json_rows(values: NDArray[Any]) -> List[List[Any]]:
    """[m][k] values of a column as JSON has them."""
    return [as_json(row) for row in values]


def _told(opened: _Opened, options: SearchOptions) -> ShardReply:
    index = opened.index
    if index is None:
        return ShardReply("ok", told={"n": 0, "allowed": 0, "ladders": []})
    wanted = opened.filter_of(options)
    return ShardReply("ok", told={
        "n": len(index), "allowed": len(index) if wanted is None else index.count(wanted),
        "ladders": ladders_of(index.stats().tuning)})
