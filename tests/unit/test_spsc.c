/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/spsc.h"

static struct gn_spsc *ring;

static void given_ring(uint32_t depth, uint32_t payload_bytes)
{
	ring = aligned_alloc(GN_LINE_PAIR, sizeof(*ring));
	cr_assert_eq(gn_spsc_init(ring, depth, payload_bytes, GN_NODE_ANY), 0, "%s", gn_err_text());
}

static void release_ring(void)
{
	gn_spsc_fini(ring);
	free(ring);
}

TestSuite(spsc, .timeout = 60, .fini = release_ring);

Test(spsc, refuses_depths_and_payloads_out_of_range)
{
	given_ring(2, 8);
	struct gn_spsc *r = aligned_alloc(GN_LINE_PAIR, sizeof(*r));
	cr_assert_lt(gn_spsc_init(r, 0, 8, GN_NODE_ANY), 0);
	cr_assert_lt(gn_spsc_init(r, 1, 8, GN_NODE_ANY), 0);
	cr_assert_lt(gn_spsc_init(r, UINT32_MAX, 8, GN_NODE_ANY), 0);
	cr_assert_lt(gn_spsc_init(r, 8, 0, GN_NODE_ANY), 0);
	cr_assert_lt(gn_spsc_init(r, 8, 70000, GN_NODE_ANY), 0);
	free(r);
}

Test(spsc, is_empty_at_first)
{
	given_ring(8, 56);
	cr_assert_null(gn_spsc_peek(ring, 0));
	cr_assert_eq(gn_spsc_credit(ring, 8), 8);
}

Test(spsc, keeps_a_message_of_56_bytes_in_one_line)
{
	given_ring(8, 56);
	cr_assert_eq(ring->slot_bytes, 64);
}

Test(spsc, a_claimed_slot_is_invisible_until_published)
{
	given_ring(8, 8);
	struct gn_slot *slot = gn_spsc_claim(ring);
	cr_assert_not_null(slot);
	cr_assert_null(gn_spsc_peek(ring, 0));
	gn_spsc_publish(ring, slot, 8);
	cr_assert_not_null(gn_spsc_peek(ring, 0));
}

Test(spsc, refuses_when_full_and_takes_again_after_release)
{
	given_ring(4, 8);
	for (uint64_t i = 0; i < 4; i++)
		cr_assert(gn_spsc_push(ring, &i, sizeof(i)));
	uint64_t extra = 99;
	cr_assert_not(gn_spsc_push(ring, &extra, sizeof(extra)));
	cr_assert_null(gn_spsc_claim(ring));
	gn_spsc_release(ring);
	gn_spsc_share(ring);
	cr_assert(gn_spsc_push(ring, &extra, sizeof(extra)));
	cr_assert_not(gn_spsc_push(ring, &extra, sizeof(extra)));
}

Test(spsc, order_survives_the_wrap_of_the_32_bit_sequence)
{
	given_ring(4, 8);
	ring->tail = ring->head_seen = ring->head = ring->head_told = UINT32_MAX - 5;
	atomic_store(&ring->head_shared, ring->head);
	for (uint64_t i = 0; i < 20; i++) {
		cr_assert(gn_spsc_push(ring, &i, sizeof(i)));
		const struct gn_slot *slot = gn_spsc_peek(ring, 0);
		cr_assert_not_null(slot, "message %lu", (unsigned long)i);
		cr_assert_eq(*(const uint64_t *)(const void *)slot->payload, i);
		cr_assert_null(gn_spsc_peek(ring, 1));
		gn_spsc_release(ring);
	}
}

Test(spsc, looks_ahead_only_at_what_is_published)
{
	given_ring(8, 8);
	for (uint64_t i = 0; i < 3; i++)
		gn_spsc_push(ring, &i, sizeof(i));
	cr_assert_eq(*(const uint64_t *)(const void *)gn_spsc_peek(ring, 2)->payload, 2);
	cr_assert_null(gn_spsc_peek(ring, 3));
}

