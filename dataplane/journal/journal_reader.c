/* SPDX-License-Identifier: BSD-3-Clause */
#include "journal_reader.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"
#include "journal_hash.h"

typedef unsigned long long ull;

static bool all_zero(const uint8_t *p, size_t bytes)
{
	return bytes == 0 || (p[0] == 0 && memcmp(p, p + 1, bytes - 1) == 0);
}

static void unmap(struct journal_reader *r)
{
	if (r->map)
		munmap((void *)(uintptr_t)r->map, r->map_bytes);
	r->map = NULL;
}

static int map_file(struct journal_reader *r)
{
	char name[JOURNAL_NAME_BYTES];
	struct stat st;
	void *map;
	int fd;

	journal_file_name(name, r->path, r->file);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return gn_err(errno, "journal: open %s", name);
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || (size_t)st.st_size < sizeof(struct journal_head)) {
		close(fd);
		return gn_err(EINVAL, "journal: %s: too short for a journal", name);
	}
	map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	close(fd);
	if (map == MAP_FAILED)
		return gn_err(errno, "journal: map %s", name);
	unmap(r);
	r->map = map;
	r->map_bytes = (size_t)st.st_size;
	return 0;
}

static int check_key(struct journal_reader *r, const struct journal_head *head)
{
	if (!r->trust && head->file == 0)
		memcpy(r->public_key, head->public_key, sizeof(r->public_key));
	if (memcmp(r->public_key, head->public_key, sizeof(r->public_key)) != 0)
		return gn_err(EBADMSG, "journal: %s: file %u was written with another key, or none", r->path, r->file);
	return 0;
}

static int check_head(struct journal_reader *r)
{
	struct journal_head head;
	uint8_t hash[JOURNAL_HASH_BYTES];

	memcpy(&head, r->map, sizeof(head));
	if (memcmp(head.magic, JOURNAL_MAGIC, sizeof(head.magic)) != 0)
		return gn_err(EINVAL, "journal: %s: file %u is not a journal", r->path, r->file);
	if (head.version != JOURNAL_VERSION || head.record_bytes != sizeof(struct journal_record))
		return gn_err(EINVAL, "journal: %s: version %u, this program reads %u", r->path, head.version, JOURNAL_VERSION);
	journal_head_hash(hash, &head);
	if (memcmp(hash, head.hash, sizeof(hash)) != 0 || head.tsc_hz == 0)
		return gn_err(EBADMSG, "journal: %s: the head of file %u was changed", r->path, r->file);
	if (head.file != r->file || head.seq_first != r->seq + 1 || memcmp(head.before, r->hash, sizeof(r->hash)) != 0)
		return gn_err(EBADMSG, "journal: %s: file %u does not follow what came before it", r->path, r->file);
	memcpy(r->hash, hash, sizeof(hash));
	r->tsc = head.tsc;
	r->unix_ns = head.unix_ns;
	r->tsc_hz = head.tsc_hz;
	r->pos = sizeof(head);
	return check_key(r, &head);
}

static int check_seal_signature(struct journal_reader *r)
{
	uint8_t text[JOURNAL_SIGNED_BYTES];

	journal_signed(text, r->seal.seq, r->seal.hash);
	if (memcmp(r->seal.magic, JOURNAL_SEAL_MAGIC, sizeof(r->seal.magic)) != 0 ||
		memcmp(r->seal.public_key, r->public_key, sizeof(r->public_key)) != 0 ||
		crypto_sign_verify_detached(r->seal.signature, text, sizeof(text), r->public_key) != 0)
		return gn_err(EBADMSG, "journal: %s.seal: not a seal of this journal's key", r->path);
	r->sealed = true;
	return 0;
}

