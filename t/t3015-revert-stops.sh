#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git revert-track: what happens while a revert waits

Whose state it is by then: another branch, commits by hand, a conflict that was thrown away, another unit,
another worktree; and what --abort and undo take back of it.'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-revert.sh
. "$TEST_DIRECTORY"/lib-conductor.sh

plan=conductor/tracks/auth_20260101/plan.md

# All that a command could have changed: refs, index, files, and what git has in progress.
state () {
	git for-each-ref refs/heads refs/tags && git rev-parse HEAD && git --no-optional-locks status --porcelain=v2 -b &&
	git ls-files -s && git ls-files -o && git ls-files -z -c -o | sort -zu | xargs -0 cat 2>/dev/null
	for name_ in REVERT_HEAD MERGE_MSG
	do
		test ! -f "$(git rev-parse --git-path $name_)" || cat "$(git rev-parse --git-path $name_)" || return
	done
}

# The first commit that goes is clean, and there is a conflict behind it, or before it.
conflict () {
	whole_project && file src/shared.txt 5=other && commit "feat(billing): another line"
}

stopped () {	# arguments of git revert-track
	conflict && test_expect_code 1 git revert-track "$@" -y -q 2>/dev/null
}

# It is as it was before the commit that is reverted.
resolve () {
	seq 40 >src/shared.txt && sed -i "30s/.*/invoice/" src/shared.txt && git add src/shared.txt
}

commit_resolved () {
	resolve && git commit -q --no-edit
}

refused () {	# pattern, arguments: exit code 2, and nothing changes
	pattern_=$1
	shift
	state >../before && test_expect_code 2 git revert-track "$@" 2>../err </dev/null && test_grep "$pattern_" ../err &&
	state >../after && test_cmp ../before ../after
}

# ---- Whose state it is -------------------------------------------------------------------------

test_expect_success 'commits by hand: neither --continue, nor --squash, nor --abort takes them; both ways on work' '
	for squash in "" --squash
	do
		stopped auth --phase 1 $squash && onto=$(git rev-parse HEAD) && commit_resolved && echo hand >hand.txt &&
		git add hand.txt && git commit -q -m "feat: by hand" && own=$(git rev-parse HEAD~1) &&
		for verb in --continue --skip --abort
		do
			refused "HEAD has commits that are not the revert.s own" $verb && test_grep "feat: by hand" ../err &&
			test_grep "^hint: .*git reset --keep $(echo $own | cut -c1-10)" ../err || return
		done &&
		git branch mine && git reset -q --keep $own && git revert-track --continue -q 2>../err &&
		git cherry-pick mine >/dev/null && test_path_is_file hand.txt && test_path_is_missing src/table.txt || return
	done &&
	test "$(git rev-parse HEAD~2)" = "$onto"
'

test_expect_success 'another branch: refused, with its name; back again it goes on' '
	for squash in "" --squash
	do
		stopped auth --phase 1 $squash && commit_resolved && git checkout -q -b other HEAD~3 && echo o >other.txt &&
		commit "other work" && other=$(git rev-parse other) &&
		for verb in --continue --skip --abort
		do
			refused "began on branch .main., and HEAD is .other." $verb && test_grep "^hint: .*git switch main" ../err || return
		done &&
		git revert-track --status >../out && test_grep "HEAD is .other." ../out &&
		git checkout -q main && git revert-track --continue -q 2>/dev/null && test "$(git rev-parse other)" = "$other" &&
		test_path_is_missing src/table.txt || return
	done
'

test_expect_success 'HEAD was put back, or amended: refused' '
	stopped auth --phase 1 && commit_resolved && git commit -q --amend -m "all mine" &&
	refused "not the revert.s own" --continue && git reset -q --hard HEAD~2 && refused "is no longer where the revert left it" --continue &&
	git revert-track --quit -q && test_expect_code 1 git revert-track --status
'

test_expect_success 'a detached HEAD is no branch, although it is the same commit' '
	stopped auth --phase 1 && commit_resolved && git checkout -q --detach && refused "began on branch .main., and HEAD is detached" --continue &&
	conflict && git checkout -q --detach && test_expect_code 1 git revert-track auth --phase 1 -y -q 2>/dev/null && commit_resolved &&
	git checkout -q -b new && refused "began on a detached HEAD, and is .new. by now" --continue &&
	git checkout -q --detach && git revert-track --continue -q 2>/dev/null && test_path_is_missing src/table.txt
'

