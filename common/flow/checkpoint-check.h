/* SPDX-License-Identifier: MIT */
/*
 * checkpoint-check: does what belongs to one snapshot agree, and are its large files there?
 *
 * Every check appends what it finds wrong; that is no error. Its objects have been proven
 * (vcs/closure.h) before: these functions compare what is in them.
 */
#ifndef FLOW_CHECKPOINT_CHECK_H
#define FLOW_CHECKPOINT_CHECK_H

#include "flow/checkpoint.h"
#include "vcs/closure.h"
#include "vcs/snapshot.h"

/* What kind of problem it is says what can be done about it. */
enum check_kind {
	CHECK_MISSING,	   /* an object */
	CHECK_DAMAGED,	   /* the same */
	CHECK_LFS_MISSING, /* a git-lfs object */
	CHECK_LFS_DAMAGED,
	CHECK_SHAPE,	/* it is no snapshot */
	CHECK_MANIFEST, /* which says otherwise than the snapshot */
	CHECK_TAG,	/* the same */
	CHECK_NO_TAG,	/* there was one, by the manifest */
	CHECK_PART,	/* of the payload, which is not what the manifest says */
	CHECK_INDEX,	/* the index file in the payload */
	CHECK_HISTORY	/* of HEAD's commit */
};
struct check_problem {
	enum check_kind kind;
	char *text;
	char *path, *oid; /* what it is about, or NULL */
	const char *type; /* of the object, or NULL */
};
struct check_problems {
	struct check_problem *item;
	size_t nr, alloc;
};
#define CHECK_PROBLEMS_INIT \
	{                   \
		0           \
	}
void check_problems_release(struct check_problems *problems);
/* `path` and `oid` may be NULL. */
PRINTF(5, 6)
struct check_problem *check_add(struct check_problems *ret, enum check_kind kind, const char *path,
				const char *oid, const char *fmt, ...);

/* Manifest, trees and name (NULL: of a safety snapshot). */
void check_manifest(struct check_problems *ret, const struct snapshot *snapshot, const char *name);
/* `tag` is the id that the tag's ref has. */
int check_tag(struct check_problems *ret, const struct repo *repo, const struct snapshot *snapshot,
	      const char *tag, struct error *err) MUST_CHECK;
/* The payload's files and their digests; an index file among them must be one that git reads. */
int check_payload(struct check_problems *ret, const struct repo *repo,
		  const struct snapshot *snapshot, struct error *err) MUST_CHECK;
/* Those that are not there, or not what their pointers say; none where git-lfs is not used. */
int check_lfs(struct check_problems *ret, const struct checkpoint_session *s,
	      const struct closure *closure, struct error *err) MUST_CHECK;

/* "a tracked file", for people. */
const char *check_part_name(enum closure_part part);

#endif
