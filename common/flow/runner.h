/* SPDX-License-Identifier: MIT */
/*
 * runner: running a script's statements, inside the open transaction or outside of one.
 *
 * Inside, the statements of a script are added to a batch, so that a whole script costs one
 * round trip. Outside, they go one by one, and the database's log says before each what is
 * begun, and after each what is done; a statement that could as well run in a transaction
 * does so together with that note, so that there is no doubt about it after a crash.
 * Errors: with file, line, column, the line itself and a caret.
 */
#ifndef FLOW_RUNNER_H
#define FLOW_RUNNER_H

#include "flow/session.h"
#include "pg/transaction.h"
#include "sql/script.h"

/* Adds all statements of the script, and what takes back the settings it makes. */
void runner_add_script(struct db_batch *batch, const struct db *db,
		       const struct sql_script *script);

/* Adds those of [from, to) alone. */
void runner_add_statements(struct db_batch *batch, const struct sql_script *script, size_t from,
			   size_t to);

/*
 * Runs the batch. When a script's statement fails, the error says where: statements carry 1 +
 * their index as tag and the script as source, all else nothing. *ret_failed, which may be
 * NULL, is the command that failed.
 */
int runner_run(struct db *db, struct db_batch *batch, size_t *ret_failed, struct error *err)
	MUST_CHECK;

/*
 * Runs the statements from index `from` on, each for itself, and keeps the log's row of
 * `operation` and `version` up to date. The row is there already. Session settings that
 * statements before `from` make are made again.
 */
int runner_run_outside(struct session *s, const struct sql_script *script, const char *operation,
		       const char *version, size_t from, struct error *err) MUST_CHECK;

/* Makes the session settings again that the statements before index `before` make. */
int runner_replay_settings(struct session *s, const struct sql_script *script, size_t before,
			   struct error *err) MUST_CHECK;

#endif
