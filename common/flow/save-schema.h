/* SPDX-License-Identifier: MIT */
/*
 * save-schema: the part of what is saved (flow/save.h) that is the schema: pg_dump runs while the rows
 * are copied.
 *
 * Kinds:   "schema" is an archive of pg_dump's, out of which saved-schema.h makes single objects.
 *          Where user mappings or foreign servers have options that may be secret, which an archive
 *          would hold, it is "schema text" instead, with these masked: for reading, and not for
 *          making objects again.
 * Members: "populated" of the manifest: the materialized views that have rows (identities), which
 *          pg_dump's schema does not say.
 */
#ifndef FLOW_SAVE_SCHEMA_H
#define FLOW_SAVE_SCHEMA_H

#include "flow/session.h"
#include "journal/saved.h"
#include "pg/dump.h"

struct save_schema {
	struct dump dump;
	struct saved_part part;
	bool text;
};
#define SAVE_SCHEMA_INIT                                   \
	{                                                  \
		.dump = DUMP_INIT, .part = SAVED_PART_INIT \
	}

/* Would it be "schema text"? */
int save_schema_is_masked(bool *ret, struct db *db, struct error *err) MUST_CHECK;
/* In an open transaction, which stays so until save_schema_finish(). */
int save_schema_start(struct save_schema *schema, struct saved *folder, struct session *s,
		      struct error *err) MUST_CHECK;
int save_schema_finish(struct save_schema *schema, struct error *err) MUST_CHECK;
void save_schema_release(struct save_schema *schema);

#endif
