"""Trains the shared centroids of a comparison, unless the cache has them, and prints their path.

    train_centroids.py --data SET.hdf5 --nlist 1536 --cache DIR
"""

import argparse

from benchmark_set import BenchmarkSet
from centroids import centroids_path, shared_centroids


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--data", required=True)
    parser.add_argument("--nlist", type=int, required=True)
    parser.add_argument("--cache", default="results/cache")
    options = parser.parse_args()
    benchmark_set = BenchmarkSet(options.data)
    shared_centroids(options.cache, benchmark_set, options.nlist)
    print(centroids_path(options.cache, benchmark_set, options.nlist))


if __name__ == "__main__":
    main()
