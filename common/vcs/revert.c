/* SPDX-License-Identifier: MIT */
#include "vcs/revert.h"

#include <stdlib.h>

#include "base/file.h"
#include "base/interrupt.h"
#include "base/memory.h"
#include "vcs/revert-parts.h"

const char *revert_conflict_name(enum revert_conflict_kind kind)
{
	static const char *const name[] = {
		[REVERT_CONTENT] = "content",
		[REVERT_BINARY] = "binary",
		[REVERT_ADD_ADD] = "add/add",
		[REVERT_MODIFY_DELETE] = "modify/delete",
		[REVERT_DELETE_MODIFY] = "delete/modify",
		[REVERT_RENAME_DELETE] = "rename/delete",
		[REVERT_RENAME_RENAME] = "rename/rename",
		[REVERT_MODE] = "mode",
		[REVERT_TYPE] = "type",
		[REVERT_LINK] = "link",
		[REVERT_SUBMODULE] = "submodule",
		[REVERT_FILE_FOLDER] = "file/folder",
		[REVERT_LOCATION] = "location",
		[REVERT_DRIVER] = "driver",
	};

	return name[kind];
}

/* ---- Memory -------------------------------------------------------------------------- */

static void release_source(struct revert_source *source)
{
	free(source->oid);
	free(source->tree);
	free(source->parent);
	free(source->parent_tree);
	free(source->subject);
	free(source->abbreviated);
	tree_renames_release(&source->renames[REVERT_TO_NOW]);
	tree_renames_release(&source->renames[REVERT_TO_PARENT]);
}

static void free_state(struct revert_state *state, size_t nr)
{
	struct error ignored CLEANUP(error_release) = ERROR_INIT;

	for (size_t i = 0; i < nr && state->source; i++)
		release_source(&state->source[i]);
	for (size_t i = 0; i < nr && state->pair; i++)
		tree_changes_release(&state->pair[i].changes);
	for (size_t i = 0; i < state->blobs.nr; i++) {
		free(state->blobs.item[i].oid);
		strbuf_release(&state->blobs.item[i].data);
	}
	for (size_t i = 0; i < state->attributes.nr; i++)
		free(state->attributes.item[i].path);
	if (state->folder && file_remove_folders(state->folder, &ignored) < 0)
		error_clear(&ignored);
	free(state->source);
	free(state->pair);
	free(state->blobs.item);
	free(state->attributes.item);
	free(state->folder);
	tree_changes_release(&state->ours);
	object_reader_release(&state->reader);
	strvec_release(&state->handled);
	free(state->settings.driver);
	strvec_release(&state->settings.drivers);
	free(state);
}

static void release_step(struct revert_step *step)
{
	for (size_t i = 0; i < step->conflicts; i++)
		revert_conflict_release(&step->conflict[i]);
	free(step->commit);
	free(step->parent);
	free(step->subject);
	free(step->conflict);
	tree_changes_release(&step->changes);
	strvec_release(&step->kept);
}

void revert_series_release(struct revert_series *series)
{
	for (size_t i = 0; i < series->nr; i++)
		release_step(&series->step[i]);
	free(series->step);
	free(series->onto);
	tree_changes_release(&series->total);
	if (series->state)
		free_state(series->state, series->request->nr);
	*series = (struct revert_series)REVERT_SERIES_INIT;
}

/* ---- Renames ------------------------------------------------------------------------- */

/* Those that the commit has and the other side has not, of what the commit touches. */
static void list_gone(struct strvec *ret, const struct revert_series *series, size_t i, int to)
{
	const struct tree_changes *changes = &series->state->pair[i].changes;

	for (size_t k = 0; k < changes->nr; k++) {
		const struct tree_change *change = &changes->item[k];
		struct revert_side base = { .mode = change->old_mode, .oid = change->old_oid };
		struct revert_side ours = revert_ours_at(series, change->path);

		if (base.mode &&
		    (to == REVERT_TO_NOW ? !ours.mode :
					   !change->new_mode && !revert_is_same(&ours, &base)))
			strvec_push(ret, change->path);
	}
}

/* Where a path of the commit is now, or was in its parent; NULL: it was not renamed. */
static int find_renamed(const struct tree_rename **ret, struct revert_series *series, size_t i,
			int to, const char *path, struct error *err)
{
	struct revert_source *source = &series->state->source[i];
	const char *tree = to == REVERT_TO_NOW ? NULL : source->parent_tree;

	if (!source->has_renames[to]) {
		struct strvec gone CLEANUP(strvec_release) = STRVEC_INIT;

		list_gone(&gone, series, i, to);
		if (revert_find_renames(&source->renames[to], series, source->tree, tree, &gone,
					err) < 0)
			return -1;
		source->has_renames[to] = true;
	}
	*ret = tree_renames_from(&source->renames[to], path);
	series->state->renamed = series->state->renamed || *ret;
	return 0;
}

