/* SPDX-License-Identifier: MIT */
/*
 * closure: all that snapshots are made of, read back, with every content hashed and compared
 * with its name, as no other reading of git's does.
 *
 * A snapshot's closure: its commit, the commits that are its parents, those that its payload
 * names, and all trees and blobs of these. History below HEAD's commit is not in it: closure_check_history() walks that.
 * Submodules' commits are in other repositories. What a partial clone has left with its
 * remote, as git knows it, is counted and not fetched.
 *
 * Owner:  the caller; closure_release().
 * Errors: -1 when git cannot be run; what is wrong with objects is no error, but in `fault`.
 * Memory: grows with the number of objects, not with their size.
 */
#ifndef VCS_CLOSURE_H
#define VCS_CLOSURE_H

#include "base/compat.h"
#include "base/error.h"
#include "vcs/repo.h"

/* What of a snapshot an object was reached by first. */
enum closure_part {
	CLOSURE_SNAPSHOT, /* its own commit */
	CLOSURE_WORKTREE, /* tracked files */
	CLOSURE_HEAD,
	CLOSURE_INDEX,
	CLOSURE_UNTRACKED,
	CLOSURE_PAYLOAD,
	CLOSURE_NAMED /* commits that a merge or the like is about */
};

enum closure_kind { CLOSURE_MISSING, CLOSURE_DAMAGED };
struct closure_fault {
	enum closure_kind kind;
	enum closure_part part;
	const char *type; /* what it should be: "commit", "tree", "blob" */
	char *oid;
	char *path; /* "" is the part's whole tree; NULL: its commit */
};

/* A file that stands for a large one, as git-lfs has them (its docs/spec.md). */
struct closure_pointer {
	enum closure_part part;
	char *path;
	char *oid; /* SHA-256 */
	uint64_t size;
};

struct closure {
	struct closure_fault *fault;
	size_t faults, faults_alloc;
	struct closure_pointer *pointer; /* each object once */
	size_t pointers, pointers_alloc;
	size_t objects; /* that were read */
	uint64_t bytes;
	size_t promised; /* that a remote has */
};
#define CLOSURE_INIT \
	{            \
		0    \
	}

/*
 * Of all these snapshots (full ids of their commits) together: what they share is read once.
 * `progress`, where it is not NULL, is told how many objects have been read so far.
 */
typedef void closure_progress_fn(size_t objects, void *data);
int closure_read(struct closure *ret, const struct repo *repo, const char *const *commit, size_t nr,
		 closure_progress_fn *progress, void *data, struct error *err) MUST_CHECK;
void closure_release(struct closure *closure);

/*
 * Walks all commits that these reach; *ret_gap is NULL, or what git says of the first that it
 * cannot read (free() it).
 */
int closure_check_history(char **ret_gap, const char *const *commit, size_t nr, struct error *err)
	MUST_CHECK;

#endif
