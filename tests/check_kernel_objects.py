"""Proves that no kernel object can leak its instruction set into the rest of a program.

Usage: check_kernel_objects.py OBJECT...   (NM and READELF name the tools, else those on the path)

A file compiled for AVX must not carry inline functions of shared headers: the linker keeps one copy
of each for the whole program, perhaps the AVX one. Nor may it run code when the program loads. So
each object has exactly one global symbol, its install function, no weak symbols, no start-up code,
and calls nothing in C++ but installers of other parts of its own level. A Debug build shows faults
that an optimised build may hide by inlining.
"""

import os
import pathlib
import subprocess
import sys

START_UP = (".init_array", ".preinit_array", ".ctors", ".init")


def run(variable, tool, *arguments):
    command = [os.environ.get(variable) or tool, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def faults_of(path):
    """Returns what is wrong with the kernel object at `path`, each a line of text."""
    isa = pathlib.PurePath(path).name.split(".")[0]
    faults = []
    installers = []
    for line in run("NM", "nm", "--format=posix", path).splitlines():
        name, kind = line.split()[:2]
        if kind in "WwVvu":
            faults.append(f"weak or unique symbol {name}")
        elif kind == "U" and name.startswith("_Z") and f"install_{isa}_" not in name:
            faults.append(f"calls {name}, which another object defines")
        elif kind.isupper() and kind not in "UN":
            installers.append(name)
    if len(installers) != 1 or f"install_{isa}" not in installers[0]:
        faults.append(f"global symbols {installers}, expected install_{isa} alone")
    for line in run("READELF", "readelf", "--sections", "--wide", path).splitlines():
        words = line.replace("[", " ").replace("]", " ").split()
        if len(words) > 2 and words[0].isdigit() and words[1].startswith(START_UP):
            faults.append(f"runs code at load: section {words[1]}")
    return [f"{path}: {fault}" for fault in faults]


def main(paths):
    if not paths:
        print("no kernel object given")
        return 2
    faults = [fault for path in paths for fault in faults_of(path)]
    for fault in faults:
        print(fault)
    print(f"{len(paths)} kernel objects, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
