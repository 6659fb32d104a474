/* SPDX-License-Identifier: BSD-3-Clause */
#include "operator_impl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "dataplane/runtime/instruments.h"
#include "pinning/clock.h"

#define ANSWER_NS UINT64_C(3000000000) /* within which the risk stage must have carried out a command */
#define TEND_NS UINT64_C(1000000)
#define BLOCK_BYTES 4096

static const struct {
	const char *word;
	json_t *(*handler)(struct operator *o, const json_t *request, const struct control_peer *peer);
} handlers[] = {
	{"latency", operator_latency},
	{"clock", operator_clock},
	{"risk", operator_risk},
	{"kill", operator_kill},
	{"release", operator_release},
	{"drill", operator_drill},
	{"limit", operator_limit},
	{"confirm", operator_confirm},
	{"capture", operator_capture},
};

static json_t *operator_answer(void *arg, const json_t *request, const struct control_peer *peer)
{
	const char *word = json_string_value(json_object_get(request, "do"));

	for (size_t i = 0; word && i < GN_ARRAY_SIZE(handlers); i++)
		if (strcmp(word, handlers[i].word) == 0)
			return handlers[i].handler(arg, request, peer);
	gn_err(0, "request: do: %.40s: there is no such command", word ? word : "(no text)");
	return NULL;
}

static int find_named(const struct operator *o, struct owner *w, const char *name)
{
	const struct engine_section *s = engine_section(o->e);
	uint32_t n = w->level == RISK_ACCOUNT ? s->accounts_count : s->strategies_count;

	for (w->index = 0; w->index < n; w->index++) {
		const char *at = w->level == RISK_ACCOUNT ? s->accounts[w->index].name : s->strategies[w->index].name;
		if (strcmp(at, name) == 0)
			return 0;
	}
	return gn_err(0, "there is no %s %.40s", risk_level_word(w->level), name);
}

int operator_owner(const struct operator *o, const json_t *request, struct owner *w)
{
	const char *level = json_string_value(json_object_get(request, "level"));
	const char *name = json_string_value(json_object_get(request, "name"));

	*w = (struct owner){.level = level ? control_level(level) : RISK_LEVEL_COUNT};
	if (w->level == RISK_LEVEL_COUNT)
		return gn_err(0, "request: level: %.40s: expected engine, account, strategy or instrument",
			level ? level : "(no text)");
	if (w->level == RISK_ENGINE)
		return 0;
	if (!name || !*name || strlen(name) >= sizeof(w->name))
		return gn_err(0, "request: name: expected the name of one %s", level);
	snprintf(w->name, sizeof(w->name), "%s", name);
	if (w->level != RISK_INSTRUMENT)
		return find_named(o, w, name);
	w->index = gn_instruments_find(engine_instruments(o->e), gn_symbol_from(name, strlen(name)));
	return w->index == GN_INST_NONE ? gn_err(0, "there is no instrument %.40s", name) : 0;
}

const char *operator_name(const struct operator *o, enum risk_level level, uint32_t index, struct gn_symbol_text *text)
{
	const struct engine_section *s = engine_section(o->e);
	struct gn_instrument i;

	switch (level) {
	case RISK_ACCOUNT: return s->accounts[index].name;
	case RISK_STRATEGY: return s->strategies[index].name;
	case RISK_INSTRUMENT:
		*text = gn_instruments_get(engine_instruments(o->e), index, &i) ? gn_symbol_text(i.symbol)
		                                                                : (struct gn_symbol_text){0};
		return text->c;
	default: return "";
	}
}

void operator_wait(struct operator *o)
{
	const struct timespec moment = {.tv_nsec = 20000};
	static uint64_t next_ns;

	nanosleep(&moment, NULL);
	if (gn_clock_now_ns() < next_ns)
		return;
	engine_tend(o->e);
	next_ns = gn_clock_now_ns() + TEND_NS;
}

int operator_do(struct operator *o, const struct risk_command *m, struct risk_outcome *out)
{
	int64_t ticket = risk_control_send(o->control, m);
	uint64_t end_ns = gn_clock_now_ns() + ANSWER_NS;

	if (ticket < 0)
		return (int)ticket;
	while (!risk_control_outcome(o->control, ticket, out)) {
		if (gn_clock_now_ns() > end_ns)
			return gn_err(ETIMEDOUT, "the risk stage does not answer; the command waits for it");
		operator_wait(o);
	}
	return out->rc;
}

int operator_look(struct operator *o, enum risk_level level, uint32_t index, struct risk_view *v)
{
	const struct risk_command m = {.kind = RISK_DO_LOOK, .level = level, .index = index};
	struct risk_outcome out;
	int rc = operator_do(o, &m, &out);

	if (rc == 0)
		*v = *risk_control_view(o->control);
	return rc == -ENOENT ? gn_err(0, "risk knows no such %s", risk_level_word(level)) : rc;
}

int operator_note(struct operator *o, const char *fmt, ...)
{
	struct risk_command m = {.kind = RISK_DO_NOTE};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(m.note, sizeof(m.note), fmt, ap);
	va_end(ap);
	int64_t ticket = risk_control_send(o->control, &m);
	return ticket > 0 ? 0 : (int)ticket;
}

/* One word that a guard may set. Made anew: a word of an earlier engine says nothing about this one. */
static int operator_make_block(struct operator *o)
{
	const char *path = engine_place(o->e)->block;
	int fd = -1;

	if (unlink(path) == 0 || errno == ENOENT)
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	void *map = fd >= 0 && ftruncate(fd, BLOCK_BYTES) == 0
	                    ? mmap(NULL, BLOCK_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0)
	                    : MAP_FAILED;
	int rc = map == MAP_FAILED ? gn_err(errno, "control: map %s", path) : 0;
	if (fd >= 0)
		close(fd);
	if (rc == 0) {
		o->block = map;
		risk_control_block_word(o->control, o->block);
	}
	return rc;
}

static void operator_publish_limits(struct operator *o)
{
	const struct engine_section *s = engine_section(o->e);

	figures_limits(engine_figures(o->e), -1, &s->risk.limits);
	for (uint32_t i = 0; i < s->strategies_count; i++)
		figures_limits(engine_figures(o->e), (int)i, &s->strategies[i].limits);
}

struct operator *operator_new(struct engine *e)
{
	struct operator *o = calloc(1, sizeof(*o));

	if (!o) {
		gn_err(ENOMEM, "control");
		return NULL;
	}
	o->e = e;
	o->control = engine_control(e);
	int rc = operator_make_block(o);
	if (rc == 0)
		rc = kills_load(&o->kills, engine_place(e)->kills);
	if (rc == 0)
		rc = operator_throw_kept(o);
	if (rc == 0)
		o->server = control_server_new(engine_place(e)->socket, operator_answer, o);
	if (rc < 0 || !o->server) {
		operator_free(o);
		return NULL;
	}
	operator_publish_limits(o);
	return o;
}

void operator_serve(struct operator *o, int64_t ns)
{
	control_server_poll(o->server, ns);
	operator_watch_kills(o);
}

void operator_free(struct operator *o)
{
	if (!o)
		return;
	control_server_free(o->server);
	if (o->block) {
		risk_control_block_word(o->control, NULL);
		munmap((void *)(uintptr_t)o->block, BLOCK_BYTES);
		unlink(engine_place(o->e)->block);
	}
	free(o);
}
