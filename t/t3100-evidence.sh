#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track --show: which commits belong to a unit, and why

Histories as they come about: linear, merged, squashed, rebased, picked, reverted, shallow. What was
written down is certain; what may as well mean another unit is only likely.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

# Two phases, with a verification each.
auth () {
	track auth_20260107 "Sign people in safely" <<-\EOF
	# Implementation Plan: Sign people in

	## Phase 1: Storage of sessions
	- [ ] Task: Keep sessions in a table
	    - [ ] Write tests
	- [ ] Task: Let sessions expire after a day
	- [ ] Task: Conductor - User Manual Verification "Storage" (Protocol in workflow.md)

	## Phase 2: Pages for signing in
	- [ ] Task: Show the form for signing in
	- [ ] Task: Count attempts that have failed
	EOF
}

# A track of its own, with one phase.
mail () {
	track mail_20260108 "Send mail to people" <<-\EOF
	# Plan

	## Phase 1: Outbox of letters
	- [ ] Task: Queue letters in the outbox
	- [ ] Task: Retry what was not delivered
	EOF
}

# ---- Linear ---------------------------------------------------------------------------------------

test_expect_success 'each task with its commit, in Conductor'\''s way' '
	project linear && auth &&
	work table.c "feat(db): Add the table" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	work expire.c "feat(db): Throw old ones away" && sha=$(tip) &&
	mark auth_20260107 "Let sessions" "[$sha]" &&
	test_tick && git commit -q --allow-empty -m "conductor(checkpoint): Checkpoint end of Phase 1" &&
	sha=$(tip) &&
	tick auth_20260107 "Manual Verification" &&
	sed "s/^## Phase 1.*/& [checkpoint: $sha]/" conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md &&
	commit_all "conductor(plan): Mark phase as complete" &&
	shown auth --phase 1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark phase as complete
	certain	checkpoint	conductor(checkpoint): Checkpoint end of Phase 1
	certain	plan	conductor(plan): Mark task '\''Let sessions'\'' as complete
	certain	implementation	feat(db): Throw old ones away
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	certain	implementation	feat(db): Add the table
	EOF
	test_cmp expect actual &&
	shown auth --task 1.2 >actual &&
	sed -n 3,4p expect >task &&
	test_cmp task actual &&
	shown auth --phase 2 >actual &&
	test_must_be_empty actual
'

test_expect_success 'the track has its creation and its closing, too' '
	cd linear &&
	sed "s/- \[ \] \*\*Track: Sign/- [x] **Track: Sign/" conductor/tracks.md >new &&
	mv new conductor/tracks.md &&
	commit_all "chore(conductor): Mark track as complete" &&
	mkdir conductor/archive && git mv conductor/tracks/auth_20260107 conductor/archive/ &&
	sed "/Track: Sign/,\$d" conductor/tracks.md >new && mv new conductor/tracks.md &&
	commit_all "chore(conductor): Archive track" &&
	shown auth | cut -f2 | sort | uniq -c | sed "s/^ *//" >actual &&
	cat >expect <<-\EOF &&
	1 checkpoint
	2 closing
	1 creation
	2 implementation
	3 plan
	EOF
	test_cmp expect actual &&
	shown auth --phase 1 >actual &&
	test_line_count = 6 actual
'

test_expect_success 'a plan that names no commits: the commit before each mark' '
	project unnamed && auth &&
	work table.c "feat(db): First" &&
	mark auth_20260107 "Keep sessions" &&
	work expire.c "feat(db): Second" &&
	mark auth_20260107 "Let sessions" &&
	shown auth --task 1.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	certain	implementation	feat(db): First
	EOF
	test_cmp expect actual &&
	evidence_of "feat(db): First" auth --task 1.1 >actual &&
	echo "run: lies before the mark $(git rev-parse HEAD~2 | cut -c1-7)" >expect &&
	test_cmp expect actual
'

