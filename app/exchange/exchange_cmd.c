/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/command.h"
#include "app/config/address.h"
#include "app/config/engine_config.h"
#include "app/exchange/exchange_sock.h"
#include "app/exchange/exchange_stage.h"
#include "app/threads.h"
#include "dataplane/nic/eal.h"
#include "dataplane/nic/port.h"
#include "dataplane/nic/rx_stage.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/mem.h"
#include "pinning/clock.h"

#define STATS_WORDS 1024u
#define STOP_NS UINT64_C(5000000000)
#define QUIET_NS UINT64_C(200000000) /* without a connection, after there was one: everybody has gone */

struct options {
	const char *path, *replay, *ledger, *log;
	unsigned long long speed_pct;
	bool stats, until_quiet;
};

/* Everything that a running exchange consists of. */
struct venue {
	struct config *config;
	struct gn_stats *stats;
	struct gn_wiring *wiring;
	struct gn_port *port;
	struct rx_config rx;
	struct exchange_stage_config stage;
	atomic_bool stop, stopped;
	struct threads threads;
};

static void exchange_usage(FILE *out)
{
	fputs("usage: gannet exchange CONFIG [OPTION...]\n\n"
	      "Runs the simulated exchange until SIGINT or SIGTERM, then closes its day and writes its ledger.\n\n"
	      "  --replay FILE   raw ITCH 5.0 file as background order flow, instead of its own\n"
	      "  --speed N       replay at N times the recorded pace; 0: as fast as possible (default 1)\n"
	      "  --ledger FILE   what it saw of every order, for `gannet reconcile`\n"
	      "  --log FILE      what it must know after a crash; if it is there the day goes on from it\n"
	      "  --until-quiet   close the day when every connection that there was has gone\n"
	      "  --stats         print every counter at the end\n",
		out);
}

static int exchange_parse(int argc, char **argv, struct options *o, bool *done)
{
	static const struct option longs[] = {{"replay", 1, NULL, 'r'}, {"speed", 1, NULL, 's'}, {"ledger", 1, NULL, 'l'}, {"log", 1, NULL, 'g'},
		{"stats", 0, NULL, 'c'}, {"until-quiet", 0, NULL, 'q'}, {"help", 0, NULL, 'h'}, {0}};
	int c;

	*o = (struct options){.speed_pct = 1};
	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 'r': o->replay = optarg; break;
		case 's':
			if (!command_number("--speed", optarg, 10000, &o->speed_pct))
				return EXIT_USAGE;
			break;
		case 'g': o->log = optarg; break;
		case 'l': o->ledger = optarg; break;
		case 'c': o->stats = true; break;
		case 'q': o->until_quiet = true; break;
		case 'h':
			exchange_usage(stdout);
			*done = true;
			return EXIT_OK;
		default: exchange_usage(stderr); return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc) {
		exchange_usage(stderr);
		return EXIT_USAGE;
	}
	o->path = argv[optind];
	o->speed_pct *= 100;
	return EXIT_OK;
}

/* What the command line names takes the place of what the file names; an empty name is none. */
static void set_path(const char **path, const char *named)
{
	if (named || (*path && !**path)) {
		free((void *)(uintptr_t)*path);
		*path = named ? strdup(named) : NULL;
	}
}

static int venue_config(struct venue *v, const struct options *o)
{
	int rc = config_file_load(o->path, &config_schema, (void **)&v->config);

	if (rc < 0)
		return rc;
	if (!v->config->exchange)
		return gn_err(0, "%s:1: exchange: this section is missing", o->path);
	struct exchange_config *c = &v->config->exchange->venue;
	if (c->replay_file && !*c->replay_file) {
		free((void *)(uintptr_t)c->replay_file);
		c->replay_file = NULL;
	}
	if (o->replay) {
		free((void *)(uintptr_t)c->replay_file);
		c->replay_file = strdup(o->replay);
		c->replay_speed_pct = (uint32_t)o->speed_pct;
		c->replay_fast = o->speed_pct == 0;
	}
	set_path(&c->ledger_file, o->ledger);
	set_path(&c->log_file, o->log);
	return 0;
}

static int venue_port(struct venue *v)
{
	const struct exchange_section *s = v->config->exchange;
	const char *const devices[] = {s->device};
	const struct gn_eal_config eal = {.name = v->config->name, .devices = devices, .n_devices = 1};
	struct exchange_config complete;
	struct gn_port_config c = {.device = s->device, .mtu = s->venue.mtu, .node = GN_NODE_ANY};

	/* over shared memory an engine has as many receive queues as its peer can send on, even if that uses only the first */
	if (strncmp(s->device, "net_memif", 9) == 0)
		c.n_tx = 2;
	int rc = exchange_config_complete(&complete, &s->venue);

	if (rc == 0)
		rc = address_mac("exchange.mac", complete.mac, c.mac);
	if (rc == 0)
		rc = gn_eal_init(&eal);
	if (rc < 0)
		return rc;
	v->port = gn_port_open(&c);
	if (!v->port)
		return -EIO;
	v->rx.port = v->port;
	v->stage = (struct exchange_stage_config){.exchange = &s->venue, .tx = gn_port_tx(v->port, 0), .stop = &v->stop,
		.stopped = &v->stopped};
	return 0;
}

