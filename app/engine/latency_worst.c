/* SPDX-License-Identifier: BSD-3-Clause */
#include "latency_worst.h"

#include <errno.h>
#include <inttypes.h>
#include <time.h>

#include "dataplane/runtime/err.h"

static size_t first_at(const struct gn_stamp *batch, size_t n, uint64_t tsc)
{
	size_t low = 0, high = n;

	while (low < high) {
		size_t mid = (low + high) / 2;
		if (batch[mid].tsc < tsc)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static struct worst_order *place_for(struct worst *w, uint64_t ticks)
{
	struct worst_order *least = &w->order[0];

	if (w->n < WORST_MAX)
		return &w->order[w->n++];
	for (uint32_t i = 1; i < WORST_MAX; i++)
		if (w->order[i].ticks < least->ticks)
			least = &w->order[i];
	return ticks > least->ticks ? least : NULL;
}

void worst_take(struct worst *w, uint64_t id, uint64_t oid, uint64_t tx_tsc, const struct gn_stamp *batch, size_t n)
{
	struct worst_order *o = place_for(w, tx_tsc - id);

	if (!o)
		return;
	size_t from = first_at(batch, n, id - w->ticks_around), to = first_at(batch, n, tx_tsc + w->ticks_around);
	if (to - from > WORST_STAMPS)
		from = to - WORST_STAMPS;
	*o = (struct worst_order){.id = id, .oid = oid, .ticks = tx_tsc - id, .n = (uint32_t)(to - from)};
	for (uint32_t i = 0; i < o->n; i++) {
		o->stamp[i] = batch[from + i];
		o->stamp[i].hop &= ~WORST_TAKEN;
	}
}

static void write_order(const struct worst_order *o, FILE *f)
{
	fprintf(f, "order %" PRIu64 " %" PRIu64 " %" PRIu64 "\n", o->id, o->oid, o->ticks);
	for (uint32_t i = 0; i < o->n; i++) {
		const struct gn_stamp *s = &o->stamp[i];
		fprintf(f, "%" PRIu64 " %u %s %" PRIu64 " %u %" PRIu64 "\n", s->tsc, s->hop >> WORST_THREAD_SHIFT,
			gn_hop_word((enum gn_hop)(s->hop & 0xffff)), s->id, s->inst, s->arg);
	}
}

int worst_write(const struct worst *w, const char *path, double ns_per_tick)
{
	bool done[WORST_MAX] = {false};
	struct timespec ts;
	FILE *f = fopen(path, "w");

	if (!f)
		return gn_err(errno, "latency: write %s", path);
	uint64_t tsc = gn_tsc();
	clock_gettime(CLOCK_MONOTONIC, &ts);
	fprintf(f, "clock %" PRIu64 " %" PRIu64 " %.9f\n", tsc, (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec, ns_per_tick);
	for (uint32_t i = 0; i < w->n; i++) {
		uint32_t best = WORST_MAX;
		for (uint32_t k = 0; k < w->n; k++)
			if (!done[k] && (best == WORST_MAX || w->order[k].ticks > w->order[best].ticks))
				best = k;
		done[best] = true;
		write_order(&w->order[best], f);
	}
	return fclose(f) == 0 ? 0 : gn_err(EIO, "latency: write %s", path);
}
