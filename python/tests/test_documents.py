"""What the documents and examples show runs as it stands there."""

import os
import pathlib
import re
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"


def code_blocks(path: pathlib.Path) -> str:
    """The Python code of a Markdown file, one program; lines keep their numbers."""
    lines, inside = [], False
    for line in path.read_text().split("\n"):
        if line.startswith("```"):
            inside = line == "```python"
            line = ""
        lines.append(line if inside else "")
    return "\n".join(lines)


NEEDED = {"docs/stores.md": ["langchain_core", "llama_index.core", "haystack"]}


@pytest.mark.parametrize("name", ["README.md", "docs/guide.md", "docs/python.md",
                                  "docs/stores.md"])
def test_the_code_of_a_document_runs(name: str, tmp_path: pathlib.Path,
                                     monkeypatch: pytest.MonkeyPatch) -> None:
    for module in NEEDED.get(name, []):
        pytest.importorskip(module, reason=f"{module} is not installed")
    code = code_blocks(ROOT / name)
    assert re.search(r"^import obliq$", code, re.M) and re.search(r"^assert ", code, re.M)
    monkeypatch.chdir(tmp_path)
    exec(compile(code, name, "exec"), {"__name__": "document"})


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.py")), ids=lambda path: str(path.name))
def test_an_example_runs(path: pathlib.Path, tmp_path: pathlib.Path) -> None:
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    done = subprocess.run([sys.executable, str(path)], capture_output=True, text=True, timeout=300,
                          cwd=tmp_path, env=environment)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) > 3


@pytest.mark.parametrize("path", sorted(EXAMPLES.glob("*.ipynb")),
                         ids=lambda path: str(path.name))
def test_a_notebook_runs_and_is_kept_without_output(path: pathlib.Path,
                                                    tmp_path: pathlib.Path) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(path, as_version=4)
    assert not any(cell.get("outputs") for cell in notebook.cells)
    nbclient.NotebookClient(notebook, timeout=300, kernel_name="python3",
                            resources={"metadata": {"path": str(tmp_path)}}).execute()
