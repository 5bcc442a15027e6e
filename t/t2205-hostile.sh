#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint restore: checkpoints that came with a fetch, and mean harm

Nothing of them is written outside of the worktree, or into .git, and verify tells what is wrong.'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh

# refs/checkpoints/hostile: as refs/checkpoints/one, with the manifest changed by a jq filter, with the tree
# $untracked where that is set, and with $index, a file, as its index where that is set.
forge () {	# [jq filter]
	one=refs/checkpoints/one &&
	git cat-file blob "$one^4:manifest.json" | jq -c "${1:-.}" >"$TEST_ROOT/manifest" &&
	git ls-tree "$one^4" | grep -v "	manifest.json\$" >"$TEST_ROOT/payload" &&
	if test -n "$index"
	then
		sum=$(sha256sum <"$index") &&
		jq -c --arg sum "${sum%% *}" ".index.file = true | .parts.index = \$sum" \
			<"$TEST_ROOT/manifest" >"$TEST_ROOT/manifest2" &&
		mv "$TEST_ROOT/manifest2" "$TEST_ROOT/manifest" &&
		blob=$(git hash-object -w --no-filters "$index") &&
		printf "100644 blob %s\tindex\n" "$blob" >>"$TEST_ROOT/payload"
	fi &&
	blob=$(git hash-object -w --no-filters "$TEST_ROOT/manifest") &&
	printf "100644 blob %s\tmanifest.json\n" "$blob" >>"$TEST_ROOT/payload" &&
	m=$(git mktree <"$TEST_ROOT/payload") && m=$(git commit-tree -m payload "$m") &&
	u=$(git commit-tree -m untracked "${untracked:-$one^3^{tree\}}") &&
	w=$(git commit-tree -m "checkpoint: hostile" -p "$one^1" -p "$one^2" -p "$u" -p "$m" "$one^{tree}") &&
	git update-ref refs/checkpoints/hostile "$w"
}

fresh () {
	cd "$TRASH_DIRECTORY" && rm -rf repo outside && mkdir outside && git init -q repo && cd repo &&
	index= && untracked= &&
	echo "*.ignored" >.gitignore && echo a >a && echo z >z && git add . && git commit -q -m first &&
	echo b >a && git checkpoint create -q --no-db one && echo c >a
}

# The index of now, and another entry: a name as long as the true one that is put there instead.
forge_index () {	# option of update-index, name, the true name
	index=$TEST_ROOT/index && cp .git/index "$index" &&
	blob=$(printf "#!/bin/sh\n" | git hash-object -w --stdin) &&
	GIT_INDEX_FILE=$index git update-index --add --cacheinfo "100755,$blob,$2" &&
	GIT_INDEX_FILE=$index git update-index "$1" "$2" &&
	perl -MDigest::SHA=sha1 -0777 -pi -e '
		BEGIN { ($from, $to) = splice @ARGV, 0, 2 }
		s/\Q$from\E/$to/; substr($_, -20) = sha1(substr($_, 0, -20));
	' "$2" "$3" "$index"
}

refused () {	# pattern
	test_expect_code 2 git checkpoint restore --yes hostile >out 2>err &&
	cat out >>err && test_grep "$1" err &&
	echo c >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" a
}

nothing_outside () {
	ls -A "$TRASH_DIRECTORY/outside" >"$TEST_ROOT/outside" && test_must_be_empty "$TEST_ROOT/outside"
}

# ---- The index -----------------------------------------------------------------------------------

for flag in --skip-worktree --assume-unchanged
do
	test_expect_success "an entry below .git in the index file, $flag" '
		fresh && forge_index $flag .giu/hooks/pre-commit .git/hooks/pre-commit && forge &&
		refused "the index file has .\.git/hooks/pre-commit.: " &&
		git ls-files >"$TEST_ROOT/files" && test_write_lines .gitignore a z >"$TEST_ROOT/expect" &&
		test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/files" &&
		test_expect_code 1 git checkpoint verify hostile >out &&
		test_grep "the index file has .\.git/hooks/pre-commit.: " out
	'
