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
		test ! -e "$name/${name#./}" || { echo changed >"$name/${name#./}" &&
		echo new >"$name/new ${name#./}"; } || return 1
	done &&
	mkdir "$(printf "empty \"\377\nx")" &&
	capture_and_check &&
	cat >"$SNAPSHOT_WORK"/expect <<-\EOF &&
	["\"empty \\\"\\377\\nx\""]
	EOF
	manifest .empty_folders >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	git status --short -uall >"$SNAPSHOT_WORK"/expect &&
	git cat-file blob "$commit_^4:status" >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual
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
	git worktree add -q ../linked && cd ../linked && echo y >>one && echo z >z &&
	capture_and_check &&
	test "$(manifest .worktree)" = "\"linked\""
'

test_expect_success 'intent to add' '
	repository intent && echo new >new && echo gone >gone && git add -N new gone && rm gone &&
	git rm -q --cached one a/two && git add -N one a/two && rm a/two &&
	capture_and_check &&
	test "$(manifest .index.file)" = true &&
	git cat-file blob "$commit_^4:index" >"$SNAPSHOT_WORK"/raw &&
	cmp .git/index "$SNAPSHOT_WORK"/raw
'

test_expect_success 'an unmerged index, a merge in progress' '
	repository unmerged &&
	git checkout -q -b side && echo side >one && git rm -q a/two && echo s >added &&
	git add . && git commit -qm side &&
	git checkout -q main && echo main >one && echo main >a/two && echo m >added &&
	git add . && git commit -qm main &&
	test_must_fail git merge side && rm added && capture_and_check &&
	test "$(manifest .in_progress)" = "[\"merge\"]" &&
	git ls-files -u | sed "s/^\([0-9]*\) \([0-9a-f]*\) \(.\)${TEST_TAB}/\1 blob \2${TEST_TAB}stages\/\3\//" | sort -k4 >"$SNAPSHOT_WORK"/expect &&
	git ls-tree -r "$commit_^4" stages/ | sort -k4 >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	git cat-file blob "$commit_^4:state/MERGE_HEAD" >"$SNAPSHOT_WORK"/actual &&
	cmp .git/MERGE_HEAD "$SNAPSHOT_WORK"/actual &&
	git status --short -uall >"$SNAPSHOT_WORK"/expect &&
	git cat-file blob "$commit_^4:status" >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual
'

test_expect_success 'what is in progress' '
	repository progress && git checkout -q -b side && echo side >one && git commit -qam side &&
	echo more >>one && git commit -qam more && git checkout -q main && echo main >one &&
	git commit -qam main && git format-patch -q --stdout main..side >../patches &&
	test_must_fail git cherry-pick main..side && capture_and_check &&
	test "$(manifest .in_progress)" = "[\"cherry-pick\"]" &&
	git checkout -q --ours one && git add one && git commit -q --allow-empty -m done &&
	capture_and_check && test "$(manifest .in_progress)" = "[\"cherry-pick\"]" &&
	git cherry-pick --quit && git reset -q --hard main &&
	test_must_fail git rebase -q side && capture_and_check &&
	test "$(manifest .in_progress)" = "[\"rebase\"]" && test "$(manifest .head.branch)" = null &&
	git rebase --abort &&
	test_must_fail git revert --no-edit side && capture_and_check &&
	test "$(manifest .in_progress)" = "[\"revert\"]" && git revert --abort &&
	test_must_fail git am -q <../patches && capture_and_check &&
	test "$(manifest .in_progress)" = "[\"am\"]" && git am --abort &&
	git bisect start -q && capture_and_check && test "$(manifest .in_progress)" = "[\"bisect\"]"
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
	repository sparse && git sparse-checkout set --cone a/b && echo 1 >>a/b/three &&
	echo n >a/b/n &&
	mkdir c && echo outside >c/four && capture_and_check &&
	repository sparse-index && git sparse-checkout set --cone --sparse-index a/b &&
	echo 1 >>a/b/three &&
	git update-index --assume-unchanged one && echo 1 >>one && capture_and_check &&
	git cat-file blob "$commit_^4:index" >"$SNAPSHOT_WORK"/raw &&
	test_grep sdir .git/index && test_grep ! sdir "$SNAPSHOT_WORK"/raw &&
	test "$(GIT_INDEX_FILE="$SNAPSHOT_WORK"/raw git ls-files -s -v)" = "$(git ls-files -s -v)"
