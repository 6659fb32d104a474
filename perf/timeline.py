#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Timelines of the orders that took longest: an SVG each, beside what the host did then, and all of them for Perfetto.

usage: timeline.py WORST HOSTLOG FOLDER N
"""
import html
import json
import sys

HOPS = ("rx", "feed", "book", "strategy", "risk", "gateway", "wire")
COLORS = {"feed": "#9ecae1", "book": "#fdd0a2", "strategy": "#bcbddc", "risk": "#fc9272", "gateway": "#fdae6b", "wire": "#a1d99b"}
WIDTH, LEFT, LANE = 1100, 130, 46


class Clock:
    """Ticks of the engine's counter as nanoseconds of the monotonic clock."""

    def __init__(self, tsc, ns, ns_per_tick):
        self.tsc, self.at_ns, self.ns_per_tick = tsc, ns, ns_per_tick

    def ns(self, tsc):
        return self.at_ns + (tsc - self.tsc) * self.ns_per_tick


def read_worst(path):
    """(clock, orders); an order: id, oid, ns, stamps of (ns, thread, hop, id, inst, oid), all by the monotonic clock."""
    clock, orders = None, []
    with open(path, encoding="utf-8") as file:
        for line in file:
            f = line.split()
            if f[0] == "clock":
                clock = Clock(int(f[1]), int(f[2]), float(f[3]))
            elif f[0] == "order":
                orders.append({"id": int(f[1]), "oid": int(f[2]), "ns": int(f[3]) * clock.ns_per_tick,
                               "from_ns": clock.ns(int(f[1])), "stamps": []})
            else:
                orders[-1]["stamps"].append((clock.ns(int(f[0])), int(f[1]), f[2], int(f[3]), int(f[4]), int(f[5])))
    return clock, orders


def way(order):
    """The order's own stamps as (hop, thread, from_ns, to_ns), in pipeline order; the first one begins at the port."""
    own = {}
    for ns, thread, hop, stamp_id, _, oid in order["stamps"]:
        about = oid == order["oid"] if hop in ("strategy", "risk", "gateway", "wire") else True
        if stamp_id == order["id"] and hop in HOPS and about:
            if hop == "book" and own.get("strategy"):
                continue  # a view of a later event of the same datagram
            own[hop] = (ns, thread)
    out, at = [], order["from_ns"]
    for hop in HOPS[1:]:
        if hop in own:
            out.append((hop, own[hop][1], at, own[hop][0]))
            at = own[hop][0]
    return out


def host_near(hostlog, from_ns, to_ns):
    return [step for step in hostlog if step["to_ns"] >= from_ns and step["from_ns"] <= to_ns]


def host_words(step):
    words = [f"{n}x {what}" for what, n in sorted(step["interrupts"].items(), key=lambda item: -item[1])]
    words += [f"{name} waited {ns / 1000:.0f} us for a core" for name, ns in sorted(step["waited_ns"].items(), key=lambda item: -item[1])]
    return ", ".join(words) or "nothing"


