# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-tracks: histories of tracks. Source it after test-lib.sh.
#
#	project NAME		a repository with one commit; the working directory is in it
#	track ID TITLE		adds conductor/tracks/ID with the plan on stdin, and its entry; one commit
#	work FILE SUBJECT	changes a file, and commits it
#	tick ID TEXT [SHA]	ticks the task whose line has TEXT, and writes the commit to it
#	mark ID TEXT [SHA]	tick, and a commit of it: "conductor(plan): Mark task ... as complete"
#	tip			the abbreviated id of HEAD
#	shown UNIT...		what --show says, a line for each commit: level, role, subject
#	evidence_of SUBJECT UNIT...	what it says of one commit: its evidence, a line each

project () {
	git init -q -b main "$1" &&
	cd "$1" &&
	printf '%s\n' actual expect err out json new task >.git/info/exclude &&
	echo start >start.txt &&
	git add start.txt &&
	commit_all 'Start'
}

commit_all () {
	test_tick &&
	git add -A &&
	git commit -q -m "$1"
}

track () {
	mkdir -p "conductor/tracks/$1" &&
	cat >"conductor/tracks/$1/plan.md" &&
	printf '{"track_id": "%s", "status": "new", "description": "%s"}\n' "$1" "$2" \
		>"conductor/tracks/$1/metadata.json" &&
	{ test -f conductor/tracks.md || printf '# Project Tracks\n' >conductor/tracks.md; } &&
	printf '\n---\n\n- [ ] **Track: %s**\n  *Link: [./tracks/%s/](./tracks/%s/)*\n' "$2" "$1" "$1" \
		>>conductor/tracks.md &&
	commit_all "chore(conductor): Add new track '$2'"
}

work () {
	mkdir -p "$(dirname "$1")" &&
	printf '%s\n' "$2" >>"$1" &&
	commit_all "$2"
}

tip () {
	git rev-parse --short HEAD
}

plan_of () {
	ls conductor/*/"$1"/plan.md
}

tick () {
	plan_=$(plan_of "$1") &&
	sed "/^- \[.\].*$2/s/^- \[.\]\(.*[^ ]\) *\$/- [x]\1${3:+ $3}/" "$plan_" >plan.tmp &&
	! cmp -s plan.tmp "$plan_" &&
	mv plan.tmp "$plan_"
}

mark () {
	tick "$@" &&
	commit_all "conductor(plan): Mark task '$2' as complete"
}

shown () {
	git revert-track --show "$@" --porcelain | cut -f3,4,6
}

evidence_of () {
	subject_=$1 &&
	shift &&
	git revert-track --show "$@" --json |
		jq -r --arg s "$subject_" '.commits + .left_out | .[] | select(.subject == $s) |
			.evidence[] | .kind + ": " + .detail'
}
