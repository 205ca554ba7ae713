"""Copies of files of stores that are not local, shared by the processes of a machine.

A file is copied once, while others who want it wait, and appears whole. Its time is when it was
last asked for: each further copy into the folder removes what nobody has asked for within a day,
and, of a folder with a bound, what was longest unused. Whoever has a removed file open keeps it.
Nothing but speed hangs on the locks: two that copy the same file write the same bytes.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import tempfile
import time
import uuid
from typing import Callable, Iterator, Optional

DAY = 86400.0
MOST_BYTES = 4 << 30  # of models for builds, the newest apart


def machine_folder(kind: str) -> str:
    """The folder for copies of one kind, of this user on this machine. Raises PermissionError where
    it belongs to somebody else."""
    folder = os.path.join(tempfile.gettempdir(), f"obliq-{kind}-{os.getuid()}")
    os.makedirs(folder, mode=0o700, exist_ok=True)
    if os.stat(folder).st_uid != os.getuid():
        raise PermissionError(f"{folder} belongs to another user: copies cannot be kept there")
    return folder


def held(folder: str, name: str, fetch: Callable[[str], None], most: Optional[int] = None) -> str:
    """The path of a file in the folder, which `fetch` writes where it is told to, unless it is
    there. With `most` the folder holds no more bytes, this file apart."""
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name)
    if not _asked_for(path):
        with _locked(f"{path}.lock"):
            if not _asked_for(path):
                _write(path, fetch)
                sweep(folder, path, most)
    return path


def linked(folder: str, name: str, fetch: Callable[[str], None], own: str, most: int) -> str:
    """The same under the name `own` of the caller, who keeps it, whatever is removed meanwhile; on
    the folder's file system."""
    while True:
        try:
            os.link(held(folder, name, fetch, most), own)
            return own
        except FileNotFoundError:
            if not os.path.isdir(os.path.dirname(own)):
                raise


def sweep(folder: str, spared: str, most: Optional[int]) -> None:
    """Removes what was not asked for within a day, then the longest unused beyond `most` bytes."""
    total, now = 0, time.time()
    for entry in sorted(_files(folder), key=lambda entry: -entry.stat().st_mtime):
        if entry.path == spared:
            continue
        whole = entry.name.endswith(".obliq")  # neither a lock nor what is being written
        total += whole * entry.stat().st_size
        if now - entry.stat().st_mtime > DAY or whole and most is not None and total > most:
            pathlib.Path(entry.path).unlink(missing_ok=True)


def _files(folder: str) -> Iterator["os.DirEntry[str]"]:
    """Those that are there still; their stat is kept."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):
                if entry.stat().st_size >= 0 and entry.is_file():
                    yield entry


def _asked_for(path: str) -> bool:
    """Whether a file is there; sets its time."""
    try:
        os.utime(path)
        return True
    except FileNotFoundError:
        return False


def _write(path: str, fetch: Callable[[str], None]) -> None:
    part = f"{path}.{uuid.uuid4().hex}"
    try:
        fetch(part)
        os.replace(part, path)
    finally:
        pathlib.Path(part).unlink(missing_ok=True)


@contextlib.contextmanager
def _locked(path: str) -> Iterator[None]:
    with open(path, "ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            pathlib.Path(path).unlink(missing_ok=True)
