#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git apply-migration: what is applied, what is refused, what a failure leaves'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

plain () {
	tr "\047" "\042" <"$1"
}

test_when_finished_clean () {
	test_when_finished "rm -rf migrations && db_reset"
}

# Output with MS for times.
without_times () {
	sed -E "s/\([0-9.]+ (ms|s)\)/(MS)/" "$1"
}

db_applied () {
	db_sql "SELECT coalesce(string_agg(version, chr(32) ORDER BY applied_at), chr(45)) FROM schema_migrations"
}

db_tables () {
	db_sql "SELECT coalesce(string_agg(relname, chr(32) ORDER BY relname), chr(45)) FROM pg_class
		WHERE relkind = chr(114) AND relnamespace = 2200 AND relname !~ chr(95)"
}

# Applied are exactly these versions, and there are exactly these tables; - is none.
database_has () {	# versions tables
	db_applied >applied &&
	echo "$1" >expect.applied &&
	test_cmp expect.applied applied &&
	db_tables >tables &&
	echo "$2" >expect.tables &&
	test_cmp expect.tables tables
}

# Migrations of these versions, each with a table m<version>.
tables_of () {
	for version_
	do
		migration "${version_}_m" "create table m$version_ ();" "drop table m$version_;" || return
	done
}

# ---- Which --------------------------------------------------------------------------------------

test_expect_success 'all pending ones, in order, each in its own transaction' '
	test_when_finished_clean &&
	tables_of 10 9 1 &&
	git apply-migration >out 2>err &&
	without_times out >actual &&
	cat >expect <<-\END &&
	✅ 1 m (MS)
	✅ 9 m (MS)
	✅ 10 m (MS)
	END
	test_cmp expect actual &&
	test_must_be_empty err &&
	database_has "1 9 10" "m1 m10 m9" &&
	db_sql "SELECT count(DISTINCT xmin::text) FROM schema_migrations" >actual &&
	echo 3 >expect &&
	test_cmp expect actual &&
	git apply-migration >actual &&
	echo "Nothing to apply: database default is up to date." >expect &&
	test_cmp expect actual
'

test_expect_success 'some by their versions, however they are spelled, or by their files' '
	test_when_finished_clean &&
	tables_of 1 2 3 4 &&
	git apply-migration 002 ./migrations/1_m.up.sql &&
	database_has "1 2" "m1 m2" &&
	(cd migrations && git apply-migration 3_m.up.sql 3) &&
	database_has "1 2 3" "m1 m2 m3"
'

test_expect_success 'a path is the file it names, and no other of the same version' '
	test_when_finished_clean &&
	test_when_finished "rm -r other" &&
	tables_of 1 && cp -r migrations other &&
	test_expect_code 2 git apply-migration other/1_m.up.sql 2>err &&
	cat >expect <<-\END &&
	error: "other/1_m.up.sql" is no up script of this repository"s migrations
	hint: Did you mean "migrations/1_m.up.sql"?
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git apply-migration nosuch/1_m.up.sql &&
	test_expect_code 2 git apply-migration migrations/1_m.down.sql
'

test_expect_success '--to, --next and --next=<n>' '
	test_when_finished_clean &&
	tables_of 1 2 3 4 5 6 7 &&
	git apply-migration --next &&
	database_has "1" "m1" &&
	git apply-migration --next=2 &&
	database_has "1 2 3" "m1 m2 m3" &&
	git apply-migration --to 5 &&
	database_has "1 2 3 4 5" "m1 m2 m3 m4 m5" &&
	git apply-migration --to=5 >actual &&
	echo "Nothing to apply: database default is up to date." >expect &&
	test_cmp expect actual &&
	git apply-migration --next=1000 &&
	database_has "1 2 3 4 5 6 7" "m1 m2 m3 m4 m5 m6 m7"
'

test_expect_success 'modes exclude one another; numbers are numbers' '
	tables_of 1 && test_when_finished "rm -r migrations" &&
	for args in "1 --next" "1 --to 1" "--to 1 --next" "--continue 1" "--baseline 1 --to 1" "--next=0" \
		"--next=-1" "--next=x" "--next=" "--to" "--nosuch"
	do
		test_expect_code 129 git apply-migration $args >out 2>err &&
		test_must_be_empty out &&
		test_grep "^error: " err || return
	done &&
	db_tables >actual && echo - >expect && test_cmp expect actual
'

test_expect_success 'what there is not, with the nearest that there is' '
	test_when_finished_clean &&
	migration 20260112_001_m "select 1" "select 1" &&
	migration 20260113_001_m "select 1" "select 1" &&
	test_expect_code 2 git apply-migration 20260112_01O 2>err &&
	cat >expect <<-\END &&
	error: there is no migration "20260112_01O"
	hint: Did you mean "20260112_001"?
	END
	plain err >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git apply-migration --to 20260113_002 2>err &&
	test_grep "Did you mean .20260113_001.?" err &&
	test_expect_code 2 git apply-migration something 2>err &&
	test_grep "^hint: .git migration-status. lists what there is" err
'

test_expect_success 'one that is applied already is refused by name, and nothing runs' '
	test_when_finished_clean &&
	tables_of 1 2 && git apply-migration 1 &&
	test_expect_code 2 git apply-migration 1 2 2>err &&
	echo "error: migration \"1\" is applied already" >expect &&
	plain err >actual &&
	test_cmp expect actual &&
	database_has 1 m1
'

test_expect_success 'one that is older than the newest applied needs --allow-out-of-order' '
	test_when_finished_clean &&
	tables_of 1 3 && git apply-migration && tables_of 2 4 &&
	test_expect_code 2 git apply-migration 2>err &&
	cat >expect <<-\END &&
	error: migration "2" comes before "3", which is applied already
	hint: Use --allow-out-of-order to apply it all the same.
	END
	plain err >actual &&
	test_cmp expect actual &&
	database_has "1 3" "m1 m3" &&
	git apply-migration --allow-out-of-order &&
	database_has "1 3 2 4" "m1 m2 m3 m4" &&
	git migration-status --check
'

