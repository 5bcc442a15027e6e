/* SPDX-License-Identifier: MIT */
#include "flow/put-back.h"

#include "base/memory.h"
#include "pg/copy.h"
#include "pg/transaction.h"

#define TEMPORARY "pg_temp.git_rollback_rows"
#define WHOLE	  "pg_temp.git_rollback_whole"

void put_back_release(struct put_back *back)
{
	progress_abandon(&back->progress);
	relation_foreign_keys_release(&back->keys);
	relation_foreign_keys_release(&back->held_keys);
	strvec_release(&back->enable);
	strvec_release(&back->further);
	free(back->sequences);
	free(back->oid);
	*back = (struct put_back)PUT_BACK_INIT;
}

static struct db *db_of(const struct put_back *back)
{
	return &back->session->db;
}

static int run(const struct put_back *back, const char *sql, struct error *err)
{
	return db_exec(db_of(back), sql, err);
}

static bool is_whole(const json_t *part)
{
	return json_is_true(json_object_get(part, "whole"));
}

/*
 * Where rows are written, as checks, domains and expressions of indexes may call functions by names
 * that only the database's own path finds; all else is done with an empty one, in which rows
 * and definitions have full names.
 */
static int search(struct put_back *back, bool own, struct error *err)
{
	return run(back, own ? "SET LOCAL search_path TO DEFAULT" : "SET LOCAL search_path TO ''",
		   err);
}

/* --- Triggers and foreign keys ------------------------------------------------------------------ */

/*
 * What would react to rows or refuse old ones: triggers and rules, which may be off, or on for
 * replicas alone; and checks that are NOT VALID, as rows that were there before them need not
 * hold. In the first column is what brings each back, in the second what takes it away.
 */
#define NOT_VALID "conrelid = $1::oid AND contype = 'c' AND NOT convalidated AND coninhcount = 0"
static const char reactions_sql[] =
	"SELECT pg_catalog.format('ALTER TABLE ONLY %s %s TRIGGER %I', $1::oid::regclass,"
	"  CASE tgenabled WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA'"
	"   ELSE 'ENABLE ALWAYS' END, tgname),"
	" pg_catalog.format('ALTER TABLE ONLY %s DISABLE TRIGGER %I', $1::oid::regclass, tgname)"
	" FROM pg_catalog.pg_trigger WHERE tgrelid = $1::oid AND NOT tgisinternal"
	"  AND tgenabled <> 'D'"
	" UNION ALL SELECT pg_catalog.format('ALTER TABLE ONLY %s %s RULE %I',"
	"  $1::oid::regclass, CASE ev_enabled WHEN 'O' THEN 'ENABLE' WHEN 'R' THEN 'ENABLE REPLICA'"
	"   ELSE 'ENABLE ALWAYS' END, rulename),"
	" pg_catalog.format('ALTER TABLE ONLY %s DISABLE RULE %I', $1::oid::regclass, rulename)"
	" FROM pg_catalog.pg_rewrite WHERE ev_class = $1::oid AND ev_enabled <> 'D'"
	" UNION ALL SELECT pg_catalog.format('ALTER TABLE %s ADD CONSTRAINT %I %s',"
	"  $1::oid::regclass, conname, pg_catalog.pg_get_constraintdef(oid)),"
	" pg_catalog.format('ALTER TABLE %s DROP CONSTRAINT %I', $1::oid::regclass, conname)"
	" FROM pg_catalog.pg_constraint WHERE " NOT_VALID
	" UNION ALL SELECT pg_catalog.format('COMMENT ON CONSTRAINT %I ON %s IS %L', conname,"
	"  $1::oid::regclass, pg_catalog.obj_description(oid, 'pg_constraint')), NULL"
	" FROM pg_catalog.pg_constraint WHERE " NOT_VALID
	"  AND pg_catalog.obj_description(oid, 'pg_constraint') IS NOT NULL";

