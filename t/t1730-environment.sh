#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db: maintenance, checklist, advice, record; the status of all databases'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

fresh () {
	db_reset &&
	rm -rf migrations .git/rollback &&
	git for-each-ref --format="delete %(refname)" refs/rollback | git update-ref --stdin &&
	migration 1_t "CREATE TABLE t (id serial PRIMARY KEY, x text);" "DROP TABLE t;" &&
	migration 2_u "CREATE TABLE u (id int);" "DROP TABLE u;" &&
	git apply-migration -q
}

# The state of each check, in one line.
checks () {
	jq -r ".checklist[] | .check + \"=\" + .state" "$1" | tr "\n" " "
}

test_expect_success 'set up a command that notes how it was called, and what there was then' '
	write_script maintain <<-\END &&
	there=$(psql -XAtq "$DATABASE_URL" -c "SELECT relname FROM pg_class WHERE relname = chr(117)")
	echo "$* $GIT_ROLLBACK_DATABASE $(pwd) ${there:-gone}" >>"$TEST_ROOT/calls"
	echo "$GIT_ROLLBACK_OPERATION" >>"$TEST_ROOT/operations"
	test ! -e "$TEST_ROOT/fails-$2"
	END
	sed -i "s|psql|$PG_BINDIR/psql|" maintain &&
	git config rollback.database.default.maintenanceCommand "./maintain \"a b\""
'

test_expect_success 'it is run before and after, at the top of the worktree' '
	fresh && rm -f "$TEST_ROOT/calls" "$TEST_ROOT/operations" && mkdir -p sub &&
	(cd sub && git rollback-db --yes --json --last 1 >../json 2>../err) &&
	test_write_lines "a b on default $PWD u" "a b off default $PWD gone" >expect &&
	test_cmp expect "$TEST_ROOT/calls" &&
	jq -r ".operation, .operation" json >expect &&
	test_cmp expect "$TEST_ROOT/operations" &&
	jq -e ".downtime_ms >= 0 and .recovery_ms >= .downtime_ms" json &&
	jq -e "select(.command == \"rollback-db\") | .report.downtime_ms >= 0" .git/rollback/log &&
	checks json >actual && test_grep "maintenance_mode=done" actual
'

test_expect_success 'how long it was is a line of the report; an undo has it too' '
	rm "$TEST_ROOT/calls" &&
	git rollback-db --undo --yes >out 2>err &&
	test_grep "^in maintenance for [0-9.]* m*s$" out &&
	test_line_count = 2 "$TEST_ROOT/calls"
'

test_expect_success 'where it fails before, nothing is changed, and it is ended' '
	rm "$TEST_ROOT/calls" && test_when_finished "rm -f \"$TEST_ROOT\"/fails-*" &&
	>"$TEST_ROOT/fails-on" && db_dump >before &&
	test_expect_code 2 git rollback-db --yes --last 1 >out 2>err &&
	test_grep "^error: maintenanceCommand of database .default. ended with status 1 at .on." err &&
	db_dump >after && test_cmp before after &&
	sed "s/ default.*//" "$TEST_ROOT/calls" >actual &&
	test_write_lines "a b on" "a b off" >expect &&
	test_cmp expect actual
'

test_expect_success 'where it fails after, that is told, and the rollback stays' '
	test_when_finished "rm -f \"$TEST_ROOT\"/fails-*" &&
	>"$TEST_ROOT/fails-off" &&
	git rollback-db --yes --json --last 1 >json 2>err &&
	test_grep "^warning: maintenanceCommand of database .default. ended with status 1 at .off." err &&
	test_grep "^warning: the application of database .default. may still be down" err &&
	jq -e ".outcome == \"done\" and .next_steps[0] == \"End the maintenance by hand.\"" json &&
	checks json >actual && test_grep maintenance_mode=warned actual
'

