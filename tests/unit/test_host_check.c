/* SPDX-License-Identifier: BSD-3-Clause */
#include <jansson.h>

#include "fake_sys.h"

#include "dataplane/runtime/err.h"
#include "pinning/host_apply.h"
#include "pinning/host_check.h"
#include "pinning/host_report.h"
#include "pinning/sys_file.h"

#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"
#define NIC "/sys/bus/pci/devices/0000:17:00.0"
#define GONE NULL /* instead of a value: the file is taken away */

static struct gn_topology t;
static struct gn_host_view v;
static struct fake_sys sys;

static void look(void)
{
	gn_topology_read(&t, sys.root);
	gn_host_view_init(&v, sys.root, &t, NULL);
}

static void given_machine(const char *name)
{
	sys = fake_machine(name);
	look();
}

static void clean_up(void)
{
	if (sys.root[0])
		fake_free(&sys);
}

static struct gn_host_finding check(const char *row)
{
	struct gn_host_finding f;

	cr_assert_not_null(gn_host_row(row), "no row %s", row);
	gn_host_check(&v, gn_host_row(row), &f);
	return f;
}

static void expect(const char *row, enum gn_host_state state)
{
	struct gn_host_finding f = check(row);

	cr_assert_eq(f.state, state, "%s: %s (%s), expected %s", row, gn_host_state_word(f.state), f.found,
		gn_host_state_word(state));
	cr_assert_neq(f.found[0], '\0', "%s says nothing", row);
	if (state >= GN_HOST_WARN)
		cr_assert_neq(f.fix[0], '\0', "%s names no fix", row);
}

TestSuite(host_check, .fini = clean_up, .timeout = 60);

Test(host_check, a_tuned_machine_is_ok_in_every_row)
{
	given_machine("xeon2");
	for (const struct gn_host_row *r = gn_host_rows(); r->name; r++)
		expect(r->name, GN_HOST_OK);
}

Test(host_check, an_empty_machine_is_unknown_in_every_row)
{
	sys = fake_empty();
	look();
	for (const struct gn_host_row *r = gn_host_rows(); r->name; r++)
		expect(r->name, GN_HOST_UNKNOWN);
}

Test(host_check, rows_have_names_of_their_own_and_say_what_they_cost)
{
	for (const struct gn_host_row *r = gn_host_rows(); r->name; r++) {
		cr_assert_eq(gn_host_row(r->name), r, "%s is there twice", r->name);
		cr_assert(r->costs && r->costs[0], "%s", r->name);
		cr_assert_not_null(r->check ? (const void *)r : r->file, "%s checks nothing", r->name);
	}
	cr_assert_null(gn_host_row("no such row"));
}

