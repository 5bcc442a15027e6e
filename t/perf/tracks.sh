#!/bin/bash
# SPDX-License-Identifier: MIT
#
# tracks: how often git revert-track --show is right about real repositories, and what it costs on a
# long history.
#
#	t/perf/tracks.sh [CLONES] [REPOSITORY]
#
# CLONES/tracks/<name> are clones with a worktree; CLONES/tracks-truth.json, or $TRACKS_TRUTH, has their
# units with the commits that make them up, as somebody has read them. Printed is for each repository
#
#	precision	of the commits called certain, the share that is the unit's. What the truth has as
#			optional counts neither way. Less than 1 fails
#	recall		of the unit's commits, the share that is called certain. Less than 0.95 fails
#	work		the same, of those that are the work itself
#	likely		commits of the unit that were left out, and listed
#
# REPOSITORY has a long history, as git's own; on a copy of it that shares its objects one track is
# added. Its --show may cost 1.5 times what `git log --format=%B` does, in processor time, and 256 MiB;
# so may --list. A track that is as old as the history takes two walks over all of it, one for its
# documents and one for the messages: what that costs is told, and without a limit.
#
# PERF_ROUNDS=5 counted rounds. What is not given is skipped.

PERF_ROUNDS=${PERF_ROUNDS:-5}
. "$(dirname "${BASH_SOURCE[0]}")"/perf-lib.sh

# Before the helper changes HOME and the like: absolute names.
clones=${1:+$(cd "$1" && pwd -P)} || exit
repository=${2:+$(cd "$2" && pwd -P)} || exit
truth=${TRACKS_TRUTH:-$clones/tracks-truth.json}
perf_start tracks
git config --global safe.directory '*'

# ---- Accuracy --------------------------------------------------------------------------------------

# One line of a unit: repository, right, wrong, true, work that is right, work, likely.
judge='
def oids: map(if type == "object" then .commit else . end);
($unit | [.implementation, .plan_updates, .checkpoints, .creation, .closing | oids[]] | unique) as $true |
($unit.optional | oids) as $optional |
($unit.implementation | oids) as $work |
([.commits[].oid]) as $said |
[$name, ($true - ($true - $said) | length), ($said - $true - $optional | length), ($true | length),
 ($work - ($work - $said) | length), ($work | length),
 ($true - ($true - [.left_out[].oid]) | length)] | @tsv'

