/* SPDX-License-Identifier: MIT */
/*
 * story: prd.json, a list of user stories.
 *
 * Read is an array in "userStories", "user_stories" or "stories", or the top itself where that is
 * an array; of each object "id", "title" (or "name"), and "passes" (a boolean) or "status".
 * Use:    stories_parse(), then item[0 .. nr-1] in the order of the file.
 * Owner:  the caller; stories_release() frees all. It keeps a copy of the text.
 * Errors: -1 for what is no JSON, or has no such array.
 */
#ifndef WORKFLOW_STORY_H
#define WORKFLOW_STORY_H

#include "base/compat.h"
#include "base/error.h"
#include "workflow/document.h"
#include "workflow/unit.h"

struct story {
	char *id;
	char *title; /* "" when there is none */
	enum unit_state state;
	size_t index; /* of the object in the array */
};
struct stories {
	char *path, *text; /* path: NULL while nothing was parsed */
	size_t len;
	struct story *item;
	size_t nr, alloc;
};
#define STORIES_INIT \
	{            \
		0    \
	}

int stories_parse(struct stories *ret, const char *path, const char *text, size_t len,
		  struct error *err) MUST_CHECK;
void stories_release(struct stories *stories);
/* The edit that says that it is not done: "passes" to false, "status" to a word for `state`. */
int story_set_state(struct splices *ret, const struct stories *stories, size_t story,
		    enum unit_state state, struct error *err) MUST_CHECK;

#endif
