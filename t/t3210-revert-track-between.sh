#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: conflicts, units that are built on others, shared commits, reset'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

plan=conductor/tracks/auth_20260101/plan.md

state () {
	git for-each-ref refs/heads refs/tags && git rev-parse HEAD &&
	git --no-optional-locks status --porcelain=v2 -b && git ls-files -s &&
	git ls-files -z | xargs -0 cat
}

# Billing changes the line that auth's user model made, and a file that it made.
built_on () {
	whole_project &&
	file src/shared.txt 5=invoice-user && work "feat(billing): print the user" &&
	sed -i "s/^- .x. Task: Print them .*/- [x] Task: Print them $work_/" \
		conductor/tracks/billing_20260102/plan.md &&
	commit "conductor(plan): Mark task Print them as complete"
}

test_expect_success 'the preview has the conflict, and who is in the way, by unit' '
	built_on && state >../before &&
	git revert-track auth --task 1.2 -n --json >../json &&
	jq -e ".verdict == \"conflict\"" ../json &&
	jq -r ".conflicts[] | [.path, .kind, .file_kind, .hunks[0].line, .causes[0].subject, .causes[0].units[0].track] | @tsv" \
		../json >../actual &&
	printf "src/shared.txt\tcontent\tshared\t5\tfeat(billing): print the user\tbilling_20260102\n" >../expect &&
	test_cmp ../expect ../actual &&
	jq -r ".dependents[] | [.unit.track, .unit.task, .because[0].kind, .because[0].what] | @tsv" ../json >../actual &&
	printf "billing_20260102\t2\tlines\tsrc/shared.txt\n" >../expect && test_cmp ../expect ../actual &&
	jq -r ".dependents[0].commits[].subject" ../json >../actual && test_grep "print the user" ../actual &&
	state >../after && test_cmp ../before ../after
'

test_expect_success 'it stops as git revert does, and says what each side is' '
	cd repo && test_expect_code 1 git revert-track auth --task 1.2 -y >../out 2>../err &&
	test_grep "src/shared.txt (content)" ../err &&
	test_grep "ours: .*feat(billing): print the user (track .billing_20260102." ../err &&
	test_grep "theirs: what was there before .* feat(auth): user model (track .auth_20260101." ../err &&
	test_grep "git revert-track --continue" ../err &&
	test_grep "^<<<<<<<" src/shared.txt && git status >../status && test_grep "currently reverting" ../status &&
	git revert-track --status >../out && test_grep "unmerged: src/shared.txt" ../out &&
	git revert-track --status --json >../json &&
	jq -e ".outcome == \"waiting\" and .unmerged == [\"src/shared.txt\"] and .unit.task == 2" ../json &&
	test_expect_code 1 git revert-track --continue 2>../err && test_grep "src/shared.txt" ../err
'

test_expect_success '--abort: exactly the state before' '
	cd repo && git revert-track --abort >../out && state >../after && test_cmp ../before ../after &&
	test_expect_code 1 git revert-track --status && test_expect_code 2 git revert-track --continue
'

test_expect_success '--continue: the rest, and the documents; what was wrong before is no failure of it' '
	built_on && mkdir migrations && echo "SELECT 1;" >migrations/1_x.up.sql && commit "no down" && test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null &&
	echo resolved >src/shared.txt && git add src/shared.txt &&
	git revert-track --continue >../out 2>../err &&
	test_grep "^reverted .*Add a user model" ../out &&
	test_path_is_missing src/models/user.txt && test_grep "^- . . Task: Add a user model\$" $plan &&
	git log -2 --format="%(trailers:key=Reverts-Task,valueonly)" | grep -c "Add a user model" >../actual &&
	echo 2 >../expect && test_cmp ../expect ../actual && test -z "$(git status --porcelain)"
'

test_expect_success 'once more there is no conflict once more: it is reverted, and was resolved' '
	cd repo && head=$(git rev-parse HEAD) &&
	git revert-track auth --task 1.2 -y 2>../err && test "$(git rev-parse HEAD)" = "$head" &&
	test_grep "nothing to do: .*Add a user model.* is reverted already" ../err &&
	oid=$(git log --format=%H --grep "^feat(auth): user model\$") &&
	test_grep "^warning: commit $(echo $oid | cut -c1-10) was reverted before" ../err &&
	git revert-track auth --task 1.2 -n --json >../json 2>/dev/null &&
	jq -e ".verdict == \"clean\" and (.commits[] | select(.oid == \"$oid\") | .outcome == \"reverted\")" ../json &&
	git revert-track auth --task 1.2 -n --json --also "$oid" >../json 2>/dev/null &&
	jq -e ".commits[] | select(.oid == \"$oid\") | .outcome == \"conflict\"" ../json
'

