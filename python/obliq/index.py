"""The index: inverted lists of quantized vectors."""

from __future__ import annotations

from typing import Any, Callable, Dict, Iterable, NoReturn, Optional, Sequence, Union

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_flag, as_path, as_paths, as_progress, as_threads, as_whole
from obliq.arrays import (as_array, as_given, as_matrix, as_named, as_neighbours, may_be_id, team,
                          whole_numbers)
from obliq.columns import Columns, ColumnType, Types, as_column_names, as_columns, columns_of
from obliq.filter import Filter, as_filter, wanted_of
from obliq.index_stats import IndexStats as IndexStats
from obliq.index_stats import TunedLadder as TunedLadder
from obliq.index_stats import TunedTarget as TunedTarget
from obliq.index_stats import Tuning as Tuning
from obliq.index_stats import index_stats
from obliq.model import Model, core_of, given_arrays
from obliq.options import AnyMetric as AnyMetric
from obliq.options import BatchOrder as BatchOrder
from obliq.options import ListCount
from obliq.options import Metric as Metric
from obliq.options import Path as Path
from obliq.options import Preset as Preset
from obliq.options import Raw as Raw
from obliq.options import Progress as Progress
from obliq.options import learn_options, search_options
from obliq.range_search import RangeSearchResult, range_arguments, range_result
from obliq.search_iterator import SearchIterator, make_iterator
from obliq.search_result import SearchResult as SearchResult
from obliq.search_result import result_of, work_of
from obliq.temporary import bytes_of, open_bytes

_FLOAT32 = np.dtype(np.float32)
_INT64 = np.dtype(np.int64)
_AUTO = "auto"
_quick_search: Callable[..., Optional[SearchResult]] = _core.make_quick_search(
    np.ndarray, np.empty, _FLOAT32, _INT64, SearchResult)


def as_queries(queries: Any) -> tuple[Any, bool]:
    """Queries [m][dim], and whether they are one, given as [dim]."""
    if type(queries) is np.ndarray and queries.dtype is _FLOAT32 \
            and 1 <= queries.ndim <= 2 and queries.flags.c_contiguous:
        return (queries, False) if queries.ndim == 2 else (queries[np.newaxis], True)
    array = as_array(queries, "queries")
    return as_matrix(array, "queries"), array.ndim == 1


