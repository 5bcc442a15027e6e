#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint on disks that fail, are full, lose power, or cannot be written

The points at which calls fail, and after which power is cut, are chosen as in t2400.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-checkpoint-faults.sh

# ---- Calls that fail -----------------------------------------------------------------------------

# Pipes do not fail so; and what cannot be removed is only left over, but for files of the worktree.
files='/ answer$/d; /^\([a-z.0-9-]*:\)\{0,1\}\(write\|pwrite64\|fsync\|fdatasync\|openat\|rename\|link\|mkdir\|symlink\|ftruncate\|f\{0,1\}chmod\|utimensat\) /p'

# git does not always pass on what the system said, but it names the file.
reason_of_git="Out of diskspace\|couldn't \|[Uu]nable to \|stream ends early\|has changed meanwhile"

# Says why, wherever it does not end well.
scenario_check=check_error
check_error () {
	if test "$code" != 0
	then
		test_grep "^\(fatal\|error\): ..*" "$TEST_ROOT/err" &&
		test_grep "$reason\|$reason_of_git" "$TEST_ROOT/err" || return
	fi
	check
}

for error in "ENOSPC:No space left on device" "EIO:Input/output error" "EDQUOT:Disk quota exceeded"
do
	reason=${error#*:}
	error=error=${error%%:*}

	test_expect_success STRACE "create: $reason" '
		make_repository && git reset -q && spoil third 755 &&
		scenario "$files" $error git-checkpoint create third
	'
	tell_figures

	test_expect_success STRACE "create --commit: $reason" '
		make_repository && spoil third 755 &&
		scenario "$files" $error git-checkpoint create --commit third
	'
	tell_figures

	test_expect_success STRACE "drop: $reason" '
		make_repository && git checkpoint create -q third &&
		scenario "$files" $error git-checkpoint drop second third
	'
	tell_figures

	test_expect_success STRACE "restore: $reason" '
		make_repository && spoil third 755 &&
		scenario "$files" $error git-checkpoint restore --yes first
	'
	tell_figures

	test_expect_success STRACE "undo: $reason" '
		make_repository && spoil third 755 && git checkpoint restore -q --yes first &&
		scenario "$files" $error git-checkpoint undo --yes
	'
	tell_figures
done

# ---- A disk that is really full ------------------------------------------------------------------

test_lazy_prereq TMPFS '
	mkdir try && mount -t tmpfs -o size=1m none try && umount try && rmdir try
'

# In $TEST_ROOT/disk from here on; the trash is in it.
disk=$TEST_ROOT/disk

disk_leave () {
	cd "$TEST_ROOT" && umount "$disk"
}

# With more and more room, by $TEST_PAGES pages (default: 2), until it is enough.
until_it_fits () {	# command
	state >"$TEST_ROOT/old" && user_state >"$TEST_ROOT/user-old" && keep_as_base &&
	"$@" >"$TEST_ROOT/out" 2>&1 && state >"$TEST_ROOT/new" && user_state >"$TEST_ROOT/user-new" &&
	pages=0 code=128 || return
	while test "$code" != 0
	do
		restore_base && { cat /dev/zero >"$disk/filler" || :; } 2>/dev/null &&
		truncate -s "-$((pages * 4096))" "$disk/filler" || return
		code=0
		"$@" >"$TEST_ROOT/out" 2>"$TEST_ROOT/err" || code=$?
		rm "$disk/filler"
		(check_error) >"$TEST_ROOT/check.log" 2>&1 4>&1 || {
			echo "does not hold: $pages pages (exit $code)"
			cat "$TEST_ROOT/out" "$TEST_ROOT/err" "$TEST_ROOT/check.log"
			return 1
		}
		pages=$((pages + ${TEST_PAGES:-2}))
	done
	echo "needs less than $pages pages" >"$TEST_ROOT/figures"
	test "$pages" -gt "${TEST_PAGES:-2}"
}

reason="No space left on device"
for verb in "create third" "drop first" "restore --yes first" "undo --yes"
do
	test_expect_success TMPFS "$verb, on a full disk" '
		mkdir -p "$disk" && mount -t tmpfs -o size=2m none "$disk" &&
		trash=$TRASH_DIRECTORY && TRASH_DIRECTORY=$disk/repository &&
		test_when_finished "disk_leave && TRASH_DIRECTORY=\$trash" &&
		make_repository && spoil third 755 &&
		case $verb in undo*) git checkpoint restore -q --yes first ;; esac &&
		until_it_fits git-checkpoint $verb
	'
	tell_figures
done

# ---- Power cuts ----------------------------------------------------------------------------------

# A loop device writes what reaches "the disk" into the file below it: a copy of that, taken while it
# is mounted, is what is there after a power cut. Nothing is written before it must be.
cut_mount () {	# image
	mount -o loop,commit=600,noauto_da_alloc "$1" "$disk"
}

test_lazy_prereq POWERCUT '
	mkdir try && truncate -s 16M try.img && mkfs.ext4 -q -F try.img &&
	mount -o loop,commit=600,noauto_da_alloc try.img try && umount try && rmdir try && rm try.img
'

cut_make_repository () {
	mkdir -p "$disk" && truncate -s 32M "$TEST_ROOT/base.img" && mkfs.ext4 -q -F "$TEST_ROOT/base.img" &&
	cut_mount "$TEST_ROOT/base.img" && make_repository && spoil third 755
}

keep_as_base () {
	sync -f . && cp --sparse=always "$TEST_ROOT/base.img" "$TEST_ROOT/kept.img"
}

restore_base () {
	disk_leave && cp --sparse=always "$TEST_ROOT/kept.img" "$TEST_ROOT/disk.img" &&
	cut_mount "$TEST_ROOT/disk.img" && cd "$TRASH_DIRECTORY" || return
}

# The shell that tries the points is still in the old file system.
cut_power () {
	cp --sparse=always "$TEST_ROOT/disk.img" "$TEST_ROOT/cut.img" &&
	umount -l "$disk" && cut_mount "$TEST_ROOT/cut.img" && cd "$TRASH_DIRECTORY" || return
}

check_cut () {
	cut_power && check
}

# git does not sync what it writes into the worktree. So when a restore was reported, or is open, both
# states can be had: that of before, and the checkpoint's.
check_cut_restore () {
	cut_power && is_whole && undo_until_settled && git checkpoint verify -q --all &&
	git checkpoint restore -q --yes first && test "$(which_state)" = new || return
	test "$code" != 0 || {
		safety=$(git for-each-ref --sort=refname --format="%(refname:lstrip=3)" refs/rollback/op | head -n 1) &&
		git checkpoint restore -q --yes "$safety" && test "$(which_state)" = old
	}
}

for verb in "create third" "create --commit third" "drop first" "restore --yes first"
do
	test_expect_success STRACE,POWERCUT "$verb, and the power is cut" '
		trash=$TRASH_DIRECTORY && TRASH_DIRECTORY=$disk/repository &&
		test_when_finished "disk_leave && TRASH_DIRECTORY=\$trash" &&
		cut_make_repository &&
		case $verb in
		restore*) scenario_check=check_cut_restore ;;
		*) scenario_check=check_cut ;;
		esac &&
		scenario p everything git-checkpoint $verb
	'
	tell_figures
done

test_done
