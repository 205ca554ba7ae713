"""obliq.Index from Python."""

import os
import pathlib
import pickle
import subprocess
import sys
import threading
import time
from typing import Any, get_args

import numpy as np
import pytest
from numpy.typing import NDArray

import obliq
from obliq import _core
from obliq.index import Preset

def clustered(n: int, dim: int, seed: int = 1) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    centres = 2 * np.random.default_rng(7).normal(size=(10, dim))
    return (centres[rng.integers(10, size=n)] + rng.normal(size=(n, dim))).astype(np.float32)


BASE = clustered(3000, 24)
QUERIES = clustered(20, 24, seed=2)


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, nlist=20)


def truth(metric: str, base: Any, queries: Any, k: int) -> Any:
    if metric == "cosine":
        base = base / np.linalg.norm(base, axis=1, keepdims=True)
        queries = queries / np.linalg.norm(queries, axis=1, keepdims=True)
    if metric == "l2":
        scores = ((queries[:, None] - base[None]) ** 2).sum(axis=2)
    else:
        scores = -(queries @ base.T)
    return np.argsort(scores, axis=1)[:, :k]


@pytest.mark.parametrize("metric", ["l2", "ip", "cosine"])
def test_exact_preset_finds_the_true_neighbours(metric: Any) -> None:
    index = obliq.Index.build(BASE, metric, preset="exact", nlist=20)
    _, ids = index.search(QUERIES, k=10, nprobe=20, confidence=1)
    np.testing.assert_array_equal(ids, truth(metric, BASE, QUERIES, 10))


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8"])
def test_number_types_are_read_as_they_are(dtype: str) -> None:
    base = np.abs(BASE * 8).astype(dtype)
    a = obliq.Index.build(base, nlist=10)
    b = obliq.Index.build(base.astype(np.float32), nlist=10)
    np.testing.assert_array_equal(a.search(base[:5]).ids, b.search(base[:5].astype("f4")).ids)


def test_layouts_do_not_matter() -> None:
    wide = np.zeros((BASE.shape[0], 48), np.float32)
    wide[:, ::2] = BASE
    expected = obliq.Index.build(BASE, nlist=10).search(QUERIES).ids
    for base in (wide[:, ::2], np.asfortranarray(BASE), BASE[::-1].copy()[::-1], BASE.data):
        index = obliq.Index.build(base, nlist=10)
        np.testing.assert_array_equal(index.search(QUERIES).ids, expected)
        np.testing.assert_array_equal(index.search(np.asfortranarray(QUERIES)).ids, expected)
        np.testing.assert_array_equal(index.search(QUERIES.astype(np.float64)).ids, expected)
        np.testing.assert_array_equal(index.search(QUERIES.tolist()).ids, expected)


def test_dlpack_is_taken() -> None:
    class Tensor:
        def __dlpack__(self, **kwargs: Any) -> Any:
            return BASE.__dlpack__(**kwargs)

        def __dlpack_device__(self) -> Any:
            return BASE.__dlpack_device__()

    index = obliq.Index.build(Tensor(), nlist=10)
    assert len(index) == len(BASE)


def test_one_query_gives_one_answer(index: obliq.Index) -> None:
    distances, ids = index.search(QUERIES[0], k=7)
    assert distances.shape == ids.shape == (7,)
    np.testing.assert_array_equal(ids, index.search(QUERIES[:1], k=7).ids[0])


def test_too_few_answers_are_padded() -> None:
    index = obliq.Index.build(BASE[:3])
    result = index.search(QUERIES[:2], k=5)
    assert (result.ids[:, 3:] == -1).all() and np.isinf(result.distances[:, 3:]).all()
    assert sorted(result.ids[0, :3]) == [0, 1, 2]


def test_an_empty_index_answers() -> None:
    index = obliq.Index.build(np.empty((0, 8), np.float32))
    assert len(index) == 0
    assert (index.search(np.zeros((1, 8), np.float32)).ids == -1).all()


def test_ids_are_those_given() -> None:
    """Ids choose the sample, so that codes differ; exact answers do not."""
    ids = np.arange(len(BASE)) * 10 + 5
    other = obliq.Index.build(BASE, nlist=20, ids=ids, raw="fp32")
    plain = obliq.Index.build(BASE, nlist=20, raw="fp32")
    np.testing.assert_array_equal(other.search(QUERIES, nprobe=20, confidence=1).ids,
                                  plain.search(QUERIES, nprobe=20, confidence=1).ids * 10 + 5)
    assert 15 in other and 14 not in other
    np.testing.assert_array_equal(other[15], BASE[1])
    with pytest.raises(KeyError):
        other[14]
    with pytest.raises(ValueError, match="14"):
        other.reconstruct(14)


