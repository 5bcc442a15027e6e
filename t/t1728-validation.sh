#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db: what a change leaves wrong is found, and told'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh

# finds BASE DOWN [EXPECTED...]: BASE is there before; the migration does nothing on its way up, and
# DOWN on its way down. What is found is this, one argument for each, and the run succeeds.
finds () {
	fresh && db_sql "$1" &&
	migration 1_x "SELECT 1;" "$2" &&
	shift 2 &&
	git apply-migration -q &&
	git rollback-db --yes --json --accept-difference 1 >json &&
	jq -r ".validation.findings[] | [.kind, .object, .detail] | join(\"|\")" json >actual &&
	if test $# = 0
	then
		test_must_be_empty actual
	else
		printf "%s\n" "$@" >expect && test_cmp expect actual
	fi
}

tables="CREATE TABLE p (id serial PRIMARY KEY, x text);
	CREATE TABLE c (id serial PRIMARY KEY, p int CONSTRAINT fk REFERENCES p);
	INSERT INTO p (x) VALUES (1), (2), (3); INSERT INTO c (p) VALUES (1), (2), (2);"

test_expect_success 'a change that leaves nothing wrong has no findings' '
	finds "$tables" "DELETE FROM c WHERE id = 1; UPDATE p SET x = 7; INSERT INTO p (x) VALUES (9);" &&
	finds "$tables" "DROP TABLE c; ALTER TABLE p DROP x;"
'

test_expect_success 'a constraint that is not validated, with the rows behind it' '
	finds "$tables ALTER TABLE c DROP CONSTRAINT fk; INSERT INTO c (p) VALUES (77), (78);" \
		"ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p NOT VALID;" \
		"unvalidated constraint|fk on public.c|what was there before it may not fit: FOREIGN KEY (p) REFERENCES p(id) NOT VALID" \
		"orphaned rows|fk on public.c|2 rows refer to no row of public.p" &&
	finds "CREATE DOMAIN d AS int; CREATE SCHEMA \"S s\"; CREATE TABLE \"S s\".t (a int);" \
		"ALTER DOMAIN d ADD CONSTRAINT k CHECK (VALUE > 0) NOT VALID;
		ALTER TABLE \"S s\".t ADD CONSTRAINT \"k k\" CHECK (a > 0) NOT VALID;" \
		"unvalidated constraint|\"k k\" on \"S s\".t|what was there before it may not fit: CHECK ((a > 0)) NOT VALID" \
		"unvalidated constraint|k on domain public.d|what was there before it may not fit: CHECK ((VALUE > 0)) NOT VALID"
'

test_expect_success 'one that was so before, with its rows, is none of this change' '
	finds "$tables ALTER TABLE c DROP CONSTRAINT fk; INSERT INTO c (p) VALUES (77);
		ALTER TABLE c ADD CONSTRAINT fk FOREIGN KEY (p) REFERENCES p NOT VALID;
		CREATE INDEX i ON c (p); UPDATE pg_index SET indisvalid = false WHERE indexrelid = \$\$i\$\$::regclass;
		ALTER TABLE c DISABLE TRIGGER ALL" \
		"UPDATE c SET id = id + 100 WHERE p = 1; ALTER TABLE c ADD new int; DELETE FROM c WHERE p = 2;" \
		"sequence behind|public.c_id_seq|it is at 4, and public.c.id has 101 already"
'

test_expect_success 'rows that lose what they refer to while triggers are off' '
	finds "$tables" "ALTER TABLE p DISABLE TRIGGER ALL; DELETE FROM p WHERE id = 2; ALTER TABLE p ENABLE TRIGGER ALL;" \
		"orphaned rows|fk on public.c|2 rows refer to no row of public.p" &&
	finds "$tables" "SET session_replication_role = replica; DELETE FROM p WHERE id = 1;" \
		"orphaned rows|fk on public.c|1 row refers to no row of public.p" &&
	finds "$tables ALTER TABLE c DISABLE TRIGGER ALL; INSERT INTO c (p) VALUES (77)" \
		"INSERT INTO c (p) VALUES (78), (79);" \
		"orphaned rows|fk on public.c|2 rows refer to no row of public.p"
'

test_expect_success 'keys of several columns, NULL in them, and partitions' '
	finds "CREATE TABLE p (a int, b text, PRIMARY KEY (a, b)) PARTITION BY LIST (a);
		CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); CREATE TABLE p2 PARTITION OF p DEFAULT;
		CREATE TABLE s (a int, b text, CONSTRAINT simple FOREIGN KEY (a, b) REFERENCES p);
		CREATE TABLE f (a int, b text, CONSTRAINT full_ FOREIGN KEY (a, b) REFERENCES p MATCH FULL);
		INSERT INTO p VALUES (1, 1), (2, 2); INSERT INTO s VALUES (1, 1), (2, 2), (1, NULL);
		INSERT INTO f VALUES (1, 1), (NULL, NULL);" \
		"SET session_replication_role = replica; INSERT INTO f VALUES (1, NULL); DELETE FROM p1;
		UPDATE p2 SET b = 3; SET session_replication_role = origin;" \
		"orphaned rows|full_ on public.f|2 rows refer to no row of public.p" \
		"orphaned rows|simple on public.s|2 rows refer to no row of public.p"
'

test_expect_success 'triggers that are left disabled; the constraint behind one by its name' '
	finds "$tables CREATE FUNCTION tf () RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RETURN NULL; END\$\$;
		CREATE TRIGGER t AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION tf ();
		CREATE TRIGGER before AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION tf ();
		ALTER TABLE p DISABLE TRIGGER before" \
		"ALTER TABLE p DISABLE TRIGGER t; ALTER TABLE c DISABLE TRIGGER ALL;" \
		"disabled trigger|fk on public.c|the constraint is not checked when public.c changes" \
		"disabled trigger|t on public.p|it does not run"