test_expect_success 'it is ended also where the rollback fails or is interrupted' '
	fresh && rm "$TEST_ROOT/calls" &&
	echo "DROP TABLE nosuch;" >migrations/2_u.down.sql &&
	test_expect_code 128 git rollback-db --yes --last 1 >out 2>err &&
	test_line_count = 2 "$TEST_ROOT/calls" &&
	echo "SELECT pg_sleep(100);" >migrations/2_u.down.sql &&
	{ git-rollback-db --yes --last 1 >out 2>err & pid=$!; } &&
	while ! db_sql "SELECT query FROM pg_stat_activity WHERE datname = current_database()" | grep -q "^SELECT pg_sleep"
	do
		:
	done &&
	kill -TERM $pid &&
	{ wait $pid; test $? = 130; } &&
	test_line_count = 4 "$TEST_ROOT/calls" &&
	sed -n "4s/ default.*//p" "$TEST_ROOT/calls" >actual &&
	echo "a b off" >expect &&
	test_cmp expect actual
'

test_expect_success 'whoever is killed meanwhile leaves word for the next' '
	fresh && rm "$TEST_ROOT/calls" &&
	echo "SELECT pg_sleep(100);" >migrations/2_u.down.sql &&
	{ git-rollback-db --yes --last 1 >out 2>err & pid=$!; } &&
	while ! db_sql "SELECT query FROM pg_stat_activity WHERE datname = current_database()" | grep -q "^SELECT pg_sleep"
	do
		:
	done &&
	kill -KILL $pid && { wait $pid; test $? = 137; } &&
	db_sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE \$\$SELECT pg_sleep%\$\$" >/dev/null &&
	test_line_count = 1 "$TEST_ROOT/calls" &&
	echo "DROP TABLE u;" >migrations/2_u.down.sql &&
	git rollback-db --yes --last 1 --wait=20 >out 2>err &&
	test_grep "^warning: operation .* began maintenance of database .default. at .*, and did not come to its end$" err
'

test_expect_success 'a rehearsal and a dry run do without' '
	fresh && rm "$TEST_ROOT/calls" &&
	git rollback-db --rehearse --yes --last 1 >out 2>err &&
	git rollback-db --dry-run --last 1 >out 2>err &&
	test_path_is_missing "$TEST_ROOT/calls"
'

test_expect_success 'from .gitrollback it needs trust, before anybody is asked' '
	fresh && git config --unset rollback.database.default.maintenanceCommand &&
	test_when_finished "rm -f .gitrollback" &&
	test_write_lines "[database \"default\"]" "maintenance_command = touch pwned" >.gitrollback &&
	test_expect_code 2 git rollback-db --yes --last 1 >out 2>err &&
	test_path_is_missing pwned
'

# --- checklist -------------------------------------------------------------------------------------

test_expect_success 'the checklist: nothing to be said, and all that can be' '
	fresh &&
	git rollback-db --dry-run --json --last 1 >json &&
	checks json >actual &&
	echo "emergency_snapshot=pending saved_rows=not_applicable maintenance_mode=not_applicable users_notified=done team_aware=done target_validated=done exclusive_lock=pending validation_after=pending " >expect &&
	{ cat actual && echo; } >shown && test_cmp expect shown &&
	db_sql "INSERT INTO t (x) VALUES (1)" &&
	git rollback-db --dry-run --json --no-save --no-snapshot --no-proof --all >json &&
	checks json >actual &&
	test_grep "emergency_snapshot=warned saved_rows=warned" actual &&
	test_grep "validation_after=warned" actual &&
	git rollback-db --yes --json --all >json 2>err &&
	checks json >actual &&
	echo "emergency_snapshot=done saved_rows=done maintenance_mode=not_applicable users_notified=done team_aware=done target_validated=done exclusive_lock=done validation_after=done " >expect &&
	{ cat actual && echo; } >shown && test_cmp expect shown
'

