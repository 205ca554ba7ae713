"""Makes the tables and charts of the documents from the stored results, and nothing by hand.

    figures.py [--check]     --check writes nothing and fails when a document differs

A table stands between `<!-- KIND NAME -->` and `<!-- end -->`, where NAME is a file of
bench/results and KIND says what of it; `<!-- KIND NAME k=100 -->` takes another k of a run that has
several than its first:
    report    every table of every mode
    classes   one query per call: the fastest of obliq and of the peers by class of bytes
    choices   one query per call: every method of obliq
    growth    the cost of a query by the number of vectors
    targets   recall on unseen queries by target recall
CHARTS and BYTES_CHARTS list the pictures. Drawing needs matplotlib, the tables nothing.
"""

import argparse
import functools
import math
import os
import re
import sys

import growth
import targets
from contestants import FOLDER
from families import family_of
from report import choices_table, class_table, curves_of, report
from results import read_results

ROOT = os.path.normpath(os.path.join(FOLDER, ".."))
DOCUMENTS = ("README.md", "docs/guide.md", "docs/benchmarks.md", "docs/notes/benchmarks.md")
BLOCK = re.compile(r"<!-- (report|classes|choices|growth|targets) (\S+?)(?: k=(\d+))? -->\n"
                   r".*?<!-- end -->", re.DOTALL)

# picture -> (results, mode, threads, range of bytes per vector, the methods of obliq that it shows)
CHARTS = {
    "recall_qps_sentences": ("sentences-384-2026-11-30", "single", 1, (400, 660),
                             ("sq8, spill .5", "sq8, spill .5, sweep recall")),
    "recall_qps_sentences_all": ("sentences-384-2026-11-30", "single", 1, (0, math.inf),
                                 ("lm2", "lm4", "lm6, spill .5, sweep recall",
                                  "sq8, spill .5, sweep recall")),
    "recall_qps_sentences_batch": ("sentences-384-batch", "batch", 1, (0, math.inf),
                                   ("lm4, spill .5", "sq8, spill .5")),
}

# picture of speed at recall .95 over bytes -> (results, mode, threads)
BYTES_CHARTS = {"qps_bytes_sentences": ("sentences-384-2026-11-30", "single", 1)}


def results_of(name):
    """(run, points) of bench/results/NAME.jsonl."""
    return read_results(os.path.join(FOLDER, "results", name + ".jsonl"))


def block(match):
    """The text of a block as it should be."""
    kind, name, k = match.groups()
    run, points = results_of(name)
    curves = functools.partial(curves_of, points, "single", 1, int(k) if k else None)
    if kind == "report":
        text = report(run, points)
    elif kind == "classes":
        text = class_table(curves(), run["dim"])
    elif kind == "choices":
        text = choices_table(curves())
    else:
        text = {"growth": growth, "targets": targets}[kind].table(run, points)
    head = f"{kind} {name}" + (f" k={k}" if k else "")
    return f"<!-- {head} -->\n{text.strip()}\n<!-- end -->"


def redo_tables(check):
    """Names of the documents whose tables differ; rewritten unless `check`."""
    changed = []
    for name in DOCUMENTS:
        path = os.path.join(ROOT, name)
        with open(path, encoding="utf-8") as file:
            old = file.read()
        new = BLOCK.sub(block, old)
        if new != old:
            changed.append(name)
        if new != old and not check:
            with open(path, "w", encoding="utf-8") as file:
                file.write(new)
    return changed


def thinned(lines, ours):
    """The lines of the methods of obliq that are named, and of the one of each family of peers
    that is fastest at recall .95, or that reaches the highest recall where none reaches that."""
    kept = {f"obliq {name}" for name in ours}
    families = {}
    for curve in curves_of(lines, lines[0]["mode"], lines[0]["threads"]):
        if not curve.ours:
            families.setdefault(family_of(curve.method), []).append(curve)
    for curves in families.values():
        kept.add(max(curves, key=lambda curve: (curve.qps(0.95) or 0, curve.max_recall)).method)
    return [line for line in lines if line["method"] in kept]


def redo_charts():
    import plot_bytes
    from plot import chosen, draw_chart, lines_of

    for picture, (name, mode, threads, sizes, ours) in CHARTS.items():
        run, points = results_of(name)
        lines = thinned(chosen(points, mode, threads, sizes), ours)
        draw_chart(run, lines, image(picture))
    for picture, (name, mode, threads) in BYTES_CHARTS.items():
        run, points = results_of(name)
        plot_bytes.draw_chart(run, lines_of(points, mode, threads), image(picture))


def image(picture):
    """The file of a picture of the documents."""
    return os.path.join(ROOT, "docs", "img", picture + ".png")


def main():
    parser = argparse.ArgumentParser(description="Makes the documents' tables and charts.")
    parser.add_argument("--check", action="store_true", help="fail when a table is not up to date")
    options = parser.parse_args()
    changed = redo_tables(options.check)
    if options.check:
        for name in changed:
            print(f"{name} differs from bench/results: run ./dev figures", file=sys.stderr)
        return 1 if changed else 0
    redo_charts()
    print(f"tables changed in: {', '.join(changed) or 'none'}; "
          f"{len(CHARTS) + len(BYTES_CHARTS)} charts drawn")
    return 0


if __name__ == "__main__":
    sys.exit(main())
