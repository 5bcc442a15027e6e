#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='two runs at once on one database'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-tables.sh

changes () {	# up or down: what the log has of them
	db_sql "SELECT count(*) FROM schema_rollback_log WHERE direction = '$1'"
}

# Three migrations, of which the first $1 are applied. A clone beside it uses the same database.
set_up () {	# how many; DROP TABLE or DROP TABLE IF EXISTS
	db_reset && rm -rf .git migrations ../clone && git init -q . &&
	for n in 1 2 3
	do
		migration "00$n" "CREATE TABLE t$n (a int);" "$2 t$n;" || return
	done
	git add . && git commit -q -m migrations && git clone -q . ../clone &&
	{ test "$1" = 0 || git apply-migration --next="$1"; }
}

# ---- Ten times over --------------------------------------------------------------------------------

# Whoever says 0 has done its work, and nobody else has changed anything.
check_pair () {	# up or down: what is counted; a function that gets the exit codes and that count
	case $codes in
	"0 0" | "0 2" | "2 0") ;;
	*)
		cat one.err two.err
		test_complain "exit codes $codes"
		return
		;;
	esac
	for name in one two
	do
		test "$(cat $name.code)" = 2 || continue
		refused=$((refused + 1))
		test_grep "being changed by another command\|changed by another run" $name.err || return
	done
	wait_alone && test "$(objects)" = "$(recorded_tables)" && journal_is_settled || {
		test_complain "there is $(objects), recorded is $(recorded_tables)"
		return
	}
	# Nobody was killed, so nobody may say so.
	! grep "was not finished\|is settled" one.err two.err || return
	"$2" "$codes" $(($(changes "$1") - before)) || {
		cat one.err two.err
		test_complain "exit codes $codes, now $(recorded_tables), changes: $(changes "$1") - $before"
	}
}

start_pair () {	# folder of the second; two command lines
	db_copy "$base" "$db_name" && before=$(changes "$direction" 2>/dev/null || echo 0) &&
	rm -f one.* two.* || return
	# shellcheck disable=SC2086 # command lines
	{
		in_background one $2 &
		in_background two git -C "$1" $3 && wait_until test -f one.pid
	}
}

# Both have made their plan, and wait for a third one that changes nothing in the end: so they do
# overlap, and only one of them can be done.
race_at_the_gate () {	# folder of the second; two command lines; check
	db_copy "$base" "$db_name" && gate_close 7 &&
	in_background holder git -C ../holder apply-migration --rehearse --allow-out-of-order &&
	gate_reached 7 || return
	before=$(changes "$direction" 2>/dev/null || echo 0)
	rm -f one.* two.*
	# shellcheck disable=SC2086 # command lines
	in_background one $2 --wait && in_background two git -C "$1" $3 --wait || return
	wait_until grep "waiting for" one.err && wait_until grep "waiting for" two.err &&
	gate_open 7 && test "$(background_code holder)" = 0 || return
	codes="$(background_code one) $(background_code two)"
	test "$codes" != "0 0" || {
		test_complain "both were done, although both had planned the same"
		return
	}
	check_pair "$direction" "$4"
}

# In the same repository, or from two clones.
race () {	# up or down: what is counted; two command lines; check
	direction=$1 refused=0
	wait_alone && db_copy "$db_name" "$base" && rm -rf ../holder && git init -q ../holder &&
	(
		cd ../holder &&
		migration 900 "SELECT pg_advisory_xact_lock(7);" "SELECT 1;"
	) || return
	for i in 1 2 3 4 5 6 7 8 9 10
	do
		where=.
		test $((i % 2)) = 0 || where=../clone
		start_pair $where "$2" "$3" || return
		codes="$(background_code one) $(background_code two)"
		check_pair "$1" "$4" || return
	done
	echo "$refused of 10 were refused" >"$TEST_ROOT/figures"
	race_at_the_gate . "$2" "$3" "$4" && race_at_the_gate ../clone "$2" "$3" "$4"
}

tell_figures () {
	test ! -f "$TEST_ROOT/figures" || say "$(cat "$TEST_ROOT/figures")"
	rm -f "$TEST_ROOT/figures"
}

