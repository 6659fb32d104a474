#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: orders_lossy.sh BUILD: orders over a cable that loses, doubles, reorders and delays frames both ways; Linux's TCP on
# the other end; then over one that loses one frame in twenty. Nothing is lost and both sides agree. GANNET_SEED; GANNET_LONG
# trades for longer.
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/integration/_veth.sh
. "$(dirname "$0")/_veth.sh"
seed=${GANNET_SEED:-1}
seconds=4
[ -z "${GANNET_LONG:-}" ] || seconds=120

# The two ends of the cable are joined by the relay, in a namespace of its own.
relay_ns=gannet-r$$
netns="$netns $relay_ns"
ip netns add "$relay_ns"
nsenter --net="/run/netns/$engine_ns" ip link del ge0
ip link add ge0 netns "$engine_ns" type veth peer name re0 netns "$relay_ns"
ip link add gx0 netns "$exchange_ns" type veth peer name rx0 netns "$relay_ns"
for at in "$engine_ns ge0" "$exchange_ns gx0" "$relay_ns re0" "$relay_ns rx0"; do
	read -r ns device <<<"$at"
	nsenter --net="/run/netns/$ns" ip link set "$device" up
done
nsenter --net="/run/netns/$exchange_ns" ip addr add 10.71.0.2/24 dev gx0
nsenter --net="/run/netns/$exchange_ns" "$build/tests/integration/checksums" gx0
printf '%s\n' "$config" | sed 's/rate_msgs_s: .*/rate_msgs_s: 2000/' >"$tmp/keep.yaml"

# trade LOSS DUPLICATE REORDER DELAY_US
trade() {
	rm -f "$tmp"/day.* "$tmp/ledger.csv"
	nsenter --net="/run/netns/$relay_ns" "$build/tests/integration/relay" re0 rx0 "$seed" "$@" >"$tmp/relay.out" 2>"$tmp/relay.err" &
	relay=$!
	start_exchange --stats
	nsenter --net="/run/netns/$engine_ns" "$gannet" run "$tmp/keep.yaml" --seconds "$seconds" --journal "$tmp/day.journal" --stats \
		--output "$tmp" >"$tmp/run.out" 2>"$tmp/run.err" || fail "seed $seed: the engine ended with $?"
	stop_exchange
	kill -TERM "$relay"
	wait "$relay" || fail "the relay ended with $?"
	"$gannet" reconcile "$tmp/day.journal" "$tmp/ledger.csv" >"$tmp/reconcile.out" || fail "seed $seed: $(head -n 6 "$tmp/reconcile.out")"
	at_least "$tmp/run.out" 'orders ' 50
	echo "seed $seed: $(cat "$tmp/relay.out"); $(grep -m1 -E '^orders' "$tmp/run.out" | tr -s ' '): agree"
}
trade 10000 10000 20000 300
trade 50000 0 0 0
