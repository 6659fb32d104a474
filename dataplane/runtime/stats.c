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
	struct gn_process owner;
	uint8_t pad[32];
};
_Static_assert(sizeof(struct stats_head) == 64, "words start on a line");

struct gn_stats {
	struct stats_head *head;
	struct gn_stats_name *name;
	_Atomic uint64_t *word;
	size_t map_bytes;
	uint32_t n; /* words this side knows of */
	char *path; /* to be removed at close; NULL for a reader */
	int fd;     /* of a reader, else -1 */
	struct gn_process owner;
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

/* A file that a killed process has left behind goes; one whose process runs, or that is something else, stays. */
static int stats_remove_stale(const char *path)
{
	struct stats_head h = {0};
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return gn_err(errno, "stats: open %s", path);
	ssize_t n = read(fd, &h, sizeof(h));
	close(fd);
	if (n != 0 && (n != sizeof(h) || (h.magic && h.magic != STATS_MAGIC)))
		return gn_err(EEXIST, "stats: %s is not a gannet stats file", path);
	if (gn_process_alive(&h.owner))
		return gn_err(EEXIST, "stats: %s belongs to process %llu, which runs", path, (unsigned long long)h.owner.pid);
	return unlink(path) == 0 ? 0 : gn_err(errno, "stats: remove %s", path);
}

static void *stats_map_file(const char *path, size_t bytes)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

	if (fd < 0 && errno == EEXIST) {
		if (stats_remove_stale(path) < 0)
			return MAP_FAILED;
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	}
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
	s->fd = -1;
	s->owner = s->head->owner = gn_process_self();
	s->head->words_max = words_max;
	s->head->magic = STATS_MAGIC;
	return s;
fail:
	free(path_copy);
	free(s);
	return NULL;
}

/* All of n bytes at a place of the file. */
static int stats_read(int fd, void *to, size_t n, size_t at)
{
	ssize_t got = pread(fd, to, n, (off_t)at);

	if (got == (ssize_t)n)
		return 0;
	return got < 0 ? gn_err(errno, "stats") : gn_err(0, "stats: the file is shorter than it says");
}

static int stats_read_head(struct gn_stats *s, struct stats_head *h)
{
	struct stat st;
	int rc = fstat(s->fd, &st) < 0 ? gn_err(errno, "stats") : stats_read(s->fd, h, sizeof(*h), 0);

	if (rc < 0)
		return rc;
	uint32_t n = atomic_load_explicit(&h->n_words, memory_order_relaxed);
	if (h->magic != STATS_MAGIC || !h->words_max || h->words_max > STATS_WORDS_MAX || n > h->words_max
		|| stats_map_bytes(h->words_max) != (size_t)st.st_size)
		return gn_err(0, "stats: not a gannet stats file");
	s->n = n;
	s->owner = h->owner;
	return 0;
}

static int stats_read_all(struct gn_stats *s, const char *path)
{
	struct stats_head h;

	s->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (s->fd < 0)
		return gn_err(errno, "open");
	int rc = stats_read_head(s, &h);
	if (rc < 0)
		return rc;
	size_t words_max = h.words_max;
	s->word = calloc((size_t)s->n + 1, sizeof(*s->word));
	s->name = calloc((size_t)s->n + 1, sizeof(*s->name));
	if (!s->word || !s->name)
		return gn_err(ENOMEM, "stats");
	rc = stats_read(s->fd, s->name, s->n * sizeof(*s->name), sizeof(h) + words_max * sizeof(uint64_t));
	for (uint32_t i = 0; rc == 0 && i < s->n; i++) { /* whatever it holds, it ends */
		s->name[i].owner[GN_STATS_NAME_BYTES - 1] = s->name[i].what[GN_STATS_NAME_BYTES - 1] = 0;
		s->name[i].help[GN_STATS_HELP_BYTES - 1] = 0;
	}
	return rc == 0 ? gn_stats_refresh(s) : rc;
}

struct gn_stats *gn_stats_open(const char *path)
{
	struct gn_stats *s = calloc(1, sizeof(*s));
	int rc = s ? stats_read_all(s, path) : gn_err(ENOMEM, "stats");

	if (rc == 0)
		return s;
	gn_err_in(rc, "%s", path);
	gn_stats_close(s);
	return NULL;
}

int gn_stats_refresh(struct gn_stats *s)
{
	return s->fd < 0 ? 0 : stats_read(s->fd, s->word, s->n * sizeof(*s->word), sizeof(struct stats_head));
}

struct gn_process gn_stats_owner(const struct gn_stats *s)
{
	return s->owner;
}

void gn_stats_close(struct gn_stats *s)
{
	if (!s)
		return;
	if (s->fd >= 0) {
		close(s->fd);
		free(s->word);
		free(s->name);
	} else if (s->head) {
		munmap(s->head, s->map_bytes);
	}
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
