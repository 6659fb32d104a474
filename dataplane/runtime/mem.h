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

/**
 * Have every page of shared mappings ready for the first write. A driver that shares memory with its peer leaves it to
 * page faults, one for each page: 5 to 15 us each on the first lap of a ring, also where memory is locked.
 *
 * @param name
 *   Begin of the mapped file's name as in /proc/self/maps, such as "/memfd:rings".
 * @return
 *   Bytes made ready; 0 where there is no such mapping, no /proc, or a kernel before 5.14.
 */
size_t gn_mem_ready_shared(const char *name);

/** Unmap what gn_mem_alloc(bytes) returned; NULL is allowed. */
void gn_mem_free(void *mem, size_t bytes);

#endif
