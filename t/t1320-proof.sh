#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db: the proof that the schema is what it was'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-rollback.sh

SQ=\'

# What the report says of the proof: its first line, and the differences.
proof () {
	sed -n "/^\(Not p\|P\)roven/,\$p" | sed "/^took /,\$d"
}

# A case is a text with sections, each below its name: -- base (what was there before), -- up,
# -- down, -- drift (what somebody does after the up), -- says.
sections () {
	for section_ in base up down drift says
	do
		: >"$section_" || return 1
	done
	awk '/^-- (base|up|down|drift|says)$/ { to = $2; next } { print >to }'
}

prepare () {
	fresh && mkdir -p migrations &&
	psql_db -f base && cp up migrations/001_x.up.sql && cp down migrations/001_x.down.sql &&
	db_dump --no-tracking >original &&
	git apply-migration -q && psql_db -f drift
}

# The down does not undo what the up did, and that is named; nothing has changed. Who accepts
# that, gets it.
unproven () {
	sections
	cat >check <<-\END
	prepare && schema_and_records >before &&
	test_expect_code 1 git rollback-db --yes 001 >out 2>err &&
	{
		echo "Not proven: the schema is not what it should be:" &&
		sed "s/^/  /" says &&
		echo "Everything was undone: nothing has changed."
	} >expect &&
	proof <out >actual &&
	test_cmp expect actual &&
	test_grep "^undone again 001 x" out &&
	test_grep "^hint: .*--accept-difference" err &&
	schema_and_records >after &&
	test_cmp before after &&
	git rollback-db --yes -q --accept-difference 001 &&
	applied >actual &&
	test_must_be_empty actual
	END
	test_expect_success "not proven: $1" "$(cat check)"
}

# The down undoes the up: again and again, and pg_dump agrees.
proven () {
	sections
	cat >check <<-\END
	prepare && db_dump --no-tracking >with &&
	git rollback-db --yes 001 >out &&
	echo "Proven: the schema is what it was before." >expect &&
	proof <out >actual &&
	test_cmp expect actual &&
	{ test -s drift || { db_dump --no-tracking >actual && test_cmp original actual; }; } &&
	{ test -s drift || {
		git apply-migration -q && db_dump --no-tracking >actual && test_cmp with actual &&
		git rollback-db --yes 001 >out && proof <out >actual && test_cmp expect actual &&
		db_dump --no-tracking >actual && test_cmp original actual
	}; }
	END
	test_expect_success "proven: $1" "$(cat check)"
}

# --- all kinds of objects --------------------------------------------------------------------

proven 'a table with all that belongs to it' <<'END'
-- up
CREATE TABLE t (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text NOT NULL DEFAULT 'x' CHECK (name <> ''), at timestamptz);
CREATE INDEX t_name ON t (lower(name)) WHERE at IS NULL;
COMMENT ON TABLE t IS 'a table';
COMMENT ON COLUMN t.name IS 'a name';
GRANT SELECT ON t TO pg_monitor;
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
CREATE POLICY p ON t USING (true);
-- down
DROP TABLE t;
END

unproven 'a down that does nothing' <<'END'
-- up
CREATE TABLE t (id int PRIMARY KEY);
-- down
SELECT 1;
-- says
column public.t.id still exists
constraint t_pkey on public.t still exists
index public.t_pkey still exists
table public.t still exists
END

unproven 'an index stays' <<'END'
-- base
CREATE TABLE t (id int);
-- up
CREATE INDEX idx_t ON t (id);
ALTER TABLE t ADD x int;
-- down
ALTER TABLE t DROP x;
-- says
index public.idx_t still exists
END

unproven 'a constraint stays' <<'END'
-- base
CREATE TABLE t (id int);
-- up
ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0);
-- down
-- says
constraint positive on public.t still exists
END

unproven 'a constraint does not come back' <<'END'
-- base
CREATE TABLE t (id int, CONSTRAINT positive CHECK (id > 0));
-- up
ALTER TABLE t DROP CONSTRAINT positive;
-- down
-- says
constraint positive on public.t is missing
END

