#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='a series of reverts carried out: commits, files, conflicts, and the way back'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh

revert () {
	"$BUILD"/t/unit/flow-revert-tool "$@"
}

# All that is the user's own.
state () {
	git rev-parse HEAD && git symbolic-ref -q HEAD
	git ls-files -s -v && git --no-optional-locks status --porcelain=v2 --untracked-files=all &&
	find . -name .git -prune -o -printf "%P %y %#m %l\n" | sort &&
	find . -name .git -prune -o -type f -print0 | sort -z | xargs -0 sha1sum &&
	for name in REVERT_HEAD MERGE_MSG MERGE_RR
	do
		test ! -f ".git/$name" || { echo "$name" && cat ".git/$name"; } || return
	done
}

same_state () {	# file
	state >"$TEST_ROOT/actual.state" && test_cmp "$1" "$TEST_ROOT/actual.state"
}

# Commits one, two and three are on files of their own, and late changes a line of one.
history () {
	fresh "$@" && file a && file b && file c && commit base && file a 3=one && commit one && file b 3=two && echo new >new && commit two &&
	file c 3=three && git rm -q new && commit three && file a 30=late && commit late
}

subjects () {
	git log --format=%s "$@"
}

test_expect_success 'clean: a commit for each, in gits own form; the files, and nothing else' '
	history && revert run $(id main~1) $(id main~2) >out && read -r word operation <out && test "$word" = done && rm out &&
	subjects -3 >actual && test_write_lines "Revert \"two\"" "Revert \"three\"" late >expect && test_cmp expect actual && rm actual expect &&
	git clone -q -n . ../clone && git -C ../clone checkout -q main~2 && git -C ../clone revert --no-edit main~3 main~4 >/dev/null &&
	test "$(git rev-parse "HEAD^{tree}")" = "$(git -C ../clone rev-parse "HEAD^{tree}")" &&
	git log --format=%B -2 >actual && git -C ../clone log --format=%B -2 >expect && test_cmp expect actual && rm -rf actual expect ../clone &&
	git status --porcelain >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" && git fsck --strict --no-dangling
'

# As in a folder that was copied, or unpacked.
test_expect_success 'files that have other times than the index knows are no changes' '
	history && git ls-files -z | xargs -0 touch -h -d "2001-02-03 04:05:06" && revert run $(id main~1) && subjects -1 >actual &&
	echo "Revert \"three\"" >expect && test_cmp expect actual && rm actual expect &&
	history && file a 3=other && commit other && git ls-files -z | xargs -0 touch -h -d "2001-02-03 04:05:06" && test_expect_code 1 revert run $(id main~4) &&
	git ls-files -z | xargs -0 touch -h -d "2001-02-03 04:05:06" && revert skip && git diff --quiet && git diff --cached --quiet
'

test_expect_success 'reason, trailers; a merge; a revert of a revert' '
	history && git switch -q -c side main~2 && file d && commit side && git switch -q main && git merge -q --no-ff -m "Merge side" side &&
	git revert --no-edit main~3 >/dev/null && merge=$(id main~1) && before=$(id main~2) && reverted=$(id main) &&
	revert run --reason="It was wrong." --trailer="Reverts-Track: auth" --trailer="Reverts-Task: 2" "$reverted" "$merge:1" >/dev/null &&
	git log -1 --format=%B >actual && cat >expect <<-EOF &&
	Revert "Merge side"

	This reverts commit $merge, reversing
	changes made to $before.

	It was wrong.

	Reverts-Track: auth
	Reverts-Task: 2

	EOF
	test_cmp expect actual && test "$(git log -1 --skip=1 --format=%s)" = "Reapply \"two\"" &&
	test "$(git log -1 --format="%(trailers:key=Reverts-Track,valueonly)")" = auth
'

test_expect_success 'who and when are as git has them' '
	history && GIT_AUTHOR_NAME="A U Thor" GIT_AUTHOR_EMAIL=a@example.org GIT_AUTHOR_DATE="1700000000 +0530" \
		GIT_COMMITTER_DATE="1700000001 -0800" revert run $(id main~1) >/dev/null &&
	test "$(git log -1 --format="%an <%ae> %ad|%cd" --date=raw)" = "A U Thor <a@example.org> 1700000000 +0530|1700000001 -0800"
