"""What every FAISS index shares: saving, loading, and the cheapest call of one query.

`search_c` takes pointers that are made once, each query with a row of its own for its answer, so
that several threads may call at once; the wrapper's checks cost more than the rest.
"""

import faiss
import numpy as np

import runner as shared

VERSIONS = {"faiss-cpu": faiss.__version__, "faiss_simd": faiss.SIMDConfig.get_level_name()}
ROTATION_SEED = 12345


class FaissMethod(shared.Method):
    flags = 0  # of read_index

    def save(self, path):
        faiss.write_index(self.index, path)

    def load(self, path):
        faiss.omp_set_num_threads(1)
        self.index = faiss.read_index(path, self.flags)
        queries, k = self.run.set.queries, self.run.set.k
        self.distances = np.empty((len(queries), k), dtype=np.float32)
        self.ids = np.empty((len(queries), k), dtype=np.int64)
        self.rows = [tuple(faiss.swig_ptr(array[query]) for array in
                           (queries, self.distances, self.ids)) for query in range(len(queries))]
        self.empty = faiss.IndexFlatL2(queries.shape[1])

    def one(self, query):
        row, distances, ids = self.rows[query]
        self.index.search_c(1, row, self.run.set.k, distances, ids)

    def answer(self, query):
        self.one(query)
        return self.ids[query]

    def all(self, threads):
        faiss.omp_set_num_threads(threads)
        return self.index.search(self.run.set.queries, self.run.set.k)[1]

    def empty_call(self):
        row, distances, ids = self.rows[0]
        self.empty.search_c(1, row, self.run.set.k, distances, ids)
