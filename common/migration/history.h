/* SPDX-License-Identifier: MIT */
/*
 * history (of migrations): scripts that the repository had once, found by their checksum.
 *
 * Use:    history_search_add() for each migration, then history_search_run(): the item with
 *         the same index says what was found. An up script counts only when it has the
 *         recorded checksum; a checksum of NULL takes the newest one.
 * Owner:  the caller; history_search_release().
 * Cost:   as vcs/history.h has it, and one `git cat-file`; for each down script that is looked for
 *         some processes more.
 */
#ifndef MIGRATION_HISTORY_H
#define MIGRATION_HISTORY_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"

struct history_match {
	char *version, *checksum;
	bool found;
	char *place;	 /* "feature/y (1a2b3c4)", for people */
	char *commit;	 /* full id */
	char *up_path;	 /* there */
	char *down_path; /* there; NULL: that commit has no down script */
	struct strbuf up, down;
};
struct history_search {
	struct history_match *item;
	size_t nr, alloc;
	bool with_downs; /* the newest commit that has a down script beside that up, if any */
};
#define HISTORY_SEARCH_INIT \
	{                   \
		0           \
	}

void history_search_add(struct history_search *search, const char *version, const char *checksum);
int history_search_run(struct history_search *search, bool with_remotes, struct error *err)
	MUST_CHECK;
void history_search_release(struct history_search *search);

#endif