unproven 'a constraint comes back as another' <<'END'
-- base
CREATE TABLE t (id int, CONSTRAINT positive CHECK (id > 0));
-- up
ALTER TABLE t DROP CONSTRAINT positive;
-- down
ALTER TABLE t ADD CONSTRAINT positive CHECK (id >= 0);
-- says
constraint positive on public.t: definition CHECK ((id > 0)) → CHECK ((id >= 0))
END

unproven 'a constraint comes back without being validated' <<'END'
-- base
CREATE TABLE t (id int, CONSTRAINT positive CHECK (id > 0));
-- up
ALTER TABLE t DROP CONSTRAINT positive;
-- down
ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0) NOT VALID;
-- says
constraint positive on public.t: definition CHECK ((id > 0)) → CHECK ((id > 0)) NOT VALID
END

unproven 'a sequence stays' <<'END'
-- up
CREATE SEQUENCE s;
CREATE TABLE t (id int);
-- down
DROP TABLE t;
-- says
sequence public.s still exists
END

unproven 'a function stays' <<'END'
-- up
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'SELECT 1';
-- down
DROP FUNCTION f(int);
-- says
function public.f(text) still exists
END

unproven 'a function does not get its body back' <<'END'
-- base
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
-- up
CREATE OR REPLACE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 2';
-- down
-- says
function public.f(integer): body SELECT 1 → SELECT 2
END

unproven 'a default does not go' <<'END'
-- base
CREATE TABLE t (id int);
-- up
ALTER TABLE t ALTER id SET DEFAULT 7;
-- down
-- says
column public.t.id: default none → 7
END

unproven 'a default does not come back' <<'END'
-- base
CREATE TABLE t (c timestamptz DEFAULT now());
-- up
ALTER TABLE t ALTER c DROP DEFAULT;
-- down
-- says
column public.t.c: default now() → none
END

unproven 'a type is another' <<'END'
-- base
CREATE TABLE t (c varchar(10) NOT NULL);
-- up
ALTER TABLE t ALTER c TYPE text;
-- down
ALTER TABLE t ALTER c TYPE varchar(20);
-- says
column public.t.c: type character varying(10) → character varying(20)
END

unproven 'NOT NULL stays' <<'END'
-- base
CREATE TABLE t (c int);
-- up
ALTER TABLE t ALTER c SET NOT NULL;
-- down
-- says
column public.t.c: not null no → yes
END

unproven 'a privilege stays' <<'END'
-- base
CREATE SEQUENCE s;
-- up
GRANT SELECT ON SEQUENCE s TO pg_monitor;
-- down
-- says
sequence public.s: privileges default → pg_monitor=r/postgres, postgres=rwU/postgres
END

unproven 'a privilege was revoked and does not come back' <<'END'
-- base
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- up
REVOKE EXECUTE ON FUNCTION f() FROM PUBLIC;
-- down
-- says
function public.f(): privileges default → postgres=X/postgres
END

unproven 'default privileges stay' <<'END'
-- up
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT ON TABLES TO pg_monitor;
-- down
-- says
default privileges tables of postgres in public still exists
END

unproven 'an owner stays' <<'END'
-- base
CREATE TABLE t (id int);
-- up
ALTER TABLE t OWNER TO pg_monitor;
-- down
-- says
table public.t: owner postgres → pg_monitor
END

unproven 'comments stay' <<'END'
-- base
CREATE TABLE t (id int);
-- up
COMMENT ON TABLE t IS 'of the table';
COMMENT ON COLUMN t.id IS 'of the column';
-- down
-- says
column public.t.id: comment none → of the column
table public.t: comment none → of the table
END

unproven 'a policy and row level security' <<'END'
-- base
CREATE TABLE t (id int);
-- up
ALTER TABLE t ENABLE ROW LEVEL SECURITY;
ALTER TABLE t FORCE ROW LEVEL SECURITY;
CREATE POLICY p ON t FOR SELECT USING (id > 0);
-- down
ALTER TABLE t NO FORCE ROW LEVEL SECURITY;
-- says
policy p on public.t still exists
table public.t: row level security no → yes
END

