"""Tunes shards of ranges of lists: how many lists, and which shards, reach which recall.

The learn queries of the model have their exact neighbours in the shards (Model.truth). A task for
each shard tells which answers each of its lists gives; from that the recall of any choice of lists
follows without another search: a true neighbour that all lists give is found where one of its lists
is scanned. So every pair (threshold, share left out) of rounds.Limits has a recall, a number of
lists and a number of shards, and for each target that pair is kept which meets it at the least
cost: shards asked, and a 32nd for each list.

A target counts as met with the margin that tuning of one index takes (index/tune/tuning.h).
"""

from __future__ import annotations

import io
import tempfile
from dataclasses import replace
from typing import Any, Dict, List, Optional, Tuple

import numpy as np
from numpy.typing import NDArray

import obliq
from obliq.ray import memory, rounds, steps
from obliq.ray.layout import Version
from obliq.ray.plan import Plan, digest
from obliq.ray.rounds import Limits

TUNED_K = (1, 10, 100)
TARGETS = (0.8, 0.85, 0.9, 0.925, 0.95, 0.96, 0.97, 0.98, 0.99)
THRESHOLDS = (-np.inf, -10.0, -9.5, -9.0, -8.5, -8.0, -7.5, -7.0, -6.5)
LEFT_OUT = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25)
MOST_LISTS = 512
LISTS_PER_SHARD = 32.0
LEAST_TUNED = 1000
_SLICE = 4096


def tune(plan: Plan, version: Version, limit_s: float) -> Version:
    """The version with its tuning; as it is where it has one shard, or fewer than LEAST_TUNED
    vectors."""
    if version.layout != "ranges" or version.n < LEAST_TUNED:
        return version
    name = f"tuning/{digest(*[shard.path for shard in version.shards])}"
    base = {"text": plan.dump(), "model": version.model, "name": name}
    size = memory.PROCESS + 400 * memory.MB + memory.model_bytes(version.nlist, version.dim)
    common: Dict[str, Any] = {"memory": size, "num_cpus": 1, "limit_s": 24 * limit_s}
    steps.run_tasks("tune", prepare, [dict(base, shard=version.shards[0].path)], **common)
    items = [dict(base, shard=shard.path, number=number, first=shard.first, end=shard.end)
             for number, shard in enumerate(version.shards)]
    steps.run_tasks("tune", look, items, **common)
    store = plan.store()
    plan_file = _load(store, name)
    found = [_load(store, f"{name}-{number}") for number in range(len(items))]
    tuning = _tuning_of(plan_file, found, version)
    for path in [name, *(f"{name}-{number}" for number in range(len(items)))]:
        store.remove(f"{path}.npz")
    return replace(version, tuning=tuning)


def prepare(job: Dict[str, Any]) -> Dict[str, Any]:
    """Writes down what the shards are to look for: learn queries, their lists and neighbours."""
    store = Plan.load(job["text"]).store()
    with tempfile.TemporaryDirectory(dir=store.beside()) as folder:
        model = obliq.Model.open(store.shared(job["model"], folder))
        queries, own = model.learn_queries()
        distances, ids = model.truth(store.local(job["shard"], folder))
        count = min(len(queries), 500 if model.stats().n < 500_000 else 250)
        lists = model.rank(queries[:count], MOST_LISTS)
        _save(store, job["name"], queries=queries[:count], own=own[:count], lists=lists.lists,
              **{f"first{k}": rounds.lists_of_first(k, model.nlist, model.stats().n, MOST_LISTS)
                 for k in TUNED_K}, keys=lists.keys, scale=lists.scale, truth=ids[:count],
              distances=distances[:count])
    return {"done": 1}


def look(job: Dict[str, Any]) -> Dict[str, Any]:
    """Writes down what a shard answers: with all of its lists, and with each of those that are
    ranked, nearer than the last true neighbour."""
    store = Plan.load(job["text"]).store()
    given = _load(store, job["name"])
    with tempfile.TemporaryDirectory(dir=store.beside()) as folder:
        model = obliq.Model.open(store.shared(job["model"], folder))
        index = obliq.Index.open(model, [store.local(job["shard"], folder)])
        bound = rounds.within(np.where(given["truth"][:, -1] == -1, np.inf,
                                       given["distances"][:, -1]))
        own = np.arange(job["first"], job["end"])
        rows = np.arange(len(bound))
        whole = _answers(index, given["queries"], rows, np.tile(own, (len(rows), 1)), bound)
        held = (given["lists"] >= job["first"]) & (given["lists"] < job["end"])
        queries, ranks = np.nonzero(held)
        single = _answers(index, given["queries"], queries,
                          given["lists"][queries, ranks][:, None].astype(np.int64), bound)
        early = {f"early{k}": _first_answers(index, given, held, k) for k in TUNED_K}
        _save(store, f"{job['name']}-{job['number']}", **early, query=whole[0], id=whole[1],
              distance=whole[2], list_query=queries[single[0]], rank=ranks[single[0]],
              list_id=single[1], list_distance=single[2])
    return {"done": 1}


def _answers(index: Any, queries: NDArray[Any], rows: NDArray[Any], lists: NDArray[Any],
             bound: NDArray[Any]) -> Tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """(place in rows, id, distance) of all answers."""
    found: List[Tuple[NDArray[Any], ...]] = [(np.zeros(0, np.int64), np.zeros(0, np.int64),
                                              np.zeros(0, np.float32))]
    most = TUNED_K[-1] + 1
    for first in range(0, len(rows), _SLICE):
        part = rows[first:first + _SLICE]
        distances, ids = index.search(queries[part], most, lists=lists[first:first + _SLICE],
                                      within=bound[part], threads=1)[:2]
        places, ranks = np.nonzero(ids != -1)
        found.append((places + first, ids[places, ranks], distances[places, ranks]))
    return tuple(np.concatenate(arrays) for arrays in zip(*found))  # type: ignore[return-value]