'

test_expect_success 'split index, index version 4, no checksum' '
	repository formats && echo 1 >>one && git update-index --index-version 4 && git add one &&
	git update-index --assume-unchanged a/two && echo 2 >>a/two && echo 3 >>a/b/three &&
	capture_and_check && snapshot index >"$SNAPSHOT_WORK"/expect.index &&
	git update-index --index-version 2 && snapshot index >"$SNAPSHOT_WORK"/actual.index &&
	test_cmp "$SNAPSHOT_WORK"/expect.index "$SNAPSHOT_WORK"/actual.index &&
	git update-index --split-index && echo x >x && git add x && capture_and_check &&
	test_grep link .git/index && test_path_is_missing .git/rollback/index* &&
	git cat-file blob "$commit_^4:index" >"$SNAPSHOT_WORK"/raw &&
	test "$(GIT_INDEX_FILE="$SNAPSHOT_WORK"/raw git ls-files -s -v)" = "$(git ls-files -s -v)"
'

test_expect_success 'submodules and repositories inside' '
	git config --global protocol.file.allow always &&
	repository library && repository modules &&
	git submodule -q add ../library sub && git submodule -q add ../library dirty &&
	git submodule -q add ../library gone &&
	git commit -qm modules && capture_and_check &&
	test "$(manifest .submodules)" = null &&
	( cd sub && test_commit inside ) && echo x >>dirty/one && rm -rf gone &&
	git init -q nested && ( cd nested && test_commit inner ) && git init -q a/hollow &&
	echo f >a/hollow/f &&
	mkdir -p nested/empty real/empty &&
	capture_and_check &&
	test "$(manifest .nested)" = "[\"a/hollow/\",\"nested/\"]" &&
	test "$(manifest .empty_folders)" = "[\"real/empty\"]" &&
	test "$(manifest ".submodules|map([.path,.dirty])")" = "[[\"dirty\",true],[\"sub\",false]]" &&
	test "$(manifest ".submodules[1].commit")" = "\"$(git -C sub rev-parse HEAD)\""
'

test_expect_success 'a SHA-256 repository' '
	repository sha256 --object-format=sha256 && echo 1 >>one && echo x >x && git add x &&
	echo y >y && capture_and_check
'

test_expect_success 'GIT_DIR and GIT_WORK_TREE, a subdirectory' '
	repository env && echo 1 >>one && echo x >a/x && capture_and_check &&
	cp "$captured_" "$SNAPSHOT_WORK"/expect.all &&
	( cd a/b && snapshot capture ) >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect.all "$SNAPSHOT_WORK"/actual &&
	mv .git/index .git/other && rm -f .git/index &&
	( cd a && GIT_INDEX_FILE=.git/other snapshot capture ) >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect.all "$SNAPSHOT_WORK"/actual && mv .git/other .git/index &&
	mv .git ../moved.git &&
	( cd .. &&
	GIT_DIR=moved.git GIT_WORK_TREE=env snapshot capture ) >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect.all "$SNAPSHOT_WORK"/actual
'

# ---- What git stores otherwise than it is on disk ----------------------------------------------

test_expect_success 'a clean filter, ident, line ends, an encoding' '
	repository attributes &&
	printf "%s\n" "*.up filter=upper" "*.id ident" "*.crlf text eol=crlf" "*.auto text=auto" \
		"*.bin -text" "*.u16 text working-tree-encoding=UTF-16" >.gitattributes &&
	git config filter.upper.clean "tr a-z A-Z" && git config filter.upper.smudge "tr A-Z a-z" &&
	for k in up id crlf auto bin u16; do echo "base" >f.$k || return 1; done &&
	printf "base\n" | iconv -t UTF-16 >f.u16 &&
	git add . && git commit -qm attributes &&
	echo more >>f.up && echo "\$Id: whatever \$" >f.id && printf "a\r\nb\n" >f.crlf &&
	printf "a\r\nb\r\n" >f.auto &&
	printf "a\r\nb\r\n" >f.bin && printf "text\n" | iconv -t UTF-16 >f.u16 &&
	ln -sf one link.up &&
	for k in up id crlf auto bin u16; do cp f.$k a/new.$k &&
	cp f.$k staged.$k || return 1; done &&
	git add staged.* && echo again >>staged.up && chmod +x staged.up &&
	capture_and_check && git cat-file blob "$commit_:f.up" >"$SNAPSHOT_WORK"/actual &&
	test_grep MORE "$SNAPSHOT_WORK"/actual &&
	git update-index --assume-unchanged f.up a/two && echo hidden >>f.up &&
	echo hidden >a/two && capture_and_check
