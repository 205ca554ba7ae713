"""The libraries that take part in a comparison, and the virtual environment of each.

A library is a few runner scripts of this folder and the pip packages they need beside NumPy and
h5py; its environment is build/peers/NAME, made when it is first asked for. obliq runs in the
environment of the harness itself, from the build tree. FILTERED says who searches under filters,
by which runners; some take part in that comparison alone. NOT_MADE and NOT_FILTERED say who is left
out, and why.
"""

import os
import subprocess
import sys
from typing import NamedTuple

FOLDER = os.path.dirname(os.path.abspath(__file__))
ENVIRONMENTS = os.path.normpath(os.path.join(FOLDER, "..", "..", "build", "peers"))
COMMON = ("numpy>=2.0", "h5py>=3.11")


class Library(NamedTuple):
    runners: tuple   # scripts of this folder, without .py
    packages: tuple  # pip requirements; empty: the harness's own environment
    quick: dict      # runner -> specs of a quick comparison; others sit it out


LIBRARIES = {
    "obliq": Library(("obliq_ivf",), (), {"obliq_ivf": ["lm2", "lm4", "sq8"]}),
    "faiss": Library(("faiss_ivf", "faiss_hnsw"), ("faiss-cpu>=1.15",), {
        "faiss_ivf": ["RaBitQfs4", "PQ{d/2}x4fs", "PQ{d/2}x4fs,Refine(SQ8)"]}),
    "rabitqlib": Library(("rabitqlib_ivf", "rabitqlib_graph"), ("rabitqlib>=0.7",), {
        "rabitqlib_ivf": ["4", "9"]}),
    "turbovec": Library(("turbovec_flat",), ("turbovec>=1.1",), {"turbovec_flat": ["4"]}),
    # PyPI has hnswlib as source only, so this one needs a compiler.
    "hnswlib": Library(("hnswlib_graph",), ("--no-binary=hnswlib", "hnswlib>=0.8"), {
        "hnswlib_graph": ["M16"]}),
    "usearch": Library(("usearch_graph",), ("usearch>=2.26",), {"usearch_graph": ["i8"]}),
    "scann": Library(("scann_tree",), ("scann>=1.4",), {"scann_tree": ["int8"]}),
    "svs": Library(("svs_graph",), ("scalable-vs>=0.5",), {"svs_graph": ["LVQ4x8"]}),
    # Source only, too.
    "lorann": Library(("lorann_lists",), ("--no-binary=lorann", "lorann>=1.0"), {
        "lorann_lists": ["g128:r32"]}),
}
# Who would belong here and cannot be made from PyPI, as of the version that was tried.
NOT_MADE = {
    "ngt": "the wheel can open a quantized graph (NGT-QG) and not make one (2.8.0.post1: ngtpy has "
           "nothing for it, and the commands `qbg create-qg` and `build-qg` are not on PyPI)",
}

ONLY_FILTERED = {
    "lancedb": Library((), ("lancedb>=0.40",), {}),
    "chromadb": Library((), ("chromadb>=1.5",), {}),
}
FILTERED = {"obliq": "filtered_obliq", "faiss": "filtered_faiss", "hnswlib": "filtered_hnswlib",
            "lancedb": "filtered_lance", "chromadb": "filtered_chroma"}
# Who cannot, as of the version that is compared.
NOT_FILTERED = {
    "usearch": "the wheel takes no predicate (2.26: Index.search has none; its C++ interface does)",
}


def python_of(name):
    """The interpreter of a library's environment, made and filled first where it is missing.
    Raises OSError with pip's last words when that fails, for instance without a wheel."""
    packages = (LIBRARIES | ONLY_FILTERED)[name].packages
    if not packages:
        return sys.executable
    folder = os.path.join(ENVIRONMENTS, name)
    python, listed = os.path.join(folder, "bin", "python"), os.path.join(folder, "packages.txt")
    wanted = "\n".join(COMMON + packages)
    if os.path.exists(listed):
        with open(listed, encoding="utf-8") as file:
            if file.read() == wanted:
                return python
    print(f"installing {' '.join(packages)} into {folder}", file=sys.stderr)
    call([sys.executable, "-m", "venv", folder])
    call([python, "-m", "pip", "install", "--quiet", "--only-binary=:all:",
          "--disable-pip-version-check", *COMMON, *packages])
    with open(listed, "w", encoding="utf-8") as file:
        file.write(wanted)
    return python


def call(words):
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError("; ".join(done.stderr.strip().splitlines()[-2:]))
