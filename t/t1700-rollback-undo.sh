#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db saves what it destroys, and --undo brings it back

TEST_ROWS says how many rows the table has that has every type (default: 2000).'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh

test_expect_success 'a table and its rows' '
	fresh &&
	migration 1_t "CREATE TABLE t (id serial PRIMARY KEY, x text);" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t (x) SELECT repeat(chr(9) || chr(92) || i, 3) FROM generate_series(1, 100) i;
		INSERT INTO t (x) VALUES (NULL), (\$\$\$\$), (chr(10))" &&
	keeps roll_and_undo 1 &&
	grep "^Proven: schema and rows are what they were before the rollback\.$" undone
'

test_expect_success 'what is saved is for nobody else' '
	find .git/rollback -type d ! -perm 0700 >actual &&
	find .git/rollback -type f ! -perm 0600 ! -name lock ! -name log >>actual &&
	test_must_be_empty actual
'

test_expect_success 'an undo can be rolled back again, and that undone' '
	keeps roll_and_undo 1 &&
	keeps roll_and_undo 1
'

test_expect_success 'a row that is written while it is saved is saved, or its write fails' '
	fresh &&
	migration 1_t "CREATE TABLE t (id serial PRIMARY KEY, who int);" "DROP TABLE t;" &&
	git apply-migration -q &&
	: >stop-not &&
	for who in 1 2 3
	do
		(
			n=0
			while test -e stop-not && test $n -lt 2000 &&
				db_sql "INSERT INTO t (who) VALUES ($who)" 2>/dev/null
			do
				n=$((n + 1))
			done
			echo $n >written-$who
		) &
	done &&
	while test "$(db_sql "SELECT count(*) FROM t")" -lt 20; do :; done &&
	git rollback-db --yes 1 >out 2>&1 &&
	rm stop-not &&
	wait &&
	git rollback-db --undo --yes >out 2>&1 &&
	cat written-1 written-2 written-3 >expect &&
	db_sql "SELECT count(*) FROM t GROUP BY who ORDER BY who" >actual &&
	test_cmp expect actual
'

test_expect_success 'columns: their values go back to the rows that are left' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	migration 2_c "ALTER TABLE t ADD a json, ADD b text NOT NULL DEFAULT \$\$new\$\$;" \
		"ALTER TABLE t DROP a, DROP b;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, i, json_build_object(i, i), \$\$b\$\$ || i FROM generate_series(1, 50) i" &&
	git rollback-db --yes 2 >out 2>&1 &&
	db_sql "DELETE FROM t WHERE id > 45; INSERT INTO t VALUES (99, \$\$later\$\$); UPDATE t SET x = \$\$changed\$\$ WHERE id = 1" &&
	git rollback-db --undo --yes >out &&
	grep "put back 45 rows of public.t; 5 saved values have no row any more; 1 newer row stays as it is" out &&
	test_write_lines "1|changed|{\"1\" : 1}|b1" "45|45|{\"45\" : 45}|b45" "99|later||new" >expect &&
	db_sql "SELECT id, x, a, b FROM t WHERE id IN (1, 45, 99) ORDER BY id" >actual &&
	test_cmp expect actual
'

test_expect_success 'a column that the text names, and one that only the run shows' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text, a int, b int);" "DROP TABLE t;" &&
	migration 2_c "SELECT 1;" "ALTER TABLE t DROP a; DO \$\$ BEGIN ALTER TABLE t DROP b; END \$\$;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, i, i, i FROM generate_series(1, 9) i" &&
	git rollback-db --yes --accept-difference 2 >out 2>&1 &&
	db_sql "ALTER TABLE t ADD a int, ADD b int" &&
	git rollback-db --undo --yes --accept-difference >out 2>&1 &&
	test "$(db_sql "SELECT sum(a), sum(b), count(*) FROM t")" = "45|45|9"
'

