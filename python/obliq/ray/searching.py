"""Searches an index under a url with the queries of a ray.data.Dataset: `obliq.ray.search`.

    "one"       a pool of actors, each of which opens the index by its path and searches batches
    else        actors that open the files of some shards each, and take no CPU for their own; a
                pool of routers, which route batches on the model and ask shards in two rounds
                (rounds.py): the best lists of each query, then those that still promise something
                under the k-th distance found

Queries with fewer than k answers after both rounds, as under a rare filter, ask all shards for all
of their lists.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple, Union

import numpy as np
import pyarrow as pa
import ray
from numpy.typing import NDArray

from obliq.ray import memory, rounds, steps
from obliq.ray.errors import StallError
from obliq.ray.layout import Version, read_current
from obliq.ray.limits import check_range, limits_for
from obliq.ray.rounds import Answers
from obliq.ray.shard import ShardSearcher, answers_of, default_cache, open_model, open_shards
from obliq.ray.store import Store
from obliq.ray.vectors import refuse_odd_numbers, refuse_other_dim, vectors_of


@dataclass(frozen=True)
class Asked:
    """What a search asks for, of each batch."""

    vector: str
    k: int
    target_recall: Optional[float]
    nprobe: Optional[int]
    filter: Any
    params: Any
    columns: List[str]
    limit_s: float


def search(queries: Any, url: str, k: int = 10, *, vector: str = "embedding",
           target_recall: Optional[float] = None, nprobe: Optional[int] = None, filter: Any = None,
           params: Optional[Sequence[Any]] = None, columns: Optional[Sequence[str]] = None,
           shard_actors: Optional[int] = None, batch_size: int = 1024,
           concurrency: Union[int, Tuple[int, int]] = (1, 16), num_cpus: float = 1,
           storage_options: Optional[Dict[str, Any]] = None, limit_s: float = 600.0) -> Any:
    """The k nearest vectors of each query, as a Dataset: the rows of `queries` with the columns
    `ids` and `distances`, lists of k, nearest first, -1 and infinity where there are fewer; and the
    columns that are asked for, lists of k.

    queries     a ray.data.Dataset with vectors in the column `vector`, as build takes them
    target_recall, nprobe   as in Index.search; neither: the default recall of an index. An index
                of several shards takes both where it is tuned (layout "ranges")
    filter, params  which vectors may be answers: an expression with bound values, or ids
    columns     names of columns whose values to return
    shard_actors    processes that hold the shards, at most one for each; None: one for each CPU
    batch_size  queries that are searched together
    concurrency the least and the most actors that search, or that route where there are shards
    limit_s     seconds after which a batch, or a shard that does not answer, is given up

    The version that is current now is searched to the end, whatever is committed meanwhile. Raises
    ValueError for wrong arguments at once; for queries of a wrong dim or with NaN, and StallError,
    where the answers are made.
    """
    store = Store(url, storage_options)
    version = read_current(store)
    asked = Asked(vector, k, target_recall, nprobe, filter, None if params is None else
                  list(params), [] if columns is None else list(columns), limit_s)
    _check(queries, asked, version)
    pool, num_cpus = steps.pool_size(steps.as_concurrency(concurrency), num_cpus)
    return _answers(queries, store, version, asked, pool, num_cpus, batch_size, shard_actors)


def _answers(queries: Any, store: Store, version: Version, asked: Asked, pool: Tuple[int, int],
             num_cpus: float, batch_size: int, shard_actors: Optional[int]) -> Any:
    place: Tuple[Any, ...] = (store.url, store.options, version, vars(asked))
    if version.layout == "one":
        worker: Any = WholeSearcher
    else:
        worker, place = Router, (*place, *start_shards(store, version, shard_actors))
    answers = queries.map_batches(
        worker, fn_constructor_args=place, batch_size=batch_size, batch_format="pyarrow",
        zero_copy_batch=True, num_cpus=num_cpus,
        compute=ray.data.ActorPoolStrategy(min_size=pool[0], max_size=pool[1]))
    steps.limit(answers, 2 * asked.limit_s)
    return answers


def start_shards(store: Store, version: Version,
                 actors: Optional[int] = None) -> Tuple[List[Any], List[Tuple[int, int]]]:
    """Actors that hold the shards, spread over the cluster by the memory of their files, and the
    lists [first, end) of each. They end with the dataset that asks them."""
    count = max(1, min(len(version.shards),
                       actors or int(ray.cluster_resources().get("CPU", 1))))
    cuts = [len(version.shards) * number // count for number in range(count + 1)]
    groups = [version.shards[first:end] for first, end in zip(cuts, cuts[1:])]
    actor = ray.remote(ShardSearcher)
    started = [actor.options(num_cpus=0, memory=memory.PROCESS + sum(one.bytes for one in group),
                             max_restarts=-1, max_task_retries=-1, max_concurrency=4,
                             scheduling_strategy="SPREAD")
               .remote(store.url, store.options, version, group) for group in groups]
    return started, [(group[0].first, group[-1].end) for group in groups]


class _Batches:
    """Takes vectors out of batches and puts answers in."""

    def __init__(self, url: str, options: Dict[str, Any], version: Version,
                 asked: Dict[str, Any]) -> None:
        self._store = Store(url, options)
        self._version = version
        self._asked = Asked(**asked)

    def __call__(self, table: pa.Table) -> pa.Table:
        asked = self._asked
        places = np.arange(table.num_rows)
        if len(places) == 0:
            found = rounds.no_answers(0, asked.k, asked.columns)
        else:
            vectors = vectors_of(table, asked.vector, places)
            refuse_other_dim(places, asked.vector, vectors.shape[1], self._version.dim)
            refuse_odd_numbers(vectors, places, asked.vector)
            found = self._search(vectors.astype(np.float32, copy=False))
        table = table.append_column("ids", _lists(found.ids, pa.int64()))
        table = table.append_column("distances", _lists(found.distances, pa.float32()))
        for name in asked.columns:
            table = table.append_column(name, _values(found.columns[name]))
        return table

    def _search(self, vectors: NDArray[Any]) -> Answers:
        raise NotImplementedError


class WholeSearcher(_Batches):
    """Searches the one file."""

    def __init__(self, *place: Any) -> None:
        super().__init__(*place)
        self._index = open_shards(self._store, self._version, [self._version.shards[0].path],
                                  default_cache())

    def _search(self, vectors: NDArray[Any]) -> Answers:
        asked = self._asked
        return answers_of(self._index.search(
            vectors, asked.k, nprobe=asked.nprobe, target_recall=asked.target_recall or 0.0,
            filter=asked.filter, params=asked.params, columns=asked.columns or None))


class Router(_Batches):
    """Routes on the model and asks the shards."""

    def __init__(self, url: str, options: Dict[str, Any], version: Version, asked: Dict[str, Any],
                 actors: List[Any], held: List[Tuple[int, int]]) -> None:
        super().__init__(url, options, version, asked)
        self._actors, self._held = actors, held
        self._model = open_model(self._store, version, default_cache())
        self._ranges = version.ranges()
        self._limits: Optional[rounds.Limits] = None

    def _search(self, vectors: NDArray[Any]) -> Answers:
        asked, limits = self._asked, self._limits_now()
        ranked = self._model.rank(vectors, limits.most, threads=1)
        shards = rounds.shards_of(ranked.lists, self._ranges)
        first = rounds.first_lists(ranked, limits)
        found = self._ask(vectors, first, None)
        kth = rounds.kth_of(found)
        second = rounds.second_lists(ranked, shards, kth, limits)
        more = self._ask(vectors, second, rounds.within(kth))
        found = rounds.join([found, more], asked.k)
        short = np.flatnonzero((found.ids == -1).any(axis=1))
        if len(short) and limits.most < self._version.nlist:
            rest = rounds.spread(self._ask_all(vectors[short]), short, len(vectors))
            found = rounds.join([found, rest], asked.k)
        return found

    def _limits_now(self) -> rounds.Limits:
        if self._limits is None:
            asked, allowed = self._asked, None
            if asked.filter is not None:
                allowed = sum(self._wait([shard.count.remote(asked.filter, asked.params)
                                          for shard in self._actors]))
            self._limits = limits_for(self._version, asked.k, asked.target_recall, asked.nprobe,
                                      allowed)
        return self._limits

    def _ask(self, vectors: NDArray[Any], lists: NDArray[Any],
             within: Optional[NDArray[Any]]) -> Answers:
        asked, parts = self._asked, rounds.split(lists, self._held)
        calls = []
        for actor, rows, own in parts:
            bound = None if within is None else within[rows]
            calls.append(self._actors[actor].search.remote(
                vectors[rows], asked.k, own, bound, asked.filter, asked.params,
                asked.columns or None))
        found = [rounds.spread(answers, rows, len(vectors))
                 for answers, (_, rows, _) in zip(self._wait(calls), parts)]
        return rounds.join([rounds.no_answers(len(vectors), asked.k, asked.columns), *found],
                           asked.k)

    def _ask_all(self, vectors: NDArray[Any]) -> Answers:
        asked = self._asked
        return rounds.join(self._wait([shard.search.remote(
            vectors, asked.k, None, None, asked.filter, asked.params, asked.columns or None)
            for shard in self._actors]), asked.k)

    def _wait(self, calls: List[Any]) -> List[Any]:
        try:
            return list(ray.get(calls, timeout=self._asked.limit_s))
        except ray.exceptions.GetTimeoutError:
            raise StallError(f"search: a shard has not answered within {self._asked.limit_s:g} s; "
                             "its machine hangs, or no machine has the memory that it asks "
                             "for") from None


def _check(queries: Any, asked: Asked, version: Version) -> None:
    if not isinstance(queries, ray.data.Dataset):
        raise TypeError("queries must be a ray.data.Dataset, not " + type(queries).__name__)
    check_range(asked.k, asked.target_recall, asked.nprobe)
    if version.layout != "one":  # which knows itself what it reaches
        limits_for(version, asked.k, asked.target_recall, asked.nprobe)
    names = queries.schema().names
    if asked.vector not in names:
        raise ValueError(f"the queries have no column '{asked.vector}'; they have "
                         f"{', '.join(names)}")
    for name in ("ids", "distances", *asked.columns):
        if name in names:
            raise ValueError(f"the queries have a column '{name}' already, which the answers are "
                             "to have: rename it first")
    for name in asked.columns:
        if name not in version.columns:
            raise ValueError(f"the index has no column '{name}'; it has "
                             f"{', '.join(sorted(version.columns)) or 'none'}")
    if asked.filter is not None and not isinstance(asked.filter, (str, list, tuple, np.ndarray)):
        raise TypeError("filter must be an expression or ids, which travel to other machines, not "
                        f"{type(asked.filter).__name__}")


def _lists(values: NDArray[Any], kind: Any) -> pa.Array:
    flat = pa.array(np.ascontiguousarray(values).reshape(-1), kind)
    return pa.FixedSizeListArray.from_arrays(flat, values.shape[1])


def _values(values: NDArray[Any]) -> pa.Array:
    offsets = np.arange(len(values) + 1, dtype=np.int32) * values.shape[1]
    return pa.ListArray.from_arrays(offsets, pa.array(values.reshape(-1).tolist()))
