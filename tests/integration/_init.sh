#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by every integration test: gannet BUILD_FOLDER is $1. Leaves a scratch folder in $tmp, removed at the end.
set -euo pipefail
build=$(readlink -f "$1")
root=$(readlink -f "$(dirname "${BASH_SOURCE[0]}")/../..")
# shellcheck disable=SC2034
gannet=$build/app/gannet
# shellcheck disable=SC2034
data=${GANNET_DATA:-$root/../shared/data}
tmp=$(mktemp -d /tmp/gannet-test-XXXXXX)
export GANNET_RUNTIME_DIR=$tmp # what a running engine shares, apart from everybody else's
cleanup() {
	local status=$?
	for job in $(jobs -p); do
		kill "$job" 2>/dev/null || continue
		kill -CONT "$job" 2>/dev/null || true # a stopped one ends too
	done
	wait 2>/dev/null || true
	if [ -n "${netns:-}" ]; then
		for ns in $netns; do ip netns del "$ns" 2>/dev/null || true; done
	fi
	if [ -n "${mounted:-}" ]; then umount -l "$mounted" 2>/dev/null || true; fi
	if [ $status -ne 0 ] && [ $status -ne 77 ]; then tail -n 50 "$tmp"/*.{out,err} 2>/dev/null || true; fi
	rm -rf "$tmp"
	exit $status
}
trap cleanup EXIT

skip() {
	echo "skipped: $*"
	exit 77
}

fail() {
	echo "failed: $*"
	exit 1
}

# expect_said TEXT COMMAND...: the command fails with status 1, soon, and says TEXT
expect_said() {
	local text=$1 status=0
	shift
	timeout 30 "$@" >"$tmp/error.out" 2>"$tmp/error.err" || status=$?
	[ "$status" = 1 ] || fail "status $status instead of 1: $*"
	grep -qF -- "$text" "$tmp/error.err" || fail "expected \"$text\" from: $* -- got: $(cat "$tmp/error.err")"
}

# expect_error TEXT COMMAND...: the same, and that is all it says
expect_error() {
	expect_said "$@"
	shift
	[ "$(wc -l <"$tmp/error.err")" = 1 ] || fail "more than one line from: $*: $(cat "$tmp/error.err")"
}

# at_least FILE PATTERN N: the number in the line that starts with PATTERN is N or more
at_least() {
	local n
	n=$(grep -m1 -E "^$2" "$1" | grep -oE '[0-9]+' | head -n 1)
	[ "${n:-0}" -ge "$3" ] || fail "$2: ${n:-nothing}, expected at least $3"
}
