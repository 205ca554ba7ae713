"""obliq.Collection where ids are strings."""

import pathlib
from typing import Any, Dict, Set

import numpy as np
import pytest

import obliq

DIM = 8


def vectors(n: int, seed: int = 0) -> Any:
    return np.random.default_rng(seed).normal(size=(n, DIM)).astype(np.float32)


def names(n: int, first: int = 0) -> Any:
    return [f"name-{i}" for i in range(first, first + n)]


def test_strings_come_back_from_searches_and_after_opening(tmp_path: pathlib.Path) -> None:
    base = vectors(1500)
    with obliq.Collection(tmp_path / "c", dim=DIM, train_at=1000, ids="string") as collection:
        given = collection.add(base, names(1500))
        assert given.dtype == object and given.tolist() == names(1500)
        collection.wait()
    with obliq.Collection(tmp_path / "c") as collection:
        found = collection.search(base[:5], 1, nprobe=1000)
        assert found.ids.dtype == object and found.ids.shape == (5, 1)
        assert found.ids[:, 0].tolist() == names(5)
        assert collection.search(base[3], 2, nprobe=1000).ids[0] == "name-3"
        assert "name-7" in collection and "name-1500" not in collection and 7 not in collection
        assert collection.contains("name-7") and "\ud800" not in collection
        assert collection.remove(["name-7", "other"]) == 1 and collection.remove("name-8") == 1
        assert "name-7" not in collection and len(collection) == 1498
        np.testing.assert_allclose(collection.get("name-9"), base[9], atol=.1)
        assert collection.get(found.ids).shape == (5, 1, DIM)
        collection.upsert(base[7], "name-7")
        collection.upsert(base[:2], np.array(["name-1", "new"]))
        assert collection.search(base[0], 3, nprobe=1000, explain=True).ids[0] in ("name-0",
                                                                                "name-1")
        collection.verify()


def test_answers_that_are_missing_are_none() -> None:
    collection = obliq.Collection(dim=DIM, ids="string")
    assert collection.search(vectors(2), 2).ids.tolist() == [[None, None], [None, None]]
    collection.add(vectors(1), ["one"])
    assert collection.search(vectors(1)[0], 2).ids.tolist() == ["one", None]


def test_any_text_of_one_line_is_an_id() -> None:
    texts = ["\u00e4", "\u4f60\u597d", "\U0001f989", " ", "x" * 4096, "a\u0300", "\u00e0"]
    collection = obliq.Collection(dim=DIM, ids="string")
    collection.add(vectors(len(texts)), texts)
    assert collection.search(vectors(len(texts)), 1).ids[:, 0].tolist() == texts
    objects = np.array(texts[:2], dtype=object)
    assert collection.remove(objects) == 2


@pytest.mark.parametrize("ids, error, says", [
    ([1, 2], TypeError, "1 at position 0"),
    (np.arange(2), TypeError, "strings, not int64"),
    (["a", b"b"], TypeError, "at position 1"),
    (["a", None], TypeError, "at position 1"),
    (["a", "\ud800"], ValueError, "position 1 has a lone surrogate"),
    (["a", "a"], ValueError, "comes twice, at positions 0 and 1"),
    (["a", ""], ValueError, "position 1: it is empty"),
    (["a", "b\n"], ValueError, "position 1: it has a control character"),
    (["a", "b\0"], ValueError, "position 1: it has a control character"),
    (["a", "x" * 4097], ValueError, "more than 4096 bytes"),
    (["a"], ValueError, "one for each of 2 vectors"),
    (None, ValueError, "are strings"),
    (np.ma.masked_array(["a", "b"], [True, False]), ValueError, "masked"),
])
def test_what_is_no_id_is_refused(ids: Any, error: type, says: str) -> None:
    collection = obliq.Collection(dim=DIM, ids="string")
    with pytest.raises(error, match=says):
        collection.add(vectors(2), ids)
    assert len(collection) == 0


def test_numbers_take_no_strings() -> None:
    collection = obliq.Collection(dim=DIM)
    with pytest.raises(ValueError, match="whole numbers"):
        collection.add(vectors(1), ["a"])
    with pytest.raises(ValueError, match="are numbers"):
        collection.numbered_ids()
    assert "a" not in collection


def test_what_it_was_made_with_stays(tmp_path: pathlib.Path) -> None:
    obliq.Collection(tmp_path / "c", dim=DIM, ids="string").close()
    obliq.Collection(tmp_path / "c", ids="string").close()
    with pytest.raises(ValueError, match="ids is 'int64', and the collection has 'string'"):
        obliq.Collection(tmp_path / "c", ids="int64")
    with pytest.raises(ValueError, match="ids"):
        obliq.Collection(tmp_path / "d", dim=DIM, ids="text")  # type: ignore[arg-type]


def test_an_exported_index_is_told_by_number(tmp_path: pathlib.Path) -> None:
    collection = obliq.Collection(dim=DIM, ids="string")
    collection.add(vectors(30), names(30))
    collection.remove(names(10))
    collection.export_index(tmp_path / "x")
    texts: Dict[int, str] = collection.numbered_ids()
    found = obliq.Index.open(tmp_path / "x").search(vectors(30), 1)
    answers: Set[str] = {texts[int(number)] for number in found.ids[10:, 0]}
    assert answers == set(names(20, 10)) == set(texts.values())
    with pytest.raises(ValueError, match="are strings"):
        collection.import_index(tmp_path / "x")
