# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-snapshot: what a snapshot should be, found out by git's own commands, for scripts that
# have sourced test-lib.sh. The shape is that of common/vcs/snapshot.h.
#
#	snapshot capture [<option>...] [<ref>]		see t/unit/vcs-snapshot-tool.c
#	capture_and_check [<option>...]			captures, and checks all there is to check

SNAPSHOT_WORK=$TEST_ROOT/work
mkdir -p "$SNAPSHOT_WORK"

snapshot () {
	"$BUILD"/t/unit/vcs-snapshot-tool "$@"
}

# Everything that a capture must leave alone.
whole_state () {
	git --no-optional-locks status --porcelain=v2 --branch -z -uall --ignored | tr '\0' '\n' &&
	git_dir=$(git rev-parse --absolute-git-dir) &&
	find . -path ./.git -prune -o -printf '%p %y %m %s %T@ %l\n' | sort &&
	git for-each-ref &&
	find "$git_dir" -maxdepth 1 -printf '%f %y %m\n' | grep -v ' d ' | sort &&
	find "$git_dir" -maxdepth 1 \( -name index -o -name HEAD \) -printf '%f %T@\n' | sort &&
	{ test ! -e "$git_dir/index" || sha256sum "$git_dir/index"; } &&
	find "$git_dir/logs" -type f -exec sha256sum {} + 2>/dev/null | sort
}

# Runs git on a copy of the index that keeps its time, by which git knows racy entries.
on_copy () {	# name, command...
	copy_=$SNAPSHOT_WORK/$1
	shift
	GIT_INDEX_FILE=$copy_ "$@"
}

copy_index () {	# name
	rm -f "$SNAPSHOT_WORK/$1" &&
	index_=$(git rev-parse --git-path index) &&
	{ test ! -e "$index_" || cp -p "$index_" "$SNAPSHOT_WORK/$1"; }
}

oracle_index () {
	copy_index oracle &&
	on_copy oracle git ls-files -z --unmerged | sed -z 's/^[^	]*	//' >"$SNAPSHOT_WORK"/unmerged &&
	on_copy oracle git update-index -z --force-remove --stdin <"$SNAPSHOT_WORK"/unmerged &&
	on_copy oracle git write-tree
}

# Flags that hide edits are taken off: all of assume-unchanged, and skip-worktree where there is a file.
oracle_worktree () {
	copy_index oracle &&
	on_copy oracle git ls-files -z -v | sed -z -n 's/^[hs] //p' |
		on_copy oracle git update-index -z --no-assume-unchanged --stdin &&
	on_copy oracle git ls-files -z -v | sed -z -n 's/^[sS] //p' |
		perl -0 -ne 'chomp; print "$_\0" if -l || -f' |
		on_copy oracle git update-index -z --no-skip-worktree --stdin &&
	on_copy oracle git -c core.safecrlf=false add --sparse -u &&
	on_copy oracle git write-tree
}

oracle_untracked () {
	git ls-files -z --others --exclude-standard | sed -z '/\/$/d' >"$SNAPSHOT_WORK"/others &&
	rm -f "$SNAPSHOT_WORK"/oracle &&
	on_copy oracle git -c core.safecrlf=false update-index --add -z --stdin <"$SNAPSHOT_WORK"/others &&
	on_copy oracle git write-tree
}

# To be called at the top of the worktree. What was captured is in $SNAPSHOT_WORK/captured, its id in
# $commit_.
capture_and_check () {
	captured_=$SNAPSHOT_WORK/captured
	whole_state >"$SNAPSHOT_WORK"/before &&
	snapshot capture "$@" refs/checkpoints/test >"$captured_" &&
	commit_=$(sed -n 's/^commit //p' "$captured_") &&
	echo "$commit_ commit	refs/checkpoints/test" >"$SNAPSHOT_WORK"/expect &&
	git for-each-ref refs/checkpoints >"$SNAPSHOT_WORK"/actual &&
	test_cmp "$SNAPSHOT_WORK"/expect "$SNAPSHOT_WORK"/actual &&
	git update-ref -d refs/checkpoints/test &&
	whole_state >"$SNAPSHOT_WORK"/after &&
	test_cmp "$SNAPSHOT_WORK"/before "$SNAPSHOT_WORK"/after &&
	git rev-list --objects "$commit_" >/dev/null &&
	{
		echo "commit $commit_" &&
		echo "index $(oracle_index)" &&
		echo "worktree $(oracle_worktree)" &&
		echo "untracked $(oracle_untracked)"
	} >"$SNAPSHOT_WORK"/expect &&
	{ test_cmp "$SNAPSHOT_WORK"/expect "$captured_" || show_difference; } &&
	git fsck --no-dangling 2>"$SNAPSHOT_WORK"/fsck &&
	git cat-file commit "$commit_" >"$SNAPSHOT_WORK"/commit.text &&
	test "$(git rev-parse "$commit_^{tree}" "$commit_^2^{tree}" "$commit_^3^{tree}")" = \
		"$(sed -n 's/^worktree //p; s/^untracked //p' "$captured_" >"$SNAPSHOT_WORK"/trees &&
			sed -n 1p "$SNAPSHOT_WORK"/trees &&
			sed -n 's/^index //p' "$captured_" &&
			sed -n 2p "$SNAPSHOT_WORK"/trees)" &&
	git cat-file blob "$commit_^4:manifest.json" >"$SNAPSHOT_WORK"/manifest
}

show_difference () {
	for part_ in index worktree untracked
	do
		git diff-tree -r "$(sed -n "s/^$part_ //p" "$SNAPSHOT_WORK"/expect)" \
			"$(sed -n "s/^$part_ //p" "$captured_")"
	done
	return 1
}

# A member of the manifest, as JSON on one line; "null" where there is none. Needs jq.
manifest () {	# path in it, as jq has it
	jq -c "$1" "$SNAPSHOT_WORK"/manifest
}
