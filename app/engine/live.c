/* SPDX-License-Identifier: BSD-3-Clause */
#include "live.h"

#include <string.h>
#include <unistd.h>

#include "pinning/clock.h"

#define TERMINAL_NS UINT64_C(200000000)
#define LINES_NS UINT64_C(1000000000)

/* Sum of one number over all stages whose name starts with `prefix`. */
static uint64_t sum_of(const struct engine *e, const char *prefix, const char *what)
{
	const struct gn_stats *s = engine_stats(e);
	uint64_t sum = 0;

	for (uint32_t i = 0; i < gn_stats_count(s); i++) {
		const struct gn_stats_name *n = gn_stats_name(s, i);
		if (strncmp(n->owner, prefix, strlen(prefix)) == 0 && !strchr(n->owner, '>') && strcmp(n->what, what) == 0)
			sum += gn_stats_get(s, i);
	}
	return sum;
}

static double money(int64_t e9)
{
	return (double)e9 / 1e9;
}

void live_begin(struct live *l)
{
	l->start_ns = gn_clock_now_ns();
	l->next_ns = l->start_ns;
	l->terminal = isatty(STDERR_FILENO) == 1;
}

void live_tick(struct live *l, const struct engine *e)
{
	uint64_t now = gn_clock_now_ns();
	struct risk_snapshot s;

	if (now < l->next_ns)
		return;
	l->next_ns = now + (l->terminal ? TERMINAL_NS : LINES_NS);
	engine_snapshot(e, &s);
	const struct risk_owner_snapshot t = s.engine;
	fprintf(stderr, "%s%6.1f s  messages %llu  orders %llu  fills %llu  open %lld  position %lld  P&L %.2f  %s%s",
		l->terminal ? "\r\033[K" : "", (double)(now - l->start_ns) / 1e9,
		(unsigned long long)sum_of(e, "feed", "msg_event"), (unsigned long long)t.n_orders,
		(unsigned long long)t.n_fills, (long long)t.n_open, (long long)t.position,
		money(t.realised_e9 + t.unrealised_e9 - t.fees_e9), s.up ? "session up" : "session down",
		l->terminal ? "" : "\n");
}

void live_window_begin(struct live *l, const struct engine *e)
{
	l->from_ns = gn_clock_now_ns();
	l->from_messages = sum_of(e, "feed", "msg_event");
}

void live_window_end(struct live *l, const struct engine *e)
{
	l->to_ns = gn_clock_now_ns();
	l->to_messages = sum_of(e, "feed", "msg_event");
}

void live_end(struct live *l)
{
	if (l->terminal)
		fputc('\n', stderr);
}

void live_print_counts(const struct engine *e, double seconds, FILE *out)
{
	static const char *const verdict_text[] = {
#define VERDICT_TEXT(name, text) text,
		GN_VERDICTS(VERDICT_TEXT)
#undef VERDICT_TEXT
	};
	struct risk_snapshot s;
	uint64_t messages = sum_of(e, "feed", "msg_event");

	engine_snapshot(e, &s);
	const struct risk_owner_snapshot total = s.engine;
	fprintf(out, "%-28s %14.1f\n", "seconds", seconds);
	fprintf(out, "%-28s %14llu\n", "datagrams", (unsigned long long)sum_of(e, "feed", "pkt_rx"));
	fprintf(out, "%-28s %14llu\n", "messages", (unsigned long long)messages);
	fprintf(out, "%-28s %14llu\n", "messages lost", (unsigned long long)sum_of(e, "feed", "msg_lost"));
	fprintf(out, "%-28s %14llu\n", "orders", (unsigned long long)total.n_orders);
	fprintf(out, "%-28s %14llu\n", "fills", (unsigned long long)total.n_fills);
	for (int v = GN_REFUSED; v < GN_VERDICT_COUNT; v++) {
		if (v != GN_ACCEPTED && s.verdicts[v])
			fprintf(out, "%-28s %14llu  (%s)\n", "requests refused", (unsigned long long)s.verdicts[v], verdict_text[v]);
	}
	fprintf(out, "\n%-16s %10s %10s %10s %12s %14s %14s %12s\n", "strategy", "orders", "fills", "open", "position",
		"realised", "unrealised", "fees");
	for (uint32_t i = 0; i <= engine_strategies(e); i++) {
		bool all = i == engine_strategies(e);
		const struct risk_owner_snapshot *o = all ? &total : &s.strategy[i];
		fprintf(out, "%-16s %10llu %10llu %10lld %12lld %14.2f %14.2f %12.2f\n", all ? "all" : engine_strategy_name(e, i),
			(unsigned long long)o->n_orders, (unsigned long long)o->n_fills, (long long)o->n_open,
			(long long)o->position, money(o->realised_e9), money(o->unrealised_e9), money(o->fees_e9));
	}
}

void live_print_stats(const struct engine *e, FILE *out)
{
	const struct gn_stats *s = engine_stats(e);

	for (uint32_t i = 0; i < gn_stats_count(s); i++) {
		const struct gn_stats_name *n = gn_stats_name(s, i);
		if (gn_stats_get(s, i))
			fprintf(out, "%-32s %-28s %16llu  %s\n", n->owner, n->what, (unsigned long long)gn_stats_get(s, i), n->help);
	}
}