/* The same of the path that it has now, which becomes one of those that are touched. */
static int find_renamed_now(const char **ret, struct revert_series *series, size_t i,
			    const char *path, struct error *err)
{
	const struct tree_rename *rename;
	struct tree_change *ours;

	if (find_renamed(&rename, series, i, REVERT_TO_NOW, path, err) < 0)
		return -1;
	if (!rename)
		return 0;
	ours = tree_changes_find(&series->state->ours, rename->to);
	if (!ours) {
		ours = revert_add_ours(series, rename->to);
		ours->old_mode = ours->new_mode = rename->new_mode;
		ours->old_oid = xstrdup(rename->new_oid);
		ours->new_oid = xstrdup(rename->new_oid);
	}
	*ret = rename->to;
	return 0;
}

/* ---- One path ------------------------------------------------------------------------ */

static void merge_release(struct revert_merge *merge)
{
	free(merge->text);
	free(merge->hunk);
	free(merge->made);
}

static void take_text(struct revert_conflict *conflict, struct revert_merge *merge)
{
	conflict->text = STEAL(merge->text);
	conflict->hunk = STEAL(merge->hunk);
	conflict->hunks = merge->hunks;
	conflict->alloc = merge->alloc;
}

/* Both sides have changed it. `to` is where the result is going to be. */
static int merge_path(struct revert_series *series, struct revert_step *step,
		      struct revert_merge *merge, const char *to, struct error *err)
{
	static const struct revert_side nothing = { 0 };
	char *ours_oid CLEANUP(free_p) = xstrdup(merge->ours.oid);

	merge->ours.oid = ours_oid; /* what it belongs to is about to change */
	if (revert_merge(series, merge, err) < 0)
		return -1;
	if (merge->conflict) {
		revert_dispute(series, step, merge->kind, to, merge->base_path, &merge->base,
			       &merge->ours, &merge->theirs);
		take_text(&step->conflict[step->conflicts - 1], merge);
	}
	if (strcmp(to, merge->path) != 0)
		revert_put(series, step, merge->path, &nothing);
	revert_put(series, step, to, &merge->result);
	return 0;
}

/* What stands in the way of a file: one that is its folder, or those in a folder of its name. */
static bool has_no_room(const struct revert_series *series, const char *path)
{
	const struct tree_changes *all = &series->state->ours;
	size_t len = strlen(path);

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *above CLEANUP(free_p) = xmemdupz(path, (size_t)(slash - path));

		if (revert_ours_at(series, above).mode)
			return true;
	}
	for (size_t i = 0; i < all->nr; i++)
		if (all->item[i].new_mode && !strncmp(all->item[i].path, path, len) &&
		    all->item[i].path[len] == '/')
			return true;
	return false;
}

/* A file of the commit, and where it is on both sides: NULL, nowhere. */
struct found {
	const char *path, *ours_path, *theirs_path;
	struct revert_side base, ours, theirs;
};

static int find_theirs(struct found *f, struct revert_series *series, size_t i, struct error *err)
{
	const struct tree_rename *rename;

	if (f->theirs.mode) {
		f->theirs_path = f->path;
		return 0;
	}
	if (f->ours_path == f->path && revert_is_same(&f->ours, &f->base))
		return 0; /* it goes, and what comes for it comes by itself */
	if (find_renamed(&rename, series, i, REVERT_TO_PARENT, f->path, err) < 0)
		return -1;
	if (!rename)
		return 0;
	f->theirs_path = rename->to;
	f->theirs = (struct revert_side){ .mode = rename->new_mode, .oid = rename->new_oid };
	strvec_push(&series->state->handled, rename->to);
	return 0;
}

static int find_sides(struct found *ret, struct revert_series *series, size_t i,
		      const struct tree_change *change, struct error *err)
{
	*ret = (struct found){ .path = change->path,
			       .base = { .mode = change->old_mode, .oid = change->old_oid },
			       .ours = revert_ours_at(series, change->path),
			       .theirs = { .mode = change->new_mode, .oid = change->new_oid } };
	if (ret->ours.mode)
		ret->ours_path = change->path;
	else if (find_renamed_now(&ret->ours_path, series, i, change->path, err) < 0)
		return -1;
	if (!ret->ours.mode && ret->ours_path)
		ret->ours = revert_ours_at(series, ret->ours_path);
	return find_theirs(ret, series, i, err);
}

/* Both have given it a name of their own, and maybe a content. */
static int part_names(struct revert_series *series, struct revert_step *step,
		      struct revert_merge *merge, struct error *err)
{
	struct revert_side ours = merge->ours, theirs = merge->theirs;
	struct revert_conflict *conflict;

