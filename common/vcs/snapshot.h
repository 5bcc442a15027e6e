/* SPDX-License-Identifier: MIT */
/*
 * snapshot: a whole working state as a commit that is shaped like a stash.
 *
 *	W  tree: the tracked files as they are on disk.  parents, in this order:
 *	   1  the commit that HEAD is (unborn: an empty commit)
 *	   2  I: tree = the index, stage 0 (intent-to-add entries are not in it)
 *	   3  U: tree = untracked files, and those ignored files that were asked for; no parent
 *	   4  M: tree = the payload; its parents are the commits that MERGE_HEAD, CHERRY_PICK_HEAD
 *	      and REVERT_HEAD name, so that they stay; mostly none
 *
 * so that `git stash apply --index <ref>` can read it without us. M holds:
 *
 *	manifest.json    what snapshot_manifest_*() reads; see below
 *	index            the index file itself, only where it has what no tree can hold: stages,
 *	                 intent-to-add, assume-unchanged, skip-worktree; never split or sparse
 *	stages/<n>/<path> the blobs of unmerged entries, so that gc keeps them
 *	raw/<path>       the bytes of files that git would not write as they were: for their line
 *	                 ends, or for a filter that loses something
 *	state/<FILE>     what git keeps of an operation in progress, and the patterns of a sparse
 *	                 checkout: snapshot_state_files[]
 *	status           `git status --short` as it was
 *	project/<path>   plan documents;  env/<name>  the environment template without secrets
 *	database/        schema.sql, migrations.json, fingerprint.json
 *
 * manifest.json (format 1), what is not so is left out: "format", "name" (null: unnamed),
 * "kind" ("checkpoint" or "safety"), "operation", "created_at", "message", "stage", "event"
 * ("start" or "complete"), "phase", "story", "tag" (true: it was given one),
 * "worktree" (id of a linked one),
 * "head": {"commit", "branch", "unborn"}, "index": {"tree", "file": bool},
 * "in_progress": [names], "submodules": [{"path","commit","dirty"}], "nested": [paths],
 * "empty_folders": [paths], "ignored": [paths of U that were ignored],
 * "absent": [paths that a restore was about to make and that were not there],
 * "modes": {"<path of U>": "600"}: permissions that are not those of a new file,
 * "left_out": [{"path","reason"}],
 * "unconverted": [{"path","reason"}]: files that git refused to convert as their attributes say
 * (a required filter failed, an encoding is unknown); W or U have them as they are on disk,
 * "big": [paths], "secret": [paths],
 * "untracked": false where they were not wanted, "parts": {"<path in M>": "<SHA-256>"},
 * "database": {"name", "reachable", "version", "fingerprint", ...}.
 *
 * Paths in it are as path_to_json() makes them (vcs/path.h); those that are keys, too.
 *
 * A safety snapshot (kind "safety") is what undo goes back to, under refs/rollback/op/<id>/safety.
 */
#ifndef VCS_SNAPSHOT_H
#define VCS_SNAPSHOT_H

#include <sys/stat.h>

#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strvec.h"
#include "vcs/import.h"
#include "vcs/repo.h"
#include "vcs/worktree.h"

/* Not "refs/checkpoint/": git would take "checkpoint/<name>" for that before the tag. */
#define SNAPSHOT_REFS	    "refs/checkpoints/"
#define SNAPSHOT_TAGS	    "refs/tags/checkpoint/"
#define SNAPSHOT_OPERATIONS "refs/rollback/op/"

/* git's own, of the worktree: in its git folder, and as "state/<name>" in M. */
struct snapshot_state_file {
	const char *name;
	bool names_commits; /* one a line */
	bool sparse;	    /* patterns; older snapshots of a sparse checkout do not have them */
};
#define SNAPSHOT_STATE_FILES 7
extern const struct snapshot_state_file snapshot_state_files[SNAPSHOT_STATE_FILES];

/* One more file of the payload. */
struct snapshot_part {
	char *path; /* in M: "database/schema.sql" */
	struct strbuf data;
};
struct snapshot_parts {
	struct snapshot_part *item;
	size_t nr, alloc;
};
#define SNAPSHOT_PARTS_INIT \
	{                   \
		0           \
	}
