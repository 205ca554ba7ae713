"""RaBitQ-Library (the rabitqlib wheel): inverted lists with 1 to 9 bits, or raw re-ranking (32).

Takes the shared centroids and exact nearest-centroid assignments. A method is BITS[:ROUTER]; the
router ranks centroids: "flat" exactly, "flat_rabitq" by quantized centroids. Both settings of its
accuracy switch are swept where they differ (more than one bit), and the frontier picks.

Notes on 0.7.1: rotations are seeded at random (recall of two builds differs by about .002); the
scale search of its codes misses the optimum at 2 and 4 bits; the bound's constant is fixed.
"""

import importlib.metadata
import json
import os
import time

import numpy as np
import rabitqlib

import runner as shared

DEFAULT = "1;2;4;4:flat_rabitq;9;9:flat_rabitq"
ASSIGN_BLOCK = 4096  # base rows a matrix product
VERSION = importlib.metadata.version("rabitqlib")


def assignments(base, centroids):
    """Nearest centroid (L2) of every base vector, uint32."""
    norms = (centroids ** 2).sum(axis=1)
    parts = [np.argmin(norms - 2 * base[i:i + ASSIGN_BLOCK] @ centroids.T, axis=1)
             for i in range(0, len(base), ASSIGN_BLOCK)]
    return np.concatenate(parts).astype(np.uint32)


class RabitqMethod(shared.Method):
    """`spec` is BITS or BITS:ROUTER."""

    def __init__(self, run, spec):
        bits, _, router = spec.partition(":")
        self.run, self.bits, self.router = run, int(bits), router or "flat"
        shown = "" if self.router == "flat" else f" {self.router} router"
        self.name = f"rabitqlib IVF{run.options.nlist} {self.bits} bits{shown}"
        self.metric = "ip" if run.set.metric == "ip" else "l2"

    def path(self):
        run = self.run
        return os.path.join(run.options.cache, f"rabitqlib{VERSION}-{run.set.crc32}-"
                            f"{run.options.nlist}-{self.bits}-{self.router}.index")

    def prepare(self):
        path = self.path()
        if not os.path.exists(path):
            self.build(path)
        self.index = rabitqlib.IvfIndex.load(path)
        with open(path + ".json", encoding="utf-8") as file:
            self.build_seconds = json.load(file)["build_seconds"]
        self.file_bytes = os.path.getsize(path)
        self.queries = [np.ascontiguousarray(row[None]) for row in self.run.set.queries]
        self.empty = empty_index(self.run.set.dim)

    def build(self, path):
        base, options = self.run.set.base, self.run.options
        start = time.perf_counter()
        lists = assignments(base, self.run.centroids)
        index = rabitqlib.IvfIndex(base.shape[1], len(base), options.nlist, self.bits,
                                   self.metric, self.router)
        index.build(base, self.run.centroids, lists, options.build_threads)
        seconds = time.perf_counter() - start
        index.save(path + ".tmp")
        with open(path + ".json", "w", encoding="utf-8") as file:
            json.dump({"build_seconds": seconds, "build_threads": options.build_threads}, file)
        os.replace(path + ".tmp", path)

    def sweep(self, nprobes):
        switches = [True, False] if self.bits > 1 else [False]
        if self.run.options.quick:
            switches = switches[:1]
        return [{"nprobe": nprobe, "high_accuracy": switch}
                for nprobe in nprobes for switch in switches]

    def set(self, params):
        self.nprobe, self.accurate = params["nprobe"], params["high_accuracy"]

    def one(self, query):
        self.index.search(self.queries[query], shared.K, self.nprobe, self.accurate)

    def all(self):
        return self.index.search(self.run.set.queries, shared.K, self.nprobe, self.accurate)[0]

    def empty_call(self):
        self.empty.search(self.queries[0], 1, 1, False)


def empty_index(dim):
    """The least there is to search: one vector in one list."""
    index = rabitqlib.IvfIndex(dim, 1, 1, 1)
    zero = np.zeros((1, dim), dtype=np.float32)
    index.build(zero, zero, np.zeros(1, dtype=np.uint32))
    return index


def main():
    options = shared.arguments("RaBitQ-Library inverted lists",
                               f"semicolon list of BITS[:ROUTER], default {DEFAULT}")
    versions = {"rabitqlib": VERSION, "rabitqlib_simd": "chosen by the wheel, not shown",
                "numpy": np.__version__}
    run = shared.Runner(options, versions)
    run.prepare([RabitqMethod(run, spec) for spec in (options.methods or DEFAULT).split(";")])
    shared.main(run)


if __name__ == "__main__":
    main()
