#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint: list, drop and prune'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-checkpoint.sh

# The names that are listed, one a line.
names () {
	git checkpoint list --porcelain "$@" | cut -f 1
}

checkpoint_refs () {
	git for-each-ref --format='%(objectname) %(refname)' refs/checkpoints refs/tags/checkpoint
}

test_expect_success 'there are none' '
	test_commit base &&
	git checkpoint list >actual 2>err &&
	test_must_be_empty actual &&
	echo "no checkpoints" >expect &&
	test_cmp expect err &&
	git checkpoint list --quiet 2>err &&
	test_must_be_empty err &&
	git checkpoint list --json >actual &&
	jq -c . actual >json &&
	echo "{\"format\":1,\"checkpoints\":[],\"only_tags\":[]}" >expect &&
	test_cmp expect json
'

test_expect_success 'names are listed in natural order' '
	for name in stage-10-start stage-2-start stage-2-complete other/1 20260101T000000.000000Z
	do
		test_tick && snapshot_make "$name" || return 1
	done &&
	test_write_lines 20260101T000000.000000Z other/1 stage-2-complete stage-2-start \
		stage-10-start >expect &&
	names >actual &&
	test_cmp expect actual
'

test_expect_success 'patterns are those of for-each-ref' '
	test_write_lines stage-2-complete stage-2-start stage-10-start >expect &&
	names "stage-*" >actual &&
	test_cmp expect actual &&
	echo other/1 >expect &&
	names other >actual &&
	test_cmp expect actual &&
	names nosuch >actual &&
	test_must_be_empty actual
'

test_expect_success 'what is listed comes from the message' '
	test_tick &&
	echo changed >base.t && echo new >new &&
	snapshot_make told "All of it, as it was.

Second paragraph.

Checkpoint-Stage: 7
Checkpoint-Event: start
Checkpoint-Branch: main
Checkpoint-In-Progress: merge
Checkpoint-Changes: 0 staged, 1 changed, 1 untracked
Migration-Version: 20260112_003" &&
	git checkpoint list told >actual &&
	test_grep "^told  .*  main  1 changed, 1 untracked  All of it, as it was. (merge in progress) (migration 20260112_003)$" actual &&
	git checkpoint list --json --stage 7 >json &&
	jq -r ".checkpoints[] | .name, .branch, .stage, .event, .in_progress, .migration_version,
		(.counts | .staged, .changed, .untracked), .named, .snapshot, .commit, .message" \
		json >actual &&
	test_write_lines told main 7 start merge 20260112_003 0 1 1 true \
		"$(git rev-parse refs/checkpoints/told)" "$(git rev-parse HEAD)" \
		"All of it, as it was." "" "Second paragraph." >expect &&
	test_cmp expect actual &&
	git checkpoint list --porcelain told >actual &&
	printf "told\t%s\t2026-01-01T00:07:00Z\t%s\tmain\t7\tstart\t0\t1\t1\t20260112_003\t%s\n" \
		"$(git rev-parse refs/checkpoints/told)" "$(git rev-parse HEAD)" \
		"All of it, as it was." >expect &&
	test_cmp expect actual &&
	git checkpoint list -z told >actual &&
	tr "\n" "\000" <expect >expect.z &&
	cmp expect.z actual
'

test_expect_success 'what came from elsewhere cannot drive a terminal' '
	test_tick &&
	snapshot_make hostile "$(printf "red \033[31m\n\nCheckpoint-Branch: \033]0;title\007")" &&
	test_when_finished "git update-ref -d refs/checkpoints/hostile" &&
	git checkpoint list hostile >actual &&
	git checkpoint list --porcelain hostile >>actual &&
	test_line_count = 2 actual &&
	test_grep ! "$(printf "\033")" actual &&
	test_grep -F "\\x1b" actual
'

test_expect_success 'what is no checkpoint is told' '
	git update-ref refs/checkpoints/stray HEAD &&
	test_when_finished "git update-ref -d refs/checkpoints/stray" &&
	git checkpoint list stray >actual &&
	test_grep "not a checkpoint" actual
'

