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
	bool has_attributes;
	char *folder; /* for files that are merged; NULL: not yet made */
	size_t rename_folders;
	struct strvec handled; /* of this step: paths that need no further look */
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
