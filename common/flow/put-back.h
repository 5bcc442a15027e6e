/* SPDX-License-Identifier: MIT */
/*
 * put-back: saved rows (flow/save.h) back into their tables, in the open transaction.
 *
 * A table that was saved as a whole is emptied and filled: whoever calls has seen to it that what
 * is in it now may go. Of one of which columns were saved the values go into the rows that have
 * the keys; where they cannot be changed row by row (an identity, a unique index) the table
 * is emptied and filled again. Triggers and rules of the user's and checks that are NOT VALID are off
 * meanwhile, as they were not when the rows were written; foreign keys of and to filled tables
 * are dropped and made anew, which checks them.
 *
 * Use:    put_back_add() for each part, put_back_begin(), put_back_rows() for each part,
 *         put_back_end(). All with save_settings(), and with no deferred constraint waiting.
 * Kept:   of a part that has "kept", the name of a table (flow/keep.h), the rows come from there.
 * Hold:   where a script cannot be run on the rows that are there, a column that is NOT NULL say,
 *         put_back_hold() empties the tables before; their rows come from what `holder` saved.
 * Proof:  what is in the table is read again, and has to have the digest that was saved.
 * Files:  put-back.c, -rows.c, -sequence.c.
 * Errors: -1 with `err` set; EXIT_NO where the rows do not fit what is there now.
 */
#ifndef FLOW_PUT_BACK_H
#define FLOW_PUT_BACK_H

#include "flow/save.h"

struct put_back {
	struct session *session;
	struct saved *saved;
	struct saved *holder; /* has the rows of tables that are held */
	struct relation_foreign_keys keys, held_keys;
	struct strvec enable; /* statements that bring the triggers back */
	uint32_t *oid;
	size_t nr, alloc;
	char *sequences;       /* OIDs, as an array's text: put_back_note() */
	char *old_keys;	       /* the same of foreign keys */
	struct strvec further; /* lines: sequences of which more was used than was saved */
	struct progress progress;
	uint64_t rows; /* put back by now */
	int meter;
};
#define PUT_BACK_INIT                                                                        \
	{                                                                                    \
		.keys = RELATION_FOREIGN_KEYS_INIT, .held_keys = RELATION_FOREIGN_KEYS_INIT, \
		.progress = PROGRESS_INIT,                                                   \
	}

/* The tables' rows go, and their foreign keys until put_back_end(). What it did before is forgotten. */
int put_back_hold(struct put_back *back, const uint32_t *oid, const char *const *table, size_t nr,
		  struct error *err) MUST_CHECK;

/* How one part is put back. */
struct put_back_how {
	bool merged; /* of a whole one: what is there stays, and missing rows are put back */
	const json_t
		*held; /* the part of `holder` with all rows, which are not in the table; or NULL */
	bool again;    /* of columns: the table is emptied and filled; put_back_add() decides */
};
/* `part` is one of kind "rows"; its table has to be there. */
int put_back_add(struct put_back *back, const json_t *part, struct put_back_how *how,
		 struct error *err) MUST_CHECK;
int put_back_begin(struct put_back *back, struct error *err) MUST_CHECK;

/* What came of one part. */
struct put_back_result {
	int64_t rows;	 /* that are in place */
	int64_t missing; /* keys that are gone since: their values have no row to go to */
	int64_t newer;	 /* rows that came since */
	/* With merge: rows that are there with other values than the saved ones, and stay so. */
	int64_t different;
};
/*
 * How many rows of `table`, which part's table is now, are none of those that were saved: by their keys
 * alone, or as a whole. Before put_back_begin(), in a transaction that may write.
 */
int put_back_count_others(int64_t *ret, struct put_back *back, const json_t *part,
			  const char *table, bool by_key, struct error *err) MUST_CHECK;
int put_back_rows(struct put_back *back, const json_t *part, const struct put_back_how *how,
		  struct put_back_result *ret, struct error *err) MUST_CHECK;
int put_back_end(struct put_back *back, struct error *err) MUST_CHECK;
/*
 * Before anything is done: the sequences that there are, of which numbers may have been used, and the
 * foreign keys, of which triggers may have been switched.
 */
int put_back_note(struct put_back *back, struct error *err) MUST_CHECK;
/*
 * The positions of sequences, from the manifest: of one that was gone exactly, of one that was not
 * never back (`further`). Those that are not there now are left out.
 */
int put_back_sequences(struct put_back *back, struct error *err) MUST_CHECK;
/*
 * In the end: the triggers of foreign keys that had gone, as they were switched. Those that had not
 * are switched as they were before the undo. A warning where the role may not do that.
 */
int put_back_switch_keys(struct put_back *back, struct error *err) MUST_CHECK;
void put_back_release(struct put_back *back);

#endif
