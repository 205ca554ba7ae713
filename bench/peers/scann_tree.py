"""ScaNN (the scann wheel): a tree of leaves, 4-bit codes of 2 dimensions, exact re-scoring.

Its documentation's advice above 100,000 vectors: a tree, score_ah(2) with an anisotropic threshold
of 0.2 (for inner product), re-scoring of the best. There are as many leaves as the others have
lists (it cannot take centroids); it learns from all vectors, ranks leaves by 8-bit centroids and,
for cosine, clusters on the sphere. A spec says what re-scoring reads (float32, bfloat16, int8) and
with ":soar" spills every vector to a second leaf. Unit vectors are searched by inner product, which
alone has residual codes, the threshold and SOAR.

The saved folder has all that searching needs: codes, leaf numbers, centroids, re-scoring store; no
ids (row numbers). Leaves searched and candidates re-scored are swept together.
"""

import importlib.metadata
import os

from scann.scann_ops.py import scann_ops_pybind
from scann.scann_ops.py.scann_builder import ReorderType

import runner as shared

DEFAULT = "int8;int8:soar;float32:soar"
DIMS_PER_BLOCK, ANISOTROPIC_THRESHOLD = 2, 0.2
SOAR = {"soar_lambda": 1.5, "overretrieve_factor": 2.0}
LEAVES = [4, 8, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512, 768,
          1024, 1536, 2048, 3072]
RESCORED = [3, 10]  # candidates re-scored, times k
LEAVES_OF_DEFAULT = 10  # a build needs some number; every search says its own


class ScannTree(shared.Method):
    """`spec` is float32, bfloat16 or int8, with ":soar" or without."""

    def __init__(self, run, spec):
        self.run = run
        self.store, _, self.soar = spec.partition(":")
        self.product = run.set.metric != "l2"
        if self.soar and not self.product:
            raise SystemExit("scann: SOAR needs inner product; leave :soar out for an L2 set")
        self.name = f"scann tree {spec.replace(':', ' ')}"

    def build(self):
        base, k = self.run.set.base, self.run.set.k
        tree = {"num_leaves": self.run.nlist, "num_leaves_to_search": LEAVES_OF_DEFAULT,
                "training_sample_size": len(base), "quantize_centroids": True,
                "spherical": self.run.set.metric == "cosine"}
        threshold = ANISOTROPIC_THRESHOLD if self.product else float("nan")
        measure = "dot_product" if self.product else "squared_l2"
        builder = scann_ops_pybind.builder(base, k, measure)
        builder.set_n_training_threads(self.run.build_threads)
        builder.tree(**tree, **(SOAR if self.soar else {}))
        builder.score_ah(DIMS_PER_BLOCK, anisotropic_quantization_threshold=threshold,
                         training_sample_size=len(base))
        builder.reorder(k * RESCORED[-1], quantize=ReorderType[self.store.upper()])
        self.searcher = builder.build()
        self.searcher.set_num_threads(self.run.build_threads)

    def save(self, path):
        os.makedirs(path, exist_ok=True)
        self.searcher.serialize(path, relative_path=True)

    def load(self, path):
        self.searcher = scann_ops_pybind.load_searcher(path)
        self.searcher.set_num_threads(1)
        self.search = self.searcher.searcher.search  # below a wrapper that maps ids
        self.rows = list(self.run.set.queries)
        self.empty = one_vector_searcher(self.rows[0])

    def sweep(self):
        leaves = [count for count in LEAVES if count < self.run.nlist] + [self.run.nlist]
        return [{"leaves": count, "rescored": times * self.run.set.k}
                for count in leaves for times in RESCORED]

    def set(self, params):
        self.leaves, self.rescored = params["leaves"], params["rescored"]

    def one(self, query):
        self.search(self.rows[query], self.run.set.k, self.rescored, self.leaves)

    def all(self, threads):
        searcher = self.searcher
        searcher.set_num_threads(threads)
        search = searcher.search_batched_parallel if threads > 1 else searcher.search_batched
        return search(self.run.set.queries, self.run.set.k, self.rescored, self.leaves)[0]

    def empty_call(self):
        self.empty(self.rows[0], 1, 1, 1)


def one_vector_searcher(vector):
    """Search function of a brute-force index of one vector."""
    builder = scann_ops_pybind.builder(vector[None], 1, "dot_product").score_brute_force()
    return builder.build().searcher.search


def main():
    versions = {"scann": importlib.metadata.version("scann")}
    shared.main(ScannTree, DEFAULT, versions, "ScaNN tree")


if __name__ == "__main__":
    main()
