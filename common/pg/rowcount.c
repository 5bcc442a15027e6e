/* SPDX-License-Identifier: MIT */
#include "pg/rowcount.h"

#include "base/clock.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/sort.h"
#include "pg/attempt.h"

void rowcount_release(struct rowcount *table)
{
	strvec_release(&table->columns);
	free(table->schema);
	free(table->name);
	free(table->identity);
	free(table->values);
	free(table->failure);
	*table = (struct rowcount){ 0 };
}

/* --- Sizes and statistics ------------------------------------------------------------------- */

/*
 * Sizes are read only where nobody is in the way: that takes a lock. An empty file has no rows,
 * whatever the statistics say.
 */
static const char sizes_sql[] =
	"WITH RECURSIVE asked AS MATERIALIZED (SELECT * FROM json_to_recordset($1::json)"
	"  a (n int, oid oid, measure boolean)),"
	" tree AS (SELECT n, oid, measure FROM asked"
	"  UNION ALL SELECT t.n, i.inhrelid, t.measure FROM tree t"
	"  JOIN pg_class c ON c.oid = t.oid AND c.relkind = 'p'"
	"  JOIN pg_inherits i ON i.inhparent = t.oid),"
	" leaf AS (SELECT t.n, c.relkind, t.measure, c.reltuples, c.relpages, c.relpages *"
	"   current_setting('block_size')::int8 AS main, CASE WHEN t.measure THEN"
	"   coalesce(pg_relation_size(c.oid), 0) END AS measured, CASE WHEN t.measure THEN"
	"   coalesce(pg_total_relation_size(c.oid), 0) END AS total"
	"  FROM tree t JOIN pg_class c USING (oid) WHERE c.relkind <> 'p'),"
	" guess AS (SELECT n, relkind, coalesce(total, main) AS bytes, measured,"
	"  CASE WHEN measured = 0 THEN 0 WHEN reltuples < 0 OR (reltuples = 0 AND relpages = 0)"
	"   THEN NULL WHEN relpages = 0 THEN reltuples"
	"   ELSE reltuples::float8 * coalesce(measured, main) / main END AS rows FROM leaf)"
	" SELECT a.n, c.relkind, s.nspname, c.relname,"
	"  quote_ident(s.nspname) || '.' || quote_ident(c.relname),"
	"  coalesce((SELECT sum(g.bytes) FROM guess g WHERE g.n = a.n), 0)::int8,"
	"  (SELECT CASE WHEN bool_or(g.rows IS NULL OR g.relkind = 'f') THEN -1"
	"   ELSE coalesce(round(sum(g.rows)), 0) END FROM guess g WHERE g.n = a.n)::int8,"
	"  a.measure AND NOT EXISTS (SELECT FROM guess g WHERE g.n = a.n"
	"   AND (g.measured > 0 OR g.relkind = 'f'))"
	" FROM asked a JOIN pg_class c USING (oid) JOIN pg_namespace s ON s.oid = c.relnamespace";

static char *sizes_param(const struct rowcount *tables, size_t nr, bool measure)
{
	json_t *list CLEANUP(json_decref_p) = json_array();

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list, json_pack("{s:o, s:I, s:b}", "n", json_size(i), "oid",
						      (json_int_t)tables[i].oid, "measure",
						      measure && !tables[i].unreadable));
	return json_dumps(list, JSON_COMPACT);
}

static bool has_rows(char relkind)
{
	return relkind == 'r' || relkind == 'p' || relkind == 'm';
}

static void set_values(struct rowcount *table, int64_t value)
{
	for (size_t i = 0; i < table->columns.nr; i++)
		table->values[i] = value;
}

static void take_sizes(struct rowcount *tables, const struct db_result *res)
{
	for (size_t row = 0; row < res->rows; row++) {
		struct rowcount *table = &tables[db_int(res, row, 0)];

		table->relkind = db_value(res, row, 1)[0];
		table->schema = xstrdup(db_value(res, row, 2));
		table->name = xstrdup(db_value(res, row, 3));
		table->identity = xstrdup(db_value(res, row, 4));
		table->bytes = db_int(res, row, 5);
		table->rows = has_rows(table->relkind) ? db_int(res, row, 6) : -1;
		table->exact = has_rows(table->relkind) && db_bool(res, row, 7);
		if (table->relkind == 'S') {
			table->rows = 1;
			table->exact = true;
		}
		set_values(table, table->rows);
	}
}

static int read_sizes(struct rowcount *tables, size_t nr, struct db *db, struct error *err)
{
	const int long_enough = 5000; /* milliseconds */
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	char *failure CLEANUP(free_p) = NULL, *again CLEANUP(free_p) = NULL;
	char *param CLEANUP(free_p) = sizes_param(tables, nr, true);
	int ret = attempt_query(&res, &failure, db, sizes_sql, param, long_enough, err);

	if (ret > 0) {
		free(param);
		param = sizes_param(tables, nr, false);
		ret = attempt_query(&res, &again, db, sizes_sql, param, long_enough, err);
	}
	if (ret > 0)
		return error_set(err, "could not read the sizes of tables: %s",
				 again ? again : "it took too long");
	if (ret < 0)
		return -1;
	take_sizes(tables, &res);
	return 0;
}

/* --- Counting ------------------------------------------------------------------------------- */

struct counting {
	struct rowcount *tables;
	struct db *db;
	int64_t deadline; /* clock_monotonic() */
};

