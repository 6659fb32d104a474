/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_CORE_CLAIM_H
#define GN_CORE_CLAIM_H

/**
 * @file
 * Cores on which engines of this machine poll, so that two of them that choose for themselves do not choose the same one.
 *
 * A claim is a lock on one byte of a shared file: it ends with the process, however that ends. Cold path.
 */

#include <sched.h>

#define GN_CORE_CLAIMS "/dev/shm/gannet.cores"

/** Cores that other processes have claimed; empty where that cannot be known. */
void gn_core_claims_read(const char *path, cpu_set_t *claimed);

/**
 * Claim cores for this process.
 *
 * @param path
 *   GN_CORE_CLAIMS, or a file of a test.
 * @param taken
 *   Those of them that somebody else has meanwhile; may be NULL.
 * @return
 *   A descriptor that holds the claim until it is closed, or -errno (no error text): nothing is claimed.
 */
int gn_core_claim(const char *path, const cpu_set_t *cores, cpu_set_t *taken);

#endif