done

test_expect_success 'an entry that the tree of the index has not, and one that it has in vain' '
	fresh && forge_index --skip-worktree more more && forge &&
	refused "the index file has .more., and its tree has not" &&
	test_expect_code 1 git checkpoint verify hostile >out &&
	test_grep "the index file has .more., and its tree has not" out &&
	index=$TEST_ROOT/index && cp .git/index "$index" &&
	GIT_INDEX_FILE=$index git update-index --skip-worktree a &&
	GIT_INDEX_FILE=$index git update-index --force-remove z && forge &&
	refused "the index file has not .z., and its tree has"
'

test_expect_success 'what is wrong with the index is no reason not to restore files' '
	fresh && forge_index --skip-worktree .giu/x .git/x && forge &&
	git checkpoint restore -q --yes --strategy=files hostile &&
	echo b >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" a &&
	git ls-files >"$TEST_ROOT/files" && test_write_lines .gitignore a z >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/files"
'

test_expect_success 'times and extensions of an index file are not believed' '
	fresh && git reset -q --hard &&
	index=$TEST_ROOT/index && cp .git/index "$index" &&
	GIT_INDEX_FILE=$index git update-index --skip-worktree z &&
	perl -MDigest::SHA=sha1 -0777 -pi -e "
		substr(\$_, -20) = pack(q(a4Na4), q(XTRA), 4, q(oops)); \$_ .= sha1(\$_);
	" "$index" && forge && git rev-parse HEAD: >"$TEST_ROOT/expect" &&
	git checkpoint restore -q --yes hostile && git write-tree >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git ls-files -v z >"$TEST_ROOT/actual" && echo "S z" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	test_must_fail grep -a XTRA .git/index
'

# ---- Links and folders ---------------------------------------------------------------------------

# The untracked files of refs/checkpoints/one and a link to a folder outside.
with_link () {
	blob=$(printf "%s" "$TRASH_DIRECTORY/outside" | git hash-object -w --stdin) &&
	untracked=$(printf "120000 blob %s\tevil\n" "$blob" | git mktree)
}

test_expect_success 'an empty folder below a link of the same snapshot' '
	fresh && with_link && forge ".empty_folders = [\"evil/made/deep\"]" &&
	refused "the snapshot has .evil. and, below it, .evil/made/deep" &&
	nothing_outside && test_path_is_missing evil
'

test_expect_success 'an empty folder in the place of a file of the same snapshot' '
	fresh && with_link && forge ".empty_folders = [\"evil\"]" && refused "the snapshot has .evil. and" &&
	fresh && with_link && forge ".empty_folders = [\"../outside/made\"]" && refused "outside/made" &&
	nothing_outside
'

test_expect_success 'a submodule below a link of the same snapshot' '
	fresh && with_link &&
	sub=$(printf "160000 commit %s\tsub\n" "$(git rev-parse HEAD)" | git mktree) &&
	blob=$(printf "%s" "$TRASH_DIRECTORY/outside" | git hash-object -w --stdin) &&
	untracked=$(printf "120000 blob %s\tevil\n040000 tree %s\tevil\n" "$blob" "$sub" | git mktree) &&
	forge && refused "the snapshot has .evil. and, below it, .evil/sub" &&
	nothing_outside
'

test_expect_success 'a folder that becomes a link while the hook runs' '
	fresh && mkdir -p empty/deep && git checkpoint create -q --no-db folder && rm -r empty &&
	mkdir -p .git/hooks &&
	printf "#!/bin/sh\nln -s ../outside empty\n" >.git/hooks/pre-rollback &&
	chmod +x .git/hooks/pre-rollback &&
	test_must_fail git checkpoint restore --yes folder &&
	nothing_outside && git diff --quiet HEAD -- z &&
	echo c >"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" a
'

test_done
