#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: signal.sh BUILD SIGNAL: a signal stops the engine cleanly: orders cancelled, session logged out, status 0
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
signal=$2
cp "$root"/app/config/*.yaml "$tmp/"
sed -i "s|/tmp/gannet-demo.sock|$tmp/signal.sock|" "$tmp/demo.yaml"
"$gannet" exchange "$tmp/demo.yaml" --until-quiet --stats --ledger "$tmp/ledger.csv" >"$tmp/exchange.out" 2>"$tmp/exchange.err" &
exchange=$!
"$gannet" run "$tmp/demo.yaml" --stats --output "$tmp" >"$tmp/run.out" 2>"$tmp/run.err" &
engine=$!
for _ in $(seq 60); do # it trades: the live line says so
	grep -qE 'orders [1-9][0-9]+ ' "$tmp/run.err" && break
	sleep 0.5
done
kill -"$signal" $engine
wait $engine || fail "the engine ended with $?"
for _ in $(seq 30); do kill -0 $exchange 2>/dev/null && sleep 0.1; done
kill -TERM $exchange 2>/dev/null || true
wait $exchange || fail "the exchange ended with $?"
at_least "$tmp/run.out" 'orders ' 5
grep -q ',live$' "$tmp/ledger.csv" && fail "orders were left open: $(grep -m3 ',live$' "$tmp/ledger.csv")"
"$gannet" reconcile "$tmp"/*.journal "$tmp/ledger.csv"
