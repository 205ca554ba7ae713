"""The filters of bench/filters.py: that they pass what they say, that their truth is the truth, and
that the parameters of a method are tuned to the least that reaches a target."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any, Optional

import h5py
import numpy as np
import pytest

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
import filter_cases  # noqa: E402
import filtered  # noqa: E402
from benchmark_set import BenchmarkSet  # noqa: E402

N, DIM, M, K = 3000, 8, 40, 10


def make_set(path: Path, distance: str) -> Any:
    rng = np.random.default_rng(5)
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = distance
        file["train"] = rng.normal(size=(N, DIM)).astype(np.float32)
        file["test"] = rng.normal(size=(M, DIM)).astype(np.float32)
        file["neighbors"] = np.zeros((M, K), dtype=np.int32)
        file["distances"] = np.zeros((M, K), dtype=np.float32)
    return BenchmarkSet(str(path), K)


def distances(benchmark_set: Any, query: int) -> Any:
    """Of all vectors, in float64, by the definition of the metric."""
    base = benchmark_set.base.astype(np.float64)
    vector = benchmark_set.queries[query].astype(np.float64)
    return ((base - vector) ** 2).sum(1) if benchmark_set.metric == "l2" else -(base @ vector)


@pytest.fixture(params=["angular", "euclidean", "ip"], name="made")
def made_cases(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Any, Any]:
    benchmark_set = make_set(tmp_path / "set.hdf5", request.param)
    path = filter_cases.make_cases(benchmark_set, "crc", str(tmp_path))
    return benchmark_set, filter_cases.Cases(path)


def test_truth_is_the_nearest_of_exactly_the_share_that_passes(made: tuple[Any, Any]) -> None:
    benchmark_set, cases = made
    for kind in filter_cases.KINDS:
        for share in filter_cases.SHARES:
            for group in cases.groups(kind, share):
                passing = np.flatnonzero(cases.attribute(group.column) < group.bound)
                assert len(passing) == max(1, round(share * N))
                for query, nearest in zip(group.queries[:3], group.nearest):
                    order = passing[np.argsort(distances(benchmark_set, query)[passing])]
                    wanted = min(K, len(passing))
                    assert nearest[:wanted].tolist() == order[:K].tolist()
                    assert (nearest[wanted:] == -1).all()


def test_no_filter_has_the_queries_of_the_kind_and_the_truth_of_all(made: tuple[Any, Any]) -> None:
    _, cases = made
    for free, full in zip(cases.groups("anti", None), cases.groups("anti", 1.0)):
        assert free.bound is None and full.bound == N
        assert (free.queries == full.queries).all() and (free.nearest == full.nearest).all()


def test_what_passes_is_nearer_to_correlated_queries_than_to_others(made: tuple[Any, Any]) -> None:
    benchmark_set, cases = made
    means = {}
    for kind in filter_cases.KINDS:
        values = []
        for group in cases.groups(kind, 0.1):
            passing = cases.attribute(group.column) < group.bound
            base = benchmark_set.base[passing]
            values += [((base - benchmark_set.queries[query]) ** 2).sum(1).min()
                       for query in group.queries]
        means[kind] = np.mean(values)
    assert means["correlated"] < means["random"] * 1.05 and means["random"] < means["anti"]


def test_random_filters_share_no_query(made: tuple[Any, Any]) -> None:
    _, cases = made
    queries = np.concatenate([group.queries for group in cases.groups("random", 0.5)])
    assert len(queries) == M and len(np.unique(queries)) == M


def test_recall_is_of_what_there_is_to_find() -> None:
    nearest = np.array([[1, 2, -1], [3, 4, 5]])
    assert filter_cases.recall_of([[1, 2, -1], [3, 4, 5]], nearest) == (1, 1)
    assert filter_cases.recall_of([[1, 1, -1], [3, 9]], nearest) == (2 / 5, 3 / 5)
    assert filter_cases.recall_of([[], []], nearest) == (0, 0)


class Prefix(filtered.FilteredMethod):  # type: ignore[misc]
    """Finds the first `value` of the true neighbours: recall value / K, whatever the filter."""

    name = "prefix"
    stray: Optional[int] = None

    def __init__(self, benchmark_set: Any, cases: Any) -> None:
        self.set, self.cases, self.tried = benchmark_set, cases, list[int]()

    def ladder(self) -> list[int]:
        return [1, 2, 4, 8, 10]

    def make_filter(self, column: str, bound: int) -> Any:
        return self.cases.attribute(column) < bound

    def ready(self, chosen: Any, value: int) -> None:
        self.chosen, self.value = chosen, value
        self.tried.append(value)

    def one(self, query: int) -> Any:
        if self.stray is not None:
            return [self.stray]
        ranked = np.argsort(distances(self.set, query))
        return ranked[self.chosen[ranked]][:self.value]


def tuner(method: Prefix, target: float) -> Any:
    return filtered.Tuner(method, argparse.Namespace(target_recall=target, longest=60))


@pytest.mark.parametrize("made", ["euclidean"], indirect=True)
def test_tunes_to_the_least_value_that_reaches_the_target(made: tuple[Any, Any]) -> None:
    method = Prefix(*made)
    tuning = tuner(method, 0.65)
    for _ in range(2):  # from below, then from where the last case ended
        point = tuning.tune("random", 0.5)
        assert (point["value"], point["recall"], point["reached"]) == (7, 0.7, True)
    method.tried.clear()
    assert tuning.tune("random", 0.1)["value"] == 7
    assert 1 not in method.tried
    tuning.target = 0.15  # on the way down
    assert tuning.tune("random", 0.1)["value"] == 2
    assert tuner(method, 0.05).tune("random", 0.5)["value"] == 1


@pytest.mark.parametrize("made", ["euclidean"], indirect=True)
def test_time_limits_the_climb_alone(made: tuple[Any, Any]) -> None:
    tuning = tuner(Prefix(*made), 0.65)
    tuning.tune("random", 0.5)
    tuning.longest, tuning.target = 0, 0.25
    assert tuning.tune("random", 0.5)["value"] == 3
    tuning.target = 0.9
    assert not tuning.tune("random", 0.5)["reached"]


@pytest.mark.parametrize("made", ["euclidean"], indirect=True)
def test_tells_that_a_target_is_out_of_reach(made: tuple[Any, Any]) -> None:
    class Short(Prefix):
        def ladder(self) -> list[int]:
            return [1, 2, 4]

    point = tuner(Short(*made), 0.65).tune("random", 0.5)
    assert (point["value"], point["recall"], point["reached"]) == (4, 0.4, False)


@pytest.mark.parametrize("made", ["euclidean"], indirect=True)
def test_ends_where_an_answer_does_not_pass(made: tuple[Any, Any]) -> None:
    method = Prefix(*made)
    group = next(iter(made[1].groups("random", 0.1)))
    method.stray = int(np.argmax(made[1].attribute(group.column)))
    with pytest.raises(SystemExit, match="filter refuses"):
        tuner(method, 0.65).tune("random", 0.1)


@pytest.mark.parametrize("made", ["euclidean"], indirect=True)
def test_times_every_group_and_the_filter_apart(made: tuple[Any, Any]) -> None:
    method = Prefix(*made)
    line = filtered.time_case(method, {"kind": "random", "share": 0.5, "value": 5}, 0.001)
    assert line["queries_timed"] >= filter_cases.GROUPS * filtered.LEAST_TIMED
    assert line["qps"] > 0 and line["qps_cpu"] > 0 and line["filter_us"] > 0
    method.make_filter = lambda column, bound: pytest.fail("no filter")  # type: ignore
    method.one = lambda query: []  # type: ignore
    assert "filter_us" not in filtered.time_case(
        method, {"kind": "random", "share": None, "value": 5}, 0.001)
