#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='reverts worked out in memory are what git revert makes

TEST_REVERT_ROUNDS is how many random histories are tried (default: 50), TEST_REVERT_SEED the first of
them (default: another one each day).'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh

tool="$BUILD/t/unit/vcs-revert-tool"

# Reverts by the tool, and one by one with git, which has to have no conflict; compares trees.
same_as_git () {	# <commit>[:<mainline>]...
	set_=
	for commit_
	do
		set_="$set_ $(id "${commit_%:*}")" || return
		case $commit_ in
		*:*) set_="$set_:${commit_##*:}" ;;
		esac
	done
	git --no-optional-locks status --porcelain=v2 >"$TEST_ROOT/before" &&
	find .git -type f | sort >"$TEST_ROOT/files" || return
	# shellcheck disable=SC2086 # one word for each
	"$tool" $set_ >"$TEST_ROOT/out" || return
	git --no-optional-locks status --porcelain=v2 >"$TEST_ROOT/after" &&
	find .git -type f | sort >"$TEST_ROOT/files.after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" && test_cmp "$TEST_ROOT/files" "$TEST_ROOT/files.after" || return
	rm -rf ../clone && git clone -q . ../clone || return
	for commit_ in $set_
	do
		case $commit_ in
		*:*) git -C ../clone revert --no-edit -m "${commit_#*:}" "${commit_%:*}" >/dev/null ;;
		*) git -C ../clone revert --no-edit "$commit_" >/dev/null ;;
		esac || return
	done
	echo "tree $(git -C ../clone rev-parse "HEAD^{tree}")" >"$TEST_ROOT/expect" &&
	grep "^tree" "$TEST_ROOT/out" >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
}

out_has () {	# a line
	grep -qxF -e "$1" "$TEST_ROOT/out" || { cat "$TEST_ROOT/out" && false; }
}

# The tool, on one commit that conflicts; then git revert: stages and texts are the same.
conflicts_as_git () {	# commit
	rm -rf ../text && mkdir -p ../text/dir &&
	"$tool" --causes --write --text=../text "$(id "$1")" >"$TEST_ROOT/out" && rm -rf ../clone &&
	git clone -q . ../clone && git config --get merge.conflictStyle >"$TEST_ROOT/style"
	test ! -s "$TEST_ROOT/style" || git -C ../clone config merge.conflictStyle "$(cat "$TEST_ROOT/style")" || return
	test_must_fail git -C ../clone revert --no-edit "$(id "$1")" >/dev/null 2>&1 &&
	git -C ../clone ls-files -u | sed "s/\(.*\) \(.*\) \(.\)	/stage \3 \1 \2 /" | sort >"$TEST_ROOT/expect" &&
	sed -n "s/^stage/&/p" "$TEST_ROOT/out" | sort >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	for text_ in $(cd ../text && find . -type f)
	do
		test_cmp "../clone/$text_" "../text/$text_" || return
	done
}

test_expect_success 'linear: files that nobody touched since, and others' '
	fresh && file a && file dir/b && commit base && file a 3=three && echo x >new && commit one &&
	file dir/b 5=five && git rm -q new && commit two && file a 30=thirty && commit later && file dir/b 9=nine && commit three &&
	same_as_git main main~2 main~3 && out_has "step clean one" && out_has "change 000000 100644 new"
'

test_expect_success 'already reverted, empty, and what another one has undone' '
	fresh && file a && commit base && file a 3=three && commit one && commit empty &&
	file a 3=3 && commit "takes it back" && file a 9=nine && commit later &&
	"$tool" $(id main~3) $(id main~2) >"$TEST_ROOT/out" && out_has "step empty one" && out_has "step empty nothing empty"
'

test_expect_success 'a merge: with a mainline, and refused without; each side' '
	fresh && file a && file b && commit base && git switch -q -c side && file a 3=side && commit side1 && file b 4=side && commit side2 &&
	git switch -q main && file a 30=main && commit main1 && git merge -q --no-ff -m "Merge side" side && file b 20=later && commit later &&
	same_as_git main~1:1 && same_as_git main~1:2 &&
	test_expect_code 129 "$tool" $(id main~1) 2>err && test_grep "is a merge" err &&
	test_expect_code 129 "$tool" $(id main~1):3 2>err && test_grep "has no parent 3" err &&
	test_expect_code 129 "$tool" $(id main):2 2>err && test_grep "has no parent 2" err && rm err
'

