/* SPDX-License-Identifier: BSD-3-Clause */
#include "histogram.h"

#include <errno.h>

#define PPM 1000000u
#define HGRM_TICKS_PER_HALF 5u /* lines between p and the next halving of what is above it */

static uint64_t hist_bucket_top(uint32_t bucket)
{
	if (bucket < (2u << GN_HIST_SUB_BITS))
		return bucket;
	uint32_t shift = (bucket >> GN_HIST_SUB_BITS) - 1;
	uint64_t sub = bucket - (shift << GN_HIST_SUB_BITS);

	return ((sub + 1) << shift) - 1;
}

void gn_hist_merge(struct gn_hist *a, const struct gn_hist *b)
{
	if (b->n == 0)
		return;
	if (a->n == 0 || b->min < a->min)
		a->min = b->min;
	if (b->max > a->max)
		a->max = b->max;
	a->n += b->n;
	a->n_over += b->n_over;
	for (uint32_t i = 0; i < GN_HIST_BUCKETS; i++)
		a->bucket[i] += b->bucket[i];
}

/* Smallest bucket top with at least `rank` values at or below it. */
static uint64_t hist_at_rank(const struct gn_hist *h, uint64_t rank, uint64_t *below)
{
	uint64_t seen = 0;

	for (uint32_t i = 0; i < GN_HIST_BUCKETS; i++) {
		seen += h->bucket[i];
		if (seen >= rank) {
			*below = seen;
			uint64_t top = hist_bucket_top(i);
			return top < h->max ? top : h->max;
		}
	}
	*below = seen;
	return h->max;
}

uint64_t gn_hist_at(const struct gn_hist *h, uint32_t ppm)
{
	uint64_t below;
	uint64_t rank = (uint64_t)(((unsigned __int128)h->n * ppm + PPM - 1) / PPM);

	if (h->n == 0)
		return 0;
	if (ppm >= PPM)
		return h->max;
	return hist_at_rank(h, rank ? rank : 1, &below);
}

static void hist_mean_deviation(const struct gn_hist *h, double *mean, double *deviation)
{
	double sum = 0, squares = 0;

	for (uint32_t i = 0; i < GN_HIST_BUCKETS; i++)
		sum += (double)h->bucket[i] * (double)hist_bucket_top(i);
	*mean = h->n ? sum / (double)h->n : 0;
	for (uint32_t i = 0; i < GN_HIST_BUCKETS; i++) {
		double d = (double)hist_bucket_top(i) - *mean;
		squares += (double)h->bucket[i] * d * d;
	}
	*deviation = h->n ? squares / (double)h->n : 0;
	double root = *deviation > 1 ? *deviation : 1; /* Newton: no libm for one root */
	for (int i = 0; i < 64; i++)
		root = (root + *deviation / root) / 2;
	*deviation = *deviation > 0 ? root : 0;
}

int gn_hist_write_hgrm(const struct gn_hist *h, FILE *out)
{
	double mean, deviation, share = 0, half = 0.5;
	uint64_t below = 0;

	fprintf(out, "%12s %14s %10s %14s\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
	while (h->n && below < h->n) {
		double at = share * (double)h->n;
		uint64_t rank = (uint64_t)at + ((double)(uint64_t)at < at || at < 1);
		uint64_t value = hist_at_rank(h, rank, &below);
		if (below < h->n)
			fprintf(out, "%12.3f %2.12f %10llu %14.2f\n", (double)value, share, (unsigned long long)below,
				1 / (1 - share));
		share += half / HGRM_TICKS_PER_HALF;
		if (1 - share <= half * 1.0000001) /* half of what was above: finer steps */
			half /= 2;
	}
	if (h->n)
		fprintf(out, "%12.3f %2.12f %10llu\n", (double)h->max, 1.0, (unsigned long long)h->n);
	hist_mean_deviation(h, &mean, &deviation);
	fprintf(out, "#[Mean    = %12.3f, StdDeviation   = %12.3f]\n", mean, deviation);
	fprintf(out, "#[Max     = %12.3f, Total count    = %12llu]\n", (double)h->max, (unsigned long long)h->n);
	fprintf(out, "#[Buckets = %12u, SubBuckets     = %12u]\n", 37u - GN_HIST_SUB_BITS, 2u << GN_HIST_SUB_BITS);
	return ferror(out) ? -EIO : 0;
}
