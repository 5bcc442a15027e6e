#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='saving, rollback and undo, killed and without room on the disk: no row is lost

For each point at which the command sends something to the server or changes a file, everything is
set up anew, and the command is broken there: of each scenario at as many points as
TEST_BREAK_POINTS says, or at "all" of them.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-faults.sh

# A table, a column and changed rows, with a view that goes along.
make_repository () {
	db_reset && rm -rf .git migrations && git init -q . &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t CASCADE;" &&
	migration 2_u "CREATE TABLE u (id serial PRIMARY KEY, t int REFERENCES t);" "DROP TABLE u;" &&
	migration 3_c "ALTER TABLE t ADD c int; " "UPDATE t SET x = NULL; ALTER TABLE t DROP c;" &&
	git add . && git commit -q -m migrations && git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, i, i FROM generate_series(1, 200) i;
		INSERT INTO u (t) SELECT i FROM generate_series(1, 100) i; CREATE VIEW v AS SELECT id FROM t" &&
	contents >"$TEST_ROOT/full"
}

contents () {
	{
		db_dump -T schema_rollback_log && psql_db -f - <<-\END
		SELECT * FROM schema_migrations ORDER BY version;
		SELECT to_regclass('t') IS NOT NULL AS t, to_regclass('u') IS NOT NULL AS u \gset
		\if :t
		SELECT * FROM t ORDER BY id;
		\endif
		\if :u
		SELECT * FROM u ORDER BY id;
		SELECT last_value, is_called FROM u_id_seq;
		\endif
		END
	} 2>&1
}

is_full () {
	contents >now && cmp now "$TEST_ROOT/full" >/dev/null
}

is_empty () {
	test "$(db_sql "SELECT count(*) FROM schema_migrations")" = 0 &&
	test "$(db_sql "SELECT coalesce(to_regclass('t'), to_regclass('u'), to_regclass('v')) IS NULL")" = t
}

no_leftovers () {
	test -z "$(find .git/rollback -name '*tmp*' -o -name '*.new')" || { find .git/rollback; return 1; }
}

# Whole or gone; then it can be rolled back, if it is not, and brought back with every row.
check_rollback () {
	wait_alone || return
	if is_full
	then
		git rollback-db --all --yes --accept-difference >again 2>&1 || { cat again; return 1; }
	fi
	is_empty || test_complain "neither whole nor gone" || return
	git rollback-db --undo --yes >again 2>&1 || { cat again; return 1; }
	is_full || { diff "$TEST_ROOT/full" now; return 1; }
	journal_is_settled && no_leftovers
}

check_rollback_error () {
	if is_full
	then
		test "$code" != 0 || test_complain "exit code 0, and nothing is done" || return
	else
		test "$code" = 0 || test_complain "exit code $code, and it is done" || return
	fi
	check_rollback
}

check_undo () {
	wait_alone || return
	if is_empty
	then
		git rollback-db --undo --yes >again 2>&1 || { cat again; return 1; }
	fi
	is_full || { diff "$TEST_ROOT/full" now; return 1; }
	# The next command settles what the killed one left open.
	git rollback-db --all --yes --accept-difference >again 2>&1 && is_empty && journal_is_settled
}

check_undo_error () {
	if is_empty
	then
		test "$code" != 0 || test_complain "exit code 0, and nothing is done" || return
	else
		test "$code" = 0 || test_complain "exit code $code, and it is done" || return
	fi
	check_undo
}

rollback='git-rollback-db --all --yes --accept-difference'
keep="$rollback --keep"
undo='git-rollback-db --undo --yes'
files='/^\(write\|pwrite64\|fsync\|fdatasync\|openat\|rename\|renameat\|mkdir\|mkdirat\|fchmod\) /p'

# shellcheck disable=SC2086 # command lines
test_expect_success STRACE 'rollback, killed anywhere' '
	make_repository &&
	choose_points p $rollback &&
	try_points signal=SIGKILL check_rollback $rollback
'
tell_figures

# shellcheck disable=SC2086
test_expect_success STRACE 'rollback, without room on the disk' '
	make_repository &&
	choose_points "$files" $rollback &&
	try_points error=ENOSPC check_rollback_error $rollback
'
tell_figures

# shellcheck disable=SC2086
test_expect_success STRACE 'undo, killed anywhere' '
	make_repository && $rollback >out 2>&1 &&
	choose_points p $undo &&
	try_points signal=SIGKILL check_undo $undo
'
tell_figures

# shellcheck disable=SC2086
test_expect_success STRACE 'undo, with a disk that fails' '
	make_repository && $rollback >out 2>&1 &&
	choose_points "$files" $undo &&
	try_points error=EIO check_undo_error $undo
'
tell_figures

# One table is kept, and one saved, as a script changes it first.
# shellcheck disable=SC2086
test_expect_success STRACE 'rollback that keeps a table, killed anywhere' '
	make_repository &&
	choose_points p $keep &&
	try_points signal=SIGKILL check_rollback $keep
'
tell_figures

# shellcheck disable=SC2086
test_expect_success STRACE 'undo of what is kept, killed anywhere' '
	make_repository && $keep >out 2>&1 && grep "kept 1 table" out &&
	choose_points p $undo &&
	try_points signal=SIGKILL check_undo $undo
'
tell_figures

# Only the command sees the small disk.
test_lazy_prereq TMPFS '
	mkdir try && unshare -m mount -t tmpfs -o size=512k none try && rmdir try
'

# shellcheck disable=SC2086
test_expect_success TMPFS 'room for each table, but not for all of them: refused, and nothing is destroyed' '
	make_repository &&
	db_sql "INSERT INTO t SELECT i, md5(i::text), i FROM generate_series(1001, 11000) i;
		INSERT INTO u (id) SELECT generate_series(1001, 16000); VACUUM t, u" &&
	contents >"$TEST_ROOT/full" &&
	for table in t u
	do
		test "$(db_sql "SELECT pg_table_size(\$\$$table\$\$) BETWEEN 500 * 1024 AND 900 * 1024")" = t || return
	done &&
	sum=$(db_sql "SELECT pg_table_size(\$\$t\$\$) + pg_table_size(\$\$u\$\$)") &&
	sum=$(awk "BEGIN { printf \"%.1f\", $sum / 1048576 }") &&
	mkdir -p .git/rollback/saved && chmod 700 .git/rollback .git/rollback/saved &&
	write_script "$TEST_ROOT/small" <<-\END &&
	mount -t tmpfs -o size=512k,mode=700 none .git/rollback/saved && exec "$@"
	END
	test_expect_code 2 unshare -m "$TEST_ROOT/small" $rollback >out 2>err &&
	grep "^error: the rows to be saved take $sum MiB in the database, and only .* KiB are free for them$" err &&
	is_full && $rollback >out 2>&1
'

test_done
