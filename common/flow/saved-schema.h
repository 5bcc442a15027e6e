/* SPDX-License-Identifier: MIT */
/*
 * saved-schema: objects out of a schema that was saved (flow/save.h), made again in the open
 * transaction, with their comments and privileges, in the order that pg_dump found.
 *
 * Use:    saved_schema_want() for each object that is missing; saved_schema_remake() before rows are
 *         put back into its tables, and again after.
 * Which:  pg_dump's entries are found by the OIDs that the objects had, columns by their names.
 */
#ifndef FLOW_SAVED_SCHEMA_H
#define FLOW_SAVED_SCHEMA_H

#include "flow/session.h"
#include "journal/saved.h"

struct saved_schema_object {
	char *kind, *identity, *definition; /* as in catalog.h */
	uint32_t class_oid, oid;
	/* A column that is not what it was: its comment and privileges are made, and a default. */
	bool there, has_default;
};
struct saved_schema_wanted {
	struct saved_schema_object *item;
	size_t nr, alloc;
};
#define SAVED_SCHEMA_WANTED_INIT \
	{                        \
		0                \
	}

/* The manifest's part with the schema, an archive of pg_dump's; NULL: there is none. */
const json_t *saved_schema_part(const struct saved *saved) MUST_CHECK;

/* `object` is one of the manifest's "objects"; `now`: it is a column, is there, and defined so. */
void saved_schema_want(struct saved_schema_wanted *wanted, const json_t *object, const char *now);
void saved_schema_wanted_release(struct saved_schema_wanted *wanted);

/* What checks or reacts to rows, foreign keys and triggers, is made when they are there. */
enum saved_schema_phase { SAVED_SCHEMA_BEFORE_ROWS, SAVED_SCHEMA_AFTER_ROWS };
/*
 * Appends "kind identity" of what it made to `ret`. Columns have no entry of their own: where their
 * table is there they are made from their definition, and so are checks. What else is missing the
 * proof tells. Where no schema was saved there is a warning; without pg_restore it fails.
 */
int saved_schema_remake(struct strvec *ret, const struct saved_schema_wanted *wanted,
			struct saved *saved, enum saved_schema_phase phase, struct session *s,
			struct error *err) MUST_CHECK;

#endif