'

test_expect_success 'attributes from everywhere else' '
	repository elsewhere && git config filter.upper.clean "tr a-z A-Z" && echo x >>one &&
	echo "* filter=upper" >.git/info/attributes && capture_and_check &&
	rm .git/info/attributes && echo "* filter=upper" >"$HOME"/attributes &&
	git config core.attributesFile "~/attributes" && capture_and_check &&
	git config --unset core.attributesFile && mkdir -p "$HOME"/.config/git &&
	cp "$HOME"/attributes "$HOME"/.config/git/attributes &&
	capture_and_check && rm -r "$HOME"/.config &&
	echo .gitattributes >>.gitignore && echo "* filter=upper" >a/.gitattributes &&
	echo y >>a/two && echo z >a/b/z && capture_and_check &&
	git add -f a/.gitattributes && git commit -qm tracked && rm a/.gitattributes &&
	capture_and_check
'

test_expect_success 'autocrlf: what the index has counts' '
	repository autocrlf && printf "a\r\nb\r\n" >dos && git add dos && git commit -qm dos &&
	git config core.autocrlf true && printf "a\r\nb\r\nc\r\n" >dos && printf "a\r\n" >one &&
	printf "a\r\n" >new &&
	capture_and_check && git config core.autocrlf input && git config core.safecrlf true &&
	printf "a\r\nb\n" >mixed && capture_and_check
'

test_expect_success 'a file that git refuses to convert is stored as it is on disk, and the others are converted' '
	repository required && printf "%s\n" "*.bad filter=bad" "*.up filter=upper" \
		"*.u16 working-tree-encoding=UTF-16" "*.odd working-tree-encoding=nonsense" >.gitattributes &&
	git config filter.upper.clean "tr a-z A-Z" && git config filter.upper.required true &&
	git config filter.bad.clean "tr a-z A-Z" && git config filter.bad.required true &&
	echo kept >kept.bad && git add . && git commit -qm attributes &&
	git config filter.bad.clean "grep -v refused" &&
	echo before >a/1.bad && echo refused >a/2.bad && echo refused >kept.bad && echo odd >a/x.odd &&
	printf "no mark" >no.u16 && printf "text" | iconv -t UTF-16 >yes.u16 &&
	echo up >a/x.up && echo up >zz.up && chmod +x a/2.bad &&
	whole_state >"$SNAPSHOT_WORK"/before &&
	snapshot capture refs/checkpoints/test >"$SNAPSHOT_WORK"/out &&
	commit_=$(git rev-parse refs/checkpoints/test) &&
	git update-ref -d refs/checkpoints/test && whole_state >"$SNAPSHOT_WORK"/after &&
	test_cmp "$SNAPSHOT_WORK"/before "$SNAPSHOT_WORK"/after &&
	for file in a/2.bad a/x.odd no.u16
	do
		git cat-file blob "$commit_^3:$file" >"$SNAPSHOT_WORK"/actual &&
		test_cmp "$file" "$SNAPSHOT_WORK"/actual || return 1
	done &&
	git cat-file blob "$commit_:kept.bad" >"$SNAPSHOT_WORK"/actual && test_cmp kept.bad "$SNAPSHOT_WORK"/actual &&
	test "$(git cat-file blob "$commit_^3:a/x.up")" = UP && test "$(git cat-file blob "$commit_^3:zz.up")" = UP &&
	test "$(git cat-file blob "$commit_^3:a/1.bad")" = before && test "$(git cat-file blob "$commit_^3:yes.u16")" = text &&
	git ls-tree -r "$commit_^3" >"$SNAPSHOT_WORK"/tree && test_grep "^100755.*a/2.bad" "$SNAPSHOT_WORK"/tree &&
	git cat-file blob "$commit_^4:manifest.json" >"$SNAPSHOT_WORK"/manifest &&
	manifest "[.unconverted[].path]" >"$SNAPSHOT_WORK"/actual &&
	echo "[\"a/2.bad\",\"a/x.odd\",\"kept.bad\",\"no.u16\"]" >"$SNAPSHOT_WORK"/expect &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	manifest "[.unconverted[].reason]" >"$SNAPSHOT_WORK"/actual &&
	test_grep "clean filter .bad. failed" "$SNAPSHOT_WORK"/actual &&
	test_grep "failed to encode .a/x.odd. from nonsense" "$SNAPSHOT_WORK"/actual &&
	test_path_is_missing .git/rollback/index*
