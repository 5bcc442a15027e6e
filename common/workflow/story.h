/* SPDX-License-Identifier: MIT */
/*
 * story: the user stories of a project, in lists called prd.json.
 *
 * Read is an array in "userStories", "user_stories" or "stories", or the top itself where that is
 * an array; of each object "id", "title" (or "name"), and "passes" (a boolean) or "status".
 * Use:    stories_parse() for each list, then stories_name(); item[0 .. nr-1] are in the order of the
 *         lists, and of each file.
 * Names:  two lists may have the same id, as those of subprojects often do. A story is called by its
 *         id where that is clear, else by "<path of the list>:<id>". A list in an archive stands back.
 * Owner:  the caller; stories_release() frees all. It keeps a copy of each text.
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
	char *name;  /* as it is called; NULL before stories_name() */
	char *title; /* "" when there is none */
	enum unit_state state;
	size_t list;  /* in stories.list; NO_INDEX: messages alone name it */
	size_t index; /* of the object in the array */
};
struct story_list {
	char *path, *text;
	size_t len;
	bool archived;
};
struct stories {
	struct story_list *list;
	size_t lists, lists_alloc;
	struct story *item;
	size_t nr, alloc;
};
#define STORIES_INIT \
	{            \
		0    \
	}

/* Adds a list. */
int stories_parse(struct stories *ret, const char *path, const char *text, size_t len,
		  struct error *err) MUST_CHECK;
void stories_name(struct stories *stories);
void stories_release(struct stories *stories);
/* The list with that path, or NO_INDEX. */
size_t stories_find_list(const struct stories *stories, const char *path);
/* The edit that says that it is not done: "passes" to false, "status" to a word for `state`. */
int story_set_state(struct splices *ret, const struct stories *stories, size_t story,
		    enum unit_state state, struct error *err) MUST_CHECK;

#endif
