/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory of a set of books. */
#include <errno.h>
#include <string.h>

#include "book.h"
#include "book_record.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

static void config_defaults(struct book_config *cfg)
{
	if (!cfg->wide_max)
		cfg->wide_max = cfg->orders_max / 4 + 1;
	if (!cfg->far_bytes)
		cfg->far_bytes = cfg->orders_max * 8;
	if (!cfg->watches_max)
		cfg->watches_max = 1024;
}

static int config_check(const struct book_config *cfg)
{
	if (cfg->instruments_max == 0 || cfg->instruments_max > BOOK_INSTRUMENTS_MAX)
		return gn_err(EINVAL, "book: instruments_max %u, expected 1 to %u", cfg->instruments_max,
			BOOK_INSTRUMENTS_MAX);
	if (cfg->orders_max == 0 || cfg->orders_max > BOOK_ORDERS_MAX)
		return gn_err(EINVAL, "book: orders_max %lu, expected 1 to %lu", (unsigned long)cfg->orders_max,
			(unsigned long)BOOK_ORDERS_MAX);
	if (cfg->wide_max > BOOK_ORDERS_MAX)
		return gn_err(EINVAL, "book: wide_max %lu, expected at most %lu", (unsigned long)cfg->wide_max,
			(unsigned long)BOOK_ORDERS_MAX);
	if (cfg->watches_max > BOOK_WATCHES_MAX)
		return gn_err(EINVAL, "book: watches_max %u, expected at most %u", cfg->watches_max, BOOK_WATCHES_MAX);
	return 0;
}

static int set_map_memory(struct book_set *set)
{
	const struct book_config *cfg = &set->cfg;
	int rc = order_map_init(&set->map, cfg->orders_max, cfg->node);

	if (rc == 0)
		rc = arena_init(&set->far, cfg->far_bytes, cfg->node);
	if (rc < 0)
		return rc;
	set->book = gn_mem_alloc(cfg->instruments_max * sizeof(*set->book), cfg->node);
	set->rest = gn_mem_alloc(cfg->instruments_max * sizeof(*set->rest), cfg->node);
	set->wide = gn_mem_alloc(cfg->wide_max * sizeof(*set->wide), cfg->node);
	set->watch = gn_mem_alloc(cfg->watches_max * sizeof(*set->watch), cfg->node);
	set->id_free = gn_mem_alloc(BOOK_IDS * sizeof(*set->id_free), cfg->node);
	set->id_dead = gn_mem_alloc(BOOK_IDS * sizeof(*set->id_dead), cfg->node);
	bool all = set->book && set->rest && set->wide && set->watch && set->id_free && set->id_dead;
	return all ? 0 : -ENOMEM;
}

static void set_fill_lists(struct book_set *set)
{
	for (uint32_t id = BOOK_IDS - 1; id > 0; id--) /* 0 is no book */
		set->id_free[set->n_id_free++] = (uint16_t)id;
	for (uint64_t i = 0; i < set->cfg.wide_max; i++)
		set->wide[i].next_free = i + 1 < set->cfg.wide_max ? (uint32_t)(i + 1) : WIDE_NONE;
}

int book_set_init(struct book_set *set, const struct book_config *cfg)
{
	memset(set, 0, sizeof(*set));
	set->cfg = *cfg;
	config_defaults(&set->cfg);
	int rc = config_check(&set->cfg);
	if (rc < 0)
		return rc;
	rc = set_map_memory(set);
	if (rc < 0) {
		book_set_fini(set);
		return gn_err_in(rc, "book: %u instruments, %lu orders", cfg->instruments_max, (unsigned long)cfg->orders_max);
	}
	set_fill_lists(set);
	return 0;
}

void book_set_fini(struct book_set *set)
{
	order_map_fini(&set->map);
	arena_fini(&set->far);
	gn_mem_free(set->book, set->cfg.instruments_max * sizeof(*set->book));
	gn_mem_free(set->rest, set->cfg.instruments_max * sizeof(*set->rest));
	gn_mem_free(set->wide, set->cfg.wide_max * sizeof(*set->wide));
	gn_mem_free(set->watch, set->cfg.watches_max * sizeof(*set->watch));
	gn_mem_free(set->id_free, BOOK_IDS * sizeof(*set->id_free));
	gn_mem_free(set->id_dead, BOOK_IDS * sizeof(*set->id_dead));
	memset(set, 0, sizeof(*set));
}
