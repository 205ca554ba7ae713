"""What the stores for other frameworks stand on: documents in a collection."""

import datetime
import json
import math
import pathlib
import threading
from typing import Any, Dict, List

import numpy as np
import pytest
from store_cases import documents, one

import obliq
from obliq.store_filters import Compare, equal

UTC = datetime.timezone.utc
METADATAS: List[Dict[str, Any]] = [
    {}, {"year": 2020, "free": {"a": [1, None, "\xfc"]}}, {"year": None, "lang": None},
    {"tags": ["b", "a", "b"]}, {"tags": []}, {"tags": ["a", "b"]}, {"tags": "a"},
    {"price": 1}, {"price": 1.5}, {"seen": False}, {"lang": "\0'\"\n"},
    {"made": "2024-05-31T12:00:00Z"}, {"made": "1969-07-21T20:17:40"},
    {"made": datetime.datetime(2024, 5, 31, 12, tzinfo=UTC)}, {"": 1, "obliq.text": "x", "$and": 2},
    {'x" or 1=1': "x' or 'a'='a", "order by": -5}, {"free": math.inf}, {"\xe9": "\U0001f600"}]


def test_metadata_comes_back_as_it_was_given(tmp_path: pathlib.Path) -> None:
    store = documents(tmp_path / "store")
    texts = ["", None, "text", "a\nb\0c", "\ud800 alone", "\xfc" * 100_000]
    given = [one(f"d{i}", metadata, text=texts[i % len(texts)])
             for i, metadata in enumerate(METADATAS)]
    store.write(given)
    for _ in range(2):
        found = {document.id: document for document in store.get()}
        for document in given:
            assert repr(found[document.id].metadata) == repr(document.metadata) or (
                found[document.id].metadata == document.metadata)
            assert found[document.id].text == document.text
        assert type(found["d7"].metadata["price"]) is int
        store.close()
        store = documents(tmp_path / "store", columns=None)


def test_times_are_compared_as_times_whether_they_were_text_or_not() -> None:
    store = documents()
    store.write([one("a", {"made": "2024-05-31T14:00:00+02:00"}), one("c"),
                 one("b", {"made": datetime.datetime(2024, 5, 31, 12, 30)})])
    noon = datetime.datetime(2024, 5, 31, 12, tzinfo=UTC)
    for value in (noon, "2024-05-31T12:00:00Z"):
        assert store.ids(store.filter_of(equal("made", value))) == ["a"]
        assert store.ids(store.filter_of(Compare("made", ">", value))) == ["b"]
    with pytest.raises(ValueError, match="of document 0 is 'noon', which is no time of ISO 8601"):
        store.write([one("d", {"made": "noon"})])


@pytest.mark.parametrize("metadata,reason", [
    ({"year": "2020"}, "column 'year'"), ({"year": 1.5}, "column 'year'"), ({"year": True}, "year"),
    ({"year": 1 << 63}, "year"), ({"price": math.nan}, "price"), ({"lang": 5}, "lang"),
    ({"tags": [1]}, "tags"), ({"free": object()}, "document 1 cannot be kept as JSON"),
    ({"free": {1, 2}}, "cannot be kept as JSON"), ({5: 1}, "the key 5"),
    ({"free": datetime.datetime(2024, 1, 1)}, "times as text, or in a column")])
def test_what_does_not_fit_is_refused_and_nothing_is_written(metadata: Any, reason: str) -> None:
    store = documents()
    with pytest.raises((ValueError, TypeError), match=reason):
        store.write([one("a"), one("b", metadata)])
    assert store.count() == 0


def test_metadata_that_json_might_not_read_again_is_refused() -> None:
    store = documents()
    for depth, fits in ((90, True), (150, False), (990, False), (100_000, False)):
        nested: Any = []
        for _ in range(depth):
            nested = [nested]
        if fits:
            store.write([one("a", {"free": nested})])
            assert store.get()[0].metadata == {"free": nested}
        else:
            with pytest.raises(ValueError, match="more than 100 deep inside"):
                store.write([one("b", {"free": nested})])
    store.write([one("wide", {"free": [[i] for i in range(10_000)]})])
    assert store.count() == 2


def test_values_that_the_collection_is_given_directly_are_those_that_are_read() -> None:
    store = documents()
    store.write([one("a", {"price": 1, "tags": ["b", "a"], "made": "2024-05-31", "year": None})])
    assert store.collection is not None
    store.collection.update("a", {"price": [2.5], "tags": [["c"]], "year": [5],
                                  "made": [datetime.datetime(2025, 1, 1)]})
    assert store.get()[0].metadata == {"price": 2.5, "tags": ["c"], "year": 5,
                                       "made": datetime.datetime(2025, 1, 1, tzinfo=UTC)}


