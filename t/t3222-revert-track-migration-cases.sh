#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: what a revert does to migrations, case by case'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

second=${db_name}_production
test_expect_success 'a second database' '
	db_create "$second"
'

# Development and production, empty; the plan's documents.
two_databases () {
	unset DATABASE_URL
	db_reset && db_reset "$second" && project &&
	git config rollback.database.development.url "$(db_url)" &&
	git config rollback.database.production.url "$(db_url "$second")"
}

state () {
	git for-each-ref refs/heads && git --no-optional-locks status --porcelain=v2 -b && git ls-files -s
}

relations () {	# [database]
	db_sql "SELECT string_agg(relname, chr(32) ORDER BY relname) FROM pg_class
		WHERE relkind = chr(114)::\"char\" AND relnamespace = \$\$public\$\$::regnamespace AND relname !~ \$\$^schema_\$\$" "$@"
}

# Billing makes the table; auth edits the script.
edited () {
	two_databases && migration 1_users "CREATE TABLE users (id int);" "DROP TABLE users;" &&
	work "feat(billing): base" && done_task billing_20260102 "Number the invoices" && eval "${1:-}" &&
	echo "CREATE TABLE users (id bigint);" >migrations/1_users.up.sql &&
	work "feat(auth): wider ids" && done_task auth_20260101 "Create the users table"
}

migrations_of () {	# the JSON of a plan
	jq -r ".migrations[] | [.version, .change, (.environments[] | .database + \"=\" + .state + \":\" + (.text // \"-\"))] | @tsv" "$1"
}

test_expect_success 'files in conflict: asked all the same, refused, and a protected database wants its name' '
	two_databases && git config rollback.database.production.protected true &&
	migration 1_users "CREATE TABLE users (id int);" "DROP TABLE users;" &&
	work "feat(auth): users table" && done_task auth_20260101 "Create the users table" &&
	echo "-- why" >>migrations/1_users.up.sql && echo "-- why" >>migrations/1_users.down.sql && commit "docs: explain" &&
	git apply-migration --database=production --confirm=production -y -q && state >../before &&
	git revert-track auth --task 1.1 -n --json >../json && migrations_of ../json >../actual &&
	printf "1\tgoes\tdevelopment=pending:-\tproduction=applied:present\n" >../expect && test_cmp ../expect ../actual &&
	jq -e ".verdict == \"refused\" and .migrations[0].conflict" ../json &&
	git revert-track auth --task 1.1 -n >../out && test_grep "1 users (goes, if the conflict is resolved so; " ../out &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>../err &&
	test_grep "database .production. is protected, and has migration 1" ../err &&
	git for-each-ref --format="delete %(refname)" refs/rollback/applied | git update-ref --stdin &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --confirm=production 2>../err &&
	test_grep "has migration 1, whose files would go, if the conflict is resolved" ../err &&
	state >../after && test_cmp ../before ../after
'

test_expect_success 'and --forward-fix leaves no conflict in them' '
	cd repo && git revert-track auth --task 1.1 -y -q --forward-fix --confirm=production 2>../err &&
	test_path_is_file migrations/1_users.up.sql && test_path_is_file migrations/2_undo_users.up.sql &&
	test -z "$(git status --porcelain)"
'

test_expect_success 'an edit that goes, where the earlier text is applied: nothing is in the way, no row is lost' '
	edited "git apply-migration --database=development -q" && db_sql "INSERT INTO users VALUES (1)" &&
	git revert-track auth --task 1.1 -n --json >../json 2>../err && migrations_of ../json >../actual &&
	printf "1\tchanges\tdevelopment=applied:reverted\tproduction=pending:-\n" >../expect && test_cmp ../expect ../actual &&
	jq -e ".verdict == \"clean\" and .rollback_commands == []" ../json &&
	git revert-track auth --task 1.1 -n >../out 2>../err && test_grep "1 users (its up script changes): development applied as it is then" ../out &&
	git revert-track auth --task 1.1 -y --forward-fix --json >../json 2>../err &&
	jq -e ".forward_fixes == [] and .by_hand == []" ../json &&
	echo "CREATE TABLE users (id int);" >../expect && test_cmp ../expect migrations/1_users.up.sql &&
	ls migrations >../actual && test_write_lines 1_users.down.sql 1_users.up.sql >../expect && test_cmp ../expect ../actual &&
	git migration-status --database=development --porcelain >../actual && test_grep "^applied	" ../actual &&
	test "$(db_sql "SELECT count(*) FROM users")" = 1
