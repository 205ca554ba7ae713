"""obliq.langchain against LangChain's own suite, and what that does not ask."""

import asyncio
import pathlib
import random
import threading
from typing import Any, Dict, Iterator, List

import numpy as np
import pytest

pytest.importorskip("langchain_tests", reason="langchain-tests is not installed")

from langchain_core.documents import Document
from langchain_core.embeddings import DeterministicFakeEmbedding, Embeddings
from langchain_core.indexing import InMemoryRecordManager, index
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from langchain_tests.integration_tests import VectorStoreIntegrationTests

import obliq
from obliq.columns import ColumnType
from obliq.langchain import ObliqVectorStore

COLUMNS: Dict[str, ColumnType] = {"year": "int64", "lang": "keyword", "tags": "keywords",
                                  "seen": "bool", "made": "timestamp", 'x" or 1=1': "keyword"}
TEXTS = [f"text {i}" for i in range(8)]
METADATAS: List[Dict[str, Any]] = [
    {"year": 2020 + i, "lang": ["en", "de", "x' or 'a'='a"][i % 3], "free": {"page": i},
     **({"tags": ["a", "b"][:i % 3]} if i % 4 else {}), **({"seen": i < 3} if i < 6 else {})}
    for i in range(8)]


class TestInMemory(VectorStoreIntegrationTests):
    @pytest.fixture()
    def vectorstore(self) -> Iterator[VectorStore]:
        with ObliqVectorStore(self.get_embeddings()) as store:
            yield store


class TestInADirectory(VectorStoreIntegrationTests):
    @pytest.fixture()
    def vectorstore(self, tmp_path: pathlib.Path) -> Iterator[VectorStore]:
        with ObliqVectorStore(self.get_embeddings(), tmp_path / "store", metric="l2",
                              columns={"id": "int64"}) as store:
            yield store


def embedding() -> Embeddings:
    return DeterministicFakeEmbedding(size=6)


def filled(**options: Any) -> ObliqVectorStore:
    return ObliqVectorStore.from_texts(TEXTS, embedding(), METADATAS, columns=COLUMNS,
                                       ids=[f"d{i}" for i in range(8)], **options)


def found(store: ObliqVectorStore, filter: Any, params: Any = None) -> str:
    documents = store.similarity_search("text", k=20, filter=filter, params=params)
    ids = sorted(str(document.id) for document in documents)
    assert sorted(str(one.id) for one in store.get(filter, params)) == ids
    assert store.count(filter, params) == len(ids)
    return "".join(ids).replace("d", "")


@pytest.mark.parametrize("filter,wanted", [
    ({}, "01234567"), (None, "01234567"), ({"year": 2021}, "1"), ({"year": {"$eq": 2021}}, "1"),
    ({"year": {"$ne": 2021}}, "0234567"), ({"year": {"$gte": 2022, "$lt": 2024}}, "23"),
    ({"year": {"$gt": 2020, "$lte": 2022}}, "12"), ({"year": {"$in": [2020, 2027, 1]}}, "07"),
    ({"year": {"$nin": [2020, 2027]}}, "123456"), ({"year": {"$in": []}}, ""),
    ({"year": {"$nin": []}}, "01234567"), ({"year": {"$gt": 2025.5}}, "67"),
    ({"lang": "en", "year": {"$gt": 2020}}, "36"), ({"lang": "x' or 'a'='a"}, "25"),
    ({"$or": [{"year": 2020}, {"lang": "de"}]}, "0147"),
    ({"$and": [{"year": {"$gt": 2021}}, {"lang": "de"}]}, "47"),
    ({"$not": {"$or": [{"year": 2020}, {"lang": "de"}]}}, "2356"),
    ({"year": {"$not": {"$gt": 2021}}}, "01"), ({"seen": True}, "012"), ({"seen": False}, "345"),
    ({"seen": {"$ne": True}}, "34567"), ({"seen": {"$exists": True}}, "012345"),
    ({"seen": {"$exists": False}}, "67"), ({"seen": None}, "67"),
    ({"seen": {"$ne": None}}, "012345"),
    ({"seen": {"$in": [True, None]}}, "01267"), ({"seen": {"$nin": [True, None]}}, "345"),
    ({"seen": {"$in": []}}, ""), ({"tags": "a"}, "1257"), ({"tags": {"$ne": "b"}}, "013467"),
    ({"tags": {"$in": ["b", "c"]}}, "25"), ({'x" or 1=1': "a"}, ""),
    ({'x" or 1=1': {"$exists": False}}, "01234567")])
def test_filters_of_metadata_pass_what_they_say(filter: Any, wanted: str) -> None:
    assert found(filled(), filter) == wanted


