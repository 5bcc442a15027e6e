#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db --script: a rollback script, shown, saved, proven, and undone'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh
. "$TEST_DIRECTORY"/lib-faults.sh

script () {	# the lines of undo.sql
	printf "%s\n" "$@" >undo.sql
}

run_and_undo () {
	git rollback-db --script undo.sql --yes >ran 2>&1 || { cat ran; return 1; }
	git rollback-db --undo --yes >undone 2>&1 || { cat undone; return 1; }
}

tables () {
	db_sql "SELECT coalesce(string_agg(relname, \$\$ \$\$ ORDER BY relname), \$\$\$\$) FROM pg_class
		WHERE relkind = \$\$r\$\$ AND relnamespace = \$\$public\$\$::regnamespace AND relname !~ \$\$^schema_\$\$"
}

# Nothing is run, and it says why.
refused () {	# pattern; options
	pattern_=$1 && shift &&
	everything >before &&
	test_expect_code 2 git rollback-db --script undo.sql --yes "$@" >out 2>err &&
	test_grep "$pattern_" err &&
	everything >after && test_cmp before after
}

test_expect_success 'a script is run, in one transaction, and the log tells of it' '
	fresh &&
	db_sql "CREATE TABLE t (id serial PRIMARY KEY, x text); CREATE TABLE other (); INSERT INTO t (x) VALUES (1), (2)" &&
	script "BEGIN;" "DROP TABLE t;" "DROP TABLE other;" "COMMIT;" &&
	git rollback-db --script undo.sql --yes >out 2>err &&
	test "$(tables)" = "" &&
	test_grep "^ran undo.sql (" out &&
	test_grep "^Not proven: there is no snapshot to compare with (--expect).$" out &&
	test_grep "^Running the rollback script undo.sql (2 statements) in database default, in one transaction.$" err &&
	test_grep "^The records of applied migrations stay as they are.$" err &&
	test_grep "drop table public.t (2 rows" err &&
	echo "rollback-db|undo.sql|script|done|2|$(sha256sum <undo.sql | cut -d " " -f 1)|$(cat undo.sql)" >expect &&
	db_sql "SELECT command, name, direction, state, statements, down_checksum, down_sql FROM schema_rollback_log" >actual &&
	echo >>expect && test_cmp expect actual &&
	test "$(db_sql "SELECT version = \$\$script-\$\$ || substr(down_checksum, 1, 16) FROM schema_rollback_log")" = t &&
	test "$(db_sql "SELECT count(*) FROM schema_migrations")" = 0
'

test_expect_success 'and undone: table, rows, sequence, and all that belongs to them' '
	fresh &&
	db_sql "CREATE TYPE mood AS ENUM (\$\$sad\$\$, \$\$ok\$\$);
		CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS \$f\$ BEGIN RETURN NEW; END \$f\$;
		CREATE TABLE p (id int PRIMARY KEY); INSERT INTO p VALUES (1);
		CREATE TABLE t (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY, m mood DEFAULT \$\$ok\$\$ NOT NULL,
			p int REFERENCES p, twice int GENERATED ALWAYS AS (p * 2) STORED, CHECK (p > 0));
		CREATE INDEX by_m ON t (m) WHERE p IS NOT NULL;
		COMMENT ON TABLE t IS \$\$it\$\$; COMMENT ON COLUMN t.m IS \$\$how\$\$;
		CREATE TRIGGER stamp BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION stamp();
		ALTER TABLE t ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON t USING (p = 1);
		GRANT SELECT ON t TO PUBLIC; GRANT UPDATE (m) ON t TO PUBLIC;
		CREATE TABLE c (id int REFERENCES t); CREATE VIEW v AS SELECT id, m FROM t; CREATE VIEW vv AS SELECT * FROM v;
		CREATE SEQUENCE own; SELECT setval(\$\$own\$\$, 7);
		INSERT INTO t (p, m) SELECT 1, \$\$sad\$\$ FROM generate_series(1, 5); INSERT INTO c VALUES (3)" >out &&
	migration 1_first "CREATE TABLE first ();" "DROP TABLE first;" &&
	git apply-migration -q &&
	script "DROP TABLE t CASCADE;" "DROP TYPE mood;" "DROP FUNCTION stamp();" "DROP SEQUENCE own;" &&
	keeps run_and_undo &&
	test_grep "^Proven: schema and rows are what they were before the rollback\.$" undone &&
	test_grep "^  table public.t$" undone
