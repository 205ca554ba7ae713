"""Range searches and iterators from Python."""

import threading
from typing import Any, List, Tuple

import numpy as np
import pytest

import obliq

N, DIM = 2000, 16
RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(N, DIM)).astype(np.float32)
QUERIES = RNG.normal(size=(12, DIM)).astype(np.float32)
YEAR = RNG.integers(2000, 2025, N)
RADIUS = 16.0  # of |q-x|^2, whose mean is 32


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, preset="exact", nlist=30, columns={"year": YEAR})


def distances_of(metric: str, queries: Any = QUERIES) -> Any:
    if metric == "l2":
        return ((queries[:, None].astype(np.float64) - BASE[None]) ** 2).sum(axis=2)
    x, q = BASE.astype(np.float64), queries.astype(np.float64)
    if metric == "cosine":
        return 1 - (q @ x.T) / np.linalg.norm(q, axis=1)[:, None] / np.linalg.norm(x, axis=1)
    return -(q @ x.T)


def rows_of(result: obliq.RangeSearchResult) -> List[Any]:
    return [result.ids[a:b] for a, b in zip(result.lims[:-1], result.lims[1:])]


@pytest.mark.parametrize("metric, radius", [("l2", RADIUS), ("ip", -9.0), ("cosine", 0.5)])
def test_an_exact_range_search_returns_the_true_set_in_order(metric: Any, radius: float) -> None:
    index = obliq.Index.build(BASE, metric, preset="exact", nlist=30)
    result = index.range_search(QUERIES, radius, exact=True)
    truth = distances_of(metric)
    assert result.lims.dtype == np.int64 and result.lims[0] == 0
    assert result.lims[-1] == len(result.ids) == len(result.distances) > 0
    for query, ids in enumerate(rows_of(result)):
        wanted = np.flatnonzero(truth[query] < radius)
        assert ids.tolist() == wanted[np.argsort(truth[query, wanted], kind="stable")].tolist()
    np.testing.assert_allclose(result.distances, np.concatenate(
        [truth[query, ids] for query, ids in enumerate(rows_of(result))]), rtol=1e-4, atol=1e-5)
    assert result.cut.dtype == np.bool_ and not result.cut.any()


def test_a_range_search_is_a_named_tuple_in_the_order_of_faiss(index: obliq.Index) -> None:
    lims, distances, ids, cut = result = index.range_search(QUERIES, RADIUS, exact=True)
    assert lims is result.lims and ids is result.ids
    assert (distances < RADIUS).all() and len(cut) == len(QUERIES)


def test_one_query_alone_is_a_batch_of_one(index: obliq.Index) -> None:
    alone = index.range_search(QUERIES[0], RADIUS, exact=True)
    many = index.range_search(QUERIES, RADIUS, exact=True)
    assert alone.lims.tolist() == [0, many.lims[1]]
    np.testing.assert_array_equal(alone.ids, many.ids[:many.lims[1]])


def test_without_exact_nearly_all_are_found(index: obliq.Index) -> None:
    exact, found = (set(zip(np.repeat(np.arange(12), np.diff(result.lims)).tolist(),
                            result.ids.tolist()))
                    for result in (index.range_search(QUERIES, RADIUS, exact=True),
                                   index.range_search(QUERIES, RADIUS)))
    assert len(exact & found) >= 0.99 * len(exact)
    coded = obliq.Index.build(BASE, quantizer="sq8", nlist=30)
    assert len(coded.range_search(QUERIES, RADIUS, confidence=1).ids) > 0.9 * len(exact)


def test_the_nearest_stay_where_results_are_bounded(index: obliq.Index) -> None:
    every = index.range_search(QUERIES, RADIUS, exact=True)
    few = index.range_search(QUERIES, RADIUS, exact=True, max_results=3)
    for query, (ids, all_ids) in enumerate(zip(rows_of(few), rows_of(every))):
        assert ids.tolist() == all_ids[:3].tolist()
        assert few.cut[query] == (len(all_ids) > 3)
    assert few.cut.any()


def test_filters_and_columns_go_with_a_range_search(index: obliq.Index) -> None:
    mask = YEAR >= 2020
    result = index.range_search(QUERIES, RADIUS, exact=True, filter="year >= ?", params=[2020],
                                columns=["year"])
    truth = (distances_of("l2") < RADIUS) & mask
    assert sorted(result.ids.tolist()) == sorted(np.nonzero(truth)[1].tolist())
    np.testing.assert_array_equal(result.columns["year"], YEAR[result.ids])
    with pytest.raises(AttributeError, match=r"columns=\['name'"):
        index.range_search(QUERIES, RADIUS).columns


def test_a_range_search_becomes_a_table_of_arrow(index: obliq.Index) -> None:
    pytest.importorskip("pyarrow")
    result = index.range_search(QUERIES, RADIUS, exact=True, columns=["year"])
    table = result.to_arrow()
    assert table.column_names == ["query", "rank", "id", "distance", "year"]
    assert table["id"].to_pylist() == result.ids.tolist()
    assert np.bincount(table["query"], minlength=12).tolist() == np.diff(result.lims).tolist()
    assert table["rank"].to_pylist()[:int(result.lims[1])] == list(range(int(result.lims[1])))


