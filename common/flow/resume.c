/* SPDX-License-Identifier: MIT */
#include "flow/resume.h"

#include "base/memory.h"
#include "flow/runner.h"

enum found { FOUND_DONE, FOUND_TO_DO, FOUND_UNKNOWN };

/* One row and column of text: "done", "redo", or "drop <index>" for a broken index. */
static int ask(char **ret, struct db *db, const char *sql, const char *const *params, size_t nr,
	       struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db, sql, nr, params, err) < 0)
		return -1;
	*ret = xstrdup(res.rows ? db_value(&res, 0, 0) : "redo");
	return 0;
}

static int drop_index(struct db *db, const char *quoted, struct error *err)
{
	char *sql CLEANUP(free_p) = xstrfmt("DROP INDEX CONCURRENTLY IF EXISTS %s", quoted);

	if (db_exec(db, sql, err) < 0)
		return error_prefix(err, "could not drop the invalid index %s", quoted);
	return 0;
}

/* A name as to_regclass() takes it; free() it. */
static char *qualified(struct db *db, const struct sql_name *name)
{
	struct strbuf sb = STRBUF_INIT;

	if (name->schema) {
		db_quote_identifier(&sb, db, name->schema);
		strbuf_addch(&sb, '.');
	}
	db_quote_identifier(&sb, db, name->name);
	return strbuf_detach(&sb);
}

/* An index stands in the schema of its table, whatever search_path says. */
static int created_index(enum found *ret, struct db *db, const struct sql_statement *statement,
			 struct error *err)
{
	char *table CLEANUP(free_p) = qualified(db, &statement->table);
	char *answer CLEANUP(free_p) = NULL;
	const char *params[] = { table, statement->object.name };

	if (!statement->object.name) {
		*ret = FOUND_UNKNOWN;
		return 0;
	}
	if (ask(&answer, db,
		"SELECT CASE WHEN i.indisvalid THEN 'done' ELSE i.indexrelid::pg_catalog.regclass::text END"
		" FROM pg_catalog.pg_index i JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
		" WHERE i.indrelid = pg_catalog.to_regclass($1) AND c.relname = $2",
		params, 2, err) < 0)
		return -1;
	*ret = !strcmp(answer, "done") ? FOUND_DONE : FOUND_TO_DO;
	if (*ret == FOUND_DONE || !strcmp(answer, "redo"))
		return 0;
	return drop_index(db, answer, err);
}

static int dropped_index(enum found *ret, struct db *db, const struct sql_statement *statement,
			 struct error *err)
{
	char *index CLEANUP(free_p) = qualified(db, &statement->object);
	char *answer CLEANUP(free_p) = NULL;
	const char *params[] = { index };

	if (ask(&answer, db,
		"SELECT CASE WHEN pg_catalog.to_regclass($1) IS NULL THEN 'done' ELSE 'redo' END",
		params, 1, err) < 0)
		return -1;
	*ret = !strcmp(answer, "done") ? FOUND_DONE : FOUND_TO_DO;
	return 0;
}

/* A broken REINDEX CONCURRENTLY leaves invalid copies named "..._ccnew" or "..._ccold". */
static int reindexed(enum found *ret, struct db *db, const struct sql_statement *statement,
		     struct error *err)
{
	char *object CLEANUP(free_p) = qualified(db, &statement->object);
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { object };

