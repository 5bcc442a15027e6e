/* SPDX-License-Identifier: MIT */
#include "workflow/metadata.h"

#include <strings.h>

#include "base/memory.h"
#include "workflow/json-edit.h"
#include "workflow/state-word.h"

void metadata_release(struct metadata *metadata)
{
	free(metadata->path);
	free(metadata->text);
	free(metadata->id);
	free(metadata->description);
	free(metadata->type);
	free(metadata->status);
	free(metadata->created_at);
	free(metadata->updated_at);
	*metadata = (struct metadata)METADATA_INIT;
}

/* The first of the keys that has text. */
static char *first_text(const json_t *json, const char *const *keys)
{
	for (; *keys; keys++) {
		const char *text = json_member(json, *keys);

		if (text && *text)
			return xstrdup(text);
	}
	return NULL;
}

static const char *const ids[] = { "track_id", "trackId", "storage_id", "storageId", "id", NULL };
static const char *const descriptions[] = { "description", "title", "name", NULL };
static const char *const types[] = { "type", "storage_type", "storageType", NULL };
static const char *const states[] = { "status", "state", NULL };
static const char *const created[] = { "created_at",   "createdAt",   "created",
				       "created_date", "createdDate", NULL };
static const char *const updated[] = { "updated_at",   "updatedAt",   "updated",
				       "updated_date", "updatedDate", NULL };

int metadata_parse(struct metadata *ret, const char *path, const char *text, size_t len,
		   struct error *err)
{
	json_t *json CLEANUP(json_decref_p) = NULL;

	if (json_document_read(&json, path, text, len, err) < 0)
		return -1;
	if (!json_is_object(json))
		return error_set(err, "cannot read '%s': it is no JSON object", path);
	*ret = (struct metadata){
		.path = xstrdup(path),
		.text = xmemdupz(text, len),
		.len = len,
		.id = first_text(json, ids),
		.description = first_text(json, descriptions),
		.type = first_text(json, types),
		.status = first_text(json, states),
		.state = UNIT_OTHER,
		.created_at = first_text(json, created),
		.updated_at = first_text(json, updated),
	};
	if (ret->status)
		ret->state = unit_state_of_word(ret->status, strlen(ret->status));
	return 0;
}

int metadata_set_state(struct splices *ret, const struct metadata *metadata, enum unit_state state,
		       struct error *err)
{
	const char *was = metadata->status ? metadata->status : "";
	struct json_step step = { .key = "status" };

	if (metadata->status && metadata->state == state)
		return 0;

	json_t *json CLEANUP(json_decref_p) = NULL;
	char *word CLEANUP(free_p) = state_word(state, was, strlen(was));
	char *value CLEANUP(free_p) = xstrfmt("\"%s\"", word);

	if (json_document_read(&json, metadata->path, metadata->text, metadata->len, err) < 0)
		return -1;
	if (!json_object_get(json, "status") && json_object_get(json, "state"))
		step.key = "state";
	return json_document_set(ret, metadata->path, metadata->text, metadata->len, &step, 1,
				 value, err);
}

/* ---- The phases and tasks in it ------------------------------------------------------ */

static const char *const phase_lists[] = { "phases", "stages", "milestones", NULL };
static const char *const task_lists[] = { "tasks", "subtasks", "steps", NULL };

enum { STEPS_MAX = 10 };

/* A value of the document, and the way to it; with room for the key of a member. */
struct place {
	const struct metadata *metadata;
	json_t *json;
	struct json_step step[STEPS_MAX + 1];
	size_t steps;
};

static int set_member(struct splices *ret, struct place *place, const char *key, const char *value,
		      struct error *err)
{
	const struct metadata *it = place->metadata;

	place->step[place->steps] = (struct json_step){ .key = key };
	return json_document_set(ret, it->path, it->text, it->len, place->step, place->steps + 1,
				 value, err);
}

static int reopen_object(struct splices *ret, struct place *place, struct error *err)
{
	static const char *const flags[] = { "completed", "done", NULL };

	for (const char *const *key = states; *key; key++) {
		const char *was = json_member(place->json, *key);
		enum unit_state state = was ? unit_state_of_word(was, strlen(was)) : UNIT_OTHER;
		char *word CLEANUP(free_p) = NULL, *value CLEANUP(free_p) = NULL;

		if (state != UNIT_DONE && state != UNIT_IN_PROGRESS)
			continue;
		word = state_word(UNIT_PENDING, was, strlen(was));
		value = xstrfmt("\"%s\"", word);
		if (set_member(ret, place, *key, value, err) < 0)
			return -1;
	}
	for (const char *const *key = flags; *key; key++)
		if (json_is_true(json_object_get(place->json, *key)) &&
		    set_member(ret, place, *key, "false", err) < 0)
			return -1;
	return 0;
}

