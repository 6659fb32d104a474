/* SPDX-License-Identifier: BSD-3-Clause */
/* Rows: the Ethernet adapters of the PCI bus, and their way to the cores. */
#include <dirent.h>
#include <libgen.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host_check.h"
#include "sys_file.h"

#define PCI_DIR "/sys/bus/pci/devices/"
#define CLASS_ETHERNET 0x0200

/* One adapter. */
struct nic {
	char address[16]; /* "0000:17:00.0" */
	char driver[32]; /* empty: none */
	char netdev[32]; /* its name in the kernel; empty: none */
	int node;
};

/* What a row gathers over all adapters. */
struct nic_sum {
	const struct gn_host_view *v;
	struct gn_host_finding *f;
	enum gn_host_state worst;
	int n_told;
	char text[GN_HOST_FOUND_BYTES];
	size_t n;
};

static void nic_netdev(const struct gn_host_view *v, struct nic *nic)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s" PCI_DIR "%s/net", v->root, nic->address);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (e->d_name[0] != '.')
			snprintf(nic->netdev, sizeof(nic->netdev), "%.31s", e->d_name);
	if (dir)
		closedir(dir);
}

static bool nic_read(const struct gn_host_view *v, const char *address, struct nic *nic)
{
	char path[PATH_MAX], text[PATH_MAX];
	int64_t node;

	if (strlen(address) >= sizeof(nic->address))
		return false;
	snprintf(path, sizeof(path), PCI_DIR "%s/class", address);
	if (gn_sys_read(v->root, path, text, sizeof(text)) < 0 || strtoul(text, NULL, 16) >> 8 != CLASS_ETHERNET)
		return false;
	*nic = (struct nic){.node = -1};
	strcpy(nic->address, address);
	snprintf(path, sizeof(path), PCI_DIR "%s/numa_node", address);
	if (gn_sys_read_i64(v->root, path, &node) == 0 && node >= 0 && node < GN_NODES_MAX)
		nic->node = (int)node;
	snprintf(path, sizeof(path), "%s" PCI_DIR "%s/driver", v->root, address);
	ssize_t n = readlink(path, text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = '\0';
		snprintf(nic->driver, sizeof(nic->driver), "%.31s", basename(text));
	}
	nic_netdev(v, nic);
	return true;
}

/* One word about one adapter. */
static void nic_say(struct nic_sum *s, const struct nic *nic, enum gn_host_state state, const char *what)
{
	s->n_told++;
	s->worst = state > s->worst ? state : s->worst;
	if (s->n + 80 < sizeof(s->text))
		s->n += (size_t)snprintf(
			s->text + s->n, sizeof(s->text) - s->n, "%s%s %.60s", s->n ? "; " : "", nic->address, what);
}

/* Runs fn over every adapter, and sums up what it said. */
static void nic_each(const struct gn_host_view *v, struct gn_host_finding *f, const char *fix,
	void (*fn)(struct nic_sum *s, const struct nic *nic))
{
	struct nic_sum s = {.v = v, .f = f};
	char path[PATH_MAX];
	struct nic nic;
	int n = 0;

	snprintf(path, sizeof(path), "%s" PCI_DIR, v->root);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (e->d_name[0] == '.' || !nic_read(v, e->d_name, &nic))
			continue;
		n++;
		fn(&s, &nic);
	}
	if (dir)
		closedir(dir);
	if (s.n_told == 0)
		gn_host_found(f, GN_HOST_UNKNOWN, n ? "no adapter tells it" : "no Ethernet adapter on the PCI bus");
	else
		gn_host_found(f, s.worst, "%s", s.text);
	if (s.worst > GN_HOST_UNKNOWN)
		gn_host_fix(f, "%s", fix);
}

static void driver_one(struct nic_sum *s, const struct nic *nic)
{
	static const char *const bypass[] = {
		"vfio-pci", "igb_uio", "uio_pci_generic", "mlx5_core", "mlx4_core", "sfc", "mana", NULL};
	char text[64];

	for (const char *const *b = bypass; *b; b++) {
		if (strcmp(nic->driver, *b) != 0)
			continue;
		nic_say(s, nic, strcmp(*b, "uio_pci_generic") == 0 ? GN_HOST_WARN : GN_HOST_OK, nic->driver);
		return;
	}
	snprintf(text, sizeof(text), "%s (the kernel's)", nic->driver[0] ? nic->driver : "no driver");
	nic_say(s, nic, GN_HOST_WARN, text);
}

static void driver_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	nic_each(v, f,
		"dpdk-devbind.py --bind=vfio-pci ADDRESS for the port of the engine; AF_XDP and AF_PACKET work "
	        "without, slower",
		driver_one);
}

static void node_one(struct nic_sum *s, const struct nic *nic)
{
	char text[64];
	int n_near = 0;

	if (nic->node < 0)
		return;
	for (int c = gn_cpus_next(&s->v->cores, 0); c >= 0; c = gn_cpus_next(&s->v->cores, c + 1))
		n_near += s->v->topology->cpu[c].node == nic->node;
	snprintf(text, sizeof(text), "node %d, %d polling cores near it", nic->node, n_near);
	nic_say(s, nic, n_near ? GN_HOST_OK : GN_HOST_WARN, text);
}

static void node_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	nic_each(v, f, "isolate cores of the adapter's node (nic_node), or move the card to another slot", node_one);
}

static bool nic_text(const struct nic_sum *s, const struct nic *nic, const char *file, char *text, size_t text_bytes)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), PCI_DIR "%s/%s", nic->address, file);
	return gn_sys_read(s->v->root, path, text, text_bytes) > 0;
}

