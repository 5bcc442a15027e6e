/* SPDX-License-Identifier: MIT */
#include "pg/dblock.h"

#include <time.h>

#include "base/clock.h"
#include "base/digest.h"
#include "base/interrupt.h"
#include "base/memory.h"

/* hashtext() is not promised to stay the same, so the key is made here. */
static const char *key(void)
{
	static char text[32];

	if (!*text)
		snprintf(text, sizeof(text), "%" PRId64,
			 (int64_t)digest_number("git-rollback:migrations"));
	return text;
}

/* Who else holds it; unless `application` is NULL, only if it is that, and in a transaction. */
static int find_holder(char **ret_holder, struct db *db, const char *application, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { key(), application };

	*ret_holder = NULL;
	if (db_query(
		    &res, db,
		    "SELECT l.pid, a.application_name, a.usename,"
		    " to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'"
		    " FROM pg_catalog.pg_locks l"
		    " LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid"
		    " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
		    " AND l.pid <> pg_catalog.pg_backend_pid()"
		    " AND l.database = (SELECT oid FROM pg_catalog.pg_database"
		    "                   WHERE datname = pg_catalog.current_database())"
		    " AND (l.classid::int8 << 32 | l.objid::int8) = $1::int8"
		    " AND ($2::text IS NULL OR (a.application_name = $2 AND a.state <> 'idle')) LIMIT 1",
		    2, params, err) < 0)
		return -1;
	if (!res.rows)
		return 0;
	*ret_holder =
		xstrfmt("process %s, '%s' of role '%s', connected since %s", db_value(&res, 0, 0),
			db_value(&res, 0, 1), db_value(&res, 0, 2), db_value(&res, 0, 3));
	return 0;
}

int dblock_holder(char **ret_holder, struct db *db, struct error *err)
{
	return find_holder(ret_holder, db, NULL, err);
}

int dblock_is_used_by(bool *ret, struct db *db, const char *application, struct error *err)
{
	char *holder CLEANUP(free_p) = NULL;

	if (find_holder(&holder, db, application, err) < 0)
		return -1;
	*ret = holder != NULL;
	return 0;
}

static int try_lock(struct db *db, const char *sql, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { key() };

	if (db_query(&res, db, sql, 1, params, err) < 0)
		return -1;
	return db_bool(&res, 0, 0) ? DBLOCK_HELD : DBLOCK_BUSY;
}

/* Who holds it; the lock may be free again by the time we ask. */
static int busy(char **ret_holder, struct db *db, struct error *err)
{
	if (dblock_holder(ret_holder, db, err) < 0)
		return -1;
	if (!*ret_holder)
		*ret_holder = xstrdup("a process that has just ended");
	return DBLOCK_BUSY;
}

static void pause_milliseconds(long ms)
{
	struct timespec pause = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };

	nanosleep(&pause, NULL); /* a signal ends it early, as it should */
}

/* A pooler hands out other process ids than the server's. */
void dblock_add_try(struct db_batch *batch, const struct db *db)
{
	static const char sql[] =
		"SELECT CASE WHEN pg_catalog.pg_backend_pid() OPERATOR(pg_catalog.=) $2::int4"
		" THEN pg_catalog.pg_try_advisory_lock($1::int8) END";
	char pid[16];
	const char *params[] = { key(), pid };

	snprintf(pid, sizeof(pid), "%d", db_announced_pid(db));
	db_batch_add(batch, sql, strlen(sql), ARRAY_SIZE(params), params)->wanted = true;
}

bool dblock_is_taken(const struct db_result *res)
{
	return !db_is_null(res, 0, 0) && db_bool(res, 0, 0);
}

int dblock_take(struct db *db, int wait_seconds, dblock_waiting_fn *waiting, void *data,
		char **ret_holder, struct error *err)
{
	int64_t deadline = clock_monotonic() + (int64_t)wait_seconds * 1000000;
	long pause = 20;
	bool told = false;

	for (;;) {
		int ret = try_lock(db, "SELECT pg_catalog.pg_try_advisory_lock($1::int8)", err);

		if (ret != DBLOCK_BUSY)
			return ret;
		if (interrupt_pending())
			return error_interrupted(err);
		if (!wait_seconds || (wait_seconds > 0 && clock_monotonic() >= deadline))
			return busy(ret_holder, db, err);
		if (!told && waiting) {
			char *holder CLEANUP(free_p) = NULL;

			if (busy(&holder, db, err) < 0)
				return -1;
			waiting(data, holder);
			told = true;
		}
		pause_milliseconds(pause);
		if (pause < 1000)
			pause *= 2;
	}
}

static int backend_pid(int64_t *ret, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db, "SELECT pg_catalog.pg_backend_pid()", 0, NULL, err) < 0)
		return -1;
	*ret = db_int(&res, 0, 0);
	return 0;
}

int dblock_take_pooled(struct db *db, struct db *probe, int wait_seconds,
		       dblock_waiting_fn *waiting, void *data, char **ret_holder, struct error *err)
{
	const int samples = 4;
	int64_t ours, theirs, again;
	bool moved;

	/*
	 * While we are idle, a pooler in transaction mode hands our backend to the next who
	 * asks; one in session mode cannot. With server_round_robin the next who asks gets
	 * another one, but so do we ourselves.
	 */
	if (backend_pid(&ours, db, err) < 0)
		return -1;
	moved = ours != db->backend_pid;
	for (int i = 0; i < samples && !moved; i++) {
		if (backend_pid(&again, db, err) < 0)
			return -1;
		moved = again != ours;
	}
	if (backend_pid(&theirs, probe, err) < 0)
		return -1;
	if (moved || ours == theirs) {
		error_refused(err, "cannot hold a lock through this connection pooler: "
				   "it gives each transaction another server process");
		return error_hint(err,
				  "Connect to the server itself, or through a pooler in session "
				  "mode, for scripts that run outside a transaction.");
	}
	return dblock_take(db, wait_seconds, waiting, data, ret_holder, err);
}

void dblock_release_start(struct db_batch *batch, struct db *db)
{
	static const char sql[] = "SELECT pg_catalog.pg_advisory_unlock($1::int8)";
	const char *params[] = { key() };

	if (db_is_lost(db))
		return;
	db_batch_add(batch, sql, strlen(sql), ARRAY_SIZE(params), params);
	db_batch_start(db, batch);
}

void dblock_release_finish(struct db_batch *batch, struct db *db)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	if (db_batch_run(db, batch, NULL, &ignored) < 0)
		error_clear(&ignored); /* the session's end releases it */
}

void dblock_release(struct db *db)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	dblock_release_start(&batch, db);
	dblock_release_finish(&batch, db);
}

int dblock_try_transaction(struct db *db, char **ret_holder, struct error *err)
{
	int ret = try_lock(db, "SELECT pg_catalog.pg_try_advisory_xact_lock($1::int8)", err);

	return ret == DBLOCK_BUSY ? busy(ret_holder, db, err) : ret;
}
