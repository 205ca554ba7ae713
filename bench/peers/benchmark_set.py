"""A benchmark set in the ann-benchmarks HDF5 layout, and recall against its ground truth.

Angular sets are normalised here, after widening to float32, and searched by every method as unit
vectors. Recall@k comes in two forms, the same as those of `obliq eval`:
    strict     share of the first k true ids that the answer holds
    tie-aware  an id also counts when the ground truth holds it further back, at the distance of
               the k-th neighbour; at most k per query
"""

import functools
import zlib

import h5py
import numpy as np

METRICS = {"angular": "cosine", "euclidean": "l2", "ip": "ip", "dot": "ip"}
TIE_TOLERANCE = 1e-6  # relative to the distance


class BenchmarkSet:
    """n, dim, metric (cosine, l2 or ip), queries [queries][dim], nearest [queries][k] true ids.
    The base is read when it is first asked for: those who only search never hold it."""

    def __init__(self, path, k=10):
        with h5py.File(path, "r") as file:
            distance = str(file.attrs.get("distance", "nothing"))
            if distance not in METRICS:
                raise SystemExit(f"{path} says that its distance is {distance}, which is none of "
                                 f"{', '.join(METRICS)}")
            self.metric = METRICS[distance]
            self.n, self.dim = file["train"].shape
            self.queries = self.prepared(file["test"])
            ids = file["neighbors"][:].astype(np.int64)
            distances = file["distances"][:].astype(np.float64)
        if ids.shape[1] < k:
            raise SystemExit(f"{path} holds {ids.shape[1]} neighbours per query, fewer than "
                             f"k = {k}")
        self.path = path
        self.k = k
        last = distances[:, k - 1:k]
        tied = distances[:, k:] <= last + TIE_TOLERANCE * np.abs(last)
        self.nearest = ids[:, :k]
        self.tied = [row[mask] for row, mask in zip(ids[:, k:], tied)]

    @functools.cached_property
    def base(self):
        """float32 [n][dim]."""
        with h5py.File(self.path, "r") as file:
            return self.prepared(file["train"])

    def prepared(self, dataset):
        vectors = dataset.astype(np.float32)[:]
        if self.metric == "cosine":
            normalise(vectors)
        return vectors

    def recall(self, ids):
        """(strict, tie-aware) recall@k of `ids` [queries][k]. An id counts once a query."""
        strict = ties = 0
        for answer, nearest, tied in zip(np.asarray(ids, dtype=np.int64), self.nearest, self.tied):
            hits = len(np.intersect1d(answer, nearest))
            strict += hits
            ties += min(self.k, hits + len(np.intersect1d(answer, tied)))
        return strict / self.nearest.size, ties / self.nearest.size


def normalise(vectors):
    """Scales every row to length 1 in place, however short or long it is; zero rows stay."""
    largest = np.abs(vectors).max(axis=1, keepdims=True, initial=0)
    # A power of two, which rounds nothing, brings the squares into the range of float32.
    exponents = np.where(largest > 0, 1 - np.frexp(largest)[1], 0)
    for part in (exponents // 2, exponents - exponents // 2):  # one alone may be beyond float32
        np.ldexp(vectors, part, out=vectors)
    norms = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors /= np.where(norms > 0, norms, 1)


def file_crc32(path):
    """CRC-32 (zlib) of a file's bytes, eight hex digits."""
    value = 0
    with open(path, "rb") as file:
        while chunk := file.read(1 << 22):
            value = zlib.crc32(chunk, value)
    return f"{value:08x}"
