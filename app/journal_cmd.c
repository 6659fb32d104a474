/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_cmd.h"

#include <getopt.h>
#include <string.h>

#include "app/journal_print.h"
#include "dataplane/journal/journal.h"
#include "dataplane/runtime/err.h"

static const char usage_text[] =
	"usage: gannet journal print JOURNAL [--format csv|json] [--order ID]\n"
	"       gannet journal verify JOURNAL [--key FILE.pub]\n"
	"       gannet journal keygen FILE\n"
	"\n"
	"print    every record, or the life of one order (its ClOrdID, or its number)\n"
	"verify   every number, checksum, hash and signature, and the seal; with --key, that the key's owner wrote it\n"
	"keygen   make FILE (secret, for the config) and FILE.pub (for verify)\n"
	"\n"
	"Exit status: 0; 1 the journal is damaged, was changed, or cannot be read; 2 wrong usage.\n";

struct journal_args {
	const char *path, *key;
	gn_oid oid;
	enum journal_print_format format;
};

static int usage(FILE *to, int status)
{
	fputs(usage_text, to);
	return status;
}

static int failed(void)
{
	fprintf(stderr, "gannet: %s\n", gn_err_text());
	return 1;
}

static int cmd_print(const struct journal_args *args)
{
	return journal_print(args->path, args->oid, args->format, stdout) < 0 ? failed() : 0;
}

static void tell(const struct journal_args *args, const struct journal_reader *r, uint64_t n_facts)
{
	static const uint8_t none[JOURNAL_KEY_BYTES];

	printf("%s: %llu records in %u files, %llu facts, %s\n", args->path, (unsigned long long)r->seq, r->file + 1,
		(unsigned long long)n_facts, r->closed ? "closed in order" : r->torn ? "ends in a torn write" : "not closed");
	if (memcmp(r->public_key, none, sizeof(none)) == 0) {
		printf("not signed: shows damage, but not who wrote it, nor whether its end was cut off\n");
		return;
	}
	printf("signed up to record %llu%s%s, key ", (unsigned long long)r->seq_signed, r->sealed ? ", sealed" : ", NO SEAL",
		r->trust ? ", by the owner of the key" : "");
	for (size_t i = 0; i < sizeof(r->public_key); i++)
		printf("%02x", r->public_key[i]);
	printf("\n");
}

static int cmd_verify(const struct journal_args *args)
{
	const struct journal_record *rec;
	struct journal_reader r;
	uint8_t key[JOURNAL_KEY_BYTES];
	uint64_t n_facts = 0;
	int rc = args->key ? journal_key_read(args->key, key) : 0;

	if (rc == 0)
		rc = journal_reader_open(&r, args->path, args->key ? key : NULL);
	if (rc < 0)
		return failed();
	while ((rc = journal_reader_next(&r, &rec)) == 1)
		n_facts += rec->type == JOURNAL_FACT;
	if (rc == 0) {
		tell(args, &r, n_facts);
		if (r.n_lost)
			printf("%llu facts had no place in it: the disk was full\n", (unsigned long long)r.n_lost);
	}
	journal_reader_close(&r);
	return rc < 0 ? failed() : 0;
}

static int cmd_keygen(const struct journal_args *args)
{
	if (journal_key_make(args->path) < 0)
		return failed();
	printf("%s\n%s.pub\n", args->path, args->path);
	return 0;
}

static const struct {
	const char *name;
	int (*run)(const struct journal_args *args);
} verbs[] = {{"print", cmd_print}, {"verify", cmd_verify}, {"keygen", cmd_keygen}};

/* 0: go on; else the exit status plus one. */
static int parse(int argc, char **argv, struct journal_args *args)
{
	static const struct option options[] = {{"format", required_argument, NULL, 'f'}, {"order", required_argument, NULL, 'o'},
		{"key", required_argument, NULL, 'k'}, {"help", no_argument, NULL, 'h'}, {0}};
	int c;

	optind = 0;
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'h')
			return 1 + usage(stdout, 0);
		if (c == 'f' && strcmp(optarg, "json") == 0)
			args->format = JOURNAL_PRINT_JSON;
		else if (c == 'k')
			args->key = optarg;
		else if (c == 'o' && journal_print_oid(optarg))
			args->oid = journal_print_oid(optarg);
		else if (c != 'f' || strcmp(optarg, "csv") != 0)
			return 1 + usage(stderr, 2);
	}
	if (argc - optind != 1)
		return 1 + usage(stderr, 2);
	args->path = argv[optind];
	return 0;
}

int journal_main(int argc, char **argv)
{
	struct journal_args args = {.format = JOURNAL_PRINT_CSV};
	int rc;

	if (argc >= 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
		return usage(stdout, 0);
	for (size_t i = 0; argc >= 2 && i < sizeof(verbs) / sizeof(verbs[0]); i++) {
		if (strcmp(argv[1], verbs[i].name) != 0)
			continue;
		rc = parse(argc - 1, argv + 1, &args);
		return rc ? rc - 1 : verbs[i].run(&args);
	}
	return usage(stderr, 2);
}
