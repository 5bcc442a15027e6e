/* SPDX-License-Identifier: MIT */
#include "pg/transaction.h"

#include "base/memory.h"

#define IDLE_TIMEOUT "60s"
#define CHECK_INTERVAL "2s"

static void add(struct db_batch *batch, const char *sql)
{
	db_batch_add(batch, sql, strlen(sql), 0, NULL);
}

/* Who we are in the session, taken back: set_config(..., NULL, ...) is RESET. */
#define RESET_IDENTITY                                               \
	"SELECT pg_catalog.set_config('session_authorization', NULL, false)," \
	" pg_catalog.set_config('role', NULL, false)"

/* One statement for all of them, behind `start`; `local` ends them with the transaction. */
static void add_settings(struct db_batch *batch, const struct db *db, const char *start, bool local)
{
	const struct {
		const char *name, *value;
	} settings[] = {
		{ "idle_in_transaction_session_timeout", IDLE_TIMEOUT },
		{ "client_connection_check_interval", db->version >= 140000 ? CHECK_INTERVAL : NULL },
		{ "application_name", db->application_name },
		{ "lock_timeout", db->lock_timeout },
		{ "statement_timeout", db->statement_timeout },
	};
	const char *params[ARRAY_SIZE(settings)];
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	size_t nr = 0;

	strbuf_addstr(&sql, start);
	for (size_t i = 0; i < ARRAY_SIZE(settings); i++) {
		if (!settings[i].value)
			continue;
		params[nr++] = settings[i].value;
		strbuf_addf(&sql, ", pg_catalog.set_config('%s', $%zu, %s)", settings[i].name, nr,
			    local ? "true" : "false");
	}
	db_batch_add(batch, sql.buf, sql.len, nr, params);
}

int transaction_set_session(struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	add_settings(&batch, db, "SELECT NULL", false);
	return db_batch_run(db, &batch, NULL, err);
}

struct db_command *transaction_add_begin(struct db_batch *batch, const struct db *db)
{
	struct db_command *id;

	add(batch, "BEGIN ISOLATION LEVEL READ COMMITTED");
	add_settings(batch, db, "SELECT pg_catalog.pg_current_xact_id()", true);
	id = &batch->item[batch->nr - 1];
	id->wanted = true;
	return id;
}

void transaction_add_reset(struct db_batch *batch, const struct db *db)
{
	/* RESET ALL takes back neither the role nor the session's user. */
	add(batch, "RESET ALL");
	add_settings(batch, db, RESET_IDENTITY, true);
}

int transaction_reset_session(struct db *db, struct error *err)
{
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	add(&batch, "RESET ALL");
	add(&batch, RESET_IDENTITY);
	return db_batch_run(db, &batch, NULL, err);
}

int transaction_commit(struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db, "COMMIT", 0, NULL, err) == 0)
		return TRANSACTION_COMMITTED;
	if (db_is_lost(db))
		return TRANSACTION_UNKNOWN;
	db_rollback(db);
	return -1;
}

int transaction_status(const char **ret, struct db *db, const char *id, struct error *err)
{
	static const char *const known[] = { "committed", "aborted", "in progress" };
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { id };

	if (db_query(&res, db, "SELECT pg_catalog.pg_xact_status($1::xid8)", 1, params, err) < 0)
		return -1;
	*ret = "unknown";
	for (size_t i = 0; i < ARRAY_SIZE(known); i++)
		if (!strcmp(db_value(&res, 0, 0), known[i]))
			*ret = known[i];
	return 0;
}