static int read_seal(struct journal_reader *r)
{
	char name[JOURNAL_NAME_BYTES];
	ssize_t n;
	int fd;

	snprintf(name, sizeof(name), "%s.seal", r->path);
	fd = open(name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : gn_err(errno, "journal: open %s", name);
	n = read(fd, &r->seal, sizeof(r->seal));
	close(fd);
	if (n != (ssize_t)sizeof(r->seal))
		return gn_err(EBADMSG, "journal: %s: wrong length", name);
	return check_seal_signature(r);
}

/* The chain stands where it does after a record, or after the head of the next file: a seal is for either. */
static void meet_seal(struct journal_reader *r)
{
	if (r->sealed && r->seq == r->seal.seq && memcmp(r->hash, r->seal.hash, sizeof(r->hash)) == 0)
		r->seal_met = true;
}

int journal_reader_open(struct journal_reader *r, const char *path, const uint8_t *key)
{
	int rc;

	*r = (struct journal_reader){.path = path, .trust = key != NULL};
	if (key)
		memcpy(r->public_key, key, sizeof(r->public_key));
	if (sodium_init() < 0)
		return gn_err(0, "journal: libsodium does not start");
	rc = map_file(r);
	if (rc == 0)
		rc = check_head(r);
	if (rc == 0)
		rc = read_seal(r);
	if (rc < 0)
		journal_reader_close(r);
	else
		meet_seal(r);
	return rc;
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
	return gn_err(EBADMSG, "journal: %s: record %llu at byte %zu of file %u: %s", r->path, (ull)r->seq + 1, r->pos, r->file,
		what);
}

static int check_record(struct journal_reader *r, const struct journal_record *rec, uint8_t hash[JOURNAL_HASH_BYTES])
{
	if (rec->checksum != journal_checksum(rec))
		return bad_record(r, "checksum does not fit");
	if (rec->seq != r->seq + 1)
		return gn_err(EBADMSG, "journal: %s: record %llu at byte %zu of file %u carries number %llu: dropped or reordered",
			r->path, (ull)r->seq + 1, r->pos, r->file, (ull)rec->seq);
	if (rec->type == JOURNAL_NONE || rec->type >= JOURNAL_TYPE_COUNT)
		return gn_err(EBADMSG, "journal: %s: record %llu: unknown type %u", r->path, (ull)rec->seq, rec->type);
	journal_chain(hash, rec);
	if (memcmp(hash, rec->hash, JOURNAL_HASH_BYTES) != 0)
		return bad_record(r, "hash does not fit: it or one before it was changed");
	return 1;
}

/* What a good record means to the reader. */
static int take(struct journal_reader *r, const struct journal_record *rec)
{
	uint8_t text[JOURNAL_SIGNED_BYTES];

	r->closed = rec->type == JOURNAL_END;
	r->torn = rec->type == JOURNAL_CONTINUED; /* until the next file proves to be there */
	if (rec->type == JOURNAL_SIGNATURE) {
		journal_signed(text, r->seq - 1, r->hash);
		if (crypto_sign_verify_detached(rec->signature, text, sizeof(text), r->public_key) != 0)
			return gn_err(EBADMSG, "journal: %s: record %llu: wrong signature", r->path, (ull)rec->seq);
		r->seq_signed = r->seq - 1;
	} else if (rec->type == JOURNAL_LOST) {
		r->n_lost += rec->lost;
	} else if (rec->type != JOURNAL_FACT && rec->type != JOURNAL_INSTRUMENT && rec->anchor.tsc_hz) {
		r->tsc = rec->anchor.tsc;
		r->unix_ns = rec->anchor.unix_ns;
		r->tsc_hz = rec->anchor.tsc_hz;
	}
	return 1;
}

static int check_sealed(const struct journal_reader *r)
{
	if (r->sealed && !r->seal_met && r->seq > r->seal.seq)
		return gn_err(EBADMSG, "journal: %s: record %llu is not the one that was sealed", r->path, (ull)r->seal.seq);
	return 1;
}

/* The end of a file: is there another? 1: it is open. */
static int next_file(struct journal_reader *r)
{
	char name[JOURNAL_NAME_BYTES];
	bool torn = r->torn;
	int rc;

	journal_file_name(name, r->path, r->file + 1);
	if (access(name, F_OK) == 0) {
		r->file++;
		rc = map_file(r);
		if (rc == 0)
			rc = check_head(r);
		r->torn = false;
		r->closed = false;
		meet_seal(r);
		return rc < 0 ? rc : 1;
	}
	r->torn = torn;
	if (r->sealed && !r->seal_met)
		return gn_err(EBADMSG, "journal: %s: ends with record %llu, but record %llu was sealed: it was cut off", r->path,
			(ull)r->seq, (ull)r->seal.seq);
	return 0;
}

static bool at_end(struct journal_reader *r)
{
	size_t left = r->map_bytes - r->pos;
	const struct journal_record *rec = (const void *)(r->map + r->pos);

	if (left < sizeof(*rec)) {
		r->torn |= left > 0 && !all_zero(r->map + r->pos, left);
		return true;
	}
	return rec->type == JOURNAL_NONE && rec->seq == 0 && all_zero(r->map + r->pos, left);
}

/* 1: good; 0: the file ends here. */
static int next_in_file(struct journal_reader *r, const struct journal_record **out)
{
	const struct journal_record *rec = (const void *)(r->map + r->pos);
	uint8_t hash[JOURNAL_HASH_BYTES];
	int rc;

	if (at_end(r))
		return 0;
	memcpy(hash, r->hash, sizeof(hash));
	rc = check_record(r, rec, hash);
	if (rc != 1)
		return rc;
	r->seq = rec->seq;
	r->pos += sizeof(*rec);
	*out = rec;
	rc = take(r, rec);
	memcpy(r->hash, hash, sizeof(hash));
	meet_seal(r);
	return rc == 1 ? check_sealed(r) : rc;
}

int journal_reader_next(struct journal_reader *r, const struct journal_record **out)
{
	int rc;

	while ((rc = next_in_file(r, out)) == 0) {
		rc = next_file(r);
		if (rc != 1)
			return rc;
	}
	return rc;
}

uint64_t journal_reader_ns(const struct journal_reader *r, uint64_t tsc)
{
	__int128 ticks = (__int128)tsc - r->tsc;

	return (uint64_t)((__int128)r->unix_ns + ticks * 1000000000 / r->tsc_hz);
}

void journal_reader_close(struct journal_reader *r)
{
	unmap(r);
}
