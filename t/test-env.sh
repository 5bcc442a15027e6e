# SPDX-License-Identifier: MIT
# shellcheck shell=sh
#
# test-env: the environment that every test runs in, scripts and unit programs alike. Sourced by
# test-lib.sh and run, which have set TEST_DIRECTORY, the absolute path of this folder.
#
# Nothing of the caller's settings comes through: no GIT_*, PG* or DATABASE_URL, no locale, no colour,
# no editor. What does: PG_BINDIR, the programs of the PostgreSQL to test with (default: the newest),
# and BUILD, which build is tested (default: build), by a path from the top of the worktree or an
# absolute one; here it becomes absolute.

TEST_TOP=${TEST_DIRECTORY%/*}
case ${BUILD:=build} in
/*) ;;
*) BUILD=$TEST_TOP/$BUILD ;;
esac

for name_ in $(env | sed -n -E 's/^((GIT_|PG|LC_|XDG_)[A-Za-z0-9_]*)=.*/\1/p')
do
	test "$name_" = PG_BINDIR || unset "$name_"
done
unset DATABASE_URL PRODUCTION_DATABASE_URL LANG LANGUAGE NO_COLOR CLICOLOR CLICOLOR_FORCE COLUMNS
unset EMAIL VISUAL CDPATH MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES name_

PATH=$BUILD/bin:$PATH:/usr/sbin:/sbin
LC_ALL=C.UTF-8
TZ=UTC
TERM=dumb
EDITOR=:
PAGER='cat'
GIT_CONFIG_NOSYSTEM=1
GIT_MERGE_AUTOEDIT=no
GIT_TERMINAL_PROMPT=0
CMOCKA_MESSAGE_OUTPUT=TAP

# What a sanitizer finds ends a program with a code that no command of ours has, which
# test_must_fail refuses. lsan.supp: leaks of libraries that libpq loads.
ASAN_OPTIONS=exitcode=99:detect_leaks=1:strict_string_checks=1:detect_stack_use_after_return=1
UBSAN_OPTIONS=exitcode=99:halt_on_error=1:print_stacktrace=1
LSAN_OPTIONS=exitcode=99:print_suppressions=0:suppressions=$TEST_DIRECTORY/lsan.supp

export TEST_DIRECTORY BUILD PATH LC_ALL TZ TERM EDITOR PAGER
export GIT_CONFIG_NOSYSTEM GIT_MERGE_AUTOEDIT GIT_TERMINAL_PROMPT CMOCKA_MESSAGE_OUTPUT
export ASAN_OPTIONS UBSAN_OPTIONS LSAN_OPTIONS
umask 022
