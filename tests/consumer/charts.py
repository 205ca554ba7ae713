"""The command draws charts from its own files: in the build tree and from an install tree.

Usage: charts.py PROGRAM CMAKE BUILD    exit 77: no Python with matplotlib here

The install tree lies outside the source tree, so that no script is found but those installed. There
a Python that fails is tried too: what it says is shown.
"""

import os
import pathlib
import subprocess
import sys
import tempfile

SKIPPED = 77


def python_that_draws():
    """A Python with matplotlib; None where there is none."""
    for python in sys.executable, "/usr/bin/python3":
        words = [python, "-c", "import matplotlib"]
        if subprocess.run(words, capture_output=True, check=False).returncode == 0:
            return python
    return None


def make_python(folder, text):
    """A folder whose python3 is this shell script."""
    folder.mkdir()
    (folder / "python3").write_text(f"#!/bin/sh\n{text}\n")
    (folder / "python3").chmod(0o755)
    return str(folder)


def printed_by(program, python, *words):
    environment = {**os.environ, "PATH": f"{python}:{os.environ['PATH']}"}
    done = subprocess.run([program, *map(str, words)], env=environment, capture_output=True,
                          text=True, check=False)
    assert done.returncode == 0, (words, done.stderr)
    return done.stdout


def check_charts(program, python, folder):
    """Every command that draws, one to three threads of either mode."""
    folder.mkdir()
    data = folder / "set.hdf5"
    printed_by(program, python, "generate", "clustered", "--n", 500, "--dim", 16, "--queries", 20,
               "--seed", 3, "-o", data)
    measure = ["bench", data, "--specs", "lm2,sq8", "--nlist", 4, "--nprobe", "1,4", "--repeat", 1,
               "--out", folder / "lines.jsonl", "--plot"]
    demo = ["demo", "--data", data, "--specs", "lm4", "--against", "none", "--repeat", 1, "--out",
            folder]
    distortion = ["distortion", "--specs", "lm1", "--dim", 16, "--samples", 50, "--plot"]
    for name, words in [("bench.png", [*measure, folder / "bench.png"]),
                        ("threads.png", [*measure, folder / "threads.png", "--threads", 2]),
                        ("batch.png", [*measure, folder / "batch.png", "--mode", "batch"]),
                        ("chart.png", demo),
                        ("distortion.png", [*distortion, folder / "distortion.png"])]:
        text = printed_by(program, python, *words)
        assert f"\nchart: {folder / name}\n" in "\n" + text, text
        picture = (folder / name).read_bytes()
        assert picture.startswith(b"\x89PNG\r\n") and len(picture) > 10_000, (name, len(picture))
        print("drawn:", name)
    return [*measure, folder / "none.png"]


def main(program, cmake, build):
    draws = python_that_draws()
    if draws is None:
        print("no Python with matplotlib here")
        return SKIPPED
    with tempfile.TemporaryDirectory() as name:
        root = pathlib.Path(name)
        python = make_python(root / "python", f'exec "{draws}" "$@"')
        check_charts(program, python, root / "built")
        subprocess.run([cmake, "--install", build, "--prefix", str(root / "prefix")], check=True,
                       stdout=subprocess.DEVNULL)
        installed = str(root / "prefix/bin/obliq")
        words = check_charts(installed, python, root / "installed")
        fails = make_python(root / "fails", 'echo "first line"; echo "no ink left" >&2; exit 3')
        text = printed_by(installed, fails, *words)
        assert "no chart: no ink left\n" in text and "python3 " in text, text
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
