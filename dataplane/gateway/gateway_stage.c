/* SPDX-License-Identifier: BSD-3-Clause */
#include "gateway_stage.h"

#include <errno.h>
#include <stdio.h>

#include <gannet/journal.h>

#include "dataplane/net/frame.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/trace.h"
#include "feed_proxy.h"

/* A slice of a session's bytes holds at most one report in 16 bytes; one more spans its start, one is UP or DOWN. */
#define GATEWAY_BURST (SESSION_SLICE_BYTES / 16 + 2 * GATEWAY_ACCOUNTS_MAX)
_Static_assert(ACCOUNT_SCAN < GATEWAY_BURST, "settling reports at most one order each");

#define GATEWAY_COUNTERS(X)                                                    \
	X(frame_received, "frames handed to the TCP stack")                    \
	X(frame_bad, "messages that are no frame")                             \
	X(request_received, "requests from risk")                              \
	X(request_bad, "requests of a wrong length or without a session")      \
	X(session_lost, "order sessions lost")                                 \
	X(session_up, "times an order session came up")

#define QUEUED_MAX 64u
#define ACCOUNT_COUNTER_COPY(name, help) c->n.name += a->account.n.name;
#define FEED_COUNTER_COPY(name, help) c->n.name = c->feeds.n.name;

struct gateway_ctx;

/** One account and its connection. */
struct gateway_line {
	struct gateway_ctx *ctx;
	uint32_t index;
	struct gn_tcp *tcp;    /* NULL: none */
	struct gn_tcp *doomed; /* to be reset in the next turn: the stack may be in the middle of calling us */
	struct account account;
	struct gateway_account_config config;
};

/** A request that is with the transmit queue, and not yet with the port. */
struct gateway_queued {
	uint64_t rx_tsc;
	gn_oid oid;
	gn_inst inst;
};

struct gateway_ctx {
	struct gn_stack *stack;
	struct gn_tx *tx;
	struct gn_link *risk, *journal; /* journal NULL: none */
	struct gateway_line *line;
	uint32_t n_lines;
	uint8_t route[GN_STRATEGIES_MAX]; /* strategy > line; n_lines: none */
	uint64_t now_ns;
	bool due; /* timers may be due: set about every millisecond */
	bool logout;
	uint64_t tsc_hz;
	gn_symbol *symbol; /* by instrument, as first looked up */
	uint32_t n_symbols;
	struct gn_instruments *instruments;
	struct gateway_control *control;
	bool batch;
	uint32_t n_queued;
	struct gateway_queued queued[QUEUED_MAX];
	struct feed_proxy feeds;
	struct {
		GATEWAY_COUNTERS(GN_COUNTER_FIELD)
		ACCOUNT_COUNTERS(GN_COUNTER_FIELD)
		FEED_PROXY_COUNTERS(GN_COUNTER_FIELD)
	} n;
};

static uint64_t ns_from_tsc(const struct gateway_ctx *c, uint64_t tsc)
{
	return (uint64_t)((unsigned __int128)tsc * 1000000000u / c->tsc_hz);
}

/* What the connection tells. */

static void tcp_up(void *arg, struct gn_tcp *tcp)
{
	struct gateway_line *l = arg;

	if (tcp == l->tcp)
		session_on_up(&l->account.session, l->ctx->now_ns);
}

static void tcp_bytes(void *arg, struct gn_tcp *tcp, const uint8_t *data, uint32_t bytes, uint64_t rx_tsc)
{
	struct gateway_line *l = arg;

	if (tcp == l->tcp)
		session_on_bytes(&l->account.session, data, bytes, l->ctx->now_ns, rx_tsc);
}

static void tcp_down(void *arg, struct gn_tcp *tcp, int reason)
{
	struct gateway_line *l = arg;

	if (tcp == l->doomed)
		l->doomed = NULL;
	if (tcp != l->tcp)
		return;
	l->tcp = NULL;
	session_on_down(&l->account.session, reason, l->ctx->now_ns);
}

static const struct gn_tcp_handler tcp_handler = {.on_up = tcp_up, .on_bytes = tcp_bytes, .on_down = tcp_down};

/* What an account asks for. */

static bool op_connect(void *arg, uint32_t endpoint)
{
	struct gateway_line *l = arg;
	const struct gateway_endpoint *to = &l->config.endpoint[endpoint];

	l->tcp = gn_tcp_connect(l->ctx->stack, to->ip, to->port, &tcp_handler, l);
	return l->tcp != NULL;
}

