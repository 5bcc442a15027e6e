/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-undo: what an operation of `git checkpoint` changed, taken back: refs get their
 * old values, and where there is a safety snapshot, HEAD, index and worktree are restored
 * from it. The undo is an operation itself, so that undoing that one does it again.
 */
#ifndef FLOW_CHECKPOINT_UNDO_H
#define FLOW_CHECKPOINT_UNDO_H

#include "flow/checkpoint.h"

/*
 * `operation` is an id; NULL: one that was interrupted, else the newest that is neither undone
 * nor an undo. What changed a database is refused with the command that takes it back. Returns
 * an exit code, or -1.
 */
int checkpoint_undo(struct checkpoint_session *s, const char *operation, struct error *err)
	MUST_CHECK;

#endif
