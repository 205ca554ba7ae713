"""Ten common tasks with obliq."""

import threading

import obliq

from data import (RADIUS, check, check_deleted, check_names, check_recent, check_within, gone,
                  learn, more, names, queries, truth_of_all, x, years)

# task: build from NumPy
index = obliq.Index.build(x)

# task: save and load
index.save("vectors.idx")
index = obliq.Index.open("vectors.idx", in_memory=True)

# task: search, k nearest
distances, ids = index.search(queries, k=10)
# check
check(ids)

# task: add while searching
collection = obliq.Collection("growing", dim=64)
collection.add(x)
adder = threading.Thread(target=lambda: [collection.add(part) for part in more])
adder.start()
while adder.is_alive():
    distances, ids = collection.search(queries, k=10)
adder.join()
# check
check(collection.search(queries, k=10).ids, truth_of_all)

# task: delete by id
collection = obliq.Collection("shrinking", dim=64)
collection.add(x)
collection.remove(gone)
# check
check_deleted(collection.search(queries, k=10).ids)

# task: filter by metadata
index = obliq.Index.build(x, columns={"year": years})
distances, ids = index.search(queries, k=10, filter="year >= 2020")
# check
check_recent(ids)

# task: range search
lims, distances, ids, cut = index.range_search(queries, RADIUS)
# check
check_within([ids[begin:end] for begin, end in zip(lims, lims[1:])])

# task: string ids
collection = obliq.Collection("named", dim=64, ids="string")
collection.add(x, names)
collection.remove("document 7")
distances, ids = collection.search(queries, k=10)
# check
check_names(ids)

# task: open without reading it into memory
index = obliq.Index.open("vectors.idx")
# check
check(index.search(queries, k=10).ids)

# task: search for a recall of .95
index.tune(learn)
distances, ids = index.search(queries, k=10, target_recall=0.95)
# check
check(ids)
