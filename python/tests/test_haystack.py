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
                        "UpdateByFilterTest", "CountDocumentsByFilterTest")
ASYNC: Type[Any] = suite(
    async_suites, "CountDocumentsAsyncTest", "WriteDocumentsAsyncTest", "DeleteDocumentsAsyncTest",
    "FilterDocumentsAsyncTest", "DeleteAllAsyncTest", "DeleteByFilterAsyncTest",
    "UpdateByFilterAsyncTest", "CountDocumentsByFilterAsyncTest")


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
