"""FAISS (the faiss-cpu wheel): HNSW over 8-bit scalar codes, or over what a factory string says.

HNSW32 is FAISS's M = 32, up to 64 edges a vector: its users' string, twice what the other graphs
here get; HNSW16 is the other graphs' size. efConstruction is 200 as for all (FAISS's own default
is 40). Unit vectors are searched by L2; inner product gives the same recall and speed.

The saved file has the codes, the levels and edges of 4 bytes; no ids (row numbers). Every
search of one query clears a table of a byte a vector.
"""

import faiss
import numpy as np

import runner as shared
from graph import EF_CONSTRUCTION, GraphMethod

DEFAULT = "HNSW32,SQ8"


class FaissHnsw(GraphMethod):
    """`spec` is FAISS's factory string; it starts with HNSW."""

    def __init__(self, run, spec):
        self.run, self.factory = run, spec
        self.name = f"faiss {spec}"

    def build(self):
        base = self.run.set.base
        faiss.omp_set_num_threads(self.run.build_threads)
        by_product = self.run.set.metric == "ip"
        metric = faiss.METRIC_INNER_PRODUCT if by_product else faiss.METRIC_L2
        self.index = faiss.index_factory(base.shape[1], self.factory, metric)
        self.index.hnsw.efConstruction = EF_CONSTRUCTION
        self.index.train(base)
        self.index.add(base)

    def save(self, path):
        faiss.write_index(self.index, path)

    def load(self, path):
        """Also makes the arguments of every call: the wrapper's checks cost more than the rest."""
        faiss.omp_set_num_threads(1)
        queries, k = self.run.set.queries, self.run.set.k
        self.index = faiss.read_index(path)
        self.distances = np.empty((len(queries), k), dtype=np.float32)
        self.ids = np.empty((len(queries), k), dtype=np.int64)
        self.rows = [tuple(faiss.swig_ptr(array[query]) for array in
                           (queries, self.distances, self.ids)) for query in range(len(queries))]
        self.empty = faiss.IndexFlatL2(queries.shape[1])

    def set(self, params):
        self.index.hnsw.efSearch = params["ef"]

    def one(self, query):
        row, distances, ids = self.rows[query]
        self.index.search_c(1, row, self.run.set.k, distances, ids)

    def all(self, threads):
        faiss.omp_set_num_threads(threads)
        return self.index.search(self.run.set.queries, self.run.set.k)[1]

    def empty_call(self):
        row, distances, ids = self.rows[0]
        self.empty.search_c(1, row, self.run.set.k, distances, ids)


def main():
    versions = {"faiss-cpu": faiss.__version__, "faiss_simd": faiss.SIMDConfig.get_level_name()}
    shared.main(FaissHnsw, DEFAULT, versions, "FAISS HNSW")


if __name__ == "__main__":
    main()