static int set_reactions_aside(struct put_back *back, const char *table, uint32_t oid,
			       struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char number[16];
	const char *params[] = { number };

	snprintf(number, sizeof(number), "%" PRIu32, oid);
	if (db_query(&res, db_of(back), reactions_sql, 1, params, err) < 0)
		return -1;
	for (size_t i = 0; i < res.rows; i++) {
		strvec_push(&back->enable, db_value(&res, i, 0));
		if (!db_is_null(&res, i, 1) && run(back, db_value(&res, i, 1), err) < 0)
			return error_prefix(err, "could not turn off the triggers of %s", table);
	}
	return 0;
}

static int bring_reactions_back(struct put_back *back, struct error *err)
{
	for (size_t i = 0; i < back->enable.nr; i++)
		if (run(back, back->enable.v[i], err) < 0)
			return -1;
	strvec_release(&back->enable);
	return 0;
}

/*
 * Values that cannot be changed row by row: of an identity that is GENERATED ALWAYS, or of a unique
 * index, where two rows may change places. Then the table is emptied and filled instead.
 */
static int needs_rewrite(bool *ret, struct put_back *back, const json_t *part, uint32_t oid,
			 struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char *columns CLEANUP(free_p) = json_dumps(json_object_get(part, "saved_columns"), 0);
	char number[16];
	const char *params[] = { number, columns };

	snprintf(number, sizeof(number), "%" PRIu32, oid);
	if (db_query(&res, db_of(back),
		     "WITH saved AS (SELECT attnum, attidentity FROM pg_catalog.pg_attribute"
		     "  WHERE attrelid = $1::oid AND attname IN"
		     "   (SELECT pg_catalog.json_array_elements_text($2::json)))"
		     " SELECT EXISTS (SELECT FROM saved WHERE attidentity = 'a')"
		     "  OR EXISTS (SELECT FROM pg_catalog.pg_index i WHERE i.indrelid = $1::oid"
		     "   AND (i.indisunique OR i.indisexclusion) AND (i.indexprs IS NOT NULL"
		     "    OR EXISTS (SELECT FROM saved s WHERE s.attnum = ANY (i.indkey::int2[]))))",
		     2, params, err) < 0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

int put_back_add(struct put_back *back, const json_t *part, struct put_back_how *how,
		 struct error *err)
{
	const char *table = json_member(part, "table");
	uint32_t oid = 0;

	how->again = how->held != NULL;
	if (relation_find(&oid, db_of(back), table, err) < 0 ||
	    set_reactions_aside(back, table, oid, err) < 0 ||
	    (!is_whole(part) && !how->again &&
	     needs_rewrite(&how->again, back, part, oid, err) < 0))
		return -1;
	if (!is_whole(part) && !how->again)
		return 0;
	ARRAY_GROW(back->oid, back->nr + 1, back->alloc);
	back->oid[back->nr++] = oid;
	return 0;
}

static int drop_keys(struct put_back *back, const struct relation_foreign_keys *keys,
		     struct error *err)
{
	for (size_t i = 0; i < keys->nr; i++) {
		const struct relation_foreign_key *key = &keys->item[i];
		char *sql CLEANUP(free_p) =
			xstrfmt("ALTER TABLE %s DROP CONSTRAINT %s", key->table, key->name);

		if (run(back, sql, err) < 0)
			return error_prefix(err, "could not set the foreign keys of %s aside",
					    key->table);
	}
	return 0;
}

int put_back_hold(struct put_back *back, const uint32_t *oid, const char *const *table, size_t nr,
		  struct error *err)
{
	relation_foreign_keys_release(&back->held_keys);
	if (search(back, false, err) < 0 ||
	    relation_foreign_keys_read(&back->held_keys, db_of(back), oid, nr, err) < 0 ||
	    drop_keys(back, &back->held_keys, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++) {
		char *sql CLEANUP(free_p) = xstrfmt("TRUNCATE ONLY %s", table[i]);

		if (set_reactions_aside(back, table[i], oid[i], err) < 0 || run(back, sql, err) < 0)
			return error_prefix(err, "could not set the rows of %s aside", table[i]);
	}
	return bring_reactions_back(back, err) < 0 ? -1 : search(back, true, err);
}

int put_back_begin(struct put_back *back, struct error *err)
{
	if (relation_foreign_keys_read(&back->keys, db_of(back), back->oid, back->nr, err) < 0 ||
	    drop_keys(back, &back->keys, err) < 0)
		return -1;
	progress_start(&back->progress, "Putting rows back", 0, PROGRESS_COUNT, back->meter);
	return 0;
}

static int remake_key(struct put_back *back, const struct relation_foreign_key *key,
		      struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sql, "ALTER TABLE %s ADD CONSTRAINT %s %s", key->table, key->name,
		    key->definition);
	if (run(back, sql.buf, err) < 0) {
		bool violated = !strcmp(err->sqlstate, "23503");

		error_prefix(err, "cannot put rows back: foreign key %s of %s does not hold",
			     key->name, key->table);
		return violated ? error_code(err, EXIT_NO) : -1;
	}
	if (!key->comment)
		return 0;
	sql.len = 0;
	strbuf_addf(&sql, "COMMENT ON CONSTRAINT %s ON %s IS %s", key->name, key->table,
		    key->comment);
	return run(back, sql.buf, err);
}

/* The scripts may have made it anew, or have dropped what it was for. */
static int is_wanted(bool *ret, struct put_back *back, const struct relation_foreign_key *key,
		     struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { key->table, key->name };

	if (db_query(&res, db_of(back),
		     "SELECT pg_catalog.to_regclass($1) IS NOT NULL AND NOT EXISTS"
		     " (SELECT FROM pg_catalog.pg_constraint WHERE"
		     "  conrelid = pg_catalog.to_regclass($1)"
		     "  AND pg_catalog.quote_ident(conname) = $2)",
		     2, params, err) < 0)
		return -1;
	*ret = db_bool(&res, 0, 0);
	return 0;
}

int put_back_end(struct put_back *back, struct error *err)
{
	progress_finish(&back->progress);
	/* ALTER TABLE refuses a table with events that wait. */
	if (transaction_check_deferred(db_of(back), err) < 0)
		return error_prefix(err, "cannot put rows back");
	for (size_t i = 0; i < back->keys.nr; i++)
		if (remake_key(back, &back->keys.item[i], err) < 0)
			return -1;
	for (size_t i = 0; i < back->held_keys.nr; i++) {
		bool wanted;

		if (is_wanted(&wanted, back, &back->held_keys.item[i], err) < 0 ||
		    (wanted && remake_key(back, &back->held_keys.item[i], err) < 0))
			return -1;
	}
	return bring_reactions_back(back, err);
}

/* --- Rows ------------------------------------------------------------------------------------------ */

struct rows_source {
	struct put_back *back;
	struct saved_part part;
};

static int rows_source(void *data, void *buf, size_t size, size_t *ret_len, struct error *err)
{
	struct rows_source *source = data;
	struct put_back *back = source->back;

	if (saved_part_read(&source->part, buf, size, ret_len, err) < 0)
		return -1;
	/* In COPY's text an end of line ends a row; of binary ones it is a guess at progress. */
	for (const char *p = buf, *end = p + *ret_len; p < end; p++) {
		p = memchr(p, '\n', (size_t)(end - p));
		if (!p)
			break;
		back->rows++;
	}
	progress_update(&back->progress, back->rows);
	return 0;
}

static int copy_failed(const json_t *part, struct error *err)
{
	static const char unsafe_new_enum_value[] = "55P04";
	bool unsafe = !strcmp(err->sqlstate, unsafe_new_enum_value);

	error_prefix(err, "could not put the rows of %s back", json_member(part, "table"));
	if (!unsafe)
		return -1;
	error_hint(err, "What is saved stays: apply the migrations again by 'git apply-migration', "
			"and then copy the rows in.");
	return error_code(err, EXIT_NO);
}

static int copy_into(struct put_back *back, struct saved *saved, const char *table,
		     const json_t *part, int64_t *ret_rows, struct error *err)
{
	struct rows_source source = { .back = back, .part = SAVED_PART_INIT };
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	int ret;

	strbuf_addstr(&sql, "COPY ");
	save_copy_target(&sql, db_of(back), table, json_object_get(part, "columns"));
	strbuf_addf(&sql, " FROM STDIN%s", save_format_clause(part));
	ret = search(back, true, err) < 0 || saved_part_open(&source.part, saved, part, err) < 0 ?
		      -1 :
		      copy_in(ret_rows, db_of(back), sql.buf, rows_source, &source, err);
	saved_part_release(&source.part);
	if (ret == 0)
		ret = search(back, false, err);
	return ret < 0 ? copy_failed(part, err) : 0;
}

/* A list of the part's columns or keys, each by `format`, which has %s once or twice. */
static void add_each(struct strbuf *out, struct put_back *back, const json_t *names,
		     const char *before, const char *between, const char *after,
		     const char *separator)
{
	size_t i;
	json_t *name;

	json_array_foreach(names, i, name)
	{
		struct strbuf quoted CLEANUP(strbuf_release) = STRBUF_INIT;

		db_quote_identifier(&quoted, db_of(back), json_string_value(name));
		strbuf_addf(out, "%s%s%s", i ? separator : "", before, quoted.buf);
		if (between)
			strbuf_addf(out, "%s%s%s", between, quoted.buf, after);
	}
}

static void add_key_match(struct strbuf *out, struct put_back *back, const json_t *part)
{
	add_each(out, back, json_object_get(part, "key"), "t.", " = s.", "", " AND ");
}

static int make_temporary(struct put_back *back, const char *name, const char *table,
			  const json_t *columns, bool data, struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sql, "CREATE TEMPORARY TABLE %s ON COMMIT DROP AS SELECT ", name);
	add_each(&sql, back, columns, "", NULL, "", ", ");
	strbuf_addf(&sql, " FROM ONLY %s%s", table, data ? "" : " WITH NO DATA");
	return run(back, sql.buf, err);
}

/* What was saved, as a table to be joined with. */
static int make_saved(struct put_back *back, const json_t *part, int64_t *ret_rows,
		      struct error *err)
{
	if (make_temporary(back, TEMPORARY, json_member(part, "table"),
			   json_object_get(part, "columns"), false, err) < 0)
		return -1;
	return copy_into(back, back->saved, TEMPORARY, part, ret_rows, err);
}

static int count(int64_t *ret, struct put_back *back, const char *sql, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db_of(back), sql, 0, NULL, err) < 0)
		return -1;
	*ret = db_int(&res, 0, 0);
	return 0;
}

