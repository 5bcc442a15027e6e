/* SPDX-License-Identifier: MIT */
#include "vcs/snapshot-parts.h"

#include <sys/stat.h>

#include "base/clock.h"
#include "base/memory.h"
#include "vcs/mode.h"
#include "vcs/path.h"

void capture_add_reason(json_t *array, const char *path, const char *reason)
{
	json_array_append_new(array, json_pack("{s:o, s:o}", "path", path_to_json(path), "reason",
					       json_text(reason)));
}

static json_t *describe_submodules(const struct capture *c)
{
	json_t *array = json_array();
	size_t at = 0;

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		while (at < c->nr && strcmp(c->item[at].path, entry->path) < 0)
			at++;
		bool stored = at < c->nr && c->item[at].entry == entry;
		if (entry->worktree_mode == MODE_SUBMODULE)
			json_array_append_new(
				array,
				json_pack("{s:o, s:o, s:b}", "path", path_to_json(entry->path),
					  "commit",
					  json_text(stored ? c->item[at].oid : entry->index_oid),
					  "dirty",
					  entry->submodule_dirty || entry->submodule_untracked));
	}
	return array;
}

/* Those files of U that were asked for although they are ignored. */
static json_t *describe_ignored(const struct capture *c)
{
	json_t *array = json_array();
	size_t at = 0;

	for (size_t i = 0; i < c->nr; i++) {
		const struct capture_item *item = &c->item[i];

		if (item->entry || !item->mode)
			continue;
		while (at < c->state->untracked.nr &&
		       strcmp(c->state->untracked.v[at], item->path) < 0)
			at++;
		if (at == c->state->untracked.nr ||
		    strcmp(c->state->untracked.v[at], item->path) != 0)
			json_array_append_new(array, path_to_json(item->path));
	}
	return array;
}

/* Those that are stored as they are on disk, since git refused them. */
static json_t *describe_unconverted(const struct capture *c)
{
	json_t *array = json_array();

	for (size_t i = 0; i < c->nr; i++)
		if (c->item[i].refusal && c->item[i].mode)
			capture_add_reason(array, c->item[i].path, c->item[i].refusal);
	return array;
}

/* The permissions of untracked files, where git would not make them. */
static json_t *describe_modes(const struct capture *c)
{
	json_t *object = json_object();
	mode_t mask = umask(0);

	umask(mask);
	for (size_t i = 0; i < c->nr; i++) {
		const struct capture_item *item = &c->item[i];
		unsigned mode = item->stat.st_mode & 0777;
		char text[8];

		if (item->entry || !S_ISREG(item->stat.st_mode) ||
		    mode == ((item->mode == MODE_EXECUTABLE ? 0777 : 0666) & ~mask) ||
		    (item->mode != MODE_FILE && item->mode != MODE_EXECUTABLE))
			continue;
		json_t *key CLEANUP(json_decref_p) = path_to_json(item->path);
		snprintf(text, sizeof(text), "%o", mode);
		json_object_set_new(object, json_string_value(key), json_string(text));
	}
	return object;
}

/* Sets what is so; an empty list is not. Takes the value. */
static void set_list(json_t *manifest, const char *key, json_t *array)
{
	if (json_array_size(array))
		json_object_set_new(manifest, key, array);
	else
		json_decref(array);
}

static json_t *describe_head(const struct worktree_state *state)
{
	json_t *head = json_object();

	if (state->head)
		json_object_set_new(head, "commit", json_string(state->head));
	else
		json_object_set_new(head, "unborn", json_true());
	if (state->branch)
		json_object_set_new(head, "branch", json_text(state->branch));
	return head;
}

json_t *capture_manifest(const struct capture *c)
{
	const struct worktree_state *state = c->state;
	json_t *manifest = json_pack("{s:i}", "format", 1);

	json_object_set_new(manifest, "created_at", json_time(c->request->time * 1000000));
	if (strcmp(c->repo->git_dir, c->repo->common_dir) != 0)
		json_object_set_new(manifest, "worktree",
				    json_text(strrchr(c->repo->git_dir, '/') + 1));
	json_object_set_new(manifest, "head", describe_head(state));
	json_object_set_new(manifest, "index",
			    json_pack("{s:s, s:b}", "tree", c->ret->index_tree, "file",
				      state->special_index));
	set_list(manifest, "in_progress", paths_to_json(&state->in_progress));
	set_list(manifest, "submodules", describe_submodules(c));
	set_list(manifest, "nested", paths_to_json(&state->nested));
	set_list(manifest, "empty_folders", paths_to_json(&state->empty_folders));
	set_list(manifest, "ignored", describe_ignored(c));
	set_list(manifest, "absent", paths_to_json(&c->absent));
	json_t *modes = describe_modes(c);
	if (json_object_size(modes))
		json_object_set(manifest, "modes", modes);
	json_decref(modes);
	set_list(manifest, "left_out", json_incref(c->left_out));
	set_list(manifest, "unconverted", describe_unconverted(c));
	if (c->request->worktree.no_untracked)
		json_object_set_new(manifest, "untracked", json_false());
	if (c->request->members)
		json_object_update(manifest, c->request->members);
	return manifest;
}
