"""Segments of ranges of lists: what searches in several of them need to know."""

import pathlib
from typing import Any, List, Tuple

import numpy as np
import pytest

import obliq

BASE = np.random.default_rng(1).normal(size=(5000, 24)).astype(np.float32)
QUERIES = BASE[:100]


@pytest.fixture(scope="module")
def ranges(tmp_path_factory: pytest.TempPathFactory) -> Tuple[Any, Any, Any, List[pathlib.Path]]:
    """A model, the index of all lists, that of four ranges of them, and the files of these."""
    folder = tmp_path_factory.mktemp("ranges")
    model = obliq.Model.train(BASE, preset="fast")  # with spilled entries
    model.encode(BASE, folder / "all", columns={"third": np.arange(5000) % 3})
    obliq.merge(model, [folder / "all"], folder / "one")
    cuts = [model.nlist * i // 4 for i in range(5)]
    files = [folder / f"range{i}" for i in range(4)]
    for file, lists in zip(files, zip(cuts, cuts[1:])):
        obliq.merge(model, [folder / "all"], file, lists=lists)
    return model, obliq.Index.open(folder / "one"), obliq.Index.open(model, files), files


# A spilled entry may name a row that another range has as its own.
def test_a_filter_passes_rows_by_their_spilled_entries(ranges: Any) -> None:
    model, one, several, _ = ranges
    lists = model.route(QUERIES, 12).astype(int)
    for options in ({"lists": lists}, {"nprobe": model.nlist}):
        expected = one.search(QUERIES, 10, filter="third = 1", confidence=1, **options)
        found = several.search(QUERIES, 10, filter="third = 1", confidence=1, **options)
        assert (found.ids == expected.ids).all()
    assert several.count("third = 1") == one.count("third = 1") == 1667
    handed = np.concatenate([batch.ids for batch in several.search_iterator(
        QUERIES[0], batch=500, filter="third = 1")])
    assert len(handed) == len(set(handed.tolist())) == 1667


def test_answers_within_a_bound_are_those_that_are_nearer(ranges: Any) -> None:
    model, one, several, _ = ranges
    lists = model.route(QUERIES, 12).astype(int)
    for index in (one, several):
        found = index.search(QUERIES, 10, lists=lists, confidence=1)
        bound = found.distances[:, 4].copy()
        bound[7] = np.inf
        near = index.search(QUERIES, 10, lists=lists, confidence=1, within=bound)
        kept = found.distances < bound[:, None]
        assert (near.ids == np.where(kept, found.ids, -1)).all()
        alone = index.search(QUERIES[0], 10, lists=lists[0], within=bound[0])
        assert (alone.distances[alone.ids >= 0] < bound[0]).all()
    for wrong in (bound[:5], np.full(100, np.nan)):
        with pytest.raises(ValueError, match="within"):
            one.search(QUERIES, 10, lists=lists, within=wrong)
    with pytest.raises(ValueError, match="name them, or use range_search"):
        one.search(QUERIES, 10, within=bound)


@pytest.mark.parametrize("metric", ["l2", "cosine", "ip"])
def test_keys_of_lists_rise_on_the_scale_of_distances(metric: Any) -> None:
    model = obliq.Model.train(BASE, metric, nlist=60)
    ranked = model.rank(QUERIES, 20)
    assert (ranked.lists == model.route(QUERIES, 20)).all()
    assert (np.diff(ranked.keys, axis=1) >= 0).all()
    assert ranked.scale.shape == (100, 2) and (ranked.scale[:, 0] > 0).all()
    if metric != "l2":
        return
    # Of l2 it is |q-c|^2 and a share of the list's radius, scaled by a power of two.
    assert (ranked.scale[:, 1] == 0).all()
    keys = ranked.keys / ranked.scale[:, :1]
    spread = ((QUERIES[:, None] - BASE[None, :500]) ** 2).sum(2)
    assert (keys > 0).all() and spread.mean() / 4 < keys.mean() < spread.mean()


def test_every_range_keeps_the_truth_of_all(ranges: Any) -> None:
    model, _, _, files = ranges
    queries, ids = model.learn_queries()
    assert queries.shape == (model.stats().learn_queries, 24) and (queries == BASE[ids]).all()
    for file in files:
        distances, near = model.truth(file)
        assert distances.shape == near.shape == (len(queries), 128)
        exact = ((queries[3] - BASE) ** 2).sum(1)
        exact[ids[3]] = np.inf  # itself left out
        assert np.isin(near[3][:10], np.argsort(exact)[:12]).all()
        assert np.allclose(distances[3][:10], np.sort(exact)[:10], rtol=1e-4)
