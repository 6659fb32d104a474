/* SPDX-License-Identifier: BSD-3-Clause */
/* A second process that can stop the first. */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "app/command.h"
#include "app/config/address.h"
#include "app/config/engine_config.h"
#include "control_cmd.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/stats.h"
#include "guard_link.h"
#include "guard_watch.h"
#include "kills.h"
#include "place.h"
#include "risk/risk_stage.h"

#define LOOK_NS INT64_C(1000000)
#define ATTACH_NS INT64_C(100000000)
#define GIVE_UP 10u /* times cancel_within_ms */
#define LOGOUT_NS UINT64_C(2000000000)
#define ACCOUNTS_MAX 16u
#define BLOCK_BYTES 4096

struct guard {
	struct config *config;
	struct control_place place;
	int lock;
	struct gn_stats *stats; /* NULL: no engine */
	int pid_fd;
	struct guard_watch watch;
	uint32_t phase, n_open, n_beats, beat[GUARD_BEATS_MAX]; /* words */
	struct guard_link *link[ACCOUNTS_MAX];
	uint32_t n_links;
};

static void guard_usage(FILE *out)
{
	fputs("usage: gannet guard CONFIG [OPTION...]\n\n"
	      "Watches the engine that CONFIG describes, from a process of its own. When the engine dies or one of its "
	      "threads stands\n"
	      "still, it blocks the engine, takes its order sessions over by connections of the kernel, cancels all "
	      "that is open at\n"
	      "the venue, and ends. The engine stays blocked, also over a restart, until `gannet kill --release "
	      "--engine`.\n"
	      "Status 0: all was cancelled (or the engine ended in order, with --once); 1: it could not be.\n\n"
	      "  --once            end with the engine, rather than wait for the next\n"
	      "  --format json     what was done as one JSON line\n",
		out);
}

static uint64_t guard_now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Two guards would take the sessions from each other. */
static int guard_lock(struct guard *g)
{
	char path[PLACE_PATH_BYTES + 8];

	snprintf(path, sizeof(path), "%s.guard", g->place.kills);
	g->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (g->lock < 0)
		return gn_err(errno, "guard: %s", path);
	if (flock(g->lock, LOCK_EX | LOCK_NB) < 0)
		return gn_err(0, "a guard of engine %s runs already", g->place.name);
	return 0;
}

static int guard_add_account(struct guard *g, const struct account_section *a)
{
	struct guard_link_config c = {.name = a->name,
		.dialect = gateway_dialect_find(a->dialect),
		.per_s = a->limits.session_per_s_max,
		.burst = a->limits.session_burst_max};
	struct session_config *s = &c.session;
	int rc = 0;

	if (!c.dialect)
		return gn_err(0, "engine.accounts: %s: there is no dialect %s", a->name, a->dialect);
	for (uint32_t i = 0; rc == 0 && i < a->gateways_count; i++) {
		rc = address_ip("engine.accounts[].gateways[].ip", a->gateways[i].ip, &c.ip[i]);
		c.port[i] = a->gateways[i].port;
	}
	strncpy(s->username, a->username, sizeof(s->username) - 1);
	strncpy(s->password, a->password, sizeof(s->password) - 1);
	s->n_endpoints = a->gateways_count;
	s->heartbeat_ns = a->heartbeat_ns;
	s->dead_ns = a->dead_ns;
	s->login_timeout_ns = a->login_timeout_ns;
	s->tries_max = UINT32_MAX; /* as long as there is time */
	s->backoff_max_ns = UINT64_C(500000000);
	struct guard_link *l = rc == 0 ? malloc(sizeof(*l)) : NULL;
	if (!l)
		return rc < 0 ? rc : gn_err(ENOMEM, "guard");
	g->link[g->n_links++] = l;
	return guard_link_init(l, &c);
}

static int guard_make(struct guard *g, const char *path)
{
	int rc = config_file_load(path, &config_schema, (void **)&g->config);

	if (rc < 0)
		return rc;
	const struct engine_section *s = g->config->engine;
	if (!s)
		return gn_err(0, "%s:1: engine: this section is missing", path);
	g->watch.hang_ns = (uint64_t)s->guard.hang_ms * 1000000;
	rc = control_place(&g->place, g->config->name, true);
	if (rc == 0)
		rc = guard_lock(g);
	for (uint32_t i = 0; rc == 0 && i < s->accounts_count; i++)
		rc = guard_add_account(g, &s->accounts[i]);
	return rc;
}

static void guard_detach(struct guard *g)
{
	gn_stats_close(g->stats);
	g->stats = NULL;
	if (g->pid_fd >= 0)
		close(g->pid_fd);
	g->pid_fd = -1;
	g->watch = (struct guard_watch){.hang_ns = g->watch.hang_ns};
}

static void guard_free(struct guard *g)
{
	guard_detach(g);
	for (uint32_t i = 0; i < g->n_links; i++) {
		guard_link_fini(g->link[i]);
		free(g->link[i]);
	}
	config_file_free(&config_schema, g->config);
	if (g->lock >= 0)
		close(g->lock);
}