test_expect_success 'an octopus, and a criss-cross' '
	fresh && for name in a b c d; do file $name || return; done && commit base &&
	for name in a b c
	do
		git switch -q -c "side-$name" main && file $name 5=side && commit "side $name" || return
	done &&
	git switch -q main && file d 7=main && commit main1 && git merge -q -m octopus side-a side-b side-c &&
	file a 30=later && commit later && same_as_git main~1:1 && same_as_git main~1:2 &&
	git switch -q -c left main && file b 10=left && commit left && git switch -q -c right main && file c 10=right && commit right &&
	git tag right-1 && git merge -q -m "right takes left" left && git switch -q left && git merge -q -m "left takes right" right-1 &&
	file d 30=more && commit "left goes on" && git switch -q right && git merge -q -m again left && file b 20=twenty && commit end &&
	git rev-list --merges --count right | grep -qx 4 && same_as_git right right~1:1 && same_as_git $(git log --format=%H --grep="^left$" right)
'

test_expect_success 'renamed since, and renamed by the commit' '
	fresh && file dir/old && file other && commit base && file dir/old 3=three && commit edit && git mv dir/old new && commit rename &&
	file new 30=thirty && commit later && same_as_git main~2 && out_has "change 100644 100644 new" &&
	same_as_git main~1 && out_has "change 000000 100644 dir/old" && same_as_git main~1 main~2
'

test_expect_success 'renamed back by a step before' '
	fresh && file old && commit base && file old 3=three && commit edit && git mv old middle && commit one && git mv middle new && commit two &&
	file new 30=thirty && commit later && same_as_git main~1 main~3 && same_as_git main~1 main~2 main~3
'

test_expect_success 'binary files, modes, symbolic links, submodules' '
	fresh && printf "a\0b" >binary && echo run >run && ln -s one link && commit base &&
	printf "c\0d" >binary && chmod +x run && ln -sf two link && git update-index --add --cacheinfo 160000,$(id main),sub && git commit -q -m types &&
	git add binary run link && git commit -q -m "the rest" && git update-index --cacheinfo 160000,$(id main),sub && git commit -q -m bump &&
	file later && git add later && git commit -q -m later && same_as_git main~1 main~2 main~3 && same_as_git main~2 &&
	printf "e\0f" >binary && git commit -q -a -m again && conflicts_as_git main~3 && out_has "conflict binary binary"
'

test_expect_success 'a link, a submodule, a type: changed on both sides' '
	fresh && ln -s one link && file file && git update-index --add --cacheinfo 160000,1111111111111111111111111111111111111111,sub &&
	git add link file && git commit -q -m base && ln -sf two link && git add link &&
	git update-index --cacheinfo 160000,2222222222222222222222222222222222222222,sub && git commit -q -m unit && ln -sf three link && git add link &&
	git update-index --cacheinfo 160000,3333333333333333333333333333333333333333,sub && git commit -q -m later &&
	"$tool" $(id main~1) >"$TEST_ROOT/out" && out_has "conflict link link" && out_has "conflict submodule sub"
'

test_expect_success 'SHA-256' '
	fresh --object-format=sha256 && file a && commit base && file a 3=three && commit one && file a 30=thirty && commit later &&
	same_as_git main~1 && file a 3=other && commit conflict && conflicts_as_git main~2
'

test_expect_success 'a root commit, and one at the border of a shallow clone' '
	fresh && file a && commit base && file b && commit later && same_as_git main~1 && file b 3=three && commit more &&
	rm -rf ../shallow && git clone -q --depth=2 "file://$PWD" ../shallow && cd ../shallow && same_as_git main &&
	test_expect_code 2 "$tool" $(id main~1) 2>err && test_grep "is not in this shallow clone" err
'

test_expect_success 'a partial clone gets what it needs' '
	fresh && file a && commit base && file a 3=three && commit one && file a 30=thirty && commit later &&
	git config uploadpack.allowFilter true && git config uploadpack.allowAnySHA1InWant true && rm -rf ../partial &&
	git clone -q --no-checkout --filter=blob:none "file://$PWD" ../partial && same_as_git main~1 && grep "^tree" "$TEST_ROOT/out" >expect &&
	"$tool" $(id main~1) >"$TEST_ROOT/out" && git -C ../partial rev-parse main >/dev/null &&
	(cd ../partial && "$tool" $(id main~1)) | grep "^tree" >actual && test_cmp expect actual
'

