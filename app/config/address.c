/* SPDX-License-Identifier: BSD-3-Clause */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "dataplane/runtime/err.h"

int address_ip(const char *where, const char *text, uint32_t *ip)
{
	struct in_addr a = {0};

	if (*text && inet_pton(AF_INET, text, &a) != 1)
		return gn_err(0, "%s: %s: expected an IPv4 address such as 10.71.0.1", where, text);
	*ip = ntohl(a.s_addr);
	return 0;
}

int address_mac(const char *where, const char *text, uint8_t mac[6])
{
	unsigned b[6];
	int end = 0;

	memset(mac, 0, 6);
	if (!*text)
		return 0;
	if (strlen(text) != 17 || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6
		|| end != 17)
		return gn_err(0, "%s: %s: expected a MAC address such as 02:67:6e:00:00:01", where, text);
	for (int i = 0; i < 6; i++)
		mac[i] = (uint8_t)b[i];
	return mac[0] & 1 ? gn_err(0, "%s: %s: is a multicast address", where, text) : 0;
}
