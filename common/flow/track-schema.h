/* SPDX-License-Identifier: MIT */
/*
 * track-schema: do the project's schema files still fit the migrations that are left?
 *
 * What can be told by text: no SQL file of the kind "schema" makes a table, view, type or function
 * that only migrations made which are gone.
 */
#ifndef FLOW_TRACK_SCHEMA_H
#define FLOW_TRACK_SCHEMA_H

#include "flow/track-plan.h"

enum track_schema_result {
	TRACK_SCHEMA_LOOKED = 0,
	TRACK_SCHEMA_NOTHING = 1 /* there is no such file, or no migration is gone */
};
/* *ret says what is left, and where, for people; NULL: nothing. free() it. */
int track_schema_left(char **ret, const struct track_plan *plan, struct error *err) MUST_CHECK;

#endif
