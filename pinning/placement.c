/* SPDX-License-Identifier: BSD-3-Clause */
#include "placement.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

static const struct {
	unsigned bit;
	const char *word;
} allow_words[] = {
	{GN_ALLOW_SMT, "smt"},
	{GN_ALLOW_CROSS_NUMA, "cross-numa"},
	{GN_ALLOW_SHARED_CORE, "shared-core"},
	{GN_ALLOW_NON_ISOLATED, "non-isolated"},
};

/* One call of gn_place(). */
struct place {
	const struct gn_place_config *config;
	const struct gn_topology *t;
	const struct gn_place_want *want;
	int n;
	int *core;
};

unsigned gn_allow_from_word(const char *word)
{
	for (size_t i = 0; i < sizeof(allow_words) / sizeof(allow_words[0]); i++)
		if (strcmp(word, allow_words[i].word) == 0)
			return allow_words[i].bit;
	return 0;
}

static const char *allow_word(unsigned bit)
{
	for (size_t i = 0; i < sizeof(allow_words) / sizeof(allow_words[0]); i++)
		if (allow_words[i].bit == bit)
			return allow_words[i].word;
	return "?";
}

/* A fault: a warning where it is permitted, else the end. */
__attribute__((format(printf, 3, 4))) static int place_fault(const struct place *p, unsigned bit, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!(p->config->allow & bit))
		return gn_err(0, "placement: %s (permitted by allow: [%s])", text, allow_word(bit));
	if (p->config->warn)
		p->config->warn(p->config->warn_arg, bit, text);
	return 0;
}

static bool core_usable(const struct place *p, int core)
{
	return core >= 0 && core < CPU_SETSIZE && CPU_ISSET((size_t)core, &p->t->present)
	       && CPU_ISSET((size_t)core, &p->t->online) && CPU_ISSET((size_t)core, &p->t->allowed);
}

static bool core_isolated(const struct place *p, int core)
{
	return CPU_ISSET((size_t)core, &p->t->isolated);
}

/* That which nothing permits. */
static int check_exists(const struct place *p, int i)
{
	const char *name = p->want[i].name;
	int core = p->core[i];

	if (core < 0 || core >= CPU_SETSIZE || !CPU_ISSET((size_t)core, &p->t->present))
		return gn_err(0, "placement: %s: core %d does not exist: this machine has %s", name, core,
			gn_cpus_text(&p->t->present).c);
	if (!CPU_ISSET((size_t)core, &p->t->online))
		return gn_err(0, "placement: %s: core %d is offline: online are %s", name, core,
			gn_cpus_text(&p->t->online).c);
	if (!CPU_ISSET((size_t)core, &p->t->allowed))
		return gn_err(0, "placement: %s: core %d is outside this process's cpuset, which is %s", name, core,
			gn_cpus_text(&p->t->allowed).c);
	return 0;
}

static bool core_foreign(const struct place *p, int core)
{
	return p->config->claimed && CPU_ISSET((size_t)core, p->config->claimed);
}

static int check_alone(const struct place *p, int i)
{
	const char *name = p->want[i].name;
	int core = p->core[i], rc = 0;

	if (p->want[i].polls && !core_isolated(p, core))
		rc = place_fault(p, GN_ALLOW_NON_ISOLATED,
			"%s polls on core %d, which is not isolated (isolated are %s)", name, core,
			gn_cpus_text(&p->t->isolated).c);
	if (rc == 0 && p->want[i].polls && core_foreign(p, core))
		rc = place_fault(p, GN_ALLOW_SHARED_CORE, "%s is on core %d, where another engine polls", name, core);
	if (rc == 0 && p->want[i].nic && p->config->nic_node >= 0 && p->t->cpu[core].node >= 0
		&& p->t->cpu[core].node != p->config->nic_node)
		rc = place_fault(p, GN_ALLOW_CROSS_NUMA, "%s is on core %d of node %d, the port is on node %d", name,
			core, p->t->cpu[core].node, p->config->nic_node);
	return rc;
}

