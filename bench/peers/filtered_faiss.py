"""FAISS (the faiss-cpu wheel) under filters: an IDSelectorBitmap given to inverted lists or HNSW,
and brute force over the rows that pass.

A filter is a bitmap, made from the attribute by NumPy: `numpy.packbits(attribute < bound)`. What is
tuned is nprobe, or efSearch. Indexes are those of faiss_ivf.py and faiss_hnsw.py.

"Flat" is what FAISS's users do below some share of rows: IndexFlat with an IDSelectorArray, which
scores the named rows and no others, exact, 4 bytes a dimension. It has nothing to tune.
"""

import faiss
import numpy as np

import filtered
from faiss_hnsw import FaissHnsw
from faiss_ivf import FaissLists, base_index
from faiss_method import VERSIONS, FaissMethod

DEFAULT = ["IVF:SQ8", "IVF:Flat", "IVF:PQ{d/2}x4fs,Refine(SQ8)", "HNSW32,SQ8", "Flat"]
K_FACTOR = 10  # candidates of a refine stage, times k
EFS = [10, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 1024, 2048, 4096, 8192, 16384]


class Filtered(filtered.FilteredMethod):
    """What follows in the classes below is the index; here stands how it is searched."""

    def make_filter(self, column, bound):
        bits = np.packbits(self.cases.attribute(column) < bound, bitorder="little")
        return faiss.IDSelectorBitmap(bits)

    def ready(self, chosen, value):
        self.selector = chosen  # parameters refer to it
        self.parameters = self.search_parameters(chosen, value)

    def one(self, query):
        row, distances, ids = self.rows[query]
        self.index.search_c(1, row, self.run.set.k, distances, ids, self.parameters)

    def ids_of(self, query, result):
        return self.ids[query]


class Lists(Filtered, FaissLists):
    """`spec` as in faiss_ivf.py."""

    def ladder(self):
        return self.run.nprobes

    def search_parameters(self, chosen, nprobe):
        self.inner = faiss.SearchParametersIVF(sel=chosen, nprobe=nprobe)
        if base_index(self.index) is self.index:
            return self.inner
        return faiss.IndexRefineSearchParameters(k_factor=K_FACTOR, base_index_params=self.inner)


class Graph(Filtered, FaissHnsw):
    """`spec` is FAISS's factory string."""

    def ladder(self):
        return EFS

    def search_parameters(self, chosen, ef):
        return faiss.SearchParametersHNSW(sel=chosen, efSearch=ef)


class Exact(Filtered, FaissMethod):
    """The rows that pass, one after the other."""

    name = "faiss Flat"

    def __init__(self, run, spec):
        del spec
        self.run = run

    def build(self):
        base = self.run.set.base
        self.index = faiss.IndexFlatL2(base.shape[1]) if self.run.set.metric == "l2" else \
            faiss.IndexFlatIP(base.shape[1])
        self.index.add(base)

    def make_filter(self, column, bound):
        self.passing = np.flatnonzero(self.cases.attribute(column) < bound).astype(np.int64)
        return faiss.IDSelectorArray(self.passing)

    def ladder(self):
        return [0]

    def search_parameters(self, chosen, value):
        del value
        return faiss.SearchParameters(sel=chosen)


def make(run, spec):
    if spec == "Flat":
        return Exact(run, spec)
    if spec.startswith("IVF:"):
        return Lists(run, spec.removeprefix("IVF:"))
    return Graph(run, spec)


def main():
    filtered.main(make, DEFAULT, VERSIONS, "FAISS under filters")


if __name__ == "__main__":
    main()
