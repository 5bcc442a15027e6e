#!/bin/sh
# SPDX-License-Identifier: MIT
#
# Reverts units of real repositories, and compares what comes of it with what `git revert` of the
# unit's true commits gives: all files but the workflow's documents, which are edited by meaning.
#
#	t/perf/tracks-revert.sh <truth.json> <folder of clones> [<unit id>...]
#
# TMPDIR is better one in memory. BUILD says where git-revert-track is (default: build). The clones stay
# as they are. Of each unit one line: "same"; "better", where `git revert` conflicts and we do not;
# "conflict", where both do; "differs" and "failed", then the exit code is 1; "absent" and "unusable" do
# not count. With -v, which files differ.

set -u

verbose=
test "${1-}" = -v && verbose=1 && shift
if test $# -lt 2
then
	echo "usage: tracks-revert.sh [-v] <truth.json> <folder of clones> [<unit id>...]" >&2
	exit 129
fi
truth=$(realpath "$1") clones=$(realpath "$2")
shift 2
BUILD=$(realpath "${BUILD:-build}")
PATH=$BUILD/bin:$PATH
GIT_AUTHOR_NAME=t GIT_AUTHOR_EMAIL=t@example.com GIT_COMMITTER_NAME=t GIT_COMMITTER_EMAIL=t@example.com
export PATH GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
scratch=$(mktemp -d) || exit
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM

# The repository, at a commit, as fresh as after a clone.
lay_out () {	# folder, name, commit
	if test ! -d "$1/$2"
	then
		git clone -q --shared --no-checkout "$clones/$2" "$1/$2" 2>"$scratch/err" &&
		git -C "$1/$2" config core.hooksPath /dev/null || return
	fi
	rm -rf "$1/$2/.git/rollback" && git -C "$1/$2" revert --quit 2>/dev/null
	git -C "$1/$2" checkout -q -f -B perf "$3" 2>"$scratch/err" && git -C "$1/$2" clean -ffdxq
}

# Reverts them by git, newest first, and passes over empty ones. 1: it conflicts.
revert_plainly () {	# folder; commits on stdin
	while read -r commit
	do
		git -C "$1" revert --no-edit "$commit" >"$scratch/err" 2>&1 && continue
		# Nothing to commit is an empty one.
		test -z "$(git -C "$1" status --porcelain --untracked-files=no)" || return 1
		git -C "$1" revert --skip >/dev/null 2>&1 || git -C "$1" revert --quit
	done
}

documents='(^|/)(conductor|\.conductor|storage-conductor)/(tracks/|archive/|storages/|tracks\.md$)'
ours=0 all=0 bad=0

one_unit () {	# the unit as JSON, where
	unit=$1 where=$2
	field () { printf '%s' "$unit" | jq -r "$1 // empty"; }
	id=$(field .id) name=$(field .name)
	if test "$where" = tip; then at=$(field .simulated.tip); else at=$(field .at); fi
	all=$((all + 1))
	lay_out "$scratch/plain" "$name" "$at" && lay_out "$scratch/ours" "$name" "$at" || {
		echo "failed	$id	$where	$(head -n 1 "$scratch/err")"
		return 1
	}
	printf '%s' "$unit" | jq -r '.order[]' | revert_plainly "$scratch/plain/$name"
	plain=$?
	set -- "$(field .track)"
	test -z "$(field .phase)" || set -- "$@" --phase "$(field .phase)"
	test -z "$(field .task)" || set -- "$@" --task "$(field .task)"
	git -C "$scratch/ours/$name" revert-track "$@" --yes --quiet >"$scratch/out" 2>"$scratch/err"
	code=$?
	case $code.$plain in
	0.0)
		git -C "$scratch/ours/$name" diff --name-only HEAD \
			"$(git -C "$scratch/ours/$name" fetch -q "$scratch/plain/$name" perf &&
				git -C "$scratch/ours/$name" rev-parse FETCH_HEAD)" |
			grep -E -v "$documents" >"$scratch/differs"
		if test -s "$scratch/differs"
		then
			result=differs
		else
			result=same
		fi ;;
	0.1) result=better ;;
	1.1) result=conflict ;;
	1.*) # At its tip a track may have no documents yet.
		result=failed
		! grep -q "^error: there is no track" "$scratch/err" || {
			echo "absent	$id	$where"
			all=$((all - 1))
			return 0
		} ;;
	2.*) # A file that a filter changes, or that the clone has not, is nothing to compare by.
		result=failed
		! grep -q "^error: .* changes that would be overwritten" "$scratch/err" || {
			echo "unusable	$id	$where"
			all=$((all - 1))
			return 0
		} ;;
	*) result=failed ;;
	esac
	printf '%s\t%s\t%s\t%s\n' "$result" "$id" "$where" \
		"$(test "$result" = failed && grep -E '^(error|stopped)' "$scratch/err" | head -n 1)"
	test -z "$verbose" || test "$result" != differs || sed 's/^/	/' "$scratch/differs"
	case $result in
	same | better | conflict) ours=$((ours + 1)) ;;
	*) bad=1 ;;
	esac
}

# The true commits of a unit in the order of its history, the newest first.
with_order () {
	while read -r unit
	do
		name=$(printf '%s' "$unit" | jq -r .name)
		printf '%s' "$unit" | jq -r '.whole[]' |
			git -C "$clones/$name" rev-list --no-walk=unsorted --stdin |
			sort >"$scratch/set"
		git -C "$clones/$name" rev-list --topo-order "$(printf '%s' "$unit" | jq -r .at)" |
			grep -F -x -f "$scratch/set" |
			jq -R -s -c --argjson unit "$unit" \
				'$unit + {order: (split("\n") | map(select(length > 0)))}'
	done
}

jq -c '(.repos | map({key: .repo, value: .name}) | from_entries) as $names |
	.units[] | select(.set == "shown" and (.implementation | length) > 0) |
	. + {name: $names[.repo],
		whole: (.implementation + .plan_updates + .checkpoints + .creation + .closing | unique)}' \
	"$truth" >"$scratch/units"
test $# = 0 || {
	printf '%s\n' "$@" | jq -R -s 'split("\n")' >"$scratch/wanted"
	jq -c --slurpfile wanted "$scratch/wanted" 'select(.id as $id | $wanted[0] | index($id))' \
		"$scratch/units" >"$scratch/some" && mv "$scratch/some" "$scratch/units"
}
with_order <"$scratch/units" >"$scratch/ordered"
while read -r unit <&3
do
	one_unit "$unit" tip
	one_unit "$unit" head
done 3<"$scratch/ordered"
echo "$ours of $all as expected, or better"
exit $bad
