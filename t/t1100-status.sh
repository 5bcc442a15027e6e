#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git migration-status: every state, in every format; commits and ranges'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-pg.sh

test_lazy_prereq FULL 'test -w /dev/full'

plain () {
	tr "\047" "\042" <"$1"
}

# What git migration-status prints, with TIME for moments and ID for short ids of commits.
status () {	# option...
	git migration-status "$@" >out 2>err
	code_=$?
	sed -E "s/20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z/TIME/g; s/\([0-9a-f]{7}\)/(ID)/g" out | tr "\t" "|"
	return $code_
}

# All was applied two hours and ten minutes ago, in the order it was.
two_hours_ago () {
	db_sql "UPDATE schema_migrations SET applied_at = now() - interval \$\$2 hours 10 min\$\$
		+ version::int * interval \$\$1 ms\$\$"
}

# One migration in each state:
#	1 applied		2 pending		3 changed (a comment)	4 changed (the SQL)
#	5 missing, on a branch	6 missing, nowhere	7 out of order		8 no down, applied
#	9 interrupted		10 no down, pending
test_expect_success 'set up' '
	for i in 1 3 4 5 6 8
	do
		migration ${i}_m "create table m$i ();" "drop table m$i;" || return
	done &&
	rm migrations/8_m.down.sql migrations/6_m.*.sql &&
	git add migrations && test_commit --no-tag one &&
	migration 6_m "create table m6 ();" "drop table m6;" &&
	git apply-migration --allow-missing-down &&
	git for-each-ref --format="delete %(refname)" "refs/rollback/applied/6/*" | git update-ref --stdin &&
	rm migrations/6_m.*.sql &&
	git checkout -q -b feature/five && test_commit --no-tag later &&
	git checkout -q main && git rm -q migrations/5_m.*.sql &&
	git commit -q --amend -m one -- migrations &&
	migration 9_m "create index concurrently i on m1 ((1));
		select 1 / 0;
		select 1;" "drop index i;" &&
	test_expect_code 128 git apply-migration 9 &&
	echo "-- a comment" >>migrations/3_m.up.sql &&
	echo "create table more ();" >>migrations/4_m.up.sql &&
	migration 7_m "create table m7 ();" "drop table m7;" &&
	migration 10_m "create table m10 ();" &&
	migration 11_m "create table m11 ();" "drop table m11;" &&
	two_hours_ago
'

test_expect_success 'every state, for people' '
	status >actual &&
	cat >expect <<-\END &&
	✅ 1 m (applied 2 hours ago)
	❗ 3 m (changed, applied 2 hours ago, only comments or white space differ)
	❗ 4 m (changed, applied 2 hours ago, the SQL differs)
	❗ 5 m (missing, applied 2 hours ago, found at feature/five (ID))
	❗ 6 m (missing, applied 2 hours ago, not found in git)
	❗ 7 m (out of order)
	❗ 8 m (no down script, applied 2 hours ago)
	❌ 9 m (interrupted, apply stopped after statement 1 of 3)
	❗ 10 m (no down script, pending)
	⬜ 11 m (pending)
	END
	test_cmp expect actual &&
	cat >expect <<-\END &&
	warning: "migrations/8_m.up.sql" has no down script beside it
	warning: "migrations/10_m.up.sql" has no down script beside it
	END
	plain err >actual &&
	test_cmp expect actual
'

test_expect_success 'every state, with --porcelain' '
	status --porcelain >actual &&
	cat >expect <<-\END &&
	applied|1|m|TIME|
	changed|3|m|TIME|only comments or white space differ
	changed|4|m|TIME|the SQL differs
	missing|5|m|TIME|feature/five (ID)
	missing|6|m|TIME|
	out-of-order|7|m||
	no-down|8|m|TIME|applied, without a down script
	interrupted|9|m||apply stopped after statement 1 of 3
	no-down|10|m||pending, without a down script
	pending|11|m||
	END
	test_cmp expect actual &&
	git migration-status --porcelain -z >nul &&
	tr "\0" "\n" <nul >actual &&
	test_cmp out actual &&
	git migration-status -z >actual &&
	test_cmp nul actual
'