def test_save_open_bytes_and_pickle_keep_the_answers(index: obliq.Index,
                                                     tmp_path: pathlib.Path) -> None:
    expected = index.search(QUERIES)
    index.save(tmp_path / "a.idx")
    obliq.Index.verify(tmp_path / "a.idx")
    copies = [obliq.Index.open(tmp_path / "a.idx"),
              obliq.Index.open(str(tmp_path / "a.idx"), in_memory=True, verify=True),
              obliq.Index.open(tmp_path / "a.idx", read_ahead=True),
              obliq.Index.from_bytes(index.to_bytes()), pickle.loads(pickle.dumps(index))]
    for copy in copies:
        np.testing.assert_array_equal(copy.search(QUERIES).ids, expected.ids)
        np.testing.assert_array_equal(copy.search(QUERIES).distances, expected.distances)


def test_a_build_into_a_file_is_the_same_with_bounded_memory(tmp_path: pathlib.Path) -> None:
    base = np.random.default_rng(5).normal(size=(3000, 24)).astype(np.float32)
    obliq.Index.build(base).save(tmp_path / "saved")
    np.save(tmp_path / "base.npy", base)
    mapped = np.load(tmp_path / "base.npy", mmap_mode="r")
    built = obliq.Index.build(mapped, path=tmp_path / "built", max_memory=50_000_000)
    assert (tmp_path / "built").read_bytes() == (tmp_path / "saved").read_bytes()
    assert len(built) == 3000
    with pytest.raises(ValueError, match="max_memory of 1000 bytes is too little"):
        obliq.Index.build(base, path=tmp_path / "built", max_memory=1000)
    with pytest.raises(ValueError, match="max_memory bounds a build into a file"):
        obliq.Index.build(base, max_memory=50_000_000)


def test_grouped_lists_give_the_exhaustive_answers_of_others(index: obliq.Index) -> None:
    grouped = obliq.Index.build(BASE, nlist=20, list_groups=4)
    assert grouped.stats().list_groups == 4 and index.stats().list_groups == 1
    np.testing.assert_array_equal(grouped.search(QUERIES, nprobe=20, confidence=1).ids,
                                  index.search(QUERIES, nprobe=20, confidence=1).ids)


def test_spilled_vectors_answer_once_and_survive(index: obliq.Index) -> None:
    spilled = obliq.Index.build(BASE, nlist=20, spill=.5)
    copy = pickle.loads(pickle.dumps(spilled))
    for same in (spilled, copy):
        assert abs(same.stats().spill - .5) < .05 and len(same) == len(BASE)
        np.testing.assert_array_equal(same.search(QUERIES, nprobe=20, confidence=1).ids,
                                      index.search(QUERIES, nprobe=20, confidence=1).ids)
        np.testing.assert_array_equal(same[7], index[7])


