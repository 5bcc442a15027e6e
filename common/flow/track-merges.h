/* SPDX-License-Identifier: MIT */
/*
 * track-merges: merges by which commits of a unit came, and that change something themselves.
 *
 * Such a merge has, in a file that both sides have changed, something else than what merging the two
 * comes to: a conflict that somebody resolved, or an edit that slipped in. It is no commit's, so that
 * reverting all commits of the unit leaves it.
 */
#ifndef FLOW_TRACK_MERGES_H
#define FLOW_TRACK_MERGES_H

#include "flow/track-plan.h"

/* Warns of them; not of what is reverted as a merge. Whatever git cannot tell is left out. */
int track_judge_merges(struct track_plan *plan, struct error *err) MUST_CHECK;

#endif
