"""Answers searches: admits them, joins those that wait to batches, asks shards in two rounds.

A batch is answered by one version. That is the newest which this router has opened, unless a shard
has not opened it yet: then the one before, which shards keep for a while. So a new version is
served as soon as all replicas that are asked have it, and no search fails or mixes two.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

import obliq
from obliq.ray.cache import machine_folder
from obliq.ray.layout import Version
from obliq.ray.serving.ask import Opening, Shards
from obliq.ray.serving.batcher import Batcher
from obliq.ray.serving.cut import cut_version
from obliq.ray.serving.http import respond
from obliq.ray.serving.limits import Limits, Overloaded, as_search
from obliq.ray.serving.list_plan import ListPlan
from obliq.ray.serving.measures import RouterMeasures
from obliq.ray.serving.rounds import Rounds, Routing
from obliq.ray.serving.shard import ShardReply
from obliq.ray.serving.versions import Versions
from obliq.ray.store import Store
from obliq.wire import Answers, SearchOptions, options_of

_MOST_SHARES = 1024  # filters whose share of the vectors is remembered
_NO_OPTIONS = SearchOptions()


class _Routed:
    """A version as a router sees it."""

    def __init__(self, version: Version, store: Store, shards: int, cache: str) -> None:
        ranges = cut_version(version, shards)
        self.version = version
        self.routing = Routing(obliq.Model.open(store.local(version.model, cache)),
                               np.array([end for _, end in ranges]),
                               np.array([file.end for file in version.shards]), version.number)
        self.filled = [place for place, (first, end) in enumerate(ranges) if first < end]
        self.plan: Optional[ListPlan] = None
        # By filter: the share of the vectors that pass, and their number, at most.
        self.shares: OrderedDict[str, Tuple[float, int]] = OrderedDict()

    def tellers(self) -> List[int]:
        """Shards that hold all files between them: one where each file may have any list."""
        return self.filled if self.version.layout == "ranges" else self.filled[:1]


class Router:
    """A replica of the deployment that takes requests."""

    def __init__(self, url: str, shards: Sequence[Any], settings: Dict[str, Any]) -> None:
        """shards: handles of their deployments. settings: storage_options, cache, poll_s, drain_s,
        limits, lanes, batch."""
        store = Store(url, settings["storage_options"])
        cache = settings["cache"] or machine_folder("serving")
        self.limits: Limits = settings["limits"]
        self._measures = RouterMeasures()
        self._shards = Shards(shards, self.limits.attempt_s, self._measures.retried)
        self._versions: Versions[_Routed] = Versions(
            store, lambda version: _Routed(version, store, len(shards), cache),
            settings["poll_s"], settings["drain_s"])
        self._batcher = Batcher(self._run, settings["lanes"], settings["batch"])
        self._pending = 0

    def check_health(self) -> None:
        """Called by Serve, which replaces the replica when it raises."""
        if not self._versions.follows():
            raise RuntimeError("the thread that looks for new versions has ended")
        self._measures.state(self._pending, self._newest().version.number)

    async def __call__(self, request: Any) -> Any:
        """A request over HTTP."""
        return await respond(self, request)

    def stats(self) -> Dict[str, Any]:
        """What is served, and the limits of a request."""
        version = self._newest().version
        return {"version": version.number, "n": version.n, "dim": version.dim,
                "metric": version.metric, "quantizer": version.quantizer, "nlist": version.nlist,
                "columns": version.columns, "shards": len(self._shards),
                "limits": vars(self.limits)}

    async def search(self, queries: Any, k: int = 10, *, nprobe: Optional[int] = None,
                     target_recall: float = 0.0, confidence: float = 0.964,
                     filter: Any = None, params: Optional[Sequence[Any]] = None,
                     columns: Optional[Sequence[str]] = None) -> Answers:
        """The k nearest vectors of each query [m][dim], through a handle of Serve; options as of
        Index.search, filter an expression or a list of ids. Raises ValueError or TypeError for what
        is at fault, TooLarge beyond a limit, Overloaded where there is no room."""
        return await self.answer(queries, options_of(k, nprobe, target_recall, confidence, filter,
                                                     params, columns))

    async def answer(self, queries: Any, options: SearchOptions) -> Answers:
        """The same of options that were put together."""
        start, outcome, rows = time.monotonic(), "failed", 0
        answers: Optional[Answers] = None
        try:
            array = as_search(queries, options, self._newest().version.dim)
            self.limits.check(len(array), options)
            rows = len(array)
            answers = await self._admitted(array, options)
            outcome = "ok"
        except (ValueError, TypeError):
            outcome = "refused"
            raise
        except Overloaded:
            outcome = "overloaded"
            raise
        finally:
            self._measures.answered(outcome, rows, time.monotonic() - start,
                                    None if answers is None else answers.asked)
        return answers

    async def _admitted(self, queries: NDArray[np.float32], options: SearchOptions) -> Answers:
        rows = max(1, len(queries))
        if self._pending + rows > self.limits.pending:
            raise Overloaded(f"{self._pending} queries are held, {self.limits.pending} at most")
        self._pending += rows
        try:
            return await asyncio.wait_for(self._batcher.submit(queries, options),
                                          self.limits.deadline_s)
        except asyncio.TimeoutError:
            raise Overloaded(f"no answer in {self.limits.deadline_s} s") from None
        finally:
            self._pending -= rows

    def _newest(self) -> _Routed:
        return self._versions.get(self._versions.newest()[0])

    async def _run(self, queries: NDArray[np.float32], options: SearchOptions) -> Answers:
        deadline = time.monotonic() + self.limits.deadline_s
        manifests = self._versions.newest()
        for place, manifest in enumerate(manifests):
            routed = self._versions.held(manifest)
            if routed is None:
                continue
            wait = place == len(manifests) - 1
            try:
                return await _Batch(self._shards, routed, manifest, wait, deadline).run(
                    queries, options)
            except Opening:
                continue
        raise Overloaded("no shard has opened a version yet")


class _Batch:
    """A batch in one version."""

    def __init__(self, shards: Shards, routed: _Routed, manifest: str, wait: bool,
                 deadline: float) -> None:
        self._shards, self._routed, self._deadline = shards, routed, deadline
        self._named = (manifest, wait)

    async def run(self, queries: NDArray[np.float32], options: SearchOptions) -> Answers:
        version = self._routed.version
        share, enough = 1.0, version.n
        if options.filter is not None:
            share, enough = await self._share(options)
        reach = (await self._plan()).reach(options.k, options.target_recall, options.nprobe, share)
        return await Rounds(self._routed.routing, queries, options,
                            lambda shard, rows, lists, within: self._ask(
                                shard, "search", rows, lists, within, options)).run(reach, enough)

    async def _ask(self, shard: int, method: str, *arguments: Any) -> ShardReply:
        return await self._shards.call(shard, method, self._deadline, *self._named, *arguments)

    async def _tell(self, options: SearchOptions) -> List[Dict[str, Any]]:
        replies = await asyncio.gather(*[self._ask(shard, "tell", options)
                                         for shard in self._routed.tellers()])
        return [reply.told for reply in replies]

    async def _plan(self) -> ListPlan:
        """By the tuning of an index, which its shards have, or that of the manifest."""
        if self._routed.plan is None:
            version, ladders = self._routed.version, []
            if version.layout == "one" and self._routed.filled:
                ladders = (await self._tell(_NO_OPTIONS))[0]["ladders"]
            self._routed.plan = ListPlan(version, ladders)
        return self._routed.plan

    async def _share(self, options: SearchOptions) -> Tuple[float, int]:
        """The share of the vectors that pass the filter, and how many that are. Files that two
        shards open count twice, which leaves the share about what it is."""
        shares, key = self._routed.shares, repr((options.filter, options.params))
        if key not in shares:
            told = await self._tell(options)
            n, allowed = (sum(part[name] for part in told) for name in ("n", "allowed"))
            shares[key] = (allowed / n if n else 0.0, allowed)
            if len(shares) > _MOST_SHARES:
                shares.popitem(last=False)
        return shares[key]
