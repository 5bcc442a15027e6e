#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='the hook prepare-commit-msg: trailers of the task in progress'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

plan=conductor/tracks/auth_20260101/plan.md

with_hook () {
	project && cp "$TEST_DIRECTORY"/../contrib/hooks/prepare-commit-msg .git/hooks/ &&
	cp "$TEST_DIRECTORY"/../contrib/hooks/prepare-commit-msg .git/hooks/commit-msg
}

begin () {	# text of a task
	sed -i "s/^- \[ \] Task: $1\$/- [~] Task: $1/" "${2-$plan}"
}

trailers () {
	git log -1 --format="%(trailers)" "$@" | sed "/^\$/d" >../actual
}

test_expect_success 'a commit gets track, phase and task' '
	with_hook && begin "Add a user model" && echo a >a && commit "feat: a model" && trailers &&
	cat >../expect <<-\END &&
	Track: auth_20260101
	Phase: Storage
	Task: Add a user model
	END
	test_cmp ../expect ../actual && git log -1 --format=%s >../actual && echo "feat: a model" >../expect &&
	test_cmp ../expect ../actual
'

test_expect_success 'so a revert needs no guessing, although the plan records nothing' '
	cd repo && git revert-track --show auth --task 1.2 --json >../json &&
	jq -r ".commits[] | select(.role == \"implementation\") | .level + \" \" + .evidence[0].kind" ../json >../actual &&
	echo "certain trailer" >../expect && test_cmp ../expect ../actual &&
	git revert-track auth --task 1.2 -y -q 2>/dev/null && test_path_is_missing a &&
	git log -2 --format=%B >../actual && test_grep ! "^Track:" ../actual && test_grep "^Reverts-Track:" ../actual
'

test_expect_success 'a task that is marked as done in the same commit counts' '
	with_hook && begin "Add a login form" && commit begin && echo b >b &&
	sed -i "s/^- .~. Task: Add a login form/- [x] Task: Add a login form/" $plan && commit "feat: a form" &&
	trailers && test_grep "^Task: Add a login form\$" ../actual
'

test_expect_success 'of several tasks what they have in common; of several tracks nothing' '
	with_hook && begin "Add a user model" && begin "Create the users table" && echo c >c && commit two && trailers &&
	printf "Track: auth_20260101\nPhase: Storage\n" >../expect && test_cmp ../expect ../actual &&
	begin "Add a login form" && echo d >>c && commit three && trailers &&
	printf "Track: auth_20260101\n" >../expect && test_cmp ../expect ../actual &&
	begin "Print them" conductor/tracks/billing_20260102/plan.md && echo e >>c && commit four &&
	trailers && test_must_be_empty ../actual
'

test_expect_success 'what has its own message keeps it: reverts, merges, amended, and one that says it itself' '
	with_hook && begin "Add a user model" && echo a >a && git add -A &&
	git commit -q -m one -m "Track: other" && trailers && printf "Track: other\n" >../expect && test_cmp ../expect ../actual &&
	git revert --no-edit HEAD >/dev/null && trailers && test_must_be_empty ../actual &&
	git checkout -q -b side HEAD~2 && echo s >s && git add s && git -c core.hooksPath=/dev/null commit -q -m side &&
	git checkout -q main && git merge -q --no-ff -m merged side && trailers && test_must_be_empty ../actual
'

test_expect_success 'titles are taken as they are' '
	with_hook && begin "Add a user model" &&
	sed -i "s/Task: Add a user model/Task: Add \`touch ran\` \$(touch ran) * \"x\" ; touch ran \\\\\\\\ %s/" $plan && echo a >a &&
	commit odd && test_path_is_missing ran && trailers && test_grep -F "touch ran" ../actual &&
	test_line_count = 3 ../actual
'

test_expect_success 'an empty message in the editor stays empty, and a typed one gets them' '
	with_hook && begin "Add a user model" && echo a >a && git add -A &&
	test_must_fail env GIT_EDITOR=true git commit -q 2>../err && test_grep "empty commit message" ../err &&
	write_script ../editor <<-\END &&
	printf "typed\n" >"$1.new" && cat "$1" >>"$1.new" && mv "$1.new" "$1"
	END
	GIT_EDITOR=../editor git commit -q && trailers && test_grep "^Task: Add a user model\$" ../actual
'

test_expect_success 'without tracks, in a subfolder, without the command: the commit is made' '
	fresh && cp "$TEST_DIRECTORY"/../contrib/hooks/prepare-commit-msg .git/hooks/ && echo a >a && commit plain &&
	test_expect_code 1 git revert-track --trailers && with_hook && begin "Add a user model" && mkdir sub && echo b >sub/b &&
	git add -A && (cd sub && git commit -q -m "from below") && trailers && test_grep "^Task: Add a user model\$" ../actual &&
	echo c >c && git add -A && PATH=/usr/bin:/bin git commit -q -m "no command" && trailers && test_must_be_empty ../actual
'

test_expect_success 'a task that is finished, not the one that is begun next in the same commit' '
	with_hook && begin "Create the users table" && commit begin && echo a >a &&
	sed -i "s/^- .~. Task: Create the users table/- [x] Task: Create the users table/" $plan && begin "Add a user model" &&
	commit "feat: table" && trailers && test_grep "^Task: Create the users table\$" ../actual &&
	echo b >b && commit "feat: model" && trailers && test_grep "^Task: Add a user model\$" ../actual &&
	echo c >c && sed -i "s/^- \[ \] Task: Add a login form/- [x] Task: Add a login form/" $plan && commit "feat: form" &&
	trailers && printf "Track: auth_20260101\n" >../expect && test_cmp ../expect ../actual