/* The same of a statement that writes. */
static int write_rows(int64_t *ret, struct put_back *back, const char *sql, struct error *err)
{
	return search(back, true, err) < 0 || count(ret, back, sql, err) < 0 ?
		       -1 :
		       search(back, false, err);
}

static int digest_error(const json_t *part, struct error *err)
{
	error_set(err, "the rows of %s are not what was saved of them", json_member(part, "table"));
	return error_code(err, EXIT_NO);
}

static int fill(struct put_back *back, const json_t *part, struct put_back_result *ret,
		struct error *err)
{
	const char *table = json_member(part, "table");
	const char *digest = json_member(part, "digest");
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct save_count now;

	strbuf_addf(&sql, "TRUNCATE ONLY %s", table);
	if (run(back, sql.buf, err) < 0 ||
	    copy_into(back, back->saved, table, part, &ret->rows, err) < 0 ||
	    save_count_rows(&now, db_of(back), part, table, json_object_get(part, "columns"), err) <
		    0)
		return -1;
	if (!digest || strcmp(now.digest, digest) != 0 ||
	    now.rows != json_integer_value(json_object_get(part, "rows")))
		return digest_error(part, err);
	return 0;
}

static json_t *without(const json_t *names, const json_t *those)
{
	json_t *ret = json_array(), *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		if (!json_has(those, name))
			json_array_append(ret, name);
	}
	return ret;
}

