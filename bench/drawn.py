"""Vectors of a seed that are drawn where they are needed, for measurements that keep no files."""

import numpy as np


def draw(seed, n, dim):
    """Vectors of a few hundred directions each around many centres, as embeddings of texts lie."""
    rng, shape = np.random.default_rng(seed), np.random.default_rng(0)
    centres = shape.normal(size=(2000, dim))
    spread = shape.normal(size=(dim // 4, dim)) / np.sqrt(dim / 4)
    points = centres[rng.integers(len(centres), size=n)] * 0.6
    return (points + rng.normal(size=(n, dim // 4)) @ spread).astype(np.float32)