/* One thing made wrong on the tuned machine, and what its row makes of it. */
static const struct {
	const char *row, *path, *value;
	enum gn_host_state state;
} faults[] = {
	{"isolation", CPU "/isolated", "2-7,10-14", GN_HOST_OK}, /* fewer cores poll, all are isolated */
	{"nohz_full", CPU "/nohz_full", "2-7", GN_HOST_BAD},
	{"rcu_nocbs", "/proc/cmdline", "quiet", GN_HOST_OK}, /* nohz_full implies it */
	{"irq_affinity", "/proc/irq/25/smp_affinity_list", "0-63", GN_HOST_BAD},
	{"irq_affinity", "/proc/irq/25/smp_affinity_list", "15", GN_HOST_BAD},
	{"irq_affinity", "/proc/irq/25/smp_affinity_list", "garbage", GN_HOST_OK}, /* that one is left out */
	{"irq_affinity", "/proc/irq/25/effective_affinity_list", "15", GN_HOST_BAD},
	{"irq_default", "/proc/irq/default_smp_affinity", "ffffffff,ffffffff", GN_HOST_WARN},
	{"irq_default", "/proc/irq/default_smp_affinity", "zz", GN_HOST_UNKNOWN},
	{"irqbalance", "/proc/900/comm", "irqbalance", GN_HOST_WARN},
	{"smt", CPU "/online", "0-31", GN_HOST_OK}, /* no sibling is told: see the chiplets below */
	{"workqueue", "/sys/devices/virtual/workqueue/cpumask", "ffffffff", GN_HOST_WARN},
	{"writeback", "/sys/devices/virtual/workqueue/writeback/cpumask", "00000004", GN_HOST_WARN},
	{"writeback", "/sys/devices/virtual/workqueue/writeback/cpumask", GONE, GN_HOST_UNKNOWN},
	{"time_sync", "/proc/800/comm", "bash", GN_HOST_WARN},
	{"governor", CPU "/cpu7/cpufreq/scaling_governor", "powersave", GN_HOST_BAD},
	{"governor", CPU "/cpu0/cpufreq/scaling_governor", "powersave", GN_HOST_OK}, /* nobody polls there */
	{"turbo", CPU "/intel_pstate/no_turbo", "0", GN_HOST_WARN},
	{"turbo", CPU "/intel_pstate/no_turbo", GONE, GN_HOST_UNKNOWN},
	{"cstates", CPU "/cpu11/cpuidle/state1/latency", "133", GN_HOST_WARN},
	{"pcie_aspm", "/sys/module/pcie_aspm/parameters/policy", "[default] performance powersave", GN_HOST_WARN},
	{"hugepages_2m", NODE "/node1/hugepages/hugepages-2048kB/nr_hugepages", "0", GN_HOST_BAD},
	{"hugepages_2m", NODE "/node1/hugepages/hugepages-2048kB/free_hugepages", "0", GN_HOST_WARN},
	{"hugepages_1g", NODE "/node0/hugepages/hugepages-1048576kB/nr_hugepages", "0", GN_HOST_WARN},
	{"thp", "/sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never", GN_HOST_WARN},
	{"thp", "/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]", GN_HOST_OK},
	{"thp_defrag", "/sys/kernel/mm/transparent_hugepage/defrag", "[always] defer defer+madvise madvise never",
		GN_HOST_WARN},
	{"swap", "/proc/swaps", "Filename Type\n/dev/sda3 partition 1 0 -2", GN_HOST_WARN},
	{"swappiness", "/proc/sys/vm/swappiness", "60", GN_HOST_WARN},
	{"numa_balancing", "/proc/sys/kernel/numa_balancing", "1", GN_HOST_BAD},
	{"ksm", "/sys/kernel/mm/ksm/run", "1", GN_HOST_WARN},
	{"compaction", "/proc/sys/vm/compaction_proactiveness", "20", GN_HOST_WARN},
	{"zone_reclaim", "/proc/sys/vm/zone_reclaim_mode", "1", GN_HOST_WARN},
	{"stat_interval", "/proc/sys/vm/stat_interval", "1", GN_HOST_WARN},
	{"memlock", "/proc/self/limits", "Max locked memory         8388608   8388608   bytes", GN_HOST_WARN},
	{"memlock", "/proc/self/limits", "Max locked memory         99999999999 99999999999 bytes", GN_HOST_OK},
	{"rt_throttling", "/proc/sys/kernel/sched_rt_runtime_us", "950000", GN_HOST_WARN},
	{"watchdog", "/proc/sys/kernel/watchdog", "1", GN_HOST_WARN},
	{"nmi_watchdog", "/proc/sys/kernel/nmi_watchdog", "1", GN_HOST_WARN},
	{"timer_migration", "/proc/sys/kernel/timer_migration", "0", GN_HOST_WARN},
	{"mitigations", CPU "/vulnerabilities/meltdown", "Mitigation: PTI", GN_HOST_WARN},
	{"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet", GN_HOST_BAD},
	{"clocksource", "/sys/devices/system/clocksource/clocksource0/current_clocksource", "kvm-clock", GN_HOST_WARN},
	{"tsc", "/proc/cpuinfo", "flags\t: fpu tsc constant_tscx nonstop_tsc", GN_HOST_BAD},
	{"nic_driver", NIC "/class", "0x010802", GN_HOST_OK}, /* the other adapter is bound to vfio-pci */
	{"nic_node", NIC "/numa_node", "9", GN_HOST_WARN},
	{"nic_pcie", NIC "/current_link_width", "4", GN_HOST_WARN},
	{"nic_link", "/sys/class/net/ens1/operstate", "down", GN_HOST_WARN},
	{"nic_link", "/sys/class/net/ens1/speed", "1000", GN_HOST_WARN},
	{"nic_firmware", NIC "/infiniband/mlx5_0/fw_ver", GONE, GN_HOST_UNKNOWN},
	{"iommu", "/proc/cmdline", "intel_iommu=on", GN_HOST_WARN},
	{"iommu", "/sys/class/iommu/dmar0", GONE, GN_HOST_WARN},
};

