#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git rollback-db: the down script is found where it is'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

# Each test has a repository of its own, below the trash, and an empty database.
repo () {
	test_when_finished "rm -rf repo other linked stranger bare.git shallow 001.up.sql" &&
	db_reset && git init -q "$@" repo && cd repo &&
	test_commit --no-tag start
}

SQ=\'
up="CREATE TABLE a (id int);"
down="DROP TABLE a;"

# Leaves the migration's files on a branch of their own, and goes to one that never had them.
applied_on_a_branch () {
	git checkout -q -b feature && migration 001_a "$up" "$down" &&
	git add migrations && git commit -qm "with a migration" &&
	git apply-migration -q && git checkout -q main && test_path_is_missing migrations
}

# As another tool does it: the script, and a row with the checksum of the up file.
applied_elsewhere () {	# version, name, up file
	sum_=$(sha256sum <"$3") &&
	psql_db -f "$3" &&
	db_sql "CREATE TABLE IF NOT EXISTS schema_migrations (version VARCHAR(50) PRIMARY KEY,
		name VARCHAR(255) NOT NULL, applied_at TIMESTAMPTZ NOT NULL DEFAULT NOW(),
		checksum VARCHAR(64) NOT NULL, execution_time_ms INTEGER);
		INSERT INTO schema_migrations VALUES (\$\$$1\$\$, \$\$$2\$\$, now(), \$\$${sum_%% *}\$\$, 1)"
}

# What the plan says of the only migration: where from, and the path; ids of commits are C.
origin () {
	git rollback-db -n --json "$@" --all >plan 2>/dev/null &&
	sed -n -E -e "s/.*\"(verdict|down_from|down)\": (.*[^,]),*\$/\\1 \\2/p" plan |
	sed -E -e "s/\"[0-9a-f]{12}:/\"C:/; s,applied/001/[0-9a-f]{64},applied/001/SUM,"
}

shown () {	# arguments; the plan's line for people, with C for ids of commits
	git rollback-db -n --all "$@" 2>/dev/null | sed -n -E "s/\([0-9a-f]{7}\)/(C)/; s/^    down script: //p"
}

# It runs that script, and the schema is proven or said to be unrecorded; nothing is left.
rolls_back () {
	git rollback-db --yes --all "$@" >out 2>err &&
	db_sql "SELECT to_regclass(\$\$a\$\$) IS NULL AND NOT EXISTS (SELECT FROM schema_migrations)" >actual &&
	echo t >expect &&
	test_cmp expect actual
}

refused () {	# what is said; arguments
	reason_=$1 && shift &&
	db_dump >before &&
	test_expect_code 2 git rollback-db --yes --all "$@" 2>err &&
	test_grep "^error: cannot roll back migration .001. (a): no down script: .*$reason_" err &&
	db_dump >after &&
	test_cmp before after
}

forget_refs () {
	git for-each-ref --format="delete %(refname)" refs/rollback >refs &&
	test_line_count -gt 0 refs &&
	git update-ref --stdin <refs
}

expect_origin () {	# down_from, down; arguments
	test_write_lines "verdict \"clean\"" "down_from \"$1\"" "down \"$2\"" >expect &&
	shift 2 &&
	origin "$@" >actual &&
	test_cmp expect actual
}

# --- the worktree ----------------------------------------------------------------------------

test_expect_success 'the worktree, not committed and then committed' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	expect_origin worktree migrations/001_a.down.sql &&
	git add migrations && git commit -qm migration &&
	expect_origin worktree migrations/001_a.down.sql &&
	echo "migrations/001_a.down.sql (the worktree)" >expect &&
	shown >actual &&
	test_cmp expect actual &&
	rolls_back && test_grep "^Proven" out
'

test_expect_success 'the worktree, from a subdirectory' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	mkdir sub && cd sub &&
	expect_origin worktree migrations/001_a.down.sql &&
	rolls_back && cd ..
'

