/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CAPTURE_PCAPNG_WRITER_H
#define CAPTURE_PCAPNG_WRITER_H

/**
 * @file
 * Frames to pcapng files with nanosecond stamps, file after file. Cold; one thread; memory is bounded.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCAPNG_BUFFER_BYTES ((size_t)256 * 1024)
#define PCAPNG_PATH_BYTES 1024u

struct pcapng_want {
	char path[PCAPNG_PATH_BYTES]; /* of the file; with rotation -00001 and so on goes before its extension */
	uint64_t rotate_bytes; /* begin a new file when one is so long; 0: never */
	uint32_t files_max;    /* of the rotation: the oldest goes when there are more; 0: keep all */
	uint32_t snap_bytes;   /* of each frame; 0: all */
};

struct pcapng_writer {
	int fd; /* -1: closed */
	uint8_t *buf;
	size_t n_buf;
	uint64_t file_bytes, n_bytes; /* of this file, of all files */
	uint32_t n_files;
	char device[64]; /* name of the interface in the file */
	struct pcapng_want want;
};

/** Open the first file. 0 or -errno with gn_err_text(). */
int pcapng_open(struct pcapng_writer *w, const struct pcapng_want *want, const char *device);

/**
 * Add a frame.
 *
 * @param ns
 *   Since the Unix epoch.
 * @param wire_bytes
 *   Its length before it was cut to `bytes`.
 * @return
 *   0, or -errno with gn_err_text(): the disk is full and the like; close it then.
 */
int pcapng_frame(
	struct pcapng_writer *w, uint64_t ns, bool sent, const void *data, uint32_t bytes, uint32_t wire_bytes);

/** Write what is buffered. 0 or -errno with gn_err_text(). */
int pcapng_flush(struct pcapng_writer *w);

/** Write how much was lost, flush and close; allowed after an error. 0 or -errno with gn_err_text(). */
int pcapng_close(struct pcapng_writer *w, uint64_t n_frames, uint64_t n_lost);

#endif
