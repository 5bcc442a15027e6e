#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db: what the plan says would be destroyed, and that it is so

The plan is held against the server: what it says goes is what has gone after the rollback.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh
. "$TEST_DIRECTORY"/lib-faults.sh

# One migration, applied, and rows or whatever put in afterwards.
given () {	# up, down, afterwards
	fresh &&
	migration 001_a "$1" "$2" &&
	git apply-migration -q &&
	db_sql "${3:-}"
}

# The plan's impact, a line each: what is destroyed, dropped, affected, and not known.
impact () {
	git rollback-db -n --json --all "$@" >plan.json || return
	jq -r '
		(.destroys[] | "\(.kind) \(.object): " + (if .exact then "" else "~" end) + "\(.rows), \(.why)"),
		(.drops[] | "drops \(.kind) \(.object)" + (if .why then ", \(.why)" else "" end)),
		(.affects[] | "affects \(.object): \(.why)"),
		(.unknown[] | "unknown: \(.)"),
		"asks for \(.confirm)"' plan.json
}

test_impact () {	# expected on standard input
	cat >expect && impact "$@" >actual && test_cmp expect actual
}

# Every table, with its rows.
rows () {
	db_sql "SELECT format(\$\$SELECT %L, count(*) FROM %s;\$\$, c.oid::regclass, c.oid::regclass)
		FROM pg_class c WHERE relkind = \$\$r\$\$ AND relnamespace::regnamespace::text !~ \$\$^pg_|^information\$\$
		AND relname NOT IN (\$\$schema_migrations\$\$, \$\$schema_rollback_log\$\$)
		ORDER BY 1" | psql_db -f -
}

# --- tables and columns -----------------------------------------------------------------------------

