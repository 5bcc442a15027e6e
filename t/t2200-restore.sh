#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint restore: exactly, and only what it should

What stays alone, what is refused, and what each strategy does. Random states: t2220.'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-restore.sh

fresh () {
	cd "$TRASH_DIRECTORY" && rm -rf repo && mkdir repo && cd repo && make_project
}

# ---- Exactly -------------------------------------------------------------------------------------

test_expect_success 'HEAD, index and files are what they were; ignored files stay' '
	fresh && state >"$TEST_ROOT/expect" && git status --porcelain=v2 --branch >"$TEST_ROOT/status" &&
	git checkpoint create -q one &&
	change_project && state >"$TEST_ROOT/changed" &&
	git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_path_is_file y.log && rm y.log &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git status --porcelain=v2 --branch >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/status" "$TEST_ROOT/actual" &&
	git fsck --strict --no-dangling
'

test_expect_success 'the index is fresh: plumbing that does not look at contents sees no difference' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one &&
	echo 1 >>run && echo 2 >>new && git add new && git checkpoint restore -q --yes one &&
	git diff-files --quiet && git diff-index --quiet --cached HEAD &&
	echo staged >run && git add run && git checkpoint create -q two && git reset -q &&
	git checkpoint restore -q --yes two && git diff-files --quiet
'

test_expect_success 'where files alone change, the index gets their times without a look at them' '
	fresh && git add -A . && git commit -q -m all && find . -path ./.git -prune -o -exec touch -h -d "1 hour ago" {} + &&
	git update-index -q --refresh && git checkpoint create -q one &&
	echo 1 >>run && rm part && echo 3 >>new &&
	GIT_TRACE2="$TEST_ROOT/trace" git checkpoint restore -q --yes one &&
	test_must_fail grep "update-index --add" "$TEST_ROOT/trace" &&
	git diff-files --quiet && git fsck --strict --no-dangling &&
	git ls-files --stage --debug run >"$TEST_ROOT/actual" &&
	test_grep "mtime: $(stat -c %Y run):" "$TEST_ROOT/actual" && test_grep "size: $(stat -c %s run)" "$TEST_ROOT/actual" &&
	echo 2 >>run && git checkpoint undo -q --yes && test_must_fail git diff-files --quiet -- run && test ! -e part
'

test_expect_success 'an edit in the tick in which the index was written is not hidden by a younger index' '
	fresh && git config core.trustctime false && git add -A . && git commit -q -m all &&
	find . -path ./.git -prune -o -exec touch -h -d "2 hours ago" {} + &&
	touch -d "1 hour ago" run && git update-index -q --refresh &&
	time=$(stat -c %y run) && echo "ECHO RUN" >run && touch -d "$time" run .git/index &&
	test_must_fail git diff-files --quiet -- run && git checkpoint create -q one &&
	echo 1 >>new && git checkpoint restore -q --yes one &&
	test_must_fail git diff-files --quiet -- run && git diff-files --quiet -- new
'

test_expect_success 'a state that is as it was: there is nothing to do, and no operation' '
	fresh && git checkpoint create -q one &&
	git checkpoint restore one 2>"$TEST_ROOT/err" && test_grep "nothing to restore" "$TEST_ROOT/err" &&
	git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "nothing to restore" "$TEST_ROOT/err" &&
	git for-each-ref refs/rollback/op >"$TEST_ROOT/refs" && test_must_be_empty "$TEST_ROOT/refs"
'

test_expect_success 'the safety snapshot holds what was there, under the id of the operation' '
	fresh && git checkpoint create -q one && change_project && git rev-parse HEAD >"$TEST_ROOT/head" &&
	git checkpoint restore -q --yes one &&
	git rev-parse "refs/rollback/op/$(newest_operation)/safety^1" >actual &&
	test_cmp "$TEST_ROOT/head" actual &&
	git cat-file blob "refs/rollback/op/$(newest_operation)/safety^3:other" >actual &&
	echo other >expect && test_cmp expect actual &&
	git cat-file blob "refs/rollback/op/$(newest_operation)/safety^4:manifest.json" | jq -r .kind >actual &&
	echo safety >expect && test_cmp expect actual
'

test_expect_success 'an unborn branch comes back, and goes again' '
	cd "$TRASH_DIRECTORY" && rm -rf repo && git init -q -b main repo && cd repo &&
	echo a >a && git add a && echo b >b && git checkpoint create -q unborn &&
	git commit -q -m first && git checkpoint restore -q --yes unborn &&
	test_must_fail git rev-parse -q --verify HEAD && git status --short >"$TEST_ROOT/actual" &&
	printf "A  a\n?? b\n" >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && git log --format=%s >"$TEST_ROOT/actual" &&
	echo first >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'an unmerged index with its stages, and the merge that is in progress' '
	fresh && git add -A . && git commit -q -m all &&
	git switch -q -c side && echo side >run && git commit -q -a -m side &&
	git switch -q main && echo main >run && git commit -q -a -m main &&
	test_must_fail git merge side && state >"$TEST_ROOT/expect" && git checkpoint create -q conflict &&
	git checkout -q --theirs run && git add run && git commit -q -m merged &&
	git checkpoint restore -q --yes conflict &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git merge --abort && git log -1 --format=%s >"$TEST_ROOT/actual" &&
	echo main >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'an unmerged path that is a folder of HEAD at the same time' '
	fresh && git add -A . && git commit -q -m all && blob=$(git rev-parse HEAD:run) &&
	printf "100644 $blob %s\tsrc\n" 1 2 3 | git update-index --index-info && state >"$TEST_ROOT/expect" &&
	git checkpoint create -q both && git reset -q --hard && git checkpoint restore -q --yes both &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'from a merge in progress to a state without: it is gone' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q before &&
	git switch -q -c side && echo side >run && git commit -q -a -m side &&
	git switch -q main && echo main >run && git commit -q -a -m main &&
	test_must_fail git merge side && state >"$TEST_ROOT/merging" &&
	git checkpoint restore -q --yes before && test_path_is_missing .git/MERGE_HEAD &&
	git diff --quiet HEAD && git checkpoint undo -q --yes &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/merging" "$TEST_ROOT/actual"
