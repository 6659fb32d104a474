/* SPDX-License-Identifier: BSD-3-Clause */
#include "ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

struct sums {
	const struct clients *clients;
	int64_t *position; /* by account and instrument */
	bool *filled;      /* is there a position to tell of? */
};

static int clordid_len(const struct ouch50_clordid *id)
{
	int n = OUCH50_CLORDID_BYTES;

	while (n > 0 && (id->c[n - 1] == ' ' || id->c[n - 1] == '\0'))
		n--;
	return n;
}

static int by_clordid(const void *a, const void *b, void *arg)
{
	const struct clients *c = arg;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	int d = memcmp(&c->order[i].clordid, &c->order[j].clordid, OUCH50_CLORDID_BYTES);

	return d ? d : (i > j) - (i < j);
}

static int by_fill(const void *a, const void *b, void *arg)
{
	const struct clients *c = arg;
	const struct client_fill *f = &c->fill[*(const uint32_t *)a], *g = &c->fill[*(const uint32_t *)b];
	int d = memcmp(&c->order[f->order].clordid, &c->order[g->order].clordid, OUCH50_CLORDID_BYTES);

	return d ? d : (f->match > g->match) - (f->match < g->match);
}

static uint32_t *sorted(const struct clients *c, size_t n, int (*compare)(const void *, const void *, void *))
{
	uint32_t *index = malloc((n + 1) * sizeof(*index));

	for (size_t i = 0; index && i < n; i++)
		index[i] = (uint32_t)i;
	if (index)
		qsort_r(index, n, sizeof(*index), compare, (void *)(uintptr_t)c);
	return index;
}

static void write_order(const struct client_order *o, FILE *to)
{
	static const char *const state[] = {"", "live", "filled", "canceled", "rejected"};

	fprintf(to, "order,%.*s,%s,%c,%u,%ld,%u,%u,%s\n", clordid_len(&o->clordid), o->clordid.c, gn_symbol_text(o->symbol).c,
		o->side == OUCH50_BUY ? 'B' : 'S', o->qty, o->px.e9, o->filled, o->canceled, state[o->state]);
}

static int write_orders(const struct clients *c, FILE *to)
{
	uint32_t *index = sorted(c, c->n_orders, by_clordid);

	if (!index)
		return -ENOMEM;
	for (uint32_t i = 0; i < c->n_orders; i++)
		write_order(&c->order[index[i]], to);
	free(index);
	return 0;
}

static void write_fill(const struct clients *c, const struct client_fill *f, bool broken, FILE *to)
{
	const struct ouch50_clordid *id = &c->order[f->order].clordid;

	if (broken)
		fprintf(to, "broken,%.*s,%lu\n", clordid_len(id), id->c, f->match);
	else
		fprintf(to, "fill,%.*s,%lu,%u,%ld\n", clordid_len(id), id->c, f->match, f->qty, f->px.e9);
}

static int write_fills(const struct clients *c, FILE *to)
{
	uint32_t *index = sorted(c, c->n_fills, by_fill);

	if (!index)
		return -ENOMEM;
	for (size_t i = 0; i < c->n_fills; i++)
		write_fill(c, &c->fill[index[i]], false, to);
	for (size_t i = 0; i < c->n_fills; i++)
		if (c->fill[index[i]].broken)
			write_fill(c, &c->fill[index[i]], true, to);
	free(index);
	return 0;
}

static void sum_fills(const struct order_port *p, struct sums *s, uint32_t n_insts)
{
	for (size_t i = 0; i < p->clients.n_fills; i++) {
		const struct client_fill *f = &p->clients.fill[i];
		const struct client_order *o = &p->clients.order[f->order];
		size_t at = (size_t)o->account * n_insts + o->inst;

		s->filled[at] = true;
		if (!f->broken)
			s->position[at] += o->side == OUCH50_BUY ? (int64_t)f->qty : -(int64_t)f->qty;
	}
}

struct position_key {
	const char *account;
	struct gn_symbol_text symbol;
	int64_t qty;
};

static int by_position(const void *a, const void *b)
{
	const struct position_key *x = a, *y = b;
	int d = strcmp(x->account, y->account);

	return d ? d : strcmp(x->symbol.c, y->symbol.c);
}

static size_t gather(const struct order_port *p, const struct sums *s, uint32_t n_insts, struct position_key *out)
{
	size_t n = 0;

	for (size_t at = 0; at < (size_t)p->n_accounts * n_insts; at++) {
		struct gn_instrument inst;

		if (!s->filled[at] || !gn_instruments_get(p->instruments, (gn_inst)(at % n_insts), &inst))
			continue;
		out[n++] = (struct position_key){
			.account = p->account[at / n_insts].config->username,
			.symbol = gn_symbol_text(inst.symbol),
			.qty = s->position[at],
		};
	}
	return n;
}

static int write_positions(const struct order_port *p, FILE *to)
{
	uint32_t n_insts = gn_instruments_count(p->instruments);
	size_t n = (size_t)p->n_accounts * n_insts + 1;
	struct sums s = {.position = calloc(n, sizeof(*s.position)), .filled = calloc(n, sizeof(*s.filled))};
	struct position_key *key = calloc(n, sizeof(*key));
	int rc = s.position && s.filled && key ? 0 : -ENOMEM;

	if (rc == 0) {
		sum_fills(p, &s, n_insts);
		n = gather(p, &s, n_insts, key);
		qsort(key, n, sizeof(*key), by_position);
		for (size_t i = 0; i < n; i++)
			fprintf(to, "position,%s,%s,%ld\n", key[i].account, key[i].symbol.c, key[i].qty);
	}
	free(s.position);
	free(s.filled);
	free(key);
	return rc;
}

int ledger_write(const struct order_port *p, FILE *to)
{
	int rc = write_orders(&p->clients, to);

	if (rc == 0)
		rc = write_fills(&p->clients, to);
	if (rc == 0)
		rc = write_positions(p, to);
	if (rc == 0 && (fflush(to) != 0 || ferror(to)))
		rc = errno ? -errno : -EIO;
	return rc < 0 ? gn_err(-rc, "exchange: write the ledger") : 0;
}

int ledger_write_file(const struct order_port *p, const char *path)
{
	char beside[4096];

	if (snprintf(beside, sizeof(beside), "%s.part", path) >= (int)sizeof(beside))
		return gn_err(ENAMETOOLONG, "exchange: ledger %s", path);
	FILE *to = fopen(beside, "w");

	if (!to)
		return gn_err(errno, "exchange: open %s", beside);
	int rc = ledger_write(p, to);

	if (fclose(to) != 0 && rc == 0)
		rc = gn_err(errno, "exchange: close %s", beside);
	if (rc == 0 && rename(beside, path) != 0)
		rc = gn_err(errno, "exchange: rename %s to %s", beside, path);
	if (rc < 0)
		unlink(beside);
	return rc;
}
