/* SPDX-License-Identifier: BSD-3-Clause */
#include "exchange_log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <x86intrin.h>

#include "dataplane/runtime/err.h"
#include "dataplane/runtime/log.h"

#define MAGIC UINT32_C(0x314c5847) /* "GXL1" */

enum log_kind { LOG_START = 1, LOG_ORDER, LOG_FILL, LOG_REPORT, LOG_USER_REF };

struct log_block {
	uint32_t magic, bytes; /* bytes behind this head */
	uint64_t checksum;
};

struct log_item {
	uint16_t kind, account;
	uint32_t bytes; /* behind this head */
	uint64_t index; /* of the order or fill; the UserRefNum */
};

/* What LOG_START holds: two exchanges that differ in it cannot read each other's log. */
struct log_start {
	uint32_t order_bytes, fill_bytes, n_accounts, n_insts;
};

static uint64_t checksum(const uint8_t *data, size_t bytes)
{
	uint64_t crc = UINT32_MAX, word;

	for (; bytes >= sizeof(word); data += sizeof(word), bytes -= sizeof(word)) {
		memcpy(&word, data, sizeof(word));
		crc = _mm_crc32_u64(crc, word);
	}
	for (; bytes; bytes--)
		crc = _mm_crc32_u8((uint32_t)crc, *data++);
	return crc;
}

/* ---- writing ---- */

static void fail(struct exchange_log *l, const char *what)
{
	if (!l->failed)
		gn_error("exchange: log: %s: %s: a restart will not know what happens from here on", what, strerror(errno));
	l->failed = true;
}

static void put(struct exchange_log *l, const struct log_item *item, const void *data)
{
	size_t need = l->bytes + sizeof(*item) + item->bytes;

	if (need > l->room) {
		uint8_t *more = realloc(l->block, need * 2);
		if (!more) {
			fail(l, "memory");
			return;
		}
		l->block = more;
		l->room = need * 2;
	}
	memcpy(l->block + l->bytes, item, sizeof(*item));
	if (item->bytes)
		memcpy(l->block + l->bytes + sizeof(*item), data, item->bytes);
	l->bytes = need;
}

static void put_reports(struct exchange_log *l, const struct order_account *a)
{
	for (; l->seq_next[a->index] < a->stream.seq_next; l->seq_next[a->index]++) {
		struct log_item item = {.kind = LOG_REPORT, .account = a->index};
		const uint8_t *msg;
		if (!store_get(&a->stream, l->seq_next[a->index], &msg, &item.bytes))
			fail(l, "a report was not kept");
		else
			put(l, &item, msg);
	}
	if (l->user_ref[a->index] != a->last_user_ref)
		put(l, &(struct log_item){.kind = LOG_USER_REF, .account = a->index, .index = a->last_user_ref}, "");
	l->user_ref[a->index] = a->last_user_ref;
}

static void put_changes(struct exchange_log *l, struct order_port *p)
{
	struct clients *c = &p->clients;

	for (size_t i = 0; i < c->orders_touched.n; i++) {
		size_t at = c->orders_touched.index[i];
		if (at < c->n_orders)
			put(l, &(struct log_item){.kind = LOG_ORDER, .bytes = sizeof(c->order[at]), .index = at}, &c->order[at]);
	}
	for (size_t i = 0; i < c->fills_touched.n; i++) {
		size_t at = c->fills_touched.index[i];
		put(l, &(struct log_item){.kind = LOG_FILL, .bytes = sizeof(c->fill[at]), .index = at}, &c->fill[at]);
	}
	if (c->touch_lost)
		fail(l, "memory");
	c->orders_touched.n = c->fills_touched.n = 0;
}

static bool write_all(int fd, const uint8_t *data, size_t bytes)
{
	while (bytes) {
		ssize_t n = write(fd, data, bytes);
		if (n < 0 && errno != EINTR)
			return false;
		data += n > 0 ? n : 0;
		bytes -= n > 0 ? (size_t)n : 0;
	}
	return true;
}

static void begin_block(struct exchange_log *l)
{
	l->bytes = sizeof(struct log_block);
}

static void end_block(struct exchange_log *l)
{
	struct log_block head = {.magic = MAGIC, .bytes = (uint32_t)(l->bytes - sizeof(head))};

	if (!head.bytes || l->failed)
		return;
	head.checksum = checksum(l->block + sizeof(head), head.bytes);
	memcpy(l->block, &head, sizeof(head));
	if (!write_all(l->fd, l->block, l->bytes))
		fail(l, "write");
}

void exchange_log_flush(struct exchange_log *l, struct order_port *orders)
{
	if (l->fd < 0 || l->failed)
		return;
	begin_block(l);
	put_changes(l, orders);
	for (uint32_t i = 0; i < orders->n_accounts; i++)
		put_reports(l, &orders->account[i]);
	end_block(l);
}

