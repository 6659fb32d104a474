/* SPDX-License-Identifier: BSD-3-Clause */
#include "app/replay/replay.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>

#include "app/replay/text_out.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "tests/unit/capture_files.h"
#include "tests/unit/codec_data.h"
#include <criterion/redirect.h>
#include "tests/unit/replay_reference.h"

#define TEXT_BYTES_MAX ((size_t)16 << 20)
#define STREAM_BYTES_MAX ((size_t)4 << 20)

static struct replay_options o;
static char *got;                 /* what replay printed */
static uint8_t *stream;           /* a raw file */
static size_t stream_bytes;
static char path[64], path2[64];

static void given_buffers(void)
{
	got = calloc(1, TEXT_BYTES_MAX);
	stream = calloc(1, STREAM_BYTES_MAX);
	stream_bytes = 0;
}

static void drop_buffers(void)
{
	free(got);
	free(stream);
}

TestSuite(replay, .init = given_buffers, .fini = drop_buffers, .timeout = 120);

/* a name for bytes in memory */
static char *file_of(char *name, const void *data, size_t bytes)
{
	sprintf(name, "/proc/self/fd/%d", capture_fd(data, bytes));
	return name;
}

/* runs the command line, which ends with NULL; what it prints is in got */
static int run(const char *first, ...)
{
	char *argv[32] = {(char *)(uintptr_t)"replay", (char *)(uintptr_t)first};
	int argc = 2, out = memfd_create("out", 0);
	va_list more;

	va_start(more, first);
	while ((argv[argc] = va_arg(more, char *)) != NULL)
		argc++;
	va_end(more);
	cr_assert_eq(replay_options_parse(&o, argc, argv), 0, "%s", gn_err_text());

	int rc = replay_run(&o, out);
	ssize_t n = pread(out, got, TEXT_BYTES_MAX - 1, 0);

	cr_assert_geq(n, 0);
	got[n] = '\0';
	close(out);
	return rc;
}

static int parse(const char *first, ...)
{
	static char *argv[32]; /* the options point to it */
	int argc = 2;
	va_list more;

	argv[0] = (char *)(uintptr_t)"replay";
	argv[1] = (char *)(uintptr_t)first;
	va_start(more, first);
	while (argv[argc - 1] != NULL && (argv[argc] = va_arg(more, char *)) != NULL)
		argc++;
	va_end(more);
	return replay_options_parse(&o, argv[1] == NULL ? 1 : argc, argv);
}

/* the first line in which two texts differ */
static void expect_text(const char *want)
{
	const char *a = got, *b = want;

	for (uint32_t line = 1; *a != '\0' || *b != '\0'; line++) {
		size_t n = strcspn(a, "\n"), m = strcspn(b, "\n");

		cr_assert(n == m && memcmp(a, b, n) == 0, "line %u:\n got %.*s\nwant %.*s", line, (int)n, a, (int)m, b);
		a += n + (a[n] != '\0');
		b += m + (b[m] != '\0');
	}
}

static void expect_reference(const uint8_t *file, size_t bytes, uint32_t depth, const char *only, const char *head)
{
	char *want = NULL;
	size_t n;
	FILE *f = open_memstream(&want, &n);

	fprintf(f, "%s\n", head);
	reference_run(file, bytes, depth, only, f);
	fclose(f);
	expect_text(want);
	free(want);
}

#define BBO_HEAD "seq,ts_ns,symbol,bid_px,bid_qty,ask_px,ask_qty"
#define LEVELS_3_HEAD                                                                                          \
	"seq,ts_ns,symbol,bid_px_1,bid_qty_1,bid_orders_1,ask_px_1,ask_qty_1,ask_orders_1,bid_px_2,bid_qty_2," \
	"bid_orders_2,ask_px_2,ask_qty_2,ask_orders_2,bid_px_3,bid_qty_3,bid_orders_3,ask_px_3,ask_qty_3,ask_orders_3"

static void put(const char *hex)
{
	uint8_t msg[64];
	uint32_t n = data_hex(hex, msg);

	wire_put_u16(stream + stream_bytes, (uint16_t)n);
	memcpy(stream + stream_bytes + 2, msg, n);
	stream_bytes += 2 + n;
}

