"""Counts the lines that ten common tasks take with each library: python3 count_lines.py makes the
table of docs/migration.md, with --write there.

A line counts if it has code: no blank, no comment, no import, at most 100 columns. A task begins
with "# task: NAME" and ends with "# check", which holds what was found to the truth, or with the
next task. "(by hand)" behind a name says that the library has no call for it, but that a few lines
of the caller do it; "(not offered)" that it takes more than that, or cannot be done.
"""

import pathlib
import re
import sys

FOLDER = pathlib.Path(__file__).resolve().parent
PAGE = FOLDER.parents[1] / "docs" / "migration.md"
LIBRARIES = {"obliq": "obliq", "faiss": "FAISS", "hnswlib": "hnswlib", "usearch": "USearch",
             "lancedb": "LanceDB", "chromadb": "Chroma"}
BEGIN, END = "<!-- tasks -->\n", "<!-- end -->"


def tasks_of(text: str) -> "dict[str, str]":
    """By name of a task its count of lines, as a cell of the table."""
    cells = {}
    parts = re.split(r"^# task: (.+?)(?: \((by hand|not offered)\))?$", text, flags=re.M)[1:]
    for name, how, body in zip(parts[::3], parts[1::3], parts[2::3]):
        lines = body.split("\n# check\n")[0].split("\n")
        count = sum(1 for line in lines if is_code(line.strip()))
        if (how == "not offered") != (count == 0):
            raise ValueError(f"{name}: {how}, {count} lines")
        cells[name] = how if count == 0 else f"{count}, {how}" if how else str(count)
    return cells


def is_code(line: str) -> bool:
    return bool(line) and not line.startswith(("#", "import ", "from "))


def table() -> str:
    """The table in Markdown, a row for each task."""
    cells = {name: tasks_of((FOLDER / f"with_{name}.py").read_text()) for name in LIBRARIES}
    tasks = list(cells["obliq"])
    for name, counted in cells.items():
        if list(counted) != tasks:
            raise ValueError(f"with_{name}.py has other tasks than with_obliq.py")
    rows = [["task", *LIBRARIES.values()], ["---", *("--:" for _ in LIBRARIES)]]
    rows += [[task, *(cells[name][task] for name in LIBRARIES)] for task in tasks]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def with_table(text: str) -> str:
    """The page with this table in the place of the one it has."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + table() + END + rest.split(END, 1)[1]


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        PAGE.write_text(with_table(PAGE.read_text()))
    else:
        print(table(), end="")