'

test_expect_success 'a file of the same size that git status ends at, since its filter is required and fails' '
	repository ends && echo "*.bad filter=bad" >.gitattributes && echo one >x.bad && git add . &&
	git commit -qm attributes && git config filter.bad.clean false && git config filter.bad.required true &&
	echo two >x.bad && test_must_fail git status &&
	snapshot capture refs/checkpoints/test >"$SNAPSHOT_WORK"/out &&
	test "$(git cat-file blob refs/checkpoints/test:x.bad)" = two
'

# ---- Files and folders that are no ordinary ones -------------------------------------------------

test_expect_success 'empty folders' '
	repository folders && printf "%s\n" "/build/" "cache" "!keep/cache" >>.gitignore &&
	git commit -qam ignore &&
	mkdir -p leaf a/leaf a/b/deep/er build/x a/cache keep/cache mixed/empty mixed/full gone/x only.o/x ignored/sub &&
	echo x >mixed/full/x && echo x >ignored/x.o && rm c/four a/b/three &&
	ln -s a/leaf tolink && rm -r a/b/deep/er &&
	capture_and_check &&
	cat >"$SNAPSHOT_WORK"/expect <<-\EOF &&
	["a/b/deep","a/leaf","c","gone/x","ignored/sub","keep/cache","leaf","mixed/empty"]
	EOF
	manifest .empty_folders >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual
'

test_expect_success 'a FIFO and a socket: not stored, nor waited for' '
	repository devices && mkfifo fifo a/fifo && rm one a/two && mkfifo one &&
	perl -MIO::Socket::UNIX -e "IO::Socket::UNIX->new(Local => q(a/two), Listen => 1) or die" &&
	snapshot capture >"$SNAPSHOT_WORK"/captured && snapshot files >"$SNAPSHOT_WORK"/files &&
	test_must_be_empty "$SNAPSHOT_WORK"/files &&
	git ls-tree -r --name-only "$(sed -n "s/^worktree //p" "$SNAPSHOT_WORK"/captured)" >"$SNAPSHOT_WORK"/actual &&
	printf "%s\n" .gitignore a/b/three a/two c/four link one run >"$SNAPSHOT_WORK"/expect &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual
'

test_expect_success 'names that no tree may hold are left out, and named' '
	repository dotgit && mkdir .GIT a/git~1 && echo x >.GIT/config && echo x >a/git~1/y &&
	echo x >".git ..." && echo x >.gitx && echo x >.git:x &&
	snapshot capture refs/checkpoints/test && git fsck &&
	git cat-file blob refs/checkpoints/test^4:manifest.json >"$SNAPSHOT_WORK"/manifest &&
	git ls-tree -r --name-only refs/checkpoints/test^3 >"$SNAPSHOT_WORK"/actual &&
	echo .gitx >"$SNAPSHOT_WORK"/expect &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	cat >"$SNAPSHOT_WORK"/expect <<-\EOF &&
	[".GIT/config",".git ...",".git:x","a/git~1/y"]
	EOF
	manifest "[.left_out[].path]|sort" >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual
'

# Permissions do not bind root.
test_lazy_prereq OTHER_USER '
	test "$(id -u)" = 0 && setpriv --reuid=65534 --clear-groups true
'
as_other () {
	HOME=$SNAPSHOT_WORK/home setpriv --reuid=65534 --clear-groups "$@"
}

