/* SPDX-License-Identifier: MIT */
/*
 * folders: the empty folders of a worktree, of which git knows nothing.
 *
 * A folder counts when there is nothing in it at all, it is not ignored, and in no
 * repository of its own. Of tracked folders only the number of links is looked at, where
 * the file system counts those: it tells whether there are folders that git does not know.
 */
#ifndef VCS_FOLDERS_H
#define VCS_FOLDERS_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "vcs/index.h"
#include "vcs/repo.h"

/*
 * Appends the empty ones ("a/b"), and those that we may not look into. Meant to be done while
 * `git status` runs.
 */
int folders_find(struct strvec *ret_empty, struct strvec *ret_unreadable, const struct repo *repo,
		 const struct index_file *index, struct error *err) MUST_CHECK;
/* Appends the folder that is empty since the tracked file at `path` is gone, where there is one. */
void folders_find_left(struct strvec *ret_empty, int dirfd, const char *path);

#endif
