#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: files of the work, and documents, that were moved

Neither what is known of a unit nor what reverting it does may depend on where its files are by now.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

# Two tracks; of the first, a task whose commit is recorded, one that the run before its mark tells,
# and one that is marked with its work.
documents () {
	project "$1" && mkdir conductor && echo "# Product" >conductor/product.md &&
	commit_all "conductor(setup): Add files" &&
	track auth_20260107 "Sign people in safely" <<-\EOF &&
	# Plan

	## Phase 1: Storage of sessions
	- [ ] Task: Keep sessions in a table
	- [ ] Task: Let sessions expire after a day

	## Phase 2: Pages for signing in
	- [ ] Task: Show the form for signing in
	EOF
	track mail_20260108 "Send mail to people" <<-\EOF &&
	# Plan

	## Phase 1: Outbox of letters
	- [ ] Task: Queue letters in the outbox
	EOF
	work src/table.c "Add a table" && mark auth_20260107 "Keep sessions" "$(tip)" &&
	work src/queue.c "Add a queue" && mark mail_20260108 "Queue letters" "$(tip)" &&
	work src/expire.c "Throw old ones away" && mark auth_20260107 "Let sessions" &&
	echo form >src/form.c && tick auth_20260107 "Show the form" && commit_all "Add a form"
}

all_units () {
	for unit_ in "auth" "auth --phase 1" "auth --task 1.1" "auth --task 1.2" "auth --task 2.1" "mail --task 1.1"
	do
		# shellcheck disable=SC2086 # words
		echo "$unit_:" && shown $unit_ || return
	done
}

# The move may be of the tracks, but changes nothing else.
unmoved () {
	all_units | grep -v "	Move"
}

revert_1_1 () {
	git revert-track auth --task 1.1 -y -q && test_path_is_missing src/table.c && test_path_is_file src/expire.c &&
	test_grep "^- . . Task: Keep sessions in a table\$" "$1/auth_20260107/plan.md"
}

# ---- Documents ------------------------------------------------------------------------------------

test_expect_success 'the folder of all documents is called otherwise' '
	documents renamed && all_units >expect && grep -c "^certain	implementation" expect >out && echo 9 >task && test_cmp task out &&
	git mv conductor .conductor && commit_all "Move the documents" &&
	unmoved >actual && test_cmp expect actual && revert_1_1 .conductor/tracks
'

test_expect_success 'it is in a folder below by now, and was in another in between' '
	documents below && all_units >expect &&
	mkdir -p docs && git mv conductor docs/conductor && commit_all "Move them" &&
	unmoved >actual && test_cmp expect actual &&
	mkdir -p services/web && git mv docs/conductor services/web/conductor && commit_all "Move them again" &&
	unmoved >actual && test_cmp expect actual && revert_1_1 services/web/conductor/tracks
'

test_expect_success 'moved to the top, and edited with it' '
	documents top && all_units >expect && mkdir plans && git mv conductor/tracks plans/tracks && git mv conductor/tracks.md plans/ &&
	sed "s/^# Plan/# The plan/" plans/tracks/auth_20260107/plan.md >new && mv new plans/tracks/auth_20260107/plan.md &&
	commit_all "Move and edit" && unmoved >actual && test_cmp expect actual && revert_1_1 plans/tracks
'

test_expect_success 'copied first, and what was there before removed later' '
	documents copied && all_units >expect && cp -r conductor .conductor && commit_all "Move: copy" &&
	work later.c Later && git rm -r -q conductor && commit_all "Move: remove" &&
	unmoved >actual && test_cmp expect actual && revert_1_1 .conductor/tracks
'

test_expect_success 'a track is archived, with and without an edit, and gets another name' '
	documents archived && all_units >expect && mkdir conductor/archive &&
	git mv conductor/tracks/auth_20260107 conductor/archive/ && commit_all "Move: archive" &&
	unmoved >actual && test_cmp expect actual &&
	git mv conductor/archive/auth_20260107 conductor/archive/2026-auth && commit_all "Move: another name" &&
	unmoved >actual && test_cmp expect actual &&
	git revert-track auth --task 1.1 -y -q && test_path_is_missing src/table.c &&
	test_grep "^- . . Task: Keep sessions in a table\$" conductor/archive/2026-auth/plan.md
