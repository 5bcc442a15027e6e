#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: do the schema files still fit the migrations that are left?'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

unset DATABASE_URL

migration () {	# version_name, up, down
	mkdir -p migrations && printf "%s\n" "$2" >"migrations/$1.up.sql" && printf "%s\n" "$3" >"migrations/$1.down.sql"
}

schema () {
	mkdir -p db && cat >db/schema.sql
}

# Two migrations that stay, and the schema that they make, as a dump has it.
with_schema () {
	project &&
	migration 1_users "CREATE TABLE users (id serial PRIMARY KEY, name varchar(40));" "DROP TABLE users;" &&
	migration 2_status "CREATE TYPE status AS ENUM (\$\$open\$\$);" "DROP TYPE status;" &&
	schema <<-\END &&
	SELECT pg_catalog.set_config($$search_path$$, $$$$, false);
	CREATE TYPE public.status AS ENUM ($$open$$);
	CREATE TABLE public.users (
	    id integer NOT NULL,
	    name character varying(40)
	);
	ALTER TABLE ONLY public.users ADD CONSTRAINT users_pkey PRIMARY KEY (id);
	END
	commit "Users"
}

# The unit: a migration; and what is done to the schema file, by whom.
unit () {	# up, down
	migration 3_unit "$1" "$2" && work "feat(auth): unit" && done_task auth_20260101 "Add a user model"
}

check_is () {	# state, [pattern of the detail]
	jq -r ".verification[] | select(.check == \"schema\") | .state + \"\\t\" + (.detail // \"\")" ../json >../actual &&
	test_grep "^$1	.*$2" ../actual
}

revert () {	# expected exit code
	test_expect_code "$1" git revert-track auth --task 1.2 -y --json >../json 2>../err
}

test_expect_success 'a schema that is reverted with its migration fits' '
	with_schema && sed -i "s/name character varying(40)/&,\n    email text/" db/schema.sql &&
	unit "ALTER TABLE users ADD COLUMN email text;" "ALTER TABLE users DROP COLUMN email;" && revert 0 &&
	check_is ok "tables, columns, keys, indexes" && test_grep ! email db/schema.sql
'

test_expect_success 'a column whose migration is gone; its table, type and the rest are not told of besides' '
	with_schema && unit "ALTER TABLE users ADD COLUMN email text NOT NULL;" "ALTER TABLE users DROP COLUMN email;" &&
	sed -i "s/name character varying(40)/&,\n    email text NOT NULL/" db/schema.sql && commit "Dump the schema" &&
	revert 1 && check_is failed ".db/schema.sql. still has column .users.email., whose migration is gone\$"
'

test_expect_success 'a type, a key, an index, a label of an enum whose migration is gone' '
	with_schema && unit "ALTER TABLE users ALTER name TYPE text; CREATE INDEX ON users (name); ALTER TYPE status ADD VALUE \$\$shut\$\$;" "SELECT 1;" &&
	sed -i -e "s/character varying(40)/text/" -e "s/ENUM (/&\$\$shut\$\$, /" db/schema.sql &&
	echo "CREATE INDEX users_name_idx ON public.users USING btree (name);" >>db/schema.sql && commit "Dump the schema" &&
	revert 1 && check_is failed "index (name) of .users.,.*label .shut. of type .status.,.*type text of column .users.name.,"
'

test_expect_success 'what the migrations make again, and the schema file does not have' '
	with_schema && unit "ALTER TABLE users DROP COLUMN name;" "ALTER TABLE users ADD COLUMN name varchar(40);" &&
	sed -i -e "/character varying/d" -e "s/NOT NULL,/NOT NULL/" db/schema.sql && commit "Dump the schema" &&
	revert 1 && check_is failed "the schema files do not have column .users.name., which migrations make\$"
'