	if (revert_merge(series, merge, err) < 0)
		return -1;
	ours.oid = theirs.oid = merge->text ? merge->text : merge->result.oid;
	conflict = revert_add_conflict(series, step, REVERT_RENAME_RENAME, merge->path);
	conflict->base_path = xstrdup(merge->base_path);
	revert_add_stage(conflict, 0, &merge->base);
	revert_add_stage(conflict, 1, &ours);
	revert_add_stage(conflict, 2, &theirs);
	conflict->stage[0].path = xstrdup(merge->base_path);
	conflict->stage[2].path = xstrdup(merge->theirs_path);
	take_text(conflict, merge);
	return 0;
}

/* All three have it. */
static int merge_sides(struct revert_series *series, struct revert_step *step, size_t i,
		       const struct found *f, struct error *err)
{
	struct revert_merge merge CLEANUP(merge_release) = { .source = &series->state->source[i],
							     .path = f->ours_path,
							     .base_path = f->path,
							     .theirs_path = f->theirs_path,
							     .base = f->base,
							     .ours = f->ours,
							     .theirs = f->theirs };
	bool renamed_now = strcmp(f->path, f->ours_path) != 0;
	bool renamed_then = strcmp(f->path, f->theirs_path) != 0;

	if (!renamed_then || !strcmp(f->ours_path, f->theirs_path))
		return merge_path(series, step, &merge, f->ours_path, err);
	if (renamed_now)
		return part_names(series, step, &merge, err);
	if (!revert_ours_at(series, f->theirs_path).mode && !has_no_room(series, f->theirs_path))
		return merge_path(series, step, &merge, f->theirs_path, err);
	revert_dispute(series, step, REVERT_MODIFY_DELETE, f->path, f->path, &f->base, &f->ours,
		       NULL);
	return 0;
}

/* The commit has the file. */
static int revert_file(struct revert_series *series, struct revert_step *step, size_t i,
		       const struct tree_change *change, struct error *err)
{
	struct found f;

	if (find_sides(&f, series, i, change, err) < 0)
		return -1;
	if (f.ours_path == f.path && revert_is_same(&f.ours, &f.base)) {
		revert_put(series, step, f.path, &f.theirs);
		return 0;
	}
	if (f.ours_path && f.theirs_path) {
		if (!strcmp(f.ours_path, f.theirs_path) && revert_is_same(&f.ours, &f.theirs))
			return 0;
		return merge_sides(series, step, i, &f, err);
	}
	if (f.ours_path)
		revert_dispute(series, step,
			       f.ours_path == f.path ? REVERT_MODIFY_DELETE : REVERT_RENAME_DELETE,
			       f.ours_path, f.path, &f.base, &f.ours, NULL);
	else if (f.theirs_path)
		revert_dispute(series, step,
			       f.theirs_path == f.path ? REVERT_DELETE_MODIFY :
							 REVERT_RENAME_DELETE,
			       f.theirs_path, f.path, &f.base, NULL, &f.theirs);
	return 0;
}

/* The commit has it not. */
static int bring_back(struct revert_series *series, struct revert_step *step, size_t i,
		      const struct tree_change *change, struct error *err)
{
	const struct revert_side theirs = { .mode = change->new_mode, .oid = change->new_oid };
	const struct revert_side ours = revert_ours_at(series, change->path);
	struct revert_merge merge CLEANUP(merge_release) = { .source = &series->state->source[i],
							     .path = change->path,
							     .base_path = change->path,
							     .theirs_path = change->path,
							     .ours = ours,
							     .theirs = theirs };

	if (revert_is_same(&ours, &theirs))
		return 0;
	if (ours.mode)
		return merge_path(series, step, &merge, change->path, err);
	if (has_no_room(series, change->path))
		revert_dispute(series, step, REVERT_FILE_FOLDER, change->path, change->path, NULL,
			       NULL, &theirs);
	else
		revert_put(series, step, change->path, &theirs);
	return 0;
}

/* ---- One commit ---------------------------------------------------------------------- */

bool revert_is_kept(const struct revert_request *request, const char *path)
{
	const struct strvec *keep = request->keep;

	if (!keep)
		return false;
	if (strvec_has_sorted(keep, path))
		return true;
	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		char *folder CLEANUP(free_p) = xmemdupz(path, (size_t)(slash + 1 - path));

		if (strvec_has_sorted(keep, folder))
			return true;
	}
	return false;
}

/*
 * What goes comes first, so that there is room for what comes; and what is renamed before what
 * is made.
 */
static int revert_paths(struct revert_series *series, struct revert_step *step, size_t i,
			struct error *err)
{
	const struct tree_changes *changes = &series->state->pair[i].changes;

