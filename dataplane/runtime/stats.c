/* SPDX-License-Identifier: BSD-3-Clause */
#include "stats.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "err.h"

#define STATS_MAGIC UINT64_C(0x31737461746e6167) /* "gantats1" as bytes */
#define STATS_WORDS_MAX 65536u

struct stats_head {
	uint64_t magic;
	uint32_t words_max;
	_Atomic uint32_t n_words; /* stored with release by seal: the names below it are complete */
	uint8_t pad[48];
};

struct gn_stats {
	struct stats_head *head;
	struct gn_stats_name *name;
	_Atomic uint64_t *word;
	size_t map_bytes;
	uint32_t n; /* words this side knows of */
	char *path; /* to be removed at close; NULL for a reader */
};

static size_t stats_map_bytes(uint32_t words_max)
{
	return sizeof(struct stats_head) + words_max * (sizeof(struct gn_stats_name) + sizeof(uint64_t));
}

static void stats_lay_out(struct gn_stats *s, void *map, uint32_t words_max)
{
	s->head = map;
	s->word = (_Atomic uint64_t *)(void *)((uint8_t *)map + sizeof(struct stats_head));
	s->name = (struct gn_stats_name *)(void *)(s->word + words_max);
}

static void *stats_map_file(const char *path, size_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0 && errno == EEXIST && unlink(path) == 0) /* left behind by a process that was killed */
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0) {
		gn_err(errno, "stats: create %s", path);
		return MAP_FAILED;
	}
	void *map = MAP_FAILED;
	int rc = posix_fallocate(fd, 0, (off_t)bytes);
	if (rc == 0)
		map = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
	if (map == MAP_FAILED) {
		gn_err(rc ? rc : errno, "stats: map %zu bytes of %s", bytes, path);
		unlink(path);
	}
	close(fd);
	return map;
}

struct gn_stats *gn_stats_create(const char *path, uint32_t words_max)
{
	if (words_max == 0 || words_max > STATS_WORDS_MAX) {
		gn_err(EINVAL, "stats: %u words are not within 1 .. %u", words_max, STATS_WORDS_MAX);
		return NULL;
	}
	struct gn_stats *s = calloc(1, sizeof(*s));
	char *path_copy = path ? strdup(path) : NULL;
	if (!s || (path && !path_copy)) {
		gn_err(ENOMEM, "stats");
		goto fail;
	}
	s->map_bytes = stats_map_bytes(words_max);
	void *map = path ? stats_map_file(path, s->map_bytes)
			 : mmap(NULL, s->map_bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (map == MAP_FAILED)
		goto fail;
	stats_lay_out(s, map, words_max);
	s->path = path_copy;
	s->head->words_max = words_max;
	s->head->magic = STATS_MAGIC;
	return s;
fail:
	free(path_copy);
	free(s);
	return NULL;
}

struct gn_stats *gn_stats_open(const char *path)
{
	struct stat st;
	struct gn_stats *s = NULL;
	void *map = MAP_FAILED;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		gn_err(errno, "stats: open %s", path);
		return NULL;
	}
	if (fstat(fd, &st) < 0 || (size_t)st.st_size < sizeof(struct stats_head)) {
		gn_err(EINVAL, "stats: %s is not a gannet stats file", path);
		goto out;
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED) {
		gn_err(errno, "stats: map %s", path);
		goto out;
	}
	const struct stats_head *h = map;
	uint32_t words_max = h->words_max;
	/* acquire pairs with the release in gn_stats_seal() */
	uint32_t n = atomic_load_explicit(&h->n_words, memory_order_acquire);
	s = calloc(1, sizeof(*s));
	if (!s || h->magic != STATS_MAGIC || words_max > STATS_WORDS_MAX || n > words_max
		|| stats_map_bytes(words_max) != (size_t)st.st_size) {
		gn_err(EINVAL, "stats: %s is not a gannet stats file", path);
		munmap(map, (size_t)st.st_size);
		free(s);
		s = NULL;
		goto out;
	}
	s->map_bytes = (size_t)st.st_size;
	s->n = n;
	stats_lay_out(s, map, words_max);
out:
	close(fd);
	return s;
}

void gn_stats_close(struct gn_stats *s)
{
	if (!s)
		return;
	munmap(s->head, s->map_bytes);
	if (s->path)
		unlink(s->path);
	free(s->path);
	free(s);
}

uint32_t gn_stats_add(struct gn_stats *s, const char *owner, const char *what, const char *help)
{
	if (s->n == s->head->words_max) {
		gn_err(ENOSPC, "stats: no room for %s %s among %u words", owner, what, s->head->words_max);
		return UINT32_MAX;
	}
	struct gn_stats_name *name = &s->name[s->n];
	snprintf(name->owner, sizeof(name->owner), "%s", owner);
	snprintf(name->what, sizeof(name->what), "%s", what);
	snprintf(name->help, sizeof(name->help), "%s", help);
	return s->n++;
}

void gn_stats_seal(struct gn_stats *s)
{
	/* release pairs with the acquire in gn_stats_open() */
	atomic_store_explicit(&s->head->n_words, s->n, memory_order_release);
}

uint32_t gn_stats_count(const struct gn_stats *s)
{
	return s->n;
}

const struct gn_stats_name *gn_stats_name(const struct gn_stats *s, uint32_t word)
{
	return &s->name[word];
}

void gn_stats_set(struct gn_stats *s, uint32_t word, uint64_t value)
{
	atomic_store_explicit(&s->word[word], value, memory_order_relaxed);
}

void gn_stats_set_n(struct gn_stats *s, uint32_t word, const uint64_t *value, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		gn_stats_set(s, word + i, value[i]);
}

uint64_t gn_stats_get(const struct gn_stats *s, uint32_t word)
{
	return atomic_load_explicit(&s->word[word], memory_order_relaxed);
}

bool gn_stats_find(const struct gn_stats *s, const char *owner, const char *what, uint64_t *value)
{
	for (uint32_t i = 0; i < s->n; i++) {
		if (strncmp(s->name[i].owner, owner, GN_STATS_NAME_BYTES) == 0
			&& strncmp(s->name[i].what, what, GN_STATS_NAME_BYTES) == 0) {
			*value = gn_stats_get(s, i);
			return true;
		}
	}
	return false;
}
