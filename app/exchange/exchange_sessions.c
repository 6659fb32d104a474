/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_core.h"

static uint32_t number_of(enum exchange_service service, uint32_t conn)
{
	return (uint32_t)service * EXCHANGE_CONNS_MAX + conn;
}

static bool names(const struct soup_login *login, const struct exchange_account *a)
{
	return soup_name_equal(login->username, a->username) && soup_name_equal(login->password, a->password);
}

static struct order_account *account_named(struct exchange *x, const struct soup_login *login, enum exchange_dialect dialect)
{
	for (uint32_t i = 0; i < x->orders.n_accounts; i++) {
		struct order_account *a = &x->orders.account[i];

		if (a->config->dialect == dialect && names(login, a->config))
			return a;
	}
	return NULL;
}

bool exchange_knows(const struct exchange *x, const struct soup_login *login)
{
	for (uint32_t i = 0; i < x->config.n_accounts; i++)
		if (names(login, &x->config.accounts[i]))
			return true;
	return false;
}

/* the newer login counts: the older connection may be one whose end we never saw */
static void take_over(struct exchange *x, uint32_t account)
{
	uint32_t number = x->account_conn[account];

	if (number == EXCHANGE_CONN_NONE)
		return;
	struct soup_server *s = &x->service[number / EXCHANGE_CONNS_MAX];

	s->n.taken_over++;
	soup_server_close(s, number % EXCHANGE_CONNS_MAX);
}

static char login(struct exchange *x, enum exchange_service service, enum exchange_dialect dialect, uint32_t conn,
	const struct soup_login *l, const struct store **stream)
{
	struct order_account *a = account_named(x, l, dialect);

	if (!a)
		return SOUP_REJECT_NOT_AUTHORISED;
	take_over(x, a->index);
	*stream = &a->stream;
	x->conn_account[service][conn] = a->index;
	x->account_conn[a->index] = number_of(service, conn);
	x->sessions++;
	return 0;
}

static void gone(struct exchange *x, enum exchange_service service, uint32_t conn)
{
	uint32_t account = x->conn_account[service][conn];

	x->account_conn[account] = EXCHANGE_CONN_NONE;
	x->sessions--;
	if (x->orders.account[account].config->cancel_on_disconnect)
		order_port_cancel_all(&x->orders, account, MATCH_WHY_SUPERVISORY);
}

static char ouch50_login(void *arg, uint32_t conn, const struct soup_login *l, const struct store **stream)
{
	return login(arg, EXCHANGE_SERVICE_OUCH50, EXCHANGE_OUCH50, conn, l, stream);
}

static bool ouch50_message(void *arg, uint32_t conn, const uint8_t *msg, uint32_t bytes)
{
	struct exchange *x = arg;

	return order_port_message(&x->orders, x->conn_account[EXCHANGE_SERVICE_OUCH50][conn], msg, bytes);
}

static void ouch50_gone(void *arg, uint32_t conn)
{
	gone(arg, EXCHANGE_SERVICE_OUCH50, conn);
}

static char ouch42_login(void *arg, uint32_t conn, const struct soup_login *l, const struct store **stream)
{
	return login(arg, EXCHANGE_SERVICE_OUCH42, EXCHANGE_OUCH42, conn, l, stream);
}

static bool ouch42_message(void *arg, uint32_t conn, const uint8_t *msg, uint32_t bytes)
{
	struct exchange *x = arg;

	return ouch42_port_message(&x->ouch42, x->conn_account[EXCHANGE_SERVICE_OUCH42][conn], msg, bytes);
}

static void ouch42_gone(void *arg, uint32_t conn)
{
	gone(arg, EXCHANGE_SERVICE_OUCH42, conn);
}

int exchange_sessions_init(struct exchange *x)
{
	const struct exchange_transport_ops ops = {.arg = x->io.arg, .send = x->io.send, .close = x->io.close};
	const struct soup_server_hooks ouch50 = {
		.arg = x, .login = ouch50_login, .message = ouch50_message, .gone = ouch50_gone};

	const struct soup_server_hooks ouch42 = {
		.arg = x, .login = ouch42_login, .message = ouch42_message, .gone = ouch42_gone};
	const struct soup_server_hooks glimpse = exchange_glimpse_hooks(x);
	int rc = soup_server_init(&x->service[EXCHANGE_SERVICE_OUCH50], &x->config, &ops, &ouch50);

	for (uint32_t i = 0; i < EXCHANGE_ACCOUNTS_MAX; i++)
		x->account_conn[i] = EXCHANGE_CONN_NONE;
	if (rc == 0 && x->config.ouch42_port)
		rc = soup_server_init(&x->service[EXCHANGE_SERVICE_OUCH42], &x->config, &ops, &ouch42);
	if (rc == 0 && x->config.glimpse_port)
		rc = soup_server_init(&x->service[EXCHANGE_SERVICE_GLIMPSE], &x->config, &ops, &glimpse);
	return rc;
}

void exchange_sessions_fini(struct exchange *x)
{
	for (uint32_t i = 0; i < EXCHANGE_CONNS_MAX; i++)
		store_fini(&x->snapshot[i]);
	for (uint32_t i = 0; i < EXCHANGE_SERVICES; i++)
		soup_server_fini(&x->service[i]);
}

bool exchange_sessions_drained(const struct exchange *x)
{
	for (uint32_t s = 0; s < EXCHANGE_SERVICES; s++)
		for (uint32_t i = 0; i < x->service[s].n_conns; i++) {
			const struct soup_server_conn *c = &x->service[s].conn[i];

			if (c->state == SOUP_SERVER_ACTIVE && c->cursor != c->stream->seq_next)
				return false;
		}
	return true;
}
