/* SPDX-License-Identifier: MIT */
/*
 * rollback: rolling applied migrations back, as plan, show, execute.
 *
 * Use:    rollback_plan() finds the targets and all their down scripts, parses them, and
 *         touches nothing; rollback_show() prints that; rollback_execute() carries that
 *         very value out; rollback_report() prints what came of it.
 * Order:  newest applied first. All in one transaction with their records, all or nothing;
 *         a script that cannot run in one makes groups of those before and behind it.
 * Owner:  the caller; rollback_plan_release(). The plan borrows from the session.
 * Files:  rollback-plan.c, rollback-show.c, rollback-execute.c (rollback-run.h).
 */
#ifndef FLOW_ROLLBACK_H
#define FLOW_ROLLBACK_H

#include "flow/checklist.h"
#include "flow/impact.h"
#include "flow/keep.h"
#include "flow/proof.h"
#include "flow/rehearsed.h"
#include "flow/rollback-record.h"
#include "flow/session.h"
#include "flow/verdict.h"
#include "migration/down.h"
#include "sql/script.h"

enum rollback_mode {
	ROLLBACK_NAMED, /* the operands, each alone */
	ROLLBACK_TO,	/* what came after a version, which stays */
	ROLLBACK_LAST,	/* the n applied last */
	ROLLBACK_ALL,
	ROLLBACK_TO_COMMIT, /* what the commit's tree does not have */
	ROLLBACK_SCRIPT,    /* none: runs a script of the user's, rollback-script.h */
	ROLLBACK_UNDO,	    /* takes a rollback back: rollback-undo.h */
	ROLLBACK_LOG,	    /* lists them: rollback-history.h */
	ROLLBACK_FIX,	    /* writes a migration instead: forward-fix.h */
	ROLLBACK_PLANNED    /* what a file says: rollback-planfile.h */
};

struct rollback_request {
	int mode; /* enum rollback_mode */
	const char *to, *commit;
	long last;
	const char **operand;
	size_t operands;
	const char *database;
	const char *script, *expect; /* paths; the label of a snapshot, or NULL */
	const char *undo;	     /* the operation; NULL: the last one */
	const char *fix;	     /* version */
	const char *plan, *plan_out; /* paths of files with a plan, or NULL */
	bool merge;		     /* undo: rows that were written since stay */
	bool rehearse, no_proof, accept_difference, recorded_down, force;
	bool no_snapshot, no_save; /* of the schema; of rows */
	bool keep;		   /* tables that can be are moved, and not dropped: keep.h */
	bool binary;		   /* rows are saved in COPY's binary format */
	int64_t started;	   /* clock_monotonic() when the command was given; 0: not known */
	struct common_options common;
};
#define ROLLBACK_REQUEST_INIT                 \
	{                                     \
		.common = COMMON_OPTIONS_INIT \
	}

struct rollback_step {
	const struct ledger_entry *applied;	 /* what the ledger says, or would say */
	const struct log_applied *log;		 /* or NULL */
	const struct log_unfinished *unfinished; /* it was interrupted, up or down; or NULL */
	struct down *down; /* in plan.search; NULL when it goes on from the log */
	struct sql_script script;
	bool restart; /* an interrupted rollback that starts anew, with another script (--force) */
	bool ran;     /* its script has ended */
	bool done;    /* and that stays; in a rehearsal: would have */
	int64_t microseconds;
};

struct rollback_script;

struct rollback_plan {
	struct session *session;
	const struct rollback_request *request;
	struct rollback_step *step; /* in the order of execution */
	size_t nr, alloc;
	struct down_search search;
	struct log_applied_list log;
	struct ledger_entry interrupted; /* stands in for the ledger's row of one that has none */
	struct log_applied interrupted_log; /* and for the log's */
	struct rollback_script *script;	    /* the only step is this one; NULL: migrations */
	struct verdict verdict;
	bool outside;	      /* some step runs outside a transaction */
	bool destroys;	      /* rows go, or it cannot be known */
	bool has_impact;      /* it was read: rollback_wants_impact() */
	struct impact impact; /* of the steps' scripts: script i is step[i]'s */
	struct keep keep;     /* with --keep: of the impact's tables */
	int count_limit;      /* milliseconds that rows may be counted */
	struct checklist checklist;
	struct proof proof;
	struct rehearsed rehearsed;    /* with --rehearse, once executed */
	struct rollback_record record; /* once executed */
	char *operation;	       /* id, once executed */
	json_t *saved;		       /* save_to_json(), once executed; or NULL */
	/* Of a run that has failed, for rollback_take_back(): */
	const struct rollback_step *stopped; /* its script broke off outside a transaction */
	bool undoable;			     /* all that an undo needs is saved */
	char *taken_back;		     /* by this operation; or NULL */
};
#define ROLLBACK_PLAN_INIT                                       \
	{                                                        \
		.proof = PROOF_INIT, .rehearsed = REHEARSED_INIT \
	}

enum rollback_outcome {
	ROLLBACK_DONE,
	ROLLBACK_UNPROVEN, /* the proof failed; what ran in a transaction was undone */
	ROLLBACK_FAILED,
	ROLLBACK_REFUSED /* by the plan's verdict: nothing was begun */
};

/*
 * For a run that has failed after something of it was committed: takes that back, by an undo of its
 * own that asks and prints nothing. `err` says why it failed, and afterwards also what came of this: all
 * is what it was before, or what stays, and what is to be done next. What a signal ended, and what
 * saved no rows or no schema, stays. rollback-take-back.c.
 */
void rollback_take_back(struct rollback_plan *plan, struct error *err);
/* Of one that has failed: is anything of it committed? */
bool rollback_stays(const struct rollback_plan *plan) MUST_CHECK;

/* The ledger's entry of a version; where it has none it is refused, with what is near. */
int rollback_find_applied(const struct ledger_entry **ret, const struct session *s,
			  const char *version, struct error *err) MUST_CHECK;

int rollback_plan(struct rollback_plan *ret, struct session *s,
		  const struct rollback_request *request, struct error *err) MUST_CHECK;
void rollback_plan_release(struct rollback_plan *plan);
/*
 * Does anybody look at what would be destroyed, or save it? It takes some queries: not where
 * nothing is shown, nobody is asked, and nothing is saved.
 */
bool rollback_wants_impact(const struct rollback_plan *plan);
/* In milliseconds, how long rows may be counted: migrations.countLimit. */
int rollback_count_limit(int *ret, const struct session *s, struct error *err) MUST_CHECK;

/* The version that is applied last, now that the steps that are done are; NULL: none. */
const char *rollback_reached(const struct rollback_plan *plan);

/* The plan for people, as the question shows it. */
void rollback_text(struct strbuf *out, const struct rollback_plan *plan);
json_t *rollback_to_json(const struct rollback_plan *plan, bool executed) MUST_CHECK;
/* To stdout with --dry-run; else to stderr, for whoever is asked. */
void rollback_show(const struct rollback_plan *plan);

/* What came of it, as --json and the hook post-rollback have it. `failure` may be NULL. */
json_t *rollback_outcome_to_json(const struct rollback_plan *plan, enum rollback_outcome outcome,
				 const struct error *failure) MUST_CHECK;

enum rollback_outcome rollback_execute(struct rollback_plan *plan, struct error *err) MUST_CHECK;
/* `failure` is NULL when nothing failed. */
void rollback_report(const struct rollback_plan *plan, enum rollback_outcome outcome,
		     const struct error *failure);

#endif
