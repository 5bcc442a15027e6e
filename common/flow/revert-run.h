/* SPDX-License-Identifier: MIT */
/*
 * revert-run: a series of reverts carried out, as plan and execute; and what comes after a
 * conflict: continue, skip, abort, quit.
 *
 * Whoever wants commits reverted says which, newest first, and what else goes into the messages;
 * what the commits belong to is not known here.
 *
 * Clean:  the commits are made, the present state is kept as the operation's safety snapshot,
 *         then files, index and branch move once. Local changes to other files stay, staged ones
 *         too; where one is in the way, nothing is done.
 * Conflict: the steps before are committed; then files, index and git's own state (REVERT_HEAD,
 *         MERGE_MSG) are what `git revert` leaves when it stops, and the rest of the series
 *         waits in the journal. Where the conflict is resolved by `git revert --continue` or
 *         `git commit`, revert_continue() goes on with the rest all the same.
 * Squash: one commit for all. After a conflict the commits are made one by one, and become one
 *         at the end of the series.
 * Undo:   `git checkpoint undo` takes back all of a series at once, exactly; one of its operations
 *         only where that is named. revert_abort() goes back as `git revert --abort` does: what
 *         has nothing to do with the series stays. What broke off is undone by itself.
 * Hooks:  as in `git revert`: prepare-commit-msg for each commit, with "message", and before
 *         anything has moved; reference-transaction; post-commit, once, when all has moved; not
 *         post-index-change. What is resolved git commits, with all of its hooks.
 * Files:  revert-run-plan.c, -message.c, -commits.c, -stop.c (the conflict), -operation.c (journal,
 *         safety snapshot), -execute.c, -waiting.c (where a series is that waits), -series.c and
 *         -markers.c (what comes after).
 */
/*
 * The record of an operation "revert-track": what flow/checkpoint.h has for a restore ("worktree",
 * "refs", "kept", "safety", "safety_made", "locked_at"; "branch" where git commits), and
 *
 *   "series"    the id of the series' first operation
 *   "revert"    all that was asked for: {"onto", "branch" (null: HEAD was detached), "commits":
 *               [{"commit","mainline"}], "keep", "trailers", "reason", "squash", "squash_subject",
 *               "documents": [{"path", "text"}], "documents_subject", "members"}; and "left_out",
 *               ids of those that stay as they are, by --skip or as their conflict was resolved
 *   "position"  how many of the commits are done with, when this operation is
 *   "head"      what HEAD is then
 *   "waits"     true: there is more to do behind it
 *   "stopped"   the commit whose revert is in conflict, when this operation is done
 *   "conflicts" paths of the files that are in conflict then
 *   "ends"      the id of the operation behind which nothing was left to do; this one changed nothing
 */
#ifndef FLOW_REVERT_RUN_H
#define FLOW_REVERT_RUN_H

#include "flow/checkpoint.h"
#include "flow/verdict.h"
#include "vcs/revert.h"

/* A file's bytes as they are to be, in the commit that updates the documents. */
struct revert_document {
	const char *path; /* from the top of the worktree; among `keep` */
	const char *data; /* no NUL in it; NULL: the file is removed */
};

struct revert_run_request {
	const struct revert_commit *commit; /* newest first */
	size_t nr;
	const struct strvec *keep;     /* as struct revert_request has it; or NULL */
	const struct strvec *trailers; /* "Reverts-Track: auth"; of all commits; or NULL */
	const char *reason;	       /* a paragraph of all messages; or NULL */
	bool squash;
	const char *squash_subject; /* NULL: made of the commits' */
	const struct revert_document *document;
	size_t documents;
	const char *documents_subject; /* of their commit; with `squash` they are in the one */
	/*
	 * The branch goes back to this commit (full id), and no commits are made; it is what the reverts
	 * come to: they are the newest ones, and there are no documents and nothing to keep. Or NULL.
	 */
	const char *reset_to;
	const json_t *members; /* an object that goes into the record, for the caller; or NULL */
	/*
	 * Called under the lock, before anything is changed: -1 refuses, for what the caller has seen
	 * elsewhere and is not so any more. Or NULL. Not in the record.
	 */
	int (*check)(void *data, struct error *err);
	void *check_data;
};

/* What is going to be done, and what it would destroy; nothing is touched. */
struct revert_run {
	const struct checkpoint_session *session;
	const struct revert_run_request *request;
	struct revert_series series; /* of the whole request, whether it conflicts or not */
	struct worktree_state state;
	char *head, *branch;	   /* branch: "refs/heads/main"; NULL: detached */
	size_t steps;		   /* that are going to be done with, up to a conflict */
	bool stops;		   /* at series.step[steps] */
	struct tree_changes moves; /* files as they are going to change at once, documents too */
	struct strvec
		in_the_way; /* paths of local changes; each is a reason of the verdict as well */
	struct verdict verdict;
	struct revert_run_inside *inside;
};
#define REVERT_RUN_INIT                                                     \
	{                                                                   \
		.series = REVERT_SERIES_INIT, .state = WORKTREE_STATE_INIT, \
	}