Test(host_check, each_fault_shows_in_its_row_and_goes_with_it)
{
	given_machine("xeon2");
	for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++) {
		char before[4096];
		bool was = gn_sys_read_raw(sys.root, faults[i].path, before, sizeof(before)) >= 0;
		if (faults[i].value)
			fake_put(&sys, faults[i].path, faults[i].value);
		else
			fake_drop(&sys, faults[i].path);
		look();
		expect(faults[i].row, faults[i].state);
		if (was)
			fake_put(&sys, faults[i].path, before);
		else if (faults[i].value)
			fake_drop(&sys, faults[i].path);
		else
			fake_put(&sys, "/sys/class/iommu/dmar0/uevent", "");
		look();
		expect(faults[i].row, GN_HOST_OK);
	}
}

Test(host_check, every_row_has_a_fault_that_it_can_find)
{
	given_machine("epyc");
	for (const struct gn_host_row *r = gn_host_rows(); r->name; r++) {
		struct gn_host_finding f = check(r->name);
		bool found = f.state >= GN_HOST_WARN;
		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
			found |= strcmp(faults[i].row, r->name) == 0 && faults[i].state != GN_HOST_OK;
		cr_assert(found || strcmp(r->name, "isolation") == 0, "%s", r->name);
	}
}

/* What each row makes of each machine: o ok, ? unknown, w warn, b bad; a Xeon, an EPYC, a virtual machine, an ARM server. */
static const struct {
	const char *row, *states;
} verdicts[] = {
	{"isolation", "oobo"}, {"nohz_full", "obbb"}, {"rcu_nocbs", "owww"}, {"irq_affinity", "obbo"},
	{"irq_default", "oww?"}, {"irqbalance", "owo?"}, {"smt", "owoo"}, {"workqueue", "ow??"},
	{"writeback", "ow??"}, {"time_sync", "oww?"}, {"governor", "ob?o"}, {"turbo", "ow??"}, {"cstates", "ow??"},
	{"pcie_aspm", "ow??"}, {"hugepages_2m", "ob??"}, {"hugepages_1g", "ow??"}, {"thp", "ow?o"},
	{"thp_defrag", "oo??"}, {"swap", "ow??"}, {"swappiness", "oww?"}, {"numa_balancing", "ob??"}, {"ksm", "ow??"},
	{"compaction", "ow??"}, {"zone_reclaim", "oo??"}, {"stat_interval", "ow??"}, {"memlock", "ow??"},
	{"rt_throttling", "owww"}, {"watchdog", "ow?w"}, {"nmi_watchdog", "ow??"}, {"timer_migration", "ow?o"},
	{"mitigations", "oww?"}, {"clocksource", "obwo"}, {"tsc", "oob?"}, {"nic_driver", "owwo"},
	{"nic_node", "oo?o"}, {"nic_pcie", "ow??"}, {"nic_link", "ow??"}, {"nic_firmware", "o???"}, {"iommu", "owww"}};

