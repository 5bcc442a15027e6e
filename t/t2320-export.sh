#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint export: the payload as plain files, and what is refused'
. ./test-lib.sh

# All files below a folder, sorted.
files_in () {
	(cd "$1" && find . ! -type d | sed 's|^\./||' | sort)
}

# refs/checkpoints/<name> is checkpoint s1 with another payload: the tree on standard input, as
# `git mktree` reads it, or, with --raw, as git keeps it.
with_payload () {	# [--raw] name
	if test "$1" = --raw
	then
		shift
		tree_=$(git hash-object -w -t tree --literally --stdin)
	else
		tree_=$(git mktree)
	fi &&
	m_=$(git commit-tree -m payload "$tree_") &&
	w_=$(git commit-tree -m hostile -p refs/checkpoints/s1^1 -p refs/checkpoints/s1^2 \
		-p refs/checkpoints/s1^3 -p "$m_" "refs/checkpoints/s1^{tree}") &&
	git update-ref "refs/checkpoints/$1" "$w_"
}

manifest () {
	printf '100644 blob %s\tmanifest.json\n' "$(git rev-parse refs/checkpoints/s1^4:manifest.json)"
}

blob () {
	printf %s "$1" | git hash-object -w --stdin
}

# An entry of a tree as git keeps it: the id's bytes come from octal escapes.
# shellcheck disable=SC2059
raw_entry () {	# mode, name, id
	printf '%s %s\0' "$1" "$2" &&
	printf "$(printf %s "$3" | sed 's/../0x& /g' | xargs printf '\\%03o')"
}

raw_manifest () {
	raw_entry 100644 manifest.json "$(git rev-parse refs/checkpoints/s1^4:manifest.json)"
}

refuses () {	# name, pattern
	test_expect_code 2 git checkpoint export "$1" out 2>err &&
	test_grep "$2" err &&
	test_path_is_missing out &&
	test_path_is_missing outside &&
	test_path_is_missing ../outside
}

test_expect_success 'a checkpoint with all that there can be but a database' '
	echo "{\"stages\": []}" >master-project.json &&
	echo "# Progress" >cpo-progress.md &&
	test_write_lines PORT=1 API_KEY=abc HOST=h >.env.example &&
	echo SAMPLE=1 >.env.sample &&
	echo a >tracked && git add tracked && git commit -q -m one &&
	echo b >tracked &&
	git checkpoint create --no-db s1
'

test_expect_success 'is exported' '
	test_when_finished "rm -rf out" &&
	git checkpoint export s1 out >list &&
	cat >expect <<-\END &&
	checkpoint-s1/env/.env.sample
	checkpoint-s1/manifest.json
	checkpoint-s1/project/cpo-progress.md
	env-s1.env
	git-ref-s1.txt
	git-status-s1.txt
	master-project-s1.json
	END
	files_in out >actual &&
	test_cmp expect actual &&
	sed "s|^|out/|" expect >expect.list &&
	sort list >actual &&
	test_cmp expect.list actual &&
	test_cmp master-project.json out/master-project-s1.json &&
	test_cmp cpo-progress.md out/checkpoint-s1/project/cpo-progress.md &&
	test_write_lines PORT=1 HOST=h >expect &&
	test_cmp expect out/env-s1.env &&
	git rev-parse HEAD >expect &&
	test_cmp expect out/git-ref-s1.txt &&
	test_grep "^ M tracked$" out/git-status-s1.txt
'

test_expect_success 'quietly, and in JSON' '
	test_when_finished "rm -rf out" &&
	git checkpoint export -q s1 out/deep/folder >actual 2>&1 &&
	test_must_be_empty actual &&
	test_path_is_file out/deep/folder/git-ref-s1.txt &&
	git checkpoint export --json s1 out/b >json &&
	jq -r "[.format, .name, .directory, (.files | length)] | @tsv" json >actual &&
	printf "1\ts1\tout/b\t7\n" >expect &&
	test_cmp expect actual
'

test_expect_success 'nothing is overwritten, and then nothing is written' '
	test_when_finished "rm -rf out" &&
	mkdir out && echo mine >out/env-s1.env &&
	test_expect_code 2 git checkpoint export s1 out 2>err &&
	test_grep "^error: .out/env-s1.env. exists already$" err &&
	test_grep "hint: Use --force" err &&
	echo env-s1.env >expect &&
	files_in out >actual &&
	test_cmp expect actual &&
	echo mine >expect &&
	test_cmp expect out/env-s1.env &&
	git checkpoint export --force s1 out &&
	test_grep "^PORT=1$" out/env-s1.env &&
	git checkpoint export --force s1 out
'

test_expect_success 'a link in the way is not followed' '
	test_when_finished "rm -rf out target" &&
	mkdir out && echo mine >target && ln -s ../target out/env-s1.env &&
	test_expect_code 2 git checkpoint export s1 out &&
	git checkpoint export --force s1 out &&
	echo mine >expect &&
	test_cmp expect target &&
	test ! -L out/env-s1.env
'

