#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: documents that cannot be read or edited, and what they claim'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

plan=conductor/tracks/auth_20260101/plan.md
metadata=conductor/tracks/auth_20260101/metadata.json

# A track "One" with the lines of its plan on stdin; @A is the commit that did its work, a.c.
one_track () {
	fresh && mkdir -p conductor/tracks/t_1 &&
	printf "# Tracks\n\n- [~] **Track: One**\n*Link: [./tracks/t_1/](./tracks/t_1/)*\n" >conductor/tracks.md &&
	commit start && echo a >a.c && git add a.c && git commit -q -m "feat: it" -m "Track: t_1" &&
	sed "s/@A/$(git rev-parse --short=7 HEAD)/g" >conductor/tracks/t_1/plan.md && commit plan
}

test_expect_success 'a NUL byte in a plan: it is told of, and stays as it is' '
	one_track <<-\END &&
	## Phase 1: P
	- [x] Alpha @A
	END
	printf "\nNotes: a\0b\n- [ ] Later\nlast line\n" >>conductor/tracks/t_1/plan.md && commit notes &&
	cp conductor/tracks/t_1/plan.md ../plan &&
	test_expect_code 1 git revert-track t_1 --task 1 -y 2>../err &&
	test_grep "plan.md: it is no text: it has a NUL byte in it" ../err &&
	test_expect_code 2 git revert-track t_1 -y 2>../err &&
	test_grep "^error: the plan of track .t_1. cannot be read" ../err && test_path_is_file a.c &&
	git revert-track t_1 -y -q --no-plan-update 2>../err && test_path_is_missing a.c &&
	test_cmp ../plan conductor/tracks/t_1/plan.md
'

test_expect_success 'a NUL byte in the registry: the rest is reverted, and it is not said to be verified' '
	one_track <<-\END &&
	## Phase 1: P
	- [x] Alpha @A
	END
	printf "\0\nthe rest\n" >>conductor/tracks.md && commit registry && cp conductor/tracks.md ../registry &&
	git revert-track t_1 -y --json >../json 2>../err && test_path_is_missing a.c &&
	test_cmp ../registry conductor/tracks.md && test_grep "^- . . Alpha\$" conductor/tracks/t_1/plan.md &&
	jq -e ".verification[] | select(.check == \"documents\") | .state == \"unknown\" and (.detail | test(\"tracks.md cannot be read\"))" ../json
'

test_expect_success 'a NUL byte in the registry: a commit that also wrote there does not take it back' '
	one_track <<-\END &&
	## Phase 1: P
	- [ ] Alpha
	END
	mkdir conductor/tracks/t_2 && cp conductor/tracks/t_1/plan.md conductor/tracks/t_2/ && commit two &&
	sed -i "s/\[ \] Alpha/[x] Alpha $(git log -1 --format=%h --grep "^feat: it")/" conductor/tracks/t_1/plan.md &&
	printf "\n- [ ] **Track: Two**\n*Link: [./tracks/t_2/](./tracks/t_2/)*\n\0\nNotes\n" >>conductor/tracks.md &&
	commit "conductor: mark alpha; enter track two" && cp conductor/tracks.md ../registry &&
	git revert-track t_1 -y --json >../json 2>../err && test_path_is_missing a.c &&
	test_cmp ../registry conductor/tracks.md && test_grep "tracks.md: it is no text" ../err &&
	jq -e ".verification[] | select(.check == \"documents\") | .state == \"unknown\" and (.detail | test(\"tracks.md cannot be read\"))" ../json
'

test_expect_success 'a plan that is a symbolic link is not taken for no plan' '
	one_track <<-\END &&
	## Phase 1: P
	- [x] Alpha @A
	END
	git mv conductor/tracks/t_1/plan.md elsewhere.md && ln -s ../../../elsewhere.md conductor/tracks/t_1/plan.md &&
	commit link && test_expect_code 2 git revert-track t_1 -y 2>../err &&
	test_grep "^warning: conductor/tracks/t_1/plan.md: it is a symbolic link" ../err &&
	test_grep "cannot be read" ../err && test -z "$(git status --porcelain)"
