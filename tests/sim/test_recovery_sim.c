/* SPDX-License-Identifier: BSD-3-Clause */
#include <criterion/criterion.h>

#include "feed_world.h"
#include "random.h"

#define US UINT64_C(1000)
#define MS (1000 * US)

TestSuite(recovery_sim, .timeout = 280);

static struct world_config base(uint64_t seed)
{
	uint64_t rng = seed * 31 + 7;

	return (struct world_config){
		.seed = seed,
		.n_symbols = 1 + (uint32_t)random_below(&rng, 12),
		.n_messages = 150 + (uint32_t)random_below(&rng, 300),
		.directory = random_below(&rng, 4) != 0,
		.repeat_pct = 5,
		.reorder_pct = 10,
		.feed = {
			.wait_ns = 300 * US,
			.hold_datagrams = 128,
			.recovery = {
				.port_own = 777,
				.log_bytes = 1 << 16,
				.rerequest = {.timeout_ns = 300 * US, .timeout_ns_max = 2 * MS, .tries_max = 40, .give_up_ns = 900 * MS},
				.snapshot = {.bytes_max = 1 << 16, .answer_ns = 20 * MS, .backoff_ns = MS, .backoff_ns_max = 10 * MS,
					.attempts_max = 1000},
			},
		},
	};
}

/* As many as that with GANNET_LONG, a tenth of them without. */
static uint64_t n_seeds(uint64_t longest)
{
	return random_long() ? longest : (longest + 9) / 10;
}

Test(recovery_sim, lines_that_repeat_and_reorder_change_nothing)
{
	uint64_t seed = random_seed();

	for (uint64_t s = seed; s < seed + n_seeds(500); s++) {
		struct world_config cfg = base(s);
		struct world *w = world_run(&cfg);
		struct world_feed *wf = world_feed(w, 0);
		cr_assert(world_feed_is_right(wf), "seed %llu", (unsigned long long)s);
		cr_assert_eq(wf->feed.n.stale_sent, 0);
		cr_assert_gt(wf->n_checks, 0);
		cr_assert(world_same_stream(wf, world_ideal(w)), "seed %llu", (unsigned long long)s);
		world_free(w);
	}
}

/* What requests alone can do: everything, as long as a server answers. */
Test(recovery_sim, requests_bring_back_the_very_same_stream)
{
	uint64_t seed = random_seed(), n_asked = 0;

	for (uint64_t s = seed; s < seed + n_seeds(1000); s++) {
		struct world_config cfg = base(s);
		cfg.loss_pct = 5;
		cfg.n_servers = 2;
		cfg.server_loss_pct = 20;
		cfg.dead_server = s % 3 == 0;
		cfg.feed.hold_datagrams = 150;
		struct world *w = world_run(&cfg);
		struct world_feed *wf = world_feed(w, 0);
		cr_assert(world_feed_is_right(wf), "seed %llu", (unsigned long long)s);
		cr_assert_eq(wf->feed.n.msg_lost, 0, "seed %llu", (unsigned long long)s);
		cr_assert(world_same_stream(wf, world_ideal(w)), "seed %llu", (unsigned long long)s);
		n_asked += wf->feed.recovery.n.request_sent;
		world_free(w);
	}
	cr_assert_gt(n_asked, n_seeds(1000));
}

static void expect_recovered(const struct world_config *cfg, struct world_feed *wf, const struct world_feed *ideal)
{
	unsigned long long s = cfg->seed;
	uint64_t n_missing = ideal->n_events - wf->n_events;
	const struct feed *f = &wf->feed;

	cr_assert(world_feed_is_right(wf), "seed %llu: some book is stale or wrong at the end", s);
	for (uint32_t i = 0; i < cfg->n_symbols; i++)
		cr_assert(world_part_of(wf, ideal, day_symbol(i)), "seed %llu: news of symbol %u", s, i);
	cr_assert(world_part_of(wf, ideal, (gn_symbol){.word = 0}), "seed %llu", s);
	cr_assert_leq(n_missing, f->n.msg_lost + f->n.msg_unmapped + f->recovery.n.rebuild_msg_dropped, "seed %llu: %llu", s,
		(unsigned long long)n_missing);
	if (f->n.msg_lost == 0)
		cr_assert(world_same_stream(wf, ideal), "seed %llu", s);
}

/* Everything at once. */
Test(recovery_sim, snapshots_make_every_book_right_again_and_no_live_message_is_lost_or_told_twice)
{
	uint64_t seed = random_seed(), n_rebuilt = 0, n_again = 0;

	for (uint64_t s = seed; s < seed + n_seeds(1000); s++) {
		struct world_config cfg = base(s);
		uint64_t rng = s;
		cfg.loss_pct = 2 + (uint32_t)random_below(&rng, 8);
		cfg.n_servers = (uint32_t)random_below(&rng, 3);
		cfg.server_loss_pct = (uint32_t)random_below(&rng, 60);
		cfg.feed.recovery.rerequest.tries_max = 1 + (uint32_t)random_below(&rng, 6);
		cfg.feed.recovery.rerequest.messages_max = 1 + (uint32_t)random_below(&rng, 50);
		cfg.feed.hold_datagrams = 8 + (uint32_t)random_below(&rng, 100);
		cfg.start_at = random_below(&rng, 4) ? 0 : cfg.n_messages / 2;
		cfg.glimpse = true;
		cfg.glimpse_fault_pct = (uint32_t)random_below(&rng, 60);
		cfg.feed.recovery.log_bytes = (size_t)1 << (10 + random_below(&rng, 7));
		struct world *w = world_run(&cfg);
		struct world_feed *wf = world_feed(w, 0);
		expect_recovered(&cfg, wf, world_ideal(w));
		n_rebuilt += wf->feed.recovery.n.rebuild;
		n_again += wf->feed.recovery.n.rebuild_again;
		world_free(w);
	}
	cr_assert_gt(n_rebuilt, n_seeds(500));
	cr_assert_gt(n_again, n_seeds(100));
}

