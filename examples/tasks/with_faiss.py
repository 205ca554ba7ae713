"""Ten common tasks with FAISS."""

import threading

import faiss
import numpy as np

from data import (RADIUS, check, check_deleted, check_names, check_recent, check_within, gone,
                  learn, more, names, queries, truth_of_all, x, years)

# task: build from NumPy
index = faiss.IndexHNSWFlat(64, 32)
index.add(x)

# task: save and load
faiss.write_index(index, "vectors.faiss")
index = faiss.read_index("vectors.faiss")

# task: search, k nearest
distances, ids = index.search(queries, 10)
# check
check(ids)

# task: add while searching
index = faiss.IndexHNSWFlat(64, 32)
index.add(x)
lock = threading.Lock()
def add_all():
    for part in more:
        with lock:
            index.add(part)
adder = threading.Thread(target=add_all)
adder.start()
while adder.is_alive():
    with lock:
        distances, ids = index.search(queries, 10)
adder.join()
# check
check(index.search(queries, 10)[1], truth_of_all)

# task: delete by id
# A graph cannot forget; inverted lists can.
index = faiss.index_factory(64, "IVF64,Flat")
index.train(x)
index.add(x)
index.remove_ids(np.array(gone))
# check
index.nprobe = 16
check_deleted(index.search(queries, 10)[1])

# task: filter by metadata
# FAISS keeps no metadata: the years stay with the caller.
index = faiss.IndexHNSWFlat(64, 32)
index.add(x)
selector = faiss.IDSelectorBatch(np.flatnonzero(years >= 2020))
params = faiss.SearchParametersHNSW(sel=selector, efSearch=64)
distances, ids = index.search(queries, 10, params=params)
# check
check_recent(ids)

# task: range search
lims, distances, ids = index.range_search(queries, RADIUS)
# check
check_within([ids[begin:end] for begin, end in zip(lims.astype(int), lims.astype(int)[1:])])

# task: string ids (by hand)
numbers = {name: number for number, name in enumerate(names)}
index = faiss.index_factory(64, "IVF64,Flat")
index.train(x)
index.add(x)
index.nprobe = 16
index.remove_ids(np.array([numbers["document 7"]]))
distances, ids = index.search(queries, 10)
ids = np.array(names)[ids]
# check
check_names(ids)

# task: open without reading it into memory
index = faiss.read_index("vectors.faiss", faiss.IO_FLAG_MMAP_IFC)
# check
check(index.search(queries, 10)[1])

# task: search for a recall of .95
criterion = faiss.IntersectionCriterion(len(learn), 10)
criterion.set_groundtruth(None, faiss.knn(learn, x, 10)[1])
space = faiss.ParameterSpace()
space.initialize(index)
explored = space.explore(index, learn, criterion)
points = [explored.optimal_pts.at(i) for i in range(explored.optimal_pts.size())]
space.set_index_parameters(index, next(point.key for point in points if point.perf >= 0.95))
distances, ids = index.search(queries, 10)
# check
check(ids)
