#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track --show: what could as well mean something else is likely, never certain

Words that a title has in common with something else, trailers and ids that only look like it, and merges
that plans name.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

SQ=\'

auth () {
	track auth_20260107 "Sign people in" <<-\EOF
	# Plan

	## Phase 1: Storage
	- [ ] Create the users table
	- [ ] Add a login form
	EOF
}

# ---- Words ----------------------------------------------------------------------------------------

test_expect_success 'some words in common: none of the commits before the mark is known to be the work' '
	project words && auth &&
	work accounts.sql "feat(auth): migration for accounts" &&
	work admin.css "hotfix(admin): users table is too wide on phones" &&
	mark auth_20260107 "Create the users" &&
	shown auth --task 1.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Create the users'\'' as complete
	likely	implementation	hotfix(admin): users table is too wide on phones
	likely	implementation	feat(auth): migration for accounts
	EOF
	test_cmp expect actual &&
	work login.html "feat: markup" &&
	work legacy.c "old login form posts to the wrong address" &&
	mark auth_20260107 "Add a login" &&
	shown auth --task 1.2 | grep implementation >actual &&
	cat >expect <<-\EOF &&
	likely	implementation	old login form posts to the wrong address
	likely	implementation	feat: markup
	EOF
	test_cmp expect actual &&
	shown auth >actual &&
	! grep "^certain	implementation" actual
'

test_expect_success 'nor is it of the phase, where the plan names the work' '
	project named && auth &&
	work accounts.sql "feat(auth): migration for accounts" && sha=$(tip) &&
	work admin.css "hotfix(admin): users table is too wide on phones" &&
	mark auth_20260107 "Create the users" "$sha" &&
	shown auth --phase 1 | grep implementation >actual &&
	cat >expect <<-\EOF &&
	likely	implementation	hotfix(admin): users table is too wide on phones
	certain	implementation	feat(auth): migration for accounts
	EOF
	test_cmp expect actual
'

test_expect_success 'who says what the task says, and little else, is it' '
	project about && auth &&
	work users.sql "feat(db): create table of users" &&
	work admin.css "hotfix(admin): too wide on phones" &&
	mark auth_20260107 "Create the users" &&
	shown auth --task 1.1 | grep implementation >actual &&
	cat >expect <<-\EOF &&
	likely	implementation	hotfix(admin): too wide on phones
	certain	implementation	feat(db): create table of users
	EOF
	test_cmp expect actual
'

test_expect_success 'two words are not what a title of three says' '
	project two-words && auth &&
	work users.sql "migration for accounts" && work admin.css "fix users table" &&
	mark auth_20260107 "Create the users" &&
	shown auth --task 1.1 >actual && ! grep "^certain	implementation" actual &&
	work form.c "feat: login form" && work admin.css "narrow it once more" &&
	mark auth_20260107 "Add a login" &&
	shown auth --task 1.2 | grep "^certain	implementation" >actual &&
	echo "certain	implementation	feat: login form" >expect && test_cmp expect actual
'

test_expect_success 'what another did, or what goes on with the same files, does not come between' '
	project rivals && auth &&
	work README "Update the introduction" &&
	git commit -q --amend --no-edit --author="Other <other@example.com>" &&
	work accounts.sql "First half" && work accounts.sql "Second half" &&
	mark auth_20260107 "Create the users" &&
	shown auth --task 1.1 | grep implementation >actual &&
	cat >expect <<-\EOF &&
	certain	implementation	Second half
	certain	implementation	First half
	likely	implementation	Update the introduction
	EOF
	test_cmp expect actual
'

test_expect_success 'files that several commits of the phase have changed are its files' '
	project files && auth &&
	work a.c "One" && sha=$(tip) && mark auth_20260107 "Create the users" "$sha" &&
	work b.c "Two" && sha=$(tip) && echo more >>a.c && echo more >>b.c && echo more >c.c &&
	commit_all "Align them" && mark auth_20260107 "Add a login" "$sha" &&
	shown auth --phase 1 | grep "Align them" >actual &&
	echo "certain	implementation	Align them" >expect &&
	test_cmp expect actual
'

# ---- Trailers -------------------------------------------------------------------------------------

