"""Files below a url: a local folder, or whatever fsspec opens. Small: what layout.py needs.

    store = Store("s3://bucket/articles")
    store.put("shards/1.obliq", local_file)     # whole or not at all
    path = store.local("shards/1.obliq", cache) # a file to map: the folder's own, or a copy
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
import uuid
from typing import Any, Callable, Dict, Iterator, List, Optional, TypeVar

import fsspec

from obliq.ray import cache

_Result = TypeVar("_Result")

# How often a failed call of a store is made, and how long it waits before the next, in seconds.
ATTEMPTS = 4
FIRST_WAIT = 0.2


class Store:
    """Files below a url, by relative paths. Pickled as its url and options."""

    def __init__(self, url: str, options: Optional[Dict[str, Any]] = None) -> None:
        if not isinstance(url, (str, os.PathLike)) or not os.fspath(url):
            raise TypeError(f"url must be a folder or an url such as s3://bucket/name, not {url!r}")
        self.url = os.fspath(url).rstrip("/")
        self.options = dict(options or {})
        self._fs, self._root = fsspec.core.url_to_fs(self.url, **self.options)
        self.is_local = "file" in _protocols(self._fs)

    def __reduce__(self) -> Any:
        return Store, (self.url, self.options)

    def name(self, path: str) -> str:
        """The full name of a file, for messages."""
        return f"{self.url}/{path}"

    def full(self, path: str) -> str:
        """The file as its file system names it."""
        return f"{self._root}/{path}"

    def read(self, path: str) -> bytes:
        """All bytes of a file. Raises FileNotFoundError."""
        return bytes(patiently(lambda: self._fs.cat_file(self.full(path))))

    def read_if_there(self, path: str) -> Optional[bytes]:
        """All bytes of a file, or None."""
        try:
            return self.read(path)
        except FileNotFoundError:
            return None

    def has(self, path: str) -> bool:
        """Whether there is such a file. Never from a cached listing."""
        self._fs.invalidate_cache()
        return bool(patiently(lambda: self._fs.exists(self.full(path))))

    def size(self, path: str) -> int:
        """Bytes of a file."""
        return int(patiently(lambda: self._fs.info(self.full(path))["size"]))

    def write(self, path: str, data: bytes) -> None:
        """Writes a small file, whole or not at all, in place of what is there."""
        if self.is_local:
            _write_local(self.full(path), data)
        else:
            patiently(lambda: self._replace(path, lambda name: self._fs.pipe_file(name, data)))

    def create(self, path: str, data: bytes) -> bool:
        """Writes a small file if there is none of this name; whether it did. Exact on local file
        systems and on stores whose puts may ask for it; elsewhere it looks first."""
        if self.is_local:
            return _create_local(self.full(path), data)
        if self.has(path):
            return False
        if _has_folders(self._fs):
            self.write(path, data)
            return True
        try:
            self._fs.pipe_file(self.full(path), data, mode="create")
        except FileExistsError:
            return False
        except (TypeError, ValueError, NotImplementedError):  # the store cannot be asked
            self.write(path, data)
        return True

    @contextlib.contextmanager
    def lock(self, path: str) -> Iterator[None]:
        """Keeps other holders of the lock of this name out, where the store is local; else
        nobody."""
        if not self.is_local:
            yield
            return
        _make_folder(self.full(path))
        with open(self.full(path), "ab") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def put(self, path: str, source: str) -> None:
        """Copies a local file to the store, whole or not at all; a local one moves."""
        if self.is_local:
            _make_folder(self.full(path))
            os.replace(source, self.full(path))
            return
        patiently(lambda: self._replace(path, lambda name: self._fs.put_file(source, name)))
        os.unlink(source)

    def local(self, path: str, folder: str) -> str:
        """A local file of these bytes, to be mapped: the store's own where it is local, else a copy
        in the folder, made once (cache.py). The files of a store never change."""
        if self.is_local:
            return self.full(path)
        return cache.held(folder, self._copy_name(path), lambda part: self._get(path, part))

    def shared(self, path: str, folder: str) -> str:
        """The same for what many tasks open: copied once per machine, and a link in the folder,
        which is a task's own."""
        if self.is_local:
            return self.full(path)
        name = self._copy_name(path)
        return cache.linked(cache.machine_folder("models"), name,
                            lambda part: self._get(path, part), os.path.join(folder, name),
                            cache.MOST_BYTES)

    def _get(self, path: str, part: str) -> None:
        patiently(lambda: self._fs.get_file(self.full(path), part))

    def _copy_name(self, path: str) -> str:
        return hashlib.blake2b(self.name(path).encode(), digest_size=16).hexdigest() + ".obliq"

    def beside(self) -> str:
        """A folder for files on their way to the store: on its own file system where it is local,
        so that they move there."""
        if not self.is_local:
            return tempfile.gettempdir()
        folder = self.full("writing")
        os.makedirs(folder, exist_ok=True)
        return folder

    def list(self, folder: str) -> List[str]:
        """The files below a folder, at any depth, by their paths; none where it is missing."""
        self._fs.invalidate_cache()
        try:
            found = patiently(lambda: self._fs.find(self.full(folder)))
        except FileNotFoundError:
            return []
        start = len(self._fs._strip_protocol(self._root)) + 1
        return sorted(self._fs._strip_protocol(name)[start:] for name in found)

    def age(self, path: str) -> float:
        """Seconds since a file was written; 0 where the store does not tell."""
        try:
            return max(0.0, time.time() - float(self._fs.modified(self.full(path)).timestamp()))
        except (NotImplementedError, FileNotFoundError, AttributeError):
            return 0.0

    def remove(self, path: str) -> None:
        """Removes a file, which may be gone already."""
        try:
            patiently(lambda: self._fs.rm_file(self.full(path)))
        except FileNotFoundError:
            pass

    # On object stores a put is whole or nothing; other file systems get a name on the way.
    def _replace(self, path: str, write: Callable[[str], Any]) -> None:
        target = self.full(path)
        if not _has_folders(self._fs):
            write(target)
            return
        self._fs.makedirs(os.path.dirname(target), exist_ok=True)
        part = f"{target}.{uuid.uuid4().hex}"
        try:
            write(part)
            self._fs.mv(part, target)
        except BaseException:
            if self._fs.exists(part):
                self._fs.rm_file(part)
            raise


