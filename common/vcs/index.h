/* SPDX-License-Identifier: MIT */
/*
 * index: what an index file says that `git status` does not tell, read in place.
 *
 * That is: entries whose flags hide edits (assume-unchanged, skip-worktree), or that no
 * tree can hold (intent-to-add, stages), where .gitattributes are tracked, and which
 * folders hold something tracked. Nothing is ever written.
 *
 * Versions 2, 3 and 4 are read through mmap. A split or a sparse index is first written out
 * whole by git, to a temporary file. Checksums are git's business: `git status` reads the
 * same file at the same time.
 * Owner: the caller; index_file_release() frees all.
 */
#ifndef VCS_INDEX_H
#define VCS_INDEX_H

#include <sys/stat.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "vcs/repo.h"

struct index_entry {
	char *path, *oid;
	unsigned mode, stage;
	bool assume_unchanged, skip_worktree, intent_to_add;
	uint32_t mtime_sec, mtime_nsec, inode, size; /* of the file that it was made from */
	size_t offset;				     /* of the entry in the index file */
};
struct index_entries {
	struct index_entry *item;
	size_t nr, alloc;
};
struct index_file {
	struct index_entries special;	 /* have a flag or a stage; in the index's order */
	struct index_entries attributes; /* tracked .gitattributes */
	struct strvec folders;		 /* "a/", "a/b/": sorted; submodules are among them */
	struct strvec submodules;	 /* "sub/": sorted */
	const struct strvec *wanted;	 /* set by the caller before: paths, sorted; or NULL */
	bool all;			 /* set by the caller before: all paths are wanted */
	struct index_entries found;	 /* the entries of those */
	time_t since;			 /* set by the caller before */
	size_t recent;			 /* entries whose files are not older than that */
	bool missing;			 /* there is no file, and so nothing tracked */
	struct stat stat;		 /* of the file itself, while it was read */
	const unsigned char *data;	 /* the whole file, neither split nor sparse; or NULL */
	size_t len;
};
#define INDEX_FILE_INIT                                           \
	{                                                         \
		.folders = STRVEC_INIT, .submodules = STRVEC_INIT \
	}

/* The path of the index that git uses; free() it. */
char *index_path(const struct repo *repo) MUST_CHECK;
int index_file_read(struct index_file *ret, const struct repo *repo, struct error *err) MUST_CHECK;
void index_file_release(struct index_file *index);

/* Bits of an entry's flags, and of its second flags, as gitformat-index(5) has them. */
#define INDEX_ASSUME_VALID  0x8000u
#define INDEX_EXTENDED	    0x4000u
#define INDEX_SKIP_WORKTREE 0x4000u
#define INDEX_INTENT_TO_ADD 0x2000u

/* The bytes of an entry before its object id: times, device, inode, mode, owner, group, size. */
enum { INDEX_STAT = 40, INDEX_MODE = 24 };

enum index_layout { INDEX_WHOLE = 0, INDEX_OTHER = 1 }; /* the other: split, or sparse */
/*
 * For index_file_read(), and for tests: fills in what the bytes say, with object ids of `hash`
 * bytes. -1: they are no index.
 */
int index_file_parse(struct index_file *ret, const unsigned char *data, size_t len, size_t hash)
	MUST_CHECK;

/* Is the file on disk for certain what the entry was made from? */
bool index_entry_is_fresh(const struct index_file *index, const struct index_entry *entry,
			  const struct stat *st) MUST_CHECK;
/* A folder or submodule of the index? `path` ends in a slash. */
bool index_has_folder(const struct index_file *index, const char *path) MUST_CHECK;
bool index_has_submodule(const struct index_file *index, const char *path) MUST_CHECK;

#endif
