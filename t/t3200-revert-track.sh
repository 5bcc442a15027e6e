#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: a unit of work, out of the middle of history'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

plan=conductor/tracks/auth_20260101/plan.md

# All that a command could have changed: refs, index, files.
state () {
	git for-each-ref refs/heads refs/tags && git rev-parse HEAD && git --no-optional-locks status --porcelain=v2 -b &&
	git ls-files -s && cat conductor/tracks.md conductor/tracks/*/* src/*.txt
}

# What history would be without the commits whose subjects match: all files but the documents.
without () {	# pattern
	rm -rf ../without && git clone -q . ../without && git -C ../without reset -q --hard whole &&
	for commit_ in $(git log --format=%H --grep="$1" -E whole)
	do
		git -C ../without revert --no-edit "$commit_" >/dev/null || return
	done &&
	git -C ../without ls-tree -r HEAD | grep -v "	conductor/tracks" >../expect &&
	git ls-tree -r HEAD | grep -v "	conductor/tracks" >../actual && test_cmp ../expect ../actual
}

test_expect_success 'a preview changes nothing, and has the commits, the files, the documents' '
	whole_project && state >../before &&
	git revert-track auth --task 1.2 -n >../out &&
	test_grep "^Reverting track .auth_20260101., phase 1 .Storage., task 2 .Add a user model., 2 commits" ../out &&
	test_grep "feat(auth): user model\$" ../out &&
	test_grep "D src/models/user.txt (model)" ../out &&
	test_grep "M src/shared.txt (shared), changed by track billing_20260102" ../out &&
	test_grep "M $plan" ../out &&
	git revert-track auth --task 1.2 -n --json >../json &&
	state >../after && test_cmp ../before ../after &&
	jq -r "[.format, .command, .verdict, .unit.track, .unit.phase, .unit.task, .unit.kind] | @tsv" \
		../json >../actual &&
	printf "1\trevert-track\tclean\tauth_20260101\t1\t2\ttask\n" >../expect &&
	test_cmp ../expect ../actual &&
	jq -r ".commits[] | [.role, .outcome, .level] | @tsv" ../json >../actual &&
	printf "plan\tdocuments\tcertain\nimplementation\tclean\tcertain\n" >../expect &&
	test_cmp ../expect ../actual &&
	jq -r ".files[] | [.path, .change, .kind, (.other_tracks | join(\",\"))] | @tsv" ../json >../actual &&
	printf "src/models/user.txt\tgoes\tmodel\t\nsrc/shared.txt\tchanges\tshared\tbilling_20260102\n" >../expect &&
	test_cmp ../expect ../actual &&
	jq -e ".documents[] | select(.path == \"$plan\") | .edits | length >= 3" ../json
'

test_expect_success 'a task: its commit is reverted, its lines of the plan are as before, and all others stay' '
	cd repo &&
	cp $plan ../plan && head=$(git rev-parse HEAD) &&
	git revert-track auth --task 1.2 -y >../out 2>../err &&
	test_grep "^reverted track .auth_20260101., phase 1 .Storage., task 2 .Add a user model.: 1 commit, 3 documents" ../out &&
	without "user model\$" && test_path_is_missing src/models/user.txt &&
	git show HEAD:src/shared.txt | sed -n "5p;30p" >../actual &&
	test_write_lines 5 invoice >../expect && test_cmp ../expect ../actual &&
	sed -e "s/^- \[x\] Task: Add a user model .*/- [ ] Task: Add a user model/" \
		-e "s/^\(## Phase 1: Storage\).*/\1/" ../plan |
		awk "/Add a user model/ { inside = 1; print; next }
			inside && /^    - / { sub(/\[x\]/, \"[ ]\") } !/^    / { inside = 0 } { print }" >../expect &&
	test_cmp ../expect $plan &&
	test "$(git rev-list --count $head..HEAD)" = 2 &&
	git log -1 --format=%B HEAD~1 >../actual &&
	cat >../expect <<-END &&
	Revert "feat(auth): user model"

	This reverts commit $(git log --format=%H --grep "^feat(auth): user model" HEAD~2).

	Reverts-Track: auth_20260101
	Reverts-Phase: Storage
	Reverts-Task: Add a user model

	END
	test_cmp ../expect ../actual &&
	test -z "$(git status --porcelain)" && git fsck --strict
'

test_expect_success 'a track that was complete is so no longer: registry and metadata say in progress' '
	cd repo &&
	grep -F -x -e "- [~] **Track: Sign people in**" conductor/tracks.md &&
	jq -e ".status == \"in_progress\"" conductor/tracks/auth_20260101/metadata.json &&
	git diff --stat HEAD~2 HEAD -- conductor/tracks/billing_20260102 >../actual &&
	test_must_be_empty ../actual
'

test_expect_success 'once more there is nothing to do: said, and no failure' '
	cd repo &&
	state >../before && git revert-track auth --task 1.2 -y >../out 2>../err &&
	test_grep "nothing to do: .*Add a user model.* is reverted already" ../err &&
	state >../after && test_cmp ../before ../after &&
	git revert-track auth --task 1.2 -y --json >../json 2>/dev/null &&
	jq -e ".outcome == \"done\" and .nothing_to_do" ../json
'

test_expect_success 'it is an operation: git checkpoint undo takes it back' '
	whole_project && state >../before &&
	git revert-track auth --task 1.2 -y -q 2>/dev/null && git checkpoint undo -y -q 2>/dev/null &&
	state >../after && test_cmp ../before ../after
'

test_expect_success 'a phase: all its tasks, and its checkpoint' '
	cd repo &&
	git revert-track auth --phase Storage -y -q 2>../err &&
	without "(user model|users table)\$" &&
	sed -n "/^## Phase 1/,/^## Phase 2/p" $plan >../actual &&
	cat >../expect <<-\END &&
	## Phase 1: Storage
	- [ ] Task: Create the users table
	    - [ ] Test it
	- [ ] Task: Add a user model
	    - [ ] Test it

	END
	sed "\$d" ../actual >../phase && test_cmp ../expect ../phase &&
	test_grep "^## Phase 2: Interface .checkpoint: " $plan &&
	test_grep "^- .x. Task: Add a login form " $plan
'

test_expect_success 'a whole track is marked as reverted, everywhere' '
	whole_project && git revert-track "Sign people" -y -q 2>../err &&
	without "^(feat.auth.)" &&
	test_grep ! "\[x\]" $plan && test_grep ! "checkpoint" $plan &&
	test_grep "Sign people in.*Reverted" conductor/tracks.md &&
	jq -e ".status | test(\"reverted\"; \"i\")" conductor/tracks/auth_20260101/metadata.json &&
	jq -r "keys_unsorted | join(\",\")" conductor/tracks/auth_20260101/metadata.json >../actual &&
	echo track_id,type,status,description >../expect && test_cmp ../expect ../actual &&
	grep -F "\"type\":\"feature\"" conductor/tracks/auth_20260101/metadata.json &&
	git revert-track auth -y 2>../err && test_grep "reverted already" ../err
'

test_expect_success '--remove takes its folder and its entry' '
	whole_project && git revert-track auth -y -q --remove 2>../err &&
	without "^(feat.auth.)" &&
	test_path_is_missing conductor/tracks/auth_20260101 &&
	test_grep ! "Sign people" conductor/tracks.md && test_grep "Send invoices" conductor/tracks.md &&
	test_expect_code 129 git revert-track billing --phase 1 --remove -n
'

test_expect_success '--no-plan-update leaves the documents alone' '
	whole_project && cat conductor/tracks.md conductor/tracks/*/* >../before &&
	git revert-track auth --task 1.2 -y -q --no-plan-update 2>/dev/null &&
	cat conductor/tracks.md conductor/tracks/*/* >../after && test_cmp ../before ../after &&
	without "user model\$"
'

test_expect_success '--squash makes one commit of all, with the reason' '
	whole_project && head=$(git rev-parse HEAD) &&
	git revert-track auth --phase 1 -y -q --squash -m "It was too slow." 2>/dev/null &&
	test "$(git rev-parse HEAD~1)" = "$head" && without "(user model|users table)\$" &&
	git log -1 --format=%s >../actual && 
	test_grep "^Revert phase .Storage.\$" ../actual &&
	git log -1 --format=%B >../actual && test_grep "^It was too slow.\$" ../actual &&
	git log -1 --format="%(trailers:key=Reverts-Phase,valueonly)" >../actual && test_grep "^Storage\$" ../actual
'

test_expect_success 'local changes that would be overwritten: refused, and named; others stay' '
	whole_project && echo mine >>src/form.txt && echo mine >>src/invoice.txt && state >../before &&
	test_expect_code 2 git revert-track auth --phase 2 -y 2>../err &&
	test_grep "src/form.txt" ../err && test_grep ! "src/invoice.txt" ../err &&
	state >../after && test_cmp ../before ../after &&
	git checkout -q src/form.txt && git revert-track auth --phase 2 -y -q 2>/dev/null &&
	git status --porcelain >../actual && echo " M src/invoice.txt" >../expect && test_cmp ../expect ../actual
'

test_expect_success 'what is staged, where there will be a conflict: refused, with what to type' '
	whole_project && file src/shared.txt 5=other && commit "feat(billing): another line" &&
	echo mine >>README.md && git add README.md && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.2 -y 2>../err &&
	test_grep "^error: README.md: it has staged changes" ../err && test_grep "^hint: .*git restore --staged" ../err &&
	state >../after && test_cmp ../before ../after
'

test_expect_success 'without --yes and a terminal nothing is done' '
	whole_project && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.2 2>../err </dev/null &&
	test_grep "feat(auth): user model" ../err && test_grep "not confirmed" ../err &&
	state >../after && test_cmp ../before ../after
'

test_expect_success 'what is not there, or may be several, is exit 1 with the candidates' '
	cd repo &&
	test_expect_code 1 git revert-track nosuch -n 2>../err &&
	test_grep "auth_20260101" ../err && test_grep "billing_20260102" ../err &&
	test_expect_code 1 git revert-track _202601 -n 2>../err && test_grep "may be" ../err &&
	test_expect_code 129 git revert-track -n </dev/null &&
	test_expect_code 129 git revert-track auth --also=nosuch -n
'

test_expect_success 'with --json the candidates are in the error, for --show as well' '
	cd repo &&
	for verb in -n --show
	do
		test_expect_code 1 git revert-track $verb _202601 --json >../json 2>../err &&
		test_grep "may be" ../err &&
		jq -r "[.format, .command, .outcome, .error.message] | @tsv" ../json >../actual &&
		printf "1\trevert-track\tfailed\ttrack %b_202601%b may be any of these\n" "\0047" "\0047" >../expect &&
		test_cmp ../expect ../actual &&
		jq -c ".error.candidates[]" ../json >../actual &&
		cat >../expect <<-\END &&
		{"track":"auth_20260101","phase":null,"task":null,"title":"Sign people in","kind":"track"}
		{"track":"billing_20260102","phase":null,"task":null,"title":"Send invoices","kind":"track"}
		END
		test_cmp ../expect ../actual || return
	done &&
	test_expect_code 1 git revert-track auth --task "Add a" --json >../json 2>/dev/null &&
	jq -r ".error.candidates[] | [.kind, .track, .phase, .task, .title] | @tsv" ../json >../actual &&
	printf "task\tauth_20260101\t1\t2\tAdd a user model\n" >../expect &&
	head -n 1 ../actual >../first && test_cmp ../expect ../first &&
	test_expect_code 1 git revert-track auth --phase nosuch --json >../json 2>/dev/null &&
	jq -e "(.error.message | test(\"no phase\")) and [.error.candidates[].title] == [\"Storage\", \"Interface\"]" ../json &&
	test_expect_code 1 git revert-track --story nosuch --json >../json 2>/dev/null &&
	jq -e "(.error.message | test(\"no story\")) and .error.candidates == []" ../json
'

test_expect_success 'a unit without a commit: exit 1' '
	project && test_expect_code 1 git revert-track auth --task 1.2 -y 2>../err &&
	test_grep "no commit of .*Add a user model" ../err
'

test_expect_success '--also and --except have the last word' '
	whole_project && extra=$(git log --format=%h --grep "^feat(billing): print") &&
	git revert-track auth --task 2.1 -n --json --also "$extra" >../json &&
	jq -r ".commits[] | select(.role == \"implementation\") | .subject" ../json >../actual &&
	test_write_lines "feat(billing): print invoices" "feat(auth): login form" >../expect &&
	test_cmp ../expect ../actual &&
	git revert-track auth --phase 1 -n --json --except "$(git log --format=%H --grep "user model\$" --grep "^feat" --all-match)" >../json &&
	jq -r ".commits[] | select(.role == \"implementation\") | .subject" ../json >../actual &&
	echo "feat(auth): users table" >../expect && test_cmp ../expect ../actual &&
	jq -r ".left_out[].subject" ../json >../actual && echo "feat(auth): user model" >../expect &&
	test_cmp ../expect ../actual
'

test_done
