#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The page of perf/report: one HTML file that needs nothing else.

usage: page.py FOLDER      reads what perf/report has put there, writes FOLDER/report.html
"""
import glob
import html
import os
import re
import sys

import results

STYLE = """body{font:14px sans-serif;margin:24px auto;max-width:1250px;color:#222}table{border-collapse:collapse;margin:8px 0}
td,th{padding:2px 10px;border-bottom:1px solid #ddd;text-align:right}td:first-child,th:first-child{text-align:left}
pre{background:#f6f6f6;padding:8px;overflow:auto}.warn{background:#fff3cd;padding:6px 10px}.bad{color:#b00020}svg{max-width:100%;height:auto}"""


def number(value):
    if value is None or value == "":
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,.2f}" if abs(value) < 100 else f"{value:,.0f}"
    return str(value)


def table(rows, columns):
    """rows: dictionaries; columns: (key, heading)."""
    out = ["<table><tr>" + "".join(f"<th>{html.escape(h)}</th>" for _, h in columns) + "</tr>"]
    for row in rows:
        cells = "".join(f"<td{' class=bad' if key == 'met' and row.get(key) is False else ''}>{html.escape(number(row.get(key)))}</td>"
                        for key, _ in columns)
        out.append(f"<tr>{cells}</tr>")
    return "\n".join(out + ["</table>"])


def figure(path):
    """An SVG file, in the page itself; what would run or load something is taken out."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    text = re.sub(r"<\?xml.*?\?>|<!DOCTYPE.*?>|<script.*?</script>", "", text, flags=re.S)
    return f"<div>{text}</div>"


def lines(folder, name):
    path = f"{folder}/{name}"
    return results.read(path) if os.path.exists(path) else []


def words(folder, name):
    path = f"{folder}/{name}"
    if not os.path.exists(path):
        return missing(name)
    with open(path, encoding="utf-8", errors="replace") as file:
        return f"<pre>{html.escape(file.read())}</pre>"


def missing(what):
    return f"<p class=warn>not measured here: {html.escape(what)}</p>"


def section_bench(folder):
    all_lines = lines(folder, "bench.json")
    floor = [r for r in all_lines if r["bench"].startswith("floor_")]
    rest = [r for r in all_lines if not r["bench"].startswith("floor_")]
    percentiles = [("p50_ns", "p50 ns"), ("p99_ns", "p99 ns"), ("p999_ns", "p99.9 ns"), ("max_ns", "max ns")]
    return ("<h2>What the machine costs</h2>" + (table(floor, [("bench", "floor")] + percentiles) if floor else missing("perf/floor"))
            + "<h2>Micro-benchmarks</h2>"
            + (table(rest, [("bench", "")] + percentiles + [("per_s", "a second"), ("x_floor", "x the floor"), ("floor", "which floor"),
                                                            ("ours_ratio", "ours / this"), ("bar", "bar"), ("met", "met"),
                                                            ("instructions", "instructions"), ("cycles", "cycles")])
               if rest else missing("perf/bench")))


def section_tick(folder):
    runs = [dict(r, wire_p50=(r.get("wire") or {}).get("p50_ns")) for r in lines(folder, "tick-to-trade.json")]
    out = ["<h2>Tick to trade against rate</h2>"]
    plot = f"{folder}/tick-to-trade.svg"
    if os.path.exists(plot):
        out.append(figure(plot))
    columns = [("port", "port"), ("topology", "topology"), ("rate", "rate"), ("n", "orders"), ("p50_ns", "p50 ns"), ("p99_ns", "p99 ns"),
               ("p999_ns", "p99.9 ns"), ("p9999_ns", "p99.99 ns"), ("max_ns", "max ns"), ("lost", "lost"), ("wire_p50", "at the exchange, p50 ns"),
               ("echo_floor_ns", "port echo ns"), ("wire_over_echo_ns", "over the echo ns")]
    measured = [r for r in runs if r["bench"] == "tick_to_trade"]
    out.append(table(measured, columns) if measured else missing("perf/tick-to-trade"))
    best = [r for r in runs if r["bench"] == "tick_to_trade_rate"]
    if best:
        out.append("<h3>Highest rate without loss</h3>" + table(best, [("port", "port"), ("topology", "topology"), ("per_s", "messages a second"),
                                                                       ("bound", "highest tried")]))
    kernel = lines(folder, "kernel.json")
    out.append("<h2>The same over the kernel's sockets</h2>")
    out.append(table(kernel, [("bench", ""), ("p50_ns", "p50 ns"), ("p99_ns", "p99 ns"), ("max_ns", "max ns"), ("kernel_over_port", "kernel / port"), ("kernel_received_ns", "kernel's receiving, p50 ns"),
                              ("kernel_over_port_received", "kernel / port with that"),
                              ("kernel_over_port_wire", "at the exchange"), ("bar", "bar"), ("met", "met")]) if kernel else missing("perf/kernel_baseline"))
    return "".join(out)


def section_profile(folder):
    out = ["<h2>Instructions of the hot paths</h2>", words(folder, "gate.txt"), "<h2>Where the time goes</h2>"]
    out.append(figure(f"{folder}/record/flame.svg") if os.path.exists(f"{folder}/record/flame.svg") else missing("perf/record"))
    out += [words(folder, "record/hottest.txt"), "<h3>Counters</h3>", words(folder, "record/counters.txt"),
            "<h3>Interrupts meanwhile</h3>", words(folder, "record/interrupts.txt"), "<h2>The slowest orders</h2>"]
    timelines = sorted(glob.glob(f"{folder}/trace/worst-*.svg"))
    return "".join(out + [figure(path) for path in timelines] + ([] if timelines else [missing("perf/trace")]))


def about(folder):
    """Machine, commit and all that speaks against the figures."""
    found = [r for name in ("bench.json", "tick-to-trade.json", "kernel.json") for r in lines(folder, name)]
    machines = sorted({f"{r['machine']}, commit {r['commit']}" for r in found if "machine" in r})
    doubts = sorted({doubt for r in found for doubt in str(r.get("because", "")).split("; ") if doubt})
    out = "".join(f"<p>{html.escape(m)}</p>" for m in machines) or missing("anything")
    if doubts:
        out += "<p class=warn>Indicative, compare ratios only: " + html.escape("; ".join(doubts)) + "</p>"
    return out


def page(folder):
    body = "<h1>gannet: what it costs on this machine</h1>" + about(folder) + section_bench(folder) + section_tick(folder) + section_profile(folder)
    return f'<!DOCTYPE html>\n<html lang="en"><meta charset="utf-8"><title>gannet performance</title><style>{STYLE}</style>{body}</html>\n'


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    with open(f"{arguments[0]}/report.html", "w", encoding="utf-8") as file:
        file.write(page(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
