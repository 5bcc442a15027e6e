#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db --undo destroys nothing that was written since, and says what it does not know'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh

# Refused, as rows were written since, and TABLE QUERY gives what it gave.
conflicts () {
	db_sql "$2" >"$TEST_ROOT/before" &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	grep "^error: rows that were written since stand in the way: $1$" err &&
	db_sql "$2" >"$TEST_ROOT/after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
}

test_expect_success 'rows of a table that the rollback renamed' '
	fresh &&
	db_sql "CREATE TABLE users (id int PRIMARY KEY, x text); INSERT INTO users VALUES (1, \$\$a\$\$)" &&
	migration 1_r "ALTER TABLE users RENAME TO accounts; UPDATE accounts SET x = upper(x);" \
		"UPDATE accounts SET x = lower(x); ALTER TABLE accounts RENAME TO users;" &&
	git apply-migration -q &&
	roll 1 && undo &&
	test "$(db_sql "SELECT * FROM accounts")" = "1|A" &&
	grep "^Proven: schema and rows are what they were before the rollback\.$" undone &&
	roll 1 &&
	db_sql "INSERT INTO users VALUES (2, \$\$newer\$\$)" &&
	conflicts public.accounts "TABLE users"
'

test_expect_success 'rows of a table that the rollback moved to another schema' '
	fresh &&
	db_sql "CREATE SCHEMA s; CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t VALUES (1), (2)" &&
	migration 1_m "ALTER TABLE t SET SCHEMA s;" "DELETE FROM s.t WHERE id = 1; ALTER TABLE s.t SET SCHEMA public;" &&
	git apply-migration -q &&
	roll 1 &&
	db_sql "INSERT INTO t VALUES (3)" &&
	conflicts s.t "TABLE t"
'

test_expect_success 'values of a column that the rollback converted' '
	fresh &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, c int); INSERT INTO t SELECT i, i FROM generate_series(1, 3) i" &&
	migration 1_c "ALTER TABLE t ALTER c TYPE bigint;" "ALTER TABLE t ALTER c TYPE int;" &&
	git apply-migration -q &&
	roll 1 && undo &&
	grep "^Proven: schema and rows are what they were before the rollback\.$" undone &&
	roll 1 &&
	db_sql "UPDATE t SET c = 999 WHERE id = 1" &&
	conflicts public.t "SELECT * FROM t ORDER BY id"
'

test_expect_success 'a table that is gone since, and columns that are' '
	fresh &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, 1)" &&
	migration 1_c "ALTER TABLE t ADD y text;" "ALTER TABLE t DROP y;" &&
	git apply-migration -q && roll 1 &&
	db_sql "DROP TABLE t" &&
	conflicts public.t "SELECT 1"
'

