"""obliq's own runner of the comparison, as the harness calls it, on the sample; and what all
runners share: recall, and the points that are timed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

import obliq

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "bench" / "peers"))
from benchmark_set import BenchmarkSet  # noqa: E402
from runner import BIN_KEEPS, near_frontier  # noqa: E402

SAMPLE = ROOT / "datasets" / "sample" / "sample-384-angular.hdf5"
RUNNER = ROOT / "bench" / "peers" / "obliq_ivf.py"


def run(*words: str, given: str = "") -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, str(RUNNER), *words], capture_output=True, text=True,
                          input=given, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def centroids(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("bench") / "centroids.npy"
    rng = np.random.default_rng(1)
    np.save(path, rng.normal(size=(20, 384)).astype(np.float32))
    return path


def test_describes_specs_that_exist_and_its_version() -> None:
    [told] = run("describe")
    assert told["versions"]["obliq"] == obliq.__version__
    for spec in told["specs"]:
        obliq.Quantizer(spec.split(",")[0], 384)


def test_builds_surveys_and_times_a_method(tmp_path: Path, centroids: Path) -> None:
    common = ["--spec", "lm4,raw=fp16,confidence=.99", "--data", str(SAMPLE), "--nlist", "20",
              "--nprobe", "1,4"]
    [record] = run("build", *common, "--cache", str(tmp_path), "--centroids", str(centroids))
    assert record["method"] == "obliq lm4, raw fp16, confidence .99"
    assert record["bytes"] == Path(record["path"]).stat().st_size
    assert obliq.Index.open(record["path"]).stats().nlist == 20
    again = run("build", *common, "--cache", str(tmp_path), "--centroids", str(centroids))
    assert again == [record]  # from the cache

    points = run("survey", *common, "--index", record["path"])
    assert points[-1]["params"] == {"nprobe": 20} and points[-1]["recall"] > 0.97
    assert all(point["recall"] <= point["recall_ties"] for point in points)

    given = "".join(json.dumps(point) + "\n" for point in points)
    for mode, threads in (("single", 1), ("single", 2), ("batch", 1), ("batch", 2)):
        lines = run("time", *common, "--index", record["path"], "--mode", mode, "--threads",
                    str(threads), "--seconds", "0.01", given=given)
        assert [line["params"] for line in lines] == [point["params"] for point in points]
        assert all(line["qps"] > 0 and line["queries_timed"] >= 100 for line in lines)


def test_surveys_each_k_of_one_index(tmp_path: Path, centroids: Path) -> None:
    common = ["--spec", "sq8,raw=fp16", "--data", str(SAMPLE), "--nlist", "20", "--nprobe", "1,4"]
    [record] = run("build", *common, "--cache", str(tmp_path), "--centroids", str(centroids))
    tens, hundreds = (run("survey", *common, "--index", record["path"], "--k", k)
                      for k in ("10", "100"))
    for points in (tens, hundreds):
        assert points[-1]["params"] == {"nprobe": 20} and points[-1]["recall"] > 0.97
    assert tens[0]["recall"] != hundreds[0]["recall"]
    assert all(point["recall"] == point["recall_ties"] for point in hundreds)  # no 101st is known


def test_refuses_options_that_it_does_not_know(tmp_path: Path) -> None:
    words = [sys.executable, str(RUNNER), "build", "--spec", "lm4,spil=.5", "--data", str(SAMPLE)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "'spil=.5'" in done.stderr


def test_recall_counts_an_id_once_and_ties_apart(tmp_path: Path) -> None:
    path = tmp_path / "set.hdf5"
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = "euclidean"
        file["train"] = np.zeros((9, 3), dtype=np.float32)
        file["test"] = np.zeros((2, 3), dtype=np.float32)
        file["neighbors"] = np.array([[0, 1, 2], [3, 4, 5]])
        file["distances"] = np.array([[1.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    benchmark_set = BenchmarkSet(str(path), k=2)
    assert benchmark_set.recall([[0, 0], [3, 4]]) == (0.75, 0.75)
    assert benchmark_set.recall([[0, 2], [4, 5]]) == (0.5, 0.75)  # 2 ties with 1, 5 with nobody
    assert benchmark_set.recall([[1, 2], [-1, -1]]) == (0.25, 0.5)


def test_keeps_the_most_accurate_point_and_the_fastest_few_of_about_equal_recall() -> None:
    def point(recall: float, seconds: float) -> dict[str, Any]:
        return {"recall": recall, "seconds": seconds}

    best, slow, beaten = point(0.999, 9.0), point(0.95, 1.9), point(0.5, 2.1)
    crowd = [point(0.9, 1 + 0.01 * i) for i in range(10)]
    assert near_frontier([beaten, *crowd, slow, best]) == [*crowd[:BIN_KEEPS], slow, best]
