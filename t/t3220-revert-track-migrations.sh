#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: migrations, and where they are applied'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

second=${db_name}_production
test_expect_success 'a second database' '
	db_create "$second"
'

state () {
	git for-each-ref refs/heads && git --no-optional-locks status --porcelain=v2 -b && git ls-files -s
}

# auth makes a table, billing another one that comes after it; three environments.
with_migrations () {
	unset DATABASE_URL
	db_reset && db_reset "$second" && project &&
	git config rollback.database.development.url "$(db_url)" &&
	git config rollback.database.production.url "$(db_url "$second")" &&
	git config rollback.database.production.protected true &&
	migration 1_users "CREATE TABLE users (id int);" "DROP TABLE users;" &&
	mkdir -p db && echo "CREATE TABLE users (id int);" >db/schema.sql &&
	work "feat(auth): users table" && done_task auth_20260101 "Create the users table" &&
	migration 2_invoices "CREATE TABLE invoices (id int);" "DROP TABLE invoices;" &&
	work "feat(billing): invoices table" && done_task billing_20260102 "Number the invoices"
}

test_expect_success 'where it is applied nowhere the files go; who comes after is told' '
	with_migrations &&
	git revert-track auth --task 1.1 -n --json >../json &&
	jq -r ".migrations[] | [.version, .name, .change, (.environments[] | .database + \"=\" + .state)] | @tsv" ../json >../actual &&
	printf "1\tusers\tgoes\tdevelopment=pending\tproduction=pending\n" >../expect && test_cmp ../expect ../actual &&
	jq -r ".dependents[] | [.unit.track, .because[0].kind, .because[0].what] | @tsv" ../json >../actual &&
	printf "billing_20260102\tmigration\t2 invoices\n" >../expect && test_cmp ../expect ../actual &&
	jq -r ".files[] | .path + \" \" + .kind" ../json >../actual &&
	test_write_lines "db/schema.sql schema" "migrations/1_users.down.sql migration" \
		"migrations/1_users.up.sql migration" >../expect && test_cmp ../expect ../actual &&
	git revert-track auth --task 1.1 -y >../out 2>../err && test_path_is_missing migrations/1_users.up.sql &&
	test_grep "migration 2, which comes later, stays" ../out
'

test_expect_success 'applied in development: refused, with what to type; nothing is changed, in no database' '
	with_migrations && git apply-migration --database=development -q && state >../before && db_dump >../dump &&
	test_expect_code 2 git revert-track auth --task 1.1 2>../err </dev/null &&
	test_grep "^error: database .development. has migration 1, whose files would go" ../err &&
	test_grep "^hint: Roll back there first: git rollback-db --database=development 1\$" ../err &&
	test_grep "^hint: Or use --forward-fix" ../err && test_grep "^hint: Or use --yes" ../err &&
	git revert-track auth --task 1.1 -n --json >../json &&
	jq -e ".verdict == \"refused\" and .rollback_commands == [\"git rollback-db --database=development 1\"]" ../json &&
	state >../after && test_cmp ../before ../after && db_dump >../dump2 && test_cmp ../dump ../dump2
'

test_expect_success 'with --yes the files go, and git rollback-db still finds the way back' '
	cd repo && git revert-track auth --task 1.1 -y --json >../json 2>../err &&
	test_path_is_missing migrations/1_users.up.sql && test_grep "refs/rollback/applied" ../err &&
	jq -e ".by_hand == [\"git rollback-db --database=development 1\"]" ../json &&
	db_dump >../dump2 && test_cmp ../dump ../dump2 &&
	git rollback-db --database=development 1 --yes -q 2>/dev/null &&
	db_sql "SELECT count(*) FROM pg_class WHERE relname = chr(117) || \$\$sers\$\$" >../actual &&
	echo 0 >../expect && test_cmp ../expect ../actual
'

test_expect_success 'where git does not keep the down script --yes is not enough' '
	with_migrations && git apply-migration --database=development -q &&
	git for-each-ref --format="delete %(refname)" refs/rollback/applied | git update-ref --stdin && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>../err && test_grep ! "Or use --yes" ../err &&
	state >../after && test_cmp ../before ../after
'

test_expect_success 'a protected environment that has it wants its name, too' '
	with_migrations && git apply-migration --database=production --confirm=production -y -q && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>../err &&
	test_grep "database .production. is protected, and has migration 1" ../err &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --forward-fix 2>../err &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --confirm=development 2>../err &&
	state >../after && test_cmp ../before ../after &&
	git revert-track auth --task 1.1 -y -q --confirm=production 2>../err && test_path_is_missing migrations/1_users.up.sql
