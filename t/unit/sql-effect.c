/* SPDX-License-Identifier: MIT */
#include "sql/effect.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "sql/parser.h"

static const char *const names[] = {
	[SQL_EFFECT_DROP] = "drop",
	[SQL_EFFECT_DROP_COLUMN] = "drop column",
	[SQL_EFFECT_RETYPE_COLUMN] = "retype",
	[SQL_EFFECT_INSERT] = "insert",
	[SQL_EFFECT_UPDATE] = "update",
	[SQL_EFFECT_DELETE] = "delete",
	[SQL_EFFECT_TRUNCATE] = "truncate",
	[SQL_EFFECT_RESTART] = "restart",
	[SQL_EFFECT_ALTER] = "alter",
	[SQL_EFFECT_CREATE] = "create",
	[SQL_EFFECT_RENAME] = "rename",
	[SQL_EFFECT_SEARCH_PATH] = "path",
	[SQL_EFFECT_UNKNOWN] = "unknown",
};

static void add_list(struct strbuf *out, const char *before, const struct strvec *list,
		     const char *between, const char *after)
{
	if (!list->nr)
		return;
	strbuf_addstr(out, before);
	for (size_t i = 0; i < list->nr; i++)
		strbuf_addf(out, "%s%s", i ? between : "", list->v[i]);
	strbuf_addstr(out, after);
}

/* "drop table a.b cascade": one line for each, without the lock unless it is another. */
static void add_effect(struct strbuf *out, const struct sql_effect *e)
{
	strbuf_addstr(out, names[e->kind]);
	if (e->type && strcmp(e->type, "relation") != 0)
		strbuf_addf(out, " %s", e->type);
	add_list(out, " ", &e->name, "|", "");
	add_list(out, "(", &e->args, ", ", ")");
	strbuf_addstr(out, e->any_args ? "(*)" : "");
	if (e->column)
		strbuf_addf(out, " %s", e->column);
	add_list(out, " set ", &e->columns, ", ", "");
	strbuf_addstr(out, e->only ? " only" : "");
	strbuf_addstr(out, e->all ? " all" : "");
	strbuf_addstr(out, e->restart ? " restarting" : "");
	strbuf_addstr(out, e->conditional ? " if" : "");
	strbuf_addstr(out, e->cascade ? " cascade" : "");
	if (e->why)
		strbuf_addf(out, " <%s>", e->why);
	if (e->kind == SQL_EFFECT_ALTER)
		strbuf_addf(out, " %s", e->lock);
}

static void get_effects(struct strbuf *out, const char *sql)
{
	struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct sql_effects effects CLEANUP(sql_effects_release) = SQL_EFFECTS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (sql_script_parse(&s, "f.sql", sql, strlen(sql), &err) < 0)
		fail_msg("%.200s\nwas refused: %s: %s", sql, err.place, err.message);
	if (sql_script_effects(&effects, &s, &err) < 0)
		fail_msg("%.200s: %s", sql, err.message);
	for (size_t i = 0; i < effects.nr; i++) {
		strbuf_addstr(out, i ? "; " : "");
		add_effect(out, &effects.item[i]);
	}
}

static void check(const char *sql, const char *expect)
{
	struct strbuf actual CLEANUP(strbuf_release) = STRBUF_INIT;

	get_effects(&actual, sql);
	if (strcmp(actual.buf, expect) != 0)
		fail_msg("%.200s\ngives    %.400s\nexpected %.400s", sql, actual.buf, expect);
}

struct pair {
	const char *sql, *expect;
};

static void check_all(const struct pair *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		check(list[i].sql, list[i].expect);
}

