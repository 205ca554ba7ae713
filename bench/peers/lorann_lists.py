"""LoRANN (the lorann package): clusters, in each of which a reduced-rank regression estimates the
inner products of a query with all vectors at once, and exact re-ranking of the best.

A method is gDIM:rRANK[:bBITS]: the dimension to which all vectors are reduced first, a multiple of
32 and at most the set's, the rank of the matrices of a cluster (16, 32, 64) and their bits (8, its
default, or 4). Its documentation advises g128 and r32 for these dimensions; VIBE measures g128 to
g512 with both ranks. It has as many clusters as the others have lists, by its own k-means (it takes
no centroids), and trains each on the vectors of the 5 nearest clusters, its default. Unit vectors
are searched by inner product, as it asks. Clusters searched and candidates re-ranked are swept
together, 0 candidates (no re-ranking) among them.

PyPI has lorann as source only: pip compiles it here with -march=native, minutes. The saved file has
the float32 vectors, the ids, the centroids and two matrices of 8 bits a cluster. One query goes to
the compiled index below `LorannIndex.search`, as in VIBE.
"""

import importlib.metadata

import lorann
import numpy as np

import runner as shared

DEFAULT = "g128:r32;g256:r32;g256:r64"
LEAST_DIM = 64                    # its own limit
RERANKED = [0, 4, 8, 16, 32, 64]  # candidates, times k
QUICK_RERANKED = [8]


class LorannLists(shared.Method):
    """`spec` as in the file's head."""

    def __init__(self, run, spec):
        words = {word[0]: int(word[1:]) for word in spec.split(":")}
        self.run, self.reduced, self.rank = run, words["g"], words["r"]
        self.bits = words.get("b", 8)
        if run.set.dim < max(self.reduced, LEAST_DIM):
            raise SystemExit(f"lorann: {spec} needs {max(self.reduced, LEAST_DIM)} dimensions or "
                             f"more, not {run.set.dim}")
        self.distance = lorann.L2 if run.set.metric == "l2" else lorann.IP
        self.name = f"lorann {spec.replace(':', ' ')}"

    def build(self):
        self.index = lorann.LorannIndex(
            self.run.set.base, self.run.nlist, self.reduced, quantization_bits=self.bits,
            rank=self.rank, distance=self.distance)
        self.index.build(n_threads=self.run.build_threads)

    def save(self, path):
        self.index.save(path)

    def load(self, path):
        self.index = lorann.LorannIndex.load(path)
        self.search = self.index.index.search
        self.rows = list(self.run.set.queries)
        self.empty = lorann.LorannIndex(np.ascontiguousarray(self.run.set.queries[:1]), 1, None,
                                        distance=self.distance).index

    def sweep(self):
        counts = QUICK_RERANKED if self.run.quick else RERANKED
        return [{"clusters": clusters, "reranked": count * self.run.set.k}
                for clusters in self.run.nprobes for count in counts]

    def set(self, params):
        self.clusters, self.reranked = params["clusters"], params["reranked"]

    def one(self, query):
        self.search(self.rows[query], self.run.set.k, self.clusters, self.reranked, False, 1)

    def all(self, threads):
        return self.search(self.run.set.queries, self.run.set.k, self.clusters, self.reranked,
                           False, threads)

    def empty_call(self):
        self.empty.exact_search(self.rows[0], 1, False, 1)


def main():
    versions = {"lorann": importlib.metadata.version("lorann"), "lorann_simd": "native"}
    shared.main(LorannLists, DEFAULT, versions, "LoRANN")


if __name__ == "__main__":
    main()