'

test_expect_success 'empty ones are passed over; where nothing is left nothing is done' '
	history && git revert --no-edit main~1 >/dev/null && git commit -q --allow-empty -m empty && state >"$TEST_ROOT/before" &&
	revert run $(id main) $(id main~3) >"$TEST_ROOT/out" && echo "done -" >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/out" &&
	same_state "$TEST_ROOT/before" && revert run $(id main) $(id main~3) $(id main~4) >/dev/null && subjects -1 >actual &&
	echo "Revert \"two\"" >expect && test_cmp expect actual
'

test_expect_success 'squashed: one commit, of the documents too' '
	history && file plan.md && commit plan && printf "undone\n" >"$TEST_ROOT/plan" && old=$(id main) && two=$(id main~3) && three=$(id main~2) &&
	revert run --squash --subject="Revert the track" --keep=plan.md --document=plan.md="undone
" --document=made.md="made
" --trailer="Reverts-Track: x" "$three" "$two" >/dev/null &&
	test "$(id main^)" = "$old" && git log -1 --format=%B >actual && cat >expect <<-EOF &&
	Revert the track

	This reverts commit $three.
	This reverts commit $two.

	Reverts-Track: x

	EOF
	test_cmp expect actual && rm expect actual && test_cmp "$TEST_ROOT/plan" plan.md && test "$(cat made.md)" = made &&
	git status --porcelain >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out"
'

test_expect_success 'squashed, and nothing but documents: its message has no gap' '
	history && revert run --squash --subject="Undo it" --reason="So." --document=made.md="made
" --trailer="Reverts-Track: x" >/dev/null && git cat-file commit HEAD | sed "1,/^\$/d" >actual && printf "Undo it\n\nSo.\n\nReverts-Track: x\n" >expect && test_cmp expect actual
'

test_expect_success 'documents: a commit of their own, and one that goes' '
	history && file plan.md && file old.md && commit plan && revert run --keep=plan.md --document=plan.md="undone
" --document==old.md --documents-subject="conductor(plan): Mark as reverted" $(id main~2) >/dev/null &&
	test "$(subjects -1)" = "conductor(plan): Mark as reverted" && git diff --name-status HEAD^ >actual &&
	printf "D\told.md\nM\tplan.md\n" >expect && test_cmp expect actual && test_path_is_missing old.md
'

test_expect_success 'local changes elsewhere stay: changed, staged, both, untracked, ignored' '
	history && file other && echo "*.o" >.gitignore && commit other && file other 1=changed && file b 40=x && git add b && file b 39=y && echo u >untracked &&
	echo o >x.o && git rm -q --cached c && file c 5=kept && git add c && git diff >"$TEST_ROOT/diff" && git diff --cached >"$TEST_ROOT/cached" &&
	git status --porcelain --ignored >"$TEST_ROOT/status" && revert run $(id main~4) >/dev/null && test "$(sed -n 3p a)" = 3 &&
	git diff >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/diff" "$TEST_ROOT/actual" && git diff --cached >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/cached" "$TEST_ROOT/actual" && git status --porcelain --ignored >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/status" "$TEST_ROOT/actual"
'

test_expect_success 'local changes in the way: refused, all are named, and nothing is touched' '
	history && echo new >.gitignore && commit ignore && file c 20=changed && file b 20=staged && git add b && echo ignored >new && state >"$TEST_ROOT/before" &&
	revert run -n $(id main~2) $(id main~3) >"$TEST_ROOT/out" && test_grep "in the way b" "$TEST_ROOT/out" && test_grep "in the way c" "$TEST_ROOT/out" &&
	test_expect_code 2 revert run $(id main~2) $(id main~3) 2>"$TEST_ROOT/err" && same_state "$TEST_ROOT/before" &&
	test_grep "b: it has staged changes" "$TEST_ROOT/err" && test_grep "c: it has changes" "$TEST_ROOT/err" &&
	git checkout -q HEAD -- c && test_expect_code 2 revert run $(id main~2) 2>"$TEST_ROOT/err" && test_grep "new: it is not tracked" "$TEST_ROOT/err" &&
	test "$(cat new)" = ignored
'

