/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_print.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/ouch50.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"

#define INSTRUMENTS_MAX (1u << 20)

static const char *const columns[] = {"seq", "unix_ns", "kind", "order", "order_prev", "symbol", "side", "px_e9", "qty", "leaves",
	"position", "match", "liquidity", "reason", "verdict", "code", "flags", "strategy", "tag", "session", "venue_ref",
	"exch_ns", "latency_ns", "text"};

static const char *const record_words[JOURNAL_TYPE_COUNT] = {"none", "fact", "instrument", "anchor", "signature", "lost",
	"continued", "end"};
static const char *const request_words[] = {"request", "request_new", "request_replace", "request_cancel"};
static const char *const exec_words[GN_EXEC_KIND_COUNT] = {"report", "refused", "accepted", "replaced", "filled", "canceled",
	"rejected", "cancel_rejected", "cancel_pending", "broken", "restated", "up", "down"};

#define VERDICT_WORD(name, text) #name,
static const char *const verdict_words[GN_VERDICT_COUNT] = {GN_VERDICTS(VERDICT_WORD)};

struct printer {
	enum journal_print_format format;
	FILE *to;
	gn_oid oid;
	gn_symbol *symbol; /* by instrument */
	size_t n_symbols;
	const struct journal_reader *reader;
};

gn_oid journal_print_oid(const char *text)
{
	struct ouch50_clordid id;
	char *end;
	gn_oid oid = 0;

	if (strlen(text) == sizeof(id.c)) {
		memcpy(id.c, text, sizeof(id.c));
		oid = ouch50_oid_from_clordid(id);
	}
	if (oid || text[0] < '0' || text[0] > '9')
		return oid;
	errno = 0;
	oid = strtoull(text, &end, 0);
	return errno || *end ? 0 : oid;
}

static void put_text(json_t *row, const char *name, const char *text, size_t bytes_max)
{
	size_t bytes = strnlen(text, bytes_max);
	char safe[GN_JOURNAL_TEXT_BYTES + 1];

	for (size_t i = 0; i < bytes; i++)
		safe[i] = text[i] < ' ' || text[i] > '~' ? '?' : text[i];
	json_object_set_new(row, name, json_stringn(safe, bytes));
}

static void put_number(json_t *row, const char *name, int64_t value)
{
	if (value)
		json_object_set_new(row, name, json_integer(value));
}

static void put_oid(json_t *row, const char *name, gn_oid oid)
{
	struct ouch50_clordid id = ouch50_clordid_from_oid(oid);

	if (oid)
		put_text(row, name, id.c, sizeof(id.c));
}

static void put_letter(json_t *row, const char *name, uint8_t letter)
{
	if (letter)
		put_text(row, name, (const char *)&letter, 1);
}

static void put_word(json_t *row, const char *name, const char *const *words, size_t n, unsigned index)
{
	if (index < n)
		json_object_set_new(row, name, json_string(words[index]));
	else
		json_object_set_new(row, name, json_integer(index));
}

static void put_order(json_t *row, const struct printer *p, gn_inst inst, gn_side side, gn_px px, gn_qty qty)
{
	if (inst < p->n_symbols)
		put_text(row, "symbol", p->symbol[inst].c, GN_SYMBOL_BYTES);
	else if (inst != GN_INST_NONE)
		put_number(row, "symbol", inst);
	if (side == GN_BUY || side == GN_SELL)
		put_letter(row, "side", side == GN_BUY ? 'B' : 'S');
	put_number(row, "px_e9", px.e9);
	put_number(row, "qty", qty);
}

static void put_since(json_t *row, const struct printer *p, uint64_t tsc, uint64_t rx_tsc)
{
	if (rx_tsc && rx_tsc < tsc)
		put_number(row, "latency_ns", (int64_t)((__int128)(tsc - rx_tsc) * 1000000000 / p->reader->tsc_hz));
}

