/* SPDX-License-Identifier: MIT */
#include "pg/rollback_log.h"

#include "base/memory.h"

#define UNDEFINED_COLUMN "42703"
/* Not the = of whoever may create operators in a schema of search_path. */
#define EQ "OPERATOR(pg_catalog.=)"

void rollback_log_add_create(struct db_batch *batch, const struct ledger_place *place)
{
	struct strbuf create CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf revoke CLEANUP(strbuf_release) = STRBUF_INIT;
	struct strbuf index CLEANUP(strbuf_release) = STRBUF_INIT;

	if (place->log_exists)
		return;
	strbuf_addf(&create,
		    "CREATE TABLE %s ("
		    "operation VARCHAR(64) NOT NULL, command VARCHAR(64) NOT NULL,"
		    " version VARCHAR(50) NOT NULL, name VARCHAR(255) NOT NULL,"
		    " direction VARCHAR(8) NOT NULL, state VARCHAR(8) NOT NULL,"
		    " started_at TIMESTAMPTZ NOT NULL, finished_at TIMESTAMPTZ,"
		    " statements INTEGER NOT NULL, statements_begun INTEGER NOT NULL,"
		    " statements_done INTEGER NOT NULL, who TEXT, role TEXT NOT NULL,"
		    " git_commit VARCHAR(64), up_checksum VARCHAR(64), down_checksum VARCHAR(64),"
		    " up_tokens VARCHAR(64), fingerprint_before VARCHAR(64),"
		    " fingerprint_after VARCHAR(64), up_sql TEXT, down_sql TEXT, objects JSONB,"
		    " PRIMARY KEY (operation, version, direction))",
		    place->quoted_log);
	strbuf_addf(&revoke, "REVOKE ALL ON %s FROM PUBLIC", place->quoted_log);
	/* What every command asks for: is a script unfinished, and how was a version applied? */
	strbuf_addf(&index, "CREATE INDEX ON %s (state, version)", place->quoted_log);
	db_batch_add(batch, create.buf, create.len, 0, NULL);
	db_batch_add(batch, revoke.buf, revoke.len, 0, NULL);
	db_batch_add(batch, index.buf, index.len, 0, NULL);
}

static void add_record(struct db_batch *batch, const struct ledger_place *place,
		       const struct log_record *record, bool done)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct db_command *command;
	char statements[24];
	const char *params[] = {
		record->operation,
		record->command,
		record->version,
		record->name,
		record->direction,
		statements,
		record->who,
		record->git_commit,
		record->up_checksum,
		record->down_checksum,
		record->up_tokens,
		record->fingerprint_before,
		record->fingerprint_after,
		record->up_sql,
		record->down_sql,
		record->objects,
	};

	snprintf(statements, sizeof(statements), "%zu", record->statements);
	strbuf_addf(&sql,
		    "INSERT INTO %s (operation, command, version, name, direction, state,"
		    " started_at, finished_at, statements, statements_begun, statements_done,"
		    " who, role, git_commit, up_checksum, down_checksum, up_tokens,"
		    " fingerprint_before, fingerprint_after, up_sql, down_sql, objects)"
		    " VALUES ($1, $2, $3, $4, $5, %s, $6::integer, %s, $7, session_user, $8, $9,"
		    " $10, $11, $12, $13, $14, $15, $16::jsonb)",
		    place->quoted_log,
		    done ? "'done', pg_catalog.now(), pg_catalog.clock_timestamp()" :
			   "'running', pg_catalog.clock_timestamp(), NULL",
		    done ? "$6::integer, $6::integer" : "0, 0");
	command = db_batch_add(batch, sql.buf, sql.len, ARRAY_SIZE(params), params);
	command->expected_rows = 1;
	command->repeated = true;
}

void rollback_log_add_done(struct db_batch *batch, const struct ledger_place *place,
			   const struct log_record *record)
{
	add_record(batch, place, record, true);
}

void rollback_log_add_running(struct db_batch *batch, const struct ledger_place *place,
			      const struct log_record *record)
{
	add_record(batch, place, record, false);
}

void rollback_log_add_progress(struct db_batch *batch, const struct ledger_place *place,
			       const char *operation, const char *version, size_t begun,
			       size_t done)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[] = { operation, version };

	strbuf_addf(&sql,
		    "UPDATE %s SET statements_begun = %zu, statements_done = %zu"
		    " WHERE operation " EQ " $1 AND version " EQ " $2 AND state " EQ " 'running'",
		    place->quoted_log, begun, done);
	db_batch_add(batch, sql.buf, sql.len, ARRAY_SIZE(params), params);
}

