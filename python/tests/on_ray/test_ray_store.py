"""Copies of a store's files on a machine: made once, bounded, and kept by whoever has one."""

from __future__ import annotations

import os
import pathlib
import threading
import time
from typing import Any, List

import pytest

from obliq.ray import cache
from obliq.ray.store import Store


def test_a_file_is_copied_once_for_all_who_want_it(tmp_path: pathlib.Path) -> None:
    fetched: List[str] = []

    def fetch(path: str) -> None:
        fetched.append(path)
        time.sleep(0.2)
        pathlib.Path(path).write_bytes(b"model")

    def want(number: int) -> None:
        own = str(tmp_path / str(number))
        assert cache.linked(str(tmp_path / "held"), "m.obliq", fetch, own, 1 << 20) == own

    threads = [threading.Thread(target=want, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fetched) == 1 and os.listdir(tmp_path / "held") == ["m.obliq"]
    assert all((tmp_path / str(number)).read_bytes() == b"model" for number in range(8))


def test_a_copy_that_fails_leaves_nothing_and_is_made_again(tmp_path: pathlib.Path) -> None:
    def fail(path: str) -> None:
        pathlib.Path(path).write_bytes(b"half")
        raise OSError("the store is away")

    with pytest.raises(OSError, match="away"):
        cache.held(str(tmp_path), "m.obliq", fail)
    assert not os.listdir(tmp_path)
    path = cache.held(str(tmp_path), "m.obliq", lambda part: put(part, 5))
    assert os.path.getsize(path) == 5


def put(path: str, size: int) -> None:
    pathlib.Path(path).write_bytes(bytes(size))


def test_copies_are_bounded_and_what_is_linked_stays(tmp_path: pathlib.Path) -> None:
    folder, own = tmp_path / "held", str(tmp_path / "own")
    cache.linked(str(folder), "a.obliq", lambda part: put(part, 60), own, 100)
    for age, name in ((50, "b"), (30, "c")):
        os.utime(folder / "a.obliq", (time.time() - 60,) * 2)
        cache.held(str(folder), f"{name}.obliq", lambda part: put(part, 60), 100)
        os.utime(folder / f"{name}.obliq", (time.time() - age,) * 2)
    assert sorted(path.name for path in folder.glob("*.obliq")) == ["b.obliq", "c.obliq"]
    assert os.path.getsize(own) == 60
    os.utime(folder / "b.obliq", (time.time() - 2 * cache.DAY,) * 2)
    cache.held(str(folder), "c.obliq", fetch_none, 100)  # asked for, and there
    assert (folder / "b.obliq").exists()
    cache.held(str(folder), "d.obliq", lambda part: put(part, 1))
    assert sorted(path.name for path in folder.glob("*.obliq")) == ["c.obliq", "d.obliq"]


def fetch_none(path: str) -> None:
    raise AssertionError(f"{path} is fetched again")


def test_tasks_share_a_model_of_a_remote_store(tmp_path: pathlib.Path, monkeypatch: Any) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "remote" / "models").mkdir(parents=True)
    (tmp_path / "remote" / "models" / "k.obliq").write_bytes(b"model")
    store = Store("dir://remote", {"path": str(tmp_path), "target_protocol": "file"})
    own = []
    for task in ("one", "two"):
        (tmp_path / task).mkdir()
        own.append(store.shared("models/k.obliq", str(tmp_path / task)))
    assert [pathlib.Path(path).read_bytes() for path in own] == [b"model"] * 2
    assert os.path.samefile(*own) and own[0] != own[1]
    assert oct(os.stat(cache.machine_folder("models")).st_mode)[-3:] == "700"
