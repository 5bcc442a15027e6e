#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint: create, show and diff'
. ./test-lib.sh

# What a checkpoint must not change, to the byte.
untouched () {
	git status --porcelain=v2 --branch -uall &&
	git ls-files --stage --debug &&
	git for-each-ref refs/heads &&
	cat .git/HEAD .git/logs/HEAD &&
	find . -path ./.git -prune -o -type f -printf "%p %T@ %m\n" | sort
}

test_expect_success 'a state with something of everything' '
	test_commit one && test_commit two && test_commit three &&
	printf ".env.local\nbuild/\n" >.gitignore && git add .gitignore && git commit -q -m ignore &&
	echo staged >one.t && git add one.t && echo more >>one.t &&
	rm two.t &&
	echo new >new && git add new &&
	echo untracked >untracked &&
	mkdir build && echo built >build/out
'

test_expect_success 'create disturbs nothing' '
	untouched >"$TEST_ROOT/before" &&
	git checkpoint begin -m "Before all of it" &&
	untouched >"$TEST_ROOT/after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
'

test_expect_success 'it says what it has made' '
	git checkpoint said >"$TEST_ROOT/actual" 2>"$TEST_ROOT/err" &&
	echo "checkpoint '\''said'\'': 2 staged, 2 changed, 1 untracked, on main" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	test_must_be_empty "$TEST_ROOT/err" &&
	git checkpoint --quiet quiet >"$TEST_ROOT/actual" &&
	test_must_be_empty "$TEST_ROOT/actual" &&
	git checkpoint --json json >"$TEST_ROOT/json" &&
	jq -r ".verdict, .name, .named, .ref, .tag, .branch, .commit, .snapshot,
		(.counts | .staged, .changed, .untracked)" "$TEST_ROOT/json" >"$TEST_ROOT/actual" &&
	test_write_lines clean json true refs/checkpoints/json \
		refs/tags/checkpoint/json main "$(git rev-parse HEAD)" \
		"$(git rev-parse refs/checkpoints/json)" 2 2 1 >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'the tag is annotated, on the commit of HEAD, and tells all' '
	test "$(git rev-parse "refs/tags/checkpoint/begin^{commit}")" = "$(git rev-parse HEAD)" &&
	git tag -l --format="%(contents)" "checkpoint/begin" >"$TEST_ROOT/actual" &&
	snapshot=$(git checkpoint list --porcelain begin | cut -f 2) &&
	test_write_lines "checkpoint: begin" "" "Before all of it" "" "Checkpoint-Branch: main" \
		"Checkpoint-Snapshot: $snapshot" \
		"Checkpoint-Changes: 2 staged, 2 changed, 1 untracked" "" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'the tag is what its short name means, so that plain git goes on working' '
	test "$(git rev-parse "checkpoint/begin^{commit}" 2>"$TEST_ROOT/err")" = "$(git rev-parse HEAD)" &&
	test_must_be_empty "$TEST_ROOT/err" &&
	git log -1 --decorate=short >"$TEST_ROOT/log" &&
	test_grep "tag: checkpoint/begin" "$TEST_ROOT/log"
'

test_expect_success 'git stash reads a snapshot' '
	snapshot=$(git checkpoint list --porcelain begin | cut -f 2) &&
	git clone -q . "$TEST_ROOT/clone" &&
	git push -q "$TEST_ROOT/clone" "$snapshot:refs/kept/one" &&
	(
		cd "$TEST_ROOT/clone" && git stash apply -q --index refs/kept/one &&
		git status --porcelain
	) >"$TEST_ROOT/actual" &&
	git status --porcelain >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual"
'

test_expect_success 'stages, phases and stories name and mark' '
	git checkpoint -q --stage 3 --start &&
	git checkpoint -q --stage 3 --complete -m done &&
	git checkpoint -q --phase 2 &&
	git checkpoint -q other --stage 3 --story S-12 &&
	git checkpoint list --stage 3 --porcelain | cut -f 1,6,7 >"$TEST_ROOT/actual" &&
	printf "other\t3\t\nstage-3-complete\t3\tcomplete\nstage-3-start\t3\tstart\n" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint show phase-2-complete --json >"$TEST_ROOT/json" &&
	test "$(jq -r .manifest.phase "$TEST_ROOT/json")" = 2 &&
	git checkpoint list other --json >"$TEST_ROOT/json" &&
	test "$(jq -r ".checkpoints[].story" "$TEST_ROOT/json")" = S-12
