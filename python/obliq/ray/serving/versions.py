"""Holds what a process has opened of each version, and follows CURRENT.

A version is named by the path of its manifest, which travels with each request. A thread looks at
CURRENT now and then, and opens what is new beside what is there; searches go on meanwhile. An older
version is closed once no request has named it for a while: no one of those under way loses it.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Callable, Dict, Generic, List, Optional, TypeVar

from obliq.ray.layout import Version, decode_version, read_pointer
from obliq.ray.store import Store

_Opened = TypeVar("_Opened")


@dataclass
class _Held(Generic[_Opened]):
    version: Version
    opened: _Opened
    used: float  # when, by the monotonic clock


class Versions(Generic[_Opened]):
    """Versions under a url, each opened by `open`; from any thread."""

    def __init__(self, store: Store, open: Callable[[Version], _Opened], poll_s: float,
                 drain_s: float) -> None:
        """Opens the current version. Raises FileNotFoundError where there is none, and what `open`
        raises.

        poll_s      seconds between two looks at CURRENT
        drain_s     how long an older version is kept after it was last named
        """
        self._store, self._open = store, open
        self._poll_s, self._drain_s = poll_s, drain_s
        self._held: Dict[str, _Held[_Opened]] = {}
        self._lock = threading.Lock()
        self._opening = threading.Lock()
        self._end = threading.Event()
        self.looked = time.monotonic()  # when CURRENT could last be read
        pointer = read_pointer(store)
        if pointer is None:
            raise FileNotFoundError(f"there is no index under {store.url}: CURRENT is missing")
        self.get(pointer["manifest"])
        self._thread = threading.Thread(target=self._follow, daemon=True, name="obliq versions")
        self._thread.start()

    def newest(self) -> List[str]:
        """The manifests of what is held, the newest first."""
        with self._lock:
            held = sorted(self._held.items(), key=lambda item: -item[1].version.number)
        return [manifest for manifest, _ in held]

    def held(self, manifest: str) -> Optional[_Opened]:
        """What was opened of a version; None: it is not."""
        with self._lock:
            found = self._held.get(manifest)
            if found is None:
                return None
            found.used = time.monotonic()
            return found.opened

    def version(self, manifest: str) -> Version:
        """The content of a manifest that is held."""
        with self._lock:
            return self._held[manifest].version

    def get(self, manifest: str) -> _Opened:
        """The same, opened now where it is not. Raises FileNotFoundError for what was swept, and
        what `open` raises. Cost: a copy of the files where they are not local."""
        found = self.held(manifest)
        if found is not None:
            return found
        with self._opening:
            found = self.held(manifest)
            if found is None:
                version = decode_version(self._store.read(manifest), self._store.name(manifest))
                found = self._open(version)
                with self._lock:
                    self._held[manifest] = _Held(version, found, 0.0)
                    for held in self._held.values():  # whose time begins now, where it is older
                        held.used = time.monotonic()
        return found

    def follows(self) -> bool:
        """Whether the thread that looks for new versions is there."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Ends that thread."""
        self._end.set()

    def look(self) -> None:
        """Opens what CURRENT names, and lets go of what is not needed."""
        pointer = read_pointer(self._store)
        self.looked = time.monotonic()
        if pointer is not None:
            self.get(pointer["manifest"])
        self._drain()

    def _follow(self) -> None:
        while not self._end.wait(self._poll_s):
            try:
                self.look()
            except Exception:  # the store is away, or a file is damaged: what is held serves on
                continue

    def _drain(self) -> None:
        now = time.monotonic()
        with self._lock:
            newest = max(held.version.number for held in self._held.values())
            for manifest, held in list(self._held.items()):
                if held.version.number < newest and now - held.used > self._drain_s:
                    del self._held[manifest]
