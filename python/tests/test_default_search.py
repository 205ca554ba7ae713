"""A search from Python that names neither nprobe nor target_recall."""

import numpy as np
import pytest

import obliq

RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(3000, 24)).astype(np.float32)
QUERIES = (BASE[:20] + 0.1 * RNG.normal(size=(20, 24))).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, nlist=200)


@pytest.mark.parametrize("k", [1, 10, 100])
def test_a_search_by_default_aims_at_what_all_lists_give(index: obliq.Index, k: int) -> None:
    tuning = index.stats().tuning
    assert tuning is not None
    (ladder,) = (ladder for ladder in tuning.ladders if ladder.k == k)
    target = min(.95, .96 * ladder.max_recall)
    found = index.search(QUERIES, k)
    aimed = index.search(QUERIES, k, target_recall=target)
    assert (found.ids == aimed.ids).all() and (found.distances == aimed.distances).all()


@pytest.mark.parametrize("tune", [True, False])
def test_a_search_by_default_finds_k_answers(tune: bool) -> None:
    index = obliq.Index.build(BASE, tune=tune)
    for k in (1, 10, 1000, 3000):
        assert (index.search(QUERIES, k).ids >= 0).all()
