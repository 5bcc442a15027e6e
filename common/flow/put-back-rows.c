/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "flow/put-back-run.h"
#include "flow/put-back.h"
#include "flow/save-rows.h"
#include "pg/copy.h"

#define TEMPORARY "pg_temp.git_rollback_rows"
#define WHOLE	  "pg_temp.git_rollback_whole"

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

		db_quote_identifier(&quoted, put_back_db(back), json_string_value(name));
		strbuf_addf(out, "%s%s%s", i ? separator : "", before, quoted.buf);
		if (between)
			strbuf_addf(out, "%s%s%s", between, quoted.buf, after);
	}
}

/* What was kept and not saved: from that table. */
static int copy_kept(struct put_back *back, const char *table, const json_t *part,
		     int64_t *ret_rows, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&sql, "WITH put AS (INSERT INTO ");
	save_copy_target(&sql, put_back_db(back), table, json_object_get(part, "columns"));
	strbuf_addstr(&sql, " OVERRIDING SYSTEM VALUE SELECT ");
	add_each(&sql, back, json_object_get(part, "columns"), "", NULL, "", ", ");
	strbuf_addf(&sql, " FROM ONLY %s RETURNING 1) SELECT pg_catalog.count(*) FROM put",
		    json_member(part, "kept"));
	if (put_back_search(back, true, err) < 0 ||
	    db_query(&res, put_back_db(back), sql.buf, 0, NULL, err) < 0 ||
	    put_back_search(back, false, err) < 0)
		return copy_failed(part, err);
	*ret_rows = db_int(&res, 0, 0);
	return 0;
}

static int copy_into(struct put_back *back, struct saved *saved, const char *table,
		     const json_t *part, int64_t *ret_rows, struct error *err)
{
	struct rows_source source = { .back = back, .part = SAVED_PART_INIT };
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	int ret;

	if (json_member(part, "kept"))
		return copy_kept(back, table, part, ret_rows, err);
	strbuf_addstr(&sql, "COPY ");
	save_copy_target(&sql, put_back_db(back), table, json_object_get(part, "columns"));
	strbuf_addf(&sql, " FROM STDIN%s", save_format_clause(part));
	ret = put_back_search(back, true, err) < 0 ||
			      saved_part_open(&source.part, saved, part, err) < 0 ?
		      -1 :
		      copy_in(ret_rows, put_back_db(back), sql.buf, rows_source, &source, err);
	saved_part_release(&source.part);
	if (ret == 0)
		ret = put_back_search(back, false, err);
	return ret < 0 ? copy_failed(part, err) : 0;
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
	return put_back_run(back, sql.buf, err);
}

/* What was saved, as a table to be joined with; its columns are those of `table`. */
static int make_saved(struct put_back *back, const json_t *part, const char *table,
		      int64_t *ret_rows, struct error *err)
{
	if (make_temporary(back, TEMPORARY, table, json_object_get(part, "columns"), false, err) <
	    0)
		return -1;
	return copy_into(back, back->saved, TEMPORARY, part, ret_rows, err);
}

static int count(int64_t *ret, struct put_back *back, const char *sql, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;

	if (db_query(&res, put_back_db(back), sql, 0, NULL, err) < 0)
		return -1;
	*ret = db_int(&res, 0, 0);
	return 0;
}

/* The same of a statement that writes. */
static int write_rows(int64_t *ret, struct put_back *back, const char *sql, struct error *err)
{
	return put_back_search(back, true, err) < 0 || count(ret, back, sql, err) < 0 ?
		       -1 :
		       put_back_search(back, false, err);
}

static int digest_error(const json_t *part, struct error *err)
{
	error_set(err, "the rows of %s are not what was saved of them", json_member(part, "table"));
	return error_code(err, EXIT_NO);
}

int put_back_count_others(int64_t *ret, struct put_back *back, const json_t *part,
			  const char *table, bool by_key, struct error *err)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	int64_t saved;

	strbuf_addstr(&sql, "SELECT pg_catalog.count(*) FROM ");
	if (by_key) {
		strbuf_addf(&sql, "ONLY %s t WHERE NOT EXISTS (SELECT FROM " TEMPORARY " s WHERE ",
			    table);
		add_key_match(&sql, back, part);
		strbuf_addch(&sql, ')');
	} else {
		/* Not every type has an operator for it, but each has a text. */
		strbuf_addstr(&sql, "(SELECT ROW(");
		add_each(&sql, back, json_object_get(part, "columns"), "", NULL, "", ", ");
		strbuf_addf(&sql, ")::text FROM ONLY %s EXCEPT ALL SELECT ROW(", table);
		add_each(&sql, back, json_object_get(part, "columns"), "", NULL, "", ", ");
		strbuf_addstr(&sql, ")::text FROM " TEMPORARY ") others");
	}
	if (make_saved(back, part, table, &saved, err) < 0 || count(ret, back, sql.buf, err) < 0)
		return -1;
	back->rows = 0;
	return put_back_run(back, "DROP TABLE " TEMPORARY, err);
}

static int fill(struct put_back *back, const json_t *part, struct put_back_result *ret,
		struct error *err)
{
	const char *table = json_member(part, "table");
	const char *digest = json_member(part, "digest");
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct save_count now;

	strbuf_addf(&sql, "TRUNCATE ONLY %s", table);
	if (put_back_run(back, sql.buf, err) < 0 ||
	    copy_into(back, back->saved, table, part, &ret->rows, err) < 0 ||
	    save_count_rows(&now, put_back_db(back), part, table, json_object_get(part, "columns"),
			    err) < 0)
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
	save_copy_target(&sql, put_back_db(back), table, json_object_get(part, "columns"));
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
	if (make_saved(back, part, table, &saved, err) < 0 ||
	    insert_missing(back, part, &ret->rows, err) < 0 ||
	    count_same(&same, back, part, values, err) < 0 || count_all(&all, back, part, err) < 0)
		return -1;
	ret->different = saved - same;
	ret->newer = all - saved;
	return put_back_run(back, "DROP TABLE " TEMPORARY, err);
}

/* The columns that COPY and INSERT take. */
static int columns_now(json_t **ret, struct put_back *back, const char *table, struct error *err)
{
	struct relations now CLEANUP(relations_release) = RELATIONS_INIT;
	uint32_t oid;

	if (relation_find(&oid, put_back_db(back), table, err) < 0 ||
	    relations_read(&now, put_back_db(back), &oid, 1, err) < 0)
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
	save_copy_target(&sql, put_back_db(back), json_member(part, "table"), columns);
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
	save_copy_target(&sql, put_back_db(back), json_member(part, "table"), columns);
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

	if (make_whole(&columns, back, part, held, err) < 0 || put_back_run(back, sql, err) < 0)
		return -1;
	others = without(columns, values);
	if (insert_saved(back, part, others, values, &ret->rows, err) == 0 &&
	    insert_newer(back, part, columns, &newer, err) == 0)
		return put_back_run(back, "DROP TABLE " WHOLE, err);
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
	if (make_saved(back, part, table, &saved, err) < 0 ||
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
	return put_back_run(back, "DROP TABLE " TEMPORARY, err);
}

int put_back_rows(struct put_back *back, const json_t *part, const struct put_back_how *how,
		  struct put_back_result *ret, struct error *err)
{
	*ret = (struct put_back_result){ 0 };
	if (!put_back_is_whole(part))
		return fill_columns(back, part, how, ret, err);
	return how->merged ? merge(back, part, ret, err) : fill(back, part, ret, err);
}
