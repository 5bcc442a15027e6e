/* SPDX-License-Identifier: MIT */
/*
 * applied: the scripts of applied migrations, kept in git under refs of their own.
 *
 * refs/rollback/applied/<version>/<checksum> is a tree with the blobs up.sql and, where
 * there is one, down.sql: the bytes as they were applied. A rebase and `git gc` then do
 * not lose the way back, and as trees they do not show in `git log --all`.
 *
 * Use:    applied_write() before the database is touched: it makes the objects, which
 *         nothing points to yet. applied_prepare() then has git lock the refs, which takes
 *         its time, while the database works; applied_commit() makes them after the commit,
 *         applied_abandon() does not. applied_publish() is all of that at once. Each may be
 *         run again. applied_read() gets the scripts back.
 * Errors: -1 when git fails.
 */
#ifndef VCS_APPLIED_H
#define VCS_APPLIED_H

#include "base/compat.h"
#include "base/error.h"
#include "base/process.h"
#include "base/strbuf.h"

struct applied_scripts {
	const char *version, *checksum; /* the checksum of the up script; both the caller's */
	const char *up, *down;		/* down is NULL where there is none; the caller's */
	size_t up_len, down_len;
	char *tree; /* id, once written; free() it */
};

/* The name of the ref; free() it. */
char *applied_ref(const char *version, const char *checksum) MUST_CHECK;

int applied_write(struct applied_scripts *item, size_t nr, struct error *err) MUST_CHECK;

/* One reference transaction that git has in hand. */
struct applied_refs {
	struct process git;
};
#define APPLIED_REFS_INIT    \
	{                    \
		PROCESS_INIT \
	}
int applied_prepare(struct applied_refs *refs, const struct applied_scripts *item, size_t nr,
		    struct error *err) MUST_CHECK;
int applied_commit(struct applied_refs *refs, struct error *err) MUST_CHECK;
void applied_abandon(struct applied_refs *refs);

/*
 * Removes the lock on a ref that a git left which was killed together with us, as a power
 * cut does. Only for a ref that a dead operation of ours is known to have prepared.
 */
void applied_unlock(const char *common_dir, const char *version, const char *checksum);

int applied_publish(const struct applied_scripts *item, size_t nr, struct error *err) MUST_CHECK;

struct applied_found {
	bool found, has_down;
	struct strbuf up, down;
};
/* Looks up nr pairs of version and checksum with one process; ret has nr items. */
int applied_read(struct applied_found *ret, const char *const *versions,
		 const char *const *checksums, size_t nr, struct error *err) MUST_CHECK;
void applied_found_release(struct applied_found *found);

#endif
