/* SPDX-License-Identifier: MIT */
/*
 * track-reset: `git revert-track --strategy=reset`: the branch goes back to before the unit, where
 * the unit's commits are the newest ones, and on no remote.
 */
#ifndef FLOW_TRACK_RESET_H
#define FLOW_TRACK_RESET_H

#include "flow/track-plan.h"

/* Fills in plan->reset_to, or refuses in the plan's verdict. The commits have been selected. */
int track_reset(struct track_plan *plan, struct error *err) MUST_CHECK;

#endif
