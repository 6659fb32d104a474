/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "app/exchange/exchange_core.h"
#include "app/exchange/ledger.h"
#include "dataplane/runtime/err.h"

#define NS_PER_MS UINT64_C(1000000)
#define TIMERS_NS (2 * NS_PER_MS)
#define SPIN_SYMBOLS 16u /* instruments announced in one unit of work */
#define CLOSING_NS_MAX (2000 * NS_PER_MS) /* how long clients may take to read their last reports */
#define END_EVERY_NS (20 * NS_PER_MS)

static gn_symbol made_up_symbol(uint32_t i)
{
	gn_symbol s = {.word = 0};

	for (int at = 3; at >= 0; at--, i /= 26)
		s.c[at] = (char)('A' + i % 26);
	return s;
}

static gn_symbol symbol_of(const struct exchange *x, uint32_t i)
{
	if (x->flow_file)
		return flow_file_symbol(x->flow_file, i);
	if (x->config.symbols)
		return gn_symbol_from(x->config.symbols[i], GN_SYMBOL_BYTES);
	return made_up_symbol(i);
}

/* as many symbols around 10 dollars as around 100 */
static uint32_t first_px_e4(const struct exchange *x, struct rng *rng)
{
	double at = rng_below(rng, 1u << 20) / (double)(1u << 20);
	double px_e4 = x->config.px_min_e4 * pow((double)x->config.px_max_e4 / x->config.px_min_e4, at);

	return (uint32_t)px_e4 / FLOW_TICK_E4 * FLOW_TICK_E4;
}

int exchange_symbols_init(struct exchange *x)
{
	struct rng rng = rng_fork(x->config.seed, 0x5b01);

	x->n_symbols = x->flow_file ? flow_file_symbols(x->flow_file) : x->config.n_symbols;
	x->config.n_symbols = x->n_symbols;
	x->symbol = calloc(x->n_symbols, sizeof(*x->symbol));
	x->px_first_e4 = calloc(x->n_symbols, sizeof(*x->px_first_e4));
	x->instruments = gn_instruments_new(x->n_symbols);
	if (!x->symbol || !x->px_first_e4 || !x->instruments)
		return gn_err_in(-ENOMEM, "exchange: %u symbols", x->n_symbols);
	for (uint32_t i = 0; i < x->n_symbols; i++) {
		x->symbol[i] = symbol_of(x, i);
		x->px_first_e4[i] = first_px_e4(x, &rng);
		if (gn_instruments_add(x->instruments, x->symbol[i]) != i)
			return gn_err(EEXIST, "exchange: symbol %u, \"%s\", is there twice", i, gn_symbol_text(x->symbol[i]).c);
	}
	return 0;
}

static int matching_init(struct exchange *x)
{
	struct match_config config = {
		.n_insts = x->n_symbols,
		.orders_max = x->config.orders_max,
		.self_match_prevention = x->config.self_match_prevention,
		.sink = exchange_sink(x),
	};

	x->match = match_new(&config);
	if (!x->match)
		return -ENOMEM;
	if (x->flow_file)
		return flow_file_start(x->flow_file, x->match, x->config.orders_max);
	if (x->config.flow.off)
		return 0;
	x->flow = flow_new(&x->config, x->match, x->px_first_e4);
	return x->flow ? 0 : -ENOMEM;
}

static int replay_init(struct exchange *x)
{
	struct flow_file_sink sink = {.arg = x, .publish = exchange_publish, .state = exchange_state_set};

	if (!x->config.replay_file)
		return 0;
	x->flow_file = flow_file_new(&x->config, &sink);
	return x->flow_file ? 0 : -EINVAL;
}

static void restored(void *arg, uint32_t order)
{
	struct exchange *x = arg;

	ouch42_port_restore(&x->ouch42, order);
}

