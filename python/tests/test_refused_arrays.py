"""Arrays that are refused: masked ones, and ids that tell no vectors apart."""

from typing import Any

import numpy as np
import pytest

import obliq

RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(3000, 24)).astype(np.float32)
QUERIES = (BASE[:20] + 0.1 * RNG.normal(size=(20, 24))).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, nlist=20)


def masked(array: Any) -> Any:
    return np.ma.masked_array(array, mask=np.arange(np.size(array)).reshape(np.shape(array)) == 1)


@pytest.mark.parametrize("ids, words", [
    (np.r_[np.arange(2, 2999), [7, 3000, 3001]], "rows 5 and 2997 both have the id 7"),
    (np.r_[np.arange(2999), [-1]], "row 2999 has the id -1"),
    (masked(np.arange(3000)), "masked array with 1 masked"),
])
def test_ids_that_tell_no_vectors_apart_are_refused(ids: Any, words: str, tmp_path: Any) -> None:
    for where in (dict(), dict(path=tmp_path / "index")):
        with pytest.raises(ValueError, match=words):
            obliq.Index.build(BASE, ids=ids, **where)


def test_other_negative_ids_are_ids() -> None:
    index = obliq.Index.build(BASE, ids=-2 - np.arange(3000))
    assert -2 in index and index.search(BASE[7], 1, confidence=1).ids[0] == -9


def test_masked_arrays_are_refused_wherever_arrays_are_taken(index: obliq.Index) -> None:
    quantizer = obliq.Quantizer("lm4:query", 24)
    codes = quantizer.encode(BASE[:10])
    for call in (
            lambda: obliq.Index.build(masked(BASE)),
            lambda: obliq.Index.build([masked(row) for row in BASE[:5]]),
            lambda: obliq.Index.build(BASE, centroids=masked(BASE[:30])),
            lambda: obliq.Index.build(BASE, "l2", "lm4:query", train_queries=masked(BASE[:300])),
            lambda: index.search(masked(QUERIES)),
            lambda: index.search(np.ma.masked_array(QUERIES)),  # nothing is masked
            lambda: index.tune(masked(QUERIES)),
            lambda: quantizer.encode(masked(BASE)),
            lambda: quantizer.train(masked(BASE)),
            lambda: quantizer.train(BASE, masked(QUERIES)),
            lambda: quantizer.estimate(codes, masked(QUERIES)),
            lambda: quantizer.decode(obliq.Codes(masked(codes.codes), codes.factors))):
        with pytest.raises(ValueError, match="masked array with [01] masked values"):
            call()
