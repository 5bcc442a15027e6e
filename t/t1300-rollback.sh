#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db: what is rolled back, in which order, and when it is not'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh

# Times and ids are another in every run.
scrub () {
	sed -E -e 's/\([0-9.]+ (ms|s)\)/(TIME)/' \
		-e 's/("applied_at": )"[^"]*Z"/\1"APPLIED"/' \
		-e 's/("operation": )"[0-9]{8}T[^"]*"/\1"OPERATION"/' \
		-e 's/("execution_time_ms": )[0-9]+/\1TIME/'
}

# Three tables, a migration each, applied.
three () {
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 002_b "CREATE TABLE b (id int);" "DROP TABLE b;" &&
	migration 003_c "CREATE TABLE c (id int);" "DROP TABLE c;" &&
	git apply-migration -q
}

# --- which ---------------------------------------------------------------------------------------

test_expect_success 'one version: that one alone, with its row' '
	three &&
	git rollback-db --yes 003 >out 2>err &&
	cat >expect <<-\END &&
	rolled back 003 c (TIME)
	Proven: the schema is what it was before.
	END
	scrub <out >actual &&
	test_cmp expect actual &&
	cat >expect <<-\END &&
	Rolling back 1 migration in database default, the newest first, in one transaction:
	  003 c
	    down script: migrations/003_c.down.sql (the worktree)
	This will:
	  drop table public.c (0 rows, 0 bytes)
	END
	test_cmp expect err &&
	test_write_lines 001 002 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	db_sql "SELECT to_regclass(x) FROM unnest(ARRAY[\$\$a\$\$, \$\$b\$\$, \$\$c\$\$]) x" >actual &&
	test_write_lines a b "" >expect &&
	test_cmp expect actual
'

test_expect_success 'a version is a number, however it is written' '
	three &&
	git rollback-db --yes -q 3 >out 2>err &&
	test_must_be_empty out &&
	test_must_be_empty err &&
	git rollback-db --yes -q 000002 &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'one out of the middle: the later ones are named, and stay' '
	three &&
	git rollback-db --yes 001 2>err &&
	test_grep "^warning: applied later, and stays: 002, 003$" err &&
	test_write_lines 002 003 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'several versions: newest applied first, in whatever order they are given, each once' '
	three &&
	git rollback-db --yes 001 3 001 >out 2>err &&
	test_write_lines "rolled back 003 c (TIME)" "rolled back 001 a (TIME)" \
		"Proven: the schema is what it was before." >expect &&
	scrub <out >actual &&
	test_cmp expect actual &&
	test_grep "^warning: applied later, and stays: 002$" err &&
	echo 002 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'several versions: none is rolled back when one is not applied' '
	three &&
	schema_and_records >expect &&
	test_expect_code 2 git rollback-db --yes 003 007 &&
	schema_and_records >actual &&
	test_cmp expect actual
'

test_expect_success '--to stops at the version, which stays' '
	three &&
	git rollback-db --yes --to 1 >out 2>err &&
	test_write_lines "rolled back 003 c (TIME)" "rolled back 002 b (TIME)" \
		"Proven: the schema is what it was before." >expect &&
	scrub <out >actual &&
	test_cmp expect actual &&
	test_grep ! warning err &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success '--to the newest one: nothing to do' '
	three &&
	schema_and_records >before &&
	git rollback-db --to 003 >actual 2>err &&
	echo "Nothing to roll back in database default." >expect &&
	test_cmp expect actual &&
	test_must_be_empty err &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success '--last counts applied ones' '
	three &&
	git rollback-db --yes -q --last 2 &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	git rollback-db --yes --last=5 2>err &&
	test_grep "^warning: only 1 migration is applied$" err &&
	applied >actual &&
	test_must_be_empty actual
'

test_expect_success '--last wants a number above 0' '
	three &&
	schema_and_records >expect &&
	for wrong in 0 -1 x 1x "" " 1" 99999999999999999999999
	do
		test_expect_code 129 git rollback-db --yes --last="$wrong" 2>err &&
		test_grep "last" err || return 1
	done &&
	schema_and_records >actual &&
	test_cmp expect actual
'

test_expect_success '--all rolls back all, and then there is nothing to do' '
	three &&
	git rollback-db --yes --all >out &&
	test_write_lines "rolled back 003 c (TIME)" "rolled back 002 b (TIME)" \
		"rolled back 001 a (TIME)" "Proven: the schema is what it was before." >expect &&
	scrub <out >actual &&
	test_cmp expect actual &&
	applied >actual &&
	test_must_be_empty actual &&
	for how in --all "--last 1"
	do
		git rollback-db $how >actual 2>err &&
		echo "Nothing to roll back in database default." >expect &&
		test_cmp expect actual &&
		test_must_be_empty err || return 1
	done
'

test_expect_success 'a database that has no tracking table: nothing to do, and none is made' '
	fresh &&
	git rollback-db --all >actual &&
	echo "Nothing to roll back in database default." >expect &&
	test_cmp expect actual &&
	test_expect_code 2 git rollback-db --yes 001 2>err &&
	test_grep "no migration .001. in database" err &&
	db_sql "SELECT relname FROM pg_class WHERE relname LIKE \$\$schema%\$\$ AND relkind = \$\$r\$\$" >actual &&
	test_must_be_empty actual
'

test_expect_success 'which one must be said, in one way' '
	three &&
	schema_and_records >expect &&
	test_expect_code 129 git rollback-db --yes &&
	test_expect_code 129 git rollback-db --yes --all 001 &&
	test_expect_code 129 git rollback-db --yes --all --last 1 &&
	test_expect_code 129 git rollback-db --yes --to 001 --to-commit HEAD &&
	schema_and_records >actual &&
	test_cmp expect actual
'

# --- a commit ------------------------------------------------------------------------------------

