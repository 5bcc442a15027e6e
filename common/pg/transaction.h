/* SPDX-License-Identifier: MIT */
/*
 * transaction: how every transaction of the suite begins, and how scripts are kept apart.
 *
 * The settings are the session's from its start (struct db's `settings`), or else, so that
 * nothing stays behind on a connection that a pooler hands on, SET LOCAL in each
 * transaction. They are: lock_timeout and statement_timeout as configured; and, so that a
 * client that died does not keep its locks, idle_in_transaction_session_timeout and (from
 * PostgreSQL 14) client_connection_check_interval.
 *
 * COMMIT is never sent together with what it commits, only once all of that has come back
 * as good: a transaction sent with its COMMIT commits even when the client is dead by then.
 * It may be sent together with the transaction that comes next.
 */
#ifndef PG_TRANSACTION_H
#define PG_TRANSACTION_H

#include "pg/db.h"

/* Adds BEGIN and the settings to a batch. READ COMMITTED, whatever the default is. */
void transaction_add_begin(struct db_batch *batch, const struct db *db);
/* Adds COMMIT, in front of the next transaction's BEGIN. */
void transaction_add_commit(struct db_batch *batch);
/*
 * Adds what takes back a script's SET, SET ROLE and SET SESSION AUTHORIZATION, and its
 * temporary objects and cursors. What it has prepared (PREPARE) stays.
 */
void transaction_add_reset(struct db_batch *batch, const struct db *db);
/* Takes away what a script has prepared: no savepoint does. */
int transaction_deallocate(struct db *db, struct error *err) MUST_CHECK;
/* Makes the same settings for the session: for scripts that run outside a transaction. */
int transaction_set_session(struct db *db, struct error *err) MUST_CHECK;
/* Takes back what a script that ran outside a transaction has set in the session. */
int transaction_reset_session(struct db *db, struct error *err) MUST_CHECK;

/*
 * What a COMMIT would find: checks the deferred constraints, in the open transaction, and
 * then leaves it with none waiting and each deferred or not as it was made, as a COMMIT
 * does. For a rehearsal, which runs in one transaction what will be several.
 */
int transaction_check_deferred(struct db *db, struct error *err) MUST_CHECK;

/*
 * Begins a transaction that sees one state of the database and changes nothing, and exports that
 * state: *ret_snapshot is for others' SET TRANSACTION SNAPSHOT while it stays open; free() it.
 */
int transaction_begin_snapshot(char **ret_snapshot, struct db *db, struct error *err) MUST_CHECK;

enum transaction_outcome { TRANSACTION_COMMITTED = 0, TRANSACTION_UNKNOWN = 1 };
/*
 * Commits. TRANSACTION_UNKNOWN: the connection was lost while COMMIT was on its way, with
 * `err` set; only the server knows.
 */
int transaction_commit(struct db *db, struct error *err) MUST_CHECK;

#endif
