"""check_kernel_objects.py finds each fault in an object compiled to have it. CXX: the compiler."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import check_kernel_objects

CLEAN = """
namespace { int add(int a, int b) noexcept { return a + b; } }
namespace obliq { void install_scalar(int (*&f)(int, int)) noexcept { f = add; } }
"""


def faults_of(source, name="scalar"):
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / f"{name}.cc"
        path.write_text(source)
        target = str(path) + ".o"
        compiler = os.environ.get("CXX") or "c++"
        subprocess.run([compiler, "-std=c++20", "-O0", "-c", str(path), "-o", target], check=True)
        return check_kernel_objects.faults_of(target)


class KernelObjects(unittest.TestCase):
    def refuses(self, source, words, name="scalar"):
        self.assertIn(words, "\n".join(faults_of(source, name)))

    def test_accepts_one_installer(self):
        self.assertEqual(faults_of(CLEAN), [])

    def test_refuses_an_installer_of_another_name(self):
        self.refuses(CLEAN, "expected install_avx2 alone", "avx2")

    def test_refuses_a_second_global_symbol(self):
        self.refuses(CLEAN + "int answer = 42;", "global symbols")

    def test_refuses_inline_functions(self):
        self.refuses(CLEAN + "inline int f() { return 1; }\nnamespace { int g() { return f(); } }\n"
                     "namespace { int (*p)() = g; int h() { return p(); } }\n"
                     "static int (*volatile q)() = h;", "weak or unique symbol")

    def test_refuses_objects_that_need_construction(self):
        self.refuses(CLEAN + "#include <cstdlib>\nstatic volatile int a = std::rand();",
                     "runs code at load")

    def test_accepts_calls_to_installers_of_parts(self):
        source = """
            namespace obliq {
            void install_avx2_rows(int& a) noexcept;
            void install_avx2(int& a) noexcept { install_avx2_rows(a); }
            }"""
        self.assertEqual(faults_of(source, "avx2"), [])
        self.refuses(source.replace("avx2_rows", "avx512_rows"), "calls", "avx2")

    def test_refuses_calls_into_cpp(self):
        self.refuses(CLEAN + "int f();\nstatic int g() { return f(); }\n"
                     "static int (*volatile q)() = g;", "calls _Z1fv")


if __name__ == "__main__":
    unittest.main()
