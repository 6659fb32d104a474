/* SPDX-License-Identifier: BSD-3-Clause */
#include "replay_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/compiler.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/instruments.h"

#define NS_PER_S UINT64_C(1000000000)
#define ORDERS_MAX ((UINT64_C(1) << 24) - 1) /* what the book takes */

const char replay_usage[] =
	"usage: gannet replay [OPTION...] FILE...\n"
	"\n"
	"Runs captured market data through the engine's feed and book.\n"
	"FILE: raw ITCH 5.0 (u16 length and message), or pcap or pcapng with MoldUDP64; gzip and zstd are undone;\n"
	"- is standard input. Several files are parts of one stream.\n"
	"\n"
	"  --print WHAT      stats   messages by type, errors, speed (default)\n"
	"                    bbo     each change of an instrument's best prices or their quantities\n"
	"                    levels  each change of its first levels\n"
	"                    trades  executions, hidden trades, crosses, broken trades\n"
	"                    events  every event as the strategies see it\n"
	"  --format FORMAT   csv (default), or json: one object a line\n"
	"  --depth N         levels: how many (default 10, at most 50)\n"
	"  --symbols A,B     print only these instruments (stats count all)\n"
	"  --from TIME       print what happens from TIME on; all before it still goes into the books\n"
	"  --to TIME         stop after TIME\n"
	"                    TIME: 09:30, 09:30:00.000001, or nanoseconds since midnight\n"
	"  --orders-max N    live orders to have room for (default: from the size of the input)\n"
	"  --help            this text\n"
	"\n"
	"seq is the number of the message: from 1 in raw files, the sequence number of MoldUDP64 in captures.\n"
	"ts_ns is nanoseconds since midnight, as the venue stamped it.\n";

enum { OPT_PRINT = 256, OPT_FORMAT, OPT_DEPTH, OPT_SYMBOLS, OPT_FROM, OPT_TO, OPT_ORDERS_MAX, OPT_HELP };

static int parse_print(struct replay_options *o, const char *text)
{
	static const char *const names[] = {
		[REPLAY_STATS] = "stats", [REPLAY_BBO] = "bbo", [REPLAY_LEVELS] = "levels", [REPLAY_TRADES] = "trades",
		[REPLAY_EVENTS] = "events"};

	for (uint32_t i = 0; i < GN_ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) == 0) {
			o->print = (enum replay_print)i;
			return 0;
		}
	}
	return gn_err(0, "--print %s: expected stats, bbo, levels, trades or events", text);
}

static int parse_format(struct replay_options *o, const char *text)
{
	o->json = strcmp(text, "json") == 0;
	if (!o->json && strcmp(text, "csv") != 0)
		return gn_err(0, "--format %s: expected csv or json", text);
	return 0;
}

static int parse_number(const char *option, const char *text, uint64_t min, uint64_t max, uint64_t *v)
{
	char *end;

	errno = 0;
	*v = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || *v < min || *v > max)
		return gn_err(0, "%s %s: expected a number from %lu to %lu", option, text, (unsigned long)min,
			(unsigned long)max);
	return 0;
}

/* two digits below max and what follows them; NULL: they are none */
static const char *two_digits(const char *p, uint64_t max, uint64_t *v)
{
	if (p[0] < '0' || p[0] > '9' || p[1] < '0' || p[1] > '9')
		return NULL;
	*v = (uint64_t)(p[0] - '0') * 10 + (uint64_t)(p[1] - '0');
	return *v < max ? p + 2 : NULL;
}

/* HH:MM[:SS[.FRACTION]], the fraction of at most nine digits */
static bool parse_clock(const char *p, uint64_t *ns)
{
	uint64_t h, m, s = 0, fraction = 0, unit = NS_PER_S;

	p = two_digits(p, 25, &h); /* 24:00 is the end of the day */
	if (p == NULL || *p != ':' || (p = two_digits(p + 1, 60, &m)) == NULL)
		return false;
	if (*p == ':' && (p = two_digits(p + 1, 60, &s)) == NULL)
		return false;
	if (*p == '.')
		for (p++; *p >= '0' && *p <= '9' && unit > 1; p++) {
			unit /= 10;
			fraction += unit * (uint64_t)(*p - '0');
		}
	*ns = ((h * 60 + m) * 60 + s) * NS_PER_S + fraction;
	return *p == '\0';
}

