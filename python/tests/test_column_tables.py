"""Columns as pandas, polars and Arrow have them, and results as a table of Arrow."""

import datetime
import sys
from typing import Any, Dict

import numpy as np
import pytest

import obliq

BASE = np.random.default_rng(1).normal(size=(4, 8)).astype(np.float32)
NOON = datetime.datetime(2024, 5, 31, 12)


def back(columns: Any, types: Any = None) -> Any:
    """Types and values that come back."""
    index = obliq.Index.build(BASE, columns=columns, types=types)
    return index.stats().columns, {name: values.tolist()
                                   for name, values in index.get_columns(np.arange(4)).items()}


@pytest.fixture
def pandas() -> Any:
    return pytest.importorskip("pandas")


@pytest.fixture
def polars() -> Any:
    return pytest.importorskip("polars")


@pytest.fixture
def arrow() -> Any:
    return pytest.importorskip("pyarrow")


WANTED: Dict[str, Any] = {
    "year": [1, None, 3, 4], "price": [0.5, None, 1.5, 2.0], "active": [True, None, False, True],
    "lang": ["en", None, "\u00e9", ""], "made": [NOON, None, NOON, NOON],
}
TYPES = {"year": "int64", "price": "double", "active": "bool", "lang": "keyword",
         "made": "timestamp"}


def test_a_dataframe_of_pandas_gives_its_columns(pandas: Any) -> None:
    frame = pandas.DataFrame({
        "year": pandas.array(WANTED["year"], "Int64"),
        "price": pandas.array(WANTED["price"], "Float64"),
        "active": pandas.array(WANTED["active"], "boolean"), "lang": WANTED["lang"],
        "made": pandas.to_datetime(WANTED["made"])})
    assert back(frame) == (TYPES, WANTED)
    assert back({name: frame[name] for name in frame}) == (TYPES, WANTED)
    assert back(frame.iloc[::-1].reset_index(drop=True).iloc[::-1]) == (TYPES, WANTED)


def test_pandas_columns_of_numpys_types_are_taken(pandas: Any) -> None:
    frame = pandas.DataFrame({"i": np.arange(4, dtype="i2"), "f": np.arange(4) / 2,
                              "b": np.arange(4) > 1})
    types, values = back(frame)
    assert types == {"i": "int64", "f": "double", "b": "bool"}
    assert values["f"] == [0, 0.5, 1, 1.5]


def test_pandas_times_with_a_zone_become_utc(pandas: Any) -> None:
    series = pandas.Series([NOON, None, NOON, NOON]).dt.tz_localize("Europe/Berlin")
    types, values = back({"t": series})
    assert types == {"t": "timestamp"}
    assert values["t"] == [NOON - datetime.timedelta(hours=2), None] \
        + [NOON - datetime.timedelta(hours=2)] * 2
    stamps = [pandas.Timestamp(NOON), pandas.NaT, None, pandas.Timestamp(NOON, tz="UTC")]
    assert back({"t": stamps})[1]["t"] == [NOON, None, None, NOON]


def test_pandas_categories_lists_and_nas_are_taken(pandas: Any) -> None:
    frame = pandas.DataFrame({
        "c": pandas.Categorical(["a", None, "b", "a"]),
        "l": pandas.Series([["a", "b"], None, [], ["c"]], dtype=object),
        "o": pandas.Series(["a", pandas.NA, None, "b"], dtype=object)})
    types, values = back(frame)
    assert types == {"c": "keyword", "l": "keywords", "o": "keyword"}
    assert values == {"c": ["a", None, "b", "a"], "l": [["a", "b"], None, [], ["c"]],
                      "o": ["a", None, None, "b"]}


def test_nan_of_pandas_floats_is_refused_with_the_remedy(pandas: Any) -> None:
    frame = pandas.DataFrame({"year": [1, None, 3, 4]})  # floats
    with pytest.raises(ValueError, match=r"column 'year', row 1: nan .*convert_dtypes\(\)"):
        back(frame)
    assert back(frame.convert_dtypes())[1] == {"year": [1, None, 3, 4]}