test_expect_success 'files have the mode that the umask leaves' '
	test_when_finished "rm -rf out" &&
	(umask 027 && git checkpoint export s1 out) &&
	echo 640 >expect &&
	stat -c %a out/env-s1.env >actual &&
	test_cmp expect actual
'

test_expect_success 'a name with a slash, from a folder below' '
	test_when_finished "rm -rf sub" &&
	git update-ref refs/checkpoints/team/s1 refs/checkpoints/s1 &&
	mkdir sub &&
	(cd sub && git checkpoint export team/s1 out) &&
	test_path_is_file sub/out/master-project-team-s1.json
'

test_expect_success 'without a commit there is none to name' '
	git init -q unborn &&
	(
		cd unborn &&
		git checkpoint create --no-db u &&
		git checkpoint export u out &&
		test_write_lines checkpoint-u/manifest.json git-status-u.txt >expect &&
		files_in out >actual &&
		test_cmp expect actual
	)
'

test_expect_success 'the state under another name' '
	git init -q state &&
	(
		cd state &&
		git config rollback.stages.state plan/state.yaml &&
		mkdir plan && echo "a: 1" >plan/state.yaml &&
		git checkpoint create --no-db s &&
		git checkpoint export s out &&
		test_cmp plan/state.yaml out/master-project-s.yaml
	)
'

# ---- Hostile payloads ---------------------------------------------------------------------------

test_expect_success 'a path out of the folder, in one name or by folders' '
	id=$(blob evil) &&
	{ raw_entry 100644 ../outside "$id" && raw_manifest; } | with_payload --raw up1 &&
	refuses up1 "cannot export .../outside. of the payload: it has .... in it" &&
	inner=$(raw_entry 100644 outside "$id" | git hash-object -w -t tree --literally --stdin) &&
	{ raw_entry 40000 .. "$inner" && raw_manifest; } | with_payload --raw up2 &&
	refuses up2 "it has .... in it" &&
	{ raw_entry 100644 /tmp/outside "$id" && raw_manifest; } | with_payload --raw absolute &&
	refuses absolute "it is absolute" &&
	{ raw_entry 100644 project//outside "$id" && raw_manifest; } | with_payload --raw empty &&
	refuses empty "it has an empty part" &&
	{ raw_entry 100644 project/../../../outside "$id" && raw_manifest; } | with_payload --raw up3 &&
	refuses up3 "it has .... in it"
'

test_expect_success 'a path into .git, however it is spelled' '
	id=$(blob evil) &&
	for name in .git .GIT git~1 .git/config a/.Git/config ".git." ".git /x" ".git::x" "a/.g‌it/x"
	do
		{ raw_entry 100644 "$name" "$id" && raw_manifest; } | with_payload --raw git &&
		refuses git "it leads into .git" || return
	done
'

test_expect_success 'a symbolic link, and a submodule' '
	id=$(blob /etc) &&
	{ manifest && printf "120000 blob %s\tlink\n" "$id"; } | with_payload link &&
	refuses link "cannot export .link. of the payload: it is a symbolic link" &&
	{ manifest && printf "160000 commit %s\tmodule\n" "$(git rev-parse HEAD)"; } |
	with_payload module &&
	refuses module "it is no file"
'

test_expect_success 'a link and a file below it, and a file twice' '
	id=$(blob ../outside) &&
	below=$(printf "100644 blob %s\tx\n" "$id" | git mktree) &&
	{ raw_entry 120000 dir "$id" && raw_entry 40000 dir "$below" && raw_manifest; } |
	with_payload --raw both &&
	refuses both "cannot export" &&
	{ raw_entry 100644 a "$id" && raw_entry 100644 a "$id" && raw_manifest; } |
	with_payload --raw twice &&
	refuses twice "has it twice"
'

test_expect_success 'a manifest that names another file as the state' '
	git cat-file blob refs/checkpoints/s1^4:manifest.json |
	sed "s|\"master-project.json\"|\"../../manifest.json\"|" >manifest &&
	printf "100644 blob %s\tmanifest.json\n" "$(git hash-object -w manifest)" |
	with_payload named &&
	test_when_finished "rm -rf out" &&
	git checkpoint export named out &&
	echo git-ref-named.txt >expect &&
	echo checkpoint-named/manifest.json >>expect &&
	sort -o expect expect &&
	files_in out >actual &&
	test_cmp expect actual
'

test_expect_success 'an object of the payload that is lost' '
	id=$(blob "to be lost") &&
	{ manifest && printf "100644 blob %s\tlost\n" "$id"; } | with_payload lost &&
	rm -f ".git/objects/$(printf %.2s "$id")/$(echo "$id" | cut -c3-)" &&
	test_expect_code 128 git checkpoint export lost out 2>err &&
	test_grep "cannot read .lost. of the payload" err &&
	test_grep "hint: .git checkpoint verify." err &&
	test_path_is_missing out
'

test_expect_success 'a folder that cannot be written' '
	echo file >out &&
	test_when_finished "rm out" &&
	test_expect_code 128 git checkpoint export s1 out/x 2>err &&
	test_grep "cannot create folder" err
'

test_done
