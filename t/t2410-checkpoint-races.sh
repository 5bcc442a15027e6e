#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint beside other commands, other worktrees and other clones'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-checkpoint-faults.sh

# Who changes refs of checkpoints waits at the gate, having locked them, until it is opened. The gate is a
# pipe that git's hook reads.
close_gate () {
	mkfifo "$TEST_ROOT/gate" &&
	write_script .git/hooks/reference-transaction <<-END
	test "\$1" = prepared && grep -q refs/checkpoints/ && test -p "$TEST_ROOT/gate" || exit 0
	: >"$TEST_ROOT/reached"
	read -r go <"$TEST_ROOT/gate"
	END
}

open_gate () {
	echo go >"$TEST_ROOT/gate" && rm -f "$TEST_ROOT/gate" "$TEST_ROOT/reached"
}

at_gate () {
	wait_until test -f "$TEST_ROOT/reached"
}

# ---- Two at once ---------------------------------------------------------------------------------

test_expect_success 'of two that make the same name one does' '
	make_repository && close_gate &&
	in_background one git-checkpoint create third && at_gate &&
	test_expect_code 2 git-checkpoint create third 2>"$TEST_ROOT/err" &&
	test_grep "pid $(background_pid one) on .*checkpoint create" "$TEST_ROOT/err" &&
	in_background two git-checkpoint create --wait=60 third &&
	open_gate &&
	test "$(background_code one)" = 0 && test "$(background_code two)" = 2 &&
	test_grep "checkpoint .third. exists already" two.err &&
	rm -f one.* two.* && git checkpoint verify && journal_is_settled
'

test_expect_success 'two without a name make two' '
	make_repository && close_gate &&
	git for-each-ref refs/checkpoints >"$TEST_ROOT/before" &&
	in_background one git-checkpoint create && at_gate &&
	in_background two git-checkpoint create --wait=60 &&
	open_gate &&
	test "$(background_code one)" = 0 && test "$(background_code two)" = 0 &&
	rm -f one.* two.* &&
	git for-each-ref refs/checkpoints >"$TEST_ROOT/after" &&
	test "$(($(wc -l <"$TEST_ROOT/after") - $(wc -l <"$TEST_ROOT/before")))" = 2 &&
	git checkpoint verify && journal_is_settled
'

test_expect_success 'whoever waits without end has its turn, as often as it takes' '
	make_repository &&
	for n in 1 2 3 4 5 6
	do
		in_background "bg$n" git-checkpoint create --wait "many-$n" || return
	done &&
	for n in 1 2 3 4 5 6
	do
		test "$(background_code "bg$n")" = 0 || return
	done &&
	rm -f bg* && git for-each-ref "refs/checkpoints/many-*" >"$TEST_ROOT/refs" &&
	test_line_count = 6 "$TEST_ROOT/refs" && git checkpoint verify && journal_is_settled
'

# ---- Beside git ----------------------------------------------------------------------------------

# Runs a command of git's again and again, until $TEST_ROOT/stop is there. What it does meanwhile fails
# only for want of a lock.
git_loop () {	# name, shell command
	rm -f "$TEST_ROOT/stop"
	in_background "../$1" sh -c "
		n=0
		until test -f '$TEST_ROOT/stop'
		do
			n=\$((n + 1))
			{ $2; } || echo failed >&2
			echo \$n >'$TEST_ROOT/rounds'
		done"
}

git_loop_end () {
	: >"$TEST_ROOT/stop" && test "$(background_code "../$1")" = 0
}

# Whoever captures a state begins again when index, HEAD or packed-refs change meanwhile: so pack-refs is
# not run without a break.
for beside in "commit:echo \$n >both; git commit -q -a -m \$n" "add:echo \$n >new; git add -A" \
	"pack-refs:git pack-refs --all; git fsck --no-dangling" "gc:git gc -q"