static int check_pair(const struct place *p, int i, int j)
{
	const char *a = p->want[i].name, *b = p->want[j].name;
	enum gn_nearness near = gn_topology_nearness(p->t, p->core[i], p->core[j]);
	bool linked = p->want[i].near == j || p->want[j].near == i;
	bool polls = p->want[i].polls || p->want[j].polls;

	if (near == GN_NEAR_SAME && polls)
		return place_fault(p, GN_ALLOW_SHARED_CORE, "%s and %s are both on core %d", a, b, p->core[i]);
	if (near == GN_NEAR_SMT && polls)
		return place_fault(p, GN_ALLOW_SMT, "%s on core %d and %s on core %d share one execution unit", a,
			p->core[i], b, p->core[j]);
	if (near == GN_NEAR_FAR && linked && p->want[i].polls && p->want[j].polls)
		return place_fault(p, GN_ALLOW_CROSS_NUMA, "%s on core %d and %s on core %d are on different nodes", a,
			p->core[i], b, p->core[j]);
	return 0;
}

static int place_check(const struct place *p)
{
	int rc = 0;

	for (int i = 0; i < p->n && rc == 0; i++) {
		if (p->core[i] == GN_CORE_ANY)
			continue;
		rc = check_exists(p, i);
		if (rc == 0)
			rc = check_alone(p, i);
		for (int j = 0; j < i && rc == 0; j++)
			if (p->core[j] != GN_CORE_ANY)
				rc = check_pair(p, i, j);
	}
	return rc;
}

/* Cores of one last-level cache (of one node, where no cache is told) that a polling thread could have to itself. */
static int domain_free(const struct place *p, int core, const cpu_set_t *taken)
{
	int n = 0;

	for (int c = gn_cpus_next(&p->t->online, 0); c >= 0; c = gn_cpus_next(&p->t->online, c + 1)) {
		const struct gn_cpu *cpu = &p->t->cpu[c];
		bool same = cpu->l3 >= 0 ? cpu->l3 == p->t->cpu[core].l3 : cpu->node == p->t->cpu[core].node;
		n += same && core_usable(p, c) && core_isolated(p, c) && !CPU_ISSET((size_t)c, taken) && cpu->smt == c;
	}
	return n;
}

/* Threads already on a core, and on its siblings. */
static void core_load(const struct place *p, int core, int *here, int *beside)
{
	*here = core_foreign(p, core);
	*beside = 0;
	for (int i = 0; i < p->n; i++) {
		if (p->core[i] < 0)
			continue;
		*here += p->core[i] == core;
		*beside += p->core[i] != core && p->t->cpu[p->core[i]].smt == p->t->cpu[core].smt;
	}
}

/* A sum of what is wrong with a core for this thread, worst first; -1: not permitted at all. */
static int64_t core_cost(const struct place *p, int i, int core, int n_left, const cpu_set_t *taken)
{
	const struct gn_place_want *w = &p->want[i];
	unsigned allow = p->config->allow;
	int peer = w->near >= 0 && w->near < p->n ? p->core[w->near] : GN_CORE_ANY;
	int node = p->config->nic_node, here, beside;
	int64_t cost = 0;

	core_load(p, core, &here, &beside);
	bool far_nic = w->nic && node >= 0 && p->t->cpu[core].node >= 0 && p->t->cpu[core].node != node;
	bool far_peer = peer >= 0 && gn_topology_nearness(p->t, core, peer) == GN_NEAR_FAR;
	if ((here && !(allow & GN_ALLOW_SHARED_CORE)) || (beside && !(allow & GN_ALLOW_SMT))
		|| (!core_isolated(p, core) && !(allow & GN_ALLOW_NON_ISOLATED))
		|| ((far_nic || far_peer) && !(allow & GN_ALLOW_CROSS_NUMA)))
		return -1;
	cost = cost * 64 + here;
	cost = cost * 2 + !core_isolated(p, core);
	cost = cost * 2 + (far_nic || far_peer);
	cost = cost * 8 + beside;
	cost = cost * 2 + (node >= 0 && p->t->cpu[core].node != node);
	cost = cost * 2 + (domain_free(p, core, taken) < n_left);
	cost = cost * 8 + (peer >= 0 ? (int)gn_topology_nearness(p->t, core, peer) : 0);
	cost = cost * 2 + (core == 0); /* where the kernel likes to do its own work */
	return cost * CPU_SETSIZE + core;
}