Test(host_check, every_row_on_every_machine)
{
	static const char *const machines[] = {"xeon2", "epyc", "vm", "arm"};
	size_t n = sizeof(verdicts) / sizeof(verdicts[0]), n_rows = 0;

	while (gn_host_rows()[n_rows].name)
		n_rows++;
	cr_assert_eq(n, n_rows, "a row without a verdict");
	for (size_t m = 0; m < 4; m++) {
		given_machine(machines[m]);
		for (size_t i = 0; i < n; i++) {
			struct gn_host_finding f = check(verdicts[i].row);
			cr_assert_eq("o?wb"[f.state], verdicts[i].states[m], "%s on %s: %s (%s)", verdicts[i].row, machines[m],
				gn_host_state_word(f.state), f.found);
			cr_assert_eq(f.state >= GN_HOST_WARN, f.fix[0] != '\0', "%s on %s: fix \"%s\"", verdicts[i].row,
				machines[m], f.fix);
		}
		fake_free(&sys);
		sys.root[0] = '\0';
	}
}

/* Bytes at random in files at random, of every machine: rows, plans and placements hold all the same. */
Test(host_check, random_bytes_in_random_files_break_nothing, .timeout = 280)
{
	static const char *const machines[] = {"xeon2", "epyc", "vm", "arm"};
	const char *seed_text = getenv("GANNET_SEED");
	unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 4711u;
	int rounds = getenv("GANNET_LONG") ? 400 : 12;

	srand(seed);
	for (int round = 0; round < rounds; round++) {
		given_machine(machines[round % 4]);
		for (int i = 0; i < 12; i++) {
			size_t at = (size_t)rand() % (sizeof(faults) / sizeof(faults[0]));
			char bytes[64];
			if (!faults[at].value)
				continue; /* what goes may be a folder */
			size_t n = (size_t)rand() % sizeof(bytes);
			for (size_t k = 0; k < n; k++)
				bytes[k] = (char)(rand() % 3 ? "0123456789-,:[] x"[rand() % 17] : 1 + rand() % 255);
			bytes[n] = '\0';
			fake_put(&sys, faults[at].path, bytes);
		}
		look();
		struct gn_host_plan plan = {0};
		for (const struct gn_host_row *r = gn_host_rows(); r->name; r++) {
			struct gn_host_finding f = check(r->name);
			cr_assert((unsigned)f.state <= GN_HOST_BAD && f.found[0], "%s, seed %u", r->name, seed);
			cr_assert(gn_host_plan_row(&v, r, &plan), "%s, seed %u", r->name, seed);
		}
		gn_host_plan_free(&plan);
		fake_free(&sys);
		sys.root[0] = '\0';
	}
}

Test(host_check, a_fix_says_apply_only_where_that_would_do_something)
{
	enum gn_host_state worst;
	size_t n = 0;
	char *text = NULL;

	given_machine("epyc");
	fake_put(&sys, "/sys/devices/system/clocksource/clocksource0/available_clocksource", "hpet acpi_pm");
	fake_drop(&sys, "/sys/fs/cgroup/cgroup.controllers");
	cpu_set_t cores;
	cr_assert_eq(gn_cpus_from_list("20-21", &cores), 0);
	gn_host_view_init(&v, sys.root, &t, &cores);
	FILE *out = open_memstream(&text, &n);
	worst = gn_host_print_json(&v, out);
	fclose(out);
	cr_assert_eq(worst, GN_HOST_BAD);
	json_t *all = json_loads(text, 0, NULL), *row;
	size_t i;
	json_array_foreach (json_object_get(all, "rows"), i, row) {
		const char *name = json_string_value(json_object_get(row, "row"));
		bool apply = json_is_true(json_object_get(row, "apply"));
		if (strcmp(name, "clocksource") == 0 || strcmp(name, "isolation") == 0)
			cr_assert_not(apply, "%s", name);
		if (strcmp(name, "ksm") == 0 || strcmp(name, "governor") == 0)
			cr_assert(apply, "%s", name);
	}
	json_decref(all);
	free(text);
}

