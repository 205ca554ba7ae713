"""The collection as a document store for Haystack, and the component that searches it.

    from obliq.haystack import ObliqDocumentStore, ObliqEmbeddingRetriever

    store = ObliqDocumentStore("articles", columns={"year": "int64", "lang": "keyword"})
    store.write_documents(documents)
    ObliqEmbeddingRetriever(store, top_k=5).run(query_embedding=vector)["documents"]

docs/stores.md tells what filters are, and what is promised of data that users give.
pip install obliq[haystack].
"""

from __future__ import annotations

import asyncio
import os
from typing import Any, Dict, List, Mapping, Optional, Tuple, Union

from haystack import Document, component, default_from_dict, default_to_dict
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy, FilterPolicy, apply_filter_policy
from haystack.errors import FilterError

from obliq.arguments import shown
from obliq.collection import Collection
from obliq.columns import ColumnType
from obliq.filter import Filter
from obliq.options import Metric
from obliq.store_documents import Document as Stored
from obliq.store_documents import Documents, as_vector, similarity
from obliq.store_filters import Compare, Condition, Missing, Not, equal, join, one_of

_COMPARED = (">", ">=", "<", "<=")
_OPERATORS = ("==", "!=", *_COMPARED, "in", "not in")
_DEEPEST = 32


