#!/bin/sh
# SPDX-License-Identifier: MIT

test_description='a unit that is reverted leaves what there would be without it

TEST_REVERT_ROUNDS is how many random histories are tried (default: 15), TEST_REVERT_SEED the first of
them (default: another one each day). revert-property.pl says what a round is.'
TEST_NO_CREATE_REPO=1
. ./test-lib.sh

test_expect_success 'trees, index and files; and undo' '
	cd "$TRASH_DIRECTORY" &&
	"$TEST_DIRECTORY"/revert-property.pl "$BUILD/t/unit/flow-revert-tool" "${TEST_REVERT_SEED:-$(date +%Y%m%d)}" "${TEST_REVERT_ROUNDS:-15}"
'

test_done
