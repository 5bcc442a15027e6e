/* SPDX-License-Identifier: MIT */
/*
 * track-trailers: "Track:", "Phase:" and "Task:" of the work in progress, for the message of a commit.
 *
 * What is in progress is what the documents say: the task that is marked so; where it has just been
 * marked as done, and that is not committed yet, that one. Of several, what they have in common.
 * No history is read.
 */
#ifndef FLOW_TRACK_TRAILERS_H
#define FLOW_TRACK_TRAILERS_H

#include "base/strvec.h"
#include "flow/checkpoint.h"

/* "Track: <id>", "Phase: <name>", "Task: <text>"; none: nothing is in progress, or too much. */
int track_trailers_find(struct strvec *ret, const struct checkpoint_session *session,
			struct error *err) MUST_CHECK;
/* Prints them, a line each. EXIT_DONE; EXIT_NO: there are none. Or -1. */
int track_trailers(const struct common_options *common, struct error *err) MUST_CHECK;

#endif