test_expect_success 'the work and its mark in one commit' '
	project mixed && auth &&
	echo a >table.c && tick auth_20260107 "Keep sessions" && commit_all "Add the table" &&
	shown auth --task 1.1 >actual &&
	echo "certain	implementation	Add the table" >expect &&
	test_cmp expect actual
'

test_expect_success 'a plan line may name the commit that marked it: then the run before it' '
	project slip && auth &&
	work table.c "Add the table" &&
	mark auth_20260107 "Keep sessions" && sha=$(tip) &&
	sed "s/\(Keep sessions in a table\)/\1 $sha/" conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md &&
	commit_all "conductor(plan): Record commit" &&
	shown auth --task 1.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Record commit
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	certain	implementation	Add the table
	EOF
	test_cmp expect actual
'

test_expect_success 'a commit in between that no line names is left out of the task' '
	project between && auth &&
	work table.c "Add the table" && sha=$(tip) &&
	work README "Fix a typing error" &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	shown auth --task 1.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	likely	implementation	Fix a typing error
	certain	implementation	Add the table
	EOF
	test_cmp expect actual &&
	git revert-track --show auth --task 1.1 --porcelain >actual &&
	test_line_count = 3 actual &&
	grep "^left-out	.*	likely	implementation	run	Fix a typing error$" actual &&
	git revert-track --show auth --task 1.1 --min-evidence=likely --porcelain >actual &&
	! grep "^left-out" actual
'

test_expect_success 'the latest before a mark is not it where another is akin to the task' '
	project latest && auth &&
	work table.c "Add the table of sessions to keep" &&
	work README "Fix a typing error" &&
	mark auth_20260107 "Keep sessions" &&
	shown auth --task 1.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	likely	implementation	Fix a typing error
	certain	implementation	Add the table of sessions to keep
	EOF
	test_cmp expect actual
'

test_expect_success 'nor where its scope is another track' '
	project scope && auth && mail &&
	work queue.c "feat(mail): A queue" &&
	mark auth_20260107 "Keep sessions" &&
	shown auth --task 1.1 >actual &&
	grep "^likely	implementation	feat(mail): A queue$" actual
'

test_expect_success 'a mark that begins the next task is not of that one for sure' '
	project next && auth &&
	work table.c "Add the table" && sha=$(tip) &&
	tick auth_20260107 "Keep sessions" "$sha" &&
	sed "s/\[ \] Task: Let/[~] Task: Let/" conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md && commit_all "conductor(plan): Mark the first" &&
	work expire.c "Throw old ones away" && sha=$(tip) &&
	tick auth_20260107 "Let sessions" "$sha" && commit_all "conductor(plan): Mark the second" &&
	shown auth --task 1.2 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark the second
	certain	implementation	Throw old ones away
	likely	plan	conductor(plan): Mark the first
	EOF
	test_cmp expect actual
'

test_expect_success 'a checkpoint may carry the work, and bookkeeping in a run is none' '
	project checkpoint && auth &&
	echo a >table.c && commit_all "conductor(checkpoint): Checkpoint end of Phase 1" &&
	echo b >>README && commit_all "chore(conductor): Update README" &&
	tick auth_20260107 "Keep sessions" && tick auth_20260107 "Let sessions" &&
	tick auth_20260107 "Manual Verification" && commit_all "conductor(plan): Mark phase as complete" &&
	shown auth --phase 1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark phase as complete
	certain	checkpoint	conductor(checkpoint): Checkpoint end of Phase 1
	EOF
	test_cmp expect actual
'

test_expect_success 'a mark that something slipped into is a mark, where the work is before it' '
	project slipped && auth &&
	work table.c "Add the table" &&
	echo c >cache && mark auth_20260107 "Keep sessions" &&
	echo d >expire.c && mark auth_20260107 "Let sessions" &&
	shown auth --phase 1 >actual &&
	cat >expect <<-\EOF &&
	certain	implementation	conductor(plan): Mark task '\''Let sessions'\'' as complete
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	certain	implementation	Add the table
	EOF
	test_cmp expect actual
'

