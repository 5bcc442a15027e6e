/* SPDX-License-Identifier: MIT */
/*
 * change: a run that changes a database, from the locks to the closed journal.
 *
 * Use:    change_begin() takes the repository's lock and the database's, and makes sure that
 *         ledger and log are still what the plan was made from. Then
 *         transactions: change_transaction(), statements of the caller's added to the same
 *         batch, change_run(), perhaps more, change_commit(). change_finish() closes
 *         the journal and lets go.
 * Journal: the record is written, and safe on disk, before anything becomes permanent, and not
 *         earlier: change_run() does it while the server works on the first statements. Who
 *         does more than that calls change_write_down() before.
 * Crash:  each transaction's last statement puts the operation's id into the database's log,
 *         so that the log tells what became of it: change_commit() asks when the answer to
 *         COMMIT is lost, settle_others() when we are.
 * Errors: -1 with `err` set; what others hold, or what changed meanwhile, is refused (2).
 */
/*
 * The record has, from its first writing on: "database", the environment's name; "identity",
 * the server's and database's own; "resumes", the operation whose interrupted script this goes
 * on with; "scripts", [{"version", "checksum", "tree"}], for which refs are made once it is
 * committed, and which is taken out then.
 */
#ifndef FLOW_CHANGE_H
#define FLOW_CHANGE_H

#include "flow/runner.h"
#include "flow/session.h"
#include "flow/verdict.h"

struct change {
	struct session *session;
	struct operation operation;
	bool written;	  /* the journal has the record */
	bool locked;	  /* the session holds the database's lock */
	bool begun;	  /* a transaction of this run is committed */
	bool reconnected; /* the lock went with the connection: nothing more may be begun */
	bool leave_open;  /* something is left that the next command has to do */
	char *who;	  /* "alice@example.com on host" */
	char *git_commit; /* HEAD, or NULL */
	char *signature; /* session_signature() as it has to be now; not of a plan made under the lock */
	char *uncommitted; /* version: its transaction has run, and its COMMIT was put off */
	size_t commits;	   /* transactions of this run that are committed */
	bool own_failure;  /* what change_run() failed with is no statement of the caller's */
	json_t *members;   /* of the record, but for those of every operation */
	/*
	 * The caller's, or NULL: called once, before the record is written, for what takes its
	 * time and adds members to it.
	 */
	int (*prepare)(void *data, json_t *members, struct error *err);
	void *prepare_data;
};
#define CHANGE_INIT                         \
	{                                   \
		.operation = OPERATION_INIT \
	}

/*
 * Before the plan: a script that runs outside a transaction is in the log from its start, so
 * what looks interrupted may be running. With --wait this waits for its end and reads ledger
 * and log again; without, it is refused with who runs it.
 */
int change_await(struct session *s, struct error *err) MUST_CHECK;

/*
 * PostgreSQL's lock table is fixed when the server starts: warns where one transaction of so
 * many statements may run out of it.
 */
int change_check_lock_table(struct session *s, size_t statements, struct verdict *verdict,
			    struct error *err) MUST_CHECK;

/*
 * `outside`: some script runs outside a transaction, so the lock must be the session's.
 * `members` (an object, or NULL) goes into the journal's record, from its first writing on.
 */
int change_begin(struct change *change, struct session *s, bool outside, json_t *members,
		 struct error *err) MUST_CHECK;
/* Writes the record, if it is not yet written. */
int change_write_down(struct change *change, struct error *err) MUST_CHECK;
/* The tracking tables, in a transaction of their own, where they are missing. */
int change_create_tables(struct change *change, struct error *err) MUST_CHECK;
/*
 * Adds BEGIN to an empty batch, so that it costs no round trip of its own. Behind a pooler
 * it begins at once, takes the transaction's lock, and looks at the ledger once more.
 */
int change_transaction(struct change *change, struct db_batch *batch, struct error *err) MUST_CHECK;
/* BEGIN, alone, where something has to come before the scripts. */
int change_open(struct change *change, struct error *err) MUST_CHECK;
/* Runs the batch that begins a transaction. On failure the transaction is rolled back. */
int change_run(struct change *change, struct db_batch *batch, size_t *ret_failed, struct error *err)
	MUST_CHECK;

/* The row of the database's log that is there once a transaction is committed. */
struct change_witness {
	const char *operation, *version;
	bool running; /* the row of a script that only begins */
};

enum change_commit_result { CHANGE_COMMITTED = 0, CHANGE_COMMITTED_LOST = 1 };
/*
 * COMMIT. When the connection is lost on the way the database is asked what became of it:
 * CHANGE_COMMITTED_LOST is committed on a connection that was made anew (and holds no lock);
 * rolled back is an error. `what` is for messages.
 */
int change_commit(struct change *change, const char *what, const struct change_witness *witness,
		  struct error *err) MUST_CHECK;
/*
 * The same for migration `version`, whose record has this operation's id, put off where that
 * is possible: COMMIT then goes along with the next transaction's BEGIN, and saves a round
 * trip. change_flush() makes up for it. `commits` counts what is committed by now.
 */
int change_commit_soon(struct change *change, const char *version, struct error *err) MUST_CHECK;
int change_flush(struct change *change, struct error *err) MUST_CHECK;

/*
 * Ends the operation, `good` (discarded, where nothing was committed) or with what it failed
 * with, and lets go of the locks; `err` may be empty for what is not good. One whose outcome is
 * not known, since the connection is lost, or of which something is left to do, stays open: the
 * next command settles it.
 */
void change_finish(struct change *change, bool good, const struct error *err);
void change_release(struct change *change);

#endif
