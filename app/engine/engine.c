/* SPDX-License-Identifier: BSD-3-Clause */
#include "engine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "dataplane/nic/eal.h"
#include "dataplane/runtime/log.h"
#include "dataplane/runtime/mem.h"
#include "parts.h"
#include "pinning/clock.h"
#include "pinning/quiet.h"
#include "restart.h"

#define STATS_WORDS 16384u
#define CLOCK_UPDATE_NS UINT64_C(100000000)
#define CANCEL_NS UINT64_C(3000000000) /* how long a clean stop waits for cancels, and then for log-outs */
#define LOGOUT_NS UINT64_C(3000000000)
#define CLOSING_NS UINT64_C(300000000) /* for TCP to close on both sides */

/* How far a clean stop has come. */
enum stop_phase { RUNNING, CANCELLING, LOGGING_OUT, CLOSING, STOPPED };

struct engine {
	struct config *config;
	struct topology_config *topology;
	char *topology_path, *journal_path;
	struct parts parts;
	struct restart restart;
	struct gn_instruments *instruments;
	struct gn_board board;
	struct control_place place;
	struct gn_stats *stats;
	struct figures figures;
	struct gn_wiring *wiring;
	struct gn_port *port;
	struct risk_control *control;
	struct latency *latency;
	struct threads threads;
	struct gn_quiet quiet;
	bool running;
	uint64_t quarantined;
	uint32_t n_failed; /* order sessions that were said to have failed */
	uint64_t clock_next_ns;
	enum stop_phase phase;
	uint64_t phase_end_ns;
	char trouble[160];
};

static int engine_load(struct engine *e, const struct engine_options *o)
{
	int rc = config_file_load(o->config_path, &config_schema, (void **)&e->config);

	if (rc < 0)
		return rc;
	if (!e->config->engine)
		return gn_err(0, "%s:1: engine: this section is missing", o->config_path);
	e->topology_path = o->topology_path ? strdup(o->topology_path)
					    : config_file_relative(o->config_path, e->config->engine->topology);
	if (!e->topology_path)
		return gn_err(ENOMEM, "engine");
	rc = config_file_load(e->topology_path, &topology_schema, (void **)&e->topology);
	if (rc == 0)
		topology_counts(e->topology, e->config->engine);
	return rc;
}

static int engine_journal(struct engine *e, const struct engine_options *o)
{
	const char *path = o->journal_path ? o->journal_path : e->config->engine->journal.path;
	int n = *path ? asprintf(&e->journal_path, "%s", path)
		      : asprintf(&e->journal_path, "%s/gannet-%s-%llu.journal", o->output_folder ? o->output_folder : ".",
				e->config->name, (unsigned long long)gn_clock_now_ns());

	if (n < 0) {
		e->journal_path = NULL;
		return gn_err(ENOMEM, "engine");
	}
	e->parts.journal.file.path = e->journal_path;
	e->parts.journal.file.resume = *path != '\0';
	int rc = 0;
	if (*path)
		rc = restart_load(&e->restart, e->journal_path, e->config->engine->recovery, &e->parts, e->instruments);
	restart_oids(&e->restart, &e->parts);
	return rc;
}

static int engine_tables(struct engine *e)
{
	uint32_t max = e->config->engine->book.instruments_max;

	e->instruments = gn_instruments_new(max);
	if (!e->instruments)
		return -ENOMEM;
	int rc = gn_board_init(&e->board, max, GN_NODE_ANY);
	if (rc < 0)
		return rc;
	rc = control_place(&e->place, e->config->name, true);
	if (rc < 0)
		return rc;
	e->stats = gn_stats_create(e->place.stats, STATS_WORDS);
	return e->stats ? 0 : -EEXIST;
}

static int engine_place_threads(struct engine *e)
{
	struct threads_want want[GN_THREADS_MAX];
	const struct threads_config c = {.what = e->topology_path, .want = want, .n = e->topology->threads_count,
		.allow = e->topology->allow, .device = e->config->engine->port.device};

	topology_wants(e->topology, &e->parts.shape, want);
	return threads_place(&e->threads, &c);
}

