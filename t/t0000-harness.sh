#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='the test harness itself'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

# Runs a test script made of the lines on standard input, with the harness, in a build folder of its
# own; TAP goes to `out`, and the exit code to `code`. Arguments go to the script.
run_script () {
	mkdir -p inner &&
	{
		echo "test_description='inner'" &&
		echo '. ./test-lib.sh' &&
		cat &&
		echo test_done
	} >inner/t9999-inner.sh &&
	inner=$PWD/inner &&
	inner_code=0 &&
	{
		(
			cd "$TEST_DIRECTORY" &&
			BUILD=$inner/build sh "$inner/t9999-inner.sh" "$@"
		) >out 2>err || inner_code=$?
	} &&
	echo "$inner_code" >code
}

test_expect_success 'a test that passes' '
	run_script <<-\END &&
	test_expect_success "it works" "true"
	END
	cat >expect <<-\END &&
	ok 1 - it works
	1..1
	END
	test_cmp expect out &&
	echo 0 >expect &&
	test_cmp expect code &&
	test_path_is_missing inner/build/t/t9999-inner
'

test_expect_success 'a test that fails is reported with its body and output, and its trash kept' '
	run_script <<-\END &&
	test_expect_success "it works" "
		echo some output && false
	"
	test_expect_success "the next" "true"
	END
	cat >expect <<-\END &&
	not ok 1 - it works
	#
	#	echo some output && false
	#
	# | some output
	ok 2 - the next
	1..2
	END
	test_cmp expect out &&
	echo 1 >expect &&
	test_cmp expect code &&
	test_path_is_dir "inner/build/t/t9999-inner/trash directory.t9999"
'

test_expect_success '-i stops at the first failure' '
	run_script -i <<-\END &&
	test_expect_success "one" "false"
	test_expect_success "two" "true"
	END
	test_grep ! "two" out &&
	test_grep "^1\.\.1$" out
'

test_expect_success 'a broken && chain is refused, and does nothing' '
	run_script <<-\END &&
	test_expect_success "broken" "
		true
		touch ../seen
	"
	test_expect_success "alternative" "
		true || false &&
		true
	"
	test_expect_success "in braces" "
		{ false || true; } &&
		true
	"
	test_expect_success "no shell" "
		if true
	"
	END
	grep -v "^#" out >actual &&
	cat >expect <<-\END &&
	not ok 1 - broken
	not ok 2 - alternative
	ok 3 - in braces
	not ok 4 - no shell
	1..4
	END
	test_cmp expect actual &&
	test_path_is_missing inner/build/t/t9999-inner/seen
'

test_expect_success 'known breakage' '
	run_script <<-\END &&
	test_expect_failure "still broken" "false"
	test_expect_failure "mended" "true"
	END
	cat >expect <<-\END &&
	not ok 1 - still broken # TODO known breakage
	ok 2 - mended # TODO known breakage vanished
	1..2
	END
	test_cmp expect out &&
	echo 0 >expect &&
	test_cmp expect code
'

test_expect_success 'prerequisites' '
	run_script <<-\END &&
	test_set_prereq HAVE
	test_expect_success HAVE "has it" "true"
	test_expect_success HAVE,!HAVE_NOT "has one and not the other" "true"
	test_expect_success HAVE,HAVE_NOT "has not" "false"
	test_expect_success !HAVE "must not have" "false"
	test_lazy_prereq LAZY "echo asked >>\"\$TEST_ROOT\"/../asked"
	test_lazy_prereq LAZY_NOT "false"
	test_expect_success LAZY,!LAZY_NOT "has it, when asked" "true"
	test_expect_success LAZY "is asked once" "test_line_count = 1 ../../asked"
	END
	cat >expect <<-\END &&
	ok 1 - has it
	ok 2 - has one and not the other
	ok 3 - has not # SKIP missing HAVE_NOT
	ok 4 - must not have # SKIP missing !HAVE
	ok 5 - has it, when asked
	ok 6 - is asked once
	1..6
	END
	test_cmp expect out
'

