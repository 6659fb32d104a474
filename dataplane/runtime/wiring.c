/* SPDX-License-Identifier: BSD-3-Clause */
#include "wiring.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "mem.h"

#define NODES_MAX 256u
#define EDGES_MAX 1024u
#define INSTANCE_BYTES 32u
#define DEPTH_MAX (UINT32_C(1) << 20)

struct edge {
	struct gn_link *link;
	struct gn_spsc *ring; /* NULL: direct */
	const struct gn_inlet *port;
	char kind[INSTANCE_BYTES];
	char name[2 * INSTANCE_BYTES + 2];
	uint32_t from, to; /* nodes */
	uint32_t index;    /* among the reader's links of this kind */
	struct gn_link_config config;
	uint64_t need; /* slots that one call of any root can fill */
};

struct node {
	const struct gn_stage *stage;
	char instance[INSTANCE_BYTES];
	uint32_t index, thread;
	int numa;
	const void *config;
	void *ctx;
	bool initialised;
	bool on_path; /* during the walk over direct calls */
};

struct gn_wiring {
	struct gn_instruments *instruments;
	struct gn_board *board;
	struct gn_stats *stats;
	struct node node[NODES_MAX];
	struct edge edge[EDGES_MAX];
	uint32_t n_nodes, n_edges, n_threads;
	struct gn_runner_thread *thread[GN_THREADS_MAX];
	struct gn_link **found; /* what gn_env_links() hands out: one run per (node, kind), kept until free */
	uint32_t n_found;
};

struct gn_wiring *gn_wiring_new(struct gn_instruments *instruments, struct gn_board *board, struct gn_stats *stats)
{
	struct gn_wiring *w = calloc(1, sizeof(*w));

	if (w)
		w->found = calloc(EDGES_MAX * 2, sizeof(*w->found));
	if (!w || !w->found) {
		gn_err(ENOMEM, "wiring");
		free(w);
		return NULL;
	}
	w->instruments = instruments;
	w->board = board;
	w->stats = stats;
	return w;
}

static void wiring_free_thread(struct gn_runner_thread *t)
{
	if (!t)
		return;
	for (uint32_t i = 0; i < t->n_nodes; i++) {
		free(t->node[i].in);
		free(t->node[i].need);
	}
	gn_mem_free(t->trace, sizeof(*t->trace));
	free(t->node);
	free(t->out);
	free(t);
}

void gn_wiring_free(struct gn_wiring *w)
{
	if (!w)
		return;
	for (uint32_t i = 0; i < w->n_nodes; i++) {
		struct node *n = &w->node[i];
		if (n->initialised && n->stage->fini)
			n->stage->fini(n->ctx);
		gn_mem_free(n->ctx, n->stage->ctx_bytes);
	}
	for (uint32_t i = 0; i < w->n_edges; i++) {
		if (w->edge[i].ring)
			gn_spsc_fini(w->edge[i].ring);
		free(w->edge[i].ring);
		if (w->edge[i].link)
			free(w->edge[i].link->need);
		free(w->edge[i].link);
	}
	for (uint32_t i = 0; i < GN_THREADS_MAX; i++)
		wiring_free_thread(w->thread[i]);
	free(w->found);
	free(w);
}

static struct node *wiring_node(const struct gn_wiring *w, const char *instance)
{
	for (uint32_t i = 0; i < w->n_nodes; i++) {
		if (strcmp(w->node[i].instance, instance) == 0)
			return (struct node *)(uintptr_t)&w->node[i];
	}
	return NULL;
}

int gn_wiring_stage(struct gn_wiring *w, const struct gn_stage *stage, const char *instance, uint32_t index,
	uint32_t thread, int node, const void *config)
{
	if (w->n_nodes == NODES_MAX)
		return gn_err(ENOSPC, "wiring: more than %u stages", NODES_MAX);
	if (strlen(instance) >= INSTANCE_BYTES)
		return gn_err(ENAMETOOLONG, "wiring: stage %s: a name has at most %u characters", instance, INSTANCE_BYTES - 1);
	if (wiring_node(w, instance))
		return gn_err(EEXIST, "wiring: stage %s is there twice", instance);
	if (thread >= GN_THREADS_MAX)
		return gn_err(EINVAL, "wiring: stage %s: thread %u is not below %u", instance, thread, GN_THREADS_MAX);

	struct node *n = &w->node[w->n_nodes++];
	*n = (struct node){.stage = stage, .index = index, .thread = thread, .numa = node, .config = config};
	snprintf(n->instance, sizeof(n->instance), "%s", instance);
	if (thread >= w->n_threads)
		w->n_threads = thread + 1;
	return 0;
}

