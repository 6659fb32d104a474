/* SPDX-License-Identifier: BSD-3-Clause */
#include "loader.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dataplane/runtime/err.h"

#define SYMBOL "gn_strategy_v1"
#define API_BYTES_MIN (offsetof(struct gn_strategy, fini) + sizeof(void *)) /* v1 as it was first published */
#define PROGRAM_HEADERS_MAX 128

/* Files that are loaded now. The dynamic linker goes by path, so it would not notice that a file has changed. */
struct loaded {
	struct loaded *next;
	struct strategy_identity identity;
	unsigned n_users;
};
static struct loaded *loaded_first;

static struct loaded *loaded_find(const char *path)
{
	struct loaded *l = loaded_first;

	while (l && strcmp(l->identity.path, path) != 0)
		l = l->next;
	return l;
}

static bool identity_equal(const struct strategy_identity *a, const struct strategy_identity *b)
{
	return a->dev == b->dev && a->ino == b->ino && a->bytes == b->bytes && a->mtime_ns == b->mtime_ns;
}

static int loaded_add(const struct strategy_identity *identity)
{
	struct loaded *l = loaded_find(identity->path);

	if (l && !identity_equal(&l->identity, identity))
		return gn_err(0,
			"strategy %s: the file has changed since it was loaded: give a new version a new file name",
			identity->path);
	if (!l) {
		l = calloc(1, sizeof(*l));
		if (!l)
			return gn_err(ENOMEM, "strategy %s", identity->path);
		l->identity = *identity;
		l->next = loaded_first;
		loaded_first = l;
	}
	l->n_users++;
	return 0;
}

static void loaded_drop(const struct strategy_identity *identity)
{
	for (struct loaded **at = &loaded_first; *at; at = &(*at)->next) {
		struct loaded *l = *at;
		if (strcmp(l->identity.path, identity->path) != 0)
			continue;
		if (--l->n_users == 0) {
			*at = l->next;
			free(l);
		}
		return;
	}
}

/* A file that ends before its segments do would be mapped all the same, and kill the process when it is touched. */
static int elf_check(int fd, const struct strategy_identity *identity)
{
	Elf64_Ehdr head;
	Elf64_Phdr part[PROGRAM_HEADERS_MAX];

	if (pread(fd, &head, sizeof(head), 0) != (ssize_t)sizeof(head) || memcmp(head.e_ident, ELFMAG, SELFMAG) != 0
		|| head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_type != ET_DYN)
		return gn_err(0, "strategy %s: not a 64-bit ELF shared object", identity->path);
	size_t parts_bytes = head.e_phnum * sizeof(part[0]);
	if (head.e_phentsize != sizeof(part[0]) || head.e_phnum > PROGRAM_HEADERS_MAX
		|| pread(fd, part, parts_bytes, (off_t)head.e_phoff) != (ssize_t)parts_bytes)
		return gn_err(0, "strategy %s: its program headers are damaged", identity->path);
	for (unsigned i = 0; i < head.e_phnum; i++) {
		uint64_t end;
		if (__builtin_add_overflow(part[i].p_offset, part[i].p_filesz, &end) || end > (uint64_t)identity->bytes)
			return gn_err(0, "strategy %s: truncated: a segment ends at byte %llu, the file at %lld",
				identity->path, (unsigned long long)end, (long long)identity->bytes);
	}
	return 0;
}

static int identity_read(struct strategy_identity *identity, const char *path)
{
	struct stat st;

	if (!realpath(path, identity->path))
		return gn_err(errno, "strategy %s", path);
	int fd = open(identity->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return gn_err(errno, "strategy %s", identity->path);
	int rc = fstat(fd, &st) < 0 ? gn_err(errno, "strategy %s", identity->path) : 0;
	if (rc == 0 && !S_ISREG(st.st_mode))
		rc = gn_err(0, "strategy %s: not a file", identity->path);
	if (rc == 0) {
		identity->dev = st.st_dev;
		identity->ino = st.st_ino;
		identity->bytes = st.st_size;
		identity->mtime_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
		rc = elf_check(fd, identity);
	}
	close(fd);
	return rc;
}

/* The bytes that the file has under the symbol, so that .size can be believed. */
static size_t symbol_bytes(const void *symbol)
{
	Dl_info info;
	const ElfW(Sym) *entry = NULL;

	if (!dladdr1(symbol, &info, (void **)&entry, RTLD_DL_SYMENT) || !entry)
		return 0;
	return entry->st_size;
}

/* Copies the part of the structure that both sides know. */
static int api_copy(struct strategy_module *m)
{
	const char *path = m->identity.path;
	const struct gn_strategy *s = dlsym(m->handle, SYMBOL);

	if (!s)
		return gn_err(
			0, "strategy %s: exports no symbol " SYMBOL ": use GN_STRATEGY() in one of its files", path);
	size_t bytes = symbol_bytes(s);
	if (bytes < offsetof(struct gn_strategy, name))
		return gn_err(0, "strategy %s: " SYMBOL " has %zu bytes, too few for a strategy", path, bytes);
	if (s->abi != GN_STRATEGY_ABI)
		return gn_err(0, "strategy %s: made for ABI %u, this engine has ABI %u", path, s->abi, GN_STRATEGY_ABI);
	if (s->size < API_BYTES_MIN)
		return gn_err(0, "strategy %s: .size is %u, expected at least %zu", path, s->size, API_BYTES_MIN);
	if (s->size > bytes)
		return gn_err(0, "strategy %s: .size is %u, but " SYMBOL " has %zu bytes", path, s->size, bytes);
	memcpy(&m->api, s, s->size < sizeof(m->api) ? s->size : sizeof(m->api));
	return 0;
}

static int api_check(const struct strategy_module *m)
{
	const char *path = m->identity.path;

	if (!m->api.name || !m->api.name[0] || strnlen(m->api.name, STRATEGY_NAME_BYTES) == STRATEGY_NAME_BYTES)
		return gn_err(0, "strategy %s: .name must have 1 to %u characters", path, STRATEGY_NAME_BYTES - 1);
	if (!m->api.init)
		return gn_err(0, "strategy %s: .init is missing", path);
	if (m->api.state_bytes > STRATEGY_STATE_BYTES_MAX)
		return gn_err(0, "strategy %s: .state_bytes is %zu, expected at most %zu", path, m->api.state_bytes,
			STRATEGY_STATE_BYTES_MAX);
	return 0;
}

int strategy_load(struct strategy_module *m, const char *path)
{
	memset(m, 0, sizeof(*m));
	if (!path || !path[0])
		return gn_err(0, "strategy: no path was given");
	int rc = identity_read(&m->identity, path);
	if (rc == 0)
		rc = loaded_add(&m->identity);
	if (rc < 0)
		return rc;
	m->handle = dlopen(m->identity.path, RTLD_NOW | RTLD_LOCAL);
	if (!m->handle) {
		rc = gn_err(0, "strategy %s: %s", path, dlerror());
		loaded_drop(&m->identity);
		return rc;
	}
	rc = api_copy(m);
	if (rc == 0)
		rc = api_check(m);
	if (rc < 0)
		strategy_unload(m);
	return rc;
}

void strategy_unload(struct strategy_module *m)
{
	if (!m->handle)
		return;
	dlclose(m->handle);
	loaded_drop(&m->identity);
	m->handle = NULL;
}