test_expect_success 'an untracked or ignored file, or a file for a folder, in the way' '
	history && git rm -q -r c && file dir/x && commit dir && git rm -q -r dir && commit gone && echo mine >dir &&
	test_expect_code 2 revert run $(id main) 2>"$TEST_ROOT/err" && test_grep "dir: it stands where a folder is needed" "$TEST_ROOT/err" && rm dir &&
	mkdir dir && echo mine >dir/x && test_expect_code 2 revert run $(id main) 2>"$TEST_ROOT/err" && test_grep "dir/x: it is not tracked" "$TEST_ROOT/err" &&
	echo "dir/" >.git/info/exclude && test_expect_code 2 revert run $(id main) 2>"$TEST_ROOT/err" && test "$(cat dir/x)" = mine && rm -r dir &&
	revert run $(id main) >/dev/null && test_path_is_file dir/x
'

test_expect_success 'refused while something else is going on' '
	history && git switch -q -c side main~1 && file a 30=side && commit side && test_must_fail git merge -q main >/dev/null &&
	test_expect_code 2 revert run $(id main~2) 2>"$TEST_ROOT/err" && test_grep "a merge is in progress" "$TEST_ROOT/err"
'

test_expect_success 'a detached HEAD; a linked worktree; SHA-256' '
	history && git checkout -q --detach && revert run $(id main~1) >/dev/null && test "$(id HEAD^)" = "$(id main)" && ! git symbolic-ref -q HEAD &&
	git worktree add -q ../linked main && cd ../linked && revert run $(id main~1) >/dev/null && test "$(subjects -1 main)" = "Revert \"three\"" &&
	git checkpoint undo -q --yes && test "$(subjects -1 main)" = late && cd ../repo && git worktree remove --force ../linked &&
	history --object-format=sha256 && revert run $(id main~1) $(id main~2) >/dev/null && test "$(subjects -1)" = "Revert \"two\"" && git fsck --strict
'

test_expect_success 'undo takes it back, and again' '
	history && file b 30=local && state >"$TEST_ROOT/before" && revert run $(id main~3) >/dev/null && state >"$TEST_ROOT/after" &&
	git checkpoint undo -q --yes && same_state "$TEST_ROOT/before" && git checkpoint list --operations >"$TEST_ROOT/out" &&
	test_grep revert-track "$TEST_ROOT/out" && git checkpoint undo -q --yes $(git checkpoint list --operations --porcelain | cut -f1 | head -1) &&
	same_state "$TEST_ROOT/after"
'

test_expect_success 'hooks: as in git revert, and one that refuses leaves everything' '
	history && write_script .git/hooks/prepare-commit-msg <<-\EOF &&
	test "$2" = message && echo "From-Hook: yes" >>"$1"
	EOF
	write_script .git/hooks/post-commit <<-\EOF &&
	git log -1 --format=%s >>../post
	EOF
	for hook in pre-commit commit-msg
	do
		write_script .git/hooks/$hook <<-\EOF || return
		echo "$0" >>../others
		EOF
	done && rm -f ../post ../others && revert run $(id main~1) $(id main~2) >/dev/null && test "$(git log -2 --format=%B | grep -c From-Hook)" = 2 &&
	echo "Revert \"two\"" >expect && test_cmp expect ../post && rm expect && test_path_is_missing ../others && state >"$TEST_ROOT/before" &&
	echo "exit 1" >>.git/hooks/prepare-commit-msg && test_expect_code 2 revert run $(id main~5) 2>"$TEST_ROOT/err" &&
	test_grep "prepare-commit-msg" "$TEST_ROOT/err" && same_state "$TEST_ROOT/before" && rm .git/hooks/prepare-commit-msg &&
	write_script .git/hooks/reference-transaction <<-\EOF &&
	if test "$1" = prepared && grep -q refs/heads; then exit 1; fi
	EOF
	test_must_fail revert run $(id main~5) 2>/dev/null && same_state "$TEST_ROOT/before"
'

test_expect_success 'signed where commits are to be' '
	history && write_script ../sign <<-\EOF &&
	cat >/dev/null
	echo "-----BEGIN PGP SIGNATURE-----" && echo "fake" && echo "-----END PGP SIGNATURE-----" && echo "[GNUPG:] SIG_CREATED " >&2
	EOF
	git config gpg.program "$PWD/../sign" && git config commit.gpgSign true && git config user.signingKey X && revert run $(id main~1) $(id main~2) >/dev/null &&
	for rev in main main~1
	do
		git cat-file commit $rev | grep -q "^gpgsig -----BEGIN" || return
	done && test "$(subjects -3)" = "$(test_write_lines "Revert \"two\"" "Revert \"three\"" late)" && git status --porcelain >"$TEST_ROOT/out" &&
	test_must_be_empty "$TEST_ROOT/out"