test_expect_success 'a title that was said twice: the one that the plan names' '
	project twice && auth &&
	work form.c "feat: Show the form for signing in" &&
	work table.c "Between" && sha=$(tip) && mark auth_20260107 "Keep sessions" "$sha" &&
	work form.c "feat: Show the form for signing in" && sha=$(tip) &&
	mark auth_20260107 "Show the form" "$sha" &&
	shown auth --task 2.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Show the form'\'' as complete
	certain	implementation	feat: Show the form for signing in
	likely	implementation	feat: Show the form for signing in
	EOF
	test_cmp expect actual
'

test_expect_success 'what makes a track, and what is updated behind it' '
	project around &&
	echo x >.gitignore && auth && git reset -q --soft HEAD~1 &&
	commit_all "conductor(setup): Add conductor files" &&
	work a.c "Do it" && mark auth_20260107 "Keep sessions" &&
	sed "s/- \[ \] \*\*Track/- [x] **Track/" conductor/tracks.md >new && mv new conductor/tracks.md &&
	commit_all "chore(conductor): Mark track as complete" &&
	echo y >conductor/product.md && echo z >README &&
	commit_all "docs(conductor): Synchronize docs for track '\''Sign people in safely'\''" &&
	work b.c "feat: Sign people in safely" &&
	shown auth >actual &&
	cat >expect <<-\EOF &&
	likely	implementation	feat: Sign people in safely
	certain	closing	docs(conductor): Synchronize docs for track '\''Sign people in safely'\''
	certain	closing	chore(conductor): Mark track as complete
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	certain	implementation	Do it
	certain	creation	conductor(setup): Add conductor files
	EOF
	test_cmp expect actual
'

# ---- More than one unit ---------------------------------------------------------------------------

test_expect_success 'one mark for four tasks: certain of what is around them, likely of each' '
	project four && auth &&
	work table.c "Do it all" &&
	tick auth_20260107 "Keep sessions" && tick auth_20260107 "Let sessions" &&
	tick auth_20260107 "Show the form" && tick auth_20260107 "Count attempts" &&
	commit_all "conductor(plan): Mark tasks as complete" &&
	shown auth --task 1.2 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark tasks as complete
	likely	implementation	Do it all
	EOF
	test_cmp expect actual &&
	shown auth | grep "Do it all" >actual &&
	echo "certain	implementation	Do it all" >expect &&
	test_cmp expect actual
'

test_expect_success 'one commit for two tasks that both name it is both'\'' and said to be shared' '
	project shared && auth &&
	work table.c "Do two things" && sha=$(tip) &&
	tick auth_20260107 "Keep sessions" "$sha" && tick auth_20260107 "Let sessions" "$sha" &&
	commit_all "conductor(plan): Mark tasks as complete" &&
	shown auth --task 1.1 | grep "^certain	implementation	Do two things$" &&
	evidence_of "Do two things" auth --task 1.1 >actual &&
	cat >expect <<-EOF &&
	recorded: the plan names it as $sha
	shared: also of track '\''auth_20260107'\'', phase 1 '\''Storage of sessions'\'', task 2 '\''Let sessions expire after a day'\''
	EOF
	test_cmp expect actual &&
	evidence_of "Do two things" auth --phase 1 >actual &&
	! grep shared actual
'

test_expect_success 'two tracks in turn: none gets the other'\'' commits' '
	project turns && auth && mail &&
	work table.c "Add the table" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	work outbox.c "Add the outbox" && sha=$(tip) &&
	mark mail_20260108 "Queue letters" "$sha" &&
	work expire.c "Throw old ones away" && sha=$(tip) &&
	mark auth_20260107 "Let sessions" "$sha" &&
	shown mail | grep -v creation >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Queue letters'\'' as complete
	certain	implementation	Add the outbox
	EOF
	test_cmp expect actual &&
	shown auth | grep implementation >actual &&
	cat >expect <<-\EOF &&
	certain	implementation	Throw old ones away
	certain	implementation	Add the table
	EOF
	test_cmp expect actual
'

