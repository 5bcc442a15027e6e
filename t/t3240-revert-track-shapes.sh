#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: other layouts, other histories, and random ones

TEST_TRACK_ROUNDS is how many random histories are tried (default: 6), TEST_TRACK_SEED the first of them
(default: another one each day).'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

plan=conductor/tracks/auth_20260101/plan.md

test_expect_success 'a storage project: the table, the metadata, the plan; removed with its folder' '
	fresh && mkdir -p storage-conductor/storages/users_20260101 &&
	cat >storage-conductor/tracks.md <<-\END &&
	# Storage Components

	| Storage ID | Title | Status | Created Date |
	|---|---|---|---|
	| users_20260101 | User storage | Completed | 2026-01-01 |
	END
	printf "{\"storage_id\":\"users_20260101\",\t\"status\": \"Completed\"}\r\n" \
		>storage-conductor/storages/users_20260101/metadata.json &&
	printf "# Plan\r\n\r\n## Phase 1: Schema\r\n\r\n- [ ] Create the users table\r\n" \
		>storage-conductor/storages/users_20260101/plan.md &&
	cp -r storage-conductor ../before && commit "storage: add users_20260101" &&
	echo users >users && commit "migration: users table" &&
	sed -i "s/\[ \] Create/[x] Create/" storage-conductor/storages/users_20260101/plan.md &&
	commit "plan: Create the users table" &&
	git revert-track users -y -q 2>../err && test_path_is_missing users &&
	test_cmp ../before/storages/users_20260101/plan.md storage-conductor/storages/users_20260101/plan.md &&
	printf "{\"storage_id\":\"users_20260101\",\t\"status\": \"Reverted\"}\r\n" >../expect &&
	test_cmp ../expect storage-conductor/storages/users_20260101/metadata.json &&
	sed "s/Completed/Reverted/" ../before/tracks.md >../expect && test_cmp ../expect storage-conductor/tracks.md &&
	git revert-track users -y -q --remove 2>../err &&
	sed "/users_2026/d" ../before/tracks.md >../expect && test_cmp ../expect storage-conductor/tracks.md &&
	test_path_is_missing storage-conductor/storages/users_20260101
'

test_expect_success 'a story, by its trailers, and by prd.json' '
	fresh && printf "{\"userStories\": [\n  {\"id\": \"US-1\", \"title\": \"Sign in\", \"passes\": true},\n  {\"id\": \"US-2\", \"title\": \"Sign out\", \"passes\": true}\n]}\n" >prd.json &&
	commit start && echo in >in && git add -A && git commit -q -m "feat: sign in" -m "Story: US-1" &&
	echo out >out && commit "feat: [US-2] sign out" &&
	git revert-track --story US-1 -y >../out 2>../err && test_path_is_missing in && test_path_is_file out &&
	jq -e ".userStories[0].passes == false and .userStories[1].passes" prd.json &&
	git log -1 --format="%(trailers:key=Reverts-Story,valueonly)" >../actual && test_grep "^US-1\$" ../actual &&
	git rm -q prd.json && commit "no list" && echo more >more && git add -A &&
	git commit -q -m "feat: more" -m "Story: US-9" &&
	git revert-track --story US-9 -y -q 2>../err && test_path_is_missing more &&
	test_expect_code 1 git revert-track --story US-8 -y 2>../err && test_grep "no story .US-8." ../err
'

test_expect_success 'rewritten: the plan names commits that are gone' '
	whole_project && git checkout -q -b rewritten && first=$(git rev-list --max-parents=0 HEAD) &&
	git filter-branch -f --msg-filter "cat; echo; echo rewritten" -- "$first..HEAD" >/dev/null 2>&1 &&
	git revert-track auth --task 1.2 -n --json >../json &&
	jq -e "[.commits[] | select(.role == \"implementation\")] | length == 1 and .[0].subject == \"feat(auth): user model\"" ../json
'

test_expect_success 'a track that was merged with --no-ff, and its branch is gone' '
	project && git checkout -q -b work && mkdir -p src && echo a >src/a && work "feat(auth): users table" &&
	done_task auth_20260101 "Create the users table" && echo b >src/b && work "feat(auth): user model" &&
	done_task auth_20260101 "Add a user model" && git checkout -q main && echo m >m && commit "main" &&
	git merge -q --no-ff -m "Merge branch work" work && git branch -q -D work &&
	git revert-track auth --phase 1 -y -q 2>../err && test_path_is_missing src/a && test_path_is_missing src/b && test_path_is_file m
'

test_expect_success 'reverted by hand, and brought back: what is there decides' '
	whole_project && code=$(git log --format=%H --grep "^feat(auth): login form") &&
	git revert --no-edit "$code" >/dev/null && git revert-track auth --task 2.1 -y >../out 2>../err &&
	test_grep "^- . . Task: Add a login form\$" $plan && test_path_is_missing src/form.txt &&
	whole_project && code=$(git log --format=%H --grep "^feat(auth): login form") &&
	git revert --no-edit "$code" >/dev/null && git revert --no-edit HEAD >/dev/null &&
	git revert-track auth --task 2.1 -y -q 2>../err && test_path_is_missing src/form.txt
