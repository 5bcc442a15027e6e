#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='what goes wrong with other migration tools

Five applied migrations of a table each; one thing is broken, one command is run. Nine cases in which
others lose their way: they say they did what they did not, leave record and schema in disagreement,
or undo what nobody named.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-faults.sh

five () {	# SQL before the newest's DROP
	db_reset && rm -rf .git migrations && git init -q . &&
	for n in 1 2 3 4 5
	do
		migration "2024010100000${n}_t$n" "CREATE TABLE t$n AS SELECT g AS a FROM generate_series(1, 1000) g;" \
			"DROP TABLE t$n;" || return
	done
	test -z "${1-}" || printf '%s\n' "$1" >migrations/20240101000005_t5.down.sql
	git add . && git commit -q -m five && git apply-migration
}

# Tables that are left, and migrations recorded, by their digits.
state () {
	db_sql "SELECT (SELECT coalesce(string_agg(substr(relname, 2), '' ORDER BY relname), '-')
			FROM pg_class WHERE relkind = 'r' AND relname ~ '^t[1-5]\$') || '/' ||
		(SELECT coalesce(string_agg(right(version, 1), '' ORDER BY version), '-') FROM schema_migrations)"
}

is () {
	test "$(state)" = "$1" || test_complain "left/recorded is $(state), not $1"
}

test_expect_success 'nodown: the newest has no down script' '
	five && rm migrations/20240101000005_t5.down.sql &&
	git rollback-db --last 1 --yes >out &&
	test_grep "Proven" out && is 1234/1234 &&
	# Nor was there ever one: nobody has recorded any.
	five && git rollback-db --last 1 --yes && rm migrations/20240101000005_t5.down.sql &&
	test_expect_code 2 git apply-migration 2>err && test_grep "has no down script" err && is 1234/1234 &&
	git apply-migration --allow-missing-down && is 12345/12345 &&
	db_dump >expect &&
	test_expect_code 2 git rollback-db --last 1 --yes 2>err && test_grep "20240101000005.*no down script" err &&
	is 12345/12345 && db_dump >actual && test_cmp expect actual
'

test_expect_success 'branch: the files of the newest are on another branch' '
	five && git rm -q migrations/*_t5.* && git commit -q -m "before t5" &&
	git migration-status >out && test_grep "20240101000005 t5 (missing" out &&
	git rollback-db --last 1 --yes >out 2>err && test_grep "rolled back 20240101000005" out &&
	test_grep "Proven" out && is 1234/1234
'

test_expect_success 'baddown: a down script in the middle fails' '
	five && echo "DROP TABLE t3; SELECT 1/0;" >migrations/20240101000003_t3.down.sql &&
	db_dump >expect &&
	test_expect_code 128 git rollback-db --all --yes 2>err &&
	test_grep "migrations/20240101000003_t3.down.sql:1:.*division by zero" err &&
	test_grep "Nothing was changed" err &&
	is 12345/12345 && db_dump >actual && test_cmp expect actual && journal_is_settled
'

test_expect_success 'killed: kill -9 in the newest down, then once more' '
	test_when_finished "gate_open 7" &&
	five "SELECT pg_advisory_xact_lock(7); DROP TABLE t5;" && gate_close 7 &&
	in_background down git-rollback-db --last 1 --yes && gate_reached 7 &&
	kill -KILL $(background_pid down) && test "$(background_code down)" = 137 &&
	gate_open 7 && wait_alone && is 12345/12345 &&
	git migration-status >out 2>err && test_grep "was not finished" err &&
	git rollback-db --last 1 --yes 2>err && test_grep "had changed nothing; its journal entry is settled" err &&
	is 1234/1234 && journal_is_settled
'

for drop in "DROP TABLE t5;" "DROP TABLE IF EXISTS t5;"
do
	case $drop in *IF*) name=twoif ;; *) name=two ;; esac
	test_expect_success "$name: two that roll back one each, at once" '
		test_when_finished "gate_open 7" &&
		five "SELECT pg_advisory_xact_lock(7); $drop" && gate_close 7 &&
		in_background first git-rollback-db --last 1 --yes && gate_reached 7 &&
		test_expect_code 2 git rollback-db --last 1 --yes 2>err &&
		test_grep "is being changed by another command" err &&
		gate_open 7 && test "$(background_code first)" = 0 && is 1234/1234
	'
done

test_expect_success 'drift: an applied script was edited' '
	five && echo "CREATE TABLE t2 AS SELECT g AS a, 1 AS edited FROM generate_series(1, 1000) g;" \
		>migrations/20240101000002_t2.up.sql &&
	git migration-status >out && test_grep "20240101000002 t2 (changed" out &&
	test_expect_code 1 git migration-status --check &&
	git apply-migration >out 2>err && test_grep "20240101000002_t2.up.sql. was changed after it was applied" err &&
	is 12345/12345 &&
	# The script beside it may not fit what was applied: the recorded one does.
	git rollback-db 20240101000002 --yes >out 2>err && test_grep "Proven" out &&
	test_grep "down script: refs/rollback/applied/20240101000002/" err && is 1345/1345
'

test_expect_success 'late: an older migration comes after the newest' '
	five && git rollback-db 20240101000004 --yes && is 1235/1235 &&
	git migration-status >out && test_grep "20240101000004 t4 (out of order" out &&
	test_expect_code 2 git apply-migration 2>err &&
	test_grep "comes before .20240101000005., which is applied already" err && is 1235/1235 &&
	git apply-migration --allow-out-of-order && is 12345/12345
'

test_expect_success 'conc: CREATE INDEX CONCURRENTLY that nobody has marked' '
	five && git rollback-db --last 1 --yes &&
	echo "CREATE INDEX CONCURRENTLY t1_a ON t1 (a);" >migrations/20240101000005_t5.up.sql &&
	echo "DROP INDEX t1_a;" >migrations/20240101000005_t5.down.sql &&
	git apply-migration && is 1234/12345 &&
	db_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = '\''t1_a'\''::regclass" >actual &&
	echo t >expect && test_cmp expect actual &&
	git rollback-db --last 1 --yes >out && test_grep "Proven" out && is 1234/1234
'

test_done