test_expect_success 'a plan that names a commit of another track is not believed' '
	project foreign && auth && mail &&
	work table.c "Add the table" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	work outbox.c "Add the outbox" &&
	mark mail_20260108 "Queue letters" "$sha" &&
	shown mail --task 1.1 | sort >actual &&
	cat >expect <<-\EOF &&
	certain	implementation	Add the outbox
	certain	plan	conductor(plan): Mark task '\''Queue letters'\'' as complete
	likely	implementation	Add the table
	EOF
	test_cmp expect actual
'

# ---- Rewritten ------------------------------------------------------------------------------------

# A feature branch with two tasks, whose commits the plan names.
feature () {
	project "$1" && auth &&
	git switch -q -c feature &&
	work table.c "feat(db): Add the table" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	work expire.c "feat(db): Throw old ones away" && sha=$(tip) &&
	mark auth_20260107 "Let sessions" "$sha" &&
	git switch -q main &&
	work other.c "Something else"
}

test_expect_success 'merged with --no-ff: its commits, and not the merge' '
	feature merged &&
	test_tick && git merge -q --no-ff -m "Merge branch feature" feature &&
	work later.c "Something later" &&
	shown auth | grep -v "	plan	\|	creation	" >actual &&
	cat >expect <<-\EOF &&
	certain	implementation	feat(db): Throw old ones away
	certain	implementation	feat(db): Add the table
	EOF
	test_cmp expect actual
'

test_expect_success 'rebased: found by author, date and message, and shown as such' '
	feature rebased &&
	old=$(git rev-parse --short feature~1) &&
	test_tick && git rebase -q main feature && git switch -q main && git merge -q feature &&
	shown auth --task 1.2 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Let sessions'\'' as complete
	certain	implementation	feat(db): Throw old ones away
	EOF
	test_cmp expect actual &&
	evidence_of "feat(db): Throw old ones away" auth --task 1.2 | sed 1q >actual &&
	echo "rewritten: the plan names $old, of the same author, date and message" >expect &&
	test_cmp expect actual
'

test_expect_success 'rebased, and what was there before is gone for good: by the run' '
	cd rebased &&
	git branch -D -q feature && git reflog expire --expire=now --all && git gc -q --prune=now &&
	test_must_fail git cat-file -e "$old" &&
	shown auth --task 1.2 >actual &&
	test_cmp ../rebased/actual actual &&
	grep "^certain	implementation	feat(db): Throw old ones away$" actual &&
	evidence_of "feat(db): Throw old ones away" auth --task 1.2 | grep "^run: "
'

test_expect_success 'reworded by somebody else: found by what it changes' '
	feature reworded &&
	old=$(git rev-parse --short feature~1) &&
	for commit in $(git rev-list --reverse main..feature)
	do
		test_tick &&
		git cherry-pick -n "$commit" >/dev/null &&
		git commit -q --author="B <b@example.invalid>" -m "Part of it" || return 1
	done &&
	git revert-track --show auth --task 1.2 --json >json &&
	jq -r ".commits[] | select(.role == \"implementation\").evidence[0].detail" json >actual &&
	echo "the plan names $old, which changed the same" >expect &&
	test_cmp expect actual
'

test_expect_success 'squashed: of each task, and shared; gone for good, of what is around them' '
	feature squashed &&
	test_tick && git merge -q --squash feature >/dev/null && git commit -q -m "Sign people in (#7)" &&
	shown auth --task 1.1 >actual &&
	grep "^certain	implementation	Sign people in (#7)$" actual &&
	evidence_of "Sign people in (#7)" auth --task 1.1 | grep "^shared: also of .* task 2" &&
	git branch -q -D feature && git reflog expire --expire=now --all && git gc -q --prune=now &&
	shown auth --task 1.1 >actual &&
	grep "^likely	implementation	Sign people in (#7)$" actual &&
	! grep "^certain	implementation" actual &&
	shown auth --phase 1 | grep "^certain	implementation	Sign people in (#7)$" &&
	shown auth | grep "^certain	implementation	Sign people in (#7)$"
'

