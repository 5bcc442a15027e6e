/* SPDX-License-Identifier: MIT */
/*
 * dblock: one changing run per database, by advisory lock.
 *
 * The key is the same for every user of the suite on a database. On a connection of our
 * own the lock belongs to the session and is held for the whole run. Behind a pooler a
 * session lock would stay with a backend that others get next, so there each transaction
 * takes it for itself (dblock_try_transaction()), and who needs a session lock all the same
 * (scripts that run outside a transaction) calls dblock_take_pooled(), which refuses a
 * pooler that changes the backend.
 *
 * It is polled, never waited for in the server: a session that waits for an advisory lock
 * has a snapshot, and CREATE INDEX CONCURRENTLY waits for that snapshot.
 */
#ifndef PG_DBLOCK_H
#define PG_DBLOCK_H

#include "pg/db.h"

/* wait_seconds: 0 does not wait, negative waits for ever. */
typedef void dblock_waiting_fn(void *data, const char *holder);

enum dblock_result { DBLOCK_HELD = 0, DBLOCK_BUSY = 1 };

/*
 * DBLOCK_BUSY: *ret_holder (free() it) says who has it: pid, application name, start. While
 * it waits, `waiting` is called once with the same text.
 */
int dblock_take(struct db *db, int wait_seconds, dblock_waiting_fn *waiting, void *data,
		char **ret_holder, struct error *err) MUST_CHECK;
/* As dblock_take(), through a pooler; `probe` connects a second time, to see what it does. */
int dblock_take_pooled(struct db *db, struct db *probe, int wait_seconds,
		       dblock_waiting_fn *waiting, void *data, char **ret_holder, struct error *err)
	MUST_CHECK;
void dblock_release(struct db *db);
/* The same in two halves, so that something else can be done meanwhile: `batch` is empty at first. */
void dblock_release_start(struct db_batch *batch, struct db *db);
void dblock_release_finish(struct db_batch *batch, struct db *db);
/*
 * Adds one attempt to take it for the session: dblock_is_taken() of the command's result. Behind a
 * pooler none is made: it would stay with the server process.
 */
void dblock_add_try(struct db_batch *batch, const struct db *db);
bool dblock_is_taken(const struct db_result *res);

/* Tries once, for this transaction: DBLOCK_HELD or DBLOCK_BUSY. */
int dblock_try_transaction(struct db *db, char **ret_holder, struct error *err) MUST_CHECK;

/* Who else holds it now: text to free(), or NULL when nobody does. */
int dblock_holder(char **ret_holder, struct db *db, struct error *err) MUST_CHECK;
/* Does another session of that application name hold it, and is in a transaction now? */
int dblock_is_used_by(bool *ret, struct db *db, const char *application, struct error *err)
	MUST_CHECK;

#endif
