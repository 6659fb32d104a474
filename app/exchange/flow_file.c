/* SPDX-License-Identifier: BSD-3-Clause */
#include "flow_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "app/exchange/refmap.h"
#include "dataplane/codec/itch50.h"
#include "dataplane/runtime/err.h"

#define LENGTH_BYTES 2u
#define LOCATES 65536u

struct flow_file {
	const char *path;
	const uint8_t *data;
	size_t bytes, at;
	struct flow_file_sink sink;
	struct match *match;
	struct refmap refs;
	gn_inst *inst_of; /* by the file's locate */
	gn_symbol *symbol;
	size_t *directory; /* by instrument: offset of its directory message + 1, 0: none */
	uint32_t n_symbols;
	uint32_t speed_pct;
	bool fast, begun;
	uint64_t begin_ns, first_ns; /* our time and the file's, of the first message */
	struct flow_file_counts n;
};

static int map_file(struct flow_file *f)
{
	struct stat st;
	int fd = open(f->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return gn_err(errno, "replay: open %s", f->path);
	int rc = fstat(fd, &st) < 0 ? -errno : 0;

	if (rc == 0 && st.st_size < (off_t)(LENGTH_BYTES + ITCH50_HEAD_BYTES))
		rc = -ENODATA;
	if (rc == 0) {
		void *map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);

		rc = map == MAP_FAILED ? -errno : 0;
		f->data = rc == 0 ? map : NULL;
		f->bytes = (size_t)st.st_size;
	}
	close(fd);
	return rc < 0 ? gn_err(-rc, "replay: read %s", f->path) : 0;
}

/* the message at an offset: its length, 0 at the end of the file, or -errno */
static int message_at(const struct flow_file *f, size_t at, const uint8_t **msg)
{
	size_t left = f->bytes - at;

	*msg = f->data + at;

	if (left == 0)
		return 0;
	if (left < LENGTH_BYTES)
		return gn_err(EILSEQ, "replay: %s: offset %zu: one byte, expected a length", f->path, at);
	uint32_t bytes = wire_u16(f->data + at);

	if (bytes > left - LENGTH_BYTES)
		return gn_err(EILSEQ, "replay: %s: offset %zu: a message of %u bytes, %zu are left", f->path, at, bytes,
			left - LENGTH_BYTES);
	*msg = f->data + at + LENGTH_BYTES;
	return (int)bytes;
}

static int check_message(const struct flow_file *f, size_t at, const uint8_t *msg, uint32_t bytes)
{
	uint32_t expected = itch50_bytes(msg[0]);

	if (expected && bytes != expected)
		return gn_err(EILSEQ, "replay: %s: offset %zu: message '%c' of %u bytes, expected %u", f->path, at, msg[0], bytes,
			expected);
	return 0;
}

static int note_symbol(struct flow_file *f, size_t at, const uint8_t *msg, uint32_t bytes)
{
	gn_symbol symbol = itch50_bytes(msg[0]) ? itch50_symbol(msg, bytes) : (gn_symbol){.word = 0};
	uint16_t locate = symbol.word ? itch50_locate(msg) : 0;

	if (!locate)
		return 0;
	if (f->inst_of[locate] == GN_INST_NONE) {
		if (f->n_symbols == EXCHANGE_SYMBOLS_MAX)
			return gn_err(E2BIG, "replay: %s: more than %u symbols", f->path, EXCHANGE_SYMBOLS_MAX);
		f->inst_of[locate] = f->n_symbols;
		f->symbol[f->n_symbols++] = symbol;
	}
	if (msg[0] == 'R' && !f->directory[f->inst_of[locate]])
		f->directory[f->inst_of[locate]] = at + 1;
	return 0;
}

static int scan(struct flow_file *f)
{
	const uint8_t *msg;
	int bytes, rc = 0;
	size_t at = 0;

	while (rc == 0 && (bytes = message_at(f, at, &msg)) != 0) {
		rc = bytes < 0 ? bytes : check_message(f, at, msg, (uint32_t)bytes);
		if (rc == 0)
			rc = note_symbol(f, at, msg, (uint32_t)bytes);
		at += LENGTH_BYTES + (size_t)(bytes > 0 ? bytes : 0);
	}
	if (rc == 0 && !f->n_symbols)
		rc = gn_err(ENODATA, "replay: %s: no message names an instrument", f->path);
	return rc;
}

struct flow_file *flow_file_new(const struct exchange_config *config, const struct flow_file_sink *sink)
{
	struct flow_file *f = calloc(1, sizeof(*f));

