/* SPDX-License-Identifier: MIT */
/*
 * rollback-advice: when it is better not to roll back but to go forward, by a new migration that
 * corrects the old one: where rows would go that were written since it was applied, and where the
 * environment is protected, so that people depend on it.
 *
 * Known: of tables and columns that go, whether rows were written after the migration was recorded,
 *        by the ids of their transactions: rows that were restored from a dump do not show it.
 */
#ifndef FLOW_ROLLBACK_ADVICE_H
#define FLOW_ROLLBACK_ADVICE_H

#include "flow/rollback.h"

/* Adds a warning to the plan's verdict, where there is a reason. The impact is there, with counts. */
int rollback_advise(struct rollback_plan *plan, struct error *err) MUST_CHECK;

#endif