static void put_request(json_t *row, const struct printer *p, const struct gn_journal_msg *m)
{
	const struct gn_order_req *req = &m->req;

	put_word(row, "kind", request_words, GN_ARRAY_SIZE(request_words), req->kind);
	put_oid(row, "order", req->oid);
	put_oid(row, "order_prev", req->oid_prev);
	put_order(row, p, req->inst, req->side, req->px, req->qty);
	put_word(row, "verdict", verdict_words, GN_VERDICT_COUNT, m->verdict);
	put_number(row, "flags", req->flags);
	json_object_set_new(row, "strategy", json_integer(req->strategy));
	put_number(row, "tag", req->tag);
	put_since(row, p, m->tsc, req->rx_tsc);
}

static void put_report(json_t *row, const struct printer *p, const struct gn_journal_msg *m)
{
	const struct gn_exec *e = &m->exec;

	put_word(row, "kind", exec_words, GN_EXEC_KIND_COUNT, e->kind);
	put_oid(row, "order", e->oid);
	put_oid(row, "order_prev", e->oid_prev);
	put_order(row, p, e->inst, e->side, e->px, e->qty);
	json_object_set_new(row, "leaves", json_integer(e->leaves));
	json_object_set_new(row, "position", json_integer(e->position));
	put_number(row, "match", (int64_t)e->match);
	put_letter(row, "liquidity", e->liquidity);
	if (e->kind == GN_EXEC_REFUSED)
		put_word(row, "verdict", verdict_words, GN_VERDICT_COUNT, e->reason);
	else
		put_letter(row, "reason", e->reason);
	put_number(row, "code", e->code);
	put_number(row, "flags", e->flags);
	json_object_set_new(row, "strategy", json_integer(e->strategy));
	put_number(row, "tag", e->tag);
	put_number(row, "exch_ns", (int64_t)e->exch_ns);
	put_since(row, p, m->tsc, e->rx_tsc);
}