unproven 'a policy that is another' <<'END'
-- base
CREATE TABLE t (id int);
CREATE POLICY p ON t FOR SELECT USING (id > 0);
-- up
DROP POLICY p ON t;
-- down
CREATE POLICY p ON t FOR SELECT TO pg_monitor USING (id > 0);
-- says
policy p on public.t: to public → pg_monitor
END

unproven 'an enum keeps its new value' <<'END'
-- base
CREATE TYPE e AS ENUM ('a', 'c');
-- up
ALTER TYPE e ADD VALUE 'b' BEFORE 'c';
-- down
-- says
type public.e: values 'a', 'c' → 'a', 'b', 'c'
END

unproven 'an enum comes back in another order' <<'END'
-- base
CREATE TYPE e AS ENUM ('a', 'b');
-- up
DROP TYPE e;
-- down
CREATE TYPE e AS ENUM ('b', 'a');
-- says
type public.e: values 'a', 'b' → 'b', 'a'
END

unproven 'a domain' <<'END'
-- base
CREATE DOMAIN d AS int;
-- up
ALTER DOMAIN d ADD CONSTRAINT positive CHECK (VALUE > 0);
ALTER DOMAIN d SET DEFAULT 1;
-- down
ALTER DOMAIN d DROP CONSTRAINT positive;
-- says
domain public.d: default none → 1
END

unproven 'a trigger stays, and one stays disabled' <<'END'
-- base
CREATE TABLE t (id int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TRIGGER old BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
-- up
CREATE TRIGGER new BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE t DISABLE TRIGGER old;
-- down
-- says
trigger new on public.t still exists
trigger old on public.t: enabled yes → no
END

unproven 'an extension stays' <<'END'
-- up
CREATE EXTENSION citext;
-- down
-- says
extension citext still exists
END

proven 'an extension comes and goes with all that is in it' <<'END'
-- up
CREATE EXTENSION citext;
CREATE TABLE t (c citext);
-- down
DROP TABLE t;
DROP EXTENSION citext;
END

unproven 'a partition is detached and does not come back' <<'END'
-- base
CREATE TABLE t (id int) PARTITION BY RANGE (id);
CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10);
-- up
ALTER TABLE t DETACH PARTITION t1;
-- down
ALTER TABLE t ATTACH PARTITION t1 FOR VALUES FROM (0) TO (20);
-- says
table public.t1: partition bound FOR VALUES FROM (0) TO (10) → FOR VALUES FROM (0) TO (20)
END

unproven 'identity' <<'END'
-- base
CREATE TABLE t (id int NOT NULL);
-- up
ALTER TABLE t ALTER id ADD GENERATED BY DEFAULT AS IDENTITY;
-- down
-- says
column public.t.id: identity none → by default
sequence public.t_id_seq still exists
END

unproven 'a collation' <<'END'
-- base
CREATE TABLE t (c text);
-- up
ALTER TABLE t ALTER c TYPE text COLLATE "C";
-- down
-- says
column public.t.c: collation none → "C"
END

unproven 'a view that is another' <<'END'
-- base
CREATE VIEW v AS SELECT 1 AS one;
-- up
CREATE OR REPLACE VIEW v AS SELECT 1 AS one, 2 AS two;
-- down
DROP VIEW v; CREATE VIEW v AS SELECT 11 AS one;
-- says
view public.v: query SELECT 1 AS one; → SELECT 11 AS one;
END

unproven 'a schema stays' <<'END'
-- up
CREATE SCHEMA s;
CREATE TABLE s.t (id int);
-- down
DROP TABLE s.t;
-- says
schema s still exists
END

unproven 'a table is renamed, and that is not undone' <<'END'
-- base
CREATE TABLE t (id int);
-- up
ALTER TABLE t RENAME TO u;
-- down
-- says
column public.t.id is missing
column public.u.id still exists
table public.t is missing
table public.u still exists
END

proven 'a table is renamed, and back' <<'END'
-- base
CREATE TABLE t (id int PRIMARY KEY);
CREATE VIEW v AS SELECT * FROM t;
-- up
ALTER TABLE t RENAME TO u;
-- down
ALTER TABLE u RENAME TO t;
END

