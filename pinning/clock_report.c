/* SPDX-License-Identifier: BSD-3-Clause */
#include "clock_report.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>
#include <sys/timex.h>

#include "host_check.h"
#include "sys_file.h"

#define NS_PER_US UINT64_C(1000)

static uint64_t ns_from_us(long us)
{
	return us > 0 ? (uint64_t)us * NS_PER_US : 0;
}

/* Frequencies are in 2^-16 ppm. */
static int64_t ppb_from_freq(long freq)
{
	return (int64_t)freq * 1000 / 65536;
}

void gn_clock_report_fill(struct gn_clock_report *r, const char *root, const struct timex *t, int state)
{
	strcpy(r->counter, "tsc");
	if (gn_sys_read(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource", r->kernel_source,
		    sizeof(r->kernel_source)) <= 0)
		strcpy(r->kernel_source, "?");
	gn_host_time_daemon(root, r->discipline, sizeof(r->discipline));
	r->synchronised = state >= 0 && state != TIME_ERROR && !(t->status & STA_UNSYNC);
	r->tai_offset_s = t->tai;
	r->freq_ppb = ppb_from_freq(t->freq);
	r->kernel_error_max_ns = ns_from_us(t->maxerror);
	r->kernel_error_est_ns = ns_from_us(t->esterror);
	r->utc_known = r->synchronised && r->clock.calibrated;
	r->utc_bound_ns = r->utc_known ? r->clock.bound_ns + r->kernel_error_max_ns : 0;
}

void gn_clock_report_read(struct gn_clock_report *r, const struct gn_tsc_check *cores)
{
	struct timex t = {0};
	int state = adjtimex(&t);

	*r = (struct gn_clock_report){.clock = gn_clock_status(), .cores.worst_core = -1};
	if (cores)
		r->cores = *cores;
	gn_clock_report_fill(r, "", &t, state);
}

const char *gn_clock_report_trouble(const struct gn_clock_report *r)
{
	static char text[256];

	text[0] = '\0';
	if (!r->clock.calibrated)
		return "the clock is not calibrated";
	if (!r->clock.invariant)
		return "the processor does not promise one rate of its time-stamp counter: times may run at the wrong speed";
	if (r->cores.n_cores && gn_tsc_check_failed(&r->cores)) {
		snprintf(text, sizeof(text),
			"the time-stamp counter of core %d is %" PRId64 " ticks off: times of different cores do not compare",
			r->cores.worst_core, r->cores.offset_ticks);
		return text;
	}
	if (r->clock.n_backwards)
		return "the time-stamp counter was seen to run backwards";
	if (!r->synchronised)
		return "nothing disciplines the clock of this machine: its distance from UTC is not known";
	return text;
}

void gn_clock_report_text(const struct gn_clock_report *r, FILE *out)
{
	const struct gn_clock_status *s = &r->clock;

	fprintf(out, "source      %s at %" PRIu64 " Hz%s, following CLOCK_REALTIME (%s)\n", r->counter, s->ticks_per_s,
		s->invariant ? ", invariant" : "", r->kernel_source);
	fprintf(out, "offset      %" PRId64 " ns from CLOCK_REALTIME at update %" PRIu64 "\n", s->offset_ns, s->n_updates);
	fprintf(out, "bound       %" PRIu64 " ns, at worst %" PRIu64 " ns since the start\n", s->bound_ns, s->bound_ns_max);
	fprintf(out, "steps       %" PRIu64 ", the last by %" PRId64 " ns; counter seen backwards %" PRIu64 " times\n",
		s->n_steps, s->step_ns, s->n_backwards);
	if (r->cores.n_cores)
		fprintf(out, "cores       %d compared, core %d is off by %" PRId64 " ticks within %" PRIu64 "\n",
			r->cores.n_cores + 1, r->cores.worst_core, r->cores.offset_ticks, r->cores.bound_ticks);
	fprintf(out, "discipline  %s, %s, frequency %+" PRId64 " ppb, TAI - UTC %d s\n",
		r->discipline[0] ? r->discipline : "none known", r->synchronised ? "synchronised" : "not synchronised",
		r->freq_ppb, r->tai_offset_s);
	if (r->utc_known)
		fprintf(out, "UTC         within %" PRIu64 " ns (%" PRIu64 " ns of them the machine's clock; estimated %" PRIu64
			" ns)\n", r->utc_bound_ns, r->kernel_error_max_ns, r->kernel_error_est_ns);
	else
		fprintf(out, "UTC         not known\n");
	if (*gn_clock_report_trouble(r))
		fprintf(out, "trouble     %s\n", gn_clock_report_trouble(r));
}

void gn_clock_report_json(const struct gn_clock_report *r, FILE *out)
{
	const struct gn_clock_status *s = &r->clock;
	json_t *all = json_pack("{s:s, s:s, s:s, s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "counter", r->counter,
		"kernel_source", r->kernel_source, "discipline", r->discipline, "ticks_per_s", (json_int_t)s->ticks_per_s,
		"invariant", s->invariant, "synchronised", r->synchronised, "offset_ns", (json_int_t)s->offset_ns, "bound_ns",
		(json_int_t)s->bound_ns, "bound_ns_max", (json_int_t)s->bound_ns_max, "updates", (json_int_t)s->n_updates,
		"steps", (json_int_t)s->n_steps, "step_ns", (json_int_t)s->step_ns, "backwards", (json_int_t)s->n_backwards);

	json_object_set_new(all, "tai_offset_s", json_integer(r->tai_offset_s));
	json_object_set_new(all, "freq_ppb", json_integer(r->freq_ppb));
	json_object_set_new(all, "utc_bound_ns", r->utc_known ? json_integer((json_int_t)r->utc_bound_ns) : json_null());
	json_object_set_new(all, "cores_compared", json_integer(r->cores.n_cores ? r->cores.n_cores + 1 : 0));
	json_object_set_new(all, "cores_offset_ticks", json_integer(r->cores.offset_ticks));
	json_object_set_new(all, "cores_bound_ticks", json_integer((json_int_t)r->cores.bound_ticks));
	json_object_set_new(all, "trouble", json_string(gn_clock_report_trouble(r)));
	json_dumpf(all, out, JSON_COMPACT | JSON_PRESERVE_ORDER);
	fputc('\n', out);
	json_decref(all);
}
