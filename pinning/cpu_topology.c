/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu_topology.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sys_file.h"

#define CPU_DIR "/sys/devices/system/cpu"
#define NODE_DIR "/sys/devices/system/node"
#define CACHES_MAX 8
#define KIB INT64_C(1024)

static bool read_list(const char *root, const char *path, cpu_set_t *set)
{
	char text[GN_SYS_TEXT_BYTES];

	CPU_ZERO(set);
	return gn_sys_read(root, path, text, sizeof(text)) >= 0 && gn_cpus_from_list(text, set) == 0;
}

static int read_int(const char *root, const char *path)
{
	int64_t n;

	return gn_sys_read_i64(root, path, &n) == 0 && n >= 0 && n < INT_MAX ? (int)n : -1;
}

/* Lowest core of the list in a file; -1 when the file is not there. */
static int read_lowest(const char *root, const char *path)
{
	cpu_set_t set;

	return read_list(root, path, &set) ? gn_cpus_next(&set, 0) : -1;
}

static void read_caches(const char *root, int cpu, struct gn_cpu *c)
{
	char path[128], type[32];

	for (int i = 0; i < CACHES_MAX; i++) {
		snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cache/index%d/level", cpu, i);
		int level = read_int(root, path);
		snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cache/index%d/type", cpu, i);
		if (level < 0)
			return; /* they are numbered without gaps */
		if (gn_sys_read(root, path, type, sizeof(type)) < 0 || strcmp(type, "Instruction") == 0)
			continue;
		snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cache/index%d/shared_cpu_list", cpu, i);
		int lowest = read_lowest(root, path);
		if (level == 2)
			c->l2 = lowest;
		else if (level == 3)
			c->l3 = lowest;
	}
}

static void read_cpu(const char *root, int cpu, struct gn_cpu *c)
{
	char path[128];

	snprintf(path, sizeof(path), CPU_DIR "/cpu%d/topology/physical_package_id", cpu);
	c->package = read_int(root, path);
	snprintf(path, sizeof(path), CPU_DIR "/cpu%d/topology/core_id", cpu);
	c->core = read_int(root, path);
	snprintf(path, sizeof(path), CPU_DIR "/cpu%d/topology/thread_siblings_list", cpu);
	c->smt = read_lowest(root, path);
	snprintf(path, sizeof(path), CPU_DIR "/cpu%d/cpu_capacity", cpu);
	c->capacity = read_int(root, path);
	if (c->smt < 0)
		c->smt = cpu;
	read_caches(root, cpu, c);
}

static void read_pool(const char *root, int node, const char *kib, int64_t *total, int64_t *free_pages)
{
	char path[160];

	snprintf(path, sizeof(path), NODE_DIR "/node%d/hugepages/hugepages-%skB/nr_hugepages", node, kib);
	*total = read_int(root, path);
	snprintf(path, sizeof(path), NODE_DIR "/node%d/hugepages/hugepages-%skB/free_hugepages", node, kib);
	*free_pages = read_int(root, path);
}

static int64_t node_mem_bytes(const char *root, int node, const char *what)
{
	char path[128], key[64], text[64];

	snprintf(path, sizeof(path), NODE_DIR "/node%d/meminfo", node);
	snprintf(key, sizeof(key), "Node %d %s:", node, what);
	return gn_sys_field(root, path, key, text, sizeof(text)) == 0 ? strtoll(text, NULL, 10) * KIB : -1;
}

static void read_distances(const char *root, int node, struct gn_node *n)
{
	char path[128], text[GN_SYS_TEXT_BYTES];
	const char *at = text;

	for (int i = 0; i < GN_NODES_MAX; i++)
		n->distance[i] = -1;
	snprintf(path, sizeof(path), NODE_DIR "/node%d/distance", node);
	if (gn_sys_read(root, path, text, sizeof(text)) < 0)
		return;
	for (int i = 0; i < GN_NODES_MAX && *at; i++) {
		char *end;
		long d = strtol(at, &end, 10);
		if (end == at)
			return;
		n->distance[i] = d > 0 && d < 256 ? (int)d : -1;
		at = end;
	}
}

