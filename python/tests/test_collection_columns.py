"""Columns of collections from Python: declared, given, changed, filtered by and returned."""

import datetime
import pathlib
from typing import Any, Dict

import numpy as np
import pytest

import obliq
from obliq.columns import Types

DIM = 8
RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(1500, DIM)).astype(np.float32)
SCHEMA: Types = {"year": "int64", "lang": "keyword", "price": "double", "tags": "keywords"}


def columns(first: int, n: int) -> Dict[str, Any]:
    rows = range(first, first + n)
    return {"year": [2000 + i for i in rows], "lang": [["en", "de", None][i % 3] for i in rows],
            "tags": [["t"] * (i % 2) for i in rows]}


@pytest.fixture
def articles() -> Any:
    with obliq.Collection(dim=DIM, columns=SCHEMA) as made:
        made.add(BASE[:10], columns=columns(0, 10))
        yield made


@pytest.fixture
def keyed() -> Any:
    with obliq.Collection(dim=DIM, ids="string", columns=SCHEMA) as made:
        made.add(BASE[:10], [f"k{i}" for i in range(10)], columns(0, 10))
        yield made


def test_a_collection_has_the_columns_it_was_made_with(articles: obliq.Collection) -> None:
    assert articles.columns == SCHEMA
    assert articles.stats().columns == SCHEMA
    back = articles.get_columns([3, 2])
    assert list(back) == list(SCHEMA) and back.types == SCHEMA
    assert back["year"].tolist() == [2003, 2002] and back["lang"].tolist() == ["en", None]
    assert back["tags"].tolist() == [["t"], []] and back["price"].tolist() == [None, None]
    assert articles.get_columns(3, ["year"])["year"] == 2003
    assert articles.get_columns([[1, 2], [3, 4]], ["year"])["year"].shape == (2, 2)
    assert dict(articles.get_columns([1], [])) == {}


def test_columns_are_kept_in_a_directory(tmp_path: pathlib.Path) -> None:
    with obliq.Collection(tmp_path / "c", dim=DIM, columns=SCHEMA) as made:
        made.add(BASE[:5], columns=columns(0, 5))
        made.add_column("note", "bytes")
    with obliq.Collection(tmp_path / "c", columns={"year": "int64"}) as opened:
        assert opened.columns == {**SCHEMA, "note": "bytes"}
        opened.update([2], {"note": [b"x"]})
    with obliq.Collection(tmp_path / "c", read_only=True) as reader:
        assert reader.get_columns([2, 3], ["note", "year"])["note"].tolist() == [b"x", None]


@pytest.mark.parametrize("wanted, message", [
    ({"year": "double"}, "column 'year' is to be double, and the collection has int64"),
    ({"yaer": "int64"}, "column 'yaer' is to be int64, and the collection has none of the name"),
])
def test_a_collection_is_not_opened_with_other_columns(tmp_path: pathlib.Path, wanted: Any,
                                                       message: str) -> None:
    obliq.Collection(tmp_path / "c", dim=DIM, columns=SCHEMA).close()
    with pytest.raises(ValueError, match=message):
        obliq.Collection(tmp_path / "c", columns=wanted)


def test_an_upsert_replaces_the_values_too(articles: obliq.Collection) -> None:
    articles.upsert(BASE[20:22], [3, 50], {"year": [1, 2]})
    back = articles.get_columns([3, 50, 4])
    assert back["year"].tolist() == [1, 2, 2004] and back["lang"].tolist() == [None, None, "de"]
    articles.upsert(BASE[20], 4)
    assert articles.get_columns(4, ["year"])["year"].tolist() is None


def test_an_update_changes_values_and_no_vector(articles: obliq.Collection) -> None:
    before = articles.get(np.arange(10))
    articles.update([7, 2], {"year": [1, None], "tags": [["a", "b"], None]})
    back = articles.get_columns([7, 2, 3])
    assert back["year"].tolist() == [1, None, 2003]
    assert back["lang"].tolist() == ["de", None, "en"]
    assert back["tags"].tolist() == [["a", "b"], None, ["t"]]
    np.testing.assert_array_equal(articles.get(np.arange(10)), before)
    articles.update(3, {"price": [0.5]})
    assert articles.get_columns(3)["price"] == 0.5
    assert articles.stats().of_life.updated == 3