	for (int made = 0; made < 2; made++)
		for (size_t k = 0; k < changes->nr; k++) {
			const struct tree_change *change = &changes->item[k];

			if ((change->old_mode == 0) != (made == 1))
				continue;
			if (revert_is_kept(series->request, change->path))
				strvec_push(&step->kept, change->path);
			else if (!strvec_has(&series->state->handled, change->path) &&
				 (made ? bring_back(series, step, i, change, err) :
					 revert_file(series, step, i, change, err)) < 0)
				return -1;
		}
	return 0;
}

static int revert_one(struct revert_series *series, size_t i, struct error *err)
{
	const struct revert_source *source = &series->state->source[i];
	struct revert_step *step = &series->step[series->nr++];

	*step = (struct revert_step){ .commit = xstrdup(source->oid),
				      .parent = xstrdup_or_null(source->parent),
				      .subject = xstrdup(source->subject),
				      .merge = source->merge,
				      .nothing = !series->state->pair[i].changes.nr };
	strvec_release(&series->state->handled);
	if (interrupt_pending())
		return error_interrupted(err);
	series->state->contested = series->state->renamed = false;
	if (revert_find_moved_folder(series, i, err) < 0 ||
	    revert_paths(series, step, i, err) < 0 || revert_by_git(series, step, i, err) < 0)
		return -1;
	for (size_t k = 0; k < step->conflicts; k++)
		revert_add_ours(series, step->conflict[k].path)->flags |= REVERT_DISPUTED;
	tree_changes_sort(&step->changes);
	step->outcome = step->conflicts	      ? REVERT_CONFLICT :
			step->changes.nr == 0 ? REVERT_EMPTY :
						REVERT_CLEAN;
	series->clean += step->outcome == REVERT_CLEAN;
	series->empty += step->outcome == REVERT_EMPTY;
	series->conflicting += step->outcome == REVERT_CONFLICT;
	return 0;
}

/* ---- All of them --------------------------------------------------------------------- */

static void copy_side(unsigned *mode, char **oid, unsigned from_mode, const char *from_oid)
{
	*mode = from_mode;
	string_replace(oid, from_mode ? from_oid : NULL);
}

/* As all that is touched is in `onto`. */
static void copy_onto(struct tree_changes *ret, const struct tree_changes *ours)
{
	for (size_t i = 0; i < ours->nr; i++) {
		const struct tree_change *from = &ours->item[i];
		struct tree_change *to = tree_changes_add(ret, from->path);

		copy_side(&to->old_mode, &to->old_oid, from->old_mode, from->old_oid);
		copy_side(&to->new_mode, &to->new_oid, from->old_mode, from->old_oid);
	}
}

struct tree_change *revert_add_path(struct tree_changes *ret, const struct revert_series *series,
				    const char *path)
{
	const struct tree_change *ours = tree_changes_find(&series->state->ours, path);
	struct tree_change *change = tree_changes_find(ret, path);

	if (change)
		return change;
	change = tree_changes_add(ret, path);
	if (ours) {
		copy_side(&change->old_mode, &change->old_oid, ours->old_mode, ours->old_oid);
		copy_side(&change->new_mode, &change->new_oid, ours->old_mode, ours->old_oid);
	}
	tree_changes_sort(ret);
	return tree_changes_find(ret, path);
}

void revert_sum_up(struct tree_changes *ret, const struct revert_series *series, size_t steps)
{
	enum { SAME = 1 };

	copy_onto(ret, &series->state->ours);
	for (size_t i = 0; i < steps; i++)
		for (size_t k = 0; k < series->step[i].changes.nr; k++) {
			const struct tree_change *change = &series->step[i].changes.item[k];
			struct tree_change *to = tree_changes_find(ret, change->path);

			copy_side(&to->new_mode, &to->new_oid, change->new_mode, change->new_oid);
		}
	for (size_t i = 0; i < ret->nr; i++) {
		struct tree_change *change = &ret->item[i];
		const struct revert_side was = { .mode = change->old_mode, .oid = change->old_oid };
		const struct revert_side is = { .mode = change->new_mode, .oid = change->new_oid };

		change->flags = revert_is_same(&was, &is) ? SAME : 0;
	}
	tree_changes_drop(ret, SAME);
}

int revert_compute(struct revert_series *ret, const struct repo *repo,
		   const struct revert_request *request, struct error *err)
{
	ret->repo = repo;
	ret->request = request;
	ret->state = xcalloc(1, sizeof(*ret->state));
	*ret->state = (struct revert_state){ .reader = OBJECT_READER_INIT };
	if (revert_read_commits(ret, err) < 0)
		return -1;
	ret->step = xcalloc(request->nr, sizeof(*ret->step));
	for (size_t i = 0; i < request->nr; i++) {
		if (revert_one(ret, i, err) < 0)
			return -1;
		if (request->stop && ret->conflicting)
			break;
	}
	revert_sum_up(&ret->total, ret, ret->nr);
	return 0;
}
