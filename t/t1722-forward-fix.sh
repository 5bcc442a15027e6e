#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db --forward-fix: a new migration that undoes one'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

GIT_ROLLBACK_TEST_NOW=1768213230	# 2026-01-12 10:20:30
export GIT_ROLLBACK_TEST_NOW

fresh () {
	db_reset && rm -rf migrations .git .gitrollback && git init -q .
}

apply () {
	git add -A && git commit -qm "migrations" && git apply-migration -q "$@"
}

new_files () {
	git ls-files --others --exclude-standard migrations
}

test_expect_success 'its up is the old down, its down the old up, and the database is as it was' '
	fresh &&
	migration 001_t "CREATE TABLE t (id int);" "DROP TABLE t;" &&
	migration 002_u "CREATE TABLE u (id int);" "DROP TABLE u;" &&
	apply && db_dump >before &&
	db_sql "SELECT * FROM schema_migrations, schema_rollback_log ORDER BY 1" >before-rows &&
	git rollback-db --forward-fix 1 >out 2>err &&
	test_write_lines migrations/003_undo_t.down.sql migrations/003_undo_t.up.sql >expect &&
	new_files >actual && test_cmp expect actual &&
	test_write_lines "wrote migrations/003_undo_t.up.sql" "wrote migrations/003_undo_t.down.sql" >expect &&
	test_cmp expect out &&
	grep -v "^--" migrations/003_undo_t.up.sql >actual && test_cmp migrations/001_t.down.sql actual &&
	grep -v "^--" migrations/003_undo_t.down.sql >actual && test_cmp migrations/001_t.up.sql actual &&
	test_grep "^-- Undoes migration 001 (t): this is its down script, from migrations/001_t.down.sql.$" migrations/003_undo_t.up.sql &&
	db_dump >after && test_cmp before after &&
	db_sql "SELECT * FROM schema_migrations, schema_rollback_log ORDER BY 1" >after-rows && test_cmp before-rows after-rows
'

test_expect_success 'and it works: applied it undoes the migration, rolled back it brings it again' '
	git apply-migration -q && test "$(db_sql "SELECT to_regclass(\$\$t\$\$) IS NULL AND to_regclass(\$\$u\$\$) IS NOT NULL")" = t &&
	git rollback-db 3 --yes >out 2>err && test_grep "^Proven" out &&
	test "$(db_sql "SELECT to_regclass(\$\$t\$\$) IS NOT NULL")" = t
'

test_expect_success '-n shows it, and writes nothing; --json' '
	rm migrations/003* &&
	git rollback-db --forward-fix 1 -n >out 2>err &&
	test_grep "^Migration 001 t would be undone by a new one, 003 undo_t:$" out &&
	test_grep "^  up: migrations/003_undo_t.up.sql$" out &&
	test_grep "rows may be lost" err &&
	new_files >actual && test_must_be_empty actual &&
	git rollback-db --forward-fix 1 --json >out 2>err &&
	jq -r ".migration.version, .migration.up, .undoes.version, .down_from, .written, .outcome" out >actual &&
	test_write_lines 003 migrations/003_undo_t.up.sql 001 worktree true done >expect && test_cmp expect actual
'

test_expect_success 'no file is replaced, in no way' '
	fresh && migration 1_t "CREATE TABLE t ();" "DROP TABLE t;" && apply &&
	echo mine >migrations/2_undo_t.up.sql && cp migrations/2_undo_t.up.sql kept &&
	git rollback-db --forward-fix 1 >out 2>err && test_cmp kept migrations/2_undo_t.up.sql &&
	test_grep "there is a migration .2. (undo_t) already" err && test_path_is_file migrations/3_undo_t.up.sql
'

