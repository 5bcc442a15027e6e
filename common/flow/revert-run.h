/* SPDX-License-Identifier: MIT */
/*
 * revert-run: a series of reverts carried out, as plan and execute; and what comes after a
 * conflict: continue, skip, abort, quit.
 *
 * Whoever wants commits reverted says which, newest first, and what else goes into the messages;
 * what the commits belong to is not known here.
 *
 * Clean:  the commits are made, the present state is kept as the operation's safety snapshot,
 *         then files, index and branch move once. Local changes to other files stay.
 * Conflict: the steps before are committed; then files, index and git's own state (REVERT_HEAD,
 *         MERGE_MSG) are what `git revert` leaves when it stops, and the rest of the series
 *         waits in the journal. After `git revert --continue` or `git commit` the rest can be
 *         gone on with all the same.
 * Undo:   `git checkpoint undo` takes back the last of these operations; revert_abort() all of
 *         a series. What broke off is undone in the same way.
 * Hooks:  prepare-commit-msg for each commit, with "message", as in `git revert`; post-commit
 *         once, when the branch has moved. After a conflict git commits, with all of its hooks.
 */
/*
 * The record of the operation "revert-track": what flow/checkpoint.h has for a restore ("worktree",
 * "refs", "kept", "safety", "safety_made", "locked_at"), and
 *
 *   "series"    the id of the series' first operation
 *   "revert"    what is asked for in all, from the first operation on: {"onto", "commits":
 *               [{"commit","mainline"}], "trailers", "reason", "squash", ...}
 *   "position"  how many of the commits are done with, when this operation is
 *   "stopped"   true: it ends in a conflict at the commit behind
 */
#ifndef FLOW_REVERT_RUN_H
#define FLOW_REVERT_RUN_H

#include "flow/checkpoint.h"
#include "flow/verdict.h"
#include "vcs/revert.h"

/* A file's bytes as they are to be, in the commit that updates the documents. */
struct revert_document {
	const char *path; /* from the top of the worktree */
	const void *data; /* NULL: the file is removed */
	size_t len;
};

struct revert_run_request {
	const struct revert_commit *commit; /* newest first */
	size_t nr;
	const struct strvec *keep;     /* as struct revert_request has it */
	const struct strvec *trailers; /* "Reverts-Track: auth"; of all commits; or NULL */
	const char *reason;	       /* a paragraph of all messages; or NULL */
	bool squash;
	const char *squash_subject;		/* NULL: made of the commits' */
	const struct revert_document *document; /* nr 0: no documents */
	size_t documents;
	const char *documents_subject; /* of their commit; with `squash` they are in the one */
	const json_t *members; /* goes into the record: what the caller wants back; or NULL */
};

/* What is going to be done, and what it would destroy; nothing is touched. */
struct revert_run {
	const struct checkpoint_session *session;
	const struct revert_run_request *request;
	struct revert_series series;
	struct worktree_state state;
	char *head, *branch;	/* branch: "refs/heads/main"; NULL: detached */
	struct verdict verdict; /* refused: local changes in the way, each named; no commit; ... */
	struct strvec in_the_way;
	bool commits; /* false: nothing is left to do */
	struct revert_run_inside *inside;
};
#define REVERT_RUN_INIT                                                    \
	{                                                                  \
		.series = REVERT_SERIES_INIT, .state = WORKTREE_STATE_INIT \
	}
int revert_run_plan(struct revert_run *ret, const struct checkpoint_session *session,
		    const struct revert_run_request *request, struct error *err) MUST_CHECK;
void revert_run_release(struct revert_run *run);
/*
 * Takes the lock, plans again, and refuses where that came out otherwise; else carries it out.
 * Asks nothing, prints nothing but what hooks say. EXIT_DONE, or EXIT_NO: it stopped at a
 * conflict. `run` says what became of it: `head` is the new one. -1: nothing was changed, or all
 * was put back, or the error says what to do.
 */
int revert_run_execute(struct revert_run *run, struct error *err) MUST_CHECK;

/* ---- A series that waits -------------------------------------------------------------- */

/* The operation that stopped, of this worktree; free by json_decref(). *ret NULL: there is none. */
int revert_waiting(json_t **ret, const struct checkpoint_session *session, struct error *err)
	MUST_CHECK;
/* As revert_run_execute(). */
int revert_continue(const struct checkpoint_session *session, struct error *err) MUST_CHECK;
int revert_skip(const struct checkpoint_session *session, struct error *err) MUST_CHECK;
/* All is again as it was before the series. */
int revert_abort(struct checkpoint_session *session, struct error *err) MUST_CHECK;
/* The series is forgotten; files and commits stay as they are. */
int revert_quit(const struct checkpoint_session *session, struct error *err) MUST_CHECK;

#endif