Test(host_check, an_interrupt_that_the_kernel_keeps_away_is_no_fault)
{
	given_machine("xeon2");
	fake_put(&sys, "/proc/irq/25/smp_affinity_list", "0-15");
	fake_put(&sys, "/proc/irq/25/effective_affinity_list", "1");
	look();
	expect("irq_affinity", GN_HOST_OK);
	fake_put(&sys, "/proc/irq/25/effective_affinity_list", "");
	look();
	expect("irq_affinity", GN_HOST_BAD);
}

Test(host_check, an_interrupt_without_a_handler_never_comes)
{
	struct gn_host_plan plan = {0};

	given_machine("xeon2");
	fake_put(&sys, "/proc/irq/2/smp_affinity_list", "0-15");
	look();
	expect("irq_affinity", GN_HOST_BAD);
	fake_put(&sys, "/sys/kernel/irq/2/actions", "");
	look();
	expect("irq_affinity", GN_HOST_OK);
	cr_assert(gn_host_plan_row(&v, gn_host_row("irq_affinity"), &plan));
	cr_assert_eq(plan.n, 0);
	fake_put(&sys, "/sys/kernel/irq/2/actions", "eth0-rx-1");
	look();
	expect("irq_affinity", GN_HOST_BAD);
	gn_host_plan_free(&plan);
}

Test(host_check, a_machine_as_installed_is_bad_where_it_hurts)
{
	given_machine("epyc");
	cr_assert_str_eq(gn_cpus_text(&v.cores).c, "4-11,36-43");
	expect("isolation", GN_HOST_OK);
	expect("nohz_full", GN_HOST_BAD);
	expect("rcu_nocbs", GN_HOST_WARN);
	expect("smt", GN_HOST_WARN);
	expect("governor", GN_HOST_BAD);
	expect("cstates", GN_HOST_WARN);
	expect("nic_driver", GN_HOST_WARN);
	expect("nic_pcie", GN_HOST_WARN);
	fake_put(&sys, CPU "/isolated", "4-11");
	look();
	expect("smt", GN_HOST_BAD);
}

Test(host_check, cores_may_be_named)
{
	cpu_set_t cores;

	given_machine("epyc");
	cr_assert_eq(gn_cpus_from_list("20-21", &cores), 0);
	gn_host_view_init(&v, sys.root, &t, &cores);
	expect("isolation", GN_HOST_BAD);
	cr_assert_not_null(
		strstr(check("isolation").fix, "isolcpus=domain,managed_irq,20-21"), "%s", check("isolation").fix);
	expect("smt", GN_HOST_BAD);
}

Test(host_check, a_small_virtual_machine_tells_what_it_can)
{
	given_machine("vm");
	cr_assert_str_eq(gn_cpus_text(&v.cores).c, "1-3", "nothing is isolated: all but the lowest");
	expect("isolation", GN_HOST_BAD);
	expect("clocksource", GN_HOST_WARN);
	expect("tsc", GN_HOST_BAD);
	expect("governor", GN_HOST_UNKNOWN);
	expect("hugepages_2m", GN_HOST_UNKNOWN);
	expect("nic_node", GN_HOST_UNKNOWN);
}

Test(host_check, garbage_in_every_file_breaks_nothing)
{
	static const char *const garbage[] = {
		"", "\xff\xfe\x01", "-1", "99999999999999999999999999", "[", "]", "[[", "] [", "0-99999", "zz,zz"};

	given_machine("xeon2");
	for (size_t g = 0; g < sizeof(garbage) / sizeof(garbage[0]); g++) {
		for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
			if (faults[i].value)
				fake_put(&sys, faults[i].path, garbage[g]);
		look();
		for (const struct gn_host_row *r = gn_host_rows(); r->name; r++) {
			struct gn_host_finding f = check(r->name);
			cr_assert((unsigned)f.state <= GN_HOST_BAD);
		}
	}
}

static char *printed(enum gn_host_state (*print)(const struct gn_host_view *v, FILE *out), enum gn_host_state *worst)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);

	*worst = print(&v, f);
	fclose(f);
	return text;
}

