"""check_exports.py finds what a library shows beyond its headers. CXX: the compiler."""

import os
import pathlib
import subprocess
import tempfile
import unittest

import check_exports

HEADER = """
#define OBLIQ_API __attribute__((visibility("default")))
namespace obliq {
class OBLIQ_API Shown final { public: virtual ~Shown(); int f(); struct Inside; };
OBLIQ_API int shown(int a);
int secret(int a);
}
"""
SOURCE = """
#include "a.h"
#include <stdexcept>
obliq::Shown::~Shown() {}
int obliq::Shown::f() { throw std::invalid_argument("a"); }
int obliq::shown(int a) { return secret(a); }
int obliq::secret(int a) { return a; }
struct INSIDE obliq::Shown::Inside { int g(); };
int obliq::Shown::Inside::g() { return 1; }
"""
HIDE_INSIDE = '-DINSIDE=__attribute__((visibility("hidden")))'



class Exports(unittest.TestCase):
    def shown_besides(self, *flags):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.h").write_text(HEADER)
            (root / "a.cc").write_text(SOURCE)
            compiler = os.environ.get("CXX") or "c++"
            command = [compiler, "-shared", "-fPIC", *flags, "a.cc", "-o", "a.so"]
            subprocess.run(command, check=True, cwd=root)
            names = check_exports.public_names(root)
            self.assertEqual(names, {"Shown", "shown"})
            return list(check_exports.hidden_but_shown(str(root / "a.so"), names))

    def test_accepts_what_the_headers_mark(self):
        self.assertEqual(self.shown_besides("-fvisibility=hidden", HIDE_INSIDE), [])

    def test_refuses_what_they_do_not_mark(self):
        self.assertEqual(self.shown_besides(HIDE_INSIDE), ["T obliq::secret(int)"])

    def test_refuses_a_class_that_hides_inside_an_exported_one(self):
        self.assertEqual(self.shown_besides("-fvisibility=hidden", "-DINSIDE="),
                         ["T obliq::Shown::Inside::g()"])


if __name__ == "__main__":
    unittest.main()
