/* SPDX-License-Identifier: MIT */
/*
 * outside: a script that runs outside a transaction. The database's log has a row of it from
 * before its first statement until after its last, which says how far it came.
 *
 * Use:    fill the upper part; outside_begin() commits the row, or finds out where an
 *         interrupted script goes on; outside_execute() runs the statements that are left;
 *         outside_add_end() begins the transaction that closes the row, to which the caller
 *         adds its own statements before change_run() and change_commit().
 * Owner:  the caller; nothing to free.
 * Errors: -1 with `err` set, the script's place and version in it. What is to be done next
 *         depends on the command, which adds the hints.
 */
#ifndef FLOW_OUTSIDE_H
#define FLOW_OUTSIDE_H

#include "flow/change.h"

struct outside_run {
	struct change *change;
	const struct sql_script *script;
	struct log_record record;		 /* of a script that begins, up or down */
	const struct log_unfinished *unfinished; /* it was interrupted; or NULL */
	bool restart;				 /* that one is closed, and it begins anew */
	/* From outside_begin() on: */
	const char *operation; /* under which the log has it */
	size_t from;	       /* the first statement to be run */
	/* From outside_execute() on: */
	int64_t microseconds;
};

int outside_begin(struct outside_run *run, struct error *err) MUST_CHECK;
/* Takes back the script's settings also when it fails. */
int outside_execute(struct outside_run *run, struct error *err) MUST_CHECK;
/*
 * For one that has failed: takes the row away again when nothing had happened yet. True when
 * there is none now.
 */
bool outside_forget(struct outside_run *run) MUST_CHECK;
/* `fingerprint` and `objects` go into the row; both may be NULL. */
int outside_add_end(struct outside_run *run, struct db_batch *batch, const char *fingerprint,
		    const char *objects, struct error *err) MUST_CHECK;
/* For that transaction's change_commit(). */
struct change_witness outside_witness(const struct outside_run *run);

#endif
