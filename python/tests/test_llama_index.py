"""obliq.llama_index beside LlamaIndex's own simple store, and what that does not have. LlamaIndex
publishes no suite for stores."""

import asyncio
import datetime
import pathlib
import random
from typing import Any, Dict, List, Optional

import numpy as np
import pytest

pytest.importorskip("llama_index.core", reason="llama-index-core is not installed")

from llama_index.core import MockEmbedding, StorageContext, VectorStoreIndex
from llama_index.core.schema import (ImageNode, IndexNode, Node, NodeRelationship, RelatedNodeInfo,
                                     TextNode)
from llama_index.core.vector_stores import SimpleVectorStore
from llama_index.core.vector_stores.types import (FilterCondition, FilterOperator, MetadataFilter,
                                                  MetadataFilters, VectorStoreQuery,
                                                  VectorStoreQueryMode)

from obliq.columns import ColumnType
from obliq.llama_index import ObliqVectorStore

COLUMNS: Dict[str, ColumnType] = {"year": "int64", "price": "double", "lang": "keyword",
                                  "tags": "keywords", "seen": "bool", "made": "timestamp"}
LANGS = ["en", "de", "x' or 'a'='a", ""]
TAGS = ["a", "b", 'x" or 1=1']


def node(id: str, vector: Any = (1.0, 0.0, 0.0), ref: Optional[str] = None,
         **metadata: Any) -> TextNode:
    related = {} if ref is None else {NodeRelationship.SOURCE: RelatedNodeInfo(node_id=ref)}
    return TextNode(id_=id, text=f"text of {id}", embedding=list(map(float, vector)),
                    metadata=metadata, relationships=related)


def drawn_nodes(n: int) -> List[TextNode]:
    draw = random.Random(1)
    every = [{"year": draw.randrange(4), "price": draw.randrange(4) / 2, "lang": draw.choice(LANGS),
              "tags": sorted(draw.sample(TAGS, draw.randrange(4))), "free": i} for i in range(n)]
    return [node(f"n{i}", [draw.gauss(0, 1) for _ in range(8)], f"doc{i % 7}",
                 **{name: value for name, value in metadata.items() if draw.random() < 0.8})
            for i, metadata in enumerate(every)]


def asked(key: str, operator: FilterOperator, value: Any) -> MetadataFilter:
    return MetadataFilter(key=key, operator=operator, value=value)


def drawn_filters(draw: random.Random) -> MetadataFilters:
    op = FilterOperator
    numbers = [op.EQ, op.NE, op.GT, op.GTE, op.LT, op.LTE]
    kinds = [
        lambda: asked("year", draw.choice(numbers), draw.randrange(4)),
        lambda: asked("price", draw.choice(numbers), draw.randrange(4) / 2),
        lambda: asked("lang", draw.choice(numbers), draw.choice(LANGS)),
        lambda: asked("lang", draw.choice([op.IN, op.NIN]), draw.sample(LANGS, 2)),
        lambda: asked("year", draw.choice([op.IN, op.NIN]), draw.sample([0, 1, 2, 3], 2)),
        lambda: asked("tags", op.CONTAINS, draw.choice(TAGS)),
        lambda: asked("tags", draw.choice([op.ANY, op.ALL]), draw.sample(TAGS, 2)),
        lambda: asked(draw.choice(["year", "lang", "tags"]), op.IS_EMPTY, None),
        lambda: asked(draw.choice(["ref_doc_id", "doc_id"]), op.EQ, f"doc{draw.randrange(8)}")]
    return MetadataFilters(filters=[draw.choice(kinds)() for _ in range(draw.randrange(1, 4))],
                           condition=draw.choice(list(FilterCondition)))