test_expect_success 'the time in --porcelain is the one that was recorded, in UTC' '
	git migration-status --porcelain | sed -n "s/^applied	1	m	\(.*\)	$/\1/p" >actual &&
	db_sql "SET timezone = \$\$Asia/Tokyo\$\$; SELECT to_char(applied_at AT TIME ZONE \$\$UTC\$\$,
		\$\$YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"\$\$) FROM schema_migrations WHERE version = \$\$1\$\$" >expect &&
	test_cmp expect actual &&
	db_sql "ALTER DATABASE $db_name SET timezone = \$\$Asia/Tokyo\$\$; ALTER DATABASE $db_name SET datestyle = \$\$SQL, DMY\$\$" &&
	test_when_finished "db_sql \"ALTER DATABASE $db_name RESET ALL\"" &&
	git migration-status --porcelain | sed -n "s/^applied	1	m	\(.*\)	$/\1/p" >actual &&
	test_cmp expect actual
'

test_expect_success 'every state, with --json' '
	sum () {
		sha256sum <"$1" | cut -d" " -f1
	} &&
	one () {	# version state applied_at checksum recorded_checksum execution_time_ms up down found_at detail
		printf "    {\n      \"version\": \"%s\",\n      \"name\": \"m\",\n      \"state\": \"%s\",\n" "$1" "$2" &&
		printf "      \"applied_at\": %s,\n      \"checksum\": %s,\n      \"recorded_checksum\": %s,\n" "$3" "$4" "$5" &&
		printf "      \"execution_time_ms\": %s,\n      \"up\": %s,\n      \"down\": %s,\n" "$6" "$7" "$8" &&
		printf "      \"found_at\": %s,\n      \"detail\": %s\n    }" "$9" "${10}"
	} &&
	first=$(sum migrations/1_m.up.sql) &&
	three=$(git show HEAD:migrations/3_m.up.sql | sha256sum | cut -d" " -f1) &&
	four=$(git show HEAD:migrations/4_m.up.sql | sha256sum | cut -d" " -f1) &&
	five=$(git show feature/five:migrations/5_m.up.sql | sha256sum | cut -d" " -f1) &&
	six=$(echo "create table m6 ();" | sha256sum | cut -d" " -f1) &&
	up () {
		echo "\"migrations/$1_m.up.sql\""
	} &&
	down () {
		echo "\"migrations/$1_m.down.sql\""
	} &&
	{
		printf "{\n  \"format\": 1,\n  \"database\": \"default\",\n  \"commit\": null,\n  \"migrations\": [\n" &&
		one 1 applied "\"TIME\"" "\"$first\"" "\"$first\"" MS "$(up 1)" "$(down 1)" null null && echo , &&
		one 3 changed "\"TIME\"" "\"$(sum migrations/3_m.up.sql)\"" "\"$three\"" MS "$(up 3)" "$(down 3)" \
			null "\"only comments or white space differ\"" && echo , &&
		one 4 changed "\"TIME\"" "\"$(sum migrations/4_m.up.sql)\"" "\"$four\"" MS "$(up 4)" "$(down 4)" \
			null "\"the SQL differs\"" && echo , &&
		one 5 missing "\"TIME\"" null "\"$five\"" MS null null "\"feature/five (ID)\"" null && echo , &&
		one 6 missing "\"TIME\"" null "\"$six\"" MS null null null null && echo , &&
		one 7 out-of-order null "\"$(sum migrations/7_m.up.sql)\"" null null "$(up 7)" "$(down 7)" \
			null null && echo , &&
		one 8 no-down "\"TIME\"" "\"$(sum migrations/8_m.up.sql)\"" "\"$(sum migrations/8_m.up.sql)\"" MS \
			"$(up 8)" null null "\"applied, without a down script\"" && echo , &&
		one 9 interrupted null "\"$(sum migrations/9_m.up.sql)\"" null null "$(up 9)" "$(down 9)" \
			null "\"apply stopped after statement 1 of 3\"" && echo , &&
		one 10 no-down null "\"$(sum migrations/10_m.up.sql)\"" null null "$(up 10)" null \
			null "\"pending, without a down script\"" && echo , &&
		one 11 pending null "\"$(sum migrations/11_m.up.sql)\"" null null "$(up 11)" "$(down 11)" null null &&
		cat <<-\END
		
		  ],
		  "problems": [
		    "%migrations/8_m.up.sql% has no down script beside it",
		    "%migrations/10_m.up.sql% has no down script beside it"
		  ],
		  "summary": {
		    "interrupted": 1,
		    "missing": 2,
		    "changed": 2,
		    "out_of_order": 1,
		    "no_down": 2,
		    "applied": 1,
		    "pending": 1
		  }
		}
		END
	} >expect &&
	status --json >json &&
	sed "s/\"execution_time_ms\": [0-9][0-9]*/\"execution_time_ms\": MS/" json | tr "\047" % >actual &&
	test_cmp expect actual
