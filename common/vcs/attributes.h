/* SPDX-License-Identifier: MIT */
/*
 * attributes: files that git stores otherwise than they are on disk: by a clean filter, a
 * working-tree-encoding, ident, or converted line ends.
 *
 * What git would write for what it stored may be something else than there was: mixed line ends,
 * filters that lose something. Those files are named, for their bytes to be kept as well.
 *
 * Where nothing in a file's content is of the kind that would be converted, it is not. The
 * others go through git itself, in an index of their own that is thrown away. It has no more
 * than these files, as the real index has them, since that counts for line ends, and the
 * tracked .gitattributes, which count where they are not on disk.
 *
 * One file that git refuses, as where a filter is required and fails or an encoding is not that
 * of the file, keeps none of the others from being stored: it is named, with git's reason.
 */
#ifndef VCS_ATTRIBUTES_H
#define VCS_ATTRIBUTES_H

#include <sys/stat.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "vcs/repo.h"
#include "vcs/worktree.h"

struct attributes_config {
	char *file; /* core.attributesFile */
	bool tree;  /* attr.tree is set */
};
#define ATTRIBUTES_CONFIG_INIT \
	{                      \
		0              \
	}
void attributes_config_release(struct attributes_config *config);

/* Cheap, and true too often rather than not enough. */
bool attributes_may_apply(const struct repo *repo, const struct worktree_state *state,
			  const struct attributes_config *config) MUST_CHECK;
/*
 * Is a .gitattributes in a folder that leads to the path? `top` is the worktree; `known` is
 * another path, or NULL, of whose folders none has one: they are not looked into again.
 */
bool attributes_above(int top, const char *path, const char *known) MUST_CHECK;

/* A file to be stored. */
struct attributes_file {
	const char *path;		    /* the caller's */
	const struct worktree_entry *entry; /* NULL: not tracked */
	bool convert;			    /* git has to store it */
	unsigned may;			    /* what its attributes may convert */
	/* What came of it, where so; mode 0: it was not there (any more): */
	unsigned mode;
	char *oid;
	struct stat stat;
	bool raw;      /* git would not write it as it is */
	char *refusal; /* why git does not store it; else NULL */
};

/*
 * Sets `convert` of those that need git, and has it store them, in the quarantine, where
 * the index of their own is as well. The caller frees the ids and refusals.
 */
int attributes_convert(struct attributes_file *file, size_t nr, const struct repo *repo,
		       const struct worktree_state *state, const char *quarantine,
		       struct error *err) MUST_CHECK;

#endif