test_expect_success 'the worktree, though the up was written with other line ends and a BOM' '
	repo &&
	migration 001_a "CREATE TABLE a (id int,
		x int);" "$down" &&
	git apply-migration -q &&
	{ printf "\\357\\273\\277" && sed "s/\$/$(printf "\\r")/" migrations/001_a.up.sql; } >crlf &&
	mv crlf migrations/001_a.up.sql &&
	expect_origin worktree migrations/001_a.down.sql &&
	rolls_back && test_grep "^Proven" out
'

test_expect_success 'the worktree, under another name and the same version' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	mv migrations/001_a.up.sql migrations/1_other.up.sql &&
	mv migrations/001_a.down.sql migrations/1_other.down.sql &&
	expect_origin worktree migrations/1_other.down.sql &&
	rolls_back
'

test_expect_success 'a down written after the up was applied without one' '
	repo &&
	migration 001_a "$up" &&
	git apply-migration -q --allow-missing-down &&
	refused "it was applied without a down script, and the worktree has none" &&
	echo "$down" >migrations/001_a.down.sql &&
	expect_origin worktree migrations/001_a.down.sql &&
	rolls_back && test_grep "^Proven" out
'

test_expect_success 'a corrected down: said, shown, used; or the recorded one' '
	repo &&
	migration 001_a "$up" "-- first
DROP TABLE a;" &&
	git apply-migration -q &&
	printf "%s\n" "-- corrected" "DROP TABLE a;" >migrations/001_a.down.sql &&
	git rollback-db -n -v 001 >actual 2>err &&
	cat >expect <<-\END &&
	Rolling back 1 migration in database default, the newest first, in one transaction:
	  001 a
	    down script: migrations/001_a.down.sql (the worktree)
	This will:
	  drop table public.a (0 rows, 0 bytes)
	--- migrations/001_a.down.sql as it was recorded
	+++ migrations/001_a.down.sql
	END
	sed -e "/^@@/,\$d" -e "/^Checklist:/,/validation after/d" actual >head && test_cmp expect head &&
	test_grep "^-.*-- first\$" actual &&
	test_grep "^+.*-- corrected\$" actual &&
	test_grep "^warning: the down script of .001. was changed since it was applied; the worktree.s is used\$" err &&
	test_grep "^hint: .*--recorded-down" err &&
	git rollback-db -n 001 >actual &&
	test_grep ! "^---" actual &&
	git rollback-db -n --json 001 >actual &&
	test_grep "\"corrected\": true" actual &&

	git rollback-db -n --recorded-down 001 >actual 2>err &&
	test_must_be_empty err &&
	test_grep "down script: refs/rollback/applied/001/[0-9a-f]*:down.sql (the scripts kept in git when it was applied)" actual &&
	rolls_back --recorded-down &&
	db_sql "SELECT down_sql FROM schema_rollback_log WHERE direction = \$\$down\$\$" >actual &&
	test_grep "^-- first" actual &&
	git apply-migration -q && printf "%s\n" "-- again" "DROP TABLE a;" >migrations/001_a.down.sql &&
	rolls_back &&
	db_sql "SELECT down_sql FROM schema_rollback_log WHERE direction = \$\$down\$\$ ORDER BY started_at DESC LIMIT 1" >actual &&
	test_grep "^-- again" actual
'

test_expect_success '--recorded-down where the worktree has the recorded one: that' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	expect_origin worktree migrations/001_a.down.sql --recorded-down
'

test_expect_success '--recorded-down does not take the corrected one when the recorded one is lost' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	echo "-- another" >>migrations/001_a.down.sql &&
	forget_refs &&
	db_sql "UPDATE schema_rollback_log SET down_sql = NULL" &&
	expect_origin worktree migrations/001_a.down.sql &&
	refused "" --recorded-down
'

# --- kept in git -----------------------------------------------------------------------------

test_expect_success 'after git switch to a branch that never had the files' '
	repo &&
	applied_on_a_branch &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	rolls_back && test_grep "^Proven" out
