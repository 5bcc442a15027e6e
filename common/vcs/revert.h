/* SPDX-License-Identifier: MIT */
/*
 * revert: what it comes to to revert commits, one after the other, worked out in memory.
 *
 * Each step is the three-way merge that `git revert` does: base is the commit, ours is what the
 * steps before have left (at first HEAD's tree), theirs is the commit's parent. Only paths that
 * the commits touch are looked at, so that the cost grows with the changes and not with the
 * tree: git compares the trees (one process for all commits) and reads blobs; contents are
 * merged by libgit2, which never sees the repository, and where they conflict by `git
 * merge-file`; renames are found by `git diff-tree`. So it works in every repository that git can
 * read, as those with SHA-256 or promisor remotes.
 *
 * Use:    fill in a struct revert_request; revert_compute(); then `step` tells of each commit,
 *         `total` what all of them come to. revert_find_causes() adds whose changes are in the
 *         way. Nothing is written: contents that the merges have made are in memory, under the
 *         ids that git will give them; revert_blob() finds them, revert_import() hands them over.
 * Keeping: files under `keep` are left alone: they stay as they are in ours.
 * Conflict: the step is REVERT_CONFLICT, and the computation goes on as if the conflict had been
 *         resolved for ours, so that all conflicts show at once. Later steps that change a path
 *         which was in conflict are `uncertain`.
 * git's:  where a merge driver of one's own has a say, or a folder was renamed, or
 *         merge.renormalize is set, the step is worked out by `git merge-tree`. A git before 2.38
 *         has none: there drivers are not run (REVERT_DRIVER is a conflict that `git checkout
 *         --merge -- <path>` may resolve), and the others do not count.
 * Owner:  the caller; revert_series_release() frees all.
 * Errors: -1 with a reason: EXIT_USAGE where a commit is a merge and no mainline is named, or
 *         has no such parent; EXIT_REFUSED where a parent is not there, as in a shallow clone.
 */
#ifndef VCS_REVERT_H
#define VCS_REVERT_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "vcs/import.h"
#include "vcs/repo.h"
#include "vcs/treediff.h"

struct revert_commit {
	const char *oid; /* in full */
	unsigned mainline; /* of a merge: the number of the parent, from 1, that is gone back to; else 0 */
};

struct revert_request {
	const struct revert_commit *commit; /* in this order: newest first */
	size_t nr;
	const char *onto; /* a commit or tree, in full: what is there now */
	/* Sorted paths that stay as they are, "a/plan.md", and folders: "a/b/"; or NULL. */
	const struct strvec *keep;
	bool stop; /* behind the first conflict no more is computed */
};

/* As git calls them. Stages are numbered as in the index, less one: base, ours, theirs. */
enum revert_conflict_kind {
	REVERT_CONTENT,	      /* both have changed the same lines */
	REVERT_BINARY,	      /* both have changed a file that is not merged by lines */
	REVERT_ADD_ADD,	      /* it comes back where another file stands by now */
	REVERT_MODIFY_DELETE, /* changed since, and was not there before */
	REVERT_DELETE_MODIFY, /* removed since, and was otherwise before */
	REVERT_RENAME_DELETE, /* renamed since, and was not there before */
	REVERT_RENAME_RENAME, /* renamed since, and had yet another name before */
	REVERT_MODE,	      /* both have changed the mode, to something else */
	REVERT_TYPE,	      /* a file on one side is a link, or submodule, on the other */
	REVERT_LINK,	      /* both have changed a symbolic link */
	REVERT_SUBMODULE,     /* both have changed the commit of a submodule */
	REVERT_FILE_FOLDER,   /* a file is a folder on the other side */
	REVERT_LOCATION, /* its folder was renamed on the other side: git asks whether it goes, too */
	REVERT_DRIVER	 /* both have changed it, and its merge driver leaves that to a person */
};
/* "content", "binary", "add/add", ...: stable. */
const char *revert_conflict_name(enum revert_conflict_kind kind);