def test_pandas_columns_of_arrow_are_taken(pandas: Any, arrow: Any) -> None:
    frame = pandas.DataFrame({"year": pandas.array([1, None, 3, 4], "int64[pyarrow]"),
                              "lang": pandas.array(["a", None, "b", ""], "string[pyarrow]")})
    assert back(frame)[1] == {"year": [1, None, 3, 4], "lang": ["a", None, "b", ""]}


def test_names_that_are_no_texts_are_refused(pandas: Any) -> None:
    with pytest.raises(TypeError, match="the name of a column must be text, not 0"):
        back(pandas.DataFrame({0: [1, 2, 3, 4]}))
    with pytest.raises(TypeError, match="must hold an array or a list"):
        back({"x": pandas.DataFrame({"a": [1, 2, 3, 4]})})


@pytest.mark.parametrize("with_arrow", [True, False])
def test_a_dataframe_of_polars_gives_its_columns(polars: Any, with_arrow: bool,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    frame = polars.DataFrame({**WANTED, "tags": [["a"], None, [], ["b", "c"]]})
    if with_arrow:
        pytest.importorskip("pyarrow")
    else:
        monkeypatch.setitem(sys.modules, "pyarrow", None)
    assert back(frame) == ({**TYPES, "tags": "keywords"},
                           {**WANTED, "tags": [["a"], None, [], ["b", "c"]]})
    assert back({"f": polars.Series([1.5, 2.5, 3.5, 4.5])})[0] == {"f": "double"}
    with pytest.raises(ValueError, match="column 'f', row 0: nan"):
        back({"f": polars.Series([float("nan"), 1, 2, None])})


def test_a_table_of_arrow_gives_its_columns(arrow: Any) -> None:
    table = arrow.table({**WANTED, "tags": [["a"], None, [], ["b", "c"]],
                         "blob": [b"\0", None, b"", b"a"]})
    types = {**TYPES, "tags": "keywords", "blob": "bytes"}
    wanted = {**WANTED, "tags": [["a"], None, [], ["b", "c"]], "blob": [b"\0", None, b"", b"a"]}
    assert back(table) == (types, wanted)
    assert back(table.to_batches()[0]) == (types, wanted)
    assert back(arrow.concat_tables([table.slice(0, 1), table.slice(1)])) == (types, wanted)


def test_arrow_arrays_of_other_types_are_taken(arrow: Any) -> None:
    columns = {
        "dictionary": arrow.array(["a", None, "b", "a"]).dictionary_encode(),
        "large": arrow.array(["a", None, "b", "a"], arrow.large_string()),
        "date": arrow.array([datetime.date(2024, 5, 31)] * 4),
        "ns": arrow.array([1999, None, 0, 0], arrow.timestamp("ns", tz="Europe/Berlin")),
        "small": arrow.array([1, None, 3, 4], arrow.uint8()),
        "half": arrow.array([0.5, None, 1, 1], arrow.float32()),
        "fixed": arrow.array([b"ab", None, b"cd", b"ef"], arrow.binary(2)),
        "lists": arrow.array([["a"], None, [], ["b"]], arrow.large_list(arrow.string())),
        "sliced": arrow.array([["x"], ["a"], None, [], ["b"]]).slice(1)}
    types, values = back(columns)
    assert types == {"dictionary": "keyword", "large": "keyword", "date": "timestamp",
                     "ns": "timestamp", "small": "int64", "half": "double", "fixed": "bytes",
                     "lists": "keywords", "sliced": "keywords"}
    assert values["dictionary"] == values["large"] == ["a", None, "b", "a"]
    assert values["date"] == [datetime.datetime(2024, 5, 31)] * 4
    assert values["ns"][:2] == [datetime.datetime(1970, 1, 1, 0, 0, 0, 1), None]
    assert values["small"] == [1, None, 3, 4] and values["half"] == [0.5, None, 1, 1]
    assert values["fixed"] == [b"ab", None, b"cd", b"ef"]
    assert values["lists"] == values["sliced"] == [["a"], None, [], ["b"]]


def test_arrow_arrays_of_nulls_alone_need_a_type(arrow: Any) -> None:
    with pytest.raises(ValueError, match="column 'x' has no value from which its type"):
        back({"x": arrow.nulls(4)})
    assert back({"x": arrow.nulls(4)}, {"x": "keyword"})[1] == {"x": [None] * 4}
    assert back({"x": arrow.nulls(4, arrow.string())})[0] == {"x": "keyword"}


@pytest.mark.parametrize("type", ["decimal128(5, 2)", "list_(pyarrow.int64())", "time64('us')",
                                  "struct([('a', pyarrow.int64())])"])
def test_arrow_arrays_of_a_type_that_no_column_has_are_refused(arrow: Any, type: str) -> None:
    array = arrow.nulls(4, eval(f"pyarrow.{type}", {"pyarrow": arrow}))
    with pytest.raises(TypeError, match="column 'x' must hold integers, .* not "):
        back({"x": array})


def test_arrow_numbers_that_do_not_fit_are_refused(arrow: Any) -> None:
    with pytest.raises(ValueError, match="row 3: 9223372036854775808 is above"):
        back({"x": arrow.array([0, None, 1, 1 << 63], arrow.uint64())})
    with pytest.raises(ValueError, match="row 2: nan"):
        back({"x": arrow.array([0, None, float("nan"), 1.0])})


class Stream:
    """What hands its columns over in the form of Arrow, and nothing else."""

    def __init__(self, table: Any) -> None:
        self._table = table

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self._table.__arrow_c_stream__(requested_schema)


def test_other_tables_are_taken_through_arrow(arrow: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Stream(arrow.table({"year": [1, None, 3, 4]}))
    assert back(stream)[1] == {"year": [1, None, 3, 4]}
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(TypeError, match=r"pip install obliq\[dataframe\]"):
        back(stream)


def test_answers_become_a_table_of_arrow(arrow: Any) -> None:
    index = obliq.Index.build(BASE, columns={**WANTED, "tags": [["a"], None, [], ["b", "c"]],
                                             "blob": [b"\0", None, b"", b"a"]})
    names = ["year", "price", "active", "lang", "made", "tags", "blob"]
    found = index.search(BASE[:2], k=6, columns=names)
    table = found.to_arrow()
    assert table.column_names == ["query", "rank", "id", "distance", *names]
    assert table.num_rows == 8  # places without an answer are left out
    rows = table.to_pylist()
    for place, row in enumerate(rows):
        id = row["id"]
        assert (row["query"], row["rank"]) == divmod(place, 4)
        assert id == found.ids[place // 4, place % 4]
        assert [row[name] for name in ("year", "lang")] == [WANTED["year"][id], WANTED["lang"][id]]
    assert table.schema.field("made").type == arrow.timestamp("us", tz="UTC")
    assert table.schema.field("tags").type == arrow.list_(arrow.string())
    again = obliq.Index.build(BASE[table["id"].to_numpy()[:4]], columns=table.slice(0, 4))
    assert again.get_columns([0])["lang"][0] == WANTED["lang"][rows[0]["id"]]
    assert index.search(BASE[0], k=2).to_arrow().column_names == ["query", "rank", "id", "distance"]


def test_columns_become_a_table_of_arrow(arrow: Any) -> None:
    index = obliq.Index.build(BASE, columns={"year": [1, None, 3, 4]})
    assert index.get_columns([[1, 2]]).to_arrow().to_pydict() == {"year": [None, 3]}
    bare = obliq.Index.build(BASE, columns={"id": [1, 2, 3, 4]})
    with pytest.raises(ValueError, match="column 'id' has the name of one of query, rank"):
        bare.search(BASE[0], columns=["id"]).to_arrow()
