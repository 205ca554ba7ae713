"""What lies under the url of an index that was built on Ray.

    URL/
      CURRENT                   JSON {"version": 3, "manifest": "versions/3.json"}
      versions/N.json            a manifest: what version N is made of (Version below)
      models/KEY.obliq          a model; KEY tells options and sample
      segments/KEY.obliq        vectors encoded; KEY tells the model and the rows themselves
      pieces/KEY/RRRR.obliq     range number RRRR of a segment, where ranges are merged
      shards/KEY.obliq          what is searched: one index, or a segment of a range of lists;
                                KEY tells model, segments and range

Every file but CURRENT is written once, under a name that its input decides, and never changes. So
a step that runs twice, on two machines at once or again after a crash, writes the same bytes under
the same name, and a build that goes on passes by what is there. A file appears whole or not at all:
a rename where the store has folders, one put where it is an object store.

The commit is the one small file CURRENT. Before it is written the index is the old one, after it
the new one; there is no time at which a reader sees parts of both, since all that it opens follows
from the manifest that it has read. The manifest is created first, in a way that fails when it is
there, where the store can do so: of two builds that end at once, one gets the number and the other
the next. CURRENT is written only if the number there is smaller, under a lock where the store is a
folder; elsewhere two builds of one url should not end within the same second.

A reader holds on to one Version and may go on with it while others are committed; `sweep` removes
what neither the current version nor the one before it names, and what is older than a day.

Versions of `shards` and their ranges: lists [a, b) of the model. Near lists have near numbers, so
that the lists of a query lie in few shards. `layout` is

    "one"       one shard, an index of its own: the file of `obliq build`, byte for byte
    "ranges"    R segments of ranges that cover all lists, in their order; search them with
                Index.open(model, [shard]) and the lists of Model.route
    "segments"  segments as they were encoded; each may hold any list
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Dict, List, Optional, Tuple

from obliq.ray.store import Store

CURRENT = "CURRENT"
FORMAT = 1


@dataclass(frozen=True)
class Shard:
    """A file to search. `path` is below the url; `first` and `end` are its lists [first, end), `n`
    the vectors in it."""

    path: str
    n: int
    first: int
    end: int
    bytes: int


@dataclass(frozen=True)
class Version:
    """A version of the index: the content of its manifest.

    number      1 for the first commit under the url
    layout      "one", "ranges" or "segments"
    n, dim, metric, quantizer, nlist    as of the index
    model       path of the model, below the url
    shards      in the order of their lists
    columns     type by name
    tuning      how many lists, and which shards, reach which recall (tuning.py); None: a layout of
                one shard, which holds its own, or fewer than 1,000 vectors
    """

    number: int
    layout: str
    n: int
    dim: int
    metric: str
    quantizer: str
    nlist: int
    model: str
    shards: List[Shard]
    columns: Dict[str, str] = field(default_factory=dict)
    tuning: Optional[Dict[str, Any]] = None

    def ranges(self) -> List[Tuple[int, int]]:
        """The lists of each shard."""
        return [(shard.first, shard.end) for shard in self.shards]


def encode_version(version: Version) -> bytes:
    """The bytes of its manifest."""
    content = {"format": FORMAT, **asdict(version)}
    return json.dumps(content, sort_keys=True, indent=1).encode() + b"\n"


def decode_version(data: bytes, name: str) -> Version:
    """The reverse. Raises RuntimeError naming the file where it is none, or of a later format."""
    try:
        content = json.loads(data)
        if content.pop("format") != FORMAT:
            raise RuntimeError(f"{name} has a format of another release of obliq")
        shards = [Shard(**shard) for shard in content.pop("shards")]
        return Version(shards=shards, **content)
    except (ValueError, TypeError, KeyError) as error:
        raise RuntimeError(f"{name} is no manifest of an index: {error}") from None


def current_version(url: str, storage_options: Optional[Dict[str, Any]] = None) -> Version:
    """The version that is visible under the url. Raises FileNotFoundError where nothing was
    committed, RuntimeError where what lies there is damaged."""
    return read_current(Store(url, storage_options))


def read_current(store: Store) -> Version:
    """The same of a store."""
    pointer = read_pointer(store)
    if pointer is None:
        raise FileNotFoundError(f"there is no index under {store.url}: CURRENT is missing")
    manifest = pointer["manifest"]
    return decode_version(store.read(manifest), store.name(manifest))


def read_pointer(store: Store) -> Optional[Dict[str, Any]]:
    """What CURRENT says; None where there is none."""
    data = store.read_if_there(CURRENT)
    if data is None:
        return None
    try:
        pointer = json.loads(data)
        return {"version": int(pointer["version"]), "manifest": str(pointer["manifest"])}
    except (ValueError, TypeError, KeyError):
        raise RuntimeError(f"{store.name(CURRENT)} is damaged: it names no manifest") from None