test_expect_success 'a whole script is skipped' '
	run_script <<-\END &&
	skip_all="no such thing"
	test_done
	END
	echo "1..0 # SKIP no such thing" >expect &&
	test_cmp expect out
'

test_expect_success 'a script that ends too early does not pass' '
	run_script <<-\END &&
	test_expect_success "one" "true"
	exit 0
	END
	echo 1 >expect &&
	test_cmp expect code &&
	test_grep "^Bail out!" out &&
	run_script <<-\END &&
	test_expect_success "one" "exit 0"
	END
	test_cmp expect code
'

test_expect_success 'test_when_finished: last one first, also after a failure' '
	run_script <<-\END &&
	test_expect_success "one" "
		test_when_finished \"echo first >>../seen\" &&
		test_when_finished \"echo second >>../seen\" &&
		false
	"
	test_expect_success "clean-up that fails" "
		test_when_finished false
	"
	END
	test_grep "^not ok 1" out &&
	test_grep "^not ok 2" out &&
	test_write_lines second first >expect &&
	test_cmp expect inner/build/t/t9999-inner/seen
'

test_expect_success 'test_atexit runs when the script is terminated' '
	run_script <<-\END &&
	test_atexit "cd \"\$TEST_ROOT\" && touch put-away"
	kill -TERM $$
	sleep 5
	END
	echo 1 >expect &&
	test_cmp expect code &&
	test_path_is_file inner/build/t/t9999-inner/put-away
'

test_expect_success 'test_must_fail takes failures' '
	write_script leave <<-\END &&
	exit $1
	END
	for code in 1 2 125 128 129 130
	do
		test_must_fail ./leave $code || return 1
	done
'

test_expect_success 'test_must_fail takes neither success, crash, sanitizer nor a missing command' '
	write_script crash <<-\END &&
	kill -SEGV $$
	END
	for code in 0 99 131 134 139 143
	do
		! test_must_fail ./leave $code || return 1
	done &&
	! test_must_fail ./crash &&
	! test_must_fail ./there-is-no-such-command &&
	! test_must_fail ./leave.txt
'

test_expect_success 'test_must_fail complains to the log, not into the captured error' '
	! test_must_fail true 2>err &&
	test_must_be_empty err
'

test_expect_success 'test_expect_code' '
	test_expect_code 128 ./leave 128 &&
	! test_expect_code 128 ./leave 129
'

test_expect_success 'test_cmp, test_grep, test_line_count and the rest say no' '
	echo one >one &&
	echo two >two &&
	>empty &&
	! test_cmp one two &&
	test_grep one one &&
	test_grep ! one two &&
	test_grep ! --one one &&
	test_grep -i ONE one &&
	! test_grep one two &&
	! test_grep ! one one &&
	! test_grep ! one no-such-file &&
	! test_grep ! "\\(" one &&
	test_must_be_empty empty &&
	! test_must_be_empty one &&
	! test_must_be_empty no-such-file &&
	test_line_count = 1 one &&
	! test_line_count = 2 one &&
	! test_path_is_missing one &&
	! test_path_is_file no-such-file &&
	! test_path_is_dir one
'

test_expect_success 'the trash is a repository of its own, by a path with a space' '
	case $PWD in *" "*) ;; *) false ;; esac &&
	git rev-parse --show-toplevel >actual &&
	echo "$TRASH_DIRECTORY" >expect &&
	test_cmp expect actual &&
	test_must_fail git -C "$TEST_ROOT" rev-parse --show-toplevel
'

test_expect_success 'each test starts in the trash' '
	mkdir -p elsewhere &&
	cd elsewhere
'

test_expect_success '... wherever the one before has gone' '
	test "$PWD" = "$TRASH_DIRECTORY"
'

test_expect_success 'the environment is clean' '
	env | sed -n "/^PG_BINDIR=/d; /^\(GIT_\|PG\|LC_\|XDG_\)/s/=.*//p" | sort >actual &&
	cat >expect <<-\END &&
	GIT_AUTHOR_DATE
	GIT_AUTHOR_EMAIL
	GIT_AUTHOR_NAME
	GIT_CEILING_DIRECTORIES
	GIT_COMMITTER_DATE
	GIT_COMMITTER_EMAIL
	GIT_COMMITTER_NAME
	GIT_CONFIG_NOSYSTEM
	GIT_MERGE_AUTOEDIT
	GIT_TERMINAL_PROMPT
	LC_ALL
	END
	test_cmp expect actual &&
	git config --list --show-scope >config &&
	test_grep ! "^system" config &&
	test_grep ! "user.email" config
