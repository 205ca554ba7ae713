"""The table of a comparison: bytes, the highest recall and QPS at fixed recalls of each method,
and obliq against each peer of its class of bits. Where obliq is worse the table says so.

QPS at a recall is read off a method's Pareto frontier (frontier.py). "-": not reached.
"""

from families import bits_class
from frontier import qps_at

RECALLS = (0.90, 0.95, 0.98, 0.99)


class Curve:
    """All points of one method in one mode."""

    def __init__(self, lines):
        self.method = lines[0]["method"]
        self.bytes = lines[0]["bytes_per_vector"]
        self.build_seconds = lines[0].get("build_seconds")
        self.ceiling = max(line["recall"] for line in lines)
        self.points = [(line["recall"], line["qps"]) for line in lines if line["qps"]]

    def qps(self, recall):
        return qps_at(self.points, recall)


def curves_of(lines, mode):
    """Curves of the lines of a mode, in order of first appearance."""
    groups = {}
    for line in lines:
        if line["mode"] == mode:
            groups.setdefault(line["method"], []).append(line)
    return [Curve(group) for group in groups.values()]


def report(lines, mode, dim):
    """The whole text for one mode; empty without lines."""
    curves = curves_of(lines, mode)
    if not curves:
        return ""
    ours = [curve for curve in curves if curve.method.startswith("obliq")]
    parts = [speed_table(curves, dim)]
    for curve in ours:
        rivals = [other for other in curves if other not in ours
                  and bits_class(other.method, dim) == bits_class(curve.method, dim)]
        if rivals:
            parts.append(rivalry(curve, rivals))
    return "\n\n".join(parts) + "\n"


def speed_table(curves, dim):
    rows = [["method", "B/vector", "build s", "max recall"]
            + [f"QPS at {recall:.2f}" for recall in RECALLS]]
    for curve in sorted(curves, key=lambda c: (bits_class(c.method, dim) or 99, c.bytes)):
        build = "-" if curve.build_seconds is None else f"{curve.build_seconds:.1f}"
        rows.append([curve.method, f"{curve.bytes:.1f}", build, f"{curve.ceiling:.4f}"]
                    + [number(curve.qps(recall)) for recall in RECALLS])
    return align(rows)


def rivalry(ours, rivals):
    """obliq's curve against each rival: ratios above 1 and recall above 0 are obliq's gain."""
    rows = [[f"{ours.method} against", "bytes", "max recall"]
            + [f"QPS at {recall:.2f}" for recall in RECALLS] + ["obliq loses in"]]
    for rival in rivals:
        losses = []
        byte_share = ours.bytes / rival.bytes - 1
        gain = ours.ceiling - rival.ceiling
        if byte_share > 0:
            losses.append("bytes")
        if gain < 0:
            losses.append("max recall")
        cells = []
        for recall in RECALLS:
            text, lost = ratio(ours.qps(recall), rival.qps(recall))
            cells.append(text)
            if lost:
                losses.append(f"QPS at {recall:.2f}")
        rows.append([f"  {rival.method}", f"{byte_share:+.0%}", f"{gain:+.4f}"] + cells
                    + [", ".join(losses) or "nothing"])
    return align(rows, left=(0, len(rows[0]) - 1))


def ratio(ours, theirs):
    """(text, whether obliq loses) of two speeds at one recall."""
    if ours is None and theirs is None:
        return "-", False
    if ours is None:
        return "peer only", True
    if theirs is None:
        return "obliq only", False
    return f"{ours / theirs:.2f} x", ours < theirs


def number(value):
    return "-" if value is None else f"{value:,.0f}"


def align(rows, left=(0,)):
    """Rows of cells as text, columns two spaces apart."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) if i in left else cell.rjust(width)
                  for i, (cell, width) in enumerate(zip(row, widths))).rstrip()
        for row in rows)