/* ---- made messages ---- */

static uint32_t fill_order(uint64_t *state, uint8_t *m, const uint64_t *refs, uint32_t n_refs)
{
	static const char types[] = "AAAAAAAAAFFEEECXXDDDDUUUUP";
	uint8_t type = (uint8_t)types[data_random(state) % (sizeof(types) - 1)];
	uint32_t bytes = itch50_bytes(type);
	uint32_t qty = (uint32_t)(data_random(state) % 12) * 10, px = 1000000 + (uint32_t)(data_random(state) % 40) * 100;

	memset(m, 0, bytes);
	m[0] = type;
	wire_put_u64(m + 11, n_refs != 0 ? refs[data_random(state) % n_refs] : 0);
	if (type == 'A' || type == 'F' || type == 'P') {
		m[19] = data_random(state) & 1 ? 'B' : 'S';
		wire_put_u32(m + 20, qty);
		/* mostly one side below the other, at times a price that is none or the highest there is */
		px = m[19] == 'B' ? px : px + 2000;
		px = data_random(state) % 50 == 0 ? 0 : data_random(state) % 50 == 0 ? 2000000000 : px;
		wire_put_u32(m + 32, px);
	} else if (type == 'U') {
		wire_put_u32(m + 27, qty);
		wire_put_u32(m + 31, px + 1000);
	} else if (type != 'D') {
		wire_put_u32(m + 19, qty);
	}
	return bytes;
}

/* n random messages of five symbols: unknown, doubled and foreign references, quantities above what is open */
static void given_random(uint64_t seed, uint32_t n)
{
	uint64_t state = seed, refs[64] = {0}, ref = 1000, ns = UINT64_C(34200000000000);
	uint32_t locate_of[64] = {0};

	for (uint32_t i = 0; i < n; i++) {
		uint8_t *m = stream + stream_bytes + 2;
		uint32_t bytes = fill_order(&state, m, refs, 64), at = (uint32_t)(data_random(&state) % 64);
		uint32_t locate = 1 + (uint32_t)(data_random(&state) % 5);
		bool adds = m[0] == 'A' || m[0] == 'F', twice = data_random(&state) % 40 == 0;

		ns += data_random(&state) % 3;
		wire_put_u48(m + 5, ns);
		if (adds || m[0] == 'P')
			memcpy(m + 24, "SYM     ", 8);
		for (uint32_t k = 0; !adds && k < 64; k++) /* most changes name the right instrument */
			if (refs[k] == wire_u64(m + 11) && data_random(&state) % 100 != 0)
				locate = locate_of[k] != 0 ? locate_of[k] : locate;
		wire_put_u16(m + 1, (uint16_t)locate);
		if (adds || m[0] == 'P')
			m[27] = (uint8_t)('0' + locate);
		if (adds && !twice) {
			refs[at] = ++ref;
			locate_of[at] = locate;
			wire_put_u64(m + 11, ref);
		}
		if (m[0] == 'U') {
			uint64_t new_ref = twice ? refs[at] : ++ref;

			for (uint32_t k = 0; k < 64; k++)
				if (refs[k] == wire_u64(m + 11) && !twice)
					refs[k] = new_ref;
			wire_put_u64(m + 19, new_ref);
		}
		wire_put_u16(stream + stream_bytes, (uint16_t)bytes);
		stream_bytes += 2 + bytes;
	}
}

Test(replay, prints_the_same_best_prices_as_a_slow_and_obvious_book)
{
	for (uint64_t seed = data_seed(1), i = 0; i < 5; i++) {
		stream_bytes = 0;
		given_random(seed + i, 6000);
		cr_assert_eq(run("--print", "bbo", "--format", "csv", file_of(path, stream, stream_bytes), NULL), 0, "%s", gn_err_text());
		expect_reference(stream, stream_bytes, 0, NULL, BBO_HEAD);
	}
}

Test(replay, prints_the_same_levels_as_a_slow_and_obvious_book)
{
	given_random(data_seed(2), 4000);
	cr_assert_eq(run("--print", "levels", "--depth", "3", file_of(path, stream, stream_bytes), NULL), 0, "%s", gn_err_text());
	expect_reference(stream, stream_bytes, 3, NULL, LEVELS_3_HEAD);
}