test_expect_success 'a table: its rows, its parts, what goes by CASCADE, whose foreign keys point there' '
	given "
		CREATE TABLE orders (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, note text UNIQUE);
		CREATE TABLE items (id serial PRIMARY KEY, o int REFERENCES orders);
		CREATE TABLE files (o int CONSTRAINT \"order\" REFERENCES orders);
		CREATE INDEX note ON orders (lower(note));
		CREATE POLICY mine ON orders;
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RETURN NULL; END\$\$;
		CREATE TRIGGER g AFTER DELETE ON orders EXECUTE FUNCTION f();
		CREATE VIEW open AS SELECT id FROM orders;
		CREATE VIEW again AS SELECT * FROM open;" \
		"DROP TABLE orders CASCADE;" "INSERT INTO orders (note) SELECT i FROM generate_series(1, 150) i;
			INSERT INTO items (o) VALUES (1)" &&
	test_impact <<-\END &&
	table public.orders: 150, DROP TABLE
	drops constraint orders_note_key on public.orders, part
	drops constraint orders_pkey on public.orders, part
	drops foreign key "order" on public.files, CASCADE
	drops foreign key items_o_fkey on public.items, CASCADE
	drops index public.note, part
	drops policy mine on public.orders, part
	drops sequence public.orders_id_seq, part
	drops trigger g on public.orders, part
	drops view public.again, CASCADE
	drops view public.open, CASCADE
	affects public.files: foreign key "order" on public.files
	affects public.items: foreign key items_o_fkey on public.items
	asks for ROLLBACK
	END
	git rollback-db -n --all >actual &&
	cat >expect <<-\END &&
	Rolling back 1 migration in database default, the newest first, in one transaction:
	  001 a
	    down script: migrations/001_a.down.sql (the worktree)
	This will:
	  drop table public.orders (150 rows, 64 KiB)
	  drop with that: 2 constraints, 1 index, 1 policy, 1 sequence, 1 trigger
	  drop by CASCADE: foreign key "order" on public.files, foreign key items_o_fkey on public.items, view public.again, view public.open
	  affect foreign keys in: public.files, public.items
	END
	test_cmp expect actual
'

test_expect_success 'size and locks are in the JSON' '
	impact &&
	db_sql "SELECT pg_total_relation_size(\$\$orders\$\$)" >expect &&
	jq ".destroys[0].bytes" plan.json >actual &&
	test_cmp expect actual &&
	jq -r ".locks[] | \"\\(.object) \\(.mode) \\(.holder)\"" plan.json >actual &&
	test_write_lines "public.files AccessExclusiveLock null" "public.items AccessExclusiveLock null" \
		"public.orders AccessExclusiveLock null" >expect &&
	sort actual >sorted &&
	test_cmp expect sorted
'

test_expect_success 'foreign keys are affected without CASCADE, too; not those that go before' '
	given "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (a int CONSTRAINT k REFERENCES a);
		CREATE TABLE c (a int REFERENCES a); CREATE TABLE d (a int REFERENCES a);" \
		"ALTER TABLE b DROP CONSTRAINT k; DROP TABLE d; DROP TABLE a;" &&
	impact >actual &&
	sed -n "/^affects/p" actual >affects &&
	echo "affects public.c: foreign key c_a_fkey on public.c" >expect &&
	test_cmp expect affects
'

test_expect_success 'columns: the values that are not null' '
	given "CREATE TABLE t (a int, b text, c int, g int GENERATED ALWAYS AS (c + 1) STORED, s serial);
		CREATE INDEX i ON t (a); CREATE VIEW v AS SELECT b FROM t;" \
		"ALTER TABLE t DROP COLUMN a, DROP b CASCADE, DROP g; ALTER TABLE t DROP s;
		ALTER TABLE t ALTER COLUMN c TYPE text;" \
		"INSERT INTO t (a, c) SELECT nullif(i % 4, 0), i FROM generate_series(1, 100) i" &&
	test_impact <<-\END
	column public.t.a: 75, DROP COLUMN
	column public.t.b: 0, DROP COLUMN
	column public.t.s: 100, DROP COLUMN
	column public.t.c: 100, ALTER COLUMN TYPE
	drops index public.i, part
	drops view public.v, CASCADE
	drops column public.t.g
	drops sequence public.t_s_seq, part
	asks for ROLLBACK
	END
'

test_expect_success 'nothing but empty tables and columns: yes or no' '
	given "CREATE TABLE t (a int); CREATE TABLE u (a int, b int);" \
		"DROP TABLE t; ALTER TABLE u DROP COLUMN b;" "INSERT INTO u VALUES (1)" &&
	test_impact <<-\END &&
	table public.t: 0, DROP TABLE
	column public.u.b: 0, DROP COLUMN
	asks for yes
	END
	db_sql "INSERT INTO t VALUES (NULL)" &&
	impact >actual &&
	test_grep "^asks for ROLLBACK" actual
'

test_expect_success 'a table that goes is one item, whatever else is done to it' '
	given "CREATE TABLE t (a int, b int); CREATE TABLE u (a int);" \
		"DELETE FROM t WHERE a = 1; ALTER TABLE t DROP COLUMN a; UPDATE t SET b = 1; TRUNCATE t; DROP TABLE t;
		UPDATE u SET a = 1; DELETE FROM u WHERE a = 2; ALTER TABLE u DROP a; ALTER TABLE u ADD a int" \
		"INSERT INTO t VALUES (1, 2); INSERT INTO u VALUES (1), (2)" &&
	test_impact <<-\END
	table public.t: 1, DROP TABLE
	rows public.u: 2, UPDATE, DELETE
	column public.u.a: 2, DROP COLUMN
	asks for ROLLBACK
	END
'

test_expect_success 'in the order of execution, over several migrations' '
	fresh &&
	migration 001_a "CREATE TABLE a (x int);" "DROP TABLE a;" &&
	migration 002_b "ALTER TABLE a ADD y int; CREATE TABLE b (x int);" "DROP TABLE b; ALTER TABLE a DROP y;" &&
	migration 003_c "ALTER TABLE b ADD y int; CREATE TABLE c (x int);" "ALTER TABLE b DROP y; DROP TABLE c;" &&
	git apply-migration -q &&
	test_impact <<-\END &&
	table public.c: 0, DROP TABLE
	table public.b: 0, DROP TABLE
	table public.a: 0, DROP TABLE
	asks for yes
	END
	git rollback-db -q --yes --last 1 &&
	test_impact <<-\END
	table public.b: 0, DROP TABLE
	table public.a: 0, DROP TABLE
	asks for yes
	END
'

# --- whatever else takes tables along ------------------------------------------------------------------

test_expect_success 'DROP SCHEMA ... CASCADE, also of columns elsewhere' '
	given "CREATE SCHEMA s; CREATE TYPE s.e AS ENUM (\$\$x\$\$); CREATE TABLE s.t (id serial PRIMARY KEY);
		CREATE TABLE u (e s.e, es s.e[], x int); CREATE FUNCTION s.f(int) RETURNS int LANGUAGE sql AS \$\$SELECT 1\$\$;
		CREATE TABLE r (t int REFERENCES s.t); CREATE TABLE d (x int DEFAULT s.f(1));" \
		"DROP SCHEMA s CASCADE;" "INSERT INTO s.t DEFAULT VALUES; INSERT INTO u VALUES (\$\$x\$\$, \$\${x}\$\$, 1)" &&
	test_impact <<-\END
	column public.u.e: 1, DROP SCHEMA s CASCADE
	column public.u.es: 1, DROP SCHEMA s CASCADE
	table s.t: 1, DROP SCHEMA s CASCADE
	drops schema s
	drops constraint t_pkey on s.t, part
	drops default public.d.x, CASCADE
	drops foreign key r_t_fkey on public.r, CASCADE
	drops function s.f(integer), CASCADE
	drops sequence s.t_id_seq, part
	drops type s.e, CASCADE
	affects public.r: foreign key r_t_fkey on public.r
	asks for ROLLBACK
	END
'

test_expect_success 'DROP TYPE and DROP DOMAIN ... CASCADE' '
	given "CREATE TYPE e AS ENUM (\$\$x\$\$); CREATE DOMAIN d AS int; CREATE TYPE c AS (x d);
		CREATE TABLE t (e e, d d, ds d[], c c, y int);" \
		"DROP TYPE e CASCADE; DROP TYPE c CASCADE; DROP DOMAIN d CASCADE;" \
		"INSERT INTO t VALUES (\$\$x\$\$, 1, NULL, ROW(1), 2)" &&
	test_impact <<-\END
	column public.t.e: 1, DROP TYPE e CASCADE
	column public.t.c: 1, DROP TYPE c CASCADE
	column public.t.d: 1, DROP TYPE d CASCADE
	column public.t.ds: 0, DROP TYPE d CASCADE
	drops type public.e
	drops type public.c
	drops type public.d
	asks for ROLLBACK
	END
'

test_expect_success 'DROP EXTENSION takes its objects, and with CASCADE columns of its types' '
	given "CREATE EXTENSION hstore; CREATE TABLE t (h hstore, x int); CREATE VIEW v AS SELECT h FROM t;" \
		"DROP EXTENSION hstore CASCADE;" "INSERT INTO t VALUES (\$\$a=>1\$\$, 2)" &&
	impact >actual &&
	test_grep "^column public.t.h: 1, DROP EXTENSION hstore CASCADE$" actual &&
	test_grep "^drops extension hstore$" actual &&
	test_grep "^drops type public.hstore, part$" actual &&
	test_grep "^drops view public.v, CASCADE$" actual &&
	test_grep "^asks for ROLLBACK$" actual &&
	test_grep ! "^unknown" actual
'

test_expect_success 'DROP OWNED: what the role owns here' '
	given "CREATE TABLE kept (x int); CREATE TABLE mine (x int);" "DROP OWNED BY t1510_owner;" "
		DO \$\$BEGIN CREATE ROLE t1510_owner; EXCEPTION WHEN duplicate_object THEN END\$\$;
		ALTER TABLE mine OWNER TO t1510_owner; INSERT INTO mine VALUES (1); INSERT INTO kept VALUES (1)" &&
	test_when_finished "db_reset && db_sql \"DROP ROLE t1510_owner\"" &&
	test_impact <<-\END
	table public.mine: 1, DROP OWNED BY t1510_owner
	asks for ROLLBACK
	END
'

test_expect_success 'DROP FUNCTION ... CASCADE: defaults, generated columns, indexes; overloads are told apart' '
	given "CREATE FUNCTION f(int) RETURNS int IMMUTABLE LANGUAGE sql AS \$\$SELECT 1\$\$;
		CREATE FUNCTION f(text) RETURNS int IMMUTABLE LANGUAGE sql AS \$\$SELECT 1\$\$;
		CREATE TABLE t (a int DEFAULT f(1), b int GENERATED ALWAYS AS (f(2)) STORED, c int);
		CREATE INDEX i ON t (f(c));" "DROP FUNCTION f(int) CASCADE;" "INSERT INTO t (c) VALUES (1)" &&
	test_impact <<-\END
	drops function public.f(integer)
	drops column public.t.b, CASCADE
	drops default public.t.a, CASCADE
	drops index public.i, CASCADE
	asks for yes
	END
'

test_expect_success 'a view that columns of other tables are made of' '
	given "CREATE TABLE t (id int PRIMARY KEY, x int); CREATE VIEW v AS SELECT id, x, count(*) FROM t GROUP BY id;
		CREATE TABLE u (v v);" "ALTER TABLE t DROP CONSTRAINT t_pkey CASCADE;" \
		"INSERT INTO u VALUES (ROW(1, 2, 3))" &&
	test_impact <<-\END
	column public.u.v: 1, DROP CONSTRAINT t.t_pkey CASCADE
	drops constraint t_pkey on public.t
	drops view public.v, CASCADE
	asks for ROLLBACK
	END
'

test_expect_success 'sequences: positions are lost that do not go with a table' '
	given "CREATE SEQUENCE a; CREATE SEQUENCE b; CREATE TABLE t (i int GENERATED ALWAYS AS IDENTITY, s serial);
		CREATE TABLE u (s serial);" \
		"DROP SEQUENCE a; ALTER SEQUENCE b RESTART WITH 5; ALTER TABLE t ALTER i RESTART;
		DROP SEQUENCE t_s_seq CASCADE; DROP TABLE u; TRUNCATE t RESTART IDENTITY;" &&
	test_impact <<-\END
	rows public.a: 1, DROP SEQUENCE
	rows public.b: 1, RESTART
	rows public.t_i_seq: 1, TRUNCATE, RESTART IDENTITY
	rows public.t_s_seq: 1, DROP SEQUENCE
	table public.u: 0, DROP TABLE
	table public.t: 0, TRUNCATE
	drops sequence public.a
	drops sequence public.t_s_seq
	drops default public.t.s, CASCADE
	drops sequence public.u_s_seq, part
	asks for ROLLBACK
	END
'

test_expect_success 'what has no rows of its own' '
	given "CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw;
		CREATE FOREIGN TABLE f (a int) SERVER s OPTIONS (filename \$\$/dev/null\$\$);
		CREATE TABLE t (a int, b int); CREATE MATERIALIZED VIEW m AS SELECT 1 AS a;
		CREATE STATISTICS st ON a, b FROM t; CREATE RULE r AS ON INSERT TO t DO ALSO NOTIFY x;
		CREATE COLLATION co (locale = \$\$C\$\$); CREATE PUBLICATION p FOR TABLE t;" \
		"DROP SERVER s CASCADE; DROP MATERIALIZED VIEW m; DROP RULE r ON t; DROP STATISTICS st;
		DROP COLLATION co; DROP PUBLICATION p;" &&
	impact >actual &&
	sed "/publication relation\|object /d" actual >shown &&
	cat >expect <<-\END &&
	drops server s
	drops foreign table public.f, CASCADE
	drops materialized view public.m
	drops rule r on public.t
	drops statistics public.st
	drops collation public.co
	drops publication p
	asks for yes
	END
	test_cmp expect shown
'

# --- rows ---------------------------------------------------------------------------------------------

test_expect_success 'INSERT alone destroys nothing; UPDATE and DELETE of no rows do not either' '
	given "CREATE TABLE t (a int); CREATE TABLE e (a int);" \
		"INSERT INTO t VALUES (2), (lower(\$\$3\$\$)::int), (abs(-4)); UPDATE e SET a = 1; DELETE FROM e;" \
		"INSERT INTO t VALUES (1)" &&
	test_impact <<-\END &&
	rows public.t: 1, INSERT
	rows public.e: 0, UPDATE, DELETE
	asks for yes
	END
	git rollback-db -n --all >actual &&
	test_grep "^  add rows to public.t (it has 1 row; INSERT)$" actual &&
	test_grep "^  change rows of public.e (all of its 0 rows; UPDATE, DELETE)$" actual
'

test_expect_success 'ON CONFLICT DO UPDATE, MERGE, WITH, COPY' '
	given "CREATE TABLE a (x int PRIMARY KEY, y int); CREATE TABLE b (x int); CREATE TABLE c (x int);
		CREATE TABLE d (x int);" \
		"INSERT INTO a VALUES (1, 2) ON CONFLICT (x) DO UPDATE SET y = 3;
		WITH gone AS (DELETE FROM b RETURNING x) INSERT INTO c SELECT x FROM gone;
		COPY d FROM \$\$/dev/null\$\$" "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1)" &&
	test_impact <<-\END
	rows public.a: 1, INSERT, UPDATE
	rows public.c: 0, INSERT
	rows public.b: 1, DELETE
	rows public.d: 0, INSERT
	asks for ROLLBACK
	END