'

test_expect_success '--forward-fix keeps the files, and writes a migration that undoes them' '
	with_migrations && git apply-migration --database=development -q && git apply-migration --database=production --to 1 --confirm=production -y -q &&
	cp migrations/1_users.up.sql ../up &&
	git revert-track auth --task 1.1 -y --forward-fix --confirm=production --json >../json 2>../err &&
	test_cmp ../up migrations/1_users.up.sql &&
	jq -r ".forward_fixes[] | [.undoes, .version, .name, .up, (.databases | join(\",\"))] | @tsv" ../json >../actual &&
	printf "1\t3\tundo_users\tmigrations/3_undo_users.up.sql\tdevelopment,production\n" >../expect &&
	test_cmp ../expect ../actual &&
	jq -e ".by_hand == [\"git apply-migration --database=development\", \"git apply-migration --database=production\"]" ../json &&
	git log -1 --name-only --format= >../actual && test_grep "^migrations/3_undo_users.down.sql\$" ../actual &&
	test -z "$(git status --porcelain)" &&
	git apply-migration --database=development -q &&
	db_sql "SELECT relname FROM pg_class WHERE relname IN (\$\$users\$\$, \$\$invoices\$\$)" >../actual &&
	echo invoices >../expect && test_cmp ../expect ../actual
'

test_expect_success 'the plan of --forward-fix has the migrations that stay, and where they are applied' '
	with_migrations && git apply-migration --database=development -q &&
	git revert-track auth --task 1.1 -n --forward-fix --json >../json &&
	jq -r ".migrations[] | [.version, .change, (.environments[] | .database + \"=\" + .state)] | @tsv" ../json >../actual &&
	printf "1\tkept\tdevelopment=applied\tproduction=pending\n" >../expect && test_cmp ../expect ../actual &&
	jq -e ".rollback_commands == [] and .dependents == [] and (.environments | length == 2)" ../json &&
	git revert-track auth --task 1.1 -n --forward-fix >../out && test_grep "^  1 users (stays): development applied, production pending\$" ../out
'

test_expect_success 'a migration that is in conflict is one of the files: where it is applied it is refused' '
	with_migrations && echo "-- wider" >>migrations/1_users.up.sql && commit "Say more" && git apply-migration --database=development -q && state >../before &&
	git revert-track auth --task 1.1 -n --json >../json &&
	jq -r ".verdict, (.conflicts[] | .path + \" \" + .file_kind), (.migrations[] | .version + \" \" + .change)" ../json >../actual &&
	test_write_lines refused "migrations/1_users.up.sql migration" "1 goes" >../expect && test_cmp ../expect ../actual &&
	test_expect_code 2 git revert-track auth --task 1.1 2>../err </dev/null && test_grep "has migration 1, whose files would go" ../err &&
	state >../after && test_cmp ../before ../after
'

test_expect_success 'what rolling back would do to rows, by the down script; one that is missing is told' '
	with_migrations && migration 3_email "ALTER TABLE invoices ADD COLUMN email text;" "ALTER TABLE invoices ALTER email DROP NOT NULL;" &&
	migration 4_block "SELECT 1;" "DO \$\$BEGIN END\$\$;" && migration 5_gone "SELECT 1;" "SELECT 1;" &&
	work "feat(auth): mails" && done_task auth_20260101 "Add a user model" && git apply-migration --database=development -q &&
	git for-each-ref --format="delete %(refname)" refs/rollback/applied | git update-ref --stdin &&
	rm migrations/5_gone.down.sql && commit "No way back" &&
	git revert-track auth --phase 1 -n --json >../json 2>../err &&
	jq -r ".migrations[] | .version + \" \" + (.down_rows // \"-\")" ../json >../actual &&
	test_write_lines "1 loses" "3 keeps" "4 unknown" "5 -" >../expect && test_cmp ../expect ../actual &&
	git revert-track auth --phase 1 -n >../out 2>../err && test_grep "^  1 users (goes; its down script loses rows): " ../out &&
	test_grep "^  5 gone (goes; it has no down script): " ../out && test_grep "^hint: Migration 5 has no down script" ../err &&
	test_grep ! "Migration 4 has no" ../err
'

