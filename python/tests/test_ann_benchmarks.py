"""The module for ann-benchmarks, run as that program runs it: its package, in which this folder
stands for the class that algorithms derive from, and its config.yml with every argument product."""

import importlib
import itertools
import pathlib
import shutil
import sys
from typing import Any, Iterator

import numpy as np
import pytest

yaml = pytest.importorskip("yaml")

SOURCE = pathlib.Path(__file__).parents[1] / "ann_benchmarks"
RNG = np.random.default_rng(1)
BASE = RNG.normal(size=(2000, 16)).astype(np.float32)
QUERIES = (BASE[:20] + 0.05 * RNG.normal(size=(20, 16))).astype(np.float32)

BASE_CLASS = '''
class BaseANN:
    """What ann-benchmarks calls: fit, set_query_arguments, query or batch_query and its results."""
    def done(self): pass
    def fit(self, X): pass
    def query(self, q, n): return []
    def batch_query(self, X, n): self.res = [self.query(q, n) for q in X]
    def get_batch_results(self): return self.res
    def get_additional(self): return {}
    def __str__(self): return self.name
'''


@pytest.fixture(scope="module")
def module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    root = tmp_path_factory.mktemp("ann")
    algorithms = root / "ann_benchmarks" / "algorithms"
    (algorithms / "base").mkdir(parents=True)
    (algorithms / "base" / "module.py").write_text(BASE_CLASS)
    shutil.copytree(SOURCE, algorithms / "obliq")
    sys.path.insert(0, str(root))
    yield importlib.import_module(definition()["module"] + ".module")
    sys.path.remove(str(root))


def definition() -> Any:
    (only,) = yaml.safe_load((SOURCE / "config.yml").read_text())["float"]["any"]
    return only


@pytest.mark.parametrize("metric", ["euclidean", "angular"])
@pytest.mark.parametrize("group", definition()["run_groups"])
def test_every_run_group_finds_its_neighbours(module: Any, group: str, metric: str) -> None:
    run = definition()["run_groups"][group]
    constructor = getattr(module, definition()["constructor"])
    for arguments in itertools.product(*(values[:1] for values in run["args"])):
        algorithm = constructor(metric, *arguments)
        algorithm.fit(BASE)
        recalls = []
        for query_arguments in itertools.product(*run["query_args"]):
            algorithm.set_query_arguments(*query_arguments)
            assert str(query_arguments[0]) in str(algorithm)
            single = [algorithm.query(q, 10) for q in QUERIES]
            algorithm.batch_query(QUERIES, 10)
            for one, many in zip(single, algorithm.get_batch_results()):
                np.testing.assert_array_equal(one, many)
            assert all(0 <= i < len(BASE) for ids in single for i in ids)
            recalls.append(np.mean([i in ids for i, ids in enumerate(single)]))
        assert recalls[-1] == 1  # most lists, highest confidence
        assert algorithm.get_additional()["bytes_per_vector"] > 0
        algorithm.done()


def test_other_metrics_are_refused(module: Any) -> None:
    with pytest.raises(NotImplementedError, match="jaccard"):
        module.Obliq("jaccard", "sq8", "none", 10)
