#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='apply and rollback, killed, interrupted, and without disk space

For each point at which the command sends something to the server or changes a file, everything is
set up anew, and the command is broken there: of each scenario at as many points as
TEST_BREAK_POINTS says, or at "all" of them.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-tables.sh

# ---- Scenarios -----------------------------------------------------------------------------------

make_repository () {	# first; three migrations of one table each
	db_reset && rm -rf .git migrations && git init -q . &&
	for n in 1 2 3
	do
		migration "00$n" "CREATE TABLE t$n (a int); INSERT INTO t$n VALUES (1);" "DROP TABLE t$n;" ||
			return
	done
	git add . && git commit -q -m migrations
}

# Two of its four statements cannot run in a transaction.
make_outside () {
	db_reset && rm -rf .git migrations && git init -q . &&
	migration 001 "CREATE TABLE t1 (a int, b int); INSERT INTO t1 VALUES (1, 2);" "DROP TABLE t1;" &&
	migration 002 "CREATE TABLE t2 (a int);
		CREATE INDEX CONCURRENTLY t1_a ON t1 (a);
		CREATE INDEX CONCURRENTLY t1_b ON t1 (b);
		CREATE TABLE t3 (a int);" \
		"DROP TABLE t3;
		DROP INDEX CONCURRENTLY t1_b;
		DROP INDEX CONCURRENTLY t1_a;
		DROP TABLE t2;" &&
	git add . && git commit -q -m migrations &&
	git apply-migration --next
}

# ---- What must hold ------------------------------------------------------------------------------

states () {
	git migration-status --porcelain | cut -f 1,2 | tr '\t\n' '= '
}

# Tables and records agree, and the status says the same.
is_consistent () {
	expected_objects='' expected_states=''
	actual_recorded=" $(recorded) " || return
	for n in 1 2 3
	do
		case $actual_recorded in
		*" 00$n "*)
			expected_objects="$expected_objects${expected_objects:+ }t$n"
			expected_states="${expected_states}applied=00$n "
			;;
		*)
			expected_states="${expected_states}pending=00$n "
			;;
		esac
	done
	test "$(objects)" = "$expected_objects" ||
		test_complain "there is '$(objects)', recorded is '$actual_recorded'" || return
	test "$(states 2>status.err)" = "$expected_states" ||
		test_complain "recorded is '$actual_recorded', status says '$(states)'"
}

# An operation that was cut off is named; whoever has ended says nothing.
status_names_what_is_open () {
	git migration-status >status.out 2>status.err || return
	if journal_is_settled 2>/dev/null
	then
		test_grep ! "was not finished" status.err
	else
		test_grep "operation .* of 'git $1', begun .*, was not finished" status.err
	fi
}

# Of all that is recorded, and whole.
scripts_are_kept () {
	recorded | tr ' ' '\n' | sed '/^$/d' >expect &&
	git for-each-ref --format='%(refname)' refs/rollback/applied | cut -d / -f 4 >actual &&
	test_cmp expect actual &&
	git fsck --strict --no-dangling >out.fsck 2>&1 &&
	test_must_be_empty out.fsck &&
	test -z "$(find .git -name '*.lock')"
}

check_apply () {
	wait_alone && is_consistent && status_names_what_is_open apply-migration &&
	git apply-migration >again 2>&1 && is_consistent &&
	test "$(recorded)" = "001 002 003" && scripts_are_kept && journal_is_settled
}

# A call that failed: nothing is changed with the step that it belongs to, and the exit code tells.
check_apply_error () {
	now=$(recorded) || return
	case $code,$now in
	"0,001 002 003" | 128, | 128,001 | "128,001 002") check_apply ;;
	*) test_complain "exit code $code with '$now'" ;;
	esac
}

check_rollback_error () {
	now=$(recorded) || return
	case $code,$now in
	0, | "128,001 002 003") check_rollback ;;
	*) test_complain "exit code $code with '$now'" ;;
	esac
}

check_rollback () {
	wait_alone && is_consistent && status_names_what_is_open rollback-db &&
	{ test -z "$(recorded)" || test "$(recorded)" = "001 002 003"; } &&
	git rollback-db --all --yes >again 2>&1 &&
	is_consistent && test -z "$(recorded)" && journal_is_settled &&
	git fsck --strict --no-dangling && git apply-migration && scripts_are_kept
}

everything='t1 t1_a t1_b t2 t3'

