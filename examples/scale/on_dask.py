"""An index of a Dask dataframe: the model learns from a sample, every partition becomes a segment,
one merge makes the index. The file is that of one build of all rows, byte for byte.

    python examples/scale/on_dask.py 'embeddings/*.parquet' folder
"""

from __future__ import annotations

import hashlib
import pathlib
import sys
from typing import Any

import dask
import dask.dataframe as dd
import numpy as np
import pandas as pd

import obliq

dask.config.set({"dataframe.convert-string": False})  # which makes texts of lists


def build(frame: Any, folder: pathlib.Path, vector: str = "embedding", id: str = "id",
          **options: Any) -> pathlib.Path:
    """Returns the path of the index. `folder` is one that all workers see; options as in
    Model.train."""
    folder.mkdir(parents=True, exist_ok=True)
    n = len(frame)
    size = obliq.sample_size(n, nlist=options.get("nlist", "auto"))
    share = min(1.0, (size + 6 * size**0.5 + 10) / n)  # more than the sample, hardly ever fewer
    seed = options.get("seed", 1)
    sample = frame[[id, vector]].map_partitions(
        pick, id, seed, share, meta=frame._meta[[id, vector]]).compute()
    model = obliq.Model.train(np.stack(sample[vector]), ids=sample[id].to_numpy(), n=n, **options)
    model.save(folder / "model.obliq")
    parts = frame.map_partitions(encode, folder, vector, id,
                                 meta=pd.Series(dtype=object)).compute()
    obliq.merge(model, list(parts), folder / "index.obliq")
    return folder / "index.obliq"


def pick(rows: Any, id: str, seed: int, share: float) -> Any:
    """Rows of small keys: the same ones, however the dataframe is cut."""
    return rows[obliq.sample_key(seed, rows[id].to_numpy()) / 2.0**64 < share]


def encode(rows: Any, folder: pathlib.Path, vector: str, id: str) -> Any:
    """A segment, under a name that its rows decide: a task that runs twice writes it twice."""
    if len(rows) == 0:
        return pd.Series([], dtype=object)
    ids = rows[id].to_numpy()
    name = hashlib.blake2b(np.ascontiguousarray(ids), digest_size=16).hexdigest()
    model = obliq.Model.open(folder / "model.obliq")
    path = folder / f"{name}.obliq"
    model.encode(np.stack(rows[vector]), path, ids, threads=1)
    return pd.Series([str(path)], dtype=object)


if __name__ == "__main__":
    print(build(dd.read_parquet(sys.argv[1]), pathlib.Path(sys.argv[2])))