test_expect_success 'one without a down script needs --allow-missing-down' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "create table m2 ();" &&
	test_expect_code 2 git apply-migration 2>err &&
	cat >expect <<-\END &&
	error: migration "migrations/2_m.up.sql" has no down script
	hint: Write it, or use --allow-missing-down to do without a way back.
	END
	plain err >actual &&
	test_cmp expect actual &&
	db_dump >actual && test_grep ! TABLE actual &&
	git apply-migration --allow-missing-down 2>err &&
	test_must_be_empty err &&
	database_has "1 2" "m1 m2" &&
	db_sql "SELECT version FROM schema_rollback_log WHERE down_sql IS NULL AND down_checksum IS NULL" >actual &&
	echo 2 >expect && test_cmp expect actual
'

test_expect_success '--baseline records what is there already, and runs nothing' '
	test_when_finished_clean &&
	tables_of 1 2 3 && db_sql "create table m1 (); create table m2 ()" &&
	git apply-migration --baseline 2 >actual &&
	cat >expect <<-\END &&
	✅ 1 m (recorded)
	✅ 2 m (recorded)
	END
	test_cmp expect actual &&
	database_has "1 2" "m1 m2" &&
	db_sql "SELECT version, direction FROM schema_rollback_log ORDER BY version" >actual &&
	test_write_lines "1|baseline" "2|baseline" >expect &&
	test_cmp expect actual &&
	git apply-migration &&
	database_has "1 2 3" "m1 m2 m3" &&
	git rollback-db --last 2 --yes &&
	database_has 1 m1 &&
	migration 4_m "create index concurrently i on m1 ((1))" "drop index i" &&
	git apply-migration --baseline 4 &&
	database_has "1 2 3 4" m1
'

# ---- Plan ---------------------------------------------------------------------------------------

test_expect_success '-n shows the plan and does nothing' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "create index concurrently i on m1 ((1));" "drop index i;" &&
	rm -rf .git/rollback && git for-each-ref >refs.before &&
	git apply-migration -n >actual 2>err &&
	cat >expect <<-\END &&
	Database default: 2 to apply.
	  1 m
	  2 m (outside a transaction: CREATE INDEX CONCURRENTLY)
	END
	test_cmp expect actual &&
	test_must_be_empty err &&
	db_dump >actual && test_grep ! TABLE actual &&
	test_path_is_missing .git/rollback &&
	git for-each-ref >refs &&
	test_cmp refs.before refs
'

test_expect_success '-v shows the plan to whoever waits: results alone go to standard output' '
	test_when_finished_clean &&
	tables_of 1 &&
	git apply-migration -v >out 2>err &&
	printf "Database default: 1 to apply.\n  1 m\n" >expect &&
	test_cmp expect err &&
	test_grep ! "to apply" out &&
	test_line_count = 1 out
'

test_expect_success '-n --json' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "create index concurrently i on m1 ((1)); select 1;" &&
	git apply-migration -n --json >out 2>err &&
	cat >expect <<-END &&
	{
	  "format": 1,
	  "command": "apply-migration",
	  "database": "default",
	  "dry_run": true,
	  "rehearse": false,
	  "single_transaction": false,
	  "verdict": "refused",
	  "reasons": [
	    "migration %migrations/2_m.up.sql% has no down script"
	  ],
	  "hints": [
	    "Write it, or use --allow-missing-down to do without a way back."
	  ],
	  "warnings": [],
	  "snapshot": false,
	  "steps": [
	    {
	      "version": "1",
	      "name": "m",
	      "up": "migrations/1_m.up.sql",
	      "down": "migrations/1_m.down.sql",
	      "checksum": "$(sha256sum <migrations/1_m.up.sql | cut -d" " -f1)",
	      "transaction": true,
	      "statements": 1
	    },
	    {
	      "version": "2",
	      "name": "m",
	      "up": "migrations/2_m.up.sql",
	      "down": null,
	      "checksum": "$(sha256sum <migrations/2_m.up.sql | cut -d" " -f1)",
	      "transaction": false,
	      "statements": 2
	    }
	  ]
	}
	END
	tr "\047" % <out >actual &&
	test_cmp expect actual &&
	git apply-migration -n --json --allow-missing-down >actual &&
	test_grep "\"verdict\": \"clean\"" actual
'

test_expect_success '-n of what would be refused, exit code 0' '
	test_when_finished_clean &&
	tables_of 1 3 && git apply-migration && tables_of 2 &&
	git apply-migration -n >out 2>err &&
	cat >expect <<-\END &&
	would be refused: migration "2" comes before "3", which is applied already
	hint: Use --allow-out-of-order to apply it all the same.
	END
	plain err >actual &&
	test_cmp expect actual
'