'

test_expect_success 'foreign keys ON DELETE reach further' '
	given "CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON DELETE CASCADE);
		CREATE TABLE c (b int CONSTRAINT \"c.b\" REFERENCES b ON DELETE SET NULL); CREATE TABLE d (b int REFERENCES b);
		CREATE TABLE self (id int PRIMARY KEY, up int REFERENCES self ON DELETE CASCADE, c int REFERENCES a ON DELETE SET DEFAULT);" \
		"DELETE FROM a WHERE id = 1;" "INSERT INTO a SELECT generate_series(1, 3); INSERT INTO b VALUES (1, 1), (2, 2);
		INSERT INTO c VALUES (1)" &&
	test_impact <<-\END
	rows public.a: 3, DELETE
	rows public.b: 2, foreign key b_a_fkey ON DELETE CASCADE
	rows public.c: 1, foreign key "c.b" ON DELETE SET NULL
	rows public.self: 0, foreign key self_c_fkey ON DELETE SET DEFAULT
	asks for ROLLBACK
	END
'

test_expect_success 'foreign keys ON UPDATE only where the key is set' '
	given "CREATE TABLE a (id int PRIMARY KEY, x int); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a ON UPDATE CASCADE);" \
		"UPDATE a SET x = 1;" "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1)" &&
	test_impact <<-\END &&
	rows public.a: 1, UPDATE
	asks for ROLLBACK
	END
	echo "UPDATE a SET (x, id) = (1, 2);" >migrations/001_a.down.sql &&
	test_impact <<-\END
	rows public.a: 1, UPDATE
	rows public.b: 1, foreign key b_a_fkey ON UPDATE CASCADE
	asks for ROLLBACK
	END
'

test_expect_success 'TRUNCATE, and TRUNCATE ... CASCADE' '
	given "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES a);
		CREATE TABLE c (b int REFERENCES b); CREATE TABLE d (x int);" \
		"TRUNCATE a CASCADE; TRUNCATE d;" "INSERT INTO a VALUES (1); INSERT INTO b VALUES (1, 1)" &&
	test_impact <<-\END &&
	table public.a: 1, TRUNCATE
	table public.b: 1, TRUNCATE, foreign key b_a_fkey
	table public.c: 0, TRUNCATE, foreign key c_b_fkey
	table public.d: 0, TRUNCATE
	asks for ROLLBACK
	END
	git rollback-db -n --all >actual &&
	test_grep "^  empty table public.b (1 row, 24 KiB; TRUNCATE, foreign key b_a_fkey)$" actual
'

test_expect_success 'a partitioned table has the rows of its partitions, of whatever depth' '
	given "CREATE TABLE p (a int, b int, c int) PARTITION BY LIST (a);
		CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);
		CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2) PARTITION BY LIST (c);
		CREATE TABLE p21 PARTITION OF p2 FOR VALUES IN (1); CREATE INDEX i ON p (b);" \
		"DROP TABLE p;" "INSERT INTO p VALUES (1, 1, 1), (1, 2, 2), (2, 1, 1)" &&
	test_impact <<-\END &&
	table public.p: 3, DROP TABLE
	drops index public.i, part
	drops table public.p1, part
	drops table public.p2, part
	drops table public.p21, part
	asks for ROLLBACK
	END
	jq ".destroys[0].bytes" plan.json >actual &&
	db_sql "SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree(\$\$p\$\$)" >expect &&
	test_cmp expect actual &&
	echo "DELETE FROM p WHERE b = 1; ALTER TABLE p DROP COLUMN b;" >migrations/001_a.down.sql &&
	test_impact <<-\END &&
	rows public.p: 3, DELETE
	column public.p.b: 3, DROP COLUMN
	drops index public.i, part
	asks for ROLLBACK
	END
	echo "DROP TABLE p1; TRUNCATE p21; DELETE FROM ONLY p;" >migrations/001_a.down.sql &&
	test_impact <<-\END
	table public.p1: 2, DROP TABLE
	table public.p21: 1, TRUNCATE
	rows public.p: 3, DELETE
	asks for ROLLBACK
	END
