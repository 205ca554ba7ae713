"""obliq through its Python package, under the same loop as everybody.

A method is QUANTIZER[,raw=fp16|fp32][,spill=S][,confidence=C][,residence=mapped]
[,read_ahead=1][,sweep=recall]:
what `Index.build`, `open` and `search` get beside nlist and the shared centroids. The index is read
into memory (`in_memory`), as the other libraries do, unless it is to be mapped. What is swept is
nprobe, or the target recall, where each query stops by itself.
"""

import numpy as np
import obliq
from obliq import _core

import runner as shared
from benchmark_set import file_crc32

DEFAULT = "lm1;lm2;lm4;lm6;sq8;lm4,spill=.5;lm6,spill=.5;sq8,spill=.5;sq8,spill=1"
BUILD_OPTIONS = {"raw": str, "spill": float}
SEARCH_OPTIONS = {"confidence": float}
OWN_OPTIONS = {"residence": str, "sweep": str, "read_ahead": int}
TARGETS = [.5, .7, .8, .85, .88, .9, .92, .94, .95, .96, .97, .975, .98, .985, .99, .993, .995]


class ObliqMethod(shared.Method):
    """`spec` as in the file's head."""

    def __init__(self, run, spec):
        self.run = run
        self.quantizer, *options = spec.split(",")
        self.build_options = chosen(checked(options), BUILD_OPTIONS)
        self.search_options = chosen(options, SEARCH_OPTIONS)
        self.own = chosen(options, OWN_OPTIONS)
        self.name = "obliq " + spec.replace(",", ", ").replace("=", " ")

    def build(self):
        run = self.run
        self.index = obliq.Index.build(run.set.base, run.set.metric, self.quantizer,
                                       centroids=run.centroids, threads=run.build_threads,
                                       **self.build_options)

    def save(self, path):
        self.index.save(path)

    def load(self, path):
        self.index = obliq.Index.open(path, in_memory=self.own.get("residence") != "mapped",
                                      read_ahead=bool(self.own.get("read_ahead")))
        self.queries = [np.ascontiguousarray(row[None]) for row in self.run.set.queries]
        self.empty = obliq.Index.build(np.zeros((1, 1), dtype=np.float32))
        self.nothing = np.zeros((1, 1), dtype=np.float32)

    def sweep(self):
        if self.own.get("sweep") != "recall":
            return super().sweep()
        max_recall = min(ladder.max_recall for ladder in self.index.stats().tuning.ladders)
        return [{"target_recall": target} for target in TARGETS if target < max_recall]

    def set(self, params):
        self.params = params

    def one(self, query):
        self.index.search(self.queries[query], self.run.set.k, threads=1, **self.params,
                          **self.search_options)

    def answer(self, query):
        return self.index.search(self.queries[query], self.run.set.k, threads=1, **self.params,
                                 **self.search_options).ids[0]

    def all(self, threads):
        return self.index.search(self.run.set.queries, self.run.set.k, threads=threads,
                                 **self.params, **self.search_options).ids

    def empty_call(self):
        self.empty.search(self.nothing, 1, nprobe=1, threads=1)


def checked(options):
    """Raises SystemExit for an option that does not exist."""
    known = BUILD_OPTIONS | SEARCH_OPTIONS | OWN_OPTIONS
    for option in options:
        name, _, value = option.partition("=")
        if not value or name not in known:
            raise SystemExit(f"obliq: '{option}' is not NAME=VALUE with a name of "
                             f"{', '.join(known)}")
    return options


def chosen(options, types):
    """{name: value} of those of ["name=value", ...] that are in `types`."""
    pairs = [option.split("=") for option in options]
    return {name: types[name](value) for name, value in pairs if name in types}


def main():
    versions = {"obliq": obliq.__version__, "obliq_simd": obliq.simd(),
                "obliq_build": file_crc32(_core.__file__)}  # an index of another build is made anew
    shared.main(ObliqMethod, DEFAULT, versions, "obliq")


if __name__ == "__main__":
    main()
