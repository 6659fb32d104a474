#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Results of benchmarks as JSON lines: reading them, and putting the machine's floor beside them.

usage: results.py beside FLOOR RESULTS [NAME...]
"""
import json
import sys

# beginning of a name: (floor, how many of it). The first that fits counts.
FLOORS = (
    ("spsc_rtt", "floor_line", 2),
    ("spsc_", "floor_l1", 1),
    ("itch_decode", "floor_l1", 1),
    ("ouch_", "floor_l1", 1),
    ("order_encode", "floor_l1", 1),
    ("feed_", "floor_l1", 1),
    ("book_", "floor_dram", 1),
    ("risk_check_cold", "floor_dram", 1),
    ("risk_check", "floor_l2", 1),
    ("gateway_", "floor_l1", 1),
    ("strategy_hop", "floor_l1", 1),
    ("trace_stamp", "floor_tsc", 1),
    ("tick_to_trade", "floor_port_echo", 1),
)


def read(path):
    """Dictionaries, one a line; what is no JSON object is named and left out."""
    out = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                out.append(json.loads(line))
            except ValueError:
                print(f"{path}:{number}: not a result: {line.strip()[:80]}", file=sys.stderr)
    return [r for r in out if isinstance(r, dict) and "bench" in r]


def ns_of(result):
    """Nanoseconds of one operation, or None."""
    if result.get("p50_ns"):
        return result["p50_ns"]
    return 1e9 / result["per_s"] if result.get("per_s") else None


def beside(result, floors):
    """The result with "floor" and "x_floor", where there is one."""
    for beginning, floor, times in FLOORS:
        if result["bench"].startswith(beginning):
            if floors.get(floor) and ns_of(result):
                result["floor"] = floor
                result["x_floor"] = round(ns_of(result) / (times * floors[floor]), 2)
            break
    return result


def main(arguments):
    if len(arguments) < 3 or arguments[0] != "beside":
        print(__doc__, file=sys.stderr)
        return 2
    floor_lines = read(arguments[1])
    floors = {r["bench"]: ns_of(r) for r in floor_lines}
    names = arguments[3:]
    chosen = [r for r in read(arguments[2]) if not names or any(r["bench"].startswith(n) for n in names)]
    for result in floor_lines + [beside(r, floors) for r in chosen]:
        print(json.dumps(result))
    if not chosen:
        print("no result", file=sys.stderr)
    return 0 if chosen else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
