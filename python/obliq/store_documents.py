"""Documents (texts with vectors and metadata) in a collection whose ids are strings: what the
stores for LangChain, LlamaIndex and Haystack have in common."""

from __future__ import annotations

import math
import threading
from contextlib import contextmanager
from typing import (Any, ContextManager, Dict, Iterable, Iterator, List, Mapping, NamedTuple,
                    Optional, Sequence)

import numpy as np
from numpy.typing import NDArray

from obliq import _core
from obliq.arguments import as_path, shown
from obliq.collection import Collection
from obliq.columns import Columns, ColumnType, as_columns, as_schema
from obliq.filter import Filter
from obliq.options import Metric, Path
from obliq.store_filters import OWN, Condition, expression_of
from obliq.store_metadata import (DATA, LENGTH, TEXT, Metadata, column_value, columns_of_documents,
                                  documents_of)

_HAS_VECTOR = f'"{LENGTH}" is not null'
_AT_ONCE = 4096  # documents that are changed in one call


class Document(NamedTuple):
    """What is stored of a document; `extra` is what a framework keeps besides, of JSON."""

    id: str
    text: Optional[str]
    metadata: Metadata
    extra: Any = None
    vector: Optional[NDArray[Any]] = None
    distance: float = math.inf


class _Changes:
    """Changes go side by side, but for those that read first what they change: they go alone, and
    those that come later wait for them. Within alone() the same thread may take shared()."""

    def __init__(self) -> None:
        self._changed = threading.Condition(threading.RLock())
        self._running = 0
        self._waiting = 0
        self._alone: Optional[int] = None

    @contextmanager
    def shared(self) -> Iterator[None]:
        with self._changed:
            if self._alone != threading.get_ident():
                self._changed.wait_for(lambda: self._waiting == 0)
            self._running += 1
        try:
            yield
        finally:
            with self._changed:
                self._running -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:  # held until the end, so that others wait
            self._waiting += 1
            try:
                self._changed.wait_for(lambda: self._running == 0)
            finally:
                self._waiting -= 1
            self._alone = threading.get_ident()
            try:
                yield
            finally:
                self._alone = None
                self._changed.notify_all()