unproven 'names that need quotes' <<'END'
-- base
CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."a.b ""c""" ("Col 1" int);
-- up
ALTER TABLE "My Schema"."a.b ""c""" ADD "é'x" int;
CREATE INDEX "I.1" ON "My Schema"."a.b ""c""" ("Col 1");
-- down
-- says
column "My Schema"."a.b ""c"""."é'x" still exists
index "My Schema"."I.1" still exists
END

proven 'names that need quotes' <<'END'
-- base
CREATE SCHEMA "My Schema";
CREATE TABLE "My Schema"."a.b ""c""" ("Col 1" int);
-- up
ALTER TABLE "My Schema"."a.b ""c""" ADD "é'x" int;
CREATE INDEX "I.1" ON "My Schema"."a.b ""c""" ("Col 1");
CREATE FUNCTION "My Schema"."F()"("arg 1" int) RETURNS int LANGUAGE sql AS 'SELECT 1';
-- down
DROP FUNCTION "My Schema"."F()"(int);
DROP INDEX "My Schema"."I.1";
ALTER TABLE "My Schema"."a.b ""c""" DROP "é'x";
END

# --- what others did -------------------------------------------------------------------------

proven 'what was there already is left alone: CREATE IF NOT EXISTS and a down that drops only its own' <<'END'
-- base
CREATE TABLE t (id int);
-- up
CREATE TABLE IF NOT EXISTS t (id int);
CREATE TABLE u (id int);
-- down
DROP TABLE u;
END

unproven 'CREATE IF NOT EXISTS on a table that existed, and a down that drops it' <<'END'
-- base
CREATE TABLE t (id int);
-- up
CREATE TABLE IF NOT EXISTS t (id int);
-- down
DROP TABLE t;
-- says
column public.t.id is missing
table public.t is missing
END

proven 'drift elsewhere is no failure' <<'END'
-- base
CREATE TABLE other (id int);
-- up
CREATE TABLE t (id int);
-- down
DROP TABLE t;
-- drift
ALTER TABLE other ADD x int DEFAULT 1;
CREATE INDEX i ON other (id);
CREATE TABLE further (id int);
DROP VIEW IF EXISTS nosuch;
END

unproven 'a column that somebody added goes with the table' <<'END'
-- up
CREATE TABLE t (id int);
-- down
DROP TABLE t;
-- drift
ALTER TABLE t ADD added int;
-- says
column public.t.added is missing
END

unproven 'CASCADE takes somebody else'\''s view' <<'END'
-- up
CREATE TABLE t (id int);
-- down
DROP TABLE t CASCADE;
-- drift
CREATE VIEW report AS SELECT * FROM t;
-- says
column public.report.id is missing
view public.report is missing
END

unproven 'the down changes what has nothing to do with it' <<'END'
-- base
CREATE TABLE other (id int);
-- up
CREATE TABLE t (id int);
-- down
DROP TABLE t;
ALTER TABLE other ADD x int;
-- says
column public.other.x still exists
END

# --- order of columns ------------------------------------------------------------------------

order () {	# up, down; the tables that the JSON names
	fresh &&
	db_sql "CREATE TABLE t (a int, \"b, c\" int, \"d\"\"e\" int); CREATE TABLE u (a int, b int)" &&
	migration 001_x "$1" "$2" &&
	git apply-migration -q &&
	git rollback-db --yes --json 001 >out &&
	{ tr -d "\n " <out && echo; } | sed "s/.*\"result\":\"\([a-z]*\)\".*\"column_order\":\(\[[^]]*\]\).*/\1 \2/" >actual &&
	echo "proven $3" >expect &&
	test_cmp expect actual
}

