/* SPDX-License-Identifier: MIT */
/*
 * track-revert: `git revert-track <unit>` from the plan to the report, and what comes after a
 * conflict.
 */
#ifndef FLOW_TRACK_REVERT_H
#define FLOW_TRACK_REVERT_H

#include "flow/track-plan.h"

/*
 * Without a unit in `request` it asks for one, on a terminal; the words are then filled in. Returns an
 * exit code, or -1.
 */
int track_revert(struct track_plan_request *request, const struct common_options *common,
		 struct error *err) MUST_CHECK;

enum track_series_verb {
	TRACK_SERIES_CONTINUE,
	TRACK_SERIES_SKIP,
	TRACK_SERIES_ABORT,
	TRACK_SERIES_QUIT,
	TRACK_SERIES_STATUS /* EXIT_NO: none waits */
};
/* Of the series that waits; returns an exit code, or -1. */
int track_series(enum track_series_verb verb, const struct common_options *common,
		 struct error *err) MUST_CHECK;

#endif
