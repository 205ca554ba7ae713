"""FAISS (the faiss-cpu wheel): HNSW over 8-bit scalar codes, or over what a factory string says.

HNSW32 is FAISS's M = 32, up to 64 edges per vector: its users' string, twice what the other graphs
here get; HNSW16 is the other graphs' size. efConstruction is 200 as for all (FAISS's own default
is 40). Unit vectors are searched by L2; inner product gives the same recall and speed.

The saved file has the codes, the layer numbers and edges of 4 bytes; no ids (row numbers). Every
search of one query clears a table of a byte per vector.
"""

import faiss

import runner as shared
from faiss_method import VERSIONS, FaissMethod
from graph import EF_CONSTRUCTION, GraphMethod

DEFAULT = "HNSW32,SQ8"


class FaissHnsw(GraphMethod, FaissMethod):
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

    def set(self, params):
        self.index.hnsw.efSearch = params["ef"]


def main():
    shared.main(FaissHnsw, DEFAULT, VERSIONS, "FAISS HNSW")


if __name__ == "__main__":
    main()
