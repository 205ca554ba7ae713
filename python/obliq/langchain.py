"""The collection as a vector store for LangChain.

    from obliq.langchain import ObliqVectorStore

    store = ObliqVectorStore(embeddings, "articles", columns={"year": "int64", "lang": "keyword"})
    store.add_texts(["..."], metadatas=[{"year": 2024, "lang": "en", "page": {"number": 7}}])
    store.similarity_search("...", k=4, filter={"year": {"$gte": 2020}})

docs/stores.md tells what filters are, and what is promised of data that users give.
pip install obliq[langchain].
"""

from __future__ import annotations

import math
import uuid
from typing import (Any, Callable, Dict, Iterable, List, Mapping, Optional, Sequence, Tuple, Type,
                    Union)

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.runnables.config import run_in_executor
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance

from obliq.arguments import shown
from obliq.collection import Collection
from obliq.columns import ColumnType
from obliq.filter import Filter
from obliq.options import Metric, Path
from obliq.store_documents import Document as Stored
from obliq.store_documents import Documents, as_vector, similarity
from obliq.store_filters import Compare, Condition, Missing, Not, equal, join, one_of

#: A dict over metadata, as {"year": {"$gte": 2020}}, an expression of obliq, or a Filter.
Where = Union[Mapping[str, Any], str, Filter]

_COMPARED = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}
_OPERATORS = ("$eq", "$ne", "$in", "$nin", "$exists", "$not", *_COMPARED)
_DEEPEST = 32


