/* SPDX-License-Identifier: MIT */
/*
 * stored-index: the index file that a snapshot's payload holds, and that may be a stranger's.
 *
 * It is never installed as it is: git would take its paths, times and extensions for its own.
 * What is taken of it are its entries, each of them looked at; those that a tree can hold have
 * to be those of the snapshot's index tree. Of them stored_index_format() makes a new file,
 * without times, so that git compares contents.
 */
#ifndef VCS_STORED_INDEX_H
#define VCS_STORED_INDEX_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "vcs/index.h"
#include "vcs/repo.h"

/*
 * Fills in `ret`, with all entries in `found`. What must keep it from being used is added to
 * `faults`: "the index file has '.git/x': it is ...". `tree` is the snapshot's index tree.
 */
int stored_index_read(struct index_file *ret, struct strvec *faults, const struct strbuf *bytes,
		      const struct repo *repo, const char *tree, struct error *err) MUST_CHECK;

/* Appends an index file of version 2 or 3 with these entries, which have no fault. */
void stored_index_format(struct strbuf *out, const struct index_entries *entries,
			 const struct repo *repo);

#endif
