/* SPDX-License-Identifier: MIT */
#include "sql/script.h"

#include <setjmp.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "sql/parser.h"

static const char *const names[] = {
	[SQL_KEEPS_ROWS] = "keeps",
	[SQL_LOSES_ROWS] = "loses",
	[SQL_LOSS_UNKNOWN] = "unknown",
};

static void check_loss(const char *sql, enum sql_loss expect)
{
	struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;

	if (sql_script_parse(&s, "f.sql", sql, strlen(sql), &err) < 0)
		fail_msg("%.200s\nwas refused: %s: %s", sql, err.place, err.message);
	if (sql_script_loss(&s) != expect)
		fail_msg("%.200s: %s, expected %s", sql, names[sql_script_loss(&s)], names[expect]);
	if (s.nr == 1)
		assert_int_equal(s.statement[0].loss, expect);
}

static void check_all(const char *const *list, size_t nr, enum sql_loss expect)
{
	for (size_t i = 0; i < nr; i++)
		check_loss(list[i], expect);
}

static void tells_drops(void **state UNUSED)
{
	static const struct {
		const char *what;
		enum sql_loss alone, cascade;
	} list[] = {
		{ "table t", SQL_LOSES_ROWS, SQL_LOSES_ROWS },
		{ "table if exists a, b", SQL_LOSES_ROWS, SQL_LOSES_ROWS },
		{ "sequence s", SQL_LOSES_ROWS, SQL_LOSES_ROWS },
		{ "owned by r", SQL_LOSES_ROWS, SQL_LOSES_ROWS },
		{ "schema s", SQL_KEEPS_ROWS, SQL_LOSES_ROWS },
		{ "type t", SQL_KEEPS_ROWS, SQL_LOSES_ROWS },
		{ "domain d", SQL_KEEPS_ROWS, SQL_LOSES_ROWS },
		{ "extension e", SQL_LOSS_UNKNOWN, SQL_LOSS_UNKNOWN },
		{ "foreign table t", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "materialized view m", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "view v", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "function f(int)", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "procedure p", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "routine p", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "aggregate a(int)", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "operator +(a, b)", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "operator class c using btree", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "operator family c using btree", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "collation c", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "conversion c", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "cast (a as b)", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "language l", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "transform for t language l", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "access method m", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "server s", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "foreign data wrapper w", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "text search configuration c", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "text search dictionary c", SQL_KEEPS_ROWS, SQL_LOSS_UNKNOWN },
		{ "index i", SQL_KEEPS_ROWS, SQL_KEEPS_ROWS },
		{ "policy p on t", SQL_KEEPS_ROWS, SQL_KEEPS_ROWS },
		{ "publication p", SQL_KEEPS_ROWS, SQL_KEEPS_ROWS },
		{ "rule r on t", SQL_KEEPS_ROWS, SQL_KEEPS_ROWS },
		{ "statistics s", SQL_KEEPS_ROWS, SQL_KEEPS_ROWS },
		{ "trigger r on t", SQL_KEEPS_ROWS, SQL_KEEPS_ROWS },
		{ "event trigger r", SQL_KEEPS_ROWS, SQL_KEEPS_ROWS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		char *alone CLEANUP(free_p) = xstrfmt("drop %s", list[i].what);
		char *plain CLEANUP(free_p) = xstrfmt("DROP /**/ %s RESTRICT", list[i].what);
		char *cascade CLEANUP(free_p) = xstrfmt("drop %s cascade", list[i].what);

		check_loss(alone, list[i].alone);
		check_loss(plain, list[i].alone);
		check_loss(cascade, list[i].cascade);
	}
	check_loss("drop database d", SQL_LOSES_ROWS);
	check_loss("drop tablespace t", SQL_KEEPS_ROWS);
	check_loss("drop role r", SQL_KEEPS_ROWS);
	check_loss("drop user mapping for r server s", SQL_KEEPS_ROWS);
	check_loss("drop index concurrently i", SQL_KEEPS_ROWS);
	check_loss("drop subscription s", SQL_LOSS_UNKNOWN);
}

static void knows_what_loses(void **state UNUSED)
{
	static const char *const list[] = {
		"alter table t drop column c",
		"alter table t drop c",
		"alter table t alter column c type int, drop column if exists d cascade",
		"alter table if exists only t add d int, drop c",
		"alter foreign table t drop c",
		"alter table t alter c restart with 1",
		"alter table t alter c set generated always restart",
		"alter table t alter c drop identity",
		"alter type t drop attribute a",
		"alter type t add attribute b int, drop attribute if exists a cascade",
		"alter sequence s restart",
		"alter sequence if exists s increment 2 restart with 5",
		"truncate t",
		"TRUNCATE TABLE a, b restart identity",
		"delete from t",
		"delete from t where false",
		"/* x */ Delete from t using u",
		"update t set a = a",
		"merge into t using u on t.a = u.a when not matched then insert values (1)",
		"insert into t values (1) on conflict (a) do update set b = 1",
		"insert into t select 1 on conflict on constraint c do update set b = 1 where t.b < 1",
		"insert into t (a) values (E'\\'') /* */ ON /**/ CONFLICT (a) do update set a = 1",
		"insert into t values ($$'$$) on conflict (a) do update set a = '1'",
		"insert into t values (E'a'\n'\\' '', ') on conflict (a) do update set a = 1 --')",
		"insert into t values ('\\') on conflict (a) do update set a = 1 --')",
		"with x as (select 1) delete from t",
		"with x as (select 1) update t set a = 1",
		"with x as (delete from t returning *) select * from x",
		"with x as (delete from t returning *) insert into u select * from x",
		"insert into u with x as (update t set a = 1 returning *) select * from x",
		"create table u as with x as (delete from t returning *) select * from x",
		"with a as (with b as (delete from t returning 1) select 1) select f() from a",
		"with x as (insert into t values (1) on conflict (a) do update set a = 2) select 1",
		"copy (delete from t returning *) to '/x'",
		"copy (update t set a = 1 returning *) to '/x'",
		"discard all",
		"discard temp",
	};

	check_all(list, ARRAY_SIZE(list), SQL_LOSES_ROWS);
}

static void knows_what_it_does_not_know(void **state UNUSED)
{
	static const char *const list[] = {
		"do $$ begin end $$",
		"call p()",
		"prepare p as delete from t",
		"execute p",
		"create table t as execute p",
		"alter table t alter c type int",
		"alter table t alter column c set data type int using c::int, add d int",
		"alter table t alter c drop expression",
		"alter table t set access method m",
		"alter table t drop constraint c cascade",
		"alter table t add c int default f()",
		"alter table t add c int, add d int check (d > 0) default 1 + s.f(2)",
		"alter type t alter attribute a type int",
		"alter type t set (storage = plain)",
		"alter extension e update",
		"create subscription s connection '' publication p with (connect = false)",
		"alter subscription s enable",
		"select f()",
		"select setval('s', 1)",
		"select 1 from t where a = (select b from u order by f(c) limit 1)",
		"select * from f()",
		"select * from t, lateral rows from (f(1), now())",
		"select other.now(), other.lower('a')",
		"select pg_catalog.setval('s', 1), \"SETVAL\"('s', 1)",
		"select \"NOW\"()",
		"select query_to_xml('delete from t', true, true, '')",
		"select count(*) filter (where f(a)) over (partition by f(b)) from t",
		"select f() into u",
		"values (f())",
		"with x as (select f()) select * from x",
		"create table t as select f()",
		"create table t as values (1, f())",
		"create materialized view t as select f()",
		"insert into t values (f())",
		"insert into t values (1, now(), f (2))",
		"insert into t values (1, \"f\"(2))",
		"insert into t values (1, \"now\" (), u&\"f\"(2))",
		"insert into t values (other/**/./**/now())",
		"insert into t (a[f()]) values (1)",
		"insert into t (a) values (E'\\'', f()) --')",
		"insert into t values ('\\', f()) --')",
		"insert into t values (\xc3\xa9())",
		"insert into t default values returning f()",
		"insert into t values ((select a from f()))",
		"insert into t select f()",
		"insert into t values (1) on conflict do nothing returning f()",
		"copy t to program 'x'",
		"copy t from program 'x'",
		"copy (select f()) to '/x'",
		"copy t from '/x' where f(a)",
		"explain analyze delete from t",
		"declare c cursor for select f()",
		"fetch c",
		"load 'x'",
		"set standard_conforming_strings = off",
		"set local standard_conforming_strings to 'off'",
	};

	check_all(list, ARRAY_SIZE(list), SQL_LOSS_UNKNOWN);
}

static void knows_what_keeps(void **state UNUSED)
{
	static const char *const list[] = {
		"",
		"begin; commit",
		"savepoint a; rollback to a; release a",
		"select 1",
		"select 'down'",
		"select a, count(*), lower(b), pg_catalog.upper(b), extract(year from now()) from t",
		"select trim(a), coalesce(a, b), a::text, array[1], interval '1 day' from t",
		"select a into u from t",
		"with x as (select 1) select * from x",
		"with x as (insert into t values (1) returning a) select * from x",
		"table t",
		"(values (1), (2))",
		"insert into t values (1)",
		"insert into s.t as x (a, \"B\") overriding system value values (1, 'it''s'), (2, null)",
		"insert into t values ('f() on conflict select') -- f() select",
		"insert into t /* conflict */ values (1, -2.5e3, now(), NEXTVAL ( 's' ), default)",
		"insert into t values ('\\', 'a'\n'b', n'x', b'1', u&'\\0061')",
		"insert into t values (E'f()\\'(', $$f()$$, $a$f()$$ $b$ f($a$)",
		"insert into t values (1::numeric(10,2), cast('1' as int), array[1, 2], row(1, 2))",
		"insert into t values ((select 1)) returning a",
		"insert into t default values",
		"insert into t values (1) on conflict do nothing",
		"insert into t select * from u",
		"insert into t (values) values (1)",
		"insert into t (a[1]) values (1)",
		"copy t from '/x'",
		"copy t (a, b) from '/x' where a > 1",
		"copy t to '/x'",
		"create table t (id int default f() primary key, b text check (g(b)))",
		"create temp table t () on commit drop",
		"create table t as select * from u",
		"create table if not exists t (a, b) as values (1, 2) with no data",
		"create materialized view m as select count(*) from t",
		"create or replace view v as select f()",
		"create or replace function f() returns void language sql as 'delete from t'",
		"create function f() returns void begin atomic delete from t; end",
		"create rule r as on insert to t do also delete from u",
		"create trigger r before insert on t for each row execute function f()",
		"create index on t (f(a))",
		"create unique index concurrently i on t (a)",
		"create schema s create table t () create view v as select 1",
		"create type e as enum ('a')",
		"create type c as (a int)",
		"create type r as range (subtype = int)",
		"create type b",
		"create domain d as int check (value > 0)",
		"create sequence s",
		"create extension e",
		"create role r",
		"create database d",
		"create policy p on t using (f())",
		"create publication p for table t",
		"create statistics s on a, b from t",
		"create aggregate a (int) (sfunc = f, stype = int)",
		"create cast (a as b) without function",
		"create foreign table t () server s",
		"create event trigger e on ddl_command_end execute function f()",
		"import foreign schema a from server s into b",
		"alter table t add c int",
		"alter table t add c int not null default 1, add d timestamptz default now()",
		"alter table t add constraint c check (f(a))",
		"alter table t add primary key using index i",
		"alter table t add foreign key (a) references u not valid",
		"alter table t validate constraint c, drop constraint if exists d",
		"alter table t alter a set default f(), alter a drop default",
		"alter table t alter a set not null, alter b drop not null",
		"alter table t alter a set statistics 1, alter a set storage plain",
		"alter table t alter a set compression pglz, alter a set (n_distinct = 1)",
		"alter table t alter a add generated always as identity",
		"alter table t alter a set generated always set increment 2",
		"alter table t set unlogged",
		"alter table t set logged, set tablespace x, set (fillfactor = 70), owner to o",
		"alter table t set schema s",
		"alter table t rename a to b",
		"alter table t rename constraint a to b",
		"alter table t rename to u",
		"alter table t attach partition p for values in (1)",
		"alter table t detach partition p",
		"alter table t detach partition p concurrently",
		"alter table t detach partition p finalize",
		"alter table t inherit u, no inherit w",
		"alter table t disable trigger all, enable row level security",
		"alter table t replica identity full, cluster on i",
		"alter table all in tablespace a set tablespace b",
		"alter view v alter a set default 1",
		"alter view v rename a to b",
		"alter index i rename to j",
		"alter sequence s increment 2 start 5 owned by t.a",
		"alter sequence s owner to o",
		"alter type e add value 'x'",
		"alter type e rename value 'x' to 'y'",
		"alter type t add attribute a int",
		"alter type t rename attribute a to b cascade",
		"alter domain d drop constraint c cascade",
		"alter domain d set default 1",
		"alter function f() volatile",
		"alter function f() depends on extension e",
		"alter policy p on t using (true)",
		"alter role r set search_path = a",
		"alter database d set work_mem = 1",
		"alter default privileges grant select on tables to r",
		"alter publication p drop table t",
		"alter system set work_mem = 1",
		"alter extension e drop table t",
		"comment on table t is 'drop table t'",
		"grant select on t to r",
		"revoke all on t from r cascade",
		"grant a to b",
		"reassign owned by a to b",
		"security label on table t is 'x'",
		"refresh materialized view concurrently m",
		"vacuum full t",
		"analyze t",
		"reindex table t",
		"cluster t",
		"checkpoint",
		"lock table t",
		"set search_path = a",
		"set standard_conforming_strings = on",
		"set constraints all deferred",
		"reset all",
		"show work_mem",
		"discard plans",
		"discard sequences",
		"listen a",
		"notify a",
		"deallocate p",
		"close c",
	};

	check_all(list, ARRAY_SIZE(list), SQL_KEEPS_ROWS);
}

static void takes_the_worst_of_a_script(void **state UNUSED)
{
	check_loss("drop view v; select f(); drop index i", SQL_LOSS_UNKNOWN);
	check_loss("drop table t; select f()", SQL_LOSES_ROWS);
	check_loss("select f(); drop table t; drop view v", SQL_LOSES_ROWS);
	check_loss("begin; drop table t; commit", SQL_LOSES_ROWS);
	check_loss("begin; create table t (); commit", SQL_KEEPS_ROWS);
}

/* What is too long for a tree is taken as before, and never said to keep. */
static void too_long_is_unknown(void **state UNUSED)
{
	static const struct {
		const char *before, *again, *after;
		enum sql_loss expect;
	} list[] = {
		{ "select 1", "+1", "", SQL_LOSS_UNKNOWN },
		{ "create view v as select 1", "+1", "", SQL_LOSS_UNKNOWN },
		{ "delete from t where a in (1", ",1", ")", SQL_LOSES_ROWS },
		{ "insert into t values (1)", ",(1)", "", SQL_KEEPS_ROWS },
		{ "insert into t values (1)", ",(1)", ",(f())", SQL_LOSS_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

		strbuf_addstr(&sql, list[i].before);
		while (sql.len <= SQL_TREE_MAX)
			strbuf_addstr(&sql, list[i].again);
		strbuf_addstr(&sql, list[i].after);
		check_loss(sql.buf, list[i].expect);
	}
}

/* The deepest trees that are made. */
static void depth_is_no_crash(void **state UNUSED)
{
	static const struct {
		const char *before, *again, *after;
		size_t times;
		enum sql_loss expect;
	} list[] = {
		{ "select f()", "+1", "", 32000, SQL_LOSS_UNKNOWN },
		{ "select a", "::b", "", 21000, SQL_KEEPS_ROWS },
		{ "select 1", " union select 1", "", 4300, SQL_KEEPS_ROWS },
		{ "select * from a", " join a using(a)", "", 4000, SQL_KEEPS_ROWS },
		{ "insert into t values (- ", "- ", "f())", 9000, SQL_LOSS_UNKNOWN },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;

		strbuf_addstr(&sql, list[i].before);
		for (size_t k = 0; k < list[i].times; k++)
			strbuf_addstr(&sql, list[i].again);
		strbuf_addstr(&sql, list[i].after);
		check_loss(sql.buf, list[i].expect);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tells_drops),
		cmocka_unit_test(knows_what_loses),
		cmocka_unit_test(knows_what_it_does_not_know),
		cmocka_unit_test(knows_what_keeps),
		cmocka_unit_test(takes_the_worst_of_a_script),
		cmocka_unit_test(too_long_is_unknown),
		cmocka_unit_test(depth_is_no_crash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