/* The words that matter among all that the engine publishes. */
static bool guard_find_words(struct guard *g)
{
	bool phase = false, n_open = false;

	g->n_beats = 0;
	for (uint32_t i = 0; i < gn_stats_count(g->stats); i++) {
		const struct gn_stats_name *n = gn_stats_name(g->stats, i);
		if (strcmp(n->what, "heartbeat_tsc") == 0 && g->n_beats < GUARD_BEATS_MAX)
			g->beat[g->n_beats++] = i;
		if (strcmp(n->owner, "engine") != 0)
			continue;
		if (strcmp(n->what, "phase") == 0)
			g->phase = i, phase = true;
		if (strcmp(n->what, "open") == 0)
			g->n_open = i, n_open = true;
	}
	return phase && n_open;
}

/* The word that the engine's risk stage looks at before every order. Opened only now: an engine makes a new one at start. */
static void guard_set_block(const struct guard *g)
{
	struct stat st;
	int fd = open(g->place.block, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	void *map = fd >= 0 && fstat(fd, &st) == 0 && st.st_size >= BLOCK_BYTES
	                    ? mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)
	                    : MAP_FAILED;

	if (map == MAP_FAILED) {
		gn_error("guard: %s: no such word: the engine cannot be blocked, but its sessions are taken over",
			g->place.block);
	} else {
		atomic_store((_Atomic uint32_t *)map, RISK_BLOCK_GUARD);
		munmap(map, BLOCK_BYTES);
	}
	if (fd >= 0)
		close(fd);
}

/* Find an engine that runs, and hold on to its process: a number alone might be another one's later. */
static bool guard_attach(struct guard *g)
{
	if (access(g->place.stats, R_OK) < 0)
		return false;
	g->stats = gn_stats_open(g->place.stats);
	if (!g->stats)
		return false;
	struct gn_process owner = gn_stats_owner(g->stats);
	g->pid_fd = gn_process_alive(&owner) ? pidfd_open((pid_t)owner.pid, 0) : -1;
	if (g->pid_fd < 0 || !gn_process_alive(&owner) || !guard_find_words(g)) {
		guard_detach(g);
		return false;
	}
	return true;
}

/* Sleep until it is time to look again, or the process ends. */
static bool guard_sleep_alive(struct guard *g, int64_t ns)
{
	struct pollfd p = {.fd = g->pid_fd, .events = POLLIN};
	const struct timespec t = {.tv_nsec = ns};

	return !(ppoll(&p, 1, &t, NULL) > 0 && (p.revents & POLLIN));
}

static enum guard_verdict guard_look(struct guard *g)
{
	struct guard_look look = {.alive = guard_sleep_alive(g, LOOK_NS)};

	look.now_ns = guard_now_ns();
	gn_stats_refresh(g->stats); /* when the file was cut short, the old numbers stand still: that is judged too */
	look.phase = gn_stats_get(g->stats, g->phase);
	look.n_open = gn_stats_get(g->stats, g->n_open);
	look.n_beats = g->n_beats;
	for (uint32_t i = 0; i < g->n_beats; i++)
		look.beat[i] = gn_stats_get(g->stats, g->beat[i]);
	return guard_judge(&g->watch, &look);
}