/* The saved columns that are no key: those whose values are to come back. */
static json_t *values_of(const json_t *part)
{
	return without(json_object_get(part, "columns"), json_object_get(part, "key"));
}

/* Not every type has an operator for it, but each has a text. */
static int count_same(int64_t *ret, struct put_back *back, const json_t *part, const json_t *values,
		      struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sql, "SELECT pg_catalog.count(*) FROM ONLY %s t JOIN " TEMPORARY " s ON ",
		    json_member(part, "table"));
	add_key_match(&sql, back, part);
	if (json_array_size(values))
		strbuf_addstr(&sql, " WHERE ");
	add_each(&sql, back, values, "t.", "::text IS NOT DISTINCT FROM s.", "::text", " AND ");
	return count(ret, back, sql.buf, err);
}

static int count_all(int64_t *ret, struct put_back *back, const json_t *part, struct error *err)
{
	char *sql CLEANUP(free_p) =
		xstrfmt("SELECT pg_catalog.count(*) FROM ONLY %s", json_member(part, "table"));

	return count(ret, back, sql, err);
}

static int insert_missing(struct put_back *back, const json_t *part, int64_t *ret_rows,
			  struct error *err)
{
	const char *table = json_member(part, "table");
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&sql, "WITH put AS (INSERT INTO ");
	save_copy_target(&sql, db_of(back), table, json_object_get(part, "columns"));
	strbuf_addstr(&sql, " OVERRIDING SYSTEM VALUE SELECT ");
	add_each(&sql, back, json_object_get(part, "columns"), "s.", NULL, "", ", ");
	strbuf_addf(&sql, " FROM " TEMPORARY " s WHERE NOT EXISTS (SELECT FROM ONLY %s t WHERE ",
		    table);
	add_key_match(&sql, back, part);
	strbuf_addstr(&sql, ") RETURNING 1) SELECT pg_catalog.count(*) FROM put");
	if (write_rows(ret_rows, back, sql.buf, err) == 0)
		return 0;
	error_prefix(err, "cannot put back the rows of %s that are missing", table);
	return !strncmp(err->sqlstate, "23", 2) ? error_code(err, EXIT_NO) : -1;
}

