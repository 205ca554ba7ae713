"""Public headers can be included by projects without exceptions, alone and together, and draw no
warning. CXX: the compiler."""

import os
import pathlib
import subprocess
import tempfile
import unittest

INCLUDE = pathlib.Path(__file__).resolve().parents[1] / "include"


class Headers(unittest.TestCase):
    def test_compile_without_exceptions(self):
        headers = sorted(path.name for path in INCLUDE.glob("obliq/*.h"))
        self.assertIn("progress.h", headers)
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "a.cc")
            source.write_text("".join(f'#include "obliq/{name}"\n' for name in headers) +
                              "bool asked(const obliq::Progress& progress) { "
                              "obliq::report(progress, \"stage\", 0); return true; }\n")
            compiler = os.environ.get("CXX") or "c++"
            subprocess.run([compiler, "-std=c++20", "-fsyntax-only", "-fno-exceptions", "-Wall",
                            "-Wextra", "-Werror", "-I", str(INCLUDE), str(source)], check=True)


if __name__ == "__main__":
    unittest.main()
