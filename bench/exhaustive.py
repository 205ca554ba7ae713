"""Recall of codes alone: every vector scored from its code, no lists, no rerank.

    exhaustive.py [--data SET.hdf5] [--specs lm2,lm4,...] [--faiss 'PQ{d/4};OPQ{d/4},PQ{d/4};...']
                  [--learn-queries SET.hdf5:learn_queries] [--queries N] [--out results]

obliq builds an index of one list and searches it with confidence 1, which refines every row; FAISS
(the faiss-cpu wheel) scores its flat indexes, by L2 and by inner product, and the better of both is
kept. Codes are learnt from the base, ':query' specs from the learn queries where given; the test
queries train nothing. Bytes are those of a code with its factors. Writes OUT/exhaustive.jsonl, a
line per method, and OUT/exhaustive.txt, a table by bytes.
"""

import argparse
import functools
import json
import os
import sys
import tempfile
import time

import h5py
import numpy as np

from contestants import FOLDER, TOOL, Failed, run_program

sys.path.insert(0, os.path.join(FOLDER, "peers"))
from benchmark_set import normalise  # noqa: E402

SAMPLE = os.path.normpath(os.path.join(FOLDER, "..", "datasets", "sample",
                                       "sample-384-angular.hdf5"))
SPECS = ("lm1,lm2,lm3,lm4,lm1:query,lm2:query,lm3:query,lm4:query,tq1,tq2,tq3,tq4,tq2.5,tq3.5,"
         "tqp2,tqp3,tqp4,tqp4:gaussian,kashin2,kashin4,kashin4:paper,kashin4:alternating,"
         "kashin2:signs,kashin2:anneal,e8q3,e8q4,e8q7,e8q14,e8q14:query,d4q8,z8,wf1,wf2,wf3,wf4,"
         "wf2:fractional,tcq1,tcq2,tcq3,tcq4,sq8")
FAISS = ("PQ{d/8};PQ{d/4};PQ{d/2};OPQ{d/8},PQ{d/8};OPQ{d/4},PQ{d/4};OPQ{d/2},PQ{d/2};"
         "RR{d},RaBitQ;RR{d},RaBitQ2;RR{d},RaBitQ3;RR{d},RaBitQ4;RR{d},EDEN;RR{d},EDEN2;"
         "RR{d},EDEN3;RR{d},EDEN4;SQ4;SQ8")


def arguments():
    parser = argparse.ArgumentParser(description="Recall of codes alone.")
    parser.add_argument("--data", default=SAMPLE, help="ann-benchmarks HDF5")
    parser.add_argument("--specs", default=SPECS, help="of obliq, with commas; '' for none")
    parser.add_argument("--faiss", default=FAISS, help="factory strings, with semicolons")
    parser.add_argument("--learn-queries", default="", help="FILE:dataset for ':query' specs")
    parser.add_argument("--queries", type=int, default=1000, help="of the set's test queries")
    parser.add_argument("--obliq", default=os.path.normpath(TOOL), help="the program")
    parser.add_argument("--out", default="results")
    return parser.parse_args()


class BenchmarkSet:
    """Queries and truth of a set, and its base once it is asked for."""

    def __init__(self, path, queries):
        with h5py.File(path) as file:
            self.truth = file["neighbors"][:queries, :10]
            self.queries = file["test"][:queries]
            self.angular = file.attrs["distance"] != "euclidean"
        self.path = path
        self.dim = self.queries.shape[1]

    def unit(self, vectors):
        """Vectors as FAISS shall compare them."""
        if self.angular:
            vectors = vectors.astype(np.float32)
            normalise(vectors)
        return vectors

    @functools.cached_property
    def base(self):
        """Every vector, as FAISS shall code it."""
        with h5py.File(self.path) as file:
            return self.unit(file["train"][:])

    def recall(self, ids):
        """Of ids [queries][10]."""
        hits = [len(set(found) & set(true)) for found, true in zip(ids, self.truth)]
        nearest = [true[0] in found[:1] for found, true in zip(ids, self.truth)]
        return {"recall_1": float(np.mean(nearest)), "recall_10": float(np.mean(hits)) / 10}


