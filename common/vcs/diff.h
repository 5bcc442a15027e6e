/* SPDX-License-Identifier: MIT */
/*
 * diff: the difference of two texts, as git shows it.
 */
#ifndef VCS_DIFF_H
#define VCS_DIFF_H

#include "base/error.h"
#include "base/strbuf.h"

/* Appends a unified diff, without its header; nothing when they are the same. */
int diff_texts(struct strbuf *ret, const struct strbuf *before, const struct strbuf *after,
	       const char *name, struct error *err) MUST_CHECK;

#endif