test_expect_success 'a merge that is in progress is not taken for the conflict' '
	stopped auth --phase 1 && commit_resolved && git checkout -q -b side HEAD~4 && file src/shared.txt 5=side && commit side &&
	git checkout -q main && test_must_fail git merge -q side >/dev/null && refused "a merge is in progress" --continue &&
	refused "a merge is in progress" --abort && git merge --abort && git revert-track --continue -q 2>/dev/null
'

test_expect_success 'another unit: refused while one waits, in the preview as well; then it goes' '
	stopped auth --phase 1 && commit_resolved && refused "the revert of .*auth_20260101.* waits" billing --task 1.2 -y &&
	test_grep "^hint: .*--continue" ../err && git revert-track billing --task 1.2 -n --json >../json &&
	jq -e ".verdict == \"refused\"" ../json && git revert-track --status >../out && test_grep "auth_20260101" ../out &&
	git revert-track --continue -q 2>/dev/null && git revert-track billing --task 1.2 -y -q 2>/dev/null
'

test_expect_success 'a worktree that was made anew under the same name: nothing waits in it' '
	conflict && rm -rf ../wt && git worktree add -q ../wt -b wtb && (cd ../wt && test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null) &&
	git worktree remove --force ../wt && git worktree add -q ../wt wtb && cd ../wt && test_expect_code 1 git revert-track --status &&
	state >../before && test_expect_code 2 git revert-track --continue 2>../err && test_expect_code 2 git revert-track --abort 2>../err &&
	state >../after && test_cmp ../before ../after && test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null && git revert-track --abort -q &&
	cd ../repo && git worktree remove --force ../wt
'

test_expect_success 'a worktree that was moved: it still waits' '
	conflict && rm -rf ../wt ../moved && git worktree add -q ../wt -b wtb && (cd ../wt && test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null) &&
	git worktree move ../wt ../moved && (cd ../moved && git revert-track --status && git revert-track --abort -q) && git worktree remove ../moved
'

# ---- The conflict is gone, and not resolved ----------------------------------------------------

test_expect_success 'thrown away: not resolved; --skip says what stays, and so does the report' '
	for way in "reset -q --hard" "revert --skip" "revert --quit"
	do
		stopped auth --task 1.2 && git $way && { test "$way" != "revert --quit" || git reset -q --hard; } &&
		refused "was neither resolved nor left out" --continue && test_grep "^hint: .*--skip" ../err && test_grep "^hint: .*git revert " ../err &&
		git revert-track --status >../out 2>../err && test_grep "git has forgotten" ../out &&
		git revert-track --skip --json >../json 2>../err && test_grep "^warning: commit .* stays as it is" ../err &&
		jq -s -e "length == 1 and (.[0].verification[] | select(.check == \"reverted\") | .state == \"unknown\")" ../json &&
		test_path_is_file src/models/user.txt || return
	done
'

test_expect_success 'thrown away, and brought back by git revert: resolved then' '
	stopped auth --task 1.2 && stopped_at=$(cat .git/REVERT_HEAD) && git reset -q --hard && test_must_fail git revert "$stopped_at" 2>/dev/null &&
	resolve && git revert-track --continue -q 2>../err && test_path_is_missing src/models/user.txt && test_grep "^- . . Task: Add a user model\$" $plan
'

test_expect_success 'resolved to nothing: that is said, as after --skip' '
	stopped auth --task 1.2 && git checkout -q HEAD -- . && git revert-track --continue --json >../json 2>../err &&
	jq -e ".verification[] | select(.check == \"reverted\") | .state == \"unknown\"" ../json && test_path_is_file src/models/user.txt
'

test_expect_success '--skip where it is committed already: refused' '
	stopped auth --phase 1 && commit_resolved && refused "is committed" --skip && git revert-track --continue -q 2>/dev/null
'

# ---- Going back --------------------------------------------------------------------------------

test_expect_success '--abort keeps what has nothing to do with it: edits, untracked files, ignored ones' '
	conflict && echo before >>src/form.txt && echo "*.log" >.git/info/exclude && echo old >old.txt && state >../before &&
	test_expect_code 1 git revert-track auth --phase 1 -y -q 2>/dev/null && echo precious >>README.md && echo u >untracked.txt && echo l >x.log &&
	git revert-track --abort -q && tail -1 README.md >../actual && echo precious >../expect && test_cmp ../expect ../actual &&
	test_path_is_file untracked.txt && test_path_is_file x.log && rm untracked.txt x.log && git checkout -q README.md &&
	state >../after && test_cmp ../before ../after
'

