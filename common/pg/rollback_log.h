/* SPDX-License-Identifier: MIT */
/*
 * rollback_log: what a database knows of operations. All SQL on schema_rollback_log.
 *
 * One row for each migration that an operation applied or rolled back, in the same
 * transaction as the change itself. A script that runs outside a transaction gets its row
 * before it starts, in state "running", with the number of its statements that were begun
 * and done: what a crash leaves says how far it came.
 *
 * Owner:  the caller; the _release() functions free all.
 * Locks:  none; who changes it holds the database's lock (dblock.h).
 */
#ifndef PG_ROLLBACK_LOG_H
#define PG_ROLLBACK_LOG_H

#include "pg/ledger.h"

/* What is written. Strings are the caller's; NULL is SQL's NULL. */
struct log_record {
	const char *operation, *command;
	const char *version, *name;
	/* "up", "down" or "baseline"; "script" and "unscript" of a rollback script and its undo,
	   whose versions are no migration's (flow/rollback-script.h) */
	const char *direction;
	const char *who; /* "alice@example.com on host" */
	const char *git_commit;
	const char *up_checksum, *down_checksum;
	const char *up_tokens; /* digest over the up script's tokens */
	const char *up_sql, *down_sql;
	const char *fingerprint_before, *fingerprint_after;
	const char *objects; /* JSON array: what the up changed, with digests before and after */
	size_t statements;   /* of the script */
};

/* Add to a batch: the table where it is missing, not for PUBLIC ... */
void rollback_log_add_create(struct db_batch *batch, const struct ledger_place *place);
/* ... the row of a change that is complete with this transaction ... */
void rollback_log_add_done(struct db_batch *batch, const struct ledger_place *place,
			   const struct log_record *record);
/* ... or of a script that begins to run outside of one; */
void rollback_log_add_running(struct db_batch *batch, const struct ledger_place *place,
			      const struct log_record *record);
/* how far it came (counts of statements); */
void rollback_log_add_progress(struct db_batch *batch, const struct ledger_place *place,
			       const char *operation, const char *version, size_t begun,
			       size_t done);
/* its end: `state` is "done" or "undone" (an interrupted one was rolled back). */
void rollback_log_add_end(struct db_batch *batch, const struct ledger_place *place,
			  const char *operation, const char *version, const char *state,
			  const char *fingerprint_after, const char *objects);
/* or takes the row away again, of a script of which nothing was done. */
void rollback_log_add_forget(struct db_batch *batch, const struct ledger_place *place,
			     const char *operation, const char *version);

/* A script that runs outside a transaction and has not ended. */
struct log_unfinished {
	char *operation, *version, *name;
	bool down; /* the direction */
	size_t statements, begun, done;
	int64_t started_at;
	char *up_checksum, *down_checksum, *up_sql, *down_sql;
	char *fingerprint_before;
};
struct log_unfinished_list {
	struct log_unfinished *item; /* oldest first */
	size_t nr, alloc;
};
#define LOG_UNFINISHED_LIST_INIT \
	{                        \
		0                \
	}
int rollback_log_unfinished(struct log_unfinished_list *ret, const struct ledger_place *place,
			    struct db *db, struct error *err) MUST_CHECK;
/* The same in two halves, as of ledger_read(). */
void rollback_log_add_unfinished(struct db_batch *batch, const struct ledger_place *place);
void rollback_log_take_unfinished(struct log_unfinished_list *ret, const struct db_result *res);
void log_unfinished_list_release(struct log_unfinished_list *list);

/* How a migration was applied, by the newest row that is done of direction "up" or "baseline". */
struct log_applied {
	char *version;
	char *operation, *up_checksum, *down_checksum, *up_tokens, *up_sql, *down_sql;
	char *fingerprint_before, *fingerprint_after;
	char *objects; /* JSON text, or NULL */
	int64_t started_at;
};
struct log_applied_list {
	struct log_applied *item; /* sorted by version, bytewise */
	size_t nr, alloc;
};
#define LOG_APPLIED_LIST_INIT \
	{                     \
		0             \
	}
int rollback_log_applied(struct log_applied_list *ret, const struct ledger_place *place,
			 struct db *db, const char *const *versions, size_t nr, struct error *err)
	MUST_CHECK;
const struct log_applied *log_applied_find(const struct log_applied_list *list,
					   const char *version);
void log_applied_list_release(struct log_applied_list *list);

/* Is there a row of that operation? 1 yes, 0 no, -1 error. */
int rollback_log_has(const struct ledger_place *place, struct db *db, const char *operation,
		     struct error *err) MUST_CHECK;

enum log_row { LOG_ROW_NONE, LOG_ROW_RUNNING, LOG_ROW_ENDED };
/* What the log has of one migration in one operation. */
int rollback_log_row(enum log_row *ret, const struct ledger_place *place, struct db *db,
		     const char *operation, const char *version, struct error *err) MUST_CHECK;

#endif
