#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint undo: which operation is the last one, and where it is undone'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-restore.sh

# A repository with one commit, the checkpoint one, and an edit that is restored away.
fresh () {
	cd "$TRASH_DIRECTORY" && rm -rf repo moved linked && git init -q -b main repo && cd repo &&
	echo 1 >file && git add file && git commit -q -m first &&
	git checkpoint create -q one && echo edit >file
}

newest_record () {
	printf '%s\n' .git/rollback/journal/*.json | tail -n 1
}

newest_id () {
	basename "$(newest_record)" .json
}

test_expect_success 'a repository that was moved is still the same one' '
	fresh && git checkpoint restore -q --yes one && cd .. && mv repo moved && cd moved &&
	git checkpoint undo -q --yes && test_grep edit file
'

test_expect_success 'one of its linked worktrees that was moved, too' '
	fresh && git worktree add -q ../linked -b linked && cd ../linked && echo mine >file &&
	git checkpoint restore -q --yes --branch=linked one && cd .. && mv repo moved &&
	git -C moved worktree repair ../linked && cd linked && git checkpoint undo -q --yes && test_grep mine file
'

test_expect_success 'records with the path of the git folder are understood' '
	fresh && git checkpoint restore -q --yes one && id=$(newest_id) && record=$(newest_record) &&
	jq ".worktree = \"/some/where/.git\"" "$record" >"$TEST_ROOT/record" && cp "$TEST_ROOT/record" "$record" &&
	git worktree add -q ../linked && cd ../linked &&
	test_expect_code 2 git checkpoint undo --yes "$id" 2>"$TEST_ROOT/err" &&
	test_grep "another worktree" "$TEST_ROOT/err" && cd ../repo && git checkpoint undo -q --yes && test_grep edit file &&
	git checkpoint undo -q --yes "$(newest_id)" && test_grep 1 file && id=$(newest_id) && record=$(newest_record) &&
	jq ".worktree = \"/some/where/.git/worktrees/linked\"" "$record" >"$TEST_ROOT/record" &&
	cp "$TEST_ROOT/record" "$record" && test_expect_code 2 git checkpoint undo --yes "$id" 2>"$TEST_ROOT/err" &&
	test_grep "another worktree" "$TEST_ROOT/err"
'

test_expect_success 'the last operation is the last of this worktree' '
	fresh && git worktree add -q ../linked -b linked && git -C ../linked checkpoint create -q two &&
	id=$(newest_id) && git checkpoint undo -q && test_must_fail git rev-parse -q --verify refs/checkpoints/one &&
	git rev-parse -q --verify refs/checkpoints/two && test_expect_code 1 git checkpoint undo 2>"$TEST_ROOT/err" &&
	test_grep "nothing to undo in this worktree" "$TEST_ROOT/err" &&
	test_grep "git checkpoint undo $id" "$TEST_ROOT/err" && git checkpoint undo -q "$id" &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/two
'

# Only the names of records tell which one is the newest.
test_expect_success 'the last operation is the last one, also where the clock went back' '
	fresh && now=$(date +%s) && GIT_ROLLBACK_TEST_NOW=$((now + 7200)) git checkpoint create -q two &&
	GIT_ROLLBACK_TEST_NOW=$((now - 7200)) git checkpoint restore -q --yes one && test_grep 1 file &&
	GIT_ROLLBACK_TEST_NOW=$now git checkpoint create -q three &&
	git checkpoint list --operations --porcelain | cut -f 2 >"$TEST_ROOT/actual" &&
	test_write_lines "checkpoint create" "checkpoint restore" "checkpoint create" "checkpoint create" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint undo -q && git rev-parse -q --verify refs/checkpoints/two &&
	git checkpoint undo -q --yes && test_grep edit file && git rev-parse -q --verify refs/checkpoints/two &&
	git checkpoint undo -q && test_must_fail git rev-parse -q --verify refs/checkpoints/two
'

test_expect_success 'a branch that another worktree has checked out by now is left to it' '
	fresh && git switch -q -c side && git checkpoint restore -q --yes --branch=main one &&
	git worktree add -q ../linked side && git for-each-ref >"$TEST_ROOT/before" &&
	test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	test_grep "refs/heads/side.* is checked out in .*linked" "$TEST_ROOT/err" &&
	git for-each-ref >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	git worktree remove ../linked && git checkpoint undo -q --yes && test_grep edit file &&
	test "$(git symbolic-ref HEAD)" = refs/heads/side
'

test_expect_success 'nor is it moved there' '
	fresh && git branch side && echo 2 >file && git commit -q -a -m second && git branch -f side &&
	git checkpoint restore -q --yes --branch=side one && git switch -q -f main && git worktree add -q ../linked side &&
	git for-each-ref >"$TEST_ROOT/before" && test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	test_grep "refs/heads/side.* is checked out in .*linked" "$TEST_ROOT/err" &&
	git for-each-ref >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
'

# ---- What to do instead --------------------------------------------------------------------------

# Runs what the hint says, which is between quotes.
follow_hint () {
	sed -n "s/^hint: .*'\(git [^']*\)'.*/\1/p" "$TEST_ROOT/err" >"$TEST_ROOT/command" || return
	# shellcheck disable=SC2283 # an operator
	test_line_count = 1 "$TEST_ROOT/command" && sh "$TEST_ROOT/command"
}

test_expect_success 'the hint brings HEAD back to where it was: a branch, no branch, one that is gone' '
	fresh && git checkpoint restore -q --yes one && git switch -q -c other &&
	test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" && follow_hint &&
	test "$(git symbolic-ref HEAD)" = refs/heads/main && git switch -q other && git branch -q -D main &&
	test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" && follow_hint &&
	git checkpoint undo -q --yes && test_grep edit file && test "$(git symbolic-ref HEAD)" = refs/heads/main &&
	git checkout -q --detach && git checkpoint create -q two && git checkpoint restore -q --yes --detach one &&
	git switch -q main && test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" && follow_hint &&
	test_must_fail git symbolic-ref -q HEAD && git checkpoint undo -q --yes && test_grep edit file
'

test_expect_success 'what was published is not taken back, and the hint names a way that is there' '
	fresh && git checkpoint restore -q --yes one && git commit -q --allow-empty -m later &&
	git update-ref refs/remotes/o/main main && test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	test_grep "is on .o/main." "$TEST_ROOT/err" && test_must_fail follow_hint 2>"$TEST_ROOT/refused" &&
	test_grep "not confirmed" "$TEST_ROOT/refused" && echo " --yes" >>"$TEST_ROOT/command" &&
	sh -c "$(tr -d "\n" <"$TEST_ROOT/command")" && test_grep edit file && git merge-base --is-ancestor o/main main
'

test_done
