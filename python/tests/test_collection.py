"""Collections: vectors that change while they are searched, in a directory or in memory."""

import os
import pathlib
import time
from typing import Any, Iterator, List

import numpy as np
import pytest
from numpy.typing import NDArray

import obliq

DIM = 24
BASE = np.random.default_rng(1).normal(size=(2500, DIM)).astype(np.float32)
NAN_IN_ROW_3 = np.where(np.arange(10)[:, None] == 3, np.float32(np.nan), BASE[:10])


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "collection"


@pytest.fixture
def collection(path: pathlib.Path) -> Iterator[obliq.Collection]:
    with obliq.Collection(path, dim=DIM) as made:
        yield made


def nearest(base: NDArray[np.float32], query: NDArray[np.float32], k: int) -> "list[int]":
    return [int(row) for row in np.argsort(((base - query) ** 2).sum(axis=1))[:k]]


def test_what_was_added_is_there_when_it_is_opened_again(path: pathlib.Path) -> None:
    with obliq.Collection(path, dim=DIM, metric="cosine", quantizer="lm4", seed=7) as made:
        ids = made.add(BASE[:100])
        assert ids.dtype == np.int64 and ids.tolist() == list(range(100))
        assert made.add(BASE[100:102], [-5, 5000]).tolist() == [-5, 5000]
        before = made.search(BASE[:20], 5)
    with obliq.Collection(path) as opened:
        assert len(opened) == 102 and -5 in opened and opened.metric == "cosine"
        after = opened.search(BASE[:20], 5)
        assert (after.ids == before.ids).all() and (after.ids[:, 0] == np.arange(20)).all()
        assert (after.distances == before.distances).all()
        assert opened.add(BASE[102]).tolist() == [5001]  # above all that were ever there


def test_changes_are_seen_by_the_next_search(collection: obliq.Collection) -> None:
    collection.add(BASE[:50])
    collection.upsert(BASE[60:62], [3, 60])
    assert len(collection) == 51
    assert collection.search(BASE[60], 1).ids.tolist() == [3]
    assert np.allclose(collection.get([60, 3]), BASE[[61, 60]], atol=1e-6)
    assert collection.remove([3, 4, 4, 999]) == 2
    assert collection.remove(5) == 1 and collection.remove(5) == 0
    assert len(collection) == collection.count() == 48 and 3 not in collection
    assert not np.isin([3, 4, 5], collection.search(BASE[60], 50).ids).any()


def test_answers_are_exact_until_a_model_is_trained(collection: obliq.Collection) -> None:
    collection.add(BASE[:300])
    found = collection.search(BASE[400], 10)
    assert found.distances.dtype == np.float32 and found.ids.shape == (10,)
    assert found.ids.tolist() == nearest(BASE[:300], BASE[400], 10)
    assert collection.stats().is_exact


@pytest.mark.parametrize("in_memory", [False, True])
def test_a_model_is_trained_when_there_are_enough(path: pathlib.Path, in_memory: bool) -> None:
    where = None if in_memory else path
    with obliq.Collection(where, dim=DIM, train_at=1000, durability="none") as grown:
        for first in range(0, 2500, 100):
            grown.add(BASE[first:first + 100])
        grown.remove(np.arange(100))
        grown.wait()
        stats = grown.stats()
        assert not stats.is_exact and stats.trained_for >= 1000 and stats.nlist > 1
        assert stats.n == len(grown) == 2400
        found = grown.search(BASE[100:200], 1, nprobe=stats.nlist, confidence=1).ids[:, 0]
        assert (found == np.arange(100, 200)).mean() > 0.95
        assert not np.isin(np.arange(100), grown.search(BASE[:100], 10).ids).any()
        grown.train()
        assert grown.stats().trained_for == 2400 and grown.stats().is_tuned
        assert grown.search(BASE[:5], target_recall=0.8).ids.shape == (5, 10)


@pytest.mark.parametrize("kind", ["float64", "float16", "int8", "uint8"])
def test_other_numbers_are_read_as_an_index_reads_them(kind: str) -> None:
    vectors = np.abs(np.rint(20 * BASE[:40])).astype(kind)
    given = obliq.Collection(dim=DIM)
    given.add(vectors[:, ::-1])
    same = obliq.Collection(dim=DIM)
    same.add(vectors[:, ::-1].astype(np.float32))
    found, wanted = given.search(vectors[:3]), same.search(vectors[:3])
    assert (found.ids == wanted.ids).all() and (found.distances == wanted.distances).all()


def test_one_vector_is_a_batch_of_one(collection: obliq.Collection) -> None:
    assert collection.add(BASE[0], 7).tolist() == [7]
    assert collection.add(BASE[1].tolist()).tolist() == [8]
    collection.upsert(BASE[2], np.int64(7))
    assert collection.get(7).shape == (DIM,) and collection.get([[7, 8]]).shape == (1, 2, DIM)
    assert np.allclose(collection.get(7), BASE[2], atol=1e-6)
    assert collection.search(BASE[2], 1).ids.shape == (1,)
    assert collection.search(BASE[2:3], 1).ids.shape == (1, 1)


