/* SPDX-License-Identifier: MIT */
/*
 * refs: many references at once: listed by one `git for-each-ref`, changed in one durable
 * transaction of `git update-ref --stdin`.
 *
 * A change names the value that the ref must have now, so that two writers never undo each
 * other: that is refused with git's reason. Symbolic refs are not followed but for HEAD's
 * branch, which callers name in full.
 * Durable: git syncs the files of refs when asked (core.fsync=reference; versions before
 * 2.36 cannot) and never their folders: refs_commit() does that.
 */
#ifndef VCS_REFS_H
#define VCS_REFS_H

#include "base/compat.h"
#include "base/error.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "vcs/repo.h"

struct refs_change {
	char *name;
	char *old_oid; /* NULL: any; "": must not exist */
	char *new_oid; /* NULL: remove */
};
/* NULL: there must be none, or any will do. */
static inline const char *refs_old_value(const struct refs_change *change)
{
	return change->old_oid && *change->old_oid ? change->old_oid : NULL;
}
struct refs_update {
	struct refs_change *item;
	size_t nr, alloc;
	const char *message; /* for reflogs; the caller's */
	struct process git;
	int64_t started;  /* when git was, in microseconds */
	int64_t prepared; /* when it had all locks; 0: not yet */
};
#define REFS_UPDATE_INIT            \
	{                           \
		.git = PROCESS_INIT \
	}

void refs_add(struct refs_update *update, const char *name, const char *old_oid,
	      const char *new_oid);
/* Adds what takes back all of `of`, each of whose changes names its old value. */
void refs_reverse(struct refs_update *update, const struct refs_update *of);
/*
 * Locks all refs and checks their old values; waits for git's word. Nothing is changed yet. Of
 * a git that was killed meanwhile, so that it could not, the locks are removed.
 */
int refs_prepare(struct refs_update *update, const struct repo *repo, struct error *err) MUST_CHECK;
/* Prepares where that was not done, then changes all, and syncs them. */
int refs_commit(struct refs_update *update, const struct repo *repo, struct error *err) MUST_CHECK;
/* Abandons what is prepared, frees all. */
void refs_update_release(struct refs_update *update);
/*
 * The locks that a git left which was killed together with us, as a power cut does: on a ref
 * that a dead operation of ours was about to change, and on what git locks with it (HEAD for a
 * branch). "packed-refs" is what it locks where refs are removed.
 *
 * Nothing in a lock says whose it is. One that was made after `since`, when the operation began,
 * is removed if it is not younger than `until`, when git had said that it holds them all, or is
 * older than this machine's start: nobody can own it. Times are in microseconds; `until` 0: git
 * did not come to say so. Of the others, which may be at work, the first is named in *ret_left
 * (free() it), unless there is one already.
 */
void refs_unlock(char **ret_left, const struct repo *repo, const char *name, int64_t since,
		 int64_t until);

struct ref {
	char *name, *oid;
	char **field; /* what the format asked for; as many as there were fields */
};
struct refs {
	struct ref *item;
	size_t nr, alloc, fields;
	bool by_name; /* in that order, so that refs_find() need not look at all */
};
#define REFS_INIT \
	{         \
		0 \
	}
/*
 * `patterns` as for-each-ref has them; `fields` its %(...) names, such as "subject", or NULL;
 * "raw" only behind "raw:size". Without fields, objects that are missing do no harm.
 * Ordered by `sort` ("version:refname"), else by name. refs_list_start() lets other work go on
 * while git looks; refs_list() is both in one.
 */
int refs_list_start(struct process *process, const char *const *patterns, const char *const *fields,
		    const char *sort, struct error *err) MUST_CHECK;
int refs_list_finish(struct refs *ret, struct process *process, const char *const *fields,
		     struct error *err) MUST_CHECK;
int refs_list(struct refs *ret, const char *const *patterns, const char *const *fields,
	      const char *sort, struct error *err) MUST_CHECK;
/*
 * As refs_list(), for where that fails, as it does at the first ref whose object is missing or
 * damaged: the `field` of such a ref is NULL. A git process for each ref.
 */
int refs_list_each(struct refs *ret, const char *const *patterns, const char *const *fields,
		   const char *sort, struct error *err) MUST_CHECK;
void refs_release(struct refs *refs);
/* By its whole name; NULL: it is not among them. */
const struct ref *refs_find(const struct refs *refs, const char *name);
/* The id a ref has, peeled of nothing; NULL in *ret where there is none. free() it. */
int refs_read(char **ret, const char *name, struct error *err) MUST_CHECK;

#endif
