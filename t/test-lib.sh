# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# test-lib: the language of the test scripts. Its names are those of git's own suite; its code is not.
#
# A script is t/tNNNN-topic.sh, executable, run in this folder:
#
#	#!/bin/sh
#	test_description='git rollback-db: what is tested here'
#	. ./test-lib.sh
#
#	test_expect_success 'title' '
#		git foo >actual &&
#		test_cmp expect actual
#	'
#	test_done
#
# and speaks TAP. Arguments: -v shows what the tests print, -x also traces their commands, -i stops
# at the first failure, -d keeps the trash. Without -v, a failing test's output follows it as comments.
#
# Every script has a folder of its own, $TEST_ROOT, with
#	trash directory.tNNNN	a new git repository; each test starts in it ($TRASH_DIRECTORY)
#	home			HOME
#	tmp			TMPDIR
# which is removed at the end, unless a test failed. TEST_NO_CREATE_REPO=1, set before this file is
# sourced, leaves the trash an empty folder.
#
# A body is one chain of commands joined by &&. That is checked before the body is run: it is put
# behind a command that fails with a code of its own, and must come back with that code. So write
# `{ a || b; } &&`, and `{ a & } && pid=$! &&`.
#
# Of the shell, a test may use what dash has. It keeps variables that it sets, not its folder.

if test -z "${TEST_DIRECTORY:-}"
then
	TEST_DIRECTORY=$(pwd -P)
fi
. "$TEST_DIRECTORY"/test-env.sh

test_name=${0##*/}
test_name=${test_name%.sh}
test_number=${test_name%%-*}
TEST_ROOT=$BUILD/t/$test_name
TRASH_DIRECTORY="$TEST_ROOT/trash directory.$test_number"

test_verbose='' test_trace='' test_immediate='' test_debug=''
for arg_
do
	case $arg_ in
	-v | --verbose) test_verbose=yes ;;
	-x) test_verbose=yes test_trace=yes ;;
	-i | --immediate) test_immediate=yes ;;
	-d | --debug) test_debug=yes ;;
	*)
		echo "usage: $0 [-v] [-x] [-i] [-d]" >&2
		exit 129
		;;
	esac
done

# ---- Saying --------------------------------------------------------------------------------------

# Standard output is TAP's, and kept as 5: in a body, 1 and 2 are the test's log, and 4 is the log
# even where a test sends 2 to a file. A body does not have 5, so that what it leaves running in the
# background cannot keep prove waiting.
exec 5>&1 4>&2

say () {
	printf '%s\n' "$*" | sed 's/^/# /' >&5
}

test_tap () {	# ok or "not ok", title, directive
	case $2 in
	*\#*) test_title=$(printf '%s\n' "$2" | sed 's/#/\\#/g') ;;
	*) test_title=$2 ;;
	esac
	printf '%s %d - %s\n' "$1" "$test_count" "$test_title${3:+ # $3}" >&5
}

# A complaint of one of the functions below.
test_complain () {
	printf '%s\n' "$*" >&4
	return 1
}

# A mistake in the script itself.
test_bug () {
	echo "Bail out! $test_name: $*" >&5
	test_finished=yes
	exit 1
}

# ---- Prerequisites -------------------------------------------------------------------------------

test_prereqs=' '

test_set_prereq () {
	test_prereqs="$test_prereqs$1 "
}

# A prerequisite that costs something to find out: the command is run when it is first asked for.
test_lazy_prereq () {	# NAME, command
	eval "test_lazy_$1=\$2"
}

test_prereq_is_known () {
	case $test_prereqs in *" $1 "*) return 0 ;; esac
	eval "test_lazy_command=\${test_lazy_$1:-}"
	test -n "$test_lazy_command" || return
	unset "test_lazy_$1"
	(eval "$test_lazy_command") >/dev/null 2>&1 </dev/null || return
	test_set_prereq "$1"
}

