/* SPDX-License-Identifier: MIT */
/*
 * keep: tables that are moved out of the way instead of being dropped. All SQL on that.
 *
 * A table is kept in a schema of the operation's own, under its own name, with its indexes, checks
 * and owned sequences: so nothing is copied, and nothing has another name. What binds it to others
 * does not go along: foreign keys from and to it, triggers, rules, policies, statistics objects, and
 * the views and functions that a DROP would take.
 *
 * Schemas: all whose names begin with KEEP_SCHEMA_PREFIX. No catalog (catalog.h), no witness
 *         (relation.h) and no dump has them. The prefix is no setting: the fingerprint of a database
 *         must not depend on who takes it.
 * Owner:  the caller; the _release() functions free all.
 * Errors: -1 with `err` set; a transaction is then aborted.
 */
#ifndef PG_KEEP_H
#define PG_KEEP_H

#include "base/compat.h"
#include "base/error.h"
#include "base/strvec.h"
#include "pg/db.h"

#define KEEP_SCHEMA_PREFIX "rollback_kept_"

/* A condition on a schema's name, for SQL: it is none of them. */
#define KEEP_NOT_IN(name) " AND pg_catalog.left(" name ", 14) <> '" KEEP_SCHEMA_PREFIX "'"

bool keep_is_schema(const char *name);
/* The name for operation `id`; `number` from 1, as tables of one name may come from several schemas. */
char *keep_schema_name(const char *operation, size_t number) MUST_CHECK;

/* As in pg_depend. */
struct keep_object {
	uint32_t class_oid, oid;
	int32_t sub;
};

/* Why a table cannot be kept; the gravest reason alone. */
struct keep_obstacle {
	uint32_t oid;
	char *why; /* "it is a partition" */
};
struct keep_obstacles {
	struct keep_obstacle *item;
	size_t nr, alloc;
};
#define KEEP_OBSTACLES_INIT \
	{                   \
		0           \
	}
void keep_obstacles_release(struct keep_obstacles *obstacles);
/* NULL: none. */
const char *keep_obstacle_of(const struct keep_obstacles *obstacles, uint32_t oid);

/*
 * Of tables that are there. `gone`, what the scripts drop, must not be needed by what stays of a
 * kept table: its types, say.
 */
int keep_obstacles_read(struct keep_obstacles *ret, struct db *db, const uint32_t *oid, size_t nr,
			const struct keep_object *gone, size_t gone_nr, struct error *err)
	MUST_CHECK;
/*
 * The same of one that is to be moved, or dropped with all that depends on it, now: also what would
 * go with it and could not be made again; with `unchanged`, what the open transaction has done to it.
 */
int keep_obstacles_now(struct keep_obstacles *ret, struct db *db, uint32_t oid, bool unchanged,
		       struct error *err) MUST_CHECK;
/* Kept tables of earlier operations that need what is `gone`: "column m of table ..." lines. */
int keep_find_needed(struct strvec *ret, struct db *db, const struct keep_object *gone,
		     size_t gone_nr, struct error *err) MUST_CHECK;

/* For nobody but the role that makes it. */
int keep_make_schema(struct db *db, const char *schema, struct error *err) MUST_CHECK;
/* Without it where something else is in it. */
int keep_drop_schema(struct db *db, const char *schema, struct error *err) MUST_CHECK;
/* Appends the statements that do to others what a DROP ... CASCADE does, and move the table. */
int keep_statements(struct strvec *ret, struct db *db, uint32_t oid, const char *schema,
		    struct error *err) MUST_CHECK;

#endif
