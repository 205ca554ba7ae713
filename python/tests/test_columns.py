"""Columns of an index from Python: what is taken, what is refused, and what comes back."""

import datetime
import pathlib
from typing import Any, Dict, Optional

import numpy as np
import pytest
from numpy.typing import NDArray

import obliq

N = 40
BASE = np.random.default_rng(1).normal(size=(N, 8)).astype(np.float32)
UTC = datetime.timezone.utc
YEARS = np.arange(N) + 2000


def build(columns: Any, types: Any = None, n: int = N) -> obliq.Index:
    return obliq.Index.build(BASE[:n], columns=columns, types=types)


def stored(values: Any, type: Optional[str] = None) -> NDArray[Any]:
    """What comes back of a column of values."""
    index = build({"x": values}, None if type is None else {"x": type}, len(values))
    return index.get_columns(np.arange(len(values)))["x"]


def type_of(values: Any) -> str:
    return build({"x": values}, n=len(values)).stats().columns["x"]


COLUMNS: Dict[str, Any] = {
    "year": YEARS,
    "price": np.linspace(0, 1, N),
    "active": YEARS % 2 == 0,
    "made": np.datetime64("2020-01-01", "s") + np.arange(N),
    "lang": ["en", "de", "fr", "it"] * 10,
    "tags": [["a", "b"], ["b"], [], ["c"]] * 10,
    "blob": [b"\0", b"", b"ab\0", b"c"] * 10,
}


def test_each_column_gets_the_type_of_its_values() -> None:
    stats = build(COLUMNS).stats()
    assert stats.columns == {"active": "bool", "blob": "bytes", "lang": "keyword",
                             "made": "timestamp", "price": "double", "tags": "keywords",
                             "year": "int64"}
    assert stats.column_bytes > N * (8 + 8 + 8)


def test_values_come_back_as_they_were_given() -> None:
    back = build(COLUMNS).get_columns([3, 0], ["year", "price", "active", "made"])
    assert list(back) == ["year", "price", "active", "made"]
    for name, values in back.items():
        np.testing.assert_array_equal(values, COLUMNS[name][[3, 0]])
    assert [back[name].dtype.str[1:] for name in back] == ["i8", "f8", "b1", "M8[us]"]
    texts = build(COLUMNS).get_columns([[2, 3]], ["lang", "tags", "blob"])
    assert texts["lang"].tolist() == [["fr", "it"]]
    assert texts["tags"].tolist() == [[[], ["c"]]]
    assert texts["blob"].tolist() == [[b"ab\0", b"c"]]


def test_all_columns_come_back_where_none_is_named() -> None:
    index = build(COLUMNS)
    assert set(index.get_columns([1])) == set(COLUMNS)
    assert dict(index.get_columns([1], [])) == {}
    assert dict(build(None).get_columns([1])) == {}
    assert index.columns == index.stats().columns and build(None).columns == {}