class Documents:
    """A collection of documents, in a directory or, without a path, in memory. Where there is none
    yet it is made with the first vector, whose length it takes unless `dim` tells. Use it from any
    thread.

    columns     types by name of those keys of metadata that are columns
    own         the same of columns that a framework has besides, whose names begin with OWN
    options     others of Collection, as quantizer, durability and read_only
    """

    def __init__(self, path: Optional[Path], columns: Optional[Mapping[str, ColumnType]],
                 metric: Optional[Metric], dim: Optional[int], options: Mapping[str, Any],
                 own: Optional[Mapping[str, ColumnType]] = None) -> None:
        """Raises ValueError where the directory holds something else, and what Collection does."""
        for name in ("ids", "path"):
            if name in options:
                raise TypeError(f"a store has no option '{name}'")
        self._path = path
        self._columns = dict(columns or {})
        for name, _ in as_schema(self._columns):
            if name.startswith(OWN):
                raise ValueError(f"column {shown(name)}: names that begin with '{OWN}' are the "
                                 "store's own")
        own_columns: Dict[str, ColumnType] = {TEXT: "bytes", DATA: "bytes", LENGTH: "double"}
        self._own = {**own_columns, **(own or {})}
        self._framework = dict(own or {})
        self._options = {**options, "metric": metric, "dim": dim}
        self._collection: Optional[Collection] = None
        self._closed = False
        self._making = threading.Lock()
        self._changes = _Changes()
        self._with_vector = Filter(_HAS_VECTOR)
        self._all_have_vectors = True
        if path is not None and (options.get("read_only") or _core.Collection.is_at(as_path(path))):
            self._open()
        elif dim is not None:
            self._made(dim)

    @property
    def collection(self) -> Optional[Collection]:
        """None while there is none."""
        self._require_open()
        return self._collection

    @property
    def schema(self) -> Dict[str, ColumnType]:
        """Types by name of the columns of metadata."""
        collection = self.collection
        columns = self._columns if collection is None else collection.columns
        return {name: type for name, type in columns.items() if not name.startswith(OWN)}

    @property
    def metric(self) -> Metric:
        if self._collection is not None:
            return self._collection.metric
        metric: Optional[Metric] = self._options["metric"]
        return metric or "cosine"

    def write(self, documents: Sequence[Document], own: Optional[Mapping[str, List[Any]]] = None,
              replace: bool = True) -> None:
        """Adds documents, or puts them in the place of those with their ids: of those that come
        twice in one call the last. `own`: values of the columns of the framework. Raises ValueError
        where replace is False and one is there, and what Collection.upsert does: then it has
        changed nothing."""
        if not documents:
            return
        last = {document.id: place for place, document in enumerate(documents)}
        if len(last) < len(documents):
            if not replace:
                raise ValueError("an id comes twice")
            places = sorted(last.values())
            own = {name: [values[place] for place in places]
                   for name, values in (own or {}).items()}
            documents = [documents[place] for place in places]
        with self._changes.shared():
            dim = self._dim(documents)
            vectors, lengths = _vectors_of(documents, dim)
            columns = columns_of_documents([one.text for one in documents],
                                           [one.metadata for one in documents],
                                           [one.extra for one in documents], self.schema)
            collection = self._made(dim)
            if None in lengths:
                self._all_have_vectors = False
            (collection.upsert if replace else collection.add)(
                vectors, [one.id for one in documents], {**columns, LENGTH: lengths, **(own or {})})

    def search(self, query: Any, k: int, filter: Optional[Filter] = None) -> List[Document]:
        """The k documents nearest to a vector [dim] among those that pass, nearest first."""
        collection = self.collection
        if collection is None or k <= 0:
            return []
        if not self._all_have_vectors:
            filter = self._with_vector if filter is None else filter & self._with_vector
        schema = self.schema
        found = collection.search(as_vector(query), k, filter=filter,
                                  columns=[*schema, TEXT, DATA, LENGTH])
        # Without a length: there is no answer, or one without a vector that came a moment ago.
        there = [place for place, length in enumerate(found.columns[LENGTH].tolist())
                 if length is not None]
        return _documents(found.ids[there], found.columns._at(there), schema,
                          found.distances[there])

    def get(self, filter: Optional[Filter] = None, vectors: bool = False) -> List[Document]:
        """All documents that pass, as they are at one moment, in no order."""
        schema = self.schema
        found = self._passing(filter, [*schema, TEXT, DATA, LENGTH])
        if found is None:
            return []
        documents = _documents(found.ids, found.columns, schema)
        return (self._with_vectors(documents, found.columns[LENGTH].tolist()) if vectors
                else documents)

    def with_vectors(self, documents: Sequence[Document]) -> List[Document]:
        """Those of the documents that are still there, with their vectors as they were given, but
        for what the code of the collection loses."""
        filter = Filter.allow([document.id for document in documents])
        found = self._passing(filter, [LENGTH])
        if found is None:
            return []
        lengths = dict(zip(found.ids.tolist(), found.columns[LENGTH].tolist()))
        there = [document for document in documents if lengths.get(document.id) is not None]
        return self._with_vectors(there, [lengths[one.id] for one in there])

    def ids(self, filter: Optional[Filter] = None) -> List[str]:
        """Of all documents that pass."""
        found = self._passing(filter, [])
        return [] if found is None else found.ids.tolist()

    def count(self, filter: Optional[Filter] = None) -> int:
        return 0 if self.collection is None else self.collection.count(filter)

    def remove(self, ids: Iterable[str]) -> int:
        """Removes documents; returns how many were there."""
        listed = list(ids)
        if self.collection is None or not listed:
            return 0
        with self._changes.shared():
            return self.collection.remove(listed)

    def remove_passing(self, filter: Optional[Filter] = None) -> int:
        """Removes all documents that pass; returns how many."""
        with self._changes.alone():
            return self.remove(self.ids(filter))

    def set_metadata(self, documents: Sequence[Document]) -> None:
        """Gives documents that are there this metadata; texts and vectors stay. Where it was read
        before, within alone()."""
        for first in range(0, len(documents), _AT_ONCE):
            part = documents[first:first + _AT_ONCE]
            columns = columns_of_documents([None for _ in part], [one.metadata for one in part],
                                           [one.extra for one in part], self.schema)
            del columns[TEXT]
            self._there().update([one.id for one in part], columns)

    def alone(self) -> ContextManager[None]:
        """Within it no other thread changes documents by this object."""
        return self._changes.alone()

    def add_column(self, name: str, type: ColumnType) -> None:
        """Makes a column of a key of metadata, and gives it the values that documents have. Calling
        it again goes on where it was broken off. Raises ValueError or TypeError where a document
        has a value that does not fit, before it has changed anything."""
        as_schema({name: type})
        if name.startswith(OWN):
            raise ValueError(f"names of columns that begin with '{OWN}' are the store's own")
        with self._changes.alone():
            if self.collection is None:
                self._columns[name] = type
                return
            having = [one for one in self.get() if one.metadata.get(name) is not None]
            values = [column_value(one.metadata[name], type, name, place)
                      for place, one in enumerate(having)]
            as_columns({name: values}, len(having), {name: type})
            if self.schema.get(name) != type:
                self.collection.add_column(name, type)
            self.set_metadata(having)

    def filter_of(self, condition: Optional[Condition]) -> Optional[Filter]:
        """The filter of a condition on metadata, evaluated for what is there. Raises ValueError for
        what is no column, and a value of another type than it."""
        if condition is None:
            return None
        text, params = expression_of(condition, {**self.schema, **self._framework})
        collection = self.collection
        return Filter(text, params) if collection is None else collection.filter(text, params)

    def sync(self) -> None:
        if self.collection is not None:
            self.collection.sync()

    def close(self) -> None:
        with self._making:
            self._closed = True
            if self._collection is not None:
                self._collection.close()

    def _dim(self, documents: Sequence[Document]) -> int:
        """The length of vectors; where there are none yet that of the first of these."""
        if self.collection is not None:
            return self.collection.dim
        first = next((one.vector for one in documents if one.vector is not None), None)
        if first is None:
            raise ValueError("the first documents have no vectors, so their length is unknown: "
                             "give the store dim=")
        return first.size

    def _made(self, dim: int) -> Collection:
        """The collection, made for vectors of this length where there is none."""
        with self._making:
            self._require_open()
            if self._collection is None:
                options = {**self._options, "dim": dim, "metric": self.metric}
                self._collection = Collection(self._path, ids="string",
                                              columns={**self._columns, **self._own}, **options)
            return self._collection

    def _open(self) -> None:
        opened = Collection(self._path, **self._options)
        lacks = [name for name in self._own if name not in opened.columns]
        try:
            if lacks:
                raise ValueError(f"the collection at {shown(self._path)} is none of this kind of "
                                 f"store: it has no column {lacks[0]!r}")
            for name, type in self._columns.items():
                has = opened.columns.get(name)
                if has != type:
                    raise ValueError(f"column {name!r} is to be {type}, and the store at "
                                     f"{shown(self._path)} has {has or 'none of the name'}: leave "
                                     "it out, or make it with add_column")
            self._all_have_vectors = (not self._options.get("read_only")
                                      and opened.count(_HAS_VECTOR) == len(opened))
        except BaseException:
            opened.close()
            raise
        self._collection = opened

    def _passing(self, filter: Optional[Filter], columns: Sequence[str]) -> Any:
        """All that pass, as a range search finds them; None: there is no collection."""
        collection = self.collection
        if collection is None:
            return None
        return collection.range_search(np.zeros(collection.dim, np.float32), math.inf,
                                       filter=filter, confidence=1.0, columns=list(columns))

    def _with_vectors(self, documents: Sequence[Document], lengths: List[Any]) -> List[Document]:
        """Those that are still there, without a vector where the length is None."""
        collection = self._there()
        ids = [one.id for one, length in zip(documents, lengths) if length is not None]
        while True:
            try:
                vectors = dict(zip(ids, collection.get(ids)))
                break
            except ValueError:  # removed since
                there = [id for id in ids if id in collection]
                if len(there) == len(ids):
                    raise
                ids = there
        scale = collection.metric == "cosine"
        return [one if length is None else
                one._replace(vector=vectors[one.id] * np.float32(length if scale else 1))
                for one, length in zip(documents, lengths) if length is None or one.id in vectors]

    def _there(self) -> Collection:
        collection = self.collection
        assert collection is not None
        return collection

    def _require_open(self) -> None:
        if self._closed:
            raise ValueError("the store is closed: open it anew")


