#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='the canonical catalog of a database

catalog/base.sql has an object of each kind. catalog/mutations.sql has changes of it, and each has to
be seen, to be undone by ROLLBACK, and to give the same by a refresh as by reading everything.
What a change is, pg_dump says.

TEST_LONG=1 asks pg_dump about all changes, and not about one in ten.'

. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

test -z "${TEST_LONG:-}" || test_set_prereq LONG

tool=$BUILD/t/unit/pg-catalog-tool
base=$TEST_DIRECTORY/catalog/base.sql
mutations=$TEST_DIRECTORY/catalog/mutations.sql

# Roles and subscriptions belong to the cluster, and tests here rename them.
make_base () {	# database
	db_create "$1" && psql_at "$1" -f "$base"
}

drop_base () {	# database
	{ psql_at "$1" -c 'DROP SUBSCRIPTION IF EXISTS sub' || true; } && db_drop "$1"
}

# A copy of the database base, and a change of it.
dump_of_change () {	# line
	db_drop changed &&
	psql_at postgres -c 'CREATE DATABASE changed TEMPLATE base STRATEGY file_copy' &&
	printf '%s\n' "$1" | sed 's/ ;; /;\n/g; s/@DATABASE@/changed/g; s/$/;/' |
	psql_at changed -f - >/dev/null &&
	"$PG_BINDIR"/pg_dump --schema-only -h "$pg_host" -p "$PG_PORT" -U "$PG_SUPERUSER" changed >dump &&
	sed '/^\\\(un\)\{0,1\}restrict /d' dump
}

show () {	# arguments of the tool
	"$tool" show "$@" >out && sed -n '$!p' out
}

test_expect_success 'start a server, and make one object of each kind' '
	pg_start_private_cluster catalog -c wal_level=logical &&
	psql_at postgres -c "CREATE ROLE t1500_owner" -c "CREATE ROLE t1500_reader LOGIN" \
		-c "CREATE ROLE \"t1500 Odd.Role\"" &&
	make_base base &&
	show "$(db_url base)" >base.txt &&
	cut -d" " -f1 base.txt >words &&
	for kind in access aggregate cast collation column constraint conversion default domain event \
		extension foreign function index language materialized operator policy procedure \
		publication rule schema sequence server statistics subscription table text transform \
		trigger type user view
	do
		grep -q -x "$kind" words || return 1
	done
'

test_expect_success 'no OIDs, no random versions of attributes, no secrets' '
	test_grep ! "pg_attver" base.txt &&
	test_grep ! "secret" base.txt &&
	test_grep ! "nowhere" base.txt &&
	grep -v "^m[a-z]*imum: " base.txt >no-limits &&
	test_grep ! "^[a-z ]*: .*[^0-9][1-9][0-9]\{4\}[^0-9]*$" no-limits
'

test_expect_success 'names are quoted as PostgreSQL does it' '
	printf "%s\n" "column \"We ird.\"\"x\".\"ta.b\"\"le'\''s\".\"Select\"" "type: text" \
		"default: '\''a'\'''\''b'\''::text" "comment: two" "	lines: of	text" >expect &&
	sed -n "/^column \"We.*Select/,/^	/p" base.txt >actual &&
	test_cmp expect actual &&
	test_grep "^table \"We ird.\"\"x\".\"ta.b\"\"le.s\"$" base.txt &&
	test_grep "^index \"We ird.\"\"x\".\"i\"\"x\"$" base.txt &&
	test_grep "^constraint \"c o\"\"n\" on \"We ird.\"\"x\".\"ta.b\"\"le.s\"$" base.txt &&
	test_grep "^trigger \"t g\" on \"We ird" base.txt &&
	test_grep "^function \"We ird.\"\"x\".\"f n\"(integer)$" base.txt &&
	test_grep "^owner: \"t1500 Odd.Role\"$" base.txt
'

test_expect_success 'what is as by default is not said' '
	cat >expect <<-\END &&
	column public.p.n
	type: text
	default: '\''x'\''::text
	END
	sed -n "/^column public.p.n$/,/^column public.p.v$/{/^column public.p.v$/!p}" base.txt >actual &&
	test_cmp expect actual
'

