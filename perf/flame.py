#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Samples of a running engine as a flame graph (SVG) and as the hottest functions of each stage, annotated.

usage: flame.py KIND SAMPLES FOLDER      KIND: perf (`perf script -F comm,ip,sym,dso`) or timer (perf/sampler.c)
"""
import bisect
import html
import os
import re
import subprocess
import sys

# A sample belongs to the stage of its innermost frame that one of these knows.
STAGES = (
    ("rx", r"^(rx_|port_|eth_memif|memif_|rte_eth_rx|af_packet|gn_port|classify)"),
    ("feed", r"^(feed_|arbiter_|itch50|moldudp64|hold_|losses_|recovery_|line_card)"),
    ("book", r"^(book_|levels_|order_map|frame_|near_|ladder_)"),
    ("strategy", r"^(strategy_|probe_|maker_|taker_|market_|universe_)"),
    ("risk", r"^(risk_|orders_|exposure_|pace_|enter_|gate_|tell_|watch_|limits?_)"),
    ("gateway", r"^(gateway_|account_|session_|ouch|soup|sent_|tcp_|ip4_|ethernet_|netif_|gn_tcp|gn_stack|pbuf|op_)"),
    ("tx", r"^(gn_tx|tx_)"),
    ("journal", r"^(journal_|crypto_|blake)"),
    ("runner", r"^(gn_runner|node_|thread_|gn_spsc|gn_link|gn_stats)"),
)
COLD_THREADS = ("gannet", "bench_kernel", "perf", "dpdk-intr")  # start and stop, and who looks on
TOP = 3  # functions annotated a stage
HOT_LINES = 12


def stage_of(stack):
    """stack: names, innermost first."""
    for name in stack:
        for stage, pattern in STAGES:
            if re.match(pattern, name):
                return stage
    return "other"


def clean(name):
    return re.sub(r"(\.(constprop|isra|part|cold|lto_priv)\.?\d*)+$", "", name)


class Symbols:
    """Names of functions by file and offset, from `nm`; files without symbols have their own name."""

    def __init__(self):
        self.tables = {}

    def table(self, path):
        if path not in self.tables:
            found = {}
            for options in ([], ["-D"]):
                try:
                    run = subprocess.run(["nm", "-n", "--defined-only", *options, path], capture_output=True, text=True, check=False)
                except OSError:
                    break
                for line in run.stdout.splitlines():
                    fields = line.split()
                    if len(fields) == 3 and fields[1] in "tTwW":
                        found[int(fields[0], 16)] = fields[2].split("@")[0]
            addresses = sorted(found)
            self.tables[path] = (addresses, [found[a] for a in addresses])
        return self.tables[path]

    def name(self, path, offset):
        addresses, names = self.table(path)
        i = bisect.bisect_right(addresses, offset) - 1
        return clean(names[i]) if i >= 0 else f"[{os.path.basename(path)}]"

    def bounds(self, path, offset):
        addresses, _ = self.table(path)
        i = bisect.bisect_right(addresses, offset)
        return addresses[i - 1], addresses[i] if i < len(addresses) else addresses[i - 1] + 4096


def read_timer(path, symbols):
    """(thread, [names innermost first], (file, offset) of the innermost)"""
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in file:
            fields = line.split()
            frames = []
            for word in fields:
                match = re.match(r"(.*)\+([0-9a-f]+)$", word)
                if match:
                    frames.append((match.group(1), int(match.group(2), 16)))
            if not frames:
                continue
            names = [symbols.name(file_name, offset - (depth > 0)) for depth, (file_name, offset) in enumerate(frames)]
            yield fields[0], names, frames[0]


def read_perf(path, symbols):
    """Of `perf script -F comm,ip,sym,dso`: a line with the thread, then one a frame, then an empty one."""
    thread, names, first = None, [], None
    with open(path, encoding="utf-8", errors="replace") as file:
        for line in list(file) + ["\n"]:
            if not line.strip():
                if thread and names:
                    yield thread, names, first
                thread, names, first = None, [], None
            elif thread is None:
                thread = line.split()[0]
            else:
                match = re.match(r"\s*([0-9a-f]+) (.*) \((.*)\)$", line.rstrip())
                if match:
                    name = clean(match.group(2).split("+")[0])
                    names.append(f"[{os.path.basename(match.group(3))}]" if name == "[unknown]" else name)
                    first = first or (match.group(3), name)
    del symbols


def fold(samples):
    """Tree of (count, children by name), outermost first: thread, stack."""
    root = [0, {}]
    for thread, names, _ in samples:
        node = root
        node[0] += 1
        for name in [thread] + names[::-1]:
            node = node[1].setdefault(name, [0, {}])
            node[0] += 1
    return root


COLORS = {"rx": "#9ecae1", "feed": "#a1d99b", "book": "#fdd0a2", "strategy": "#dadaeb", "risk": "#fc9272", "gateway": "#fdae6b",
          "tx": "#c6dbef", "journal": "#d9d9d9", "runner": "#f7f7c7", "other": "#eeeeee"}
WIDTH, ROW, SMALLEST = 1200, 17, 0.6


def flame(root, title):
    """A flame graph: width is share of samples, colour is stage; each box tells its numbers when pointed at."""
    boxes = []

    def draw(name, node, x, depth):
        width = WIDTH * node[0] / root[0]
        if width < SMALLEST:
            return
        boxes.append((x, depth, width, name, node[0]))
        for child, below in sorted(node[1].items()):
            draw(child, below, x, depth + 1)
            x += WIDTH * below[0] / root[0]

    draw("all", root, 0.0, 0)
    height = (max(depth for _, depth, _, _, _ in boxes) + 1) * ROW + 40
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" font-family="sans-serif" font-size="11">',
           '<rect width="100%" height="100%" fill="#ffffff"/>', f'<text x="8" y="18" font-size="14">{html.escape(title)}</text>']
    for x, depth, width, name, count in boxes:
        y = height - (depth + 1) * ROW - 4
        label = name if len(name) * 6.5 < width else name[:max(0, int(width / 6.5) - 1)]
        out.append(f'<g><title>{html.escape(name)}: {count} samples, {100 * count / root[0]:.1f} %</title>'
                   f'<rect x="{x:.1f}" y="{y}" width="{max(width - 0.4, 0.3):.1f}" height="{ROW - 1}" fill="{COLORS[stage_of([name])]}"/>'
                   f'<text x="{x + 3:.1f}" y="{y + 12}">{html.escape(label)}</text></g>')
    return "\n".join(out + ["</svg>", ""])


def disassemble(path, start, end):
    try:
        run = subprocess.run(["objdump", "-d", "--no-show-raw-insn", f"--start-address={start}", f"--stop-address={end}", path],
                             capture_output=True, text=True, check=False)
    except OSError:
        return []
    lines = []
    for line in run.stdout.splitlines():
        match = re.match(r"\s*([0-9a-f]+):\s+(.*)$", line)
        if match:
            lines.append((int(match.group(1), 16), match.group(2)))
    return lines


def annotate(out, symbols, name, places, total):
    """The instructions of one function with the most samples. Timer samples know them; for perf's there is annotated.txt."""
    where = [p for p in places if isinstance(p[1], int) and symbols.table(p[0])[0]]
    if not where:
        return
    counts = {}
    for path, offset in where:
        counts[path, offset] = counts.get((path, offset), 0) + 1
    path, offset = where[0]
    code = disassemble(path, *symbols.bounds(path, offset))
    hot = sorted(counts.items(), key=lambda item: -item[1])[:HOT_LINES]
    shown = {address for (_, address), _ in hot}
    for address, text in code:
        if address in shown:
            out.append(f"      {100 * counts[path, address] / total:5.1f} %  {address:8x}  {text}")
    if not code:
        out.append(f"      (no objdump, or {name} cannot be disassembled)")