'

# Of commits one, two, three on a line each, one is changed later, so that it conflicts.
conflict () {
	history "$@" && file a 3=later && commit later && one=$(id main~4) && two=$(id main~3) && three=$(id main~2)
}

test_expect_success 'what is true, git says: 2 is, nothing is not, and a key alone is' '
	history && git config gpg.program "$PWD/../sign" && git config user.signingKey X && git config commit.gpgSign "" && revert run $(id main~1) >/dev/null &&
	git cat-file commit main >"$TEST_ROOT/out" && test_grep ! "^gpgsig" "$TEST_ROOT/out" && git config commit.gpgSign 2 && revert run $(id main~3) >/dev/null &&
	git cat-file commit main >"$TEST_ROOT/out" && test_grep "^gpgsig" "$TEST_ROOT/out" && git config --unset commit.gpgSign && printf "[commit]\n\tgpgSign\n" >>.git/config &&
	revert run $(id main~5) >/dev/null && git cat-file commit main >"$TEST_ROOT/out" && test_grep "^gpgsig" "$TEST_ROOT/out"
'

test_expect_success 'a conflict: it stops as git revert does' '
	conflict && state >"$TEST_ROOT/before" && test_expect_code 1 revert run "$two" "$one" >"$TEST_ROOT/out" && test_grep "^stopped" "$TEST_ROOT/out" &&
	rm -rf ../clone && git clone -q . ../clone && test_must_fail git -C ../clone revert --no-edit "$one" >/dev/null 2>&1 &&
	test_cmp ../clone/a a && git ls-files -s >actual && git -C ../clone ls-files -s >expect && test_cmp expect actual && rm actual expect &&
	test_cmp ../clone/.git/REVERT_HEAD .git/REVERT_HEAD && test_cmp ../clone/.git/MERGE_MSG .git/MERGE_MSG &&
	git status >"$TEST_ROOT/out" && test_grep "You are currently reverting commit" "$TEST_ROOT/out" && test_grep "both modified:   a" "$TEST_ROOT/out" &&
	test "$(subjects -1)" = "Revert \"two\"" && test "$(revert waiting)" = "1 $one"
'

test_expect_success 'continue: not with conflicts left; then it commits, and does the rest' '
	cd repo && test_expect_code 1 revert continue 2>"$TEST_ROOT/err" && test_grep "there are conflicts left" "$TEST_ROOT/err" && test_grep "^  a$" "$TEST_ROOT/err" &&
	file a 3=resolved && sed -i "4,7d" a && git add a && revert continue >/dev/null && test "$(subjects -1)" = "Revert \"one\"" &&
	test_path_is_missing .git/REVERT_HEAD && revert waiting >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" &&
	git log -1 --format=%B >actual && ! grep Conflicts actual && rm actual && test_expect_code 1 revert continue 2>"$TEST_ROOT/err" &&
	test_grep "no series of reverts is waiting" "$TEST_ROOT/err"
'

test_expect_success 'continue: not with markers in what is staged, but with a heading' '
	conflict && test_expect_code 1 revert run "$one" >/dev/null && git add a && git status --porcelain >"$TEST_ROOT/status" &&
	for left in all some
	do
		test_expect_code 1 revert continue 2>"$TEST_ROOT/err" && test_grep "there are conflict markers left" "$TEST_ROOT/err" &&
		git grep -n "^[<>|]\{7\} " a | sed "s/^\(a:[0-9]*\):.*/  \1/" >expect && sed -n "/^  a:/p" "$TEST_ROOT/err" >actual && test_cmp expect actual && rm actual expect &&
		sed -i "/^<<<<<<< /d" a && git add a || return
	done && sed -i "/^>>>>>>> /d" a && git add a && git grep -q "^=======$" a && revert continue >/dev/null && test "$(subjects -1)" = "Revert \"one\""
'