'

test_expect_success 'after a rebase, expired reflogs and gc' '
	repo &&
	applied_on_a_branch &&
	blob=$(git rev-parse feature:migrations/001_a.down.sql) &&
	git checkout -q feature && git reset -q --hard main && git checkout -q main && git branch -q -D feature &&
	git reflog expire --expire=now --all && git gc -q --prune=now &&
	git log --all --reflog --format= --name-only >names && test_grep ! sql names &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	git cat-file -e "$blob" &&
	db_sql "DROP TABLE schema_rollback_log" &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	rolls_back && test_grep "^Not proven: nothing is recorded" out
'

test_expect_success 'the worktree where it was applied is gone' '
	repo &&
	git worktree add -q -b feature ../linked &&
	(
		cd ../linked &&
		migration 001_a "$up" "$down" &&
		git apply-migration -q
	) &&
	git worktree remove --force ../linked &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	rolls_back
'

test_expect_success 'the down script alone was removed from the worktree' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	rm migrations/001_a.down.sql &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql
'

test_expect_success 'the up was changed: the down that was recorded with the old one is used' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	migration 001_a "CREATE TABLE another (id int);" "DROP TABLE another;" &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql --force &&
	rolls_back
'

test_expect_success 'applied again with another up: the record of that one counts' '
	repo &&
	migration 001_a "$up" "DROP TABLE nosuch;" &&
	git apply-migration -q &&
	echo "$down" >migrations/001_a.down.sql && git rollback-db -q --yes 001 2>/dev/null &&
	migration 001_a "CREATE TABLE a (id int, x int);" "DROP TABLE a; SELECT 2;" &&
	git apply-migration -q &&
	rm -r migrations &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	rolls_back && test_grep "^Proven" out &&
	db_sql "SELECT down_sql FROM schema_rollback_log WHERE direction = \$\$down\$\$ ORDER BY started_at DESC LIMIT 1" >actual &&
	test_grep "SELECT 2" actual
'

# --- the log ---------------------------------------------------------------------------------

test_expect_success 'the refs are gone: the copy in the log' '
	repo &&
	applied_on_a_branch &&
	git branch -q -D feature && forget_refs &&
	expect_origin log "001.down.sql in the database${SQ}s log" &&
	rolls_back && test_grep "^Proven" out
'

test_expect_success 'another clone, that has nothing of it' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	git init -q ../other && cd ../other &&
	expect_origin log "001.down.sql in the database${SQ}s log" &&
	rolls_back && cd ../repo
'

test_expect_success 'the log is used too where the up was changed and the refs are gone' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q && forget_refs &&
	migration 001_a "CREATE TABLE another (id int);" "DROP TABLE another;" &&
	expect_origin log "001.down.sql in the database${SQ}s log" &&
	rolls_back
'

test_expect_success 'a place in the log is shown where it fails' '
	repo &&
	migration 001_a "$up" "DROP TABLE nosuch;" &&
	git apply-migration -q && forget_refs && rm -r migrations &&
	test_expect_code 128 git rollback-db --yes 001 2>err &&
	test_grep "^fatal: 001.down.sql in the database.s log:1:1: could not roll back migration .001.: table \"nosuch\" does not exist" err
'

# --- tampering -------------------------------------------------------------------------------

tampered () {
	sum=$(sha256sum <migrations/001_a.up.sql) && sum=${sum%% *} &&
	blob=$(printf "DROP TABLE a CASCADE;\nDROP OWNED BY CURRENT_USER;\n" | git hash-object -w --stdin) &&
	upblob=$(git hash-object -w migrations/001_a.up.sql) &&
	tree=$(printf "100644 blob %s\tdown.sql\n100644 blob %s\tup.sql\n" "$blob" "$upblob" | git mktree) &&
	git update-ref "refs/rollback/applied/001/$sum" "$tree"
}