test_expect_success 'what the scripts destroy is in the plan, and saved' '
	fresh &&
	db_sql "CREATE TABLE legacy (id int); CREATE TABLE u (id int PRIMARY KEY, email text); INSERT INTO u VALUES (1, \$\$x\$\$)" &&
	migration 1_d "DROP TABLE legacy; ALTER TABLE u DROP email;" "CREATE TABLE legacy (id int); ALTER TABLE u ADD email text;" &&
	git apply-migration -q && roll 1 &&
	db_sql "INSERT INTO legacy VALUES (1), (2); UPDATE u SET email = \$\$new\$\$" &&
	test_expect_code 2 git rollback-db --undo </dev/null >out 2>err &&
	grep "public.legacy" err &&
	git rollback-db --undo -n --json >out &&
	test_json "public.legacy public.u.email" "[.destroys[].object] | join(\" \")" out &&
	undo &&
	id=$(git rollback-db --log --json | jq -r ".operations[0].operation") &&
	test_path_is_dir ".git/rollback/saved/$id" &&
	for f in .git/rollback/saved/"$id"/*.zst
	do
		zstd -dcq "$f" || return
	done >content &&
	test_write_lines 1 2 >expect &&
	sed -n "/^[0-9]$/p" content | sort >actual &&
	test_cmp expect actual &&
	grep "new" content &&
	grep "saved what was there before, 3 rows, in " undone
'

test_expect_success 'what an undo only replaces it saves too' '
	fresh &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, \$\$keep\$\$)" &&
	migration 1_u "SELECT 1;" "UPDATE t SET x = \$\$left\$\$;" &&
	git apply-migration -q && roll 1 && undo --json &&
	test_json "1" ".saved.rows" undone &&
	test_json "0" ".not_proven_rows | length" undone &&
	zstd -dcq "$(jq -r .saved.path undone)"/*.copy.zst >content &&
	grep "left" content
'

test_expect_success 'nothing is kept of an undo that replaces no row' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" && roll 1 && undo &&
	test "$(ls .git/rollback/saved | wc -l)" = 1
'

test_expect_success 'rows that the rollback only added are named' '
	fresh &&
	db_sql "CREATE TABLE arch (id int, x text)" &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "INSERT INTO arch SELECT * FROM t; DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$a\$\$)" &&
	roll 1 && undo &&
	! grep "schema and rows" undone &&
	grep "^Proven: the schema is what it was before the rollback\.$" undone &&
	grep "^  public.arch: rows that the rollback added are still there$" undone &&
	test "$(db_sql "SELECT * FROM t")" = "1|a"
'

test_expect_success 'rows that the scripts change again are named' '
	fresh &&
	db_sql "CREATE TABLE users (id int PRIMARY KEY, credit int); INSERT INTO users VALUES (1, 100); CREATE TABLE cfg (k text)" &&
	migration 1_t "CREATE TABLE t (id int); UPDATE users SET credit = credit + 10; INSERT INTO cfg VALUES (1);" "DROP TABLE t;" &&
	git apply-migration -q && roll 1 && undo --json &&
	test_json "public.cfg public.users" "[.not_proven_rows[].object] | sort | join(\" \")" undone &&
	zstd -dcq "$(jq -r .saved.path undone)"/*.copy.zst >content &&
	grep "110" content
'

test_expect_success 'rows that they change and that are then as they were are not' '
	fresh &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, x int); INSERT INTO t SELECT i, i FROM generate_series(1, 9) i" &&
	migration 1_c "ALTER TABLE t ADD c int; UPDATE t SET c = x;" "ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	db_sql "UPDATE t SET c = 77" && roll 1 && undo &&
	test "$(db_sql "SELECT sum(c) FROM t")" = 693 &&
	grep "^Proven: schema and rows" undone
'

test_expect_success 'a materialized view is filled anew, and that is said' '
	fresh &&
	db_sql "CREATE TABLE src (n int); INSERT INTO src VALUES (1)" &&
	migration 1_m "CREATE MATERIALIZED VIEW mv AS SELECT * FROM src;" "DROP MATERIALIZED VIEW mv;" &&
	git apply-migration -q && roll 1 && undo &&
	! grep "schema and rows" undone && grep "public.mv: a materialized view" undone
'

test_expect_success 'a view in the place of a table is none that stands in the way' '
	fresh &&
	migration 1_t "DROP VIEW IF EXISTS t; CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t; CREATE VIEW t AS SELECT 1 AS id;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (5)" &&
	git rollback-db --yes --accept-difference 1 >out 2>&1 && undo &&
	test "$(db_sql "TABLE t")" = 5
'

test_expect_success 'columns and then the table, in two transactions' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	migration 2_i "CREATE INDEX ti ON t (x);" "DROP INDEX CONCURRENTLY ti;" &&
	migration 3_c "ALTER TABLE t ADD c text;" "ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, i, i FROM generate_series(1, 3) i" &&
	roll --all && undo &&
	test "$(db_sql "SELECT string_agg(c, \$\$,\$\$ ORDER BY id) FROM t")" = "1,2,3"
'

test_expect_success 'rows that are changed and then go, in two transactions' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	migration 2_i "CREATE INDEX ti ON t (x);" "DROP INDEX CONCURRENTLY ti;" &&
	migration 3_u "SELECT 1;" "UPDATE t SET x = upper(x);" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$a\$\$)" &&
	roll --all && undo &&
	test "$(db_sql "TABLE t")" = "1|a" &&
	grep "^Proven: schema and rows" undone
'

test_expect_success 'numbers of a sequence that were used since are not given out again' '
	fresh &&
	migration 1_t "CREATE TABLE t (id serial PRIMARY KEY, x text); CREATE SEQUENCE down INCREMENT -1;" "DROP TABLE t; DROP SEQUENCE down;" &&
	migration 2_c "ALTER TABLE t ADD c text;" "SELECT setval(\$\$down\$\$, -2); ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t (x, c) SELECT i, i FROM generate_series(1, 10) i; SELECT setval(\$\$down\$\$, -5)" &&
	roll 2 &&
	db_sql "INSERT INTO t (x) SELECT i FROM generate_series(1, 5) i" &&
	undo &&
	grep "^  public.t_id_seq stays at 15$" undone &&
	test "$(db_sql "INSERT INTO t (x) VALUES (0) RETURNING id")" = 16 &&
	db_sql "SELECT nextval(\$\$t_id_seq\$\$)" &&
	roll --all && undo &&
	! grep "stays at" undone &&
	test "$(db_sql "SELECT nextval(\$\$t_id_seq\$\$)")" = 18
'

test_expect_success '--merge says what it did not restore, and the rest can be undone later' '
	fresh &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, \$\$precious\$\$), (2, \$\$two\$\$)" &&
	migration 1_u "CREATE TABLE made (id int);" "DROP TABLE made; UPDATE t SET x = NULL; DELETE FROM t WHERE id = 2;" &&
	git apply-migration -q && roll 1 &&
	id=$(git rollback-db --log --json | jq -r ".operations[0].operation") &&
	db_sql "INSERT INTO t VALUES (3, \$\$n\$\$)" &&
	undo --merge &&
	grep "^put back 1 row of public.t; 1 newer row stays as it is; 1 row was not restored, as it has other values now$" undone &&
	grep "^Proven: the schema is" undone &&
	grep "^  public.t: not all rows are as they were saved$" undone &&
	grep "hint: The rollback is not undone with that" undone &&
	test_write_lines "1|" "2|two" "3|n" >expect &&
	db_sql "SELECT * FROM t ORDER BY id" >actual &&
	test_cmp expect actual &&
	git rollback-db --log >out && grep "2 rows saved, undone in part" out &&
	conflicts public.t "SELECT * FROM t ORDER BY id" &&
	db_sql "DELETE FROM t WHERE id = 1" &&
	git rollback-db --undo="$id" --merge --yes --json >out &&
	test_json "{} 1 []" "[(.left | tostring), (.restores[0].put_back | tostring), (.steps | tostring)] | join(\" \")" out &&
	test_write_lines "1|precious" "2|two" "3|n" >expect &&
	db_sql "SELECT * FROM t ORDER BY id" >actual &&
	test_cmp expect actual &&
	test_expect_code 2 git rollback-db --undo --yes 2>err &&
	git migration-status --json | jq -e ".migrations[] | select(.version == \"1\") | .state == \"applied\"" &&
	roll 1 && undo &&
	test_cmp expect actual
'

test_expect_success 'rows that another unique key keeps out' '
	fresh &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, pos int); INSERT INTO t VALUES (1, 1)" &&
	migration 1_d "SELECT 1;" "DELETE FROM t;" &&
	git apply-migration -q &&
	db_sql "CREATE UNIQUE INDEX tp ON t (pos)" && roll 1 &&
	db_sql "INSERT INTO t VALUES (2, 1)" &&
	test_expect_code 1 git rollback-db --undo --merge --yes >out 2>err &&
	grep "cannot put back the rows of public.t that are missing: duplicate key" err &&
	test "$(db_sql "TABLE t")" = "2|1"
'

test_expect_success 'values of an identity that is always generated, and of a unique column' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); CREATE TABLE r (id int REFERENCES u);" \
		"DROP TABLE t; DROP TABLE r; DROP TABLE u;" &&
	migration 2_c "ALTER TABLE t ADD n int GENERATED ALWAYS AS IDENTITY; ALTER TABLE u ADD n serial UNIQUE;" \
		"ALTER TABLE t DROP n; ALTER TABLE u DROP n;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t OVERRIDING SYSTEM VALUE SELECT i, 10 - i FROM generate_series(1, 5) i;
		INSERT INTO u (id, n) VALUES (1, 2), (2, 1); INSERT INTO r VALUES (1), (2)" &&
	db_sql "SELECT * FROM t ORDER BY id; SELECT * FROM u ORDER BY id; SELECT * FROM r" >expect &&
	roll 2 && undo &&
	db_sql "SELECT * FROM t ORDER BY id; SELECT * FROM u ORDER BY id; SELECT * FROM r" >actual &&
	test_cmp expect actual &&
	grep "^Proven: schema and rows" undone &&
	roll 2 &&
	db_sql "INSERT INTO u VALUES (3)" &&
	undo && grep "put back 2 rows of public.u; 1 newer row stays" undone &&
	test "$(db_sql "SELECT count(n), count(DISTINCT n) FROM u")" = "3|3"
'

test_expect_success 'a column that is NOT NULL without a default, and one with a unique index' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text); CREATE TABLE r (id int REFERENCES t);
			CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RAISE EXCEPTION \$m\$not so\$m\$; END \$\$;
			CREATE TRIGGER no BEFORE TRUNCATE OR DELETE ON t EXECUTE FUNCTION no();" "DROP TABLE r, t; DROP FUNCTION no();" &&
	migration 2_c "ALTER TABLE t ADD n int NOT NULL, ADD u int NOT NULL DEFAULT 0; CREATE UNIQUE INDEX ON t (u);" "ALTER TABLE t DROP n, DROP u;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, i, 10 - i, i FROM generate_series(1, 5) i; INSERT INTO r VALUES (1), (2)" &&
	db_sql "SELECT * FROM t ORDER BY id; TABLE r" >expect &&
	roll 2 && undo &&
	db_sql "SELECT * FROM t ORDER BY id; TABLE r" >actual &&
	test_cmp expect actual &&
	grep "^Proven: schema and rows" undone &&
	test_must_fail db_sql "DELETE FROM t" 2>err && grep "not so" err &&
	roll 2 &&
	db_sql "INSERT INTO t VALUES (9)" &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	grep "cannot put the rows of public.t back: null value in column .n." err &&
	test "$(db_sql "SELECT count(*) FROM t")" = 6
'

test_expect_success 'constraints that are checked at the end of the transaction' '
	fresh &&
	migration 1_t "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a DEFERRABLE INITIALLY DEFERRED);
			INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1);" "DROP TABLE b; DROP TABLE a;" &&
	migration 2_c "ALTER TABLE b ADD p int REFERENCES a DEFERRABLE INITIALLY DEFERRED;" "ALTER TABLE b DROP p;" &&
	git apply-migration -q &&
	db_sql "CREATE FUNCTION au() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NULL; END \$\$;
		CREATE TRIGGER tr AFTER UPDATE ON b FOR EACH ROW EXECUTE FUNCTION au(); UPDATE b SET p = 1" &&
	roll 2 && undo && test "$(db_sql "TABLE b")" = "1|1|1" &&
	git rollback-db --yes --all --accept-difference >out 2>&1 && undo --accept-difference &&
	test "$(db_sql "TABLE b")" = "1|1|1"
'

test_expect_success 'checks that call functions by the search path, or are not valid; rules' '
	fresh &&
	db_sql "CREATE FUNCTION helper(text) RETURNS text LANGUAGE sql AS \$\$SELECT lower(\$1)\$\$;
		CREATE FUNCTION ok(text) RETURNS boolean LANGUAGE plpgsql AS \$\$BEGIN RETURN helper(\$1) = \$1; END\$\$" &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text CHECK (ok(x)), n int); INSERT INTO t VALUES (1, \$\$a\$\$, -5);
			ALTER TABLE t ADD CONSTRAINT pos CHECK (n > 0) NOT VALID; COMMENT ON CONSTRAINT pos ON t IS \$\$it is\$\$;" "DROP TABLE t;" &&
	migration 2_c "ALTER TABLE t ADD c text CHECK (ok(c));" "ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	roll --all && undo && test "$(db_sql "TABLE t")" = "1|a|-5|" &&
	db_sql "ALTER TABLE t DROP CONSTRAINT pos; UPDATE t SET c = \$\$c\$\$; ALTER TABLE t ADD CONSTRAINT pos CHECK (n > 0) NOT VALID;
		COMMENT ON CONSTRAINT pos ON t IS \$\$it is\$\$; CREATE RULE r AS ON UPDATE TO t DO INSTEAD NOTHING" &&
	db_dump >before && roll 2 && undo && db_dump >after &&
	test_cmp before after &&
	test "$(db_sql "TABLE t")" = "1|a|-5|c"
'

test_expect_success TTY 'it is planned again once the locks are held' '
	fresh &&
	db_sql "CREATE TABLE legacy (id int)" &&
	migration 1_d "DROP TABLE legacy;" "CREATE TABLE legacy (id int);" &&
	git apply-migration -q && roll 1 && db_sql "INSERT INTO legacy VALUES (1)" &&
	: >"$TEST_ROOT/terminal" &&
	{
		n=0 &&
		until grep -q "Undo the rollback" "$TEST_ROOT/terminal" || test $n -gt 5000
		do
			n=$((n + 1))
		done &&
		db_sql "INSERT INTO legacy VALUES (2)" && echo ROLLBACK
	} | test_expect_code 2 test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db --undo" >out 2>&1 &&
	grep "what the undo would do is not what it was when it was planned" out &&
	test "$(db_sql "SELECT count(*) FROM legacy")" = 2 &&
	echo ROLLBACK | test_terminal "GIT_TERMINAL_PROMPT=1 git rollback-db --undo" >out 2>&1 &&
	test "$(db_sql "SELECT to_regclass(\$\$legacy\$\$) IS NULL")" = t
'

test_expect_success 'what others wrote between two transactions of the rollback' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	migration 2_i "CREATE INDEX ti ON t (x);" "-- rollback: no-transaction
INSERT INTO t VALUES (2, \$\$between\$\$);
DROP INDEX ti;" &&
	migration 3_u "SELECT 1;" "UPDATE t SET x = upper(x);" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$a\$\$)" &&
	roll --all &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	undo --merge --json &&
	test_json "{}" ".left" undone &&
	test_write_lines "1|a" "2|between" >expect &&
	db_sql "SELECT * FROM t ORDER BY id" >actual &&
	test_cmp expect actual
'

test_expect_success 'what a column took along by CASCADE' '
	fresh &&
	migration 1_t "CREATE SCHEMA \"S x\"; CREATE TABLE t (id int PRIMARY KEY, x int); CREATE TABLE \"S x\".\"T t\" (id int PRIMARY KEY);" \
		"DROP TABLE t; DROP SCHEMA \"S x\" CASCADE;" &&
	migration 2_c "ALTER TABLE t ADD c int; ALTER TABLE \"S x\".\"T t\" ADD \"C c\" int;" "ALTER TABLE t DROP c CASCADE; ALTER TABLE \"S x\".\"T t\" DROP \"C c\" CASCADE;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, 1, 1); ALTER TABLE t ADD CONSTRAINT \"c c\" CHECK (c > x - 5), ADD CONSTRAINT uu UNIQUE (c);
		COMMENT ON CONSTRAINT \"c c\" ON t IS \$\$a check\$\$; CREATE VIEW vv AS SELECT c FROM t; CREATE INDEX ii ON t ((c + 1)) WHERE x > 0;
		CREATE TABLE r (c int REFERENCES t (c)); INSERT INTO r VALUES (1);
		CREATE TRIGGER tt AFTER UPDATE OF c ON t FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger();
		GRANT SELECT (c) ON t TO PUBLIC; COMMENT ON COLUMN t.c IS \$\$a column\$\$; CREATE STATISTICS ss ON c, x FROM t;
		GRANT SELECT (\"C c\") ON \"S x\".\"T t\" TO PUBLIC; COMMENT ON COLUMN \"S x\".\"T t\".\"C c\" IS \$\$two\$\$" &&
	db_dump -T schema_rollback_log >before &&
	git rollback-db --yes --accept-difference 2 >out 2>&1 && undo &&
	db_dump -T schema_rollback_log >after &&
	test_cmp before after &&
	test "$(db_sql "TABLE t")" = "1|1|1" && grep "^Proven: schema and rows" undone
'

test_expect_success 'a value that an enum gets in the same transaction' '
	fresh &&
	db_sql "CREATE TYPE mood AS ENUM (\$\$a\$\$); CREATE TABLE t (id int PRIMARY KEY, m mood)" &&
	migration 1_e "ALTER TYPE mood ADD VALUE \$\$new\$\$;" "ALTER TABLE t ALTER m TYPE text; DROP TYPE mood; CREATE TYPE mood AS ENUM (\$\$a\$\$);
		UPDATE t SET m = \$\$a\$\$; ALTER TABLE t ALTER m TYPE mood USING m::mood;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$a\$\$)" && roll 1 && undo &&
	grep "warning: migration .1. adds a value to an enum" undone &&
	db_sql "INSERT INTO t VALUES (2, \$\$new\$\$)" && roll 1 &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	grep "unsafe use of new value" err && grep "apply the migrations again" err &&
	test "$(db_sql "SELECT count(*), max(m) FROM t")" = "2|a"
'

test_expect_success 'an older rollback of what a newer one took away too' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t;" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" && roll 1 &&
	id=$(git rollback-db --log --json | jq -r ".operations[0].operation") &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (2)" && roll 1 &&
	test_expect_code 2 git rollback-db --undo="$id" --yes 2>err &&
	grep "rolled some of its migrations back once more" err &&
	undo && test "$(db_sql "TABLE t")" = 2
'

test_expect_success 'rows that were not saved are not proven' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE u (id int);" "-- rollback: no-transaction
DO \$\$ BEGIN EXECUTE \$q\$DROP TABLE t\$q\$; END \$\$;
DROP TABLE u;" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" && roll 1 && undo &&
	! grep "schema and rows" undone &&
	grep "^  public.t: its rows were not saved$" undone &&
	grep "^  any table: of what ran outside a transaction" undone &&
	! grep "public.u: its rows" undone &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t;" &&
	git apply-migration -q && roll --no-save 1 && undo --json &&
	test_json "public.t null" "[.not_proven_rows[].object | tostring] | sort | reverse | join(\" \")" undone
'

test_expect_success 'a sequence that the role may not read stays where it is' '
	test_when_finished "db_sql \"DROP OWNED BY undo_writer; DROP ROLE undo_writer\"" &&
	fresh &&
	db_sql "CREATE TABLE t (id serial PRIMARY KEY, x text); INSERT INTO t (x) SELECT i FROM generate_series(1, 9) i" &&
	migration 1_d "SELECT 1;" "DELETE FROM t;" &&
	git apply-migration -q &&
	db_sql "CREATE ROLE undo_writer LOGIN; GRANT SELECT, UPDATE, DELETE ON t TO undo_writer;
		GRANT ALL ON schema_migrations, schema_rollback_log TO undo_writer" &&
	url=$(db_url | sed "s/user=[^&]*/user=undo_writer/") &&
	DATABASE_URL=$url roll 1 &&
	test "$(db_sql "SELECT count(*) FROM t")" = 0 &&
	grep "^warning: the position of sequence public.t_id_seq is not saved: permission denied$" rolled &&
	undo &&
	test "$(db_sql "SELECT count(*), sum(id) FROM t")" = "9|45" &&
	test "$(db_sql "SELECT nextval(\$\$t_id_seq\$\$)")" = 10