class ObliqDocumentStore:
    """A document store over obliq.Collection. Use it from any thread.

    Documents need no embedding: without one they are kept, and pass filters, but no search finds
    them. Each method has one that ends with _async.
    """

    def __init__(self, path: Optional[str] = None, *,
                 columns: Optional[Mapping[str, ColumnType]] = None,
                 metric: Optional[Metric] = None, embedding_dim: Optional[int] = None,
                 return_embedding: bool = True, options: Optional[Mapping[str, Any]] = None
                 ) -> None:
        """Opens the store at `path`, or makes one there with the first documents; None: in memory.

        columns     types by name of the keys of meta to filter by, as {"year": "int64"}; see
                    obliq.Columns. All other meta is kept, too, as JSON
        metric      "cosine", the default, "l2" or "ip"
        embedding_dim   numbers of an embedding; None: that of the first, which the first documents
                    then must have
        return_embedding    of filter_documents
        options     others of obliq.Collection, as {"quantizer": "lm4", "durability": "none"}

        Raises what Collection raises, and ValueError for a directory that is no such store.
        """
        self.path = None if path is None else os.fspath(path)
        self.return_embedding = return_embedding
        self._given = {"columns": None if columns is None else dict(columns), "metric": metric,
                       "embedding_dim": embedding_dim, "options": dict(options or {})}
        self._documents = Documents(self.path, columns, metric, embedding_dim, options or {})

    @property
    def collection(self) -> Optional[Collection]:
        """What holds the documents; None before there is one. Its columns that begin with "obliq."
        are the store's own."""
        return self._documents.collection

    @property
    def columns(self) -> Dict[str, ColumnType]:
        """Types by name of the keys of meta to filter by."""
        return self._documents.schema

    def add_column(self, name: str, type: ColumnType) -> None:
        """Makes a key of meta one to filter by, for the documents that are there, too. Raises
        ValueError or TypeError where one of them has a value that does not fit."""
        self._documents.add_column(name, type)

    def to_dict(self) -> Dict[str, Any]:
        made: Dict[str, Any] = default_to_dict(self, path=self.path, **self._given,
                                               return_embedding=self.return_embedding)
        return made

    @classmethod
    def from_dict(cls, data: Dict[str, Any]) -> ObliqDocumentStore:
        made: ObliqDocumentStore = default_from_dict(cls, data)
        return made

    def count_documents(self) -> int:
        return self._documents.count()

    def count_documents_by_filter(self, filters: Dict[str, Any]) -> int:
        return self._documents.count(self._filter(filters))

    def filter_documents(self, filters: Optional[Dict[str, Any]] = None) -> List[Document]:
        """All documents that pass, in no order. Raises FilterError for what is no filter, for a key
        that is no column and a value of another type than it."""
        found = self._documents.get(self._filter(filters), vectors=self.return_embedding)
        return [_document(one) for one in found]

    def write_documents(self, documents: List[Document],
                        policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        """Returns how many were written: all of them or, when it raises, none. NONE is FAIL, which
        raises DuplicateDocumentError; of ids that come twice OVERWRITE takes the last, SKIP the
        first. Raises ValueError or TypeError naming what does not fit a column or is no JSON."""
        if not isinstance(documents, (list, tuple)) or not all(
                isinstance(one, Document) for one in documents):
            raise ValueError(f"documents must be a list of Documents, not {shown(documents)}")
        stored = [_stored(one) for one in documents]
        if policy == DuplicatePolicy.OVERWRITE:
            self._documents.write(stored)
            return len(stored)
        with self._documents.alone():
            known = set(self._documents.ids(Filter.allow([one.id for one in stored])))
            first: Dict[str, Stored] = {}
            for one in stored:
                if one.id in known or first.setdefault(one.id, one) is not one:
                    if policy != DuplicatePolicy.SKIP:
                        raise DuplicateDocumentError(f"there is a document with the id "
                                                     f"{shown(one.id)}")
            self._documents.write([*first.values()], replace=False)
        return len(first)

    def delete_documents(self, document_ids: List[str]) -> None:
        """Removes documents; they need not be there."""
        self._documents.remove(document_ids)

    def delete_all_documents(self) -> None:
        self._documents.remove_passing()

    def delete_by_filter(self, filters: Dict[str, Any]) -> int:
        """Returns how many were removed."""
        return self._documents.remove_passing(self._required(filters))

    def update_by_filter(self, filters: Dict[str, Any], meta: Dict[str, Any]) -> int:
        """Gives the documents that pass these values of meta; others stay. Returns how many."""
        with self._documents.alone():
            found = self._documents.get(self._required(filters))
            self._documents.set_metadata([one._replace(metadata={**one.metadata, **meta})
                                          for one in found])
        return len(found)

    def get_metadata_fields_info(self) -> Dict[str, Dict[str, str]]:
        """Of the keys that meta has the "type": that of the column or, of others, of the value.
        This and what follows read the meta of all documents that pass."""
        types: Dict[str, Dict[str, str]] = {}
        for one in self._documents.get():
            for name, value in one.metadata.items():
                types.setdefault(name, {"type": self.columns.get(name, type(value).__name__)})
        return types

    def get_metadata_field_min_max(self, metadata_field: str) -> Dict[str, Any]:
        """"min" and "max" of a key of meta, None where no document has it."""
        values = self._values(metadata_field, None)
        return {"min": values[0] if values else None, "max": values[-1] if values else None}

    def get_metadata_field_unique_values(
            self, metadata_field: str, search_term: Optional[str] = None, from_: int = 0,
            size: int = 10, filters: Optional[Dict[str, Any]] = None) -> Tuple[List[Any], int]:
        """`size` of the values of a key of meta from the `from_`-th on, in their order, and how
        many there are. search_term: a part of them, in any case."""
        term = (search_term or "").lower()
        values = [value for value in self._values(metadata_field, filters)
                  if term in str(value).lower()]
        return values[from_:from_ + size], len(values)

    def count_unique_metadata_by_filter(self, filters: Optional[Dict[str, Any]],
                                        metadata_fields: List[str]) -> Dict[str, int]:
        """How many values each of these keys of meta has among the documents that pass."""
        return {_key(name): len(self._values(name, filters)) for name in metadata_fields}

    def search(self, query_embedding: List[float], filters: Optional[Dict[str, Any]] = None,
               top_k: int = 10, return_embedding: bool = False) -> List[Document]:
        """The top_k documents nearest to an embedding, nearest first. Their score is larger for
        what is nearer: the cosine, the inner product, or 1 / (1 + distance) of l2."""
        if top_k < 0:
            raise ValueError(f"top_k must be 0 or more, not {top_k}")
        found = self._documents.search(query_embedding, top_k, self._filter(filters))
        if return_embedding:
            found = self._documents.with_vectors(found)
        metric = self._documents.metric
        return [_document(one, similarity(one.distance, metric)) for one in found]

    async def count_documents_async(self) -> int:
        return await asyncio.to_thread(self.count_documents)

    async def count_documents_by_filter_async(self, filters: Dict[str, Any]) -> int:
        return await asyncio.to_thread(self.count_documents_by_filter, filters)

    async def filter_documents_async(self, filters: Optional[Dict[str, Any]] = None
                                     ) -> List[Document]:
        return await asyncio.to_thread(self.filter_documents, filters)

    async def write_documents_async(self, documents: List[Document],
                                    policy: DuplicatePolicy = DuplicatePolicy.NONE) -> int:
        return await asyncio.to_thread(self.write_documents, documents, policy)

    async def delete_documents_async(self, document_ids: List[str]) -> None:
        await asyncio.to_thread(self.delete_documents, document_ids)

    async def delete_all_documents_async(self) -> None:
        await asyncio.to_thread(self.delete_all_documents)

    async def delete_by_filter_async(self, filters: Dict[str, Any]) -> int:
        return await asyncio.to_thread(self.delete_by_filter, filters)

    async def update_by_filter_async(self, filters: Dict[str, Any], meta: Dict[str, Any]) -> int:
        return await asyncio.to_thread(self.update_by_filter, filters, meta)

    async def get_metadata_fields_info_async(self) -> Dict[str, Dict[str, str]]:
        return await asyncio.to_thread(self.get_metadata_fields_info)

    async def get_metadata_field_min_max_async(self, metadata_field: str) -> Dict[str, Any]:
        return await asyncio.to_thread(self.get_metadata_field_min_max, metadata_field)

    async def get_metadata_field_unique_values_async(
            self, metadata_field: str, search_term: Optional[str] = None, from_: int = 0,
            size: int = 10, filters: Optional[Dict[str, Any]] = None) -> Tuple[List[Any], int]:
        return await asyncio.to_thread(self.get_metadata_field_unique_values, metadata_field,
                                       search_term, from_, size, filters)

    async def count_unique_metadata_by_filter_async(
            self, filters: Optional[Dict[str, Any]], metadata_fields: List[str]) -> Dict[str, int]:
        return await asyncio.to_thread(self.count_unique_metadata_by_filter, filters,
                                       metadata_fields)

    async def search_async(self, query_embedding: List[float],
                           filters: Optional[Dict[str, Any]] = None, top_k: int = 10,
                           return_embedding: bool = False) -> List[Document]:
        return await asyncio.to_thread(self.search, query_embedding, filters, top_k,
                                       return_embedding)

    def close(self) -> None:
        """Writes all and gives the lock of the directory back."""
        self._documents.close()

    def _values(self, field: str, filters: Optional[Dict[str, Any]]) -> List[Any]:
        """The different values of a key of meta, numbers first, others in the order of their texts;
        1, 1.0, "1" and True differ."""
        values = [one.metadata.get(_key(field))
                  for one in self._documents.get(self._filter(filters))]
        different = {(type(value), repr(value)): value for value in values if value is not None}
        return sorted(different.values(), key=lambda value: (
            (0, value, "") if isinstance(value, (int, float)) else (1, 0, str(value))))

    def _filter(self, filters: Optional[Dict[str, Any]]) -> Optional[Filter]:
        return self._required(filters) if filters else None

    def _required(self, filters: Dict[str, Any]) -> Optional[Filter]:
        try:
            return self._documents.filter_of(_condition(filters, 0))
        except (TypeError, ValueError) as error:
            raise FilterError(str(error)) from error


@component
class ObliqEmbeddingRetriever:
    """Finds the documents of an ObliqDocumentStore whose embeddings are nearest to a query's."""

    def __init__(self, document_store: ObliqDocumentStore,
                 filters: Optional[Dict[str, Any]] = None, top_k: int = 10,
                 return_embedding: bool = False,
                 filter_policy: Union[str, FilterPolicy] = FilterPolicy.REPLACE) -> None:
        """filter_policy tells whether filters of run stand instead of these, or join them."""
        if not isinstance(document_store, ObliqDocumentStore):
            raise TypeError("document_store must be an ObliqDocumentStore, not "
                            f"{shown(document_store)}")
        self.document_store = document_store
        self.filters = filters
        self.top_k = top_k
        self.return_embedding = return_embedding
        self.filter_policy = (filter_policy if isinstance(filter_policy, FilterPolicy)
                              else FilterPolicy.from_str(filter_policy))

    def to_dict(self) -> Dict[str, Any]:
        made: Dict[str, Any] = default_to_dict(
            self, document_store=self.document_store.to_dict(), filters=self.filters,
            top_k=self.top_k, return_embedding=self.return_embedding,
            filter_policy=self.filter_policy.value)
        return made

    @classmethod
    def from_dict(cls, data: Dict[str, Any]) -> ObliqEmbeddingRetriever:
        given = data["init_parameters"]
        if isinstance(given["document_store"], dict):
            given["document_store"] = ObliqDocumentStore.from_dict(given["document_store"])
        made: ObliqEmbeddingRetriever = default_from_dict(cls, data)
        return made

    @component.output_types(documents=List[Document])
    def run(self, query_embedding: List[float], filters: Optional[Dict[str, Any]] = None,
            top_k: Optional[int] = None, return_embedding: Optional[bool] = None
            ) -> Dict[str, List[Document]]:
        return {"documents": self.document_store.search(
            query_embedding, *self._asked(filters, top_k, return_embedding))}

    @component.output_types(documents=List[Document])
    async def run_async(self, query_embedding: List[float],
                        filters: Optional[Dict[str, Any]] = None, top_k: Optional[int] = None,
                        return_embedding: Optional[bool] = None) -> Dict[str, List[Document]]:
        return {"documents": await self.document_store.search_async(
            query_embedding, *self._asked(filters, top_k, return_embedding))}

    def _asked(self, filters: Optional[Dict[str, Any]], top_k: Optional[int],
               return_embedding: Optional[bool]) -> Any:
        return (apply_filter_policy(self.filter_policy, self.filters, filters),
                self.top_k if top_k is None else top_k,
                self.return_embedding if return_embedding is None else return_embedding)


def _condition(asked: Any, depth: int) -> Condition:
    """Raises ValueError for what is no filter."""
    if not isinstance(asked, Mapping):
        raise ValueError(f"a filter is a dict, not {shown(asked)}")
    if depth > _DEEPEST:
        raise ValueError(f"a filter has conditions more than {_DEEPEST} deep inside each other")
    if "field" in asked:
        for name in ("operator", "value"):
            if name not in asked:
                raise ValueError(f"a condition needs '{name}': {shown(asked)}")
        return _comparison(asked["field"], asked["operator"], asked["value"])
    for name in ("operator", "conditions"):
        if name not in asked:
            raise ValueError(f"a filter needs 'field', 'operator' and 'value', or 'operator' and "
                             f"'conditions': {shown(asked)}")
    word, parts = asked["operator"], asked["conditions"]
    if word not in ("AND", "OR", "NOT") or not isinstance(parts, (list, tuple)) or not parts:
        raise ValueError("conditions are a list, joined by the operator 'AND', 'OR' or 'NOT', not "
                         f"{shown(asked)}")
    joined = join("or" if word == "OR" else "and", [_condition(part, depth + 1) for part in parts])
    return Not(joined) if word == "NOT" else joined


def _comparison(field: Any, word: Any, value: Any) -> Condition:
    name = _key(field)
    if word in ("==", "!="):
        return equal(name, value) if word == "==" else Not(equal(name, value))
    if word in _COMPARED:
        if value is None:  # passes nothing
            return join("and", [Missing(name), Not(Missing(name))])
        return Compare(name, word, value)
    if word in ("in", "not in"):
        if not isinstance(value, list):
            raise ValueError(f"'{word}' of {shown(field)} takes a list, not {shown(value)}")
        among = one_of(name, value, word)
        return among if word == "in" else Not(among)
    raise ValueError(f"unknown operator {shown(word)}; valid: {', '.join(_OPERATORS)}")


def _key(field: Any) -> Any:
    """The key of meta, which may be named as "meta.key"."""
    return field[len("meta."):] if isinstance(field, str) and field.startswith("meta.") else field


def _stored(document: Document) -> Stored:
    given = document.to_dict(flatten=False)
    vector = given["embedding"]
    extra = {name: value for name, value in given.items() if value is not None
             and name not in ("id", "content", "meta", "embedding")}
    return Stored(document.id, document.content, dict(document.meta), extra,
                  None if vector is None else as_vector(vector))


def _document(stored: Stored, score: Optional[float] = None) -> Document:
    data = {**(stored.extra or {}), "id": stored.id, "content": stored.text,
            "meta": stored.metadata,
            "embedding": None if stored.vector is None else stored.vector.tolist()}
    if score is not None:
        data["score"] = score
    made: Document = Document.from_dict(data)
    return made
