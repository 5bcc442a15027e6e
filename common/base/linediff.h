/* SPDX-License-Identifier: MIT */
/*
 * linediff: two small texts line by line, for a person to read.
 *
 * Not by `git diff`: a hostile repository's .gitattributes would have a say in what it
 * shows (filters, line ends, "binary"), and what is shown here is to be judged.
 *
 * Output: lines that start with ' ', '-' or '+', as in a unified diff, with three lines
 *         of context, and "@@ line N @@" (of the second text) before each group. Nothing
 *         when the texts are the same. A line end of CR LF counts, and is shown as \r.
 * Limits: where too much differs to find the shortest way, the whole middle is shown as
 *         replaced.
 */
#ifndef BASE_LINEDIFF_H
#define BASE_LINEDIFF_H

#include "base/compat.h"
#include "base/strbuf.h"

void linediff(struct strbuf *out, const char *old_text, const char *new_text);

#endif
