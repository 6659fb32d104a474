/* SPDX-License-Identifier: BSD-3-Clause */
#include "command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "dataplane/runtime/err.h"

atomic_bool command_interrupted;

static void on_signal(int sig)
{
	atomic_store(&command_interrupted, true);
	signal(sig, SIG_DFL); /* a person who asks twice wants it now */
}

void command_catch_signals(void)
{
	const struct sigaction a = {.sa_handler = on_signal};

	sigaction(SIGINT, &a, NULL);
	sigaction(SIGTERM, &a, NULL);
	signal(SIGPIPE, SIG_IGN);
}

bool command_number(const char *option, const char *text, unsigned long long max, unsigned long long *value)
{
	char *end;

	errno = 0;
	*value = strtoull(text, &end, 10);
	if (errno == 0 && *text >= '0' && *text <= '9' && *end == 0 && *value <= max)
		return true;
	fprintf(stderr, "gannet: %s: %s: expected a whole number from 0 to %llu\n", option, text, max);
	return false;
}

int command_failed(void)
{
	fprintf(stderr, "gannet: %s\n", gn_err_text());
	return EXIT_FAILED;
}