def test_damage_is_found(index: obliq.Index, tmp_path: pathlib.Path) -> None:
    data = bytearray(index.to_bytes())
    data[len(data) // 2] ^= 1
    with pytest.raises(RuntimeError, match="offset"):
        obliq.Index.from_bytes(bytes(data))
    with pytest.raises(FileNotFoundError, match="missing.idx"):
        obliq.Index.open(tmp_path / "missing.idx")


@pytest.mark.parametrize("arguments, error, words", [
    (dict(vectors=np.full((3, 2), np.nan, "f4")), ValueError, "0"),
    (dict(vectors=np.zeros(3, "f4")), ValueError, "1 axes"),
    (dict(vectors=np.zeros((3, 2), "c8")), TypeError, "complex64"),
    (dict(vectors=np.zeros((3, 2), "f4"), quantizer="pq8"), ValueError, "pq8"),
    (dict(vectors=np.zeros((3, 2), "f4"), metric="l1"), ValueError, "l1"),
    (dict(vectors=np.zeros((3, 2), "f4"), preset="best"), ValueError, "best"),
    (dict(vectors=np.zeros((3, 2), "f4"), nlist=0), ValueError, "nlist"),
    (dict(vectors=np.zeros((3, 2), "f4"), spill=1.5), ValueError, "spill must be .* not 1.5"),
    (dict(vectors=np.zeros((3, 2), "f4"), ids=[1, 2]), ValueError, "ids"),
    (dict(vectors=np.full((3, 2), 1e300)), ValueError, "0"),
    (dict(vectors=[[1e300, 1]]), ValueError, "0"),
    (dict(vectors=np.zeros((3, 2), "i4")), TypeError, "int32"),
    (dict(vectors=np.zeros((3, 2), ">f4")), TypeError, ">f4"),
    (dict(vectors=np.zeros((3, 2), "?")), TypeError, "bool"),
    (dict(vectors=[["a", "b"]]), TypeError, "<U1"),
    (dict(vectors=np.zeros((3, 2), "f4"), ids=np.full(3, 1 << 63, "u8")), ValueError, "2.*63"),
    (dict(vectors=np.zeros((3, 2), "f4"), ids=[.5, 1, 2]), ValueError, "ids"),
    (dict(vectors=np.zeros((3, 2), "f4"), seed=-1), ValueError, "seed"),
    (dict(vectors=np.zeros((3, 2), "f4"), threads=-1), ValueError, "threads"),
])
def test_bad_input_is_refused_with_its_name(arguments: Any, error: type[Exception],
                                            words: str) -> None:
    with pytest.raises(error, match=words):
        obliq.Index.build(**arguments)


@pytest.mark.parametrize("arguments, words", [
    (dict(queries=QUERIES[:, :5]), "dim 5"), (dict(k=0), "k must be"), (dict(k=-1), "k must be"),
    (dict(nprobe=0), "nprobe"), (dict(nprobe=-3), "nprobe"), (dict(confidence=2.0), "confidence"),
    (dict(confidence=float("nan")), "confidence"), (dict(threads=-1), "threads"),
    (dict(queries=np.full((2, 24), np.inf, "f4")), "query 0"),
    (dict(queries=np.zeros((2, 2, 24), "f4")), "3 axes"),
])
def test_bad_searches_are_refused(index: obliq.Index, arguments: Any, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        index.search(**{"queries": QUERIES, **arguments})


@pytest.mark.parametrize("k", [1 << 40, 1 << 59, 1 << 62])
def test_answers_that_no_memory_holds_are_refused(index: obliq.Index, k: int) -> None:
    """20 << 62 values are 0 modulo 2^64."""
    with pytest.raises(MemoryError):
        index.search(QUERIES, k=k)


def test_the_order_of_a_batch_does_not_change_its_answers(index: obliq.Index) -> None:
    queries = np.tile(QUERIES, (20, 1))
    expected = index.search(queries, nprobe=30, batch_order="query")
    for order in ("list", "auto"):
        found = index.search(queries, nprobe=30, batch_order=order)
        assert (found.ids == expected.ids).all() and (found.distances == expected.distances).all()
    with pytest.raises(ValueError, match="valid: auto, query, list"):
        index.search(QUERIES, batch_order="lists")  # type: ignore[arg-type]


def test_a_long_batch_is_answered_as_its_parts_and_names_its_rows(index: obliq.Index) -> None:
    many = np.tile(QUERIES, (1000, 1))
    np.testing.assert_array_equal(index.search(many).ids, np.tile(index.search(QUERIES).ids,
                                                                  (1000, 1)))
    many[19_000, 3] = np.nan
    with pytest.raises(ValueError, match="query 19000 "):
        index.search(many)


def test_no_queries_have_no_answers(index: obliq.Index) -> None:
    assert index.search(QUERIES[:0], k=3).ids.shape == (0, 3)


def test_presets_are_those_of_the_library() -> None:
    assert list(get_args(Preset)) == list(_core.presets())
    for preset in get_args(Preset):
        stats = obliq.Index.build(BASE[:100], preset=preset).stats()
        assert (stats.quantizer, stats.raw, stats.spill) == _core.presets()[preset]


def test_a_quantizer_alone_is_not_spilled() -> None:
    base = BASE[:100]
    assert obliq.Index.build(base).stats().spill == .5
    assert obliq.Index.build(base, quantizer="sq8").stats().spill == 0
    assert obliq.Index.build(base, quantizer="lm4", preset="fast").stats().spill == .5
    assert obliq.Index.build(base, preset="fast", spill=.25).stats().spill == .25


def test_only_ids_are_in_an_index(index: obliq.Index) -> None:
    assert 5 in index and np.int64(5) in index
    for other in (-1, 3000, 1 << 70, 5.0, "5", None):
        assert other not in index
    with pytest.raises(ValueError, match="not in the index"):
        index.reconstruct(1 << 70)
    with pytest.raises(TypeError):
        iter(index)


def test_arrays_that_nobody_may_write_are_read() -> None:
    base = BASE.copy()
    base.setflags(write=False)
    index = obliq.Index.build(base, nlist=10)
    assert index.search(base[:3], k=1).ids.ravel().tolist() == [0, 1, 2]
    bytes_at_odd_address = np.frombuffer(b"x" + BASE.tobytes(), "u1")[1:]
    unaligned = bytes_at_odd_address.view("f4").reshape(BASE.shape)
    assert obliq.Index.build(unaligned, nlist=10).search(unaligned[:1], k=1).ids == 0


def test_other_threads_run_while_one_searches() -> None:
    """Two searches at once: while one thread is inside search, this one goes on counting."""
    index = obliq.Index.build(BASE, nlist=20)
    many = np.repeat(QUERIES, 300, axis=0)
    inside = threading.Event()
    done = threading.Event()

    def work() -> None:
        inside.set()
        index.search(many, nprobe=20, confidence=1, threads=1)
        done.set()
    thread = threading.Thread(target=work)
    thread.start()
    inside.wait()
    searches = 0
    while not done.is_set():
        index.search(QUERIES[:1], threads=1)
        searches += 1
    thread.join()
    assert searches > 1


@pytest.mark.parametrize("work", [
    "obliq.Index.build(x, nlist=1000, kmeans_iterations=10**7, threads=1)",  # days
    "index.search(many, nprobe=40, confidence=1, threads=1)",  # many minutes
])
def test_ctrl_c_stops_a_build_and_a_search(work: str) -> None:
    """The work goes on without Python: its own looks for signals are all that can stop it."""
    code = ("import numpy as np, obliq, os, signal, threading\n"
            "x = np.random.default_rng(1).normal(size=(50_000, 64)).astype('f4')\n"
            "index = obliq.Index.build(x[:5000], nlist=40)\n"
            "many = np.broadcast_to(x[:1], (2_000_000, 64)).copy()\n"
            "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
            "try:\n"
            f"    {work}\n"
            "except KeyboardInterrupt:\n"
            "    print('stopped')\n")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300,
                         check=True)
    assert out.stdout.strip() == "stopped"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
def test_a_forked_child_searches(index: obliq.Index) -> None:
    index.search(QUERIES, threads=2)  # OpenMP's threads exist now
    expected = index.search(QUERIES).ids
    child = os.fork()
    if child == 0:
        same = (index.search(QUERIES).ids == expected).all()
        os._exit(0 if same else 1)
    deadline = time.time() + 60
    while time.time() < deadline:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid == child:
            assert os.waitstatus_to_exitcode(status) == 0
            return
        time.sleep(0.05)
    os.kill(child, 9)
    pytest.fail("the child hangs")


def test_repr_and_stats_tell_what_it_is(index: obliq.Index) -> None:
    stats = index.stats()
    assert (stats.n, stats.dim, stats.nlist, stats.metric) == (3000, 24, 20, "l2")
    assert "quantizer='sq8'" in repr(index) and len(index) == 3000 and index.dim == 24
    with pytest.raises(TypeError, match="Index.build"):
        obliq.Index()


def test_a_target_recall_is_reached_by_what_build_or_tune_found(tmp_path: Any) -> None:
    rng = np.random.default_rng(5)
    centres = 2 * rng.normal(size=(20, 24)).astype(np.float32)
    base = (centres[rng.integers(20, size=3000)] + rng.normal(size=(3000, 24))).astype("f4")
    index = obliq.Index.build(base, nlist=100)
    tuning = index.stats().tuning
    assert tuning is not None and tuning.queries == 150 and tuning.from_base
    assert [ladder.k for ladder in tuning.ladders] == [1, 10, 100]
    assert tuning.ladders[1].targets[0].recall == pytest.approx(.8)
    ids = index.search(base[:300], target_recall=.95).ids
    truth = np.argsort(((base[:300, None] - base[None]) ** 2).sum(2), axis=1)[:, :10]
    # 300 of the base vectors, each its own neighbour too, which only helps; a standard error of
    # .1 / sqrt(300) = .006 on top of the .003 that tuning allows.
    assert np.mean([np.isin(a, b).mean() for a, b in zip(ids, truth)]) > .95 - .003 - .012
    index.save(tmp_path / "a.idx")
    opened = obliq.Index.open(tmp_path / "a.idx")
    assert opened.stats().tuning == tuning
    opened.tune(base[:300])
    tuned = opened.stats().tuning
    assert tuned is not None and tuned.queries == 300 and not tuned.exact_truth
    with pytest.raises(ValueError, match="target_recall must be"):
        index.search(base[:1], target_recall=1.5)
    with pytest.raises(ValueError, match="learn_queries have dim 3"):
        opened.tune(np.zeros((2, 3), "f4"))
    untuned = obliq.Index.build(base, tune=False)
    assert untuned.stats().tuning is None
    with pytest.raises(ValueError, match="tune it"):
        untuned.search(base[:1], target_recall=.9)
