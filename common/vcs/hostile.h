/* SPDX-License-Identifier: MIT */
/*
 * hostile: may a path that comes out of a tree be written to a worktree?
 */
#ifndef VCS_HOSTILE_H
#define VCS_HOSTILE_H

#include "base/compat.h"

/*
 * What is wrong with it, or NULL: parts that are empty, "." or "..", and all that some file
 * system takes for ".git": in any case, with characters that HFS+ ignores, with the blanks,
 * dots and streams that NTFS drops, and its short name git~1. Stricter than git is by default:
 * as strict as `git fsck`.
 */
const char *hostile_path(const char *path) MUST_CHECK;

#endif