test_expect_success 'reading twice gives the same' '
	show "$(db_url base)" >again.txt &&
	test_cmp base.txt again.txt
'

test_expect_success 'each change is seen and undone, and a refresh gives what reading gives' '
	"$tool" run "$(db_url base)" "$mutations" >changes &&
	test_grep ! "^failed" changes &&
	test_grep "^same" changes &&
	test_grep "^changed" changes
'

test_expect_success 'settings stay as they are' '
	make_base scratch &&
	"$tool" settings "$(db_url scratch)" &&
	drop_base scratch
'

test_expect_success 'other sessions, other catalogs, failures, a pooler' '
	make_base scratch &&
	"$tool" others "$(db_url scratch)" &&
	drop_base scratch
'

test_expect_success 'a dump that is restored has the same fingerprint' '
	"$PG_BINDIR"/pg_dump --schema-only -h "$pg_host" -p "$PG_PORT" -U "$PG_SUPERUSER" base >base.dump &&
	db_create restored &&
	psql_at restored -f base.dump >/dev/null &&
	"$tool" compare "$(db_url base)" "$(db_url restored)" >differences &&
	test_must_be_empty differences &&
	drop_base restored
'

# What pg_dump sees has to be seen, and the reverse, but for: the order of columns; comments and
# privileges on what initdb made, which it does not dump. Subscriptions are not copied with a database,
# and a few lines are about the session.
ask_pg_dump () {	# every how manieth line
	dump_of_change "SELECT 1" >unchanged &&
	sed -e '/^#/d' -e '/SUBSCRIPTION/d' -e '/ROLE/d' -e '/LANGUAGE sql FROM/d' \
		-e '/EXTENSION plpgsql/d' -e '/loose DROP a/d' -e '/^same SET/d' -e '/^same .*PREPARE/d' \
		-e '/^same DEALLOCATE/d' "$mutations" | awk -v every="$1" 'NR % every == 0' >lines &&
	while read -r line
	do
		expect=changed
		case $line in same\ *) expect=same line=${line#same } ;; esac
		dump_of_change "$line" >dumped || return
		actual=changed
		cmp -s unchanged dumped && actual=same
		"$tool" fingerprint "$(db_url changed)" >print || return
		seen=changed
		cmp -s unchanged.print print && seen=same
		test "$actual $seen" = "$expect $expect" ||
		echo "pg_dump: $actual, fingerprint: $seen, expected: $expect: $line"
	done <lines >wrong &&
	test_must_be_empty wrong
}

test_expect_success 'pg_dump of a copy' '
	drop_base base &&
	make_base base &&
	psql_at base -c "DROP SUBSCRIPTION sub" &&
	dump_of_change "SELECT 1" >unchanged &&
	"$tool" fingerprint "$(db_url changed)" >unchanged.print
'
test_expect_success '!LONG' 'what pg_dump shows to be changed is (one in ten)' 'ask_pg_dump 10'
test_expect_success LONG 'what pg_dump shows to be changed is (all)' 'ask_pg_dump 1'

test_expect_success 'a role without rights reads the same' '
	show "$(db_url base)" >all.txt &&
	show "$(db_url base | sed "s/user=[^&]*/user=t1500_reader/")" >seen.txt &&
	cat >expect <<-\END &&
	< options: "user", password
	< values: ....
	END
	{ diff all.txt seen.txt || true; } >differences &&
	sed -n "s/values: .*/values: ..../; /^[<>]/p" differences >actual &&
	test_cmp expect actual &&
	psql_at base -c "ALTER USER MAPPING FOR t1500_reader SERVER srv OPTIONS (DROP user, DROP password)" &&
	"$tool" fingerprint "$(db_url base)" >all &&
	"$tool" fingerprint "$(db_url base | sed "s/user=[^&]*/user=t1500_reader/")" >seen &&
	test_cmp all seen
'