test_expect_success 'a ref whose down is not the recorded one is passed by' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q && tampered &&
	rm -r migrations &&
	expect_origin log "001.down.sql in the database${SQ}s log" &&
	rolls_back
'

test_expect_success 'with --force too the right one comes first' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q && tampered &&
	rm -r migrations &&
	expect_origin log "001.down.sql in the database${SQ}s log" --force &&
	git rollback-db -n --force --all 2>err &&
	test_must_be_empty err
'

test_expect_success 'a tampered ref and nothing else: refused, and with --force used and said' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q && tampered &&
	rm -r migrations &&
	db_sql "UPDATE schema_rollback_log SET down_sql = NULL" &&
	refused "" &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql --force &&
	git rollback-db -n --force --all 2>err &&
	test_grep "^warning: the down script of .001. is not known to fit what was applied (--force)\$" err
'

test_expect_success 'a log whose down is not the recorded one is not used' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q && forget_refs &&
	rm -r migrations &&
	db_sql "UPDATE schema_rollback_log SET down_sql = \$\$DROP TABLE a CASCADE; SELECT 1;\$\$" &&
	refused "" &&
	expect_origin log "001.down.sql in the database${SQ}s log" --force
'

test_expect_success 'a ref whose up is another than its name says is not used' '
	repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	db_sql "DROP TABLE schema_rollback_log" &&
	echo "CREATE TABLE other (id int);" >migrations/001_a.up.sql &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	ref=$(git for-each-ref --format="%(refname)" refs/rollback/applied) &&
	blob=$(git hash-object -w migrations/001_a.up.sql) &&
	tree=$(printf "100644 blob %s\tdown.sql\n100644 blob %s\tup.sql\n" "$blob" "$blob" | git mktree) &&
	git update-ref "$ref" "$tree" &&
	refused "the up script .migrations/001_a.up.sql. is not the one that was applied"
'

# --- applied by another tool -----------------------------------------------------------------

test_expect_success 'applied by another tool: the worktree, by the checksum of the up' '
	repo &&
	migration 001_a "$up" "$down" &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	expect_origin worktree migrations/001_a.down.sql &&
	rolls_back &&
	test_write_lines "Not proven: nothing is recorded of what these migrations changed:" "  001" >expect &&
	sed 1d out >actual &&
	test_cmp expect actual
'

test_expect_success 'applied by another tool, and the up was changed: refused, but for --force' '
	repo &&
	migration 001_a "$up" "$down" &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	echo "-- a comment" >>migrations/001_a.up.sql &&
	refused "the up script .migrations/001_a.up.sql. is not the one that was applied" &&
	test_grep "^hint: Use --force to run the worktree.s down script all the same.\$" err &&
	expect_origin worktree migrations/001_a.down.sql --force &&
	git rollback-db -n --force --all 2>err &&
	test_grep "^warning: the down script of .001. is not known to fit" err &&
	rolls_back --force
'

test_expect_success 'a row without a checksum: refused, but for --force' '
	repo &&
	migration 001_a "$up" "$down" &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	db_sql "ALTER TABLE schema_migrations ALTER checksum DROP NOT NULL; UPDATE schema_migrations SET checksum = NULL" &&
	refused "no checksum is recorded" &&
	expect_origin worktree migrations/001_a.down.sql --force &&
	rolls_back --force
'

test_expect_success 'history: another branch, in a folder of another name' '
	repo &&
	git checkout -q -b feature && migration 001_a "$up" "$down" &&
	mkdir db && mv migrations db/sql && git add db &&
	git commit -qm feature &&
	applied_elsewhere 001 a db/sql/001_a.up.sql &&
	git checkout -q main &&
	expect_origin history "C:db/sql/001_a.down.sql" &&
	commit=$(git rev-parse --short=12 feature) &&
	git rollback-db -n --all >actual &&
	test_grep "^    down script: $commit:db/sql/001_a.down.sql (feature ($(git rev-parse --short=7 feature)))\$" actual &&
	rolls_back