static bool op_send(void *arg, const void *data, uint32_t bytes)
{
	struct gateway_line *l = arg;
	bool sent = l->tcp && gn_tcp_send(l->tcp, data, bytes);

	gn_tx_flush(l->ctx->tx);
	return sent;
}

static void op_close(void *arg)
{
	struct gateway_line *l = arg;

	if (l->tcp)
		gn_tcp_close(l->tcp);
}

static void op_abort(void *arg)
{
	struct gateway_line *l = arg;

	l->doomed = l->tcp;
	l->tcp = NULL;
}

static uint8_t *op_claim(void *arg, uint32_t bytes)
{
	struct gateway_line *l = arg;

	return gn_likely(l->tcp != NULL) ? gn_tcp_fast_claim(l->tcp, bytes) : NULL;
}

static bool op_commit(void *arg, const uint8_t *packet, uint32_t bytes)
{
	struct gateway_line *l = arg;

	(void)packet; /* it is where it was claimed */
	gn_tcp_fast_commit(l->tcp, bytes);
	return true;
}

static void journal_sent(struct gateway_line *l, gn_oid oid, uint32_t number, const uint8_t *msg, uint32_t bytes)
{
	struct gn_journal_msg j = {.kind = GN_JOURNAL_SENT, .session = l->index, .tsc = gn_tsc()};

	j.sent.oid = oid;
	j.sent.venue_ref = number;
	j.sent.bytes = bytes;
	memcpy(j.sent.data, msg, sizeof(j.sent.data));
	if (bytes < sizeof(j.sent.data))
		memset(j.sent.data + bytes, 0, sizeof(j.sent.data) - bytes);
	gn_link_send(l->ctx->journal, &j, sizeof(j));
}

/* Everything that is queued goes to the port in one burst. What the port has no room for now goes with the next. */
static void flush(struct gateway_ctx *c)
{
	uint32_t n = c->n_queued;
	bool accepted = gn_tx_flush(c->tx) != 0;

	c->n_queued = 0;
	for (uint32_t i = 0; accepted && i < n; i++)
		gn_trace_stamp(GN_HOP_TX, c->queued[i].rx_tsc, c->queued[i].inst, c->queued[i].oid);
}

static void op_sent(void *arg, const struct gn_order_req *req, uint32_t number, const uint8_t *msg, uint32_t bytes)
{
	struct gateway_line *l = arg;
	struct gateway_ctx *c = l->ctx;

	gn_trace_stamp(GN_HOP_GATEWAY, req->rx_tsc, req->inst, req->oid);
	c->queued[c->n_queued++] = (struct gateway_queued){.rx_tsc = req->rx_tsc, .oid = req->oid, .inst = req->inst};
	if (!c->batch || gn_unlikely(c->n_queued == QUEUED_MAX))
		flush(c);
	if (c->journal)
		journal_sent(l, req->oid, number, msg, bytes);
}

static void op_exec(void *arg, const struct gn_exec *exec)
{
	struct gateway_line *l = arg;

	gn_link_send(l->ctx->risk, exec, sizeof(*exec));
}

static void op_up(void *arg, bool up)
{
	struct gateway_line *l = arg;
	struct gn_exec exec = {
		.kind = up ? GN_EXEC_UP : GN_EXEC_DOWN,
		.inst = GN_INST_NONE,
		.rx_tsc = gn_tsc(),
		.match = l->config.strategies,
		.code = (uint16_t)l->index,
	};

	if (up)
		l->ctx->n.session_up++;
	else
		l->ctx->n.session_lost++;
	gn_link_send(l->ctx->risk, &exec, sizeof(exec));
}

static void journal_text(struct gateway_line *l, enum gn_journal_kind kind, const char *text)
{
	struct gn_journal_msg j = {.kind = (uint16_t)kind, .session = l->index, .tsc = gn_tsc()};

	if (!l->ctx->journal)
		return;
	snprintf(j.text, sizeof(j.text), "%s", text);
	gn_link_send(l->ctx->journal, &j, sizeof(j));
}

static void publish(struct gateway_ctx *c)
{
	uint32_t n_up = 0, n_over = 0, n_failed = 0;

	if (!c->control)
		return;
	for (uint32_t i = 0; i < c->n_lines; i++) {
		const struct account *a = &c->line[i].account;
		n_up += a->state == ACCOUNT_UP;
		n_over += session_over(&a->session);
		n_failed += a->session.state == SESSION_FAILED;
	}
	atomic_store_explicit(&c->control->n_up, n_up, memory_order_release);
	atomic_store_explicit(&c->control->n_failed, n_failed, memory_order_release);
	atomic_store_explicit(&c->control->n_over, n_over, memory_order_release);
}