/* Returns the new part's data to be filled. */
struct strbuf *snapshot_parts_add(struct snapshot_parts *parts, const char *path);
void snapshot_parts_release(struct snapshot_parts *parts);

struct snapshot_capture;
/* Asked before any file is read: what is going to be stored may be told, or refused. */
typedef int snapshot_inspect_fn(const struct worktree_state *state, void *data, struct error *err);
/*
 * Asked when the state is known and every file was read, before the manifest is written:
 * adds to the manifest what follows from them ("big", "secret"; path_to_json() makes its
 * paths), and writes W's message.
 */
typedef int snapshot_describe_fn(struct strbuf *message, json_t *manifest,
				 const struct snapshot_capture *capture, void *data,
				 struct error *err);
struct snapshot_request {
	struct worktree_request worktree;
	const struct snapshot_parts *parts; /* or NULL */
	json_t *members;		    /* of the manifest: what the caller knows; not taken */
	const char *subject; /* of W's message: "checkpoint: stage-3-start"; NULL: see describe */
	snapshot_inspect_fn *inspect;	/* or NULL */
	snapshot_describe_fn *describe; /* or NULL */
	void *data;			/* of both */
	const char *identity;		/* snapshot_identity() */
	int64_t time;			/* seconds */
	const struct strvec *also;	/* ignored paths to take where they exist, and to list as
				      "absent" where they do not; or NULL */
	bool may_leave_out; /* an unreadable file goes into "left_out"; else it is an error */
	bool short_lived;   /* where it is small, time counts for more than room: uncompressed */
	const char *quarantine; /* see import.h; or NULL */
};

/* What a file was when it was read: restore compares before it touches the file. */
struct snapshot_file {
	char *path;
	unsigned mode;
	char *oid; /* NULL until snapshot_capture() is done */
	struct stat stat;
	bool untracked; /* of U */
};
struct snapshot_capture {
	struct worktree_state state;
	struct import import;
	json_t *manifest;
	char *commit;					   /* W */
	char *index_tree, *worktree_tree, *untracked_tree; /* ids */
	struct strvec converted;    /* ids of files that git has stored: loose, or not again */
	struct snapshot_file *file; /* of W and U, those that were read; sorted by path */
	size_t nr, alloc;
};
#define SNAPSHOT_CAPTURE_INIT                                                                 \
	{                                                                                     \
		.state = WORKTREE_STATE_INIT, .import = IMPORT_INIT, .converted = STRVEC_INIT \
	}
/*
 * Captures the present state; touches neither worktree, index, HEAD nor any ref. The
 * snapshot exists only as objects until the caller makes a ref of `commit` (after
 * import_publish(), where there was a quarantine).
 */
int snapshot_capture(struct snapshot_capture *ret, const struct repo *repo,
		     const struct snapshot_request *request, struct error *err) MUST_CHECK;
void snapshot_capture_release(struct snapshot_capture *capture);

/*
 * Once a ref leads to the snapshot: are all its objects there? Those that it shares with what
 * nothing led to may have been removed before there was a ref, as by `git gc --prune=now`.
 * SNAPSHOT_BROKEN: then the refs have to be taken back, and the state to be captured again.
 */
enum snapshot_whole { SNAPSHOT_WHOLE = 0, SNAPSHOT_BROKEN = 1 };
int snapshot_check(const struct snapshot_capture *capture, const struct repo *repo,
		   struct error *err) MUST_CHECK;

/* "Name <mail>" as git would use it, or a fixed one as git stash has. free() it. */
int snapshot_identity(char **ret, struct error *err) MUST_CHECK;

/* A snapshot that is in the repository. */
struct snapshot {
	char *commit, *head, *index, *untracked, *payload; /* ids of commits */
	char *worktree_tree, *index_tree, *untracked_tree, *payload_tree;
	json_t *manifest;
};
#define SNAPSHOT_INIT \
	{             \
		0     \
	}
/* `rev` is any name of W. What has not this shape is an error that says so. */
int snapshot_read(struct snapshot *ret, const char *rev, struct error *err) MUST_CHECK;
void snapshot_release(struct snapshot *snapshot);
/* Appends the commits that MERGE_HEAD and the like of the snapshot name, and that are not there. */
int snapshot_find_missing(struct strvec *ret, const struct snapshot *snapshot, struct error *err)
	MUST_CHECK;

#endif
