#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track --show: what could as well mean something else is likely, never certain

Words that a title has in common with something else, trailers and ids that only look like it, and merges
that plans name.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

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

test_done
