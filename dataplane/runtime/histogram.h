/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef GN_HISTOGRAM_H
#define GN_HISTOGRAM_H

/**
 * @file
 * Histogram of durations with fixed memory: 1 to 100 s in nanoseconds, three significant digits.
 *
 * Below 2,048 every value has a bucket of its own; above, each power of two is cut into 1,024 buckets, so a value is
 * kept to better than one part in a thousand. One writer; reading while it writes gives a slightly old picture.
 */

#include <stdint.h>
#include <stdio.h>

#define GN_HIST_MAX_NS UINT64_C(100000000000)
#define GN_HIST_SUB_BITS 10u
#define GN_HIST_BUCKETS ((37u - GN_HIST_SUB_BITS + 1u) << GN_HIST_SUB_BITS)

struct gn_hist {
	uint64_t n;
	uint64_t min, max; /* exact */
	uint64_t n_over;   /* values above GN_HIST_MAX_NS, counted in the last bucket too */
	uint64_t bucket[GN_HIST_BUCKETS];
};

/** Bucket of a value, which is at most GN_HIST_MAX_NS. */
static inline uint32_t gn_hist_bucket(uint64_t v)
{
	if (v < (UINT64_C(2) << GN_HIST_SUB_BITS))
		return (uint32_t)v;
	uint32_t shift = 63u - (uint32_t)__builtin_clzll(v) - GN_HIST_SUB_BITS;
	return (shift << GN_HIST_SUB_BITS) + (uint32_t)(v >> shift);
}

/** Add one value. A few nanoseconds, one line touched. */
static inline void gn_hist_record(struct gn_hist *h, uint64_t v)
{
	if (v > GN_HIST_MAX_NS) {
		v = GN_HIST_MAX_NS;
		h->n_over++;
	}
	h->bucket[gn_hist_bucket(v)]++;
	if (h->n == 0 || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->n++;
}

/** Add all of b to a. */
void gn_hist_merge(struct gn_hist *a, const struct gn_hist *b);

/**
 * Value below or at which the given share of the recorded values lies.
 *
 * @param ppm
 *   Share in parts per million: 500,000 is the median, 999,900 is p99.99. 1,000,000 is the exact maximum.
 * @return
 *   Highest value that falls into the same bucket; 0 when the histogram is empty.
 */
uint64_t gn_hist_at(const struct gn_hist *h, uint32_t ppm);

/** Write the percentile distribution as HdrHistogram text (.hgrm). 0 or -EIO. */
int gn_hist_write_hgrm(const struct gn_hist *h, FILE *out);

#endif