test_expect_success 'continue: markers that belong there, committed by a person, or there before' '
	conflict && test_expect_code 1 revert run "$one" >/dev/null && git add a && test_expect_code 1 revert continue 2>"$TEST_ROOT/err" && test_grep "^hint: .*git commit" "$TEST_ROOT/err" &&
	git commit -q --no-edit && revert continue >/dev/null && revert waiting >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" && git grep -q "^<<<<<<< HEAD" a &&
	conflict && { echo "<<<<<<< an example" && cat a; } >new && mv new a && commit example &&
	test_expect_code 1 revert run "$one" >/dev/null && git checkout -q --ours a && sed -i 4d a && git add a && revert continue >/dev/null
'

test_expect_success 'with more behind it: continue, after git commit too, or git revert --continue' '
	for how in revert commit git-revert
	do
		conflict && test_expect_code 1 revert run --document=plan.md="done
" --trailer="X: y" "$one" "$three" "$two" >/dev/null && git checkout -q --ours a && file a 3=resolved && git add a || return
		case $how in
		commit) git commit -q --no-edit ;;
		git-revert) git -c core.editor=true revert --continue >/dev/null ;;
		esac &&
		revert continue >/dev/null && subjects -4 >actual &&
		test_write_lines "Update the plan documents" "Revert \"two\"" "Revert \"three\"" "Revert \"one\"" >expect && test_cmp expect actual &&
		rm actual expect && test "$(cat plan.md)" = done && test "$(git log --format=%B -4 | grep -c "^X: y")" = 4 && revert waiting >"$TEST_ROOT/out" &&
		test_must_be_empty "$TEST_ROOT/out" && git status --porcelain >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" || return
	done
'

test_expect_success 'skip leaves that one out, and does the rest' '
	conflict && file b 39=local && test_expect_code 1 revert run "$one" "$three" >/dev/null && revert skip >/dev/null && subjects -2 >actual &&
	test_write_lines "Revert \"three\"" later >expect && test_cmp expect actual && test "$(sed -n 3p a)" = later && test "$(sed -n 39p b)" = local &&
	test_path_is_missing .git/REVERT_HEAD
'

test_expect_success 'abort: exactly the state before, from wherever it is' '
	conflict && file b 39=local && echo untracked >untracked && state >"$TEST_ROOT/before" && test_expect_code 1 revert run "$three" "$one" >/dev/null &&
	revert abort && same_state "$TEST_ROOT/before" && revert waiting >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" &&
	file c 3=again && commit again && state >"$TEST_ROOT/before" && test_expect_code 1 revert run "$one" "$three" "$two" >/dev/null &&
	git checkout -q --ours a && file a 3=resolved && git add a && test_expect_code 1 revert continue >/dev/null &&
	test "$(revert waiting)" = "1 $three" && file c 10=half && revert abort && same_state "$TEST_ROOT/before"
'

last_operation () {
	git checkpoint list --operations --porcelain | cut -f1 | head -1
}

test_expect_success 'undo goes back by the whole series, or by the operation that is named; --abort not behind commits by hand' '
	conflict && state >"$TEST_ROOT/before" && test_expect_code 1 revert run "$one" >/dev/null && git checkout -q --ours a && file a 3=mine && git add a &&
	state >"$TEST_ROOT/resolved" && revert continue >/dev/null && state >"$TEST_ROOT/done" && git checkpoint undo -q --yes && same_state "$TEST_ROOT/before" &&
	git checkpoint undo -q --yes "$(last_operation)" && same_state "$TEST_ROOT/done" && step=$(git checkpoint list --operations --porcelain | cut -f1 | sed -n 3p) &&
	git checkpoint undo -q --yes "$step" && same_state "$TEST_ROOT/resolved" &&
	test "$(revert waiting)" = "0 $one" && git commit -q --no-edit && echo x >x && git add x && git commit -q -m x &&
	test_expect_code 2 revert abort 2>"$TEST_ROOT/err" && test_grep "HEAD has commits that are not" "$TEST_ROOT/err"
'

