#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# The main job: the simulated exchange and the engine as two processes, then the reconciliation of what both saw.
set -euo pipefail
build=$(readlink -f "$1")
here=$(dirname "$(readlink -f "$0")")
shift

usage() {
	cat <<-'END'
		usage: ./dev demo [OPTION...]

		  --seconds N           how long to trade (default 10)
		  --topology NAME|FILE  fused (default), pipeline, fan-out, sharded, steered, or a topology file
		  --replay FILE         raw ITCH 5.0 file as background order flow of the exchange
		  --speed N             replay at N times the recorded pace; 0: as fast as possible (default 1)
		  --config FILE         instead of app/config/demo.yaml
		  --output FOLDER       where plots, journal and ledger go (default demo-output)
		  --format json         the engine's figures as one JSON line on standard output
		  --stats               every counter of both sides at the end
	END
}

words=1 # where tables go: standard output, or standard error when that carries JSON
seconds=10 topology=fused config=$here/config/demo.yaml output=demo-output
exchange_args=() run_args=()
while [ $# -gt 0 ]; do
	case $1 in
	-h | --help) usage && exit 0 ;;
	--stats) exchange_args+=(--stats) run_args+=(--stats) && shift && continue ;;
	esac
	[ $# -ge 2 ] || { usage >&2 && exit 2; }
	case $1 in
	--seconds) seconds=$2 ;;
	--topology) topology=$2 ;;
	--config) config=$2 ;;
	--output) output=$2 ;;
	--replay | --speed) exchange_args+=("$1" "$2") ;;
	--format)
		run_args+=("$1" "$2")
		[ "$2" != json ] || words=2
		;;
	*) usage >&2 && exit 2 ;;
	esac
	shift 2
done
[ -e "$topology" ] || topology=$here/config/$topology.yaml

mkdir -p "$output"
rm -f "$output"/*.journal* "$output"/ledger.csv
exchange=
stop_exchange() {
	[ -n "$exchange" ] || return 0
	for _ in $(seq "${1:-30}"); do # tenths of a second in which it may end by itself
		kill -0 "$exchange" 2>/dev/null || break
		sleep 0.1
	done
	kill -TERM "$exchange" 2>/dev/null || true
	wait "$exchange" || exchange_status=$?
	exchange=
}
trap 'exchange_status=0; stop_exchange 0' EXIT

# Each run has a socket and a name of its own, so that two demos do not meet.
socket=$(mktemp -u /tmp/gannet-demo-XXXXXX.sock)
sed -e "s|/tmp/gannet-demo.sock|$socket|" -e "s|^name: demo$|name: demo-$$|" "$config" >"$output/demo.yaml"
cp "$here"/config/{fused,pipeline,fan-out,sharded,steered}.yaml "$output/"

"$build/app/gannet" exchange "$output/demo.yaml" --until-quiet --ledger "$output/ledger.csv" "${exchange_args[@]}" \
	>"$output/exchange.out" 2>"$output/exchange.err" &
exchange=$!
status=0 exchange_status=0
"$build/app/gannet" run "$output/demo.yaml" --topology "$topology" --seconds "$seconds" --output "$output" \
	"${run_args[@]}" || status=$?
if [ $status = 0 ]; then stop_exchange; else stop_exchange 0; fi # it ends by itself once the engine has logged out
rm -f "$socket"
grep -v ' is open on ' "$output/exchange.err" >&2 || true
cat "$output/exchange.out" >&$words
if [ "$status" != 0 ] || [ "$exchange_status" != 0 ]; then
	echo "demo: the engine ended with $status, the exchange with $exchange_status" >&2
	exit 1
fi
echo >&$words
exec "$build/app/gannet" reconcile "$output"/*.journal "$output/ledger.csv" >&$words