static int venue_place(struct venue *v, const char *path)
{
	const struct threads_want want = {.name = "exchange", .core = v->config->exchange->core, .near = -1, .polls = true};
	const struct threads_config c = {.what = path, .want = &want, .n = 1, .allow = GN_ALLOW_ALL, .together = true};
	int rc = threads_place(&v->threads, &c);

	v->threads.remark[0] = '\0'; /* nobody measures the other side */
	return rc;
}

static int venue_wire(struct venue *v)
{
	v->stats = gn_stats_create(NULL, STATS_WORDS);
	v->wiring = v->stats ? gn_wiring_new(NULL, NULL, v->stats) : NULL;
	if (!v->wiring)
		return -ENOMEM;
	int rc = gn_wiring_stage(v->wiring, &gn_stage_rx, "rx0", 0, 0, GN_NODE_ANY, &v->rx);
	if (rc == 0)
		rc = gn_wiring_stage(v->wiring, &gn_stage_exchange, "exchange0", 0, 0, GN_NODE_ANY, &v->stage);
	if (rc == 0)
		rc = gn_wiring_link(v->wiring, "rx_gateway", "rx0", "exchange0", NULL);
	return rc == 0 ? gn_wiring_seal(v->wiring) : rc;
}

/* Every connection that there was has gone, and none came back for a while. */
static bool venue_is_quiet(const struct venue *v, uint64_t *since_ns)
{
	uint64_t up = 0, down = 0, now = gn_clock_now_ns();

	gn_stats_find(v->stats, "exchange0", "tcp_up", &up);
	gn_stats_find(v->stats, "exchange0", "tcp_down", &down);
	if (up == 0 || up != down)
		*since_ns = 0;
	else if (*since_ns == 0)
		*since_ns = now;
	return *since_ns && now - *since_ns > QUIET_NS;
}

static void venue_run(struct venue *v, bool until_quiet)
{
	const struct timespec tick = {.tv_nsec = 1000000};
	uint64_t give_up_ns = 0, quiet_since_ns = 0;

	while (!atomic_load(&v->stopped)) {
		nanosleep(&tick, NULL);
		gn_clock_update();
		if (give_up_ns && gn_clock_now_ns() > give_up_ns)
			break;
		bool enough = atomic_load(&command_interrupted) || (until_quiet && venue_is_quiet(v, &quiet_since_ns));
		if (enough && !give_up_ns) {
			atomic_store(&v->stop, true);
			give_up_ns = gn_clock_now_ns() + STOP_NS;
		}
	}
	threads_stop(&v->threads);
	threads_release(&v->threads);
}

static void venue_print_stats(const struct venue *v)
{
	for (uint32_t i = 0; i < gn_stats_count(v->stats); i++) {
		const struct gn_stats_name *n = gn_stats_name(v->stats, i);
		if (gn_stats_get(v->stats, i))
			printf("%-32s %-28s %16llu  %s\n", n->owner, n->what, (unsigned long long)gn_stats_get(v->stats, i), n->help);
	}
}

static void venue_free(struct venue *v)
{
	gn_wiring_free(v->wiring);
	gn_port_close(v->port);
	gn_stats_close(v->stats);
	config_file_free(&config_schema, v->config);
	free(v);
}

/* The exchange on kernel sockets runs on this thread until it is told to stop. */
static int venue_run_sockets(struct venue *v)
{
	struct exchange_config complete;
	int rc = exchange_config_complete(&complete, &v->config->exchange->venue);
	struct exchange_sock *s = rc == 0 ? exchange_sock_new(&complete) : NULL;

	if (rc == 0 && !s)
		rc = -EIO;
	if (rc == 0) {
		gn_info("exchange %s is open on kernel sockets", v->config->name);
		rc = exchange_sock_run(s, &command_interrupted);
	}
	exchange_sock_free(s);
	return rc;
}

static int venue_start(struct venue *v, const char *path)
{
	int rc = venue_place(v, path);

	if (rc == 0)
		rc = venue_port(v);
	if (rc == 0)
		rc = venue_wire(v);
	if (rc == 0)
		rc = threads_start(&v->threads, v->wiring);
	if (rc == 0)
		gn_info("exchange %s is open on %s", v->config->name, v->config->exchange->device);
	return rc;
}

int exchange_main(int argc, char **argv)
{
	struct options o;
	bool done = false;
	int status = exchange_parse(argc, argv, &o, &done);

	if (status != EXIT_OK || done)
		return status;
	struct venue *v = calloc(1, sizeof(*v));
	command_catch_signals();
	int rc = v ? gn_clock_calibrate() : gn_err(ENOMEM, "exchange");
	if (rc == 0)
		rc = venue_config(v, &o);
	bool sockets = rc == 0 && v->config->exchange->venue.transport == EXCHANGE_TRANSPORT_SOCKETS;
	if (rc == 0)
		rc = sockets ? venue_run_sockets(v) : venue_start(v, o.path);
	if (rc < 0) {
		status = command_failed();
	} else if (!sockets) {
		venue_run(v, o.until_quiet);
		if (!atomic_load(&v->stopped)) {
			gn_error("exchange: the day did not close in time");
			status = EXIT_FAILED;
		}
		if (o.stats)
			venue_print_stats(v);
	}
	if (v)
		venue_free(v);
	return status;
}
