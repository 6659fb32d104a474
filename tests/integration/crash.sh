#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: crash.sh BUILD: the engine is killed at random moments under load and goes on each time from its journal and the
# venue's replay; in the end both sides agree exactly. The exchange trades over the kernel's TCP. GANNET_SEED chooses the
# moments, GANNET_KILLS their number (5; 200 with GANNET_LONG).
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/integration/_veth.sh
. "$(dirname "$0")/_veth.sh"
seed=${GANNET_SEED:-1} kills=${GANNET_KILLS:-$([ -n "${GANNET_LONG:-}" ] && echo 200 || echo 5)}
RANDOM=$seed
say() { echo "seed $seed: $*"; }

# start_engine WORD: with a recovery of that kind
start_engine() {
	ip netns exec "$engine_ns" "$gannet" run "$tmp/$1.yaml" --journal "$tmp/day.journal" --output "$tmp" "${@:2}" \
		>"$tmp/run.out" 2>"$tmp/run.err" &
	engine=$!
}

recovery() { [ $((RANDOM % 2)) = 0 ] && echo keep || echo cancel; }

# Three times of four it trades before it dies; else the crash may also meet the start, the replay, or the cancelling.
kill_engine() {
	if [ $((RANDOM % 4)) != 0 ]; then wait_for "$tmp/run.err" 'orders [1-9].*session up' || fail "seed $seed: it does not trade"; fi
	sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
	kill -0 "$engine" 2>/dev/null || fail "seed $seed: the engine ended by itself"
	kill -KILL "$engine"
	wait "$engine" 2>/dev/null || true
}

# one_day N: an exchange, an engine that dies N times, a clean end
one_day() {
	rm -f "$tmp"/day.journal* "$tmp/ledger.csv"
	start_exchange --stats
	for ((i = 0; i < $1; i++)); do
		start_engine "$(recovery)"
		kill_engine
	done
	start_engine "$(recovery)"
	wait_for "$tmp/run.err" 'session up' || fail "seed $seed: the last start does not come up"
	sleep 1
	kill -TERM "$engine"
	wait "$engine" || fail "seed $seed: the engine ended with $?"
	stop_exchange
	"$gannet" journal verify "$tmp/day.journal" >"$tmp/verify.out" || fail "seed $seed: the journal is damaged"
	"$gannet" reconcile "$tmp/day.journal" "$tmp/ledger.csv" >"$tmp/reconcile.out" ||
		fail "seed $seed: $(grep -c ^differs "$tmp/reconcile.out") differences: $(head -n 6 "$tmp/reconcile.out")"
	say "$1 kills, $(awk '/^order/ {print $2}' "$tmp/reconcile.out") orders, $(awk '/^fill/ {print $2}' "$tmp/reconcile.out") fills: agree"
}

for kind in keep cancel; do
	echo "${config/engine:/engine:
  recovery: $kind}" >"$tmp/$kind.yaml"
done
for ((done = 0; done < kills; done += 5)); do
	one_day $((kills - done < 5 ? kills - done : 5))
done