test_expect_success 'nothing is left behind the conflict: the series ends, and undo takes back what was done' '
	conflict && git revert --no-edit "$two" >/dev/null && state >"$TEST_ROOT/before" && test_expect_code 1 revert run "$one" "$two" >/dev/null &&
	git checkout -q --ours a && file a 3=mine && git add a && state >"$TEST_ROOT/resolved" && revert continue >/dev/null && step=$(git checkpoint list --operations --porcelain | cut -f1 | sed -n 2p) &&
	revert waiting >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" &&
	git checkpoint undo -q --yes "$step" && same_state "$TEST_ROOT/resolved" && test "$(revert waiting)" = "0 $one" &&
	revert continue >/dev/null && revert waiting >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" && test "$(subjects -1)" = "Revert \"one\"" &&
	git checkpoint undo -q --yes && same_state "$TEST_ROOT/before" && revert waiting >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out"
'

test_expect_success 'quit forgets the series' '
	conflict && test_expect_code 1 revert run "$one" "$three" >/dev/null && revert quit && test_path_is_missing .git/REVERT_HEAD &&
	revert waiting >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" && test "$(git ls-files -u | wc -l)" = 3
'

test_expect_success 'squash with a conflict: one commit in the end' '
	conflict && old=$(id main) && test_expect_code 1 revert run --squash --subject="Revert it all" "$three" "$one" "$two" >/dev/null && git checkout -q --ours a &&
	file a 3=resolved && git add a && revert continue >/dev/null && test "$(id main^)" = "$old" && test "$(subjects -1)" = "Revert it all" &&
	test "$(git log -1 --format=%B | grep -c "^This reverts commit")" = 3 && test "$(sed -s -n 3p a b c | tr "\n" " ")" = "resolved 3 3 " &&
	git diff --name-only "$old" >"$TEST_ROOT/out" && test_write_lines a b c >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/out"
'

test_expect_success 'all that a person resolved comes to nothing: no commit of it' '
	conflict && test_expect_code 1 revert run "$one" "$three" >/dev/null && git checkout -q --ours a && git add a && revert continue >/dev/null &&
	test "$(subjects -2)" = "$(test_write_lines "Revert \"three\"" later)"
'

test_expect_success 'staged changes, where there will be a conflict: refused' '
	conflict && file b 39=local && git add b && state >"$TEST_ROOT/before" && test_expect_code 2 revert run "$one" 2>"$TEST_ROOT/err" &&
	test_grep "b: it has staged changes, and there will be a conflict" "$TEST_ROOT/err" && same_state "$TEST_ROOT/before"
'

test_expect_success 'conflicts of other kinds leave what git leaves' '
	fresh && file gone && file kept && printf "a\0" >binary && commit base && file gone 3=x && file made && printf "b\0" >binary && git mv kept renamed && commit unit &&
	unit=$(id HEAD) && git rm -q gone && file made 3=y && printf "c\0" >binary && commit later && rm -rf ../clone && git clone -q . ../clone &&
	test_must_fail git -C ../clone revert --no-edit "$unit" >/dev/null 2>&1 && test_expect_code 1 revert run "$unit" >/dev/null &&
	git ls-files -s >"$TEST_ROOT/actual" && git -C ../clone ls-files -s >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	diff -r -x .git . ../clone
'

test_expect_success 'line ends, filters: as git writes them, in a conflict too' '
	fresh && git config filter.rot.clean "tr a-z n-za-m" && git config filter.rot.smudge "tr a-z n-za-m" &&
	printf "%s\n" "*.crlf text eol=crlf" "*.rot filter=rot" >.gitattributes && file a.crlf && file b.rot 2=hello && file c.rot && commit base &&
	file a.crlf 3=one && file b.rot 3=one && file c.rot 9=nine && commit unit && file c.rot 20=late && commit late && git rm -q --cached -r . && git reset -q --hard &&
	revert run $(id main~1) >/dev/null && git status --porcelain >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" &&
	test "$(sed -n 3p a.crlf | od -An -c | tr -d " ")" = "3\\r\\n" && test "$(sed -n 2p b.rot)" = hello && git reset -q --hard HEAD^ &&
	file a.crlf 3=other && file b.rot 3=other && commit conflict && rm a.crlf b.rot && git checkout -q . && rm -rf ../clone && cp -R . ../clone &&
	test_must_fail git -C ../clone revert --no-edit $(id main~2) >/dev/null 2>&1 && test_expect_code 1 revert run $(id main~2) >/dev/null &&
	test_cmp ../clone/a.crlf a.crlf && test_cmp ../clone/b.rot b.rot && test_cmp ../clone/c.rot c.rot && git ls-files -s >"$TEST_ROOT/actual" &&
	git -C ../clone ls-files -s >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'a sparse checkout, and a split index' '
	for how in sparse split
	do
		fresh && file in/a && file out/b && commit base && file in/a 3=x && file out/b 3=x && file out/new && commit unit && file in/a 30=late && commit late || return
		case $how in
		sparse) git sparse-checkout set in ;;
		split) git update-index --split-index && echo local >>in/a && git checkout -q in/a ;;
		esac &&
		revert run $(id main~1) >/dev/null && git status --porcelain >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" &&
		test "$(sed -n 3p in/a)" = 3 && test "$(git show HEAD:out/b | sed -n 3p)" = 3 && { test $how = split || test_path_is_missing out; } &&
		git checkpoint undo -q --yes && test "$(subjects -1)" = late && test "$(sed -n 3p in/a)" = x &&
		git status --porcelain >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" || return
	done
