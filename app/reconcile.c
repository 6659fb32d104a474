/* SPDX-License-Identifier: BSD-3-Clause */
#include "reconcile.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "app/journal_view.h"
#include "dataplane/runtime/err.h"

static const char *const kind_word[RECONCILE_KIND_COUNT] = {"order", "fill", "broken", "position"};
static const int kind_keys[RECONCILE_KIND_COUNT] = {2, 3, 3, 3}; /* fields that name a fact, its kind included */

struct line {
	char *text;
	size_t key_bytes;
	enum reconcile_kind kind;
};

struct lines {
	struct line *line;
	size_t n, room;
};

static void free_lines(struct lines *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->line[i].text);
	free(l->line);
}

/* Finds kind and key. False: not a line of a ledger. */
static bool parse(struct line *line)
{
	size_t word = strcspn(line->text, ",");
	const char *end = line->text;
	int fields;

	for (line->kind = 0; line->kind < RECONCILE_KIND_COUNT; line->kind++) {
		if (strlen(kind_word[line->kind]) == word && strncmp(line->text, kind_word[line->kind], word) == 0)
			break;
	}
	if (line->kind == RECONCILE_KIND_COUNT)
		return false;
	for (fields = 0; fields < kind_keys[line->kind]; fields++) {
		if (*end == '\0')
			return false;
		end += *end == ',';
		end += strcspn(end, ",");
	}
	line->key_bytes = (size_t)(end - line->text);
	return line->kind == RECONCILE_BROKEN ? *end == '\0' : *end == ',';
}

static int add(struct lines *l, const char *text)
{
	struct line *more;

	if (l->n == l->room) {
		l->room = l->room ? l->room * 2 : 1024;
		more = reallocarray(l->line, l->room, sizeof(*more));
		if (!more)
			return -ENOMEM;
		l->line = more;
	}
	l->line[l->n] = (struct line){.text = strdup(text)};
	return l->line[l->n].text ? 0 : -ENOMEM;
}

static int read_lines(struct lines *l, FILE *from, const char *name)
{
	char *text = NULL;
	size_t room = 0;
	ssize_t bytes;
	int rc = 0;

	while (rc == 0 && (bytes = getline(&text, &room, from)) > 0) {
		text[strcspn(text, "\r\n")] = '\0';
		if (text[0] == '\0' || text[0] == '#')
			continue;
		rc = add(l, text);
		if (rc == 0 && !parse(&l->line[l->n++]))
			rc = gn_err(EINVAL, "reconcile: %s: \"%s\": not a line of a ledger (order, fill, broken, position)", name, text);
	}
	if (rc == 0 && ferror(from))
		rc = gn_err(EIO, "reconcile: read %s", name);
	free(text);
	return rc;
}

static int compare_keys(const struct line *a, const struct line *b)
{
	size_t n = a->key_bytes < b->key_bytes ? a->key_bytes : b->key_bytes;
	int rc = a->kind != b->kind ? (int)a->kind - (int)b->kind : memcmp(a->text, b->text, n);

	return rc ? rc : (a->key_bytes > b->key_bytes) - (a->key_bytes < b->key_bytes);
}

static int by_key(const void *a, const void *b)
{
	const struct line *x = a, *y = b;
	int rc = compare_keys(x, y);

	return rc ? rc : strcmp(x->text, y->text);
}

static void sort_lines(struct lines *l)
{
	if (l->n)
		qsort(l->line, l->n, sizeof(l->line[0]), by_key);
}

static void walk(const struct lines *ours, const struct lines *theirs, struct reconcile_result *result,
	void (*difference)(void *arg, const char *engine, const char *exchange), void *arg)
{
	size_t i = 0, j = 0;

	while (i < ours->n || j < theirs->n) {
		int rc = i == ours->n ? 1 : j == theirs->n ? -1 : compare_keys(&ours->line[i], &theirs->line[j]);
		const struct line *a = rc <= 0 ? &ours->line[i++] : NULL, *b = rc >= 0 ? &theirs->line[j++] : NULL;
		struct reconcile_counts *c = &result->kind[a ? a->kind : b->kind];
		c->engine += a != NULL;
		c->exchange += b != NULL;
		if (a && b && strcmp(a->text, b->text) == 0)
			continue;
		c->differ++;
		result->agree = false;
		difference(arg, a ? a->text : NULL, b ? b->text : NULL);
	}
}

int reconcile_compare(FILE *engine, const char *engine_name, FILE *exchange, const char *exchange_name,
	struct reconcile_result *result, void (*difference)(void *arg, const char *engine, const char *exchange), void *arg)
{
	struct lines ours = {0}, theirs = {0};
	int rc = read_lines(&ours, engine, engine_name);

	*result = (struct reconcile_result){.agree = true};
	if (rc == 0)
		rc = read_lines(&theirs, exchange, exchange_name);
	if (rc == 0) {
		sort_lines(&ours);
		sort_lines(&theirs);
		walk(&ours, &theirs, result, difference, arg);
	}
	free_lines(&ours);
	free_lines(&theirs);
	return rc;
}