def _documents(ids: NDArray[Any], columns: Columns, schema: Mapping[str, str],
               distances: Optional[NDArray[np.float32]] = None) -> List[Document]:
    texts, metadatas, extras = documents_of(columns, schema)
    far = [math.inf] * len(texts) if distances is None else distances.tolist()
    return [Document(id, text, metadata, extra, None, distance) for id, text, metadata, extra,
            distance in zip(ids.tolist(), texts, metadatas, extras, far)]


def _vectors_of(documents: Sequence[Document], dim: int) -> Any:
    """Vectors [n][dim], of zeros where there is none, and their lengths, None there."""
    missing = np.zeros(dim, np.float32)
    vectors = [missing if one.vector is None else one.vector for one in documents]
    for one, vector in zip(documents, vectors):
        if vector.shape != (dim,):
            raise ValueError(f"document {shown(one.id)} has a vector of shape "
                             f"{list(vector.shape)}, and the store is of dim {dim}")
    matrix = np.array(vectors)
    lengths = np.linalg.norm(matrix, axis=1).tolist()
    return matrix, [None if one.vector is None else length
                    for one, length in zip(documents, lengths)]


def as_vector(values: Any) -> NDArray[Any]:
    """A vector of what frameworks give, lists of numbers mostly. The collection refuses what is
    none."""
    return values if isinstance(values, np.ndarray) else np.asarray(values, np.float32)


def similarity(distance: float, metric: Metric) -> float:
    """A score that is larger for what is nearer: of cosine the cosine, of ip the inner product, of
    l2 1 / (1 + distance)."""
    if metric == "cosine":
        return 1.0 - distance
    return -distance if metric == "ip" else 1.0 / (1.0 + math.sqrt(max(distance, 0.0)))
