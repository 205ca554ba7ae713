"""One query at a time goes a shorter way than batches: with the same answers and errors."""

import os
from typing import Any

import numpy as np
import pytest

import obliq

RNG = np.random.default_rng(3)
BASE = RNG.normal(size=(3000, 24)).astype(np.float32)
QUERIES = RNG.normal(size=(20, 24)).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, metric="l2")


@pytest.mark.parametrize("options", [dict(), dict(k=3), dict(nprobe=5), dict(confidence=0.9),
                                     dict(target_recall=0.9), dict(threads=1), dict(nprobe=10**9),
                                     dict(filter=obliq.Filter.deny(range(0, 3000, 3))),
                                     dict(filter=obliq.Filter.callback(lambda i: i % 2 == 0))])
def test_one_query_has_the_answers_of_a_batch(index: obliq.Index, options: Any) -> None:
    many = index.search(QUERIES, **options)
    for row, query in enumerate(QUERIES):
        for one, place in ((index.search(query, **options), row),
                           (index.search(query[None], **options), slice(row, row + 1)),
                           (index.search(query.astype(np.float64), **options), row)):
            assert type(one) is obliq.SearchResult
            np.testing.assert_array_equal(one.ids, many.ids[place])
            np.testing.assert_array_equal(one.distances, many.distances[place])
            assert one.ids.dtype == np.int64 and one.distances.dtype == np.float32


@pytest.mark.parametrize("query", [QUERIES[:1, ::2].copy(), QUERIES[0, ::2], np.full(24, np.nan),
                                   np.full((1, 24), np.inf, np.float32),
                                   np.ma.masked_greater(QUERIES[0], 0), QUERIES[0].tolist()[:3],
                                   np.zeros((1, 1, 24), np.float32)])
def test_a_wrong_query_is_refused(index: obliq.Index, query: Any) -> None:
    with pytest.raises(ValueError, match="dim|NaN|infin|not finite|masked|axes"):
        index.search(query)


@pytest.mark.parametrize("query", [QUERIES[0, ::-1], QUERIES[0].tolist(),
                                   QUERIES[0].astype(np.float16),
                                   np.asfortranarray(QUERIES)[3], memoryview(QUERIES[0].copy())])
def test_queries_of_other_layouts_are_taken(index: obliq.Index, query: Any) -> None:
    plain = np.array(query, np.float32)
    np.testing.assert_array_equal(index.search(query).ids, index.search(plain[None]).ids[0])


@pytest.mark.parametrize("options, error", [
    (dict(k=0), ValueError), (dict(k=-1), ValueError), (dict(k=2.0), TypeError),
    (dict(k=True), TypeError), (dict(k=1 << 40), MemoryError), (dict(nprobe=0), ValueError),
    (dict(nprobe=True), TypeError), (dict(threads=-1), ValueError), (dict(threads=True), TypeError),
    (dict(threads=1 << 40), ValueError), (dict(confidence=0.0), ValueError),
    (dict(confidence="1"), TypeError), (dict(target_recall=1.0), ValueError),
    (dict(batch_order="row"), ValueError), (dict(explain=1), TypeError),
    (dict(where=1), TypeError), (dict(nprobe=3, lists=[[1]]), ValueError)])
def test_wrong_options_are_refused_by_name(index: obliq.Index, options: Any, error: Any) -> None:
    (name, *_) = options
    with pytest.raises(error, match=name.replace("_", ".")):
        index.search(QUERIES[0], **options)


def test_distances_without_lists_are_refused(index: obliq.Index) -> None:
    with pytest.raises(ValueError, match="within"):
        index.search(QUERIES[0], within=[1.0])


def test_numbers_of_other_types_are_taken(index: obliq.Index) -> None:
    wanted = index.search(QUERIES[0], 3, nprobe=4, confidence=1.0, threads=1, target_recall=0.0)
    given = index.search(QUERIES[0], np.int32(3), nprobe=np.int64(4), confidence=1,  # type: ignore
                         threads=np.uint8(1), target_recall=0)  # type: ignore
    np.testing.assert_array_equal(wanted.ids, given.ids)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_knows_that_it_is_one(index: obliq.Index) -> None:
    assert not obliq._core.is_forked()
    child = os.fork()
    if child == 0:
        same = (index.search(QUERIES[0]).ids == index.search(QUERIES[:2]).ids[0]).all()
        os._exit(0 if obliq._core.is_forked() and same else 1)
    assert os.waitpid(child, 0)[1] == 0
