#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db outside a transaction: undone in one, and taken back when it fails'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh

# What there is: objects, rows, the ledger, and what is interrupted.
state () {
	"$PG_BINDIR"/pg_dump -s -T schema_rollback_log "$(db_url)" | grep -v "^--\|^.\(un\)\?restrict" &&
	db_sql "SELECT * FROM schema_migrations ORDER BY version" &&
	db_sql "SELECT count(*) FROM schema_rollback_log WHERE state = \$\$running\$\$" &&
	db_sql "SELECT * FROM t ORDER BY id"
}

same_state () {
	state >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
}

# Migration 2 has indexes, a column with values, a view on it; 3 an index made concurrently.
make () {	# down script of 2
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	migration 2_i "CREATE INDEX i ON t (x); COMMENT ON INDEX i IS \$\$of x\$\$; CREATE INDEX j ON t (id, x);
		CREATE VIEW v AS SELECT x FROM t; GRANT SELECT ON v TO PUBLIC;" "$1" &&
	migration 3_k "CREATE INDEX CONCURRENTLY k ON t (id, x);" "DROP INDEX CONCURRENTLY k;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, i FROM generate_series(1, 5) i" &&
	state >"$TEST_ROOT/before"
}

whole="DROP VIEW v; DROP INDEX CONCURRENTLY i; DROP INDEX CONCURRENTLY j;"

test_expect_success 'what ran outside a transaction is undone inside one' '
	make "$whole" &&
	git rollback-db --yes --last 2 >out && test_grep "^Proven" out &&
	git rollback-db --undo -n >out && test_grep "3 k (in the transaction too, without CONCURRENTLY)$" out &&
	git rollback-db --undo -n --json >out &&
	test "$(jq -c "[.steps[] | [.version, .concurrently]]" out)" = "[[\"2\",null],[\"3\",false]]" &&
	git rollback-db --undo --yes >out &&
	test_grep "^Proven: the schema is what it was before the rollback" out && same_state &&
	db_sql "SELECT count(*) FROM schema_rollback_log WHERE version = \$\$3\$\$ AND direction = \$\$up\$\$ AND up_sql LIKE \$\$%CONCURRENTLY%\$\$" >actual &&
	echo 2 >expect && test_cmp expect actual &&
	git rollback-db --yes --last 2 && git rollback-db --undo --yes && same_state
'

test_expect_success 'what no transaction can have is not undone' '
	make "$whole" && migration 4_v "VACUUM t;" "SELECT 1;" && git apply-migration -q && state >"$TEST_ROOT/before" &&
	git rollback-db --yes --last 1 &&
	test_expect_code 2 git rollback-db --undo --yes 2>err &&
	test_grep "the up script of migration .4. cannot run in a transaction, as an undo does: VACUUM" err &&
	test_grep "hint: Use .git apply-migration 4." err
'

test_expect_success 'a script that fails in the middle is taken back' '
	make "DROP VIEW v; DROP INDEX CONCURRENTLY i; SELECT 1/0; DROP INDEX CONCURRENTLY j;" &&
	test_expect_code 128 git rollback-db --yes 2 >out 2>err &&
	test_grep "could not roll back migration .2.: division by zero" err &&
	test_grep "What had been done was taken back: " err &&
	test_grep ! "inconsistent" err && same_state &&
	git migration-status --porcelain >out && test_grep ! "interrupted" out &&
	test_expect_code 128 git rollback-db --yes --json 2 >out 2>err && same_state &&
	jq -r ".operation, .taken_back_by" out >ids && test $(sort -u ids | wc -l) = 2 &&
	jq -r ".steps[] | .done" out >done && test_grep ! true done &&
	git rollback-db --log >out && test_grep "undone" out &&
	test_expect_code 2 git rollback-db --undo --yes
'

