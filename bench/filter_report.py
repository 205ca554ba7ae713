"""The tables and the chart of searches under filters.

    filter_report.py RESULTS.jsonl [-o chart.png]     prints the tables, draws the chart

A cell is the QPS at the tuned parameters and, in parentheses, its ratio to the QPS of the same
method on the same queries without a filter. Where a method does not reach the target recall, the
recall that it reaches stands in brackets: such a speed is not one at equal recall.
"""

import argparse
import sys

from report import conditions, markdown, number, ratio
from results import ks_of, read_results

KINDS = {"random": "Random", "correlated": "Correlated with the query",
         "anti": "Anti-correlated with the query"}
SLACK = 0.003  # what recall may fall short of a target that is not tuned on the queries


def percent(share):
    return "no filter" if share is None else f"{share * 100:g} %"


def shares_of(points):
    """The shares of the cases, rising, and None last: no filter."""
    return [*sorted({point["share"] for point in points} - {None}), None]


def methods_of(points):
    return list(dict.fromkeys(point["method"] for point in points))


def by_case(points):
    return {(point["method"], point["kind"], point["share"]): point for point in points}


def reached(point, run):
    return point["recall"] >= run["target_recall"] - SLACK


def cell(point, unfiltered, run):
    """Text of a case, `unfiltered` its reference."""
    if point is None:
        return "-"
    text = number(point["qps"])
    if unfiltered and point["share"] is not None:
        text += f" ({point['qps'] / unfiltered['qps']:.2f})"
    return text if reached(point, run) else f"{text} [{point['recall']:.3f}]"


def named(method):
    return f"**{method}**" if method.startswith("obliq") else method


def table_of(run, points, text_of):
    """A row per method, a column per share; `text_of` makes the cell of a case."""
    shares = shares_of(points)
    rows = [["method", *map(percent, shares)]]
    for method in methods_of(points):
        rows.append([named(method), *(text_of(method, share) for share in shares)])
    return markdown(rows)


def kind_table(run, points, kind):
    cases = by_case(points)

    def text_of(method, share):
        return cell(cases.get((method, kind, share)), cases.get((method, kind, None)), run)

    return table_of(run, points, text_of)


def recall_table(run, points):
    """Recalls of the three kinds in one cell, and the share of answers found where some lack."""
    cases = by_case(points)

    def text_of(method, share):
        of_kinds = [cases.get((method, kind, share)) for kind in KINDS]
        return " / ".join("-" if point is None else f"{point['recall']:.3f}" + (
            f" ({point['found']:.2f})" if point["found"] < 0.9995 else "") for point in of_kinds)

    return table_of(run, points, text_of)


def fastest(points, run):
    """(QPS, method) of those that reach the target; (None, "-") where none does."""
    return max(((point["qps"], point["method"]) for point in points if reached(point, run)),
               default=(None, "-"))


def ahead_table(run, points):
    """Each case: the fastest of obliq beside the fastest peer; empty without both."""
    ours = [point for point in points if point["method"].startswith("obliq")]
    theirs = [point for point in points if not point["method"].startswith("obliq")]
    if not ours or not theirs:
        return ""
    rows = [["filter", "pass", "obliq's fastest", "QPS", "fastest peer", "QPS", "ratio"]]
    for kind, title in KINDS.items():
        for share in shares_of(points):
            best = [fastest([point for point in side
                             if (point["kind"], point["share"]) == (kind, share)], run)
                    for side in (ours, theirs)]
            (our_qps, our_name), (their_qps, their_name) = best
            rows.append([title, percent(share), our_name, number(our_qps), their_name,
                         number(their_qps), ratio(our_qps, their_qps)[0]])
    return markdown(rows, left=(0, 2, 4))