@pytest.mark.parametrize("filter,reason", [
    ({"free": 1}, "metadata 'free' is no column.* there are year, lang, tags"),
    ({"year = 1 or year": 1}, "is no column"), ({"obliq.text": "a"}, "is no column"),
    ({"year": "2020"}, "'year' is int64"), ({"year": [2020]}, "'year' is compared with"),
    ({"year": {"$in": 2020}}, r"\$in of 'year' takes a list"), ({"year": {}}, "with operators"),
    ({"year": {"$gte": None}}, "'year' is compared with"), ({"year": {"$like": "2"}}, "valid: "),
    ({"year": {"$exists": 1}}, "True or False"), ({"$nor": []}, "unknown operator '.nor'"),
    ({"$and": []}, r"\$and takes a list of filters"), ({"$or": {"year": 1}}, "takes a list"),
    ({"$not": {}}, "a filter is a dict"), ([1], "a filter is a dict"), ({1: 2}, "must be text")])
def test_what_is_no_filter_is_refused(filter: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        filled().similarity_search("text", filter=filter)


def test_filters_inside_each_other_without_end_are_refused() -> None:
    filters: List[Any] = [{"year": 1}, {"year": {"$gt": 1}}, {"year": 1}]
    for _ in range(3000):
        filters = [{"$not": filters[0]}, {"year": {"$not": filters[1]["year"]}},
                   {"$and": [filters[2], {"lang": "en"}]}]
    for filter in filters:
        with pytest.raises(ValueError, match="deep inside each other|with operators"):
            filled().similarity_search("text", filter=filter)


def test_an_expression_and_a_filter_of_obliq_filter_too() -> None:
    store = filled()
    assert found(store, "year >= ? and lang in ?", [2023, ["en", "de"]]) == "3467"
    assert found(store, obliq.Filter("seen") & obliq.Filter.deny(["d0"])) == "12"
    with pytest.raises(TypeError, match="params are values"):
        store.similarity_search("text", filter={"year": 1}, params=[1])
    with pytest.raises(ValueError, match="there is no column 'yaer'"):
        store.similarity_search("text", filter="yaer = 1")


@pytest.mark.parametrize("metric", ["cosine", "l2", "ip"])
def test_relevance_lies_between_0_and_1_and_falls_with_the_distance(metric: Any) -> None:
    store = filled(metric=metric)
    scored = store.similarity_search_with_relevance_scores("text 3", k=8)
    far = [score for _, score in store.similarity_search_with_score("text 3", k=8)]
    relevances = [score for _, score in scored]
    assert far == sorted(far) and relevances == sorted(relevances, reverse=True)
    assert all(0 <= score <= 1 for score in relevances) and relevances[0] > relevances[-1]
    if metric != "ip":
        assert scored[0][0].id == "d3" and relevances[0] == pytest.approx(1, abs=1e-3)
    near = store.as_retriever(search_type="similarity_score_threshold",
                              search_kwargs={"score_threshold": relevances[2], "k": 8})
    assert len(near.invoke("text 3")) == 3
    own = filled(relevance_score_fn=lambda distance: 0.5)
    assert {score for _, score in own.similarity_search_with_relevance_scores("text")} == {0.5}


def test_diverse_answers_are_those_that_langchain_chooses() -> None:
    store, embed = filled(), embedding()
    vectors = {text: np.array(embed.embed_query(text)) for text in TEXTS}
    for weight in (0.0, 0.4, 1.0):
        near = [one.page_content for one in store.similarity_search("text 2", k=6)]
        wanted = maximal_marginal_relevance(np.array(embed.embed_query("text 2")),
                                            [vectors[text].tolist() for text in near], weight, 3)
        given = store.max_marginal_relevance_search("text 2", 3, fetch_k=6, lambda_mult=weight)
        assert [one.page_content for one in given] == [near[place] for place in wanted]
    assert store.max_marginal_relevance_search("text", filter={"year": 1}) == []
    assert ObliqVectorStore(embed).max_marginal_relevance_search("text") == []


def test_a_store_in_a_directory_is_opened_again(tmp_path: pathlib.Path) -> None:
    filled(path=tmp_path / "store", dim=6).close()
    with ObliqVectorStore(embedding(), str(tmp_path / "store")) as store:
        assert store.columns == COLUMNS and store.count() == 8 and store.collection is not None
        assert [one.metadata for one in store.get_by_ids(["d5", "gone", "d1", "d5"])] == [
            METADATAS[5], METADATAS[1]]
        store.add_texts(["new", "other"], [{"year": 1}, {}], ids=["d5", None])
        assert store.get_by_ids(["d5"]) == [
            Document(id="d5", page_content="new", metadata={"year": 1})]
        assert store.count() == 9
        with ObliqVectorStore(embedding(), tmp_path / "store", read_only=True) as reader:
            assert found(reader, {"year": 1}) == "5"
    with pytest.raises(ValueError, match="closed"):
        store.similarity_search("text")


def test_documents_are_removed_by_id_and_by_filter() -> None:
    store = filled()
    assert store.delete(["d0", "gone", "", "a\nb"]) and store.delete([])
    assert store.delete(filter={"lang": "x' or 'a'='a"})
    assert found(store, None) == "13467"
    with pytest.raises(ValueError, match="ids or a filter, not both"):
        store.delete(["d1"], filter={"year": 1})
    store.delete(filter="year > ?", params=[2024])
    assert found(store, None) == "134"
    store.delete()
    assert store.count() == 0 and store.similarity_search("text") == []


def test_a_key_can_be_filtered_by_once_it_is_a_column() -> None:
    store = ObliqVectorStore.from_texts(TEXTS, embedding(), [{"n": i} for i in range(8)])
    with pytest.raises(ValueError, match="add_column"):
        store.similarity_search("text", filter={"n": 1})
    store.add_column("n", "int64")
    assert [one.metadata for one in store.similarity_search("text", filter={"n": {"$gt": 6}})] == [
        {"n": 7}]


def test_other_lengths_and_values_are_refused_and_nothing_is_added() -> None:
    store = filled()
    wrong: Dict[str, Any]
    for wrong in (dict(metadatas=[{}]), dict(ids=["a"]), dict(metadatas=[{}, {"year": "x"}]),
                  dict(ids=["ok", "two\nlines"]), dict(metadatas=[{}, {"free": object()}])):
        with pytest.raises((ValueError, TypeError)):
            store.add_texts(["a", "b"], **wrong)
    assert store.count() == 8 and store.add_texts([]) == []
    with pytest.raises(TypeError, match="no option 'ids'|multiple values"):
        ObliqVectorStore(embedding(), ids="int64")


def texts(found: List[Document]) -> List[str]:
    return [one.page_content for one in found]


def test_calls_that_wait_do_what_the_others_do() -> None:
    async def use() -> None:
        store = await ObliqVectorStore.afrom_texts(TEXTS, embedding(), METADATAS, columns=COLUMNS)
        plain = filled()
        late = {"year": {"$gt": 2022}}
        assert texts(await store.asimilarity_search("text 3", k=3, filter=late)) == texts(
            plain.similarity_search("text 3", k=3, filter=late))
        assert texts(await store.amax_marginal_relevance_search("text", filter=late)) == texts(
            plain.max_marginal_relevance_search("text", filter=late))
        vector = embedding().embed_query("text 1")
        assert texts(await store.asimilarity_search_by_vector(vector, k=2)) == texts(
            plain.similarity_search_by_vector(vector, k=2))
        assert await store.asimilarity_search_with_relevance_scores("text 1", k=1)
        assert texts(await store.as_retriever(search_kwargs={"k": 1}).ainvoke("text 5")) == [
            "text 5"]
        await store.adelete(filter={"lang": "en"})
        assert store.count() == 5
        await asyncio.gather(*(store.aadd_documents([Document(page_content=f"more {i}", id="m")])
                               for i in range(20)))
        assert store.count() == 6

    asyncio.run(use())


def test_the_indexing_of_langchain_keeps_it_in_step_with_a_source() -> None:
    store, records = ObliqVectorStore(embedding()), InMemoryRecordManager("test")
    records.create_schema()
    for pages in ([1, 2, 3], [1, 2, 3], [2, 3, 4]):
        source = [Document(page_content=f"page {page}", metadata={"source": page})
                  for page in pages]
        counts = index(source, records, store, cleanup="full", source_id_key="source",
                       key_encoder="sha256")
    assert counts == {"num_added": 1, "num_updated": 0, "num_skipped": 2, "num_deleted": 1}
    assert sorted(one.metadata["source"] for one in store.get()) == [2, 3, 4]


def test_many_threads_use_a_store_at_once(tmp_path: pathlib.Path) -> None:
    store = ObliqVectorStore(embedding(), tmp_path / "store", columns=COLUMNS)
    faults: List[BaseException] = []

    def work(number: int) -> None:
        draw = random.Random(number)
        try:
            for i in range(10):
                store.add_texts([f"{number} {i}", "same"], [{"year": number}, {}],
                                ids=[f"{number}-{i}", "same"])
                year = draw.randrange(8)
                for one in store.similarity_search("text", filter={"year": year}):
                    assert one.metadata["year"] == year and one.page_content[0] == str(year)
                store.max_marginal_relevance_search("text", k=2)
                store.delete([f"{number}-{i - 5}"])
        except BaseException as fault:
            faults.append(fault)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not faults and store.count() == 8 * 5 + 1
    store.close()