def _first_answers(index: Any, given: Dict[str, Any], held: NDArray[Any],
                   k: int) -> NDArray[Any]:
    """Distances [queries][k + 1] in the lists of a first round, as far as the shard has them."""
    lists = np.where(held, given["lists"].astype(np.int64), -1)[:, :int(given[f"first{k}"])]
    distances, ids = index.search(given["queries"], k + 1, lists=lists, threads=1)[:2]
    return np.where(ids == given["own"][:, None], np.inf, distances)  # itself left out


def _tuning_of(given: Dict[str, Any], found: List[Dict[str, Any]],
               version: Version) -> Optional[Dict[str, Any]]:
    if len(given["queries"]) == 0:
        return None
    joined = {name: np.concatenate([part[name] for part in found], axis=int("early" in name))
              for name in found[0]}
    shards = rounds.shards_of(given["lists"], version.ranges())
    ranked = obliq.RankedLists(given["lists"], given["keys"], given["scale"])
    return {str(k): _for_k(k, given, joined, ranked, shards, version) for k in TUNED_K}


def _for_k(k: int, given: Dict[str, Any], found: Dict[str, Any], ranked: Any,
           shards: NDArray[Any], version: Version) -> Dict[str, Any]:
    count, most = ranked.lists.shape
    first = min(most, int(given[f"first{k}"]))
    kth = np.sort(found[f"early{k}"], axis=1)[:, k - 1]
    hits, ranks = _hits(k, given, found, most)
    wanted = np.minimum((given["truth"] != -1).sum(1), k)
    ceiling = float((hits.sum(1) / np.maximum(wanted, 1)).mean())
    promised = rounds.promises(ranked, kth)
    outcomes = []
    for threshold in THRESHOLDS:
        for left_out in LEFT_OUT:
            limits = Limits(first, most, threshold, left_out)
            chosen = np.concatenate([rounds.wanted(promised, shards, limits),
                                     np.zeros((count, 1), bool)], axis=1)
            scanned = chosen[np.arange(count)[:, None, None], ranks].any(2)
            recalls = (hits & scanned).sum(1) / np.maximum(wanted, 1)
            asked = _asked(chosen[:, :-1], shards)
            outcomes.append((limits, float(recalls.mean()), float(recalls.std()), asked,
                             float(chosen.sum(1).mean())))
    default = min(0.95, 0.96 * ceiling)
    rows = [row for row in (_best(target, outcomes, count) for target in (*TARGETS, default))
            if row is not None]
    return {"max_recall": ceiling, "default": default, "targets": sorted(rows, key=lambda r: (
        r["target"], r["shards"]))}


def _hits(k: int, given: Dict[str, Any], found: Dict[str, Any],
          most: int) -> Tuple[NDArray[Any], NDArray[Any]]:
    """Of the k nearest that all lists give: which are true neighbours, bool [count][k], the ranks
    of up to two lists that hold each, [count][k][2] (most: none)."""
    count = len(given["queries"])
    hits = np.zeros((count, k), bool)
    ranks = np.full((count, k, 2), most, np.int64)
    by_query = [np.flatnonzero(found["query"] == q) for q in range(count)]
    by_list = [np.flatnonzero(found["list_query"] == q) for q in range(count)]
    for q in range(count):
        own = given["own"][q]
        best = _nearest(found["id"][by_query[q]], found["distance"][by_query[q]], own, k)
        true = given["truth"][q][:k]
        hits[q, :len(best)] = np.isin(best, true[true != -1])
        ids, lists = found["list_id"][by_list[q]], found["rank"][by_list[q]]
        for place, id in enumerate(best):
            holding = np.sort(lists[ids == id])[:2]
            ranks[q, place, :len(holding)] = holding
    return hits, ranks


def _nearest(ids: NDArray[Any], distances: NDArray[Any], own: int,
             k: int) -> NDArray[Any]:
    """The ids of the k nearest, each once, without the query's own."""
    ids = ids[np.lexsort((ids, distances))]
    _, first = np.unique(ids, return_index=True)
    first = np.sort(first)
    return np.asarray(ids[first[ids[first] != own][:k]])


def _asked(chosen: NDArray[Any], shards: NDArray[Any]) -> float:
    """The mean number of shards that hold chosen lists."""
    count = int(shards.max()) + 1
    rows = np.broadcast_to(np.arange(len(chosen))[:, None], chosen.shape)
    asked = np.zeros((len(chosen), count), bool)
    asked[rows[chosen], shards[chosen]] = True
    return float(asked.sum(1).mean())


def _best(target: float, outcomes: List[Any], queries: int) -> Optional[Dict[str, Any]]:
    met = [(asked + lists / LISTS_PER_SHARD, limits, recall, asked, lists)
           for limits, recall, deviation, asked, lists in outcomes
           if recall >= max(target, target - 0.003 + 1.28 * deviation *
                            (1 / queries + 1 / 1000) ** 0.5)]
    if not met:
        return None
    _, limits, recall, asked, lists = min(met, key=lambda row: row[0])
    return {"target": target, "first": limits.first, "most": limits.most,
            "threshold": None if np.isinf(limits.threshold) else limits.threshold,
            "left_out": limits.left_out, "recall": recall, "shards": asked, "lists": lists}


def _save(store: Any, name: str, **arrays: Any) -> None:
    data = io.BytesIO()
    np.savez(data, **arrays)
    store.write(f"{name}.npz", data.getvalue())


def _load(store: Any, name: str) -> Dict[str, Any]:
    with np.load(io.BytesIO(store.read(f"{name}.npz"))) as held:
        return {key: held[key] for key in held.files}