test_expect_success 'what is kept stays, and is named' '
	fresh && file a && file plan/one/plan.md && file tracks.md && commit base &&
	file a 3=three && file plan/one/plan.md 3=three && file tracks.md 3=three && commit one && file tracks.md 3=other && commit later &&
	"$tool" --keep=plan/ --keep=tracks.md $(id main~1) >"$TEST_ROOT/out" && out_has "kept plan/one/plan.md" && out_has "kept tracks.md" &&
	out_has "total a" && ! grep "^total [^a]" "$TEST_ROOT/out" && ! grep "^conflict" "$TEST_ROOT/out"
'

test_expect_success 'a conflict: the hunk on each side, and who is in the way' '
	fresh && file a && commit base && file a 5=five 20=twenty && commit unit && file a 20=zwanzig && commit "changes 20" &&
	file a && sed -i 5d a && commit "removes 5" && seq 3 >>a && commit unrelated && conflicts_as_git main~3 &&
	out_has "step conflict unit" && out_has "hunk 5,0 5,1 5,1" && out_has "hunk 19,1 20,1 20,1" &&
	grep "^cause" "$TEST_ROOT/out" | cut -d" " -f3- >"$TEST_ROOT/causes" && test_write_lines "removes 5" "changes 20" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/causes"
'

test_expect_success 'conflicts in all of the styles' '
	cd repo && for style in merge diff3 zdiff3
	do
		git config merge.conflictStyle $style && conflicts_as_git main~3 || return
	done
'

test_expect_success 'an addition at the same place: who added' '
	fresh && echo one >a && commit base && echo two >>a && commit unit && echo three >>a && commit "adds three" && conflicts_as_git main~1 &&
	grep "^cause" "$TEST_ROOT/out" | cut -d" " -f3- >"$TEST_ROOT/causes" && echo "adds three" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/causes"
'

test_expect_success 'removed since, made by it and changed since, made again' '
	fresh && file gone && file made-later && commit base && file gone 3=three && seq 50 90 >made && git rm -q made-later && commit unit &&
	git rm -q gone && commit "removes it" && file made 3=three && seq 9 >made-later && commit "changes it" && conflicts_as_git main~2 &&
	out_has "conflict delete/modify gone" && out_has "conflict modify/delete made" && out_has "conflict add/add made-later" &&
	grep "^cause" "$TEST_ROOT/out" | cut -d" " -f3- | sort -u >"$TEST_ROOT/causes" &&
	test_write_lines "changes it" "removes it" >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/causes"
'

test_expect_success 'made by it and renamed since' '
	fresh && file a && commit base && file made && commit unit && git mv made renamed && commit "renames it" && conflicts_as_git main~1 &&
	out_has "conflict rename/delete renamed made" && grep "^cause.*renames it" "$TEST_ROOT/out"
'

test_expect_success 'a folder where a file was' '
	fresh && file a && commit base && git rm -q a && commit unit && file a/b && commit later &&
	"$tool" $(id main~1) >"$TEST_ROOT/out" && out_has "conflict file/folder a"
'

test_expect_success 'attributes: union, binary, the size of markers, a driver of ones own' '
	fresh && file u && file b && file m && file d && file v &&
	printf "%s\n" "u merge=union" "b -merge" "m conflict-marker-size=11" "d merge=own" "v merge=nobodys" >.gitattributes && commit base &&
	for name in u b m d v; do file $name 5=five || return; done && commit unit && for name in u b m d v; do file $name 5=other || return; done &&
	commit later && git config merge.own.driver false && git config merge.own.name own && "$tool" $(id main~1) >"$TEST_ROOT/out" &&
	out_has "conflict binary b" && out_has "conflict driver d" && out_has "conflict content v" && ! grep "^conflict.* u" "$TEST_ROOT/out" &&
	git rm -q d && git commit -q -m "without the driver" && git checkout -q main~1 && git config --unset merge.own.driver && conflicts_as_git HEAD~1
'

# The tool, and git revert in a copy that has all the settings: outcome, stages, texts or tree.
as_git () {	# clean|conflict, commit
	rm -rf ../text ../clone && mkdir ../text && cp -Rp . ../clone && "$tool" --write --text=../text "$(id "$2")" >"$TEST_ROOT/out" &&
	test "$(sed -n "s/^step \([a-z]*\).*/\1/p" "$TEST_ROOT/out")" = "$1" || return
	if test "$1" = clean
	then
		git -C ../clone revert --no-edit "$(id "$2")" >/dev/null && echo "tree $(git -C ../clone rev-parse "HEAD^{tree}")" >"$TEST_ROOT/expect" &&
		sed -n "/^tree/p" "$TEST_ROOT/out" >"$TEST_ROOT/actual"
	else
		test_must_fail git -C ../clone revert --no-edit "$(id "$2")" >/dev/null 2>&1 &&
		git -C ../clone ls-files -u | sed "s/\(.*\) \(.*\) \(.\)	/stage \3 \1 \2 /" | sort >"$TEST_ROOT/expect" &&
		sed -n "/^stage/p" "$TEST_ROOT/out" | sort >"$TEST_ROOT/actual"
	fi && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" || return
	for text_ in $(cd ../text && find . -type f)
	do
		test_cmp "../clone/$text_" "../text/$text_" || return
	done
}

