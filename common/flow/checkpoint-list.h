/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-list: the checkpoints that there are, by one `git for-each-ref`; or the
 * operations of the journal.
 */
#ifndef FLOW_CHECKPOINT_LIST_H
#define FLOW_CHECKPOINT_LIST_H

#include "base/error.h"
#include "term/options.h"

struct checkpoint_list_request {
	const char *const *pattern; /* as for-each-ref has them, below refs/checkpoints/ */
	size_t patterns;
	const char *stage; /* NULL: any */
	bool operations;
};

/* Opens a session of its own, since git can look for refs at the same time. */
int checkpoint_list(const struct checkpoint_list_request *request,
		    const struct common_options *common, struct error *err) MUST_CHECK;

#endif