static const struct gn_inlet *wiring_inlet(const struct gn_stage *stage, const char *kind)
{
	for (const struct gn_inlet *p = stage->in; p && p->link; p++) {
		if (strcmp(p->link, kind) == 0)
			return p;
	}
	return NULL;
}

static bool wiring_has_out(const struct gn_stage *stage, const char *kind)
{
	for (const char *const *out = stage->out; out && *out; out++) {
		if (strcmp(*out, kind) == 0)
			return true;
	}
	return false;
}

int gn_wiring_link(struct gn_wiring *w, const char *kind, const char *from, const char *to,
	const struct gn_link_config *config)
{
	struct node *a = wiring_node(w, from), *b = wiring_node(w, to);

	if (w->n_edges == EDGES_MAX)
		return gn_err(ENOSPC, "wiring: more than %u links", EDGES_MAX);
	if (!a || !b)
		return gn_err(ENOENT, "wiring: link %s: there is no stage %s", kind, a ? to : from);
	if (!wiring_has_out(a->stage, kind))
		return gn_err(EINVAL, "wiring: stage %s sends no %s", from, kind);
	const struct gn_inlet *port = wiring_inlet(b->stage, kind);
	if (!port)
		return gn_err(EINVAL, "wiring: stage %s takes no %s", to, kind);

	struct edge *e = &w->edge[w->n_edges];
	*e = (struct edge){.port = port, .from = (uint32_t)(a - w->node), .to = (uint32_t)(b - w->node)};
	if (config)
		e->config = *config;
	snprintf(e->kind, sizeof(e->kind), "%s", kind);
	snprintf(e->name, sizeof(e->name), "%s>%s", from, to);
	for (uint32_t i = 0; i < w->n_edges; i++)
		e->index += w->edge[i].to == e->to && strcmp(w->edge[i].kind, kind) == 0;
	w->n_edges++;
	return 0;
}

static bool edge_is_direct(const struct gn_wiring *w, const struct edge *e)
{
	return !e->config.back && w->node[e->from].thread == w->node[e->to].thread;
}

static uint32_t edge_burst(const struct gn_wiring *w, const struct edge *e)
{
	return e->port->burst ? e->port->burst : w->node[e->to].stage->burst;
}

/*
 * Adds to every ring the slots that `sends` messages of node n over each of its links can fill, following direct calls.
 * Refuses a cycle, which would enter a stage again while it is still running. Stops at a lossy link, whose sender asks
 * for room itself.
 */
static int wiring_walk(struct gn_wiring *w, uint32_t n, uint64_t sends, uint64_t *need)
{
	struct node *at = &w->node[n];

	if (at->on_path)
		return gn_err(ELOOP, "wiring: direct calls come back to %s; mark one link of the loop as back", at->instance);
	if (sends > DEPTH_MAX)
		return gn_err(EOVERFLOW, "wiring: one call can make %s send more than %u messages", at->instance, DEPTH_MAX);
	at->on_path = true;
	for (uint32_t i = 0; i < w->n_edges; i++) {
		struct edge *e = &w->edge[i];
		if (e->from != n)
			continue;
		if (edge_is_direct(w, e)) {
			uint64_t calls = e->config.lossy ? 0 : sends; /* lossy: only to find cycles */
			int rc = wiring_walk(w, e->to, calls * edge_burst(w, e), need);
			if (rc < 0)
				return gn_err_in(rc, "%s", e->name);
		} else if (!e->config.lossy) {
			need[i] += sends;
		}
	}
	at->on_path = false;
	return 0;
}

/* What one message over a lossy direct link can fill. */
static int wiring_lossy_needs(struct gn_wiring *w, struct edge *e)
{
	uint64_t need[EDGES_MAX] = {0};

	if (!e->config.lossy || !edge_is_direct(w, e))
		return 0;
	int rc = wiring_walk(w, e->to, edge_burst(w, e), need);
	e->link->need = calloc(w->n_edges, sizeof(*e->link->need));
	if (rc < 0 || !e->link->need)
		return rc < 0 ? rc : gn_err(ENOMEM, "wiring: link %s", e->name);
	for (uint32_t i = 0; i < w->n_edges; i++) {
		if (need[i])
			e->link->need[e->link->n_need++] = (struct gn_link_need){w->edge[i].ring, (uint32_t)need[i]};
	}
	return 0;
}

