#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint undo: a history, redo included, and what broke off'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-restore.sh
. "$TEST_DIRECTORY"/lib-faults.sh

fresh () {
	cd "$TRASH_DIRECTORY" && rm -rf repo && mkdir repo && cd repo && make_project
}

same_state () {
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/$1" "$TEST_ROOT/actual"
}

newest_record () {
	printf '%s\n' .git/rollback/journal/*.json | tail -n 1
}

# As if the newest operation had been killed: its record is open again.
break_off () {
	record=$(newest_record) && jq "del(.finished_at) | .state = \"open\"" "$record" >"$TEST_ROOT/record" &&
	cp "$TEST_ROOT/record" "$record" && : >"${record%.json}.open"
}

newest_id () {
	basename "$(newest_record)" .json
}

test_expect_success 'undo brings back what was there before, and undoing that does it again' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && state >"$TEST_ROOT/restored" &&
	git checkpoint undo -q --yes && same_state before &&
	git checkpoint undo -q --yes "$(newest_operation)" && same_state restored
'

test_expect_success 'a history: undo, and again' '
	fresh && git add -A . && git commit -q -m all &&
	echo 1 >run && git checkpoint create -q one && echo 2 >run && git checkpoint create -q two && echo 3 >run &&
	git checkpoint restore -q --yes one && git checkpoint restore -q --yes two && test_grep 2 run &&
	git checkpoint undo -q --yes && test_grep 1 run && git checkpoint undo -q --yes && test_grep 3 run
'

test_expect_success 'after a redo the operation counts again' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one && echo edit >run &&
	git checkpoint restore -q --yes one && git checkpoint undo -q --yes && test_grep edit run &&
	git checkpoint undo -q --yes "$(newest_operation)" && test_grep ! edit run &&
	git checkpoint undo -q --yes && test_grep edit run
'

test_expect_success 'create, drop and prune are undone: their refs come and go' '
	fresh && git checkpoint create -q one && git for-each-ref refs/checkpoints refs/tags >"$TEST_ROOT/refs" &&
	git checkpoint drop -q one && git for-each-ref refs/checkpoints refs/tags >"$TEST_ROOT/none" &&
	test_must_be_empty "$TEST_ROOT/none" && git checkpoint undo 2>"$TEST_ROOT/err" &&
	git for-each-ref refs/checkpoints refs/tags >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/refs" "$TEST_ROOT/actual" &&
	git checkpoint undo -q && git for-each-ref refs/checkpoints refs/tags >"$TEST_ROOT/actual" &&
	test_must_be_empty "$TEST_ROOT/actual" && git gc -q --prune=now &&
	git checkpoint undo -q "$(newest_id)" && git for-each-ref refs/checkpoints refs/tags >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/refs" "$TEST_ROOT/actual"
'

test_expect_success 'what is undone, or changed nothing, is refused, with what to do' '
	fresh && git checkpoint create -q one && echo edit >run && git checkpoint restore -q --yes one &&
	id=$(newest_id) && git checkpoint undo -q --yes && undo=$(newest_id) &&
	test_expect_code 2 git checkpoint undo --yes "$id" 2>"$TEST_ROOT/err" &&
	test_grep "undone already" "$TEST_ROOT/err" && test_grep "git checkpoint undo $undo" "$TEST_ROOT/err" &&
	test_must_fail git checkpoint undo --yes nosuch 2>"$TEST_ROOT/err" && test_grep "no operation" "$TEST_ROOT/err"
'

test_expect_success 'nothing to undo is a no' '
	fresh && test_expect_code 1 git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	test_grep "nothing to undo" "$TEST_ROOT/err"
'

test_expect_success 'commits made since are shown, and leave; on a remote they are not given up' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one && echo edit >run &&
	git checkpoint restore -q --yes one && git commit -q --allow-empty -m later &&
	git checkpoint undo -n >"$TEST_ROOT/out" && test_grep later "$TEST_ROOT/out" &&
	git init -q --bare ../bare.git && git push -q ../bare.git main && git remote add o ../bare.git && git fetch -q o &&
	test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" && test_grep "is on .o/main." "$TEST_ROOT/err" &&
	git remote remove o && rm -rf ../bare.git && git checkpoint undo -q --yes && test_grep edit run &&
	git log -1 --format=%s >"$TEST_ROOT/actual" && echo all >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" && git checkpoint undo -q --yes "$(newest_id)" &&
	git log -1 --format=%s >"$TEST_ROOT/actual" && echo later >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'HEAD on another branch by now is refused' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one && echo edit >run &&
	git checkpoint restore -q --yes one && git switch -q -c other && state >"$TEST_ROOT/before" &&
	test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" && test_grep "git switch" "$TEST_ROOT/err" &&
	same_state before && git switch -q main && git checkpoint undo -q --yes && test_grep edit run
'

test_expect_success 'an undo that waited for another command undoes nothing else than it found' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one && echo edit >run &&
	git checkpoint restore -q --yes one && echo more >run && id=$(newest_id) && fifo=$TEST_ROOT/fifo && rm -f "$fifo" &&
	mkfifo "$fifo" && write_script .git/hooks/pre-rollback <<-END &&
	cat >/dev/null && read -r line <"$fifo"
	END
	in_background "$TEST_ROOT/restore" git checkpoint restore -q --yes one && exec 8>"$fifo" &&
	in_background "$TEST_ROOT/undo" git checkpoint undo --yes --wait &&
	wait_until grep -q "waiting for" "$TEST_ROOT/undo.err" && echo go >&8 && exec 8>&- &&
	test "$(background_code "$TEST_ROOT/restore")" = 0 && rm .git/hooks/pre-rollback &&
	test "$(background_code "$TEST_ROOT/undo")" = 2 &&
	test_grep "$id is no longer the one to undo" "$TEST_ROOT/undo.err" && test_grep ! more run &&
	git checkpoint undo -q --yes && test_grep more run
'

test_expect_success 'where the last operation changed a database, the command for that is named' '
	fresh && git checkpoint create -q zero && git checkpoint create -q one && break_off && record=$(newest_record) &&
	rm "${record%.json}.open" && jq ".state = \"done\" | .command = \"apply-migration\" | del(.refs)" "$record" >"$TEST_ROOT/record" &&
	cp "$TEST_ROOT/record" "$record" && test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	test_grep "changed a database" "$TEST_ROOT/err" &&
	test_grep "git rollback-db --undo=$(basename "$record" .json)" "$TEST_ROOT/err" &&
	before=$(sed -n "s/.*.git checkpoint undo \([^ ]*\). takes back the last.*/\1/p" "$TEST_ROOT/err") &&
	git checkpoint undo --yes "$before" && test_must_fail git rev-parse -q --verify refs/checkpoints/zero &&
	test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" && test_grep "git rollback-db --undo" "$TEST_ROOT/err" &&
	test_grep ! "git checkpoint undo" "$TEST_ROOT/err" &&
	jq ".id = \"29990101T000000.000000Z-000000\" | .command = \"rollback-db\" | .undoes = \"$(basename "$record" .json)\"" \
		"$record" >.git/rollback/journal/29990101T000000.000000Z-000000.json &&
	test_expect_code 1 git checkpoint undo --yes 2>"$TEST_ROOT/err" && test_grep "nothing to undo" "$TEST_ROOT/err"
'

test_expect_success 'the operation of another worktree is undone there' '
	fresh && git add -A . && git commit -q -m all && git worktree add -q ../linked -b linked &&
	git -C ../linked checkpoint create -q one && echo edit >../linked/run &&
	git -C ../linked checkpoint restore -q --yes one && id=$(newest_id) &&
	test_expect_code 2 git checkpoint undo --yes "$id" 2>"$TEST_ROOT/err" &&
	test_grep "another worktree" "$TEST_ROOT/err" && git -C ../linked checkpoint undo -q --yes &&
	test_grep edit ../linked/run && rm -rf ../linked
'

test_expect_success 'a snapshot that was pruned cannot be undone, which is said' '
	fresh && git checkpoint create -q one && echo edit >run && git checkpoint restore -q --yes one &&
	id=$(newest_id) && git checkpoint prune -q --yes --dangling --keep 0 &&
	test_expect_code 2 git checkpoint undo --yes "$id" 2>"$TEST_ROOT/err" && test_grep "is gone" "$TEST_ROOT/err"
'

# ---- What broke off ------------------------------------------------------------------------------

test_expect_success 'a restore that broke off: reported, nothing built on it, and undone' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && break_off && id=$(newest_id) &&
	rm -f run && echo half >part && echo "git-rollback $id" >.git/index.lock &&
	git checkpoint list >"$TEST_ROOT/out" 2>"$TEST_ROOT/err" && test_grep "$id.*was interrupted" "$TEST_ROOT/err" &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "git checkpoint undo $id" "$TEST_ROOT/err" && git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	same_state before && test_path_is_missing .git/index.lock &&
	git checkpoint list >"$TEST_ROOT/out" 2>"$TEST_ROOT/err" && test_must_be_empty "$TEST_ROOT/err"
'

test_expect_success 'prune counts what an operation keeps as one, and spares all of it while that is open' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one && git branch other HEAD^ &&
	git checkpoint restore -q --yes --branch=other one && id=$(newest_id) &&
	git for-each-ref --format="%(refname:lstrip=4)" "refs/rollback/op/$id" >"$TEST_ROOT/actual" &&
	test_write_lines 0 safety >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint prune -n --json --dangling --keep 0 | jq -e ".operations | length == 1" && break_off &&
	git checkpoint prune -q --dangling --keep 0 --yes &&
	git for-each-ref --format="%(refname:lstrip=4)" "refs/rollback/op/$id" >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'a lock that another made is not taken away' '
	fresh && git checkpoint create -q one && change_project && git checkpoint restore -q --yes one && break_off &&
	echo "somebody else" >.git/index.lock && test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	test_grep "the index is locked" "$TEST_ROOT/err" && test_grep "somebody else" .git/index.lock
'

test_expect_success 'a lock on a ref that may be of a living git is named, and stays' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && break_off && state >"$TEST_ROOT/restored" &&
	for lock in HEAD refs/heads/main
	do
		: >".git/$lock.lock" && test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
		test_grep "rm .*$lock.lock" "$TEST_ROOT/err" && test_path_is_file ".git/$lock.lock" &&
		same_state restored && rm ".git/$lock.lock" || return
	done &&
	git checkpoint undo -q --yes && same_state before &&
	git checkpoint create -q two && git checkpoint drop -q two && break_off && : >.git/packed-refs.lock &&
	test_expect_code 2 git checkpoint undo 2>"$TEST_ROOT/err" && test_path_is_file .git/packed-refs.lock &&
	rm .git/packed-refs.lock && git checkpoint undo -q
'

test_expect_success 'the locks that the dead operation is known to have held go' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && break_off &&
	: >.git/HEAD.lock && touch -d "$(jq -r .locked_at "$(newest_record)")" .git/HEAD.lock &&
	git checkpoint undo -q --yes && same_state before && test_path_is_missing .git/HEAD.lock
'

test_expect_success 'locks from before this machine was started go, but for those from before the operation' '
	fresh && git checkpoint create -q one && break_off && record=$(newest_record) &&
	jq ".started_at = \"2000-01-01T00:00:00Z\"" "$record" >"$TEST_ROOT/record" && cp "$TEST_ROOT/record" "$record" &&
	: >.git/refs/checkpoints/one.lock && touch -d 1999-12-31T00:00:00Z .git/refs/checkpoints/one.lock &&
	test_expect_code 2 git checkpoint undo && touch -d 2000-01-01T00:00:01Z .git/refs/checkpoints/one.lock &&
	git checkpoint undo -q && test_path_is_missing .git/refs/checkpoints/one.lock
'

test_expect_success 'one that had not come to its safety snapshot had changed nothing' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && git checkpoint undo -q --yes && id=$(newest_id) && break_off &&
	git update-ref -d "refs/rollback/op/$id/safety" &&
	jq "del(.safety_made)" "$(newest_record)" >"$TEST_ROOT/record" && cp "$TEST_ROOT/record" "$(newest_record)" &&
	git checkpoint undo --yes 2>"$TEST_ROOT/err" &&
	test_grep "had changed nothing" "$TEST_ROOT/err" && same_state before
'

test_expect_success 'what one that broke off needs is neither pruned nor built on, by whoever has the lock' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && break_off && id=$(newest_id) && rm -f run &&
	git checkpoint prune -q --dangling --keep 0 --yes && git rev-parse -q --verify "refs/rollback/op/$id/safety" &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "was interrupted while it changed files" "$TEST_ROOT/err" &&
	git checkpoint undo -q --yes && same_state before
'

test_expect_success 'one whose safety snapshot was taken away is not said to have changed nothing' '
	fresh && git checkpoint create -q one && change_project && git checkpoint restore -q --yes one && break_off &&
	id=$(newest_id) && git update-ref -d "refs/rollback/op/$id/safety" &&
	test_expect_code 2 git checkpoint undo --yes 2>"$TEST_ROOT/err" && test_grep "$id is gone" "$TEST_ROOT/err" &&
	jq -e ".state == \"open\"" "$(newest_record)"
'

test_expect_success 'a create that found nothing to commit is undone as one without --commit' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q --commit one &&
	git checkpoint undo -q && test_must_fail git rev-parse -q --verify refs/checkpoints/one
'

test_expect_success 'an undo that did all is done, even where the old entry cannot be settled' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && break_off && record=$PWD/$(newest_record) &&
	write_script .git/hooks/reference-transaction <<-END &&
	test -d "$record" || { rm "$record" && mkdir "$record"; }
	END
	git checkpoint undo --yes 2>"$TEST_ROOT/err" && test_grep "^warning: .*$(basename "$record")" "$TEST_ROOT/err" &&
	same_state before && rmdir "$record" && jq -e ".state == \"done\"" "$(newest_record)"
'

test_expect_success 'a create that broke off: done where its refs are there, else nothing' '
	fresh && git checkpoint create -q one && break_off && git checkpoint undo 2>"$TEST_ROOT/err" &&
	test_grep "had done all" "$TEST_ROOT/err" && git rev-parse -q --verify refs/checkpoints/one &&
	git checkpoint create -q two && break_off && git update-ref -d refs/tags/checkpoint/two &&
	git checkpoint undo 2>"$TEST_ROOT/err" && test_grep "a part" "$TEST_ROOT/err" &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/two
'

test_done
