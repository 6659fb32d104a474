#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Tick to trade: one run's figures as a JSON line, and the highest rate without loss by bisection.

usage: tick.py line FOLDER PORT TOPOLOGY RATE SECONDS
       tick.py sweep FOLDER PORT TOPOLOGY FIRST LAST SECONDS GROWTH CLOSE [ECHO_NS]
       tick.py ratio LINES                 kernel sockets over the port, run by run
       tick.py plot LINES FOLDER           a gnuplot script
"""
import json
import os
import re
import subprocess
import sys

import results

HERE = os.path.dirname(os.path.abspath(__file__))
PERCENTILES = (("p50_ns", 0.5), ("p99_ns", 0.99), ("p999_ns", 0.999), ("p9999_ns", 0.9999))
# what the engine, the port or the exchange counts when something was lost
LOSSES = re.compile(r"^(msg_lost|port_missed|port_no_buffer|datagram_dropped|rebuild_msg_dropped)$")
NOT_LATE = 0.97  # share of the intended rate at which messages must have come, in the seconds of the run alone


def read_hgrm(path):
    """Percentiles, maximum and count from HdrHistogram text; None when there is no value."""
    rows = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.split()
            if len(fields) >= 3 and not line.startswith("#") and fields[0] != "Value":
                rows.append((float(fields[0]), float(fields[1]), int(fields[2])))
    if not rows:
        return None
    out = {"n": rows[-1][2], "max_ns": rows[-1][0]}
    for key, share in PERCENTILES:
        out[key] = next((value for value, at, _ in rows if at >= share), rows[-1][0])
    return out


def read_stats(path):
    """Counters that `--stats` prints: (owner, what) > value."""
    out = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.split(None, 3)
            if len(fields) >= 3 and fields[2].isdigit():
                out[fields[0], fields[1]] = int(fields[2])
    return out


def lost(stats):
    return sum(value for (_, what), value in stats.items() if LOSSES.search(what))


def line(folder, port, topology, rate, seconds):
    """The result of one run."""
    with open(f"{folder}/engine.json", encoding="utf-8") as file:
        out = json.loads(file.readlines()[-1])
    if port == "sockets":
        out["bench"] += "_kernel"
    out.update(port=port, topology=topology, rate=int(rate), seconds=int(seconds))
    engine, exchange = read_stats(f"{folder}/engine.stats"), read_stats(f"{folder}/exchange.out")
    out["lost"] = lost(engine) + lost(exchange)
    if os.path.exists(f"{folder}/wire.hgrm"):
        out["wire"] = read_hgrm(f"{folder}/wire.hgrm")
    with open(f"{folder}/conditions.json", encoding="utf-8") as file:
        out.update(json.load(file))
    return out


def is_loss_free(result):
    return result["lost"] == 0 and result.get("messages", 0) * 1e9 >= NOT_LATE * result["rate"] * result.get("window_ns", 1e9)


def highest(good, first, last, growth=2.0, close=1.1):
    """Highest rate that is good, found in steps of growth and then by halving the distance between good and bad, as ratios.

    good(rate) measures. Ends when the lowest bad rate is at most close times the highest good one; the last run of all is of a good
    rate or of a bad one. Returns None when not even the first is good.
    """
    if not good(first):
        return None
    best, bad = first, None
    while bad is None and best < last:
        rate = min(round(growth * best), last)
        if good(rate):
            best = rate
        else:
            bad = rate
    while bad is not None and bad > close * best and bad - best > 1:
        rate = min(max(round((best * bad) ** 0.5), best + 1), bad - 1)
        if good(rate):
            best = rate
        else:
            bad = rate
    return best


def sweep(folder, port, topology, first, last, seconds, growth, close, echo_ns=None):
    """Prints a line a measured rate, and one with the highest rate that lost nothing."""
    results = []

    def good(rate):
        command = [f"{HERE}/pair", "--port", port, "--topology", topology, "--rate", str(rate), "--seconds", seconds,
                   "--output", f"{folder}/{port}-{topology}-{rate}"]
        run = subprocess.run(command, stdout=subprocess.PIPE, check=False)
        if run.returncode != 0:
            if run.returncode == 77 or not results:
                sys.exit(run.returncode)
            return False
        result = json.loads(run.stdout)
        wire = result.get("wire")
        if echo_ns and wire:
            result["echo_floor_ns"] = float(echo_ns)
            result["wire_over_echo_ns"] = round(wire["p50_ns"] - float(echo_ns))
        results.append(result)
        print(json.dumps(result), flush=True)
        return is_loss_free(result)

    best = highest(good, int(first), int(last), float(growth), float(close))
    about = {k: results[-1][k] for k in ("machine", "commit", "indicative", "because")}
    print(json.dumps({"bench": "tick_to_trade_rate", "port": port, "topology": topology, "n": len(results),
                      "per_s": best or 0, "within": float(close), "bound": int(last), **about}), flush=True)
    return 0


def median(values):
    values = sorted(values)
    return (values[(len(values) - 1) // 2] + values[len(values) // 2]) / 2 if values else None


def ratio(path):
    """Prints the lines, and the median of the ratios of neighbouring runs."""
    lines = results.read(path)
    kernel = [r for r in lines if r["bench"].endswith("_kernel")]
    port = [r for r in lines if not r["bench"].endswith("_kernel")]
    for result in lines:
        print(json.dumps(result))
    pairs = [(k, p) for k, p in zip(kernel, port) if p["p50_ns"]]
    if not pairs:
        print("perf/kernel_baseline: no pair of runs", file=sys.stderr)
        return 1
    wires = [k["wire"]["p50_ns"] / p["wire"]["p50_ns"] for k, p in pairs if k.get("wire") and p.get("wire")]
    # what the kernel's stack takes before the program has the datagram; a port hands it over where it lies
    received = [(k["hops"].get("port > rx", {}).get("p50_ns", 0), k, p) for k, p in pairs if "hops" in k]
    out = {"bench": "tick_to_trade_ratio", "n": len(pairs), "per_s": lines[0]["rate"], "bar": 5,
           "kernel_over_port": round(median([k["p50_ns"] / p["p50_ns"] for k, p in pairs]), 2),
           "kernel_received_ns": median([ns for ns, _, _ in received]),
           "kernel_over_port_received": round(median([(ns + k["p50_ns"]) / p["p50_ns"] for ns, k, p in received]), 2) if received else None,
           "kernel_over_port_wire": round(median(wires), 2) if wires else None}
    out["met"] = out["kernel_over_port"] >= out["bar"]
    print(json.dumps({**out, **{k: lines[-1][k] for k in ("machine", "commit", "indicative", "because")}}))
    return 0


def plot(path, folder):
    """A gnuplot script: latency in the engine against rate, one line a port, topology and percentile."""
    series = {}
    for r in results.read(path):
        if r["bench"] == "tick_to_trade" and r["n"]:
            for key, _ in PERCENTILES[:3]:
                series.setdefault((r["port"], r["topology"], key), []).append((r["rate"], r[key]))
    print("set terminal svg size 1000,560 font 'sans,12' background '#ffffff'")
    print(f"set output '{folder}/tick-to-trade.svg'")
    print("set title 'tick to trade inside the engine, against the rate of market data'")
    print("set logscale xy\nset grid\nset key outside right\nset xlabel 'messages a second'\nset ylabel 'nanoseconds'")
    print("set format x '%.0s%c'\nset format y '%.0s%c'")
    dash = {"p50_ns": 1, "p99_ns": 2, "p999_ns": 4}
    lanes = sorted({(port, topology) for port, topology, _ in series})
    for number, (key, points) in enumerate(series.items()):
        print(f"$data{number} << END")
        for rate, value in sorted(points):
            print(rate, value)
        print("END")
    parts = []
    for number, key in enumerate(series):
        name = f"{key[0]} {key[1]} {key[2][:-3]}"
        parts.append(f"$data{number} with linespoints lw 2 lc {lanes.index(key[:2]) + 1} dt {dash[key[2]]} pt 7 ps 0.6 title '{name}'")
    print("plot " + ", ".join(parts) if parts else "plot 1/0 title 'nothing was measured'")
    return 0


def main(arguments):
    if len(arguments) == 2 and arguments[0] == "ratio":
        return ratio(arguments[1])
    if len(arguments) == 3 and arguments[0] == "plot":
        return plot(*arguments[1:])
    if len(arguments) == 6 and arguments[0] == "line":
        print(json.dumps(line(*arguments[1:])))
        return 0
    if len(arguments) in (9, 10) and arguments[0] == "sweep":
        return sweep(*arguments[1:])
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
