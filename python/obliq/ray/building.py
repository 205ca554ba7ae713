"""Builds an index of a ray.data.Dataset: `obliq.ray.build`.

    count     how many rows there are                                   metadata, or a pass
    sample    the rows whose sample_key(seed, id) is small: any order of blocks gives the same
    train     one task makes the model                                  models/KEY.obliq
    encode    map_batches with tasks: a batch, a segment                segments/KEY.obliq
    merge     tasks, one for each range of lists                        shards/KEY.obliq
    tune      learn queries are searched in the shards                  (ranges alone)
    commit    one put                                                   CURRENT

Only paths go to tasks, never models or vectors, so that what restarts finds all that it
needs. What each step writes is named by its input (layout.py): a step that runs again is harmless.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple, Union

import ray

from obliq.ray import steps
from obliq.ray.commit import commit, remove_work, sweep
from obliq.ray.encode import encode, segment_paths
from obliq.ray.layout import Shard, Version
from obliq.ray.merging import merge as merge_shards
from obliq.ray.plan import Plan, as_names, parse_merge
from obliq.ray.train import Trained, learn_options, train
from obliq.ray.tuning import tune

_LAYOUTS = {"one": "one", "none": "segments"}


def build(dataset: Any, url: str, vector: str = "embedding", id: str = "id", *,
          metric: str = "l2", quantizer: Optional[str] = None, spill: Optional[float] = None,
          columns: Optional[List[str]] = None, types: Optional[Dict[str, str]] = None,
          rows_per_segment: int = 262144, concurrency: Union[int, Tuple[int, int]] = (1, 64),
          num_cpus: float = 1, merge: str = "one", resume: bool = True,
          storage_options: Optional[Dict[str, Any]] = None, keep_segments: bool = False,
          limit_s: float = 1800.0, **learn: Any) -> Version:
    """Builds an index of all rows of a ray.data.Dataset under `url` and makes it visible there, all
    at once. With merge="one" it is the file that `obliq build` writes, byte for byte.

    url         a folder that all machines see, or what fsspec opens: s3://, gs://, abfs://
    vector      column of the vectors: fixed size lists or tensors of one axis; float16, float32,
                float64, int8 or uint8
    id          column of the ids: whole numbers, all different, none -1
    columns     names of columns that searches filter by and return; types: as in Index.build
    rows_per_segment    rows that one call encodes; memory grows with it (memory.py)
    concurrency         how many segments are encoded at a time, at most; one CPU of the cluster
                stays free for the reads that feed them. Of a pair, as a search takes it, the
                second: there is no least number of tasks
    num_cpus    of a task that encodes or merges, and its threads. Training, and a merge with none
                beside it, take the CPUs of one machine, concurrency * num_cpus at most
    merge       "one": one index; "ranges:16": so many segments of ranges of lists, for shards;
                "none": the segments as they are
    resume      pass by what an earlier call with the same rows and options has written
    storage_options     of fsspec
    keep_segments       leave the segments under the url after the commit
    limit_s     seconds without progress after which a step is given up; training, merging: 24 times
    learn       preset, raw, nlist, seed, kmeans_points, kmeans_iterations, list_groups, as in
                Model.train

    The dataset is read once more where its rows have to be counted, and once more where they are
    more than about two million: write embeddings to files first, or materialize() them.

    Raises ValueError naming the rows with NaN, a wrong dim, or an id that comes twice, and for
    wrong arguments; StallError, BuildError. Nothing is visible then.
    """
    plan = _plan_of(dataset, url, vector, id, columns, types, merge, rows_per_segment, resume,
                    storage_options, dict(learn, metric=metric, quantizer=quantizer, spill=spill))
    how = How(steps.as_concurrency(concurrency)[1], num_cpus, keep_segments, limit_s)
    return _run(_narrowed(dataset, plan), plan, how)


@dataclass(frozen=True)
class How:
    """What changes no byte of the index, as build takes it."""

    most: int
    num_cpus: float
    keep_segments: bool
    limit_s: float


def _run(rows: Any, plan: Plan, how: How) -> Version:
    num_cpus, limit_s = how.num_cpus, how.limit_s
    alone = steps.cpus_alone(how.most, num_cpus)
    trained, rows = train(rows, plan, alone, limit_s)
    segments = encode(rows, plan, trained, how.most, num_cpus, _column_bytes(rows, plan), limit_s)
    del rows  # of Ray's store
    refuse_repeated(segments, plan.n)
    shards, kinds = merge_shards(plan, trained, segments, num_cpus, alone, limit_s)
    paths = [path for segment in segments for path in segment_paths(plan, trained, segment["key"])]
    made = _version(plan, trained, shards, kinds, limit_s)
    version = commit(plan.store(), made)
    if not how.keep_segments:
        remove_work(plan.store(), paths, version)
    sweep(plan.url, storage_options=plan.storage_options)
    return version


def _plan_of(dataset: Any, url: str, vector: str, id: str, columns: Any, types: Any, merge: str,
             rows: int, resume: bool, storage_options: Any, learn: Dict[str, Any]) -> Plan:
    if not isinstance(dataset, ray.data.Dataset):
        raise TypeError("dataset must be a ray.data.Dataset, as ray.data.read_parquet(...) gives, "
                        f"not {type(dataset).__name__}")
    if type(rows) is not int or rows < 1:
        raise ValueError(f"rows_per_segment must be 1 or more, not {rows}")
    ranges = parse_merge(merge)
    options = learn_options(learn)
    plan = Plan(url=str(url), storage_options=dict(storage_options or {}), vector=vector, id=id,
                columns=as_names(columns, "columns"), types=dict(types or {}), learn=options,
                merge=merge, ranges=ranges, rows_per_segment=rows, n=dataset.count(),
                resume=bool(resume))
    if plan.n == 0:
        raise ValueError("the dataset has no rows: there is nothing to build an index of")
    return plan


def _narrowed(dataset: Any, plan: Plan) -> Any:
    """The columns of the build alone; the dataset where it has no others, which saves a copy of
    what is in Ray's store already. Raises ValueError."""
    there, wanted = set(dataset.schema().names), plan.wanted()
    for name in wanted:
        if name not in there:
            raise ValueError(f"the dataset has no column '{name}'; it has "
                             f"{', '.join(sorted(there))}")
    return dataset.select_columns(wanted) if there > set(wanted) else dataset