def bytes_of_spec(options, spec, dim):
    words = [options.obliq, "distortion", "--specs", spec, "--dim", str(dim), "--samples", "64",
             "--json"]
    return json.loads(run_program(words).splitlines()[-1])["bytes_per_vector"]


def run_spec(options, spec, data, folder):
    """One line: what a spec of obliq reaches."""
    index = os.path.join(folder, "index.idx")
    found = os.path.join(folder, "found.hdf5")
    queries = os.path.join(folder, "queries.npy")
    np.save(queries, data.queries)
    build = [options.obliq, "build", options.data, "-o", index, "--nlist", "1",
             "--quantizer", spec, "--json"]
    if options.learn_queries and spec.endswith((":query", ":beam")):
        build += ["--train-queries", options.learn_queries]
    seconds = json.loads(run_program(build).splitlines()[-1])["build_seconds"]
    run_program([options.obliq, "search", index, queries, "-k", "10", "--nprobe", "1",
                 "--confidence", "1", "-o", found])
    with h5py.File(found) as file:
        ids = file["neighbors"][:]
    return {"method": f"obliq {spec}", "bytes": bytes_of_spec(options, spec, data.dim),
            "build_seconds": seconds, **data.recall(ids)}


def run_faiss(storage, data):
    """One line: the better of L2 and inner product; None where this FAISS has no such index."""
    import faiss  # pylint: disable=import-outside-toplevel
    for divisor in (2, 4, 8):
        storage = storage.replace("{d/%d}" % divisor, str(data.dim // divisor))
    storage = storage.replace("{d}", str(data.dim))
    best = None
    for metric in (faiss.METRIC_L2, faiss.METRIC_INNER_PRODUCT):
        try:
            index = faiss.index_factory(data.dim, storage, metric)
        except RuntimeError as error:
            print(f"exhaustive: faiss {storage} left out: {str(error)[:100]}", file=sys.stderr)
            return None
        start = time.perf_counter()
        index.train(data.base)
        index.add(data.base)
        seconds = time.perf_counter() - start
        ids = index.search(data.unit(data.queries), 10)[1]
        line = {"method": f"faiss {storage}", "bytes": index.sa_code_size(),
                "build_seconds": seconds, **data.recall(ids)}
        if best is None or line["recall_10"] > best["recall_10"]:
            best = line
    return best


def table(lines, options):
    rows = [f"{os.path.basename(options.data)}, exhaustive scan of the codes, no rerank",
            f"{'method':<32}{'bytes':>8}{'recall@1':>10}{'recall@10':>11}{'build s':>9}"]
    for line in sorted(lines, key=lambda each: (each["bytes"], -each["recall_10"])):
        rows.append(f"{line['method']:<32}{line['bytes']:>8g}{line['recall_1']:>10.4f}"
                    f"{line['recall_10']:>11.4f}{line['build_seconds']:>9.1f}")
    return "\n".join(rows) + "\n"


def measure(options):
    data = BenchmarkSet(options.data, options.queries)
    with tempfile.TemporaryDirectory() as folder:
        for spec in filter(None, options.specs.split(",")):
            yield run_spec(options, spec, data, folder)
    for storage in filter(None, options.faiss.split(";")):
        line = run_faiss(storage, data)
        if line:
            yield line


def main():
    options = arguments()
    os.makedirs(options.out, exist_ok=True)
    lines = []
    try:
        with open(os.path.join(options.out, "exhaustive.jsonl"), "w", encoding="utf-8") as file:
            for line in measure(options):
                line["data"] = os.path.basename(options.data)
                file.write(json.dumps(line) + "\n")
                file.flush()
                lines.append(line)
                print(f"exhaustive: {line['method']} {line['recall_10']:.4f}", file=sys.stderr)
    except Failed as failure:
        print(f"exhaustive: {failure}", file=sys.stderr)
        return 1
    text = table(lines, options)
    with open(os.path.join(options.out, "exhaustive.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
