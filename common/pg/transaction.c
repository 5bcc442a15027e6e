/* SPDX-License-Identifier: MIT */
#include "pg/transaction.h"

#include "base/memory.h"

/* A run of migrations asks for all of this once a migration. */
static struct db_command *add(struct db_batch *batch, const char *sql)
{
	struct db_command *command = db_batch_add(batch, sql, strlen(sql), 0, NULL);

	command->repeated = true;
	return command;
}

/* One statement for all of them; `local` ends them with the transaction. */
static void add_settings(struct db_batch *batch, const struct db *db, bool local)
{
	const struct {
		const char *name, *value;
	} settings[] = {
		{ "idle_in_transaction_session_timeout", DB_IDLE_TIMEOUT },
		{ "client_connection_check_interval",
		  db->version >= 140000 ? DB_CHECK_INTERVAL : NULL },
		{ "application_name", db->application_name },
		{ "lock_timeout", db->lock_timeout },
		{ "statement_timeout", db->statement_timeout },
	};
	const char *params[ARRAY_SIZE(settings)];
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t nr = 0;

	strbuf_addstr(&sql, "SELECT NULL");
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!settings[i].value)
			continue;
		params[nr++] = settings[i].value;
		strbuf_addf(&sql, ", pg_catalog.set_config('%s', $%zu, %s)", settings[i].name, nr,
			    local ? "true" : "false");
	}
	db_batch_add(batch, sql.buf, sql.len, nr, params)->repeated = true;
}

int transaction_set_session(struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (db->settings)
		return 0;
	add_settings(&batch, db, false);
	return db_batch_run(db, &batch, NULL, err);
}

void transaction_add_begin(struct db_batch *batch, const struct db *db)
{
	add(batch, "BEGIN ISOLATION LEVEL READ COMMITTED");
	if (!db->settings)
		add_settings(batch, db, true);
}

/* Of a transaction that has failed the server makes a ROLLBACK, and calls it so. */
void transaction_add_commit(struct db_batch *batch)
{
	static const char sql[] = "COMMIT";

	add(batch, sql)->expected_tag = sql;
}

/* RESET ALL takes back neither the role nor the session's user. */
static void add_reset(struct db_batch *batch)
{
	add(batch, "RESET ALL");
	add(batch, "RESET SESSION AUTHORIZATION");
	add(batch, "RESET ROLE");
}

void transaction_add_reset(struct db_batch *batch, const struct db *db)
{
	add_reset(batch);
	if (!db->settings)
		add_settings(batch, db, true);
	/* A temporary table would hide the next script's table of that name. */
	add(batch, "DISCARD TEMP");
	add(batch, "CLOSE ALL");
}

int transaction_deallocate(struct db *db, struct error *err)
{
	db_forget_prepared(db);
	return db_exec(db, "DEALLOCATE ALL", err);
}

int transaction_reset_session(struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	add_reset(&batch);
	return db_batch_run(db, &batch, NULL, err);
}

/*
 * By name: ALL would stand for constraints that are yet to be made as well. And not inside a
 * savepoint that is rolled back: the events would wait again, and ALTER TABLE refuses a
 * table with waiting events. A name may be that of several constraints of a schema; where
 * one of them cannot be deferred, SET CONSTRAINTS refuses the name.
 */
int transaction_check_deferred(struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db,
		     "SELECT 'SET CONSTRAINTS ' || pg_catalog.string_agg(c.name, ', ') || ' IMMEDIATE',"
		     " 'SET CONSTRAINTS ' || pg_catalog.string_agg(c.name, ', ')"
		     "  FILTER (WHERE c.may_wait AND c.waits) || ' DEFERRED'"
		     " FROM (SELECT pg_catalog.format('%I.%I', n.nspname, k.conname) AS name,"
		     "  pg_catalog.bool_and(k.condeferrable) AS may_wait,"
		     "  pg_catalog.bool_or(k.condeferrable) AS may_any,"
		     "  pg_catalog.bool_or(k.condeferred) AS waits"
		     "  FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_namespace n"
		     "  ON n.oid = k.connamespace"
		     "  WHERE NOT pg_catalog.pg_is_other_temp_schema(n.oid)"
		     "  AND pg_catalog.has_schema_privilege(n.oid, 'USAGE') GROUP BY 1) c"
		     " WHERE c.may_any",
		     0, NULL, err) < 0)
		return -1;
	for (size_t column = 0; column < res.columns; column++)
		if (!db_is_null(&res, 0, column) && db_exec(db, db_value(&res, 0, column), err) < 0)
			return -1;
	return 0;
}

int transaction_commit(struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	transaction_add_commit(&batch);
	if (db_batch_run(db, &batch, NULL, err) == 0)
		return TRANSACTION_COMMITTED;
	if (db_is_lost(db))
		return TRANSACTION_UNKNOWN;
	db_rollback(db);
	return -1;
}

int transaction_begin_snapshot(char **ret_snapshot, struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;
	/* It is idle while others read. */
	static const char limits[] =
		"SELECT pg_catalog.set_config('lock_timeout', $1, true),"
		" pg_catalog.set_config('statement_timeout', $2, true),"
		" pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true)";
	static const char export[] = "SELECT pg_catalog.pg_export_snapshot()";
	const char *params[] = { db->lock_timeout, db->statement_timeout };

	add(&batch, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
	/* NULL takes back the session's own setting, to the server's. */
	db_batch_add(&batch, limits, strlen(limits), 2, params);
	db_batch_add(&batch, export, strlen(export), 0, NULL)->wanted = true;
	if (db_batch_run(db, &batch, NULL, err) < 0)
		return -1;
	*ret_snapshot = xstrdup(db_value(&batch.item[2].result, 0, 0));
	return 0;
}