'

test_expect_success 'flags of the index: assume-unchanged and skip-worktree' '
	fresh && git update-index --assume-unchanged run && echo hidden >>run &&
	state >"$TEST_ROOT/expect" && git checkpoint create -q flags &&
	git update-index --no-assume-unchanged run && git checkout -q run && git reset -q --hard &&
	git checkpoint restore -q --yes flags &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'a sparse checkout: what is outside of it stays outside' '
	fresh && git add -A . && git commit -q -m all &&
	git sparse-checkout set --cone doc && state >"$TEST_ROOT/expect" && git checkpoint create -q sparse &&
	echo edit >run && git sparse-checkout add src && test_path_is_file src/main.c &&
	git checkpoint restore -q --yes sparse &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && test_path_is_file src/main.c && test_grep edit run
'

for how in --cone --no-cone
do
	test_expect_success "the patterns of a sparse checkout come back, go, and come back again ($how)" '
		fresh && git add -A . && git commit -q -m all && state >"$TEST_ROOT/whole" && git checkpoint create -q whole &&
		git sparse-checkout set $how doc && state >"$TEST_ROOT/sparse" && git checkpoint create -q sparse &&
		git checkpoint verify sparse && git sparse-checkout add src && state >"$TEST_ROOT/more" &&
		git checkpoint restore -q --yes sparse && state >"$TEST_ROOT/actual" &&
		test_cmp "$TEST_ROOT/sparse" "$TEST_ROOT/actual" &&
		git sparse-checkout reapply && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/sparse" "$TEST_ROOT/actual" &&
		git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/more" "$TEST_ROOT/actual" &&
		git checkpoint restore -q --yes whole && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/whole" "$TEST_ROOT/actual" &&
		git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/more" "$TEST_ROOT/actual" &&
		git status --short >"$TEST_ROOT/actual" && test_must_be_empty "$TEST_ROOT/actual"
	'
done

# As if it was made before patterns were kept.
strip_patterns () {
	blob=$(git cat-file blob "refs/checkpoints/$1^4:manifest.json" |
		jq "del(.parts[\"state/info/sparse-checkout\"])" | git hash-object -w --stdin) &&
	tree=$({ git ls-tree "refs/checkpoints/$1^4" | sed "/	state$/d; /	manifest.json$/d" &&
		printf "100644 blob %s\tmanifest.json\n" "$blob"; } | git mktree) &&
	payload=$(git commit-tree -m payload "$tree") &&
	commit=$(git commit-tree -m "$1" -p "refs/checkpoints/$1^1" -p "refs/checkpoints/$1^2" \
		-p "refs/checkpoints/$1^3" -p "$payload" "refs/checkpoints/$1^{tree}") &&
	git update-ref "refs/checkpoints/$1" "$commit"
}

test_expect_success 'a sparse checkout that was kept without its patterns leaves those of now alone' '
	fresh && git add -A . && git commit -q -m all && git sparse-checkout set --cone doc &&
	git checkpoint create -q sparse && strip_patterns sparse && git sparse-checkout add src &&
	cp .git/info/sparse-checkout "$TEST_ROOT/patterns" && git checkpoint restore -q --yes sparse &&
	test_cmp "$TEST_ROOT/patterns" .git/info/sparse-checkout && test_path_is_missing src/main.c
'

test_expect_success 'a linked worktree has patterns of its own' '
	fresh && git add -A . && git commit -q -m all && git worktree add -q ../linked -b linked &&
	test_when_finished "rm -rf linked" && (
		cd ../linked && git sparse-checkout set --cone doc && state >"$TEST_ROOT/expect" && git checkpoint create -q linked &&
		git sparse-checkout add src && rm -r "$(git rev-parse --git-path info)" &&
		git checkpoint restore -q --yes linked && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
	) && test_path_is_missing .git/info/sparse-checkout
'

test_expect_success 'SHA-256' '
	cd "$TRASH_DIRECTORY" && rm -rf repo && git init -q --object-format=sha256 -b main repo && cd repo &&
	make_project && state >"$TEST_ROOT/expect" && git checkpoint create -q one &&
	change_project && git checkpoint restore -q --yes one && rm y.log &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'a linked worktree has a state of its own' '
	fresh && git add -A . && git commit -q -m all && git worktree add -q ../linked -b linked &&
	test_when_finished "rm -rf linked" && state >"$TEST_ROOT/main" &&
	(
		cd ../linked && echo edit >>run && echo un >un && find . -type f ! -name .git | sort >"$TEST_ROOT/expect" &&
		git checkpoint create -q here && git commit -q -a -m more && rm un &&
		git checkpoint restore -q --yes here &&
		find . -type f ! -name .git | sort >"$TEST_ROOT/actual" &&
		test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" && test_grep edit run &&
		git symbolic-ref HEAD >"$TEST_ROOT/actual" && echo refs/heads/linked >"$TEST_ROOT/expect" &&
		test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
	) &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/main" "$TEST_ROOT/actual" &&
	test_expect_code 2 git checkpoint restore --yes here 2>"$TEST_ROOT/err" &&
	test_grep "HEAD is .refs/heads/main., and the checkpoint is of .refs/heads/linked." "$TEST_ROOT/err"
