/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_MEM_H
#define GN_MEM_H

/**
 * @file
 * Memory of the data path: zeroed, pre-faulted, in 2 MB pages where the machine has them. Cold path only.
 */

#include <stddef.h>

#define GN_NODE_ANY (-1)

/**
 * Map memory for a hot structure: explicit 2 MB pages, else transparent ones, else 4 KB; every page is touched.
 *
 * @param bytes
 *   Size; rounded up to the page size.
 * @param node
 *   NUMA node of the thread that reads it most, or GN_NODE_ANY.
 * @return
 *   Zeroed memory aligned to at least 4096, or NULL with gn_err_text() set.
 */
void *gn_mem_alloc(size_t bytes, int node);

/** Unmap what gn_mem_alloc(bytes) returned; NULL is allowed. */
void gn_mem_free(void *mem, size_t bytes);

#endif