test_expect_success '--to-commit: what the commit does not have goes' '
	test_when_finished "git checkout -q --orphan gone && git branch -D main && git rm -rfq --cached . && git checkout -q --orphan main" &&
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	git add migrations && git commit -qm one && git tag one &&
	migration 002_b "CREATE TABLE b (id int);" "DROP TABLE b;" &&
	git add migrations && git commit -qm two && git tag two &&
	git checkout -q -b other one &&
	migration 003_c "CREATE TABLE c (id int);" "DROP TABLE c;" &&
	git add migrations && git commit -qm three &&
	git checkout -q main &&
	git apply-migration -q &&
	git checkout -q other &&
	git apply-migration -q &&

	git rollback-db -n --to-commit two >actual 2>err &&
	test_grep "^  003 c" actual &&
	test_grep ! "^  00[12]" actual &&

	git rollback-db --yes --to-commit other >out 2>err &&
	test_grep "^warning: applied later, and stays: 003$" err &&
	echo "rolled back 002 b (TIME)" >expect &&
	scrub <out | head -n 1 >actual &&
	test_cmp expect actual &&
	test_write_lines 001 003 >expect &&
	applied >actual &&
	test_cmp expect actual &&

	git rollback-db --yes --to-commit two 2>err &&
	test_grep "^warning: .two. has migration .002., which is not applied$" err &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual &&

	git rollback-db --yes --to-commit main~1 >actual &&
	echo "Nothing to roll back in database default." >expect &&
	test_cmp expect actual &&

	for wrong in nosuch --all main:migrations "" one..two
	do
		test_expect_code 128 git rollback-db --yes --to-commit "$wrong" 2>err || return 1
	done &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success '--to-commit: what the commit has in another form stays, and is told' '
	test_when_finished "rm -rf other" &&
	three &&
	git init -q other && cp -R migrations other && cd other &&
	echo "CREATE TABLE b (another int);" >migrations/002_b.up.sql &&
	git add . && git commit -qm another &&
	test_expect_code 0 git rollback-db --yes --to-commit HEAD >actual 2>err &&
	echo "Nothing to roll back in database default." >expect &&
	test_cmp expect actual &&
	test_grep "^warning: .HEAD. has another up script of migration .002. than was applied$" err &&
	test_line_count = 1 err
'

test_expect_success '--to-commit of a tree without any migrations takes all, and says so in the plan' '
	three &&
	empty=$(git commit-tree -m empty $(git mktree </dev/null)) &&
	git rollback-db -n --to-commit "$empty" >actual &&
	test_grep "^Rolling back 3 migrations" actual &&
	git rollback-db -q --yes --to-commit "$empty" &&
	applied >actual &&
	test_must_be_empty actual
'

# --- order ---------------------------------------------------------------------------------------

test_expect_success 'the order of application counts, not that of the versions' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 003_c "CREATE TABLE c (id int);" "DROP TABLE c;" &&
	git apply-migration -q &&
	migration 002_b "CREATE VIEW b AS SELECT * FROM c;" "DROP VIEW b;" &&
	git apply-migration -q --allow-out-of-order &&
	git rollback-db -n --last 1 >actual &&
	test_grep "^  002 b" actual &&
	git rollback-db --yes --all >out 2>err &&
	test_write_lines "rolled back 002 b (TIME)" "rolled back 003 c (TIME)" "rolled back 001 a (TIME)" \
		"Proven: the schema is what it was before." >expect &&
	scrub <out >actual &&
	test_cmp expect actual &&
	echo "warning: .002. was applied after .003.: they are rolled back in the order of application, not of their versions" >expect &&
	grep ^warning err | tr "\\047" . >actual &&
	test_cmp expect actual
'

test_expect_success '--to goes by the order of application too' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 003_c "CREATE TABLE c (id int);" "DROP TABLE c;" &&
	git apply-migration -q &&
	migration 002_b "CREATE TABLE b (id int);" "DROP TABLE b;" &&
	git apply-migration -q --allow-out-of-order &&
	git rollback-db --yes -q --to 003 &&
	test_write_lines 001 003 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'what was applied at one moment goes by version, as a number' '
	fresh &&
	for v in 8 9 10 11
	do
		migration ${v}_t "CREATE TABLE t$v (id int);" "DROP TABLE t$v;" || return 1
	done &&
	git apply-migration -q &&
	db_sql "UPDATE schema_migrations SET applied_at = \$\$2026-01-01\$\$" &&
	git rollback-db --yes --last 3 >out 2>err &&
	test_grep ! warning err &&
	test_write_lines "rolled back 11 t (TIME)" "rolled back 10 t (TIME)" "rolled back 9 t (TIME)" \
		"Proven: the schema is what it was before." >expect &&
	scrub <out >actual &&
	test_cmp expect actual &&
	echo 8 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'the newest is the newest in the table, though it has no file any more' '
	three &&
	rm migrations/003* &&
	git rollback-db --yes -q --last 1 &&
	test_write_lines 001 002 >expect &&
	applied >actual &&
	test_cmp expect actual
'

# --- previews ------------------------------------------------------------------------------------

# A sequence remembers that it was asked, also when the transaction is rolled back.
counting () {
	fresh &&
	migration 001_a "CREATE SEQUENCE ran;" "DROP SEQUENCE ran;" &&
	migration 002_b "CREATE TABLE b (id int);" "SELECT nextval(\$\$ran\$\$); DROP TABLE b;" &&
	git apply-migration -q
}

test_expect_success '-n changes nothing, runs no SQL, and writes nothing into the repository' '
	counting &&
	schema_and_records >expect &&
	find .git -type f | sort >files &&
	git rollback-db -n --last 1 >out 2>err &&
	git rollback-db -n --json --last 1 >json 2>err &&
	test_must_be_empty err &&
	echo f >before &&
	db_sql "SELECT is_called FROM ran" >after &&
	test_cmp before after &&
	schema_and_records >actual &&
	test_cmp expect actual &&
	find .git -type f | sort >actual &&
	test_cmp files actual &&
	git rollback-db --rehearse --last 1 &&
	echo t >before &&
	db_sql "SELECT is_called FROM ran" >after &&
	test_cmp before after
'

test_expect_success 'the plan as JSON' '
	three &&
	git rollback-db -n --json 002 >out 2>err &&
	test_must_be_empty err &&
	sum=$(sha256sum <migrations/002_b.down.sql) &&
	cat >expect <<-END &&
	{
	  "format": 1,
	  "command": "rollback-db",
	  "database": "default",
	  "dry_run": true,
	  "rehearse": false,
	  "confirm": "yes",
	  "verdict": "clean",
	  "reasons": [],
	  "hints": [],
	  "warnings": [
	    "applied later, and stays: 003"
	  ],
	  "steps": [
	    {
	      "version": "002",
	      "name": "b",
	      "applied_at": "APPLIED",
	      "down_from": "worktree",
	      "down": "migrations/002_b.down.sql",
	      "down_checksum": "${sum%% *}",
	      "transaction": true,
	      "statements": 1,
	      "corrected": false
	    }
	  ],
	  "destroys": [
	    {
	      "object": "public.b",
	      "kind": "table",
	      "rows": 0,
	      "exact": true,
	      "bytes": 0,
	      "why": "DROP TABLE"
	    }
	  ],
	  "drops": [],
	  "affects": [],
	  "locks": [
	    {
	      "object": "public.b",
	      "mode": "AccessExclusiveLock",
	      "holder": null
	    }
	  ],
	  "unknown": []
	}
	END
	jq "del(.checklist)" out | scrub >actual &&
	test_cmp expect actual