'

test_expect_success 'an edit that goes, where it is applied as it is now: roll back first, then apply the other text' '
	edited && git apply-migration --database=development -q && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 2>../err </dev/null &&
	test_grep "^error: database .development. has migration 1 as it is now, and the up script would be another one" ../err &&
	test_grep "^hint: Roll back there first: git rollback-db --database=development 1\$" ../err &&
	test_grep ! "forward-fix" ../err &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --forward-fix 2>../err &&
	test_grep "^error: cannot undo the change of migration 1 (users) by a new one" ../err &&
	test_grep "^hint: Roll back there first" ../err &&
	state >../after && test_cmp ../before ../after &&
	git revert-track auth --task 1.1 -y --json >../json 2>../err && test_grep "whose files change: git keeps them" ../err &&
	jq -e ".by_hand == [\"git rollback-db --database=development 1\", \"git apply-migration --database=development\"]" ../json &&
	git rollback-db --database=development 1 --yes -q 2>/dev/null && git apply-migration --database=development -q &&
	test "$(db_sql "SELECT format_type(atttypid, -1) FROM pg_attribute WHERE attrelid = \$\$users\$\$::regclass AND attname = \$\$id\$\$")" = integer
'

test_expect_success 'each database for itself: one has the earlier text, one that of now, one a third' '
	edited "git apply-migration --database=production -q" && git apply-migration --database=development -q &&
	test_expect_code 2 git revert-track auth --task 1.1 2>../err </dev/null &&
	test_grep "database .development. has migration 1 as it is now" ../err && test_grep ! "database .production. has" ../err &&
	db_sql "UPDATE schema_migrations SET checksum = repeat(\$\$0\$\$, 64)" &&
	git revert-track auth --task 1.1 -n --json >../json 2>../err && migrations_of ../json >../actual &&
	printf "1\tchanges\tdevelopment=applied:other\tproduction=applied:reverted\n" >../expect && test_cmp ../expect ../actual &&
	jq -r ".verdict, .warnings[]" ../json >../actual && test_grep "^clean" ../actual &&
	test_grep "database .development. has migration 1 with another text than its up script has, now or then" ../actual
'

# Auth deletes what billing made.
deleted () {
	two_databases && migration 1_users "CREATE TABLE users (id int);" "DROP TABLE users;" &&
	migration 2_names "CREATE TABLE names (id int);" "DROP TABLE names;" &&
	work "feat(billing): base" && done_task billing_20260102 "Number the invoices" && eval "${1:-}" &&
	git rm -q migrations/1_users.up.sql migrations/1_users.down.sql &&
	work "feat(auth): no users" && done_task auth_20260101 "Create the users table"
}

test_expect_success 'what comes back: where it is applied it fits again' '
	deleted "git apply-migration --database=development -q" &&
	git revert-track auth --task 1.1 -y --json >../json 2>../err && migrations_of ../json >../actual &&
	printf "1\tappears\tdevelopment=applied:reverted\tproduction=pending:-\n" >../expect && test_cmp ../expect ../actual &&
	test_grep "migration 1 comes back, and is pending in database .production. then\$" ../err &&
	jq -e ".by_hand == [\"git apply-migration --database=production\"]" ../json &&
	git migration-status --database=development --porcelain >../actual && test_grep ! "^missing" ../actual
'

test_expect_success 'what comes back before others that are applied is out of order' '
	deleted && git apply-migration --database=development -q &&
	git revert-track auth --task 1.1 -y --json >../json 2>../err &&
	test_grep "pending in database .development. then, out of order" ../err &&
	jq -r ".by_hand[]" ../json >../actual &&
	test_write_lines "git apply-migration --database=development --allow-out-of-order" "git apply-migration --database=production" >../expect &&
	test_cmp ../expect ../actual &&
	git apply-migration --database=development --allow-out-of-order -q 2>/dev/null && test "$(relations)" = "names users"
'