test_expect_success '--abort, from each place: exactly the state before' '
	conflict && state >../before && for phase in conflict resolved committed dropped
	do
		test_expect_code 1 git revert-track auth --phase 1 -y -q 2>/dev/null && case $phase in
		resolved) resolve ;;
		committed) commit_resolved ;;
		dropped) git reset -q --hard ;;
		esac && git revert-track --abort -q && state >../after && test_cmp ../before ../after &&
		test_expect_code 1 git revert-track --status || return
	done
'

test_expect_success '--abort after a second stop: all commits of the series, and none by hand' '
	whole_project && file src/shared.txt 5=o && commit x && echo form2 >src/form.txt && commit y && state >../before &&
	test_expect_code 1 git revert-track auth -y -q 2>/dev/null && git rm -q src/form.txt && git commit -q --no-edit &&
	test_expect_code 1 git revert-track --continue -q 2>/dev/null && echo u >notes.txt && echo more >>README.md &&
	git revert-track --abort -q && test_path_is_file notes.txt && rm notes.txt && git checkout -q README.md && state >../after && test_cmp ../before ../after &&
	test_expect_code 1 git revert-track auth -y -q 2>/dev/null && git rm -q src/form.txt && git commit -q --no-edit && echo h >hand.txt &&
	git add hand.txt && git commit -q -m "by hand" && state >../stopped && test_expect_code 2 git revert-track --continue -q 2>/dev/null &&
	test_expect_code 2 git revert-track --abort -q </dev/null 2>/dev/null && state >../after && test_cmp ../stopped ../after
'

test_expect_success '--abort: a file of the series with edits of ones own is named, and nothing is done' '
	stopped auth --phase 1 && resolve && echo mine >>src/shared.txt && refused "src/shared.txt" --abort && refused "src/shared.txt" --skip &&
	git checkout -q src/shared.txt && git revert-track --abort -q && sed -n 5p src/shared.txt >../actual && echo other >../expect && test_cmp ../expect ../actual
'

test_expect_success '--abort is an operation: undone, it waits again' '
	stopped auth --phase 1 && resolve && echo u >untracked.txt && state >../before && git revert-track --abort -q &&
	op=$(git checkpoint list --operations --porcelain | cut -f1 | head -1) && git checkpoint undo -q -y $op && state >../after && test_cmp ../before ../after &&
	git revert-track --status && git revert-track --continue -q 2>/dev/null && test_path_is_missing src/table.txt
'

test_expect_success 'half-staged files, and --skip: refused, and named' '
	stopped auth --task 1.2 && echo one >>README.md && git add README.md && echo two >>README.md && refused "README.md" --skip && refused "README.md" --abort
'

# ---- Undo --------------------------------------------------------------------------------------

test_expect_success 'one git checkpoint undo takes the whole revert back, and the undo of that does it again' '
	for squash in "" --squash
	do
		for how in continue commit
		do
			conflict && echo local >>README.md && state >../before && test_expect_code 1 git revert-track auth --phase 1 -y -q $squash 2>/dev/null && resolve &&
			{ test $how = continue || git commit -q --no-edit; } && git revert-track --continue -q 2>/dev/null && state >../done && git checkpoint undo -q -y &&
			state >../after && test_cmp ../before ../after && test_expect_code 1 git revert-track --status &&
			git checkpoint undo -q -y $(git checkpoint list --operations --porcelain | cut -f1 | head -1) && state >../after && test_cmp ../done ../after &&
			git checkpoint undo -q -y && state >../after && test_cmp ../before ../after || return
		done
	done
'

test_expect_success 'undo while it waits: the whole of it as well; what was done before is next' '
	conflict && git checkpoint create -q first && state >../before && test_expect_code 1 git revert-track auth --phase 1 -y -q 2>/dev/null &&
	commit_resolved && git checkpoint undo -q -y && state >../after && test_cmp ../before ../after && git checkpoint undo -q -y 2>../err &&
	git checkpoint list >../out && test_grep ! first ../out
'

test_expect_success 'a step of it by its name: it waits where it was before' '
	stopped auth --phase 1 && resolve && state >../before && git revert-track --continue -q 2>/dev/null &&
	last=$(git checkpoint list --operations --porcelain | cut -f1 | sed -n 1p) && step=$(git checkpoint list --operations --porcelain | cut -f1 | sed -n 2p) &&
	git checkpoint undo -q -y $last && git checkpoint undo -q -y $step && state >../after && test_cmp ../before ../after && git revert-track --status &&
	git revert-track --continue -q 2>/dev/null && test_path_is_missing src/table.txt
'