static int milliseconds_left(const struct counting *c)
{
	int64_t left = (c->deadline - clock_monotonic()) / 1000;

	return left > 0 ? (int)left : 0;
}

static bool is_countable(const struct rowcount *table)
{
	return table->identity && has_rows(table->relkind) && !table->exact && !table->unreadable;
}

static void add_count_sql(struct strbuf *sql, struct db *db, const struct rowcount *table, size_t n)
{
	strbuf_addf(sql, "%sSELECT %zu, pg_catalog.count(*)::text", sql->len ? " UNION ALL " : "",
		    n);
	for (size_t i = 0; i < table->columns.nr; i++) {
		strbuf_addstr(sql, " || ' ' || pg_catalog.count(");
		db_quote_identifier(sql, db, table->columns.v[i]);
		strbuf_addch(sql, ')');
	}
	strbuf_addf(sql, " FROM %s", table->relkind == 'p' ? "" : "ONLY ");
	db_quote_identifier(sql, db, table->schema);
	strbuf_addch(sql, '.');
	db_quote_identifier(sql, db, table->name);
}

/* "150 3 7": the rows, and the values of each column. */
static void take_count(struct rowcount *table, const char *text)
{
	char *end;

	table->rows = strtoll(text, &end, 10);
	table->exact = true;
	for (size_t i = 0; i < table->columns.nr; i++)
		table->values[i] = strtoll(end, &end, 10);
}

/* 0, or 1 where not all of these could be counted; then none was. */
static int count_together(struct counting *c, struct rowcount **list, size_t nr, char **ret_failure,
			  struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	int limit = milliseconds_left(c), ret;

	if (!limit)
		return 1;
	for (size_t i = 0; i < nr; i++)
		add_count_sql(&sql, c->db, list[i], (size_t)(list[i] - c->tables));
	ret = attempt_query(&res, ret_failure, c->db, sql.buf, NULL, limit, err);
	for (size_t row = 0; !ret && row < res.rows; row++)
		take_count(&c->tables[db_int(&res, row, 0)], db_value(&res, row, 1));
	return ret;
}

static int count_each(struct counting *c, struct rowcount **list, size_t nr, struct error *err)
{
	for (size_t i = 0; i < nr && milliseconds_left(c); i++)
		if (count_together(c, &list[i], 1, &list[i]->failure, err) < 0)
			return -1;
	return 0;
}

static int compare_bytes(const void *a, const void *b)
{
	const struct rowcount *x = *(struct rowcount *const *)a, *y = *(struct rowcount *const *)b;

	return (x->bytes > y->bytes) - (x->bytes < y->bytes);
}

/* Small ones go in one statement, which saves round trips; if one fails, each by itself. */
static int count_all(struct counting *c, struct rowcount **list, size_t nr, struct error *err)
{
	const int64_t small = 16 << 20; /* bytes in one statement */
	const size_t many = 100;	/* tables */
	size_t next = 0;

	while (next < nr && milliseconds_left(c)) {
		char *failure CLEANUP(free_p) = NULL;
		size_t from = next;
		int64_t bytes = list[next++]->bytes;
		int ret;

		while (next < nr && next - from < many && (bytes += list[next]->bytes) <= small)
			next++;
		ret = next - from > 1 ? count_together(c, list + from, next - from, &failure, err) :
					1;
		if (ret < 0 || (ret > 0 && count_each(c, list + from, next - from, err) < 0))
			return -1;
	}
	return 0;
}

/* --- Values that are not null, where they were not counted ---------------------------------- */

static int guess_values(struct rowcount *table, struct db *db, struct error *err)
{
	struct db_result res CLEANUP(db_result_release) = DB_RESULT_INIT;
	const char *params[] = { table->schema, table->name, table->relkind == 'p' ? "t" : "f" };

	if (table->rows < 0)
		return 0;
	if (db_query(&res, db,
		     "SELECT attname, (null_frac * 1000000)::int8 FROM pg_catalog.pg_stats"
		     " WHERE schemaname = $1 AND tablename = $2 AND inherited = $3::boolean",
		     ARRAY_SIZE(params), params, err) < 0)
		return -1;
	for (size_t row = 0; row < res.rows; row++)
		for (size_t i = 0; i < table->columns.nr; i++)
			if (!strcmp(table->columns.v[i], db_value(&res, row, 0)))
				table->values[i] =
					(int64_t)((double)table->rows *
						  (1e6 - (double)db_int(&res, row, 1)) / 1e6);
	return 0;
}

int rowcount_read(struct rowcount *tables, size_t nr, struct db *db, int limit, struct error *err)
{
	struct counting c = {
		.tables = tables,
		.db = db,
		.deadline = clock_monotonic() + (int64_t)limit * 1000,
	};
	struct rowcount **list CLEANUP(free_p) = xcalloc(nr + 1, sizeof(struct rowcount *));
	size_t countable = 0;

	if (!nr)
		return 0;
	for (size_t i = 0; i < nr; i++)
		tables[i].values = xcalloc(tables[i].columns.nr + 1, sizeof(*tables[i].values));
	if (read_sizes(tables, nr, db, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++)
		if (is_countable(&tables[i]))
			list[countable++] = &tables[i];
	sort(list, countable, sizeof(struct rowcount *), compare_bytes);
	if (count_all(&c, list, countable, err) < 0)
		return -1;
	for (size_t i = 0; i < nr; i++)
		if (tables[i].identity && !tables[i].exact && tables[i].columns.nr &&
		    guess_values(&tables[i], db, err) < 0)
			return -1;
	return 0;
}