test_expect_success OTHER_USER 'what may not be read is an error that names it, or left out' '
	repository unreadable && mkdir -p secret/in dir "$SNAPSHOT_WORK"/home &&
	echo x >secret/in/x && echo x >new && echo x >one && echo y >a/two &&
	chown -R 65534 . && chmod 000 secret new one &&
	for file in new one
	do
		test_must_fail as_other "$BUILD"/t/unit/vcs-snapshot-tool capture 2>"$SNAPSHOT_WORK"/err || return 1
		test_grep "secret.: Permission denied" "$SNAPSHOT_WORK"/err || return 1
	done &&
	chmod 755 secret &&
	test_must_fail as_other "$BUILD"/t/unit/vcs-snapshot-tool capture 2>"$SNAPSHOT_WORK"/err &&
	test_grep "cannot read .new.: Permission denied" "$SNAPSHOT_WORK"/err && chmod 000 secret &&
	test "$(find .git/objects -name "tmp*")" = "" &&
	as_other "$BUILD"/t/unit/vcs-snapshot-tool capture --leave-out refs/checkpoints/test &&
	git config --global safe.directory "*" &&
	git cat-file blob refs/checkpoints/test^4:manifest.json >"$SNAPSHOT_WORK"/manifest &&
	test "$(manifest "[.left_out[].path]|sort")" = "[\"new\",\"one\",\"secret\"]" &&
	test "$(git rev-parse refs/checkpoints/test:one)" = "$(git rev-parse HEAD:one)" &&
	test "$(git rev-parse refs/checkpoints/test:a/two)" != "$(git rev-parse HEAD:a/two)"
'

test_expect_success 'file systems without modes and symlinks' '
	repository poor && git config core.fileMode false && git config core.symlinks false &&
	chmod +x one && chmod -x run && echo x >>run && rm link && printf other >link &&
	echo n >n && capture_and_check &&
	test "$(git ls-tree "$commit_" link run | cut -d" " -f1 | tr "\\n" " ")" = "120000 100755 "
'

test_expect_success OTHER_USER 'a worktree that may not be written to' '
	repository readonly && echo x >>one && echo n >n && mkdir empty &&
	mv .git ../readonly.git && chown -R 65534 ../readonly.git &&
	mkdir -p "$SNAPSHOT_WORK"/home &&
	GIT_DIR=../readonly.git GIT_WORK_TREE=. as_other "$BUILD"/t/unit/vcs-snapshot-tool capture refs/checkpoints/test &&
	test "$(git --git-dir=../readonly.git cat-file blob refs/checkpoints/test^3:n)" = n
'

# ---- Under other conditions ----------------------------------------------------------------------

test_expect_success 'settings, hooks and a held lock change nothing' '
	repository settings && echo 1 >>one && git mv a/two a/moved && mkdir u && echo x >u/x &&
	mkdir sub &&
	capture_and_check && cp "$captured_" "$SNAPSHOT_WORK"/expect.settings &&
	git config status.showUntrackedFiles no && git config status.renames copies &&
	git config status.relativePaths true &&
	git config status.branch false && git config status.short true &&
	git config core.quotePath false &&
	git config color.ui always && git config core.pager false &&
	git config diff.ignoreSubmodules all &&
	git config commit.gpgSign true && git config core.splitIndex true &&
	git config core.compression 0 &&
	git config fastimport.unpackLimit 1000 && git config core.fsync none &&
	git config core.untrackedCache true &&
	for hook in post-index-change reference-transaction pre-commit post-checkout
	do
		printf "%s\n" "#!/bin/sh" "echo $hook >>\"$SNAPSHOT_WORK/hooks\"" >.git/hooks/$hook &&
		chmod +x .git/hooks/$hook || return 1
	done &&
	: >.git/index.lock && echo x >.git/info/attributes &&
	( cd u && LC_ALL=de_DE.UTF-8 snapshot capture ) >"$SNAPSHOT_WORK"/actual &&
	rm .git/index.lock &&
	test_cmp "$SNAPSHOT_WORK"/expect.settings "$SNAPSHOT_WORK"/actual &&
	test_path_is_missing "$SNAPSHOT_WORK"/hooks
'

test_expect_success 'no name is configured' '
	repository nobody && echo 1 >>one &&
	( HOME=$SNAPSHOT_WORK &&
	unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL &&
	git config user.useConfigOnly true &&
		snapshot capture refs/checkpoints/test ) &&
	test "$(git log -1 --format="%an <%ae>" refs/checkpoints/test)" = "git checkpoint <git@checkpoint>"
'

