"""hnswlib: HNSW over float32 vectors, the reference that other HNSWs are measured against.

M = 16, efConstruction 200: its documentation's example and its defaults. Unit vectors are searched
by inner product, which gives the same graph as L2 and costs a subtraction less a coordinate.

PyPI has hnswlib as source only: pip compiles it here with -march=native, so it has this CPU's
AVX-512. The saved file has the float32 vectors, 8-byte labels and the edges. ef below k is an
error. Graphs built by more than one thread differ from build to build.
"""

import importlib.metadata

import hnswlib

import runner as shared
from graph import EF_CONSTRUCTION, GraphMethod

DEFAULT = "M16"


class HnswlibGraph(GraphMethod):
    """`spec` is M and its number."""

    def __init__(self, run, spec):
        self.run, self.m = run, int(spec.removeprefix("M"))
        self.space = "l2" if run.set.metric == "l2" else "ip"
        self.name = f"hnswlib {spec}"

    def build(self):
        base = self.run.set.base
        self.index = hnswlib.Index(self.space, base.shape[1])
        self.index.init_index(len(base), self.m, EF_CONSTRUCTION)
        self.index.add_items(base, num_threads=self.run.build_threads)

    def save(self, path):
        self.index.save_index(path)

    def load(self, path):
        self.index = hnswlib.Index(self.space, self.run.set.dim)
        self.index.load_index(path)
        self.index.set_num_threads(1)
        self.rows = list(self.run.set.queries)
        self.empty = hnswlib.Index(self.space, self.run.set.dim)
        self.empty.init_index(1)
        self.empty.add_items(self.rows[0])
        self.empty.set_num_threads(1)

    def set(self, params):
        self.index.set_ef(params["ef"])

    def one(self, query):
        self.index.knn_query(self.rows[query], self.run.set.k)

    def answer(self, query):
        return self.index.knn_query(self.rows[query], self.run.set.k)[0][0]

    def all(self, threads):
        return self.index.knn_query(self.run.set.queries, self.run.set.k, threads)[0]

    def empty_call(self):
        self.empty.knn_query(self.rows[0], 1)


def main():
    versions = {"hnswlib": importlib.metadata.version("hnswlib"), "hnswlib_simd": "native"}
    shared.main(HnswlibGraph, DEFAULT, versions, "hnswlib")


if __name__ == "__main__":
    main()
