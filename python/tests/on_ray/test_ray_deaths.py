"""Builds on Ray of which processes, a machine or the driver die: the same bytes, and the old index
or the new one, never a mixture. OBLIQ_RAY_KILLS tells how many workers are killed (default 20)."""

from __future__ import annotations

import os
import pathlib
import random
import signal
import subprocess
import sys
import threading
import time
from typing import Any, Dict, Iterator, List

import numpy as np
import psutil
import pytest
import ray

import obliq
import obliq.ray
from ray_machines import two_machines
from ray_sets import OBJECTS, base, dataset, files, ids_of, only_file, quiet, table, whole

KILLS = int(os.environ.get("OBLIQ_RAY_KILLS", "20"))
LIMIT_S = 300.0  # of a step that hangs; a defect, whatever the machine


@pytest.fixture(scope="module")
def machines() -> Iterator[Any]:
    """A cluster of two machines; the second takes the plainest kernels."""
    cluster = two_machines(OBJECTS, {"OBLIQ_SIMD": "scalar"})
    quiet()
    yield cluster
    ray.shutdown()
    cluster.shutdown()


def workers() -> List[psutil.Process]:
    """The processes of this test's Ray that work, on all machines."""
    mine = psutil.Process().children(recursive=True)
    return [process for process in mine if _name(process).startswith("ray::")]


