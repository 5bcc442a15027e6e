/* SPDX-License-Identifier: MIT */
/*
 * settle: what commands that were killed have left open in the journal.
 *
 * Of an operation on the session's database: what the database's log has was done, and gets
 * its refs in git; the rest was not. Then the record is closed.
 */
#ifndef FLOW_SETTLE_H
#define FLOW_SETTLE_H

#include "flow/session.h"

/* As change_begin() does it, with the locks of the operation `own_id` held. */
int settle_others(struct session *s, const char *own_id, struct error *err) MUST_CHECK;
/*
 * For a command that finds nothing to do: takes the locks where there is something to settle.
 * Somebody else at work is no error here.
 */
int settle_alone(struct session *s, struct error *err) MUST_CHECK;

#endif
