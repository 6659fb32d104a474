/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/nic/port.h"

#include <errno.h>
#include <linux/membarrier.h>
#include <rte_bus.h>
#include <rte_bus_pci.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_errno.h>
#include <rte_mbuf_dyn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/nic/eal_log.h"
#include "dataplane/nic/port_impl.h"
#include "dataplane/runtime/err.h"
#include "dataplane/runtime/mem.h"

#define DATA_ROOM_BYTES 2048u
#define DESCS_DEFAULT 1024u
#define POOL_CACHE 256u
#define POOL_SPARE 1024u /* buffers that are neither in the hardware's ring nor in a cache */
#define KEEP_MS 100u
#define KEEP_GRACE_MS 300u /* after a start, until the relay has seen the driver of net_memif come */

static int port_err(const struct gn_port *p, int rc, const char *what)
{
	return gn_err(rc < 0 ? -rc : EIO, "port %s: %s (%s)", p->device, what, eal_log_said());
}

static void sleep_us(uint32_t us)
{
	nanosleep(&(struct timespec){.tv_sec = us / 1000000, .tv_nsec = (long)(us % 1000000) * 1000}, NULL);
}

static int device_name(struct gn_port *p, const char *device)
{
	size_t all = strlen(device), name = strcspn(device, ",");

	if (name == 0 || name >= sizeof(p->name) || all >= sizeof(p->device))
		return gn_err(EINVAL,
			"port: device line \"%.80s\" is empty or too long; want "
		        "\"DRIVER_AND_NUMBER[,OPTION=VALUE...]\"",
			device);
	memcpy(p->device, device, all + 1);
	memcpy(p->name, device, name);
	p->name[name] = '\0';
	p->memif = strncmp(p->name, "net_memif", 9) == 0;
	p->memif_client = p->memif && !strstr(p->device, "role=server") && !strstr(p->device, "role=master");
	return 0;
}

/* After it no thread is in a burst, nor begins one before the port is live again. */
static void port_park(void *arg)
{
	struct gn_port *p = arg;

	atomic_store(&p->live, false);
	/* a thread that did not see that yet has said by now that it is busy */
	syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0);
	for (uint32_t q = 0; q < GN_PORT_QUEUES_MAX; q++)
		while (atomic_load_explicit(&p->rx_gate[q].busy, memory_order_acquire)
			|| atomic_load_explicit(&p->tx_gate[q].busy, memory_order_acquire))
			sleep_us(20);
}

/* A client that has lost its peer must be started again first. */
static void port_resume(void *arg)
{
	struct gn_port *p = arg;

	atomic_store(&p->live, p->started && !p->memif_client);
}

static int relay_open(struct gn_port *p)
{
	const struct memif_relay_config c = {.device = p->device, .park = port_park, .resume = port_resume, .arg = p};

	if (syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) < 0)
		return gn_err(errno, "port %s: membarrier(2), without which a peer that dies would take us along", p->device);
	p->relay = memif_relay_new(&c);
	return p->relay ? 0 : -EIO;
}

static int device_probe(struct gn_port *p)
{
	if (rte_eth_dev_get_port_by_name(p->name, &p->id) == 0)
		return gn_err(EBUSY, "port %s: the device is in use already", p->device);
	int rc = rte_dev_probe(p->relay ? memif_relay_line(p->relay) : p->device);
	if (rc < 0) /* what the call returns says less than what it logged */
		return port_err(p, -ENODEV, "no such device, or its driver refuses it");
	rc = rte_eth_dev_get_port_by_name(p->name, &p->id);
	if (rc < 0)
		return port_err(p, rc, "the device has no port");
	p->probed = true;
	return 0;
}

/* A PCI device has been probed by gn_eal_init(), as its address was allowed there. */
static int device_find(struct gn_port *p)
{
	struct rte_pci_addr address;

	if (rte_pci_addr_parse(p->name, &address) != 0)
		return device_probe(p);
	int rc = rte_eth_dev_get_port_by_name(p->name, &p->id);
	if (rc < 0)
		return port_err(p, rc,
			"no driver has taken this PCI device: is it bound to vfio-pci, and was it given to "
		        "gn_eal_init()");
	p->probed = true;
	return 0;
}

