/* SPDX-License-Identifier: MIT */
/*
 * dependency: what the names in a script mean in the live catalog, which objects go with one that
 * is dropped, and whose rows are changed with a table's. All SQL on that.
 *
 * Use:    dependency_begin(&reader, db, err), then the functions below, then dependency_end():
 *         all of it in one transaction, which only reads, and locks no table.
 * Rules:  as the server follows them (dependency.c in its source): with CASCADE everything that
 *         depends on what goes; without, what is a part of it (automatic and internal
 *         dependencies, an extension's members, a partition's parts). That there is something
 *         else, for which the server will refuse the DROP, is not told.
 * Owner:  the caller; the _release() functions free all.
 * Errors: -1 with `err` set: a permission that is lacking, or the connection.
 */
#ifndef PG_DEPENDENCY_H
#define PG_DEPENDENCY_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "pg/db.h"

/* pg_class, whose rows are relations: the same OID in every version. */
#define DEPENDENCY_CLASS_RELATION 1259

struct dependency_reader {
	struct db *db;
	char *search_path; /* the setting */
	char *schemas;	   /* an array: where names without a schema are looked for */
};
#define DEPENDENCY_READER_INIT \
	{                      \
		0              \
	}
int dependency_begin(struct dependency_reader *reader, struct db *db, struct error *err) MUST_CHECK;
void dependency_end(struct dependency_reader *reader);

/* --- Names -------------------------------------------------------------------------------- */

/*
 * A name as sql/effect.h has it, and what it means. Borrows what it is made of. Beside DROP's
 * types there are "relation" (whatever has such a name in pg_class), "table column" and
 * "identity" (the sequence of a column), both with `part` the column, and "owned", a role.
 */
struct dependency_name {
	const char *type;
	const char *schema; /* NULL: search_path decides, or `path` */
	const char *name, *part;
	const struct strvec *args, *path; /* NULL: any; the session's */
	/* Found, or 0: */
	uint32_t class_oid, oid; /* as in pg_depend */
	int32_t sub;
	char relkind; /* of a relation, or of the one it belongs to */
};
/* Does it look for objects of that type? Of the others (operators, casts) it finds none. */
bool dependency_knows(const char *type);
int dependency_find(struct dependency_reader *reader, struct dependency_name *names, size_t nr,
		    struct error *err) MUST_CHECK;

/*
 * Functions that are called, by schema (or NULL) and name: `harmless` where all that it can mean
 * are the server's own, and said not to change anything.
 */
struct dependency_call {
	const char *schema, *name;
	bool harmless;
};
int dependency_calls(struct dependency_reader *reader, struct dependency_call *calls, size_t nr,
		     struct error *err) MUST_CHECK;

/* --- What goes ---------------------------------------------------------------------------- */

struct dependency_drop {
	uint32_t class_oid, oid;
	int32_t sub;
	bool cascade;
	bool only; /* of a column: not the children's */
};

struct dependency {
	size_t drop; /* the first that takes it */
	uint32_t class_oid, oid;
	int32_t sub;	  /* a column's attnum */
	bool named;	  /* itself dropped by name */
	bool cascaded;	  /* goes by CASCADE alone */
	bool part;	  /* of something that goes: of a table, a column, an inherited column */
	bool hidden;	  /* goes without saying: row types, internal triggers; has no identity */
	bool generated;	  /* a column that is computed from others */
	const char *kind; /* "table", "view", "foreign key", ... as in catalog.h */
	char *identity;	  /* public.t */
	char *schema, *name; /* of a relation; `name` of a column, too */
	uint32_t relation;   /* itself, or what it belongs to; 0: neither */
	char relkind;	     /* of that */
};
struct dependencies {
	struct dependency *item; /* by `drop`, named first, kind, identity */
	size_t nr, alloc;
};
#define DEPENDENCIES_INIT \
	{                 \
		0         \
	}
int dependency_of_drops(struct dependencies *ret, struct dependency_reader *reader,
			const struct dependency_drop *drops, size_t nr, struct error *err)
	MUST_CHECK;
void dependencies_release(struct dependencies *list);

/* --- Whose rows change -------------------------------------------------------------------- */

enum dependency_change_kind {
	DEPENDENCY_INSERT,
	DEPENDENCY_UPDATE,
	DEPENDENCY_DELETE,
	DEPENDENCY_TRUNCATE,
	DEPENDENCY_RETYPE, /* ALTER COLUMN TYPE */
	DEPENDENCY_RESTART /* a sequence's position; only as a result of TRUNCATE */
};

struct dependency_change {
	enum dependency_change_kind kind;
	uint32_t oid;
	const struct strvec *columns; /* UPDATE: that are set; RETYPE: the one */
	bool only, cascade, restart;
};

struct dependency_reached {
	size_t change; /* the first that reaches it in this way */
	enum dependency_change_kind kind;
	uint32_t oid;
	char relkind;
	bool named;   /* the change's own table */
	char *column; /* identity of the column, of RETYPE: public.t.c; else NULL */
	char *why;    /* "foreign key k ON DELETE CASCADE", or NULL: itself, or by inheritance */
};
struct dependency_reached_list {
	struct dependency_reached *item; /* by `change` */
	size_t nr, alloc;
};
#define DEPENDENCY_REACHED_LIST_INIT \
	{                            \
		0                    \
	}
/* The table itself, children that inherit, and by foreign keys; of a partitioned table only that. */
int dependency_of_changes(struct dependency_reached_list *ret, struct dependency_reader *reader,
			  const struct dependency_change *changes, size_t nr, struct error *err)
	MUST_CHECK;
void dependency_reached_list_release(struct dependency_reached_list *list);

/* --- What is at the tables ------------------------------------------------------------------ */

/* A trigger or rule that a change sets off, or a foreign key to a table that goes. */
struct dependency_object {
	const char *kind; /* "trigger", "rule", "foreign key" */
	uint32_t class_oid, oid;
	char *identity; /* "g on public.t" */
	uint32_t table; /* that has it */
	char *table_identity;
};
struct dependency_objects {
	struct dependency_object *item; /* by identity */
	size_t nr, alloc;
};
#define DEPENDENCY_OBJECTS_INIT \
	{                       \
		0               \
	}
/* Triggers and rules, without the server's own. */
int dependency_triggers(struct dependency_objects *ret, struct dependency_reader *reader,
			const struct dependency_reached_list *reached, struct error *err)
	MUST_CHECK;
/* Foreign keys of other tables to these. */
int dependency_foreign_keys(struct dependency_objects *ret, struct dependency_reader *reader,
			    const uint32_t *tables, size_t nr, struct error *err) MUST_CHECK;
void dependency_objects_release(struct dependency_objects *list);

#endif
