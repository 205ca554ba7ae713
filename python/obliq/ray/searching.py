"""Searches an index under a url with the queries of a ray.data.Dataset: `obliq.ray.search`.

A batch of queries is routed on the model; shards are asked in two rounds. The first asks for the
best lists of each query, which lie in one shard or few. The k-th distance found there bounds what
the second round need look at: it tells by the stop rule how many more lists are worth it, and no
shard returns what lies beyond it.
"""
