"""How far a search in shards goes: from a target recall, or a number of lists, and the tuning of a
version."""

from __future__ import annotations

import math
from typing import Any, Dict, Optional

import numpy as np

from obliq.ray.layout import Version
from obliq.ray.rounds import Limits, lists_of_first


def limits_for(version: Version, k: int, target_recall: Optional[float] = None,
               nprobe: Optional[int] = None, allowed: Optional[int] = None) -> Limits:
    """The limits of a search for k answers among `allowed` vectors that pass a filter; None: all.
    Without target_recall and nprobe the default recall of an index: .96 of what all lists give, .95
    at most. Raises ValueError for what is out of range, for a target above the max_recall of the
    tuning, or of a version that is not tuned."""
    check_range(k, target_recall, nprobe)
    if nprobe is not None and target_recall is None:
        most = min(nprobe, version.nlist)
        return Limits(lists_of_first(k, version.nlist, version.n, most), most)
    sought = k if allowed is None else math.ceil(k * version.n / max(1, min(allowed, version.n)))
    found = _tuned(version, sought, target_recall) if version.tuning else _untuned(
        version, sought, target_recall)
    if nprobe is None:
        return found
    return Limits(min(found.first, nprobe), min(found.most, nprobe), found.threshold,
                  found.left_out)


def check_range(k: int, target_recall: Optional[float], nprobe: Optional[int]) -> None:
    """Raises ValueError for what no search takes."""
    if type(k) is not int or k < 1:
        raise ValueError(f"k must be 1 or more, not {k}")
    if nprobe is not None and (type(nprobe) is not int or nprobe < 1):
        raise ValueError(f"nprobe must be 1 or more, not {nprobe}")
    if target_recall is not None and not 0 < target_recall < 1:
        raise ValueError(f"target_recall must be in (0, 1), not {target_recall}")


def _untuned(version: Version, k: int, target_recall: Optional[float]) -> Limits:
    if target_recall is not None:
        raise ValueError("the index is not tuned, so that target_recall has no meaning: give "
                         "nprobe, or build it with merge='one' or 'ranges:16' of 1,000 vectors or "
                         "more")
    lists = version.nlist if version.n < 1000 else max(
        2 * math.isqrt(version.nlist), math.ceil(4 * k * version.nlist / version.n))
    return _of_lists(version, k, lists)


def _tuned(version: Version, k: int, target_recall: Optional[float]) -> Limits:
    """Between two k that are tuned, the wider limits of both: thresholds grow with k, and a k-th
    distance of a smaller k makes promises look less."""
    tuned = sorted(int(name) for name in version.tuning or {})
    below = max((one for one in tuned if one <= k), default=tuned[0])
    above = min((one for one in tuned if one >= k), default=tuned[-1])
    rows = [_row(version, one, target_recall) for one in {below, above}]
    if k > tuned[-1]:
        return _beyond(version, k, tuned[-1], rows[0])
    if None in rows:
        return _of_lists(version, k, version.nlist)
    found = [row for row in rows if row is not None]
    threshold = min(-np.inf if row["threshold"] is None else row["threshold"] for row in found)
    most = max(row["most"] for row in found)
    return Limits(lists_of_first(k, version.nlist, version.n, most), most, threshold,
                  min(row["left_out"] for row in found))


def _row(version: Version, k: int, target_recall: Optional[float]) -> Optional[Dict[str, Any]]:
    """What meets the target at a k that is tuned; None: nothing but all lists."""
    ladder: Dict[str, Any] = (version.tuning or {})[str(k)]
    target = ladder["default"] if target_recall is None else target_recall
    if target > ladder["max_recall"]:
        most = f"{ladder['max_recall']:.4f}"
        raise ValueError(f"target_recall is {target}, and all lists give {most} at k = {k}: "
                         "ask for less, or build with raw vectors or more bits")
    return next((row for row in ladder["targets"] if row["target"] >= target - 1e-9), None)


def _beyond(version: Version, k: int, tuned: int, row: Optional[Dict[str, Any]]) -> Limits:
    """A straight line in log k and log lists, to all lists at k = n."""
    lists = float(version.nlist) if row is None else max(1.0, row["lists"])
    slope = math.log(version.nlist / lists) / max(1e-9, math.log(max(version.n, k) / tuned))
    return _of_lists(version, k, math.ceil(lists * (k / tuned) ** max(0.0, slope)))


def _of_lists(version: Version, k: int, lists: int) -> Limits:
    most = min(version.nlist, lists)
    return Limits(lists_of_first(k, version.nlist, version.n, most), most)
