/* SPDX-License-Identifier: MIT */
/*
 * snapshot-parts: what the files of snapshot_capture() (vcs/snapshot.h) share, and nobody else
 * needs: snapshot-capture.c (all of it), -files.c (what is read), -commits.c (I, U and W),
 * -payload.c (M) and -manifest.c (M's manifest.json).
 */
#ifndef VCS_SNAPSHOT_PARTS_H
#define VCS_SNAPSHOT_PARTS_H

#include "vcs/snapshot.h"

/* A file to be stored, or that was. */
struct capture_item {
	const char *path;		    /* the state's, or the request's */
	const struct worktree_entry *entry; /* NULL: not tracked */
	unsigned mode;			    /* 0: not there (any more), or left out */
	unsigned mark;			    /* of the blob; 0: `oid` names it */
	char *oid;
	struct stat stat;
	bool left_out;
	bool raw;      /* its bytes are kept, too */
	char *refusal; /* why git does not store it as its attributes say; or NULL */
};

struct capture_paths {
	struct import_path *item;
	size_t nr, alloc;
	struct strvec names; /* that belong to nobody else */
};
#define CAPTURE_PATHS_INIT           \
	{                            \
		.names = STRVEC_INIT \
	}

/* What a capture has in its hands. */
struct capture {
	struct snapshot_capture *ret;
	struct worktree_state *state;
	struct import *import;
	const struct repo *repo;
	const struct snapshot_request *request;
	struct capture_item *item; /* sorted by path */
	size_t nr, alloc;
	struct strvec absent;
	struct strvec named; /* commits that git's state files name */
	json_t *left_out;
	int top;    /* the worktree */
	char *base; /* of W and I: a commit, or ":<mark>" of an empty one */
	unsigned mark_index, mark_untracked, mark_payload, mark_worktree;
	struct error *err;
};

/* snapshot-files.c: which files the snapshot holds by themselves; has them stored. */
void capture_collect(struct capture *c);
int capture_store(struct capture *c) MUST_CHECK;

/* snapshot-commits.c. The path stays the caller's; a mode of 0 takes it away. */
void capture_add_path(struct capture_paths *to, const char *path, unsigned mode, unsigned mark,
		      const char *oid);
void capture_paths_release(struct capture_paths *paths);
int capture_commit(struct capture *c, unsigned mark, const char *message, const char *base,
		   const char *const *parent, size_t parents, const struct capture_paths *paths)
	MUST_CHECK;
/* The commit that W and I change: HEAD's, or an empty one. */
int capture_set_base(struct capture *c) MUST_CHECK;
int capture_commit_index(struct capture *c) MUST_CHECK;
int capture_commit_untracked(struct capture *c) MUST_CHECK;
int capture_commit_worktree(struct capture *c, const char *message) MUST_CHECK;

/* snapshot-payload.c: with the manifest, and W's message where the caller writes that. */
int capture_commit_payload(struct capture *c, struct strbuf *message) MUST_CHECK;

/* snapshot-manifest.c: what we know; the caller's members among it. */
json_t *capture_manifest(const struct capture *c) MUST_CHECK;
/* Adds {"path", "reason"}. */
void capture_add_reason(json_t *array, const char *path, const char *reason);

#endif