static void pcie_one(struct nic_sum *s, const struct nic *nic)
{
	char speed[32], speed_max[32], width[16], width_max[16], text[160];

	if (!nic_text(s, nic, "current_link_speed", speed, sizeof(speed))
		|| !nic_text(s, nic, "max_link_speed", speed_max, sizeof(speed_max))
		|| !nic_text(s, nic, "current_link_width", width, sizeof(width))
		|| !nic_text(s, nic, "max_link_width", width_max, sizeof(width_max)))
		return;
	bool good = strcmp(speed, speed_max) == 0 && strcmp(width, width_max) == 0;
	if (good)
		snprintf(text, sizeof(text), "%s x%s", speed, width);
	else
		snprintf(text, sizeof(text), "%s x%s of %s x%s", speed, width, speed_max, width_max);
	nic_say(s, nic, good ? GN_HOST_OK : GN_HOST_WARN, text);
}

static void pcie_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	nic_each(v, f, "move the card to a slot that gives it all its lanes; see lspci -vv, LnkSta against LnkCap",
		pcie_one);
}

static void link_one(struct nic_sum *s, const struct nic *nic)
{
	char path[PATH_MAX], state[32], text[64];
	int64_t mbps = -1;

	if (!nic->netdev[0])
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/operstate", nic->netdev);
	if (gn_sys_read(s->v->root, path, state, sizeof(state)) < 0)
		return;
	snprintf(path, sizeof(path), "/sys/class/net/%s/speed", nic->netdev);
	gn_sys_read_i64(s->v->root, path, &mbps);
	bool up = strcmp(state, "up") == 0;
	if (mbps > 0)
		snprintf(text, sizeof(text), "%s, %lld Mb/s", state, (long long)mbps);
	else
		snprintf(text, sizeof(text), "%s", state);
	nic_say(s, nic, up && (mbps < 0 || mbps >= 10000) ? GN_HOST_OK : GN_HOST_WARN, text);
}

static void link_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	nic_each(v, f,
		"plug the cable in and set the link up; below 10 Gb/s each 1,500-byte frame takes more than 1.2 us on "
	        "the wire",
		link_one);
}

/* What `ethtool -i` would say; this machine only, since it is no file. */
static bool firmware_ask(const char *netdev, char *text, size_t text_bytes)
{
	struct ethtool_drvinfo info = {.cmd = ETHTOOL_GDRVINFO};
	struct ifreq ifr = {.ifr_data = (void *)&info};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.*s", IFNAMSIZ - 1, netdev);
	bool told = fd >= 0 && ioctl(fd, SIOCETHTOOL, &ifr) == 0 && info.fw_version[0];
	if (told)
		snprintf(text, text_bytes, "%.*s", (int)sizeof(info.fw_version) - 1, info.fw_version);
	if (fd >= 0)
		close(fd);
	return told;
}

static void firmware_one(struct nic_sum *s, const struct nic *nic)
{
	char path[PATH_MAX], text[64];

	snprintf(path, sizeof(path), "%s" PCI_DIR "%s/infiniband", s->v->root, nic->address);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		snprintf(path, sizeof(path), PCI_DIR "%s/infiniband/%.64s/fw_ver", nic->address, e->d_name);
		if (e->d_name[0] != '.' && gn_sys_read(s->v->root, path, text, sizeof(text)) > 0)
			nic_say(s, nic, GN_HOST_OK, text);
	}
	if (dir)
		closedir(dir);
	else if (nic->netdev[0] && s->v->root[0] == '\0' && firmware_ask(nic->netdev, text, sizeof(text)))
		nic_say(s, nic, GN_HOST_OK, text);
}

static void firmware_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	nic_each(v, f, "see the driver's release notes for the firmware that it wants", firmware_one);
}

static void iommu_check(const struct gn_host_view *v, struct gn_host_finding *f)
{
	char path[PATH_MAX], mode[32] = "";
	bool on = false;

	snprintf(path, sizeof(path), "%s/sys/class/iommu", v->root);
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));)
		on |= e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	bool pass = gn_cmdline_get(v->root, "iommu", mode, sizeof(mode)) && strstr(mode, "pt");
	if (!dir && !gn_sys_exists(v->root, "/sys/bus/pci/devices")) {
		gn_host_found(f, GN_HOST_UNKNOWN, "the machine does not tell");
	} else if (!on) {
		gn_host_found(f, GN_HOST_WARN, "off: vfio-pci needs one, or its unsafe mode");
		gn_host_fix(f, "switch it on in the firmware, boot with intel_iommu=on (or amd_iommu=on) and iommu=pt");
	} else {
		gn_host_found(f, pass ? GN_HOST_OK : GN_HOST_WARN,
			pass ? "on, passing through" : "on, translating for the kernel's drivers too");
		if (!pass)
			gn_host_fix(f, "boot with iommu=pt");
	}
}

const struct gn_host_row gn_host_rows_nic[] = {
	{.name = "nic_driver", .costs = "packets go through the kernel: 10 us instead of 1", .check = driver_check},
	{.name = "nic_node",
		.costs = "each packet crosses to the other node and back: 100 ns and more each way",
		.check = node_check},
	{.name = "nic_pcie", .costs = "a narrower or slower slot than the card could use", .check = pcie_check},
	{.name = "nic_link", .costs = "no link, or one on which a frame takes long", .check = link_check},
	{.name = "nic_firmware",
		.costs = "features that the driver turns off for an old version",
		.check = firmware_check},
	{.name = "iommu",
		.costs = "a translation for each transfer, or no way to bind a port to vfio-pci",
		.check = iommu_check},
	{.name = NULL},
};
