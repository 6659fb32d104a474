/* SPDX-License-Identifier: BSD-3-Clause */
#include "thread.h"

#include <errno.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "cpu_topology.h"
#include "dataplane/runtime/err.h"

#define PAGE_BYTES ((size_t)4096)
#define STACK_BYTES_MIN ((size_t)64 * 1024)

int gn_core_check(const char *sys_root, int core)
{
	if (core < 0 || core >= CPU_SETSIZE)
		return gn_err(0, "core %d: expected 0 .. %d", core, CPU_SETSIZE - 1);
	struct gn_topology *t = malloc(sizeof(*t));
	if (!t)
		return gn_err(ENOMEM, "core %d", core);
	int rc = 0;
	gn_topology_read(t, sys_root);
	if (CPU_COUNT(&t->present) == 0)
		rc = 0; /* the machine does not tell: the kernel will */
	else if (!CPU_ISSET((size_t)core, &t->present))
		rc = gn_err(0, "core %d does not exist: this machine has %s", core, gn_cpus_text(&t->present).c);
	else if (!CPU_ISSET((size_t)core, &t->online))
		rc = gn_err(0, "core %d is offline: online are %s", core, gn_cpus_text(&t->online).c);
	else if (!CPU_ISSET((size_t)core, &t->allowed))
		rc = gn_err(0, "core %d is outside this process's cpuset or affinity, which is %s", core,
			gn_cpus_text(&t->allowed).c);
	free(t);
	return rc;
}

/* From the first page above the guard to this frame; every access is to memory of this thread's own stack. */
static void stack_touch(const struct gn_thread *t)
{
	volatile uint8_t here = 0;
	uintptr_t top = (uintptr_t)&here;
	uintptr_t bottom = (uintptr_t)t->stack + PAGE_BYTES;

	if (top <= bottom || top > (uintptr_t)t->stack + t->stack_map_bytes)
		return; /* a sanitizer keeps locals elsewhere */
	for (uintptr_t at = bottom; at + 2 * PAGE_BYTES < top; at += PAGE_BYTES)
		*(volatile uint8_t *)at = 0;
}

static void *thread_main(void *arg)
{
	struct gn_thread *t = arg;

	pthread_setname_np(pthread_self(), t->name);
	prctl(PR_SET_TIMERSLACK, 1UL);
	stack_touch(t);
	t->tid = gettid();
	sem_post(&t->ready);
	t->run(t->arg);
	return NULL;
}

static int thread_attr_fill(pthread_attr_t *attr, const struct gn_thread *t, const struct gn_thread_config *config)
{
	cpu_set_t set;
	int err = pthread_attr_setstack(attr, (uint8_t *)t->stack + PAGE_BYTES, t->stack_map_bytes - PAGE_BYTES);

	if (!err && config->core != GN_CORE_ANY) {
		CPU_ZERO(&set);
		CPU_SET((size_t)config->core, &set);
		err = pthread_attr_setaffinity_np(attr, sizeof(set), &set);
	}
	if (!err && config->fifo_priority) {
		struct sched_param param = {.sched_priority = config->fifo_priority};
		err = pthread_attr_setschedpolicy(attr, SCHED_FIFO);
		err = err ? err : pthread_attr_setschedparam(attr, &param);
		err = err ? err : pthread_attr_setinheritsched(attr, PTHREAD_EXPLICIT_SCHED);
	}
	return err;
}

/* With every signal blocked in the new thread: the main thread is the one that handles them. */
static int thread_create(struct gn_thread *t, const struct gn_thread_config *config)
{
	sigset_t all, before;
	pthread_attr_t attr;
	int err = pthread_attr_init(&attr);

	if (err)
		return err;
	err = thread_attr_fill(&attr, t, config);
	if (!err) {
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &before);
		err = pthread_create(&t->id, &attr, thread_main, t);
		pthread_sigmask(SIG_SETMASK, &before, NULL);
	}
	pthread_attr_destroy(&attr);
	return err;
}

static int thread_config_check(const struct gn_thread_config *config)
{
	if (!config->name || config->name[0] == '\0' || strlen(config->name) >= GN_THREAD_NAME_BYTES)
		return gn_err(0, "thread \"%s\": a name has 1 to %u characters", config->name ? config->name : "",
			GN_THREAD_NAME_BYTES - 1);
	if (config->fifo_priority < 0 || config->fifo_priority > 99)
		return gn_err(
			0, "thread %s: fifo priority %d is not within 0 .. 99", config->name, config->fifo_priority);
	if (config->core != GN_CORE_ANY && (config->core < 0 || config->core >= CPU_SETSIZE))
		return gn_err(0, "thread %s: core %d: expected 0 .. %d", config->name, config->core, CPU_SETSIZE - 1);
	if (config->stack_bytes && (config->stack_bytes < STACK_BYTES_MIN || config->stack_bytes > SIZE_MAX / 2))
		return gn_err(0, "thread %s: a stack of %zu bytes is below %zu", config->name, config->stack_bytes,
			STACK_BYTES_MIN);
	return 0;
}

static int thread_explain(const struct gn_thread_config *config, int err)
{
	if (err == EPERM && config->fifo_priority)
		return gn_err(EPERM,
			"thread %s: SCHED_FIFO needs CAP_SYS_NICE or an rtprio limit of at least %d (ulimit -r)",
			config->name, config->fifo_priority);
	if (err == EINVAL && config->core != GN_CORE_ANY && gn_core_check("", config->core) < 0)
		return gn_err_in(-EINVAL, "thread %s", config->name);
	if (config->core != GN_CORE_ANY)
		return gn_err(err, "thread %s: start on core %d", config->name, config->core);
	return gn_err(err, "thread %s: start", config->name);
}

int gn_thread_start(struct gn_thread *t, const struct gn_thread_config *config, void (*run)(void *arg), void *arg)
{
	memset(t, 0, sizeof(*t));
	int rc = thread_config_check(config);
	if (rc < 0)
		return rc;

	size_t stack_bytes = config->stack_bytes ? config->stack_bytes : GN_THREAD_STACK_BYTES;
	t->run = run;
	t->arg = arg;
	strcpy(t->name, config->name);
	sem_init(&t->ready, 0, 0);
	t->stack_map_bytes = (stack_bytes + PAGE_BYTES - 1) / PAGE_BYTES * PAGE_BYTES + PAGE_BYTES;
	t->stack = mmap(NULL, t->stack_map_bytes, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (t->stack == MAP_FAILED)
		return gn_err(errno, "thread %s: map a stack of %zu bytes", config->name, stack_bytes);
	mprotect(t->stack, PAGE_BYTES, PROT_NONE);
	int err = thread_create(t, config);
	if (err) {
		munmap(t->stack, t->stack_map_bytes);
		return thread_explain(config, err);
	}
	while (sem_wait(&t->ready) < 0 && errno == EINTR)
		;
	t->started = true;
	return 0;
}

void gn_thread_join(struct gn_thread *t)
{
	if (!t->started)
		return;
	pthread_join(t->id, NULL);
	munmap(t->stack, t->stack_map_bytes);
	t->started = false;
}
