"""Ray on this machine, which may be busy: every wait for its start is long, and has an end."""

from __future__ import annotations

import contextlib
import time
from typing import Any, Callable, Dict, Optional, TypeVar

import ray
from ray.cluster_utils import Cluster

_Result = TypeVar("_Result")

START_S = 360.0  # of a cluster, or of what serves in it


def patiently(start: Callable[[], _Result], what: str, undo: Callable[[], Any]) -> _Result:
    """What start() gives, which is called again while it fails within START_S: limits of 30 and of
    60 seconds in Ray are few on a busy machine. Raises TimeoutError with the last failure."""
    end = time.monotonic() + START_S
    while True:
        try:
            return start()
        except (TypeError, ValueError, AttributeError):
            raise
        except Exception as error:
            with contextlib.suppress(Exception):
                undo()
            time.sleep(1)
            if time.monotonic() > end:
                raise TimeoutError(f"{what} has not started in {START_S} s: {error}") from error


def two_machines(objects: int, second_env: Optional[Dict[str, str]] = None,
                 **system: Any) -> Cluster:
    """A cluster of two machines of two CPUs, whose second one is `other`; this process is its
    driver, and leaves the one before. `objects` in bytes; `system`: settings of Ray."""
    def start() -> Cluster:
        ray.shutdown()
        made.append(Cluster(shutdown_at_exit=True))
        common = {"num_cpus": 2, "object_store_memory": objects, "include_dashboard": False}
        made[-1].add_node(**common, _system_config=system or None)
        made[-1].other = made[-1].add_node(**common, env_vars=second_env or {})
        ray.init(address=made[-1].address, logging_level="error", log_to_driver=False)
        return made[-1]

    def undo() -> None:
        ray.shutdown()
        made[-1].shutdown()

    made: list[Any] = []
    return patiently(start, "a cluster of two machines", undo)