static void op_state(void *arg, enum session_state state, enum session_reason why)
{
	struct gateway_line *l = arg;
	const struct session *s = &l->account.session;
	char text[GN_JOURNAL_TEXT_BYTES];

	if (!l->ctx->journal)
		return;
	snprintf(text, sizeof(text), "%s%s%s session=%s seq=%llu", session_state_text(state), why ? ": " : "",
		why ? session_reason_text(why) : "", s->name, (unsigned long long)s->seq_next);
	journal_text(l, GN_JOURNAL_SESSION, text);
	if (state == SESSION_ACTIVE)
		journal_text(l, GN_JOURNAL_ACCOUNT, s->config.username);
}

static gn_symbol op_symbol(void *arg, gn_inst inst)
{
	struct gateway_line *l = arg;
	struct gateway_ctx *c = l->ctx;
	struct gn_instrument def;

	if (gn_unlikely(inst >= c->n_symbols))
		return (gn_symbol){0};
	if (gn_unlikely(!c->symbol[inst].word) && gn_instruments_get(c->instruments, inst, &def))
		c->symbol[inst] = def.symbol;
	return c->symbol[inst];
}

static gn_inst op_find(void *arg, gn_symbol symbol)
{
	struct gateway_line *l = arg;

	return gn_instruments_find(l->ctx->instruments, symbol);
}

static const struct account_ops account_ops = {
	.connect = op_connect,
	.send = op_send,
	.close = op_close,
	.abort = op_abort,
	.claim = op_claim,
	.commit = op_commit,
	.on_sent = op_sent,
	.on_exec = op_exec,
	.on_up = op_up,
	.on_state = op_state,
	.symbol = op_symbol,
	.find = op_find,
};

/* The stage. */

static void new_turn(struct gateway_ctx *c)
{
	for (uint32_t i = 0; i < c->n_lines; i++)
		session_turn(&c->line[i].account.session);
}

static void gateway_on_frame(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct gateway_ctx *c = arg;
	const struct gn_frame *frame = msg;

	(void)from;
	if (gn_unlikely(bytes < sizeof(*frame) || frame->bytes > bytes - sizeof(*frame))) {
		c->n.frame_bad++;
		return;
	}
	c->n.frame_received++;
	new_turn(c);
	gn_stack_input(c->stack, frame->data, frame->bytes, frame->rx_tsc);
}

static void refuse_unrouted(struct gateway_ctx *c, const struct gn_order_req *req)
{
	struct gn_exec exec = {
		.kind = req->kind == GN_REQ_CANCEL ? GN_EXEC_CANCEL_REJECTED : GN_EXEC_REJECTED,
		.side = req->side,
		.inst = req->inst,
		.oid = req->oid,
		.px = req->px,
		.qty = req->qty,
		.rx_tsc = req->rx_tsc,
		.strategy = req->strategy,
		.tag = req->tag,
		.code = GN_CODE_SESSION_DOWN,
	};

	c->n.request_bad++;
	gn_link_send(c->risk, &exec, sizeof(exec));
}

/* The line of a strategy's account; c->n_lines: it has none. */
static inline uint32_t line_of(const struct gateway_ctx *c, uint32_t strategy)
{
	return strategy < GN_STRATEGIES_MAX ? c->route[strategy] : c->n_lines;
}

static void gateway_on_request(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct gateway_ctx *c = arg;
	const struct gn_order_req *req = msg;
	uint32_t line;

	(void)from;
	c->n.request_received++;
	if (gn_unlikely(bytes != sizeof(*req))) {
		c->n.request_bad++;
		return;
	}
	line = line_of(c, gn_oid_strategy(req->oid));
	if (gn_unlikely(line >= c->n_lines || c->logout)) {
		refuse_unrouted(c, req);
		return;
	}
	account_request(&c->line[line].account, req, c->now_ns);
}

static void gateway_hint(void *arg, const void *msg, uint32_t step)
{
	struct gateway_ctx *c = arg;
	const struct gn_order_req *req = msg;
	uint32_t line = line_of(c, req->strategy);

	if (step != 0 || gn_unlikely(line >= c->n_lines))
		return;
	const struct gateway_line *l = &c->line[line];
	gn_prefetch(&l->account.n);
	gn_prefetch(&l->account.session);
	gn_prefetch(l->account.sent);
	sent_orders_hint(&l->account.orders);
	if (gn_likely(l->tcp != NULL))
		gn_tcp_fast_hint(l->tcp);
}

