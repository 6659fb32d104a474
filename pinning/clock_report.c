/* SPDX-License-Identifier: BSD-3-Clause */
#include "clock_report.h"

#include <inttypes.h>
#include <stdio.h>
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
