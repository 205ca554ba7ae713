"""Small sets for the tests of obliq.ray, and what `obliq build` makes of them."""

from __future__ import annotations

import logging
import pathlib
from typing import Any, Dict, List, Optional

import numpy as np
import pyarrow as pa
import ray

import obliq
from obliq.ray import Version


OBJECTS = 400 << 20  # bytes of a machine's object store


def quiet() -> None:
    """Lets Ray say what fails alone."""
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False


def base(n: int = 4000, dim: int = 32, seed: int = 1) -> Any:
    """Vectors around 60 centres, float32 [n][dim]."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(60, dim))
    points = centres[rng.integers(60, size=n)] + 0.6 * rng.normal(size=(n, dim))
    return points.astype(np.float32)


def ids_of(n: int) -> Any:
    """Ids in no order, with gaps."""
    return np.random.default_rng(2).permutation(n).astype(np.int64) * 3 - 50


def table(vectors: Any, ids: Any, **columns: Any) -> pa.Table:
    """A table of fixed size lists."""
    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
    lists = pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
    return pa.table({"id": ids, "embedding": lists, **columns})


def dataset(rows: pa.Table, blocks: int = 8) -> Any:
    """A dataset of so many blocks."""
    size = -(-len(rows) // blocks)
    return ray.data.from_arrow([rows.slice(at, size) for at in range(0, len(rows), size)])


def whole(path: pathlib.Path, vectors: Any, ids: Any, **options: Any) -> bytes:
    """The bytes of one build."""
    obliq.Index.build(vectors, ids=ids, path=path, **options)
    return path.read_bytes()


def only_file(url: Any, version: Version) -> bytes:
    """The bytes of the one shard of a version."""
    assert len(version.shards) == 1
    return (pathlib.Path(url) / version.shards[0].path).read_bytes()


def merged(url: Any, version: Version, to: pathlib.Path) -> bytes:
    """The bytes of what the shards of a version merge to."""
    folder = pathlib.Path(url)
    obliq.merge(obliq.Model.open(folder / version.model),
                [folder / shard.path for shard in version.shards], to)
    return to.read_bytes()


def files(url: Any, folders: Optional[List[str]] = None) -> Dict[str, bytes]:
    """All files under a folder by path; of these folders below it."""
    root = pathlib.Path(url)
    found = [path for path in root.rglob("*") if path.is_file()]
    names = {path.relative_to(root).as_posix(): path for path in found}
    return {name: path.read_bytes() for name, path in names.items()
            if folders is None or name.split("/")[0] in folders}