/* "Phase 1: Core" is of the title "Core". */
static bool is_called(const json_t *json, const char *title)
{
	static const char *const names[] = { "title", "name", "description", NULL };
	char *own CLEANUP(free_p) = first_text(json, names);
	size_t len = own ? strlen(own) : 0, n = strlen(title);

	return n && len >= n && !strcasecmp(own + len - n, title);
}

/* The element of a list that a unit is: by its title, else by its place; NO_INDEX: none. */
static size_t find_part(const json_t *list, const char *title, size_t place, size_t of)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (is_called(json_array_get(list, i), title))
			return i;
	return json_array_size(list) == of ? place : NO_INDEX;
}

static struct place element(const struct place *in, const char *list, size_t index)
{
	struct place ret = *in;

	ret.json = json_array_get(json_object_get(in->json, list), index);
	ret.step[ret.steps++] = (struct json_step){ .key = list };
	ret.step[ret.steps++] = (struct json_step){ .index = index };
	return ret;
}

/* All that are listed in it, and in those. */
static int reopen_all(struct splices *ret, const struct place *in, struct error *err)
{
	const char *const *const kinds[] = { phase_lists, task_lists };

	for (size_t k = 0; k < ARRAY_SIZE(kinds) && in->steps + 2 <= STEPS_MAX; k++)
		for (const char *const *list = kinds[k]; *list; list++)
			for (size_t i = 0; i < json_array_size(json_object_get(in->json, *list));
			     i++) {
				struct place part = element(in, *list, i);

				if (reopen_object(ret, &part, err) < 0 ||
				    reopen_all(ret, &part, err) < 0)
					return -1;
			}
	return 0;
}

static int reopen_task(struct splices *ret, const struct place *in,
		       const struct plan_document *plan, size_t task, struct error *err)
{
	const struct plan_task *it = &plan->task[task];
	size_t of = it->phase == NO_INDEX ? 0 : plan->phase[it->phase].tasks;

	for (const char *const *list = task_lists; *list; list++) {
		size_t index = find_part(json_object_get(in->json, *list), it->is.title,
					 it->number - 1, in->steps || plan->phases == 1 ? of : 0);
		struct place part;

		if (index == NO_INDEX)
			continue;
		part = element(in, *list, index);
		if (reopen_object(ret, &part, err) < 0 || reopen_all(ret, &part, err) < 0)
			return -1;
	}
	return 0;
}

/* With the tasks in it, or with just one. */
static int reopen_phase(struct splices *ret, const struct place *in,
			const struct plan_document *plan, size_t phase, size_t task,
			struct error *err)
{
	for (const char *const *list = phase_lists; *list; list++) {
		size_t index = find_part(json_object_get(in->json, *list),
					 plan->phase[phase].is.title, phase, plan->phases);
		struct place part;

		if (index == NO_INDEX)
			continue;
		part = element(in, *list, index);
		if (reopen_object(ret, &part, err) < 0 ||
		    (task == NO_INDEX ? reopen_all(ret, &part, err) :
					reopen_task(ret, &part, plan, task, err)) < 0)
			return -1;
	}
	return 0;
}

int metadata_reopen_parts(struct splices *ret, const struct metadata *metadata,
			  const struct plan_document *plan, size_t phase, size_t task,
			  struct error *err)
{
	json_t *json CLEANUP(json_decref_p) = NULL;
	struct place top = { .metadata = metadata };

	if (json_document_read(&json, metadata->path, metadata->text, metadata->len, err) < 0)
		return -1;
	top.json = json;
	if (phase == NO_INDEX && task == NO_INDEX)
		return reopen_all(ret, &top, err);
	if (phase != NO_INDEX && reopen_phase(ret, &top, plan, phase, task, err) < 0)
		return -1;
	if (task != NO_INDEX)
		return reopen_task(ret, &top, plan, task, err);
	for (size_t t = 0; t < plan->tasks; t++)
		if (plan->task[t].phase == phase && reopen_task(ret, &top, plan, t, err) < 0)
			return -1;
	return 0;
}