audio () {
	track audio_20260107 "Play music in the browser" <<-\EOF
	# Plan

	## Phase 1: Player
	- [ ] Add a player
	- [ ] Add a playlist
	EOF
}

said () {	# file, subject, lines behind it
	echo "$2" >>"$1" && git add -A && test_tick && printf "%s\n\n%s\n" "$2" "$3" | git commit -q -F -
}

test_expect_success 'a trailer says all of an id, or of a name' '
	project trailers && audio &&
	said a.c "By id" "Track: audio_20260107" &&
	said b.c "By name" "track: Play music in the browser
Phase: player
Task: Add a playlist" &&
	said c.c "Part of an id" "Track: audio" &&
	said d.c "Part of a name" "Artist: The Band
Track: music" &&
	said e.c "Part of a task" "Track: audio_20260107
Phase: 1
Task: playlist" &&
	shown audio | grep implementation >actual &&
	cat >expect <<-\EOF &&
	certain	implementation	Part of a task
	likely	implementation	Part of a name
	likely	implementation	Part of an id
	certain	implementation	By name
	certain	implementation	By id
	EOF
	test_cmp expect actual &&
	shown audio --task 1.2 >actual &&
	cat >expect <<-\EOF &&
	likely	implementation	Part of a task
	certain	implementation	By name
	EOF
	test_cmp expect actual &&
	shown audio --phase 1 >actual &&
	sed "s/^likely/certain/" expect >new && test_cmp new actual
'

test_expect_success 'a line like one is none where git sees none' '
	project lines && audio &&
	said a.c "Sample data" "The importer prints these lines for each song,
and some more of its own kind behind them:
Track: Play music in the browser
Length: 3:30" &&
	said b.c "A paragraph before the last" "Track: audio_20260107

That is all." &&
	said c.c "Signed" "It is about this, and somebody has signed it.
Track: audio_20260107
Signed-off-by: A U Thor <author@example.com>" &&
	said d.c "Indented" "Like so:

    Track: Play music in the browser" &&
	shown audio | grep "^certain	implementation" >actual &&
	echo "certain	implementation	Signed" >expect &&
	test_cmp expect actual
'

# ---- Ids ------------------------------------------------------------------------------------------

# A track of each kind of id, with as many commits of bookkeeping behind as ahead.
ids () {
	for id in dark-mode 101 auth_20260107
	do
		track "$id" "About $id" <<-\EOF || return 1
		# Plan

		## Phase 1: Work
		- [ ] Do it
		EOF
	done
}
later () {
	for id in dark-mode 101 auth_20260107
	do
		echo more >>"conductor/tracks/$id/plan.md"
	done && commit_all "Words"
}
certain () {	# id
	shown "$1" | grep "^certain	implementation" | cut -f3 | sort
}

test_expect_success 'an id that is a word, or a number, is one where its place says so' '
	project ids && ids &&
	work a.c "feat(email): support dark-mode in newsletters" &&
	work b.c "fix: redirect of route /101 is wrong" &&
	work c.c "dark-mode for newsletters" &&
	work d.c "fix: contrast of links (dark-mode)" &&
	work e.c "docs: which words are in track dark-mode" &&
	work f.c "fix dark-mode" &&
	work g.c "fix: issue #101 is back" &&
	later &&
	certain dark-mode >actual && test_must_be_empty actual &&
	certain 101 >actual && test_must_be_empty actual &&
	shown dark-mode | grep -c "^likely	implementation" >actual && echo 5 >expect && test_cmp expect actual &&
	cd .. && project placed && ids &&
	cat >expect <<-\EOF &&
	Archive track dark-mode
	Fix links (track: dark-mode)
	[dark-mode] Fix links
	conductor: Finish (track dark-mode)
	dark-mode: Fix links
	feat(dark-mode): Fix links
	fix(email, dark-mode)!: Fix links
	EOF
	while read -r subject
	do
		work a.c "$subject" || return 1
	done <expect &&
	work b.c "fix(101): Fix links" && work b.c "[101] Fix links" && work b.c "Begin track 101" &&
	later &&
	certain dark-mode >actual && sort expect >new && test_cmp new actual &&
	certain 101 >actual && printf "%s\n" "Begin track 101" "[101] Fix links" "fix(101): Fix links" >expect &&
	test_cmp expect actual