'

test_expect_success 'files that were renamed since go where they are' '
	whole_project && mkdir lib && git mv src/shared.txt lib/common.txt && commit "move" &&
	git revert-track auth --task 1.2 -y -q 2>../err && sed -n 5p lib/common.txt >../actual && echo 5 >../expect &&
	test_cmp ../expect ../actual && test_path_is_missing src/models/user.txt && test -z "$(git status --porcelain)"
'

test_expect_success 'archived since: the plan is edited where it is' '
	whole_project && mkdir conductor/archive && git mv conductor/tracks/auth_20260101 conductor/archive/auth_20260101 &&
	sed -i "s,\./tracks/auth_20260101,./archive/auth_20260101,g" conductor/tracks.md && commit "chore(conductor): Archive track" &&
	git revert-track auth --task 1.2 -y -q 2>../err && test_path_is_missing src/models/user.txt &&
	test_grep "^- . . Task: Add a user model\$" conductor/archive/auth_20260101/plan.md &&
	test_path_is_missing conductor/tracks/auth_20260101
'

test_expect_success 'where conductor/index.md says: a track that lies elsewhere is reverted like any' '
	fresh && mkdir -p conductor docs/work/x_20260101 && printf -- "- [Tracks Registry](../docs/tracks-list.md)\n- [Tracks Directory](../docs/work/)\n" >conductor/index.md &&
	printf "# Tracks\n\n- [x] **Track: The X**\n*Link: [l](./work/x_20260101/)*\n" >docs/tracks-list.md && echo guide >docs/guide &&
	printf "# Plan\n\n## Phase 1: One\n\n- [ ] Task: Write it\n" >docs/work/x_20260101/plan.md && commit start &&
	echo a >a && echo more >>docs/guide && commit "feat: it" && sed -i "s/\[ \] Task: Write it/[x] Task: Write it $(git rev-parse --short HEAD)/" docs/work/x_20260101/plan.md &&
	commit "plan: mark" && git revert-track x_2026 -y -q 2>../err && test_path_is_missing a && test_line_count = 1 docs/guide &&
	test_grep "^- . . Task: Write it\$" docs/work/x_20260101/plan.md && test_grep "The X.*Reverted" docs/tracks-list.md
'

test_expect_success 'documents that git does not track are left to a person' '
	fresh && mkdir -p conductor/tracks/x_20260101 && echo conductor >.gitignore &&
	printf "# Plan\n\n## Phase 1: One\n\n- [ ] Task: Write it\n" >conductor/tracks/x_20260101/plan.md &&
	commit start && echo a >a && git add -A && git commit -q -m "feat: it" -m "Track: x_20260101
Phase: One
Task: Write it" &&
	cp -r conductor ../docs && git revert-track x_2026 --task 1.1 -y >../out 2>../err &&
	test_path_is_missing a && test_grep "not tracked by git" ../err && diff -r ../docs conductor
'

test_expect_success 'the worktree of a bare repository is missing: said' '
	whole_project && git clone -q --bare . ../bare.git && (cd ../bare.git && test_expect_code 128 git revert-track auth -y 2>../err2) &&
	git worktree add -q ../linked && (cd ../linked/src && git revert-track auth --task 1.2 -y -q 2>../../err3) &&
	test_path_is_missing ../linked/src/models/user.txt && test_path_is_file src/models/user.txt
'

test_expect_success 'one object with --json, whatever happens' '
	whole_project && for args_ in nosuch "auth --task 9.9" "auth --also nosuch" "--continue" "auth" "--show" "--phase 1" \
		"auth --all" "auth --nosuch" "auth --min-evidence=no" "auth --database nosuch" "--story x --task 1"
	do
		# shellcheck disable=SC2086 # words
		test_might_fail git revert-track $args_ --json >../json 2>/dev/null </dev/null
		test -s ../json && jq -e -s "length == 1 and .[0].format == 1 and .[0].outcome != null" ../json >/dev/null ||
			{ echo "$args_"; cat ../json; return 1; }
	done &&
	test_expect_code 129 git revert-track --show --json >../json 2>../err &&
	jq -e ".error.message == \"which unit? Name a track, or a --story\"" ../json && test_grep "^usage: git revert-track" ../err
'

test_expect_success TTY 'the menu: in progress first, then what was completed last' '
	whole_project && GIT_TERMINAL_PROMPT=1 && export GIT_TERMINAL_PROMPT &&
	test_write_lines 3 n >../answer && test_expect_code 2 test_terminal "git revert-track" <../answer >../out &&
	test_grep "1) track .billing_20260102. (in progress)" ../out && test_grep "2) track .billing_20260102., phase 1 .Invoices. (completed)" ../out &&
	test_grep "3) track .auth_20260101. (completed)" ../out &&
	test_grep "Reverting track .auth_20260101." ../out && test_grep "not confirmed" ../out &&
	echo >../answer && test_expect_code 2 test_terminal "git revert-track" <../answer >../out &&
	test_grep "nothing was chosen" ../out &&
	test_write_lines 3 y >../answer && test_terminal "git revert-track" <../answer >../out && test_path_is_missing src/form.txt &&
	test_expect_code 129 env GIT_TERMINAL_PROMPT=0 git revert-track </dev/null
