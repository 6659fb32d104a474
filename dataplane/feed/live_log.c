/* SPDX-License-Identifier: BSD-3-Clause */
#include "live_log.h"

#include <errno.h>
#include <string.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

struct log_entry {
	uint64_t seq, seq_end;
	uint64_t rx_tsc;
	uint64_t bytes; /* of blocks, which follow */
};

int live_log_init(struct live_log *log, size_t bytes)
{
	*log = (struct live_log){.mem = gn_mem_alloc(bytes, GN_NODE_ANY), .bytes_max = bytes};
	return log->mem ? 0 : gn_err_in(-ENOMEM, "feed: %zu bytes to keep live messages during a snapshot", bytes);
}

void live_log_fini(struct live_log *log)
{
	gn_mem_free(log->mem, log->bytes_max);
	*log = (struct live_log){0};
}

void live_log_reset(struct live_log *log, uint64_t seq)
{
	log->head = log->tail = 0;
	log->seq_contiguous = log->seq_end = seq;
}

static size_t entry_bytes(size_t blocks)
{
	return (sizeof(struct log_entry) + blocks + 7) & ~(size_t)7;
}

bool live_log_append(struct live_log *log, const struct moldudp64_reader *r, uint64_t rx_tsc)
{
	struct log_entry e = {.seq = r->seq, .seq_end = r->seq_end, .rx_tsc = rx_tsc, .bytes = (uint64_t)(r->end - r->at)};

	if (log->head == log->tail)
		log->head = log->tail = 0;
	if (entry_bytes(e.bytes) > log->bytes_max - log->tail)
		return false;
	memcpy(log->mem + log->tail, &e, sizeof(e));
	memcpy(log->mem + log->tail + sizeof(e), r->at, e.bytes);
	log->tail += entry_bytes(e.bytes);
	if (e.seq != log->seq_end)
		log->seq_contiguous = e.seq;
	log->seq_end = e.seq_end;
	return true;
}

bool live_log_take(struct live_log *log, struct moldudp64_reader *r, uint64_t *rx_tsc)
{
	struct log_entry e;

	if (live_log_empty(log))
		return false;
	memcpy(&e, log->mem + log->head, sizeof(e));
	*r = (struct moldudp64_reader){.at = log->mem + log->head + sizeof(e), .seq = e.seq, .seq_end = e.seq_end};
	r->end = r->at + e.bytes;
	*rx_tsc = e.rx_tsc;
	log->head += entry_bytes(e.bytes);
	return true;
}
