"""Ten common tasks with hnswlib."""

import threading

import hnswlib
import numpy as np

from data import (check, check_deleted, check_names, check_recent, gone, learn, more, names,
                  queries, truth_of_all, x, years)

# task: build from NumPy
index = hnswlib.Index("l2", 64)
index.init_index(len(x))
index.add_items(x)

# task: save and load
index.save_index("vectors.hnsw")
index = hnswlib.Index("l2", 64)
index.load_index("vectors.hnsw")

# task: search, k nearest
index.set_ef(50)
ids, distances = index.knn_query(queries, 10)
# check
check(ids)

# task: add while searching
growing = hnswlib.Index("l2", 64)
growing.init_index(len(x) + sum(len(part) for part in more))
growing.add_items(x)
growing.set_ef(50)
lock = threading.Lock()
def add_all():
    for part in more:
        with lock:
            growing.add_items(part)
adder = threading.Thread(target=add_all)
adder.start()
while adder.is_alive():
    with lock:
        ids, distances = growing.knn_query(queries, 10)
adder.join()
# check
check(growing.knn_query(queries, 10)[0], truth_of_all)

# task: delete by id
shrinking = hnswlib.Index("l2", 64)
shrinking.init_index(len(x))
shrinking.add_items(x)
for number in gone:
    shrinking.mark_deleted(number)
# check
shrinking.set_ef(50)
check_deleted(shrinking.knn_query(queries, 10)[0])

# task: filter by metadata
# hnswlib keeps no metadata: the years stay with the caller.
dated = hnswlib.Index("l2", 64)
dated.init_index(len(x))
dated.add_items(x)
dated.set_ef(50)
ids, distances = dated.knn_query(queries, 10, filter=lambda number: years[number] >= 2020)
# check
check_recent(ids)

# task: range search (not offered)

# task: string ids (by hand)
numbers = {name: number for number, name in enumerate(names)}
named = hnswlib.Index("l2", 64)
named.init_index(len(x))
named.add_items(x)
named.set_ef(50)
named.mark_deleted(numbers["document 7"])
ids, distances = named.knn_query(queries, 10)
ids = np.array(names)[ids]
# check
check_names(ids)

# task: open without reading it into memory (not offered)

# task: search for a recall of .95 (by hand)
exact = hnswlib.BFIndex("l2", 64)
exact.init_index(len(x))
exact.add_items(x)
true = exact.knn_query(learn, 10)[0]
for ef in (10, 20, 40, 80, 160, 320, 640):
    index.set_ef(ef)
    found = index.knn_query(learn, 10)[0]
    if np.mean([np.isin(a, b).mean() for a, b in zip(true, found)]) >= 0.95:
        break
ids, distances = index.knn_query(queries, 10)
# check
check(ids)
