"""How the tree is to live in, in numbers: sizes of files and functions, large classes, and the
longest chain of includes.

Usage: tree_figures.py [ROOT ...]. Prints one column per tree, so that two checkouts stand beside
each other. Counted are the C++ files of the library, datasets, tools and measuring code: not tests,
benchmarks or bindings.
"""

import pathlib
import re
import statistics
import sys

import cpp_text

FOLDERS = ("include", "core", "quant", "storage", "index", "collection", "datasets", "measure",
           "tools")
LONG = 30  # lines of a function
CLASS = re.compile(r"\b(?:class|struct)\s+(?:OBLIQ_API\s+)?(\w+)(?:\s+final)?(?:\s*:[^{;]*)?\s*\{")


def sources(root):
    """Names and texts of the C++ files of a tree."""
    files = {}
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*")):
            if path.suffix in (".cc", ".h"):
                files[path.relative_to(root).as_posix()] = path.read_text(encoding="ascii")
    return files


def members(code):
    """Yields (class, number of members) of text without words: declarations at its own depth."""
    for found in CLASS.finditer(code):
        depth, count, start = 1, 0, found.end()
        for mark in re.finditer(r"[{};]", code[found.end():]):
            at = found.end() + mark.start()
            if mark.group() == "{":
                depth += 1
                continue
            if mark.group() == "}":
                depth -= 1
                if depth == 0:
                    break
                if depth > 1:
                    continue
            elif depth > 1:
                continue
            if re.search(r"\w", re.sub(r"\b(?:public|private|protected)\s*:", "", code[start:at])):
                count += 1
            start = at + 1
        yield found.group(1), count


def includes(files):
    """The files of the tree that each file includes."""
    edges = {}
    for name, text in files.items():
        quoted = re.findall(r'^\s*#\s*include\s*"([^"]+)"', text, re.MULTILINE)
        edges[name] = [base + word for word in quoted for base in ("", "include/")
                       if base + word in files]
    return edges


def longest_chain(edges):
    """The longest chain of files of which each includes the next."""
    best = {}

    def chain(name):
        if name not in best:
            best[name] = [name]  # whoever asks meanwhile is in a circle
            best[name] = [name] + max((chain(other) for other in edges[name]), key=len, default=[])
        return best[name]

    return max((chain(name) for name in edges), key=len)


def figures(root):
    """(what, value) of a tree."""
    files = sources(root)
    lines = sorted(text.count("\n") for text in files.values())
    long = [length for text in files.values() for _, length in cpp_text.functions(text)
            if length > LONG]
    classes = sorted(((count, name) for text in files.values()
                      for name, count in members(cpp_text.blank_words(text))), reverse=True)
    return [
        ("files", len(files)),
        ("lines of a file, median", statistics.median(lines)),
        ("lines of a file, 90 %", lines[len(lines) * 9 // 10]),
        (f"functions over {LONG} lines", len(long)),
        ("largest classes", ", ".join(f"{name} {count}" for count, name in classes[:5])),
        ("longest chain of includes", len(longest_chain(includes(files)))),
    ]


def main(arguments):
    trees = [dict(figures(pathlib.Path(root).resolve())) for root in arguments or ["."]]
    for what in trees[0]:
        print(f"{what}: " + " | ".join(str(tree[what]) for tree in trees))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