test_expect_success 'of many at once each writes its own, or none' '
	rm migrations/[23]* && rm -f code-* &&
	for n in 1 2 3 4 5 6 7 8
	do
		{ git rollback-db --forward-fix 1 >out-$n 2>&1; echo $? >code-$n; } &
	done &&
	wait &&
	cat code-* | sort -u >codes && test_grep ! "[^02]" codes &&
	cat code-* | grep -c "^0$" >expect && ls migrations/*undo_t.up.sql | wc -l >actual && test_cmp expect actual &&
	ls migrations/*undo_t.down.sql | wc -l >actual && test_cmp expect actual &&
	test -z "$(find migrations -name ".*")" &&
	for file in migrations/*undo_t.up.sql
	do
		grep -v "^--" "$file" >actual && test_cmp migrations/1_t.down.sql actual || return
	done
'

test_expect_success 'a folder that is a link is not followed' '
	fresh && migration 1_t "CREATE TABLE t ();" "DROP TABLE t;" && apply &&
	rm -rf elsewhere && mv migrations elsewhere && ln -s elsewhere migrations &&
	test_expect_code 128 git rollback-db --forward-fix 1 2>err &&
	ls elsewhere >actual && test_write_lines 1_t.down.sql 1_t.up.sql >expect && test_cmp expect actual &&
	rm migrations
'

next_is () {	# version of the only one, path of the next one's up
	fresh && migration "$1_t" "CREATE TABLE t ();" "DROP TABLE t;" && apply &&
	git rollback-db --forward-fix "$1" 2>err >out && test_path_is_file "migrations/$2"
}

test_expect_success 'the version is the next one of the project'\''s own kind' '
	next_is 9 10_undo_t.up.sql && next_is 0009 0010_undo_t.up.sql && next_is 999 1000_undo_t.up.sql &&
	next_is 20250101120000 20260112102030_undo_t.up.sql &&
	next_is 20990101120059 20990101120060_undo_t.up.sql &&
	next_is 202501011200 202601121020_undo_t.up.sql &&
	next_is 1700000000 1768213230_undo_t.up.sql &&
	next_is 20250101 20260112_undo_t.up.sql && next_is 20260112 20260112_001_undo_t.up.sql &&
	next_is 20250101_07 20260112_01_undo_t.up.sql && next_is 20260112_009 20260112_010_undo_t.up.sql &&
	next_is 20270101_99 20270101_100_undo_t.up.sql
'

test_expect_success 'so are separators, folders, and the layout' '
	fresh && migration 001-t "CREATE TABLE t ();" "DROP TABLE t;" && apply &&
	git rollback-db --forward-fix 1 >out 2>err && test_path_is_file migrations/002-undo_t.up.sql &&
	fresh && mkdir -p db/migrations/001_t && echo "CREATE TABLE t ();" >db/migrations/001_t/up.sql &&
	echo "DROP TABLE t;" >db/migrations/001_t/down.sql && apply &&
	(mkdir -p sub && cd sub && git rollback-db --forward-fix 1 >out 2>err) &&
	test_path_is_file db/migrations/002_undo_t/up.sql && test_path_is_file db/migrations/002_undo_t/down.sql &&
	git apply-migration -q && test "$(db_sql "SELECT to_regclass(\$\$t\$\$) IS NULL")" = t && rm -rf db sub
'

test_expect_success 'the scripts are found wherever a rollback finds them' '
	fresh && git commit -q --allow-empty -m none && git branch empty &&
	migration 1_t "CREATE TABLE t (a int);" "DROP TABLE t;" && apply &&
	git switch -q empty && git config rollback.migrations.directory migrations &&
	git rollback-db --forward-fix 1 >out 2>err && test_path_is_file migrations/2_undo_t.up.sql &&
	grep -v "^--" migrations/2_undo_t.down.sql >actual && echo "CREATE TABLE t (a int);" >expect && test_cmp expect actual &&
	test_grep "refs/rollback/applied" migrations/2_undo_t.up.sql && rm -r migrations &&
	git for-each-ref --format="delete %(refname)" refs/rollback/applied | git update-ref --stdin &&
	git rollback-db --forward-fix 1 >out 2>err && test_grep "database.s log" migrations/2_undo_t.up.sql
'

test_expect_success 'refused: not applied, unknown, no down script, an empty one' '
	fresh && migration 1_t "CREATE TABLE t ();" && apply --allow-missing-down &&
	migration 2_u "CREATE TABLE u ();" "DROP TABLE u;" &&
	test_expect_code 2 git rollback-db --forward-fix 1 2>err && test_grep "no down script" err &&
	test_expect_code 2 git rollback-db --forward-fix 2 2>err && test_grep "is not applied" err &&
	test_expect_code 2 git rollback-db --forward-fix 3 2>err && test_grep "there is no migration .3." err &&
	git apply-migration -q --allow-missing-down && : >migrations/2_u.down.sql &&
	test_expect_code 2 git rollback-db --forward-fix 2 2>err && test_grep "has no statement" err &&
	ls migrations >actual && test_write_lines 1_t.up.sql 2_u.down.sql 2_u.up.sql >expect && test_cmp expect actual &&
	test_expect_code 129 git rollback-db --forward-fix 1 2 2>err
'

test_expect_success 'an up script that was changed since is not the one that was applied' '
	fresh && migration 1_t "CREATE TABLE t ();" "DROP TABLE t;" && apply &&
	echo "CREATE TABLE other ();" >migrations/1_t.up.sql &&
	git rollback-db --forward-fix 1 >out 2>err &&
	grep -v "^--" migrations/2_undo_t.down.sql >actual && echo "CREATE TABLE t ();" >expect && test_cmp expect actual
'

test_expect_success 'names from another tool'\''s records lead nowhere else' '
	fresh && migration 1_t "CREATE TABLE t ();" "DROP TABLE t;" && apply &&
	db_sql "UPDATE schema_migrations SET name = \$\$../../x; DROP
TABLE y\$\$" &&
	git rollback-db --forward-fix 1 >out 2>err &&
	test_path_is_file migrations/2_undo_______x__DROP_TABLE_y.up.sql &&
	test_line_count = 3 migrations/2_undo_______x__DROP_TABLE_y.up.sql
'

test_expect_success 'a script that runs outside a transaction still does' '
	fresh && migration 1_t "CREATE TABLE t (a int); CREATE INDEX i ON t (a);" "-- rollback: no-transaction
DROP INDEX CONCURRENTLY i; DROP TABLE t;" && apply &&
	git rollback-db --forward-fix 1 >out 2>err && git apply-migration -q &&
	test "$(db_sql "SELECT to_regclass(\$\$t\$\$) IS NULL")" = t
'

test_done
