/* SPDX-License-Identifier: BSD-3-Clause */
#include "jitter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include "clock.h"
#include "dataplane/runtime/err.h"
#include "sys_file.h"
#include "thread.h"

#define NS_PER_S UINT64_C(1000000000)
#define INTERRUPTS_LINE 16384

/* What one watching thread needs; its results are its own. */
struct watcher {
	struct gn_thread thread;
	struct gn_jitter_core *out;
	uint64_t ticks;
};

static void worst_add(struct gn_jitter_core *c, uint64_t at_ns, uint64_t gap_ns)
{
	size_t i = GN_JITTER_WORST - 1;

	if (gap_ns <= c->worst[i].gap_ns)
		return;
	for (; i > 0 && c->worst[i - 1].gap_ns < gap_ns; i--)
		c->worst[i] = c->worst[i - 1];
	c->worst[i] = (struct gn_jitter_gap){at_ns, gap_ns};
}

static void gap_add(struct gn_jitter_core *c, uint64_t from_tsc, uint64_t to_tsc)
{
	uint64_t at_ns = gn_clock_ns_from_tsc(from_tsc), gap_ns = gn_clock_ns_from_tsc(to_tsc) - at_ns;

	gn_hist_record(&c->gaps, gap_ns);
	c->lost_ns += gap_ns;
	worst_add(c, at_ns, gap_ns);
}

static void watch(void *arg)
{
	struct watcher *w = arg;
	struct gn_jitter_core *c = w->out;
	uint64_t gap_ticks = gn_clock_ticks_from_ns(GN_JITTER_GAP_NS);
	struct rusage before, after;

	memset(&c->gaps, 0, sizeof(c->gaps)); /* touched from this core */
	getrusage(RUSAGE_THREAD, &before);
	uint64_t start = gn_tsc(), last = start, n = 0;
	while (last - start < w->ticks) {
		uint64_t now = gn_tsc();
		n++;
		if (gn_unlikely(now - last > gap_ticks)) {
			gap_add(c, last, now);
			now = gn_tsc();
		}
		last = now;
	}
	getrusage(RUSAGE_THREAD, &after);
	c->n_turns = n;
	c->run_ns = gn_clock_ns_from_tsc(last) - gn_clock_ns_from_tsc(start);
	c->n_involuntary = (uint64_t)(after.ru_nivcsw - before.ru_nivcsw);
	c->n_voluntary = (uint64_t)(after.ru_nvcsw - before.ru_nvcsw);
	c->n_faults = (uint64_t)(after.ru_minflt - before.ru_minflt + after.ru_majflt - before.ru_majflt);
}

/* One line of /proc/interrupts: the count in the column of a core, and what the interrupt is called. */
static bool interrupt_line(char *line, int column, uint64_t *n, const char **name)
{
	char *at = strchr(line, ':');

	if (!at)
		return false;
	*at++ = '\0';
	for (int i = 0;; i++) {
		char *end;
		uint64_t value = strtoull(at, &end, 10);
		if (end == at)
			return false;
		at = end;
		if (i == column) {
			*n = value;
			break;
		}
	}
	at += strspn(at, " 0123456789\t"); /* the columns of the other cores */
	at[strcspn(at, "\n")] = '\0';
	*name = at;
	return true;
}

/* Column of a core: the header names those that are online. */
static int interrupt_column(const char *header, int core)
{
	char want[16];
	int column = 0;

	snprintf(want, sizeof(want), "CPU%d", core);
	for (const char *at = strstr(header, "CPU"); at; at = strstr(at + 3, "CPU"), column++)
		if (strncmp(at, want, strlen(want)) == 0 && (at[strlen(want)] < '0' || at[strlen(want)] > '9'))
			return column;
	return -1;
}

static void cause_add(struct gn_jitter_core *c, const char *id, const char *name, uint64_t n)
{
	size_t i = GN_JITTER_CAUSES - 1;

	if (n <= c->cause[i].n)
		return;
	for (; i > 0 && c->cause[i - 1].n < n; i--)
		c->cause[i] = c->cause[i - 1];
	c->cause[i].n = n;
	snprintf(c->cause[i].name, sizeof(c->cause[i].name), "%s %s", id + strspn(id, " "), name);
}

/* The counts of one core's interrupts before the watch. */
struct interrupts {
	int n;
	struct {
		char id[16];
		uint64_t before;
	} line[512];
};

static void interrupts_read(struct interrupts *s, struct gn_jitter_core *c, bool after)
{
	FILE *f = fopen("/proc/interrupts", "re");
	char *line = malloc(INTERRUPTS_LINE);
	int column = f && line && fgets(line, INTERRUPTS_LINE, f) ? interrupt_column(line, c->core) : -1;
	uint64_t n;
	const char *name;

	for (int i = 0; column >= 0 && i < 512 && fgets(line, INTERRUPTS_LINE, f);) {
		if (!interrupt_line(line, column, &n, &name))
			continue;
		if (!after) {
			snprintf(s->line[i].id, sizeof(s->line[i].id), "%s", line);
			s->line[i].before = n;
			s->n = i + 1;
		} else if (i < s->n && strcmp(s->line[i].id, line) == 0 && n > s->line[i].before) {
			cause_add(c, line, name, n - s->line[i].before);
		}
		i++;
	}
	free(line);
	if (f)
		fclose(f);
}

static int watchers_run(struct watcher *w, struct interrupts *irq, int n)
{
	int started = 0, rc = 0;

	for (int i = 0; i < n; i++)
		interrupts_read(&irq[i], w[i].out, false);
	for (; started < n && rc == 0; started++) {
		char name[GN_THREAD_NAME_BYTES];
		snprintf(name, sizeof(name), "jitter%d", w[started].out->core);
		rc = gn_thread_start(&w[started].thread,
			&(struct gn_thread_config){.name = name, .core = w[started].out->core}, watch, &w[started]);
	}
	for (int i = 0; i < started; i++)
		gn_thread_join(&w[i].thread);
	for (int i = 0; i < n && rc == 0; i++)
		interrupts_read(&irq[i], w[i].out, true);
	return rc;
}

int gn_jitter_run(struct gn_jitter *j, const cpu_set_t *cores, uint32_t seconds)
{
	int n = CPU_COUNT(cores);

	*j = (struct gn_jitter){.n = n};
	if (n == 0 || seconds == 0)
		return gn_err(0, "jitter: expected at least one core and one second");
	j->core = calloc((size_t)n, sizeof(*j->core));
	struct watcher *w = calloc((size_t)n, sizeof(*w));
	struct interrupts *irq = calloc((size_t)n, sizeof(*irq));
	int rc = j->core && w && irq ? 0 : gn_err(ENOMEM, "jitter: %d cores", n);
	for (int i = 0, core = gn_cpus_next(cores, 0); rc == 0 && i < n; i++, core = gn_cpus_next(cores, core + 1)) {
		j->core[i].core = core;
		w[i] = (struct watcher){.out = &j->core[i], .ticks = gn_clock_ticks_from_ns(seconds * NS_PER_S)};
	}
	if (rc == 0)
		rc = watchers_run(w, irq, n);
	free(w);
	free(irq);
	if (rc < 0)
		gn_jitter_free(j);
	return rc;
}

void gn_jitter_free(struct gn_jitter *j)
{
	free(j->core);
	*j = (struct gn_jitter){0};
}