'

test_expect_success 'filters and line ends: git writes the files' '
	fresh && git add -A . && git commit -q -m all &&
	git config filter.rot.clean "tr a-m n-z" && git config filter.rot.smudge "tr n-z a-m" &&
	printf "%s\n" "*.rot filter=rot" "*.dos text eol=crlf" >.gitattributes &&
	echo abc >a.rot && printf "one\r\ntwo\r\n" >b.dos && echo abc >c.rot && git add .gitattributes a.rot b.dos &&
	git cat-file blob :a.rot >"$TEST_ROOT/actual" && echo nop >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	state >"$TEST_ROOT/expect" && git checkpoint create -q filtered &&
	echo def >a.rot && printf "three\r\n" >b.dos && rm c.rot && git commit -q -a -m more &&
	git checkpoint restore -q --yes filtered &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'files whose content stays get the line ends that they had' '
	fresh && git add -A . && git commit -q -m all && echo "*.txt text eol=crlf" >.gitattributes && mkdir sub &&
	printf "one\r\ntwo\r\n" >sub/a.txt && echo bin >sub/b.bin && git add . && git commit -q -m crlf &&
	state >"$TEST_ROOT/expect" && git checkpoint create -q crlf && echo "*.txt text eol=lf" >.gitattributes &&
	rm sub/a.txt && git checkout -q sub/a.txt && printf "one\ntwo\n" >"$TEST_ROOT/lf" && test_cmp "$TEST_ROOT/lf" sub/a.txt &&
	state >"$TEST_ROOT/before" && git checkpoint restore -n --json crlf >"$TEST_ROOT/plan" &&
	jq -e ".rewritten == [\"sub/a.txt\"]" "$TEST_ROOT/plan" && git checkpoint restore -q --yes crlf &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" && git diff-files --quiet &&
	git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" &&
	printf "#!/bin/sh\necho three >>sub/a.txt\n" >.git/hooks/pre-rollback && chmod +x .git/hooks/pre-rollback &&
	test_expect_code 2 git checkpoint restore --yes crlf 2>"$TEST_ROOT/err" && test_grep "changed meanwhile" "$TEST_ROOT/err" &&
	test_grep three sub/a.txt
'

# ---- What stays alone ----------------------------------------------------------------------------

test_expect_success 'files with the same content in git, and other bytes, get the bytes that they had' '
	fresh && echo "*.txt text eol=crlf" >.gitattributes && printf "a\r\nb\r\n" >crlf.txt && printf "a\r\nb\r\n" >other.txt &&
	git add -A . && git commit -q -m all && printf "a\nb\r\n" >new.txt && printf "c\nd\r\n" >crlf.txt && printf "c\nd\n" >other.txt &&
	git checkpoint create -q mixed && git ls-files --stage >"$TEST_ROOT/index" && sha256sum *.txt >"$TEST_ROOT/then" &&
	printf "a\nb\n" >new.txt && printf "c\r\nd\r\n" >crlf.txt && printf "c\r\nd\n" >other.txt && sha256sum *.txt >"$TEST_ROOT/now" &&
	git checkpoint restore -n --json mixed | jq -r ".rewritten[]" >"$TEST_ROOT/actual" &&
	printf "crlf.txt\nnew.txt\nother.txt\n" >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint restore -q --yes mixed &&
	sha256sum *.txt >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/then" "$TEST_ROOT/actual" &&
	git ls-files --stage >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/index" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && sha256sum *.txt >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/now" "$TEST_ROOT/actual" &&
	git checkpoint restore -q --yes mixed -- new.txt && git checkpoint restore -q --yes --strategy=files mixed -- crlf.txt &&
	sed /other.txt/d "$TEST_ROOT/then" >"$TEST_ROOT/expect" && sha256sum crlf.txt new.txt >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" && grep other.txt "$TEST_ROOT/now" | sha256sum -c &&
	git ls-files --stage >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/index" "$TEST_ROOT/actual"
'

test_expect_success 'an untracked file that the rules of then would ignore stays' '
	fresh && git checkpoint create -q one && : >.gitignore && mkdir cache && echo precious >cache/data.log &&
	git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "cache/data.log" "$TEST_ROOT/err" &&
	test_grep precious cache/data.log && test_grep log x.log
'

test_expect_success 'an ignored file stays though it then shows as untracked, and the plan says so' '
	fresh && git checkpoint create -q one && echo "*.secret" >>.gitignore && mkdir keys && echo key >keys/my.secret &&
	echo key >other.secret && echo "/vendor/" >>.gitignore && mkdir vendor && echo lib >vendor/lib &&
	git checkpoint restore -n one >"$TEST_ROOT/out" &&
	sed -n "/will show as untracked/,\$p" "$TEST_ROOT/out" | sed 1d >"$TEST_ROOT/actual" &&
	printf "  %s\n" keys/ other.secret vendor/ | sort >"$TEST_ROOT/expect" &&
	sed "s,keys/my.secret,keys/," "$TEST_ROOT/actual" | sort >"$TEST_ROOT/sorted" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/sorted" &&
	git checkpoint restore -q --yes one &&
	test_grep key keys/my.secret && test_grep key other.secret && test_grep lib vendor/lib
