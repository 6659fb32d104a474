# SPDX-License-Identifier: BSD-3-Clause
"""Intervals and verdicts of perf/ab, the verdicts of perf/gate, and the floor beside a result."""
import contextlib
import io
import json
import os
import random
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "../../perf"))
import ab  # noqa: E402
import gate  # noqa: E402
import results  # noqa: E402


def quiet(function, *arguments):
    """Its value, with what it prints kept back."""
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        return function(*arguments)


class Interval(unittest.TestCase):
    def test_covers_the_true_median_as_often_as_it_says(self):
        seed = int(os.environ.get("GANNET_SEED", "1"))
        rng = random.Random(seed)
        covered = 0
        for _ in range(1000):
            _, (low, high) = ab.interval([rng.lognormvariate(0, 0.5) for _ in range(15)])
            covered += low <= 1 <= high
        self.assertGreater(covered, 930, f"seed {seed}")

    def test_is_open_with_few_values(self):
        self.assertEqual(ab.interval([1.0, 1.1, 1.2, 1.3, 1.4])[1], None)

    def test_closes_with_six(self):
        self.assertEqual(ab.interval([3, 1, 2, 6, 5, 4]), (3.5, (1, 6)))


class Ab(unittest.TestCase):
    def run_with(self, factor, rounds=9):
        rng = random.Random(7)
        with tempfile.TemporaryDirectory() as folder:
            for i in range(rounds):
                speed = rng.uniform(0.5, 2)  # what moves both sides moves no ratio
                for side, f in (("a", 1), ("b", factor)):
                    with open(f"{folder}/{side}.{i}.json", "w", encoding="utf-8") as file:
                        file.write(json.dumps({"bench": "x", "p50_ns": 10 * speed * f * rng.uniform(0.99, 1.01)}) + "\n")
            return quiet(ab.main, [folder, str(rounds), "5"])

    def test_finds_a_regression_that_the_machine_hides(self):
        self.assertEqual(self.run_with(1.10), 1)

    def test_says_nothing_about_the_same(self):
        self.assertEqual(self.run_with(1.0), 0)

    def test_says_nothing_when_it_became_faster(self):
        self.assertEqual(self.run_with(0.8), 0)

    def test_fails_when_nothing_is_in_common(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("a.0.json", "b.0.json"):
                with open(f"{folder}/{name}", "w", encoding="utf-8") as file:
                    file.write(json.dumps({"bench": name, "p50_ns": 1}) + "\n")
            self.assertEqual(quiet(ab.main, [folder, "1", "5"]), 1)


class Gate(unittest.TestCase):
    def run_with(self, counts, tools="compiler gcc\n", baseline={"a": 100.0}):
        with tempfile.TemporaryDirectory() as folder:
            paths = [f"{folder}/{name}" for name in ("baseline", "tools", "counts")]
            with open(paths[0], "w", encoding="utf-8") as file:
                json.dump({"tools": {"compiler": "gcc"}, "instructions": baseline}, file)
            for path, text in ((paths[1], tools), (paths[2], counts)):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(text)
            return quiet(gate.main, paths)

    def test_takes_two_per_cent(self):
        self.assertEqual(self.run_with("a 101.9\n"), 0)
        self.assertEqual(self.run_with("a 102.1\n"), 1)

    def test_takes_less(self):
        self.assertEqual(self.run_with("a 50\n"), 0)

    def test_refuses_what_was_not_counted(self):
        self.assertEqual(self.run_with(""), 1)
        self.assertEqual(self.run_with("a failed\n"), 1)
        self.assertEqual(self.run_with("a 0.00\n"), 1)

    def test_refuses_a_path_without_baseline(self):
        self.assertEqual(self.run_with("a 100\nb 5\n"), 1)

    def test_cannot_tell_with_another_compiler(self):
        self.assertEqual(self.run_with("a 500\n", tools="compiler clang\n"), gate.CANNOT_TELL)


class Floor(unittest.TestCase):
    def test_is_put_beside_a_result(self):
        out = results.beside({"bench": "spsc_rtt_boost", "p50_ns": 200.0}, {"floor_line": 50.0})
        self.assertEqual((out["floor"], out["x_floor"]), ("floor_line", 2.0))

    def test_is_left_out_where_it_was_not_measured(self):
        self.assertNotIn("x_floor", results.beside({"bench": "itch_decode", "p50_ns": 4.0}, {}))


if __name__ == "__main__":
    unittest.main()
