#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: demo_veth.sh BUILD [TOPOLOGY QUEUES]: the demo over net_af_packet on a veth pair between two network namespaces. With
# several queues the kernel spreads the frames over them: each comes by one of which the engine knows nothing beforehand.
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
[ "$(id -u)" = 0 ] || skip 'needs root for network namespaces'
topology=${2:-fused} queues=${3:-1}
netns="gannet-e$$ gannet-x$$"
for ns in $netns; do ip netns add "$ns" 2>/dev/null || skip 'this kernel gives no network namespaces'; done
ip link add ge0 netns "gannet-e$$" type veth peer name gx0 netns "gannet-x$$" || skip 'this kernel has no veth'
nsenter --net="/run/netns/gannet-e$$" ip link set ge0 up
nsenter --net="/run/netns/gannet-x$$" ip link set gx0 up

sed -e "s|net_memif0,role=client[^ ]*|net_af_packet0,iface=ge0,qpairs=$queues|" -e 's|net_memif0,role=server[^ ]*|net_af_packet0,iface=gx0|' \
	"$root/app/config/demo.yaml" >"$tmp/demo.yaml"
cp "$root/app/config/$topology.yaml" "$tmp/"
nsenter --net="/run/netns/gannet-x$$" "$gannet" exchange "$tmp/demo.yaml" --ledger "$tmp/ledger.csv" >"$tmp/exchange.out" 2>"$tmp/exchange.err" &
exchange=$!
nsenter --net="/run/netns/gannet-e$$" "$gannet" run "$tmp/demo.yaml" --topology "$tmp/$topology.yaml" --seconds 5 --output "$tmp" >"$tmp/run.out" 2>"$tmp/run.err"
kill -TERM $exchange
wait $exchange
cat "$tmp/run.out"
at_least "$tmp/run.out" 'messages ' 1000
at_least "$tmp/run.out" 'orders ' 5
"$gannet" reconcile "$tmp"/*.journal "$tmp/ledger.csv"
