/* SPDX-License-Identifier: MIT */
/*
 * lockfile: one holder at a time, by a file that says who.
 *
 * The lock itself is flock(2) on that file, so that it ends with the process that holds
 * it, however that ends: a stale file is no lock. The content names pid, host and what
 * the holder does, for messages. The file stays; its content is emptied on release.
 *
 * On a file system without flock() the error says so.
 */
#ifndef BASE_LOCKFILE_H
#define BASE_LOCKFILE_H

#include "base/compat.h"
#include "base/error.h"

struct lockfile {
	int fd; /* -1: not held */
};
#define LOCKFILE_INIT    \
	{                \
		.fd = -1 \
	}

enum lockfile_result { LOCKFILE_HELD = 0, LOCKFILE_BUSY = 1 };

/*
 * Takes the lock. LOCKFILE_BUSY: someone else has it, and *ret_holder (free() it) says who.
 */
int lockfile_take(struct lockfile *lock, const char *path, const char *what, char **ret_holder,
		  struct error *err) MUST_CHECK;
/* Is it held now? 1 yes, 0 no, -1 error. Leaves the file as it is. */
int lockfile_is_held(const char *path, struct error *err) MUST_CHECK;
void lockfile_release(struct lockfile *lock);

#endif
