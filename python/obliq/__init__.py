"""obliq: a vector search index with quantized storage.

    import numpy as np
    import obliq

    base = np.random.default_rng(1).normal(size=(10_000, 64)).astype(np.float32)
    index = obliq.Index.build(base, metric="l2", quantizer="sq8")
    distances, ids = index.search(base[:5], k=10)
    index.save("my.idx")

Index holds vectors and finds the nearest; Collection holds those that change while they are
searched; Model and merge make an index in parts; Quantizer turns vectors into codes and back, for
those who want codes without an index.
obliq.sklearn.ObliqTransformer is the index for scikit-learn; obliq.langchain, obliq.llama_index and
obliq.haystack are collections as the stores of these.
"""

from obliq._core import Cancelled, simd
from obliq._core import version as __version__
from obliq.collection import Collection
from obliq.collection_stats import CollectionCounters, CollectionStats, Latency
from obliq.columns import Columns
from obliq.filter import Filter
from obliq.index import Index, IndexStats, SearchResult, TunedLadder, TunedTarget, Tuning
from obliq.merging import merge, merge_topk
from obliq.model import Model, ModelStats, RankedLists, sample_key, sample_size
from obliq.quantizer import Codes, Quantizer, quantizer_grammar, quantizer_specs
from obliq.range_search import RangeSearchResult
from obliq.search_iterator import SearchIterator

__all__ = ["Cancelled", "Codes", "Collection", "CollectionCounters", "CollectionStats", "Columns",
           "Filter", "Index", "IndexStats", "Latency", "Model", "ModelStats", "Quantizer",
           "RangeSearchResult", "RankedLists", "SearchIterator", "SearchResult", "TunedLadder",
           "TunedTarget", "Tuning", "__version__", "merge", "merge_topk", "quantizer_grammar",
           "quantizer_specs", "sample_key", "sample_size", "simd"]
