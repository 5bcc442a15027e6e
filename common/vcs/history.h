/* SPDX-License-Identifier: MIT */
/*
 * history: every version that the repository has ever had of some files.
 *
 * Looks through local refs, their reflogs and the stash, by a few `git log` processes: its
 * path filters and commit-graph make it many times faster than any walk of our own.
 * Remote-tracking refs are left out unless asked for: what a stranger pushed must not be
 * taken for our own.
 */
#ifndef VCS_HISTORY_H
#define VCS_HISTORY_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"

struct history_file {
	char *commit; /* full id of a commit whose tree has the file so */
	char *ref;    /* a ref or commit that it was reached from */
	char *path;   /* from the top */
	char *oid;    /* of the blob */
};
struct history_files {
	struct history_file *item; /* what refs reach, then reflogs alone; newest commit first */
	size_t nr, alloc;
};
#define HISTORY_FILES_INIT \
	{                  \
		0          \
	}

/* `pathspecs` as git reads them; none is an error. */
int history_files_find(struct history_files *ret, const struct strvec *pathspecs, bool with_remotes,
		       struct error *err) MUST_CHECK;
void history_files_release(struct history_files *files);

/* "feature/y (1a2b3c4)": the ref without its folder, and the commit, for people. */
char *history_place(const struct history_file *file) MUST_CHECK;

#endif
