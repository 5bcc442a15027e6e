/* SPDX-License-Identifier: MIT */
#include "sql/script.h"

#include <setjmp.h>
#include <signal.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/strbuf.h"
#include "sql/parser.h"

/* --- Scripts that are taken, written out as what would be run --- */

static void show_name(struct strbuf *out, const char *before, const struct sql_name *name)
{
	if (!name->schema && !name->name)
		return;
	strbuf_addf(out, "%s%s%s%s", before, name->schema ? name->schema : "",
		    name->schema ? "." : "", name->name ? name->name : "-");
}

/*
 * A line for each statement: '!' when outside, '?' when conditional, '~' when opaque, '$'
 * with a secret, then its kind, what it is about, and its text. First a line of flags.
 */
static char *show(const struct sql_script *s)
{
	struct strbuf out = STRBUF_INIT;

	strbuf_addf(&out, "%s%s%s", s->absorbed ? "absorbed " : "", s->marked ? "marked " : "",
		    s->no_transaction ? "outside " : "");
	strbuf_rtrim(&out);
	for (size_t i = 0; i < s->nr; i++) {
		const struct sql_statement *it = &s->statement[i];

		strbuf_addf(&out, "\n%s%s%s%s%s", it->outside ? "!" : "",
			    it->conditional ? "?" : "", it->opaque ? "~" : "",
			    it->has_secret ? "$" : "",
			    it->kind == SQL_ORDINARY ? "" : sql_kind_name(it->kind));
		show_name(&out, " ", &it->object);
		show_name(&out, " on ", &it->table);
		strbuf_addf(&out, "|%.*s", (int)it->len, s->text + it->offset);
	}
	return strbuf_detach(&out);
}

struct good {
	const char *sql, *expect;
};

static void check_good(const struct good *it)
{
	struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	char *actual CLEANUP(free_p) = NULL;

	if (sql_script_parse(&s, "f.sql", it->sql, strlen(it->sql), &err) < 0)
		fail_msg("%s\nwas refused: %s: %s", it->sql, err.place, err.message);
	actual = show(&s);
	assert_string_equal(actual, it->expect);
	assert_true(!s.why == !(strchr(actual, '!')));
}

static void check_all_good(const struct good *list, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		check_good(&list[i]);
}

static void splits(void **state UNUSED)
{
	static const struct good list[] = {
		{ "", "" },
		{ "  \r\n\t", "" },
		{ "-- nothing; here\n/* ; /* nested; */ ; */", "" },
		{ ";;;", "" },
		{ "\xef\xbb\xbf", "" },
		{ "\xef\xbb\xbfselect 1;", "\n|select 1" },
		{ "select 1", "\n|select 1" },
		{ "select 1 \n\t ", "\n|select 1" },
		{ ";;select 1 ; ;select 2;;", "\n|select 1\n|select 2" },
		{ "-- a; b\nselect 1; -- c; d\n/* e; /* f; */ g; */ select 2; -- end;",
		  "\n|select 1\n|select 2" },
		{ "-- lone CR ends a comment\rselect 1;", "\n|select 1" },
		{ "select 1 -- why; not\n, 2;", "\n|select 1 -- why; not\n, 2" },
		{ "select 1; select 2 -- the end", "\n|select 1\n|select 2 -- the end" },
		{ "select 1;\r\nselect\r\n2;\r\n", "\n|select 1\n|select\r\n2" },
		{ "select 'a;b', \"c;d\" from t; select 2",
		  "\n|select 'a;b', \"c;d\" from t\n|select 2" },
		{ "reindex table a_name_that_is_as_long_as_names_can_be_in_the_server_which_is_63",
		  "\n|reindex table a_name_that_is_as_long_as_names_can_be_in_the_server_which_is_63" },
		{ "create role a; alter database d refresh collation version;"
		  "alter subscription s set (binary = true)",
		  "\n|create role a\n|alter database d refresh collation version\n"
		  "ALTER SUBSCRIPTION s|alter subscription s set (binary = true)" },
		{ "select 'it''s; ok';select E'it\\'s; ok';select e'\\\\';",
		  "\n|select 'it''s; ok'\n|select E'it\\'s; ok'\n|select e'\\\\'" },
		{ "select 'back\\'; select 2;", "\n|select 'back\\'\n|select 2" },
		{ "select U&'\\0061;', U&\"d\\0061;\", b'1', x'f', n'x;';",
		  "\n|select U&'\\0061;', U&\"d\\0061;\", b'1', x'f', n'x;'" },
		{ "select 'a;'\n'b;'; select 1", "\n|select 'a;'\n'b;'\n|select 1" },
		{ "select $$a;$b$;$$, $x$ ;$$; $y$ $x$; select 2",
		  "\n|select $$a;$b$;$$, $x$ ;$$; $y$ $x$\n|select 2" },
		{ "select '\xc3\xa9;' as \"\xe6\x97\xa5;\"; select 2",
		  "\n|select '\xc3\xa9;' as \"\xe6\x97\xa5;\"\n|select 2" },
		{ "create function f() returns void language plpgsql as $$\nbegin\n"
		  "  perform 1; commit; rollback;\nend;\n$$;\nselect 1;",
		  "\n|create function f() returns void language plpgsql as $$\nbegin\n"
		  "  perform 1; commit; rollback;\nend;\n$$\n|select 1" },
		{ "create function f() returns int begin atomic select 1; select 2; end;\nselect 1;",
		  "\n|create function f() returns int begin atomic select 1; select 2; end\n|select 1" },
		{ "create rule r as on insert to t do also (select 1; select 2); select 3;",
		  "\n|create rule r as on insert to t do also (select 1; select 2)\n|select 3" },
		{ "select a[1:2], x::int from t", "\n|select a[1:2], x::int from t" },
		{ "prepare p as select $1; deallocate p",
		  "\n|prepare p as select $1\n|deallocate p" },
		{ "do $$ begin commit; end $$; call p();",
		  "\n~DO|do $$ begin commit; end $$\n~CALL|call p()" },
		{ "-- x\nDO/**/'begin end'", "\n~DO|DO/**/'begin end'" },
	};

	check_all_good(list, ARRAY_SIZE(list));
}

