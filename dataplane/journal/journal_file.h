/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef JOURNAL_FILE_H
#define JOURNAL_FILE_H

/** @file The files of a journal that is being written. Private to dataplane/journal. */

#include "journal.h"

uint64_t journal_unix_now_ns(void);

/** Write all of it, whatever the kernel takes at once. 0 or -errno. */
int journal_write_all(int fd, const void *data, size_t bytes);

/** Make file j->file with its head and all its blocks, and write there from now on. 0 or -errno with gn_err_text(). */
int journal_file_begin(struct journal *j);

/** Make the next file's blocks ahead. 0 or -errno, without a text: it may be tried again and again. */
int journal_file_spare(struct journal *j);

/** Go on in the spare file. 0 or -errno. */
int journal_file_switch(struct journal *j);

/** Replace PATH.seal by one for the chain as it is. 0 or -errno. */
int journal_file_seal(struct journal *j, const uint8_t signature[JOURNAL_SIGNATURE_BYTES]);

/** Read the secret key that the config names. 0, or -errno with gn_err_text(). */
int journal_key_load(struct journal *j, const char *path);

#endif
