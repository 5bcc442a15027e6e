#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint restore: what fails midway is put back, and nobody gets in between

Kills at every point: t2400.'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-restore.sh

fresh () {
	cd "$TRASH_DIRECTORY" && rm -rf repo && mkdir repo && cd repo && make_project
}

same_state () {
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/$1" "$TEST_ROOT/actual"
}

# A filter that does not write what has the word "refused" in it: git gives up in the middle of its work.
make_filter () {
	git config filter.picky.clean cat &&
	git config filter.picky.smudge "sh -c 'text=\$(cat); case \$text in *refused*) exit 1;; esac; echo \"\$text\"'" &&
	git config filter.picky.required true && echo "*.picky filter=picky" >.gitattributes &&
	git add .gitattributes && git commit -q -m attributes
}

test_expect_success 'a file that cannot be written: the present state is put back' '
	fresh && make_filter && mkdir m && echo "refused" >m/file.picky && echo new >zzz && git checkpoint create -q one &&
	echo fine >m/file.picky && echo edit >>run && rm zzz && echo keep >keep && git add keep && state >"$TEST_ROOT/before" &&
	test_expect_code 128 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "could not write the files" "$TEST_ROOT/err" && same_state before && git fsck --strict --no-dangling &&
	test_path_is_missing .git/index.lock && git checkpoint list >out 2>"$TEST_ROOT/err" && rm out &&
	test_must_be_empty "$TEST_ROOT/err" && journal_is_settled
'

test_expect_success 'refs that are locked: refused before anything moves' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	: >.git/refs/heads/main.lock && test_must_fail git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "main.lock" "$TEST_ROOT/err" && rm .git/refs/heads/main.lock && same_state before &&
	journal_is_settled && git checkpoint restore -q --yes one
'

test_expect_success STRACE 'a full disk: the state is the old one, whatever is written' '
	fresh && git checkpoint create -q one && change_project && rm -rf ../base && cp -Rp . ../base && state >"$TEST_ROOT/before" &&
	break_list git-checkpoint restore -q --yes one 3>"$TEST_ROOT/listed" && grep "^\(write\|fsync\|rename\|link\|mkdir\) " "$TEST_ROOT/listed" |
		awk "NR % 4 == 1" >"$TEST_ROOT/points" && test -s "$TEST_ROOT/points" &&
	while read -r call n
	do
		cd .. && rm -rf repo && cp -Rp base repo && cd repo || return
		code=0
		break_run "$call" "$n" error=ENOSPC git-checkpoint restore -q --yes one >"$TEST_ROOT/out" 2>&1 </dev/null || code=$?
		git checkpoint list >"$TEST_ROOT/list" 2>&1
		if grep -q "was interrupted" "$TEST_ROOT/list"
		then
			git checkpoint undo -q --yes || return
			code=128
		fi
		if test "$code" = 0
		then
			git checkpoint undo -q --yes || return
		fi
		same_state before || test_complain "broken at $call $n" || return
		{ git fsck --strict --no-dangling && test_path_is_missing .git/index.lock; } || test_complain "broken at $call $n: $(cat "$TEST_ROOT/out")" || return
	done <"$TEST_ROOT/points"
'

test_expect_success 'an edit that comes between the plan and its execution is seen' '
	fresh && git checkpoint create -q one && echo edit >>run &&
	printf "#!/bin/sh\necho later >>run\n" >.git/hooks/pre-rollback && chmod +x .git/hooks/pre-rollback &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "changed meanwhile" "$TEST_ROOT/err" &&
	test_grep later run && journal_is_settled &&
	printf "#!/bin/sh\ngit add run\n" >.git/hooks/pre-rollback &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "the index has changed meanwhile" "$TEST_ROOT/err" && journal_is_settled &&
	printf "#!/bin/sh\ngit commit -q -a -m between\n" >.git/hooks/pre-rollback &&
	test_must_fail git checkpoint restore --yes one 2>"$TEST_ROOT/err" && git log -1 --format=%s >"$TEST_ROOT/actual" &&
	echo between >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'a file that appears where one is going to be is not overwritten' '
	fresh && git checkpoint create -q one && rm untracked &&
	printf "#!/bin/sh\necho precious >untracked\n" >.git/hooks/pre-rollback && chmod +x .git/hooks/pre-rollback &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep precious untracked &&
	journal_is_settled
'

test_expect_success 'two at once: one after the other, or refused' '
	fresh && git checkpoint create -q one && echo edit >>run && mkfifo ../gate && test_when_finished "rm -f gate" &&
	printf "#!/bin/sh\ncat ../gate >/dev/null\n" >.git/hooks/pre-rollback && chmod +x .git/hooks/pre-rollback &&
	in_background ../first git checkpoint restore -q --yes one && exec 7>../gate &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "pid" "$TEST_ROOT/err" &&
	exec 7>&- && test "$(background_code ../first)" = 0 && test_grep ! edit run
'

test_expect_success 'an interruption ends it, with the old state' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" && mkfifo ../gate2 &&
	test_when_finished "rm -f gate2" &&
	printf "#!/bin/sh\ntrap \"\" INT; cat ../gate2 >/dev/null\n" >.git/hooks/pre-rollback && chmod +x .git/hooks/pre-rollback &&
	in_background ../second git-checkpoint restore -q --yes one && exec 7>../gate2 &&
	kill -INT "$(background_pid ../second)" && exec 7>&- && test "$(background_code ../second)" = 130 &&
	same_state before && journal_is_settled && test_path_is_missing .git/index.lock
'

test_expect_success STRACE 'a lock on the index that cannot be removed is told' '
	fresh && git checkpoint create -q one && change_project &&
	test_strace -o /dev/null -P "$PWD/.git/index.lock" -e trace=unlink -e inject=unlink:error=EPERM \
		git-checkpoint restore -q --yes one 2>"$TEST_ROOT/err" &&
	test_grep "cannot remove .*index.lock" "$TEST_ROOT/err" && test_grep "hint: No git can change the index" "$TEST_ROOT/err" &&
	rm .git/index.lock && journal_is_settled
'

test_expect_success STRACE 'a record that cannot be closed: all is done, it is told, and undo takes it back' '
	fresh && git checkpoint create -q one && state >"$TEST_ROOT/one" && change_project && state >"$TEST_ROOT/before" &&
	rm -rf ../base && cp -Rp . ../base && break_list git-checkpoint restore -q --yes one 3>"$TEST_ROOT/listed" &&
	last=$(sed -n "s/^rename //p" "$TEST_ROOT/listed" | tail -n 1) && cd .. && rm -rf repo && mv base repo && cd repo &&
	break_run rename "$last" error=ENOSPC git-checkpoint restore -q --yes one >"$TEST_ROOT/err" 2>&1 &&
	test_grep "hint: All was done, but operation .* counts as interrupted" "$TEST_ROOT/err" &&
	test_path_is_file y.log && rm y.log && same_state one && echo more >>run && state >"$TEST_ROOT/more" &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "was interrupted" "$TEST_ROOT/err" &&
	git checkpoint undo -q --yes && echo "second log" >y.log && same_state before && journal_is_settled &&
	git checkpoint undo -q --yes "$(newest_operation)" && rm y.log && same_state more
'

test_done
