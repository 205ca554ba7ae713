"""Every rule of check_tree.py refuses a tree that breaks it, and accepts one that does not."""

import pathlib
import tempfile
import unittest

import check_tree
import cpp_text

HEADER = "// Words.\n#pragma once\n"


def faults_of(files):
    """The faults of a tree made of `files`, a map from path to text."""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in files.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_bytes(text.encode("utf-8"))
        return check_tree.check(root)


def function(lines, signature="int f()"):
    """A function of `lines` lines, signature and closing brace included."""
    return signature + " {\n" + "  g();\n" * (lines - 2) + "}\n"


class TreeRules(unittest.TestCase):
    def refuses(self, files, *words):
        faults = faults_of(files)
        self.assertEqual(len(faults), 1, faults)
        for word in words:
            self.assertIn(word, faults[0])

    def accepts(self, files):
        self.assertEqual(faults_of(files), [])

    def includes(self, source, *headers):
        files = {header: HEADER for header in headers}
        paths = [header.removeprefix("include/") for header in headers]
        files[source] = "// Words.\n" + "".join(f'#include "{path}"\n' for path in paths)
        return files

    def test_accepts_includes_that_run_down(self):
        for source, *headers in [
            ("core/a.cc", "include/obliq/b.h", "core/kernels/dispatch.h"),
            ("quant/a.cc", "include/obliq/b.h", "core/c.h", "core/kernels/kernels.h"),
            ("quant/scalar/a.cc", "quant/b.h", "quant/query_aware/c.h", "core/d.h"),
            ("index/segment/a.cc", "include/obliq/b.h", "quant/c.h", "storage/d.h", "core/e.h"),
            ("index/search/a.cc", "index/segment/b.h", "quant/c.h"),
            ("index/tune/a.cc", "index/segment/b.h", "index/search/c.h"),
            ("index/build/a.cc", "index/segment/b.h", "index/search/c.h", "index/tune/d.h"),
            ("index/a.cc", "index/segment/b.h", "index/search/c.h", "index/tune/d.h",
             "index/build/e.h"),
            ("datasets/a.cc", "include/obliq/b.h", "core/c.h", "storage/d.h"),
            ("measure/a.cc", "core/b.h", "quant/c.h", "quant/scalar/d.h"),
            ("tools/a.cc", "index/a.h", "datasets/b.h", "measure/c.h"),
            ("tools/measure/a.cc", "tools/b.h", "measure/c.h"),
            ("tools/commands/a.cc", "tools/b.h", "tools/measure/c.h", "index/build/d.h"),
            ("bench/a.cc", "tests/core/kernels/cases.h", "measure/b.h"),
            ("tests/index/search/a.cc", "tests/index/b.h", "index/search/c.h", "measure/d.h",
             "tools/commands/e.h"),
        ]:
            self.accepts(self.includes(source, *headers))

    def test_refuses_includes_that_run_up_or_across(self):
        for source, header in [
            ("include/obliq/a.h", "core/b.h"), ("core/a.cc", "quant/b.h"),
            ("core/a.cc", "storage/b.h"), ("storage/a.cc", "core/b.h"),
            ("storage/a.cc", "include/obliq/b.h"),
            ("quant/a.cc", "index/segment/b.h"), ("quant/a.cc", "storage/b.h"),
            ("quant/a.cc", "quant/scalar/b.h"), ("quant/scalar/a.cc", "quant/trellis/b.h"),
            ("quant/query_aware/a.cc", "quant/scalar/b.h"),
            ("index/segment/a.cc", "index/search/b.h"), ("index/segment/a.cc", "index/b.h"),
            ("index/search/a.cc", "index/tune/b.h"), ("index/tune/a.cc", "index/build/b.h"),
            ("index/build/a.cc", "index/b.h"), ("index/search/a.cc", "quant/scalar/b.h"),
            ("index/a.cc", "datasets/b.h"), ("index/a.cc", "measure/b.h"),
            ("index/a.cc", "tools/b.h"), ("datasets/a.cc", "index/segment/b.h"),
            ("datasets/a.cc", "quant/b.h"), ("measure/a.cc", "index/segment/b.h"),
            ("measure/a.cc", "datasets/b.h"), ("measure/a.cc", "storage/b.h"),
            ("tools/a.cc", "tools/measure/b.h"), ("tools/measure/a.cc", "tools/commands/b.h"),
            ("tools/a.cc", "tests/b.h"), ("bench/a.cc", "tools/b.h"),
            ("python/a.cc", "datasets/b.h"), ("tests/a.cc", "bench/b.h"),
        ]:
            files = self.includes(source, header)
            files[source] = "#pragma once\n" + files[source]
            self.refuses(files, f"{source}:3:", "must not include")

    def test_refuses_a_header_of_all_headers_as_any_that_is_not_there(self):
        self.refuses({"tests/a.cc": '#include "obliq/obliq.h"\n'}, "obliq/obliq.h", "from the root")

    def test_refuses_circles_of_files(self):
        includes = '#include "{}"\n'.format
        self.accepts({"index/a.h": HEADER, "index/a.cc": includes("index/a.h"),
                      "index/b.h": HEADER + includes("index/a.h"),
                      "index/b.cc": includes("index/b.h") + includes("index/a.h")})
        # Headers, directly and by way of a third.
        self.refuses({"index/a.h": HEADER + includes("index/b.h"),
                      "index/b.h": HEADER + includes("index/a.h")},
                     "index/a -> index/b -> index/a")
        self.refuses({"core/a.h": HEADER + includes("core/b.h"),
                      "core/b.h": HEADER + includes("core/c.h"),
                      "core/c.h": HEADER + includes("core/a.h")},
                     "core/a -> core/b -> core/c -> core/a")
        # A header and the .cc of its name are one: their includes count together.
        self.refuses({"index/a.h": HEADER, "index/a.cc": includes("index/a.h") +
                      includes("index/b.h"), "index/b.h": HEADER + includes("index/a.h")},
                     "index/a -> index/b -> index/a")
        # Public headers, which are included without their first folder, count as well.
        self.refuses({"include/obliq/a.h": HEADER + includes("obliq/b.h"),
                      "include/obliq/b.h": HEADER + includes("obliq/a.h")},
                     "include/obliq/a -> include/obliq/b -> include/obliq/a")

    def test_refuses_kernels_that_include_more_than_their_contracts(self):
        files = {"core/kernels/kernels.h": HEADER + "#include <cstddef>\n"}
        for name in ("avx2.cc", "inline.h"):
            text = HEADER + '#include "core/kernels/kernels.h"\n#include <immintrin.h>\n'
            self.accepts({**files, f"core/kernels/{name}": text})
            self.refuses({**files, f"core/kernels/{name}": text + "#include <vector>\n"},
                         "vector")
        self.accepts({**files, "core/kernels/dispatch.cc": "#include <vector>\n"})
        self.refuses({"core/kernels/kernels.h": HEADER + "#include <vector>\n"}, "vector")

    def test_kernels_share_headers_within_their_instruction_set_only(self):
        files = {"core/kernels/kernels.h": HEADER, "core/kernels/avx512_block.h": HEADER}
        text = '#include "core/kernels/avx512_block.h"\n'
        self.accepts({**files, "core/kernels/avx512vnni.cc": text})
        self.refuses({**files, "core/kernels/avx2.cc": text}, "avx512_block.h")
        self.refuses({**files, "core/kernels/scalar.cc": text}, "avx512_block.h")
        self.refuses({**files, "core/kernels/kernels.h": HEADER + text}, "avx512_block.h")

    def test_kernels_share_vector_headers_across_instruction_sets(self):
        files = {"core/kernels/kernels.h": HEADER, "core/kernels/vector_lanes.h": HEADER}
        text = '#include "core/kernels/vector_lanes.h"\n'
        self.accepts({**files, "core/kernels/avx2.cc": text, "core/kernels/neon.cc": text})
        self.refuses({**files, "core/kernels/kernels.h": HEADER + text}, "vector_lanes.h")

    def test_refuses_paths_that_are_not_from_the_root(self):
        self.refuses({"quant/a.h": HEADER, "quant/b.cc": '#include "a.h"\n'}, "from the root")

    def test_refuses_an_own_header_that_is_not_first(self):
        self.refuses({"quant/a.h": HEADER, "quant/a.cc": '#include <vector>\n#include "quant/a.h"'},
                     "quant/a.cc:1:", "comes first")

    def test_refuses_text_that_is_not_ascii_but_not_data(self):
        self.refuses({"docs/a.md": "one\ntwo \u00b5s\n"}, "docs/a.md:2:", "ASCII")
        self.accepts({"datasets/sample/a.hdf5": "\u00b5s", "tests/fuzz/corpus/a/b": "\u00b5s"})
        self.accepts({"tests/golden/a/seg-01": "\u00b5s"})
        self.refuses({"tests/golden/a.txt": "\u00b5s"}, "golden/a.txt:1:", "ASCII")

    def test_refuses_long_lines_and_files(self):
        self.accepts({"quant/a.cc": "// " + 97 * "x" + "\n", "docs/a.md": 200 * "x"})
        self.refuses({"quant/a.cc": "// " + 98 * "x" + "\n"}, "a.cc:1:", "101 columns")
        self.accepts({"quant/a.cc": 400 * "\n"})
        self.refuses({"quant/a.cc": 401 * "\n"}, "401 lines")

    def test_refuses_long_functions(self):
        self.accepts({"quant/a.cc": function(40), "core/kernels/avx2.cc": function(80)})
        self.refuses({"quant/a.cc": "\n" + function(41)}, "quant/a.cc:2:", "41 lines")
        self.refuses({"core/kernels/avx2.cc": function(81)}, "81 lines")
        self.refuses({"quant/a.cc": "namespace a {\n" + function(41) + "}\n"}, "41 lines")
        python = "def f():\n" + 40 * "    g()\n"
        self.refuses({"bench/a.py": python}, "bench/a.py:1:", "41 lines")

    def test_refuses_names_that_say_nothing(self):
        for name in ("utils.cc", "string_helpers.cc", "common/a.cc", "misc.cc"):
            self.refuses({"quant/" + name: ""}, "says nothing")
        self.accepts({"quant/uncommon.cc": ""})

    def test_refuses_words_that_the_style_bans(self):
        for text in ("using namespace std;", "std::mt19937 a;", "int a = std::rand();",
                     "std::random_device a;", 'printf("x");', "std::cout << 1;", "std::cerr << 1;",
                     "exit(1);", "int* a = new int;"):
            self.refuses({"index/a.cc": text}, "index/a.cc:1:")
            self.accepts({"index/a.cc": "// " + text, "index/b.cc": f'auto a = R"({text})";'})
        self.accepts({"tests/a.cc": "std::mt19937 a;", "tools/a.cc": "std::cout << 1;"})
        self.accepts({"index/a.cc": 'std::snprintf(a, 1, "x"); brand(1); renew = 1;'})

    def test_refuses_headers_without_guard_or_with_macros(self):
        self.refuses({"quant/a.h": "// Words.\n"}, "#pragma once")
        self.refuses({"quant/a.h": HEADER + "#define A 1\n"}, "macro")

    def test_refuses_braces_that_do_not_match(self):
        self.refuses({"quant/a.cc": "int f() {"}, "cannot be read")
        self.refuses({"quant/a.cc": "}"}, "cannot be read")


