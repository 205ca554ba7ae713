"""Ten common tasks with USearch."""

import threading

import numpy as np
from usearch.index import Index

from data import (check, check_deleted, check_names, gone, learn, more, names, queries,
                  truth_of_all, x)

# task: build from NumPy
index = Index(ndim=64, metric="l2sq")
index.add(None, x)

# task: save and load
index.save("vectors.usearch")
index = Index.restore("vectors.usearch")

# task: search, k nearest
matches = index.search(queries, 10)
# check
check(matches.keys)

# task: add while searching
# Calls of several threads wait for each other: no lock is needed.
index = Index(ndim=64, metric="l2sq")
index.add(None, x)
adder = threading.Thread(target=lambda: [index.add(None, part) for part in more])
adder.start()
while adder.is_alive():
    matches = index.search(queries, 10)
adder.join()
# check
check(index.search(queries, 10).keys, truth_of_all)

# task: delete by id
index = Index(ndim=64, metric="l2sq")
index.add(None, x)
index.remove(gone)
# check
check_deleted(index.search(queries, 10).keys)

# task: filter by metadata (not offered)

# task: range search (not offered)

# task: string ids (by hand)
numbers = {name: number for number, name in enumerate(names)}
index = Index(ndim=64, metric="l2sq")
index.add(None, x)
index.remove(numbers["document 7"])
matches = index.search(queries, 10)
ids = np.array(names)[matches.keys]
# check
check_names(ids)

# task: open without reading it into memory
index = Index.restore("vectors.usearch", view=True)
# check
check(index.search(queries, 10).keys)

# task: search for a recall of .95 (by hand)
true = index.search(learn, 10, exact=True).keys
for expansion in (10, 20, 40, 80, 160, 320, 640):
    index.expansion_search = expansion
    found = index.search(learn, 10).keys
    if np.mean([np.isin(a, b).mean() for a, b in zip(true, found)]) >= 0.95:
        break
matches = index.search(queries, 10)
# check
check(matches.keys)
