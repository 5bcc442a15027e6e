/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-restore: HEAD, index and worktree made again what they were, as plan, show,
 * execute.
 *
 * Everything is found out, and the objects that are needed are verified, before anything
 * moves; then the present state is kept as the operation's safety snapshot
 * refs/rollback/op/<id>/safety, and HEAD comes last. What fails midway is put back. `git checkpoint
 * undo` restores that snapshot in the same way.
 * See flow/checkpoint-plan.h, which undo has in common with it; vcs/restore.h does the work.
 */
#ifndef FLOW_CHECKPOINT_RESTORE_H
#define FLOW_CHECKPOINT_RESTORE_H

#include "flow/checkpoint.h"

/* What becomes of the branch. */
enum checkpoint_strategy {
	CHECKPOINT_DEFAULT, /* as CHECKPOINT_RESET; with a pathspec the branch stays */
	CHECKPOINT_RESET,   /* it goes to the checkpoint's commit */
	CHECKPOINT_REVERT,  /* one more commit, with the tree of the checkpoint's commit */
	CHECKPOINT_FILES    /* files change and nothing else: neither index nor branch */
};

struct checkpoint_restore_request {
	const char *name; /* as checkpoint_find() takes it */
	int strategy;	  /* enum checkpoint_strategy */
	const char *branch;
	bool detach;
	bool keep_untracked;
	bool with_db, no_db;
	const char *const *pathspec; /* those paths alone */
	size_t pathspecs;
};

/* Returns an exit code, or -1. */
int checkpoint_restore(struct checkpoint_session *s,
		       const struct checkpoint_restore_request *request, struct error *err)
	MUST_CHECK;

#endif
