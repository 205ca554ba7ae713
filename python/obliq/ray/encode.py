"""Encodes batches into segments, each under a name that its rows decide.

A task opens the model by its path, so that it can start again anywhere. A batch whose segment is
there is passed by. The file appears whole or not at all; two tasks that encode the same batch write
the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, List, Optional

import numpy as np
import pyarrow as pa
import ray

import obliq
from obliq.ray import memory, steps
from obliq.ray.plan import Plan, cut_lists, digest
from obliq.ray.store import Store
from obliq.ray.train import Trained
from obliq.ray.vectors import refuse_odd_numbers, refuse_other_dim, rows_of

_RESULT = pa.schema([("key", pa.string()), ("n", pa.int64()), ("first_id", pa.int64())])


def encode_batch(table: pa.Table, text: str, trained: Dict[str, Any], threads: int,
                 max_memory: int) -> pa.Table:
    """Makes a segment of a batch, unless it is there."""
    if table.num_rows == 0:
        return _RESULT.empty_table()
    plan, model = Plan.load(text), Trained(**trained)
    ids, vectors = rows_of(table, plan.vector, plan.id)
    refuse_other_dim(ids, plan.vector, vectors.shape[1], model.dim)
    columns = table.select(plan.columns) if plan.columns else None
    types: Any = plan.types or None
    key = digest(model.key, repr(plan.types), ids, np.ascontiguousarray(vectors),
                 *_bytes_of(columns))
    paths = segment_paths(plan, model, key)
    store = plan.store()
    if not (plan.resume and store.has(paths[-1])):
        with tempfile.TemporaryDirectory(dir=store.beside()) as folder:
            opened = obliq.Model.open(store.shared(model.path, folder))
            written = os.path.join(folder, "encoded.obliq")
            try:
                opened.encode(vectors, written, ids, columns=columns, types=types, threads=threads,
                              max_memory=max_memory)
            except ValueError as error:
                refuse_odd_numbers(vectors, ids, plan.vector)
                raise ValueError(f"rows of ids {ids.min()} to {ids.max()}: {error}") from error
            _put(plan, store, opened, written, paths)
    return pa.table([[key], [len(ids)], [int(ids.min())]], schema=_RESULT)


def _put(plan: Plan, store: Store, model: obliq.Model, written: str, paths: List[str]) -> None:
    if not plan.ranges:
        store.put(paths[0], written)
        return
    piece = f"{written}.piece"
    for path, lists in zip(paths, cut_lists(model.nlist, plan.ranges)):
        obliq.merge(model, [written], piece, lists=lists, segment=True)
        store.put(path, piece)


def segment_paths(plan: Plan, trained: Trained, key: str) -> List[str]:
    """The files of a segment, in the order in which they are written."""
    if not plan.ranges:
        return [f"segments/{key}.obliq"]
    count = len(cut_lists(trained.nlist, plan.ranges))
    return [f"pieces/{key}/{plan.ranges}-{number:04}.obliq" for number in range(count)]


def encode(rows: Any, plan: Plan, trained: Trained, most: int, num_cpus: float,
           column_bytes: int, limit_s: float) -> List[Dict[str, Any]]:
    """Segments of all rows: key, n, first_id of each, by rising first_id. Raises ValueError naming
    the rows at fault."""
    shape = (plan.rows_per_segment, trained.dim, trained.width, trained.nlist, trained.raw)
    asked = memory.encode_bytes(*shape, column_bytes)
    (_, most), num_cpus = steps.pool_size((1, most), num_cpus)
    memory.check_fits("encode", asked, num_cpus, ray.nodes())
    allowed = memory.code_bytes(plan.rows_per_segment, trained.dim, trained.nlist, trained.raw,
                                column_bytes)
    segments = rows.map_batches(
        encode_batch, fn_args=(plan.dump(), vars(trained), max(1, int(num_cpus)), allowed),
        batch_size=plan.rows_per_segment, batch_format="pyarrow", zero_copy_batch=True,
        compute=ray.data.TaskPoolStrategy(size=most), num_cpus=num_cpus, memory=asked)
    found = steps.run("encode", segments, limit_s)
    return sorted(found, key=lambda segment: (segment["first_id"], segment["key"]))


def _bytes_of(columns: Optional[pa.Table]) -> List[Any]:
    if columns is None:
        return []
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, columns.schema) as writer:
        for batch in columns.combine_chunks().to_batches():
            writer.write_batch(batch)
    return [sink.getvalue()]