test_expect_success 'what the scope leaves out does not count' '
	"$tool" fingerprint "$(db_url base)" >before &&
	psql_at base -f - <<-\END &&
	CREATE TABLE other."schema ""migrations" (id serial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY,
		v text UNIQUE CHECK (v <> '\'''\''), p int REFERENCES public.p);
	CREATE INDEX mig ON other."schema ""migrations" (v);
	CREATE SEQUENCE other.own OWNED BY other."schema ""migrations".v;
	CREATE STATISTICS other.stat ON id, v FROM other."schema ""migrations";
	CREATE TRIGGER t BEFORE INSERT ON other."schema ""migrations" FOR EACH ROW EXECUTE FUNCTION tf();
	CREATE POLICY p ON other."schema ""migrations";
	COMMENT ON TABLE other."schema ""migrations" IS '\''ours'\'';
	COMMENT ON COLUMN other."schema ""migrations".v IS '\''ours'\'';
	COMMENT ON INDEX other.mig IS '\''ours'\'';
	GRANT SELECT ON other."schema ""migrations" TO t1500_reader;
	ALTER PUBLICATION pub ADD TABLE other."schema ""migrations";
	CREATE SCHEMA quarantine;
	CREATE TABLE quarantine.p (LIKE public.p INCLUDING ALL);
	CREATE FUNCTION quarantine.f() RETURNS int LANGUAGE sql AS '\''select 1'\'';
	CREATE TYPE quarantine.e AS ENUM ();
	END
	"$tool" fingerprint "$(db_url base)" >with &&
	! cmp before with &&
	"$tool" fingerprint -x "other.schema \"migrations" -X quarantine "$(db_url base)" >after &&
	test_cmp before after
'

test_expect_success 'the order of columns is a class of its own' '
	db_create one && db_create two &&
	psql_at one -c "CREATE TABLE t (a int, b text); CREATE TYPE ct AS (a int, b int)" &&
	psql_at two -c "CREATE TABLE t (b text, a int); CREATE TYPE ct AS (b int, a int)" &&
	"$tool" compare "$(db_url one)" "$(db_url two)" >actual &&
	cat >expect <<-\END &&
	column order public.ct: columns a, b → b, a
	column order public.t: columns a, b → b, a
	END
	test_cmp expect actual
'

test_expect_success 'differences as people read them' '
	psql_at one -c "CREATE TABLE u (id int PRIMARY KEY, n text NOT NULL DEFAULT now(), e int)" \
		-c "CREATE INDEX u_e ON u (e)" -c "CREATE VIEW v AS SELECT id FROM u" \
		-c "COMMENT ON COLUMN u.e IS '\''one'\''" &&
	psql_at two -c "CREATE TABLE u (id int PRIMARY KEY, n text, e bigint)" \
		-c "CREATE VIEW v AS SELECT id FROM u WHERE n > '\'''\''" \
		-c "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS '\''select 1'\''" &&
	test_expect_code 1 "$tool" compare "$(db_url one)" "$(db_url two)" >actual &&
	cat >expect <<-\END &&
	column public.u.e: type integer → bigint, comment one → none
	column public.u.n: not null yes → no, default now() → none
	column order public.ct: columns a, b → b, a
	column order public.t: columns a, b → b, a
	function public.f() still exists
	index public.u_e is missing
	view public.v: query SELECT u.id FROM public.u; → SELECT u.id FROM public.u WHERE (u.n > '\'''\''::text);
	END
	test_cmp expect actual
'

# Last: it renames roles.
test_expect_success 'changes that are committed, one after the other' '
	make_base chained &&
	# Without what pg_dump makes nothing of, or a dump that cannot be restored.
	sed -e "/ALTER EXTENSION hstore DROP/d" -e "/EXTENSION plpgsql/d" -e "/LANGUAGE sql FROM/d" \
		"$mutations" >chain &&
	"$tool" chain "$(db_url chained)" chain &&
	psql_at chained -c "DROP SUBSCRIPTION IF EXISTS subs"
'

test_expect_success 'what they lead to is dumped and restored with the same fingerprint' '
	"$PG_BINDIR"/pg_dump --schema-only -h "$pg_host" -p "$PG_PORT" -U "$PG_SUPERUSER" chained >chained.dump &&
	db_create restored_chain &&
	psql_at restored_chain -f chained.dump >/dev/null &&
	"$tool" compare "$(db_url chained)" "$(db_url restored_chain)" >differences &&
	test_must_be_empty differences
'

test_done
