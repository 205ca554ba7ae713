"""The recall-QPS Pareto frontier of a method, and its speed at a given recall.

A point is a pair (recall, qps). The frontier holds the points that no other point beats in both.
Between two of its neighbours log(qps) is taken as linear in recall; nothing is extrapolated:
above the highest recall there is no speed, and below the lowest one the fastest point serves.
The command line has the same rule in C++ (tools/measure/tradeoff.cc); one set of cases tests both.
"""

import bisect
import math


def pareto(points):
    """Points of the frontier by rising recall and falling qps. Equal recalls keep the fastest."""
    frontier = []
    for recall, qps in sorted(points, key=lambda point: (-point[0], -point[1])):
        if not frontier or qps > frontier[-1][1]:
            frontier.append((recall, qps))
    return frontier[::-1]


def qps_at(points, recall):
    """QPS at `recall` on the frontier of `points`; None where no point reaches it."""
    frontier = pareto(points)
    if not frontier or recall > frontier[-1][0]:
        return None
    position = bisect.bisect_left([point[0] for point in frontier], recall)
    high_recall, high_qps = frontier[position]
    if position == 0 or high_recall == recall:
        return high_qps
    low_recall, low_qps = frontier[position - 1]
    share = (recall - low_recall) / (high_recall - low_recall)
    return math.exp(math.log(low_qps) + share * (math.log(high_qps) - math.log(low_qps)))
