#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='scripts that run outside a transaction: broken off anywhere, gone on with, undone'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

plain () {
	tr "\047" "\042" <"$1"
}

test_when_finished_clean () {
	test_when_finished "rm -rf migrations && db_reset"
}

# state, version and detail of every migration.
status () {
	git migration-status --porcelain | cut -f1,2,5 | tr "\t" "|" >actual &&
	printf "%s\n" "$@" >expect &&
	test_cmp expect actual
}

# The row that the log has of a version that has not ended: begun and done of how many.
progress () {	# version begun/done/statements, or nothing
	db_sql "SELECT statements_begun || chr(47) || statements_done || chr(47) || statements
		FROM schema_rollback_log WHERE version = \$\$$1\$\$ AND state = \$\$running\$\$" >actual &&
	printf "%s\n" "$2" | sed "/^$/d" >expect &&
	test_cmp expect actual
}

# Names and validity of the indexes in public.
indexes () {
	db_sql "SELECT relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid
		WHERE relnamespace = 2200 AND relname !~ \$\$schema_\$\$ ORDER BY 1" >actual &&
	printf "%s\n" "$@" | sed "/^$/d" >expect &&
	test_cmp expect actual
}

# A table of two rows with the same value, and one migration that runs outside.
one () {	# up down
	db_sql "create table a (x int); insert into a values (1), (1)" &&
	migration 1_m "$1" "${2:-select 1}"
}

# Makes it so as if the run had been killed in, or after, a statement.
killed () {	# begun done
	db_sql "UPDATE schema_rollback_log SET statements_begun = $1, statements_done = $2
		WHERE version = \$\$1\$\$ AND state = \$\$running\$\$"
}

test_expect_success 'CREATE INDEX CONCURRENTLY among others, unmarked' '
	test_when_finished_clean &&
	one "create table b (y int);
		create index concurrently i1 on a (x);
		insert into b values (1);
		create index concurrently i2 on b (y);
		drop index concurrently i1;" "drop table b" &&
	git apply-migration >out &&
	sed -E "s/\(.* ms\)/(MS)/" out >actual &&
	echo "✅ 1 m (MS)" >expect &&
	test_cmp expect actual &&
	indexes "i2|t" &&
	progress 1 "" &&
	db_sql "SELECT state, statements, statements_begun, statements_done, finished_at > started_at
		FROM schema_rollback_log" >actual &&
	echo "done|5|5|5|t" >expect &&
	test_cmp expect actual &&
	git migration-status --check
'

# Each kind: title, preparation, statement, what the log calls it.
while IFS='|' read -r title_ before_ statement_
do
	test_expect_success "$title_ runs outside" '
		test_when_finished_clean &&
		one "$statement_;" && db_sql "$before_" &&
		git apply-migration -n >actual &&
		cat >expect <<-END &&
		Database default: 1 to apply.
		  1 m (outside a transaction: $title_)
		END
		test_cmp expect actual &&
		git apply-migration &&
		git migration-status --check
	'
done <<END
CREATE INDEX CONCURRENTLY|select 1|create index concurrently on a (x)
DROP INDEX CONCURRENTLY|create index i on a (x)|drop index concurrently i
REINDEX CONCURRENTLY|create index i on a (x)|reindex index concurrently i
REINDEX CONCURRENTLY|create index i on a (x)|reindex table concurrently a
DETACH PARTITION CONCURRENTLY|create table p (x int) partition by range (x); create table p1 partition of p for values from (1) to (2)|alter table p detach partition p1 concurrently
VACUUM|select 1|vacuum (analyze) a
ALTER SYSTEM|select 1|alter system reset work_mem
CREATE DATABASE|select 1|create database ${db_name}_made
DROP DATABASE|select 1|drop database ${db_name}_made
DISCARD ALL|select 1|discard all
END

test_expect_success 'the marker, for what cannot be told from the text' '
	test_when_finished_clean &&
	one "-- rollback: no-transaction
create table b as select pg_current_xact_id() as id;
create table c as select pg_current_xact_id() as id;
do \$\$ begin create table d (); commit; create table e (); rollback; end \$\$;" "drop table b, c, d" &&
	git apply-migration -n >actual &&
	cat >expect <<-\END &&
	Database default: 1 to apply.
	  1 m (outside a transaction: as it is marked)
	END
	test_cmp expect actual &&
	git apply-migration &&
	db_sql "SELECT b.id < c.id, to_regclass(\$\$d\$\$), to_regclass(\$\$e\$\$) IS NULL FROM b, c" >actual &&
	echo "t|d|t" >expect &&
	test_cmp expect actual
