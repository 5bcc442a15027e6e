#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: commits that plans name, and that the history has no longer

They are found by what they changed: alone, in a squash, or in a part of one; and where they are gone for
good, the plan'\''s marks are what is left.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

auth () {
	track auth_20260107 "Sign people in safely" <<-\EOF
	# Plan

	## Phase 1: Storage of sessions
	- [ ] Task: Keep sessions in a table
	- [ ] Task: Let sessions expire after a day

	## Phase 2: Pages for signing in
	- [ ] Task: Show the form for signing in
	EOF
}

# Adds lines to a file, and commits that.
add () {	# file, subject, line...
	file_=$1 subject_=$2 &&
	shift 2 &&
	printf '%s\n' "$@" >>"$file_" &&
	commit_all "$subject_"
}

# A branch with three commits of code; their ids are in $first, $second and $third.
branch () {	# repository
	project "$1" && printf '%s\n' top 2 3 4 middle 6 7 8 end >shared.c && commit_all Shared && auth &&
	git switch -q -c feature &&
	printf '%s\n' table row >table.c && sed 's/middle/table/' shared.c >new && mv new shared.c &&
	commit_all "One" && first=$(tip) &&
	add expire.c "Two" expire after "a day" && second=$(tip) &&
	add form.c "Three" form field && third=$(tip) &&
	git switch -q main
}

squash () {	# branch, message
	git merge -q --squash "$1" >/dev/null && test_tick && git commit -q -m "$2"
}

# The marks of the three, as a plan gets them on main behind the squash.
marks () {
	mark auth_20260107 "Keep sessions" "$first" &&
	mark auth_20260107 "Let sessions" "$second" &&
	mark auth_20260107 "Show the form" "$third"
}

work_of () {	# unit...
	shown "$@" | grep "	implementation	"
}

test_expect_success 'a squash is of each task whose commit it has, and shared' '
	branch squashed && squash feature "All of it (#7)" && work later.c Later && marks &&
	work_of auth --task 1.2 >actual &&
	echo "certain	implementation	All of it (#7)" >expect &&
	test_cmp expect actual &&
	evidence_of "All of it (#7)" auth --task 1.2 | head -n 1 >actual &&
	echo "rewritten: the plan names $second, which changed the same, with 2 others" >expect &&
	test_cmp expect actual &&
	evidence_of "All of it (#7)" auth --task 1.2 | grep "^shared: also of .* task 1 .Keep sessions" &&
	work_of auth | grep "^certain" >actual && test_line_count = 1 actual
'

test_expect_success 'so a task of it is refused, and the unit around them offered' '
	cd squashed &&
	git rev-parse HEAD >expect &&
	test_expect_code 2 git revert-track auth --task 1.2 -y 2>err &&
	test_grep "is also the work of .*Keep sessions.* and .*Show the form" err &&
	test_grep "git revert-track auth_20260107\$" err && test_grep "use --split\|Use --split" err &&
	test_expect_code 2 git revert-track auth --phase 1 -y 2>err &&
	test_grep "is also the work of .*Show the form" err &&
	git rev-parse HEAD >actual && test_cmp expect actual &&
	git revert-track auth -y -q && test_path_is_missing table.c && test_path_is_missing form.c &&
	printf "%s\n" top 2 3 4 middle 6 7 8 end >expect && test_cmp expect shared.c && test_path_is_file later.c
'

test_expect_success 'one task of several commits has the squash for itself' '
	branch alone && squash feature "All of it" && sha="$first $second $third" &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	work_of auth --task 1.1 >actual &&
	echo "certain	implementation	All of it" >expect && test_cmp expect actual &&
	git revert-track auth --task 1.1 -y -q && test_path_is_missing form.c &&
	test_grep "^- . . Task: Keep sessions in a table\$" conductor/tracks/auth_20260107/plan.md
'

