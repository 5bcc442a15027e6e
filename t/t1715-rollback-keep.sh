#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git rollback-db --keep moves tables out of the way, and --undo moves them back'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh

keep () {
	roll --keep "$@"
}

# Schemas in which tables are kept, one a line.
kept_schemas () {
	db_sql "SELECT nspname FROM pg_namespace WHERE nspname LIKE \$\$rollback\\_kept\\_%\$\$ ORDER BY 1"
}

nothing_is_kept () {
	test -z "$(kept_schemas)" || test_complain "there is still: $(kept_schemas)"
}

# OIDs of the tables named: the very ones.
identities () {
	for name
	do
		db_sql "SELECT \$\$$name\$\$, \$\$$name\$\$::regclass::oid" || return
	done
}

# keeps_tables TABLES COMMAND...: what is there before is there after, and these are the same tables.
# shellcheck disable=SC2086 # a list
keeps_tables () {
	tables_=$1 && shift &&
	identities $tables_ >before.oid && keeps "$@" && identities $tables_ >after.oid &&
	test_cmp before.oid after.oid && nothing_is_kept
}

keep_and_undo () {
	keep "$@" && undo
}

proven='^Proven: schema and rows are what they were before the rollback\.$'

test_expect_success 'a table of 100,000 rows, with all that can be at one' '
	fresh &&
	db_sql "CREATE ROLE keep_reader" &&
	migration 1_p "CREATE TABLE p (id int PRIMARY KEY);" "DROP TABLE p;" &&
	cat >migrations/2_t.up.sql <<-\END &&
	CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NEW.touched := true; RETURN NEW; END$$;
	CREATE TABLE t (
		id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
		n serial,
		p int REFERENCES p ON DELETE CASCADE,
		x text NOT NULL DEFAULT $$none$$ CHECK (x <> $$bad$$),
		l int GENERATED ALWAYS AS (length(x)) STORED,
		touched boolean
	);
	CREATE INDEX t_x ON t (x);
	CREATE STATISTICS t_stat ON p, x FROM t;
	COMMENT ON TABLE t IS $$all of it$$;
	COMMENT ON COLUMN t.x IS $$text$$;
	ALTER TABLE t ENABLE ROW LEVEL SECURITY;
	CREATE POLICY mine ON t FOR SELECT TO keep_reader USING (n > 10);
	CREATE TRIGGER touch BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch();
	CREATE RULE quiet AS ON DELETE TO t WHERE old.n = 1 DO INSTEAD NOTHING;
	GRANT SELECT ON t TO keep_reader;
	GRANT UPDATE (x) ON t TO keep_reader;
	INSERT INTO t (x) VALUES ($$seed$$);
	END
	echo "DROP TABLE t CASCADE; DROP FUNCTION touch();" >migrations/2_t.down.sql &&
	migration 3_c "CREATE TABLE c (t bigint REFERENCES t); CREATE VIEW v AS SELECT id, x FROM t; CREATE VIEW w AS SELECT id FROM v;" \
		"DROP VIEW w, v; DROP TABLE c;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO p SELECT generate_series(1, 10);
		INSERT INTO t (p, x) SELECT i % 10 + 1, i FROM generate_series(1, 100000) i;
		INSERT INTO c SELECT id FROM t WHERE id % 100 = 0;
		CREATE VIEW by_hand AS SELECT count(*) FROM t" &&
	keeps_tables "t c p" keep_and_undo --all --accept-difference &&
	grep "kept 3 tables" rolled &&
	! grep "saved .* rows" rolled &&
	grep "^moved back public.t, the very table that was kept$" undone &&
	grep "$proven" undone
'

test_expect_success 'and again' '
	keeps_tables "t c p" keep_and_undo --all --accept-difference &&
	grep "kept 3 tables" rolled &&
	grep "$proven" undone
'

test_expect_success 'nobody sees what is kept' '
	git migration-status --json >status.before &&
	git snapshot-db before -q &&
	keep 3 &&
	test "$(kept_schemas | wc -l)" = 1 &&
	test "$(db_sql "SELECT count(*) FROM $(kept_schemas).c")" = 1000 &&
	test "$(db_sql "SELECT has_schema_privilege(\$\$keep_reader\$\$, \$\$$(kept_schemas)\$\$, \$\$USAGE\$\$)")" = f &&
	git snapshot-db diff before --live >diff &&
	! grep rollback_kept diff &&
	undo &&
	git snapshot-db diff before --live >diff &&
	test_must_be_empty diff &&
	git migration-status --json >status.after &&
	test_cmp status.before status.after
