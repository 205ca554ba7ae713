"""Filters of an index from Python: what passes, what is refused, and what callbacks may do."""

import copy
import datetime
import pickle
import threading
from typing import Any, List

import numpy as np
import pytest

import obliq

N = 3000
RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(N, 16)).astype(np.float32)
QUERIES = RNG.normal(size=(20, 16)).astype(np.float32)
YEAR = RNG.integers(2000, 2025, N)
PRICE = RNG.random(N)
LANG = RNG.choice(["en", "de", "fr"], N)
MADE = np.datetime64("2024-01-01", "us") + np.arange(N) * np.timedelta64(1, "h")
EVEN = np.arange(N) % 2 == 0


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, nlist=30, preset="exact", columns={
        "year": YEAR, "price": PRICE, "lang": LANG, "made": MADE, "even": EVEN,
        "tags": [["a"] * (i % 3 == 0) + ["b"] * (i % 5 == 0) for i in range(N)],
        "note": [None if i % 4 else "x" for i in range(N)]})


def nearest(mask: Any, k: int) -> Any:
    """The k nearest of QUERIES among the rows of a mask."""
    rows = np.flatnonzero(mask)
    distances = ((QUERIES[:, None] - BASE[rows]) ** 2).sum(axis=2)
    return rows[np.argsort(distances, axis=1, kind="stable")[:, :k]]


@pytest.mark.parametrize("share", [0.5, 0.1, 0.01, 0.001])
def test_all_kinds_of_filters_find_the_nearest_that_pass(index: obliq.Index, share: float) -> None:
    limit = float(np.quantile(PRICE, share))
    mask = PRICE < limit
    wanted = nearest(mask, 3)
    ids = np.flatnonzero(mask)
    for filter, params in [("price < ?", [limit]), (mask, None), (ids, None), (ids.tolist(), None),
                           (set(ids.tolist()), None), (lambda id: mask[id], None),
                           (obliq.Filter.deny(np.flatnonzero(~mask)), None)]:
        found = index.search(QUERIES, 3, filter=filter, params=params, nprobe=30, confidence=1)
        np.testing.assert_array_equal(found.ids, wanted)
        assert index.count(filter, params) == mask.sum()


def test_a_filter_is_evaluated_once_for_any_number_of_searches(index: obliq.Index) -> None:
    asked: List[int] = []

    def allows(id: int) -> Any:
        asked.append(id)
        return YEAR[id] > 2020
    filter = index.filter(allows)
    assert sorted(asked) == list(range(N))
    for query in QUERIES[:3]:
        assert (YEAR[index.search(query, filter=filter).ids] > 2020).all()
    assert index.count(filter) == (YEAR > 2020).sum() and len(asked) == N


def test_a_filter_serves_several_indexes() -> None:
    filter = obliq.Filter("year >= 2010")
    for first in (2000, 2005):
        years = np.arange(first, first + 10)
        index = obliq.Index.build(BASE[:10], columns={"year": years})
        assert index.count(filter) == (years >= 2010).sum()


def test_filters_are_joined_by_and(index: obliq.Index) -> None:
    both = obliq.Filter("year > 2010") & obliq.Filter.positions(EVEN)
    assert index.count(both) == ((YEAR > 2010) & EVEN).sum()
    assert index.count(both & obliq.Filter.deny(np.arange(100))) \
        == ((YEAR > 2010) & EVEN)[100:].sum()
    with pytest.raises(TypeError):
        both & "year > 2010"
    with pytest.raises(TypeError, match="join filters with &"):
        bool(both)


