/* SPDX-License-Identifier: MIT */
/*
 * state-word: the word for a state, spelled as the one that stood there.
 */
#ifndef WORKFLOW_STATE_WORD_H
#define WORKFLOW_STATE_WORD_H

#include "workflow/unit.h"

/*
 * For UNIT_PENDING, UNIT_IN_PROGRESS, UNIT_REVERTED and UNIT_DONE. "In Progress" for "Completed",
 * "IN PROGRESS" for "COMPLETED", "in_progress" for "completed", "in-progress" for "not-started",
 * "in progress" for "not started". free() it.
 */
char *state_word(enum unit_state state, const char *was, size_t len) MUST_CHECK;

#endif
