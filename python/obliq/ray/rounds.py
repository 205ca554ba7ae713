"""A search in shards, in two rounds, whoever asks the shards: plain arrays in and out.

    ranked = model.rank(queries, search.most_lists)
    first = search.first_round(ranked)                    lists [m][.], -1: none
    ... ask the shards that hold them, join the answers
    second, within = search.second_round(ranked, joined)  lists [m][.], distances [m]
    ... ask, join once more

What a list promises is known from its key and the k-th distance, once there is one (the stop rule
of one index, index/search/stop_rule.h): after j better lists the hits to expect in it are, up to a
constant, (1 + j)^-.9 exp(-3.5 key / kth). So the second round takes lists while the next eight
promise more than a threshold, and of those the shards that promise most, until what is left out is
a small share of all. Both numbers are found by tuning (tuning.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
from numpy.typing import NDArray

from obliq.model import RankedLists

_AHEAD = 8


@dataclass(frozen=True)
class Limits:
    """How far a search goes.

    first       lists of the first round
    most        lists of both
    threshold   logarithm of what the next lists must promise; -inf: no list is left out
    left_out    the share of all promises that shards which are not asked may hold
    """

    first: int
    most: int
    threshold: float = -np.inf
    left_out: float = 0.0


def promises(ranked: RankedLists, kth: NDArray[Any]) -> NDArray[Any]:
    """Logarithms [m][lists] of the hits to expect, up to a constant. kth: distances [m]; inf where
    there are fewer than k."""
    scaled = ranked.scale[:, 0] * kth + ranked.scale[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.where(scaled > 0, -3.5 * ranked.keys / scaled[:, None], -np.inf)
        near = np.where(np.isinf(kth)[:, None], 0.0, near)
    return -0.9 * np.log1p(np.arange(ranked.keys.shape[1])) + near


def wanted(promised: NDArray[Any], shards: NDArray[Any], limits: Limits) -> NDArray[Any]:
    """Which lists [m][lists] to scan in all: those of the first round, the next while they promise
    enough, and of these the ones in shards that hold all but `left_out` of the promises. `shards`:
    of each list [m][lists]."""
    count = promised.shape[1]
    within = np.arange(count) < limits.most
    chosen = np.tile(within, (len(promised), 1))
    if np.isfinite(limits.threshold):
        chosen &= _mean_ahead(promised) >= limits.threshold
        chosen = np.logical_and.accumulate(chosen, axis=1)
    first = np.arange(count) < limits.first
    chosen |= first
    if limits.left_out > 0:
        chosen &= ~_in_poor_shards(promised, shards, chosen, limits.left_out)
        chosen |= first
    return chosen


def _mean_ahead(promised: NDArray[Any]) -> NDArray[Any]:
    """The mean of the next lists' promises, [m][lists]."""
    finite = np.maximum(promised, -1e30)
    padded = np.concatenate([np.zeros((len(finite), 1)), np.cumsum(finite, axis=1)], axis=1)
    count = promised.shape[1]
    ends = np.minimum(np.arange(count) + _AHEAD, count)
    return (padded[:, ends] - padded[:, :count]) / (ends - np.arange(count))


def _in_poor_shards(promised: NDArray[Any], shards: NDArray[Any], chosen: NDArray[Any],
                    left_out: float) -> NDArray[Any]:
    """Lists of the shards that together hold no more than the share of all promises."""
    weight = np.where(chosen, np.exp(promised - promised[:, :1]), 0.0)
    rows = np.arange(len(promised))[:, None]
    mass = np.zeros((len(promised), int(shards.max(initial=0)) + 1))
    np.add.at(mass, (rows, shards), weight)
    order = np.argsort(mass, axis=1)
    total = np.cumsum(np.take_along_axis(mass, order, axis=1), axis=1)
    poor = np.zeros(mass.shape, bool)
    np.put_along_axis(poor, order, total <= left_out * total[:, -1:], axis=1)
    return poor[rows, shards]


def shards_of(lists: NDArray[Any], ranges: Sequence[Tuple[int, int]]) -> NDArray[Any]:
    """The number of the shard that holds each list."""
    ends = np.array([end for _, end in ranges])
    return np.searchsorted(ends, lists, side="right")