'

# How the triggers of all foreign keys are switched.
key_triggers () {
	db_sql "SELECT conrelid::regclass::text, conname, tgrelid::regclass::text, tgfoid::regproc, tgenabled
		FROM pg_trigger JOIN pg_constraint k ON k.oid = tgconstraint WHERE contype = \$\$f\$\$ ORDER BY 1, 2, 3, 4"
}

test_expect_success 'triggers of foreign keys that were switched off stay so' '
	fresh &&
	db_sql "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE other (id int PRIMARY KEY, p int REFERENCES p);
		CREATE TABLE kept (id int PRIMARY KEY, p int REFERENCES p, self int REFERENCES kept);
		CREATE TABLE parts (id int, p int REFERENCES p) PARTITION BY LIST (id);
		CREATE TABLE part PARTITION OF parts DEFAULT; INSERT INTO p VALUES (1), (2)" &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE r (id int REFERENCES t, p int REFERENCES p);" \
		"DELETE FROM kept; DELETE FROM parts; DELETE FROM p WHERE id = 2; DROP TABLE r; DROP TABLE t CASCADE;" &&
	git apply-migration -q &&
	db_sql "ALTER TABLE other ADD t int REFERENCES t; INSERT INTO t VALUES (7); INSERT INTO r VALUES (7, 1);
		INSERT INTO other VALUES (1, 1, 7); INSERT INTO kept VALUES (1, 1, 1); INSERT INTO parts VALUES (1, 1);
		ALTER TABLE other DISABLE TRIGGER ALL; ALTER TABLE kept DISABLE TRIGGER ALL; ALTER TABLE parts DISABLE TRIGGER ALL;
		ALTER TABLE r DISABLE TRIGGER ALL; ALTER TABLE t DISABLE TRIGGER ALL" &&
	db_sql "SELECT format(\$\$ALTER TABLE p ENABLE %s TRIGGER %I\$\$, CASE WHEN conrelid = \$\$kept\$\$::regclass THEN \$\$ALWAYS\$\$ ELSE \$\$REPLICA\$\$ END, tgname)
		FROM pg_trigger JOIN pg_constraint k ON k.oid = tgconstraint WHERE tgrelid = \$\$p\$\$::regclass AND conrelid <> \$\$r\$\$::regclass" >switch &&
	sed "s/\$/;/" switch | psql_db -f - &&
	key_triggers >before &&
	for state in A D O R
	do
		grep "|$state\$" before || return
	done &&
	git rollback-db --yes --accept-difference 1 >out 2>&1 && undo &&
	key_triggers >after &&
	test_cmp before after &&
	test "$(db_sql "SELECT count(*) FROM p, r, other, kept, parts")" = 2
