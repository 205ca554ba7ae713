"""Makes a version visible, and removes what no version needs (layout.py has the layout)."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Iterable, List, Set

from obliq.ray.layout import (CURRENT, Version, decode_version, encode_version, read_pointer)
from obliq.ray.store import Store

DAY = 86400.0


def commit(store: Store, made: Version) -> Version:
    """Commits a version and returns it with its number: the next, or that of the current one if
    it is the same. Of two at once each gets a number of its own, and CURRENT ends at the larger."""
    while True:
        pointer = read_pointer(store)
        if pointer is not None:
            current = decode_version(store.read(pointer["manifest"]), pointer["manifest"])
            if replace(made, number=current.number) == current:
                return current
        numbered = replace(made, number=1 if pointer is None else pointer["version"] + 1)
        numbered = _claim(store, numbered)
        if _publish(store, numbered):
            return numbered


def _claim(store: Store, version: Version) -> Version:
    """Creates the manifest, under the first number that is free or, of a build that died here, has
    the same content."""
    while True:
        data = encode_version(version)
        name = _manifest(version.number)
        if store.create(name, data) or store.read(name) == data:
            return version
        version = replace(version, number=version.number + 1)


def _publish(store: Store, version: Version) -> bool:
    with store.lock("CURRENT.lock"):
        pointer = read_pointer(store)
        if pointer is not None and pointer["version"] > version.number:
            return False
        content = {"version": version.number, "manifest": _manifest(version.number)}
        store.write(CURRENT, json.dumps(content).encode() + b"\n")
        return True


def _manifest(number: int) -> str:
    return f"versions/{number}.json"


def files_of(store: Store, number: int) -> Set[str]:
    """What a version names, with its manifest; nothing where there is none of this number."""
    name = _manifest(number)
    data = store.read_if_there(name)
    if data is None:
        return set()
    version = decode_version(data, store.name(name))
    return {name, version.model, *(shard.path for shard in version.shards)}


def sweep(url: str, *, older_than: float = DAY, storage_options: object = None) -> List[str]:
    """Removes files under the url that neither the current version nor the one before it names and
    that were written more than `older_than` seconds ago: what broken builds have left, and old
    versions. Builds that run have younger files. Returns their paths."""
    store = Store(url, storage_options)  # type: ignore[arg-type]
    pointer = read_pointer(store)
    kept = {CURRENT}
    if pointer is not None:
        kept |= files_of(store, pointer["version"]) | files_of(store, pointer["version"] - 1)
    folders = ("models", "segments", "pieces", "shards", "versions", "writing")
    old = [path for folder in folders for path in store.list(folder)
           if path not in kept and store.age(path) >= older_than]
    for path in old:
        store.remove(path)
    return old


def remove_work(store: Store, paths: Iterable[str], version: Version) -> None:
    """Removes files of a build that its version does not name."""
    kept = {shard.path for shard in version.shards}
    for path in paths:
        if path not in kept:
            store.remove(path)
