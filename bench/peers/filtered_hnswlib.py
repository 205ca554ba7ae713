"""hnswlib under filters: its filter is a Python callable that is asked about every vector met.

The Python package takes no filter in C++ (the library's C++ interface does), so each vector that a
search meets costs a call into Python. The cheapest callable there is serves: the `__getitem__` of a
list of bools, itself compiled code. What is tuned is ef. The index is that of hnswlib_graph.py. A
search that finds fewer than k vectors raises; it counts as one without answers.
"""

import importlib.metadata

import filtered
from graph import EFS
from hnswlib_graph import HnswlibGraph


class Filtered(filtered.FilteredMethod, HnswlibGraph):
    """`spec` as in hnswlib_graph.py."""

    def make_filter(self, column, bound):
        return (self.cases.attribute(column) < bound).tolist().__getitem__

    def ladder(self):
        return EFS

    def ready(self, chosen, value):
        self.chosen = chosen
        self.index.set_ef(value)

    def one(self, query):
        try:
            return self.index.knn_query(self.rows[query], self.run.set.k, 1, self.chosen)[0]
        except RuntimeError:  # fewer than k
            return []


def main():
    versions = {"hnswlib": importlib.metadata.version("hnswlib"), "hnswlib_simd": "native"}
    filtered.main(Filtered, ["M16"], versions, "hnswlib under filters")


if __name__ == "__main__":
    main()
