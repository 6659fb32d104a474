/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef MEMIF_RELAY_H
#define MEMIF_RELAY_H

/**
 * @file
 * Stands between DPDK's net_memif and the control socket of its peer, so that a peer that dies does not take us along.
 *
 * The driver unmaps the shared rings in DPDK's interrupt thread as soon as its control socket says that the peer has
 * gone, even under a burst in progress, which then touches memory that is not there. Through the relay's own thread pass
 * the control messages, a few at each handshake; frames never do. When the peer goes it first has the port's queues stand
 * still and only then lets the driver know. It also waits for a peer that is not there yet, which the driver does not.
 *
 * Cold path. Free of DPDK. Source: the memif protocol, version 2.0 (messages of 128 bytes over SOCK_SEQPACKET).
 */

#include <stdbool.h>

#define MEMIF_RELAY_LINE_BYTES 512u

struct memif_relay;

struct memif_relay_config {
	/** The device line: "net_memif0,role=server,socket=/run/x.sock,socket-abstract=no"; its options as DPDK has them. Outlives us. */
	const char *device;
	/** The peer has gone: no queue may be in a burst when this returns, nor begin one. Relay's thread. */
	void (*park)(void *arg);
	/** The driver has let go of the rings: bursts are harmless again, they find no peer. Relay's thread. */
	void (*resume)(void *arg);
	void *arg;
};

/**
 * Open the sockets and start the thread. Main thread, before the driver is given memif_relay_line().
 *
 * @return
 *   The relay, or NULL with one error that names the socket.
 */
struct memif_relay *memif_relay_new(const struct memif_relay_config *config);

/** Stop the thread and remove the sockets; the driver's side must be closed. NULL is allowed. */
void memif_relay_free(struct memif_relay *r);

/** The device line for the driver: the same, with the relay in the peer's place. Valid as long as the relay. */
const char *memif_relay_line(const struct memif_relay *r);

/** Whether driver or peer has come: what is missing is waited for, no restart of the driver is needed. Any thread. */
bool memif_relay_attached(const struct memif_relay *r);

/**
 * Keep the relay from the driver, to stop or start it: the driver must not hear of its peer meanwhile.
 *
 * @param wait
 *   Whether to wait while the driver is letting go of a peer; else that is refused with false. Waiting is for threads
 *   that serve no queue of a running port.
 */
bool memif_relay_hold(struct memif_relay *r, bool wait);
void memif_relay_release(struct memif_relay *r);

#endif
