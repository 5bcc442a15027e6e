# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# lib-revert: histories whose commits are to be reverted, for scripts that have sourced test-lib.sh.
#
#	fresh [<option of git init>]	a repository of its own, entered
#	file PATH [N=TEXT]...		a file of 40 lines, of which line N becomes TEXT
#	commit MESSAGE			commits everything
#	id REV				the full id of a commit

fresh () {	# [option of git init]
	cd "$TRASH_DIRECTORY" && rm -rf repo && git init -q -b main "$@" repo && cd repo || return
}

file () {	# path, [number=text]...
	file_=$1
	shift
	case $file_ in
	*/*) mkdir -p "${file_%/*}" ;;
	esac
	test -f "$file_" || seq 40 >"$file_"
	for edit_
	do
		sed -i "${edit_%%=*}s/.*/${edit_#*=}/" "$file_" || return
	done
}

commit () {	# message
	git add -A && test_tick && git commit -q --allow-empty -m "$1"
}

id () {
	git rev-parse --verify --end-of-options "$1^{commit}"
}
