"""Ten common tasks with LanceDB."""

import threading

import lancedb
import numpy as np
from lancedb.index import HnswSq

from data import (RADIUS, check, check_deleted, check_names, check_recent, check_within, gone,
                  learn, more, names, queries, truth_of_all, x, years)


def ids_of(answers):
    """The ids [m][k] of a batch of answers."""
    return answers["id"].to_numpy().reshape(len(queries), -1)


# task: build from NumPy
db = lancedb.connect("vectors.lance")
table = db.create_table("things", [{"id": i, "vector": v} for i, v in enumerate(x)])
table.create_index("vector", config=HnswSq(distance_type="l2"))

# task: save and load
# What is made is saved.
table = lancedb.connect("vectors.lance").open_table("things")

# task: search, k nearest
answers = table.search(queries).limit(10).to_arrow()
# check
check(ids_of(answers))

# task: add while searching
table = db.create_table("growing", [{"vector": v} for v in x])
def add_all():
    for part in more:
        table.add([{"vector": v} for v in part])
adder = threading.Thread(target=add_all)
adder.start()
while adder.is_alive():
    answers = table.search(queries).limit(10).to_arrow()
adder.join()
# check
assert table.count_rows() == 5000

# task: delete by id
table = db.create_table("shrinking", [{"id": i, "vector": v} for i, v in enumerate(x)])
table.delete(f"id in ({', '.join(map(str, gone))})")
# check
check_deleted(ids_of(table.search(queries).limit(10).to_arrow()))

# task: filter by metadata
rows = [{"id": i, "vector": v, "year": y} for i, (v, y) in enumerate(zip(x, years))]
table = db.create_table("dated", rows)
answers = table.search(queries).where("year >= 2020").limit(10).to_arrow()
# check
check_recent(ids_of(answers))

# task: range search
search = table.search(queries).distance_range(upper_bound=RADIUS)
answers = search.limit(len(x)).to_arrow()
# check
found = [[] for _ in queries]
for query, number in zip(answers["query_index"].to_pylist(), answers["id"].to_pylist()):
    found[query].append(number)
check_within(found)

# task: string ids
table = db.create_table("named", [{"id": name, "vector": v} for name, v in zip(names, x)])
table.delete("id = 'document 7'")
answers = table.search(queries).limit(10).to_arrow()
# check
check_names(np.array(answers["id"].to_pylist()).reshape(len(queries), -1))

# task: open without reading it into memory
table = lancedb.connect("vectors.lance").open_table("things")
# check
check(ids_of(table.search(queries).limit(10).to_arrow()))

# task: search for a recall of .95 (by hand)
def found_by(search):
    return search.limit(10).to_arrow()["id"].to_numpy().reshape(-1, 10)
true = found_by(table.search(learn).bypass_vector_index())
for ef in (15, 20, 40, 80, 160, 320, 640):
    found = found_by(table.search(learn).ef(ef))
    if np.mean([np.isin(a, b).mean() for a, b in zip(true, found)]) >= 0.95:
        break
answers = table.search(queries).ef(ef).limit(10).to_arrow()
# check
check(ids_of(answers))
