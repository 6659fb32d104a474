#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: demo.sh BUILD TOPOLOGY [SECONDS]: the demo trades, stops cleanly, and both sides agree on everything
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
topology=$2 seconds=${3:-4}

"$root/app/demo.sh" "$build" --seconds "$seconds" --topology "$topology" --output "$tmp/out" >"$tmp/demo.out" 2>"$tmp/demo.err"
cat "$tmp/demo.out"
at_least "$tmp/demo.out" 'messages ' 1000
at_least "$tmp/demo.out" 'orders ' 20
at_least "$tmp/demo.out" 'fills ' 1
at_least "$tmp/demo.out" 'tick to trade ' 20
[ -s "$tmp/out/latency.svg" ] || fail 'no latency plot'
grep -q '^<svg\|<svg ' "$tmp/out/latency.svg" || fail 'the latency plot is no SVG'
[ "$topology" != pipeline ] || [ "$(nproc)" -ge 8 ] || grep -q 'threads share' "$tmp/demo.err" || fail 'nothing said of shared cores'
