"""Tasks of a step: their results, their errors, and an end of each wait."""

from __future__ import annotations

import os
import pathlib
import time
from typing import Any, Dict

import pytest

from obliq.ray import BuildError, StallError, steps

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
