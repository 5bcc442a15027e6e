/* SPDX-License-Identifier: MIT */
/*
 * status (the flow): what is applied, pending, changed, missing; read and printed.
 */
#ifndef FLOW_STATUS_H
#define FLOW_STATUS_H

#include "flow/session.h"

struct status_request {
	const char *rev;   /* <rev>, or the second of a range; NULL: the worktree */
	const char *since; /* the first of a range, or NULL */
	const char *database;
	bool all_databases; /* each that is configured, one after the other */
	bool check;
	struct common_options common;
};
#define STATUS_REQUEST_INIT                   \
	{                                     \
		.common = COMMON_OPTIONS_INIT \
	}

/*
 * Prints the listing. EXIT_DONE, or EXIT_NO when `check` finds something; -1 is an error. Of all
 * databases one that fails does not stop the others: it is told, and the exit code is its own.
 */
int status_run(const struct status_request *request, struct error *err) MUST_CHECK;

#endif