static int wiring_make_link(struct gn_wiring *w, struct edge *e)
{
	const struct node *to = &w->node[e->to];
	struct gn_link *l = aligned_alloc(GN_LINE_PAIR, (sizeof(*l) + GN_LINE_PAIR - 1) / GN_LINE_PAIR * GN_LINE_PAIR);

	if (!l)
		return gn_err(ENOMEM, "wiring: link %s", e->name);
	e->link = l;
	*l = (struct gn_link){.on_msg = e->port->on_msg, .ctx = to->ctx, .hint = e->port->hint, .from = e->index,
		.msg_bytes_max = e->port->msg_bytes_max, .lossy = e->config.lossy, .name = e->name};
	if (edge_is_direct(w, e))
		return 0;

	uint32_t depth = e->config.depth;
	if (depth == 0) {
		uint64_t ask = 2 * e->need > GN_LINK_DEPTH_DEFAULT ? 2 * e->need : GN_LINK_DEPTH_DEFAULT;
		depth = ask > DEPTH_MAX ? DEPTH_MAX : (uint32_t)ask;
	}
	if (e->need > gn_pow2_at_least(depth))
		return gn_err(EINVAL, "wiring: link %s: depth %u, but one call can send %llu messages over it", e->name,
			depth, (unsigned long long)e->need);
	struct gn_spsc *ring = aligned_alloc(GN_LINE_PAIR, sizeof(*ring));
	if (!ring)
		return gn_err(ENOMEM, "wiring: link %s", e->name);
	int rc = gn_spsc_init(ring, depth, l->msg_bytes_max, to->numa);
	if (rc < 0) {
		free(ring);
		return gn_err_in(rc, "wiring: link %s", e->name);
	}
	e->ring = l->ring = ring;
	return 0;
}

/* Needs of each stage as the root of a turn; a stage that is only ever called directly is no root. */
static int wiring_check(struct gn_wiring *w, uint64_t (*need)[EDGES_MAX])
{
	for (uint32_t n = 0; n < w->n_nodes; n++) {
		struct node *at = &w->node[n];
		bool reached = at->stage->poll != NULL;
		for (uint32_t i = 0; i < w->n_edges; i++)
			reached |= w->edge[i].to == n;
		if (!reached)
			return gn_err(EINVAL, "wiring: nothing ever calls stage %s", at->instance);
		for (uint32_t i = 0; i < w->n_nodes; i++)
			w->node[i].on_path = false;
		int rc = wiring_walk(w, n, at->stage->burst, need[n]);
		if (rc < 0)
			return rc;
		for (uint32_t i = 0; i < w->n_edges; i++) {
			if (need[n][i] > w->edge[i].need)
				w->edge[i].need = need[n][i];
		}
	}
	return 0;
}

static int runner_add_stats(struct gn_stats *s, const struct node *n, uint32_t *first)
{
	static const struct gn_counter built_in[] = {
		{"calls", "handler and poll calls that did work"},
		{"work_ticks", "time-stamp ticks spent in work"},
		{"longest_ticks", "longest turn"},
		{"long_turns", "turns longer than 100 us"},
		{"blocked_turns", "turns in which a link had no credit"},
		{0},
	};
	const struct gn_counter *const lists[] = {built_in, n->stage->counters};

	*first = gn_stats_count(s);
	for (size_t i = 0; i < GN_ARRAY_SIZE(lists); i++) {
		for (const struct gn_counter *c = lists[i]; c && c->name; c++) {
			if (gn_stats_add(s, n->instance, c->name, c->help) == UINT32_MAX)
				return -ENOSPC;
		}
	}
	return 0;
}

