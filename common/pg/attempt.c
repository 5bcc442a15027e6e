/* SPDX-License-Identifier: MIT */
#include "pg/attempt.h"

#include "base/memory.h"

/* For somebody who has taken a lock since we looked. */
#define LOCK_TIMEOUT "200ms"

static const char settings_sql[] =
	"SELECT pg_catalog.set_config('search_path', 'pg_catalog, pg_temp', true),"
	" pg_catalog.set_config('row_security', 'off', true),"
	" pg_catalog.set_config('jit', 'off', true),"
	" pg_catalog.set_config('lock_timeout', '" LOCK_TIMEOUT "', true),"
	" pg_catalog.set_config('statement_timeout', $1, true)";

/* Of newer minor versions: a view that has taken the name of a table by now is not run. */
static const char no_views_sql[] =
	"SELECT pg_catalog.set_config(name, 'view', true) FROM pg_catalog.pg_settings"
	" WHERE name = 'restrict_nonsystem_relation_kind'";

static void add(struct db_batch *batch, const char *sql)
{
	db_batch_add(batch, sql, strlen(sql), 0, NULL);
}

/* Leaves the transaction as it was before, or ends our own. */
static int step_back(struct db *db, bool inside, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (!inside) {
		db_rollback(db);
		return 0;
	}
	add(&batch, "ROLLBACK TO SAVEPOINT git_rollback_attempt");
	add(&batch, "RELEASE SAVEPOINT git_rollback_attempt");
	return db_batch_run(db, &batch, NULL, err);
}

int attempt_query(struct db_result *ret, char **ret_failure, struct db *db, const char *sql,
		  const char *param, int limit, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	struct error failure CLEANUP(error_release) = ERROR_INIT;
	struct db_command *command;
	bool inside = db_in_transaction(db);
	char timeout[16];
	const char *const limits[] = { timeout }, *const params[] = { param };

	snprintf(timeout, sizeof(timeout), "%d", limit);
	add(&batch, inside ? "SAVEPOINT git_rollback_attempt" : "BEGIN READ ONLY");
	db_batch_add(&batch, settings_sql, strlen(settings_sql), 1, limits);
	add(&batch, no_views_sql);
	db_batch_add(&batch, sql, strlen(sql), param ? 1 : 0, params)->wanted = true;
	if (db_batch_run(db, &batch, NULL, &failure) < 0) {
		if (failure.exit_code == EXIT_INTERRUPTED || db_is_lost(db)) {
			if (!inside)
				db_rollback(db);
			error_move(err, &failure);
			return -1;
		}
		*ret_failure =
			strcmp(failure.sqlstate, "57014") != 0 ? xstrdup(failure.message) : NULL;
		return step_back(db, inside, err) < 0 ? -1 : ATTEMPT_FAILED;
	}
	if (step_back(db, inside, err) < 0)
		return -1;
	command = &batch.item[batch.nr - 1];
	*ret = command->result;
	command->result = (struct db_result)DB_RESULT_INIT;
	return ATTEMPT_DONE;
}
