#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# Every test: gcc and clang, plain and under the sanitizers, and the checks of the tree. `./dev test` calls it.
# Ends with "N passed, N failed, N skipped".
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")/.." || exit 1

long=
case ${1:-} in
'') ;;
--long) long=1 && export GANNET_LONG=1 ;;
*) echo 'usage: ./dev test [--long]' >&2 && exit 2 ;;
esac

passed=0 failed=0 skipped=0 failures=()

say() { printf '\n== %s\n' "$*"; }

# check NAME COMMAND...: one test that is not meson's; status 77: skipped
check() {
	local name=$1 status=0
	shift
	"$@" || status=$?
	case $status in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) failures+=("$name") ;;
	esac
}

# build DIR [MESON_OPTION...]: false when it does not build
build() {
	local dir=$1
	shift
	if [ ! -f "$dir/build.ninja" ]; then
		meson setup "$dir" "$@" >/dev/null || return 1
	fi
	ninja -C "$dir" >"$dir/test-build.log" 2>&1 && return 0
	grep -vE '^\[[0-9]+/[0-9]+\]' "$dir/test-build.log"
	return 1
}

# suite DIR [MESON_TEST_ARGUMENT...]: adds meson's counts to ours
suite() {
	local dir=$1 log
	shift
	log=$(mktemp)
	meson test -C "$dir" --no-rebuild --print-errorlogs "$@" >"$log" 2>&1
	grep -vE '^(ninja:|Entering|Full log|$)' "$log"
	passed=$((passed + $(count "$log" Ok)))
	failed=$((failed + $(count "$log" Fail) + $(count "$log" Timeout)))
	skipped=$((skipped + $(count "$log" Skipped)))
	mapfile -t -O ${#failures[@]} failures < <(grep -oE ' [^ ]+ +(FAIL|TIMEOUT) ' "$log" | awk -v d="$dir" '{print d ": " $1}')
	rm -f "$log"
}

count() { grep -oE "^$2: +[0-9]+" "$1" | grep -oE '[0-9]+$' || echo 0; }

spdx() {
	local bare
	bare=$(git ls-files '*.c' '*.h' '*.sh' '*.py' '*.build' dev .ci/run | xargs -r grep -L 'SPDX-License-Identifier: BSD-3-Clause')
	[ -z "$bare" ] || { echo "no SPDX line: $bare" && return 1; }
}

scripts() { git grep -lzE '^#!/usr/bin/env bash' -- '*.sh' dev .ci/run perf | xargs -0 -r shellcheck -x; }

spelling() { git ls-files -z '*.[ch]' '*.md' '*.sh' '*.yaml' | xargs -0 -r codespell -L inout,ser,fo,te,nd,ot,sise --quiet-level=2; }

say 'the tree'
check layering .ci/layering.sh
check spdx spdx
check shellcheck scripts
check spelling spelling

say 'gcc'
check 'gcc build' build build
suite build
check 'instruction counts' perf/gate
check 'perf scripts' tests/perf/scripts.sh

say 'clang'
clang_build() { CC=clang build build-clang; }
check 'clang build' clang_build

say 'ASan and UBSan'
export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=1} UBSAN_OPTIONS=${UBSAN_OPTIONS:-halt_on_error=1:print_stacktrace=1}
export LSAN_OPTIONS=${LSAN_OPTIONS:-suppressions=$PWD/tests/lsan.supp:print_suppressions=0}
check 'asan build' build build-asan -Db_sanitize=address,undefined -Dbuildtype=debugoptimized
suite build-asan --timeout-multiplier 5

say 'TSan'
tsan_build() {
	[ -f build-tsan/build.ninja ] || meson setup build-tsan -Db_sanitize=thread -Dbuildtype=debugoptimized >/dev/null || return 1
	ninja -C build-tsan tests/threads >build-tsan/test-build.log 2>&1 || { cat build-tsan/test-build.log && return 1; }
}
check 'tsan build' tsan_build
suite build-tsan --timeout-multiplier 5 --suite threads

if [ -n "$long" ] && [ -x tests/fuzz/run.sh ]; then
	say 'fuzzing'
	check fuzzing tests/fuzz/run.sh 60
fi

echo
[ ${#failures[@]} -eq 0 ] || printf 'failed: %s\n' "${failures[@]}"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
