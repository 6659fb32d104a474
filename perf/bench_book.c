/* SPDX-License-Identifier: BSD-3-Clause */

/*
 * Decode and book, whole market, best prices after every message: the real book one message at a time and looking
 * ahead, against a textbook book, in one run over the same messages. The best prices after every message must be the
 * same. Prints JSON lines.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "book/book_hint.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/link.h"
#include "dataplane/runtime/mem.h"
#include "itch_flow.h"
#include "perf/bench.h"
#include "textbook.h"

#define N_LOCATES 16384u
#define LOOK 16u /* decoded messages kept; above GN_HINT_FAR */
#define TICKS_MAX 65536u
#define STREAM_AHEAD 1024u

struct options {
	struct itch_flow_config flow;
	uint64_t orders_max;
	uint32_t rounds;
	const char *write, *file;
	bool textbook;
	const char *only; /* one pass, for a profiler */
};

/* Time on the processor: what other programs do meanwhile does not count. */
static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static uint64_t page_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_SELF, &u);
	return (uint64_t)(u.ru_minflt + u.ru_majflt);
}

/* Folds the best prices after a message into a running hash. */
static inline uint64_t mix(uint64_t h, int64_t bid, int64_t bid_qty, int64_t ask, int64_t ask_qty, uint32_t n)
{
	uint64_t x = (uint64_t)bid * 3 + (uint64_t)ask * 5 + (uint64_t)bid_qty * 7 + (uint64_t)ask_qty * 11 + n;

	return (h ^ x) * UINT64_C(0x9e3779b97f4a7c15);
}

static inline uint64_t mix_book(uint64_t h, const struct book_set *set, gn_inst inst)
{
	struct book_bbo b = book_bbo(set, inst);

	return mix(h, b.bid_px.e9, b.bid_qty, b.ask_px.e9, b.ask_qty, b.bid_orders * 13 + b.ask_orders);
}

static uint64_t mix_textbook(uint64_t h, const struct textbook *t, gn_inst inst)
{
	struct textbook_top bid = textbook_best(t, inst, GN_BUY), ask = textbook_best(t, inst, GN_SELL);

	return mix(h, bid.px_e9, bid.qty, ask.px_e9, ask.qty, bid.n_orders * 13 + ask.n_orders);
}

/* --- passes over the messages --- */

struct cursor {
	const uint8_t *at, *end;
};

/* The next message that concerns an instrument, decoded; false: no more. */
static inline bool next_md(struct cursor *c, struct gn_md *md)
{
	while (c->at + 2 < c->end) {
		uint32_t len = wire_u16(c->at);
		const uint8_t *msg = c->at + 2;
		uint16_t locate;
		if (gn_unlikely(len == 0 || msg + len > c->end))
			return false;
		c->at = msg + len;
		gn_prefetch(msg + STREAM_AHEAD); /* a port's datagrams would be in the cache by now */
		if (gn_unlikely(itch50_decode(msg, len, md, &locate) != ITCH50_OK || locate == 0 || locate >= N_LOCATES))
			continue;
		md->inst = locate;
		return true;
	}
	return false;
}

static uint64_t pass_single(struct book_set *set, struct cursor c, uint64_t *n)
{
	struct gn_md md = {.rx_tsc = 1};
	uint64_t h = 0;

	for (*n = 0; next_md(&c, &md); ++*n) {
		book_apply(set, &md);
		h = mix_book(h, set, md.inst);
	}
	return h;
}

static inline uint64_t apply_mix(uint64_t h, struct book_set *set, const struct gn_md *md)
{
	book_apply(set, md);
	return mix_book(h, set, md->inst);
}

static uint64_t pass_ahead(struct book_set *set, struct cursor c, uint64_t *n)
{
	struct gn_md md[LOOK] = {{0}};
	uint64_t h = 0, decoded = 0, i = 0;

	while (decoded < GN_HINT_FAR && next_md(&c, &md[decoded]))
		book_hint_far(set, &md[decoded++]);
	for (uint64_t near = 0; near < GN_HINT_NEAR && near < decoded; near++)
		book_hint_near(set, &md[near]);
	for (; next_md(&c, &md[decoded % LOOK]); decoded++, i++) {
		book_hint_far(set, &md[decoded % LOOK]);
		book_hint_near(set, &md[(i + GN_HINT_NEAR) % LOOK]);
		h = apply_mix(h, set, &md[i % LOOK]);
	}
	for (; i < decoded; i++)
		h = apply_mix(h, set, &md[i % LOOK]);
	*n = i;
	return h;
}

