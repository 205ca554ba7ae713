"""Builds, searches and commits on a store that speaks the protocol of S3: a server of moto in this
process, which s3fs asks. Where both are installed."""

from __future__ import annotations

import pathlib
import signal
import subprocess
import sys
import threading
from typing import Any, Dict, Iterator, List

import pytest
import ray

import obliq.ray
from obliq.ray.commit import commit
from obliq.ray.layout import Shard, Version
from obliq.ray.store import Store
from ray_sets import base, dataset, ids_of, table, whole

pytest.importorskip("s3fs")
server = pytest.importorskip("moto.server")

pytestmark = pytest.mark.usefixtures("cluster")


@pytest.fixture(scope="module")
def options() -> Iterator[Dict[str, Any]]:
    """storage_options of a bucket named `vectors`."""
    running = server.ThreadedMotoServer(port=0)
    running.start()
    host, port = running.get_host_and_port()
    made = {"key": "key", "secret": "secret", "client_kwargs": {
        "endpoint_url": f"http://{host}:{port}"}}
    Store("s3://vectors/any", made)._fs.mkdir("vectors")
    yield made
    running.stop()


def only_shard(url: str, version: Version, options: Dict[str, Any]) -> bytes:
    assert len(version.shards) == 1
    return Store(url, options).read(version.shards[0].path)


DRIVER = """
import os, signal, sys
sys.path.insert(0, {tests!r})
import ray, obliq.ray, obliq.ray.commit as commit
from ray_sets import base, dataset, ids_of, quiet, table
ray.init(address={address!r}, logging_level="error", log_to_driver=False)
quiet()
commit._publish = lambda *arguments: os.kill(os.getpid(), signal.SIGKILL)
obliq.ray.build(dataset(table(base(2000), ids_of(2000)), 4), {url!r}, rows_per_segment=600,
                storage_options={options!r})
"""


def test_a_build_goes_on_where_its_driver_died(options: Dict[str, Any],
                                               tmp_path: pathlib.Path) -> None:
    url, store = "s3://vectors/one", Store("s3://vectors/one", options)
    text = DRIVER.format(tests=str(pathlib.Path(__file__).parent), url=url, options=options,
                         address=ray.get_runtime_context().gcs_address)
    ended = subprocess.run([sys.executable, "-c", text], timeout=600, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not store.has("CURRENT") and len(store.list("segments")) == 4
    made = {path: store.age(path) for path in (*store.list("models"), *store.list("shards"))}
    rows = dataset(table(base(2000), ids_of(2000)), 4)
    version = obliq.ray.build(rows, url, rows_per_segment=600, storage_options=options)
    assert version == obliq.ray.current_version(url, options) and version.number == 1
    assert only_shard(url, version, options) == whole(tmp_path / "whole.obliq", base(2000),
                                                      ids_of(2000))
    assert len(made) == 2 and all(store.age(path) >= age for path, age in made.items())
    assert not store.list("segments")


def test_shards_are_searched_and_old_versions_swept(options: Dict[str, Any]) -> None:
    url, store = "s3://vectors/shards", Store("s3://vectors/shards", options)
    vectors, ids = base(2000), ids_of(2000)
    for seed in (1, 2, 3):
        version = obliq.ray.build(dataset(table(vectors, ids), 2), url, rows_per_segment=1000,
                                  merge="ranges:3", seed=seed, storage_options=options)
    found = obliq.ray.search(dataset(table(vectors[:50], ids[:50]), 1), url, k=1,
                             storage_options=options, concurrency=1).take_all()
    assert version.number == 3 and len(version.shards) == 3
    assert sum(row["ids"][0] == row["id"] for row in found) >= 49
    swept = obliq.ray.sweep(url, older_than=0, storage_options=options)
    assert {path.split("/")[0] for path in swept} == {"models", "shards", "versions"}
    assert len(store.list("versions")) == 2 and obliq.ray.current_version(url, options) == version


def test_two_that_commit_at_once_get_a_number_each(options: Dict[str, Any]) -> None:
    def made(n: int) -> Version:
        return Version(0, "one", n, 4, "l2", "sq8", 1, "models/m", [Shard(f"s{n}", n, 0, 1, 9)])

    done: List[Version] = []
    threads = [threading.Thread(target=lambda n=n: done.append(  # type: ignore[misc]
        commit(Store("s3://vectors/many", options), made(n)))) for n in range(1, 7)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({version.number for version in done}) == 6
