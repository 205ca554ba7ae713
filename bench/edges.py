"""Recall, missing answers and time of searches at the edges: copies, tight clusters, small angles,
extreme scales, very high dims, large k; and of searches without knobs.

    PYTHONPATH=build/release/python edges.py [--case copies,tight-1e-3] [--list] [--set FILE]...

Measures the obliq package on PYTHONPATH, beside FAISS's IVF SQ8 where the package faiss is here. A
line of JSON for each measurement goes to standard output. Truth is exhaustive search in float64; an
answer counts when its true distance is that of the k-th neighbour or less, so that any of several
equal neighbours is right. Times are of one thread and one query per call, the median of 3 rounds:
they mean something on an idle machine alone. `ids_missing` is the share of answers that are -1.
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import time

os.environ.setdefault("OMP_NUM_THREADS", str(os.cpu_count()))
import numpy as np  # noqa: E402
import obliq  # noqa: E402

try:
    import faiss
except ImportError:
    faiss = None

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "peers"))
from benchmark_set import normalise  # noqa: E402

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
SAMPLE = os.path.join(ROOT, "datasets", "sample", "sample-384-angular.hdf5")
PRESETS = ("fast", "small", "tiny", "exact")
FAMILIES = ("lm2", "lm4", "lm4:query", "tq4", "tqp4:orthogonal", "tcq2", "e8q14", "d4q8", "z8",
            "kashin2", "wf4")
TIMED_QUERIES = 200


# --- truth ----------------------------------------------------------------------------------------

def exact_distances(rows, query, metric):
    """[n] float64: squared distances, negated inner products, or half the squared distance of the
    unit vectors, without cancellation."""
    if metric == "ip":
        return -(rows @ query)
    difference = rows - query
    return np.einsum("ij,ij->i", difference, difference) * (1 if metric == "l2" else 0.5)


class Truth:
    """Exhaustive search in float64: distances of every row to every query, scored once."""

    def __init__(self, base, queries, metric):
        rows, queries = (np.asarray(part, np.float64) for part in (base, queries))
        if metric == "cosine":
            rows, queries = (part / np.linalg.norm(part, axis=1, keepdims=True)
                             for part in (rows, queries))
        self.distances = [exact_distances(rows, query, metric) for query in queries]

    def recall(self, ids, k):
        """The share of the k places that hold a right answer, each id counted once."""
        right = 0
        for distances, found in zip(self.distances, ids):
            found = np.unique(found[:k][found[:k] >= 0])
            last = np.partition(distances, min(k, len(distances)) - 1)[min(k, len(distances)) - 1]
            right += (distances[found] <= last + 1e-12 * abs(last)).sum() / min(k, len(distances))
        return round(right / len(ids), 4)


# --- what is measured -----------------------------------------------------------------------------

def show(**row):
    print(json.dumps(row), flush=True)


def timed(search, queries, timing):
    """Microseconds per query, one query per call; None unless asked for."""
    if not timing:
        return None
    chosen = queries[:TIMED_QUERIES]
    rounds = []
    for _ in range(3):
        start = time.perf_counter()
        for query in chosen:
            search(query)
        rounds.append((time.perf_counter() - start) / len(chosen))
    return round(1e6 * statistics.median(rounds), 1)


def build(base, metric, name, **options):
    """(index, seconds) by preset or by "spec" or "spec+raw"."""
    start = time.perf_counter()
    if name in PRESETS:
        index = obliq.Index.build(base, metric, preset=name, **options)
    else:
        spec, _, raw = name.partition("+")
        index = obliq.Index.build(base, metric, spec, raw=raw or None, **options)
    return index, round(time.perf_counter() - start, 2)


class Set:
    """Base, queries and metric under a name, with the truth once it is needed."""

    def __init__(self, case, data, metric, base, queries):
        self.case, self.data, self.metric = case, data, metric
        self.base, self.queries = base, queries
        self._truth = None

    @property
    def truth(self):
        self._truth = self._truth or Truth(self.base, self.queries, self.metric)
        return self._truth

    def row(self, name, k, knobs, ids, us=None, seconds=None, **more):
        show(case=self.case, data=self.data, metric=self.metric, index=name, k=k, knobs=knobs,
             recall=self.truth.recall(ids, k), us_per_query=us, build_seconds=seconds,
             ids_missing=round(float((ids < 0).mean()), 4), **more)

    def measure(self, name, settings, timing=False, **options):
        """A row for each (k, knobs) of `settings`; the error's text where there is no answer."""
        try:
            index, seconds = build(self.base, self.metric, name, **options)
        except (ValueError, RuntimeError, MemoryError) as error:
            show(case=self.case, data=self.data, metric=self.metric, index=name, error=str(error))
            return
        for k, knobs in settings:
            try:
                ids = index.search(self.queries, k, **knobs).ids
            except (ValueError, RuntimeError) as error:
                show(case=self.case, data=self.data, metric=self.metric, index=name, k=k,
                     knobs=knobs, error=str(error))
                continue
            us = timed(lambda query: index.search(query, k, threads=1, **knobs), self.queries,
                       timing)
            self.row(name, k, knobs, ids, us, seconds)

    def measure_faiss(self, nlist, k, nprobe, centroids=None):
        """FAISS's IVF SQ8, of these centroids or its own; cosine as inner products of unit vectors.
        """
        if faiss is None:
            return
        base, queries = (np.array(part, np.float32) for part in (self.base, self.queries))
        if self.metric == "cosine":
            for part in (base, queries):
                normalise(part)
        kind = faiss.METRIC_L2 if self.metric == "l2" else faiss.METRIC_INNER_PRODUCT
        index = faiss.index_factory(base.shape[1], f"IVF{nlist},SQ8", kind)
        if centroids is not None:
            index.quantizer.add(centroids)
        start = time.perf_counter()
        index.train(base)
        index.add(base)
        seconds = round(time.perf_counter() - start, 2)
        index.nprobe = nprobe
        name = f"faiss IVF{nlist},SQ8" + ("" if centroids is None else ", given centroids")
        self.row(name, k, {"nprobe": nprobe}, index.search(queries, k)[1], None, seconds)


