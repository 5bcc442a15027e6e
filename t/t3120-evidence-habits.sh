#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track --show, and the habits of those who write histories

Lists of stories that are replaced and count anew; documents that were moved; tracks that are archived in
two steps, renamed, or tidied up by the next one; tasks that are worded anew. What may as well mean
another unit is only likely.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

# One phase of two tasks.
auth () {
	track auth_20260107 "Sign people in safely, with a password" <<-\EOF
	# Implementation Plan: Signing in

	## Phase 1: Storage of sessions
	- [ ] Task: Keep sessions in a table
	- [ ] Task: Let sessions expire after a day
	EOF
}
mail () {
	track mail_20260108 "Send mail to people" <<-\EOF
	# Plan

	## Phase 1: Outbox of letters
	- [ ] Task: Queue letters in the outbox
	- [ ] Task: Retry what was not delivered
	EOF
}

# A list with one story.
story () {	# id, title, passes
	printf '{"userStories": [{"id": "%s", "title": "%s", "passes": %s}]}\n' "$@" >prd.json
}

entry () {	# sed script: what becomes of the registry
	sed "$1" conductor/tracks.md >new && mv new conductor/tracks.md
}

# ---- Stories --------------------------------------------------------------------------------------

test_expect_success 'a list that was replaced: the id of before is another story' '
	project replaced && story US-001 "Draw the map of all rooms" false && commit_all "List" &&
	work map.c "feat: [US-001] - Draw the map of all rooms" &&
	story US-001 "Draw the map of all rooms" true && commit_all "chore: mark US-001 complete" &&
	story US-001 "Write letters to the owner" false && commit_all "chore: next list" &&
	work letter.c "feat: [US-001] - Write letters to the owner" &&
	story US-001 "Write letters to the owner" true && commit_all "chore: mark US-001 complete" &&
	cat >expect <<-EOF &&
	certain	plan	chore: mark US-001 complete
	certain	implementation	feat: [US-001] - Write letters to the owner
	likely	plan	chore: mark US-001 complete
	likely	implementation	feat: [US-001] - Draw the map of all rooms
	EOF
	shown --story US-001 >actual &&
	test_cmp expect actual
'

test_expect_success 'a list that was only added late names what was done before' '
	cd .. && project late &&
	work map.c "feat: [US-001] - Draw the map" &&
	story US-001 "Draw the map of all rooms" true && commit_all "Add the list" &&
	printf "certain\timplementation\tfeat: [US-001] - Draw the map\n" >expect &&
	shown --story US-001 | grep feat >actual &&
	test_cmp expect actual &&
	printf "story\tUS-001\t\t\tdone\t2\tDraw the map of all rooms\n" >expect &&
	git revert-track --list --porcelain >actual &&
	test_cmp expect actual &&
	git revert-track --story US-001 --dry-run >actual &&
	test_grep "feat: .US-001. - Draw the map" actual
'

test_expect_success 'a story by its whole title' '
	cd .. && project titled && story setup "Set up the pages of the guide" true &&
	commit_all "List" &&
	work guide.c "docs: setup - Set up the pages of the guide" &&
	work other.c "docs: setup of other things" &&
	printf "certain\timplementation\tdocs: setup - Set up the pages of the guide\n" >expect &&
	shown --story setup | grep docs >actual &&
	test_cmp expect actual
'

# ---- Documents that move --------------------------------------------------------------------------

test_expect_success 'the folder of all documents was moved: the history goes on where it was' '
	cd .. && project home && auth &&
	work table.c "Add a table" && mark auth_20260107 "Keep sessions" &&
	mkdir src && git mv conductor src/conductor && commit_all "Move things" &&
	cat >expect <<-EOF &&
	certain	plan	conductor(plan): Mark task "Keep sessions" as complete
	certain	implementation	Add a table
	EOF
	shown auth --task 1.1 | sed "s/'\''/\"/g" >actual &&
	test_cmp expect actual
'

test_expect_success 'archived under another name, and removed later: it is the same track' '
	cd .. && project renamed && auth &&
	git mv conductor/tracks/auth_20260107 conductor/tracks/auth && entry "s/auth_20260107/auth/g" &&
	commit_all "Call it auth" &&
	work table.c "Add a table" && mark auth "Keep sessions" &&
	mkdir conductor/archive && cp -R conductor/tracks/auth conductor/archive/auth_20260109 &&
	commit_all "chore(conductor): archive it" &&
	git rm -q -r conductor/tracks/auth && commit_all "Tidy up" &&
	cat >expect <<-EOF &&
	certain	plan	conductor(plan): Mark task "Keep sessions" as complete
	certain	implementation	Add a table
	EOF
	shown auth_20260109 --task 1.1 | sed "s/'\''/\"/g" >actual &&
	test_cmp expect actual
'

test_expect_success 'a copy that was left behind when it was archived is not meant' '
	cd .. && project copied && auth &&
	work table.c "Add a table" && sha=$(tip) &&
	mkdir conductor/archive && cp -R conductor/tracks/auth_20260107 conductor/archive &&
	sed "s/\[ \] \(Task: Keep.*\)/[x] \1 $sha/" conductor/tracks/auth_20260107/plan.md \
		>conductor/archive/auth_20260107/plan.md &&
	commit_all "chore(conductor): Archive it" &&
	printf "certain\timplementation\tAdd a table\n" >expect &&
	for unit in auth auth_20260107 conductor/archive/auth_20260107
	do
		shown $unit --task 1.1 | grep table >actual && test_cmp expect actual || return 1
	done
'

