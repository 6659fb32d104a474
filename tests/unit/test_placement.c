/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>

#include "fake_sys.h"

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "pinning/core_claim.h"
#include "pinning/placement.h"

#define ALLOW_ALL (GN_ALLOW_SMT | GN_ALLOW_CROSS_NUMA | GN_ALLOW_SHARED_CORE | GN_ALLOW_NON_ISOLATED)

static struct gn_topology t;
static struct fake_sys sys;
static int n_warned;
static char warned[4096];

static void on_warn(void *arg, unsigned allow, const char *text)
{
	(void)arg, (void)allow;
	n_warned++;
	snprintf(warned + strlen(warned), sizeof(warned) - strlen(warned), "%s\n", text);
}

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

static int place(const struct gn_place_want *want, int n, int nic_node, unsigned allow, int *core)
{
	struct gn_place_config config = {.topology = &t, .nic_node = nic_node, .allow = allow, .warn = on_warn};

	n_warned = 0;
	warned[0] = '\0';
	return gn_place(&config, want, n, core);
}

static void refused(const struct gn_place_want *want, int n, unsigned allow, const char *why)
{
	int core[GN_PLACE_MAX];

	cr_assert_lt(place(want, n, 0, allow, core), 0, "expected a refusal: %s", why);
	cr_assert_not_null(strstr(gn_err_text(), why), "expected \"%s\" in: %s", why, gn_err_text());
}

TestSuite(placement, .fini = clean_up, .timeout = 30);

Test(placement, knows_the_words_of_allow)
{
	cr_assert_eq(gn_allow_from_word("smt"), GN_ALLOW_SMT);
	cr_assert_eq(gn_allow_from_word("cross-numa"), GN_ALLOW_CROSS_NUMA);
	cr_assert_eq(gn_allow_from_word("shared-core"), GN_ALLOW_SHARED_CORE);
	cr_assert_eq(gn_allow_from_word("non-isolated"), GN_ALLOW_NON_ISOLATED);
	cr_assert_eq(gn_allow_from_word("everything"), 0);
	cr_assert_eq(gn_allow_from_word(""), 0);
}

Test(placement, refuses_cores_that_cannot_be_had_whatever_is_permitted)
{
	read_machine("arm");
	refused(&(struct gn_place_want){"rx0", 32, -1, true, true}, 1, ALLOW_ALL, "rx0: core 32 does not exist");
	refused(&(struct gn_place_want){"rx0", 5000, -1, true, true}, 1, ALLOW_ALL, "core 5000 does not exist");
	refused(&(struct gn_place_want){"rx0", -7, -1, true, true}, 1, ALLOW_ALL, "core -7 does not exist");
	refused(&(struct gn_place_want){"rx0", 31, -1, true, true}, 1, ALLOW_ALL, "core 31 is offline");
	refused(&(struct gn_place_want){"rx0", 28, -1, true, true}, 1, ALLOW_ALL,
		"outside this process's cpuset, which is 0-23");
}

Test(placement, refuses_each_fault_unless_it_is_permitted)
{
	int core[2];

	read_machine("epyc");
	struct gn_place_want twice[] = {{"rx0", 4, -1, true, false}, {"book0", 4, 0, true, false}};
	refused(twice, 2, ALLOW_ALL & ~GN_ALLOW_SHARED_CORE,
		"book0 and rx0 are both on core 4 (permitted by allow: [shared-core])");
	cr_assert_eq(place(twice, 2, 0, GN_ALLOW_SHARED_CORE, core), 0, "%s", gn_err_text());
	cr_assert_eq(n_warned, 1);

	struct gn_place_want siblings[] = {{"rx0", 5, -1, true, false}, {"book0", 37, 0, true, false}};
	refused(siblings, 2, ALLOW_ALL & ~GN_ALLOW_SMT, "share one execution unit (permitted by allow: [smt])");
	cr_assert_eq(place(siblings, 2, 0, GN_ALLOW_SMT, core), 0);
	cr_assert_not_null(strstr(warned, "book0 on core 37 and rx0 on core 5"), "%s", warned);

	struct gn_place_want far[] = {{"rx0", 5, -1, true, false}, {"book0", 9, 0, true, false}};
	refused(far, 2, ALLOW_ALL & ~GN_ALLOW_CROSS_NUMA, "different nodes (permitted by allow: [cross-numa])");
	cr_assert_eq(place(far, 2, 0, GN_ALLOW_CROSS_NUMA, core), 0);
	far[1].near = -1; /* they have nothing to say to each other */
	cr_assert_eq(place(far, 2, 0, 0, core), 0, "%s", gn_err_text());

	struct gn_place_want noisy = {"rx0", 20, -1, true, false};
	refused(&noisy, 1, ALLOW_ALL & ~GN_ALLOW_NON_ISOLATED,
		"core 20, which is not isolated (isolated are 4-11,36-43)");
	struct gn_place_want port = {"rx0", 9, -1, true, true};
	refused(&port, 1, 0, "core 9 of node 1, the port is on node 0");
}