'

test_expect_success 'history: a tag alone' '
	repo &&
	git checkout -q -b feature && migration 001_a "$up" "$down" && git add . && git commit -qm feature &&
	git tag -m kept kept &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	git checkout -q main && git branch -q -D feature && git reflog expire --expire=now --all &&
	expect_origin history "C:migrations/001_a.down.sql" &&
	echo "C (kept (C))" >expect &&
	shown | sed "s/^[0-9a-f]*:[^ ]*/C/" >actual &&
	test_cmp expect actual &&
	rolls_back
'

test_expect_success 'history: a reflog alone' '
	repo &&
	migration 001_a "$up" "$down" && git add . && git commit -qm feature &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	git reset -q --hard HEAD~ && test_path_is_missing migrations &&
	expect_origin history "C:migrations/001_a.down.sql" &&
	echo "C (the reflog (C))" >expect &&
	shown | sed "s/^[0-9a-f]*:[^ ]*/C/" >actual &&
	test_cmp expect actual &&
	git reflog expire --expire=now --all &&
	refused ""
'

test_expect_success 'history: the reflog of a branch, though that of HEAD has expired' '
	repo &&
	git checkout -q -b feature && migration 001_a "$up" "$down" && git add . && git commit -qm feature &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	git reset -q --hard main && git checkout -q main && git reflog expire --expire=now HEAD &&
	expect_origin history "C:migrations/001_a.down.sql"
'

test_expect_success 'history: a stash, the older of two, with what was in the index and what was not' '
	for what in index untracked
	do
		repo &&
		migration 001_a "$up" "$down" &&
		case $what in
		index) git add migrations && git stash push -q ;;
		untracked) git stash push -q -u ;;
		esac &&
		test_path_is_missing migrations &&
		echo more >>start.t && git stash push -q && git reflog expire --expire=now HEAD main &&
		echo "$up" >../001.up.sql &&
		applied_elsewhere 001 a ../001.up.sql &&
		expect_origin history "C:migrations/001_a.down.sql" &&
		rolls_back && cd .. && rm -rf repo || return 1
	done
'

test_expect_success 'history: the commit that has both, and of several the newest' '
	repo &&
	git checkout -q -b feature &&
	migration 001_a "$up" && git add . && git commit -qm up &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	git checkout -q main &&
	refused "" &&
	git checkout -q feature &&
	test_tick && echo "DROP TABLE nosuch;" >migrations/001_a.down.sql && git add . && git commit -qm down &&
	test_tick && echo "$down" >migrations/001_a.down.sql && git commit -qam corrected &&
	test_tick && test_commit --no-tag other &&
	test_tick && echo "-- changed" >>migrations/001_a.up.sql && echo "DROP TABLE changed;" >migrations/001_a.down.sql &&
	git commit -qam changed &&
	git checkout -q main &&
	commit=$(git rev-parse --short=12 feature~2) &&
	git rollback-db -n --all >actual &&
	test_grep "^    down script: $commit:migrations/001_a.down.sql (feature (" actual &&
	rolls_back
'

test_expect_success 'history: not by the version alone' '
	repo &&
	git checkout -q -b feature && migration 001_a "$up" "$down" && git add . && git commit -qm feature &&
	echo "CREATE TABLE a (other int);" >../001.up.sql &&
	applied_elsewhere 001 a ../001.up.sql &&
	git checkout -q main &&
	refused "there is none in the worktree, in refs/rollback/applied, in the database.s log, or in the history of local refs"
'

