#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint verify: what is whole, what is lost, what does not agree'
. ./test-lib.sh

# A checkpoint whose objects are loose, so that they can be taken away one by one. What a remote has
# promised stays in its packs.
make_loose () {	# name
	git checkpoint create --no-db "$1" &&
	for pack_ in "$(git rev-parse --git-path objects)"/pack/*.pack
	do
		if test -f "$pack_" && ! test -f "${pack_%.pack}.promisor"
		then
			mv "$pack_" "$TEST_ROOT/pack" && rm -f "${pack_%.pack}".* &&
			git unpack-objects -q <"$TEST_ROOT/pack" || return
		fi
	done
}

object_file () {	# id
	printf '%s/objects/%s/%s\n' "$(git rev-parse --git-dir)" \
		"$(printf '%.2s' "$1")" "$(printf '%s' "$1" | cut -c3-)"
}

# The object that is there instead is well-formed, but another one.
exchange_object () {	# id, other id
	chmod u+w "$(object_file "$1")" &&
	cp "$(object_file "$2")" "$(object_file "$1")"
}

# Takes an object away until the end of the test.
hide_object () {	# id
	hidden=$(object_file "$1") &&
	mv "$hidden" "$TEST_ROOT/hidden" &&
	test_when_finished "mv \"\$TEST_ROOT/hidden\" \"$hidden\""
}

fails_with () {	# pattern... ; the rest of the command line is in $verify
	# shellcheck disable=SC2086 # several words
	test_expect_code 1 git checkpoint verify $verify >out 2>err &&
	for pattern_
	do
		test_grep "$pattern_" out || return
	done
}

told_when_lost () {	# object, pattern
	lost_=$(object_file "$(git rev-parse "$1")") &&
	mv "$lost_" "$TEST_ROOT/lost" || return
	fails_with "^    $2 .* is not there)$"
	told_=$?
	mv "$TEST_ROOT/lost" "$lost_"
	return "$told_"
}

# A snapshot like refs/checkpoints/one with a file of the payload exchanged, as refs/checkpoints/two.
with_payload () {	# file, with the new content in "$TEST_ROOT/content"
	blob_=$(git hash-object -w "$TEST_ROOT/content") &&
	{
		git ls-tree refs/checkpoints/one^4 | grep -v "	$1\$" || :
		printf '100644 blob %s\t%s\n' "$blob_" "$1"
	} | git mktree >"$TEST_ROOT/tree" &&
	m_=$(git commit-tree -m payload "$(cat "$TEST_ROOT/tree")") &&
	w_=$(git commit-tree -m two -p refs/checkpoints/one^1 -p refs/checkpoints/one^2 \
		-p refs/checkpoints/one^3 -p "$m_" "refs/checkpoints/one^{tree}") &&
	git update-ref refs/checkpoints/two "$w_" &&
	test_when_finished "git update-ref -d refs/checkpoints/two"
}

manifest_with () {	# sed script
	git cat-file blob refs/checkpoints/one^4:manifest.json |
	sed "$1; s/\"name\": \"one\"/\"name\": \"two\"/" >"$TEST_ROOT/content" &&
	with_payload manifest.json
}

test_expect_success 'two checkpoints' '
	git config gc.auto 0 &&
	mkdir dir &&
	echo first >dir/tracked && git add . && git commit -q -m first &&
	echo second >dir/tracked && git commit -q -a -m second &&
	make_loose other &&
	echo staged >dir/tracked && echo new >added && git add . &&
	echo changed >dir/tracked && echo untracked >extra &&
	git config rollback.checkpoint.tag false && make_loose one && git config --unset rollback.checkpoint.tag
'

test_expect_success 'are whole' '
	cat >expect <<-\END &&
	✅ one
	✅ other
	END
	git checkpoint verify >actual 2>err &&
	test_cmp expect actual &&
	test_grep "^2 checkpoints, [0-9]* objects, .* read$" err &&
	git checkpoint verify one >actual &&
	echo "✅ one" >expect &&
	test_cmp expect actual &&
	git checkpoint verify checkpoint/one >actual &&
	test_cmp expect actual &&
	git checkpoint verify refs/checkpoints/one >actual &&
	test_cmp expect actual &&
	git checkpoint verify -q >actual 2>&1 &&
	test_must_be_empty actual
'

test_expect_success 'in JSON' '
	git checkpoint verify --json one >out 2>err &&
	test_must_be_empty err &&
	test_grep "\"whole\": true" out &&
	test_grep "\"problems\": \[\]" out &&
	test_grep "\"ref\": \"refs/checkpoints/one\"" out
'

test_expect_success 'a name that there is not' '
	test_expect_code 128 git checkpoint verify on 2>err &&
	test_grep "there is no checkpoint .on." err &&
	test_grep "Did you mean .one.?" err
'

test_expect_success 'what cannot be printed is a failure' '
	test_expect_code 128 git checkpoint verify >/dev/full 2>err
'

test_expect_success 'none at all is no failure' '
	git init -q "$TEST_ROOT/empty" &&
	git -C "$TEST_ROOT/empty" checkpoint verify >out 2>err &&
	test_must_be_empty out
'

# ---- Objects ------------------------------------------------------------------------------------

test_expect_success 'an untracked file that is gone: it is named, and whose it is' '
	hide_object "$(git rev-parse refs/checkpoints/one^3:extra)" &&
	verify= &&
	fails_with "^    lost: .extra. in the untracked files (blob .* is not there)$" \
		"^❌ one$" "^✅ other$" &&
	test_grep "hint: .*hash-object -w" err &&
	git checkpoint verify other
'

test_expect_success 'a tracked file, a staged one, a folder, whole trees, each of the commits' '
	verify=one &&
	told_when_lost refs/checkpoints/one:dir/tracked "lost: .dir/tracked. in the tracked files (blob" &&
	told_when_lost refs/checkpoints/one^2:dir/tracked "lost: .dir/tracked. in the index (blob" &&
	told_when_lost refs/checkpoints/one:dir "lost: .dir/. in the tracked files (tree" &&
	told_when_lost "refs/checkpoints/one^3^{tree}" "lost: all of the untracked files (tree" &&
	told_when_lost refs/checkpoints/one^4 "lost: the payload (commit" &&
	told_when_lost refs/checkpoints/one^3 "lost: the untracked files (commit" &&
	told_when_lost refs/checkpoints/one^2 "lost: the index (commit" &&
	told_when_lost refs/checkpoints/one^1 "lost: the commit that HEAD was (commit" &&
	told_when_lost refs/checkpoints/one "lost: the snapshot itself (commit" &&
	git checkpoint verify
'

test_expect_success 'a commit before HEAD' '
	hide_object "$(git rev-parse HEAD~)" &&
	verify="one" &&
	fails_with "^    the history of the commit that HEAD was has a gap: "
'

test_expect_success 'a file that has the content of another: git itself does not notice' '
	blob=$(git rev-parse refs/checkpoints/one:dir/tracked) &&
	cp "$(object_file "$blob")" "$TEST_ROOT/kept" &&
	test_when_finished "cp \"\$TEST_ROOT/kept\" \"\$(object_file $blob)\"" &&
	exchange_object "$blob" "$(git rev-parse refs/checkpoints/one^3:extra)" &&
	git cat-file blob "$blob" &&
	verify=one &&
	fails_with "^    lost: .dir/tracked. in the tracked files (blob $blob is damaged)$"
'

test_expect_success 'an object that is cut off, empty, or rubbish' '
	blob=$(git rev-parse refs/checkpoints/one:dir/tracked) &&
	file=$(object_file "$blob") &&
	cp "$file" "$TEST_ROOT/kept" &&
	test_when_finished "cp \"\$TEST_ROOT/kept\" \"$file\"" &&
	chmod u+w "$file" &&
	verify=one &&
	printf "" >"$file" &&
	fails_with "blob $blob is" &&
	head -c 9 "$TEST_ROOT/kept" >"$file" &&
	fails_with "blob $blob is" &&
	echo rubbish >"$file" &&
	fails_with "blob $blob is"
'

test_expect_success 'a replaced object does not hide what is lost' '
	blob=$(git rev-parse refs/checkpoints/one:dir/tracked) &&
	git replace "$blob" "$(git rev-parse refs/checkpoints/one^3:extra)" &&
	test_when_finished "git replace -d $blob" &&
	git checkpoint verify one &&
	hide_object "$blob" &&
	verify=one &&
	fails_with "blob $blob is not there"
'

test_expect_success 'a byte of a pack: every object behind it is told' '
	git init -q pack &&
	(
		cd pack &&
		for i in 1 2 3
		do
			seq 1 300 | sed "s/^/$i /" | sort -R --random-source=/bin/sh >"f$i" || exit
		done &&
		git add . && git commit -q -m one && make_loose p &&
		git -c pack.depth=0 -c pack.window=0 repack -q -a -d &&
		blob=$(git rev-parse HEAD:f2) &&
		pack=$(echo .git/objects/pack/*.pack) &&
		git verify-pack -v "$pack" | sed -n "s/^$blob blob *[0-9]* [0-9]* //p" >offset &&
		chmod u+w "$pack" &&
		printf "\\377\\377" |
		dd of="$pack" bs=1 seek=$(($(cat offset) + 100)) conv=notrunc 2>/dev/null &&
		verify= &&
		fails_with "^    lost: .f2. in the tracked files (blob $blob is damaged)$" &&
		grep -c " lost: " out >count &&
		echo 1 >expect &&
		test_cmp expect count
	)
'

test_expect_success 'many objects, and a large one' '
	git init -q many &&
	(
		cd many &&
		for d in 1 2 3 4 5 6 7 8 9 10
		do
			mkdir $d &&
			for f in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27
			do
				echo "$d $f" >"$d/a long name to fill the pipes with it $f" || exit
			done
		done &&
		head -c 20000000 /dev/zero >large && git add . && git commit -q -m many &&
		make_loose many &&
		git checkpoint verify
	)
'

test_expect_success 'SHA-256' '
	git init -q --object-format=sha256 sha256 &&
	(
		cd sha256 &&
		echo a >a && git add . && git commit -q -m a && echo b >b &&
		make_loose s &&
		git checkpoint verify &&
		rm -f "$(object_file "$(git rev-parse refs/checkpoints/s^3:b)")" &&
		verify= &&
		fails_with "^    lost: .b. in the untracked files"
	)
'

test_expect_success 'a partial clone: what its remote has is not lost, and not fetched' '
	git init -q full &&
	(
		cd full &&
		mkdir in out && echo in >in/f && echo out >out/f && git add . && git commit -q -m full &&
		git config uploadpack.allowFilter true
	) &&
	git clone -q --no-local --filter=blob:none --sparse "file://$PWD/full" partial &&
	(
		cd partial &&
		git sparse-checkout set in &&
		echo mine >in/mine &&
		make_loose s &&
		mv ../full ../away &&
		git checkpoint verify >out 2>err &&
		test_grep "; 1 more are left with the remote" err &&
		rm -f "$(object_file "$(git rev-parse refs/checkpoints/s^3:in/mine)")" &&
		verify= &&
		fails_with "^    lost: .in/mine. in the untracked files (blob .* is not there)$"
	)
'

# ---- What does not agree ------------------------------------------------------------------------

tag_with () {	# commit, snapshot
	git tag -f -a -m "checkpoint: one" -m "Checkpoint-Snapshot: $2" checkpoint/one "$1"
}

test_expect_success 'the tag: as it was made, moved, of another snapshot, without a message, damaged, lost' '
	verify=one &&
	one=$(git rev-parse refs/checkpoints/one) &&
	tag_with HEAD "$one" &&
	git checkpoint verify one &&
	tag_with HEAD~ "$one" &&
	fails_with "^    the tag is not on the commit that HEAD was, $(git rev-parse HEAD)$" &&
	test_grep "hint: .*nothing is lost" err &&
	tag_with HEAD "$(git rev-parse refs/checkpoints/other)" &&
	fails_with "^    the tag is of another snapshot, $(git rev-parse refs/checkpoints/other)$" &&
	git tag -f checkpoint/one HEAD &&
	fails_with "^    the tag is not the one that was made with it" &&
	tag_with HEAD "$one" &&
	file=$(object_file "$(git rev-parse refs/tags/checkpoint/one)") &&
	chmod u+w "$file" &&
	cp "$file" "$TEST_ROOT/kept" && head -c 90 "$TEST_ROOT/kept" >"$file" &&
	fails_with "^    the tag.s object .* is damaged$" &&
	rm -f "$file" &&
	fails_with "^    the tag.s object .* is not there$" &&
	git update-ref -d refs/tags/checkpoint/one &&
	git checkpoint verify one &&
	git checkpoint create -q --no-db tagged && git update-ref -d refs/tags/checkpoint/tagged && verify=tagged &&
	fails_with "^    the tag that it was given is gone$" && test_grep "hint: .*git fetch" err &&
	git checkpoint drop -q tagged
'

test_expect_success 'the manifest' '
	verify=two &&
	manifest_with "" &&
	git checkpoint verify two &&
	manifest_with "s/\"commit\": \"[0-9a-f]*\"/\"commit\": \"$(git rev-parse HEAD~)\"/" &&
	fails_with "^    the manifest names HEAD.s commit as $(git rev-parse HEAD~), but it is" &&
	manifest_with "s/\"tree\": \"[0-9a-f]*\"/\"tree\": \"$(git rev-parse HEAD^{tree})\"/" &&
	fails_with "^    the manifest names the index.s tree as" &&
	manifest_with "s/\"one\"/\"three\"/" &&
	fails_with "^    by its manifest it is checkpoint .three.$" &&
	echo "[" >"$TEST_ROOT/content" &&
	with_payload manifest.json &&
	fails_with "^❌ two$"
'

test_expect_success 'a part of the payload that is not what it was, is not known, or is gone' '
	verify=two &&
	echo plan >"$TEST_ROOT/content" &&
	with_payload plan &&
	fails_with "^    .plan. is in the payload, but not in the manifest$" &&
	manifest_with "s/\"parts\": {/&\"plan\": \"abc\",/" &&
	fails_with "^    .plan. is in the manifest, but not in the payload$"
'

test_expect_success 'a checkpoint of our own, and the same with a changed document' '
	test_when_finished "git update-ref -d refs/checkpoints/own" &&
	echo "{}" >master-project.json &&
	test_when_finished "rm master-project.json" &&
	git checkpoint create --no-db own &&
	git checkpoint verify own &&
	blob=$(echo "{ }" | git hash-object -w --stdin) &&
	document=$(printf "100644 blob %s\tmaster-project.json\n" "$blob" | git mktree) &&
	git ls-tree refs/checkpoints/own^4 | sed "s/tree .*	project$/tree $document	project/" |
	git mktree >tree &&
	m=$(git commit-tree -m payload "$(cat tree)") &&
	w=$(git commit-tree -m own -p refs/checkpoints/own^1 -p refs/checkpoints/own^2 \
		-p refs/checkpoints/own^3 -p "$m" "refs/checkpoints/own^{tree}") &&
	rm tree &&
	git update-ref refs/checkpoints/own "$w" &&
	verify=own &&
	fails_with "^    .project/master-project.json. of the payload is not what the manifest says$"
'

test_expect_success 'an index file that git cannot read' '
	echo rubbish >"$TEST_ROOT/content" &&
	sum=$(sha256sum <"$TEST_ROOT/content") &&
	with_payload index &&
	git update-ref refs/checkpoints/kept refs/checkpoints/one &&
	git update-ref refs/checkpoints/one refs/checkpoints/two &&
	test_when_finished "git update-ref refs/checkpoints/one refs/checkpoints/kept &&
		git update-ref -d refs/checkpoints/kept" &&
	manifest_with "s/\"parts\": {/&\"index\": \"${sum%% *}\",/" &&
	verify=two &&
	fails_with "^    git cannot read the index file: " &&
	grep -c "^    " out >count &&
	echo 1 >expect &&
	test_cmp expect count
'

test_expect_success 'what is no snapshot at all' '
	git update-ref refs/checkpoints/plain HEAD &&
	test_when_finished "git update-ref -d refs/checkpoints/plain" &&
	verify= &&
	fails_with "^❌ plain$" "^✅ one$" &&
	test_grep "hint: .*It was not made by" err &&
	test_expect_code 1 git checkpoint verify --json plain >out &&
	test_grep "\"kind\": \"shape\"" out
'

test_expect_success 'safety snapshots with --all alone, and by their operation' '
	git update-ref refs/rollback/op/20260101T000000.000000Z-abcd/safety refs/checkpoints/other &&
	git update-ref refs/rollback/op/20260102T000000.000000Z-abcd/1 HEAD &&
	test_when_finished "git update-ref -d refs/rollback/op/20260102T000000.000000Z-abcd/1 &&
		git update-ref -d refs/rollback/op/20260101T000000.000000Z-abcd/safety" &&
	git checkpoint verify >out &&
	test_line_count = 2 out &&
	git checkpoint verify --all >out &&
	test_line_count = 3 out &&
	git checkpoint verify 20260101T000000.000000Z-abcd >out &&
	echo "✅ 20260101T000000.000000Z-abcd/safety" >expect &&
	test_cmp expect out
'

# ---- git-lfs ------------------------------------------------------------------------------------

test_expect_success 'objects of git-lfs: there, damaged, of another size, gone' '
	git init -q lfs &&
	(
		cd lfs &&
		echo content >content &&
		sum=$(sha256sum <content) && sum=${sum%% *} &&
		folder=.git/lfs/objects/$(printf %.2s "$sum")/$(echo "$sum" | cut -c3-4) &&
		mkdir -p "$folder" && mv content "$folder/$sum" &&
		printf "version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 8\n" "$sum" >big &&
		git add . && git commit -q -m lfs && make_loose l &&
		git checkpoint verify &&
		verify= &&
		echo CONTENT >"$folder/$sum" &&
		fails_with "^    git-lfs.s content of .big. in the tracked files is damaged ($sum)$" &&
		printf "content\n\n" >"$folder/$sum" &&
		fails_with "is damaged" &&
		rm "$folder/$sum" &&
		fails_with "^    git-lfs no longer has the content of .big. in the tracked files ($sum)$" &&
		test_grep "hint: .git lfs fetch --all. brings it back" err &&
		mkdir -p "$TEST_ROOT/storage/${folder#.git/lfs/}" &&
		echo content >"$TEST_ROOT/storage/${folder#.git/lfs/}/$sum" &&
		git config lfs.storage "$TEST_ROOT/storage" &&
		git checkpoint verify &&
		git config --unset lfs.storage &&
		rm -r .git/lfs &&
		git checkpoint verify
	)
'

test_done
