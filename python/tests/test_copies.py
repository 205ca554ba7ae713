"""copy.copy and copy.deepcopy of an Index, and many vectors of it in one call."""

import copy
import pathlib
import threading
from typing import Any, Callable

import numpy as np
import pytest

import obliq

BASE = np.random.default_rng(1).normal(size=(3000, 24)).astype(np.float32)
QUERIES = BASE[:200] + np.float32(.1)


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, nlist=20, ids=np.arange(3000) * 3 + 1)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("kept", ["memory", "mapped", "raw"])
def test_a_copy_answers_alike_and_is_tuned_alone(copied: Callable[[Any], Any], kept: str,
                                                 tmp_path: pathlib.Path) -> None:
    original = obliq.Index.build(BASE, nlist=20, raw="fp32" if kept == "raw" else None,
                                 path=tmp_path / "a" if kept == "mapped" else None)
    before, answers = original.stats(), original.search(QUERIES)
    other = copied(original)
    assert other is not original and other.stats() == before
    other.tune(QUERIES)
    assert other.stats().tuning.queries == 200 and original.stats() == before
    original.tune(QUERIES[:100])
    assert other.stats().tuning.queries == 200
    del original
    found = other.search(QUERIES, nprobe=20, confidence=1)
    assert (found.ids[:, 0] == np.arange(200)).all()
    assert answers.ids.shape == found.ids.shape
    np.testing.assert_array_equal(other[7], copied(other)[7])
    other.save(tmp_path / "b")
    tuning = obliq.Index.open(tmp_path / "b").stats().tuning
    assert tuning is not None and tuning.queries == 200


def test_copies_in_containers_are_made_once(index: obliq.Index) -> None:
    first, second = copy.deepcopy([index, index])
    assert first is second and first is not index and first.stats() == index.stats()


def test_copies_are_made_while_others_tune(index: obliq.Index) -> None:
    other = copy.copy(index)
    threads = [threading.Thread(target=other.tune, args=(QUERIES[:count],), kwargs={"threads": 1})
               for count in (20, 30)]
    for thread in threads:
        thread.start()
    for _ in range(100):
        tuning = copy.copy(other).stats().tuning
        assert tuning is not None and len(tuning.ladders) == 3
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("raw", [None, "fp32"])
@pytest.mark.parametrize("external", [False, True])
def test_many_vectors_come_in_one_call(raw: Any, external: bool) -> None:
    ids = np.arange(3000) * 3 + 1 if external else np.arange(3000)
    index = obliq.Index.build(BASE, nlist=20, raw=raw, ids=ids if external else None)
    rows = np.array([2999, 5, 5, 0])
    wanted = ids[rows]
    expected = np.stack([index[int(id)] for id in wanted])
    if raw:
        np.testing.assert_array_equal(expected, BASE[rows])
    for given in (wanted, wanted.tolist(), tuple(wanted), wanted.astype("u8"),
                  np.repeat(wanted, 2)[::2]):
        np.testing.assert_array_equal(index[given], expected)
        np.testing.assert_array_equal(index.reconstruct(given), expected)
    found = index.search(BASE[:3], k=2).ids
    assert index[found].shape == (3, 2, 24)
    np.testing.assert_array_equal(index[found][1, 0], index[found[1, 0]])
    assert index[[]].shape == (0, 24) and index[np.array(wanted[0])].shape == (24,)


@pytest.mark.parametrize("ids, error, words", [
    ([1, 2], KeyError, "id 2 is not in the index"), (np.array([[4], [-1]]), KeyError, "id -1 is"),
    (2, KeyError, "2"), (np.int64(2), KeyError, "2"), ("1", KeyError, "1"), (1.0, KeyError, "1.0"),
    (1 << 70, KeyError, "118059"), (slice(0, 3), TypeError, "not positions to slice"),
    ([1.0, 4.0], ValueError, r"whole numbers below 2\*\*63, not \[1.0, 4.0\]"),
    (np.ones(3000, bool), ValueError, "whole numbers .* array of bool"),
    (np.full(2, 1 << 63, "u8"), ValueError, "9223372036854775808"),
    (np.ma.masked_array([1, 4], mask=[False, True]), ValueError, "masked"),
])
def test_vectors_that_are_not_there(index: obliq.Index, ids: Any, error: type[Exception],
                                    words: str) -> None:
    with pytest.raises(error, match=words):
        index[ids]
    if error is KeyError and not isinstance(ids, (str, float)):
        with pytest.raises(ValueError, match="is not in the index"):
            index.reconstruct(ids)


def test_metric_and_nlist_are_attributes() -> None:
    index = obliq.Index.build(BASE[:100], "cosine", nlist=7)
    assert index.metric == "cosine" and index.nlist == 7 and index.dim == 24