static void read_node(struct gn_topology *t, const char *root, int node)
{
	struct gn_node *n = &t->node[node];
	char path[128];

	snprintf(path, sizeof(path), NODE_DIR "/node%d/cpulist", node);
	n->present = true;
	read_list(root, path, &n->cpus);
	read_distances(root, node, n);
	n->mem_bytes = node_mem_bytes(root, node, "MemTotal");
	n->mem_free_bytes = node_mem_bytes(root, node, "MemFree");
	read_pool(root, node, "2048", &n->huge_2m, &n->huge_2m_free);
	read_pool(root, node, "1048576", &n->huge_1g, &n->huge_1g_free);
	for (int cpu = gn_cpus_next(&n->cpus, 0); cpu >= 0; cpu = gn_cpus_next(&n->cpus, cpu + 1))
		t->cpu[cpu].node = node;
}

static void read_nodes(struct gn_topology *t, const char *root)
{
	cpu_set_t nodes; /* a set of node numbers, in the same notation */

	read_list(root, NODE_DIR "/online", &nodes);
	for (int node = gn_cpus_next(&nodes, 0); node >= 0 && node < GN_NODES_MAX;
		node = gn_cpus_next(&nodes, node + 1)) {
		read_node(t, root, node);
		t->n_nodes = node + 1;
	}
}

bool gn_cmdline_get(const char *root, const char *key, char *value, size_t value_bytes)
{
	char text[GN_SYS_TEXT_BYTES], *save = NULL;
	size_t key_bytes = strlen(key);

	if (gn_sys_read(root, "/proc/cmdline", text, sizeof(text)) < 0)
		return false;
	for (char *word = strtok_r(text, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		if (strncmp(word, key, key_bytes) != 0 || (word[key_bytes] != '=' && word[key_bytes] != '\0'))
			continue;
		snprintf(value, value_bytes, "%s", word[key_bytes] == '=' ? word + key_bytes + 1 : "");
		return true;
	}
	return false;
}

/* A list on the command line may have words before it ("domain,managed_irq,2-5"). */
static void cmdline_list(const char *root, const char *key, cpu_set_t *set)
{
	char text[GN_SYS_TEXT_BYTES];
	const char *at = text;

	CPU_ZERO(set);
	if (!gn_cmdline_get(root, key, text, sizeof(text)))
		return;
	while (isalpha((unsigned char)*at) && strchr(at, ','))
		at = strchr(at, ',') + 1;
	if (gn_cpus_from_list(at, set) < 0)
		CPU_ZERO(set);
}

/* One cgroup that may be an isolated partition. */
static void add_partition(struct gn_topology *t, const char *root, const char *group)
{
	char path[PATH_MAX], text[64];
	cpu_set_t set;

	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cpuset.cpus.partition", group);
	if (gn_sys_read(root, path, text, sizeof(text)) < 0 || strcmp(text, "isolated") != 0)
		return;
	snprintf(path, sizeof(path), "/sys/fs/cgroup/%s/cpuset.cpus.effective", group);
	if (read_list(root, path, &set))
		CPU_OR(&t->isolated, &t->isolated, &set);
}

static void read_isolated(struct gn_topology *t, const char *root)
{
	char path[PATH_MAX];
	cpu_set_t set;

	read_list(root, CPU_DIR "/isolated", &t->isolated);
	if (read_list(root, "/sys/fs/cgroup/cpuset.cpus.isolated", &set))
		CPU_OR(&t->isolated, &t->isolated, &set);
	snprintf(path, sizeof(path), "%s/sys/fs/cgroup", root);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (e->d_name[0] != '.')
			add_partition(t, root, e->d_name);
	if (dir)
		closedir(dir);
	if (!read_list(root, CPU_DIR "/nohz_full", &t->nohz_full))
		cmdline_list(root, "nohz_full", &t->nohz_full);
	cmdline_list(root, "rcu_nocbs", &t->rcu_nocbs);
	CPU_OR(&t->rcu_nocbs, &t->rcu_nocbs, &t->nohz_full); /* the kernel does that too */
}

/* Where the process may run at all. The kernel cuts a wish for every core down to that: ask, look, and put it back. */
static bool cpuset_ask(cpu_set_t *set)
{
	cpu_set_t before, all;

	memset(&all, 0xff, sizeof(all));
	if (sched_getaffinity(0, sizeof(before), &before) < 0 || sched_setaffinity(0, sizeof(all), &all) < 0)
		return false;
	bool known = sched_getaffinity(0, sizeof(*set), set) == 0;
	sched_setaffinity(0, sizeof(before), &before);
	return known;
}

/* The same from the files of its control group, or of the nearest one above that says so. */
static bool cpuset_read(const char *root, cpu_set_t *set)
{
	char group[PATH_MAX], path[PATH_MAX + 64];

	if (gn_sys_field(root, "/proc/self/cgroup", "0::", group, sizeof(group)) < 0)
		return false;
	for (;;) {
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cpuset.cpus.effective", strcmp(group, "/") ? group : "");
		if (read_list(root, path, set) && CPU_COUNT(set) > 0)
			return true;
		char *slash = strrchr(group, '/');
		if (!slash)
			return false;
		*slash = '\0';
	}
}

/*
 * What a process is given at its start leaves out the cores that the boot line isolates, although it may go there. A
 * mask that holds isolated cores was chosen by someone who knew.
 */
static void read_allowed(struct gn_topology *t, const char *root)
{
	char text[GN_SYS_TEXT_BYTES];
	cpu_set_t cpuset, more;

	bool told = gn_sys_field(root, "/proc/self/status", "Cpus_allowed_list:", text, sizeof(text)) == 0
	            && gn_cpus_from_list(text, &t->allowed) == 0;
	if (!told && root[0] == '\0')
		sched_getaffinity(0, sizeof(t->allowed), &t->allowed);
	CPU_AND(&more, &t->allowed, &t->isolated);
	if (CPU_COUNT(&more) > 0 || !(root[0] ? cpuset_read(root, &cpuset) : cpuset_ask(&cpuset)))
		return;
	CPU_AND(&more, &t->isolated, &cpuset);
	CPU_OR(&t->allowed, &t->allowed, &more);
}

static void read_sets(struct gn_topology *t, const char *root)
{
	read_allowed(t, root);
	if (!read_list(root, CPU_DIR "/present", &t->present))
		t->present = t->allowed;
	if (!read_list(root, CPU_DIR "/online", &t->online))
		t->online = t->present;
	if (CPU_COUNT(&t->allowed) == 0)
		t->allowed = t->online;
}

void gn_topology_read(struct gn_topology *t, const char *root)
{
	memset(t, 0, sizeof(*t));
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
		t->cpu[cpu] = (struct gn_cpu){-1, -1, -1, cpu, -1, -1, -1};
	read_isolated(t, root);
	read_sets(t, root);
	for (int cpu = gn_cpus_next(&t->present, 0); cpu >= 0; cpu = gn_cpus_next(&t->present, cpu + 1))
		read_cpu(root, cpu, &t->cpu[cpu]);
	read_nodes(t, root);
	if (gn_sys_field(root, "/proc/cpuinfo", "model name", t->model, sizeof(t->model)) == 0 && t->model[0] == ':')
		memmove(t->model, t->model + 2, strlen(t->model + 1));
}

cpu_set_t gn_topology_siblings(const struct gn_topology *t, int core)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (int cpu = gn_cpus_next(&t->present, 0); cpu >= 0; cpu = gn_cpus_next(&t->present, cpu + 1))
		if (t->cpu[cpu].smt == t->cpu[core].smt)
			CPU_SET((size_t)cpu, &set);
	return set;
}