'

test_expect_success TTY 'the menu: phases, tasks and stories; of what is done the largest; nothing without a commit' '
	project && GIT_TERMINAL_PROMPT=1 && export GIT_TERMINAL_PROMPT && echo users >users && work "feat(auth): users table" &&
	done_task auth_20260101 "Create the users table" && echo model >model && work "feat(auth): user model" &&
	done_task auth_20260101 "Add a user model" && done_phase auth_20260101 Storage &&
	sed -i "s/^- \[ \] Task: Add a login form/- [~] Task: Add a login form/" $plan && echo form >form && work "feat(auth): Add a login form" &&
	echo n >n && work "feat(billing): number the invoices" && done_task billing_20260102 "Number the invoices" &&
	printf "{\"userStories\": [{\"id\": \"US-1\", \"title\": \"Sign in\", \"passes\": true}]}\n" >prd.json && git add -A && test_tick &&
	git commit -q -m "feat: sign in" -m "Story: US-1" &&
	echo >../answer && test_expect_code 2 test_terminal "git revert-track" <../answer >../out &&
	sed -n "s/^  \([0-9]) .*[a-z])\).*/\1/p" ../out >../actual && cat >../expect <<-\END &&
	1) track %billing_20260102% (in progress)
	2) track %billing_20260102%, phase 1 %Invoices% (in progress)
	3) track %auth_20260101% (in progress)
	4) track %auth_20260101%, phase 2 %Interface% (in progress)
	5) track %auth_20260101%, phase 2 %Interface%, task 1 %Add a login form% (in progress)
	6) story %US-1% %Sign in% (completed)
	7) track %billing_20260102%, phase 1 %Invoices%, task 1 %Number the invoices% (completed)
	8) track %auth_20260101%, phase 1 %Storage% (completed)
	END
	tr "\047" % <../actual >../shown && test_cmp ../expect ../shown &&
	test_write_lines 7 y >../answer && test_terminal "git revert-track" <../answer >../out && test_path_is_missing n &&
	test_path_is_file form && test_path_is_file model
'

# ---- Random histories --------------------------------------------------------------------------------

# Some units, each with files of its own, whose commits lie in between each other; then, of each unit:
# what is left is what the others alone would have made.
random_history () {	# seed
	awk -v seed="$1" "BEGIN { srand(seed); for (i = 0; i < 14; i++) print int(rand() * 4) + 1, int(rand() * 5) }" >"$TEST_ROOT/steps" &&
	fresh && mkdir -p conductor/tracks && printf "# Project Tracks\n" >conductor/tracks.md || return
	for unit_ in 1 2 3 4
	do
		printf "= Only\n- Do the work of %s\n" "$unit_" | add_track "unit-$unit_" "Unit $unit_" || return
	done
	while read -r unit_ action_
	do
		dir_=dir$unit_ && mkdir -p "$dir_" || return
		case $action_ in
		0) echo "$(wc -l <"$TEST_ROOT/steps") $RANDOM_ $unit_" >>"$dir_/a" ;;
		1) file "$dir_/long" "$((unit_ * 7))=changed" ;;
		2) if test -f "$dir_/a"; then git mv "$dir_/a" "$dir_/b" 2>/dev/null || rm -f "$dir_/a"; else echo x >"$dir_/a"; fi ;;
		3) printf "\0binary%s" "$unit_" >>"$dir_/bin" ;;
		4) ln -sfn "target$unit_" "$dir_/link" ;;
		esac
		RANDOM_=$((${RANDOM_:-0} + 1))
		git add -A && test_tick &&
			git commit -q --allow-empty -m "step $RANDOM_" -m "Track: unit-$unit_" || return
	done <"$TEST_ROOT/steps"
}

seed=${TEST_TRACK_SEED:-$(date +%j)}
test_expect_success 'what is left is what the other units have made' '
	for round in $(seq "$seed" $((seed + ${TEST_TRACK_ROUNDS:-6} - 1)))
	do
		echo "# seed $round" && random_history "$round" && git tag all || return 1
		for unit in 1 2 3 4
		do
			git reset -q --hard all && git ls-tree -r HEAD | grep -v -e "	dir$unit/" -e "	conductor/" >../expect &&
			grep -q "^$unit " "$TEST_ROOT/steps" || continue
			git revert-track "unit-$unit" -y -q --squash >../out 2>../err || { cat ../err; return 1; }
			git ls-tree -r HEAD | grep -v "	conductor/" >../actual
			test_cmp ../expect ../actual && test -z "$(git status --porcelain)" || return 1
		done
	done
'

test_done