Test(replay, prints_only_the_symbols_asked_for)
{
	given_random(data_seed(3), 4000);
	cr_assert_eq(run("--print", "bbo", "--symbols", "SYM3", file_of(path, stream, stream_bytes), NULL), 0, "%s", gn_err_text());
	expect_reference(stream, stream_bytes, 0, "SYM3", BBO_HEAD);
}

Test(replay, takes_several_files_as_parts_of_one_stream)
{
	given_random(data_seed(4), 3000);

	size_t half = 0;

	for (uint32_t i = 0; i < 1000; i++)
		half += 2u + wire_u16(stream + half);
	file_of(path, stream, half);
	cr_assert_eq(run("--print", "bbo", path, file_of(path2, stream + half, stream_bytes - half), NULL), 0, "%s", gn_err_text());
	expect_reference(stream, stream_bytes, 0, NULL, BBO_HEAD);
}

/* ---- the same stream as a capture ---- */

#define FRAMES_BYTES_MAX ((size_t)8 << 20)

struct wire_plan {
	uint32_t lose_a, lose_b; /* one in so many datagrams is lost on a line; 0: none; even numbers never lose the same */
	bool doubled;            /* line B starts with the same datagram again */
	bool swapped;            /* now and then two datagrams of line A change places */
};

static size_t put_frame(uint8_t *to, uint64_t ns, uint16_t port, const uint8_t *datagram, uint32_t bytes)
{
	static struct capture_file one;
	uint8_t frame[2048];
	uint32_t n = capture_frame(frame, 0, port, datagram, bytes);

	one.bytes = 0;
	capture_put_pcap_frame(&one, (uint32_t)(ns / 1000000000), (uint32_t)(ns % 1000000000), frame, n, n);
	memcpy(to, one.data, one.bytes);
	return one.bytes;
}

/* as many messages as fit, from *at on */
static uint32_t pack(uint8_t *datagram, size_t *at, uint64_t *seq)
{
	struct moldudp64_session session = moldudp64_session_from("000010059B");
	struct moldudp64_writer w;

	moldudp64_begin(&w, datagram, 300, &session, *seq);
	while (*at < stream_bytes && moldudp64_append(&w, stream + *at + 2, wire_u16(stream + *at))) {
		*at += 2u + wire_u16(stream + *at);
		(*seq)++;
	}
	return moldudp64_close(&w);
}

/* the raw stream on two lines, as a pcap file */
static size_t given_capture(uint8_t *to, const struct wire_plan *plan)
{
	static struct capture_file head;
	uint8_t datagram[2][1472];
	uint32_t bytes[2];
	uint64_t seq = 1, ns = UINT64_C(1692700000000000000);
	size_t n, at = 0;

	head.bytes = 0;
	capture_put_pcap_head(&head, true, 1);
	memcpy(to, head.data, head.bytes);
	n = head.bytes;
	for (uint32_t i = 0; at < stream_bytes; i += 2, ns += 1000) {
		bytes[0] = pack(datagram[0], &at, &seq);
		bytes[1] = pack(datagram[1], &at, &seq);
		for (uint32_t k = 0; k < 2; k++) {
			uint32_t j = plan->swapped && i % 6 == 2 ? 1 - k : k;

			if (plan->lose_a == 0 || (i + j) % plan->lose_a != 1)
				n += put_frame(to + n, ns, 1001, datagram[j], bytes[j]);
		}
		for (uint32_t k = 0; k < 2; k++) {
			for (uint32_t copy = 0; copy <= plan->doubled; copy++)
				if (plan->lose_b == 0 || (i + k) % plan->lose_b != 2)
					n += put_frame(to + n, ns + 500, 1002, datagram[k], bytes[k]);
		}
	}
	return n;
}

