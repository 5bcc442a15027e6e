#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='the tracking tables: their shape, their names, their rows, and those of other tools'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

plain () {
	tr "\047" "\042" <"$1"
}

test_when_finished_clean () {
	test_when_finished "rm -rf migrations && db_reset"
}

# Columns, as "name type [not null] [default]", in their order; then constraints and privileges.
shape () {	# table
	db_sql "SELECT attname, format_type(atttypid, atttypmod), CASE WHEN attnotnull THEN 'not null' END,
			pg_get_expr(adbin, adrelid)
		FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
		WHERE attrelid = '$1'::regclass AND attnum > 0 ORDER BY attnum;
		SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = '$1'::regclass;
		SELECT relacl FROM pg_class WHERE oid = '$1'::regclass AND relacl IS NOT NULL" |
	sed "s/|*$//"
}

relations () {
	db_sql "SELECT n.nspname || '.' || relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace
		WHERE n.nspname !~ '^(pg_|information_schema)' AND relkind = 'r' ORDER BY 1"
}

test_expect_success 'schema_migrations has exactly the shape that others read' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration &&
	shape schema_migrations >actual &&
	cat >expect <<-\END &&
	version|character varying(50)|not null
	name|character varying(255)|not null
	applied_at|timestamp with time zone|not null|now()
	checksum|character varying(64)|not null
	execution_time_ms|integer
	schema_migrations_pkey|PRIMARY KEY (version)
	END
	test_cmp expect actual &&
	relations >actual &&
	test_write_lines public.a public.schema_migrations public.schema_rollback_log >expect &&
	test_cmp expect actual
'

test_expect_success 'schema_rollback_log, and nobody else may look into it' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration &&
	shape schema_rollback_log >actual &&
	cat >expect <<-\END &&
	operation|character varying(64)|not null
	command|character varying(64)|not null
	version|character varying(50)|not null
	name|character varying(255)|not null
	direction|character varying(8)|not null
	state|character varying(8)|not null
	started_at|timestamp with time zone|not null
	finished_at|timestamp with time zone
	statements|integer|not null
	statements_begun|integer|not null
	statements_done|integer|not null
	who|text
	role|text|not null
	git_commit|character varying(64)
	up_checksum|character varying(64)
	down_checksum|character varying(64)
	up_tokens|character varying(64)
	fingerprint_before|character varying(64)
	fingerprint_after|character varying(64)
	up_sql|text
	down_sql|text
	objects|jsonb
	schema_rollback_log_pkey|PRIMARY KEY (operation, version, direction)
	{postgres=arwdDxt/postgres}
	END
	sed "s/arwdDxtm/arwdDxt/" actual >shape &&
	test_cmp expect shape
'

test_expect_success 'what every command asks it for is found by an index' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration &&
	db_sql "SELECT split_part(indexdef, \$\$ USING \$\$, 2) FROM pg_indexes
		WHERE tablename = \$\$schema_rollback_log\$\$ ORDER BY 1" >actual &&
	cat >expect <<-\END &&
	btree (operation, version, direction)
	btree (state, version)
	END
	test_cmp expect actual
'

test_expect_success 'it is revoked where default privileges would give it to everybody' '
	test_when_finished_clean &&
	db_sql "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC" &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration &&
	db_sql "SELECT count(*) FROM pg_class, aclexplode(relacl) WHERE relname = \$\$schema_rollback_log\$\$
		AND grantee = 0" >actual &&
	echo 0 >expect &&
	test_cmp expect actual
'