static void engine_steer(struct engine *e)
{
	static const char *const how[] = {[GN_PORT_BY_DRIVER] = "as its driver has it", [GN_PORT_BY_HASH] = "spread by hash",
		[GN_PORT_BY_RULE] = "the lines by the later ones, all else by the first"};

	if (e->parts.n_flows)
		gn_info("port %s: %u receive queues: %s", gn_port_device(e->port), e->parts.shape.n_rx,
			how[gn_port_steer(e->port, e->parts.flow, e->parts.n_flows)]);
}

static int engine_port(struct engine *e)
{
	const struct port_section *s = &e->config->engine->port;
	const char *const devices[] = {s->device};
	const struct gn_eal_config eal = {.name = e->config->name, .devices = devices, .n_devices = 1};
	struct gn_port_config c = {.device = s->device, .mtu = s->mtu, .n_rx = s->rx_queues, .node = GN_NODE_ANY};

	memcpy(c.mac, e->parts.gateway.stack.mac, sizeof(c.mac));
	int rc = gn_eal_init(&eal);
	if (rc < 0)
		return rc;
	e->port = gn_port_open(&c);
	if (!e->port)
		return -EIO;
	for (uint32_t q = 0; q < e->parts.shape.n_rx; q++)
		e->parts.rx[q].port = e->port;
	engine_steer(e);
	e->parts.gateway.stack.tx = gn_port_tx(e->port, 0);
	memcpy(e->parts.gateway.stack.mac, gn_port_mac(e->port), sizeof(e->parts.gateway.stack.mac));
	return 0;
}

static int engine_wire(struct engine *e)
{
	e->wiring = gn_wiring_new(e->instruments, &e->board, e->stats);
	if (!e->wiring)
		return -ENOMEM;
	int rc = topology_wire(e->wiring, e->topology_path, e->topology, &e->parts.shape, &e->parts.configs,
		e->threads.node);
	if (rc == 0)
		rc = threads_publish(&e->threads, e->stats);
	if (rc == 0)
		rc = figures_init(&e->figures, e->stats, e->parts.strategy_name, e->parts.shape.n_strategies);
	if (rc == 0)
		rc = gn_wiring_seal(e->wiring);
	if (rc == 0)
		e->latency = latency_new(e->wiring, 1e9 / (double)gn_clock_ticks_from_ns(1000000000));
	return rc < 0 || e->latency ? rc : -ENOMEM;
}

static void engine_panic(void *arg)
{
	risk_control_panic(arg);
}

static int engine_make(struct engine *e, const struct engine_options *o)
{
	int rc = gn_clock_calibrate();

	if (rc == 0)
		rc = engine_load(e, o);
	if (rc == 0)
		rc = engine_tables(e);
	if (rc == 0)
		rc = parts_make(&e->parts, o->config_path, e->config->engine, e->instruments);
	if (rc < 0)
		return gn_err_in(rc, "%s", o->config_path);
	rc = topology_check(e->topology_path, e->topology, &e->parts.shape);
	if (rc == 0)
		rc = engine_place_threads(e);
	if (rc == 0)
		rc = engine_journal(e, o);
	e->control = risk_control_new();
	if (rc == 0 && !e->control)
		rc = -ENOMEM;
	e->parts.risk.control = e->control;
	if (rc == 0)
		rc = engine_port(e);
	if (rc == 0)
		rc = engine_wire(e);
	if (rc == 0)
		rc = restart_apply(&e->restart, risk_stage_core(gn_wiring_ctx(e->wiring, "risk0")));
	if (rc == 0)
		gn_assert_hook(engine_panic, e->control);
	return rc;
}

struct engine *engine_new(const struct engine_options *o)
{
	struct engine *e = calloc(1, sizeof(*e));