do
	loop_name=${beside%%:*} loop_command=${beside#*:}
	test_expect_success "create beside git $loop_name" '
		make_repository && rm -f "$TEST_ROOT/rounds" &&
		git_loop "$loop_name" "$loop_command" &&
		for n in 1 2 3 4 5 6 7 8 9 10 11 12
		do
			git-checkpoint create -q "beside-$n" || break
		done &&
		wait_until test -f "$TEST_ROOT/rounds" &&
		git_loop_end "$loop_name" && test "$n" = 12 &&
		git for-each-ref "refs/checkpoints/beside-*" >"$TEST_ROOT/refs" &&
		test_line_count = 12 "$TEST_ROOT/refs" &&
		git fsck --strict --no-dangling && git checkpoint verify && journal_is_settled
	'
done

test_expect_success 'checkpoints survive gc and the end of reflogs, and are restored' '
	make_repository && user_state >"$TEST_ROOT/before" && git checkpoint create -q last &&
	git reset -q --hard HEAD~1 && git clean -fdq &&
	git reflog expire --expire=now --expire-unreachable=now --all && git gc -q --prune=now &&
	git checkpoint verify && git checkpoint restore -q --yes last &&
	user_state >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	git reflog expire --expire=now --expire-unreachable=now --all && git gc -q --prune=now &&
	git checkpoint undo -q --yes && git status --porcelain >"$TEST_ROOT/status" &&
	test_grep ! "^ M" "$TEST_ROOT/status"
'

# Removes what nothing leads to at the worst moment: when objects have been found to be there already, and
# before a ref leads to them. Once.
prune_before_ref () {	# pattern
	write_script .git/hooks/reference-transaction <<-END
	test "\$1" = prepared && grep -q "$1" && test ! -e "$TEST_ROOT/pruned" || exit 0
	: >"$TEST_ROOT/pruned"
	rm -f .git/objects/pack/*.bitmap
	git repack -a -d -q && git prune --expire=now
	END
	rm -f "$TEST_ROOT/pruned"
}

# The state as a snapshot that nothing leads to: its objects are there, and unreachable, in a pack.
leave_behind () {
	git checkpoint create -q behind && git update-ref -d refs/checkpoints/behind &&
	git update-ref -d refs/tags/checkpoint/behind && rm -f .git/objects/pack/*.keep
}

test_expect_success 'create, where objects that it shares with nothing reachable are pruned meanwhile' '
	make_repository && echo unique >only && echo more >>both && user_state >"$TEST_ROOT/before" && leave_behind &&
	prune_before_ref refs/checkpoints/ && git checkpoint create -q third &&
	test_path_is_file "$TEST_ROOT/pruned" && git checkpoint verify third && git fsck --no-dangling &&
	git checkpoint restore -q --yes first && git checkpoint restore -q --yes third &&
	user_state >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" && journal_is_settled &&
	test -z "$(ls .git/objects/pack/*.keep 2>/dev/null)"
'

# As another machine does it that shares the file system, and cannot know that we are alive.
test_expect_success 'create, where even what keeps its own pack is removed' '
	make_repository && git repack -a -d -q && echo unique >only && prune_before_ref refs/checkpoints/ &&
	sed -i "s,^git repack,rm .git/objects/pack/*.keep \&\& &," .git/hooks/reference-transaction &&
	git checkpoint create -q third && test_path_is_file "$TEST_ROOT/pruned" && git checkpoint verify third
'

test_expect_success 'the same of a file that goes through a filter' '
	make_repository && git config filter.up.clean "tr a-z A-Z" && git config filter.up.smudge "tr A-Z a-z" &&
	echo "*.up filter=up" >.gitattributes && echo unique >only.up && leave_behind &&
	git unpack-objects -q <"$(ls -t .git/objects/pack/*.pack | head -n 1)" &&
	prune_before_ref refs/checkpoints/ && git checkpoint create -q third &&
	test_path_is_file "$TEST_ROOT/pruned" && git checkpoint verify third
'

test_expect_success 'the commit of a submodule is not missed' '
	make_repository && rm -rf ../library && git init -q ../library && git -C ../library commit -q --allow-empty -m one &&
	git -c protocol.file.allow=always submodule --quiet add ../library sub && git commit -q -m sub &&
	git -C sub commit -q --allow-empty -m two && git checkpoint create -q third && git checkpoint verify third &&
	git checkpoint restore -q --yes third
'

test_expect_success 'restore, where objects of the safety snapshot are pruned meanwhile: nothing was changed' '
	make_repository && echo unique >only && leave_behind && user_state >"$TEST_ROOT/before" &&
	prune_before_ref refs/rollback/op/.*/safety && test_expect_code 128 git checkpoint restore --yes first 2>"$TEST_ROOT/err" &&
	test_path_is_file "$TEST_ROOT/pruned" && test_grep "removed objects" "$TEST_ROOT/err" &&
	user_state >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" && journal_is_settled &&
	git checkpoint restore -q --yes first && git checkpoint undo -q --yes &&
	user_state >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
'

# ---- Locks of others -----------------------------------------------------------------------------

test_expect_success 'an index that somebody has locked can be kept, and is not replaced' '
	make_repository && : >.git/index.lock && state >"$TEST_ROOT/old" &&
	git-checkpoint create third && git checkpoint verify third && git checkpoint drop -q third &&
	test_expect_code 2 git-checkpoint restore --yes first 2>"$TEST_ROOT/err" &&
	test_grep "the index is locked: .*index.lock" "$TEST_ROOT/err" && test_grep "^hint: .*remove" "$TEST_ROOT/err" &&
	test_expect_code 2 git-checkpoint create --commit third 2>"$TEST_ROOT/err" &&
	test_grep "the index is locked: .*index.lock" "$TEST_ROOT/err" &&
	test_path_is_file .git/index.lock &&
	state >"$TEST_ROOT/new" && test_cmp "$TEST_ROOT/old" "$TEST_ROOT/new" && journal_is_settled &&
	rm .git/index.lock && git-checkpoint restore -q --yes first
'

for lock in refs/checkpoints/third refs/tags/checkpoint/third
do
	test_expect_success "a lock of somebody on $lock" '
		make_repository && state >"$TEST_ROOT/old" &&
		mkdir -p "$(dirname .git/$lock)" && : >".git/$lock.lock" &&
		test_expect_code 128 git-checkpoint create third 2>"$TEST_ROOT/err" &&
		test_grep "$lock.lock" "$TEST_ROOT/err" && test_grep "^hint: Another git" "$TEST_ROOT/err" &&
		state >"$TEST_ROOT/new" && test_cmp "$TEST_ROOT/old" "$TEST_ROOT/new" && journal_is_settled &&
		touch -d 2001-01-01 ".git/$lock.lock" &&
		test_expect_code 128 git-checkpoint create third 2>"$TEST_ROOT/err" &&
		test_grep "older than the last start of this machine" "$TEST_ROOT/err" &&
		test_path_is_file ".git/$lock.lock" && rm ".git/$lock.lock" && git-checkpoint create third
	'
done

for lock in refs/heads/main HEAD
do
	test_expect_success "a restore, and a lock of somebody on $lock" '
		make_repository && state >"$TEST_ROOT/old" && : >".git/$lock.lock" &&
		test_expect_code 128 git-checkpoint restore --yes first 2>"$TEST_ROOT/err" &&
		test_grep "$lock.lock" "$TEST_ROOT/err" &&
		state >"$TEST_ROOT/new" && test_cmp "$TEST_ROOT/old" "$TEST_ROOT/new" && journal_is_settled &&
		rm ".git/$lock.lock" && git-checkpoint restore -q --yes first
	'
done

# ---- File systems --------------------------------------------------------------------------------

test_lazy_prereq MOUNT '
	mkdir try && mount -t tmpfs -o size=1m none try && mount -o remount,ro try && umount try && rmdir try
'

# The worktree cannot be written, and .git is elsewhere.
test_expect_success MOUNT 'a worktree that cannot be written is kept, and refused to be replaced' '
	make_repository && mkdir -p "$TEST_ROOT/fixed" && mount -t tmpfs -o size=4m none "$TEST_ROOT/fixed" &&
	test_when_finished "umount \"\$TEST_ROOT/fixed\" && rm -rf .git && mv git-elsewhere .git" &&
	cp -Rp . "$TEST_ROOT/fixed/tree" && rm -rf "$TEST_ROOT/fixed/tree/.git" && mv .git git-elsewhere &&
	mount -o remount,ro "$TEST_ROOT/fixed" &&
	(
		GIT_DIR=$TRASH_DIRECTORY/git-elsewhere GIT_WORK_TREE=$TEST_ROOT/fixed/tree &&
		export GIT_DIR GIT_WORK_TREE && cd "$GIT_WORK_TREE" &&
		git status --porcelain >"$TEST_ROOT/before" && git rev-parse HEAD >>"$TEST_ROOT/before" &&
		git-checkpoint create third && git checkpoint verify third &&
		test_must_fail git-checkpoint restore --yes first 2>"$TEST_ROOT/err" &&
		test_grep "[Rr]ead-only file system" "$TEST_ROOT/err" &&
		git status --porcelain >"$TEST_ROOT/after" && git rev-parse HEAD >>"$TEST_ROOT/after" &&
		test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
		! grep -l "\"state\": \"open\"" "$GIT_DIR"/rollback/journal/*.json
	)
'

# git itself only warns of that.
test_expect_success 'a file that cannot be removed: all is as before, and it is said' '
	make_repository && mkdir fixed && echo 1 >fixed/untracked &&
	write_script "$TEST_ROOT/without-root" <<-\END &&
	test "$(id -u)" != 0 || exec setpriv --reuid=65534 --clear-groups "$@"
	exec "$@"
	END
	test_when_finished "chmod 755 fixed" && chmod 555 fixed && state >"$TEST_ROOT/old" &&
	{ test "$(id -u)" != 0 || chown -R 65534 .; } &&
	chmod 777 "$TEST_ROOT/tmp" && HOME=$TEST_ROOT/home \
		test_must_fail "$TEST_ROOT/without-root" git-checkpoint restore --yes first 2>"$TEST_ROOT/err" &&
	test_grep "could not remove .fixed/untracked.: .*Permission denied" "$TEST_ROOT/err" &&
	{ test "$(id -u)" != 0 || chown -R 0 .; } &&
	state >"$TEST_ROOT/new" && test_cmp "$TEST_ROOT/old" "$TEST_ROOT/new" && journal_is_settled
'

# As on a file system that does not tell `A` from `a`: here git is only told that it is one.
test_expect_success 'names that differ in case alone are refused where case is ignored' '
	make_repository && echo small >a && echo large >A && git add a A && git commit -q -m both &&
	echo more >>A && user_state >"$TEST_ROOT/before" && git config core.ignoreCase true &&
	git checkpoint create -q cases && git checkpoint verify cases &&
	rm a A && state >"$TEST_ROOT/old" &&
	test_expect_code 2 git-checkpoint restore --yes cases 2>"$TEST_ROOT/err" &&
	test_grep "a. and .*A. are one file here\|A. and .*a. are one file here" "$TEST_ROOT/err" &&
	state >"$TEST_ROOT/new" && test_cmp "$TEST_ROOT/old" "$TEST_ROOT/new" &&
	git config core.ignoreCase false && git checkpoint restore -q --yes cases &&
	git rm -q -f a && git config core.ignoreCase true && state >"$TEST_ROOT/old" &&
	test_expect_code 2 git-checkpoint restore --yes cases 2>"$TEST_ROOT/err" && test_grep "are one file here" "$TEST_ROOT/err" &&
	state >"$TEST_ROOT/new" && test_cmp "$TEST_ROOT/old" "$TEST_ROOT/new" &&
	git config core.ignoreCase false && git checkpoint restore -q --yes cases &&
	user_state >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
'

# ---- Other clones --------------------------------------------------------------------------------

test_expect_success 'pushed, fetched, and restored in another clone' '
	make_repository && user_state >"$TEST_ROOT/before" && git checkpoint create -q third &&
	rm -rf ../bare.git ../clone && git init -q --bare ../bare.git &&
	git push -q ../bare.git main "refs/checkpoints/*:refs/checkpoints/*" "refs/tags/checkpoint/*:refs/tags/checkpoint/*" &&
	git clone -q ../bare.git ../clone &&
	(
		cd ../clone && git fetch -q origin "refs/checkpoints/*:refs/checkpoints/*" &&
		mkdir ignored && cp "$TRASH_DIRECTORY/ignored/file" ignored &&
		git checkpoint verify && git checkpoint restore -q --yes third && user_state >"$TEST_ROOT/after"
	) &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
'

# ---- Linked worktrees ----------------------------------------------------------------------------

test_expect_success 'two worktrees share names, and each has its own state' '
	make_repository && rm -rf ../linked && git worktree add -q ../linked -b other &&
	git checkpoint create -q of-main && echo linked >../linked/only && echo x >>../linked/both &&
	(
		cd ../linked && test_expect_code 2 git checkpoint create of-main 2>"$TEST_ROOT/err" &&
		git checkpoint create -q of-linked && git checkpoint create >"$TEST_ROOT/out" &&
		test_grep "checkpoint .*Z-linked" "$TEST_ROOT/out"
	) &&
	user_state >"$TEST_ROOT/before" && rm ../linked/only &&
	(cd ../linked && git checkpoint restore -q --yes of-linked && test "$(cat only)" = linked) &&
	user_state >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	test_expect_code 2 git checkpoint restore --yes of-linked 2>"$TEST_ROOT/err" &&
	id=$(git checkpoint list --operations --json | jq -r ".operations[0].id") &&
	test_expect_code 2 git checkpoint undo --yes "$id" 2>"$TEST_ROOT/err" &&
	test_grep "another worktree" "$TEST_ROOT/err" &&
	git checkpoint list >"$TEST_ROOT/out" && test_grep of-linked "$TEST_ROOT/out"
'

test_expect_success 'gc in one worktree leaves what the other keeps, and after it is removed too' '
	make_repository && rm -rf ../linked && git worktree prune && git worktree add -q ../linked -b other &&
	echo linked >../linked/only && (cd ../linked && git checkpoint create -q of-linked) &&
	git worktree remove --force ../linked &&
	git reflog expire --expire=now --all && git gc -q --prune=now &&
	git checkpoint verify && git checkpoint restore -q --yes --branch other of-linked &&
	test "$(cat only)" = linked
'

test_done