'

test_expect_success 'an id with a date is one, too, where it comes first or stands alone; not in prose' '
	project dated && ids &&
	cat >expect <<-\EOF &&
	Implement auth_20260107
	auth_20260107 is done
	feat(auth_20260107): Fix links
	fix: links (auth_20260107)
	EOF
	while read -r subject
	do
		work a.c "$subject" || return 1
	done <expect &&
	work b.c "fix(ci): speed up; unrelated to auth_20260107" &&
	work b.c "fix(ci): speed up (not auth_20260107)" &&
	work b.c "fix(ci): speed up before the work on track auth_20260107" &&
	later &&
	certain auth >actual && test_cmp expect actual &&
	shown auth | grep -c "^likely	implementation	fix(ci)" >actual && echo 3 >expect && test_cmp expect actual
'

test_expect_success 'a note is read like a subject, line by line' '
	project notes && ids &&
	work a.c "One" && git notes add -m "Task: links
Track: dark-mode" &&
	work b.c "Two" && git notes add -m "Has been asked for by those of dark-mode" &&
	later && certain dark-mode >actual && echo One >expect && test_cmp expect actual
'

test_expect_success 'of a merge, what it brought is the branch, not where it was merged to' '
	project branch && ids && git switch -q -c dark-mode &&
	git switch -q main && work a.c "Of others" && git switch -q dark-mode && work b.c "Ours" &&
	git merge -q --no-ff --no-edit main && work c.c "Ours, too" && git switch -q main &&
	git switch -q -c hotfix && work d.c "Hotfix" && git switch -q main &&
	test_tick && git merge -q --no-ff -m "Merge pull request #101 from somebody/hotfix" hotfix &&
	test_tick && git merge -q --no-ff --no-edit dark-mode && later &&
	certain dark-mode >actual && printf "%s\n" "Ours" "Ours, too" >expect && test_cmp expect actual &&
	certain 101 >actual && test_must_be_empty actual
'

# ---- Merges ---------------------------------------------------------------------------------------

# A branch with two commits, merged; the plan names the merge.
merging () {	# name, message
	project "$1" && auth && git switch -q -c users &&
	work users.sql "Make a start" && work users.sql "Finish" &&
	git switch -q main && work README "Aside" &&
	test_tick && git merge -q --no-ff -m "$2" users && sha=$(tip)
}

test_expect_success 'a merge that the plan names: what came by it, and goes one by one' '
	merging merge "Merge branch ${SQ}users${SQ}" && work README "Aside again" &&
	mark auth_20260107 "Create the users" "$sha" &&
	shown auth --task 1.1 | grep -v "Aside\$" >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Create the users'\'' as complete
	likely	implementation	Aside again
	likely	implementation	Merge branch '\''users'\''
	certain	implementation	Finish
	certain	implementation	Make a start
	EOF
	test_cmp expect actual &&
	evidence_of Finish auth --task 1.1 >actual &&
	echo "recorded: the plan names $sha, the merge by which it came" >expect && test_cmp expect actual &&
	git revert-track auth --task 1.1 -y -q && test_path_is_missing users.sql && test_grep "Aside again" README
'

test_expect_success 'not what others had done, that was merged into a branch of the track' '
	project back && auth && git switch -q -c feature && work a.c "Ours" &&
	git switch -q main && work b.c "Of others" && git switch -q feature &&
	test_tick && git merge -q --no-edit main && sha=$(tip) && mark auth_20260107 "Create the users" "$sha" &&
	shown auth --task 1.1 >actual && ! grep "^certain.*Of others" actual &&
	git switch -q main && work c.c "More" && git merge -q --no-edit feature &&
	shown auth --task 1.1 >actual && ! grep "Of others" actual
'

test_expect_success 'one merge for two tasks: likely of each' '
	merging two "Users and forms" &&
	tick auth_20260107 "Create the users" "$sha" && tick auth_20260107 "Add a login" "$sha" &&
	commit_all "conductor(plan): Mark tasks" &&
	shown auth --task 1.1 >actual && ! grep "^certain	implementation" actual && grep "^likely	implementation	Finish$" actual
'

test_done