'

test_expect_success 'a real submodule: its commit goes back, its folder is let alone' '
	fresh && rm -rf ../sub && git init -q ../sub && git -C ../sub commit -q --allow-empty -m one && file a && git -c protocol.file.allow=always submodule --quiet add ../sub sub &&
	commit base && old=$(git rev-parse :sub) && git -C sub commit -q --allow-empty -m two && commit bump && file a 3=late && commit late &&
	revert run $(id main~1) >/dev/null && test "$(git rev-parse HEAD:sub)" = "$old" && test "$(git -C sub log -1 --format=%s)" = two && git checkpoint undo -q --yes &&
	test "$(subjects -1)" = late
'

test_expect_success 'messages: revert.reference, and any character for comments' '
	history && git config revert.reference true && revert run $(id main~1) >/dev/null && git log -1 --format=%B >actual &&
	git log -1 --format="Revert \"three\"%n%nThis reverts commit %h (three, %as).%n" main~2 >expect && test_cmp expect actual && rm actual expect &&
	for char in auto ";" "#"
	do
		conflict && git config core.commentChar "$char" && test_expect_code 1 revert run --reason="#1 was wrong" "$one" >/dev/null &&
		git checkout -q --ours a && file a 3=resolved && git add a && revert continue >/dev/null && git log -1 --format=%B >actual && ! grep -e Conflicts -e "	a" actual || return
		test "$char" != ";" || grep "^#1 was wrong" actual || return
	done
'

test_expect_success 'rerere resolves what it has seen' '
	conflict && git config rerere.enabled true && git config rerere.autoupdate true && test_expect_code 1 revert run "$one" >/dev/null && git checkout -q --ours a &&
	file a 3=resolved && git add a && revert continue >/dev/null && git reset -q --hard HEAD^ && test_expect_code 1 revert run "$one" >/dev/null &&
	test "$(sed -n 3p a)" = resolved && git ls-files -u >"$TEST_ROOT/out" && test_must_be_empty "$TEST_ROOT/out" && revert continue >/dev/null
'

test_expect_success 'a hook that refuses what is resolved: it still waits' '
	conflict && test_expect_code 1 revert run "$one" >/dev/null && git checkout -q --ours a && file a 3=resolved && git add a && state >"$TEST_ROOT/before" &&
	write_script .git/hooks/pre-commit <<-\EOF &&
	exit 1
	EOF
	test_expect_code 128 revert continue 2>/dev/null && same_state "$TEST_ROOT/before" && test "$(revert waiting)" = "0 $one" && rm .git/hooks/pre-commit &&
	revert continue >/dev/null && test "$(subjects -1)" = "Revert \"one\""
'

test_expect_success 'documents that were changed meanwhile are not written over' '
	conflict && file plan.md && commit plan && test_expect_code 1 revert run --keep=plan.md --document=plan.md=new "$one" >/dev/null &&
	git checkout -q --ours a && file a 3=resolved && file plan.md 3=changed && git add a plan.md && test_expect_code 2 revert continue 2>"$TEST_ROOT/err" &&
	test_grep "documents were changed" "$TEST_ROOT/err" && test "$(subjects -1)" = "Revert \"one\"" && revert quit && test "$(sed -n 3p plan.md)" = changed
'

test_done
