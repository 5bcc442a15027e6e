/* SPDX-License-Identifier: MIT */
/*
 * trust: what a .gitrollback that came with a clone may bring.
 *
 * The sentence that rules it: a tracked file that nobody here has read runs nothing,
 * connects nowhere, and names no file outside the worktree. What trust_reason() names is
 * withheld until the very bytes of the file were trusted by `git rollback trust`.
 *
 * Where:  the file's blob id is `rollback.trust` in git's own configuration, and
 *         refs/rollback/trusted keeps the blob, so that a later change can be shown. Both
 *         belong to the repository with all its worktrees. git computes the id: its SHA-1
 *         notices files made to collide.
 * git:    is run from here (hash-object, cat-file, update-ref, config) and not through vcs/,
 *         which stands beside config/ and knows nothing of settings: a blob, a ref and a key
 *         are all there is to it, and settings are read before a repository is opened.
 */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "config/key.h"

/*
 * Why a tracked file may not bring this value before it is trusted ("a command"), or
 * NULL. Looks at the worktree: a path may lead out of it through a symbolic link.
 */
const char *trust_reason(enum key_type type, const char *value, const char *worktree);

/* The text's blob id (free() it); with `keep` the blob is written. */
int trust_blob(char **ret_oid, const char *git_dir, const char *text, size_t len, bool keep,
	       struct error *err) MUST_CHECK;
/* Appends the blob's content: FILE_FOUND or FILE_MISSING (base/file.h). */
int trust_content(struct strbuf *ret, const char *git_dir, const char *oid, struct error *err)
	MUST_CHECK;
/* Records that these bytes, and no others, are trusted. They must have the id `oid`. */
int trust_record(const char *git_dir, const char *text, size_t len, const char *oid,
		 struct error *err) MUST_CHECK;
int trust_revoke(const char *git_dir, struct error *err) MUST_CHECK;

/*
 * Sets a key of the repository's own configuration, shared by its worktrees. Waits a
 * little where another process changes the configuration at the same moment.
 */
int trust_configure(const char *git_dir, const char *key, const char *value, struct error *err)
	MUST_CHECK;

#endif
