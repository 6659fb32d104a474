/* SPDX-License-Identifier: BSD-3-Clause */
#include "jitter.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "dataplane/runtime/err.h"

#define NS_PER_S UINT64_C(1000000000)

static uint64_t lost_ppm(const struct gn_jitter_core *c)
{
	return c->run_ns ? c->lost_ns * 1000 * 1000 / c->run_ns : 0;
}

/* What no event of the kernel explains is below it. */
static const char *cause_words(const struct gn_jitter_gap *g)
{
	return g->cause[0] ? g->cause : "nothing of the kernel's: hardware (SMI) or hypervisor";
}

static void print_worst(const struct gn_jitter_core *c, bool traced, FILE *out)
{
	for (size_t i = 0; i < GN_JITTER_WORST && c->worst[i].gap_ns; i++) {
		time_t s = (time_t)(c->worst[i].at_ns / NS_PER_S);
		struct tm tm;
		char text[32];
		strftime(text, sizeof(text), "%H:%M:%S", gmtime_r(&s, &tm));
		fprintf(out, "    %10" PRIu64 " ns at %s.%06" PRIu64 " UTC%s%s\n", c->worst[i].gap_ns, text,
			c->worst[i].at_ns % NS_PER_S / 1000, traced ? ": " : "",
			traced ? cause_words(&c->worst[i]) : "");
	}
}

void gn_jitter_print_text(const struct gn_jitter *j, FILE *out)
{
	if (j->traced)
		fprintf(out, "traced: %" PRIu64 " events, %" PRIu64 " lost\n", j->n_events, j->n_events_lost);
	else if (j->untraced[0])
		fprintf(out, "without causes: %s\n", j->untraced);
	for (int i = 0; i < j->n; i++) {
		const struct gn_jitter_core *c = &j->core[i];
		fprintf(out,
			"core %d: %" PRIu64 " gaps of %u ns and more in %" PRIu64 " ms, %" PRIu64
			" ppm of the time lost\n",
			c->core, c->gaps.n, GN_JITTER_GAP_NS, c->run_ns / (1000 * 1000), lost_ppm(c));
		fprintf(out,
			"  p50 %" PRIu64 " ns, p99 %" PRIu64 " ns, p99.9 %" PRIu64 " ns, max %" PRIu64
			" ns; one turn takes %" PRIu64 " ns\n",
			gn_hist_at(&c->gaps, 500000), gn_hist_at(&c->gaps, 990000), gn_hist_at(&c->gaps, 999000),
			c->gaps.max, c->n_turns ? (c->run_ns - c->lost_ns) / c->n_turns : 0);
		fprintf(out,
			"  switched out %" PRIu64 " times, gave up the core %" PRIu64 " times, %" PRIu64
			" page faults\n",
			c->n_involuntary, c->n_voluntary, c->n_faults);
		if (c->stolen_ms)
			fprintf(out, "  the hypervisor gave %" PRIu64 " ms to others\n", c->stolen_ms);
		for (size_t k = 0; k < GN_JITTER_CAUSES && c->cause[k].n; k++)
			fprintf(out, "  %" PRIu64 " interrupts: %s\n", c->cause[k].n, c->cause[k].name);
		if (c->worst[0].gap_ns)
			fprintf(out, "  worst:\n");
		print_worst(c, j->traced, out);
	}
}

static json_t *core_json(const struct gn_jitter_core *c)
{
	json_t *worst = json_array(), *causes = json_array();

	for (size_t i = 0; i < GN_JITTER_WORST && c->worst[i].gap_ns; i++)
		json_array_append_new(worst, json_pack("{s:I, s:I, s:s}", "at_ns", (json_int_t)c->worst[i].at_ns, "gap_ns",
						     (json_int_t)c->worst[i].gap_ns, "cause", c->worst[i].cause));
	for (size_t i = 0; i < GN_JITTER_CAUSES && c->cause[i].n; i++)
		json_array_append_new(causes, json_pack("{s:s%, s:I}", "interrupt", c->cause[i].name,
						      strlen(c->cause[i].name), "n", (json_int_t)c->cause[i].n));
	return json_pack("{s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o, s:o}", "core", c->core,
		"run_ns", (json_int_t)c->run_ns, "lost_ns", (json_int_t)c->lost_ns, "n_turns", (json_int_t)c->n_turns,
		"n_gaps", (json_int_t)c->gaps.n, "gap_p50_ns", (json_int_t)gn_hist_at(&c->gaps, 500000), "gap_p99_ns",
		(json_int_t)gn_hist_at(&c->gaps, 990000), "gap_p999_ns", (json_int_t)gn_hist_at(&c->gaps, 999000),
		"gap_max_ns", (json_int_t)c->gaps.max, "n_involuntary", (json_int_t)c->n_involuntary, "n_voluntary",
		(json_int_t)c->n_voluntary, "n_faults", (json_int_t)c->n_faults, "stolen_ms", (json_int_t)c->stolen_ms, "worst", worst, "interrupts", causes);
}

