#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: disk_full.sh BUILD: the journal's disk fills up while the engine trades: an alarm, new orders are refused, cancels
# and reports pass; once there is room again it trades on. Nothing is lost and both sides agree.
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
# shellcheck source=tests/integration/_veth.sh
. "$(dirname "$0")/_veth.sh"
disk=$tmp/disk
mkdir "$disk"
mount -t tmpfs -o size=8m gannet-disk "$disk" || skip 'no tmpfs may be mounted here'
mounted=$disk
head -c 4M /dev/zero >"$disk/ballast"

echo "${config/engine:/engine:
  journal: \{path: $disk/day.journal, file_bytes: 1048576, sync: never\}}" >"$tmp/keep.yaml"
start_exchange --stats
nsenter --net="/run/netns/$engine_ns" "$gannet" run "$tmp/keep.yaml" --stats --output "$tmp" >"$tmp/run.out" 2>"$tmp/run.err" &
engine=$!
wait_for "$tmp/run.err" 'orders [1-9].*session up' || fail 'it does not trade'
wait_for "$tmp/run.err" 'NEW ORDERS ARE REFUSED' 300 || fail 'no alarm'
sleep 1.5
orders() { grep -oE 'orders [0-9]+' "$tmp/run.err" | tail -n 1 | grep -oE '[0-9]+'; }
before=$(orders)
sleep 1.5
# risk asks the journal again after at most 64 records; without a refusal it would be over a thousand orders
[ "$(orders)" -le $((before + 64)) ] || fail "orders are taken: $before, then $(orders)"
rm "$disk/ballast"
wait_for "$tmp/run.err" 'new orders are taken' || fail 'it does not notice that there is room again'
sleep 2.5
[ "$(orders)" -gt "$before" ] || fail "no orders after there was room again: $(orders)"
kill -TERM "$engine"
wait "$engine" || fail "the engine ended with $?"
stop_exchange
grep -q 'RECORDS ARE BEING LOST' "$tmp/run.err" && fail 'records were lost'
"$gannet" journal verify "$disk/day.journal" >"$tmp/verify.out"
"$gannet" reconcile "$disk/day.journal" "$tmp/ledger.csv" | tail -n 5
grep -E 'requests refused.*journal' "$tmp/run.out" || fail 'nobody was refused because of the journal'
