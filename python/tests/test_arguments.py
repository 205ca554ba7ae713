"""Errors of arguments: one line with the argument, the value and what to give instead."""

import pathlib
import re
from typing import Any, get_args

import numpy as np
import pytest

import obliq
from obliq import _core
from obliq import index as index_module

RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(2000, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, nlist=10)


def refused(call: Any, words: str, errors: Any = (TypeError, ValueError)) -> None:
    with pytest.raises(errors, match=words) as raised:
        call()
    text = str(raised.value)
    assert "\n" not in text and "incompatible function arguments" not in text, text


@pytest.mark.parametrize("arguments, words", [
    (dict(metric=None), "metric must be one of l2, ip, cosine, not None"),
    (dict(metric=""), "unknown metric ''; valid: l2, ip, cosine"),
    (dict(raw=True), "raw must be one of none, fp16, fp32, not True"),
    (dict(raw=""), "unknown raw ''; valid: none"), (dict(raw="fp8"), "unknown raw 'fp8'; valid"),
    (dict(preset=""), "unknown preset ''; valid: fast"), (dict(preset=1), "preset .* not 1"),
    (dict(quantizer=""), "unknown quantizer ''"), (dict(quantizer=8), "quantizer .* not 8"),
    (dict(nlist=10.0), "nlist must be a whole number .* not 10.0: give 10"),
    (dict(nlist=10.5), "nlist .* 10.5"), (dict(nlist=True), "nlist .* not True"),
    (dict(nlist="all"), "nlist must be 'auto' or .* not 'all'"), (dict(nlist=None), "nlist.*None"),
    (dict(spill="0.5"), "spill must be a number, as spill=0.5, not '0.5'"),
    (dict(spill=True), "spill .* True"), (dict(seed=1.5), "seed .* 1.5"),
    (dict(seed=None), "seed .* None"), (dict(threads="all"), "threads .* not 'all'"),
    (dict(threads=1 << 40), "threads must be 2147483647 or less"),
    (dict(kmeans_iterations=2.0), "kmeans_iterations .* give 2"),
    (dict(list_groups=-1), "list_groups must be 0 or more, not -1"),
    (dict(tune="no"), "tune must be True or False, not 'no'"),
    (dict(max_memory=1e9), "max_memory .* give 1000000000"), (dict(max_memory=-1), "max_memory"),
    (dict(ids=[]), r"ids must be whole numbers \[n\], one for each of 2000 vectors"),
    (dict(ids=np.empty(0, "i8")), r"shape \[0\]"), (dict(ids=[[1], [2, 3]]), "different lengths"),
    (dict(centroids=BASE[:0]), r"centroids hold no vectors, shape \[0, 8\]: .* None"),
    (dict(centroids=[]), "centroids hold no vectors"),
    (dict(train_queries=BASE[:0]), "train_queries hold no vectors"),
    (dict(train_queries=np.array([])), "train_queries hold no vectors"),
    (dict(vectors=None), "vectors must be an array .* not None"), (dict(vectors=5), "vectors"),
    (dict(vectors={"a": 1}), "vectors must be .* not {'a': 1}"),
])
def test_a_build_names_the_argument(arguments: Any, words: str) -> None:
    refused(lambda: obliq.Index.build(**{"vectors": BASE, **arguments}), words)


@pytest.mark.parametrize("arguments, words", [
    (dict(nprobe="all"), "nprobe .* not 'all': for all lists give index.nlist"),
    (dict(nprobe=3.0), "nprobe .* give 3"), (dict(nprobe=np.float64(3.7)), "nprobe .* 3.7"),
    (dict(nprobe=True), "nprobe .* True"), (dict(nprobe=1 << 70), "nprobe must be .* or less"),
    (dict(k=10.0), "k must be a whole number of 1 or more, not 10.0: give 10"),
    (dict(k="10"), "k must .* '10'"), (dict(k=None), "k must .* None"), (dict(k=True), "k .* True"),
    (dict(confidence="high"), "confidence must be a number"), (dict(confidence=None), "None"),
    (dict(target_recall="95%"), "target_recall must be a number"),
    (dict(threads=2.0), "threads .* give 2"), (dict(threads=1 << 40), "threads .* or less"),
    (dict(batch_order=None), "batch_order must be one of auto, query, list, not None"),
    (dict(batch_order=""), "unknown batch order ''"),
    (dict(where="a = 1"), "search has no argument 'where': a filter is given as filter='year >= "),
    (dict(top_k=5), "search has no argument 'top_k': it takes queries, k, nprobe"),
])
def test_a_search_names_the_argument(index: obliq.Index, arguments: Any, words: str) -> None:
    refused(lambda: index.search(BASE[:2], **arguments), words)