/* GANNET0001 becomes GANNET0002: a stream that begins again has a name of its own */
static void name_market_data(struct exchange *x)
{
	char *name = x->config.session;

	for (uint32_t n = 1; n < x->log.n_starts; n++) {
		size_t at = strlen(name);
		while (at > 0 && (name[at - 1] < '0' || name[at - 1] >= '9'))
			name[--at] = '0';
		if (at > 0)
			name[at - 1]++;
	}
}

static int log_init(struct exchange *x)
{
	int rc = exchange_log_open(&x->log, x->config.log_file, &x->orders, restored, x);
	uint64_t match = 0;

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < x->orders.clients.n_fills; i++)
		match = x->orders.clients.fill[i].match > match ? x->orders.clients.fill[i].match : match;
	match_number_after(x->match, match);
	x->orders.ns = x->now_ns - x->midnight_ns;
	order_port_end_open(&x->orders, MATCH_WHY_SYSTEM);
	exchange_log_flush(&x->log, &x->orders);
	return 0;
}

static int parts_init(struct exchange *x)
{
	int rc = replay_init(x);

	x->fault.rng = rng_fork(x->config.seed, 0xfa);
	if (rc == 0)
		rc = exchange_symbols_init(x);
	if (rc == 0)
		rc = matching_init(x);
	if (rc == 0)
		rc = order_port_init(&x->orders, &x->config, x->match, x->instruments);
	if (rc == 0)
		rc = ouch42_port_init(&x->ouch42, &x->orders);
	if (rc == 0)
		rc = log_init(x);
	if (rc == 0)
		rc = exchange_sessions_init(x);
	if (rc < 0)
		return rc;
	name_market_data(x);
	return publish_init(&x->publish, &x->config, x->now_ns, x->midnight_ns, x->io.datagram, x->io.arg);
}

struct exchange *exchange_new(const struct exchange_config *config, const struct exchange_io *io, uint64_t now_ns,
	uint64_t midnight_ns)
{
	struct exchange *x = calloc(1, sizeof(*x));

	if (!x)
		return gn_err(ENOMEM, "exchange: state"), NULL;
	x->io = *io;
	x->log.fd = -1;
	x->now_ns = x->phase_ns = x->timers_ns = now_ns;
	x->midnight_ns = midnight_ns;
	if (exchange_config_complete(&x->config, config) < 0 || parts_init(x) < 0) {
		exchange_free(x);
		return NULL;
	}
	return x;
}

void exchange_free(struct exchange *x)
{
	if (!x)
		return;
	exchange_sessions_fini(x);
	exchange_log_close(&x->log);
	ouch42_port_fini(&x->ouch42);
	order_port_fini(&x->orders);
	publish_fini(&x->publish);
	flow_free(x->flow);
	match_free(x->match);
	flow_file_free(x->flow_file);
	gn_instruments_free(x->instruments);
	free(x->symbol);
	free(x->px_first_e4);
	free(x);
}

static void at(struct exchange *x, uint64_t now_ns)
{
	x->now_ns = now_ns;
	x->orders.ns = now_ns - x->midnight_ns;
}

static void finish(struct exchange *x)
{
	publish_flush(&x->publish, x->now_ns);
	exchange_log_flush(&x->log, &x->orders);
	for (uint32_t s = 0; s < EXCHANGE_SERVICES; s++)
		soup_server_pump(&x->service[s], x->now_ns);
}

uint32_t exchange_open(struct exchange *x, enum exchange_service service, void *handle, uint64_t now_ns)
{
	at(x, now_ns);
	if (!x->service[service].conn || x->phase >= EXCHANGE_CLOSING)
		return EXCHANGE_CONN_NONE;
	uint32_t conn = soup_server_open(&x->service[service], handle, now_ns);

	return conn == SOUP_SERVER_CONN_NONE ? EXCHANGE_CONN_NONE : (uint32_t)service * EXCHANGE_CONNS_MAX + conn;
}

void exchange_bytes(struct exchange *x, uint32_t conn, const uint8_t *data, uint32_t bytes, uint64_t now_ns)
{
	at(x, now_ns);
	soup_server_bytes(&x->service[conn / EXCHANGE_CONNS_MAX], conn % EXCHANGE_CONNS_MAX, data, bytes, now_ns);
	finish(x);
}

