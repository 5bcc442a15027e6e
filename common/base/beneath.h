/* SPDX-License-Identifier: MIT */
/*
 * beneath: files below a folder, by paths that may come from a stranger.
 *
 * The sentence that rules it: nothing on the way from the folder to the file is a symbolic
 * link, nor is the file itself. Each component is opened by itself, so that nobody who
 * exchanges one at the wrong moment leads us elsewhere. What is in the path itself, such as
 * "..", is for the caller to judge before: see path_fault() of vcs/path.h.
 */
#ifndef BASE_BENEATH_H
#define BASE_BENEATH_H

#include <sys/stat.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"

enum beneath_found {
	BENEATH_FOUND = 0,
	BENEATH_MISSING, /* so is what has a file for a folder */
	BENEATH_LINK,	 /* a symbolic link, or below one */
	BENEATH_OTHER	 /* a folder, a FIFO, a socket, a device */
};
/*
 * Opens a regular file for reading; *ret_fd is the caller's. Never waits for a FIFO's other end.
 */
int beneath_open(int *ret_fd, struct stat *ret_stat, int folder_fd, const char *path,
		 struct error *err) MUST_CHECK;

/*
 * Opens the folder that the first `len` bytes of `path` name ("a/b/", or nothing: `folder_fd`
 * itself, anew). -1 with errno: ELOOP for a link.
 */
int beneath_open_folder(int folder_fd, const char *path, size_t len) MUST_CHECK;

/*
 * For looking at many files: the folder of the last one is kept open, so that files that come
 * in the order of their paths cost one opened folder for each folder.
 * Owner: the caller; beneath_release() closes it. `top` stays the caller's own.
 */
struct beneath {
	int top, folder;
	struct strbuf path; /* of `folder`: "a/b/", or "" */
};
#define BENEATH_INIT(fd)                                       \
	{                                                      \
		.top = (fd), .folder = -1, .path = STRBUF_INIT \
	}
void beneath_release(struct beneath *b);
/* The folder that `path` is in, valid until the next call, and its last part; -1 with errno. */
int beneath_find_folder(struct beneath *b, const char **ret_name, const char *path) MUST_CHECK;
/* lstat(); -1 with errno. */
int beneath_stat(struct beneath *b, struct stat *ret, const char *path) MUST_CHECK;

/* Makes the folder and those above it that are missing; one that is there is no error. */
int beneath_make_folders(int folder_fd, const char *path, mode_t mode, struct error *err)
	MUST_CHECK;
/*
 * Removes the folder where it is empty, and those above it that are empty then. What is not,
 * and what is behind a link, stays.
 */
void beneath_remove_folders(int folder_fd, const char *path);

#endif
