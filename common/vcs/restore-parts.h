/* SPDX-License-Identifier: MIT */
/*
 * restore-parts: what the files of vcs/restore.h share, and nobody else needs.
 */
#ifndef VCS_RESTORE_PARTS_H
#define VCS_RESTORE_PARTS_H

#include <sys/types.h>

#include "base/beneath.h"
#include "vcs/mode.h"
#include "vcs/restore.h"

static inline bool mode_is_file(unsigned mode)
{
	return mode && mode != MODE_SUBMODULE;
}

PRINTF(2, 3) void restore_refuse(struct restore *restore, const char *fmt, ...);

/*
 * restore-way.c: what stands where files are going to be. Ignored files that do are added to
 * `also`, for the safety snapshot to take them; untracked ones that were to stay go after
 * all; what can be neither is refused.
 */
int restore_look_ahead(struct restore *restore, struct strvec *also, struct error *err) MUST_CHECK;
/* Once more, right before files move: -1 with EXIT_REFUSED where anything has come since. */
int restore_look_again(struct restore *restore, struct error *err) MUST_CHECK;
/*
 * Adds what is ignored and stands where the snapshot has a tracked file that was not there, or
 * says that there was nothing.
 */
int restore_look_behind(struct restore *restore, struct strvec *also, struct error *err) MUST_CHECK;

/*
 * restore-sparse.c: takes out of the comparison what a sparse checkout has not on disk, and adds
 * what is on disk in one of the two states alone.
 */
void restore_part_sparse(struct restore *restore);

/* restore-index.c: the snapshot's index, where it holds the file; what becomes of the index's entries, or its file. */
int restore_read_index(struct restore *restore, struct error *err) MUST_CHECK;
int restore_plan_index(struct restore *restore, struct tree_changes *changes, struct error *err)
	MUST_CHECK;
int restore_feed_entries(const struct restore *restore, const struct tree_changes *entries,
			 const struct strvec *env, struct error *err) MUST_CHECK;
/*
 * restore-times.c: the new index where all entries stay, at `path`. INDEX_OTHER: it has to be
 * made in another way, and nothing was written.
 */
int restore_exchange_times(const struct restore *restore, const char *path, struct error *err)
	MUST_CHECK;
int restore_index_back(struct restore *restore, struct error *err) MUST_CHECK;

/*
 * restore-pathspec.c: where stages and flags of entries that match the pathspec differ, makes
 * `index_flags` what the whole new index has to be, and the index kind RESTORE_INDEX_FILE; or,
 * where the snapshot has none of these, adds the paths that match to `ret_special`.
 */
int restore_merge_index(struct restore *restore, struct strvec *ret_special, struct error *err)
	MUST_CHECK;
/* An error with EXIT_NO where one of them matches nothing; at the end of all planning. */
int restore_check_pathspecs(const struct restore *restore, struct error *err) MUST_CHECK;

/* restore-case.c: refuses names that differ from others in case alone, where case is ignored. */
int restore_check_case(struct restore *restore, struct error *err) MUST_CHECK;

/*
 * restore-objects.c: what a partial clone has left with its remote comes at once. Verifying reads
 * all blobs that are needed, in `git`, which is PROCESS_INIT before: EXIT_NO for a damaged one.
 */
int restore_fetch(const struct restore *restore, struct error *err) MUST_CHECK;
int restore_start_verifying(struct process *git, const struct restore *restore, struct error *err)
	MUST_CHECK;
int restore_finish_verifying(struct process *git, struct error *err) MUST_CHECK;

/*
 * restore-attributes.c: tracked files whose content stays, and whose bytes do not, since the
 * attributes are others: line ends, filters.
 */
int restore_plan_attributes(struct restore *restore, struct error *err) MUST_CHECK;

/* restore-state.c: reads git's state files, of now and of the snapshot. */
int restore_plan_state(struct restore *restore, struct error *err) MUST_CHECK;
bool restore_state_is_same(const struct restore *restore);
int restore_state_back(struct restore *restore, struct error *err) MUST_CHECK;
void restore_state_release(struct restore *restore);

/* restore-worktree.c: the two small trees and the scratch index. */
int restore_plan_worktree(struct restore *restore, struct error *err) MUST_CHECK;
/*
 * Right before files move: -1 with EXIT_REFUSED when a file that the merge leaves alone is not
 * what was captured. Of the others the merge itself finds that out, before it writes anything.
 */
int restore_check_worktree(struct restore *restore, struct error *err) MUST_CHECK;
int restore_worktree_back(struct restore *restore, struct error *err) MUST_CHECK;

/*
 * restore-raw.c: the bytes of those files that git, which writes them first, writes otherwise. Where
 * they are all that differs, the files are added to `rewritten`. `back`: those of now.
 */
int restore_plan_raw(struct restore *restore, struct error *err) MUST_CHECK;
bool restore_has_raw(const struct restore *restore);
/* Adds the ids of the blobs that will be written. */
void restore_add_raw(struct strvec *ret, const struct restore *restore);
/* EXIT_REFUSED where one is not what was captured: git would see no change. */
int restore_check_raw(const struct restore *restore, struct error *err) MUST_CHECK;
int restore_write_raw(const struct restore *restore, bool back, struct error *err) MUST_CHECK;

/* restore-blobs.c: writes blobs to files, byte for byte, whatever their size. */
struct restore_blob {
	const char *path, *oid; /* the caller's */
	bool make;		/* the file must not be there; else it is, and is written over */
	unsigned mode;		/* of one that is made */
	bool begun;		/* set when the file is no longer what it was, or was made */
};
int restore_write_blobs(const struct restore *restore, struct restore_blob *blob, size_t nr,
			struct error *err) MUST_CHECK;

/*
 * restore-unconverted.c: files that git refuses to convert, and can so neither look at nor write.
 * They are in neither of the two small trees: those of now go before git's merge, which finds
 * nothing there, and those of the snapshot are written behind it. `back`: what was written goes,
 * what went is written.
 */
int restore_plan_unconverted(struct restore *restore, struct error *err) MUST_CHECK;
/* Any that go; or, with `then`, that are going to be written? */
bool restore_has_unconverted(const struct restore *restore, bool then);
/* EXIT_REFUSED where the file is not what was captured. */
int restore_check_captured(const struct restore *restore, struct beneath *top, const char *path,
			   struct error *err) MUST_CHECK;
int restore_check_unconverted(const struct restore *restore, struct error *err) MUST_CHECK;
int restore_remove_unconverted(struct restore *restore, bool back, struct error *err) MUST_CHECK;
int restore_write_unconverted(struct restore *restore, bool back, struct error *err) MUST_CHECK;

/* Of the paths in an array of a manifest: strings, or objects with "path". Sorted. */
int restore_manifest_paths(struct strvec *ret, const json_t *manifest, const char *key,
			   struct error *err) MUST_CHECK;

/* The worktree, open; -1. */
int restore_open_top(const struct restore *restore, struct error *err) MUST_CHECK;
/* git knows it without its being stored. */
const char *restore_empty_tree(const struct restore *restore);

/* The mode of a new file, as the user wants it. */
mode_t restore_file_mode(void);

#endif
