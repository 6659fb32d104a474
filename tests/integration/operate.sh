#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: operate.sh BUILD: a running engine is watched, killed, released, drilled and its limits changed
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
cp "$root"/app/config/*.yaml "$tmp/"
sed -i -e "s|/tmp/gannet-demo.sock|$tmp/operate.sock|" -e 's/^  risk:$/  risk:\n    loosen_by_two: true/' "$tmp/demo.yaml"

# said TEXT COMMAND...: it succeeds and says TEXT
said() {
	local text=$1
	shift
	timeout 30 "$@" >"$tmp/said.out" 2>"$tmp/said.err" || fail "status $?: $* -- $(cat "$tmp/said.err")"
	grep -qE -- "$text" "$tmp/said.out" || fail "expected \"$text\" from: $* -- got: $(cat "$tmp/said.out")"
}

# json EXPRESSION COMMAND...: its output is one JSON object, of which the Python expression holds
json() {
	local expression=$1
	shift
	timeout 30 "$@" --format json >"$tmp/json.out" 2>"$tmp/said.err" || fail "status $?: $* -- $(cat "$tmp/said.err")"
	python3 -c "import json, sys; j = json.load(open('$tmp/json.out')); sys.exit(not ($expression))" ||
		fail "not so: $expression -- from: $* -- got: $(head -c 2000 "$tmp/json.out")"
}

start_engine() {
	mkdir -p "$tmp/$1"
	"$gannet" run "$tmp/demo.yaml" --quiet --journal "$tmp/day.journal" --output "$tmp/$1" >"$tmp/$1.out" 2>"$tmp/$1.err" &
	engine=$!
	for _ in $(seq 100); do
		"$gannet" show risk --format json >"$tmp/up.json" 2>/dev/null && grep -qE "\"open\":${2:-[1-9]}" "$tmp/up.json" && return
		kill -0 $engine 2>/dev/null || fail "the engine ended: $(cat "$tmp/$1.err")"
		sleep 0.2
	done
	fail 'the engine does not trade'
}

stop_engine() {
	kill -TERM $engine
	wait $engine || fail "the engine ended with $?"
}

# owner LEVEL NAME: of `show risk`, as a Python expression
owner() {
	echo "[o for o in j['owners'] if o['level'] == '$1' and o['name'] == '$2'][0]"
}

for what in latency lines stages risk clock; do expect_error 'no engine runs here' "$gannet" show $what; done
expect_error 'no engine of the name nobody runs here' "$gannet" show risk --name nobody
expect_error 'no engine runs here' "$gannet" kill --engine --reason 'there is none'
expect_error 'no engine runs here' "$gannet" limits set --engine loss_max 1

json "len(j['controls']) > 40 and j['engine'] is None and all(c['test'] for c in j['controls'])" "$gannet" show controls
expect_error 'no engine of the name nobody runs here' "$gannet" show controls --name nobody

"$gannet" exchange "$tmp/demo.yaml" >"$tmp/exchange.out" 2>"$tmp/exchange.err" &
exchange=$!
start_engine first

expect_error 'which runs' "$gannet" run "$tmp/demo.yaml" --output "$tmp"
said '^tick to trade +[1-9]' "$gannet" show latency
json "j['engine'] == 'demo' and j['rows'][6]['n'] > 0 and j['rows'][6]['p50_ns'] > 0" "$gannet" show latency
said '^feed0 +0 ' "$gannet" show lines
json "len(j['lines']) == 2 and 99.9 < sum(l['win_pct'] for l in j['lines']) < 100.1 and j['lines'][0]['pkt'] > 100" "$gannet" show lines --name demo
said '^risk0 ' "$gannet" show stages
json "j['stages']['thread0']['heartbeat_tsc'] > 0 and j['stages']['risk:engine']['gross_notional_max'] == 10**9" "$gannet" show stages
said '^source .*CLOCK_REALTIME' "$gannet" show clock
json "abs(j['offset_ns']) < 10**9 and j['bound_ns'] > 0 and 'utc_bound_ns' in j" "$gannet" show clock
json "$(owner strategy maker)['open'] > 0 and len($(owner engine '')['limits']) == 6 and j['verdicts']['ACCEPTED'] > 0" "$gannet" show risk

json "j['engine'] == 'demo' and any('refused_with_this_verdict' in c for c in j['controls'])" "$gannet" show controls

# a kill switch: refused without a reason, blocks, cancels, is thrown once
expect_error 'without a reason' "$gannet" kill --strategy maker
expect_error 'without a reason' "$gannet" kill --strategy maker --reason '  '
expect_error 'there is no strategy nobody' "$gannet" kill --strategy nobody --reason test
expect_error 'there is no account nobody' "$gannet" kill --account nobody --reason test
expect_error 'there is no instrument NOBODY' "$gannet" kill --instrument NOBODY --reason test
expect_error 'expected 87 at most' "$gannet" kill --engine --reason "$(head -c 100 /dev/zero | tr '\0' x)"
said 'strategy maker is blocked after .* 0 after' "$gannet" kill --strategy maker --reason 'test of the switch'
expect_error 'thrown already' "$gannet" kill --strategy maker --reason 'test again'
json "$(owner strategy maker)['kill'] == 'person' and $(owner strategy maker)['open'] == 0 and $(owner strategy taker)['kill'] == 'none'" \
	"$gannet" show risk

# limits: tighter at once, never looser than at the start
said 'order_qty_max of strategy taker: 10000 > 50 ' "$gannet" limits set --strategy taker order_qty_max 50
expect_error 'looser than the 10000 of the start' "$gannet" limits set --strategy taker order_qty_max 10001
said 'another person must confirm it .* gannet limits confirm 1$' "$gannet" limits set --strategy taker order_qty_max 10000
expect_error 'another person must confirm it' "$gannet" limits confirm 1
expect_error 'no change of this number' "$gannet" limits confirm 2
json "[l['limit'] for l in $(owner strategy taker)['limits'] if l['key'] == 'order_qty_max'] == [50]" "$gannet" limits show
# another person is another login, even if both are root now; not every machine lets us pretend to be one
if bash -c 'echo 1 >/proc/self/loginuid' 2>/dev/null; then
	# shellcheck disable=SC2016 # the inner shell expands it
	said '50 > 10000 ' bash -c 'echo 1 >/proc/self/loginuid; exec "$0" limits confirm 1' "$gannet"
	json "[l['limit'] for l in $(owner strategy taker)['limits'] if l['key'] == 'order_qty_max'] == [10000]" "$gannet" limits show
	expect_error 'no change of this number' "$gannet" limits confirm 1
fi
expect_error 'there is no limit nonsense' "$gannet" limits set --engine nonsense 5
expect_error 'does not apply to one engine' "$gannet" limits set --engine long_max 5
expect_error 'expected a whole number above 0' "$gannet" limits set --engine loss_max 0

# drills: on nothing; on what is traded
said 'stops short of the wire' "$gannet" kill --drill
json "j['mode'] == 'dry' and 0 < j['blocked_us'] <= j['swept_us'] < j['released_us']" "$gannet" kill --drill

# the switch survives the engine
stop_engine
expect_error 'no engine runs here' "$gannet" show risk
start_engine second '[0-9]'
grep -q 'kill switch of strategy maker stays thrown until released: test of the switch' "$tmp/second.err" || fail 'nothing said of the switch'
sleep 1
json "$(owner strategy maker)['kill'] == 'person' and $(owner strategy maker)['open'] == 0" "$gannet" show risk
expect_error 'without a reason' "$gannet" kill --release --strategy maker
expect_error 'is not thrown' "$gannet" kill --release --strategy taker --reason 'it is not on'
said 'may trade again' "$gannet" kill --release --strategy maker --reason 'test is over'
[ ! -e "$tmp/demo.kills" ] || fail 'the file of kill switches is still there'
for _ in $(seq 50); do
	"$gannet" show risk --format json | grep -q '"name":"maker","kill":"none","open":[1-9]' && break
	sleep 0.1
done
json "$(owner strategy maker)['open'] > 0" "$gannet" show risk
"$gannet" journal print "$tmp/day.journal" >"$tmp/journal.out"
grep -q 'by .*: release strategy maker' "$tmp/journal.out" || fail 'the journal does not say who released'
grep -q 'why: test is over' "$tmp/journal.out" || fail 'the journal does not say why'

# a drill on the wire, on an instrument that the maker quotes now: its orders are cancelled at the exchange
drilled=
for symbol in AA{A..D}{A..Z}; do # the exchange makes up AAAA, AAAB ...
	"$gannet" show risk --instrument "$symbol" --format json 2>/dev/null | grep -q '"level":"instrument","name":"[^"]*","kill":"none","open":[1-9]' || continue
	json "j['mode'] == 'wire' and j['open_after'] == 0 and j['blocked_us'] < j['gone_us']" "$gannet" kill --drill --instrument "$symbol"
	python3 -c "import json, sys; sys.exit(not json.load(open('$tmp/json.out'))['open_before'])" && drilled=$symbol && break
done
[ -n "$drilled" ] || fail 'no instrument with open orders was found to drill on'
said 'the last one cancelled at the venue after' "$gannet" kill --drill --instrument "$drilled"
json "$(owner instrument "$drilled")['kill'] == 'none'" "$gannet" show risk --instrument "$drilled"

# other users are kept out
if [ "$(id -u)" = 0 ]; then
	chmod 711 "$tmp"
	expect_said 'Permission denied' setpriv --reuid=65534 --clear-groups env GANNET_RUNTIME_DIR="$tmp" "$gannet" show clock --name demo
	chmod 700 "$tmp"
fi

# what a killed engine leaves behind is no engine, and in nobody's way
kill -KILL $engine
wait $engine 2>/dev/null || true
[ -e "$tmp/gannet-demo.stats" ] || fail 'the file of the killed engine is gone'
expect_error 'no engine runs here' "$gannet" show stages
kill -KILL $exchange 2>/dev/null || true
sed -i 's/    ip: 10.71.0.1$/    ip: 10.71.0.1\n    peer_wait_ms: 300/' "$tmp/demo.yaml"
expect_error 'net_memif0' "$gannet" run "$tmp/demo.yaml" --output "$tmp"
[ ! -e "$tmp/gannet-demo.stats" ] || fail 'the file of an engine that did not start is still there'
