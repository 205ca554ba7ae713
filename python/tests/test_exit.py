"""Python ends while daemon threads are inside calls: the process ends too, quietly and with exit
code 0, whatever the threads do when it happens."""

import os
import pathlib
import subprocess
import sys

import pytest

import obliq

SCRIPT = """
import sys, tempfile, threading, time
import numpy as np
import obliq

base = np.random.default_rng(1).normal(size=(2000, 32)).astype(np.float32)
index = obliq.Index.build(base, quantizer="sq8", threads=1)
quantizer = obliq.Quantizer("lm4", 32)
codes = quantizer.encode(base, threads=1)
folder = tempfile.mkdtemp()
path = folder + "/index"
index.save(path)
entered = threading.Event()

def asked(stage, fraction):
    entered.set()
    for _ in range(1000):  # Python code: it gives the lock away and asks for it again
        pass

calls = {
    "search": lambda: index.search(base[:50], threads=1),
    "parallel": lambda: index.search(base[:500], threads=2),
    "one": lambda: index.search(base[0]),
    "build": lambda: obliq.Index.build(base, quantizer="sq8", threads=1),
    "progress": lambda: obliq.Index.build(base, quantizer="sq8", threads=2, progress=asked),
    "file": lambda: obliq.Index.build(base, quantizer="sq8", path=own()),
    "tune": lambda: obliq.Index.open(path).tune(base[:200], progress=asked, threads=1),
    "save": lambda: index.save(own()),
    "open": lambda: obliq.Index.open(path, in_memory=True),
    "mapped": lambda: obliq.Index.open(path).search(base[:9]),
    "bytes": lambda: obliq.Index.from_bytes(index.to_bytes()),
    "verify": lambda: obliq.Index.verify(path),
    "reconstruct": lambda: index.reconstruct(7),
    "contains": lambda: 7 in index,
    "refused": lambda: refused(lambda: index.search(base[:, :3])),
    "missing": lambda: refused(lambda: obliq.Index.open(path + "-not-there")),
    "encode": lambda: quantizer.encode(base, threads=1),
    "decode": lambda: quantizer.decode(codes, threads=1),
    "estimate": lambda: quantizer.estimate(codes, base[:5], threads=1),
    "train": lambda: obliq.Quantizer("lm2:query", 32).train(base, base, threads=1),
}

def own():
    return path + threading.current_thread().name

def refused(call):
    try:
        call()
    except (ValueError, OSError):
        pass

def forever(call):
    while True:
        call()
        entered.set()

if sys.argv[1:] == ["--names"]:
    print(" ".join(calls))
    sys.exit()
name, seconds = sys.argv[1:]
for number, each in enumerate(calls if name == "all" else [name] * 3):
    threading.Thread(target=forever, args=(calls[each],), daemon=True, name=str(number)).start()
entered.wait(60)
time.sleep(float(seconds))
"""
CALLS = ("search parallel one build progress file tune save open mapped bytes verify reconstruct "
         "contains refused missing encode decode estimate train").split()


def run(*arguments: str) -> "subprocess.CompletedProcess[str]":
    environment = {**os.environ, "PYTHONPATH": str(pathlib.Path(obliq.__file__).parents[1]),
                   "OMP_NUM_THREADS": "2"}
    return subprocess.run([sys.executable, "-c", SCRIPT, *arguments], env=environment,
                          capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("name", [*CALLS, "all"])
def test_python_ends_well_beside_daemon_threads(name: str, tmp_path: pathlib.Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    for seconds in ("0", ".01", ".1", ".3") if name == "all" else (".005",):
        done = run(name, seconds)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", ""), (name, seconds)


def test_every_call_of_the_script_is_tried() -> None:
    assert run("--names").stdout.split() == CALLS
