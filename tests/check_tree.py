"""Holds the tree to the rules of CONTRIBUTING.md that a machine can check.

Usage: check_tree.py [ROOT]. Prints one line "path:line: what is wrong" a fault. Exit status 0 when
there is none, 1 otherwise.

Folders form a line, and a file may include its own folder and those below it:

    include/obliq   nothing
    core            include/obliq: numbers and threads that know nothing of an index
    storage         nothing: bytes that know nothing of vectors
    quant           core; the folders below it are families: each may use quant, and query_aware
                    is below the others
    index/columns, index/segment, index/filter, index/search, index/tune, index/build, index
                    each those before it, and quant, storage, core
    capi            the library; only tests and benchmarks include it
    datasets        core, storage
    measure         core, quant
    python          the library
    tools, tools/measure, tools/commands     each those before it, and all but python
    bench           all but python and tools; also tests, so that kernels are timed by the cases
                    that test them
    tests           everything but python and bench
    core/kernels    each file but dispatch.cc: kernels.h, intrinsics, and headers of its own
                    instruction set, which keep this rule too: avx512vnni.cc may use avx512_block.h;
                    and headers named vector_*.h, which need no instruction set

Nor may files include each other in a circle, a header and the .cc of its name counting as one.
"""

import ast
import collections
import pathlib
import re
import sys

import cpp_text

FAMILIES = {"scalar", "query_aware", "trellis", "nested", "kashin", "water_filling"}
QUANT = {"quant"} | {f"quant/{family}" for family in FAMILIES}
STOREYS = ["index/columns", "index/segment", "index/filter", "index/search", "index/tune",
           "index/build", "index", "collection"]
INDEX = set(STOREYS)
LIBRARY = {"obliq", "core", "core/kernels", "storage"} | QUANT | INDEX
ALL = LIBRARY | {"datasets", "measure"}
MAY_INCLUDE = {
    "obliq": set(),
    "core": {"obliq", "core/kernels"},
    "core/kernels": set(),
    "storage": set(),
    "quant": {"obliq", "core", "core/kernels"},
    **{f"quant/{family}": {"obliq", "core", "core/kernels", "quant", "quant/query_aware"}
       for family in FAMILIES},
    **{storey: {"obliq", "core", "core/kernels", "storage", "quant"} | set(STOREYS[:i])
       for i, storey in enumerate(STOREYS)},
    "capi": LIBRARY,
    "datasets": {"obliq", "core", "core/kernels", "storage"},
    "measure": {"obliq", "core", "core/kernels"} | QUANT,
    "tools": ALL,
    "tools/measure": ALL | {"tools"},
    "tools/commands": ALL | {"tools", "tools/measure"},
    "bench": ALL | {"capi", "tests"},
    "python": LIBRARY,
    "tests": ALL | {"capi", "tools", "tools/measure", "tools/commands"},
}
KERNEL_INCLUDES = {"core/kernels/kernels.h", "immintrin.h", "arm_neon.h"}
KERNEL_HEADER_INCLUDES = {"cstddef", "cstdint"}
PRINTS_NOTHING = LIBRARY | {"capi", "datasets", "measure"}
FOLDERS = ("include", "core", "quant", "storage", "index", "collection", "capi", "datasets",
           "measure", "tools", "python", "bench", "tests", "examples", "docs", "cmake", ".ci")
CPP = {".cc", ".h"}
CODE = CPP | {".c", ".py", ".sh", ".cmake"}
TEXT = CODE | {".md", ".txt", ".json", ".in", ".toml", ".pyi", ".ipynb", ".yml", ""}
MAX_FILE, MAX_FUNCTION, MAX_KERNEL, MAX_COLUMNS = 400, 40, 80, 100
VAGUE = {"util", "utils", "common", "helper", "helpers", "misc"}
MACRO_HEADERS = {"include/obliq/export.h"}

BANNED = [  # pattern, which folders (None: all), what to say
    (r"\busing\s+namespace\b", None, "'using namespace': name things in full"),
    (r"\b(?:s?rand\s*\(|mt19937|random_device|minstd_rand|default_random_engine)",
     MAY_INCLUDE.keys() - {"tests"}, "randomness comes from core/random.h with a seed"),
    (r"\b(?:v?f?printf|puts|putchar|perror)\s*\(|\bstd::(?:cout|cerr|clog)\b|\bfmt::print\b",
     PRINTS_NOTHING, "the library never prints"),
    (r"\b(?:abort|exit|_exit|quick_exit)\s*\(", PRINTS_NOTHING,
     "the library never ends the program"),
    (r"\bnew\b(?!\s*\()", PRINTS_NOTHING | {"tools", "tools/measure", "tools/commands"},
     "'new': use values, containers, make_unique"),
]


def check(root):
    """Returns the faults of the tree at `root`, each a line of text."""
    faults = []
    edges = collections.defaultdict(set)
    for path in sorted(tree_files(root)):
        name = path.relative_to(root).as_posix()
        raw = path.read_bytes()
        faults += check_name(name)
        try:
            text = raw.decode("ascii")
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            faults.append(f"{name}:{line}: not ASCII")
            continue
        faults += check_shape(name, text)
        if path.suffix in CPP:
            faults += check_cpp(root, name, text)
            edges[unit_of(name)] |= units_included(root, name, text)
    return faults + check_circles(edges)


def unit_of(name):
    """A header and the .cc of its name are one unit."""
    return re.sub(r"\.(?:cc|h)$", "", name)