test_expect_success 'the rows of a migration' '
	test_when_finished_clean &&
	migration 007_first "create table a (); select pg_sleep(0.02);" "drop table a;" &&
	git add migrations && test_commit first &&
	git apply-migration &&
	up=$(sha256sum <migrations/007_first.up.sql | cut -d" " -f1) &&
	down=$(sha256sum <migrations/007_first.down.sql | cut -d" " -f1) &&
	db_sql "SELECT version, name, applied_at BETWEEN now() - interval \$\$1 hour\$\$ AND now(), checksum,
		execution_time_ms BETWEEN 20 AND 60000 FROM schema_migrations" >actual &&
	echo "007|first|t|$up|t" >expect &&
	test_cmp expect actual &&
	db_sql "SELECT command, version, name, direction, state, started_at < finished_at, statements,
		statements_begun, statements_done, who ~ \$\$. on .\$\$, role, git_commit, up_checksum,
		down_checksum, length(up_tokens), length(fingerprint_before), length(fingerprint_after),
		fingerprint_before <> fingerprint_after FROM schema_rollback_log" >actual &&
	echo "apply-migration|007|first|up|done|t|2|2|2|t|postgres|$(git rev-parse HEAD)|$up|$down|64|64|64|t" >expect &&
	test_cmp expect actual &&
	db_sql "SELECT up_sql FROM schema_rollback_log" >actual &&
	{ cat migrations/007_first.up.sql && echo; } >expect &&
	test_cmp expect actual &&
	db_sql "SELECT down_sql FROM schema_rollback_log" >actual &&
	{ cat migrations/007_first.down.sql && echo; } >expect &&
	test_cmp expect actual &&
	db_sql "SELECT o->>\$\$kind\$\$, o->>\$\$identity\$\$, o->>\$\$before\$\$ IS NULL, length(o->>\$\$after\$\$)
		FROM schema_rollback_log, jsonb_array_elements(objects) o
		WHERE o->>\$\$kind\$\$ = \$\$table\$\$" >actual &&
	echo "table|public.a|t|64" >expect &&
	test_cmp expect actual &&
	ls .git/rollback/journal | sed -n "\$s/.json\$//p" >expect &&
	db_sql "SELECT operation FROM schema_rollback_log" >actual &&
	test_cmp expect actual
'

test_expect_success 'the checksum of CRLF and of a byte order mark is that of LF; the text stays' '
	test_when_finished_clean &&
	sql="create table @ ();\n-- ;\ncomment on table @ is \$\$x\$\$;\n" &&
	mkdir migrations &&
	for i in 1 2 3 4
	do
		printf "drop table t;\n" >migrations/${i}_t.down.sql || return
	done &&
	printf "$sql" | sed "s/@/t/g" >migrations/1_t.up.sql &&
	sed "s/\$/\r/" migrations/1_t.up.sql >migrations/2_t.up.sql &&
	{ printf "\357\273\277" && cat migrations/1_t.up.sql; } >migrations/3_t.up.sql &&
	{ printf "\357\273\277" && cat migrations/2_t.up.sql; } >migrations/4_t.up.sql &&
	for i in 1 2 3 4
	do
		git apply-migration $i && db_sql "drop table t" || return
	done &&
	db_sql "SELECT DISTINCT checksum FROM schema_migrations" >actual &&
	sha256sum <migrations/1_t.up.sql | cut -d" " -f1 >expect &&
	test_cmp expect actual &&
	db_sql "SELECT count(DISTINCT up_tokens) FROM schema_rollback_log" >actual &&
	echo 1 >expect &&
	test_cmp expect actual &&
	db_sql "SELECT convert_to(up_sql, \$\$UTF8\$\$) FROM schema_rollback_log WHERE version = \$\$4\$\$" >hex &&
	printf "%sx%s\n" "\\" "$(od -An -v -tx1 migrations/2_t.up.sql | tr -d " \n")" >expect &&
	tail -n 1 hex >actual &&
	test_cmp expect actual &&
	git cat-file blob "refs/rollback/applied/4/$(sha256sum <migrations/1_t.up.sql | cut -d" " -f1):up.sql" >kept &&
	test_cmp migrations/4_t.up.sql kept
'