static void absorbs_transaction_control(void **state UNUSED)
{
	static const struct good list[] = {
		{ "begin; commit;", "absorbed" },
		{ "BEGIN;\ncreate table a ();\nCOMMIT;\n", "absorbed\n|create table a ()" },
		{ "-- licence\nstart transaction; select 1; end", "absorbed\n|select 1" },
		{ "begin work; select 1; end transaction -- done", "absorbed\n|select 1" },
		{ "/* x */ begin isolation level read committed, read write, not deferrable;"
		  "select 1; commit and no chain;",
		  "absorbed\n|select 1" },
		{ "begin isolation level read uncommitted; commit", "absorbed" },
		{ ";;begin;;select 1;;commit;;", "absorbed\n|select 1" },
		{ "begin; savepoint \"A\"; select 1; rollback to \"A\"; release savepoint \"A\"; end",
		  "absorbed\nSAVEPOINT A|savepoint \"A\"\n|select 1\n"
		  "ROLLBACK TO SAVEPOINT A|rollback to \"A\"\n"
		  "RELEASE SAVEPOINT A|release savepoint \"A\"" },
		{ "savepoint a; savepoint b; savepoint a; release A; release a;",
		  "\nSAVEPOINT a|savepoint a\nSAVEPOINT b|savepoint b\nSAVEPOINT a|savepoint a\n"
		  "RELEASE SAVEPOINT a|release A\nRELEASE SAVEPOINT a|release a" },
	};

	check_all_good(list, ARRAY_SIZE(list));
}

