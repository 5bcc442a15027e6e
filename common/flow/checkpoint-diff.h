/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-diff: what differs between a checkpoint and the present, or another one: of
 * tracked and untracked files alike, as they were on disk.
 *
 * The two states are trees, in a folder of objects that is thrown away, and `git diff` shows
 * them, with the pager and the colours of the user. The repository is not written to.
 */
#ifndef FLOW_CHECKPOINT_DIFF_H
#define FLOW_CHECKPOINT_DIFF_H

#include "flow/checkpoint.h"

enum checkpoint_diff_format {
	CHECKPOINT_DIFF_STAT,
	CHECKPOINT_DIFF_NAMES, /* and what became of them */
	CHECKPOINT_DIFF_PATCH
};
struct checkpoint_diff_request {
	const char *name, *other; /* `other` NULL: the present */
	int format;		  /* enum checkpoint_diff_format */
	const char *const *pathspec;
	size_t pathspecs;
};
/* Returns an exit code, or -1. */
int checkpoint_diff(const struct checkpoint_session *s,
		    const struct checkpoint_diff_request *request, struct error *err) MUST_CHECK;

#endif