/* A closed port leaves its device behind, which would stand in the way of the next open. */
static void device_remove(struct gn_port *p)
{
	struct rte_eth_dev_info info;

	if (!p->probed || rte_eth_dev_info_get(p->id, &info) < 0)
		return;
	rte_eth_dev_close(p->id);
	rte_dev_remove(info.device);
}

static int pool_make(struct gn_port *p, struct rte_mempool **pool, const char *what, uint32_t n, int node)
{
	char name[RTE_MEMPOOL_NAMESIZE];

	snprintf(name, sizeof(name), "gn_%s_%u", what, p->id);
	*pool = rte_pktmbuf_pool_create(name, n, POOL_CACHE, 0, RTE_PKTMBUF_HEADROOM + DATA_ROOM_BYTES, node);
	if (!*pool)
		return gn_err(rte_errno, "port %s: %u buffers of %u bytes (%s)", p->device, n, DATA_ROOM_BYTES,
			eal_log_said());
	return 0;
}

static int offloads_choose(struct gn_port *p, const struct rte_eth_dev_info *info, struct rte_eth_conf *conf)
{
	const uint64_t want =
		RTE_ETH_RX_OFFLOAD_IPV4_CKSUM | RTE_ETH_RX_OFFLOAD_UDP_CKSUM | RTE_ETH_RX_OFFLOAD_TIMESTAMP;

	p->rx_time_offset = -1;
	p->rx_offloads = info->rx_offload_capa & want;
	if (p->rx_offloads & RTE_ETH_RX_OFFLOAD_TIMESTAMP
		&& rte_mbuf_dyn_rx_timestamp_register(&p->rx_time_offset, &p->rx_time_flag) < 0)
		return port_err(p, -rte_errno, "no room in a buffer for the receive time");
	conf->rxmode.offloads = p->rx_offloads;
	/* one pool, no sharing: the driver may give buffers back without looking at each */
	conf->txmode.offloads = info->tx_offload_capa & RTE_ETH_TX_OFFLOAD_MBUF_FAST_FREE;
	return 0;
}

static int sizes_check(struct gn_port *p, const struct gn_port_config *c, const struct rte_eth_dev_info *info)
{
	p->n_rx = c->n_rx ? c->n_rx : 1;
	p->n_tx = c->n_tx ? c->n_tx : 1;
	p->mtu = c->mtu ? c->mtu : 1500;
	if (p->n_rx > GN_PORT_QUEUES_MAX || p->n_tx > GN_PORT_QUEUES_MAX || p->n_rx > info->max_rx_queues
		|| p->n_tx > info->max_tx_queues)
		return gn_err(EINVAL, "port %s: %u receive and %u transmit queues asked for, it has %u and %u",
			p->device, p->n_rx, p->n_tx, info->max_rx_queues, info->max_tx_queues);
	if (p->mtu < GN_PORT_MTU_MIN || p->mtu > GN_PORT_MTU_MAX || (info->max_mtu && p->mtu > info->max_mtu))
		return gn_err(EINVAL, "port %s: mtu %u, want %u to %u", p->device, p->mtu, GN_PORT_MTU_MIN,
			info->max_mtu && info->max_mtu < GN_PORT_MTU_MAX ? info->max_mtu : GN_PORT_MTU_MAX);
	return 0;
}

static int rx_queue_make(struct gn_port *p, uint16_t q, uint16_t n_descs, int node)
{
	char what[8];

	snprintf(what, sizeof(what), "rx%u", q);
	int rc = pool_make(p, &p->rx_pool[q], what, n_descs + POOL_SPARE, node);
	if (rc < 0)
		return rc;
	rc = rte_eth_rx_queue_setup(p->id, q, n_descs, (unsigned int)node, NULL, p->rx_pool[q]);
	return rc < 0 ? port_err(p, rc, "a receive queue") : 0;
}

static int queues_make(struct gn_port *p, const struct gn_port_config *c)
{
	uint16_t n_rxd = c->rx_descs ? c->rx_descs : DESCS_DEFAULT, n_txd = c->tx_descs ? c->tx_descs : DESCS_DEFAULT;
	int node = c->node >= 0 ? c->node : rte_eth_dev_socket_id(p->id);
	int rc = rte_eth_dev_adjust_nb_rx_tx_desc(p->id, &n_rxd, &n_txd);

	if (rc < 0)
		return port_err(p, rc, "queue depths");
	rc = pool_make(p, &p->tx_pool, "tx", p->n_tx * (n_txd + POOL_SPARE), node);
	for (uint16_t q = 0; q < p->n_rx && rc == 0; q++)
		rc = rx_queue_make(p, q, n_rxd, node);
	for (uint16_t q = 0; q < p->n_tx && rc == 0; q++) {
		rc = rte_eth_tx_queue_setup(p->id, q, n_txd, (unsigned int)node, NULL);
		if (rc < 0)
			return port_err(p, rc, "a transmit queue");
		p->tx[q] = tx_new(p, q);
		if (!p->tx[q])
			rc = gn_err_in(-ENOMEM, "port %s", p->device);
	}
	return rc;
}

