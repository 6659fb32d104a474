#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
# usage: quiet.sh BUILD: under full load a warm polling thread takes no page fault, makes no system call, never gives up
# its core. The kernel's own tracer counts, where it can be had; its counters in /proc in any case.
# shellcheck source=tests/integration/_init.sh
. "$(dirname "$0")/_init.sh"
seconds=10 warm=2

# As fast as the exchange can send.
sed -e 's/rate_msgs_s: .*/rate_msgs_s: 1000000/' -e 's/^    ip: 10.71.0.1$/&\n    peer_wait_ms: 60000/' "$root/app/config/demo.yaml" >"$tmp/demo.yaml"
cp "$root"/app/config/fused.yaml "$tmp/"
"$root/app/demo.sh" "$build" --config "$tmp/demo.yaml" --seconds 120 --stats --output "$tmp/out" \
	>"$tmp/demo.out" 2>"$tmp/demo.err" &
demo=$!

# the thread of the fused engine that does everything
find_thread() {
	local pid
	for pid in $(pgrep -f "gannet run $tmp"); do
		grep -lx rx0 "/proc/$pid"/task/*/comm 2>/dev/null | sed 's|/comm$||'
	done
}
task=
for _ in $(seq 600); do
	task=$(find_thread) || true
	[ -z "$task" ] || break
	sleep 0.1
done
[ -n "$task" ] || fail 'no thread rx0'
sleep $warm

# used WHAT: one of the kernel's counts of the thread
used() {
	case $1 in
	faults) sed 's/.*)//' "$task/stat" | awk '{print $8 + $10}' ;;
	gave_up) awk '/^voluntary_ctxt_switches/ {print $2}' "$task/status" ;;
	switched_out) awk '/^nonvoluntary_ctxt_switches/ {print $2}' "$task/status" ;;
	esac
}

# A trace of its own, on memory and mounts that nobody else sees; without the right to it, /proc/*/syscall is sampled.
trace=
trace_begin() {
	mkdir "$tmp/tracing"
	mount -t tracefs none "$tmp/tracing" 2>/dev/null || return 0
	trace=$tmp/tracing/instances/gannet-quiet-$$
	mkdir "$trace" 2>/dev/null || { trace=; return 0; }
	[ -d "$trace/events/raw_syscalls" ] || { trace_end; return 0; }
	basename "$task" >"$trace/set_event_pid"
	echo 1 >"$trace/events/raw_syscalls/sys_enter/enable"
	[ ! -d "$trace/events/exceptions/page_fault_user" ] || echo 1 >"$trace/events/exceptions/page_fault_user/enable"
}
trace_end() {
	rmdir "$trace"
	trace=
}
untrace() {
	local status=$?
	[ -z "$trace" ] || rmdir "$trace" 2>/dev/null || true
	umount "$tmp/tracing" 2>/dev/null || true
	(exit $status) # which is what the clean-up looks at
	cleanup
}
trap untrace EXIT

trace_begin
declare -A before
for what in faults gave_up switched_out; do before[$what]=$(used $what); done
n_calls=0
if [ -n "$trace" ]; then
	sleep $seconds
	echo 0 >"$trace/tracing_on"
	grep -v '^#' "$trace/trace" >"$tmp/trace.out" || true
	n_calls=$(wc -l <"$tmp/trace.out")
	trace_end
	how="the kernel's tracer"
else
	for _ in $(seq $((seconds * 100))); do
		grep -q running "$task/syscall" || n_calls=$((n_calls + 1))
		sleep 0.01
	done
	how="$((seconds * 100)) looks into /proc"
fi
declare -A after
for what in faults gave_up switched_out; do after[$what]=$((${before[$what]} - $(used $what))); done
core=$(sed 's/.*)//' "$task/stat" | awk '{print $37}')
kill -INT "$(basename "$(dirname "$(dirname "$task")")")" # the engine: it has shown what it should
wait $demo || fail "the demo ended with $?"

echo "core $core, $seconds s: $((-after[faults])) page faults, $n_calls system calls ($how)," \
	"gave up the core $((-after[gave_up])) times; the kernel took it away $((-after[switched_out])) times"
grep -E '^(messages|orders|tick to trade) ' "$tmp/demo.out"
[ "$((-after[faults]))" = 0 ] || fail 'page faults'
if grep -q 'threads share' "$tmp/demo.err"; then
	echo 'the core is shared: sched_yield() is expected and left out of the count'
	n_calls=$(grep -cv 'NR 24 ' "$tmp/trace.out" || true)
else
	[ "$((-after[gave_up]))" = 0 ] || fail 'the thread gave up its core'
fi
[ "$n_calls" = 0 ] || fail 'system calls'