# ---- What is said ------------------------------------------------------------------------------

test_expect_success '--status: where it is, with what to do there, for people and scripts' '
	stopped auth --phase 1 && git revert-track --status >../out 2>../err && test_grep "unmerged: src/shared.txt" ../out && test_grep "^hint: Resolve" ../err &&
	git revert-track --status --json >../json && jq -e ".state == \"conflict\" and .branch == \"refs/heads/main\"" ../json &&
	resolve && git revert-track --status >../out 2>../err && test_grep "^hint: All is resolved" ../err &&
	git revert-track --status --json >../json && jq -e ".state == \"resolved\"" ../json &&
	git commit -q --no-edit && git revert-track --status >../out 2>../err && test_grep "is committed" ../out && test_grep ! "Resolve" ../err &&
	git revert-track --status --json >../json && jq -e ".state == \"committed\"" ../json && git checkout -q -b other &&
	git revert-track --status --json >../json && jq -e ".state == \"elsewhere\" and (.reasons | length) == 1" ../json
'

test_expect_success 'all commits are done, and the documents could not: --status says just that' '
	stopped auth --phase 1 && resolve && echo >>$plan && git add $plan && test_expect_code 2 git revert-track --continue 2>../err &&
	test_grep "documents were changed" ../err && git revert-track --status >../out 2>../err && test_grep ! "unmerged" ../err && test_grep "^hint: Run .git revert-track --continue" ../err &&
	git revert-track --status --json >../json && jq -e ".state == \"between\"" ../json && git revert-track --abort -q && test_grep "^- .x. Task: Add a user model" $plan
'

test_expect_success 'each verb prints one object with --json' '
	for verb in --status --continue --skip --abort --quit
	do
		stopped auth --task 1.2 && resolve && test_might_fail git revert-track $verb --json >../json 2>/dev/null && jq -s -e "length == 1 and .[0].format == 1" ../json &&
		git revert-track --quit -q 2>/dev/null
		test_might_fail git revert-track $verb --json >../json 2>/dev/null && jq -s -e "length == 1 and .[0].format == 1" ../json || return
	done
'

# ---- What git would refuse, or could not finish ------------------------------------------------

test_expect_success 'edits that a flag hides: refused, in the preview too' '
	for flag in assume-unchanged skip-worktree
	do
		whole_project && git update-index --$flag src/form.txt && echo mine >>src/form.txt && state >../before &&
		git revert-track auth --phase 2 -n --json >../json && jq -e ".verdict == \"refused\" and .in_the_way == [\"src/form.txt\"]" ../json &&
		refused "src/form.txt: .*$flag" auth --phase 2 -y && state >../after && test_cmp ../before ../after || return
	done
'

test_expect_success 'a folder that stands where a file comes back: refused where something is in it that git does not know' '
	whole_project && git rm -q src/invoice.txt && work "feat(auth): no invoices" && git commit -q --amend -m "feat(auth): no invoices" -m "Track: auth_20260101" && mkdir -p src/invoice.txt/deep &&
	echo mine >src/invoice.txt/deep/file && git revert-track auth -n --json >../json && jq -e ".verdict == \"refused\" and .in_the_way == [\"src/invoice.txt\"]" ../json &&
	refused "src/invoice.txt: a folder stands there" auth -y && rm src/invoice.txt/deep/file && git revert-track auth -y -q 2>/dev/null && test_path_is_file src/invoice.txt
'

test_expect_success 'a required filter that fails: nothing is done, and all files are there' '
	whole_project && git config filter.odd.clean cat && git config filter.odd.smudge cat && git config filter.odd.required true && echo "src/shared.txt filter=odd" >.gitattributes &&
	commit attributes && git config filter.odd.smudge false && state >../before && test_expect_code 2 git revert-track auth --task 1.2 -y 2>../err &&
	test_grep "could not convert the files.*filter" ../err && state >../after && test_cmp ../before ../after && git config filter.odd.smudge cat &&
	git revert-track auth --task 1.2 -y -q 2>/dev/null && sed -n 5p src/shared.txt >../actual && echo 5 >../expect && test_cmp ../expect ../actual
'