test_expect_success 'columns of a table without a key: the whole table is saved' '
	fresh &&
	migration 1_t "CREATE TABLE t (x text);" "DROP TABLE t;" &&
	migration 2_c "ALTER TABLE t ADD a int;" "ALTER TABLE t DROP a;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i % 3, i FROM generate_series(1, 20) i" &&
	keeps roll_and_undo 2
'

test_expect_success 'rows that UPDATE and DELETE change' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
	migration 2_d "UPDATE t SET x = upper(x);" "UPDATE t SET x = lower(x); DELETE FROM t WHERE id = 3;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, \$\$aB\$\$), (2, \$\$Cd\$\$), (3, \$\$gone\$\$)" &&
	keeps roll_and_undo 2
'

test_expect_success 'rows that were written since stand in the way' '
	git rollback-db --yes 2 >out 2>&1 &&
	db_sql "INSERT INTO t VALUES (4, \$\$since\$\$)" &&
	everything >before &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	everything >after &&
	test_cmp before after &&
	grep "^error: rows that were written since stand in the way: public.t$" err &&
	git rollback-db --undo -n --json >out &&
	test_json "conflict" ".verdict" out &&
	test_json "public.t" ".conflicts[0]" out
'

test_expect_success '--merge keeps them, and puts back those that are missing' '
	git rollback-db --undo --merge --yes >out &&
	test_write_lines "1|AB" "2|CD" "3|gone" "4|SINCE" >expect &&
	db_sql "SELECT * FROM t ORDER BY id" >actual &&
	test_cmp expect actual
'

test_expect_success 'a table of that name that came since stands in the way' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1)" &&
	git rollback-db --yes 1 >out 2>&1 &&
	db_sql "CREATE TABLE t (other text)" &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	grep "public.t" err
'

test_expect_success 'a DO block, a function, a trigger: whatever destroys rows, they are saved' '
	fresh &&
	db_sql "CREATE TABLE other (id int PRIMARY KEY, x text); INSERT INTO other SELECT i, i FROM generate_series(1, 9) i;
		CREATE TABLE logged (id int PRIMARY KEY); INSERT INTO logged VALUES (1), (2);
		CREATE TABLE cut (id int); INSERT INTO cut VALUES (1);
		CREATE TABLE narrow (id int, gone text); INSERT INTO narrow VALUES (1, 2);
		CREATE FUNCTION clear_logged() RETURNS trigger LANGUAGE plpgsql AS \$f\$ BEGIN DELETE FROM logged WHERE id = 2; RETURN NULL; END \$f\$;
		CREATE TRIGGER clear AFTER DELETE ON other EXECUTE FUNCTION clear_logged()" &&
	migration 1_t "CREATE TABLE t (id int);" "DO \$\$ BEGIN
			EXECUTE \$q\$DROP TABLE t\$q\$; DELETE FROM other WHERE id < 3; EXECUTE \$q\$TRUNCATE cut\$q\$;
			EXECUTE \$q\$ALTER TABLE narrow DROP gone\$q\$;
		END \$\$;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (7)" &&
	db_sql "SELECT * FROM logged ORDER BY 1; SELECT * FROM cut; SELECT * FROM t; SELECT * FROM other ORDER BY 1; SELECT * FROM narrow" >expect &&
	git rollback-db --yes --accept-difference 1 >out 2>&1 &&
	test "$(db_sql "SELECT count(*) FROM logged, cut")" = 0 &&
	db_sql "ALTER TABLE narrow ADD gone text" &&
	git rollback-db --undo --yes --accept-difference >out 2>&1 &&
	db_sql "SELECT * FROM logged ORDER BY 1; SELECT * FROM cut; SELECT * FROM t; SELECT * FROM other ORDER BY 1; SELECT * FROM narrow" >actual &&
	test_cmp expect actual
'

