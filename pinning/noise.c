/* SPDX-License-Identifier: BSD-3-Clause */
#include "noise.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpu_list.h"
#include "dataplane/runtime/err.h"
#include "sys_file.h"

#define INSTANCE "gannet-jitter-"
#define EVENTS_MAX ((size_t)1 << 20)
#define EVENT_NAME_BYTES 40u
#define LINE_BYTES 512u
#define READ_BYTES ((size_t)64 << 10)
#define CAUSES_MAX 6

/* Where "local_timer_entry" and its like happen the interrupt is named by the event itself. */
static const char *const events[] = {"irq_vectors/local_timer_entry", "irq_vectors/reschedule_entry",
	"irq_vectors/call_function_entry", "irq_vectors/call_function_single_entry", "irq_vectors/irq_work_entry",
	"irq_vectors/thermal_apic_entry", "irq_vectors/x86_platform_ipi_entry", "irq/irq_handler_entry", "irq/softirq_entry",
	"nmi/nmi_handler", "sched/sched_switch", "exceptions/page_fault_user", "exceptions/page_fault_kernel",
	"osnoise/irq_noise", "osnoise/softirq_noise", "osnoise/nmi_noise", "osnoise/thread_noise"};

struct event {
	uint64_t tsc;
	int16_t core;
	char name[EVENT_NAME_BYTES];
};

struct gn_noise {
	char base[PATH_MAX / 2]; /* of tracefs */
	char instance[PATH_MAX / 2 + 64];
	int mount_fd, pipe_fd;
	struct event *event;
	size_t n, max;
	uint64_t n_lost;
	char line[LINE_BYTES]; /* the part of a line that came last */
	size_t line_bytes;
};

/* tracefs of our own, gone with its descriptor: no path of the machine changes. */
static int private_mount(void)
{
	char folder[] = "/tmp/gannet-trace-XXXXXX";

	if (!mkdtemp(folder))
		return -errno;
	int fd = -EPERM;
	if (mount("none", folder, "tracefs", 0, NULL) == 0) {
		fd = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
		umount2(folder, MNT_DETACH);
	}
	rmdir(folder);
	return fd;
}

static int base_find(struct gn_noise *n, const char *root)
{
	static const char *const places[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing"};

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(n->base, sizeof(n->base), "%s%s", root, places[i]);
		if (gn_sys_exists(n->base, "/instances"))
			return 0;
	}
	n->mount_fd = root[0] ? -ENOENT : private_mount();
	if (n->mount_fd < 0)
		return gn_err(-n->mount_fd, "trace: tracefs is not mounted, and cannot be (CAP_SYS_ADMIN)");
	snprintf(n->base, sizeof(n->base), "/proc/self/fd/%d", n->mount_fd);
	return gn_sys_exists(n->base, "/instances") ? 0 : gn_err(ENOENT, "trace: the kernel's tracer knows no instances");
}

/* Left behind by a process that was killed. */
static void stale_remove(const struct gn_noise *n)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/instances", n->base);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (strncmp(e->d_name, INSTANCE, strlen(INSTANCE)) != 0)
			continue;
		int pid = atoi(e->d_name + strlen(INSTANCE));
		snprintf(path, sizeof(path), "%s/instances/%.64s", n->base, e->d_name);
		if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
			rmdir(path);
	}
	if (dir)
		closedir(dir);
}

/* osnoise names what it measures more exactly; its own measuring threads must not run beside ours. */
static void osnoise_use(const struct gn_noise *n)
{
	char text[GN_SYS_TEXT_BYTES];

	if (gn_sys_read(n->base, "/osnoise/options", text, sizeof(text)) <= 0 || !strstr(text, "OSNOISE_WORKLOAD"))
		return;
	if (strstr(text, "NO_OSNOISE_WORKLOAD") || gn_sys_write(n->base, "/osnoise/options", "NO_OSNOISE_WORKLOAD") == 0)
		gn_sys_write(n->instance, "/current_tracer", "osnoise");
}