# Auth gives a migration of billing another number.
renumbered () {
	two_databases && migration 1_users "CREATE TABLE users (id int);" "DROP TABLE users;" &&
	work "feat(billing): base" && done_task billing_20260102 "Number the invoices" && eval "${1:-}" &&
	git mv migrations/1_users.up.sql migrations/5_users.up.sql &&
	git mv migrations/1_users.down.sql migrations/5_users.down.sql &&
	work "feat(auth): renumber" && done_task auth_20260101 "Create the users table"
}

test_expect_success 'a renumbering that goes: with the new number applied the database is rolled back first' '
	renumbered && git apply-migration --database=development -q &&
	git revert-track auth --task 1.1 -n --json >../json 2>/dev/null &&
	jq -r ".migrations[] | [.version, .change, .renumbered] | @tsv" ../json >../actual &&
	printf "1\tappears\t5\n5\tgoes\t1\n" >../expect && test_cmp ../expect ../actual &&
	test_expect_code 2 git revert-track auth --task 1.1 2>../err </dev/null &&
	test_grep "git rollback-db --database=development 5\$" ../err && test_grep "^hint: Or use --forward-fix, which leaves the number" ../err &&
	git rollback-db --database=development 5 --yes -q 2>/dev/null &&
	git revert-track auth --task 1.1 -y -q 2>/dev/null && git apply-migration --database=development -q &&
	git migration-status --database=development --porcelain >../actual && test_grep "^applied	1	" ../actual
'

test_expect_success '--forward-fix leaves the number, and undoes nothing' '
	renumbered && git apply-migration --database=development -q && db_sql "INSERT INTO users VALUES (1)" &&
	git revert-track auth --task 1.1 -y --forward-fix --json >../json 2>../err &&
	test_grep "migration 5 stays, and 1, which it was before, does not come back" ../err &&
	jq -e ".forward_fixes == [] and .by_hand == []" ../json &&
	ls migrations >../actual && test_write_lines 5_users.down.sql 5_users.up.sql >../expect && test_cmp ../expect ../actual &&
	git migration-status --database=development --porcelain >../actual && test_grep "^applied	5	" ../actual &&
	test_grep ! "^[^a].*	1	" ../actual && test "$(db_sql "SELECT count(*) FROM users")" = 1
'

test_expect_success 'with the old number applied the files fit again' '
	renumbered "git apply-migration --database=development -q" &&
	git revert-track auth --task 1.1 -y -q 2>../err && git migration-status --database=development --porcelain >../actual &&
	test_grep "^applied	1	" ../actual && test_line_count = 1 ../actual
'

# Auth makes users, billing something that uses it.
used () {	# billing's up and down
	two_databases && migration 1_users "CREATE TABLE users (id int PRIMARY KEY);" "DROP TABLE users;" &&
	work "feat(auth): users table" && done_task auth_20260101 "Create the users table" &&
	migration 2_invoices "$1" "$2" &&
	work "feat(billing): invoices table" && done_task billing_20260102 "Number the invoices" &&
	git apply-migration --database=development -q
}

test_expect_success '--forward-fix does not undo what others use; who they are is told' '
	used "CREATE TABLE invoices (id int, u int REFERENCES users);" "DROP TABLE invoices;" && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --forward-fix 2>../err &&
	test_grep "^error: cannot undo migration 1 (users) by a new one: migration 2 (invoices), which stays, uses .users." ../err &&
	test_grep "^hint: .*--with-dependents" ../err && test_grep ! "^warning: migration 2" ../err && test_grep "What was built on it" ../err &&
	test_grep "migration 2 invoices ([0-9a-f]*), which uses .users." ../err &&
	git revert-track auth --task 1.1 -n --forward-fix --json >../json 2>/dev/null &&
	jq -e ".dependents[0].because[0] | .kind == \"migration\" and .what == \"2 invoices\" and .uses == \"users\"" ../json &&
	jq -e ".migrations[0].used_by == [{\"version\": \"2\", \"uses\": \"users\"}]" ../json &&
	state >../after && test_cmp ../before ../after &&
	git revert-track auth --task 1.1 -y -q --forward-fix --with-dependents 2>../err &&
	git apply-migration --database=development -q && test "$(relations)" = ""
'