static void finds_what_is_dropped(void **state UNUSED)
{
	static const struct pair list[] = {
		{ "drop table t", "drop table t" },
		{ "drop table if exists S.\"A.b\"\"c\", d cascade",
		  "drop table s|A.b\"c if cascade; drop table d if cascade" },
		{ "drop table here.s.t", "drop table s|t" },
		{ "drop view v restrict", "drop view v" },
		{ "drop materialized view m", "drop materialized view m" },
		{ "drop foreign table f", "drop foreign table f" },
		{ "drop sequence s.q", "drop sequence s|q" },
		{ "drop index i, s.j", "drop index i; drop index s|j" },
		{ "drop schema s, t cascade", "drop schema s cascade; drop schema t cascade" },
		{ "drop extension if exists e cascade", "drop extension e if cascade" },
		{ "drop type s.t cascade", "drop type s|t cascade" },
		{ "drop domain d", "drop type d" },
		{ "drop function f", "drop function f(*)" },
		{ "drop function s.f(int, out x text, varchar(3)[], \"T y\")",
		  "drop function s|f(\"pg_catalog\".\"int4\", \"pg_catalog\".\"varchar\"[], \"T y\")" },
		{ "drop function f()", "drop function f" },
		{ "drop procedure p(s.t)", "drop procedure p(\"s\".\"t\")" },
		{ "drop routine r(text)", "drop routine r(\"text\")" },
		{ "drop aggregate a(*)", "drop aggregate a" },
		{ "drop operator s.+ (int, none)",
		  "drop operator s|+(\"pg_catalog\".\"int4\", NONE)" },
		{ "drop operator class s.c using btree", "drop operator class btree|s|c" },
		{ "drop operator family c using hash", "drop operator family hash|c" },
		{ "drop cast (text as s.t)", "drop cast(\"text\", \"s\".\"t\")" },
		{ "drop transform for t language l", "drop transform(\"t\", l)" },
		{ "drop trigger if exists g on s.t", "drop trigger s|t|g if" },
		{ "drop rule r on t cascade", "drop rule t|r cascade" },
		{ "drop policy p on here.s.t", "drop policy s|t|p" },
		{ "drop language l", "drop language l" },
		{ "drop server s cascade", "drop server s cascade" },
		{ "drop foreign data wrapper w", "drop foreign-data wrapper w" },
		{ "drop publication p", "drop publication p" },
		{ "drop event trigger e", "drop event trigger e" },
		{ "drop access method m cascade", "drop access method m cascade" },
		{ "drop collation s.c", "drop collation s|c" },
		{ "drop conversion c", "drop conversion c" },
		{ "drop statistics s.c", "drop statistics object s|c" },
		{ "drop text search configuration c", "drop text search configuration c" },
		{ "drop text search dictionary d", "drop text search dictionary d" },
		{ "drop text search parser p", "drop text search parser p" },
		{ "drop text search template t", "drop text search template t" },
		{ "drop owned by r, current_user cascade",
		  "drop owned r cascade; drop owned cascade" },
		{ "drop index concurrently i", "drop index i" },
		/* Not of this database, or not of any. */
		{ "drop role r", "" },
		{ "drop user mapping for r server s", "" },
		{ "drop tablespace t", "" },
		{ "drop database d", "unknown <DROP DATABASE>" },
		{ "drop subscription s", "unknown <DROP SUBSCRIPTION>" },
	};

	check_all(list, ARRAY_SIZE(list));
}

static void finds_what_is_altered(void **state UNUSED)
{
	static const struct pair list[] = {
		{ "alter table t drop column c, drop if exists \"D e\" cascade",
		  "drop column t c; drop column t D e if cascade" },
		{ "alter table if exists only s.t drop c", "drop column s|t c only if" },
		{ "alter foreign table t drop c", "drop column t c" },
		{ "alter table t alter c type int using f(c)",
		  "retype t c; unknown function f <a call of f()>" },
		{ "alter table t alter c type int using upper(c)::int", "retype t c" },
		{ "alter table t drop constraint k cascade", "drop table constraint t|k cascade" },
		{ "alter table t add column c int default f()",
		  "alter t AccessExclusiveLock; create table column t|c; unknown function f <a call of f()>" },
		{ "alter table t add column if not exists c int default 3, alter d set not null",
		  "alter t AccessExclusiveLock; create table column t|c if;"
		  " alter t AccessExclusiveLock" },
		{ "alter table s.t add constraint k check (a > 0)",
		  "alter s|t AccessExclusiveLock; create table constraint s|t|k" },
		{ "alter table t alter c drop identity", "restart t c" },
		{ "alter table t alter c restart with 7", "restart t c" },
		{ "alter table t alter c set increment 2", "alter t AccessExclusiveLock" },
		{ "alter table t alter c drop expression",
		  "alter t AccessExclusiveLock; unknown <ALTER TABLE>" },
		{ "alter table t drop c, alter d drop expression",
		  "drop column t c; alter t AccessExclusiveLock; unknown <ALTER TABLE>" },
		{ "alter table t add foreign key (a) references s.u",
		  "alter t ShareRowExclusiveLock; alter s|u ShareRowExclusiveLock" },
		{ "alter table t validate constraint k", "alter t ShareUpdateExclusiveLock" },
		{ "alter table t disable trigger all", "alter t ShareRowExclusiveLock" },
		{ "alter table t detach partition p",
		  "alter t AccessExclusiveLock; alter p AccessExclusiveLock" },
		{ "alter table t attach partition p default",
		  "alter t ShareUpdateExclusiveLock; alter p AccessExclusiveLock" },
		{ "alter type t drop attribute a", "unknown <ALTER TYPE>" },
		{ "alter type t alter attribute a type int", "unknown <ALTER TYPE>" },
		{ "alter sequence if exists s.q restart", "restart sequence s|q if" },
		{ "alter sequence q increment 5", "" },
		{ "create index i on s.t (a)", "alter s|t ShareLock; create s|i" },
		{ "create index concurrently on t (a)", "alter t ShareUpdateExclusiveLock" },
		{ "create trigger g after insert on t execute function f()",
		  "alter t ShareRowExclusiveLock; create trigger t|g" },
		{ "create policy p on t", "alter t AccessExclusiveLock; create policy t|p" },
		{ "create or replace rule r as on insert to s.t do instead nothing",
		  "alter s|t AccessExclusiveLock; create rule s|t|r if" },
		{ "create extension if not exists e", "create extension e if" },
		{ "lock table only t, s.u in share mode",
		  "alter t only ShareLock; alter s|u ShareLock" },
	};

	check_all(list, ARRAY_SIZE(list));
}

