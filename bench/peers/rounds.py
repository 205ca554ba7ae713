"""Merges the rounds of a comparison: the same statistic for every method.

Lines that agree in method, mode and search parameters are one point. Its qps is the median over
rounds, qps_min and qps_max the extremes; p50_us and p99_us are medians over rounds as well.
"""

import statistics

PARAMETERS = ("method", "mode", "nprobe", "k_factor", "high_accuracy", "confidence")
MEDIANS = ("qps", "qps_cpu", "p50_us", "p99_us")


def point_key(line):
    return tuple(line.get(name) for name in PARAMETERS)


def merge_rounds(lines):
    """One line a point, in order of first appearance, with `repeats`, qps_min and qps_max."""
    groups = {}
    for line in lines:
        groups.setdefault(point_key(line), []).append(line)
    return [merge_point(group) for group in groups.values()]


def merge_point(group):
    merged = dict(group[0])
    for name in MEDIANS:
        values = [line[name] for line in group if line.get(name) is not None]
        if values:
            merged[name] = statistics.median(values)
    if merged.get("qps") is not None:
        merged["qps_min"] = min(line.get("qps_min", line["qps"]) for line in group)
        merged["qps_max"] = max(line.get("qps_max", line["qps"]) for line in group)
        merged["repeats"] = sum(line.get("repeats", 1) for line in group)
    return merged