void gn_jitter_print_json(const struct gn_jitter *j, FILE *out)
{
	json_t *cores = json_array();

	for (int i = 0; i < j->n; i++)
		json_array_append_new(cores, core_json(&j->core[i]));
	json_t *all = json_pack("{s:i, s:b, s:s, s:I, s:o}", "gap_ns_min", (int)GN_JITTER_GAP_NS, "traced", j->traced,
		"untraced_because", j->untraced, "events_lost", (json_int_t)j->n_events_lost, "cores", cores);
	json_dumpf(all, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(all);
}

/* For each length: how many gaps a second were at least that long. */
static void plot_core(const struct gn_jitter_core *c, FILE *out)
{
	uint64_t left = c->gaps.n;

	for (uint32_t b = 0; b < GN_HIST_BUCKETS && left; b++) {
		uint64_t n = c->gaps.bucket[b];
		if (!n)
			continue;
		uint64_t done = c->gaps.n - left;
		uint64_t ppm = (done * 1000 * 1000 + c->gaps.n - 1) / c->gaps.n + 1;
		fprintf(out, "%" PRIu64 " %.6f\n", gn_hist_at(&c->gaps, ppm > 1000000 ? 1000000 : (uint32_t)ppm),
			(double)left * (double)NS_PER_S / (double)c->run_ns);
		left -= n;
	}
	fprintf(out, "e\n");
}

/* gnuplot would draw to standard output instead of a file that it cannot make. */
static int plot_file_check(const char *svg_path)
{
	if (strpbrk(svg_path, "'\n\\"))
		return gn_err(0, "plot %s: a quote or a backslash in the name", svg_path);
	FILE *f = fopen(svg_path, "we");
	if (!f)
		return gn_err(errno, "plot %s", svg_path);
	fclose(f);
	return 0;
}

int gn_jitter_plot(const struct gn_jitter *j, const char *svg_path)
{
	int rc = plot_file_check(svg_path);

	if (rc < 0)
		return rc;
	void (*before)(int) = signal(SIGPIPE, SIG_IGN); /* a gnuplot that is not there shows in its exit status */
	FILE *out = popen("gnuplot", "we");
	if (!out) {
		signal(SIGPIPE, before);
		return gn_err(errno, "plot %s: run gnuplot", svg_path);
	}
	fprintf(out,
		"set terminal svg size 900,500 background 'white'\nset output '%s'\nset logscale xy\nset grid\n"
		"set xtics ('100 ns' 1e2, '1 us' 1e3, '10 us' 1e4, '100 us' 1e5, '1 ms' 1e6, '10 ms' 1e7, '100 ms' 1e8, '1 s' 1e9)\n"
		"set xlabel 'length of the gap'\nset ylabel 'gaps a second at least that long'\nset title 'What "
	        "polling cores lose'\nplot ",
		svg_path);
	int n_drawn = 0;
	for (int i = 0; i < j->n; i++)
		if (j->core[i].gaps.n)
			fprintf(out, "%s'-' using 1:2 with steps title 'core %d'", n_drawn++ ? ", " : "",
				j->core[i].core);
	fprintf(out, n_drawn ? "\n" : "[%u:1e6][0.1:10] 1 title 'no gap'\n", GN_JITTER_GAP_NS);
	for (int i = 0; i < j->n; i++)
		if (j->core[i].gaps.n)
			plot_core(&j->core[i], out);
	rc = pclose(out);
	signal(SIGPIPE, before);
	return rc == 0 ? 0 : gn_err(0, "plot %s: gnuplot failed (is gnuplot-nox installed?)", svg_path);
}
