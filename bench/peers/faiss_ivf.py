"""FAISS (the faiss-cpu wheel): inverted lists with PQ, fast-scan PQ, SQ, RaBitQ or raw vectors.

Every index takes the shared centroids: they are put into its coarse quantizer, rotated where a
rotation (RR, PCA) stands in front, and FAISS then trains the rest. Unit vectors are searched by L2,
except by PQ with residuals (8 bits always; fast scan with "r" at its end): there inner product is
more accurate, and one table serves all lists where L2 needs one per list. `:l2` or `:ip` after a
spec forces it. The default list has the strings of each class of bytes. {d}, {d/2}, {d/4}, {d/8} in
a spec stand for those numbers, and "IVF{nlist}," goes in front.

Panorama (raw vectors, scored one part of the dimensions after the other) lives on vectors whose
first dimensions hold most of their length, so it stands behind a PCA of all dimensions, except for
inner products, which the PCA's mean would change. A list is padded to full batches, in memory and
in the file: 1,024 vectors unless a spec says another number, `FlatPanorama8_32`. Lists have about
100 here.

Known to be broken in 1.15 and not shown: SQtqmse* and SQtq* (scales lost). Fast scan of a large
batch with many lists per query crashes; see LUT_BYTES_A_CALL.
"""

import re

import faiss
import numpy as np

import runner as shared
from faiss_method import ROTATION_SEED, VERSIONS, FaissMethod

# RaBitQfs defaults to 1 bit; without RR it loses its guarantee.
DEFAULT = ("RaBitQfs;RaBitQfs4;RaBitQfs8;PQ{d/2}x4fs;PQ{d/2}x4fs,Refine(SQ8);PQ{d/2}x4fs,RFlat;"
           "SQ4;SQ8;Flat;FlatPanorama8_32")
K_FACTORS = [2, 4, 8, 16, 32, 64]  # candidates of a refine stage, times k
QUICK_K_FACTORS = [8]
# Fast scan crashes when the LUTs of one call (queries x nprobe x at most 16 bytes per dimension)
# pass 2^31 bytes: larger batches go in parts.
LUT_BYTES_A_DIM, LUT_BYTES_A_CALL = 16, 1 << 30


class FaissLists(FaissMethod):
    """`spec` is what follows "IVF{nlist}," in FAISS's factory string."""

    def __init__(self, run, spec):
        storage, _, metric = spec.partition(":")
        self.product = metric == "ip" if metric else searched_by_product(storage, run.set.metric)
        self.run, self.storage = run, fill_in(storage, run.set.dim)
        self.factory = f"{rotation_of(storage, run)}IVF{run.nlist},{self.storage}"
        by_product = self.product and run.set.metric != "ip"
        self.name = f"faiss {self.factory}" + (" by ip" if by_product else "")

    def build(self):
        base = self.run.set.base
        faiss.omp_set_num_threads(self.run.build_threads)
        metric = faiss.METRIC_INNER_PRODUCT if self.product else faiss.METRIC_L2
        self.index = faiss.index_factory(base.shape[1], self.factory, metric)
        coarse = self.run.centroids
        front = base_index(self.index)
        if isinstance(front, faiss.IndexPreTransform):
            rotation = faiss.downcast_VectorTransform(front.chain.at(0))
            if isinstance(rotation, faiss.PCAMatrix):
                rotation.train(base)
            else:
                rotation.init(ROTATION_SEED)
            coarse = rotation.apply(coarse)
        lists = lists_of(self.index)
        router = faiss.downcast_index(lists.quantizer)
        router.add(np.ascontiguousarray(coarse))
        # Vectors go to the nearest centroid by L2 whatever the metric, as with everybody.
        nearest = faiss.IndexFlatL2(coarse.shape[1])
        nearest.add(np.ascontiguousarray(coarse))
        lists.quantizer = nearest
        self.index.train(base)
        self.index.add(base)
        lists.quantizer = router

    def load(self, path):
        super().load(path)
        self.lists = lists_of(self.index)

    def sweep(self):
        if not isinstance(self.index, faiss.IndexRefine):
            return super().sweep()
        factors = QUICK_K_FACTORS if self.run.quick else K_FACTORS
        return [{"nprobe": nprobe, "k_factor": k} for nprobe in self.run.nprobes for k in factors]

    def set(self, params):
        self.lists.nprobe = params["nprobe"]
        if "k_factor" in params:
            self.index.k_factor = params["k_factor"]

    def all(self, threads):
        faiss.omp_set_num_threads(threads)
        queries, k = self.run.set.queries, self.run.set.k
        block = len(queries)
        if "fs" in self.storage:
            lut_bytes = LUT_BYTES_A_DIM * self.run.set.dim * self.lists.nprobe
            block = min(block, max(1, LUT_BYTES_A_CALL // lut_bytes))
        return np.concatenate([self.index.search(queries[i:i + block], k)[1]
                               for i in range(0, len(queries), block)])


def searched_by_product(storage, metric):
    """Whether a set of this metric is searched by inner product rather than L2 (file head)."""
    code = storage.split(",")[0]
    residual_pq = code.startswith("PQ") and not code.endswith("x4fs")
    return metric == "ip" or metric == "cosine" and residual_pq


def rotation_of(storage, run):
    """What stands before the lists in the factory string (file head)."""
    if storage.startswith("RaBitQ"):
        return "RR,"
    return f"PCA{run.set.dim}," if "Panorama" in storage and run.set.metric != "ip" else ""


def base_index(index):
    """What stands under a refine index, or the index itself."""
    if isinstance(index, faiss.IndexRefine):
        return faiss.downcast_index(index.base_index)
    return index


def lists_of(index):
    """The IndexIVF inside refine and rotation."""
    index = base_index(index)
    if isinstance(index, faiss.IndexPreTransform):
        index = faiss.downcast_index(index.index)
    return index


def fill_in(storage, dim):
    """Replaces {d}, {d/2}, {d/4}, {d/8}."""
    def number(match):
        divisor = int(match.group(1) or 1)
        if dim % divisor:
            raise SystemExit(f"faiss: {storage} needs a dim divisible by {divisor}, not {dim}")
        return str(dim // divisor)

    return re.sub(r"\{d(?:/(\d+))?\}", number, storage)


def main():
    shared.main(FaissLists, DEFAULT, VERSIONS, "FAISS inverted lists")


if __name__ == "__main__":
    main()
