/* SPDX-License-Identifier: MIT */
#include "vcs/snapshot-parts.h"

#include "base/memory.h"
#include "vcs/mode.h"

void capture_paths_release(struct capture_paths *paths)
{
	free(paths->item);
	strvec_release(&paths->names);
}

void capture_add_path(struct capture_paths *to, const char *path, unsigned mode, unsigned mark,
		      const char *oid)
{
	ARRAY_GROW(to->item, to->nr + 1, to->alloc);
	to->item[to->nr++] =
		(struct import_path){ .path = path, .mode = mode, .mark = mark, .oid = oid };
}

int capture_commit(struct capture *c, unsigned mark, const char *message, const char *base,
		   const char *const *parent, size_t parents, const struct capture_paths *paths)
{
	const struct import_commit commit = { .identity = c->request->identity,
					      .time = c->request->time,
					      .message = message,
					      .base = base,
					      .parent = parent,
					      .parents = parents,
					      .path = paths->item,
					      .paths = paths->nr };

	return import_commit(c->import, mark, &commit, c->err);
}

int capture_set_base(struct capture *c)
{
	const struct capture_paths none = CAPTURE_PATHS_INIT;
	unsigned mark;

	if (c->state->head) {
		c->base = xstrdup(c->state->head);
		return 0;
	}
	mark = import_mark(c->import);
	c->base = xstrfmt(":%u", mark);
	return capture_commit(c, mark, "no commit yet", NULL, NULL, 0, &none);
}

/*
 * A path of HEAD's that is not to be in the tree. An unmerged path may be a folder of HEAD's
 * at the same time, and git would take all of that away.
 */
static int add_removal(struct capture *c, struct capture_paths *paths, const char *path)
{
	char *below CLEANUP(free_p) = xstrfmt("%s/", path);
	bool folder = false;

	if (index_has_folder(&c->state->index, below) &&
	    import_has_folder(c->import, &folder, c->base, path, c->err) < 0)
		return -1;
	if (!folder)
		capture_add_path(paths, path, 0, 0, NULL);
	return 0;
}

/* A path with what it is to be; a mode of 0 takes it away. */
static int add_change(struct capture *c, struct capture_paths *paths, const char *path,
		      unsigned mode, unsigned mark, const char *oid)
{
	if (!mode)
		return add_removal(c, paths, path);
	capture_add_path(paths, path, mode, mark, oid);
	return 0;
}

int capture_commit_index(struct capture *c)
{
	struct capture_paths paths CLEANUP(capture_paths_release) = CAPTURE_PATHS_INIT;
	const char *parent[] = { c->base };

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		if (entry->staged &&
		    add_change(c, &paths, entry->path, entry->index_mode, 0, entry->index_oid) < 0)
			return -1;
	}
	c->mark_index = import_mark(c->import);
	return capture_commit(c, c->mark_index, "index", c->base, parent, 1, &paths);
}

int capture_commit_untracked(struct capture *c)
{
	struct capture_paths paths CLEANUP(capture_paths_release) = CAPTURE_PATHS_INIT;

	for (size_t i = 0; i < c->nr; i++)
		if (!c->item[i].entry && c->item[i].mode)
			capture_add_path(&paths, c->item[i].path, c->item[i].mode, c->item[i].mark,
					 c->item[i].oid);
	c->mark_untracked = import_mark(c->import);
	return capture_commit(c, c->mark_untracked, "untracked files", NULL, NULL, 0, &paths);
}

int capture_commit_worktree(struct capture *c, const char *message)
{
	struct capture_paths paths CLEANUP(capture_paths_release) = CAPTURE_PATHS_INIT;
	char *index CLEANUP(free_p) = xstrfmt(":%u", c->mark_index);
	char *untracked CLEANUP(free_p) = xstrfmt(":%u", c->mark_untracked);
	char *payload CLEANUP(free_p) = xstrfmt(":%u", c->mark_payload);
	const char *parent[] = { c->base, index, untracked, payload };
	size_t at = 0;
	int ret;

	for (size_t i = 0; i < c->state->nr; i++) {
		const struct worktree_entry *entry = &c->state->entry[i];

		while (at < c->nr && strcmp(c->item[at].path, entry->path) < 0)
			at++;
		const struct capture_item *item =
			at < c->nr && c->item[at].entry == entry ? &c->item[at] : NULL;
		if (item && !item->left_out)
			ret = add_change(c, &paths, entry->path, item->mode, item->mark, item->oid);
		else if (entry->changed && !entry->worktree_mode && !entry->device)
			ret = add_removal(c, &paths, entry->path);
		else /* as the index has it, which may be HEAD's too */
			ret = add_change(c, &paths, entry->path, entry->index_mode, 0,
					 entry->index_oid);
		if (ret < 0)
			return -1;
	}
	c->mark_worktree = import_mark(c->import);
	return capture_commit(c, c->mark_worktree, message, c->base, parent, ARRAY_SIZE(parent),
			      &paths);
}