Test(replay, arbitrates_lossy_doubled_and_reordered_lines_to_the_same_best_prices)
{
	static const struct wire_plan plans[] = {{0}, {.lose_a = 6, .lose_b = 8}, {.doubled = true}, {.swapped = true},
		{.lose_a = 4, .lose_b = 4, .doubled = true, .swapped = true}};
	uint8_t *capture = malloc(FRAMES_BYTES_MAX);

	given_random(data_seed(5), 3000);
	for (size_t i = 0; i < GN_ARRAY_SIZE(plans); i++) {
		size_t n = given_capture(capture, &plans[i]);

		cr_assert_eq(run("--print", "bbo", file_of(path, capture, n), NULL), 0, "plan %zu: %s", i, gn_err_text());
		expect_reference(stream, stream_bytes, 0, NULL, BBO_HEAD);
	}
	free(capture);
}

Test(replay, tells_what_both_lines_lost)
{
	uint8_t *capture = malloc(FRAMES_BYTES_MAX);
	char want[64];

	given_random(data_seed(6), 3000);

	size_t n = given_capture(capture, &(struct wire_plan){.lose_a = 10, .lose_b = 12});

	cr_assert_eq(run("--format", "json", file_of(path, capture, n), NULL), 0, "%s", gn_err_text());
	cr_expect_not_null(strstr(got, "{\"messages\":3000,"), "%s", got);
	cr_expect_not_null(strstr(got, "\"msg_lost\":0,"), "%s", got);
	n = given_capture(capture, &(struct wire_plan){.lose_a = 11, .lose_b = 12});
	cr_assert_eq(run("--format", "json", file_of(path, capture, n), NULL), 0);

	uint64_t messages = strtoull(got + strlen("{\"messages\":"), NULL, 10);

	cr_expect(messages > 2000 && messages < 3000, "%" PRIu64, messages);
	snprintf(want, sizeof(want), "\"msg_lost\":%" PRIu64 ",", 3000 - messages);
	cr_expect_not_null(strstr(got, want), "%s in %s", want, got);
	free(capture);
}

Test(replay, joins_a_capture_that_starts_mid_day)
{
	uint8_t datagram[1472], capture[4096];
	static struct capture_file head;

	capture_put_pcap_head(&head, true, 1);
	memcpy(capture, head.data, head.bytes);

	size_t n = head.bytes + put_frame(capture + head.bytes, 1, 1001, datagram, capture_datagram(datagram, UINT64_C(1) << 40, 3));

	cr_assert_eq(run("--print", "stats", "--format", "json", file_of(path, capture, n), NULL), 0, "%s", gn_err_text());
	cr_expect_not_null(strstr(got, "\"messages_unmapped\":3,"), "%s", got);
	cr_expect_not_null(strstr(got, "\"msg_lost\":0,"), "%s", got);
}

Test(replay, refuses_to_join_raw_files_and_captures)
{
	uint8_t *capture = malloc(FRAMES_BYTES_MAX);

	given_random(1, 10);

	size_t n = given_capture(capture, &(struct wire_plan){0});

	file_of(path, stream, stream_bytes);
	cr_expect_eq(run("--print", "bbo", path, file_of(path2, capture, n), NULL), -EINVAL);
	cr_expect_not_null(strstr(gn_err_text(), path2), "%s", gn_err_text());
	free(capture);
}

/* ---- one message after the other ---- */

#define AT(ns) " 0007 0000 " ns " "

static void given_a_day(void)
{
	put("'R'" AT("000000000001") "'AAPL    ' 'QN' 00000064 'NCZ PN ' '1N' 00000000 'N'");
	put("'A'" AT("000000000002") "0000000000000001 'B' 00000064 'AAPL    ' 000f4240");
	put("'F'" AT("000000000003") "0000000000000002 'S' 00000032 'AAPL    ' 000f42a4 'MPID'");
	put("'E'" AT("000000000004") "0000000000000001 0000000a 0000000000000063");
	put("'C'" AT("000000000005") "0000000000000002 00000005 0000000000000064 'N' 000f4241");
	put("'P'" AT("000000000006") "0000000000000000 'B' 00000007 'AAPL    ' 000f4272 0000000000000065");
	put("'Q'" AT("000000000007") "0000000000001000 'AAPL    ' 000f4240 0000000000000066 'O'");
	put("'B'" AT("000000000008") "0000000000000065");
	put("'E'" AT("000000000009") "0000000000000009 0000000a 0000000000000067");
	put("'H'" AT("00000000000a") "'AAPL    ' 'H' ' ' 'T1  '");
	put("'U'" AT("00000000000b") "0000000000000001 0000000000000003 0000005a 000f4240");
	put("'D'" AT("00000000000c") "0000000000000002");
	put("'X'" AT("00000000000d") "0000000000000003 00000001");
}