test_expect_success 'who is connected, and who is in the way' '
	fresh && rm -f fifo && mkfifo fifo &&
	{ PGAPPNAME="shop
	x" psql_db <fifo >session 2>&1 & pid=$!; } &&
	exec 9>fifo &&
	echo "BEGIN; LOCK TABLE u IN ROW SHARE MODE; SELECT 1;" >&9 &&
	while ! grep -q 1 session; do :; done &&
	git rollback-db --dry-run -v --last 1 >out &&
	exec 9>&- && wait $pid &&
	test_grep "users notified: 1 other session is connected: shop" out &&
	test_grep "team aware: public.u: shop.*of postgres" out &&
	test_grep "maintenance mode: no maintenanceCommand is set" out
'

test_expect_success 'without --verbose people are spared it' '
	git rollback-db --dry-run --last 1 >out &&
	test_grep ! Checklist out
'

test_expect_success 'where nobody looks, nothing is asked for it' '
	fresh &&
	PGOPTIONS="-c log_statement=all" git rollback-db -q --yes --no-proof --no-save --no-snapshot --last 1 &&
	grep " $db_name LOG:" "$TEST_PG_HOST"/log >asked &&
	test_grep "DROP TABLE u" asked &&
	test_grep ! "pg_stat_activity\|invalid index\|xmin" asked
'

# --- advice ------------------------------------------------------------------------------------------

test_expect_success 'rows that were written since: a forward fix is advised' '
	fresh &&
	git rollback-db --dry-run --json --all >json &&
	jq -e ".warnings == []" json &&
	db_sql "INSERT INTO t (x) VALUES (1)" &&
	git rollback-db --dry-run --json --all >json &&
	jq -r ".warnings[]" json >actual &&
	echo "a forward fix is safer (--forward-fix), a new migration that undoes this one: rows written since the migration go with public.t" >expect &&
	test_cmp expect actual
'

test_expect_success 'rows that the migration brought are no reason' '
	db_reset && rm -rf migrations .git/rollback &&
	migration 1_t "CREATE TABLE t (x text); INSERT INTO t VALUES (1), (2);" "DROP TABLE t;" &&
	migration 2_c "ALTER TABLE t ADD y int;" "ALTER TABLE t DROP y;" &&
	git apply-migration -q &&
	git rollback-db --dry-run --json 1 >json &&
	jq -e ".warnings | map(select(test(\"forward\"))) == []" json &&
	db_sql "UPDATE t SET y = 1" &&
	git rollback-db --dry-run 2 >out 2>err &&
	test_grep "rows written since the migration go with public.t.y" err
'

test_expect_success 'a protected environment is' '
	fresh && test_when_finished "git config --remove-section rollback.database.shop" &&
	git config rollback.database.shop.url "$DATABASE_URL" &&
	git config rollback.database.shop.protected true &&
	git rollback-db --database=shop --dry-run --json --last 1 >json &&
	jq -r ".warnings[]" json >actual &&
	test_grep "^a forward fix is safer (--forward-fix), a new migration that undoes this one: database .shop. is protected$" actual
'

# --- record ---------------------------------------------------------------------------------------------

test_expect_success 'the report and the event log say how it went' '
	fresh && db_sql "INSERT INTO t (x) SELECT i FROM generate_series(1, 5) i" &&
	git rollback-db --yes --json --to 1 >json &&
	jq -c "[.target, .rolled_back_to, .saved.rows, .snapshots.after]" json >actual &&
	git rollback-db --yes --json --all >json &&
	jq -c "[.target, .rolled_back_to, .saved.rows, .snapshots.after]" json >>actual &&
	test_write_lines "[\"to 1\",\"1\",0,null]" "[\"all\",null,5,null]" >expect &&
	test_cmp expect actual &&
	jq -e ".duration_ms >= .locked_ms and .recovery_ms >= .locked_ms and .downtime_ms == null" json &&
	jq -e ".snapshots.before == .saved.path and (.next_steps | length) == 3" json &&
	tail -n 1 .git/rollback/log | jq -S .report >logged &&
	jq -S "with_entries(select(.key | IN(\"target\", \"rolled_back_to\", \"duration_ms\", \"locked_ms\",
		\"downtime_ms\", \"recovery_ms\", \"saved\", \"snapshots\", \"validation\", \"next_steps\")))" json >expect &&
	test_cmp expect logged
'

test_expect_success 'what was saved is a line for people; the rest with --verbose' '
	fresh && db_sql "INSERT INTO t (x) SELECT i FROM generate_series(1, 5) i" &&
	git rollback-db --yes --all >out 2>err &&
	test_grep "^saved 5 rows of 2 tables$" out &&
	test_line_count = 4 out &&
	fresh &&
	git rollback-db --yes -v --all >out 2>err &&
	test_grep "^took .*; locks held for .*; usable again .* after the command was given$" out &&
	test_grep "^objects: [0-9]* .* [0-9]* (.*table 2 .* 0" out &&
	test_grep "^next: Test the application" out
'

test_expect_success 'a snapshot afterwards, where the environment wants one' '
	fresh && test_when_finished "git config --unset rollback.database.default.snapshot" &&
	git config rollback.database.default.snapshot true &&
	git rollback-db --yes --json --last 1 >json 2>err &&
	jq -r "\"after-rollback-\" + .operation" json >expect &&
	jq -r .snapshots.after json >actual &&
	test_cmp expect actual &&
	git snapshot-db diff "$(cat actual)" --live >out &&
	test_must_be_empty out &&
	git rollback-db --yes --json --no-snapshot --last 1 >json 2>err &&
	jq -e ".snapshots.after == null" json
'

test_expect_success 'one that cannot be taken is a warning' '
	fresh && test_when_finished "git config --unset rollback.database.default.snapshot; git config --unset rollback.snapshots.directory" &&
	git config rollback.database.default.snapshot true &&
	>file && git config rollback.snapshots.directory file &&
	git rollback-db --yes --last 1 >out 2>err &&
	test_grep "^warning: could not take a snapshot of database" err
'

# --- all databases ------------------------------------------------------------------------------------------

test_expect_success 'the status of all databases, one after the other' '
	fresh && db_create ${db_name}_b && test_when_finished "db_drop ${db_name}_b" &&
	test_when_finished "git config --remove-section rollback.database.a; git config --remove-section rollback.database.b" &&
	git config rollback.database.a.url "$DATABASE_URL" &&
	git config rollback.database.b.url "$(db_url ${db_name}_b)" &&
	git migration-status --all-databases --json >json &&
	jq -c ".databases[] | [.format, .database, [.migrations[].state]]" json >actual &&
	test_write_lines "[1,\"a\",[\"applied\",\"applied\"]]" "[1,\"b\",[\"pending\",\"pending\"]]" >expect &&
	test_cmp expect actual &&
	git migration-status --all-databases --porcelain >out &&
	cut -f 1-3 out >actual &&
	test_write_lines "a	applied	1" "a	applied	2" "b	pending	1" "b	pending	2" >expect &&
	test_cmp expect actual &&
	git migration-status --all-databases >out &&
	grep -n "^[ab]:$" out >actual &&
	test_write_lines 1:a: 4:b: >expect &&
	test_cmp expect actual &&
	test_expect_code 1 git migration-status --all-databases --check >out &&
	test_expect_code 129 git migration-status --all-databases --database=a
'

test_expect_success 'one that cannot be reached does not hide the others' '
	test_when_finished "git config --remove-section rollback.database.a; git config --remove-section rollback.database.b" &&
	git config rollback.database.a.url "host=/nonexistent connect_timeout=1" &&
	git config rollback.database.b.url "$DATABASE_URL" &&
	test_expect_code 128 git migration-status --all-databases --json >json 2>err &&
	test_grep "^fatal: database .a.: " err &&
	jq -c "[.databases[] | .database, has(\"error\")]" json >actual &&
	echo "[\"a\",true,\"b\",false]" >expect &&
	test_cmp expect actual
'

test_expect_success 'where none is configured, it is that of DATABASE_URL' '
	git migration-status --all-databases --json >json &&
	jq -c "[.databases[].database]" json >actual &&
	echo "[\"default\"]" >expect &&
	test_cmp expect actual
'

test_done
