#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint: what is kept is what was there, whatever the settings'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-restore.sh

# A fresh repository with one commit, entered.
fresh () {	# [option of git init]
	cd "$TRASH_DIRECTORY" && rm -rf repo && git init -q -b main "$@" repo && cd repo &&
	echo a >a && mkdir d && echo c >d/c && git add a d && git commit -q -m first
}

# ---- git's own folder ----------------------------------------------------------------------------

test_expect_success 'a repository in the worktree under another name is no part of it' '
	cd "$TRASH_DIRECTORY" && rm -rf home && mkdir home && cd home &&
	git init -q -b main --bare .dotfiles && git --git-dir=.dotfiles config core.bare false &&
	(
		GIT_DIR=$PWD/.dotfiles && GIT_WORK_TREE=$PWD && export GIT_DIR GIT_WORK_TREE &&
		echo a >a && git add a && git commit -q -m first && mkdir .dotfiles/hollow &&
		echo untracked >untracked && git checkpoint create -q one &&
		git ls-tree -r --name-only refs/checkpoints/one^3 >actual.names &&
		echo untracked >expect.names && test_cmp expect.names actual.names &&
		git cat-file blob refs/checkpoints/one^4:manifest.json | jq -c .empty_folders >actual.names &&
		echo null >expect.names && test_cmp expect.names actual.names &&
		rm actual.names expect.names &&
		echo more >>a && rm untracked && echo other >other && git add a && git commit -q -m second &&
		git checkpoint restore -q --yes one && test_path_is_missing other &&
		echo a >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" a &&
		git checkpoint undo -q --yes && test_path_is_file other && test_path_is_missing untracked &&
		git checkpoint verify one && git fsck --no-dangling && test_path_is_dir .dotfiles/hollow
	)
'

test_expect_success 'a snapshot that would write to it is refused' '
	cd "$TRASH_DIRECTORY" && rm -rf home && mkdir home && cd home && mkdir other &&
	git init -q -b main --separate-git-dir=data . && echo a >a && git add a && git commit -q -m first &&
	git checkpoint create -q one &&
	w=$(git rev-parse refs/checkpoints/one) &&
	blob=$(echo evil | git hash-object -w --stdin) &&
	tree=$(printf "100755 blob %s\tpost-checkout\n" "$blob" | git mktree) &&
	tree=$(printf "040000 tree %s\thooks\n" "$tree" | git mktree) &&
	for forged in "$(printf "040000 tree %s\tdata\n" "$tree" | git mktree)" \
		"$(printf "100644 blob %s\tdata\n" "$blob" | git mktree)"
	do
		u=$(git commit-tree -m untracked "$forged") &&
		forged=$(git commit-tree -m forged -p "$w^1" -p "$w^2" -p "$u" -p "$w^4" "$w^{tree}") &&
		git update-ref refs/checkpoints/forged "$forged" &&
		test_expect_code 2 git checkpoint restore -q --yes forged 2>"$TEST_ROOT/err" &&
		test_grep "repository" "$TEST_ROOT/err" || return 1
	done &&
	test_path_is_missing data/hooks/post-checkout
'

# ---- What is in progress -------------------------------------------------------------------------

conflict () {
	fresh && git checkout -q -b side && echo side >a && git commit -q -a -m side &&
	git checkout -q main && echo main >a && git commit -q -a -m main
}

# Nothing but a checkpoint reaches what was on the branch.
forget_side () {
	git branch -q -D side && git reflog expire --expire=now --all && git gc -q --prune=now
}

test_expect_success 'the commits of a merge stay, and it comes back' '
	conflict && test_must_fail git merge side && state >"$TEST_ROOT/expect" &&
	git checkpoint create -q merging && git merge --abort && forget_side &&
	git checkpoint verify merging &&
	git checkpoint restore -q --yes merging && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	echo both >a && git add a && git commit -q --no-edit &&
	git log -1 --format=%p >"$TEST_ROOT/parents" && test_grep " " "$TEST_ROOT/parents"
'