class FunctionLengths(unittest.TestCase):
    def lengths(self, text):
        return list(cpp_text.functions(text))

    def test_counts_from_the_signature_to_the_brace(self):
        self.assertEqual(self.lengths("\nint f(int a,\n      int b) {\n  return a;\n}\n"), [(2, 4)])

    def test_finds_members_templates_and_tests(self):
        self.assertEqual(self.lengths("struct A {\n  int f() { return 1; }\n public:\n"
                                      "  int g() const {\n  }\n};\n"), [(2, 1), (3, 3)])
        self.assertEqual(self.lengths("template <class T>\nT f(T a) {\n}\n"), [(1, 3)])
        self.assertEqual(self.lengths("template <class T>\nclass A {\n  int a = 1;\n};\n"), [])
        self.assertEqual(self.lengths("TEST(A, b) {\n}\n"), [(1, 2)])

    def test_constructors_with_brace_initialisers_are_one_function(self):
        self.assertEqual(self.lengths("A::A(int a)\n    : a_{a}, b_(a) {\n  f();\n}\n"), [(1, 4)])
        self.assertEqual(self.lengths("A::A(int a) : a_(a), b_{a} {}\nint f() {\n}\n"),
                         [(1, 1), (2, 2)])

    def test_lambdas_and_blocks_belong_to_their_function(self):
        self.assertEqual(self.lengths("void f() {\n  g([&](int a) {\n    if (a) { h(); }\n  });\n"
                                      "}\n"), [(1, 5)])

    def test_initialisers_and_enums_are_no_functions(self):
        self.assertEqual(self.lengths("enum class A : int { a, b };\nconst int t[] = {1, 2};\n"
                                      "struct B { int a = {}; int b{1}; };\nB b = {f(1), 2};\n"),
                         [])

    def test_braces_in_words_do_not_count(self):
        self.assertEqual(self.lengths("int f() {\n  // }\n  g('{', \"}\", R\"x(})x\", 1'000);\n"
                                      "  /* } */\n}\n#define A }\n"), [(1, 5)])


if __name__ == "__main__":
    unittest.main()
