/* SPDX-License-Identifier: MIT */
/*
 * catalog: what a database's schemas consist of, object by object, in one canonical form.
 *
 * Use:    catalog_read() reads everything in one round trip. After each migration
 *         catalog_refresh() brings it up to date and says what changed, which costs what the
 *         change costs and not what the schema does. catalog_diff() compares two catalogs.
 *         catalog_fingerprint() is one digest over all.
 * Object: a kind ("table", "column", "index"), an identity, and a definition. The identity is
 *         schema-qualified and quoted as PostgreSQL does it: public.t, public.t.c,
 *         public.f(integer); what has no name outside its table is "name on table". The
 *         definition is lines of "attribute: value", always in the same order; an attribute
 *         that is as it is by default has no line, and further lines of a value begin with a
 *         tab. Comments and security labels are attributes of what they are on.
 * Equal:  dump and restore, into another database too, gives the same digests: no OIDs, no
 *         positions, no sizes. Order of columns is a class of its own (`order` is set): it is
 *         kept and compared, but no part of the fingerprint.
 * Not in: system schemas, temporary objects, tables that are kept for an undo (pg/keep.h), what an extension brought (the extension and its
 *         version are), what the scope leaves out; rows, also positions of sequences;
 *         settings and comments of the database itself; other databases, roles, tablespaces.
 * Rights: any role can read it, and gets the same catalog, with one exception: of the options
 *         of a user mapping a role sees what PostgreSQL shows it, and no value of one is
 *         ever shown (only the names, and 16 bits of a digest, to see that it changed). A
 *         subscription's connection string is left out altogether.
 * State:  all functions work inside the caller's transaction (they see what it has done so
 *         far) and outside of one. Settings are as before afterwards, whatever they were.
 *         catalog_refresh() leaves prepared statements named git_rollback_catalog_* in the
 *         session, except behind a pooler; scripts may deallocate them.
 * Owner:  the structs own their strings. A kind is a constant and belongs to nobody.
 * Errors: -1 with `err` set; outputs and the catalog are then as before, and a transaction
 *         is aborted, as after every failed statement.
 */
#ifndef PG_CATALOG_H
#define PG_CATALOG_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strbuf.h"
#include "pg/db.h"

struct json_t;

#define CATALOG_DIGEST_SIZE 65 /* hexadecimal SHA-256 and NUL */

struct catalog_object {
	const char *kind; /* "table", "materialized view", "default privileges", ... */
	char *identity;
	char *definition;
	char digest[CATALOG_DIGEST_SIZE]; /* SHA-256 of kind, identity and definition, NULs between */
	bool order;			  /* of kind "column order" */
	bool part;			  /* belongs to another object, its group */
	/* Where PostgreSQL keeps it (OIDs are of this database, for this session only): */
	uint32_t class_oid, oid; /* as in pg_depend: the catalog, the row */
	int32_t sub;		 /* a column's attnum, or 0 */
	/* What it belongs to; the same as above for what stands alone. The table for columns,
	 * constraints, indexes, triggers, rules and policies; the domain for its constraints. */
	uint32_t group_class, group_oid;
};

struct catalog {
	struct catalog_object *item; /* sorted by kind and identity (bytes) */
	size_t nr, alloc;
	char fingerprint[CATALOG_DIGEST_SIZE]; /* "" until it is asked for: catalog_fingerprint() */
	struct catalog_state *state;	       /* what catalog_refresh() compares with */
};
#define CATALOG_INIT \
	{            \
		0    \
	}
void catalog_release(struct catalog *cat);

/* What does not count. Names are plain, not quoted. The caller's; nothing is kept of it. */
struct catalog_relation_name {
	const char *schema, *name;
};
struct catalog_scope {
	/* Left out with all that belongs to them: columns, indexes, owned sequences, ... */
	const struct catalog_relation_name *relation;
	size_t relation_nr;
	/* Left out with all that is in them. */
	const char *const *schema;
	size_t schema_nr;
};
#define CATALOG_SCOPE_INIT \
	{                  \
		0          \
	}

