"""The collection as a vector store for LlamaIndex.

    from llama_index.core import StorageContext, VectorStoreIndex
    from obliq.llama_index import ObliqVectorStore

    store = ObliqVectorStore("articles", columns={"year": "int64", "lang": "keyword"})
    context = StorageContext.from_defaults(vector_store=store)
    index = VectorStoreIndex(nodes, storage_context=context)
    later = VectorStoreIndex.from_vector_store(ObliqVectorStore("articles"))

docs/stores.md tells what filters are, and what is promised of data that users give.
pip install obliq[llama-index].
"""

from __future__ import annotations

import asyncio
import json
from typing import Any, Dict, List, Mapping, Optional, Sequence

from llama_index.core.bridge.pydantic import PrivateAttr
from llama_index.core.indices.query.embedding_utils import get_top_k_mmr_embeddings
from llama_index.core.schema import BaseNode
from llama_index.core.vector_stores.types import (BasePydanticVectorStore, FilterCondition,
                                                  FilterOperator, MetadataFilter, MetadataFilters,
                                                  VectorStoreQuery, VectorStoreQueryMode,
                                                  VectorStoreQueryResult)
from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

from obliq.arguments import as_path, shown
from obliq.collection import Collection
from obliq.columns import ColumnType
from obliq.filter import Filter
from obliq.options import Metric, Path
from obliq.store_documents import Document, Documents, as_vector, similarity
from obliq.store_filters import (OWN, Compare, Condition, Join, Missing, Not, equal, join, one_of,
                                 refuse_column)

_REF_DOC_ID = OWN + "ref_doc_id"
_REF_DOC_IDS = ("ref_doc_id", "doc_id", "document_id")  # as LlamaIndex calls it in filters
_COMPARED = {FilterOperator.GT: ">", FilterOperator.LT: "<", FilterOperator.GTE: ">=",
             FilterOperator.LTE: "<="}
_DEEPEST = 32


