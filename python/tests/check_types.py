"""Runs mypy --strict over the installed package, the tests and the examples.

Run from the root of the source by the Python that has the package. The package is checked where it
is installed, since the stub of its extension module is made by the build.
"""

import pathlib
import shutil
import subprocess
import sys
import tempfile

import obliq


def main() -> int:
    package = pathlib.Path(obliq.__file__).parent
    missing = [name for name in ("_core.pyi", "py.typed") if not (package / name).is_file()]
    if missing:
        print(f"the installed package lacks {missing}")
        return 1
    scripts = [str(path) for folder in ("python/tests", "examples")
               for path in sorted(pathlib.Path(folder).glob("*.py"))]
    with tempfile.TemporaryDirectory() as folder:
        # Beside site-packages, whose errors mypy keeps to itself.
        copy = shutil.copytree(package, pathlib.Path(folder) / "obliq",
                               ignore=shutil.ignore_patterns("*.so", "__pycache__"))
        command = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml", "--cache-dir",
                   "build/mypy", str(copy), *scripts]
        return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
