#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: scripts.sh   Every script of perf/ in its short mode, and the arithmetic behind them. What a script prints must be
# results: JSON lines that say on which machine they were made.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
export PYTHONDONTWRITEBYTECODE=1
tmp=$(mktemp -d /tmp/gannet-test-XXXXXX)
trap 'rm -rf "$tmp"' EXIT

fail() {
	echo "failed: $*" >&2
	[ ! -s "$tmp/words" ] || tail -n 20 "$tmp/words" >&2
	exit 1
}

# results NAME COMMAND...: it succeeds, and all that it prints are results, NAME among them
results() {
	local name=$1
	shift
	timeout 300 "$@" >"$tmp/out" 2>"$tmp/words" || fail "status $?: $*"
	python3 - "$tmp/out" "$name" <<-'END' || fail "$*"
		import json, sys
		lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
		assert any(line["bench"].startswith(sys.argv[2]) for line in lines), "no result " + sys.argv[2]
		for line in lines:
		    assert "machine" in line and "commit" in line and line["n"] > 0, line
		    assert line["indicative"] is False or line["because"], line
		    assert "per_s" in line or 0 <= line["p50_ns"] <= line["p99_ns"] <= line["max_ns"], line
	END
}

# refuses COMMAND...: status 2 and a usage
refuses() {
	local status=0
	timeout 20 "$@" >"$tmp/out" 2>"$tmp/words" || status=$?
	if [ $status != 2 ] || ! grep -q '^usage:' "$tmp/words"; then
		fail "status $status instead of 2 with a usage: $*"
	fi
}

python3 -m unittest discover -q -s tests/perf -p 'test_*.py' 2>"$tmp/words" || fail 'the arithmetic of perf/*.py'

results floor_line perf/floor --short
ring=(spsc_rtt perf/bench spsc_)
[ -x build/perf/bench_spsc ] || ring=(itch_decode perf/bench) # the libraries that it compares with are optional
results "${ring[@]}" itch_decode order_encode send_fast strategy_hop trace_stamp risk_check gateway_ feed_ --short
timeout 120 perf/ab . . bench_paths --short >"$tmp/out" 2>"$tmp/words" || fail 'perf/ab . . finds a difference'
grep -q '"bench": "strategy_hop"' "$tmp/out" || fail 'perf/ab prints no ratio'

results tick_to_trade perf/tick-to-trade --short --output "$tmp/tick"
if ! command -v gnuplot >/dev/null || [ -s "$tmp/tick/tick-to-trade.svg" ]; then :; else fail 'perf/tick-to-trade makes no plot'; fi
[ -s "$tmp/tick/memif-fused-10000/latency-tick-to-trade.hgrm" ] || fail 'perf/tick-to-trade leaves no histograms'
if [ "$(id -u)" = 0 ] && ip netns list >/dev/null 2>&1; then
	results tick_to_trade_kernel perf/kernel_baseline --short
else
	echo 'skipped: perf/kernel_baseline needs root for network namespaces'
fi

timeout 120 perf/record --short --timer --output "$tmp/record" >"$tmp/out" 2>"$tmp/words" || fail 'perf/record --timer'
grep -q 'samples' "$tmp/record/hottest.txt" || fail 'perf/record finds no stage'
grep -q '</svg>' "$tmp/record/flame.svg" || fail 'perf/record draws no flame graph'
timeout 120 perf/trace --short --output "$tmp/trace" >"$tmp/out" 2>"$tmp/words" || fail 'perf/trace'
grep -q '</svg>' "$tmp/trace/worst-01.svg" || fail 'perf/trace draws no timeline'
python3 -m json.tool "$tmp/trace/worst.perfetto.json" /dev/null || fail 'perf/trace exports no JSON'

mkdir -p "$tmp/page"
cp -r "$tmp/tick/." "$tmp/record" "$tmp/trace" "$tmp/page/"
perf/report --only-page --output "$tmp/page" 2>"$tmp/words" || fail 'perf/report'
for part in 'p99.99' '</svg>' 'not measured here: perf/kernel_baseline'; do
	grep -q "$part" "$tmp/page/report.html" || fail "perf/report: no $part"
done

refuses perf/report --nonsense
refuses perf/record --nonsense
refuses perf/trace --worst none
refuses perf/pair --port nonsense
refuses perf/kernel_baseline --nonsense
refuses perf/tick-to-trade --nonsense
refuses perf/floor --nonsense
refuses perf/bench --nonsense
refuses perf/gate --nonsense
refuses perf/ab HEAD
