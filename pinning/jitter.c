/* SPDX-License-Identifier: BSD-3-Clause */
#include "jitter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "dataplane/runtime/err.h"
#include "noise.h"
#include "sys_file.h"
#include "thread.h"

#define NS_PER_S UINT64_C(1000000000)
#define INTERRUPTS_LINE 16384
#define DRAIN_NS 100000000

/* What one watching thread needs; its results are its own. */
struct watcher {
	struct gn_thread thread;
	struct gn_jitter_core *out;
	uint64_t ticks;
	const _Atomic bool *stop;
	_Atomic bool over;
};

/* One call of gn_jitter_run(). */
struct run {
	struct gn_jitter *j;
	struct watcher *watcher;
	struct interrupts *irq;
	struct gn_noise *noise; /* NULL: not traced */
	uint64_t *stolen;
};

static void worst_add(struct gn_jitter_core *c, uint64_t at_ns, uint64_t gap_ns, uint64_t from_tsc, uint64_t to_tsc)
{
	size_t i = GN_JITTER_WORST - 1;

	if (gap_ns <= c->worst[i].gap_ns)
		return;
	for (; i > 0 && c->worst[i - 1].gap_ns < gap_ns; i--)
		c->worst[i] = c->worst[i - 1];
	c->worst[i] = (struct gn_jitter_gap){at_ns, gap_ns, from_tsc, to_tsc, ""};
}

static void gap_add(struct gn_jitter_core *c, uint64_t from_tsc, uint64_t to_tsc)
{
	uint64_t at_ns = gn_clock_ns_from_tsc(from_tsc), gap_ns = gn_clock_ns_from_tsc(to_tsc) - at_ns;

	gn_hist_record(&c->gaps, gap_ns);
	c->lost_ns += gap_ns;
	worst_add(c, at_ns, gap_ns, from_tsc, to_tsc);
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
	while (last - start < w->ticks && !atomic_load_explicit(w->stop, memory_order_relaxed)) {
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
	atomic_store_explicit(&w->over, true, memory_order_release);
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

/* Milliseconds that the hypervisor gave to others so far; 0 where the kernel does not count them. */
static uint64_t stolen_ms(int core)
{
	char key[16], text[256], *at = text;
	unsigned long long n = 0;

	snprintf(key, sizeof(key), "cpu%d ", core);
	if (gn_sys_field("", "/proc/stat", key, text, sizeof(text)) < 0)
		return 0;
	for (int i = 0; i < 8; i++)
		n = strtoull(at, &at, 10); /* user nice system idle iowait irq softirq steal */
	return n * 1000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

static void run_wait(struct run *r)
{
	const struct timespec tick = {.tv_nsec = DRAIN_NS};

	for (int i = 0; i < r->j->n; i++) {
		while (r->watcher[i].thread.started && !atomic_load_explicit(&r->watcher[i].over, memory_order_acquire)) {
			nanosleep(&tick, NULL);
			if (r->noise)
				gn_noise_drain(r->noise);
		}
		gn_thread_join(&r->watcher[i].thread);
	}
}

static int run_watch(struct run *r)
{
	struct gn_jitter *j = r->j;
	int rc = 0;

	for (int i = 0; i < j->n; i++) {
		interrupts_read(&r->irq[i], &j->core[i], false);
		r->stolen[i] = stolen_ms(j->core[i].core);
	}
	for (int i = 0; i < j->n && rc == 0; i++) {
		char name[GN_THREAD_NAME_BYTES];
		snprintf(name, sizeof(name), "jitter%d", j->core[i].core);
		rc = gn_thread_start(&r->watcher[i].thread,
			&(struct gn_thread_config){.name = name, .core = j->core[i].core}, watch, &r->watcher[i]);
	}
	run_wait(r);
	for (int i = 0; i < j->n && rc == 0; i++) {
		interrupts_read(&r->irq[i], &j->core[i], true);
		j->core[i].stolen_ms = stolen_ms(j->core[i].core) - r->stolen[i];
	}
	return rc;
}

static void run_trace(struct run *r, const cpu_set_t *cores, const struct gn_jitter_options *o)
{
	if (!o->trace)
		return;
	r->noise = gn_noise_begin(o->root ? o->root : "", cores);
	r->j->traced = r->noise != NULL;
	if (!r->noise)
		snprintf(r->j->untraced, sizeof(r->j->untraced), "%s", gn_err_text());
}

static void run_explain(struct run *r)
{
	if (!r->noise)
		return;
	gn_noise_drain(r->noise);
	for (int i = 0; i < r->j->n; i++) {
		struct gn_jitter_core *c = &r->j->core[i];
		for (size_t k = 0; k < GN_JITTER_WORST && c->worst[k].gap_ns; k++) {
			struct gn_jitter_gap *g = &c->worst[k];
			gn_noise_cause(r->noise, c->core, g->from_tsc, g->to_tsc, g->cause, sizeof(g->cause));
		}
	}
	r->j->n_events = gn_noise_events(r->noise, &r->j->n_events_lost);
	gn_noise_end(r->noise);
}

int gn_jitter_run(
	struct gn_jitter *j, const cpu_set_t *cores, uint32_t seconds, const struct gn_jitter_options *options)
{
	static const struct gn_jitter_options none;
	static const _Atomic bool never;
	const struct gn_jitter_options *o = options ? options : &none;
	int n = CPU_COUNT(cores);

	*j = (struct gn_jitter){.n = n};
	if (n == 0 || seconds == 0)
		return gn_err(0, "jitter: expected at least one core and one second");
	j->core = calloc((size_t)n, sizeof(*j->core));
	struct run r = {.j = j, .watcher = calloc((size_t)n, sizeof(*r.watcher)), .irq = calloc((size_t)n, sizeof(*r.irq)),
		.stolen = calloc((size_t)n, sizeof(*r.stolen))};
	int rc = j->core && r.watcher && r.irq && r.stolen ? 0 : gn_err(ENOMEM, "jitter: %d cores", n);
	for (int i = 0, core = gn_cpus_next(cores, 0); rc == 0 && i < n; i++, core = gn_cpus_next(cores, core + 1)) {
		j->core[i].core = core;
		r.watcher[i].out = &j->core[i];
		r.watcher[i].ticks = gn_clock_ticks_from_ns(seconds * NS_PER_S);
		r.watcher[i].stop = o->stop ? o->stop : &never;
	}
	if (rc == 0) {
		run_trace(&r, cores, o);
		rc = run_watch(&r);
		run_explain(&r);
	}
	free(r.watcher);
	free(r.irq);
	free(r.stolen);
	if (rc < 0)
		gn_jitter_free(j);
	return rc;
}

void gn_jitter_free(struct gn_jitter *j)
{
	free(j->core);
	*j = (struct gn_jitter){0};
}
