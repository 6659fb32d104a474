/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel writes about itself, as anything at all: core lists and masks, and every file that the rows read. */
#include <ftw.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pinning/clock_report.h"
#include "pinning/host_check.h"
#include "pinning/placement.h"
#include "pinning/sys_file.h"
#include "pinning/thread_usage.h"
#include "tests/fuzz/fuzz.h"

#define MARKERS(X)                                                                                        \
	X(LIST) X(LIST_BAD) X(LIST_EMPTY) X(MASK) X(MASK_BAD) X(CHOSEN) X(TREE) X(CORES) X(NODES) X(ISOLATED) \
	X(ROW_OK) X(ROW_UNKNOWN) X(ROW_WARN) X(ROW_BAD) X(PLANNED) X(PLACED) X(REFUSED) X(USAGE)
FUZZ_DECLARE_MARKERS(MARKERS);

#define CPU "/sys/devices/system/cpu"
#define NODE "/sys/devices/system/node"
#define PCI "/sys/bus/pci/devices/0000:01:00.0"

/* An input holds their contents in this order, each but the last ended by a byte of zero. */
static const char *const files[] = {CPU "/online", CPU "/present", CPU "/isolated", CPU "/nohz_full", "/proc/cmdline",
	"/proc/cpuinfo", "/proc/self/status", "/proc/self/cgroup", NODE "/online", NODE "/node0/cpulist", NODE "/node0/distance",
	NODE "/node0/meminfo", NODE "/node0/hugepages/hugepages-2048kB/nr_hugepages", CPU "/cpu0/topology/thread_siblings_list",
	CPU "/cpu0/cache/index0/level", CPU "/cpu0/cache/index0/shared_cpu_list", CPU "/cpu1/cpufreq/scaling_governor",
	CPU "/cpu1/cpuidle/state0/latency", CPU "/vulnerabilities/x", "/proc/irq/7/smp_affinity_list",
	"/proc/irq/default_smp_affinity", "/proc/swaps", "/proc/self/limits", "/proc/9/comm", "/proc/sys/vm/swappiness",
	"/sys/kernel/mm/transparent_hugepage/enabled", PCI "/class", PCI "/numa_node", PCI "/current_link_speed",
	PCI "/max_link_speed", "/proc/self/task/5/stat", "/proc/self/task/5/status", "/proc/self/task/5/schedstat"};
#define FILES (sizeof(files) / sizeof(files[0]))

static char root[64];
static struct gn_topology topology;