test_expect_success 'what stays, and names what goes: tables and columns, views and functions' '
	with_migrations && migration 3_email "ALTER TABLE invoices ADD COLUMN email text; CREATE VIEW mails AS SELECT email FROM invoices;
		CREATE FUNCTION total(int) RETURNS int LANGUAGE sql AS \$\$SELECT 1\$\$; CREATE TABLE invoices_old (email text);" "SELECT 1;" &&
	echo "select total(1) from mails" >src/own.txt && work "feat(auth): mails" && done_task auth_20260101 "Add a user model" &&
	echo "select total(1), email from invoices" >src/query.txt && echo "email, totals, invoices_older" >src/words.txt &&
	echo "mails" >src/form.txt && echo "invoices_old email" >README.md && commit "Use them" &&
	git revert-track auth --task 1.2 -n --json >../json 2>/dev/null && jq -r ".mentions[] | .what + \"\t\" + (.paths | join(\",\"))" ../json >../actual &&
	sed "s/%/\x27/g" >../expect <<-\END &&
	function %total(int4)%	src/query.txt
	table %invoices_old%	README.md
	view %mails%	src/form.txt
	column %invoices.email%	src/query.txt
	END
	test_cmp ../expect ../actual && git revert-track auth --task 1.2 -n >../out 2>/dev/null &&
	test_grep "^  column .invoices.email.: src/query.txt\$" ../out
'

test_expect_success 'several migrations: undone in the order in which they have to be' '
	with_migrations && migration 3_names "CREATE TABLE names (id int);" "DROP TABLE names;" &&
	work "feat(auth): names" && done_task auth_20260101 "Add a user model" && git apply-migration --database=development -q &&
	test_expect_code 2 git revert-track auth --phase 1 2>../err </dev/null &&
	test_grep "git rollback-db --database=development 3 1\$" ../err &&
	git revert-track auth --phase 1 -n -y --forward-fix --json >../json &&
	jq -r ".forward_fixes[] | .undoes + \" \" + .version" ../json >../actual && test_write_lines "3 4" "1 5" >../expect &&
	test_cmp ../expect ../actual
'

test_expect_success 'a database that does not answer is said, and is no reason by itself; a protected one wants its name' '
	with_migrations && git config rollback.database.staging.url "host=/nonexistent dbname=x" &&
	git revert-track auth --task 1.1 -n --json >../json 2>/dev/null &&
	jq -e ".verdict == \"clean\" and (.environments[] | select(.database == \"staging\") | .reachable == false)" ../json &&
	jq -r ".warnings[]" ../json >../actual && test_grep "whether database .staging. has these migrations is not known" ../actual &&
	git config rollback.database.staging.protected true &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>../err && test_grep "confirm=staging" ../err
'

test_expect_success '--database leaves databases out, and that is told; but no protected one: that is asked as well' '
	with_migrations && git apply-migration --database=production --confirm=production -y -q &&
	git config rollback.database.staging.url "host=/nonexistent dbname=x" && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --database development 2>../err &&
	test_grep "^error: database .production. is protected, and has migration 1" ../err &&
	test_grep "^warning: whether database .staging. has these migrations is not known: --database names others" ../err &&
	git revert-track auth --task 1.1 -n --json --database development >../json 2>/dev/null &&
	jq -r ".environments[] | [.database, .protected, .reachable, .reason] | @tsv" ../json >../actual &&
	printf "development\tfalse\ttrue\t\nproduction\ttrue\ttrue\t\nstaging\tfalse\tfalse\t--database names others\n" >../expect &&
	test_cmp ../expect ../actual &&
	jq -r ".migrations[0].environments[] | [.database, .state] | @tsv" ../json >../actual &&
	printf "development\tpending\nproduction\tapplied\nstaging\tunknown\n" >../expect && test_cmp ../expect ../actual &&
	state >../after && test_cmp ../before ../after &&
	git config rollback.database.production.url "host=/nonexistent dbname=x" &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --database development 2>../err &&
	test_grep "^error: database .production. is protected, and could not be asked" ../err &&
	test_grep "^hint: .*--confirm=production" ../err &&
	git revert-track auth --task 1.1 -y -q --database development --confirm=production 2>../err
'

test_expect_success 'a database that was seen protected, and that nothing here says where it is, wants its name' '
	with_migrations && git config --remove-section rollback.database.production &&
	git config rollback.database.production.seenProtected true && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>../err &&
	test_grep "^error: database .production. is protected, and could not be asked" ../err &&
	state >../after && test_cmp ../before ../after &&
	git revert-track auth --task 1.1 -y -q --confirm=production 2>../err &&
	git revert-track billing --phase 1 -n >../out && test_grep production ../out
'