test_expect_success 'the digest of the tokens: comments and white space do not count, all else does' '
	test_when_finished_clean &&
	tokens () {
		rm -rf migrations && migration 1 "$1" "drop table if exists a" &&
		git apply-migration >/dev/null &&
		db_sql "SELECT up_tokens FROM schema_rollback_log ORDER BY started_at DESC LIMIT 1" >"$2" &&
		git rollback-db 1 --yes -q
	} &&
	tokens "create table a (x int, y text default \$\$a  b\$\$);" base &&
	tokens "/* licence */
		CREATE TABLE a(x INT,y -- why
		text DEFAULT \$\$a  b\$\$) ;" same &&
	test_cmp base same && test_grep . base &&
	tokens "create table a (x int, y text default \$\$a b\$\$);" literal &&
	tokens "create table a (x int, z text default \$\$a  b\$\$);" name &&
	! test_cmp base literal && ! test_cmp base name && ! test_cmp literal name
'

for name_ in 'ops.history' '"My Ops"."The Table"' '"Dots.and; ""quotes"""' 'Folded' '"select"'
do
	test_expect_success "the table's name is configured: $(printf '%s\n' "$name_" | tr \' ' ')" '
		test_when_finished_clean &&
		db_sql "CREATE SCHEMA ops; CREATE SCHEMA \"My Ops\"" &&
		migration 1 "create table a ()" "drop table a" &&
		migration 2 "create table b ()" "drop table b" &&
		git config rollback.migrations.table "$name_" &&
		test_when_finished "git config --unset rollback.migrations.table" &&
		git apply-migration 1 && git apply-migration &&
		git migration-status --check &&
		db_sql "SELECT version, name FROM $name_ ORDER BY 1" >actual &&
		test_write_lines "1|step" "2|step" >expect &&
		test_cmp expect actual &&
		db_sql "SELECT relnamespace = (SELECT relnamespace FROM pg_class WHERE relname =
			\$\$schema_rollback_log\$\$) FROM pg_class WHERE oid = \$t\$$name_\$t\$::regclass" >actual &&
		echo t >expect &&
		test_cmp expect actual &&
		git rollback-db --all --yes &&
		db_sql "SELECT count(*) FROM $name_" >actual &&
		echo 0 >expect &&
		test_cmp expect actual &&
		relations >actual &&
		test_line_count = 2 actual
	'
done

test_expect_success 'the log can have a name of its own, elsewhere' '
	test_when_finished_clean &&
	db_sql "CREATE SCHEMA \"Audit log\"" &&
	migration 1 "create table a ()" "drop table a" &&
	git config rollback.migrations.logTable "\"Audit log\".\"What was done\"" &&
	test_when_finished "git config --unset rollback.migrations.logTable" &&
	git apply-migration &&
	git rollback-db 1 --yes &&
	db_sql "SELECT direction FROM \"Audit log\".\"What was done\" ORDER BY started_at" >actual &&
	test_write_lines up down >expect &&
	test_cmp expect actual &&
	relations >actual &&
	test_write_lines "Audit log.What was done" public.schema_migrations >expect &&
	test_cmp expect actual
'

test_expect_success 'it is in the first schema of search_path that there is' '
	test_when_finished_clean &&
	db_sql "CREATE SCHEMA app; ALTER DATABASE $db_name SET search_path = nosuch, app, public" &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration &&
	relations >actual &&
	test_write_lines app.a app.schema_migrations app.schema_rollback_log >expect &&
	test_cmp expect actual &&
	git migration-status --check
'

test_expect_success 'no schema at all in search_path' '
	test_when_finished_clean &&
	db_sql "ALTER DATABASE $db_name SET search_path = nosuch" &&
	migration 1 "create table public.a ()" "drop table public.a" &&
	test_expect_code 128 git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: no schema of search_path exists in database "default"
	hint: Set rollback.migrations.table to a name with its schema.
	END
	plain err >actual &&
	test_cmp expect actual
'

# What cannot be the name of a table: name, message.
while IFS='|' read -r name_ message_
do
	test_expect_success "cannot be the name of a table: $name_" '
		migration 1 "create table a ()" "drop table a" &&
		test_when_finished "rm -r migrations" &&
		test_must_fail git -c "rollback.migrations.table=$name_" apply-migration 2>err &&
		test_grep "$message_" err &&
		relations >actual &&
		test_must_be_empty actual
	'
