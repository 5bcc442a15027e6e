/* SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <unistd.h>

#include "base/beneath.h"
#include "base/file.h"
#include "base/memory.h"
#include "vcs/restore-parts.h"

static int mark(struct restore *restore, const json_t *manifest, unsigned flag, struct error *err)
{
	struct strvec paths CLEANUP(strvec_release) = STRVEC_INIT;

	if (restore_manifest_paths(&paths, manifest, "unconverted", err) < 0)
		return -1;
	for (size_t i = 0; i < paths.nr; i++) {
		struct tree_change *change = tree_changes_find(&restore->files, paths.v[i]);

		if (change)
			change->flags |= flag;
	}
	return 0;
}

int restore_plan_unconverted(struct restore *restore, struct error *err)
{
	if (mark(restore, restore->now.manifest, RESTORE_UNCONVERTED_NOW, err) < 0)
		return -1;
	return mark(restore, restore->request->target->manifest, RESTORE_UNCONVERTED_THEN, err);
}

static bool goes(const struct tree_change *change)
{
	return change->flags & RESTORE_UNCONVERTED_NOW && mode_is_file(change->old_mode);
}

static bool comes(const struct tree_change *change)
{
	return change->flags & RESTORE_UNCONVERTED_THEN && mode_is_file(change->new_mode);
}

bool restore_has_unconverted(const struct restore *restore, bool then)
{
	for (size_t i = 0; i < restore->files.nr; i++)
		if (then ? comes(&restore->files.item[i]) : goes(&restore->files.item[i]))
			return true;
	return false;
}

int restore_open_top(const struct restore *restore, struct error *err)
{
	int top = open(restore->repo->worktree, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return top < 0 ? error_errno(err, "cannot open '%s'", restore->repo->worktree) : top;
}

/* ---- Those of now -------------------------------------------------------------------- */

static int by_path(const void *key, const void *file)
{
	return strcmp(key, ((const struct snapshot_file *)file)->path);
}

int restore_check_captured(const struct restore *restore, struct beneath *top, const char *path,
			   struct error *err)
{
	const struct snapshot_capture *now = &restore->now;
	const struct snapshot_file *file =
		bsearch(path, now->file, now->nr, sizeof(*now->file), by_path);
	struct stat st;

	if (file && beneath_stat(top, &st, path) == 0 && file_is_same(&file->stat, &st))
		return 0;
	error_refused(err, "a file has changed meanwhile: '%s'", path);
	return error_hint(err, "Nothing was changed. Try again.");
}

int restore_check_unconverted(const struct restore *restore, struct error *err)
{
	int top CLEANUP(fd_close_p) = restore_open_top(restore, err);
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);

	if (top < 0)
		return -1;
	for (size_t i = 0; i < restore->files.nr; i++)
		if (goes(&restore->files.item[i]) &&
		    restore_check_captured(restore, &b, restore->files.item[i].path, err) < 0)
			return -1;
	return 0;
}

static int remove_file(int top, const char *path, struct error *err)
{
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);
	const char *name, *slash = strrchr(path, '/');
	int folder = beneath_find_folder(&b, &name, path);

	if (folder < 0 || unlinkat(folder, name, 0) < 0)
		return error_errno(err, "cannot remove '%s'", path);
	if (slash) {
		char *above CLEANUP(free_p) = xmemdupz(path, (size_t)(slash - path));

		beneath_remove_folders(top, above);
	}
	return 0;
}

int restore_remove_unconverted(struct restore *restore, bool back, struct error *err)
{
	int top CLEANUP(fd_close_p) = restore_open_top(restore, err);
	struct beneath b CLEANUP(beneath_release) = BENEATH_INIT(top);

	if (top < 0)
		return -1;
	for (size_t i = 0; i < restore->files.nr; i++) {
		struct tree_change *change = &restore->files.item[i];

		if (back ? !(change->flags & RESTORE_WRITTEN) : !goes(change))
			continue;
		if ((!back && restore_check_captured(restore, &b, change->path, err) < 0) ||
		    remove_file(top, change->path, err) < 0)
			return -1;
		change->flags ^= back ? RESTORE_WRITTEN : RESTORE_REMOVED;
	}
	return 0;
}

/* ---- Those of the snapshot ----------------------------------------------------------- */

int restore_write_unconverted(struct restore *restore, bool back, struct error *err)
{
	size_t all = restore->files.nr, nr = 0;
	struct tree_change **change CLEANUP(free_p) =
		xcalloc(all + 1, sizeof(struct tree_change *));
	struct restore_blob *blob CLEANUP(free_p) = xcalloc(all + 1, sizeof(*blob));
	int ret;

	for (size_t i = 0; i < all; i++) {
		struct tree_change *file = &restore->files.item[i];

		if (back ? !(file->flags & RESTORE_REMOVED) : !comes(file))
			continue;
		change[nr] = file;
		blob[nr++] = (struct restore_blob){ .path = file->path,
						    .oid = back ? file->old_oid : file->new_oid,
						    .mode = back ? file->old_mode : file->new_mode,
						    .make = true };
	}
	ret = restore_write_blobs(restore, blob, nr, err);
	for (size_t i = 0; i < nr; i++)
		if (blob[i].begun)
			change[i]->flags ^= back ? RESTORE_REMOVED : RESTORE_WRITTEN;
	return ret;
}