static void gateway_on_feed(void *arg, uint32_t from, const void *msg, uint32_t bytes)
{
	struct gateway_ctx *c = arg;

	feed_proxy_request(&c->feeds, from, msg, bytes);
}

static void check_logout(struct gateway_ctx *c)
{
	if (c->logout || !c->control || !atomic_load_explicit(&c->control->logout, memory_order_acquire))
		return;
	c->logout = true;
	for (uint32_t i = 0; i < c->n_lines; i++)
		session_logout(&c->line[i].account.session, c->now_ns);
}

static void run_timers(struct gateway_ctx *c)
{
	check_logout(c);
	for (uint32_t i = 0; i < c->n_lines; i++) {
		session_start(&c->line[i].account.session, c->now_ns); /* the first time only */
		account_poll(&c->line[i].account, c->now_ns);
	}
	publish(c);
}

static bool work_line(struct gateway_line *l)
{
	struct gn_tcp *doomed = l->doomed;

	if (gn_unlikely(doomed)) {
		l->doomed = NULL;
		gn_tcp_abort(doomed);
		return true;
	}
	return account_work(&l->account, l->ctx->now_ns);
}

static bool gateway_poll(void *arg)
{
	struct gateway_ctx *c = arg;

	new_turn(c);
	if (c->n_queued)
		flush(c);
	gn_stack_poll(c->stack);
	if (gn_unlikely(c->due)) {
		c->due = false;
		run_timers(c);
		return true;
	}
	for (uint32_t i = 0; i < c->n_lines; i++) {
		if (work_line(&c->line[i]))
			return true;
	}
	return feed_proxy_work(&c->feeds);
}

/* No link has credit here: only notes that time has passed, the next poll acts on it. */
static void gateway_housekeeping(void *arg, uint64_t now_tsc)
{
	struct gateway_ctx *c = arg;

	c->now_ns = ns_from_tsc(c, now_tsc);
	c->due = true;
	c->n = (typeof(c->n)){
		.frame_received = c->n.frame_received,
		.frame_bad = c->n.frame_bad,
		.request_received = c->n.request_received,
		.request_bad = c->n.request_bad,
		.session_lost = c->n.session_lost,
		.session_up = c->n.session_up,
	};
	for (uint32_t i = 0; i < c->n_lines; i++) {
		const struct gateway_line *a = &c->line[i];
		ACCOUNT_COUNTERS(ACCOUNT_COUNTER_COPY)
	}
	FEED_PROXY_COUNTERS(FEED_COUNTER_COPY)
}

/* Start and end. */

static int check_config(const struct gateway_config *config)
{
	if (config->n_accounts > GATEWAY_ACCOUNTS_MAX)
		return gn_err(EINVAL, "gateway: %u accounts, at most %u", config->n_accounts, GATEWAY_ACCOUNTS_MAX);
	if (config->n_groups > GATEWAY_GROUPS_MAX)
		return gn_err(EINVAL, "gateway: %u multicast groups, at most %u", config->n_groups, GATEWAY_GROUPS_MAX);
	if (!config->tsc_hz)
		return gn_err(EINVAL, "gateway: rate of the time-stamp counter is unknown");
	if (!config->stack.tx)
		return gn_err(EINVAL, "gateway: no transmit queue");
	return 0;
}

static int init_links(struct gateway_ctx *c, const struct gn_env *env)
{
	uint32_t n;
	struct gn_link *const *journal = gn_env_links(env, "gateway_journal", &n);

	if (n > 1)
		return gn_err(EINVAL, "gateway: %u links gateway_journal, at most 1", n);
	c->journal = n ? journal[0] : NULL;
	c->risk = gn_env_link(env, "gateway_risk");
	return c->risk ? 0 : gn_err_in(-EINVAL, "gateway");
}

static void init_capture(const struct gn_env *env, const struct gateway_config *config)
{
	uint32_t n;
	struct gn_link *const *link = gn_env_links(env, "gateway_capture", &n);

	if (n && config->capture_bytes)
		gn_tx_tap(config->stack.tx, link[0], config->capture_bytes);
}

static int init_stack(struct gateway_ctx *c, const struct gateway_config *config)
{
	c->tx = config->stack.tx;
	c->stack = gn_stack_new(&config->stack);
	if (!c->stack)
		return gn_err_in(-EINVAL, "gateway: TCP stack");
	for (uint32_t i = 0; i < config->n_groups; i++) {
		int rc = gn_stack_join(c->stack, config->groups[i]);
		if (rc < 0)
			return gn_err_in(rc, "gateway: join multicast group %u of %u", i + 1, config->n_groups);
	}
	return 0;
}