Test(replay, prints_best_prices_only_when_they_changed)
{
	given_a_day();
	cr_assert_eq(run("--print", "bbo", file_of(path, stream, stream_bytes), NULL), 0);
	expect_text(BBO_HEAD "\n"
		"2,2,AAPL,100,100,,\n"
		"3,3,AAPL,100,100,100.01,50\n"
		"4,4,AAPL,100,90,100.01,50\n"
		"5,5,AAPL,100,90,100.01,45\n"
		"12,12,AAPL,100,90,,\n"
		"13,13,AAPL,100,89,,\n");
}

Test(replay, prints_best_prices_as_json)
{
	given_a_day();
	cr_assert_eq(run("--print", "bbo", "--format", "json", "--to", "3", file_of(path, stream, stream_bytes), NULL), 0);
	expect_text("{\"seq\":2,\"ts_ns\":2,\"symbol\":\"AAPL\",\"bid_px\":100,\"bid_qty\":100,\"ask_px\":null,\"ask_qty\":null}\n"
		"{\"seq\":3,\"ts_ns\":3,\"symbol\":\"AAPL\",\"bid_px\":100,\"bid_qty\":100,\"ask_px\":100.01,\"ask_qty\":50}\n");
}

Test(replay, prints_trades_with_the_side_and_price_of_the_order_they_hit)
{
	given_a_day();
	cr_assert_eq(run("--print", "trades", file_of(path, stream, stream_bytes), NULL), 0);
	expect_text("seq,ts_ns,symbol,kind,side,px,qty,match,printable,cross\n"
		"4,4,AAPL,exec,B,100,10,99,Y,\n"
		"5,5,AAPL,exec_px,S,100.0001,5,100,N,\n"
		"6,6,AAPL,trade,B,100.005,7,101,Y,\n"
		"7,7,AAPL,cross,,100,4096,102,Y,O\n"
		"8,8,AAPL,broken,,,,101,,\n"
		"9,9,AAPL,exec,,,10,103,Y,\n");
}

Test(replay, prints_events)
{
	given_a_day();
	cr_assert_eq(run("--print", "events", file_of(path, stream, stream_bytes), NULL), 0);
	expect_text("seq,ts_ns,symbol,kind,side,code,ref,ref_new,px,qty,match,attribution,printable,detail\n"
		"1,1,AAPL,directory,,,,,,,,,,locate=7 category=Q status=N round_lot=100 round_lots_only=N class=C subtype=Z- "
		"authenticity=P short_sale_threshold=N ipo=- luld_tier=1 etp=N leverage=0 inverse=N\n"
		"2,2,AAPL,add,B,,1,,100,100,,,,\n"
		"3,3,AAPL,add,S,,2,,100.01,50,,MPID,,\n"
		"4,4,AAPL,exec,,,1,,,10,99,,,\n"
		"5,5,AAPL,exec_px,,,2,,100.0001,5,100,,N,\n"
		"6,6,AAPL,trade,B,,,,100.005,7,101,,,\n"
		"7,7,AAPL,cross,,O,,,100,4096,102,,,\n"
		"8,8,AAPL,broken,,,,,,,101,,,\n"
		"9,9,AAPL,exec,,,9,,,10,103,,,\n"
		"10,10,AAPL,state,,H,,,,,,,,reason=T1  \n"
		"11,11,AAPL,replace,,,1,3,100,90,,,,\n"
		"12,12,AAPL,delete,,,2,,,,,,,\n"
		"13,13,AAPL,reduce,,,3,,,1,,,,\n");
}

