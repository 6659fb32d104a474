/* SPDX-License-Identifier: BSD-3-Clause */
#include "threads.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/nic/eal.h"
#include "dataplane/runtime/log.h"
#include "pinning/clock.h"

/* The cores this process may use, in order of number, without those that a thread named. */
static uint32_t cores_left(const struct threads *t, uint32_t n, int *out, uint32_t *n_allowed)
{
	cpu_set_t allowed;
	uint32_t left = 0;

	*n_allowed = 0;
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return 0;
	for (int core = 0; core < CPU_SETSIZE; core++) {
		bool named = false;
		if (!CPU_ISSET((size_t)core, &allowed))
			continue;
		++*n_allowed;
		for (uint32_t i = 0; i < n; i++)
			named |= t->core[i] == core;
		if (!named)
			out[left++] = core;
	}
	return left;
}

static int place_named(struct threads *t, const char *what, const char *word, uint32_t i)
{
	char *end;
	long core = strtol(word, &end, 10);

	if (*end || end == word || core < 0 || core > INT16_MAX)
		return gn_err(0, "%s: threads[%u].core: %s: expected a core number or auto", what, i, word);
	int rc = gn_core_check(NULL, (int)core);
	if (rc < 0)
		return gn_err_in(rc, "%s: threads[%u].core: %s", what, i, word);
	for (uint32_t k = 0; k < i; k++) {
		if (t->core[k] == (int)core)
			return gn_err(0, "%s: threads[%u].core: core %ld runs threads[%u] already", what, i, core, k);
	}
	t->core[i] = (int)core;
	return 0;
}

int threads_place(struct threads *t, const char *what, const char *const *word, uint32_t n)
{
	int left[CPU_SETSIZE];
	uint32_t n_auto = 0, n_allowed;

	t->n = n;
	for (uint32_t i = 0; i < n; i++)
		t->core[i] = GN_CORE_ANY;
	for (uint32_t i = 0; i < n; i++) {
		bool is_auto = strcmp(word[i], "auto") == 0;
		n_auto += is_auto;
		int rc = is_auto ? 0 : place_named(t, what, word[i], i);
		if (rc < 0)
			return rc;
	}
	uint32_t n_left = cores_left(t, n, left, &n_allowed);
	t->yield = n_auto > n_left;
	if (t->yield) {
		gn_info("%u threads share %u cores: they give the core away when idle, and latencies mean little", n, n_allowed);
		return 0; /* the kernel moves them about better than a fixed share would */
	}
	for (uint32_t i = 0, k = 0; i < n; i++) {
		if (t->core[i] == GN_CORE_ANY)
			t->core[i] = left[k++];
	}
	return 0;
}

static void thread_run(void *arg)
{
	struct thread_arg *a = arg;

	gn_eal_thread_register();
	gn_runner_run(a->w, a->index, &a->runner);
	gn_eal_thread_unregister();
}

int threads_start(struct threads *t, struct gn_wiring *w)
{
	for (uint32_t i = 0; i < t->n; i++) {
		struct thread_arg *a = &t->arg[i];
		a->w = w;
		a->index = i;
		a->runner = (struct gn_runner_config){.stop = &a->stop, .yield = t->yield,
			.ticks_per_ms = gn_clock_ticks_from_ns(1000000)};
		const struct gn_thread_config c = {.name = t->name[i], .core = t->core[i]};
		int rc = gn_thread_start(&t->thread[i], &c, thread_run, a);
		if (rc < 0) {
			threads_stop(t);
			return rc;
		}
	}
	return 0;
}

void threads_stop(struct threads *t)
{
	for (uint32_t i = 0; i < t->n; i++) {
		atomic_store_explicit(&t->arg[i].stop, true, memory_order_release);
		gn_thread_join(&t->thread[i]);
	}
}