test_expect_success 'a column that comes back stands last: reported, and no difference' '
	order "ALTER TABLE t DROP a;" "ALTER TABLE t ADD a int;" "[\"public.t\"]" &&
	order "ALTER TABLE t DROP \"b, c\";" "ALTER TABLE t ADD \"b, c\" int;" "[\"public.t\"]" &&
	order "ALTER TABLE t DROP a; ALTER TABLE u DROP a;" "ALTER TABLE t ADD a int; ALTER TABLE u ADD a int;" "[\"public.t\",\"public.u\"]" &&
	fresh && db_sql "CREATE TABLE t (a int, b int); CREATE TABLE u (a int, b int)" &&
	migration 001_x "ALTER TABLE t DROP a; ALTER TABLE u DROP a;" "ALTER TABLE t ADD a int; ALTER TABLE u ADD a int;" &&
	git apply-migration -q && db_sql "ALTER TABLE t ADD new int" &&
	git rollback-db --yes -v 001 >out &&
	test_write_lines "Proven: the schema is what it was before." \
		"The order of columns is another: public.t" \
		"The order of columns is another: public.u" >expect &&
	proof <out >actual &&
	test_cmp expect actual
'

test_expect_success 'a column that comes or goes at the end changes no order' '
	order "ALTER TABLE t ADD f int;" "ALTER TABLE t DROP f;" "[]" &&
	order "ALTER TABLE t DROP \"d\"\"e\";" "ALTER TABLE t ADD \"d\"\"e\" int;" "[]" &&
	order "CREATE TABLE v (a int, b int);" "DROP TABLE v;" "[]" &&
	order "DROP TABLE t;" "CREATE TABLE t (a int, \"b, c\" int, \"d\"\"e\" int);" "[]" &&
	order "DROP TABLE t;" "CREATE TABLE t (\"b, c\" int, a int, \"d\"\"e\" int);" "[\"public.t\"]"
'

# --- options ---------------------------------------------------------------------------------

leftover () {
	fresh &&
	migration 001_a "CREATE TABLE a (id int); CREATE INDEX i ON a (id);" "DROP TABLE a;" &&
	migration 002_b "CREATE TABLE b (id int);" "SELECT 1;" &&
	git apply-migration -q
}

test_expect_success '--no-proof does not look' '
	leftover &&
	git rollback-db --yes --no-proof 002 >out &&
	test_grep ! -i "proven" out &&
	applied >actual &&
	echo 001 >expect &&
	test_cmp expect actual &&
	db_sql "SELECT fingerprint_before IS NULL, fingerprint_after IS NULL FROM schema_rollback_log WHERE direction = \$\$down\$\$" >actual &&
	echo "t|t" >expect &&
	test_cmp expect actual &&
	fresh && leftover &&
	git rollback-db --yes --no-proof --json 002 >out &&
	test_grep "\"result\": \"skipped\"" out
'

test_expect_success '--accept-difference keeps it, and says what it is' '
	leftover &&
	git rollback-db --yes --accept-difference 002 >out 2>err &&
	test_write_lines "Not proven: the schema is not what it should be:" \
		"  column public.b.id still exists" "  table public.b still exists" >expect &&
	proof <out >actual &&
	test_cmp expect actual &&
	test_grep "^rolled back 002" out &&
	applied >actual &&
	echo 001 >expect &&
	test_cmp expect actual
'

test_expect_success 'the JSON of a failed proof: exit 1, nothing done' '
	leftover &&
	schema_and_records >before &&
	test_expect_code 1 git rollback-db --yes --json --all >out 2>err &&
	tr -d "\n " <out >actual &&
	test_grep "\"outcome\":\"unproven\",\"proof\":{\"result\":\"different\",\"differences\":\[\"columnpublic.b.idstillexists\",\"tablepublic.bstillexists\"\]," actual &&
	test_grep "\"done\": false" out &&
	test_grep ! "\"done\": true" out &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'one down of two that leaves something takes both back' '
	leftover &&
	schema_and_records >before &&
	test_expect_code 1 git rollback-db --yes --all >out &&
	sed -E "s/\([0-9.]+ m?s\)/(TIME)/" out >actual &&
	cat >expect <<-\END &&
	undone again 002 b (TIME)
	undone again 001 a (TIME)
	Not proven: the schema is not what it should be:
	  column public.b.id still exists
	  table public.b still exists
	Everything was undone: nothing has changed.
	END
	test_cmp expect actual &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'a failed proof says in ASCII what the locale cannot' '
	fresh &&
	db_sql "CREATE TABLE t (c int DEFAULT 1)" &&
	migration 001_x "ALTER TABLE t ALTER c SET DEFAULT 2;" "SELECT 1;" &&
	git apply-migration -q &&
	test_expect_code 1 env LC_ALL=C git rollback-db --yes 001 >out &&
	test_grep "^  column public.t.c: default 1 -> 2\$" out
