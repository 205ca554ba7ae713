"""Draws the recall-QPS chart of the JSON lines of bench/compare.py or of `obliq bench --out` (and
`obliq demo`), whose every line tells of the set.

    plot.py RESULTS.jsonl -o chart.png [--mode single|batch] [--threads 1] [--k 10]
            [--bytes 400:660]

Lines are Pareto frontiers. Recall is on a logit axis, so that .9, .99 and .999 are equally far
apart; QPS is logarithmic. A family of methods keeps its colour from chart to chart, its members
differ by dashes and marker: no two lines of a chart look alike. Each line is labelled at its right
end, with bytes per vector. Under the title stand CPU, date and what was measured.
"""

import argparse
import json
import math
import sys

from families import COLOURS, OTHER_COLOUR, family_of
from frontier import pareto
from report import k_of, title
from results import read_results

#: What a line of `obliq bench` must have; the last five are the same in all lines.
FIELDS = ("method", "mode", "threads", "recall", "qps", "bytes_per_vector", "dataset", "n", "dim",
          "nlist", "k")
STYLES = ["-", "--", ":", "-.", (0, (7, 2)), (0, (3, 1, 1, 1, 1, 1))]
MARKERS = ".^sDvx"
LABEL_GAP = 0.042  # of the height of the chart between two labels, at 5.6 inches
TICKS = [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995]
LOWEST, HIGHEST = 0.5, 0.9997  # recalls shown; a perfect one is drawn at HIGHEST


def read(path):
    """(run, lines) of either kind of file. Raises ValueError where it is neither, or is empty."""
    try:
        with open(path, encoding="utf-8") as file:
            lines = [json.loads(text) for text in file if text.strip()]
    except ValueError as error:
        raise ValueError(f"{path} holds no JSON lines: {error}") from error
    if not lines:
        raise ValueError(f"{path} is empty")
    if not isinstance(lines[0], dict):
        raise ValueError(f"{path} holds no JSON objects")
    if "run" in lines[0]:
        return read_results(path)
    for number, line in enumerate(lines, 1):
        missing = [name for name in FIELDS if name not in line]
        if missing:
            raise ValueError(f"line {number} of {path} has no '{missing[0]}': it is no file of "
                             "'obliq bench --out' or bench/compare.py")
    told = {name: lines[0][name] for name in ("cpu", "date", "version") if name in lines[0]}
    told.update({name: lines[0][name] for name in FIELDS[-4:]})
    return {"data": lines[0]["dataset"], **told}, lines


def curves_by_method(lines):
    """[(method, bytes per vector, points)] by family, then bytes."""
    groups = {}
    for line in lines:
        groups.setdefault(line["method"], []).append(line)
    curves = [(method, group[0]["bytes_per_vector"],
               [(line["recall"], line["qps"]) for line in group])
              for method, group in groups.items()]
    order = list(COLOURS)
    rank = {family: position for position, family in enumerate(order)}
    return sorted(curves, key=lambda c: (rank.get(family_of(c[0]), len(order)), c[1]))