	if (!e) {
		gn_err(ENOMEM, "engine");
		return NULL;
	}
	e->quiet.latency_fd = -1;
	if (engine_make(e, o) == 0)
		return e;
	engine_free(e);
	return NULL;
}

/* As the config says; `gannet capture` asks for others while the engine runs. */
static int engine_capture_begin(struct engine *e)
{
	const struct capture_section *s = &e->config->engine->capture;
	struct pcapng_want want = {.rotate_bytes = s->rotate_bytes, .files_max = s->files_max, .snap_bytes = s->snap_bytes};

	if (*s->path == '\0')
		return 0;
	strncpy(want.path, s->path, sizeof(want.path) - 1);
	return capture_begin(&e->parts.capture_control, &want);
}

int engine_start(struct engine *e)
{
	int rc = gn_port_wait_up(e->port, e->config->engine->port.peer_wait_ms, NULL);

	if (rc == 0)
		rc = engine_capture_begin(e);
	if (rc < 0)
		return rc;
	gn_quiet_begin(&e->quiet);
	rc = threads_start(&e->threads, e->wiring);
	e->running = rc == 0;
	if (rc == 0 && e->quiet.why[0])
		gn_warn("%s", e->quiet.why);
	if (rc == 0)
		threads_memory_check(e->wiring);
	return rc;
}

/* A strategy that a book has cut off because it did not keep up: its orders must go. */
static void engine_watch_quarantine(struct engine *e)
{
	uint64_t now = 0;
	char name[32];

	for (uint32_t i = 0; i < e->parts.shape.n_shards; i++) {
		snprintf(name, sizeof(name), "book%u", i);
		now |= book_stage_quarantined(gn_wiring_ctx(e->wiring, name));
	}
	for (uint64_t fresh = now & ~e->quarantined; fresh; fresh &= fresh - 1) {
		uint32_t strategy = (uint32_t)__builtin_ctzll(fresh);
		if (risk_control_quarantine(e->control, strategy) == 0) {
			e->quarantined |= UINT64_C(1) << strategy;
			gn_error("strategy %s does not keep up: blocked, its orders are cancelled", engine_strategy_name(e, strategy));
		}
	}
}

/* Given up for good, with orders perhaps open: that needs a person, who should not have to look into the journal. */
static void engine_watch_sessions(struct engine *e)
{
	uint32_t n = atomic_load_explicit(&e->parts.gateway_control.n_failed, memory_order_acquire);

	if (n > e->n_failed)
		gn_error("%u order sessions have failed and will not try again: `gannet journal print %s` says why", n,
			e->journal_path);
	e->n_failed = n;
}

void engine_tend(struct engine *e)
{
	uint64_t now = gn_clock_now_ns();
	struct risk_snapshot s;

	engine_snapshot(e, &s);
	figures_tick(&e->figures, &s,
		!e->running ? ENGINE_STARTING : e->phase == RUNNING ? ENGINE_RUNNING : ENGINE_STOPPING);
	latency_collect(e->latency);
	engine_watch_quarantine(e);
	engine_watch_sessions(e);
	threads_tend(&e->threads);
	if (now >= e->clock_next_ns) {
		gn_clock_update();
		gn_port_clock_keep_up(e->port);
		e->clock_next_ns = now + CLOCK_UPDATE_NS;
	}
}

void engine_stop_begin(struct engine *e)
{
	if (e->phase != RUNNING)
		return;
	e->phase = CANCELLING;
	e->phase_end_ns = gn_clock_now_ns() + CANCEL_NS;
	/* the switch first: nothing new may follow the cancels */
	risk_control_kill(e->control, RISK_ENGINE, 0, RESTART_CLEAN_STOP);
}

static bool orders_are_gone(const struct engine *e, struct risk_snapshot *s)
{
	engine_snapshot(e, s);
	return s->n_published && s->n_kills && s->n_open == 0 && s->n_waiting == 0;
}