static uint64_t pass_textbook(struct textbook *t, struct cursor c, uint64_t *n)
{
	struct gn_md md = {.rx_tsc = 1};
	uint64_t h = 0;

	for (*n = 0; next_md(&c, &md); ++*n) {
		textbook_apply(t, &md);
		h = mix_textbook(h, t, md.inst);
	}
	return h;
}

static uint64_t pass_decode(struct cursor c, uint64_t *n)
{
	struct gn_md md = {.rx_tsc = 1};
	uint64_t h = 0;

	for (*n = 0; next_md(&c, &md); ++*n)
		h ^= md.order.ref + (uint64_t)md.order.px.e9 + (uint64_t)md.order.qty + md.inst + md.kind;
	return h;
}

/* --- the latency of each message --- */

static uint32_t ticks_of[TICKS_MAX]; /* messages by duration in ticks */

static inline uint64_t fenced_tsc(void)
{
	_mm_lfence();
	uint64_t t = __rdtsc();
	_mm_lfence();
	return t;
}

static void pass_latency(struct book_set *set, struct cursor c)
{
	struct gn_md md = {.rx_tsc = 1};
	uint64_t h = 0;

	for (;;) {
		uint64_t t0 = fenced_tsc();
		if (!next_md(&c, &md))
			break;
		book_apply(set, &md);
		h = mix_book(h, set, md.inst);
		uint64_t t = fenced_tsc() - t0;
		ticks_of[t < TICKS_MAX ? t : TICKS_MAX - 1]++;
	}
	__asm__ volatile("" ::"r"(h));
}

static uint64_t ticks_at(double share)
{
	uint64_t n = 0, seen = 0;

	for (uint32_t i = 0; i < TICKS_MAX; i++)
		n += ticks_of[i];
	for (uint32_t i = 0; i < TICKS_MAX; i++) {
		seen += ticks_of[i];
		if ((double)seen >= share * (double)n)
			return i;
	}
	return TICKS_MAX;
}

/* What the two time stamps cost by themselves: the median of many. */
static uint64_t ticks_empty(void)
{
	memset(ticks_of, 0, sizeof(ticks_of));
	for (uint32_t i = 0; i < 200000; i++) {
		uint64_t t0 = fenced_tsc(), t = fenced_tsc() - t0;
		ticks_of[t < TICKS_MAX ? t : TICKS_MAX - 1]++;
	}
	uint64_t t = ticks_at(0.5);
	memset(ticks_of, 0, sizeof(ticks_of));
	return t;
}

/* --- the run --- */

struct result {
	double ns; /* a message */
	uint64_t hash, faults, n;
};

enum pass { SINGLE, AHEAD, TEXTBOOK, DECODE, N_PASSES };
static const char *const pass_name[] = {"single", "ahead8", "textbook", "decode"};

static struct book_set *books_new(const struct options *opt)
{
	static struct book_set set;
	struct book_config cfg = {.instruments_max = N_LOCATES, .orders_max = opt->orders_max,
		.tolerate_gaps = true, .node = GN_NODE_ANY};

	if (book_set_init(&set, &cfg) < 0) {
		fprintf(stderr, "bench_book: %s\n", gn_err_text());
		exit(1);
	}
	mlockall(MCL_CURRENT); /* the program's own pages too; without the right to, they fault once each */
	return &set;
}

static struct result run_pass(enum pass pass, const struct options *opt, struct cursor c)
{
	struct result r = {0};
	struct book_set *set = pass == SINGLE || pass == AHEAD ? books_new(opt) : NULL;
	struct textbook *t = pass == TEXTBOOK ? textbook_new(N_LOCATES) : NULL;
	uint64_t faults = page_faults(), start = cpu_ns();

