"""Tasks of a step: their results, their errors, and an end of each wait."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any, Dict

import numpy as np
import pytest

import obliq
from obliq.ray import BuildError, StallError, sample, steps
from obliq.ray.plan import Plan
from ray_sets import base, dataset, ids_of, table

pytestmark = pytest.mark.usefixtures("cluster")


def run(function: Any, items: Any, limit_s: float = 300.0, num_cpus: float = 1) -> Any:
    return steps.run_tasks("step", function, items, memory=1 << 20, num_cpus=num_cpus,
                           limit_s=limit_s)


def test_each_item_gives_its_result(monkeypatch: Any) -> None:
    def square(item: Dict[str, Any]) -> Dict[str, Any]:
        return {"n": item["n"] ** 2}
    monkeypatch.setattr(steps, "MOST_TASKS", 3)
    found = run(square, [{"n": n} for n in range(10)])
    assert sorted(item["n"] for item in found) == [n * n for n in range(10)]
    assert run(square, []) == []


def test_a_process_that_dies_is_started_again(tmp_path: pathlib.Path) -> None:
    def die_twice(item: Dict[str, Any]) -> Dict[str, Any]:
        times = len(os.listdir(item["folder"]))
        if times < 2:
            pathlib.Path(item["folder"], str(times)).touch()
            os.kill(os.getpid(), 9)
        return {"died": times}
    assert run(die_twice, [{"folder": str(tmp_path)}]) == [{"died": 2}]


def test_what_a_task_raises_is_raised() -> None:
    def fail(item: Dict[str, Any]) -> Dict[str, Any]:
        raise item["kind"]("row of id 7")
    for kind, raised in ((ValueError, ValueError), (OSError, OSError), (RuntimeError, BuildError)):
        with pytest.raises(raised, match="step.*row of id 7"):
            run(fail, [{"kind": kind}])


def test_a_step_that_does_nothing_is_given_up() -> None:
    def hang(item: Dict[str, Any]) -> Dict[str, Any]:
        time.sleep(600)
        return item
    with pytest.raises(StallError, match="step: nothing was done for 2 s"):
        run(hang, [{}] * 2, limit_s=2)
    with pytest.raises(StallError, match="1 tasks of 64 CPUs"):
        run(hang, [{}], limit_s=2, num_cpus=64)


def test_a_task_alone_has_one_machine_and_no_more_than_its_build_may_have() -> None:
    assert steps.cpus_alone(64, 1) == 3
    assert steps.cpus_alone(2, 1) == 2
    assert steps.cpus_alone(1, 0.5) == 1


@pytest.mark.parametrize("share, held", [(1.0, True), (0.5, False)])
def test_rows_that_are_mostly_the_sample_are_read_once(tmp_path: pathlib.Path, share: float,
                                                       held: bool) -> None:
    def read(block: Any) -> Any:
        (tmp_path / str(time.monotonic_ns())).touch()
        return block

    rows = dataset(table(base(400), ids_of(400)), 2).map_batches(
        read, batch_format="pyarrow", batch_size=None)
    plan = Plan(url=str(tmp_path), storage_options={}, vector="embedding", id="id", columns=[],
                types={}, learn={}, merge="one", ranges=0, rows_per_segment=100, n=400)
    size = int(400 * share)
    later, refs = sample.draw(rows, plan, size, 300.0)
    vectors, ids = sample.gather(refs, plan, size, str(tmp_path), 300.0)
    expected = np.sort(ids_of(400)[np.argsort(obliq.sample_key(1, ids_of(400)))[:size]])
    assert (ids == expected).all() and vectors.shape == (size, 32)
    times = len(os.listdir(tmp_path))
    assert later.count() == 400
    assert (len(os.listdir(tmp_path)) == times) == held
