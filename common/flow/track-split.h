/* SPDX-License-Identifier: MIT */
/*
 * track-split: commits that are the work of two units, of which one is reverted.
 *
 * Reverting such a commit would take the other unit's work away. So it is refused, with what to do:
 * the unit around both, --also=<commit> for whoever wants just that, or --split where paths part the
 * two: a file is a unit's where its other commits change it, or its words in the plan name it,
 * and the other unit's do not.
 */
#ifndef FLOW_TRACK_SPLIT_H
#define FLOW_TRACK_SPLIT_H

#include "flow/track-plan.h"

/*
 * Refuses in the plan's verdict; with --split fills in split_off, the files that are the others'.
 * The commits have been selected.
 */
int track_split(struct track_plan *plan, struct error *err) MUST_CHECK;
/*
 * Refuses where all work that the unit may have had is left out as no more than likely: documents
 * would say of it what is not true of the code.
 */
void track_refuse_unsure(struct track_plan *plan);
/*
 * The same where the plan cannot be read, or --except leaves out all the work; where it leaves out
 * some, that is a warning. Not with --no-plan-update.
 */
void track_refuse_untrue(struct track_plan *plan);
/* "Revert the unit around them, ...": around all that is left out. NULL: there is none. free() it. */
char *track_offer_around(struct track_plan *plan) MUST_CHECK;

#endif
