"""Encodes batches into segments, each under a name that its rows decide.

An actor opens the model by its path, so that one that starts again needs nothing of the one before.
A batch whose segment is there is passed by. The file appears whole or not at all; two actors that
encode the same batch write the same bytes.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any, Dict, List, Optional

import numpy as np
import pyarrow as pa
import ray
from numpy.typing import NDArray

import obliq
from obliq.ray import memory, steps
from obliq.ray.plan import Plan, cut_lists, digest
from obliq.ray.train import Trained
from obliq.ray.vectors import refuse_odd_numbers, refuse_other_dim, rows_of

_RESULT = pa.schema([("key", pa.string()), ("n", pa.int64()), ("first_id", pa.int64())])


class Encoder:
    """Makes a segment of each batch."""

    def __init__(self, text: str, trained: Dict[str, Any], threads: int, max_memory: int) -> None:
        self._plan = Plan.load(text)
        self._trained = Trained(**trained)
        self._store = self._plan.store()
        self._types: Any = self._plan.types or None
        self._threads = threads
        self._max_memory = max_memory
        self._folder = tempfile.TemporaryDirectory(dir=self._store.beside())
        self._model = obliq.Model.open(self._store.local(self._trained.path, self._folder.name))

    def __call__(self, table: pa.Table) -> pa.Table:
        if table.num_rows == 0:
            return _RESULT.empty_table()
        plan = self._plan
        ids, vectors = rows_of(table, plan.vector, plan.id)
        refuse_other_dim(ids, plan.vector, vectors.shape[1], self._trained.dim)
        columns = table.select(plan.columns) if plan.columns else None
        key = digest(self._trained.key, repr(plan.types), ids, np.ascontiguousarray(vectors),
                     *_bytes_of(columns))
        if not (plan.resume and self._store.has(segment_paths(plan, self._trained, key)[-1])):
            self._encode(vectors, ids, columns, key)
        return pa.table([[key], [len(ids)], [int(ids.min())]], schema=_RESULT)

    def _encode(self, vectors: NDArray[Any], ids: NDArray[np.int64], columns: Optional[pa.Table],
                key: str) -> None:
        written = os.path.join(self._folder.name, f"{key}.obliq")
        try:
            self._model.encode(vectors, written, ids, columns=columns,
                               types=self._types, threads=self._threads,
                               max_memory=self._max_memory)
        except ValueError as error:
            refuse_odd_numbers(vectors, ids, self._plan.vector)
            raise ValueError(f"rows of ids {ids.min()} to {ids.max()}: {error}") from error
        paths = segment_paths(self._plan, self._trained, key)
        if not self._plan.ranges:
            self._store.put(paths[0], written)
            return
        piece = f"{written}.piece"
        for path, lists in zip(paths, cut_lists(self._trained.nlist, self._plan.ranges)):
            obliq.merge(self._model, [written], piece, lists=lists, segment=True)
            self._store.put(path, piece)
        os.unlink(written)


def segment_paths(plan: Plan, trained: Trained, key: str) -> List[str]:
    """The files of a segment, in the order in which they are written."""
    if not plan.ranges:
        return [f"segments/{key}.obliq"]
    count = len(cut_lists(trained.nlist, plan.ranges))
    return [f"pieces/{key}/{plan.ranges}-{number:04}.obliq" for number in range(count)]


def encode(dataset: Any, plan: Plan, trained: Trained, pool: Any, num_cpus: float,
           column_bytes: int, limit_s: float) -> List[Dict[str, Any]]:
    """Segments of all rows: key, n, first_id of each, by rising first_id. Raises ValueError naming
    the rows at fault."""
    shape = (plan.rows_per_segment, trained.dim, trained.width, trained.nlist, trained.raw)
    asked = memory.encode_bytes(*shape, column_bytes)
    size, num_cpus = steps.pool_size(pool, num_cpus)
    memory.check_fits("encode", asked, num_cpus, ray.nodes())
    allowed = memory.code_bytes(plan.rows_per_segment, trained.dim, trained.nlist, trained.raw,
                                column_bytes)
    segments = dataset.select_columns(plan.wanted()).map_batches(
        Encoder, fn_constructor_args=(plan.dump(), vars(trained), max(1, int(num_cpus)), allowed),
        batch_size=plan.rows_per_segment, batch_format="pyarrow", zero_copy_batch=True,
        compute=ray.data.ActorPoolStrategy(min_size=size[0], max_size=size[1]), num_cpus=num_cpus,
        memory=asked)
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
