/* SPDX-License-Identifier: BSD-3-Clause */
#define ALLOW_EXPERIMENTAL_API /* rte_eth_read_clock() */
#include <time.h>

#include "dataplane/nic/port_impl.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/log.h"

/* 0 when it cannot be read: a clock that stands still, which the keeper refuses or, later, counts as a step. */
static uint64_t count_read(void *arg)
{
	const struct gn_port *p = arg;
	struct timespec t;
	uint64_t count;

	if (!p->rx_time_ptp)
		return rte_eth_read_clock(p->id, &count) == 0 ? count : 0;
	if (rte_eth_timesync_read_time(p->id, &t) != 0)
		return 0;
	return (uint64_t)t.tv_sec * UINT64_C(1000000000) + (uint64_t)t.tv_nsec;
}

/* Some drivers stamp in ticks of a clock of their own, others by the clock of IEEE 1588, which may have to be started. */
static bool clock_find(struct gn_port *p)
{
	struct timespec t;
	uint64_t count;

	if (rte_eth_read_clock(p->id, &count) == 0)
		return true;
	rte_eth_timesync_enable(p->id);
	p->rx_time_ptp = rte_eth_timesync_read_time(p->id, &t) == 0;
	return p->rx_time_ptp;
}

void port_clock_begin(struct gn_port *p)
{
	if (p->rx_time_offset >= 0 && !clock_find(p))
		p->rx_time_offset = -1; /* counts of nobody knows what */
	if (p->rx_time_offset >= 0 && gn_clock_keep_port(&p->rx_keeper, &p->rx_clock, count_read, p) < 0)
		gn_warn("port %s: its time stamps are left out: %s", p->device, gn_err_text());
}

void gn_port_clock_keep_up(struct gn_port *p)
{
	if (p->rx_time_offset >= 0)
		gn_clock_keep_up(&p->rx_keeper);
}

bool gn_port_clock(const struct gn_port *p, struct gn_clock_status *status)
{
	*status = gn_clock_keeper_status(&p->rx_keeper);
	return p->rx_time_offset >= 0;
}
