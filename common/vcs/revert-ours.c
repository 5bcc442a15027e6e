/* SPDX-License-Identifier: MIT */
/*
 * What stands at each path by now, while a series of reverts is worked out; and its conflicts.
 */
#include "base/memory.h"
#include "vcs/revert-parts.h"

/* ---- Sides --------------------------------------------------------------------------- */

bool revert_is_same(const struct revert_side *a, const struct revert_side *b)
{
	return a->mode == b->mode && (!a->mode || !strcmp(a->oid, b->oid));
}

/* As it is by now. Only of paths that are touched. */
struct revert_side revert_ours_at(const struct revert_series *series, const char *path)
{
	const struct tree_change *ours = tree_changes_find(&series->state->ours, path);

	return ours ? (struct revert_side){ .mode = ours->new_mode, .oid = ours->new_oid } :
		      (struct revert_side){ 0 };
}

struct tree_change *revert_add_ours(struct revert_series *series, const char *path)
{
	struct tree_changes *all = &series->state->ours;
	struct tree_change *ours = tree_changes_find(all, path);

	if (ours)
		return ours;
	tree_changes_add(all, path);
	tree_changes_sort(all);
	return tree_changes_find(all, path);
}

/* From now on this is what stands there. */
void revert_put(struct revert_series *series, struct revert_step *step, const char *path,
		const struct revert_side *side)
{
	struct tree_change *ours = revert_add_ours(series, path);
	struct revert_side was = { .mode = ours->new_mode, .oid = ours->new_oid };
	struct tree_change *change;

	step->uncertain = step->uncertain || ours->flags & REVERT_DISPUTED;
	if (revert_is_same(&was, side))
		return;
	change = tree_changes_add(&step->changes, path);
	change->old_mode = was.mode;
	change->old_oid = xstrdup_or_null(was.mode ? was.oid : NULL);
	change->new_mode = side->mode;
	change->new_oid = xstrdup_or_null(side->mode ? side->oid : NULL);
	ours->new_mode = side->mode;
	string_replace(&ours->new_oid, side->mode ? side->oid : NULL);
}

/* ---- Conflicts ----------------------------------------------------------------------- */

void revert_conflict_release(struct revert_conflict *conflict)
{
	for (int i = 0; i < 3; i++) {
		free(conflict->stage[i].oid);
		free(conflict->stage[i].path);
	}
	for (size_t i = 0; i < conflict->causes; i++) {
		free(conflict->cause[i].commit);
		free(conflict->cause[i].subject);
	}
	free(conflict->path);
	free(conflict->base_path);
	free(conflict->text);
	free(conflict->hunk);
	free(conflict->cause);
}

void revert_add_stage(struct revert_conflict *conflict, int stage, const struct revert_side *side)
{
	if (!side || !side->mode)
		return;
	conflict->stage[stage].mode = side->mode;
	conflict->stage[stage].oid = xstrdup(side->oid);
}

struct revert_conflict *revert_add_conflict(struct revert_series *series, struct revert_step *step,
					    enum revert_conflict_kind kind, const char *path)
{
	struct tree_change *ours = revert_add_ours(series, path);
	struct revert_conflict *conflict;

	step->uncertain = step->uncertain || ours->flags & REVERT_DISPUTED;
	ARRAY_GROW(step->conflict, step->conflicts + 1, step->alloc);
	conflict = &step->conflict[step->conflicts++];
	*conflict = (struct revert_conflict){ .kind = kind, .path = xstrdup(path) };
	return conflict;
}

/* A file is there in one way and not in another. */
void revert_dispute(struct revert_series *series, struct revert_step *step,
		    enum revert_conflict_kind kind, const char *path, const char *base_path,
		    const struct revert_side *base, const struct revert_side *ours,
		    const struct revert_side *theirs)
{
	struct revert_conflict *conflict = revert_add_conflict(series, step, kind, path);

	if (strcmp(path, base_path) != 0)
		conflict->base_path = xstrdup(base_path);
	revert_add_stage(conflict, 0, base);
	revert_add_stage(conflict, 1, ours);
	revert_add_stage(conflict, 2, theirs);
}