def test_a_radius_that_nothing_is_below_gives_nothing(index: obliq.Index) -> None:
    result = index.range_search(QUERIES, 0.0, columns=["year"])
    assert result.lims.tolist() == [0] * 13 and result.ids.shape == (0,)
    assert result.columns["year"].shape == (0,)


@pytest.mark.parametrize("arguments, error, message", [
    (dict(radius="1"), TypeError, "radius must be a number"),
    (dict(radius=float("nan")), ValueError, "radius"),
    (dict(exact=1), TypeError, "exact must be True or False"),
    (dict(max_results=-1), ValueError, "max_results must be 0 or more"),
    (dict(max_results=1.5), TypeError, "max_results must be a whole number"),
    (dict(confidence=0.0), ValueError, "confidence"),
    (dict(confidence="high"), TypeError, "confidence must be a number"),
    (dict(threads=-1), ValueError, "threads"), (dict(filter="yaer > 1"), ValueError, "'year'"),
    (dict(params=[1]), TypeError, "params are values"),
    (dict(columns="year"), TypeError, "columns must be a list"),
    (dict(columns=["yaer"]), ValueError, "yaer"), (dict(queries=BASE[:, :3]), ValueError, "3"),
    (dict(queries=np.full((1, DIM), np.nan)), ValueError, "query 0"),
])
def test_a_range_search_refuses_what_does_not_fit(index: obliq.Index, arguments: Any, error: Any,
                                                  message: str) -> None:
    with pytest.raises(error, match=message):
        index.range_search(**{"queries": QUERIES, "radius": RADIUS, **arguments})


def test_exact_needs_exact_vectors() -> None:
    with pytest.raises(ValueError, match="raw"):
        obliq.Index.build(BASE[:100]).range_search(QUERIES, RADIUS, exact=True)


def test_an_iterator_hands_out_all_neighbours_once(index: obliq.Index) -> None:
    batches = list(index.search_iterator(QUERIES[0], batch=300))
    assert [len(ids) for _, ids in batches] == [300] * 6 + [200]
    for distances, ids in batches:
        assert (np.diff(distances) >= 0).all() and distances.dtype == np.float32
    ids = np.concatenate([ids for _, ids in batches])
    assert sorted(ids.tolist()) == list(range(N))


def test_the_first_batches_are_what_a_search_finds(index: obliq.Index) -> None:
    iterator = index.search_iterator(QUERIES[0], nprobe=30, confidence=1)
    parts = [iterator.next(k).ids for k in (3, 5, 2)]
    wanted = index.search(QUERIES[0], 10, nprobe=30, confidence=1).ids
    np.testing.assert_array_equal(np.concatenate(parts), wanted)
    assert len(iterator.next()) == 2 and len(iterator.next().ids) == 10  # distances and ids


def test_an_iterator_goes_through_what_passes_a_filter(index: obliq.Index) -> None:
    mask = YEAR == 2020
    seen = []
    for result in index.search_iterator(QUERIES[:1], batch=7, filter="year = ?", params=[2020],
                                        columns=["year"]):
        assert (result.columns["year"] == 2020).all()
        seen += result.ids.tolist()
    assert sorted(seen) == np.flatnonzero(mask).tolist()
    assert list(index.search_iterator(QUERIES[0], filter="year < 0")) == []


def test_an_iterator_that_is_done_stays_so(index: obliq.Index) -> None:
    iterator = index.search_iterator(QUERIES[0], batch=N)
    assert len(next(iterator).ids) == N
    assert len(iterator.next(5).ids) == 0 and list(iterator) == []


def test_an_iterator_keeps_its_index() -> None:
    iterator = obliq.Index.build(BASE[:50]).search_iterator(BASE[0], batch=20)
    assert sum(len(result.ids) for result in iterator) == 50


def test_threads_take_turns_at_an_iterator(index: obliq.Index) -> None:
    iterator = index.search_iterator(QUERIES[0], batch=50)
    seen: List[Tuple[int, ...]] = []

    def work() -> None:
        for _, ids in iterator:
            seen.append(tuple(ids.tolist()))
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(id for batch in seen for id in batch) == list(range(N))


@pytest.mark.parametrize("arguments, error, message", [
    (dict(query=QUERIES), ValueError, r"query must be one vector \[dim\], not 12"),
    (dict(query=BASE[0, :3]), ValueError, "3"), (dict(batch=0), ValueError, "batch must be 1"),
    (dict(batch=1.5), TypeError, "batch must be a whole number"),
    (dict(nprobe=0), ValueError, "nprobe must be 1"), (dict(confidence=2), ValueError, "confid"),
    (dict(filter="yaer > 1"), ValueError, "'year'"), (dict(columns=["yaer"]), ValueError, "yaer"),
    (dict(target_recall=1.5), ValueError, "target"),
])
def test_an_iterator_refuses_what_does_not_fit(index: obliq.Index, arguments: Any, error: Any,
                                               message: str) -> None:
    with pytest.raises(error, match=message):
        index.search_iterator(**{"query": QUERIES[0], **arguments}).next()


def test_an_iterator_refuses_batches_of_nothing(index: obliq.Index) -> None:
    iterator = index.search_iterator(QUERIES[0])
    with pytest.raises(ValueError, match="k must be 1 or more"):
        iterator.next(0)
    with pytest.raises(TypeError, match="make one with Index.search_iterator"):
        obliq.SearchIterator()
