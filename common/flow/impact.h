/* SPDX-License-Identifier: MIT */
/*
 * impact: what scripts would destroy, drop and affect in a database, before they are run: their
 * effects by their text (sql/effect.h), held against the live catalog.
 *
 * Use:    impact_add() for each script in the order of execution, then impact_read(), which asks
 *         the database and changes nothing; impact_text() and impact_to_json() show it. The rows
 *         that it finds to be destroyed flow/save.h saves.
 * Counts: of rows are exact where counting them all takes no longer than the limit, else the
 *         statistics' estimate. What is not counted, as a view's rows, is -1.
 * Sums:   a table that goes is one item, whatever else is done to it; a column that goes is one,
 *         unless its table goes; rows that are changed are one item a table, unless it goes.
 *         Of a partitioned table the rows are those of all its partitions, which are no items
 *         then; children that inherit are items of their own, each with its own rows.
 *         A sequence whose position is lost otherwise than with its table is a table of one row.
 * Limits: what a name means is looked up now. What an earlier script of the same run makes or
 *         renames is not there yet: that, and what no text can tell, is in `unknown`.
 * Owner:  the caller; impact_release().
 */
#ifndef FLOW_IMPACT_H
#define FLOW_IMPACT_H

#include "base/json.h"
#include "base/strbuf.h"
#include "base/strvec.h"
#include "pg/catalog.h"
#include "pg/db.h"
#include "sql/script.h"

enum impact_kind {
	IMPACT_TABLE,  /* all its rows go: DROP, TRUNCATE */
	IMPACT_COLUMN, /* its values go or are converted */
	IMPACT_ROWS    /* some of its rows go, come or are changed: DELETE, UPDATE, INSERT */
};
/* "table", "column", "rows": as --json has it. */
const char *impact_kind_name(enum impact_kind kind);

struct sql_effect;
struct sql_effects;

struct impact_item {
	enum impact_kind kind;
	uint32_t oid;	/* the table's */
	char relkind;	/* as in pg_class: 'r', 'p' partitioned, 'f' foreign, 'S' a sequence */
	int16_t attnum; /* of IMPACT_COLUMN */
	char *schema, *table, *column;
	char *identity; /* public.t, public.t.c: quoted where needed */
	char *why;	/* for people: "DROP TABLE", "DROP SCHEMA s CASCADE", "DELETE", "foreign key
			     ON DELETE CASCADE of public.po_items" */
	int64_t rows;	/* in the table; of a column, those that are not null; -1: not known */
	bool exact;
	int64_t bytes;	   /* of the table with its indexes and TOAST; of a column 0 */
	bool stays;	   /* the table or the column itself: TRUNCATE, ALTER COLUMN TYPE */
	bool inserts_only; /* IMPACT_ROWS: rows only come */
	bool all;	   /* of IMPACT_ROWS: all of them, as there is no WHERE */
	size_t script;	   /* the first that does it */
	/* Of a table that goes: the DROP TABLE that names it, which is of `script`; or NULL. Belongs to
	   the impact. */
	const struct sql_effect *drop;
	bool touched; /* and the scripts do something else to it, too */
	bool kept;    /* it is moved instead (flow/keep.h): then nothing of it is destroyed */
};

/* Something that goes without rows of its own, or a table that is affected. */
struct impact_object {
	const char *kind; /* as in catalog.h: "view", "index", "foreign key", ... */
	char *identity;
	uint32_t class_oid, oid; /* as in pg_depend */
	int32_t sub;
	uint32_t relation; /* of what goes: itself, or what it belongs to */
	char *why; /* of what goes: "CASCADE"; "part" of something that goes; NULL: by name. Of what
		      is affected: "foreign key k on public.po_items" */
};
struct impact_lock {
	char *identity, *mode; /* "AccessExclusiveLock" */
	char *holder;	       /* who holds or waits for a lock that is in its way: "psql of alice
				  (pid 12), idle in transaction for 3 min"; NULL: nobody now */
};

struct impact {
	struct impact_item *item; /* destroyed or changed, in the order of execution */
	size_t nr, alloc;
	struct impact_object *drop; /* other objects that go, by CASCADE or by name */
	size_t drop_nr, drop_alloc;
	struct impact_object *affect; /* tables whose foreign keys point to a table that goes */
	size_t affect_nr, affect_alloc;
	struct impact_lock *lock; /* on tables that are there now */
	size_t lock_nr, lock_alloc;
	struct strvec unknown; /* sentences: what cannot be known */
	struct impact_script *script;
	size_t script_nr, script_alloc;
};
#define IMPACT_INIT \
	{           \
		0   \
	}

/*
 * The script has to live as long as the impact does. Its first `done` statements have been run
 * already, by what was interrupted.
 */
int impact_add(struct impact *impact, const struct sql_script *script, size_t done,
	       struct error *err) MUST_CHECK;
/*
 * `count_limit` is in milliseconds, for all counting together. No transaction is open. What
 * `scope` (may be NULL) leaves out of the catalog is left out here: the tracking tables.
 */
int impact_read(struct impact *impact, struct db *db, const struct catalog_scope *scope,
		int count_limit, struct error *err) MUST_CHECK;
void impact_release(struct impact *impact);

/* Is the table moved, and not dropped? Or does this go with one of these? */
bool impact_is_kept(const struct impact *impact, uint32_t oid);
/* The effects of a script, as sql/effect.h has them. */
const struct sql_effects *impact_effects(const struct impact *impact, size_t script);

/* Do rows go, or can that not be known? */
bool impact_destroys(const struct impact *impact);

/* For people; nothing where there is nothing to say. `rehearsable`: it can be tried. */
void impact_text(struct strbuf *out, const struct impact *impact, bool rehearsable);
/* Sets "destroys", "drops", "affects", "locks" and "unknown" of a plan's object; NULL: to null. */
void impact_to_json(const struct impact *impact, json_t *plan);

#endif
