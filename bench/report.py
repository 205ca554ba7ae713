"""The tables of a comparison, in Markdown: every method; obliq's fastest beside the fastest peer in
each class of bytes; every peer beside obliq's fastest at no more bytes, and where obliq loses.

    report.py RESULTS.jsonl      prints them

QPS at a recall is read off a method's Pareto frontier (frontier.py). "-": not reached; "not
timed": reached by one of both, but so slowly that the batch was not timed.
"""

import sys

from families import CLASSES
from frontier import qps_at
from results import ks_of, read_results

RECALLS = (0.90, 0.95, 0.98, 0.99)
CLASS_RECALLS = (0.90, 0.95, 0.99)
TITLES = {"single": "One query per call", "batch": "All queries in one call"}


class Curve:
    """All points of one method in one mode."""

    def __init__(self, lines):
        first = lines[0]
        self.method, self.bytes = first["method"], first["bytes_per_vector"]
        self.rss, self.build_seconds = first.get("rss_per_vector"), first.get("build_seconds")
        self.max_recall = max(line["recall"] for line in lines)
        self.points = [(line["recall"], line["qps"]) for line in lines if line["qps"]]
        self.latencies = [(line["recall"], 1 / line["p99_us"]) for line in lines
                          if line.get("p99_us")]
        self.ours = self.method.startswith("obliq")
        self.untimed = max((line["recall"] for line in lines if not line["qps"]), default=0)

    def qps(self, recall):
        return qps_at(self.points, recall)

    def p99(self, recall):
        """Microseconds, read off its own frontier."""
        rate = qps_at(self.latencies, recall)
        return rate and 1 / rate


def curves_of(lines, mode, threads, k=None):
    """Curves of the lines of a mode and a k (without one: that of the first line), in order of
    bytes."""
    groups, k = {}, k or k_of(lines)
    for line in lines:
        if (line["mode"], line["threads"], line.get("k")) == (mode, threads, k):
            groups.setdefault(line["method"], []).append(line)
    return sorted((Curve(group) for group in groups.values()), key=lambda curve: curve.bytes)


def k_of(lines):
    """The k of the first line; None where lines have none, or there is no line."""
    return lines[0].get("k") if lines else None


def modes_of(lines):
    """(mode, threads, k) of each group of lines that are compared with one another."""
    return list(dict.fromkeys((line["mode"], line["threads"], line.get("k")) for line in lines))


def report(run, lines):
    """The whole text: conditions, then three tables for each mode and k."""
    parts, several = [conditions(run)], len(ks_of(run)) > 1
    for mode, threads, k in modes_of(lines):
        curves = curves_of(lines, mode, threads, k)
        name = title(mode, threads) + (f", recall@{k}" if several else "")
        parts += [f"### {name}", speed_table(curves),
                  class_table(curves, run["dim"]), peers_table(curves)]
    if run["left_out"]:
        parts.append("Left out: " + "; ".join(f"{name}: {why}"
                                              for name, why in run["left_out"].items()) + ".")
    return "\n\n".join(part for part in parts if part) + "\n"


def title(mode, threads):
    return f"{TITLES[mode]}, {threads} thread{'s' if threads > 1 else ''}"


def conditions(run):
    versions = ", ".join(f"{name} {version}" for name, version in sorted(run["versions"].items()))
    recalls = " and ".join(f"recall@{k}" for k in ks_of(run))
    return (f"{run['data']} (CRC-32 {run['data_crc32']}): {run['n']:,} x {run['dim']}, "
            f"{run['metric']}, {run['nlist']} lists, {recalls}. {run['cpu']} "
            f"({' '.join(run['cpu_flags'])}), {run['cpus']} cores. Median of {run['repeats']} "
            f"interleaved rounds, {run['date']}. {versions}; commit {run['commit']}.")


def speed_table(curves):
    timed = any(curve.latencies for curve in curves)
    rows = [["method", "B/vector", "RSS/vector", "build s", "max recall"]
            + [f"QPS at {recall:.2f}" for recall in RECALLS] + ["p99 us at 0.95"] * timed]
    for curve in curves:
        name = f"**{curve.method}**" if curve.ours else curve.method
        rows.append([name, f"{curve.bytes:.1f}", number(curve.rss), number(curve.build_seconds),
                     f"{curve.max_recall:.4f}"] + [number(curve.qps(recall)) for recall in RECALLS]
                    + [number(curve.p99(0.95))] * timed)
    return markdown(rows)