/* `scope` may be NULL: nothing is left out. `ret` is released first. */
int catalog_read(struct catalog *ret, struct db *db, const struct catalog_scope *scope,
		 struct error *err) MUST_CHECK;

/* SHA-256 over the digests of all objects but those of column order. */
const char *catalog_fingerprint(struct catalog *cat);

/* NULL when there is none. */
const struct catalog_object *catalog_find(const struct catalog *cat, const char *kind,
					  const char *identity);

/* The constant for a kind's name; NULL: there is no such kind. */
const char *catalog_kind_find(const char *name);

/* One object that is not what it was. */
struct catalog_change {
	char *kind, *identity;
	char before_digest[CATALOG_DIGEST_SIZE], after_digest[CATALOG_DIGEST_SIZE]; /* "": absent */
	char *before, *after; /* definitions; NULL: absent, or not recorded */
	bool order;
	uint32_t class_oid, oid; /* of what it was before, as in struct catalog_object; else 0 */
};
struct catalog_changes {
	struct catalog_change *item; /* sorted by kind and identity */
	size_t nr, alloc;
};
#define CATALOG_CHANGES_INIT \
	{                    \
		0            \
	}
void catalog_changes_release(struct catalog_changes *changes);

/*
 * Makes `cat` what catalog_read() would now read with the same scope, and puts what that
 * changed into `ret` (released first; may be NULL). It may be called at any time, also after a
 * ROLLBACK, on the connection that `cat` was read on or on another to the same database.
 */
int catalog_refresh(struct catalog *cat, struct db *db, struct catalog_changes *ret,
		    struct error *err) MUST_CHECK;

/* What would have to be done to `before` to get `after`; `ret` is released first. */
void catalog_diff(struct catalog_changes *ret, const struct catalog *before,
		  const struct catalog *after);

/* The value of an attribute ("default") in a definition; NULL: it is as by default. free() it. */
char *catalog_attribute_value(const char *definition, const char *name);

/*
 * To keep it: an array of {"kind", "identity", "digest"}, with "order": true where that is so, and
 * with "definition" where `definitions`. json_decref() the result. What is read from it again has
 * no OIDs and no groups, and cannot be refreshed; `ret` is released first.
 */
struct json_t *catalog_to_json(const struct catalog *cat, bool definitions) MUST_CHECK;
int catalog_from_json(struct catalog *ret, const struct json_t *json, struct error *err) MUST_CHECK;

/*
 * Appends one line (without a line end) about an object that is not what it should be:
 *     index public.idx_x still exists                          expected NULL
 *     table public.t is missing                                actual NULL
 *     column public.t.c: default now() → none                  the attributes that differ
 * Long values are shortened around the first difference, white space in them is one blank.
 * With `utf8` the arrow is one character, otherwise "->". Nothing is escaped: who prints it
 * to a terminal does that.
 */
void catalog_difference_text(struct strbuf *out, const char *kind, const char *identity,
			     const char *expected, const char *actual, bool utf8);

/*
 * The same for what became of an object: "+ table public.t" where it is new, "- ..." where it is
 * gone, else "~ " and the line above.
 */
void catalog_change_text(struct strbuf *out, const struct catalog_change *change, bool utf8);

/*
 * For the log: an array of {"kind", "identity", "before", "after" (digests, or null), and
 * "definition" (the one before, or null)}, and "order": true where that is so. Definitions
 * after a change are not kept: the digest tells whether it is still that. json_decref() the
 * result.
 */
struct json_t *catalog_changes_to_json(const struct catalog_changes *changes) MUST_CHECK;
/* Keys that it does not know are no error; ones that are missing or of the wrong type are. */
int catalog_changes_from_json(struct catalog_changes *ret, const struct json_t *json,
			      struct error *err) MUST_CHECK;

#endif
