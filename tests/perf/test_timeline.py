# SPDX-License-Identifier: BSD-3-Clause
"""Timelines of a known schedule, and flame graphs of known samples."""
import json
import os
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../perf"))
import flame  # noqa: E402
import timeline  # noqa: E402

# Half a nanosecond a tick; tick 1,000 is 5,000 ns of the monotonic clock. Each hop takes 100 ns more than the one before.
SCHEDULE = (("feed", 0, 100), ("book", 0, 200), ("strategy", 1, 300), ("risk", 1, 400), ("gateway", 2, 500), ("wire", 2, 600))
BEGIN_TSC = 2000


def write_schedule(path):
    tsc, lines = BEGIN_TSC, ["clock 1000 5000 0.5", f"order {BEGIN_TSC} 77 {2 * 2100}"]
    lines.append(f"{BEGIN_TSC - 100} 0 rx 5 0 0")  # another event
    for hop, thread, ns in SCHEDULE:
        tsc += 2 * ns
        lines.append(f"{tsc} {thread} {hop} {BEGIN_TSC} 3 {77 if hop in ('strategy', 'risk', 'gateway', 'wire') else 0}")
        if hop == "strategy":
            lines.append(f"{tsc + 10} {thread} strategy {BEGIN_TSC} 3 78")  # another order of the same event
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


class Timeline(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.worst, self.log = self.folder.name + "/worst", self.folder.name + "/log"
        write_schedule(self.worst)
        with open(self.log, "w", encoding="utf-8") as file:
            for from_ns, waited in ((0, {}), (5000, {"rx0": 1234}), (50_000_000, {})):
                file.write(json.dumps({"from_ns": from_ns, "to_ns": from_ns + 4000, "interrupts": {"LOC@1": 3}, "waited_ns": waited}) + "\n")

    def test_has_each_hop_where_and_as_long_as_it_was(self):
        _, orders = timeline.read_worst(self.worst)
        at = 5500.0  # tick 2,000
        for (hop, thread, ns), drawn in zip(SCHEDULE, timeline.way(orders[0]), strict=True):
            self.assertEqual(drawn, (hop, thread, at, at + ns))
            at += ns
        self.assertEqual(orders[0]["ns"], 2100)

    def test_leaves_out_a_hop_whose_stamp_was_lost(self):
        with open(self.worst, encoding="utf-8") as file:
            lines = [line for line in file if " risk " not in line]
        with open(self.worst, "w", encoding="utf-8") as file:
            file.writelines(lines)
        hops = timeline.way(timeline.read_worst(self.worst)[1][0])
        self.assertEqual([h[0] for h in hops], ["feed", "book", "strategy", "gateway", "wire"])
        self.assertEqual(sum(stop - start for *_, start, stop in hops), 2100)

    def test_draws_and_exports_the_same(self):
        stdout, sys.stdout = sys.stdout, open(os.devnull, "w", encoding="utf-8")
        try:
            self.assertEqual(timeline.main([self.worst, self.log, self.folder.name, "4"]), 0)
        finally:
            sys.stdout.close()
            sys.stdout = stdout
        with open(self.folder.name + "/worst.perfetto.json", encoding="utf-8") as file:
            events = json.load(file)["traceEvents"]
        boxes = [(e["name"], e["tid"], e["ts"], e["dur"]) for e in events if e["ph"] == "X"]
        self.assertEqual(boxes[2], ("strategy", 1, 5.8, 0.3))
        self.assertEqual(len(boxes), len(SCHEDULE))
        svg = ElementTree.parse(self.folder.name + "/worst-01.svg").getroot()
        text = " ".join(svg.itertext())
        self.assertIn("rx0 waited 1 us for a core", text)
        self.assertNotIn("49", text.split("the host meanwhile")[1])  # the step 50 ms later is not beside it
        widths = [float(r.get("width")) for r in svg.iter("{http://www.w3.org/2000/svg}rect") if r.get("stroke")]
        self.assertAlmostEqual(widths[5] / widths[0], 6.0, delta=0.2)


class Flame(unittest.TestCase):
    SAMPLES = [("rx0", ["book_apply", "feed_run", "rx_poll"], ("x", 1))] * 3 + [("rx0", ["memcpy", "risk_request", "rx_poll"], ("x", 2))]

    def test_gives_a_sample_to_its_innermost_stage(self):
        self.assertEqual([flame.stage_of(names) for _, names, _ in self.SAMPLES], ["book"] * 3 + ["risk"])
        self.assertEqual(flame.stage_of(["main"]), "other")

    def test_boxes_are_as_wide_as_their_share(self):
        svg = ElementTree.fromstring(flame.flame(flame.fold(self.SAMPLES), "t"))
        ns = "{http://www.w3.org/2000/svg}"
        widths = {g.find(ns + "title").text.split(":")[0]: float(g.find(ns + "rect").get("width")) for g in svg.iter(ns + "g")}
        self.assertAlmostEqual(widths["book_apply"] / widths["rx_poll"], 0.75, delta=0.01)
        self.assertAlmostEqual(widths["rx_poll"], flame.WIDTH, delta=1)

    def test_reads_what_perf_script_prints(self):
        with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
            file.write("rx0 \n\t    55 book_apply+0x12 (/x/gannet)\n\t    77 rx_poll.constprop.0 (/x/gannet)\n\njournal0 \n"
                       "\t    99 [unknown] (/lib/libz.so)\n\n")
            file.flush()
            samples = list(flame.read_perf(file.name, flame.Symbols()))
        self.assertEqual([s[:2] for s in samples], [("rx0", ["book_apply", "rx_poll"]), ("journal0", ["[libz.so]"])])

    def test_leaves_out_who_only_starts_and_stops(self):
        words = flame.hottest(self.SAMPLES + [("gannet", ["main"], ("x", 1))] * 90, flame.Symbols())
        self.assertIn("book: 75.0 % of 4 samples", words)


if __name__ == "__main__":
    unittest.main()