def _column_bytes(rows: Any, plan: Plan) -> int:
    """Of a row's columns in Arrow, four times, by the first rows."""
    if not plan.columns:
        return 0
    table = rows.select_columns(plan.columns).take_batch(1000, batch_format="pyarrow")
    return int(4 * (table.nbytes // max(1, table.num_rows) + 16))


def refuse_repeated(segments: List[Dict[str, Any]], n: int) -> None:
    """Segments are named by their rows: the same rows twice make one file. Raises ValueError."""
    keys: Dict[str, int] = {}
    for segment in segments:
        if segment["key"] in keys:
            raise ValueError(f"the dataset has the same {segment['n']} rows twice, from id "
                             f"{segment['first_id']} on: each id may come once")
        keys[segment["key"]] = segment["n"]
    if sum(keys.values()) != n:
        raise ValueError(f"the dataset had {n} rows when they were counted and has "
                         f"{sum(keys.values())} now: what makes it must give the same each time")


def _version(plan: Plan, trained: Trained, shards: List[Shard], kinds: Dict[str, str],
             limit_s: float) -> Version:
    made = Version(number=0, layout=_LAYOUTS.get(plan.merge, "ranges"), n=plan.n, dim=trained.dim,
                   metric=trained.metric, quantizer=trained.quantizer, nlist=trained.nlist,
                   model=trained.path, shards=shards, columns=kinds)
    return tune(plan, made, limit_s)