test_expect_success 'list works in a bare repository, and in a subfolder' '
	names >expect &&
	git clone -q --bare . ../bare.git &&
	git push -q ../bare.git "refs/checkpoints/*:refs/checkpoints/*" &&
	test_when_finished "rm -rf ../bare.git" &&
	(cd ../bare.git && names) >actual &&
	test_cmp expect actual &&
	mkdir -p sub &&
	(cd sub && names) >actual &&
	test_cmp expect actual
'

test_expect_success 'drop takes snapshot and tag, and keeps what they were' '
	git tag -a -m one checkpoint/other/1 &&
	checkpoint_refs >before &&
	grep "other/1\$" before | cut -d " " -f 1 | sort >expect &&
	git checkpoint drop other/1 checkpoint/told --json >json &&
	jq -r ".verdict, .checkpoints[].name" json >actual &&
	test_write_lines clean other/1 told >names &&
	test_cmp names actual &&
	checkpoint_refs >after &&
	test_grep ! "other/1\|told" after &&
	id=$(jq -r .operation json) &&
	git for-each-ref --format="%(objectname)" "refs/rollback/op/$id" | sort >kept &&
	test_line_count = 3 kept &&
	comm -23 expect kept >missing &&
	test_must_be_empty missing &&
	record=.git/rollback/journal/$id.json &&
	jq -r ".command, .state, (.refs[] | .name, .new), .kept[]" "$record" >actual &&
	test_write_lines "checkpoint drop" done refs/checkpoints/other/1 null \
		refs/tags/checkpoint/other/1 null refs/checkpoints/told null \
		refs/rollback/op/$id/0 refs/rollback/op/$id/1 refs/rollback/op/$id/2 >expect &&
	test_cmp expect actual &&
	git gc -q --prune=now &&
	git fsck --strict
'

test_expect_success 'drop of what is not there changes nothing' '
	checkpoint_refs >before &&
	test_expect_code 128 git checkpoint drop stage-2-start stage-2-stat 2>err &&
	test_grep "there is no checkpoint .stage-2-stat." err &&
	test_grep "hint: Did you mean .stage-2-start.?" err &&
	test_expect_code 129 git checkpoint drop "stage-*" 2>err &&
	test_grep "cannot be the name of a checkpoint" err &&
	test_expect_code 129 git checkpoint drop &&
	git checkpoint drop -n stage-2-start >actual &&
	test_grep "^would drop  stage-2-start" actual &&
	checkpoint_refs >after &&
	test_cmp before after
'

test_expect_success 'a ref that moved meanwhile is not dropped' '
	write_script "$TEST_ROOT/hook" <<-\END &&
	test "$1" = prepared || exit 0
	grep -q checkpoints/stage-2-start && exit 1
	exit 0
	END
	mkdir -p .git/hooks && cp "$TEST_ROOT/hook" .git/hooks/reference-transaction &&
	test_when_finished "rm .git/hooks/reference-transaction" &&
	checkpoint_refs >before &&
	test_expect_code 128 git checkpoint drop stage-2-start stage-10-start 2>err &&
	test_grep "could not change the refs: .*hook" err &&
	checkpoint_refs >after &&
	test_cmp before after
'

test_expect_success 'a lock that is older than the machine is named' '
	: >.git/refs/checkpoints/stage-2-start.lock &&
	test_when_finished "rm -f .git/refs/checkpoints/stage-2-start.lock" &&
	test_expect_code 128 git checkpoint drop stage-2-start 2>err &&
	test_grep "hint: Another git is at work" err &&
	touch -d "10 years ago" .git/refs/checkpoints/stage-2-start.lock &&
	test_expect_code 128 git checkpoint drop stage-2-start 2>err &&
	test_grep "hint: This lock is older than the last start of this machine" err &&
	test_grep "rm .*/refs/checkpoints/stage-2-start.lock" err
'

make_unnamed () {	# how many
	i=0 &&
	while test $((i += 1)) -le "$1"
	do
		test_tick && git update-ref \
			"refs/checkpoints/202602$(printf %02d $i)T000000.000000Z" \
			"$(git commit-tree -p HEAD -p HEAD -p HEAD -p HEAD -m "$i" "HEAD^{tree}")" || return 1
	done
}

