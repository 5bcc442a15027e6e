/* SPDX-License-Identifier: MIT */
/*
 * track-schema: do the project's schema files still fit the migrations that are left?
 *
 * SQL files of the kind "schema" and all up scripts are replayed by their text (sql/outline.h), as they
 * were before the revert and as they are now. A schema that never was what the migrations make (a
 * baseline, a file that nobody keeps up) is no news: what is told is what the revert parted. That is
 *
 *   - what a migration made that is gone, or drops, and a schema file has,
 *   - what the migrations make, and a schema file had, and has no more,
 *   - columns and tables that a migration dropped which is gone, and that no schema file has back.
 *
 * What something speaks of that cannot be read so (a DO block) is not told wrong, but unsure.
 * Owner:  the caller; track_schema_release().
 */
#ifndef FLOW_TRACK_SCHEMA_H
#define FLOW_TRACK_SCHEMA_H

#include "flow/checkpoint.h"

struct track_schema {
	bool looked;	      /* false: there is no schema file, or nothing has changed */
	struct strvec wrong;  /* sentences for people */
	struct strvec unsure; /* what may be wrong, and why that cannot be told */
	struct strvec unread; /* places */
};
#define TRACK_SCHEMA_INIT \
	{                 \
		0         \
	}

/* Both are full ids of commits. */
int track_schema_check(struct track_schema *ret, const struct checkpoint_session *session,
		       const char *before, const char *after, struct error *err) MUST_CHECK;
void track_schema_release(struct track_schema *schema);

#endif
