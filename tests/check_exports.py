"""Proves that the shared library shows what the public headers mark OBLIQ_API and nothing else, and
each symbol as one of its version.

Usage: check_exports.py LIBRARY INCLUDE_FOLDER NODE   (NM names the tool, else the one on the path)

NODE is the version of the linker map, as in OBLIQ_0.2. A class inside a class must be marked
itself. Every C function that the headers mark must be there.
"""

import os
import pathlib
import re
import subprocess
import sys

import cpp_text

PUBLIC = re.compile(r"\bOBLIQ_API\s+(?:virtual\s+)?([^;({]*)")
PREFIX = re.compile(r"^(?:vtable|typeinfo|typeinfo name|VTT|guard variable) for ")


def public_names(folder):
    """Names of classes and functions that the headers in `folder` mark OBLIQ_API."""
    names = set()
    for path in pathlib.Path(folder).rglob("*.h"):
        for found in PUBLIC.finditer(cpp_text.blank_words(path.read_text())):
            before = found.string[:found.start()].split("\n")[-1]
            words = re.sub(r"\s(?:final\b|:).*", "", found.group(1), flags=re.DOTALL)
            is_class = re.search(r"\b(?:class|struct)\s*$", before)
            names.add(re.findall(r"\w+", words)[0 if is_class else -1])
    return names


def shown_symbols(library):
    """(kind, demangled symbol, version or "") of what `library` exports, but for the versions."""
    command = [os.environ.get("NM") or "nm", "--dynamic", "--demangle", "--defined-only", library]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        _, kind, symbol = line.split(" ", 2)
        symbol, _, version = symbol.partition("@@")
        if kind != "A":
            yield kind, PREFIX.sub("", symbol), version


def faults_of(library, names, node):
    """Symbols that `library` exports and no header promises, or without their version; and C
    functions that a header promises and it does not export."""
    missing = {name for name in names if name.startswith("obliq_")}
    for kind, symbol, version in shown_symbols(library):
        missing.discard(symbol)
        found = re.search(r"\bobliq::(\w+)(?:::(\w+)(?:::|$))?", symbol)
        parts = set(filter(None, found.groups())) if found else {symbol}
        if not names.issuperset(parts):
            yield f"not public but exported: {kind} {symbol}"
        elif version != node:
            yield f"not of version {node}: {kind} {symbol}"
    for name in sorted(missing):
        yield f"public but not exported: {name}"


def main(arguments):
    library, folder, node = arguments
    names = public_names(folder)
    faults = sorted(set(faults_of(library, names, node)))
    for fault in faults:
        print(fault)
    print(f"{len(names)} public names, {len(faults)} faults")
    return 1 if faults or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
