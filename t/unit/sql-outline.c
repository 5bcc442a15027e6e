/* SPDX-License-Identifier: MIT */
#include "sql/outline.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"

static void read_one(struct sql_outline *ret, const char *sql)
{
	const struct sql_source source = { "f.sql", sql, strlen(sql) };
	struct error err CLEANUP(error_release) = ERROR_INIT;

	assert_int_equal(sql_outline_read(ret, &source, 1, &err), 0);
}

static void list(struct strbuf *out, const struct sql_outline *outline)
{
	for (size_t i = 0; i < outline->parts.nr; i++)
		strbuf_addf(out, "%s\n", outline->parts.item[i].text);
}

/* A script, and what comes of it. */
static const struct {
	const char *sql, *parts;
} scripts[] = {
	{ "", "" },
	{ "CREATE TABLE t (id bigserial PRIMARY KEY, e varchar(255) UNIQUE NOT NULL, n numeric(10,2)[]);",
	  "NOT NULL of column 't.e'\nNOT NULL of column 't.id'\ncolumn 't.e'\ncolumn 't.id'\n"
	  "column 't.n'\nprimary key (id) of 't'\ntable 't'\ntype int8 of column 't.id'\n"
	  "type numeric(10,2)[] of column 't.n'\ntype varchar(255) of column 't.e'\n"
	  "unique constraint (e) of 't'\n" },
	/* As pg_dump writes it. */
	{ "\\restrict abc\nSELECT pg_catalog.set_config('search_path', '', false);\n"
	  "CREATE TABLE public.t (id bigint NOT NULL);\n"
	  "ALTER TABLE ONLY public.t ADD CONSTRAINT t_pkey PRIMARY KEY (id);\n\\unrestrict abc\n",
	  "NOT NULL of column 't.id'\ncolumn 't.id'\nprimary key (id) of 't'\ntable 't'\n"
	  "type int8 of column 't.id'\n" },
	{ "CREATE TABLE t (a int, b int, c int);"
	  "CREATE INDEX i ON t (b); CREATE UNIQUE INDEX ON t (a, lower(c::text)) WHERE a > 0;"
	  "ALTER TABLE t DROP COLUMN b, ADD COLUMN d text, ALTER a TYPE bigint, ALTER c SET NOT NULL;"
	  "ALTER TABLE t RENAME COLUMN a TO z;",
	  "NOT NULL of column 't.c'\ncolumn 't.c'\ncolumn 't.d'\ncolumn 't.z'\ntable 't'\n"
	  "type int4 of column 't.c'\ntype int8 of column 't.z'\ntype text of column 't.d'\n"
	  "unique index (z, expression) WHERE of 't'\n" },
	{ "CREATE TABLE a (id int); CREATE TABLE b (a_id int REFERENCES a); ALTER TABLE a RENAME TO c;",
	  "column 'b.a_id'\ncolumn 'c.id'\nforeign key (a_id) of 'b' to 'c'\ntable 'b'\ntable 'c'\n"
	  "type int4 of column 'b.a_id'\ntype int4 of column 'c.id'\n" },
	{ "CREATE TABLE a (id int); CREATE TABLE b (a_id int, FOREIGN KEY (a_id) REFERENCES a (id));"
	  "DROP TABLE a CASCADE;",
	  "column 'b.a_id'\ntable 'b'\ntype int4 of column 'b.a_id'\n" },
	{ "CREATE TABLE b (a_id int CONSTRAINT fk REFERENCES a); ALTER TABLE b DROP CONSTRAINT fk;",
	  "column 'b.a_id'\ntable 'b'\ntype int4 of column 'b.a_id'\n" },
	{ "CREATE TABLE a (x int, y int UNIQUE); ALTER TABLE a DROP CONSTRAINT a_y_key;"
	  "CREATE INDEX ON a (x); DROP INDEX a_x_idx;",
	  "column 'a.x'\ncolumn 'a.y'\ntable 'a'\ntype int4 of column 'a.x'\n"
	  "type int4 of column 'a.y'\n" },
	{ "CREATE TABLE a (x int NOT NULL); CREATE UNIQUE INDEX i ON a (x);"
	  "ALTER TABLE a ADD CONSTRAINT p PRIMARY KEY USING INDEX i;",
	  "NOT NULL of column 'a.x'\ncolumn 'a.x'\nprimary key (x) of 'a'\ntable 'a'\n"
	  "type int4 of column 'a.x'\n" },
	/* One that nothing here makes. */
	{ "ALTER TABLE old ADD COLUMN IF NOT EXISTS n int; ALTER TABLE old DROP COLUMN m;",
	  "column 'old.n'\ntype int4 of column 'old.n'\n" },
	{ "CREATE TABLE IF NOT EXISTS t (a int); CREATE TABLE IF NOT EXISTS t (b int);",
	  "column 't.a'\ntable 't'\ntype int4 of column 't.a'\n" },
	{ "CREATE TEMP TABLE t (a int); CREATE TABLE p (a int) PARTITION BY LIST (a);"
	  "CREATE TABLE c PARTITION OF p FOR VALUES IN (1);",
	  "column 'c.a'\ncolumn 'p.a'\ntable 'c'\ntable 'p'\ntype int4 of column 'c.a'\n"
	  "type int4 of column 'p.a'\n" },
	{ "CREATE TABLE auth.t (a int); CREATE TABLE t (b int); DROP TABLE public.t;",
	  "column 't.a'\ntable 't'\ntype int4 of column 't.a'\n" },
	{ "CREATE TABLE auth.t (); CREATE TABLE t ();", "table 'auth.t'\ntable 'public.t'\n" },
	{ "SET search_path TO app; CREATE TABLE t (); DROP SCHEMA app CASCADE;", "" },
	{ "CREATE TYPE s AS ENUM ('a', 'b'); ALTER TYPE s ADD VALUE 'c'; ALTER TYPE s RENAME VALUE 'a' TO 'z';",
	  "label 'b' of type 's'\nlabel 'c' of type 's'\nlabel 'z' of type 's'\ntype 's'\n" },
	{ "CREATE VIEW v AS SELECT 1; CREATE MATERIALIZED VIEW m AS SELECT 1; DROP VIEW v;"
	  "CREATE DOMAIN d AS int; CREATE TYPE r AS (a int); DROP TYPE r;",
	  "materialized view 'm'\ntype 'd'\n" },
	{ "CREATE FUNCTION f(a int) RETURNS varchar(3) LANGUAGE sql AS 'SELECT 1';"
	  "CREATE FUNCTION f(a int, OUT b text) RETURNS text LANGUAGE sql AS 'SELECT 1';"
	  "CREATE OR REPLACE FUNCTION g(int, varchar(9)) RETURNS int LANGUAGE sql AS 'SELECT 1';"
	  "CREATE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT 1'; DROP FUNCTION h;"
	  "DROP FUNCTION f(text); DROP FUNCTION IF EXISTS f(integer, text);",
	  "function 'f(int4)'\nfunction 'g(int4, varchar)'\n" },
};