all_once () {	# exit codes, changes
	test "$(recorded_tables)" = "t1 t2 t3" && test "$2" = 3
}

test_expect_success 'two applies' '
	set_up 0 "DROP TABLE" &&
	test_when_finished "gate_open 7" &&
	race up "git apply-migration" apply-migration all_once
'
tell_figures

# Each takes one; the second may come after the first, but never take the same one.
one_each () {
	case $1,$2,$(recorded_tables) in
	"0 0,2,t1" | "0 2,1,t1 t2" | "2 0,1,t1 t2") ;;
	*) false ;;
	esac
}

for drop in "DROP TABLE" "DROP TABLE IF EXISTS"
do
	test_expect_success "two rollbacks ($drop)" '
		set_up 3 "$drop" &&
		test_when_finished "gate_open 7" &&
		race down "git rollback-db --last 1 --yes" "rollback-db --last 1 --yes" one_each
	'
	tell_figures
done

up_or_down () {
	case $1,$2,$(recorded_tables) in
	"0 0,1,t1 t2" | "0 0,1,t1 t2 t3" | "0 2,0,t1 t2 t3" | "2 0,1,t1") ;;
	*) false ;;
	esac
}

test_expect_success 'apply against rollback' '
	set_up 2 "DROP TABLE" &&
	test_when_finished "gate_open 7" &&
	race down "git apply-migration" "rollback-db --last 1 --yes" up_or_down
'
tell_figures

# ---- Who has it ------------------------------------------------------------------------------------

# A run that is stopped in the middle of its second migration.
stop_in_the_middle () {
	set_up 0 "DROP TABLE" &&
	migration 002 "CREATE TABLE t2 (); SELECT pg_advisory_xact_lock(7);" "DROP TABLE t2" &&
	gate_close 7 &&
	in_background first git-apply-migration &&
	gate_reached 7
}

first_ends_well () {
	gate_open 7 && test "$(background_code first)" = 0 &&
	test "$(objects)" = "t1 t2 t3" && test "$(recorded_tables)" = "t1 t2 t3"
}

test_expect_success 'from another clone: the server names the holder' '
	test_when_finished "gate_open 7" &&
	stop_in_the_middle &&
	db_sql "SELECT format('\''process %s, '\'''\''%s'\'''\'' of role '\'''\''%s'\'''\'', connected since %s UTC'\'', pid,
		application_name, usename, to_char(backend_start, '\''YYYY-MM-DD HH24:MI:SS'\''))
		FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '\''%pg_advisory_xact_lock(7)%'\''
		AND application_name LIKE '\''git apply-migration%'\''" >holder &&
	test_line_count = 1 holder &&
	test_expect_code 2 git -C ../clone apply-migration >out 2>err &&
	test_must_be_empty out &&
	test_grep -F "the database is being changed by another command: $(cat holder)" err &&
	test_grep -e "--wait" err &&
	test_expect_code 2 git -C ../clone rollback-db --last 1 --yes 2>err &&
	test_grep -F "$(cat holder)" err &&
	first_ends_well
'

test_expect_success 'from the same repository, and a linked worktree: the lock file names the holder' '
	test_when_finished "gate_open 7; git worktree remove --force ../linked" &&
	stop_in_the_middle &&
	git worktree add -q --detach ../linked &&
	for dir in . ../linked
	do
		test_expect_code 2 git -C $dir apply-migration >out 2>err &&
		test_must_be_empty out &&
		test_grep "repository is being changed by another command: pid $(background_pid first) on .*: apply-migration" err &&
		test_expect_code 2 git -C $dir rollback-db --all --yes 2>err &&
		test_grep "pid $(background_pid first) " err || return
	done &&
	first_ends_well
'

test_expect_success 'the status waits for nobody' '
	test_when_finished "gate_open 7" &&
	stop_in_the_middle &&
	git migration-status >out 2>err &&
	test_grep "001 step (applied" out &&
	test_grep "002 step (pending" out &&
	test_grep ! "was not finished" err &&
	first_ends_well
'

# ---- Waiting -----------------------------------------------------------------------------------------

