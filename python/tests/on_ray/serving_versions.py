"""Versions of an index to serve, each with the truth of one file."""

from __future__ import annotations

import pathlib
from typing import Any, Dict, List, Tuple

import numpy as np
from numpy.typing import NDArray

import obliq
from obliq.ray.commit import commit
from obliq.ray.layout import Shard, Version
from obliq.ray.store import Store

DIM = 24
N = 6_000


def draw(seed: int, n: int) -> NDArray[np.float32]:
    """Vectors in a hundred groups, as those of texts are."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(1).normal(size=(100, DIM))
    points = centres[rng.integers(100, size=n)] + 0.5 * rng.normal(size=(n, DIM))
    return points.astype(np.float32)


def columns_of(n: int) -> Dict[str, Any]:
    return {"year": np.arange(n) % 25 + 2000, "lang": [("en", "de")[i % 2] for i in range(n)]}


def publish(url: pathlib.Path, seed: int, layout: str = "ranges", ranges: int = 6,
            n: int = N) -> Tuple[Version, obliq.Index]:
    """Commits a version of other vectors for each seed, and returns it with the same index as one
    file."""
    version, index = make(url, seed, layout, ranges, n)
    return commit(Store(str(url)), version), index


def make(url: pathlib.Path, seed: int, layout: str = "ranges", ranges: int = 6,
         n: int = N) -> Tuple[Version, obliq.Index]:
    """The same, ready to be committed."""
    for folder in ("made", "models", "shards"):
        (url / folder).mkdir(parents=True, exist_ok=True)
    base = draw(seed, n)
    whole = url / "made" / f"whole-{seed}.idx"
    index = obliq.Index.build(base, columns=columns_of(n), path=whole, nlist=120)
    model = obliq.Model.open(whole)
    model_path = f"models/{seed}.obliq"
    model.save(url / model_path)
    shards = _shards(url, model, whole, seed, layout, ranges)
    return Version(number=0, layout=layout, n=n, dim=DIM, metric="l2", quantizer=model.quantizer,
                   nlist=model.nlist, model=model_path, shards=shards,
                   columns=dict(index.columns)), index


def _shards(url: pathlib.Path, model: obliq.Model, whole: pathlib.Path, seed: int, layout: str,
            ranges: int) -> List[Shard]:
    if layout == "one":
        path = f"shards/{seed}.obliq"
        (url / path).write_bytes(whole.read_bytes())
        return [Shard(path, len(obliq.Index.open(whole)), 0, model.nlist, whole.stat().st_size)]
    cuts = [model.nlist * i // ranges for i in range(ranges + 1)]
    shards = []
    for lists in zip(cuts, cuts[1:]):
        path = f"shards/{seed}-{lists[0]}-of-{ranges}.obliq"
        obliq.merge(model, [whole], url / path, lists=lists)
        n = len(obliq.Index.open(model, [url / path]))
        shards.append(Shard(path, n, *lists, (url / path).stat().st_size))
    return shards
