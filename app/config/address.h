/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONFIG_ADDRESS_H
#define CONFIG_ADDRESS_H

/** @file Addresses as a config writes them. Cold. */

#include <stdint.h>

/** IPv4 address, host byte order; "" gives 0. 0 or -errno with gn_err_text(), which starts with `where`. */
int address_ip(const char *where, const char *text, uint32_t *ip);

/** MAC address "02:67:6e:00:00:01"; "" gives zeroes. */
int address_mac(const char *where, const char *text, uint8_t mac[6]);

#endif