def test_queries_find_what_the_simple_store_finds_under_any_filters() -> None:
    nodes = drawn_nodes(200)
    ours, theirs = ObliqVectorStore(columns=COLUMNS), SimpleVectorStore()
    assert ours.add(nodes) == theirs.add(nodes)
    draw = random.Random(2)
    some = 0
    for _ in range(150):
        query = VectorStoreQuery(query_embedding=[draw.gauss(0, 1) for _ in range(8)],
                                 similarity_top_k=70, filters=drawn_filters(draw))
        found, wanted = ours.query(query), theirs.query(query)
        assert found.ids == wanted.ids, query.filters
        np.testing.assert_allclose(found.similarities or [], wanted.similarities or [], atol=1e-5)
        some += 0 < len(found.ids or []) < 70
        assert found.nodes is not None
        for one, id in zip(found.nodes, found.ids or []):
            assert one.get_content() == f"text of {id}" and one.node_id == id
    assert some > 40  # a third of the filters tell nodes apart


@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 1.0])
def test_diverse_queries_choose_as_the_simple_store_does(threshold: float) -> None:
    nodes = drawn_nodes(40)
    ours, theirs = ObliqVectorStore(), SimpleVectorStore()
    ours.add(nodes), theirs.add(nodes)
    query = VectorStoreQuery(query_embedding=[1.0] * 8, similarity_top_k=8,
                             mode=VectorStoreQueryMode.MMR)
    found = ours.query(query, mmr_threshold=threshold, mmr_prefetch_k=40)
    assert found.ids == theirs.query(query, mmr_threshold=threshold).ids
    query.similarity_top_k, query.filters = 3, MetadataFilters(
        filters=[asked("doc_id", FilterOperator.EQ, "nothing")])
    assert ours.query(query).ids == []


def test_nodes_come_back_whole(tmp_path: pathlib.Path) -> None:
    vector = [0.6, 0.8, 0.0]
    given = [
        TextNode(id_="text", text="\xfc\n'\"", embedding=vector, start_char_idx=3,
                 metadata={"year": 5, "nested": {"a": [1, None]}, "none": None},
                 excluded_embed_metadata_keys=["year"], text_template="{content}",
                 relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id="doc"),
                                NodeRelationship.NEXT: RelatedNodeInfo(node_id="other")}),
        IndexNode(id_="index", text="an index", index_id="i", embedding=vector),
        ImageNode(id_="image", text="an image", image="aGVsbG8=", embedding=vector),
        Node(id_="node", embedding=vector, extra_info={"tags": ["b", "a"]})]
    path = tmp_path / "store"
    store = ObliqVectorStore(path, columns=COLUMNS)
    store.add(given)
    store.persist(str(tmp_path / "elsewhere.json"))
    for _ in range(2):
        found = {one.node_id: one for one in store.get_nodes()}
        for one in given:
            same = found[one.node_id]
            assert type(same) is type(one)
            assert same.metadata == one.metadata and same.ref_doc_id == one.ref_doc_id
            assert same.get_content() == one.get_content()
            np.testing.assert_allclose(same.embedding or [], one.embedding or [], atol=1e-6)
            same.embedding = one.embedding
            assert one.node_id == "node" or same == one
        store.close()
        store = ObliqVectorStore(path)
    assert store.path == str(path) and store.columns == COLUMNS
    store.close()
    again = ObliqVectorStore.from_dict(store.to_dict())
    assert len(again.get_nodes()) == 4


def test_nodes_are_replaced_and_removed_by_id_document_and_filter() -> None:
    async def use() -> None:
        store = ObliqVectorStore(columns=COLUMNS)
        assert await store.aquery(VectorStoreQuery(query_embedding=[1.0, 0, 0])) is not None
        await store.async_add([node(f"n{i}", ref=f"doc{i % 3}", year=i) for i in range(12)])
        await store.async_add([node("n0", ref="doc'", year=100)])
        assert len(await store.aget_nodes()) == 12
        late = MetadataFilters(filters=[asked("year", FilterOperator.GTE, 10)])
        assert {one.node_id for one in await store.aget_nodes(filters=late)} == {"n0", "n10", "n11"}
        assert [one.node_id for one in await store.aget_nodes(["n0", "n1"], late)] == ["n0"]
        await store.adelete("doc'")
        await store.adelete("doc1")
        assert {one.node_id for one in await store.aget_nodes()} == {
            f"n{i}" for i in range(1, 12) if i % 3 != 1}
        await store.adelete_nodes(["n2", "n11", "gone"], late)
        await store.adelete_nodes()
        assert len(await store.aget_nodes()) == 6
        query = VectorStoreQuery(query_embedding=[1.0, 0, 0], similarity_top_k=9,
                                 node_ids=["n2", "n3", "n5"], doc_ids=["doc2"])
        assert set((await store.aquery(query)).ids or []) == {"n2", "n5"}
        await store.aclear()
        assert await store.aget_nodes() == []

    asyncio.run(use())


