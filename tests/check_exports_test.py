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
extern "C" OBLIQ_API int obliq_c(const char* text);
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
extern "C" OBLIQ_API int C_NAME(const char*) { return 0; }
"""
MAP = "OBLIQ_1 { global: obliq_*; extern \"C++\" { obliq::*; *?for?obliq::*; }; local: *; };"
HIDE_INSIDE = '-DINSIDE=__attribute__((visibility("hidden")))'


class Exports(unittest.TestCase):
    def faults(self, *flags, map_text=MAP, c_name="obliq_c"):
        with tempfile.TemporaryDirectory() as folder:
            root = pathlib.Path(folder)
            (root / "a.h").write_text(HEADER)
            (root / "a.cc").write_text(SOURCE.replace("C_NAME", c_name))
            (root / "a.map").write_text(map_text)
            compiler = os.environ.get("CXX") or "c++"
            command = [compiler, "-shared", "-fPIC", *flags, "a.cc", "-o", "a.so",
                       "-Wl,--version-script=a.map"]
            subprocess.run(command, check=True, cwd=root)
            names = check_exports.public_names(root)
            self.assertEqual(names, {"Shown", "shown", "obliq_c"})
            return list(check_exports.faults_of(str(root / "a.so"), names, "OBLIQ_1"))

    def test_accepts_what_the_headers_mark(self):
        self.assertEqual(self.faults("-fvisibility=hidden", HIDE_INSIDE), [])

    def test_refuses_what_they_do_not_mark(self):
        self.assertEqual(self.faults(HIDE_INSIDE),
                         ["not public but exported: T obliq::secret(int)"])

    def test_refuses_a_class_that_hides_inside_an_exported_one(self):
        self.assertEqual(self.faults("-fvisibility=hidden", "-DINSIDE="),
                         ["not public but exported: T obliq::Shown::Inside::g()"])

    def test_refuses_symbols_without_their_version(self):
        faults = self.faults("-fvisibility=hidden", HIDE_INSIDE,
                             map_text=MAP.replace("OBLIQ_1", "OBLIQ_2"))
        self.assertIn("not of version OBLIQ_1: T obliq::shown(int)", faults)

    def test_refuses_symbols_of_other_libraries(self):
        faults = self.faults("-fvisibility=hidden", HIDE_INSIDE, c_name="other",
                             map_text=MAP.replace("obliq_*", "*"))
        self.assertEqual(faults, ["not public but exported: T other",
                                  "public but not exported: obliq_c"])

    def test_misses_a_c_function(self):
        self.assertEqual(self.faults("-fvisibility=hidden", HIDE_INSIDE, c_name="obliq_d"),
                         ["not public but exported: T obliq_d", "public but not exported: obliq_c"])


if __name__ == "__main__":
    unittest.main()
