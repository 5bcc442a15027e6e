/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-drop: taking checkpoints away: by name, or those that are old and many.
 *
 * What goes stays reachable under refs/rollback/op/<id>/<n> of the operation, so that
 * `git checkpoint undo` brings it back; only what `dangling` takes, which are such refs and
 * the safety snapshots of old operations, is gone for good: that is asked for.
 */
#ifndef FLOW_CHECKPOINT_DROP_H
#define FLOW_CHECKPOINT_DROP_H

#include "flow/checkpoint.h"

/* Both return an exit code, or -1. */
int checkpoint_drop(struct checkpoint_session *s, const char *const *name, size_t names,
		    struct error *err) MUST_CHECK;

struct checkpoint_prune_request {
	const char *const *pattern; /* of checkpoints; none: those without a name */
	size_t patterns;
	long keep;		/* the newest; -1: rollback.checkpoint.keep */
	const char *older_than; /* a date as git reads it, or NULL */
	bool dangling;		/* also what old operations keep */
};
int checkpoint_prune(struct checkpoint_session *s, const struct checkpoint_prune_request *request,
		     struct error *err) MUST_CHECK;

#endif