/* Rows that are there stay as they are. */
static int merge(struct put_back *back, const json_t *part, struct put_back_result *ret,
		 struct error *err)
{
	const char *table = json_member(part, "table");
	json_t *values CLEANUP(json_decref_p) = values_of(part);
	int64_t saved, same, all;

	if (!json_array_size(json_object_get(part, "key"))) {
		error_refused(err, "cannot merge the rows of %s: it has no primary key", table);
		return error_hint(err, "Move its newer rows elsewhere, and try without --merge.");
	}
	if (make_saved(back, part, &saved, err) < 0 ||
	    insert_missing(back, part, &ret->rows, err) < 0 ||
	    count_same(&same, back, part, values, err) < 0 || count_all(&all, back, part, err) < 0)
		return -1;
	ret->different = saved - same;
	ret->newer = all - saved;
	return run(back, "DROP TABLE " TEMPORARY, err);
}

/* The columns that COPY and INSERT take. */
static int columns_now(json_t **ret, struct put_back *back, const char *table, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	uint32_t oid;

	if (relation_find(&oid, db_of(back), table, err) < 0 ||
	    relations_read(&now, db_of(back), &oid, 1, err) < 0)
		return -1;
	*ret = json_array();
	for (size_t i = 0; now.nr && i < now.item[0].nr; i++)
		if (!now.item[0].column[i].generated)
			json_array_append_new(*ret, json_string(now.item[0].column[i].name));
	return 0;
}