'

test_expect_success 'the report as JSON' '
	three &&
	git rollback-db --yes --json 003 >out 2>err &&
	test_must_be_empty err &&
	sum=$(sha256sum <migrations/003_c.down.sql) &&
	cat >expect <<-END &&
	{
	  "format": 1,
	  "command": "rollback-db",
	  "database": "default",
	  "dry_run": false,
	  "rehearse": false,
	  "confirm": "yes",
	  "verdict": "clean",
	  "reasons": [],
	  "hints": [],
	  "warnings": [],
	  "steps": [
	    {
	      "version": "003",
	      "name": "c",
	      "applied_at": "APPLIED",
	      "down_from": "worktree",
	      "down": "migrations/003_c.down.sql",
	      "down_checksum": "${sum%% *}",
	      "transaction": true,
	      "statements": 1,
	      "corrected": false,
	      "done": true,
	      "execution_time_ms": TIME
	    }
	  ],
	  "destroys": [
	    {
	      "object": "public.c",
	      "kind": "table",
	      "rows": 0,
	      "exact": true,
	      "bytes": 0,
	      "why": "DROP TABLE"
	    }
	  ],
	  "drops": [],
	  "affects": [],
	  "locks": [
	    {
	      "object": "public.c",
	      "mode": "AccessExclusiveLock",
	      "holder": null
	    }
	  ],
	  "unknown": [],
	  "operation": "OPERATION",
	  "outcome": "done",
	  "proof": {
	    "result": "proven",
	    "differences": [],
	    "column_order": [],
	    "unrecorded": []
	  }
	}
	END
	jq "del(.checklist, .target, .rolled_back_to, .duration_ms, .locked_ms, .downtime_ms, .recovery_ms,
		.saved, .snapshots, .validation, .next_steps)" out | scrub >actual &&
	test_cmp expect actual
'

test_expect_success 'what runs is what the plan said' '
	three &&
	git rollback-db -n --json --all >planned &&
	git rollback-db --yes --json --all >done &&
	sed -n -e "/\"steps\"/,/^  \]/{s/,\$//;p;}" planned >expect &&
	sed -n -e "/\"steps\"/,/^  \]/{s/,\$//;/\"done\"/d;/\"execution_time_ms\"/d;p;}" done >actual &&
	test_line_count -gt 30 expect &&
	test_cmp expect actual
'

test_expect_success 'times in JSON are UTC, to the microsecond, as the table has them' '
	three &&
	db_sql "UPDATE schema_migrations SET applied_at = \$\$2026-01-02 03:04:05.000007+02\$\$ WHERE version = \$\$001\$\$" &&
	git rollback-db -n --json 001 >actual &&
	test_grep "\"applied_at\": \"2026-01-02T01:04:05.000007Z\"" actual
'

test_expect_success 'the JSON of a refused plan has the reasons, and exit 0 as it is a preview' '
	three &&
	db_sql "DELETE FROM schema_rollback_log; UPDATE schema_migrations SET checksum = repeat(chr(48), 64)" &&
	git rollback-db -n --json 001 >actual &&
	test_grep "\"verdict\": \"refused\"" actual &&
	test_grep "cannot roll back migration .001. (a): no down script" actual &&
	git rollback-db -n 001 >out 2>err &&
	test_grep "would be refused" err
'

# --- asking --------------------------------------------------------------------------------------

test_expect_success 'without a terminal it is refused, with the plan on standard error' '
	three &&
	schema_and_records >before &&
	test_expect_code 2 git rollback-db --last 2 >out 2>actual &&
	test_must_be_empty out &&
	cat >expect <<-\END &&
	Rolling back 2 migrations in database default, the newest first, in one transaction:
	  003 c
	    down script: migrations/003_c.down.sql (the worktree)
	  002 b
	    down script: migrations/002_b.down.sql (the worktree)
	This will:
	  drop table public.c (0 rows, 0 bytes)
	  drop table public.b (0 rows, 0 bytes)
	error: not confirmed: there is no terminal to ask on
	hint: Use --yes to confirm on the command line.
	END
	test_cmp expect actual &&
	echo ROLLBACK >answer &&
	test_expect_code 2 env GIT_TERMINAL_PROMPT=1 git rollback-db --last 2 <answer &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success '--quiet does not hide the plan of what is asked about' '
	three &&
	test_expect_code 2 git rollback-db -q --last 1 2>actual &&
	test_grep "^  003 c" actual
'

test_expect_success TTY 'where rows go, the word ROLLBACK is asked for' '
	three &&
	db_sql "INSERT INTO c VALUES (1)" &&
	schema_and_records >before &&
	for answer in yes y rollback "ROLLBACK please" ROLLBAC ""
	do
		echo "$answer" >answer &&
		test_expect_code 2 test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db 003" <answer >actual &&
		test_grep "^Type ROLLBACK to go on: error: not confirmed; nothing was changed" actual ||
			return 1
	done &&
	test_expect_code 2 test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db 003" </dev/null >actual &&
	schema_and_records >after &&
	test_cmp before after &&

	echo ROLLBACK >answer &&
	test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db --no-progress 003" <answer >out &&
	cat >expect <<-\END &&
	Rolling back 1 migration in database default, the newest first, in one transaction:
	  003 c
	    down script: migrations/003_c.down.sql (the worktree)
	This will:
	  drop table public.c (1 row, 8.0 KiB)
	warning: a forward fix is safer (--forward-fix), a new migration that undoes this one: rows written since the migration go with public.c
	Roll back?
	Type ROLLBACK to go on: rolled back 003 c (TIME)
	Proven: the schema is what it was before.
	saved 1 row of 1 table
	END
	scrub <out >actual &&
	test_cmp expect actual &&
	test_write_lines 001 002 >expect &&
	applied >actual &&
	test_cmp expect actual
'

# Once the question stands there, and an answer is waited for. To the command itself: git, as the
# process above it, would send it a SIGTERM as well.
type_interrupt () {
	for i in $(seq 100)
	do
		! grep -q "Type ROLLBACK" "$TEST_ROOT/terminal" 2>/dev/null || break
		sleep 0.1
	done
	sleep 0.5
	printf "\003"
	sleep 1
}