'

test_expect_success 'work goes on behind the move' '
	documents on && git mv conductor .conductor && commit_all "Move the documents" &&
	printf "%s\n" "- [ ] Task: Count what has failed" >>.conductor/tracks/auth_20260107/plan.md && commit_all "conductor(plan): Add a task" &&
	work src/count.c "Count" && sed "s/^- . . Task: Count.*/- [x] Task: Count what has failed $(tip)/" .conductor/tracks/auth_20260107/plan.md >new &&
	mv new .conductor/tracks/auth_20260107/plan.md && commit_all "conductor(plan): Mark it" &&
	shown auth --task 2.2 | grep "^certain	implementation	Count\$" && shown auth --task 1.1 | grep "^certain	implementation	Add a table\$" &&
	shown auth --task 1.2 | grep "^certain	implementation	Throw old ones away\$"
'

test_expect_success 'a move of all tracks is no closing of one' '
	cd renamed && evidence_of "Move the documents" auth >actual && ! grep registry actual &&
	shown auth >actual && grep "^likely	closing	Move the documents" actual &&
	cd ../copied && shown auth >actual && ! grep "^certain	.*	Move: remove" actual
'

# ---- Files of the work ----------------------------------------------------------------------------

test_expect_success 'a file that somebody else has renamed since, or moved with its folder' '
	documents away && printf "%s\n" 1 2 3 4 5 6 >src/old.c && commit_all "Something old" &&
	printf "%s\n" "- [ ] Task: Count what has failed" >>conductor/tracks/auth_20260107/plan.md && commit_all "conductor(plan): Add a task" &&
	echo 7 >>src/old.c && commit_all "Count" && sed "s/^- . . Task: Count.*/- [x] Task: Count what has failed $(tip)/" conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md && commit_all "conductor(plan): Mark it" && all_units >expect &&
	git mv src lib && git mv lib/old.c lib/new.c && work other.c "Other" &&
	all_units | grep -v "	Other\$" >actual && test_cmp expect actual &&
	git revert-track auth --task 2.2 -n --json >json && jq -r ".verdict, (.files[] | .change + \" \" + .path)" json >actual &&
	printf "%s\n" clean "changes lib/new.c" >expect && test_cmp expect actual &&
	git revert-track auth --task 2.2 -y -q && printf "%s\n" 1 2 3 4 5 6 >expect && test_cmp expect lib/new.c && test_path_is_missing src
'

test_expect_success 'the unit itself has renamed a file of old: it comes back where it was' '
	project own && printf "%s\n" 1 2 3 4 5 6 7 >old.c && commit_all "An old file" && track auth_20260107 "Sign people in safely" <<-\EOF &&
	# Plan

	## Phase 1: Storage of sessions
	- [ ] Task: Keep sessions in a table
	EOF
	git mv old.c new.c && commit_all "Rename" && first=$(tip) && echo 8 >>new.c && commit_all "Add to it" &&
	mark auth_20260107 "Keep sessions" "$first $(tip)" && sed "s/1/one/" new.c >tmp && mv tmp new.c && commit_all "Another change" &&
	git revert-track auth -y -q && test_path_is_missing new.c && printf "%s\n" one 2 3 4 5 6 7 >expect && test_cmp expect old.c
'

test_expect_success 'work in a file under its new name is akin to that under the old one' '
	project akin && track auth_20260107 "Sign people in safely" <<-\EOF &&
	# Plan

	## Phase 1: Storage of sessions
	- [ ] Task: Keep sessions in a table
	- [ ] Task: Let them expire
	EOF
	printf "%s\n" 1 2 3 4 5 6 >table.c && commit_all "Begin" && mark auth_20260107 "Keep sessions" "$(tip)" &&
	mkdir lib && git mv table.c lib/rows.c && commit_all "Another place" && work lib/rows.c "The change" && work readme.txt "Words" &&
	mark auth_20260107 "Let them" && evidence_of "The change" auth --task 1.2 >actual && grep "^files: " actual &&
	shown auth --task 1.2 | grep "	implementation	" >actual && cat >expect <<-\EOF && test_cmp expect actual
	likely	implementation	Words
	certain	implementation	The change
	certain	implementation	Another place
	EOF
'

test_done
