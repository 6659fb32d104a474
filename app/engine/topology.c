/* SPDX-License-Identifier: BSD-3-Clause */
#include "topology.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/capture/capture_stage.h"
#include "book/book_stage.h"
#include "dataplane/feed/feed_stage.h"
#include "dataplane/gateway/gateway_stage.h"
#include "dataplane/journal/journal_stage.h"
#include "dataplane/nic/rx_stage.h"
#include "risk/risk_stage.h"
#include "strategy/strategy_stage.h"

#define INSTANCE_BYTES 32

/* The stages of the engine, in the order of the pipeline. */
enum role { RX, FEED, BOOK, STRATEGY, RISK, GATEWAY, JOURNAL, CAPTURE, ROLES };

static const struct gn_stage *const role_stage[ROLES] = {&gn_stage_rx, &gn_stage_feed, &gn_stage_book,
	&gn_stage_strategy, &gn_stage_risk, &gn_stage_gateway, &gn_stage_journal, &gn_stage_capture};
static const char *const role_word[ROLES] = {"rx", "feed", "book", "strategy", "risk", "gateway", "journal", "capture"};

/* The links of the engine. A strategy's link has the strategy's index at the other end because of the order of adding. */
static const struct {
	const char *kind;
	enum role from, to;
	bool same_index; /* feed N to book N; else every one to every one */
	bool back, lossy;
	uint32_t depth; /* when the topology names none; 0: the wiring's choice */
} links[] = {
	{"rx_feed", RX, FEED, false, false, false, 0},
	{"rx_gateway", RX, GATEWAY, false, false, false, 0},
	{"feed_book", FEED, BOOK, true, false, false, 0},
	{"feed_gateway", FEED, GATEWAY, false, true, true, 256},
	{"gateway_feed", GATEWAY, FEED, false, true, true, 256},
	{"book_strategy", BOOK, STRATEGY, false, false, true, 4096},
	{"strategy_risk", STRATEGY, RISK, false, false, true, 4096},
	{"risk_gateway", RISK, GATEWAY, false, false, false, 0},
	{"gateway_risk", GATEWAY, RISK, false, true, false, 0},
	{"risk_strategy", RISK, STRATEGY, false, true, true, 4096},
	{"risk_journal", RISK, JOURNAL, false, true, true, 16384},
	{"gateway_journal", GATEWAY, JOURNAL, false, true, false, 16384},
	{"rx_capture", RX, CAPTURE, false, true, true, 8192},
	{"gateway_capture", GATEWAY, CAPTURE, false, true, true, 512},
};

static uint32_t role_count(enum role r, const struct topology_shape *s)
{
	switch (r) {
	case RX: return s->n_rx;
	case FEED:
	case BOOK: return s->n_shards;
	case STRATEGY: return s->n_strategies;
	default: return 1;
	}
}

static const char *instance_name(enum role r, uint32_t i, const struct topology_shape *s, char text[INSTANCE_BYTES])
{
	if (r == STRATEGY)
		return s->strategy[i];
	snprintf(text, INSTANCE_BYTES, "%s%u", role_word[r], i);
	return text;
}

static const void *instance_config(enum role r, uint32_t i, const struct topology_configs *c)
{
	switch (r) {
	case RX: return c->rx[i];
	case FEED: return c->feed[i];
	case BOOK: return c->book[i];
	case STRATEGY: return c->strategy[i];
	case RISK: return c->risk;
	case GATEWAY: return c->gateway;
	case JOURNAL: return c->journal;
	default: return c->capture;
	}
}

/*
 * Index of the thread that lists a stage, or -1. Strategies may be listed together as "strategies"; capture, which most
 * often has nothing to do, shares the journal's thread unless it is listed.
 */
static int thread_of(const struct topology_config *t, enum role r, const char *instance)
{
	for (uint32_t i = 0; i < t->threads_count; i++) {
		for (uint32_t k = 0; k < t->threads[i].stages_count; k++) {
			const char *word = t->threads[i].stages[k];
			if (strcmp(word, instance) == 0 || (r == STRATEGY && strcmp(word, "strategies") == 0))
				return (int)i;
		}
	}
	return r == CAPTURE ? thread_of(t, JOURNAL, "journal0") : -1;
}

static bool is_known(const char *word, const struct topology_shape *shape)
{
	char text[INSTANCE_BYTES];

	if (strcmp(word, "strategies") == 0)
		return true;
	for (enum role r = RX; r < ROLES; r++) {
		for (uint32_t i = 0; i < role_count(r, shape); i++) {
			if (strcmp(word, instance_name(r, i, shape, text)) == 0)
				return true;
		}
	}
	return false;
}

/* The thread that feeds a stage, or -1: nothing does, or it is the same one. */
static int fed_by(const struct topology_config *t, const struct topology_shape *shape, enum role r, uint32_t i, int self)
{
	char text[INSTANCE_BYTES];
	enum role from = r == JOURNAL ? RISK : r == CAPTURE ? RX : r - 1;

	if (r == RX)
		return -1;
	uint32_t n = role_count(from, shape);
	/* the lines come by the later receive queues */
	int thread = thread_of(t, from, instance_name(from, from == RX ? n - 1 : i < n ? i : 0, shape, text));
	return thread == self ? -1 : thread;
}