enum gn_nearness gn_topology_nearness(const struct gn_topology *t, int a, int b)
{
	const struct gn_cpu *x = &t->cpu[a], *y = &t->cpu[b];

	if (a == b)
		return GN_NEAR_SAME;
	if (x->smt == y->smt)
		return GN_NEAR_SMT;
	if (x->l2 >= 0 && x->l2 == y->l2)
		return GN_NEAR_L2;
	if (x->l3 >= 0 && x->l3 == y->l3)
		return GN_NEAR_L3;
	if (x->node != y->node || x->package != y->package)
		return GN_NEAR_FAR;
	return GN_NEAR_NODE;
}

const char *gn_nearness_word(enum gn_nearness n)
{
	static const char *const words[] = {
		"the same core", "SMT siblings", "one L2 cache", "one L3 cache", "one node", "different nodes"};

	return n <= GN_NEAR_FAR ? words[n] : "?";
}

int gn_topology_nic_node(const char *root, const char *device)
{
	char path[PATH_MAX];
	int64_t node = -1;
	const char *iface = strstr(device, "iface=");
	int used = 0;
	unsigned domain, bus, slot, function;

	if (iface)
		snprintf(path, sizeof(path), "/sys/class/net/%.*s/device/numa_node", (int)strcspn(iface + 6, ",/"), iface + 6);
	else if (sscanf(device, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &used) == 4 && used)
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.*s/numa_node", used, device);
	else if (sscanf(device, "%2x:%2x.%1x%n", &bus, &slot, &function, &used) == 3 && used)
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/0000:%.*s/numa_node", used, device);
	else
		return -1;
	return gn_sys_read_i64(root, path, &node) == 0 && node >= 0 && node < GN_NODES_MAX ? (int)node : -1;
}
