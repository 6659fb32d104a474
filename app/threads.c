/* SPDX-License-Identifier: BSD-3-Clause */
#include "threads.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/nic/eal.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/mem.h"
#include "pinning/clock.h"
#include "pinning/core_claim.h"
#include "pinning/quiet.h"

#define REST_NS 200000 /* a cold thread looks into its rings so often */
#define TEND_NS UINT64_C(100000000)
#define WARM_NS UINT64_C(1000000000) /* what happens in the first second is warm-up */
#define PLACE_TRIES 8
#define HEAP_BYTES ((size_t)4 << 20)
#define PAGE_BYTES 4096u

/* One call of threads_place(). */
struct placing {
	struct threads *t;
	const struct threads_config *c;
	struct gn_topology *topology;
	struct gn_place_want want[GN_THREADS_MAX];
	cpu_set_t claimed;
	uint32_t n_faults;
	bool shared; /* one of them is a shared core */
};

static int core_from(const struct threads_config *c, uint32_t i, int *core)
{
	const char *word = c->want[i].core;
	char *end;

	*core = GN_CORE_ANY;
	if (strcmp(word, "auto") == 0)
		return 0;
	long n = strtol(word, &end, 10);
	if (*end || end == word || n < 0 || n > INT16_MAX)
		return gn_err(0, "threads[%u].core: %s: expected a core number or auto", i, word);
	*core = (int)n;
	return 0;
}