/* Lines count from 1. Where there are no lines on a side, its start is the line behind. */
struct revert_hunk {
	size_t ours, ours_lines;
	size_t base, base_lines;
	size_t theirs, theirs_lines;
};

/* What a later commit did to the lines, or the file. */
struct revert_cause {
	char *commit, *subject;
};

struct revert_conflict {
	enum revert_conflict_kind kind;
	char *path;	 /* where it is now; of what is not there: where it is going to be */
	char *base_path; /* where the commit has it, when it was renamed since; else NULL */
	struct {
		unsigned mode; /* 0: there is none */
		char *oid;
		char *path; /* of a rename/rename, where it is; else NULL: at `path` */
	} stage[3];
	char *text; /* its id: what git would leave in the file, with markers; NULL: ours, or theirs
		       where there is no ours */
	struct revert_hunk
		*hunk; /* of REVERT_CONTENT and REVERT_ADD_ADD; of the sides, not of text */
	size_t hunks, alloc;
	struct revert_cause *cause; /* newest first; see revert_find_causes() */
	size_t causes, causes_alloc;
};

enum revert_outcome {
	REVERT_CLEAN,
	REVERT_EMPTY, /* nothing is left to revert: it changed nothing, or that is gone already */
	REVERT_CONFLICT
};

struct revert_step {
	char *commit, *parent; /* parent: that which is gone back to; NULL: of a root commit */
	char *subject;	       /* the first line of its message, as UTF-8 */
	bool merge;
	enum revert_outcome outcome;
	bool uncertain;		     /* see above */
	bool nothing;		     /* REVERT_EMPTY: the commit itself changes nothing */
	struct tree_changes changes; /* from ours before to ours behind; a conflict as if resolved */
	struct strvec kept;	     /* paths it would change, but for `keep` */
	struct revert_conflict *conflict;
	size_t conflicts, alloc;
};

struct revert_series {
	struct revert_step *step; /* as in the request; fewer where it was to stop */
	size_t nr;
	struct tree_changes total;	  /* from `onto` to the end */
	size_t clean, empty, conflicting; /* steps */
	char *onto;			  /* the tree's id */
	/* Inside: */
	const struct repo *repo;
	const struct revert_request *request;
	struct revert_state *state;
};
#define REVERT_SERIES_INIT \
	{                  \
		0          \
	}

int revert_compute(struct revert_series *ret, const struct repo *repo,
		   const struct revert_request *request, struct error *err) MUST_CHECK;
void revert_series_release(struct revert_series *series);

/* What merges have made, by id; NULL: it is in the repository. */
const struct strbuf *revert_blob(const struct revert_series *series, const char *oid);
/* Keeps one more, and returns its id, which belongs to the series. */
const char *revert_add_blob(struct revert_series *series, const char *data, size_t len);
/* Writes all of these: commits that are imported then may name them. */
int revert_import(const struct revert_series *series, struct import *import, struct error *err)
	MUST_CHECK;

/* What the first `steps` of them come to, from `onto`; paths are sorted. */
void revert_sum_up(struct tree_changes *ret, const struct revert_series *series, size_t steps);
/* Adds a path that is touched, as it is in `onto`, on both sides. Where it is there already: nothing. */
struct tree_change *revert_add_path(struct tree_changes *ret, const struct revert_series *series,
				    const char *path);
/* The new side of changes as import_commit() wants it; free() it, and it points into them. */
struct import_path *revert_import_paths(size_t *ret_nr, const struct tree_changes *changes)
	MUST_CHECK;

/*
 * For each conflict the commits since the one that is reverted, and not in the series, that
 * have changed the lines in question, or the file where it is not about lines. Of `limit`
 * conflicts at most; the others have none.
 */
int revert_find_causes(struct revert_series *series, const char *head, size_t limit,
		       struct error *err) MUST_CHECK;

#endif