'

test_expect_success 'no task in progress: a track in progress alone says nothing of a commit' '
	with_hook && sed -i "s/^- .~. \(..Track: Send\)/- [ ] \1/" conductor/tracks.md &&
	sed -i "s/in_progress/new/" conductor/tracks/billing_20260102/metadata.json && echo a >a && commit "chore: no task" &&
	trailers && test_must_be_empty ../actual && test_expect_code 1 git revert-track --trailers
'

test_expect_success 'in a linked worktree its own plan counts; from core.hooksPath; merge --squash, fixup and amend keep theirs' '
	with_hook && rm -rf ../hooks ../linked && mkdir ../hooks && mv .git/hooks/prepare-commit-msg .git/hooks/commit-msg ../hooks &&
	git worktree add -q -b linked ../linked && begin "Add a user model" && (
		cd ../linked && begin "Add a login form" && echo a >a && git add -A && git -c core.hooksPath=../hooks commit -q -m linked &&
		trailers && test_grep "^Task: Add a login form\$" ../actual
	) && git config core.hooksPath ../hooks && echo b >b && commit one && trailers && test_grep "^Task: Add a user model\$" ../actual &&
	git checkout -q -b side && echo c >c && git add c && git -c core.hooksPath=/dev/null commit -q -m side && git checkout -q main &&
	git merge -q --squash side >/dev/null && git commit -q --no-edit && trailers && test_must_be_empty ../actual &&
	echo d >d && git add d && git commit -q --fixup=HEAD~1 && trailers && test_must_be_empty ../actual &&
	git -c core.hooksPath=/dev/null commit -q --amend -m plain && write_script ../editor <<-\END &&
	printf "edited\n" >"$1.new" && cat "$1" >>"$1.new" && mv "$1.new" "$1"
	END
	GIT_EDITOR=../editor git commit -q --amend && git log -1 --format=%s >../actual && echo "edited plain" >../expect &&
	test_cmp ../expect ../actual && trailers && test_must_be_empty ../actual &&
	echo e >e && git add e && GIT_EDITOR=../editor git commit -q && trailers && test_grep "^Task: Add a user model\$" ../actual
'

test_expect_success 'rebases and cherry-picks add nothing, not even where they stop' '
	with_hook && rm .git/hooks/commit-msg && begin "Add a user model" && commit begin && git -c core.hooksPath=/dev/null commit -q --amend -m begin &&
	git checkout -q -b side HEAD~1 && git -c core.hooksPath=/dev/null commit -q --allow-empty -m empty &&
	file f.txt 5=side && git add f.txt && git -c core.hooksPath=/dev/null commit -q -m conflicts && file g.txt && git add g.txt &&
	git -c core.hooksPath=/dev/null commit -q -m clean && git checkout -q main && file f.txt 5=main && git add f.txt &&
	git -c core.hooksPath=/dev/null commit -q -m ours && git cherry-pick side >/dev/null && trailers && test_must_be_empty ../actual &&
	test_must_fail git cherry-pick side~1 2>/dev/null && git add f.txt && git -c core.editor=true cherry-pick --continue >/dev/null &&
	trailers && test_must_be_empty ../actual && git checkout -q side && test_must_fail git rebase -q main~2 >/dev/null 2>&1 &&
	git add f.txt && GIT_EDITOR=true git rebase --continue >/dev/null 2>&1 && git log --format="%(trailers)" main~2.. >../all &&
	sed "/^\$/d" ../all >../actual && test_must_be_empty ../actual && git log -2 --format=%s >../actual && test_write_lines clean conflicts >../expect &&
	test_cmp ../expect ../actual
'

test_expect_success 'what stands in the message: comments of another kind, a patch below scissors, dashes, other trailers' '
	with_hook && begin "Add a user model" && git config core.commentChar ";" && echo a >a && git add -A &&
	test_must_fail env GIT_EDITOR=true git commit -v -q 2>../err && test_grep "empty commit message" ../err &&
	write_script ../editor <<-\END &&
	{ printf "typed\n\n# not a comment\n" && cat "$1"; } >"$1.new" && mv "$1.new" "$1"
	END
	GIT_EDITOR=../editor git commit -q -v && trailers && test_line_count = 3 ../actual && git log -1 --format=%B >../actual &&
	test_grep "^# not a comment" ../actual && test_grep ! "^diff" ../actual && git config --unset core.commentChar &&
	echo b >b && git add b && git commit -q -m "dashes" -m "---" -m "below" && trailers && test_line_count = 3 ../actual &&
	echo c >c && git add c && git commit -q -s -m "signed" && trailers && test_line_count = 4 ../actual &&
	echo d >d && git add d && git commit -q -m "Task: a subject" && trailers && test_line_count = 3 ../actual &&
	echo e >e && git add e && git commit -q -m "own" -m "task: mine" && trailers && echo "task: mine" >../expect && test_cmp ../expect ../actual
'

test_expect_success 'a template that nobody fills in is none; one that is filled in gets them' '
	with_hook && begin "Add a user model" && printf "Subject\n\nWhy:\n" >../template && git config commit.template ../template &&
	echo a >a && git add -A && test_must_fail env GIT_EDITOR=true git commit -q 2>../err && test_grep "did not edit" ../err &&
	write_script ../editor <<-\END &&
	sed "s/^Why:/Why: because/" "$1" >"$1.new" && mv "$1.new" "$1"
	END
	GIT_EDITOR=../editor git commit -q && trailers && test_grep "^Task: Add a user model\$" ../actual
'

test_done
