"""An index of a Spark dataframe, as on_dask.py makes it of one of Dask: mapInPandas draws the
sample and encodes partitions.

    spark-submit examples/scale/on_spark.py 'embeddings/*.parquet' folder
"""

from __future__ import annotations

import hashlib
import pathlib
import sys
from typing import Any, Iterable, Iterator

import numpy as np
import pandas as pd
from pyspark.sql import SparkSession

import obliq


def build(frame: Any, folder: pathlib.Path, vector: str = "embedding", id: str = "id",
          **options: Any) -> pathlib.Path:
    """Returns the path of the index. `folder` is one that all executors see; options as in
    Model.train."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = frame.select(id, vector)
    n = rows.count()
    size = obliq.sample_size(n, nlist=options.get("nlist", "auto"))
    share = min(1.0, (size + 6 * size**0.5 + 10) / n)  # more than the sample, hardly ever fewer
    seed = options.get("seed", 1)

    def pick(batches: Iterable[Any]) -> Iterator[Any]:
        for batch in batches:
            yield batch[obliq.sample_key(seed, batch[id].to_numpy()) / 2.0**64 < share]

    def encode(batches: Iterable[Any]) -> Iterator[Any]:
        batches = [batch for batch in batches if len(batch)]  # a partition is a segment
        if batches:
            whole = pd.concat(batches)
            ids = whole[id].to_numpy()
            name = hashlib.blake2b(np.ascontiguousarray(ids), digest_size=16).hexdigest()
            path = folder / f"{name}.obliq"
            obliq.Model.open(folder / "model.obliq").encode(
                np.stack(whole[vector]).astype(np.float32), path, ids, threads=1)
            yield pd.DataFrame({"path": [str(path)]})

    sample = rows.mapInPandas(pick, rows.schema).toPandas()
    model = obliq.Model.train(np.stack(sample[vector]).astype(np.float32),
                              ids=sample[id].to_numpy(), n=n, **options)
    model.save(folder / "model.obliq")
    parts = [row.path for row in rows.mapInPandas(encode, "path string").collect()]
    obliq.merge(model, parts, folder / "index.obliq")
    return folder / "index.obliq"


if __name__ == "__main__":
    session = SparkSession.builder.getOrCreate()
    print(build(session.read.parquet(sys.argv[1]), pathlib.Path(sys.argv[2])))