for where in . ../clone
do
	test_expect_success "--wait=1 gives up ($where)" '
		test_when_finished "gate_open 7" &&
		stop_in_the_middle &&
		began=$(date +%s%N) &&
		test_expect_code 2 git -C $where apply-migration --wait=1 2>err &&
		test $(($(date +%s%N) - began)) -ge 1000000000 &&
		test_grep "waiting for" err &&
		test_grep "being changed by another command" err &&
		first_ends_well
	'

	test_expect_success "--wait, and what was waited for changes the plan ($where)" '
		test_when_finished "gate_open 7" &&
		stop_in_the_middle &&
		in_background second git -C $where apply-migration --wait &&
		wait_until grep "waiting for" second.err &&
		first_ends_well &&
		test "$(background_code second)" = 2 &&
		test_grep "changed by another run since this plan was made" second.err &&
		test "$(changes up)" = 3
	'

	test_expect_success "--wait, and what was waited for changes nothing ($where)" '
		test_when_finished "gate_open 7" &&
		set_up 1 "DROP TABLE" &&
		migration 002 "CREATE TABLE t2 (); SELECT pg_advisory_xact_lock(7);" "DROP TABLE t2" &&
		gate_close 7 &&
		in_background first git-apply-migration --rehearse &&
		gate_reached 7 &&
		in_background second git -C $where apply-migration --wait=60 &&
		wait_until grep "waiting for" second.err &&
		test "$(objects)" = t1 &&
		gate_open 7 &&
		test "$(background_code first)" = 0 &&
		test "$(background_code second)" = 0 &&
		test "$(recorded_tables)" = "t1 t2 t3" && test "$(objects)" = "t1 t2 t3"
	'

	test_expect_success "a signal ends the waiting ($where)" '
		test_when_finished "gate_open 7" &&
		stop_in_the_middle &&
		in_background second git-apply-migration --wait &&
		wait_until grep "waiting for" second.err &&
		kill -TERM $(background_pid second) &&
		test "$(background_code second)" = 130 &&
		first_ends_well
	'
done

# Who waits must have no snapshot that CREATE INDEX CONCURRENTLY would wait for.
test_expect_success 'no deadlock with CREATE INDEX CONCURRENTLY' '
	test_when_finished "gate_open 9" &&
	set_up 1 "DROP TABLE" &&
	migration 002 "CREATE INDEX CONCURRENTLY t1_a ON t1 (a);" "DROP INDEX CONCURRENTLY t1_a;" &&
	git commit -q -a -m concurrently && git -C ../clone pull -q &&
	in_background holder "$PG_BINDIR"/psql "$DATABASE_URL" -c \
		"SET application_name = '\''gate 9'\''; BEGIN; INSERT INTO t1 VALUES (1); SELECT pg_sleep(600)" &&
	wait_sql "SELECT count(*) > 0 FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND relation = '\''t1'\''::regclass" &&
	in_background first git-apply-migration &&
	wait_sql "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE '\''CREATE INDEX CONC%'\'' AND wait_event_type = '\''Lock'\''" &&
	test_expect_code 2 git -C ../clone apply-migration 2>err &&
	test_grep "the database is being changed by another command: process [0-9]*, .git apply-migration" err &&
	git -C ../clone migration-status >out && test_grep "002 .*running: process" out &&
	in_background second git -C ../clone apply-migration --wait &&
	wait_until grep "waiting for" second.err &&
	gate_open 9 &&
	test "$(background_code first)" = 0 &&
	test "$(background_code second)" = 0 &&
	db_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = '\''t1_a'\''::regclass" >actual &&
	echo t >expect && test_cmp expect actual
'

# ---- The file ------------------------------------------------------------------------------------------

test_expect_success 'what stands in the lock file is no lock' '
	set_up 0 "DROP TABLE" &&
	mkdir -p .git/rollback &&
	echo "pid $$ on $(uname -n): apply-migration" >.git/rollback/lock &&
	git apply-migration &&
	test "$(recorded_tables)" = "t1 t2 t3" &&
	test_must_be_empty .git/rollback/lock &&
	echo "pid 1 on elsewhere: rollback-db" >.git/rollback/lock &&
	git rollback-db --last 1 --yes &&
	test "$(recorded_tables)" = "t1 t2"
'

test_done