static int init_lines(struct gateway_ctx *c, const struct gateway_config *config, int node)
{
	memset(c->route, (int)config->n_accounts, sizeof(c->route));
	if (!config->n_accounts)
		return 0;
	c->line = gn_mem_alloc(config->n_accounts * sizeof(c->line[0]), node);
	if (!c->line)
		return gn_err_in(-ENOMEM, "gateway: memory for %u accounts", config->n_accounts);
	for (uint32_t i = config->n_accounts; i-- > 0;) {
		struct gateway_line *l = &c->line[i];
		l->ctx = c;
		l->index = i;
		l->config = config->accounts[i];
		for (uint32_t s = 0; s < GN_STRATEGIES_MAX; s++) {
			if (l->config.strategies >> s & 1)
				c->route[s] = (uint8_t)i;
		}
	}
	for (; c->n_lines < config->n_accounts; c->n_lines++) {
		struct gateway_line *l = &c->line[c->n_lines];
		int rc = account_init(&l->account, &l->config.account, &account_ops, l, node);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int init_feeds(struct gateway_ctx *c, const struct gn_env *env, const struct gateway_config *config)
{
	uint32_t n;
	struct gn_link *const *links = gn_env_links(env, "gateway_feed", &n);

	return feed_proxy_init(&c->feeds, c->stack, &config->stack, links, n);
}

static int init_symbols(struct gateway_ctx *c, const struct gn_env *env)
{
	c->instruments = env->instruments;
	c->n_symbols = gn_instruments_max(env->instruments);
	c->symbol = gn_mem_alloc(c->n_symbols * sizeof(c->symbol[0]), env->node);
	return c->symbol ? 0 : gn_err_in(-ENOMEM, "gateway: memory for %u symbols", c->n_symbols);
}

static int gateway_init(void *arg, const struct gn_env *env)
{
	struct gateway_ctx *c = arg;
	const struct gateway_config *config = env->config;
	int rc = check_config(config);

	c->tsc_hz = config->tsc_hz;
	c->batch = config->batch;
	c->control = config->control;
	if (rc == 0)
		rc = init_links(c, env);
	if (rc == 0)
		init_capture(env, config);
	if (rc == 0)
		rc = init_symbols(c, env);
	if (rc == 0)
		rc = init_lines(c, config, env->node);
	if (rc == 0)
		rc = init_stack(c, config);
	if (rc == 0)
		rc = init_feeds(c, env, config);
	if (rc < 0)
		return rc;
	c->now_ns = ns_from_tsc(c, gn_tsc());
	if (c->control)
		atomic_store_explicit(&c->control->n_accounts, c->n_lines, memory_order_release);
	return 0;
}

static void gateway_fini(void *arg)
{
	struct gateway_ctx *c = arg;

	for (uint32_t i = 0; i < c->n_lines; i++)
		account_fini(&c->line[i].account);
	if (c->stack)
		gn_stack_free(c->stack);
	gn_mem_free(c->line, c->line ? c->n_lines * sizeof(c->line[0]) : 0);
	gn_mem_free(c->symbol, c->n_symbols * sizeof(c->symbol[0]));
}

const struct gn_stage gn_stage_gateway = {
	.name = "gateway",
	.ctx_bytes = sizeof(struct gateway_ctx),
	.burst = GATEWAY_BURST,
	.in = (const struct gn_inlet[]){
		{"rx_gateway", gateway_on_frame, sizeof(struct gn_frame) + GN_FRAME_BYTES_MAX, NULL, 0},
		{"risk_gateway", gateway_on_request, sizeof(struct gn_order_req), gateway_hint, 4},
		{"feed_gateway", gateway_on_feed, sizeof(struct feed_request), NULL, 1}, {0}},
	.out = (const char *const[]){"gateway_risk", "gateway_journal", "gateway_feed", "gateway_capture", NULL},
	.counters = (const struct gn_counter[]){
		GATEWAY_COUNTERS(GN_COUNTER_DESC) ACCOUNT_COUNTERS(GN_COUNTER_DESC) FEED_PROXY_COUNTERS(GN_COUNTER_DESC) {0}},
	.counters_offset = offsetof(struct gateway_ctx, n),
	.init = gateway_init,
	.poll = gateway_poll,
	.housekeeping = gateway_housekeeping,
	.fini = gateway_fini,
};