	*ret = FOUND_TO_DO;
	if (db_query(
		    &res, db,
		    "SELECT i.indexrelid::pg_catalog.regclass::text FROM pg_catalog.pg_index i"
		    " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
		    " WHERE NOT i.indisvalid AND c.relname ~ '_cc(new|old)[0-9]*$'"
		    " AND i.indrelid = coalesce((SELECT x.indrelid FROM pg_catalog.pg_index x"
		    "  WHERE x.indexrelid = pg_catalog.to_regclass($1)), pg_catalog.to_regclass($1))",
		    1, params, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		if (drop_index(db, db_value(&res, row, 0), err) < 0)
			return -1;
	return 0;
}

static int detached(enum found *ret, struct db *db, const struct sql_statement *statement,
		    struct error *err)
{
	char *partition CLEANUP(free_p) = qualified(db, &statement->object);
	char *table CLEANUP(free_p) = qualified(db, &statement->table);
	char *answer CLEANUP(free_p) = NULL;
	const char *params[] = { partition, table };

	if (ask(&answer, db,
		"SELECT coalesce((SELECT CASE WHEN to_jsonb(h) ->> 'inhdetachpending' = 'true'"
		" THEN 'finalize' ELSE 'redo' END FROM pg_catalog.pg_inherits h"
		" WHERE h.inhrelid = pg_catalog.to_regclass($1)"
		" AND h.inhparent = pg_catalog.to_regclass($2)), 'done')",
		params, 2, err) < 0)
		return -1;
	*ret = !strcmp(answer, "redo") ? FOUND_TO_DO : FOUND_DONE;
	if (strcmp(answer, "finalize") != 0)
		return 0;
	char *sql CLEANUP(free_p) =
		xstrfmt("ALTER TABLE %s DETACH PARTITION %s FINALIZE", table, partition);
	return db_exec(db, sql, err);
}

/* Does a row with that name stand in a catalog that the whole cluster shares? */
static int named_row(enum found *ret, struct db *db, const char *sql, const char *name,
		     bool done_when_there, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { name };

	if (db_query(&res, db, sql, 1, params, err) < 0)
		return -1;
	*ret = (res.rows > 0) == done_when_there ? FOUND_DONE : FOUND_TO_DO;
	return 0;
}

static int find_out(enum found *ret, struct db *db, const struct sql_statement *statement,
		    struct error *err)
{
	static const char database[] = "SELECT 1 FROM pg_catalog.pg_database WHERE datname = $1";
	static const char tablespace[] =
		"SELECT 1 FROM pg_catalog.pg_tablespace WHERE spcname = $1";
	static const char subscription[] =
		"SELECT 1 FROM pg_catalog.pg_subscription s JOIN pg_catalog.pg_database d ON d.oid = s.subdbid"
		" WHERE d.datname = pg_catalog.current_database() AND s.subname = $1";
	const char *name = statement->object.name;

	switch (statement->kind) {
	case SQL_CREATE_INDEX_CONCURRENTLY: return created_index(ret, db, statement, err);
	case SQL_DROP_INDEX_CONCURRENTLY: return dropped_index(ret, db, statement, err);
	case SQL_REINDEX_CONCURRENTLY: return reindexed(ret, db, statement, err);
	case SQL_DETACH_PARTITION_CONCURRENTLY: return detached(ret, db, statement, err);
	case SQL_CREATE_DATABASE:
	case SQL_DROP_DATABASE:
		return named_row(ret, db, database, name, statement->kind == SQL_CREATE_DATABASE,
				 err);
	case SQL_CREATE_TABLESPACE:
	case SQL_DROP_TABLESPACE:
		return named_row(ret, db, tablespace, name,
				 statement->kind == SQL_CREATE_TABLESPACE, err);
	case SQL_CREATE_SUBSCRIPTION:
	case SQL_DROP_SUBSCRIPTION:
		return named_row(ret, db, subscription, name,
				 statement->kind == SQL_CREATE_SUBSCRIPTION, err);
	case SQL_VACUUM:
	case SQL_CLUSTER_ALL:
	case SQL_REINDEX_ALL:
	case SQL_ALTER_SYSTEM:
	case SQL_DISCARD_ALL:
	case SQL_ALTER_DATABASE_SET_TABLESPACE:
		*ret = FOUND_TO_DO; /* doing it twice is doing it once */
		return 0;
	default: *ret = FOUND_UNKNOWN; return 0;
	}
}

int resume_point(size_t *ret, struct session *s, const struct sql_script *script,
		 const struct log_unfinished *unfinished, struct error *err)
{
	enum found found = FOUND_UNKNOWN;

	if (unfinished->statements != script->nr || unfinished->done > script->nr)
		return error_set(err, "the log's copy of migration '%s' does not fit its record",
				 unfinished->version);
	*ret = unfinished->done;
	if (unfinished->begun <= unfinished->done)
		return 0;
	const struct sql_statement *statement = &script->statement[unfinished->done];
	/* Names mean what they mean by the script's own search_path. */
	if (runner_replay_settings(s, script, unfinished->done, err) < 0 ||
	    find_out(&found, &s->db, statement, err) < 0 ||
	    transaction_reset_session(&s->db, err) < 0)
		return -1;
	if (found == FOUND_UNKNOWN) {
		error_set(err, "cannot tell whether statement %zu of migration '%s' was done",
			  unfinished->done + 1, unfinished->version);
		error_code(err, EXIT_NO);
		error_at(err, script->path, script->text, script->len, statement->offset);
		return error_hint(err,
				  "Look in the database; then finish or undo the rest by hand, or "
				  "use 'git rollback-db %s'.",
				  unfinished->version);
	}
	if (found == FOUND_DONE)
		(*ret)++;
	return 0;
}

int resume_left_something(bool *ret, struct session *s, const struct sql_statement *statement,
			  struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char *index CLEANUP(free_p) = NULL;
	char *table CLEANUP(free_p) = NULL;
	const char *params[2];

	switch (statement->kind) {
	case SQL_CREATE_INDEX_CONCURRENTLY: /* an invalid index */
		*ret = true;
		if (!statement->object.name)
			return 0;
		params[0] = table = qualified(&s->db, &statement->table);
		params[1] = statement->object.name;
		if (db_query(&res, &s->db,
			     "SELECT 1 FROM pg_catalog.pg_index i"
			     " JOIN pg_catalog.pg_class c ON c.oid = i.indexrelid"
			     " WHERE i.indrelid = pg_catalog.to_regclass($1) AND c.relname = $2"
			     " AND NOT i.indisvalid",
			     2, params, err) < 0)
			return -1;
		*ret = res.rows > 0;
		return 0;
	case SQL_DROP_INDEX_CONCURRENTLY: /* one that is on its way out */
		params[0] = index = qualified(&s->db, &statement->object);
		if (db_query(&res, &s->db,
			     "SELECT 1 FROM pg_catalog.pg_index WHERE NOT indisvalid"
			     " AND indexrelid = pg_catalog.to_regclass($1)",
			     1, params, err) < 0)
			return -1;
		*ret = res.rows > 0;
		return 0;
	case SQL_REINDEX_CONCURRENTLY:
	case SQL_DETACH_PARTITION_CONCURRENTLY:
	case SQL_DO:
	case SQL_CALL: *ret = true; return 0;
	default: /* all or nothing, or nothing that counts */ *ret = false; return 0;
	}
}