test_expect_success 'so do those of a cherry-pick and a revert' '
	conflict && test_must_fail git cherry-pick side && git checkpoint create -q picking &&
	git cherry-pick --abort && forget_side && git checkpoint verify picking &&
	git checkpoint restore -q --yes picking && git rev-parse CHERRY_PICK_HEAD^{commit} &&
	conflict && echo more >>a && git commit -q -a -m more && test_must_fail git revert HEAD^ &&
	git checkpoint create -q reverting && git revert --abort && git checkpoint restore -q --yes reverting &&
	git rev-parse REVERT_HEAD^{commit}
'

test_expect_success 'a clone that fetches a checkpoint has them' '
	conflict && test_must_fail git merge side && git checkpoint create -q merging &&
	git merge --abort && git branch -q -D side &&
	git clone -q . "$TRASH_DIRECTORY/clone" && cd "$TRASH_DIRECTORY/clone" &&
	git fetch -q origin "refs/checkpoints/*:refs/checkpoints/*" && git checkpoint verify merging &&
	git checkpoint restore -q --yes merging && git rev-parse MERGE_HEAD^{commit}
'

test_expect_success 'where they are not there verify says so, and restore refuses' '
	conflict && test_must_fail git merge side && git checkpoint create -q merging &&
	git merge --abort && side=$(git rev-parse side) && git branch -q -D side &&
	w=$(git rev-parse refs/checkpoints/merging) &&
	m=$(git commit-tree -m payload "$w^4^{tree}") &&
	git update-ref refs/checkpoints/forgetful \
		"$(git commit-tree -m "forgetful" -p "$w^1" -p "$w^2" -p "$w^3" -p "$m" "$w^{tree}")" &&
	git update-ref -d refs/checkpoints/merging && git update-ref -d refs/tags/checkpoint/merging &&
	rm -f .git/ORIG_HEAD && git reflog expire --expire=now --all && git gc -q --prune=now &&
	test_must_fail git cat-file -e "$side" && state >"$TEST_ROOT/expect" &&
	test_expect_code 1 git checkpoint verify forgetful &&
	test_expect_code 1 git checkpoint restore --yes forgetful 2>"$TEST_ROOT/err" &&
	test_grep "$side" "$TEST_ROOT/err" && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

# ---- Objects -------------------------------------------------------------------------------------

test_expect_success 'objects are what they are, and not what refs/replace says' '
	fresh && echo kept >a && echo untracked >u && git checkpoint create -q one &&
	other=$(echo another | git hash-object -w --stdin) &&
	for file in refs/checkpoints/one:a refs/checkpoints/one^3:u
	do
		git replace "$(git rev-parse "$file")" "$other" || return 1
	done &&
	echo changed >a && rm u && git checkpoint verify one && git checkpoint restore -q --yes one &&
	printf "kept\nuntracked\n" >"$TEST_ROOT/expect" && cat a u >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && echo changed >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" a
'

collect_garbage () {
	while test ! -e "$TEST_ROOT/stop"
	do
		git gc -q --prune=now
	done
}

create_many () {
	for i in 1 2 3 4 5 6 7 8 9 10
	do
		echo "$i" >>a && echo "$i" >"u$i" && git checkpoint create -q "n$i" || return 1
	done
}

test_expect_success 'git gc that runs all the time takes nothing of a checkpoint away' '
	fresh && rm -f "$TEST_ROOT/stop" && { collect_garbage & } &&
	test_when_finished ">\"\$TEST_ROOT/stop\"; wait" && create_many &&
	>"$TEST_ROOT/stop" && wait &&
	git checkpoint verify && git fsck --no-dangling &&
	find .git/objects -name "*.keep" >"$TEST_ROOT/keep" && test_must_be_empty "$TEST_ROOT/keep"
'