test_expect_success 'what the schema file lost with a revert, and the migrations still make' '
	with_schema && echo a >a && sed -i "s/name character varying(40)/&,\n    email text/" db/schema.sql &&
	work "feat(auth): unit" && done_task auth_20260101 "Add a user model" &&
	migration 4_email "ALTER TABLE users ADD COLUMN email text;" "ALTER TABLE users DROP COLUMN email;" && commit "Late" &&
	revert 1 && check_is failed "the schema files have lost column .users.email., which migrations make\$"
'

test_expect_success 'what never fitted is no news: a baseline, a file that nobody keeps up, a schema that is renamed' '
	with_schema && sed -i "s/public\\./app./" db/schema.sql && echo "CREATE TABLE app.legacy (id int);" >>db/schema.sql &&
	migration 4_late "CREATE TABLE late (id int); ALTER TABLE legacy ADD COLUMN n int;" "DROP TABLE late;" && commit "Others" &&
	unit "CREATE TABLE extra (id int); ALTER TABLE legacy ADD COLUMN x int; ALTER TABLE other DROP COLUMN y;" "DROP TABLE extra;" &&
	revert 0 && check_is ok
'

test_expect_success 'a column of a table that no migration makes' '
	with_schema && echo "CREATE TABLE public.legacy (id int, x int);" >>db/schema.sql && commit "A baseline" &&
	unit "ALTER TABLE legacy ADD COLUMN x int;" "ALTER TABLE legacy DROP COLUMN x;" &&
	revert 1 && check_is failed "still has column .legacy.x., whose migration is gone\$"
'

test_expect_success 'what cannot be read casts doubt on what it speaks of, and on nothing else' '
	with_schema && migration 4_do "DO \$\$BEGIN ALTER TABLE users ADD COLUMN email text; END\$\$;" "SELECT 1;" && commit "A block" &&
	unit "ALTER TABLE users ADD COLUMN IF NOT EXISTS email text; CREATE TABLE extra (id int);" "SELECT 1;" &&
	sed -i "s/name character varying(40)/&,\n    email text/" db/schema.sql && commit "Dump the schema" &&
	revert 0 && check_is unknown "still has column .users.email.,.* this cannot be read: migrations/4_do.up.sql:1: DO" &&
	git checkpoint undo -y -q 2>/dev/null && echo "CREATE TABLE public.extra (id int);" >>db/schema.sql && commit "Dump it again" &&
	revert 1 && check_is failed "still has table .extra., whose migration is gone\$"
'

test_expect_success 'a schema file that cannot be read is said not to be compared' '
	with_schema && printf "COPY users FROM stdin;\n1\tx\n\\\\.\n" >>db/schema.sql && commit "With rows" &&
	unit "CREATE TABLE extra (id int);" "DROP TABLE extra;" && revert 0 && check_is unknown "not compared: db/schema.sql:"
'

test_expect_success 'no schema file, or one that goes with its unit: nothing to compare' '
	with_schema && git rm -q -r db && commit "No schema" && unit "CREATE TABLE extra (id int);" "DROP TABLE extra;" && revert 0 &&
	jq -e "[.verification[] | select(.check == \"schema\")] == []" ../json &&
	with_schema && git rm -q -r db && commit "No schema" && schema <<-\END && unit "CREATE TABLE extra (id int);" "DROP TABLE extra;" &&
	CREATE TABLE users (id int);
	END
	revert 0 && test_path_is_missing db/schema.sql && jq -e "[.verification[] | select(.check == \"schema\")] == []" ../json
'

test_expect_success 'at the end of --continue as well' '
	with_schema && file a.txt 5=unit && unit "CREATE TABLE extra (id int);" "DROP TABLE extra;" &&
	echo "CREATE TABLE public.extra (id int);" >>db/schema.sql && file a.txt 5=later && commit "Later" &&
	revert 1 && git checkout -q --ours a.txt && git add a.txt &&
	test_expect_code 1 git revert-track --continue --json >../json 2>../err &&
	check_is failed "still has table .extra., whose migration is gone"
'

test_done