Test(spsc, a_burst_is_taken_whole_or_not_at_all)
{
	static const uint64_t word[8] = {10, 11, 12, 13, 14, 15, 16, 17};

	given_ring(8, 8);
	cr_assert_not(gn_spsc_push_burst(ring, word, 8, 9));
	cr_assert(gn_spsc_push_burst(ring, word, 8, 0));
	cr_assert_null(gn_spsc_peek(ring, 0));
	cr_assert(gn_spsc_push_burst(ring, word, 8, 5));
	cr_assert_not(gn_spsc_push_burst(ring, word, 8, 4));
	cr_assert_null(gn_spsc_peek(ring, 5));
	cr_assert(gn_spsc_push_burst(ring, word + 5, 8, 3));
	for (uint32_t i = 0; i < 8; i++) {
		const struct gn_slot *slot = gn_spsc_peek(ring, 0);
		cr_assert_not_null(slot);
		cr_assert_eq(slot->bytes, 8);
		cr_assert_eq(*(const uint64_t *)(const void *)slot->payload, word[i]);
		gn_spsc_release(ring);
	}
	cr_assert_null(gn_spsc_peek(ring, 0));
}

Test(spsc, bursts_and_single_messages_keep_their_order_over_the_wrap)
{
	uint64_t word[3], sent = 0;

	given_ring(4, 8);
	ring->tail = ring->head_seen = ring->head = ring->head_told = UINT32_MAX - 5;
	atomic_store(&ring->head_shared, ring->head);
	for (uint64_t got = 0; got < 40;) {
		for (uint32_t k = 0; k < 3; k++)
			word[k] = sent + k;
		if (got % 2 == 0 && gn_spsc_push_burst(ring, word, 8, 3))
			sent += 3;
		else
			sent += gn_spsc_push(ring, word, 8);
		const struct gn_slot *slot = gn_spsc_peek(ring, 0);
		cr_assert_not_null(slot, "message %lu", (unsigned long)got);
		cr_assert_eq(*(const uint64_t *)(const void *)slot->payload, got++);
		gn_spsc_release(ring);
		gn_spsc_share(ring);
	}
}

struct soak {
	uint64_t n;
	uint32_t payload_bytes;
	uint32_t burst; /* that the producer sends at once; 0: single messages */
};

static void produce_bursts(const struct soak *s)
{
	uint64_t msg[32];

	for (uint64_t i = 0; i < s->n; i += s->burst) {
		for (uint32_t k = 0; k < s->burst; k++)
			msg[k] = (i + k) * 31;
		while (!gn_spsc_push_burst(ring, msg, 8, s->burst))
			sched_yield();
	}
}

static void *produce(void *arg)
{
	const struct soak *s = arg;
	uint64_t msg[16] = {0};

	if (s->burst) {
		produce_bursts(s);
		return NULL;
	}

	for (uint64_t i = 0; i < s->n; i++) {
		for (uint32_t w = 0; w < s->payload_bytes / 8; w++)
			msg[w] = i * 31 + w;
		while (!gn_spsc_push(ring, msg, s->payload_bytes))
			sched_yield();
	}
	return NULL;
}

static void soak_run(uint32_t depth, uint32_t payload_bytes, uint64_t n, uint32_t burst)
{
	struct soak s = {n, payload_bytes, burst};
	pthread_t producer;

	given_ring(depth, payload_bytes);
	cr_assert_eq(pthread_create(&producer, NULL, produce, &s), 0);
	for (uint64_t i = 0; i < n; i++) {
		const struct gn_slot *slot;
		while (!(slot = gn_spsc_peek(ring, 0))) {
			gn_spsc_share(ring);
			sched_yield();
		}
		cr_assert_eq(slot->bytes, payload_bytes);
		const uint64_t *word = (const uint64_t *)(const void *)slot->payload;
		for (uint32_t w = 0; w < payload_bytes / 8; w++)
			cr_assert_eq(word[w], i * 31 + w, "message %lu word %u", (unsigned long)i, w);
		gn_spsc_release(ring);
	}
	pthread_join(producer, NULL);
	cr_assert_null(gn_spsc_peek(ring, 0));
}

Test(spsc, two_threads_lose_and_tear_nothing_8_bytes)
{
	soak_run(64, 8, 500000, 0);
}

Test(spsc, two_threads_lose_and_tear_nothing_in_bursts)
{
	soak_run(64, 8, 512000, 32);
}

Test(spsc, two_threads_lose_and_tear_nothing_56_bytes)
{
	soak_run(4, 56, 200000, 0);
}

Test(spsc, two_threads_lose_and_tear_nothing_in_the_smallest_ring)
{
	soak_run(2, 104, 100000, 0);
}
