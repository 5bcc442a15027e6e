#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint restore: a database that is somewhere else by now is pointed out'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

test_expect_success 'a database at another migration, and the command that takes it back' '
	git config advice.detachedHead false &&
	migration 001 "CREATE TABLE a (x int);" "DROP TABLE a;" && git add . && git commit -q -m one &&
	git apply-migration -q && git checkpoint create -q one && commit=$(git rev-parse --short=12 HEAD) &&
	migration 002 "CREATE TABLE b (x int);" "DROP TABLE b;" && git add . && git commit -q -m two &&
	git apply-migration -q && db_dump >"$TEST_ROOT/before" &&
	git checkpoint restore -n one >out 2>err && test_grep "at migration 002.*was at 001" err &&
	test_grep "git rollback-db --database=default --to-commit=$commit" err &&
	git checkpoint restore -n --json one >plan 2>err &&
	jq -e ".database.version == \"001\" and .database.now.version == \"002\"" plan &&
	git checkpoint restore --yes --quiet one 2>"$TEST_ROOT/err" && test_grep "rollback-db" "$TEST_ROOT/err" &&
	id=$(git for-each-ref --format="%(refname:lstrip=3)" refs/rollback/op | tail -n 1 | cut -d / -f 1) &&
	db_dump >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	git rollback-db -q --yes --to-commit="$commit" 2>"$TEST_ROOT/err" &&
	test_expect_code 2 git checkpoint undo -q --yes 2>"$TEST_ROOT/err" &&
	test_grep "git rollback-db --undo" "$TEST_ROOT/err" &&
	git checkpoint undo -q --yes "$id" && git checkpoint restore -n one 2>"$TEST_ROOT/err" >out &&
	test_grep ! "at migration" "$TEST_ROOT/err"
'

test_expect_success 'a database that is behind, at none, or at the same version with others' '
	git apply-migration -q 2>err &&
	git checkpoint create -q two && git rollback-db -q --yes --last=1 2>err &&
	git checkpoint restore -n two >out 2>err && test_grep "at migration 001.*was at 002" err &&
	test_grep "restored: git apply-migration --database=default --to 002$" err &&
	git rollback-db -q --yes --all 2>err &&
	git checkpoint restore -n two >out 2>err && test_grep "at migration none.*was at 002" err &&
	test_grep "git apply-migration --database=default --to 002$" err &&
	git apply-migration -q 002 && git checkpoint restore -n two >out 2>err &&
	test_grep "git migration-status --database=default tells" err &&
	git apply-migration -q --allow-out-of-order
'

# refs/checkpoints/two with another manifest, as refs/checkpoints/other.
with_manifest () {	# jq filter
	two=refs/checkpoints/two &&
	m=$(git cat-file blob "$two^4:manifest.json" | jq -c "$1" | git hash-object -w --stdin) &&
	m=$({
		git ls-tree "$two^4" | grep -v "	manifest.json\$" &&
		printf "100644 blob %s\tmanifest.json\n" "$m"
	} | git mktree) && m=$(git commit-tree -m payload "$m") &&
	w=$(git commit-tree -m other -p "$two^1" -p "$two^2" -p "$two^3" -p "$m" "$two^{tree}") &&
	git update-ref refs/checkpoints/other "$w"
}

test_expect_success 'a name that a shell would not take as it is, one of none, and no name' '
	git config "rollback.database.a b;c.url" "$DATABASE_URL" &&
	with_manifest ".database.name = \"a b;c\" | .database.version = \"9 \$x\"" &&
	git checkpoint restore -n other >out 2>err &&
	test_grep "git apply-migration --database=.a b;c. --to .9 \$x.$" err &&
	test_grep ! "=a b;c" err && test_grep ! "to 9" err &&
	with_manifest ".database.name = \"nosuch\"" &&
	git checkpoint restore -n other >out 2>err && test_grep "could not be looked at: .*nosuch" err &&
	with_manifest "del(.database.name)" &&
	git checkpoint restore -n --json other >out 2>err && jq -e ".database == null" out &&
	test_grep ! database err
'

test_expect_success '--no-db does not look, and a database that does not answer is no reason to stop' '
	git checkpoint restore -q --yes --strategy=files one && git apply-migration -q 2>err &&
	git checkpoint restore -n --no-db one >out 2>err && test_grep ! database err &&
	(
		DATABASE_URL="postgresql:///nosuch?host=$TEST_ROOT" && export DATABASE_URL &&
		git checkpoint restore -n one >out 2>err && test_grep "could not be looked at" err
	)
'

test_expect_success 'a run that was rehearsed changed nothing, and does not keep undo from what came before' '
	migration 7 "CREATE TABLE seven (x int);" "DROP TABLE seven;" && git checkpoint create -q rehearsed &&
	git apply-migration -q --rehearse && git checkpoint list --operations --json >json &&
	jq -r ".operations[0] | .command, .state" json >actual && test_write_lines apply-migration discarded >expect &&
	test_cmp expect actual && git checkpoint undo -q &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/rehearsed
'

test_done