test_expect_success 'prune keeps the newest that have no name' '
	git update-ref -d refs/checkpoints/20260101T000000.000000Z &&
	make_unnamed 23 &&
	names "stage-*" >named &&
	git checkpoint prune -n >actual &&
	test_line_count = 3 actual &&
	names >after &&
	test_line_count = 26 after &&
	git checkpoint prune >actual &&
	test_line_count = 3 actual &&
	test_grep "^dropping  20260203T000000.000000Z" actual &&
	names "stage-*" >after &&
	test_cmp named after &&
	names "2026*" >after &&
	test_line_count = 20 after &&
	head -n 1 after >first &&
	echo 20260204T000000.000000Z >expect &&
	test_cmp expect first &&
	git -c rollback.checkpoint.keep=19 checkpoint prune --quiet >actual 2>&1 &&
	test_must_be_empty actual &&
	names "2026*" >after &&
	test_line_count = 19 after &&
	git checkpoint prune --keep 18 --json >json &&
	test "$(jq ".checkpoints | length" json),$(jq .spared json)" = 1,18
'

test_expect_success 'prune by age, and of names' '
	git checkpoint prune --keep 0 --older-than 2026-01-01T00:20:00Z >actual &&
	names "2026*" >left &&
	git for-each-ref --format="%(creatordate:unix) %(refname)" refs/checkpoints/2026* >dates &&
	awk "\$1 < $(date -u -d 2026-01-01T00:20:00Z +%s)" dates >older &&
	test_must_be_empty older &&
	test_line_count -gt 0 left &&
	test_expect_code 128 git checkpoint prune --older-than someday 2>err &&
	test_grep "is no date" err &&
	git checkpoint prune --keep 1 "stage-2-*" >actual &&
	test_line_count = 1 actual &&
	test_write_lines stage-2-complete stage-10-start >expect &&
	names "stage-*" >actual &&
	test_cmp expect actual &&
	git checkpoint prune --keep 20 2>err >actual &&
	test_must_be_empty actual &&
	echo "nothing to drop" >expect &&
	test_cmp expect err
'

test_expect_success 'what old operations keep goes only when confirmed' '
	git for-each-ref refs/rollback/op >before &&
	test_line_count -gt 5 before &&
	test_expect_code 2 git checkpoint prune --dangling --keep 1 >out 2>err &&
	test_must_be_empty out &&
	test_grep "dropping for good, of operation" err &&
	git for-each-ref refs/rollback/op >after &&
	test_cmp before after &&
	test_expect_code 2 flock .git/rollback/lock git checkpoint prune --dangling --keep 1 2>err &&
	test_grep "dropping for good, of operation" err &&
	test_grep ! "is being changed by another command" err &&
	git checkpoint prune --dangling --keep 1 --yes 2>err &&
	git for-each-ref --format="%(refname)" refs/rollback/op | cut -d / -f 4 | sort -u >ids &&
	test_line_count -le 2 ids
'

test_expect_success 'operations are listed, newest first' '
	git checkpoint list --operations >actual &&
	head -n 1 actual >first &&
	test_grep "git checkpoint prune  *done" first &&
	git checkpoint list --operations --json >json &&
	jq -r ".operations[] | .command" json | sort -u >actual &&
	test_write_lines "checkpoint drop" "checkpoint prune" >expect &&
	test_cmp expect actual &&
	test_expect_code 129 git checkpoint list --operations "x*"
'

test_expect_success 'the repository is taken by one command at a time' '
	write_script .git/hooks/reference-transaction <<-END &&
	test "\$1" = prepared || exit 0
	: >"$PWD/waiting"
	for i in \$(seq 1000)
	do
		test ! -f "$PWD/go" || exit 0
		sleep 0.03
	done
	exit 1
	END
	test_when_finished "rm -f .git/hooks/reference-transaction go waiting" &&
	{ git checkpoint drop stage-2-complete & } && pid=$! &&
	wait_until test -f waiting &&
	test_expect_code 2 git checkpoint drop stage-10-start 2>err &&
	: >go &&
	test_grep "is being changed by another command: .*checkpoint drop" err &&
	wait $pid
