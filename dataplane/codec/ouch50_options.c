/* SPDX-License-Identifier: BSD-3-Clause */
#include "dataplane/codec/ouch50_options.h"

#include "dataplane/runtime/compiler.h"

enum kind { U, I, P, C };

struct option {
	uint8_t bytes; /* of value on the wire; 0: no such tag */
	uint8_t kind;
	uint16_t offset; /* in struct ouch50_options */
};

#define OPTION(NAME, tag, member, bytes_, kind_) \
	[tag] = {.bytes = (bytes_), .kind = (kind_), .offset = offsetof(struct ouch50_options, member)},
static const struct option options[] = {OUCH50_OPTIONS(OPTION)};

#define CHECK(NAME, tag, member, bytes_, kind_)                                                         \
	_Static_assert((tag) < 32, "fits the mask");                                                    \
	_Static_assert(sizeof(((struct ouch50_options *)0)->member) == ((kind_) == I ? 8 : (bytes_)), "size of " #member);
OUCH50_OPTIONS(CHECK)

static void load_number(const struct ouch50_element *e, void *member)
{
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (e->bytes) {
	case 2: v16 = wire_u16(e->value); memcpy(member, &v16, sizeof(v16)); break;
	case 4: v32 = wire_u32(e->value); memcpy(member, &v32, sizeof(v32)); break;
	default: v64 = wire_u64(e->value); memcpy(member, &v64, sizeof(v64)); break;
	}
}

static void store_number(const void *member, uint32_t bytes, uint8_t *value)
{
	uint64_t v64;
	uint32_t v32;
	uint16_t v16;

	switch (bytes) {
	case 2: memcpy(&v16, member, sizeof(v16)); wire_put_u16(value, v16); break;
	case 4: memcpy(&v32, member, sizeof(v32)); wire_put_u32(value, v32); break;
	default: memcpy(&v64, member, sizeof(v64)); wire_put_u64(value, v64); break;
	}
}

static enum ouch50_result load_option(const struct option *opt, const struct ouch50_element *e, struct ouch50_options *o)
{
	void *member = (uint8_t *)o + opt->offset;
	gn_px px;

	if (e->bytes != opt->bytes)
		return OUCH50_BAD_APPENDAGE;
	switch (opt->kind) {
	case U: load_number(e, member); return OUCH50_OK;
	case C: memcpy(member, e->value, e->bytes); return OUCH50_OK;
	case I: px.e9 = (int32_t)wire_u32(e->value) * GN_PX_E9_PER_E4; break;
	default:
		if (wire_u64(e->value) > (uint64_t)(INT64_MAX / GN_PX_E9_PER_E4))
			return OUCH50_BAD_PRICE;
		px.e9 = (int64_t)wire_u64(e->value) * GN_PX_E9_PER_E4;
		break;
	}
	memcpy(member, &px, sizeof(px));
	return OUCH50_OK;
}

enum ouch50_result ouch50_options_decode(struct ouch50_appendage appendage, struct ouch50_options *o)
{
	struct ouch50_element e;

	memset(o, 0, sizeof(*o));
	while (ouch50_element_next(&appendage, &e)) {
		if (e.tag >= GN_ARRAY_SIZE(options) || options[e.tag].bytes == 0) {
			o->n_unknown++;
			continue;
		}
		enum ouch50_result rc = load_option(&options[e.tag], &e, o);

		if (rc != OUCH50_OK)
			return rc;
		o->present |= UINT32_C(1) << e.tag;
	}
	return appendage.bytes == 0 ? OUCH50_OK : OUCH50_BAD_APPENDAGE;
}

static void store_option(const struct option *opt, const struct ouch50_options *o, uint8_t *value)
{
	const void *member = (const uint8_t *)o + opt->offset;
	gn_px px;

	switch (opt->kind) {
	case U: store_number(member, opt->bytes, value); return;
	case C: memcpy(value, member, opt->bytes); return;
	case I:
		memcpy(&px, member, sizeof(px));
		wire_put_u32(value, (uint32_t)(int32_t)(px.e9 / GN_PX_E9_PER_E4));
		return;
	default:
		memcpy(&px, member, sizeof(px));
		wire_put_u64(value, ouch50_px_e4(px));
		return;
	}
}

struct ouch50_appendage ouch50_options_encode(const struct ouch50_options *o, uint8_t *data)
{
	struct ouch50_appendage a = {.data = data, .bytes = 0};

	for (uint32_t tag = 0; tag < GN_ARRAY_SIZE(options); tag++) {
		if (options[tag].bytes == 0 || !(o->present >> tag & 1))
			continue;
		data[a.bytes] = (uint8_t)(options[tag].bytes + 1);
		data[a.bytes + 1] = (uint8_t)tag;
		store_option(&options[tag], o, data + a.bytes + 2);
		a.bytes += 2u + options[tag].bytes;
	}
	return a;
}
