#!/bin/sh
# SPDX-License-Identifier: MIT
#
# How much of real plan documents is recognised.
#
#   documents.sh CLONES [TRUTH]
#
# CLONES is a folder of clones with plan documents. For each it prints the tracks with a plan, the
# phases, phases with a commit, tasks, done tasks, done tasks with a commit, check boxes below
# tasks, and commits; read from the worktree, and compared with what is read from HEAD.
#
# TRUTH is a JSON file: "repos" with "name" (the clone's) and "repo", and "units" with "repo", "at" (a
# commit), "plan" (its path there), "kind", "phase" and "task" (their numbers) and "title". Each phase
# and task must be found by its numbers, and have that title; it exits 1 when one has not.
set -eu

here=$(cd "$(dirname "$0")/../.." && pwd)
tool=${BUILD:-$here/build}/t/unit/workflow-tool
test $# -ge 1 || { sed -n '/^#   /s/^#   /usage: /p' "$0" >&2; exit 129; }
clones=$1 truth=${2:-}

printf '%-24s tracks\tphases\twith\ttasks\tdone\twith\tbelow\tcommits\n' repository
for clone in "$clones"/*/
do
	name=$(basename "$clone")
	counts=$(cd "$clone" && "$tool" count)
	head=$(cd "$clone" && "$tool" count HEAD)
	test "$counts" = "$head" || counts="$counts (HEAD: $head)"
	printf '%-24s %s\n' "$name" "$counts"
done

test -n "$truth" || exit 0
list=$(mktemp) && trap 'rm -f "$list"' EXIT
jq -r '(.repos | map({(.repo): .name}) | add) as $name | .units[] | select(.kind != "track") |
	[.id, $name[.repo], .at, .plan, .phase, .task // 0, .title] | @tsv' "$truth" |
	sed 's/\\\\/\\/g' >"$list"
wrong=0 all=0
tab=$(printf '\t')
while IFS=$tab read -r id name at plan phase task title
do
	all=$((all + 1))
	found=$(git -C "$clones/$name" show "$at:$plan" | "$tool" unit "$plan" "$phase" "$task")
	test "$found" = "$title" && continue
	wrong=$((wrong + 1))
	printf '%s: "%s" instead of "%s"\n' "$id" "$found" "$title"
done <"$list"
echo "$((all - wrong)) of $all units are found by their numbers"
test "$wrong" -eq 0