/* The table's own columns, then those of which the values were saved. */
static int insert_saved(struct put_back *back, const json_t *part, json_t *others, json_t *values,
			int64_t *ret, struct error *err)
{
	json_t *columns CLEANUP(json_decref_p) = json_copy(others);
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	json_array_extend(columns, values);
	strbuf_addstr(&sql, "WITH put AS (INSERT INTO ");
	save_copy_target(&sql, db_of(back), json_member(part, "table"), columns);
	strbuf_addstr(&sql, " OVERRIDING SYSTEM VALUE SELECT ");
	add_each(&sql, back, others, "t.", NULL, "", ", ");
	add_each(&sql, back, values, ", s.", NULL, "", "");
	strbuf_addstr(&sql, " FROM " WHOLE " t JOIN " TEMPORARY " s ON ");
	add_key_match(&sql, back, part);
	strbuf_addstr(&sql, " RETURNING 1) SELECT pg_catalog.count(*) FROM put");
	return write_rows(ret, back, sql.buf, err);
}

/* Rows that came since, with what they have, or the defaults of what they have not. */
static int insert_newer(struct put_back *back, const json_t *part, const json_t *columns,
			int64_t *ret, struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&sql, "WITH put AS (INSERT INTO ");
	save_copy_target(&sql, db_of(back), json_member(part, "table"), columns);
	strbuf_addstr(&sql, " OVERRIDING SYSTEM VALUE SELECT ");
	add_each(&sql, back, columns, "t.", NULL, "", ", ");
	strbuf_addstr(&sql,
		      " FROM " WHOLE " t WHERE NOT EXISTS (SELECT FROM " TEMPORARY " s WHERE ");
	add_key_match(&sql, back, part);
	strbuf_addstr(&sql, ") RETURNING 1) SELECT pg_catalog.count(*) FROM put");
	return write_rows(ret, back, sql.buf, err);
}

/* All of its rows aside: as they are now, or as they were held. */
static int make_whole(json_t **ret_columns, struct put_back *back, const json_t *part,
		      const json_t *held, struct error *err)
{
	const char *table = json_member(part, "table");
	int64_t rows;

	if (!held)
		return columns_now(ret_columns, back, table, err) < 0 ?
			       -1 :
			       make_temporary(back, WHOLE, table, *ret_columns, true, err);
	*ret_columns = json_incref(json_object_get(held, "columns"));
	if (make_temporary(back, WHOLE, table, *ret_columns, false, err) < 0)
		return -1;
	return copy_into(back, back->holder, WHOLE, held, &rows, err);
}

static int fill_again(struct put_back *back, const json_t *part, json_t *values, const json_t *held,
		      struct put_back_result *ret, struct error *err)
{
	const char *table = json_member(part, "table");
	json_t *columns CLEANUP(json_decref_p) = NULL, *others CLEANUP(json_decref_p) = NULL;
	char *sql CLEANUP(free_p) = xstrfmt("TRUNCATE ONLY %s", table);
	int64_t newer;

	if (make_whole(&columns, back, part, held, err) < 0 || run(back, sql, err) < 0)
		return -1;
	others = without(columns, values);
	if (insert_saved(back, part, others, values, &ret->rows, err) == 0 &&
	    insert_newer(back, part, columns, &newer, err) == 0)
		return run(back, "DROP TABLE " WHOLE, err);
	error_prefix(err, "cannot put the rows of %s back", table);
	return !strncmp(err->sqlstate, "23", 2) ? error_code(err, EXIT_NO) : -1;
}

static int update_rows(struct put_back *back, const json_t *part, const json_t *values,
		       struct put_back_result *ret, struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addf(&sql, "WITH put AS (UPDATE ONLY %s t SET ", json_member(part, "table"));
	add_each(&sql, back, values, "", " = s.", "", ", ");
	strbuf_addstr(&sql, " FROM " TEMPORARY " s WHERE ");
	add_key_match(&sql, back, part);
	strbuf_addstr(&sql, " RETURNING 1) SELECT pg_catalog.count(*) FROM put");
	return write_rows(&ret->rows, back, sql.buf, err);
}

static int fill_columns(struct put_back *back, const json_t *part, const struct put_back_how *how,
			struct put_back_result *ret, struct error *err)
{
	const char *table = json_member(part, "table");
	json_t *values CLEANUP(json_decref_p) = values_of(part);
	int64_t saved, same, all;

