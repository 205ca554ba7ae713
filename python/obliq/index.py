"""The index: inverted lists of quantized vectors."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Callable, Literal, NamedTuple, Optional, Union

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arrays import as_array, as_matrix, as_seed, refuse_masked, team

if TYPE_CHECKING:
    from typing_extensions import TypeGuard

Metric = Literal["l2", "ip", "cosine"]
Path = Union[str, "os.PathLike[str]"]
Preset = Literal["fast", "small", "tiny", "exact"]
Progress = Callable[[str, float], Optional[bool]]

_FLOAT32 = np.dtype(np.float32)
_INT64 = np.dtype(np.int64)
_empty = np.empty  # found sooner than an attribute


class SearchResult(NamedTuple):
    """Answers, nearest first. Too few: id -1 and distance +inf. One query given as [dim]: both [k].

    distances   float32 [queries][k]; l2: squared distance, ip: negated inner product, cosine:
                1 - cosine
    ids         int64 [queries][k]
    """

    distances: NDArray[np.float32]
    ids: NDArray[np.int64]


class TunedTarget(NamedTuple):
    """How a search reaches a target recall at one k.

    threshold   of the stop rule; -inf: only all lists are enough
    nprobe      the fixed number of lists that does as well
    stops       the stop rule is used; else nprobe
    """

    recall: float
    threshold: float
    nprobe: int
    stops: bool


class TunedLadder(NamedTuple):
    """The targets of one k, rising. max_recall: the recall of all lists."""

    k: int
    max_recall: float
    targets: list[TunedTarget]


class Tuning(NamedTuple):
    """What tuning found.

    queries       the number of learn queries
    from_base     base vectors stood in for them
    exact_truth   False: truth was the index's own exhaustive search, see Index.tune
    """

    queries: int
    from_base: bool
    exact_truth: bool
    ladders: list[TunedLadder]


@dataclass(frozen=True)
class IndexStats:
    """What an index is made of. bytes_per_vector: blocks, rows and raw tier, without external ids
    and centroids; file_bytes: 0 before the index is saved; tuning: None when it is not tuned."""

    n: int
    dim: int
    nlist: int
    list_groups: int
    metric: str
    quantizer: str
    raw: str
    spill: float
    bytes_per_vector: float
    id_bytes: int
    centroid_bytes: int
    file_bytes: int
    format_version: int
    tuning: Optional[Tuning]


def _as_base(vectors: Any) -> Any:
    """As an array [n][dim]. Raises ValueError on other shapes."""
    array = as_array(vectors, "vectors")
    if array.ndim != 2:
        raise ValueError(f"vectors must be an array [n][dim], not one of {array.ndim} axes")
    return array


def _bad_room(k: int) -> Exception:
    """Why there is no array of k columns."""
    return ValueError(f"k must be 1 or more, not {k}") if k < 1 else MemoryError(f"k = {k}")


def _optional(vectors: Any, name: str) -> Any:
    return None if vectors is None else as_matrix(vectors, name)


class Index:
    """An immutable index. Make one with build, open or from_bytes; search it from any thread.

    Pickle and multiprocessing carry it as its bytes; a mapped file (open) is the cheaper way, since
    processes then share its memory. A forked child may search what its parent made, on one thread,
    unless another thread was inside a call at the moment of the fork.
    """

    __slots__ = ("_index",)
    _index: _core.Index
    __iter__ = None  # there are len and [], but ids need not be positions

    def __init__(self) -> None:
        raise TypeError("make an index with Index.build(vectors), Index.open(path) or "
                        "Index.from_bytes(data)")

    @classmethod
    def _of(cls, core: _core.Index) -> Index:
        index = cls.__new__(cls)
        index._index = core
        return index

    @classmethod
    def build(cls, vectors: Any, metric: Metric = "l2", quantizer: Optional[str] = None, *,
              preset: Optional[Preset] = None, raw: Optional[str] = None,
              spill: Optional[float] = None, nlist: Union[int, Literal["auto"]] = "auto",
              ids: Any = None, centroids: Any = None, train_queries: Any = None, seed: int = 1,
              threads: int = 0, kmeans_iterations: int = 10, list_groups: int = 0,
              tune: bool = True, path: Optional[Path] = None, max_memory: int = 0,
              progress: Optional[Progress] = None) -> Index:
        """Builds an index over `vectors` [n][dim] of float16, float32, float64, int8 or uint8, any
        strides; they are read piece by piece and not copied whole.

        metric      "l2", "ip" (inner product) or "cosine"
        quantizer   spec, wins over preset: "sq8", "lm4", see quantizer_grammar()
        preset      "fast" (sq8, spill .5), which is the default without a quantizer, "small"
                    (lm4), "tiny" (lm2), "exact" (fast with raw fp32)
        raw         exact vectors beside the codes: "none", "fp16" or "fp32"; wins over preset
        spill       share of the vectors with an entry in a second list, 0 to 1; wins over preset
        nlist       inverted lists; "auto": about 4 sqrt(n)
        ids         int64 [n], all different, none -1 ("no answer"); default: positions
        centroids   [nlist][dim] to use instead of k-means
        train_queries   [m][dim], for quantizers that learn from queries
        threads     0: as many as the process may use; the index does not depend on it
        list_groups  that route queries to lists: 0: none below 32,768 lists, 1: none at all
        tune        calibrate target recalls; see tune
        path        build into this file, whole or not at all, and open it mapped
        max_memory  with path: bytes that the build may take, with temporary files; 0: any
        progress    called with (stage, fraction done); return False to stop

        Raises ValueError on NaN or infinity (naming the row), wrong shapes, masked arrays, an
        unknown spec, an id given twice, too little max_memory; OSError when path cannot be written;
        TypeError on other number types; Cancelled when progress returned False, and what it raised;
        KeyboardInterrupt on Ctrl-C. Cost: k-means, then nlist * dim operations per vector, and tune
        """
        options = _core.BuildOptions(
            metric, preset or "", quantizer or "", raw or "",
            None if spill is None else float(spill), _count(nlist), list_groups, as_seed(seed),
            team(threads), kmeans_iterations, tune, "" if path is None else os.fspath(path),
            max_memory)
        return cls._of(_core.Index.build(
            _as_base(vectors), options, None if ids is None else _as_ids(ids),
            _optional(centroids, "centroids"), _optional(train_queries, "train_queries"), progress))

    @classmethod
    def open(cls, path: Path, *, in_memory: bool = False,
             verify: bool = False) -> Index:
        """Opens a saved index: mapped, so that processes share its memory, or with in_memory read
        into memory of its own, which is faster to search. verify checks every byte first.

        Raises OSError when the file cannot be read, RuntimeError naming section and offset when it
        is damaged.
        """
        return cls._of(_core.Index.open(os.fspath(path), in_memory, verify))

    @staticmethod
    def verify(path: Path) -> None:
        """Checks every byte of a saved index. Raises as open does; returns nothing when sound."""
        _core.Index.open(os.fspath(path), False, True)

    def save(self, path: Path) -> None:
        """Writes one file, whole or not at all: to a temporary name, synced, then renamed. Raises
        OSError when it cannot; the message tells when the new file is in place nevertheless.
        Cost: the bytes of stats()."""
        self._index.save(os.fspath(path))

    def search(self, queries: Any, k: int = 10, *, nprobe: Optional[int] = None,
               confidence: float = 0.964, threads: int = 0,
               target_recall: float = 0.0, batch_order: str = "auto") -> SearchResult:
        """The k nearest vectors of each query, [m][dim] or [dim].

        k           answers per query; the index may hold fewer
        nprobe      the least number of lists to scan; more where they hold fewer than k vectors,
                    all from nlist on. With target_recall the most. None: as many as that takes
        confidence  probability that a true neighbour passes the bound of a stage; 1 prunes nothing
        threads     0: as many as the process may use (answers do not depend on it)
        target_recall   mean recall@k to reach at the default confidence, in (0, 1): each query
                    scans as many lists as tuning found that it needs. 0, without nprobe: .96 of
                    what all lists give at this k, .95 at most; an index that is not tuned then
                    scans all lists below 1,000 vectors, else a number that grows with nlist and k
        batch_order  "query": one query after the other; "list": many at a time, which share the
                    lists that they visit; "auto": list where enough queries visit the same lists.
                    The result depends only on query and options, not on other queries in the
                    batch

        Raises ValueError on a wrong dim, NaN or infinity (naming the query), k or nprobe below 1,
        a confidence outside (0, 1], an unknown batch_order, a target_recall of an index that is not
        tuned or above its max_recall; TypeError on number types that build refuses too.
        Ctrl-C ends a long batch. Other Python threads run meanwhile.
        """
        if type(queries) is np.ndarray and queries.dtype is _FLOAT32 \
                and 1 <= queries.ndim <= 2 and queries.flags.c_contiguous:
            matrix = queries if queries.ndim == 2 else queries[np.newaxis]
        else:
            queries = as_array(queries, "queries")
            matrix = as_matrix(queries, "queries")
        try:
            distances = _empty((len(matrix), k), _FLOAT32)
            ids = _empty((len(matrix), k), _INT64)
        except ValueError:
            raise _bad_room(k) from None
        self._index.search(matrix, distances, ids, nprobe, confidence, team(threads),
                           target_recall, batch_order)
        if queries.ndim == 1:
            distances, ids = distances[0], ids[0]
        return SearchResult(distances, ids)

    def tune(self, learn_queries: Any = None, *, threads: int = 0,
             progress: Optional[Progress] = None) -> None:
        """Calibrates target recalls and replaces what build or the file held: searches all lists
        with learn queries and compares with their true neighbours.

        learn_queries   [m][dim], like those to come; at most 1,000 are used, above 500,000 vectors
                    fewer, 250 at least. None: base vectors stand in
        threads     0: as many as the process may use; the outcome does not depend on it
        progress    called with (stage, fraction done); return False to stop

        Truth is exact with a raw tier; without one it is the index's own exhaustive search, and
        what the codes lose is taken from the tuning before: all lists then give the recall that
        they gave to build, which has the base. An index that was not tuned before ignores that
        loss. An index of fewer than 1,000 vectors is not tuned. Other threads may search
        meanwhile, but not save. Raises as build does. Cost: three to four searches
        through all lists per query.
        """
        self._index.tune(None if learn_queries is None
                         else as_matrix(learn_queries, "learn_queries"), team(threads), progress)

    def reconstruct(self, id: int) -> NDArray[np.float32]:
        """The vector float32 [dim] that an id stands for: exact from a raw tier, else decoded;
        cosine gives unit vectors. Raises ValueError for an unknown id."""
        if not _may_be_id(id):
            raise ValueError(f"id {id!r} is not in the index")
        return self._index.reconstruct(id)

    def stats(self) -> IndexStats:
        """What the index is made of."""
        stats = self._index.stats()
        tuning = stats.pop("tuning")
        if tuning is not None:
            queries, from_base, exact_truth, ladders = tuning
            tuning = Tuning(queries, from_base, exact_truth, [
                TunedLadder(k, max_recall, [TunedTarget(*target) for target in targets])
                for k, max_recall, targets in ladders])
        return IndexStats(**stats, tuning=tuning)

    def to_bytes(self) -> bytes:
        """The index as save would write it."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "index.idx")
            self.save(path)
            with open(path, "rb") as file:
                return file.read()

    @classmethod
    def from_bytes(cls, data: Union[bytes, bytearray, memoryview]) -> Index:
        """The reverse of to_bytes. Every byte is checked; raises RuntimeError when damaged."""
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "index.idx")
            with open(path, "wb") as file:
                file.write(data)
            return cls.open(path, in_memory=True, verify=True)

    def __reduce__(self) -> Any:
        return Index.from_bytes, (self.to_bytes(),)

    def __len__(self) -> int:
        return self.stats().n

    def __copy__(self) -> Index:
        return self

    def __deepcopy__(self, memo: Any) -> Index:
        return self

    def __contains__(self, id: object) -> bool:
        """Whether an id is in the index. Cost: with external ids a pass over them."""
        return _may_be_id(id) and self._index.contains(id)

    def __getitem__(self, id: int) -> NDArray[np.float32]:
        """reconstruct, but KeyError for an unknown id."""
        if id not in self:
            raise KeyError(id)
        return self._index.reconstruct(id)

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self.stats().dim

    def __repr__(self) -> str:
        stats = self.stats()
        return (f"obliq.Index(n={stats.n}, dim={stats.dim}, metric='{stats.metric}', "
                f"quantizer='{stats.quantizer}', nlist={stats.nlist}, "
                f"bytes_per_vector={stats.bytes_per_vector:.1f})")


def _count(nlist: Any) -> int:
    if nlist == "auto":
        return 0
    if isinstance(nlist, (int, np.integer)) and nlist > 0:
        return int(nlist)
    raise ValueError(f"nlist must be 'auto' or a number of 1 or more, not {nlist!r}")


def _may_be_id(id: object) -> TypeGuard[int]:
    return isinstance(id, (int, np.integer)) and -(1 << 63) <= int(id) < 1 << 63


def _as_ids(ids: Any) -> NDArray[np.int64]:
    refuse_masked(ids, "ids")
    array = np.asarray(ids)
    if array.ndim != 1 or (array.dtype.kind not in "iu" and array.size > 0):
        raise ValueError("ids must be whole numbers [n]")
    if array.dtype == np.uint64 and (array >> np.uint64(63)).any():
        raise ValueError("ids must be below 2**63")
    return np.ascontiguousarray(array, dtype=np.int64)