def test_a_column_that_is_added_later_is_null_before(articles: obliq.Collection) -> None:
    articles.add_column("made", "timestamp")
    assert articles.columns["made"] == "timestamp"
    moment = datetime.datetime(2024, 5, 31, tzinfo=datetime.timezone.utc)
    articles.add(BASE[10], 10, {"made": [moment]})
    assert articles.search(BASE[0], 20, filter="made is null").ids.tolist().count(-1) == 10
    found = articles.search(BASE[0], 5, filter="made >= ?", params=[moment], columns=["made"])
    assert found.ids.tolist() == [10, -1, -1, -1, -1]
    assert found.columns["made"][0] == np.datetime64("2024-05-31")


def test_types_are_those_of_the_collection(articles: obliq.Collection) -> None:
    articles.update([0, 1], {"price": [1, 2], "lang": [None, None]})  # integers, and no value
    back = articles.get_columns([0, 1])
    assert back["price"].tolist() == [1.0, 2.0] and back["lang"].tolist() == [None, None]


def test_tables_are_taken(articles: obliq.Collection) -> None:
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame({"year": [1, 2], "lang": ["a", None]})
    ids = articles.add(BASE[20:22], columns=frame)
    assert articles.get_columns(ids)["lang"].tolist() == ["a", None]


def test_searches_filter_and_return(articles: obliq.Collection) -> None:
    found = articles.search(BASE[:2], 3, filter="year < ? and lang = 'en'", params=[2005],
                            columns=["year", "lang"], explain=True)
    assert sorted(found.ids[0].tolist()) == [-1, 0, 3]
    assert found.columns["lang"].tolist()[0] == ["en", "en", None]
    assert found.explain["allowed"].tolist() == [2, 2]
    assert found.columns["year"].tolist()[0][2] is None
    for filter in ([0, 3], obliq.Filter.deny([1, 2, *range(4, 10)]), lambda id: id in (0, 3)):
        assert sorted(articles.search(BASE[0], 3, filter=filter).ids.tolist()) == [-1, 0, 3]
    with pytest.raises(ValueError, match="whose ids are positions"):
        articles.search(BASE[0], filter=np.ones(10, bool))


def test_filters_and_columns_go_on_after_training() -> None:
    with obliq.Collection(dim=DIM, train_at=1000, columns=SCHEMA) as made:
        made.add(BASE, columns=columns(0, len(BASE)))
        made.wait()
        assert not made.stats().is_exact
        found = made.search(BASE[:5], 4, filter="year >= 3400", columns=["year"])
        assert (found.ids >= 1400).all()
        np.testing.assert_array_equal(found.columns["year"], 2000 + found.ids)
        filter = obliq.Filter("year >= 3400")
        made.remove(np.arange(1400, 1498))
        assert sorted(made.search(BASE[0], 4, filter=filter).ids.tolist()) == [-1, -1, 1498, 1499]
        made.update([5], {"year": [9999]})
        assert 5 in made.search(BASE[0], 4, filter=filter).ids


def test_string_ids_have_columns_and_filters(keyed: obliq.Collection) -> None:
    assert keyed.get_columns([["k1", "k2"]])["year"].tolist() == [[2001, 2002]]
    assert keyed.get_columns("k1")["lang"].tolist() == "de"
    keyed.update(["k1", "k9"], {"year": [1, None]})
    keyed.update("k2", {"year": [2]})
    keyed.upsert(BASE[30:31], ["new"], {"lang": ["it"]})
    found = keyed.search(BASE[0], 4, filter="year < 2000", columns=["year", "lang"])
    assert sorted(id for id in found.ids if id) == ["k1", "k2"]
    assert sorted(year for year in found.columns["year"].tolist() if year) == [1, 2]
    for filter in (["k1", "k2", "none"], np.array(["k1", "k2"]), obliq.Filter.allow({"k1", "k2"}),
                   obliq.Filter.deny(["k0", "new", *[f"k{i}" for i in range(3, 10)]])):
        ids = keyed.search(BASE[0], 4, filter=filter).ids
        assert sorted(id for id in ids if id) == ["k1", "k2"]
    table = pytest.importorskip("pyarrow") and found.to_arrow()
    assert sorted(table["id"].to_pylist()) == ["k1", "k2"]