def hottest(samples, symbols):
    """Words: of each stage its share, its hottest functions by their own time, and their hottest instructions."""
    samples = [s for s in samples if s[0] not in COLD_THREADS]
    if not samples:
        return "no sample of a thread of the engine\n"
    stages = {}
    for _, names, place in samples:
        stages.setdefault(stage_of(names), {}).setdefault(names[0], []).append(place)
    total = len(samples)
    out = []
    for stage, functions in sorted(stages.items(), key=lambda item: -sum(map(len, item[1].values()))):
        out.append(f"{stage}: {100 * sum(map(len, functions.values())) / total:.1f} % of {total} samples")
        for name, places in sorted(functions.items(), key=lambda item: -len(item[1]))[:TOP]:
            out.append(f"   {100 * len(places) / total:5.1f} %  {name}")
            annotate(out, symbols, name, places, total)
    return "\n".join(out) + "\n"


def main(arguments):
    if len(arguments) != 3 or arguments[0] not in ("perf", "timer"):
        print(__doc__, file=sys.stderr)
        return 2
    kind, path, folder = arguments
    symbols = Symbols()
    samples = list((read_perf if kind == "perf" else read_timer)(path, symbols))
    if not samples:
        print(f"flame.py: {path} holds no sample", file=sys.stderr)
        return 1
    with open(f"{folder}/flame.svg", "w", encoding="utf-8") as file:
        file.write(flame(fold(samples), f"{len(samples)} samples, {'perf record' if kind == 'perf' else 'by timer'}"))
    with open(f"{folder}/hottest.txt", "w", encoding="utf-8") as file:
        file.write(hottest(samples, symbols))
    print(f"{folder}/flame.svg\n{folder}/hottest.txt")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