'

test_expect_success 'an ignored file is replaced only by a version that the checkpoint has, and comes back' '
	fresh && git add -f x.log && git checkpoint create -q one &&
	git rm -q --cached x.log && echo precious >x.log && echo other >y.log && state >"$TEST_ROOT/before" &&
	git checkpoint restore -n one >"$TEST_ROOT/out" && test_grep "M x.log (ignored)" "$TEST_ROOT/out" &&
	git checkpoint restore -q --yes one && echo log >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" x.log && test_grep other y.log &&
	git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual"
'

test_expect_success 'what ignored files and folders take up is needed: they are kept, and come back' '
	fresh && mkdir out && echo file >out/file && echo plain >plain && git checkpoint create -q one &&
	rm -r out plain && printf "%s\n" /out /plain >>.gitignore && echo artefact >out &&
	mkdir -p plain/deep && echo artefact >plain/deep/file && ln -s nowhere plain/link &&
	state >"$TEST_ROOT/before" && git checkpoint restore -n one >"$TEST_ROOT/out" &&
	test_grep "D out (ignored)" "$TEST_ROOT/out" && test_grep "D plain/deep/file (ignored)" "$TEST_ROOT/out" &&
	git checkpoint restore -q --yes one && test_grep file out/file && test_grep plain plain &&
	git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual"
'

test_expect_success '--keep-untracked' '
	fresh && git checkpoint create -q one && echo keep >keep && echo "mine now" >untracked && mkdir hollow &&
	git checkpoint restore -q --yes --keep-untracked one &&
	test_grep keep keep && test_path_is_dir hollow && echo untracked >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" untracked
'

test_expect_success 'a checkpoint without untracked files removes none' '
	fresh && git checkpoint create -q --no-untracked one && echo keep >keep && echo edit >>run &&
	git checkpoint restore -q --yes one && test_grep keep keep && test_grep untracked untracked &&
	test_grep ! edit run
'

test_expect_success 'a repository inside is left alone, and refused where it is in the way' '
	fresh && git checkpoint create -q one && git init -q inner && echo inside >inner/file &&
	git checkpoint restore -q --yes one 2>"$TEST_ROOT/err" && test_grep inside inner/file &&
	fresh && mkdir inner && echo outside >inner/file && git checkpoint create -q two && rm -r inner &&
	git init -q inner && state >"$TEST_ROOT/before" &&
	test_expect_code 2 git checkpoint restore --yes two 2>"$TEST_ROOT/err" &&
	test_grep "inner. is a repository of its own" "$TEST_ROOT/err" &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual"
'

test_expect_success 'a submodule: the index says which commit, and its files stay' '
	fresh && git add -A . && git commit -q -m all && git init -q ../lib && test_commit -C ../lib one &&
	test_when_finished "rm -rf lib" &&
	git -c protocol.file.allow=always submodule --quiet add "$TRASH_DIRECTORY/lib" lib && git commit -q -m lib &&
	git checkpoint create -q one && git ls-files --stage lib >"$TEST_ROOT/expect" &&
	test_commit -C lib two && echo dirt >lib/dirt && git add lib && git commit -q -m more && echo edit >>run &&
	git checkpoint restore -q --yes one 2>"$TEST_ROOT/err" && git ls-files --stage lib >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" && test_grep dirt lib/dirt && test_grep ! edit run &&
	git -C lib log -1 --format=%s >"$TEST_ROOT/actual" && echo two >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'a FIFO in the way is refused' '
	fresh && git checkpoint create -q one && rm untracked && mkfifo untracked &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "untracked. is in the way" "$TEST_ROOT/err" &&
	test -p untracked
'

# ---- The branch ----------------------------------------------------------------------------------

test_expect_success 'commits that would leave the branch and are on a remote: refused, with its name' '
	fresh && git add -A . && git commit -q -m all && git init -q --bare ../bare.git &&
	test_when_finished "rm -rf bare.git" &&
	git checkpoint create -q one && git commit -q --allow-empty -m pushed &&
	git remote add origin ../bare.git && git push -q origin main && git commit -q --allow-empty -m local &&
	state >"$TEST_ROOT/before" && test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "is on .origin/main." "$TEST_ROOT/err" && test_grep "strategy=revert" "$TEST_ROOT/err" &&
	test_expect_code 2 git checkpoint restore --yes --strategy=reset one 2>"$TEST_ROOT/err" &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" &&
	git checkpoint restore --json -n one >"$TEST_ROOT/plan" &&
	jq -e ".verdict == \"refused\" and (.commits | length) == 2" "$TEST_ROOT/plan"
'

test_expect_success '--strategy=revert adds a commit with the tree of then' '
	fresh && git add -A . && git commit -q -m all && echo un >un && echo edit >>run &&
	git checkpoint create -q one && git ls-files --stage >"$TEST_ROOT/index" &&
	git add -A . && git commit -q -m more && git rev-parse HEAD >"$TEST_ROOT/parent" &&
	git checkpoint restore -q --yes --strategy=revert one &&
	git rev-parse HEAD^ >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/parent" "$TEST_ROOT/actual" &&
	git diff --quiet HEAD^^ HEAD && git ls-files --stage >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/index" "$TEST_ROOT/actual" && test_grep un un && test_grep edit run &&
	git checkpoint undo -q --yes && git rev-parse HEAD >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/parent" "$TEST_ROOT/actual"