class ObliqVectorStore(VectorStore):
    """A vector store over obliq.Collection. Use it from any thread.

    Searches take `filter`: a dict over metadata, an expression of obliq with `params` for its `?`,
    or an obliq.Filter. A dict joins by "and" what it names: values, or operators $eq, $ne, $in,
    $nin, $gt, $gte, $lt, $lte, $exists and $not of a key, $and and $or of dicts, $not of a dict.
    """

    def __init__(self, embedding: Embeddings, path: Optional[Path] = None, *,
                 columns: Optional[Mapping[str, ColumnType]] = None,
                 metric: Optional[Metric] = None, dim: Optional[int] = None,
                 relevance_score_fn: Optional[Callable[[float], float]] = None,
                 **options: Any) -> None:
        """Opens the store at `path`, or makes one there with the first documents; None: in memory.

        columns     types by name of the keys of metadata to filter by, as {"year": "int64"}; see
                    obliq.Columns. All other metadata is kept, too, as JSON
        metric      "cosine", the default, "l2" or "ip"
        dim         of the vectors; None: that of the first
        relevance_score_fn      makes a relevance within [0, 1] of a distance; None: that of the
                    metric
        options     others of obliq.Collection, as quantizer, raw, durability and read_only

        Raises what Collection raises, and ValueError for a directory that is no such store.
        """
        self._embedding = embedding
        self._relevance = relevance_score_fn
        self._documents = Documents(path, columns, metric, dim, options)

    @property
    def embeddings(self) -> Embeddings:
        return self._embedding

    @property
    def collection(self) -> Optional[Collection]:
        """What holds the documents; None before there is one. Its columns that begin with "obliq."
        are the store's own."""
        return self._documents.collection

    @property
    def columns(self) -> Dict[str, ColumnType]:
        """Types by name of the keys of metadata to filter by."""
        return self._documents.schema

    def add_column(self, name: str, type: ColumnType) -> None:
        """Makes a key of metadata one to filter by, for the documents that are there, too. Raises
        ValueError or TypeError where one of them has a value that does not fit."""
        self._documents.add_column(name, type)

    def add_texts(self, texts: Iterable[str], metadatas: Optional[List[Dict[str, Any]]] = None, *,
                  ids: Optional[Sequence[Optional[str]]] = None, **kwargs: Any) -> List[str]:
        """Embeds and adds texts, or puts them in the place of those with their ids; None: a new id.
        Returns the ids. All of them or, when it raises, none: ValueError or TypeError naming what
        does not fit a column or is no JSON."""
        listed = list(texts)
        return self._write(listed, self._embedding.embed_documents(listed), metadatas, ids)

    async def aadd_texts(self, texts: Iterable[str],
                         metadatas: Optional[List[Dict[str, Any]]] = None, *,
                         ids: Optional[Sequence[Optional[str]]] = None,
                         **kwargs: Any) -> List[str]:
        listed = list(texts)
        vectors = await self._embedding.aembed_documents(listed)
        return await run_in_executor(None, self._write, listed, vectors, metadatas, ids)

    def add_documents(self, documents: List[Document], **kwargs: Any) -> List[str]:
        """As add_texts; `ids` stands before the ids of documents."""
        return self.add_texts(**_parts(documents, kwargs))

    async def aadd_documents(self, documents: List[Document], **kwargs: Any) -> List[str]:
        return await self.aadd_texts(**_parts(documents, kwargs))

    def delete(self, ids: Optional[List[str]] = None, *, filter: Optional[Where] = None,
               params: Optional[Sequence[Any]] = None, **kwargs: Any) -> bool:
        """Removes documents by id, which need not be there, or all that pass a filter; without
        both, all. Returns True."""
        if ids is not None and filter is not None:
            raise ValueError("delete takes ids or a filter, not both")
        if ids is not None:
            self._documents.remove(ids)
        else:
            self._documents.remove_passing(self._filter(filter, params))
        return True

    async def adelete(self, ids: Optional[List[str]] = None, **kwargs: Any) -> bool:
        return await run_in_executor(None, self.delete, ids, **kwargs)

    def get_by_ids(self, ids: Sequence[str], /) -> List[Document]:
        """Those of the documents that are there, in the order of the ids."""
        found = {one.id: one for one in self._documents.get(Filter.allow(list(ids)))}
        return [_document(found[id]) for id in dict.fromkeys(ids) if id in found]

    def get(self, filter: Optional[Where] = None, params: Optional[Sequence[Any]] = None
            ) -> List[Document]:
        """All documents that pass a filter, in no order."""
        return [_document(one) for one in self._documents.get(self._filter(filter, params))]

    def count(self, filter: Optional[Where] = None, params: Optional[Sequence[Any]] = None) -> int:
        """How many documents there are, or pass a filter."""
        return self._documents.count(self._filter(filter, params))

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> List[Document]:
        """The k documents nearest to a text. kwargs: filter, params."""
        return [one for one, _ in self.similarity_search_with_score(query, k, **kwargs)]

    async def asimilarity_search(self, query: str, k: int = 4, **kwargs: Any) -> List[Document]:
        return [one for one, _ in await self.asimilarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any
                                     ) -> List[Tuple[Document, float]]:
        """The same with distances, as Collection.search returns them: less is nearer."""
        return self.similarity_search_with_score_by_vector(self._embedding.embed_query(query), k,
                                                           **kwargs)

    async def asimilarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any
                                            ) -> List[Tuple[Document, float]]:
        vector = await self._embedding.aembed_query(query)
        return await run_in_executor(None, self.similarity_search_with_score_by_vector, vector, k,
                                     **kwargs)

    def similarity_search_by_vector(self, embedding: List[float], k: int = 4, **kwargs: Any
                                    ) -> List[Document]:
        return [one for one, _ in self.similarity_search_with_score_by_vector(embedding, k,
                                                                              **kwargs)]

    async def asimilarity_search_by_vector(self, embedding: List[float], k: int = 4, **kwargs: Any
                                           ) -> List[Document]:
        return await run_in_executor(None, self.similarity_search_by_vector, embedding, k, **kwargs)

    def similarity_search_with_score_by_vector(
            self, embedding: List[float], k: int = 4, *, filter: Optional[Where] = None,
            params: Optional[Sequence[Any]] = None, **kwargs: Any
            ) -> List[Tuple[Document, float]]:
        found = self._documents.search(embedding, k, self._filter(filter, params))
        return [(_document(one), one.distance) for one in found]

    def max_marginal_relevance_search(self, query: str, k: int = 4, fetch_k: int = 20,
                                      lambda_mult: float = 0.5, **kwargs: Any) -> List[Document]:
        """k of the fetch_k nearest documents that are like the query (lambda_mult 1) and unlike
        each other (0). kwargs: filter, params."""
        return self.max_marginal_relevance_search_by_vector(
            self._embedding.embed_query(query), k, fetch_k, lambda_mult, **kwargs)

    async def amax_marginal_relevance_search(
            self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5,
            **kwargs: Any) -> List[Document]:
        vector = await self._embedding.aembed_query(query)
        return await self.amax_marginal_relevance_search_by_vector(vector, k, fetch_k, lambda_mult,
                                                                   **kwargs)

    def max_marginal_relevance_search_by_vector(
            self, embedding: List[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5,
            *, filter: Optional[Where] = None, params: Optional[Sequence[Any]] = None,
            **kwargs: Any) -> List[Document]:
        near = self._documents.search(embedding, max(k, fetch_k), self._filter(filter, params))
        found = self._documents.with_vectors(near)
        vectors: List[Any] = [one.vector for one in found]
        chosen = maximal_marginal_relevance(np.asarray(embedding, np.float32), vectors, lambda_mult,
                                            k)
        return [_document(found[place]) for place in chosen]

    async def amax_marginal_relevance_search_by_vector(
            self, embedding: List[float], k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5,
            **kwargs: Any) -> List[Document]:
        return await run_in_executor(None, self.max_marginal_relevance_search_by_vector, embedding,
                                     k, fetch_k, lambda_mult, **kwargs)

    @classmethod
    def from_texts(cls: Type[ObliqVectorStore], texts: List[str], embedding: Embeddings,
                   metadatas: Optional[List[Dict[str, Any]]] = None, *,
                   ids: Optional[Sequence[Optional[str]]] = None, **kwargs: Any
                   ) -> ObliqVectorStore:
        """A store of these texts; kwargs as __init__ takes them, path among them."""
        store = cls(embedding, **kwargs)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    @classmethod
    async def afrom_texts(cls: Type[ObliqVectorStore], texts: List[str], embedding: Embeddings,
                          metadatas: Optional[List[Dict[str, Any]]] = None, *,
                          ids: Optional[Sequence[Optional[str]]] = None, **kwargs: Any
                          ) -> ObliqVectorStore:
        store = await run_in_executor(None, lambda: cls(embedding, **kwargs))
        await store.aadd_texts(texts, metadatas, ids=ids)
        return store

    def close(self) -> None:
        """Writes all and gives the lock of the directory back."""
        self._documents.close()

    def __enter__(self) -> ObliqVectorStore:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        if self._relevance is not None:
            return self._relevance
        metric = self._documents.metric
        if metric == "ip":
            return _logistic
        return lambda distance: min(1.0, max(0.0, similarity(distance, metric)))

    def _write(self, texts: List[str], vectors: List[List[float]],
               metadatas: Optional[Sequence[Mapping[str, Any]]],
               ids: Optional[Sequence[Optional[str]]]) -> List[str]:
        for what, given in (("metadatas", metadatas), ("ids", ids)):
            if given and len(given) != len(texts):
                raise ValueError(f"{what} must be one for each of {len(texts)} texts, not "
                                 f"{len(given)}")
        known = [id or str(uuid.uuid4()) for id in ids or [None] * len(texts)]
        self._documents.write([
            Stored(id, text, dict(metadata or {}), vector=as_vector(vector))
            for id, text, vector, metadata in zip(known, texts, vectors,
                                                  metadatas or [{}] * len(texts))])
        return known

    def _filter(self, filter: Optional[Where], params: Optional[Sequence[Any]]) -> Optional[Filter]:
        if isinstance(filter, str):
            return Filter(filter, params)
        if params is not None:
            raise TypeError("params are values for the ? of an expression: give one as filter, too")
        if filter is None or isinstance(filter, Filter):
            return filter
        return self._documents.filter_of(_condition(filter, 0)) if filter else None


def _condition(where: Any, depth: int) -> Condition:
    """Raises ValueError for what is no filter."""
    if not isinstance(where, Mapping) or not where:
        raise ValueError("a filter is a dict of keys and values, as {'year': {'$gte': 2020}}, an "
                         f"expression or an obliq.Filter, not {shown(where)}")
    if depth > _DEEPEST:
        raise ValueError(f"a filter has dicts that lie more than {_DEEPEST} deep inside each other")
    parts: List[Condition] = []
    for key, value in where.items():
        if key in ("$and", "$or"):
            if not isinstance(value, (list, tuple)) or not value:
                raise ValueError(f"{key} takes a list of filters, not {shown(value)}")
            parts.append(join(key[1:], [_condition(part, depth + 1) for part in value]))
        elif key == "$not":
            parts.append(Not(_condition(value, depth + 1)))
        elif isinstance(key, str) and key.startswith("$"):
            raise ValueError(f"unknown operator {shown(key)}; valid: $and, $or, $not")
        else:
            parts.append(_of_key(key, value, depth))
    return join("and", parts)


def _of_key(key: str, asked: Any, depth: int) -> Condition:
    """What is asked of one key: a value, or a dict of operators."""
    if not isinstance(asked, Mapping):
        return equal(key, asked)
    if not asked or depth > _DEEPEST:
        raise ValueError(f"metadata {shown(key)} is compared with a value or with operators, as "
                         f"{{'$gte': 2020}}, not {shown(asked)}")
    return join("and", [_operator(key, word, value, depth) for word, value in asked.items()])


def _operator(key: str, word: Any, value: Any, depth: int) -> Condition:
    if word in _COMPARED:
        return Compare(key, _COMPARED[word], value)
    if word in ("$eq", "$ne"):
        return equal(key, value) if word == "$eq" else Not(equal(key, value))
    if word in ("$in", "$nin"):
        among = one_of(key, value, word)
        return among if word == "$in" else Not(among)
    if word == "$exists":
        if not isinstance(value, bool):
            raise ValueError(f"$exists of {shown(key)} is True or False, not {shown(value)}")
        return Not(Missing(key)) if value else Missing(key)
    if word == "$not":
        return Not(_of_key(key, value, depth + 1))
    raise ValueError(f"unknown operator {shown(word)} of {shown(key)}; valid: "
                     f"{', '.join(_OPERATORS)}")


def _parts(documents: Sequence[Document], kwargs: Dict[str, Any]) -> Dict[str, Any]:
    given = {name: value for name, value in kwargs.items() if value is not None}
    return {"texts": [one.page_content for one in documents],
            "metadatas": [one.metadata for one in documents],
            "ids": [one.id for one in documents], **given}


def _document(stored: Stored) -> Document:
    return Document(id=stored.id, page_content=stored.text or "", metadata=stored.metadata)


def _logistic(distance: float) -> float:
    """1 / (1 + exp(-inner product)), without overflow."""
    return 0.5 * (1.0 - math.tanh(0.5 * distance))