'

test_expect_success 'a registry that is a symbolic link stays one' '
	one_track <<-\END &&
	## Phase 1: P
	- [x] Alpha @A
	END
	git mv conductor/tracks.md elsewhere.md && ln -s ../elsewhere.md conductor/tracks.md && commit link &&
	git revert-track t_1 -y -q 2>../err && test_grep "tracks.md: it is a symbolic link" ../err &&
	test -h conductor/tracks.md && test_path_is_missing a.c
'

test_expect_success 'metadata that cannot be edited does not stop the rest' '
	whole_project && sed -i "s/\"type\"/\"status\": \"completed\",\n  \"type\"/" $metadata && commit twice && cp $metadata ../metadata &&
	git revert-track auth -y --json >../json 2>../err && test_path_is_missing src/form.txt &&
	test_grep "metadata.json:5: duplicate object key" ../err && test_cmp ../metadata $metadata &&
	jq -e ".verification[] | select(.check == \"documents\") | .state == \"unknown\"" ../json &&
	whole_project && sed -i "s/\"status\"/\"st\\\\u0061tus\"/" $metadata && commit escaped &&
	git revert-track auth -y -q 2>../err && test_grep "\"st.u0061tus\": \"reverted\"" $metadata
'

test_expect_success '--except of all the work: no document says that it is reverted' '
	whole_project && git log --format=%H --grep "^feat(auth)" >../work && cp -r conductor ../conductor-before &&
	sed "s/^/--except=/" ../work >../options && test_expect_code 2 git revert-track auth -y $(cat ../options) 2>../err &&
	test_grep "^error: all the work of track .auth_20260101. is left out" ../err && diff -r ../conductor-before conductor &&
	git revert-track auth -n --json $(sed 1q ../options) >../json && jq -e ".verdict == \"clean\"" ../json &&
	jq -e ".warnings | any(test(\"$(sed "1q;s/\(.\{10\}\).*/\1/" ../work | cut -c1-10) stays\"))" ../json
'

test_expect_success 'what a plan says in other words goes as well' '
	one_track <<-\END &&
	---
	status: completed
	commit: @A
	---
	# One

	**Status**: ✅ Completed

	## Phase 1: P

	**Status:** Completed (@A)

	### Task 1.1: First thing
	**Status**: ✅ Completed

	### Task 1.2: Second thing [x]

	Done by hand (commit @A, approved by Jane on 2026-01-05).

	- [x] Third thing (commit @A, approved by Jane on 2026-01-05)
	END
	cp conductor/tracks/t_1/plan.md ../plan && git revert-track t_1 -y -v >../out 2>../err &&
	sed -e "s/^status: completed/status: reverted/" -e "s/^commit: .*/commit:/" -e "7s/✅ Completed/Reverted/" \
		-e "11s/Completed (.*)/Planning/" -e "14s/✅ Completed/Planning/" -e "s/\[x\]/[ ]/" \
		-e "/^- /s/commit [0-9a-f]*, //" ../plan >../expect &&
	test_cmp ../expect conductor/tracks/t_1/plan.md && test_grep "documents\$" ../out
'

test_expect_success 'a part of a track: its plan says no more than is left' '
	one_track <<-\END &&
	# One

	**Status**: Completed

	## Phase 1: P
	- [x] First @A

	## Phase 2: Q
	- [x] Second
	END
	git revert-track t_1 --phase 1 -y -q 2>../err && test_grep "^..Status..: In Progress\$" conductor/tracks/t_1/plan.md
'

test_expect_success 'phases and tasks that metadata.json lists' '
	whole_project && printf "%s\n" "{\"track_id\": \"auth_20260101\", \"status\": \"completed\"," \
		" \"phases\": [{\"name\": \"Storage\", \"status\": \"completed\"}, {\"name\": \"Interface\", \"status\": \"completed\"}]}" >$metadata &&
	commit metadata && git revert-track auth --phase 1 -y -q 2>../err &&
	printf "%s\n" "{\"track_id\": \"auth_20260101\", \"status\": \"in_progress\"," \
		" \"phases\": [{\"name\": \"Storage\", \"status\": \"new\"}, {\"name\": \"Interface\", \"status\": \"completed\"}]}" >../expect &&
	test_cmp ../expect $metadata
