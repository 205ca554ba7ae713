"""Range searches, iterators and counts of collections from Python."""

import pathlib
from typing import Any

import numpy as np
import pytest

import obliq

DIM = 8
RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(1500, DIM)).astype(np.float32)
QUERIES = RNG.normal(size=(5, DIM)).astype(np.float32)
RADIUS = 8.0
NEAR = ((QUERIES[:, None] - BASE[None]) ** 2).sum(axis=2) < RADIUS
YEARS = np.arange(1500) % 25 + 2000


@pytest.fixture(params=["int64", "string"])
def collection(request: pytest.FixtureRequest) -> Any:
    with obliq.Collection(dim=DIM, ids=request.param, columns={"year": "int64"}) as made:
        ids = np.arange(1500) if request.param == "int64" else [f"k{i}" for i in range(1500)]
        made.add(BASE, ids, {"year": YEARS})
        yield made


def numbers(ids: Any) -> Any:
    """Positions in BASE."""
    return [int(str(id).lstrip("k")) for id in ids]


def test_a_range_search_returns_the_true_set_before_training(collection: Any) -> None:
    assert collection.stats().is_exact
    result = collection.range_search(QUERIES, RADIUS, columns=["year"])
    for query in range(5):
        ids = numbers(result.ids[result.lims[query]:result.lims[query + 1]])
        assert sorted(ids) == np.flatnonzero(NEAR[query]).tolist()
    np.testing.assert_array_equal(result.columns["year"], YEARS[numbers(result.ids)])
    assert result.lims.dtype == np.int64 and not result.cut.any()
    few = collection.range_search(QUERIES[0], RADIUS, max_results=2, filter="year < 2010")
    assert len(few.ids) == 2 and few.cut.tolist() == [True]
    assert (YEARS[numbers(few.ids)] < 2010).all()


def test_a_range_search_becomes_a_table(collection: Any) -> None:
    pytest.importorskip("pyarrow")
    result = collection.range_search(QUERIES, RADIUS)
    assert result.to_arrow()["id"].to_pylist() == result.ids.tolist()


def test_range_searches_go_on_after_training(tmp_path: pathlib.Path) -> None:
    with obliq.Collection(tmp_path / "c", dim=DIM, train_at=1000, raw="fp32") as made:
        made.add(BASE)
        made.wait()
        assert not made.stats().is_exact
        result = made.range_search(QUERIES, RADIUS, exact=True)
        assert np.diff(result.lims).tolist() == NEAR.sum(axis=1).tolist()
        made.remove(result.ids[:3])
        assert len(made.range_search(QUERIES[0], RADIUS, exact=True).ids) == NEAR[0].sum() - 3


def test_an_iterator_goes_on_with_what_was_there(collection: Any) -> None:
    iterator = collection.search_iterator(QUERIES[0], batch=400, filter="year >= ?", params=[2005],
                                          columns=["year"])
    first = next(iterator)
    collection.remove(first.ids[:5])
    collection.add(BASE[:1], [5000] if first.ids.dtype == np.int64 else ["k5000"])
    parts = [first, *iterator]
    for part in parts:
        assert (np.diff(part.distances) >= 0).all()
        np.testing.assert_array_equal(part.columns["year"], YEARS[numbers(part.ids)])
    ids = [id for part in parts for id in numbers(part.ids)]
    assert sorted(ids) == np.flatnonzero(YEARS >= 2005).tolist()


def test_an_iterator_outlives_its_collection() -> None:
    with obliq.Collection(dim=DIM) as made:
        made.add(BASE[:50])
        iterator = made.search_iterator(BASE[0], batch=20)
    assert [len(result.ids) for result in iterator] == [20, 20, 10]


def test_filters_are_counted_and_kept(collection: Any) -> None:
    assert collection.count() == len(collection) == 1500
    assert collection.count("year = ?", [2003]) == 60
    assert collection.count(obliq.Filter("year < 2000")) == 0
    filter = collection.filter("year = 2003")
    collection.remove(collection.search(BASE[3], 1).ids)
    assert collection.count(filter) == 59
    with pytest.raises(ValueError, match="did you mean 'year'"):
        collection.filter("yaer = 2003")
    with pytest.raises(TypeError, match="params are values"):
        collection.count(params=[3])


def test_an_empty_collection_answers_with_nothing() -> None:
    with obliq.Collection(dim=DIM, columns={"year": "int64"}) as made:
        assert made.range_search(QUERIES, RADIUS).lims.tolist() == [0] * 6
        assert made.range_search(QUERIES, RADIUS, columns=["year"]).columns["year"].shape == (0,)
        assert list(made.search_iterator(QUERIES[0])) == []
        assert made.count("year > 3") == 0
        assert made.search(QUERIES, 3, filter="year > 3").ids.tolist() == [[-1] * 3] * 5


@pytest.mark.parametrize("call, error, message", [
    (lambda c: c.range_search(QUERIES, "x"), TypeError, "radius must be a number"),
    (lambda c: c.range_search(QUERIES[:, :3], 1.0), ValueError, "3"),
    (lambda c: c.range_search(QUERIES, 1.0, filter="yaer = 3"), ValueError, "'year'"),
    (lambda c: c.search_iterator(QUERIES), ValueError, r"query must be one vector \[dim\]"),
    (lambda c: c.search_iterator(QUERIES[0], batch=0), ValueError, "batch must be 1"),
    (lambda c: c.search_iterator(QUERIES[0], filter=7), TypeError, "filter must be an expression"),
])
def test_what_does_not_fit_is_refused(collection: Any, call: Any, error: Any,
                                      message: str) -> None:
    with pytest.raises(error, match=message):
        call(collection)