test_expect_success 'history: many at once, each of another commit' '
	repo &&
	git checkout -q -b feature && mkdir migrations &&
	for v in $(seq 101 160)
	do
		migration ${v}_t "CREATE TABLE t$v (id int);" "DROP TABLE t$v;" && git add migrations &&
		git commit -qm "$v" && applied_elsewhere $v t migrations/${v}_t.up.sql || return 1
	done &&
	git checkout -q main &&
	git rollback-db -n --json --all >plan &&
	test "$(grep -c "\"down_from\": \"history\"" plan)" = 60 &&
	git rollback-db -q --yes --all &&
	db_sql "SELECT count(*) FROM pg_tables WHERE schemaname = \$\$public\$\$ AND tablename LIKE \$\$t%\$\$" >actual &&
	echo 0 >expect &&
	test_cmp expect actual
'

# --- remote-tracking refs --------------------------------------------------------------------

# A stranger has pushed a branch with the same up, and a down of his own.
stranger () {
	git init -q ../stranger &&
	(
		cd ../stranger && test_commit --no-tag his &&
		migration 001_a "$up" "DROP TABLE a; CREATE TABLE owned (id int);" &&
		git add . && git commit -qm his
	) &&
	git remote add origin ../stranger && git fetch -q origin &&
	git rev-parse -q --verify origin/main:migrations/001_a.down.sql
}

test_expect_success 'a remote-tracking branch is not looked into, but with --force, and that is said' '
	repo &&
	stranger &&
	echo "$up" >../001.up.sql &&
	applied_elsewhere 001 a ../001.up.sql &&
	refused "" &&
	expect_origin history "C:migrations/001_a.down.sql" --force &&
	git rollback-db -n --force --all >actual 2>err &&
	test_grep "(origin/main (" actual &&
	test_grep "^warning: the down script of .001. is not known to fit" err
'

test_expect_success 'what git maintenance has fetched beforehand is no more ours' '
	repo &&
	stranger &&
	git fetch -q origin "+refs/heads/*:refs/prefetch/remotes/origin/*" && git update-ref -d refs/remotes/origin/main &&
	git rev-parse -q --verify refs/prefetch/remotes/origin/main &&
	echo "$up" >../001.up.sql &&
	applied_elsewhere 001 a ../001.up.sql &&
	refused ""
'

test_expect_success 'the reflog of a remote-tracking branch is no more ours' '
	repo &&
	stranger &&
	git -C ../stranger commit -q --amend -m again && git fetch -q origin &&
	git -C ../stranger checkout -q --orphan empty && git -C ../stranger rm -rfq . &&
	test_commit -C ../stranger --no-tag nothing && git -C ../stranger branch -q -M main && git fetch -q origin &&
	echo "$up" >../001.up.sql &&
	applied_elsewhere 001 a ../001.up.sql &&
	refused ""
'

test_expect_success 'with --force, a stranger never comes before our own' '
	repo &&
	applied_on_a_branch &&
	stranger &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql --force &&
	forget_refs &&
	expect_origin log "001.down.sql in the database${SQ}s log" --force &&
	db_sql "TRUNCATE schema_rollback_log" &&
	expect_origin history "C:migrations/001_a.down.sql" --force &&
	git rollback-db -n --force --all >actual 2>err &&
	test_must_be_empty err &&
	test_grep "(feature (" actual &&
	rolls_back --force &&
	db_sql "SELECT to_regclass(\$\$owned\$\$)" >actual &&
	echo >expect &&
	test_cmp expect actual
'

test_expect_success 'what is recorded as another down is not taken from history either' '
	repo &&
	applied_on_a_branch &&
	forget_refs &&
	db_sql "UPDATE schema_rollback_log SET down_sql = NULL, down_checksum = repeat(\$\$0\$\$, 64)" &&
	refused "" &&
	expect_origin history "C:migrations/001_a.down.sql" --force
'

# --- repositories of all kinds ---------------------------------------------------------------

test_expect_success 'a bare repository stands for its HEAD' '
	repo &&
	migration 001_a "$up" "$down" && git add . && git commit -qm migration &&
	git clone -q --bare . ../bare.git &&
	cd ../bare.git &&
	git apply-migration -q &&
	commit=$(git rev-parse --short=7 HEAD) &&
	expect_origin worktree migrations/001_a.down.sql &&
	echo "migrations/001_a.down.sql (commit $commit)" >expect &&
	shown >actual &&
	test_cmp expect actual &&
	empty=$(git commit-tree -m empty "$(git mktree </dev/null)") &&
	git update-ref refs/heads/main "$empty" &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	rolls_back && cd ../repo
