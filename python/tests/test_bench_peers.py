"""The runners of peers, as the harness calls them, on small sets: those of FAISS where it is
installed; of LoRANN and RaBitQ-Library, which are not, what they ask of a stand-in."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from numpy.typing import NDArray

PEERS = Path(__file__).resolve().parents[2] / "bench" / "peers"
sys.path.insert(0, str(PEERS))
N, DIM, QUERIES, NLIST = 600, 64, 30, 8


def run(script: str, *words: str) -> list[dict[str, Any]]:
    done = subprocess.run([sys.executable, str(PEERS / (script + ".py")), *words],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(text) for text in done.stdout.splitlines()]


def write_set(path: Path, distance: str) -> Path:
    """An ann-benchmarks file of N unit vectors whose length lies mostly in the first dimensions."""
    rng = np.random.default_rng(5)
    vectors = rng.normal(size=(N + QUERIES, DIM)) * np.arange(1, DIM + 1) ** -0.5
    vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    base, queries = vectors[:N], vectors[N:]
    distances = 1 - queries.astype(np.float64) @ base.astype(np.float64).T
    nearest = np.argsort(distances, axis=1)[:, :100]
    with h5py.File(path, "w") as file:
        file.attrs["distance"] = distance
        file["train"], file["test"], file["neighbors"] = base, queries, nearest
        file["distances"] = np.take_along_axis(distances, nearest, axis=1)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("peers")
    for distance in ("angular", "ip"):
        write_set(path / f"{distance}.hdf5", distance)
    with h5py.File(path / "angular.hdf5", "r") as file:
        # Rows of the set: half of the lists then miss neighbours, so that only all lists are exact.
        np.save(path / "centroids.npy", file["train"][:NLIST])
    return path


def survey(script: str, spec: str, folder: Path, k: int, data: str = "angular") -> dict[str, Any]:
    """{"build": its record, "points": the points kept} of a method."""
    common = ["--spec", spec, "--data", str(folder / f"{data}.hdf5"), "--checksum", data,
              "--nlist", str(NLIST), "--k", str(k), "--nprobe", "1,4"]
    [record] = run(script, "build", *common, "--cache", str(folder), "--centroids",
                   str(folder / "centroids.npy"), "--build-threads", "2")
    return {"build": record, "points": run(script, "survey", *common, "--index", record["path"])}


@pytest.mark.parametrize("k", [10, 100])
@pytest.mark.parametrize("data", ["angular", "ip"])
def test_panorama_is_exact_over_all_lists(folder: Path, k: int, data: str) -> None:
    pytest.importorskip("faiss")
    done = survey("faiss_ivf", "FlatPanorama8_32", folder, k, data)
    rotated = "PCA64," if data == "angular" else ""
    assert done["build"]["method"] == f"faiss {rotated}IVF8,FlatPanorama8_32"
    assert done["points"][-1]["params"] == {"nprobe": NLIST}
    assert done["points"][-1]["recall"] > 0.999
    assert done["build"]["bytes"] < 2 * N * DIM * 4  # not padded to 1,024 vectors a list


@pytest.mark.parametrize("k", [10, 100])
def test_hnsw_over_rabitq_codes_finds_most(folder: Path, k: int) -> None:
    pytest.importorskip("faiss")
    done = survey("faiss_hnsw", "RR,HNSW32,RaBitQ8", folder, k)
    assert min(point["params"]["ef"] for point in done["points"]) >= k
    assert max(point["recall"] for point in done["points"]) > 0.95
    assert done["build"]["bytes"] < N * (DIM + 64 * 4 + 100)  # codes and edges, no raw vectors


def test_hnsw_over_rabitq_codes_refuses_inner_products(folder: Path) -> None:
    pytest.importorskip("faiss")
    with pytest.raises(AssertionError, match="RaBitQ8: HNSW over RaBitQ codes has L2 only"):
        survey("faiss_hnsw", "RR,HNSW32,RaBitQ8", folder, 10, "ip")


class StandIn(types.SimpleNamespace):
    """A set and what a run says, without data."""

    @classmethod
    def run(cls, metric: str = "cosine", dim: int = 384, k: int = 10) -> StandIn:
        base: NDArray[np.float32] = np.zeros((4, dim), dtype=np.float32)
        return cls(set=cls(metric=metric, dim=dim, k=k, base=base), nlist=NLIST, nprobes=[1, 8],
                   quick=False, build_threads=2)


def with_library(monkeypatch: pytest.MonkeyPatch, name: str, script: str, **has: Any) -> Any:
    """The runner module, with a library of this name that has only this."""
    library = types.ModuleType(name)
    library.__dict__.update(has)
    monkeypatch.setitem(sys.modules, name, library)
    monkeypatch.setattr("importlib.metadata.version", lambda package: "1")
    monkeypatch.delitem(sys.modules, script, raising=False)
    module = importlib.import_module(script)
    monkeypatch.delitem(sys.modules, script)  # the next test gets one of its own library
    return module


def test_lorann_asks_for_what_a_spec_says(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Index:
        def __init__(self, *words: Any, **options: Any) -> None:
            asked.extend([words[1:], options])

        def build(self, **options: Any) -> None:
            asked.append(options)

    lists = with_library(monkeypatch, "lorann", "lorann_lists", L2=0, IP=1, LorannIndex=Index)
    method = lists.LorannLists(StandIn.run(), "g256:r64")
    assert method.name == "lorann g256 r64"
    method.build()
    assert asked == [(NLIST, 256), {"quantization_bits": 8, "rank": 64, "distance": 1},
                     {"n_threads": 2}]
    method = lists.LorannLists(StandIn.run("l2", 64, k=100), "g64:r16:b4")
    method.build()
    assert asked[4] == {"quantization_bits": 4, "rank": 16, "distance": 0}
    assert {point["reranked"] for point in method.sweep()} == {0, 400, 800, 1600, 3200, 6400}
    for dim in (32, 128):
        with pytest.raises(SystemExit, match=f"not {dim}"):
            lists.LorannLists(StandIn.run(dim=dim), "g256:r64" if dim == 128 else "g32:r16")


def test_symphonyqg_has_the_degree_of_its_spec(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    class Symqg:
        def __init__(self, *words: Any) -> None:
            asked.append(words)

        def build(self, *words: Any) -> None:
            asked.append(words[1:])

    graphs = with_library(monkeypatch, "rabitqlib", "rabitqlib_graph", SymqgIndex=Symqg)
    names = []
    for spec in ("symqg:8", "symqg:8:64", "symqg:raw:64"):
        method = graphs.RabitqGraph(StandIn.run(), spec)
        names.append(method.name)
        method.build()
    assert names == ["rabitqlib SymphonyQG 8 bits", "rabitqlib SymphonyQG 8 bits degree 64",
                     "rabitqlib SymphonyQG raw degree 64"]
    assert asked[::2] == [(384, 32, "l2", 8), (384, 64, "l2", 8), (384, 64, "l2", 0)]
    assert asked[1] == (200, 2)
    with pytest.raises(SystemExit, match="hnsw:5:64"):
        graphs.RabitqGraph(StandIn.run(), "hnsw:5:64")
