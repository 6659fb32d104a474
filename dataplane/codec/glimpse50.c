/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/glimpse50.h"

#include "dataplane/codec/ascii.h"

#define SEQ_BYTES (GLIMPSE50_END_BYTES - 1)

bool glimpse50_end_decode(const uint8_t *msg, uint32_t bytes, uint64_t *seq)
{
	return bytes == GLIMPSE50_END_BYTES && msg[0] == GLIMPSE50_END_TYPE && ascii_u64(msg + 1, SEQ_BYTES, seq);
}

uint32_t glimpse50_end_encode(uint64_t seq, uint8_t *out)
{
	out[0] = GLIMPSE50_END_TYPE;
	ascii_put_u64(out + 1, SEQ_BYTES, seq);
	return GLIMPSE50_END_BYTES;
}
