"""What operators of a collection need: figures, backups, checks, what a search did."""

import pathlib
from typing import Any, Iterator, List, Tuple

import numpy as np
import pytest

import obliq

DIM = 16
BASE = np.random.default_rng(5).normal(size=(3000, DIM)).astype(np.float32)


@pytest.fixture
def collection(tmp_path: pathlib.Path) -> Iterator[obliq.Collection]:
    with obliq.Collection(tmp_path / "c", dim=DIM, train_at=1000, durability="none") as made:
        yield made


def test_figures_tell_what_was_done(collection: obliq.Collection) -> None:
    collection.add(BASE[:2000])
    collection.wait()
    collection.upsert(BASE[2000:2200], np.arange(100, 300))
    collection.remove(np.arange(50))
    collection.search(BASE[:3])
    stats = collection.stats()
    assert (stats.since_open.added, stats.since_open.upserted) == (2000, 200)
    assert (stats.since_open.removed, stats.since_open.queries) == (50, 3)
    assert stats.deleted_rows == 250 and stats.deleted_share == 250 / 2200
    assert stats.tuned_for == 2000 and stats.tuned_seconds_ago is not None
    assert stats.drift is not None and -0.2 < stats.drift < 1
    assert stats.write_amplification is not None and stats.write_amplification > 1
    search = stats.latencies["search"]
    assert search.count == sum(search.buckets) == 1 and 0 < search.p50 <= search.p99
    assert stats.latencies["train"].count == 1


def test_prometheus_reads_the_text(collection: obliq.Collection) -> None:
    parser = pytest.importorskip("prometheus_client.parser")
    collection.add(BASE[:100])
    collection.search(BASE[:2])
    value = 'quote " backslash \\ line\nend'
    text = collection.prometheus({"shard": value})
    families = {family.name: family
                for family in parser.text_string_to_metric_families(text)}
    samples: "List[Any]" = [s for family in families.values() for s in family.samples]
    assert samples and all(sample.labels["shard"] == value for sample in samples)
    assert families["obliq_collection_vectors"].samples[0].value == 100
    assert families["obliq_collection_added_vectors"].type == "counter"
    calls = families["obliq_collection_call_seconds"]
    assert calls.type == "histogram"
    counts = {s.labels["call"]: s.value for s in calls.samples if s.name.endswith("_count")}
    last = {s.labels["call"]: s.value for s in calls.samples if s.labels.get("le") == "+Inf"}
    assert counts == last and counts["search"] == 1 and len(counts) == 8
    with pytest.raises(ValueError, match="label 'a-b'"):
        collection.prometheus({"a-b": "x"})


def test_a_backup_is_made_beside_the_writer_by_a_reader(collection: obliq.Collection,
                                                        tmp_path: pathlib.Path) -> None:
    collection.add(BASE[:1500])
    collection.wait()
    collection.add(BASE[1500:1600])
    calls: "List[Tuple[str, float]]" = []
    with obliq.Collection(tmp_path / "c", read_only=True) as reader:
        reader.backup(tmp_path / "b", progress=lambda *call: calls.append(call))
        with pytest.raises(ValueError, match="not empty"):
            reader.backup(tmp_path / "b")
        with pytest.raises(obliq.Cancelled):
            reader.backup(tmp_path / "x", progress=lambda *_: False)
    assert calls[-1][1] == 1 and not (tmp_path / "x").exists()
    with obliq.Collection(tmp_path / "b") as copy:
        assert len(copy) == 1600
        copy.remove([3])
    assert 3 in collection


def test_a_check_may_be_slow_and_stopped(collection: obliq.Collection,
                                         tmp_path: pathlib.Path) -> None:
    collection.add(BASE[:1500])
    collection.wait()
    shares: "List[float]" = []
    collection.verify(rate=1e12, progress=lambda _, share: shares.append(share))
    assert shares == sorted(shares) and shares[-1] == 1
    calls: "List[float]" = []

    def stop(_: str, share: float) -> bool:
        calls.append(share)
        return len(calls) < 3
    with pytest.raises(obliq.Cancelled):
        collection.verify(rate=1, progress=stop)
    assert len(calls) == 3
    with pytest.raises(ValueError, match="rate of -1"):
        collection.verify(rate=-1)
    next((tmp_path / "c").glob("seg-*")).unlink()
    with pytest.raises(OSError):
        collection.verify()


def test_an_index_of_another_metric_is_not_imported(collection: obliq.Collection,
                                                    tmp_path: pathlib.Path) -> None:
    obliq.Index.build(BASE[:50], metric="cosine").save(tmp_path / "cosine")
    obliq.Index.build(BASE[:50]).save(tmp_path / "l2")
    with pytest.raises(ValueError, match="metric is cosine, that of the collection l2"):
        collection.import_index(tmp_path / "cosine")
    assert collection.import_index(tmp_path / "l2") == 50 == len(collection)


def test_a_search_explains_itself(collection: obliq.Collection) -> None:
    collection.add(BASE[:100])
    exact = collection.search(BASE[:4], 5, explain=True).explain
    assert (exact["entries"] == 100).all() and (exact["end"] == "all lists").all()
    collection.add(BASE[100:2000])
    collection.wait()
    index = obliq.Index.build(BASE[:2000], quantizer="sq8", raw="fp16")
    for searched in (collection, index):
        plain = searched.search(BASE[2000:2300], 5, nprobe=4)
        with pytest.raises(AttributeError, match="explain=True"):
            plain.explain
        told = searched.search(BASE[2000:2300], 5, nprobe=4, explain=True)
        distances, ids = told
        assert (ids == plain.ids).all() and (distances == plain.distances).all()
        assert set(told.explain) == {"lists", "entries", "refined", "exact", "allowed", "end",
                                     "method"}
        assert (told.explain["allowed"] == 2000).all() and (told.explain["method"] == "lists").all()
        assert (told.explain["lists"] == 4).all() and (told.explain["end"] == "nprobe").all()
        assert (told.explain["entries"] >= told.explain["refined"]).all()
        one = searched.search(BASE[2000], 5, explain=True)
        assert one.ids.shape == (5,) and one.explain["lists"] > 0
        assert one.explain["end"] in ("stop rule", "nprobe", "all lists")
        with pytest.raises(TypeError, match="explain must be True or False"):
            searched.search(BASE[:1], explain=1)  # type: ignore[arg-type]
    assert (index.search(BASE[:3], explain=True).explain["exact"] > 0).all()