# True when all of a list, joined by commas, hold; !NAME holds where NAME does not.
test_have_prereq () {
	test_missing_prereq=
	for prereq_ in $(printf '%s\n' "$1" | tr , ' ')
	do
		case $prereq_ in
		!*) test_prereq_is_known "${prereq_#!}" || continue ;;
		*) ! test_prereq_is_known "$prereq_" || continue ;;
		esac
		test_missing_prereq="$test_missing_prereq${test_missing_prereq:+,}$prereq_"
	done
	test -z "$test_missing_prereq"
}

# ---- Tests ---------------------------------------------------------------------------------------

test_count=0 test_failures=0 test_broken=0
test_finished=
test_cleanup=
test_at_exit=

test_chain_start () {
	return 73
}

# What stands after a break in the chain is run by this. So it is a subshell, in an empty folder,
# that finds no program.
test_chain_is_whole () {
	(
		cd "$TEST_ROOT/nothing" || exit
		# shellcheck disable=SC2123 # that one is meant
		PATH=$TEST_ROOT/nothing
		eval "test_chain_start && $1"
	) >/dev/null 2>&1 </dev/null 4>&1 5>&-
	test $? = 73
}

test_eval () {
	if test -n "$test_trace"
	then
		set -x
	fi
	eval "$1"
	test_status=$?
	{ set +x; } 2>/dev/null
	return "$test_status"
}

# Runs a body in the trash, with its output in the log or, with -v, on standard error.
test_in_trash () {
	cd "$TRASH_DIRECTORY" || test_bug "cannot enter the trash directory"
	if test -n "$test_verbose"
	then
		test_eval "$1" </dev/null >&2 4>&2 5>&-
	else
		test_eval "$1" </dev/null >>"$TEST_ROOT/log" 2>&1 4>&1 5>&-
	fi
}

test_run () {	# body: chain, body, clean-up
	test_cleanup=
	: >"$TEST_ROOT/log"
	if ! test_chain_is_whole "$1"
	then
		echo "the && chain is broken, or the body is no valid shell" >>"$TEST_ROOT/log"
		return 1
	fi
	test_in_trash "$1"
	test_result=$?
	# With -i, a failure is for looking at.
	if test -n "$test_cleanup" && { test "$test_result" = 0 || test -z "$test_immediate"; }
	then
		test_in_trash "$test_cleanup" || {
			echo "cleaning up failed" >>"$TEST_ROOT/log"
			return 1
		}
	fi
	return "$test_result"
}

test_show_failure () {	# body
	printf '%s\n' "$1" | sed 's/^/#	/; s/[[:space:]]*$//' >&5
	test -n "$test_verbose" || tail -n 200 "$TEST_ROOT/log" | sed 's/^/# | /' >&5
}

test_expect () {	# success or failure; [prerequisites], title, body
	test_expected=$1
	shift
	test_count=$((test_count + 1))
	if test $# = 3
	then
		if ! test_have_prereq "$1"
		then
			test_tap ok "$2" "SKIP missing $test_missing_prereq"
			return
		fi
		shift
	fi
	test $# = 2 || test_bug "a test has a title and a body, after its prerequisites if any"
	test_running=$1
	if test -n "$test_verbose"
	then
		printf '\nrunning: %s\n%s\n' "$1" "$2" >&2
	fi
	if test_run "$2"
	then
		test_passed=yes
	else
		test_passed=
	fi
	cd "$TRASH_DIRECTORY" || test_bug "the trash directory is gone"
	test_running=
	case $test_expected,$test_passed in
	success,yes) test_tap ok "$1" ;;
	success,)
		test_failures=$((test_failures + 1))
		test_tap 'not ok' "$1"
		test_show_failure "$2"
		test -z "$test_immediate" || test_done
		;;
	failure,yes) test_tap ok "$1" 'TODO known breakage vanished' ;;
	failure,)
		test_broken=$((test_broken + 1))
		test_tap 'not ok' "$1" 'TODO known breakage'
		;;
	esac
}

test_expect_success () {
	test_expect success "$@"
}

test_expect_failure () {
	test_expect failure "$@"
}

# To be run at the end of the current test, also when it fails; the last one first. Its failure fails
# the test. Does nothing in a subshell.
test_when_finished () {
	test_cleanup="{ $*
} && ${test_cleanup:-:}"
}

# To be run at the end of the script, also when it is interrupted; the last one first.
test_atexit () {
	test_at_exit="$*
$test_at_exit"
}