'

test_expect_success 'the plan says what is kept, and that nothing of it is destroyed' '
	git rollback-db --keep --all -n >plan &&
	grep "^  keep table public.t (100,001 rows, " plan &&
	! grep "drop table" plan &&
	git rollback-db --keep 3 -n --json >plan &&
	test_json "0" ".destroys | length" plan &&
	test_json "yes" ".confirm" plan &&
	test_json "public.c true null 1000" ".keeps[] | [.object, .kept, .why, .rows] | map(tostring) | join(\" \")" plan
'

test_expect_success 'what is kept is too old one day' '
	keep 3 &&
	old=$(git rollback-db --log --json | jq -r ".operations[0].operation") &&
	older=20200101T000000.000000Z-0000 &&
	mv .git/rollback/saved/"$old" .git/rollback/saved/"$older" &&
	in=$(kept_schemas) &&
	git apply-migration -q &&
	git rollback-db -n 3 >plan 2>&1 &&
	grep "^warning: table public.c as operation $older kept it is dropped, too: it is too old (saved.keep)$" plan &&
	git rollback-db -n --rehearse 3 >plan 2>&1 &&
	! grep "too old" plan &&
	git -c rollback.saved.keep=0 rollback-db --yes 3 >out 2>&1 &&
	test "$(kept_schemas)" = "$in" &&
	git apply-migration -q &&
	git rollback-db --yes 3 >out 2>&1 &&
	nothing_is_kept &&
	test_path_is_missing .git/rollback/saved/"$older" &&
	undo
'

test_expect_success 'what is kept in another database stays until that is connected to' '
	keep 3 &&
	old=$(git rollback-db --log --json | jq -r ".operations[0].operation") &&
	older=20200101T000000.000000Z-0000 &&
	mv .git/rollback/saved/"$old" .git/rollback/saved/"$older" &&
	db_create "${db_name}_2" &&
	test_when_finished "db_drop ${db_name}_2" &&
	(
		DATABASE_URL=$(db_url "${db_name}_2") &&
		export DATABASE_URL &&
		git apply-migration -q &&
		git rollback-db --yes 3 >out 2>&1
	) &&
	test_path_is_dir .git/rollback/saved/"$older" &&
	test "$(kept_schemas | wc -l)" = 1
'

test_expect_success 'what a type that goes too is needed for is saved instead' '
	fresh &&
	migration 1_m "CREATE TYPE mood AS ENUM (\$\$sad\$\$, \$\$ok\$\$); CREATE TABLE m (id int PRIMARY KEY, m mood[]); CREATE TABLE o (id int);" \
		"DROP TABLE o; DROP TABLE m; DROP TYPE mood;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO m VALUES (1, \$\${ok}\$\$); INSERT INTO o VALUES (1), (2)" &&
	git rollback-db --keep --last 1 -n >plan &&
	grep "^Not kept, but saved:$" plan &&
	grep "^  public.m: it needs type public.mood, which goes too$" plan &&
	git rollback-db --keep --last 1 -n --json >plan &&
	test_json "public.m" ".destroys | map(.object) | join(\" \")" plan &&
	keeps_tables "o" keep_and_undo 1 &&
	grep "saved 1 row of 1 table; kept 1 table" rolled &&
	grep "$proven" undone
'

test_expect_success 'a later rollback is not let at what an earlier one keeps' '
	fresh &&
	migration 1_m "CREATE TYPE mood AS ENUM (\$\$sad\$\$, \$\$ok\$\$);" "DROP TYPE mood;" &&
	migration 2_m "CREATE TABLE m (id int PRIMARY KEY, m mood);" "DROP TABLE m;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO m VALUES (1, \$\$ok\$\$)" &&
	keep 2 && grep "kept 1 table" rolled &&
	test_expect_code 2 git rollback-db --yes 1 2>err &&
	grep "a table that an earlier rollback keeps: rollback_kept_.*m needs type public.mood$" err &&
	echo "DROP TYPE mood CASCADE;" >migrations/1_m.down.sql &&
	test_expect_code 2 git rollback-db --yes 1 2>err &&
	grep "a table that an earlier rollback keeps: rollback_kept_.*m" err &&
	undo && test "$(db_sql "TABLE m")" = "1|ok" && nothing_is_kept
