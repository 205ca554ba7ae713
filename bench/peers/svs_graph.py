"""Intel SVS (the scalable-vs wheel): a Vamana graph over LVQ or LeanVec codes.

Degree 32, window 200: its defaults, and what the other graphs here have. Its documentation's
advice above 200 dimensions is two-level LVQ, 4 bits and 8 of the residual; LeanVec searches half
the dimensions in 4-bit LVQ and re-ranks by 8-bit LVQ of all (PCA: it sees no queries). Codes
are padded to 32 bytes. Unit vectors are searched by L2 with its alpha of 1.2.

LVQ and LeanVec are in the wheel, not in the open source, and run on Intel CPUs only; f16 and f32
run everywhere. Building reads a file, written here first. The saved folder has the graph, the
codes and the settings; no ids (row numbers).
"""

import importlib.metadata
import os
import tempfile

import numpy as np
import svs

import runner as shared
from graph import DEGREE, EF_CONSTRUCTION, GraphMethod

DEFAULT = "LVQ4x8"
PADDING = 32          # bytes to which the codes of a vector are aligned
LVQ_BITS = {"LVQ8": (8, 0), "LVQ4x4": (4, 4), "LVQ4x8": (4, 8), "LVQ8x8": (8, 8)}
LEANVEC_KINDS = {"LeanVec4x8": (svs.LeanVecKind.lvq4, svs.LeanVecKind.lvq8),
                 "LeanVec8x8": (svs.LeanVecKind.lvq8, svs.LeanVecKind.lvq8)}
RAW = {"f16": np.float16, "f32": np.float32}
PARTS = ("config", "graph", "data")


class SvsGraph(GraphMethod):
    """`spec` is f32, f16, LVQ8, LVQ4x4, LVQ4x8, LVQ8x8, LeanVec4x8 or LeanVec8x8."""

    def __init__(self, run, spec):
        self.run, self.storage = run, spec
        self.name = f"svs Vamana {spec}"
        self.by_product = run.set.metric == "ip"
        self.distance = svs.DistanceType.MIP if self.by_product else svs.DistanceType.L2

    def build(self):
        parameters = svs.VamanaBuildParameters(alpha=0.95 if self.by_product else 1.2,
                                               graph_max_degree=DEGREE,
                                               window_size=EF_CONSTRUCTION)
        with tempfile.TemporaryDirectory() as folder:
            self.index = svs.Vamana.build(parameters, self.source(folder), self.distance,
                                          num_threads=self.run.build_threads)

    def source(self, folder):
        """What SVS builds from: the raw array, or a loader that compresses a file in `folder`."""
        base = self.run.set.base
        if self.storage in RAW:
            return base.astype(RAW[self.storage])
        path = os.path.join(folder, "base.fvecs")
        svs.write_vecs(base, path)
        file = svs.VectorDataLoader(path, svs.float32, base.shape[1])
        if self.storage in LVQ_BITS:
            return svs.LVQLoader(file, *LVQ_BITS[self.storage], padding=PADDING)
        return svs.LeanVecLoader(file, base.shape[1] // 2, *LEANVEC_KINDS[self.storage],
                                 alignment=PADDING)

    def save(self, path):
        os.makedirs(path, exist_ok=True)
        self.index.save(*(os.path.join(path, part) for part in PARTS))

    def load(self, path):
        config, graph, data = (os.path.join(path, part) for part in PARTS)
        if self.storage in RAW:
            kind = svs.float16 if self.storage == "f16" else svs.float32
            loader = svs.VectorDataLoader(data, kind)
        elif self.storage in LVQ_BITS:
            loader = svs.LVQLoader(data, padding=PADDING)
        else:
            loader = svs.LeanVecLoader(data, alignment=PADDING)
        self.index = svs.Vamana(config, svs.GraphLoader(graph), loader, self.distance)
        self.rows = list(self.run.set.queries)
        self.empty = svs.Flat(self.rows[0][None], svs.DistanceType.L2)

    def set(self, params):
        self.index.search_window_size = params["ef"]

    def one(self, query):
        self.index.search(self.rows[query], self.run.set.k)

    def all(self, threads):
        self.index.num_threads = threads
        ids = self.index.search(self.run.set.queries, self.run.set.k)[0]
        self.index.num_threads = 1
        return ids

    def empty_call(self):
        self.empty.search(self.rows[0], 1)


def main():
    versions = {"scalable-vs": importlib.metadata.version("scalable-vs")}
    shared.main(SvsGraph, DEFAULT, versions, "Intel SVS")


if __name__ == "__main__":
    main()
