/* SPDX-License-Identifier: MIT */
/*
 * restore: worktree, index and git's state files made again what a snapshot says they were.
 *
 * The present state is captured first: it is the safety snapshot, and it says what may go.
 * Nothing is ever removed but a path that it holds, or an empty folder that it lists. What
 * differs between the two states, and nothing else, then makes two small trees, and git's
 * two-tree merge on a scratch index goes from one to the other: it checks everything before
 * it writes anything, and knows filters and file systems. The cost grows with the changes,
 * not with the repository.
 *
 * Use:    restore_plan() touches nothing outside of its own folder; where `refusal` is not
 *         empty it must not be carried out. Then, with the safety snapshot published and
 *         its ref made, restore_lock(), restore_worktree(), restore_index(),
 *         restore_state(); when a later step fails restore_back(). restore_unlock() last.
 * Ignored: files that are ignored now are not in the safety snapshot and stay, also where the
 *         snapshot's rules would not ignore them (`exposed`); and untracked ones that its
 *         rules would ignore stay (`stays`). Only where the snapshot has a version of its own,
 *         or needs the place, an ignored file is replaced: then it is captured, too.
 * Alone:  submodules, repositories inside, and what either snapshot had to leave out.
 * Files:  restore-plan.c (what differs), -way.c (what is in the way), -case.c, -objects.c, -sparse.c, -attributes.c,
 *         -pathspec.c, -index.c, -times.c, -state.c, -worktree.c (the merge),
 *         -unconverted.c, -raw.c, -blobs.c.
 * Errors: -1 with a reason. A snapshot whose objects are damaged or missing is one with
 *         EXIT_NO; what changed while we looked is refused.
 * Owner:  the caller; restore_release() frees all, and removes the folder.
 */
#ifndef VCS_RESTORE_H
#define VCS_RESTORE_H

#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/process.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "vcs/index-lock.h"
#include "vcs/index.h"
#include "vcs/object.h"
#include "vcs/repo.h"
#include "vcs/snapshot.h"
#include "vcs/treediff.h"

struct restore_request {
	const struct snapshot *target;
	const char *const *pathspec; /* these paths alone: as git reads them, from here */
	size_t pathspecs;
	bool files_only; /* the index and the state files stay */
	bool keep_untracked;
	const char *folder; /* for all that is temporary; absolute; will be made */
	/* Of the safety snapshot: */
	const char *subject, *identity;
	json_t *members;
	int64_t time;
};

/* Flags of `files`: what the path is now; of one that is not there, what it will be. */
enum restore_flag {
	RESTORE_UNTRACKED = 1 << 0,
	RESTORE_IGNORED = 1 << 1,
	RESTORE_STAYS = 1 << 2, /* while planning */
	/* "unconverted" by the safety snapshot, or by the other: git neither looks at nor writes it. */
	RESTORE_UNCONVERTED_NOW = 1 << 3,
	RESTORE_UNCONVERTED_THEN = 1 << 4,
	RESTORE_REMOVED = 1 << 5, /* of these: what has been done */
	RESTORE_WRITTEN = 1 << 6
};

/* One of MERGE_HEAD, MERGE_MSG, ...: contents, NULL where it is not there. */
struct restore_state_file {
	const char *name;
	struct strbuf *now, *then;
};

enum restore_index_kind {
	RESTORE_INDEX_STAYS,
	RESTORE_INDEX_REFRESH, /* its entries stay; the files were written anew */
	RESTORE_INDEX_ENTRIES, /* some entries change */
	RESTORE_INDEX_FILE     /* all entries come from the file that the snapshot holds */
};

struct restore {
	const struct repo *repo;
	const struct restore_request *request;
	struct snapshot_capture now; /* in a quarantine until import_publish(&now.import) */
	struct strvec env;	     /* for git: finds what the quarantine has */
	struct tree_changes files;   /* files and symlinks that change, appear or go */
	struct tree_changes
		rewritten; /* files that stay, and whose bytes change: line ends, filters */
	enum restore_index_kind index_kind;
	struct tree_changes index; /* entries; a new mode of 0 takes all its stages away */
	struct restore_state_file *state;
	size_t state_nr;
	struct strvec make_folders, remove_folders;
	struct strvec stays;	  /* untracked, and kept though the snapshot has no such file */
	struct strvec exposed;	  /* ignored now; will show as untracked */
	struct strvec submodules; /* whose commit was another: only the index says so */
	struct strvec alone;	  /* left out by one of the snapshots */
	struct strvec refusal;	  /* whole sentences without a full stop */
	/* Inside: */
	char *quarantine, *scratch; /* folders of objects */
	struct strvec scratch_env;
	char *from, *to;	/* commits with the small trees */
	struct process refresh; /* git, while it fills in the times of the scratch index */
	struct index_lock lock;
	struct index_file index_flags;	     /* the file's entries, where the snapshot holds one */
	struct tree_files raw_now, raw_then; /* files that git would write otherwise */
	struct strvec absent;		     /* what the snapshot says was not there */
	struct tree_changes unclean;	     /* from the snapshot's index to its worktree */
	bool moved, index_moved;
	size_t state_moved;
};
#define RESTORE_INIT                                                                          \
	{                                                                                     \
		.now = SNAPSHOT_CAPTURE_INIT, .env = STRVEC_INIT, .scratch_env = STRVEC_INIT, \
		.index_flags = INDEX_FILE_INIT, .refresh = PROCESS_INIT                       \
	}

int restore_plan(struct restore *ret, const struct repo *repo,
		 const struct restore_request *request, struct error *err) MUST_CHECK;
/* Would nothing of worktree, index and state files change? */
bool restore_is_nothing(const struct restore *restore);
void restore_release(struct restore *restore);

/*
 * Takes git's lock on the index, in the name of the operation `id`, and makes sure that index
 * and files still are what was captured.
 */
int restore_lock(struct restore *restore, const char *id, struct error *err) MUST_CHECK;
int restore_worktree(struct restore *restore, struct error *err) MUST_CHECK;
int restore_index(struct restore *restore, struct error *err) MUST_CHECK;
int restore_state(struct restore *restore, struct error *err) MUST_CHECK;
/* Puts back what the steps that were tried have changed. */
int restore_back(struct restore *restore, struct error *err) MUST_CHECK;
/* -1 where the lock is still there. */
int restore_unlock(struct restore *restore, struct error *err) MUST_CHECK;

#endif
