#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: failover.sh BUILD: the primary order gateway falls silent while orders are open; the session logs in at the backup
# with the next expected number, goes on, and comes back to the primary when the backup breaks. Both sides agree.
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/integration/_veth.sh
. "$(dirname "$0")/_veth.sh"
nsenter --net="/run/netns/$exchange_ns" ip addr add 10.71.0.3/24 dev gx0
nsenter --net="/run/netns/$exchange_ns" ip route add 239.0.0.0/8 dev gx0

# The exchange takes orders at any of its addresses; the engine knows two of them.
keys=${config/  ip: 10.71.0.2/  ip: 0.0.0.0
  heartbeat_ms: 200}
echo "${keys/        - \{ip: 10.71.0.2, port: 26400\}/        - \{ip: 10.71.0.3, port: 26400\}
        - \{ip: 10.71.0.2, port: 26400\}
      heartbeat_ns: 200000000
      dead_ns: 1000000000}" >"$tmp/keep.yaml"
grep -q 10.71.0.3 "$tmp/keep.yaml" || fail 'no second gateway in the config'

# gateway_is IP: the order session is at that address
gateway_is() {
	for _ in $(seq 100); do
		nsenter --net="/run/netns/$exchange_ns" ss -Htn state established | awk '{print $3}' | grep -qx "$1:26400" && return 0
		sleep 0.1
	done
	fail "the order session is not at $1"
}

# goes_on: new orders come
goes_on() {
	local before
	sleep 1.1
	before=$(grep -oE 'orders [0-9]+' "$tmp/run.err" | tail -n 1 | grep -oE '[0-9]+')
	for _ in $(seq 50); do
		[ "$(grep -oE 'orders [0-9]+' "$tmp/run.err" | tail -n 1 | grep -oE '[0-9]+')" -gt $((before + 20)) ] && return 0
		sleep 0.2
	done
	fail "no new orders after $before"
}

start_exchange --stats
nsenter --net="/run/netns/$engine_ns" "$gannet" run "$tmp/keep.yaml" --journal "$tmp/day.journal" --stats --output "$tmp" \
	>"$tmp/run.out" 2>"$tmp/run.err" &
engine=$!
wait_for "$tmp/run.err" 'orders [1-9].*session up' || fail 'it does not trade'
gateway_is 10.71.0.3
nsenter --net="/run/netns/$exchange_ns" ip addr del 10.71.0.3/24 dev gx0 # silence: no reset, no end
gateway_is 10.71.0.2
goes_on
nsenter --net="/run/netns/$exchange_ns" ip addr add 10.71.0.3/24 dev gx0
nsenter --net="/run/netns/$exchange_ns" ss -K src 10.71.0.2 sport = 26400 >"$tmp/ss.out" # a reset
if [ "$(wc -l <"$tmp/ss.out")" -gt 1 ]; then # this kernel can
	gateway_is 10.71.0.3
	goes_on
fi
kill -TERM "$engine"
wait "$engine" || fail "the engine ended with $?"
stop_exchange
"$gannet" reconcile "$tmp/day.journal" "$tmp/ledger.csv" | tail -n 6
"$gannet" journal print "$tmp/day.journal" --format csv >"$tmp/journal.csv"
grep -q 'nothing heard for too long' "$tmp/journal.csv" || fail 'the journal does not say why'
grep -qE '^gateway0 +session_lost +[1-9]' "$tmp/run.out" || fail 'no session was lost'