done <<\END
has space|cannot use .has space. as the name of a table: .*not a valid identifier
"open|cannot use
a.b.c|too many parts
nosuch.t|schema "nosuch" does not exist
t234567890123456789012345678901234567890123456789012345678901234|longer than 63 bytes
END

# Tables of other tools, as these make them: whose, columns.
while IFS='|' read -r tool_ columns_
do
	test_expect_success "the table of $tool_ is refused by name and left alone" '
		test_when_finished_clean &&
		migration 1 "create table a ()" "drop table a" &&
		db_sql "CREATE TABLE schema_migrations ($columns_); INSERT INTO schema_migrations VALUES (1)" &&
		case $tool_ in Rails) db_sql "CREATE TABLE ar_internal_metadata (key varchar)" ;; esac &&
		db_dump >before &&
		for command in "apply-migration" "apply-migration -n" "migration-status" "rollback-db --all --yes" \
			"apply-migration --baseline 1"
		do
			test_expect_code 2 git $command >out 2>err &&
			test_must_be_empty out &&
			test_grep "^error: table .public.schema_migrations. belongs to $tool_, by its columns (.*version.*)$" err &&
			test_grep "^hint: Set rollback.migrations.table to another name" err || return
		done &&
		db_dump >after &&
		test_cmp before after &&
		db_sql "SELECT count(*) FROM schema_migrations" >actual &&
		echo 1 >expect && test_cmp expect actual &&
		git -c rollback.migrations.table=our_migrations apply-migration &&
		db_sql "SELECT version FROM our_migrations" >actual &&
		test_cmp expect actual
	'
done <<\END
golang-migrate|version bigint NOT NULL PRIMARY KEY, dirty boolean
dbmate|version varchar(128) PRIMARY KEY
Rails|version character varying NOT NULL PRIMARY KEY
the Supabase CLI|version text NOT NULL PRIMARY KEY, statements text[], name text
the Supabase CLI|version text PRIMARY KEY, statements text[], name text, created_by text, idempotency_key text, rollback text[]
Ecto|version bigint NOT NULL PRIMARY KEY, inserted_at timestamp(0)
another tool|version int, description text
another tool|version varchar(50) PRIMARY KEY, name varchar(255), applied_at timestamptz, checksum bytea, execution_time_ms integer
END

test_expect_success 'a log of another shape is refused, too' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" &&
	db_sql "CREATE TABLE schema_rollback_log (id int)" &&
	test_expect_code 2 git apply-migration 2>err &&
	cat >expect <<-\END &&
	error: table "public.schema_rollback_log" belongs to another tool, by its columns
	hint: Set rollback.migrations.logTable to another name.
	END
	plain err >actual &&
	test_cmp expect actual &&
	relations >actual &&
	echo public.schema_rollback_log >expect &&
	test_cmp expect actual
'

test_expect_success 'a table with our columns and more is ours' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" &&
	db_sql "CREATE TABLE schema_migrations (version TEXT PRIMARY KEY, name TEXT, applied_at TIMESTAMPTZ,
		checksum TEXT, execution_time_ms BIGINT, host TEXT)" &&
	git apply-migration &&
	git migration-status --check
'

test_expect_success 'a role without rights' '
	test_when_finished_clean &&
	test_when_finished "db_sql \"DROP OWNED BY nobody_$test_number; DROP ROLE nobody_$test_number\"" &&
	migration 1 "create table a ()" "drop table a" &&
	db_sql "REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE nobody_$test_number LOGIN" &&
	PGUSER=nobody_$test_number && export PGUSER &&
	url="postgres:///$db_name?host=$pg_host&port=$PG_PORT" &&
	DATABASE_URL=$url git migration-status --porcelain >actual &&
	printf "pending\t1\tstep\t\t\n" >expect &&
	test_cmp expect actual &&
	test_expect_code 128 env DATABASE_URL="$url" git apply-migration 2>err &&
	cat >expect <<-\END &&
	fatal: could not create the table "public"."schema_migrations": permission denied for schema public (SQLSTATE 42501)
	END
	plain err >actual &&
	test_cmp expect actual &&
	unset PGUSER && git apply-migration &&
	PGUSER=nobody_$test_number && export PGUSER &&
	test_expect_code 128 env DATABASE_URL="$url" git migration-status 2>err &&
	cat >expect <<-\END &&
	fatal: could not read the tracking table "public.schema_migrations": permission denied for table schema_migrations (SQLSTATE 42501)
	END
	plain err >actual &&
	test_cmp expect actual &&
	unset PGUSER
