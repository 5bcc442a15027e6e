/* SPDX-License-Identifier: MIT */
/*
 * source: where documents are read from: the worktree, a commit's tree, or a test's table.
 *
 * Use:    source_worktree() or source_commit() fill one in; document_source_release() ends it.
 *         Whoever has another place for files fills in the functions himself.
 * Paths:  from the top, with '/', without "./" in front.
 */
#ifndef WORKFLOW_SOURCE_H
#define WORKFLOW_SOURCE_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "vcs/repo.h"

enum source_found { SOURCE_FOUND = 0, SOURCE_MISSING = 1 };

struct document_source {
	/* Appends the paths of all files that may be documents; more than those does no harm. */
	int (*list)(struct document_source *source, struct strvec *ret, struct error *err);
	/* Appends a file's bytes. -1 with the reason, without the path in front. */
	int (*read)(struct document_source *source, const char *path, struct strbuf *ret,
		    struct error *err);
	void (*release)(struct document_source *source); /* may be NULL */
	void *data;
};
#define DOCUMENT_SOURCE_INIT \
	{                    \
		0            \
	}
void document_source_release(struct document_source *source);

/*
 * The worktree's files, tracked and not; what is ignored only below the usual folders. Never
 * through a symbolic link. `repo` must outlive it.
 */
void source_worktree(struct document_source *ret, const struct repo *repo);
/* The files of a commit or any tree-ish, read by two git processes. `treeish` is copied. */
void source_commit(struct document_source *ret, const char *treeish);

/* Is it, by its name, one of the documents that tracks_read() looks at? */
bool source_is_document(const char *path) MUST_CHECK;

#endif
