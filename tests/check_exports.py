"""Proves that the shared library shows what the public headers mark OBLIQ_API and nothing else.

Usage: check_exports.py LIBRARY INCLUDE_FOLDER   (NM names the tool, else the one on the path)

A class inside a class must be marked itself. Two kinds are let through. Weak symbols of the
standard library: their headers make them visible whatever the library asks, and every C++ program
may define them. Locks of named OpenMP critical sections: OpenMP wants one for the whole program.
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


def hidden_but_shown(library, names):
    """Symbols that `library` exports and no header promises."""
    command = [os.environ.get("NM") or "nm", "--dynamic", "--demangle", "--defined-only", library]
    listing = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    for line in listing.splitlines():
        _, kind, symbol = line.split(" ", 2)
        symbol = PREFIX.sub("", symbol)
        if kind in "WVu" and re.search(r"\bstd::|\b__gnu_cxx::", symbol):
            continue
        if symbol.startswith(".gomp_critical_user_obliq_"):
            continue
        found = re.search(r"\bobliq::(\w+)(?:::(\w+)(?:::|$))?", symbol)
        if not found or not names.issuperset(filter(None, found.groups())):
            yield f"{kind} {symbol}"


def main(arguments):
    library, folder = arguments
    names = public_names(folder)
    shown = sorted(set(hidden_but_shown(library, names)))
    for symbol in shown:
        print("not public but exported:", symbol)
    print(f"{len(names)} public names, {len(shown)} symbols shown besides")
    return 1 if shown or not names else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