static void finds_what_runs_outside(void **state UNUSED)
{
	static const struct good list[] = {
		{ "create index concurrently on t (a)",
		  "outside\n!CREATE INDEX CONCURRENTLY on t|create index concurrently on t (a)" },
		{ "CREATE /**/ UNIQUE -- x\n INDEX CONCURRENTLY if not exists \"I x\" on \"S\".t (a)",
		  "outside\n!?CREATE INDEX CONCURRENTLY S.I x on S.t|"
		  "CREATE /**/ UNIQUE -- x\n INDEX CONCURRENTLY if not exists \"I x\" on \"S\".t (a)" },
		{ "create index \"concurrently\" on t (a)",
		  "\n|create index \"concurrently\" on t (a)" },
		{ "drop index concurrently i",
		  "outside\n!DROP INDEX CONCURRENTLY i|drop index concurrently i" },
		{ "drop index concurrently if exists d.s.i",
		  "outside\n!?DROP INDEX CONCURRENTLY s.i|drop index concurrently if exists d.s.i" },
		{ "drop index i, j", "\n|drop index i, j" },
		{ "reindex index concurrently s.i",
		  "outside\n!REINDEX CONCURRENTLY s.i|reindex index concurrently s.i" },
		{ "reindex (verbose, concurrently on) table t",
		  "outside\n!REINDEX CONCURRENTLY t|reindex (verbose, concurrently on) table t" },
		{ "reindex (concurrently off) table t", "\n|reindex (concurrently off) table t" },
		{ "reindex (concurrently 0) index i", "\n|reindex (concurrently 0) index i" },
		{ "reindex (concurrently false) index i",
		  "\n|reindex (concurrently false) index i" },
		{ "reindex table t", "\n|reindex table t" },
		{ "reindex schema s",
		  "outside\n!REINDEX of a whole schema or database s|reindex schema s" },
		{ "reindex database concurrently d",
		  "outside\n!REINDEX of a whole schema or database d|reindex database concurrently d" },
		{ "reindex system d",
		  "outside\n!REINDEX of a whole schema or database d|reindex system d" },
		{ "alter table s.t detach partition p1 concurrently",
		  "outside\n!DETACH PARTITION CONCURRENTLY p1 on s.t|"
		  "alter table s.t detach partition p1 concurrently" },
		{ "alter table if exists t detach partition s.p concurrently",
		  "outside\n!?DETACH PARTITION CONCURRENTLY s.p on t|"
		  "alter table if exists t detach partition s.p concurrently" },
		{ "alter table t detach partition p", "\n|alter table t detach partition p" },
		{ "alter table t detach partition p finalize",
		  "\n|alter table t detach partition p finalize" },
		{ "alter table t add column concurrently_run bool",
		  "\n|alter table t add column concurrently_run bool" },
		{ "vacuum", "outside\n!VACUUM|vacuum" },
		{ "vacuum (analyze) t", "outside\n!VACUUM|vacuum (analyze) t" },
		{ "analyze t", "\n|analyze t" },
		{ "cluster", "outside\n!CLUSTER without a table|cluster" },
		{ "cluster verbose", "outside\n!CLUSTER without a table|cluster verbose" },
		{ "cluster t using i", "\n|cluster t using i" },
		{ "alter system set work_mem = '1MB'",
		  "outside\n!ALTER SYSTEM|alter system set work_mem = '1MB'" },
		{ "alter system reset all", "outside\n!ALTER SYSTEM|alter system reset all" },
		{ "create database \"D\"", "outside\n!CREATE DATABASE D|create database \"D\"" },
		{ "drop database if exists d with (force)",
		  "outside\n!?DROP DATABASE d|drop database if exists d with (force)" },
		{ "alter database d set tablespace t",
		  "outside\n!ALTER DATABASE SET TABLESPACE d|alter database d set tablespace t" },
		{ "alter database d set default_tablespace = t",
		  "\n|alter database d set default_tablespace = t" },
		{ "alter database d owner to o", "\n|alter database d owner to o" },
		{ "create tablespace t location '/x'",
		  "outside\n!CREATE TABLESPACE t|create tablespace t location '/x'" },
		{ "drop tablespace if exists t",
		  "outside\n!?DROP TABLESPACE t|drop tablespace if exists t" },
		{ "create subscription s connection 'host=h' publication p",
		  "outside\n!CREATE SUBSCRIPTION s|create subscription s connection 'host=h' publication p" },
		{ "create subscription s connection '' publication p with (connect = false)",
		  "\nCREATE SUBSCRIPTION s|create subscription s connection '' publication p with (connect = false)" },
		{ "create subscription s connection '' publication p with (create_slot = off)",
		  "\nCREATE SUBSCRIPTION s|create subscription s connection '' publication p with (create_slot = off)" },
		{ "alter subscription s refresh publication",
		  "outside\n!ALTER SUBSCRIPTION s|alter subscription s refresh publication" },
		{ "alter subscription s set publication p with (refresh = false)",
		  "\nALTER SUBSCRIPTION s|alter subscription s set publication p with (refresh = false)" },
		{ "alter subscription s add publication p",
		  "outside\n!ALTER SUBSCRIPTION s|alter subscription s add publication p" },
		{ "alter subscription s disable",
		  "\nALTER SUBSCRIPTION s|alter subscription s disable" },
		{ "drop subscription if exists s",
		  "outside\n!?DROP SUBSCRIPTION s|drop subscription if exists s" },
		{ "begin; alter subscription s set (slot_name = none); drop subscription s; commit",
		  "absorbed\nALTER SUBSCRIPTION s|alter subscription s set (slot_name = none)\n"
		  "DROP SUBSCRIPTION s|drop subscription s" },
		{ "discard all", "outside\n!DISCARD ALL|discard all" },
		{ "discard plans", "\n|discard plans" },
		{ "alter type s.e add value if not exists 'x'",
		  "\n?ALTER TYPE ... ADD VALUE s.e|alter type s.e add value if not exists 'x'" },
		{ "alter type e rename value 'a' to 'b'",
		  "\n|alter type e rename value 'a' to 'b'" },
		{ "refresh materialized view concurrently v",
		  "\n|refresh materialized view concurrently v" },
		{ "copy t from '/x'; copy t to program 'stdin'",
		  "\n|copy t from '/x'\n|copy t to program 'stdin'" },
		{ "select 1; vacuum; vacuum",
		  "outside\n|select 1\n!VACUUM|vacuum\n!VACUUM|vacuum" },
	};

	check_all_good(list, ARRAY_SIZE(list));
}