void rollback_log_add_end(struct db_batch *batch, const struct ledger_place *place,
			  const char *operation, const char *version, const char *state,
			  const char *fingerprint_after, const char *objects)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[] = { operation, version, state, fingerprint_after, objects };

	strbuf_addf(&sql,
		    "UPDATE %s SET state = $3, finished_at = pg_catalog.clock_timestamp(),"
		    " fingerprint_after = $4, objects = $5::jsonb"
		    " WHERE operation " EQ " $1 AND version " EQ " $2 AND state " EQ " 'running'",
		    place->quoted_log);
	db_batch_add(batch, sql.buf, sql.len, ARRAY_SIZE(params), params);
}

void rollback_log_add_forget(struct db_batch *batch, const struct ledger_place *place,
			     const char *operation, const char *version)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[] = { operation, version };

	strbuf_addf(&sql,
		    "DELETE FROM %s WHERE operation " EQ " $1 AND version " EQ " $2 AND state " EQ
		    " 'running'"
		    " AND statements_begun = 0",
		    place->quoted_log);
	db_batch_add(batch, sql.buf, sql.len, ARRAY_SIZE(params), params);
}

void rollback_log_add_unfinished(struct db_batch *batch, const struct ledger_place *place)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct db_command *command;

	strbuf_addf(&sql,
		    "SELECT operation, version, name, direction " EQ " 'down', statements,"
		    " statements_begun, statements_done,"
		    " started_at, up_checksum, down_checksum,"
		    " up_sql, down_sql, fingerprint_before"
		    " FROM %s WHERE state " EQ " 'running'",
		    place->quoted_log);
	command = db_batch_add(batch, sql.buf, sql.len, 0, NULL);
	command->wanted = command->binary = true;
}

/* The oldest first. */
static int compare_unfinished(const void *x, const void *y)
{
	const struct log_unfinished *a = x, *b = y;

	return (a->started_at > b->started_at) - (a->started_at < b->started_at);
}

void rollback_log_take_unfinished(struct log_unfinished_list *ret, const struct db_result *res)
{
	for (size_t row = 0; row < res->rows; row++) {
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct log_unfinished){
			.operation = xstrdup(db_value(res, row, 0)),
			.version = xstrdup(db_value(res, row, 1)),
			.name = xstrdup(db_value(res, row, 2)),
			.down = db_bool(res, row, 3),
			.statements = (size_t)db_int(res, row, 4),
			.begun = (size_t)db_int(res, row, 5),
			.done = (size_t)db_int(res, row, 6),
			.started_at = db_time(res, row, 7),
			.up_checksum = xstrdup_or_null(db_value_or_null(res, row, 8)),
			.down_checksum = xstrdup_or_null(db_value_or_null(res, row, 9)),
			.up_sql = xstrdup_or_null(db_value_or_null(res, row, 10)),
			.down_sql = xstrdup_or_null(db_value_or_null(res, row, 11)),
			.fingerprint_before = xstrdup_or_null(db_value_or_null(res, row, 12)),
		};
	}
	if (ret->nr)
		qsort(ret->item, ret->nr, sizeof(*ret->item), compare_unfinished);
}

int rollback_log_unfinished(struct log_unfinished_list *ret, const struct ledger_place *place,
			    struct db *db, struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (!place->log_exists)
		return 0;
	rollback_log_add_unfinished(&batch, place);
	if (db_batch_run(db, &batch, NULL, &reason) == 0) {
		rollback_log_take_unfinished(ret, &batch.item[0].result);
		return 0;
	}
	if (!strcmp(reason.sqlstate, UNDEFINED_COLUMN)) {
		error_refused(err, "table '%s.%s' belongs to another tool, by its columns",
			      place->log_schema, place->log);
		return error_hint(err, "Set rollback.migrations.logTable to another name.");
	}
	error_move(err, &reason);
	return error_prefix(err, "could not read the table %s", place->quoted_log);
}

void log_unfinished_list_release(struct log_unfinished_list *list)
{
	for (size_t i = 0; i < list->nr; i++) {
		struct log_unfinished *u = &list->item[i];

		free(u->operation);
		free(u->version);
		free(u->name);
		free(u->up_checksum);
		free(u->down_checksum);
		free(u->up_sql);
		free(u->down_sql);
		free(u->fingerprint_before);
	}
	free(list->item);
	*list = (struct log_unfinished_list)LOG_UNFINISHED_LIST_INIT;
}

/* A text[] literal; versions hold digits and underscores alone, others' anything. */
static char *array_literal(const char *const *values, size_t nr)
{
	struct strbuf sb = STRBUF_INIT;

	strbuf_addch(&sb, '{');
	for (size_t i = 0; i < nr; i++) {
		strbuf_addstr(&sb, i ? ",\"" : "\"");
		for (const char *c = values[i]; *c; c++) {
			if (*c == '"' || *c == '\\')
				strbuf_addch(&sb, '\\');
			strbuf_addch(&sb, *c);
		}
		strbuf_addch(&sb, '"');
	}
	strbuf_addch(&sb, '}');
	return strbuf_detach(&sb);
}

