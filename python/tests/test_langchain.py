"""obliq.langchain against LangChain's own suite, and what that does not ask."""

from typing import Iterator, Literal

import pytest

pytest.importorskip("langchain_tests", reason="langchain-tests is not installed")

from langchain_core.vectorstores import VectorStore
from langchain_tests.integration_tests import VectorStoreIntegrationTests

from obliq.langchain import ObliqVectorStore


class TestInMemory(VectorStoreIntegrationTests):
    @pytest.fixture()
    def vectorstore(self) -> Iterator[VectorStore]:
        with ObliqVectorStore(self.get_embeddings()) as store:
            yield store


class TestInADirectory(VectorStoreIntegrationTests):
    @pytest.fixture(params=["cosine", "l2"])
    def vectorstore(self, tmp_path: object, request: pytest.FixtureRequest) -> Iterator[VectorStore]:
        metric: Literal["cosine", "l2"] = request.param
        columns: dict[str, Literal["int64"]] = {"id": "int64"}
        with ObliqVectorStore(self.get_embeddings(), f"{tmp_path}/store", metric=metric,
                              columns=columns) as store:
            yield store