def units_included(root, name, text):
    """The units of the tree that a file includes, but its own."""
    units = set()
    for quoted in re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE):
        for base in ("", "include/"):
            if (root / (base + quoted)).is_file():
                units.add(unit_of(base + quoted))
                break
    return units - {unit_of(name)}


def check_circles(edges):
    """Units that include each other, directly or by way of others."""
    done, path, faults = set(), [], []

    def visit(unit):
        if unit in path:
            circle = path[path.index(unit):] + [unit]
            faults.append(f"{unit}.h:1: files include each other: " + " -> ".join(circle))
        elif unit not in done:
            path.append(unit)
            for other in sorted(edges.get(unit, ())):
                visit(other)
            path.pop()
            done.add(unit)

    for unit in sorted(edges):
        visit(unit)
    return faults


def tree_files(root):
    """Yields the text files that the rules are for: those at the top and in FOLDERS."""
    for path in root.iterdir():
        if path.is_file() and path.name != ".git":
            yield path
    for folder in FOLDERS:
        for path in (root / folder).rglob("*"):
            inside = path.relative_to(root).parts
            is_data = "corpus" in inside or ("golden" in inside and not path.suffix)
            if path.is_file() and "__pycache__" not in inside and not is_data:
                if path.suffix in TEXT:
                    yield path


def check_name(name):
    words = re.split(r"[_.\-/]", name.lower())
    return [f"{name}:1: '{word}' says nothing: name the concept"
            for word in words if word in VAGUE]


def check_shape(name, text):
    """Lengths of lines, files and functions."""
    path = pathlib.PurePosixPath(name)
    if path.suffix not in CODE and path.name not in {"CMakeLists.txt", "dev", "run"}:
        return []
    faults = []
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        if len(line) > MAX_COLUMNS:
            faults.append(f"{name}:{number}: {len(line)} columns, at most {MAX_COLUMNS}")
    count = text.count("\n")
    if count > MAX_FILE:
        faults.append(f"{name}:{count}: {count} lines, at most {MAX_FILE}: split by concept")
    limit = MAX_KERNEL if name.startswith("core/kernels/") else MAX_FUNCTION
    try:
        spans = list(function_spans(path.suffix, text))
    except (ValueError, SyntaxError) as error:
        return faults + [f"{name}:1: cannot be read: {error}"]
    for first, length in spans:
        if length > limit:
            faults.append(f"{name}:{first}: a function of {length} lines, at most {limit}")
    return faults


def function_spans(suffix, text):
    if suffix in CPP | {".c"}:
        yield from cpp_text.functions(text)
    elif suffix == ".py":
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.lineno, node.end_lineno - node.lineno + 1


def folder_of(name):
    """The folder of MAY_INCLUDE that a file belongs to: the longest that leads to it."""
    name = name.removeprefix("include/")
    parts = name.split("/")[:-1]
    for end in range(len(parts), 0, -1):
        folder = "/".join(parts[:end])
        if folder in MAY_INCLUDE:
            return folder
    return parts[0] if parts else ""


def check_cpp(root, name, text):
    faults = check_includes(root, name, text)
    code = cpp_text.blank_words(text)
    for pattern, folders, message in BANNED:
        if folders is None or folder_of(name) in folders:
            for found in re.finditer(pattern, code):
                faults.append(f"{name}:{code.count(chr(10), 0, found.start()) + 1}: {message}")
    if name.endswith(".h"):
        if "#pragma once" not in text:
            faults.append(f"{name}:1: no '#pragma once'")
        if re.search(r"^\s*#\s*define\b", text, re.MULTILINE) and name not in MACRO_HEADERS:
            faults.append(f"{name}:1: a macro in a header")
    return faults


def check_includes(root, name, text):
    """Include order: only lower folders, from the root, own header first."""
    faults = []
    own = re.sub(r"\.cc$", ".h", name)
    first = True
    for number, line in enumerate(text.split("\n"), 1):
        found = re.match(r'\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', line)
        if not found:
            continue
        target, where = found.group(1) or found.group(2), f"{name}:{number}:"
        faults += [f"{where} {why}" for why in include_faults(root, name, found.group(1), target)]
        if first and name.endswith(".cc") and (root / own).is_file() and target != own:
            faults.append(f"{where} own header {own} comes first")
        first = False
    return faults


def include_faults(root, name, quoted, target):
    if name.startswith("core/kernels/") and not name.endswith(("/dispatch.cc", "/dispatch.h")):
        header = name.endswith("/kernels.h")
        own = re.match(r"core/kernels/([a-z0-9]+)_\w+\.h$", target)
        own = own and not header and (
            own.group(1) == "vector" or name.startswith("core/kernels/" + own.group(1)))
        if not own and target not in (KERNEL_HEADER_INCLUDES if header else KERNEL_INCLUDES):
            return [f"kernels include kernels.h and intrinsics only, not {target}"]
    if quoted is None:
        return []
    if not any((root / base / quoted).is_file() for base in ("", "include")):
        return [f"{quoted} is not a path from the root"]
    mine, theirs = folder_of(name), folder_of(quoted)
    if theirs != mine and theirs not in MAY_INCLUDE.get(mine, set()):
        return [f"{mine} must not include {theirs} ({quoted})"]
    return []


def main(arguments):
    root = pathlib.Path(arguments[0] if arguments else ".").resolve()
    faults = check(root)
    for fault in faults:
        print(fault)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
