#!/bin/sh
# SPDX-License-Identifier: MIT
test_description='git checkpoint in repositories of other setups: fsmonitor, partial clones, settings of a worktree'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-restore.sh

# The state, and that it is the same with what may hide changes, and without.
honest_state () {
	git status --porcelain=v2 -uall >"$TEST_ROOT/quick" && state &&
	git -c core.fsmonitor=false -c core.untrackedCache=false status --porcelain=v2 -uall >"$TEST_ROOT/slow" &&
	test_cmp "$TEST_ROOT/slow" "$TEST_ROOT/quick"
}

# create, change, restore, undo, redo; "$@" is told that files have changed.
there_and_back () {
	"$@" && honest_state >"$TEST_ROOT/one" && git checkpoint create -q one && "$@" &&
	honest_state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" &&
	change_project && rm y.log && "$@" && honest_state >"$TEST_ROOT/two" &&
	git checkpoint restore -q --yes one && "$@" && honest_state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && "$@" && honest_state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes "$(newest_operation)" && "$@" && honest_state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" && git checkpoint verify one
}

fresh () {
	cd "$TRASH_DIRECTORY" && rm -rf r && mkdir r && cd r && make_project
}

# ---- fsmonitor -----------------------------------------------------------------------------------

# What has changed since a moment, and, for what was removed, the folders that it was in. Its answers are
# counted.
fsmonitor_hook () {
	write_script .git/watch <<-\END &&
	echo "$1 $2" >>.git/asked
	date +%s.%N | tr '\n' '\0'
	case $2 in
	[0-9]*) find . -path ./.git -prune -o -newermt "@$2" \( -type d -printf '%P/\0' -o -printf '%P\0' \) ;;
	*) printf '/\0' ;;
	esac
	END
	git config core.fsmonitor .git/watch && git config core.fsmonitorHookVersion 2
}

test_expect_success 'a hook as fsmonitor' '
	fresh && fsmonitor_hook && git update-index --fsmonitor && git status >/dev/null &&
	there_and_back true && test -s .git/asked
'

test_expect_success 'a hook as fsmonitor, with the untracked cache and a split index' '
	fresh && fsmonitor_hook && git config core.untrackedCache true && git update-index --untracked-cache --split-index &&
	git status >/dev/null && there_and_back true
'

test_expect_success 'a hook as fsmonitor that fails is as good as none' '
	fresh && fsmonitor_hook && git status >/dev/null && echo "exit 1" >>.git/watch && there_and_back true
'

test_expect_success 'edits in the tick of the index are seen beside a hook as fsmonitor' '
	fresh && fsmonitor_hook && git update-index --fsmonitor &&
	for i in 1 2 3 4 5 6
	do
		echo a$i >run && git add run && echo b$i >run && git checkpoint create -q "racy-$i" &&
		test "$(git cat-file blob "refs/checkpoints/racy-$i:run")" = b$i || return 1
	done
'

test_lazy_prereq FSMONITOR_DAEMON 'git init -q daemon && cd daemon && git fsmonitor--daemon start && git fsmonitor--daemon stop'

test_expect_success FSMONITOR_DAEMON 'git'\''s own daemon as fsmonitor' '
	fresh && git config core.fsmonitor true && test_when_finished "git fsmonitor--daemon stop" &&
	git status >/dev/null && there_and_back true
'

# ---- Settings of a worktree ----------------------------------------------------------------------

test_expect_success 'a linked worktree with settings of its own' '
	fresh && git config extensions.worktreeConfig true && git worktree add -q ../linked && cd ../linked &&
	test_when_finished "git -C \"$TRASH_DIRECTORY/r\" worktree remove --force ../linked" &&
	git config --worktree core.fileMode false && git config --worktree core.autocrlf true &&
	git config --worktree user.name "Of the worktree" && git config --worktree checkpoint.tag true &&
	git config --worktree rollback.checkpoint.tag false &&
	chmod +x src/main.c && printf "a\r\nb\r\n" >dos && echo more >>part && echo new >untracked && git add dos &&
	state >"$TEST_ROOT/one" && (unset GIT_COMMITTER_NAME GIT_AUTHOR_NAME && git checkpoint create -q linked) &&
	test_must_fail git rev-parse -q --verify refs/tags/checkpoint/linked &&
	test "$(git log -1 --format=%an refs/checkpoints/linked)" = "Of the worktree" &&
	test "$(git ls-tree refs/checkpoints/linked src/main.c | cut -c 1-6)" = 100644 &&
	rm dos untracked && git reset -q --hard && state >"$TEST_ROOT/two" &&
	git checkpoint restore -q --yes linked && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" &&
	git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual" &&
	git checkpoint verify linked
'