def test_numbers_of_numpy_are_numbers(index: obliq.Index) -> None:
    expected = index.search(BASE[:2], k=3, nprobe=2, confidence=.5, threads=1)
    numbers: Any = dict(k=np.int64(3), nprobe=np.uint8(2), threads=np.int32(1),
                        confidence=np.float64(.5), target_recall=np.float32(0))
    found = index.search(BASE[:2], **numbers)
    np.testing.assert_array_equal(found.ids, expected.ids)
    assert index.search(BASE[:2], confidence=1, target_recall=0).ids.shape == (2, 10)
    numbers = dict(spill=np.float32(.5), nlist=np.int16(4))
    assert obliq.Index.build(BASE, **numbers).nlist == 4


def test_an_index_is_not_made_by_its_name() -> None:
    for arguments, keywords in (((64,), {}), ((), {}), ((), {"dim": 64})):
        refused(lambda a=arguments, k=keywords: obliq.Index(*a, **k), r"Index.build\(vectors\)")


QUANTIZER: Any = obliq.Quantizer


@pytest.mark.parametrize("call, words", [
    (lambda q: QUANTIZER(None, 8), "quantizer must be text, not None"),
    (lambda q: obliq.Quantizer("", 8), "unknown quantizer ''"),
    (lambda q: QUANTIZER("sq8", 8.0), "dim .* give 8"),
    (lambda q: obliq.Quantizer("sq8", 0), "dim must be 1 or more, not 0"),
    (lambda q: QUANTIZER("sq8", 8, state="x"), "state must be bytes, .* not 'x'"),
    (lambda q: q.encode(BASE, threads=None), "threads .* None"),
    (lambda q: obliq.Quantizer("lm4:query", 8).train(BASE, BASE[:0]), "queries hold no vectors"),
    (lambda q: obliq.Quantizer("lm4:query", 8).train(BASE[:0], BASE), "vectors hold none to learn"),
])
def test_a_quantizer_names_the_argument(call: Any, words: str) -> None:
    refused(lambda: call(obliq.Quantizer("sq8", 8)), words)


def test_no_learn_queries_are_not_those_left_out(index: obliq.Index) -> None:
    nones: Any = (BASE[:0], [], np.empty((0, 8)))
    for none in nones:
        refused(lambda none=none: index.tune(none), "learn_queries hold no vectors", ValueError)


def test_the_names_of_literals_are_those_of_the_library() -> None:
    """Refused there, taken here, or the other way round: a name is missing in one place."""
    for kind, argument in ((index_module.Raw, "raw"), (index_module.Metric, "metric")):
        for name in get_args(kind):
            stats = obliq.Index.build(BASE[:50], **{argument: name}).stats()
            assert getattr(stats, argument) == name
    for order in get_args(index_module.BatchOrder):
        assert obliq.Index.build(BASE[:50]).search(BASE[:2], batch_order=order).ids.size == 20
    assert list(get_args(index_module.Preset)) == list(_core.presets())


