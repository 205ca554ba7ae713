"""Trains the centroids that every method of a comparison shares, and prints their path.

    centroids.py --data SET.hdf5 --checksum CRC --nlist 1536 --cache DIR

FAISS k-means, float32, kept as .npy in the space of the base vectors (normalised for angular
sets). `obliq build --centroids FILE` takes the same file, so that lists differ between methods
only by how a method assigns vectors and ranks lists.
"""

import argparse
import os
import sys
import time

import faiss
import numpy as np

from benchmark_set import BenchmarkSet

ITERATIONS = 10
SEED = 1234
POINTS_PER_LIST = 256  # at most; FAISS's own default
OPERATIONS = 4e13      # of all iterations: larger sets are trained on fewer points per list


def points_per_list(nlist, dim):
    """As many as OPERATIONS allow, 39 (FAISS's least) to 256."""
    allowed = OPERATIONS / (2.0 * ITERATIONS * nlist * nlist * dim)
    return int(min(POINTS_PER_LIST, max(39, allowed)))


def train(base, nlist):
    """float32 [nlist][dim]."""
    kmeans = faiss.Kmeans(base.shape[1], nlist, niter=ITERATIONS, seed=SEED,
                          max_points_per_centroid=points_per_list(nlist, base.shape[1]))
    start = time.perf_counter()
    kmeans.train(base)
    print(f"centroids: {nlist} lists, {time.perf_counter() - start:.1f} s, "
          f"objective {kmeans.obj[-1]:.6g}", file=sys.stderr)
    return kmeans.centroids.astype(np.float32)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--checksum", required=True, help="of the data; names the file")
    parser.add_argument("--nlist", type=int, required=True)
    parser.add_argument("--cache", required=True)
    options = parser.parse_args()
    path = os.path.join(options.cache, f"centroids-{options.checksum}-{options.nlist}.npy")
    if not os.path.exists(path):
        temporary = path + ".tmp.npy"
        np.save(temporary, train(BenchmarkSet(options.data).base, options.nlist))
        os.replace(temporary, path)
    print(path)


if __name__ == "__main__":
    main()
