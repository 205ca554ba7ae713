"""Proves that programs and libraries are hardened, by what their ELF files say.

Usage: check_hardening.py FILE...   (READELF names the tool, else the one on the path)

Asked for: full RELRO (the segment, and all symbols bound at start), a stack that is not executable,
the stack protector, the checked calls of the C library (_FORTIFY_SOURCE), and a search path of
libraries without an empty element, which would be the working directory.
"""

import os
import re
import subprocess
import sys


def read_elf(path):
    tool = os.environ.get("READELF") or "readelf"
    return subprocess.run([tool, "-dlW", "--dyn-syms", path], check=True, capture_output=True,
                          text=True).stdout


def faults_in(text):
    """What is missing, a line each, by the text of readelf -dlW --dyn-syms."""
    faults = []
    if not re.search(r"^ *GNU_RELRO ", text, re.MULTILINE):
        faults.append("no GNU_RELRO segment")
    if not re.search(r"\(BIND_NOW\)|\(FLAGS\).*BIND_NOW|\(FLAGS_1\).*NOW", text):
        faults.append("symbols are bound lazily")
    if not re.search(r"^ *GNU_STACK .* RW +0x", text, re.MULTILINE):
        faults.append("an executable stack")
    if not re.search(r"UND __stack_chk_fail\b", text):
        faults.append("no stack protector")
    if not re.search(r"UND __\w+_chk\b", text):
        faults.append("no checked calls (_FORTIFY_SOURCE)")
    for path in re.findall(r"\((?:RPATH|RUNPATH)\).*\[(.*)\]", text):
        if "" in path.split(":"):
            faults.append(f"an empty element in the search path '{path}'")
    return faults


def main(paths):
    bad = 0
    for path in paths:
        faults = faults_in(read_elf(path))
        bad += bool(faults)
        print(f"{path}: {'; '.join(faults) or 'hardened'}")
    return 1 if bad or not paths else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