Test(placement, housekeeping_may_share_and_needs_no_isolation)
{
	int core[3];
	struct gn_place_want want[] = {
		{"journal", 1, -1, false, false}, {"control", 1, -1, false, false}, {"rx0", 4, -1, true, false}};

	read_machine("epyc");
	cr_assert_eq(place(want, 3, 0, 0, core), 0, "%s", gn_err_text());
	cr_assert_eq(n_warned, 0);
}

Test(placement, auto_keeps_a_pipeline_in_one_cache_on_the_ports_node)
{
	int core[4];
	struct gn_place_want want[] = {{"rx0", GN_CORE_ANY, -1, true, true}, {"book0", GN_CORE_ANY, 0, true, false},
		{"strategy0", GN_CORE_ANY, 1, true, false}, {"journal", GN_CORE_ANY, 2, false, false}};

	read_machine("epyc");
	cr_assert_eq(place(want, 4, 1, 0, core), 0, "%s", gn_err_text());
	cr_assert_eq(core[0], 8, "node 1 has 8-11");
	cr_assert_eq(core[1], 9);
	cr_assert_eq(core[2], 10);
	cr_assert_not(CPU_ISSET((size_t)core[3], &t.isolated), "housekeeping stays off isolated cores: %d", core[3]);
	read_machine("xeon2");
	cr_assert_eq(place(want, 4, 1, 0, core), 0, "%s", gn_err_text());
	cr_assert_eq(core[0], 10);
	cr_assert_eq(t.cpu[core[2]].l3, t.cpu[core[0]].l3);
}

Test(placement, auto_says_what_is_missing)
{
	struct gn_place_want want[5];

	for (int i = 0; i < 5; i++)
		want[i] = (struct gn_place_want){"rx0", GN_CORE_ANY, i - 1, true, true};
	read_machine("vm");
	refused(want, 1, 0, "no core is left for rx0: isolated and usable are none, taken are none");
	refused(want, 5, GN_ALLOW_NON_ISOLATED, "taken are 0-3");
	int core[5];
	cr_assert_eq(place(want, 5, -1, GN_ALLOW_NON_ISOLATED | GN_ALLOW_SHARED_CORE, core), 0, "%s", gn_err_text());
	cr_assert_neq(core[0], 0, "core 0 comes last");
	read_machine("epyc");
	want[0].nic = true;
	refused(want, 5, 0, "no core is left");
}

Test(placement, cores_of_other_engines_are_left_alone)
{
	struct gn_place_config config = {.topology = &t, .nic_node = -1, .warn = on_warn};
	struct gn_place_want want[] = {{"rx0", GN_CORE_ANY, -1, true, false}, {"journal", GN_CORE_ANY, 0, false, false}};
	cpu_set_t claimed;
	int core[2];

	read_machine("epyc");
	cr_assert_eq(gn_cpus_from_list("0-8,36-43", &claimed), 0);
	config.claimed = &claimed;
	cr_assert_eq(gn_place(&config, want, 2, core), 0, "%s", gn_err_text());
	cr_assert(core[0] >= 9 && core[0] <= 11, "%d", core[0]);
	cr_assert_geq(core[1], 12, "%d", core[1]);
	want[0].core = 5;
	cr_assert_lt(gn_place(&config, want, 2, core), 0);
	cr_assert_not_null(strstr(gn_err_text(), "rx0 is on core 5, where another engine polls (permitted by allow: [shared-core])"),
		"%s", gn_err_text());
	config.allow = GN_ALLOW_SHARED_CORE;
	cr_assert_eq(gn_place(&config, want, 2, core), 0, "%s", gn_err_text());
	gn_cpus_from_list("0-63", &claimed);
	want[0].core = GN_CORE_ANY;
	cr_assert_eq(gn_place(&config, want, 2, core), 0, "%s", gn_err_text());
	cr_assert_eq(core[1], GN_CORE_ANY, "what is cold goes where the kernel likes before it disturbs anyone");
}

