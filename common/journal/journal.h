/* SPDX-License-Identifier: MIT */
/*
 * journal: every changing command runs as an operation, written down before it acts.
 *
 * Use:    operation_begin() takes the repository's lock and writes the record;
 *         operation_record() adds what is needed to finish or undo it, before the step
 *         that makes it needed; operation_close() says how it ended. What was begun and
 *         not closed, by a process that is gone, journal_open() lists.
 * Place:  <common dir>/rollback/journal/<id>.json, written by write-fsync-rename, mode
 *         0600 in folders of 0700; the lock is <common dir>/rollback/lock. All linked
 *         worktrees share them. The empty <id>.open beside a record is there from before it
 *         is written until after it is closed, so that whoever looks for open ones need not
 *         read the others; one that stays behind does no harm.
 * Format: {"format":1, "id", "command", "pid", "host",
 *         "state":"open|done|failed|interrupted|discarded", "started_at", "finished_at",
 *         ...} and the members that commands record: flow/checkpoint.h has those of `git
 *         checkpoint`, flow/change.h those of runs that change a database.
 *         <common dir>/rollback/log has one line, a JSON object, for each that was closed.
 * Secrets: none go in; callers record names of environments, never connection strings.
 * The journal knows files and refs, not databases: what a database says about an open
 * operation is found out by the flows.
 */
#ifndef JOURNAL_JOURNAL_H
#define JOURNAL_JOURNAL_H

#include "base/compat.h"
#include "base/error.h"
#include "base/json.h"
#include "base/lockfile.h"
#include "base/strvec.h"

/* How an operation ends; what had changed nothing is discarded. */
enum operation_end { OPERATION_DONE, OPERATION_FAILED, OPERATION_INTERRUPTED, OPERATION_DISCARDED };

struct operation {
	/*
	 * 20260112T102030.123456Z-<4 hexadecimal digits>: sorts by time, and behind all others
	 * that there were when it was made under the lock, however the clock was set since.
	 */
	char *id;
	char *folder; /* of the journal */
	char *path;
	json_t *record;
	struct lockfile lock;
};
#define OPERATION_INIT                \
	{                             \
		.lock = LOCKFILE_INIT \
	}

enum operation_begun { OPERATION_BEGUN = 0, OPERATION_BUSY = 1 };

/* For operation.id, where it has to be known and there is no lock yet; free() it. */
char *operation_new_id(void) MUST_CHECK;
/* The time in an id, in microseconds since 1970; 0: it has not the shape of one. */
int64_t operation_time(const char *id);
/*
 * The lock and an id (unless there is one), before anything is written down: for what has to be planned under the
 * lock and belongs into the record from its first writing on. OPERATION_BUSY: as below.
 */
int operation_lock(struct operation *operation, const char *common_dir, const char *command,
		   char **ret_holder, struct error *err) MUST_CHECK;
/*
 * Writes the record; takes the lock first unless operation_lock() has. OPERATION_BUSY: another
 * command of the suite changes this repository; *ret_holder says which (free() it).
 * `common_dir` is the repository's. `members`, an object or NULL, goes into the record from
 * its first writing on: what tells whose operation it is.
 */
int operation_begin(struct operation *operation, const char *common_dir, const char *command,
		    json_t *members, char **ret_holder, struct error *err) MUST_CHECK;
/* Sets member `key` (takes the reference) and writes the record; a power cut leaves it old or new. */
int operation_record(struct operation *operation, const char *key, json_t *value, struct error *err)
	MUST_CHECK;
/* Writes the end, adds a line to the event log, and lets go of the lock. */
int operation_close(struct operation *operation, enum operation_end end, struct error *err)
	MUST_CHECK;
/* Lets go of everything and leaves the record as it is: open, when it was not closed. */
void operation_release(struct operation *operation);

/*
 * Operations that are open and have no living owner: an array of their records, oldest first.
 * `own_id` is the operation for which the caller has the lock: all others then have no owner.
 * NULL, without the lock: where another has it, the newest is taken for that one's.
 */
int journal_open(json_t **ret, const char *common_dir, const char *own_id, struct error *err)
	MUST_CHECK;
/* All operations: their ids, newest first; one record; all records, newest first. */
int journal_ids(struct strvec *ret, const char *common_dir, struct error *err) MUST_CHECK;
enum journal_found { JOURNAL_FOUND = 0, JOURNAL_MISSING = 1 };
int journal_read(json_t **ret, const char *common_dir, const char *id, struct error *err)
	MUST_CHECK;
int journal_list(json_t **ret, const char *common_dir, struct error *err) MUST_CHECK;
/* Is this its "state"? */
bool journal_is_state(const json_t *record, const char *state);
/* Closes the record of an operation that journal_open() listed. */
int journal_settle(const char *common_dir, const char *id, enum operation_end end,
		   struct error *err) MUST_CHECK;

#endif
