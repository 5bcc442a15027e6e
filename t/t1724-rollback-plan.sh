#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db --plan-out and --plan: agreed to now, carried out later, exactly so'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

# Two migrations are applied; there is a plan to roll the second back.
set_up () {	# further options of the plan
	db_reset && rm -rf migrations .git plan.json && git init -q . &&
	migration 1_t "CREATE TABLE t (a int);" "DROP TABLE t;" &&
	migration 2_u "CREATE TABLE u (a int);" "DROP TABLE u;" &&
	git apply-migration -q && db_sql "INSERT INTO u VALUES (1)" &&
	git rollback-db --last 1 --plan-out plan.json "$@" >out 2>err
}

tables () {
	db_sql "SELECT coalesce(string_agg(relname, \$\$ \$\$ ORDER BY relname), \$\$\$\$) FROM pg_class
		WHERE relkind = \$\$r\$\$ AND relnamespace = \$\$public\$\$::regnamespace AND relname !~ \$\$^schema_\$\$"
}

recorded () {
	db_sql "SELECT string_agg(version, \$\$ \$\$ ORDER BY version) FROM schema_migrations"
}

# It runs nothing, exit code 2, and says what differs.
refused () {	# pattern; arguments
	pattern_=$1 && shift &&
	tables >before && recorded >>before &&
	test_expect_code 2 git rollback-db --plan plan.json "$@" >out 2>err </dev/null &&
	test_grep "$pattern_" err &&
	tables >after && recorded >>after && test_cmp before after
}

test_expect_success 'the plan is written and shown, and nothing is run' '
	set_up &&
	test "$(tables)" = "t u" && test "$(recorded)" = "1 2" &&
	test_grep "^Rolling back 1 migration" out && test_grep "drop table public.u (1 row" out &&
	jq -r ".format, .kind, .database, .request.mode, .request.last, .decides.steps[0].version, .plan.steps[0].version, .plan.destroys[0].object" plan.json >actual &&
	test_write_lines 1 "git-rollback plan" default last 1 2 2 public.u >expect && test_cmp expect actual &&
	journal_=$(ls .git/rollback/journal | wc -l) && test "$journal_" = 1
'

test_expect_success 'it is carried out with no question' '
	git rollback-db --plan plan.json >out 2>err </dev/null &&
	test "$(tables)" = t && test "$(recorded)" = 1 && test_grep "^rolled back 2 u" out &&
	git rollback-db --undo --yes >out 2>&1 && test "$(db_sql "SELECT * FROM u")" = 1
'

test_expect_success 'a second time it is refused: other migrations are applied' '
	set_up && git rollback-db --plan plan.json >out 2>err && refused "migrations were applied or rolled back since" &&
	test_grep "the plan rolls back migration .2., which would not be now" err &&
	test_grep "migration .1. would be rolled back now, which is not in the plan" err
'

test_expect_success 'rows that come and go do not matter, but whether there are any does' '
	set_up && db_sql "INSERT INTO u SELECT generate_series(1, 50)" &&
	git rollback-db --plan plan.json -n >out 2>err && test_grep ! "would be refused" err &&
	db_sql "TRUNCATE u" && refused "which is not in the plan: table public.u (DROP TABLE), which is empty" &&
	db_sql "INSERT INTO u VALUES (3)" && git rollback-db --plan plan.json >out 2>err && test "$(tables)" = t
'

test_expect_success 'the down script was changed since' '
	set_up && echo "DROP TABLE u, t;" >migrations/2_u.down.sql && refused "the down script of .2. is another one now" &&
	test_grep "would destroy now, which is not in the plan: table public.t" err &&
	test_grep "^hint: Make a new plan with --plan-out" err &&
	git rollback-db --plan plan.json -n >out 2>err && test_grep "would be refused: the down script" err
'

test_expect_success 'the schema was changed since' '
	set_up && db_sql "CREATE VIEW v AS SELECT * FROM t" && refused "the schema was changed since the plan was made" &&
	db_sql "DROP VIEW v" && git rollback-db --plan plan.json >out 2>err && test "$(tables)" = t
'

test_expect_success 'what a foreign key now makes of it' '
	set_up && db_sql "ALTER TABLE u ADD PRIMARY KEY (a)" && git rollback-db --last 1 --plan-out plan.json >out 2>err &&
	db_sql "CREATE TABLE child (a int REFERENCES u)" && refused "it would affect now, which is not in the plan: table public.child"
'

test_expect_success 'another database under the same name' '
	set_up && db_create "${db_name}_other" &&
	DATABASE_URL=$(db_url "${db_name}_other") test_expect_code 2 git rollback-db --plan plan.json >out 2>err &&
	test_grep "database .default. is another one than the plan was made for" err && test "$(tables)" = "t u"
'

