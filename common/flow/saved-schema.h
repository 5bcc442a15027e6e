/* SPDX-License-Identifier: MIT */
/*
 * saved-schema: objects out of a schema that was saved (flow/save.h), made again in the open
 * transaction, with their comments and privileges, in the order that pg_dump found.
 *
 * Use:    saved_schema_want() for each object that is missing, saved_schema_remake().
 * Which:  pg_dump's entries are found by the OIDs that the objects had.
 */
#ifndef FLOW_SAVED_SCHEMA_H
#define FLOW_SAVED_SCHEMA_H

#include "flow/session.h"
#include "journal/saved.h"

struct saved_schema_object {
	char *kind, *identity; /* as in catalog.h */
	uint32_t class_oid, oid;
};
struct saved_schema_wanted {
	struct saved_schema_object *item;
	size_t nr, alloc;
};
#define SAVED_SCHEMA_WANTED_INIT \
	{                        \
		0                \
	}

/* The OIDs as the manifest has them. */
void saved_schema_want(struct saved_schema_wanted *wanted, const char *kind, const char *identity,
		       const json_t *class_oid, const json_t *oid);
void saved_schema_wanted_release(struct saved_schema_wanted *wanted);

/*
 * Appends "kind identity" of what it made to `ret`. What the schema has no entry of its own for,
 * a column say, comes with another object, or is what the proof then misses. Where no schema
 * was saved, or pg_restore is not to be had, there is a warning.
 */
int saved_schema_remake(struct strvec *ret, const struct saved_schema_wanted *wanted,
			struct saved *saved, struct session *s, struct error *err) MUST_CHECK;

#endif
