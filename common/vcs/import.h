/* SPDX-License-Identifier: MIT */
/*
 * import: new objects, written through one `git fast-import` as one pack that git syncs.
 *
 * A pack is the one durable way that is also fast: loose objects cost an fsync each. Objects
 * that a pack of the repository has already are not written again, and no pack is left where
 * nothing was new. fast-import writes in every format that the repository may have.
 *
 * Use:    import_start(); blobs and commits in any order, each named by a mark > 0 that
 *         import_mark() hands out; import_finish(), after which import_oid() knows what
 *         became of each mark. No ref is made or moved.
 * Place:  everything is written to a quarantine folder first, seen by nobody who has not
 *         import_environment(), so that nothing is left of what fails. Where the caller
 *         names one (on the same file system; it is made where it is not there), all stays in there until
 *         import_publish() moves it into the repository, or import_discard() forgets it: a
 *         plan that must touch nothing is so made from the same objects that its execution
 *         then publishes. Where not, import_finish() publishes.
 * Kept:   what is published stays, as long as the import is not released, whoever removes
 *         meanwhile what no ref leads to. Not so the objects that were there already, to which a
 *         ref may lead or not: once the caller has made its own, import_may_have_lost() says
 *         whether it has to look for them.
 * Memory: files are streamed; what is held does not grow with their size.
 * Errors: -1 with git's reason; or interrupted, while files are read: `broken` then, too.
 */
#ifndef VCS_IMPORT_H
#define VCS_IMPORT_H

#include <sys/stat.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "vcs/repo.h"

struct import {
	struct process git;
	struct strbuf out;   /* what was not yet sent */
	struct strvec oid;   /* by mark, once finished; "" where nothing came of it */
	struct strvec env;   /* of the process */
	struct strvec keep;  /* files that keep our packs */
	struct strvec known; /* the repository's packs at the start, and ours */
	char *quarantine;    /* absolute */
	bool scratch;	     /* set by the caller before: nothing of it is kept, or synced */
	bool plain;	     /* set by the caller before: nothing of it is compressed */
	bool own;	     /* made here, and gone in the end */
	char *objects;	     /* the repository's object folder */
	char *git_dir;
	bool *made; /* by mark: it has something */
	unsigned marks;
	size_t alloc;
	bool broken; /* it was not told all that it was to be told */
};
#define IMPORT_INIT                                                                              \
	{                                                                                        \
		.git = PROCESS_INIT, .out = STRBUF_INIT, .oid = STRVEC_INIT, .env = STRVEC_INIT, \
		.keep = STRVEC_INIT, .known = STRVEC_INIT                                        \
	}

int import_start(struct import *import, const struct repo *repo, const char *quarantine,
		 struct error *err) MUST_CHECK;
unsigned import_mark(struct import *import);
int import_blob(struct import *import, unsigned mark, const void *data, size_t len,
		struct error *err) MUST_CHECK;

enum import_file_result { IMPORT_FILE_DONE = 0, IMPORT_FILE_GONE = 1, IMPORT_FILE_CHANGED = 2 };
/*
 * The content of the file, or of the symlink, at `path` (never followed, from `dirfd`).
 * *ret is its lstat as it was when read. IMPORT_FILE_CHANGED: it changed while it was read,
 * three times over; the mark then names nothing of use.
 */
int import_file(struct import *import, unsigned mark, int dirfd, const char *path, struct stat *ret,
		struct error *err) MUST_CHECK;

/* One path of a commit's tree: mode 0 removes it. Removals first, whatever their order here. */
struct import_path {
	const char *path;
	unsigned mode;
	unsigned mark;	 /* of the blob; 0: `oid` names it */
	const char *oid; /* of a blob, a tree (mode 040000) or a submodule's commit */
};
struct import_commit {
	const char *identity; /* "Name <mail>": author and committer */
	int64_t time;	      /* seconds; in UTC */
	/* Instead of both: "Name <mail> <seconds> <zone>", as `git var` says them; or NULL. */
	const char *author, *committer;
	const char *message;
	/* What the paths are changes of: the first parent, or a tree's id; NULL: the empty tree. */
	const char *base;
	const char *const *parent; /* ids, or ":<mark>"; the first is first */
	size_t parents;
	const struct import_path *path;
	size_t paths;
};
int import_commit(struct import *import, unsigned mark, const struct import_commit *commit,
		  struct error *err) MUST_CHECK;
/* At once: the id of the tree of a commit that was imported; free() it. */
int import_tree(struct import *import, char **ret_oid, unsigned mark, struct error *err) MUST_CHECK;

/* At once: has the tree of `commit`, an id or ":<mark>", a folder at this path? */
int import_has_folder(struct import *import, bool *ret, const char *commit, const char *path,
		      struct error *err) MUST_CHECK;

int import_finish(struct import *import, struct error *err) MUST_CHECK;
const char *import_oid(const struct import *import, unsigned mark);
int import_publish(struct import *import, struct error *err) MUST_CHECK;
/* Has any of the packs gone that were there at the start, or were published? */
int import_may_have_lost(bool *ret, const struct import *import, struct error *err) MUST_CHECK;
void import_discard(struct import *import);
void import_release(struct import *import);

/* Adds what lets another git process see, and add to, what is in the quarantine. */
void import_environment(struct strvec *env, const struct repo *repo, const char *quarantine);

/*
 * Writes the annotated tag `name` on a commit, as a synced pack; no ref. With a `quarantine` it goes
 * there, and so before import_publish(). free() *ret_oid.
 */
int import_tag(char **ret_oid, const struct repo *repo, const char *quarantine, const char *name,
	       const char *commit, const char *identity, int64_t time, const char *message,
	       struct error *err) MUST_CHECK;

#endif