void exchange_lost(struct exchange *x, uint32_t conn, uint64_t now_ns)
{
	at(x, now_ns);
	soup_server_lost(&x->service[conn / EXCHANGE_CONNS_MAX], conn % EXCHANGE_CONNS_MAX);
	finish(x);
}

uint32_t exchange_request(struct exchange *x, const uint8_t *data, uint32_t bytes, uint8_t *reply, uint64_t now_ns)
{
	at(x, now_ns);
	return publish_reply(&x->publish, data, bytes, reply);
}

static void enter_phase(struct exchange *x, enum exchange_phase phase)
{
	x->phase = phase;
	x->phase_ns = x->now_ns;
	x->next_inst = 0;
}

static bool wait_for_start(struct exchange *x)
{
	const struct exchange_config *c = &x->config;
	bool late = c->start_after_ms && x->now_ns - x->phase_ns >= c->start_after_ms * NS_PER_MS;

	if (!c->start_now && x->sessions < c->start_logins && !late)
		return false;
	x->start_ns = x->now_ns;
	exchange_publish_event(x, 'O');
	order_port_event(&x->orders, 'S');
	enter_phase(x, EXCHANGE_SPIN);
	return true;
}

static void announce(struct exchange *x, gn_inst inst)
{
	struct gn_md md[EXCHANGE_DIRECTORY_MSGS];

	exchange_directory(x, inst, md);
	for (uint32_t i = 0; i < EXCHANGE_DIRECTORY_MSGS; i++)
		exchange_publish(x, inst, &md[i]);
}

static bool spin(struct exchange *x)
{
	enum match_state state = x->config.opening_cross_ms ? MATCH_AUCTION : MATCH_TRADING;

	for (uint32_t i = 0; i < SPIN_SYMBOLS && x->next_inst < x->n_symbols; i++) {
		match_state_set(x->match, x->next_inst, state);
		announce(x, x->next_inst++);
	}
	if (x->next_inst < x->n_symbols)
		return true;
	exchange_publish_event(x, 'S');
	if (!x->config.opening_cross_ms)
		exchange_publish_event(x, 'Q');
	enter_phase(x, EXCHANGE_PRIMING);
	return true;
}

static bool prime(struct exchange *x)
{
	if (x->flow && x->next_inst < x->n_symbols) {
		flow_prime(x->flow, x->next_inst++);
		return true;
	}
	if (x->flow)
		flow_start(x->flow, x->now_ns);
	exchange_faults_start(x);
	enter_phase(x, x->config.opening_cross_ms ? EXCHANGE_OPENING : EXCHANGE_OPEN);
	return true;
}

static bool background(struct exchange *x)
{
	if (x->flow)
		return flow_work(x->flow, x->now_ns);
	return x->flow_file && flow_file_work(x->flow_file, x->now_ns);
}

static bool trade(struct exchange *x)
{
	uint64_t run_ns = x->config.run_ms * NS_PER_MS;

	if (run_ns && x->now_ns - x->start_ns >= run_ns)
		x->stop = true;
	return exchange_faults_work(x) || background(x);
}

static bool close_day(struct exchange *x)
{
	for (uint32_t i = 0; i < x->orders.n_accounts; i++)
		order_port_cancel_all(&x->orders, i, MATCH_WHY_CLOSE);
	for (const char *code = "MEC"; *code; code++)
		exchange_publish_event(x, *code);
	order_port_event(&x->orders, 'E');
	enter_phase(x, EXCHANGE_CLOSING);
	return true;
}

static bool drain(struct exchange *x)
{
	if (!exchange_sessions_drained(x) && x->now_ns - x->phase_ns < CLOSING_NS_MAX)
		return false;
	for (uint32_t s = 0; s < EXCHANGE_SERVICES; s++)
		soup_server_end(&x->service[s], x->now_ns);
	publish_end(&x->publish, x->now_ns);
	enter_phase(x, EXCHANGE_ENDING);
	return true;
}

