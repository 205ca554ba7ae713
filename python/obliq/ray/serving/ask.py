"""One call of a shard: a time limit, and another replica where one is gone or is silent."""

from __future__ import annotations

import asyncio
import time
from typing import Any, Callable, Sequence

from ray.serve.exceptions import BackPressureError

from obliq.ray.serving.limits import Overloaded
from obliq.ray.serving.shard import ShardReply

_ATTEMPTS = 6
_FIRST_WAIT = 0.02  # seconds; doubles


class Opening(Exception):
    """A shard has not opened the version yet."""


class Shards:
    """The deployments of all shards, by handles."""

    def __init__(self, handles: Sequence[Any], attempt_s: float,
                 retried: Callable[[int], None]) -> None:
        self._handles = list(handles)
        self._attempt_s = attempt_s
        self._retried = retried

    def __len__(self) -> int:
        return len(self._handles)

    async def call(self, shard: int, method: str, deadline: float, *arguments: Any) -> ShardReply:
        """The reply of a replica. Raises Overloaded where none has room, or none answers before
        the deadline (of time.monotonic) or _ATTEMPTS calls; Opening; ValueError for what the shard
        refuses."""
        failure: BaseException = TimeoutError()
        for attempt in range(_ATTEMPTS):
            left = deadline - time.monotonic()
            if left <= 0:
                break
            try:
                reply = await self._once(shard, method, min(left, self._attempt_s), arguments)
                return _checked(reply)
            except BackPressureError:
                raise Overloaded(f"shard {shard} has no room") from None
            except (Opening, ValueError):
                raise
            except Exception as error:  # the replica is gone, silent, or has failed: another one
                failure = error
                self._retried(shard)
                await asyncio.sleep(min(_FIRST_WAIT * 2**attempt, max(0.0, left)))
        raise Overloaded(f"shard {shard} does not answer: {failure!r}"[:500])

    async def _once(self, shard: int, method: str, limit_s: float, arguments: Any) -> ShardReply:
        response = getattr(self._handles[shard], method).remote(*arguments)
        try:
            reply: ShardReply = await asyncio.wait_for(response, limit_s)
            return reply
        except asyncio.TimeoutError:
            response.cancel()
            raise TimeoutError(f"no reply in {limit_s:.1f} s") from None


def _checked(reply: ShardReply) -> ShardReply:
    if reply.state == "opening":
        raise Opening()
    if reply.state == "refused":
        raise ValueError(reply.message)
    return reply
