"""The centroids that every method of a comparison shares: FAISS k-means, float32, saved as .npy.

They live in the space of the base vectors (normalised for angular sets). `obliq build
--centroids FILE` takes the same file, so that lists differ between methods only by how a method
assigns vectors and ranks lists.
"""

import os
import time

import numpy as np

ITERATIONS = 10
SEED = 1234
POINTS_PER_LIST = 256  # FAISS's own default


def centroids_path(cache, benchmark_set, nlist):
    return os.path.join(cache, f"centroids-{benchmark_set.crc32}-{nlist}.npy")


def shared_centroids(cache, benchmark_set, nlist):
    """[nlist][dim] float32: read from `cache`, or trained by FAISS and written there."""
    path = centroids_path(cache, benchmark_set, nlist)
    if os.path.exists(path):
        return np.load(path, allow_pickle=False)
    import faiss

    kmeans = faiss.Kmeans(benchmark_set.dim, nlist, niter=ITERATIONS, seed=SEED,
                          max_points_per_centroid=POINTS_PER_LIST)
    start = time.perf_counter()
    kmeans.train(benchmark_set.base)
    print(f"centroids: {nlist} lists, {time.perf_counter() - start:.1f} s, "
          f"objective {kmeans.obj[-1]:.6g}", file=os.sys.stderr)
    os.makedirs(cache, exist_ok=True)
    temporary = path + ".tmp.npy"
    np.save(temporary, kmeans.centroids.astype(np.float32))
    os.replace(temporary, path)
    return np.load(path, allow_pickle=False)
