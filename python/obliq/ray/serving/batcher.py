"""Joins searches that wait to batches. A search that finds a free lane starts at once, so that a
quiet server adds no delay; while all lanes are busy others gather, and the next free lane takes all
that can share a call. How many wait is bounded by whoever submits (router.py)."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Deque, List, Set

import numpy as np
from numpy.typing import NDArray

from obliq.wire import Answers, SearchOptions

Run = Callable[[NDArray[np.float32], SearchOptions], Awaitable[Answers]]


@dataclass
class _Waiting:
    queries: NDArray[np.float32]
    options: SearchOptions
    key: str
    done: asyncio.Future[Answers]


class Batcher:
    """Of one event loop."""

    def __init__(self, run: Run, lanes: int, most: int) -> None:
        """run      answers queries [m][dim] that share their options
        lanes    batches under way at once
        most     queries of a batch, unless one search has more
        """
        self._run, self._lanes, self._most = run, lanes, most
        self._waiting: Deque[_Waiting] = deque()
        self._tasks: Set[asyncio.Task[None]] = set()

    async def submit(self, queries: NDArray[np.float32], options: SearchOptions) -> Answers:
        """The answers to these queries. Raises what `run` raises; a batch that was refused is
        repeated one by one, so that a search fails for its own fault alone."""
        loop = asyncio.get_running_loop()
        entry = _Waiting(queries, options, options.key(), loop.create_future())
        self._waiting.append(entry)
        self._start()
        return await entry.done

    def _start(self) -> None:
        while self._waiting and len(self._tasks) < self._lanes:
            task = asyncio.get_running_loop().create_task(self._answer(self._take()))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._start()

    def _take(self) -> List[_Waiting]:
        """The one that has waited longest, and others that can go along."""
        first = self._waiting.popleft()
        taken, rows = [first], len(first.queries)
        left: Deque[_Waiting] = deque()
        while self._waiting:
            entry = self._waiting.popleft()
            if entry.done.done():  # given up
                continue
            if entry.key == first.key and rows + len(entry.queries) <= self._most:
                taken.append(entry)
                rows += len(entry.queries)
            else:
                left.append(entry)
        self._waiting = left
        return taken

    async def _answer(self, taken: List[_Waiting]) -> None:
        taken = [entry for entry in taken if not entry.done.done()]
        if not taken:
            return
        try:
            answers = await self._run(np.concatenate([entry.queries for entry in taken]),
                                      taken[0].options)
        except Exception as error:
            if len(taken) == 1 or not isinstance(error, ValueError):
                for entry in taken:
                    _settle(entry.done, error)
                return
            for entry in taken:
                await self._answer([entry])
            return
        start = 0
        for entry in taken:
            end = start + len(entry.queries)
            _settle(entry.done, _rows(answers, start, end))
            start = end


def _settle(done: asyncio.Future[Answers], outcome: Any) -> None:
    if done.done():
        return
    if isinstance(outcome, Exception):
        done.set_exception(outcome)
    else:
        done.set_result(outcome)


def _rows(answers: Answers, start: int, end: int) -> Answers:
    rows = slice(start, end)
    return Answers(answers.distances[rows], answers.ids[rows], answers.version,
                   {name: values[rows] for name, values in answers.columns.items()},
                   None if answers.asked is None else answers.asked[rows])
