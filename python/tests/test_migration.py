"""The pages for those who come from FAISS, hnswlib and USearch, run against these libraries."""

import importlib
import os
import pathlib
import re
import subprocess
import sys

import pytest
from test_documents import ROOT, code_blocks

LIBRARIES = ["faiss", "hnswlib", "usearch"]
PAGES = ROOT / "docs" / "migration"
TASKS = ROOT / "examples" / "tasks"


def library(name: str) -> None:
    """Skips, and says so, where the library is not here."""
    pytest.importorskip(name, reason=f"{name} is not installed: its examples were NOT run")


@pytest.mark.parametrize("name", LIBRARIES)
def test_the_examples_of_a_page_find_what_the_library_finds(
        name: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library(name)
    page = PAGES / f"{name}.md"
    monkeypatch.chdir(tmp_path)
    exec(compile(code_blocks(page), str(page), "exec"), {"__name__": "document"})


@pytest.mark.parametrize("name", LIBRARIES)
def test_each_example_of_a_page_compares(name: str) -> None:
    blocks = re.findall(r"^```python\n(.*?)^```$", (PAGES / f"{name}.md").read_text(), re.M | re.S)
    assert len(blocks) >= 5 and f"import {name}" in blocks[0].replace("from ", "import ")
    assert [block for block in blocks if not re.search(r"^ *assert ", block, re.M)] == []


@pytest.mark.parametrize("name", ["obliq", *LIBRARIES])
def test_the_tasks_find_what_is_true(name: str, tmp_path: pathlib.Path) -> None:
    library(name)
    done = subprocess.run([sys.executable, str(TASKS / f"with_{name}.py")], text=True, timeout=300,
                          capture_output=True, cwd=tmp_path, check=False,
                          env={**os.environ, "OMP_WAIT_POLICY": "passive"})
    assert done.returncode == 0, done.stderr


def test_the_table_holds_the_counted_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TASKS))
    count_lines = importlib.import_module("count_lines")
    page = (ROOT / "docs" / "migration.md").read_text()
    assert count_lines.with_table(page) == page


def test_blanks_comments_and_imports_are_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TASKS))
    count_lines = importlib.import_module("count_lines")
    text = ("import a\n# task: one\nimport b\nfrom c import d\n\n# why\nx = 1  # so\n    y(x)\n"
            "# check\nassert x\n\n# task: two (by hand)\nz()\n\n# task: three (not offered)\n")
    assert count_lines.tasks_of(text) == {"one": "2", "two": "1, by hand", "three": "not offered"}
    with pytest.raises(ValueError, match="three"):
        count_lines.tasks_of(text + "z()\n")