static int choose_polling(struct place *p, int i, int n_left)
{
	cpu_set_t taken;
	int64_t best = -1;

	if (p->config->claimed)
		taken = *p->config->claimed;
	else
		CPU_ZERO(&taken);
	for (int j = 0; j < p->n; j++)
		if (p->core[j] >= 0)
			CPU_SET((size_t)p->core[j], &taken);
	for (int core = gn_cpus_next(&p->t->online, 0); core >= 0; core = gn_cpus_next(&p->t->online, core + 1)) {
		int64_t cost = core_usable(p, core) ? core_cost(p, i, core, n_left, &taken) : -1;
		if (cost >= 0 && (best < 0 || cost < best))
			best = cost;
	}
	if (best >= 0) {
		p->core[i] = (int)(best % CPU_SETSIZE);
		return 0;
	}
	cpu_set_t usable;
	CPU_AND(&usable, &p->t->isolated, &p->t->online);
	CPU_AND(&usable, &usable, &p->t->allowed);
	return gn_err(0,
		"placement: no core is left for %s: isolated and usable are %s, taken are %s; isolate more cores, or "
	        "permit with "
		"allow: [smt, cross-numa, shared-core, non-isolated]",
		p->want[i].name, gn_cpus_text(&usable).c, gn_cpus_text(&taken).c);
}

/* A core that no polling thread needs; without one the thread goes wherever the kernel likes. */
static void choose_housekeeping(struct place *p, int i)
{
	int best_load = INT_MAX;

	for (int core = gn_cpus_next(&p->t->online, 0); core >= 0; core = gn_cpus_next(&p->t->online, core + 1)) {
		int here, beside;
		if (!core_usable(p, core) || core_isolated(p, core))
			continue;
		core_load(p, core, &here, &beside);
		bool polled = core_foreign(p, core);
		for (int j = 0; j < p->n; j++)
			polled |=
				p->core[j] >= 0 && p->want[j].polls && p->t->cpu[p->core[j]].smt == p->t->cpu[core].smt;
		if (!polled && here < best_load) {
			best_load = here;
			p->core[i] = core;
		}
	}
}

static int place_choose(struct place *p)
{
	int n_left = 0, rc = 0;

	for (int i = 0; i < p->n; i++)
		n_left += p->want[i].polls && p->core[i] == GN_CORE_ANY;
	for (int i = 0; i < p->n && rc == 0; i++)
		if (p->want[i].polls && p->core[i] == GN_CORE_ANY)
			rc = choose_polling(p, i, n_left--);
	for (int i = 0; i < p->n && rc == 0; i++)
		if (!p->want[i].polls && p->core[i] == GN_CORE_ANY)
			choose_housekeeping(p, i);
	return rc;
}

int gn_place(const struct gn_place_config *config, const struct gn_place_want *want, int n, int *core)
{
	struct place p = {.config = config, .t = config->topology, .want = want, .n = n, .core = core};
	int rc = 0;

	if (n < 0 || n > GN_PLACE_MAX)
		return gn_err(0, "placement: %d threads: expected at most %d", n, GN_PLACE_MAX);
	for (int i = 0; i < n; i++)
		core[i] = want[i].core;
	for (int i = 0; i < n && rc == 0; i++)
		if (core[i] != GN_CORE_ANY)
			rc = check_exists(&p, i);
	if (rc == 0)
		rc = place_choose(&p);
	return rc == 0 ? place_check(&p) : rc;
}

int gn_page_node(const void *mem)
{
	void *page = (void *)((uintptr_t)mem & ~(uintptr_t)4095);
	int node = -1;

	if (syscall(SYS_move_pages, 0, 1UL, &page, NULL, &node, 0) < 0)
		return -errno;
	return node;
}
