"""Filters of known selectivity over a benchmark set, their queries, and the exact answers.

Every vector has int64 attributes, each a ranking of all n vectors (0 to n - 1, no two alike), and a
filter is `attribute < bound`: bound = share * n rounded, 1 at least, is exactly how many pass. Of
each kind of filter there are GROUPS groups, one attribute and QUERIES queries that share a filter.

    random       random_G: the vectors in a random order, which knows nothing of where they lie;
                 queries drawn at random, no query in two groups
    correlated   topic_G: the vectors by distance from an anchor, the nearest first. An anchor is a
                 query drawn at random. The queries are those nearest to it, the anchor among them:
                 what passes lies where they look
    anti         topic_G again, with the queries farthest from the anchor: what passes lies far
                 from them, all of it in the same few lists

Distance from an anchor is L2 whatever the metric, of unit vectors for angular sets. A smaller share
of an attribute is a part of a larger one. Truth is brute force in float32 over what passes; where
fewer than k pass, they are all there is to find.
"""

import os
from typing import NamedTuple

import numpy as np

KINDS = ("random", "correlated", "anti")
SHARES = (0.0001, 0.001, 0.01, 0.1, 0.5, 1.0)
GROUPS, QUERIES = 4, 125
SEED = 20
ROWS_A_BLOCK = 1 << 16
VERSION = 1  # of what this file makes: it names the file


class Group(NamedTuple):
    """Queries that share a filter. `bound` None: no filter."""
    column: str
    bound: int | None
    queries: np.ndarray  # row numbers of the set's queries
    nearest: np.ndarray  # int64 [queries][k], -1 where fewer than k pass


def bound_of(share, n):
    return max(1, round(share * n))


def column_of(kind, group):
    return f"{'random' if kind == 'random' else 'topic'}_{group}"


class Cases:
    """What make_cases wrote."""

    def __init__(self, path):
        self.file = np.load(path, allow_pickle=False)
        self.columns = [name.removeprefix("column:") for name in self.file.files
                        if name.startswith("column:")]
        self.kept = {}

    def attribute(self, column):
        """int64 [n]; read once."""
        return self.kept.setdefault(column, self.file[f"column:{column}"])

    def groups(self, kind, share):
        """The groups of a kind at a share, or, at None, their queries without a filter."""
        for number in range(GROUPS):
            column = column_of(kind, number)
            nearest = self.file[f"nearest:{kind}:{share or 1.0}:{number}"]
            bound = None if share is None else bound_of(share, len(self.attribute(column)))
            yield Group(column, bound, self.file[f"queries:{kind}:{number}"], nearest)


def recall_of(answers, nearest):
    """(recall, found): the share of what is to be found that the answers hold, and how many answers
    there are for each that should be. -1 is no answer; an id counts once."""
    hits = found = wanted = 0
    for answer, truth in zip(answers, nearest):
        answer = np.unique(np.asarray(answer, dtype=np.int64))
        answer, truth = answer[answer >= 0], truth[truth >= 0]
        hits += len(np.intersect1d(answer, truth))
        found += len(answer)
        wanted += len(truth)
    return hits / wanted, found / wanted


# --- making them -------------------------------------------------------------------------------


def make_cases(benchmark_set, checksum, cache):
    """Path of the cases of a set, made when they are missing."""
    path = os.path.join(cache, f"filters-{checksum}-{benchmark_set.k}-v{VERSION}.npz")
    if os.path.exists(path):
        return path
    rng = np.random.default_rng(SEED)
    arrays = {}
    count = min(QUERIES, len(benchmark_set.queries) // GROUPS)
    drawn = rng.permutation(len(benchmark_set.queries))
    for group in range(GROUPS):
        order = rng.permutation(benchmark_set.n)
        add_group(arrays, benchmark_set, "random", group, order,
                  drawn[group * count:(group + 1) * count])
        anchor = benchmark_set.queries[drawn[group]]
        order = by_distance(benchmark_set.base, anchor)
        queries = by_distance(benchmark_set.queries, anchor)
        add_group(arrays, benchmark_set, "correlated", group, order, queries[:count])
        add_group(arrays, benchmark_set, "anti", group, order, queries[-count:])
    np.savez(path + ".tmp.npz", **arrays)
    os.replace(path + ".tmp.npz", path)
    return path


def by_distance(vectors, anchor):
    """Row numbers, the nearest to the anchor first."""
    distances = np.einsum("ij,ij->i", vectors, vectors) - 2 * (vectors @ anchor)
    return np.argsort(distances, kind="stable")


def add_group(arrays, benchmark_set, kind, group, order, queries):
    """Puts the attribute of an order, the queries and their truth at every share into `arrays`."""
    attribute = np.empty(len(order), dtype=np.int64)
    attribute[order] = np.arange(len(order))
    arrays[f"column:{column_of(kind, group)}"] = attribute
    arrays[f"queries:{kind}:{group}"] = queries.astype(np.int64)
    bounds = [bound_of(share, len(order)) for share in SHARES]
    truths = prefix_truths(benchmark_set, benchmark_set.queries[queries], order, bounds)
    for share, nearest in zip(SHARES, truths):
        arrays[f"nearest:{kind}:{share}:{group}"] = nearest


def prefix_truths(benchmark_set, queries, order, bounds):
    """Of each of the rising `bounds`: the k nearest of the first `bound` rows of `order`, int64
    [queries][k], -1 where there are fewer."""
    k = benchmark_set.k
    best = np.full((len(queries), k), np.inf, dtype=np.float32)
    ids = np.full((len(queries), k), -1, dtype=np.int64)
    done = 0
    for bound in bounds:
        for first in range(done, bound, ROWS_A_BLOCK):
            rows = order[first:min(first + ROWS_A_BLOCK, bound)]
            distances = distances_of(benchmark_set, queries, rows)
            best, ids = merged(best, ids, distances, rows, k)
        done = bound
        yield ids


def distances_of(benchmark_set, queries, rows):
    """float32 [queries][rows]; of L2, less the norm of the query."""
    vectors = benchmark_set.base[rows]
    products = queries @ vectors.T
    if benchmark_set.metric != "l2":
        return -products
    return np.einsum("ij,ij->i", vectors, vectors) - 2 * products


def merged(best, ids, distances, rows, k):
    """The k least of what was found before and of new rows, in rising order."""
    values = np.concatenate([best, distances], axis=1)
    names = np.concatenate([ids, np.broadcast_to(rows, distances.shape)], axis=1)
    chosen = np.argpartition(values, k - 1, axis=1)[:, :k]
    order = np.argsort(np.take_along_axis(values, chosen, axis=1), axis=1, kind="stable")
    chosen = np.take_along_axis(chosen, order, axis=1)
    return np.take_along_axis(values, chosen, axis=1), np.take_along_axis(names, chosen, axis=1)
