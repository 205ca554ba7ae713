"""Serving on Ray: obliq.ray.app and obliq.ray.app_builder.

    app.py        the application of Ray Serve: deployments and their options
    http.py       requests over HTTP: paths, sizes, statuses
    router.py     admits a search, joins it with others to a batch, answers it
    rounds.py     one batch: which shards are asked, in which round, and how answers are joined
    ask.py        one call of a shard: time limits, and another replica where one is gone
    list_plan.py  how many lists a search scans
    batcher.py    joins searches that wait to batches
    shard.py      searches one range of lists
    versions.py   holds what is opened of each version, and follows new ones
    cut.py        which lists are those of a shard
    limits.py     bounds of requests and queues, and what is raised beyond
    measures.py   metrics
"""