Test(host_check, json_holds_every_row)
{
	enum gn_host_state worst;
	json_error_t error;
	size_t n = 0;

	given_machine("epyc");
	char *text = printed(gn_host_print_json, &worst);
	json_t *all = json_loads(text, 0, &error);
	cr_assert_not_null(all, "%s", error.text);
	while (gn_host_rows()[n].name)
		n++;
	cr_assert_eq(json_array_size(json_object_get(all, "rows")), n);
	cr_assert_str_eq(json_string_value(json_object_get(all, "state")), "bad");
	cr_assert_eq(worst, GN_HOST_BAD);
	json_decref(all);
	free(text);
}

Test(host_check, text_puts_the_worst_first)
{
	enum gn_host_state worst;

	given_machine("epyc");
	char *text = printed(gn_host_print_text, &worst);
	char *bad = strstr(text, "\nbad "), *ok = strstr(text, "\nok ");
	cr_assert(bad && ok && bad < ok, "%s", text);
	free(text);
	fake_free(&sys);
	given_machine("xeon2");
	text = printed(gn_host_print_text, &worst);
	cr_assert_eq(worst, GN_HOST_OK);
	cr_assert_not_null(strstr(text, "\n0 bad, 0 warn, "), "%s", text);
	free(text);
}

Test(host_check, boot_line_and_profile_name_the_cores)
{
	char *text = NULL;
	size_t n = 0;

	given_machine("epyc");
	FILE *f = open_memstream(&text, &n);
	gn_host_print_boot(&v, f);
	fflush(f);
	cr_assert_not_null(strstr(text, "isolcpus=domain,managed_irq,4-11,36-43 nohz_full=4-11,36-43"), "%s", text);
	cr_assert_not_null(strstr(text, "amd_iommu=on"), "%s", text);
	gn_host_print_tuned(&v, f);
	fclose(f);
	cr_assert_not_null(strstr(text, "\nkernel.numa_balancing=0\n"), "%s", text);
	cr_assert_not_null(strstr(text, "\n/sys/kernel/mm/ksm/run=0\n"), "%s", text);
	cr_assert_not_null(strstr(text, "\n[bootloader]\ncmdline=isolcpus="), "%s", text);
	free(text);
}

static FILE *folder_out;

static int folder_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	char bytes[4096];

	(void)ftw;
	fprintf(folder_out, "%s %o\n", path, (unsigned)st->st_mode);
	if (kind == FTW_F && gn_sys_read_raw("", path, bytes, sizeof(bytes)) >= 0)
		fputs(bytes, folder_out);
	return 0;
}

/* Everything below a folder in one text: names, modes and bytes. */
static char *folder_text(const char *root)
{
	char *text = NULL;
	size_t n = 0;

	folder_out = open_memstream(&text, &n);
	cr_assert_eq(nftw(root, folder_one, 16, FTW_PHYS), 0);
	fclose(folder_out);
	return text;
}

static struct gn_host_apply apply_to(const char *state)
{
	return (struct gn_host_apply){.root = sys.root, .state = state};
}

/* What the kernel would show as a list with one word in brackets is one word after a revert: so are these before. */
static void plain_choices(void)
{
	fake_put(&sys, "/sys/kernel/mm/transparent_hugepage/enabled", "always");
	fake_put(&sys, "/sys/kernel/mm/transparent_hugepage/defrag", "always");
	fake_put(&sys, "/sys/module/pcie_aspm/parameters/policy", "default");
	fake_put(&sys, "/sys/fs/cgroup/cgroup.subtree_control", "cpuset cpu memory pids");
	fake_put(&sys, "/sys/fs/cgroup/gannet/cpuset.cpus", "");
	fake_put(&sys, "/sys/fs/cgroup/gannet/cpuset.cpus.partition", "member");
}