def patiently(call: Callable[[], _Result]) -> _Result:
    """Calls, up to ATTEMPTS times while the store fails. What a file's absence raises is no
    failure."""
    for attempt in range(ATTEMPTS):
        try:
            return call()
        except (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError):
            raise
        except (OSError, TimeoutError):
            if attempt == ATTEMPTS - 1:
                raise
            time.sleep(FIRST_WAIT * 4**attempt)
    raise AssertionError


def _protocols(fs: Any) -> List[str]:
    return [fs.protocol] if isinstance(fs.protocol, str) else list(fs.protocol)


# File systems on which a file that is being written can be seen.
_WITH_FOLDERS = {"hdfs", "arrow_hdfs", "webhdfs", "sftp", "ssh", "ftp", "smb", "dir"}


def _has_folders(fs: Any) -> bool:
    return bool(_WITH_FOLDERS.intersection(_protocols(fs)))


def _make_folder(path: str) -> None:
    os.makedirs(os.path.dirname(path), exist_ok=True)


def _written_beside(path: str, data: bytes) -> str:
    _make_folder(path)
    part = f"{path}.{uuid.uuid4().hex}"
    with open(part, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    return part


def _write_local(path: str, data: bytes) -> None:
    os.replace(_written_beside(path, data), path)
    _sync_folder(path)


def _create_local(path: str, data: bytes) -> bool:
    part = _written_beside(path, data)
    try:
        os.link(part, path)  # fails where there is one
    except FileExistsError:
        return False
    finally:
        os.unlink(part)
    _sync_folder(path)
    return True


def _sync_folder(path: str) -> None:
    folder = os.open(os.path.dirname(path), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