'

test_expect_success 'what makes no sense is usage' '
	cat >"$TEST_ROOT/misuse" <<-\END &&
	--stage 3
	--stage -1 --start
	--stage 03 --start
	--stage three name
	--phase 02
	list --stage 03
	--start
	--stage 3 --phase 2
	--phase 2 --start
	--start --complete name
	one two
	-m message list
	create list
	--database x --no-db name
	--commit --force name
	show
	show one two
	diff
	diff one two three
	export one
	verify --all one
	END
	while read -r options
	do
		test_expect_code 129 git checkpoint $options 2>"$TEST_ROOT/err" || return 1
	done <"$TEST_ROOT/misuse" &&
	test_expect_code 129 git checkpoint --stage "" --start 2>"$TEST_ROOT/err" &&
	test_expect_code 129 git checkpoint show "a b" 2>"$TEST_ROOT/err" &&
	git checkpoint -q --stage 0 --start && git checkpoint drop -q stage-0-start &&
	git checkpoint list --porcelain >"$TEST_ROOT/list" &&
	test_grep ! "^list\|^name" "$TEST_ROOT/list"
'

test_expect_success 'names that cannot be are refused' '
	for name in a..b "a b" /a a/ a.lock .a "a~1" "a:b" 20260101T000000.000000Z "a@{1}" a.
	do
		test_expect_code 129 git checkpoint "$name" 2>"$TEST_ROOT/err" || return 1
	done &&
	test_expect_code 128 git checkpoint begin/below 2>"$TEST_ROOT/err" &&
	git checkpoint -q a/b &&
	test_expect_code 128 git checkpoint a 2>"$TEST_ROOT/err" &&
	test_grep "cannot be a name beside .a/b." "$TEST_ROOT/err"
'

test_expect_success 'an existing name is refused, but for --force, which keeps what was' '
	git checkpoint list --porcelain begin >"$TEST_ROOT/before" &&
	test_expect_code 2 git checkpoint begin 2>"$TEST_ROOT/err" &&
	test_grep "checkpoint .begin. exists already" "$TEST_ROOT/err" &&
	git checkpoint list --porcelain begin >"$TEST_ROOT/after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	old=$(cut -f 2 "$TEST_ROOT/before") && old_tag=$(git rev-parse refs/tags/checkpoint/begin) &&
	git checkpoint --force --json begin >"$TEST_ROOT/json" &&
	id=$(jq -r .operation "$TEST_ROOT/json") &&
	git for-each-ref --format="%(objectname)" "refs/rollback/op/$id" | sort >"$TEST_ROOT/actual" &&
	test_write_lines "$old" "$old_tag" | sort >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git tag checkpoint/by-hand &&
	test_expect_code 2 git checkpoint by-hand 2>"$TEST_ROOT/err" &&
	test_grep "the tag of checkpoint .by-hand. exists already" "$TEST_ROOT/err"
'

test_expect_success 'without a name: the time, no tag, never the same one' '
	git tag -l >"$TEST_ROOT/before" &&
	GIT_ROLLBACK_TEST_NOW=1768213230 && export GIT_ROLLBACK_TEST_NOW &&
	git checkpoint && git checkpoint && git checkpoint -q &&
	unset GIT_ROLLBACK_TEST_NOW &&
	git checkpoint list --porcelain "2026*" | cut -f 1 >"$TEST_ROOT/actual" &&
	test_write_lines 20260112T102030.000000Z 20260112T102030.000001Z \
		20260112T102030.000002Z >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git tag -l >"$TEST_ROOT/after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after"
'