'

test_expect_success 'two rollbacks in a row, of the same table' '
	fresh &&
	migration 1_t "CREATE TABLE t (id serial PRIMARY KEY, x text);" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t (x) VALUES (\$\$first\$\$)" &&
	keep 1 && git apply-migration -q &&
	db_sql "INSERT INTO t (x) VALUES (\$\$second\$\$)" &&
	keep 1 &&
	test "$(kept_schemas | wc -l)" = 2 &&
	undo && test "$(db_sql "TABLE t")" = "1|second" &&
	test "$(kept_schemas | wc -l)" = 1 &&
	git rollback-db --log --json >log &&
	first=$(jq -r "[.operations[] | select(.undoes == null)][-1].operation" log) &&
	test_expect_code 2 git rollback-db --undo="$first" --yes 2>err &&
	git rollback-db --yes --no-save 1 >out 2>&1 &&
	test_expect_code 2 git rollback-db --undo="$first" --yes 2>err &&
	test "$(kept_schemas | wc -l)" = 1
'

test_expect_success 'tables of one name out of several schemas' '
	fresh &&
	db_sql "CREATE SCHEMA s" &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY); CREATE TABLE s.t (id int PRIMARY KEY, t int REFERENCES public.t);" \
		"DROP TABLE t, s.t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1); INSERT INTO s.t VALUES (2, 1)" &&
	keeps_tables "t s.t" keep_and_undo 1 &&
	grep "kept 2 tables" rolled
'

test_expect_success 'a schema that goes too' '
	fresh &&
	migration 1_s "CREATE SCHEMA s; CREATE TABLE s.t (id serial);" "DROP TABLE s.t; DROP SCHEMA s;" &&
	git apply-migration -q && db_sql "INSERT INTO s.t VALUES (DEFAULT), (DEFAULT)" &&
	keeps_tables "s.t" keep_and_undo 1
'

# Reason TABLE: the plan keeps none, and says why.
not_kept () {
	git rollback-db --keep -n 1 >plan 2>&1 || { cat plan; return 1; }
	grep "^  $2: $1$" plan || { cat plan; return 1; }
}

test_expect_success 'what is not kept is said with its reason' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int) PARTITION BY RANGE (id); CREATE TABLE t1 PARTITION OF t DEFAULT;" "DROP TABLE t;" &&
	git apply-migration -q && not_kept "it is no ordinary table" public.t &&
	fresh &&
	db_sql "CREATE TABLE t (id int) PARTITION BY RANGE (id)" &&
	migration 1_t "CREATE TABLE t1 PARTITION OF t DEFAULT;" "DROP TABLE t1;" &&
	git apply-migration -q && not_kept "it is a partition" public.t1 &&
	fresh && db_sql "CREATE TABLE parent (id int)" &&
	migration 1_t "CREATE TABLE t () INHERITS (parent);" "DROP TABLE t;" &&
	git apply-migration -q && not_kept "it inherits, or is inherited from" public.t &&
	fresh &&
	migration 1_t "CREATE UNLOGGED TABLE t (id int);" "DROP TABLE t;" &&
	git apply-migration -q && not_kept "it is unlogged: a crash of the server would empty it" public.t &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int); CREATE PUBLICATION keep_p FOR TABLE t;" "DROP TABLE t; DROP PUBLICATION keep_p;" &&
	git apply-migration -q && not_kept "publication keep_p has it" public.t &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "DELETE FROM t; DROP TABLE t;" &&
	git apply-migration -q && not_kept "the scripts change it before they drop it" public.t &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "DO \$\$BEGIN DROP TABLE t; END\$\$;" &&
	git apply-migration -q && git rollback-db --keep -n 1 >plan && ! grep "keep table" plan &&
	fresh &&
	migration 1_t "CREATE SCHEMA s; CREATE TABLE s.t (id int);" "DROP SCHEMA s CASCADE;" &&
	git apply-migration -q && not_kept "it does not go by a DROP TABLE that names it" s.t &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int); CREATE UNLOGGED TABLE u (id int);" "DROP TABLE t, u;" &&
	git apply-migration -q && not_kept "its DROP TABLE names others that are not kept" public.t &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "-- rollback: no-transaction
		DROP TABLE t;" &&
	git apply-migration -q && not_kept "a script runs outside a transaction" public.t &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int); CREATE FOREIGN DATA WRAPPER keep_w; CREATE SERVER keep_s FOREIGN DATA WRAPPER keep_w OPTIONS (password \$\$x\$\$);" \
		"DROP TABLE t; DROP SERVER keep_s; DROP FOREIGN DATA WRAPPER keep_w;" &&
	git apply-migration -q && not_kept "the schema cannot be saved in a form for that" public.t