'

test_expect_success 'what was switched since the rollback stays, too, and who may not switch is told' '
	test_when_finished "db_sql \"DROP OWNED BY undo_owner_2; DROP ROLE undo_owner_2\"" &&
	fresh &&
	db_sql "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p); INSERT INTO p VALUES (1); INSERT INTO c VALUES (1, 1)" &&
	migration 1_d "SELECT 1;" "DELETE FROM c;" &&
	git apply-migration -q &&
	db_sql "ALTER TABLE c DISABLE TRIGGER ALL" &&
	roll 1 &&
	db_sql "ALTER TABLE c ENABLE TRIGGER ALL; ALTER TABLE p DISABLE TRIGGER ALL" &&
	key_triggers >before && undo && key_triggers >after &&
	test_cmp before after &&
	db_sql "CREATE ROLE undo_owner_2 LOGIN; ALTER TABLE p OWNER TO undo_owner_2; ALTER TABLE c OWNER TO undo_owner_2;
		GRANT ALL ON schema_migrations, schema_rollback_log TO undo_owner_2; GRANT ALL ON SCHEMA public TO undo_owner_2" &&
	roll 1 &&
	url=$(db_url | sed "s/user=[^&]*/user=undo_owner_2/") &&
	DATABASE_URL=$url undo &&
	test "$(db_sql "SELECT count(*) FROM c")" = 1 &&
	grep "^warning: the triggers of foreign key c_p_fkey of public.c were switched by hand, and are as by default now: only a superuser may switch them$" undone
'

test_done
