"""The collection: vectors that are added, replaced and removed while they are searched."""

from __future__ import annotations

import os
from typing import Any, Dict, Mapping, NoReturn, Optional, Sequence

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_path, as_progress, as_real
from obliq.arrays import as_matrix, may_be_id, team, whole_numbers
from obliq.collection_options import Durability as Durability
from obliq.collection_options import IdType as IdType
from obliq.collection_options import access, given, ids_of, open_or_make
from obliq.collection_stats import CollectionStats as CollectionStats
from obliq.collection_stats import stats_of
from obliq.columns import (Columns, ColumnType, Types, as_column_name, as_column_names,
                           as_column_type, as_columns, columns_of)
from obliq.filter import Filter, as_filter, wanted_of
from obliq.index import SearchResult, as_queries
from obliq.keys import as_keys, key_array, keys_for, may_be_key
from obliq.options import AnyMetric, BatchOrder, Metric, Path, Progress, Raw, search_options
from obliq.range_search import RangeSearchResult, range_arguments, range_result
from obliq.search_iterator import SearchIterator, make_iterator
from obliq.search_result import result_of, work_of

_WHOLE = (int, type(None))
_SEARCH = ("queries, k, nprobe, confidence, threads, target_recall, batch_order, filter, params, "
           "columns and explain")