'

# --- several migrations ----------------------------------------------------------------------

# Three that change one table, each on top of the other.
stack () {
	fresh &&
	migration 001_t "CREATE TABLE t (a int);" "DROP TABLE t;" &&
	migration 002_b "ALTER TABLE t ADD b int; ALTER TABLE t ALTER a TYPE bigint; COMMENT ON TABLE t IS ${SQ}two${SQ};" \
		"COMMENT ON TABLE t IS NULL; ALTER TABLE t ALTER a TYPE int; ALTER TABLE t DROP b;" &&
	migration 003_c "ALTER TABLE t ALTER a SET DEFAULT 3; ALTER TABLE t ALTER b TYPE text; COMMENT ON TABLE t IS ${SQ}three${SQ};" \
		"COMMENT ON TABLE t IS ${SQ}two${SQ}; ALTER TABLE t ALTER b TYPE int USING b::int; ALTER TABLE t ALTER a DROP DEFAULT;" &&
	git apply-migration -q
}

test_expect_success 'several that touch one object: back to before the oldest' '
	stack &&
	db_dump --no-tracking >with &&
	for how in "--to 001" "--all"
	do
		git rollback-db --yes $how >out &&
		test_grep "^Proven" out &&
		git apply-migration -q &&
		db_dump --no-tracking >actual &&
		test_cmp with actual || return 1
	done &&
	git rollback-db --yes 003 >out && test_grep "^Proven" out &&
	git rollback-db --yes 002 >out && test_grep "^Proven" out &&
	git rollback-db --yes 001 >out && test_grep "^Proven" out
'

test_expect_success 'what the newer down leaves and the older takes away is no difference' '
	stack &&
	echo "SELECT 1;" >migrations/003_c.down.sql &&
	git rollback-db --yes --all >out 2>err &&
	test_grep "^Proven" out
'

test_expect_success 'what the older down does not take away is' '
	stack &&
	echo "COMMENT ON TABLE t IS ${SQ}two${SQ};" >migrations/003_c.down.sql &&
	test_expect_code 1 git rollback-db --yes --to 001 >out 2>err &&
	cat >expect <<-\END &&
	Not proven: the schema is not what it should be:
	  column public.t.a: default none → 3
	Everything was undone: nothing has changed.
	END
	proof <out >actual &&
	test_cmp expect actual
'

test_expect_success 'one out of the middle: what came later is no difference' '
	fresh &&
	migration 001_t "CREATE TABLE t (a int);" "DROP TABLE t;" &&
	migration 002_b "ALTER TABLE t ADD b int; CREATE INDEX tb ON t (b);" "DROP INDEX tb; ALTER TABLE t DROP b;" &&
	migration 003_c "ALTER TABLE t ADD c int; CREATE TABLE u (id int);" "DROP TABLE u; ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	git rollback-db --yes 002 >out 2>err &&
	test_grep "^Proven" out &&
	test_grep "^warning: applied later, and stays: 003\$" err &&
	git apply-migration -q --allow-out-of-order &&
	git rollback-db --yes --all >out 2>err &&
	test_grep "^Proven" out
'

test_expect_success 'one out of the middle that takes what a later one made' '
	fresh &&
	migration 001_t "CREATE TABLE t (a int);" "DROP TABLE t CASCADE;" &&
	migration 002_v "CREATE VIEW v AS SELECT * FROM t;" "DROP VIEW v;" &&
	git apply-migration -q &&
	schema_and_records >before &&
	test_expect_code 1 git rollback-db --yes 001 >out 2>err &&
	cat >expect <<-\END &&
	Not proven: the schema is not what it should be:
	  column public.v.a is missing
	  view public.v is missing
	Everything was undone: nothing has changed.
	END
	proof <out >actual &&
	test_cmp expect actual &&
	schema_and_records >after &&
	test_cmp before after
'

