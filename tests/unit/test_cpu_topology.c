/* SPDX-License-Identifier: BSD-3-Clause */
#include "fake_sys.h"

#include "dataplane/runtime/err.h"
#include "pinning/cpu_topology.h"
#include "pinning/thread.h"

static struct gn_topology t;
static struct fake_sys sys;

static void read_machine(const char *name)
{
	sys = fake_machine(name);
	gn_topology_read(&t, sys.root);
}

static void clean_up(void)
{
	if (sys.root[0])
		fake_free(&sys);
}

TestSuite(cpu_topology, .fini = clean_up, .timeout = 20);

Test(cpu_topology, an_empty_machine_is_unknown_not_an_error)
{
	sys = fake_empty();
	gn_topology_read(&t, sys.root);
	cr_assert_eq(CPU_COUNT(&t.present), 0);
	cr_assert_eq(t.n_nodes, 0);
	cr_assert_eq(t.cpu[0].package, -1);
	cr_assert_eq(t.cpu[5].smt, 5);
}

Test(cpu_topology, garbage_in_every_file_is_unknown_not_an_error)
{
	static const char *const files[] = {"present", "online", "isolated", "nohz_full",
		"cpu0/topology/physical_package_id", "cpu0/topology/core_id", "cpu0/topology/thread_siblings_list",
		"cpu0/cache/index2/level", "cpu0/cache/index2/shared_cpu_list", "cpu0/cpu_capacity"};
	static const char *const garbage[] = {
		"", "-7", "99999999999999999999", "x", "0-", "0-99999", "\xff\xfe", "1 2 3"};
	char path[128];

	sys = fake_machine("xeon2");
	for (size_t g = 0; g < sizeof(garbage) / sizeof(garbage[0]); g++) {
		for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
			snprintf(path, sizeof(path), "/sys/devices/system/cpu/%s", files[i]);
			fake_put(&sys, path, garbage[g]);
		}
		fake_put(&sys, "/sys/devices/system/node/node0/distance", garbage[g]);
		fake_put(&sys, "/sys/devices/system/node/online", garbage[g]);
		fake_put(&sys, "/proc/cmdline", garbage[g]);
		fake_put(&sys, "/proc/self/status", garbage[g]);
		gn_topology_read(&t, sys.root);
		cr_assert(t.cpu[0].smt >= -1 && t.cpu[0].smt < CPU_SETSIZE);
		cr_assert(t.cpu[0].package >= -1);
	}
}

Test(cpu_topology, two_sockets)
{
	read_machine("xeon2");
	cr_assert_str_eq(gn_cpus_text(&t.present).c, "0-31");
	cr_assert_str_eq(gn_cpus_text(&t.online).c, "0-15");
	cr_assert_str_eq(gn_cpus_text(&t.isolated).c, "2-7,10-15");
	cr_assert_str_eq(gn_cpus_text(&t.nohz_full).c, "2-7,10-15");
	cr_assert_str_eq(t.model, "Intel(R) Xeon(R) Gold 6334 CPU @ 3.60GHz");
	cr_assert_eq(t.n_nodes, 2);
	cr_assert_eq(t.cpu[9].package, 1);
	cr_assert_eq(t.cpu[9].node, 1);
	cr_assert_eq(t.cpu[7].l3, 0);
	cr_assert_eq(t.node[1].distance[0], 20);
	cr_assert_eq(t.node[1].huge_2m_free, 2048);
	cr_assert_eq(t.node[0].mem_bytes, INT64_C(131072000) * 1024);
	cr_assert_eq(gn_topology_nearness(&t, 2, 3), GN_NEAR_L3);
	cr_assert_eq(gn_topology_nearness(&t, 2, 10), GN_NEAR_FAR);
	cr_assert_eq(gn_topology_nearness(&t, 2, 2), GN_NEAR_SAME);
}

Test(cpu_topology, chiplets_and_smt)
{
	cpu_set_t siblings;

	read_machine("epyc");
	siblings = gn_topology_siblings(&t, 37);
	cr_assert_str_eq(gn_cpus_text(&siblings).c, "5,37");
	cr_assert_eq(gn_topology_nearness(&t, 5, 37), GN_NEAR_SMT);
	cr_assert_eq(gn_topology_nearness(&t, 5, 6), GN_NEAR_L3);
	cr_assert_eq(gn_topology_nearness(&t, 3, 4), GN_NEAR_NODE, "two chiplets of one node");
	cr_assert_eq(gn_topology_nearness(&t, 7, 8), GN_NEAR_FAR);
	cr_assert_eq(t.n_nodes, 4);
	cr_assert_eq(CPU_COUNT(&t.nohz_full), 0, "the kernel writes (null)");
}

Test(cpu_topology, a_virtual_machine_tells_little)
{
	read_machine("vm");
	cr_assert_eq(t.cpu[1].l3, -1);
	cr_assert_eq(gn_topology_nearness(&t, 0, 1), GN_NEAR_NODE);
	cr_assert_eq(t.node[0].huge_2m, -1);
}

