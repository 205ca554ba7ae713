"""The plan of a build: what its caller asked for, checked, in a form that travels to tasks and
tells which files stand for the same work."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any, Dict, List, Optional, Tuple

import obliq
from obliq.ray.store import Store

# What train takes of the options of a build.
LEARN_OPTIONS = ("metric", "quantizer", "preset", "raw", "spill", "nlist", "seed", "kmeans_points",
                 "kmeans_iterations", "list_groups")


@dataclass(frozen=True)
class Plan:
    """Of JSON's types alone.

    learn       options of Model.train, those that were given
    ranges      number of ranges of lists; 0: none, segments are not cut
    """

    url: str
    storage_options: Dict[str, Any]
    vector: str
    id: str
    columns: List[str]
    types: Dict[str, str]
    learn: Dict[str, Any]
    merge: str
    ranges: int
    rows_per_segment: int
    n: int = 0
    resume: bool = True

    def store(self) -> Store:
        """Where its files are."""
        return Store(self.url, self.storage_options)

    def dump(self) -> str:
        """As text, for actors and tasks."""
        return json.dumps(asdict(self), sort_keys=True)

    @staticmethod
    def load(text: str) -> Plan:
        """The reverse."""
        return Plan(**json.loads(text))

    def wanted(self) -> List[str]:
        """The columns of the dataset that are read."""
        return [self.id, self.vector, *self.columns]


def digest(*parts: Any) -> str:
    """128 bits of texts and arrays, as hexadecimal digits, with the version of the library: another
    may write other bytes."""
    hashed = hashlib.blake2b(obliq.__version__.encode(), digest_size=16)
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        hashed.update(str(memoryview(data).nbytes).encode() + b":")
        hashed.update(memoryview(data).cast("B"))
    return hashed.hexdigest()


def parse_merge(merge: Any) -> int:
    """The number of ranges: of "one" and "none" 0. Raises ValueError."""
    if merge in ("one", "none"):
        return 0
    kind, _, number = str(merge).partition(":")
    if kind != "ranges" or not number.isdigit() or not 1 <= int(number) <= 65536:
        raise ValueError(f"merge must be 'one', 'none' or 'ranges:16', not {merge!r}")
    return int(number)


def cut_lists(nlist: int, ranges: int) -> List[Tuple[int, int]]:
    """Ranges of lists of like length, at multiples of 256 where they are long enough: such share no
    block. Fewer where there are fewer lists."""
    unit = 256 if nlist >= 1024 * ranges else 1
    count = max(1, min(ranges, nlist))
    cuts = [nlist * i // count // unit * unit for i in range(count)] + [nlist]
    return list(zip(cuts, cuts[1:]))


def as_names(value: Optional[Any], what: str) -> List[str]:
    """A list of names. Raises TypeError."""
    names = [] if value is None else value
    if isinstance(names, str) or not all(isinstance(name, str) for name in names):
        raise TypeError(f"{what} must be names of columns, as ['year', 'lang'], not {value!r}")
    return list(names)
