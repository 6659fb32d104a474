#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Checks by the #include lines that no folder sees more than docs/architecture.md allows.
set -euo pipefail
cd "$(dirname "$0")/.."
bad=0

# forbid FOLDER REGEX WHY [EXCEPT...]: no file of the folder may include what the expression matches
forbid() {
	local folder=$1 regex=$2 why=$3 hits
	shift 3
	[ -d "$folder" ] || return 0
	hits=$(grep -rnE "^#include [<\"]($regex)" "$folder" --include='*.[ch]' || true)
	for except in "$@"; do hits=$(grep -v "^$except:" <<<"$hits" || true); done
	if [ -n "$hits" ]; then
		printf 'layering: %s: %s\n' "$why" "$hits"
		bad=1
	fi
}

ours='(dataplane|pinning|book|strategy|risk|app|tests|perf)/'
forbid include "$ours|rte_|lwip/" 'the contracts include nothing but libc'
forbid dataplane/runtime '(pinning|book|strategy|risk|app|tests|perf)/|dataplane/(codec|net|nic|feed|gateway|journal)/' 'runtime is below everything but include/'
forbid pinning '(book|strategy|risk|app|tests|perf)/|dataplane/(codec|net|nic|feed|gateway|journal)/' 'pinning sees include and runtime'
forbid dataplane '(book|strategy|risk|app|tests|perf)/' 'dataplane sees nothing above it'
for room in book strategy risk; do
	others=$(printf '%s\n' book strategy risk | grep -vx "$room" | paste -sd '|')
	forbid "$room" "($others|app|pinning|tests|perf)/|dataplane/(codec|net|nic|feed|gateway|journal)/" "$room sees include and runtime only"
done
for room in app include dataplane/runtime dataplane/codec dataplane/feed dataplane/gateway dataplane/journal dataplane/net book strategy risk; do
	forbid "$room" 'rte_' 'DPDK headers belong in dataplane/nic and pinning'
done
lwip='(lwip|netif)/|dataplane/net/stack_impl'
for room in app book strategy risk pinning; do forbid "$room" "$lwip" 'lwIP headers belong in dataplane/net/stack*'; done
forbid dataplane "$lwip" 'lwIP headers belong in dataplane/net/stack*' 'dataplane/net/stack[a-z_]*[.][ch]'
forbid app 'tests/' 'the product depends on no test'
exit $bad