'

test_expect_success 'who may read the ledger alone sees the status, and is told what is not seen' '
	test_when_finished_clean &&
	test_when_finished "db_sql \"DROP OWNED BY reader_$test_number; DROP ROLE reader_$test_number\"" &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration &&
	db_sql "CREATE ROLE reader_$test_number LOGIN; GRANT SELECT ON schema_migrations TO reader_$test_number" &&
	url="postgres:///$db_name?host=$pg_host&port=$PG_PORT&user=reader_$test_number" &&
	DATABASE_URL=$url git migration-status --check --porcelain >out 2>err &&
	cut -f1-3 out >actual &&
	printf "applied\t1\tstep\n" >expect &&
	test_cmp expect actual &&
	cat >expect <<-END &&
	warning: role "reader_$test_number" may not read "public"."schema_rollback_log": what was interrupted is not seen
	END
	plain err >actual &&
	test_cmp expect actual &&
	migration 2 "create table b ()" "drop table b" &&
	test_expect_code 128 env DATABASE_URL="$url" git apply-migration 2>err &&
	test_grep "permission denied" err
'

test_expect_success 'a schema that comes to stand first in search_path hides no ledger' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" &&
	migration 2 "create schema postgres" "drop schema postgres" &&
	git apply-migration -q &&
	git migration-status --porcelain >out && cut -f1,2 out >actual &&
	printf "applied\t1\napplied\t2\n" >expect && test_cmp expect actual &&
	git apply-migration >out && test_grep "Nothing to apply" out &&
	git rollback-db --yes -q --all &&
	test "$(db_sql "SELECT count(*) FROM public.schema_migrations")" = 0
'

test_expect_success 'two ledgers along search_path are one too many' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration -q &&
	db_sql "CREATE SCHEMA postgres; CREATE TABLE postgres.schema_migrations (LIKE public.schema_migrations)" &&
	test_expect_code 2 git migration-status 2>err &&
	test_grep "in schema .postgres. and in schema .public." err &&
	git -c rollback.migrations.table=public.schema_migrations migration-status >out &&
	test_grep applied out &&
	db_sql "DROP SCHEMA postgres CASCADE"
'

test_expect_success 'operators of others are not ours' '
	test_when_finished_clean &&
	db_sql "CREATE FUNCTION public.never(varchar, varchar) RETURNS bool LANGUAGE plpgsql AS \$\$ BEGIN RAISE \$x\$hijacked\$x\$; END \$\$;
		CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = public.never)" &&
	migration 1 "create table a ()" "drop table a" &&
	git apply-migration -q && git rollback-db -q --yes --all &&
	db_sql "DROP OPERATOR public.= (varchar, varchar); DROP FUNCTION public.never(varchar, varchar)"
'

test_expect_success 'a record that a trigger swallows is no success' '
	test_when_finished_clean &&
	migration 1 "create table a ()" "drop table a" && migration 2 "create table b ()" "drop table b" &&
	git apply-migration -q --next &&
	db_sql "CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS \$\$ BEGIN RETURN NULL; END \$\$;
		CREATE TRIGGER swallow BEFORE INSERT ON schema_migrations FOR EACH ROW EXECUTE FUNCTION swallow()" &&
	test_expect_code 128 git apply-migration 2>err &&
	test_grep "changed 0 rows, not 1" err &&
	test "$(db_sql "SELECT to_regclass(\$\$b\$\$) IS NULL")" = t &&
	db_sql "DROP TRIGGER swallow ON schema_migrations; DROP FUNCTION swallow()"
'

test_done
