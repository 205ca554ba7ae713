"""Collections between threads, processes and references: who holds what, and for how long."""

import copy
import gc
import os
import pathlib
import pickle
import subprocess
import sys
import threading
import weakref
from typing import Any

import numpy as np
import pytest

import obliq

DIM = 24
BASE = np.random.default_rng(1).normal(size=(2500, DIM)).astype(np.float32)


@pytest.fixture
def path(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "collection"


def test_a_collection_may_be_open_when_python_ends(path: pathlib.Path) -> None:
    script = ("import sys, numpy as np, obliq\n"
              "c = obliq.Collection(sys.argv[1], dim=8, train_at=1000, durability='none')\n"
              "c.add(np.random.default_rng(1).normal(size=(3000, 8)))\n")  # and a model is trained
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=120,
                          capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    with obliq.Collection(path) as opened:
        assert len(opened) == 3000


def test_one_writer_at_a_time(path: pathlib.Path) -> None:
    collection = obliq.Collection(path, dim=DIM)
    with pytest.raises(RuntimeError, match=f"process {os.getpid()} has the lock"):
        obliq.Collection(path)
    collection.close()
    obliq.Collection(path).close()


def test_a_killed_writer_loses_nothing(path: pathlib.Path) -> None:
    script = ("import os, sys, numpy as np, obliq\n"
              "c = obliq.Collection(sys.argv[1], dim=4, durability='none')\n"
              "c.add(np.eye(4)); c.remove([2]); os.kill(os.getpid(), 9)\n")
    assert subprocess.run([sys.executable, "-c", script, str(path)], check=False).returncode == -9
    with obliq.Collection(path) as opened:
        assert len(opened) == 3 and 2 not in opened
        opened.verify()


def test_threads_search_while_one_adds() -> None:
    made = obliq.Collection(dim=DIM, train_at=1000, threads=1)
    made.add(BASE[:100])
    failures = []

    def search() -> None:
        try:
            for _ in range(100):
                found = made.search(BASE[:20], 1, nprobe=1000, threads=1)
                assert (found.ids >= 0).all() and len(made) % 100 == 0
        except BaseException as error:
            failures.append(error)

    readers = [threading.Thread(target=search) for _ in range(3)]
    for reader in readers:
        reader.start()
    for first in range(100, 2500, 100):
        made.add(BASE[first:first + 100])
    for reader in readers:
        reader.join()
    made.wait()
    assert failures == [] and len(made) == 2500 and not made.stats().is_exact


def test_nothing_holds_what_went_in_or_came_out() -> None:
    made = obliq.Collection(dim=DIM)
    vectors, ids = BASE[:500].copy(), np.arange(500)
    counts = sys.getrefcount(vectors), sys.getrefcount(ids)
    made.add(vectors, ids)
    made.upsert(vectors, ids)
    made.search(vectors)
    assert (sys.getrefcount(vectors), sys.getrefcount(ids)) == counts
    assert made.add(BASE[:1], ids[:1] + 500).base is None
    vector, alive = made.get(7), weakref.ref(made)
    del made
    gc.collect()
    assert alive() is None and np.allclose(vector, BASE[7], atol=1e-6)


def test_a_collection_that_is_dropped_gives_the_lock_back(path: pathlib.Path) -> None:
    made = obliq.Collection(path, dim=DIM)
    made.add(BASE[:10])
    del made
    with obliq.Collection(path) as opened:
        assert len(opened) == 10


def test_a_collection_is_neither_copied_nor_pickled() -> None:
    made: Any = obliq.Collection(dim=DIM)
    for copied in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="give its path"):
            copied(made)
    with pytest.raises(TypeError, match="not iterable"):
        iter(made)


def in_child(body: str, path: pathlib.Path) -> None:
    """Runs Python code that defines child(), which a fork of it then calls."""
    script = ("import os, sys, numpy as np, obliq\npath = sys.argv[1]\n" + body +
              "\npid = os.fork()\nif pid == 0:\n    child()\n    os._exit(7)\n"
              "_, status = os.waitpid(pid, 0)\nassert os.waitstatus_to_exitcode(status) == 7\n"
              "parent()\n")
    done = subprocess.run([sys.executable, "-c", script, str(path)], check=False, timeout=120,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_forked_child_cannot_use_it_nor_harm_it(path: pathlib.Path) -> None:
    in_child("""
made = obliq.Collection(path, dim=4)
made.add(np.eye(4))

def child():
    global made
    for call in (lambda: made.add(np.eye(4)), lambda: made.search(np.eye(4)), made.close,
                 lambda: len(made)):
        try:
            call()
        except ValueError as error:
            assert "opened by the parent process" in str(error)
        else:
            os._exit(1)
    repr(made)
    del made

def parent():
    made.add(np.eye(4))
    made.close()
    opened = obliq.Collection(path)
    assert len(opened) == 8
    opened.verify()
""", path)


def test_a_forked_child_makes_its_own(path: pathlib.Path) -> None:
    in_child("""
x = np.random.default_rng(1).normal(size=(2000, 8)).astype(np.float32)

def grow(path):
    with obliq.Collection(path, dim=8, train_at=1000, threads=1) as made:
        made.add(x)
        made.wait()
        assert not made.stats().is_exact

def child():
    grow(path + "child")

def parent():
    assert len(obliq.Collection(path + "child", read_only=True)) == 2000

grow(path)
""", path)
