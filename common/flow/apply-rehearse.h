/* SPDX-License-Identifier: MIT */
/*
 * apply-rehearse: all scripts of a plan in one transaction, which is rolled back. The plan's
 * steps then say what each changed in the schema, what it locked, and how long it took.
 */
#ifndef FLOW_APPLY_REHEARSE_H
#define FLOW_APPLY_REHEARSE_H

#include "flow/apply.h"
#include "flow/change.h"

/* In an operation that is begun. `catalog` has been read, or is NULL: changes are not wanted. */
int apply_rehearse(struct apply_plan *plan, struct change *change, struct catalog *catalog,
		   struct error *err) MUST_CHECK;

#endif
