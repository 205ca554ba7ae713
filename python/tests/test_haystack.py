"""obliq.haystack against Haystack's own suites, and what those do not ask."""

from typing import Any, Dict, Iterator, List, Type

import numpy as np
import pytest

pytest.importorskip("haystack", reason="haystack-ai is not installed")

from haystack import Document, Pipeline
from haystack.dataclasses import ByteStream, SparseEmbedding
from haystack.document_stores.errors import DuplicateDocumentError
from haystack.document_stores.types import DuplicatePolicy
from haystack.errors import FilterError
from haystack.testing import document_store as suites

try:
    from haystack.testing import document_store_async as async_suites
except ImportError:  # came with 2.22
    async_suites: Any = None  # type: ignore[no-redef]

from obliq.columns import ColumnType
from obliq.haystack import ObliqDocumentStore, ObliqEmbeddingRetriever

COLUMNS: Dict[str, ColumnType] = {
    "name": "keyword", "page": "keyword", "chapter": "keyword", "number": "int64",
    "date": "timestamp", "no_embedding": "bool", "category": "keyword", "status": "keyword",
    "year": "int64", "updated": "bool", "featured": "bool", "extra_field": "keyword"}


def suite(module: Any, *names: str) -> Any:
    """The suites of these names that this version has, as one class."""
    there = [getattr(module, name) for name in names if hasattr(module, name)]
    return type("Suite", tuple(there) or (object,), {})


SYNC: Type[Any] = suite(suites, "CountDocumentsTest", "WriteDocumentsTest", "DeleteDocumentsTest",
                        "FilterDocumentsTest", "DeleteAllTest", "DeleteByFilterTest",
                        "UpdateByFilterTest", "CountDocumentsByFilterTest",
                        "CountUniqueMetadataByFilterTest", "GetMetadataFieldsInfoTest",
                        "GetMetadataFieldMinMaxTest", "GetMetadataFieldUniqueValuesTest")
ASYNC: Type[Any] = suite(
    async_suites, "CountDocumentsAsyncTest", "WriteDocumentsAsyncTest", "DeleteDocumentsAsyncTest",
    "FilterDocumentsAsyncTest", "DeleteAllAsyncTest", "DeleteByFilterAsyncTest",
    "UpdateByFilterAsyncTest", "CountDocumentsByFilterAsyncTest",
    "CountUniqueMetadataByFilterAsyncTest", "GetMetadataFieldsInfoAsyncTest",
    "GetMetadataFieldMinMaxAsyncTest", "GetMetadataFieldUniqueValuesAsyncTest")


class Adapted:
    """What the suites ask those who use them to say."""

    @pytest.fixture
    def document_store(self) -> Iterator[ObliqDocumentStore]:
        store = ObliqDocumentStore(columns=COLUMNS, embedding_dim=768)
        yield store
        store.close()

    @staticmethod
    def assert_documents_are_equal(received: List[Document], expected: List[Document]) -> None:
        """Documents come in no order, and embeddings as float32."""
        found = {document.id: document.to_dict(flatten=False) for document in received}
        wanted = {document.id: document.to_dict(flatten=False) for document in expected}
        assert len(received) == len(expected) and found.keys() == wanted.keys()
        for id, document in wanted.items():
            embedding, given = found[id].pop("embedding"), document.pop("embedding")
            assert found[id] == document
            assert (embedding is None) == (given is None)
            if given is not None:
                np.testing.assert_allclose(embedding, given, rtol=1e-6)


class TestHaystack(Adapted, SYNC):  # type: ignore[misc]
    def test_write_documents(self, document_store: ObliqDocumentStore) -> None:
        document = Document(content="test doc")
        assert document_store.write_documents([document]) == 1
        with pytest.raises(DuplicateDocumentError):
            document_store.write_documents([document])


if async_suites is not None:
    class TestHaystackAsync(Adapted, ASYNC):  # type: ignore[misc]
        async def test_write_documents_async(self, document_store: ObliqDocumentStore) -> None:
            document = Document(content="test doc")
            assert await document_store.write_documents_async([document]) == 1
            with pytest.raises(DuplicateDocumentError):
                await document_store.write_documents_async([document])


def drawn(n: int) -> List[Document]:
    draw = np.random.default_rng(1)
    return [Document(id=f"d{i}", content=f"text {i}", embedding=draw.normal(size=8).tolist(),
                     meta={"number": i, "name": ["a", "x' or 'a'='a"][i % 2], "free": [i]})
            for i in range(n)]