def _name(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:
        return ""


class Killer(threading.Thread):
    """Kills a random worker of those that run steps of a build, again and again: one each time that
    the build has come further since the last, which ends however slow a machine is."""

    def __init__(self, url: pathlib.Path, most: int) -> None:
        super().__init__(daemon=True)
        self.most, self.killed, self._over = most, 0, threading.Event()
        self._random = random.Random(1)
        self._url, self._seen = url, (0, "")

    def run(self) -> None:
        while self.killed < self.most and not self._over.wait(0.1):
            busy = [one for one in workers() if any(word in _name(one)
                                                    for word in ("MapBatches", "obliq "))]
            if not busy:
                continue
            chosen = self._random.choice(busy)
            reached = (_count(self._url), _name(chosen))
            if reached == self._seen or not reached[1]:
                continue
            try:
                chosen.send_signal(signal.SIGKILL)
                self.killed, self._seen = self.killed + 1, reached
            except psutil.NoSuchProcess:
                pass

    def stop(self) -> None:
        self._over.set()
        self.join()


def _count(url: pathlib.Path) -> int:
    """Files that steps have written."""
    return sum(len(list(url.glob(f"{folder}/*"))) for folder in ("models", "segments", "shards"))


def test_machines_of_several_isas_write_the_same_file(machines: Any,
                                                      tmp_path: pathlib.Path) -> None:
    @ray.remote(num_cpus=1, scheduling_strategy="SPREAD")
    def isa() -> str:
        time.sleep(0.5)
        return obliq.simd()

    if obliq.simd() != "scalar":
        assert len(set(ray.get([isa.remote() for _ in range(8)]))) == 2
    vectors, ids = base(6000), ids_of(6000)
    version = obliq.ray.build(dataset(table(vectors, ids), 12), str(tmp_path / "url"),
                              rows_per_segment=500, concurrency=3, preset="fast")
    assert only_file(tmp_path / "url", version) == whole(tmp_path / "whole.obliq", vectors, ids,
                                                         preset="fast")


def test_workers_that_are_killed_change_no_byte(machines: Any, tmp_path: pathlib.Path) -> None:
    vectors, ids = base(12000), ids_of(12000)
    expected = whole(tmp_path / "whole.obliq", vectors, ids)
    rows, killed, rounds = table(vectors, ids), 0, 0
    while killed < KILLS:
        url = tmp_path / f"url{rounds}"
        killer = Killer(url, KILLS - killed)
        killer.start()
        try:
            version = obliq.ray.build(dataset(rows, 30), str(url), rows_per_segment=400,
                                      concurrency=3, limit_s=LIMIT_S)
        finally:
            killer.stop()
        killed, rounds = killed + killer.killed, rounds + 1
        assert only_file(url, version) == expected
        assert killer.killed > 0


DRIVER = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import ray, obliq, obliq.ray, obliq.ray.commit as commit
from ray_sets import base, dataset, ids_of, quiet, table
ray.init(address={address!r}, logging_level="error", log_to_driver=False)
quiet()
publish = commit._publish
def die(*arguments):
    if {after}:
        publish(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
commit._publish = die
obliq.ray.build(dataset(table(base(3000, seed=9), ids_of(3000)), 6), {url!r}, rows_per_segment=500)
"""


def test_a_driver_that_dies_leaves_the_old_index_or_the_new(machines: Any,
                                                            tmp_path: pathlib.Path) -> None:
    url, new = str(tmp_path / "url"), table(base(3000, seed=9), ids_of(3000))
    old = obliq.ray.build(dataset(table(base(1000), ids_of(1000))), url)
    old_bytes = only_file(url, old)
    expected = whole(tmp_path / "whole.obliq", base(3000, seed=9), ids_of(3000))
    made: Dict[str, int] = {}
    for after in (False, True):
        text = DRIVER.format(tests=str(pathlib.Path(__file__).parent), address=machines.address,
                             after=after, url=url)
        ended = subprocess.run([sys.executable, "-c", text], timeout=600, check=False)
        assert ended.returncode == -signal.SIGKILL
        there = obliq.ray.current_version(url)
        assert there.number == (2 if after else 1)
        assert only_file(url, there) == (expected if after else old_bytes)
        made = made or times(url)
        assert times(url) == made  # the second passed by what the first had made
    version = obliq.ray.build(dataset(new, 6), url, rows_per_segment=500)
    assert version.number == 2 and only_file(url, version) == expected
    assert {path: time for path, time in times(url).items() if "segments" not in path} == {
        path: time for path, time in made.items() if "segments" not in path}
    assert not files(url, ["segments", "writing"])


def times(url: str) -> Dict[str, int]:
    """When each file that steps make was written, by its path."""
    return {path: os.stat(pathlib.Path(url) / path).st_mtime_ns
            for path in files(url, ["shards", "models", "segments"])}


def test_a_machine_that_is_lost_changes_no_byte(machines: Any, tmp_path: pathlib.Path) -> None:
    vectors, ids = base(12000), ids_of(12000)
    expected = whole(tmp_path / "whole.obliq", vectors, ids)
    remover = threading.Thread(target=lambda: _remove_once_busy(machines, tmp_path / "url"))
    remover.start()
    # Tasks make the blocks, on both machines, which hold them, as they have more than 100 kB: those
    # for later steps are lost with the machine.
    rows = dataset(table(vectors, ids), 10).map_batches(
        lambda block: block.slice(0), batch_format="pyarrow", batch_size=None)
    version = obliq.ray.build(rows, str(tmp_path / "url"), rows_per_segment=300, concurrency=3)
    remover.join()
    assert len([node for node in ray.nodes() if node["Alive"]]) == 1
    assert only_file(tmp_path / "url", version) == expected


def _remove_once_busy(machines: Any, url: pathlib.Path) -> None:
    """Ends the second machine once segments come."""
    end = time.monotonic() + 300
    while not files(url, ["segments"]) and time.monotonic() < end:
        time.sleep(0.05)
    machines.remove_node(machines.other, allow_graceful=False)


def test_files_of_dead_builds_are_swept(tmp_path: pathlib.Path) -> None:
    for name in ("segments/a.obliq", "writing/x/y.obliq", "versions/7.json"):
        path = tmp_path / "url" / name
        path.parent.mkdir(parents=True)
        path.write_bytes(b"left")
    assert obliq.ray.sweep(str(tmp_path / "url")) == []  # a build may be about to need them
    assert len(obliq.ray.sweep(str(tmp_path / "url"), older_than=0)) == 3
    assert not files(tmp_path / "url")


def test_two_that_commit_at_once_get_a_number_each(tmp_path: pathlib.Path) -> None:
    from obliq.ray.commit import commit
    from obliq.ray.layout import Shard, Version
    from obliq.ray.store import Store

    def made(n: int) -> Version:
        return Version(0, "one", n, 4, "l2", "sq8", 1, "models/m", [Shard(f"s{n}", n, 0, 1, 9)])

    done: List[Version] = []
    threads = [threading.Thread(target=lambda n=n: done.append(  # type: ignore[misc]
        commit(Store(str(tmp_path)), made(n)))) for n in range(1, 13)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(version.n for version in done) == list(range(1, 13))
    assert len({version.number for version in done}) == 12
    last = obliq.ray.current_version(str(tmp_path))
    assert last.number == max(version.number for version in done)
    assert commit(Store(str(tmp_path)), made(last.n)) == last  # the same again is no new version
    assert np.all([version.number >= 1 for version in done])