static int wants_fill(struct placing *p)
{
	const struct threads_config *c = p->c;

	for (uint32_t i = 0; i < c->n; i++) {
		struct threads *t = p->t;
		snprintf(t->name[i], sizeof(t->name[i]), "%s", c->want[i].name);
		t->fifo_priority[i] = c->want[i].fifo_priority;
		t->polls[i] = c->want[i].polls;
		p->want[i] = (struct gn_place_want){.name = t->name[i], .near = c->want[i].near, .polls = c->want[i].polls,
			.nic = c->want[i].nic};
		int rc = core_from(c, i, &p->want[i].core);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* One fault in words, the others as a number: one line whatever the config permits. A shared core costs the most. */
static void on_fault(void *arg, unsigned allow, const char *text)
{
	struct placing *p = arg;
	bool shared = allow == GN_ALLOW_SHARED_CORE;

	if (p->n_faults++ == 0 || (shared && !p->shared))
		snprintf(p->t->remark, sizeof(p->t->remark), "%s", text);
	p->shared |= shared;
}

static cpu_set_t cores_polled(const struct threads *t)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (uint32_t i = 0; i < t->n; i++)
		if (t->polls[i] && t->core[i] >= 0)
			CPU_SET((size_t)t->core[i], &set);
	return set;
}

/* Choose, then claim; again when somebody else was faster, who is then known. */
static int place_and_claim(struct placing *p)
{
	struct threads *t = p->t;
	struct gn_place_config config = {.topology = p->topology, .allow = p->c->allow, .claimed = &p->claimed,
		.nic_node = p->c->device ? gn_topology_nic_node("", p->c->device) : -1, .warn = on_fault, .warn_arg = p};
	cpu_set_t taken, polled;

	for (int i = 0; i < PLACE_TRIES; i++) {
		p->n_faults = 0;
		p->shared = false;
		t->remark[0] = '\0';
		gn_core_claims_read(GN_CORE_CLAIMS, &p->claimed);
		int rc = gn_place(&config, p->want, (int)t->n, t->core);
		if (rc < 0)
			return rc;
		polled = cores_polled(t);
		t->claim = gn_core_claim(GN_CORE_CLAIMS, &polled, &taken);
		if (gn_cpus_within(&taken, &p->claimed))
			break;
		threads_release(t);
	}
	return 0;
}

/*
 * Whether another thread of ours polls on the core of thread i. One of another engine does not count: who gives a core
 * away to a thread that never does gets next to nothing of it.
 */
static bool core_shared(const struct placing *p, uint32_t i)
{
	const struct threads *t = p->t;
	bool shared = false;

	for (uint32_t k = 0; k < t->n; k++)
		shared |= k != i && t->polls[k] && t->polls[i] && t->core[k] >= 0 && t->core[k] == t->core[i];
	return shared;
}

/* Threads that share, and that the config does not bind, the kernel moves about better than a fixed share would. */
static void let_float(struct placing *p)
{
	struct threads *t = p->t;
	cpu_set_t usable;
	uint32_t n_polls = 0;
	bool any = false;

	for (uint32_t i = 0; i < t->n; i++) {
		t->yield[i] = core_shared(p, i);
		any |= t->yield[i];
		n_polls += t->polls[i];
	}
	CPU_AND(&usable, &p->topology->allowed, &p->topology->online);
	if (!any || (int)n_polls <= CPU_COUNT(&usable))
		return;
	for (uint32_t i = 0; i < t->n; i++) {
		if (p->want[i].core == GN_CORE_ANY) {
			t->core[i] = GN_CORE_ANY;
			t->yield[i] |= t->polls[i];
		}
	}
	snprintf(t->remark, sizeof(t->remark),
		"%u threads share %d cores: they give the core away when idle, and latencies mean little", t->n,
		CPU_COUNT(&usable));
	p->n_faults = 1;
	threads_release(t);
	cpu_set_t polled = cores_polled(t);
	t->claim = gn_core_claim(GN_CORE_CLAIMS, &polled, NULL);
}

/* The cores of `from` without those of `less`; all of them when nothing would be left. */
static cpu_set_t cores_less(const cpu_set_t *from, const cpu_set_t *less)
{
	cpu_set_t both, left;

	CPU_AND(&both, from, less);
	CPU_XOR(&left, from, &both);
	return CPU_COUNT(&left) > 0 ? left : *from;
}

/* Where this thread may run, and those that it starts without a core, DPDK's own too. */
static void keep_off(const struct placing *p)
{
	cpu_set_t polled = cores_polled(p->t), keep;

	CPU_AND(&keep, &p->topology->allowed, &p->topology->online);
	keep = cores_less(&keep, &polled);
	keep = cores_less(&keep, &p->topology->isolated);
	keep = cores_less(&keep, &p->claimed);
	sched_setaffinity(0, sizeof(keep), &keep);
}

static int fifo_check(const struct placing *p)
{
	const struct threads *t = p->t;

	for (uint32_t i = 0; i < t->n; i++) {
		if (t->fifo_priority[i] && t->polls[i] && (t->yield[i] || t->core[i] < 0))
			return gn_err(0, "threads[%u].fifo_priority: %s would starve whoever shares its core", i, t->name[i]);
	}
	return 0;
}

static int place_all(struct placing *p)
{
	struct threads *t = p->t;
	int rc = wants_fill(p);

	if (rc == 0)
		rc = place_and_claim(p);
	if (rc < 0)
		return rc;
	let_float(p);
	t->together = p->c->together;
	if (!t->together)
		keep_off(p);
	for (uint32_t i = 0; i < t->n; i++)
		t->node[i] = t->core[i] >= 0 ? p->topology->cpu[t->core[i]].node : GN_NODE_ANY;
	size_t used = strlen(t->remark);
	if (p->n_faults > 1)
		snprintf(t->remark + used, sizeof(t->remark) - used, ", and %u more that the config allows", p->n_faults - 1);
	return fifo_check(p);
}

int threads_place(struct threads *t, const struct threads_config *c)
{
	struct placing p = {.t = t, .c = c, .topology = malloc(sizeof(*p.topology))};

	memset(t, 0, sizeof(*t));
	t->n = c->n;
	t->claim = -ENOENT;
	if (!p.topology)
		return gn_err(ENOMEM, "threads");
	gn_topology_read(p.topology, "");
	int rc = place_all(&p);
	free(p.topology);
	return rc < 0 ? gn_err_in(rc, "%s", c->what) : 0;
}

static void thread_run(void *arg)
{
	struct thread_arg *a = arg;

	gn_eal_thread_register();
	if (a->runner.rest.tv_nsec == 0)
		gn_heap_warm(HEAP_BYTES); /* TCP's segments come from the heap */
	gn_runner_run(a->w, a->index, &a->runner);
	gn_eal_thread_unregister();
}

/* Among the cores that stamps are taken on, this thread's included. */
static void clocks_compare(struct threads *t)
{
	cpu_set_t cores = cores_polled(t), own;

	if (sched_getaffinity(0, sizeof(own), &own) == 0 && gn_cpus_next(&own, 0) >= 0)
		CPU_SET((size_t)gn_cpus_next(&own, 0), &cores);
	if (gn_tsc_check_cores(&t->tsc, &cores) < 0)
		t->tsc.n_cores = 0;
	else if (gn_tsc_check_failed(&t->tsc))
		gn_warn("the time-stamp counter of core %d is %lld ticks off (+-%llu): times of different cores do not compare",
			t->tsc.worst_core, (long long)t->tsc.offset_ticks, (unsigned long long)t->tsc.bound_ticks);
}

int threads_start(struct threads *t, struct gn_wiring *w)
{
	clocks_compare(t);
	for (uint32_t i = 0; i < t->n; i++) {
		struct thread_arg *a = &t->arg[i];
		a->w = w;
		a->index = i;
		a->runner = (struct gn_runner_config){.stop = &a->stop, .yield = t->yield[i],
			.ticks_per_ms = gn_clock_ticks_from_ns(1000000)};
		if (!t->polls[i])
			a->runner.rest.tv_nsec = REST_NS;
		const struct gn_thread_config c = {.name = t->name[i], .core = t->core[i],
			.fifo_priority = t->fifo_priority[i]};
		int rc = gn_thread_start(&t->thread[i], &c, thread_run, a);
		if (rc < 0) {
			threads_stop(t);
			return rc;
		}
	}
	if (t->remark[0])
		gn_info("%s", t->remark);
	t->warm_ns = gn_clock_now_ns() + WARM_NS;
	cpu_set_t polled = cores_polled(t);
	if (t->together && CPU_COUNT(&polled) > 0)
		sched_setaffinity(0, sizeof(polled), &polled); /* only now: a start on one busy core takes long */
	return 0;
}

static const struct gn_counter usage_words[] = {
	{"core", "core that the thread runs on"},
	{"page_faults", "page faults since the warm-up"},
	{"gave_up", "times since the warm-up that it waited, or made way for others"},
	{"switched_out", "times since the warm-up that the kernel took its core away"},
	{"waited_ns", "time since the warm-up that it was ready to run without a core"},
};

int threads_publish(struct threads *t, struct gn_stats *stats)
{
	t->stats = stats;
	for (uint32_t i = 0; i < t->n; i++) {
		t->stat[i] = gn_stats_count(stats);
		for (size_t k = 0; k < GN_ARRAY_SIZE(usage_words); k++)
			if (gn_stats_add(stats, t->name[i], usage_words[k].name, usage_words[k].help) == UINT32_MAX)
				return -ENOSPC;
	}
	return 0;
}

static void thread_watch(struct threads *t, uint32_t i, bool warm)
{
	const struct gn_thread_usage *since = &t->warm[i];
	struct gn_thread_usage now;

	if (gn_thread_usage_read("", t->thread[i].tid, &now) < 0)
		return;
	if (!warm)
		t->warm[i] = now;
	const uint64_t words[] = {(uint64_t)now.core, now.n_faults - since->n_faults, now.n_gave_up - since->n_gave_up,
		now.n_switched_out - since->n_switched_out, now.wait_ns - since->wait_ns};
	gn_stats_set_n(t->stats, t->stat[i], words, GN_ARRAY_SIZE(words));
}

void threads_tend(struct threads *t)
{
	uint64_t now = gn_clock_now_ns();

	if (!t->stats || now < t->tend_ns)
		return;
	t->tend_ns = now + TEND_NS;
	for (uint32_t i = 0; i < t->n; i++)
		if (t->thread[i].started)
			thread_watch(t, i, now >= t->warm_ns);
}

void threads_stop(struct threads *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		atomic_store_explicit(&t->arg[i].stop, true, memory_order_release);
		gn_thread_join(&t->thread[i]);
	}
}

void threads_release(struct threads *t)
{
	if (t->n && t->claim >= 0)
		close(t->claim);
	t->claim = -ENOENT;
}

/* One page in each 2 MB: a piece is not mixed in smaller parts. */
static void memory_look(void *arg, const char *owner, const void *mem, size_t bytes, int node)
{
	uint32_t *n_wrong = arg;

	for (size_t at = 0; node >= 0 && at < bytes; at += (size_t)512 * PAGE_BYTES) {
		int is = gn_page_node((const uint8_t *)mem + at);
		if (is < 0 || is == node)
			continue;
		if (++*n_wrong == 1)
			gn_warn("memory of %s lies on node %d instead of %d: is node %d full?", owner, is, node, node);
		return;
	}
}

uint32_t threads_memory_check(const struct gn_wiring *w)
{
	uint32_t n_wrong = 0;

	gn_wiring_memory(w, memory_look, &n_wrong);
	return n_wrong;
}