def all_lists(confidence=None):
    return {"nprobe": 1 << 20, **({} if confidence is None else {"confidence": confidence})}


def gaussian(rng, n, dim):
    return rng.standard_normal((n, dim), dtype=np.float32)


def clusters(rng, sizes, dim, centres, noise, offset=0.0):
    """Sets of these sizes around the same Gaussian centres, `offset` from the origin; for a size of
    None the centres."""
    middle = rng.standard_normal((centres, dim)) + offset

    def around(n):
        return middle[rng.integers(centres, size=n)] + noise * rng.standard_normal((n, dim))

    return [(middle if n is None else around(n)).astype(np.float32) for n in sizes]


# --- cases ----------------------------------------------------------------------------------------

def duplicate_sets(rng, dim):
    """{name: rows} of sets with few distinct vectors."""
    one, other = gaussian(rng, 2, dim)
    return {
        "1,000 copies and 50": np.vstack([np.tile(one, (1000, 1)), gaussian(rng, 50, dim)]),
        "all equal 1,000": np.tile(one, (1000, 1)),
        "all equal 20,000": np.tile(one, (20_000, 1)),
        "two values": np.vstack([np.tile(one, (1000, 1)), np.tile(other, (1000, 1))]),
        "90% copies": np.vstack([np.tile(one, (4500, 1)), gaussian(rng, 500, dim)]),
        "20 values": np.repeat(gaussian(rng, 20, dim), 100, axis=0),
    }


def copies(_):
    settings = [(10, knobs) for knobs in ({}, {"nprobe": 1}, {"nprobe": 16}, {"nprobe": 64})]
    for dim in (16, 64):
        rng = np.random.default_rng(dim)
        for name, base in duplicate_sets(rng, dim).items():
            queries = np.vstack([base[:1], gaussian(rng, 49, dim)])
            data = Set("copies", f"{name}, dim {dim}", "l2", base, queries)
            for preset in PRESETS:
                data.measure(preset, settings)


def copies_build(_):
    """Build seconds of copies beside those of as many Gaussian vectors."""
    rng = np.random.default_rng(1)
    for n in (20_000, 200_000):
        for name, base in (("Gaussian", gaussian(rng, n, 128)),
                           ("copies", np.tile(gaussian(rng, 1, 128), (n, 1)))):
            seconds = build(base, "l2", "fast")[1]
            show(case="copies_build", data=f"{name} {n} x 128", metric="l2", index="fast",
                 build_seconds=seconds)


def tight(noise):
    specs = (*FAMILIES, "sq8", "sq8+fp16", "sq8+fp32")
    settings = [(10, all_lists()), (10, all_lists(1)), (10, {})]
    for offset, metric in itertools.product((0, 100), ("l2", "ip", "cosine")):
        rng = np.random.default_rng(1)
        base, queries = clusters(rng, (20_000, 200), 128, 400, noise, offset)
        data = Set("tight", f"noise {noise:g}, offset {offset}", metric, base, queries)
        data.measure_faiss(400, 10, 400)
        if metric != "cosine":
            middle, = clusters(np.random.default_rng(1), (None,), 128, 400, 0, offset)
            data.measure_faiss(400, 10, 400, middle)
        for preset in PRESETS:
            data.measure(preset, settings, nlist=400)
        for spec in specs:
            data.measure(spec, settings[:2], nlist=400, tune=False)


