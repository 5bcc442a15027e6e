/* SPDX-License-Identifier: MIT */
/*
 * down: the down script of an applied migration, found where it is.
 *
 * Looked for in this order: the worktree, if the up script beside it is the one that was
 * applied; the blob kept when it was applied (vcs/applied.h); the copy in the database's
 * log; and, where the log knows nothing, any commit of a local ref, reflog or stash whose
 * up script has the recorded checksum. Outside the worktree, a script whose digest is not
 * the recorded one is not used without `force`, so that nobody else's script gets in.
 * Owner:  the caller; down_search_release().
 * Errors: -1 when a place cannot be read. A script that is nowhere is DOWN_NOWHERE.
 */
#ifndef MIGRATION_DOWN_H
#define MIGRATION_DOWN_H

#include "migration/migrations.h"
#include "pg/ledger.h"
#include "pg/rollback_log.h"

enum down_origin { DOWN_NOWHERE, DOWN_WORKTREE, DOWN_APPLIED_REF, DOWN_LOG, DOWN_HISTORY };
/* "worktree", "applied-ref", "log", "history": as --json has it. */
const char *down_origin_name(enum down_origin origin);

struct down {
	/* What is looked for; all the caller's. */
	const struct ledger_entry *applied;
	struct migration *file;	       /* in the worktree, or NULL */
	const struct log_applied *log; /* or NULL: applied by another tool */
	/* What was found. */
	enum down_origin origin;
	char *path;  /* for messages: a path, "<ref>:down.sql", "<table>", "<commit>:<path>" */
	char *place; /* for people: "the worktree", "branch feature/y (1a2b3c4)" */
	struct strbuf text;
	char checksum[DIGEST_HEX];
	struct strbuf recorded; /* where the worktree's is another than the recorded one: that one */
	bool corrected;		/* so it is, and the worktree's is used */
	bool up_changed;	/* the worktree's up script is not the one that was applied */
	bool forced;		/* only taken because of `force` */
	char *reason;		/* why there is none */
};
struct down_search {
	struct down *item;
	size_t nr, alloc;
	bool force, recorded_down;
	struct migrations *files;
};
#define DOWN_SEARCH_INIT \
	{                \
		0        \
	}

void down_search_add(struct down_search *search, const struct ledger_entry *applied,
		     const struct log_applied *log);
int down_search_run(struct down_search *search, struct error *err) MUST_CHECK;
void down_search_release(struct down_search *search);

#endif