'

# ---- Broken ones ---------------------------------------------------------------------------------

test_expect_success 'one that is broken is marked, dropped, and pruned, and hides no others' '
	git init -q -b main broken && cd broken && test_commit base && git checkpoint -q good && git checkpoint -q bad &&
	git checkpoint -q && git checkpoint -q worse && git gc -q && git repack -q -a -d &&
	git checkpoint list --porcelain | cut -f 1 >expect && unnamed=$(head -n 1 expect) &&
	git unpack-objects -q <"$(mv .git/objects/pack/*.pack .. && ls ../*.pack)" &&
	for name in bad worse "$unnamed"
	do
		oid=$(git rev-parse "refs/checkpoints/$name") || return
		rm -f ".git/objects/$(echo "$oid" | sed "s,..,&/,")"
	done &&
	git checkpoint list --porcelain 2>err | cut -f 1 >actual && test_cmp expect actual &&
	test_grep "broken" err && git checkpoint list bad >actual 2>err && test_grep "bad.*broken" actual &&
	git checkpoint list --json 2>err | jq -r ".checkpoints[] | select(.broken) | .name" >actual &&
	test_write_lines "$unnamed" bad worse >expect && test_cmp expect actual &&
	git checkpoint drop -q good bad && git checkpoint undo -q && git rev-parse -q --verify refs/checkpoints/good &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/bad &&
	git checkpoint prune -q --keep 0 && git checkpoint prune -q --keep 0 "w*" &&
	git checkpoint list --porcelain >actual 2>err && test_line_count = 1 actual && test_grep "^good" actual &&
	test_must_be_empty err
'

# ---- Tags without snapshots ----------------------------------------------------------------------

test_expect_success 'a clone has the tags alone, which is said, with how to get the rest' '
	cd "$TRASH_DIRECTORY" && git init -q -b main origin && git -C origin commit -q --allow-empty -m one &&
	git -C origin checkpoint -q a && git -C origin checkpoint -q b && git clone -q origin clone && cd clone &&
	git checkpoint list >out 2>err && test_grep "of checkpoint .a. the tag is here, and its snapshot is not" err &&
	test_grep "git fetch <remote> .refs/checkpoints/\*:refs/checkpoints/\*." err &&
	git checkpoint list --json >json && test "$(jq -c .only_tags json)" = "[\"a\",\"b\"]" &&
	test_expect_code 128 git checkpoint show a 2>err && test_grep "its snapshot is not" err && test_grep "git fetch" err &&
	test_expect_code 2 git checkpoint a 2>err && test_grep "without its snapshot" err && test_grep "git fetch" err &&
	git checkpoint drop -q a && git tag -l >actual && echo checkpoint/b >expect && test_cmp expect actual &&
	git checkpoint undo -q && git rev-parse -q --verify refs/tags/checkpoint/a && git checkpoint prune --keep 0 >actual && test_must_be_empty actual &&
	git checkpoint prune --keep 0 --older-than 2000-01-01 "*" >actual && test_must_be_empty actual &&
	git checkpoint prune --keep 1 --json "*" >json && test "$(jq -r ".checkpoints[0].name, .spared" json | tr "\n" " ")" = "a 1 " &&
	test "$(jq -r ".checkpoints[0].created_at" json)" != null && git tag -l >actual && echo checkpoint/b >expect &&
	test_cmp expect actual && git checkpoint undo -q && git checkpoint -q own && git checkpoint prune -q --keep 0 "a*" "o*" &&
	test_must_fail git rev-parse -q --verify refs/checkpoints/own && git tag -l >actual && test_cmp expect actual &&
	git fetch -q --no-tags origin "refs/checkpoints/*:refs/checkpoints/*" && git checkpoint list --porcelain | cut -f 1 >actual &&
	test_write_lines a b >expect && test_cmp expect actual && git checkpoint list >out 2>err && test_must_be_empty err &&
	test_expect_code 1 git checkpoint verify a >out 2>err && test_grep "the tag that it was given is gone" out &&
	git checkpoint verify b && git -c rollback.checkpoint.tag=false checkpoint -q c && git checkpoint verify c
'

test_done