def angles(_):
    settings = [(10, {"target_recall": 0.9}), (10, {}), (10, all_lists(1))]
    for noise in (0.01, 0.003, 0.001):
        rng = np.random.default_rng(1)
        base, queries = (1 + noise * gaussian(rng, n, 64) for n in (10_000, 200))
        data = Set("angles", f"1 + {noise:g} noise", "cosine", base, queries)
        data.measure_faiss(400, 10, 400)
        for preset in PRESETS:
            data.measure(preset, settings)


def scales(_):
    """ids_differ: the share of ids that are not those of the same set at 2^0."""
    rng = np.random.default_rng(1)
    base, queries = gaussian(rng, 10_000, 64), gaussian(rng, 200, 64)
    for metric in ("l2", "ip"):
        for name in ("sq8", "sq8+fp16", "sq8+fp32"):
            known = build(base, metric, name)[0].search(queries, 10).ids
            for power in range(-66, 61, 6):
                scaled(Set("scales", f"2^{power}", metric, base * np.float32(2.0**power),
                           queries * np.float32(2.0**power)), name, known)
    base = gaussian(rng, 1000, 64)
    base[0, 0] = 65504
    Set("scales", "65504", "l2", base, queries).measure("sq8+fp16", [(10, {})])


def scaled(data, name, known):
    try:
        ids = build(data.base, data.metric, name)[0].search(data.queries, 10).ids
    except (ValueError, RuntimeError) as error:
        show(case="scales", data=data.data, metric=data.metric, index=name, error=str(error))
        return
    data.row(name, 10, {}, ids, ids_differ=round(float((ids != known).mean()), 4))


def dims(_):
    """Recall at the default confidence beside that at confidence 1, through all lists. The widest
    takes 3 GB."""
    for dim in (4096, 16_384, 65_536):
        rng = np.random.default_rng(1)
        n = 2000
        sets = {"Gaussian": (gaussian(rng, n, dim), gaussian(rng, 20, dim)),
                "clustered": clusters(rng, (n, 20), dim, 50, 0.3)}
        for name, (base, queries) in sets.items():
            data = Set("dims", f"{name}, dim {dim}", "l2", base, queries)
            for index in ("sq8", "lm4", "exact"):
                data.measure(index, [(10, all_lists()), (10, all_lists(1))], tune=False)


def large_k(_):
    for n, dim in ((2000, 32), (100_000, 128)):
        rng = np.random.default_rng(1)
        data = Set("large_k", f"Gaussian {n} x {dim}", "l2", gaussian(rng, n, dim),
                   gaussian(rng, 100, dim))
        for preset in ("fast", "exact"):
            data.measure(preset, [(k, {"target_recall": 0.9}) for k in (10, 100, 1000)])


def read_set(path):
    import h5py
    with h5py.File(path) as file:
        return (np.asarray(file["train"], np.float32), np.asarray(file["test"][:TIMED_QUERIES],
                                                                   np.float32))


def defaults(options):
    """Searches without knobs."""
    rng = np.random.default_rng(1)
    sets = [(os.path.basename(path), "cosine", read_set(path)) for path in options.sets]
    sets += [("Gaussian 10,000 x 128", "l2", (gaussian(rng, 10_000, 128),
                                              gaussian(rng, 200, 128))),
             ("Gaussian 100,000 x 128", "l2", (gaussian(rng, 100_000, 128),
                                               gaussian(rng, 200, 128))),
             ("clustered 100,000 x 128", "l2", clusters(rng, (100_000, 200), 128, 1000, 0.3))]
    for name, metric, (base, queries) in sets:
        data = Set("defaults", name, metric, base, queries)
        for preset in PRESETS:
            data.measure(preset, [(k, {}) for k in (1, 10, 100, 1000)], timing=True)
        lists = int(4 * len(base) ** 0.5)
        for nprobe in (16, lists):
            data.measure_faiss(lists, 10, nprobe)


CASES = {case.__name__: case for case in (copies, copies_build, angles, scales, dims, large_k,
                                          defaults)}
CASES.update({f"tight-1e-{digits}": lambda _, digits=digits: tight(10.0**-digits)
              for digits in (2, 3, 4, 5)})


def main():
    parser = argparse.ArgumentParser(description="Recall and time of searches at the edges.")
    parser.add_argument("--case", default=",".join(CASES), help="names with commas")
    parser.add_argument("--list", action="store_true", help="prints the names of the cases")
    parser.add_argument("--set", dest="sets", action="append",
                        help="HDF5 files for `defaults`, by cosine (default: the sample)")
    options = parser.parse_args()
    options.sets = options.sets or [SAMPLE]
    if options.list:
        print("\n".join(CASES))
        return 0
    for name in options.case.split(","):
        if name not in CASES:
            parser.error(f"there is no case '{name}': {', '.join(CASES)}")
        CASES[name](options)
    return 0


if __name__ == "__main__":
    sys.exit(main())
