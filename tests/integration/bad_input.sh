#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: bad_input.sh BUILD: whatever is wrong before the start ends in one clear line and status 1; wrong usage in 2
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
cp "$root"/app/config/*.yaml "$tmp/"
sed -i "s|/tmp/gannet-demo.sock|$tmp/bad.sock|" "$tmp/demo.yaml"
good=$tmp/demo.yaml

# change SED_EXPRESSION: a copy of the demo's config with one change
change() {
	sed -e "$1" "$good" >"$tmp/changed.yaml"
	cmp -s "$good" "$tmp/changed.yaml" && fail "the change \"$1\" changes nothing"
	echo "$tmp/changed.yaml"
}

usage_status() {
	local status=0
	"$@" >"$tmp/usage.out" 2>"$tmp/usage.err" || status=$?
	[ "$status" = 2 ] || fail "status $status instead of 2: $*"
	[ ! -s "$tmp/usage.out" ] || fail "words on standard output: $*"
}

"$gannet" check-config "$good"
expect_error 'No such file' "$gannet" run "$tmp/none.yaml"
expect_error 'unknown key prot' "$gannet" run "$(change 's/^  port:/  prot:/')"
expect_error 'expected a whole number' "$gannet" run "$(change 's/orders_max: 262144/orders_max: many/')"
expect_error 'from 1 to 32000' "$gannet" run "$(change 's/instruments_max: 1024/instruments_max: 0/')"
expect_error 'expected a mapping' "$gannet" run "$(change 's/^    mac: 02:67:6e:00:00:01/    - 1/;/^    device: net_memif0,role=client/d;/^    ip: 10.71.0.1/d')"
expect_error 'is not a multicast address' "$gannet" run "$(change 's/group: 239.192.1.1/group: 10.1.1.1/')"
expect_error 'expected an IPv4 address' "$gannet" run "$(change 's/ip: 10.71.0.1$/ip: 10.71.0/;s/10.71.0$/10.71.0.999/')"
expect_error "expected up to 31 letters, digits" "$gannet" run "$(change 's|^name: demo|name: ../demo|')"
expect_error 'there is no account' "$gannet" run "$(change 's/account: desk/account: nobody/')"
expect_error 'no_such_strategy' "$gannet" run "$(change 's/path: taker/path: no_such_strategy/')"
expect_error 'net_nonsense' "$gannet" run "$(change 's/device: net_memif0,role=client/device: net_nonsense0,role=client/')" --output "$tmp"
expect_error 'loss_max' "$gannet" run "$(change '0,/ loss_max: 5000000/{/ loss_max: 5000000/d}')" --output "$tmp"
expect_said 'there is no such parameter: sizes' "$gannet" run "$(change 's/params: size=100,position_max=500/params: sizes=100,position_max=500/')" --output "$tmp"

printf 'threads:\n  - {core: 4096, stages: [rx0, feed0, book0, strategies, risk0, gateway0]}\n  - stages: [journal0]\n' >"$tmp/far.yaml"
expect_error '4096' "$gannet" run "$good" --topology "$tmp/far.yaml" --output "$tmp"
printf 'threads:\n  - stages: [rx0, feed0, book0, strategies, risk0]\n  - stages: [journal0]\n' >"$tmp/short.yaml"
expect_error 'no thread runs stage gateway0' "$gannet" run "$good" --topology "$tmp/short.yaml" --output "$tmp"
printf 'threads:\n  - stages: [rx0, feed0, book0, strategies, risk0, gateway0, feed0]\n  - stages: [journal0]\n' >"$tmp/twice.yaml"
expect_error 'listed twice' "$gannet" run "$good" --topology "$tmp/twice.yaml" --output "$tmp"
printf 'threads:\n  - stages: [rx0, feed7, book0, strategies, risk0, gateway0, feed0]\n  - stages: [journal0]\n' >"$tmp/extra.yaml"
expect_error 'there is no stage feed7' "$gannet" run "$good" --topology "$tmp/extra.yaml" --output "$tmp"
printf 'threads:\n  - stages: [rx0, rx1, feed0, book0, strategies, risk0, gateway0]\n  - stages: [journal0]\n' >"$tmp/queue.yaml"
expect_error 'there is no stage rx1' "$gannet" run "$good" --topology "$tmp/queue.yaml" --output "$tmp"
{ echo 'rx_queues: 3' && cat "$tmp/queue.yaml"; } >"$tmp/queues.yaml"
expect_error 'no thread runs stage rx2' "$gannet" check-config "$good" --topology "$tmp/queues.yaml"
{ echo 'rx_queues: 17' && cat "$tmp/queue.yaml"; } >"$tmp/many.yaml"
expect_error 'from 0 to 16' "$gannet" check-config "$good" --topology "$tmp/many.yaml"
expect_error 'no thread runs stage rx1' "$gannet" check-config "$(change 's/    ip: 10.71.0.1$/    ip: 10.71.0.1\n    rx_queues: 2/')"

# a peer that never answers
expect_error 'net_memif0' "$gannet" run "$(change 's/    ip: 10.71.0.1$/    ip: 10.71.0.1\n    peer_wait_ms: 500/')" --output "$tmp"
# the exchange's own files
expect_error 'none.itch' "$gannet" exchange "$good" --replay "$tmp/none.itch"
head -c 1000 /dev/zero | tr '\0' 'Z' >"$tmp/junk.itch"
expect_error 'junk.itch' "$gannet" exchange "$good" --replay "$tmp/junk.itch"

usage_status "$gannet"
usage_status "$gannet" nonsense
usage_status "$gannet" run
usage_status "$gannet" run --nonsense "$good"
usage_status "$gannet" run "$good" --seconds -1
usage_status "$gannet" exchange
usage_status "$gannet" check-config
usage_status "$gannet" reconcile one
usage_status "$gannet" show
usage_status "$gannet" show nonsense
usage_status "$gannet" show risk --format xml
usage_status "$gannet" kill
usage_status "$gannet" kill --reason 'of nobody'
usage_status "$gannet" kill --engine --strategy two --reason 'of two'
usage_status "$gannet" kill --drill --strategy maker
usage_status "$gannet" limits
usage_status "$gannet" limits set --engine loss_max
usage_status "$gannet" limits set --engine loss_max -5
usage_status "$gannet" limits confirm
usage_status "$gannet" guard
usage_status "$gannet" guard "$good" --format xml
expect_error 'No such file' "$gannet" guard "$tmp/none.yaml"
expect_error 'from 1 to' "$gannet" guard "$(change 's|^engine:|engine:\n  guard: {hang_ms: 0}|')"
for command in '' run exchange check-config reconcile show kill limits guard; do
	# shellcheck disable=SC2086
	"$gannet" $command --help >"$tmp/help.out" || fail "--help of $command"
	grep -q usage "$tmp/help.out" || fail "--help of $command says nothing"
done