'

test_expect_success 'the log and --log tell of both, and an undone one is not undone again' '
	echo "script,unscript" >expect &&
	db_sql "SELECT string_agg(direction, \$\$,\$\$ ORDER BY started_at) FROM schema_rollback_log WHERE name = \$\$undo.sql\$\$" >actual &&
	test_cmp expect actual &&
	git rollback-db --log >out &&
	test_grep "script undo.sql .*undone" out &&
	git rollback-db --log --json >out &&
	jq -r ".operations[1] | .script, .can_undo, (.versions | length)" out >actual &&
	test_write_lines undo.sql false 0 >expect && test_cmp expect actual &&
	test_expect_code 2 git rollback-db --undo --yes 2>err
'

test_expect_success 'a column and changed rows come back as well' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text, a int NOT NULL DEFAULT 7); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3);" "DROP TABLE t;" &&
	git apply-migration -q &&
	script "ALTER TABLE t DROP a;" "UPDATE t SET x = 0 WHERE id = 1;" "DO \$\$ BEGIN DELETE FROM t WHERE id = 2; END \$\$;" &&
	keeps run_and_undo
'

test_expect_success 'what it made or altered no undo takes back: the proof says so, and nothing is changed' '
	fresh &&
	db_sql "CREATE TABLE t (id int); CREATE TABLE stays (a int); INSERT INTO t VALUES (1)" &&
	script "DROP TABLE t;" "CREATE TABLE made ();" "ALTER TABLE stays ALTER a SET DEFAULT 3;" &&
	git rollback-db --script undo.sql --yes >out 2>&1 &&
	everything >before &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	test_grep "table public.made still exists" out &&
	test_grep "column public.stays.a: default" out &&
	test_grep "^Everything was undone: nothing has changed.$" out &&
	everything >after && test_cmp before after &&
	db_sql "DROP TABLE made; ALTER TABLE stays ALTER a DROP DEFAULT" &&
	git rollback-db --undo --yes >out 2>err &&
	test "$(db_sql "SELECT * FROM t")" = 1
'

test_expect_success 'it fails in the middle: everything is as before, and nothing stays saved' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" && git apply-migration -q &&
	script "DROP TABLE t;" "DROP TABLE nosuch;" &&
	everything >before &&
	test_expect_code 128 git rollback-db --script undo.sql --yes >out 2>err &&
	test_grep "could not run the rollback script: table .nosuch. does not exist" err &&
	test_grep "undo.sql:2:1" err &&
	test_grep "Nothing was changed" err &&
	everything >after && test_cmp before after &&
	test "$(ls .git/rollback/saved)" = "" &&
	test_expect_code 2 git rollback-db --undo --yes 2>err
'

test_expect_success '-n and --json show it; --rehearse runs it and keeps nothing' '
	script "DROP TABLE t;" &&
	db_sql "INSERT INTO t VALUES (1), (2)" &&
	everything >before &&
	git rollback-db --script undo.sql -n --json >out 2>err &&
	jq -r ".script.path, .script.statements, .script.checksum, (.steps | length), .destroys[0].object, .destroys[0].rows, .confirm, .verdict" out >actual &&
	test_write_lines undo.sql 1 "$(sha256sum <undo.sql | cut -d " " -f 1)" 0 public.t 2 ROLLBACK clean >expect &&
	test_cmp expect actual &&
	git rollback-db --script undo.sql --rehearse --yes >out 2>err &&
	test_grep "^rehearsed undo.sql" out &&
	everything >after && test_cmp before after &&
	test_expect_code 2 git rollback-db --script undo.sql >out 2>err </dev/null &&
	test_grep "not confirmed" err &&
	everything >after && test_cmp before after
