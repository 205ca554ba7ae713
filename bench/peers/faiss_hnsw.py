"""FAISS (the faiss-cpu wheel): HNSW over 8-bit scalar codes and over RaBitQ codes of 4 and 8 bits,
or over what a factory string says.

HNSW32 is FAISS's M = 32, up to 64 edges per vector: its users' string, twice what the other graphs
here get; HNSW16 is the other graphs' size. efConstruction is 200 as for all (FAISS's own default
is 40). Unit vectors are searched by L2; inner product gives the same recall and speed, and RaBitQ
codes have L2 only. These are behind a random rotation (RR), without which RaBitQ loses its
guarantee. The graph is built on the codes, for RaBitQ by slow distances: the build takes about
four times that of SQ8. Without a re-ranking store one bit stays below recall .75 and is left out.

The saved file has the codes, the layer numbers and edges of 4 bytes; no ids (row numbers). Every
search of one query clears a table of a byte per vector.
"""

import faiss

import runner as shared
from faiss_method import ROTATION_SEED, VERSIONS, FaissMethod
from graph import EF_CONSTRUCTION, GraphMethod

DEFAULT = "HNSW32,SQ8;RR,HNSW32,RaBitQ4;RR,HNSW32,RaBitQ8"


class FaissHnsw(GraphMethod, FaissMethod):
    """`spec` is FAISS's factory string: HNSW, alone or behind a rotation (RR)."""

    def __init__(self, run, spec):
        if "RaBitQ" in spec and run.set.metric == "ip":
            raise SystemExit(f"faiss: {spec}: HNSW over RaBitQ codes has L2 only")
        self.run, self.factory = run, spec
        self.name = f"faiss {spec}"

    def build(self):
        base = self.run.set.base
        faiss.omp_set_num_threads(self.run.build_threads)
        by_product = self.run.set.metric == "ip"
        metric = faiss.METRIC_INNER_PRODUCT if by_product else faiss.METRIC_L2
        self.index = faiss.index_factory(base.shape[1], self.factory, metric)
        graph_of(self.index).hnsw.efConstruction = EF_CONSTRUCTION
        if isinstance(self.index, faiss.IndexPreTransform):
            faiss.downcast_VectorTransform(self.index.chain.at(0)).init(ROTATION_SEED)
        self.index.train(base)
        self.index.add(base)

    def load(self, path):
        super().load(path)
        self.graph = graph_of(self.index)

    def set(self, params):
        self.graph.hnsw.efSearch = params["ef"]


def graph_of(index):
    """The HNSW inside a rotation, or the index itself."""
    behind = isinstance(index, faiss.IndexPreTransform)
    return faiss.downcast_index(index.index) if behind else index


def main():
    shared.main(FaissHnsw, DEFAULT, VERSIONS, "FAISS HNSW")


if __name__ == "__main__":
    main()
