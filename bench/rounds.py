"""Merges the rounds of a comparison: the same statistic for every method.

Lines that agree in method, mode, threads, k and search parameters are one point. Its qps is the
median over rounds, qps_min and qps_max the extremes; latencies are medians over rounds as well.
"""

import json
import statistics

MEDIANS = ("qps", "qps_cpu", "p50_us", "p99_us")


def point_key(line):
    params = json.dumps(line["params"], sort_keys=True)
    return line["method"], line["mode"], line["threads"], line.get("k"), params


def merge_rounds(lines):
    """One line per point, in order of first appearance, with `repeats`, qps_min and qps_max."""
    groups = {}
    for line in lines:
        groups.setdefault(point_key(line), []).append(line)
    return [merge_point(group) for group in groups.values()]


def merge_point(group):
    merged = dict(group[0])
    if merged.get("qps") is None:
        return merged
    for name in MEDIANS:
        values = [line[name] for line in group if line.get(name) is not None]
        if values:
            merged[name] = statistics.median(values)
    speeds = [line["qps"] for line in group]
    merged.update(qps_min=min(speeds), qps_max=max(speeds), repeats=len(speeds))
    return merged