def test_a_column_that_is_added_later_has_the_values_of_documents_that_were_there() -> None:
    store = documents(columns=None)
    store.write([one(f"d{i}", {"n": i, "odd": i % 2, "mixed": i if i % 2 else "text"})
                 for i in range(5000)])
    with pytest.raises(ValueError, match="'n' is no column"):
        store.filter_of(equal("n", 4))
    with pytest.raises(TypeError, match="column 'mixed'"):
        store.add_column("mixed", "int64")
    assert store.schema == {}
    store.add_column("n", "double")
    store.add_column("n", "double")
    assert store.ids(store.filter_of(Compare("n", ">=", 4998))) == ["d4998", "d4999"]
    assert store.get(obliq.Filter.allow(["d7"]))[0].metadata == {"n": 7, "odd": 1, "mixed": 7}
    assert store.collection is not None
    store.collection.add_column("odd", "int64")  # by itself it has no values
    assert store.ids(store.filter_of(equal("odd", 1))) == []
    store.add_column("odd", "int64")
    assert store.count(store.filter_of(equal("odd", 1))) == 2500
    store.write([one("late", {"n": 0.5})])
    assert store.ids(store.filter_of(equal("n", 0.5))) == ["late"]


@pytest.mark.parametrize("metric", ["cosine", "l2", "ip"])
def test_documents_without_vectors_are_kept_and_never_found(metric: Any) -> None:
    store = documents(metric=metric)
    with pytest.raises(ValueError, match="give the store dim="):
        store.write([one("a", vector=None)])
    store.write([one("a", vector=None), one("b", vector=(3, 0, 4)), one("z", vector=(0, 0, 0))])
    assert {found.id for found in store.search([1, 1, 1], 5)} == {"b", "z"}
    assert store.search([1, 1, 1], 5, store.filter_of(equal("lang", "a"))) == []
    vectors = {found.id: found.vector for found in store.get(vectors=True)}
    assert vectors["a"] is None and vectors["z"] is not None and not vectors["z"].any()
    assert vectors["b"] is not None
    np.testing.assert_allclose(vectors["b"], [3, 0, 4], rtol=1e-6)
    # What has no vector stands at the origin and takes no place among the nearest.
    store.remove(["z"])
    store.write([one(f"none{i}", vector=None) for i in range(5)])
    assert [found.id for found in store.search([-0.1, 0, 0], 1)] == ["b"]
    store.write([one("a", vector=(1, 1, 1))])
    assert store.search([1, 1, 1], 1)[0].id == "a" or metric == "ip"
    with pytest.raises(ValueError, match=r"of shape \[2\], and the store is of dim 3"):
        store.write([one("c", vector=(1, 2))])


@pytest.mark.parametrize("metric", ["cosine", "l2", "ip"])
def test_all_documents_are_found_when_a_model_has_been_trained(metric: Any) -> None:
    draw = np.random.default_rng(1)
    store = documents(columns={"n": "int64"}, train_at=1000, metric=metric)
    store.write([one(f"d{i}", {"n": i}, draw.normal(size=16)) for i in range(1500)])
    assert store.collection is not None
    store.collection.wait()
    assert not store.collection.stats().is_exact
    assert len(set(store.ids())) == 1500
    assert set(store.ids(store.filter_of(Compare("n", "<", 700)))) == {f"d{i}" for i in range(700)}
    near = store.search(draw.normal(size=16), 20)
    there = store.with_vectors([*near, one("gone")])
    assert [found.id for found in there] == [found.id for found in near]
    store.remove([near[0].id])
    assert len(store.with_vectors(near)) == 19
    assert store.remove_passing(store.filter_of(Compare("n", ">=", 0))) == 1499
    assert store.count() == 0


def test_no_ids_are_no_documents() -> None:
    for store in (documents(), documents(dim=3)):
        assert store.get(obliq.Filter.allow([])) == [] == store.with_vectors([])
        assert store.remove([]) == 0 and store.ids() == [] and store.search([1, 0, 0], 3) == []
    store.write([one("a")])
    assert store.get(obliq.Filter.allow([])) == [] == store.with_vectors([])
    assert store.get(obliq.Filter.allow(["", "a\nb", "b", "x" * 5000])) == []


