"""How much memory the steps of a build take. Asked of Ray (`memory=`), so that a machine gets no
more of them at once than it holds, and given to the library, which keeps to it.

In bytes, with n rows per segment, dim, b bytes per component as given, nlist lists, s segments, m
vectors in the sample and at most 1,000 learn queries:

    process   350 MB                                            Python, Ray, Arrow, the library
    encode    process + 2 n dim b + codes + model + truth
    codes     n (6 dim + 512 + raw bytes + columns) + 1,024 (24 dim + 256) + 2 MB per thread
    model     nlist (8 dim + 512) + 16 MB
    truth     1,000 (4 dim + 1,536)
    train     process + 3 m dim 4 + model
    merge     process + 4 MB + 128 nlist + s (192 dim + 1.6 MB)

The batch is counted twice: Ray joins blocks to it. Pages of files that are mapped are not counted;
the system drops them when it needs the memory. `columns` is what Arrow takes for a row's columns,
four times; 0 without.
"""

from __future__ import annotations

from typing import Any, Dict

MB = 1 << 20
PROCESS = 350 * MB
_LEARN_QUERIES = 1000
_RAW = {"none": 0, "fp16": 2, "fp32": 4}


def model_bytes(nlist: int, dim: int) -> int:
    """What an encoder holds for the model."""
    return nlist * (8 * dim + 512) + 16 * MB


def truth_bytes(dim: int) -> int:
    """The true neighbours of the learn queries."""
    return _LEARN_QUERIES * (4 * dim + 1536)


def code_bytes(rows: int, dim: int, nlist: int, raw: str, column_bytes: int) -> int:
    """What Model.encode is allowed (max_memory)."""
    each = 6 * dim + 512 + _RAW[raw] * dim + column_bytes
    return rows * each + 1024 * (24 * dim + 256) + model_bytes(nlist, dim) + 4 * MB


def encode_bytes(rows: int, dim: int, width: int, nlist: int, raw: str, column_bytes: int) -> int:
    """A worker that encodes; `width`: bytes per component as given."""
    return (PROCESS + 2 * rows * dim * width + code_bytes(rows, dim, nlist, raw, column_bytes) +
            truth_bytes(dim))


def train_bytes(sample: int, dim: int, nlist: int) -> int:
    """The task that trains."""
    return PROCESS + 3 * sample * dim * 4 + model_bytes(nlist, dim)


def merge_bytes(segments: int, dim: int, nlist: int) -> int:
    """A task that merges so many segments, at most FAN_IN of them."""
    return PROCESS + 4 * MB + 128 * nlist + segments * (192 * dim + 1600 * 1024)


def check_fits(step: str, memory: int, num_cpus: float, nodes: Any) -> None:
    """Raises ValueError where no machine of the cluster could ever run a step: Ray would wait."""
    alive: list[Dict[str, float]] = [node["Resources"] for node in nodes if node["Alive"]]
    most = max((node.get("memory", 0) for node in alive), default=0)
    cpus = max((node.get("CPU", 0) for node in alive), default=0)
    if most and memory > most:
        raise ValueError(f"{step} takes {memory / 1e9:.1f} GB of memory, and the largest machine "
                         f"of the cluster offers {most / 1e9:.1f} GB: lower rows_per_segment, or "
                         "kmeans_points, or start Ray with more memory")
    if num_cpus > cpus:
        raise ValueError(f"{step} asks for {num_cpus:g} CPUs, and no machine of the cluster has "
                         f"more than {cpus:g}")
