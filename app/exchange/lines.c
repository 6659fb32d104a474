/* SPDX-License-Identifier: BSD-3-Clause */
#include "lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"

#define LATE_DEPTH UINT64_C(8192)

static int line_init(struct lines_line *l, const struct exchange_line *config, uint64_t seed, uint32_t index)
{
	l->faults = config->faults;
	l->rng = rng_fork(seed, 0x11e5 + index);
	l->held = calloc(1, sizeof(*l->held));
	if (l->faults.late_ns)
		l->late = calloc(LATE_DEPTH, sizeof(*l->late));
	if (!l->held || (l->faults.late_ns && !l->late))
		return gn_err(ENOMEM, "exchange: datagrams that wait on line %u", index);
	return 0;
}

int lines_init(struct lines *l, const struct exchange_config *config, uint64_t now_ns,
	void (*out)(void *arg, uint32_t line, const uint8_t *data, uint32_t bytes), void *arg)
{
	int rc = 0;

	*l = (struct lines){.n_lines = config->n_lines, .start_ns = now_ns, .out = out, .arg = arg};
	for (uint32_t i = 0; rc == 0 && i < l->n_lines; i++)
		rc = line_init(&l->line[i], &config->lines[i], config->seed, i);
	return rc;
}

void lines_fini(struct lines *l)
{
	for (uint32_t i = 0; i < EXCHANGE_LINES_MAX; i++) {
		free(l->line[i].held);
		free(l->line[i].late);
	}
}

static void put(struct lines *ls, struct lines_line *l, const uint8_t *data, uint32_t bytes)
{
	l->n.sent++;
	ls->out(ls->arg, (uint32_t)(l - ls->line), data, bytes);
}

static void fill(struct lines_waiting *w, const uint8_t *data, uint32_t bytes, uint64_t due_ns)
{
	memcpy(w->data, data, bytes);
	w->bytes = bytes;
	w->due_ns = due_ns;
}

static void emit(struct lines *ls, struct lines_line *l, const uint8_t *data, uint32_t bytes, uint64_t now_ns)
{
	if (l->late && l->late_tail - l->late_head < LATE_DEPTH) {
		fill(&l->late[l->late_tail++ % LATE_DEPTH], data, bytes, now_ns + l->faults.late_ns);
		l->n.delayed++;
		return;
	}
	if (l->late)
		l->n.delay_full++;
	put(ls, l, data, bytes);
}

static bool silent(const struct lines *ls, const struct lines_line *l, uint64_t now_ns)
{
	uint64_t since = now_ns - ls->start_ns;

	return l->faults.silent_for_ns && since >= l->faults.silent_from_ns
		&& since - l->faults.silent_from_ns < l->faults.silent_for_ns;
}

static bool vanishes(struct lines *ls, struct lines_line *l, uint64_t now_ns)
{
	if (silent(ls, l, now_ns)) {
		l->n.silenced++;
		return true;
	}
	if (!rng_hit(&l->rng, l->faults.loss_ppm))
		return false;
	l->n.lost++;
	return true;
}

static void release_held(struct lines *ls, struct lines_line *l, uint64_t now_ns)
{
	uint32_t bytes = l->held->bytes;

	l->held->bytes = 0;
	if (bytes)
		emit(ls, l, l->held->data, bytes, now_ns);
}

static void send_on(struct lines *ls, struct lines_line *l, const uint8_t *data, uint32_t bytes, uint64_t now_ns)
{
	if (vanishes(ls, l, now_ns))
		return;
	if (!l->held->bytes && rng_hit(&l->rng, l->faults.reorder_ppm)) {
		fill(l->held, data, bytes, 0);
		l->n.reordered++;
		return;
	}
	emit(ls, l, data, bytes, now_ns);
	if (rng_hit(&l->rng, l->faults.duplicate_ppm)) {
		l->n.duplicated++;
		emit(ls, l, data, bytes, now_ns);
	}
	release_held(ls, l, now_ns);
}

void lines_send(struct lines *l, const uint8_t *data, uint32_t bytes, uint64_t now_ns)
{
	GN_ASSERT(bytes <= LINES_DATAGRAM_BYTES_MAX);
	for (uint32_t i = 0; i < l->n_lines; i++)
		send_on(l, &l->line[i], data, bytes, now_ns);
}

static bool send_late(struct lines *ls, struct lines_line *l, uint64_t now_ns)
{
	if (l->late_head == l->late_tail)
		return false;
	struct lines_waiting *w = &l->late[l->late_head % LATE_DEPTH];

	if (w->due_ns > now_ns)
		return false;
	l->late_head++;
	put(ls, l, w->data, w->bytes);
	return true;
}

bool lines_work(struct lines *l, uint64_t now_ns)
{
	for (uint32_t i = 0; i < l->n_lines; i++)
		if (send_late(l, &l->line[i], now_ns))
			return true;
	return false;
}

void lines_drain(struct lines *l)
{
	for (uint32_t i = 0; i < l->n_lines; i++) {
		release_held(l, &l->line[i], 0);
		while (send_late(l, &l->line[i], UINT64_MAX))
			;
	}
}