# A driver that takes the lines of both, and leaves its marks where theirs has a certain one.
driven () {
	fresh && file d && file m && printf "%s\n" "d merge=own" "m conflict-marker-size=11" >.gitattributes && commit base && file d 5=five && file m 5=five && commit unit &&
	file d 5=other && file m 30=other && commit later &&
	git config merge.own.driver "echo noise; echo %P %L >>\"$TEST_ROOT/driven\"; sort -u -o %A %A %B; ! grep -q zwei %B" && rm -f "$TEST_ROOT/driven"
}

test_expect_success 'a merge driver of ones own is run as git runs it' '
	driven && as_git clean main~1 && ! grep "^conflict" "$TEST_ROOT/out" &&
	test_write_lines "d 7" "d 7" >expect && test_cmp expect "$TEST_ROOT/driven" && rm expect &&
	git config merge.default own && as_git clean main~1 && grep "^m 11" "$TEST_ROOT/driven"
'

test_expect_success 'what a merge driver could not do is a conflict with its text' '
	driven && file d 2=zwei && commit two && file d 2=2 7=seven && commit unit && file d 2=deux && file m 5=fuenf && commit later &&
	as_git conflict main~1 && out_has "conflict driver d" && test -f ../text/d && as_git conflict main~4 && out_has "conflict content m" && grep "^<<<<<<<<<<< HEAD" ../text/m
'

# The driver kills the tool, in whose folder git is at work.
test_expect_success 'what one that was killed leaves in TMPDIR the next one removes' '
	driven && mkdir ../tmp && git config merge.own.driver "kill -KILL \$(cat \"$TEST_ROOT/pid\")" &&
	{ TMPDIR="$PWD/../tmp" sh -c "echo \$\$ >\"$TEST_ROOT/pid\" && exec \"$tool\" $(id main~1)" || test $? = 137; } && ls -d ../tmp/git-rollback-tmp-??????/merge-0 &&
	git config merge.own.driver true && TMPDIR="$PWD/../tmp" "$tool" $(id main~1) >/dev/null && ls ../tmp >"$TEST_ROOT/left" && test_must_be_empty "$TEST_ROOT/left" && rmdir ../tmp
'

# What git older than 2.38 says.
test_expect_success 'where git has no merge in memory a driver is not run, and the rest is as before' '
	driven && mkdir ../bin && { printf "%s\n" "#!/bin/sh" "case \" \$* \" in *\" merge-tree \"*) exit 129 ;; esac" && echo "exec \"$(command -v git)\" \"\$@\""; } >../bin/git && chmod +x ../bin/git &&
	file m 7=seven && commit "one more" && PATH="$PWD/../bin:$PATH" "$tool" $(id main) $(id main~2) >"$TEST_ROOT/out" && rm -r ../bin && test_path_is_missing "$TEST_ROOT/driven" &&
	out_has "conflict driver d" && out_has "step clean one more" && out_has "change 100644 100644 m"
'

# Whole folders: the unit has removed a file of one that is elsewhere since, or moved one that has more by now.
folders () {
	fresh && for name in d/a d/b d/c other
	do
		file $name && sed -i "s|\$| $name|" $name || return
	done && commit base
}

test_expect_success 'a folder that was renamed since: what comes back goes where its files are' '
	folders && git rm -q d/c && commit unit && git mv d e && commit moved && file other 3=three && commit later &&
	as_git conflict main~2 && out_has "conflict location e/c d/c" && git config merge.directoryRenames true && as_git clean main~2 && out_has "change 000000 100644 e/c" &&
	git config merge.directoryRenames false && as_git clean main~2 && out_has "change 000000 100644 d/c"
'

test_expect_success 'a folder that the commit has renamed: what is new in it goes back, too' '
	folders && git mv d e && commit unit && file e/new && commit new && file other 3=three && commit later &&
	as_git conflict main~2 && out_has "conflict location d/new e/new" && git config merge.directoryRenames true && as_git clean main~2 && out_has "change 000000 100644 d/new" &&
	same_as_git main~1 main~2