# ---- What messages call a track -------------------------------------------------------------------

test_expect_success 'a track by its id without the date, by how it begins, and as it was called before' '
	cd .. && project names && auth && mail &&
	entry "s/Sign people in safely/Let people in/" && commit_all "Other words" &&
	for name in auth "Let people in" "Sign people in safely, with a password"
	do
		echo "$name" >>conductor/product.md &&
		commit_all "docs(conductor): Synchronize docs for track '\''$name'\''" || return 1
	done &&
	echo x >>conductor/product.md &&
	commit_all "docs(conductor): Synchronize docs for track '\''Something else'\''" &&
	shown auth_20260107 | grep Synchronize | cut -f1,2 >actual &&
	printf "certain\tclosing\n%.0s" 1 2 3 >expect &&
	test_cmp expect actual &&
	shown mail >actual && ! grep Synchronize actual
'

test_expect_success 'whoever begins the next track tidies up: of this one that is likely' '
	cd .. && project tidy && auth &&
	entry "s/- \[ \]/- [x]/" && mail &&
	printf "likely\tclosing\tchore(conductor): Add new track '\''Send mail to people'\''\n" >expect &&
	shown auth | grep mail >actual &&
	test_cmp expect actual
'

test_expect_success 'a checkpoint is what is called so, not what speaks of one' '
	cd .. && project speaks &&
	test_tick && git commit -q --allow-empty -m "test: a person has approved the checkpoint" &&
	auth && test_tick && git commit -q --allow-empty -m "docs: await the checkpoint of a person" &&
	test_tick && git commit -q --allow-empty -m "conductor(checkpoint): Phase 1" &&
	mark auth_20260107 "Keep sessions" &&
	shown auth >actual && test_grep "(checkpoint)" actual && ! grep person actual
'

# ---- Plans ----------------------------------------------------------------------------------------

test_expect_success 'a task that was worded anew keeps its mark' '
	cd .. && project reworded && auth &&
	work table.c "Add a table" && mark auth_20260107 "Keep sessions" &&
	sed "s/Keep sessions in a table/Keep all sessions in a table/" \
		conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md && commit_all "Words" &&
	cat >expect <<-EOF &&
	certain	plan	conductor(plan): Mark task "Keep sessions" as complete
	certain	implementation	Add a table
	EOF
	shown auth --task 1.1 | grep -v Words | sed "s/'\''/\"/g" >actual &&
	test_cmp expect actual
'

test_expect_success 'a plan that comes with a mark of several tasks' '
	cd .. && project several && mkdir -p conductor/tracks/mail_20260108 && work outbox.c "Write it" &&
	cat >conductor/tracks/mail_20260108/plan.md <<-\EOF &&
	# Plan

	## Phase 1: Outbox of letters
	- [x] Task: Queue letters in the outbox
	- [x] Task: Retry what was not delivered
	- [ ] Task: Tell who sent it
	EOF
	commit_all "conductor(plan): Mark tasks as complete" &&
	shown mail --task 1.2 >actual &&
	test_grep "certain	plan	conductor(plan): Mark tasks" actual
'

test_expect_success 'work that ticks what is done elsewhere is the track'\''s, if no task'\''s' '
	cd .. && project slip && auth &&
	work table.c "Add a table" && sha=$(tip) &&
	tick auth_20260107 "Keep sessions" "$sha" && work check.c "Check it all" &&
	printf "certain\timplementation\tCheck it all\n" >expect &&
	shown auth | grep Check >actual && test_cmp expect actual &&
	printf "likely\tplan\tCheck it all\n" >expect &&
	shown auth --task 1.1 | grep Check >actual && test_cmp expect actual
'

test_expect_success 'a heap of files that speaks of something else, and ticks a box, is likely' '
	cd .. && project heap && auth && mkdir heap &&
	for i in 1 2 3 4 5 6 7 8 9
	do
		touch heap/${i}1 heap/${i}2 heap/${i}3 heap/${i}4 heap/${i}5 || return 1
	done &&
	tick auth_20260107 "Keep sessions" && commit_all "Another kitchen" &&
	printf "likely\timplementation\tAnother kitchen\n" >expect &&
	shown auth --task 1.1 >actual && test_cmp expect actual &&
	rm -r heap/* && tick auth_20260107 "Let sessions" && commit_all "Old sessions go" &&
	printf "certain\timplementation\tOld sessions go\n" >expect &&
	shown auth --task 1.2 >actual && test_cmp expect actual
'

test_expect_success 'a commit that is likely of two lines is certain of what is around them' '
	cd .. && project lines && auth &&
	work table.c "Add a table" && sha=$(tip) && work else.c "Something" &&
	mark auth_20260107 "Keep sessions" "$(tip)" && work more.c "More" &&
	mark auth_20260107 "Let sessions" "$sha" &&
	sed "s/^\(.*Keep sessions.*\) .*/\1 $sha/" conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md && commit_all "conductor(plan): Another" &&
	printf "certain\timplementation\tAdd a table\n" >expect &&
	shown auth --phase 1 | grep "Add a table" >actual && test_cmp expect actual
'

test_expect_success 'files alone do not tell whose work it is where another track changes them, too' '
	cd .. && project files && mail && auth &&
	work menu.c "Make room in the menu" && mark mail_20260108 "Queue letters" "$(tip)" &&
	work menu.c "Polish" &&
	work menu.c "Keep sessions in a table" && mark auth_20260107 "Keep sessions" "$(tip)" &&
	shown auth >actual && test_grep ! "certain.*Polish" actual
'

test_done
