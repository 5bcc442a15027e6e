/* SPDX-License-Identifier: MIT */
#include "workflow/metadata.h"

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
