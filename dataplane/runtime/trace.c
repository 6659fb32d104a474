/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace.h"

_Thread_local struct gn_trace *gn_trace_here;

#define TRACE_GUARD 64u /* stamps that the writer may add while one chunk is copied */

size_t gn_trace_read(const struct gn_trace *t, uint64_t *cursor, struct gn_stamp *out, size_t out_max, uint64_t *lost)
{
	/* acquire pairs with the release in gn_trace_stamp_at() */
	uint64_t end = atomic_load_explicit(&t->n, memory_order_acquire);
	uint64_t oldest = end > GN_TRACE_STAMPS - TRACE_GUARD ? end - (GN_TRACE_STAMPS - TRACE_GUARD) : 0;
	size_t n = 0;

	if (*cursor < oldest) {
		*lost += oldest - *cursor;
		*cursor = oldest;
	}
	for (uint64_t i = *cursor; i < end && n < out_max; i++, n++) {
		const struct gn_stamp_words *s = &t->stamp[i % GN_TRACE_STAMPS];
		uint64_t hop_inst = atomic_load_explicit(&s->hop_inst, memory_order_relaxed);
		out[n] = (struct gn_stamp){
			.id = atomic_load_explicit(&s->id, memory_order_relaxed),
			.tsc = atomic_load_explicit(&s->tsc, memory_order_relaxed),
			.arg = atomic_load_explicit(&s->arg, memory_order_relaxed),
			.hop = (uint32_t)(hop_inst >> 32),
			.inst = (uint32_t)hop_inst,
		};
	}
	atomic_thread_fence(memory_order_acquire);
	uint64_t now = atomic_load_explicit(&t->n, memory_order_relaxed);
	if (now >= GN_TRACE_STAMPS && *cursor < now - GN_TRACE_STAMPS + 1) { /* overtaken while copying */
		uint64_t spoilt = now - GN_TRACE_STAMPS + 1 - *cursor;
		if (spoilt > n)
			spoilt = n;
		for (size_t i = 0; i + spoilt < n; i++)
			out[i] = out[i + spoilt];
		*lost += spoilt;
		*cursor += n;
		return n - spoilt;
	}
	*cursor += n;
	return n;
}

const char *gn_hop_word(enum gn_hop hop)
{
#define HOP_WORD(name, word, help) [GN_HOP_##name] = word,
	static const char *const words[GN_HOP_COUNT] = {GN_HOPS(HOP_WORD)};
#undef HOP_WORD
	return (unsigned)hop < GN_HOP_COUNT ? words[hop] : "?";
}