/* The subcommand. */

enum format { FORMAT_TABLE, FORMAT_CSV, FORMAT_JSON };

struct output {
	enum format format;
	size_t n_differences;
};

static void show_difference(void *arg, const char *engine, const char *exchange)
{
	struct output *out = arg;

	if (out->format == FORMAT_JSON)
		printf("%s{\"engine\":%s%s%s,\"exchange\":%s%s%s}", out->n_differences ? "," : "", engine ? "\"" : "",
			engine ? engine : "null", engine ? "\"" : "", exchange ? "\"" : "", exchange ? exchange : "null",
			exchange ? "\"" : "");
	else if (out->format == FORMAT_CSV)
		printf("difference,\"%s\",\"%s\"\n", engine ? engine : "", exchange ? exchange : "");
	else
		printf("differs: engine   %s\n         exchange %s\n", engine ? engine : "(none)", exchange ? exchange : "(none)");
	out->n_differences++;
}

static void show_table(const struct reconcile_result *r)
{
	printf("%-10s %10s %10s %10s\n", "", "engine", "exchange", "differ");
	for (int k = 0; k < RECONCILE_KIND_COUNT; k++)
		printf("%-10s %10zu %10zu %10zu\n", kind_word[k], r->kind[k].engine, r->kind[k].exchange, r->kind[k].differ);
	printf("%s\n", r->agree ? "engine and exchange agree exactly" : "ENGINE AND EXCHANGE DIFFER");
}

static void show_result(const struct output *out, const struct reconcile_result *r)
{
	if (out->format == FORMAT_TABLE) {
		show_table(r);
		return;
	}
	if (out->format == FORMAT_JSON)
		printf("]");
	for (int k = 0; k < RECONCILE_KIND_COUNT; k++) {
		const struct reconcile_counts *c = &r->kind[k];
		printf(out->format == FORMAT_JSON ? ",\"%s\":{\"engine\":%zu,\"exchange\":%zu,\"differ\":%zu}" : "%s,%zu,%zu,%zu\n",
			kind_word[k], c->engine, c->exchange, c->differ);
	}
	if (out->format == FORMAT_JSON)
		printf(",\"agree\":%s}\n", r->agree ? "true" : "false");
}

/* The journal's ledger goes through memory: one way to read a ledger serves both sides. */
static int compare_files(const char *journal, const char *ledger, struct output *out, struct reconcile_result *result)
{
	struct journal_view view;
	char *text = NULL;
	size_t bytes = 0;
	FILE *engine = NULL, *exchange = fopen(ledger, "re");
	int rc = exchange ? journal_view_load(&view, journal) : gn_err(errno, "reconcile: open %s", ledger);

	if (rc == 0) {
		engine = open_memstream(&text, &bytes);
		rc = engine ? journal_view_print(&view, engine) : gn_err(ENOMEM, "reconcile: %s", journal);
	}
	if (engine)
		fclose(engine);
	engine = rc == 0 && bytes ? fmemopen(text, bytes, "r") : rc == 0 ? fopen("/dev/null", "re") : NULL;
	if (rc == 0 && !engine)
		rc = gn_err(ENOMEM, "reconcile: %s", journal);
	if (rc == 0)
		rc = reconcile_compare(engine, journal, exchange, ledger, result, show_difference, out);
	if (engine)
		fclose(engine);
	if (exchange) {
		journal_view_free(&view);
		fclose(exchange);
	}
	free(text);
	return rc;
}

static const char usage[] =
	"usage: gannet reconcile JOURNAL LEDGER [--format csv|json]\n"
	"\n"
	"Compares every order, fill and position of our journal with the ledger that the simulated exchange wrote.\n"
	"Exit status: 0 they agree exactly; 1 they differ, or one cannot be read; 2 wrong usage.\n";

static int parse_format(const char *word)
{
	if (strcmp(word, "csv") == 0)
		return FORMAT_CSV;
	return strcmp(word, "json") == 0 ? FORMAT_JSON : -1;
}

int reconcile_main(int argc, char **argv)
{
	static const struct option options[] = {{"format", required_argument, NULL, 'f'}, {"help", no_argument, NULL, 'h'}, {0}};
	struct output out = {0};
	struct reconcile_result result;
	int c, format = FORMAT_TABLE;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h')
			return fputs(usage, stdout) < 0;
		format = c == 'f' ? parse_format(optarg) : -1;
		if (format < 0)
			return fputs(usage, stderr), 2;
	}
	if (argc - optind != 2)
		return fputs(usage, stderr), 2;
	out.format = (enum format)format;
	if (out.format == FORMAT_JSON)
		printf("{\"differences\":[");
	if (compare_files(argv[optind], argv[optind + 1], &out, &result) < 0) {
		fprintf(stderr, "gannet: %s\n", gn_err_text());
		return 1;
	}
	show_result(&out, &result);
	return result.agree ? 0 : 1;
}