test_expect_success 'picked: the same change on the branch is of the unit, too' '
	project picked && auth &&
	work table.c "Add the table" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	git switch -q -c release HEAD~2 &&
	test_tick && git cherry-pick -x "$sha" >/dev/null &&
	git switch -q main && test_tick && git merge -q -m "Merge release" release &&
	shown auth --task 1.1 | grep implementation >actual &&
	test_line_count = 2 actual &&
	git revert-track --show auth --task 1.1 --json |
		jq -r "[.commits[].evidence[].kind] | sort | unique | join(\" \")" >actual &&
	echo "picked plan recorded" >expect &&
	test_cmp expect actual
'

# ---- Reverted -------------------------------------------------------------------------------------

test_expect_success 'what was reverted is said, and the revert is no part of the unit' '
	project reverted && auth &&
	work table.c "feat(db): Keep sessions in a table" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	test_tick && git revert --no-edit HEAD~1 >/dev/null &&
	shown auth --task 1.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark task '\''Keep sessions'\'' as complete
	certain	implementation	feat(db): Keep sessions in a table
	EOF
	test_cmp expect actual &&
	evidence_of "feat(db): Keep sessions in a table" auth --task 1.1 | grep "^reverted: "
'

test_expect_success 'and what was brought back is not' '
	cd reverted &&
	test_tick && git revert --no-edit HEAD >/dev/null &&
	evidence_of "feat(db): Keep sessions in a table" auth --task 1.1 >actual &&
	! grep "^reverted: " actual &&
	shown auth --task 1.1 >actual &&
	test_line_count = 2 actual
'

# ---- What messages say ----------------------------------------------------------------------------

test_expect_success 'trailers name track, phase and task' '
	project trailers && auth &&
	work a.c "One

Track: auth_20260107
Phase: 2
Task: 1" &&
	work b.c "Two

Track: auth_20260107" &&
	work c.c "Three

Track: nothing_of_that_name" &&
	shown auth --task 2.1 >actual &&
	echo "certain	implementation	One" >expect &&
	test_cmp expect actual &&
	shown auth | grep -v creation >actual &&
	printf "certain	implementation	%s\n" Two One >expect &&
	test_cmp expect actual
'

test_expect_success 'a message that names the id, or the whole title of a task' '
	project messages && auth &&
	work a.c "feat(auth_20260107): Do something" &&
	work b.c "feat: Show the form for signing in" &&
	work c.c "feat: Show the form" &&
	work d.c "fix: not auth_202601079 nor xauth_20260107" &&
	work e.c "Close it" &&
	tick auth_20260107 "Count attempts" && commit_all "conductor(plan): Mark" &&
	shown auth | grep "^certain	implementation" | cut -f3 | sort >actual &&
	cat >expect <<-\EOF &&
	Close it
	feat(auth_20260107): Do something
	feat: Show the form
	feat: Show the form for signing in
	EOF
	grep "feat(auth_20260107)" actual && grep "for signing in" actual &&
	! grep "xauth" actual &&
	shown auth --task 2.1 | grep "^certain	implementation	feat: Show the form for signing in$"
'

test_expect_success 'a title before the track was made is likely at most' '
	project early &&
	work a.c "feat: Show the form for signing in" &&
	auth &&
	work b.c "Show it again" &&
	mark auth_20260107 "Show the form" &&
	shown auth --task 2.1 >actual &&
	! grep "^certain	implementation	feat: Show the form" actual &&
	grep "^certain	implementation	Show it again$" actual
'

test_expect_success 'notes name what a commit was for' '
	project notes && auth &&
	work a.c "Something" &&
	git notes add -m "Task: Count attempts that have failed" &&
	work b.c "Something else" &&
	shown auth --task 2.2 >actual &&
	echo "certain	implementation	Something" >expect &&
	test_cmp expect actual &&
	evidence_of Something auth --task 2.2 >actual &&
	echo "note: a note names it" >expect &&
	test_cmp expect actual
'