test_expect_success '--skip leaves the commit out; --quit forgets the rest' '
	built_on && test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null &&
	git revert-track --skip >../out 2>../err && test_path_is_file src/models/user.txt &&
	test_grep "^warning: commit .* stays as it is" ../err &&
	test_grep "^- . . Task: Add a user model\$" $plan &&
	built_on && test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null &&
	git revert-track --quit >../out && test_grep "^<<<<<<<" src/shared.txt &&
	test_expect_code 1 git revert-track --status
'

test_expect_success '--with-dependents reverts what was built on it, without a conflict' '
	built_on && git revert-track auth --task 1.2 -y --with-dependents --json >../json 2>/dev/null &&
	jq -e ".outcome == \"done\" and .with_dependents[0].track == \"billing_20260102\"" ../json &&
	test_path_is_missing src/models/user.txt && sed -n 5p src/shared.txt >../actual && echo 5 >../expect &&
	test_cmp ../expect ../actual &&
	test_grep "^- . . Task: Print them\$" conductor/tracks/billing_20260102/plan.md &&
	test_grep "^- .x. Task: Number the invoices" conductor/tracks/billing_20260102/plan.md
'

# One commit for a task of auth and one of billing.
shared_commit () {
	project && mkdir -p src &&
	echo table >src/users.txt && echo number >src/invoice.txt && work "feat: everything at once" &&
	for task_ in "auth_20260101 Create the users table" "billing_20260102 Number the invoices"
	do
		sed -i "s/^- \[ \] Task: ${task_#* }\$/- [x] Task: ${task_#* } $work_/" \
			"conductor/tracks/${task_%% *}/plan.md" || return
	done &&
	commit "conductor(plan): Mark two tasks as complete"
}

test_expect_success 'a commit of two units is refused, and says what else there is to do' '
	shared_commit && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>../err &&
	test_grep "commit .* is also the work of track .billing_20260102." ../err &&
	test_grep "hint: Use --split" ../err && test_grep "hint: Use --also=" ../err &&
	state >../after && test_cmp ../before ../after
'

test_expect_success '--split reverts the files that are its own; --also the commit as a whole' '
	shared_commit &&
	git revert-track auth --task 1.1 -y -q --split 2>../err &&
	test_path_is_missing src/users.txt && test_path_is_file src/invoice.txt &&
	git show --name-only --format= HEAD~1 >../actual && echo src/users.txt >../expect &&
	test_cmp ../expect ../actual &&
	test_grep "^- .x. Task: Number the invoices" conductor/tracks/billing_20260102/plan.md &&
	shared_commit && git revert-track auth --task 1.1 -y -q --also "$work_" 2>/dev/null &&
	test_path_is_missing src/invoice.txt
'

test_expect_success 'two tasks of a phase in one commit: the phase is offered, and can be reverted' '
	project && mkdir -p src && echo a >src/a.txt && echo b >src/b.txt && work "feat(auth): all of it" &&
	sed -i "s/^- \[ \] Task: \(Create the users table\|Add a user model\)\$/- [x] Task: \1 $work_/" $plan &&
	commit "conductor(plan): Mark tasks as complete" &&
	test_expect_code 2 git revert-track auth --task 1.1 -y 2>../err &&
	test_grep "hint: Revert the unit around them, .*phase 1 .Storage.: git revert-track auth_20260101 --phase 1" ../err &&
	git revert-track auth_20260101 --phase 1 -y -q 2>/dev/null && test_path_is_missing src/a.txt
'

test_expect_success '--strategy=reset: where the commits are the newest, the branch goes back' '
	project && mkdir -p src && before=$(git rev-parse HEAD) &&
	echo a >src/a.txt && work "feat(auth): users table" && done_task auth_20260101 "Create the users table" &&
	git revert-track auth --task 1.1 --strategy=reset -y >../out 2>../err &&
	test "$(git rev-parse HEAD)" = "$before" && test_path_is_missing src/a.txt &&
	test -z "$(git status --porcelain)" && git checkpoint undo -y -q 2>/dev/null &&
	test_path_is_file src/a.txt && test_grep "^- .x. Task: Create the users table" $plan
'

test_expect_success 'reset is refused where something came after, or the commits are on a remote' '
	cd repo && echo later >later && commit later && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.1 --strategy=reset -y 2>../err &&
	test_grep "came later, and is not the unit" ../err && state >../after && test_cmp ../before ../after &&
	git reset -q --hard HEAD~1 && git init -q --bare ../remote.git &&
	git push -q ../remote.git main && git remote add origin ../remote.git && git fetch -q origin &&
	test_expect_code 2 git revert-track auth --task 1.1 --strategy=reset -y 2>../err &&
	test_grep "is on a remote" ../err
'

