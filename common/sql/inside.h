/* SPDX-License-Identifier: MIT */
/*
 * inside: a script that has to run outside of a transaction, made into one that can run inside.
 *
 * CONCURRENTLY spares others from waiting, and changes nothing of what comes of a statement: where
 * they have to wait anyway it can be left out.
 */
#ifndef SQL_INSIDE_H
#define SQL_INSIDE_H

#include "sql/script.h"

/*
 * With *ret_why NULL the script runs inside now (`no_transaction` and all `outside` are false): in
 * its text, blanks are where CONCURRENTLY was, and all places are what they were. Else *ret_why is
 * the first statement that nothing can make run inside (VACUUM, CREATE DATABASE, REINDEX
 * (CONCURRENTLY) TABLE ...), and the script is as it was. -1 only where there is no thread.
 */
int sql_script_make_inside(struct sql_script *script, const struct sql_statement **ret_why,
			   struct error *err) MUST_CHECK;

#endif