accuracy () {
	local repo name track phase task story where
	jq -r '(.repos | map({(.repo): .name}) | add) as $names | .units | to_entries[] |
		[.key, $names[.value.repo], .value.track // "-", .value.phase // "-", .value.task // "-",
		 .value.story // "-"] | @tsv' \
		"$truth" >"$PERF_DIR/units" || exit
	while IFS=$'\t' read -r number name track phase task story
	do
		repo=$clones/tracks/$name
		test -d "$repo" || { echo "$name: no clone in $clones/tracks" >&2; exit 1; }
		where=("$track")
		test "$phase" = - || where+=(--phase "$phase")
		test "$task" = - || where+=(--task "$task")
		test "$story" = - || where=(--story "$story")
		git -C "$repo" revert-track --show "${where[@]}" --json >"$PERF_DIR/said" || exit
		jq -r --argjson number "$number" --arg name "$name" --slurpfile truth "$truth" \
			"\$truth[0].units[\$number] as \$unit | $judge" "$PERF_DIR/said" || exit
	done <"$PERF_DIR/units" >"$PERF_OUT"
	awk -F'\t' '
	function share(n, of) { return of ? sprintf("%.3f", n / of) : "-" }
	function line(name) {
		printf "%-24s %5d  %9s  %6s  %6s  %6d\n", name, units[name], share(right[name],
			right[name] + wrong[name]), share(right[name], all[name]),
			share(done[name], work[name]), likely[name]
	}
	function add(name) {
		units[name]++; right[name] += $2; wrong[name] += $3; all[name] += $4
		done[name] += $5; work[name] += $6; likely[name] += $7
	}
	{ if (!($1 in units)) order[++nr] = $1; add($1); add("all") }
	END {
		printf "%-24s %5s  %9s  %6s  %6s  %6s\n", "repository", "units", "precision", "recall", "work", "likely"
		for (i = 1; i <= nr; i++) line(order[i])
		line("all")
		exit wrong["all"] > 0 || right["all"] < 0.95 * all["all"]
	}' "$PERF_OUT" || perf_failed=1
}

# ---- Cost ------------------------------------------------------------------------------------------

# Processor time in milliseconds of a command and its children.
cpu () {
	local TIMEFORMAT='%U %S'
	{ time "$@" >/dev/null 2>&1; } 2>&1 | awk '{ printf "%.0f\n", ($1 + $2) * 1000 }'
}

# The largest resident set of the process itself, in KiB.
peak () {
	local peak=0 now pid
	"$@" >/dev/null 2>&1 &
	pid=$!
	while now=$(awk '/^VmHWM/ { print $2 }' "/proc/$pid/status" 2>/dev/null) && test -n "$now"
	do
		peak=$now
		sleep 0.02
	done
	wait "$pid"
	echo "$peak"
}

# A track with two tasks, made of nothing but objects: the copy has no files.
add_track () {
	git read-tree HEAD &&
	mkdir -p conductor/tracks/cost_20260101 &&
	printf '# Tracks\n\n- [ ] **Track: What it costs**\n  *Link: [./tracks/cost_20260101/](./tracks/cost_20260101/)*\n' \
		>conductor/tracks.md &&
	printf '# Plan\n\n## Phase 1: Costs\n- [ ] Task: Find the first cost\n- [ ] Task: Find the second cost\n' \
		>conductor/tracks/cost_20260101/plan.md &&
	git add -f conductor && git commit -q -m 'chore(conductor): Add new track' &&
	for which in first second
	do
		echo "$which" >"conductor-$which.c" &&
		git add -f "conductor-$which.c" && git commit -q -m "feat: Find the $which cost" &&
		sed -i "s/\[ \] Task: Find the $which cost/[x] Task: Find the $which cost $(git rev-parse HEAD | cut -c1-10)/" \
			conductor/tracks/cost_20260101/plan.md &&
		git add -f conductor && git commit -q -m "conductor(plan): Mark task" || return 1
	done
}

# Another one, whose documents came with a root of their own when all began.
add_old_track () {
	local born root
	born="$(git log --max-parents=0 --format=%ct | sort -n | head -n 1) +0000"
	mkdir -p conductor/tracks/old_20050101 &&
	printf '# Plan\n\n## Phase 1: Start\n- [x] Task: Write the very first thing\n- [ ] Task: Write the next thing\n' \
		>conductor/tracks/old_20050101/plan.md &&
	root=$(
		export GIT_INDEX_FILE="$PERF_DIR/index" GIT_AUTHOR_DATE="$born" GIT_COMMITTER_DATE="$born"
		git add -f conductor/tracks/old_20050101 &&
			git commit-tree -m 'chore(conductor): Add old track' "$(git write-tree)"
	) &&
	git merge -q -s ours --allow-unrelated-histories -m 'Merge old track' "$root" &&
	git add -f conductor && git commit -q --amend --no-edit
}

cost () {
	local round
	git clone -q --shared --no-checkout "$repository" "$PERF_DIR/copy" && cd "$PERF_DIR/copy" || exit
	add_track || exit
	for ((round = 1; round <= PERF_ROUNDS; round++))
	do
		printf 'log\t%s\n' "$(cpu git log --format=%B)"
		printf 'track\t%s\n' "$(cpu git revert-track --show cost)"
		printf 'story\t%s\n' "$(cpu git revert-track --show --story US-001)"
		printf 'list\t%s\n' "$(cpu git revert-track --list)"
	done >"$PERF_DIR/cost"
	printf 'peak\t%s\n' "$(peak git-revert-track --show cost)" >>"$PERF_DIR/cost"
	git revert-track --show cost --porcelain | wc -l | grep -qx 5 || {
		echo "the track has not its five commits" >&2
		exit 1
	}
	add_old_track || exit
	for ((round = 1; round <= PERF_ROUNDS; round++))
	do
		printf 'log\t%s\n' "$(cpu git log --format=%B)"
		printf 'old\t%s\n' "$(cpu git revert-track --show old)"
	done >>"$PERF_DIR/cost"
	git revert-track --show old --porcelain | wc -l | grep -qx 1 || {
		echo "the old track has not its commit" >&2
		exit 1
	}
	sort -k1,1 -k2,2n "$PERF_DIR/cost" | awk -F'\t' '
	{ value[$1, ++nr[$1]] = $2 }
	function median(who) { return value[who, int((nr[who] + 1) / 2)] }
	function line(who, what) {
		printf "  %-44s %6d ms  x %.2f\n", what, median(who), median(who) / median("log")
		if (who != "old" && median(who) > 1.5 * median("log")) over = 1
	}
	END {
		print "processor time, median"
		line("log", "git log --format=%B")
		line("track", "git revert-track --show <track>")
		line("story", "git revert-track --show --story <id>")
		line("list", "git revert-track --list")
		line("old", "git revert-track --show <track as old as all>")
		printf "memory: %d MiB\n", value["peak", 1] / 1024
		exit over || value["peak", 1] > 256 * 1024
	}' || perf_failed=1
}

if test -n "$clones"
then
	accuracy
else
	echo "accuracy: skipped, for want of clones and of a truth (see the head of this script)"
fi
if test -n "$repository"
then
	cost
else
	echo "cost: skipped, for want of a repository with a long history"
fi
perf_end