int revert_run_plan(struct revert_run *ret, const struct checkpoint_session *session,
		    const struct revert_run_request *request, struct error *err) MUST_CHECK;
/* Would no commit be made, and nothing change? */
bool revert_run_is_nothing(const struct revert_run *run);
void revert_run_release(struct revert_run *run);

enum revert_run_result {
	REVERT_RUN_DONE = 0,
	REVERT_RUN_STOPPED = 1 /* at a conflict: a person is needed */
};
/*
 * Takes the lock, plans again, and refuses where that came out otherwise; else carries it out.
 * Asks nothing, and prints nothing but what hooks say. -1: nothing was changed, or all was put
 * back, or the error says what to do.
 *
 * `run` is the second plan then, and `head` what HEAD is by now. *ret_operation, where it is not
 * NULL, is the operation's id (free() it); NULL: there was nothing to do.
 */
int revert_run_execute(struct revert_run *run, char **ret_operation, struct error *err) MUST_CHECK;

/* ---- A series that waits -------------------------------------------------------------- */

/*
 * What a series is known by, while it waits: the worktree, where $GIT_DIR/rollback-series names it
 * (one that git makes anew under the same name has no such file); the branch that HEAD was; and
 * HEAD, which is where the series' last operation has left it, or one commit further, that of
 * what was resolved.
 */

/*
 * The record of the operation of this worktree behind which a series waits; json_decref() it.
 * NULL: there is none.
 */
int revert_waiting(json_t **ret, const struct checkpoint_session *session, struct error *err)
	MUST_CHECK;

enum revert_place {
	REVERT_CONFLICTED, /* HEAD is where it stopped, and there are conflicts left */
	REVERT_RESOLVED,   /* there are none left, but it is still to be committed */
	REVERT_COMMITTED,  /* it is: HEAD is that commit, which says what it reverts */
	REVERT_DROPPED,	   /* HEAD is where it stopped, and git knows of no revert any more */
	REVERT_BETWEEN,	   /* it did not stop at a commit: what comes behind could not be done */
	REVERT_ELSEWHERE   /* what is there now is not the series' own: see `verdict` */
};
/* "conflict", "resolved", "committed", "dropped", "between", "elsewhere": stable. */
const char *revert_place_name(enum revert_place place);

/* Where the series of this record is; touches nothing. */
struct revert_present {
	enum revert_place place;
	bool stopped;		     /* git is at the revert that the series has stopped at */
	struct worktree_state state; /* HEAD and its branch, and more */
	struct strvec unmerged;	     /* paths, sorted */
	struct verdict verdict;	     /* REVERT_ELSEWHERE: why, and what to do about it */
};
#define REVERT_PRESENT_INIT                   \
	{                                     \
		.state = WORKTREE_STATE_INIT, \
	}
int revert_present_read(struct revert_present *ret, const struct checkpoint_session *session,
			const json_t *waiting, struct error *err) MUST_CHECK;
void revert_present_release(struct revert_present *present);

/* What came of going on. */
struct revert_ended {
	char *operation;	/* its id; NULL: nothing was left to do */
	struct strvec left_out; /* full ids of commits of the series that stay as they are, so far */
};
#define REVERT_ENDED_INIT \
	{                 \
		0         \
	}
void revert_ended_release(struct revert_ended *ended);
/*
 * Commits what is resolved, unless that was done, and goes on: returns as revert_run_execute(), or
 * -1 with EXIT_NO while there are conflicts left, or markers of one are staged that HEAD has not; what is elsewhere is refused. `ret` is the plan of
 * what came behind, for the caller to tell of; it is filled where there was anything.
 */
int revert_continue(struct revert_run *ret, const struct checkpoint_session *session,
		    struct revert_ended *ret_ended, struct error *err) MUST_CHECK;
/* Leaves the commit in conflict out, and goes on. */
int revert_skip(struct revert_run *ret, const struct checkpoint_session *session,
		struct revert_ended *ret_ended, struct error *err) MUST_CHECK;
/*
 * Branch, index and files go back to before the series, as `git revert --abort` does it: what is
 * staged or in conflict goes, edits and untracked files stay, and where an edit is in a file that
 * the series has changed, it is refused. It is an operation that undoes the series.
 */
int revert_abort(const struct checkpoint_session *session, struct error *err) MUST_CHECK;
/* The series is forgotten; files and commits stay as they are, whatever they are. */
int revert_quit(const struct checkpoint_session *session, struct error *err) MUST_CHECK;

#endif
