/* SPDX-License-Identifier: MIT */
/*
 * validation: what a change has left in the database that a person should know of, although the
 * change has succeeded: invalid indexes, constraints that are not validated, disabled triggers,
 * sequences behind their column, rows whose foreign keys lead nowhere. And how many objects there
 * are, before and after.
 *
 * Use:    validation_begin() before the change, validation_check() in each of its transactions behind
 *         the scripts and before COMMIT (or behind a script that ran outside of one). It never fails
 *         a run by what it finds; only what was not so before, or what the change has touched, is
 *         a finding.
 * Owner:  the caller; validation_release().
 */
#ifndef FLOW_VALIDATION_H
#define FLOW_VALIDATION_H

#include "base/json.h"
#include "pg/catalog.h"
#include "pg/validation.h"
#include "sql/script.h"

struct validation {
	json_t *objects_before, *objects_after; /* kind: number; NULL: not read */
	size_t nr_before, nr_after;		/* of all kinds */
	struct validation_defects before;
	struct validation_defects state; /* that were not there before, by the last check */
	struct validation_defects rows;	 /* by all checks */
};
#define VALIDATION_INIT \
	{               \
		0       \
	}
void validation_release(struct validation *validation);

int validation_begin(struct validation *validation, struct db *db, const struct catalog *catalog,
		     struct error *err) MUST_CHECK;
/*
 * `catalog` as it is now. `rows` may name tables and say `unguarded`; the rest is filled in. Their
 * array is only read.
 */
int validation_check(struct validation *validation, struct db *db, const struct catalog *catalog,
		     struct validation_rows rows, struct error *err) MUST_CHECK;
/* Does the script say that triggers do not fire? */
bool validation_is_unguarded(const struct sql_script *script);

size_t validation_findings(const struct validation *validation);
/* {"objects_before", "objects_after", "findings": [{"kind", "object", "detail"}...]}, or null. */
json_t *validation_to_json(const struct validation *validation) MUST_CHECK;
/* A warning for each finding. */
void validation_warn(const struct validation *validation);

#endif