test_expect_success TTY 'an interrupt at the question is no refusal' '
	three &&
	db_sql "INSERT INTO c VALUES (1)" &&
	rm -f "$TEST_ROOT/terminal" &&
	type_interrupt |
	test_expect_code 130 test_terminal "GIT_TERMINAL_PROMPT=1 git-rollback-db --json 003 >out" >/dev/null &&
	test_grep "^  \"outcome\": \"interrupted\"" out &&
	test_write_lines 001 002 003 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git rollback-db --json 003 >out &&
	test_grep "^  \"outcome\": \"refused\"" out
'

test_expect_success TTY 'where the tables are empty, too' '
	three &&
	echo y >answer &&
	test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db --no-progress 003" <answer >out &&
	test_grep "^Roll back? \[y/N\] rolled back 003" out
'

test_expect_success TTY 'where no rows go, yes or no' '
	fresh &&
	migration 001_a "CREATE VIEW v AS SELECT 1 AS one;" "DROP VIEW v;" &&
	git apply-migration -q &&
	for answer in no "" ROLLBACK yess
	do
		echo "$answer" >answer &&
		test_expect_code 2 test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db 001" <answer >actual &&
		test_grep "^Roll back? \[y/N\] error: not confirmed; nothing was changed" actual || return 1
	done &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	git rollback-db -n --json 001 >actual &&
	test_grep "\"confirm\": \"yes\"" actual &&
	echo Yes >answer &&
	test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db 001" <answer &&
	applied >actual &&
	test_must_be_empty actual
'

test_expect_success TTY 'it is asked also where the tables are empty, and not for nothing to do' '
	three &&
	echo no >answer &&
	test_expect_code 2 test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db 001" <answer &&
	test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db --to 003" </dev/null >actual &&
	echo "Nothing to roll back in database default." >expect &&
	test_cmp expect actual
'

test_expect_success 'a protected database wants its name, besides --yes' '
	three &&
	test_when_finished "git config --remove-section rollback.database.production" &&
	test_when_finished "git config --unset-all rollback.database.production.seenProtected" &&
	git config rollback.database.production.url "$DATABASE_URL" &&
	git config rollback.database.production.protected true &&
	schema_and_records >before &&
	for wrong in "" --confirm=staging --confirm=Production --confirm=production.
	do
		test_expect_code 2 git rollback-db --database production --yes $wrong 003 2>err &&
		test_grep "^error: database .production. is protected$" err &&
		test_grep "confirm=production" err || return 1
	done &&
	test_expect_code 2 git rollback-db --database production --confirm=production 003 2>err &&
	test_grep "not confirmed" err &&
	test_expect_code 2 git rollback-db --database production --rehearse --yes 003 &&
	schema_and_records >after &&
	test_cmp before after &&
	git rollback-db --database production --yes --confirm=production -q 003 &&
	test_write_lines 001 002 >expect &&
	applied >actual &&
	test_cmp expect actual
'

# --- versions that are not there -----------------------------------------------------------------

test_expect_success 'an unknown version: the nearest is suggested' '
	fresh &&
	for v in 20260112_001 20260112_002 20260215_001
	do
		migration ${v}_t "CREATE TABLE t$v (id int);" "DROP TABLE t$v;" || return 1
	done &&
	git apply-migration -q &&
	schema_and_records >before &&
	test_expect_code 2 git rollback-db --yes 20260122_002 2>actual &&
	cat >expect <<-\END &&
	error: there is no migration .20260122_002. in database .default.
	hint: Did you mean .20260112_002.?
	END
	tr "\\047" . <actual >quoted &&
	test_cmp expect quoted &&
	test_expect_code 2 git rollback-db --yes --to 20260215_02 2>err &&
	test_grep "Did you mean .20260215_001.?" err &&
	test_expect_code 2 git rollback-db --yes nonsense 2>err &&
	test_grep "there is no migration .nonsense." err &&
	test_grep "newest one applied is .20260215_001." err &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'a pending one is not applied, and that is said' '
	three &&
	migration 004_d "CREATE TABLE d (id int);" "DROP TABLE d;" &&
	test_expect_code 2 git rollback-db --yes 004 2>err &&
	test_grep "^error: migration .004. is not applied in database .default.$" err &&
	test_expect_code 2 git rollback-db --yes --to 4 2>err &&
	test_grep "^error: migration .4. is not applied in database .default.$" err
'

test_expect_success 'no down script anywhere: refused, and named' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" &&
	migration 002_b "CREATE TABLE b (id int);" "DROP TABLE b;" &&
	git apply-migration -q --allow-missing-down 2>/dev/null &&
	schema_and_records >before &&
	test_expect_code 2 git rollback-db --yes --all 2>err &&
	test_grep "^error: cannot roll back migration .001. (a): no down script: it was applied without a down script, and the worktree has none$" err &&
	schema_and_records >after &&
	test_cmp before after &&
	git rollback-db --yes -q 002 &&
	echo "DROP TABLE a;" >migrations/001_a.down.sql &&
	git rollback-db --yes -q 001 &&
	applied >actual &&
	test_must_be_empty actual
'

# --- all or nothing ------------------------------------------------------------------------------

test_expect_success 'nothing changes when the second of two downs fails' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "-- away with it
DROP TABLE a;
  DROP TABLE nosuch;" &&
	migration 002_b "CREATE TABLE b (id int); INSERT INTO b VALUES (1);" "DROP TABLE b;" &&
	git apply-migration -q &&
	schema_and_records >before &&
	test_expect_code 128 git rollback-db --all --yes >out 2>err &&
	test_must_be_empty out &&
	sed -n "/^fatal/,\$p" err | tr "\\047" . >actual &&
	cat >expect <<-\END &&
	fatal: migrations/001_a.down.sql:3:3: could not roll back migration .001.: table "nosuch" does not exist (SQLSTATE 42P01)
	      DROP TABLE nosuch;
	      ^
	  Nothing was changed.
	END
	test_cmp expect actual &&
	schema_and_records >after &&
	test_cmp before after &&
	db_sql "SELECT * FROM b" >actual &&
	echo 1 >expect &&
	test_cmp expect actual
'