test_expect_success 'a linked worktree has its id in the name' '
	git worktree add -q "$TEST_ROOT/linked" &&
	(cd "$TEST_ROOT/linked" && git checkpoint --json) >"$TEST_ROOT/json" &&
	test_grep "Z-linked\"" "$TEST_ROOT/json" &&
	test "$(jq -r .named "$TEST_ROOT/json")" = false &&
	git worktree remove --force "$TEST_ROOT/linked" &&
	git checkpoint list "*-linked" >"$TEST_ROOT/actual" &&
	test_line_count = 1 "$TEST_ROOT/actual"
'

test_expect_success 'many at once all get their own' '
	git checkpoint list --porcelain | wc -l >"$TEST_ROOT/before" &&
	for i in 1 2 3 4
	do
		{ git checkpoint -q --wait & } || return 1
	done &&
	wait &&
	git checkpoint list --porcelain | wc -l >"$TEST_ROOT/after" &&
	test "$(cat "$TEST_ROOT/after")" = $(($(cat "$TEST_ROOT/before") + 4))
'

test_expect_success 'rollback.checkpoint.tag = false: no tag' '
	git -c rollback.checkpoint.tag=false checkpoint -q untagged &&
	git tag -l "checkpoint/untagged" >"$TEST_ROOT/actual" &&
	test_must_be_empty "$TEST_ROOT/actual" &&
	git checkpoint list untagged >"$TEST_ROOT/actual" &&
	test_line_count = 1 "$TEST_ROOT/actual"
'

test_expect_success 'an unborn branch: a checkpoint without a tag' '
	git init -q "$TEST_ROOT/unborn" &&
	(
		cd "$TEST_ROOT/unborn" && echo 1 >a && git add a && echo 2 >b &&
		git checkpoint start 2>../err && test_grep "no commit yet" ../err &&
		git checkpoint show start >../out && test_grep "none yet, on main" ../out &&
		test_grep "^A  a" ../out && test_grep "^?? b" ../out &&
		git tag -l >../tags && test_must_be_empty ../tags && echo 3 >>b &&
		git checkpoint diff --name-status start >../out && test_grep "^M	b" ../out
	)
'

test_expect_success 'no identity is needed' '
	git init -q "$TEST_ROOT/nobody" &&
	(
		cd "$TEST_ROOT/nobody" && echo 1 >a &&
		unset GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL EMAIL &&
		git config user.useConfigOnly true &&
		git checkpoint -q start && git checkpoint list >actual && test_line_count = 1 actual
	)
'

test_expect_success 'in a bare repository, and inside .git, there is nothing to keep' '
	git init -q --bare "$TEST_ROOT/bare.git" &&
	test_expect_code 128 git -C "$TEST_ROOT/bare.git" checkpoint 2>"$TEST_ROOT/err" &&
	test_grep "there is no worktree here" "$TEST_ROOT/err" &&
	test_expect_code 128 git -C .git checkpoint 2>"$TEST_ROOT/err"
'

test_expect_success 'what is big, and what looks like a secret, is named' '
	echo PASSWORD=1 >.env && echo template >.env.example && mkdir -p keys &&
	echo key >keys/id_rsa && echo public >keys/id_rsa.pub && echo own >keys/house.door &&
	test_when_finished "rm -r .env .env.example keys big" &&
	dd if=/dev/zero of=big bs=1024 count=20 &&
	git -c rollback.checkpoint.bigFile=10k -c rollback.checkpoint.secret="keys/*.door" \
		checkpoint --json named >"$TEST_ROOT/json" 2>"$TEST_ROOT/err" &&
	jq -r ".big[], .secret[]" "$TEST_ROOT/json" >"$TEST_ROOT/actual" &&
	test_write_lines big .env keys/house.door keys/id_rsa >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	test_grep "^warning: .big. is big (20 KiB)" "$TEST_ROOT/err" &&
	test_grep "^warning: .keys/id_rsa. looks like a secret" "$TEST_ROOT/err" &&
	test_line_count = 4 "$TEST_ROOT/err" &&
	git checkpoint show named >"$TEST_ROOT/show" &&
	test_grep "^secret *.env$" "$TEST_ROOT/show"