'

test_expect_success 'a marker behind the first statement, and BEGIN around one that cannot' '
	test_when_finished_clean &&
	one "select 1;
-- rollback: no-transaction
select 2" &&
	test_expect_code 2 git apply-migration 2>err &&
	test_grep "^error: migrations/1_m.up.sql:2:1: .*the marker .* comes too late" err &&
	migration 1_m "begin;
create index concurrently i on a (x);
commit;" "select 1" &&
	test_expect_code 2 git apply-migration 2>err &&
	test_grep "^error: migrations/1_m.up.sql:2:1: .*CREATE INDEX CONCURRENTLY cannot run inside the transaction" err &&
	db_dump >actual && test_grep ! schema_ actual
'

test_expect_success 'a failure in the first statement that leaves nothing: nothing is recorded' '
	test_when_finished_clean &&
	one "create index concurrently i on a (nosuch);" &&
	test_expect_code 128 git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: migrations/1_m.up.sql:1:1: could not apply migration "1": column "nosuch" does not exist (SQLSTATE 42703)
	    create index concurrently i on a (nosuch);
	    ^
	hint: Nothing of it is left; what was applied before it stays. Correct the script and run the command again.
	END
	plain err >actual &&
	test_cmp expect actual &&
	status "pending|1|" &&
	migration 1_m "create index concurrently i on a (x);" "select 1" &&
	git apply-migration &&
	indexes "i|t"
'

test_expect_success 'likewise a statement that could run in a transaction' '
	test_when_finished_clean &&
	one "select 1 / 0; create index concurrently i on a (x);" &&
	test_expect_code 128 git apply-migration &&
	status "pending|1|" && progress 1 ""
'

test_expect_success 'a failure in the middle: seen in status, and all else refuses' '
	test_when_finished_clean &&
	one "create table b ();
create unique index concurrently i on a (x);
create table c ();" "drop table b" &&
	migration 2_m "create table m2 ()" "drop table m2" &&
	test_expect_code 128 git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: migrations/1_m.up.sql:2:1: could not apply migration "1": could not create unique index "i" (SQLSTATE 23505)
	    create unique index concurrently i on a (x);
	    ^
	  Key (x)=(1) is duplicated.
	hint: It runs outside a transaction, so what was done before stays; "git migration-status" shows how far it came.
	hint: Use "git apply-migration --continue" to go on, or "git rollback-db 1" to undo it.
	END
	plain err >actual &&
	test_cmp expect actual &&
	progress 1 "2/1/3" && indexes "i|f" &&
	status "interrupted|1|apply stopped in statement 2 of 3" "pending|2|" &&
	test_expect_code 1 git migration-status --check &&
	for args in "" 1 2 "--to 2" --next "--baseline 2" --rehearse --single-transaction
	do
		test_expect_code 2 git apply-migration $args >out 2>err &&
		test_must_be_empty out &&
		test_grep "^error: migration .1. was interrupted: statement 1 of 3 is done" err &&
		test_grep "^hint: Use .git apply-migration --continue. to finish it, or .git rollback-db 1. to undo it" err ||
			return
	done &&
	git apply-migration -n 2>err && test_grep "would be refused: migration .1. was interrupted" err &&
	progress 1 "2/1/3"
'

test_expect_success '--continue: fails as before, and goes on once the cause is mended' '
	test_when_finished_clean &&
	one "create table b ();
create unique index concurrently i on a (x);
create table c ();" "drop index i; drop table b, c" &&
	test_expect_code 128 git apply-migration &&
	test_expect_code 128 git apply-migration --continue 2>err &&
	test_grep "^fatal: migrations/1_m.up.sql:2:1: .*could not create unique index" err &&
	progress 1 "2/1/3" &&
	git apply-migration --continue -n >actual &&
	cat >expect <<-\END &&
	Database default: 1 to go on with.
	  1 m (after statement 1 of 3) (outside a transaction: CREATE INDEX CONCURRENTLY)
	END
	test_cmp expect actual &&
	db_sql "truncate a" &&
	git apply-migration --continue &&
	indexes "i|t" && progress 1 "" &&
	git migration-status --check &&
	test_expect_code 1 git apply-migration --continue 2>err &&
	echo "error: no migration was interrupted" >expect &&
	test_cmp expect err &&
	git for-each-ref "refs/rollback/applied/1/$(sha256sum <migrations/1_m.up.sql | cut -d" " -f1)" >refs &&
	test_line_count = 1 refs &&
	git rollback-db 1 --yes