@pytest.mark.parametrize("dtype", ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"])
def test_integers_of_any_width_are_int64(dtype: str) -> None:
    assert type_of(np.arange(4, dtype=dtype)) == "int64"
    assert stored(np.arange(4, dtype=dtype)).tolist() == [0, 1, 2, 3]
    assert stored(np.arange(8, dtype=dtype)[::2]).tolist() == [0, 2, 4, 6]


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8"])
def test_floats_of_any_width_are_double(dtype: str) -> None:
    assert type_of(np.arange(4, dtype=dtype)) == "double"
    assert stored(np.array([0.5, np.inf], dtype=dtype)).tolist() == [0.5, np.inf]


def test_lists_of_numbers_are_int64_bool_or_double() -> None:
    assert [type_of(values) for values in ([1, 2], [True, False], [1, 2.5], [1.5, None],
                                           [np.int8(3), 4], [np.float32(3), 4])] \
        == ["int64", "bool", "double", "double", "int64", "double"]
    assert stored([1, 2.5]).tolist() == [1, 2.5]


def test_the_ends_of_int64_are_kept() -> None:
    ends = [-(1 << 63), (1 << 63) - 1]
    assert stored(ends).tolist() == ends
    assert stored(np.array([ends[1]], np.uint64)).tolist() == ends[1:]


@pytest.mark.parametrize("values", [
    [1, None, 3], np.array([1, None, 3], object),
    np.ma.MaskedArray([1, 2, 3], [False, True, False])])
def test_none_and_masked_integers_are_null(values: Any) -> None:
    back = stored(values)
    assert isinstance(back, np.ma.MaskedArray)
    assert back.tolist() == [1, None, 3] and back.dtype == np.int64
    assert build({"x": values}, n=3).count("x is null") == 1


def test_nulls_come_back_as_masked_values_nat_and_none() -> None:
    columns = {"f": [0.5, None], "b": [True, None], "t": [datetime.date(2020, 1, 2), None],
               "k": ["a", None], "s": [["a"], None], "y": [b"a", None]}
    back = build(columns, n=2).get_columns([0, 1])
    assert back["f"].tolist() == [0.5, None] and back["b"].tolist() == [True, None]
    assert back["b"].dtype == np.bool_
    assert back["t"][0] == np.datetime64("2020-01-02") and np.isnat(back["t"][1])
    assert [back[name].tolist() for name in "ksy"] == [["a", None], [["a"], None], [b"a", None]]


def test_a_masked_nan_is_null() -> None:
    assert stored(np.ma.MaskedArray([1.0, np.nan], [False, True])).tolist() == [1.0, None]


def test_times_of_all_kinds_are_microseconds_utc() -> None:
    moment = datetime.datetime(2024, 5, 31, 14, 0, 0, 7,
                               tzinfo=datetime.timezone(datetime.timedelta(hours=2)))
    wanted = np.datetime64("2024-05-31T12:00:00.000007")
    assert stored([moment, moment.astimezone(UTC).replace(tzinfo=None)]).tolist() \
        == [wanted.astype(object)] * 2
    assert stored([np.datetime64("2024-05-31", "D"), datetime.date(2024, 5, 31)]).tolist() \
        == [datetime.datetime(2024, 5, 31)] * 2
    nanoseconds = np.array([-1, 1999, "NaT"], "datetime64[ns]")
    assert stored(nanoseconds).astype(np.int64).tolist()[:2] == [-1, 1]  # cut off downwards
    assert np.isnat(stored(nanoseconds)[2])
    assert stored([1_000_000], "timestamp")[0] == np.datetime64("1970-01-01T00:00:01")


def test_texts_of_all_kinds_are_keyword() -> None:
    wanted = ["a", "\u00e9\0b", ""]
    assert stored(range(3)).tolist() == [0, 1, 2]
    for values in (wanted, np.array(wanted, object), tuple(wanted)):
        assert stored(values).tolist() == wanted
    assert stored(np.array(["a", "bc"])).tolist() == ["a", "bc"]


@pytest.mark.skipif(not hasattr(np.dtypes, "StringDType") if hasattr(np, "dtypes") else True,
                    reason="needs NumPy 2")
def test_texts_of_numpys_new_strings_are_keyword() -> None:
    kind = np.dtypes.StringDType(na_object=None)
    assert stored(np.array(["a", None, "bc"], kind)).tolist() == ["a", None, "bc"]


def test_sets_of_texts_are_keywords_each_once() -> None:
    values = [["b", "a", "b"], ("c",), {"d"}, np.array(["e", "f"]), [], None]
    assert stored(values).tolist() == [["a", "b"], ["c"], ["d"], ["e", "f"], [], None]


def test_a_type_that_is_named_widens_what_is_given() -> None:
    assert stored([1, 2], "double").dtype == np.float64
    assert stored([0, 1], "bool").tolist() == [False, True]
    for type in ("int64", "double", "bool", "timestamp", "keyword", "keywords", "bytes"):
        index = build({"x": [None] * N}, {"x": type})
        assert index.stats().columns == {"x": type} and index.count("x is null") == N


def test_values_are_returned_with_answers() -> None:
    index = build({"year": YEARS, "lang": ["en", None] * 20})
    found = index.search(BASE[:3], k=5, columns=["lang", "year"])
    assert list(found.columns) == ["lang", "year"]
    np.testing.assert_array_equal(found.columns["year"], YEARS[found.ids])
    assert found.columns["lang"].tolist() == [[["en", None][i % 2] for i in row]
                                              for row in found.ids]
    alone = index.search(BASE[0], k=5, columns=("year",), explain=True)
    np.testing.assert_array_equal(alone.columns["year"], YEARS[alone.ids])
    assert alone.explain["lists"] > 0
    distances, ids = found
    assert distances.shape == ids.shape == (3, 5)


def test_places_without_an_answer_have_null() -> None:
    found = build({"year": YEARS}).search(BASE[0], k=5, filter="year < 2002", columns=["year"])
    assert (found.ids >= 0).tolist() == [True, True, False, False, False]
    assert np.ma.getmaskarray(found.columns["year"]).tolist() == [False, False, True, True, True]
    index = build({"year": YEARS})
    assert index.get_columns([-1, 2])["year"].tolist() == [None, 2002]


def test_a_result_without_columns_says_how_to_get_them() -> None:
    result = build({"year": YEARS}).search(BASE[0])
    with pytest.raises(AttributeError, match=r"columns=\['name'"):
        result.columns
    with pytest.raises(AttributeError, match="explain=True"):
        build({"year": YEARS}).search(BASE[0], columns=["year"]).explain


def test_answers_of_a_long_batch_have_their_columns() -> None:
    index = build({"year": YEARS, "lang": COLUMNS["lang"]})
    queries = np.tile(BASE, (500, 1))
    found = index.search(queries, k=1, columns=["year", "lang"])
    np.testing.assert_array_equal(found.columns["year"], YEARS[found.ids])
    assert found.columns["lang"].shape == (20_000, 1)


def test_columns_are_kept_in_files_and_bytes(tmp_path: pathlib.Path) -> None:
    built = obliq.Index.build(BASE, columns=COLUMNS, path=tmp_path / "a.idx")
    for index in (built, obliq.Index.open(tmp_path / "a.idx"),
                  obliq.Index.from_bytes(build(COLUMNS).to_bytes())):
        np.testing.assert_array_equal(index.get_columns(np.arange(N))["year"], YEARS)
        assert index.stats().columns["tags"] == "keywords"


def test_segments_and_their_merge_have_columns(tmp_path: pathlib.Path) -> None:
    model = obliq.Model.train(BASE)
    half = N // 2
    for first in (0, half):
        part = {"year": YEARS[first:first + half].tolist(), "one": [None] * half}
        model.encode(BASE[first:first + half], tmp_path / f"{first}.seg", first=first,
                     columns=part, types={"one": "double"})
    names = [tmp_path / "0.seg", tmp_path / f"{half}.seg"]
    obliq.merge(model, names, tmp_path / "all.idx")
    for index in (obliq.Index.open(model, names), obliq.Index.open(tmp_path / "all.idx")):
        assert index.stats().columns == {"one": "double", "year": "int64"}
        np.testing.assert_array_equal(index.get_columns(np.arange(N), ["year"])["year"], YEARS)


@pytest.mark.parametrize("values, message", [
    ([1.0, np.nan, 2.0], r"column 'x', row 1: nan has no place in an order: NULL is None"),
    (np.array([1, np.nan], "f4"), r"row 1: nan has no place in an order"),
    (np.array([1, 1 << 63], "u8"), r"row 1: 9223372036854775808 is above the most of int64"),
    ([0, 1 << 63], r"row 1: 9223372036854775808 does not fit into int64"),
    ([None, "a", float("nan")], r"row 2: nan among values of type keyword: NULL is None"),
    (["a", "\ud800"], r"row 1: '\\ud800' has a lone surrogate"),
    ([["a"], ["b", "\ud800"]], r"row 1: '\\ud800' has a lone surrogate"),
    (["a" * 65_536], r"column 'x', row 0: a text of 65536 bytes"),
    ([None, None], r"column 'x' has no value from which its type could be told.*types="),
    (np.zeros((2, 2)), r"must hold values \[n\], not an array of 2 axes"),
    (np.array(["300000-01-01", "2020-01-01"], "datetime64[Y]"), r"row 0: 300000 is farther"),
])
def test_a_value_that_no_column_holds_is_refused(values: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build({"x": values}, n=len(values))


@pytest.mark.parametrize("values, message", [
    ([1, "a"], r"column 'x', row 1: 'a' among values of type int64: give one type"),
    ([True, 1], r"column 'x', row 1: 1 among values of type bool"),
    ([None, 1, [2]], r"row 2: \[2\] among values of type int64"),
    ([["a"], [1]], r"column 'x', row 1: 1 among texts"),
    ([["a"], [None]], r"column 'x', row 1: None among texts"),
    ([{"a": 1}], r"row 0: {'a': 1} is of type dict, which no column holds"),
    ([1j], r"row 0: 1j is of type complex"),
    (np.zeros(2, "c8"), r"column 'x' must hold integers.*not complex64"),
    (np.zeros(2, "m8[s]"), r"not timedelta64"),
    ("ab", r"column 'x' must hold an array or a list, not 'ab'"),
    (7, r"column 'x' must hold an array or a list, not 7"),
    ({"a": 1}, r"must hold an array or a list"),
])
def test_a_value_of_a_type_that_no_column_has_is_refused(values: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        build({"x": values}, n=len(values) if hasattr(values, "__len__") else 1)


@pytest.mark.parametrize("values, type, message", [
    ([1.5], "int64", "holds values of type double, and is to be int64"),
    (["a"], "int64", "of type keyword, and is to be int64"),
    ([1], "keyword", "of type int64, and is to be keyword"),
    (["a"], "keywords", "of type keyword, and is to be keywords"),
    ([True], "int64", "of type bool, and is to be int64"),
    (["2020-01-01"], "timestamp", "of type keyword, and is to be timestamp"),
])
def test_values_of_another_type_than_is_named_are_refused(values: Any, type: str,
                                                          message: str) -> None:
    with pytest.raises(TypeError, match=message):
        build({"x": values}, {"x": type}, 1)


def test_integers_that_their_type_does_not_hold_are_refused() -> None:
    with pytest.raises(ValueError, match="column 'x', row 1: 2 is no truth value"):
        build({"x": [1, 2]}, {"x": "bool"}, 2)
    with pytest.raises(ValueError, match="row 0: 9007199254740993 is an integer that no double"):
        build({"x": [2**53 + 1]}, {"x": "double"}, 1)


def test_another_number_of_values_than_vectors_is_refused() -> None:
    with pytest.raises(ValueError, match="column 'x' holds 3 values, for 4 vectors"):
        build({"x": [1, 2, 3]}, n=4)


@pytest.mark.parametrize("columns, types, error, message", [
    ([1, 2], None, TypeError, "columns must be a dict of names and values"),
    ("year", None, TypeError, "columns must be a dict of names and values"),
    ({1: YEARS}, None, TypeError, "the name of a column must be text, not 1"),
    ({"\ud800": YEARS}, None, ValueError, "has a lone surrogate in its name"),
    ({"": YEARS}, None, ValueError, "name"),
    ({"year": YEARS}, ["int64"], TypeError, "must be a dict of names and types"),
    ({"year": YEARS}, {"yaer": "int64"}, ValueError, "types name column 'yaer', which is not given"
     ": there are year"),
    ({"year": YEARS}, {"year": "int32"}, ValueError, "unknown type of column 'year' 'int32'; valid:"
     " int64, double"),
    ({"year": YEARS}, {"year": int}, TypeError, "type of column 'year' must be one of int64"),
    (None, {"year": "int64"}, ValueError, "types are those of columns, and there are none"),
])
def test_columns_and_types_that_are_none_are_refused(columns: Any, types: Any, error: Any,
                                                     message: str) -> None:
    with pytest.raises(error, match=message):
        build(columns, types)


@pytest.mark.parametrize("names, error, message", [
    ("year", TypeError, r"columns must be a list of names of columns, as \['year'\], not 'year'"),
    (7, TypeError, "columns must be a list of names"),
    ([7], TypeError, "the name of a column must be text, not 7"),
    (["yaer"], ValueError, "yaer"),
])
def test_names_of_columns_to_return_that_are_none_are_refused(names: Any, error: Any,
                                                              message: str) -> None:
    index = build({"year": YEARS})
    with pytest.raises(error, match=message):
        index.search(BASE[0], columns=names)
    with pytest.raises(error, match=message.replace("columns must", "names must")):
        index.get_columns([0], names)


def test_columns_of_an_unknown_id_are_refused() -> None:
    with pytest.raises(ValueError, match=str(N)):
        build({"year": YEARS}).get_columns([0, N])
