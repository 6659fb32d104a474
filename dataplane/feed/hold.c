/* SPDX-License-Identifier: BSD-3-Clause */
#include "hold.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

static size_t hold_map_bytes(uint32_t max)
{
	return (size_t)max * (HOLD_DATAGRAM_BYTES_MAX + 2 * sizeof(struct hold_entry) + sizeof(uint32_t));
}

int hold_init(struct hold *h, uint32_t max)
{
	*h = (struct hold){.max = max};
	if (max == 0 || max > HOLD_DATAGRAMS_MAX)
		return gn_err(EINVAL, "feed: %u datagrams to hold is not within 1 .. %u", max, HOLD_DATAGRAMS_MAX);
	h->bytes = gn_mem_alloc(hold_map_bytes(max), GN_NODE_ANY);
	if (!h->bytes)
		return gn_err_in(-ENOMEM, "feed: room to hold %u datagrams", max);
	h->entry = (struct hold_entry *)(void *)(h->bytes + (size_t)max * HOLD_DATAGRAM_BYTES_MAX);
	h->free_slot = (uint32_t *)(void *)(h->entry + 2 * (size_t)max);
	hold_clear(h);
	return 0;
}

void hold_fini(struct hold *h)
{
	gn_mem_free(h->bytes, hold_map_bytes(h->max));
	*h = (struct hold){0};
}

void hold_clear(struct hold *h)
{
	h->head = h->n = 0;
	h->n_free = h->max;
	for (uint32_t i = 0; i < h->max; i++)
		h->free_slot[i] = h->max - 1 - i;
}

/* Index, within the window, of the first entry whose seq is above the given one. */
static uint32_t hold_above(const struct hold *h, uint64_t seq)
{
	const struct hold_entry *e = &h->entry[h->head];
	uint32_t low = 0, high = h->n;

	if (h->n && e[h->n - 1].seq <= seq)
		return h->n;
	while (low < high) {
		uint32_t mid = (low + high) / 2;
		if (e[mid].seq <= seq)
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

/* Open a place at index i of the window. */
static struct hold_entry *hold_open(struct hold *h, uint32_t i)
{
	if (h->head + h->n == 2 * h->max) {
		memmove(h->entry, h->entry + h->head, h->n * sizeof(*h->entry));
		h->head = 0;
	}
	struct hold_entry *e = &h->entry[h->head + i];
	memmove(e + 1, e, (h->n - i) * sizeof(*e));
	h->n++;
	return e;
}

enum hold_verdict hold_keep(struct hold *h, const struct hold_entry *in, const uint8_t *data)
{
	if (in->bytes > HOLD_DATAGRAM_BYTES_MAX)
		return HOLD_FULL;
	uint32_t i = hold_above(h, in->seq);
	struct hold_entry *e = &h->entry[h->head + i];

	if (i > 0 && e[-1].seq_end >= in->seq_end)
		return HOLD_DUPLICATE;
	if (i > 0 && e[-1].seq == in->seq) { /* the longer one of two that begin alike takes the other's place */
		uint32_t slot = e[-1].slot;
		e[-1] = *in;
		e[-1].slot = slot;
		memcpy(h->bytes + (uint64_t)slot * HOLD_DATAGRAM_BYTES_MAX, data, in->bytes);
		return HOLD_KEPT;
	}
	if (h->n_free == 0)
		return HOLD_FULL;
	e = hold_open(h, i);
	*e = *in;
	e->slot = h->free_slot[--h->n_free];
	memcpy(h->bytes + (uint64_t)e->slot * HOLD_DATAGRAM_BYTES_MAX, data, in->bytes);
	return HOLD_KEPT;
}

struct hold_entry hold_pop(struct hold *h)
{
	GN_ASSERT(h->n > 0);
	struct hold_entry e = h->entry[h->head++];

	h->free_slot[h->n_free++] = e.slot;
	if (--h->n == 0)
		h->head = 0;
	return e;
}
