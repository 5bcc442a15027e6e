/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-commit: everything in the worktree committed to the branch, as `git add --all`
 * and `git commit` do it, hooks and signing included.
 *
 * Both work on a copy of the index that is also git's lock on it, and which takes the
 * index's place once there is a commit: where a hook refuses, what was staged is as before.
 */
#ifndef FLOW_CHECKPOINT_COMMIT_H
#define FLOW_CHECKPOINT_COMMIT_H

#include "base/error.h"
#include "vcs/repo.h"

enum checkpoint_committed { CHECKPOINT_COMMITTED = 0, CHECKPOINT_NOTHING_TO_COMMIT = 1 };
int checkpoint_commit(const struct repo *repo, const char *message, struct error *err) MUST_CHECK;

#endif