test_expect_success 'an error in an expression is shown where it is, also behind characters of several bytes' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "/* äöü€😀 */ SELECT 1;
DELETE FROM a WHERE /* ä€😀 */ nosuch = 1;
DROP TABLE a;" &&
	git apply-migration -q &&
	test_expect_code 128 git rollback-db --all --yes 2>err &&
	sed -n "/^fatal/,/\^/p" err | tr "\\047" . >actual &&
	cat >expect <<-\END &&
	fatal: migrations/001_a.down.sql:2:31: could not roll back migration .001.: column "nosuch" does not exist (SQLSTATE 42703)
	    DELETE FROM a WHERE /* ä€😀 */ nosuch = 1;
	                                  ^
	END
	test_cmp expect actual
'

test_expect_success 'the failure as JSON, with its code' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE nosuch;" &&
	git apply-migration -q &&
	test_expect_code 128 git rollback-db --all --yes --json >actual 2>err &&
	test_grep "\"outcome\": \"failed\"" actual &&
	test_grep "\"done\": false" actual &&
	test_grep "42P01" actual &&
	test_grep "migrations/001_a.down.sql" actual
'

test_expect_success 'every down is parsed before anything runs' '
	counting &&
	printf "DROP SEQUENCE ran;\nDROP TABEL x;\n" >migrations/001_a.down.sql &&
	schema_and_records >before &&
	test_expect_code 128 git rollback-db --all --yes 2>err &&
	test_grep "^fatal: migrations/001_a.down.sql:2:6: .*syntax error" err &&
	schema_and_records >after &&
	test_cmp before after &&
	echo f >expect &&
	db_sql "SELECT is_called FROM ran" >actual &&
	test_cmp expect actual
'

test_expect_success 'a down that ends the transaction is refused before anything runs' '
	counting &&
	for sql in "COMMIT;" "DROP SEQUENCE ran; ROLLBACK;" "BEGIN; DROP SEQUENCE ran; COMMIT; SELECT 1;"
	do
		echo "$sql" >migrations/001_a.down.sql &&
		test_expect_code 2 git rollback-db --all --yes 2>err &&
		test_grep "migrations/001_a.down.sql:1:" err || return 1
	done &&
	echo f >expect &&
	db_sql "SELECT is_called FROM ran" >actual &&
	test_cmp expect actual
'

test_expect_success 'a down with its own BEGIN and COMMIT runs inside ours' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE nosuch;" &&
	migration 002_b "BEGIN; CREATE TABLE b (id int); COMMIT;" "BEGIN; DROP TABLE b; COMMIT;" &&
	git apply-migration -q &&
	schema_and_records >before &&
	test_expect_code 128 git rollback-db --all --yes &&
	schema_and_records >after &&
	test_cmp before after &&
	git rollback-db -q --yes 002
'

test_expect_success 'what one down sets does not reach the next' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 002_b "CREATE SCHEMA other; CREATE TABLE other.b (id int);" \
		"SET search_path = other; SET ROLE pg_monitor; RESET ROLE; DROP TABLE b; DROP SCHEMA other;" &&
	git apply-migration -q &&
	git rollback-db -q --yes --all &&
	applied >actual &&
	test_must_be_empty actual
'

test_expect_success 'exactly one tracking row must go: a trigger swallows it' '
	three &&
	db_sql "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RETURN NULL; END\$\$;
		CREATE TRIGGER swallow BEFORE DELETE ON schema_migrations FOR EACH ROW EXECUTE FUNCTION swallow()" &&
	schema_and_records >before &&
	test_expect_code 128 git rollback-db --yes 003 2>err &&
	test_grep "the tracking table had 0 rows for migration .003., not one" err &&
	test_grep "Nothing was changed" err &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'exactly one tracking row must go: a rule turns it into nothing, or into two' '
	three &&
	db_sql "CREATE RULE swallow AS ON DELETE TO schema_migrations DO INSTEAD NOTHING" &&
	schema_and_records >before &&
	test_expect_code 128 git rollback-db --yes 003 &&
	test_expect_code 128 git rollback-db --no-proof --yes 003 &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'exactly one tracking row must go: the down takes it away itself' '
	three &&
	echo "DROP TABLE c; DELETE FROM schema_migrations WHERE version = \$\$003\$\$;" >migrations/003_c.down.sql &&
	schema_and_records >before &&
	test_expect_code 128 git rollback-db --yes 003 2>err &&
	test_grep "had 0 rows for migration .003." err &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'the log: who, what, when, and the scripts as they ran' '
	three &&
	git add migrations && git commit -qm three &&
	git rollback-db -q --yes --json 002 003 >json &&
	operation=$(sed -n "s/.*\"operation\": \"\(.*\)\",*/\1/p" json) &&
	commit=$(git rev-parse HEAD) &&
	down2=$(sha256sum <migrations/002_b.down.sql) && down3=$(sha256sum <migrations/003_c.down.sql) &&
	up2=$(sha256sum <migrations/002_b.up.sql) && up3=$(sha256sum <migrations/003_c.up.sql) &&
	db_sql "SELECT command, version, name, direction, state, statements, statements_begun,
		statements_done, role, git_commit, up_checksum, down_checksum, trim(up_sql, chr(10)),
		trim(down_sql, chr(10)), fingerprint_before ~ \$\$^[0-9a-f]{64}\$\$,
		fingerprint_after ~ \$\$^[0-9a-f]{64}\$\$, fingerprint_before <> fingerprint_after,
		who LIKE \$\$%@% on %\$\$, finished_at >= started_at
		FROM schema_rollback_log WHERE operation = \$\$$operation\$\$ ORDER BY version" >actual &&
	cat >expect <<-END &&
	rollback-db|002|b|down|done|1|1|1|postgres|$commit|${up2%% *}|${down2%% *}|CREATE TABLE b (id int);|DROP TABLE b;|t|t|t|t|t
	rollback-db|003|c|down|done|1|1|1|postgres|$commit|${up3%% *}|${down3%% *}|CREATE TABLE c (id int);|DROP TABLE c;|t|t|t|t|t
	END
	test_cmp expect actual
'

test_expect_success 'fingerprints meet: what is left is what was there before' '
	three &&
	git rollback-db -q --yes --to 001 &&
	db_sql "SELECT count(DISTINCT f) FROM (
		SELECT fingerprint_before AS f FROM schema_rollback_log WHERE version = \$\$002\$\$ AND direction = \$\$up\$\$
		UNION ALL SELECT fingerprint_after FROM schema_rollback_log WHERE direction = \$\$down\$\$) x" >actual &&
	echo 1 >expect &&
	test_cmp expect actual
'

