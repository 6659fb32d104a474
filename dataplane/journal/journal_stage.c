/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_stage.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/mem.h"

#define JOURNAL_COUNTERS(X)                                                      \
	X(record_written, "records handed to the file's buffer")                 \
	X(record_bad, "messages of an unknown kind or length, not journaled")    \
	X(record_lost, "records that could not be written")                      \
	X(flush, "writes to the file for want of anything else to do")           \
	X(sync, "times that what is written was brought to the disk")            \
	X(tight, "times that the next file could not be made")

struct journal_ctx {
	struct journal *journal; /* NULL: not open */
	struct journal_health *health;
	struct gn_instruments *instruments;
	uint8_t *known; /* by instrument: its definition is in the journal */
	uint32_t n_known;
	uint64_t n_seen, n_polled; /* messages; those at the last poll */
	bool alarmed, refusing;
	uint64_t sync_ticks, sync_tsc, prepare_tsc;
	bool sync_due, prepare_due;
	struct { JOURNAL_COUNTERS(GN_COUNTER_FIELD) } n;
};

static int journal_stage_init(void *arg, const struct gn_env *env)
{
	struct journal_ctx *c = arg;
	const struct journal_stage_config *config = env->config;
	int rc;

	c->health = config->health;
	c->instruments = env->instruments;
	c->n_known = env->instruments ? gn_instruments_max(env->instruments) : 0;
	c->known = gn_mem_alloc(c->n_known + 1, env->node);
	c->journal = gn_mem_alloc(sizeof(*c->journal), env->node);
	if (!c->known || !c->journal)
		return gn_err_in(-ENOMEM, "journal: memory for %u instruments", c->n_known);
	rc = journal_open(c->journal, &config->file);
	if (rc < 0) {
		gn_mem_free(c->journal, sizeof(*c->journal));
		c->journal = NULL;
		return rc;
	}
	c->sync_ticks = c->journal->config.sync_ms * (config->file.tsc_hz / 1000);
	return 0;
}

static void refuse(struct journal_ctx *c, bool refusing)
{
	c->refusing = refusing;
	if (c->health)
		atomic_store_explicit(&c->health->refusing, refusing, memory_order_release);
}

static void note_loss(struct journal_ctx *c, int rc)
{
	c->n.record_lost++;
	refuse(c, true);
	if (!c->alarmed)
		gn_error("journal: %s: RECORDS ARE BEING LOST from number %llu on", strerror(-rc),
			(unsigned long long)c->journal->seq + 1);
	c->alarmed = true;
}

/* The alarm comes while there is still room, and goes when there is enough again. */
static void watch_room(struct journal_ctx *c)
{
	bool tight = journal_is_tight(c->journal);

	if (tight == c->refusing)
		return;
	refuse(c, tight);
	c->n.tight += tight;
	c->alarmed = false;
	if (tight)
		gn_error("journal: no room for the next file (%s): NEW ORDERS ARE REFUSED, %llu records left",
			strerror(c->journal->failed ? c->journal->failed : c->journal->tight),
			(unsigned long long)c->journal->n_left);
	else
		gn_warn("journal: there is room again: new orders are taken");
}

static void define_instrument(struct journal_ctx *c, gn_inst inst)
{
	struct gn_instrument def;

	if (inst >= c->n_known || c->known[inst] || !gn_instruments_get(c->instruments, inst, &def))
		return;
	int rc = journal_append_instrument(c->journal, inst, def.symbol);
	c->known[inst] = rc == 0;
	if (rc < 0)
		note_loss(c, rc);
}

static void journal_on_msg(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct journal_ctx *c = arg;
	const struct gn_journal_msg *m = msg;
	int rc;

	(void)from;
	c->n_seen++;
	if (bytes != sizeof(*m) || m->kind == GN_JOURNAL_NONE || m->kind >= GN_JOURNAL_KIND_COUNT) {
		c->n.record_bad++;
		return;
	}
	if (m->kind == GN_JOURNAL_REQUEST)
		define_instrument(c, m->req.inst);
	else if (m->kind == GN_JOURNAL_REPORT)
		define_instrument(c, m->exec.inst);
	rc = journal_append(c->journal, m);
	if (rc < 0)
		note_loss(c, rc);
	else
		c->n.record_written++;
}

static void do_sync(struct journal_ctx *c)
{
	int rc = journal_sync(c->journal);

	c->sync_due = false;
	c->n.sync++;
	if (rc < 0)
		note_loss(c, rc);
}

static void do_prepare(struct journal_ctx *c)
{
	c->prepare_due = false;
	journal_prepare(c->journal);
	watch_room(c);
}

/* A write is due when a turn of the loop brought no message: under load the buffer gathers them. */
static bool journal_poll(void *arg)
{
	struct journal_ctx *c = arg;
	bool idle = c->n_seen == c->n_polled;

	c->n_polled = c->n_seen;
	if (c->sync_due) {
		do_sync(c);
		return true;
	}
	if (c->prepare_due) {
		do_prepare(c);
		return true;
	}
	if (!idle || c->journal->n_buffered == 0)
		return false;
	c->n.flush++;
	int rc = journal_flush(c->journal);
	if (rc < 0)
		note_loss(c, rc);
	return true;
}

static void journal_housekeeping(void *arg, uint64_t now_tsc)
{
	struct journal_ctx *c = arg;

	if (c->journal->config.sync == JOURNAL_SYNC_EVERY_MS && now_tsc - c->sync_tsc >= c->sync_ticks) {
		c->sync_tsc = now_tsc;
		c->sync_due = c->journal->dirty || c->journal->n_buffered;
	}
	if (now_tsc - c->prepare_tsc >= c->journal->config.tsc_hz / 10) {
		c->prepare_tsc = now_tsc;
		c->prepare_due = true;
	}
	if (!c->health)
		return;
	atomic_store_explicit(&c->health->n_records, c->journal->seq, memory_order_relaxed);
	atomic_store_explicit(&c->health->n_lost, c->n.record_lost, memory_order_relaxed);
}

static void journal_stage_fini(void *arg)
{
	struct journal_ctx *c = arg;

	if (c->journal) {
		if (journal_close(c->journal) < 0)
			gn_error("%s", gn_err_text());
		gn_mem_free(c->journal, sizeof(*c->journal));
	}
	gn_mem_free(c->known, c->n_known + 1);
}

const struct gn_stage gn_stage_journal = {
	.name = "journal",
	.ctx_bytes = sizeof(struct journal_ctx),
	.burst = 1,
	.in = (const struct gn_inlet[]){{"risk_journal", journal_on_msg, sizeof(struct gn_journal_msg), NULL, 0},
		{"gateway_journal", journal_on_msg, sizeof(struct gn_journal_msg), NULL, 0}, {0}},
	.out = (const char *const[]){NULL},
	.counters = (const struct gn_counter[]){JOURNAL_COUNTERS(GN_COUNTER_DESC) {0}},
	.counters_offset = offsetof(struct journal_ctx, n),
	.init = journal_stage_init,
	.poll = journal_poll,
	.housekeeping = journal_housekeeping,
	.fini = journal_stage_fini,
};