'

test_expect_success '--split: a name in another word says nothing' '
	one_track <<-\END &&
	## Phase 1: P
	- [ ] Improve performance of the platform
	- [ ] Write the login page
	END
	echo 1 >form.c && echo 2 >login.c && commit "feat: both" && both=$(git rev-parse --short=7 HEAD) &&
	sed -i "s/^- \[ \] \(.*\)/- [x] \1 $both/" conductor/tracks/t_1/plan.md && commit mark &&
	test_expect_code 2 git revert-track t_1 --task 1 --split -y 2>../err &&
	test_grep "cannot be split: .form.c. is the work of neither" ../err && test_path_is_file form.c
'

test_expect_success 'two tracks of one id, of which one is archived: each has its own commits' '
	one_track <<-\END &&
	## Phase 1: P
	- [x] The alpha work @A
	END
	mkdir conductor/archive && git mv conductor/tracks/t_1 conductor/archive/t_1 &&
	sed -i "s,tracks/t_1,archive/t_1,g; s/\[~\]/[x]/" conductor/tracks.md && commit "chore(conductor): Archive track One" &&
	mkdir -p conductor/tracks/t_1 && printf "## Phase 1: P\n- [ ] The gamma work\n" >conductor/tracks/t_1/plan.md &&
	printf "\n- [~] **Track: Another**\n*Link: [./tracks/t_1/](./tracks/t_1/)*\n" >>conductor/tracks.md && commit "Add a track" &&
	echo g >g.c && commit "feat: gamma" && sed -i "s/\[ \] \(.*\)/[x] \1 $(git rev-parse --short=7 HEAD)/" conductor/tracks/t_1/plan.md &&
	commit "Mark it" && git tag two &&
	test_expect_code 1 git revert-track t_1 -y 2>../err && test_grep "track .archive/t_1." ../err && test_grep "track .tracks/t_1." ../err &&
	git revert-track --list --all --porcelain | cut -f1,2 | grep ^track >../actual &&
	printf "track\t%s\n" archive/t_1 tracks/t_1 >../expect && test_cmp ../expect ../actual &&
	git revert-track tracks/t_1 -y -q 2>../err && test_path_is_missing g.c && test_path_is_file a.c &&
	test_grep "x. The alpha" conductor/archive/t_1/plan.md && git reset -q --hard two &&
	git revert-track archive/t_1 --task 1 -y -q 2>../err && test_path_is_missing a.c && test_path_is_file g.c &&
	test_grep "x. The gamma" conductor/tracks/t_1/plan.md && test_grep "^- . . The alpha" conductor/archive/t_1/plan.md
'

test_expect_success 'a track that was archived by copying its folder: both are its documents' '
	fresh && mkdir -p conductor/tracks/t_1 conductor/archive && printf "# Tracks\n" >conductor/tracks.md &&
	printf "%s\n" "## Phase 1: P" "- [ ] Task: Do the alpha work" "- [ ] Task: Do the beta work" >conductor/tracks/t_1/plan.md && commit setup &&
	echo a >a.c && commit "feat: alpha" && sed -i "s/\[ \] \(.*alpha work\)/[x] \1 $(git rev-parse --short HEAD)/" conductor/tracks/t_1/plan.md && commit "conductor(plan): Mark task as complete" &&
	cp -r conductor/tracks/t_1 conductor/archive/ && commit "chore: Archive track" &&
	git revert-track t_1 --task 1.1 -y >out && test_path_is_missing a.c && ! grep -r "\[x\]" conductor && git diff --exit-code &&
	git revert-track t_1 -y --remove >out && test_path_is_missing conductor/tracks/t_1 && test_path_is_missing conductor/archive/t_1
'

test_done
