"""Semantic search: descriptions of Debian packages by meaning, from the sample in the repository.

    python examples/semantic_search.py [SET.hdf5] [--show 5]

Base and queries are sentence embeddings with their texts; with a sentence model of your own, encode
what people type and search for that instead.
"""

import argparse
import pathlib

import h5py
import numpy as np

import obliq

SAMPLE = pathlib.Path(__file__).parents[1] / "datasets/sample/sample-384-angular.hdf5"


def main() -> None:
    parser = argparse.ArgumentParser(description="Search texts by meaning.")
    parser.add_argument("set", nargs="?", default=SAMPLE, help="ann-benchmarks file with labels")
    parser.add_argument("--show", type=int, default=5, help="queries to print")
    arguments = parser.parse_args()

    with h5py.File(arguments.set) as file:
        base, queries = file["train"][:], file["test"][:]  # float16, taken as it is
        texts, asked = file["train_labels"].asstr()[:], file["test_labels"].asstr()[:]
        truth = file["neighbors"][:, :10]

    index = obliq.Index.build(base, metric="cosine", preset="small")
    distances, ids = index.search(queries, k=10)

    for query in range(arguments.show):
        print(asked[query])
        for distance, id in zip(distances[query, :3], ids[query]):
            print(f"    {1 - distance:.2f}  {texts[id]}")
    recall = np.mean([np.isin(found, true).mean() for found, true in zip(ids, truth)])
    print(f"\n{index}\nrecall@10 {recall:.3f}, the vectors took {4 * base.shape[1]} bytes each")
    assert recall > 0.9


if __name__ == "__main__":
    main()
