"""How the cost of a query grows with the number of vectors.

    growth.py [--sizes 100000,1000000,10000000] [--folder results/growth] [--out FILE.jsonl]

Sets of one law and rising size are generated (96 dimensions, the law of generated-128-l2 in
sets.py), an index is built over each with the default settings, and nprobe is swept. The entries
scanned and the microseconds per query, on one thread, one query per call, are read off at recall@10
.90 and .95, their logarithm linear in recall between neighbouring points. Sets and indexes found in
the folder are kept. Writes a line per size and recall, and prints the table with the exponents: the
slopes of log cost over log n, by least squares.
"""

import argparse
import datetime
import json
import math
import os
import sys

from contestants import FOLDER, TOOL, Failed, run_program
from results import commit, machine, write_results
from sets import make

ROOT = os.path.normpath(os.path.join(FOLDER, ".."))
LAW = ["generate", "clustered", "--dim", "96", "--metric", "l2", "--queries", "500", "-k", "10",
       "--clusters", "1000", "--alpha", "1", "--within", "0.6", "--query-shift", "0.5",
       "--query-alpha", "0.7", "--query-skew", "0.5", "--seed", "7", "--float16"]
NPROBES = [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512]
RECALLS = (0.90, 0.95)
COSTS = {"entries": "entries scanned", "us": "microseconds"}


def arguments():
    parser = argparse.ArgumentParser(description="How the cost of a query grows with n.")
    parser.add_argument("--sizes", default="100000,1000000,10000000", help="with commas")
    parser.add_argument("--folder", default=os.path.join(ROOT, "results", "growth"))
    parser.add_argument("--obliq", default=os.path.normpath(TOOL), help="the program")
    parser.add_argument("--max-memory", default="3GB", help="of builds")
    parser.add_argument("--out", default=os.path.join(ROOT, "results", "growth.jsonl"))
    return parser.parse_args()


def prepared(size, options):
    """(set, index) of a size, made when missing."""
    path = os.path.join(options.folder, f"growth-{size}")
    if not os.path.isfile(path + ".hdf5"):
        make(path + ".hdf5", [*LAW, "--n", str(size)], options.obliq)
    if not os.path.isfile(path + ".obliq"):
        run_program([options.obliq, "build", path + ".hdf5", "-o", path + ".obliq",
                     "--max-memory", options.max_memory])
    return path + ".hdf5", path + ".obliq"


def swept(path, index, options):
    """What `obliq eval` tells of every nprobe."""
    out = run_program([options.obliq, "eval", index, path, "--json", "--repeat", "3", "--nprobe",
                       ",".join(map(str, NPROBES))])
    points = [json.loads(line) for line in out.splitlines()]
    return [dict(point, us=1e6 / point["qps"]) for point in points]


def cost_at(points, recall, cost):
    """A cost at a recall; None where no point of the sweep reaches it."""
    for low, high in zip(points, points[1:]):
        if low["recall"] < recall <= high["recall"]:
            share = (recall - low["recall"]) / (high["recall"] - low["recall"])
            return math.exp((1 - share) * math.log(low[cost]) + share * math.log(high[cost]))
    return None


def exponent(rows, cost):
    """The slope of log cost over log n; None with fewer than two sizes."""
    pairs = [(math.log(row["n"]), math.log(row[cost])) for row in rows if row[cost]]
    if len(pairs) < 2:
        return None
    x_mean, y_mean = (sum(values) / len(pairs) for values in zip(*pairs))
    return (sum((x - x_mean) * (y - y_mean) for x, y in pairs)
            / sum((x - x_mean) ** 2 for x, _ in pairs))


def table(run, points):
    """Markdown: a row per size, then the exponents."""
    columns = [(recall, cost) for recall in RECALLS for cost in COSTS]
    lines = [f"{run['dim']} dimensions, {run['quantizer']}, recall@10, one thread. {run['cpu']}, "
             f"{run['date']}; commit {run['commit']}.", "",
             "| vectors | lists | " + " | ".join(
                 f"{COSTS[cost]} at {recall:.2f}" for recall, cost in columns) + " |",
             "| ---: | ---: |" + " ---: |" * len(columns)]
    sizes = sorted({point["n"] for point in points})
    by_key = {(point["n"], point["at_recall"]): point for point in points}
    for size in sizes:
        cells = [by_key[size, recall][cost] for recall, cost in columns]
        lines.append(f"| {size:,} | {by_key[size, RECALLS[0]]['nlist']:,} | " + " | ".join(
            f"{cell:,.0f}" if cell else "-" for cell in cells) + " |")
    slopes = [exponent([by_key[size, recall] for size in sizes], cost) for recall, cost in columns]
    lines.append("| exponent | | " + " | ".join(
        f"**{slope:.2f}**" if slope is not None else "-" for slope in slopes) + " |")
    return "\n".join(lines)


def measure(options):
    """(run, points) of all sizes."""
    points, info = [], {}
    for size in map(int, options.sizes.split(",")):
        path, index = prepared(size, options)
        info = json.loads(run_program([options.obliq, "info", index, "--json"]))
        sweep = swept(path, index, options)
        for recall in RECALLS:
            costs = {cost: cost_at(sweep, recall, cost) for cost in COSTS}
            costs = {cost: value and round(value, 1) for cost, value in costs.items()}
            points.append({"n": size, "nlist": info["nlist"], "at_recall": recall, **costs})
        print(f"growth: {size:,} vectors done", file=sys.stderr, flush=True)
    described = machine()
    run = {"dim": info["dim"], "quantizer": info["quantizer"], "cpu": described["cpu"],
           "date": datetime.date.today().isoformat(), "commit": commit(ROOT), "law": " ".join(LAW)}
    return run, points


def main():
    options = arguments()
    try:
        run, points = measure(options)
    except Failed as failure:
        print(f"growth: {failure}", file=sys.stderr)
        return 1
    os.makedirs(os.path.dirname(os.path.abspath(options.out)), exist_ok=True)
    write_results(options.out, run, points)
    print(table(run, points))
    return 0


if __name__ == "__main__":
    sys.exit(main())