	switch (pass) {
	case SINGLE: r.hash = pass_single(set, c, &r.n); break;
	case AHEAD: r.hash = pass_ahead(set, c, &r.n); break;
	case TEXTBOOK: r.hash = pass_textbook(t, c, &r.n); break;
	default: r.hash = pass_decode(c, &r.n); break;
	}
	r.ns = (double)(cpu_ns() - start) / (double)r.n;
	r.faults = page_faults() - faults;
	if (set)
		book_set_fini(set);
	if (t)
		textbook_free(t);
	return r;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *x, uint32_t n)
{
	qsort(x, n, sizeof(*x), by_value);
	return n % 2 ? x[n / 2] : (x[n / 2 - 1] + x[n / 2]) / 2;
}

static void print_latency(const struct options *opt, struct cursor c)
{
	struct book_set *set = books_new(opt);
	uint64_t empty = ticks_empty();
	static struct gn_hist h;
	char text[128];

	uint64_t faults = page_faults();
	pass_latency(set, c);
	snprintf(text, sizeof(text), "\"mode\":\"one message at a time, cold caches included\",\"page_faults\":%" PRIu64,
		page_faults() - faults);
	for (uint64_t ticks = 0; ticks < TICKS_MAX; ticks++)
		for (uint32_t k = 0; k < ticks_of[ticks]; k++)
			gn_hist_record(&h, ticks > empty ? ticks - empty : 0);
	bench_print(&(struct bench_result){.name = "book_latency", .n = h.n, .hist = &h, .hist_ns = bench_ns_per_tick(), .extra = text});
	book_set_fini(set);
}

static int run_only(const struct options *opt, struct cursor c)
{
	for (enum pass p = 0; p < N_PASSES; p++) {
		if (strcmp(opt->only, pass_name[p]) != 0)
			continue;
		for (uint32_t i = 0; i < opt->rounds; i++) {
			struct result r = run_pass(p, opt, c);
			printf("{\"bench\":\"book\",\"pass\":\"%s\",\"ns\":%.1f,\"hash\":\"%016" PRIx64 "\"}\n", pass_name[p], r.ns, r.hash);
		}
		return 0;
	}
	fputs("bench_book: no such pass\n", stderr);
	return 2;
}

static int compare(const struct options *opt, struct cursor c)
{
	double ns[N_PASSES][64], ratio_single[64], ratio_ahead[64];
	struct result r[N_PASSES];
	uint64_t faults = 0;

	for (uint32_t round = 0; round < opt->rounds; round++) {
		for (enum pass p = 0; p < N_PASSES; p++) {
			if (p == TEXTBOOK && !opt->textbook)
				continue;
			r[p] = run_pass(p, opt, c);
			ns[p][round] = r[p].ns;
		}
		faults += r[SINGLE].faults + r[AHEAD].faults;
		if (r[SINGLE].hash != r[AHEAD].hash || (opt->textbook && r[SINGLE].hash != r[TEXTBOOK].hash)) {
			fprintf(stderr, "bench_book: best prices differ\n");
			return 1;
		}
		if (opt->textbook) {
			ratio_single[round] = r[TEXTBOOK].ns / r[SINGLE].ns;
			ratio_ahead[round] = r[TEXTBOOK].ns / r[AHEAD].ns;
		}
	}
	for (enum pass p = 0; p < N_PASSES; p++) {
		static const char *const with[] = {"single", NULL, "textbook", "decode"};
		char extra[160];
		int at = snprintf(extra, sizeof(extra), "\"hash\":\"%016" PRIx64 "\",\"page_faults\":%" PRIu64, r[p].hash, faults);
		if (p == TEXTBOOK)
			snprintf(extra + at, sizeof(extra) - (size_t)at, ",\"single_ratio\":%.3f,\"ours_ratio\":%.3f",
				1 / median(ratio_single, opt->rounds), 1 / median(ratio_ahead, opt->rounds));
		if (p != TEXTBOOK || opt->textbook)
			bench_print(&(struct bench_result){.name = "book_build", .with = with[p], .n = r[p].n * opt->rounds,
				.samples_ns = ns[p], .n_samples = opt->rounds, .extra = extra});
	}
	return 0;
}

