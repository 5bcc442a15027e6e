/* SPDX-License-Identifier: MIT */
#include "sql/inside.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"

static void parse(struct sql_script *ret, const char *sql)
{
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (sql_script_parse(ret, "f.sql", sql, strlen(sql), &err) < 0)
		fail_msg("%s\nwas refused: %s", sql, err.message);
	assert_true(ret->no_transaction);
}

static void concurrently_becomes_blanks(void **state UNUSED)
{
	static const char *const cases[][2] = {
		{ "CREATE INDEX CONCURRENTLY i ON t (a); DROP INDEX concurrently IF EXISTS j;",
		  "CREATE INDEX              i ON t (a); DROP INDEX              IF EXISTS j;" },
		{ "SELECT 'CONCURRENTLY'; CREATE UNIQUE INDEX /* CONCURRENTLY */ Concurrently \"concurrently\" ON t (a)",
		  "SELECT 'CONCURRENTLY'; CREATE UNIQUE INDEX /* CONCURRENTLY */              \"concurrently\" ON t (a)" },
		{ "REINDEX INDEX CONCURRENTLY i; REINDEX TABLE CONCURRENTLY t;",
		  "REINDEX INDEX              i; REINDEX TABLE              t;" },
		{ "ALTER TABLE p DETACH PARTITION c CONCURRENTLY;",
		  "ALTER TABLE p DETACH PARTITION c             ;" },
		{ "-- rollback: no-transaction\nUPDATE t SET a = 1;",
		  "-- rollback: no-transaction\nUPDATE t SET a = 1;" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const struct sql_statement *why;

		parse(&s, cases[i][0]);
		assert_int_equal(sql_script_make_inside(&s, &why, &err), 0);
		assert_null(why);
		assert_string_equal(s.text, cases[i][1]);
		assert_false(s.no_transaction);
		for (size_t k = 0; k < s.nr; k++)
			assert_false(s.statement[k].outside);
	}
}

static void what_has_no_such_form_is_named(void **state UNUSED)
{
	static const char *const cases[] = {
		"CREATE INDEX CONCURRENTLY i ON t (a); VACUUM t;",
		"REINDEX (CONCURRENTLY) TABLE t;",
		"REINDEX (VERBOSE, CONCURRENTLY) TABLE t;",
		"REINDEX SCHEMA CONCURRENTLY s;",
		"CREATE DATABASE d;",
		"ALTER SYSTEM SET work_mem = '1MB';",
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		const struct sql_statement *why;

		parse(&s, cases[i]);
		assert_int_equal(sql_script_make_inside(&s, &why, &err), 0);
		assert_ptr_equal(why, &s.statement[s.nr - 1]);
		assert_string_equal(s.text, cases[i]);
		assert_true(s.no_transaction);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(concurrently_becomes_blanks),
		cmocka_unit_test(what_has_no_such_form_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