test_expect_success '--json of a run' '
	test_when_finished_clean &&
	tables_of 1 &&
	git apply-migration --json >actual &&
	sed -E "s/\"(operation|checksum|after)\": \"[^\"]*\"/\"\1\": \"...\"/; s/_ms\": [0-9]+/_ms\": 0/" actual >json &&
	sed -n "/\"steps\"/,/\"changes\"/p; /\"operation\"/,\$p" json >actual &&
	cat >expect <<-\END &&
	  "steps": [
	    {
	      "version": "1",
	      "name": "m",
	      "up": "migrations/1_m.up.sql",
	      "down": "migrations/1_m.down.sql",
	      "checksum": "...",
	      "transaction": true,
	      "statements": 1,
	      "done": true,
	      "execution_time_ms": 0,
	      "changes": [
	  "operation": "...",
	  "outcome": "done"
	}
	END
	test_cmp expect actual &&
	git apply-migration --json >actual &&
	test_grep "\"steps\": \[\]" actual &&
	test_grep "\"outcome\": \"done\"" actual
'

test_expect_success '--json always has an outcome, also of what is refused' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "select 1" &&
	outcome () {
		sed -n "s/^  \"outcome\": \"\(.*\)\",*\$/\1/p" out
	} &&
	test_expect_code 2 git apply-migration --json >out 2>err &&
	test "$(outcome)" = refused && test_grep "\"message\": \"nothing was changed\"" out &&
	test_grep "^error: .*has no down script" err &&
	git apply-migration --json 1 >out &&
	test "$(outcome)" = done &&
	git apply-migration -n --json >out &&
	test "$(outcome)" = "" &&
	git config rollback.database.production.url "$DATABASE_URL" &&
	git config rollback.database.production.protected true &&
	test_when_finished "git config --remove-section rollback.database.production" &&
	test_expect_code 2 git apply-migration --json --allow-missing-down >out 2>err &&
	test "$(outcome)" = refused && test_grep "\"message\": \"database .production. is protected\"" out
'

test_expect_success '-q says nothing' '
	test_when_finished_clean &&
	tables_of 1 &&
	git apply-migration -q >out 2>err &&
	test_must_be_empty out && test_must_be_empty err &&
	git apply-migration -q >out 2>err &&
	test_must_be_empty out && test_must_be_empty err
'

# ---- Transactions -------------------------------------------------------------------------------

test_expect_success 'script and record are one transaction, whatever the script has around it' '
	test_when_finished_clean &&
	migration 1_m "BEGIN;
create table m1 (xid xid8 default pg_current_xact_id());
insert into m1 default values;
COMMIT;" "drop table m1" &&
	migration 2_m "-- a licence
start transaction read write; /* ; */
create table m2 (xid xid8 default pg_current_xact_id());
insert into m2 default values;
savepoint s; insert into m1 values (0::text::xid8); rollback to s; release s;
end work -- the end" "drop table m2" &&
	git apply-migration &&
	for i in 1 2
	do
		db_sql "SELECT m$i.xid::xid = s.xmin AND s.xmin = l.xmin FROM m$i, schema_migrations s,
			schema_rollback_log l WHERE s.version = \$\$$i\$\$ AND l.version = s.version" >actual &&
		echo t >expect &&
		test_cmp expect actual || return
	done
'

# Scripts that are refused before anything runs: title, script, message with its place.
while IFS='|' read -r title_ script_ message_
do
	test_expect_success "refused before anything runs: $title_" '
		test_when_finished_clean &&
		tables_of 1 && mkdir -p migrations &&
		printf "%b" "$script_" >migrations/2_m.up.sql && echo "select 1" >migrations/2_m.down.sql &&
		test_expect_code 2 git apply-migration 2>err &&
		head -n 1 err >actual &&
		echo "error: migrations/2_m.up.sql:$message_" >expect &&
		plain actual >actual.plain &&
		test_cmp expect actual.plain &&
		test_grep "^hint: " err &&
		db_dump >actual && test_grep ! TABLE actual
	'
done <<\END
COMMIT in the middle|create table x ();\ncommit;\ncreate table y ();|2:1: cannot apply migration "2": COMMIT in the middle of a script
COMMIT, and more behind it|begin;\ncreate table x ();\ncommit;\nselect 1;|3:1: cannot apply migration "2": COMMIT in the middle of a script
two blocks|begin; select 1; commit;\nbegin; select 2; commit;|2:1: cannot apply migration "2": the script has several transactions: another BEGIN
BEGIN in the middle|select 1;\n  begin; select 2; commit;|2:3: cannot apply migration "2": BEGIN in the middle of a script
BEGIN without COMMIT|begin;\nselect 1;|1:1: cannot apply migration "2": BEGIN without COMMIT
COMMIT without BEGIN|select 1;\ncommit;|2:1: cannot apply migration "2": COMMIT without BEGIN
ROLLBACK|begin; select 1;\nrollback;|2:1: cannot apply migration "2": ROLLBACK is not possible in a script
PREPARE TRANSACTION|begin; select 1;\nprepare transaction \047x\047;|2:1: cannot apply migration "2": PREPARE TRANSACTION is not possible in a script
COPY FROM STDIN|create table x (a text);\ncopy x from stdin;\na;b\n\\.\n|2:1: cannot apply migration "2": COPY FROM STDIN is not possible in a script
END

test_expect_success 'psql commands and COPY FROM stdin are refused by name' '
	test_when_finished_clean &&
	mkdir migrations && printf "select 1;\n\\\\i other.sql\n" >migrations/1_m.up.sql &&
	echo "select 1" >migrations/1_m.down.sql &&
	test_expect_code 2 git apply-migration 2>err &&
	cat >expect <<-\END &&
	error: migrations/1_m.up.sql:2:1: cannot apply migration "1": "\i" is a command of psql, not SQL
	    \i other.sql
	    ^
	END
	plain err | head -n 3 >actual &&
	test_cmp expect actual
'

test_expect_success 'quotes, dollar quotes, comments and semicolons are PostgreSQL'\''s own' '
	test_when_finished_clean &&
	cat >script <<-\END &&
	/* ; /* nested ; */ commit; */ -- rollback;
	create function f1 () returns text language plpgsql as $f$
	begin
		-- commit;
		return $q$;$q$ || $$;commit;$$;
	end $f$;
	create table m1 (a text default E"it\"s; \\", "b;c" text default ";--", "d""e;" int);
	create procedure p1 () begin atomic insert into m1 (a) values (";"); select 1; end;
	create rule r1 as on update to m1 do also (select 1; select 2);
	insert into m1 default values;
	;;
	-- the end;
	END
	sed "s/\"\(it\)\\\\\"\(s; ..\)\"/\o047\1\\\\\o047\2\o047/; s/\";--\"/\o047;--\o047/; s/(\";\")/(\o047;\o047)/" script >up &&
	migration 1_m "$(cat up)" "drop table m1 cascade; drop function f1" &&
	test_grep "E.it..s; ..., " migrations/1_m.up.sql &&
	git apply-migration &&
	db_sql "SELECT a, \"b;c\", f1() FROM m1" >actual &&
	printf "it%bs; %b|;--|;;commit;\n" "\0047" "\\\\" >expect &&
	test_cmp expect actual &&
	db_sql "SELECT statements FROM schema_rollback_log" >actual &&
	echo 5 >expect &&
	test_cmp expect actual &&
	git rollback-db 1 --yes &&
	database_has - -
'

test_expect_success '--single-transaction: all or nothing' '
	test_when_finished_clean &&
	tables_of 1 2 && migration 3_m "create table m3 (); select 1 / 0;" "drop table m3" &&
	git migration-status && test_expect_code 128 git apply-migration --single-transaction >out 2>err &&
	test_must_be_empty out &&
	cat >expect <<-\END &&
	fatal: migrations/3_m.up.sql:1:21: could not apply migration "3": division by zero (SQLSTATE 22012)
	    create table m3 (); select 1 / 0;
	                        ^
	  Nothing was changed.
	hint: Correct the script and run the command again.
	END
	plain err >actual &&
	test_cmp expect actual &&
	database_has - - &&
	git for-each-ref "refs/rollback/applied/*/$(sha256sum <migrations/3_m.up.sql | cut -d" " -f1)" >refs &&
	test_must_be_empty refs &&
	migration 3_m "create table m3 ();" "drop table m3" &&
	git apply-migration --single-transaction >out &&
	without_times out >actual &&
	test_write_lines "✅ 1 m (MS)" "✅ 2 m (MS)" "✅ 3 m (MS)" >expect &&
	test_cmp expect actual &&
	database_has "1 2 3" "m1 m2 m3" &&
	db_sql "SELECT count(DISTINCT xmin::text) FROM schema_migrations" >actual &&
	echo 1 >expect &&
	test_cmp expect actual
'

test_expect_success '--single-transaction with a script that cannot' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "vacuum" "select 1" &&
	test_expect_code 2 git apply-migration --single-transaction 2>err &&
	cat >expect <<-\END &&
	error: migration "2" runs outside a transaction: VACUUM
	hint: Leave out --single-transaction.
	END
	plain err >actual &&
	test_cmp expect actual &&
	db_dump >actual && test_grep ! TABLE actual
'

test_expect_success '--rehearse: run, reported, and rolled back' '
	test_when_finished_clean &&
	db_sql "create table old (id int)" &&
	migration 1_m "create table m1 (id int primary key);" "drop table m1" &&
	migration 2_m "alter table old add x text default \$\$a\$\$; create view v as select x from old;" "select 1" &&
	db_dump >before &&
	git for-each-ref refs/rollback >refs.before &&
	git apply-migration --rehearse >out 2>err &&
	test_must_be_empty err &&
	without_times out >actual &&
	sed -n "1,/^2 m/p" actual >first &&
	test_grep "^  + table public.m1$" first &&
	test_grep "^  + column public.m1.id$" first &&
	test_grep "^  + index public.m1_pkey$" first &&
	test_grep "^  lock public.m1: AccessExclusiveLock$" first &&
	test_grep ! "old" first &&
	sed "1,/^2 m/d" actual >second &&
	test_grep "^  + column public.old.x$" second &&
	test_grep "^  + view public.v$" second &&
	test_grep "^  lock public.old: AccessExclusiveLock$" second &&
	test_grep ! "lock public.m1" second &&
	tail -n 1 actual >last &&
	echo "Everything was rolled back." >expect &&
	test_cmp expect last &&
	db_dump >after &&
	test_cmp before after &&
	git for-each-ref refs/rollback >refs.after &&
	test_cmp refs.before refs.after &&
	git apply-migration --rehearse --json >actual &&
	test_grep "\"rehearse\": true" actual &&
	test_grep "\"public.old: AccessExclusiveLock\"" actual &&
	test_grep "\"identity\": \"public.old.x\"" actual &&
	db_dump >after &&
	test_cmp before after
'

test_expect_success '--rehearse of what fails, and of what runs outside a transaction' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "select * from nosuch" "select 1" &&
	db_dump >before &&
	test_expect_code 128 git apply-migration --rehearse 2>err &&
	test_grep "^fatal: migrations/2_m.up.sql:1:15: .*nosuch.*does not exist (SQLSTATE 42P01)" err &&
	test_grep "^  Nothing was changed" err &&
	migration 2_m "create index concurrently i on m1 ((1))" "drop index i" &&
	test_expect_code 2 git apply-migration --rehearse 2>err &&
	cat >expect <<-\END &&
	error: migration "2" runs outside a transaction: CREATE INDEX CONCURRENTLY
	hint: What runs outside a transaction cannot be rehearsed.
	END
	plain err >actual &&
	test_cmp expect actual &&
	db_dump >after &&
	test_cmp before after
'

test_expect_success '--rehearse checks deferred constraints after each script, as its COMMIT would' '
	test_when_finished_clean &&
	migration 1_p "create table p (id int primary key);
create table c (id int references p deferrable initially deferred);
create table d (id int references p deferrable);
insert into p values (1); insert into c values (1); insert into d values (1);" "drop table d, c, p" &&
	migration 2_q "update d set id = 1; alter table d add x int;
alter table c add x int;" "select 1" &&
	migration 3_r "insert into c values (3); insert into p values (3);
create table e (id int references p deferrable initially deferred);
insert into e values (4); insert into p values (4);" "select 1" &&
	git apply-migration --rehearse &&
	migration 4_s "insert into c values (5);" "select 1" &&
	test_expect_code 128 git apply-migration --rehearse 2>err &&
	test_grep "could not apply migration .4.: insert or update on table .c. violates" err &&
	migration 4_s "insert into d values (5); insert into p values (5);" "select 1" &&
	test_expect_code 128 git apply-migration --rehearse 2>err &&
	test_grep "could not apply migration .4.: insert or update on table .d. violates" err
'

# ---- Failures -----------------------------------------------------------------------------------

test_expect_success 'a script that fails: where and why; earlier ones stay, later ones do not run' '
	test_when_finished_clean &&
	tables_of 1 3 &&
	migration 2_m "-- two
create table m2 (id int);
insert into m2 (id,
	größe, ñame) values (1, 2, 3);
create table never ();" "drop table m2" &&
	test_expect_code 128 git apply-migration >out 2>err &&
	without_times out >actual &&
	echo "✅ 1 m (MS)" >expect &&
	test_cmp expect actual &&
	cat >expect <<-\END &&
	fatal: migrations/2_m.up.sql:4:2: could not apply migration "2": column "größe" of relation "m2" does not exist (SQLSTATE 42703)
	    	größe, ñame) values (1, 2, 3);
	    	^
	hint: Nothing of it is left; what was applied before it stays. Correct the script and run the command again.
	END
	plain err >actual &&
	test_cmp expect actual &&
	database_has 1 m1 &&
	git migration-status --porcelain | cut -f1,2 >actual &&
	printf "applied\t1\npending\t2\npending\t3\n" >expect &&
	test_cmp expect actual &&
	migration 2_m "create table m2 ()" "drop table m2" &&
	git apply-migration &&
	database_has "1 2 3" "m1 m2 m3"
'

test_expect_success 'the caret stands under the right character behind wide ones' '
	test_when_finished_clean &&
	migration 1_m "select \$\$größer als ñ — 日本\$\$, nosuch from pg_class" "select 1" &&
	test_expect_code 128 git apply-migration 2>err &&
	head -n 1 err >actual &&
	echo "fatal: migrations/1_m.up.sql:1:31: could not apply migration \"1\": column \"nosuch\" does not exist (SQLSTATE 42703)" >expect &&
	plain actual >actual.plain &&
	test_cmp expect actual.plain
'

test_expect_success 'DETAIL, HINT and CONTEXT of the server are shown' '
	test_when_finished_clean &&
	migration 1_m "do \$\$ begin
	raise exception using errcode = 23514, message = chr(111), detail = chr(100) || chr(101), hint = chr(104);
end \$\$;" "select 1" &&
	test_expect_code 128 git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: migrations/1_m.up.sql:1:1: could not apply migration "1": o (SQLSTATE 23514)
	    do $$ begin
	    ^
	  de
	  PL/pgSQL function inline_code_block line 2 at RAISE
	hint: h
	hint: Nothing of it is left; what was applied before it stays. Correct the script and run the command again.
	END
	plain err >actual &&
	test_cmp expect actual
'

test_expect_success 'what a script raises is shown' '
	test_when_finished_clean &&
	migration 1_m "do \$\$ begin raise notice using message = chr(97) || chr(27); raise warning using message = chr(98); end \$\$" \
		"select 1" &&
	git apply-migration 2>err &&
	cat >expect <<-\END &&
	NOTICE: a\x1b
	warning: b
	END
	test_cmp expect err
'

test_expect_success '--json of a failure' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "select nosuch" "select 1" &&
	test_expect_code 128 git apply-migration --json >out 2>err &&
	test_grep "^fatal: " err &&
	sed -n "/\"outcome\"/,\$p" out | tr "\047" % >actual &&
	cat >expect <<-\END &&
	  "outcome": "failed",
	  "error": {
	    "message": "could not apply migration %2%: column \"nosuch\" does not exist",
	    "sqlstate": "42703",
	    "place": "migrations/2_m.up.sql:1:8",
	    "detail": null,
	    "hint": "Nothing of it is left; what was applied before it stays. Correct the script and run the command again."
	  }
	}
	END
	test_cmp expect actual &&
	sed -n "s/^ *\"done\": //p" out >actual &&
	test_write_lines true, false, >expect &&
	test_cmp expect actual
