"""What a wheel holds and needs."""

import pathlib
import re
import shutil
import subprocess

import pytest

import obliq
from obliq import _core

#: The C and C++ runtimes, and OpenMP's, which auditwheel puts into the wheel under its own name.
ALLOWED = r"lib(gomp(-\w+)?|stdc\+\+|gcc_s|m|c|pthread)\.so[.\d]*|ld-linux[-\w]*\.so[.\d]*"


@pytest.mark.skipif(shutil.which("readelf") is None, reason="no readelf")
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
