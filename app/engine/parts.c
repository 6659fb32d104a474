/* SPDX-License-Identifier: BSD-3-Clause */
#include "parts.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "app/config/address.h"
#include "app/engine/strategy_path.h"
#include "pinning/clock.h"

static gn_symbol symbol_of(const char *text)
{
	return gn_symbol_from(text, strlen(text));
}

static int add_instrument(struct gn_instruments *t, const char *symbol, gn_inst *inst)
{
	*inst = t ? gn_instruments_add(t, symbol_of(symbol)) : 0;
	if (*inst == GN_INST_NONE)
		return gn_err(ENOSPC, "instrument %s: engine.book.instruments_max is %u", symbol, gn_instruments_max(t));
	return 0;
}

/* Answers to requests for lost messages come to our own address, as one more line of the feed. */
static int make_reply_line(struct parts *p, const struct engine_section *s)
{
	const struct feed_section *f = &s->feed;
	uint32_t own;

	if (f->request_servers_count == 0)
		return 0;
	if (f->lines_count >= ARBITER_LINES_MAX)
		return gn_err(0, "engine.feed.request_servers: %u lines leave none for the answers", f->lines_count);
	int rc = address_ip("engine.port.ip", s->port.ip, &own);
	p->subscription[f->lines_count] = (struct rx_subscription){own, f->request_port, (uint16_t)f->lines_count};
	p->rx[0].n_subscriptions++;
	return rc;
}

static int make_servers(const char *where, const struct server_section *from, uint32_t n, struct feed_server *out)
{
	int rc = 0;

	for (uint32_t i = 0; rc == 0 && i < n; i++) {
		uint32_t ip;
		rc = address_ip(where, from[i].ip, &ip);
		out[i] = (struct feed_server){.ip = ip, .port = from[i].port};
	}
	return rc;
}

static int make_recovery(struct feed_config *c, const struct feed_section *f)
{
	struct recovery_config *r = &c->recovery;
	int rc = make_servers("engine.feed.request_servers[].ip", f->request_servers, f->request_servers_count,
		r->rerequest.server);

	if (rc == 0)
		rc = make_servers("engine.feed.snapshot_servers[].ip", f->snapshot_servers, f->snapshot_servers_count,
			r->snapshot.server);
	r->rerequest.n_servers = f->request_servers_count;
	r->snapshot.n_servers = f->snapshot_servers_count;
	strncpy(r->snapshot.username, f->snapshot_username, sizeof(r->snapshot.username) - 1);
	strncpy(r->snapshot.password, f->snapshot_password, sizeof(r->snapshot.password) - 1);
	if (f->request_servers_count) {
		r->port_own = f->request_port;
		c->reply_lines = 1u << f->lines_count;
		c->n_lines++;
	}
	return rc;
}

static int make_rx(struct parts *p, const struct feed_section *f)
{
	for (uint32_t i = 0; i < f->lines_count; i++) {
		int rc = address_ip("engine.feed.lines[].group", f->lines[i].group, &p->group[i]);
		if (rc < 0)
			return rc;
		if (p->group[i] >> 28 != 0xe)
			return gn_err(0, "engine.feed.lines[].group: %s: is not a multicast address", f->lines[i].group);
		p->subscription[i] = (struct rx_subscription){.ip = p->group[i], .port = f->lines[i].port, .line = (uint16_t)i};
	}
	p->rx[0].subscription = p->subscription;
	p->rx[0].n_subscriptions = f->lines_count;
	return 0;
}

/* Queue 0 is for what is no line, orders' answers above all; the lines share the others. */
static void make_queues(struct parts *p, const struct engine_section *s)
{
	uint16_t n = s->port.rx_queues;

	for (uint16_t q = 0; q < n; q++) {
		p->rx[q] = p->rx[0];
		p->rx[q].queue = q;
		p->rx_of[q] = &p->rx[q];
	}
	p->n_flows = n > 1 ? s->feed.lines_count : 0;
	for (uint32_t i = 0; i < p->n_flows; i++)
		p->flow[i] = (struct gn_port_flow){p->group[i], s->feed.lines[i].port, (uint16_t)(1 + i % (n - 1u))};
}

