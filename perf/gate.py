#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Compares instruction counts with the committed ones. Called by perf/gate.

usage: gate.py BASELINE TOOLS COUNTS [--update]
"""
import json
import sys

BOUND_PCT = 2.0
CANNOT_TELL = 77


def read_pairs(path):
    with open(path, encoding="utf-8") as file:
        return dict(line.rstrip("\n").split(" ", 1) for line in file if " " in line)


def read_counts(path):
    """Counts by path; a path whose function never ran, or that failed, is None."""
    counts = {}
    for name, text in read_pairs(path).items():
        try:
            counts[name] = float(text) or None
        except ValueError:
            counts[name] = None
    return counts


def write(path, tools, counts):
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"tools": tools, "instructions": counts}, file, indent=2, sort_keys=True)
        file.write("\n")
    print(f"perf/gate: {path} is written anew; the commit that changes it says why")


def compare(base, counts):
    """Prints a line a path. Names of those that are worse, and of those that are better by more than the bound."""
    worse, better = [], []
    for name in sorted(set(base) | set(counts)):
        was, now = base.get(name), counts.get(name)
        if now is None or was is None:
            worse.append(name)
            print(f"{name:18} {'not in the baseline' if was is None else 'was not counted'}")
            continue
        change = (now / was - 1) * 100
        if change > BOUND_PCT:
            worse.append(name)
        elif change < -BOUND_PCT:
            better.append(name)
        print(f"{name:18} {was:10.1f} > {now:10.1f}  {change:+6.1f} %{'  WORSE' if change > BOUND_PCT else ''}")
    return worse, better


def main(arguments):
    if len(arguments) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    path, tools, counts = arguments[0], read_pairs(arguments[1]), read_counts(arguments[2])
    missing = [name for name, count in counts.items() if count is None]
    if arguments[3:] == ["--update"]:
        if missing:
            print(f"perf/gate: nothing was counted for {', '.join(missing)}: not written", file=sys.stderr)
            return 1
        write(path, tools, counts)
        return 0
    try:
        with open(path, encoding="utf-8") as file:
            baseline = json.load(file)
    except OSError as error:
        print(f"perf/gate: {error}; `perf/gate --update` makes it", file=sys.stderr)
        return 1
    if baseline["tools"] != tools:
        print(f"perf/gate: cannot tell: the baseline is of {baseline['tools']}, this build of {tools}", file=sys.stderr)
        return CANNOT_TELL
    worse, better = compare(baseline["instructions"], counts)
    if better:
        print(f"perf/gate: {', '.join(better)}: better by more than {BOUND_PCT:g} %; `perf/gate --update` keeps it that way")
    if worse:
        print(f"perf/gate: over {BOUND_PCT:g} % more instructions, or not comparable: {', '.join(worse)}. If that is meant,"
              " run `perf/gate --update` and say why in the commit", file=sys.stderr)
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
