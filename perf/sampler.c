/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Where the processor's time goes, by timer, for machines on which `perf record` is not permitted: preloaded into a program,
 * takes the stack of each thread at each millisecond of its processor time and writes all of them at the end. Each thread
 * has a timer of its own, since the kernel hands a process's signals to its main thread first.
 *
 *     SAMPLER_OUTPUT=FILE LD_PRELOAD=sampler.so COMMAND...
 *
 * One line a sample, innermost frame first: thread name, then "module+offset" words (hexadecimal).
 */

#include <dlfcn.h>
#include <execinfo.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <ucontext.h>
#include <unistd.h>

#define SAMPLES_MAX (1u << 16)
#define FRAMES_MAX 24
#define HANDLER_FRAMES 2 /* this handler and the kernel's way into it */

static struct {
	char thread[16];
	int n;
	void *frame[FRAMES_MAX];
} samples[SAMPLES_MAX];
static atomic_uint n_samples;

static void on_tick(int signal_number, siginfo_t *info, void *context)
{
	unsigned i = atomic_fetch_add(&n_samples, 1);

	(void)signal_number, (void)info;
	if (i >= SAMPLES_MAX)
		return;
	prctl(PR_GET_NAME, samples[i].thread);
	samples[i].n = backtrace(samples[i].frame, FRAMES_MAX);
#ifdef __x86_64__
	/* the interrupted instruction itself, which backtrace() takes for a return address */
	if (samples[i].n > HANDLER_FRAMES)
		samples[i].frame[HANDLER_FRAMES] = (void *)((ucontext_t *)context)->uc_mcontext.gregs[REG_RIP];
#else
	(void)context;
#endif
}

static void timer_start(void)
{
	const struct itimerspec every = {.it_interval.tv_nsec = 1000000, .it_value.tv_nsec = 1000000};
	struct sigevent event = {.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = SIGPROF};
	sigset_t ours;
	timer_t timer;

	sigemptyset(&ours);
	sigaddset(&ours, SIGPROF);
	pthread_sigmask(SIG_UNBLOCK, &ours, NULL); /* threads that poll block whatever signal there is */
	event._sigev_un._tid = (pid_t)syscall(SYS_gettid);
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer) == 0)
		timer_settime(timer, 0, &every, NULL);
}

__attribute__((constructor)) static void sampler_start(void)
{
	struct sigaction action = {.sa_sigaction = on_tick, .sa_flags = SA_RESTART | SA_SIGINFO};
	void *frame[2];

	if (!getenv("SAMPLER_OUTPUT"))
		return;
	unsetenv("LD_PRELOAD"); /* not for its children */
	backtrace(frame, 2);    /* loads what it needs, outside of a handler */
	sigaction(SIGPROF, &action, NULL);
	timer_start();
}

struct start {
	void *(*run)(void *arg);
	void *arg;
};

static void *thread_start(void *arg)
{
	struct start s = *(struct start *)arg;

	free(arg);
	timer_start();
	return s.run(s.arg);
}

/* In place of the C library's, which it calls. */
__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*run)(void *arg),
	void *arg)
{
	int (*real)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
	struct start *s = getenv("SAMPLER_OUTPUT") ? malloc(sizeof(*s)) : NULL;

	*(void **)&real = dlsym(RTLD_NEXT, "pthread_create");
	if (!s)
		return real(thread, attr, run, arg);
	*s = (struct start){run, arg};
	return real(thread, attr, thread_start, s);
}

static void write_frame(FILE *out, const void *address)
{
	Dl_info where;

	if (dladdr(address, &where) && where.dli_fname)
		fprintf(out, " %s+%lx", where.dli_fname, (unsigned long)((uintptr_t)address - (uintptr_t)where.dli_fbase));
	else
		fprintf(out, " ?+%lx", (unsigned long)(uintptr_t)address);
}

__attribute__((destructor)) static void sampler_end(void)
{
	const char *path = getenv("SAMPLER_OUTPUT");
	unsigned n = atomic_load(&n_samples);

	signal(SIGPROF, SIG_IGN);
	FILE *out = path ? fopen(path, "w") : NULL;
	if (!out)
		return;
	for (unsigned i = 0; i < n && i < SAMPLES_MAX; i++) {
		fputs(samples[i].thread, out);
		for (int k = HANDLER_FRAMES; k < samples[i].n; k++)
			write_frame(out, samples[i].frame[k]);
		fputc('\n', out);
	}
	if (n > SAMPLES_MAX)
		fprintf(stderr, "sampler: %u samples had no room\n", n - SAMPLES_MAX);
	fclose(out);
}