test_expect_success 'a sparse checkout of a linked worktree alone' '
	fresh && git config extensions.worktreeConfig true && git worktree add -q ../linked && cd ../linked &&
	test_when_finished "git -C \"$TRASH_DIRECTORY/r\" worktree remove --force ../linked" &&
	git sparse-checkout set --cone src && test_path_is_missing doc && echo more >>src/main.c && echo new >src/new &&
	state >"$TEST_ROOT/one" && git checkpoint create -q sparse && git reset -q --hard && rm src/new && echo other >src/other &&
	state >"$TEST_ROOT/two" && git checkpoint restore -q --yes sparse && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" && git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual" && test_path_is_missing doc && test_path_is_dir ../r/doc
'

# ---- Partial clones ------------------------------------------------------------------------------

# far.git, whose blobs the clone r has only as far as they were checked out: not those of the commit before.
partial () {	# [option of git clone]
	cd "$TRASH_DIRECTORY" && rm -rf r far far.git gone.git && git init -q far &&
	(
		cd far && mkdir in out && echo in1 >in/f && echo out1 >out/f && echo one >one && git add . && git commit -q -m first &&
		echo in2 >in/f && echo out2 >out/f && echo two >one && git commit -q -a -m second
	) &&
	git clone -q --bare far far.git && git -C far.git config uploadpack.allowFilter true &&
	git -C far.git config uploadpack.allowAnySHA1InWant true &&
	git clone -q --no-local --filter=blob:none "$@" "file://$PWD/far.git" r && cd r || return
}
missing () {
	git rev-list --objects --all --missing=print | grep -c "^?"
}
offline () {
	mv "$TRASH_DIRECTORY/far.git" "$TRASH_DIRECTORY/gone.git"
}
online () {
	mv "$TRASH_DIRECTORY/gone.git" "$TRASH_DIRECTORY/far.git"
}

test_expect_success 'a partial clone: create, restore, undo and verify of what is here fetch nothing' '
	partial && missing >"$TEST_ROOT/expect" && test "$(cat "$TEST_ROOT/expect")" = 3 && offline &&
	echo more >>in/f && echo staged >one && git add one && echo new >new && rm out/f &&
	state >"$TEST_ROOT/one" && git checkpoint create -q one && echo other >in/f && git commit -q -a -m third && rm new &&
	state >"$TEST_ROOT/two" && git checkpoint restore -q --yes one && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/one" "$TEST_ROOT/actual" && git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" &&
	test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual" && git checkpoint verify one &&
	missing >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'a partial clone: a state whose objects are with the remote' '
	partial --sparse && git sparse-checkout set in && git reset -q --soft HEAD~1 && echo more >>in/f &&
	state >"$TEST_ROOT/one" && git checkpoint create -q one 2>"$TEST_ROOT/err" &&
	git checkpoint verify one && git checkpoint restore -q --yes one
'

test_expect_success 'a partial clone, offline: create of a state whose objects are with the remote says so' '
	partial --sparse && git sparse-checkout set in && git reset -q --soft HEAD~1 && echo more >>in/f && offline &&
	test_expect_code 128 git checkpoint create one 2>"$TEST_ROOT/err" && test_grep "hint: This is a partial clone" "$TEST_ROOT/err" &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/one && online && git checkpoint create -q one
'

test_expect_success 'a partial clone: a checkpoint from elsewhere is restored by fetching, and told of without' '
	partial && git clone -q ../far.git ../other && (
		cd ../other && echo other >in/f && for i in 1 2 3 4 5 6 7 8 9; do echo $i >out/new$i || return 1; done &&
		echo staged >one && git add one &&
		git checkpoint create -q theirs && state >"$TEST_ROOT/theirs" &&
		git push -q origin "refs/checkpoints/*" "refs/tags/checkpoint/*"
	) && rm -rf ../other &&
	git fetch -q origin "refs/checkpoints/*:refs/checkpoints/*" "refs/tags/*:refs/tags/*" && offline &&
	state >"$TEST_ROOT/two" && test_expect_code 128 git checkpoint restore --yes theirs 2>"$TEST_ROOT/err" &&
	test_grep "hint: This is a partial clone" "$TEST_ROOT/err" &&
	test_expect_code 128 git checkpoint show theirs 2>"$TEST_ROOT/err" && test_grep "hint: This is a partial clone" "$TEST_ROOT/err" &&
	git checkpoint list --porcelain >"$TEST_ROOT/list" && test_grep "^theirs" "$TEST_ROOT/list" &&
	online && git checkpoint show theirs >/dev/null && offline &&
	test_expect_code 128 git checkpoint restore --yes theirs 2>"$TEST_ROOT/err" &&
	test_grep "could not fetch what this partial clone has left with .origin." "$TEST_ROOT/err" &&
	state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual" && online &&
	GIT_TRACE2_EVENT="$TEST_ROOT/trace" git checkpoint restore -q --yes theirs && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/theirs" "$TEST_ROOT/actual" &&
	grep "\"event\":\"cmd_name\",.*\"name\":\"fetch\"" "$TEST_ROOT/trace" >"$TEST_ROOT/fetches" &&
	test_line_count = 1 "$TEST_ROOT/fetches" &&
	offline && git checkpoint undo -q --yes && state >"$TEST_ROOT/actual" && test_cmp "$TEST_ROOT/two" "$TEST_ROOT/actual"
'

test_done
