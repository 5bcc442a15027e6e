/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-commit: everything in the worktree committed to the branch, as `git add --all`
 * and `git commit` do it, hooks and signing included.
 *
 * Both work on a copy of the index while git's lock on it is held in the operation's name
 * (vcs/index-lock.h), and the copy takes the index's place once there is a commit: where a hook
 * refuses, what was staged is as before.
 */
#ifndef FLOW_CHECKPOINT_COMMIT_H
#define FLOW_CHECKPOINT_COMMIT_H

#include "base/error.h"
#include "vcs/repo.h"

enum checkpoint_committed {
	CHECKPOINT_COMMITTED = 0,
	CHECKPOINT_NOTHING_TO_COMMIT = 1,
	/* The commit may be there, with the old index, and locks of git's: err says why. */
	CHECKPOINT_HALF_COMMITTED = 2
};
struct checkpoint_commit {
	const char *operation; /* its id */
	const char *old_head;  /* the commit that HEAD is; NULL: none yet */
	const char *message;
};
int checkpoint_commit(const struct repo *repo, const struct checkpoint_commit *commit,
		      struct error *err) MUST_CHECK;

#endif
