/* SPDX-License-Identifier: MIT */
/*
 * worktree: how HEAD, index and worktree differ, as `git status` sees it, and what git does
 * not tell: empty folders, nested repositories, an operation in progress.
 *
 * One `git status --porcelain=v2 -z --branch --untracked-files=all` (with optional locks
 * off, so that it writes nothing) is the stat pass: it knows racily clean entries, sparse
 * checkout, split index, fsmonitor, the untracked cache and submodules. While it runs, the
 * index is looked through in place for the bits that hide edits from it (vcs/index.h) and
 * the folders are walked for empty ones.
 *
 * Paths are from the top of the worktree, bytes as git has them. Modes are git's: 100644,
 * 100755, 120000, 160000; 0 is "not there".
 * Owner: the caller; worktree_state_release() frees all.
 */
#ifndef VCS_WORKTREE_H
#define VCS_WORKTREE_H

#include <sys/stat.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "vcs/index.h"
#include "vcs/repo.h"

/* One tracked path where HEAD, index and worktree are not all the same. */
struct worktree_entry {
	char *path;
	char code[3]; /* as in `git status`: "M.", ".D", "UU" */
	unsigned head_mode, index_mode, worktree_mode;
	char *head_oid, *index_oid; /* NULL where the mode is 0 */
	bool staged;		    /* index differs from HEAD */
	bool changed;		    /* worktree differs, or may differ, from the index */
	bool intent_to_add;	    /* in the index in name alone: index_* is nothing */
	bool hidden;   /* git status does not show it: assume-unchanged or skip-worktree */
	bool unmerged; /* then stage[1..3] hold what there is; index_* is nothing */
	struct {
		unsigned mode;
		char *oid;
	} stage[4];
	bool device; /* neither file nor folder stands there, as a FIFO does */
	bool submodule, submodule_commit, submodule_dirty, submodule_untracked;
};

struct worktree_state {
	char *head;		      /* commit; NULL: unborn */
	char *branch;		      /* "refs/heads/main"; NULL: detached */
	struct worktree_entry *entry; /* sorted by path, bytewise */
	size_t nr, alloc;
	struct strvec untracked;     /* files and symlinks, not ignored; sorted */
	struct strvec ignored;	     /* ignored files that were asked for; sorted */
	struct strvec nested;	     /* repositories inside, "sub/": named and left alone */
	struct strvec empty_folders; /* "a/b": neither tracked nor ignored, nothing in them */
	struct strvec unreadable;    /* "a/b": git and we may not look into it */
	struct strvec in_progress; /* "merge", "rebase", "cherry-pick", "revert", "am", "bisect" */
	bool special_index; /* flags or stages that no tree can hold: keep the index file itself */
	bool attributes;    /* some .gitattributes, or core.autocrlf, may apply */
	bool sparse;	    /* a sparse checkout */
	bool file_mode;	    /* core.fileMode: the executable bit on disk means something */
	bool crlf;	    /* core.autocrlf converts line ends */
	bool crlf_out;	    /* and may write others than it has read; or core.eol does */
	bool ignore_case;   /* core.ignoreCase: `A` and `a` are one file */
	struct index_file index; /* the index that all of this is about */
};
#define WORKTREE_STATE_INIT                                                              \
	{                                                                                \
		.untracked = STRVEC_INIT, .ignored = STRVEC_INIT, .nested = STRVEC_INIT, \
		.empty_folders = STRVEC_INIT, .unreadable = STRVEC_INIT,                 \
		.in_progress = STRVEC_INIT, .index = INDEX_FILE_INIT                     \
	}

struct worktree_request {
	bool no_untracked;	      /* untracked files are not wanted */
	const struct strvec *ignored; /* pathspecs: ignored files to take as well; or NULL */
};

int worktree_read(struct worktree_state *ret, const struct repo *repo,
		  const struct worktree_request *request, struct error *err) MUST_CHECK;
void worktree_state_release(struct worktree_state *state);

/* NULL where the path has no entry. */
const struct worktree_entry *worktree_find(const struct worktree_state *state, const char *path);
/* git's mode of a file on disk; `before`: the mode it has in the index, or 0. */
unsigned worktree_mode(const struct worktree_state *state, const struct stat *st, unsigned before);

#endif
