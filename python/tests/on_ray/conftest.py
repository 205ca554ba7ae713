"""One Ray for most tests of this folder: three CPUs, 400 MB for objects."""

import os
import pathlib
import sys
from typing import Any, Iterator, List

import pytest

os.environ.setdefault("RAY_DEDUP_LOGS", "0")
os.environ.setdefault("RAY_AUTH_MODE", "disabled")
# Workers have a niceness of 15 otherwise, and get next to nothing of a machine with other work.
os.environ.setdefault("RAY_worker_niceness", "0")
os.environ.setdefault("RAY_worker_register_timeout_seconds", "300")
ray = pytest.importorskip("ray")

sys.path.insert(0, str(pathlib.Path(__file__).parent))  # ray_sets, for tests


def pytest_collection_modifyitems(items: List[Any]) -> None:
    """Those of the one cluster first: a process has one at a time, and others end it."""
    items.sort(key=lambda item: "cluster" not in item.fixturenames)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Any]:
    """Ray for all tests that need nothing of their own of it."""
    from ray_machines import patiently
    from ray_sets import OBJECTS, quiet
    patiently(lambda: ray.init(
        address="local", num_cpus=3, object_store_memory=OBJECTS, include_dashboard=False,
        logging_level="error", log_to_driver=False), "Ray", ray.shutdown)
    quiet()
    yield ray
    ray.shutdown()
