"""Serving, part by part, in this process: without a cluster."""

from __future__ import annotations

import asyncio
import pathlib
import time
from typing import Any, Awaitable, Callable, Dict, Iterator, List, Optional

import numpy as np
import pytest

pytest.importorskip("ray.serve")
fsspec = pytest.importorskip("fsspec")

import obliq
from obliq.ray import Limits, Overloaded, Shard as ShardFile, TooLarge, Version, app_builder
from obliq.ray.layout import read_pointer
from obliq.ray.rounds import Limits as Reach
from obliq.ray.serving.ask import Shards
from obliq.ray.serving.batcher import Batcher
from obliq.ray.serving.cut import cut_version, files_of
from obliq.ray.serving.limits import as_search
from obliq.ray.serving.list_plan import ListPlan, ladders_of
from obliq.ray.serving.router import Router
from obliq.ray.serving.shard import Shard, ShardReply
from obliq.ray.serving.versions import Versions
from obliq.ray.store import Store
from obliq.wire import Answers, SearchOptions

from serving_versions import DIM, N, draw, publish

QUERIES = draw(99, 40)


class Response:
    """As a handle of Serve gives it."""

    def __init__(self, reply: Awaitable[Any]) -> None:
        self._reply = reply

    def __await__(self) -> Any:
        return self._reply.__await__()

    def cancel(self) -> None:
        pass


class Handle:
    """Of a shard in this process. `fault`, where given, is awaited before each call."""

    def __init__(self, shard: Any, fault: Optional[Callable[[], Awaitable[None]]] = None) -> None:
        self._shard, self._fault = shard, fault

    def __getattr__(self, name: str) -> Any:
        return Method(getattr(self._shard, name), self._fault)


class Method:
    def __init__(self, method: Any, fault: Optional[Callable[[], Awaitable[None]]]) -> None:
        self._method, self._fault = method, fault

    def remote(self, *arguments: Any) -> Response:
        return Response(self._call(arguments))

    async def _call(self, arguments: Any) -> Any:
        if self._fault is not None:
            await self._fault()
        return await self._method(*arguments)


def settings(**changes: Any) -> Dict[str, Any]:
    return {"storage_options": {}, "cache": None, "poll_s": 60.0, "drain_s": 60.0, "threads": 1,
            "searches": 1, "limits": Limits(), "lanes": 2, "batch": 64, **changes}


def serving(url: pathlib.Path, shards: int, **changes: Any) -> Router:
    given = settings(**changes)
    return Router(str(url), [Handle(Shard(str(url), place, shards, given))
                             for place in range(shards)], given)


@pytest.fixture(scope="module", params=["ranges", "one"])
def served(request: Any, tmp_path_factory: Any) -> Iterator[Any]:
    url = tmp_path_factory.mktemp(request.param)
    yield url, *publish(url, 1, request.param)


def search(router: Router, queries: Any = QUERIES, k: int = 10, **options: Any) -> Answers:
    return asyncio.run(router.search(queries, k, **options))


@pytest.mark.parametrize("shards", [1, 4, 16])
def test_answers_are_those_of_one_file_where_nothing_is_pruned(served: Any, shards: int) -> None:
    url, _, one = served
    router = serving(url, shards)
    for options in ({"nprobe": 8}, {"nprobe": 120}, {"nprobe": 120, "k": 300},
                    {"nprobe": 3, "filter": "year = ?", "params": [2003]},
                    {"nprobe": 120, "filter": "lang = 'en'"},
                    {"nprobe": 120, "filter": list(range(50))}):
        given: Dict[str, Any] = {"k": 10, "confidence": 1.0, "columns": ["year", "lang"], **options}
        found = search(router, **given)
        wanted = one.search(QUERIES, **given)
        assert (found.ids == wanted.ids).all() and (found.distances == wanted.distances).all()
        for name in ("year", "lang"):
            values = np.asarray(wanted.columns[name], object)
            values[wanted.ids < 0] = None
            assert found.columns[name] == values.tolist()
        assert found.asked is not None and found.asked.max() <= shards