'

test_expect_success 'a syntax error in the last statement of the last script: nothing runs' '
	test_when_finished_clean &&
	tables_of 1 && migration 2_m "create table m2 ();
selec 1" "drop table m2" &&
	test_expect_code 128 git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: migrations/2_m.up.sql:2:1: cannot apply migration "2": syntax error at or near "selec"
	    selec 1
	    ^
	END
	plain err | head -n 3 >actual &&
	test_cmp expect actual &&
	db_dump >actual && test_grep ! TABLE actual &&
	test_expect_code 128 git apply-migration -n &&
	git apply-migration 1 &&
	database_has 1 m1
'

test_expect_success 'a syntax error in a down script, too' '
	test_when_finished_clean &&
	migration 1_m "create table m1 ();" "drop tabel m1" &&
	test_expect_code 128 git apply-migration 2>err &&
	test_grep "^fatal: migrations/1_m.down.sql:1:6: .*syntax error" err &&
	db_dump >actual && test_grep ! TABLE actual
'

test_expect_success 'a script of 10 MB' '
	test_when_finished_clean &&
	mkdir migrations && echo "drop table m1" >migrations/1_m.down.sql &&
	{
		echo "create table m1 (a int, b text);" &&
		awk "BEGIN { for (i = 0; i < 500; i++) pad = pad \"0123456789\" \"abcdefghij\";
			for (i = 0; i < 1000; i++)
				printf \"insert into m1 values (%d, \\047%s\\047);\\n\", i, pad }"
	} >migrations/1_m.up.sql &&
	test "$(wc -c <migrations/1_m.up.sql)" -gt 10000000 &&
	git apply-migration &&
	db_sql "SELECT count(*), sum(length(b)) FROM m1" >actual &&
	echo "1000|10000000" >expect &&
	test_cmp expect actual &&
	db_sql "SELECT statements, encode(sha256(convert_to(up_sql, \$\$UTF8\$\$)), \$\$hex\$\$) = up_checksum
		FROM schema_rollback_log" >actual &&
	echo "1001|t" >expect &&
	test_cmp expect actual &&
	git migration-status --check &&
	git rollback-db 1 --yes &&
	database_has - -
