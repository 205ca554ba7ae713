"""Indexes and models as bytes: the library reads and writes files, so these are files for a moment,
in memory where the system has such and it is large enough, else in the folder for temporary
files."""

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from typing import Callable, Optional, TypeVar, Union

from obliq.arguments import shown

_SHARED_MEMORY = "/dev/shm"

Opened = TypeVar("Opened")


def bytes_of(save: Callable[[str], None]) -> bytes:
    """What `save` writes to the path that it is given. Raises OSError naming the folder that is
    full or cannot be written."""
    if os.path.isdir(_SHARED_MEMORY):
        try:
            return _saved(save, _SHARED_MEMORY)
        except OSError:
            pass  # small in many containers
    folder = tempfile.gettempdir()
    try:
        return _saved(save, folder)
    except OSError as error:
        raise _no_room(error, folder) from None


def open_bytes(data: Union[bytes, bytearray, memoryview],
               load: Callable[[str], Opened], for_files: str) -> Opened:
    """What `load` makes of the path of a file of these bytes. Raises RuntimeError, which speaks of
    the bytes, when they are damaged, OSError naming the folder that is full, TypeError naming the
    call `for_files` where they are no bytes."""
    if not isinstance(data, (bytes, bytearray, memoryview)):
        raise TypeError("data must be bytes, as to_bytes gives them, not "
                        f"{shown(data)}; to open a file, use {for_files}")
    file = _memory_file(data)
    if file is not None:
        try:
            return _load(f"/proc/self/fd/{file}", load)
        finally:
            os.close(file)
    folder = tempfile.gettempdir()
    try:
        with tempfile.NamedTemporaryFile(dir=folder, suffix=".idx") as named:
            named.write(data)
            named.flush()
            return _load(named.name, load)
    except OSError as error:
        raise _no_room(error, folder) from None


def _saved(save: Callable[[str], None], folder: str) -> bytes:
    """The folder goes at the end of Python too, quietly where a daemon thread still writes there
    (TemporaryDirectory can do so from Python 3.10 on)."""
    made = tempfile.mkdtemp(dir=folder)
    remove = weakref.finalize(save, shutil.rmtree, made, ignore_errors=True)
    try:
        path = os.path.join(made, "index.idx")
        save(path)
        with open(path, "rb") as file:
            return file.read()
    finally:
        remove()


def _load(path: str, load: Callable[[str], Opened]) -> Opened:
    try:
        return load(path)
    except RuntimeError as error:
        raise RuntimeError(str(error).replace(path, "the bytes")) from None


def _memory_file(data: Union[bytes, bytearray, memoryview]) -> Optional[int]:
    """A file in memory that holds the bytes; None where there is none or too little memory."""
    if not hasattr(os, "memfd_create") or not os.path.isdir("/proc/self/fd"):
        return None
    try:
        file = os.memfd_create("index")
    except OSError:
        return None
    try:
        rest = memoryview(data).cast("B")
        while len(rest) > 0:
            rest = rest[os.write(file, rest):]
    except OSError:
        os.close(file)
        return None
    except BaseException:
        os.close(file)
        raise
    return file


def _no_room(error: OSError, folder: str) -> OSError:
    return OSError(error.errno, f"cannot keep the bytes in the temporary folder {folder} "
                   f"({os.strerror(error.errno or 0)}): make room there, or set TMPDIR to a "
                   "folder that has it")