/* Nothing new may leave it, now or after a restart, before anything is cancelled. */
static void guard_block(struct guard *g, const char *why)
{
	static struct kills kills;
	struct kill_entry e = {.level = RISK_ENGINE, .who = "guard"};
	struct timespec t;

	guard_set_block(g);
	clock_gettime(CLOCK_REALTIME, &t);
	e.at_ns = (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
	snprintf(e.reason, sizeof(e.reason), "%s", why);
	if (kills_load(&kills, g->place.kills) < 0 || kills_add(&kills, &e) < 0)
		gn_error("guard: %s", gn_err_text());
}

static bool guard_turn(struct guard *g)
{
	struct pollfd p[ACCOUNTS_MAX];
	const struct timespec t = {.tv_nsec = LOOK_NS};
	bool clear = true;

	for (uint32_t i = 0; i < g->n_links; i++) {
		short events = POLLIN | (g->link[i]->connecting || g->link[i]->out_bytes ? POLLOUT : 0);
		p[i] = (struct pollfd){.fd = g->link[i]->fd, .events = events};
	}
	ppoll(p, g->n_links, &t, NULL);
	for (uint32_t i = 0; i < g->n_links; i++) {
		guard_link_poll(g->link[i], guard_now_ns());
		clear &= guard_link_clear(g->link[i], guard_now_ns());
	}
	return clear;
}

static void guard_log_out(struct guard *g)
{
	uint64_t end_ns = guard_now_ns() + LOGOUT_NS;
	bool over = false;

	for (uint32_t i = 0; i < g->n_links; i++)
		session_logout(&g->link[i]->session, guard_now_ns());
	while (!over && guard_now_ns() < end_ns) {
		guard_turn(g);
		over = true;
		for (uint32_t i = 0; i < g->n_links; i++)
			over &= session_over(&g->link[i]->session);
	}
}

static void guard_report(const struct guard *g, const char *why, bool json, bool all, uint64_t from_ns, uint64_t to_ns)
{
	uint64_t found = 0, left = 0, cancels = 0, login_ns = 0, last_ns = 0;

	for (uint32_t i = 0; i < g->n_links; i++) {
		const struct guard_link *l = g->link[i];
		found += l->n_found;
		left += l->orders.n + l->orders.n_foreign;
		cancels += l->n_cancels;
		login_ns = l->login_ns > login_ns ? l->login_ns : login_ns;
		last_ns = l->busy_ns > last_ns ? l->busy_ns : last_ns;
	}
	double login_ms = login_ns > from_ns ? (double)(login_ns - from_ns) / 1e6 : 0;
	double clear_ms = (double)((last_ns > from_ns ? last_ns : to_ns) - from_ns) / 1e6;
	if (json)
		printf("{\"ok\":%s,\"engine\":\"%s\",\"why\":\"%s\",\"open_found\":%llu,\"cancels\":%llu,\"open_left\":"
		       "%llu,"
		       "\"login_ms\":%.3f,\"cancelled_ms\":%.3f}\n",
			all ? "true" : "false", g->place.name, why, (unsigned long long)found,
			(unsigned long long)cancels, (unsigned long long)left, login_ms, clear_ms);
	else
		printf("%s: session taken over after %.1f ms, %llu orders open at the venue, %llu cancels, %llu still "
		       "open after %.1f ms\n",
			why, login_ms, (unsigned long long)found, (unsigned long long)cancels, (unsigned long long)left,
			clear_ms);
}

static int guard_fire(struct guard *g, enum guard_verdict v, bool json)
{
	uint64_t from_ns = guard_now_ns();
	uint64_t bound_ns = (uint64_t)g->config->engine->guard.cancel_within_ms * 1000000;
	bool clear = false, late = false;
	char why[120];
	const char *thread = gn_stats_name(g->stats, g->beat[g->watch.hung])->owner;

	if (v == GUARD_HUNG)
		snprintf(why, sizeof(why), "%s of engine %s stands still",
			strcmp(thread, "engine") == 0 ? "cold thread" : thread, g->place.name);
	else
		snprintf(why, sizeof(why), "engine %s died", g->place.name);
	guard_block(g, why);
	gn_error("guard: %s: it is blocked, and its open orders are cancelled", why);
	for (uint32_t i = 0; i < g->n_links; i++)
		guard_link_start(g->link[i], guard_now_ns());
	while (!clear && guard_now_ns() - from_ns < GIVE_UP * bound_ns) {
		clear = guard_turn(g);
		if (!clear && !late && guard_now_ns() - from_ns > bound_ns) {
			late = true;
			gn_error("guard: orders are not cancelled within %u ms; going on",
				g->config->engine->guard.cancel_within_ms);
		}
	}
	guard_report(g, why, json, clear, from_ns, guard_now_ns());
	guard_log_out(g);
	return clear && !late ? EXIT_OK : EXIT_FAILED;
}

static int guard_run(struct guard *g, bool once, bool json)
{
	const struct timespec pause = {.tv_nsec = ATTACH_NS};

	while (!atomic_load(&command_interrupted)) {
		if (!g->stats && !guard_attach(g)) {
			nanosleep(&pause, NULL);
			continue;
		}
		bool was_armed = g->watch.armed;
		enum guard_verdict v = guard_look(g);
		if (!was_armed && g->watch.armed)
			gn_info("guard: watches engine %s", g->place.name);
		if (v == GUARD_HUNG || v == GUARD_DEAD)
			return guard_fire(g, v, json);
		struct gn_process owner = gn_stats_owner(g->stats);
		if (v != GUARD_ENDED && (v != GUARD_ASLEEP || gn_process_alive(&owner)))
			continue;
		if (v == GUARD_ENDED)
			gn_info("guard: engine %s ended in order", g->place.name);
		guard_detach(g);
		if (v == GUARD_ENDED && once)
			return EXIT_OK;
		nanosleep(&pause, NULL);
	}
	return EXIT_OK;
}

int guard_main(int argc, char **argv)
{
	static const struct option longs[] = {
		{"once", 0, NULL, 'o'}, {"format", 1, NULL, 'f'}, {"help", 0, NULL, 'h'}, {0}};
	struct guard g = {.lock = -1, .pid_fd = -1};
	bool once = false, json = false;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		if (c == 'h') {
			guard_usage(stdout);
			return EXIT_OK;
		}
		if (c == 'o')
			once = true;
		else if (c != 'f' || !control_format(optarg, &json))
			return guard_usage(stderr), EXIT_USAGE;
	}
	if (optind + 1 != argc)
		return guard_usage(stderr), EXIT_USAGE;
	command_catch_signals();
	int status = guard_make(&g, argv[optind]) < 0 ? command_failed() : guard_run(&g, once, json);
	guard_free(&g);
	return status;
}
