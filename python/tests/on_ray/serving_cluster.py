"""A cluster of two nodes on this machine that serves, and a constant load on it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import signal
import socket
import threading
import time
import urllib.request
from collections import Counter
from typing import Any, Callable, Dict, Iterator, List, Optional

import numpy as np
from numpy.typing import NDArray

import obliq
import obliq.ray
import ray
from obliq.client import Client
from obliq.wire import Answers
from ray import serve
from ray.cluster_utils import Cluster

from ray_machines import START_S, patiently, two_machines

_MEMORY = 100 << 20  # of a node's object store; the least is 75 MiB
PATIENCE_S = 300.0
DEPLOYMENTS = ("shard-0", "shard-1", "router")


def free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


class Served:
    """What is served, where, and the processes of its nodes."""

    def __init__(self, cluster: Cluster, url: pathlib.Path, second: Any, port: int) -> None:
        self.cluster, self.url, self.second, self.port = cluster, url, second, port
        self.address = f"http://127.0.0.1:{port}"

    def handle(self) -> Any:
        return serve.get_app_handle("default")

    def pids(self, deployment: str) -> List[int]:
        """The replicas of a deployment in this cluster, by what Ray calls their processes."""
        nodes = {process.pid for node in self.cluster.list_all_nodes()
                 for processes in node.all_processes.values()
                 for process in [held.process for held in processes]}
        title = f"ray::ServeReplica:default:{deployment}"
        return sorted(pid for pid, name in _processes() if name.startswith(title)
                      and nodes & set(_ancestors(pid)))


def _processes() -> Iterator[Any]:
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            with contextlib.suppress(OSError):
                text = pathlib.Path(f"/proc/{entry}/cmdline").read_bytes()
                yield int(entry), text.replace(b"\0", b" ").decode(errors="replace").strip()


def _ancestors(pid: int) -> List[int]:
    found = []
    with contextlib.suppress(OSError):
        while pid > 1:
            stat = pathlib.Path(f"/proc/{pid}/stat").read_text()
            pid = int(stat[stat.rindex(")") + 2:].split()[1])
            found.append(pid)
    return found


@contextlib.contextmanager
def served_cluster(url: pathlib.Path, **options: Any) -> Iterator[Served]:
    """Two nodes; every shard and the routers have a replica on each."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    for wait in ("READY_CHECK", "HEALTH_CHECK"):  # five seconds are few on a busy machine
        os.environ[f"RAY_SERVE_PROXY_{wait}_TIMEOUT_S"] = "90"
    cluster = two_machines(_MEMORY, health_check_period_ms=500, health_check_failure_threshold=3,
                           metrics_report_interval_ms=500)
    try:
        port = patiently(_start_serve, "Serve", serve.shutdown)
        app = obliq.ray.app(str(url), shards=2, replicas=2, routers=2, poll_s=0.3, drain_s=5,
                            cpus_per_shard=0.1, cpus_per_router=0.1, max_replicas_per_node=1,
                            health_s=1, **options)
        patiently(lambda: serve.run(app), "the application", lambda: None)
        served = Served(cluster, url, cluster.other, port)
        _wait_until_whole(served)
        yield served
    finally:
        with contextlib.suppress(Exception):
            serve.shutdown()
        ray.shutdown()
        cluster.shutdown()


def _start_serve() -> int:
    port = free_port()
    serve.start(proxy_location="HeadOnly", http_options={"port": port})
    return port


def _wait_until_whole(served: Served) -> None:
    """Until there are two replicas of each deployment, and the address answers."""
    end = time.monotonic() + START_S
    missing = ""
    while time.monotonic() < end:
        found = {name: len(served.pids(name)) for name in DEPLOYMENTS}
        missing = f"replicas {found}" if min(found.values()) < 2 else ""
        try:
            with urllib.request.urlopen(served.address + "/health", timeout=30):
                if not missing:
                    return
        except OSError as error:
            missing = f"{served.address}/health: {error}"
        time.sleep(0.5)
    raise TimeoutError(f"not served within {START_S} s: {missing}; {serve.status()}")


class Load:
    """Threads that search all the time, and check each answer by the version it names."""

    def __init__(self, served: Served, queries: NDArray[np.float32], threads: int = 3) -> None:
        self._client = Client(served.address, timeout=30, most_wait=2)
        self._queries = queries
        self._wanted: Dict[int, Any] = {}
        self._end = threading.Event()
        self._lock = threading.Lock()
        self.versions: Counter[int] = Counter()
        self.wrong: List[str] = []
        self.failed: List[str] = []
        self._threads = [threading.Thread(target=self._search, args=(i,)) for i in range(threads)]

    def know(self, version: int, one: obliq.Index) -> None:
        """The answers of a version, before it is published."""
        found = one.search(self._queries, 10, nprobe=12, confidence=1)
        self._wanted[version] = (found.ids, found.distances)

    def __enter__(self) -> Load:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join()
        self._client.close()

    def answered(self) -> int:
        """Searches so far."""
        return sum(self.versions.values())

    def wait_for(self, met: Callable[[], Any], what: str) -> None:
        """Until something holds. Fails after PATIENCE_S."""
        end = time.monotonic() + PATIENCE_S
        while not met():
            assert time.monotonic() < end, f"not in {PATIENCE_S} s: {what}"
            assert not self.failed and not self.wrong, (self.failed, self.wrong)
            time.sleep(0.1)

    def go_on(self, searches: int = 60) -> None:
        """Until so many more were answered."""
        wanted = self.answered() + searches
        self.wait_for(lambda: self.answered() >= wanted, f"{searches} searches more")

    def _search(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        while not self._end.is_set():
            rows = rng.integers(len(self._queries), size=int(rng.integers(1, 4)))
            try:
                found = self._client.search(self._queries[rows], 10, nprobe=12, confidence=1.0)
            except Exception as error:
                self.failed.append(repr(error))
                continue
            self._check(rows, found)

    def _check(self, rows: NDArray[np.int64], found: Answers) -> None:
        ids, distances = self._wanted[found.version]
        with self._lock:
            self.versions[found.version] += 1
            if not ((found.ids == ids[rows]).all() and (found.distances == distances[rows]).all()):
                self.wrong.append(f"version {found.version}, queries {rows}: {found.ids}")


def kill(pid: int) -> None:
    os.kill(pid, signal.SIGKILL)


def pick(pids: List[int], seed: int) -> Optional[int]:
    return int(np.random.default_rng(seed).choice(pids)) if pids else None
