# SPDX-License-Identifier: BSD-3-Clause
# shellcheck shell=bash disable=SC2154,SC2034
# Sourced after _init.sh: engine and exchange in network namespaces of their own, joined by a veth pair; the engine on
# net_af_packet, the exchange on kernel sockets. Sets $config (the demo's, changed to that), $engine_ns, $exchange_ns.
[ "$(id -u)" = 0 ] || skip 'needs root for network namespaces'
engine_ns=gannet-e$$ exchange_ns=gannet-x$$
netns="$engine_ns $exchange_ns"
for ns in $netns; do ip netns add "$ns" 2>/dev/null || skip 'this kernel gives no network namespaces'; done
ip link add ge0 netns "$engine_ns" type veth peer name gx0 netns "$exchange_ns" || skip 'this kernel has no veth'
nsenter --net="/run/netns/$engine_ns" ip link set ge0 up
nsenter --net="/run/netns/$exchange_ns" ip link set gx0 up
nsenter --net="/run/netns/$exchange_ns" ip link set lo up
nsenter --net="/run/netns/$exchange_ns" ip addr add 10.71.0.2/24 dev gx0
nsenter --net="/run/netns/$exchange_ns" "$build/tests/integration/checksums" gx0

config=$(sed -e 's|net_memif0,role=client[^ ]*|net_af_packet0,iface=ge0|' -e 's|^  device: net_memif0,role=server.*|  transport: sockets|' \
	"$root/app/config/demo.yaml")
cp "$root"/app/config/fused.yaml "$tmp/"

# start_exchange [OPTION...]: on $tmp/keep.yaml or whatever $exchange_config names; sets $exchange
start_exchange() {
	nsenter --net="/run/netns/$exchange_ns" "$gannet" exchange "${exchange_config:-$tmp/keep.yaml}" --ledger "$tmp/ledger.csv" "$@" \
		>>"$tmp/exchange.out" 2>"$tmp/exchange.err" &
	exchange=$!
	wait_for "$tmp/exchange.err" 'is open' || fail 'the exchange does not open'
}

stop_exchange() {
	kill -TERM "$exchange"
	wait "$exchange" || fail "the exchange ended with $?"
}

# wait_for FILE PATTERN [TENTHS]: until a line says it
wait_for() {
	for ((t = 0; t < ${3:-150}; t++)); do
		grep -qE -- "$2" "$1" 2>/dev/null && return 0
		sleep 0.1
	done
	return 1
}
