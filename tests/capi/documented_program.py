"""The program of docs/c_api.md compiles as strict C99, links with the shared library alone, runs,
and finds what it says.

Usage: documented_program.py LIBRARY   (CC names the compiler)
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

LIBRARY = pathlib.Path(sys.argv.pop()).resolve()
ROOT = pathlib.Path(__file__).resolve().parents[2]


class DocumentedProgram(unittest.TestCase):
    def test_runs(self):
        programs = re.findall(r"```c\n(.*?)```", (ROOT / "docs/c_api.md").read_text(), re.DOTALL)
        self.assertEqual(len(programs), 1)
        with tempfile.TemporaryDirectory() as folder:
            source, program = pathlib.Path(folder, "program.c"), pathlib.Path(folder, "program")
            source.write_text(programs[0])
            subprocess.run([os.environ.get("CC") or "cc", "-std=c99", "-Wall", "-Wextra",
                            "-Wpedantic", "-Werror", f"-I{ROOT / 'include'}", str(source),
                            str(LIBRARY), f"-Wl,-rpath,{LIBRARY.parent}", "-o", str(program)],
                           check=True)
            ran = subprocess.run([str(program)], cwd=folder, check=True, capture_output=True,
                                 text=True)
            found = re.findall(r"^(\d+) at (\d+\.\d+)$", ran.stdout, re.MULTILINE)
            self.assertEqual(len(found), 3, ran.stdout)
            self.assertEqual(found[0][0], "24")
            for row, _ in found:
                self.assertGreaterEqual(int(row) % 25, 20)
            self.assertTrue(pathlib.Path(folder, "example.obliq").is_file())


if __name__ == "__main__":
    unittest.main()