static int runner_make_node(struct gn_wiring *w, uint32_t n, const uint64_t *need, struct gn_runner_node *r)
{
	struct node *at = &w->node[n];

	r->stage = at->stage;
	r->ctx = at->ctx;
	r->in = calloc(w->n_edges + 1, sizeof(*r->in));
	r->need = calloc(w->n_edges + 1, sizeof(*r->need));
	if (!r->in || !r->need)
		return gn_err(ENOMEM, "wiring: stage %s", at->instance);
	for (uint32_t i = 0; i < w->n_edges; i++) {
		struct edge *e = &w->edge[i];
		if (e->to == n && e->ring) {
			struct gn_runner_in *in = &r->in[r->n_in++];
			*in = (struct gn_runner_in){.ring = e->ring, .on_msg = e->port->on_msg, .hint = e->port->hint,
				.from = e->index};
			in->stat = gn_stats_add(w->stats, e->name, "read", "messages read from the ring");
			if (gn_stats_add(w->stats, e->name, "depth_max", "most messages found waiting") == UINT32_MAX)
				return -ENOSPC;
		}
		if (need[i])
			r->need[r->n_need++] = (struct gn_link_need){e->ring, (uint32_t)need[i]};
	}
	for (const struct gn_counter *c = at->stage->counters; c && c->name; c++)
		r->n_counters++;
	return runner_add_stats(w->stats, at, &r->stat);
}

static int runner_make_outs(struct gn_wiring *w, uint32_t thread, struct gn_runner_thread *t)
{
	t->out = calloc(w->n_edges + 1, sizeof(*t->out));
	if (!t->out)
		return gn_err(ENOMEM, "wiring: thread %u", thread);
	for (uint32_t i = 0; i < w->n_edges; i++) {
		const struct edge *e = &w->edge[i];
		if (w->node[e->from].thread != thread)
			continue;
		if (e->ring && w->node[e->to].thread == thread)
			e->link->owed = &t->owed;
		struct gn_runner_out *out = &t->out[t->n_outs++];
		out->link = e->link;
		out->stat = gn_stats_add(w->stats, e->name, "sent", "messages sent");
		if (gn_stats_add(w->stats, e->name, "full", "messages that found a lossy link full") == UINT32_MAX)
			return -ENOSPC;
	}
	return 0;
}

/* Where the stages of a thread want their memory. */
static int thread_numa(const struct gn_wiring *w, uint32_t thread)
{
	for (uint32_t n = 0; n < w->n_nodes; n++) {
		if (w->node[n].thread == thread)
			return w->node[n].numa;
	}
	return GN_NODE_ANY;
}

static int runner_make_thread(struct gn_wiring *w, uint32_t thread, uint64_t (*need)[EDGES_MAX])
{
	struct gn_runner_thread *t = calloc(1, sizeof(*t));
	char name[INSTANCE_BYTES];

	w->thread[thread] = t;
	if (t)
		t->node = calloc(w->n_nodes, sizeof(*t->node));
	if (!t || !t->node)
		return gn_err(ENOMEM, "wiring: thread %u", thread);
	t->stats = w->stats;
	t->trace = gn_mem_alloc(sizeof(*t->trace), thread_numa(w, thread));
	if (!t->trace)
		return -ENOMEM;
	t->trace->on = true;
	for (uint32_t n = 0; n < w->n_nodes; n++) {
		if (w->node[n].thread != thread)
			continue;
		int rc = runner_make_node(w, n, need[n], &t->node[t->n_nodes++]);
		if (rc < 0)
			return rc;
	}
	snprintf(name, sizeof(name), "thread%u", thread);
	t->stat = gn_stats_add(w->stats, name, "turns", "turns of the loop");
	gn_stats_add(w->stats, name, "idle_ticks", "ticks in turns without work");
	gn_stats_add(w->stats, name, "work_ticks", "ticks in turns with work");
	gn_stats_add(w->stats, name, "blocked_ticks", "ticks in turns held up by a full link");
	if (gn_stats_add(w->stats, name, "heartbeat_tsc", "time-stamp counter at the last publication") == UINT32_MAX)
		return -ENOSPC;
	return runner_make_outs(w, thread, t);
}

static int wiring_init_stages(struct gn_wiring *w)
{
	for (uint32_t i = 0; i < w->n_nodes; i++) {
		struct node *n = &w->node[i];
		struct gn_env env = {.instance = n->instance, .index = n->index, .node = n->numa, .config = n->config,
			.instruments = w->instruments, .board = w->board, .wiring = w};
		int rc = n->stage->init ? n->stage->init(n->ctx, &env) : 0;
		if (rc < 0)
			return gn_err_in(rc, "stage %s", n->instance);
		n->initialised = true;
	}
	return 0;
}

