"""What a search by default reaches and costs with each preset, on the sample: README's table.

    presets.py [--obliq PROGRAM] [--set SET] [--write]

Builds each preset with `obliq build`, measures it with `obliq eval` on one thread, one query per
call, and prints a Markdown table; --write puts it into README.md, between `<!-- presets sample -->`
and `<!-- end -->`.
"""

import argparse
import json
import os
import re
import subprocess
import tempfile

ROOT = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
README = os.path.join(ROOT, "README.md")
PRESETS = ("fast", "small", "tiny", "exact")
HEAD = ("preset", "recall@10", "all lists", "microseconds per query", "lists of {} scanned",
        "bytes per vector")


def lines_of(command):
    """The JSON lines that a command prints."""
    done = subprocess.run([*command, "--json"], stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def measure(program, vectors, preset, folder):
    """(row of the table, number of lists)"""
    index = os.path.join(folder, preset)
    built, = lines_of([program, "build", vectors, "-o", index, "--preset", preset])
    usual = lines_of([program, "eval", index, vectors])[0]
    every, = lines_of([program, "eval", index, vectors, "--nprobe", str(built["nlist"]),
                       "--repeat", "1"])
    row = (f"`{preset}`", f"{usual['recall']:.3f}", f"{every['recall']:.3f}",
           f"{usual['p50_us']:.0f}", f"{usual['lists']:.0f}", f"{usual['bytes_per_vector']:.0f}")
    return row, built["nlist"]


def table(rows, nlist):
    """In Markdown; the first column to the left, numbers to the right."""
    cells = [tuple(name.format(nlist) for name in HEAD), *rows]
    widths = [max(len(row[i]) for row in cells) for i in range(len(HEAD))]
    lines = ["| " + " | ".join(cell.rjust(width) if i else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))) + " |"
             for row in cells]
    rule = "| " + " | ".join("-" * (width - (i > 0)) + ":" * (i > 0)
                             for i, width in enumerate(widths)) + " |"
    return "\n".join([lines[0], rule, *lines[1:]])


def main():
    parser = argparse.ArgumentParser(description="Measures the default search of each preset.")
    parser.add_argument("--obliq", default=os.path.join(ROOT, "build/release/tools/obliq"))
    parser.add_argument("--set", default=os.path.join(
        ROOT, "datasets/sample/sample-384-angular.hdf5"))
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = [measure(options.obliq, options.set, preset, folder) for preset in PRESETS]
    text = table([row for row, _ in measured], measured[0][1])
    print(text)
    if not options.write:
        return
    with open(README, encoding="utf-8") as file:
        old = file.read()
    block = f"<!-- presets sample -->\n{text}\n<!-- end -->"
    new = re.sub(r"<!-- presets sample -->\n.*?<!-- end -->", block, old, flags=re.DOTALL)
    with open(README, "w", encoding="utf-8") as file:
        file.write(new)


if __name__ == "__main__":
    main()