check_outside () {	# the next command, what is there in the end, what is recorded
	wait_alone && status_names_what_is_open "${1%% *}" &&
	now="$(recorded)/$(objects)" && told=$(states 2>/dev/null) &&
	# Anything but a state from before or after is told as interrupted.
	case $told in
	*interrupted=002*) echo "$now" >>"$TEST_ROOT/interrupted" ;;
	"applied=001 pending=002 ") test "$now" = "001/t1" ;;
	"applied=001 applied=002 ") test "$now" = "001 002/$everything" ;;
	*) false ;;
	esac || test_complain "there is '$now', status says '$told'" || return
	case $1,$told in
	apply-migration,*interrupted*)
		test_expect_code 2 git apply-migration 2>err && test_grep "was interrupted: statement" err &&
		git apply-migration --continue >again 2>&1
		;;
	*)
		# shellcheck disable=SC2086 # a command line
		git $1 >again 2>&1
		;;
	esac || { cat again; return 1; }
	test "$(objects)" = "$2" && test "$(recorded)" = "$3" &&
	db_sql "SELECT count(*) FROM pg_index WHERE NOT indisvalid" >invalid && test "$(cat invalid)" = 0 &&
	test "$(states)" = "$4" && journal_is_settled && git fsck --strict --no-dangling
}

# ---- Killed ---------------------------------------------------------------------------------------

test_expect_success STRACE 'apply, killed anywhere' '
	make_repository &&
	choose_points p git-apply-migration &&
	try_points signal=SIGKILL check_apply git-apply-migration
'
tell_figures

test_expect_success STRACE 'rollback, killed anywhere' '
	make_repository && git apply-migration &&
	choose_points p git-rollback-db --all --yes &&
	try_points signal=SIGKILL check_rollback git-rollback-db --all --yes
'
tell_figures

test_expect_success STRACE 'apply outside a transaction, killed anywhere' '
	make_outside &&
	choose_points p git-apply-migration &&
	check () { check_outside apply-migration "$everything" "001 002" "applied=001 applied=002 "; } &&
	rm -f "$TEST_ROOT/interrupted" &&
	try_points signal=SIGKILL check git-apply-migration &&
	test -s "$TEST_ROOT/interrupted"
'
tell_figures

test_expect_success STRACE 'rollback outside a transaction, killed anywhere' '
	make_outside && git apply-migration &&
	choose_points p git-rollback-db 002 --yes &&
	check () {
		if test "$(recorded)" = 001
		then
			check_outside "rollback-db --to 001 --yes" t1 001 "applied=001 pending=002 "
		else
			check_outside "rollback-db 002 --yes" t1 001 "applied=001 pending=002 "
		fi
	} &&
	rm -f "$TEST_ROOT/interrupted" &&
	try_points signal=SIGKILL check git-rollback-db 002 --yes &&
	test -s "$TEST_ROOT/interrupted"
'
tell_figures
# ---- What a disk does ----------------------------------------------------------------------------

files='/^\(write\|pwrite64\|fsync\|fdatasync\|openat\|rename\|mkdir\|fchmod\) /p'

test_expect_success STRACE 'apply, without room on the disk' '
	make_repository &&
	choose_points "$files" git-apply-migration &&
	try_points error=ENOSPC check_apply_error git-apply-migration
'
tell_figures

test_expect_success STRACE 'rollback, with a disk that fails' '
	make_repository && git apply-migration &&
	choose_points "$files" git-rollback-db --all --yes &&
	try_points error=EIO check_rollback_error git-rollback-db --all --yes
'
tell_figures

