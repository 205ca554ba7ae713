"""Ten common tasks with Chroma."""

import threading

import chromadb

from data import (check, check_deleted, check_names, check_recent, gone, more, names, queries, x,
                  years)

# task: build from NumPy
# Ids are texts, and a call takes 5,461 vectors at most; these are fewer.
client = chromadb.PersistentClient("vectors.chroma")
collection = client.create_collection("things")
collection.add(ids=[str(i) for i in range(len(x))], embeddings=x)

# task: save and load
# What is made is saved.
client = chromadb.PersistentClient("vectors.chroma")
collection = client.get_collection("things")

# task: search, k nearest
answers = collection.query(query_embeddings=queries, n_results=10)
# check
check(answers["ids"])

# task: add while searching
collection = client.create_collection("growing")
collection.add(ids=[str(i) for i in range(len(x))], embeddings=x)
def add_all():
    for number, part in enumerate(more):
        collection.add(ids=[f"{number}-{i}" for i in range(len(part))], embeddings=part)
adder = threading.Thread(target=add_all)
adder.start()
while adder.is_alive():
    answers = collection.query(query_embeddings=queries, n_results=10)
adder.join()
# check
assert collection.count() == 5000

# task: delete by id
collection = client.create_collection("shrinking")
collection.add(ids=[str(i) for i in range(len(x))], embeddings=x)
collection.delete(ids=[str(i) for i in gone])
# check
check_deleted(collection.query(query_embeddings=queries, n_results=10)["ids"])

# task: filter by metadata
collection = client.create_collection("dated")
collection.add(ids=[str(i) for i in range(len(x))], embeddings=x,
               metadatas=[{"year": int(year)} for year in years])
answers = collection.query(query_embeddings=queries, n_results=10, where={"year": {"$gte": 2020}})
# check
check_recent(answers["ids"])

# task: range search (not offered)

# task: string ids
collection = client.create_collection("named")
collection.add(ids=names, embeddings=x)
collection.delete(ids=["document 7"])
answers = collection.query(query_embeddings=queries, n_results=10)
# check
check_names(answers["ids"])

# task: open without reading it into memory (not offered)

# task: search for a recall of .95 (not offered)
