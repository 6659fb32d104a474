/* SPDX-License-Identifier: BSD-3-Clause */
#include "board.h"

#include <errno.h>
#include <stddef.h>

#include "mem.h"

int gn_board_init(struct gn_board *b, uint32_t max, int node)
{
	b->max = max;
	b->entry = gn_mem_alloc(max * sizeof(*b->entry), node);
	return b->entry ? 0 : -ENOMEM;
}

void gn_board_fini(struct gn_board *b)
{
	gn_mem_free(b->entry, b->max * sizeof(*b->entry));
	b->entry = NULL;
}
