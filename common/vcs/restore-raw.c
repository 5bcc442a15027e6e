/* SPDX-License-Identifier: MIT */
#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/restore-parts.h"
#include "vcs/treediff.h"

#define FOLDER "raw/"

/* ---- Plan ---------------------------------------------------------------------------- */

/* Those that a payload has, by the paths that they are kept for. */
static int list(struct tree_files *ret, const char *payload, const struct strvec *env,
		struct error *err)
{
	size_t kept = 0;

	if (tree_list_all(ret, payload, env, err) < 0)
		return -1;
	for (size_t i = 0; i < ret->nr; i++) {
		struct tree_file *file = &ret->item[i];

		if (!strncmp(file->path, FOLDER, strlen(FOLDER)) && mode_is_regular(file->mode)) {
			string_replace(&file->path, file->path + strlen(FOLDER));
			ret->item[kept++] = *file;
		} else {
			free(file->path);
			free(file->oid);
		}
	}
	ret->nr = kept;
	return 0;
}

/* Of these the bytes differ, or one of the states has them as git writes them. */
static void find_different(struct strvec *ret, const struct tree_files *now,
			   const struct tree_files *then)
{
	size_t i = 0, k = 0;

	while (i < now->nr || k < then->nr) {
		int order = i == now->nr  ? 1 :
			    k == then->nr ? -1 :
					    strcmp(now->item[i].path, then->item[k].path);

		if (order || strcmp(now->item[i].oid, then->item[k].oid) != 0)
			strvec_push(ret, order <= 0 ? now->item[i].path : then->item[k].path);
		i += order <= 0;
		k += order >= 0;
	}
}

static bool is_planned(const struct restore *restore, const struct strvec *unconverted,
		       const char *path)
{
	return tree_changes_find(&restore->files, path) || strvec_has(&restore->stays, path) ||
	       strvec_has(&restore->alone, path) || strvec_has_sorted(unconverted, path);
}

static void add_rewritten(struct restore *restore, const struct tree_change *file, unsigned flags)
{
	struct tree_change *change = tree_changes_add(&restore->rewritten, file->path);

	change->old_mode = change->new_mode = file->new_mode;
	change->old_oid = xstrdup(file->new_oid);
	change->new_oid = xstrdup(file->new_oid);
	change->flags = flags;
}

/* Those among the paths that are files of the snapshot, match the pathspec, and do not change otherwise. */
static int plan_rewriting(struct restore *restore, const struct strvec *paths, struct error *err)
{
	const struct restore_request *request = restore->request;
	const char *empty = restore_empty_tree(restore);
	struct tree_pair pair[] = {
		{ .old_tree = empty, .new_tree = request->target->worktree_tree },
		{ .old_tree = empty, .new_tree = request->target->untracked_tree },
	};
	struct strvec unconverted CLEANUP(strvec_release) = STRVEC_INIT;
	size_t known = restore->rewritten.nr;
	int ret;

	if (restore_manifest_paths(&unconverted, request->target->manifest, "unconverted", err) < 0)
		return -1;
	ret = tree_pairs_compare(pair, ARRAY_SIZE(pair), request->pathspec, request->pathspecs,
				 &restore->env, err);
	for (size_t k = 0; k < ARRAY_SIZE(pair); k++) {
		for (size_t i = 0; i < paths->nr && !ret; i++) {
			const struct tree_changes before = { .item = restore->rewritten.item,
							     .nr = known };
			const struct tree_change *file =
				tree_changes_find(&pair[k].changes, paths->v[i]);

			if (file && mode_is_regular(file->new_mode) &&
			    !is_planned(restore, &unconverted, file->path) &&
			    !tree_changes_find(&before, file->path))
				add_rewritten(restore, file, k ? RESTORE_UNTRACKED : 0);
		}
		tree_changes_release(&pair[k].changes);
	}
	tree_changes_sort(&restore->rewritten);
	return ret;
}

int restore_plan_raw(struct restore *restore, struct error *err)
{
	char *payload CLEANUP(free_p) = xstrfmt("%s^4", restore->now.commit);
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;

	if (list(&restore->raw_then, restore->request->target->payload_tree, NULL, err) < 0 ||
	    (restore->now.state.attributes &&
	     list(&restore->raw_now, payload, &restore->env, err) < 0))
		return -1;
	find_different(&paths, &restore->raw_now, &restore->raw_then);
	return paths.nr ? plan_rewriting(restore, &paths, err) : 0;
}

/* ---- Execution ----------------------------------------------------------------------- */

static bool is_written(const struct restore *restore, const char *path, bool back)
{
	const struct tree_change *change = tree_changes_find(&restore->files, path);

	if (!change)
		change = tree_changes_find(&restore->rewritten, path);
	return change && mode_is_regular(back ? change->old_mode : change->new_mode);
}

bool restore_has_raw(const struct restore *restore)
{
	for (size_t i = 0; i < restore->raw_then.nr; i++)
		if (is_written(restore, restore->raw_then.item[i].path, false))
			return true;
	return false;
}

void restore_add_raw(struct strvec *ret, const struct restore *restore)
{
	for (size_t i = 0; i < restore->raw_then.nr; i++)
		if (is_written(restore, restore->raw_then.item[i].path, false))
			strvec_push(ret, restore->raw_then.item[i].oid);
}

int restore_check_raw(const struct restore *restore, struct error *err)
{
	int top CLEANUP(fd_close_p) = restore_open_top(restore, err);
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);

	if (top < 0)
		return -1;
	for (size_t i = 0; i < restore->raw_now.nr; i++)
		if (is_written(restore, restore->raw_now.item[i].path, true) &&
		    restore_check_captured(restore, &b, restore->raw_now.item[i].path, err) < 0)
			return -1;
	return 0;
}

/* Into the files that git has just written, which so keep their modes. */
int restore_write_raw(const struct restore *restore, bool back, struct error *err)
{
	const struct tree_files *files = back ? &restore->raw_now : &restore->raw_then;
	struct restore_blob *blob CLEANUP(free_p) = xcalloc(files->nr + 1, sizeof(*blob));
	size_t nr = 0;

	for (size_t i = 0; i < files->nr; i++)
		if (is_written(restore, files->item[i].path, back))
			blob[nr++] = (struct restore_blob){ .path = files->item[i].path,
							    .oid = files->item[i].oid };
	return restore_write_blobs(restore, blob, nr, err);
}
