#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: demo_replay.sh BUILD: a recorded day as background flow through exchange and engine
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
file=$data/nasdaq/aapl_20191230_first25000.itch
[ -r "$file" ] || skip "no recorded day at $file"

"$root/app/demo.sh" "$build" --seconds 6 --replay "$file" --speed 100 --output "$tmp/out" >"$tmp/demo.out" 2>"$tmp/demo.err"
cat "$tmp/demo.out"
at_least "$tmp/demo.out" 'messages ' 20000
at_least "$tmp/demo.out" 'orders ' 5
