/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef EXCHANGE_SOCK_H
#define EXCHANGE_SOCK_H

/**
 * @file
 * The simulated exchange on ordinary kernel sockets: UDP multicast out, TCP and re-requests in, one thread, no DPDK.
 *
 * With it Linux's own UDP and TCP are the independent peer of our network stack.
 */

#include <stdatomic.h>

#include "app/exchange/exchange.h"

struct exchange_sock;

/**
 * Make the exchange and open its sockets. Cold.
 *
 * `ip` of the config is the address to listen on and the interface that the lines leave by; "0.0.0.0", the default
 * here, leaves both to the kernel. mac, netmask, gateway and mtu are not used.
 *
 * @return
 *   NULL with gn_err_text().
 */
struct exchange_sock *exchange_sock_new(const struct exchange_config *config);
void exchange_sock_free(struct exchange_sock *s);

/**
 * Run on the calling thread until *stop is set (or run_ms has passed) and the day is closed; writes the ledger.
 *
 * Sleeps in epoll while there is nothing to do, or spins when the config says busy_poll.
 *
 * @return
 *   0 or -errno.
 */
int exchange_sock_run(struct exchange_sock *s, const atomic_bool *stop);

/** The exchange inside; for the running thread, or when none runs. */
struct exchange *exchange_sock_exchange(struct exchange_sock *s);

struct exchange_sock_counts {
	uint64_t datagrams, datagrams_failed, requests, replies, accepted, refused, lost, short_sends;
};
struct exchange_sock_counts exchange_sock_counts(const struct exchange_sock *s);

#endif