static bool end(struct exchange *x)
{
	if (x->now_ns - x->phase_ns >= x->config.end_of_session_ns) {
		enter_phase(x, EXCHANGE_STOPPED);
		return true;
	}
	if (x->now_ns - x->publish.sent_ns < END_EVERY_NS)
		return false;
	publish_end(&x->publish, x->now_ns);
	return true;
}

static bool step(struct exchange *x)
{
	bool ready = !x->io.ready || x->io.ready(x->io.arg);

	if (x->stop && x->phase < EXCHANGE_CLOSING)
		return close_day(x);
	switch (x->phase) {
	case EXCHANGE_WAITING: return wait_for_start(x);
	case EXCHANGE_SPIN: return ready && spin(x);
	case EXCHANGE_PRIMING: return ready && prime(x);
	case EXCHANGE_OPENING: return ready && exchange_opening(x) ? true : ready && background(x);
	case EXCHANGE_OPEN: return ready && trade(x);
	case EXCHANGE_CLOSING: return drain(x);
	case EXCHANGE_ENDING: return end(x);
	case EXCHANGE_STOPPED: break;
	}
	return false;
}

static bool timers(struct exchange *x)
{
	if (x->now_ns - x->timers_ns < TIMERS_NS)
		return false;
	x->timers_ns = x->now_ns;
	for (uint32_t s = 0; s < EXCHANGE_SERVICES; s++)
		soup_server_timers(&x->service[s], x->now_ns);
	return false; /* the next unit of work need not wait */
}

bool exchange_work(struct exchange *x, uint64_t now_ns)
{
	at(x, now_ns);
	timers(x);
	bool did = x->phase < EXCHANGE_ENDING && publish_work(&x->publish, now_ns);

	did = did || step(x);
	finish(x);
	return did;
}

uint64_t exchange_due_ns(const struct exchange *x)
{
	uint64_t timers_ns = x->timers_ns + TIMERS_NS, due_ns = timers_ns;

	if (x->phase == EXCHANGE_SPIN || x->phase == EXCHANGE_PRIMING || x->phase == EXCHANGE_OPENING)
		return x->now_ns;
	if (x->phase != EXCHANGE_OPEN)
		return timers_ns;
	if (x->flow)
		due_ns = flow_due_ns(x->flow);
	if (x->flow_file)
		due_ns = flow_file_due_ns(x->flow_file);
	return due_ns < timers_ns ? due_ns : timers_ns;
}

void exchange_stop(struct exchange *x)
{
	x->stop = true;
}

enum exchange_phase exchange_phase(const struct exchange *x)
{
	return x->phase;
}

int exchange_ledger(const struct exchange *x)
{
	return x->config.ledger_file ? ledger_write_file(&x->orders, x->config.ledger_file) : 0;
}

const struct exchange_config *exchange_config(const struct exchange *x)
{
	return &x->config;
}

const struct match *exchange_match(const struct exchange *x)
{
	return x->match;
}

const struct gn_instruments *exchange_instruments(const struct exchange *x)
{
	return x->instruments;
}

const struct order_port *exchange_orders(const struct exchange *x)
{
	return &x->orders;
}

struct exchange_counts exchange_counts(const struct exchange *x)
{
	struct exchange_counts n = {
		.now_ns = x->now_ns,
		.phase = x->phase,
		.n_symbols = x->n_symbols,
		.sessions = x->sessions,
		.match = match_counts(x->match),
		.publish = x->publish.n,
		.orders = x->orders.n,
		.faults = x->fault.n,
	};

	if (x->flow)
		n.flow = flow_counts(x->flow);
	if (x->flow_file)
		n.flow_file = flow_file_counts(x->flow_file);
	for (uint32_t i = 0; i < x->publish.lines.n_lines; i++)
		n.line[i] = x->publish.lines.line[i].n;
	for (uint32_t i = 0; i < EXCHANGE_SERVICES; i++)
		n.service[i] = x->service[i].n;
	return n;
}
