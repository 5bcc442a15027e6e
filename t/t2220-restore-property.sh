#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='git checkpoint restore and undo: random states come back exactly

TEST_RESTORE_ROUNDS is how many rounds are run (default: 100), TEST_RESTORE_SEED what they are made
from (default: another one each day). restore-property.pl says what a round is.'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh

rounds=${TEST_RESTORE_ROUNDS:-100}
seed=${TEST_RESTORE_SEED:-$(date +%Y%m%d)}

test_expect_success 'HEAD, index and files are what they were, and again after undo' '
	git config --global advice.addIgnoredFile false &&
	{
		"$TEST_DIRECTORY"/restore-property.pl "$seed" "$rounds" 2>"$TEST_ROOT"/err || {
			tail -n 20 "$TEST_ROOT"/err &&
			false
		}
	}
'

test_done
