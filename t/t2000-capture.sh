#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='snapshots: a capture is what git itself would store, and disturbs nothing'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-snapshot.sh

TEST_TAB='	'

# A fresh repository with one commit, entered.
repository () {	# name, [option of git init]
	name_=$1
	shift
	git init -q "$@" "$TRASH_DIRECTORY/$name_" &&
	cd "$TRASH_DIRECTORY/$name_" &&
	mkdir -p a/b c &&
	echo one >one && echo two >a/two && echo three >a/b/three && echo four >c/four &&
	ln -s one link && echo '#!/bin/sh' >run && chmod +x run &&
	echo '*.o' >.gitignore &&
	git add . && git commit -qm base
}

test_expect_success 'nothing changed' '
	repository plain && capture_and_check &&
	test "$(manifest .format)" = 1 &&
	test "$(manifest .head.branch)" = "\"refs/heads/main\"" &&
	test "$(manifest .index.file)" = false
'

test_expect_success 'edits, additions, deletions: staged, not staged, and both' '
	repository changes &&
	echo 1 >>one && echo staged >a/two && git add a/two && echo more >>a/two &&
	git rm -q c/four && rm a/b/three && echo new >new && git add new && echo newer >new &&
	echo untracked >untracked && mkdir u && echo x >u/x && echo ignored >u/x.o &&
	capture_and_check
'

test_expect_success 'a file that is added and gone, or removed from the index alone' '
	repository halves &&
	echo new >new && git add new && rm new &&
	git rm -q --cached one && git rm -q --cached a/two && rm a/two &&
	git mv c/four c/five && mv a/b/three a/b/six &&
	capture_and_check
'

test_expect_success 'modes, symlinks, and files that become folders and back' '
	repository types &&
	chmod +x one && chmod -x run && rm link && echo file >link &&
	rm a/two && mkdir a/two && echo in >a/two/in &&
	rm -r a/b && echo file >a/b &&
	rm c/four && ln -s ../one c/four && ln -s nowhere dangling &&
	capture_and_check
'