test_expect_success 'apply, roll back, apply again and roll back again' '
	three &&
	db_dump --no-tracking >with &&
	git rollback-db -q --yes --all &&
	db_dump --no-tracking >without &&
	git apply-migration -q &&
	db_dump --no-tracking >actual &&
	test_cmp with actual &&
	git rollback-db --yes --all >out &&
	test_grep "^Proven" out &&
	db_dump --no-tracking >actual &&
	test_cmp without actual
'

# --- outside a transaction -----------------------------------------------------------------------

groups () {
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 002_i "CREATE INDEX i ON a (id);" "DROP INDEX CONCURRENTLY i;" &&
	migration 003_c "CREATE TABLE c (id int);" "DROP TABLE c;" &&
	migration 004_d "CREATE TABLE d (id int);" "DROP TABLE d;" &&
	git apply-migration -q
}

test_expect_success 'a script that runs outside a transaction is said to, and makes groups' '
	groups &&
	git rollback-db -n --all >actual &&
	cat >expect <<-\END &&
	Rolling back 4 migrations in database default, the newest first:
	  004 d
	    down script: migrations/004_d.down.sql (the worktree)
	  003 c
	    down script: migrations/003_c.down.sql (the worktree)
	  002 i
	    down script: migrations/002_i.down.sql (the worktree)
	    runs outside a transaction: DROP INDEX CONCURRENTLY
	  001 a
	    down script: migrations/001_a.down.sql (the worktree)
	When a step fails, what is done by then is undone from what was saved.
	This will:
	  drop table public.d (0 rows, 0 bytes)
	  drop table public.c (0 rows, 0 bytes)
	  drop table public.a (0 rows, 8.0 KiB)
	  drop index public.i
	END
	test_cmp expect actual &&
	git rollback-db --yes --all >out &&
	test_write_lines "rolled back 004 d (TIME)" "rolled back 003 c (TIME)" "rolled back 002 i (TIME)" \
		"rolled back 001 a (TIME)" "Proven: the schema is what it was before." >expect &&
	scrub <out >actual &&
	test_cmp expect actual &&
	applied >actual &&
	test_must_be_empty actual &&
	db_sql "SELECT version, direction, state, statements_done, objects IS NULL FROM schema_rollback_log
		WHERE direction = \$\$down\$\$ ORDER BY version" >actual &&
	test_write_lines "001|down|done|1|t" "002|down|done|1|t" "003|down|done|1|t" "004|down|done|1|t" >expect &&
	test_cmp expect actual
'

test_expect_success 'groups before a failure stay done, and the tracking table agrees with the schema' '
	groups &&
	echo "DROP TABLE a; DROP TABLE nosuch;" >migrations/001_a.down.sql &&
	test_expect_code 128 git rollback-db --yes --no-save --all >out 2>err &&
	test_grep "migrations/001_a.down.sql:1:" err &&
	test_grep ! "Nothing was changed" err &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	db_sql "SELECT to_regclass(x) FROM unnest(ARRAY[\$\$a\$\$, \$\$i\$\$, \$\$c\$\$, \$\$d\$\$]) x" >actual &&
	test_write_lines a "" "" "" >expect &&
	test_cmp expect actual &&
	echo "DROP TABLE a;" >migrations/001_a.down.sql &&
	git rollback-db --yes -q --all &&
	applied >actual &&
	test_must_be_empty actual
'

test_expect_success 'the report of a failure says what was rolled back before it' '
	groups &&
	echo "DROP TABLE nosuch;" >migrations/001_a.down.sql &&
	test_expect_code 128 git rollback-db --yes --all >out 2>err &&
	test_must_be_empty out &&
	test_expect_code 128 git rollback-db --yes --no-save --all >out 2>err &&
	test_write_lines "rolled back 004 d (TIME)" "rolled back 003 c (TIME)" "rolled back 002 i (TIME)" >expect &&
	scrub <out >actual &&
	test_cmp expect actual
'

test_expect_success 'the marker alone makes a script run outside' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "-- rollback: no-transaction
DROP TABLE a;" &&
	git apply-migration -q &&
	git rollback-db -n 001 >actual &&
	test_grep "runs outside a transaction: as it is marked" actual &&
	git rollback-db -q --yes 001 &&
	applied >actual &&
	test_must_be_empty actual
'

# The second statement fails until the table `knob` has a row.
broken_off () {
	fresh &&
	db_sql "CREATE TABLE knob (id int)" &&
	migration 001_a "CREATE TABLE a (id int); CREATE INDEX i ON a (id); CREATE INDEX j ON a (id);" \
		"DROP INDEX CONCURRENTLY i;
SELECT 1 / count(*) FROM knob;
DROP INDEX CONCURRENTLY j; DROP TABLE a;" &&
	migration 002_b "CREATE TABLE b (id int);" "DROP TABLE b;" &&
	git apply-migration -q &&
	git rollback-db -q --yes 002 &&
	test_expect_code 128 git rollback-db --yes --no-proof 001 >out 2>err
}

test_expect_success 'a down that was interrupted outside a transaction: seen, refused to others, and gone on with' '
	broken_off &&
	test_grep "^fatal: migrations/001_a.down.sql:2:1: could not roll back migration .001.: division by zero" err &&
	test_grep "^hint: Use .git rollback-db 001. to go on from there.$" err &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	git migration-status --porcelain >actual &&
	test_grep "^interrupted	001" actual &&

	test_expect_code 2 git rollback-db --yes --all 2>err &&
	test_grep "migration .001. was interrupted: statement 1 of 4 is done" err &&
	test_grep "^hint: Use .git rollback-db 001. first.$" err &&
	test_expect_code 2 git apply-migration 2>err &&

	rm -r migrations &&
	git rollback-db -n 1 >actual &&
	test_grep "001 a (rollback was interrupted after statement 1 of 4)" actual &&
	git rollback-db -n --json 1 >actual &&
	test_grep "\"direction\": \"down\"" actual &&
	test_grep "\"statements_done\": 1" actual &&
	test_expect_code 128 git rollback-db --yes 001 &&
	db_sql "INSERT INTO knob VALUES (1)" &&
	git rollback-db --yes 001 >out &&
	test_grep "^rolled back 001 a" out &&
	applied >actual &&
	test_must_be_empty actual &&
	db_sql "SELECT to_regclass(x) FROM unnest(ARRAY[\$\$a\$\$, \$\$i\$\$, \$\$j\$\$]) x" >actual &&
	test_write_lines "" "" "" >expect &&
	test_cmp expect actual &&
	db_sql "SELECT state, statements_begun, statements_done FROM schema_rollback_log WHERE direction = \$\$down\$\$ AND version = \$\$001\$\$" >actual &&
	echo "done|4|4" >expect &&
	test_cmp expect actual