static void print_flow(const struct itch_flow *f, const struct options *opt)
{
	printf("{\"bench\":\"book_flow\",\"seed\":%" PRIu64 ",\"symbols\":%u,\"messages\":%" PRIu64 ",\"bytes\":%zu"
	       ",\"live\":%" PRIu64 ",\"ref_last\":%" PRIu64,
		opt->flow.seed, opt->flow.n_symbols, f->n_messages, f->bytes, f->n_live, f->ref_last);
	for (uint32_t t = 0; t < 256; t++)
		if (f->n_by_type[t])
			printf(",\"%c\":%" PRIu64, (int)t, f->n_by_type[t]);
	printf("}\n");
}

static int flow_write(const struct itch_flow *f, const char *path)
{
	FILE *out = fopen(path, "wb");

	if (!out || fwrite(f->data, 1, f->bytes, out) != f->bytes || fclose(out) != 0) {
		fprintf(stderr, "bench_book: cannot write %s\n", path);
		return 1;
	}
	return 0;
}

static struct cursor file_map(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		fprintf(stderr, "bench_book: cannot read %s\n", path);
		exit(1);
	}
	const uint8_t *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	close(fd);
	if (data == MAP_FAILED) {
		fprintf(stderr, "bench_book: cannot map %s\n", path);
		exit(1);
	}
	return (struct cursor){data, data + st.st_size};
}

static const char usage[] = "usage: bench_book [--short] [--messages N] [--symbols N] [--live N] [--seed N] [--rounds N]\n"
			    "                  [--no-textbook] [--only single|ahead8|textbook|decode] [--write FILE] [--file FILE]\n";

static int options_parse(struct options *opt, int argc, char **argv)
{
	*opt = (struct options){.flow = {.n_messages = 40000000, .n_symbols = 8000, .live = 100, .seed = 20240229},
		.orders_max = 10000000, .rounds = 1, .textbook = true};
	if (bench_short()) {
		opt->flow.n_messages = 600000;
		opt->flow.n_symbols = 2000;
		opt->orders_max = 1000000;
		opt->rounds = 5;
	}
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(argv[i], "--no-textbook")) {
			opt->textbook = false;
			continue;
		}
		i++;
		if (!strcmp(argv[i - 1], "--messages"))
			opt->flow.n_messages = strtoull(value, NULL, 0);
		else if (!strcmp(argv[i - 1], "--symbols"))
			opt->flow.n_symbols = (uint32_t)strtoul(value, NULL, 0);
		else if (!strcmp(argv[i - 1], "--live"))
			opt->flow.live = (uint32_t)strtoul(value, NULL, 0);
		else if (!strcmp(argv[i - 1], "--seed"))
			opt->flow.seed = strtoull(value, NULL, 0);
		else if (!strcmp(argv[i - 1], "--rounds"))
			opt->rounds = (uint32_t)strtoul(value, NULL, 0);
		else if (!strcmp(argv[i - 1], "--write"))
			opt->write = value;
		else if (!strcmp(argv[i - 1], "--only"))
			opt->only = value;
		else if (!strcmp(argv[i - 1], "--file"))
			opt->file = value;
		else
			return -1;
	}
	return opt->flow.n_symbols && opt->flow.n_symbols < 12000 && opt->rounds && opt->rounds <= 64 ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options opt;
	struct itch_flow flow = {0};
	struct cursor c;

	bench_start(&argc, argv);
	bench_pin(0);
	if (options_parse(&opt, argc, argv) < 0) {
		fputs(usage, stderr);
		return 2;
	}
	if (opt.file) {
		c = file_map(opt.file);
	} else {
		itch_flow_make(&flow, &opt.flow);
		if (opt.only || opt.write)
			print_flow(&flow, &opt);
		c = (struct cursor){flow.data, flow.data + flow.bytes};
	}
	int rc = opt.write ? flow_write(&flow, opt.write) : opt.only ? run_only(&opt, c) : compare(&opt, c);
	if (rc == 0 && !opt.write && !opt.only)
		print_latency(&opt, c);
	itch_flow_free(&flow);
	return rc;
}
