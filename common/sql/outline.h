/* SPDX-License-Identifier: MIT */
/*
 * outline: what scripts make of a database, as far as their text says: tables with their columns,
 * keys and indexes, views, types, functions.
 *
 * Use:    sql_outline_read() replays scripts one behind the other, then parts.item[0 .. nr-1], sorted.
 *         Two outlines agree where the texts of their parts are equal: these are for people and for
 *         strcmp().
 * In it:  CREATE, ALTER, RENAME, DROP of tables, their columns (type, NOT NULL), primary, unique and
 *         foreign keys, and indexes; of views, types (with the labels of an enum) and functions, by
 *         name. A column that is added to a table which none of the scripts makes is in it; the
 *         table is not.
 * Not in: defaults, CHECK, EXCLUDE, expressions, bodies, sequences, triggers, policies, rights, comments,
 *         settings, temporary tables; how a type is made; what a foreign key does, and to which columns.
 * Unread: what cannot be told from its text (DO, a call, a script that the parser refuses) is in
 *         `unread`, and may have made or dropped anything.
 * Names:  without schema, but where two objects of that name are in the outline: a dump names
 *         schemas, and a migration often does not.
 * Owner:  the caller; sql_outline_release() frees all. Sources are read, and not kept.
 */
#ifndef SQL_OUTLINE_H
#define SQL_OUTLINE_H

#include "base/compat.h"
#include "base/error.h"

enum sql_outline_kind {
	SQL_OUTLINE_TABLE,
	SQL_OUTLINE_OBJECT, /* a view, a type, a function */
	SQL_OUTLINE_COLUMN,
	SQL_OUTLINE_OTHER /* what is of one of these */
};

struct sql_outline_part {
	enum sql_outline_kind kind;
	char *object; /* the name of the table, view, type or function that it is of */
	char *column; /* of SQL_OUTLINE_COLUMN its name; else NULL */
	char *text;   /* "column 'users.email'", "index (email) of 'users'", ... */
	char *path;   /* of the script that made the object first; NULL: none of these did */
};
struct sql_outline_parts {
	struct sql_outline_part *item;
	size_t nr, alloc;
};
struct sql_outline_unread {
	char *place; /* "db/schema.sql:12: DO" */
	char *text;  /* of the statement, or of the script */
};
struct sql_outline {
	struct sql_outline_parts parts; /* there in the end */
	struct sql_outline_parts gone;	/* made, and dropped or renamed later; may be there again */
	struct sql_outline_unread *unread;
	size_t unread_nr, unread_alloc;
};
#define SQL_OUTLINE_INIT \
	{                \
		0        \
	}

struct sql_source {
	const char *path, *text;
	size_t len;
};

/* -1 only where there is no thread for the parser. */
int sql_outline_read(struct sql_outline *ret, const struct sql_source *source, size_t nr,
		     struct error *err) MUST_CHECK;
void sql_outline_release(struct sql_outline *outline);

/* The part of that text, or NULL. */
const struct sql_outline_part *sql_outline_find(const struct sql_outline_parts *parts,
						const char *text);
/* The place of something unread that speaks of the object, as a word of its own; or NULL. */
const char *sql_outline_doubt(const struct sql_outline *outline, const char *object);

#endif
