"""What a progress callback of obliq.Index, Model and merge sees, and how it stops a call."""

import itertools
import pathlib
import tempfile
from typing import Any, Callable

import numpy as np
import pytest

import obliq

BASE = np.random.default_rng(1).normal(size=(3000, 24)).astype(np.float32)
QUERIES = BASE[::7]
MODEL = obliq.Model.train(BASE, nlist=20)


def merge(progress: Any, folder: pathlib.Path, tune: bool = True) -> None:
    with tempfile.TemporaryDirectory() as other:
        segments = [f"{other}/0", f"{other}/1"]
        MODEL.encode(BASE[:1000], segments[0])
        MODEL.encode(BASE[1000:], segments[1], first=1000)
        obliq.merge(MODEL, segments, folder / "a", tune=tune, progress=progress)


Call = Callable[[Any, pathlib.Path], Any]

CALLS: dict[str, Call] = {
    "build": lambda p, _: obliq.Index.build(BASE, nlist=20, progress=p),
    "without tuning": lambda p, _: obliq.Index.build(BASE, nlist=20, tune=False, progress=p),
    "learning": lambda p, _: obliq.Index.build(BASE, "ip", "wf4", train_queries=QUERIES, nlist=40,
                                               list_groups=4, progress=p),
    "given centroids": lambda p, _: obliq.Index.build(BASE, centroids=BASE[:30], progress=p),
    "file": lambda p, folder: obliq.Index.build(BASE, nlist=20, path=folder / "a", progress=p),
    "file, not tuned": lambda p, folder: obliq.Index.build(BASE, tune=False, path=folder / "a",
                                                           max_memory=60_000_000, progress=p),
    "tune": lambda p, _: obliq.Index.build(BASE, nlist=20).tune(QUERIES, progress=p),
    "tune again, by the base": lambda p, _: obliq.Index.build(BASE, nlist=20).tune(progress=p),
    "train": lambda p, _: obliq.Model.train(BASE, nlist=20, progress=p),
    "encode": lambda p, folder: MODEL.encode(BASE, folder / "a", progress=p),
    "encode in runs": lambda p, folder: MODEL.encode(BASE, folder / "a", truth=False, progress=p,
                                                     max_memory=19_000_000),
    "merge": merge,
    "merge, not tuned": lambda p, folder: merge(p, folder, tune=False),
    "tune with a raw tier": lambda p, _: obliq.Index.build(BASE, raw="fp32").tune(progress=p),
}


def steps_of(call: Call, folder: pathlib.Path) -> list[tuple[str, float]]:
    steps: list[tuple[str, float]] = []
    call(lambda stage, done: steps.append((stage, done)), folder)
    return steps


@pytest.mark.parametrize("name", CALLS)
def test_each_stage_comes_once_rises_and_ends_at_one(name: str, tmp_path: pathlib.Path) -> None:
    steps = steps_of(CALLS[name], tmp_path)
    stages = [(stage, [done for _, done in group])
              for stage, group in itertools.groupby(steps, key=lambda step: step[0])]
    names = [stage for stage, _ in stages]
    assert len(names) == len(set(names)) >= 1
    for stage, fractions in stages:
        assert fractions == sorted(fractions), stage
        assert fractions[0] >= 0 and fractions[-1] == 1, stage


def test_tuning_tells_how_far_all_its_passes_are(tmp_path: pathlib.Path) -> None:
    """Three ks, 150 queries, 128 of them between two reports."""
    fractions = [done for stage, done in steps_of(CALLS["build"], tmp_path) if stage == "tune"]
    assert len(fractions) > 6 and len(set(fractions)) == len(fractions)
    assert max(np.diff(fractions)) < .3


@pytest.mark.parametrize("answer", [False, np.False_, np.bool_(0), np.array(False),
                                    np.array([False])], ids=repr)
def test_false_of_python_and_numpy_stops(answer: Any, tmp_path: pathlib.Path) -> None:
    for name in ("build", "file", "tune", "train", "encode", "merge"):
        calls = 0

        def stop(stage: str, done: float) -> Any:
            nonlocal calls
            calls += 1
            return answer
        with pytest.raises(obliq.Cancelled):
            CALLS[name](stop, tmp_path)
        assert calls == 1 and not list(tmp_path.iterdir())


@pytest.mark.parametrize("answer", [None, True, np.True_, 1, "", 0.0], ids=repr)
def test_other_answers_go_on(answer: Any) -> None:
    assert len(obliq.Index.build(BASE[:50], progress=lambda *_: answer)) == 50


def test_the_last_report_stops_too(tmp_path: pathlib.Path) -> None:
    """No file then, and the tuning of before."""
    for name in ("file", "encode", "encode in runs", "merge", "merge, not tuned"):
        last = steps_of(CALLS[name], tmp_path)[-1]
        (tmp_path / "a").unlink()
        assert last[1] == 1 and (name != "file" or last[0] == "write")

        def stop(stage: str, done: float, last: Any = last) -> bool:
            return bool((stage, done) != last)
        with pytest.raises(obliq.Cancelled):
            CALLS[name](stop, tmp_path)
        assert not list(tmp_path.iterdir()), name
    index = obliq.Index.build(BASE, nlist=20)
    before = index.stats().tuning
    with pytest.raises(obliq.Cancelled):
        index.tune(QUERIES[:50], progress=lambda stage, done: (stage, done) != ("tune", 1))
    assert index.stats().tuning == before


def test_what_it_raises_comes_out() -> None:
    def fail(stage: str, done: float) -> bool:
        raise OSError("mine")
    with pytest.raises(OSError, match="mine"):
        obliq.Index.build(BASE, nlist=20, progress=fail)
    with pytest.raises(TypeError, match="progress must be a function .* not 5"):
        obliq.Index.build(BASE, progress=5)  # type: ignore[arg-type]
