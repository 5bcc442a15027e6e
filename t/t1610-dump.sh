#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='archives that pg_dump writes, and what is picked out of them'

. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

tool=$BUILD/t/unit/pg-dump-tool

test_expect_success 'set up' '
	db_sql "CREATE SCHEMA \"odd name\";
		CREATE TABLE t (id serial PRIMARY KEY, c text CHECK (c <> \$\$x\$\$));
		CREATE TABLE \"odd name\".\"TABLE DATA of mine\" (id integer REFERENCES t);
		CREATE VIEW v AS SELECT * FROM t;
		CREATE FUNCTION f() RETURNS text LANGUAGE sql AS \$f\$ SELECT 1::text /*
\\restrict x
*/ \$f\$;
		INSERT INTO t (c) SELECT repeat(\$\$y\$\$, i) FROM generate_series(1, 500) AS i;
		SELECT lo_create(4711)" &&
	db_dump >expect.sql &&
	db_create ${db_name}_copy
'

test_expect_success 'an archive of the schema, and of all' '
	"$tool" archive "$DATABASE_URL" schema.dump &&
	"$tool" archive-rows "$DATABASE_URL" all.dump &&
	"$tool" restore "$(db_url ${db_name}_copy)" schema.dump &&
	psql_at ${db_name}_copy -c "SELECT count(*) FROM t" >actual &&
	echo 0 >expect && test_cmp expect actual &&
	db_reset ${db_name}_copy &&
	"$tool" restore "$(db_url ${db_name}_copy)" all.dump &&
	psql_at ${db_name}_copy -c "SELECT count(*), sum(length(c)) FROM t" \
		-c "SELECT oid FROM pg_largeobject_metadata" >actual &&
	test_write_lines "500|125250" 4711 >expect && test_cmp expect actual &&
	db_name=${db_name}_copy db_dump >actual.sql &&
	test_cmp expect.sql actual.sql
'

test_expect_success 'its file can be rewound: the entries know where their rows are' '
	db_reset ${db_name}_copy &&
	"$PG_BINDIR"/pg_restore -j 2 -d "$(db_url ${db_name}_copy)" all.dump 2>err &&
	test_must_be_empty err
'

test_expect_success 'its entries have the OIDs of the catalog' '
	"$tool" list "$DATABASE_URL" schema.dump >entries &&
	db_sql "SELECT format(\$\$%s|%s|TABLE|public t\$\$, tableoid::oid, oid)
			FROM pg_class WHERE relname = \$\$t\$\$
		UNION ALL SELECT format(\$\$%s|%s|TABLE|odd name %s\$\$, tableoid::oid, oid, relname)
			FROM pg_class WHERE relname LIKE \$\$TABLE%\$\$
		UNION ALL SELECT format(\$\$%s|%s|FK CONSTRAINT|odd name\$\$, tableoid::oid, oid)
			FROM pg_constraint WHERE contype = \$\$f\$\$
		UNION ALL SELECT format(\$\$%s|%s|SEQUENCE OWNED BY|public\$\$, 0, 0)" >expect &&
	while read -r line
	do
		grep -q -F "|$line " entries || { echo "$line"; return 1; }
	done <expect
'

test_expect_success 'the SQL of some, in which no command of psql is' '
	oids=$(db_sql "SELECT oid FROM pg_class WHERE relname = \$\$v\$\$
		UNION ALL SELECT oid FROM pg_proc WHERE proname = \$\$f\$\$") &&
	"$tool" sql "$DATABASE_URL" schema.dump $oids >actual.sql &&
	test_grep "CREATE VIEW public.v" actual.sql &&
	test_grep "CREATE FUNCTION public.f" actual.sql &&
	test_grep ! "CREATE TABLE" actual.sql &&
	grep restrict actual.sql >actual &&
	printf "%s\n" "\\restrict x" >expect &&
	test_cmp expect actual
'

test_expect_success 'restoring is all or nothing, and says why' '
	db_reset ${db_name}_copy &&
	psql_at ${db_name}_copy -c "CREATE VIEW v AS SELECT 1 AS one" &&
	test_expect_code 128 "$tool" restore "$(db_url ${db_name}_copy)" all.dump 2>err &&
	test_grep "could not restore it: .*\"v\" already exists" err &&
	psql_at ${db_name}_copy -c "SELECT to_regclass(\$\$t\$\$) IS NULL" >actual &&
	echo t >expect && test_cmp expect actual &&
	test_expect_code 128 "$tool" restore-text "$(db_url ${db_name}_copy)" expect.sql 2>err &&
	test_grep "could not restore it: relation \"v\" already exists" err &&
	psql_at ${db_name}_copy -c "SELECT to_regclass(\$\$t\$\$) IS NULL" >actual &&
	test_cmp expect actual &&
	psql_at ${db_name}_copy -c "DROP VIEW v" &&
	"$tool" restore-text "$(db_url ${db_name}_copy)" expect.sql &&
	db_name=${db_name}_copy db_dump >actual.sql &&
	test_cmp expect.sql actual.sql
'

test_expect_success 'what is no archive, and one cut short, are said' '
	echo nothing >broken.dump &&
	test_expect_code 128 "$tool" list "$DATABASE_URL" broken.dump 2>err &&
	test_grep "could not read the archive: input file" err &&
	head -c 300 schema.dump >broken.dump &&
	test_expect_code 128 "$tool" list "$DATABASE_URL" broken.dump 2>err &&
	test_grep "could not read the archive: " err
'

test_expect_success 'the password is in no argument' '
	db_sql "CREATE ROLE t1610 SUPERUSER LOGIN PASSWORD \$\$very-secret\$\$" &&
	mkdir bin &&
	for program in pg_dump pg_restore psql
	do
		write_script bin/$program <<-END || return 1
		printf "%s\n" "\$0" "\$@" >>"$TRASH_DIRECTORY/arguments"
		exec "$PG_BINDIR/$program" "\$@"
		END
	done &&
	url="$(db_url | sed s/user=.*/user=t1610/)&password=very-secret" &&
	PATH=$TRASH_DIRECTORY/bin:$PATH "$tool" archive "$url" schema.dump &&
	PATH=$TRASH_DIRECTORY/bin:$PATH "$tool" list "$url" schema.dump >actual &&
	PATH=$TRASH_DIRECTORY/bin:$PATH "$tool" sql "$url" schema.dump >actual &&
	db_reset ${db_name}_copy &&
	PATH=$TRASH_DIRECTORY/bin:$PATH "$tool" restore \
		"$(printf "%s\n" "$url" | sed "s/$db_name/${db_name}_copy/")" schema.dump &&
	for program in pg_dump pg_restore
	do
		test_grep "bin/$program" arguments || return 1
	done &&
	test_grep ! very-secret arguments &&
	test_grep user=.*t1610 arguments &&
	db_sql "DROP ROLE t1610"
'

test_done