test_done () {
	if test -n "${skip_all:-}" && test "$test_count" = 0
	then
		echo "1..0 # SKIP $skip_all" >&5
	else
		echo "1..$test_count" >&5
	fi
	test_finished=yes
	test "$test_failures" = 0 || exit 1
	exit 0
}

# Everything that ends a script comes by here.
test_on_exit () {
	test_code=$?
	trap '' INT TERM HUP
	trap - EXIT
	set +x
	cd / || :
	eval "$test_at_exit" >>"$TEST_ROOT/log" 2>&1 4>&1 </dev/null
	if test -z "$test_finished"
	then
		{ echo "Bail out! $test_name: left with code $test_code${test_running:+ in '$test_running'}" >&5
		} 2>/dev/null
		test_code=1
	fi
	if test "$test_code" = 0 && test -z "$test_debug"
	then
		rm -rf "$TEST_ROOT" 2>/dev/null || {
			chmod -R u+rwx "$TEST_ROOT" 2>/dev/null
			rm -rf "$TEST_ROOT"
		}
	fi
	exit "$test_code"
}

# ---- Words for the bodies ------------------------------------------------------------------------

# The command must fail in a controlled way: neither by a signal, nor found by a sanitizer, nor
# because there is no such command.
test_must_fail () {
	"$@"
	test_code=$?
	case $test_code in
	0) test_complain "should have failed: $*" ;;
	99) test_complain "a sanitizer found something: $*" ;;
	126 | 127) test_complain "could not be run ($test_code): $*" ;;
	13[1-9] | 1[4-9]? | 2??) test_complain "died ($test_code): $*" ;;
	esac
}

# Fail or not: but if so, in a controlled way.
test_might_fail () {
	"$@"
	test_code=$?
	case $test_code in
	99 | 126 | 127 | 13[1-9] | 1[4-9]? | 2??) test_complain "died ($test_code): $*" ;;
	esac
}

test_expect_code () {
	test_expected_code=$1
	shift
	"$@"
	test_code=$?
	test "$test_code" = "$test_expected_code" ||
		test_complain "exit code $test_code where $test_expected_code should be: $*"
}

test_cmp () {
	test $# = 2 || test_bug "test_cmp <expected> <actual>"
	diff -u "$1" "$2"
}

test_grep () {	# [!] [option of grep]... pattern file
	test_not=
	if test "$1" = '!'
	then
		test_not=yes
		shift
	fi
	test $# -ge 2 || test_bug "test_grep [!] [<option>...] <pattern> <file>"
	eval "test_file=\${$#}"
	test -f "$test_file" || test_complain "there is no file '$test_file'" || return
	if test $# = 2
	then
		set -- -e "$@"
	fi
	grep -q "$@"
	case $?,$test_not in
	0, | 1,yes) return 0 ;;
	0,yes) test_complain "'$test_file' should have no match for: $*" ;;
	1,) test_complain "'$test_file' has no match for: $*" ;;
	*) return 2 ;;
	esac || {
		cat "$test_file" >&4
		return 1
	}
}

test_must_be_empty () {
	test_path_is_file "$1" || return
	if test -s "$1"
	then
		cat "$1" >&4
		test_complain "'$1' is not empty"
	fi
}

test_line_count () {	# operator of test, number, file
	test $# = 3 || test_bug "test_line_count <operator> <number> <file>"
	test_lines=$(($(wc -l <"$3"))) || return
	test "$test_lines" "$1" "$2" || {
		cat "$3" >&4
		test_complain "'$3' has $test_lines lines, not $1 $2"
	}
}

test_path_is_file () {
	test -f "$1" || test_complain "'$1' is not a file"
}

test_path_is_dir () {
	test -d "$1" || test_complain "'$1' is not a folder"
}

test_path_is_missing () {
	if test -e "$1" || test -L "$1"
	then
		ls -ld "$1" >&4
		test_complain "'$1' should not be there"
	fi
}

# Until the command succeeds, within a limit that fails the test: never sleep for a time that is hoped
# to be enough.
wait_until () {
	wait_tries_=0
	until "$@"
	do
		test $((wait_tries_ += 1)) -lt 1000 ||
			test_complain "waited for this in vain: $*" || return
		sleep 0.03
	done
}

