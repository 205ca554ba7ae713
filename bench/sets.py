"""The data sets of the benchmark by name, and the program calls that make those of a seed.

    sets.py NAME [--folder results/sets]     prints the file, making a generated set when missing

sample      10,000 sentence embeddings, in the repository
sentences   120,000 of them; datasets/make_sentences.py makes the file
generated-* 1,000,000 rows with a power-law spectrum, queries from elsewhere than the base; the
            parameters are justified in docs/benchmarks.md

Queries of generated sets are moved (query-shift), spread along other directions than the base
(query-alpha) and prefer some clusters (query-skew), as those of other people would.
"""

import argparse
import os
import subprocess
import sys
from typing import NamedTuple

from contestants import FOLDER, TOOL, Failed

ROOT = os.path.normpath(os.path.join(FOLDER, ".."))
SAMPLE = os.path.join(ROOT, "datasets", "sample", "sample-384-angular.hdf5")
RESULTS = os.path.join(ROOT, "results", "sets")
EVERY_GENERATED = ["generate", "clustered", "--n", "1000000", "--queries", "1000",
                   "--learn-queries", "4000", "-k", "100", "--clusters", "1000",
                   "--query-skew", "0.5", "--seed", "7", "--float16"]


class Set(NamedTuple):
    """One data set: its file (in the folder of sets unless absolute), the nlist to search it by,
    and the arguments of obliq that make it."""
    file: str
    nlist: int
    words: tuple = ()


def generated(dim, metric, **options):
    words = ["--dim", str(dim), "--metric", metric]
    for name, value in options.items():
        words += ["--" + name.replace("_", "-"), str(value)]
    return Set(f"generated-{dim}-{metric}.hdf5", 4096, (*EVERY_GENERATED, *words))


SETS = {
    "sample": Set(SAMPLE, 128),
    "sentences": Set("sentences-384-angular.hdf5", 1536),
    "generated-128-l2": generated(128, "l2", alpha=1, within=0.6, query_shift=0.5,
                                  query_alpha=0.7),
    "generated-384-cosine": generated(384, "cosine", alpha=0.8, within=0.8, query_shift=0.25,
                                      query_alpha=0.6),
    "generated-1536-ip": generated(1536, "ip", alpha=0.8, within=0.82, query_shift=0.25,
                                   query_alpha=0.6),
}


def path_of(name_or_path, folder=RESULTS, obliq=TOOL):
    """The file of a set by name, made by the program `obliq` if it is a generated one that is not
    in `folder` yet; or the path itself. Raises Failed when there is no file."""
    if name_or_path not in SETS:
        if not os.path.isfile(name_or_path):
            raise Failed(f"'{name_or_path}' is neither a file nor a set: {', '.join(SETS)}")
        return name_or_path
    chosen = SETS[name_or_path]
    path = os.path.join(folder, chosen.file)
    if os.path.isfile(path):
        return path
    if not chosen.words:
        raise Failed(f"{path} is missing; copy it there, or make it with "
                     f"datasets/make_sentences.py --out {path} (its --help tells what that needs)")
    make(path, chosen.words, obliq)
    return path


def nlist_of(name_or_path):
    """The default nlist of a set by name; None for any other file."""
    return SETS[name_or_path].nlist if name_or_path in SETS else None


def make(path, words, obliq):
    """Runs obliq, which shows its progress and names the file once it is whole."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    print(f"sets: making {path}, minutes", file=sys.stderr, flush=True)
    try:
        done = subprocess.run([obliq, *words, "-o", path], stdout=sys.stderr, check=False)
    except OSError as error:
        raise Failed(f"cannot run {obliq}: {error}") from error
    if done.returncode:
        raise Failed(f"{' '.join([obliq, *words, '-o', path])}\nexit {done.returncode}")


def main():
    parser = argparse.ArgumentParser(description="Prints the file of a set, making it if needed.")
    parser.add_argument("name", choices=SETS)
    parser.add_argument("--folder", default=RESULTS)
    options = parser.parse_args()
    try:
        print(path_of(options.name, options.folder))
    except Failed as failure:
        print(f"sets: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