@pytest.mark.parametrize("filter, message", [
    ([1, 2], "strings"), (lambda id: True, "a callback is asked by numbers, ids are strings here"),
    (np.ones(10, bool), "by position")])
def test_filters_by_number_do_not_fit_string_ids(keyed: obliq.Collection, filter: Any,
                                                 message: str) -> None:
    with pytest.raises(ValueError, match=message):
        keyed.search(BASE[0], filter=filter)


@pytest.mark.parametrize("given, error, message", [
    ({"yaer": [1, 2]}, ValueError, "there is no column 'yaer'; there are year, lang"),
    ({"year": [1]}, ValueError, "column 'year' holds 1 values, for 2 vectors"),
    ({"year": ["a", "b"]}, TypeError, "column 'year' holds values of type keyword, and is to be"),
    ({"price": [0.5, np.nan]}, ValueError, "column 'price', row 1: nan"),
    ({"lang": ["a" * 65_536, "b"]}, ValueError, "column 'lang', row 0: a text of 65536 bytes"),
    ([1, 2], TypeError, "columns must be a dict of names and values"),
])
def test_columns_that_do_not_fit_change_nothing(articles: obliq.Collection, given: Any, error: Any,
                                                message: str) -> None:
    for call in (lambda: articles.add(BASE[20:22], columns=given),
                 lambda: articles.add(BASE[20:22], [20, 21], given),
                 lambda: articles.upsert(BASE[20:22], [0, 1], given),
                 lambda: articles.update([0, 1], given)):
        with pytest.raises(error, match=message):
            call()
    assert len(articles) == 10 and articles.get_columns([0])["year"].tolist() == [2000]


def test_updates_that_do_not_fit_are_refused(articles: obliq.Collection,
                                             keyed: obliq.Collection) -> None:
    with pytest.raises(ValueError, match="99"):
        articles.update([0, 99], {"year": [1, 2]})
    with pytest.raises(ValueError, match="0"):
        articles.update([0, 0], {"year": [1, 2]})
    with pytest.raises(TypeError, match="columns must be a dict"):
        articles.update([0], None)
    with pytest.raises(ValueError, match="k99"):
        keyed.update(["k1", "k99"], {"year": [1, 2]})
    with pytest.raises(TypeError, match="strings"):
        keyed.update([1], {"year": [1]})
    assert articles.get_columns([0])["year"].tolist() == [2000]


@pytest.mark.parametrize("name, type, error, message", [
    ("year", "int64", ValueError, "year"), ("", "int64", ValueError, "name"),
    (7, "int64", TypeError, "the name of a column must be text"),
    ("x", "int32", ValueError, "unknown type of column 'x' 'int32'"),
    ("x", int, TypeError, "type of column 'x' must be one of"),
])
def test_columns_that_cannot_be_added_are_refused(articles: obliq.Collection, name: Any, type: Any,
                                                  error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        articles.add_column(name, type)
    assert articles.columns == SCHEMA


def test_what_is_not_there_is_refused(articles: obliq.Collection, keyed: obliq.Collection) -> None:
    with pytest.raises(ValueError, match="99"):
        articles.get_columns([0, 99])
    with pytest.raises(ValueError, match="k99"):
        keyed.get_columns(["k99"])
    with pytest.raises(ValueError, match="yaer"):
        articles.get_columns([0], ["yaer"])
    with pytest.raises(ValueError, match="yaer"):
        articles.search(BASE[0], columns=["yaer"])
    with pytest.raises(ValueError, match="did you mean 'year'"):
        articles.search(BASE[0], filter="yaer = 1")
    with pytest.raises(TypeError, match="must be a dict of names and types"):
        obliq.Collection(dim=DIM, columns=["year"])  # type: ignore[arg-type]


def test_indexes_keep_columns_on_the_way_out_and_in(articles: obliq.Collection,
                                                    tmp_path: pathlib.Path) -> None:
    articles.export_index(tmp_path / "a.idx")
    index = obliq.Index.open(tmp_path / "a.idx")
    assert index.get_columns([3], ["year"])["year"].tolist() == [2003]
    with obliq.Collection(dim=DIM, columns=SCHEMA) as other:
        assert other.import_index(tmp_path / "a.idx") == 10
        assert other.get_columns([3])["lang"].tolist() == ["en"]