	if (!json_array_size(values))
		BUG("nothing but the key of %s was saved", table);
	if (make_saved(back, part, &saved, err) < 0 ||
	    (how->again ? fill_again(back, part, values, how->held, ret, err) :
			  update_rows(back, part, values, ret, err)) < 0 ||
	    count_same(&same, back, part, values, err) < 0)
		return -1;
	if (same != ret->rows)
		return digest_error(part, err);
	if (count_all(&all, back, part, err) < 0)
		return -1;
	ret->missing = saved - ret->rows;
	ret->newer = all - ret->rows;
	return run(back, "DROP TABLE " TEMPORARY, err);
}

int put_back_rows(struct put_back *back, const json_t *part, const struct put_back_how *how,
		  struct put_back_result *ret, struct error *err)
{
	*ret = (struct put_back_result){ 0 };
	if (!is_whole(part))
		return fill_columns(back, part, how, ret, err);
	return how->merged ? merge(back, part, ret, err) : fill(back, part, ret, err);
}

/* --- Sequences --------------------------------------------------------------------------------- */

int put_back_note_sequences(struct put_back *back, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, db_of(back),
		     "SELECT coalesce(pg_catalog.array_agg(oid), '{}')::text"
		     " FROM pg_catalog.pg_class WHERE relkind = 'S'",
		     0, NULL, err) < 0)
		return -1;
	free(back->sequences);
	back->sequences = xstrdup(db_value(&res, 0, 0));
	return 0;
}

/* Where it stands, and whether numbers of it may have been used since the rollback. */
struct position {
	bool there, lived; /* since before this undo */
	bool descending, is_called;
	int64_t last;
};

static int read_position(struct position *ret, struct put_back *back, const char *sequence,
			 struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct db_result now CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { sequence, back->sequences };
	char *sql CLEANUP(free_p) = xstrfmt("SELECT last_value, is_called FROM %s", sequence);

	*ret = (struct position){ 0 };
	if (db_query(&res, db_of(back),
		     "SELECT seqrelid = ANY ($2::oid[]), seqincrement < 0"
		     " FROM pg_catalog.pg_sequence WHERE seqrelid = pg_catalog.to_regclass($1)",
		     2, params, err) < 0)
		return -1;
	if (!res.rows)
		return 0;
	if (db_query(&now, db_of(back), sql, 0, NULL, err) < 0)
		return -1;
	*ret = (struct position){
		.there = true,
		.lived = db_bool(&res, 0, 0),
		.descending = db_bool(&res, 0, 1),
		.last = db_int(&now, 0, 0),
		.is_called = db_bool(&now, 0, 1),
	};
	return 0;
}

/* Has more been used of it than when it was saved? */
static bool is_further(const struct position *now, int64_t last, bool is_called)
{
	if (now->last == last)
		return now->is_called && !is_called;
	return now->descending ? now->last < last : now->last > last;
}

static int put_back_sequence(struct put_back *back, const json_t *sequence, struct error *err)
{
	const char *name = json_member(sequence, "sequence");
	int64_t last = json_integer_value(json_object_get(sequence, "last_value"));
	bool is_called = json_is_true(json_object_get(sequence, "is_called"));
	struct position now;
	char number[24];
	const char *params[] = { name, number, is_called ? "true" : "false" };

	if (read_position(&now, back, name, err) < 0)
		return -1;
	if (!now.there)
		return 0;
	if (now.lived && is_further(&now, last, is_called)) {
		strvec_pushf(&back->further, "%s stays at %" PRId64, name, now.last);
		return 0;
	}
	snprintf(number, sizeof(number), "%" PRId64, last);
	return db_query(NULL, db_of(back),
			"SELECT pg_catalog.setval($1::regclass, $2::bigint, $3::boolean)", 3,
			params, err);
}

int put_back_sequences(struct put_back *back, struct error *err)
{
	size_t i;
	json_t *sequence;

	json_array_foreach(json_object_get(back->saved->manifest, "sequences"), i, sequence)
	{
		if (put_back_sequence(back, sequence, err) < 0)
			return error_prefix(err, "could not set sequence %s",
					    json_member(sequence, "sequence"));
	}
	return 0;
}