test_expect_success 'what keeps the pack of one that was killed goes with the next' '
	fresh && git repack -q -a -d && pack=$(ls .git/objects/pack/*.pack) && keep=${pack%.pack}.keep &&
	sh -c "echo git-rollback \$\$" >"$keep" && echo more >>a && git checkpoint create -q one &&
	test_path_is_missing "$keep" &&
	echo mine >"$keep" && echo more >>a && git checkpoint create -q two && test_path_is_file "$keep"
'

# ---- Bytes ---------------------------------------------------------------------------------------

for setting in true input false
do
	test_expect_success "line ends are what they were: core.autocrlf=$setting" "
		fresh && git config core.autocrlf $setting && mkdir auto &&
		printf '%s\\n' '/auto/* text=auto' '/crlf/* eol=crlf' '/id ident' >.gitattributes &&
		git add .gitattributes && git commit -q -m attributes && mkdir crlf &&
		for folder in . auto crlf
		do
			printf 'x\\r\\ny\\r\\n' >\$folder/dos && printf 'x\\ny\\n' >\$folder/unix &&
			printf 'x\\r\\ny\\n' >\$folder/mixed && printf 'a\\0\\r\\nb\\n' >\$folder/binary || return 1
		done &&
		printf 'id \\044Id: mine \\044\\n' >id && printf 'a\\r\\nb\\n' >a &&
		find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort -k 2 >\"\$TEST_ROOT/expect\" &&
		git checkpoint create -q one && git checkpoint verify one &&
		rm -r dos unix mixed binary auto crlf id && echo b >a && echo c >d/c &&
		find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort -k 2 >\"\$TEST_ROOT/second\" &&
		git checkpoint restore -q --yes one &&
		find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort -k 2 >\"\$TEST_ROOT/actual\" &&
		test_cmp \"\$TEST_ROOT/expect\" \"\$TEST_ROOT/actual\" &&
		git checkpoint undo -q --yes &&
		find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort -k 2 >\"\$TEST_ROOT/actual\" &&
		test_cmp \"\$TEST_ROOT/second\" \"\$TEST_ROOT/actual\" &&
		git checkpoint undo -q --yes \$(newest_operation) &&
		find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort -k 2 >\"\$TEST_ROOT/actual\" &&
		test_cmp \"\$TEST_ROOT/expect\" \"\$TEST_ROOT/actual\"
	"
done

test_expect_success 'a filter that loses something loses nothing here' '
	fresh && git config filter.lossy.clean "tr a-z A-Z" && echo "/lossy* filter=lossy" >.gitattributes &&
	echo Some Letters >lossy && git checkpoint create -q one && rm lossy &&
	git checkpoint restore -q --yes one && echo Some Letters >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" lossy && git checkpoint undo -q --yes && test_path_is_missing lossy
'

# ---- Modes ---------------------------------------------------------------------------------------

test_expect_success 'new files are executable also where core.fileMode says that git should not look' '
	fresh && git config core.fileMode false && echo "echo run" >run && chmod +x run && echo no >no &&
	echo "*.txt text" >.gitattributes && printf "a\r\n" >run.txt && chmod +x run.txt &&
	git checkpoint create -q one && rm run no run.txt && git checkpoint restore -q --yes one &&
	test -x run && test ! -x no && test -x run.txt
'

test_expect_success 'permissions of untracked files are not widened' '
	fresh && umask 022 && echo secret >secret && chmod 600 secret && echo shared >shared &&
	chmod 664 shared && echo plain >plain && echo run >run && chmod 700 run &&
	git checkpoint create -q one && rm -f secret shared plain run && git checkpoint restore -q --yes one &&
	stat -c %a secret shared plain run >"$TEST_ROOT/actual" &&
	test_write_lines 600 664 644 700 >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	echo new >secret2 && chmod 640 secret2 && git checkpoint restore -q --yes one &&
	test_path_is_missing secret2 && git checkpoint undo -q --yes &&
	test "$(stat -c %a secret2)" = 640
'

# ---- What git cannot store -----------------------------------------------------------------------

test_expect_success 'a FIFO where a tracked file was is left out, and says so' '
	fresh && printf "d/* text=auto\na filter=x\n" >.gitattributes && rm a && mkfifo a &&
	git checkpoint create one 2>"$TEST_ROOT/err" &&
	test_grep "neither file nor folder" "$TEST_ROOT/err" &&
	git cat-file -e refs/checkpoints/one:a &&
	echo more >>d/c && git checkpoint restore -q --yes one && test -p a && git checkpoint undo -q --yes &&
	test -p a && rm a && echo new >a && git checkpoint restore -q --yes one &&
	echo new >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" a
'

test_expect_success 'a name that is not UTF-8 is verified as any other' '
	fresh && name=$(printf "\377\376") && git checkout -q -b side && echo 1 >"$name" && git add . &&
	git commit -q -m side && git checkout -q main && echo 2 >"$name" && git add . &&
	git commit -q -m main && test_must_fail git merge side && git checkpoint create -q one &&
	git checkpoint verify one
'

test_done