int gn_wiring_seal(struct gn_wiring *w)
{
	uint64_t(*need)[EDGES_MAX] = calloc(w->n_nodes + 1, sizeof(*need));
	int rc = need ? wiring_check(w, need) : gn_err(ENOMEM, "wiring");

	for (uint32_t i = 0; rc == 0 && i < w->n_nodes; i++) {
		struct node *n = &w->node[i];
		n->ctx = gn_mem_alloc(n->stage->ctx_bytes, n->numa);
		if (!n->ctx)
			rc = gn_err_in(-ENOMEM, "stage %s", n->instance);
	}
	for (uint32_t i = 0; rc == 0 && i < w->n_edges; i++)
		rc = wiring_make_link(w, &w->edge[i]);
	for (uint32_t i = 0; rc == 0 && i < w->n_edges; i++)
		rc = wiring_lossy_needs(w, &w->edge[i]);
	for (uint32_t i = 0; rc == 0 && i < w->n_threads; i++)
		rc = runner_make_thread(w, i, need);
	if (rc == 0)
		rc = wiring_init_stages(w);
	if (rc == 0)
		gn_stats_seal(w->stats);
	free(need);
	return rc;
}

struct gn_link *const *gn_env_links(const struct gn_env *env, const char *kind, uint32_t *n)
{
	struct gn_wiring *w = (struct gn_wiring *)(uintptr_t)env->wiring;
	struct node *self = wiring_node(w, env->instance);
	struct gn_link **first = &w->found[w->n_found];

	*n = 0;
	for (uint32_t i = 0; i < w->n_edges; i++) {
		struct edge *e = &w->edge[i];
		if (&w->node[e->from] == self && strcmp(e->kind, kind) == 0) {
			GN_ASSERT(w->n_found < EDGES_MAX * 2); /* each stage asks for each kind once or twice */
			w->found[w->n_found++] = e->link;
			++*n;
		}
	}
	return first;
}

struct gn_link *gn_env_link(const struct gn_env *env, const char *kind)
{
	uint32_t n;
	struct gn_link *const *l = gn_env_links(env, kind, &n);

	if (n == 1)
		return l[0];
	gn_err(EINVAL, "%s has %u links %s, expected one", env->instance, n, kind);
	return NULL;
}

uint32_t gn_wiring_threads(const struct gn_wiring *w)
{
	return w->n_threads;
}

void *gn_wiring_ctx(const struct gn_wiring *w, const char *instance)
{
	const struct node *n = wiring_node(w, instance);

	return n ? n->ctx : NULL;
}

struct gn_trace *gn_wiring_trace(const struct gn_wiring *w, uint32_t thread)
{
	return w->thread[thread]->trace;
}

struct gn_runner_thread *gn_wiring_thread(const struct gn_wiring *w, uint32_t thread)
{
	return w->thread[thread];
}

void gn_wiring_describe(const struct gn_wiring *w, void (*line)(void *arg, const char *text), void *arg)
{
	char text[160];

	for (uint32_t i = 0; i < w->n_nodes; i++) {
		snprintf(text, sizeof(text), "stage %-16s thread %u", w->node[i].instance, w->node[i].thread);
		line(arg, text);
	}
	for (uint32_t i = 0; i < w->n_edges; i++) {
		const struct edge *e = &w->edge[i];
		if (e->ring)
			snprintf(text, sizeof(text), "link  %-32s %-16s ring of %u%s", e->name, e->kind, e->ring->mask + 1,
				e->config.lossy ? ", lossy" : "");
		else
			snprintf(text, sizeof(text), "link  %-32s %-16s direct call", e->name, e->kind);
		line(arg, text);
	}
}

void gn_wiring_memory(const struct gn_wiring *w, gn_wiring_memory_fn *fn, void *arg)
{
	for (uint32_t i = 0; i < w->n_nodes; i++)
		fn(arg, w->node[i].instance, w->node[i].ctx, w->node[i].stage->ctx_bytes, w->node[i].numa);
	for (uint32_t i = 0; i < w->n_edges; i++) {
		const struct edge *e = &w->edge[i];
		if (e->ring)
			fn(arg, e->name, e->ring->slots, e->ring->map_bytes, w->node[e->to].numa);
	}
	for (uint32_t i = 0; i < w->n_threads; i++)
		fn(arg, "trace", w->thread[i]->trace, sizeof(*w->thread[i]->trace), thread_numa(w, i));
}