static void finds_the_marker(void **state UNUSED)
{
	static const struct good list[] = {
		{ SQL_MARKER, "marked outside" },
		{ SQL_MARKER "\nselect 1", "marked outside\n|select 1" },
		{ "\xef\xbb\xbf" SQL_MARKER "\r\nselect 1;\r\n", "marked outside\n|select 1" },
		{ "-- a\n/* b */\n \t" SQL_MARKER " \t\n;-- c\nselect 1",
		  "marked outside\n|select 1" },
		{ SQL_MARKER "\nvacuum", "marked outside\n!VACUUM|vacuum" },
		{ "/* x */ " SQL_MARKER "\nselect 1", "\n|select 1" },
		{ "/*\n" SQL_MARKER "\n*/ select 1", "\n|select 1" },
		{ "/* /* */\n" SQL_MARKER "\n*/ select 1", "\n|select 1" },
		{ "-- x " SQL_MARKER "\nselect 1", "\n|select 1" },
		{ SQL_MARKER "s\nselect 1", "\n|select 1" },
		{ "--rollback: no-transaction\nselect 1", "\n|select 1" },
		{ "select $$\n" SQL_MARKER "\n$$", "\n|select $$\n" SQL_MARKER "\n$$" },
		{ "select 1; " SQL_MARKER, "\n|select 1" },
	};

	check_all_good(list, ARRAY_SIZE(list));
}

