"""obliq: a vector search index with quantized storage.

    import numpy as np
    import obliq

    base = np.random.default_rng(1).normal(size=(10_000, 64)).astype(np.float32)
    index = obliq.Index.build(base, metric="l2", quantizer="sq8")
    distances, ids = index.search(base[:5], k=10, nprobe=16)
    index.save("my.idx")

Index holds vectors and finds the nearest; Quantizer turns vectors into codes and back, for those
who want codes without an index.
"""

from importlib.metadata import PackageNotFoundError, version

from obliq._core import simd
from obliq.index import Index, IndexStats, SearchResult
from obliq.quantizer import Codes, Quantizer, quantizer_grammar, quantizer_specs

try:
    __version__ = version("obliq")
except PackageNotFoundError:  # used from a build tree
    __version__ = "0"

__all__ = ["Codes", "Index", "IndexStats", "Quantizer", "SearchResult", "quantizer_grammar",
           "quantizer_specs", "simd"]