bool engine_stopped(struct engine *e)
{
	uint64_t now = gn_clock_now_ns();
	struct risk_snapshot s;

	if (e->phase == CANCELLING) {
		bool gone = orders_are_gone(e, &s);
		if (!gone && now < e->phase_end_ns)
			return false;
		if (!gone)
			snprintf(e->trouble, sizeof(e->trouble), "%llu orders are still open", (unsigned long long)s.n_open);
		gateway_request_logout(&e->parts.gateway_control);
		e->phase = LOGGING_OUT;
		e->phase_end_ns = now + LOGOUT_NS;
	}
	if (e->phase == LOGGING_OUT) {
		bool over = gateway_is_over(&e->parts.gateway_control);
		if (!over && now < e->phase_end_ns)
			return false;
		if (!over && !*e->trouble)
			snprintf(e->trouble, sizeof(e->trouble), "an order session did not close in time");
		e->phase = CLOSING;
		e->phase_end_ns = now + CLOSING_NS;
	}
	if (e->phase == CLOSING && now >= e->phase_end_ns)
		e->phase = STOPPED;
	return e->phase == STOPPED;
}

void engine_halt(struct engine *e)
{
	if (!e->running)
		return;
	figures_phase(&e->figures, ENGINE_HALTED);
	threads_stop(&e->threads);
	e->running = false;
	latency_collect(e->latency);
}

bool engine_free(struct engine *e)
{
	bool clean = !*e->trouble;

	engine_halt(e);
	threads_release(&e->threads);
	gn_quiet_end(&e->quiet);
	gn_assert_hook(NULL, NULL);
	latency_free(e->latency);
	gn_wiring_free(e->wiring);
	risk_control_free(e->control);
	gn_port_close(e->port);
	gn_stats_close(e->stats);
	gn_board_fini(&e->board);
	gn_instruments_free(e->instruments);
	restart_free(&e->restart);
	parts_free(&e->parts);
	config_file_free(&topology_schema, e->topology);
	config_file_free(&config_schema, e->config);
	free(e->topology_path);
	free(e->journal_path);
	free(e);
	return clean;
}

const char *engine_name(const struct engine *e)
{
	return e->config->name;
}

const char *engine_journal_path(const struct engine *e)
{
	return e->journal_path;
}

struct capture_control *engine_capture(struct engine *e)
{
	return &e->parts.capture_control;
}

const char *engine_topology_path(const struct engine *e)
{
	return e->topology_path;
}

struct gn_stats *engine_stats(const struct engine *e)
{
	return e->stats;
}

void engine_clock(const struct engine *e, struct gn_clock_report *out)
{
	gn_clock_report_read(out, &e->threads.tsc);
}

bool engine_port_clock(const struct engine *e, struct gn_clock_status *out)
{
	return gn_port_clock(e->port, out);
}

struct latency *engine_latency(const struct engine *e)
{
	return e->latency;
}

void engine_snapshot(const struct engine *e, struct risk_snapshot *out)
{
	risk_control_snapshot(e->control, out);
}

uint32_t engine_strategies(const struct engine *e)
{
	return e->parts.shape.n_strategies;
}

const char *engine_strategy_name(const struct engine *e, uint32_t strategy)
{
	return e->parts.strategy_name[strategy];
}

const struct gn_wiring *engine_wiring(const struct engine *e)
{
	return e->wiring;
}

struct risk_control *engine_control(const struct engine *e)
{
	return e->control;
}

const struct engine_section *engine_section(const struct engine *e)
{
	return e->config->engine;
}

struct gn_instruments *engine_instruments(const struct engine *e)
{
	return e->instruments;
}

struct figures *engine_figures(struct engine *e)
{
	return &e->figures;
}

const struct control_place *engine_place(const struct engine *e)
{
	return &e->place;
}

bool engine_is_stopping(const struct engine *e)
{
	return e->phase != RUNNING;
}

const char *engine_stop_trouble(const struct engine *e)
{
	return e->trouble;
}