static int port_configure(struct gn_port *p, const struct gn_port_config *c)
{
	struct rte_eth_dev_info info;
	struct rte_eth_conf conf = {0};
	int rc = rte_eth_dev_info_get(p->id, &info);

	if (rc < 0)
		return port_err(p, rc, "its abilities");
	rc = sizes_check(p, c, &info);
	if (rc == 0)
		rc = offloads_choose(p, &info, &conf);
	if (rc < 0)
		return rc;
	p->rss = p->n_rx > 1 && info.flow_type_rss_offloads != 0;
	conf.rxmode.mq_mode = p->rss ? RTE_ETH_MQ_RX_RSS : RTE_ETH_MQ_RX_NONE;
	conf.rx_adv_conf.rss_conf.rss_hf =
		(RTE_ETH_RSS_IP | RTE_ETH_RSS_UDP | RTE_ETH_RSS_TCP) & info.flow_type_rss_offloads;
	conf.rxmode.mtu = p->mtu;
	rc = rte_eth_dev_configure(p->id, p->n_rx, p->n_tx, &conf);
	if (rc < 0)
		return port_err(p, rc, "does not take its configuration");
	p->configured = true;
	return queues_make(p, c);
}

/* Drivers without such filters hand on everything anyway: their refusal is not an error. */
static int addresses_set(struct gn_port *p, const struct gn_port_config *c)
{
	static const uint8_t none[6];
	struct rte_ether_addr mac;
	bool own = memcmp(c->mac, none, 6) == 0, promiscuous = c->promiscuous;
	int rc;

	if (!own && (c->mac[0] & 1))
		return gn_err(EINVAL, "port %s: %02x:%02x:... is a group address, a port needs one of its own",
			p->device, c->mac[0], c->mac[1]);
	if (own) {
		rc = rte_eth_macaddr_get(p->id, &mac);
		if (rc < 0)
			return port_err(p, rc, "its MAC address");
		memcpy(p->mac, mac.addr_bytes, 6);
	} else {
		memcpy(p->mac, c->mac, 6);
		memcpy(mac.addr_bytes, c->mac, 6);
		promiscuous |= rte_eth_dev_default_mac_addr_set(p->id, &mac) != 0;
	}
	if (rte_eth_allmulticast_enable(p->id) != 0)
		promiscuous = true;
	rc = promiscuous ? rte_eth_promiscuous_enable(p->id) : 0;
	return rc < 0 && rc != -ENOTSUP ? port_err(p, rc, "does not become promiscuous") : 0;
}

static int port_start(struct gn_port *p)
{
	eal_log_forget();
	int rc = rte_eth_dev_start(p->id);
	if (rc < 0)
		return port_err(p, rc, "does not start");
	p->started = true;
	p->started_tsc = gn_tsc();
	atomic_store(&p->live, true);
	return 0;
}

