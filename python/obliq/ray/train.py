"""The model of a build: one task gathers the sample and trains, unless the model is there."""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import dataclass
from typing import Any, List, Tuple

import ray

import obliq
from obliq.ray import memory, sample, steps
from obliq.ray.errors import StallError
from obliq.ray.plan import LEARN_OPTIONS, Plan
from obliq.ray.vectors import refuse_odd_numbers, rows_of


@dataclass(frozen=True)
class Trained:
    """A model under the url and what later steps need to know of it; `width`: bytes per component
    of the vectors as given."""

    path: str
    key: str
    dim: int
    width: int
    nlist: int
    raw: str
    metric: str
    quantizer: str
    n: int


def train(rows: Any, plan: Plan, cpus: int, limit_s: float) -> Tuple[Trained, Any]:
    """Draws the sample and trains; the model, and the rows as sample.draw gives them. Raises as
    Model.train."""
    sized = {name: plan.learn[name] for name in ("nlist", "kmeans_points") if name in plan.learn}
    size = obliq.sample_size(plan.n, **sized)
    rows, refs = sample.draw(rows, plan, size, limit_s)
    dim = _dim_of(refs, plan, limit_s)
    asked = memory.train_bytes(size, dim, min(plan.n, 4 * int(plan.n**0.5) + 1))
    memory.check_fits("train", asked, cpus, ray.nodes())
    task = _train.options(num_cpus=cpus, memory=asked, max_retries=steps.MOST_DEATHS,
                          name="obliq train")
    try:
        return Trained(**ray.get(task.remote(refs, plan.dump(), size, cpus, limit_s),
                                 timeout=24 * limit_s)), rows
    except ray.exceptions.GetTimeoutError as error:
        raise StallError(f"train: it has taken {24 * limit_s:g} s; lower kmeans_points, or "
                               "raise limit_s") from error
    except Exception as error:
        raise steps.translated("train", error, limit_s) from error


@ray.remote
def _train(refs: List[Any], text: str, size: int, threads: int, limit_s: float) -> Any:
    plan = Plan.load(text)
    store = plan.store()
    with tempfile.TemporaryDirectory(dir=store.beside()) as folder:
        matrix, ids = sample.gather(refs, plan, size, folder, limit_s)
        key = sample.model_key(plan, matrix, ids)
        path = f"models/{key}.obliq"
        if plan.resume and store.has(path):
            model = obliq.Model.open(store.shared(path, folder))
        else:
            try:
                model = obliq.Model.train(matrix, ids=ids, n=plan.n, threads=threads, **plan.learn)
            except ValueError:
                refuse_odd_numbers(matrix, ids, plan.vector)
                raise
            written = os.path.join(folder, "model.obliq")
            model.save(written)
            store.put(path, written)
        stats = model.stats()
        return {"path": path, "key": key, "dim": stats.dim, "width": matrix.itemsize,
                "nlist": stats.nlist, "raw": stats.raw, "metric": stats.metric,
                "quantizer": stats.quantizer, "n": stats.n}


def learn_options(given: Any) -> Any:
    """Options of train that are given, of JSON's types. Raises TypeError on others."""
    unknown = sorted(set(given) - set(LEARN_OPTIONS))
    if unknown:
        raise TypeError(f"build takes no argument '{unknown[0]}'; of Model.train it takes "
                        f"{', '.join(LEARN_OPTIONS)}")
    options = {name: value for name, value in given.items() if value is not None}
    json.dumps(options)
    return options


def _dim_of(refs: List[Any], plan: Plan, limit_s: float) -> int:
    task = _first_dim.options(max_retries=steps.MOST_DEATHS)
    try:
        return int(ray.get(task.remote(refs, plan.dump()), timeout=limit_s))
    except Exception as error:
        raise steps.translated("sample", error, limit_s) from error


@ray.remote(num_cpus=0)
def _first_dim(refs: List[Any], text: str) -> int:
    """Of the first block that has rows; one task, as each more at a time starts a process."""
    plan = Plan.load(text)
    for ref in refs:
        table = ray.get(ref)
        if table.num_rows:
            return int(rows_of(table.slice(0, 1), plan.vector, plan.id)[1].shape[1])
    return 0