'

test_expect_success 'a folder that a step before has brought back is there' '
	folders && git rm -q d/c && commit unit && git mv d e && commit moved && same_as_git main main~1 && git rm -q -r e && commit gone && same_as_git main main~1 main~2
'

test_expect_success 'merge.renames, of which it is up to git what it means' '
	fresh && file a && commit base && file a 3=three && commit unit && git mv a b && commit moved && git config merge.renames false &&
	if git -c merge.renames=false merge-tree --write-tree main "$(git commit-tree -p main~1 -m x main~2^{tree})" >/dev/null; then way=clean; else way=conflict; fi &&
	as_git $way main~1
'

test_expect_success 'merge.renormalize: line ends that git stores otherwise by now are no changes' '
	fresh && printf "%s\r\n" 1 2 3 4 5 6 7 8 9 >a && printf "%s\r\n" 1 2 3 4 5 6 7 8 9 >b && commit base && sed -i "s/3/three/" a && sed -i "s/3/three/" b && commit unit && sed -i "s/\r//" a b && sed -i "s/9/nine/" a && sed -i "s/three/drei/" b &&
	echo "* text eol=lf" >.gitattributes && commit "other ends" && as_git conflict main~1 && out_has "conflict content a" && git config merge.renormalize true && as_git conflict main~1 &&
	! grep "^conflict content a" "$TEST_ROOT/out" && out_has "conflict content b" && out_has "change 100644 100644 a" && sed -i "s/drei/three/" b && commit "b is as it was" && as_git clean main~2
'

test_expect_success 'what git leaves in a conflict may be what was there once' '
	folders && file d/a 5=fix && commit fix && file d/a 5=5 && sed -i "s|\$| d/a|; s| d/a d/a| d/a|" d/a && commit "fix is taken back" && mkdir c && git mv d/a c/a && sed -i "20s/.*/unit/" c/a && commit unit &&
	sed -i "5s/.*/fix/" c/a && commit "fix again" && git mv d e && commit moved && as_git conflict main~2 && out_has "conflict location e/a d/a" && ! grep unit ../text/e/a &&
	driven && git config merge.own.driver "cp %B %A; exit 1" && as_git conflict main~1 && ! grep zwei ../text/d
'

test_expect_success 'a file that has gone to two places, with lines in conflict: the sides have their names' '
	fresh && file a && commit base && git mv a b && file b 5=unit && commit unit && git mv b c && file c 5=later && commit later && git config merge.renormalize true &&
	as_git conflict main~1 && out_has "conflict rename/rename c" && out_has "conflict rename/rename a"
'

test_expect_success 'drivers of files that were renamed' '
	fresh && file u && echo "v merge=union" >.gitattributes && commit base && file u 5=five && commit unit && git mv u v && file v 5=other && commit moved && as_git clean main~1
'

test_expect_success 'behind a conflict it goes on as for ours, and says what is uncertain' '
	fresh && file a && file b && commit base && file a 5=one && commit one && file b 5=two && commit two && file a 5=three && commit three && file a 5=late && commit late &&
	"$tool" $(id main~1) $(id main~2) $(id main~3) >"$TEST_ROOT/out" && out_has "step conflict three" && out_has "step clean two" &&
	out_has "step conflict uncertain one" && "$tool" --stop $(id main~1) $(id main~2) >"$TEST_ROOT/out" && ! grep "^step.*two" "$TEST_ROOT/out"
'

test_expect_success 'odd names' '
	fresh && for name in ":colon" "*star" "with blank" "q\"uote" "$(printf "new\nline")" "-dash" "höflich" "[x]"
	do
		seq 40 >"$name" || return
	done && commit base && for name in *; do sed -i "3s/.*/three/" -- "$name" || return; done && commit one &&
	for name in *; do sed -i "30s/.*/thirty/" -- "$name" || return; done && commit later && same_as_git main~1
'

test_expect_success 'a worktree of its own, and one with changes: neither counts' '
	fresh && file a && commit base && file a 3=three && commit one && file a 30=thirty && commit later && echo dirty >a && echo x >b && git add b &&
	same_as_git main~1
'

test_expect_success 'random histories' '
	cd "$TRASH_DIRECTORY" && "$TEST_DIRECTORY"/revert-random.pl "$tool" "${TEST_REVERT_SEED:-$(date +%Y%m%d)}" "${TEST_REVERT_ROUNDS:-50}"
'

test_done