'

test_expect_success 'an empty script, and one of comments' '
	test_when_finished_clean &&
	mkdir migrations && : >migrations/1_m.up.sql && : >migrations/1_m.down.sql &&
	migration 2_m "-- nothing to do; here" "/* ; */" &&
	git apply-migration &&
	git migration-status --check &&
	git rollback-db --all --yes &&
	database_has - -
'

# ---- Sessions -----------------------------------------------------------------------------------

# What a script sets, and what has to be as before in the next one: title, setting.
while IFS='|' read -r title_ setting_
do
	test_expect_success "does not leak into the next script or our records: $title_" '
		test_when_finished_clean &&
		test_when_finished "db_sql \"DROP ROLE IF EXISTS leak_$test_number\"" &&
		setting=$(printf "%s\n" "$setting_" | tr % "\047") &&
		db_sql "DROP ROLE IF EXISTS leak_$test_number; CREATE ROLE leak_$test_number;
			CREATE SCHEMA aside; GRANT ALL ON SCHEMA aside TO PUBLIC" &&
		state="current_setting(\$\$search_path\$\$) || current_user || session_user
			|| current_setting(\$\$TimeZone\$\$) || current_setting(\$\$statement_timeout\$\$)
			|| current_setting(\$\$standard_conforming_strings\$\$) || current_setting(\$\$role\$\$)
			|| current_setting(\$\$default_tablespace\$\$) || current_setting(\$\$check_function_bodies\$\$)" &&
		migration 1_m "$setting" "select 1" &&
		migration 2_m "create table public.state as select $state as s" "drop table public.state" &&
		git apply-migration &&
		db_sql "SELECT $state" >expect &&
		db_sql "SELECT s FROM public.state" >actual &&
		test_cmp expect actual &&
		database_has "1 2" state &&
		db_sql "SELECT DISTINCT role FROM schema_rollback_log" >actual &&
		echo postgres >expect && test_cmp expect actual &&
		git rollback-db --all --yes &&
		database_has - - &&
		git apply-migration --single-transaction &&
		db_sql "SELECT $state" >expect &&
		db_sql "SELECT s FROM public.state" >actual &&
		test_cmp expect actual
	'
