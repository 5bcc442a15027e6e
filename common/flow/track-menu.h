/* SPDX-License-Identifier: MIT */
/*
 * track-menu: which unit? A short list to choose from, on a terminal: tracks and phases in
 * progress, then the tracks that were completed last.
 */
#ifndef FLOW_TRACK_MENU_H
#define FLOW_TRACK_MENU_H

#include "flow/checkpoint.h"
#include "workflow/unit.h"

/* The words for the unit that was chosen: NULL where it has none. */
struct track_choice {
	char *track, *phase, *task, *story;
};
void track_choice_release(struct track_choice *choice);

/*
 * -1: there is no terminal (EXIT_USAGE), none to choose from (EXIT_NO), or nothing was chosen
 * (EXIT_REFUSED).
 */
int track_menu(struct track_choice *ret, const struct checkpoint_session *session,
	       struct error *err) MUST_CHECK;

#endif