'

test_expect_success 'an up that was interrupted outside a transaction is undone by its down' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 002_i "CREATE INDEX CONCURRENTLY i ON a (id); CREATE INDEX CONCURRENTLY j ON a (nosuch);" \
		"DROP INDEX CONCURRENTLY IF EXISTS j; DROP INDEX CONCURRENTLY IF EXISTS i;" &&
	test_expect_code 128 git apply-migration -q &&
	test_expect_code 2 git rollback-db --yes --last 1 &&
	git rollback-db -n 002 >actual &&
	test_grep "002 i (apply was interrupted after statement 1 of 2)" actual &&
	git rollback-db --yes 002 >out &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	db_sql "SELECT to_regclass(\$\$i\$\$)" >actual &&
	echo >expect &&
	test_cmp expect actual &&
	git migration-status --porcelain >actual &&
	test_grep "^pending	002" actual
'

# --- rehearsals ----------------------------------------------------------------------------------

test_expect_success '--rehearse runs it, reports, and leaves nothing, without asking' '
	counting &&
	schema_and_records >before &&
	git for-each-ref >refs &&
	git rollback-db --rehearse --all >out 2>err &&
	test_write_lines "rehearsed 002 b (TIME)" "rehearsed 001 a (TIME)" \
		"Proven: the schema is what it was before." \
		"It was a rehearsal: everything was undone." >expect &&
	scrub <out >actual &&
	test_cmp expect actual &&
	schema_and_records >after &&
	test_cmp before after &&
	git for-each-ref >actual &&
	test_cmp refs actual &&
	echo t >expect &&
	db_sql "SELECT is_called FROM ran" >actual &&
	test_cmp expect actual
'

test_expect_success '--rehearse tells of a failure and of a failed proof, by exit code' '
	three &&
	echo "DROP TABLE nosuch;" >migrations/003_c.down.sql &&
	test_expect_code 128 git rollback-db --rehearse 003 &&
	echo "SELECT 1;" >migrations/003_c.down.sql &&
	test_expect_code 1 git rollback-db --rehearse 003 >actual &&
	test_grep "table public.c still exists" actual &&
	test_expect_code 1 git rollback-db --rehearse --json 003 >actual &&
	test_grep "\"outcome\": \"unproven\"" actual &&
	test_grep "\"rehearse\": true" actual
'

test_expect_success '--rehearse is refused where a script runs outside a transaction' '
	groups &&
	schema_and_records >before &&
	test_expect_code 2 git rollback-db --rehearse --all 2>err &&
	test_grep "the down script of .002. runs outside a transaction: DROP INDEX CONCURRENTLY: it cannot be rehearsed" err &&
	schema_and_records >after &&
	test_cmp before after
'

# Deferred constraints are checked by COMMIT.
deferred () {
	fresh &&
	db_sql "CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
		CREATE TABLE c (id int REFERENCES p DEFERRABLE INITIALLY DEFERRED); INSERT INTO c VALUES (1)" &&
	migration 001_v "CREATE VIEW v AS SELECT 1 AS one;" "DROP VIEW v; DELETE FROM p;" &&
	git apply-migration -q
}

test_expect_success 'a COMMIT that fails changes nothing, and is told' '
	deferred &&
	schema_and_records >before &&
	test_expect_code 128 git rollback-db --yes 001 >out 2>err &&
	test_must_be_empty out &&
	test_grep "^fatal: could not commit the rollback: update or delete on table \"p\" violates foreign key constraint" err &&
	test_grep "^  Its transaction was rolled back\.$" err &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'a rehearsal finds what a COMMIT would, down and up' '
	deferred &&
	test_expect_code 128 git rollback-db --rehearse 001 >out 2>err &&
	test_grep "violates foreign key constraint" err &&
	migration 002_w "DELETE FROM p;" "SELECT 1;" &&
	test_expect_code 128 git apply-migration --rehearse 2>err &&
	test_grep "could not apply migration .002.: .*violates foreign key constraint" err
'

# --- hooks ---------------------------------------------------------------------------------------

test_expect_success 'the hooks get plan and report as JSON on standard input' '
	three &&
	test_when_finished "rm -f .git/hooks/*-rollback" &&
	write_script .git/hooks/pre-rollback <<-\END &&
	cat >"$TEST_ROOT/pre.json" && pwd >"$TEST_ROOT/pre.pwd" && echo said by the hook
	END
	write_script .git/hooks/post-rollback <<-\END &&
	cat >"$TEST_ROOT/post.json"
	END
	git rollback-db --yes --json 003 >json 2>err &&
	test_grep "^said by the hook$" err &&
	pwd >expect &&
	test_cmp expect "$TEST_ROOT/pre.pwd" &&
	test_grep "\"verdict\": \"clean\"" "$TEST_ROOT/pre.json" &&
	test_grep "\"version\": \"003\"" "$TEST_ROOT/pre.json" &&
	test_grep ! "\"done\":" "$TEST_ROOT/pre.json" &&
	test_grep "\"done\": true" "$TEST_ROOT/post.json" &&
	test_grep "\"outcome\": \"done\"" "$TEST_ROOT/post.json" &&
	test_cmp json "$TEST_ROOT/post.json"
'

test_expect_success 'what a hook does is done: the journal has the operation before' '
	three &&
	test_when_finished "rm -f .git/hooks/*-rollback" &&
	write_script .git/hooks/pre-rollback <<-\END &&
	cat .git/rollback/journal/"$(jq -r .operation)".json >"$TEST_ROOT/record.json"
	END
	git rollback-db --yes -q 003 &&
	test_grep "\"state\": \"open\"" "$TEST_ROOT/record.json" &&
	test_grep "\"versions\"" "$TEST_ROOT/record.json"
'

