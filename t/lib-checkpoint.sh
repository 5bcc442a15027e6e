# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-checkpoint: snapshots made by plain git, of the shape that common/vcs/snapshot.h describes: to list
# and to read without having made them, and to compare those with that git-checkpoint makes.

# Prints the trees of the present state: of the worktree's tracked files, of the index, and of the
# untracked files, one a line.
snapshot_trees () {
	(
		top=$(git rev-parse --show-toplevel) && cd "$top" &&
		GIT_OPTIONAL_LOCKS=0 && export GIT_OPTIONAL_LOCKS &&
		real=$(git rev-parse --git-path index) &&
		index=$(git write-tree) &&
		GIT_INDEX_FILE=$TEST_ROOT/scratch-index && export GIT_INDEX_FILE &&
		rm -f "$GIT_INDEX_FILE" &&
		{ test ! -f "$real" || cp -p "$real" "$GIT_INDEX_FILE"; } &&
		git ls-files --others --exclude-standard -z >"$TEST_ROOT/untracked" &&
		git add -u && git write-tree &&
		echo "$index" &&
		git read-tree --empty &&
		git update-index --add -z --stdin <"$TEST_ROOT/untracked" && git write-tree
	)
}

# Makes refs/checkpoints/<name> of the present state, without a tag. What follows the name is the
# message's body, trailers and all.
snapshot_make () {	# name, [body]
	snapshot_trees >"$TEST_ROOT/trees" &&
	{ read -r snapshot_w && read -r snapshot_i && read -r snapshot_u; } <"$TEST_ROOT/trees" &&
	snapshot_head=$(git rev-parse HEAD) &&
	snapshot_manifest=$(git hash-object -w --stdin <<-END
	{"format": 1, "name": "$1", "kind": "checkpoint", "created_at": "2026-01-01T00:00:00Z",
	"head": {"commit": "$snapshot_head", "branch": "refs/heads/main"},
	"index": {"tree": "$snapshot_i", "file": false}, "parts": {}}
	END
	) &&
	snapshot_m=$(printf '100644 blob %s\tmanifest.json\n' "$snapshot_manifest" | git mktree) &&
	snapshot_m=$(git commit-tree -m payload "$snapshot_m") &&
	snapshot_u=$(git commit-tree -m untracked "$snapshot_u") &&
	snapshot_i=$(git commit-tree -m index -p "$snapshot_head" "$snapshot_i") &&
	snapshot_w=$(printf 'checkpoint: %s\n\n%s\n' "$1" \
		"${2:-Checkpoint-Changes: 0 staged, 0 changed, 0 untracked}" |
		git commit-tree -p "$snapshot_head" -p "$snapshot_i" -p "$snapshot_u" \
			-p "$snapshot_m" "$snapshot_w") &&
	git update-ref "refs/checkpoints/$1" "$snapshot_w"
}
