/* SPDX-License-Identifier: MIT */
/*
 * file: whole files, written so that a crash leaves the old or the new content.
 */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"

enum file_found { FILE_FOUND = 0, FILE_MISSING = 1 };

/* Appends the file's bytes. FILE_MISSING is no error and adds nothing. */
int file_read(struct strbuf *ret, const char *path, struct error *err) MUST_CHECK;
/* The same of a file that is open; `path` is for messages. */
int file_read_fd(struct strbuf *ret, int fd, const char *path, struct error *err) MUST_CHECK;
/* The same of one that must not be larger than `limit` bytes; nothing is added where it is. */
enum file_size { FILE_READ = 0, FILE_TOO_LARGE = 1 };
int file_read_up_to(struct strbuf *ret, int fd, const char *path, uint64_t limit, struct error *err)
	MUST_CHECK;
/* Writes all of it; -1 with errno. */
int file_write_fd(int fd, const void *data, size_t len) MUST_CHECK;

/*
 * Replaces `path` with `data`: written to a temporary name beside it, synced, and renamed.
 * `mode` is the new file's. FILE_SYNC_NAME also syncs the folder; without, a power cut may
 * bring back the old file, whole. FILE_SYNC_NOT is for what nobody reads after a power cut.
 */
enum file_sync { FILE_SYNC_NOT, FILE_SYNC_CONTENT, FILE_SYNC_NAME };
int file_write(const char *path, const void *data, size_t len, mode_t mode, enum file_sync sync,
	       struct error *err) MUST_CHECK;

/* Makes the folder and those above it that are missing. */
int file_make_folders(const char *path, mode_t mode, struct error *err) MUST_CHECK;

/*
 * Makes a folder of our own where temporary files go (TMPDIR); its path: free() it. As long as this
 * process lives, it holds flock(2) on it: what was left there by one that was killed is removed.
 */
int file_make_temporary_folder(char **ret, struct error *err) MUST_CHECK;
/* To lock it with flock(2); no link is followed. -1, with errno. */
int file_open_folder(const char *path) MUST_CHECK;
/*
 * Removes the folders of ours in `parent`, whose names begin with `prefix`, that nobody has locked
 * any more. What cannot be removed is let lie.
 */
void file_remove_unlocked(const char *parent, const char *prefix);

/* Syncs a folder, so that names made or removed in it survive a power cut. */
int file_sync_folder(const char *path, struct error *err) MUST_CHECK;

/* Removes a folder and everything in it. One that is not there is no error. */
int file_remove_folders(const char *path, struct error *err) MUST_CHECK;

/* Were both of the same file, and nothing was written to it in between? */
bool file_is_same(const struct stat *a, const struct stat *b) MUST_CHECK;

/* For CLEANUP(): closes a descriptor, where it is one. */
void fd_close_p(int *fd);

/* The names in a folder but "." and "..", sorted. FILE_MISSING is no error. */
int file_list(struct strvec *ret, const char *path, struct error *err) MUST_CHECK;

#endif