'

test_expect_success 'untracked files can be left out, and ignored ones named' '
	git checkpoint -q --no-untracked tracked-only &&
	git checkpoint diff --name-status tracked-only >"$TEST_ROOT/actual" &&
	printf "A\tuntracked\n" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint -q --include-ignored=build with-build &&
	git checkpoint show --json with-build >"$TEST_ROOT/json" &&
	test "$(jq -c .manifest.ignored "$TEST_ROOT/json")" = "[\"build/out\"]" &&
	mkdir -p sub && echo ignored >sub/.env.local &&
	(cd sub && git checkpoint -q --include-ignored=.env.local from-sub) 2>"$TEST_ROOT/err" &&
	git checkpoint show --json from-sub >"$TEST_ROOT/json" &&
	test "$(jq -c .manifest.ignored "$TEST_ROOT/json")" = "[\"sub/.env.local\"]"
'

test_expect_success '-n makes nothing' '
	git for-each-ref >"$TEST_ROOT/before" && git count-objects -v >>"$TEST_ROOT/before" &&
	git checkpoint -n tried >"$TEST_ROOT/actual" &&
	test_grep "^would make checkpoint .tried.: 2 staged" "$TEST_ROOT/actual" &&
	git for-each-ref >"$TEST_ROOT/after" && git count-objects -v >>"$TEST_ROOT/after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	ls -A "$TMPDIR" >"$TEST_ROOT/left" &&
	test_must_be_empty "$TEST_ROOT/left"
'

test_expect_success '-n leaves nothing behind when it fails, and makes nothing of ours' '
	test_must_fail git checkpoint -n --database nosuch tried 2>"$TEST_ROOT/err" &&
	ls -A "$TMPDIR" >"$TEST_ROOT/left" && test_must_be_empty "$TEST_ROOT/left" &&
	git init -q "$TEST_ROOT/untouched" && (cd "$TEST_ROOT/untouched" && git checkpoint -n) &&
	test_path_is_missing "$TEST_ROOT/untouched/.git/rollback"
'

test_expect_success 'diff is of whole states, and writes nothing' '
	git checkpoint -q states &&
	echo changed >>untracked && rm new && echo later >later &&
	test_when_finished "rm -f later; echo untracked >untracked; echo new >new" &&
	git count-objects -v >"$TEST_ROOT/before" &&
	git checkpoint diff --name-status states >"$TEST_ROOT/actual" &&
	printf "A\tlater\nD\tnew\nM\tuntracked\n" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint diff -p states -- untracked >"$TEST_ROOT/actual" &&
	test_grep "^+changed$" "$TEST_ROOT/actual" &&
	test_grep ! "later" "$TEST_ROOT/actual" &&
	git checkpoint diff states >"$TEST_ROOT/actual" &&
	test_grep "3 files changed" "$TEST_ROOT/actual" &&
	(cd sub && git checkpoint diff --name-status states -- ../new) >"$TEST_ROOT/actual" &&
	printf "D\tnew\n" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	test_expect_code 129 git checkpoint diff --name-status -p states 2>"$TEST_ROOT/err" &&
	test_grep "cannot be combined" "$TEST_ROOT/err" &&
	git checkpoint diff --name-status tracked-only states >"$TEST_ROOT/actual" &&
	printf "A\tuntracked\n" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git count-objects -v >"$TEST_ROOT/after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	ls -A "$TMPDIR" >"$TEST_ROOT/left" &&
	test_must_be_empty "$TEST_ROOT/left"
'