void topology_wants(const struct topology_config *t, const struct topology_shape *shape, struct threads_want *want)
{
	char text[INSTANCE_BYTES];

	for (uint32_t i = 0; i < t->threads_count; i++)
		want[i] = (struct threads_want){.name = t->threads[i].stages[0], .core = t->threads[i].core, .near = -1,
			.fifo_priority = (int)t->threads[i].fifo_priority};
	for (enum role r = RX; r < ROLES; r++) {
		for (uint32_t i = 0; i < role_count(r, shape); i++) {
			int thread = thread_of(t, r, instance_name(r, i, shape, text));
			if (thread < 0)
				continue;
			struct threads_want *w = &want[thread];
			if (w->near < 0)
				w->near = fed_by(t, shape, r, i, thread);
			w->polls |= r != JOURNAL && r != CAPTURE;
			w->nic |= r == RX || r == GATEWAY;
		}
	}
}

void topology_counts(const struct topology_config *t, struct engine_section *s)
{
	if (t->rx_queues)
		s->port.rx_queues = t->rx_queues;
	if (t->shards)
		s->feed.shards = t->shards;
}

static uint32_t times_listed(const struct topology_config *t, const char *word)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->threads_count; i++) {
		for (uint32_t k = 0; k < t->threads[i].stages_count; k++)
			n += strcmp(t->threads[i].stages[k], word) == 0;
	}
	return n;
}

int topology_check(const char *file, const struct topology_config *t, const struct topology_shape *shape)
{
	char text[INSTANCE_BYTES];

	for (uint32_t i = 0; i < t->threads_count; i++) {
		for (uint32_t k = 0; k < t->threads[i].stages_count; k++) {
			const char *word = t->threads[i].stages[k];
			if (!is_known(word, shape))
				return gn_err(0, "%s: threads[%u]: there is no stage %s in this engine", file, i, word);
			if (times_listed(t, word) > 1)
				return gn_err(0, "%s: threads[%u]: stage %s is listed twice", file, i, word);
		}
	}
	for (enum role r = RX; r < ROLES; r++) {
		for (uint32_t i = 0; i < role_count(r, shape); i++) {
			const char *name = instance_name(r, i, shape, text);
			if (thread_of(t, r, name) < 0)
				return gn_err(0, "%s: no thread runs stage %s", file, name);
		}
	}
	for (uint32_t i = 0; i < t->links_count; i++) {
		size_t k = 0;
		while (k < GN_ARRAY_SIZE(links) && strcmp(links[k].kind, t->links[i].link) != 0)
			k++;
		if (k == GN_ARRAY_SIZE(links))
			return gn_err(0, "%s: links[%u]: there is no link %s", file, i, t->links[i].link);
	}
	return 0;
}

/* Stages run in the order of the pipeline on each thread, whatever the order in the file. */
static int add_stages(struct gn_wiring *w, const struct topology_config *t, const struct topology_shape *shape,
	const struct topology_configs *configs, const int *node)
{
	char text[INSTANCE_BYTES];

	for (enum role r = RX; r < ROLES; r++) {
		for (uint32_t i = 0; i < role_count(r, shape); i++) {
			const char *name = instance_name(r, i, shape, text);
			uint32_t thread = (uint32_t)thread_of(t, r, name);
			int rc = gn_wiring_stage(w, role_stage[r], name, i, thread, node[thread], instance_config(r, i, configs));
			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

static uint32_t link_depth(const struct topology_config *t, size_t k)
{
	for (uint32_t i = 0; i < t->links_count; i++) {
		if (strcmp(t->links[i].link, links[k].kind) == 0)
			return t->links[i].depth;
	}
	return links[k].depth;
}

static int add_links(struct gn_wiring *w, const struct topology_config *t, const struct topology_shape *shape)
{
	char from[INSTANCE_BYTES], to[INSTANCE_BYTES];

	for (size_t k = 0; k < GN_ARRAY_SIZE(links); k++) {
		const struct gn_link_config c = {.depth = link_depth(t, k), .back = links[k].back,
			.lossy = links[k].lossy};
		for (uint32_t i = 0; i < role_count(links[k].from, shape); i++) {
			for (uint32_t j = 0; j < role_count(links[k].to, shape); j++) {
				if (links[k].same_index && i != j)
					continue;
				int rc = gn_wiring_link(w, links[k].kind, instance_name(links[k].from, i, shape, from),
					instance_name(links[k].to, j, shape, to), &c);
				if (rc < 0)
					return rc;
			}
		}
	}
	return 0;
}

int topology_wire(struct gn_wiring *w, const char *file, const struct topology_config *t, const struct topology_shape *shape,
	const struct topology_configs *configs, const int *node)
{
	int rc = topology_check(file, t, shape);

	if (rc == 0)
		rc = add_stages(w, t, shape, configs, node);
	if (rc == 0)
		rc = add_links(w, t, shape);
	return rc;
}