	if (!f)
		return gn_err(ENOMEM, "replay: %s", config->replay_file), NULL;
	f->path = config->replay_file;
	f->sink = *sink;
	f->speed_pct = config->replay_speed_pct;
	f->fast = config->replay_fast;
	f->inst_of = malloc(LOCATES * sizeof(*f->inst_of));
	f->symbol = calloc(EXCHANGE_SYMBOLS_MAX, sizeof(*f->symbol));
	f->directory = calloc(EXCHANGE_SYMBOLS_MAX, sizeof(*f->directory));
	int rc = f->inst_of && f->symbol && f->directory ? 0 : gn_err(ENOMEM, "replay: %s", f->path);

	for (uint32_t i = 0; rc == 0 && i < LOCATES; i++)
		f->inst_of[i] = GN_INST_NONE;
	if (rc == 0)
		rc = map_file(f);
	if (rc == 0)
		rc = scan(f);
	if (rc == 0)
		return f;
	flow_file_free(f);
	return NULL;
}

void flow_file_free(struct flow_file *f)
{
	if (!f)
		return;
	if (f->data)
		munmap((void *)(uintptr_t)f->data, f->bytes);
	refmap_fini(&f->refs);
	free(f->inst_of);
	free(f->symbol);
	free(f->directory);
	free(f);
}

int flow_file_start(struct flow_file *f, struct match *match, uint32_t orders_max)
{
	f->match = match;
	return refmap_init(&f->refs, orders_max);
}

uint32_t flow_file_symbols(const struct flow_file *f)
{
	return f->n_symbols;
}

gn_symbol flow_file_symbol(const struct flow_file *f, gn_inst inst)
{
	return f->symbol[inst];
}

bool flow_file_directory(const struct flow_file *f, gn_inst inst, struct gn_md *md)
{
	uint16_t locate;

	if (!f->directory[inst])
		return false;
	const uint8_t *msg = f->data + f->directory[inst] - 1 + LENGTH_BYTES;

	return itch50_decode(msg, itch50_bytes('R'), md, &locate) == ITCH50_OK;
}

void flow_file_gone(struct flow_file *f, const struct match_order *o)
{
	refmap_remove(&f->refs, o->tag);
}

static void remember(struct flow_file *f, uint64_t ref, struct match_id id)
{
	if (match_find(f->match, id))
		refmap_put(&f->refs, ref, id);
}

static void add(struct flow_file *f, gn_inst inst, const struct gn_md *md)
{
	struct match_ask ask = {
		.inst = inst,
		.side = md->side,
		.flags = MATCH_ANYTIME,
		.px_e4 = (uint32_t)(md->order.px.e9 / GN_PX_E9_PER_E4),
		.qty = (uint32_t)md->order.qty,
		.tag = md->order.ref,
	};

	if (refmap_get(&f->refs, md->order.ref).ref) {
		f->n.duplicate_ref++;
		return;
	}
	f->n.adds++;
	struct match_id id = match_enter(f->match, &ask);

	if (!id.ref)
		f->n.no_room++;
	remember(f, md->order.ref, id);
}

static struct match_order *known(struct flow_file *f, uint64_t ref)
{
	struct match_order *o = match_find(f->match, refmap_get(&f->refs, ref));

	if (!o)
		f->n.unknown_ref++;
	return o;
}

static uint32_t open_of(const struct flow_file *f, uint64_t ref)
{
	const struct match_order *o = match_find(f->match, refmap_get(&f->refs, ref));

	return o ? o->qty : 0;
}

static void take_off(struct flow_file *f, uint64_t ref, uint32_t qty)
{
	match_reduce(f->match, refmap_get(&f->refs, ref), qty, MATCH_WHY_USER);
}

static void execute(struct flow_file *f, const struct gn_md *md, bool alone)
{
	const struct match_order *o = known(f, md->order.ref);

	if (!o)
		return;
	uint32_t before = o->qty, qty = (uint32_t)md->order.qty < before ? (uint32_t)md->order.qty : before;
	struct match_ask ask = {
		.inst = o->inst,
		.side = gn_side_opposite(o->side),
		.flags = MATCH_IOC,
		.px_e4 = o->px_e4,
		.qty = qty,
	};

	f->n.executions++;
	if (!alone)
		match_enter(f->match, &ask);
	uint32_t met = before - open_of(f, md->order.ref);

	if (met >= qty)
		return;
	f->n.short_fills += !alone;
	take_off(f, md->order.ref, qty - met);
}

