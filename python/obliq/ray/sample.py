"""What a model learns from: the rows of the smallest sample_key(seed, id).

The key of a row depends on its id alone, so that the sample does, too, whatever the blocks. Keys
are evenly spread: those below a bound are about as many as their share, and with six standard
deviations more there are enough but for one case in a billion, when the bound doubles. More rows
than the sample do no harm: train leaves them out. Here they are left out at once, so that the
digest of the sample tells the model.

A sample of MOST_OF the rows or more is not drawn by itself: all rows are read into Ray's store
once, for it and for the encoders.
"""

from __future__ import annotations

import os
from typing import Any, Dict, Iterable, List, Tuple

import numpy as np
import pyarrow as pa
import ray
from numpy.typing import NDArray

import obliq
from obliq.ray import steps
from obliq.ray.plan import Plan, digest
from obliq.ray.vectors import (as_fixed_lists, ids_of, named, refuse_odd_numbers, refuse_other_dim,
                               rows_of)

_KEYS = 1 << 64
MOST_OF = 3 / 4


def bound_of(size: int, n: int) -> int:
    """Keys below it are those of at least `size` of n rows, but for bad luck."""
    if size >= n:
        return _KEYS
    return min(_KEYS, int((size + 6 * size**0.5 + 10) / n * _KEYS))


def draw(rows: Any, plan: Plan, size: int, limit_s: float) -> Tuple[Any, List[Any]]:
    """The rows for later steps, which are held in Ray's store if most of them are the sample; and
    references to tables with ids and vectors of those with the `size` smallest keys, and some
    more."""
    if size < MOST_OF * plan.n:
        return rows, _chosen(rows, plan, size, limit_s)
    steps.limit(rows, limit_s)
    try:
        held = rows.materialize()
        return held, list(held.to_arrow_refs())
    except Exception as error:
        raise steps.translated("sample", error, limit_s) from error


def _chosen(rows: Any, plan: Plan, size: int, limit_s: float) -> List[Any]:
    if plan.columns:
        rows = rows.select_columns([plan.id, plan.vector])
    bound = bound_of(size, plan.n)
    while True:
        chosen = rows.map_batches(
            choose, fn_kwargs={"text": plan.dump(), "bound": bound}, batch_format="pyarrow",
            batch_size=None, zero_copy_batch=True)
        steps.limit(chosen, limit_s)
        try:
            found = chosen.materialize()
            if found.count() >= min(size, plan.n) or bound == _KEYS:
                return list(found.to_arrow_refs())
        except Exception as error:
            raise steps.translated("sample", error, limit_s) from error
        bound = min(_KEYS, 2 * bound)


def choose(table: pa.Table, text: str, bound: int) -> pa.Table:
    """The rows of a block whose keys are below the bound."""
    plan = Plan.load(text)
    if table.num_rows == 0:
        return pa.table({plan.id: pa.array([], pa.int64())})
    ids, vectors = rows_of(table, plan.vector, plan.id)
    if bound < _KEYS:
        kept = obliq.sample_key(plan.learn.get("seed", 1), ids) < np.uint64(bound)
        ids, vectors = ids[kept], vectors[kept]
    refuse_odd_numbers(vectors, ids, plan.vector)
    if len(ids) == 0:
        return pa.table({plan.id: pa.array([], pa.int64())})
    return pa.table({plan.id: ids, plan.vector: as_fixed_lists(vectors)})


def gather(refs: Iterable[Any], plan: Plan, size: int, folder: str,
           limit_s: float) -> Tuple[NDArray[Any], NDArray[np.int64]]:
    """Vectors and ids of the sample, by rising id; the vectors in a mapped file of the folder,
    whose name is gone. Memory: one block, 24 bytes per row."""
    blocks = [block for block in (_ids(ref, plan, limit_s) for ref in refs) if len(block[1])]
    ids = np.concatenate([ids for _, ids in blocks]) if blocks else np.zeros(0, np.int64)
    distinct, times = np.unique(ids, return_counts=True)
    if (times > 1).any():
        raise ValueError(f"{named(distinct[times > 1])}: an id may come once, and comes twice")
    keys = obliq.sample_key(plan.learn.get("seed", 1), ids)
    kept = np.lexsort((ids, keys))[:size]
    rank = np.full(len(ids), -1, np.int64)
    rank[kept[np.argsort(ids[kept], kind="stable")]] = np.arange(len(kept))
    first, matrix = 0, np.zeros((0, 0), np.float32)
    for ref, block in blocks:
        table = ray.get(ref, timeout=limit_s)
        _, vectors = rows_of(table, plan.vector, plan.id)
        if first == 0:
            matrix = _mapped(folder, (len(kept), vectors.shape[1]), vectors.dtype)
        refuse_other_dim(block, plan.vector, vectors.shape[1], matrix.shape[1])
        places = rank[first:first + len(block)]
        if (places < 0).any():
            places, vectors = places[places >= 0], vectors[places >= 0]
        matrix[places] = vectors
        first += len(block)
    return matrix, np.sort(ids[kept])


def model_key(plan: Plan, matrix: NDArray[Any], ids: NDArray[np.int64]) -> str:
    """Names the model of a sample and of options."""
    learn: Dict[str, Any] = plan.learn
    options = repr(sorted(learn.items())) + f" n={plan.n} {matrix.dtype.str} {matrix.shape}"
    return digest(options, ids, np.ascontiguousarray(matrix))


def _ids(ref: Any, plan: Plan, limit_s: float) -> Tuple[Any, NDArray[np.int64]]:
    table = ray.get(ref, timeout=limit_s)
    return ref, ids_of(table, plan.id) if table.num_rows else np.zeros(0, np.int64)


def _mapped(folder: str, shape: Tuple[int, int], dtype: Any) -> NDArray[Any]:
    path = os.path.join(folder, f"sample-{os.getpid()}.raw")
    matrix = np.memmap(path, dtype, "w+", shape=shape) if shape[0] and shape[1] else np.zeros(
        shape, dtype)
    if os.path.exists(path):
        os.unlink(path)
    return matrix