test_expect_success 'a branch that is named after the track brings its commits' '
	project branch && auth &&
	git switch -q -c track/auth_20260107 &&
	work a.c "One" && work b.c "Two" &&
	git switch -q main && work c.c "Aside" &&
	test_tick && git merge -q --no-ff --no-edit track/auth_20260107 &&
	shown auth | grep -v creation >actual &&
	printf "certain	implementation	%s\n" Two One >expect &&
	test_cmp expect actual
'

# ---- Stories --------------------------------------------------------------------------------------

stories () {
	cat >prd.json <<-\EOF
	{ "userStories": [
	  { "id": "US-001", "title": "Add a field for priority", "passes": false },
	  { "id": "US-002", "title": "Show the priority", "passes": false },
	  { "id": "US-003", "title": "Sort by priority", "passes": false } ] }
	EOF
}

test_expect_success 'stories, by trailer, by message and by prd.json' '
	project stories && stories && commit_all "Add stories" &&
	work a.c "Add the field

Story: US-001" &&
	work b.c "feat: US-002 - Show the priority" &&
	echo c >c.c && sed "/US-003/s/false/true/" prd.json >new && mv new prd.json && commit_all "Sort" &&
	work d.c "US-0021 is another" &&
	for story in 1 2 3
	do
		shown --story US-00$story || return 1
	done >actual &&
	cat >expect <<-\EOF &&
	certain	implementation	Add the field
	certain	implementation	feat: US-002 - Show the priority
	certain	implementation	Sort
	EOF
	test_cmp expect actual
'

test_expect_success 'a story needs no list' '
	project listless &&
	work a.c "Add the field

Story: US-009" &&
	work b.c "Something" &&
	shown --story US-009 >actual &&
	echo "certain	implementation	Add the field" >expect &&
	test_cmp expect actual &&
	test_expect_code 1 git revert-track --show --story US-010 2>err &&
	test_grep "there is no story .US-010." err
'

# ---- Documents and clones -------------------------------------------------------------------------

test_expect_success 'a plan with CRLF' '
	project crlf && auth &&
	sed "s/\$/$(printf "\r")/" conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md && commit_all "Other line ends" &&
	work table.c "Add the table" && sha=$(tip) &&
	sed "/Keep sessions/s/\[ \]\(.*\)$(printf "\r")/[x]\1 $sha$(printf "\r")/" \
		conductor/tracks/auth_20260107/plan.md >new &&
	mv new conductor/tracks/auth_20260107/plan.md && commit_all "conductor(plan): Mark" &&
	shown auth --task 1.1 >actual &&
	cat >expect <<-\EOF &&
	certain	plan	conductor(plan): Mark
	certain	implementation	Add the table
	EOF
	test_cmp expect actual
'

test_expect_success 'no registry' '
	project registerless && auth && git rm -q conductor/tracks.md && commit_all "Away with it" &&
	work table.c "Add the table" &&
	mark auth_20260107 "Keep sessions" &&
	shown auth --task 1.1 | grep "^certain	implementation	Add the table$"
'

test_expect_success 'a plan that is added when all is done' '
	project late &&
	work table.c "Add the table" && sha=$(tip) &&
	work expire.c "Throw old ones away" && other=$(tip) &&
	track auth_20260107 "Sign people in safely" <<-EOF &&
	# Plan
	## Phase 1: Storage
	- [x] Task: Keep sessions in a table ($sha)
	- [x] Task: Show it to somebody (approved)
	- [x] Task: Let sessions expire after a day ($other)
	EOF
	shown auth --task 1.1 >actual &&
	echo "certain	implementation	Add the table" >expect &&
	test_cmp expect actual &&
	shown auth --task 1.2 >actual &&
	! grep "^certain" actual
'