'

test_expect_success 'children that inherit are tables of their own' '
	given "CREATE TABLE p (a int, b int); CREATE TABLE c () INHERITS (p); CREATE TABLE d (b int) INHERITS (p);" \
		"DELETE FROM p;" "INSERT INTO p VALUES (1, 1); INSERT INTO c VALUES (1, 1), (2, 2);
		INSERT INTO d VALUES (1, 1), (2, 2), (3, 3)" &&
	test_impact <<-\END &&
	rows public.p: 1, DELETE
	rows public.c: 2, DELETE
	rows public.d: 3, DELETE
	asks for ROLLBACK
	END
	echo "DELETE FROM ONLY p;" >migrations/001_a.down.sql &&
	test_impact <<-\END &&
	rows public.p: 1, DELETE
	asks for ROLLBACK
	END
	echo "ALTER TABLE p DROP COLUMN b; ALTER TABLE p ALTER a TYPE text;" >migrations/001_a.down.sql &&
	test_impact <<-\END &&
	column public.p.b: 1, DROP COLUMN
	column public.c.b: 2, DROP COLUMN
	column public.p.a: 1, ALTER COLUMN TYPE
	column public.c.a: 2, ALTER COLUMN TYPE
	column public.d.a: 3, ALTER COLUMN TYPE
	asks for ROLLBACK
	END
	echo "DROP TABLE p CASCADE;" >migrations/001_a.down.sql &&
	test_impact <<-\END
	table public.p: 1, DROP TABLE
	table public.c: 2, DROP TABLE p CASCADE
	table public.d: 3, DROP TABLE p CASCADE
	asks for ROLLBACK
	END
'

# --- names --------------------------------------------------------------------------------------------

