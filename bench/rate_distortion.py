"""Draws the rate-distortion chart of `obliq distortion --plot` from its JSON lines.

    rate_distortion.py RESULTS.jsonl -o chart.png [--title TEXT]

One line of the file holds the limits of theory as curves, the others a quantizer each. The rate is
that of all bytes kept for a vector, factors included. To the left the distortion D, to the right
the gap log2(D 4^R)/2: the bits that a quantizer wastes at that distortion. The band of 0.11 bit is
what one codebook for all query laws may cost at most (arXiv 2602.05790).
"""

import argparse
import json
import math
import re
import sys

COLOURS = {"lm": "#1b6ca8", "tq": "#e07a1f", "tqp": "#b3400e", "sq": "#6b7280", "wf": "#2a9d4b",
           "kashin": "#8e44ad", "e8q": "#c2185b", "d4q": "#e78ac3", "z": "#a6761d",
           "tcq": "#111827"}
OTHER_COLOUR = "#4b5563"
MARKERS = "osD^vPX*<>"
CURVES = {"shannon": ("Shannon 4^-R", "-", "black"),
          "panter_dite": ("Panter-Dite", "--", "#6b7280"),
          "product": ("Gamma(R), matrix products", ":", "#0f766e"),
          "water_filling": ("water-filling of the queries", "-", "#2a9d4b"),
          "random_coding": ("one codebook for all queries", "--", "#2a9d4b")}


def read_lines(path):
    """(limits, results) of a file."""
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(text) for text in file if text.strip()]
    limits = next((line["limits"] for line in lines if "limits" in line), None)
    return limits, [line for line in lines if "spec" in line]


def family_of(spec):
    """"tqp4:gaussian" -> ("tqp", "tqp:gaussian"); numbers with a point are curves of their own."""
    stem, colon, options = spec.partition(":")
    prefix = re.match(r"(?:[a-z]+\d+q|[a-z]+)(?=\d)", stem)
    name = prefix.group(0) if prefix else stem
    return name, name + ("n.5" if "." in stem else "") + colon + options


def rate_of(line):
    return 8 * line["bytes_per_vector"] / line["dim"]


def distortion_of(line):
    return line.get("query_mse") or line["shrunk_mse"]


def gap(distortion, rate):
    return 0.5 * math.log2(distortion) + rate


def groups_of(results):
    """[(label, colour key, points by rising rate)] by family, in the order of the file."""
    groups = {}
    for line in results:
        name, label = family_of(line["spec"])
        groups.setdefault(label, (name, []))[1].append((rate_of(line), distortion_of(line)))
    return [(label, name, sorted(points)) for label, (name, points) in groups.items()]


def draw_limits(left, right, limits):
    bits = limits["bits"]
    base = limits.get("water_filling") or limits["shannon"]
    left.fill_between(bits, base, limits["universal"], color="#2a9d4b", alpha=0.25, linewidth=0)
    right.fill_between(bits, [gap(d, b) for d, b in zip(base, bits)],
                       [gap(d, b) for d, b in zip(limits["universal"], bits)], color="#2a9d4b",
                       alpha=0.25, linewidth=0, label="0.11 bit: any query law")
    for name, (label, style, colour) in CURVES.items():
        if name in limits:
            left.plot(bits, limits[name], style, color=colour, linewidth=1.2)
            right.plot(bits, [gap(d, b) for d, b in zip(limits[name], bits)], style, color=colour,
                       linewidth=1.2, label=label)


def draw_results(left, right, results):
    used = {}
    for label, name, points in groups_of(results):
        colour = COLOURS.get(name, OTHER_COLOUR)
        marker = MARKERS[used.setdefault(name, 0) % len(MARKERS)]
        used[name] += 1
        rates = [rate for rate, _ in points]
        style = dict(color=colour, marker=marker, markersize=4, linewidth=1.3)
        left.plot(rates, [d for _, d in points], **style)
        right.plot(rates, [gap(d, rate) for rate, d in points], label=label, **style)


def draw_chart(limits, results, png, title=None):
    """Writes the PNG. Needs matplotlib, limits and at least one result."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(14, 6))
    draw_limits(left, right, limits)
    draw_results(left, right, results)
    rates = [rate_of(line) for line in results]
    lowest = min(distortion_of(line) for line in results)
    gaps = [gap(distortion_of(line), rate_of(line)) for line in results]
    floor = limits.get("water_filling") or limits["shannon"]
    gaps += [gap(d, b) for d, b in zip(floor, limits["bits"]) if b <= max(rates) + 0.5]
    weighed = "query_mse" in results[0]
    for axes in (left, right):
        axes.set_xlim(max(0.5, min(rates) - 0.5), min(9, max(rates) + 0.5))
        axes.set_xlabel("bits per dimension, factors included")
        axes.grid(True, alpha=0.3)
    left.set_yscale("log")
    left.set_ylim(lowest / 4, 1)
    left.set_ylabel("query-weighted distortion" if weighed else "distortion D")
    right.set_ylim(min(0, min(gaps)) - 0.05, min(1.5, max(gaps)) + 0.1)
    right.set_ylabel("gap to 4^-R, bits")
    right.legend(fontsize=8, loc="center left", bbox_to_anchor=(1.01, 0.5), frameon=False)
    first = results[0]
    left.set_title(title or ", ".join(
        [first["data"], f"dim {first['dim']}"] +
        (["queries " + first["queries"]] if weighed else [])), loc="left", fontsize=11)
    figure.tight_layout()
    figure.savefig(png, dpi=110, bbox_inches="tight")
    pyplot.close(figure)


def main():
    parser = argparse.ArgumentParser(description="Draws the rate-distortion chart of JSON lines.")
    parser.add_argument("results", help="JSON lines of obliq distortion --plot")
    parser.add_argument("-o", "--output", required=True, help="PNG to write")
    parser.add_argument("--title")
    options = parser.parse_args()
    limits, results = read_lines(options.results)
    if limits is None or not results:
        print(f"rate_distortion.py: no limits or no results in {options.results}", file=sys.stderr)
        return 1
    try:
        draw_chart(limits, results, options.output, options.title)
    except ImportError as error:
        print(f"rate_distortion.py: {error}: install matplotlib", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
