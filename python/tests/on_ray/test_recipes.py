"""The recipes of docs/scale.md for other engines give the file of one build."""

from __future__ import annotations

import os
import pathlib
import sys

import pyarrow.parquet as parquet
import pytest

from ray_sets import base, ids_of, table, whole

sys.path.insert(0, str(pathlib.Path(__file__).parents[3] / "examples" / "scale"))


def test_dask_makes_the_file_of_one_build(tmp_path: pathlib.Path) -> None:
    dask = pytest.importorskip("dask")
    dd = pytest.importorskip("dask.dataframe")
    import on_dask
    vectors, ids = base(3000), ids_of(3000)
    for part in range(5):
        rows = table(vectors, ids).slice(600 * part, 600)
        parquet.write_table(rows, tmp_path / f"{part}.parquet")
    with dask.config.set(scheduler="threads", num_workers=2):
        frame = dd.read_parquet(tmp_path / "*.parquet")
        path = on_dask.build(frame, tmp_path / "dask", metric="cosine", preset="fast")
    assert path.read_bytes() == whole(tmp_path / "whole.obliq", vectors, ids, metric="cosine",
                                      preset="fast")


def test_spark_makes_the_file_of_one_build(tmp_path: pathlib.Path) -> None:
    sql = pytest.importorskip("pyspark.sql")
    import on_spark
    os.environ["PYSPARK_PYTHON"] = sys.executable
    try:
        session = sql.SparkSession.builder.master("local[2]").config(
            "spark.ui.enabled", "false").config("spark.driver.host", "127.0.0.1").getOrCreate()
    except Exception as error:  # no Java
        pytest.skip(f"Spark does not start: {error}")
    vectors, ids = base(3000), ids_of(3000)
    types = "id long, embedding array<float>"
    rows = [(int(id), row.tolist()) for id, row in zip(ids, vectors)]
    path = on_spark.build(session.createDataFrame(rows, types).repartition(3), tmp_path / "spark",
                          preset="small")
    session.stop()
    assert path.read_bytes() == whole(tmp_path / "whole.obliq", vectors, ids, preset="small")
