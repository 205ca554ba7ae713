"""Searches on Ray in shards of ranges of lists, beside those of one file, on the sample set of real
sentences; and the arrays of two rounds by themselves."""

from __future__ import annotations

import pathlib
from typing import Any, Tuple

import h5py
import numpy as np
import pytest

import obliq
import obliq.ray
from obliq.ray import rounds
from obliq.ray.limits import limits_for
from ray_sets import dataset, only_file, table

SET = pathlib.Path(__file__).parents[3] / "datasets" / "sample" / "sample-384-angular.hdf5"
pytestmark = pytest.mark.usefixtures("cluster")


@pytest.fixture(scope="module")
def sample() -> Tuple[Any, Any, Any]:
    """Base, queries and the ten true ids of each."""
    with h5py.File(SET) as file:
        return file["train"][:], file["test"][:], file["neighbors"][:, :10] * 2 + 1


@pytest.fixture(scope="module")
def built(cluster: Any, sample: Any, tmp_path_factory: Any) -> Tuple[str, Any, Any]:
    """The url of 16 ranges, their version, and the same base as one index."""
    folder = tmp_path_factory.mktemp("shards")
    ids = np.arange(10_000) * 2 + 1
    rows = table(sample[0], ids, year=np.arange(10_000) % 30)
    version = obliq.ray.build(dataset(rows, 4), str(folder / "url"), metric="cosine",
                              preset="fast", merge="ranges:16", columns=["year"],
                              rows_per_segment=4000, num_cpus=1)
    merged = folder / "merged.obliq"
    obliq.merge(obliq.Model.open(folder / "url" / version.model),
                [folder / "url" / shard.path for shard in version.shards], merged)
    return str(folder / "url"), version, obliq.Index.open(merged)


def recall(found: Any, true: Any) -> float:
    return float(np.mean([np.isin(row, answers).mean() for row, answers in zip(true, found)]))


def searched(url: str, queries: Any, **options: Any) -> Any:
    """The answers in the order of the queries."""
    found = obliq.ray.search(dataset(table(queries, np.arange(len(queries))), 2), url,
                             batch_size=300, shard_actors=2, **options)
    return sorted(found.take_all(), key=lambda row: int(row["id"]))


def test_shards_reach_the_recall_of_one_file(built: Any, sample: Any) -> None:
    url, _, index = built
    rows = searched(url, sample[1], k=10, columns=["year"])
    ids = np.array([row["ids"] for row in rows])
    assert recall(ids, sample[2]) >= recall(index.search(sample[1], 10).ids, sample[2]) - 0.003
    years = np.array([row["year"] for row in rows])
    assert (years == ids // 2 % 30).all()
    distances = np.array([row["distances"] for row in rows])
    assert (np.diff(distances, axis=1) >= 0).all()


def test_the_same_lists_give_the_same_answers(built: Any, sample: Any) -> None:
    url, _, index = built
    ids = np.array([row["ids"] for row in searched(url, sample[1], k=10, nprobe=20)])
    one = index.search(sample[1], 10, nprobe=20).ids
    assert np.isin(ids, one).mean() > 0.99  # what bounds prune follows the order of lists
    assert abs(recall(ids, sample[2]) - recall(one, sample[2])) <= 0.003


def test_a_filter_keeps_the_recall_and_every_answer_passes(built: Any, sample: Any) -> None:
    url, _, index = built
    rows = searched(url, sample[1], k=10, filter="year < ?", params=[20], columns=["year"])
    ids = np.array([row["ids"] for row in rows])
    true = index.search(sample[1], 10, filter="year < 20", nprobe=index.nlist, confidence=1).ids
    assert (np.array([row["year"] for row in rows]) < 20).all()
    assert recall(ids, true) >= 0.94


def test_a_third_of_the_shards_is_asked_at_most(built: Any, sample: Any) -> None:
    url, version, index = built
    limits = limits_for(version, 10, 0.95)
    model = obliq.Model.open(pathlib.Path(url) / version.model)
    ranked = model.rank(sample[1], limits.most)
    shards = rounds.shards_of(ranked.lists, version.ranges())
    first = rounds.first_lists(ranked, limits)
    kth = index.search(sample[1], 10, lists=first).distances[:, -1]
    second = rounds.second_lists(ranked, shards, kth, limits)
    scanned = second >= 0
    scanned[:, :limits.first] = True
    asked = np.mean([len(np.unique(row[chosen])) for row, chosen in zip(shards, scanned)])
    assert asked <= 16 / 3


def test_one_file_is_searched_as_it_is(cluster: Any, sample: Any, tmp_path: pathlib.Path) -> None:
    base = sample[0][:2000]
    version = obliq.ray.build(dataset(table(base, np.arange(2000)), 2), str(tmp_path), metric="ip")
    assert only_file(tmp_path, version)
    index = obliq.Index.open(tmp_path / version.shards[0].path)
    ids = np.array([row["ids"] for row in searched(str(tmp_path), sample[1][:50], k=5)])
    assert (ids == index.search(sample[1][:50], 5).ids).all()


@pytest.mark.parametrize("options, match", [
    ({"target_recall": 0.9999}, "all lists give"), ({"nprobe": 0}, "nprobe"), ({"k": 0}, "k must"),
    ({"columns": ["month"]}, "no column 'month'; it has year"), ({"vector": "v"}, "no column 'v'")])
def test_wrong_searches_are_refused_at_once(built: Any, sample: Any, options: Any,
                                            match: str) -> None:
    queries = dataset(table(sample[1], np.arange(500)), 1)
    with pytest.raises(ValueError, match=match):
        obliq.ray.search(queries, built[0], **options)


def test_answers_of_parts_join_as_those_of_one_search() -> None:
    rng = np.random.default_rng(1)
    parts = []
    for _ in range(4):
        ids = rng.integers(-1, 30, (50, 6))
        distances = (ids % 7).astype(np.float32)  # many are equal, copies are
        parts.append(rounds.Answers(distances, ids, {"double": (2 * ids).astype(object)}))
    joined = rounds.join(parts, 8)
    for query in range(50):
        every = {(float(part.distances[query, i]), int(part.ids[query, i]))
                 for part in parts for i in range(6) if part.ids[query, i] != -1}
        expected = sorted(every)[:8]
        found = [(float(d), int(id)) for d, id in zip(joined.distances[query], joined.ids[query])
                 if id != -1]
        assert found == expected
        assert [value for value in joined.columns["double"][query][:len(found)]] == [
            2 * id for _, id in found]


def test_a_bound_from_elsewhere_leaves_out_what_is_farther(built: Any, sample: Any) -> None:
    _, _, index = built
    lists = np.tile(np.arange(40), (500, 1))
    found = index.search(sample[1], 10, lists=lists, confidence=1)
    bound = rounds.within(found.distances[:, 4])
    near = index.search(sample[1], 10, lists=lists, confidence=1, within=bound)
    kept = found.distances < bound[:, None]
    assert (near.ids == np.where(kept, found.ids, -1)).all() and kept.sum() >= 5 * 500
    with pytest.raises(ValueError, match="within"):
        index.search(sample[1], 10, within=bound)