test_expect_success 'storage components, in their own layout' '
	project storage &&
	mkdir -p storage-conductor/storages/orders &&
	echo "{\"storage_id\": \"orders\", \"title\": \"Orders\", \"status\": \"In Progress\"}" \
		>storage-conductor/storages/orders/metadata.json &&
	printf "# Plan\n\n## Phase 1: Schema\n- [ ] Create the table of orders\n- [ ] Add an index\n" \
		>storage-conductor/storages/orders/plan.md &&
	printf "# Storages\n\n| Storage ID | Title | Status |\n|---|---|---|\n| orders | Orders | In Progress |\n" \
		>storage-conductor/tracks.md &&
	commit_all "Plan orders" &&
	work migrations/001.sql "migration: orders" &&
	sed "s/\[ \] Create/[x] Create/" storage-conductor/storages/orders/plan.md >new &&
	mv new storage-conductor/storages/orders/plan.md && commit_all "Tick" &&
	shown orders --task 1.1 >actual &&
	printf "certain	plan	Tick\ncertain	implementation	migration: orders\n" >expect &&
	test_cmp expect actual
'

test_expect_success 'a shallow clone has what it has' '
	git clone -q --depth 3 "file://$PWD/linear" shallow &&
	cd shallow &&
	shown auth >actual &&
	grep "^certain	closing	chore(conductor): Archive track$" actual
'

test_expect_success 'a partial clone fetches the plans it needs' '
	git -C linear config uploadpack.allowFilter true &&
	git clone -q --filter=blob:none "file://$PWD/linear" partial &&
	(cd linear && shown auth) >expect &&
	(cd partial && shown auth) >actual &&
	test_cmp expect actual
'

test_expect_success 'a bare repository, a linked worktree, a folder below' '
	(cd linear && shown auth) >expect &&
	git clone -q --bare linear bare.git &&
	(cd bare.git && shown auth) >actual &&
	test_cmp expect actual &&
	git -C linear worktree add -q ../linked &&
	(cd linked/conductor && shown auth) >actual &&
	test_cmp expect actual
'

test_expect_success 'git log is asked, whatever a person has set for it' '
	cd linear &&
	shown auth >expect &&
	git config log.showSignature true && git config log.follow true && git config diff.renames copies &&
	git config format.pretty oneline && git config log.decorate full &&
	git config core.quotePath true && git config diff.noprefix true && git config color.ui always &&
	GIT_PAGER=false GIT_LITERAL_PATHSPECS=1 shown auth >actual &&
	test_cmp expect actual
'

test_expect_success 'odd names, messages and ids' '
	git init -q --object-format=sha256 odd && cd odd &&
	printf "%s\n" actual expect new >.git/info/exclude &&
	auth &&
	name=$(printf "\001%s\nx" "$(tip)") && echo a >"$name" && echo b >"$(printf "\001")" &&
	git add -A && test_tick && git commit -q --allow-empty-message -m "" && sha=$(tip) &&
	mark auth_20260107 "Keep sessions" "$sha" &&
	test_tick && printf "\001\351 Latin\n\n:100644 000000 x\n" >new && echo c >c.c && git add c.c &&
	git -c i18n.commitEncoding=ISO-8859-1 commit -q -F new && sha=$(git rev-parse HEAD) &&
	mark auth_20260107 "Let sessions" "$sha" &&
	git revert-track --show auth --phase 1 --json >actual &&
	jq -r ".commits[] | select(.role == \"implementation\") | .oid, .subject" actual >new &&
	printf "%s\n\001\303\251 Latin\n%s\n\n" "$sha" "$(git rev-parse HEAD~3)" >expect &&
	test_cmp expect new
'

# ---- Asking and answering -------------------------------------------------------------------------

test_expect_success '--json is as documented' '
	cd shared &&
	git revert-track --show auth --task 1.1 --json >json &&
	jq -c "[keys, (.unit | keys), (.commits[0] | keys), (.commits[0].evidence[0] | keys)]" json >actual &&
	cat >expect <<-\EOF &&
	[["commits","format","left_out","unit"],["kind","phase","task","title","track"],["evidence","level","oid","role","subject"],["detail","kind"]]
	EOF
	test_cmp expect actual &&
	jq -c ".format, .unit" json >actual &&
	cat >expect <<-\EOF &&
	1
	{"track":"auth_20260107","phase":1,"task":1,"title":"Keep sessions in a table","kind":"task"}
	EOF
	test_cmp expect actual &&
	git revert-track --list --json >json &&
	jq -c ".format, .units[0]" json >actual &&
	cat >expect <<-\EOF &&
	1
	{"track":"auth_20260107","phase":null,"task":null,"title":"Sign people in safely","kind":"track","state":"pending","commits":3}
	EOF
	test_cmp expect actual
