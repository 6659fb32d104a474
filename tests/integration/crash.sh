#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: crash.sh BUILD engine|exchange|both [ouch42]: that side is killed at random moments under load and goes on each time from
# its own files and what the other side knows; in the end both agree exactly. The exchange trades over the kernel's TCP.
# GANNET_SEED chooses the moments, GANNET_KILLS their number (200 with GANNET_LONG).
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/integration/_veth.sh
. "$(dirname "$0")/_veth.sh"
victim=$2 dialect=${3:-ouch50}
seed=${GANNET_SEED:-1} kills=3
[ "$victim" != engine ] || kills=5
[ -z "${GANNET_LONG:-}" ] || kills=200
kills=${GANNET_KILLS:-$kills}
RANDOM=$seed
say() { echo "seed $seed: $*"; }

# start_engine WORD: with a recovery of that kind
start_engine() {
	: >"$tmp/run.err"
	nsenter --net="/run/netns/$engine_ns" "$gannet" run "$tmp/$1.yaml" --journal "$tmp/day.journal" --output "$tmp" "${@:2}" \
		>"$tmp/run.out" 2>>"$tmp/run.err" &
	engine=$!
}

recovery() { [ $((RANDOM % 2)) = 0 ] && echo keep || echo cancel; }

# traded: until the engine says that it trades
traded() { wait_for "$tmp/run.err" 'orders [1-9].*session up' || fail "seed $seed: it does not trade"; }

# die PID WORD: three times of four only once it trades; else the crash may also meet the start, the replay, the cancelling
die() {
	[ $((RANDOM % 4)) = 0 ] || traded
	sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
	kill -0 "$1" 2>/dev/null || fail "seed $seed: the $2 ended by itself"
	kill -KILL "$1"
	wait "$1" 2>/dev/null || true
}

crash() {
	local who=$victim
	if [ "$who" = both ]; then who=$([ $((RANDOM % 2)) = 0 ] && echo engine || echo exchange); fi
	if [ "$who" = engine ]; then
		die "$engine" engine
		start_engine "$(recovery)"
	else
		die "$exchange" exchange
		: >"$tmp/run.err" # what it said before counts no more
		sleep "0.$((RANDOM % 900 + 100))"
		start_exchange --log "$tmp/day.log"
	fi
}

# A host so busy that orders could not be cancelled in time makes the stop unclean, and says so: one more restart then.
end_engine() {
	traded
	sleep 1
	kill -TERM "$engine"
	wait "$engine" && return 0
	grep -q 'orders are still open\|did not close in time' "$tmp/run.err" || fail "seed $seed: the engine failed"
	start_engine "$(recovery)"
	return 1
}

# one_day N: N crashes, then a clean end
one_day() {
	rm -f "$tmp"/day.* "$tmp/ledger.csv"
	start_exchange --log "$tmp/day.log"
	start_engine "$(recovery)"
	for ((i = 0; i < $1; i++)); do crash; done
	end_engine || end_engine || end_engine || fail "seed $seed: the engine does not end in order"
	stop_exchange
	"$gannet" journal verify "$tmp/day.journal" >"$tmp/verify.out" || fail "seed $seed: the journal is damaged"
	"$gannet" reconcile "$tmp/day.journal" "$tmp/ledger.csv" >"$tmp/reconcile.out" ||
		fail "seed $seed: $(grep -c ^differs "$tmp/reconcile.out") differences: $(head -n 6 "$tmp/reconcile.out")"
	say "$1 kills, $(awk '/^order/ {print $2}' "$tmp/reconcile.out") orders, $(awk '/^fill/ {print $2}' "$tmp/reconcile.out") fills: agree"
}

for kind in keep cancel; do
	keys=${config/engine:/engine:
  recovery: $kind}
	keys=${keys/  username: GANNET/  username: GANNET
      dialect: $dialect
      tries_max: 1000
      pause_max_ns: 200000000}
	if [ "$dialect" = ouch42 ]; then
		keys=${keys/port: 26400/port: 26442}
		keys=${keys/  order_port: 26400/  order_port: 26400
  ouch42_port: 26442}
		keys=${keys/\{username: GANNET, password: GANNET\}/\{username: GANNET, password: GANNET, dialect: ouch42\}}
	fi
	echo "$keys" >"$tmp/$kind.yaml"
done
for ((done = 0; done < kills; done += 5)); do
	one_day $((kills - done < 5 ? kills - done : 5))
done
