#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: guard.sh BUILD: an engine that is killed, and one that hangs, are stopped by their guard: nothing stays open at the venue
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/integration/_veth.sh
. "$(dirname "$0")/_veth.sh"
nsenter --net="/run/netns/$engine_ns" ip addr add 10.71.0.3/24 dev ge0 # the guard's own way to the venue
printf '%s\n' "$config" | sed 's/rate_msgs_s: 20000/rate_msgs_s: 1000/' >"$tmp/keep.yaml" # few fills: most orders stay open
sed -i 's/^engine:$/engine:\n  guard: {hang_ms: 3000, cancel_within_ms: 8000}/' "$tmp/keep.yaml"
"$gannet" check-config "$tmp/keep.yaml" >"$tmp/check.out"

# open_of: orders open in the engine
open_of() {
	"$gannet" show stages --format json --name demo 2>/dev/null | python3 -c "import json, sys; print(json.load(sys.stdin)['stages']['engine']['open'])" 2>/dev/null || echo 0
}

# risk_says TEXT: read to the end first, since a grep that has seen enough would break the pipe
risk_says() {
	"$gannet" show risk >"$tmp/risk.txt" 2>"$tmp/risk.err" && grep -q "$1" "$tmp/risk.txt"
}

# start_both NAME: an engine that has orders open, and a guard that watches it
start_both() {
	nsenter --net="/run/netns/$engine_ns" "$gannet" guard "$tmp/keep.yaml" --format json >"$tmp/guard-$1.out" 2>"$tmp/guard-$1.err" &
	guard=$!
	nsenter --net="/run/netns/$engine_ns" "$gannet" run "$tmp/keep.yaml" --quiet --journal "$tmp/day.journal" --output "$tmp/$1" \
		>"$tmp/$1.out" 2>"$tmp/$1.err" &
	engine=$!
	wait_for "$tmp/guard-$1.err" 'watches engine demo' || fail 'the guard sees no engine'
	[ -z "${2:-}" ] || return 0
	for _ in $(seq 200); do
		[ "$(open_of)" -ge 20 ] && return 0
		sleep 0.1
	done
	fail 'the engine does not trade'
}

# guard_did NAME WHY: it ended well, and says that it found orders open and that none are
guard_did() {
	local status=0
	wait $guard || status=$?
	cat "$tmp/guard-$1.out"
	[ $status = 0 ] || fail "the guard ended with $status: $(cat "$tmp/guard-$1.err")"
	python3 -c "
import json, sys
j = json.load(open('$tmp/guard-$1.out'))
sys.exit(not (j['ok'] and '$2' in j['why'] and j['open_found'] >= 10 and j['cancels'] >= j['open_found']
	and j['open_left'] == 0 and j['cancelled_ms'] < 8000))" || fail "the guard did not what it must: $(cat "$tmp/guard-$1.out")"
	grep -q '"level":"engine"' "$tmp/demo.kills" || fail 'the switch would not survive a restart'
}

# shellcheck disable=SC2119 # no options of the exchange here
start_exchange

# killed: the kernel knows at once
start_both killed
expect_said 'runs already' "$gannet" guard "$tmp/keep.yaml"
kill -KILL $engine
wait $engine 2>/dev/null || true
guard_did killed 'engine demo died'

# it comes back blocked, until a person releases it
start_both blocked yes
sleep 1
[ "$(open_of)" = 0 ] || fail 'the engine trades though its guard has blocked it'
risk_says 'killed until released: engine .*by guard' || fail 'the engine does not say who has blocked it'
"$gannet" kill --release --engine --reason 'looked at it' || fail 'no release'
for _ in $(seq 200); do
	if [ "$(open_of)" -ge 20 ]; then break; fi
	sleep 0.1
done
[ "$(open_of)" -ge 20 ] || fail 'the engine does not trade again'

# hung: every thread stands still
kill -STOP $engine
guard_did blocked 'stands still'
kill -CONT $engine
for _ in $(seq 50); do
	risk_says 'KILLED by guard' && break
	sleep 0.1
done
risk_says 'KILLED by guard' || fail 'the engine went on after it had hung'
[ "$(open_of)" = 0 ] || fail "orders are open: $(open_of)"
"$gannet" kill --release --engine --reason 'it had been stopped by hand'
kill -TERM $engine
wait $engine || fail "the engine ended with $?"

# one that ends in order is none of its business
start_both clean
kill -TERM $engine
wait $engine || fail "the engine ended with $?"
wait_for "$tmp/guard-clean.err" 'ended in order' || fail 'the guard does not see a clean stop'
kill -TERM $guard
wait $guard || fail "the guard ended with $?"
[ ! -s "$tmp/guard-clean.out" ] || fail "the guard acted: $(cat "$tmp/guard-clean.out")"
stop_exchange
grep -q ',live$' "$tmp/ledger.csv" && fail "orders were left open: $(grep -m3 ',live$' "$tmp/ledger.csv")"
exit 0