'

test_expect_success 'a role that may make no schema' '
	fresh &&
	db_sql "CREATE ROLE keep_owner LOGIN; GRANT ALL ON SCHEMA public TO keep_owner" &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	(
		DATABASE_URL=$(db_url | sed "s/user=.*/user=keep_owner/") && export DATABASE_URL &&
		git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" &&
		not_kept "the role may make no schema in the database" public.t &&
		keep 1 && undo && test "$(db_sql "TABLE t")" = 1 &&
		db_sql "GRANT CREATE ON DATABASE $db_name TO keep_owner" &&
		keep 1 && grep "^kept 1 table$" rolled && undo && test "$(db_sql "TABLE t")" = 1
	) &&
	db_reset && db_sql "DROP ROLE keep_owner"
'

test_expect_success 'rows that only the run shows to change are saved instead' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text); CREATE TABLE u (id int);" \
		"DO \$\$BEGIN UPDATE t SET x = \$x\$lost\$x\$; END\$\$; DROP TABLE t; DROP TABLE u;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$a\$\$), (2, \$\$b\$\$); INSERT INTO u VALUES (3)" &&
	keeps_tables u keep_and_undo 1 &&
	grep "^warning: table public.t is not kept, but its rows are saved: the scripts change its rows before they drop it$" rolled &&
	grep "saved 2 rows of 1 table; kept 1 table" rolled &&
	grep "$proven" undone
'

test_expect_success 'a table that only the run shows to change is saved instead' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text NOT NULL);" \
		"DO \$\$BEGIN ALTER TABLE t ALTER x DROP NOT NULL; END\$\$; DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$a\$\$), (2, \$\$b\$\$)" &&
	keeps_tables "" keep_and_undo 1 &&
	grep "^warning: table public.t is not kept, but its rows are saved: " rolled &&
	grep "saved 2 rows of 1 table" rolled &&
	grep "$proven" undone
'

test_expect_success 'what only the run shows to need it is dropped all the same' '
	fresh &&
	migration 1_t "CREATE TYPE mood AS ENUM (\$\$ok\$\$); CREATE TABLE t (id int PRIMARY KEY, m mood);" \
		"DROP TABLE t; DO \$\$BEGIN DROP TYPE mood; END\$\$;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$ok\$\$)" &&
	keeps_tables "" keep_and_undo 1 &&
	grep "^warning: table public.t is not kept, but its rows are saved: .*cannot drop type mood because other objects depend on it" rolled &&
	grep "$proven" undone
'

test_expect_success 'a down script that fails keeps nothing' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t; DROP TABLE nosuch;" &&
	migration 2_v "CREATE TABLE v (id int); CREATE VIEW w AS TABLE v;" "DROP TABLE v;" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" &&
	everything >before &&
	test_expect_code 128 git rollback-db --yes --keep 1 >out 2>err &&
	grep "1_t.down.sql:1:.*nosuch" err &&
	test_expect_code 128 git rollback-db --yes --keep 2 >out 2>err &&
	grep "2_v.down.sql:1:.*cannot drop table v because other objects depend on it" err &&
	everything >after && test_cmp before after && nothing_is_kept &&
	test -z "$(ls .git/rollback/saved)"
'

test_expect_success 'a rehearsal keeps nothing' '
	db_sql "DROP VIEW w" && everything >before &&
	git rollback-db --yes --keep --rehearse 2 >out 2>&1 &&
	everything >after && test_cmp before after && nothing_is_kept
'

