#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: what the plan has to say'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

unset DATABASE_URL

# Two tracks, of which the later one has changed a line of the earlier one's, and another file.
in_the_way () {
	whole_project && printf -- "- [ ] Task: Total them\n" >>conductor/tracks/billing_20260102/plan.md && commit "plan: one more" &&
	file src/shared.txt 5=third && echo total >src/total.txt && work "feat(billing): total" && done_task billing_20260102 "Total them"
}

test_expect_success 'what would be in conflict is among the files; its kind, whose it is, who is in the way, by unit' '
	in_the_way && git revert-track auth --task 1.2 -n --json >../json &&
	jq -r ".files[] | [.path, .change, .kind, .conflict, (.other_tracks | join(\",\"))] | @tsv" ../json >../actual &&
	printf "src/models/user.txt\tgoes\tmodel\tfalse\t\nsrc/shared.txt\tchanges\tshared\ttrue\tbilling_20260102\n" >../expect &&
	test_cmp ../expect ../actual &&
	jq -r ".conflicts[] | [.path, .file_kind, .hunks[0].line, .causes[0].subject, .causes[0].units[0].track, .causes[0].units[0].task] | @tsv" ../json >../actual &&
	printf "src/shared.txt\tshared\t5\tfeat(billing): total\tbilling_20260102\t3\n" >../expect && test_cmp ../expect ../actual &&
	git revert-track auth --task 1.2 -n >../out && test_grep "M src/shared.txt (shared), changed by track billing_20260102" ../out &&
	test_grep "changed since by .* feat(billing): total (track .billing_20260102., phase 1 .Invoices., task 3 .Total them.)" ../out
'

test_expect_success 'where it stops: each side by unit, and what to look at in a file that is shared' '
	cd repo && test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>../err &&
	test_grep "ours: what is there now, by .* feat(billing): total (track .billing_20260102.*task 3" ../err &&
	test_grep "theirs: what was there before .* feat(auth): user model (track .auth_20260101.*task 2" ../err &&
	test_grep "shared: others use it too" ../err && git revert-track --abort -q 2>/dev/null && test -z "$(git status --porcelain)"
'

test_expect_success 'what was built on it, with the commits that --with-dependents reverts too' '
	cd repo && git revert-track auth --task 1.2 -n >../out && test_grep "^  track .billing_20260102., phase 1 .Invoices., task 3 .Total them.: the same lines of src/shared.txt" ../out &&
	test_grep "^      $(git rev-parse --short=10 HEAD~1) feat(billing): total\$" ../out &&
	git revert-track auth --task 1.2 -n --json >../alone && git revert-track auth --task 1.2 -n --json --with-dependents >../with &&
	jq -r ".dependents[].commits[].oid" ../alone | sort >../expect && test -s ../expect &&
	jq -r ".commits[].oid" ../alone | sort >../own && jq -r ".commits[].oid" ../with | sort | comm -23 - ../own >../actual &&
	test_cmp ../expect ../actual
'

test_expect_success 'the documents, line by line; of many the first, and all with --verbose; --json has all' '
	whole_project && git revert-track auth --task 1.2 -n >../out && sed -n "/^Documents:/,\$p" ../out >../actual &&
	sha=$(git log --format=%h --abbrev=7 --grep "^feat(auth): user model") &&
	phase=$(sed -n "s/^## Phase 1: Storage \[checkpoint: \(.*\)\]/\1/p" conductor/tracks/auth_20260101/plan.md) &&
	cat >../expect <<-END &&
	Documents:
	  M conductor/tracks.md
	      - - [x] **Track: Sign people in**
	      + - [~] **Track: Sign people in**
	  M conductor/tracks/auth_20260101/metadata.json
	      -   "status": "completed",
	      +   "status": "in_progress",
	  M conductor/tracks/auth_20260101/plan.md
	      - ## Phase 1: Storage [checkpoint: $phase]
	      + ## Phase 1: Storage
	      - - [x] Task: Add a user model $sha
	      + - [ ] Task: Add a user model
	      -     - [x] Test it
	      +     - [ ] Test it
	END
	test_cmp ../expect ../actual &&
	git revert-track auth -n >../out && test_grep "^      and more: see --verbose\$" ../out && test_grep ! "Task: Add a login form" ../out &&
	git revert-track auth -n -v >../out && test_grep ! "see --verbose" ../out && test_grep "^      + - \[ \] Task: Add a login form\$" ../out &&
	git revert-track auth -n --remove >../out && test_grep "^      - - \[x\] ..Track: Sign people in" ../out && test_grep "^  D conductor/tracks/auth_20260101/plan.md\$" ../out
'

test_expect_success 'the plan shows a document as it will be, also with CRLF, and without a line end' '
	whole_project && for file_ in conductor/tracks.md conductor/tracks/auth_20260101/plan.md
	do
		sed -i "s/\$/\r/" $file_ || return
	done && printf "%s" "$(cat conductor/tracks/auth_20260101/plan.md)" >../plan && cp ../plan conductor/tracks/auth_20260101/plan.md && commit "Line ends" &&
	git revert-track auth -n -v >../out && test_grep "^      + - \[ \] Task: Add a login form\$" ../out && git revert-track auth -y -q 2>/dev/null &&
	grep -c "^      + " ../out >../actual && git show --format= --numstat HEAD >../numstat && awk "{ n += \$1 } END { print n }" ../numstat >../expect &&
	test_cmp ../expect ../actual
'

test_expect_success 'what is run at the end is in the plan, and is not run by it; what is not trusted with the reason' '
	whole_project && printf "[verify \"mine\"]\ncommand = touch ran\n" >.gitrollback && commit settings &&
	git config rollback.verify.build.command "touch built" && git revert-track auth --task 1.2 -n >../out &&
	test_grep "^Run at the end:\$" ../out && test_grep "^  build: touch built\$" ../out && test_grep "^  mine: not run: .*needs trust" ../out &&
	git revert-track auth --task 1.2 -n --json >../json && test_path_is_missing built && test_path_is_missing ran &&
	jq -r ".verify[] | [.name, .command // \"-\", (.reason // \"-\" | test(\"trust\"))] | @tsv" ../json >../actual &&
	printf "build\ttouch built\tfalse\nmine\t-\ttrue\n" >../expect && test_cmp ../expect ../actual
'

test_done