def test_a_query_without_options_has_the_recall_of_one_file(served: Any) -> None:
    url, _, one = served
    router = serving(url, 4)
    for filter in (None, "lang = 'de'"):
        truth = one.search(QUERIES, 10, nprobe=120, confidence=1, filter=filter).ids
        found = search(router, filter=filter).ids
        assert np.mean([np.isin(a, b).mean() for a, b in zip(truth, found)]) > 0.9


def test_fewer_answers_than_asked_for_end_with_no_id(served: Any) -> None:
    url, _, _ = served
    router = serving(url, 4)
    found = search(router, filter=[5, 6], columns=["year"])
    assert (np.sort(found.ids[:, :2]) == [5, 6]).all() and (found.ids[:, 2:] == -1).all()
    assert np.isinf(found.distances[:, 2:]).all() and found.columns["year"][0][2:] == [None] * 8
    assert (search(router, filter="year = 1").ids == -1).all()
    assert search(router, QUERIES[:0]).ids.shape == (0, 10)


def test_most_queries_ask_few_shards(tmp_path: pathlib.Path) -> None:
    publish(tmp_path, 1, "ranges", 16)
    asked = search(serving(tmp_path, 16), nprobe=8).asked
    assert asked is not None and asked.mean() < 6


def test_a_shard_holds_its_share_of_the_vectors(tmp_path: pathlib.Path) -> None:
    version, _ = publish(tmp_path, 1, "ranges", 12)
    ranges = cut_version(version, 4)
    held = [files_of(version, lists) for lists in ranges]
    assert sorted(sum(held, [])) == sorted(file.path for file in version.shards)
    sizes = {file.path: file.n for file in version.shards}
    for paths in held:
        assert 0.1 < sum(sizes[path] for path in paths) / sum(sizes.values()) < 0.45