class Gives:
    """Has __array__ alone."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, *_: Any, **__: Any) -> Any:
        return self.array


MASKED = np.ma.masked_array(BASE, mask=BASE == BASE[0, 1])


@pytest.mark.parametrize("values", [
    Gives(MASKED), [Gives(row) for row in MASKED[:3]], [list(row) for row in MASKED[:3]],
    tuple(MASKED[:3]),
], ids=["array", "list", "lists", "tuple"])
def test_masks_are_found_behind_any_object(index: obliq.Index, values: Any) -> None:
    for call in (obliq.Index.build, index.search, index.tune,
                 lambda x: obliq.Index.build(BASE, centroids=x),
                 lambda x: obliq.Quantizer("sq8", 8).encode(x)):
        refused(lambda call=call: call(values), "masked array with 1 masked value", ValueError)
    ids = Gives(np.ma.masked_array([1, 2], [False, True]))
    refused(lambda: obliq.Index.build(BASE[:2], ids=ids), "masked array with 1", ValueError)


def test_ordinary_objects_with_arrays_are_taken(index: obliq.Index) -> None:
    expected = index.search(BASE[:3]).ids
    for given in (Gives(BASE[:3]), [Gives(row) for row in BASE[:3]], list(BASE[:3]),
                  BASE[:3].copy().data):
        np.testing.assert_array_equal(index.search(given).ids, expected)


def objects(*rows: Any) -> Any:
    """As a column of a table holds arrays."""
    array = np.empty(len(rows), object)
    array[:] = rows
    return array


@pytest.mark.parametrize("values, words", [
    ([[1, 2], [3]], "rows of different lengths, 2 in row 0 and 1 in row 1"),
    ([np.zeros(8), np.zeros(7)], "8 in row 0 and 7 in row 1"),
    ([[1.0, 2.0], 3.0], "different lengths, 2 in row 0 and 0 in row 1"),
    (objects(BASE[0], BASE[1]), r"arrays in place of numbers .* np.stack\(list\(rows\)\)"),
    (objects(BASE[0], BASE[1, :7]), "8 in row 0 and 7 in row 1"),
    ([[1.0, None], [1.0, 2.0]], r"hold None at \[0, 1\], which is no number"),
    (np.array([[1.0, "x"]], object), r"hold 'x' at \[0, 1\]"),
    (np.array([[1.0, 2]], object), "dtype object.* convert them, as with .astype"),
    ([[1.0, 1 << 40, 2], [1, 2, (1 << 40) + 1]], None),
    ([[1, 2], [3, (1 << 40) + 1]], "hold 1099511627777 in row 1, column 1, which float32 cannot"),
])
def test_what_is_no_matrix_of_numbers(index: obliq.Index, values: Any, words: Any) -> None:
    if words is None:  # Python floats and numbers mixed are floats, which are rounded
        obliq.Index.build(values)
        return
    refused(lambda: obliq.Index.build(values), words)
    refused(lambda: index.search(values), words)


@pytest.mark.parametrize("value, text", [(1e60, r"1e\+60"), (-1e60, r"-1e\+60"), (1e-60, "1e-60"),
                                         (3.5e38, r"3.5e\+38"), (5e-324, "5e-324")])
def test_float64_that_float32_cannot_hold_is_named(index: obliq.Index, value: float, text: str,
                                                   tmp_path: pathlib.Path) -> None:
    bad = BASE.astype(np.float64)
    bad[1234, 5] = value
    words = f"hold {text} in row 1234, column 5, which float32 cannot hold: scale the vectors"
    train = obliq.Quantizer("lm4:query", 8).train
    for call in (lambda: obliq.Index.build(bad), lambda: obliq.Index.build(np.asfortranarray(bad)),
                 lambda: obliq.Index.build(bad, path=tmp_path / "a"),
                 lambda: obliq.Index.build(bad.tolist()),
                 lambda: obliq.Index.build(BASE, centroids=bad),
                 lambda: obliq.Index.build(BASE, train_queries=bad), lambda: index.tune(bad),
                 lambda: index.search(bad), lambda: obliq.Quantizer("sq8", 8).encode(bad),
                 lambda: train(bad), lambda: train(BASE, bad)):
        refused(call, words, ValueError)
    refused(lambda: index.search(bad[1234]), re.sub("1234", "0", words), ValueError)
    assert not list(tmp_path.iterdir())


def test_float64_that_float32_rounds_is_taken(index: obliq.Index) -> None:
    fine = BASE.astype(np.float64)
    fine[0, :4] = [0, -0.0, 1e-42, 1e10]
    assert len(obliq.Index.build(fine, nlist=4)) == 2000
    assert index.search(fine[0]).ids.shape == (10,)
    for value in (np.nan, np.inf):
        fine[7, 1] = value
        refused(lambda: obliq.Index.build(fine), "base vector 7 ", ValueError)
