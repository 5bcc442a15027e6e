/* SPDX-License-Identifier: MIT */
/*
 * index-lock: git's own lock on the index, held in an operation's name while git's commands
 * work on a copy of it.
 *
 * Use:    index_lock_take(), index_copy() to a file of ours, git with GIT_INDEX_FILE set to
 *         that; then rename() it to .index, which index_lock_sync() makes last.
 *         index_lock_release() lets go, and frees all.
 * Whose:  the operation's id stands in the lock from the first moment on where there are hard
 *         links, so that undo may remove what a killed command left.
 */
#ifndef VCS_INDEX_LOCK_H
#define VCS_INDEX_LOCK_H

#include "base/compat.h"
#include "base/error.h"
#include "vcs/repo.h"

struct index_lock {
	char *index, *path; /* the index that git uses, and the lock on it */
	bool held;
};
#define INDEX_LOCK_INIT \
	{               \
		0       \
	}

/* Fills in the paths; nothing else happens. */
void index_lock_init(struct index_lock *lock, const struct repo *repo);
/* Refused where somebody has it. `folder` is ours, on the same file system. */
int index_lock_take(struct index_lock *lock, const char *folder, const char *id, struct error *err)
	MUST_CHECK;
/* -1 where it could not be removed: then no git can change the index until a person has done so. */
int index_lock_let_go(struct index_lock *lock, struct error *err) MUST_CHECK;
/* Lets go, too; of its failures nothing is heard. */
void index_lock_release(struct index_lock *lock);
/* Syncs the folder that the index is in. */
int index_lock_sync(const struct index_lock *lock, struct error *err) MUST_CHECK;

/*
 * A copy with the time of the original: by it git knows which entries may hide an edit that
 * came within the same tick. Where there is no index there is no copy.
 */
int index_copy(const char *to, const char *from, struct error *err) MUST_CHECK;

/*
 * Whose is it? *ret_id is the operation of ours that took it (free() it), NULL when there is
 * none, or it is another's.
 */
int index_lock_owner(char **ret_id, const struct repo *repo, struct error *err) MUST_CHECK;
/* Removes one of an operation that is known to be dead. */
int index_lock_remove(const struct repo *repo, struct error *err) MUST_CHECK;

#endif
