#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Sourced by the scripts of perf/: folders, building, words, the lock of measurements, a scratch folder in $tmp.
set -euo pipefail
root=$(readlink -f "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/..")
build=$(readlink -m "${GANNET_BUILD:-$root/build}")
tmp=$(mktemp -d /tmp/gannet-perf-XXXXXX)
export PYTHONDONTWRITEBYTECODE=1
me=perf/$(basename "$0")

cleanup() {
	local status=$? job
	for job in $(jobs -p); do kill "$job" 2>/dev/null || true; done
	wait 2>/dev/null || true
	if declare -F at_end >/dev/null; then at_end; fi
	rm -rf "$tmp"
	exit $status
}
trap cleanup EXIT

say() { printf '%s: %s\n' "$me" "$*" >&2; }

die() {
	say "$*"
	exit 1
}

# have COMMAND PACKAGE: says what is missing; false without it
have() {
	command -v "$1" >/dev/null && return 0
	say "$1 is missing (Debian package $2)"
	return 1
}

# targets TARGET...: builds them, quietly unless it fails
targets() {
	if [ ! -f "$build/build.ninja" ] && ! meson setup "$build" "$root" >"$tmp/setup.log" 2>&1; then
		tail -n 30 "$tmp/setup.log" >&2
		die "$build cannot be set up"
	fi
	if ! ninja -C "$build" "$@" >"$tmp/build.log" 2>&1; then
		grep -vE '^\[[0-9]+/[0-9]+\] [A-Z]' "$tmp/build.log" | tail -n 30 >&2 || true
		die "the build of $* in $build failed"
	fi
}

# one_at_a_time: takes the lock of measurements for this script and what it starts; says so when another run has it
one_at_a_time() {
	[ -z "${GANNET_PERF_LOCK:-}" ] || return 0
	exec 8<>/tmp/gannet-perf.lock || return 0
	if flock -n 8; then
		export GANNET_PERF_LOCK=1
	else
		say 'indicative: another measurement is running'
	fi
}

# is_target NAME [BUILD]: whether the build has it
is_target() { ninja -C "${2:-$build}" -t query "$1" >/dev/null 2>&1; }
