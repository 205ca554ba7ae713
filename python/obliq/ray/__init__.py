"""obliq on Ray: build an index of a ray.data.Dataset, and search it, on as many machines as there
are. `pip install obliq[ray]`.

    import obliq.ray

    version = obliq.ray.build(dataset, "s3://bucket/articles", vector="embedding", id="id")
    found = obliq.ray.search(queries, "s3://bucket/articles", k=10, vector="embedding")

What lies under the url is described in layout.py, the steps of a build in building.py, those of
a search in searching.py.
"""

from obliq.ray.building import build
from obliq.ray.commit import sweep
from obliq.ray.errors import BuildError, StallError
from obliq.ray.layout import Shard, Version, current_version
from obliq.ray.searching import search

__all__ = ["BuildError", "Shard", "StallError", "Version", "build",
           "current_version", "search", "sweep"]
