# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-checkpoint-faults: git checkpoint broken at its calls, and what must hold then. Source it after
# lib-faults.sh. Afterwards the state is the old one or the new one, or something is open that the next
# command names, and that `git checkpoint undo` makes one of the two; and everything goes on.
#
#	make_repository		the trash as a repository with the checkpoints first and second
#	spoil WORD MODE		changes it once more, in every way
#	state, user_state	prints everything that must be the old or the new; the user's part of it
#	scenario FILTER WHAT COMMAND...	breaks the command at several points, and at none, and looks each
#				time whether $scenario_check holds (default: check)
#	check			the state is new where the command ended well, or can be made old or new

# ---- Scenarios -----------------------------------------------------------------------------------

keep_as_base () {
	rm -rf "$TEST_ROOT/base" && cp -Rp . "$TEST_ROOT/base"
}

restore_base () {
	cd "$TEST_ROOT" && rm -rf "$TRASH_DIRECTORY" && cp -Rp base "$TRASH_DIRECTORY" &&
	cd "$TRASH_DIRECTORY" || return
}

# Something of everything: staged, changed and both at once, deleted, untracked, ignored, executable,
# a symlink, an empty folder.
spoil () {	# a word
	mkdir -p dir "new-$1/deep" "empty-$1" ignored &&
	echo "$1 staged" >both && git add both && echo "$1 changed" >>both &&
	echo "$1" >dir/changed && echo "$1" >"staged-$1" && git add "staged-$1" &&
	rm -f "gone-$1" && rm -f link && ln -s "target-$1" link &&
	echo "$1" >"new-$1/deep/untracked" && echo "$1" >untracked &&
	echo '#!/bin/sh' >run && chmod "$2" run && echo "$1" >ignored/file
}

make_repository () {
	cd "$TEST_ROOT" && rm -rf "$TRASH_DIRECTORY" && git init -q "$TRASH_DIRECTORY" &&
	cd "$TRASH_DIRECTORY" && mkdir dir &&
	for file in both dir/changed dir/same gone-first gone-second
	do
		test_commit "file-${file##*/}" "$file" || return
	done &&
	ln -s target link && echo "ignored/" >.gitignore && git add . && git commit -q -m link &&
	spoil first 755 && git checkpoint create -q first && git pack-refs --all &&
	git commit -q -a -m later && spoil second 644 && git checkpoint create -q second
}

# ---- The state -----------------------------------------------------------------------------------

# Of all that is the user's own. Nothing is refreshed meanwhile.
user_state () {
	cat .git/HEAD && git for-each-ref refs/heads && git ls-files -s -v &&
	GIT_OPTIONAL_LOCKS=0 git status --porcelain=v2 --untracked-files=all &&
	find . -name .git -prune -o -printf '%P %y %#m %l\n' | sort &&
	find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha1sum &&
	for file in MERGE_HEAD MERGE_MSG MERGE_MODE
	do
		test ! -f ".git/$file" || { echo "$file" && cat ".git/$file"; } || return
	done
}

# What is in them: two runs do not make the same commits.
checkpoints_state () {
	git for-each-ref --format='%(refname) %(*objectname)' refs/tags &&
	git for-each-ref --format='%(refname)' refs/checkpoints >"$TEST_ROOT/refs" &&
	while read -r ref_
	do
		echo "$ref_" && git rev-parse "$ref_^1" "$ref_^{tree}" "$ref_^2^{tree}" "$ref_^3^{tree}" || return
	done <"$TEST_ROOT/refs"
}

state () {
	user_state && checkpoints_state
}