static int tree_remove(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static void root_remove(void)
{
	nftw(root, tree_remove, 16, FTW_DEPTH | FTW_PHYS);
}

static void root_make(void)
{
	if (root[0])
		return;
	strcpy(root, access("/dev/shm", W_OK) == 0 ? "/dev/shm/gannet-fuzz-XXXXXX" : "/tmp/gannet-fuzz-XXXXXX");
	FUZZ_CHECK(mkdtemp(root) != NULL);
	atexit(root_remove);
	for (size_t i = 0; i < FILES; i++) {
		char path[256];
		snprintf(path, sizeof(path), "%s%s", root, files[i]);
		for (char *slash = strchr(path + strlen(root) + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
			*slash = '\0';
			mkdir(path, 0755);
			*slash = '/';
		}
	}
}

static void file_write(const char *file, const uint8_t *data, size_t bytes)
{
	char path[256];

	snprintf(path, sizeof(path), "%s%s", root, file);
	FILE *f = fopen(path, "w");
	FUZZ_CHECK(f != NULL);
	fwrite(data, 1, bytes, f);
	fclose(f);
}

static void tree_write(const uint8_t *data, size_t bytes)
{
	for (size_t i = 0; i < FILES; i++) {
		size_t n = 0;
		while (n < bytes && (data[n] || i == FILES - 1))
			n++;
		file_write(files[i], data, n);
		n += n < bytes;
		data += n;
		bytes -= n;
	}
}

static void check_list(const char *text)
{
	cpu_set_t set, again;

	if (gn_cpus_from_list(text, &set) < 0) {
		FUZZ_REACH(LIST_BAD);
		FUZZ_CHECK(CPU_COUNT(&set) == 0);
		return;
	}
	marker_hits[CPU_COUNT(&set) ? MARK_LIST : MARK_LIST_EMPTY]++;
	struct gn_cpus_text words = gn_cpus_text(&set);
	if (strstr(words.c, "...") || CPU_COUNT(&set) == 0)
		return;
	FUZZ_CHECK(gn_cpus_from_list(words.c, &again) == 0 && CPU_EQUAL(&set, &again));
}

static void check_mask(const char *text)
{
	cpu_set_t set, again;

	if (gn_cpus_from_mask(text, &set) < 0) {
		FUZZ_REACH(MASK_BAD);
		return;
	}
	FUZZ_REACH(MASK);
	FUZZ_CHECK(gn_cpus_from_mask(gn_cpus_mask_text(&set).c, &again) == 0 && CPU_EQUAL(&set, &again));
}

static void check_chosen(char *text)
{
	size_t before = strlen(text);

	gn_sys_chosen(text);
	FUZZ_CHECK(strlen(text) <= before);
	if (strlen(text) < before)
		FUZZ_REACH(CHOSEN);
}

static void check_topology(void)
{
	gn_topology_read(&topology, root);
	if (CPU_COUNT(&topology.online))
		FUZZ_REACH(CORES);
	if (CPU_COUNT(&topology.isolated))
		FUZZ_REACH(ISOLATED);
	if (topology.n_nodes)
		FUZZ_REACH(NODES);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		const struct gn_cpu *c = &topology.cpu[i];
		FUZZ_CHECK(c->smt >= 0 && c->smt < CPU_SETSIZE && c->node < GN_NODES_MAX && c->l2 < CPU_SETSIZE
			   && c->l3 < CPU_SETSIZE);
	}
	FUZZ_CHECK(topology.n_nodes <= GN_NODES_MAX);
}

static void check_rows(void)
{
	static const int marks[] = {MARK_ROW_OK, MARK_ROW_UNKNOWN, MARK_ROW_WARN, MARK_ROW_BAD};
	struct gn_host_view v;
	struct gn_host_plan plan = {0};

	gn_host_view_init(&v, root, &topology, NULL);
	for (const struct gn_host_row *r = gn_host_rows(); r->name; r++) {
		struct gn_host_finding f;
		gn_host_check(&v, r, &f);
		FUZZ_CHECK((unsigned)f.state <= GN_HOST_BAD && f.found[0]);
		FUZZ_CHECK(f.state < GN_HOST_WARN || f.fix[0]);
		marker_hits[marks[f.state]]++;
		gn_host_plan_row(&v, r, &plan);
	}
	for (size_t i = 0; i < plan.n; i++)
		FUZZ_CHECK(plan.change[i].path[0] == '/' && plan.change[i].row);
	if (plan.n)
		FUZZ_REACH(PLANNED);
	gn_host_plan_free(&plan);
}

static void check_placement(void)
{
	static const struct gn_place_want want[] = {{"rx0", GN_CORE_ANY, -1, true, true}, {"book0", GN_CORE_ANY, 0, true, false},
		{"journal0", GN_CORE_ANY, 1, false, false}};
	const struct gn_place_config config = {.topology = &topology, .nic_node = gn_topology_nic_node(root, "01:00.0"),
		.allow = GN_ALLOW_NON_ISOLATED | GN_ALLOW_SMT};
	int core[3];

	if (gn_place(&config, want, 3, core) < 0) {
		FUZZ_REACH(REFUSED);
		return;
	}
	FUZZ_REACH(PLACED);
	FUZZ_CHECK(core[0] != core[1] && CPU_ISSET((size_t)core[0], &topology.online));
}

static void one(const uint8_t *data, size_t bytes)
{
	char text[FUZZ_SEED_BYTES_MAX + 1];
	struct gn_thread_usage usage;

	if (bytes < 1 || bytes > FUZZ_SEED_BYTES_MAX)
		return;
	memcpy(text, data + 1, bytes - 1);
	text[bytes - 1] = '\0';
	switch (data[0] % 4) {
	case 0: check_list(text); return;
	case 1: check_mask(text); return;
	case 2: check_chosen(text); return;
	default: break;
	}
	FUZZ_REACH(TREE);
	root_make();
	tree_write(data + 1, bytes - 1);
	check_topology();
	check_rows();
	check_placement();
	if (gn_thread_usage_read(root, 5, &usage) == 0)
		FUZZ_REACH(USAGE);
}

static int32_t seed_text(uint8_t *out, uint8_t kind, const char *text)
{
	out[0] = kind;
	memcpy(out + 1, text, strlen(text));
	return (int32_t)strlen(text) + 1;
}

/* What a small machine would tell; the second one is a bad place to trade from. */
static int32_t seed_tree(uint8_t *out, bool bad)
{
	static const char *const good_text[FILES] = {"0-7", "0-7", "2-7", "2-7", "isolcpus=2-7 iommu=pt",
		"model name\t: x\nflags\t\t: fpu constant_tsc nonstop_tsc\n", "Cpus_allowed_list:\t0-7\n", "0::/a/b\n", "0", "0-7",
		"10", "Node 0 MemTotal: 99 kB\n", "512", "0-1", "2", "0-1", "performance", "2", "Not affected", "0-1", "3",
		"Filename Type\n", "Max locked memory unlimited unlimited bytes\n", "chronyd", "1", "always [madvise] never",
		"0x020000", "0", "16.0 GT/s", "16.0 GT/s", "5 (x) R 1 2 3 4 5 6 7 8 9 10 11",
		"voluntary_ctxt_switches:\t1\nnonvoluntary_ctxt_switches:\t2\n", "1 2 3"};
	static const char *const bad_text[FILES] = {"0-3", "0-3", "", "", "quiet", "flags\t: fpu\n", "Cpus_allowed_list:\t0\n", "",
		"0-1", "0-3", "10 20", "", "0", "0,2", "3", "0-3", "powersave", "200", "Mitigation: PTI", "0-3", "ff",
		"Filename Type\n/dev/sda3 partition\n", "Max locked memory 65536 65536 bytes\n", "irqbalance", "60",
		"[always] madvise never", "0x020000", "9", "8.0 GT/s", "16.0 GT/s", "5 (x", "", ""};
	int32_t n = 1;

	out[0] = 3;
	for (size_t i = 0; i < FILES; i++) {
		const char *text = bad ? bad_text[i] : good_text[i];
		memcpy(out + n, text, strlen(text) + 1);
		n += (int32_t)strlen(text) + (i + 1 < FILES);
	}
	return n;
}

static int32_t seed(uint32_t n, uint8_t *out)
{
	switch (n) {
	case 0: return seed_text(out, 0, "0-3,8,16-30:2\n");
	case 1: return seed_text(out, 0, "(null)\n");
	case 2: return seed_text(out, 0, "7-3");
	case 3: return seed_text(out, 1, "ff,00000003\n");
	case 4: return seed_text(out, 1, "80000000,g");
	case 5: return seed_text(out, 2, "always [madvise] never");
	case 6:
	case 7: return seed_tree(out, n == 7);
	default: return -1;
	}
}

const struct fuzz_target fuzz_target_sys = {"sys", marker_names, marker_hits, one, seed};
