"""How a step runs on Ray: as tasks without anything of their own, which Ray starts where there is
room, and starts again where a process or a machine dies.

    exceptions    what a step raises for its rows is a ValueError here, too, of the same words. Ray
                  does not run such a step again, and need not: calls of stores are repeated where
                  they are made (store.py)
    deaths        of a process or a machine: any number. No step of a build has actors: a pool of
                  Ray's does nothing until they have started, and again where they die
    waits         a step of which nothing ends for `limit_s` seconds is given up (StallError)
    CPUs          what reads the rows of a step keeps one CPU
"""

from __future__ import annotations

import contextlib
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

import ray
import ray.data
from ray.data.exceptions import ExecutionTimeoutError

from obliq.ray.errors import BuildError, StallError

TaskFunction = Callable[[Dict[str, Any]], Dict[str, Any]]
MOST_DEATHS = -1  # of a task of Ray itself: any number; those of datasets have that anyway
MOST_START_DEATHS = 100  # of actors of a search that start, without one between that comes up
MOST_TASKS = 1000  # of a step, that wait or run at a time


def run_tasks(step: str, function: TaskFunction, items: Iterable[Dict[str, Any]], *, memory: int,
              num_cpus: float, limit_s: float) -> List[Dict[str, Any]]:
    """Runs a task for each of the items; their results, in no order. Raises what a task raised;
    BuildError, StallError."""
    task = ray.remote(function).options(num_cpus=num_cpus, memory=memory, name=f"obliq {step}",
                                        max_retries=MOST_DEATHS, scheduling_strategy="SPREAD")
    rows = list(items)[::-1]
    waiting: List[Any] = []
    found: List[Dict[str, Any]] = []
    try:
        while rows or waiting:
            while rows and len(waiting) < MOST_TASKS:
                waiting.append(task.remote(rows.pop()))
            done, waiting = ray.wait(waiting, timeout=limit_s)
            if not done:
                raise ray.exceptions.GetTimeoutError(
                    f"{len(waiting)} tasks of {num_cpus:g} CPUs and {memory / 1e9:.1f} GB wait "
                    "or run")
            found += ray.get(done, timeout=limit_s)
    except BaseException as error:
        for ref in waiting:
            with contextlib.suppress(Exception):  # what is raised is why they are called off
                ray.cancel(ref, force=True)
        if not isinstance(error, Exception):
            raise
        raise translated(step, error, limit_s) from error
    return found


def run(step: str, dataset: Any, limit_s: float) -> List[Dict[str, Any]]:
    """The rows of a dataset, as it comes to be."""
    return [dict(row) for row in iterate(step, dataset, limit_s)]


def iterate(step: str, dataset: Any, limit_s: float) -> Iterable[Dict[str, Any]]:
    """The same one by one. Raises what the step raised for its rows; BuildError, StallError."""
    limit(dataset, limit_s)
    try:
        yield from dataset.iter_rows()
    except Exception as error:
        raise translated(step, error, limit_s) from error


def limit(dataset: Any, limit_s: float) -> None:
    """Sets how long a dataset may go without progress, and that its blocks keep their order: the
    same batches come again when a build goes on."""
    dataset.context.execution_no_progress_timeout_s = limit_s
    dataset.context.raise_original_map_exception = True
    dataset.context.max_consecutive_actor_init_deaths = MOST_START_DEATHS
    dataset.context.execution_options.preserve_order = True


def translated(step: str, error: BaseException, limit_s: float) -> BaseException:
    """The error of a step for its caller."""
    cause = root_of(error)
    if isinstance(cause, (ExecutionTimeoutError, ray.exceptions.GetTimeoutError)):
        return StallError(f"{step}: nothing was done for {limit_s:g} s; a machine hangs, or the "
                          f"cluster has not what it asks for: {cause}")
    if isinstance(cause, (ValueError, TypeError, OSError)):
        kind = next(kind for kind in (ValueError, TypeError, FileNotFoundError, OSError)
                    if isinstance(cause, kind))
        return kind(f"{step}: {first_words(cause)}")
    return BuildError(f"{step} failed: {first_words(cause)}")


def root_of(error: BaseException) -> BaseException:
    """What a step raised, below all that Ray wraps around it."""
    seen: List[BaseException] = []
    while error not in seen:
        seen.append(error)
        inner = getattr(error, "cause", None) or error.__cause__
        if not isinstance(inner, BaseException):
            break
        error = inner
    return error


def first_words(error: BaseException) -> str:
    """Its message without the stack of another machine."""
    return (str(error).strip() or type(error).__name__).split("\n\n")[0]


def pool_size(wanted: Tuple[int, int], num_cpus: float) -> Tuple[Tuple[int, int], float]:
    """How many tasks or actors there may be, and how many CPUs each gets: one CPU stays free."""
    total = float(ray.cluster_resources().get("CPU", 1))
    if total < num_cpus + 1:
        num_cpus = max(total / 2, 0.1) if total <= 1 else min(num_cpus, total - 1)
        return (1, 1), num_cpus
    most = max(1, min(wanted[1], int((total - 1) // num_cpus)))
    return (min(wanted[0], most), most), num_cpus


def cpus_alone(most: int, num_cpus: float) -> int:
    """CPUs, and threads, of a task that has the cluster to itself: all of the largest machine, and
    no more than `most` tasks of num_cpus have together."""
    largest = max(node["Resources"].get("CPU", 1) for node in ray.nodes() if node["Alive"])
    return max(1, int(min(largest, most * num_cpus)))


def as_concurrency(value: Any) -> Tuple[int, int]:
    """(least, most) tasks or actors of what a caller gave. Raises ValueError."""
    pair: Optional[Tuple[Any, Any]] = (value, value) if isinstance(value, int) else None
    if isinstance(value, (tuple, list)) and len(value) == 2:
        pair = (value[0], value[1])
    if pair is None or not all(type(end) is int for end in pair) or not 1 <= pair[0] <= pair[1]:
        raise ValueError(f"concurrency must be a number or (least, most) of 1 or more, not {value}")
    return pair[0], pair[1]
