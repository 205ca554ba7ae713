"""What a wheel holds and needs, and which Pythons it serves."""

import glob
import os
import pathlib
import re
import shutil
import subprocess
import sys
from importlib.metadata import distribution

import pytest

import obliq
from obliq import _core

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
import check_hardening  # type: ignore[import-not-found]  # noqa: E402

#: The C and C++ runtimes, and OpenMP's, which auditwheel puts into the wheel under its own name.
ALLOWED = r"lib(gomp(-\w+)?|stdc\+\+|gcc_s|m|c|pthread)\.so[.\d]*|ld-linux[-\w]*\.so[.\d]*"


#: The newest glibc that a wheel may ask for: that of Debian 12 has more.
GLIBC = (2, 34)

needs_readelf = pytest.mark.skipif(shutil.which("readelf") is None, reason="no readelf")


def tags() -> "list[str]":
    """(Python, ABI) of each tag in the wheel's metadata, as in "cp312-abi3"."""
    text = distribution("obliq").read_text("WHEEL") or ""
    return sorted({tag.rsplit("-", 1)[0] for tag in re.findall(r"^Tag: (.+)$", text, re.MULTILINE)})


def extension() -> str:
    """The name of the module's file."""
    return pathlib.Path(str(_core.__file__)).name


def test_the_tag_is_that_of_the_module() -> None:
    name = extension()
    if name == "_core.abi3.so":
        assert tags() == ["cp312-abi3"]
    else:
        version = f"cp{sys.version_info[0]}{sys.version_info[1]}"
        assert tags() == [f"{version}-{version}"]
        assert name.startswith(f"_core.cpython-{version[2:]}-")
        assert sys.version_info < (3, 12)


def later_pythons() -> "list[str]":
    """Pythons after the one that runs: on the path, or those of pyenv."""
    minor = sys.version_info[1]
    found = []
    for later in range(minor + 1, minor + 5):
        places = [shutil.which(f"python3.{later}") or ""]
        places += glob.glob(os.path.expanduser(f"~/.pyenv/versions/3.{later}.*/bin/python"))
        found += [place for place in places if place]
    return found


@pytest.mark.skipif(extension() != "_core.abi3.so", reason="a module for one Python")
def test_later_pythons_import_the_module() -> None:
    folder = str(pathlib.Path(str(_core.__file__)).parent)
    tried = 0
    for python in later_pythons():
        if subprocess.run([python, "-c", ""], capture_output=True, check=False).returncode != 0:
            continue  # a shim of pyenv without a Python behind it
        done = subprocess.run([python, "-c", "import _core; print(_core.version)"], text=True,
                              env={**os.environ, "PYTHONPATH": folder}, capture_output=True,
                              check=False)
        assert (done.returncode, done.stdout) == (0, f"{obliq.__version__}\n"), done.stderr
        tried += 1
    if tried == 0:
        pytest.skip("no later Python here")


def test_a_wheel_holds_the_package_alone() -> None:
    files = {str(path) for path in distribution("obliq").files or []
             if "__pycache__" not in str(path)}
    kept = {name for name in files if not re.match(r"obliq-[\d.]+\.dist-info/", name)}
    gomp = {name for name in kept if re.fullmatch(r"obliq\.libs/libgomp-[\w.-]+", name)}
    sources = {str(path.relative_to(ROOT / "python"))
               for path in (ROOT / "python/obliq").rglob("*.py")}
    assert kept - gomp == sources | {"obliq/py.typed", f"obliq/{extension()}", "obliq/_core.pyi"}
    assert len(gomp) == 1


@needs_readelf
def test_a_wheel_says_the_oldest_glibc_that_it_needs() -> None:
    printed = subprocess.run(["readelf", "-VW", str(_core.__file__)], capture_output=True,
                             text=True, check=True).stdout
    versions = {tuple(map(int, found)) for found in re.findall(r"GLIBC_(\d+)\.(\d+)", printed)}
    assert max(versions) <= GLIBC
    assert f"glibc {GLIBC[0]}.{GLIBC[1]}" in (ROOT / "docs/python.md").read_text()


@needs_readelf
def test_the_module_is_hardened() -> None:
    assert check_hardening.faults_in(check_hardening.read_elf(str(_core.__file__))) == []


@needs_readelf
def test_the_module_shows_what_python_looks_for_alone() -> None:
    printed = subprocess.run(["readelf", "--dyn-syms", "-W", str(_core.__file__)],
                             capture_output=True, text=True, check=True).stdout
    shown = re.findall(r"(?:GLOBAL|WEAK|UNIQUE) +DEFAULT +(?!UND)\S+ (\S+)", printed)
    assert shown == ["PyInit__core"]


@needs_readelf
def test_the_module_needs_the_runtimes_alone() -> None:
    printed = subprocess.run(["readelf", "-dW", str(_core.__file__)], capture_output=True,
                             text=True, check=True).stdout
    needed = re.findall(r"\(NEEDED\).*\[(.+)\]", printed)
    assert "libstdc++.so.6" in needed
    assert [name for name in needed if not re.fullmatch(ALLOWED, name)] == []


def test_a_wheel_brings_openmp_alone() -> None:
    brought = pathlib.Path(obliq.__file__).parents[1] / "obliq.libs"
    assert all(path.name.startswith("libgomp") for path in brought.glob("*"))


def test_types_are_shipped() -> None:
    package = pathlib.Path(obliq.__file__).parent
    assert (package / "py.typed").is_file()
    assert "def search" in (package / "_core.pyi").read_text()


def test_the_version_is_that_of_the_library() -> None:
    from importlib.metadata import version
    assert obliq.__version__ == version("obliq")