static int parse_time(const char *option, const char *text, uint64_t *ns)
{
	char *end;

	if (strchr(text, ':') != NULL) {
		if (parse_clock(text, ns))
			return 0;
	} else if (text[0] >= '0' && text[0] <= '9') {
		errno = 0;
		*ns = strtoull(text, &end, 10);
		if (*end == '\0' && errno == 0)
			return 0;
	}
	return gn_err(0, "%s %s: expected HH:MM, HH:MM:SS, HH:MM:SS.FRACTION or nanoseconds since midnight", option, text);
}

static int parse_symbols(struct replay_options *o, const char *text)
{
	while (*text != '\0') {
		size_t n = strcspn(text, ",");
		gn_symbol symbol = gn_symbol_from(text, n);

		if (symbol.word == 0)
			return gn_err(0, "--symbols: '%.*s' is no symbol of 1 to %d characters", (int)n, text, GN_SYMBOL_BYTES);
		if (o->n_symbols == REPLAY_SYMBOLS_MAX)
			return gn_err(0, "--symbols: more than %u", REPLAY_SYMBOLS_MAX);
		o->symbol[o->n_symbols++] = symbol;
		text += n + (text[n] == ',');
	}
	return o->n_symbols != 0 ? 0 : gn_err(0, "--symbols: expected at least one");
}

static int parse_one(struct replay_options *o, int opt, const char *value)
{
	uint64_t v = 0;
	int rc;

	switch (opt) {
	case OPT_PRINT: return parse_print(o, value);
	case OPT_FORMAT: return parse_format(o, value);
	case OPT_SYMBOLS: return parse_symbols(o, value);
	case OPT_FROM: return parse_time("--from", value, &o->from_ns);
	case OPT_TO: return parse_time("--to", value, &o->to_ns);
	case OPT_ORDERS_MAX: return parse_number("--orders-max", value, 1, ORDERS_MAX, &o->orders_max);
	case OPT_DEPTH:
		rc = parse_number("--depth", value, 1, REPLAY_DEPTH_MAX, &v);
		o->depth = (uint32_t)v;
		return rc;
	case OPT_HELP: o->help = true; return 0;
	default: return -EINVAL;
	}
}

int replay_options_parse(struct replay_options *o, int argc, char **argv)
{
	static const struct option options[] = {
		{"print", required_argument, NULL, OPT_PRINT},     {"format", required_argument, NULL, OPT_FORMAT},
		{"depth", required_argument, NULL, OPT_DEPTH},     {"symbols", required_argument, NULL, OPT_SYMBOLS},
		{"from", required_argument, NULL, OPT_FROM},       {"to", required_argument, NULL, OPT_TO},
		{"orders-max", required_argument, NULL, OPT_ORDERS_MAX}, {"help", no_argument, NULL, OPT_HELP}, {0}};
	int opt;

	memset(o, 0, sizeof(*o));
	o->depth = 10;
	o->to_ns = UINT64_MAX;
	optind = 0; /* begin anew, also when the caller has parsed before */
	opterr = 0;
	while ((opt = getopt_long(argc, argv, ":h", options, NULL)) != -1) {
		if (opt == ':')
			return gn_err(0, "%s: a value is missing", argv[optind - 1]);
		if (opt == '?')
			return gn_err(0, "%s: no such option", argv[optind - 1]);
		int rc = parse_one(o, opt == 'h' ? OPT_HELP : opt, optarg);

		if (rc < 0)
			return rc;
	}
	o->files = argv + optind;
	o->n_files = (uint32_t)(argc - optind);
	if (!o->help && o->n_files == 0)
		return gn_err(0, "no file is named");
	return 0;
}
