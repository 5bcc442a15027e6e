/* SPDX-License-Identifier: MIT */
#include "pg/lockwait.h"

#include "base/json.h"
#include "base/memory.h"

/* Which modes exclude each other: PostgreSQL's documentation, "Table-Level Lock Modes". */
static const char locks_sql[] =
	"WITH conflict (mode, others) AS (VALUES"
	"  ('AccessShareLock', ARRAY['AccessExclusiveLock']),"
	"  ('RowShareLock', ARRAY['ExclusiveLock', 'AccessExclusiveLock']),"
	"  ('RowExclusiveLock', ARRAY['ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',"
	"   'AccessExclusiveLock']),"
	"  ('ShareUpdateExclusiveLock', ARRAY['ShareUpdateExclusiveLock', 'ShareLock',"
	"   'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']),"
	"  ('ShareLock', ARRAY['RowExclusiveLock', 'ShareUpdateExclusiveLock',"
	"   'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']),"
	"  ('ShareRowExclusiveLock', ARRAY['RowExclusiveLock', 'ShareUpdateExclusiveLock',"
	"   'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock']),"
	"  ('ExclusiveLock', ARRAY['RowShareLock', 'RowExclusiveLock',"
	"   'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',"
	"   'AccessExclusiveLock']),"
	"  ('AccessExclusiveLock', ARRAY['AccessShareLock', 'RowShareLock', 'RowExclusiveLock',"
	"   'ShareUpdateExclusiveLock', 'ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock',"
	"   'AccessExclusiveLock'])),"
	" held AS MATERIALIZED (SELECT * FROM pg_catalog.pg_locks WHERE locktype = 'relation'"
	"  AND pid IS DISTINCT FROM pg_catalog.pg_backend_pid()"
	"  AND database = (SELECT oid FROM pg_catalog.pg_database"
	"   WHERE datname = pg_catalog.current_database())),"
	" wanted AS MATERIALIZED (SELECT w.*, pg_catalog.format('%I.%I', s.nspname, r.relname)"
	"   AS identity FROM pg_catalog.json_to_recordset($1::pg_catalog.json)"
	"   w (n int, oid oid, mode text)"
	"  JOIN pg_catalog.pg_class r ON r.oid = w.oid"
	"  JOIN pg_catalog.pg_namespace s ON s.oid = r.relnamespace),"
	" found AS (SELECT w.n, w.identity, l.pid, l.mode, l.granted, a.application_name, a.usename, a.state,"
	"  EXTRACT(epoch FROM pg_catalog.clock_timestamp() - a.state_change) AS age"
	"  FROM wanted w JOIN conflict c USING (mode)"
	"  LEFT JOIN held l ON l.relation = w.oid AND l.mode = ANY (c.others)"
	"  LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid)"
	" SELECT DISTINCT ON (n) n, identity, pid, application_name, usename, state,"
	"  (age * 1000000)::int8, NOT granted, (SELECT pg_catalog.count(DISTINCT coalesce(o.pid, 0))"
	"   FROM found o WHERE o.n = found.n AND o.mode IS NOT NULL),"
	"  EXISTS (SELECT FROM found o WHERE o.n = found.n AND o.mode = 'AccessExclusiveLock')"
	" FROM found ORDER BY n, granted DESC, age DESC NULLS LAST, pid";

static json_t *locks_to_json(const struct lockwait *locks, size_t nr)
{
	json_t *ret = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(ret,
				      json_pack("{s:o, s:I, s:s}", "n", json_size(i), "oid",
						(json_int_t)locks[i].oid, "mode", locks[i].mode));
	return ret;
}

int lockwait_read(struct lockwait *locks, size_t nr, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	json_t *list CLEANUP(json_decref_p) = locks_to_json(locks, nr);
	char *text CLEANUP(free_p) = json_dumps(list, JSON_COMPACT);
	const char *params[] = { text };

	if (!nr)
		return 0;
	if (db_query(&res, db, locks_sql, ARRAY_SIZE(params), params, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++) {
		struct lockwait *lock = &locks[db_int(&res, row, 0)];

		lock->identity = xstrdup(db_value(&res, row, 1));
		lock->pid = db_is_null(&res, row, 2) ? 0 : db_int(&res, row, 2);
		lock->application = xstrdup_or_null(db_value_or_null(&res, row, 3));
		lock->role = xstrdup_or_null(db_value_or_null(&res, row, 4));
		lock->state = xstrdup_or_null(db_value_or_null(&res, row, 5));
		lock->since = db_is_null(&res, row, 6) ? -1 : db_int(&res, row, 6);
		lock->waiting = db_bool(&res, row, 7);
		lock->nr = (size_t)db_int(&res, row, 8);
		lock->unreadable = db_bool(&res, row, 9);
	}
	return 0;
}

void lockwait_release(struct lockwait *lock)
{
	free(lock->identity);
	free(lock->application);
	free(lock->role);
	free(lock->state);
	*lock = (struct lockwait){ 0 };
}