'

test_expect_success '--strategy=files changes files and nothing else' '
	fresh && git checkpoint create -q one && change_project && git ls-files --stage -v >"$TEST_ROOT/index" &&
	git rev-parse HEAD >>"$TEST_ROOT/index" && git checkpoint restore -q --yes --strategy=files one &&
	{ git ls-files --stage -v && git rev-parse HEAD; } >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/index" "$TEST_ROOT/actual" && test_grep unstaged src/main.c && test -h link &&
	test_path_is_missing other && test_path_is_dir empty/deep
'

test_expect_success 'on another branch: refused without --branch or --detach' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one && git switch -q -c other &&
	echo edit >>run && git commit -q -a -m other &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "other.*main" "$TEST_ROOT/err" &&
	git checkpoint restore -q --yes --detach one && test_must_fail git symbolic-ref -q HEAD &&
	git rev-parse HEAD >"$TEST_ROOT/actual" && git rev-parse main >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" && git diff --quiet HEAD &&
	git checkpoint undo -q --yes && git symbolic-ref HEAD >"$TEST_ROOT/actual" &&
	echo refs/heads/other >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint restore -q --yes --branch=main one && git symbolic-ref HEAD >"$TEST_ROOT/actual" &&
	echo refs/heads/main >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && git checkpoint restore -q --yes --branch=third one &&
	git symbolic-ref HEAD >"$TEST_ROOT/actual" && echo refs/heads/third >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && test_must_fail git rev-parse -q --verify third
'

test_expect_success 'a branch that is checked out elsewhere is refused' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one &&
	git worktree add -q ../linked -b linked && test_when_finished "rm -rf linked" &&
	test_expect_code 2 git checkpoint restore --yes --branch=linked one 2>"$TEST_ROOT/err" &&
	test_grep "is checked out in" "$TEST_ROOT/err"
'

test_expect_success 'what git does not take for a branch is none' '
	fresh && git checkpoint create -q one && git switch -q -c other && git switch -q main &&
	for name in a..b HEAD -x @{-1} "a b" a.lock refs//x ""
	do
		test_expect_code 129 git checkpoint restore --yes --branch="$name" one 2>"$TEST_ROOT/err" &&
		test_grep "cannot be the name of a branch" "$TEST_ROOT/err" || return
	done
'

test_expect_success 'options that do not go together are misuse' '
	fresh && git checkpoint create -q one &&
	for options in "--detach --strategy=files" "--branch=x --strategy=revert" "--detach --branch=x"
	do
		test_expect_code 129 git checkpoint restore --yes $options one 2>"$TEST_ROOT/err" || return
	done &&
	test_expect_code 129 git checkpoint restore --yes --strategy=reset one -- run 2>"$TEST_ROOT/err" &&
	test_grep "^usage: git checkpoint restore" "$TEST_ROOT/err" &&
	(cd / && test_expect_code 129 git checkpoint restore --branch=x one -- run) 2>"$TEST_ROOT/err" &&
	test_grep "a pathspec moves no branch" "$TEST_ROOT/err" &&
	test_expect_code 2 git checkpoint restore --yes --with-db one 2>"$TEST_ROOT/err" && test_grep "not there yet" "$TEST_ROOT/err"
'

# ---- Paths ---------------------------------------------------------------------------------------

test_expect_success 'a pathspec restores those paths alone, in files and index' '
	fresh && git checkpoint create -q one && git diff --cached src >"$TEST_ROOT/staged" &&
	git diff src >"$TEST_ROOT/unstaged" && git add -A . && git commit -q -m more && echo later >src/later &&
	git rev-parse HEAD >"$TEST_ROOT/head" && cp run "$TEST_ROOT/run" &&
	git checkpoint restore -q --yes one -- src && git rev-parse HEAD >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/head" "$TEST_ROOT/actual" && test_path_is_missing src/later &&
	test_cmp "$TEST_ROOT/run" run && git show refs/checkpoints/one^2:src/main.c >"$TEST_ROOT/expect" &&
	git cat-file blob :src/main.c >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	test_grep unstaged src/main.c && git ls-files --error-unmatch new
'

test_expect_success 'without a path behind --, nothing is restored' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	test_expect_code 129 git checkpoint restore --yes one -- 2>"$TEST_ROOT/err" &&
	test_grep "no path behind --" "$TEST_ROOT/err" && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual"
'

test_expect_success 'a pathspec is read from where we are' '
	fresh && git checkpoint create -q one && echo edit >>src/main.c && echo edit >>run &&
	(cd src && git checkpoint restore -q --yes one -- .) && test_grep ! edit src/main.c && test_grep edit run &&
	(cd src && git checkpoint restore -q --yes one -- ":(top)run") && test_grep ! edit run
'

# A merge that has ended in a conflict, and a file that is only announced.
conflict () {
	fresh && git add -A . && git commit -q -m base && git switch -q -c side && echo theirs >run &&
	git commit -q -a -m theirs && git switch -q main && echo ours >run && git commit -q -a -m ours &&
	test_must_fail git merge -q side && echo announced >announced && git add -N announced &&
	git update-index --assume-unchanged part && git checkpoint create -q one 2>"$TEST_ROOT/err"
}