test_expect_success '--commit commits everything first, and undo knows the state before' '
	git status --porcelain >"$TEST_ROOT/status" && test -s "$TEST_ROOT/status" &&
	old=$(git rev-parse HEAD) &&
	git checkpoint --commit --json whole -m "All of it" >"$TEST_ROOT/json" &&
	git status --porcelain >"$TEST_ROOT/after" &&
	test_must_be_empty "$TEST_ROOT/after" &&
	test "$(git log -1 --format=%s)" = "All of it" &&
	test "$(git rev-parse HEAD^)" = "$old" &&
	test "$(jq -r .commit "$TEST_ROOT/json")" = "$(git rev-parse HEAD)" &&
	id=$(jq -r .operation "$TEST_ROOT/json") &&
	jq -r ".state, .safety, (.refs[0] | .name, .old, .new)" ".git/rollback/journal/$id.json" \
		>"$TEST_ROOT/actual" &&
	test_write_lines done "refs/rollback/op/$id/safety" refs/heads/main "$old" \
		"$(git rev-parse HEAD)" >"$TEST_ROOT/expect" &&
	test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
	git checkpoint show "$id" >"$TEST_ROOT/show" &&
	test_grep "^MM one.t" "$TEST_ROOT/show" &&
	git checkpoint --commit again 2>"$TEST_ROOT/err" &&
	test_grep "nothing to commit" "$TEST_ROOT/err"
'

test_expect_success 'what a hook refuses changes nothing' '
	write_script .git/hooks/pre-commit <<-\END &&
	echo "not today" >&2
	exit 1
	END
	test_when_finished "rm .git/hooks/pre-commit" &&
	echo staged >>one.t && git add one.t && echo more >>one.t && echo x >fresh &&
	git status --porcelain >"$TEST_ROOT/before" && git ls-files -s >>"$TEST_ROOT/before" &&
	git for-each-ref >>"$TEST_ROOT/before" &&
	test_expect_code 128 git checkpoint --commit refused 2>"$TEST_ROOT/err" &&
	test_grep "not today" "$TEST_ROOT/err" &&
	git status --porcelain >"$TEST_ROOT/after" && git ls-files -s >>"$TEST_ROOT/after" &&
	git for-each-ref >>"$TEST_ROOT/after" &&
	test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	test_path_is_missing .git/index.lock
'

test_expect_success 'a commit of somebody else meanwhile is not taken for ours' '
	write_script .git/hooks/pre-commit <<-\END &&
	git update-ref HEAD "$(git commit-tree -p HEAD -m theirs "HEAD^{tree}")"
	exit 1
	END
	test_when_finished "rm .git/hooks/pre-commit" &&
	git ls-files -s >"$TEST_ROOT/before" &&
	test_expect_code 128 git checkpoint --commit not-ours 2>"$TEST_ROOT/err" &&
	test_grep "git commit refused, with status 1" "$TEST_ROOT/err" &&
	git ls-files -s >"$TEST_ROOT/after" && test_cmp "$TEST_ROOT/before" "$TEST_ROOT/after" &&
	test "$(git log -1 --format=%s)" = theirs &&
	git checkpoint list not-ours >"$TEST_ROOT/list" && test_must_be_empty "$TEST_ROOT/list"
'

test_expect_success '--commit finds an index of another name from where git does' '
	cp .git/index .git/own && mkdir -p sub && echo own >sub/own &&
	(cd sub && GIT_INDEX_FILE=.git/own git checkpoint -q --commit own-index) &&
	GIT_INDEX_FILE=.git/own git diff --cached --quiet && test "$(git show HEAD:sub/own)" = own
'

test_expect_success '--commit leaves out a git folder of another name that lies in the worktree' '
	for rules in "/odd\\[n]ame/" "/odd*/*" "*.o"
	do
		rm -rf elsewhere && mkdir elsewhere && cd elsewhere && mkdir sub &&
		odd="odd[n]ame" && GIT_DIR=$PWD/$odd GIT_WORK_TREE=$PWD && export GIT_DIR GIT_WORK_TREE &&
		git init -q && echo "$rules" >.gitignore && echo one >one && mkdir oddn && echo two >oddn/ame &&
		cd sub && git checkpoint -q --commit one && cd .. &&
		git ls-tree -r --name-only HEAD >"$TEST_ROOT/actual" &&
		test_write_lines .gitignore >"$TEST_ROOT/expect" && { test "$rules" = "/odd*/*" || echo oddn/ame >>"$TEST_ROOT/expect"; } &&
		echo one >>"$TEST_ROOT/expect" && test_cmp "$TEST_ROOT/expect" "$TEST_ROOT/actual" &&
		unset GIT_DIR GIT_WORK_TREE && cd .. || return 1
	done &&
	rm -r elsewhere
