/* SPDX-License-Identifier: MIT */
#include "workflow/story.h"

#include "base/memory.h"
#include "workflow/json-edit.h"
#include "workflow/state-word.h"

void stories_release(struct stories *stories)
{
	for (size_t i = 0; i < stories->nr; i++) {
		free(stories->item[i].id);
		free(stories->item[i].name);
		free(stories->item[i].title);
	}
	free(stories->item);
	for (size_t i = 0; i < stories->lists; i++) {
		free(stories->list[i].path);
		free(stories->list[i].text);
	}
	free(stories->list);
	*stories = (struct stories)STORIES_INIT;
}

static const char *const lists[] = { "userStories", "user_stories", "stories" };

/* *ret_key is NULL where the top is the array. */
static const json_t *find_list(const char **ret_key, const json_t *json)
{
	*ret_key = NULL;
	if (json_is_array(json))
		return json;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		const json_t *list = json_object_get(json, lists[i]);

		if (!json_is_array(list))
			continue;
		*ret_key = lists[i];
		return list;
	}
	return NULL;
}

/* An id may be a number. */
static char *story_id(const json_t *story)
{
	const json_t *id = json_object_get(story, "id");

	if (json_is_integer(id))
		return xstrfmt("%" JSON_INTEGER_FORMAT, json_integer_value(id));
	if (json_is_real(id))
		return xstrfmt("%.0f", json_real_value(id));
	return xstrdup_or_null(json_string_value(id));
}

static enum unit_state story_state(const json_t *story)
{
	const json_t *passes = json_object_get(story, "passes");
	const char *status = json_member(story, "status");

	if (status)
		return unit_state_of_word(status, strlen(status));
	return json_is_true(passes) ? UNIT_DONE : UNIT_PENDING;
}

static void add_story(struct stories *ret, const json_t *story, size_t index)
{
	const char *title = json_member(story, "title");
	char *id = story_id(story);

	if (!id || !*id) {
		free(id);
		return;
	}
	if (!title)
		title = json_member(story, "name");
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = (struct story){
		.id = id,
		.title = xstrdup(title ? title : ""),
		.state = story_state(story),
		.list = ret->lists - 1,
		.index = index,
	};
}

int stories_parse(struct stories *ret, const char *path, const char *text, size_t len,
		  struct error *err)
{
	json_t *json CLEANUP(json_decref_p) = NULL;
	const char *key;
	const json_t *list, *story;
	size_t i;

	if (json_document_read(&json, path, text, len, err) < 0)
		return -1;
	list = find_list(&key, json);
	if (!list)
		return error_set(err, "cannot read '%s': it has no list of stories", path);
	ARRAY_GROW(ret->list, ret->lists + 1, ret->lists_alloc);
	ret->list[ret->lists++] = (struct story_list){
		.path = xstrdup(path),
		.text = xmemdupz(text, len),
		.len = len,
		.archived = strstr(path, "archive/") || strstr(path, "archived/"),
	};
	json_array_foreach(list, i, story) add_story(ret, story, i);
	return 0;
}

/* Is its id that of another list's story, which does not stand back behind this one? */
static bool is_ambiguous(const struct stories *stories, const struct story *story)
{
	for (size_t i = 0; i < stories->nr; i++) {
		const struct story *other = &stories->item[i];

		if (other->list != story->list && other->list != NO_INDEX &&
		    !strcmp(other->id, story->id) &&
		    (stories->list[story->list].archived || !stories->list[other->list].archived))
			return true;
	}
	return false;
}

void stories_name(struct stories *stories)
{
	for (size_t i = 0; i < stories->nr; i++) {
		struct story *story = &stories->item[i];

		free(story->name);
		story->name = is_ambiguous(stories, story) ?
				      xstrfmt("%s:%s", stories->list[story->list].path, story->id) :
				      xstrdup(story->id);
	}
}

size_t stories_find_list(const struct stories *stories, const char *path)
{
	for (size_t i = 0; i < stories->lists; i++)
		if (!strcmp(stories->list[i].path, path))
			return i;
	return NO_INDEX;
}

static int set_value(struct splices *ret, const struct story_list *list, struct json_step *step,
		     size_t steps, const char *key, const char *value, struct error *err)
{
	step[steps - 1] = (struct json_step){ .key = key };
	return json_document_set(ret, list->path, list->text, list->len, step, steps, value, err);
}

int story_set_state(struct splices *ret, const struct stories *stories, size_t story,
		    enum unit_state state, struct error *err)
{
	json_t *json CLEANUP(json_decref_p) = NULL;
	const struct story_list *list = &stories->list[stories->item[story].list];
	struct json_step step[3];
	const char *key, *status;
	const json_t *it;
	size_t steps = 0;

	if (json_document_read(&json, list->path, list->text, list->len, err) < 0)
		return -1;
	it = json_array_get(find_list(&key, json), stories->item[story].index);
	status = json_member(it, "status");
	if (key)
		step[steps++] = (struct json_step){ .key = key };
	step[steps++] = (struct json_step){ .index = stories->item[story].index };
	steps++;
	if (json_is_true(json_object_get(it, "passes")) &&
	    set_value(ret, list, step, steps, "passes", "false", err) < 0)
		return -1;
	if (status && unit_state_of_word(status, strlen(status)) != state) {
		char *word CLEANUP(free_p) = state_word(state, status, strlen(status));
		char *value CLEANUP(free_p) = xstrfmt("\"%s\"", word);

		return set_value(ret, list, step, steps, "status", value, err);
	}
	return 0;
}