Test(replay, counts_in_stats)
{
	given_a_day();
	put("'Z' 00");
	put("'D' 00");
	cr_assert_eq(run(file_of(path, stream, stream_bytes), NULL), 0);
	for (const char *const *line = (const char *const[]){"messages,15\n", "types.A,1\n", "types.F,1\n", "types.R,1\n",
		     "types.E,2\n", "types.U,1\n", "types.Q,1\n", "unknown_references,1\n", "live_orders,1\n", "instruments,1\n",
		     "errors,2\n", "feed.msg_unknown_type,1\n", "feed.msg_wrong_length,1\n", NULL}; *line != NULL; line++)
		cr_expect_not_null(strstr(got, *line), "%s in %s", *line, got);
}

Test(replay, prints_from_and_to_with_the_books_as_they_were_built_before)
{
	given_a_day();
	cr_assert_eq(run("--print", "bbo", "--from", "4", "--to", "00:00:00.000000005", file_of(path, stream, stream_bytes), NULL), 0);
	expect_text(BBO_HEAD "\n4,4,AAPL,100,90,100.01,50\n5,5,AAPL,100,90,100.01,45\n");
}

Test(replay, prints_what_came_before_the_damage_and_fails)
{
	given_a_day();
	cr_expect_eq(run("--print", "bbo", file_of(path, stream, stream_bytes - 1), NULL), -EINVAL);
	cr_expect_not_null(strstr(gn_err_text(), path), "%s", gn_err_text());
	cr_expect_not_null(strstr(gn_err_text(), "at byte"), "%s", gn_err_text());
	cr_expect_not_null(strstr(got, "12,12,AAPL,100,90,,\n"), "%s", got);
}

Test(replay, fails_when_its_output_cannot_be_written)
{
	given_a_day();
	cr_assert_eq(parse("--print", "bbo", file_of(path, stream, stream_bytes), NULL), 0);

	int full = open("/dev/full", O_WRONLY);

	cr_expect_eq(replay_run(&o, full), -ENOSPC);
	cr_expect_not_null(strstr(gn_err_text(), "write the output"), "%s", gn_err_text());
	close(full);
}

Test(replay, reads_gzip)
{
	static struct capture_file raw, packed;

	given_a_day();
	capture_put(&raw, stream, (uint32_t)stream_bytes);
	capture_gzip(&raw, &packed);
	cr_assert_eq(run("--print", "bbo", "--from", "13", file_of(path, packed.data, packed.bytes), NULL), 0, "%s", gn_err_text());
	expect_text(BBO_HEAD "\n13,13,AAPL,100,89,,\n");
}

/* ---- recorded days ---- */

Test(replay, prints_the_best_prices_of_a_recorded_day)
{
	uint32_t bytes;
	const uint8_t *file = data_load("nasdaq/aapl_20191230_first25000.itch", &bytes);

	cr_assert_eq(run("--print", "bbo", "--format", "csv", file_of(path, file, bytes), NULL), 0, "%s", gn_err_text());
	expect_reference(file, bytes, 0, NULL, BBO_HEAD);
}

Test(replay, prints_the_levels_of_a_recorded_day)
{
	uint32_t bytes;
	const uint8_t *file = data_load("nasdaq/aapl_20191230_first25000.itch", &bytes);

	cr_assert_eq(run("--print", "levels", "--depth", "3", file_of(path, file, bytes), NULL), 0, "%s", gn_err_text());
	expect_reference(file, bytes, 3, NULL, LEVELS_3_HEAD);
}

Test(replay, counts_the_messages_of_a_recorded_day)
{
	uint32_t bytes;
	const uint8_t *file = data_load("nasdaq/aapl_20191230_first25000.itch", &bytes);

	cr_assert_eq(run("--format", "json", file_of(path, file, bytes), NULL), 0);
	cr_expect_not_null(strstr(got, "{\"messages\":25000,\"types\":{\"A\":10707,\"F\":1,"), "%s", got);
	cr_expect_not_null(strstr(got, "\"errors\":0,"), "%s", got);
}

/* ---- the command line ---- */