'

test_expect_success '--commit in a merge is refused, while a checkpoint keeps it' '
	git reset -q --hard &&
	git switch -q -c side HEAD~1 && test_commit side one.t &&
	git switch -q main && test_commit main one.t &&
	test_must_fail git merge side &&
	test_when_finished "git merge --abort" &&
	test_expect_code 2 git checkpoint --commit merging 2>"$TEST_ROOT/err" &&
	test_grep "a merge is in progress" "$TEST_ROOT/err" &&
	git checkpoint merging 2>"$TEST_ROOT/err" &&
	test_grep "a merge is in progress, and will be recorded" "$TEST_ROOT/err" &&
	git checkpoint list merging >"$TEST_ROOT/actual" &&
	test_grep "(merge in progress)" "$TEST_ROOT/actual"
'

test_expect_success 'checkpoints survive gc, and nothing is broken' '
	git reflog expire --expire=now --all &&
	git gc -q --prune=now &&
	git fsck --strict &&
	git checkpoint verify
'

test_lazy_prereq STRACE 'strace -o /dev/null -e trace=none true'

test_expect_success STRACE 'git pack-refs that removes a folder while it is synced does no harm' '
	test_strace -o "$TEST_ROOT/calls" -P "$PWD/.git/refs/tags/checkpoint" \
		-e trace=openat -e inject=openat:error=ENOENT git-checkpoint -q packed 2>"$TEST_ROOT/err" &&
	test_grep "refs/tags/checkpoint.*INJECTED" "$TEST_ROOT/calls" && test_must_be_empty "$TEST_ROOT/err" &&
	git checkpoint list --operations --porcelain >"$TEST_ROOT/operations" &&
	test_grep ! "	open	" "$TEST_ROOT/operations"
'

test_expect_success 'a git status that says nothing has not said that all is clean' '
	mkdir "$TEST_ROOT/front" && test_when_finished "rm -r \"\$TEST_ROOT/front\"" &&
	write_script "$TEST_ROOT/front/git" <<-END &&
	case " \$* " in
	*" status "*) exec "$(command -v git)" "\$@" >/dev/null ;;
	*) exec "$(command -v git)" "\$@" ;;
	esac
	END
	PATH="$TEST_ROOT/front:$PATH" test_expect_code 128 git-checkpoint mute 2>"$TEST_ROOT/err" &&
	test_grep "cannot read the worktree.s state: git.s answer is cut off" "$TEST_ROOT/err" &&
	git checkpoint list mute >"$TEST_ROOT/list" && test_must_be_empty "$TEST_ROOT/list"
'

test_expect_success '--json is one object, also where it fails at once' '
	cat >"$TEST_ROOT/failures" <<-\END &&
	128 show nosuch
	129 show a..b
	128 verify nosuch
	128 export nosuch out
	128 restore nosuch --yes
	2 restore packed --with-db
	128 undo nosuch
	128 drop nosuch
	128 prune --older-than=someday
	129 create a..b
	END
	git checkpoint -q --force packed &&
	while read -r code options
	do
		test_expect_code "$code" git checkpoint $options --json >"$TEST_ROOT/json" 2>"$TEST_ROOT/err" &&
		jq -e -s "length == 1 and (.[0] | .format == 1 and (.error.message | length > 0) and
			.outcome == (if $code == 2 then \"refused\" else \"failed\" end))" "$TEST_ROOT/json" || return
	done <"$TEST_ROOT/failures"
'

test_expect_success 'help starts nothing' '
	mkdir "$TEST_ROOT/no-git" && mkdir "$TEST_ROOT/elsewhere" &&
	for verb in "" create list show diff verify drop prune export
	do
		(cd "$TEST_ROOT/elsewhere" &&
			PATH="$TEST_ROOT/no-git" "$BUILD"/bin/git-checkpoint $verb -h) >"$TEST_ROOT/usage" ||
			return 1
	done
'

test_done