test_expect_success 'a pathspec brings back the sides of a conflict, and what is only announced' '
	conflict && git ls-files --stage -v >"$TEST_ROOT/expect" && git status --porcelain=v2 >"$TEST_ROOT/status" &&
	echo resolved >run && git update-index --no-assume-unchanged part && git add -A . &&
	git commit -q -m merged && git checkpoint create -q merged && cp run "$TEST_ROOT/run" && echo other >src/other && git add src/other &&
	git checkpoint restore -q --yes one -- run && git ls-files -u >"$TEST_ROOT/actual" &&
	test_line_count = 3 "$TEST_ROOT/actual" && test_grep "<<<<" run && git ls-files --error-unmatch src/other &&
	git diff --cached --quiet -- announced && git checkpoint restore -q --yes one -- announced part &&
	git ls-files --stage -v >"$TEST_ROOT/actual" && git rm -q --cached src/other &&
	git ls-files --stage -v >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint restore -q --yes merged -- run announced part && git ls-files -u >"$TEST_ROOT/actual" &&
	test_must_be_empty "$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/run" run && git diff --quiet HEAD &&
	(cd src && git checkpoint restore -q --yes one -- ../run) && git ls-files -u >"$TEST_ROOT/actual" &&
	test_line_count = 3 "$TEST_ROOT/actual" && git checkpoint undo -q --yes && git diff --quiet HEAD
'

test_expect_success 'a pathspec that matches nothing is a no' '
	fresh && git checkpoint create -q one && test_expect_code 1 git checkpoint restore --yes one -- nosuch 2>"$TEST_ROOT/err" &&
	test_grep "pathspec .nosuch. did not match any file" "$TEST_ROOT/err" && echo edit >run &&
	test_expect_code 1 git checkpoint restore --yes one -- run nosuch 2>"$TEST_ROOT/err" && test_grep edit run &&
	(cd src && test_expect_code 1 git checkpoint restore --yes one -- run 2>"$TEST_ROOT/err") && test_grep edit run &&
	git checkpoint restore -q --yes one -- run ":!src" && test_grep ! edit run &&
	git checkpoint restore -q --yes one -- doc/doc.txt untracked src
'

test_expect_success 'a pathspec restores amid a rebase, as no branch moves' '
	fresh && git add -A . && git commit -q -m base && git checkpoint create -q one && git commit -q --allow-empty -m more &&
	GIT_SEQUENCE_EDITOR="sed -i s/pick/edit/" git rebase -q -i --keep-empty HEAD^ 2>"$TEST_ROOT/err" && echo edit >run &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "a rebase" "$TEST_ROOT/err" &&
	git checkpoint restore -q --yes one -- run && test_grep ! edit run && git rebase --abort
'

test_expect_success 'how a person wants pathspecs read does not matter where there are none' '
	for variable in LITERAL GLOB NOGLOB ICASE
	do
		fresh && git checkpoint create -q one && change_project && echo "untracked" >>.gitignore && mkdir -p more/empty &&
		state >"$TEST_ROOT/before" &&
		env "GIT_${variable}_PATHSPECS=1" git checkpoint restore -q --yes one &&
		env "GIT_${variable}_PATHSPECS=1" git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" &&
		test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" &&
		env "GIT_${variable}_PATHSPECS=1" git checkpoint -q --commit all || return
	done
'

test_expect_success 'the encoding of the log is none of ours' '
	fresh && git add -A . && git commit -q -m base && git checkpoint create -q one &&
	git commit -q --allow-empty -m "caf\303\251" && git config i18n.logOutputEncoding UTF-16 &&
	git checkpoint restore -q --yes one && git log --encoding=UTF-8 -1 --format=%s >"$TEST_ROOT/actual" && test_grep base "$TEST_ROOT/actual"
'

# ---- Plan ----------------------------------------------------------------------------------------

test_expect_success '-n shows all of it and touches nothing' '
	fresh && git checkpoint create -q one && change_project && state >"$TEST_ROOT/before" &&
	find .git -type f ! -path ".git/rollback/*" -printf "%p %s %T@\n" | sort >"$TEST_ROOT/git-before" &&
	git checkpoint restore -n one >"$TEST_ROOT/out" && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" &&
	find .git -type f ! -path ".git/rollback/*" -printf "%p %s %T@\n" | sort >"$TEST_ROOT/git-after" &&
	test_cmp "$TEST_ROOT/git-before" "$TEST_ROOT/git-after" && ls .git/rollback/work >"$TEST_ROOT/work" &&
	test_must_be_empty "$TEST_ROOT/work" &&
	for line in "1 commit leaves its branch:" " second$" "M src/main.c" "D other (untracked)" \
		"A untracked (untracked)" "  empty/deep" "  hollow" "refs/heads/main: "
	do
		test_grep "$line" "$TEST_ROOT/out" || return
	done
'

