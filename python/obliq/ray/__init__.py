"""obliq on Ray: build an index of a ray.data.Dataset, and search it, on as many machines as there
are. `pip install obliq[ray]`.

    import obliq.ray

    version = obliq.ray.build(dataset, "s3://bucket/articles", vector="embedding", id="id")
    found = obliq.ray.search(queries, "s3://bucket/articles", k=10, vector="embedding")

    ray.serve.run(obliq.ray.app("s3://bucket/articles", shards=4))

What lies under the url is described in layout.py, the steps of a build in building.py, those of
a search in searching.py, those of serving in serving/__init__.py.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obliq.ray.building import build
    from obliq.ray.commit import sweep
    from obliq.ray.errors import BuildError, StallError
    from obliq.ray.layout import Shard, Version, current_version
    from obliq.ray.searching import search
    from obliq.ray.serving.app import app, app_builder
    from obliq.ray.serving.limits import Limits, Overloaded, TooLarge

__all__ = ["BuildError", "Limits", "Overloaded", "Shard", "StallError", "TooLarge", "Version",
           "app", "app_builder", "build", "current_version", "search", "sweep"]

# Imported when they are asked for: a build needs ray.data and its pandas, serving Ray Serve, and a
# worker of one is not to load the other.
_MODULES = {"build": "building", "search": "searching", "sweep": "commit", "BuildError": "errors",
            "StallError": "errors", "Shard": "layout", "Version": "layout",
            "current_version": "layout", "app": "serving.app", "app_builder": "serving.app",
            "Limits": "serving.limits", "Overloaded": "serving.limits",
            "TooLarge": "serving.limits"}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'obliq.ray' has no attribute {name!r}")
    return getattr(importlib.import_module(f"obliq.ray.{_MODULES[name]}"), name)
