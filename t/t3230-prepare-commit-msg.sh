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

test_done