test_expect_success 'the plan as JSON, and the report' '
	fresh && git checkpoint create -q one && change_project &&
	git checkpoint restore -n --json one >"$TEST_ROOT/plan" &&
	jq -e ".format == 1 and .command == \"restore\" and .verdict == \"clean\" and .dry_run
		and .refs[0].name == \"refs/heads/main\" and (.commits | length) == 1
		and ([.files[] | select(.change == \"goes\") | .path] | index(\"other\"))" "$TEST_ROOT/plan" &&
	git checkpoint restore --yes --json one >"$TEST_ROOT/report" 2>"$TEST_ROOT/err" &&
	jq -e ".outcome == \"done\" and .safety == \"refs/rollback/op/\" + .operation + \"/safety\"" "$TEST_ROOT/report" &&
	jq -S "del(.operation, .safety, .outcome, .dry_run)" "$TEST_ROOT/report" >"$TEST_ROOT/actual" &&
	jq -S "del(.dry_run)" "$TEST_ROOT/plan" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'without a terminal and --yes it is refused, with the plan' '
	fresh && git checkpoint create -q one && echo edit >>run && state >"$TEST_ROOT/before" &&
	test_expect_code 2 git checkpoint restore one 2>"$TEST_ROOT/err" && test_grep "M run" "$TEST_ROOT/err" &&
	test_grep "Use --yes" "$TEST_ROOT/err" && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual"
'

test_expect_success TTY 'a terminal is asked' '
	fresh && git checkpoint create -q one && echo edit >>run &&
	echo no | test_expect_code 2 test_terminal "GIT_TERMINAL_PROMPT=1 git checkpoint restore one" && test_grep edit run &&
	echo yes | test_terminal "GIT_TERMINAL_PROMPT=1 git checkpoint restore one" && test_grep ! edit run
'

# ---- Refused -------------------------------------------------------------------------------------

test_expect_success 'a lock on the index that is not ours: refused before anything moves' '
	fresh && git checkpoint create -q one && echo edit >>run && state >"$TEST_ROOT/before" && : >.git/index.lock &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "the index is locked" "$TEST_ROOT/err" && test_path_is_file .git/index.lock && rm .git/index.lock &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" &&
	git checkpoint list --operations >"$TEST_ROOT/out" && git checkpoint restore -q --yes one
'

test_expect_success 'a rebase or a series of picks in progress is refused' '
	fresh && git add -A . && git commit -q -m all && git checkpoint create -q one &&
	git switch -q -c side && echo side >run && git commit -q -a -m side && git commit -q --allow-empty -m side2 &&
	git switch -q main && echo main >run && git commit -q -a -m main &&
	test_must_fail git rebase side && test_expect_code 2 git checkpoint restore --yes --detach one 2>"$TEST_ROOT/err" &&
	test_grep "a rebase is in progress" "$TEST_ROOT/err" && git rebase --abort &&
	test_must_fail git cherry-pick side^ side && test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "a series of cherry-picks" "$TEST_ROOT/err" && git cherry-pick --abort
'

test_expect_success 'an ignored file that comes once the plan is made is not written over' '
	fresh && echo kept >kept.log && git add -f kept.log && echo flat >flat && git checkpoint create -q one &&
	git rm -q -f --cached kept.log && rm kept.log && rm flat && mkdir flat && echo deep >flat/deep &&
	for path in kept.log flat/new.log
	do
		printf "#!/bin/sh\necho precious >%s\n" "$path" >.git/hooks/pre-rollback &&
		chmod +x .git/hooks/pre-rollback && state >"$TEST_ROOT/before" &&
		test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
		test_grep "$path. was made meanwhile, and is in the way" "$TEST_ROOT/err" &&
		echo precious >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$path" && rm "$path" &&
		state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" || return
	done &&
	rm .git/hooks/pre-rollback && git checkpoint restore -q --yes one && test_grep kept kept.log
'

test_expect_success 'bytes that change once the plan is made are not written over, though git sees no change' '
	fresh && echo "*.txt text eol=crlf" >.gitattributes && git add -A . && git commit -q -m all && printf "a\nb\r\n" >new.txt &&
	git checkpoint create -q one && printf "a\nb\n" >new.txt && mkdir -p .git/hooks &&
	printf "#!/bin/sh\nprintf \"a\\\\r\\\\nb\\\\n\" >new.txt\n" >.git/hooks/pre-rollback && chmod +x .git/hooks/pre-rollback &&
	test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "changed meanwhile.*new.txt" "$TEST_ROOT/err" &&
	printf "a\r\nb\n" >expect && test_cmp expect new.txt
'

test_expect_success 'hooks get plan and report, and pre-rollback can refuse' '
	fresh && git checkpoint create -q one && echo edit >>run && state >"$TEST_ROOT/before" &&
	printf "#!/bin/sh\ncat >%s/pre.json; exit 1\n" "$TEST_ROOT" >.git/hooks/pre-rollback &&
	printf "#!/bin/sh\ncat >%s/post.json\n" "$TEST_ROOT" >.git/hooks/post-rollback &&
	chmod +x .git/hooks/p*-rollback && test_expect_code 2 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" &&
	jq -e ".files[0].path == \"run\"" "$TEST_ROOT/pre.json" && rm .git/hooks/pre-rollback &&
	git checkpoint restore -q --yes one && jq -e ".outcome == \"done\"" "$TEST_ROOT/post.json"
'

test_expect_success 'an object that is damaged or missing: nothing moves' '
	fresh && git checkpoint create -q one && blob=$(git rev-parse refs/checkpoints/one^3:untracked) &&
	mv .git/objects/pack "$TEST_ROOT/pack.$$" && mkdir .git/objects/pack &&
	for pack in "$TEST_ROOT/pack.$$"/*.pack; do git unpack-objects -q <"$pack" || return; done &&
	rm untracked && echo edit >>run && state >"$TEST_ROOT/before" &&
	file=.git/objects/$(echo "$blob" | sed "s,^..,&/,") && cp "$file" "$TEST_ROOT/blob" && chmod u+w "$file" &&
	rm -f "$file" && cp .git/objects/$(git rev-parse :run | sed "s,^..,&/,") "$file" &&
	test_expect_code 1 git checkpoint restore --yes one 2>"$TEST_ROOT/err" && test_grep "$blob" "$TEST_ROOT/err" &&
	rm -f "$file" && test_expect_code 1 git checkpoint restore --yes one 2>"$TEST_ROOT/err" &&
	test_grep "$blob" "$TEST_ROOT/err" && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" &&
	cp "$TEST_ROOT/blob" "$file" && git checkpoint restore -q --yes one && test_grep untracked untracked
'

# A tree with entries of any name, which mktree would refuse: "<mode> <name>" and the id, for each.
raw_tree () {
	perl -e 'while (@ARGV) { my ($entry, $id) = splice @ARGV, 0, 2; print $entry, "\0", pack "H*", $id }' "$@" |
		git hash-object -t tree -w --literally --stdin
}

# refs/checkpoints/hostile: as the checkpoint `one`, but with this tree of untracked files.
hostile () {
	one=refs/checkpoints/one &&
	git update-ref refs/checkpoints/hostile "$(git commit-tree -m hostile -p "$(git rev-parse $one^1)" \
		-p $one^2 -p "$(git commit-tree -m untracked "$1")" -p $one^4 "$one^{tree}")"
}

for name in .git .GIT '.git ' '.git.' git~1 'GIT~1' '.g‌it' '.git::$INDEX_ALLOCATION' '..' '.'
do
	test_expect_success "a hostile snapshot with the folder '$name' is refused" '
		fresh && git checkpoint create -q one && blob=$(echo evil | git hash-object -w --stdin) &&
		inner=$(raw_tree "100644 config" "$blob") && hostile "$(raw_tree "40000 $name" "$inner")" &&
		cp .git/config "$TEST_ROOT/config" && echo edit >>run && state >"$TEST_ROOT/before" &&
		test_must_fail git checkpoint restore --yes hostile 2>"$TEST_ROOT/err" &&
		test_grep "the snapshot has the path" "$TEST_ROOT/err" && test_cmp "$TEST_ROOT/config" .git/config &&
		test_path_is_missing ../config && state >"$TEST_ROOT/actual" &&
		test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual"
	'
done

test_expect_success 'a hostile snapshot with a symlink and a file below it is refused' '
	fresh && git checkpoint create -q one && blob=$(echo evil | git hash-object -w --stdin) &&
	target=$(printf "%s" "$TEST_ROOT" | git hash-object -w --stdin) && inner=$(raw_tree "100644 file" "$blob") &&
	hostile "$(raw_tree "120000 dir" "$target" "40000 dir" "$inner")" &&
	test_must_fail git checkpoint restore --yes hostile 2>"$TEST_ROOT/err" && test_grep "below it" "$TEST_ROOT/err" &&
	test_path_is_missing "$TEST_ROOT/file" && test_path_is_missing dir
'

test_expect_success 'a path is never written through a symlink' '
	fresh && mkdir dir && echo inside >dir/file && git checkpoint create -q one &&
	rm -r dir && mkdir "$TEST_ROOT/outside" && ln -s "$TEST_ROOT/outside" dir &&
	git checkpoint restore -q --yes one && test_path_is_dir dir && test ! -h dir && test_grep inside dir/file &&
	test_path_is_missing "$TEST_ROOT/outside/file" && git checkpoint undo -q --yes && test -h dir &&
	echo /dir >>.gitignore && git checkpoint restore -q --yes one && test ! -h dir &&
	test_path_is_missing "$TEST_ROOT/outside/file"
'

test_expect_success 'what is behind a symlink is neither kept nor taken for a file of ours' '
	fresh && echo "*.txt text" >.gitattributes && mkdir dir && echo inside >dir/file.txt && git add -A . &&
	git commit -q -m all && git checkpoint create -q one &&
	rm -r dir && rm -rf "$TEST_ROOT/outside" && mkdir "$TEST_ROOT/outside" &&
	printf "outside\r\n" >"$TEST_ROOT/outside/file.txt" && ln -s "$TEST_ROOT/outside" dir &&
	echo /dir >>.gitignore && state >"$TEST_ROOT/before" &&
	git checkpoint restore -q --yes one && test_grep inside dir/file.txt && test ! -h dir &&
	git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/actual" && test_grep outside "$TEST_ROOT/outside/file.txt"
'

test_expect_success 'what is no snapshot is refused with its name' '
	fresh && git update-ref refs/checkpoints/plain HEAD && test_must_fail git checkpoint restore --yes plain 2>"$TEST_ROOT/err" &&
	test_grep plain "$TEST_ROOT/err" && test_must_fail git checkpoint restore --yes nosuch 2>"$TEST_ROOT/err" && test_grep nosuch "$TEST_ROOT/err"
'

# Bytes that the safety snapshot of a file of so many zeros takes.
safety_of () {	# bytes
	fresh && git checkpoint create -q one && head -c "$1" /dev/zero >zeros &&
	git checkpoint restore -q --yes one && test_path_is_missing zeros &&
	find .git/objects/pack -name "*.pack" -printf "%T@ %s\n" | sort -n | tail -n 1 | cut -d " " -f 2 &&
	git checkpoint undo -q --yes >&2 && test "$(stat -c %s zeros)" = "$1"
}

test_expect_success 'only a small safety snapshot is stored without compressing it' '
	size=$(safety_of 100000) && test "$size" -gt 100000 &&
	size=$(safety_of 10000000) && test "$size" -lt 1000000
'

test_done