# Each commit is made a minute after the one before.
test_tick () {
	test_now=$((${test_now:-1767225540} + 60))
	GIT_AUTHOR_DATE="$test_now +0000"
	GIT_COMMITTER_DATE="$test_now +0000"
	export GIT_AUTHOR_DATE GIT_COMMITTER_DATE
}

test_commit () {	# [-C folder] [--no-tag] message [file [content]]
	test_dir=. test_tag=yes
	while :
	do
		case $1 in
		-C)
			test_dir=$2
			shift 2
			;;
		--no-tag)
			test_tag=
			shift
			;;
		*) break ;;
		esac
	done
	test_file=${2:-$1.t}
	test_tick
	mkdir -p "$(dirname "$test_dir/$test_file")" &&
	printf '%s\n' "${3-$1}" >"$test_dir/$test_file" &&
	git -C "$test_dir" add -- "$test_file" &&
	git -C "$test_dir" commit -q -m "$1" &&
	{ test -z "$test_tag" || git -C "$test_dir" tag "$1"; }
}

# strace, under which LeakSanitizer cannot work.
test_strace () {
	ASAN_OPTIONS="$ASAN_OPTIONS:detect_leaks=0" LSAN_OPTIONS="$LSAN_OPTIONS:detect_leaks=0" strace "$@"
}

test_write_lines () {
	printf '%s\n' "$@"
}

write_script () {	# file [interpreter]; the script on standard input
	{
		printf '#!%s\n' "${2:-/bin/sh}" &&
		cat
	} >"$1" &&
	chmod +x "$1"
}

# Runs a command line of the shell on a terminal of its own, with this function's standard input as
# what is typed; what the terminal shows goes to standard output. Needs the prerequisite TTY.
test_terminal () {
	test_code=0
	script --quiet --return --echo never --command "$1" /dev/null >"$TEST_ROOT/terminal" ||
		test_code=$?
	tr -d '\r' <"$TEST_ROOT/terminal"
	return "$test_code"
}
test_lazy_prereq TTY 'script --quiet --command true /dev/null'

# ---- Setting up ----------------------------------------------------------------------------------

trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

if test -d "$TEST_ROOT"
then
	chmod -R u+rwx "$TEST_ROOT"
	rm -rf "$TEST_ROOT"
fi
mkdir -p "$TRASH_DIRECTORY" "$TEST_ROOT/home" "$TEST_ROOT/tmp" "$TEST_ROOT/nothing" ||
	test_bug "cannot make '$TEST_ROOT'"
trap test_on_exit EXIT

HOME=$TEST_ROOT/home
TMPDIR=$TEST_ROOT/tmp
# Both: a ceiling does not hold for the folder itself.
GIT_CEILING_DIRECTORIES=$TEST_ROOT:${TEST_ROOT%/*}
GIT_AUTHOR_NAME='A U Thor'
GIT_AUTHOR_EMAIL=author@example.com
GIT_COMMITTER_NAME='C O Mitter'
GIT_COMMITTER_EMAIL=committer@example.com
export HOME TMPDIR GIT_CEILING_DIRECTORIES TEST_ROOT TRASH_DIRECTORY
export GIT_AUTHOR_NAME GIT_AUTHOR_EMAIL GIT_COMMITTER_NAME GIT_COMMITTER_EMAIL
test_tick

# A background git gc would still write while the trash is removed.
cat >"$HOME/.gitconfig" <<'END'
[init]
	defaultBranch = main
[gc]
	auto = 0
[maintenance]
	auto = false
END

if test "$(id -u)" = 0
then
	test_set_prereq ROOT
fi
test_flags=
test ! -f "$BUILD/.flags" || read -r test_flags <"$BUILD/.flags"
case $test_flags in
*fsanitize*) test_set_prereq SAN ;;
esac

cd "$TRASH_DIRECTORY" || test_bug "cannot enter the trash directory"
test -n "${TEST_NO_CREATE_REPO:-}" || git init -q . || test_bug "git init failed"