static void finds_passwords(void **state UNUSED)
{
	static const struct {
		const char *sql;
		bool expect;
	} list[] = {
		{ "create role r", false },
		{ "create role r password 'x'", true },
		{ "create user r encrypted password 'x'", true },
		{ "create group g with password 'x'", true },
		{ "alter role r password null", false },
		{ "alter user r with password $$x$$", true },
		{ "alter role r set search_path = password", false },
		{ "create user mapping for u server s options (user 'u', password 'x')", true },
		{ "create user mapping for u server s options (user 'u')", false },
		{ "alter user mapping for u server s options (set password 'x')", true },
		{ "create server s foreign data wrapper w options (host 'h', sslpassword 'x')",
		  true },
		{ "alter server s options (add secret_key 'x')", true },
		{ "create subscription s connection 'host=h password=x' publication p", true },
		{ "create subscription s connection 'postgresql://u:x@h/d' publication p", true },
		{ "create subscription s connection 'postgresql://u@h:5432/d' publication p",
		  false },
		{ "alter subscription s connection 'password = x'", true },
		{ "alter system set primary_conninfo = 'host=h password=x'", true },
		{ "do $$ begin create role r login PASSWORD\n 'x'; end $$", true },
		{ "do $$ begin alter table t add password text; end $$", false },
		{ "create table t (password text default 'x')", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		char *sql CLEANUP(free_p) = xstrfmt("select 1; %s; select 2", list[i].sql);

		if (sql_script_parse(&s, "f.sql", sql, strlen(sql), &err) < 0)
			fail_msg("%s\nwas refused: %s: %s", sql, err.place, err.message);
		if ((sql_script_secret(&s) != NULL) != list[i].expect)
			fail_msg("%s: expected %s", list[i].sql, list[i].expect ? "one" : "none");
		if (list[i].expect)
			assert_ptr_equal(sql_script_secret(&s), &s.statement[1]);
	}
}

/* --- Scripts that are not --- */

struct bad {
	const char *sql;
	const char *place;   /* "line:column" */
	const char *message; /* all of it */
	const char *hint;    /* a part of it */
};

#define PARSER_SAYS "grammar of PostgreSQL 15"

static void check_bad(const struct bad *it, size_t len, int code)
{
	struct sql_script s = { .nr = 4711 };
	struct error err CLEANUP(error_release) = ERROR_INIT;
	char *place CLEANUP(free_p) = xstrfmt("f.sql:%s", it->place);

	if (!sql_script_parse(&s, "f.sql", it->sql, len, &err))
		fail_msg("%s\nwas taken", it->sql);
	assert_int_equal(s.nr, 4711); /* a failure leaves its outputs alone */
	if (strcmp(err.message, it->message) || strcmp(err.place, place))
		fail_msg("%s\ngave %s: %s\nnot   %s: %s", it->sql, err.place, err.message, place,
			 it->message);
	if (!strstr(err.hint, it->hint))
		fail_msg("%s\nhint: %s\nnot   %s", it->sql, err.hint, it->hint);
	assert_int_equal(err.exit_code, code);
	assert_non_null(err.excerpt);
}

static void refuses_transaction_control(void **state UNUSED)
{
	static const struct bad list[] = {
		{ "select 1;\n  rollback;", "2:3", "ROLLBACK is not possible in a script",
		  "raise an exception" },
		{ "begin; select 1; abort;", "1:18", "ROLLBACK is not possible in a script",
		  "DO block" },
		{ "begin; rollback and chain;", "1:8", "ROLLBACK is not possible in a script",
		  "DO" },
		{ "select 1; commit; select 2", "1:11", "COMMIT in the middle of a script",
		  "a script of its own" },
		{ "begin; commit; select 1", "1:8", "COMMIT in the middle of a script",
		  "of its own" },
		{ "begin; commit; commit", "1:8", "COMMIT in the middle of a script",
		  "of its own" },
		{ "select 1;\nbegin; select 1; commit;", "2:1", "BEGIN in the middle of a script",
		  "before the first statement" },
		{ "begin; start transaction; end;", "1:8", "BEGIN in the middle of a script",
		  "leave it out" },
		{ "begin; commit;\nbegin; commit;", "2:1",
		  "the script has several transactions: another BEGIN", "of its own" },
		{ "select 1; end; begin; end", "1:16",
		  "the script has several transactions: another BEGIN", "of its own" },
		{ "begin; commit and chain;", "1:8", "AND CHAIN is not possible in a script",
		  "of its own" },
		{ "begin;\nselect 1;", "1:1", "BEGIN without COMMIT",
		  "End the script with COMMIT" },
		{ "begin", "1:1", "BEGIN without COMMIT", "leave BEGIN out" },
		{ "select 1;\ncommit;", "2:1", "COMMIT without BEGIN", "Put a BEGIN" },
		{ "end", "1:1", "COMMIT without BEGIN", "Put a BEGIN" },
		{ "begin; prepare transaction 'x';", "1:8",
		  "PREPARE TRANSACTION is not possible in a script", "in one transaction" },
		{ "prepare transaction '';", "1:1",
		  "PREPARE TRANSACTION is not possible in a script", "in one transaction" },
		{ "commit prepared 'x'", "1:1", "COMMIT PREPARED is not possible in a script",
		  "one" },
		{ "rollback prepared 'x'", "1:1", "ROLLBACK PREPARED is not possible in a script",
		  "one" },
		{ "begin isolation level serializable; commit", "1:1",
		  "BEGIN cannot ask for another isolation level than READ COMMITTED",
		  "Leave these" },
		{ "begin transaction isolation level repeatable read; commit", "1:1",
		  "BEGIN cannot ask for another isolation level than READ COMMITTED",
		  "Leave these" },
		{ "start transaction read only; commit", "1:1", "BEGIN cannot ask for READ ONLY",
		  "Leave" },
		{ "begin deferrable; commit", "1:1", "BEGIN cannot ask for DEFERRABLE", "Leave" },
		{ "savepoint a; select 1", "1:1", "savepoint 'a' is never released",
		  "RELEASE SAVEPOINT" },
		{ "savepoint a; savepoint b; release b; rollback to a", "1:1",
		  "savepoint 'a' is never released", "leave it out" },
		{ "savepoint a; savepoint b; release a; release b", "1:38",
		  "RELEASE SAVEPOINT: there is no open savepoint 'b'", "itself" },
		{ "savepoint a; savepoint b; rollback to a; rollback to b; release a", "1:42",
		  "ROLLBACK TO SAVEPOINT: there is no open savepoint 'b'", "itself" },
		{ "savepoint a; release \"A\"", "1:14",
		  "RELEASE SAVEPOINT: there is no open savepoint 'A'", "itself" },
		{ "rollback to savepoint a", "1:1",
		  "ROLLBACK TO SAVEPOINT: there is no open savepoint 'a'", "itself" },
		{ SQL_MARKER "\nbegin;\nselect 1;\ncommit;", "2:1",
		  "BEGIN in a script that runs outside of a transaction, because it is marked '" SQL_MARKER
		  "'",
		  "commits by itself" },
		{ "begin; select 1; commit;\nvacuum;", "1:1",
		  "BEGIN in a script that runs outside of a transaction, because of VACUUM in line 2",
		  "a script of its own" },
		{ "savepoint a;\n\nvacuum;\nrelease a", "1:1",
		  "SAVEPOINT in a script that runs outside of a transaction, because of VACUUM in line 3",
		  "commits by itself" },
		{ "vacuum; commit", "1:9",
		  "COMMIT in a script that runs outside of a transaction, because of VACUUM in line 1",
		  "commits by itself" },
		{ "-- x\nbegin;\ncreate index concurrently i on t (a);\ncommit;", "3:1",
		  "CREATE INDEX CONCURRENTLY cannot run inside the transaction that BEGIN starts in line 2",
		  "Take BEGIN and COMMIT out" },
		{ SQL_MARKER "\nbegin; drop subscription s; commit;", "2:8",
		  "DROP SUBSCRIPTION cannot run inside the transaction that BEGIN starts in line 2",
		  "of its own" },
		{ "select 1;\n " SQL_MARKER "\nselect 2;", "2:2",
		  "the marker '" SQL_MARKER "' comes too late", "before the first statement" },
		{ "begin;\n" SQL_MARKER "\ncommit;", "2:1",
		  "the marker '" SQL_MARKER "' comes too late", "before the first" },
		{ "select 1;\n" SQL_MARKER, "2:1", "the marker '" SQL_MARKER "' comes too late",
		  "whole" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		check_bad(&list[i], strlen(list[i].sql), EXIT_REFUSED);
}

static void refuses_what_is_psqls(void **state UNUSED)
{
	static const struct bad list[] = {
		{ "copy t from stdin", "1:1", "COPY FROM STDIN is not possible in a script",
		  "INSERT" },
		{ "select 1;\n/* x */ COPY t (a, b) FROM stdin WITH (format csv);\n1,a'\n\\.\nselect 1;\n",
		  "2:9", "COPY FROM STDIN is not possible in a script", "psql after" },
		{ "create table t ();\r\ncopy t from stdin;\r\n1\t\\N\r\n\\.\r\n", "2:1",
		  "COPY FROM STDIN is not possible in a script", "INSERT" },
		{ "copy t from stdin;\nselect 1;\n\\.\n", "1:1",
		  "COPY FROM STDIN is not possible in a script", "INSERT" },
		{ "select ';copy t from stdin;', E'\\';', $a1$;$a$;$$$a1$, $1, \"it;\" - 1;\ncopy t from stdin; $x",
		  "2:1", "COPY FROM STDIN is not possible in a script", "INSERT" },
		{ "select 1; copy (select 1) to stdout", "1:11",
		  "COPY TO STDOUT is not possible in a script", "nowhere" },
		{ "\\i other.sql", "1:1", "'\\i' is a command of psql, not SQL", "without psql" },
		{ "select 1;\n\\set ON_ERROR_STOP on\nselect 2;", "2:1",
		  "'\\set' is a command of psql, not SQL", "without psql" },
		{ "select 1 \\gset", "1:10", "'\\gset' is a command of psql, not SQL",
		  "without psql" },
		{ "\\copy t from 'x'", "1:1", "'\\copy' is a command of psql, not SQL",
		  "without psql" },
		{ "\\.", "1:1", "'\\.' is a command of psql, not SQL", "without psql" },
		{ "\\echo it's", "1:1", "'\\echo' is a command of psql, not SQL", "without psql" },
		{ "select :var", "1:8", "':' does not fit here; psql's variables are not SQL",
		  "value" },
		{ "select '\xc3\xa9', :'var'", "1:13",
		  "':' does not fit here; psql's variables are not SQL", "value" },
		{ "select :1", "1:8", "':' does not fit here; psql's variables are not SQL",
		  "value" },
		{ "drop table :\"t\"", "1:12",
		  "':' does not fit here; psql's variables are not SQL", "value" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		check_bad(&list[i], strlen(list[i].sql), EXIT_REFUSED);
}

static void places_syntax_errors(void **state UNUSED)
{
	static const struct bad list[] = {
		{ "selec 1", "1:1", "syntax error at or near \"selec\"", PARSER_SAYS },
		{ "select 1;\r\nselect 2;\r\n  selec 3;\r\n", "3:3",
		  "syntax error at or near \"selec\"", PARSER_SAYS },
		{ "\xef\xbb\xbf"
		  "selec 1",
		  "1:1", "syntax error at or near \"selec\"", PARSER_SAYS },
		{ "select '\xc3\xa9\xe6\x97\xa5\xf0\x9f\x98\x80' \xc3\xa9 \xc3\xa9;", "1:16",
		  "syntax error at or near \"\xc3\xa9\"", PARSER_SAYS },
		{ "-- \xc3\xa9\nselect 1;\n\tselec 3", "3:2", "syntax error at or near \"selec\"",
		  PARSER_SAYS },
		{ "select 1;\ncreate table t (\r\n\n", "2:17", "syntax error at end of input",
		  PARSER_SAYS },
		{ "select 1;\nselect 'abc", "2:8", "unterminated quoted string at or near \"'abc\"",
		  PARSER_SAYS },
		{ "select $$abc", "1:8", "unterminated dollar-quoted string at or near \"$$abc\"",
		  PARSER_SAYS },
		{ "select 1; /* /* */", "1:11", "unterminated /* comment at or near \"/* /* */\"",
		  PARSER_SAYS },
		{ "select a : b", "1:10", "syntax error at or near \":\"", PARSER_SAYS },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		check_bad(&list[i], strlen(list[i].sql), 0);
}

static void refuses_bytes_that_are_no_text(void **state UNUSED)
{
	static const struct {
		struct bad bad;
		size_t len;
	} list[] = {
		{ { "select 1;\nselect\0 2", "2:7", "a NUL byte is not valid in SQL", "UTF-8" },
		  19 },
		{ { "\xef\xbb\xbf\0", "1:1", "a NUL byte is not valid in SQL", "UTF-8" }, 4 },
		{ { "\xff\xfes\0e\0", "1:1", "byte 0xff is not valid UTF-8", "UTF-8" }, 6 },
		{ { "select '\xc3\xa9\xe9';", "1:10", "byte 0xe9 is not valid UTF-8", "UTF-8" },
		  13 },
		{ { "select 1 -- \xed\xa0\x80", "1:13", "byte 0xed is not valid UTF-8", "UTF-8" },
		  15 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++)
		check_bad(&list[i].bad, list[i].len, 0);
}

/* --- Size and depth --- */

static void repeat(struct strbuf *sb, const char *what, size_t times)
{
	while (times--)
		strbuf_addstr(sb, what);
}

static int parse(struct strbuf *sql, size_t *ret_nr, struct error *err)
{
	struct sql_script s CLEANUP(sql_script_release) = SQL_SCRIPT_INIT;

	if (sql_script_parse(&s, "f.sql", sql->buf, sql->len, err) < 0)
		return -1;
	*ret_nr = s.nr;
	return 0;
}

static void takes_ten_megabytes(void **state UNUSED)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	size_t nr, expect = 0;

	for (; sql.len < (10 << 20); expect++)
		strbuf_addf(&sql,
			    "INSERT INTO t (a, b) VALUES (%zu, 'some text; it''s long enough');\n",
			    expect);
	assert_int_equal(parse(&sql, &nr, &err), 0);
	assert_int_equal(nr, expect);
}

static void depth_is_no_crash(void **state UNUSED)
{
	static const struct {
		const char *before, *again;
		size_t times;
		const char *after;
		const char *message; /* the start of it; NULL: taken */
	} list[] = {
		{ "select 1", "+1", 100000, "", NULL },
		{ "create view v as select 1", "+1", 1000000, "", NULL },
		{ "create index concurrently on t ((1", "+1", 32000, "))", NULL },
		{ "create index concurrently on t ((1", "+1", 100000, "))",
		  "the statement is too long to be examined" },
		{ "create index concurrently on t ((a", "::b", 21000, "))", NULL },
		{ "create index concurrently on t ((a", "[1]", 21000, "))", NULL },
		{ "create index concurrently on t ((a", "=any(b)", 9000, "))", NULL },
		{ "create index concurrently on t ((", "(select ", 1900, "1",
		  "syntax error at end" },
		{ "create index concurrently on t ((", "- ", 9000, "1))", NULL },
		{ "select ", "(", 100000, "", "memory exhausted" },
		{ "select ", "(select ", 100000, "", "memory exhausted" },
		{ "copy (select 1", " union select 1", 4300, ") to stdout", "COPY TO STDOUT" },
		{ "copy (select * from a", " join a using(a)", 4000, ") to stdout",
		  "COPY TO STDOUT" },
		{ "", "/*", 3000, "", "unterminated /* comment" }, /* quadratic in scan.l */
		{ "", ";", 1000000, "", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(list); i++) {
		struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		size_t nr;
		int result;

		strbuf_addstr(&sql, list[i].before);
		repeat(&sql, list[i].again, list[i].times);
		strbuf_addstr(&sql, list[i].after);
		result = parse(&sql, &nr, &err);
		if (!result != !list[i].message)
			fail_msg("%s: %s", list[i].before, err.message);
		if (result && strncmp(err.message, list[i].message, strlen(list[i].message)))
			fail_msg("%s: %s", list[i].before, err.message);
	}
}

static void many_savepoints_in_order(void **state UNUSED)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	size_t nr;

	repeat(&sql, "savepoint a;", 5000);
	repeat(&sql, "release a;", 5000);
	assert_int_equal(parse(&sql, &nr, &err), 0);
	assert_int_equal(nr, 10000);
}

/* One thread after the other: libpg_query keeps its state for each thread. */
static void parses_again_and_again(void **state UNUSED)
{
	for (int i = 0; i < 200; i++) {
		struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
		struct error err CLEANUP(error_release) = ERROR_INIT;
		size_t nr;

		strbuf_addstr(&sql, i % 2 ? "begin; vacuum" : "begin; select 1; commit");
		assert_int_equal(parse(&sql, &nr, &err), i % 2 ? -1 : 0);
	}
}

#if !defined(__SANITIZE_ADDRESS__) /* whose shadow memory is larger than any limit */
static void no_stack_is_an_error(void **state UNUSED)
{
	struct strbuf sql CLEANUP(strbuf_release) = STRBUF_INIT;
	struct error err CLEANUP(error_release) = ERROR_INIT;
	struct rlimit before, tight;
	size_t nr;
	int result;

	strbuf_addstr(&sql, "select 1");
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	tight = before;
	tight.rlim_cur = SQL_PARSER_STACK;
	assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
	result = parse(&sql, &nr, &err);
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_int_equal(result, -1);
	assert_string_equal(
		err.message,
		"could not get 256 MB of stack for the SQL parser: Cannot allocate memory");
	assert_int_equal(err.sys_errno, ENOMEM);
}
#endif

static void release_is_safe(void **state UNUSED)
{
	struct sql_script s = SQL_SCRIPT_INIT;

	sql_script_release(&s);
	sql_script_release(&s);
	assert_null(sql_script_secret(&s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	/* First: the parser's thread is started once and kept. */
#if !defined(__SANITIZE_ADDRESS__)
		cmocka_unit_test(no_stack_is_an_error),
#endif
		cmocka_unit_test(splits),
		cmocka_unit_test(absorbs_transaction_control),
		cmocka_unit_test(finds_what_runs_outside),
		cmocka_unit_test(finds_the_marker),
		cmocka_unit_test(finds_passwords),
		cmocka_unit_test(refuses_transaction_control),
		cmocka_unit_test(refuses_what_is_psqls),
		cmocka_unit_test(places_syntax_errors),
		cmocka_unit_test(refuses_bytes_that_are_no_text),
		cmocka_unit_test(takes_ten_megabytes),
		cmocka_unit_test(depth_is_no_crash),
		cmocka_unit_test(many_savepoints_in_order),
		cmocka_unit_test(parses_again_and_again),
		cmocka_unit_test(release_is_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
