/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-create: keeping the present state.
 *
 * The state is captured into objects that nothing points to yet; then the operation is
 * written down with the refs that it is about to make, and snapshot and tag appear in one
 * transaction. HEAD, index, worktree and reflogs stay as they are, but for `commit`.
 */
#ifndef FLOW_CHECKPOINT_CREATE_H
#define FLOW_CHECKPOINT_CREATE_H

#include "flow/checkpoint.h"
#include "flow/payload.h"

enum checkpoint_event { CHECKPOINT_NO_EVENT, CHECKPOINT_START, CHECKPOINT_COMPLETE };

struct checkpoint_create_request {
	const char *name; /* NULL: as stage, event and phase say, or none */
	const char *message, *stage, *phase, *story;
	int event; /* enum checkpoint_event */
	bool untracked;
	struct strvec ignored; /* pathspecs of ignored files that are wanted */
	int payload;	       /* enum payload_database */
	const char *database;
	bool commit; /* everything, to the branch, first */
	bool force;  /* replace one of that name */
};
#define CHECKPOINT_CREATE_REQUEST_INIT \
	{                              \
		.untracked = true      \
	}

/*
 * The name that a request has without one given: "stage-3-start", "phase-2-complete"; free()
 * it. NULL where it has none. An error where stage, event and phase do not go together.
 */
int checkpoint_derive_name(char **ret, const struct checkpoint_create_request *request,
			   struct error *err) MUST_CHECK;

/* Returns an exit code, or -1. */
int checkpoint_create(struct checkpoint_session *s, const struct checkpoint_create_request *request,
		      struct error *err) MUST_CHECK;

#endif