test_expect_success 'names with quotes, blanks, dots and control characters' '
	given "CREATE SCHEMA \"S.p \"\"x\"; CREATE TABLE \"S.p \"\"x\".\"T.a b\" (\"c.\"\"d\" int, \"Select\" text, x int);
		CREATE TABLE \"$(printf "\\033[31m\\nx")\" (a int);" \
		"ALTER TABLE \"S.p \"\"x\".\"T.a b\" DROP COLUMN \"Select\"; SET search_path = \"S.p \"\"x\";
		DELETE FROM \"T.a b\"; ALTER TABLE \"T.a b\" ALTER \"c.\"\"d\" TYPE text; RESET search_path;
		DROP TABLE \"$(printf "\\033[31m\\nx")\";" \
		"INSERT INTO \"S.p \"\"x\".\"T.a b\" VALUES (1, \$\$x\$\$)" &&
	impact >actual &&
	cat >expect <<-\END &&
	column "S.p ""x"."T.a b"."Select": 1, DROP COLUMN
	rows "S.p ""x"."T.a b": 1, DELETE
	column "S.p ""x"."T.a b"."c.""d": 1, ALTER COLUMN TYPE
	END
	head -n 3 actual >shown &&
	test_cmp expect shown &&
	git rollback-db -n --all >actual &&
	test_grep "drop table public.\".x1b\[31m.x0ax\" (0 rows" actual
'

test_expect_success 'search_path: the first that has it, as the script sets it' '
	given "CREATE SCHEMA s; CREATE SCHEMA r; CREATE TABLE s.t (); CREATE TABLE r.t (); CREATE TABLE public.t ();
		CREATE TABLE public.u (); CREATE SCHEMA \"postgres\"; CREATE TABLE postgres.t ();" \
		"SET search_path = r, public; DROP TABLE t, u; SET LOCAL search_path TO nosuch, s; DROP TABLE t;
		SET search_path = \"\$user\"; DROP TABLE t; RESET search_path;" &&
	test_impact <<-\END &&
	table r.t: 0, DROP TABLE
	table public.u: 0, DROP TABLE
	table s.t: 0, DROP TABLE
	table postgres.t: 0, DROP TABLE
	asks for yes
	END
	db_sql "ALTER DATABASE $db_name SET search_path = s, public" &&
	printf "%s\n" "DROP TABLE t;" >migrations/001_a.down.sql &&
	GIT_ROLLBACK_MIGRATIONS_TABLE=public.schema_migrations \
		GIT_ROLLBACK_MIGRATIONS_LOG_TABLE=public.schema_rollback_log test_impact <<-\END
	table s.t: 0, DROP TABLE
	asks for yes
	END
'

test_expect_success 'a search_path that puts others before the catalog runs nothing of theirs' '
	given "CREATE SCHEMA evil; CREATE TABLE t (a int);" "DROP TABLE t;" "
		INSERT INTO t VALUES (1);
		CREATE TABLE evil.ran (what text);
		CREATE FUNCTION evil.step(bigint) RETURNS bigint LANGUAGE plpgsql AS
			\$\$BEGIN RAISE EXCEPTION \$x\$it was run\$x\$; END\$\$;
		CREATE AGGREGATE evil.count(*) (SFUNC = evil.step, STYPE = bigint);
		CREATE FUNCTION evil.quote_ident(text) RETURNS text LANGUAGE plpgsql AS
			\$\$BEGIN RAISE EXCEPTION \$x\$it was run\$x\$; END\$\$;
		CREATE VIEW evil.pg_class AS SELECT 1 AS oid" &&
	GIT_ROLLBACK_MIGRATIONS_TABLE=public.schema_migrations &&
	GIT_ROLLBACK_MIGRATIONS_LOG_TABLE=public.schema_rollback_log &&
	export GIT_ROLLBACK_MIGRATIONS_TABLE GIT_ROLLBACK_MIGRATIONS_LOG_TABLE &&
	test_when_finished "unset GIT_ROLLBACK_MIGRATIONS_TABLE GIT_ROLLBACK_MIGRATIONS_LOG_TABLE" &&
	PGOPTIONS="-c search_path=evil,public,pg_catalog" test_impact <<-\END
	table public.t: 1, DROP TABLE
	asks for ROLLBACK
	END
'

test_expect_success 'what is not there: nothing with IF EXISTS, else said' '
	given "CREATE TABLE t (a int); CREATE VIEW v AS SELECT 1;" \
		"DROP TABLE IF EXISTS nosuch; ALTER TABLE IF EXISTS nosuch DROP COLUMN a; ALTER TABLE t DROP COLUMN IF EXISTS b;
		DROP FUNCTION IF EXISTS f(nosuchtype);
		DROP TABLE s.nosuch;
		DROP TABLE v; DELETE FROM
		\"no such\"; ALTER TABLE t DROP COLUMN b; DROP FUNCTION f(nosuchtype, int); DROP TRIGGER g ON t;
		DROP OPERATOR +(t, t) CASCADE; DROP OPERATOR -(t, t);" &&
	test_impact <<-\END &&
	unknown: what table s.nosuch in line 3 of migrations/001_a.down.sql is: it is not there now
	unknown: what table v in line 4 of migrations/001_a.down.sql is: it is not there now
	unknown: what table no such in line 4 of migrations/001_a.down.sql is: it is not there now
	unknown: what column t.b in line 5 of migrations/001_a.down.sql is: it is not there now
	unknown: what function f in line 5 of migrations/001_a.down.sql is: it is not there now
	unknown: what trigger t.g in line 5 of migrations/001_a.down.sql is: it is not there now
	unknown: what goes with operator + by CASCADE in line 6 of migrations/001_a.down.sql
	asks for ROLLBACK
	END
	git rollback-db -n --all >actual &&
	test_grep "^Not known (--rehearse tells):$" actual
'

test_expect_success 'what the run itself makes is no loss; what it renames is not known' '
	given "CREATE TABLE t (a int); CREATE TABLE o (a int); CREATE TYPE e AS ENUM ();" "
		CREATE TABLE n AS SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t; INSERT INTO n VALUES (1);
		ALTER TABLE o ADD COLUMN b int; ALTER TABLE o DROP COLUMN b;
		CREATE TABLE IF NOT EXISTS o (a int); UPDATE o SET a = 1;
		CREATE INDEX i ON o (a); DROP INDEX i; DROP TYPE e; CREATE TYPE e AS ENUM (); DROP TYPE e;
		DELETE FROM t;" "INSERT INTO t VALUES (1); INSERT INTO o VALUES (1)" &&
	test_impact <<-\END
	table public.t: 1, DROP TABLE
	rows public.o: 1, UPDATE
	drops type public.e
	unknown: what table t in line 6 of migrations/001_a.down.sql is: something gets that name before
	asks for ROLLBACK
	END
'

test_expect_success 'a later migration of the run sees what an earlier one makes' '
	fresh &&
	migration 001_a "CREATE TABLE t (a int);" "DROP TABLE t;" &&
	migration 002_b "DROP TABLE t;" "CREATE TABLE t (a int);" &&
	git apply-migration -q &&
	test_impact <<-\END
	asks for yes
	END
'

# --- what cannot be known ---------------------------------------------------------------------------------

test_expect_success 'DO, CALL, functions that are not the server'\''s, long statements' '
	given "CREATE TABLE t (a int); CREATE FUNCTION f(int) RETURNS bool LANGUAGE sql AS \$\$SELECT true\$\$;
		CREATE FUNCTION public.abs(text) RETURNS int LANGUAGE sql AS \$\$SELECT 1\$\$;" \
		"DO \$\$BEGIN END\$\$;
		CALL p(); SELECT length(substring(\$\$a\$\$ FROM 1)), coalesce(1, 2), jsonb_build_array(1);
		DELETE FROM t WHERE f(a); SELECT setval(\$\$s\$\$, 1);
		SELECT abs(1);" &&
	test_impact <<-\END
	rows public.t: 0, DELETE
	unknown: what DO in line 1 of migrations/001_a.down.sql does
	unknown: what a call of p() in line 2 of migrations/001_a.down.sql does
	unknown: what a call of f() in line 3 of migrations/001_a.down.sql does
	unknown: what a call of setval() in line 3 of migrations/001_a.down.sql does
	unknown: what a call of abs() in line 4 of migrations/001_a.down.sql does
	asks for ROLLBACK
	END
'

test_expect_success 'triggers, rules and views of tables whose rows change' '
	given "CREATE TABLE t (a int); CREATE TABLE quiet (a int); CREATE VIEW v AS SELECT * FROM t;
		CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS \$\$BEGIN RETURN NULL; END\$\$;
		CREATE TRIGGER \"T g\" AFTER DELETE ON t EXECUTE FUNCTION f();
		CREATE TRIGGER ins AFTER INSERT ON t EXECUTE FUNCTION f();
		CREATE TRIGGER off AFTER DELETE ON t EXECUTE FUNCTION f(); ALTER TABLE t DISABLE TRIGGER off;
		CREATE TRIGGER same BEFORE DELETE ON t EXECUTE FUNCTION suppress_redundant_updates_trigger();
		CREATE RULE r AS ON DELETE TO t DO ALSO NOTIFY x; CREATE RULE u AS ON UPDATE TO t DO ALSO NOTIFY x;" \
		"DELETE FROM t; DELETE FROM quiet; UPDATE v SET a = 1;" &&
	test_impact <<-\END
	rows public.t: 0, DELETE
	rows public.quiet: 0, DELETE
	unknown: whose rows UPDATE changes through view v in line 1 of migrations/001_a.down.sql
	unknown: what trigger "T g" on public.t does
	unknown: what rule r on public.t does
	asks for ROLLBACK
	END
'

# --- counting ---------------------------------------------------------------------------------------------

test_expect_success 'no time to count: estimates, marked, and they count as rows' '
	given "CREATE TABLE big (a int, b int); CREATE TABLE new (a int); CREATE TABLE empty (a int);
		CREATE TABLE lying (a int);" \
		"DROP TABLE big, new, lying; ALTER TABLE empty DROP a;" \
		"INSERT INTO big SELECT i, nullif(i % 2, 0) FROM generate_series(1, 1000) i; ANALYZE big;
		INSERT INTO big SELECT i FROM generate_series(1, 1000) i; INSERT INTO new VALUES (1);
		INSERT INTO lying SELECT generate_series(1, 100); ANALYZE lying;
		UPDATE pg_class SET reltuples = 0 WHERE relname = \$\$lying\$\$" &&
	test_impact <<-\END &&
	table public.big: 2000, DROP TABLE
	table public.new: 1, DROP TABLE
	table public.lying: 100, DROP TABLE
	column public.empty.a: 0, DROP COLUMN
	asks for ROLLBACK
	END
	git config rollback.migrations.countLimit 0 &&
	test_when_finished "git config --unset rollback.migrations.countLimit" &&
	impact >actual &&
	sed "s/~[12][0-9]\{3\}/~THOUSANDS/" actual >about &&
	cat >expect <<-\END &&
	table public.big: ~THOUSANDS, DROP TABLE
	table public.new: ~-1, DROP TABLE
	table public.lying: ~0, DROP TABLE
	column public.empty.a: 0, DROP COLUMN
	asks for ROLLBACK
	END
	test_cmp expect about &&
	git rollback-db -n --all >actual &&
	test_grep "^  drop table public.new (an unknown number of rows, 8.0 KiB)$" actual &&
	test_grep "^  drop table public.big (~[12],[0-9]* rows, " actual &&
	test_grep ! "^Not known" actual &&
	printf "%s\n" "DROP TABLE lying;" >migrations/001_a.down.sql &&
	impact >actual &&
	test_grep "^asks for ROLLBACK" actual
'

test_expect_success 'no time for the large one: the small ones are counted' '
	given "CREATE TABLE big (a text); CREATE TABLE small (a int);" "DROP TABLE big; DROP TABLE small;" \
		"INSERT INTO big SELECT repeat(\$\$x\$\$, 100) FROM generate_series(1, 1000000); ANALYZE big;
		INSERT INTO small VALUES (1)" &&
	git -c rollback.migrations.countLimit=25ms rollback-db -n --json --all >plan.json &&
	jq -r ".destroys[] | \"\\(.object) \\(.exact)\"" plan.json >actual &&
	test_write_lines "public.big false" "public.small true" >expect &&
	test_cmp expect actual
'

test_expect_success 'a wrong limit is refused' '
	test_expect_code 128 git -c rollback.migrations.countLimit=soon rollback-db -n --all 2>err &&
	test_grep "migrations.countLimit.* should be a time" err
'

test_expect_success 'a role that may not read a table, or not all of its rows' '
	given "CREATE TABLE hidden (a int); CREATE TABLE partly (a int, b int); CREATE TABLE open (a int);
		CREATE SCHEMA closed; CREATE TABLE closed.t (a int);" \
		"DROP TABLE hidden, open; ALTER TABLE partly DROP COLUMN b; DROP TABLE closed.t;" "
		INSERT INTO hidden VALUES (1); INSERT INTO partly SELECT i, i FROM generate_series(1, 10) i; INSERT INTO open VALUES (1);
		INSERT INTO closed.t VALUES (1); ANALYZE partly;
		ALTER TABLE partly ENABLE ROW LEVEL SECURITY;
		CREATE FUNCTION evil(int) RETURNS bool LANGUAGE plpgsql AS \$\$BEGIN RAISE EXCEPTION \$x\$it was run\$x\$; END\$\$;
		CREATE POLICY p ON partly USING (evil(a));
		DO \$\$BEGIN CREATE ROLE t1510_reader LOGIN; EXCEPTION WHEN duplicate_object THEN END\$\$;
		GRANT ALL ON SCHEMA public TO t1510_reader;
		GRANT SELECT ON partly, open, schema_migrations, schema_rollback_log TO t1510_reader" &&
	test_when_finished "db_reset && db_sql \"DROP ROLE t1510_reader\"" &&
	DATABASE_URL="postgres:///$db_name?host=$pg_host&port=$PG_PORT&user=t1510_reader" test_impact <<-\END
	table public.hidden: ~-1, DROP TABLE
	table public.open: 1, DROP TABLE
	column public.partly.b: ~10, DROP COLUMN
	table closed.t: ~-1, DROP TABLE
	unknown: how many rows public.hidden has: permission denied for table hidden
	unknown: how many rows public.partly has: query would be affected by row-level security policy for table "partly"
	unknown: how many rows closed.t has: permission denied for schema closed
	asks for ROLLBACK
	END
'

# --- locks ------------------------------------------------------------------------------------------------

# Sessions of others, in a transaction that has done some SQL.
other () {	# name, SQL
	printf "SET application_name = '%s';\nBEGIN;\n%s;\nSELECT pg_sleep(600);\n" "$1" "$2" |
		psql_db -f - >/dev/null 2>&1 &
	wait_sql "SELECT count(*) = 1 FROM pg_stat_activity WHERE application_name = '$1'
		AND (query = 'SELECT pg_sleep(600);' OR wait_event_type = 'Lock')"
}

others_end () {
	db_sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE datname = current_database() AND application_name LIKE 't1510 %'" >/dev/null
}

test_expect_success 'who is in the way of a lock is told, and nobody is waited for' '
	given "CREATE TABLE a (x int); CREATE TABLE b (x int); CREATE TABLE c (x int);" \
		"DROP TABLE a; DELETE FROM b; ALTER TABLE c ADD y int;" \
		"INSERT INTO a VALUES (1); INSERT INTO b VALUES (1); INSERT INTO c VALUES (1); ANALYZE" &&
	test_when_finished others_end &&
	other "t1510 holder" "LOCK a; INSERT INTO b VALUES (2)" &&
	other "t1510 reader" "SELECT FROM c" &&
	other "t1510 waiter" "LOCK c" &&
	git rollback-db -n --json --all >plan.json &&
	jq -r ".locks[] | \"\\(.object) \\(.mode) \\(.holder)\"" plan.json >actual &&
	sed -e "s/pid [0-9]*/pid PID/" -e "s/for [0-9.]* m\{0,1\}s/for TIME/" actual >settled &&
	cat >expect <<-\END &&
	public.c AccessExclusiveLock t1510 reader of postgres (pid PID), active for TIME, and 1 more
	public.a AccessExclusiveLock t1510 holder of postgres (pid PID), active for TIME
	public.b RowExclusiveLock null
	END
	test_cmp expect settled &&
	jq -r ".destroys[] | \"\\(.object) \\(.rows) \\(.exact)\"" plan.json >actual &&
	test_write_lines "public.a 1 false" "public.b 1 true" >expect &&
	test_cmp expect actual &&
	git rollback-db -n --all >actual &&
	test_grep "^  wait for a lock on public.a: t1510 holder of postgres (pid [0-9]*), active for " actual &&
	test_grep ! "lock on public.b" actual
'

test_expect_success 'a prepared transaction holds locks, too' '
	pg_start_private_cluster prepared -c max_prepared_transactions=2 &&
	test_when_finished "pg_stop prepared immediate; pg_use" &&
	given "CREATE TABLE a (x int);" "DROP TABLE a;" "BEGIN; INSERT INTO a VALUES (1); PREPARE TRANSACTION \$\$p\$\$" &&
	git rollback-db -n --json --all >plan.json &&
	jq -r ".locks[] | \"\\(.object) \\(.holder)\"" plan.json >actual &&
	echo "public.a a prepared transaction" >expect &&
	test_cmp expect actual
'

# --- what it leaves out, and when it is not looked at --------------------------------------------------------

test_expect_success 'the tracking tables are never in it' '
	given "CREATE TABLE t (a int);" "DELETE FROM schema_migrations; DROP SCHEMA public CASCADE;" &&
	impact >actual &&
	test_grep "^table public.t: 0, DROP SCHEMA public CASCADE$" actual &&
	test_grep ! "schema_migrations\|schema_rollback_log" actual &&
	test_grep ! "schema_migrations\|schema_rollback_log" plan.json
'

test_expect_success 'a rollback that was interrupted: only what is left of it' '
	given "CREATE TABLE a (x int); CREATE TABLE b (x int); CREATE TABLE k (x int);" \
		"-- rollback: no-transaction
DROP TABLE a; DROP TABLE nosuch; DROP TABLE b;" "INSERT INTO b VALUES (1)" &&
	test_expect_code 128 git rollback-db --yes --no-save --all &&
	git rollback-db -n --json 001 >plan.json &&
	jq -r ".destroys[].object, .unknown[]" plan.json >actual &&
	cat >expect <<-\END &&
	public.b
	what table nosuch in line 2 of 001.down.sql in the database'\''s log is: it is not there now
	END
	test_cmp expect actual
'

test_expect_success 'where nobody looks nothing is read; a hook does look' '
	given "CREATE TABLE t (a int);" "DROP TABLE t;" "INSERT INTO t VALUES (1)" &&
	git rollback-db --yes --no-save --json --all >report.json 2>err &&
	jq -c "[.destroys, .drops, .affects, .locks, .unknown]" report.json >actual &&
	echo "[null,null,null,null,null]" >expect &&
	test_cmp expect actual &&
	git apply-migration -q &&
	db_sql "INSERT INTO t VALUES (1)" &&
	mkdir -p .git/hooks &&
	write_script .git/hooks/pre-rollback <<-\END &&
	cat >plan-of-hook.json
	END
	test_when_finished "rm .git/hooks/pre-rollback" &&
	git rollback-db --yes -q --all &&
	jq -c ".destroys[0] | [.object, .rows, .exact]" plan-of-hook.json >actual &&
	echo "[\"public.t\",1,true]" >expect &&
	test_cmp expect actual
'

# --- that it is so -----------------------------------------------------------------------------------------

test_expect_success 'what the plan says goes is what has gone' '
	given "CREATE SCHEMA s; CREATE TYPE s.e AS ENUM (\$\$x\$\$);
		CREATE TABLE s.a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY, a int REFERENCES s.a ON DELETE CASCADE);
		CREATE TABLE c (b int REFERENCES b ON DELETE CASCADE, e s.e); CREATE TABLE d (id int PRIMARY KEY);
		CREATE TABLE e (d int REFERENCES d); CREATE TABLE p (a int) PARTITION BY LIST (a);
		CREATE TABLE p1 PARTITION OF p DEFAULT; CREATE TABLE i (x int); CREATE TABLE j () INHERITS (i);
		CREATE TABLE stays (x int);" \
		"DELETE FROM s.a; TRUNCATE d CASCADE; DROP TABLE p; DROP TABLE i CASCADE; DROP SCHEMA s CASCADE;" "
		INSERT INTO s.a SELECT generate_series(1, 5); INSERT INTO b SELECT i, i FROM generate_series(1, 5) i;
		INSERT INTO c SELECT i FROM generate_series(1, 5) i; INSERT INTO d VALUES (1); INSERT INTO e VALUES (1);
		INSERT INTO p VALUES (1); INSERT INTO i VALUES (1); INSERT INTO j VALUES (1); INSERT INTO stays VALUES (1)" &&
	impact >plan &&
	rows | sort >before &&
	git rollback-db -q --yes --no-save --no-proof --all &&
	rows | sort >after &&
	comm -23 before after | sed -n "s/|.*//p" | sort >changed &&
	{
		sed -n -e "s/^\(table\|rows\) \(public\.\)\{0,1\}\(.*\): .*/\3/p" \
			-e "s/^drops table public\.\(.*\), part/\1/p" plan &&
		true
	} | sort | grep -v -x p >said &&
	test_cmp changed said
'

test_expect_success '--rehearse tells what a DO block and a trigger did to rows, and undoes it' '
	given "CREATE TABLE a (x int); CREATE TABLE b (x int); CREATE TABLE c (x int); CREATE TABLE d (x int, y int);
		CREATE TABLE e (x int); CREATE TABLE f (x int); CREATE TABLE \"G g\" (x int); CREATE TABLE empty (x int);
		CREATE TABLE audit (x int); CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
			\$\$BEGIN INSERT INTO audit VALUES (1), (2); RETURN NULL; END\$\$;
		CREATE TRIGGER g AFTER DELETE ON b EXECUTE FUNCTION note();" "DO \$\$BEGIN
		DROP TABLE a; DELETE FROM b WHERE x > 3; UPDATE b SET x = 9 WHERE x = 1; INSERT INTO b VALUES (1); TRUNCATE c;
		ALTER TABLE d DROP y; INSERT INTO e VALUES (2); CREATE TABLE n (); PERFORM 1 FROM f; ALTER TABLE f ADD y int;
		DROP TABLE \"G g\"; DROP TABLE empty; END\$\$" "INSERT INTO a SELECT generate_series(1, 1500);
		INSERT INTO b SELECT generate_series(1, 5); INSERT INTO c VALUES (1); INSERT INTO d VALUES (1, 2);
		INSERT INTO f VALUES (1); INSERT INTO \"G g\" VALUES (1)" &&
	rows >before &&
	git rollback-db --rehearse --no-proof --yes --all >actual 2>/dev/null &&
	cat >expect <<-\END &&
	What it did to rows:
	  table public.a: dropped (it has 1,500 rows)
	  table public.b: 1 row inserted, 1 row updated, 2 rows deleted (it has 5 rows)
	  table public.c: emptied or rewritten (it has 1 row)
	  table public.d: columns dropped or converted (it has 1 row)
	  table public.e: 1 row inserted (it has 0 rows)
	  table public."G g": dropped (it has 1 row)
	  table public.audit: 2 rows inserted (it has 0 rows)
	It was a rehearsal: everything was undone.
	END
	sed "/^rehearsed 001/d" actual >shown &&
	test_cmp expect shown &&
	rows >after &&
	test_cmp before after &&
	git rollback-db --rehearse --no-proof --yes --json --all >report.json &&
	jq -c ".rehearsed[] | [.object, .what, .rows, .exact, .inserted, .updated, .deleted]" report.json >actual &&
	cat >expect <<-\END &&
	["public.a","dropped",1500,true,0,0,0]
	["public.b","changed",5,true,1,1,2]
	["public.c","rewritten",1,true,0,0,0]
	["public.d","columns",1,true,0,0,0]
	["public.e","added",0,true,1,0,0]
	["public.\"G g\"","dropped",1,true,0,0,0]
	["public.empty","dropped",0,true,0,0,0]
	["public.audit","added",0,true,2,0,0]
	END
	test_cmp expect actual &&
	git rollback-db --rehearse --no-proof --yes --quiet --all >actual &&
	test_must_be_empty actual
'

test_expect_success 'a rehearsal of what changes no rows says nothing of them' '
	given "CREATE TABLE a (x int); CREATE VIEW v AS SELECT 1 AS x;" "DROP VIEW v; DROP TABLE a;" &&
	git rollback-db --rehearse --yes --all >actual 2>/dev/null &&
	test_write_lines "Proven: the schema is what it was before." \
		"It was a rehearsal: everything was undone." >expect &&
	sed 1d actual >shown &&
	test_cmp expect shown
'

test_done
