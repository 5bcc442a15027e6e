/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-verify: the proof that checkpoints are whole.
 *
 * Every object of a checkpoint is read back and hashed; history below HEAD's commit is
 * walked; tag, snapshot and manifest are compared, the payload with its digests, and git-lfs
 * objects with their pointers. What is wrong is named, with what is lost by it and what can
 * be done.
 */
#ifndef FLOW_CHECKPOINT_VERIFY_H
#define FLOW_CHECKPOINT_VERIFY_H

#include "flow/checkpoint.h"

struct checkpoint_verify_request {
	const char *const *name; /* as checkpoint_find() takes it; none: all checkpoints */
	size_t names;
	bool all; /* and the safety snapshots of operations */
};

/* EXIT_DONE: all is well; EXIT_NO: something is wrong, and was said; or -1. */
int checkpoint_verify(struct checkpoint_session *s, const struct checkpoint_verify_request *request,
		      struct error *err) MUST_CHECK;

#endif