'

test_expect_success 'what applied migrations made is warned of, and stays recorded' '
	git rollback-db --script undo.sql --yes >out 2>err &&
	test_grep "warning: it drops what migration .1. made, which stays recorded as applied: table public.t" err &&
	test "$(db_sql "SELECT version FROM schema_migrations")" = 1 &&
	git rollback-db --undo --yes >out 2>&1 &&
	test "$(db_sql "SELECT count(*) FROM t")" = 2
'

test_expect_success 'rows that were written since stand in the way of the undo' '
	script "DELETE FROM t;" &&
	git rollback-db --script undo.sql --yes >out 2>err &&
	db_sql "INSERT INTO t VALUES (9)" &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	test_grep "stand in the way: public.t" err &&
	test "$(db_sql "SELECT * FROM t")" = 9
'

# ---- What is no script --------------------------------------------------------------------------------

test_expect_success 'an empty script' '
	fresh && db_sql "CREATE TABLE t ()" &&
	: >undo.sql && refused "has no statement" &&
	script "-- nothing" && refused "has no statement"
'

test_expect_success 'commands of psql, syntax errors, control of transactions' '
	script "DROP TABLE t;" "\\d" && refused "is a command of psql" &&
	script "DROP TABLE t;" "ROLLBACK;" && refused "ROLLBACK" &&
	script "DROP TABEL t;" &&
	test_expect_code 128 git rollback-db --script undo.sql --yes 2>err &&
	test_grep "syntax error" err && test "$(tables)" = t
'

test_expect_success 'what cannot run in a transaction' '
	script "DROP INDEX CONCURRENTLY i;" && refused "cannot run in one transaction: DROP INDEX CONCURRENTLY" &&
	refused "cannot run in one transaction" --rehearse &&
	script "-- rollback: no-transaction" "DROP TABLE t;" && refused "is marked"
'

test_expect_success 'archives and dumps of pg_dump, compressed files, folders: each by its name' '
	for format in custom tar directory plain
	do
		rm -rf undo.sql &&
		"$PG_BINDIR"/pg_dump -F $format -h "$pg_host" -p "$PG_PORT" -U "$PG_SUPERUSER" -f undo.sql "$db_name" || return
		case $format in
		custom) pattern_="an archive of pg_dump.s (custom format)" ;;
		tar) pattern_="an archive of pg_dump.s (tar format)" ;;
		directory) pattern_="an archive of pg_dump.s (a folder)" ;;
		plain) pattern_="a dump of pg_dump.s" ;;
		esac
		refused ".undo.sql. is $pattern_, not a rollback script" || return
		test_grep "^hint: Dumps and snapshots cannot be restored" err || return
	done &&
	gzip -c undo.sql >zipped && mv zipped undo.sql && refused "is compressed (gzip)" &&
	rm undo.sql && mkdir undo.sql && refused "is a folder" && rmdir undo.sql
'

test_expect_success 'a file that is not there, a FIFO, a file that is no text' '
	test_expect_code 128 git rollback-db --script undo.sql --yes 2>err &&
	test_grep "cannot open .undo.sql.: " err &&
	mkfifo undo.sql && refused "is not a file" && rm undo.sql &&
	printf "DROP TABLE t;\\0" >undo.sql &&
	test_must_fail git rollback-db --script undo.sql --yes 2>err && test "$(tables)" = t
'

test_expect_success 'the label of a snapshot' '
	rm undo.sql && git snapshot-db create -q released &&
	test_expect_code 2 git rollback-db --script released --yes 2>err &&
	test_grep ".released. is a snapshot of git snapshot-db.s, not a rollback script" err
'

