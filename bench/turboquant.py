"""What of the TurboQuant paper (arXiv 2504.19874) can be measured again, in two parts.

    turboquant.py recall SET.hdf5... [--specs ...] [--rotations 20] [--faiss] -o recall.png
    turboquant.py errors [--dim 1536] [--samples 2000] -o errors.png

recall: Recall@1@k for k = 1, 2, 4 ... 64, how often the true nearest neighbour is among the first
k, all vectors scored from their codes, by obliq and by FAISS's PQ with the settings of the paper
(256 centroids for every 4 coordinates at 2 bits, for every 2 at 4 bits, trained on the set itself).
One rotation may be .02 off: with --rotations it is the mean over as many, with its standard error.
errors: histograms of the errors of inner products at the cosine 0.5, and bias and variance at the
cosines 0 to 0.9, for 1 to 4 bits. Both write JSON lines beside the chart (.jsonl) and draw it; the
chart alone is drawn again with --draw-only.
"""

import argparse
import json
import os
import statistics
import sys
import tempfile

from contestants import FOLDER, TOOL, Failed, run_program

KS = [1, 2, 4, 8, 16, 32, 64]
COLOURS = {"lm": "#0072b2", "tq": "#e69f00", "tqp": "#d55e00", "tqp:gaussian": "#cc79a7",
           "faiss PQ": "#7f7f7f"}
RHOS = [0, .1, .2, .3, .4, .5, .6, .7, .8, .9]


def lines_path(png):
    return os.path.splitext(png)[0] + ".jsonl"


# --- recall ---------------------------------------------------------------------------------------

def recall_at(ids, nearest):
    """[share of queries whose nearest is among the first k ids, for k of KS]."""
    places = [list(row).index(one) if one in row else len(row) for row, one in zip(ids, nearest)]
    return [sum(place < k for place in places) / len(places) for k in KS]


def mean_and_error(rows):
    """Mean of every column, and its standard error: None of one row."""
    means = [statistics.fmean(column) for column in zip(*rows)]
    if len(rows) < 2:
        return means, None
    return means, [statistics.stdev(column) / len(rows) ** 0.5 for column in zip(*rows)]


def obliq_ids(options, path, spec, seed, folder):
    import h5py
    index, found = os.path.join(folder, "index.idx"), os.path.join(folder, "found.hdf5")
    run_program([options.obliq, "build", path, "-o", index, "--nlist", "1", "--quantizer", spec,
                 "--seed", str(seed), "--no-tune", "--threads", "1"])
    run_program([options.obliq, "search", index, path, "-k", str(KS[-1]), "--nprobe", "1",
                 "--confidence", "1", "--threads", "1", "-o", found])
    with h5py.File(found) as file:
        return file["neighbors"][:]


