/* SPDX-License-Identifier: BSD-3-Clause */
#include "perf/port_pair.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dataplane/net/frame.h"
#include "dataplane/nic/eal.h"
#include "dataplane/nic/rx_stage.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"
#include "dataplane/runtime/wiring.h"

static struct port_side *the_side;
static pid_t peer;

static void die(void)
{
	fprintf(stderr, "%s\n", gn_err_text());
	exit(1);
}

static void on_frame(void *ctx, uint32_t from, const void *msg, uint32_t bytes)
{
	const struct gn_frame *f = msg;

	(void)ctx;
	(void)from;
	(void)bytes;
	the_side->on_frame(the_side->arg, f->data, f->bytes, f->rx_tsc);
}

static const struct gn_stage stage_sink = {
	.name = "sink",
	.ctx_bytes = 8,
	.in = (const struct gn_inlet[]){{"rx_gateway", on_frame, sizeof(struct gn_frame) + GN_FRAME_BYTES_MAX, NULL},
		{0}},
};

/* Side by side on the first two cores that this process may use; on one core, wherever they get their turns. */
static void stay_on_core(uint32_t n)
{
	cpu_set_t all, one;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	for (size_t core = 0; core < CPU_SETSIZE; core++)
		if (CPU_ISSET(core, &all) && n-- == 0)
			CPU_SET(core, &one);
	if (CPU_COUNT(&one) == 1)
		sched_setaffinity(0, sizeof(one), &one);
}

static void *rx_into_side(struct port_side *s)
{
	static struct rx_config config;
	struct gn_wiring *w = gn_wiring_new(NULL, NULL, gn_stats_create(NULL, 256));

	config.port = s->port;
	if (!w || gn_wiring_stage(w, &gn_stage_rx, "rx0", 0, 0, GN_NODE_ANY, &config) < 0
		|| gn_wiring_stage(w, &stage_sink, "sink0", 0, 0, GN_NODE_ANY, NULL) < 0
		|| gn_wiring_link(w, "rx_gateway", "rx0", "sink0", &(struct gn_link_config){0}) < 0
		|| gn_wiring_seal(w) < 0)
		die();
	return gn_wiring_ctx(w, "rx0");
}

void port_pair_start(struct port_side *side)
{
	char line[128];
	pid_t parent = getpid();

	peer = fork();
	side->is_peer = peer == 0;
	if (side->is_peer)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	the_side = side;
	snprintf(line, sizeof(line), "net_memif0,role=%s,socket=/gannet-bench-%d", side->is_peer ? "client" : "server",
		(int)parent);
	if (gn_eal_init(&(struct gn_eal_config){.name = "bench"}) < 0)
		die();
	stay_on_core(side->is_peer);
	side->port = gn_port_open(&(struct gn_port_config){.device = line, .node = GN_NODE_ANY});
	if (!side->port || gn_port_wait_up(side->port, 20000, NULL) < 0)
		die();
	side->tx = gn_port_tx(side->port, 0);
	side->rx = rx_into_side(side);
}

bool port_side_poll(struct port_side *side)
{
	return gn_stage_rx.poll((void *)(uintptr_t)side->rx);
}

void port_pair_end(struct port_side *side)
{
	(void)side;
	kill(peer, SIGKILL);
	waitpid(peer, NULL, 0);
}
