/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows: whether memory is where it should be, and stays there. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host_check.h"
#include "sys_file.h"

#define POOL_2M_PAGES 512 /* a node: 1 GiB, room for the rings, pools and books of a venue */
#define MEMLOCK_BYTES_MIN (INT64_C(1) << 30)
#define STAT_INTERVAL_S 10

/* Nodes that have polling cores, or every node where the machine does not tell. */
static bool node_concerned(const struct gn_host_view *v, int node)
{
	cpu_set_t both;

	CPU_AND(&both, &v->topology->node[node].cpus, &v->cores);
	return v->topology->node[node].present && CPU_COUNT(&both) > 0;
}

static void pool_check(const struct gn_host_view *v, struct gn_host_finding *f, bool giant)
{
	const struct gn_topology *t = v->topology;
	int64_t least = INT64_MAX, least_free = INT64_MAX;
	char text[GN_HOST_FOUND_BYTES] = "";
	size_t n = 0;

	for (int node = 0; node < t->n_nodes; node++) {
		int64_t pages = giant ? t->node[node].huge_1g : t->node[node].huge_2m;
		int64_t pages_free = giant ? t->node[node].huge_1g_free : t->node[node].huge_2m_free;
		if (!node_concerned(v, node) || pages < 0)
			continue;
		least = pages < least ? pages : least;
		least_free = pages_free < least_free ? pages_free : least_free;
		if (n + 64 < sizeof(text))
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%snode %d: %lld, %lld free", n ? "; " : "",
				node, (long long)pages, (long long)pages_free);
	}
	if (n == 0)
		gn_host_found(f, GN_HOST_UNKNOWN, "no pool is told");
	else if (least > 0)
		gn_host_found(f, least_free > 0 ? GN_HOST_OK : GN_HOST_WARN, "%s", text);
	else
		gn_host_found(f, giant ? GN_HOST_WARN : GN_HOST_BAD, "%s", text);
}

static void huge_2m_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	pool_check(v, f, false);
	if (f->state > GN_HOST_UNKNOWN)
		gn_host_fix(f,
			"hugeadm --pool-pages-min 2MB:%d, or dpdk-hugepages.py --setup 1G; for good: boot with "
		        "hugepages=%d",
			POOL_2M_PAGES, POOL_2M_PAGES);
}

static void huge_2m_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	char pages[24];

	for (int node = 0; node < v->topology->n_nodes; node++) {
		const struct gn_node *n = &v->topology->node[node];
		if (!node_concerned(v, node) || n->huge_2m < 0 || n->huge_2m_free > 0)
			continue;
		snprintf(pages, sizeof(pages), "%lld", (long long)n->huge_2m + POOL_2M_PAGES);
		gn_host_plan_write(
			v, p, pages, "/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/nr_hugepages", node);
	}
}

static void huge_1g_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	pool_check(v, f, true);
	if (f->state > GN_HOST_UNKNOWN)
		gn_host_fix(f, "boot with hugepagesz=1G hugepages=4 (memory that is in use can hardly be joined to "
		               "such pages later)");
}

static void swap_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	char text[GN_SYS_TEXT_BYTES];

	if (gn_sys_read(v->root, "/proc/swaps", text, sizeof(text)) < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "cannot read /proc/swaps");
		return;
	}
	const char *first = strchr(text, '\n');
	if (!first || !first[1]) {
		gn_host_found(f, GN_HOST_OK, "none");
		return;
	}
	gn_host_found(f, GN_HOST_WARN, "in use: %.*s", (int)strcspn(first + 1, " \t\n"), first + 1);
	gn_host_fix(f, "swapoff -a, and take it out of /etc/fstab");
}

static void stat_interval_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	int64_t s;

	if (gn_sys_read_i64(v->root, "/proc/sys/vm/stat_interval", &s) < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "cannot read /proc/sys/vm/stat_interval");
		return;
	}
	gn_host_found(f, s >= STAT_INTERVAL_S ? GN_HOST_OK : GN_HOST_WARN, "every %lld s", (long long)s);
	if (s < STAT_INTERVAL_S)
		gn_host_fix(f, "sysctl vm.stat_interval=60");
}

static void stat_interval_plan(const struct gn_host_view *v, struct gn_host_plan *p)
{
	gn_host_plan_write(v, p, "60", "/proc/sys/vm/stat_interval");
}

static void memlock_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	char text[128];

	if (gn_sys_field(v->root, "/proc/self/limits", "Max locked memory", text, sizeof(text)) < 0) {
		gn_host_found(f, GN_HOST_UNKNOWN, "cannot read /proc/self/limits");
		return;
	}
	text[strcspn(text, " ")] = '\0';
	bool good = strcmp(text, "unlimited") == 0 || strtoll(text, NULL, 10) >= MEMLOCK_BYTES_MIN;
	gn_host_found(
		f, good ? GN_HOST_OK : GN_HOST_WARN, "%s%s", text, strcmp(text, "unlimited") == 0 ? "" : " bytes");
	if (!good)
		gn_host_fix(f, "ulimit -l unlimited (LimitMEMLOCK=infinity in the unit, memlock in "
		               "/etc/security/limits.conf), or CAP_IPC_LOCK");
}

const struct gn_host_row gn_host_rows_memory[] = {
	{.name = "hugepages_2m",
		.costs = "each access to a cold page also walks the page table: DRAM at half speed",
		.check = huge_2m_check,
		.plan = huge_2m_plan},
	{.name = "hugepages_1g",
		.costs = "large pools need more entries of the TLB than there are",
		.check = huge_1g_check},
	{.name = "thp",
		.costs = "the kernel joins and splits pages behind the engine's back: stalls of 100 us and more",
		.file = "/sys/kernel/mm/transparent_hugepage/enabled",
		.want = "madvise",
		.also = "never",
		.worse = GN_HOST_WARN},
	{.name = "thp_defrag",
		.costs = "an allocation may stop to compact memory first",
		.file = "/sys/kernel/mm/transparent_hugepage/defrag",
		.want = "madvise",
		.also = "never",
		.worse = GN_HOST_WARN},
	{.name = "swap", .costs = "memory that was swapped out comes back in milliseconds", .check = swap_check},
	{.name = "swappiness",
		.costs = "the kernel prefers to swap out what has been quiet for a while",
		.file = "/proc/sys/vm/swappiness",
		.want = "1",
		.also = "0",
		.worse = GN_HOST_WARN},
	{.name = "numa_balancing",
		.costs = "pages are unmapped on purpose, to see who touches them: page faults on the hot path",
		.file = "/proc/sys/kernel/numa_balancing",
		.want = "0",
		.worse = GN_HOST_BAD},
	{.name = "ksm",
		.costs = "a kernel thread reads and merges memory",
		.file = "/sys/kernel/mm/ksm/run",
		.want = "0",
		.also = "2",
		.worse = GN_HOST_WARN},
	{.name = "compaction",
		.costs = "memory is moved in the background, its pages unmapped meanwhile",
		.file = "/proc/sys/vm/compaction_proactiveness",
		.want = "0",
		.worse = GN_HOST_WARN},
	{.name = "zone_reclaim",
		.costs = "an allocation may stop to free memory of its node",
		.file = "/proc/sys/vm/zone_reclaim_mode",
		.want = "0",
		.worse = GN_HOST_WARN},
	{.name = "stat_interval",
		.costs = "counters of the kernel are gathered on every core, each second",
		.check = stat_interval_check,
		.plan = stat_interval_plan},
	{.name = "memlock",
		.costs = "memory cannot be locked: it may be paged out, and ports may not start",
		.check = memlock_check},
	{.name = NULL},
};