test_expect_success 'the same state twice costs commits alone' '
	repository twice && echo 1 >>one && echo n >n &&
	snapshot capture --part=project/p=text refs/checkpoints/a &&
	git repack -adq && find .git/objects -name "*.idx" | sort >"$SNAPSHOT_WORK"/before &&
	snapshot capture --part=project/p=text --time=1767225601 refs/checkpoints/b &&
	find .git/objects -name "*.idx" | sort >"$SNAPSHOT_WORK"/after &&
	comm -13 "$SNAPSHOT_WORK"/before "$SNAPSHOT_WORK"/after >"$SNAPSHOT_WORK"/new &&
	test_line_count = 1 "$SNAPSHOT_WORK"/new &&
	git show-index <"$(cat "$SNAPSHOT_WORK"/new)" | cut -d" " -f2 | git cat-file --batch-check="%(objecttype)" >"$SNAPSHOT_WORK"/types &&
	sort "$SNAPSHOT_WORK"/types >"$SNAPSHOT_WORK"/actual &&
	printf "%s\n" blob commit commit commit commit tree >"$SNAPSHOT_WORK"/expect &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual
'

test_expect_success 'git stash can apply it' '
	repository stash && echo 1 >>one && echo s >a/two && git add a/two && echo 2 >>a/two &&
	echo n >n &&
	snapshot capture refs/checkpoints/test &&
	git status --porcelain=v2 >"$SNAPSHOT_WORK"/expect &&
	git diff >"$SNAPSHOT_WORK"/expect.diff && git reset -q --hard && rm n &&
	git stash apply -q --index refs/checkpoints/test &&
	git status --porcelain=v2 >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	git diff >"$SNAPSHOT_WORK"/actual.diff &&
	test_cmp "$SNAPSHOT_WORK"/expect.diff "$SNAPSHOT_WORK"/actual.diff
'

test_expect_success 'ignored files that are asked for, paths that a restore is about to make' '
	repository asked && mkdir u && echo x >u/x.o && echo y >y.o && echo z >z.o && echo n >n &&
	git rm -q --cached one && echo one >>.gitignore &&
	( cd u &&
	snapshot capture --ignored="*.o" --also=z.o --also=none --also=one --also=n refs/checkpoints/test ) &&
	git ls-tree -r --name-only refs/checkpoints/test^3 >"$SNAPSHOT_WORK"/actual &&
	printf "%s\n" n one u/x.o z.o >"$SNAPSHOT_WORK"/expect &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	git cat-file blob refs/checkpoints/test^4:manifest.json >"$SNAPSHOT_WORK"/manifest &&
	test "$(manifest .ignored)" = "[\"one\",\"u/x.o\",\"z.o\"]" &&
	test "$(manifest .absent)" = "[\"none\"]" &&
	test "$(git ls-tree refs/checkpoints/test one)" = "" &&
	snapshot capture --no-untracked refs/checkpoints/test &&
	test "$(git ls-tree -r refs/checkpoints/test^3)" = "" &&
	git cat-file blob refs/checkpoints/test^4:manifest.json >"$SNAPSHOT_WORK"/manifest &&
	test "$(manifest .untracked)" = false
'

test_expect_success 'in a quarantine nobody sees it before it is published' '
	repository quarantine && git config filter.upper.clean "tr a-z A-Z" &&
	echo "*.up filter=upper" >.gitattributes && echo n >n.up && echo 1 >>one &&
	find .git/objects | sort >"$SNAPSHOT_WORK"/before &&
	snapshot capture --quarantine="$PWD/.git/rollback/quarantine" >"$SNAPSHOT_WORK"/captured &&
	find .git/objects | sort >"$SNAPSHOT_WORK"/after &&
	test_cmp "$SNAPSHOT_WORK"/before "$SNAPSHOT_WORK"/after &&
	commit=$(sed -n "s/^commit //p" "$SNAPSHOT_WORK"/captured) &&
	test_must_fail git cat-file -e $commit &&
	snapshot capture --quarantine="$PWD/.git/rollback/quarantine" refs/checkpoints/test &&
	git fsck && git cat-file -e $commit &&
	test "$(git cat-file blob refs/checkpoints/test^3:n.up)" = N &&
	test_path_is_missing .git/rollback/quarantine
'

