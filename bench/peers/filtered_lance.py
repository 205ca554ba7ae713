"""LanceDB (the lancedb wheel) under filters: inverted lists over 8-bit codes, prefiltered.

The attributes are columns with a B-tree index each. A filter is text, `column < bound`, that comes
with each query and is evaluated with it, before the lists are searched (`prefilter=True`). What is
tuned is nprobes. It trains its own centroids, as many as the others have. The table is a folder,
read through the page cache and LanceDB's own.
"""

import os
import shutil
import tempfile

import lancedb
import numpy as np
import pyarrow

import filtered

DEFAULT = ["IVF_SQ"]
METRICS = {"cosine": "cosine", "l2": "l2", "ip": "dot"}
ROWS_A_BATCH = 1 << 16


class Filtered(filtered.FilteredMethod):
    """`spec` is LanceDB's name of an index type."""

    def __init__(self, run, spec):
        self.run, self.index_type = run, spec
        self.name = f"lancedb {spec}"

    def build(self):
        run = self.run
        self.folder = tempfile.mkdtemp()
        table = lancedb.connect(self.folder).create_table("vectors", data=self.batches())
        table.create_index(METRICS[run.set.metric], num_partitions=run.nlist,
                           index_type=self.index_type)
        for name in self.cases.columns:
            table.create_scalar_index(name, index_type="BTREE")

    def batches(self):
        """A record batch reader over the base and its attributes; the ids are the rows."""
        columns = {name: self.cases.attribute(name) for name in self.cases.columns}
        columns["id"] = np.arange(self.run.set.n, dtype=np.int64)
        vector = pyarrow.list_(pyarrow.float32(), self.run.set.dim)
        schema = pyarrow.schema([*((name, pyarrow.int64()) for name in columns),
                                 ("vector", vector)])

        def parts():
            for first in range(0, self.run.set.n, ROWS_A_BATCH):
                rows = slice(first, first + ROWS_A_BATCH)
                flat = pyarrow.array(self.run.set.base[rows].ravel())
                yield pyarrow.record_batch(
                    [*(pyarrow.array(values[rows]) for values in columns.values()),
                     pyarrow.FixedSizeListArray.from_arrays(flat, self.run.set.dim)],
                    schema=schema)

        return pyarrow.RecordBatchReader.from_batches(schema, parts())

    def save(self, path):
        shutil.rmtree(path, ignore_errors=True)
        shutil.move(self.folder, path)

    def load(self, path):
        self.table = lancedb.connect(path).open_table("vectors")
        self.rows = list(self.run.set.queries)

    def ladder(self):
        return self.run.nprobes

    def make_filter(self, column, bound):
        return f"{column} < {bound}"

    def ready(self, chosen, value):
        self.chosen, self.nprobe = chosen, value

    def one(self, query):
        search = self.table.search(self.rows[query]).limit(self.run.set.k)
        search = search.nprobes(self.nprobe).select(["id", "_distance"])
        if self.chosen is not None:
            search = search.where(self.chosen, prefilter=True)
        return search.to_arrow()

    def ids_of(self, query, result):
        del query
        return result["id"].to_numpy()


def main():
    os.environ.setdefault("LANCE_CPU_THREADS", "1")
    filtered.main(Filtered, DEFAULT, {"lancedb": lancedb.__version__}, "LanceDB under filters")


if __name__ == "__main__":
    main()