test_expect_success 'the proof holds across groups, when one runs outside a transaction' '
	fresh &&
	migration 001_t "CREATE TABLE t (a int);" "DROP TABLE t;" &&
	migration 002_i "CREATE INDEX i ON t (a);" "DROP INDEX CONCURRENTLY i;" &&
	migration 003_c "ALTER TABLE t ADD c int;" "ALTER TABLE t DROP c;" &&
	git apply-migration -q &&
	git rollback-db --yes --all >out &&
	test_grep "^Proven" out
'

test_expect_success 'a group that is not proven is undone, those before it stay, those behind never run' '
	fresh &&
	migration 001_t "CREATE TABLE t (a int);" "DROP TABLE t;" &&
	migration 002_u "CREATE TABLE u (a int);" "SELECT 1;" &&
	migration 003_i "CREATE INDEX i ON t (a);" "DROP INDEX CONCURRENTLY i;" &&
	migration 004_d "CREATE TABLE d (a int);" "DROP TABLE d;" &&
	git apply-migration -q &&
	test_expect_code 1 git rollback-db --yes --all >out 2>err &&
	sed -E "s/\([0-9.]+ m?s\)/(TIME)/" out >actual &&
	cat >expect <<-\END &&
	rolled back 004 d (TIME)
	rolled back 003 i (TIME)
	undone again 002 u (TIME)
	undone again 001 t (TIME)
	Not proven: the schema is not what it should be:
	  column public.u.a still exists
	  table public.u still exists
	What is rolled back above stays so; nothing else has changed.
	END
	test_cmp expect actual &&
	test_write_lines 001 002 >expect &&
	applied >actual &&
	test_cmp expect actual &&
	db_sql "SELECT to_regclass(x) FROM unnest(ARRAY[\$\$t\$\$, \$\$u\$\$, \$\$i\$\$, \$\$d\$\$]) x" >actual &&
	test_write_lines t u "" "" >expect &&
	test_cmp expect actual
'

test_expect_success 'an unproven script outside a transaction stays, and the next does not run' '
	fresh &&
	migration 001_t "CREATE TABLE t (a int);" "DROP TABLE t;" &&
	migration 002_i "CREATE INDEX i ON t (a); CREATE INDEX j ON t (a);" "DROP INDEX CONCURRENTLY i;" &&
	git apply-migration -q &&
	test_expect_code 1 git rollback-db --yes --all >out 2>err &&
	sed -E "s/\([0-9.]+ m?s\)/(TIME)/" out >actual &&
	cat >expect <<-\END &&
	rolled back 002 i (TIME)
	Not proven: the schema is not what it should be:
	  index public.j still exists
	What is rolled back above stays so; nothing else has changed.
	END
	test_cmp expect actual &&
	echo 001 >expect &&
	applied >actual &&
	test_cmp expect actual
'

test_expect_success '--accept-difference with groups says the differences of all of them' '
	fresh &&
	migration 001_t "CREATE TABLE t (a int);" "DROP TABLE t; CREATE TABLE x1 (a int);" &&
	migration 002_i "CREATE INDEX i ON t (a);" "DROP INDEX CONCURRENTLY i;" &&
	migration 003_c "CREATE TABLE c (a int);" "DROP TABLE c; CREATE TABLE x3 (a int);" &&
	git apply-migration -q &&
	git rollback-db --yes --accept-difference --all >out &&
	cat >expect <<-\END &&
	Not proven: the schema is not what it should be:
	  column public.x1.a still exists
	  column public.x3.a still exists
	  table public.x1 still exists
	  table public.x3 still exists
	END
	proof <out >actual &&
	test_cmp expect actual
'

# --- not recorded ----------------------------------------------------------------------------

test_expect_success 'what another tool applied is said, and not held against it' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 002_b "CREATE TABLE b (id int);" "DROP TABLE b;" &&
	git apply-migration -q &&
	db_sql "DELETE FROM schema_rollback_log WHERE version = \$\$001\$\$" &&
	git rollback-db --yes --all >out &&
	test_write_lines "Not proven: nothing is recorded of what these migrations changed:" "  001" >expect &&
	proof <out >actual &&
	test_cmp expect actual &&
	applied >actual &&
	test_must_be_empty actual
'

