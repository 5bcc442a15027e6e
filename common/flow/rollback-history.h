/* SPDX-License-Identifier: MIT */
/*
 * rollback-history: the rollbacks and undos of databases that the journal of this repository knows,
 * and which of them can be undone; and what is kept of them no longer than wanted.
 */
#ifndef FLOW_ROLLBACK_HISTORY_H
#define FLOW_ROLLBACK_HISTORY_H

#include "base/error.h"
#include "base/json.h"
#include "base/strvec.h"
#include "pg/db.h"
#include "term/options.h"

/* Prints them, newest first. No database is asked. `database` is a name, or NULL for all. */
int rollback_history(const char *database, const struct common_options *common, struct error *err)
	MUST_CHECK;

/*
 * Is the operation undone by another of these records (journal_list())? The record of an undo has
 * "undoes", the operation; and where --merge did not restore all of its rows "left", {table: rows}:
 * then it is undone in part only, and can be undone again.
 */
bool rollback_is_undone(const json_t *records, const char *id);
/* "left" of the newest undo of it that left rows, or NULL. Belongs to the records. */
const json_t *rollback_left(const json_t *records, const char *id);
/* Is it the record of a rollback that undo can take back, if something was saved? */
bool rollback_is_rollback(const json_t *record);

/*
 * The ids of rollbacks that are older than so many days and not the newest of their database, nor
 * open. With `identity`, of the database that is about to have a newer one; or NULL.
 */
int rollback_history_find_old(struct strvec *ret, const char *common_dir, int64_t days,
			      const char *identity, struct error *err) MUST_CHECK;
/*
 * Removes what rollbacks saved that are older than so many days; never of the newest one of a
 * database, and of none that is open. What they kept in the database goes first; what is in another
 * database than `db` stays, with what belongs to it. Returns how many there were.
 */
int rollback_history_prune(size_t *ret, const char *common_dir, int64_t days, struct db *db,
			   struct error *err) MUST_CHECK;

#endif
