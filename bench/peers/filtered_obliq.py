"""obliq under filters: the attributes are int64 columns of the index, a filter is `column < ?`.

A method is as in obliq_ivf.py. It is searched with the target recall as its users give it, and its
own plan of what that takes under a filter; nothing is tuned on the queries. With "sweep=recall" the
target is tuned as the parameters of the others are, so that speeds compare at equal recall.
"""

import numpy as np
import obliq
from obliq import _core

import filtered
from benchmark_set import file_crc32
from obliq_ivf import TARGETS, ObliqMethod

DEFAULT = ["sq8,spill=.5", "sq8,spill=.5,sweep=recall"]


class Filtered(filtered.FilteredMethod, ObliqMethod):
    """`spec` as in obliq_ivf.py."""

    def build(self):
        run = self.run
        columns = {name: self.cases.attribute(name) for name in self.cases.columns}
        self.index = obliq.Index.build(run.set.base, run.set.metric, self.quantizer,
                                       centroids=run.centroids, threads=run.build_threads,
                                       columns=columns, **self.build_options)

    def make_filter(self, column, bound):
        return self.index.filter(f"{column} < ?", params=[bound])

    def ladder(self):
        if self.own.get("sweep") != "recall":
            return [self.target_recall]
        max_recall = min(ladder.max_recall for ladder in self.index.stats().tuning.ladders)
        return [target for target in TARGETS if target < max_recall]

    def ready(self, chosen, value):
        self.arguments = {"threads": 1, "target_recall": value, **self.search_options}
        if chosen is not None:
            self.arguments["filter"] = chosen

    def one(self, query):
        return self.index.search(self.queries[query], self.run.set.k, **self.arguments)

    def ids_of(self, query, result):
        del query
        return np.asarray(result.ids).ravel()


def main():
    if not hasattr(obliq.Index, "filter"):
        raise SystemExit("obliq: this build has no filters")
    versions = {"obliq": obliq.__version__, "obliq_simd": obliq.simd(),
                "obliq_build": file_crc32(_core.__file__)}
    filtered.main(Filtered, DEFAULT, versions, "obliq under filters")


if __name__ == "__main__":
    main()