Test(cpu_topology, isolated_partitions_count_as_isolated)
{
	sys = fake_machine("epyc");
	fake_put(&sys, "/sys/fs/cgroup/trading/cpuset.cpus.partition", "isolated");
	fake_put(&sys, "/sys/fs/cgroup/trading/cpuset.cpus.effective", "20-21");
	fake_put(&sys, "/sys/fs/cgroup/broken/cpuset.cpus.partition",
		"isolated invalid (Cpu list in cpuset.cpus not exclusive)");
	fake_put(&sys, "/sys/fs/cgroup/broken/cpuset.cpus.effective", "30");
	gn_topology_read(&t, sys.root);
	cr_assert_str_eq(gn_cpus_text(&t.isolated).c, "4-11,20-21,36-43");
}

Test(cpu_topology, the_command_line_may_name_words_before_the_list)
{
	char value[64];

	sys = fake_machine("vm");
	fake_put(&sys, "/proc/cmdline", "quiet nohz_full=1-2 rcu_nocbs=all,x isolcpus rcu_nocbsx=3");
	gn_topology_read(&t, sys.root);
	cr_assert_str_eq(gn_cpus_text(&t.nohz_full).c, "1-2");
	cr_assert_str_eq(gn_cpus_text(&t.rcu_nocbs).c, "1-2", "what has no tick has no callbacks either");
	cr_assert(gn_cmdline_get(sys.root, "quiet", value, sizeof(value)));
	cr_assert_str_eq(value, "");
	cr_assert_not(gn_cmdline_get(sys.root, "qui", value, sizeof(value)));
}

static void core_refused(int core, const char *why)
{
	cr_assert_lt(gn_core_check(sys.root, core), 0, "core %d", core);
	cr_assert_not_null(strstr(gn_err_text(), why), "expected \"%s\" in: %s", why, gn_err_text());
}

Test(cpu_topology, a_core_that_cannot_be_had_is_named_with_the_reason)
{
	sys = fake_machine("arm");
	core_refused(-1, "expected 0 .. 1023");
	core_refused(1024, "expected 0 .. 1023");
	core_refused(32, "core 32 does not exist: this machine has 0-31");
	core_refused(31, "core 31 is offline: online are 0-30");
	core_refused(24, "core 24 is outside this process's cpuset or affinity, which is 0-23");
	cr_assert_eq(gn_core_check(sys.root, 23), 0, "%s", gn_err_text());
}

Test(cpu_topology, isolated_cores_of_the_cpuset_may_be_used_although_the_mask_at_start_leaves_them_out)
{
	read_machine("xeon2");
	cr_assert_str_eq(gn_cpus_text(&t.allowed).c, "0-15");
	fake_put(&sys, "/proc/self/status", "Cpus_allowed_list:\t0-3");
	gn_topology_read(&t, sys.root);
	cr_assert_str_eq(gn_cpus_text(&t.allowed).c, "0-3", "a mask that holds isolated cores was meant");
	fake_put(&sys, "/proc/self/status", "Cpus_allowed_list:\t0-1");
	fake_put(&sys, "/sys/fs/cgroup/user.slice/cpuset.cpus.effective", "0-4");
	gn_topology_read(&t, sys.root);
	cr_assert_str_eq(gn_cpus_text(&t.allowed).c, "0-4", "the nearest group counts");
	fake_drop(&sys, "/proc/self/cgroup");
	gn_topology_read(&t, sys.root);
	cr_assert_str_eq(gn_cpus_text(&t.allowed).c, "0-1", "without a cpuset only the mask is known");
}

Test(cpu_topology, a_port_has_the_node_of_its_card)
{
	read_machine("xeon2");
	cr_assert_eq(gn_topology_nic_node(sys.root, "0000:17:00.0"), 0);
	cr_assert_eq(gn_topology_nic_node(sys.root, "17:00.0,txq_inline_max=128"), 0);
	fake_put(&sys, "/sys/class/net/eth7/device/numa_node", "1");
	cr_assert_eq(gn_topology_nic_node(sys.root, "net_af_xdp0,iface=eth7,start_queue=0"), 1);
	static const char *const none[] = {"", "net_ring0", "0000:99:00.0", "net_af_packet0,iface=", "net_af_packet0,iface=lo",
		"17:00", "iface=../../etc", "zzzz:17:00.0"};
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_assert_eq(gn_topology_nic_node(sys.root, none[i]), -1, "%s", none[i]);
}

Test(cpu_topology, the_real_machine_has_the_core_that_runs_this)
{
	gn_topology_read(&t, "");
	cr_assert(CPU_ISSET((size_t)sched_getcpu(), &t.online));
	cr_assert(CPU_ISSET((size_t)sched_getcpu(), &t.allowed));
}
