"""check_hardening.py finds what a program lacks. CXX: the compiler."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import check_hardening

SOURCE = """
#include <cstdio>
#include <cstring>
int main(int n, char** words) {
  char text[64];
  std::strcpy(text, words[0]);
  std::puts(text + n);
}
"""
HARDENED = ["-O2", "-fstack-protector-strong", "-U_FORTIFY_SOURCE", "-D_FORTIFY_SOURCE=2",
            "-Wl,-z,relro,-z,now,-z,noexecstack"]


class Hardening(unittest.TestCase):
    def faults_of(self, *flags):
        with tempfile.TemporaryDirectory() as folder:
            source = pathlib.Path(folder, "a.cc")
            source.write_text(SOURCE)
            program = str(source.with_suffix(""))
            compiler = os.environ.get("CXX") or "c++"
            subprocess.run([compiler, str(source), "-o", program, *HARDENED, *flags], check=True)
            return check_hardening.faults_in(check_hardening.read_elf(program))

    def test_accepts_a_hardened_program(self):
        self.assertEqual(self.faults_of("-Wl,-rpath,/usr/lib"), [])

    def test_finds_each_fault(self):
        for flags, fault in [
                (["-Wl,-z,norelro"], "no GNU_RELRO segment"),
                (["-Wl,-z,lazy"], "symbols are bound lazily"),
                (["-Wl,-z,execstack"], "an executable stack"),
                (["-fno-stack-protector"], "no stack protector"),
                (["-U_FORTIFY_SOURCE"], "no checked calls (_FORTIFY_SOURCE)"),
                (["-Wl,-rpath,/usr/lib:"], "an empty element in the search path '/usr/lib:'"),
                (["-Wl,-rpath,:/usr/lib"], "an empty element in the search path ':/usr/lib'")]:
            with self.subTest(fault):
                self.assertEqual(self.faults_of(*flags), [fault])


if __name__ == "__main__":
    unittest.main()