def test_a_first_call_that_is_refused_makes_no_collection(tmp_path: pathlib.Path) -> None:
    store = documents(tmp_path / "store")
    for wrong in ([one("a"), one("b", vector=(1, 2))], [one("a", vector=[[1, 2, 3]])],
                  [one("a", {"free": object()})]):
        with pytest.raises((ValueError, TypeError)):
            store.write(wrong)
    assert store.collection is None and not (tmp_path / "store").exists()
    store.write([one("a", vector=(1, 2))])
    assert store.collection is not None and store.collection.dim == 2


def test_a_directory_that_is_no_such_store_is_refused(tmp_path: pathlib.Path) -> None:
    obliq.Collection(tmp_path / "numbers", dim=3).close()
    obliq.Collection(tmp_path / "strings", dim=3, ids="string").close()
    for name in ("numbers", "strings"):
        with pytest.raises(ValueError, match="it has no column 'obliq.text'"):
            documents(tmp_path / name, columns=None)
    documents(tmp_path / "store", columns={"year": "int64"}, dim=3).close()
    for columns in ({"year": "keyword"}, {"other": "int64"}):
        with pytest.raises(ValueError, match="make it with add_column"):
            documents(tmp_path / "store", columns=columns)
    with pytest.raises(ValueError, match="are the store's own"):
        documents(columns={"obliq.text": "keyword"})
    with pytest.raises(ValueError, match="metric is 'l2'"):
        documents(tmp_path / "store", columns=None, metric="l2")
    reader = documents(tmp_path / "store", columns=None, read_only=True)
    assert reader.count() == 0 and reader.schema == {"year": "int64"}
    reader.close()
    with pytest.raises(ValueError, match="the store is closed"):
        reader.search([1, 0, 0], 1)


def test_threads_add_change_search_and_remove_at_once() -> None:
    store = documents(columns={"thread": "int64"})
    faults: List[BaseException] = []

    def work(number: int) -> None:
        try:
            for i in range(25):
                mine = [one(f"{number}-{i}-{j}", {"thread": number, "free": j}) for j in range(4)]
                store.write(mine)
                for found in store.search([1, 0, 0], 10):
                    assert found.text == "text" and found.metadata.keys() == {"thread", "free"}
                assert store.remove([mine[0].id]) == 1
                if i % 10 == 5:
                    with store.alone():
                        changed = store.get(store.filter_of(equal("thread", number)))
                        store.set_metadata([one._replace(metadata={**one.metadata, "free": -1})
                                            for one in changed])
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults
    assert store.count() == 8 * 25 * 3
    for number in range(8):
        assert store.count(store.filter_of(equal("thread", number))) == 75


def test_what_reads_before_it_changes_waits_for_changes_and_they_for_it() -> None:
    store = documents()
    store.write([one("a", {"year": 1})])
    told: List[str] = []

    def write() -> None:
        store.write([one("a", {"year": 2})])
        told.append("written")

    def remove() -> None:
        store.remove_passing(store.filter_of(equal("year", 1)))
        told.append("removed")

    with store.alone():
        writer = threading.Thread(target=write)
        writer.start()
        writer.join(0.2)
        store.write([one("b")])  # the thread that is alone may change
        told.append("alone")
    writer.join()
    assert told == ["alone", "written"]

    with store._changes.shared():
        remover = threading.Thread(target=remove)
        remover.start()
        remover.join(0.2)
        told.append("shared")
    remover.join()
    assert told[2:] == ["shared", "removed"]


def test_two_that_wait_to_be_alone_are_alone_one_after_the_other() -> None:
    store = documents(dim=3)
    told: List[str] = []

    def alone(name: str) -> None:
        with store.alone():
            told.append(name)
            store.write([one(name)])
            told.append(name)

    threads = [threading.Thread(target=alone, args=(name,)) for name in "abc"]
    with store._changes.shared():
        for thread in threads:
            thread.start()
        while store._changes._waiting < len(threads):
            threads[0].join(0.01)
    for thread in threads:
        thread.join(60)
    assert told[0] == told[1] and told[2] == told[3] and sorted(told) == [*"aabbcc"]


def test_the_data_of_a_document_is_json_that_others_can_read() -> None:
    store = documents(columns={"year": "int64"})
    store.write([one("a", {"year": 1, "free": "\xfc"})])
    assert store.collection is not None
    columns = store.collection.get_columns("a")
    assert json.loads(columns["obliq.data"].item()) == {"metadata": {"free": "\xfc"}}
    assert columns["obliq.text"].item() == b"text" and columns["year"] == 1
