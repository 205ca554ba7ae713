"""Merges segments into the files that are searched: one index, or a segment for each range.

A task gets paths and writes one file, under a name that its inputs decide. It opens at most FAN_IN
files; more are merged in groups first. Files of a local store are mapped where they lie, others
are copied to the task's machine.
"""

from __future__ import annotations

import os
import tempfile
from typing import Any, Callable, Dict, List

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
          limit_s: float) -> List[Shard]:
    """The shards of the version, in the order of their lists. Raises ValueError naming an id that
    comes twice."""
    keys = [segment["key"] for segment in segments]
    if plan.merge == "none":
        store = plan.store()
        paths = [f"segments/{key}.obliq" for key in keys]
        return [Shard(path, segment["n"], 0, trained.nlist, store.size(path))
                for path, segment in zip(paths, segments)]
    ranges = cut_lists(trained.nlist, plan.ranges) if plan.ranges else [(0, trained.nlist)]
    inputs = [segment_paths(plan, trained, key) for key in keys]
    jobs = [{"inputs": [paths[number] for paths in inputs], "first": first, "end": end}
            for number, (first, end) in enumerate(ranges)]
    asked = memory.merge_bytes(min(len(keys), FAN_IN), trained.dim, trained.nlist)
    memory.check_fits("merge", asked, num_cpus, ray.nodes())

    def run(step: str, jobs: List[Job]) -> List[Job]:
        text, model = plan.dump(), trained.path
        return steps.run_tasks(step, merge_files, [dict(job, text=text, model=model,
                                                        threads=max(1, int(num_cpus)))
                                                   for job in jobs],
                               memory=asked, num_cpus=num_cpus, limit_s=24 * limit_s)

    done = run("merge", [finished(job, plan) for job in in_groups(jobs, trained, run)])
    return sorted((Shard(job["output"], job["n"], job["first"], job["end"], job["bytes"])
                   for job in done), key=lambda shard: shard.first)


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
    plan = Plan.load(job["text"])
    store = plan.store()
    with tempfile.TemporaryDirectory(dir=store.beside()) as folder:
        model = obliq.Model.open(store.local(job["model"], folder))
        if not (plan.resume and store.has(job["output"])):
            files = [store.local(path, folder) for path in job["inputs"]]
            written = os.path.join(folder, "merged.obliq")
            lists = None if (job["first"], job["end"]) == (0, model.nlist) else (
                job["first"], job["end"])
            obliq.merge(model, files, written, lists=lists, segment=job["segment"],
                        threads=job["threads"])
            count = _count(model, written, job["segment"])
            store.put(job["output"], written)
        else:
            count = _count(model, store.local(job["output"], folder), job["segment"])
    small = {name: job[name] for name in ("output", "first", "end", "number") if name in job}
    return {**small, "n": count, "bytes": store.size(job["output"])}


def _count(model: obliq.Model, path: str, is_segment: bool) -> int:
    return len(obliq.Index.open(model, [path]) if is_segment else obliq.Index.open(path))