Test(host_check, apply_makes_the_rows_ok_and_revert_puts_back_every_byte)
{
	struct gn_host_plan plan = {0};
	char state[128];
	cpu_set_t cores;

	given_machine("epyc");
	plain_choices();
	cr_assert_eq(gn_cpus_from_list("20-23", &cores), 0);
	gn_host_view_init(&v, sys.root, &t, &cores);
	char *before = folder_text(sys.root);
	snprintf(state, sizeof(state), "%s-state/deep/host.json", sys.root);
	struct gn_host_apply a = apply_to(state);

	for (const struct gn_host_row *r = gn_host_rows(); r->name; r++)
		cr_assert(gn_host_plan_row(&v, r, &plan));
	cr_assert_gt(plan.n, 20);
	cr_assert_eq(gn_host_apply(&a, &plan), 0, "%s", gn_err_text());
	char *changed = folder_text(sys.root);
	cr_assert_str_neq(before, changed);
	gn_topology_read(&t, sys.root);
	gn_host_view_init(&v, sys.root, &t, &cores);
	static const char *const now_ok[] = {"irq_affinity", "irq_default", "workqueue", "writeback", "governor",
		"turbo", "cstates", "pcie_aspm", "thp", "thp_defrag", "swappiness", "numa_balancing", "ksm",
		"compaction", "stat_interval", "rt_throttling", "watchdog", "nmi_watchdog", "timer_migration",
		"clocksource"};
	for (size_t i = 0; i < sizeof(now_ok) / sizeof(now_ok[0]); i++)
		expect(now_ok[i], GN_HOST_OK);

	gn_host_plan_free(&plan);
	for (size_t i = 0; i < sizeof(now_ok) / sizeof(now_ok[0]); i++)
		gn_host_plan_row(&v, gn_host_row(now_ok[i]), &plan);
	cr_assert_eq(plan.n, 0, "a second time there is nothing to do");

	cr_assert_eq(gn_host_revert(&a), 0, "%s", gn_err_text());
	char *after = folder_text(sys.root);
	cr_assert_str_eq(before, after);
	cr_assert_neq(access(state, F_OK), 0, "nothing is left to remember");
	cr_assert_eq(gn_host_revert(&a), 0, "again is harmless");
	free(before), free(changed), free(after);
	gn_host_plan_free(&plan);
	fake_drop(&sys, "-state");
}

Test(host_check, two_plans_are_undone_back_to_the_first_state)
{
	struct gn_host_plan plan = {0};
	char state[128], text[64];

	given_machine("epyc");
	snprintf(state, sizeof(state), "%s.json", sys.root);
	struct gn_host_apply a = apply_to(state);
	for (int round = 0; round < 2; round++) {
		gn_host_plan_free(&plan);
		gn_host_plan_row(&v, gn_host_row("ksm"), &plan);
		cr_assert_eq(plan.n, 1);
		cr_assert_eq(gn_host_apply(&a, &plan), 0);
		fake_put(&sys, "/sys/kernel/mm/ksm/run", "3"); /* someone else changes it in between */
	}
	cr_assert_eq(gn_host_revert(&a), 0);
	gn_sys_read(sys.root, "/sys/kernel/mm/ksm/run", text, sizeof(text));
	cr_assert_str_eq(text, "1");
	gn_host_plan_free(&plan);
}

static void keep_line(void *arg, const char *text)
{
	snprintf((char *)arg, 2048, "%s", text);
}

Test(host_check, a_step_that_fails_is_told_and_not_remembered)
{
	struct gn_host_change change = {.row = "ksm", .path = "/sys/kernel/mm/ksm/nowhere", .value = "0"};
	struct gn_host_plan plan = {.change = &change, .n = 1, .max = 1};
	char state[128], line[2048] = "";

	given_machine("epyc");
	snprintf(state, sizeof(state), "%s.json", sys.root);
	struct gn_host_apply a = {.root = sys.root, .state = state, .line = keep_line, .line_arg = line};
	cr_assert_eq(gn_host_apply(&a, &plan), 1);
	cr_assert_not_null(strstr(line, "ksm: left out: read /sys/kernel/mm/ksm/nowhere: No such file"), "%s", line);
	cr_assert_neq(access(state, F_OK), 0);
}

