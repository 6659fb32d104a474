/* SPDX-License-Identifier: BSD-3-Clause */
#include "host_report.h"

#include <jansson.h>
#include <string.h>

/* Whether --apply would do something about a row on this machine. */
static bool row_applies(const struct gn_host_view *v, const struct gn_host_row *row)
{
	struct gn_host_plan plan = {0};

	gn_host_plan_row(v, row, &plan);
	bool applies = plan.n > 0;
	gn_host_plan_free(&plan);
	return applies;
}

static void print_row(
	FILE *out, const struct gn_host_view *v, const struct gn_host_row *row, const struct gn_host_finding *f)
{
	fprintf(out, "%-8s %-16s %s\n", gn_host_state_word(f->state), row->name, f->found);
	if (f->state == GN_HOST_WARN || f->state == GN_HOST_BAD)
		fprintf(out, "%25s costs: %s\n", "", row->costs);
	if (f->fix[0])
		fprintf(out, "%25s fix:   %s%s\n", "", f->fix, row_applies(v, row) ? "  [--apply]" : "");
}

enum gn_host_state gn_host_print_text(const struct gn_host_view *v, FILE *out)
{
	enum gn_host_state worst = GN_HOST_OK;
	int n[GN_HOST_BAD + 1] = {0};
	struct gn_host_finding f;

	fprintf(out, "%s; polling cores: %s; isolated: %s\n",
		v->topology->model[0] ? v->topology->model : "processor not told", gn_cpus_text(&v->cores).c,
		gn_cpus_text(&v->topology->isolated).c);
	for (int state = GN_HOST_BAD; state >= GN_HOST_OK; state--) {
		for (const struct gn_host_row *row = gn_host_rows(); row->name; row++) {
			gn_host_check(v, row, &f);
			if ((int)f.state != state)
				continue;
			worst = f.state > worst ? f.state : worst;
			n[state]++;
			print_row(out, v, row, &f);
		}
	}
	fprintf(out, "%d bad, %d warn, %d ok, %d unknown\n", n[GN_HOST_BAD], n[GN_HOST_WARN], n[GN_HOST_OK],
		n[GN_HOST_UNKNOWN]);
	return worst;
}

enum gn_host_state gn_host_print_json(const struct gn_host_view *v, FILE *out)
{
	enum gn_host_state worst = GN_HOST_OK;
	struct gn_host_finding f;
	json_t *rows = json_array();

	for (const struct gn_host_row *row = gn_host_rows(); row->name; row++) {
		gn_host_check(v, row, &f);
		worst = f.state > worst ? f.state : worst;
		json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "row", row->name, "state",
						    gn_host_state_word(f.state), "found", f.found, "costs", row->costs,
						    "fix", f.fix, "apply", row_applies(v, row)));
	}
	json_t *all = json_pack("{s:s, s:s, s:s, s:s, s:o}", "state", gn_host_state_word(worst), "model",
		v->topology->model, "cores", gn_cpus_text(&v->cores).c, "isolated",
		gn_cpus_text(&v->topology->isolated).c, "rows", rows);
	json_dumpf(all, out, JSON_INDENT(1));
	fputc('\n', out);
	json_decref(all);
	return worst;
}

static bool is_x86(const struct gn_host_view *v)
{
	return strstr(v->topology->model, "Intel") || strstr(v->topology->model, "AMD");
}

void gn_host_print_boot(const struct gn_host_view *v, FILE *out)
{
	struct gn_cpus_text cores = gn_cpus_text(&v->cores), rest = gn_cpus_text(&v->rest);

	fprintf(out, "isolcpus=domain,managed_irq,%s nohz_full=%s rcu_nocbs=%s rcu_nocb_poll", cores.c, cores.c,
		cores.c);
	if (CPU_COUNT(&v->rest) > 0)
		fprintf(out, " irqaffinity=%s", rest.c);
	fprintf(out, " skew_tick=1 nosoftlockup nmi_watchdog=0 transparent_hugepage=madvise hugepages=512 "
	             "hugepagesz=1G hugepages=4");
	if (is_x86(v))
		fprintf(out, " processor.max_cstate=1 iommu=pt %s",
			strstr(v->topology->model, "Intel") ? "intel_idle.max_cstate=0 intel_iommu=on"
							    : "amd_iommu=on");
	fputc('\n', out);
}

/* One line of [sysctl] or [sysfs] for a row that is a file and a value. */
static void tuned_line(FILE *out, const struct gn_host_row *row, bool sysctl)
{
	bool is_sysctl = row->file && strncmp(row->file, "/proc/sys/", 10) == 0;

	if (!row->file || is_sysctl != sysctl)
		return;
	if (!sysctl) {
		fprintf(out, "%s=%s\n", row->file, row->want);
		return;
	}
	for (const char *c = row->file + 10; *c; c++)
		fputc(*c == '/' ? '.' : *c, out);
	fprintf(out, "=%s\n", row->want);
}

void gn_host_print_tuned(const struct gn_host_view *v, FILE *out)
{
	fprintf(out,
		"# /etc/tuned/gannet/tuned.conf, then: tuned-adm profile gannet\n"
		"[main]\nsummary=Polling cores %s for a trading engine\ninclude=network-latency\n\n"
		"[cpu]\ngovernor=performance\nforce_latency=1\n\n[sysctl]\n"
		"kernel.sched_rt_runtime_us=-1\nvm.stat_interval=60\n",
		gn_cpus_text(&v->cores).c);
	for (const struct gn_host_row *row = gn_host_rows(); row->name; row++)
		tuned_line(out, row, true);
	fprintf(out, "\n[sysfs]\n");
	for (const struct gn_host_row *row = gn_host_rows(); row->name; row++)
		tuned_line(out, row, false);
	if (CPU_COUNT(&v->rest) > 0)
		fprintf(out,
			"/sys/devices/virtual/workqueue/cpumask=%s\n/sys/devices/virtual/workqueue/writeback/"
		        "cpumask=%s\n",
			gn_cpus_mask_text(&v->rest).c, gn_cpus_mask_text(&v->rest).c);
	fprintf(out, "\n[irqbalance]\nbanned_cpus=%s\n\n[bootloader]\ncmdline=", gn_cpus_text(&v->cores).c);
	gn_host_print_boot(v, out);
}