'

test_expect_success 'of a commit: its files, without a checkout' '
	status --porcelain feature/five >actual &&
	cat >expect <<-\END &&
	applied|1|m|TIME|
	applied|3|m|TIME|
	applied|4|m|TIME|
	applied|5|m|TIME|
	missing|6|m|TIME|
	no-down|8|m|TIME|applied, without a down script
	interrupted|9|m||apply stopped after statement 1 of 3
	END
	test_cmp expect actual &&
	git migration-status --json feature/five >actual &&
	test_grep "\"commit\": \"$(git rev-parse feature/five)\"" actual &&
	git status --short -uno >actual &&
	test_grep ! "5_m" actual
'

test_expect_success 'of a range: what the second has and the first has not' '
	echo "applied|5|m|TIME|" >five &&
	status --porcelain main..feature/five >actual &&
	test_cmp five actual &&
	status --porcelain ..feature/five >actual &&
	test_cmp five actual &&
	status --porcelain feature/five..main >actual &&
	test_must_be_empty actual &&
	git checkout -q feature/five && test_when_finished "git checkout -q main" &&
	status --porcelain main.. >actual &&
	test_cmp five actual
'

test_expect_success 'the summary of a range counts what is shown' '
	git migration-status --json main..feature/five >actual &&
	sed -n "/summary/,\$p" actual >summary &&
	test_grep "\"applied\": 1,\$" summary &&
	test_grep "\"interrupted\": 0," summary &&
	test_grep "\"missing\": 0," summary
'

test_expect_success 'what is no commit, no range, or one too many' '
	for rev in nosuch "" HEAD:migrations @{99} nosuch..HEAD HEAD..nosuch --output=x
	do
		test_expect_code 128 git migration-status -- "$rev" 2>err &&
		test_grep "^fatal: .* names no commit$" err || return
	done &&
	test_path_is_missing x &&
	test_expect_code 129 git migration-status main...feature/five 2>err &&
	test_grep "^error: .*main\.\.\.feature/five" err &&
	test_expect_code 129 git migration-status main feature/five 2>err &&
	test_grep "^error: too many arguments" err &&
	test_expect_code 129 git migration-status --json --porcelain
'

test_expect_success 'colours, when they are wanted' '
	git migration-status --color >actual 2>/dev/null &&
	cat >expect <<-\END &&
	<32m✅ ()<m
	<33m❗ ()<m
	<33m❗ ()<m
	<33m❗ ()<m
	<33m❗ ()<m
	<33m❗ ()<m
	<33m❗ ()<m
	<31m❌ ()<m
	<33m❗ ()<m
	⬜ ()
	END
	sed "s/\x1b\[/</g; s/ [0-9]* m (.*)/ ()/" actual >marks &&
	test_cmp expect marks &&
	git -c color.ui=always migration-status >again 2>/dev/null &&
	test_cmp actual again &&
	for plainly in "git migration-status" "git -c color.ui=always migration-status --no-color" \
		"git migration-status --porcelain --color" "git migration-status --json --color"
	do
		$plainly >again &&
		test_grep ! "$(printf "\033")" again || return
	done
'