test_expect_success 'what is read back is what was written' '
	repository read && echo 1 >>one &&
	snapshot capture --part=project/plan.md=text refs/checkpoints/test >"$SNAPSHOT_WORK"/captured &&
	snapshot read refs/checkpoints/test >"$SNAPSHOT_WORK"/read &&
	test_grep "^worktree $(git rev-parse refs/checkpoints/test^{tree})$" "$SNAPSHOT_WORK"/read &&
	test "$(sed 1,6d "$SNAPSHOT_WORK"/read | jq -r ".parts[\"project/plan.md\"]")" = "$(printf text | sha256sum | cut -d" " -f1)" &&
	test_must_fail snapshot read HEAD 2>"$SNAPSHOT_WORK"/err &&
	test_grep "HEAD. is no snapshot" "$SNAPSHOT_WORK"/err &&
	tag=$(snapshot tag checkpoint/x $(git rev-parse HEAD)) &&
	git cat-file tag $tag >"$SNAPSHOT_WORK"/actual &&
	test_grep "^tag checkpoint/x$" "$SNAPSHOT_WORK"/actual && git fsck
'

test_expect_success 'a large file takes no memory' '
	repository large && truncate -s 300M big && echo "*.txt text=auto" >.gitattributes &&
	truncate -s 50M big.txt &&
	snapshot capture --peak refs/checkpoints/test >"$SNAPSHOT_WORK"/captured &&
	peak=$(sed -n "s/^peak //p" "$SNAPSHOT_WORK"/captured) && echo "$peak KiB" &&
	test "$peak" -lt 65536 &&
	test "$(git cat-file -s refs/checkpoints/test^3:big)" = 314572800
'

test_expect_success 'a file that changes while it is read' '
	repository changing && truncate -s 64M big &&
	{ perl -e "open F, q(+<), q(big) or die; while (-e q(big)) { seek F, 0, 0; syswrite F, rand }" & } &&
	pid=$! &&
	test_when_finished "kill $pid" &&
	test_must_fail snapshot capture 2>"$SNAPSHOT_WORK"/err &&
	test_grep "could not read .big.: it keeps changing" "$SNAPSHOT_WORK"/err &&
	snapshot capture --leave-out refs/checkpoints/test &&
	git cat-file blob refs/checkpoints/test^4:manifest.json >"$SNAPSHOT_WORK"/manifest &&
	test "$(manifest .left_out[0].path)" = "\"big\"" && git fsck
'

test_expect_success 'captures while others commit, add and collect garbage' '
	repository busy && {
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15
		do
			echo $i >../one && mv ../one one && git add one && git commit -qm $i &&
			echo $i >>a/two && git add a/two && git gc -q --auto || exit 1
		done &
	} && pid=$! && n=0 &&
	while kill -0 $pid 2>/dev/null
	do
		n=$((n + 1)) && snapshot capture refs/checkpoints/$n || return 1
		test "$(git show refs/checkpoints/$n:one)" -ge "$(git show refs/checkpoints/$n^1:one | sed s/one/0/)" || return 1
	done && wait $pid && git fsck && test $n -gt 1
'

test_expect_success 'a damaged index is an error, and nothing is left behind' '
	repository damaged && echo x >x && find .git | sort >"$SNAPSHOT_WORK"/before &&
	size=$(wc -c <.git/index) &&
	for cut in 1 40 $((size / 2)) $((size - 30))
	do
		cp .git/index ../whole && truncate -s $cut .git/index &&
		test_must_fail snapshot capture refs/checkpoints/test 2>"$SNAPSHOT_WORK"/err &&
		test_grep "cannot read.*index\|index file" "$SNAPSHOT_WORK"/err &&
		mv ../whole .git/index || return 1
	done &&
	find .git | sort >"$SNAPSHOT_WORK"/after &&
	test_cmp "$SNAPSHOT_WORK"/before "$SNAPSHOT_WORK"/after
'

# ---- At random -----------------------------------------------------------------------------------

: "${SNAPSHOT_ROUNDS:=25}" "${SNAPSHOT_SEED:=$(date +%s)}"
test_expect_success "$SNAPSHOT_ROUNDS random states" '
	repository random && seed=$SNAPSHOT_SEED &&
	while test $((seed - SNAPSHOT_SEED)) -lt "$SNAPSHOT_ROUNDS"
	do
		seed=$((seed + 1)) && perl "$TEST_DIRECTORY"/worktree-random.pl $seed 12 &&
		capture_and_check >"$SNAPSHOT_WORK"/log 2>&1 || {
			cat "$SNAPSHOT_WORK"/log &&
			echo "SNAPSHOT_SEED=$SNAPSHOT_SEED, at $seed" && return 1
		}
	done
'
test_done