static void finds_whose_rows_change(void **state UNUSED)
{
	static const struct pair list[] = {
		{ "insert into t values (1), (now())", "insert t" },
		{ "insert into S.\"a\"\"b.c\" (x) values (1)", "insert s|a\"b.c" },
		{ "insert into here.s . t values (1)", "insert s|t" },
		{ "insert into U&\"d\\0061t\" values (1)", "insert dat" },
		{ "insert into u values (1)", "insert u" },
		{ "insert into \"\"\"a\" values (1)", "insert \"a" },
		{ "insert into \"a\"\"\" values (1)", "insert a\"" },
		{ "INSERT /* a */ INTO \"into\" AS x VALUES (1)", "insert into" },
		{ "insert into t values (1); insert into t values (2); insert into u values (3)",
		  "insert t; insert u" },
		{ "delete from t where a = 1; delete from t where a = 2; delete from t; delete from only t",
		  "delete t; delete t all; delete t only all" },
		{ "update t set a = 1 where b; update t set a = 2 where c; update t set b = 2 where c",
		  "update t set a; update t set b" },
		{ "drop table t; drop table t", "drop table t; drop table t" },
		{ "insert into t select * from u", "insert t" },
		{ "insert into t values (f())", "insert t; unknown function f <a call of f()>" },
		{ "insert into t values (1) on conflict do nothing", "insert t" },
		{ "insert into t values (1) on conflict (a) do update set b = 1, \"C d\" = 2",
		  "insert t; update t set b, C d" },
		{ "delete from t", "delete t all" },
		{ "delete from only s.t where a = 1", "delete s|t only" },
		{ "delete from t using u where t.a = u.a", "delete t" },
		{ "delete from t where purge(a) and purge(b) and s.g()",
		  "delete t; unknown function purge <a call of purge()>;"
		  " unknown function s|g <a call of s.g()>" },
		{ "update only t set a = 1, (b, c) = (2, 3)", "update t set a, b, c only all" },
		{ "update t set a[1] = 1 where b", "update t set a" },
		{ "with d as (delete from a returning *), u as (update b set x = 1)"
		  " insert into c select * from d",
		  "insert c; delete a all; update b set x all" },
		{ "select * from t", "" },
		{ "select setval('s', 1), count(*) from t",
		  "unknown function setval <a call of setval()>" },
		{ "select * into u from t", "create table u" },
		{ "with d as (delete from a returning *) select * from d", "delete a all" },
		{ "merge into t using u on t.a = u.a when matched and u.b then delete"
		  " when matched then update set b = 1 when not matched then insert values (1)",
		  "delete t; update t set b; insert t" },
		{ "truncate t", "truncate t" },
		{ "truncate table only s.t, u restart identity cascade",
		  "truncate s|t only restarting cascade; truncate u restarting cascade" },
		{ "copy t from '/file'", "insert t" },
		{ "copy t from program 'x'", "insert t; unknown <COPY with PROGRAM>" },
		{ "copy (delete from t returning *) to '/file'", "delete t all" },
		{ "create table n as select f() from t",
		  "create n; unknown function f <a call of f()>" },
	};

	check_all(list, ARRAY_SIZE(list));
}

