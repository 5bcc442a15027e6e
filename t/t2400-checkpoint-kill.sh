#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint, killed anywhere

For each point at which the command, or a git that it runs, changes a file or sends something on,
everything is set up anew, and the command is broken there: of each scenario at as many points as
TEST_BREAK_POINTS says, or at "all" of them.'
. ./test-lib.sh
. "$TEST_DIRECTORY"/lib-faults.sh
. "$TEST_DIRECTORY"/lib-checkpoint-faults.sh

# The one process that makes the call, which may be git; or all of them at once.
for way in signal=SIGKILL everything
do
	test_expect_success STRACE "create, killed anywhere: $way" '
		make_repository && git reset -q && spoil third 755 &&
		scenario p $way git-checkpoint create third
	'
	tell_figures

	test_expect_success STRACE "create --force, killed anywhere: $way" '
		make_repository && spoil third 755 &&
		scenario p $way git-checkpoint create --force first
	'
	tell_figures

	test_expect_success STRACE "create --commit, killed anywhere: $way" '
		make_repository && spoil third 755 &&
		scenario p $way git-checkpoint create --commit third
	'
	tell_figures

	test_expect_success STRACE "drop, killed anywhere: $way" '
		make_repository && git checkpoint create -q third &&
		scenario p $way git-checkpoint drop second third
	'
	tell_figures

	test_expect_success STRACE "prune, killed anywhere: $way" '
		make_repository && git checkpoint create -q third && git checkpoint create -q && git checkpoint create -q &&
		git checkpoint drop -q third &&
		scenario p $way git-checkpoint prune --keep 0 --dangling --yes
	'
	tell_figures

	test_expect_success STRACE "restore, killed anywhere: $way" '
		make_repository && spoil third 755 &&
		scenario p $way git-checkpoint restore --yes first
	'
	tell_figures

	test_expect_success STRACE "undo, killed anywhere: $way" '
		make_repository && spoil third 755 && git checkpoint restore -q --yes first &&
		scenario p $way git-checkpoint undo --yes
	'
	tell_figures
done

test_done
