"""A search in shards, in two rounds, whoever asks the shards: plain arrays in and out.

    ranked = model.rank(queries, limits.most)
    shards = shards_of(ranked.lists, version.ranges())
    first = first_lists(ranked, limits)                       [m][.], -1: none
    ... search each part of split(first, shards_of_first); found = join(answers)
    second = second_lists(ranked, shards, kth_of(found), limits)
    ... the same within(kth); found = join([found, *answers])

What a list promises is known from its key and the k-th distance, once there is one (the stop rule
of one index, index/search/stop_rule.h): after j better lists the hits to expect in it are, up to a
constant, (1 + j)^-.9 exp(-3.5 key / kth). So the second round takes lists while the next eight
promise more than a threshold, and of those the shards that promise most, until what is left out is
a small share of all. Both numbers are found by tuning (tuning.py).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Sequence, Tuple

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


def lists_of_first(k: int, nlist: int, n: int, most: int) -> int:
    """Lists that hold about k vectors, and half as many again, so that there is a k-th distance
    after the first round; at least two."""
    return max(1, min(most, max(2, -(-3 * k * nlist // (2 * max(n, 1))))))


def promises(ranked: RankedLists, kth: NDArray[Any]) -> NDArray[Any]:
    """Logarithms [m][lists] of the hits to expect, up to a constant. kth: distances [m]; inf where
    there are fewer than k."""
    scaled = ranked.scale[:, 0] * kth + ranked.scale[:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        near = np.where(scaled[:, None] > 0, -3.5 * ranked.keys / scaled[:, None], -np.inf)
        near = np.where(np.isinf(kth)[:, None], 0.0, near)
    return np.asarray(near - 0.9 * np.log1p(np.arange(ranked.keys.shape[1])))


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
    return np.asarray((padded[:, ends] - padded[:, :count]) / (ends - np.arange(count)))


def _in_poor_shards(promised: NDArray[Any], shards: NDArray[Any], chosen: NDArray[Any],
                    left_out: float) -> NDArray[Any]:
    """Lists of the shards that together hold no more than the share of all promises."""
    finite = np.maximum(promised, -1e30)
    weight = np.where(chosen, np.exp(np.minimum(finite - finite[:, :1], 50.0)), 0.0)
    rows = np.arange(len(promised))[:, None]
    count = int(shards.max(initial=0)) + 1
    mass = np.bincount((rows * count + shards).ravel(), weight.ravel(),
                       len(promised) * count).reshape(-1, count)
    order = np.argsort(mass, axis=1)
    total = np.cumsum(np.take_along_axis(mass, order, axis=1), axis=1)
    poor = np.zeros(mass.shape, bool)
    np.put_along_axis(poor, order, total <= left_out * total[:, -1:], axis=1)
    return np.asarray(poor[rows, shards])


def shards_of(lists: NDArray[Any], ranges: Sequence[Tuple[int, int]]) -> NDArray[Any]:
    """The number of the shard that holds each list."""
    ends = np.array([end for _, end in ranges])
    return np.searchsorted(ends, lists, side="right")


def first_lists(ranked: RankedLists, limits: Limits) -> NDArray[np.int64]:
    """The lists of the first round, [m][first]."""
    return ranked.lists[:, :limits.first].astype(np.int64)


def second_lists(ranked: RankedLists, shards: NDArray[Any], kth: NDArray[Any],
                 limits: Limits) -> NDArray[np.int64]:
    """Those of the second, [m][lists], -1 in the place of others."""
    chosen = wanted(promises(ranked, kth), shards, limits)
    chosen[:, :limits.first] = False
    return np.where(chosen, ranked.lists.astype(np.int64), -1)


def split(lists: NDArray[np.int64],
          ranges: Sequence[Tuple[int, int]]) -> List[Tuple[int, NDArray[Any], NDArray[np.int64]]]:
    """What to ask of which shard: its number, the rows of the queries, and their lists in it, -1
    for none. Shards that need not be asked are left out."""
    parts = []
    for shard, (first, end) in enumerate(ranges):
        held = (lists >= first) & (lists < end)
        rows = np.flatnonzero(held.any(axis=1))
        if len(rows):
            kept = np.where(held[rows], lists[rows], -1)
            order = np.argsort(kept < 0, axis=1, kind="stable")[:, :held[rows].sum(1).max()]
            parts.append((shard, rows, np.take_along_axis(kept, order, axis=1)))
    return parts


@dataclass
class Answers:
    """Of m queries, nearest first: distances and ids [m][k], -1 and inf where there are fewer, and
    values of columns, lists of m lists of k."""

    distances: NDArray[Any]
    ids: NDArray[Any]
    columns: Dict[str, NDArray[Any]] = field(default_factory=dict)


def no_answers(m: int, k: int, columns: Sequence[str] = ()) -> Answers:
    """None for any query."""
    return Answers(np.full((m, k), np.inf, np.float32), np.full((m, k), -1, np.int64),
                   {name: np.full((m, k), None, object) for name in columns})


def spread(answers: Answers, rows: NDArray[Any], m: int) -> Answers:
    """Answers to some of m queries as answers to all."""
    all_of = no_answers(m, answers.ids.shape[1], list(answers.columns))
    all_of.distances[rows], all_of.ids[rows] = answers.distances, answers.ids
    for name, values in answers.columns.items():
        all_of.columns[name][rows] = values
    return all_of


def join(parts: Iterable[Answers], k: int) -> Answers:
    """The k nearest of each query in all parts, at equal distances by rising id, each id once."""
    given = list(parts)
    distances = np.concatenate([part.distances for part in given], axis=1)
    ids = np.concatenate([part.ids for part in given], axis=1)
    distances = np.where(ids == -1, np.inf, distances)
    order = np.lexsort((ids, distances), axis=1)
    sorted_ids = np.take_along_axis(ids, order, axis=1)
    by_id = np.argsort(sorted_ids, axis=1, kind="stable")
    grouped = np.take_along_axis(sorted_ids, by_id, axis=1)
    again = np.zeros(ids.shape, bool)
    again[:, 1:] = grouped[:, 1:] == grouped[:, :-1]
    dropped = np.zeros(ids.shape, bool)
    np.put_along_axis(dropped, by_id, again, axis=1)
    dropped |= sorted_ids == -1
    kept = np.argsort(dropped, axis=1, kind="stable")[:, :k]
    order = np.take_along_axis(order, kept, axis=1)
    none = np.take_along_axis(dropped, kept, axis=1)
    columns = {name: np.take_along_axis(np.concatenate([part.columns[name] for part in given], 1),
                                        order, axis=1) for name in given[0].columns}
    return _filled(Answers(np.where(none, np.inf, np.take_along_axis(distances, order, 1)),
                           np.where(none, -1, np.take_along_axis(ids, order, 1)), columns), k)


def kth_of(found: Answers) -> NDArray[Any]:
    """The k-th distance of each query [m]; inf where there are fewer."""
    return found.distances[:, -1]


def within(kth: NDArray[Any]) -> NDArray[np.float32]:
    """What answers elsewhere must be nearer than, so that those at the k-th distance count: ties
    go by id."""
    return np.nextafter(kth.astype(np.float32), np.float32(np.inf))


def _filled(answers: Answers, k: int) -> Answers:
    m, have = answers.ids.shape
    if have < k:
        more = no_answers(m, k - have, list(answers.columns))
        answers = Answers(np.concatenate([answers.distances, more.distances], 1),
                          np.concatenate([answers.ids, more.ids], 1),
                          {name: np.concatenate([values, more.columns[name]], 1)
                           for name, values in answers.columns.items()})
    answers.distances = answers.distances.astype(np.float32)
    return answers