static int make_feed(struct parts *p, const struct feed_section *f)
{
	for (uint32_t i = 0; i < f->shards; i++) {
		p->feed[i] = (struct feed_config){.n_lines = f->lines_count, .wait_ns = f->wait_ns, .silence_ns = f->silence_ns,
			.hold_datagrams = f->hold_datagrams, .midnight_ns = f->midnight_ns, .shard = i, .n_shards = f->shards};
		strncpy(p->feed[i].session, f->session, sizeof(p->feed[i].session) - 1);
		p->feed_of[i] = &p->feed[i];
		int rc = make_recovery(&p->feed[i], f);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int make_subscription(struct parts *p, const struct strategy_section *s, uint32_t i, struct gn_instruments *t)
{
	gn_inst *inst = calloc(s->symbols_count + 1, sizeof(*inst));

	p->subscribed[i] = (struct book_subscription){.all = s->symbols_count == 0, .inst = inst, .n_inst = s->symbols_count,
		.depth = s->depth, .wants_events = s->events,
		.delivery = s->delivery == DELIVERY_ALL ? BOOK_DELIVER_ALL : BOOK_DELIVER_LATEST};
	if (!inst)
		return gn_err(ENOMEM, "strategy %s", s->name);
	for (uint32_t k = 0; k < s->symbols_count; k++) {
		int rc = add_instrument(t, s->symbols[k], &inst[k]);
		if (rc < 0)
			return gn_err_in(rc, "engine.strategies: %s", s->name);
	}
	return 0;
}

static int make_book(struct parts *p, const struct engine_section *s, struct gn_instruments *t)
{
	for (uint32_t i = 0; i < s->strategies_count; i++) {
		int rc = make_subscription(p, &s->strategies[i], i, t);
		if (rc < 0)
			return rc;
	}
	for (uint32_t i = 0; i < s->feed.shards; i++) {
		p->book[i] = (struct book_stage_config){
			.book = {.instruments_max = s->book.instruments_max, .orders_max = s->book.orders_max,
				.tolerate_gaps = s->book.tolerate_gaps},
			.strategy = p->subscribed,
			.n_strategies = s->strategies_count,
		};
		p->book_of[i] = &p->book[i];
	}
	return 0;
}

static uint64_t now_ns(void *arg)
{
	(void)arg;
	return gn_clock_now_ns();
}

static int account_index(const struct engine_section *s, const char *name)
{
	for (uint32_t i = 0; i < s->accounts_count; i++) {
		if (strcmp(s->accounts[i].name, name) == 0)
			return (int)i;
	}
	return -1;
}

static int make_strategies(struct parts *p, const char *config_path, const struct engine_section *s)
{
	for (uint32_t i = 0; i < s->strategies_count; i++) {
		const struct strategy_section *c = &s->strategies[i];
		int account = account_index(s, c->account);
		if (account < 0)
			return gn_err(0, "engine.strategies: %s: there is no account %s", c->name, c->account);
		for (uint32_t k = 0; k < i; k++) {
			if (strcmp(c->name, s->strategies[k].name) == 0)
				return gn_err(0, "engine.strategies: %s is there twice", c->name);
		}
		p->strategy_path[i] = strategy_path_find(config_path, c->path);
		if (!p->strategy_path[i])
			return gn_err_in(-ENOENT, "engine.strategies: %s", c->name);
		p->strategy[i] = (struct strategy_config){.path = p->strategy_path[i], .params = c->params, .index = i, .burst = c->burst,
			.now_ns = now_ns};
		p->strategy_of[i] = &p->strategy[i];
		p->strategy_name[i] = c->name;
		p->risk_strategy[i] = (struct risk_strategy_config){.name = c->name, .account = (uint32_t)account, .may = c->may,
			.limits = c->limits};
		p->account[account].strategies |= UINT64_C(1) << i;
	}
	return 0;
}

static int make_risk_instruments(struct parts *p, const struct risk_section *r, struct gn_instruments *t)
{
	p->risk_instrument = calloc(r->instruments_count + 1, sizeof(*p->risk_instrument));
	if (!p->risk_instrument)
		return gn_err(ENOMEM, "engine.risk.instruments");
	for (uint32_t i = 0; i < r->instruments_count; i++) {
		const struct instrument_section *c = &r->instruments[i];
		struct risk_instrument_config *out = &p->risk_instrument[i];
		*out = (struct risk_instrument_config){.restricted = c->restricted, .tick.e9 = c->tick_e9, .lot = c->lot,
			.locate_qty = c->locate_qty, .reference.e9 = c->reference_e9, .limits = c->limits};
		int rc = add_instrument(t, c->symbol, &out->inst);
		if (rc < 0)
			return gn_err_in(rc, "engine.risk.instruments");
	}
	return 0;
}

/* The same that risk does at its start, so that check-config says it too. */
static int check_limits(const struct risk_config *c)
{
	int rc = risk_limits_validate(&c->engine, RISK_ENGINE, "engine");

	for (uint32_t i = 0; rc == 0 && i < c->n_accounts; i++)
		rc = risk_limits_validate(&c->account[i].limits, RISK_ACCOUNT, c->account[i].name);
	for (uint32_t i = 0; rc == 0 && i < c->n_strategies; i++)
		rc = risk_limits_validate(&c->strategy[i].limits, RISK_STRATEGY, c->strategy[i].name);
	if (rc == 0)
		rc = risk_limits_validate(&c->instrument_default, RISK_INSTRUMENT, "instrument_limits");
	return rc;
}

static int make_risk(struct parts *p, const struct engine_section *s, struct gn_instruments *t)
{
	const struct risk_section *r = &s->risk;

	for (uint32_t i = 0; i < s->accounts_count; i++)
		p->risk_account[i] = (struct risk_account_config){.name = s->accounts[i].name, .limits = s->accounts[i].limits};
	int rc = make_risk_instruments(p, r, t);
	if (rc < 0)
		return rc;
	struct risk_config *c = &p->risk.core;
	*c = (struct risk_config){
		.tsc_hz = gn_clock_ticks_from_ns(1000000000),
		.orders_max = r->orders_max,
		.engine = r->limits,
		.account = p->risk_account,
		.n_accounts = s->accounts_count,
		.strategy = p->risk_strategy,
		.n_strategies = s->strategies_count,
		.instrument = p->risk_instrument,
		.n_instruments = r->instruments_count,
		.instrument_default = r->instrument_limits,
		.tick_default.e9 = r->tick_e9,
		.tick_below_1.e9 = r->tick_below_1_e9,
		.lot_default = r->lot,
		.locate_default = r->locate_qty,
		.allow_unlisted = r->allow_unlisted,
		.mark_shorts = r->mark_shorts,
		.reference = (enum risk_reference)r->reference,
		.allow_no_reference = r->allow_no_reference,
		.self_match = (enum risk_self_match)r->self_match,
		.venue_per_s = r->venue_per_s,
		.venue_burst = r->venue_burst,
		.venue_reserve = r->venue_reserve,
		.patience_us = r->patience_us,
		.fee_add_e9 = r->fee_add_e9,
		.fee_remove_e9 = r->fee_remove_e9,
		.soft_pct = r->soft_pct,
		.stale_kill_ms = r->stale_kill_ms,
		.session_kill_ms = r->session_kill_ms,
		.loosen_by_two = r->loosen_by_two,
		.clock_jump_ms = r->clock_jump_ms,
	};
	strncpy(c->fee_add_letters, r->fee_add_letters, sizeof(c->fee_add_letters) - 1);
	return check_limits(c);
}

static int make_endpoints(struct gateway_account_config *out, const struct account_section *a)
{
	for (uint32_t i = 0; i < a->gateways_count; i++) {
		int rc = address_ip("engine.accounts[].gateways[].ip", a->gateways[i].ip, &out->endpoint[i].ip);
		if (rc < 0)
			return rc;
		out->endpoint[i].port = a->gateways[i].port;
	}
	out->account.session.n_endpoints = a->gateways_count;
	return 0;
}

static int make_account(struct gateway_account_config *out, const struct account_section *a, uint64_t midnight_ns)
{
	struct session_config *session = &out->account.session;

	out->account.dialect = gateway_dialect_find(a->dialect);
	if (!out->account.dialect)
		return gn_err(0, "engine.accounts: %s: dialect %s: expected ouch50 or ouch42", a->name, a->dialect);
	out->account.orders_max = a->orders_max;
	out->account.midnight_ns = midnight_ns;
	strncpy(out->account.dialect_config.firm, a->firm, sizeof(out->account.dialect_config.firm) - 1);
	strncpy(session->username, a->username, sizeof(session->username) - 1);
	strncpy(session->password, a->password, sizeof(session->password) - 1);
	session->heartbeat_ns = a->heartbeat_ns;
	session->dead_ns = a->dead_ns;
	session->login_timeout_ns = a->login_timeout_ns;
	session->backoff_min_ns = a->pause_min_ns;
	session->backoff_max_ns = a->pause_max_ns;
	session->tries_max = a->tries_max;
	session->probe = true; /* the venue may remember a run of today that we do not */
	return make_endpoints(out, a);
}

static int make_stack(struct gn_stack_config *stack, const struct port_section *port)
{
	int rc = address_ip("engine.port.ip", port->ip, &stack->ip);

	if (rc == 0)
		rc = address_ip("engine.port.netmask", port->netmask, &stack->netmask);
	if (rc == 0)
		rc = address_ip("engine.port.gateway", port->gateway, &stack->gateway);
	if (rc == 0)
		rc = address_mac("engine.port.mac", port->mac, stack->mac);
	stack->mtu = port->mtu;
	return rc;
}

static int make_gateway(struct parts *p, const struct engine_section *s)
{
	for (uint32_t i = 0; i < s->accounts_count; i++) {
		int rc = make_account(&p->account[i], &s->accounts[i], s->feed.midnight_ns);
		if (rc < 0)
			return rc;
	}
	p->gateway.groups = p->group;
	p->gateway.n_groups = s->feed.lines_count;
	p->gateway.accounts = p->account;
	p->gateway.n_accounts = s->accounts_count;
	p->gateway.tsc_hz = gn_clock_ticks_from_ns(1000000000);
	p->gateway.control = &p->gateway_control;
	p->gateway.batch = s->batch;
	return make_stack(&p->gateway.stack, &s->port);
}

static void make_journal(struct parts *p, const struct journal_section *j)
{
	p->journal.file = (struct journal_config){
		.tsc_hz = gn_clock_ticks_from_ns(1000000000),
		.file_bytes = j->file_bytes,
		.sync = (enum journal_sync)j->sync,
		.sync_ms = j->sync_ms,
		.key_path = j->key_path,
		.sign_every = j->sign_every,
	};
	p->journal.health = &p->journal_health;
	p->risk.journal_refusing = &p->journal_health.refusing;
}

int parts_make(struct parts *p, const char *config_path, const struct engine_section *s,
	struct gn_instruments *instruments)
{
	memset(p, 0, sizeof(*p));
	int rc = make_rx(p, &s->feed);
	if (rc == 0)
		rc = make_reply_line(p, s);
	if (rc == 0)
		rc = make_feed(p, &s->feed);
	if (rc == 0)
		rc = make_book(p, s, instruments);
	if (rc == 0)
		rc = make_strategies(p, config_path, s);
	if (rc == 0)
		rc = make_risk(p, s, instruments);
	if (rc == 0)
		rc = make_gateway(p, s);
	make_journal(p, &s->journal);
	p->capture = (struct capture_stage_config){.control = &p->capture_control, .device = s->port.device};
	p->rx[0].capture_bytes = p->gateway.capture_bytes = &p->capture_control.snap_bytes;
	make_queues(p, s);
	p->shape = (struct topology_shape){s->port.rx_queues, s->feed.shards, p->strategy_name, s->strategies_count};
	p->configs = (struct topology_configs){p->rx_of, p->feed_of, p->book_of, p->strategy_of, &p->risk, &p->gateway, &p->journal,
		&p->capture};
	return rc;
}

void parts_free(struct parts *p)
{
	for (uint32_t i = 0; i < GN_STRATEGIES_MAX; i++) {
		free((void *)(uintptr_t)p->subscribed[i].inst);
		free(p->strategy_path[i]);
	}
	free(p->risk_instrument);
}