/* By version, the newest first. */
static int compare_applied(const void *x, const void *y)
{
	const struct log_applied *a = x, *b = y;
	int ret = strcmp(a->version, b->version);

	return ret ? ret : (a->started_at < b->started_at) - (a->started_at > b->started_at);
}

static void log_applied_release(struct log_applied *applied)
{
	free(applied->version);
	free(applied->operation);
	free(applied->up_checksum);
	free(applied->down_checksum);
	free(applied->up_tokens);
	free(applied->up_sql);
	free(applied->down_sql);
	free(applied->fingerprint_before);
	free(applied->fingerprint_after);
	free(applied->objects);
}

/* Sorts, and of each version leaves the newest. */
static void keep_newest(struct log_applied_list *list)
{
	size_t nr = 0;

	if (list->nr)
		qsort(list->item, list->nr, sizeof(*list->item), compare_applied);
	for (size_t i = 0; i < list->nr; i++) {
		if (nr && !strcmp(list->item[nr - 1].version, list->item[i].version))
			log_applied_release(&list->item[i]);
		else
			list->item[nr++] = list->item[i];
	}
	list->nr = nr;
}

/* Sorted here: planning a query that sorts takes a new session longer than reading does. */
int rollback_log_applied(struct log_applied_list *ret, const struct ledger_place *place,
			 struct db *db, const char *const *versions, size_t nr, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	char *array CLEANUP(free_p) = NULL;

	if (!place->log_exists || !nr)
		return 0;
	array = array_literal(versions, nr);
	const char *params[] = { array };
	strbuf_addf(&sql,
		    "SELECT version, operation, up_checksum,"
		    " down_checksum, up_tokens, up_sql, down_sql, fingerprint_before,"
		    " fingerprint_after, objects::text, started_at FROM %s"
		    " WHERE version::text " EQ " ANY($1::text[]) AND direction::text " EQ
		    " ANY('{up,baseline}'::text[])"
		    " AND state " EQ " 'done'",
		    place->quoted_log);
	if (db_query_binary(&res, db, sql.buf, 1, params, err) < 0)
		return error_prefix(err, "could not read the table %s", place->quoted_log);
	for (size_t row = 0; row < res.rows; row++) {
		char *text[10];

		for (size_t i = 0; i < ARRAY_SIZE(text); i++)
			text[i] = xstrdup_or_null(db_value_or_null(&res, row, i));
		ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
		ret->item[ret->nr++] = (struct log_applied){
			.version = text[0],
			.operation = text[1],
			.up_checksum = text[2],
			.down_checksum = text[3],
			.up_tokens = text[4],
			.up_sql = text[5],
			.down_sql = text[6],
			.fingerprint_before = text[7],
			.fingerprint_after = text[8],
			.objects = text[9],
			.started_at = db_time(&res, row, 10),
		};
	}
	keep_newest(ret);
	return 0;
}

static int compare_version(const void *key, const void *item)
{
	return strcmp(key, ((const struct log_applied *)item)->version);
}

const struct log_applied *log_applied_find(const struct log_applied_list *list, const char *version)
{
	if (!list->nr)
		return NULL;
	return bsearch(version, list->item, list->nr, sizeof(*list->item), compare_version);
}

void log_applied_list_release(struct log_applied_list *list)
{
	for (size_t i = 0; i < list->nr; i++)
		log_applied_release(&list->item[i]);
	free(list->item);
	*list = (struct log_applied_list)LOG_APPLIED_LIST_INIT;
}

int rollback_log_has(const struct ledger_place *place, struct db *db, const char *operation,
		     struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[] = { operation };

	if (!place->log_exists)
		return 0;
	strbuf_addf(&sql, "SELECT 1 FROM %s WHERE operation " EQ " $1 LIMIT 1", place->quoted_log);
	if (db_query(&res, db, sql.buf, 1, params, err) < 0)
		return error_prefix(err, "could not read the table %s", place->quoted_log);
	return res.rows ? 1 : 0;
}

int rollback_log_row(enum log_row *ret, const struct ledger_place *place, struct db *db,
		     const char *operation, const char *version, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[] = { operation, version };

	strbuf_addf(&sql,
		    "SELECT state " EQ " 'running' FROM %s WHERE operation " EQ
		    " $1 AND version " EQ " $2",
		    place->quoted_log);
	if (db_query(&res, db, sql.buf, ARRAY_SIZE(params), params, err) < 0)
		return error_prefix(err, "could not read the table %s", place->quoted_log);
	*ret = !res.rows ? LOG_ROW_NONE : db_bool(&res, 0, 0) ? LOG_ROW_RUNNING : LOG_ROW_ENDED;
	return 0;
}
