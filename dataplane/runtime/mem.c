/* SPDX-License-Identifier: BSD-3-Clause */
#include "mem.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/mempolicy.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "err.h"

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23 /* Linux 5.14 */
#endif

#define PAGE_BYTES ((size_t)4096)
#define HUGE_BYTES ((size_t)2 * 1024 * 1024)

static size_t mem_map_bytes(size_t bytes)
{
	size_t page = bytes >= HUGE_BYTES ? HUGE_BYTES : PAGE_BYTES;

	return (bytes + page - 1) / page * page;
}

/* Preferred, not bound: memory on the wrong node is slow, no memory at all is worse; the host check reports it. */
static void mem_prefer_node(void *mem, size_t bytes, int node)
{
	unsigned long mask[16] = {0};

	if (node < 0 || (size_t)node >= sizeof(mask) * 8)
		return;
	mask[(size_t)node / 64] = 1UL << ((unsigned)node % 64);
	syscall(SYS_mbind, mem, bytes, MPOL_PREFERRED, mask, sizeof(mask) * 8, 0);
}

/* Explicit huge pages, or MAP_FAILED. */
static void *mem_map_huge(size_t map_bytes, int node)
{
	void *mem = mmap(NULL, map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB, -1, 0);

	if (mem != MAP_FAILED)
		mem_prefer_node(mem, map_bytes, node); /* before the pages are there */
	/* a pool that is too small must fail here, not with SIGBUS later: a reservation alone does not promise the pages */
	if (mem != MAP_FAILED && madvise(mem, map_bytes, MADV_POPULATE_WRITE) < 0) {
		munmap(mem, map_bytes);
		return MAP_FAILED;
	}
	return mem;
}

void *gn_mem_alloc(size_t bytes, int node)
{
	size_t map_bytes = mem_map_bytes(bytes ? bytes : 1);
	void *mem = MAP_FAILED;

	if (map_bytes >= HUGE_BYTES)
		mem = mem_map_huge(map_bytes, node);
	if (mem == MAP_FAILED) {
		/* one huge page more than needed, so that the part in use can start on a huge page boundary */
		size_t slack = map_bytes >= HUGE_BYTES ? HUGE_BYTES : 0;
		uint8_t *raw = mmap(NULL, map_bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (raw == MAP_FAILED) {
			gn_err(errno, "memory: map %zu bytes", map_bytes);
			return NULL;
		}
		size_t lead = slack ? (HUGE_BYTES - (uintptr_t)raw % HUGE_BYTES) % HUGE_BYTES : 0;
		if (lead)
			munmap(raw, lead);
		if (slack - lead)
			munmap(raw + lead + map_bytes, slack - lead);
		mem = raw + lead;
		if (slack)
			madvise(mem, map_bytes, MADV_HUGEPAGE);
	}
	mem_prefer_node(mem, map_bytes, node);
	for (size_t i = 0; i < map_bytes; i += PAGE_BYTES)
		((volatile uint8_t *)mem)[i] = 0;
	return mem;
}

size_t gn_mem_ready_shared(const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	char line[512];
	size_t ready = 0;

	while (maps && fgets(line, sizeof(line), maps)) {
		uintptr_t begin, end;
		int path = 0;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " rw-s %*s %*s %*s %n", &begin, &end, &path) != 2 || path == 0)
			continue;
		if (strncmp(line + path, name, strlen(name)) == 0
			&& madvise((void *)begin, end - begin, MADV_POPULATE_WRITE) == 0)
			ready += end - begin;
	}
	if (maps)
		fclose(maps);
	return ready;
}

void gn_mem_free(void *mem, size_t bytes)
{
	if (mem)
		munmap(mem, mem_map_bytes(bytes ? bytes : 1));
}
