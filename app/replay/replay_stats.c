/* SPDX-License-Identifier: BSD-3-Clause */
#include <stdio.h>

#include "dataplane/codec/itch50.h"
#include "replay_core.h"

/* Names and values in groups: nested objects as JSON, "group.name,value" lines as CSV. */
struct stats {
	struct text_out *out;
	bool json;
	bool first;
	const char *group; /* NULL: none */
};

static void put_name(struct stats *s, const char *name)
{
	if (!s->json) {
		if (s->group != NULL) {
			text_put(s->out, s->group);
			text_put_char(s->out, '.');
		}
		text_put(s->out, name);
		text_put_char(s->out, ',');
		return;
	}
	if (!s->first)
		text_put_char(s->out, ',');
	s->first = false;
	text_put_char(s->out, '"');
	text_put(s->out, name);
	text_put(s->out, "\":");
}

static void put_end(struct stats *s)
{
	if (!s->json)
		text_put_char(s->out, '\n');
}

static void put_number(struct stats *s, const char *name, uint64_t v)
{
	put_name(s, name);
	text_put_u64(s->out, v);
	put_end(s);
}

static void put_real(struct stats *s, const char *name, double v)
{
	char text[64];

	snprintf(text, sizeof(text), "%.3f", v);
	put_name(s, name);
	text_put(s->out, text);
	put_end(s);
}

static void group_begin(struct stats *s, const char *name)
{
	if (s->json) {
		put_name(s, name);
		text_put_char(s->out, '{');
		s->first = true;
	}
	s->group = name;
}

static void group_end(struct stats *s)
{
	if (s->json)
		text_put_char(s->out, '}');
	s->first = false;
	s->group = NULL;
}

static void put_types(struct stats *s, const struct replay *r)
{
	static const struct { const char *name; uint8_t kind; } types[] = {
		{"S", GN_MD_SYSTEM}, {"R", GN_MD_DIRECTORY}, {"H", GN_MD_STATE}, {"Y", GN_MD_SHORT_SALE}, {"L", GN_MD_PARTICIPANT},
		{"V", GN_MD_MWCB_LEVELS}, {"W", GN_MD_MWCB_STATUS}, {"K", GN_MD_IPO}, {"J", GN_MD_COLLAR}, {"h", GN_MD_HALT},
		{"E", GN_MD_EXEC}, {"C", GN_MD_EXEC_PX}, {"X", GN_MD_REDUCE}, {"D", GN_MD_DELETE}, {"U", GN_MD_REPLACE},
		{"P", GN_MD_TRADE}, {"Q", GN_MD_CROSS}, {"B", GN_MD_BROKEN}, {"I", GN_MD_IMBALANCE}, {"N", GN_MD_RETAIL},
		{"O", GN_MD_DISCOVERY}};

	group_begin(s, "types");
	put_number(s, "A", r->by_kind[GN_MD_ADD] - r->n_attributed);
	put_number(s, "F", r->n_attributed);
	for (size_t i = 0; i < GN_ARRAY_SIZE(types); i++)
		put_number(s, types[i].name, r->by_kind[types[i].kind]);
	group_end(s);
}

#define PUT_BOOK(name, help) put_number(s, #name, r->books.n.name);
#define PUT_FEED(name, help) put_number(s, #name, r->feed.n.name);
#define PUT_CAPTURE(name, help) put_number(s, #name, r->last.n.name);

static void put_counters(struct stats *s, const struct replay *r)
{
	group_begin(s, "book");
	BOOK_COUNTERS(PUT_BOOK)
	group_end(s);
	group_begin(s, "feed");
	FEED_COUNTERS(PUT_FEED)
	group_end(s);
	group_begin(s, "capture");
	CAPTURE_COUNTERS(PUT_CAPTURE)
	group_end(s);
}

static uint64_t n_messages(const struct feed *f)
{
	return f->n.msg_event + f->n.msg_foreign + f->n.msg_empty + f->n.msg_unknown_type + f->n.msg_wrong_length
		+ f->n.msg_unmapped + f->n.msg_refused;
}

/* what should not have been in the stream, whoever noticed it */
static uint64_t n_errors(const struct replay *r)
{
	const struct book_counters *b = &r->books.n;
	const struct feed *f = &r->feed;

	return b->ref_duplicate + b->ref_foreign + b->side_bad + b->px_bad + b->qty_bad + b->qty_excess + b->limit_order
		+ b->limit_wide + b->limit_level + b->inst_unknown + b->event_unknown + f->n.msg_empty
		+ f->n.msg_unknown_type + f->n.msg_wrong_length + f->n.msg_refused + f->n.msg_lost + f->n.pkt_bad + f->n.pkt_full
		+ r->last.n.frame_cut + r->last.n.frame_bad + r->last.n.frame_fragment + r->last.n.datagram_extra;
}

void replay_print_stats(struct replay *r)
{
	struct stats s = {.out = &r->out, .json = r->o->json, .first = true};
	uint64_t messages = n_messages(&r->feed), wall_ns = r->end_ns - r->begin_ns;
	double run_ns = wall_ns > r->fill_ns ? (double)(wall_ns - r->fill_ns) : 0;

	text_put(s.out, s.json ? "{" : "name,value\n");
	put_number(&s, "messages", messages);
	put_types(&s, r);
	put_number(&s, "messages_unmapped", r->feed.n.msg_unmapped);
	put_number(&s, "unknown_references", r->books.n.ref_unknown);
	put_number(&s, "errors", n_errors(r));
	put_number(&s, "live_orders", r->books.map.n - r->books.n_dead);
	put_number(&s, "instruments", r->table != NULL ? gn_instruments_count(r->table) : 0);
	put_number(&s, "bytes", r->n_bytes);
	put_real(&s, "seconds", (double)wall_ns / 1e9);
	put_real(&s, "seconds_reading", (double)r->fill_ns / 1e9);
	put_real(&s, "messages_per_s", wall_ns != 0 ? (double)messages * 1e9 / (double)wall_ns : 0);
	put_real(&s, "ns_per_message", messages != 0 ? run_ns / (double)messages : 0);
	put_counters(&s, r);
	if (s.json)
		text_put(s.out, "}\n");
}