test_expect_success 'a column, a view, a body: used is what the script speaks of' '
	for up in "ALTER TABLE users ADD COLUMN email text;" "CREATE VIEW v AS SELECT * FROM public.users;" \
		"DO \$body\$ BEGIN PERFORM 1 FROM users; END \$body\$;" "INSERT INTO \"users\" VALUES (1);"
	do
		used "$up" "SELECT 1;" && test_expect_code 2 git revert-track auth --task 1.1 -y --forward-fix 2>../err &&
		test_grep "uses .users." ../err || return
	done &&
	for up in "CREATE TABLE other (id int); -- not of users" "CREATE TABLE users_old (note text DEFAULT \$\$users\$\$ || chr(1));"
	do
		used "CREATE TABLE other (id int); -- not of users" "DROP TABLE other;" &&
		git revert-track auth --task 1.1 -y -q --forward-fix 2>../err && git apply-migration --database=development -q &&
		test "$(relations)" = other || return
	done
'

test_expect_success 'where the files go, that others use what they make is told as well' '
	used "CREATE TABLE invoices (id int, u int REFERENCES users);" "DROP TABLE invoices;" &&
	git revert-track auth --task 1.1 -y -q 2>../err &&
	test_grep "^warning: migration 2 (invoices) stays, and uses .users. of migration 1, which goes" ../err
'

one_fixed () {
	two_databases && echo x >code.c && migration 2_b "CREATE TABLE b (id int);" "DROP TABLE b;" &&
	work "feat(auth): b" && done_task auth_20260101 "Create the users table" &&
	git apply-migration --database=development -q && git revert-track auth --task 1.1 -y -q --forward-fix 2>/dev/null &&
	test_path_is_file migrations/3_undo_b.up.sql
}

test_expect_success 'what is undone by a new migration is reverted, however it is asked for' '
	one_fixed && state >../before &&
	for how in --forward-fix "" --squash
	do
		git revert-track auth --task 1.1 -y $how >../out 2>../err && test_grep "reverted already" ../err || return
	done &&
	git revert-track auth --task 1.1 -n --json >../json 2>/dev/null &&
	jq -e ".nothing_to_do and .verdict == \"clean\" and .migrations[0].undone_by == \"3\" and .migrations[0].change == \"kept\"" ../json &&
	git apply-migration --database=development -q &&
	git revert-track auth --task 1.1 -y 2>../err && test_grep "reverted already" ../err &&
	state >../after && test_cmp ../before ../after && test "$(relations)" = ""
'

test_expect_success 'nor does reverting all of the track undo it once more' '
	one_fixed && git apply-migration --database=development -q && echo m >src/models/m.txt &&
	work "feat(auth): model" && done_task auth_20260101 "Add a user model" &&
	git revert-track auth -y --forward-fix --json >../json 2>../err && jq -e ".forward_fixes == []" ../json &&
	test_path_is_missing src/models/m.txt && test_path_is_file migrations/3_undo_b.up.sql && test_path_is_file migrations/2_b.up.sql &&
	git migration-status --database=development --porcelain >../actual && test_grep ! "^[^a]" ../actual
'

test_expect_success 'a migration whose undoing was undone is there again, and goes again' '
	one_fixed && git apply-migration --database=development -q && git rollback-db --database=development --forward-fix 3 -q 2>/dev/null &&
	commit "b again" && git apply-migration --database=development -q && test "$(relations)" = b &&
	test_expect_code 2 git revert-track auth --task 1.1 2>../err </dev/null &&
	test_grep "database .development. has migration 2, whose files would go" ../err
'

test_expect_success '--forward-fix that cannot be: no down script, different texts; all that is told with -n' '
	two_databases && migration 1_b "CREATE TABLE b (id int);" && work "feat(auth): b" &&
	done_task auth_20260101 "Create the users table" && git apply-migration --database=development --allow-missing-down -q 2>/dev/null &&
	git revert-track auth --task 1.1 -n --forward-fix --json >../json 2>../err &&
	jq -r ".verdict, .reasons[]" ../json >../actual && test_grep "^refused" ../actual && test_grep "no down script" ../actual &&
	two_databases && migration 1_b "CREATE TABLE b (id int);" "DROP TABLE b;" && work "feat(auth): b" &&
	done_task auth_20260101 "Create the users table" && git apply-migration --database=development -q &&
	git apply-migration --database=production -q && db_sql "UPDATE schema_migrations SET checksum = repeat(\$\$0\$\$, 64)" "$second" &&
	test_expect_code 2 git revert-track auth --task 1.1 -y --forward-fix 2>../err &&
	test_grep "databases .development. and .production. have different texts of it" ../err
