/* SPDX-License-Identifier: MIT */
#include "pg/ledger.h"

#include "base/memory.h"
#include "base/strvec.h"

#define UNDEFINED_COLUMN "42703"

void ledger_place_release(struct ledger_place *place)
{
	free(place->schema);
	free(place->table);
	free(place->log_schema);
	free(place->log);
	free(place->quoted);
	free(place->quoted_log);
	*place = (struct ledger_place)LEDGER_PLACE_INIT;
}

void ledger_release(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->nr; i++) {
		free(ledger->item[i].version);
		free(ledger->item[i].name);
		free(ledger->item[i].checksum);
	}
	free(ledger->by_version);
	free(ledger->item);
	*ledger = (struct ledger)LEDGER_INIT;
}

/* "name" or "schema.name", by PostgreSQL's own rules for quotes and case. */
static int parse_name(char **ret_schema, char **ret_table, struct db *db, const char *name,
		      struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { name };

	if (!strpbrk(name, ".\"") && !strpbrk(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ")) {
		*ret_schema = NULL;
		*ret_table = xstrdup(name);
		return 0;
	}
	if (db_query(&res, db,
		     "SELECT i[array_length(i, 1)], i[1], array_length(i, 1)"
		     " FROM pg_catalog.parse_ident($1) AS i",
		     1, params, err) < 0) {
		error_prefix(err, "cannot use '%s' as the name of a table", name);
		return error_hint(err,
				  "Write it as in SQL: schema.table, \"My Schema\".\"My Table\".");
	}
	if (db_int(&res, 0, 2) > 2)
		return error_set(err, "cannot use '%s' as the name of a table: too many parts",
				 name);
	*ret_table = xstrdup(db_value(&res, 0, 0));
	*ret_schema = db_int(&res, 0, 2) == 2 ? xstrdup(db_value(&res, 0, 1)) : NULL;
	return 0;
}

static char *quote_qualified(struct db *db, const char *schema, const char *table)
{
	struct strbuf sb = STRBUF_INIT;

	db_quote_identifier(&sb, db, schema);
	strbuf_addch(&sb, '.');
	db_quote_identifier(&sb, db, table);
	return strbuf_detach(&sb);
}

/* The server would cut a longer name, and then it is another. */
#define NAME_BYTES 63

static int check_length(const char *name, struct error *err)
{
	if (name && strlen(name) > NAME_BYTES)
		return error_set(
			err, "cannot use '%s' as the name of a table: it is longer than %d bytes",
			name, NAME_BYTES);
	return 0;
}

/* Tools that keep a table of the same name, known by a column beside "version". */
static const struct {
	const char *column;
	const char *tool;
} others[] = {
	{ "dirty", "golang-migrate" },
	{ "inserted_at", "Ecto" },
	{ "statements", "the Supabase CLI" },
};

/* Rails keeps a second table beside it. */
static int is_rails(bool *ret, const struct ledger_place *place, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char *name CLEANUP(free_p) = quote_qualified(db, place->schema, "ar_internal_metadata");
	const char *params[] = { name };

	if (db_query(&res, db, "SELECT pg_catalog.to_regclass($1) IS NOT NULL", 1, params, err) < 0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

/* The table is there, and is not as ours is: whose is it? */
static int refuse_foreign(const struct ledger_place *place, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strvec names CLEANUP(strvec_release) = STRVEC_INIT;
	struct strbuf columns CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[] = { place->quoted };
	const char *tool = NULL;
	bool rails;

	if (db_query(
		    &res, db,
		    "SELECT attname FROM pg_catalog.pg_attribute"
		    " WHERE attrelid = pg_catalog.to_regclass($1) AND attnum > 0 AND NOT attisdropped",
		    1, params, err) < 0 ||
	    is_rails(&rails, place, db, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		strvec_push(&names, db_value(&res, row, 0));
	strvec_sort(&names);
	for (size_t i = 0; i < names.nr; i++)
		strbuf_addf(&columns, "%s%s", i ? ", " : "", names.v[i]);
	for (size_t i = 0; i < ARRAY_SIZE(others) && !tool; i++)
		if (strvec_has(&names, "version") && strvec_has(&names, others[i].column))
			tool = others[i].tool;
	if (!strcmp(columns.buf, "version"))
		tool = rails ? "Rails" : "dbmate";
	error_refused(err, "table '%s.%s' belongs to %s, by its columns (%s)", place->schema,
		      place->table, tool ? tool : "another tool", columns.buf);
	return error_hint(err,
			  "Set rollback.migrations.table to another name to keep ours beside it.");
}

/*
 * For each schema that the ledger may be in, along search_path unless it is configured: is it
 * there, and is the log beside it?
 */
static void add_look(struct db_batch *batch, const struct ledger_place *place)
{
	static const char sql[] =
		"SELECT s, pg_catalog.to_regclass(pg_catalog.format('%I.%I', s, $1::text))"
		" IS NOT NULL,"
		" pg_catalog.to_regclass(pg_catalog.format('%I.%I', coalesce($4::text, s),"
		" $2::text)) IS NOT NULL"
		" FROM pg_catalog.unnest(CASE WHEN $3::name IS NULL"
		" THEN pg_catalog.current_schemas(false) ELSE ARRAY[$3::name] END) AS s";
	const char *params[] = { place->table, place->log, place->schema, place->log_schema };

	db_batch_add(batch, sql, strlen(sql), ARRAY_SIZE(params), params)->wanted = true;
}

/*
 * The schema of search_path that has a table of that name; where none has, the first. That is
 * only where it is made: one that comes to stand before it later, perhaps by a migration, must
 * not hide the table. Two of them are one too many.
 */
static int choose_schema(struct ledger_place *place, const struct db_result *res,
			 const struct db *db, struct error *err)
{
	size_t found = res->rows;

	for (size_t row = 0; row < res->rows; row++) {
		if (!db_bool(res, row, 1))
			continue;
		if (found == res->rows) {
			found = row;
			continue;
		}
		error_refused(err, "there is a table '%s' in schema '%s' and in schema '%s'",
			      place->table, db_value(res, found, 0), db_value(res, row, 0));
		return error_hint(
			err,
			"Set rollback.migrations.table to the one that counts, with its schema.");
	}
	if (!res->rows) {
		error_set(err, "no schema of search_path exists in database '%s'", db->environment);
		return error_hint(err, "Set rollback.migrations.table to a name with its schema.");
	}
	place->exists = found < res->rows;
	if (!place->exists)
		found = 0;
	place->log_exists = db_bool(res, found, 2);
	string_replace(&place->schema, db_value(res, found, 0));
	if (!place->log_schema)
		place->log_schema = xstrdup(place->schema);
	return 0;
}

int ledger_add_locate(struct ledger_place *place, struct db_batch *batch, struct db *db,
		      const char *table, const char *log, struct error *err)
{
	if (parse_name(&place->schema, &place->table, db, table, err) < 0 ||
	    parse_name(&place->log_schema, &place->log, db, log, err) < 0)
		return -1;
	if (check_length(place->schema, err) < 0 || check_length(place->table, err) < 0 ||
	    check_length(place->log_schema, err) < 0 || check_length(place->log, err) < 0)
		return -1;
	add_look(batch, place);
	return 0;
}

int ledger_take_place(struct ledger_place *place, struct db *db, const struct db_result *res,
		      struct error *err)
{
	if (choose_schema(place, res, db, err) < 0)
		return -1;
	place->quoted = quote_qualified(db, place->schema, place->table);
	place->quoted_log = quote_qualified(db, place->log_schema, place->log);
	return 0;
}

int ledger_locate(struct ledger_place *ret, struct db *db, const char *table, const char *log,
		  struct error *err)
{
	struct ledger_place place CLEANUP(ledger_place_release) = LEDGER_PLACE_INIT;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (ledger_add_locate(&place, &batch, db, table, log, err) < 0)
		return -1;
	if (db_batch_run(db, &batch, NULL, err) < 0)
		return error_prefix(err, "could not look for the tracking table '%s'", place.table);
	if (ledger_take_place(&place, db, &batch.item[0].result, err) < 0)
		return -1;
	*ret = place;
	place = (struct ledger_place)LEDGER_PLACE_INIT;
	return 0;
}

void ledger_add_create(struct db_batch *batch, const struct ledger_place *place)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	if (place->exists)
		return;
	strbuf_addf(&sql,
		    "CREATE TABLE %s (version VARCHAR(50) PRIMARY KEY,"
		    " name VARCHAR(255) NOT NULL,"
		    " applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),"
		    " checksum VARCHAR(64) NOT NULL, execution_time_ms INTEGER)",
		    place->quoted);
	db_batch_add(batch, sql.buf, sql.len, 0, NULL);
}

static bool is_text(uint32_t type)
{
	return type == DB_TYPE_TEXT || type == DB_TYPE_VARCHAR;
}

/* Columns of the right names can still be another's. */
static bool has_types(const struct db_result *res)
{
	uint32_t time = db_column_type(res, 4);

	return is_text(db_column_type(res, 0)) && is_text(db_column_type(res, 1)) &&
	       is_text(db_column_type(res, 3)) && (time == DB_TYPE_INT4 || time == DB_TYPE_INT8);
}

void ledger_add_read(struct db_batch *batch, const struct ledger_place *place)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct db_command *command;

	strbuf_addf(&sql,
		    "SELECT version, name, applied_at::timestamptz,"
		    " checksum, execution_time_ms FROM %s",
		    place->quoted);
	command = db_batch_add(batch, sql.buf, sql.len, 0, NULL);
	command->wanted = command->binary = true;
}

int ledger_take(struct ledger *ret, const struct ledger_place *place, struct db *db,
		const struct db_result *res, struct error *err)
{
	if (!has_types(res))
		return refuse_foreign(place, db, err);
	ret->item = xcalloc(res->rows, sizeof(*ret->item));
	ret->alloc = res->rows;
	for (size_t row = 0; row < res->rows; row++)
		ret->item[ret->nr++] = (struct ledger_entry){
			.version = xstrdup(db_value(res, row, 0)),
			.name = xstrdup(db_value(res, row, 1)),
			.applied_at = db_time(res, row, 2),
			.checksum = xstrdup_or_null(db_value_or_null(res, row, 3)),
			.execution_time_ms = db_is_null(res, row, 4) ? -1 : db_int(res, row, 4),
		};
	return 0;
}

int ledger_read(struct ledger *ret, const struct ledger_place *place, struct db *db,
		struct error *err)
{
	struct error reason CLEANUP(error_release) = ERROR_INIT;
	struct db_batch batch CLEANUP(db_batch_release) = DB_BATCH_INIT;

	if (!place->exists)
		return 0;
	ledger_add_read(&batch, place);
	if (db_batch_run(db, &batch, NULL, &reason) == 0)
		return ledger_take(ret, place, db, &batch.item[0].result, err);
	if (!strcmp(reason.sqlstate, UNDEFINED_COLUMN))
		return refuse_foreign(place, db, err);
	error_move(err, &reason);
	return error_prefix(err, "could not read the tracking table '%s.%s'", place->schema,
			    place->table);
}

void ledger_add_insert(struct db_batch *batch, const struct ledger_place *place,
		       const char *version, const char *name, const char *checksum,
		       int64_t execution_time_ms)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct db_command *command;
	char time[32];
	const char *params[] = { version, name, checksum, time };
	bool known = execution_time_ms >= 0;

	snprintf(time, sizeof(time), "%" PRId64, execution_time_ms);
	/* clock_timestamp(): the order of application shows inside one transaction too. */
	strbuf_addf(&sql,
		    "INSERT INTO %s (version, name, applied_at, checksum, execution_time_ms)"
		    " VALUES ($1, $2, pg_catalog.clock_timestamp(), $3, %s)",
		    place->quoted,
		    known ? "$4" :
			    "extract(epoch FROM pg_catalog.clock_timestamp() - pg_catalog.now())"
			    " * 1000");
	command = db_batch_add(batch, sql.buf, sql.len, known ? 4 : 3, params);
	command->expected_rows = 1;
	command->repeated = true;
}

void ledger_add_entry(struct db_batch *batch, const struct ledger_place *place,
		      const struct ledger_entry *entry)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	char applied_at[24], time[24];
	const char *params[] = { entry->version, entry->name, applied_at, entry->checksum,
				 entry->execution_time_ms < 0 ? NULL : time };

	snprintf(applied_at, sizeof(applied_at), "%" PRId64, entry->applied_at);
	snprintf(time, sizeof(time), "%" PRId64, entry->execution_time_ms);
	/* Microseconds, exactly: to_timestamp() counts in floating point. */
	strbuf_addf(&sql,
		    "INSERT INTO %s (version, name, applied_at, checksum, execution_time_ms)"
		    " VALUES ($1, $2, TIMESTAMPTZ '1970-01-01 00:00:00+00'"
		    " + $3::bigint * INTERVAL '1 microsecond', coalesce($4, ''), $5::integer)",
		    place->quoted);
	db_batch_add(batch, sql.buf, sql.len, ARRAY_SIZE(params), params)->expected_rows = 1;
}

struct db_command *ledger_add_delete(struct db_batch *batch, const struct ledger_place *place,
				     const char *version)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	const char *params[] = { version };
	struct db_command *command;

	strbuf_addf(&sql, "DELETE FROM %s WHERE version OPERATOR(pg_catalog.=) $1", place->quoted);
	command = db_batch_add(batch, sql.buf, sql.len, 1, params);
	command->repeated = true;
	return command;
}
