/* SPDX-License-Identifier: BSD-3-Clause */
#include "line_card.h"

#include <string.h>

static uint64_t lead_bucket_top_ns(uint32_t i)
{
	if (i < 8)
		return i;
	uint32_t shift = i / 8 - 1;
	return ((UINT64_C(8) + i % 8 + 1) << shift) - 1;
}

uint64_t lead_percentile(const struct lead_histogram *h, uint32_t permille)
{
	uint64_t rank = (uint64_t)((unsigned __int128)h->n * permille / 1000), seen = 0;

	if (h->n == 0)
		return 0;
	if (rank >= h->n)
		return h->max_ns;
	for (uint32_t i = 0; i < LEAD_BUCKETS - 1; i++) {
		seen += h->count[i];
		if (seen > rank) {
			uint64_t top_ns = lead_bucket_top_ns(i);
			return top_ns < h->max_ns ? top_ns : h->max_ns;
		}
	}
	return h->max_ns;
}

static uint64_t min_u64(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
	return a > b ? a : b;
}

/* Take [seq, seq_end) out of one hole; what is taken from its middle leaves the longer rest. Returns how much. */
static uint64_t hole_fill(struct line_hole *h, uint64_t seq, uint64_t seq_end)
{
	uint64_t from = max_u64(seq, h->from), to = min_u64(seq_end, h->to);

	if (from >= to)
		return 0;
	if (from - h->from >= h->to - to)
		h->to = from;
	else
		h->from = to;
	return to - from;
}

void line_card_moved(struct line_card *c, uint64_t seq, uint64_t seq_end)
{
	if (seq > c->seq_next) {
		c->n_lost += seq - c->seq_next;
		c->hole[c->hole_at] = (struct line_hole){c->seq_next, seq};
		c->hole_at = (uint8_t)((c->hole_at + 1) % LINE_HOLES);
	} else {
		uint64_t n = 0;
		for (uint32_t i = 0; i < LINE_HOLES; i++)
			n += hole_fill(&c->hole[i], seq, seq_end);
		c->n_late += n;
		c->n_lost -= min_u64(n, c->n_lost);
	}
	c->seq_next = max_u64(c->seq_next, seq_end);
}

void line_card_watch(struct line_card *c, uint64_t now_ns, uint64_t silence_ns)
{
	bool silent = !c->reply && now_ns > c->at_ns && now_ns - c->at_ns > silence_ns;

	c->n_silences += silent && !c->silent;
	c->silent = silent;
}

void line_card_restart(struct line_card *c, uint64_t seq_first)
{
	c->seq_next = seq_first;
	c->hole_at = 0;
	memset(c->hole, 0, sizeof(c->hole));
}