Test(host_check, nothing_is_changed_when_it_cannot_be_remembered)
{
	struct gn_host_plan plan = {0};
	char text[64];

	given_machine("epyc");
	gn_host_plan_row(&v, gn_host_row("ksm"), &plan);
	struct gn_host_apply a = apply_to("/dev/null/nowhere/host.json");
	cr_assert_lt(gn_host_apply(&a, &plan), 0);
	gn_sys_read(sys.root, "/sys/kernel/mm/ksm/run", text, sizeof(text));
	cr_assert_str_eq(text, "1");
	gn_host_plan_free(&plan);
}

Test(host_check, a_damaged_memory_is_refused_and_paths_outside_are_left_alone)
{
	char state[128], victim[128], line[2048] = "", text[512];

	given_machine("epyc");
	snprintf(state, sizeof(state), "%s.json", sys.root);
	struct gn_host_apply a = {.root = "", .state = state, .line = keep_line, .line_arg = line};
	FILE *f = fopen(state, "w");
	fputs("[{\"row\": \"x\"", f);
	fclose(f);
	cr_assert_lt(gn_host_revert(&a), 0);
	cr_assert_not_null(strstr(gn_err_text(), state), "%s", gn_err_text());

	snprintf(victim, sizeof(victim), "%s/victim", sys.root);
	fake_put(&sys, "/victim", "whole");
	f = fopen(state, "w");
	fprintf(f,
		"[{\"row\": \"x\", \"path\": \"%s\", \"before\": \"gone\"}, {\"path\": \"/sys/../%s\", \"before\": "
	        "\"gone\"}, 7, {}]",
		victim, victim);
	fclose(f);
	cr_assert_eq(gn_host_revert(&a), 4);
	gn_sys_read("", victim, text, sizeof(text));
	cr_assert_str_eq(text, "whole");
	unlink(state);
}

Test(host_check, the_real_machine_can_be_checked)
{
	enum gn_host_state worst;

	gn_topology_read(&t, "");
	gn_host_view_init(&v, "", &t, NULL);
	char *text = printed(gn_host_print_text, &worst);
	cr_assert_not_null(strstr(text, " ok, "), "%s", text);
	free(text);
}

/* Settings that most machines let root change and that disturb nobody for a moment. */
Test(host_check, the_real_machine_is_as_before_after_apply_and_revert)
{
	static const char *const rows[] = {
		"stat_interval", "swappiness", "ksm", "timer_migration", "numa_balancing", "compaction"};
	struct gn_host_plan plan = {0};
	char state[] = "/tmp/gannet-host-XXXXXX", before[6][128], after[6][128];

	if (geteuid() != 0)
		cr_skip("needs root");
	close(mkstemp(state));
	unlink(state);
	gn_topology_read(&t, "");
	gn_host_view_init(&v, "", &t, NULL);
	struct gn_host_apply a = {.root = "", .state = state};
	for (size_t i = 0; i < 6; i++)
		gn_host_plan_row(&v, gn_host_row(rows[i]), &plan);
	if (plan.n == 0)
		cr_skip("there is nothing to change here");
	size_t n = plan.n < 6 ? plan.n : 6;
	for (size_t i = 0; i < n; i++)
		gn_sys_read_raw("", plan.change[i].path, before[i], sizeof(before[i]));
	int failed = gn_host_apply(&a, &plan);
	cr_assert_eq(gn_host_revert(&a), 0, "%s", gn_err_text());
	for (size_t i = 0; i < n; i++) {
		gn_sys_read_raw("", plan.change[i].path, after[i], sizeof(after[i]));
		cr_assert_str_eq(after[i], before[i], "%s", plan.change[i].path);
	}
	gn_host_plan_free(&plan);
	if (failed)
		cr_skip("%d of the steps are not permitted here", failed);
}
