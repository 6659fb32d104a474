/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef TEST_CODEC_DATA_H
#define TEST_CODEC_DATA_H

/** @file What the codec tests share: hand-made bytes, seeded randomness, recorded files and packets. */

#include <criterion/criterion.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dataplane/codec/wire.h"

/** Bytes from text such as "41 00ff": hexadecimal, blanks ignored; text in single quotes is itself. @return how many. */
static inline uint32_t data_hex(const char *text, uint8_t *out)
{
	uint32_t n = 0;

	for (const char *p = text; *p != '\0';) {
		if (*p == ' ') {
			p++;
		} else if (*p == '\'') { /* 'text' */
			for (p++; *p != '\''; p++)
				out[n++] = (uint8_t)*p;
			p++;
		} else {
			char byte[3] = {p[0], p[1], '\0'};

			out[n++] = (uint8_t)strtoul(byte, NULL, 16);
			p += 2;
		}
	}
	return n;
}

/** Recorded file, until the next call; the test is skipped when it is not there. */
static inline uint8_t *data_load(const char *name, uint32_t *bytes)
{
	static uint8_t data[4 << 20];
	const char *dir = getenv("GANNET_DATA");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", dir != NULL ? dir : "../shared/data", name);

	FILE *f = fopen(path, "rb");

	if (f == NULL)
		cr_skip("no recorded data at %s", path);
	*bytes = (uint32_t)fread(data, 1, sizeof(data), f);
	fclose(f);
	cr_assert_lt(*bytes, sizeof(data), "%s: too long for this test", path);
	return data;
}

/** UDP or TCP payload of the first packet of a pcap file (Ethernet, IPv4, little endian). Skips as data_load(). */
static inline const uint8_t *data_payload(const char *name, uint32_t *bytes)
{
	uint32_t file_bytes;
	const uint8_t *ip = data_load(name, &file_bytes) + 24 + 16 + 14;

	if (wire_u16(ip - 2) == 0x8100)
		ip += 4;
	cr_assert_eq(ip[0], 0x45);

	const uint8_t *l4 = ip + 20;
	uint32_t l4_bytes = ip[9] == 17 ? 8 : (uint32_t)(l4[12] >> 4) * 4;

	*bytes = wire_u16(ip + 2) - 20u - l4_bytes;
	return l4 + l4_bytes;
}

/** Seed of a random test: GANNET_SEED, else the one given; a test that fails prints it. */
static inline uint64_t data_seed(uint64_t fallback)
{
	const char *text = getenv("GANNET_SEED");

	return text != NULL ? strtoull(text, NULL, 0) : fallback;
}

/** xorshift64*: the same on every machine. */
static inline uint64_t data_random(uint64_t *state)
{
	*state ^= *state >> 12;
	*state ^= *state << 25;
	*state ^= *state >> 27;
	return *state * UINT64_C(2685821657736338717);
}

#endif