# ---- Proof ----------------------------------------------------------------------------------------------

test_expect_success '--expect: what the snapshot has is proven' '
	fresh &&
	db_sql "CREATE TABLE t (a int)" &&
	git snapshot-db create -q good &&
	db_sql "ALTER TABLE t ADD b int; CREATE TABLE more ()" &&
	script "DROP TABLE more;" "ALTER TABLE t DROP b;" &&
	git rollback-db --script undo.sql --expect good --yes >out 2>err &&
	test_grep "^The schema then has to be that of snapshot good.$" err &&
	test_grep "^Proven: the schema is that of the snapshot.$" out &&
	test "$(tables)" = t
'

test_expect_success '--expect: what it has not, or another, is named, and nothing is changed' '
	db_sql "ALTER TABLE t ADD b int; CREATE TABLE more (); INSERT INTO t VALUES (1, 2)" &&
	script "ALTER TABLE t DROP b;" &&
	everything >before &&
	test_expect_code 1 git rollback-db --script undo.sql --expect good --yes >out 2>err &&
	test_grep "^Not proven: the schema is not that of the snapshot:$" out &&
	test_grep "^  table public.more still exists$" out &&
	everything >after && test_cmp before after &&
	git rollback-db --script undo.sql --expect good --accept-difference --yes >out 2>err &&
	db_sql "SELECT * FROM t" >actual && echo 1 >expect && test_cmp expect actual
'

test_expect_success '--expect: no such snapshot; and it goes with --script alone' '
	test_expect_code 128 git rollback-db --script undo.sql --expect goof --yes 2>err &&
	test_grep "there is no snapshot .goof." err && test_grep "Did you mean .good." err &&
	test_expect_code 129 git rollback-db --last 1 --expect good 2>err &&
	test_expect_code 129 git rollback-db --script undo.sql --undo 2>err
'

# ---- Locks, environments, crashes ---------------------------------------------------------------------------

test_expect_success 'a protected database wants its name' '
	fresh && db_sql "CREATE TABLE t ()" && script "DROP TABLE t;" &&
	git config rollback.database.prod.url env:DATABASE_URL && git config rollback.database.prod.protected true &&
	test_when_finished "git config --remove-section rollback.database.prod" &&
	refused "is protected" && test "$(tables)" = t && test_grep ! "forward fix" err &&
	git rollback-db --script undo.sql --yes --confirm=prod >out 2>err && test "$(tables)" = ""
'

test_expect_success 'killed before COMMIT: nothing has changed, and there is nothing to undo' '
	fresh && db_sql "CREATE TABLE t (a int); INSERT INTO t VALUES (1)" &&
	script "SELECT pg_advisory_xact_lock(7);" "DROP TABLE t;" &&
	gate_close 7 && in_background run git-rollback-db --script undo.sql --yes && gate_reached 7 &&
	kill -9 "$(background_pid run)" && test "$(background_code run)" = 137 && gate_open 7 &&
	wait_alone &&
	test "$(db_sql "SELECT * FROM t")" = 1 &&
	test_expect_code 2 git rollback-db --undo --yes 2>err &&
	script "DROP TABLE t;" &&
	git rollback-db --script undo.sql --yes >out 2>err && test_grep "had changed nothing" err &&
	journal_is_settled && test "$(tables)" = ""
'

test_expect_success 'another one at work on the database is waited for' '
	fresh && db_sql "CREATE TABLE t ()" &&
	script "SELECT pg_advisory_xact_lock(7);" && cp undo.sql first.sql && script "DROP TABLE t;" &&
	gate_close 7 && in_background run git-rollback-db --script first.sql --yes && gate_reached 7 &&
	test_expect_code 2 git rollback-db --script undo.sql --yes 2>err && test "$(tables)" = t &&
	gate_open 7 && test "$(background_code run)" = 0 &&
	git rollback-db --script undo.sql --yes >out 2>err && test "$(tables)" = ""
'

test_done