static int instance_set_up(const struct gn_noise *n, const cpu_set_t *cores)
{
	char path[128], text[256];
	int n_on = 0;

	int rc = gn_sys_write(n->instance, "/trace_clock", "x86-tsc");
	if (rc == 0 && gn_sys_read(n->instance, "/trace_clock", text, sizeof(text)) > 0 && strchr(text, '[')) {
		gn_sys_chosen(text);
		rc = strcmp(text, "x86-tsc") == 0 ? 0 : gn_err(0, "trace: the clock is %s", text);
	}
	if (rc == 0)
		rc = gn_sys_write(n->instance, "/tracing_cpumask", gn_cpus_mask_text(cores).c);
	if (rc < 0)
		return gn_err_in(rc, "trace");
	gn_sys_write(n->instance, "/buffer_size_kb", "1024");
	osnoise_use(n);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		snprintf(path, sizeof(path), "/events/%s/enable", events[i]);
		n_on += gn_sys_exists(n->instance, path) && gn_sys_write(n->instance, path, "1") == 0;
	}
	return n_on ? 0 : gn_err(ENOENT, "trace: the kernel has none of the events");
}

struct gn_noise *gn_noise_begin(const char *root, const cpu_set_t *cores)
{
	struct gn_noise *n = calloc(1, sizeof(*n));
	char path[PATH_MAX];

	if (!n) {
		gn_err(ENOMEM, "trace");
		return NULL;
	}
	n->mount_fd = n->pipe_fd = -1;
	if (base_find(n, root) < 0)
		goto fail;
	stale_remove(n);
	snprintf(n->instance, sizeof(n->instance), "%s/instances/" INSTANCE "%d", n->base, (int)getpid());
	if (mkdir(n->instance, 0700) < 0 && errno != EEXIST) {
		gn_err(errno, "trace: make %s", n->instance);
		n->instance[0] = '\0';
		goto fail;
	}
	if (instance_set_up(n, cores) < 0)
		goto fail;
	snprintf(path, sizeof(path), "%s/trace_pipe", n->instance);
	n->pipe_fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (n->pipe_fd >= 0)
		return n;
	gn_err(errno, "trace: open %s", path);
fail:
	gn_noise_end(n);
	return NULL;
}

/* "[000] d..2. 456339442699917: " at some place of a line: core and time; NULL when it is none. */
static const char *stamp_parse(const char *at, int *core, uint64_t *tsc)
{
	char *end;

	if (!isdigit((unsigned char)at[1]))
		return NULL;
	long c = strtol(at + 1, &end, 10);
	if (end - at < 4 || *end != ']' || c >= CPU_SETSIZE)
		return NULL;
	at = end + 1 + strspn(end + 1, " ");
	at += strcspn(at, " ");
	at += strspn(at, " ");
	if (!isdigit((unsigned char)*at))
		return NULL;
	*tsc = strtoull(at, &end, 10);
	*core = (int)c;
	return end[0] == ':' && end[1] == ' ' ? end + 2 : NULL;
}

/* Copies a word up to any of `stop`, with something before it. */
static void name_word(char *name, const char *before, const char *word, const char *stop)
{
	snprintf(name, EVENT_NAME_BYTES, "%s%.*s", before, (int)strcspn(word, stop), word);
}

static const char *value_of(const char *args, const char *key)
{
	const char *at = strstr(args, key);

	return at ? at + strlen(key) : NULL;
}

/* What an event means, in words; false: nothing that takes a core away. */
static bool event_name(char *name, const char *event, const char *args)
{
	const char *value;

	if (strncmp(event, "sched_switch:", 13) == 0) {
		value = value_of(args, "next_comm=");
		if (!value || strncmp(value, "jitter", 6) == 0)
			return false;
		const char *end = strstr(value, " next_pid=");
		snprintf(name, EVENT_NAME_BYTES, "thread %.*s", (int)(end ? end - value : 15), value);
	} else if (strncmp(event, "softirq_entry:", 14) == 0) {
		value = value_of(args, "action=");
		name_word(name, "softirq ", value ? value : "?", "] \t");
	} else if (strncmp(event, "irq_handler_entry:", 18) == 0) {
		value = value_of(args, "name=");
		name_word(name, "interrupt ", value ? value : "?", " \t");
	} else if (strncmp(event, "nmi_handler:", 12) == 0) {
		name_word(name, "nmi", "", "");
	} else if (strstr(event, "_noise:") && strstr(event, "_noise:") < strchr(event, ':') + 1) {
		name_word(name, "", args, " \t");
		char *number = strrchr(name, ':'); /* of the interrupt or of the process */
		if (number)
			*number = '\0';
	} else {
		const char *end = strstr(event, "_entry:");
		name_word(name, "", event, end && end < strchr(event, ':') ? ":" : ": ");
		if (end && end < strchr(event, ':') && (size_t)(end - event) < EVENT_NAME_BYTES)
			name[end - event] = '\0';
	}
	return name[0] != '\0';
}