test_expect_success 'what was committed before it, its rows too, is taken back as well' '
	make "$whole" &&
	migration 4_c "ALTER TABLE t ADD c text; UPDATE t SET c = x;" "ALTER TABLE t DROP c;" &&
	migration 5_d "SELECT 1;" "-- rollback: no-transaction
DELETE FROM t WHERE id < 3; SELECT 1/0;" &&
	git apply-migration -q && db_sql "UPDATE t SET c = \$\$own\$\$" && state >"$TEST_ROOT/before" &&
	migration 5_d "SELECT 1;" "SELECT 1;" && migration 3_k "CREATE INDEX CONCURRENTLY k ON t (id, x);" "-- rollback: no-transaction
DELETE FROM t WHERE id < 3; DROP INDEX k; SELECT 1/0;" &&
	test_expect_code 128 git rollback-db --yes --last 3 >out 2>err &&
	test_grep "What had been done was taken back: " err && same_state
'

test_expect_success 'a transaction that fails behind one that is committed' '
	make "DROP VIEW v; SELECT 1/0;" &&
	test_expect_code 128 git rollback-db --yes --last 2 >out 2>err &&
	test_grep "What had been done was taken back: " err && same_state
'

test_expect_success 'with --keep as well' '
	make "DROP VIEW v; DROP INDEX CONCURRENTLY i; SELECT 1/0;" &&
	migration 4_u "CREATE TABLE u (id serial PRIMARY KEY, x text);" "DROP TABLE u;" && git apply-migration -q &&
	db_sql "INSERT INTO u (x) SELECT i FROM generate_series(1, 100) i" && state >"$TEST_ROOT/before" &&
	db_sql "SELECT count(*), sum(id) FROM u" >rows &&
	test_expect_code 128 git rollback-db --yes --keep --last 3 >out 2>err &&
	test_grep "What had been done was taken back: " err && same_state &&
	db_sql "SELECT count(*), sum(id) FROM u" >actual && test_cmp rows actual
'

is_waiting () {	# the statement
	test "$(db_sql "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = \$\$Lock\$\$ AND query = \$\$$1\$\$")" = 1
}

test_expect_success 'an index that is left invalid is made anew' '
	make "DROP VIEW v; SET statement_timeout = 500; DROP INDEX CONCURRENTLY i; DROP INDEX CONCURRENTLY j;" &&
	db_sql "COMMENT ON INDEX i IS \$\$mine\$\$" && state >"$TEST_ROOT/before" &&
	mkfifo gate && { psql_db <gate >reader & } && reader=$! && exec 8>gate && rm gate &&
	echo "BEGIN; SELECT x FROM t LIMIT 1;" >&8 && wait_until test -s reader &&
	{ git rollback-db --yes 2 >out 2>err 8>&- & } && roller=$! &&
	wait_until is_waiting "DROP INDEX public.i" && exec 8>&- && wait $reader &&
	test_expect_code 128 wait $roller &&
	test_grep "canceling statement due to statement timeout" err &&
	test_grep "What had been done was taken back: " err && same_state &&
	test "$(db_sql "SELECT indisvalid FROM pg_index WHERE indexrelid = \$\$i\$\$::regclass")" = t
'

# Its script lets another session write in the middle.
written_meanwhile () {	# statements before that, what is written, statements behind
	make "$whole" &&
	write_script "$TEST_ROOT/writer" <<-END &&
	"$PG_BINDIR"/psql -Xq -h "$pg_host" -p "$PG_PORT" -U "$PG_SUPERUSER" -d "$db_name" -c "$2"
	END
	migration 5_d "SELECT 1;" "-- rollback: no-transaction
$1; COPY (SELECT 1) TO PROGRAM \$\$$TEST_ROOT/writer\$\$; $3" &&
	git apply-migration -q && state >"$TEST_ROOT/before"
}