def draw(order, hostlog, number):
    """One order: a lane a thread, its hops as boxes, the stamps of other events as ticks, below it the host."""
    hops = way(order)
    begin, end = order["from_ns"], order["from_ns"] + order["ns"]
    margin = max(order["ns"] * 0.08, 200)
    scale = (WIDTH - LEFT - 20) / (end - begin + 2 * margin)
    threads = sorted({thread for _, thread, *_ in order["stamps"]})
    steps = host_near(hostlog, begin, end)[:12]
    height = 90 + LANE * len(threads) + 18 * max(len(steps), 1)

    def x(ns):
        return LEFT + (ns - begin + margin) * scale

    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="#ffffff"/>',
           f'<text x="10" y="20" font-size="14">{number}: order {order["oid"]}, {order["ns"] / 1000:.2f} us from port to port</text>']
    for lane, thread in enumerate(threads):
        y = 36 + lane * LANE
        out.append(f'<text x="10" y="{y + 18}">thread {thread}</text><line x1="{LEFT}" x2="{WIDTH - 20}" y1="{y + 30}" y2="{y + 30}" stroke="#cccccc"/>')
        for ns, owner, hop, stamp_id, *_ in order["stamps"]:
            if owner == thread and stamp_id != order["id"] and begin - margin <= ns <= end + margin:
                out.append(f'<line x1="{x(ns):.1f}" x2="{x(ns):.1f}" y1="{y + 25}" y2="{y + 35}" stroke="#888888"><title>{hop} of another event</title></line>')
    for hop, thread, start, stop in hops:
        y = 36 + threads.index(thread) * LANE
        width = max((stop - start) * scale, 0.5)
        out.append(f'<g><title>{hop}: {stop - start:.0f} ns</title><rect x="{x(start):.1f}" y="{y}" width="{width:.1f}" height="22" '
                   f'fill="{COLORS[hop]}" stroke="#555555" stroke-width="0.5"/>')
        if width > 46:
            out.append(f'<text x="{x(start) + 3:.1f}" y="{y + 14}">{hop} {(stop - start) / 1000:.2f}</text>')
        out.append("</g>")
    y = 60 + LANE * len(threads)
    out.append(f'<text x="10" y="{y}">the host meanwhile (steps of some milliseconds around it):</text>')
    for step in steps or [None]:
        y += 17
        text = "was not looked at" if step is None else (
            f"{(step['from_ns'] - begin) / 1e6:+.1f} to {(step['to_ns'] - begin) / 1e6:+.1f} ms: " + host_words(step))
        out.append(f'<text x="{20}" y="{y}">{html.escape(text[:180])}</text>')
    return "\n".join(out + ["</svg>", ""])


def perfetto(orders, hostlog):
    """Chrome's trace event format, which Perfetto opens: microseconds, a row a thread, the host as counters."""
    events = [{"ph": "M", "pid": 1, "name": "process_name", "args": {"name": "engine"}},
              {"ph": "M", "pid": 2, "name": "process_name", "args": {"name": "host"}}]
    for order in orders:
        for hop, thread, start, stop in way(order):
            events.append({"ph": "X", "pid": 1, "tid": thread, "name": hop, "ts": start / 1000, "dur": (stop - start) / 1000,
                           "args": {"order": order["oid"], "event": order["id"]}})
        for ns, thread, hop, stamp_id, inst, _ in order["stamps"]:
            if stamp_id != order["id"]:
                events.append({"ph": "i", "s": "t", "pid": 1, "tid": thread, "name": f"{hop} (other)", "ts": ns / 1000,
                               "args": {"event": stamp_id, "instrument": inst}})
    for step in hostlog:
        events.append({"ph": "C", "pid": 2, "name": "interrupts", "ts": step["from_ns"] / 1000,
                       "args": {"n": sum(step["interrupts"].values())}})
        for name, ns in step["waited_ns"].items():
            events.append({"ph": "C", "pid": 2, "name": f"{name} waited for a core, us", "ts": step["from_ns"] / 1000, "args": {"us": ns / 1000}})
    return {"displayTimeUnit": "ns", "traceEvents": events}


def main(arguments):
    if len(arguments) != 4 or not arguments[3].isdigit():
        print(__doc__, file=sys.stderr)
        return 2
    worst, log, folder, n = arguments[0], arguments[1], arguments[2], int(arguments[3])
    _, orders = read_worst(worst)
    with open(log, encoding="utf-8") as file:
        hostlog = [json.loads(line) for line in file if line.endswith("}\n")]
    if not orders:
        print("perf/trace: no order was caused by market data", file=sys.stderr)
        return 1
    for number, order in enumerate(orders[:n], 1):
        path = f"{folder}/worst-{number:02}.svg"
        with open(path, "w", encoding="utf-8") as file:
            file.write(draw(order, hostlog, number))
        print(f"{path}  {order['ns'] / 1000:.2f} us  " + " ".join(f"{hop} {(stop - start) / 1000:.2f}" for hop, _, start, stop in way(order)))
    with open(f"{folder}/worst.perfetto.json", "w", encoding="utf-8") as file:
        json.dump(perfetto(orders[:n], hostlog), file)
    print(f"{folder}/worst.perfetto.json")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