class Index:
    """An immutable index. Make one with build, open or from_bytes; search it from any thread.

    Pickle and multiprocessing carry it as its bytes; a mapped file (open) is the cheaper way, since
    processes then share its memory. A forked child may search what its parent made, on one thread,
    unless another thread was inside a call at the moment of the fork.
    """

    __slots__ = ("_index",)
    _index: _core.Index
    __iter__ = None  # there are len and [], but ids need not be positions

    def __init__(self, *_: NoReturn, **__: NoReturn) -> None:
        raise TypeError("make an index with Index.build(vectors), Index.open(path) or "
                        "Index.from_bytes(data); it has the dim of its vectors")

    @classmethod
    def _of(cls, core: _core.Index) -> Index:
        index = cls.__new__(cls)
        index._index = core
        return index

    @classmethod
    def build(cls, vectors: Any, metric: AnyMetric = "l2", quantizer: Optional[str] = None, *,
              preset: Optional[Preset] = None, raw: Optional[Raw] = None,
              spill: Optional[float] = None, nlist: ListCount = "auto", ids: Any = None,
              columns: Any = None, types: Optional[Types] = None, centroids: Any = None,
              train_queries: Any = None, seed: int = 1, threads: int = 0,
              kmeans_iterations: int = 10, kmeans_points: int = 256, list_groups: int = 0,
              tune: bool = True, path: Optional[Path] = None, max_memory: int = 0,
              progress: Optional[Progress] = None) -> Index:
        """Builds an index over `vectors` [n][dim] of float16/32/64, int8 or uint8, of any strides.

        metric      "l2", "ip" (inner product) or "cosine"; also "euclidean", "dot", "angular"...
        quantizer   spec, wins over preset: "sq8", "lm4", see quantizer_grammar()
        preset      "fast" (sq8, spill .5; the default), "small" (lm4), "tiny" (lm2), "exact" (raw)
        raw         exact vectors, too: "none", "fp16" or "fp32"; wins over preset
        spill       share of the vectors with an entry in a second list, 0 to 1; wins over preset
        nlist       lists; "auto": about 4 sqrt(n)
        ids         int64 [n], all different, none -1 ("no answer"); default: positions
        columns, types      attributes to filter by and to return, and their types: Columns
        centroids   [nlist][dim] to use instead of k-means
        train_queries   [m][dim], for quantizers that learn from queries
        threads     0: as many as the process may use; the index does not depend on it
        kmeans_points  vectors per list that k-means sees, at most
        list_groups  that route queries to lists: 0: none below 32,768 lists, 1: none at all
        tune        calibrate target recalls; see tune
        path        build into this file, whole or not at all, and open it mapped
        max_memory  with path: bytes that the build may take, with temporary files; 0: any
        progress    called with (stage, fraction done: it rises to 1); return False to stop

        Raises ValueError on NaN, infinity or what float32 cannot hold (naming the row), wrong
        shapes, masked arrays, an unknown name, an id given twice, too little max_memory; OSError
        when path cannot be written; TypeError on other types; Cancelled when progress returned
        False; KeyboardInterrupt on Ctrl-C. Cost: k-means, nlist * dim operations per vector, tune.
        """
        options = learn_options(metric, preset, quantizer, raw, spill, nlist, list_groups, seed,
                                threads, kmeans_iterations, kmeans_points)
        given = given_arrays(vectors, options, ids, centroids, train_queries)
        return cls._of(_core.Index.build(
            *given, as_columns(columns, len(given[0]), types), as_flag(tune, "tune"),
            b"" if path is None else as_path(path), as_whole(max_memory, "max_memory", 0),
            as_progress(progress)))

    @classmethod
    def open(cls, path: Union[Path, Model], segments: Optional[Iterable[Path]] = None, *,
             in_memory: bool = False, verify: bool = False,
             read_ahead: bool = False) -> Index:
        """Opens a saved index, or segments of a model, as Index.open(model, [path, ...]): they are
        searched together, as if they were merged, but not tuned, and not saved to one file. Their
        ids must differ, which is not checked.

        in_memory   read into memory of its own, which is faster to search; else files are mapped,
                    so that processes share their memory
        verify      check every byte first
        read_ahead  for mapped files that are larger than the memory there is for them: a search
                    asks for the pages it is about to read, many at a time. Answers are the same;
                    where the pages are in memory it costs time

        Raises OSError when a file cannot be read, RuntimeError naming section and offset when it
        is damaged, ValueError naming both models when a segment is of another.
        """
        how = (as_flag(in_memory, "in_memory"), as_flag(verify, "verify"),
               as_flag(read_ahead, "read_ahead"))
        if segments is not None:
            names = as_paths(segments, "segments")
            return cls._of(_core.Index.open_segments(core_of(path), names, *how))
        if isinstance(path, Model):
            raise TypeError("a model has no vectors: give its segments, as "
                            "Index.open(model, [path])")
        return cls._of(_core.Index.open(as_path(path), *how))

    @staticmethod
    def verify(path: Path) -> None:
        """Checks every byte of a saved index. Raises as open does; returns nothing when sound."""
        _core.Index.open(as_path(path), False, True, False)

    def save(self, path: Path) -> None:
        """Writes one file, whole or not at all: to a temporary name, synced, then renamed. Raises
        OSError when it cannot; the message tells when the new file is in place nevertheless.
        Cost: the bytes of stats()."""
        self._index.save(as_path(path))

    def search(self, queries: Any, k: int = 10, *, nprobe: Optional[int] = None,
               confidence: float = 0.964, threads: int = 0, target_recall: float = 0.0,
               batch_order: BatchOrder = "auto", lists: Any = None, within: Any = None,
               filter: Any = None, params: Optional[Sequence[Any]] = None,
               columns: Optional[Sequence[str]] = None, explain: bool = False,
               **unknown: NoReturn) -> SearchResult:
        """The k nearest vectors of each query, [m][dim] or [dim]; the index may hold fewer.

        nprobe      the least number of lists to scan; more where they hold fewer than k vectors,
                    all from nlist on. With target_recall the most. None: as many as that takes
        confidence  that a true neighbour passes a bound; 1: all do; .964, without nprobe: as tuned
        threads     0: as many as the process may use; answers do not depend on it
        target_recall   mean recall@k to reach, in (0, 1), at no lower confidence. 0, without
                    nprobe: .96 of what all lists give, .95 at most; not tuned: docs/python.md
        batch_order  "query", "list" (what shares lists together), "auto"; the answers are the same
        lists, within   [m][any number], for one query also [any number]: scan these alone, as
                    Model.route gives them, best first; -1: none; for answers below distances [m]
        filter      which vectors may be answers: an expression ("year >= ?", params=[2020]), a
                    Filter, ids, an array of bool by position, or a function of an id
        columns, explain    the result has these columns; the work of queries, which go one by one

        Raises ValueError on a wrong dim, NaN or infinity (naming the query), what is out of range
        or does not fit, a target_recall of an index that is not tuned or above its max_recall;
        TypeError on other types. Ctrl-C ends a long batch.
        """
        if lists is within is params is columns is None and explain is False and not unknown \
                and batch_order is _AUTO and (filter is None or type(filter) is Filter) and (
                    quick := _quick_search(
                        self._index, queries, k, nprobe, confidence, threads, target_recall,
                        None if filter is None else filter._filter)):
            return quick
        k, nprobe, confidence, threads, target_recall, batch_order = search_options(
            k, nprobe, confidence, threads, target_recall, batch_order, unknown)
        matrix, alone = as_queries(queries)
        work = None if explain is False else work_of(explain, len(matrix))
        wanted = None if filter is params is columns is None else wanted_of(filter, params, columns)
        distances, ids = np.empty((len(matrix), k), _FLOAT32), np.empty((len(matrix), k), _INT64)
        return result_of(distances, ids, alone, work, self._index.search(
            matrix, distances, ids, nprobe, confidence, team(threads), target_recall, batch_order,
            *as_named(lists, within, len(matrix), alone), work, wanted))

    def range_search(self, queries: Any, radius: float, *, filter: Any = None,
                     params: Optional[Sequence[Any]] = None, confidence: float = 0.999,
                     exact: bool = False, max_results: int = 0, threads: int = 0,
                     columns: Optional[Sequence[str]] = None) -> RangeSearchResult:
        """All vectors nearer than `radius` to each query, [m][dim] or [dim], nearest first, as a
        named tuple (lims, distances, ids, cut): the answers of query i are ids[lims[i]:lims[i+1]].

        radius      a distance as search returns it: l2: squared, cosine: 1 - cosine, ip: the
                    negated product; what lies at it is left out
        confidence  probability that a vector within the radius passes the bound of a stage; 1
                    prunes nothing. Every list that may hold an answer is looked into
        exact       all vectors whose exact distance is below the radius, and no others; takes a raw
                    tier
        max_results the most answers per query, the nearest; 0: any number
        filter, params, columns     as in search
        threads     0: as many as the process may use; the answers do not depend on it

        Raises as search does, ValueError on a radius that is NaN and on `exact` without a raw tier.
        Ctrl-C waits for the end of the call. Cost: the distance to all centroids, then the lists
        that may hold an answer.
        """
        return range_result(*self._index.range_search(*range_arguments(
            queries, radius, filter, params, confidence, exact, max_results, threads, columns)))

    def search_iterator(self, query: Any, *, batch: int = 10, nprobe: Optional[int] = None,
                        confidence: float = 0.964, threads: int = 0, target_recall: float = 0.0,
                        filter: Any = None, params: Optional[Sequence[Any]] = None,
                        columns: Optional[Sequence[str]] = None) -> SearchIterator:
        """Hands out the neighbours of one query [dim] in batches of (distances, ids), without
        repeats, until all have been handed out; see SearchIterator. The options are those of
        search, and it raises as that does."""
        return make_iterator(self._index, as_queries(query)[0], batch, nprobe, confidence, threads,
                             target_recall, filter, params, columns)

    def filter(self, filter: Any, params: Optional[Sequence[Any]] = None) -> Filter:
        """A filter of what `search` takes for one: evaluated at once, so that searches with it need
        not. Raises as search does."""
        made = as_filter(filter, params)
        self._index.count(made._filter)
        return made

    def count(self, filter: Any, params: Optional[Sequence[Any]] = None) -> int:
        """The number of vectors that pass a filter, which search takes, too. Raises as search
        does."""
        return self._index.count(as_filter(filter, params)._filter)

    def get_columns(self, ids: Any, names: Optional[Sequence[str]] = None) -> Columns:
        """The values of columns, all where none is named, of the vectors of ids, of any shape: by
        name arrays of that shape. Of -1 they are NULL. Raises ValueError naming an unknown id or
        column. Cost: as reconstruct."""
        wanted = whole_numbers(ids)
        chosen = [] if names is None else as_column_names(names, "names")
        if names is not None and not chosen:
            return columns_of([], wanted.shape)
        return columns_of(self._index.get_columns(wanted.ravel(), chosen), wanted.shape)

    def tune(self, learn_queries: Any = None, *, learn_neighbors: Any = None, threads: int = 0,
             progress: Optional[Progress] = None) -> None:
        """Calibrates target recalls and replaces what build or the file held: searches all lists
        with learn queries and compares with their true neighbours.

        learn_queries   [m][dim], like those to come; at most 1,000 are used, above 500,000 vectors
                    fewer, 250 at least. None: base vectors stand in
        learn_neighbors     ids [m][100 or more] of their true neighbours, nearest first; -1 is
                    passed over. None: as follows
        threads     0: as many as the process may use; the outcome does not depend on it
        progress    called with (stage, fraction done), as in build

        Truth is exact with a raw tier; without one it is the index's own exhaustive search, and
        what the codes lose is taken from the tuning before: all lists then give the recall that
        they gave to build, which has the base. An index that was not tuned before ignores that
        loss. An index of fewer than 1,000 vectors is not tuned. Other threads may search
        meanwhile, but not save. Raises as build does. Cost: three to four searches
        through all lists per query.
        """
        queries = as_given(learn_queries, "learn_queries", "for base vectors")
        truth = None if learn_neighbors is None else as_neighbours(learn_neighbors, queries)
        self._index.tune(queries, truth, team(as_threads(threads)), as_progress(progress))

    def reconstruct(self, ids: Any) -> NDArray[np.float32]:
        """The vector float32 [dim] that an id stands for: exact from a raw tier, else decoded;
        cosine gives unit vectors. Many ids, of any shape as [m] or the [m][k] of a search, give
        [m][dim] or [m][k][dim] in one call. Raises ValueError naming an unknown id. Cost: with
        external ids a binary search for each, without them one pass over all positions."""
        if isinstance(ids, int) and not may_be_id(ids):
            raise ValueError(f"id {ids} is not in the index")
        return self._vectors(whole_numbers(ids))

    def stats(self) -> IndexStats:
        """What the index is made of."""
        return index_stats(self._index.stats())

    def to_bytes(self) -> bytes:
        """The index as save would write it. Needs no folder where memory can hold it twice; else
        raises OSError naming the temporary folder that is full."""
        return bytes_of(self.save)

    @classmethod
    def from_bytes(cls, data: Union[bytes, bytearray, memoryview]) -> Index:
        """The reverse of to_bytes. Every byte is checked; raises RuntimeError when damaged, OSError
        as to_bytes does."""
        return open_bytes(data, lambda path: cls.open(path, in_memory=True, verify=True),
                          "Index.open(path)")

    def __reduce__(self) -> Any:
        return Index.from_bytes, (self.to_bytes(),)

    def __len__(self) -> int:
        return self.stats().n

    def __copy__(self) -> Index:
        """An index of the same vectors, which both share, with a tuning of its own."""
        return self._of(self._index.copy())

    def __deepcopy__(self, memo: Any) -> Index:
        """As __copy__: nothing but the tuning of an index ever changes."""
        return self._of(self._index.copy())

    def __contains__(self, id: object) -> bool:
        """Whether an id is in the index. Cost: with external ids a binary search, without them one
        in each list."""
        return may_be_id(id) and self._index.contains(id)

    def __getitem__(self, ids: Any) -> NDArray[np.float32]:
        """reconstruct, but KeyError for an unknown id."""
        if isinstance(ids, slice):
            raise TypeError("ids are not positions to slice: give those wanted, as "
                            "index[np.arange(10)]")
        if not (isinstance(ids, (list, tuple)) or hasattr(ids, "__array__") or may_be_id(ids)):
            raise KeyError(ids)
        wanted = whole_numbers(ids)
        try:
            return self._vectors(wanted)
        except ValueError as error:
            raise KeyError(str(error)) from None

    def _vectors(self, ids: NDArray[np.int64]) -> NDArray[np.float32]:
        vectors = self._index.reconstruct(ids.ravel())
        return vectors.reshape((*ids.shape, vectors.shape[1]))

    @property
    def columns(self) -> Dict[str, ColumnType]:
        """The types of its columns by name."""
        return self.stats().columns

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return self.stats().dim

    @property
    def metric(self) -> Metric:
        """What distances are: "l2", "ip" or "cosine"."""
        return self.stats().metric

    @property
    def nlist(self) -> int:
        """The number of lists; to scan them all, search with nprobe=index.nlist."""
        return self.stats().nlist

    def __repr__(self) -> str:
        stats = self.stats()
        return (f"obliq.Index(n={stats.n}, dim={stats.dim}, metric='{stats.metric}', "
                f"quantizer='{stats.quantizer}', nlist={stats.nlist}, "
                f"bytes_per_vector={stats.bytes_per_vector:.1f})")
