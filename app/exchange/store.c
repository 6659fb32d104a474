/* SPDX-License-Identifier: BSD-3-Clause */
#include "store.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"

#define STORE_BYTES_PER_ENTRY 32u /* the shortest common message with its share */

int store_init(struct store *s, size_t bytes)
{
	if (bytes < 2 * STORE_MSG_BYTES_MAX)
		bytes = 2 * STORE_MSG_BYTES_MAX;
	*s = (struct store){.ring_bytes = bytes, .entries = bytes / STORE_BYTES_PER_ENTRY, .seq_first = 1, .seq_next = 1};
	s->ring = malloc(bytes);
	s->entry = calloc(s->entries, sizeof(*s->entry));
	if (!s->ring || !s->entry) {
		store_fini(s);
		return gn_err(ENOMEM, "exchange: %zu bytes to keep sent messages", bytes);
	}
	return 0;
}

void store_fini(struct store *s)
{
	free(s->ring);
	free(s->entry);
	*s = (struct store){0};
}

static const struct store_entry *entry_of(const struct store *s, uint64_t seq)
{
	return &s->entry[seq % s->entries];
}

uint64_t store_put(struct store *s, const void *msg, uint32_t bytes)
{
	size_t to_end = s->ring_bytes - s->offset % s->ring_bytes;

	GN_ASSERT(bytes <= STORE_MSG_BYTES_MAX);
	if (to_end < bytes)
		s->offset += to_end; /* a message lies in one piece */
	while (s->seq_first < s->seq_next && (s->seq_next - s->seq_first == s->entries
			|| entry_of(s, s->seq_first)->offset + s->ring_bytes < s->offset + bytes))
		s->seq_first++;
	memcpy(s->ring + s->offset % s->ring_bytes, msg, bytes);
	s->entry[s->seq_next % s->entries] = (struct store_entry){.offset = s->offset, .bytes = bytes};
	s->offset += bytes;
	return s->seq_next++;
}

bool store_get(const struct store *s, uint64_t seq, const uint8_t **msg, uint32_t *bytes)
{
	if (seq < s->seq_first || seq >= s->seq_next)
		return false;
	*msg = s->ring + entry_of(s, seq)->offset % s->ring_bytes;
	*bytes = entry_of(s, seq)->bytes;
	return true;
}
