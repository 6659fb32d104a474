/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic/eal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_pci.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dataplane/nic/eal_log.h"
#include "dataplane/runtime/err.h"

#define MEM_MB_DEFAULT 256u
#define ARGS_MAX 64
#define ARG_BYTES 512u

/* rte_eal_init() keeps pointers into its arguments: they must outlive it. */
struct eal_args {
	int n;
	char text[ARGS_MAX][ARG_BYTES];
	char *ptr[ARGS_MAX + 1];
};

static struct eal_args args;
static bool initialised, hugepages;

static int arg_add(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int arg_add(const char *fmt, ...)
{
	va_list ap;

	if (args.n == ARGS_MAX)
		return gn_err(E2BIG, "eal: more than %d arguments", ARGS_MAX);
	va_start(ap, fmt);
	int bytes = vsnprintf(args.text[args.n], ARG_BYTES, fmt, ap);
	va_end(ap);
	if (bytes < 0 || (size_t)bytes >= ARG_BYTES)
		return gn_err(E2BIG, "eal: argument \"%.64s...\" is longer than %u", args.text[args.n], ARG_BYTES);
	args.ptr[args.n] = args.text[args.n];
	args.n++;
	return 0;
}

/* Free hugepages of every size, in MB, as the kernel shows them. */
static uint64_t huge_free_mb(void)
{
	DIR *d = opendir("/sys/kernel/mm/hugepages");
	struct dirent *e;
	uint64_t mb = 0;

	while (d && (e = readdir(d))) {
		char path[320];
		unsigned long kb, n = 0;
		if (sscanf(e->d_name, "hugepages-%lukB", &kb) != 1)
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/mm/hugepages/%.200s/free_hugepages", e->d_name);
		FILE *f = fopen(path, "re");
		if (f && fscanf(f, "%lu", &n) == 1)
			mb += n * kb / 1024;
		if (f)
			fclose(f);
	}
	if (d)
		closedir(d);
	return mb;
}

static int huge_decide(const struct gn_eal_config *c, uint32_t mem_mb)
{
	uint64_t mb = c->huge == GN_HUGE_NEVER ? 0 : huge_free_mb();

	hugepages = mb >= mem_mb;
	if (c->huge == GN_HUGE_ALWAYS && !hugepages)
		return gn_err(ENOMEM, "eal: %u MB of free hugepages asked for, the machine has %lu", mem_mb,
			(unsigned long)mb);
	return 0;
}

/* "0000:01:00.0,option=..." names a PCI device; "net_memif0,..." does not. */
static bool is_pci(const char *device)
{
	char address[32];
	struct rte_pci_addr parsed;
	size_t bytes = strcspn(device, ",");

	if (bytes >= sizeof(address))
		return false;
	memcpy(address, device, bytes);
	address[bytes] = '\0';
	return rte_pci_addr_parse(address, &parsed) == 0;
}

static int args_pci(const struct gn_eal_config *c, uint32_t *n_pci)
{
	int rc = 0;

	*n_pci = 0;
	for (uint32_t i = 0; i < c->n_devices && rc == 0; i++) {
		if (!is_pci(c->devices[i]))
			continue;
		rc = arg_add("-a");
		if (rc == 0)
			rc = arg_add("%s", c->devices[i]);
		++*n_pci;
	}
	if (rc == 0 && *n_pci == 0)
		rc = arg_add("--no-pci");
	return rc;
}

static int args_memory(uint32_t mem_mb, uint32_t n_pci)
{
	int rc;

	if (hugepages) {
		rc = arg_add("--in-memory");
	} else {
		rc = arg_add("--no-huge");
		if (rc == 0)
			rc = arg_add("--no-shconf");
		if (rc == 0)
			rc = arg_add("-m");
		if (rc == 0)
			rc = arg_add("%u", mem_mb);
	}
	/* without a PCI device nothing needs physical addresses, and looking for them needs root */
	if (rc == 0 && n_pci == 0)
		rc = arg_add("--iova-mode=va");
	return rc;
}

static int args_build(const struct gn_eal_config *c, const cpu_set_t *allowed)
{
	uint32_t mem_mb = c->mem_mb ? c->mem_mb : MEM_MB_DEFAULT, n_pci;
	int core = 0;

	args.n = 0;
	while (core < CPU_SETSIZE && !CPU_ISSET((size_t)core, allowed))
		core++;
	int rc = huge_decide(c, mem_mb);
	if (rc == 0)
		rc = arg_add("gannet");
	/* one lcore, so that no worker thread is made */
	if (rc == 0)
		rc = arg_add("--lcores=0@%d", core);
	if (rc == 0)
		rc = arg_add("--file-prefix=%.64s-%d", c->name ? c->name : "gannet", (int)getpid());
	if (rc == 0)
		rc = arg_add("--no-telemetry");
	if (rc == 0)
		rc = arg_add("--log-level=%s", c->verbose ? "debug" : "error");
	if (rc == 0)
		rc = args_pci(c, &n_pci);
	if (rc == 0)
		rc = args_memory(mem_mb, n_pci);
	args.ptr[args.n] = NULL;
	return rc;
}

/* Some fatal words go past DPDK's log straight to standard error; the log has them too. */
static int init_muted(void)
{
	char *argv[ARGS_MAX + 1];
	int keep = dup(STDERR_FILENO), null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	memcpy(argv, args.ptr, sizeof(argv)); /* getopt permutes them */
	fflush(stderr);
	if (keep >= 0 && null >= 0)
		dup2(null, STDERR_FILENO);
	int rc = rte_eal_init(args.n, argv);
	fflush(stderr);
	if (keep >= 0)
		dup2(keep, STDERR_FILENO);
	if (keep >= 0)
		close(keep);
	if (null >= 0)
		close(null);
	return rc;
}

int gn_eal_init(const struct gn_eal_config *config)
{
	cpu_set_t allowed;

	if (initialised)
		return gn_err(EALREADY, "eal: DPDK is started once a process");
	if (pthread_getaffinity_np(pthread_self(), sizeof(allowed), &allowed) != 0)
		return gn_err(errno, "eal: the cores of this thread");
	int rc = eal_log_catch(config->verbose);
	if (rc == 0)
		rc = args_build(config, &allowed);
	if (rc < 0)
		return rc;
	eal_log_forget();
	rc = init_muted();
	/* DPDK pins its main thread; where threads run is not its decision here */
	pthread_setaffinity_np(pthread_self(), sizeof(allowed), &allowed);
	if (rc < 0)
		return gn_err(rte_errno ? rte_errno : EIO, "eal: DPDK does not start (%s)", eal_log_said());
	initialised = true;
	return 0;
}

bool gn_eal_has_hugepages(void)
{
	return hugepages;
}

int gn_eal_thread_register(void)
{
	if (rte_lcore_id() != LCORE_ID_ANY)
		return 0;
	if (rte_thread_register() < 0)
		return gn_err(rte_errno, "eal: DPDK takes no further thread (%s)", eal_log_said());
	return 0;
}

void gn_eal_thread_unregister(void)
{
	/* the main thread is DPDK's own and stays */
	if (rte_lcore_id() != LCORE_ID_ANY && rte_lcore_id() != rte_get_main_lcore())
		rte_thread_unregister();
}
