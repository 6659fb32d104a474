# SPDX-License-Identifier: BSD-3-Clause
"""The bisection of perf/tick-to-trade on a simulated link of known capacity, and the reading of its files."""
import os
import random
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../perf"))
import tick  # noqa: E402


class Link:
    """Takes so many messages a second and has a buffer; what finds it full is lost. Time is simulated."""

    def __init__(self, capacity, buffer):
        self.capacity, self.buffer, self.runs = capacity, buffer, 0

    def is_good(self, rate, seconds=1.0, step=0.001):
        self.runs += 1
        waiting, lost = 0.0, 0.0
        for _ in range(int(seconds / step)):
            waiting += rate * step
            waiting = max(0.0, waiting - self.capacity * step)
            lost += max(0.0, waiting - self.buffer)
            waiting = min(waiting, self.buffer)
        return lost == 0


class Bisection(unittest.TestCase):
    def test_finds_the_capacity_of_a_link(self):
        seed = int(os.environ.get("GANNET_SEED", "3"))
        rng = random.Random(seed)
        for _ in range(50):
            link = Link(rng.randrange(10_000, 1_500_000), buffer=0)
            found = tick.highest(link.is_good, 10_000, 2_000_000)
            self.assertLessEqual(found, link.capacity, f"seed {seed}")
            self.assertGreater(found * 1.1 * 1.0001, link.capacity, f"seed {seed}")
            self.assertLess(link.runs, 16, f"seed {seed}")

    def test_takes_few_runs_where_that_is_asked_for(self):
        for capacity in (10_001, 50_000, 79_999, 80_001, 700_000, 1_999_999):
            link = Link(capacity, buffer=0)
            found = tick.highest(link.is_good, 10_000, 2_000_000, growth=8, close=1.5)
            self.assertLessEqual(found, capacity)
            self.assertGreater(found * 1.5001, capacity)
            self.assertLessEqual(link.runs, 7)

    def test_ends_where_no_rate_lies_between(self):
        link = Link(3, buffer=0)
        self.assertEqual(tick.highest(link.is_good, 1, 100, close=1.0), 3)

    def test_sees_what_a_buffer_hides_only_for_a_while(self):
        link = Link(100_000, buffer=5_000)  # holds 5 % more for the second that a run lasts
        self.assertLessEqual(tick.highest(link.is_good, 10_000, 2_000_000), 105_001)

    def test_stops_at_the_highest_rate_asked_for(self):
        self.assertEqual(tick.highest(Link(10**9, 0).is_good, 10_000, 2_000_000), 2_000_000)

    def test_says_when_even_the_first_rate_loses(self):
        self.assertIsNone(tick.highest(Link(5_000, 0).is_good, 10_000, 2_000_000))


class Lines(unittest.TestCase):
    def test_a_run_that_the_exchange_could_not_feed_is_not_free_of_loss(self):
        result = {"lost": 0, "messages": 90, "rate": 100, "window_ns": 10**9}
        self.assertFalse(tick.is_loss_free(result))
        self.assertTrue(tick.is_loss_free({**result, "messages": 100}))
        self.assertFalse(tick.is_loss_free({**result, "messages": 100, "lost": 1}))
        self.assertFalse(tick.is_loss_free({**result, "messages": 140, "window_ns": 1.5 * 10**9}))
        self.assertFalse(tick.is_loss_free({"lost": 0, "rate": 100}))

    def test_reads_percentiles_from_histogram_text(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/x.hgrm"
            with open(path, "w", encoding="utf-8") as file:
                file.write("       Value     Percentile TotalCount 1/(1-Percentile)\n\n 10.000 0.0 1 1.00\n 20.000 0.5 50 2.0\n"
                           " 90.000 0.99 99 100.0\n 100.000 1.0 100\n#[Mean = 1, StdDeviation = 0]\n")
            out = tick.read_hgrm(path)
        self.assertEqual((out["n"], out["p50_ns"], out["p99_ns"], out["max_ns"]), (100, 20.0, 90.0, 100.0))

    def test_counts_as_lost_what_any_of_them_lost(self):
        with tempfile.TemporaryDirectory() as folder:
            path = folder + "/stats"
            with open(path, "w", encoding="utf-8") as file:
                file.write("feed0   msg_lost   3  messages lost\nrx0  port_missed 4 x\nrisk:engine loss_max 77 limit\n")
            self.assertEqual(tick.lost(tick.read_stats(path)), 7)


if __name__ == "__main__":
    unittest.main()