def styles_of(methods):
    """[(colour, dashes, marker)] of methods, no two alike."""
    used, styles = {}, []
    for method in methods:
        family = family_of(method)
        colour = COLOURS.get(family, OTHER_COLOUR)
        number = used.setdefault(colour, 0)
        used[colour] += 1
        styles.append((colour, STYLES[number % len(STYLES)],
                       MARKERS[(number // len(STYLES)) % len(MARKERS)]))
    return styles


def spread(places, gap):
    """Places for labels within [0, 1], in the order of `places` and `gap` apart, close to them.
    Requires gap * (len(places) - 1) <= 1."""
    order = sorted(range(len(places)), key=places.__getitem__)
    result, least = list(places), 0.0
    for i in order:
        result[i] = least = max(result[i], least)
        least += gap
    most = 1.0
    for i in reversed(order):
        result[i] = min(result[i], most)
        most = result[i] - gap
    return result


def caption(run):
    """CPU, date and what was measured, as far as the run tells."""
    measured = run.get("commit") or run.get("version")
    parts = [run.get("cpu"), run.get("date"),
             measured and ("commit " if run.get("commit") else "") + measured]
    return ", ".join(part for part in parts if part)


def draw(axes, curves):
    """The lines; [(end of the line, its label, its look)] of those that lie within the chart."""
    ends = []
    styles = styles_of([method for method, _, _ in curves])
    for (method, size, points), (colour, dashes, marker) in zip(curves, styles):
        lowest = axes.get_xlim()[0]
        shown = [(min(recall, HIGHEST), qps) for recall, qps in points if recall >= lowest]
        if not shown:
            continue
        ours = method.startswith("obliq")
        line = pareto(shown)
        look = dict(linestyle=dashes, marker=marker, color=colour, markersize=5,
                    linewidth=2.4 if ours else 1.4, zorder=3 if ours else 2)
        axes.plot(*zip(*line), **look)
        ends.append((line[-1], f"{method} ({size:.0f} B)", look))
    return ends


def label_ends(axes, ends, height):
    """A sample and the label of each line to the right of the chart, joined to the line's end."""
    inside = axes.transData + axes.transAxes.inverted()
    places = [tuple(inside.transform(end)) for end, _, _ in ends]
    gap = LABEL_GAP * 5.6 / height
    for place, y, (_, text, look) in zip(places, spread([place[1] for place in places], gap), ends):
        axes.plot([place[0], 1.03], [place[1], y], color=look["color"], alpha=0.35, linewidth=0.7,
                  transform=axes.transAxes, clip_on=False, zorder=1)
        axes.plot([1.03, 1.055, 1.08], [y, y, y], transform=axes.transAxes, clip_on=False, **look)
        axes.text(1.09, y, text, transform=axes.transAxes, fontsize=8, va="center",
                  fontweight="bold" if text.startswith("obliq") else "normal")


def recalls_shown(recalls):
    """(left, right) of the axis, left < right and both within (0, 1): from LOWEST, the least recall
    or the tick below the highest to the tick above it; beneath LOWEST where none reaches that."""
    highest, least = max(recalls), min(recalls)
    right = next((tick for tick in TICKS if tick > highest), HIGHEST)
    if highest < LOWEST:
        return max(least, 0.002) / 2, right
    below = max((tick for tick in TICKS if tick < highest), default=LOWEST)
    return max(LOWEST, min(least, below)), right


def scale(axes, lines):
    left, right = recalls_shown([line["recall"] for line in lines])
    ticks = [tick for tick in TICKS if left <= tick <= right]
    if left < LOWEST:
        ticks = [left, (left + right) / 2, right]
    axes.set_xscale("logit")
    axes.set_yscale("log")
    axes.set_xlim(left, right)
    axes.set_xticks(ticks)
    axes.set_xticklabels([f"{tick:.4g}" for tick in ticks])
    axes.set_xticks([], minor=True)


def label(axes, run, lines):
    axes.set_xlabel(f"recall@{k_of(lines) or run['k']} (logit scale)")
    axes.set_ylabel("queries per second")
    axes.set_title(f"{run['data']}, {run['n']:,} x {run['dim']}, {run['nlist']} lists. "
                   f"{title(lines[0]['mode'], lines[0]['threads'])}\n{caption(run)}", loc="left",
                   fontsize=10)
    axes.text(1.09, 1.03, "method (bytes per vector)", transform=axes.transAxes, fontsize=8)
    axes.grid(True, which="major", alpha=0.3)


def draw_chart(run, lines, png):
    """Writes the PNG. Needs matplotlib and at least one line with a speed, all of one mode."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    curves = curves_by_method(lines)
    height = max(5.6, 0.42 * len(curves))
    figure, axes = pyplot.subplots(figsize=(10.5, height))
    scale(axes, lines)
    ends = draw(axes, curves)
    label_ends(axes, ends, height)
    label(axes, run, lines)
    figure.savefig(png, dpi=130, bbox_inches="tight")
    pyplot.close(figure)


def lines_of(lines, mode, threads, k=None):
    """The lines of a mode and a k (without one: that of the first line), timed or not."""
    k = k or k_of(lines)
    return [line for line in lines
            if (line["mode"], line["threads"], line.get("k")) == (mode, threads, k)]


def chosen(lines, mode, threads, sizes=(0, math.inf), k=None):
    """Those that have a speed, of methods within a range of bytes per vector."""
    return [line for line in lines_of(lines, mode, threads, k)
            if line["qps"] and sizes[0] <= line["bytes_per_vector"] <= sizes[1]]


def byte_range(text):
    """(least, most) of "400:660"; either may be left out."""
    least, _, most = text.partition(":")
    return float(least or 0), float(most or math.inf)


def chart_parser(description):
    """A parser of what every chart of such lines takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("results", help="JSON lines of bench/compare.py or obliq bench --out")
    parser.add_argument("-o", "--output", required=True, help="PNG to write")
    parser.add_argument("--mode", choices=["single", "batch"], default="single")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--k", type=int, help="neighbours per query; default: of the first line")
    return parser


def exit_code(program, draw, options):
    """Draws; says what went wrong on standard error."""
    try:
        draw(options)
    except ImportError as error:
        print(f"{program}: {error}: install matplotlib, e.g. apt-get install python3-matplotlib",
              file=sys.stderr)
        return 1
    except (OSError, ValueError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return 1
    return 0


def draw_chosen(options):
    run, lines = read(options.results)
    lines = chosen(lines, options.mode, options.threads, options.bytes, options.k)
    if not lines:
        raise ValueError(f"{options.results} has no speeds of mode {options.mode} with "
                         f"{options.threads} threads within the range of bytes")
    draw_chart(run, lines, options.output)


def main():
    parser = chart_parser("Draws the recall-QPS chart of JSON lines.")
    parser.add_argument("--bytes", type=byte_range, default=":", metavar="LEAST:MOST",
                        help="only methods within this range of bytes per vector")
    return exit_code("plot.py", draw_chosen, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