static struct log_start start_of(const struct order_port *p)
{
	return (struct log_start){sizeof(struct client_order), sizeof(struct client_fill), p->n_accounts,
		gn_instruments_count(p->instruments)};
}

/* ---- reading ---- */

static bool take_item(struct exchange_log *l, struct order_port *p, const struct log_item *item, const uint8_t *data)
{
	struct clients *c = &p->clients;
	struct client_order order;
	struct client_fill fill;
	struct log_start start, ours = start_of(p);

	if (item->kind == LOG_START && item->bytes == sizeof(start)) {
		memcpy(&start, data, sizeof(start));
		l->n_starts++;
		return memcmp(&start, &ours, sizeof(start)) == 0;
	}
	if (item->account >= p->n_accounts)
		return false;
	switch (item->kind) {
	case LOG_ORDER:
		if (item->bytes != sizeof(order))
			return false;
		memcpy(&order, data, sizeof(order));
		return order.account < p->n_accounts && clients_restore_order(c, item->index, &order);
	case LOG_FILL:
		if (item->bytes != sizeof(fill))
			return false;
		memcpy(&fill, data, sizeof(fill));
		return clients_restore_fill(c, item->index, &fill);
	case LOG_REPORT:
		if (item->bytes > STORE_MSG_BYTES_MAX)
			return false;
		store_put(&p->account[item->account].stream, data, item->bytes);
		return true;
	case LOG_USER_REF: p->account[item->account].last_user_ref = (uint32_t)item->index; return true;
	default: return false;
	}
}

static bool take_block(struct exchange_log *l, struct order_port *p, const uint8_t *data, size_t bytes)
{
	struct log_item item;

	while (bytes >= sizeof(item)) {
		memcpy(&item, data, sizeof(item));
		if (item.bytes > bytes - sizeof(item) || !take_item(l, p, &item, data + sizeof(item)))
			return false;
		data += sizeof(item) + item.bytes;
		bytes -= sizeof(item) + item.bytes;
	}
	return bytes == 0;
}

/* Where the whole blocks end. Negative: a whole block makes no sense here. */
static ssize_t take_all(struct exchange_log *l, struct order_port *p, const uint8_t *data, size_t bytes)
{
	struct log_block head;
	size_t at = 0;

	while (bytes - at >= sizeof(head)) {
		memcpy(&head, data + at, sizeof(head));
		if (head.magic != MAGIC || head.bytes > bytes - at - sizeof(head)
			|| head.checksum != checksum(data + at + sizeof(head), head.bytes))
			break;
		if (!take_block(l, p, data + at + sizeof(head), head.bytes))
			return -EBADMSG;
		at += sizeof(head) + head.bytes;
	}
	return (ssize_t)at;
}

static int load(struct exchange_log *l, const char *path, struct order_port *p)
{
	struct stat st;

	if (fstat(l->fd, &st) < 0)
		return gn_err(errno, "exchange: log %s", path);
	if (st.st_size == 0)
		return 0;
	const uint8_t *data = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, l->fd, 0);
	if (data == MAP_FAILED)
		return gn_err(errno, "exchange: map log %s", path);
	ssize_t end = take_all(l, p, data, (size_t)st.st_size);
	munmap((void *)(uintptr_t)data, (size_t)st.st_size);
	if (end <= 0)
		return gn_err(EBADMSG, "exchange: log %s: is no log, or one of another configuration", path);
	/* what is torn off must not lie between this run's blocks and the last one's */
	if (ftruncate(l->fd, end) < 0 || lseek(l->fd, 0, SEEK_END) < 0)
		return gn_err(errno, "exchange: log %s", path);
	return 0;
}

int exchange_log_open(struct exchange_log *l, const char *path, struct order_port *orders,
	void (*learned)(void *arg, uint32_t order), void *arg)
{
	struct log_start start = start_of(orders);

	*l = (struct exchange_log){.fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1};
	if (!path)
		return 0;
	int rc = l->fd < 0 ? gn_err(errno, "exchange: open log %s", path) : load(l, path, orders);
	if (rc < 0)
		return rc;
	for (uint32_t i = 0; learned && i < orders->clients.n_orders; i++)
		learned(arg, i);
	for (uint32_t i = 0; i < orders->n_accounts; i++) {
		l->seq_next[i] = orders->account[i].stream.seq_next;
		l->user_ref[i] = orders->account[i].last_user_ref;
	}
	orders->clients.touching = true;
	l->n_starts++;
	begin_block(l);
	put(l, &(struct log_item){.kind = LOG_START, .bytes = sizeof(start)}, &start);
	end_block(l);
	return l->failed ? gn_err(EIO, "exchange: write log %s", path) : 0;
}

void exchange_log_close(struct exchange_log *l)
{
	if (l->fd >= 0)
		close(l->fd);
	free(l->block);
	*l = (struct exchange_log){.fd = -1};
}
