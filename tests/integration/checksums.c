/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * usage: checksums DEVICE: the kernel fills in the checksums of what it sends over DEVICE. It leaves them to the
 * hardware, which a veth pair does not have, and whoever reads the other end without the kernel sees them unfilled.
 */
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct ethtool_value off = {.cmd = ETHTOOL_STXCSUM};
	struct ifreq device = {.ifr_data = (char *)&off};
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (argc != 2 || strlen(argv[1]) >= IFNAMSIZ) {
		fprintf(stderr, "usage: checksums DEVICE\n");
		return 2;
	}
	memcpy(device.ifr_name, argv[1], strlen(argv[1]));
	if (fd < 0 || ioctl(fd, SIOCETHTOOL, &device) < 0) {
		perror(argv[1]);
		return 1;
	}
	return 0;
}