static void reduce(struct flow_file *f, const struct gn_md *md)
{
	if (!known(f, md->order.ref))
		return;
	f->n.cancels++;
	take_off(f, md->order.ref, md->kind == GN_MD_DELETE ? UINT32_MAX : (uint32_t)md->order.qty);
}

static void replace(struct flow_file *f, const struct gn_md *md)
{
	struct match_ask ask = {
		.flags = MATCH_ANYTIME,
		.px_e4 = (uint32_t)(md->order.px.e9 / GN_PX_E9_PER_E4),
		.qty = (uint32_t)md->order.qty,
		.tag = md->order.aux2,
	};

	if (!known(f, md->order.ref))
		return;
	if (refmap_get(&f->refs, md->order.aux2).ref) {
		f->n.duplicate_ref++;
		return;
	}
	f->n.replaces++;
	remember(f, md->order.aux2, match_replace(f->match, refmap_get(&f->refs, md->order.ref), &ask));
}

static void pass_on(struct flow_file *f, gn_inst inst, struct gn_md *md)
{
	f->n.published++;
	f->sink.publish(f->sink.arg, inst, md);
}

static void change_state(struct flow_file *f, gn_inst inst, const struct gn_md *md)
{
	enum match_state state = md->code == 'T' ? MATCH_TRADING : md->code == 'Q' ? MATCH_AUCTION : MATCH_HALTED;

	f->n.published++;
	f->sink.state(f->sink.arg, inst, state, md->state.reason);
}

static void apply(struct flow_file *f, gn_inst inst, struct gn_md *md)
{
	switch (md->kind) {
	case GN_MD_ADD: add(f, inst, md); break;
	case GN_MD_EXEC: execute(f, md, false); break;
	case GN_MD_EXEC_PX: execute(f, md, !(md->flags & GN_MD_F_PRINTABLE)); break; /* else part of a cross */
	case GN_MD_REDUCE:
	case GN_MD_DELETE: reduce(f, md); break;
	case GN_MD_REPLACE: replace(f, md); break;
	case GN_MD_STATE: change_state(f, inst, md); break;
	case GN_MD_SYSTEM:    /* the day is ours */
	case GN_MD_DIRECTORY: /* sent at its start */
	case GN_MD_BROKEN: f->n.skipped++; break; /* match numbers are ours, too */
	default: pass_on(f, inst, md);
	}
}

static bool needs_inst(const struct gn_md *md)
{
	return md->kind != GN_MD_MWCB_LEVELS && md->kind != GN_MD_MWCB_STATUS;
}

static bool usable(const struct gn_md *md)
{
	if (md->kind == GN_MD_ADD && !md->side)
		return false;
	return md->kind != GN_MD_ADD || (md->order.qty > 0 && md->order.px.e9 > 0);
}

static void apply_message(struct flow_file *f, const uint8_t *msg, uint32_t bytes)
{
	struct gn_md md = {0};
	uint16_t locate;

	f->n.msgs++;
	if (itch50_decode(msg, bytes, &md, &locate) != ITCH50_OK || !usable(&md)) {
		f->n.skipped++;
		return;
	}
	gn_inst inst = f->inst_of[locate];

	if (inst == GN_INST_NONE && needs_inst(&md))
		f->n.skipped++;
	else
		apply(f, inst, &md);
}

uint64_t flow_file_due_ns(const struct flow_file *f)
{
	const uint8_t *msg;
	int bytes = message_at(f, f->at, &msg);

	if (bytes <= 0)
		return UINT64_MAX;
	if (f->fast || !f->begun || bytes < (int)ITCH50_HEAD_BYTES)
		return 0;
	uint64_t ns = itch50_ns(msg);

	return ns <= f->first_ns ? 0 : f->begin_ns + (ns - f->first_ns) / f->speed_pct * 100;
}

static void begin(struct flow_file *f, uint64_t now_ns, const uint8_t *msg, uint32_t bytes)
{
	if (f->begun || bytes < ITCH50_HEAD_BYTES)
		return;
	f->begun = true;
	f->begin_ns = now_ns;
	f->first_ns = itch50_ns(msg);
}

bool flow_file_work(struct flow_file *f, uint64_t now_ns)
{
	const uint8_t *msg;

	if (flow_file_due_ns(f) > now_ns)
		return false;
	uint32_t bytes = (uint32_t)message_at(f, f->at, &msg);

	begin(f, now_ns, msg, bytes);
	apply_message(f, msg, bytes);
	f->at += LENGTH_BYTES + bytes;
	return true;
}

struct flow_file_counts flow_file_counts(const struct flow_file *f)
{
	return f->n;
}