@pytest.mark.parametrize("expression, params, mask", [
    ("year = ?", [2010], YEAR == 2010), ("year = ?", [np.int16(2010)], YEAR == 2010),
    ("price < ?", [np.float32(0.5)], PRICE < 0.5), ("price < ?", [1], PRICE < 1),
    ("even = ?", [True], EVEN), ("even = ?", [np.bool_(False)], ~EVEN),
    ("lang = ?", ["en"], LANG == "en"), ("lang = ?", [np.str_("en")], LANG == "en"),
    ("lang = ?", ["' or true or '"], LANG == ""),
    ("year in ?", [[2010, 2011]], (YEAR == 2010) | (YEAR == 2011)),
    ("year in ?", [np.array([2010, 2011])], (YEAR == 2010) | (YEAR == 2011)),
    ("year in ?", [range(2010, 2012)], (YEAR == 2010) | (YEAR == 2011)),
    ("year in ?", [[2010, 2011.5]], YEAR == 2010), ("year in ?", [[]], YEAR < 0),
    ("lang in ?", [("en", "de")], LANG != "fr"), ("lang in ?", [{"en"}], LANG == "en"),
    ("lang in ?", [np.array(["en", "de"])], LANG != "fr"),
    ("made < ?", [datetime.datetime(2024, 1, 2)], np.arange(N) < 24),
    ("made < ?", [datetime.date(2024, 1, 2)], np.arange(N) < 24),
    ("made < ?", [np.datetime64("2024-01-02", "D")], np.arange(N) < 24),
    ("made < ?", [datetime.datetime(2024, 1, 2, tzinfo=datetime.timezone(
        datetime.timedelta(hours=1)))], np.arange(N) < 23),
    ("made < ?", ["2024-01-02T00:00:00Z"], np.arange(N) < 24),
    ("made < ?", [int(MADE[24].astype(np.int64))], np.arange(N) < 24),
    ("made in ?", [[datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 1, 1)]],
     np.arange(N) < 2),
    ("made in ?", [MADE[:3]], np.arange(N) < 3),
    ("year = ? and lang = ?", (2010, "en"), (YEAR == 2010) & (LANG == "en")),
    ("tags = 'a' and note is null", None, (np.arange(N) % 3 == 0) & (np.arange(N) % 4 > 0)),
])
def test_values_are_bound(index: obliq.Index, expression: str, params: Any, mask: Any) -> None:
    assert index.count(expression, params) == mask.sum()
    assert index.count(obliq.Filter(expression, params)) == mask.sum()


def test_times_of_pandas_are_bound(index: obliq.Index) -> None:
    pandas = pytest.importorskip("pandas")
    assert index.count("made < ?", [pandas.Timestamp("2024-01-02")]) == 24
    assert index.count("year in ?", [pandas.Series([2010])]) == (YEAR == 2010).sum()
    with pytest.raises(ValueError, match="param 1 is NaT"):
        obliq.Filter("made < ?", [pandas.NaT])