static void put_sent(json_t *row, const struct gn_journal_msg *m)
{
	char hex[2 * sizeof(m->sent.data) + 1] = "";
	uint32_t n = m->sent.bytes < sizeof(m->sent.data) ? m->sent.bytes : (uint32_t)sizeof(m->sent.data);

	json_object_set_new(row, "kind", json_string("sent"));
	put_oid(row, "order", m->sent.oid);
	put_number(row, "venue_ref", (int64_t)m->sent.venue_ref);
	json_object_set_new(row, "session", json_integer(m->session));
	for (uint32_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", m->sent.data[i]);
	json_object_set_new(row, "text", json_string(hex));
}

static void put_words(json_t *row, const struct gn_journal_msg *m)
{
	static const char *const words[GN_JOURNAL_KIND_COUNT] = {[GN_JOURNAL_SESSION] = "session", [GN_JOURNAL_LIMIT] = "limit",
		[GN_JOURNAL_ACCOUNT] = "account"};

	if (m->kind < GN_JOURNAL_KIND_COUNT && words[m->kind])
		json_object_set_new(row, "kind", json_string(words[m->kind]));
	else
		json_object_set_new(row, "kind", json_integer(m->kind));
	if (m->kind != GN_JOURNAL_LIMIT)
		json_object_set_new(row, "session", json_integer(m->session));
	put_text(row, "text", m->text, sizeof(m->text));
}

static void put_fact(json_t *row, const struct printer *p, const struct gn_journal_msg *m)
{
	put_number(row, "unix_ns", (int64_t)journal_reader_ns(p->reader, m->tsc));
	switch (m->kind) {
	case GN_JOURNAL_REQUEST: put_request(row, p, m); break;
	case GN_JOURNAL_REPORT: put_report(row, p, m); break;
	case GN_JOURNAL_SENT: put_sent(row, m); break;
	default: put_words(row, m);
	}
}

static void put_record(json_t *row, const struct printer *p, const struct journal_record *rec)
{
	put_number(row, "seq", (int64_t)rec->seq);
	if (rec->type == JOURNAL_FACT) {
		put_fact(row, p, &rec->msg);
		return;
	}
	put_word(row, "kind", record_words, JOURNAL_TYPE_COUNT, rec->type);
	if (rec->type == JOURNAL_INSTRUMENT)
		put_text(row, "symbol", rec->instrument.symbol.c, GN_SYMBOL_BYTES);
	else if (rec->type == JOURNAL_LOST)
		put_number(row, "qty", (int64_t)rec->lost);
	else if (rec->type != JOURNAL_SIGNATURE)
		put_number(row, "unix_ns", (int64_t)rec->anchor.unix_ns);
}

static void print_csv(const json_t *row, FILE *to)
{
	for (size_t i = 0; i < GN_ARRAY_SIZE(columns); i++) {
		const json_t *value = json_object_get(row, columns[i]);
		if (i)
			fputc(',', to);
		if (json_is_integer(value))
			fprintf(to, "%lld", (long long)json_integer_value(value));
		else if (value)
			fprintf(to, strpbrk(json_string_value(value), ", \"") ? "\"%s\"" : "%s", json_string_value(value));
	}
	fputc('\n', to);
}

static bool names_order(const struct journal_record *rec, gn_oid oid)
{
	const struct gn_journal_msg *m = &rec->msg;

	if (rec->type != JOURNAL_FACT)
		return false;
	switch (m->kind) {
	case GN_JOURNAL_REQUEST: return m->req.oid == oid || m->req.oid_prev == oid;
	case GN_JOURNAL_REPORT: return m->exec.oid == oid || m->exec.oid_prev == oid;
	case GN_JOURNAL_SENT: return m->sent.oid == oid;
	default: return false;
	}
}

static int learn_symbol(struct printer *p, const struct journal_record *rec)
{
	gn_inst inst = rec->instrument.inst;
	gn_symbol *more;

	if (inst >= INSTRUMENTS_MAX)
		return gn_err(EBADMSG, "journal: record %llu: instrument %u", (unsigned long long)rec->seq, inst);
	if (inst >= p->n_symbols) {
		size_t n = gn_pow2_at_least(inst + 1);
		more = reallocarray(p->symbol, n, sizeof(*more));
		if (!more)
			return gn_err(ENOMEM, "journal: %zu symbols", n);
		memset(more + p->n_symbols, 0, (n - p->n_symbols) * sizeof(*more));
		p->symbol = more;
		p->n_symbols = n;
	}
	p->symbol[inst] = rec->instrument.symbol;
	return 0;
}

static int print_record(struct printer *p, const struct journal_record *rec)
{
	int rc = rec->type == JOURNAL_INSTRUMENT ? learn_symbol(p, rec) : 0;
	json_t *row;

	if (rc < 0 || (p->oid && !names_order(rec, p->oid)))
		return rc;
	row = json_object();
	if (!row)
		return gn_err(ENOMEM, "journal: print record %llu", (unsigned long long)rec->seq);
	put_record(row, p, rec);
	if (p->format == JOURNAL_PRINT_CSV) {
		print_csv(row, p->to);
	} else {
		json_dumpf(row, p->to, JSON_COMPACT | JSON_PRESERVE_ORDER);
		fputc('\n', p->to);
	}
	json_decref(row);
	return ferror(p->to) ? gn_err(EIO, "journal: print") : 0;
}

int journal_print(const char *path, gn_oid oid, enum journal_print_format format, FILE *to)
{
	struct journal_reader reader;
	struct printer p = {.format = format, .to = to, .oid = oid, .reader = &reader};
	const struct journal_record *rec;
	int rc = journal_reader_open(&reader, path, NULL);

	if (rc < 0)
		return rc;
	for (size_t i = 0; format == JOURNAL_PRINT_CSV && i < GN_ARRAY_SIZE(columns); i++)
		fprintf(to, "%s%c", columns[i], i + 1 < GN_ARRAY_SIZE(columns) ? ',' : '\n');
	while ((rc = journal_reader_next(&reader, &rec)) == 1) {
		rc = print_record(&p, rec);
		if (rc < 0)
			break;
	}
	free(p.symbol);
	journal_reader_close(&reader);
	return rc;
}
