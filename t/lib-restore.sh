# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-restore: whole states, to compare what a restore or an undo makes of them.
#
#	state >file		HEAD, its branch, the index with flags and stages, git's state files, and all
#				files, links and empty folders of the worktree, whether ignored or not
#	make_project		a repository on main with a bit of everything that can be changed
#	change_project		changes a bit of everything
#	newest_operation	the id of the newest that has a safety snapshot

state () {
	git_dir_=$(git rev-parse --absolute-git-dir) &&
	{ git symbolic-ref -q HEAD || echo detached; } &&
	{ git rev-parse -q --verify HEAD || echo unborn; } &&
	git ls-files --stage -v &&
	git diff --name-status --ita-invisible-in-index --no-renames --cached --ignore-submodules=none &&
	for file_ in MERGE_HEAD MERGE_MSG MERGE_MODE CHERRY_PICK_HEAD REVERT_HEAD SQUASH_MSG info/sparse-checkout
	do
		test ! -e "$git_dir_/$file_" || { echo "$file_:" && cat "$git_dir_/$file_"; } || return
	done &&
	find . -path ./.git -prune -o -type d -empty -printf '%p/\n' -o ! -type d -printf '%p %y %m %l\n' | sort &&
	find . -path ./.git -prune -o -type f -exec sha256sum {} + | sort -k 2
}

make_project () {
	git init -q -b main . &&
	printf '%s\n' '*.log' '/build/' >.gitignore &&
	mkdir -p src doc &&
	echo 'int main;' >src/main.c && echo doc >doc/doc.txt && echo old >old &&
	echo 'echo run' >run && chmod +x run && ln -s src/main.c link &&
	test_write_lines 1 2 3 4 5 6 7 8 9 >part &&
	git add . && git commit -q -m first &&
	echo staged >>src/main.c && git add src/main.c && echo unstaged >>src/main.c &&
	test_write_lines one 2 3 4 5 6 7 8 9 >part && git add part &&
	test_write_lines one 2 3 4 5 6 7 8 nine >part &&
	git rm -q old && rm doc/doc.txt && chmod -x run &&
	echo new >new && git add -N new &&
	mkdir -p empty/deep && echo untracked >untracked && echo log >x.log &&
	mkdir build && echo object >build/main.o
}

change_project () {
	git commit -q -a -m second &&
	echo more >>src/main.c && git mv part renamed && rm link && mkdir link && echo file >link/file &&
	echo other >other && rm -r empty untracked && mkdir -p hollow &&
	chmod +x run && git add run && git rm -q --cached new &&
	echo 'second log' >y.log
}

newest_operation () {
	git for-each-ref --format='%(refname:lstrip=3)' refs/rollback/op | tail -n 1 | sed 's,/.*,,'
}