'

test_expect_success 'test_commit' '
	git init -q repo &&
	test_commit -C repo one &&
	test_commit -C repo --no-tag two dir/file "some text" &&
	git -C repo log --format="%s %an %ad" --date=iso >actual &&
	test_line_count = 2 actual &&
	test_grep "^one A U Thor 2026-01-01" actual &&
	git -C repo rev-parse --verify refs/tags/one &&
	test_must_fail git -C repo rev-parse --verify refs/tags/two &&
	echo "some text" >expect &&
	test_cmp expect repo/dir/file
'

test_expect_success TTY 'test_terminal gives a terminal, and the exit code' '
	test_terminal "test -t 0 && test -t 1 && echo yes" >actual </dev/null &&
	echo yes >expect &&
	test_cmp expect actual &&
	echo word | test_terminal "read answer && echo \"<\$answer>\"" >actual &&
	test_grep "<word>" actual &&
	test_expect_code 7 test_terminal "exit 7" </dev/null
'

test_expect_success 'PostgreSQL answers, in a database of our own' '
	db_sql "SELECT current_database()" >actual &&
	echo "$db_name" >expect &&
	test_cmp expect actual &&
	"$PG_BINDIR"/psql -XAtc "SELECT current_database()" "$DATABASE_URL" >actual &&
	test_cmp expect actual
'

test_expect_success 'an error of SQL is an error' '
	test_expect_code 3 db_sql "SELECT 1; SELECT nosuch; SELECT 2" >actual 2>err &&
	echo 1 >expect &&
	test_cmp expect actual &&
	test_grep "nosuch" err
'

test_expect_success 'db_dump is the same for the same schema, db_reset empties it' '
	db_dump >empty &&
	db_sql "CREATE TABLE a (); CREATE TABLE schema_migrations ()" &&
	db_dump >full &&
	db_dump >again &&
	test_cmp full again &&
	test_grep "CREATE TABLE public.a" full &&
	test_grep "schema_migrations" full &&
	db_dump --no-tracking >actual &&
	test_grep ! "schema_migrations" actual &&
	db_reset &&
	db_dump >actual &&
	test_cmp empty actual
'

test_expect_success 'migration' '
	migration 001_one "CREATE TABLE a ()" "DROP TABLE a" &&
	migration 002 "SELECT 1" &&
	ls migrations >actual &&
	test_write_lines 001_one.down.sql 001_one.up.sql 002_step.up.sql >expect &&
	test_cmp expect actual &&
	echo "DROP TABLE a" >expect &&
	test_cmp expect migrations/001_one.down.sql
'

test_expect_success 'a private cluster has its settings, is killed, and comes back' '
	test_when_finished "pg_stop one && pg_use" &&
	pg_start_private_cluster one -c max_prepared_transactions=3 \
		-c "application_name=a b" &&
	db_sql "SHOW max_prepared_transactions; SHOW application_name; CREATE TABLE kept ()" >actual &&
	test_grep "^3$" actual &&
	test_grep "psql" actual &&
	kill -9 "$(pg_pid one)" &&
	pg_stop one &&
	test_must_fail db_sql "SELECT 1" &&
	pg_start_private_cluster one &&
	db_sql "SELECT * FROM kept"
'

test_expect_success 'the shared cluster is there again' '
	test_must_fail db_sql "SELECT * FROM kept" &&
	db_sql "SELECT 1"
'

test_expect_success 't/run: a name that no test has is an error, also one of a unit' '
	test_expect_code 129 "$TEST_DIRECTORY"/run t999 2>err && test_grep "no test .t999." err &&
	test_expect_code 129 "$TEST_DIRECTORY"/run "unit/nosuch*" 2>err && test_grep "no test .unit/nosuch" err
'

test_done
