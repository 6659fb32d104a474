#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What the host did, every few milliseconds until told to stop: interrupts of each core, and how long threads waited for one.

usage: hostlog.py COMMAND_NAME      one JSON line a step: from_ns and to_ns by the monotonic clock
"""
import json
import os
import signal
import sys
import time

STEP_S = 0.005
LOOK_S = 0.2  # between two searches for the process


def interrupts():
    """(word of the interrupt, core) > count"""
    out = {}
    with open("/proc/interrupts", encoding="utf-8") as file:
        cores = len(file.readline().split())
        for line in file:
            fields = line.split()
            for core, text in enumerate(fields[1:1 + cores]):
                if text.isdigit():
                    out[fields[0].rstrip(":"), core] = int(text)
    return out


def threads_of(name):
    """(thread name, path of its schedstat) of every process of that name."""
    out = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/comm", encoding="utf-8") as file:
                if file.read().strip() != name:
                    continue
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
                    out.append((file.read().strip(), f"/proc/{pid}/task/{task}/schedstat"))
        except OSError:
            continue  # it has ended
    return out


def waited(threads):
    out = {}
    for name, path in threads:
        try:
            with open(path, encoding="utf-8") as file:
                out[name] = int(file.read().split()[1])
        except (OSError, IndexError, ValueError):
            continue
    return out


def growth(now, before):
    return {key: value - before[key] for key, value in now.items() if key in before and value > before[key]}


def main(arguments):
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    threads, looked = [], 0.0
    at, irq, wait = time.monotonic_ns(), interrupts(), {}
    while going:
        time.sleep(STEP_S)
        if time.monotonic() - looked > LOOK_S:
            threads, looked = threads_of(arguments[0]), time.monotonic()
        to, irq_now, wait_now = time.monotonic_ns(), interrupts(), waited(threads)
        line = {"from_ns": at, "to_ns": to,
                "interrupts": {f"{word}@{core}": n for (word, core), n in growth(irq_now, irq).items()},
                "waited_ns": growth(wait_now, wait)}
        print(json.dumps(line))
        at, irq, wait = to, irq_now, wait_now
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
