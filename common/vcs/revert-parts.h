/* SPDX-License-Identifier: MIT */
/*
 * revert-parts: what the files of vcs/revert.h share, and nobody else needs.
 */
#ifndef VCS_REVERT_PARTS_H
#define VCS_REVERT_PARTS_H

#include "vcs/mode.h"
#include "vcs/object.h"
#include "vcs/revert.h"

/* One side of a file. */
struct revert_side {
	unsigned mode; /* 0: it is not there */
	const char *oid;
};

/* What merges have made, sorted by id. */
struct revert_blobs {
	struct revert_blob_item {
		char *oid;
		struct strbuf data;
	} * item;
	size_t nr, alloc;
};

/* How a path is merged, by its attributes. */
enum revert_driver { REVERT_BY_LINES, REVERT_BY_UNION, REVERT_AS_BINARY, REVERT_BY_OTHER };
struct revert_attributes {
	struct revert_attribute {
		char *path;
		enum revert_driver driver;
		unsigned marker_size; /* 0: as usual */
	} * item;		      /* sorted by path */
	size_t nr, alloc;
};

/* git's own, read at the first need. */
struct revert_settings {
	bool read;
	bool renames;		/* merge.renames, diff.renames */
	unsigned rename_limit;	/* merge.renameLimit, diff.renameLimit */
	bool renormalize;	/* merge.renormalize */
	bool directory_renames; /* merge.directoryRenames, whether it is "conflict" or true */
	char *driver;		/* merge.default: of those without the attribute; or NULL */
	struct strvec drivers;	/* the names that have a merge.<name>.driver */
};

/* What is read of a commit. */
struct revert_source {
	char *oid, *tree, *parent, *parent_tree, *subject, *abbreviated;
	bool merge;
	bool has_renames[2];
	struct tree_renames renames[2]; /* from it to `onto`; and to its parent */
};
enum { REVERT_TO_NOW, REVERT_TO_PARENT };

struct revert_state {
	struct revert_source *source; /* as in the request */
	struct tree_pair *pair;	      /* of the same: from the commit to its parent */
	/*
	 * The paths that are touched, from `onto` to what they are by now; flags REVERT_DISPUTED.
	 * Others have not changed.
	 */
	struct tree_changes ours;
	struct revert_blobs blobs;
	struct object_reader reader;
	struct revert_attributes attributes;
	struct revert_settings settings;
	char *folder;	       /* for files that are merged; NULL: not yet made */
	size_t folders;	       /* how many are in there */
	struct strvec handled; /* of this step: paths that need no further look */
	bool moved_folder;     /* before this step a folder may have been renamed */
	bool renamed;	       /* in this step a file has another name now, or had then */
	bool contested;	       /* in this step the contents of a file have been merged */
	bool without_git;      /* this git has no merge in memory */
};
enum { REVERT_DISPUTED = 1 << 0 }; /* it was in conflict */

/* A merge of one path, and what came of it. */
struct revert_merge {
	const struct revert_source *source;
	const char *path;      /* of ours */
	const char *base_path; /* in the commit; the same unless it was renamed */
	const char *theirs_path;
	struct revert_side base, ours, theirs;
	/* Out: */
	bool conflict;
	enum revert_conflict_kind kind;
	struct revert_side result; /* where there is a conflict: for ours */
	char *text;		   /* see struct revert_conflict */
	struct revert_hunk *hunk;
	size_t hunks, alloc;
	char *made; /* `result` may point to it */
};
/* revert-merge.c: all three are there, or base is missing; and ours and theirs have changed it. */
int revert_merge(struct revert_series *series, struct revert_merge *merge, struct error *err)
	MUST_CHECK;
int revert_read_blob(const struct revert_series *series, struct strbuf *ret, const char *oid,
		     struct error *err) MUST_CHECK;

/* revert-settings.c */
int revert_read_settings(const struct revert_settings **ret, struct revert_series *series,
			 struct error *err) MUST_CHECK;

/* revert-ours.c: what stands at a path that is touched, by now. */
bool revert_is_same(const struct revert_side *a, const struct revert_side *b) MUST_CHECK;
struct revert_side revert_ours_at(const struct revert_series *series, const char *path) MUST_CHECK;
struct tree_change *revert_add_ours(struct revert_series *series, const char *path);
/* From now on this is what stands there, by this step. */
void revert_put(struct revert_series *series, struct revert_step *step, const char *path,
		const struct revert_side *side);
/* The same; and a file is there in one way and not in another. A side may be NULL. */
void revert_dispute(struct revert_series *series, struct revert_step *step,
		    enum revert_conflict_kind kind, const char *path, const char *base_path,
		    const struct revert_side *base, const struct revert_side *ours,
		    const struct revert_side *theirs);
struct revert_conflict *revert_add_conflict(struct revert_series *series, struct revert_step *step,
					    enum revert_conflict_kind kind, const char *path);
void revert_add_stage(struct revert_conflict *conflict, int stage, const struct revert_side *side);
void revert_conflict_release(struct revert_conflict *conflict);

/* Is it by attributes that a merge driver of one's own merges this path? */
int revert_has_driver(bool *ret, struct revert_series *series, const char *path, struct error *err)
	MUST_CHECK;

/*
 * revert-git.c: before a step, may a folder have been renamed that matters to it? Behind it, where
 * only git's own merge knows what comes of it, it is done once more by that.
 */
int revert_find_moved_folder(struct revert_series *series, size_t i, struct error *err) MUST_CHECK;
int revert_by_git(struct revert_series *series, struct revert_step *step, size_t i,
		  struct error *err) MUST_CHECK;
bool revert_is_kept(const struct revert_request *request, const char *path) MUST_CHECK;

/* Makes it, at the first time. */
int revert_work_folder(struct revert_series *series, struct error *err) MUST_CHECK;

/*
 * revert-rename.c: what became of those of the old tree's paths that the new one has not, or
 * (NULL) that ours by now has not.
 */
int revert_find_renames(struct tree_renames *ret, struct revert_series *series,
			const char *old_tree, const char *new_tree, const struct strvec *wanted,
			struct error *err) MUST_CHECK;

/* revert-commits.c: `onto`, the commits, and how they differ from their parents. */
int revert_read_commits(struct revert_series *series, struct error *err) MUST_CHECK;

#endif