test_expect_success 'also where ours has gone on in the same files' '
	branch moved && sed "s/top/first/; s/end/last/" shared.c >new && mv new shared.c && commit_all Meanwhile &&
	squash feature "All of it" && marks &&
	evidence_of "All of it" auth --task 1.1 | grep "^rewritten: .*$first, which changed the same, with 2 others"
'

test_expect_success 'also where later commits of the branch changed the same lines' '
	branch over && git switch -q feature && sed "s/after/before/" expire.c >new && mv new expire.c &&
	sed "s/table/chair/" shared.c >new && mv new shared.c && commit_all "Other words" && third="$third $(tip)" &&
	git switch -q main && squash feature "All of it" && marks &&
	evidence_of "All of it" auth --task 1.1 | grep "^rewritten: .*$first, which changed the same, with 3 others" &&
	evidence_of "All of it" auth --task 1.2 | grep "^rewritten: .*$second, which changed the same, with 3 others"
'

test_expect_success 'what no plan names was squashed with it: only likely' '
	branch unnamed && squash feature "All of it" && mark auth_20260107 "Keep sessions" "$first" &&
	work later.c Later && mark auth_20260107 "Let sessions" "$(tip)" &&
	evidence_of "All of it" auth --task 1.1 >actual &&
	grep "^rewritten: .*$first, which changed the same, with 2 others, not all of which plans name" actual &&
	git revert-track --show auth --task 1.1 --json >json &&
	jq -e "[.commits[], .left_out[]] | map(select(.subject == \"All of it\"))[0].evidence |
		map(select(.kind == \"rewritten\")) | length == 1" json
'

test_expect_success 'a branch that was left goes on behind the last that a plan names' '
	branch left && git switch -q feature && sed "s/field/button/" form.c >new && mv new form.c && commit_all "Not named" &&
	git switch -q main && squash feature "All of it" && marks &&
	evidence_of "All of it" auth --task 2.1 | grep "^rewritten: .*$third, .* 3 others, not all of which" &&
	test_expect_code 2 git revert-track auth --task 2.1 -y 2>err && test_path_is_file form.c
'

test_expect_success 'of very many branches it is not asked which has it: what is in the squash is found' '
	cd left && for i in $(seq 300); do echo "create refs/heads/many/$i HEAD"; done | git update-ref --stdin &&
	evidence_of "All of it" auth --task 1.2 | grep "^rewritten: it has what $second changed, and more"
'

test_expect_success 'changed when it was merged: it has that, and more' '
	branch more && git merge -q --squash feature >/dev/null && echo more >>form.c && echo more >more.c &&
	commit_all "All of it, and more" && work later.c Later && marks &&
	evidence_of "All of it, and more" auth --task 1.2 | grep "^rewritten: it has what $second changed, and more" &&
	test_expect_code 2 git revert-track auth --task 1.2 -y 2>err && test_path_is_file expire.c
'

test_expect_success 'what was taken back on the branch is not in the squash' '
	branch back && git switch -q feature && git revert --no-edit "$second" >/dev/null &&
	git switch -q main && squash feature "All of it" && marks &&
	evidence_of "All of it" auth --task 1.2 >actual && ! grep "^rewritten" actual &&
	evidence_of "All of it" auth --task 1.1 | grep "^rewritten: .*$first, which changed the same"
'

test_expect_success 'a fixup of another task makes it the work of both' '
	branch fixup && git switch -q feature &&
	GIT_SEQUENCE_EDITOR="sed -i 2s/pick/fixup/" git rebase -q -i main 2>err &&
	git switch -q main && git merge -q feature && git branch -q -D feature && marks &&
	evidence_of One auth --task 1.2 | grep "^rewritten: .*$second, which changed the same, with 1 other\$" &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>err && test_grep "also the work of .*Let sessions" err &&
	git revert-track auth --phase 1 -y -q && test_path_is_missing expire.c && test_path_is_file form.c
'

test_expect_success 'of two tracks: there is no unit around them; --split parts their files' '
	branch tracks && track mail_20260108 "Send mail to people" <<-\EOF &&
	# Plan

	## Phase 1: Outbox
	- [ ] Task: Queue letters, form.c
	EOF
	squash feature "All of it" && mark auth_20260107 "Keep sessions" "$first $second" &&
	mark mail_20260108 "Queue letters" "$third" &&
	test_expect_code 2 git revert-track auth -y 2>err &&
	test_grep "is also the work of track .mail_20260108" err && ! grep "the unit around" err &&
	git revert-track mail -y -q --split && test_path_is_missing form.c && test_path_is_file table.c &&
	test_path_is_file expire.c
'

test_expect_success 'binary files, a mode, a link, an empty commit, a merge within' '
	project kinds && auth && git switch -q -c feature &&
	printf "a\0b" >image && ln -s start.txt link && commit_all One && first=$(tip) &&
	git switch -q -c inner && add inner.c Inner inner part && second=$(tip) &&
	git switch -q feature && printf "a\0c" >image && chmod +x start.txt && commit_all Image && third=$(tip) &&
	git merge -q --no-edit inner && git commit -q --allow-empty -m Empty &&
	git switch -q main && squash feature "All of it" && marks &&
	for unit in 1.1 1.2 2.1
	do
		evidence_of "All of it" auth --task $unit | grep "^rewritten: .*, which changed the same, with 2 others\$" || return 1
	done
'

test_expect_success 'the same for a clone that has the branch only from its server' '
	branch server && squash feature "All of it" && marks && git clone -q --no-local . ../clone && cd ../clone &&
	evidence_of "All of it" auth --task 1.2 | grep "^rewritten: .*$second, which changed the same, with 2 others" &&
	git remote remove origin && git gc -q --prune=now && test_must_fail git cat-file -e "$second" &&
	shown auth --task 1.2 >actual && test_must_fail grep "^certain	implementation" actual
'

test_expect_success 'of what nothing was found it is said that its work may still be there' '
	cd left && git revert-track auth --task 2.1 -n --json >json && jq -r ".warnings[]" json >actual &&
	echo "the plan names $(git rev-parse --short feature~1) for work that was not found: it may still be there; name what did it by --also=<commit>" >expect &&
	test_cmp expect actual && git revert-track auth --task 2.1 -n --json --also "$(git rev-parse ":/All of it")" >json &&
	jq -e ".warnings == []" json && cd ../alone && git revert-track auth -n --json >json && jq -e ".warnings == []" json
'

# ---- The same sums of lines are not always the same change ---------------------------------------

# A branch that has changed one line of shared.c, and a plan on main that names its commit.
flag () {	# repository
	project "$1" && seq 60 >shared.c && echo run >run.sh && commit_all Shared && auth &&
	git switch -q -c feature && sed "5s/.*/FLAG/" shared.c >new && mv new shared.c &&
	commit_all Flag && first=$(tip) && git switch -q main && mark auth_20260107 "Keep sessions" "$first"
}

not_certain () {	# subject
	shown auth --task 1.1 >actual && ! grep "^certain	implementation	$1\$" actual
}

test_expect_success 'an empty file and a mode beside the lines: not the same, and left alone' '
	flag empty && sed "5s/.*/FLAG/" shared.c >new && mv new shared.c && mkdir pkg && : >pkg/empty &&
	chmod +x run.sh && commit_all "With more" && not_certain "With more" &&
	{ git revert-track auth --task 1.1 -y -q 2>err || :; } &&
	test_path_is_file pkg/empty && test -x run.sh
'

test_expect_success 'lines in another order: not the same' '
	flag order && { seq 31 60; seq 4; echo FLAG; seq 6 30; } >shared.c && commit_all Reorder &&
	not_certain Reorder
'

test_expect_success 'one line changed again by somebody later: only likely; picked: certain' '
	flag again && sed "5s/.*/FLAG/" shared.c >new && mv new shared.c && commit_all Again &&
	evidence_of Again auth --task 1.1 | grep "^rewritten: it changes the same lines as $first, which may be chance" &&
	not_certain Again && git reset -q --hard HEAD~1 && git cherry-pick feature >/dev/null &&
	git commit -q --amend -m Picked && shown auth --task 1.1 | grep "^certain	implementation	Picked\$"
'

# ---- Gone for good --------------------------------------------------------------------------------

gone () {
	git branch -q -D feature && git reflog expire --expire=now --all && git gc -q --prune=now &&
	test_must_fail git cat-file -e "$second"
}

test_expect_success 'gone for good: a squash with its plan is of the unit around what it marks' '
	branch gone && git switch -q feature && tick auth_20260107 "Keep sessions" "$first" &&
	tick auth_20260107 "Let sessions" "$second" && commit_all "conductor(plan): Mark tasks" &&
	git switch -q main && squash feature "All of it" && gone &&
	work_of auth --phase 1 >actual && echo "certain	implementation	All of it" >expect && test_cmp expect actual &&
	work_of auth --task 1.1 >actual && echo "likely	implementation	All of it" >expect && test_cmp expect actual &&
	test_expect_code 1 git revert-track auth --task 1.1 -y 2>err &&
	test_grep "git revert-track auth_20260107 --phase 1" err && test_path_is_file table.c &&
	git revert-track auth --phase 1 -y -q && test_path_is_missing table.c
'

test_expect_success 'gone for good: of marks behind the squash, one for all' '
	branch after && squash feature "All of it" && gone && tick auth_20260107 "Keep sessions" "$first" &&
	tick auth_20260107 "Let sessions" "$second" && commit_all "conductor(plan): Mark tasks" &&
	work_of auth --phase 1 >actual && echo "certain	implementation	All of it" >expect && test_cmp expect actual &&
	work_of auth --task 1.1 >actual && echo "likely	implementation	All of it" >expect && test_cmp expect actual
'

test_expect_success 'gone in part: what cannot be read is as if it were gone' '
	branch part && squash feature "All of it" && git branch -q -D feature && marks &&
	blob=$(git rev-parse "$second:expire.c") && git rm -q -f expire.c && commit_all "No expiry" &&
	rm -f ".git/objects/$(echo "$blob" | cut -c1-2)/$(echo "$blob" | cut -c3-)" &&
	git revert-track --show auth --task 1.1 >out
'

test_expect_success 'gone in part: a commit before the one that the plan names' '
	branch before && git branch -q -D feature && oid=$(git rev-parse "$second") &&
	work later.c Later && mark auth_20260107 "Keep sessions" "$(tip)" &&
	mark auth_20260107 "Let sessions" "$third" &&
	rm -f ".git/objects/$(echo "$oid" | cut -c1-2)/$(echo "$oid" | cut -c3-)" &&
	test_must_fail git rev-list "$third" ^HEAD && work_of auth --task 1.1 >actual &&
	echo "certain	implementation	Later" >expect && test_cmp expect actual
'

# ---- What it costs --------------------------------------------------------------------------------

test_expect_success 'as many processes for many lost commits as for few' '
	branch few && squash feature "All of it" && mark auth_20260107 "Keep sessions" "$first" &&
	GIT_TRACE2_EVENT="$TEST_ROOT/few.trace" git revert-track --show auth >out &&
	cd .. && branch many && squash feature "All of it" && mark auth_20260107 "Keep sessions" "$first $second $third" &&
	GIT_TRACE2_EVENT="$TEST_ROOT/many.trace" git revert-track --show auth >out &&
	grep -c "\"event\":\"start\"" "$TEST_ROOT/few.trace" >expect && grep -c "\"event\":\"start\"" "$TEST_ROOT/many.trace" >actual &&
	test_cmp expect actual
'

test_done