test_expect_success 'foreign keys both ways, of a table and between two, and ON DELETE CASCADE' '
	fresh &&
	db_sql "CREATE TABLE kept (id int PRIMARY KEY); INSERT INTO kept VALUES (1), (2)" &&
	migration 1_t "CREATE TABLE a (id int PRIMARY KEY, k int REFERENCES kept, b int, self int REFERENCES a);
			CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
			ALTER TABLE a ADD CONSTRAINT \"to B\" FOREIGN KEY (b) REFERENCES b DEFERRABLE INITIALLY DEFERRED;
			COMMENT ON CONSTRAINT \"to B\" ON a IS \$\$it is\$\$;" \
		"ALTER TABLE a DROP CONSTRAINT \"to B\"; DROP TABLE b; DROP TABLE a;" &&
	git apply-migration -q &&
	db_sql "BEGIN; INSERT INTO a VALUES (1, 1, 1, NULL), (2, 2, 1, 1), (3, 1, NULL, 3); INSERT INTO b VALUES (1, 1), (2, 3); COMMIT" &&
	keeps roll_and_undo 1
'

test_expect_success 'a row that another one points to is gone since: refused, and nothing changes' '
	git rollback-db --yes 1 >out 2>&1 &&
	db_sql "DELETE FROM kept WHERE id = 2" &&
	everything >before &&
	test_expect_code 1 git rollback-db --undo --yes >out 2>err &&
	everything >after &&
	test_cmp before after &&
	grep "foreign key .* of public.a does not hold" err
'

test_expect_success 'rows that DELETE reaches by ON DELETE CASCADE and SET NULL' '
	fresh &&
	db_sql "CREATE TABLE p (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY, p int REFERENCES p ON DELETE CASCADE);
		CREATE TABLE n (id int PRIMARY KEY, p int REFERENCES p ON DELETE SET NULL);
		INSERT INTO p SELECT generate_series(1, 9); INSERT INTO c SELECT i, i FROM generate_series(1, 9) i;
		INSERT INTO n SELECT i, i FROM generate_series(1, 9) i" &&
	migration 1_d "SELECT 1;" "DELETE FROM p WHERE id > 4;" &&
	git apply-migration -q &&
	keeps roll_and_undo 1 &&
	git rollback-db --yes 1 >out 2>&1 &&
	test "$(db_sql "SELECT count(*), count(p) FROM n")" = "9|4"
'

test_expect_success 'what CASCADE took comes from the saved schema' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text); CREATE TYPE mood AS ENUM (\$\$sad\$\$);" "DROP TABLE t CASCADE; DROP TYPE mood CASCADE;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, 1), (2, 2);
		CREATE VIEW v AS SELECT id, x FROM t; CREATE VIEW \"V on v\" AS SELECT * FROM v;
		COMMENT ON VIEW v IS \$\$a view\$\$; COMMENT ON COLUMN v.x IS \$\$an x\$\$; GRANT SELECT ON v TO PUBLIC; GRANT SELECT (id) ON \"V on v\" TO PUBLIC;
		CREATE MATERIALIZED VIEW m AS SELECT count(*) AS n FROM v; CREATE UNIQUE INDEX m_n ON m (n);
		CREATE TABLE other (id int REFERENCES t, why text); INSERT INTO other VALUES (1, 1);
		CREATE FUNCTION f(t) RETURNS int LANGUAGE sql AS \$\$ SELECT 1 \$\$; COMMENT ON FUNCTION f(t) IS \$\$a function\$\$;
		CREATE FUNCTION g(m mood, n int DEFAULT 1) RETURNS int LANGUAGE sql AS \$\$ SELECT 1 \$\$;
		CREATE POLICY p ON other USING (EXISTS (SELECT FROM t WHERE t.id = other.id));
		CREATE RULE r AS ON DELETE TO other DO ALSO UPDATE t SET x = NULL;
		CREATE FUNCTION trg() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NULL; END \$\$;
		CREATE TRIGGER after_t AFTER INSERT ON t EXECUTE FUNCTION trg(); CREATE INDEX t_x ON t (x); CREATE STATISTICS st ON id, x FROM t" &&
	keeps roll_and_undo --accept-difference 1 &&
	grep "^Proven: the schema is" undone &&
	grep "public.m: a materialized view, filled anew" undone