test_expect_success 'rows of what cannot be put in its place are copied' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, x text, l int GENERATED ALWAYS AS (length(x)) STORED); INSERT INTO t (x) VALUES (\$\$seed\$\$);" "DROP TABLE t;" &&
	migration 2_u "CREATE TABLE u (t t);" "DROP TABLE u;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t (x) SELECT i FROM generate_series(2, 50) i; DELETE FROM t WHERE id = 50; INSERT INTO u SELECT t FROM t" &&
	everything >before &&
	keep --all && grep "saved 49 rows of 1 table; kept 1 table" rolled && undo &&
	everything >after && test_cmp before after && nothing_is_kept &&
	grep "^put back 49 rows of public.t$" undone && grep "$proven" undone
'

test_expect_success 'what is not as it was any more is copied' '
	fresh &&
	migration 1_t "CREATE TABLE t (id serial PRIMARY KEY, x text DEFAULT \$\$d\$\$); COMMENT ON TABLE t IS \$\$c\$\$;" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i FROM generate_series(1, 50) i" &&
	everything >before &&
	keep 1 && db_sql "COMMENT ON TABLE $(kept_schemas).t IS NULL; ALTER TABLE $(kept_schemas).t ALTER x DROP DEFAULT" && undo &&
	everything >after && test_cmp before after && nothing_is_kept &&
	grep "^put back 50 rows of public.t$" undone && grep "$proven" undone
'

test_expect_success 'a column that a kept table has lost does not come back empty' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text, y text);" "DROP TABLE t;" &&
	git apply-migration -q && db_sql "INSERT INTO t SELECT i, i, i FROM generate_series(1, 5) i" &&
	keep 1 && db_sql "ALTER TABLE $(kept_schemas).t DROP x" &&
	test_expect_code 2 git rollback-db --undo --yes 2>err &&
	grep "^error: table public.t, which was kept as rollback_kept_.*\.t, has lost its column x$" err &&
	grep "^hint: Its values are gone" err &&
	db_sql "ALTER TABLE $(kept_schemas).t ADD x text" && undo && nothing_is_kept &&
	test "$(db_sql "SELECT count(y) FROM t")" = 5
'

test_expect_success 'default privileges let nobody at what is kept' '
	fresh &&
	db_sql "CREATE ROLE \"Keep Other\"; ALTER DEFAULT PRIVILEGES GRANT ALL ON SCHEMAS TO \"Keep Other\", PUBLIC" &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY); GRANT ALL ON t TO \"Keep Other\";" "DROP TABLE t;" &&
	git apply-migration -q && keep 1 &&
	test_must_fail db_sql "SET ROLE \"Keep Other\"; INSERT INTO $(kept_schemas).t VALUES (1)" 2>err &&
	grep "permission denied for schema rollback_kept" err &&
	undo && db_reset && db_sql "DROP ROLE \"Keep Other\""
'

test_expect_success 'a constraint trigger does not keep it from being kept' '
	fresh &&
	migration 1_t "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RETURN NEW; END\$\$; CREATE TABLE t (id int);
		CREATE CONSTRAINT TRIGGER c AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f();" "DROP TABLE t; DROP FUNCTION f();" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" &&
	keeps_tables t keep_and_undo 1 && grep "kept 1 table" rolled
'

test_expect_success 'functions, and what nothing can make again, depend on it' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY); CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS \$\$SELECT * FROM t\$\$;
		CREATE FUNCTION \"G g\"(x t, OUT y int, VARIADIC z t[]) LANGUAGE sql AS \$\$SELECT 1\$\$; COMMENT ON FUNCTION f IS \$\$c\$\$;" "DROP TABLE t CASCADE;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1); CREATE VIEW w AS SELECT * FROM f(); CREATE MATERIALIZED VIEW mv AS SELECT * FROM w" &&
	keeps_tables t keep_and_undo 1 --accept-difference && grep "^kept 1 table" rolled &&
	db_sql "CREATE DOMAIN d AS t" &&
	keep 1 --accept-difference && grep "not kept, but its rows are saved: .*type public.d depends on it" rolled &&
	undo --accept-difference && test "$(db_sql "TABLE t")" = 1 && nothing_is_kept
'

