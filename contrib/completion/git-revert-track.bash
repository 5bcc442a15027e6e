# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# bash-completion looks for a file of the command's name; what it wants is in git-rollback.bash.

# shellcheck source=git-rollback.bash
. "${BASH_SOURCE[0]%/*}"/git-rollback.bash
