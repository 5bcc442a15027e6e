#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='plan documents: found in the worktree and in commits, and edited in place'
. ./test-lib.sh

tool=$BUILD/t/unit/workflow-tool

# plan FOLDER: a track with two phases, and what a Windows editor does to line ends
plan () {
	mkdir -p "$1" &&
	printf '%s\r\n' "# Plan: Cats" "" "## Phase 1: Basket [checkpoint: 1a2b3c4]" \
		"- [x] Task: Weave (5d6e7f8)" "	- [x] Test" "- [x] Task: Check" "" \
		"## Phase 2: Food" "- [~] Task: Buy" >"$1/plan.md"
}

test_expect_success 'tracks are found in the worktree, tracked or not' '
	git init -q project &&
	cd project &&
	plan conductor/tracks/cats_1 &&
	printf "%s\n" "# Tracks" "" "- [~] **Track: Cats**" \
		"*Link: [l](./tracks/cats_1/)*" >conductor/tracks.md &&
	git add . &&
	git commit -qm "Add cats" &&
	plan conductor/tracks/dogs_2 &&
	printf "cats_1\tCats\tin_progress\tconductor/tracks/cats_1\t2/3\n" >expect &&
	printf "dogs_2\tCats\tin_progress\tconductor/tracks/dogs_2\t2/3\n" >>expect &&
	"$tool" list >actual &&
	test_cmp expect actual
'

test_expect_success 'from a folder below, the same is found' '
	mkdir -p project/src &&
	cd project &&
	"$tool" list >expect &&
	(cd src && "$tool" list) >actual &&
	test_cmp expect actual
'

test_expect_success 'a commit has what it has' '
	cd project &&
	printf "cats_1\tCats\tin_progress\tconductor/tracks/cats_1\t2/3\n" >expect &&
	"$tool" list HEAD >actual &&
	test_cmp expect actual &&
	(cd src && "$tool" list HEAD) >actual &&
	test_cmp expect actual
'

test_expect_success 'what is ignored is found below the usual folders' '
	git init -q ignored &&
	cd ignored &&
	echo "*onductor" >.gitignore &&
	plan .conductor/tracks/cats_1 &&
	plan src/conductor/tracks/dogs_2 &&
	printf "cats_1\tCats\tin_progress\t.conductor/tracks/cats_1\t2/3\n" >expect &&
	"$tool" list >actual &&
	test_cmp expect actual
'

test_expect_success 'what is deleted is not there, and links are not followed' '
	git init -q links &&
	cd links &&
	plan conductor/tracks/cats_1 &&
	plan conductor/tracks/gone &&
	git add . &&
	git commit -qm "Add tracks" &&
	rm -r conductor/tracks/gone &&
	mkdir conductor/tracks/linked &&
	ln -s ../cats_1/plan.md conductor/tracks/linked/plan.md &&
	printf "cats_1\tCats\tin_progress\tconductor/tracks/cats_1\t2/3\n" >expect &&
	printf "linked\tlinked\tpending\tconductor/tracks/linked\t0/0\n" >>expect &&
	echo "conductor/tracks/linked/plan.md:0: it is a symbolic link, or below one" >>expect &&
	"$tool" list >actual &&
	test_cmp expect actual
'

test_expect_success 'a commit without documents has no tracks' '
	git init -q empty &&
	cd empty &&
	git commit -q --allow-empty -m "Nothing" &&
	"$tool" list HEAD >actual &&
	test_must_be_empty actual &&
	"$tool" list >actual &&
	test_must_be_empty actual
'

test_expect_success 'conductor/index.md says where registry and tracks are' '
	git init -q index && cd index && mkdir conductor && plan docs/work/cats_1 && plan docs/work/done/dogs_2 &&
	printf "%s\n" "# Index" "" "- [Product](./product.md)" "- [Tracks Registry](../docs/LIST.md), see [it](./other.md)" \
		"- [Tracks Directory](../docs/work/)" "- [The tracks folder](https://example.invalid/work/)" >conductor/index.md &&
	printf "%s\n" "# Tracks" "" "- [~] **Track: Cats**" "*Link: [l](./work/cats_1/)*" >docs/LIST.md &&
	printf "cats_1\tCats\tin_progress\tdocs/work/cats_1\t2/3\n" >expect &&
	printf "dogs_2\tCats\tin_progress\tdocs/work/done/dogs_2\t2/3\n" >>expect &&
	sed 2s/Cats/"Plan: Cats"/ expect >new && "$tool" list >actual && sed "s/Plan: //" new >expect && test_cmp expect actual &&
	git add . && git commit -qm "Add them" && "$tool" list HEAD >actual && test_cmp expect actual
'

test_expect_success 'an index that leads nowhere, or where all is anyway, changes nothing' '
	git init -q usual && cd usual && plan conductor/tracks/cats_1 && plan conductor/archive/dogs_2 && plan elsewhere/cows_3 &&
	printf "%s\n" "# Tracks" "" "- [~] **Track: Cats**" "*Link: [l](./tracks/cats_1/)*" >conductor/tracks.md &&
	"$tool" list >expect && test_line_count = 2 expect &&
	printf "%s\n" "- [Tracks Registry](./tracks.md)" "- [Tracks Registry](./nothing.md)" "- [Tracks Directory](./tracks/)" \
		"- [Tracks Directory](../../outside/)" "- [Tracks Directory](/)" >conductor/index.md &&
	"$tool" list >actual && test_cmp expect actual
'

test_expect_success 'a registry leads to folders where nobody would look' '
	git init -q linked && cd linked && mkdir -p conductor && plan work/cats_1 && plan conductor/own/dogs_2 && plan other/cows_3 &&
	printf "%s\n" "# Tracks" "" "- [~] **Track: Cats**" "*Link: [l](../work/cats_1/)*" "" "- [ ] **Track: Dogs**" \
		"*Link: [l](conductor/own/dogs_2/plan.md)*" "" "- [ ] **Track: All**" "*Link: [l](./)*" >conductor/tracks.md &&
	printf "cats_1\tCats\tin_progress\twork/cats_1\t2/3\n" >expect &&
	printf "dogs_2\tDogs\tpending\tconductor/own/dogs_2\t2/3\n" >>expect &&
	"$tool" list >actual && head -n 2 actual >two && test_cmp expect two && ! grep cows actual
'

test_expect_success 'unticking a task changes its own bytes' '
	cd project &&
	git checkout -q -- . &&
	sed -e "s/\[x\] Task: Weave (5d6e7f8)/[ ] Task: Weave/" -e "s/\[x\] Test/[ ] Test/" \
		conductor/tracks/cats_1/plan.md >expect &&
	"$tool" revert cats_1 1 weave &&
	test_cmp expect conductor/tracks/cats_1/plan.md
'

test_expect_success 'unticking a phase takes its checkpoint' '
	cd project &&
	git checkout -q -- . &&
	sed -e "s/ .checkpoint: 1a2b3c4.//" -e "s/ (5d6e7f8)//" -e "s/\[x\]/[ ]/" \
		conductor/tracks/cats_1/plan.md >expect &&
	"$tool" revert cats_1 basket "" &&
	test_cmp expect conductor/tracks/cats_1/plan.md
'

test_done
