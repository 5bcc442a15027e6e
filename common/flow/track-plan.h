/* SPDX-License-Identifier: MIT */
/*
 * track-plan: reverting a unit of work (track, phase, task, story), as plan, show, execute.
 *
 * What belongs to the unit is known by evidence (evidence.h); the reverts are worked out in memory
 * and carried out by revert-run.h; documents are edited by meaning (track-documents.h); migrations
 * are looked at, and no database is changed (track-migrations.h).
 *
 * Use:    track_plan() finds all out and touches nothing; track_plan_show() prints that;
 *         track_plan_execute() carries it out; track_report() says what came of it.
 * Owner:  the caller; track_plan_release(). The plan borrows from session and request.
 * Files:  track-select.c chooses the commits (track-split.h, track-reset.h), track-plan.c does the rest of the plan,
 *         track-plan-show.c shows it, track-plan-execute.c carries it out.
 */
#ifndef FLOW_TRACK_PLAN_H
#define FLOW_TRACK_PLAN_H

#include "flow/checkpoint.h"
#include "flow/commit-units.h"
#include "flow/evidence.h"
#include "flow/file-kind.h"
#include "flow/revert-run.h"
#include "flow/track-dependents.h"
#include "flow/track-documents.h"
#include "flow/track-forward-fix.h"
#include "flow/track-mentions.h"
#include "flow/track-migrations.h"
#include "flow/verdict.h"

/* Of so many conflicts it is looked for who is in the way. */
#define TRACK_CAUSES_MAX 100

enum track_strategy { TRACK_REVERT, TRACK_RESET };

struct track_plan_request {
	struct unit_words words;
	int strategy; /* enum track_strategy */
	bool squash, with_dependents, split, forward_fix;
	struct strvec also, except; /* revisions */
	struct strvec databases;    /* none: all that are configured */
	int documents;		    /* enum track_documents_mode */
	int level;		    /* enum evidence_level: of the commits, at least */
	const char *reason;	    /* -m; or NULL */
};
#define TRACK_PLAN_REQUEST_INIT            \
	{                                  \
		.level = EVIDENCE_CERTAIN, \
	}
void track_plan_request_release(struct track_plan_request *request);

/* A commit that is to be reverted. */
struct track_commit {
	char *oid, *subject;
	bool merge;
	unsigned mainline;			/* of a merge that is reverted as one; else 0 */
	const struct evidence_commit *evidence; /* NULL: it was named by --also alone */
};

/* What becomes of it. */
enum track_result {
	TRACK_READY,	   /* there is something to do */
	TRACK_DONE_ALREADY /* all of it is reverted, and no document says otherwise */
};

struct track_plan {
	const struct checkpoint_session *session;
	const struct track_plan_request *request;
	enum track_result result;
	struct verdict verdict;

	struct tracks tracks; /* of HEAD; where that has none, of the worktree */
	bool untracked;	      /* so it is: the documents are no part of the history */
	bool guessed;	      /* a story that no list has: only commits tell of it */
	struct evidence *evidence;
	struct unit unit;
	struct units units;		/* that one, and the dependents that are reverted with it */
	struct evidence_commits *found; /* of each of the units */
	size_t found_alloc;
	struct track_commit *commit; /* newest first */
	size_t nr, alloc;
	struct strvec also, except; /* full ids of what --also and --except name */
	struct strvec done_already; /* full ids of what would conflict, and is reverted already */
	struct strvec passed_over;  /* merges whose commits are reverted one by one; full ids */
	struct commit_units owners;

	struct revert_commit *wanted_commit; /* of these, without those that only documents tell of */
	size_t wanted_nr;
	char *reset_to; /* --strategy=reset: the commit that the branch goes back to */
	struct strvec keep, trailers;
	struct strvec split_off; /* --split: files of shared commits that are other units' */
	char *squash_subject, *documents_subject;
	json_t *members;
	struct track_documents documents;
	struct track_forward_fixes fixes;
	struct revert_document *document; /* documents and fixes, as the run wants them */
	size_t document_nr;
	struct revert_run_request wanted;
	struct revert_run run;

	struct file_kinds kinds;
	struct tree_changes
		touched;	  /* run.series.total, and what would be in conflict: as reverted */
	struct track_file *files; /* one for each of touched */
	size_t files_nr;
	struct track_migrations migrations;
	struct track_mentions mentions;
	struct track_dependents dependents;
	char *operation; /* id, once carried out; NULL: there was nothing to do */
};
#define TRACK_PLAN_INIT                \
	{                              \
		.run = REVERT_RUN_INIT \
	}

/*
 * EXIT_NO: the unit is not found, or not one alone: that was said. -1: also where it has no commits
 * (EXIT_NO).
 */
int track_plan(struct track_plan *ret, const struct checkpoint_session *session,
	       const struct track_plan_request *request, struct error *err) MUST_CHECK;
void track_plan_release(struct track_plan *plan);
/* The tracks of HEAD, or, where it has none, of the worktree. */
int track_read(struct tracks *ret, bool *ret_untracked, const struct checkpoint_session *session,
	       struct error *err) MUST_CHECK;

/*
 * track-select.c: the unit's commits, and those of `units` behind it, in the order to revert them.
 * May be called again once more units have been added.
 */
int track_select(struct track_plan *plan, struct error *err) MUST_CHECK;
/* Is the commit (full id) among those, be it as one of a merge? */
bool track_plan_has(const struct track_plan *plan, const char *oid);

/* track-plan-show.c */
/* The step that reverts this commit; NULL: it is not reverted as text; see wanted_commit. */
const struct revert_step *track_plan_step(const struct track_plan *plan, const char *oid);
void track_plan_text(struct strbuf *out, const struct track_plan *plan, bool verbose);
json_t *track_plan_to_json(const struct track_plan *plan) MUST_CHECK;
/* To stdout with --dry-run; else to stderr, for whoever is asked. */
void track_plan_show(const struct track_plan *plan);
/* "track 'auth', phase 2 'API'"; free() it. */
char *track_unit_text(const struct track_plan *plan) MUST_CHECK;

/*
 * track-plan-execute.c: hooks, the run, verification and the report. EXIT_DONE; EXIT_NO: it stopped
 * at a conflict, or verification failed; or -1.
 */
int track_plan_execute(struct track_plan *plan, struct error *err) MUST_CHECK;
/* For one that was not carried out: with --json prints what became of it. */
void track_plan_refused(const struct track_plan *plan, const struct error *failure);
/*
 * Says on stderr what each side of a conflict is, and what to look at.
 */
void track_conflict_explain(const struct revert_run *run, const struct file_kinds *kinds,
			    const struct commit_units *owners, const struct tracks *tracks);
/* The commands that a person still has to run, to stdout. */
void track_print_by_hand(const struct strvec *commands);

#endif