'

test_expect_success 'every key of --json is in the manual' '
	cd stories &&
	{ git revert-track --list --json && git revert-track --show --story US-001 --json; } |
		jq -r ".. | objects | keys[]" | sort -u >out &&
	test_line_count = 19 out &&
	while read -r key
	do
		test_grep -F "\`$key\`" "$TEST_TOP"/man/git-revert-track.adoc || return 1
	done <out
'

test_expect_success '--list has what was begun, and --all the rest' '
	cd turns &&
	git revert-track --list --porcelain >actual &&
	cat >expect <<-\EOF &&
	track	auth_20260107			pending	5	Sign people in safely
	phase	auth_20260107	1		in_progress	4	Storage of sessions
	task	auth_20260107	1	1	done	2	Keep sessions in a table
	task	auth_20260107	1	2	done	2	Let sessions expire after a day
	track	mail_20260108			pending	3	Send mail to people
	phase	mail_20260108	1		in_progress	2	Outbox of letters
	task	mail_20260108	1	1	done	2	Queue letters in the outbox
	EOF
	test_cmp expect actual &&
	git revert-track --list --all --porcelain >actual &&
	test_line_count = 12 actual &&
	git revert-track --list >actual &&
	test_grep "^    1.2 .* done  *2  Let sessions expire after a day$" actual
'

test_expect_success 'a unit without commits is shown as such' '
	cd turns &&
	git revert-track --show auth --task 2.2 >actual &&
	test_grep "pending: no commits$" actual
'

test_expect_success 'more than one may be meant: they are listed' '
	cd turns &&
	test_expect_code 1 git revert-track --show people >out 2>err &&
	test_must_be_empty out &&
	test_grep "^error: track .people. may be any of these:" err &&
	test_grep "auth_20260107" err && test_grep "mail_20260108" err &&
	test_expect_code 1 git revert-track --show auth --task sessions 2>err &&
	test_grep "error: task .sessions. may be any of these:" err
'

test_expect_success 'there is none: what there is, is listed' '
	cd turns &&
	test_expect_code 1 git revert-track --show nothing 2>err &&
	test_grep "^error: there is no track .nothing.; there are:" err &&
	test_grep "mail_20260108" err &&
	test_expect_code 1 git revert-track --show auth --phase 9 2>err &&
	test_grep "^error: there is no phase .9.; there are:" err
'

test_expect_success 'no project, and no commit yet' '
	project empty &&
	git revert-track --list >out 2>err &&
	test_must_be_empty out &&
	test_grep "no units" err &&
	test_expect_code 1 git revert-track --show x 2>err &&
	git init -q "$TRASH_DIRECTORY"/unborn && cd "$TRASH_DIRECTORY"/unborn &&
	mkdir -p conductor/tracks/x_1 && echo "- [ ] A" >conductor/tracks/x_1/plan.md &&
	git revert-track --show x_1 >actual &&
	test_grep "no commits$" actual
'

test_expect_success 'misuse' '
	cd turns &&
	test_expect_code 129 git revert-track --show 2>err &&
	test_grep "which unit" err &&
	test_expect_code 129 git revert-track --show a b 2>err &&
	test_expect_code 129 git revert-track --list x 2>err &&
	test_expect_code 129 git revert-track --list --show x 2>err &&
	test_expect_code 129 git revert-track --show x --story y 2>err &&
	test_expect_code 129 git revert-track --show x --all 2>err &&
	test_expect_code 129 git revert-track --show x --min-evidence=sure 2>err &&
	test_expect_code 129 git revert-track --list --phase 1 2>err &&
	test_expect_code 129 git revert-track --show x --squash 2>err
'

test_done
