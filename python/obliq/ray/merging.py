"""Merges segments into the files that are searched: one index, or a segment for each range.

A task gets paths and writes one file, under a name that its inputs decide. It opens at most FAN_IN
files; more are merged in groups first. Files of a local store are mapped where they lie, others
are copied to the task's machine.
"""

from __future__ import annotations

import json
import os
import tempfile
from typing import Any, Callable, Dict, List, Tuple

import pyarrow as pa
import ray

import obliq
from obliq.ray import memory, steps
from obliq.ray.encode import segment_paths
from obliq.ray.layout import Shard
from obliq.ray.plan import Plan, cut_lists, digest
from obliq.ray.train import Trained

FAN_IN = 256

Job = Dict[str, Any]
Run = Callable[[str, List[Job]], List[Job]]


def merge(plan: Plan, trained: Trained, segments: List[Dict[str, Any]], num_cpus: float,
          alone: int, limit_s: float) -> Tuple[List[Shard], Dict[str, str]]:
    """The shards of the version, in the order of their lists, and the types of their columns. A
    task with none beside it has `alone` CPUs, others num_cpus. Raises ValueError naming an id that
    comes twice."""
    keys = [segment["key"] for segment in segments]
    asked = memory.merge_bytes(min(len(keys), FAN_IN), trained.dim, trained.nlist)
    memory.check_fits("merge", asked, num_cpus, ray.nodes())

    def run(step: str, jobs: List[Job]) -> List[Job]:
        cpus = num_cpus if len(jobs) > 1 else max(num_cpus, alone)
        common = {"text": plan.dump(), "model": trained.path, "threads": max(1, int(cpus))}
        return steps.run_tasks(step, merge_files, [{**job, **common} for job in jobs],
                               memory=asked, num_cpus=cpus, limit_s=24 * limit_s)

    ranges = cut_lists(trained.nlist, plan.ranges) if plan.ranges else [(0, trained.nlist)]
    inputs = [segment_paths(plan, trained, key) for key in keys]
    if plan.merge == "none":  # nothing to merge: a task each that looks at the segment
        jobs = [{"inputs": [], "output": paths[0], "segment": True, "first": 0,
                 "end": trained.nlist} for paths in inputs]
    else:
        jobs = [{"inputs": [paths[number] for paths in inputs], "first": first, "end": end}
                for number, (first, end) in enumerate(ranges)]
        jobs = [finished(job, plan) for job in in_groups(jobs, trained, run)]
    done = run("merge", jobs)
    shards = [Shard(job["output"], job["n"], job["first"], job["end"], job["bytes"])
              for job in done]
    return sorted(shards, key=lambda shard: (shard.first, shard.path)), types_of(done)


def types_of(done: List[Job]) -> Dict[str, str]:
    """The types of all columns by name."""
    return {name: kind for job in done for name, kind in json.loads(job["columns"]).items()}


def finished(job: Job, plan: Plan) -> Job:
    """The job that writes a shard."""
    name = digest("shard", plan.merge, str((job["first"], job["end"])), *job["inputs"])
    return dict(job, output=f"shards/{name}.obliq", segment=plan.merge != "one")


def in_groups(jobs: List[Job], trained: Trained, run: Run) -> List[Job]:
    """Jobs of at most FAN_IN inputs each: groups of more are merged to segments first."""
    while any(len(job["inputs"]) > FAN_IN for job in jobs):
        groups = [dict(job, inputs=job["inputs"][at:at + FAN_IN], number=number)
                  for number, job in enumerate(jobs) for at in range(0, len(job["inputs"]), FAN_IN)]
        for group in groups:
            name = digest("group", str((group["first"], group["end"])), *group["inputs"])
            group.update(output=f"segments/{name}.obliq", segment=True)
        done = run("merge groups", groups)
        jobs = [dict(job, inputs=sorted(group["output"] for group in done
                                        if group["number"] == number))
                for number, job in enumerate(jobs)]
    return jobs


def merge_files(job: Job) -> Job:
    """One merge, as a task. Returns the job with the size of its file and the vectors in it."""
    pa.default_memory_pool().release_unused()  # what the process has read before
    plan = Plan.load(job["text"])
    store = plan.store()
    with tempfile.TemporaryDirectory(dir=store.beside()) as folder:
        model = obliq.Model.open(store.shared(job["model"], folder))
        is_there = not job["inputs"] or plan.resume and store.has(job["output"])
        if is_there:
            made = store.local(job["output"], folder)
        else:
            made = os.path.join(folder, "merged.obliq")
            files = [store.local(path, folder) for path in job["inputs"]]
            range_of = (job["first"], job["end"])
            obliq.merge(model, files, made, segment=job["segment"], threads=job["threads"],
                        lists=None if range_of == (0, model.nlist) else range_of)
        opened = obliq.Index.open(model, [made]) if job["segment"] else obliq.Index.open(made)
        stats, size = opened.stats(), os.path.getsize(made)
        if not is_there:
            store.put(job["output"], made)
    small: Job = {name: job[name] for name in ("output", "first", "end", "number") if name in job}
    return {**small, "n": stats.n, "bytes": size, "columns": json.dumps(stats.columns)}