static bool event_parse(struct event *e, const char *line)
{
	for (const char *at = strchr(line, '['); at; at = strchr(at + 1, '[')) {
		int core;
		const char *event = stamp_parse(at, &core, &e->tsc);
		const char *args = event ? strstr(event, ": ") : NULL;
		if (!args)
			continue;
		e->core = (int16_t)core;
		return event_name(e->name, event, args + 2 + strspn(args + 2, " "));
	}
	return false;
}

static void event_take(struct gn_noise *n, const char *line)
{
	struct event e = {.core = -1};

	if (!event_parse(&e, line))
		return;
	if (n->n == n->max) {
		size_t max = n->max ? n->max * 2 : 4096;
		struct event *more = max <= EVENTS_MAX ? realloc(n->event, max * sizeof(*more)) : NULL;
		if (!more) {
			n->n_lost++;
			return;
		}
		n->event = more;
		n->max = max;
	}
	n->event[n->n++] = e;
}

static void text_take(struct gn_noise *n, const char *text, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (text[i] != '\n') {
			if (n->line_bytes < LINE_BYTES - 1)
				n->line[n->line_bytes++] = text[i] ? text[i] : '?';
			continue;
		}
		n->line[n->line_bytes] = '\0';
		unsigned long lost;
		const char *at = strstr(n->line, "[LOST ");
		if (at && sscanf(at, "[LOST %lu EVENTS]", &lost) == 1)
			n->n_lost += lost;
		event_take(n, n->line);
		n->line_bytes = 0;
	}
}

void gn_noise_drain(struct gn_noise *n)
{
	static char text[READ_BYTES]; /* cold, one at a time */
	ssize_t got;

	while ((got = read(n->pipe_fd, text, sizeof(text))) > 0)
		text_take(n, text, (size_t)got);
}

/* The names of a gap, each once, in the order in which they came. */
static bool cause_is_new(char (*seen)[EVENT_NAME_BYTES], int n_seen, const char *name)
{
	for (int i = 0; i < n_seen; i++)
		if (strcmp(seen[i], name) == 0)
			return false;
	return true;
}

bool gn_noise_cause(const struct gn_noise *n, int core, uint64_t from_tsc, uint64_t to_tsc, char *text, size_t text_bytes)
{
	char seen[CAUSES_MAX][EVENT_NAME_BYTES];
	int n_seen = 0;
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < n->n && n_seen < CAUSES_MAX; i++) {
		const struct event *e = &n->event[i];
		if (e->core != core || e->tsc < from_tsc || e->tsc > to_tsc || !cause_is_new(seen, n_seen, e->name))
			continue;
		memcpy(seen[n_seen++], e->name, sizeof(e->name));
		if (used + strlen(e->name) + 3 < text_bytes)
			used += (size_t)snprintf(text + used, text_bytes - used, "%s%s", used ? ", " : "", e->name);
	}
	return n_seen > 0;
}

uint64_t gn_noise_events(const struct gn_noise *n, uint64_t *n_lost)
{
	*n_lost = n->n_lost;
	return n->n;
}

void gn_noise_end(struct gn_noise *n)
{
	if (!n)
		return;
	if (n->pipe_fd >= 0)
		close(n->pipe_fd);
	if (n->instance[0])
		rmdir(n->instance); /* and with it every event of it */
	if (n->mount_fd >= 0)
		close(n->mount_fd);
	free(n->event);
	free(n);
}
