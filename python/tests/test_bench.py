"""obliq's own runner of the comparison, as the harness calls it, on the sample."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import obliq

ROOT = Path(__file__).resolve().parents[2]
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
