"""Filtered semantic search: descriptions of Debian packages by meaning, among those that satisfy a
condition, from the sample in the repository.

    python examples/filtered_search.py [SET.hdf5] [--show 4]

Each vector has columns that are made from its text here: the words in it and its length. With data
of your own they are what your database knows of each text.
"""

import argparse
import pathlib
import re
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

import obliq

SAMPLE = pathlib.Path(__file__).parents[1] / "datasets/sample/sample-384-angular.hdf5"


def recall_among(allowed: NDArray[Any], ids: NDArray[Any], base: Any, queries: Any) -> float:
    """Of ids [queries][10], against comparing each query with all rows that are allowed."""
    rows = np.flatnonzero(allowed)
    products = queries.astype(np.float32) @ base[rows].astype(np.float32).T
    truth = rows[np.argsort(-products, axis=1)[:, :10]]
    return float(np.mean([np.isin(found, true).mean() for found, true in zip(ids, truth)]))


def main() -> None:
    parser = argparse.ArgumentParser(description="Search texts by meaning, under a condition.")
    parser.add_argument("set", nargs="?", default=SAMPLE, help="ann-benchmarks file with labels")
    parser.add_argument("--show", type=int, default=4, help="queries to print")
    arguments = parser.parse_args()

    with h5py.File(arguments.set) as file:
        base, queries = file["train"][:], file["test"][:]
        texts, asked = file["train_labels"].asstr()[:], file["test_labels"].asstr()[:]

    words = [sorted(set(re.findall(r"[a-z]+", text.lower()))) for text in texts]
    index = obliq.Index.build(base, metric="cosine", columns={
        "text": texts, "words": words, "length": [len(text) for text in texts]})

    # What people choose is bound to the `?`: it is a value, whatever it holds. A filter that serves
    # many searches is evaluated once.
    python = index.filter("words in ? and length >= 40", params=[["python", "perl"]])
    print(f"{index.count(python)} of {len(index)} texts pass\n")
    for query in range(arguments.show):
        found = index.search(queries[query], k=3, filter=python, columns=["text"])
        print(asked[query])
        for distance, text in zip(found.distances, found.columns["text"]):
            print(f"    {1 - distance:.2f}  {text}")

    # However few texts pass, k of them are found where there are k, and each passes.
    allowed = np.array(["python" in row or "perl" in row for row in words])
    allowed &= np.array([len(text) >= 40 for text in texts])
    ids = index.search(queries, k=10, filter=python).ids
    assert index.count(python) == allowed.sum() >= 10
    assert allowed[ids].all()
    recall = recall_among(allowed, ids, base, queries)

    # All that mean nearly the same, however many they are; and what comes after the first answers.
    near = index.range_search(queries, radius=0.3, filter="not words = 'debian'")
    more = index.search_iterator(queries[0], batch=5, filter=python)
    first, second = next(more), next(more)
    assert not np.isin(second.ids, first.ids).any()
    print(f"\nrecall@10 {recall:.3f}; {near.lims[-1]} answers within .3 of {len(queries)} queries")
    assert recall > 0.9


if __name__ == "__main__":
    main()