@pytest.mark.parametrize("files", [1, 3, 7, 16])
@pytest.mark.parametrize("shards", [1, 3, 7, 16, 40])
def test_shards_cover_all_lists_once(files: int, shards: int) -> None:
    for nlist, sizes in ((33, [1] * files), (64, [1000] + [1] * (files - 1))):
        cuts = [nlist * i // files for i in range(files + 1)]
        version = Version(1, "ranges", sum(sizes), 4, "l2", "sq8", nlist, "m", [
            ShardFile(f"{i}", sizes[i], cuts[i], cuts[i + 1], 1) for i in range(files)])
        ranges = cut_version(version, shards)
        assert len(ranges) == shards and ranges[0][0] == 0 and ranges[-1][1] == nlist
        assert all(one[1] == next[0] and one[0] <= one[1]
                   for one, next in zip(ranges, ranges[1:]))


def test_a_search_goes_as_far_as_tuning_found(served: Any) -> None:
    _, version, one = served
    plan = ListPlan(version, ladders_of(one.stats().tuning))
    ladder = one.stats().tuning.ladders[1]
    for step in ladder.targets:
        if step.recall < ladder.max_recall and np.isfinite(step.threshold):
            reach = plan.reach(ladder.k, step.recall, None, 1.0)
            assert reach == (Reach(0, min(120, 3 * step.nprobe), step.threshold) if step.stops else
                             Reach(0, step.nprobe))
    assert plan.reach(N, 0, None, 1.0) == Reach(0, 120) == plan.reach(10, 0, None, 0.001)
    beyond = [plan.reach(k, 0, None, 1.0).most for k in (101, 500, 3000, N)]
    assert beyond == sorted(beyond)
    assert plan.reach(10, 0, 5, 1.0) == Reach(0, 5) and plan.reach(10, 0.9, 5, 1.0).most <= 5
    with pytest.raises(ValueError, match="target_recall"):
        plan.reach(10, 0.9999, None, 1.0)
    with pytest.raises(ValueError, match="not tuned"):
        ListPlan(version, []).reach(10, 0.9, None, 1.0)


@pytest.mark.parametrize("options, what", [
    ({"k": 0}, "k must"), ({"k": True}, "k must"), ({"k": 1001}, "1001 k"),
    ({"nprobe": 0}, "nprobe"), ({"confidence": 2}, "confidence"), ({"filter": "nope = 1"}, "nope"),
    ({"filter": "year = ?"}, "params|values"), ({"params": [3]}, "params"),
    ({"filter": [1], "params": [3]}, "params"), ({"filter": {"a": 1}}, "filter must"),
    ({"filter": "year in ?", "params": [[0] * 10_001]}, "10001 values"),
    ({"columns": ["nope"]}, "nope"), ({"columns": "year"}, "columns must|nope|name")])
def test_what_is_at_fault_is_refused_in_words(served: Any, options: Any, what: str) -> None:
    url, _, _ = served
    router = serving(url, 2)
    with pytest.raises((ValueError, TypeError), match=what):
        search(router, QUERIES[:2], **{"k": 10, **options})


def test_queries_of_another_shape_or_beyond_a_limit_are_refused() -> None:
    for queries in (np.zeros((2, 3)), np.zeros(DIM), np.full((2, DIM), "a")):
        with pytest.raises(ValueError, match="queries must be numbers"):
            as_search(queries, SearchOptions(), DIM)
    with pytest.raises(TooLarge, match="1025 queries"):
        Limits().check(1025, SearchOptions())
    with pytest.raises(TooLarge, match="answers"):
        Limits().check(1000, SearchOptions(k=1000))
    with pytest.raises(ValueError, match="pending"):
        Limits(queries=100, pending=50)


def test_a_search_at_fault_does_not_fail_those_of_its_batch(served: Any) -> None:
    url, _, _ = served
    router = serving(url, 2, lanes=1)
    broken = QUERIES[:1].copy()
    broken[0, 3] = np.nan

    async def all_at_once() -> List[Any]:
        return await asyncio.gather(*[router.search(broken if i == 3 else QUERIES[i:i + 1])
                                      for i in range(8)], return_exceptions=True)
    found = asyncio.run(all_at_once())
    assert isinstance(found[3], ValueError)
    assert all(isinstance(one, Answers) for i, one in enumerate(found) if i != 3)


def test_searches_that_wait_share_a_call() -> None:
    sizes: List[int] = []

    async def run(queries: Any, options: SearchOptions) -> Answers:
        sizes.append(len(queries))
        await asyncio.sleep(0.01)
        return Answers(queries, queries.astype(np.int64), options.k)

    async def submit_all() -> None:
        batcher = Batcher(run, lanes=1, most=10)
        rows = [np.full((1 + i % 3, 1), i, np.float32) for i in range(20)]
        found = await asyncio.gather(*[batcher.submit(queries, SearchOptions(k=1 + i % 2))
                                       for i, queries in enumerate(rows)])
        for i, answers in enumerate(found):
            assert (answers.distances == rows[i]).all() and answers.version == 1 + i % 2
    asyncio.run(submit_all())
    assert sum(sizes) == 39 and len(sizes) < 12 and max(sizes) <= 10


def test_no_more_queries_are_held_than_the_limit(served: Any) -> None:
    url, _, _ = served
    given = settings(limits=Limits(pending=8, queries=8, deadline_s=5))

    async def slow() -> None:
        await asyncio.sleep(0.3)
    router = Router(str(url), [Handle(Shard(str(url), 0, 1, given), slow)], given)

    async def burst() -> List[Any]:
        return await asyncio.gather(*[router.search(QUERIES[:3]) for _ in range(6)],
                                    return_exceptions=True)
    found = asyncio.run(burst())
    assert [isinstance(one, Answers) for one in found] == [True] * 2 + [False] * 4
    assert all(isinstance(one, Overloaded) and one.retry_after > 0 for one in found[2:])
    assert len(asyncio.run(router.search(QUERIES[:8])).ids) == 8  # there is room again


def test_a_shard_that_hangs_ends_in_an_error_in_time(served: Any) -> None:
    url, _, _ = served
    given = settings(limits=Limits(deadline_s=0.5, attempt_s=0.2))

    async def hang() -> None:
        await asyncio.sleep(60)
    router = Router(str(url), [Handle(Shard(str(url), 0, 1, given), hang)], given)
    start = time.monotonic()
    with pytest.raises(Overloaded):
        search(router)
    assert time.monotonic() - start < 20


def test_a_call_that_fails_is_made_again() -> None:
    calls: List[int] = []

    class Failing:
        async def search(self) -> ShardReply:
            calls.append(1)
            if len(calls) < 4:
                raise ConnectionError("the replica is gone")
            return ShardReply("ok")
    retried: List[int] = []
    shards = Shards([Handle(Failing())], 1.0, retried.append)
    assert asyncio.run(shards.call(0, "search", time.monotonic() + 60)).state == "ok"
    assert len(calls) == 4 and retried == [0, 0, 0]


def test_a_new_version_is_served_once_shards_have_it(tmp_path: pathlib.Path) -> None:
    publish(tmp_path, 1)
    given = settings(drain_s=0.05)
    shards = [Shard(str(tmp_path), place, 2, given) for place in range(2)]
    router = Router(str(tmp_path), [Handle(shard) for shard in shards], given)
    _, second = publish(tmp_path, 2)
    assert search(router).version == 1
    router._versions.look()
    found = [search(router, nprobe=8, confidence=1.0)]  # shards are told by this
    end = time.monotonic() + 60
    while found[-1].version == 1 and time.monotonic() < end:
        found.append(search(router, nprobe=8, confidence=1.0))
    assert found[0].version == 1 and found[-1].version == 2
    assert (found[-1].ids == second.search(QUERIES, 10, nprobe=8, confidence=1).ids).all()


def test_an_older_version_is_let_go_once_no_one_asks_for_it(tmp_path: pathlib.Path) -> None:
    publish(tmp_path, 1)
    store = Store(str(tmp_path))
    opened: List[int] = []

    def open_number(version: Version) -> int:
        opened.append(version.number)
        return version.number
    versions: Versions[int] = Versions(store, open_number, 60, 0.2)
    first = versions.newest()[0]
    publish(tmp_path, 2)
    versions.look()
    assert len(versions.newest()) == 2 and versions.held(first) == 1
    time.sleep(0.3)
    versions.look()
    assert versions.held(first) is None and opened == [1, 2]
    assert versions.get(first) == 1  # the one before the current one stays, and is opened again
    versions.close()


def test_a_store_that_is_away_or_damaged_leaves_what_is_served(tmp_path: pathlib.Path) -> None:
    publish(tmp_path, 1)
    router = serving(tmp_path, 2, poll_s=0.05)
    (tmp_path / "CURRENT").write_text("damaged")
    time.sleep(0.3)
    assert search(router).version == 1
    router.check_health()
    with pytest.raises(RuntimeError, match="damaged"):
        read_pointer(Store(str(tmp_path)))


def test_files_of_a_store_that_is_not_local_are_copied_once(tmp_path: pathlib.Path) -> None:
    _, one = publish(tmp_path / "made", 1, "ranges", 4)
    fsspec.filesystem("memory").put(str(tmp_path / "made"), "/served-in-memory", recursive=True)
    cache = tmp_path / "cache"
    given = settings(cache=str(cache))
    url = "memory://served-in-memory"
    for _ in range(2):  # replicas of one machine
        router = Router(url, [Handle(Shard(url, place, 2, given)) for place in range(2)], given)
        found = search(router, nprobe=8, confidence=1.0)
        assert (found.ids == one.search(QUERIES, 10, nprobe=8, confidence=1).ids).all()
        assert len(list(cache.iterdir())) == 5  # a model, four ranges


def test_nothing_to_serve_is_told(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError, match="no index"):
        Shard(str(tmp_path), 0, 1, settings())


@pytest.mark.parametrize("args, what", [
    ({}, "url="), ({"url": "/a", "shard": "3"}, "no argument 'shard'"),
    ({"url": "/a", "shards": "many"}, "shards must be a whole number"),
    ({"url": "/a", "shards": "0"}, "shards"), ({"url": "/a", "limit_k": "-1"}, "limit k"),
    ({"url": "/a", "poll_s": "0"}, "poll_s")])
def test_arguments_of_the_command_line_that_do_not_fit_are_refused(args: Any, what: str) -> None:
    with pytest.raises(ValueError, match=what):
        app_builder(args)


def test_an_application_is_made_of_arguments_of_the_command_line() -> None:
    made = app_builder({"url": "/a", "shards": "3", "limit_k": "50", "cpus_per_shard": "0.5"})
    assert made is not None
