/* SPDX-License-Identifier: MIT */
/*
 * catalog-state: what lies behind a struct catalog, and how objects are made of rows.
 *
 * Only catalog*.c include this.
 */
#ifndef PG_CATALOG_STATE_H
#define PG_CATALOG_STATE_H

#include "base/strvec.h"
#include "pg/catalog-track.h"

/* A comment, a security label, or extensions it depends on: becomes an attribute. */
struct catalog_note {
	uint32_t class_oid, oid;
	int32_t sub;
	char *name, *text;
};
struct catalog_notes {
	struct catalog_note *item; /* sorted by address and name once they are complete */
	size_t nr, alloc;
};
void catalog_notes_release(struct catalog_notes *notes);
void catalog_notes_add(struct catalog_notes *notes, const struct db_result *rows);
void catalog_notes_sort(struct catalog_notes *notes);

/* What a track's rows of one object were: the sum of their versions. */
struct catalog_entry {
	uint32_t class_oid, oid;
	uint64_t sum;
};
struct catalog_entries {
	struct catalog_entry *item; /* sorted by class and oid once they are complete */
	size_t nr, alloc;
	uint64_t sum; /* of all */
};
int catalog_entry_compare(const void *a, const void *b);
/* Adds entries from rows that begin with (class, oid, sum) at a column. */
void catalog_entries_add(struct catalog_entries *entries, const struct db_result *rows, size_t row,
			 size_t column);

/* A sum as the server prints it, modulo 2^64. */
uint64_t catalog_number(const char *digits);

struct catalog_state {
	struct catalog_scope_sql scope;
	struct catalog_notes notes;
	struct catalog_entries track[CATALOG_TRACK_MAX];
	uint64_t next;		/* xids that could be seen were below */
	uint64_t own;		/* the xid of the transaction it was in, or 0 */
	int64_t command;	/* its last command that changed one of these catalogs, or -1 */
	struct strvec prepared; /* names of statements in the session ... */
	int prepared_pid;	/* ... of this backend */
	bool stale;		/* a refresh failed half-way */
};
struct catalog_state *catalog_state_new(const struct catalog_scope_sql *scope);
void catalog_state_free(struct catalog_state *state);
/* As catalog_read(). */
int catalog_read_scope(struct catalog *ret, struct db *db, const struct catalog_scope_sql *scope,
		       struct error *err) MUST_CHECK;

/*
 * A batch that is framed so that nothing of it stays: inside a transaction by a savepoint,
 * outside by a read-only transaction. frame_run() takes care of failures.
 */
void catalog_frame_open(struct db_batch *batch, const struct db *db);
int catalog_frame_run(struct db_batch *batch, struct db *db, struct error *err) MUST_CHECK;
/* Adds a query whose result is wanted. */
void catalog_frame_add(struct db_batch *batch, const char *sql, size_t tag);

/* Adds an object for each row of a kind's query. */
void catalog_add_rows(struct catalog *cat, const struct catalog_kind *kind,
		      const struct db_result *rows, int version);
/*
 * Completes objects that were added, whole groups of them: takes away the parts of what is
 * out of scope, adds the orders of columns and the notes, computes digests, and sorts.
 */
void catalog_complete(struct catalog *cat, const struct catalog_notes *notes);

void catalog_object_release(struct catalog_object *object);
int catalog_object_compare(const struct catalog_object *a, const struct catalog_object *b);
/* Appends what happened to an object; one of them may be NULL. */
void catalog_changes_add(struct catalog_changes *changes, const struct catalog_object *before,
			 const struct catalog_object *after);

#endif