def faiss_ids(path, bits):
    """PQ by inner product of unit vectors, 256 centroids for every 8/bits coordinates."""
    import faiss
    import h5py
    import numpy as np
    sys.path.insert(0, os.path.join(FOLDER, "peers"))
    from benchmark_set import normalise
    with h5py.File(path) as file:
        base, queries = (np.asarray(file[name], dtype=np.float32) for name in ("train", "test"))
    normalise(base)
    normalise(queries)
    index = faiss.IndexPQ(base.shape[1], base.shape[1] * bits // 8, 8, faiss.METRIC_INNER_PRODUCT)
    index.train(base)
    index.add(base)
    return index.search(queries, KS[-1])[1]


def measure_recall(options):
    import h5py
    for path in options.sets:
        name = os.path.splitext(os.path.basename(path))[0]
        with h5py.File(path) as file:
            nearest = file["neighbors"][:, 0]
        for method, answers in found_by_method(options, path):
            print(f"turboquant: {name} {method}", file=sys.stderr)
            mean, error = mean_and_error([recall_at(ids, nearest) for ids in answers])
            yield {"data": name, "method": method, "k": KS, "rotations": len(answers),
                   "recall": mean, "standard_error": error}


def found_by_method(options, path):
    """Pairs of a method's name and the ids that it finds, with each of its rotations."""
    with tempfile.TemporaryDirectory() as folder:
        for spec in options.specs.split(","):
            yield spec, [obliq_ids(options, path, spec, seed, folder)
                         for seed in range(1, options.rotations + 1)]
    for bits in (2, 4) if options.faiss else ():
        yield f"faiss PQ{bits}", [faiss_ids(path, bits)]


def bits_of(method):
    return int("".join(letter for letter in method.partition(":")[0] if letter.isdigit()))


def family_of(method):
    """"tqp4:gaussian" -> "tqp:gaussian", "faiss PQ4" -> "faiss PQ"."""
    stem, colon, option = method.partition(":")
    return stem.rstrip("0123456789") + colon + option


def draw_recall(lines, png):
    from matplotlib import pyplot
    sets = list(dict.fromkeys(line["data"] for line in lines))
    figure, grid = pyplot.subplots(1, len(sets), figsize=(6.5 * len(sets), 5), squeeze=False)
    for axes, name in zip(grid[0], sets):
        for line in lines:
            if line["data"] != name:
                continue
            family = family_of(line["method"])
            axes.plot(line["k"], line["recall"], "--" if bits_of(line["method"]) == 2 else "-",
                      marker="o", markersize=4, color=COLOURS.get(family, "black"),
                      label=line["method"])
        axes.set_xscale("log", base=2)
        axes.set_xticks(KS, [str(k) for k in KS])
        axes.set_xlabel("k")
        axes.set_ylabel("Recall@1@k")
        axes.set_title(name, loc="left", fontsize=11)
        axes.grid(True, alpha=0.3)
        axes.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(png, dpi=110)


# --- errors ---------------------------------------------------------------------------------------

def measure_errors(options):
    specs = [f"{family}{bits}{option}" for bits in (1, 2, 3, 4)
             for family, option in (("tq", ""), ("tqp", ""), ("tqp", ":gaussian"), ("lm", ""))
             if family != "tqp" or bits > 1]
    out = run_program([options.obliq, "distortion", "--dim", str(options.dim), "--specs",
                       ",".join(specs), "--samples", str(options.samples), "--rho",
                       ",".join(str(rho) for rho in RHOS), "--histogram", "60", "--json"])
    for text in out.splitlines():
        line = json.loads(text)
        line["spec"] = line["spec"].removesuffix(":orthogonal")
        yield line


def draw_errors(lines, png):
    from matplotlib import pyplot
    figure, grid = pyplot.subplots(3, 4, figsize=(16, 10))
    for line in lines:
        bits, family = int(line["bits"]), family_of(line["spec"])
        top, middle, bottom = (grid[row][bits - 1] for row in range(3))
        style = dict(color=COLOURS[family], label=line["spec"])
        histogram = line["ip_histograms"][RHOS.index(.5)]
        counts = histogram["counts"]
        width = (histogram["high"] - histogram["low"]) / len(counts)
        edges = [histogram["low"] + width * i for i in range(len(counts) + 1)]
        density = [count / sum(counts) / width for count in counts]
        top.stairs(density, edges, **style)
        middle.plot(line["rho"], line["ip_var_d"], marker=".", **style)
        bottom.plot(line["rho"], line["ip_bias"], marker=".", **style)
    for bits, (top, middle, bottom) in enumerate(zip(*grid), start=1):
        top.set_title(f"{bits} bit{'s' if bits > 1 else ''}", loc="left")
        top.set_xlabel("error of the product at cosine 0.5")
        top.set_yticks([])
        middle.set_ylabel("dim * variance")
        bottom.set_ylabel("bias")
        for axes in (middle, bottom):
            axes.set_xlabel("cosine of vector and query")
            axes.grid(True, alpha=0.3)
        middle.set_ylim(0)
        top.legend(fontsize=8)
    figure.tight_layout()
    figure.savefig(png, dpi=90)


# --------------------------------------------------------------------------------------------------

def arguments():
    parser = argparse.ArgumentParser(description="TurboQuant's experiments, measured again.")
    parts = parser.add_subparsers(dest="part", required=True)
    recall = parts.add_parser("recall")
    recall.add_argument("sets", nargs="*", help="ann-benchmarks HDF5 with cosine distances")
    recall.add_argument("--specs", default="tq2,tqp2,tqp2:gaussian,lm2,tq4,tqp4,tqp4:gaussian,lm4")
    recall.add_argument("--rotations", type=int, default=1, help="of obliq's codes, seeds 1 to N")
    recall.add_argument("--faiss", action="store_true", help="FAISS's PQ too (faiss-cpu)")
    errors = parts.add_parser("errors")
    errors.add_argument("--dim", type=int, default=1536)
    errors.add_argument("--samples", type=int, default=2000)
    for part in (recall, errors):
        part.add_argument("--obliq", default=os.path.normpath(TOOL), help="the program")
        part.add_argument("-o", "--output", required=True, help="PNG to write")
        part.add_argument("--draw-only", action="store_true", help="from the lines that are there")
    return parser.parse_args()


def main():
    options = arguments()
    measure, draw = {"recall": (measure_recall, draw_recall),
                     "errors": (measure_errors, draw_errors)}[options.part]
    try:
        if not options.draw_only:
            with open(lines_path(options.output), "w", encoding="utf-8") as file:
                for line in measure(options):
                    file.write(json.dumps(line) + "\n")
                    file.flush()
        with open(lines_path(options.output), encoding="utf-8") as file:
            draw([json.loads(text) for text in file], options.output)
    except (Failed, ImportError) as failure:
        print(f"turboquant.py: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
