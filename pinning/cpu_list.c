/* SPDX-License-Identifier: BSD-3-Clause */
#include "cpu_list.h"

#include <ctype.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/runtime/err.h"

/* A decimal number below CPU_SETSIZE, or -1; *at moves behind it. */
static long list_number(const char **at)
{
	char *end;

	if (!isdigit((unsigned char)**at))
		return -1;
	long n = strtol(*at, &end, 10);
	*at = end;
	return n < CPU_SETSIZE ? n : -1;
}

/* "a", "a-b" or "a-b:step". */
static bool list_range(const char **at, cpu_set_t *set)
{
	long first = list_number(at), last = first, step = 1;

	if (first >= 0 && **at == '-') {
		++*at;
		last = list_number(at);
		if (last >= 0 && **at == ':') {
			++*at;
			step = list_number(at);
		}
	}
	if (first < 0 || last < first || step < 1)
		return false;
	for (long cpu = first; cpu <= last; cpu += step)
		CPU_SET((size_t)cpu, set);
	return true;
}

int gn_cpus_from_list(const char *text, cpu_set_t *set)
{
	const char *at = text + strspn(text, " \t\n");

	CPU_ZERO(set);
	if (*at == '\0' || strncmp(at, "(null)", 6) == 0)
		return 0;
	bool good = list_range(&at, set);
	while (good && *at == ',') {
		at++;
		good = list_range(&at, set);
	}
	if (good && at[strspn(at, " \t\n")] == '\0')
		return 0;
	CPU_ZERO(set);
	return gn_err(0, "core list \"%.*s\": expected numbers below %d such as 0-3,8", (int)strcspn(text, "\n"), text,
		CPU_SETSIZE);
}

int gn_cpus_from_mask(const char *text, cpu_set_t *set)
{
	size_t n = strcspn(text, "\n");
	int bit = 0;

	CPU_ZERO(set);
	for (size_t i = n; i-- > 0;) {
		char digit[2] = {text[i], '\0'};
		if (text[i] == ',')
			continue;
		if (!isxdigit((unsigned char)text[i]))
			return gn_err(
				0, "core mask \"%.*s\": expected hexadecimal words such as ff,00000003", (int)n, text);
		unsigned long nibble = strtoul(digit, NULL, 16);
		for (int b = 0; b < 4; b++, bit++) {
			if (!(nibble >> b & 1))
				continue;
			if (bit >= CPU_SETSIZE)
				return gn_err(0, "core mask names core %d: the highest known here is %d", bit,
					CPU_SETSIZE - 1);
			CPU_SET((size_t)bit, set);
		}
	}
	return 0;
}

struct gn_cpus_text gn_cpus_text(const cpu_set_t *set)
{
	struct gn_cpus_text text = {"none"};
	size_t n = 0;

	for (int first = gn_cpus_next(set, 0); first >= 0;) {
		int last = first;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET((size_t)last + 1, set))
			last++;
		char range[32];
		int len = snprintf(range, sizeof(range), last > first ? "%s%d-%d" : "%s%d", n ? "," : "", first, last);
		if (n + (size_t)len + sizeof(",...") > sizeof(text.c)) {
			strcpy(text.c + n, ",...");
			break;
		}
		memcpy(text.c + n, range, (size_t)len + 1);
		n += (size_t)len;
		first = gn_cpus_next(set, last + 1);
	}
	return text;
}

struct gn_cpus_text gn_cpus_mask_text(const cpu_set_t *set)
{
	struct gn_cpus_text text = {"0"};
	size_t n = 0;

	for (int word = CPU_SETSIZE / 32 - 1; word >= 0; word--) {
		uint32_t bits = 0;
		for (unsigned b = 0; b < 32; b++)
			bits |= CPU_ISSET((size_t)word * 32 + b, set) ? UINT32_C(1) << b : 0;
		if (n == 0 && bits == 0)
			continue;
		int len = snprintf(text.c + n, sizeof(text.c) - n, n ? ",%08x" : "%x", bits);
		n += (size_t)len;
	}
	return text;
}

int gn_cpus_next(const cpu_set_t *set, int from)
{
	for (int cpu = from < 0 ? 0 : from; cpu < CPU_SETSIZE; cpu++)
		if (CPU_ISSET((size_t)cpu, set))
			return cpu;
	return -1;
}

bool gn_cpus_within(const cpu_set_t *part, const cpu_set_t *whole)
{
	cpu_set_t both;

	CPU_AND(&both, part, whole);
	return CPU_EQUAL(&both, part);
}