'

test_expect_success 'a new migration written by hand is known by its first line' '
	two_databases && migration 1_b "CREATE TABLE b (id int);" && work "feat(auth): b" &&
	done_task auth_20260101 "Create the users table" && git apply-migration --database=development --allow-missing-down -q 2>/dev/null &&
	migration 2_without_b "-- Undoes migration 1, by hand
ALTER TABLE b RENAME TO b_old;" "ALTER TABLE b_old RENAME TO b;" && commit "Do without b" &&
	git revert-track auth --task 1.1 -y -q 2>../err && test_path_is_file migrations/1_b.up.sql &&
	git revert-track auth --task 1.1 -n --json >../json 2>/dev/null && jq -e ".migrations[0].undone_by == \"2\"" ../json
'

plain () {
	two_databases && migration 1_users "CREATE TABLE users (id int);" "DROP TABLE users;" &&
	work "feat(auth): users" && done_task auth_20260101 "Create the users table"
}

test_expect_success 'databases are asked again under the lock: what was applied meanwhile is not left behind' '
	plain && mkdir -p .git/hooks && write_script .git/hooks/pre-rollback <<-\END &&
	unset GIT_DIR GIT_INDEX_FILE
	git apply-migration --database=development -q
	END
	test_expect_code 2 git revert-track auth --task 1.1 -y --json >../json 2>../err &&
	test_grep "database .development. has migration 1 by now" ../err &&
	jq -e ".outcome == \"refused\" and .operation == null" ../json &&
	test_path_is_file migrations/1_users.up.sql && rm .git/hooks/pre-rollback &&
	git rollback-db --database=development 1 -y -q 2>/dev/null && git revert-track auth --task 1.1 -y -q
'

test_expect_success 'what was rolled back meanwhile is no harm' '
	plain && git apply-migration --database=development -q && mkdir -p .git/hooks && write_script .git/hooks/pre-rollback <<-\END &&
	unset GIT_DIR GIT_INDEX_FILE
	rm -f "$0"
	git rollback-db --database=development 1 -y -q
	END
	git revert-track auth --task 1.1 -y -q 2>../err && test_path_is_missing migrations/1_users.up.sql && test "$(relations)" = ""
'

test_expect_success 'and before --continue' '
	plain && echo one >one && git add one && echo 1 >src/models/u.txt && work "feat(auth): model" && done_task auth_20260101 "Add a user model" &&
	echo 2 >src/models/u.txt && commit "other" && test_expect_code 1 git revert-track auth --phase 1 -y -q 2>/dev/null &&
	git apply-migration --database=development -q && git rm -q src/models/u.txt &&
	test_expect_code 2 git revert-track --continue 2>../err && test_grep "database .development. has migration 1 by now" ../err &&
	test_path_is_file migrations/1_users.up.sql && git rollback-db --database=development 1 -y -q 2>/dev/null &&
	git revert-track --continue -q 2>../err && test_path_is_missing migrations/1_users.up.sql
'

test_expect_success 'two files of one version that would be are told' '
	renumbered && migration 1_other "CREATE TABLE other (id int);" "DROP TABLE other;" && commit "feat(billing): the number is free" &&
	git revert-track auth --task 1.1 -n 2>../err >../out && test_grep "have the same version then" ../err
'

test_expect_success 'a down script that goes, and of which git has no copy' '
	two_databases && migration 1_users "CREATE TABLE users (id int);" && work "feat(billing): base" && done_task billing_20260102 "Number the invoices" &&
	git apply-migration --database=development --allow-missing-down -q 2>/dev/null && echo "DROP TABLE users;" >migrations/1_users.down.sql &&
	work "feat(auth): down" && done_task auth_20260101 "Create the users table" &&
	test_expect_code 1 git revert-track auth --task 1.1 -y -q 2>../err >../out &&
	test_grep "has no down script beside it" ../out &&
	test_grep "^warning: the down script of migration 1 goes, which database .development. has" ../err
'

test_done