class ObliqVectorStore(BasePydanticVectorStore):
    """A vector store over obliq.Collection, which keeps nodes whole. Use it from any thread.

    Filters ask for metadata that is a column, and for "ref_doc_id" (also "doc_id", "document_id").
    Queries are of mode DEFAULT or MMR. Similarities are larger for what is nearer: the cosine, the
    inner product, or 1 / (1 + distance) of l2.
    """

    stores_text: bool = True
    flat_metadata: bool = False
    path: Optional[str] = None

    _documents: Documents = PrivateAttr()

    def __init__(self, path: Optional[Path] = None, *,
                 columns: Optional[Mapping[str, ColumnType]] = None,
                 metric: Optional[Metric] = None, dim: Optional[int] = None, **options: Any
                 ) -> None:
        """Opens the store at `path`, or makes one there with the first nodes; None: in memory.

        columns     types by name of the keys of metadata to filter by, as {"year": "int64"}; see
                    obliq.Columns. All other metadata is kept, too, as JSON
        metric      "cosine", the default, "l2" or "ip"
        dim         of the embeddings; None: that of the first
        options     others of obliq.Collection, as quantizer, raw, durability and read_only

        Raises what Collection raises, and ValueError for a directory that is no such store.
        """
        for name in ("stores_text", "is_embedding_query", "flat_metadata"):  # as from_dict has them
            options.pop(name, None)
        documents = Documents(path, columns, metric, dim, options, {_REF_DOC_ID: "keyword"})
        shown_path = None if path is None else as_path(path).decode(errors="replace")
        super().__init__(path=shown_path)  # type: ignore[call-arg]
        self._documents = documents

    @classmethod
    def class_name(cls) -> str:
        return "ObliqVectorStore"

    @property
    def client(self) -> Optional[Collection]:
        """The collection; None before there is one. Its columns that begin with "obliq." are the
        store's own."""
        return self._documents.collection

    @property
    def columns(self) -> Dict[str, ColumnType]:
        """Types by name of the keys of metadata to filter by."""
        return self._documents.schema

    def add_column(self, name: str, type: ColumnType) -> None:
        """Makes a key of metadata one to filter by, for the nodes that are there, too. Raises
        ValueError or TypeError where one of them has a value that does not fit."""
        self._documents.add_column(name, type)

    def add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> List[str]:
        """Adds nodes, which have embeddings, or puts them in the place of those with their ids:
        all of them or, when it raises, none."""
        self._documents.write([_document(node) for node in nodes],
                              {_REF_DOC_ID: [node.ref_doc_id for node in nodes]})
        return [node.node_id for node in nodes]

    def get_nodes(self, node_ids: Optional[List[str]] = None,
                  filters: Optional[MetadataFilters] = None) -> List[BaseNode]:
        """All nodes of these ids, or of any, that pass, with their embeddings, in no order."""
        found = self._documents.get(self._filter(filters, node_ids), vectors=True)
        return [_node(one) for one in found]

    def delete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        """Removes the nodes of a document."""
        self._documents.remove_passing(_of_documents([ref_doc_id]))

    def delete_nodes(self, node_ids: Optional[List[str]] = None,
                     filters: Optional[MetadataFilters] = None, **delete_kwargs: Any) -> None:
        """Removes the nodes of these ids, or of any, that pass; without both, none."""
        filter = self._filter(filters, node_ids)
        if filter is not None:
            self._documents.remove_passing(filter)

    def clear(self) -> None:
        """Removes all nodes."""
        self._documents.remove_passing()

    def query(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        """kwargs: of mode MMR mmr_threshold, 1 for likeness to the query alone, 0 for unlikeness of
        the answers, and mmr_prefetch_k, of how many nearest they are chosen."""
        if query.query_embedding is None:
            raise ValueError("the query has no embedding: this store finds by vectors alone")
        # An index whose store keeps the nodes asks with an empty list of them.
        filter = self._filter(query.filters, query.node_ids or None, query.doc_ids or None)
        if query.mode == VectorStoreQueryMode.MMR:
            return self._diverse(query, filter, **kwargs)
        if query.mode != VectorStoreQueryMode.DEFAULT:
            raise ValueError(f"query mode is {shown(query.mode.value)}; valid: default, mmr")
        found = self._documents.search(query.query_embedding, query.similarity_top_k, filter)
        metric = self._documents.metric
        return VectorStoreQueryResult(
            nodes=[_node(one) for one in found], ids=[one.id for one in found],
            similarities=[similarity(one.distance, metric) for one in found])

    async def aget_nodes(self, node_ids: Optional[List[str]] = None,
                         filters: Optional[MetadataFilters] = None) -> List[BaseNode]:
        return await asyncio.to_thread(self.get_nodes, node_ids, filters)

    async def async_add(self, nodes: Sequence[BaseNode], **kwargs: Any) -> List[str]:
        return await asyncio.to_thread(self.add, nodes, **kwargs)

    async def adelete(self, ref_doc_id: str, **delete_kwargs: Any) -> None:
        await asyncio.to_thread(self.delete, ref_doc_id)

    async def adelete_nodes(self, node_ids: Optional[List[str]] = None,
                            filters: Optional[MetadataFilters] = None, **delete_kwargs: Any
                            ) -> None:
        await asyncio.to_thread(self.delete_nodes, node_ids, filters)

    async def aclear(self) -> None:
        await asyncio.to_thread(self.clear)

    async def aquery(self, query: VectorStoreQuery, **kwargs: Any) -> VectorStoreQueryResult:
        return await asyncio.to_thread(self.query, query, **kwargs)

    def persist(self, persist_path: str = "", fs: Any = None) -> None:
        """Returns when all is in the directory of the store, where it stays: persist_path is for
        stores of one file. Raises ValueError for a store in memory."""
        if self.path is None:
            raise ValueError("a store in memory cannot be persisted: make it with path=")
        self._documents.sync()

    def close(self) -> None:
        """Writes all and gives the lock of the directory back."""
        self._documents.close()

    def _filter(self, filters: Optional[MetadataFilters], node_ids: Optional[Sequence[str]] = None,
                doc_ids: Optional[Sequence[str]] = None) -> Optional[Filter]:
        """All of these; None: there is none."""
        parts: List[Filter] = []
        if filters is not None and filters.filters:
            condition = _condition(filters, self._documents.schema, 0)
            asked = self._documents.filter_of(condition)
            assert asked is not None
            parts.append(asked)
        if node_ids is not None:
            parts.append(Filter.allow(list(node_ids)))
        if doc_ids is not None:
            parts.append(_of_documents(doc_ids))
        if not parts:
            return None
        for part in parts[1:]:
            parts[0] = parts[0] & part
        return parts[0]

    def _diverse(self, query: VectorStoreQuery, filter: Optional[Filter],
                 mmr_threshold: Optional[float] = None, mmr_prefetch_k: Optional[int] = None,
                 **kwargs: Any) -> VectorStoreQueryResult:
        fetched = mmr_prefetch_k or 4 * query.similarity_top_k
        near = self._documents.search(query.query_embedding, fetched, filter)
        found = {one.id: one for one in self._documents.with_vectors(near)}
        if not found:
            return VectorStoreQueryResult(nodes=[], ids=[], similarities=[])
        vectors: List[Any] = [one.vector for one in found.values()]
        assert query.query_embedding is not None
        scores, ids = get_top_k_mmr_embeddings(
            query.query_embedding, vectors, similarity_top_k=query.similarity_top_k,
            embedding_ids=list(found),
            mmr_threshold=query.mmr_threshold if mmr_threshold is None else mmr_threshold)
        return VectorStoreQueryResult(nodes=[_node(found[id]) for id in ids], ids=ids,
                                      similarities=[float(score) for score in scores])


def _of_documents(ref_doc_ids: Sequence[str]) -> Filter:
    return Filter(f'"{_REF_DOC_ID}" in ?', [list(ref_doc_ids)])


def _condition(filters: Any, schema: Mapping[str, str], depth: int) -> Condition:
    """Raises ValueError for what is no filter."""
    if depth > _DEEPEST:
        raise ValueError(f"filters lie more than {_DEEPEST} deep inside each other")
    if isinstance(filters, MetadataFilter):
        return _comparison(filters, schema)
    if not isinstance(filters, MetadataFilters) or not filters.filters:
        raise ValueError(f"filters are MetadataFilters that hold some, not {shown(filters)}")
    parts = [_condition(part, schema, depth + 1) for part in filters.filters]
    if filters.condition == FilterCondition.NOT:  # none of them holds
        return Not(join("or", parts))
    return join("or" if filters.condition == FilterCondition.OR else "and", parts)


def _comparison(asked: MetadataFilter, schema: Mapping[str, str]) -> Condition:
    name, word, value = asked.key, asked.operator, asked.value
    if name in _REF_DOC_IDS and name not in schema:
        name = _REF_DOC_ID
    elif name not in schema:
        refuse_column(name, schema)
    type = schema.get(name)
    if type == "bool" and value in (0, 1):  # filters of LlamaIndex hold no bools
        value = bool(value)
    if word in (FilterOperator.EQ, FilterOperator.NE):
        return equal(name, value) if word == FilterOperator.EQ else Not(equal(name, value))
    if word in _COMPARED:
        return Compare(name, _COMPARED[word], value)
    if word in (FilterOperator.IN, FilterOperator.NIN):
        among = one_of(name, value, word.value)
        return among if word == FilterOperator.IN else Not(among)
    if word == FilterOperator.IS_EMPTY:
        return _empty(name, type)
    if type == "keywords":
        if word == FilterOperator.CONTAINS:
            return equal(name, value)
        if word in (FilterOperator.ANY, FilterOperator.ALL) and isinstance(value, list) and value:
            return (one_of(name, value, "any") if word == FilterOperator.ANY
                    else join("and", [equal(name, one) for one in value]))
    raise ValueError(f"operator {word.value} with {shown(value)} does not go with column "
                     f"{shown(name)}, {type}: contains, any and all are of "
                     "keywords, and texts are not searched for parts")


def _empty(name: str, type: Optional[str]) -> Condition:
    if type == "keyword":
        return Join("or", [Missing(name), equal(name, "")])
    # Every text is "" or above, so that only a set without texts has none that is.
    return Not(Compare(name, ">=", "")) if type == "keywords" else Missing(name)


def _document(node: BaseNode) -> Document:
    """The node without embedding, text and metadata is what LlamaIndex keeps besides."""
    flat = node_to_metadata_dict(node, remove_text=True)
    content = json.loads(flat["_node_content"])
    content["metadata"] = {}
    return Document(node.node_id, node.get_content(), dict(node.metadata),
                    {"content": content, "type": flat["_node_type"]},
                    as_vector(node.get_embedding()))


def _node(document: Document) -> BaseNode:
    kept = {"_node_content": json.dumps(document.extra["content"]),
            "_node_type": document.extra["type"]}
    node = metadata_dict_to_node(kept, text=document.text)
    node.metadata = document.metadata
    if document.vector is not None:
        node.embedding = document.vector.tolist()
    return node
