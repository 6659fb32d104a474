#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: tests/fuzz/run.sh SECONDS [TARGET...]
# Builds the fuzz targets with clang, ASan and UBSan, and runs each for SECONDS on a fresh corpus of its own seeds.
# Fails on a crash, a leak, a time-out, or a target that did not reach all of its markers.
set -euo pipefail

[ $# -ge 1 ] || { sed -n '3,5p' "$0" >&2; exit 2; }
seconds=$1
shift
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$top/build-fuzz
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

[ -d "$build" ] || CC=clang meson setup "$build" "$top" -Dfuzzers=true -Db_sanitize=address,undefined -Db_lundef=false \
	-Dbuildtype=debugoptimized >/dev/null
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
	mapfile -t targets < <(ninja -C "$build" -t targets all | sed -n 's|^tests/\(fuzz_[a-z0-9_]*\): .*|\1|p' | sort)
fi
ninja -C "$build" "${targets[@]/#/tests/}" >&2

failed=0
for t in "${targets[@]}"; do
	corpus=$out/$t
	mkdir -p "$corpus"
	GANNET_FUZZ_SEEDS=$corpus "$build/tests/$t" >/dev/null 2>&1
	if GANNET_FUZZ_MARKERS=1 UBSAN_OPTIONS=halt_on_error=1 nice "$build/tests/$t" -max_total_time="$seconds" -max_len=4096 \
		-timeout=10 -rss_limit_mb=2048 -artifact_prefix="$top/" -print_final_stats=1 "$corpus" >"$out/$t.log" 2>&1; then
		echo "$t: ok, $(awk '/number_of_executed_units/ {print $2}' "$out/$t.log") runs"
	else
		echo "$t: FAILED"
		tail -60 "$out/$t.log"
		failed=1
	fi
done
exit $failed
