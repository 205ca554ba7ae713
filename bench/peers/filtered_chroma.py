"""Chroma (the chromadb wheel) under filters: HNSW over float32 vectors, metadata in SQLite.

The attributes are the metadata of the records. A filter is `{"column": {"$lt": bound}}`, comes with
each query and is evaluated with it. M = 16 and efConstruction 200, as all graphs here; what is
tuned is ef_search, which a collection follows once it is opened anew. Ids are texts; building adds
records in batches as large as it takes them.
"""

import shutil
import tempfile

import chromadb
from chromadb.api.shared_system_client import SharedSystemClient
from chromadb.config import Settings

import filtered
from graph import EF_CONSTRUCTION, EFS, M

METRICS = {"cosine": "cosine", "l2": "l2", "ip": "ip"}
NAME = "vectors"
QUIET = Settings(anonymized_telemetry=False)


class Filtered(filtered.FilteredMethod):
    """`spec` is HNSW, the only index it has."""

    def __init__(self, run, spec):
        self.run = run
        self.name = f"chromadb {spec}"

    def build(self):
        self.folder = tempfile.mkdtemp()
        client = chromadb.PersistentClient(self.folder, settings=QUIET)
        hnsw = {"space": METRICS[self.run.set.metric], "ef_construction": EF_CONSTRUCTION,
                "max_neighbors": M, "num_threads": self.run.build_threads}
        collection = client.create_collection(NAME, configuration={"hnsw": hnsw},
                                              embedding_function=None)
        columns = {name: self.cases.attribute(name).tolist() for name in self.cases.columns}
        size = client.get_max_batch_size()
        for first in range(0, self.run.set.n, size):
            rows = range(first, min(first + size, self.run.set.n))
            collection.add(ids=[str(row) for row in rows],
                           embeddings=self.run.set.base[first:first + size],
                           metadatas=[{name: values[row] for name, values in columns.items()}
                                      for row in rows])

    def save(self, path):
        shutil.rmtree(path, ignore_errors=True)
        shutil.move(self.folder, path)

    def load(self, path):
        self.path, self.ef = path, None
        self.rows = list(self.run.set.queries[:, None])
        self.open()

    def open(self):
        SharedSystemClient.clear_system_cache()
        client = chromadb.PersistentClient(self.path, settings=QUIET)
        self.collection = client.get_collection(NAME, embedding_function=None)

    def ladder(self):
        return EFS

    def make_filter(self, column, bound):
        return {column: {"$lt": bound}}

    def ready(self, chosen, value):
        self.chosen = chosen
        if value != self.ef:
            self.collection.modify(configuration={"hnsw": {"ef_search": value}})
            self.ef = value
            self.open()

    def one(self, query):
        return self.collection.query(query_embeddings=self.rows[query], n_results=self.run.set.k,
                                     where=self.chosen, include=["distances"])

    def ids_of(self, query, result):
        del query
        return [int(name) for name in result["ids"][0]]


def main():
    filtered.main(Filtered, ["HNSW"], {"chromadb": chromadb.__version__}, "Chroma under filters")


if __name__ == "__main__":
    main()
