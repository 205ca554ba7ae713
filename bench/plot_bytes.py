"""Draws what a recall costs: queries per second at one recall over bytes per vector, a point for
each method of a file of bench/compare.py or `obliq bench --out`.

    plot_bytes.py RESULTS.jsonl -o chart.png [--mode single|batch] [--threads 1] [--k 10]
                  [--recall .95]

Both axes are logarithmic. The speed is read off a method's Pareto frontier (frontier.py). Methods
of obliq are stars with their names, peers are circles in the colour of their family (families.py).
The line is the frontier to the upper left: whoever is on it is faster than everybody that takes no
more bytes, and carries its name too. Who does not reach the recall is named below.
"""

import sys
import textwrap

from families import COLOURS, OTHER_COLOUR, family_of
from plot import caption, chart_parser, exit_code, lines_of, read, spread
from report import curves_of, k_of, title

RECALL = 0.95
LABEL_GAP = 0.028  # of the height of the chart between two names


def points_of(curves, recall=RECALL):
    """([(method, bytes, QPS)] by bytes, methods that do not reach the recall)."""
    speeds = [(curve.method, curve.bytes, curve.qps(recall)) for curve in curves]
    return ([point for point in speeds if point[2]],
            [method for method, _, qps in speeds if not qps])


def upper_left(points):
    """Those that are faster than everybody with no more bytes, by rising bytes and QPS."""
    best = []
    for point in sorted(points, key=lambda point: (point[1], -point[2])):
        if not best or point[2] > best[-1][2]:
            best.append(point)
    return best


def by_family(points):
    """{family: [(method, bytes, QPS)]} in the order of COLOURS, strangers last."""
    order = {family: number for number, family in enumerate(COLOURS)}
    groups = {}
    for point in points:
        groups.setdefault(family_of(point[0]), []).append(point)
    return dict(sorted(groups.items(), key=lambda pair: order.get(pair[0], len(order))))


def draw_points(axes, points):
    for family, group in by_family(points).items():
        ours = family.startswith("obliq")
        axes.scatter([size for _, size, _ in group], [qps for _, _, qps in group], label=family,
                     color=COLOURS.get(family, OTHER_COLOUR), marker="*" if ours else "o",
                     s=190 if ours else 42, edgecolor="white", linewidth=0.6,
                     zorder=4 if ours else 3)


def draw_frontier(axes, best):
    """Steps: between two of its methods, the fewer bytes give the speed of the smaller one."""
    if not best:
        return
    sizes, speeds = [point[1] for point in best], [point[2] for point in best]
    axes.plot(sizes + [axes.get_xlim()[1]], speeds + [speeds[-1]], drawstyle="steps-post",
              color="#444444", linewidth=1.2, zorder=2, label="fastest by its bytes")


def draw_names(axes, named, right=False):
    """Names of points on one side of them, apart from one another, joined to them by a line: to the
    left, where nobody is beyond the frontier, or to the right and a little below."""
    inside = axes.transData + axes.transAxes.inverted()
    places = [tuple(inside.transform(point[1:])) for point in named]
    heights = spread([y - LABEL_GAP * right for _, y in places], LABEL_GAP)
    for (method, size, _), (x, y), height in zip(named, places, heights):
        ours = method.startswith("obliq")
        axes.annotate(f"{method.removeprefix('obliq ')} ({size:.0f} B)", (x, y),
                      (x + (0.012 if right else -0.02), height), xycoords="axes fraction",
                      textcoords="axes fraction", ha="left" if right else "right", va="center",
                      fontsize=7.5, zorder=2.5, fontweight="bold" if ours else "normal",
                      arrowprops={"arrowstyle": "-", "color": "#999999", "linewidth": 0.6,
                                  "shrinkA": 0, "shrinkB": 4})


def scale(axes, points):
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    sizes = [size for _, size, _ in points]
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(min(sizes) / 2.4, max(sizes) * 1.2)  # room for names on the left
    speeds = [qps for _, _, qps in points]
    axes.set_ylim(min(speeds) / 1.4, max(speeds) * 1.4)
    left, right = axes.get_xlim()
    ticks = [size * 10 ** power for power in range(7) for size in (1, 2, 5)]
    axes.xaxis.set_major_locator(FixedLocator([tick for tick in ticks if left <= tick <= right]))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
    axes.grid(True, which="major", alpha=0.3)


def draw_chart(run, lines, png, recall=RECALL):
    """Writes the PNG of lines of one mode and k. Needs matplotlib; raises ValueError where no
    method reaches the recall."""
    mode, threads, k = lines[0]["mode"], lines[0]["threads"], k_of(lines) or run["k"]
    points, others = points_of(curves_of(lines, mode, threads), recall)
    if not points:
        raise ValueError(f"no method reaches recall@{k} {recall:g} in mode {mode}")
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(10.5, 6.4))
    scale(axes, points)
    best = upper_left(points)
    draw_frontier(axes, best)
    draw_points(axes, points)
    draw_names(axes, best)
    draw_names(axes, [point for point in points
                      if point not in best and point[0].startswith("obliq")], right=True)
    axes.set_xlabel("bytes per vector (log scale)")
    axes.set_ylabel(f"queries per second at recall@{k} {recall:g}")
    axes.set_title(f"{run['data']}, {run['n']:,} x {run['dim']}, {run['nlist']} lists. "
                   f"{title(mode, threads)}\n{caption(run)}", loc="left", fontsize=10)
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), fontsize=8, frameon=False)
    if others:
        text = f"Do not reach {recall:g}: {'; '.join(others)}."
        figure.text(0.125, 0.01, "\n".join(textwrap.wrap(text, 120)), fontsize=7.5, va="top")
    figure.savefig(png, dpi=130, bbox_inches="tight")
    pyplot.close(figure)


def draw_chosen(options):
    run, lines = read(options.results)
    k = options.k or k_of(lines)
    lines = lines_of(lines, options.mode, options.threads, k)
    if not lines:
        raise ValueError(f"{options.results} has no points of mode {options.mode} with "
                         f"{options.threads} threads and k = {k}")
    draw_chart(run, lines, options.output, options.recall)


def main():
    parser = chart_parser("Draws QPS at a recall over bytes per vector.")
    parser.add_argument("--recall", type=float, default=RECALL)
    return exit_code("plot_bytes.py", draw_chosen, parser.parse_args())


if __name__ == "__main__":
    sys.exit(main())