'

test_expect_success 'a linked worktree has files of its own, and shares the refs' '
	repo &&
	git worktree add -q -b feature ../linked &&
	cd ../linked &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	expect_origin worktree migrations/001_a.down.sql &&
	cd ../repo &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	cd ../linked && rolls_back && cd ../repo
'

test_expect_success 'a shallow clone: what it has is found, what it has not is refused' '
	repo &&
	migration 001_a "$up" "$down" && git add . && git commit -qm migration &&
	applied_elsewhere 001 a migrations/001_a.up.sql &&
	git rm -qr migrations && git commit -qm removed &&
	expect_origin history "C:migrations/001_a.down.sql" &&
	git clone -q --depth 1 "file://$PWD" ../shallow && cd ../shallow &&
	refused "" && cd ../repo && rm -rf ../shallow &&
	git clone -q --depth 2 "file://$PWD" ../shallow && cd ../shallow &&
	expect_origin history "C:migrations/001_a.down.sql" &&
	rolls_back && cd ../repo
'

test_expect_success 'a SHA-256 repository' '
	repo --object-format=sha256 &&
	applied_on_a_branch &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	forget_refs && db_sql "TRUNCATE schema_rollback_log" &&
	expect_origin history "C:migrations/001_a.down.sql" &&
	rolls_back
'

test_expect_success 'the layout of folders' '
	repo &&
	mkdir -p migrations/001_a && echo "$up" >migrations/001_a/up.sql && echo "$down" >migrations/001_a/down.sql &&
	git apply-migration -q &&
	expect_origin worktree migrations/001_a/down.sql &&
	git checkout -q -b feature && git add . && git commit -qm feature && git checkout -q main &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	forget_refs && db_sql "TRUNCATE schema_rollback_log" &&
	expect_origin history "C:migrations/001_a/down.sql" &&
	rolls_back
'

test_expect_success 'no commit yet, and a detached HEAD' '
	test_when_finished "rm -rf repo" && db_reset && git init -q repo && cd repo &&
	migration 001_a "$up" "$down" &&
	git apply-migration -q &&
	expect_origin worktree migrations/001_a.down.sql &&
	rm -r migrations &&
	expect_origin applied-ref refs/rollback/applied/001/SUM:down.sql &&
	forget_refs && db_sql "DROP TABLE schema_rollback_log" &&
	refused "" &&
	migration 001_a "$up" "$down" && git add . && git commit -qm one &&
	git checkout -q --detach && git commit -q --allow-empty -m empty && git rm -qr migrations && git commit -qm none &&
	expect_origin history "C:migrations/001_a.down.sql" &&
	rolls_back
'

test_expect_success 'names of paths that need care' '
	mkdir "it${SQ}s \"one\"" && cd "it${SQ}s \"one\"" &&
	test_when_finished "rm -rf ./it*" &&
	repo && git config rollback.migrations.directory "my ${SQ}sql${SQ} [files]" &&
	git checkout -q -b feature && mkdir "my ${SQ}sql${SQ} [files]" &&
	echo "$up" >"my ${SQ}sql${SQ} [files]/001_a.up.sql" &&
	echo "$down" >"my ${SQ}sql${SQ} [files]/001_a.down.sql" &&
	git add . && git commit -qm feature &&
	applied_elsewhere 001 a "my ${SQ}sql${SQ} [files]/001_a.up.sql" &&
	expect_origin worktree "my ${SQ}sql${SQ} [files]/001_a.down.sql" &&
	git checkout -q main &&
	expect_origin history "C:my ${SQ}sql${SQ} [files]/001_a.down.sql" &&
	rolls_back
'

test_done
