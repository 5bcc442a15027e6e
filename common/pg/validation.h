/* SPDX-License-Identifier: MIT */
/*
 * validation: what a change can leave wrong in a database although each statement of it succeeded,
 * and who else is there. All SQL on that.
 *
 * Use:    validation_read_defects() before the change and after it; validation_take_new() leaves
 *         what was not so before. validation_read_rows() then looks at the rows of the tables that
 *         the change has touched.
 * Scope:  system schemas and temporary objects do not count.
 * Owner:  the caller; the _release() functions free all.
 * Errors: -1 with `err` set; a transaction is then aborted.
 */
#ifndef PG_VALIDATION_H
#define PG_VALIDATION_H

#include "base/compat.h"
#include "base/error.h"
#include "pg/ledger.h"

struct validation_defect {
	char *kind;   /* "invalid index", "unvalidated constraint", "disabled trigger", "sequence
			 behind", "orphaned rows", or "not checked" */
	char *object; /* as catalog.h has identities: public.idx_t, fk on public.t */
	char *detail; /* for people */
	uint32_t class_oid, oid; /* as in pg_depend */
};
struct validation_defects {
	struct validation_defect *item;
	size_t nr, alloc;
	uint32_t horizon; /* the first transaction id that was not yet given out then */
};
#define VALIDATION_DEFECTS_INIT \
	{                       \
		0               \
	}
void validation_defects_release(struct validation_defects *defects);
void validation_defects_add(struct validation_defects *defects, const char *kind,
			    const char *object, const char *detail);

/* What the catalog alone tells: indexes, constraints, triggers. One round trip. */
int validation_read_defects(struct validation_defects *ret, struct db *db, struct error *err)
	MUST_CHECK;
/* Moves those of `now` into `ret` that `before` has not; each text once. */
void validation_take_new(struct validation_defects *ret, struct validation_defects *now,
			 const struct validation_defects *before);

/*
 * What is to be looked at: the tables that this transaction holds a lock for writing on, which it
 * has changed then, and those in `table`, which a change outside a transaction has.
 */
struct validation_rows {
	uint32_t horizon; /* from before the change: what is younger is its own */
	const uint32_t *table;
	size_t nr;
	bool unguarded; /* the change may have turned all triggers off: session_replication_role */
	int limit;	/* milliseconds, for all of it */
};
/*
 * Appends sequences that are behind the column that they number, and rows whose foreign keys lead
 * nowhere, where no trigger and no validation has kept the change from making such. What cannot be
 * found out in time, or may not be read, is a defect "not checked".
 */
int validation_read_rows(struct validation_defects *ret, struct db *db,
			 const struct validation_rows *rows, struct error *err) MUST_CHECK;

/* --- Who else is there ------------------------------------------------------------------------ */

struct validation_sessions {
	size_t others; /* connected to this database, besides us */
	char *names;   /* "psql (2), app": their applications; NULL where there are none */
	char *ours;    /* other commands of the suite, and what they do; or NULL */
};
#define VALIDATION_SESSIONS_INIT \
	{                        \
		0                \
	}
int validation_read_sessions(struct validation_sessions *ret, struct db *db, struct error *err)
	MUST_CHECK;
void validation_sessions_release(struct validation_sessions *sessions);

/*
 * Has a table (`whole`: with its partitions) rows that were written after migration `version` was
 * recorded as applied? By the transactions' ids, which rows out of a dump have not kept. False
 * also where it cannot be found out within `limit` milliseconds. No transaction is open.
 */
struct validation_since {
	const char *schema, *table;
	bool whole;
	const struct ledger_place *place;
	const char *version;
	int limit;
};
int validation_written_since(bool *ret, struct db *db, const struct validation_since *since,
			     struct error *err) MUST_CHECK;

#endif