test_expect_success 'a merged branch goes as its commits; a merge named by --also goes back to its first parent' '
	project && mkdir -p src && git checkout -q -b auth &&
	echo a >src/a.txt && work "feat(auth): users table" && done_task auth_20260101 "Create the users table" &&
	git checkout -q main && echo m >main.txt && commit "main goes on" &&
	git merge -q --no-ff -m "Merge branch auth" auth && echo n >main2.txt && commit "and on" &&
	git revert-track auth --task 1.1 -y -q 2>../err && test_path_is_missing src/a.txt &&
	test_path_is_file main.txt && test_path_is_file main2.txt &&
	git checkout -q -b other HEAD~2 && git checkout -q -b side && echo s >side.txt && commit "a side" &&
	git checkout -q other && git merge -q --no-ff -m "Merge side" side &&
	git revert-track auth --task 1.1 -n --json --also HEAD >../json &&
	jq -e ".commits[] | select(.subject == \"Merge side\") | .mainline == 1 and .outcome == \"clean\"" ../json
'

test_expect_success 'hooks get the plan before, and the report after; the first may refuse' '
	whole_project && write_script .git/hooks/pre-rollback <<-\END &&
	cat >../pre
	test ! -e ../refuse
	END
	write_script .git/hooks/post-rollback <<-\END &&
	cat >../post
	END
	>../refuse && state >../before &&
	test_expect_code 2 git revert-track auth --task 1.2 -y 2>../err && state >../after &&
	test_cmp ../before ../after && rm ../refuse &&
	git revert-track auth --task 1.2 -y -q 2>/dev/null &&
	jq -e ".command == \"revert-track\" and .verdict == \"clean\"" ../pre &&
	jq -e ".outcome == \"done\" and (.verification | length) >= 3" ../post
'

test_expect_success 'verification: the project has its own word, when it is trusted' '
	whole_project && git config rollback.verify.unit.command "test ! -e src/models/user.txt" &&
	git config rollback.verify.bad.command "echo broken >&2; exit 3" &&
	test_expect_code 1 git revert-track auth --task 1.2 -y >../out 2>../err &&
	test_grep "verify bad: its command ended with status 3" ../out && test_grep ! "verify unit" ../out &&
	test_grep "git checkpoint undo" ../err &&
	whole_project && printf "[verify \"mine\"]\ncommand = touch ran\n" >.gitrollback && commit settings &&
	git revert-track auth --task 1.2 -y --json >../json 2>../err && test_path_is_missing ran &&
	jq -e ".verification[] | select(.check == \"verify mine\") | .state == \"unknown\"" ../json
'

test_expect_success 'work that is only likely: no document says that it is reverted while it is there' '
	project && echo 1 >src/a.txt && echo 2 >src/b.txt && sed -i "s/^- \[ \]/- [x]/" conductor/tracks/*/plan.md &&
	commit "Implement all of it" && head=$(git rev-parse HEAD) &&
	test_expect_code 2 git revert-track auth -y 2>../err &&
	test_grep "^error: no commit that did the work of track .auth_20260101. is certain: 1 is only likely\$" ../err &&
	test_grep "^hint: Use --also=<commit>" ../err && test "$(git rev-parse HEAD)" = "$head" &&
	git revert-track auth -n --json >../json && jq -e ".verdict == \"refused\"" ../json &&
	git revert-track auth -n --json --except HEAD >../json && jq -e ".verdict == \"clean\"" ../json &&
	git revert-track auth -y -q --also HEAD 2>/dev/null && test_path_is_missing src/a.txt
'

test_expect_success 'likely of two tracks: refused as well, and parted by files' '
	project && echo 1 >src/user.txt && echo 2 >src/invoice.txt && sed -i "s/^- \[ \]/- [x]/" conductor/tracks/*/plan.md &&
	commit "Implement all of it" &&
	test_expect_code 2 git revert-track auth -y --min-evidence=likely 2>../err &&
	test_grep "is also the work of track .billing_20260102." ../err && test_grep "^hint: Use --split" ../err &&
	git revert-track auth -y -q --min-evidence=likely --split 2>../err &&
	test_path_is_missing src/user.txt && test_path_is_file src/invoice.txt
'

test_expect_success 'one commit for several tasks: none is reverted alone, the phase is offered' '
	project && echo 1 >src/a.txt && sed -i "/^## Phase 1/,/^## Phase 2/s/\[ \]/[x]/" $plan &&
	commit "All of the storage" &&
	test_expect_code 1 git revert-track auth --task 1.1 -y 2>../err &&
	test_grep "^hint: Revert the unit around them, .*Storage.: git revert-track auth_20260101 --phase 1\$" ../err &&
	git revert-track auth --phase 1 -y -q 2>/dev/null && test_path_is_missing src/a.txt
'

test_done