@pytest.mark.parametrize("metric", ["cosine", "l2", "ip"])
def test_a_search_finds_the_nearest_that_pass_with_scores_that_fall(metric: Any) -> None:
    documents = drawn(50)
    store = ObliqDocumentStore(columns=COLUMNS, metric=metric)
    store.write_documents(documents)
    store.write_documents([Document(id="without", content="no embedding", meta={"number": 1})])
    query = [1.0] * 8
    base = np.array([one.embedding for one in documents[10:]])
    ip = base @ np.ones(8)
    similar = {"ip": ip, "cosine": ip / np.linalg.norm(base, axis=1) / np.sqrt(8),
               "l2": 1 / (1 + np.linalg.norm(base - 1, axis=1))}[metric]
    late = {"field": "meta.number", "operator": ">=", "value": 10}
    found = store.search(query, late, 5, return_embedding=True)
    order = np.argsort(-similar)[:5]
    assert [one.id for one in found] == [f"d{10 + place}" for place in order]
    np.testing.assert_allclose([one.score or 0 for one in found], similar[order], rtol=1e-4)
    np.testing.assert_allclose([one.embedding or [] for one in found], base[order], rtol=1e-5)
    assert len(store.search(query, top_k=100)) == 50 and store.search(query, top_k=0) == []
    with pytest.raises(ValueError, match="top_k must be 0 or more"):
        store.search(query, top_k=-1)


def test_documents_come_back_whole_from_a_directory(tmp_path: Any) -> None:
    store = ObliqDocumentStore(f"{tmp_path}/store", columns=COLUMNS, embedding_dim=8)
    given = [*drawn(3), Document(id="blob", blob=ByteStream(b"\0\xff", {"a": 1}, "image/png")),
             Document(id="sparse", content="", sparse_embedding=SparseEmbedding([1, 5], [.5, 2.0])),
             Document(id="scored", content="x", score=0.5, meta={"number": None, "date": None})]
    store.write_documents(given)
    store.close()
    again = ObliqDocumentStore.from_dict(store.to_dict())
    Adapted.assert_documents_are_equal(again.filter_documents(), given)
    assert again.columns == COLUMNS and again.collection is not None
    again.return_embedding = False
    assert all(one.embedding is None for one in again.filter_documents())
    again.close()


def test_a_retriever_finds_in_a_pipeline_and_comes_back_from_its_dict(
        tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HAYSTACK_DESERIALIZATION_ALLOWLIST", "obliq.haystack")
    store = ObliqDocumentStore(f"{tmp_path}/store", columns=COLUMNS)
    store.write_documents(drawn(20))
    only = {"field": "meta.name", "operator": "==", "value": "x' or 'a'='a"}
    late = {"field": "meta.number", "operator": ">", "value": 14}
    pipeline = Pipeline()
    pipeline.add_component("retriever", ObliqEmbeddingRetriever(store, only, 3,
                                                                filter_policy="merge"))
    asked = {"retriever": {"query_embedding": [1.0] * 8, "filters": late}}
    found = pipeline.run(asked)["retriever"]["documents"]
    assert {one.id for one in found} == {"d15", "d17", "d19"}
    text = pipeline.dumps()
    store.close()
    again = Pipeline.loads(text)
    same = again.run(asked)["retriever"]["documents"]
    assert [one.id for one in same] == [one.id for one in found]
    with pytest.raises(TypeError, match="must be an ObliqDocumentStore"):
        ObliqEmbeddingRetriever("store")  # type: ignore[arg-type]


async def test_a_retriever_can_be_waited_for() -> None:
    store = ObliqDocumentStore()
    await store.write_documents_async(drawn(5))
    found = await ObliqEmbeddingRetriever(store, top_k=2).run_async(query_embedding=[1.0] * 8)
    assert len(found["documents"]) == 2 and found["documents"][0].embedding is None


@pytest.mark.parametrize("filters,reason", [
    ({"field": "meta.free", "operator": "==", "value": 1}, "'free' is no column"),
    ({"field": 'meta.x" or 1=1', "operator": "==", "value": 1}, "is no column"),
    ({"field": "meta.obliq.text", "operator": "==", "value": "a"}, "is no column"),
    ({"field": 5, "operator": "==", "value": 1}, "must be text"),
    ({"field": "meta.number", "operator": "like", "value": 1}, "unknown operator 'like'"),
    ({"operator": "XOR", "conditions": [{}]}, "'AND', 'OR' or 'NOT'"),
    ({"operator": "AND", "conditions": []}, "'AND', 'OR' or 'NOT'"), ([1], "a filter is a dict")])
def test_what_is_no_filter_is_refused(filters: Any, reason: str) -> None:
    store = ObliqDocumentStore(columns=COLUMNS, embedding_dim=3)
    for call in (store.filter_documents, store.delete_by_filter, store.count_documents_by_filter):
        with pytest.raises(FilterError, match=reason):
            call(filters)
    with pytest.raises(FilterError, match="a filter"):
        store.delete_by_filter({})


def test_ids_that_come_twice_follow_the_policy() -> None:
    first, second, other = (Document(id="a", content="1"), Document(id="a", content="2"),
                            Document(id="b", content="3"))
    for policy, written, content in ((DuplicatePolicy.OVERWRITE, 3, "2"),
                                     (DuplicatePolicy.SKIP, 2, "1")):
        store = ObliqDocumentStore(embedding_dim=3)
        assert store.write_documents([first, second, other], policy) == written
        assert {one.id: one.content for one in store.filter_documents()} == {"a": content, "b": "3"}
    store = ObliqDocumentStore(embedding_dim=3)
    with pytest.raises(DuplicateDocumentError):
        store.write_documents([other, first, second], DuplicatePolicy.FAIL)
    assert store.count_documents() == 0