'

test_expect_success 'an invalid index' '
	finds "CREATE TABLE t (a int) PARTITION BY LIST (a); CREATE TABLE t1 PARTITION OF t DEFAULT" \
		"CREATE INDEX i ON ONLY t (a);" \
		"invalid index|public.i|no query uses it; it is on public.t"
'

test_expect_success 'sequences behind: moved, or passed by a row, upwards and downwards' '
	finds "$tables" "INSERT INTO p (id) VALUES (50);" \
		"sequence behind|public.p_id_seq|it is at 3, and public.p.id has 50 already" &&
	finds "$tables" "SELECT setval(\$\$p_id_seq\$\$, 2);" \
		"sequence behind|public.p_id_seq|it is at 2, and public.p.id has 3 already" &&
	finds "$tables" "ALTER SEQUENCE c_id_seq RESTART;" \
		"sequence behind|public.c_id_seq|it is at 1, and public.c.id has 3 already" &&
	finds "CREATE SEQUENCE s INCREMENT -1; CREATE TABLE t (a int DEFAULT nextval(\$\$s\$\$));" \
		"INSERT INTO t VALUES (-4);" \
		"sequence behind|public.s|it is at -1, and public.t.a has -4 already" &&
	finds "CREATE SEQUENCE s CYCLE; CREATE TABLE t (a int DEFAULT nextval(\$\$s\$\$));" \
		"INSERT INTO t VALUES (4);" &&
	finds "$tables INSERT INTO p (id) VALUES (50)" "UPDATE p SET x = 1 WHERE id = 2; INSERT INTO c (p) VALUES (1)"
'

test_expect_success 'what cannot be looked at is told' '
	fresh &&
	test_when_finished "db_sql \"DROP OWNED BY val_clerk; DROP ROLE val_clerk\"" &&
	db_sql "CREATE ROLE val_clerk LOGIN; GRANT CREATE, USAGE ON SCHEMA public TO val_clerk;
		CREATE TABLE t (id serial PRIMARY KEY, x int); ALTER TABLE t ENABLE ROW LEVEL SECURITY;
		CREATE POLICY p ON t USING (true) WITH CHECK (true); GRANT ALL ON t, t_id_seq TO val_clerk" &&
	migration 1_x "SELECT 1;" "INSERT INTO t (id) VALUES (9);" &&
	DATABASE_URL="$(db_url | sed "s/user=[a-z]*/user=val_clerk/")" &&
	export DATABASE_URL && test_when_finished pg_use &&
	git apply-migration -q &&
	git rollback-db --yes --no-save --no-snapshot --json 1 >json &&
	jq -r ".validation.findings[] | .kind, .object" json >actual &&
	test_write_lines "not checked" public.t_id_seq >expect &&
	test_cmp expect actual
'

test_expect_success 'objects are counted, before and after' '
	fresh &&
	migration 1_x "CREATE TABLE a (x int PRIMARY KEY, y int); CREATE VIEW v AS SELECT 1;" \
		"DROP VIEW v; DROP TABLE a;" &&
	git apply-migration -q &&
	git rollback-db --yes --json 1 >json &&
	jq -c ".validation | .objects_before.table, .objects_before.view, .objects_before.column, .objects_after.table" json >actual &&
	test_write_lines 1 1 3 null >expect &&
	test_cmp expect actual
'

test_expect_success 'for people findings are warnings, and the run succeeds; also with --quiet' '
	fresh && db_sql "$tables" &&
	migration 1_x "SELECT 1;" "INSERT INTO p (id) VALUES (coalesce((SELECT max(id) FROM p), 0) + 10);" &&
	git apply-migration -q &&
	git rollback-db --yes -q 1 >out 2>err &&
	test_must_be_empty out &&
	echo "warning: sequence behind: public.p_id_seq: it is at 3, and public.p.id has 13 already" >expect &&
	test_cmp expect err
'

test_expect_success 'an undo is looked at as well' '
	git rollback-db --undo --yes --json --merge >json &&
	jq -e ".validation.objects_after and .target == \"undo \" + .undoes and .duration_ms >= 0" json
'

test_expect_success 'it is a part of the proof: without, nothing is looked at' '
	fresh && db_sql "$tables" &&
	migration 1_x "SELECT 1;" "INSERT INTO p (id) VALUES (50);" &&
	git apply-migration -q &&
	git rollback-db --yes --no-proof --json 1 >json 2>err &&
	jq -e ".validation == null" json &&
	test_must_be_empty err
'

test_expect_success 'nothing of it stays: settings, locks, or an aborted transaction' '
	fresh && db_sql "$tables" &&
	migration 1_x "SELECT 1;" "INSERT INTO p (id) VALUES (50);" &&
	migration 2_y "SELECT 1;" "ALTER TABLE p DISABLE TRIGGER ALL; DELETE FROM p WHERE id = 2; ALTER TABLE p ENABLE TRIGGER ALL;" &&
	git apply-migration -q &&
	git rollback-db --yes --all >out 2>err &&
	test "$(db_sql "SELECT count(*) FROM schema_migrations")" = 0 &&
	test_grep "orphaned rows" err && test_grep "sequence behind" err
'

test_expect_success 'outside a transaction the tables that the script names are looked at' '
	finds "$tables" "-- rollback: no-transaction
		INSERT INTO p (id) VALUES (50);
		CREATE INDEX CONCURRENTLY i ON p (x);" \
		"sequence behind|public.p_id_seq|it is at 3, and public.p.id has 50 already"
'

test_done