test_expect_success 'a conflict outside of a sparse checkout: the file is there, as git revert leaves it; and gone again behind --abort' '
	conflict && git sparse-checkout set --cone conductor && state >../before && unit=$(git log --format=%H --grep "user model\$" --grep "^feat" --all-match) &&
	rm -rf ../clone && cp -Rp . ../clone && test_must_fail git -C ../clone revert --no-edit "$unit" 2>/dev/null &&
	test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null && test_cmp ../clone/src/shared.txt src/shared.txt && git ls-files -u >../actual &&
	git -C ../clone ls-files -u >../expect && test_cmp ../expect ../actual && git revert-track --abort -q && state >../after && test_cmp ../before ../after && test_path_is_missing src &&
	test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null && git checkpoint undo -q -y && state >../after && test_cmp ../before ../after &&
	test_expect_code 1 git revert-track auth --task 1.2 -y -q 2>/dev/null && seq 40 >src/shared.txt && git add --sparse src/shared.txt && git revert-track --continue -q 2>/dev/null &&
	git show HEAD:src/shared.txt >../actual && seq 40 >../expect && test_cmp ../expect ../actual
'

test_expect_success 'while bisecting: as git revert, on the commit that is looked at' '
	whole_project && git bisect start HEAD HEAD~3 >/dev/null 2>&1 && git revert-track auth --task 1.2 -y -q 2>../err && test_path_is_missing src/models/user.txt && git bisect reset >/dev/null 2>&1
'

# ---- Messages ----------------------------------------------------------------------------------

test_expect_success 'a path with a line end brings no lines into the message' '
	whole_project && name=$(printf "a\nSigned-off-by: Evil <e@example.org>") && echo 1 >"$name" && work "feat(auth): odd" &&
	git commit -q --amend -m "feat(auth): odd" -m "Track: auth_20260101" && echo 2 >"$name" && commit "feat(billing): odd as well" &&
	test_expect_code 1 git revert-track auth -y -q 2>/dev/null && sed -n "/Conflicts:/,\$p" .git/MERGE_MSG >../actual &&
	printf "# Conflicts:\n#\ta\n# Signed-off-by: Evil <e@example.org>\n" >../expect && test_cmp ../expect ../actual &&
	git rm -q --cached "$name" && rm "$name" && git revert-track --continue -q 2>/dev/null && git log --format=%B whole.. >../log &&
	test_grep ! "Evil" ../log && test_grep ! "Conflicts:" ../log
'

test_expect_success 'what is said on the way stays, whatever comments begin with' '
	for char in "" auto ";" "#"
	do
		conflict && { test -z "$char" || git config core.commentChar "$char"; } && test_expect_code 1 git revert-track auth --phase 1 -y -q -m "#123 is why
; so it is" 2>/dev/null &&
		resolve && git revert-track --continue -q 2>/dev/null && git log --format=%B whole.. >../log && test_grep ! "Conflicts:" ../log && test_grep ! "shared.txt" ../log &&
		grep -c "^#123 is why\$" ../log >../actual && echo 3 >../expect && test_cmp ../expect ../actual && grep -c "^; so it is\$" ../log >../actual &&
		test_cmp ../expect ../actual || return
	done
'

test_expect_success 'i18n.commitEncoding: what is resolved is what its header says' '
	for how in continue commit
	do
		conflict && git config i18n.commitEncoding ISO-8859-1 && test_expect_code 1 git revert-track auth --task 1.2 -y -q -m "Wegen Ärger." 2>/dev/null && resolve &&
		{ test $how = continue || git commit -q --no-edit; } && git revert-track --continue -q 2>/dev/null && git log -2 --encoding=UTF-8 --format=%B >../log &&
		grep -c "^Wegen Ärger.\$" ../log >../actual && echo 2 >../expect && test_cmp ../expect ../actual || return
	done && git cat-file commit HEAD~1 >../commit && test_grep "^encoding ISO-8859-1" ../commit &&
	conflict && git config i18n.commitEncoding ISO-8859-1 && test_expect_code 1 git revert-track auth --task 1.2 -y -q -m "Wegen 雨." 2>/dev/null &&
	test_grep "Wegen 雨." .git/MERGE_MSG
'

test_expect_success 'revert.reference: a commit of what was resolved is known by a part of the id as well' '
	conflict && git config revert.reference true && test_expect_code 1 git revert-track auth --phase 1 -y -q 2>/dev/null && commit_resolved &&
	git revert-track --continue -q 2>/dev/null && test_path_is_missing src/table.txt
'

test_expect_success '--squash does not say of what was left out that it reverts it' '
	stopped auth --phase 1 --squash && left=$(cat .git/REVERT_HEAD) && git revert-track --skip -q 2>/dev/null && git log -1 --format=%B >../log &&
	test_grep ! "$left" ../log && test_grep "^This reverts commit $(git log --format=%H --grep "users table\$" --grep "^feat" --all-match)" ../log
'

test_done