Test(recovery_sim, without_recovery_a_loss_that_nobody_explains_makes_every_book_stale)
{
	uint64_t seed = random_seed(), n_lost = 0;

	for (uint64_t s = seed; s < seed + n_seeds(1000); s++) {
		struct world_config cfg = base(s);
		cfg.loss_pct = (uint32_t)(s % 6) * 2;
		struct world *w = world_run(&cfg);
		struct world_feed *wf = world_feed(w, 0);
		bool lost = wf->feed.n.msg_lost > wf->feed.n.msg_late;
		for (uint32_t i = 0; lost && i < gn_instruments_count(wf->feed.symbols.table); i++)
			cr_assert(wf->stale[i], "seed %llu", (unsigned long long)s);
		if (wf->feed.n.msg_lost == 0)
			cr_assert(world_feed_is_right(wf), "seed %llu", (unsigned long long)s);
		n_lost += lost;
		world_free(w);
	}
	cr_assert_gt(n_lost, n_seeds(200));
}

/* The lost messages come after all, too late to be applied: they tell whom they concerned. */
Test(recovery_sim, without_recovery_exactly_the_instruments_that_lost_messages_concerned_are_stale)
{
	uint64_t seed = random_seed(), n_lost = 0, n_right = 0, n_stale = 0;

	for (uint64_t s = seed; s < seed + n_seeds(1000); s++) {
		struct world_config cfg = base(s);
		cfg.n_symbols = DAY_SYMBOLS_MAX;
		cfg.loss_pct = 2 + (uint32_t)(s % 4);
		cfg.tardy = true;
		struct world *w = world_run(&cfg);
		struct world_feed *wf = world_feed(w, 0);
		cr_assert_eq(wf->feed.n.msg_lost, wf->feed.n.msg_late, "seed %llu", (unsigned long long)s);
		n_lost += wf->feed.n.msg_lost;
		for (uint32_t i = 0; i < DAY_SYMBOLS_MAX; i++) {
			gn_inst inst = gn_instruments_find(wf->feed.symbols.table, day_symbol(i));
			if (inst == GN_INST_NONE || !wf->told[inst])
				continue;
			cr_assert_eq(wf->stale[inst], wf->touched[i], "seed %llu: symbol %u", (unsigned long long)s, i);
			n_right += !wf->touched[i] && wf->feed.n.msg_lost;
			n_stale += wf->touched[i];
		}
		world_free(w);
	}
	cr_assert(n_lost > n_seeds(1000) && n_right > n_seeds(1000) && n_stale > n_seeds(1000), "%llu lost, %llu right, %llu stale", (unsigned long long)n_lost,
		(unsigned long long)n_right, (unsigned long long)n_stale);
}

static void expect_shards_equal(const struct world_config *cfg, struct world *w)
{
	const struct world_feed *ideal = world_ideal(w);

	for (uint32_t i = 0; i < cfg->n_symbols; i++) {
		struct world_feed *wf = world_feed(w, day_locate(i) % cfg->n_feeds);
		cr_assert(world_same_events(wf, ideal, day_symbol(i)), "seed %llu: %u shards, symbol %u",
			(unsigned long long)cfg->seed, cfg->n_feeds, i);
	}
	cr_assert(world_same_events(world_feed(w, 0), ideal, (gn_symbol){.word = 0}));
}

Test(recovery_sim, any_number_of_shards_makes_the_same_events_of_each_instrument)
{
	uint64_t seed = random_seed();

	for (uint64_t s = seed; s < seed + n_seeds(500); s++) {
		struct world_config cfg = base(s);
		cfg.directory = true; /* before it, a message that names no number can only go to one fixed shard */
		cfg.loss_pct = 4;
		cfg.n_servers = 1;
		cfg.server_loss_pct = 10;
		cfg.feed.hold_datagrams = 150;
		for (cfg.n_feeds = 1; cfg.n_feeds <= WORLD_FEEDS_MAX; cfg.n_feeds++) {
			struct world *w = world_run(&cfg);
			expect_shards_equal(&cfg, w);
			for (uint32_t i = 0; i < cfg.n_feeds; i++)
				cr_assert(world_feed_is_right(world_feed(w, i)));
			world_free(w);
		}
	}
}

Test(recovery_sim, every_shard_rebuilds_its_own_books)
{
	uint64_t seed = random_seed();

	for (uint64_t s = seed; s < seed + n_seeds(500); s++) {
		struct world_config cfg = base(s);
		cfg.loss_pct = 8;
		cfg.glimpse = true;
		cfg.glimpse_fault_pct = 20;
		cfg.n_feeds = 2 + (uint32_t)(s % 3);
		struct world *w = world_run(&cfg);
		for (uint32_t i = 0; i < cfg.n_feeds; i++)
			cr_assert(world_feed_is_right(world_feed(w, i)), "seed %llu, shard %u", (unsigned long long)s, i);
		world_free(w);
	}
}
