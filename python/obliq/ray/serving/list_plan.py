"""How far a search goes, by what tuning has found, read as Index.search reads it.

Tuning tells for some k and some recalls a number of lists that reaches them, and a threshold of
what further lists must promise. Between two recalls both are interpolated in log(1 - recall),
between two k in log k; beyond the last k lists are on the line in log k and log lists that ends
with all lists at k = n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, List, Optional, Sequence, Tuple

from obliq.index_stats import Tuning
from obliq.ray.layout import Version
from obliq.ray.limits import limits_for
from obliq.ray.rounds import Limits as Reach

# (recall, lists, threshold, whether the threshold is to be used), rising.
_Step = Tuple[float, int, float, bool]
# k, the recall of all lists, steps.
_Ladder = Tuple[int, float, List[_Step]]

_DEFAULT_RECALL, _SHARE_OF_MOST = 0.95, 0.96
_TUNED_FROM = 1000  # vectors
_FEW = 64  # times k: where no more pass a filter, all of them are looked at
_BEYOND = 3  # times the lists that are enough on average: the most where a threshold decides


@dataclass(frozen=True)
class ListPlan:
    """Of a version. ladders: the tuning of its index, where it is one file; a version of several
    has that of its manifest (obliq/ray/limits.py)."""

    version: Version
    ladders: Sequence[_Ladder]

    def reach(self, k: int, target: float, nprobe: Optional[int], share: float) -> Reach:
        """How far to go for k answers where `share` of the vectors may be answers. Raises
        ValueError for a target that is out of reach or was not tuned."""
        n, nlist = self.version.n, self.version.nlist
        if share == 0:
            return _fixed(1)
        if share < 1 and share * n <= _FEW * k:
            return _fixed(nlist)
        if nprobe is not None and not target:
            return _fixed(max(1, min(nprobe, nlist)))
        if n < _TUNED_FROM or k >= n:
            return _fixed(nlist)
        if not self.ladders:
            return limits_for(self.version, k, target or None, nprobe,
                              None if share == 1 else math.ceil(share * n))
        found = self._tuned(min(n, math.ceil(k / share)), target)
        return replace(found, most=max(1, min(found.most, nlist, nprobe or nlist)))

    def _tuned(self, k: int, target: float) -> Reach:
        nlist = self.version.nlist
        points = [(ladder[0], _of_ladder(ladder, target, nlist)) for ladder in self.ladders]
        if k <= points[0][0]:
            return _as_reach(points[0][1])
        for (low, few), (high, many) in zip(points, points[1:]):
            if k <= high:
                return _as_reach(_between(few, many, math.log(k / low) / math.log(high / low)))
        last, step = points[-1]
        part = math.log(k / last) / math.log(max(self.version.n, last + 1) / last)
        return _fixed(math.ceil(step[1] * (nlist / step[1]) ** part))


def _of_ladder(ladder: _Ladder, target: float, nlist: int) -> _Step:
    """The step for a recall; 0: that of a search that names none."""
    k, most, steps = ladder
    recall = target or min(_DEFAULT_RECALL, _SHARE_OF_MOST * most)
    if recall > most:
        raise ValueError(f"target_recall {recall:.3f} is above {most:.3f}, what all lists give at "
                         f"k = {k}")
    below: Optional[_Step] = None
    for step in steps:
        if recall <= step[0]:
            if below is None or step[0] >= 1:
                return step
            start, end = math.log(1 - below[0]), math.log(1 - step[0])
            return _between(below, step, (math.log(1 - recall) - start) / (end - start))
        below = step
    return (recall, nlist, -math.inf, False)


def _between(first: _Step, second: _Step, part: float) -> _Step:
    # Where one of two has no threshold there is none between them, unless it is the very other.
    threshold = first[2] if part <= 0 else second[2] if part >= 1 else (
        first[2] + part * (second[2] - first[2]))
    return (first[0] + part * (second[0] - first[0]),
            math.ceil(first[1] + part * (second[1] - first[1]) - 1e-9),
            threshold, first[3] and second[3] if 0 < part < 1 else (second if part >= 1 else
                                                                    first)[3])


def _as_reach(step: _Step) -> Reach:
    if step[3] and math.isfinite(step[2]):
        return Reach(0, _BEYOND * step[1], step[2])
    return _fixed(step[1])


def _fixed(lists: int) -> Reach:
    return Reach(0, lists)


def ladders_of(tuning: Optional[Tuning]) -> List[Any]:
    """What a plan needs of a tuning, in a form that travels."""
    if tuning is None:
        return []
    return [(ladder.k, ladder.max_recall,
             [(step.recall, step.nprobe, step.threshold, step.stops) for step in ladder.targets])
            for ladder in tuning.ladders]
