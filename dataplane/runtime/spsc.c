/* SPDX-License-Identifier: BSD-3-Clause */
#include "spsc.h"

#include <errno.h>

#include "mem.h"

#define SPSC_DEPTH_MAX (UINT32_C(1) << 24)
#define SPSC_SMALL_SLOT_BYTES 16u /* four 8-byte messages share a line: less traffic in a burst */
#define SPSC_SHARE_EVERY_MAX 64u

int gn_spsc_init(struct gn_spsc *r, uint32_t depth, uint32_t payload_bytes, int node)
{
	if (depth < 2 || depth > SPSC_DEPTH_MAX)
		return gn_err(EINVAL, "ring: depth %u is not within 2 .. %u", depth, SPSC_DEPTH_MAX);
	if (payload_bytes == 0 || payload_bytes > UINT16_MAX)
		return gn_err(EINVAL, "ring: payload of %u bytes is not within 1 .. %u", payload_bytes, UINT16_MAX);

	memset(r, 0, sizeof(*r));
	depth = gn_pow2_at_least(depth);
	r->mask = depth - 1;
	r->slot_bytes = payload_bytes + GN_SLOT_HEAD_BYTES <= SPSC_SMALL_SLOT_BYTES
		? SPSC_SMALL_SLOT_BYTES
		: (payload_bytes + GN_SLOT_HEAD_BYTES + GN_LINE - 1) / GN_LINE * GN_LINE;
	r->share_every = depth / 4 < SPSC_SHARE_EVERY_MAX ? (depth + 3) / 4 : SPSC_SHARE_EVERY_MAX;
	r->map_bytes = (size_t)depth * r->slot_bytes;
	r->slots = gn_mem_alloc(r->map_bytes, node);
	return r->slots ? 0 : gn_err_in(-ENOMEM, "ring of %u slots", depth);
}

void gn_spsc_fini(struct gn_spsc *r)
{
	gn_mem_free(r->slots, r->map_bytes);
	r->slots = NULL;
}