def test_an_empty_collection_answers(collection: obliq.Collection) -> None:
    found = collection.search(BASE[:3], 4)
    assert (found.ids == -1).all() and np.isinf(found.distances).all() and found.ids.shape == (3, 4)
    assert len(collection) == 0 and 0 not in collection and collection.remove([1]) == 0
    assert collection.add(BASE[:0]).shape == (0,) and len(collection) == 0
    with pytest.raises(ValueError, match="empty"):
        collection.export_index("nothing.idx")


@pytest.mark.parametrize("x, ids, words", [
    (NAN_IN_ROW_3, None, "vector 3 holds NaN in column 0"),
    (BASE[:10, :5], None, "vectors have dim 5, the collection has 24"),
    (BASE[:10].astype(np.float64) * 1e300, None, "row 0, column 0, which float32 cannot hold"),
    (np.zeros((2, 3, DIM), np.float32), None, "not one of 3 axes"),
    (np.ma.masked_array(BASE[:10]), None, "masked array"),
    (BASE[:10], np.arange(9), "one for each of 10 vectors"),
    (BASE[:3], [1, 2, 1], "rows 0 and 2 both have the id 1"),
    (BASE[:3], [1, -1, 2], "row 1 has the id -1"),
    (BASE[:3], [1.5, 2, 3], "whole numbers"),
    (BASE[:3], [0, 1, 2], "id 0 is there already"),
])
def test_what_cannot_be_added_is_refused_whole(collection: obliq.Collection, x: Any, ids: Any,
                                               words: str) -> None:
    collection.add(BASE[:1], [0])
    with pytest.raises(ValueError, match=words):
        collection.add(x, ids)
    assert len(collection) == 1 and collection.stats().changes == 1


def test_other_wrong_arguments_are_refused(collection: Any) -> None:
    make: Any = obliq.Collection
    collection.add(BASE[:10])
    calls: Any = [
        (lambda: collection.add(np.array(["a"])), TypeError, "not <U1"),
        (lambda: collection.get([3, 99]), ValueError, "99"),
        (lambda: collection.search(BASE[:2, :3]), ValueError, "dim 3"),
        (lambda: collection.search(NAN_IN_ROW_3), ValueError, "query 3"),
        (lambda: collection.search(BASE, 0), ValueError, "k must be 1"),
        (lambda: collection.search(BASE, nprobe=1.5), TypeError, "nprobe"),
        (lambda: collection.search(BASE, batch_order="up"), ValueError, "batch order"),
        (lambda: collection.search(BASE, lists=[[1]]), TypeError, "no argument 'lists'"),
        (lambda: collection.train(), ValueError, "1000"),
        (lambda: make(), ValueError, "give dim"),
        (lambda: make(dim=0), ValueError, "dim must be 1 or more"),
        (lambda: make(dim=4, train_at=10), ValueError, "train_at must be 1000"),
        (lambda: make(dim=4, spill=2), ValueError, "spill"),
        (lambda: make(dim=4, quantizer="none"), ValueError, "quantizer"),
        (lambda: make(dim=4, read_only=True), ValueError, "read_only"),
        (lambda: make(dim=4, durability="no"), ValueError, "valid: every, interval, none"),
        (lambda: make(dim=4, metric=None, threads=-1), ValueError, "threads"),
        (lambda: make(dim=4, sync_interval=-1), ValueError, "sync_interval is -1"),
        (lambda: make(dim=4, wait_limit=float("nan")), ValueError, "wait_limit is nan"),
        (lambda: make(dim=4, background_rate="1"), TypeError, "background_rate must be a number"),
        (lambda: collection.compact(7), TypeError, "progress"),
    ]
    for call, kind, words in calls:
        with pytest.raises(kind, match=words):
            call()
    assert "7" not in collection and None not in collection and 1 << 70 not in collection
    assert collection.contains(7) and not collection.contains(-3)


@pytest.mark.parametrize("given, words", [
    (dict(dim=25), "dim is 25, and the collection has 24"),
    (dict(metric="ip"), "metric is 'ip', and the collection has 'l2'"),
    (dict(quantizer="lm4"), "quantizer is 'lm4', and the collection has 'tqp4"),
    (dict(raw="fp32"), "raw is 'fp32', and the collection has 'fp16'"),
    (dict(spill=0.5), "spill is 0.5, and the collection has 0.1"),
    (dict(seed=2), "seed is 2, and the collection has 1"),
    (dict(train_at=1001), "train_at is 1001, and the collection has 2000"),
])
def test_a_collection_stays_what_it_was_made(path: pathlib.Path, given: Any, words: str) -> None:
    made_with: Any = dict(dim=DIM, metric="l2", quantizer="tqp4", raw="fp16", spill=0.1, seed=1,
                          train_at=2000)
    obliq.Collection(path, **made_with).close()
    with pytest.raises(ValueError, match=words):
        obliq.Collection(path, **given)
    obliq.Collection(path, **made_with).close()  # and nobody holds the lock


