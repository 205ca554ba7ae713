"""RaBitQ-Library (the rabitqlib wheel): HNSW over 5 or 9 bits, SymphonyQG over 8 bits or raw.

The settings are those of the library's own graph benchmark: HNSW with M = 16, efConstruction 200
and 16 centroids of its own k-means (exact assignment, seed 42; counted in the build); SymphonyQG
of degree 32 with a window of 200 and PiPNN as the start, and of degree 64, twice the edges of the
other graphs here. Unit vectors are searched by L2.

The saved file has all that searching needs: codes, factors, edges, labels (HNSW), for SymphonyQG
the 1-bit codes of all neighbours of a vector beside it, which is most of its bytes, and the raw
vectors where it has them. Rotations are seeded at random, so two builds differ a little.
"""

import importlib.metadata

import numpy as np
import rabitqlib

import runner as shared
from graph import DEGREE, EF_CONSTRUCTION, M, GraphMethod

DEFAULT = "hnsw:5;hnsw:9;symqg:raw;symqg:8;symqg:raw:64;symqg:8:64"
CENTROIDS, KMEANS_ITERATIONS, SEED = 16, 10, 42


class RabitqGraph(GraphMethod):
    """`spec` is hnsw:BITS (1 to 9) or symqg:BITS[:DEGREE] (raw, 4, 8; a multiple of 32)."""

    def __init__(self, run, spec):
        self.run = run
        self.kind, self.bits, self.degree = parsed(spec)
        self.metric = "ip" if run.set.metric == "ip" else "l2"
        shown = {"hnsw": "HNSW", "symqg": "SymphonyQG"}[self.kind]
        self.name = (f"rabitqlib {shown} {self.bits}" + ("" if self.bits == "raw" else " bits")
                     + ("" if self.degree == DEGREE else f" degree {self.degree}"))

    def build(self):
        base, threads = self.run.set.base, self.run.build_threads
        if self.kind == "symqg":
            bits = 0 if self.bits == "raw" else int(self.bits)
            self.index = rabitqlib.SymqgIndex(base.shape[1], self.degree, self.metric, bits)
            self.index.build(base, EF_CONSTRUCTION, threads)
            return
        clusters = rabitqlib.RaBitQKMeans(
            base.shape[1], CENTROIDS, niter=KMEANS_ITERATIONS, seed=SEED, num_threads=threads,
            final_assignment=rabitqlib.FinalAssignmentMode.Exact)
        clusters.train(base)
        self.index = rabitqlib.HnswIndex(base.shape[1], len(base), M, EF_CONSTRUCTION,
                                         int(self.bits), self.metric, SEED)
        self.index.build(base, clusters.centroids, clusters.assignments, threads)

    def save(self, path):
        self.index.save(path)

    def load(self, path):
        kind = rabitqlib.SymqgIndex if self.kind == "symqg" else rabitqlib.HnswIndex
        self.index = kind.load(path)
        self.search = self.index.search_batch if self.kind == "symqg" else self.index.search
        self.rows = list(self.run.set.queries[:, None])
        self.empty = one_vector_index(self.run.set.dim)

    def set(self, params):
        self.ef = params["ef"]

    def one(self, query):
        self.search(self.rows[query], self.run.set.k, self.ef)

    def all(self, threads):
        return self.search(self.run.set.queries, self.run.set.k, self.ef, threads)[0]

    def empty_call(self):
        self.empty.search(self.rows[0], 1, 1)


def parsed(spec):
    """(kind, bits, degree) of a spec. Raises SystemExit where HNSW is given a degree."""
    kind, bits, *degree = spec.split(":")
    if kind == "hnsw" and degree:
        raise SystemExit(f"rabitqlib: {spec}: the degree of HNSW is always {DEGREE}")
    return kind, bits, int(degree[0]) if degree else DEGREE


def one_vector_index(dim):
    """HNSW of one vector: the least there is to search."""
    index = rabitqlib.HnswIndex(dim, 1, nbits=1)
    zero = np.zeros((1, dim), dtype=np.float32)
    index.build(zero, zero, np.zeros(1, dtype=np.uint32))
    return index


def main():
    versions = {"rabitqlib": importlib.metadata.version("rabitqlib")}
    shared.main(RabitqGraph, DEFAULT, versions, "RaBitQ-Library graphs")


if __name__ == "__main__":
    main()