class Collection:
    """Vectors with ids, that change while they are searched: in a directory that loses nothing when
    the process or the machine dies or, without a path, in memory.

    A change is visible to the next search, all of a call or nothing of it; searches never wait for
    changes. Use it from any thread. One process at a time writes to a directory, any number read it
    (read_only). After a fork a child opens it anew: what its parent opened raises ValueError there.
    """

    __slots__ = ("_collection", "_path", "_options", "_has_keys", "__weakref__")
    _collection: _core.Collection
    _path: Optional[bytes]
    _options: Dict[str, Any]
    _has_keys: bool  # ids are strings
    __iter__ = None  # there are len and in, but vectors have no order

    def __init__(self, path: Optional[Path] = None, *, dim: Optional[int] = None,
                 metric: Optional[AnyMetric] = None, quantizer: Optional[str] = None,
                 raw: Optional[Raw] = None, spill: Optional[float] = None,
                 seed: Optional[int] = None, train_at: Optional[int] = None,
                 ids: Optional[IdType] = None, columns: Optional[Types] = None,
                 durability: Durability = "every",
                 sync_interval: float = 1.0, read_only: bool = False, follow: float = 0.0,
                 threads: int = 0, wait_limit: float = 0.0, background_rate: float = 0.0) -> None:
        """Opens the collection at `path`, or makes one there, in a directory that is new or empty,
        or in memory (None). What stays as it is for its life may be left out later:

        dim         of all vectors
        metric, quantizer, raw, spill, seed     as Index.build
        train_at    vectors from which on a model is trained in the background, 1,000 or more,
                    20,000 by default; below, every search compares all of them exactly
        ids         "int64", the default, or "string": text of one line, 1 to 4,096 bytes of UTF-8
        columns     of attributes the types by name, as {"year": "int64"}; see Columns, add_column

        How this process uses it:

        durability  a change outlives a power failure "every" time a call returns, with "interval"
                    sync_interval seconds later at most, or, with "none", once sync, close or the
                    background has written it; a process that is killed loses nothing in any case
        read_only   sees what was there when it was opened, see refresh, and takes no lock
        follow      with read_only: seconds after which it sees what was written; 0: at refresh
        threads     of a call that adds; 0: as many as the process may use
        wait_limit  seconds that a call waits for the background to merge what was added before it
                    raises TimeoutError and has changed nothing; 0: any
        background_rate     bytes per second that merges write at most; 0: any

        Raises ValueError on options out of range or other than those it has, and for a directory of
        other files; OSError; RuntimeError naming file and offset where it is damaged, and the
        process where another one writes to it.
        """
        wanted = given(dim, metric, quantizer, raw, spill, seed, train_at, ids, columns)
        self._path = None if path is None else os.path.abspath(as_path(path))  # files come later
        self._collection = open_or_make(self._path, wanted, read_only, access(
            read_only, follow, durability, sync_interval, threads, wait_limit, background_rate))
        self._options = self._collection.options()
        self._has_keys = self._options["ids"] == "string"

    def add(self, x: Any, ids: Any = None, columns: Any = None) -> NDArray[Any]:
        """Adds vectors [n][dim] or [dim], of float16, float32, float64, int8 or uint8: all of them
        or, when it raises, none. Returns their ids, int64 or str (object) [n].

        ids     [n], all different, none -1 ("no answer"); for one vector [dim] also a number.
                None: new ones, each above all that were ever there. Where ids are strings a list or
                array of str, for one vector also a str; they must be given
        columns     values of columns of the collection, see Columns; of others they are NULL

        Raises ValueError on a wrong dim, NaN, infinity or what float32 cannot hold (naming the
        row), a masked array, an id that comes twice or is there already, a column that it does not
        have, a value that does not fit (naming column and row); OSError where the change
        could not be written; RuntimeError where a step in the background failed since the last
        call. Cost: that of encoding them, and of one sync with durability "every".
        """
        vectors = as_matrix(x, "vectors")
        values = self._given(columns, len(vectors))
        if self._has_keys and ids is not None:
            keys = keys_for(ids, len(vectors))
            self._collection.add_keys(vectors, keys, values)
            return key_array([*keys], (len(keys),))
        if ids is None:
            first = self._collection.add_new(vectors, values)
            return np.arange(first, first + len(vectors), dtype=np.int64)
        numbers = ids_of(ids, len(vectors))
        self._collection.add(vectors, numbers, values)
        return numbers.copy()

    def upsert(self, x: Any, ids: Any, columns: Any = None) -> None:
        """Adds vectors, or puts them in the place of those with their ids, whose values of columns
        are gone, too. Takes and raises what add does."""
        vectors = as_matrix(x, "vectors")
        values = self._given(columns, len(vectors))
        if self._has_keys:
            keys = keys_for(ids, len(vectors))
            return self._collection.upsert_keys(vectors, keys, values)
        self._collection.upsert(vectors, ids_of(ids, len(vectors)), values)

    def update(self, ids: Any, columns: Any) -> None:
        """Gives the vectors of ids, [n] or one, of which none comes twice, new values of these
        columns [n]; other columns stay, and the vectors, bit for bit. All of them or, when it
        raises, none: as add does, and ValueError naming an id that is not there."""
        if columns is None:
            raise TypeError("columns must be a dict of names and values, as {'year': [2020]}, not "
                            "None")
        if self._has_keys:
            keys = as_keys(ids)[0]
            values = self._given(columns, len(keys))
            assert values is not None
            return self._collection.update_keys(keys, values)
        numbers = whole_numbers(ids).ravel()
        values = self._given(columns, len(numbers))
        assert values is not None
        self._collection.update(numbers, values)

    def add_column(self, name: str, type: ColumnType) -> None:
        """One more column, in which all vectors have NULL. Raises ValueError where its name is none
        or there already, or there are 1,000, OSError where it could not be written."""
        known = as_column_name(name)
        self._collection.add_column(known, as_column_type(type, known))

    def get_columns(self, ids: Any, names: Optional[Sequence[str]] = None) -> Columns:
        """The values of columns, all where none is named, of the vectors of ids, one or of any
        shape: by name arrays of that shape. Raises ValueError naming an id that is not there or an
        unknown column."""
        chosen = [] if names is None else as_column_names(names, "names")
        none = names is not None and not chosen
        if self._has_keys:
            keys, shape = as_keys(ids)
            return columns_of([] if none else self._collection.get_key_columns(keys, chosen), shape)
        wanted = whole_numbers(ids)
        raw = [] if none else self._collection.get_columns(wanted.ravel(), chosen)
        return columns_of(raw, wanted.shape)

    def remove(self, ids: Any) -> int:
        """Removes the vectors of these ids, one or an array of any shape. Returns how many were
        there."""
        if self._has_keys:
            return self._collection.remove_keys(as_keys(ids)[0])
        return self._collection.remove(whole_numbers(ids).ravel())

    def get(self, ids: Any) -> NDArray[np.float32]:
        """The vectors of ids, float32 [n][dim]; of one id [dim]; ids [m][k] of a search give
        [m][k][dim]. Exact before a model is trained and from a raw tier, else decoded; cosine gives
        unit vectors. Raises ValueError naming an id that is not there."""
        if self._has_keys:
            keys, shape = as_keys(ids)
            return self._collection.get_keys(keys, self.dim).reshape((*shape, self.dim))
        wanted = whole_numbers(ids)
        vectors = self._collection.get(wanted.ravel(), self.dim)
        return vectors.reshape((*wanted.shape, self.dim))

    def search(self, queries: Any, k: int = 10, *, nprobe: Optional[int] = None,
               confidence: float = 0.964, threads: int = 0, target_recall: float = 0.0,
               batch_order: BatchOrder = "auto", filter: Any = None,
               params: Optional[Sequence[Any]] = None, columns: Optional[Sequence[str]] = None,
               explain: bool = False, **unknown: NoReturn) -> SearchResult:
        """The k nearest vectors of each query, [m][dim] or [dim], as Index.search with the same
        options. All queries of a call see the same state. While no model is trained, answers are
        exact whatever the options. Where ids are strings, `ids` of the answers has dtype object:
        str, and None in place of -1. Ctrl-C waits for the end of the call."""
        if unknown or type(k) is not int or type(nprobe) not in _WHOLE or type(threads) is not int:
            k, nprobe, confidence, threads, target_recall, batch_order = search_options(
                k, nprobe, confidence, threads, target_recall, batch_order, unknown, _SEARCH)
        matrix, alone = as_queries(queries)
        work = None if explain is False else work_of(explain, len(matrix))
        wanted = None if filter is params is columns is None else wanted_of(filter, params, columns)
        try:
            distances = np.empty((len(matrix), k), np.float32)
            rest = (nprobe, confidence, team(threads), target_recall, batch_order, work, wanted)
            ids: NDArray[Any]
            if self._has_keys:
                keys, raw = self._collection.search_keys(matrix, distances, *rest)
                ids = key_array(keys, distances.shape)
            else:
                ids = np.empty((len(matrix), k), np.int64)
                raw = self._collection.search(matrix, distances, ids, *rest)
        except (OverflowError, TypeError, ValueError):  # numbers that only Python holds
            search_options(k, nprobe, confidence, threads, target_recall, batch_order, {})
            raise
        return result_of(distances, ids, alone, work, raw)

    def range_search(self, queries: Any, radius: float, *, filter: Any = None,
                     params: Optional[Sequence[Any]] = None, confidence: float = 0.999,
                     exact: bool = False, max_results: int = 0, threads: int = 0,
                     columns: Optional[Sequence[str]] = None) -> RangeSearchResult:
        """All vectors nearer than `radius` to each query, as Index.range_search: exact while no
        model is trained. Where ids are strings, `ids` has dtype object: str."""
        given = range_arguments(queries, radius, filter, params, confidence, exact, max_results,
                                threads, columns)
        if not self._has_keys:
            return range_result(*self._collection.range_search(*given))
        lims, distances, keys, cut, raw = self._collection.range_search_keys(*given)
        return range_result(lims, distances, key_array(keys, (len(keys),)), cut, raw)

    def search_iterator(self, query: Any, *, batch: int = 10, nprobe: Optional[int] = None,
                        confidence: float = 0.964, threads: int = 0, target_recall: float = 0.0,
                        filter: Any = None, params: Optional[Sequence[Any]] = None,
                        columns: Optional[Sequence[str]] = None) -> SearchIterator:
        """Hands out what is there now in batches, as Index.search_iterator; later changes do not
        touch it. Where ids are strings it looks through all of them first, and `ids` has dtype
        object: str, None of a vector that was removed meanwhile."""
        return make_iterator(self._collection, as_queries(query)[0], batch, nprobe, confidence,
                             threads, target_recall, filter, params, columns,
                             self.numbered_ids if self._has_keys else None)

    def filter(self, filter: Any, params: Optional[Sequence[Any]] = None) -> Filter:
        """A filter of what search takes for one: evaluated at once for what is there, so that
        searches with it need not; after changes they look at the parts that are new. Raises as
        search does."""
        made = as_filter(filter, params)
        self._collection.count_passing(made._filter)
        return made

    def count(self, filter: Any = None, params: Optional[Sequence[Any]] = None) -> int:
        """The number of vectors, or of those that pass a filter."""
        if filter is params is None:
            return self._collection.count()
        return self._collection.count_passing(as_filter(filter, params)._filter)

    def contains(self, id: object) -> bool:
        """Whether a vector has this id."""
        if self._has_keys:
            return may_be_key(id) and self._collection.contains_key(str(id))
        return may_be_id(id) and self._collection.contains(id)

    def numbered_ids(self) -> Dict[int, str]:
        """Where ids are strings: by the number that each has in an exported index, and keeps until
        its vector is removed."""
        return self._collection.numbered_keys()

    def sync(self) -> None:
        """Returns when all changes so far outlive a power failure."""
        self._collection.sync()

    def wait(self) -> None:
        """Returns when nothing is left to do in the background. Raises RuntimeError telling what a
        step of it failed with."""
        self._collection.wait()

    def train(self, progress: Optional[Progress] = None) -> None:
        """Trains a model now, for as many vectors as there are, encodes all under it and tunes it.

        progress    called with (stage, fraction done: it rises to 1); return False to stop

        Raises ValueError below 1,000 vectors, Cancelled when progress returned False or somebody
        closed the collection: then all stays as it was."""
        self._collection.train(as_progress(progress))

    def compact(self, progress: Optional[Progress] = None) -> None:
        """Merges all segments into one, without the deleted vectors. Where there are twice as
        many vectors as the model was trained for, it trains. Raises Cancelled as train."""
        self._collection.compact(as_progress(progress))

    def export_index(self, path: Path) -> None:
        """Writes an index of one file of what is there now, for Index.open. Where ids are strings,
        those of the index are numbers, see numbered_ids. Raises ValueError where there is nothing,
        OSError where it cannot be written."""
        self._collection.export_index(as_path(path))

    def import_index(self, path: Path, progress: Optional[Progress] = None) -> int:
        """Adds the vectors of an index of one file with their ids, as it remembers them: exact from
        its raw tier, else decoded. Returns how many. Raises as add and Index.open do, ValueError
        where the metric is another, Cancelled when progress returned False; what came before
        stays."""
        return self._collection.import_index(as_path(path), as_progress(progress))

    def backup(self, folder: Path, progress: Optional[Progress] = None) -> None:
        """Makes a collection of what the directory holds now in the new directory `folder`: links
        to the files, or copies where there can be none, and copies of the logs. Takes no lock: the
        writer may be another process, and goes on. Raises ValueError where the folder is not
        empty, Cancelled when progress returned False; then it leaves nothing."""
        self._collection.backup(as_path(folder), as_progress(progress))

    def verify(self, rate: float = 0.0, progress: Optional[Progress] = None) -> None:
        """Reads every byte of the files and logs and checks it, beside a writer or not.

        rate        bytes per second that are read at most; 0: no limit
        progress    called with (stage, fraction done: it rises to 1); return False to stop

        Returns nothing when sound. Raises RuntimeError naming file and offset where it is damaged,
        OSError where a file is missing, Cancelled when progress returned False."""
        self._collection.verify(as_real(rate, "rate"), as_progress(progress))

    def refresh(self) -> bool:
        """Sees what a writer has done since: for collections that are open to read. Returns whether
        there was something new."""
        return self._collection.refresh()

    def stats(self) -> CollectionStats:
        """What the collection is made of now, what was done with it and how long that took."""
        return stats_of(self._collection.stats())

    def prometheus(self, labels: Optional[Mapping[str, str]] = None) -> str:
        """The same in the text format of Prometheus: `obliq_collection_` and a name each, seconds
        and bytes, these labels on every line. Raises ValueError on a label whose name is none."""
        return self._collection.prometheus(dict(labels or {}))

    def close(self) -> None:
        """Stops the background, writes all and gives the lock back; raises what that fails with.
        Later calls but close raise ValueError. Calls of other threads go on to their end."""
        self._collection.close()

    def _given(self, columns: Any, rows: int) -> Optional[_core.Columns]:
        return None if columns is None else as_columns(columns, rows, known=self.columns)

    @property
    def columns(self) -> Dict[str, ColumnType]:
        """The types of its columns by name."""
        columns: Dict[str, ColumnType] = self._collection.options()["columns"]
        return columns

    @property
    def dim(self) -> int:
        """Dimensions of a vector."""
        return int(self._options["dim"])

    @property
    def metric(self) -> Metric:
        """What distances are: "l2", "ip" or "cosine"."""
        metric: Metric = self._options["metric"]
        return metric

    def __len__(self) -> int:
        return self.count()

    def __contains__(self, id: object) -> bool:
        return self.contains(id)

    def __enter__(self) -> Collection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("a collection is not copied or pickled: give its path, and open it with "
                        "read_only=True, or back it up")

    def __repr__(self) -> str:
        where = "in memory" if self._path is None else f"path={self._path!r}"
        state = "closed" if self._collection.closed else f"n={len(self)}"
        return (f"obliq.Collection({where}, {state}, dim={self.dim}, metric='{self.metric}', "
                f"quantizer='{self._options['quantizer']}')")