test_expect_success 'a --database that there is not is refused at once, with the nearest name' '
	with_migrations && echo one >one && work "feat(auth): model" && done_task auth_20260101 "Add a user model" &&
	for unit in "auth --task 1.1" "auth --task 1.2" "nosuch"
	do
		test_expect_code 129 git revert-track $unit -y --database production --database developmnet 2>../err &&
		test_grep "^error: there is no database .developmnet." ../err &&
		test_grep "^hint: Did you mean .development.?" ../err || return
	done &&
	test_expect_code 129 git revert-track auth -n --json --database nosuch >../json 2>/dev/null &&
	jq -e ".error.message | test(\"there is no database .nosuch.\")" ../json
'

test_expect_success 'a schema file that still has what a migration made is found at the end' '
	with_migrations && migration 3_names "CREATE TABLE names (id int);" "DROP TABLE names;" &&
	work "feat(auth): names" && done_task auth_20260101 "Add a user model" &&
	echo "CREATE TABLE public.names (id int);" >>db/schema.sql && commit "Dump the schema" &&
	test_expect_code 1 git revert-track auth --task 1.2 -y >../out 2>../err &&
	test_grep "schema: .db/schema.sql. still has table .names., whose migration is gone" ../out &&
	git checkpoint undo -y -q 2>/dev/null && git revert-track auth --task 1.2 -y --json --also HEAD >../json 2>/dev/null &&
	jq -e ".verification[] | select(.check == \"schema\") | .state == \"ok\"" ../json
'

dump_schema () {
	git apply-migration --database=development -q && pg_dump -s -O -x -d "$(db_url)" >db/schema.sql
}

test_expect_success 'a schema file as pg_dump writes it: where it is reverted too it fits, else what is left is named' '
	with_migrations && migration 3_orders "CREATE TYPE state AS ENUM (\$\$new\$\$, \$\$paid\$\$);
		CREATE TABLE orders (id bigserial PRIMARY KEY, state state NOT NULL DEFAULT \$\$new\$\$, price numeric(10,2), label varchar(20) UNIQUE,
			made timestamptz DEFAULT now(), tags text[], parent bigint REFERENCES orders, CHECK (price > 0));
		CREATE INDEX ON orders (made DESC, lower(label)) WHERE price > 1; CREATE VIEW paid AS SELECT id FROM orders;
		CREATE FUNCTION twice(a numeric(5,1), OUT b int) LANGUAGE sql AS \$\$SELECT 2\$\$;" "DROP TABLE orders CASCADE;" &&
	dump_schema && commit "orders" &&
	migration 4_more "ALTER TABLE orders ADD COLUMN note text NOT NULL, ALTER label TYPE text; CREATE INDEX ON orders (note);" "SELECT 1;" &&
	work "feat(auth): more" && done_task auth_20260101 "Add a user model" && dump_schema && commit "Dump the schema" &&
	git revert-track auth --task 1.2 -y --also HEAD --json >../json 2>/dev/null &&
	jq -e ".verification[] | select(.check == \"schema\") | .state == \"ok\"" ../json && git checkpoint undo -y -q 2>/dev/null &&
	test_expect_code 1 git revert-track auth --task 1.2 -y --json >../json 2>/dev/null &&
	jq -r ".verification[] | select(.check == \"schema\") | .detail" ../json | sed "s/; /\n/g" | sed "s/.*has //; s/, whose.*//" | tr "\047" % | sort >../actual &&
	test_write_lines "column %orders.note%" "index (note) of %orders%" "type text of column %orders.label%" | sort >../expect &&
	test_cmp ../expect ../actual
'

test_expect_success 'a conflict on the way: --continue says at the end what is left to be done by hand' '
	with_migrations && git apply-migration --database=development -q &&
	echo "CREATE TABLE users (id bigint);" >db/schema.sql && commit "Wider ids" &&
	test_expect_code 1 git revert-track auth --task 1.1 -y -q 2>/dev/null &&
	echo "CREATE TABLE invoices (id int);" >db/schema.sql && git add db/schema.sql &&
	git revert-track --continue >../out 2>../err && test_path_is_missing migrations/1_users.up.sql &&
	test_grep "^To be done by hand:\$" ../out && test_grep "^  git rollback-db --database=development 1\$" ../out &&
	git checkpoint undo -y -q 2>/dev/null && test_path_is_file migrations/1_users.up.sql &&
	test_expect_code 1 git revert-track auth --task 1.1 -y -q 2>/dev/null &&
	echo "CREATE TABLE invoices (id int);" >db/schema.sql && git add db/schema.sql &&
	git revert-track --continue --json >../json 2>/dev/null &&
	jq -e ".by_hand == [\"git rollback-db --database=development 1\"]" ../json &&
	jq -e ".verification[] | select(.check == \"documents\") | .state == \"ok\"" ../json
'

test_done