Test(placement, a_claim_is_seen_by_others_and_ends_with_its_descriptor)
{
	char path[] = "/tmp/gannet-claim-XXXXXX";
	cpu_set_t ours, seen, taken;

	close(mkstemp(path));
	cr_assert_eq(gn_cpus_from_list("0,2,1023", &ours), 0);
	int a = gn_core_claim(path, &ours, &taken);
	cr_assert_geq(a, 0);
	cr_assert_eq(CPU_COUNT(&taken), 0);
	gn_core_claims_read(path, &seen);
	cr_assert_str_eq(gn_cpus_text(&seen).c, "0,2,1023");
	gn_cpus_from_list("1-2", &ours);
	int b = gn_core_claim(path, &ours, &taken);
	cr_assert_str_eq(gn_cpus_text(&taken).c, "2");
	close(a);
	gn_core_claims_read(path, &seen);
	cr_assert_str_eq(gn_cpus_text(&seen).c, "1");
	close(b);
	gn_core_claims_read(path, &seen);
	cr_assert_eq(CPU_COUNT(&seen), 0);
	unlink(path);
	cr_assert_lt(gn_core_claim("/nowhere/at/all", &ours, &taken), 0);
	gn_core_claims_read("/nowhere/at/all", &seen);
	cr_assert_eq(CPU_COUNT(&seen), 0);
}

Test(placement, refuses_too_many_threads)
{
	static struct gn_place_want want[GN_PLACE_MAX + 1];

	read_machine("xeon2");
	refused(want, GN_PLACE_MAX + 1, ALLOW_ALL, "expected at most 64");
}

/* What a placement promises, worked out anew from the sets of the machine. */
static void check_promises(
	const struct gn_place_want *want, int n, int nic_node, unsigned allow, const int *core, unsigned seed)
{
	for (int i = 0; i < n; i++) {
		if (core[i] == GN_CORE_ANY) {
			cr_assert_not(want[i].polls, "seed %u", seed);
			continue;
		}
		cr_assert(want[i].core == GN_CORE_ANY || want[i].core == core[i], "seed %u", seed);
		cr_assert(CPU_ISSET((size_t)core[i], &t.online) && CPU_ISSET((size_t)core[i], &t.allowed), "seed %u",
			seed);
		if (want[i].polls && !(allow & GN_ALLOW_NON_ISOLATED))
			cr_assert(CPU_ISSET((size_t)core[i], &t.isolated), "seed %u", seed);
		if (want[i].nic && nic_node >= 0 && !(allow & GN_ALLOW_CROSS_NUMA))
			cr_assert_eq(t.cpu[core[i]].node, nic_node, "seed %u", seed);
		for (int j = 0; j < i; j++) {
			if (core[j] == GN_CORE_ANY || !(want[i].polls || want[j].polls))
				continue;
			cpu_set_t siblings = gn_topology_siblings(&t, core[i]);
			if (!(allow & GN_ALLOW_SHARED_CORE))
				cr_assert_neq(core[i], core[j], "seed %u", seed);
			if (!(allow & GN_ALLOW_SMT) && core[i] != core[j])
				cr_assert_not(CPU_ISSET((size_t)core[j], &siblings), "seed %u", seed);
			if (!(allow & GN_ALLOW_CROSS_NUMA) && want[i].polls && want[j].polls
				&& (want[i].near == j || want[j].near == i))
				cr_assert_eq(t.cpu[core[i]].node, t.cpu[core[j]].node, "seed %u", seed);
		}
	}
}

Test(placement, random_configs_keep_every_promise_on_every_machine)
{
	static const char *const machines[] = {"xeon2", "epyc", "vm", "arm"};
	const char *seed_text = getenv("GANNET_SEED");
	unsigned seed = seed_text ? (unsigned)strtoul(seed_text, NULL, 10) : 4711u;
	int n_placed = 0, n_refused = 0;

	srand(seed);
	for (int m = 0; m < 4; m++) {
		read_machine(machines[m]);
		for (int round = 0; round < 2000; round++) {
			struct gn_place_want want[12];
			int core[12], n = 1 + rand() % 12, nic_node = rand() % (t.n_nodes + 1) - 1;
			unsigned allow = (unsigned)rand() % 16;
			for (int i = 0; i < n; i++)
				want[i] = (struct gn_place_want){"x", rand() % 3 ? GN_CORE_ANY : rand() % 70,
					rand() % (n + 1) - 1, rand() % 4 != 0, rand() % 4 == 0};
			if (place(want, n, nic_node, allow, core) == 0) {
				check_promises(want, n, nic_node, allow, core, seed);
				n_placed++;
			} else {
				cr_assert_neq(gn_err_text()[0], '\0');
				n_refused++;
			}
		}
		fake_free(&sys);
	}
	cr_assert_gt(n_placed, 500);
	cr_assert_gt(n_refused, 500);
}

Test(placement, memory_tells_its_node)
{
	char *mem = gn_mem_alloc(4096, 0);
	int node = gn_page_node(mem);

	if (node == -ENOSYS || node == -EPERM)
		cr_skip("the kernel does not tell where a page is");
	cr_assert_geq(node, 0);
	gn_mem_free(mem, 4096);
}