done <<END
SET search_path|set search_path = aside
SET LOCAL search_path|set local search_path = aside
an empty search_path|select pg_catalog.set_config(%search_path%, %%, false)
set_config() for the transaction|select set_config(%search_path%, %aside%, true)
SET ROLE|set role leak_$test_number
SET LOCAL ROLE|set local role leak_$test_number
SET SESSION AUTHORIZATION|set session authorization leak_$test_number
both|set session authorization leak_$test_number; set role leak_$test_number; set search_path = aside
SET TIME ZONE|set time zone %Asia/Tokyo%
what pg_dump sets|set statement_timeout = 0; set check_function_bodies = false; set default_tablespace = %pg_default%
how strings are read|set standard_conforming_strings = off
in a function|do \$\$ begin perform set_config(%search_path%, %aside%, false); set role leak_$test_number; end \$\$
END

test_expect_success 'a script cannot end the transaction from within a function' '
	test_when_finished_clean &&
	migration 1_m "create table m1 (); do \$\$ begin commit; end \$\$; create table m2 ();" "drop table m1" &&
	test_expect_code 128 git apply-migration 2>err &&
	test_grep "invalid transaction termination (SQLSTATE 2D000)" err &&
	database_has - -
'

test_expect_success 'temporary objects and prepared statements of a script do not disturb the next' '
	test_when_finished_clean &&
	migration 1_m "create temporary table schema_migrations (x int); create temporary table t (x int);
		prepare p as select 1; create temporary table schema_rollback_log (x int);" "select 1" &&
	migration 2_m "create table m2 ();" "drop table m2" &&
	git apply-migration &&
	database_has "1 2" m2
'

test_expect_success 'a script may take away all that is prepared, ours as well' '
	test_when_finished_clean &&
	for version in 1 2 3 5 6 8 9
	do
		migration $version "create table m$version ()" "drop table m$version; deallocate all" || return
	done &&
	migration 4 "create table m4 (); deallocate all" "drop table m4" &&
	migration 7 "do \$\$ begin execute \$q\$Deallocate All\$q\$; end \$\$; create table m7 ()" "drop table m7" &&
	git apply-migration -q --no-proof &&
	database_has "1 2 3 4 5 6 7 8 9" "m1 m2 m3 m4 m5 m6 m7 m8 m9" &&
	git rollback-db -q --all --yes --no-proof --no-save &&
	database_has - -
'

test_expect_success 'where that hides in a function, what was committed stays, and the next run goes on' '
	test_when_finished_clean &&
	db_sql "CREATE FUNCTION hidden () RETURNS void LANGUAGE plpgsql AS
		\$\$ BEGIN EXECUTE \$q\$DEALLOCATE ALL\$q\$; END \$\$" &&
	tables_of 1 2 3 5 &&
	migration 4 "create table m4 (); select hidden()" "drop table m4" &&
	test_expect_code 128 git apply-migration -q --no-proof 2>err &&
	test_grep "could not apply migration .4." err &&
	test_grep "has run DEALLOCATE ALL" err &&
	database_has "1 2 3" "m1 m2 m3" &&
	git apply-migration -q --no-proof &&
	database_has "1 2 3 4 5" "m1 m2 m3 m4 m5"
'

test_expect_success 'lock_timeout and statement_timeout are configurable, for all or one database' '
	test_when_finished_clean &&
	tables_of 1 && git apply-migration &&
	migration 2_m "select pg_sleep(100)" "select 1" &&
	test_expect_code 128 git -c rollback.migrations.statementTimeout=10ms apply-migration 2>err &&
	test_grep "^fatal: migrations/2_m.up.sql:1:1: .*statement timeout (SQLSTATE 57014)" err &&
	migration 2_m "alter table m1 add x int" "select 1" &&
	mkfifo hold && test_when_finished "rm hold" &&
	{ psql_db -f hold & } && pid=$! &&
	exec 9>hold && test_when_finished "exec 9>&-" &&
	echo "BEGIN; LOCK TABLE m1; \\! echo locked >locked" >&9 &&
	while ! test -s locked; do :; done && rm locked &&
	test_expect_code 128 git -c rollback.migrations.lockTimeout=10ms apply-migration 2>err &&
	test_grep "^fatal: migrations/2_m.up.sql:1:1: .*lock timeout (SQLSTATE 55P03)" err &&
	git config rollback.database.here.url "$DATABASE_URL" &&
	git config rollback.database.here.lockTimeout 10ms &&
	test_when_finished "git config --remove-section rollback.database.here" &&
	test_expect_code 128 git -c rollback.migrations.lockTimeout=1h apply-migration 2>err &&
	test_grep "lock timeout" err &&
	exec 9>&- && wait $pid &&
	git apply-migration &&
	database_has "1 2" m1
'

test_expect_success 'a script may set its own timeout, and the next has the configured one again' '
	test_when_finished_clean &&
	migration 1_m "set statement_timeout = 0; select pg_sleep(0.1);" "select 1" &&
	migration 2_m "select pg_sleep(100)" "select 1" &&
	test_expect_code 128 git -c rollback.migrations.statementTimeout=50ms apply-migration 2>err &&
	test_grep "^fatal: migrations/2_m.up.sql:1:1: .*statement timeout" err &&
	database_has 1 -
'

test_expect_success 'application_name names the command and the operation' '
	test_when_finished_clean &&
	migration 1_m "create table seen as select application_name from pg_stat_activity where pid = pg_backend_pid()" \
		"drop table seen" &&
	git apply-migration &&
	db_sql "SELECT application_name = \$\$git apply-migration \$\$ || operation FROM seen, schema_rollback_log" >actual &&
	echo t >expect &&
	test_cmp expect actual
'

# ---- What is kept -------------------------------------------------------------------------------