Test(replay, refuses_command_lines_that_make_no_sense)
{
	cr_expect_lt(parse(NULL), 0);
	cr_expect_lt(parse("--print", "everything", "f", NULL), 0);
	cr_expect_lt(parse("--print", NULL), 0);
	cr_expect_lt(parse("--format", "xml", "f", NULL), 0);
	cr_expect_lt(parse("--depth", "0", "f", NULL), 0);
	cr_expect_lt(parse("--depth", "51", "f", NULL), 0);
	cr_expect_lt(parse("--depth", "3x", "f", NULL), 0);
	cr_expect_lt(parse("--depth", "-3", "f", NULL), 0);
	cr_expect_lt(parse("--symbols", "", "f", NULL), 0);
	cr_expect_lt(parse("--symbols", "A,,B", "f", NULL), 0);
	cr_expect_lt(parse("--symbols", "TOOLONGNAME", "f", NULL), 0);
	cr_expect_lt(parse("--nonsense", "f", NULL), 0);
	cr_expect_not_null(strstr(gn_err_text(), "--nonsense"), "%s", gn_err_text());
	for (const char *const *t = (const char *const[]){"", "x", "9", "9:30", "09:60", "25:00", "09:30:60", "09:30x", "09:30:00.x",
		     "09:30:00.1234567890", "-1", "99999999999999999999", NULL}; *t != NULL; t++)
		if (strcmp(*t, "9") != 0)
			cr_expect_lt(parse("--from", *t, "f", NULL), 0, "%s", *t);
	cr_expect_eq(run("--symbols", "A,B,A", "/dev/null", NULL), -EINVAL);
}

Test(replay, reads_command_lines)
{
	cr_assert_eq(parse("--print", "levels", "--format=json", "--depth", "5", "--symbols", "AAPL,BRK.A", "--from", "09:30", "--to",
		"16:00:00.25", "--orders-max", "1000", "a", "-", NULL), 0, "%s", gn_err_text());
	cr_expect_eq(o.print, REPLAY_LEVELS);
	cr_expect(o.json);
	cr_expect_eq(o.depth, 5);
	cr_expect_eq(o.n_symbols, 2);
	cr_expect_arr_eq(o.symbol[1].c, "BRK.A\0\0\0", 8);
	cr_expect_eq(o.from_ns, UINT64_C(34200000000000));
	cr_expect_eq(o.to_ns, UINT64_C(57600250000000));
	cr_expect_eq(o.orders_max, 1000);
	cr_expect_eq(o.n_files, 2);
	cr_expect_str_eq(o.files[1], "-");
	cr_assert_eq(parse("--to", "24:00", "--from", "34200000000001", "f", NULL), 0);
	cr_expect_eq(o.to_ns, UINT64_C(86400000000000));
	cr_expect_eq(o.from_ns, UINT64_C(34200000000001));
	cr_assert_eq(parse("--help", NULL), 0);
	cr_expect(o.help);
}

Test(replay, writes_prices_without_trailing_zeros)
{
	static const struct { int64_t e9; const char *text; } rows[] = {{0, "0"}, {1, "0.000000001"}, {-1, "-0.000000001"},
		{1000000000, "1"}, {1500000000, "1.5"}, {100000, "0.0001"}, {291010000000, "291.01"}, {-10000000, "-0.01"},
		{199999999900000, "199999.9999"}, {INT64_MAX, "9223372036.854775807"}, {INT64_MIN, "-9223372036.854775808"}};
	static struct text_out out;

	for (size_t i = 0; i < GN_ARRAY_SIZE(rows); i++) {
		text_out_init(&out, -1);
		text_put_px(&out, (gn_px){.e9 = rows[i].e9});
		out.buf[out.n] = '\0';
		cr_expect_str_eq(out.buf, rows[i].text);
	}
}

Test(replay, exits_with_the_status_of_its_outcome)
{
	char *bad[] = {(char *)(uintptr_t)"replay", (char *)(uintptr_t)"--depth", NULL};
	char *missing[] = {(char *)(uintptr_t)"replay", (char *)(uintptr_t)"/nonexistent/file", NULL};
	char *help[] = {(char *)(uintptr_t)"replay", (char *)(uintptr_t)"--help", NULL};

	cr_redirect_stdout();
	cr_redirect_stderr();
	cr_expect_eq(replay_main(2, bad), 2);
	cr_expect_eq(replay_main(2, missing), 1);
	cr_expect_eq(replay_main(2, help), 0);
}
