/* SPDX-License-Identifier: MIT */
/*
 * repo: which repository this is, as git itself says.
 *
 * Everything in vcs/ goes through git's own plumbing, in as few processes as possible: a
 * process costs 1 ms, where loading and initialising libgit2 costs 6, and git reads every
 * repository format there is (SHA-256, reftables, extensions, promisor remotes).
 *
 * Owner:  the caller; repo_release() frees all.
 * Errors: -1 with git's own reason when this is no repository, or git refuses it.
 */
#ifndef VCS_REPO_H
#define VCS_REPO_H

#include "base/compat.h"
#include "base/error.h"
#include "base/process.h"
#include "base/strvec.h"

struct repo {
	char *git_dir;	     /* absolute */
	char *common_dir;    /* absolute; the same but in a linked worktree */
	char *worktree;	     /* absolute top of the worktree; NULL when bare, or inside .git */
	char *prefix;	     /* from there to here: "" or "dir/" */
	char *object_format; /* "sha1" or "sha256" */
	char *head;	     /* id of the commit that HEAD is; NULL: none yet */
	bool bare;
};
#define REPO_INIT \
	{         \
		0 \
	}

/* repo_start() lets other work go on while git looks; repo_open() is both in one. */
int repo_start(struct process *process, struct error *err) MUST_CHECK;
int repo_finish(struct repo *ret, struct process *process, struct error *err) MUST_CHECK;
int repo_open(struct repo *ret, struct error *err) MUST_CHECK;
void repo_release(struct repo *repo);

/*
 * Adds what a git process needs to work on this repository from the top of its worktree, and
 * to say its reasons in English. Paths that it is given are then from there.
 */
void repo_environment(struct strvec *env, const struct repo *repo);
/*
 * Adds what makes pathspecs mean what they mean by themselves, for paths and patterns of our own:
 * GIT_ICASE_PATHSPECS and its like are for those that a person writes.
 */
void repo_plain_pathspecs(struct strvec *env);

/*
 * Is the path, from the top of the worktree, git's own folder or in it? That may have any name,
 * as it has where GIT_DIR or `git init --separate-git-dir` put it there.
 */
bool repo_owns(const struct repo *repo, const char *path) MUST_CHECK;
/*
 * Adds pathspecs that keep out what repo_owns(), where that has another name than ".git"; for
 * `git add`. Each character is escaped: git takes a pathspec that begins as a path that is ignored
 * for the wish to add that, and refuses it, although it is an exclusion.
 */
void repo_exclude_own(struct strvec *pathspecs, const struct repo *repo);
/* As path_fault(), and what repo_owns() says. */
const char *repo_path_fault(const struct repo *repo, const char *path) MUST_CHECK;

enum commit_found { COMMIT_FOUND = 0, COMMIT_MISSING = 1 };
/* The full id of the commit that `rev` names (free() it). COMMIT_MISSING: there is none. */
int repo_commit(char **ret_oid, const char *rev, struct error *err) MUST_CHECK;

#endif
