"""USearch (the usearch wheel): HNSW over float16 or int8 vectors.

Connectivity 16 (its default; 32 edges in the bottom layer) and an expansion of 200 while adding
(its default is 128; 200 is what all graphs here get). Unit vectors are searched by its cosine
distance, which is the one that its int8 vectors are made for.

int8 scales each vector to length 127 whatever the metric, so it loses the norms: it is for cosine
only. The saved file has the vectors, 8-byte keys and 4-byte edges. One query is searched through
the compiled index below `Index.search`, whose Python costs about three microseconds.
"""

import numpy as np
import usearch
from usearch.index import Index, ScalarKind

import runner as shared
from graph import EF_CONSTRUCTION, M, GraphMethod

DEFAULT = "f16;i8"
METRICS = {"cosine": "cos", "l2": "l2sq", "ip": "ip"}


class UsearchGraph(GraphMethod):
    """`spec` is USearch's name of a storage type: f32, f16, bf16, i8."""

    def __init__(self, run, spec):
        if spec == "i8" and run.set.metric != "cosine":
            raise SystemExit(f"usearch: i8 loses the norms that {run.set.metric} needs; use f16")
        self.run, self.storage = run, spec
        self.name = f"usearch {spec}"

    def new_index(self):
        return Index(ndim=self.run.set.dim, metric=METRICS[self.run.set.metric],
                     dtype=self.storage, connectivity=M, expansion_add=EF_CONSTRUCTION)

    def build(self):
        base = self.run.set.base
        self.index = self.new_index()
        self.index.add(np.arange(len(base)), base, threads=self.run.build_threads)

    def save(self, path):
        self.index.save(path)

    def load(self, path):
        self.index, self.empty = self.new_index(), self.new_index()
        self.index.load(path)
        self.rows = list(self.run.set.queries[:, None])
        self.empty.add(0, self.rows[0][0])

    def set(self, params):
        self.index.expansion_search = params["ef"]

    def one(self, query):
        search_compiled(self.index, self.rows[query], self.run.set.k)

    def all(self, threads):
        return self.index.search(self.run.set.queries, self.run.set.k, threads=threads).keys

    def empty_call(self):
        search_compiled(self.empty, self.rows[0], 1)


def search_compiled(index, rows, k):
    """What `Index.search` calls, on one thread; (keys, distances, counts, ...)."""
    return index._compiled.search_many(rows, count=k, exact=False, threads=1,
                                       dtype=ScalarKind.Unknown)


def main():
    versions = {"usearch": usearch.__version__,
                "usearch_simd": Index(ndim=8, dtype="i8").hardware_acceleration}
    shared.main(UsearchGraph, DEFAULT, versions, "USearch HNSW")


if __name__ == "__main__":
    main()