test_expect_success 'a pre-rollback that fails stops it' '
	three &&
	test_when_finished "rm -f .git/hooks/*-rollback" &&
	write_script .git/hooks/pre-rollback <<-\END &&
	echo "not on a Friday" >&2
	exit 7
	END
	write_script .git/hooks/post-rollback <<-\END &&
	>"$TEST_ROOT/must-not-be"
	END
	schema_and_records >before &&
	test_expect_code 2 git rollback-db --yes 003 2>err &&
	test_grep "^not on a Friday$" err &&
	test_grep "^error: hook .pre-rollback. ended with status 7$" err &&
	test_expect_code 2 git rollback-db --yes --json 003 >actual 2>err &&
	schema_and_records >after &&
	test_cmp before after &&
	test_path_is_missing "$TEST_ROOT/must-not-be" &&
	rm .git/hooks/pre-rollback &&
	git rollback-db --yes -q 003 2>err &&
	test_must_be_empty err
'

test_expect_success 'a hook sees the database as it was before, and as it is after' '
	three &&
	test_when_finished "rm -f .git/hooks/*-rollback" &&
	for when in pre post
	do
		write_script .git/hooks/$when-rollback <<-END || return 1
		echo "SELECT count(*) FROM schema_migrations" |
		"$PG_BINDIR"/psql -XAtq "$DATABASE_URL" >"$TEST_ROOT/$when"
		END
	done &&
	git rollback-db --yes -q 003 &&
	echo 3 >expect &&
	test_cmp expect "$TEST_ROOT/pre" &&
	echo 2 >expect &&
	test_cmp expect "$TEST_ROOT/post"
'

test_expect_success 'a post-rollback that fails is told, and changes nothing any more' '
	three &&
	test_when_finished "rm -f .git/hooks/*-rollback" &&
	write_script .git/hooks/post-rollback <<-\END &&
	exit 3
	END
	git rollback-db --yes 003 2>err &&
	test_grep "^warning: hook .post-rollback. ended with status 3$" err &&
	test_write_lines 001 002 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'no hook runs for a preview, a rehearsal, or nothing to do' '
	three &&
	test_when_finished "rm -f .git/hooks/*-rollback" &&
	write_script .git/hooks/pre-rollback <<-\END &&
	exit 1
	END
	git rollback-db -n --all &&
	git rollback-db --rehearse --all &&
	git rollback-db --to 003
'

test_expect_success 'a hook that cannot be executed is none, which is told' '
	three &&
	test_when_finished "rm -rf .git/hooks/*-rollback; git config --unset advice.ignoredHook" &&
	printf "#!/bin/sh\nexit 1\n" >.git/hooks/pre-rollback &&
	git rollback-db --yes -q 003 2>err &&
	cat >expect <<-\END &&
	hint: The hook .pre-rollback. was ignored because it is not set as executable.
	hint: Silence this with .git config advice.ignoredHook false..
	END
	tr "\047" . <err >actual &&
	test_cmp expect actual &&
	git config advice.ignoredHook false &&
	git rollback-db --yes -q 002 2>err &&
	test_must_be_empty err &&
	rm .git/hooks/pre-rollback &&
	mkdir .git/hooks/pre-rollback &&
	git rollback-db --yes -q 001 2>err &&
	test_must_be_empty err
'

test_expect_success 'a hook that is there and cannot be run refuses' '
	three &&
	test_when_finished "rm -rf .git/hooks/*-rollback" &&
	write_script .git/hooks/pre-rollback "/nosuch/interpreter" <<-\END &&
	exit 0
	END
	test_expect_code 128 git rollback-db --yes 003 2>err &&
	test_grep "pre-rollback.*[Nn]o such file" err &&
	test_write_lines 001 002 003 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'core.hooksPath counts, also as seen from a subdirectory' '
	three &&
	test_when_finished "rm -rf .hooks sub; git config --unset core.hooksPath" &&
	mkdir .hooks sub &&
	git config core.hooksPath .hooks &&
	write_script .hooks/pre-rollback <<-\END &&
	exit 4
	END
	test_expect_code 2 git rollback-db --yes 003 2>err &&
	test_grep "ended with status 4" err &&
	(
		cd sub &&
		test_expect_code 2 git rollback-db --yes 003
	) &&
	git config core.hooksPath "$TRASH_DIRECTORY/.hooks" &&
	test_expect_code 2 git rollback-db --yes 003 &&
	test_write_lines 001 002 003 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success 'a hook need not read what it is given' '
	fresh &&
	test_when_finished "rm -f .git/hooks/*-rollback" &&
	for v in $(seq 300)
	do
		migration ${v}_t "CREATE VIEW v$v AS SELECT 1 AS x;" "DROP VIEW v$v;" || return 1
	done &&
	git apply-migration -q &&
	write_script .git/hooks/pre-rollback <<-\END &&
	exit 0
	END
	git rollback-db --yes -q --all 2>err &&
	test_must_be_empty err &&
	applied >actual &&
	test_must_be_empty actual
'

# --- names ---------------------------------------------------------------------------------------

test_expect_success 'names from elsewhere are shown, not obeyed' '
	three &&
	db_sql "UPDATE schema_migrations SET name = chr(27) || \$\$[31mred\$\$ || chr(10) || \$\$error: x\$\$ WHERE version = \$\$003\$\$" &&
	git rollback-db --yes 003 >out 2>err &&
	printf "\\033" >escape &&
	test_grep ! -F -f escape out &&
	test_grep ! -F -f escape err &&
	test_grep ! "^error" err
'

test_expect_success 'versions of others, whatever is in them, are in nobody'\''s way' '
	three &&
	db_sql "INSERT INTO schema_migrations SELECT v, \$\$x\$\$, now(), repeat(\$\$a\$\$, 64), 1 FROM unnest(ARRAY[
		\$\$9\$\$ || chr(10) || \$\$error: HEAD\$\$, \$\$20240101-init\$\$, \$\$a..b~^:\$\$, \$\$\$\$, \$\$../../heads/main\$\$]) v" &&
	git migration-status >out 2>err &&
	git rollback-db -n --all >out 2>err &&
	test_grep "^  20240101-init x\$" out &&
	test_grep ! "^error" out &&
	git rollback-db --yes 001 2>err &&
	test_grep ! "^error" err &&
	test_grep "^warning: applied later, and stays: " err &&
	test_expect_code 2 git rollback-db --yes 20240101-init
'

test_expect_success '--to-commit of a commit without any migrations is warned of' '
	fresh &&
	empty=$(git commit-tree -m empty $(git mktree </dev/null)) &&
	migration 001_a "CREATE TABLE a ();" "DROP TABLE a;" && git apply-migration -q &&
	git rollback-db -q --yes --to-commit $empty 2>err &&
	test_grep "warning: .* has no folder with migrations, so everything that is applied goes" err &&
	test "$(db_sql "SELECT count(*) FROM schema_migrations")" = 0
'

test_done