def test_where_no_collection_is_dim_makes_one(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    with pytest.raises(ValueError, match=r"there is no collection at .*give dim"):
        obliq.Collection(path)
    with pytest.raises(OSError):
        obliq.Collection(path, read_only=True)
    assert not path.exists()
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "file").write_text("mine")
    with pytest.raises(ValueError, match="not empty"):
        obliq.Collection(tmp_path / "other", dim=DIM)
    with obliq.Collection(os.fsencode(path), dim=DIM) as made:
        assert made.add(BASE[:3]).tolist() == [0, 1, 2]


def test_a_relative_path_stays_the_place(tmp_path: pathlib.Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with obliq.Collection("here", dim=DIM) as made:
        (tmp_path / "away").mkdir()
        monkeypatch.chdir(tmp_path / "away")
        made.add(BASE[:600])
        made.compact()
    assert not list(pathlib.Path(".").iterdir())
    with obliq.Collection(tmp_path / "here") as opened:
        assert len(opened) == 600


def test_a_closed_collection_is_closed(path: pathlib.Path) -> None:
    with pytest.raises(KeyError), obliq.Collection(path, dim=DIM) as made:
        made.add(BASE[:3])
        raise KeyError
    made.close()
    for call in (lambda: made.add(BASE), lambda: made.search(BASE), lambda: len(made),
                 lambda: made.stats(), lambda: 3 in made, lambda: made.remove(3), made.sync):
        with pytest.raises(ValueError, match="the collection is closed"):
            call()
    assert repr(made).endswith(f"closed, dim={DIM}, metric='l2', quantizer='sq8')")


def test_a_reader_sees_what_was_there_until_it_refreshes(collection: obliq.Collection,
                                                         path: pathlib.Path) -> None:
    collection.add(BASE[:10])
    with obliq.Collection(path, dim=DIM, read_only=True) as reader:
        collection.add(BASE[10:20])
        collection.remove([0])
        assert len(reader) == 10 and 0 in reader
        assert reader.refresh() and not reader.refresh()
        assert len(reader) == 19 and 0 not in reader
        assert reader.search(BASE[15], 1).ids.tolist() == [15]
        for change in (lambda: reader.add(BASE[:1]), lambda: reader.remove([1]), reader.compact):
            with pytest.raises(ValueError, match="to read only"):
                change()
    assert not collection.refresh()


def test_a_follower_refreshes_by_itself(collection: obliq.Collection, path: pathlib.Path) -> None:
    collection.add(BASE[:10])
    with obliq.Collection(path, read_only=True, follow=0.001) as reader:
        collection.add(BASE[10:20])
        while 19 not in reader:  # it hangs where that never comes
            time.sleep(0.001)


def test_progress_of_a_compaction_stops_it(collection: obliq.Collection) -> None:
    collection.add(BASE[:200])
    collection.compact()
    collection.remove([3])
    with pytest.raises(obliq.Cancelled):
        collection.compact(lambda stage, fraction: False)
    assert collection.stats().deleted_rows == 1
    stages: List[str] = []
    collection.compact(lambda stage, fraction: stages.append(stage))
    assert "merge" in stages and collection.stats().deleted_rows == 0


def test_an_interval_is_a_durability(path: pathlib.Path) -> None:
    with obliq.Collection(path, dim=DIM, durability="interval", sync_interval=0.001) as collection:
        collection.add(BASE[:10])
    with obliq.Collection(path, read_only=True) as again:
        assert len(again) == 10


def test_an_index_comes_out_and_goes_in(collection: obliq.Collection,
                                        tmp_path: pathlib.Path) -> None:
    collection.add(BASE[:200])
    collection.remove(np.arange(50))
    collection.compact()
    assert collection.stats().deleted_rows == 0
    collection.export_index(tmp_path / "out.idx")
    index = obliq.Index.open(tmp_path / "out.idx")
    assert len(index) == 150 and 49 not in index
    assert index.search(BASE[60], 1).ids.tolist() == [60]
    taken = obliq.Collection(dim=DIM)
    assert taken.import_index(tmp_path / "out.idx") == 150 == len(taken)
    assert taken.search(BASE[60], 1).ids.tolist() == [60]


def test_a_backup_is_a_collection(collection: obliq.Collection, tmp_path: pathlib.Path) -> None:
    collection.add(BASE[:200])
    collection.backup(tmp_path / "backup")
    collection.remove(np.arange(200))
    with obliq.Collection(tmp_path / "backup") as kept:
        assert len(kept) == 200 and kept.search(BASE[60], 1).ids.tolist() == [60]


def test_damage_is_found(path: pathlib.Path) -> None:
    with obliq.Collection(path, dim=DIM) as made:
        made.add(BASE[:100])
        made.compact()
        made.verify()
        segment = next(path.glob("seg-*"))
    data = bytearray(segment.read_bytes())
    data[len(data) // 2] ^= 1
    segment.write_bytes(bytes(data))
    with obliq.Collection(path, read_only=True) as opened:
        with pytest.raises(RuntimeError, match=segment.name):
            opened.verify()