test_expect_success 'odd names' '
	repository names &&
	for name in "with blank" "with \"quotes\"" "back\\slash" "tab${TEST_TAB}here" "-dash" " lead" \
		"trail " ":colon" "*star" "$(printf "line\nend")" "$(printf "\377\376")" "höflich" "~"
	do
		mkdir -- "$name" && echo tracked >"$name/$name" || return 1
	done &&
	git add . && git commit -qm names &&
	for name in ./*
	do
		test ! -e "$name/${name#./}" || { echo changed >"$name/${name#./}" && echo new >"$name/new ${name#./}"; } || return 1
	done &&
	mkdir "$(printf "empty \"\377\n")" &&
	capture_and_check &&
	test "$(manifest .empty_folders)" = "[\"\\\"empty \\\\\\\"\\\\377\\\\n\\\"\"]" &&
	git -c core.quotePath=true status --short -uall >expect.status &&
	git cat-file blob "$commit_^4:status" >actual.status &&
	sed -i "/status/d" expect.status && test_cmp expect.status actual.status
'

test_expect_success 'no commit yet' '
	git init -q unborn && cd unborn &&
	capture_and_check &&
	test "$(manifest .head.unborn)" = true &&
	echo staged >staged && git add staged && echo more >>staged && echo new >new &&
	capture_and_check
'

test_expect_success 'detached HEAD, linked worktree' '
	repository detached && git checkout -q --detach && echo x >>one && capture_and_check &&
	test "$(manifest .head.branch)" = null &&
	git worktree add -q ../linked && cd ../linked && echo y >>one && echo z >z && capture_and_check &&
	test "$(manifest .worktree)" = "\"linked\""
'

test_expect_success 'intent to add' '
	repository intent && echo new >new && echo gone >gone && git add -N new gone && rm gone &&
	git rm -q --cached one && git add -N one &&
	capture_and_check &&
	test "$(manifest .index.file)" = true &&
	git cat-file blob "$commit_^4:index" >raw && cmp raw .git/index
'

test_expect_success 'an unmerged index, a merge in progress' '
	repository unmerged &&
	git checkout -q -b side && echo side >one && git rm -q a/two && echo s >added && git add . && git commit -qm side &&
	git checkout -q main && echo main >one && echo main >a/two && echo m >added && git add . && git commit -qm main &&
	test_must_fail git merge side && rm added && capture_and_check &&
	test "$(manifest .in_progress)" = "[\"merge\"]" &&
	git ls-files -u | sed "s/^\([0-9]*\) \([0-9a-f]*\) \(.\)${TEST_TAB}/\1 blob \2${TEST_TAB}stages\/\3\//" | sort -k4 >"$SNAPSHOT_WORK"/expect &&
	git ls-tree -r "$commit_^4" stages/ | sort -k4 >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	git cat-file blob "$commit_^4:state/MERGE_HEAD" >actual && cmp actual .git/MERGE_HEAD &&
	git status --short -uall >expect && git cat-file blob "$commit_^4:status" >actual &&
	sed -i "/ expect$/d; / actual$/d" expect && sed -i "/ actual$/d" actual && test_cmp expect actual
'

test_expect_success 'edits that flags hide' '
	repository flags &&
	git update-index --assume-unchanged one a/two run &&
	git update-index --skip-worktree a/b/three c/four &&
	echo 1 >>one && rm a/two && echo 3 >>a/b/three && rm c/four &&
	capture_and_check && test "$(manifest .index.file)" = true
'

test_expect_success 'edits in the tick of the index, of the same size' '
	repository racy &&
	for i in 1 2 3 4 5 6 7 8 9
	do
		echo a$i >one && git add one && echo b$i >one && capture_and_check || return 1
	done
'

test_expect_success 'sparse checkout, with and without a sparse index' '
	repository sparse && git sparse-checkout set --cone a/b && echo 1 >>a/b/three && echo n >a/b/n &&
	mkdir c && echo outside >c/four && capture_and_check &&
	git sparse-checkout init --cone --sparse-index && rm -rf c && git sparse-checkout reapply && capture_and_check &&
	git cat-file blob "$commit_^4:index" >"$SNAPSHOT_WORK"/raw &&
	test "$(GIT_INDEX_FILE="$SNAPSHOT_WORK"/raw git ls-files --sparse -s)" = "$(git ls-files -s)"
'

test_expect_success 'split index, index version 4, no checksum' '
	repository formats && echo 1 >>one && git update-index --index-version 4 && git add one &&
	git update-index --assume-unchanged a/two && echo 2 >>a/two && echo 3 >>a/b/three &&
	capture_and_check && snapshot index >"$SNAPSHOT_WORK"/expect.index &&
	git update-index --index-version 2 && snapshot index >"$SNAPSHOT_WORK"/actual.index &&
	test_cmp "$SNAPSHOT_WORK"/expect.index "$SNAPSHOT_WORK"/actual.index &&
	git update-index --split-index && echo x >x && git add x && capture_and_check &&
	git cat-file blob "$commit_^4:index" >"$SNAPSHOT_WORK"/raw &&
	test "$(GIT_INDEX_FILE="$SNAPSHOT_WORK"/raw git ls-files -s -v)" = "$(git ls-files -s -v)"
'

test_expect_success 'submodules and repositories inside' '
	git config --global protocol.file.allow always &&
	repository library && repository modules &&
	git submodule -q add ../library sub && git submodule -q add ../library dirty && git submodule -q add ../library gone &&
	git commit -qm modules && capture_and_check &&
	test "$(manifest .submodules)" = null &&
	( cd sub && test_commit inside ) && echo x >>dirty/one && rm -rf gone &&
	git init -q nested && ( cd nested && test_commit inner ) && git init -q a/hollow && echo f >a/hollow/f &&
	mkdir -p nested/empty real/empty &&
	capture_and_check &&
	test "$(manifest .nested)" = "[\"a/hollow/\",\"nested/\"]" &&
	test "$(manifest .empty_folders)" = "[\"real/empty\"]" &&
	test "$(manifest ".submodules|map([.path,.dirty])")" = "[[\"dirty\",true],[\"sub\",false]]" &&
	test "$(manifest ".submodules[1].commit")" = "\"$(git -C sub rev-parse HEAD)\""
'

test_expect_success 'a SHA-256 repository' '
	repository sha256 --object-format=sha256 && echo 1 >>one && echo x >x && git add x && echo y >y && capture_and_check
'

test_expect_success 'GIT_DIR and GIT_WORK_TREE, a subdirectory' '
	repository env && echo 1 >>one && echo x >a/x && capture_and_check && cp "$captured_" expect.all && rm expect.all &&
	cp "$captured_" "$SNAPSHOT_WORK"/expect.all &&
	( cd a/b && snapshot capture ) >"$SNAPSHOT_WORK"/actual && test_cmp "$SNAPSHOT_WORK"/expect.all "$SNAPSHOT_WORK"/actual &&
	mv .git ../moved.git &&
	( cd .. && GIT_DIR=moved.git GIT_WORK_TREE=env snapshot capture ) >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect.all "$SNAPSHOT_WORK"/actual
'
test_done