# In the order of a trace: the record's first name in the journal, a sync behind that, a COMMIT.
# (The proof of a rollback begins with a COMMIT of its own, of a transaction that only reads.)
commits_behind_the_journal () {
	test_strace -qq -f -s 1000000 -e signal=none -e trace=sendto,fsync,rename -o trace "$@" &&
	awk '
	/rename\(.*\/journal\/.*\.json"\)/ { named = 1 }
	/fsync\(/ && named { durable = 1 }
	/sendto\(.*COMMIT\\0/ { commits++; if (!durable) early++ }
	END { exit !commits || early }' trace
}

test_expect_success STRACE 'nothing is committed before the journal has the operation' '
	make_repository &&
	commits_behind_the_journal git-apply-migration -q --next &&
	commits_behind_the_journal git-apply-migration -q --no-proof &&
	commits_behind_the_journal git-rollback-db -q --yes --no-proof --last 2 &&
	commits_behind_the_journal git-rollback-db -q --yes --no-proof --all &&
	make_outside &&
	commits_behind_the_journal git-apply-migration -q &&
	commits_behind_the_journal git-rollback-db -q --yes --no-proof --all
'

test_expect_success STRACE 'the journal cannot be written: nothing is changed' '
	make_repository &&
	break_list git-apply-migration --next 3>"$TEST_ROOT/listed" &&
	git rollback-db --all --yes &&
	db_dump >expect &&
	for call in fchmod fsync
	do
		grep "^$call 1\$" "$TEST_ROOT/listed" &&
		test_expect_code 128 break_run $call 1 error=ENOSPC git-apply-migration 2>err &&
		test_grep "No space left on device" err &&
		test_grep "/rollback/journal/" err &&
		db_dump >actual && test_cmp expect actual || return
	done
'

# ---- Signals -------------------------------------------------------------------------------------

nobody_holds_locks () {
	db_sql "SELECT count(*) = 0 FROM pg_locks l JOIN pg_database d ON d.oid = l.database
		JOIN pg_stat_activity a ON a.pid = l.pid
		WHERE d.datname = '$db_name' AND a.application_name NOT LIKE 'gate %'
		AND l.pid <> pg_backend_pid()" >locks && test "$(cat locks)" = t
}

for signal in INT TERM HUP
do
	test_expect_success "apply ends at SIG$signal in a statement" '
		test_when_finished "gate_open 7" &&
		make_repository &&
		migration 002 "CREATE TABLE t2 (a int); SELECT pg_advisory_xact_lock(7);" "DROP TABLE t2" &&
		gate_close 7 &&
		in_background apply git-apply-migration &&
		gate_reached 7 &&
		kill -$signal $(background_pid apply) &&
		test "$(background_code apply)" = 130 &&
		test_grep "interrupted" apply.err &&
		wait_sql "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '\''git apply%'\''" &&
		nobody_holds_locks &&
		test "$(recorded)" = 001 && is_consistent && journal_is_settled &&
		grep "\"state\": \"interrupted\"" .git/rollback/journal/*.json &&
		gate_open 7 && git apply-migration && is_consistent && scripts_are_kept
	'

	test_expect_success "rollback ends at SIG$signal in a statement" '
		test_when_finished "gate_open 7" &&
		make_repository && git apply-migration &&
		migration 002 "CREATE TABLE t2 (a int); INSERT INTO t2 VALUES (1);" \
			"DROP TABLE t2; SELECT pg_advisory_xact_lock(7);" &&
		gate_close 7 &&
		in_background rollback git-rollback-db --all --yes &&
		gate_reached 7 &&
		kill -$signal $(background_pid rollback) &&
		test "$(background_code rollback)" = 130 &&
		wait_sql "SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() AND application_name LIKE '\''git rollback%'\''" &&
		nobody_holds_locks &&
		test "$(recorded)" = "001 002 003" && is_consistent && journal_is_settled &&
		gate_open 7 && git rollback-db --all --yes && is_consistent && test -z "$(recorded)"
	'
done

test_expect_success 'a signal in a statement outside a transaction' '
	make_outside &&
	in_background holder "$PG_BINDIR"/psql "$DATABASE_URL" -c \
		"SET application_name = '\''gate 8'\''; BEGIN; INSERT INTO t1 VALUES (1, 2); SELECT pg_sleep(600)" &&
	test_when_finished "gate_open 8" &&
	wait_sql "SELECT count(*) > 0 FROM pg_locks WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database())
		AND relation = '\''t1'\''::regclass" &&
	in_background apply git-apply-migration &&
	wait_sql "SELECT count(*) > 0 FROM pg_stat_activity
		WHERE datname = current_database() AND query LIKE '\''CREATE INDEX CONC%'\'' AND wait_event_type = '\''Lock'\''" &&
	kill -TERM $(background_pid apply) &&
	test "$(background_code apply)" = 130 &&
	test_grep "apply-migration --continue" apply.err &&
	gate_open 8 && wait_alone && journal_is_settled &&
	test "$(states)" = "applied=001 interrupted=002 " &&
	git apply-migration --continue && test "$(objects)" = "$everything" &&
	test "$(recorded)" = "001 002"
'

test_expect_success 'everything is killed at once, git too' '
	test_when_finished "gate_open 7" &&
	make_repository &&
	migration 003 "CREATE TABLE t3 (a int); SELECT pg_advisory_xact_lock(7);" "DROP TABLE t3" &&
	gate_close 7 &&
	in_background apply setsid git-apply-migration &&
	gate_reached 7 &&
	kill -KILL -$(background_pid apply) &&
	test "$(background_code apply)" = 137 &&
	gate_open 7 && wait_alone &&
	is_consistent && test "$(recorded)" = "001 002" && status_names_what_is_open apply-migration &&
	git apply-migration && is_consistent && scripts_are_kept && journal_is_settled
'

# The journal's newest record, made one that was cut off, and changed by a filter of jq.
reopened () {
	record=$(printf "%s\n" .git/rollback/journal/*.json | tail -n 1) &&
	jq ".state = \"open\" | $1" <"$record" >changed && cat changed >"$record"
}

test_expect_success 'an operation on another database of the same name is not ours to settle' '
	make_repository && git apply-migration -q --next && reopened ".identity = \"1 1\"" &&
	git apply-migration -q --next 2>err &&
	test_grep "was not finished" err && test_grep ! settled err &&
	test_grep "\"state\": \"open\"" "$record" &&
	rm "$record" && git rollback-db -q --all --yes
'

test_expect_success 'refs that cannot be made any more are no obstacle' '
	make_repository && git apply-migration -q --next &&
	checksum=$(db_sql "SELECT checksum FROM schema_migrations") &&
	reopened ".scripts = [{version: \"001\", checksum: \"$checksum\", tree: \"$(echo gone | sha1sum | cut -c1-40)\"}]" &&
	git apply-migration -q --next 2>err &&
	test_grep "the database.s log has the scripts" err &&
	git apply-migration -q --next 2>err && test_must_be_empty err &&
	git rollback-db -q --all --yes
'

test_done