test_expect_success 'and another name: the file says which' '
	test_expect_code 2 git rollback-db --plan plan.json --database other 2>err &&
	test_grep "is for database .default., not .other." err
'

test_expect_success 'a file that is damaged, empty, foreign, of another format, or not there' '
	set_up &&
	cp plan.json good && sed "s/public.u/public.x/" good >plan.json && refused "the plan in .plan.json. is damaged" &&
	head -c 400 good >plan.json && refused "is no plan of git rollback-db" && test_grep "It is damaged" err &&
	: >plan.json && refused "is no plan of git rollback-db" &&
	echo "{}" >plan.json && refused "is no plan of git rollback-db" &&
	echo "DROP TABLE t;" >plan.json && refused "is no plan of git rollback-db" &&
	jq ".format = 2" good >plan.json && refused "was written by another version" &&
	rm plan.json && test_expect_code 128 git rollback-db --plan plan.json 2>err && test_grep "cannot open .plan.json." err
'

test_expect_success 'a plan with its digest made anew is still held against the database' '
	jq -Scj "del(.digest) | .decides.steps[0].script |= gsub(\"[0-9]\"; \"0\")" good >edited &&
	jq --arg d "$(sha256sum <edited | cut -d " " -f 1)" ".digest = \$d" edited >plan.json &&
	refused "the down script of .2. is another one now" &&
	jq -Scj "del(.digest, .decides)" good >edited &&
	jq --arg d "$(sha256sum <edited | cut -d " " -f 1)" ".digest = \$d" edited >plan.json &&
	refused "is another one than the plan was made for"
'

test_expect_success 'options are the plan'\''s own' '
	set_up --no-save --no-snapshot &&
	git rollback-db --plan plan.json >out 2>err && test "$(tables)" = t &&
	test_expect_code 2 git rollback-db --undo --yes 2>err && test_grep "saved nothing" err &&
	test_expect_code 129 git rollback-db --plan plan.json --force 2>err &&
	test_expect_code 129 git rollback-db --plan plan.json 2 2>err &&
	test_expect_code 129 git rollback-db --plan plan.json --last 1 2>err &&
	test_expect_code 129 git rollback-db --undo --plan-out other.json 2>err
'

test_expect_success 'each way to choose: versions, --to, --all, --to-commit' '
	set_up && git add -A && git commit -qm all && git rm -q migrations/2_u.* && git commit -qm fewer &&
	for which in "2" "--to 1" "--to-commit HEAD"
	do
		git rollback-db $which --plan-out plan.json >out 2>err &&
		git rollback-db --plan plan.json >out 2>err && test "$(recorded)" = 1 &&
		git rollback-db --undo --yes >out 2>&1 && test "$(recorded)" = "1 2" || return
	done &&
	git rollback-db --all --plan-out plan.json >out 2>err && git rollback-db --plan plan.json >out 2>err &&
	test "$(tables)" = ""
'

test_expect_success 'a protected database wants its name all the same' '
	set_up && git config rollback.database.default.url env:DATABASE_URL && git config rollback.database.default.protected true &&
	refused "is protected" && git rollback-db --plan plan.json --confirm=default >out 2>err && test "$(tables)" = t
'

test_expect_success 'a script, also from elsewhere; and when it was changed' '
	set_up && echo "DROP TABLE u;" >undo.sql && rm plan.json &&
	git rollback-db --script undo.sql --plan-out plan.json >out 2>err &&
	jq -r .request.script plan.json >actual && echo undo.sql >expect && test_cmp expect actual &&
	echo "DROP TABLE t;" >>undo.sql && refused "undo.sql. was changed since the plan was made" &&
	echo "DROP TABLE u;" >undo.sql && mkdir -p sub &&
	(cd sub && git rollback-db --plan ../plan.json >../out 2>../err) && test "$(tables)" = t
'

test_expect_success 'only a plan is replaced by a plan' '
	set_up && git rollback-db --all --plan-out plan.json >out 2>err && test "$(jq -r .request.mode plan.json)" = all &&
	cp migrations/1_t.up.sql kept &&
	test_expect_code 2 git rollback-db --all --plan-out migrations/1_t.up.sql 2>err &&
	test_cmp kept migrations/1_t.up.sql && test_grep "It is not replaced" err
'

test_expect_success 'what would be refused makes no plan' '
	set_up && rm plan.json && migration 3_w "CREATE TABLE w ();" && git apply-migration -q --allow-missing-down &&
	test_expect_code 2 git rollback-db --last 1 --plan-out plan.json >out 2>err &&
	test_path_is_missing plan.json && test_grep "no plan was written" err
'

test_expect_success 'nothing secret is in it' '
	set_up && DATABASE_URL="$DATABASE_URL&password=hunter2" git rollback-db --last 1 --plan-out plan.json >out 2>err &&
	test_grep ! hunter2 plan.json && test_grep ! "DROP TABLE u;" plan.json
'

test_done
