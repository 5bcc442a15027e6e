/* SPDX-License-Identifier: MIT */
/*
 * resume: where a script that runs outside a transaction goes on after a break.
 *
 * Statements whose end the log knows are done. One that was begun and of which no end is
 * known may have happened or not: what it finds in the catalog decides. An invalid index
 * that a broken CREATE INDEX CONCURRENTLY left is dropped first.
 */
#ifndef FLOW_RESUME_H
#define FLOW_RESUME_H

#include "flow/session.h"
#include "sql/script.h"

/*
 * *ret is the index of the first statement still to be run. -1, EXIT_NO: a person has to
 * look, since the catalog cannot tell.
 */
int resume_point(size_t *ret, struct session *s, const struct sql_script *script,
		 const struct log_unfinished *unfinished, struct error *err) MUST_CHECK;

/* After the server has refused a statement: can there be traces of it in the catalog? */
int resume_left_something(bool *ret, struct session *s, const struct sql_statement *statement,
			  struct error *err) MUST_CHECK;

#endif