def test_an_index_is_made_kept_and_opened_again(tmp_path: pathlib.Path) -> None:
    embedding = MockEmbedding(embed_dim=4)
    store = ObliqVectorStore(tmp_path / "store", columns=COLUMNS)
    context = StorageContext.from_defaults(vector_store=store)
    nodes = [TextNode(id_=f"n{i}", text=f"text {i}", metadata={"year": i}) for i in range(5)]
    index = VectorStoreIndex(nodes, storage_context=context, embed_model=embedding)
    index.storage_context.persist(str(tmp_path / "rest"))
    store.close()
    with pytest.raises(ValueError, match="the store is closed"):
        store.get_nodes()
    again = VectorStoreIndex.from_vector_store(ObliqVectorStore(tmp_path / "store"),
                                               embed_model=embedding)
    filters = MetadataFilters(filters=[asked("year", FilterOperator.EQ, 3)])
    found = again.as_retriever(similarity_top_k=2, filters=filters).retrieve("text")
    assert [one.node.get_content() for one in found] == ["text 3"]
    assert found[0].score == pytest.approx(1)


@pytest.mark.parametrize("filter,reason", [
    (asked("free", FilterOperator.EQ, 1), "'free' is no column.* name it in columns="),
    (asked('x" or 1=1', FilterOperator.EQ, 1), "is no column"),
    (asked("obliq.ref_doc_id", FilterOperator.EQ, "x"), "is no column"),
    (asked("free", FilterOperator.ALL, ["x"]), "is no column"),
    (asked("year", FilterOperator.EQ, "x"), "'year' is int64"),
    (asked("lang", FilterOperator.TEXT_MATCH, "x"), "operator text_match"),
    (asked("lang", FilterOperator.CONTAINS, "x"), "operator contains"),
    (asked("year", FilterOperator.IN, 1), "in of 'year' takes a list")])
def test_filters_that_cannot_be_answered_are_refused(filter: MetadataFilter, reason: str) -> None:
    store = ObliqVectorStore(columns=COLUMNS)
    store.add([node("a")])
    with pytest.raises(ValueError, match=reason):
        store.get_nodes(filters=MetadataFilters(filters=[filter]))


def test_filters_inside_each_other_bools_and_times_are_understood() -> None:
    store = ObliqVectorStore(columns=COLUMNS)
    made = datetime.datetime(2024, 5, 31, tzinfo=datetime.timezone.utc)
    store.add([node("a", seen=True, made=made, year=1), node("b", seen=False, year=1),
               node("c", made="2025-01-01", year=2)])
    seen = asked("seen", FilterOperator.EQ, 1)
    late = asked("made", FilterOperator.GT, "2024-12-31T00:00:00Z")
    either = MetadataFilters(filters=[seen, late], condition=FilterCondition.OR)
    both = MetadataFilters(filters=[asked("year", FilterOperator.EQ, 1), either])
    assert {one.node_id for one in store.get_nodes(filters=either)} == {"a", "c"}
    assert [one.node_id for one in store.get_nodes(filters=both)] == ["a"]
    assert store.get_nodes(["a"])[0].metadata["made"] == made


def test_what_the_store_cannot_do_it_refuses() -> None:
    store = ObliqVectorStore()
    with pytest.raises(ValueError, match="embedding not set"):
        store.add([TextNode(text="no embedding")])
    with pytest.raises(ValueError, match="the query has no embedding"):
        store.query(VectorStoreQuery(query_str="text"))
    with pytest.raises(ValueError, match="query mode is 'hybrid'; valid: default, mmr"):
        store.query(VectorStoreQuery(query_embedding=[1.0], mode=VectorStoreQueryMode.HYBRID))
    with pytest.raises(ValueError, match="in memory cannot be persisted"):
        store.persist("somewhere")
