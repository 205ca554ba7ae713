"""One batch of queries that share their options: which shards are asked, and in which round.

The first round asks for the lists of each query in one shard, the one that holds the very best;
most neighbours lie there. The k-th distance found bounds the second round (obliq/ray/rounds.py): it
tells which lists still promise answers, and their shards return nothing beyond it. Where a query
has fewer than k answers then, further lists follow, four times as many each time, until there are k
or no lists are left.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Dict, List, Tuple

import numpy as np
from numpy.typing import NDArray

import obliq
from obliq.model import RankedLists
from obliq.ray.rounds import Limits as Reach
from obliq.ray.rounds import promises, wanted
from obliq.ray.serving.shard import ShardReply
from obliq.wire import Answers, SearchOptions

# Asks a shard: (shard, queries, lists, within).
Ask = Callable[[int, NDArray[np.float32], NDArray[np.int64], NDArray[np.float32]],
               Awaitable[ShardReply]]


@dataclass(frozen=True)
class Routing:
    """Of a version. ends: of the lists of each shard, rising; file_ends: of those of each file,
    by which tuning has found what to leave out."""

    model: obliq.Model
    ends: NDArray[np.int64]
    file_ends: NDArray[np.int64]
    number: int

    def shards_of(self, lists: NDArray[Any]) -> NDArray[np.int64]:
        """The shard of each list."""
        return np.searchsorted(self.ends, lists, side="right").astype(np.int64)


class Rounds:
    """What is known of a batch so far."""

    def __init__(self, routing: Routing, queries: NDArray[np.float32], options: SearchOptions,
                 ask: Ask) -> None:
        self._routing, self._queries, self._options, self._ask = routing, queries, options, ask
        m = len(queries)
        self.distances = np.full((m, options.k), np.inf, np.float32)
        self.ids = np.full((m, options.k), -1, np.int64)
        self._asked = np.zeros((m, len(routing.ends)), bool)
        self._values: List[Dict[int, List[Any]]] = [{} for _ in range(m)]

    async def run(self, reach: Reach, enough: int) -> Answers:
        """Searches as far as `reach`, and further while a query has fewer answers than `enough` and
        k."""
        ranked = await self._rank(reach.most)
        lists, shards = self._placed(ranked)
        first = shards == shards[:, :1]
        if reach.first > 0:  # as it was tuned
            first = np.broadcast_to(np.arange(lists.shape[1]) < reach.first, lists.shape)
        await self._round(lists, shards, first)
        files = np.searchsorted(self._routing.file_ends, lists, side="right")
        chosen = wanted(promises(ranked, self.distances[:, -1]), files, reach)
        await self._round(lists, shards, chosen & ~first)
        count = lists.shape[1]
        while count < self._routing.model.nlist and self._lack(enough).any():
            lists, shards = self._placed(await self._rank(4 * count))
            rest = np.arange(lists.shape[1]) >= count
            await self._round(lists, shards, self._lack(enough)[:, np.newaxis] & rest)
            count = lists.shape[1]
        return Answers(self.distances, self.ids, self._routing.number, self._columns(),
                       self._asked.sum(axis=1))

    def _lack(self, enough: int) -> NDArray[np.bool_]:
        found: NDArray[np.int64] = (self.ids >= 0).sum(axis=1)
        return found < min(self._options.k, enough)

    async def _rank(self, count: int) -> RankedLists:
        model = self._routing.model
        return await asyncio.get_running_loop().run_in_executor(
            None, lambda: model.rank(self._queries, min(count, model.nlist), threads=1))

    def _placed(self, ranked: RankedLists) -> Tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Lists and their shards, [m][lists]."""
        lists = ranked.lists.astype(np.int64)
        return lists, self._routing.shards_of(lists)

    async def _round(self, lists: NDArray[np.int64], shards: NDArray[np.int64],
                     asked: NDArray[np.bool_]) -> None:
        """Asks the shards of these lists, [m][lists], all at once."""
        within = self.distances[:, -1]
        calls, places = [], []
        for shard in np.unique(shards[asked]).tolist():
            of_shard = asked & (shards == shard)
            rows = np.flatnonzero(of_shard.any(axis=1))
            self._asked[rows, shard] = True
            places.append(rows)
            calls.append(self._ask(shard, self._queries[rows],
                                   _packed(lists[rows], of_shard[rows]), within[rows]))
        replies = await asyncio.gather(*calls)
        self._join(list(zip(places, replies)))

    def _join(self, parts: List[Tuple[NDArray[np.intp], ShardReply]]) -> None:
        answers: List[Any] = [(self.distances, self.ids)]
        for rows, reply in parts:
            assert reply.distances is not None and reply.ids is not None
            width = reply.ids.shape[1]
            if width == 0:
                continue
            distances = np.full((len(self.ids), width), np.inf, np.float32)
            ids = np.full((len(self.ids), width), -1, np.int64)
            distances[rows], ids[rows] = reply.distances, reply.ids
            answers.append((distances, ids))
            self._keep_values(rows, reply)
        self.distances, self.ids = obliq.merge_topk(answers, self._options.k)

    def _keep_values(self, rows: NDArray[np.intp], reply: ShardReply) -> None:
        if not reply.columns or reply.ids is None:
            return
        named = [reply.columns[name] for name in self._options.columns or []]
        for place, row in enumerate(rows.tolist()):
            for rank, id in enumerate(reply.ids[place].tolist()):
                if id >= 0:
                    self._values[row][id] = [values[place][rank] for values in named]

    def _columns(self) -> Dict[str, List[List[Any]]]:
        names = self._options.columns or []
        none = [None] * len(names)
        found = [[self._values[row].get(id, none) for id in ids]
                 for row, ids in enumerate(self.ids.tolist())] if names else []
        return {name: [[values[i] for values in row] for row in found]
                for i, name in enumerate(names)}


def _packed(lists: NDArray[np.int64], asked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The lists of each row that are asked for at its front, then -1; no wider than it takes."""
    order = np.argsort(~asked, axis=1, kind="stable")[:, :int(asked.sum(axis=1).max())]
    return np.where(np.take_along_axis(asked, order, 1), np.take_along_axis(lists, order, 1), -1)
