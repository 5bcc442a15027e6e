/* SPDX-License-Identifier: MIT */
/*
 * catalog-track: how changes of system catalogs are noticed.
 *
 * For each catalog whose rows show in a definition there is one number: the sum of a hash of
 * each row's version, that is of its xmin and place. It is another one after any change (and
 * after a ROLLBACK the old one), so comparing some forty numbers tells which catalogs changed.
 * Which rows did: those with a young xmin; when the versions of these do not explain the
 * new number, rows have gone or come back, and the whole catalog is listed. So a transaction id
 * is never more than a hint, and no wraparound, subtransaction or other session can hide
 * anything; it is chosen so that it is right where nobody else changes the schema.
 *
 * A row stands for the object that it describes a part of: pg_attribute's and pg_trigger's for
 * the table. Rows of the same object are one entry.
 *
 * Only catalog*.c include this.
 */
#ifndef PG_CATALOG_TRACK_H
#define PG_CATALOG_TRACK_H

#include "pg/catalog-sql.h"

struct catalog_track {
	const char *from;
	const char *class_oid, *oid; /* SQL: the object that a row stands for */
	const char *where;
	const char *hash; /* SQL, where there is no xmin that we could read; NULL: the version */
	bool own;	  /* the row is the object itself: when it goes, so do all about it */
	bool several;	  /* rows for one object */
	bool everything;  /* a change may show anywhere: all has to be read again */
	bool note;	  /* the rows are notes */
	int since;
};
extern const struct catalog_track catalog_tracks[];
extern const size_t catalog_track_nr;
#define CATALOG_TRACK_MAX 64
/* That of the names of roles: a new role shows nowhere, a new name of an old one does. */
extern const size_t catalog_track_roles;

/*
 * Everything: number of the track, sum. Behind them TRACK_NEXT and the xid that comes after all
 * that can be seen, and TRACK_OWN and that of this transaction, or 0.
 */
enum { TRACK_NEXT = -1, TRACK_OWN = -2 };
void catalog_track_state_sql(struct strbuf *out, int version);
/* All entries of one track: class, oid, sum. */
void catalog_track_list_sql(struct strbuf *out, size_t track, int version);
/* All entries of all: number, class, oid, sum; and the xids as above, as sums. */
void catalog_track_list_all_sql(struct strbuf *out, int version);
/*
 * The entries that have a row with an xmin of $1 or younger, and a cmin above $2 (which goes on
 * from command to command of a transaction); a fourth column has the greatest cmin.
 */
void catalog_track_young_sql(struct strbuf *out, size_t track, int version);
/* Those of $1, the oids of a track with `own`, that are not there any more. */
void catalog_track_gone_sql(struct strbuf *out, size_t track);

/* The groups that objects belong to: $1 classes, $2 oids. */
void catalog_track_groups_sql(struct strbuf *out, int version);
/*
 * The groups of what depends on objects: $3 is 0 for all that does, the number of a column for
 * what depends on that, or -1; and in each case queries that are kept as trees, because other
 * columns may change the aliases in their text.
 */
void catalog_track_dependents_sql(struct strbuf *out, int version);

#endif
