/* SPDX-License-Identifier: MIT */
/*
 * attempt: a statement that only reads, may take only so long, and may fail, as where a table is
 * locked or may not be read.
 *
 * Runs: in a transaction of its own that writes nothing; inside an open one behind a savepoint,
 *       so that neither settings nor a failure stay in it. With search_path pg_catalog,
 *       and row_security off: where a policy would hide rows, it fails; and so does, where the
 *       server can tell, a read of a view of the user's, which could run anything.
 */
#ifndef PG_ATTEMPT_H
#define PG_ATTEMPT_H

#include "pg/db.h"

enum attempt_result { ATTEMPT_DONE = 0, ATTEMPT_FAILED = 1 };
/*
 * `param` ($1) may be NULL, where there is none; `limit` is in milliseconds. ATTEMPT_FAILED: the
 * server refused it; *ret_failure (free() it) says why, and stays NULL where the time was over.
 */
int attempt_query(struct db_result *ret, char **ret_failure, struct db *db, const char *sql,
		  const char *param, int limit, struct error *err) MUST_CHECK;

#endif