@pytest.mark.parametrize("params, error, message", [
    (2020, TypeError, "params must be a list of values, one for each \\?.*not 2020"),
    ("acme", TypeError, "params must be a list of values"),
    ({"a": 1}, TypeError, "params must be a list of values"),
    ([None], TypeError, "param 1 is None, which nothing equals: write 'is null'"),
    ([b"a"], TypeError, "param 1 must be an int, float, bool, str or datetime"),
    ([1j], TypeError, "param 1 must be an int"),
    ([[1, "a"]], TypeError, "param 1 must be a list of integers, of floats, of texts or of times"),
    ([[True]], TypeError, "param 1 must be a list of integers"),
    ([[[1]]], TypeError, "param 1 must be an int"),
    ([np.zeros((2, 2))], TypeError, "param 1 must be an int"),
    ([1 << 63], ValueError, "param 1 is 9223372036854775808, which does not fit into 64 bits"),
    ([[0.5, 2**53 + 1]], ValueError, "param 1 holds 9007199254740993 among floats"),
    ([float("nan")], ValueError, "param 1 is NaN, which nothing equals"),
    ([[1.0, np.nan]], ValueError, "param 1 is NaN"),
    ([np.datetime64("NaT")], ValueError, "param 1 is NaT"),
    ([np.ma.MaskedArray([1, 2], [False, True])], ValueError, "masked"),
    (["\ud800"], ValueError, "lone surrogate"),
    ([], ValueError, "the number of '\\?' is 1, that of the values 0"),
    ([1, 2], ValueError, "the number of '\\?' is 1, that of the values 2"),
])
def test_values_that_cannot_be_bound_are_refused(params: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        obliq.Filter("year = ?", params)


@pytest.mark.parametrize("filter, message", [
    ("yaer > 2020", r"there is no column 'yaer'; did you mean 'year'\?\n  yaer > 2020\n  \^"),
    ("year > 'a'", "column 'year' is int64, and 'a' is a text"),
    ("year >", "filter: "), ("", "filter: "), ("note = null", "write 'is null'"),
    ("(" * 100 + "even" + ")" * 100, "64"), ("\ud800", "lone surrogate"),
    (EVEN[:10], "10 values by position, for 3000 vectors"),
    ([1.5], "ids must be whole numbers"), (np.ma.MaskedArray([1], [True]), "masked"),
    (["a"], "keys are given, ids are numbers here"), ("year > ?", "values 0"),
])
def test_filters_that_do_not_fit_are_refused(index: obliq.Index, filter: Any,
                                             message: str) -> None:
    for call in (lambda: index.search(QUERIES, filter=filter), lambda: index.count(filter),
                 lambda: index.filter(filter)):
        with pytest.raises(ValueError, match=message):
            call()


@pytest.mark.parametrize("filter, params, message", [
    (7, None, "filter must be an expression, as 'year >= 2020', an obliq.Filter"),
    (b"year > 2020", None, "filter must be an expression"),
    ({"year": 2020}, None, "filter must be an expression"),
    (None, [2020], "params are values for the \\? of an expression, and the filter is none"),
    ([1, 2], [2020], "and the filter is \\[1, 2\\]"),
    ([1, "a"], None, "the ids of this collection are strings, not 1 at position 0"),
])
def test_what_is_no_filter_is_refused(index: obliq.Index, filter: Any, params: Any,
                                      message: str) -> None:
    with pytest.raises(TypeError, match=message):
        index.search(QUERIES, filter=filter, params=params)


@pytest.mark.parametrize("call, message", [
    (lambda: obliq.Filter(7), "the expression of a filter must be text, not 7"),  # type: ignore
    (lambda: obliq.Filter.positions([1, 0]), "positions must be an array of bool"),
    (lambda: obliq.Filter.positions(EVEN[None]), "positions must be an array of bool"),
    (lambda: obliq.Filter.allow(EVEN), "take Filter.positions"),
    (lambda: obliq.Filter.callback(7), "callback must be a function of an id"),  # type: ignore
    (lambda: pickle.dumps(obliq.Filter("a = 1")), "make it anew from its expression"),
    (lambda: copy.copy(obliq.Filter("a = 1")), "make it anew from its expression"),
])
def test_filters_that_cannot_be_made_are_refused(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


def test_a_mask_does_not_fit_an_index_with_ids_of_its_own() -> None:
    index = obliq.Index.build(BASE[:10], ids=np.arange(10) + 100)
    with pytest.raises(ValueError, match="an index whose ids are positions"):
        index.search(QUERIES, filter=EVEN[:10])
    assert index.count(obliq.Filter.allow([100, 109, 7])) == 2
    assert index.count(obliq.Filter.deny([100, 109, 7])) == 8
    assert index.count([]) == 0


def test_what_a_callback_raises_the_search_raises(index: obliq.Index) -> None:
    def allows(id: int) -> bool:
        raise KeyError(f"no {id}")
    with pytest.raises(KeyError, match="no "):
        index.search(QUERIES, filter=allows)
    with pytest.raises(KeyError, match="no "):
        index.filter(allows)
    with pytest.raises(KeyboardInterrupt):
        index.count(lambda id: (_ for _ in ()).throw(KeyboardInterrupt()))

    class NoTruth:
        def __bool__(self) -> bool:
            raise OSError("neither")
    with pytest.raises(OSError, match="neither"):
        index.count(lambda id: NoTruth())


def test_a_callback_may_search_and_is_dropped_with_its_filter(index: obliq.Index) -> None:
    class Allows:
        def __call__(self, id: int) -> bool:
            return bool(index.search(BASE[id], 1).ids[0] == id) if id < 10 else False

    import weakref
    allows = Allows()
    gone = weakref.ref(allows)
    filter = index.filter(allows)
    assert index.count(filter) == 10
    del allows, filter
    assert gone() is None


def test_threads_share_a_filter_with_a_callback(index: obliq.Index) -> None:
    filter = obliq.Filter.callback(lambda id: EVEN[id])
    wrong: List[Any] = []

    def work() -> None:
        for query in QUERIES:
            ids = index.search(query, filter=filter).ids
            if (ids % 2 != 0).any():
                wrong.append(ids)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_target_recall_is_kept_under_a_filter(index: obliq.Index) -> None:
    mask = YEAR >= 2020
    wanted = nearest(mask, 10)
    found = index.search(QUERIES, 10, target_recall=0.9, filter="year >= 2020")
    recall = np.mean([np.isin(a, b).mean() for a, b in zip(found.ids, wanted)])
    assert mask[found.ids].all() and recall > 0.8  # .9 on average over queries like the learnt


def test_a_search_tells_what_passes_its_filter_and_how_it_looked(index: obliq.Index) -> None:
    few = index.search(QUERIES, 5, filter=[1, 2, 3], explain=True).explain
    assert (few["allowed"] == 3).all() and (few["method"] == "direct").all()
    assert (few["end"] == "all allowed").all()
    deny = obliq.Filter.deny([1])
    most = index.search(QUERIES[0], 5, nprobe=2, filter=deny, explain=True).explain
    assert most["allowed"] == N - 1 and most["method"] == "masked lists"
    every = index.search(QUERIES[0], 5, nprobe=2, explain=True).explain
    assert every["allowed"] == N and every["method"] == "lists" and every["end"] == "nprobe"


def test_a_filter_tells_what_it_is() -> None:
    assert repr(obliq.Filter("a = 1")) == "obliq.Filter('a = 1')"
    assert repr(obliq.Filter.allow([1])) == "obliq.Filter.allow(...)"
    assert repr(obliq.Filter("a = 1") & obliq.Filter.deny([1])) \
        == "obliq.Filter('a = 1') & obliq.Filter.deny(...)"
