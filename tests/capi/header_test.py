"""The C interface, by its text: obliq.h is C99 without a warning, and C++; the C program calls
every function that it declares; structs that may grow begin with their size. CC and CXX: the
compilers."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "include"
HEADERS = sorted(INCLUDE.glob("obliq/c/*.h"))
STRICT = ["-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes", "-Wshadow", "-Werror"]


def code_of(path):
    return re.sub(r"/\*.*?\*/", " ", path.read_text(), flags=re.DOTALL)


def declared():
    """The functions that the headers declare."""
    names = []
    for path in HEADERS:
        for found in re.finditer(r"OBLIQ_API([^;{]*?)\b(obliq_\w+)\(", code_of(path)):
            names.append(found.group(2))
    return names


def compiles(text, suffix, compiler, options):
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "a" + suffix)
        source.write_text(text)
        ran = subprocess.run([compiler, "-fsyntax-only", "-I", str(INCLUDE), *options, str(source)],
                             capture_output=True, text=True)
    return ran.stderr if ran.returncode != 0 else ""


class Header(unittest.TestCase):
    def test_is_strict_c(self):
        compiler = os.environ.get("CC") or "cc"
        for path in [INCLUDE / "obliq/obliq.h", *HEADERS]:
            header = path.relative_to(INCLUDE).as_posix()
            for standard in ("-std=c99", "-std=c11"):
                with self.subTest(header=header, standard=standard):
                    text = f'#include "{header}"\nint main(void) {{ return 0; }}\n'
                    self.assertEqual(compiles(text, ".c", compiler, [standard, *STRICT]), "")

    def test_is_cpp(self):
        compiler = os.environ.get("CXX") or "c++"
        options = ["-std=c++11", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fno-exceptions"]
        text = '#include "obliq/obliq.h"\nint main() { return obliq_last_errno(); }\n'
        self.assertEqual(compiles(text, ".cc", compiler, options), "")

    def test_a_wrong_declaration_would_be_refused(self):
        compiler = os.environ.get("CC") or "cc"
        text = '#include "obliq/obliq.h"\nint obliq_version(void);\n'
        self.assertIn("obliq_version", compiles(text, ".c", compiler, ["-std=c99", *STRICT]))

    def test_obliq_h_includes_every_part(self):
        text = (INCLUDE / "obliq/obliq.h").read_text()
        for path in HEADERS:
            self.assertIn(f'#include "obliq/c/{path.name}"', text)

    def test_no_name_is_declared_twice(self):
        names = declared()
        self.assertGreater(len(names), 150)
        self.assertEqual(len(names), len(set(names)))


class Program(unittest.TestCase):
    def test_calls_every_function(self):
        program = "\n".join(code_of(path) for path in (ROOT / "tests/capi").glob("*.c"))
        missing = [name for name in declared() if not re.search(rf"\b{name}\(", program)]
        self.assertEqual(missing, [])

    def test_options_have_an_init(self):
        text = "\n".join(code_of(path) for path in HEADERS)
        options = re.findall(r"\}\s*(obliq_\w+_options);", text)
        self.assertIn("obliq_search_options", options)
        for name in options:
            self.assertIn(f"void {name}_init({name}* options, size_t size);", text)

    def test_structs_that_grow_begin_with_their_size(self):
        text = "\n".join(code_of(path) for path in HEADERS)
        structs = re.findall(r"typedef struct (\w+) \{\s*(.*?);", text, re.DOTALL)
        self.assertGreater(len(structs), 12)
        for name, first in structs:
            if name != "obliq_tuned_target":  # an element of arrays, which never grows
                self.assertEqual(first, "size_t size", name)


if __name__ == "__main__":
    unittest.main()