test_expect_success 'beside an unrecorded one, what is recorded has to be right all the same' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	migration 002_b "CREATE TABLE b (id int);" "SELECT 1;" &&
	git apply-migration -q &&
	db_sql "DELETE FROM schema_rollback_log WHERE version = \$\$001\$\$" &&
	test_expect_code 1 git rollback-db --yes --all >out &&
	cat >expect <<-\END &&
	Not proven: the schema is not what it should be:
	  column public.b.id still exists
	  table public.b still exists
	Everything was undone: nothing has changed.
	END
	proof <out >actual &&
	test_cmp expect actual
'

test_expect_success 'what was applied without proof is unrecorded as well' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	git apply-migration -q --no-proof &&
	git rollback-db --yes 001 >out &&
	test_write_lines "Not proven: nothing is recorded of what these migrations changed:" "  001" >expect &&
	proof <out >actual &&
	test_cmp expect actual
'

test_expect_success 'a record that cannot be read is named, and nothing changes' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a;" &&
	git apply-migration -q &&
	for broken in "{}" "[1]" "[{}]"
	do
		db_sql "UPDATE schema_rollback_log SET objects = \$\$$broken\$\$" &&
		schema_and_records >before &&
		test_expect_code 128 git rollback-db --yes 001 2>err &&
		test_grep "^fatal: migration .001.: " err &&
		schema_and_records >after &&
		test_cmp before after || return 1
	done &&
	git rollback-db --yes --no-proof 001
'

# --- the record ------------------------------------------------------------------------------

test_expect_success 'the log has the objects that the up changed, with their digests' '
	fresh &&
	db_sql "CREATE TABLE t (id int)" &&
	migration 001_x "ALTER TABLE t ALTER id SET DEFAULT 1; CREATE VIEW v AS SELECT 1 AS one;" "DROP VIEW v; ALTER TABLE t ALTER id DROP DEFAULT;" &&
	git apply-migration -q &&
	db_sql "SELECT o ->> \$\$kind\$\$, o ->> \$\$identity\$\$, o ->> \$\$before\$\$ ~ \$\$^[0-9a-f]{64}\$\$,
		o ->> \$\$after\$\$ ~ \$\$^[0-9a-f]{64}\$\$, o ->> \$\$definition\$\$ IS NOT NULL,
		(SELECT string_agg(k, \$\$,\$\$ ORDER BY k) FROM jsonb_object_keys(o) k)
		FROM schema_rollback_log, jsonb_array_elements(objects) o
		WHERE o ->> \$\$order\$\$ IS NULL ORDER BY 1, 2" >actual &&
	cat >expect <<-\END &&
	column|public.t.id|t|t|t|after,before,definition,identity,kind
	column|public.v.one||t|f|after,before,definition,identity,kind
	view|public.v||t|f|after,before,definition,identity,kind
	END
	test_cmp expect actual
'

test_expect_success 'the tracking tables are no part of it' '
	fresh &&
	migration 001_a "CREATE TABLE a (id int);" "DROP TABLE a; COMMENT ON TABLE schema_migrations IS ${SQ}changed${SQ}; CREATE INDEX ON schema_rollback_log (who);" &&
	git apply-migration -q &&
	db_sql "SELECT count(*) FROM schema_rollback_log WHERE objects::text LIKE \$\$%schema_%\$\$" >actual &&
	echo 0 >expect &&
	test_cmp expect actual &&
	git rollback-db --yes 001 >out &&
	test_grep "^Proven" out
'

test_expect_success 'a baseline rolled back together with what was built on it' '
	fresh &&
	db_sql "CREATE TABLE a (id int, b int)" &&
	migration 001_a "CREATE TABLE a (id int, b int);" "DROP TABLE a;" &&
	migration 002_b "ALTER TABLE a ALTER b SET DEFAULT 5;" "ALTER TABLE a ALTER b DROP DEFAULT;" &&
	git apply-migration -q --baseline 001 && git apply-migration -q &&
	git rollback-db --yes --all >out &&
	test_grep "nothing is recorded" out &&
	test "$(db_sql "SELECT count(*) FROM schema_migrations")" = 0
'

test_done