test_expect_success 'rows that the table refers to are gone since' '
	fresh && db_sql "CREATE TABLE p (id int PRIMARY KEY)" &&
	migration 1_t "CREATE TABLE t (p int REFERENCES p);" "DROP TABLE t;" &&
	git apply-migration -q && db_sql "INSERT INTO p VALUES (1); INSERT INTO t VALUES (1)" &&
	keep 1 && db_sql "DELETE FROM p" &&
	test_expect_code 1 git rollback-db --undo --yes 2>err &&
	grep "violates foreign key constraint .t_p_fkey." err &&
	db_sql "INSERT INTO p VALUES (1)" && undo && nothing_is_kept
'

test_expect_success 'a comment that a script takes away first is back' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t;" &&
	migration 2_c "COMMENT ON TABLE t IS \$\$later\$\$; CREATE INDEX t_2 ON t (id);" "DROP INDEX t_2; COMMENT ON TABLE t IS NULL;" &&
	git apply-migration -q && db_sql "INSERT INTO t SELECT generate_series(1, 5)" &&
	everything >before && keep --all && undo &&
	everything >after && test_cmp before after && nothing_is_kept && grep "$proven" undone
'

test_expect_success 'newer rows stand in the way, or stay' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1, \$\$old\$\$), (2, \$\$old\$\$)" &&
	keep 1 &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (2, \$\$new\$\$), (3, \$\$new\$\$)" &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	grep "^error: rows that were written since stand in the way: public.t$" err &&
	test "$(kept_schemas | wc -l)" = 1 &&
	echo "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, x text);" >"$TEST_ROOT/up" &&
	db_sql "DROP TABLE t" && undo && nothing_is_kept &&
	test "$(db_sql "SELECT * FROM t ORDER BY id" | tr "\n" " ")" = "1|old 2|old "
'

test_expect_success 'with --merge what is missing comes, and the kept table stays until all is back' '
	fresh &&
	migration 1_t "CREATE TABLE IF NOT EXISTS t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1, \$\$old\$\$), (2, \$\$old\$\$)" &&
	keep 1 &&
	db_sql "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (2, \$\$new\$\$), (3, \$\$new\$\$)" &&
	undo --merge &&
	test "$(db_sql "SELECT * FROM t ORDER BY id" | tr "\n" " ")" = "1|old 2|new 3|new " &&
	test "$(kept_schemas | wc -l)" = 1 &&
	db_sql "DELETE FROM t WHERE id = 2" && undo --merge &&
	test "$(db_sql "SELECT * FROM t ORDER BY id" | tr "\n" " ")" = "1|old 2|old 3|new " &&
	nothing_is_kept
'

test_expect_success 'a kept table that somebody has dropped' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t;" &&
	git apply-migration -q && keep 1 &&
	db_sql "SET client_min_messages = warning; DROP SCHEMA $(kept_schemas) CASCADE" &&
	test_expect_code 2 git rollback-db --undo --yes >out 2>err &&
	grep "table public.t, which was kept as rollback_kept_.*\.t, is gone" err
'

test_expect_success 'a rollback script keeps, and its undo moves back' '
	fresh &&
	db_sql "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE t (id serial PRIMARY KEY, p int REFERENCES p);
		INSERT INTO p VALUES (1); INSERT INTO t (p) VALUES (1), (1); CREATE VIEW v AS TABLE t" &&
	migration 1_x "CREATE TABLE x ();" "DROP TABLE x;" && git apply-migration -q &&
	echo "DROP TABLE t CASCADE;" >drop.sql &&
	keeps_tables "t p" keep_and_undo --script drop.sql &&
	grep "kept 1 table" rolled
'

test_expect_success 'a plan has it' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t;" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" &&
	rm -f plan.json && git rollback-db --keep 1 --plan-out plan.json >out &&
	git rollback-db --plan plan.json >rolled 2>&1 && grep "kept 1 table" rolled && undo &&
	rm -f plan.json && git rollback-db --keep 1 --plan-out plan.json >out &&
	db_sql "CREATE PUBLICATION keep_p FOR ALL TABLES" &&
	test_expect_code 2 git rollback-db --plan plan.json >out 2>&1
'

test_expect_success 'what it does not go with' '
	for with in --no-save --no-snapshot --no-proof --undo --log "--forward-fix 1"
	do
		test_expect_code 129 git rollback-db --keep $with 2>err || return
		grep "^error: --keep cannot be combined with " err || return
	done
'

test_expect_success 'the role of the tests goes' '
	db_reset && db_sql "DROP ROLE keep_reader"
'
test_done
