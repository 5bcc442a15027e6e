/* SPDX-License-Identifier: MIT */
/*
 * rowcount: how many rows tables have and how large they are, in a given time. All SQL on that.
 *
 * Exact:  the smallest tables are counted first, until the time is over; what was not counted
 *         has what the statistics say, for the size that the table has now, as the planner does.
 * Whole:  of a partitioned table all of its partitions; of another its own rows, not those of
 *         children that inherit. Policies hide no rows: where they would, it is not counted.
 * Runs:   nothing of the user's: no function, no policy. A foreign table is not asked.
 * Owner:  the caller; rowcount_release() frees what was found.
 */
#ifndef PG_ROWCOUNT_H
#define PG_ROWCOUNT_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "pg/db.h"

struct rowcount {
	uint32_t oid;
	struct strvec columns; /* whose values that are not null are counted too */
	bool unreadable;       /* somebody holds it, so that reading would have to wait */
	/* Found: */
	char relkind;
	char *schema, *name, *identity; /* NULL: it is not there any more */
	int64_t rows;			/* -1: not known */
	int64_t *values;		/* of each column; -1 */
	int64_t bytes;			/* with indexes and TOAST */
	bool exact;
	char *failure; /* why it could not be counted, other than for lack of time; or NULL */
};

/* `limit` is in milliseconds, for all together. No transaction is open. */
int rowcount_read(struct rowcount *tables, size_t nr, struct db *db, int limit, struct error *err)
	MUST_CHECK;
void rowcount_release(struct rowcount *table);

#endif