'

test_expect_success 'a column that goes with its type, with its values' '
	fresh &&
	db_sql "CREATE TABLE other (id int PRIMARY KEY, why text)" &&
	migration 1_t "CREATE TYPE mood AS ENUM (\$\$sad\$\$, \$\$ok\$\$);" "DROP TYPE mood CASCADE;" &&
	git apply-migration -q &&
	db_sql "ALTER TABLE other ADD m mood DEFAULT \$\$ok\$\$; INSERT INTO other (id, m) VALUES (1, \$\$sad\$\$); INSERT INTO other VALUES (2, 2)" &&
	git rollback-db --yes --accept-difference 1 >out 2>&1 &&
	test "$(jq -r ".parts[] | select(.kind == \"rows\") | .saved_columns[0]" .git/rollback/saved/*/manifest.json)" = m &&
	git rollback-db --undo --yes >out 2>&1 &&
	test "$(db_sql "SELECT id, m FROM other ORDER BY id" | tr "\n" " ")" = "1|sad 2|ok "
'

test_expect_success 'partitions, inheritance, unlogged tables' '
	fresh &&
	migration 1_t "CREATE TABLE p (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
			CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (\$\$2024-01-01\$\$) TO (\$\$2025-01-01\$\$);
			CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (\$\$2025-01-01\$\$) TO (\$\$2026-01-01\$\$) PARTITION BY LIST (id);
			CREATE TABLE p2_1 PARTITION OF p2 DEFAULT;
			CREATE TABLE base (id int, x text); CREATE TABLE child (y text) INHERITS (base);
			CREATE UNLOGGED TABLE u (id int);" \
		"DROP TABLE p; DROP TABLE child; DROP TABLE base; DROP TABLE u;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO p SELECT i, date \$\$2024-01-01\$\$ + i FROM generate_series(1, 700) i;
		INSERT INTO base VALUES (1, \$\$b\$\$); INSERT INTO child VALUES (2, \$\$c\$\$, \$\$y\$\$); INSERT INTO u VALUES (1)" &&
	keeps roll_and_undo 1
'

test_expect_success 'generated and identity columns, and where their sequences stood' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, byd int GENERATED BY DEFAULT AS IDENTITY,
			s serial, len int GENERATED ALWAYS AS (length(x)) STORED, x text);
			CREATE TABLE nothing (id int GENERATED ALWAYS AS IDENTITY);" "DROP TABLE t; DROP TABLE nothing;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t (x) SELECT repeat(\$\$x\$\$, i) FROM generate_series(1, 20) i; DELETE FROM t WHERE id > 18" &&
	keeps roll_and_undo 1 &&
	test "$(db_sql "INSERT INTO t (x) VALUES (1) RETURNING id, byd, s")" = "21|21|21"
'

test_expect_success 'the re-applied migration seeds rows of its own' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text); INSERT INTO t VALUES (1, \$\$seed\$\$), (2, \$\$seed\$\$);" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "DELETE FROM t WHERE id = 1; UPDATE t SET x = \$\$other\$\$; INSERT INTO t VALUES (3, \$\$own\$\$)" &&
	keeps roll_and_undo 1
'

test_expect_success 'triggers of the user do not fire, and are as they were' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, at timestamptz, n int DEFAULT 0);
			CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN NEW.at := now(); NEW.n := NEW.n + 1; RETURN NEW; END \$\$;
			CREATE TRIGGER a BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
			CREATE TRIGGER b BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
			CREATE TRIGGER c BEFORE INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION touch();
			ALTER TABLE t DISABLE TRIGGER b; ALTER TABLE t ENABLE ALWAYS TRIGGER c;" \
		"DROP TABLE t; DROP FUNCTION touch();" &&
	migration 2_c "ALTER TABLE t ADD c int;" "ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1, NULL, 5, 6), (2, NULL, 7, 8)" &&
	keeps roll_and_undo --all
'

test_expect_success 'a table whose rows a policy hides: refused, or all of them' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY;
			CREATE POLICY one ON t USING (id = 1);" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, i FROM generate_series(1, 5) i" &&
	keeps roll_and_undo 1 &&
	db_sql "DROP ROLE IF EXISTS undo_owner; CREATE ROLE undo_owner LOGIN; ALTER TABLE t OWNER TO undo_owner;
		GRANT ALL ON schema_migrations, schema_rollback_log TO undo_owner; GRANT ALL ON SCHEMA public TO undo_owner" &&
	url=$(db_url | sed "s/user=[^&]*/user=undo_owner/") &&
	everything >before &&
	DATABASE_URL=$url test_must_fail git rollback-db --yes 1 >out 2>err &&
	everything >after &&
	test_cmp before after &&
	grep "row-level security policy for table \"t\"" err &&
	db_sql "DROP OWNED BY undo_owner; DROP ROLE undo_owner"
'

test_expect_success 'every built-in type, row for row' '
	fresh &&
	migration 1_t "CREATE TYPE mood AS ENUM (\$\$sad\$\$, \$\$it'\''s \"ok\", \$\$); CREATE DOMAIN even AS int CHECK (VALUE % 2 = 0);
			CREATE TYPE pair AS (a int, b text);
			CREATE TABLE t (id bigint PRIMARY KEY, b boolean, si smallint, n numeric, r real, d double precision, m money,
			c char(5), vc varchar(9), x text, nm name, by bytea, dt date, tm time, tz timetz, ts timestamp, tt timestamptz, iv interval,
			u uuid, i inet, ci cidr, ma macaddr, m8 macaddr8, bi bit(5), vb bit varying, tv tsvector, tq tsquery,
			j json, jb jsonb, jp jsonpath, xm xml, p point, l line, ls lseg, bx box, pa path, po polygon, ci2 circle,
			ir int4range, mr int4multirange, tr tstzrange, ia int[], ta text[][], mo mood, ev even, pr pair, pra pair[], o oid, rc regclass, lsn pg_lsn, sn pg_snapshot);" \
		"DROP TABLE t; DROP TYPE pair; DROP DOMAIN even; DROP TYPE mood;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t (id) VALUES (0);
		INSERT INTO t VALUES (1, true, -32768, \$\$NaN\$\$, \$\$-Infinity\$\$, 0.1::float8 + 0.2, 12.34, \$\$a\$\$, \$\$ \$\$, chr(92) || \$\$N\$\$, \$\$n\$\$, decode(\$\$00ff0a5c\$\$, \$\$hex\$\$),
		\$\$infinity\$\$, \$\$24:00\$\$, \$\$12:00+05:30\$\$, \$\$4713-01-01 BC\$\$, \$\$2024-03-31 02:30:00.123456+01\$\$, \$\$-1 year 2 mons -3 days 04:05:06.7\$\$,
		\$\$a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\$\$, \$\$::1/64\$\$, \$\$10.0.0.0/8\$\$, \$\$08:00:2b:01:02:03\$\$, \$\$08:00:2b:01:02:03:04:05\$\$, \$\$10101\$\$, \$\$1\$\$,
		\$\$a:1 b\$\$, \$\$a & !b\$\$, \$\${\"a\" :  1}\$\$, \$\${\"a\": [1, null]}\$\$, \$\$\$.a\$\$, \$\$<a>&lt;</a>\$\$, \$\$(1,2)\$\$, \$\${1,2,3}\$\$, \$\$[(0,0),(1,1)]\$\$,
		\$\$(1,1),(0,0)\$\$, \$\$[(0,0),(1,1)]\$\$, \$\$((0,0),(1,1),(1,0))\$\$, \$\$<(0,0),1>\$\$, \$\$[1,5)\$\$, \$\${[1,2),[4,)}\$\$, \$\$[2024-01-01,)\$\$,
		\$\${1,NULL,3}\$\$, \$\${{a,\"b,c\"},{\"\\\"\",NULL}}\$\$, \$\$sad\$\$, 4, ROW(1, \$\$x,\"y\$\$), ARRAY[ROW(1,NULL)::pair], 1, \$\$pg_class\$\$, \$\$0/1\$\$, \$\$1:2:1\$\$)" &&
	psql_db -v rows="${TEST_ROWS:-2000}" -f - <<-\END &&
	SELECT format($$INSERT INTO t SELECT g.n, %s FROM t, generate_series(2, %s) g(n) WHERE t.id = 1$$,
		string_agg(format($$t.%I$$, attname), $$, $$ ORDER BY attnum), :rows)
	FROM pg_attribute WHERE attrelid = $$t$$::regclass AND attnum > 1 \gexec
	END
	keeps roll_and_undo 1 &&
	keeps roll_and_undo --binary 1 &&
	! grep "\"binary\"" .git/rollback/saved/*/manifest.json
'

test_expect_success 'the binary format' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text, d numeric[]); CREATE TABLE e (id int);" "DROP TABLE t; DROP TABLE e;" &&
	migration 2_c "ALTER TABLE t ADD c timestamptz;" "ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t SELECT i, repeat(chr(9) || i, 9), ARRAY[i, NULL, 0.1], now() FROM generate_series(1, 3000) i" &&
	keeps roll_and_undo --binary 2 &&
	keeps roll_and_undo --binary --all &&
	grep "\"binary\"" .git/rollback/saved/*/manifest.json
'

test_expect_success 'names with quotes, blanks, dots and other scripts' '
	fresh &&
	migration 1_t "CREATE SCHEMA \"a.b\"; CREATE TABLE \"a.b\".\"we\"\"ird  Täble\" (\"Id \" int PRIMARY KEY, \"x\"\"y\" text, \"select\" int);" \
		"DROP SCHEMA \"a.b\" CASCADE;" &&
	migration 2_c "ALTER TABLE \"a.b\".\"we\"\"ird  Täble\" ADD \"n w\" int;" "ALTER TABLE \"a.b\".\"we\"\"ird  Täble\" DROP \"n w\";" &&
	git apply-migration -q &&
	db_sql "INSERT INTO \"a.b\".\"we\"\"ird  Täble\" VALUES (1, 2, 3, 4)" &&
	keeps roll_and_undo 2 &&
	keeps roll_and_undo --all
'

test_expect_success 'another search_path and time zone at the undo make no difference' '
	fresh &&
	migration 1_t "CREATE TABLE t (at timestamptz, f float8);" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (\$\$2024-06-01 12:00+00\$\$, 0.1::float8 * 3)" &&
	everything >before &&
	git rollback-db --yes 1 >out 2>&1 &&
	PGTZ=Asia/Tokyo PGDATESTYLE=German PGOPTIONS="-c extra_float_digits=-5" git rollback-db --undo --yes >out &&
	everything >after &&
	test_cmp before after
'

test_expect_success '--no-save and --no-snapshot' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	git apply-migration -q &&
	git rollback-db --yes --no-save --no-snapshot 1 >out 2>&1 &&
	test_path_is_missing .git/rollback/saved &&
	test_expect_code 2 git rollback-db --undo --yes 2>err &&
	grep "saved nothing that could be put back" err
'

test_expect_success 'what is not saved takes the typed word, though no row goes' '
	git apply-migration -q &&
	for options in "--save --snapshot" --no-save --no-snapshot "--no-save --no-snapshot"
	do
		git rollback-db -n --json $options 1 >out &&
		jq -r .confirm out || return
	done >actual &&
	test_write_lines yes ROLLBACK ROLLBACK ROLLBACK >expect &&
	test_cmp expect actual
'

test_expect_success HIDE 'without a pg_dump that is new enough nothing runs' '
	everything >before &&
	test_expect_code 2 old_pg_dump git rollback-db --yes 1 2>err &&
	grep "^error: cannot save the schema first: there is no pg_dump of version" err &&
	grep "^hint: Use --no-snapshot to go without" err &&
	everything >after &&
	test_cmp before after &&
	test -z "$(ls .git/rollback/saved)" &&
	old_pg_dump git rollback-db --yes --no-snapshot 1 >out 2>&1 &&
	git apply-migration -q
'

test_expect_success 'schemas that the role may not use are left out of what is saved' '
	test_when_finished "db_sql \"DROP OWNED BY undo_plain; DROP ROLE undo_plain\"" &&
	fresh &&
	migration 1_t "CREATE TABLE t (id int PRIMARY KEY);" "DROP TABLE t CASCADE;" &&
	git apply-migration -q &&
	db_sql "CREATE SCHEMA secret; CREATE TABLE secret.s (id int); CREATE TABLE unread (id int); INSERT INTO t VALUES (1), (2);
		CREATE ROLE undo_plain LOGIN; ALTER TABLE t OWNER TO undo_plain; GRANT ALL ON SCHEMA public TO undo_plain;
		GRANT ALL ON schema_migrations, schema_rollback_log TO undo_plain; GRANT TEMPORARY ON DATABASE $db_name TO undo_plain" &&
	db_sql "CREATE VIEW v AS SELECT id FROM t; ALTER VIEW v OWNER TO undo_plain" &&
	everything >before &&
	DATABASE_URL=$(db_url | sed "s/user=[^&]*/user=undo_plain/") && export DATABASE_URL &&
	roll --accept-difference 1 &&
	grep "^warning: 2 schemas and tables that the role may not read are not in the schema that is saved$" rolled &&
	"$PG_BINDIR"/pg_restore -l .git/rollback/saved/*/*.dump >list &&
	grep "TABLE public t " list && grep "VIEW public v " list && ! grep -e secret -e unread list &&
	undo &&
	pg_use &&
	everything >after &&
	test_cmp before after
'

test_expect_success 'no password of a user mapping is kept' '
	fresh &&
	db_sql "CREATE EXTENSION postgres_fdw; CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw OPTIONS (host \$\$h\$\$);
		CREATE USER MAPPING FOR PUBLIC SERVER far OPTIONS (user \$\$me\$\$, password \$\$hunter2\$\$)" &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1)" &&
	git rollback-db --yes 1 >out 2>&1 &&
	grep masked out &&
	for f in .git/rollback/saved/*/*.zst
	do
		zstd -dcq "$f" || return
	done >content &&
	grep "CREATE SERVER far" content &&
	! grep -r hunter2 .git/rollback content &&
	git rollback-db --undo --yes >out 2>&1 &&
	test "$(db_sql "SELECT * FROM t")" = 1
'

test_expect_success 'a damaged file is found out, and nothing changes' '
	db_sql "INSERT INTO t SELECT generate_series(1, 1000)" &&
	git rollback-db --yes 1 >out 2>&1 &&
	for f in .git/rollback/saved/*/*.copy.zst
	do
		printf "\\377" | dd of="$f" bs=1 seek=40 conv=notrunc 2>/dev/null || return
	done &&
	everything >before &&
	test_must_fail git rollback-db --undo --yes 2>err &&
	everything >after &&
	test_cmp before after
'

test_expect_success '--log says what there was' '
	git rollback-db --log --json >out &&
	test_json "1001" "[.operations[] | select(.can_undo)][0].saved.rows" out &&
	git rollback-db --log >out &&
	grep "1001 rows saved" out
'

test_expect_success 'what is older than saved.keep says goes, but no newest one and no snapshot' '
	old_one () {
		id_=$(ls .git/rollback/saved | tail -n 1) &&
		mv ".git/rollback/saved/$id_" ".git/rollback/saved/$1T${id_#*T}" &&
		ls .git/rollback/saved | grep "^$1"
	} &&
	test_when_finished "db_drop ${db_name}_other; git config --unset rollback.saved.keep" &&
	fresh && db_create "${db_name}_other" && git config rollback.saved.keep 0 &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	git snapshot-db before >out 2>&1 && old_one 20200101 >kept &&
	(
		DATABASE_URL=$(db_url "${db_name}_other") && export DATABASE_URL &&
		git apply-migration -q && roll 1 && old_one 20200102 >gone &&
		git apply-migration -q && roll 1 && old_one 20200103 >>kept
	) &&
	git apply-migration -q && roll 1 && old_one 20200104 >>gone && git apply-migration -q &&
	ls .git/rollback/saved >actual &&
	sort kept gone >expect && test_cmp expect actual &&
	git config rollback.saved.keep 1 && roll 1 &&
	git rollback-db --log --json | jq -r ".operations[0].operation" >>kept &&
	ls .git/rollback/saved >actual &&
	test_cmp kept actual
'

test_expect_success 'what is there to undo is told' '
	fresh &&
	migration 1_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	git apply-migration -q &&
	test_expect_code 2 git rollback-db --undo --yes 2>err &&
	grep "there is no rollback of database .default. to undo" err &&
	test_expect_code 2 git rollback-db --undo=nothing --yes 2>err &&
	git rollback-db --yes --last 1 >out 2>&1 &&
	git apply-migration -q &&
	test_expect_code 2 git rollback-db --undo --yes 2>err &&
	grep "applied again since" err
'

test_expect_success 'a default that went by CASCADE is made again' '
	fresh &&
	migration 1_f "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS \$\$SELECT 7\$\$; CREATE TABLE t (id serial);" "DROP TABLE t CASCADE; DROP FUNCTION f() CASCADE;" &&
	git apply-migration -q &&
	db_sql "CREATE TABLE \"U u\" (\"I i\" int DEFAULT f(), n int DEFAULT nextval(\$\$t_id_seq\$\$)); CREATE TABLE c () INHERITS (\"U u\");
		ALTER TABLE c ALTER n SET DEFAULT 5; COMMENT ON COLUMN c.n IS \$\$five\$\$; INSERT INTO c DEFAULT VALUES" &&
	keeps roll_and_undo 1 --accept-difference &&
	grep "^  column public.\"U u\".\"I i\"$" undone && grep "^Proven: " undone
'

test_expect_success 'a table in the place of one that was renamed' '
	for keep in --no-keep --keep
	do
		fresh &&
		migration 1_t "CREATE TABLE t (id int PRIMARY KEY, x text);" "DROP TABLE t;" &&
		migration 2_t "ALTER TABLE t RENAME TO t_old; CREATE TABLE t (id int, y int);" "DROP TABLE t; ALTER TABLE t_old RENAME TO t;" &&
		git apply-migration -q && db_sql "INSERT INTO t VALUES (1, 1); INSERT INTO t_old VALUES (2, \$\$o\$\$)" &&
		keeps roll_and_undo 2 $keep && grep "^Proven: " undone &&
		keeps roll_and_undo --all $keep || return
	done
'

test_expect_success 'one that the rollback left, and nothing moves' '
	fresh &&
	migration 1_t "CREATE TABLE IF NOT EXISTS t (id int);" "DROP TABLE t; CREATE TABLE t (id int, z int);" &&
	git apply-migration -q && db_sql "INSERT INTO t VALUES (1)" &&
	roll 1 --accept-difference && db_sql "INSERT INTO t VALUES (7, 7)" &&
	test_expect_code 1 git rollback-db --undo --yes 2>err &&
	grep "table public.t is what the rollback left, and was not moved" err &&
	test "$(db_sql "TABLE t")" = "7|7"
'

test_done