test_expect_success 'the scripts are kept under a ref, and git gc does not lose them' '
	git init -q kept && test_when_finished "rm -rf kept && db_reset" &&
	(
		cd kept &&
		tables_of 1 && migration 2_m "create table m2 ();" &&
		printf "create table m3 ();\r\n" >migrations/003_m.up.sql && echo "drop table m3" >migrations/003_m.down.sql &&
		git apply-migration --allow-missing-down &&
		git for-each-ref --format="%(objecttype) %(refname)" >actual &&
		cat >expect <<-END &&
		tree refs/rollback/applied/003/$(printf "create table m3 ();\n" | sha256sum | cut -d" " -f1)
		tree refs/rollback/applied/1/$(sha256sum <migrations/1_m.up.sql | cut -d" " -f1)
		tree refs/rollback/applied/2/$(sha256sum <migrations/2_m.up.sql | cut -d" " -f1)
		END
		test_cmp expect actual &&
		cp -r migrations saved && rm -r migrations &&
		git reflog expire --expire=now --all && git gc -q --prune=now &&
		three=$(sed -n "s/^tree \(.*003.*\)/\1/p" expect) &&
		git ls-tree --name-only $three >actual &&
		test_write_lines down.sql up.sql >expect.tree &&
		test_cmp expect.tree actual &&
		git cat-file blob $three:up.sql >actual && test_cmp saved/003_m.up.sql actual &&
		git cat-file blob $three:down.sql >actual && test_cmp saved/003_m.down.sql actual &&
		git ls-tree --name-only $(sed -n "s/^tree \(.*applied.2.*\)/\1/p" expect) >actual &&
		echo up.sql >expect.tree &&
		test_cmp expect.tree actual &&
		git fsck --strict
	)
'

test_expect_success 'a ref is made for what was applied before the failure, and for nothing else' '
	git init -q kept && test_when_finished "rm -rf kept && db_reset" &&
	(
		cd kept && tables_of 1 && migration 2_m "select nosuch" "select 1" &&
		test_expect_code 128 git apply-migration &&
		git for-each-ref --format="%(refname)" >actual &&
		echo "refs/rollback/applied/1/$(sha256sum <migrations/1_m.up.sql | cut -d" " -f1)" >expect &&
		test_cmp expect actual
	)
'

