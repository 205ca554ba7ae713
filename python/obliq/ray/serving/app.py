"""The application of Ray Serve: a deployment for each shard, and one of routers before them."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Dict, Optional

from obliq.arguments import as_whole
from obliq.ray.serving.limits import Limits

# Each lane is a batch under way; while all are busy, requests gather to larger ones.
_LANES = 4
_SEARCHES = 2  # at once in a shard's replica


def app(url: str, shards: int = 4, replicas: int = 2, *, routers: int = 2,
        limits: Optional[Limits] = None, storage_options: Optional[Dict[str, Any]] = None,
        cache: Optional[str] = None, poll_s: float = 2.0, drain_s: float = 60.0,
        cpus_per_shard: float = 1.0, cpus_per_router: float = 1.0, batch: int = 256,
        max_replicas_per_node: Optional[int] = None, health_s: float = 5.0) -> Any:
    """An application that serves the index under a url, a folder or whatever fsspec opens:

        ray.serve.run(obliq.ray.app("s3://bucket/articles", shards=4))

    shards      ranges of lists, each in replicas of its own; memory is divided by it
    replicas    of each shard; 2 or more: one that dies is not missed
    routers     replicas that take requests
    limits      of requests and queues, see Limits
    cache       folder of each machine for copies of files that are not local
    poll_s      seconds between two looks for a new version
    drain_s     how long an older version is kept after it was last asked for
    cpus_per_shard, cpus_per_router     that a replica asks of Ray; a shard has as many threads
    batch       queries that are answered together, at most
    max_replicas_per_node   of one shard or of routers; 1 puts them on different machines
    health_s    seconds between two checks of a replica

    It waits until the cluster has the CPUs of all replicas. It asks for no password, and Serve
    listens on 127.0.0.1: put your gateway before it. Raises ModuleNotFoundError where Ray Serve is
    missing, ValueError or TypeError for arguments.
    """
    bounds = Limits() if limits is None else limits
    settings = {"storage_options": dict(storage_options or {}), "cache": cache,
                "poll_s": _above_zero("poll_s", poll_s), "drain_s": _above_zero("drain_s", drain_s),
                "threads": max(1, int(_above_zero("cpus_per_shard", cpus_per_shard))),
                "searches": _SEARCHES, "limits": bounds, "lanes": _LANES,
                "batch": as_whole(batch, "batch", 1)}
    usual = _usual(bounds, health_s, max_replicas_per_node)
    of_shard = {"num_replicas": as_whole(replicas, "replicas", 1),
                "ray_actor_options": {"num_cpus": cpus_per_shard}, **usual}
    of_router = {"num_replicas": as_whole(routers, "routers", 1), "ray_actor_options": {
        "num_cpus": _above_zero("cpus_per_router", cpus_per_router)}, **usual}
    return _bound(url, as_whole(shards, "shards", 1, 4096), settings, of_shard, of_router)


def _usual(bounds: Limits, health_s: float, max_replicas_per_node: Optional[int]) -> Dict[str, Any]:
    """Options of every deployment."""
    options: Dict[str, Any] = {
        "health_check_period_s": _above_zero("health_s", health_s), "health_check_timeout_s": 30,
        "graceful_shutdown_timeout_s": bounds.deadline_s + 5,
        "logging_config": {"enable_access_log": False}}
    if max_replicas_per_node is not None:
        options["max_replicas_per_node"] = as_whole(max_replicas_per_node,
                                                    "max_replicas_per_node", 1)
    return options


def _bound(url: str, shards: int, settings: Dict[str, Any], of_shard: Dict[str, Any],
           of_router: Dict[str, Any]) -> Any:
    """A router bound to handles of all shards."""
    from ray import serve

    from obliq.ray.serving.router import Router
    from obliq.ray.serving.shard import Shard

    deploy: Any = serve.deployment
    held = [deploy(Shard).options(
        name=f"shard-{place}", max_ongoing_requests=8 * _LANES, max_queued_requests=64 * _LANES,
        **of_shard).bind(url, place, shards, settings) for place in range(shards)]
    # A router refuses what is beyond `pending` itself, in words and with Retry-After; the bounds
    # of Serve, a little above, are for what it does not get round to.
    pending = settings["limits"].pending
    return deploy(Router).options(
        name="router", max_ongoing_requests=pending + 64, max_queued_requests=pending,
        **of_router).bind(url, held, settings)


_NUMBERS = {"shards": int, "replicas": int, "routers": int, "poll_s": float, "drain_s": float,
            "cpus_per_shard": float, "cpus_per_router": float, "batch": int,
            "max_replicas_per_node": int, "health_s": float}
_LIMITS = {limit.name: float if limit.name.endswith("_s") else int for limit in fields(Limits)}


def app_builder(args: Dict[str, Any]) -> Any:
    """For the command line and for configuration files of Serve:

        serve run obliq.ray:app_builder url=/data/articles shards=4 limit_k=100

    args        url, and any of the numbers and `cache` of app; limit_NAME is one of Limits

    Raises ValueError naming what it does not know."""
    given = dict(args)
    url = given.pop("url", None)
    if not url:
        raise ValueError("url= is missing: serve run obliq.ray:app_builder url=/data/articles")
    options: Dict[str, Any] = {}
    limits: Dict[str, Any] = {}
    for name, value in given.items():
        if name == "cache":
            options[name] = str(value)
        elif name in _NUMBERS:
            options[name] = _number(name, value, _NUMBERS[name])
        elif name.startswith("limit_") and name[6:] in _LIMITS:
            limits[name[6:]] = _number(name, value, _LIMITS[name[6:]])
        else:
            known = ["url", "cache", *_NUMBERS, *(f"limit_{limit}" for limit in _LIMITS)]
            raise ValueError(f"there is no argument {name!r}; there are {', '.join(known)}")
    return app(str(url), limits=Limits(**limits), **options)


def _number(name: str, value: Any, kind: Any) -> Any:
    try:
        return kind(str(value))
    except ValueError:
        raise ValueError(f"{name} must be {'a whole number' if kind is int else 'a number'}, not "
                         f"{value!r}") from None


def _above_zero(name: str, value: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value > 0:
        raise ValueError(f"{name} must be a number above 0, not {value!r}")
    return float(value)
