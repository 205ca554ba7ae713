"""Serving in a cluster of two nodes on this machine. Each test goes on with what the one before has
left; the last takes a node away."""

from __future__ import annotations

import json
import os
import pathlib
import socket
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Dict, Iterator, Optional, Tuple

import numpy as np
import pytest

pytest.importorskip("ray.serve")

import obliq
import ray
from obliq.client import Client
from obliq.ray.commit import commit
from obliq.ray.store import Store
from ray import serve

from serving_cluster import Load, Served, kill, pick, served_cluster
from serving_versions import draw, make, publish

QUERIES = draw(99, 64)
KILLS = int(os.environ.get("OBLIQ_SERVING_KILLS", "1"))  # of each kind


@pytest.fixture(scope="module")
def files(tmp_path_factory: Any) -> Tuple[pathlib.Path, obliq.Index]:
    url = tmp_path_factory.mktemp("served")
    return url, publish(url, 1)[1]


@pytest.fixture(scope="module")
def served(files: Any) -> Iterator[Served]:
    with served_cluster(files[0], limits=obliq.ray.Limits(
            body_bytes=200_000, queries=64, pending=64)) as held:
        yield held


def ask(served: Served, path: str, body: Optional[bytes] = None,
        headers: Optional[Dict[str, str]] = None) -> Tuple[int, Dict[str, Any], Dict[str, str]]:
    request = urllib.request.Request(served.address + path, body, headers or {})
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return reply.status, json.loads(reply.read()), dict(reply.headers)
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read()), dict(error.headers)


def test_json_the_binary_body_and_the_handle_give_the_answers_of_one_file(
        served: Served, files: Any) -> None:
    wanted = files[1].search(QUERIES, 10, nprobe=8, confidence=1, filter="year >= ?", params=[2010],
                             columns=["lang"])
    options: Dict[str, Any] = {"k": 10, "nprobe": 120, "confidence": 1.0, "filter": "year >= ?",
                               "params": [2010], "columns": ["lang"]}
    wanted = files[1].search(QUERIES, **options)
    status, found, _ = ask(served, "/search", json.dumps(
        {"queries": QUERIES.tolist(), **options}).encode(), {"Content-Type": "application/json"})
    assert status == 200 and found["ids"] == wanted.ids.tolist() and found["version"] == 1
    assert found["columns"]["lang"] == wanted.columns["lang"].tolist()
    assert found["distances"] == wanted.distances.astype(float).tolist()
    with Client(served.address) as client:
        binary = client.search(QUERIES, **options)
        assert client.stats()["shards"] == 2
    handle = served.handle().search.remote(QUERIES, **options).result(timeout_s=60)
    for answers in (binary, handle):
        assert (answers.ids == wanted.ids).all() and (answers.distances == wanted.distances).all()
        assert answers.columns["lang"] == wanted.columns["lang"].tolist()


def test_what_is_at_fault_or_too_large_has_its_status(served: Served) -> None:
    json_type = {"Content-Type": "application/json"}
    for path, body, headers, status in (
            ("/health", None, {}, 200), ("/nowhere", None, {}, 404), ("/search", None, {}, 405),
            ("/stats", b"", {}, 405), ("/search", b"x", {"Content-Type": "text/csv"}, 415),
            ("/search", b"nonsense", json_type, 400), ("/search", b"[" * 100_000, json_type, 400),
            ("/search", b'{"queries": [[1, 2]]}', json_type, 400),
            ("/search", b" " * 200_001, json_type, 413),
            ("/search", json.dumps({"queries": [[0.0] * 24] * 65}).encode(), json_type, 413),
            ("/search", json.dumps({"queries": [[0.0] * 24], "k": 1001}).encode(), json_type, 413)):
        found, content, _ = ask(served, path, body, headers)
        assert found == status and (status == 200 or content["error"]), (path, found, content)


def test_it_listens_on_this_machine_alone(served: Served) -> None:
    address = ray.util.get_node_ip_address()
    if address.startswith("127."):
        pytest.skip("this machine has no other address")
    with socket.create_connection(("127.0.0.1", served.port), timeout=5):
        pass
    with pytest.raises(OSError):
        socket.create_connection((address, served.port), timeout=5)


def test_beyond_what_is_held_requests_are_told_to_come_again(served: Served, files: Any) -> None:
    body = json.dumps({"queries": QUERIES.tolist(), "k": 200, "nprobe": 120}).encode()
    seen: Dict[int, Any] = {}
    with ThreadPoolExecutor(24) as threads:
        for _ in range(10):
            for status, content, headers in threads.map(lambda _: ask(
                    served, "/search", body, {"Content-Type": "application/json"}), range(24)):
                seen[status] = {name.lower(): value for name, value in headers.items()}
            if 503 in seen:
                break
    assert set(seen) == {200, 503} and int(seen[503]["retry-after"]) >= 1


def test_metrics_are_told_through_ray(served: Served) -> None:
    wanted = {"obliq_serve_queries", "obliq_serve_seconds", "obliq_serve_shard_queries",
              "obliq_serve_shards_asked", "obliq_serve_version"}
    end = time.monotonic() + 60
    ports = [node["MetricsExportPort"] for node in ray.nodes()]
    missing = wanted
    while missing and time.monotonic() < end:
        text = ""
        for port in ports:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as reply:
                text += reply.read().decode()
        missing = {name for name in wanted if name not in text}
        time.sleep(0.5)
    assert not missing


def test_no_search_fails_while_replicas_die_and_versions_come(served: Served, files: Any) -> None:
    store, second = Store(str(files[0])), make(files[0], 2)
    load = Load(served, QUERIES)
    load.know(1, files[1])
    load.know(2, second[1])
    with load:
        load.go_on()
        for i in range(KILLS):
            for deployment in ("shard-0", "shard-1", "router"):
                load.wait_for(lambda: len(served.pids(deployment)) == 2, f"two of {deployment}")
                pid = pick(served.pids(deployment), i)
                assert pid is not None
                kill(pid)
                load.go_on()
        commit(store, second[0])
        load.wait_for(lambda: load.versions[2] > 60, "version 2 is served")
        load.wait_for(lambda: len(served.pids("router")) == 2, "two routers")
    assert not load.wrong and not load.failed
    assert load.versions[1] > 60 * KILLS


def test_no_search_fails_while_a_node_is_removed_and_a_version_comes(
        served: Served, files: Any) -> None:
    store, second, third = Store(str(files[0])), make(files[0], 2), make(files[0], 3, ranges=3)
    load = Load(served, QUERIES)
    load.know(2, second[1])
    load.know(3, third[1])
    with load:
        load.wait_for(lambda: all(len(served.pids(name)) == 2 for name in
                                  ("shard-0", "shard-1", "router")), "two replicas of each")
        load.go_on()
        served.cluster.remove_node(served.second, allow_graceful=False)
        load.go_on(150)
        commit(store, third[0])
        load.wait_for(lambda: load.versions[3] > 60, "version 3 is served")
    assert not load.wrong and not load.failed
    statuses = serve.status().applications["default"].deployments
    assert set(statuses) == {"shard-0", "shard-1", "router"}
