/* SPDX-License-Identifier: MIT */
/*
 * treediff: how pairs of trees differ, file by file, by one `git diff-tree` for all of them.
 *
 * Only what differs is read: the cost does not grow with what the trees have in common. A
 * tree that is needed and not there is an error.
 * Owner: the caller; tree_changes_release() frees all.
 */
#ifndef VCS_TREEDIFF_H
#define VCS_TREEDIFF_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"

/* A mode of 0: it is not there; the id is then NULL. */
struct tree_change {
	char *path; /* from the top */
	unsigned old_mode, new_mode;
	char *old_oid, *new_oid;
	unsigned flags; /* the caller's own */
};
struct tree_changes {
	struct tree_change *item; /* sorted by path, bytewise */
	size_t nr, alloc;
};
#define TREE_CHANGES_INIT \
	{                 \
		0         \
	}
void tree_changes_release(struct tree_changes *changes);
/* Modes 0 and ids NULL. The path is copied. */
struct tree_change *tree_changes_add(struct tree_changes *changes, const char *path);
/* Keeps those without any of the flags, in their order. */
void tree_changes_drop(struct tree_changes *changes, unsigned flags);
void tree_changes_sort(struct tree_changes *changes);
struct tree_change *tree_changes_find(const struct tree_changes *changes, const char *path);

/* Ids of trees, not of commits. */
struct tree_pair {
	const char *old_tree, *new_tree;
	struct tree_changes changes;
};
/* `pathspecs` as git reads them from here, or NULL; `env` as struct process has it. */
int tree_pairs_compare(struct tree_pair *pair, size_t nr, const char *const *pathspec,
		       size_t pathspecs, const struct strvec *env, struct error *err) MUST_CHECK;

/* A file that has another path in the new tree, with much the same content. */
struct tree_rename {
	char *from, *to;
	unsigned new_mode;
	char *new_oid;
};
struct tree_renames {
	struct tree_rename *item; /* sorted by `from` */
	size_t nr, alloc;
};
#define TREE_RENAMES_INIT \
	{                 \
		0         \
	}
void tree_renames_release(struct tree_renames *renames);
/*
 * Adds those that git sees: half of a file has to be the same. Of more files than `limit` (as
 * merge.renameLimit has it) only exact ones. `env` as struct process has it.
 */
int tree_renames_find(struct tree_renames *ret, const char *old_tree, const char *new_tree,
		      unsigned limit, const struct strvec *env, struct error *err) MUST_CHECK;
void tree_renames_sort(struct tree_renames *renames);
const struct tree_rename *tree_renames_from(const struct tree_renames *renames, const char *path);

#endif