def filter_table(run, points):
    """Microseconds to make a filter: the median over the kinds."""
    filtered = [point for point in points if point["share"] is not None]
    shares = shares_of(filtered)[:-1]
    rows = [["method", *map(percent, shares)]]
    for method in methods_of(filtered):
        row = [named(method)]
        for share in shares:
            times = sorted(point["filter_us"] for point in filtered
                           if (point["method"], point["share"]) == (method, share))
            row.append(number(times[len(times) // 2]) if times else "-")
        rows.append(row)
    return markdown(rows)


def report(run, points):
    """The whole text."""
    parts = [f"{conditions(run)} Target recall {run['target_recall']}; one query per call, one "
             "thread. Cells: QPS (ratio to no filter) [recall, where it misses the target]."]
    for kind, title in KINDS.items():
        parts += [f"### {title}", kind_table(run, points, kind)]
    ahead = ahead_table(run, points)
    parts += ["### The fastest that reach the target", ahead] if ahead else []
    parts += ["### Recall: random / correlated / anti (answers found, where some lack)",
              recall_table(run, points),
              "### Microseconds to make a filter, once for all its queries",
              filter_table(run, points)]
    if run["left_out"]:
        parts.append("Left out: " + "; ".join(f"{name}: {why}"
                                              for name, why in run["left_out"].items()) + ".")
    return "\n\n".join(parts) + "\n"


# --- the chart ---------------------------------------------------------------------------------


def draw_line(axes, run, line, look):
    """One method: filled where it reaches the target, hollow where not."""
    line = sorted(line, key=lambda point: point["share"])
    colour, dashes, marker = look
    ours = line[0]["method"].startswith("obliq")
    axes.plot([point["share"] * 100 for point in line], [point["qps"] for point in line],
              color=colour, linestyle=dashes, linewidth=2.4 if ours else 1.4,
              label=line[0]["method"], zorder=3 if ours else 2)
    for point in line:
        axes.plot(point["share"] * 100, point["qps"], marker=marker, markersize=5, color=colour,
                  markerfacecolor=colour if reached(point, run) else "white", zorder=4)


def draw_kind(axes, run, points, kind, looks):
    for method, look in looks.items():
        line = [point for point in points if point["share"] is not None
                and (point["method"], point["kind"]) == (method, kind)]
        if line:
            draw_line(axes, run, line, look)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlabel("vectors that pass, %")
    axes.set_title(KINDS[kind], fontsize=10)
    axes.grid(True, which="major", alpha=0.3)


def draw_chart(run, points, png):
    """Writes the PNG. Needs matplotlib."""
    import matplotlib

    from plot import caption, styles_of

    matplotlib.use("Agg")
    from matplotlib import pyplot

    methods = methods_of(points)
    looks = dict(zip(methods, styles_of(methods)))
    figure, panels = pyplot.subplots(1, len(KINDS), figsize=(14, 5.2), sharey=True)
    for axes, kind in zip(panels, KINDS):
        draw_kind(axes, run, points, kind, looks)
    panels[0].set_ylabel("queries per second")
    figure.suptitle(f"{run['data']}, {run['n']:,} x {run['dim']}. One query per call, one thread, "
                    f"recall@{ks_of(run)[0]} {run['target_recall']} (hollow: not reached)\n"
                    f"{caption(run)}", fontsize=10, x=0.01, ha="left")
    handles, labels = panels[0].get_legend_handles_labels()
    figure.tight_layout()
    figure.legend(handles, labels, loc="center left", bbox_to_anchor=(1, 0.5), fontsize=8)
    figure.savefig(png, dpi=130, bbox_inches="tight")
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description="Tables and chart of searches under filters.")
    parser.add_argument("results", help="JSON lines of bench/filters.py")
    parser.add_argument("-o", "--output", help="PNG to write")
    options = parser.parse_args()
    try:
        run, points = read_results(options.results)
        print(report(run, points))
        if options.output:
            draw_chart(run, points, options.output)
    except (OSError, ValueError, ImportError) as error:
        print(f"filter_report.py: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
