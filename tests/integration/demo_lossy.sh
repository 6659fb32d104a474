#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: demo_lossy.sh BUILD: both lines lose, double and reorder; what neither brings is asked for, and both sides agree
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
faults='faults: {loss_ppm: 30000, duplicate_ppm: 10000, reorder_ppm: 10000}'
sed "/^exchange:/,\$s/\(- {group: 239.192.1.[12], port: 26477\)}/\1, $faults}/" "$root/app/config/demo.yaml" >"$tmp/lossy.yaml"
[ "$(grep -c loss_ppm "$tmp/lossy.yaml")" = 2 ] || fail 'the faults are not in the config'

"$root/app/demo.sh" "$build" --config "$tmp/lossy.yaml" --seconds 5 --stats --output "$tmp/out" >"$tmp/demo.out" 2>"$tmp/demo.err"
grep -E '^(messages|orders|fills|feed0 .*(request|gap|stale|fresh|lost))|agree' "$tmp/demo.out"
at_least "$tmp/demo.out" 'messages ' 1000
at_least "$tmp/demo.out" 'orders ' 5
grep -qE '^messages lost +0$' "$tmp/demo.out" || fail 'messages were lost for good'
grep -qE '^feed0 +request_sent ' "$tmp/demo.out" || fail 'nothing was ever asked for'
