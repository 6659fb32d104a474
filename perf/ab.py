#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Ratios of two sides that took turns. Called by perf/ab.

usage: ab.py FOLDER ROUNDS BOUND_PCT      reads FOLDER/a.N.json and FOLDER/b.N.json
"""
import json
import math
import sys

import results

CONFIDENCE = 0.95


def interval(values):
    """Median and the bounds of its confidence interval by order statistics, which assumes no distribution.

    With few values even the extremes do not reach the confidence; the interval is then open (None).
    """
    values = sorted(values)
    n = len(values)
    median = (values[(n - 1) // 2] + values[n // 2]) / 2
    below = 0.0  # probability that fewer than k + 1 of n values lie below the true median
    best = None
    for k in range(n // 2):
        below += math.comb(n, k) / 2**n
        if 1 - 2 * below < CONFIDENCE:
            break
        best = (values[k], values[n - 1 - k])
    return median, best


def ratios(folder, rounds):
    """By name: one ratio a round, how much longer an operation of b takes."""
    out = {}
    for i in range(rounds):
        sides = []
        for side in "ab":
            sides.append({r["bench"] + str(r.get("caches", "")) + str(r.get("open", "")): results.ns_of(r)
                          for r in results.read(f"{folder}/{side}.{i}.json")})
        for name in sides[0].keys() & sides[1].keys():
            if sides[0][name] and sides[1][name]:
                out.setdefault(name, []).append(sides[1][name] / sides[0][name])
    return out


def is_slower(median, bounds, bound_pct):
    return median > 1 + bound_pct / 100 and bounds is not None and bounds[0] > 1


def main(arguments):
    if len(arguments) != 3:
        print(__doc__, file=sys.stderr)
        return 2
    rounds, bound_pct = int(arguments[1]), float(arguments[2])
    by_name = ratios(arguments[0], rounds)
    slower = []
    for name, values in sorted(by_name.items()):
        median, bounds = interval(values)
        line = {"bench": name, "ratio": round(median, 4), "low": None, "high": None, "rounds": len(values), "slower": False}
        if bounds:
            line.update(low=round(bounds[0], 4), high=round(bounds[1], 4), slower=is_slower(median, bounds, bound_pct))
        if line["slower"]:
            slower.append(name)
        print(json.dumps(line))
    if not by_name:
        print("perf/ab: the two have no result in common", file=sys.stderr)
        return 1
    if rounds < 6:
        print(f"perf/ab: indicative: {rounds} rounds give no interval of {CONFIDENCE:.0%}, so nothing is called slower", file=sys.stderr)
    if slower:
        print(f"perf/ab: slower: {', '.join(slower)}", file=sys.stderr)
    return 1 if slower else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