static bool link_is_up(const struct gn_port *p)
{
	struct rte_eth_link link = {0};

	return rte_eth_link_get_nowait(p->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

/* Whether the link has changed. A peer of net_memif that has come brought rings that nobody has written yet. */
static bool link_look(struct gn_port *p)
{
	bool up = link_is_up(p), changed = up != p->was_up;

	p->was_up = up;
	if (changed && up && p->memif)
		gn_mem_ready_shared("/memfd:memif_region");
	return changed;
}

struct gn_port *gn_port_open(const struct gn_port_config *config)
{
	struct gn_port *p = aligned_alloc(_Alignof(struct gn_port), sizeof(*p));

	if (!p) {
		gn_err(ENOMEM, "port %s", config->device);
		return NULL;
	}
	memset(p, 0, sizeof(*p));
	p->ticks_per_ms = rte_get_tsc_hz() / 1000;
	int rc = device_name(p, config->device);
	if (rc == 0 && p->memif)
		rc = relay_open(p);
	eal_log_forget();
	if (rc == 0)
		rc = device_find(p);
	if (rc == 0)
		rc = port_configure(p, config);
	if (rc == 0)
		rc = addresses_set(p, config);
	if (rc == 0)
		rc = port_start(p);
	if (rc < 0) {
		gn_port_close(p);
		return NULL;
	}
	port_clock_begin(p);
	return p;
}

void gn_port_close(struct gn_port *p)
{
	if (!p)
		return;
	if (p->relay)
		memif_relay_hold(p->relay, true);
	atomic_store(&p->live, false);
	if (p->started)
		rte_eth_dev_stop(p->id);
	p->started = false;
	for (uint16_t q = 0; q < GN_PORT_QUEUES_MAX; q++)
		tx_free(p->tx[q]);
	device_remove(p);
	if (p->relay)
		memif_relay_release(p->relay);
	memif_relay_free(p->relay);
	for (uint16_t q = 0; q < GN_PORT_QUEUES_MAX; q++)
		rte_mempool_free(p->rx_pool[q]);
	rte_mempool_free(p->tx_pool);
	free(p);
}

/* The driver of a client does not look for its peer again; once it is with the relay, that waits for the peer. */
static void keep_restart(struct gn_port *p, uint64_t now_tsc)
{
	if (p->started && now_tsc - p->started_tsc < KEEP_GRACE_MS * p->ticks_per_ms)
		return;
	if (memif_relay_attached(p->relay) || !memif_relay_hold(p->relay, false))
		return;
	if (p->started) {
		port_park(p);
		rte_eth_dev_stop(p->id);
	}
	p->started = false;
	port_start(p);
	memif_relay_release(p->relay);
}

bool gn_port_keep_up(struct gn_port *p, uint64_t now_tsc)
{
	if (!p->memif || now_tsc - p->kept_tsc < KEEP_MS * p->ticks_per_ms)
		return false;
	p->kept_tsc = now_tsc;
	bool changed = link_look(p);
	if (!p->was_up && p->memif_client)
		keep_restart(p, now_tsc);
	return changed;
}

bool gn_port_try_up(struct gn_port *p)
{
	gn_port_keep_up(p, gn_tsc());
	link_look(p);
	return p->was_up;
}

int gn_port_wait_up(struct gn_port *p, uint32_t timeout_ms, const atomic_bool *stop)
{
	for (uint64_t end_tsc = gn_tsc() + timeout_ms * p->ticks_per_ms; !gn_port_try_up(p); sleep_us(5000)) {
		if (stop && atomic_load(stop))
			return gn_err(ECANCELED, "port %s: told to stop while it waited for its peer", p->device);
		if (gn_tsc() >= end_tsc)
			return gn_err(ETIMEDOUT, "port %s: no link after %u ms%s", p->device, timeout_ms,
				p->memif ? "; no peer has come to its socket" : "");
	}
	return 0;
}

struct gn_tx *gn_port_tx(struct gn_port *p, uint16_t queue)
{
	return queue < p->n_tx ? p->tx[queue] : NULL;
}

const uint8_t *gn_port_mac(const struct gn_port *p)
{
	return p->mac;
}

uint16_t gn_port_mtu(const struct gn_port *p)
{
	return p->mtu;
}

const char *gn_port_device(const struct gn_port *p)
{
	return p->device;
}

struct gn_port_offloads gn_port_offloads(const struct gn_port *p)
{
	return (struct gn_port_offloads){
		.rx_ip_checksum = p->rx_offloads & RTE_ETH_RX_OFFLOAD_IPV4_CKSUM,
		.rx_udp_checksum = p->rx_offloads & RTE_ETH_RX_OFFLOAD_UDP_CKSUM,
		.rx_time = p->rx_keeper.status.calibrated,
	};
}

struct gn_port_stats gn_port_stats(const struct gn_port *p)
{
	struct rte_eth_stats s = {0};

	rte_eth_stats_get(p->id, &s);
	return (struct gn_port_stats){
		.rx_frames = s.ipackets,
		.rx_bytes = s.ibytes,
		.tx_frames = s.opackets,
		.tx_bytes = s.obytes,
		.rx_missed = s.imissed,
		.rx_no_buffer = s.rx_nombuf,
		.rx_errors = s.ierrors,
		.tx_errors = s.oerrors,
	};
}