'

test_expect_success 'what the log says of it is shown, not obeyed' '
	test_when_finished_clean &&
	one "create table b ();
create unique index concurrently i on a (x);" "drop table b" &&
	test_expect_code 128 git apply-migration &&
	db_sql "UPDATE schema_rollback_log SET version = 1 || chr(27) || \$\$[31m\$\$,
		name = chr(27) || \$\$[0m\$\$" &&
	git apply-migration --continue -n >actual 2>err &&
	esc=$(printf "\033") &&
	test_grep ! "$esc" actual && test_grep ! "$esc" err &&
	test_grep "1.*31m .*0m (after statement 1 of 2)" actual
'

test_expect_success '--continue goes on with the script that was begun, not with a new one' '
	test_when_finished_clean &&
	one "create table b ();
create unique index concurrently i on a (x);
create table c ();" &&
	test_expect_code 128 git apply-migration && db_sql "truncate a" &&
	echo "create table other ();" >migrations/1_m.up.sql &&
	git apply-migration --continue 2>err &&
	test_grep "^warning: .migrations/1_m.up.sql. was changed since; it goes on with the script that was begun" err &&
	db_sql "SELECT to_regclass(\$\$c\$\$), to_regclass(\$\$other\$\$) IS NULL" >actual &&
	echo "c|t" >expect &&
	test_cmp expect actual &&
	status "changed|1|the SQL differs" &&
	rm migrations/* && git rollback-db 1 --yes --no-proof
'

# --continue where the run was cut off, by what is in the database: title, what is done to it, begun/done
# of 3 statements, what has to run (the ids of rows in log).
while IFS='|' read -r title_ sql_ begun_ done_ expected_
do
	test_expect_success "cut off: $title_" '
		test_when_finished_clean &&
		db_sql "create table log (id serial, what text); create table dup (x int);
			create table p (x int) partition by range (x);
			create table p1 partition of p for values from (1) to (2);
			create index gone on dup (x)" &&
		one "insert into log (what) values (\$\$one\$\$);
create unique index concurrently i on a (x);
insert into log (what) values (\$\$three\$\$);
vacuum a;
insert into log (what) values (\$\$five\$\$);
drop index concurrently gone;
insert into log (what) values (\$\$seven\$\$);" &&
		test_expect_code 128 git apply-migration &&
		db_sql "drop index i; truncate a; truncate log" && db_sql "$sql_" &&
		killed $begun_ $done_ &&
		git apply-migration --continue &&
		db_sql "SELECT coalesce(string_agg(what, chr(32) ORDER BY id), chr(45)) FROM log" >actual &&
		echo "$expected_" >expect &&
		test_cmp expect actual &&
		indexes "i|t" &&
		progress 1 "" &&
		git migration-status --check
	'
done <<\END
before the first|select 1|0|0|one three five seven
after the first|select 1|1|1|three five seven
in CREATE INDEX, which was not made|select 1|2|1|three five seven
in CREATE INDEX, which was made|create unique index i on a (x)|2|1|three five seven
in CREATE INDEX, which is invalid|create unique index i on a (x); update pg_index set indisvalid = false where indexrelid = 'i'::regclass|2|1|three five seven
after CREATE INDEX|create unique index i on a (x)|2|2|three five seven
in an ordinary statement, which is rolled back|create unique index i on a (x)|2|2|three five seven
in VACUUM|create unique index i on a (x)|4|3|five seven
after VACUUM|create unique index i on a (x)|4|4|five seven
in DROP INDEX, which was not dropped|create unique index i on a (x)|6|5|seven
in DROP INDEX, which was dropped|create unique index i on a (x); drop index gone|6|5|seven
after the last|create unique index i on a (x); drop index gone|7|7|-
END

test_expect_success 'an index of the name that was there before is not taken for ours' '
	test_when_finished_clean &&
	one "create table b ();
create index concurrently i on a (x);" && db_sql "alter table a add y int; create index i on a (y)" &&
	test_expect_code 128 git apply-migration 2>err &&
	test_grep "relation .i. already exists (SQLSTATE 42P07)" err &&
	status "interrupted|1|apply stopped after statement 1 of 2" &&
	test_expect_code 128 git apply-migration --continue 2>err &&
	test_grep "relation .i. already exists" err &&
	db_sql "drop index i" &&
	git apply-migration --continue &&
	db_sql "SELECT pg_get_indexdef(\$\$i\$\$::regclass)" >actual &&
	echo "CREATE INDEX i ON public.a USING btree (x)" >expect &&
	test_cmp expect actual
'

test_expect_success 'names mean what they mean by the search_path that the script has set' '
	test_when_finished_clean &&
	db_sql "create schema app; create table app.a (x int); create table public.b ()" &&
	one "set search_path = app;
create unique index concurrently i on a (x);
create table b ();" && db_sql "insert into app.a values (1), (1)" &&
	test_expect_code 128 git apply-migration &&
	progress 1 "2/1/3" &&
	db_sql "truncate app.a" &&
	git apply-migration --continue &&
	db_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = \$\$app.i\$\$::regclass;
		SELECT to_regclass(\$\$app.b\$\$)" >actual &&
	test_write_lines t app.b >expect &&
	test_cmp expect actual &&
	migration 2_m "create table m2 ()" "drop table m2" && git apply-migration &&
	db_sql "SELECT to_regclass(\$\$public.m2\$\$)" >actual &&
	echo m2 >expect &&
	test_cmp expect actual
'

test_expect_success 'what the catalog cannot tell is left to a person' '
	test_when_finished_clean &&
	one "-- rollback: no-transaction
create table b ();
do \$\$ begin perform 1 / 0; end \$\$;
create table c ();" "drop table b" &&
	test_expect_code 128 git apply-migration &&
	progress 1 "2/1/3" &&
	test_expect_code 1 git apply-migration --continue 2>err &&
	cat >expect <<-\END &&
	error: migrations/1_m.up.sql:3:1: cannot tell whether statement 2 of migration "1" was done
	    do $$ begin perform 1 / 0; end $$;
	    ^
	END
	plain err | head -n 3 >actual &&
	test_cmp expect actual &&
	progress 1 "2/1/3" &&
	git rollback-db 1 --yes &&
	db_sql "SELECT to_regclass(\$\$b\$\$) IS NULL" >actual && echo t >expect && test_cmp expect actual &&
	status "pending|1|"
'

test_expect_success 'an interrupted one is rolled back by its down script' '
	test_when_finished_clean &&
	one "create table b ();
create unique index concurrently i on a (x);
create table c ();" "drop table if exists c; drop index if exists i; drop table if exists b" &&
	db_dump --no-tracking >before &&
	test_expect_code 128 git apply-migration &&
	git rollback-db 1 --yes >out 2>&1 &&
	db_dump --no-tracking >after &&
	test_cmp before after &&
	status "pending|1|" &&
	db_sql "SELECT direction, state FROM schema_rollback_log ORDER BY started_at" >actual &&
	test_grep ! running actual &&
	db_sql "truncate a" && git apply-migration && indexes "i|t"
'

test_expect_success 'it is rolled back alone, before anything else is' '
	test_when_finished_clean &&
	db_sql "create table a (x int); insert into a values (1), (1)" &&
	migration 1_m "create table m1 ()" "drop table m1" &&
	migration 2_m "create unique index concurrently i on a (x)" "drop index if exists i" &&
	test_expect_code 128 git apply-migration &&
	for args in 1 --all "--last 1" "--to 1"
	do
		test_might_fail git rollback-db $args --yes >out 2>&1 || return
	done &&
	db_sql "SELECT to_regclass(\$\$m1\$\$)" >actual && echo m1 >expect && test_cmp expect actual &&
	git rollback-db 2 --yes &&
	indexes "" &&
	git rollback-db 1 --yes
'

test_expect_success 'one that was marked goes on between two statements' '
	test_when_finished_clean &&
	one "-- rollback: no-transaction
create table b ();
create table c ();
select 1 / (select count(*) from d);" "drop table b, c" && db_sql "create table d ()" &&
	test_expect_code 128 git apply-migration &&
	status "interrupted|1|apply stopped after statement 2 of 3" &&
	db_sql "insert into d default values" &&
	git apply-migration --continue --json >actual &&
	test_grep "\"continues_after\": 2" actual &&
	test_grep "\"outcome\": \"done\"" actual &&
	git migration-status --check
'

test_expect_success 'others of the run: those before it stay, those after it wait' '
	test_when_finished_clean &&
	db_sql "create table a (x int); insert into a values (1), (1)" &&
	migration 1_m "create table m1 ()" "drop table m1" &&
	migration 2_m "create table b (); create unique index concurrently i on a (x)" "drop index if exists i; drop table b" &&
	migration 3_m "create table m3 ()" "drop table m3" &&
	test_expect_code 128 git apply-migration >out &&
	sed -E "s/\(.* ms\)/(MS)/" out >actual &&
	echo "✅ 1 m (MS)" >expect &&
	test_cmp expect actual &&
	status "applied|1|" "interrupted|2|apply stopped in statement 2 of 2" "pending|3|" &&
	db_sql "truncate a" &&
	git apply-migration --continue >out &&
	sed -E "s/\(.* ms\)/(MS)/" out >actual &&
	echo "✅ 2 m (MS)" >expect &&
	test_cmp expect actual &&
	status "applied|1|" "applied|2|" "pending|3|" &&
	git apply-migration && git migration-status --check
'

test_expect_success 'settings of such a script do not leak, and come back when it goes on' '
	test_when_finished_clean &&
	db_sql "create schema aside" &&
	one "set search_path = aside; set statement_timeout = 0;
create table b ();
create unique index concurrently i on public.a (x);
create table c ();" "drop table aside.b, aside.c; drop index i" &&
	test_expect_code 128 git apply-migration && db_sql "truncate a" &&
	git apply-migration --continue &&
	migration 2_m "create table m2 as select current_setting(\$\$statement_timeout\$\$) as t" "drop table m2" &&
	git -c rollback.migrations.statementTimeout=7s apply-migration &&
	db_sql "SELECT to_regclass(\$\$aside.b\$\$), to_regclass(\$\$aside.c\$\$), t FROM public.m2" >actual &&
	echo "aside.b|aside.c|7s" >expect &&
	test_cmp expect actual &&
	git rollback-db --all --yes
'

test_expect_success 'the timeouts that are configured hold outside a transaction, too' '
	test_when_finished_clean &&
	one "-- rollback: no-transaction
create table b ();
select pg_sleep(100);" "drop table b" &&
	test_expect_code 128 git -c rollback.migrations.statementTimeout=50ms apply-migration 2>err &&
	test_grep "^fatal: migrations/1_m.up.sql:3:1: .*statement timeout (SQLSTATE 57014)" err &&
	status "interrupted|1|apply stopped after statement 1 of 2" &&
	git rollback-db 1 --yes
'

test_expect_success 'cancelled while an index is built' '
	test_when_finished_clean &&
	one "create table b ();
create index concurrently i on a (x);" "drop index if exists i; drop table b" &&
	mkfifo hold && test_when_finished "rm -f hold locked" &&
	{ psql_db -f hold & } && pid=$! && exec 9>hold && test_when_finished "exec 9>&-" &&
	echo "BEGIN; INSERT INTO a VALUES (3); \\! echo locked >locked" >&9 &&
	while ! test -s locked; do :; done &&
	test_expect_code 128 git -c rollback.migrations.statementTimeout=200ms apply-migration 2>err 9>&- &&
	test_grep "SQLSTATE 57014" err &&
	exec 9>&- && wait $pid &&
	indexes "i|f" &&
	status "interrupted|1|apply stopped in statement 2 of 2" &&
	git apply-migration --continue &&
	indexes "i|t" && git migration-status --check
'

test_expect_success 'a down script that runs outside, broken off and gone on with' '
	test_when_finished_clean &&
	one "create index i on a (x); create table b ()" "drop index concurrently i;
drop table b;
vacuum nosuch" &&
	git apply-migration &&
	test_expect_code 128 git rollback-db 1 --yes --no-proof 2>err &&
	test_grep "nosuch" err &&
	git migration-status --porcelain | cut -f1,2,5 | tr "\t" "|" >actual &&
	echo "interrupted|1|rollback stopped after statement 2 of 3" >expect &&
	test_cmp expect actual &&
	test_expect_code 2 git apply-migration --continue 2>err &&
	test_grep "^error: the rollback of .1. was interrupted" err &&
	db_sql "create table nosuch ()" &&
	git rollback-db 1 --yes &&
	status "pending|1|" && indexes ""
'

# The notes in the log are ours, whatever role the script has taken by then.
test_expect_success 'a script that takes another role is noted by ourselves' '
	test_when_finished_clean &&
	role=${db_name}_other && test_when_finished "db_reset && db_sql \"DROP ROLE $role\" postgres" &&
	db_sql "create role $role" && db_sql "grant create on schema public to $role" &&
	one "set role $role;
create table b (y int);
create index concurrently i on b (y);
set session authorization $role;
create table c ()" "drop table b, c" &&
	git apply-migration -q &&
	db_sql "SELECT relname, relowner::regrole FROM pg_class WHERE relname IN (\$\$b\$\$, \$\$c\$\$) ORDER BY 1" >actual &&
	printf "%s\n" "b|$role" "c|$role" >expect && test_cmp expect actual &&
	git migration-status --check
'

test_expect_success 'set_config() counts again after a break, and what is not known is not guessed' '
	test_when_finished_clean && test_when_finished db_reset &&
	db_sql "create schema app" &&
	one "select pg_catalog.set_config('\''search_path'\'', '\''app'\'', false);
create table b (y int);
vacuum nosuch;
create table c ()" "select 1" &&
	test_expect_code 128 git apply-migration 2>err &&
	db_sql "create table app.nosuch ()" &&
	git apply-migration -q --continue &&
	db_sql "SELECT relname FROM pg_class WHERE relnamespace = \$\$app\$\$::regnamespace AND relkind = \$\$r\$\$ ORDER BY 1" >actual &&
	printf "%s\n" b c nosuch >expect && test_cmp expect actual &&
	git rollback-db -q --yes --all && db_reset &&
	one "do \$\$ begin perform set_config('\''search_path'\'', '\''public'\'', false); end \$\$;
vacuum nosuch" "select 1" &&
	test_expect_code 128 git apply-migration 2>err &&
	test_expect_code 1 git apply-migration --continue 2>err &&
	test_grep "cannot go on: what statement 1 has set is not known" err
'

test_expect_success 'a log without its scripts is an error, and no crash' '
	test_when_finished_clean &&
	one "create index concurrently i on a (x); vacuum nosuch" "drop index i" &&
	test_expect_code 128 git apply-migration 2>err &&
	db_sql "UPDATE schema_rollback_log SET up_sql = NULL, down_sql = NULL" &&
	test_expect_code 128 git apply-migration --continue 2>err &&
	test_grep "no longer has the script of migration .1." err &&
	db_sql "UPDATE schema_rollback_log SET direction = \$\$down\$\$" &&
	test_expect_code 128 git rollback-db 1 --yes 2>err &&
	test_grep "no longer has the script" err
'

test_expect_success 'an up and then its down, both broken off, are come through' '
	test_when_finished_clean &&
	one "create index concurrently i1 on a (x);
create unique index concurrently i2 on a (x)" "drop index concurrently if exists i2;
drop index concurrently if exists i1;
vacuum nosuch" &&
	test_expect_code 128 git apply-migration 2>err &&
	test_expect_code 128 git rollback-db --yes 1 2>err && test_grep nosuch err &&
	status "interrupted|1|rollback stopped after statement 2 of 3" &&
	db_sql "create table nosuch ()" &&
	git rollback-db -q --yes 1 &&
	status "pending|1|" && indexes "" &&
	test "$(db_sql "SELECT count(*) FROM schema_rollback_log WHERE state = \$\$running\$\$")" = 0
'

test_expect_success 'a down that fails in its first statement leaves nothing to come back to' '
	test_when_finished_clean &&
	one "create table b ()" "-- rollback: no-transaction
drop table nosuch; drop table b" &&
	git apply-migration -q &&
	test_expect_code 128 git rollback-db --yes 1 2>err &&
	test_grep "Nothing of it was done" err &&
	status "applied|1|"
'

test_done