test_expect_success '--check: 1 unless everything is applied, unchanged and paired' '
	test_when_finished "rm -rf check" &&
	db_reset ${db_name}_check &&
	git init -q check &&
	(
		cd check &&
		DATABASE_URL=$(db_url ${db_name}_check) && export DATABASE_URL &&
		git migration-status --check -q &&
		migration 1 "create table a ()" "drop table a" &&
		test_expect_code 1 git migration-status --check &&
		git apply-migration && git migration-status --check &&
		echo "--" >>migrations/1_step.up.sql &&
		test_expect_code 1 git migration-status --check &&
		echo "create table a ()" >migrations/1_step.up.sql && git migration-status --check &&
		echo "-- corrected" >>migrations/1_step.down.sql && git migration-status --check &&
		mv migrations/1_step.down.sql down &&
		test_expect_code 1 git migration-status --check &&
		mv down migrations/1_step.down.sql && git migration-status --check &&
		mv migrations/1_step.up.sql up &&
		test_expect_code 1 git migration-status --check &&
		mv up migrations/1_step.up.sql && git migration-status --check &&
		migration 2 "create table b ()" "drop table b" && rm migrations/2_step.up.sql &&
		test_expect_code 1 git migration-status --check &&
		test_expect_code 1 git migration-status --check --json >json &&
		test_grep "has no up script" json
	)
'

test_expect_success 'without any database, the files alone are checked, and that is said' '
	test_when_finished "rm -rf files" &&
	git init -q files &&
	(
		cd files && unset DATABASE_URL &&
		migration 1 "create table a ()" "drop table a" &&
		status >actual &&
		echo "⬜ 1 step (pending)" >expect &&
		test_cmp expect actual &&
		echo "no database is configured: only the files are checked" >expect &&
		test_cmp expect err &&
		git migration-status --check &&
		git migration-status --json >actual &&
		test_grep "\"database\": null" actual &&
		migration 2 "create table b ()" &&
		test_expect_code 1 git migration-status --check &&
		test_expect_code 128 git apply-migration 2>err &&
		plain err >actual &&
		cat >expect <<-\END &&
		fatal: no database is configured
		hint: Set DATABASE_URL, or rollback.database.<name>.url; see gitrollback(5).
		END
		test_cmp expect actual
	)
'

test_expect_success 'a database that does not answer, is not there, or is not known' '
	test_expect_code 128 env DATABASE_URL="postgres:///$db_name?host=$TEST_ROOT/nowhere" \
		git migration-status >out 2>err &&
	test_must_be_empty out &&
	test_grep "^fatal: could not connect to database .default." err &&
	test_expect_code 128 env DATABASE_URL="$(db_url nosuch_database)" git migration-status 2>err &&
	test_grep "database \"nosuch_database\" does not exist" err &&
	test_must_fail git migration-status --database=nosuch 2>err &&
	test_grep "nosuch" err
'

missing () {	# where the only migration of this repository, whose files are gone, is found
	git migration-status --porcelain | sed -E "s/20[^	]*Z/TIME/; s/\([0-9a-f]{7}\)/(ID)/" \
		>"$TRASH_DIRECTORY/actual" &&
	printf "missing\t1\tm\tTIME\t%s\n" "$1" >"$TRASH_DIRECTORY/expect" &&
	test_cmp "$TRASH_DIRECTORY/expect" "$TRASH_DIRECTORY/actual"
}

test_expect_success 'where git has a missing file: branch, merged, tag, stash, reflog, ref, nowhere' '
	test_when_finished "rm -rf found" &&
	db_reset ${db_name}_found &&
	git init -q found &&
	(
		cd found &&
		DATABASE_URL=$(db_url ${db_name}_found) && export DATABASE_URL &&
		test_commit --no-tag base &&
		migration 1_m "create table a ();" "drop table a;" &&
		git apply-migration &&

		git stash push -q -u &&
		missing "stash (ID)" &&
		git stash pop -q &&

		git checkout -q -b topic && git add . && test_commit --no-tag m &&
		test_commit --no-tag more && test_commit --no-tag more2 &&
		git checkout -q main &&
		missing "topic (ID)" &&
		git checkout -q topic && echo change >untracked && git stash push -q -u &&
		git checkout -q main &&
		missing "topic (ID)" &&
		git stash drop -q &&

		git merge -q --no-ff -m merge topic && git branch -q -d topic &&
		git rm -q -r migrations && test_commit --no-tag gone &&
		missing "main (ID)" &&

		git reset -q --hard HEAD~2 &&
		missing "the reflog (ID)" &&
		git tag kept HEAD@{1} &&
		missing "kept (ID)" &&
		git tag -d kept &&

		git reflog expire --expire=now --all && git gc -q --prune=now &&
		missing "$(git for-each-ref --format="%(refname)" refs/rollback/applied)" &&
		git for-each-ref --format="delete %(refname)" refs/rollback | git update-ref --stdin &&
		missing ""
	)
