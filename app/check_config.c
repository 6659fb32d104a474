/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app/command.h"
#include "app/config/engine_config.h"
#include "app/engine/parts.h"
#include "dataplane/runtime/err.h"
#include "pinning/clock.h"

static void check_usage(FILE *out)
{
	fputs("usage: gannet check-config CONFIG [--topology FILE]\n"
	      "       gannet check-config --reference\n\n"
	      "Runs the checks that `gannet run` and `gannet exchange` run before they start anything.\n\n"
	      "  --topology FILE   instead of the topology that the config names\n"
	      "  --reference       print every key, with its default, limits and meaning\n",
		out);
}

static int check_engine(const char *path, const char *topology_path, struct engine_section *s)
{
	struct topology_config *t = NULL;
	struct parts *p = calloc(1, sizeof(*p));
	char *relative = topology_path ? strdup(topology_path) : config_file_relative(path, s->topology);
	int rc = p && relative ? config_file_load(relative, &topology_schema, (void **)&t) : gn_err(ENOMEM, "check-config");

	if (rc == 0) {
		topology_counts(t, s);
		rc = parts_make(p, path, s, NULL);
		if (rc < 0)
			rc = gn_err_in(rc, "%s", path);
	}
	if (rc == 0)
		rc = topology_check(relative, t, &p->shape);
	config_file_free(&topology_schema, t);
	if (p)
		parts_free(p);
	free(p);
	free(relative);
	return rc;
}

static int check_exchange(const char *path, const struct exchange_section *s)
{
	struct exchange_config complete;
	int rc = exchange_config_complete(&complete, &s->venue);

	return rc < 0 ? gn_err_in(rc, "%s", path) : 0;
}

int check_config_main(int argc, char **argv)
{
	static const struct option longs[] = {{"topology", 1, NULL, 't'}, {"reference", 0, NULL, 'r'}, {"help", 0, NULL, 'h'}, {0}};
	const char *topology_path = NULL;
	struct config *config;
	int c;

	while ((c = getopt_long(argc, argv, "h", longs, NULL)) != -1) {
		switch (c) {
		case 't': topology_path = optarg; break;
		case 'r':
			config_file_reference(&config_schema, stdout);
			puts("\nTopology file:");
			config_file_reference(&topology_schema, stdout);
			return EXIT_OK;
		case 'h': check_usage(stdout); return EXIT_OK;
		default: check_usage(stderr); return EXIT_USAGE;
		}
	}
	if (optind + 1 != argc) {
		check_usage(stderr);
		return EXIT_USAGE;
	}
	const char *path = argv[optind];
	int rc = config_file_load(path, &config_schema, (void **)&config);
	if (rc == 0)
		rc = gn_clock_calibrate();
	if (rc == 0 && config->engine)
		rc = check_engine(path, topology_path, config->engine);
	if (rc == 0 && config->exchange)
		rc = check_exchange(path, config->exchange);
	if (rc == 0)
		printf("%s: good:%s%s\n", path, config->engine ? " engine" : "", config->exchange ? " exchange" : "");
	config_file_free(&config_schema, config);
	return rc < 0 ? command_failed() : EXIT_OK;
}