# Breaks a scenario, whose old state is that of now, in one way at several points.
scenario () {	# sed's filter of points, what to inject, command
	scenario_filter=$1 scenario_what=$2
	shift 2
	state >"$TEST_ROOT/old" && user_state >"$TEST_ROOT/user-old" &&
	choose_points "$scenario_filter" --git "$@" &&
	state >"$TEST_ROOT/new" && user_state >"$TEST_ROOT/user-new" &&
	{ ! cmp -s "$TEST_ROOT/old" "$TEST_ROOT/new" || test_complain "the command changes nothing"; } &&
	echo "rename 9999" >>"$TEST_ROOT/todo" && # which is never reached
	try_points "$scenario_what" "${scenario_check:-check}" "$@"
}

is_open () {
	! journal_is_settled 2>/dev/null
}

# Which of the two is there?
which_state () {
	state >"$TEST_ROOT/now" || return
	if cmp -s "$TEST_ROOT/new" "$TEST_ROOT/now"
	then
		echo new
	elif cmp -s "$TEST_ROOT/old" "$TEST_ROOT/now"
	then
		echo old
	else
		test_complain "neither the old state nor the new one is there:" ||
		diff -u "$TEST_ROOT/old" "$TEST_ROOT/now" || return
	fi
}

is_whole () {
	git fsck --strict --no-dangling --no-progress >"$TEST_ROOT/fsck" 2>&1 &&
	test_must_be_empty "$TEST_ROOT/fsck" &&
	# In the middle of a transaction a tag may be of another snapshot than its checkpoint.
	{ git checkpoint verify -q >"$TEST_ROOT/verified" 2>&1 || { test $? = 1 && is_open; }; } &&
	if is_open
	then
		test_grep "operation .* of 'git .*' was interrupted" "$TEST_ROOT/verified"
	else
		test_grep ! "was interrupted" "$TEST_ROOT/verified"
	fi || {
		cat "$TEST_ROOT/fsck" "$TEST_ROOT/verified"
		return 1
	}
}

# Where a git died with the command before it had said that it holds a lock, that lock may be anybody's:
# it is named, and a person, who knows that nobody is at work, removes it.
undo () {
	until git checkpoint undo --yes 2>"$TEST_ROOT/undo.err"
	do
		cat "$TEST_ROOT/undo.err"
		lock_=$(sed -n "s/^hint: Where no other git .*: rm '\(.*\)'$/\1/p" "$TEST_ROOT/undo.err") &&
		test -n "$lock_" && rm "$lock_" || return
	done
	cat "$TEST_ROOT/undo.err"
}

undo_until_settled () {
	for i in 1 2
	do
		is_open || return 0
		undo || return
	done
	! is_open || test_complain "what was open is not settled"
}

is_clear () {	# names of files, and of folders that have to be empty
	for left_
	do
		test ! -e "$left_" || test -z "$(ls -A "$left_")" ||
			test_complain "there is something left: $(find "$left_")" || return
	done
}

# git, and ours, can go on as if nothing had been.
goes_on () {
	find .git -name "*.lock" -not -path "*/work/*" >"$TEST_ROOT/locks" &&
	test_must_be_empty "$TEST_ROOT/locks" &&
	git checkpoint create -q goes-on && git checkpoint drop -q goes-on &&
	git checkpoint undo -q --yes && git checkpoint restore -q --yes --strategy=files goes-on &&
	is_clear .git/rollback/work &&
	git add . && git commit -q --allow-empty -m on && git tag on && git pack-refs --all &&
	git checkpoint verify -q && git prune --expire=now && git fsck --strict --no-dangling &&
	is_clear .git/objects/tmp_*
}

# What an unbroken run does not touch is not touched, even for a while.
is_untouched () {
	cmp -s "$TEST_ROOT/user-old" "$TEST_ROOT/user-new" || return 0
	user_state >"$TEST_ROOT/user-now" && test_cmp "$TEST_ROOT/user-old" "$TEST_ROOT/user-now"
}

# Where it ended well, the new state is there at once.
check () {
	is_whole && is_untouched || return
	if test "$code" = 0
	then
		test "$(which_state)" = new || test_complain "it said that it was done" || return
	fi
	undo_until_settled && is_whole && which_state && goes_on
}