test_expect_success 'rows that others write while such a script runs are not taken back' '
	written_meanwhile "DELETE FROM t WHERE id < 3" "INSERT INTO t VALUES (100)" "SELECT 1/0;" &&
	test_expect_code 128 git rollback-db --yes 5 2>err &&
	test_grep "could not be taken back: rows that were written since stand in the way: public.t" err &&
	test_grep "hint: Use .git rollback-db --undo. .* --merge" err &&
	test "$(db_sql "SELECT count(*) FROM t WHERE id = 100")" = 1 &&
	test_expect_code 1 git rollback-db --undo --yes &&
	git rollback-db --undo --yes --merge && test "$(db_sql "SELECT count(*) FROM t")" = 6 &&
	db_sql "DELETE FROM t WHERE id = 100" && same_state
'

test_expect_success 'nor does an undo replace them' '
	written_meanwhile "TRUNCATE t" "INSERT INTO t VALUES (1)" "" && git rollback-db --yes 5 &&
	test_expect_code 1 git rollback-db --undo --yes && test "$(db_sql "TABLE t")" = "1|" &&
	db_sql "TRUNCATE t" && test_expect_code 1 git rollback-db --undo --yes &&
	written_meanwhile "DELETE FROM t WHERE id < 3" "UPDATE t SET x = NULL WHERE id = 4" "" && git rollback-db --yes 5 &&
	test_expect_code 1 git rollback-db --undo --yes && test "$(db_sql "SELECT x IS NULL FROM t WHERE id = 4")" = t &&
	written_meanwhile "UPDATE t SET x = NULL; DELETE FROM t WHERE id < 3" "INSERT INTO t VALUES (7)" "" && git rollback-db --yes 5 &&
	test_expect_code 1 git rollback-db --undo --yes &&
	written_meanwhile "UPDATE t SET x = NULL; DELETE FROM t WHERE id < 3" "SELECT 1" "" && git rollback-db --yes 5 &&
	git rollback-db --undo --yes && same_state
'

is_sleeping () {
	test "$(db_sql "SELECT count(*) FROM pg_stat_activity WHERE state = \$\$active\$\$ AND query ~ \$\$^ *SELECT pg_sleep\$\$")" = 1
}

test_expect_success 'what a signal ends can be undone' '
	make "DROP VIEW v; DROP INDEX CONCURRENTLY i; DELETE FROM t WHERE id < 3; SELECT pg_sleep(60);" &&
	{ "$BUILD"/bin/git-rollback-db --yes 2 >out 2>err & } && roller=$! &&
	wait_until is_sleeping && kill -TERM $roller && test_expect_code 130 wait $roller &&
	test_grep ! "warning: c" err && test_grep "hint: Use .git rollback-db --undo." err &&
	git rollback-db --undo --yes && same_state
'

test_expect_success 'what cannot be taken back stays, and is said' '
	make "CREATE TABLE made (id int); DROP INDEX CONCURRENTLY i; SELECT 1/0;" &&
	test_expect_code 128 git rollback-db --yes 2 >out 2>err &&
	test_grep "could not be taken back: the schema would not be what it was" err &&
	test_grep "The database may be inconsistent" err && test_grep "What was saved before it began is in" err &&
	test_grep "hint: Use .git rollback-db 2. to go on from there" err &&
	git migration-status --porcelain >out && test_grep "^interrupted	2" out &&
	db_sql "DROP TABLE made" &&
	git rollback-db --undo -n >out && test_grep "2 i (what its down script has taken away before it failed)$" out &&
	git rollback-db --undo --yes && same_state
'

test_expect_success 'without what was saved nothing is taken back' '
	for option in --no-save --no-snapshot --no-proof
	do
		make "DROP INDEX CONCURRENTLY i; SELECT 1/0;" &&
		test_expect_code 128 git rollback-db --yes $option 2 >out 2>err &&
		test_grep "The database may be inconsistent" err && test_grep ! "taken back" err &&
		test_expect_code 2 git rollback-db --undo --yes 2>err || return
	done
'

test_done