static void what_scripts_make(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(scripts); i++) {
		struct sql_outline outline CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;
		struct strbuf parts CLEANUP(strbuf_release) = STRBUF_INIT;

		read_one(&outline, scripts[i].sql);
		list(&parts, &outline);
		if (strcmp(parts.len ? parts.buf : "", scripts[i].parts) != 0)
			fail_msg("%s\nmakes\n%s\nnot\n%s", scripts[i].sql, parts.buf,
				 scripts[i].parts);
		assert_int_equal(outline.unread_nr, 0);
	}
}

static void what_was_dropped_is_kept(void **state UNUSED)
{
	struct sql_outline outline CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;

	read_one(&outline, "CREATE TABLE t (a int, b int); ALTER TABLE t DROP COLUMN a;"
			   "CREATE TABLE u (); DROP TABLE u;");
	assert_non_null(sql_outline_find(&outline.gone, "column 't.a'"));
	assert_non_null(sql_outline_find(&outline.gone, "table 'u'"));
	assert_null(sql_outline_find(&outline.parts, "table 'u'"));
	assert_string_equal(sql_outline_find(&outline.parts, "table 't'")->path, "f.sql");
}

static void what_cannot_be_told_casts_doubt_on_what_it_speaks_of(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "CREATE TABLE t ();\nDO $$BEGIN ALTER TABLE Users ADD a int; END$$;",
		  "f.sql:2: DO" },
		{ "SELECT audit('users');", "f.sql:1: SELECT AUDIT" },
		{ "CALL p('users');", "f.sql:1: CALL P" },
		{ "CREATE TABEL users ();", NULL },
		{ "COPY users FROM stdin;\n1\n\\.\n", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sql_outline outline CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;

		read_one(&outline, cases[i][0]);
		assert_int_equal(outline.unread_nr, 1);
		if (cases[i][1])
			assert_string_equal(outline.unread[0].place, cases[i][1]);
		assert_ptr_equal(sql_outline_doubt(&outline, "users"), outline.unread[0].place);
		assert_null(sql_outline_doubt(&outline, "user"));
		assert_null(sql_outline_doubt(&outline, "sers"));
	}
}

static void what_changes_rows_alone_is_no_doubt(void **state UNUSED)
{
	struct sql_outline outline CLEANUP(sql_outline_release) = SQL_OUTLINE_INIT;

	read_one(&outline,
		 "INSERT INTO users SELECT f(); UPDATE users SET a = f(); SELECT 1;"
		 "SELECT pg_catalog.setval('s', 1, true); GRANT SELECT ON users TO x;"
		 "COMMENT ON TABLE users IS 'x'; CREATE EXTENSION IF NOT EXISTS pgcrypto;");
	assert_int_equal(outline.unread_nr, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_scripts_make),
		cmocka_unit_test(what_was_dropped_is_kept),
		cmocka_unit_test(what_cannot_be_told_casts_doubt_on_what_it_speaks_of),
		cmocka_unit_test(what_changes_rows_alone_is_no_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
