/* SPDX-License-Identifier: MIT */
/*
 * As git's own merge does it: a file whose content is all the same comes first, whatever it was;
 * then, of the files that matter to the revert alone, those that are alike.
 */
#include "base/memory.h"
#include "vcs/revert-parts.h"

enum { TAKEN = 1 << 9 }; /* of an added file: another one has become it */

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* An added file with the same content, by preference with the same name. */
static struct tree_change *find_exact(const struct tree_changes *all,
				      const struct tree_change *gone)
{
	struct tree_change *found = NULL;

	for (size_t i = 0; i < all->nr; i++) {
		struct tree_change *added = &all->item[i];

		if (added->old_mode || added->flags & TAKEN ||
		    (added->new_mode & MODE_TYPE) != (gone->old_mode & MODE_TYPE) ||
		    strcmp(added->new_oid, gone->old_oid) != 0)
			continue;
		if (!strcmp(name_of(added->path), name_of(gone->path)))
			return added;
		if (!found)
			found = added;
	}
	return found;
}

static bool is_gone(const struct tree_change *change)
{
	return !change->new_mode && change->old_mode != MODE_SUBMODULE;
}

static void add_rename(struct tree_renames *ret, const struct tree_change *gone,
		       const struct tree_change *added)
{
	ARRAY_GROW(ret->item, ret->nr + 1, ret->alloc);
	ret->item[ret->nr++] = (struct tree_rename){ .from = xstrdup(gone->path),
						     .to = xstrdup(added->path),
						     .new_mode = added->new_mode,
						     .new_oid = xstrdup(added->new_oid) };
}

/* The rest of `wanted` is in `ret_left`: paths that are gone, and have no exact counterpart. */
static void take_exact(struct tree_renames *ret, struct strvec *ret_left,
		       const struct tree_changes *all, const struct strvec *wanted)
{
	for (size_t i = 0; i < all->nr; i++) {
		struct tree_change *added;

		if (!is_gone(&all->item[i]))
			continue;
		added = find_exact(all, &all->item[i]);
		if (added)
			added->flags |= TAKEN;
		if (!strvec_has_sorted(wanted, all->item[i].path))
			continue;
		if (added)
			add_rename(ret, &all->item[i], added);
		else
			strvec_push(ret_left, all->item[i].path);
	}
}

/* ---- Those that are alike ------------------------------------------------------------ */

/* Two small trees: what is left, and what has been added. */
static void fill_trees(struct import_commit commit[2], struct import_path *path[2],
		       const struct tree_changes *all, const struct strvec *left)
{
	for (size_t i = 0; i < all->nr; i++) {
		const struct tree_change *change = &all->item[i];

		if (is_gone(change) && mode_is_regular(change->old_mode) &&
		    strvec_has_sorted(left, change->path))
			path[0][commit[0].paths++] = (struct import_path){ .path = change->path,
									   .mode = change->old_mode,
									   .oid = change->old_oid };
		if (!change->old_mode && mode_is_regular(change->new_mode) &&
		    !(change->flags & TAKEN))
			path[1][commit[1].paths++] = (struct import_path){ .path = change->path,
									   .mode = change->new_mode,
									   .oid = change->new_oid };
	}
}

static int compare(struct tree_renames *ret, struct revert_series *series,
		   const struct import_commit commit[2], const char *folder, struct error *err)
{
	struct import import CLEANUP(import_release) = IMPORT_INIT;
	struct strvec env CLEANUP(strvec_release) = STRVEC_INIT;
	unsigned mark[2];

	import.scratch = true;
	if (import_start(&import, series->repo, folder, err) < 0 ||
	    revert_import(series, &import, err) < 0)
		return -1;
	for (int i = 0; i < 2; i++) {
		mark[i] = import_mark(&import);
		if (import_commit(&import, mark[i], &commit[i], err) < 0)
			return -1;
	}
	if (import_finish(&import, err) < 0)
		return -1;
	import_environment(&env, series->repo, folder);
	return tree_renames_find(ret, import_oid(&import, mark[0]), import_oid(&import, mark[1]),
				 series->state->settings.rename_limit, &env, err);
}

static int take_alike(struct tree_renames *ret, struct revert_series *series,
		      const struct tree_changes *all, const struct strvec *left, struct error *err)
{
	struct import_path *from CLEANUP(free_p) = xcalloc(all->nr, sizeof(*from));
	struct import_path *to CLEANUP(free_p) = xcalloc(all->nr, sizeof(*to));
	struct import_path *path[2] = { from, to };
	struct import_commit commit[2] = {
		{ .identity = "rename <rename>", .message = "", .path = from },
		{ .identity = "rename <rename>", .message = "", .path = to }
	};
	char *folder CLEANUP(free_p) = NULL;

	fill_trees(commit, path, all, left);
	if (!commit[0].paths || !commit[1].paths)
		return 0;
	if (revert_work_folder(series, err) < 0)
		return -1;
	folder = xstrfmt("%s/renames-%zu", series->state->folder, series->state->folders++);
	return compare(ret, series, commit, folder, err);
}

/* ---- What the steps before have changed ---------------------------------------------- */

enum { SAME = 1 << 10 };

/* As if they were compared with what is there by now. */
static void follow_steps(struct tree_changes *changes, const struct tree_changes *ours)
{
	struct tree_changes more CLEANUP(tree_changes_release) = TREE_CHANGES_INIT;

	for (size_t i = 0; i < ours->nr; i++) {
		const struct tree_change *now = &ours->item[i];
		struct tree_change *change = tree_changes_find(changes, now->path);

		if (now->old_mode == now->new_mode &&
		    (!now->old_mode || !strcmp(now->old_oid, now->new_oid)))
			continue;
		if (!change) {
			change = tree_changes_add(&more, now->path);
			change->old_mode = now->old_mode;
			change->old_oid = xstrdup_or_null(now->old_oid);
		}
		change->new_mode = now->new_mode;
		string_replace(&change->new_oid, now->new_mode ? now->new_oid : NULL);
		if (!change->old_mode && !change->new_mode)
			change->flags |= SAME;
	}
	for (size_t i = 0; i < more.nr; i++) {
		struct tree_change *change = tree_changes_add(changes, more.item[i].path);
		char *path = change->path;

		*change = more.item[i];
		change->path = path;
		more.item[i].old_oid = more.item[i].new_oid = NULL;
	}
	tree_changes_sort(changes);
	tree_changes_drop(changes, SAME);
}

int revert_find_renames(struct tree_renames *ret, struct revert_series *series,
			const char *old_tree, const char *new_tree, const struct strvec *wanted,
			struct error *err)
{
	struct tree_pair pair = { .old_tree = old_tree,
				  .new_tree = new_tree ? new_tree : series->onto };
	struct strvec left CLEANUP(strvec_release) = STRVEC_INIT;
	const struct revert_settings *settings;
	int done;

	if (revert_read_settings(&settings, series, err) < 0)
		return -1;
	done = tree_pairs_compare(&pair, 1, NULL, 0, NULL, err);

	if (!done && !new_tree)
		follow_steps(&pair.changes, &series->state->ours);
	if (!done) {
		take_exact(ret, &left, &pair.changes, wanted);
		if (left.nr)
			done = take_alike(ret, series, &pair.changes, &left, err);
		tree_renames_sort(ret);
	}
	tree_changes_release(&pair.changes);
	return done;
}
