"""What the steps of a build take of memory, beside the formulas by which they ask for it."""

from __future__ import annotations

import pathlib
import threading
from typing import Any, Dict

import numpy as np
import psutil
import pytest

import obliq
import obliq.ray
from obliq.ray import memory
from obliq.ray.plan import cut_lists, parse_merge
from obliq.ray.rounds import Limits, wanted
from ray_sets import base, dataset, ids_of, table

STEPS = {"MapBatches(encode_batch)": "encode", "obliq merge": "merge", "obliq train": "train"}


class Watch(threading.Thread):
    """The most that processes of each step have for themselves, in bytes."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most: Dict[str, int] = {}
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.03):
            for process in psutil.Process().children(recursive=True):
                try:
                    name = " ".join(process.cmdline())
                    held = process.memory_info()
                except psutil.Error:
                    continue
                for title, step in STEPS.items():
                    if name.startswith("ray::") and title in name:
                        # Without pages of files and of Ray's store, which are shared.
                        self.most[step] = max(self.most.get(step, 0), held.rss - held.shared)

    def stop(self) -> Dict[str, int]:
        self._over.set()
        self.join()
        return self.most


def test_steps_take_no_more_than_they_ask_for(cluster: Any, tmp_path: pathlib.Path) -> None:
    n, dim, rows = 60_000, 256, 30_000
    data = dataset(table(base(n, dim), ids_of(n)), 4)
    watch = Watch()
    watch.start()
    version = obliq.ray.build(data, str(tmp_path), rows_per_segment=rows, kmeans_points=16,
                              kmeans_iterations=2, preset="fast")
    most = watch.stop()
    sample = obliq.sample_size(n, kmeans_points=16)
    asked = {"encode": memory.encode_bytes(rows, dim, 4, version.nlist, "none", 0),
             "merge": memory.merge_bytes(2, dim, version.nlist),
             "train": memory.train_bytes(sample, dim, version.nlist)}
    assert most["encode"] > 30 * memory.MB  # it was seen at work
    assert {step: held for step, held in most.items() if held > asked[step]} == {}


def test_a_step_that_fits_no_machine_is_refused_at_once(cluster: Any,
                                                        tmp_path: pathlib.Path) -> None:
    data = dataset(table(base(500), ids_of(500)), 1)
    with pytest.raises(ValueError, match="lower rows_per_segment"):
        obliq.ray.build(data, str(tmp_path), rows_per_segment=1 << 40)
    with pytest.raises(ValueError, match="CPUs"):
        memory.check_fits("merge", 1, 1000, cluster.nodes())


def test_lists_are_cut_into_ranges_that_cover_them() -> None:
    for nlist, ranges in ((1, 4), (16, 16), (1000, 7), (131_072, 16), (100_000, 64)):
        cut = cut_lists(nlist, ranges)
        assert cut[0][0] == 0 and cut[-1][1] == nlist and len(cut) == min(ranges, nlist)
        assert all(first < end for first, end in cut)
        assert [end for _, end in cut[:-1]] == [first for first, _ in cut[1:]]
    assert cut_lists(131_072, 16)[3] == (24_576, 32_768)  # multiples of 256 share no block
    assert parse_merge("ranges:12") == 12 and parse_merge("one") == 0


def test_poor_shards_are_left_out_and_first_lists_never() -> None:
    promised = np.log(np.array([[8.0, 4, 2, 1, 1]]))
    shards = np.array([[0, 1, 0, 2, 3]])
    assert wanted(promised, shards, Limits(1, 5)).all()
    assert wanted(promised, shards, Limits(1, 5, left_out=0.07)).sum() == 4
    assert wanted(promised, shards, Limits(1, 5, left_out=0.2)).tolist() == [
        [True, True, True, False, False]]
    assert wanted(promised, shards, Limits(2, 5, left_out=0.5)).tolist() == [
        [True, True, True, False, False]]
    assert wanted(promised, shards, Limits(1, 3)).tolist() == [[True, True, True, False, False]]
