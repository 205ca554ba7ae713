"""Builds on Ray: the file of one build, whatever the cut; errors that name rows."""

from __future__ import annotations

import pathlib
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import ray

import obliq
import obliq.ray
from ray_sets import base, dataset, files, ids_of, merged, only_file, table, whole

pytestmark = pytest.mark.usefixtures("cluster")


@pytest.mark.parametrize("segments", [1, 2, 7])
def test_a_build_in_segments_is_the_file_of_one_build(tmp_path: pathlib.Path,
                                                      segments: int) -> None:
    vectors, ids = base(), ids_of(4000)
    years = np.arange(4000) % 37
    expected = whole(tmp_path / "whole.obliq", vectors, ids, columns={"year": years},
                     preset="fast")
    rows = table(vectors, ids, year=years, unused=years)
    version = obliq.ray.build(dataset(rows, blocks=segments), str(tmp_path / "url"),
                              columns=["year"], preset="fast", keep_segments=True,
                              rows_per_segment=-(-4000 // segments))
    assert only_file(tmp_path / "url", version) == expected
    assert len(files(tmp_path / "url", ["segments"])) == segments
    assert version == obliq.ray.current_version(str(tmp_path / "url"))
    assert (version.number, version.n, version.dim) == (1, 4000, 32)


def test_ranges_merge_to_the_file_of_one_build(tmp_path: pathlib.Path) -> None:
    vectors, ids = base().astype(np.float16), ids_of(4000)
    expected = whole(tmp_path / "whole.obliq", vectors, ids, metric="cosine", quantizer="lm4",
                     spill=0.5)
    version = obliq.ray.build(dataset(table(vectors, ids)), f"file://{tmp_path}/url",
                              metric="cosine", quantizer="lm4", spill=0.5, merge="ranges:5",
                              rows_per_segment=1500)
    assert len(version.shards) == 5 and sum(shard.n for shard in version.shards) == 4000
    assert [shard.first for shard in version.shards[1:]] == [
        shard.end for shard in version.shards[:-1]]
    assert merged(tmp_path / "url", version, tmp_path / "merged.obliq") == expected
    assert not files(tmp_path / "url", ["pieces", "segments"])  # work is cleared away


def test_tensors_in_any_order_of_blocks_give_the_same_file(tmp_path: pathlib.Path) -> None:
    vectors, ids = base(3000), ids_of(3000)
    options: Any = {"metric": "ip", "kmeans_points": 8, "seed": 5}  # a sample of less than all
    assert obliq.sample_size(3000, kmeans_points=8) < 3000
    expected = whole(tmp_path / "whole.obliq", vectors, ids, **options)
    order = np.random.default_rng(7).permutation(3000)
    blocks = [ray.data.from_numpy(vectors[part]).rename_columns({"data": "v"}).zip(
        ray.data.from_numpy(ids[part]).rename_columns({"data": "key"}))
        for part in np.array_split(order, 3)]
    tensors = blocks[0].union(*blocks[1:])
    version = obliq.ray.build(tensors, str(tmp_path / "url"), vector="v", id="key",
                              rows_per_segment=900, **options)
    assert only_file(tmp_path / "url", version) == expected


def test_segments_can_stay_apart(tmp_path: pathlib.Path) -> None:
    vectors, ids = base(2000), ids_of(2000)
    version = obliq.ray.build(dataset(table(vectors, ids)), str(tmp_path / "url"), merge="none",
                              rows_per_segment=500)
    assert version.layout == "segments" and sum(shard.n for shard in version.shards) == 2000
    assert merged(tmp_path / "url", version, tmp_path / "merged.obliq") == whole(
        tmp_path / "whole.obliq", vectors, ids)


def test_a_store_without_folders_gets_the_same_file(tmp_path: pathlib.Path) -> None:
    # "dir" is a local folder behind another protocol: nothing may take it for a local one.
    vectors, ids = base(2000), ids_of(2000)
    options = {"path": str(tmp_path / "store"), "target_protocol": "file"}
    (tmp_path / "store").mkdir()
    version = obliq.ray.build(dataset(table(vectors, ids)), "dir://index", rows_per_segment=800,
                              storage_options=options)
    expected = whole(tmp_path / "whole.obliq", vectors, ids)
    assert only_file(tmp_path / "store" / "index", version) == expected
    assert version == obliq.ray.current_version("dir://index", options)


def refused(rows: pa.Table, folder: pathlib.Path, match: str, **options: Any) -> None:
    """A build raises ValueError of these words, and nothing is visible."""
    with pytest.raises(ValueError, match=match):
        obliq.ray.build(dataset(rows), str(folder / "url"), rows_per_segment=400, **options)
    assert "CURRENT" not in files(folder / "url")


def test_nan_is_refused_by_the_ids_of_its_rows(tmp_path: pathlib.Path) -> None:
    vectors, ids = base(1500), np.arange(1500) + 10_000
    vectors[[700, 1400], 3] = np.nan
    refused(table(vectors, ids), tmp_path, "id 10700.* NaN")
    # Of a row that is not in the sample, the encoder tells.
    vectors[:] = base(1500)
    outside = int(np.argmax(obliq.sample_key(1, ids)))
    vectors[outside, 0] = np.inf
    refused(table(vectors, ids), tmp_path, f"id {ids[outside]}.* infinity", kmeans_points=2)


def test_a_wrong_dim_is_refused_by_the_ids_of_its_rows(tmp_path: pathlib.Path) -> None:
    lists = [[0.5, float(i)] for i in range(900)]
    lists[555] = [1.0, 2.0, 3.0]
    rows = pa.table({"id": np.arange(900), "embedding": pa.array(lists, pa.list_(pa.float32()))})
    refused(rows, tmp_path, "id 555: .*'embedding' are not of dim 2")


def test_ids_that_come_twice_are_refused_by_name(tmp_path: pathlib.Path) -> None:
    ids = np.arange(1500)
    ids[1300] = 7  # in another segment
    refused(table(base(1500), ids), tmp_path, r"\b7\b")
    ids[1300] = 1300
    ids[11] = 12  # in the same segment
    refused(table(base(1500), ids), tmp_path, r"\b12\b")


def test_rows_that_come_twice_are_refused(tmp_path: pathlib.Path) -> None:
    rows = dataset(table(base(800), np.arange(800)), blocks=2)
    with pytest.raises(ValueError, match="twice"):
        obliq.ray.build(rows.union(rows), str(tmp_path / "url"), rows_per_segment=400)
    assert "CURRENT" not in files(tmp_path / "url")


def test_ids_that_are_null_or_no_numbers_are_refused(tmp_path: pathlib.Path) -> None:
    vectors = base(100)
    refused(table(vectors, pa.array([None, *range(99)], pa.int64())), tmp_path, "NULL")
    refused(table(vectors, pa.array([str(i) for i in range(100)])), tmp_path, "whole numbers")


@pytest.mark.parametrize("options, match", [
    ({"vector": "none"}, "no column 'none'; it has embedding, id"),
    ({"merge": "ranges"}, "ranges:16"), ({"concurrency": (0, 1)}, "concurrency"),
    ({"rows_per_segment": 0}, "rows_per_segment"), ({"metric": "l3"}, "metric")])
def test_wrong_arguments_are_refused(tmp_path: pathlib.Path, options: Any, match: str) -> None:
    with pytest.raises(ValueError, match=match):
        obliq.ray.build(dataset(table(base(100), np.arange(100))), str(tmp_path / "url"), **options)
