"""Builds an index of a ray.data.Dataset: `obliq.ray.build`.

    count     how many rows there are                                   metadata, or a pass over ids
    sample    the rows whose sample_key(seed, id) is small: any order of blocks gives the same
    train     one task makes the model                                  models/KEY.obliq
    encode    map_batches with a pool of actors: a batch, a segment     segments/KEY.obliq
    merge     tasks, one for each range of lists                        shards/KEY.obliq
    tune      tasks search learn queries in the shards                  (ranges alone)
    commit    one put                                                   CURRENT

Only paths go to actors and tasks, never models or vectors, so that what restarts finds all that it
needs. What each step writes is named by its input (layout.py): a step that runs again is harmless.
"""
