/* SPDX-License-Identifier: MIT */
#include "sql/mention.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"

/* What is made, who may speak of it, and of what. */
static const struct {
	const char *maker, *user, *name; /* NULL: of nothing */
} cases[] = {
	{ "CREATE TABLE users (id int);", "CREATE TABLE i (u int REFERENCES users);", "users" },
	{ "CREATE TABLE users (id int);", "ALTER TABLE public.Users ADD COLUMN x int;", "users" },
	{ "CREATE TABLE users (id int);", "SELECT 1; INSERT INTO \"users\" VALUES (1);", "users" },
	{ "CREATE TABLE users (id int);", "DO $$ BEGIN DELETE FROM users; END $$;", "users" },
	{ "CREATE TABLE users (id int);", "DO $x$ BEGIN DELETE FROM users; END $x$;", "users" },
	{ "CREATE TABLE users (id int);", "this is no SQL, and speaks of users", "users" },
	{ "CREATE TABLE users (id int);", "CREATE TABLE users_old (id int);", NULL },
	{ "CREATE TABLE users (id int);", "-- users\nSELECT 'users'; /* users */", NULL },
	{ "CREATE TABLE users (id int);", "CREATE TABLE \"Users\" (id int);", NULL },
	{ "CREATE TABLE \"Users\" (id int);", "SELECT * FROM \"Users\";", "Users" },
	{ "CREATE TABLE users (id int);", "", NULL },
	{ "CREATE TABLE users (id int);", "DO $$", NULL },
	{ "CREATE VIEW v AS SELECT 1;", "CREATE VIEW w AS SELECT * FROM v;", "v" },
	{ "CREATE TYPE mood AS ENUM ('sad');", "CREATE TABLE t (m mood);", "mood" },
	{ "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';", "SELECT f();", "f" },
	{ "CREATE SCHEMA billing;", "CREATE TABLE billing.t (id int);", "billing" },
	{ "CREATE EXTENSION citext;", "CREATE TABLE t (c citext);", "citext" },
	{ "ALTER TABLE a RENAME TO b;", "DROP TABLE b;", "b" },
	{ "CREATE TABLE x (id int); DROP TABLE x;", "CREATE TABLE x (id int);", NULL },
	{ "ALTER TABLE users ADD COLUMN email text;", "CREATE INDEX ON users (email);",
	  "users.email" },
	{ "ALTER TABLE users ADD COLUMN email text;", "CREATE TABLE t (email text);", NULL },
	{ "ALTER TABLE users ADD COLUMN email text;", "SELECT email FROM t; SELECT id FROM users;",
	  NULL },
	{ "INSERT INTO t VALUES (1);", "SELECT * FROM t;", NULL },
	{ "no SQL either", "SELECT * FROM t;", NULL },
};

static void speaks_of_what_another_makes(void **state UNUSED)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct sql_source maker = { "a.sql", cases[i].maker, strlen(cases[i].maker) };
		const struct sql_source user = { "b.sql", cases[i].user, strlen(cases[i].user) };
		struct sql_mentions found CLEANUP(sql_mentions_release) = SQL_MENTIONS_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;

		assert_int_equal(sql_mentions_find(&found, &maker, &user, 1, &err), 0);
		if ((found.nr ? found.item[0].name : NULL) != cases[i].name &&
		    (!found.nr || !cases[i].name || strcmp(found.item[0].name, cases[i].name) != 0))
			fail_msg("%s | %s: %s", cases[i].maker, cases[i].user,
				 found.nr ? found.item[0].name : "nothing");
	}
}

static void says_which_of_them(void **state UNUSED)
{
	const char *maker_text = "CREATE TABLE a (); CREATE TABLE b ();";
	const struct sql_source maker = { "a.sql", maker_text, strlen(maker_text) };
	const struct sql_source users[] = { { "1", "SELECT * FROM b, a", 18 },
					    { "2", "SELECT 1", 8 },
					    { "3", "TABLE b", 7 } };
	struct sql_mentions found CLEANUP(sql_mentions_release) = SQL_MENTIONS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	assert_int_equal(sql_mentions_find(&found, &maker, users, ARRAY_SIZE(users), &err), 0);
	assert_int_equal(found.nr, 2);
	assert_int_equal(found.item[0].source, 0);
	assert_string_equal(found.item[0].name, "a");
	assert_int_equal(found.item[1].source, 2);
	assert_string_equal(found.item[1].name, "b");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(speaks_of_what_another_makes),
		cmocka_unit_test(says_which_of_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