'

test_expect_success 'a file of the same version and another content is not what is missing' '
	test_when_finished "rm -rf other" &&
	db_reset ${db_name}_other &&
	git init -q other &&
	(
		cd other &&
		DATABASE_URL=$(db_url ${db_name}_other) && export DATABASE_URL &&
		migration 1_m "create table wrong ();" "drop table wrong;" &&
		git add . && test_commit --no-tag wrong &&
		git rm -q -r migrations && test_commit --no-tag gone &&
		migration 1_m "create table right ();" "drop table right;" &&
		sed -i "s/right/\"right\"/" migrations/* &&
		git apply-migration && rm -r migrations &&
		git for-each-ref --format="delete %(refname)" refs/rollback | git update-ref --stdin &&
		missing ""
	)
'

test_expect_success 'files of remote-tracking branches are not ours' '
	test_when_finished "rm -rf up.git clone" &&
	db_reset ${db_name}_remote &&
	git init -q up.git &&
	(cd up.git && test_commit base && git checkout -q -b topic &&
		migration 1_m "create table a ();" "drop table a;" && git add . && test_commit --no-tag m &&
		git checkout -q main) &&
	git clone -q up.git clone &&
	(
		cd clone &&
		DATABASE_URL=$(db_url ${db_name}_remote) && export DATABASE_URL &&
		migration 1_m "create table a ();" "drop table a;" &&
		git apply-migration && rm -r migrations &&
		git for-each-ref --format="delete %(refname)" refs/rollback | git update-ref --stdin &&
		missing "" &&
		git branch -q mine origin/topic &&
		missing "mine (ID)"
	)
'

test_expect_success 'versions are the same number however they are spelled' '
	test_when_finished "rm -rf spelled" &&
	db_reset ${db_name}_spelled &&
	git init -q spelled &&
	(
		cd spelled &&
		DATABASE_URL=$(db_url ${db_name}_spelled) && export DATABASE_URL &&
		migration 000123_m "create table a ();" "drop table a;" &&
		git apply-migration &&
		mv migrations/000123_m.up.sql migrations/123_m.up.sql &&
		mv migrations/000123_m.down.sql migrations/123_m.down.sql &&
		git migration-status --check --porcelain | cut -f1-3 >actual &&
		printf "applied\t000123\tm\n" >expect &&
		test_cmp expect actual &&
		git apply-migration >actual &&
		test_grep "Nothing to apply" actual &&
		git rollback-db 0123 --yes &&
		db_sql "SELECT count(*) FROM schema_migrations" ${db_name}_spelled >actual &&
		echo 0 >expect &&
		test_cmp expect actual
	)
'

test_expect_success 'status changes nothing, neither in git nor in the database' '
	db_reset ${db_name}_fresh &&
	git init -q fresh && test_when_finished "rm -rf fresh" &&
	(
		cd fresh &&
		DATABASE_URL=$(db_url ${db_name}_fresh) && export DATABASE_URL &&
		migration 1 "create table a ()" "drop table a" &&
		find .git | sort >before &&
		git migration-status && git migration-status --json >/dev/null &&
		find .git | sort >after &&
		test_cmp before after &&
		db_sql "SELECT count(*) FROM pg_class WHERE relnamespace = 2200" ${db_name}_fresh >actual &&
		echo 0 >expect &&
		test_cmp expect actual
	)
'

test_expect_success FULL 'a full disk is noticed' '
	test_expect_code 128 git migration-status >/dev/full &&
	test_expect_code 128 git migration-status --porcelain >/dev/full &&
	test_expect_code 128 git migration-status --json >/dev/full
'

test_done
