"""Paths as Python has them, and indexes as bytes."""

import errno
import os
import pathlib
import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import obliq

BASE = np.random.default_rng(1).normal(size=(1000, 8)).astype(np.float32)


@pytest.fixture(scope="module")
def index() -> obliq.Index:
    return obliq.Index.build(BASE, nlist=10)


class Named:
    """Any class with __fspath__."""

    def __init__(self, name: Any) -> None:
        self.name = name

    def __fspath__(self) -> Any:
        return self.name


NAMES = [b"plain.idx", "\u00e9\u4e16.idx".encode(), b"not-utf8-\xff\xfe.idx"]


@pytest.mark.parametrize("name", NAMES)
def test_every_kind_of_path_names_the_same_file(index: obliq.Index, name: bytes,
                                                tmp_path: pathlib.Path) -> None:
    raw = os.fsencode(tmp_path) + b"/" + name
    text = os.fsdecode(raw)
    for path in (raw, text, pathlib.Path(text), Named(raw), Named(text)):
        index.save(path)
        assert os.listdir(os.fsencode(tmp_path)) == [name]
        obliq.Index.verify(path)
        assert len(obliq.Index.open(path)) == 1000
        os.remove(raw)
        assert len(obliq.Index.build(BASE[:50], path=path)) == 50
        os.remove(raw)
        with pytest.raises(FileNotFoundError) as raised:
            obliq.Index.open(path)
        assert text in str(raised.value)


@pytest.mark.parametrize("name", NAMES)
def test_damage_is_told_with_any_name(name: bytes, tmp_path: pathlib.Path) -> None:
    path = os.fsencode(tmp_path) + b"/" + name
    with open(path, "wb") as file:
        file.write(b"no index" * 100)
    with pytest.raises(RuntimeError) as raised:
        obliq.Index.open(path)
    assert os.fsdecode(path) in str(raised.value)


@pytest.mark.parametrize("path, error, words", [
    ("", ValueError, "path is ''"), (b"", ValueError, "path is ''"),
    (Named(""), ValueError, "path is ''"), ("a\0b", ValueError, "holds a NUL"),
    (b"a\0b", ValueError, "holds a NUL"), (Named("\0"), ValueError, "holds a NUL"),
    ("\ud800", ValueError, "cannot have"), (5, TypeError, "path must be str, bytes or"),
    (None, TypeError, "not None"), (["a"], TypeError, "path must be"),
])
def test_what_names_no_file_is_refused(index: obliq.Index, path: Any, error: type[Exception],
                                       words: str, tmp_path: pathlib.Path,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    calls: list[Any] = [index.save, obliq.Index.open, obliq.Index.verify]
    if path is not None:
        calls.append(lambda path: obliq.Index.build(BASE[:50], path=path))
    for call in calls:
        with pytest.raises(error, match=words) as raised:
            call(path)
        assert "\n" not in str(raised.value)
    assert not list(tmp_path.iterdir())


def test_damaged_bytes_are_called_so(index: obliq.Index) -> None:
    data = bytearray(index.to_bytes())
    data[len(data) // 2] ^= 1
    for bad in (data, data[:40], b"", b"no index"):
        with pytest.raises(RuntimeError) as raised:
            obliq.Index.from_bytes(bad)
        text = str(raised.value)
        assert "the bytes" in text and "/" not in text, text
    with pytest.raises(TypeError, match=r"data must be bytes.* Index.open\(path\)"):
        obliq.Index.from_bytes("my.idx")  # type: ignore[arg-type]


def full(*_: Any, **__: Any) -> Any:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_bytes_need_no_folder_where_memory_can_hold_them(index: obliq.Index,
                                                         monkeypatch: pytest.MonkeyPatch) -> None:
    if not (os.path.isdir("/dev/shm") and os.access("/dev/shm", os.W_OK)):
        pytest.skip("no files in memory on this system")
    monkeypatch.setattr("tempfile.gettempdir", full)
    assert len(pickle.loads(pickle.dumps(index))) == 1000


def test_a_folder_that_is_full_is_named(index: obliq.Index, tmp_path: pathlib.Path,
                                        monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where there is no memory for files."""
    data = index.to_bytes()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("obliq.temporary._SHARED_MEMORY", "/none")
    monkeypatch.setattr("os.memfd_create", full)
    assert index.to_bytes() == data and len(obliq.Index.from_bytes(data)) == 1000
    assert not list(tmp_path.iterdir())
    monkeypatch.setattr("tempfile.mkdtemp", full)
    monkeypatch.setattr("tempfile.NamedTemporaryFile", full)
    for call in (index.to_bytes, lambda: pickle.dumps(index), lambda: obliq.Index.from_bytes(data)):
        with pytest.raises(OSError, match="temporary folder") as raised:
            call()
        assert raised.value.errno == errno.ENOSPC
        assert str(tmp_path) in str(raised.value) and "TMPDIR" in str(raised.value)


def test_a_real_full_disk_is_named() -> None:
    """A limit on the size of files stands for it."""
    code = ("import numpy as np, obliq, resource, signal, sys\n"
            "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
            "data = obliq.Index.build(np.eye(1000, dtype='f4')).to_bytes()\n"
            "resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
            "try:\n"
            "    obliq.Index.from_bytes(data)\n"
            "except OSError as error:\n"
            "    print('temporary folder' in str(error))\n")
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "True"
