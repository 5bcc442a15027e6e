/* SPDX-License-Identifier: MIT */
/*
 * evidence: which commits belong to a unit of work, and why.
 *
 * Documents name the work and history has done it, and nothing ties the two together for sure. So
 * whatever speaks for a commit is collected as claims: "this commit belongs to that unit, for this
 * reason, so certainly". A unit's commits are all that claims on it, or on parts of it, name; the
 * strongest claim on a commit decides. What could as well mean something else is likely, never
 * certain.
 *
 * Use:    evidence_read() once; then evidence_find() for each unit that is asked for.
 * Owner:  the caller; the _release() functions free all. `tracks` and `repo` must outlive it.
 * Errors: -1 when git fails. Whatever is not in the history is simply not found.
 */
#ifndef FLOW_EVIDENCE_H
#define FLOW_EVIDENCE_H

#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strvec.h"
#include "vcs/repo.h"
#include "workflow/tracks.h"
#include "workflow/unit.h"

enum evidence_level { EVIDENCE_LIKELY, EVIDENCE_CERTAIN };
/* What a commit is to the unit. */
enum evidence_role {
	ROLE_IMPLEMENTATION, /* the work itself */
	ROLE_PLAN,	     /* bookkeeping: boxes, recorded commits, words of the plan */
	ROLE_CHECKPOINT,     /* the mark at the end of a phase, often empty */
	ROLE_CREATION,	     /* made the track's folder, or its entry in the registry */
	ROLE_CLOSING	     /* marked the track as done, archived it, updated documents for it */
};
enum evidence_kind {
	EVIDENCE_TRAILER,   /* "Track:", "Phase:", "Task:", "Story:" */
	EVIDENCE_RECORDED,  /* the plan names it, now or once */
	EVIDENCE_REWRITTEN, /* the plan names a commit that this one has taken the place of */
	EVIDENCE_NOTE,	    /* a git note on it names the unit */
	EVIDENCE_PLAN,	    /* it changes the plan, at the unit's lines */
	EVIDENCE_RUN,	    /* it lies between the mark before and the one that marks the unit */
	EVIDENCE_MESSAGE,   /* its message names the unit */
	EVIDENCE_FILES,	    /* it changes only files that only the track's commits change */
	EVIDENCE_FOLDER,    /* it changes the track's folder, or its entry in the registry */
	EVIDENCE_BRANCH,    /* it was merged with a branch that is named after the track */
	EVIDENCE_PICKED,    /* the same change as another commit of the unit */
	EVIDENCE_STORIES,   /* it changes the story in prd.json */
	/* No reasons, but to be known: */
	EVIDENCE_SHARED,  /* other units lay claim to it, too */
	EVIDENCE_REVERTED /* a later commit says that it reverts it */
};
const char *evidence_level_name(enum evidence_level level); /* "certain" */
const char *evidence_role_name(enum evidence_role role);    /* "implementation" */
const char *evidence_kind_name(enum evidence_kind kind);    /* "recorded" */

/* ---- One unit ------------------------------------------------------------------------- */

struct evidence_reason {
	enum evidence_kind kind;
	enum evidence_level level;
	char *detail; /* a few words, without a full stop */
};
struct evidence_commit {
	char *oid, *subject;
	int64_t commit_time; /* seconds since 1970-01-01 UTC */
	enum evidence_level level;
	enum evidence_role role;
	bool merge;
	bool code;     /* it changes other files than documents of the workflow */
	bool empty;    /* it changes nothing */
	bool shared;   /* another unit, which is no part of this one and which it is no part of, has
			the same claim to it */
	bool reverted; /* a later commit says that it reverts it, and none that it brings it back */
	struct evidence_reason *reason; /* the strongest first */
	size_t reasons, reasons_alloc;
};
struct evidence_commits {
	struct unit unit;
	struct evidence_commit *item; /* newest first */
	size_t nr, alloc;
	size_t certain; /* how many of them are */
};
#define EVIDENCE_COMMITS_INIT \
	{                     \
		0             \
	}
void evidence_commits_release(struct evidence_commits *commits);
/* {"oid","subject","level","role","evidence":[{"kind","detail"}]} */
json_t *evidence_commit_to_json(const struct evidence_commit *commit) MUST_CHECK;

/* ---- All ------------------------------------------------------------------------------ */

struct evidence; /* see evidence-parts.h */

struct evidence_request {
	const struct repo *repo;
	const struct tracks *tracks;
	const char *rev;	 /* whose history: NULL is HEAD */
	const struct unit *only; /* nothing is going to be asked but this unit; NULL: any */
};
/* *ret is NULL where there is no commit yet. */
int evidence_read(struct evidence **ret, const struct evidence_request *request, struct error *err)
	MUST_CHECK;
void evidence_free(struct evidence *evidence);
CLEANUP_POINTER(struct evidence, evidence_free)

/* `evidence` may be NULL: then nothing is found. */
void evidence_find(struct evidence_commits *ret, const struct evidence *evidence,
		   const struct unit *unit);
/*
 * Places that documents were in before they were moved, or may have been in: folders, with '/' at the
 * end, and single files.
 */
const struct strvec *evidence_old_places(const struct evidence *evidence);
/*
 * Appends the commits that the unit's plan names, as it has them, that are not in the history, and of
 * whose task no work is known: nothing has taken their place.
 */
void evidence_add_unfound(struct strvec *ret, const struct evidence *evidence,
			  const struct unit *unit);
/*
 * Appends the ids of commits that the history has lost, that `oid` has taken the place of, and that
 * the unit's plan names: of a squash, what the unit has done of it.
 */
void evidence_add_lost(struct strvec *ret, const struct evidence *evidence, const char *oid,
		       const struct unit *unit);

#endif
