/* SPDX-License-Identifier: BSD-3-Clause */
#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "journal_format.h"

typedef unsigned long long ull;

static int map_file(struct journal_reader *r)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	void *map;

	if (fd < 0)
		return gn_err(errno, "journal: open %s", r->path);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size < sizeof(struct journal_head)) {
		close(fd);
		return gn_err(EINVAL, "journal: %s: too short for a journal", r->path);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return gn_err(errno, "journal: map %s", r->path);
	r->map = map;
	r->map_bytes = (size_t)st.st_size;
	return 0;
}

static int check_head(struct journal_reader *r)
{
	struct journal_head head;

	memcpy(&head, r->map, sizeof(head));
	if (memcmp(head.magic, JOURNAL_MAGIC, sizeof(head.magic)) != 0)
		return gn_err(EINVAL, "journal: %s: not a journal", r->path);
	if (head.version != JOURNAL_VERSION || head.record_bytes != sizeof(struct journal_record))
		return gn_err(EINVAL, "journal: %s: version %u, this program reads %u", r->path, head.version, JOURNAL_VERSION);
	journal_head_hash(r->hash, &head);
	if (memcmp(r->hash, head.hash, sizeof(r->hash)) != 0 || head.seq_first == 0 || head.tsc_hz == 0)
		return gn_err(EBADMSG, "journal: %s: the head was changed", r->path);
	r->seq = head.seq_first - 1;
	r->tsc = head.tsc;
	r->unix_ns = head.unix_ns;
	r->tsc_hz = head.tsc_hz;
	r->pos = sizeof(head);
	return 0;
}

int journal_reader_open(struct journal_reader *r, const char *path)
{
	int rc;

	*r = (struct journal_reader){.path = path};
	if (sodium_init() < 0)
		return gn_err(0, "journal: libsodium does not start");
	rc = map_file(r);
	if (rc == 0)
		rc = check_head(r);
	if (rc < 0)
		journal_reader_close(r);
	return rc;
}

static bool all_zero(const uint8_t *p, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++) {
		if (p[i])
			return false;
	}
	return true;
}

/* A torn write is the last thing in a file: whatever comes after its record was never written. */
static int bad_record(struct journal_reader *r, const char *what)
{
	size_t next = r->pos + sizeof(struct journal_record);

	if (next >= r->map_bytes || all_zero(r->map + next, r->map_bytes - next)) {
		r->torn = true;
		r->pos = r->map_bytes;
		return 0;
	}
	return gn_err(EBADMSG, "journal: %s: record %llu at byte %zu: %s", r->path, (ull)r->seq + 1, r->pos, what);
}

static void take_anchor(struct journal_reader *r, const struct journal_record *rec)
{
	if (rec->type != JOURNAL_ANCHOR && rec->type != JOURNAL_END)
		return;
	if (rec->anchor.tsc_hz) {
		r->tsc = rec->anchor.tsc;
		r->unix_ns = rec->anchor.unix_ns;
		r->tsc_hz = rec->anchor.tsc_hz;
	}
	r->closed = rec->type == JOURNAL_END;
}

static int check_record(struct journal_reader *r, const struct journal_record *rec)
{
	if (rec->checksum != journal_checksum(rec))
		return bad_record(r, "checksum does not fit");
	if (rec->seq != r->seq + 1)
		return gn_err(EBADMSG, "journal: %s: record %llu at byte %zu carries number %llu: dropped or reordered", r->path,
			(ull)r->seq + 1, r->pos, (ull)rec->seq);
	if (rec->type == JOURNAL_NONE || rec->type >= JOURNAL_TYPE_COUNT)
		return gn_err(EBADMSG, "journal: %s: record %llu: unknown type %u", r->path, (ull)rec->seq, rec->type);
	journal_chain(r->hash, rec);
	if (memcmp(r->hash, rec->hash, sizeof(r->hash)) != 0)
		return bad_record(r, "hash does not fit: it or one before it was changed");
	return 1;
}

int journal_reader_next(struct journal_reader *r, const struct journal_record **out)
{
	const struct journal_record *rec = (const void *)(r->map + r->pos);
	size_t left = r->map_bytes - r->pos;
	int rc;

	if (left < sizeof(*rec)) {
		r->torn |= left > 0 && !all_zero(r->map + r->pos, left);
		return 0;
	}
	if (rec->type == JOURNAL_NONE && rec->seq == 0 && all_zero(r->map + r->pos, left))
		return 0;
	rc = check_record(r, rec);
	if (rc != 1)
		return rc;
	r->seq = rec->seq;
	r->pos += sizeof(*rec);
	take_anchor(r, rec);
	*out = rec;
	return 1;
}

uint64_t journal_reader_ns(const struct journal_reader *r, uint64_t tsc)
{
	__int128 ticks = (__int128)tsc - r->tsc;

	return (uint64_t)((__int128)r->unix_ns + ticks * 1000000000 / r->tsc_hz);
}

void journal_reader_close(struct journal_reader *r)
{
	if (r->map)
		munmap((void *)(uintptr_t)r->map, r->map_bytes);
	r->map = NULL;
}