def best_of(curves, recall):
    """(QPS, method) of the fastest; (None, None) when none reaches the recall."""
    speeds = [(curve.qps(recall), curve.method) for curve in curves]
    return max((pair for pair in speeds if pair[0]), default=(None, None))


def class_table(curves, dim):
    """A row per class and recall that a method reaches: the fastest of obliq and of the peers."""
    rows = [["bytes per vector", "recall", "obliq's fastest", "QPS", "fastest peer", "QPS",
             "ratio"]]
    for name, limit in CLASSES.items():
        within = [curve for curve in curves if curve.bytes <= limit(dim)]
        label = name if name == "any" else f"<= {name} = {limit(dim):g}"
        for recall in CLASS_RECALLS:
            ours, our_name = best_of([curve for curve in within if curve.ours], recall)
            theirs, their_name = best_of([curve for curve in within if not curve.ours], recall)
            if ours is None and theirs is None:
                continue
            rows.append([label, f"{recall:.2f}", our_name or "-", number(ours), their_name or "-",
                         number(theirs), told_ratio(ours, theirs, within, recall)])
    return markdown(rows, left=(0, 2, 4))


def choices_table(curves):
    """Every method of obliq by its bytes: what a choice of quantizer, spilling or stop costs."""
    rows = [["built and searched with", "bytes per vector", "build s", "max recall"]
            + [f"QPS at {recall:.2f}" for recall in RECALLS]]
    for curve in (curve for curve in curves if curve.ours):
        rows.append([curve.method.removeprefix("obliq "), f"{curve.bytes:.0f}",
                     number(curve.build_seconds), f"{curve.max_recall:.4f}"]
                    + [number(curve.qps(recall)) for recall in RECALLS])
    return markdown(rows)


def peers_table(curves):
    """Every peer beside obliq's fastest that takes no more bytes: ratios above 1 are obliq's."""
    rows = [["obliq against", "B/vector"] + [f"QPS at {recall:.2f}" for recall in RECALLS]
            + ["max recall", "obliq loses in"]]
    for peer in (curve for curve in curves if not curve.ours):
        ours = [curve for curve in curves if curve.ours and curve.bytes <= peer.bytes]
        row, losses = [peer.method, f"{peer.bytes:.1f}"], []
        for recall in RECALLS:
            speeds = best_of(ours, recall)[0], peer.qps(recall)
            row.append(told_ratio(*speeds, [*ours, peer], recall))
            losses += [f"QPS at {recall:.2f}"] if ratio(*speeds)[1] else []
        gain = max((curve.max_recall for curve in ours), default=0) - peer.max_recall
        losses += ["max recall"] if ours and gain < 0 else []
        losses = losses if ours else ["bytes: has none so small"]
        rows.append(row + [f"{gain:+.4f}" if ours else "-", ", ".join(losses) or "nothing"])
    return markdown(rows, left=(0, len(rows[0]) - 1)) if len(rows) > 1 else ""


def untimed(curves, recall):
    """Whether one reaches the recall, but only at points that were too slow to be timed."""
    return any(not curve.qps(recall) and curve.untimed >= recall for curve in curves)


def ratio(ours, theirs):
    """(text, whether obliq loses) of two speeds at one recall."""
    if ours is None and theirs is None:
        return "-", False
    if ours is None:
        return "peer only", True
    if theirs is None:
        return "obliq only", False
    return f"{ours / theirs:.2f} x", ours < theirs


def told_ratio(ours, theirs, curves, recall):
    """Text of the ratio; no win or loss by a point that was too slow to be timed."""
    missing = ours is None or theirs is None
    return "not timed" if missing and untimed(curves, recall) else ratio(ours, theirs)[0]


def number(value):
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def markdown(rows, left=(0,)):
    """Rows of cells, the first of them the head, as a table whose columns line up."""
    rows = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rule = ["-" * width if i in left else "-" * (width - 1) + ":" for i, width in enumerate(widths)]
    return "\n".join(
        "| " + " | ".join(cell.ljust(width) if i in left else cell.rjust(width)
                          for i, (cell, width) in enumerate(zip(row, widths))) + " |"
        for row in [rows[0], rule] + rows[1:])


if __name__ == "__main__":
    print(report(*read_results(sys.argv[1])))