test_expect_success 'the journal has the operation, how it ended, and nobody else may read it' '
	git init -q kept && test_when_finished "rm -rf kept && db_reset" &&
	(
		cd kept && tables_of 1 &&
		git apply-migration && migration 2_m "select nosuch" "select 1" &&
		test_expect_code 128 git apply-migration &&
		git apply-migration -n &&
		ls .git/rollback/journal >list && test_line_count = 2 list &&
		for file in .git/rollback/journal/*.json
		do
			sed -n "s/^ *\"\(format\|command\|state\|database\)\": //p" $file || return
		done >actual &&
		cat >expect <<-\END &&
		1,
		"apply-migration",
		"done",
		"default",
		1,
		"apply-migration",
		"failed",
		"default",
		END
		test_cmp expect actual &&
		find .git/rollback ! -type l \( -type d ! -perm 700 -o -type f ! -perm 600 \) >actual &&
		test_must_be_empty actual
	)
'

test_expect_success 'nothing is left open, and the next command says nothing' '
	test_when_finished_clean &&
	migration 1_m "select nosuch" "select 1" &&
	test_expect_code 128 git apply-migration &&
	git migration-status 2>err &&
	test_must_be_empty err &&
	db_sql "SELECT count(*) FROM pg_locks WHERE locktype = \$\$advisory\$\$
		AND database = (SELECT oid FROM pg_database WHERE datname = current_database())" >actual &&
	echo 0 >expect &&
	test_cmp expect actual
'

test_expect_success 'the event log has a line for each run' '
	test_when_finished_clean &&
	tables_of 1 &&
	rm -f .git/rollback/log &&
	git apply-migration &&
	migration 2_m "select nosuch" "select 1" &&
	test_expect_code 128 git apply-migration --no-proof &&
	sed -E "s/.*\"state\":\"([a-z]*)\".*/\1/" .git/rollback/log >actual &&
	test_write_lines done failed >expect &&
	test_cmp expect actual
'

# ---- Databases and secrets ----------------------------------------------------------------------

test_expect_success 'a protected database wants its name' '
	test_when_finished_clean &&
	tables_of 1 &&
	git config rollback.database.production.url "$DATABASE_URL" &&
	git config rollback.database.production.protected true &&
	test_when_finished "git config --remove-section rollback.database.production" &&
	for args in "" "--yes" "--confirm=staging" "--confirm=" "--rehearse" "--baseline=1"
	do
		test_expect_code 2 git apply-migration $args 2>err &&
		cat >expect <<-\END &&
		error: database "production" is protected
		hint: Use --confirm=production to change it all the same.
		END
		plain err >actual &&
		test_cmp expect actual || return
	done &&
	db_dump >actual && test_grep ! TABLE actual &&
	git apply-migration -n && git migration-status &&
	git apply-migration --confirm=production &&
	database_has 1 m1 &&
	git apply-migration
'

test_expect_success 'once seen protected, it stays so when .gitrollback no longer says it' '
	git init -q seen && test_when_finished "rm -rf seen && db_reset" &&
	(
		cd seen && tables_of 1 2 &&
		cat >.gitrollback <<-\END &&
		[database "production"]
		url = env:DATABASE_URL
		protected = true
		END
		git apply-migration 1 --confirm=production &&
		sed -i "/protected/d" .gitrollback &&
		test_expect_code 2 git apply-migration 2>err &&
		test_grep "database .production. is protected" err &&
		git apply-migration --confirm=production
	)
'

test_expect_success 'the password of a URL appears nowhere' '
	git init -q secret && test_when_finished "rm -rf secret && db_reset" &&
	test_when_finished "db_sql \"DROP OWNED BY secret_$test_number; DROP ROLE secret_$test_number\"" &&
	db_sql "CREATE ROLE secret_$test_number LOGIN SUPERUSER PASSWORD \$\$pa55-of-url\$\$" &&
	(
		cd secret &&
		DATABASE_URL="postgres://secret_$test_number:pa55-of-url@/$db_name?host=$pg_host&port=$PG_PORT" &&
		export DATABASE_URL &&
		tables_of 1 && migration 2_m "select nosuch" "select 1" &&
		migration 3_m "select 1" "select 1" &&
		{
			git apply-migration -v 1 &&
			test_expect_code 128 git apply-migration --json 2 &&
			git apply-migration -n -v &&
			git migration-status --json &&
			test_expect_code 128 git migration-status --database=nosuch &&
			test_expect_code 128 git -c rollback.migrations.table=x.y apply-migration 2 &&
			test_expect_code 128 git -c rollback.migrations.table=a.b.c migration-status &&
			for url in "$DATABASE_URL&nosuch=1" \
				"postgres://secret_$test_number:pa55-of-url@/nosuch?host=$pg_host&port=$PG_PORT" \
				"postgres://x:pa55-of-url@/x?host=$TEST_ROOT/nowhere" \
				"host=$pg_host password=pa55-of-url oops" \
				"postgres://u:pa55-of-url@h:port/x"
			do
				test_expect_code 128 env DATABASE_URL="$url" git migration-status || exit
			done &&
			git rollback-db 1 --yes -v
		} >../secret.out 2>&1 &&
		test_grep "database \"nosuch\" does not exist" ../secret.out &&
		test_grep ! "pa55" ../secret.out &&
		grep -r pa55 . >../found || : &&
		test_must_be_empty ../found &&
		db_sql "SELECT * FROM schema_rollback_log" >log &&
		test_grep ! pa55 log
	)
'

test_expect_success 'nor in the list of processes, also when git is asked' '
	git init -q secret && test_when_finished "rm -rf secret && db_reset" &&
	(
		cd secret &&
		DATABASE_URL="postgres://$PG_SUPERUSER:pa55-of-url@/$db_name?host=$pg_host&port=$PG_PORT" &&
		export DATABASE_URL &&
		migration 1_m "create table m1 as select 1 as x from pg_advisory_xact_lock(4711)" "drop table m1" &&
		mkfifo hold &&
		{ psql_db -f hold & } && pid=$! && exec 9>hold &&
		echo "SELECT pg_advisory_lock(4711); \\! echo locked >locked" >&9 &&
		while ! test -s locked; do :; done &&
		{ git apply-migration >out 2>&1 9>&- & } && apply=$! &&
		echo "0" >waiting &&
		while ! test "$(cat waiting)" = 1 && kill -0 $apply
		do
			db_sql "SELECT count(*) FROM pg_locks WHERE NOT granted AND objid = 4711" >waiting
		done &&
		ps axww -o args >list &&
		exec 9>&- && wait $pid && wait $apply &&
		test_grep "git-apply-migration" list &&
		test_grep ! "pa55" list
	)
'

test_expect_success 'a script with a password is warned of' '
	test_when_finished_clean &&
	test_when_finished "db_sql \"DROP ROLE secret_$test_number\"" &&
	migration 1_m "create role secret_$test_number password null" "select 1" &&
	git apply-migration 2>err &&
	test_must_be_empty err &&
	sed "s/@/\o047/g" >up <<-END &&
	alter role secret_$test_number PASSWORD @sesame@
	END
	migration 2_m "$(cat up)" "select 1" &&
	git apply-migration -n 2>err &&
	cat >expect <<-\END &&
	warning: "migrations/2_m.up.sql" appears to hold a password; the script"s text is kept in git and in the database"s log
	END
	plain err >actual &&
	test_cmp expect actual &&
	git apply-migration 2>err &&
	plain err >actual &&
	test_cmp expect actual &&
	git apply-migration --json >out 2>err &&
	test_grep ! sesame out
'

test_expect_success 'a role that may not ask which server it is can look, and changes nothing' '
	test_when_finished_clean &&
	role=asker_$test_number &&
	test_when_finished "db_sql \"GRANT EXECUTE ON FUNCTION pg_control_system() TO PUBLIC; DROP OWNED BY $role; DROP ROLE $role\"" &&
	tables_of 1 &&
	db_sql "REVOKE EXECUTE ON FUNCTION pg_control_system() FROM PUBLIC; CREATE ROLE $role LOGIN;
		GRANT CREATE ON SCHEMA public TO $role" &&
	asker="$(db_url)&user=$role" &&
	DATABASE_URL=$asker git apply-migration -n >out &&
	test_grep "1 m" out &&
	DATABASE_URL=$asker test_expect_code 128 git apply-migration -q 2>err &&
	test_grep "pg_control_system" err &&
	db_tables >tables &&
	test "$(cat tables)" = - &&
	git apply-migration -q &&
	database_has 1 m1
'

test_expect_success 'a read-only standby or role is refused' '
	test_when_finished_clean &&
	tables_of 1 &&
	PGOPTIONS="-c default_transaction_read_only=on" test_expect_code 2 git apply-migration 2>err &&
	cat >expect <<-\END &&
	error: database "default" is read-only for role "postgres"
	hint: Its default_transaction_read_only is on.
	END
	plain err >actual &&
	test_cmp expect actual &&
	PGOPTIONS="-c default_transaction_read_only=on" git migration-status
'

test_expect_success 'whatever the isolation level is by default' '
	test_when_finished_clean &&
	tables_of 1 &&
	db_sql "ALTER DATABASE $db_name SET default_transaction_isolation = serializable;
		ALTER DATABASE $db_name SET default_transaction_deferrable = on" &&
	migration 2_m "create table level as select current_setting(\$\$transaction_isolation\$\$) as x" "drop table level" &&
	git apply-migration &&
	db_sql "SELECT x FROM level" >actual &&
	echo "read committed" >expect &&
	test_cmp expect actual
'

test_expect_success 'temporary tables and cursors do not leak into the next script' '
	test_when_finished_clean &&
	migration 1 "CREATE TABLE orders (id int)" "DROP TABLE orders" &&
	migration 2 "CREATE TEMP TABLE orders AS SELECT 1 AS id; DECLARE c CURSOR WITH HOLD FOR SELECT 1" "SELECT 1" &&
	migration 3 "ALTER TABLE orders ADD COLUMN c int" "ALTER TABLE orders DROP COLUMN c" &&
	migration 4 "FETCH c" "SELECT 1" &&
	test_expect_code 128 git apply-migration -q 2>err &&
	test_grep "4_step.up.sql:1" err && test_grep "cursor .c. does not exist" err &&
	test "$(db_sql "SELECT count(*) FROM pg_attribute WHERE attrelid = \$\$public.orders\$\$::regclass AND attname = \$\$c\$\$")" = 1
'

test_expect_success 'modes that make no sense together are refused' '
	for options in "--continue --rehearse" "--continue --single-transaction" "--baseline=1 --rehearse"
	do
		test_expect_code 129 git apply-migration $options 2>err &&
		test_grep "cannot be combined" err || return
	done
'

test_expect_success 'a baseline is not kept from scripts that could not run, nor from a down' '
	test_when_finished_clean &&
	migration 1 "CREATE TABLE a (); COMMIT; CREATE TABLE b ()" &&
	git apply-migration -q --baseline 1 2>err &&
	test_grep "warning: migration .1. could not be applied as it is" err &&
	test "$(db_sql "SELECT version FROM schema_migrations")" = 1
'

test_done