static void says_what_it_does_not_know(void **state UNUSED)
{
	static const struct pair list[] = {
		{ "do 'begin end'", "unknown <DO>" },
		{ "call s.p(1)", "unknown function s|p <a call of s.p()>" },
		{ "execute p", "unknown <EXECUTE p>" },
		{ "prepare p as delete from t", "unknown <PREPARE P>" },
		{ "explain analyze delete from t", "unknown <EXPLAIN ANALYZE>" },
		{ "discard temp", "unknown <DISCARD TEMP>" },
		{ "set standard_conforming_strings = off",
		  "unknown <SET STANDARD_CONFORMING_STRINGS>" },
	};

	check_all(list, ARRAY_SIZE(list));
}

static void follows_names(void **state UNUSED)
{
	static const struct pair list[] = {
		{ "set search_path = s, \"T u\", public", "path s|T u|public" },
		{ "set local search_path to '$user', 'a, b'", "path $user|a, b" },
		{ "set schema 's'", "path s" },
		{ "reset search_path", "path" },
		{ "reset all", "path" },
		{ "set work_mem = '1MB'", "" },
		{ "create table s.t (a int)", "create s|t" },
		{ "create table if not exists t (a int)", "create t if" },
		{ "create or replace view v as select 1", "create v if" },
		{ "create materialized view m as select 1", "create m" },
		{ "create sequence q", "create q" },
		{ "create foreign table f () server s", "create f" },
		{ "create type t as (a int)", "create type t" },
		{ "create type s.t as enum ('a')", "create type s|t" },
		{ "create type r as range (subtype = int)", "create type r" },
		{ "create domain d as int", "create type d" },
		{ "create schema s create table t ()", "create schema s; create t" },
		{ "create schema authorization r", "create schema r" },
		{ "create or replace function s.f() returns int language sql as 'select 1'",
		  "create routine s|f if" },
		{ "alter table s.a rename to b", "alter s|a AccessExclusiveLock; rename s|b" },
		{ "alter table if exists a rename c to d",
		  "alter a if AccessExclusiveLock; rename table column a|d" },
		{ "alter table a rename constraint c to d",
		  "alter a AccessExclusiveLock; rename table constraint a|d" },
		{ "alter index i rename to j", "alter i AccessExclusiveLock; rename j" },
		{ "alter trigger g on t rename to h",
		  "alter t AccessExclusiveLock; rename trigger t|h" },
		{ "alter schema a rename to b", "rename schema b" },
		{ "alter type s.a rename to b", "rename type s|b" },
		{ "alter function s.f(int) rename to g", "rename function s|g" },
		{ "alter table s.a set schema t", "alter s|a AccessExclusiveLock; rename t|a" },
		{ "alter function f(int) set schema t", "rename function t|f" },
	};

	check_all(list, ARRAY_SIZE(list));
}

static void counts_statements(void **state UNUSED)
{
	static const char sql[] =
		"begin; create table n (); drop table a, b; do ''; delete from c; commit";
	static const size_t expect[] = { 0, 1, 1, 2, 3 };
	struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct sql_effects effects CLEANUP(sql_effects_release) = SQL_EFFECTS_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	assert_int_equal(sql_script_parse(&s, "f.sql", sql, strlen(sql), &err), 0);
	assert_int_equal(sql_script_effects(&effects, &s, &err), 0);
	assert_int_equal(effects.nr, ARRAY_SIZE(expect));
	for (size_t i = 0; i < effects.nr; i++)
		assert_int_equal(effects.item[i].statement, expect[i]);
}

/* A statement with so many constants that no tree is made of it. */
static void check_long(const char *before, const char *again, const char *after, const char *expect)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

	strbuf_addstr(&sql, before);
	while (sql.len <= SQL_TREE_MAX)
		strbuf_addstr(&sql, again);
	strbuf_addstr(&sql, after);
	check(sql.buf, expect);
}

static void long_ones_are_told_by_their_words(void **state UNUSED)
{
	check_long("insert into s.t values (1)", ", (1)", "", "insert s|t");
	check_long("delete from only \"A\"\"b\" where a in (1", ", 1", ")",
		   "delete A\"b only; unknown <a statement of 65540 bytes>");
	check_long("update Ab set c = 1 where a in (1", ", 1", ")",
		   "update ab; unknown <a statement of 65539 bytes>");
	check_long("select 1 where 1 in (1", ", 1", ")", "unknown <a statement of 65540 bytes>");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_what_is_dropped),
		cmocka_unit_test(finds_what_is_altered),
		cmocka_unit_test(finds_whose_rows_change),
		cmocka_unit_test(says_what_it_does_not_know),
		cmocka_unit_test(follows_names),
		cmocka_unit_test(counts_statements),
		cmocka_unit_test(long_ones_are_told_by_their_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
