/* SPDX-License-Identifier: MIT */
/*
 * textmerge: three texts merged line by line, in memory.
 *
 * By libgit2, in whose hands nothing else is; it is initialised by the first merge (5 ms). A
 * `git merge-file` for each takes a hundred times as long.
 */
#ifndef VCS_TEXTMERGE_H
#define VCS_TEXTMERGE_H

#include "base/compat.h"
#include "base/strbuf.h"

enum textmerge_result { TEXTMERGE_CLEAN = 0, TEXTMERGE_CONFLICT = 1 };
/* Appends what it comes to; where there are conflicts, nothing. */
int textmerge(struct strbuf *ret, const struct strbuf *ours, const struct strbuf *base,
	      const struct strbuf *theirs) MUST_CHECK;

#endif
