#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='a series of reverts, killed anywhere

As t2400: for each point at which the command, or a git that it runs, changes a file or sends something
on, everything is set up anew, and the command is broken there: of each scenario at as many points as
TEST_BREAK_POINTS says, or at "all" of them. What is there then is the state before or the one after,
or `git checkpoint undo` makes it one of these.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-checkpoint-faults.sh
. "$TEST_DIRECTORY"/lib-revert.sh

tool="$BUILD/t/unit/flow-revert-tool"

# Commits on files of their own, of which one is changed later; and something local of each kind.
history () {
	cd "$TEST_ROOT" && rm -rf "$TRASH_DIRECTORY" && git init -q -b main "$TRASH_DIRECTORY" && cd "$TRASH_DIRECTORY" &&
	file a && file dir/b && file c && file kept && ln -s c link && commit base && file a 3=one && commit one && file dir/b 3=two && file dir/new 1=new && commit two &&
	file c 3=three && git rm -q link && commit three && file a 30=late && commit late && file kept 3=local && echo staged >staged && git add staged &&
	echo untracked >untracked && one=$(id main~3) && two=$(id main~2) && three=$(id main~1)
}

# With which one conflicts.
conflict () {
	history && git reset -q staged && rm staged && file a 3=later && git commit -q -m later a
}

# Into the series: it has stopped, and is resolved.
resolved () {
	conflict && "$tool" run --expect-stop "$three" "$one" "$two" >/dev/null && git checkout -q --ours a && file a 3=resolved && git add a
}

# The same, of a series that becomes one commit, documents included.
squashed () {
	conflict && "$tool" run --squash --document=plan.md=text --expect-stop "$three" "$one" "$two" >/dev/null &&
	git checkout -q --ours a && file a 3=resolved && git add a
}

# Dates are fixed, so that the same commits come of it.
user_state () {
	cat .git/HEAD && git for-each-ref refs/heads && git ls-files -s -v &&
	GIT_OPTIONAL_LOCKS=0 git status --porcelain=v2 --untracked-files=all &&
	find . -name .git -prune -o -printf '%P %y %#m %l\n' | sort &&
	find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha1sum &&
	for name in REVERT_HEAD MERGE_MSG
	do
		test ! -f ".git/$name" || { echo "$name" && cat ".git/$name"; } || return
	done
}

state () {
	user_state && "$tool" waiting 2>/dev/null
}

# The commit of what is resolved is an operation of its own: behind it the rest can be gone on with.
check_steps () {
	is_whole || return
	test "$code" != 0 || test "$(which_state)" = new || test_complain "it said that it was done" || return
	undo_until_settled && is_whole || return
	if ! which_state >"$TEST_ROOT/which" 2>&1
	then
		"$tool" waiting >"$TEST_ROOT/waiting" && test -s "$TEST_ROOT/waiting" && "$tool" continue && which_state || return
	fi
	goes_on
}

for way in signal=SIGKILL everything
do
	test_expect_success STRACE "clean, killed anywhere: $way" '
		history && scenario p $way "$tool" run --document=plan.md=text "$three" "$two" "$one"
	'
	tell_figures

	test_expect_success STRACE "up to a conflict, killed anywhere: $way" '
		conflict && scenario p $way "$tool" run --expect-stop "$three" "$one" "$two"
	'
	tell_figures

	test_expect_success STRACE "clean, as one commit, killed anywhere: $way" '
		history && scenario p $way "$tool" run --squash --document=plan.md=text "$three" "$two" "$one"
	'
	tell_figures

	test_expect_success STRACE "back to a commit, killed anywhere: $way" '
		history && scenario p $way "$tool" run --reset-to="$two" $(id main) "$three"
	'
	tell_figures

	test_expect_success STRACE "continue, killed anywhere: $way" '
		resolved && scenario_check=check_steps && scenario p $way "$tool" continue && scenario_check=
	'
	tell_figures

	test_expect_success STRACE "skip, killed anywhere: $way" '
		resolved && scenario_check=check_steps && scenario p $way "$tool" skip && scenario_check=
	'
	tell_figures

	test_expect_success STRACE "continue, as one commit, killed anywhere: $way" '
		squashed && scenario_check=check_steps && scenario p $way "$tool" continue && scenario_check=
	'
	tell_figures

	test_expect_success STRACE "quit, killed anywhere: $way" '
		resolved && scenario_check= && scenario p $way "$tool" quit
	'
	tell_figures

	test_expect_success STRACE "abort, killed anywhere: $way" '
		resolved && scenario_check= && scenario p $way "$tool" abort
	'
	tell_figures
done

# It puts back what it has begun, or says what does.
for way in signal=SIGTERM error=ENOSPC
do
	# A git that is ended as it makes a lock, and has not noted that yet, leaves it: that is no matter of ours.
	# And no pipe is ever full of what does not fit on a disk: who is not answered would wait for it.
	case $way in
	signal=SIGTERM) points="/update-ref.*:openat/!p" ;;
	error=ENOSPC) points="/ answer$/!p" ;;
	esac

	test_expect_success STRACE "clean, and something goes wrong anywhere: $way" '
		history && scenario "$points" $way "$tool" run --document=plan.md=text "$three" "$two" "$one"
	'
	tell_figures

	test_expect_success STRACE "up to a conflict, and something goes wrong anywhere: $way" '
		conflict && scenario "$points" $way "$tool" run --expect-stop "$three" "$one" "$two"
	'
	tell_figures
done

test_done
