#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: merges that change something themselves are told, as no commit has that'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-tracks.sh

SQ=\'

# A branch with the two tasks of a track, which both change shared.c, as main has done since.
branch () {	# repository
	project "$1" && printf '%s\n' 1 2 3 4 5 6 7 8 9 >shared.c && commit_all Shared &&
	track auth_20260107 "Sign people in safely" <<-\EOF &&
	# Plan

	## Phase 1: Storage of sessions
	- [ ] Task: Keep sessions in a table
	- [ ] Task: Let sessions expire after a day
	EOF
	git switch -q -c feature && change 1 one && commit_all "Add a table" && mark auth_20260107 "Keep sessions" "$(tip)" &&
	change 3 three && commit_all "Expire" && mark auth_20260107 "Let sessions" "$(tip)" &&
	git switch -q main && change 9 nine && commit_all Meanwhile
}

change () {	# line, text
	sed "$1s/.*/$2/" shared.c >new && mv new shared.c
}

# merged BRANCH [COMMAND...]: merges, with what the command changes.
merged () {
	git merge -q --no-ff --no-commit "$1" >/dev/null 2>&1
	shift
	test $# = 0 || "$@" || return
	git add -A && test_tick && git commit -q -m "Merge a branch"
}

slip () {
	change 5 slipped && echo more >more.c
}

told () {	# unit...
	git revert-track "$@" -n --json >json && jq -r ".warnings[]" json
}

test_expect_success 'a merge that both sides fit into says nothing' '
	branch clean && merged feature && told auth >actual && test_must_be_empty actual
'

test_expect_success 'what slipped into it is told, file by file, and stays' '
	branch slipped && merged feature slip && sha=$(git rev-parse --short=10 HEAD) && told auth >actual &&
	echo "merge $sha, by which commits of the unit came, changes ${SQ}more.c${SQ}, ${SQ}shared.c${SQ} by itself: that is no commit${SQ}s, and stays; see ${SQ}git show $sha${SQ}" >expect &&
	test_cmp expect actual && told auth --task 1.1 >actual && test_cmp expect actual &&
	git revert-track auth -y -q 2>err && test_grep "changes .more.c., .shared.c. by itself" err &&
	printf "%s\n" 1 2 3 4 slipped 6 7 8 nine >expect && test_cmp expect shared.c && test_path_is_file more.c
'

test_expect_success 'a conflict that was resolved in it' '
	branch conflict && change 1 eins && commit_all "Another one" && merged feature change 1 both &&
	sed "/^[<=>|]/d" shared.c >new && mv new shared.c && git commit -q -a --amend --no-edit && told auth >actual &&
	test_line_count = 1 actual && test_grep "changes .shared.c. by itself" actual
'

test_expect_success 'both sides have made the same change, or one has renamed the file' '
	branch same && change 1 one && commit_all "The same" && merged feature && told auth >actual && test_must_be_empty actual &&
	cd .. && branch named && git mv shared.c lib.c && commit_all "Another name" && merged feature && test_grep one lib.c &&
	told auth >actual && test_must_be_empty actual
'

test_expect_success 'what the others had done came to the branch by one that changes more' '
	branch inner && git switch -q feature && merged main slip && sha=$(git rev-parse --short=10 HEAD) && git switch -q main && work later.c Later &&
	merged feature && told auth >actual && test_line_count = 1 actual && test_grep "^merge $sha, .* .more.c., .shared.c. by itself" actual
'

test_expect_success 'a later merge of something else is nothing to it, nor is one before' '
	project other && git switch -q -c early && work early.c Early && git switch -q main && work x.c X && merged early sh -c "echo more >more.c" &&
	cd .. && branch later && merged feature && git switch -q -c else HEAD~1 && work else.c Else && git switch -q main && merged else slip &&
	told auth >actual && test_must_be_empty actual
'

test_expect_success 'an octopus, a criss-cross' '
	branch octopus && git switch -q -c third main && work third.c Third && git switch -q main &&
	git merge -q --no-edit feature third >/dev/null 2>&1 && told auth >actual && test_must_be_empty actual &&
	cd .. && branch criss && git branch here && git merge -q --no-ff --no-edit feature && git switch -q feature &&
	git merge -q --no-ff --no-edit here && work on.c On && git switch -q main && work off.c Off && merged feature &&
	told auth >actual && test_must_be_empty actual
'

test_done
